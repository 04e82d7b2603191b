/* px_grain_rows - rows of grain: kernels of several terms down and across, and strengths by luma.
 *
 * Every value is summed in one fixed order, whatever the vectors: pairs of equal weight are added first, from the
 * tail inwards, term by term.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRAIN_ROWS_H
#define IN_PX_GRAIN_ROWS_H

#include <immintrin.h>

#include "grain_kernel.h"

enum { GRAIN_BATCH = 64, GRAIN_DOWN = 2, GRAIN_ACROSS = 2 };

#define GRAIN_VNF(p, b) (*(const vnf *)((p) + (b) * IN_LANES))

/* d[k][x]: rows p[0 .. 2 radius] through w[k]; whole vectors, up to GRAIN_DOWN of them beyond n. */
IN_INLINE void px_grain_down_of(int ranks, int radius, const float *const *w, const float *const *p, int n,
                                float *const *d)
{
	for (int x = 0; x < n; x += GRAIN_DOWN * IN_LANES) {
		vnf acc[GRAIN_RANKS][GRAIN_DOWN] = { { { 0 } } };
		for (int i = radius; i >= 0; i--) {
			const float *a = p[radius - i] + x, *c = p[radius + i] + x;
			for (int b = 0; b < GRAIN_DOWN; b++) {
				vnf sum = GRAIN_VNF(a, b);
				if (i) sum += GRAIN_VNF(c, b);
				for (int k = 0; k < ranks; k++) acc[k][b] += w[k][i] * sum;
			}
		}
		for (int k = 0; k < ranks; k++)
			for (int b = 0; b < GRAIN_DOWN; b++) *(vnf *)(d[k] + x + b * IN_LANES) = acc[k][b];
	}
}

/* Where a row of field goes: out = in + dev times it, in m channels. */
struct px_grain_sink { int m; const float *in[3], *dev[3]; float *out[3]; };

/* n pixels of a field: rows s[k] through w[k], radius more of them on each side. */
IN_INLINE void px_grain_across_of(int ranks, int radius, const float *const *w, const float *const *s, int n, int m,
                                  const struct px_grain_sink *to)
{
	const struct px_grain_sink t = *to;
	int x = 0;
	for (; x + GRAIN_ACROSS * IN_LANES <= n; x += GRAIN_ACROSS * IN_LANES) {
		vnf acc[GRAIN_ACROSS] = { { 0 } };
		for (int k = 0; k < ranks; k++) {
			const float *c = s[k] + x;
			for (int i = radius; i >= 0; i--)
				for (int b = 0; b < GRAIN_ACROSS; b++) {
					vnf sum = GRAIN_VNF(c - i, b);
					if (i) sum += GRAIN_VNF(c + i, b);
					acc[b] += w[k][i] * sum;
				}
		}
		for (int j = 0; j < m; j++)
			for (int b = 0; b < GRAIN_ACROSS; b++)
				*(vnf *)(t.out[j] + x + b * IN_LANES) =
				    GRAIN_VNF(t.in[j] + x, b) + GRAIN_VNF(t.dev[j] + x, b) * acc[b];
	}
	for (; x < n; x++) {
		float acc = 0;
		for (int k = 0; k < ranks; k++)
			for (int i = radius; i >= 0; i--) {
				float sum = i ? s[k][x - i] + s[k][x + i] : s[k][x];
				acc += w[k][i] * sum;
			}
		for (int j = 0; j < m; j++) t.out[j][x] = t.in[j][x] + t.dev[j][x] * acc;
	}
}

/* A radius and a rank known when this is compiled: weights, and what rows there are, stay in registers. */
#define GRAIN_FIXED(name, ranks, radius) \
	static IN_NOINLINE IN_UNUSED void px_grain_down_##name(const float *const *w, const float *const *p, int n, \
	                                                       float *const *d) \
	{ \
		float copy[ranks][radius + 1]; \
		const float *to[ranks], *row[2 * radius + 1]; \
		float *out[ranks]; \
		for (int k = 0; k < ranks; k++) { \
			to[k] = copy[k]; \
			out[k] = d[k]; \
			for (int i = 0; i <= radius; i++) copy[k][i] = w[k][i]; \
		} \
		for (int i = 0; i <= 2 * radius; i++) row[i] = p[i]; \
		px_grain_down_of(ranks, radius, to, row, n, out); \
	} \
	static IN_NOINLINE IN_UNUSED void px_grain_across_##name(const float *const *w, const float *const *s, int n, \
	                                                         const struct px_grain_sink *sink) \
	{ \
		float copy[ranks][radius + 1]; \
		const float *to[ranks], *row[ranks]; \
		for (int k = 0; k < ranks; k++) { \
			to[k] = copy[k]; \
			row[k] = s[k]; \
			for (int i = 0; i <= radius; i++) copy[k][i] = w[k][i]; \
		} \
		px_grain_across_of(ranks, radius, to, row, n, 1, sink); \
	}
