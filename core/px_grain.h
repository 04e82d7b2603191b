/* px_grain - a tile of grain of a given spectrum: Philox noise mixed to correlated channels, filtered by
 * sums of separable kernels, and added with a strength that depends on luma.
 *
 * White rows stand in a ring as high as the kernel; each output row is filtered down it first, then
 * across and added at once. Every output pixel is summed in one fixed order, whatever the tile.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRAIN_H
#define IN_PX_GRAIN_H

#include "px_blur.h"
#include "px_grain_rows.h"
#include "px_noise.h"

enum { GRAIN_TABLE_SIZE = 1024, GRAIN_LUMA_RADIUS = 4 };

/* One grain: fields of white noise (1 for all channels, or 3), mixed, filtered by kernels
 * of ranks terms. Threads: frozen. */
struct grain_layer {
	struct grain_shape *shape;               /* NULL where w holds the kernel; else w has what is not the shape's own */
	float *w;
	int radius, ranks, reach[3], terms[3], fields;       /* as in a shape */
	const float *u[3][GRAIN_RANKS], *v[3][GRAIN_RANKS];
	int lags; float lag[3][GRAIN_LAGS], still[3]; bool stills;
	float mix[3][3];
	struct grain_table table;
	bool own_luma;                           /* strength by each pixel's own luma */
	int stream;                              /* layers of one node draw different noise */
};

/* --- white rows --- */

/* The fields that make a frame's: the frame's own, those before it, one that never changes. */
struct px_grain_keys { struct px_noise_key key[GRAIN_LAGS + 1]; };

static IN_UNUSED void px_grain_keys(const struct grain_layer *l, uint32_t seed, uint64_t instance, int frame,
                                    struct px_grain_keys *k)
{
	for (int i = 0; i < l->lags; i++)
		k->key[i] = px_noise_key(seed, instance, (int)((uint32_t)frame - (uint32_t)i));
	k->key[GRAIN_LAGS] = px_noise_key(seed, instance, 0);
}

static IN_NOINLINE IN_UNUSED void px_grain_mixed(const float m[3][3], int n, float *IN_RESTRICT a,
                                                 float *IN_RESTRICT b, float *IN_RESTRICT d)
{
	const float k0 = m[2][0], k1 = m[2][1], k2 = m[2][2], m0 = m[1][0], m1 = m[1][1];
	for (int j = 0; j < n; j++) {
		float p = a[j], q = b[j];
		d[j] = k0 * p + k1 * q + k2 * d[j];
		b[j] = m0 * p + m1 * q;
	}
}

/* Correlated rows of n normal values from (x, y) on, from px_noise_skip(x) on, into white, one row
 * a field; words and more: px_noise_room(n) a field. */
static IN_UNUSED void px_grain_white(const struct grain_layer *l, struct px_grain_keys *k, int x,
                                     int y, int n, uint32_t *words, float *more,
                                     float *const *white)
{
	size_t room = px_noise_room(n);
	int end = px_noise_skip(x) + n;
	const int apart = 1 << 24;              /* pictures are far smaller */
	px_noise_rows(&k->key[0], l->fields, x + l->stream * apart, y, n, words, white);
	for (int i = 0; i < l->lags + l->stills && (l->lags > 1 || l->stills); i++) {
		bool still = i == l->lags;
		float *const rest[3] = { more, more + room, more + 2 * room };
		if (i)
			px_noise_rows(&k->key[still ? GRAIN_LAGS : i], l->fields,
			              x + (l->stream + (still ? 2 : 0)) * apart, y, n, words, rest);
		for (int c = 0; c < l->fields; c++) {
			float w = still ? l->still[c] : l->lag[c][i], *IN_RESTRICT to = white[c];
			const float *IN_RESTRICT from = rest[c];
			if (i == 0) for (int j = 0; j < end; j++) to[j] = w * to[j];
			else for (int j = 0; j < end; j++) to[j] += w * from[j];
		}
	}
	if (l->fields == 3) px_grain_mixed(l->mix, end, white[0], white[1], white[2]);
}

/* --- a tile --- */

IN_INLINE size_t px_grain_pitch(int w) { return ((size_t)w + 15) & ~(size_t)15; }

/* Floats that px_grain_tile takes for a tile of w pixels a row. */
static IN_UNUSED size_t px_grain_floats(const struct grain_layer *l, int w)
{
	size_t room = px_noise_room(w + 2 * l->radius), high = 2 * (size_t)l->radius + 2, fields = (size_t)l->fields;
	size_t more = l->lags > 1 || l->stills ? fields : 0;
	return (fields * (high + 1 + 2 * (size_t)l->ranks) + more) * room + 4 * px_grain_pitch(w) +
	       high * sizeof(float *) / sizeof(float) + 64;
}

