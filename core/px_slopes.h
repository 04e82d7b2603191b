/* px_slopes - slopes of one picture against another around each pixel, by regression.
 *
 * Cells of 4 x 4 pixels, at multiples of 4 of the plane, hold sums of both pictures and, about the cell's own
 * means, of squares and products. Equal parts are joined two by two, with what their means differ by (Chan, Golub
 * and LeVeque 1979): nothing cancels where a picture is bright and flat. A window is 4 x 4 cells about a corner of
 * theirs; between corners slopes are linear. Beyond the pictures their edges are held. Every value is made in one
 * order, whatever the tile.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_SLOPES_H
#define IN_PX_SLOPES_H

#include <string.h>

#include "px_blur.h"

enum { SLOPES_CELL = 4, SLOPES_REACH = 8, SLOPES_PAD = 32 };

/* What windows of r read. */
IN_INLINE struct rect px_slopes_reads(struct rect r)
{
	const int d = SLOPES_REACH, m = SLOPES_CELL - 1;
	return rect_of((r.x0 & ~m) - d, (r.y0 & ~m) - d, ((r.x1 + m) & ~m) + d, ((r.y1 + m) & ~m) + d);
}

/* Sums of b, a, b b and a b (the last two about the means) of a part, four parts in sixteen lanes. */
#if IN_LANES == 16
#define SLOPES_TWO(u, v, i, j, k, l) __builtin_shufflevector(u, v, i, j, k, l, SLOPES_AT(i, 1), SLOPES_AT(j, 1), \
	SLOPES_AT(k, 1), SLOPES_AT(l, 1), SLOPES_AT(i, 2), SLOPES_AT(j, 2), SLOPES_AT(k, 2), SLOPES_AT(l, 2), \
	SLOPES_AT(i, 3), SLOPES_AT(j, 3), SLOPES_AT(k, 3), SLOPES_AT(l, 3))
#define SLOPES_SPREAD(v, i) __builtin_shufflevector(v, v, i, i, i, i, i + 1, i + 1, i + 1, i + 1, i + 2, i + 2, i + 2, \
	i + 2, i + 3, i + 3, i + 3, i + 3)
#elif IN_LANES == 8
#define SLOPES_TWO(u, v, i, j, k, l) __builtin_shufflevector(u, v, i, j, k, l, SLOPES_AT(i, 1), SLOPES_AT(j, 1), \
	SLOPES_AT(k, 1), SLOPES_AT(l, 1))
#define SLOPES_SPREAD(v, i) __builtin_shufflevector(v, v, i, i, i, i, i + 1, i + 1, i + 1, i + 1)
#else
#define SLOPES_TWO(u, v, i, j, k, l) __builtin_shufflevector(u, v, i, j, k, l)
#define SLOPES_SPREAD(v, i) __builtin_shufflevector(v, v, i, i, i, i)
#endif
/* Lane i of four of the first vector, or IN_LANES + i of the second, in the four that is n further on. */
#define SLOPES_AT(i, n) ((i) + 4 * (n))
#define SLOPES_TURN(v, i, j, k, l) SLOPES_TWO(v, v, i, j, k, l)
#define SLOPES_V(p) (*(const vnf *)(const void *)(p))

/* Two parts of n pixels each; part: 1 / (2 n). */
IN_INLINE vnf px_slopes_join(vnf u, vnf v, float part)
{
	const vnf none = { 0 }, k = SLOPES_TWO(none, none + part, 0, 1, IN_LANES + 2, IN_LANES + 3);
	vnf d = u - v;
	return (u + v) + SLOPES_TURN(d, 0, 1, 0, 1) * SLOPES_TURN(d, 0, 0, 0, 0) * k;
}

/* Sums of four lanes in each of them. */
IN_INLINE vnf px_slopes_four(vnf v)
{
	v += SLOPES_TURN(v, 1, 0, 3, 2);
	return v + SLOPES_TURN(v, 2, 3, 0, 1);
}

