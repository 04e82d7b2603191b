/* px_grain_shaped - a tile of grain of a profile: Philox noise mixed to correlated channels, filtered by
 * sums of separable kernels in fixed point, and added with a strength that depends on luma.
 *
 * White rows stand in a ring as high as the kernel; each output row is filtered down it first, then
 * across and added at once. Every output pixel is made in one order, whatever the tile.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRAIN_SHAPED_H
#define IN_PX_GRAIN_SHAPED_H

#include "px_fetch.h"
#include "px_grain.h"
#include "px_grain_cells.h"
#include "px_grain_fixed.h"

/* The grain of a profile: fields of white noise (1 for all channels, or 3), mixed, filtered by kernels of
 * terms. u: down, v: across, factors of px_grain_factor. Threads: frozen. */
struct grain_shaped {
	struct grain_shape *shape;
	int32_t *taps;                           /* what u and v point into */
	const int32_t *u[3][GRAIN_RANKS], *v[3][GRAIN_RANKS];
	int radius, ranks, reach[3], terms[3], fields;       /* as in a shape */
	int lags; int32_t lag[3][GRAIN_LAGS], still[3]; bool stills;
	int32_t mix[3][3];
	float gain[3];                           /* what a unit of the field is times the table */
	struct grain_table table;
	int stream;                              /* layers of one node draw different noise */
};

/* The fields that make a frame's: the frame's own, those before it, one that never changes. */
struct px_shaped_keys { struct px_noise_key key[GRAIN_LAGS + 1]; };

static IN_UNUSED void px_shaped_keys(const struct grain_shaped *l, uint32_t seed, uint64_t instance, int frame,
                                     struct px_shaped_keys *k)
{
	for (int i = 0; i < l->lags; i++)
		k->key[i] = px_noise_key(seed, instance, (int)((uint32_t)frame - (uint32_t)i));
	k->key[GRAIN_LAGS] = px_noise_key(seed, instance, 0);
}

/* Parts of the scratch. ring: the last high white rows of each field. Worker's own. */
struct px_shaped_room {
	int16_t *ring[3], *more[3], *term[3][2][GRAIN_RANKS], *sum[3];
	const int16_t **rows;
	uint32_t *words;
	size_t room;                             /* values a row */
	int high, count, n;
};

/* Values a row: those of vectors that begin before the last pixel, too. */
IN_INLINE size_t px_shaped_values(int w) { return px_noise_room(w) + (GRAIN_SPAN + 1) * GRAIN_SHORTS; }

/* Floats that px_shaped_tile takes for a tile of w pixels a row, beside the strengths'. */
static IN_UNUSED size_t px_shaped_floats(const struct grain_shaped *l, int w)
{
	size_t room = px_shaped_values(w + 2 * l->radius), high = 2 * (size_t)l->radius + 2, fields = (size_t)l->fields;
	size_t rows = fields * (high + 2 * (size_t)l->ranks + (l->lags > 1 || l->stills) + 1);
	return rows * room / 2 + fields * px_noise_room(w + 2 * l->radius) + high * sizeof(float *) / sizeof(float) + 64;
}

static IN_UNUSED void px_shaped_parts(const struct grain_shaped *l, int w, float *scratch, struct px_shaped_room *g)
{
	size_t room = g->room = px_shaped_values(w + 2 * l->radius), fields = (size_t)l->fields;
	g->n = w + 2 * l->radius;
	g->high = 2 * l->radius + 2;
	g->count = 0;
	g->words = (uint32_t *)(void *)scratch;
	scratch += fields * px_noise_room(g->n);
	g->rows = (const int16_t **)(void *)scratch;
	scratch += ((size_t)g->high * sizeof(float *) / sizeof(float) + 15) & ~(size_t)15;
	int16_t *p = (int16_t *)(void *)scratch;
	for (size_t c = 0; c < fields; c++, p += (size_t)g->high * room) g->ring[c] = p;
	for (size_t c = 0; c < fields && (l->lags > 1 || l->stills); c++, p += room) g->more[c] = p;
	for (size_t c = 0; c < fields; c++)
		for (int k = 0; k < 2 * l->ranks; k++, p += room) g->term[c][k & 1][k >> 1] = p;
	for (size_t c = 0; c < fields; c++, p += room) g->sum[c] = p;
}

