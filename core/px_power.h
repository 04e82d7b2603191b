/* px_power - rows to one fixed power by a table: half the time of px_rows.h, for nodes that have room for it.
 *
 * The table has 32 places c an octave: x^y = c^y (1 + u)^y, u = (x - c) / c, |u| <= 1/64, of which three terms
 * are enough. Within 1.1 ulp; x = c gives c^y rounded once, 1 gives 1.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_POWER_H
#define IN_PX_POWER_H

#include <immintrin.h>

#include "power_table.h"
#include "px_rows.h"

/* Where x lies: the place's number, and how far beyond the place. Below 0 the first, from the top on the last. */
IN_INLINE float px_power_place(float x, uint32_t *at)
{
	const int32_t half = 1 << (POWER_SHIFT - 1), top = (int32_t)0x7f7fffff;
	int32_t b = (int32_t)(px_bitsf(x) + (uint32_t)half);
	b = b < top ? b : top;
	b = b > 0 ? b : 0;
	*at = (uint32_t)b >> POWER_SHIFT;
	return x - px_flt((uint32_t)b & ~((1u << POWER_SHIFT) - 1));
}

IN_INLINE v4f px_power_pairs(const float *v, uint32_t a, uint32_t b)
{
	__m128 p = _mm_loadl_pi(_mm_setzero_ps(), (const __m64 *)(const void *)(v + 2 * (size_t)a));
	return (v4f)_mm_loadh_pi(p, (const __m64 *)(const void *)(v + 2 * (size_t)b));
}

/* h[i] = v[2 at[i]], q[i] = v[2 at[i] + 1]; n is a multiple of 8. */
IN_INLINE void px_power_fetch(const float *v, const uint32_t *at, float *h, float *q, int n)
{
	for (int i = 0; i < n; i += 8) {
		v4f a = px_power_pairs(v, at[i], at[i + 1]), b = px_power_pairs(v, at[i + 2], at[i + 3]);
		v4f c = px_power_pairs(v, at[i + 4], at[i + 5]), d = px_power_pairs(v, at[i + 6], at[i + 7]);
#ifdef __AVX__
		v8f e = (v8f)_mm256_insertf128_ps(_mm256_castps128_ps256((__m128)a), (__m128)c, 1);
		v8f f = (v8f)_mm256_insertf128_ps(_mm256_castps128_ps256((__m128)b), (__m128)d, 1);
		v8f_store(h + i, v8f_mix(e, f, 0, 2, 4, 6));
		v8f_store(q + i, v8f_mix(e, f, 1, 3, 5, 7));
#else
		v4f_store(h + i, v4f_mix(a, b, 0, 2, 4, 6));
		v4f_store(q + i, v4f_mix(a, b, 1, 3, 5, 7));
		v4f_store(h + i + 4, v4f_mix(c, d, 0, 2, 4, 6));
		v4f_store(q + i + 4, v4f_mix(c, d, 1, 3, 5, 7));
#endif
	}
}

/* A block of POW_KEEP; r may be s. */
IN_INLINE void px_power_block(const struct power_table *t, bool scaled, float slope, float offset,
                              const float *s, float *r, int n)
{
	float x[PX_BLOCK], d[PX_BLOCK], h[PX_BLOCK], q[PX_BLOCK];
	uint32_t at[PX_BLOCK];
	const float a = t->a[0], b = t->a[1], c = t->a[2];
	for (int i = 0; i < n; i++) {
		x[i] = scaled ? s[i] * slope + offset : s[i];
		d[i] = px_power_place(x[i], &at[i]);
	}
	for (int i = n; i & 7; i++) at[i] = 0;
	px_power_fetch(t->v, at, h, q, (n + 7) & ~7);
	for (int i = 0; i < n; i++) {
		float u = d[i] * q[i], p = h[i] + h[i] * (u * (a + u * (b + u * c)));
		p = p + p;
		p = x[i] > 0.0f ? p : x[i];
		r[i] = x[i] < __builtin_inff() ? p : x[i];
	}
}

/* r = (s slope + offset)^y where that is above 0, else s slope + offset; r may be s. */
static IN_NOINLINE IN_UNUSED void px_power_by(const struct power_table *t, bool scaled, float slope,
                                              float offset, const float *s, float *r, int n)
{
	for (; n >= PX_BLOCK; n -= PX_BLOCK, s += PX_BLOCK, r += PX_BLOCK) {
		if (scaled) px_power_block(t, true, slope, offset, s, r, PX_BLOCK);
		else px_power_block(t, false, 0, 0, s, r, PX_BLOCK);
	}
	if (n) px_power_block(t, scaled, slope, offset, s, r, n);
}

#endif
