/* px_grain - a tile of grain of a given spectrum: Philox noise mixed to correlated channels, filtered by
 * sums of separable kernels, and added with a strength that depends on luma.
 *
 * White rows stand in a ring as high as the kernel; each output row is filtered down it first, then across and added
 * at once. Every output pixel is summed in one fixed order, whatever the tile.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRAIN_H
#define IN_PX_GRAIN_H

#include "px_blur.h"
#include "px_grain_rows.h"
#include "px_noise.h"

enum { GRAIN_TABLE_SIZE = 1024, GRAIN_LUMA_RADIUS = 4 };

/* One grain: fields of white noise (1 for all channels, or 3), mixed, filtered by kernels of ranks terms. Threads:
 * frozen. */
struct grain_layer {
	struct grain_shape *shape;               /* NULL where w holds the kernel */
	float *w;
	int radius, ranks, fields;
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
	for (int i = 0; i < l->lags; i++) k->key[i] = px_noise_key(seed, instance, (int)((uint32_t)frame - (uint32_t)i));
	k->key[GRAIN_LAGS] = px_noise_key(seed, instance, 0);
}

static IN_NOINLINE IN_UNUSED void px_grain_mixed(const float m[3][3], int n, float *IN_RESTRICT a, float *IN_RESTRICT b,
                                                 float *IN_RESTRICT d)
{
	const float k0 = m[2][0], k1 = m[2][1], k2 = m[2][2], m0 = m[1][0], m1 = m[1][1];
	for (int j = 0; j < n; j++) {
		float p = a[j], q = b[j];
		d[j] = k0 * p + k1 * q + k2 * d[j];
		b[j] = m0 * p + m1 * q;
	}
}

/* Correlated rows of n normal values from (x, y) on, from px_noise_skip(x) on, into white, one row a field; words
 * and more: px_noise_room(n) a field. */