GRAIN_FIXED(10, 1, 0)
GRAIN_FIXED(11, 1, 1)
GRAIN_FIXED(12, 1, 2)
GRAIN_FIXED(13, 1, 3)
GRAIN_FIXED(14, 1, 4)
GRAIN_FIXED(15, 1, 5)
GRAIN_FIXED(16, 1, 6)
GRAIN_FIXED(24, 2, 4)
#define GRAIN_CASES(call, ...) switch (ranks * 10 + radius) { \
	case 10: call##10(__VA_ARGS__); return; \
	case 11: call##11(__VA_ARGS__); return; \
	case 12: call##12(__VA_ARGS__); return; \
	case 13: call##13(__VA_ARGS__); return; \
	case 14: call##14(__VA_ARGS__); return; \
	case 15: call##15(__VA_ARGS__); return; \
	case 16: call##16(__VA_ARGS__); return; \
	case 24: call##24(__VA_ARGS__); return; \
	default: break; }

static IN_NOINLINE IN_UNUSED void px_grain_down(int ranks, int radius, const float *const *w, const float *const *p, int n,
                                                float *const *d)
{
	if (radius < 10) GRAIN_CASES(px_grain_down_, w, p, n, d)
	if (ranks == 1) px_grain_down_of(1, radius, w, p, n, d);
	else if (ranks == 2) px_grain_down_of(2, radius, w, p, n, d);
	else px_grain_down_of(3, radius, w, p, n, d);
}
static IN_NOINLINE IN_UNUSED void px_grain_across(int ranks, int radius, const float *const *w, const float *const *s,
                                                  int n, const struct px_grain_sink *to)
{
	if (to->m > 1) { px_grain_across_of(ranks, radius, w, s, n, to->m, to); return; }
	if (radius < 10) GRAIN_CASES(px_grain_across_, w, s, n, to)
	if (ranks == 1) px_grain_across_of(1, radius, w, s, n, 1, to);
	else if (ranks == 2) px_grain_across_of(2, radius, w, s, n, 1, to);
	else px_grain_across_of(3, radius, w, s, n, 1, to);
}

/* --- strengths --- */

/* Deviations over luma low + i / scale, i to size: of all channels, or nodes of four floats (R, G, B, 0). Beyond
 * its ends they are held. Threads: frozen. */
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

IN_INLINE void px_grain_lookup(const struct grain_table *t, const int32_t *k, const float *f, float *const *d)
{
	v4f w = v4f_load(f);
	if (t->one) {
		v4f a, b;
		px_grain_four(t->v, k, &a, &b);
		v4f_store(d[0], a + w * (b - a));
		return;
	}
	v4f p0 = px_grain_node(t->v, k[0], v4f_mix(w, w, 0, 0, 0, 0)), p1 = px_grain_node(t->v, k[1], v4f_mix(w, w, 1, 1, 1, 1));
	v4f p2 = px_grain_node(t->v, k[2], v4f_mix(w, w, 2, 2, 2, 2)), p3 = px_grain_node(t->v, k[3], v4f_mix(w, w, 3, 3, 3, 3));
	v4f lo = v4f_mix(p0, p1, 0, 4, 1, 5), hi = v4f_mix(p2, p3, 0, 4, 1, 5);
	v4f_store(d[0], v4f_mix(lo, hi, 0, 1, 4, 5));
	v4f_store(d[1], v4f_mix(lo, hi, 2, 3, 6, 7));
	v4f_store(d[2], v4f_mix(v4f_mix(p0, p1, 2, 6, 3, 7), v4f_mix(p2, p3, 2, 6, 3, 7), 0, 1, 4, 5));
}

/* Deviations of a row of n pixels of that luma: into dev[0] where the table is one for all, else into dev[0 .. 2];
 * up to three floats beyond n. */
static IN_NOINLINE IN_UNUSED void px_grain_strength(const struct grain_table *t, const float *IN_RESTRICT luma, int n,
                                                    float *const *dev)
{
	const float low = t->low, scale = t->scale, last = (float)t->size - 0.5f;
	int32_t k[GRAIN_BATCH];
	float f[GRAIN_BATCH];
	for (int x = 0; x < n; x += GRAIN_BATCH) {
		int m = n - x < GRAIN_BATCH ? n - x : GRAIN_BATCH;
		for (int i = 0; i < m; i++) {
			float v = (luma[x + i] - low) * scale;
			v = v > 0.0f ? v : 0.0f;
			v = v < last ? v : last;
			k[i] = (int32_t)v;
			f[i] = v - (float)k[i];
		}
		for (int i = m; i & 3; i++) k[i] = 0, f[i] = 0;
		for (int i = 0; i < m; i += 4) {
			float *to[3] = { dev[0] + x + i, t->one ? NULL : dev[1] + x + i, t->one ? NULL : dev[2] + x + i };
			px_grain_lookup(t, k + i, f + i, to);
		}
	}
}

#endif
