/* px_grain_lattice - a tile of coarse Gaussian grain: white noise on a lattice of every second or fourth pixel each
 * way, spread by the same Gaussian.
 *
 * A Gaussian of a deviation of steps of the lattice or more passes nothing that such noise lacks: the mean
 * spectrum is the Gaussian's itself, variance differs between places by 2 exp(-(pi size / step)^2) at most,
 * 0.0001. Sums run over lattice rows from above, then over columns from the left, whatever the tile.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRAIN_LATTICE_H
#define IN_PX_GRAIN_LATTICE_H

#include "px_grain.h"

enum { GRAIN_STEP_MAX = 4, LATTICE_VECTORS = 8 };

/* log2 of the lattice's step for grain of that size. */
IN_INLINE int px_lattice_shift(double size) { return size >= 4 ? 2 : size >= 2 ? 1 : 0; }

/* Lattice places that weigh in at a pixel: as many before its own, and all of them. */
IN_INLINE int px_lattice_before(int radius, int shift) { return radius >> shift; }
IN_INLINE int px_lattice_taps(int radius, int shift)
{ return (radius >> shift) + 1 + ((radius + (1 << shift) - 1) >> shift); }

/* Weights of place k for the pixels p of a step, at k step + p: those of w at their distances, of mean variance 1. */
static IN_UNUSED void px_lattice_weights(const float *w, int radius, int shift, float *to)
{
	int step = 1 << shift, taps = px_lattice_taps(radius, shift), before = px_lattice_before(radius, shift);
	double unit = __builtin_sqrt((double)step);
	for (int k = 0; k < taps; k++)
		for (int p = 0; p < step; p++) {
			int d = p - (k - before) * step;
			d = d < 0 ? -d : d;
			to[k * step + p] = d <= radius ? (float)(unit * (double)w[d]) : 0.0f;
		}
}

/* --- rows --- */

#if IN_LANES == 16
#define VNF_LOWER(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define VNF_UPPER(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif IN_LANES == 8
#define VNF_LOWER(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define VNF_UPPER(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define VNF_LOWER(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define VNF_UPPER(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

/* Sums of LATTICE_VECTORS / step vectors of the rows s, from x on, for each pixel of a step. */
IN_INLINE void px_lattice_sums(int step, int taps, const float *w, const float *const *s, int x, vnf *acc)
{
	const int m = LATTICE_VECTORS / step;
	for (int i = 0; i < LATTICE_VECTORS; i++) acc[i] = (vnf){ 0 };
	for (int k = 0; k < taps; k++)
		for (int b = 0; b < m; b++) {
			vnf v = GRAIN_VNF(s[k] + x, b);
			for (int p = 0; p < step; p++) acc[p * m + b] += w[k * step + p] * v;
		}
}

/* d[p][x]: the rows s at pixel row p of a step. Up to LATTICE_VECTORS / step - 1 vectors beyond n. */
IN_INLINE void px_lattice_down_of(int step, int taps, const float *w, const float *const *s, int n, float *const *d)
{
	const int m = LATTICE_VECTORS / step;
	for (int x = 0; x < n; x += m * IN_LANES) {
		vnf acc[LATTICE_VECTORS];
		px_lattice_sums(step, taps, w, s, x, acc);
		for (int p = 0; p < step; p++)
			for (int b = 0; b < m; b++) *(vnf *)(d[p] + x + b * IN_LANES) = acc[p * m + b];
	}
}

