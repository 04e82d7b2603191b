/* px_grain - a tile of Gaussian grain: Philox noise mixed to correlated channels, filtered by a separable
 * kernel, and added with a strength that depends on luma.
 *
 * White rows stand in a ring as high as the kernel; each output row is filtered down it first, then
 * across and added at once. Every output pixel is summed in one fixed order, whatever the tile.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRAIN_H
#define IN_PX_GRAIN_H

#include <stdatomic.h>

#include "px_fetch.h"
#include "px_grain_cells.h"
#include "px_grain_rows.h"
#include "px_grain_strength.h"
#include "px_noise.h"

/* One grain: fields of white noise (1 for all channels, or 3), mixed, filtered by a
 * kernel down and across, as strong as each pixel's own luma says. Threads: frozen. */
struct grain_layer {
	float *w;                                /* the kernel from its middle on: radius + 1 weights */
	int radius, fields;
	int shift, taps, before; float *phases;  /* where shift is not 0: px_grain_lattice.h */
	float mix[3][3];
	struct grain_table table;
};

/* --- white rows --- */

/* As px_noise_normal, three rows of n words each, room apart, mixed by m. */
static IN_NOINLINE IN_UNUSED void px_grain_mixed(const float m[3][3], const uint32_t *IN_RESTRICT words, size_t room, int n,
                                                 float *IN_RESTRICT a, float *IN_RESTRICT b, float *IN_RESTRICT d)
{
	const float k0 = m[2][0], k1 = m[2][1], k2 = m[2][2], m0 = m[1][0], m1 = m[1][1];
	for (int x = 0; x < n; x += PX_NOISE_TURN)
		for (int i = 0; i < PX_NOISE_TURN; i += IN_LANES) {
			px_noise_w w[3];
			vnf p[3], q[3];
			for (int c = 0; c < 3; c++) w[c] = *(const px_noise_w *)(words + (size_t)c * room + x + i);
			px_noise_pairs(3, w, 1, p, q);
			px_noise_put(a + 2 * x, i, p[0], q[0]);
			px_noise_put(b + 2 * x, i, m0 * p[0] + m1 * p[1], m0 * q[0] + m1 * q[1]);
			px_noise_put(d + 2 * x, i, k0 * p[0] + k1 * p[1] + k2 * p[2], k0 * q[0] + k1 * q[1] + k2 * q[2]);
		}
}

/* Correlated rows of n normal values from (x, y) on, from px_noise_skip(x) on, into white, one row
 * a field; words: px_noise_room(n) a field. */
static IN_UNUSED void px_grain_white(const struct grain_layer *l, struct px_noise_key *k, int x,
                                     int y, int n, uint32_t *words, float *const *white)
{
	if (l->fields != 3) {
		px_noise_rows(k, l->fields, x, y, n, words, white);
		return;
	}
	int count = px_noise_words(k, PX_NOISE_CHANNELS, x, y, n, words);
	px_grain_mixed(l->mix, words, px_noise_room(n), count, white[0], white[1], white[2]);
}

/* --- a tile --- */

/* Rows of a picture that grain is added to. past: out goes past the caches, its NaNs canonical. in may be out. */
struct px_grain_to { const struct view *in, *out; bool past; };

/* Luma of a row from (x, y) on. Is there a NaN among the channels? Then there is one in the luma. */
static IN_NOINLINE IN_UNUSED bool px_grain_luma_at(const struct px_grain_to *t, const float w[3], int x, int y, int n,
                                                   float *IN_RESTRICT luma)
{
	typedef int lanes __attribute__((vector_size(sizeof(vnf))));
	const float *a = view_at(t->in, 0, x, y), *b = view_at(t->in, 1, x, y), *c = view_at(t->in, 2, x, y);
	const float wa = w[0], wb = w[1], wc = w[2];
	lanes odd = { 0 };
	bool any = false;
	int i = 0;
	for (; i + IN_LANES <= n; i += IN_LANES) {
		vnf v = wa * GRAIN_VNF(a + i, 0) + wb * GRAIN_VNF(b + i, 0) + wc * GRAIN_VNF(c + i, 0);
		odd |= v != v;
		*(vnf *)(luma + i) = v;
	}
	for (int k = 0; k < IN_LANES; k++) any |= odd[k] != 0;
	for (; i < n; i++) {
		luma[i] = wa * a[i] + wb * b[i] + wc * c[i];
		any |= luma[i] != luma[i];
	}
	return t->past && any;
}

/* Before a row is made: asks for lines of one further on. */
static IN_UNUSED void px_grain_ahead(const struct px_grain_to *t, struct rect r, int y)
{
	for (int c = 0; c < 3 && !t->past && y + PX_AHEAD < r.y1; c++)
		px_fetch_apart(view_at(t->out, c, r.x0, y + PX_AHEAD), t->out->stride, rect_w(r), 1);
}

