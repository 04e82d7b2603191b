/* px_grain_cells - strengths of shaped grain, by the low-passed luma of cells of 2 x 2 pixels.
 *
 * A cell's luma is the mean of its pixels, weighed with those around it (a, 1 - 2 a, a, each way); between
 * the middles of cells strengths are linear. All of that together is a low pass of sigma 1.5 pixels. Cells
 * lie at even places of the plane; what lies beyond the picture is its edge.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRAIN_CELLS_H
#define IN_PX_GRAIN_CELLS_H

#include "image.h"
#include "px_grain_strength.h"

/* Pixels around a rect that its strengths follow. */
enum { GRAIN_CELL_REACH = 4 };
/* a above: sigma squared, 2.25, less that of the means, 0.25, and of the lines, 0.75, in cells, halved. */
#define GRAIN_CELL_SIDE 0.15625f

/* Cells that strengths of r are made of. */
IN_INLINE struct rect px_grain_cells(struct rect r)
{ return rect_of((r.x0 >> 1) - 1, (r.y0 >> 1) - 1, ((r.x1 - 1) >> 1) + 2, ((r.y1 - 1) >> 1) + 2); }
IN_INLINE size_t px_grain_cell_pitch(struct rect r) { return ((size_t)rect_w(px_grain_cells(r)) + 31) & ~(size_t)15; }

/* Floats that cells of r and their making take. */
static IN_UNUSED size_t px_grain_cell_floats(struct rect r)
{ return px_grain_cell_pitch(r) * ((size_t)rect_h(px_grain_cells(r)) + 7); }

IN_INLINE void px_grain_luma_row(const float w[3], const float *IN_RESTRICT a, const float *IN_RESTRICT b,
                                 const float *IN_RESTRICT c, int n, float *IN_RESTRICT d)
{ for (int x = 0; x < n; x++) d[x] = w[0] * a[x] + w[1] * b[x] + w[2] * c[x]; }

/* Sums of pairs of columns of the rows of cell row y, weighted: n cells from cell x on. two: room for two rows. */
static IN_UNUSED void px_grain_cell_sums(const struct view *in, struct rect have, int x, int y, int n,
                                         const float w[3], float *two, size_t room, float *IN_RESTRICT d)
{
	float *IN_RESTRICT p = two, *IN_RESTRICT q = two + room;
	int first = have.x0 - 2 * x, end = first + rect_w(have);
	for (int i = 0; i < 2; i++) {
		float *t = i ? q : p;
		int row = 2 * y + i;
		row = row < have.y0 ? have.y0 : row < have.y1 ? row : have.y1 - 1;
		int from = first < 0 ? 0 : first, to = end < 2 * n ? end : 2 * n, at = 2 * x + from;
		px_grain_luma_row(w, view_at(in, 0, at, row), view_at(in, 1, at, row), view_at(in, 2, at, row), to - from,
		                  t + from);
		for (int k = 0; k < from; k++) t[k] = t[from];
		for (int k = to; k < 2 * n; k++) t[k] = t[to - 1];
	}
	for (int k = 0; k < n; k++) d[k] = 0.25f * ((p[2 * k] + q[2 * k]) + (p[2 * k + 1] + q[2 * k + 1]));
}

/* Lumas of the cells of a rect, row by row, so that the picture's rows are read just before grain is added to
 * them; each is read once. Worker's own. */
struct px_grain_lumas {
	const struct view *in;
	struct rect have, c;
	float w[3], *cells, *sums[3], *two;
	size_t pitch;
	int next;                                /* the row of sums that is to be made */
};

/* in: of the picture's rect data, GRAIN_CELL_REACH around r; w: weights of its channels; scratch holds
 * px_grain_cell_floats, the cells first. */
static IN_UNUSED void px_grain_lumas_begin(struct px_grain_lumas *g, const struct view *in, struct rect data, struct rect r,
                                           const float w[3], float *scratch)
{
	size_t pitch = px_grain_cell_pitch(r);
	*g = (struct px_grain_lumas){ .in = in, .have = rect_and(rect_grow(r, GRAIN_CELL_REACH, GRAIN_CELL_REACH), data),
		.c = px_grain_cells(r), .w = { w[0], w[1], w[2] }, .cells = scratch, .pitch = pitch };
	scratch += pitch * (size_t)rect_h(g->c);
	for (int i = 0; i < 3; i++, scratch += pitch) g->sums[i] = scratch;
	g->two = scratch;
	g->next = g->c.y0 - 1;
}