/* Pixels of a row: d[step x + p] from places s[0] + x and on. */
IN_INLINE void px_lattice_across_of(int step, int taps, const float *w, const float *const *s, int n, float *d)
{
	const int m = LATTICE_VECTORS / step;
	for (int x = 0; x < n; x += m * IN_LANES) {
		vnf acc[LATTICE_VECTORS];
		px_lattice_sums(step, taps, w, s, x, acc);
		for (int b = 0; b < m; b++) {
			vnf *to = (vnf *)(d + step * (x + b * IN_LANES));
			if (step == 2) {
				to[0] = VNF_LOWER(acc[b], acc[m + b]);
				to[1] = VNF_UPPER(acc[b], acc[m + b]);
				continue;
			}
			vnf e = VNF_LOWER(acc[b], acc[2 * m + b]), o = VNF_LOWER(acc[m + b], acc[3 * m + b]);
			vnf f = VNF_UPPER(acc[b], acc[2 * m + b]), q = VNF_UPPER(acc[m + b], acc[3 * m + b]);
			to[0] = VNF_LOWER(e, o);
			to[1] = VNF_UPPER(e, o);
			to[2] = VNF_LOWER(f, q);
			to[3] = VNF_UPPER(f, q);
		}
	}
}

static IN_NOINLINE IN_UNUSED void px_lattice_down(int step, int taps, const float *w, const float *const *s, int n,
                                                  float *const *d)
{
	if (step == 2) px_lattice_down_of(2, taps, w, s, n, d);
	else px_lattice_down_of(4, taps, w, s, n, d);
}

static IN_NOINLINE IN_UNUSED void px_lattice_across(int step, int taps, const float *w, const float *const *s, int n,
                                                    float *d)
{
	if (step == 2) px_lattice_across_of(2, taps, w, s, n, d);
	else px_lattice_across_of(4, taps, w, s, n, d);
}

/* out = in + dev field; past: where out fits. */
static IN_NOINLINE IN_UNUSED void px_lattice_put(const float *field, const float *dev, int n, const float *in, float *out,
                                                 bool past)
{
	int x = 0;
	past = past && px_past_fits(out);
	for (; x + IN_LANES <= n; x += IN_LANES)
		px_past_or(out + x, GRAIN_VNF(in + x, 0) + GRAIN_VNF(dev + x, 0) * GRAIN_VNF(field + x, 0), past);
	for (; x < n; x++) out[x] = in[x] + dev[x] * field[x];
}

/* --- a tile --- */

/* Lattice columns, or rows, that pixels from a until b meet. */
IN_INLINE int px_lattice_count(int a, int b, int shift) { return ((b - 1) >> shift) - (a >> shift) + 1; }

/* Floats of a row of pixels, those of vectors that begin before its end included. */
IN_INLINE size_t px_lattice_pitch(int w) { return ((size_t)w + 2 * GRAIN_STEP_MAX + LATTICE_VECTORS * IN_LANES + 15) & ~(size_t)15; }
/* White values of a row of w pixels, at most. */
IN_INLINE int px_lattice_values(const struct grain_layer *l, int w) { return (w >> l->shift) + 1 + l->taps; }

/* Floats that px_lattice_tile takes for a tile of w pixels a row. */
static IN_UNUSED size_t px_lattice_floats(const struct grain_layer *l, int w)
{
	size_t room = px_noise_room(px_lattice_values(l, w)), fields = (size_t)l->fields, taps = (size_t)l->taps;
	return fields * (taps + 1 + ((size_t)1 << l->shift)) * room + 4 * px_grain_pitch(w) + px_lattice_pitch(w) +
	       taps * sizeof(float *) / sizeof(float) + 64;
}

/* Parts of the scratch. ring: the last taps white rows of each field, row y of the lattice at y mod taps. down: what
 * they make of the pixel rows of a step. Worker's own. */
struct px_lattice_room {
	float *ring[3], *down[3][GRAIN_STEP_MAX], *dev[3], *luma, *row;
	uint32_t *words;
	const float **s;
	size_t room;
	int made, x, n;                          /* lattice rows made until, columns from x on */
};