static IN_UNUSED void px_grain_white(const struct grain_layer *l, struct px_grain_keys *k, int x, int y, int n,
                                     uint32_t *words, float *more, float *const *white)
{
	size_t room = px_noise_room(n);
	int end = px_noise_skip(x) + n;
	const int apart = 1 << 24;              /* pictures are far smaller */
	px_noise_rows(&k->key[0], l->fields, x + l->stream * apart, y, n, words, white);
	for (int i = 0; i < l->lags + l->stills && (l->lags > 1 || l->stills); i++) {
		bool still = i == l->lags;
		float *const rest[3] = { more, more + room, more + 2 * room };
		if (i) px_noise_rows(&k->key[still ? GRAIN_LAGS : i], l->fields, x + (l->stream + (still ? 2 : 0)) * apart, y, n,
		                     words, rest);
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
	size_t room = px_noise_room(w + 2 * l->radius), high = 2 * (size_t)l->radius + 1, fields = (size_t)l->fields;
	size_t more = l->lags > 1 || l->stills ? fields : 0;
	return (fields * high + fields + more + (size_t)l->ranks) * room + 4 * px_grain_pitch(w) +
	       (high + 1) * sizeof(float *) / sizeof(float) + 64;
}

/* Parts of the scratch. Worker's own. */
struct px_grain_room {
	float *ring[3], *more, *term[GRAIN_RANKS], *dev[3], *luma;
	uint32_t *words;
	const float **rows;
	size_t room;
	int newest;
};

static IN_UNUSED void px_grain_parts(const struct grain_layer *l, int w, float *scratch, struct px_grain_room *g)
{
	size_t high = 2 * (size_t)l->radius + 1, row = px_grain_pitch(w), fields = (size_t)l->fields;
	size_t room = g->room = px_noise_room(w + 2 * l->radius);
	g->rows = (const float **)(void *)scratch;
	scratch += ((high + 1) * sizeof(float *) / sizeof(float) + 15) & ~(size_t)15;
	for (size_t c = 0; c < fields; c++, scratch += high * room) g->ring[c] = scratch;
	g->words = (uint32_t *)(void *)scratch;
	scratch += fields * room;
	g->more = scratch;
	if (l->lags > 1 || l->stills) scratch += fields * room;
	for (int k = 0; k < l->ranks; k++, scratch += room) g->term[k] = scratch;
	for (int c = 0; c < 3; c++, scratch += row) g->dev[c] = scratch;
	g->luma = scratch;
	g->newest = -1;
}

/* The next white row of every field, below those there are. */
IN_INLINE void px_grain_next(const struct grain_layer *l, struct px_grain_keys *keys, struct px_grain_room *g, int x,
                             int y, int n)
{
	float *white[3] = { NULL, NULL, NULL };
	g->newest = g->newest < 2 * l->radius ? g->newest + 1 : 0;
	for (int c = 0; c < l->fields; c++) white[c] = g->ring[c] + (size_t)g->newest * g->room;
	px_grain_white(l, keys, x, y, n, g->words, g->more, white);
}

IN_INLINE void px_grain_luma_row(const float w[3], const float *IN_RESTRICT a, const float *IN_RESTRICT b,
                                 const float *IN_RESTRICT c, int n, float *IN_RESTRICT d)
{ for (int x = 0; x < n; x++) d[x] = w[0] * a[x] + w[1] * b[x] + w[2] * c[x]; }

/* Row y of r: the fields' rows around it, filtered, times their strengths. luma: of the row. */
static IN_UNUSED void px_grain_row(const struct grain_layer *l, struct px_grain_room *g, struct rect r, int y,
                                   const float *luma, const struct view *in, const struct view *out)
{
	int w = rect_w(r), rad = l->radius, high = 2 * rad + 1, skip = px_noise_skip(r.x0 - rad), from = skip & ~(IN_LANES - 1);
	px_grain_strength(&l->table, luma, w, g->dev);
	for (int c = 0; c < l->fields; c++) {
		struct px_grain_sink to = { .m = l->fields == 1 ? 3 : 1 };
		const float *term[GRAIN_RANKS];
		float *down[GRAIN_RANKS];
		for (int i = 0, at = g->newest < 2 * rad ? g->newest + 1 : 0; i < high; i++, at = at < 2 * rad ? at + 1 : 0)
			g->rows[i] = g->ring[c] + (size_t)at * g->room + from;
		for (int k = 0; k < l->ranks; k++) down[k] = g->term[k] + from, term[k] = g->term[k] + skip + rad;
		px_grain_down(l->ranks, rad, l->u[c], g->rows, skip - from + w + 2 * rad, down);
		for (int j = 0; j < to.m; j++) {
			to.in[j] = view_at(in, c + j, r.x0, y);
			to.out[j] = view_at(out, c + j, r.x0, y);
			to.dev[j] = g->dev[l->table.one ? 0 : c + j];
		}
		px_grain_across(l->ranks, rad, l->v[c], term, w, &to);
	}
}

/* Rect r of out: that of in with the grain added. luma: its rows, pitch apart, unless the layer takes the pixels' own,
 * by weights; scratch holds px_grain_floats. in may be out. -1 when cancelled. */
static IN_UNUSED int px_grain_tile(const struct grain_layer *l, struct px_grain_keys *keys, struct rect r,
                                   const float *luma, size_t pitch, const float weights[3], const struct view *in,
                                   const struct view *out, float *scratch, const atomic_int *cancel)
{
	struct px_grain_room g;
	int w = rect_w(r), rad = l->radius;
	px_grain_parts(l, w, scratch, &g);
	for (int y = r.y0 - rad; y < r.y1 + rad; y++) {
		px_grain_next(l, keys, &g, r.x0 - rad, y, w + 2 * rad);
		if (y < r.y0 + rad) continue;
		if (l->own_luma)
			px_grain_luma_row(weights, view_at(in, 0, r.x0, y - rad), view_at(in, 1, r.x0, y - rad),
			                  view_at(in, 2, r.x0, y - rad), w, g.luma);
		px_grain_row(l, &g, r, y - rad, l->own_luma ? g.luma : luma + (size_t)(y - rad - r.y0) * pitch, in, out);
		if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return -1;
	}
	return 0;
}

/* --- luma of the clean picture, low-passed so that its own texture does not modulate the grain --- */

IN_INLINE struct rect px_grain_around(struct rect r, struct rect data)
{ return rect_and(rect_grow(r, GRAIN_LUMA_RADIUS, GRAIN_LUMA_RADIUS), data); }

static IN_UNUSED size_t px_grain_luma_floats(struct rect r)
{
	int w = rect_w(r) + 2 * GRAIN_LUMA_RADIUS, h = rect_h(r) + 2 * GRAIN_LUMA_RADIUS;
	return px_grain_pitch(w) * (size_t)h + px_blur_floats(rect_w(r), h, w) + 64;
}

/* Rows of luma (weights w) of rect r, pitch apart; kernel[0..GRAIN_LUMA_RADIUS]. */
static IN_UNUSED int px_grain_luma(const struct view *in, struct rect data, struct rect r, const float w[3],
                                   const float *kernel, float *luma, size_t pitch, float *scratch,
                                   const atomic_int *cancel)
{
	struct rect have = px_grain_around(r, data);
	struct px_kernel k = { GRAIN_LUMA_RADIUS, kernel };
	int n = rect_w(have);
	struct view raw = { have, (ptrdiff_t)px_grain_pitch(n), 1, { scratch } };
	struct view out = { r, (ptrdiff_t)pitch, 1, { luma } };
	for (int y = have.y0; y < have.y1; y++) {
		const float *a = view_at(in, 0, have.x0, y), *b = view_at(in, 1, have.x0, y), *c = view_at(in, 2, have.x0, y);
		float *d = view_at(&raw, 0, have.x0, y);
		px_grain_luma_row(w, a, b, c, n, d);
	}
	scratch += px_grain_pitch(n) * (size_t)rect_h(have);
	return px_blur(&k, &k, EDGES_HOLD, &raw, &out, r, have, data, scratch, cancel);
}

#endif