/* The cells of columns x on of four rows of both pictures. */
IN_INLINE vnf px_slopes_cell(const float *const *b, const float *const *a, int x)
{
	vnf p[4], q[4], bb, ab;
	for (int i = 0; i < 4; i++) p[i] = SLOPES_V(b[i] + x), q[i] = SLOPES_V(a[i] + x);
	vnf sb = px_slopes_four((p[0] + p[1]) + (p[2] + p[3])), sa = px_slopes_four((q[0] + q[1]) + (q[2] + q[3]));
	for (int i = 0; i < 4; i++) {
		p[i] -= 0.0625f * sb;
		q[i] = p[i] * (q[i] - 0.0625f * sa);
		p[i] *= p[i];
	}
	bb = (p[0] + p[1]) + (p[2] + p[3]);
	ab = (q[0] + q[1]) + (q[2] + q[3]);
	bb = SLOPES_TWO(bb, ab, 0, IN_LANES, 1, IN_LANES + 1) + SLOPES_TWO(bb, ab, 2, IN_LANES + 2, 3, IN_LANES + 3);
	bb += SLOPES_TURN(bb, 2, 3, 0, 1);
	sb = SLOPES_TWO(sb, sa, 0, IN_LANES + 1, 0, IN_LANES + 1);
	return SLOPES_TWO(sb, bb, 0, 1, IN_LANES + 2, IN_LANES + 3);
}

/* A row of cells, n floats of them, at least IN_LANES; its pairs with those above, and what four rows are. The last
 * vector begins where it ends with the row. */
static IN_NOINLINE IN_UNUSED void px_slopes_down(const float *const *rows, int n, const float *above, const float *pairs,
                                                 float *IN_RESTRICT cell, float *IN_RESTRICT pair, float *IN_RESTRICT down)
{
	const float *b[4], *a[4];
	for (int i = 0; i < 4; i++) b[i] = rows[i], a[i] = rows[4 + i];
	for (int x = 0; x < n; x += IN_LANES) {
		int at = x < n - IN_LANES ? x : n - IN_LANES;
		vnf c = px_slopes_cell(b, a, at), two = px_slopes_join(SLOPES_V(above + at), c, 1.0f / 32);
		*(vnf *)(void *)(cell + at) = c;
		*(vnf *)(void *)(pair + at) = two;
		*(vnf *)(void *)(down + at) = px_slopes_join(SLOPES_V(pairs + at), two, 1.0f / 64);
	}
}

/* Windows of n floats, from four rows of cells. two: of as many; all may be written up to a vector beyond. */
static IN_NOINLINE IN_UNUSED void px_slopes_windows(const float *IN_RESTRICT down, int n, float *IN_RESTRICT two,
                                                    float *IN_RESTRICT to)
{
	for (int x = 0; x < n + 8; x += IN_LANES)
		*(vnf *)(void *)(two + x) = px_slopes_join(SLOPES_V(down + x), SLOPES_V(down + x + 4), 1.0f / 128);
	for (int x = 0; x < n; x += IN_LANES)
		*(vnf *)(void *)(to + x) = px_slopes_join(SLOPES_V(two + x), SLOPES_V(two + x + 8), 1.0f / 256);
}

/* The slope where the picture says nothing about it, a variance below that of a gradient of 0.0006 a pixel, is what
 * keeps black and takes b to a. */
static IN_NOINLINE IN_UNUSED void px_slopes_of(const float *IN_RESTRICT w, int n, float *IN_RESTRICT j)
{
	const float k = 1.0f / 256, little = 8.85e-6f, most = 8.0f;
	for (int i = 0; i < n; i++) {
		float b = k * w[4 * i], a = k * w[4 * i + 1], var = k * w[4 * i + 2], cov = k * w[4 * i + 3];
		float flat = (a * b + 1e-4f) / (b * b + 1e-4f), v = (cov + little * flat) / (var + little);
		v = v > 0 ? v : 0;
		j[i] = v < most ? v : most;
	}
}

/* Slopes at corners, n of them, to those of pixels between; up to a vector beyond. */
static IN_NOINLINE IN_UNUSED void px_slopes_spread(const float *IN_RESTRICT j, int n, float *IN_RESTRICT to)
{
	vnf part;
	for (int i = 0; i < IN_LANES; i++) part[i] = 0.25f * (float)(i & 3) + 0.125f;
	for (int x = 0; x < n; x += IN_LANES / 4) {
		vnf v = SLOPES_V(j + x), u = SLOPES_SPREAD(v, 0), w = SLOPES_SPREAD(SLOPES_V(j + x + 1), 0);
		*(vnf *)(void *)(to + 4 * x) = u + part * (w - u);
	}
}

