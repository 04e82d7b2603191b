/* px_grain - a tile of grain of a given spectrum: Philox noise mixed to correlated channels, filtered by
 * sums of separable kernels, and added with a strength that depends on luma.
 *
 * Every output pixel is summed in one fixed order, whatever the tile.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRAIN_H
#define IN_PX_GRAIN_H

#include "grain_kernel.h"
#include "px_blur.h"
#include "px_lut.h"
#include "px_noise.h"

enum { GRAIN_TABLE_SIZE = 1024, GRAIN_LUMA_RADIUS = 4 };

/* One grain. Threads: frozen. */
struct grain_layer {
	struct grain_shape *shape;
	int lags; float lag[3][GRAIN_LAGS], still[3]; bool stills;
	float mix[3][3];
	float table[3][GRAIN_TABLE_SIZE + 1], low, scale;      /* deviations over luma low + i / scale */
	int stream;                             /* layers of one node draw different noise */
};

/* --- kernels of ranks terms --- */

IN_INLINE void px_grain_across_n(int ranks, int radius, float *const *w, const float *s, int n, float *const *d)
{
	int x = 0;
	for (; x + 2 * IN_LANES <= n; x += 2 * IN_LANES) {
		vnf acc[GRAIN_RANKS][2] = { { { 0 } } };
		const float *c = s + x;
		for (int i = radius; i > 0; i--)
			for (int b = 0; b < 2; b++) {
				vnf sum = *(const vnf *)(c + b * IN_LANES - i) + *(const vnf *)(c + b * IN_LANES + i);
				for (int r = 0; r < ranks; r++) acc[r][b] += w[r][i] * sum;
			}
		for (int r = 0; r < ranks; r++)
			for (int b = 0; b < 2; b++)
				*(vnf *)(d[r] + x + b * IN_LANES) = acc[r][b] + w[r][0] * *(const vnf *)(c + b * IN_LANES);
	}
	for (; x < n; x++)
		for (int r = 0; r < ranks; r++) {
			float acc = 0;
			for (int i = radius; i > 0; i--) acc += w[r][i] * (s[x - i] + s[x + i]);
			d[r][x] = acc + w[r][0] * s[x];
		}
}

/* rows[r * stride + radius + i]: row i of term r. */
IN_INLINE void px_grain_down_n(int ranks, int radius, float *const *w, const float *const *rows, int stride, int n,
                               float *IN_RESTRICT d)
{
	int x = 0;
	for (; x + 4 * IN_LANES <= n; x += 4 * IN_LANES) {
		vnf acc[4] = { { 0 } };
		for (int r = 0; r < ranks; r++) {
			const float *const *p = rows + r * stride + radius;
			for (int i = radius; i > 0; i--)
				for (int b = 0; b < 4; b++)
					acc[b] += w[r][i] * (*(const vnf *)(p[-i] + x + b * IN_LANES) +
					                     *(const vnf *)(p[i] + x + b * IN_LANES));
			for (int b = 0; b < 4; b++) acc[b] += w[r][0] * *(const vnf *)(p[0] + x + b * IN_LANES);
		}
		for (int b = 0; b < 4; b++) *(vnf *)(d + x + b * IN_LANES) = acc[b];
	}
	for (; x < n; x++) {
		float acc = 0;
		for (int r = 0; r < ranks; r++) {
			const float *const *p = rows + r * stride + radius;
			for (int i = radius; i > 0; i--) acc += w[r][i] * (p[-i][x] + p[i][x]);
			acc += w[r][0] * p[0][x];
		}
		d[x] = acc;
	}
}

static IN_NOINLINE IN_UNUSED void px_grain_across(int ranks, int radius, float *const *w, const float *s, int n,
                                                  float *const *d)
{
	if (ranks == 1) px_grain_across_n(1, radius, w, s, n, d);
	else if (ranks == 2) px_grain_across_n(2, radius, w, s, n, d);
	else px_grain_across_n(3, radius, w, s, n, d);
}
static IN_NOINLINE IN_UNUSED void px_grain_down(int ranks, int radius, float *const *w, const float *const *rows,
                                                int stride, int n, float *d)
{
	if (ranks == 1) px_grain_down_n(1, radius, w, rows, stride, n, d);
	else if (ranks == 2) px_grain_down_n(2, radius, w, rows, stride, n, d);
	else px_grain_down_n(3, radius, w, rows, stride, n, d);
}

/* --- white rows --- */

/* The fields that make a frame's: the frame's own, those before it, one that never changes. */
struct px_grain_keys { struct px_noise_key key[GRAIN_LAGS + 1]; };

static IN_UNUSED void px_grain_keys(const struct grain_layer *l, uint32_t seed, uint64_t instance, int frame,
                                    struct px_grain_keys *k)
{
	for (int i = 0; i < l->lags; i++) k->key[i] = px_noise_key(seed, instance, (int)((uint32_t)frame - (uint32_t)i));
	k->key[GRAIN_LAGS] = px_noise_key(seed, instance, 0);
}

/* Correlated rows of n normal values from (x, y) on, from px_noise_skip(x) on, px_noise_room(n) apart, into
 * white; words and more: as much room again each. */
