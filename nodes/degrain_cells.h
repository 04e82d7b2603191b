/* degrain_cells - what was taken of a picture, over whole cells of 8x8 pixels around a tile, for
 * the stages that even it out.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_DEGRAIN_CELLS_H
#define IN_DEGRAIN_CELLS_H

#include "degrain_parts.h"
#include "px_bm3d_area.h"

/* MARGIN: pixels beyond a tile that tell what is done in it. */
enum { CELL = 8, MARGIN = 40 };

/* Whole cells around r. */
static inline struct rect cells_of(struct rect r)
{
	r = rect_grow(r, MARGIN, MARGIN);
	return rect_of(r.x0 & -CELL, r.y0 & -CELL, (r.x1 + CELL - 1) & -CELL, (r.y1 + CELL - 1) & -CELL);
}

/* At an edge of the data, what is mirrored for the far end of a cell may lie before the first. */
static inline void cells_needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	struct rect all = rect_grow(cells_of(r), CELL, CELL);
	(void)n;
	need_add(out, 0, frame, all);
	need_add(out, 1, frame, all);
}

/* w x h planes over `all`, and a row each of the neutral picture and its luma. Of each cell: its bin, those of its
 * quarters (quarter; or NULL), and in
 * each channel the share of the grain's variance that was there to be taken; linear: that of it which clipping has not
 * bent, or NULL. */
struct cells {
	struct rect all;
	int w, h;
	float *taken[3], *bin, *quarter, *there, *linear, *clean[3], *luma, *lumas, *upper, *clipped[3];
};

/* CELL_ROWS rows, which cells_load alone needs. */
enum { CELL_ROWS = 9 };
static inline void cells_rows(struct cells *c, float *mem)
{
	for (int k = 0; k < 3; k++) c->clean[k] = mem + k * c->w, c->clipped[k] = mem + (3 + k) * c->w;
	c->luma = mem + 6 * c->w;
	c->lumas = mem + 7 * c->w;
	c->upper = mem + 8 * c->w;
}

/* Values that clipping left, of which some grain is gone. */
IN_INLINE float cells_clipped(float v) { return (v == 0.0f) | (v == 1.0f) ? 1.0f : 0.0f; }

/* Columns x0 to x1 of a row as cells_row makes it, wherever they lie. */
static inline void cells_far(const struct cells *c, const struct view *a, const struct view *b, const int ch[4],
                             struct rect data, int y, int x0, int x1)
{
	int sy = bm_mirror(c->all.y0 + y, data.y0, data.y1);
	for (int x = x0; x < x1; x++) {
		int sx = bm_mirror(c->all.x0 + x, data.x0, data.x1);
		float over = ch[3] < 0 ? 1.0f : *view_at(a, ch[3], sx, sy), by = over != 0 ? 1.0f / over : 1.0f;
		for (int k = 0; k < 3; k++) {
			float u = *view_at(a, ch[k], sx, sy), v = *view_at(b, ch[k], sx, sy);
			c->taken[k][(ptrdiff_t)y * c->w + x] = bm_sane((u - v) * by);
			c->clean[k][x] = bm_sane(v * by);
			c->clipped[k][x] += cells_clipped(u);
		}
	}
}

/* Colours straight of both pictures (ch: R, G, B and A or -1), mirrored beyond the data: row y of what was
 * taken, and of the neutral picture into clean; what is clipped is counted. */