/* Row y of the cells and those above it. */
static IN_UNUSED const float *px_grain_lumas_row(struct px_grain_lumas *g, int y)
{
	const float a = GRAIN_CELL_SIDE, mid = 1 - 2 * GRAIN_CELL_SIDE;
	const int n = rect_w(g->c);
	for (; g->next <= y + 1; g->next++) {
		float *p = g->sums[0], *q = g->sums[1], *s = g->sums[2];
		px_grain_cell_sums(g->in, g->have, g->c.x0 - 1, g->next, n + 2, g->w, g->two, 2 * g->pitch, p);
		g->sums[0] = q;
		g->sums[1] = s;
		g->sums[2] = p;
		if (g->next < g->c.y0 + 1) continue;
		const float *IN_RESTRICT u = q, *IN_RESTRICT v = s, *IN_RESTRICT w = p;
		float *IN_RESTRICT to = g->cells + (size_t)(g->next - 1 - g->c.y0) * g->pitch;
		for (int x = 0; x < n; x++) {
			float left = a * (u[x] + w[x]) + mid * v[x], right = a * (u[x + 2] + w[x + 2]) + mid * v[x + 2];
			to[x] = a * (left + right) + mid * (a * (u[x + 1] + w[x + 1]) + mid * v[x + 1]);
		}
	}
	return g->cells + (size_t)(y - g->c.y0) * g->pitch;
}

/* Strengths of a row of n cells at pixels: d[2 x], d[2 x + 1] of the cell x, the first and last of which are not made. */
static IN_NOINLINE IN_UNUSED void px_grain_widen(const float *IN_RESTRICT v, int n, float *IN_RESTRICT d)
{
	for (int x = 1; x < n - 1; x++) {
		d[2 * x] = 0.75f * v[x] + 0.25f * v[x - 1];
		d[2 * x + 1] = 0.75f * v[x] + 0.25f * v[x + 1];
	}
}

/* Strengths of pixels of r, cell row by cell row. Worker's own. */
struct px_grain_devs {
	const struct grain_table *table;
	struct px_grain_lumas *lumas;
	size_t row;
	struct rect r, c;
	int made;                                /* the cell row after the last that is made */
	float *cell[3], *wide[3][3];             /* wide: of cell row y the one at y mod 3, by channel */
};

IN_INLINE size_t px_grain_dev_row(struct rect r) { return 2 * px_grain_cell_pitch(r); }
static IN_UNUSED size_t px_grain_dev_floats(const struct grain_table *t, struct rect r)
{ return (t->one ? 1 : 3) * (px_grain_cell_pitch(r) + 3 * px_grain_dev_row(r)) + 64; }

static IN_UNUSED void px_grain_devs_begin(struct px_grain_devs *g, const struct grain_table *t, struct rect r,
                                          struct px_grain_lumas *lumas, float *scratch)
{
	*g = (struct px_grain_devs){ .table = t, .lumas = lumas, .row = px_grain_dev_row(r), .r = r, .c = px_grain_cells(r) };
	g->made = g->c.y0;
	for (int k = 0; k < (t->one ? 1 : 3); k++) {
		g->cell[k] = scratch;
		scratch += px_grain_cell_pitch(r) + 16;
		for (int i = 0; i < 3; i++, scratch += g->row) g->wide[i][k] = scratch;
	}
}

IN_INLINE int px_grain_third(int y) { return ((y % 3) + 3) % 3; }

/* Of pixel row y of r, pixel r.x0 on: 0.75 near + 0.25 far of the channels. Rows are asked for in order. */
static IN_UNUSED void px_grain_devs_row(struct px_grain_devs *g, int y, const float *near[3], const float *far[3])
{
	int here = y >> 1, there = here + (y & 1 ? 1 : -1), lead = g->r.x0 - 2 * g->c.x0;
	for (; g->made <= here + 1; g->made++) {
		float **to = g->wide[px_grain_third(g->made)];
		px_grain_strength(g->table, px_grain_lumas_row(g->lumas, g->made), rect_w(g->c), g->cell);
		for (int k = 0; k < (g->table->one ? 1 : 3); k++) px_grain_widen(g->cell[k], rect_w(g->c), to[k]);
	}
	for (int k = 0; k < 3; k++) {
		near[k] = g->wide[px_grain_third(here)][g->table->one ? 0 : k] + lead;
		far[k] = g->wide[px_grain_third(there)][g->table->one ? 0 : k] + lead;
	}
}

#endif