static IN_UNUSED void px_grain_white(const struct grain_layer *l, struct px_grain_keys *k, int x, int y, int n,
                                     uint32_t *words, float *more, float *white)
{
	size_t room = px_noise_room(n);
	int end = px_noise_skip(x) + n;
	const int apart = 1 << 24;              /* pictures are far smaller */
	px_noise_rows(&k->key[0], 3, x + l->stream * apart, y, n, words, white);
	for (int i = 0; i < l->lags + l->stills; i++) {
		bool still = i == l->lags;
		const float *IN_RESTRICT from = i ? more : white;
		if (i) px_noise_rows(&k->key[still ? GRAIN_LAGS : i], 3, x + (l->stream + (still ? 2 : 0)) * apart, y, n,
		                     words, more);
		if (!i && l->lags == 1 && !l->stills) break;
		for (int c = 0; c < 3; c++) {
			float w = still ? l->still[c] : l->lag[c][i], *to = white + (size_t)c * room;
			const float *f = from + (size_t)c * room;
			if (i == 0) for (int j = 0; j < end; j++) to[j] = w * to[j];
			else for (int j = 0; j < end; j++) to[j] += w * f[j];
		}
	}
	float *IN_RESTRICT a = white, *IN_RESTRICT b = white + room, *IN_RESTRICT d = white + 2 * room;
	const float k0 = l->mix[2][0], k1 = l->mix[2][1], k2 = l->mix[2][2], m0 = l->mix[1][0], m1 = l->mix[1][1];
	for (int j = 0; j < end; j++) d[j] = k0 * a[j] + k1 * b[j] + k2 * d[j];
	for (int j = 0; j < end; j++) b[j] = m0 * a[j] + m1 * b[j];
}

/* --- a tile --- */

IN_INLINE size_t px_grain_pitch(int w) { return ((size_t)w + 15) & ~(size_t)15; }

/* Floats that px_grain_tile takes for a tile of w pixels a row. */
static IN_UNUSED size_t px_grain_floats(const struct grain_layer *l, int w)
{
	size_t room = px_noise_room(w + 2 * l->shape->radius), ring = (size_t)(2 * l->shape->radius + 1);
	return 9 * room + (3 * (size_t)l->shape->ranks * ring + 2) * px_grain_pitch(w) + 64;
}

/* dev: deviations of channel c over a row of luma. */
static IN_NOINLINE IN_UNUSED void px_grain_strength(const struct grain_layer *l, int c, const float *IN_RESTRICT luma,
                                                    int n, float *IN_RESTRICT dev)
{
	const float low = l->low, scale = l->scale, last = GRAIN_TABLE_SIZE - 0.5f;
	int32_t k[LUT_BATCH];
	float f[LUT_BATCH];
	for (int x = 0; x < n; x += LUT_BATCH) {
		int m = n - x < LUT_BATCH ? n - x : LUT_BATCH;
		for (int i = 0; i < m; i++) {
			float t = (luma[x + i] - low) * scale;
			t = t > 0.0f ? t : 0.0f;
			t = t < last ? t : last;
			k[i] = (int32_t)t;
			f[i] = t - (float)k[i];
		}
		lut_between(l->table[c], k, f, dev + x, m);
	}
}

/* Adds the grain of rect r to out. luma: its rows, pitch apart; scratch holds px_grain_floats. -1
 * when cancelled. */
static IN_UNUSED int px_grain_tile(const struct grain_layer *l, struct px_grain_keys *keys, struct rect r,
                                   const float *luma, size_t pitch, const struct view *out, float *scratch,
                                   const atomic_int *cancel)
{
	const struct grain_shape *s = l->shape;
	int w = rect_w(r), h = rect_h(r), rad = s->radius, high = 2 * rad + 1, ranks = s->ranks, newest = -1;
	int skip = px_noise_skip(r.x0 - rad) + rad;
	size_t room = px_noise_room(w + 2 * rad), row = px_grain_pitch(w), plane = (size_t)high * row;
	float *white = scratch, *more = white + 3 * room, *rings = more + 6 * room;
	float *field = rings + 3 * (size_t)ranks * plane, *dev = field + row;
	uint32_t *words = (uint32_t *)(void *)(more + 3 * room);
	for (int y = -rad; y < h + rad; y++) {
		px_grain_white(l, keys, r.x0 - rad, r.y0 + y, w + 2 * rad, words, more, white);
		newest = newest + 1 < high ? newest + 1 : 0;
		for (int c = 0; c < 3; c++) {
			float *to[GRAIN_RANKS];
			for (int k = 0; k < ranks; k++) to[k] = rings + (size_t)(c * ranks + k) * plane + (size_t)newest * row;
			px_grain_across(ranks, rad, s->v[c], white + (size_t)c * room + skip, w, to);
		}
		if (y < rad) continue;
		for (int c = 0; c < 3; c++) {
			const float *rows[GRAIN_RANKS * (2 * GRAIN_RADIUS + 1)];
			for (int k = 0; k < ranks; k++)
				for (int i = 0, at = newest + 1 < high ? newest + 1 : 0; i < high; i++, at = at + 1 < high ? at + 1 : 0)
					rows[k * high + i] = rings + (size_t)(c * ranks + k) * plane + (size_t)at * row;
			px_grain_down(ranks, rad, s->u[c], rows, high, w, field);
			px_grain_strength(l, c, luma + (size_t)(y - rad) * pitch, w, dev);
			float *IN_RESTRICT o = view_at(out, c, r.x0, r.y0 + y - rad);
			for (int x = 0; x < w; x++) o[x] += dev[x] * field[x];
		}
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
		float *IN_RESTRICT d = view_at(&raw, 0, have.x0, y);
		for (int x = 0; x < n; x++) d[x] = w[0] * a[x] + w[1] * b[x] + w[2] * c[x];
	}
	scratch += px_grain_pitch(n) * (size_t)rect_h(have);
	return px_blur(&k, &k, EDGES_HOLD, &raw, &out, r, have, data, scratch, cancel);
}

#endif