static IN_UNUSED void px_lattice_parts(const struct grain_layer *l, struct rect r, float *scratch,
                                       struct px_lattice_room *g)
{
	size_t row = px_grain_pitch(rect_w(r)), fields = (size_t)l->fields, taps = (size_t)l->taps,
		room = g->room = px_noise_room(px_lattice_values(l, rect_w(r)));
	g->x = (r.x0 >> l->shift) - l->before;
	g->n = px_lattice_count(r.x0, r.x1, l->shift) + l->taps - 1;
	g->made = (r.y0 >> l->shift) - l->before;
	g->s = (const float **)(void *)scratch;
	scratch += (taps * sizeof(float *) / sizeof(float) + 15) & ~(size_t)15;
	g->words = (uint32_t *)(void *)scratch;
	scratch += fields * room;
	for (size_t c = 0; c < fields; c++, scratch += taps * room) g->ring[c] = scratch;
	for (size_t c = 0; c < fields; c++)
		for (int p = 0; p < 1 << l->shift; p++, scratch += room) g->down[c][p] = scratch;
	for (int c = 0; c < 3; c++, scratch += row) g->dev[c] = scratch;
	g->luma = scratch;
	g->row = scratch + row;
}

IN_INLINE int px_lattice_slot(int y, int taps) { return ((y % taps) + taps) % taps; }

/* The pixel rows of lattice row y, filtered down. */
static IN_UNUSED void px_lattice_step(const struct grain_layer *l, struct px_noise_key *key, struct px_lattice_room *g, int y)
{
	int first = y - l->before, skip = px_noise_skip(g->x), from = skip & ~(IN_LANES - 1);
	for (; g->made < first + l->taps; g->made++) {
		float *white[3] = { NULL, NULL, NULL };
		for (int c = 0; c < l->fields; c++)
			white[c] = g->ring[c] + (size_t)px_lattice_slot(g->made, l->taps) * g->room;
		px_grain_white(l, key, g->x, g->made, g->n, g->words, white);
	}
	for (int c = 0; c < l->fields; c++) {
		float *d[GRAIN_STEP_MAX] = { NULL };
		for (int k = 0; k < l->taps; k++)
			g->s[k] = g->ring[c] + (size_t)px_lattice_slot(first + k, l->taps) * g->room + from;
		for (int p = 0; p < 1 << l->shift; p++) d[p] = g->down[c][p] + from;
		px_lattice_down(1 << l->shift, l->taps, l->phases, g->s, skip - from + g->n, d);
	}
}

/* Row y of r: what was filtered down, across, times its strengths. luma: of the row. */
static IN_UNUSED void px_lattice_row(const struct grain_layer *l, struct px_lattice_room *g, struct rect r, int y,
                                     const struct px_grain_to *t)
{
	int step = 1 << l->shift, skip = px_noise_skip(g->x), lead = r.x0 & (step - 1);
	px_grain_strength(&l->table, g->luma, rect_w(r), g->dev);
	for (int c = 0; c < l->fields; c++) {
		for (int k = 0; k < l->taps; k++) g->s[k] = g->down[c][y & (step - 1)] + skip + k;
		px_lattice_across(step, l->taps, l->phases, g->s, px_lattice_count(r.x0, r.x1, l->shift), g->row);
		for (int j = c; j < (l->fields == 1 ? 3 : c + 1); j++)
			px_lattice_put(g->row + lead, g->dev[l->table.one ? 0 : j], rect_w(r), view_at(t->in, j, r.x0, y),
			               view_at(t->out, j, r.x0, y), t->past);
	}
}

/* As px_grain_tile, of a layer whose shift is not 0; scratch holds px_lattice_floats. */
static IN_UNUSED int px_lattice_tile(const struct grain_layer *l, struct px_noise_key *key, struct rect r,
                                     const float weights[3], const struct px_grain_to *t, float *scratch,
                                     const atomic_int *cancel)
{
	struct px_lattice_room g;
	px_lattice_parts(l, r, scratch, &g);
	for (int y = r.y0; y < r.y1; y++) {
		px_grain_ahead(t, r, y);
		if (y == r.y0 || !(y & ((1 << l->shift) - 1))) px_lattice_step(l, key, &g, y >> l->shift);
		bool odd = px_grain_luma_at(t, weights, r.x0, y, rect_w(r), g.luma);
		px_lattice_row(l, &g, r, y, t);
		if (odd) px_grain_canon(t, r, y);
		if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return -1;
	}
	if (t->past) px_past_done();
	return 0;
}

#endif