/* Parts of the scratch. ring: the last high white rows of each field. Worker's own. */
struct px_grain_room {
	float *ring[3], *more, *term[3][2][GRAIN_RANKS], *dev[3], *luma;
	uint32_t *words;
	const float **rows;
	size_t room;
	int high, count;
};

static IN_UNUSED void px_grain_parts(const struct grain_layer *l, int w, float *scratch,
                                     struct px_grain_room *g)
{
	size_t row = px_grain_pitch(w), fields = (size_t)l->fields,
		room = g->room = px_noise_room(w + 2 * l->radius);
	g->high = 2 * l->radius + 2;
	g->count = 0;
	g->rows = (const float **)(void *)scratch;
	scratch += ((size_t)g->high * sizeof(float *) / sizeof(float) + 15) & ~(size_t)15;
	for (size_t c = 0; c < fields; c++, scratch += (size_t)g->high * room) g->ring[c] = scratch;
	g->words = (uint32_t *)(void *)scratch;
	scratch += fields * room;
	g->more = scratch;
	if (l->lags > 1 || l->stills) scratch += fields * room;
	for (size_t c = 0; c < fields; c++)
		for (int k = 0; k < 2 * l->ranks; k++, scratch += room) g->term[c][k & 1][k >> 1] = scratch;
	for (int c = 0; c < 3; c++, scratch += row) g->dev[c] = scratch;
	g->luma = scratch;
}

/* White rows of every field until there are count, the first of them radius above r. */
IN_INLINE void px_grain_more(const struct grain_layer *l, struct px_grain_keys *keys, struct px_grain_room *g,
                             struct rect r, int count)
{
	for (; g->count < count; g->count++) {
		float *white[3] = { NULL, NULL, NULL };
		for (int c = 0; c < l->fields; c++) white[c] = g->ring[c] + (size_t)(g->count % g->high) * g->room;
		px_grain_white(l, keys, r.x0 - l->radius, r.y0 - l->radius + g->count, rect_w(r) + 2 * l->radius, g->words,
		               g->more, white);
	}
}

IN_INLINE void px_grain_luma_row(const float w[3], const float *IN_RESTRICT a, const float *IN_RESTRICT b,
                                 const float *IN_RESTRICT c, int n, float *IN_RESTRICT d)
{ for (int x = 0; x < n; x++) d[x] = w[0] * a[x] + w[1] * b[x] + w[2] * c[x]; }

/* Two rows of each field from row y of r on, filtered down. */
static IN_UNUSED void px_grain_terms(const struct grain_layer *l, struct px_grain_room *g,
                                     struct rect r, int y)
{
	int begin = px_noise_skip(r.x0 - l->radius) + l->radius;
	for (int c = 0; c < l->fields; c++) {
		int rad = l->reach[c], skip = begin - rad, from = skip & ~(IN_LANES - 1);
		int at = (y - r.y0 + l->radius - rad) % g->high;
		float *down[2][GRAIN_RANKS];
		for (int i = 0; i < 2 * rad + 2; i++, at = at + 1 < g->high ? at + 1 : 0)
			g->rows[i] = g->ring[c] + (size_t)at * g->room + from;
		for (int k = 0; k < l->terms[c]; k++)
			down[0][k] = g->term[c][0][k] + from, down[1][k] = g->term[c][1][k] + from;
		px_grain_down(l->terms[c], rad, l->u[c], g->rows, skip - from + rect_w(r) + 2 * rad, down[0], down[1]);
	}
}

/* Row y of r: row which of the terms across, times its strengths. luma: of the row. */
static IN_UNUSED void px_grain_row(const struct grain_layer *l, struct px_grain_room *g,
                                   struct rect r, int y, int which, const float *luma,
                                   const struct view *in, const struct view *out)
{
	int begin = px_noise_skip(r.x0 - l->radius) + l->radius;
	px_grain_strength(&l->table, luma, rect_w(r), g->dev);
	for (int c = 0; c < l->fields; c++) {
		struct px_grain_sink to = { .m = l->fields == 1 ? 3 : 1 };
		const float *term[GRAIN_RANKS];
		for (int k = 0; k < l->terms[c]; k++) term[k] = g->term[c][which][k] + begin;
		for (int j = 0; j < to.m; j++) {
			to.in[j] = view_at(in, c + j, r.x0, y);
			to.out[j] = view_at(out, c + j, r.x0, y);
			to.dev[j] = g->dev[l->table.one ? 0 : c + j];
		}
		px_grain_across(l->terms[c], l->reach[c], l->v[c], term, rect_w(r), &to);
	}
}

/* Rect r of out: that of in with the grain added. luma: its rows, pitch apart,
 * unless the layer takes the pixels' own, by weights; scratch holds px_grain_floats.
 * in may be out. -1 when cancelled. */