static IN_UNUSED void px_shaped_noise(const struct grain_shaped *l, struct px_noise_key *key, int x, int y,
                                      struct px_shaped_room *g, int16_t *const *to)
{
	size_t room = px_noise_room(g->n);
	int count = l->fields == 1 ? px_noise_words(key, 1, x, y, g->n, g->words)
	          : px_noise_words(key, PX_NOISE_CHANNELS, x, y, g->n, g->words);
	for (int c = 0; c < l->fields; c++) px_grain_normal(g->words + (size_t)c * room, count, to[c]);
}

/* Correlated rows of normal values from (x, y) on, from px_noise_skip(x) on, into white, one a field. */
static IN_UNUSED void px_shaped_white(const struct grain_shaped *l, struct px_shaped_keys *k, int x, int y,
                                      struct px_shaped_room *g, int16_t *const *white)
{
	int end = px_noise_skip(x) + g->n;
	const int apart = 1 << 24;              /* pictures are far smaller */
	px_shaped_noise(l, &k->key[0], x + l->stream * apart, y, g, white);
	for (int i = 0; i < l->lags + l->stills && (l->lags > 1 || l->stills); i++) {
		bool still = i == l->lags;
		if (i)
			px_shaped_noise(l, &k->key[still ? GRAIN_LAGS : i], x + (l->stream + (still ? 2 : 0)) * apart, y, g,
			                g->more);
		for (int c = 0; c < l->fields; c++)
			px_grain_weigh(white[c], i ? g->more[c] : NULL, still ? l->still[c] : l->lag[c][i], end);
	}
	if (l->fields == 3) px_grain_blend(l->mix, end, white[0], white[1], white[2]);
}

/* White rows of every field until there are count, the first of them radius above r. */
IN_INLINE void px_shaped_more(const struct grain_shaped *l, struct px_shaped_keys *keys, struct px_shaped_room *g,
                              struct rect r, int count)
{
	for (; g->count < count; g->count++) {
		int16_t *white[3] = { NULL, NULL, NULL };
		for (int c = 0; c < l->fields; c++) white[c] = g->ring[c] + (size_t)(g->count % g->high) * g->room;
		px_shaped_white(l, keys, r.x0 - l->radius, r.y0 - l->radius + g->count, g, white);
	}
}

/* Two rows of each field from row y of r on, filtered down. */
static IN_UNUSED void px_shaped_terms(const struct grain_shaped *l, struct px_shaped_room *g, struct rect r, int y)
{
	int begin = px_noise_skip(r.x0 - l->radius) + l->radius;
	for (int c = 0; c < l->fields; c++) {
		int rad = l->reach[c], from = (begin - rad) & ~15, at = (y - r.y0 + l->radius - rad) % g->high;
		int16_t *down[2][GRAIN_RANKS];
		for (int i = 0; i < 2 * rad + 2; i++, at = at + 1 < g->high ? at + 1 : 0)
			g->rows[i] = g->ring[c] + (size_t)at * g->room + from;
		for (int k = 0; k < l->terms[c]; k++)
			down[0][k] = g->term[c][0][k] + from, down[1][k] = g->term[c][1][k] + from;
		px_grain_fall(l->terms[c], rad, l->u[c], g->rows, begin + rect_w(r) + rad - from, down[0], down[1]);
	}
}

/* A row of n pixels of a field each and what it becomes: in + (0.75 near + 0.25 far) (gain field). in may be out. */
struct px_shaped_sink { const int16_t *field[3]; const float *near[3], *far[3], *in[3]; float *out[3], gain[3]; };

