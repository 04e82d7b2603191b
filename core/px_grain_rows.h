/* px_grain_rows - rows of grain: kernels of several terms down and across, and strengths by luma.
 *
 * Every value is summed in one fixed order, whatever the vectors: pairs of equal weight are added
 * first, from the tail inwards, term by term.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRAIN_ROWS_H
#define IN_PX_GRAIN_ROWS_H

#include <immintrin.h>

#include "grain_kernel.h"

enum { GRAIN_BATCH = 64, GRAIN_DOWN = 2, GRAIN_ACROSS = 2, GRAIN_WIDE = 4 };

#define GRAIN_VNF(p, b) (*(const vnf *)((p) + (b) * IN_LANES))

/* d[k][x], e[k][x]: rows p[0 .. 2 radius] and p[1 .. 2 radius + 1] through w[k]: what both read is
 * loaded once. m vectors at once, so up to m - 1 of them beyond n. */
IN_INLINE void px_grain_down_of(int ranks, int radius, const float *const *w, const float *const *p,
                                int n, int m, float *const *d, float *const *e)
{
	for (int x = 0; x < n; x += m * IN_LANES) {
		vnf acc[GRAIN_RANKS][GRAIN_WIDE] = { { { 0 } } }, bcc[GRAIN_RANKS][GRAIN_WIDE] = { { { 0 } } };
		vnf top[GRAIN_WIDE], low[GRAIN_WIDE];
		for (int b = 0; b < m; b++) top[b] = GRAIN_VNF(p[0] + x, b), low[b] = GRAIN_VNF(p[2 * radius + 1] + x, b);
		for (int i = radius; i > 0; i--)
			for (int b = 0; b < m; b++) {
				vnf up = GRAIN_VNF(p[radius + 1 - i] + x, b), down = GRAIN_VNF(p[radius + i] + x, b);
				vnf one = top[b] + down, two = up + low[b];
				for (int k = 0; k < ranks; k++) {
					acc[k][b] += w[k][i] * one;
					bcc[k][b] += w[k][i] * two;
				}
				top[b] = up;
				low[b] = down;
			}
		for (int k = 0; k < ranks; k++)
			for (int b = 0; b < m; b++) {
				*(vnf *)(d[k] + x + b * IN_LANES) = acc[k][b] + w[k][0] * top[b];
				*(vnf *)(e[k] + x + b * IN_LANES) = bcc[k][b] + w[k][0] * low[b];
			}
	}
}

/* Where a row of field goes: out = in + dev times it, in m channels. */
struct px_grain_sink { int m; const float *in[3], *dev[3]; float *out[3]; };

/* n pixels of a field: rows s[k] through w[k], radius more of them on each side; v vectors at
 * once. How many it has done: whole ones. */
IN_INLINE int px_grain_across_of(int ranks, int radius, const float *const *w,
                                 const float *const *s, int n, int v, int m,
                                 const struct px_grain_sink *to)
{
	const struct px_grain_sink t = *to;
	int x = 0;
	for (; x + v * IN_LANES <= n; x += v * IN_LANES) {
		vnf acc[GRAIN_WIDE] = { { 0 } };
		for (int k = 0; k < ranks; k++) {
			const float *c = s[k] + x;
			for (int i = radius; i > 0; i--)
				for (int b = 0; b < v; b++) acc[b] += w[k][i] * (GRAIN_VNF(c - i, b) + GRAIN_VNF(c + i, b));
			for (int b = 0; b < v; b++) acc[b] += w[k][0] * GRAIN_VNF(c, b);
		}
		for (int j = 0; j < m; j++)
			for (int b = 0; b < v; b++)
				*(vnf *)(t.out[j] + x + b * IN_LANES) =
				    GRAIN_VNF(t.in[j] + x, b) + GRAIN_VNF(t.dev[j] + x, b) * acc[b];
	}
	return x;
}

/* The rest of a row, from x on. */
static IN_UNUSED void px_grain_across_rest(int ranks, int radius, const float *const *w,
                                           const float *const *s, int x, int n,
                                           const struct px_grain_sink *t)
{
	for (; x < n; x++) {
		float acc = 0;
		for (int k = 0; k < ranks; k++) {
			for (int i = radius; i > 0; i--) acc += w[k][i] * (s[k][x - i] + s[k][x + i]);
			acc += w[k][0] * s[k][x];
		}
		for (int j = 0; j < t->m; j++) t->out[j][x] = t->in[j][x] + t->dev[j][x] * acc;
	}
}