static IN_UNUSED int px_grain_tile(const struct grain_layer *l, struct px_grain_keys *keys,
                                   struct rect r, const float *luma, size_t pitch,
                                   const float weights[3], const struct view *in,
                                   const struct view *out, float *scratch, const atomic_int *cancel)
{
	struct px_grain_room g;
	px_grain_parts(l, rect_w(r), scratch, &g);
	for (int y = r.y0; y < r.y1; y++) {
		int which = (y - r.y0) & 1, left = r.y1 - y > 1 ? 2 : 1;
		for (int c = 0; c < 3 && y + PX_AHEAD < r.y1; c++)
			px_fetch_apart(view_at(out, c, r.x0, y + PX_AHEAD), out->stride, rect_w(r), 1);
		if (!which) {
			px_grain_more(l, keys, &g, r, y - r.y0 + 2 * l->radius + left);
			px_grain_terms(l, &g, r, y);
		}
		if (l->own_luma)
			px_grain_luma_row(weights, view_at(in, 0, r.x0, y), view_at(in, 1, r.x0, y), view_at(in, 2, r.x0, y),
			                  rect_w(r), g.luma);
		px_grain_row(l, &g, r, y, which, l->own_luma ? g.luma : luma + (size_t)(y - r.y0) * pitch, in, out);
		if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return -1;
	}
	return 0;
}

/* --- luma of the clean picture, low-passed so that its own texture does not modulate the grain --- */

IN_INLINE struct rect px_grain_around(struct rect r, struct rect data)
{ return rect_and(rect_grow(r, GRAIN_LUMA_RADIUS, GRAIN_LUMA_RADIUS), data); }

/* Pixels a row of luma: those around it, and what vectors write beyond. */
IN_INLINE size_t px_grain_line(int w) { return ((size_t)w + 2 * GRAIN_LUMA_RADIUS + 79) & ~(size_t)15; }

static IN_UNUSED size_t px_grain_luma_floats(struct rect r)
{ return px_grain_line(rect_w(r)) * ((size_t)rect_h(r) + 2 * GRAIN_LUMA_RADIUS + 2); }

/* Row y of luma, GRAIN_LUMA_RADIUS more on each side of r; what lies beyond the picture is its edge. */
static IN_UNUSED void px_grain_luma_line(const struct view *in, struct rect have, struct rect r,
                                         int y, const float w[3], float *d)
{
	int first = have.x0 - (r.x0 - GRAIN_LUMA_RADIUS), end = first + rect_w(have);
	px_grain_luma_row(w, view_at(in, 0, have.x0, y), view_at(in, 1, have.x0, y),
	                  view_at(in, 2, have.x0, y), end - first, d + first);
	for (int x = 0; x < first; x++) d[x] = d[first];
	for (int x = end; x < rect_w(r) + 2 * GRAIN_LUMA_RADIUS; x++) d[x] = d[end - 1];
}

/* Rows of luma (weights w) of rect r, pitch apart; kernel[0..GRAIN_LUMA_RADIUS]. */
static IN_UNUSED int px_grain_luma(const struct view *in, struct rect data, struct rect r, const float w[3],
                                   const float *kernel, float *luma, size_t pitch, float *scratch,
                                   const atomic_int *cancel)
{
	struct rect have = px_grain_around(r, data);
	int n = rect_w(r);
	size_t line = px_grain_line(n);
	float *down = scratch, *next = scratch + line, *rows = scratch + 2 * line;
	for (int y = have.y0; y < have.y1; y++) {
		px_grain_luma_line(in, have, r, y, w, rows + (size_t)(y - have.y0) * line);
		if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return -1;
	}
	for (int y = r.y0; y < r.y1; y += 2) {
		const float *p[2 * GRAIN_LUMA_RADIUS + 2];
		for (int i = 0; i < 2 * GRAIN_LUMA_RADIUS + 2; i++) {
			int at = y + i - GRAIN_LUMA_RADIUS;
			at = at < have.y0 ? have.y0 : at < have.y1 ? at : have.y1 - 1;
			p[i] = rows + (size_t)(at - have.y0) * line;
		}
		px_grain_down(1, GRAIN_LUMA_RADIUS, &kernel, p, n + 2 * GRAIN_LUMA_RADIUS, &down, &next);
		px_blur_across(GRAIN_LUMA_RADIUS, kernel, down + GRAIN_LUMA_RADIUS, n, luma + (size_t)(y - r.y0) * pitch);
		if (y + 1 < r.y1)
			px_blur_across(GRAIN_LUMA_RADIUS, kernel, next + GRAIN_LUMA_RADIUS, n,
			               luma + (size_t)(y + 1 - r.y0) * pitch);
	}
	return 0;
}

#endif