/* After it: NaNs of a row that has some. */
static IN_UNUSED void px_grain_canon(const struct px_grain_to *t, struct rect r, int y)
{
	for (int c = 0; c < 3; c++) px_canon_row(view_at(t->out, c, r.x0, y), rect_w(r));
}

IN_INLINE size_t px_grain_pitch(int w) { return ((size_t)w + 15) & ~(size_t)15; }

/* Floats that px_grain_tile takes for a tile of w pixels a row. */
static IN_UNUSED size_t px_grain_floats(const struct grain_layer *l, int w)
{
	size_t room = px_noise_room(w + 2 * l->radius), high = 2 * (size_t)l->radius + 2, fields = (size_t)l->fields;
	return fields * (high + 3) * room + 4 * px_grain_pitch(w) +
	       high * sizeof(float *) / sizeof(float) + 64;
}

/* Parts of the scratch. ring: the last high white rows of each field. Worker's own. */
struct px_grain_room {
	float *ring[3], *down[3][2], *dev[3], *luma;
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
	for (size_t c = 0; c < fields; c++)
		for (int k = 0; k < 2; k++, scratch += room) g->down[c][k] = scratch;
	for (int c = 0; c < 3; c++, scratch += row) g->dev[c] = scratch;
	g->luma = scratch;
}

/* White rows of every field until there are count, the first of them radius above r. */
IN_INLINE void px_grain_more(const struct grain_layer *l, struct px_noise_key *key, struct px_grain_room *g,
                             struct rect r, int count)
{
	for (; g->count < count; g->count++) {
		float *white[3] = { NULL, NULL, NULL };
		for (int c = 0; c < l->fields; c++) white[c] = g->ring[c] + (size_t)(g->count % g->high) * g->room;
		px_grain_white(l, key, r.x0 - l->radius, r.y0 - l->radius + g->count, rect_w(r) + 2 * l->radius, g->words,
		               white);
	}
}

/* Two rows of each field from row y of r on, filtered down. */
static IN_UNUSED void px_grain_downs(const struct grain_layer *l, struct px_grain_room *g,
                                     struct rect r, int y)
{
	int skip = px_noise_skip(r.x0 - l->radius), from = skip & ~(IN_LANES - 1);
	for (int c = 0; c < l->fields; c++) {
		int at = (y - r.y0) % g->high;
		for (int i = 0; i < 2 * l->radius + 2; i++, at = at + 1 < g->high ? at + 1 : 0)
			g->rows[i] = g->ring[c] + (size_t)at * g->room + from;
		px_grain_down(l->radius, l->w, g->rows, skip - from + rect_w(r) + 2 * l->radius, g->down[c][0] + from,
		              g->down[c][1] + from);
	}
}

/* Row y of r: row which of those across, times its strengths. luma: of the row. */
static IN_UNUSED void px_grain_row(const struct grain_layer *l, struct px_grain_room *g, struct rect r, int y, int which,
                                   const struct px_grain_to *t)
{
	int begin = px_noise_skip(r.x0 - l->radius) + l->radius;
	px_grain_strength(&l->table, g->luma, rect_w(r), g->dev);
	for (int c = 0; c < l->fields; c++) {
		struct px_grain_sink to = { .m = l->fields == 1 ? 3 : 1, .past = t->past };
		for (int j = 0; j < to.m; j++) {
			to.in[j] = view_at(t->in, c + j, r.x0, y);
			to.out[j] = view_at(t->out, c + j, r.x0, y);
			to.dev[j] = g->dev[l->table.one ? 0 : c + j];
			to.past = to.past && px_past_fits(to.out[j]);
		}
		px_grain_across(l->radius, l->w, g->down[c][which] + begin, rect_w(r), &to);
	}
}

/* Rect r of out: that of in with the grain added, by the luma of those weights; scratch holds px_grain_floats.
 * -1 when cancelled. */
static IN_UNUSED int px_grain_tile(const struct grain_layer *l, struct px_noise_key *key, struct rect r,
                                   const float weights[3], const struct px_grain_to *t, float *scratch,
                                   const atomic_int *cancel)
{
	struct px_grain_room g;
	px_grain_parts(l, rect_w(r), scratch, &g);
	for (int y = r.y0; y < r.y1; y++) {
		int which = (y - r.y0) & 1, left = r.y1 - y > 1 ? 2 : 1;
		px_grain_ahead(t, r, y);
		if (!which) {
			px_grain_more(l, key, &g, r, y - r.y0 + 2 * l->radius + left);
			px_grain_downs(l, &g, r, y);
		}
		bool odd = px_grain_luma_at(t, weights, r.x0, y, rect_w(r), g.luma);
		px_grain_row(l, &g, r, y, which, t);
		if (odd) px_grain_canon(t, r, y);
		if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return -1;
	}
	if (t->past) px_past_done();
	return 0;
}

#endif