/* A radius and a rank known when this is compiled: weights, and what rows there are, stay in registers. */
#define GRAIN_FIXED(name, ranks, radius) \
	static IN_NOINLINE IN_UNUSED void px_grain_down_##name(const float *const *w, const float *const *p, int n, \
	                                                       float *const *d, float *const *e) \
	{ \
		float copy[ranks][radius + 1]; \
		const float *to[ranks], *row[2 * radius + 2]; \
		float *out[ranks], *next[ranks]; \
		for (int k = 0; k < ranks; k++) { \
			to[k] = copy[k]; \
			out[k] = d[k]; \
			next[k] = e[k]; \
			for (int i = 0; i <= radius; i++) copy[k][i] = w[k][i]; \
		} \
		for (int i = 0; i < 2 * radius + 2; i++) row[i] = p[i]; \
		px_grain_down_of(ranks, radius, to, row, n, ranks > 1 ? 1 : GRAIN_DOWN, out, next); \
	} \
	static IN_NOINLINE IN_UNUSED int px_grain_across_##name(const float *const *w, const float *const *s, int n, \
	                                                        const struct px_grain_sink *sink) \
	{ \
		float copy[ranks][radius + 1]; \
		const float *to[ranks], *row[ranks]; \
		for (int k = 0; k < ranks; k++) { \
			to[k] = copy[k]; \
			row[k] = s[k]; \
			for (int i = 0; i <= radius; i++) copy[k][i] = w[k][i]; \
		} \
		return px_grain_across_of(ranks, radius, to, row, n, GRAIN_ACROSS, 1, sink); \
	}
GRAIN_FIXED(10, 1, 0)
GRAIN_FIXED(11, 1, 1)
GRAIN_FIXED(12, 1, 2)
GRAIN_FIXED(13, 1, 3)
GRAIN_FIXED(14, 1, 4)
GRAIN_FIXED(15, 1, 5)
GRAIN_FIXED(16, 1, 6)
GRAIN_FIXED(18, 1, 8)
GRAIN_FIXED(24, 2, 4)

static IN_NOINLINE IN_UNUSED void px_grain_down(int ranks, int radius, const float *const *w,
                                                const float *const *p, int n, float *const *d,
                                                float *const *e)
{
	switch (radius < 10 ? 10 * ranks + radius : 0) {
	case 10: px_grain_down_10(w, p, n, d, e); return;
	case 11: px_grain_down_11(w, p, n, d, e); return;
	case 12: px_grain_down_12(w, p, n, d, e); return;
	case 13: px_grain_down_13(w, p, n, d, e); return;
	case 14: px_grain_down_14(w, p, n, d, e); return;
	case 15: px_grain_down_15(w, p, n, d, e); return;
	case 16: px_grain_down_16(w, p, n, d, e); return;
	case 18: px_grain_down_18(w, p, n, d, e); return;
	case 24: px_grain_down_24(w, p, n, d, e); return;
	default: break;
	}
	if (ranks == 1) px_grain_down_of(1, radius, w, p, n, GRAIN_DOWN, d, e);
	else if (ranks == 2) px_grain_down_of(2, radius, w, p, n, 1, d, e);
	else px_grain_down_of(3, radius, w, p, n, 1, d, e);
}

static IN_UNUSED int px_grain_across_some(int ranks, int radius, const float *const *w,
                                          const float *const *s, int n,
                                          const struct px_grain_sink *to)
{
	if (to->m > 1) return px_grain_across_of(ranks, radius, w, s, n, GRAIN_WIDE, 3, to);
	switch (radius < 10 ? 10 * ranks + radius : 0) {
	case 10: return px_grain_across_10(w, s, n, to);
	case 11: return px_grain_across_11(w, s, n, to);
	case 12: return px_grain_across_12(w, s, n, to);
	case 13: return px_grain_across_13(w, s, n, to);
	case 14: return px_grain_across_14(w, s, n, to);
	case 15: return px_grain_across_15(w, s, n, to);
	case 16: return px_grain_across_16(w, s, n, to);
	case 18: return px_grain_across_18(w, s, n, to);
	case 24: return px_grain_across_24(w, s, n, to);
	default: break;
	}
	if (ranks == 1) return px_grain_across_of(1, radius, w, s, n, GRAIN_WIDE, 1, to);
	return px_grain_across_of(ranks, radius, w, s, n, GRAIN_WIDE, 1, to);
}
static IN_NOINLINE IN_UNUSED void px_grain_across(int ranks, int radius, const float *const *w,
                                                  const float *const *s, int n,
                                                  const struct px_grain_sink *to)
{ px_grain_across_rest(ranks, radius, w, s, px_grain_across_some(ranks, radius, w, s, n, to), n, to); }

/* --- strengths --- */

/* Deviations over luma low + i / scale, i to size: of all channels, or nodes of four floats (R, G,
 * B, 0). Beyond its ends they are held. Threads: frozen. */