static inline void cells_row(const struct cells *c, const struct view *a, const struct view *b, const int ch[4],
                             struct rect data, int y)
{
	int sy = bm_mirror(c->all.y0 + y, data.y0, data.y1);
	int from = data.x0 > c->all.x0 ? data.x0 : c->all.x0, end = data.x1 < c->all.x1 ? data.x1 : c->all.x1;
	if (ch[3] >= 0 || end < from) from = end = c->all.x0;
	int first = from - c->all.x0, n = (end - from) & -8;
	for (int k = 0; k < 3; k++) {
		const float *p = view_at(a, ch[k], from, sy), *q = view_at(b, ch[k], from, sy);
		float *t = c->taken[k] + (ptrdiff_t)y * c->w + first, *o = c->clean[k] + first, *gone = c->clipped[k] + first;
		for (int i = 0; i < n; i += 8) {
			const bm8 zero = { 0 }, one = zero + 1.0f;
			bm8 u = BM_LOAD(p + i), v = BM_LOAD(q + i), d = u - v;
			bm8i clipped = (u == zero) | (u == one);
			bm_sane8(&d);
			bm_sane8(&v);
			BM_STORE(t + i, d);
			BM_STORE(o + i, v);
			BM_STORE(gone + i, BM_LOAD(gone + i) + BM_MASKED(clipped, one));
		}
	}
	cells_far(c, a, b, ch, data, y, 0, first);
	cells_far(c, a, b, ch, data, y, first + n, c->w);
}

/* Bins of a cell's quarters: grain's strength bends over luma, so that its mean where the picture is rough is not that at
 * the mean luma. */
static inline void cells_quarters(const struct cells *c, int x, float low, float scale, float *out)
{
	for (int k = 0; k < 4; k++) {
		float sum = 0;
		for (int i = 0; i < CELL / 2; i++) {
			int at = x + k % 2 * (CELL / 2) + i;
			sum += k < 2 ? c->upper[at] : c->lumas[at] - c->upper[at];
		}
		out[k] = px_clamp((sum * (1.0f / 16) - low) * scale, 0.0f, (float)(DEGRAIN_BINS - 1));
	}
}

/* Bins and shares of the row of cells whose last pixels are in row y. Gaussian grain of which a
 * share s is clipped keeps (1 - s)^1.5 of its variance, within 0.02; (1 - s)^2 of it is the grain itself, weaker. */
static inline void cells_sum(const struct cells *c, int y, float low, float scale)
{
	float *bin = c->bin + y / CELL * (c->w / CELL), *there = c->there + 3 * (bin - c->bin);
	for (int i = 0; i < c->w / CELL; i++) {
		float sum = 0;
		for (int x = 0; x < CELL; x++) sum += c->lumas[CELL * i + x];
		bin[i] = px_clamp((sum * (1.0f / 64) - low) * scale, 0.0f, (float)(DEGRAIN_BINS - 1));
		if (c->quarter) cells_quarters(c, CELL * i, low, scale, c->quarter + 4 * (bin - c->bin + i));
		for (int k = 0; k < 3; k++) {
			float left = CELL * CELL;
			for (int x = 0; x < CELL; x++) left -= c->clipped[k][CELL * i + x];
			left *= 1.0f / (CELL * CELL);
			there[3 * i + k] = left * __builtin_sqrtf(left);
			if (c->linear) c->linear[3 * (bin - c->bin + i) + k] = left * left;
		}
	}
}

/* The planes of what was taken, and every cell's bin of (luma - low) * scale. row: a stage's own change of
 * row y and of clean, which gives luma. */
IN_INLINE void cells_load(const struct cells *c, const struct view *a, const struct view *b, const int ch[4],
                          struct rect data, float low, float scale, const void *job,
                          void (*row)(const void *job, const struct cells *c, int y))
{
	for (int y = 0; y < c->h; y++) {
		float *IN_RESTRICT lumas = c->lumas;
		const float *IN_RESTRICT luma = c->luma;
		if (y % CELL == 0)
			for (int x = 0; x < c->w; x++) lumas[x] = c->clipped[0][x] = c->clipped[1][x] = c->clipped[2][x] = 0;
		cells_row(c, a, b, ch, data, y);
		row(job, c, y);
		for (int x = 0; x < c->w; x++) lumas[x] += luma[x];
		if (y % CELL == CELL / 2 - 1) __builtin_memcpy(c->upper, lumas, (size_t)c->w * sizeof *lumas);
		if (y % CELL == CELL - 1) cells_sum(c, y, low, scale);
	}
}

#endif