/* one: the strengths are those of the first channel; past: where rows fit they go past the caches. Is there a NaN? */
IN_INLINE bool px_shaped_put_of(const struct px_shaped_sink *to, int n, bool one, bool past)
{
	const struct px_shaped_sink t = *to;
	int x = 0;
	vni odd = { 0 };
	bool any = false;
	for (; x + 2 * IN_LANES <= n; x += 2 * IN_LANES) {
		vnf d[2] = { { 0 } };
		for (int c = 0; c < 3; c++)
			for (int b = 0; b < 2; b++) {
				int at = x + b * IN_LANES;
				vnf f = __builtin_convertvector(__builtin_convertvector(*(const vnh *)(t.field[c] + at), vni), vnf);
				if (c == 0 || !one)
					d[b] = 0.75f * *(const vnf *)(t.near[c] + at) + 0.25f * *(const vnf *)(t.far[c] + at);
				vnf v = *(const vnf *)(t.in[c] + at) + d[b] * (t.gain[c] * f);
				if (past) odd |= v != v;
				px_past_or(t.out[c] + at, v, past);
			}
	}
	for (int i = 0; i < IN_LANES; i++) any |= odd[i] != 0;
	for (; x < n; x++)
		for (int c = 0; c < 3; c++) {
			float *d = t.out[c] + x;
			*d = t.in[c][x] + (0.75f * t.near[c][x] + 0.25f * t.far[c][x]) * (t.gain[c] * (float)t.field[c][x]);
			any |= *d != *d;
		}
	return any;
}

static IN_NOINLINE IN_UNUSED bool px_shaped_put(const struct px_shaped_sink *t, int n, bool one, bool past)
{
	if (!past) return px_shaped_put_of(t, n, false, false);
	return one ? px_shaped_put_of(t, n, true, true) : px_shaped_put_of(t, n, false, true);
}

/* Row y of r: row which of the terms across, times its strengths. */
static IN_UNUSED void px_shaped_row(const struct grain_shaped *l, struct px_shaped_room *g, struct px_grain_devs *devs,
                                    struct rect r, int y, int which, const struct px_grain_to *t)
{
	bool past = t->past;
	int begin = px_noise_skip(r.x0 - l->radius) + l->radius;
	struct px_shaped_sink to;
	px_grain_devs_row(devs, y, to.near, to.far);
	for (int c = 0; c < 3; c++) {
		const int16_t *term[GRAIN_RANKS];
		to.field[c] = g->sum[c < l->fields ? c : 0];
		to.gain[c] = l->gain[c];
		to.in[c] = view_at(t->in, c, r.x0, y);
		to.out[c] = view_at(t->out, c, r.x0, y);
		past = past && px_past_fits(to.out[c]);
		if (c >= l->fields) continue;
		for (int k = 0; k < l->ranks; k++) term[k] = g->term[c][which][k] + begin;
		px_grain_along(l->terms[c], l->reach[c], l->v[c], term, rect_w(r), g->sum[c]);
	}
	bool odd = px_shaped_put(&to, rect_w(r), l->table.one, past);
	if (t->past && (odd || !past)) px_grain_canon(t, r, y);
}

/* Rect r of out: that of in with the grain added. lumas: of r; scratch holds px_shaped_floats and
 * px_grain_dev_floats. -1 when cancelled. */
static IN_UNUSED int px_shaped_tile(const struct grain_shaped *l, struct px_shaped_keys *keys, struct rect r,
                                    struct px_grain_lumas *lumas, const struct px_grain_to *t, float *scratch, const atomic_int *cancel)
{
	struct px_shaped_room g;
	struct px_grain_devs devs;
	px_grain_devs_begin(&devs, &l->table, r, lumas, scratch);
	px_shaped_parts(l, rect_w(r), scratch + ((px_grain_dev_floats(&l->table, r) + 15) & ~(size_t)15), &g);
	for (int y = r.y0; y < r.y1; y++) {
		int which = (y - r.y0) & 1, left = r.y1 - y > 1 ? 2 : 1;
		px_grain_ahead(t, r, y);
		if (!which) {
			px_shaped_more(l, keys, &g, r, y - r.y0 + 2 * l->radius + left);
			px_shaped_terms(l, &g, r, y);
		}
		px_shaped_row(l, &g, &devs, r, y, which, t);
		if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return -1;
	}
	if (t->past) px_past_done();
	return 0;
}

#endif