struct grain_table { bool one; int size; float low, scale; float *v; };

IN_INLINE size_t grain_table_floats(bool one, int size) { return ((size_t)size + 2) * (one ? 1 : 4); }

/* Neighbours of four places of a table. */
IN_INLINE void px_grain_four(const float *tab, const int32_t *k, v4f *a, v4f *b)
{
	__m128 u = _mm_loadl_pi(_mm_setzero_ps(), (const __m64 *)(const void *)(tab + k[0]));
	__m128 v = _mm_loadl_pi(_mm_setzero_ps(), (const __m64 *)(const void *)(tab + k[2]));
	u = _mm_loadh_pi(u, (const __m64 *)(const void *)(tab + k[1]));
	v = _mm_loadh_pi(v, (const __m64 *)(const void *)(tab + k[3]));
	*a = (v4f)_mm_shuffle_ps(u, v, 0x88);
	*b = (v4f)_mm_shuffle_ps(u, v, 0xdd);
}

IN_INLINE v4f px_grain_node(const float *tab, int32_t k, v4f f)
{
	v4f a = v4f_load(tab + 4 * (ptrdiff_t)k), b = v4f_load(tab + 4 * (ptrdiff_t)k + 4);
	return a + f * (b - a);
}

/* Between neighbours of four places of a table of all channels. */
IN_INLINE void px_grain_one(const float *tab, const int32_t *k, const float *f, float *d)
{
	v4f a, b;
	px_grain_four(tab, k, &a, &b);
	v4f_store(d, a + v4f_load(f) * (b - a));
}

/* The same of a table of nodes. */
IN_INLINE void px_grain_three(const float *tab, const int32_t *k, const float *f, float *d0, float *d1, float *d2)
{
	v4f w = v4f_load(f);
	v4f p0 = px_grain_node(tab, k[0], v4f_mix(w, w, 0, 0, 0, 0)),
		p1 = px_grain_node(tab, k[1], v4f_mix(w, w, 1, 1, 1, 1));
	v4f p2 = px_grain_node(tab, k[2], v4f_mix(w, w, 2, 2, 2, 2)),
		p3 = px_grain_node(tab, k[3], v4f_mix(w, w, 3, 3, 3, 3));
	v4f lo = v4f_mix(p0, p1, 0, 4, 1, 5), hi = v4f_mix(p2, p3, 0, 4, 1, 5);
	v4f_store(d0, v4f_mix(lo, hi, 0, 1, 4, 5));
	v4f_store(d1, v4f_mix(lo, hi, 2, 3, 6, 7));
	v4f_store(d2, v4f_mix(v4f_mix(p0, p1, 2, 6, 3, 7), v4f_mix(p2, p3, 2, 6, 3, 7), 0, 1, 4, 5));
}

/* Places of n pixels of that luma: node k, and how far beyond it. */
IN_INLINE void px_grain_places(const struct grain_table *t, const float *luma, int n, int32_t *k, float *f)
{
	const float low = t->low, scale = t->scale, last = (float)t->size - 0.5f;
	for (int i = 0; i < n; i++) {
		float v = (luma[i] - low) * scale;
		v = v > 0.0f ? v : 0.0f;
		v = v < last ? v : last;
		k[i] = (int32_t)v;
		f[i] = v - (float)k[i];
	}
	for (int i = n; i & 3; i++) k[i] = 0, f[i] = 0;
}

/* Deviations of a row of n pixels of that luma: into dev[0] where the table is one for all, else
 * into dev[0 .. 2]; up to three floats beyond n. */
static IN_NOINLINE IN_UNUSED void px_grain_strength(const struct grain_table *t,
                                                    const float *IN_RESTRICT luma, int n,
                                                    float *const *dev)
{
	const bool one = t->one;
	const float *tab = t->v;
	float *d0 = dev[0], *d1 = one ? NULL : dev[1], *d2 = one ? NULL : dev[2];
	int32_t k[GRAIN_BATCH];
	float f[GRAIN_BATCH];
	for (int x = 0; x < n; x += GRAIN_BATCH) {
		int m = n - x < GRAIN_BATCH ? n - x : GRAIN_BATCH;
		if (m == GRAIN_BATCH) px_grain_places(t, luma + x, GRAIN_BATCH, k, f);
		else px_grain_places(t, luma + x, m, k, f);
		if (one) for (int i = 0; i < m; i += 4) px_grain_one(tab, k + i, f + i, d0 + x + i);
		else for (int i = 0; i < m; i += 4) px_grain_three(tab, k + i, f + i, d0 + x + i, d1 + x + i, d2 + x + i);
	}
}

#endif