/* Of channel ch of a tile. row: of corner row y the one at y mod 2. Worker's own. */
struct px_slopes {
	const struct view *before, *after;
	int ch, cells, corners;                  /* rows of cells and of corners that are made, until */
	struct rect data, r, reads;
	float *line[8], *cell[2], *pair[3], *down, *two, *window, *corner, *row[2];
};

enum { SLOPES_LINES = 8, SLOPES_SUMS = 9, SLOPES_ROWS = 2 };

IN_INLINE size_t px_slopes_pitch(struct rect r)
{ return (((size_t)rect_w(px_slopes_reads(r)) + 15) & ~(size_t)15) + SLOPES_PAD; }
static IN_UNUSED size_t px_slopes_floats(struct rect r)
{ return (SLOPES_LINES + SLOPES_SUMS + SLOPES_ROWS) * px_slopes_pitch(r); }

/* r of pictures of data; scratch holds px_slopes_floats. */
static IN_UNUSED void px_slopes_begin(struct px_slopes *s, const struct view *before, const struct view *after, int ch,
                                      struct rect data, struct rect r, float *scratch)
{
	const size_t pitch = px_slopes_pitch(r);
	*s = (struct px_slopes){ .before = before, .after = after, .ch = ch, .data = data, .r = r,
		.reads = px_slopes_reads(r) };
	s->cells = s->reads.y0 / SLOPES_CELL;
	s->corners = s->cells + SLOPES_REACH / SLOPES_CELL;
	for (int i = 0; i < SLOPES_LINES; i++, scratch += pitch) s->line[i] = scratch;
	memset(scratch, 0, SLOPES_SUMS * pitch * sizeof *scratch);
	for (int i = 0; i < 2; i++, scratch += pitch) s->cell[i] = scratch;
	for (int i = 0; i < 3; i++, scratch += pitch) s->pair[i] = scratch;
	s->down = scratch;
	s->two = scratch + pitch;
	s->window = scratch + 2 * pitch;
	s->corner = scratch + 3 * pitch;
	s->row[0] = scratch + 4 * pitch;
	s->row[1] = scratch + 5 * pitch;
}

static IN_UNUSED void px_slopes_cells(struct px_slopes *s)
{
	const float *rows[SLOPES_LINES];
	int n = rect_w(s->reads), t = s->cells - s->reads.y0 / SLOPES_CELL;
	for (int i = 0; i < SLOPES_LINES; i++) {
		int y = px_edge(s->cells * SLOPES_CELL + (i & 3), s->data.y0, s->data.y1, EDGES_HOLD);
		rows[i] = px_blur_line(i < 4 ? s->before : s->after, s->ch, y, s->reads.x0, n, s->data, EDGES_HOLD, s->line[i]);
	}
	px_slopes_down(rows, n, s->cell[(t + 1) & 1], s->pair[(t + 1) % 3], s->cell[t & 1], s->pair[t % 3], s->down);
	s->cells++;
}

static IN_UNUSED void px_slopes_corners(struct px_slopes *s)
{
	int n = rect_w(s->reads) / SLOPES_CELL - 3;
	while (s->cells <= s->corners + 1) px_slopes_cells(s);
	px_slopes_windows(s->down, SLOPES_CELL * n, s->two, s->window);
	px_slopes_of(s->window, n, s->corner);
	px_slopes_spread(s->corner, n - 1, s->row[s->corners & 1]);
	s->corners++;
}

/* Of row y of the tile, from its first pixel on: near + part (far - near). Rows are asked for in order. Returns part. */
static IN_UNUSED float px_slopes_row(struct px_slopes *s, int y, const float **near, const float **far)
{
	int k = y >> 2, lead = s->r.x0 & (SLOPES_CELL - 1);
	while (s->corners <= k + 1) px_slopes_corners(s);
	*near = s->row[k & 1] + lead;
	*far = s->row[(k + 1) & 1] + lead;
	return 0.25f * (float)(y & 3) + 0.125f;
}

#endif
