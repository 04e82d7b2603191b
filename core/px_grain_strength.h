/* px_grain_strength - how strong grain is: tables over luma, looked up by rows.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRAIN_STRENGTH_H
#define IN_PX_GRAIN_STRENGTH_H

#include <immintrin.h>

#include "px_vec.h"

enum { GRAIN_BATCH = 64 };

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
		if (one && m == GRAIN_BATCH)
			for (int i = 0; i < GRAIN_BATCH; i += 16)
				for (int j = i; j < i + 16; j += 4) px_grain_one(tab, k + j, f + j, d0 + x + j);
		else if (one) for (int i = 0; i < m; i += 4) px_grain_one(tab, k + i, f + i, d0 + x + i);
		else for (int i = 0; i < m; i += 4) px_grain_three(tab, k + i, f + i, d0 + x + i, d1 + x + i, d2 + x + i);
	}
}

#endif
