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
IN_INLINE void px_power_any(const struct power_table *t, bool scaled, float slope, float offset,
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

/* The same of a whole block, once in the program. */
static IN_NOINLINE IN_UNUSED void px_power_block(const struct power_table *t, bool scaled, float slope,
                                                 float offset, const float *s, float *r)
{
	if (scaled) px_power_any(t, true, slope, offset, s, r, PX_BLOCK);
	else px_power_any(t, false, 0, 0, s, r, PX_BLOCK);
}

#ifdef __AVX2__
/* Blocks of plain numbers only, where neither powers nor what they are made of can overflow or be
 * denormal. Numbers of a block are near one another in most of a picture: the part of the table that
 * they need fits in registers. */
enum { POWER_ROW = 256, POWER_BLOCKS = POWER_ROW / PX_BLOCK };

/* The places of a row, how far beyond them its numbers lie, and each block's first and last place. */
struct px_power_row {
	uint32_t at[POWER_ROW], first[POWER_BLOCKS], last[POWER_BLOCKS];
	float u[POWER_ROW];
};

/* Of any numbers; of no use where first and last tell that some are not plain. */
IN_INLINE void px_power_places(struct px_power_row *w, int k, bool scaled, float slope, float offset,
                               const float *s)
{
	uint32_t *at = w->at + k * PX_BLOCK, lo = UINT32_MAX, hi = 0;
	float *u = w->u + k * PX_BLOCK;
	for (int i = 0; i < PX_BLOCK; i++) {
		float x = scaled ? s[i] * slope + offset : s[i];
		uint32_t b = px_bitsf(x) + (1u << (POWER_SHIFT - 1));
		float place = px_flt(b & ~((1u << POWER_SHIFT) - 1));
		lo = b < lo ? b : lo;
		hi = b > hi ? b : hi;
		at[i] = b >> POWER_SHIFT;
		u[i] = (x - place) * (1.0f / place);    /* what the table has, too */
	}
	w->first[k] = lo >> POWER_SHIFT;
	w->last[k] = hi >> POWER_SHIFT;
}

/* Eight powers; h: c^y. */
IN_INLINE void px_power_eight(const float *a, v8f h, const float *u, float *r)
{
	v8f d = v8f_load(u);
	v8f_store(r, h + h * (d * (a[0] + d * (a[1] + d * a[2]))));
}

/* A block within POWER_NEAR places from first on (wide), or half of that. */
IN_INLINE void px_power_near(const struct power_table *t, bool wide, uint32_t first, const uint32_t *at,
                             const float *u, float *r)
{
	const float a[3] = { t->a[0], t->a[1], t->a[2] };
	const __m256 low = _mm256_loadu_ps(t->plain + first), high = _mm256_loadu_ps(t->plain + first + 8);
	const __m256i from = _mm256_set1_epi32((int)first);
	for (int i = 0; i < PX_BLOCK; i += 8) {
		__m256i k = _mm256_sub_epi32(_mm256_loadu_si256((const void *)(at + i)), from);
		__m256 h = _mm256_permutevar8x32_ps(low, k);
		__m256 half = (__m256)_mm256_slli_epi32(k, 28); /* the sign tells which */
		if (wide) h = _mm256_blendv_ps(h, _mm256_permutevar8x32_ps(high, k), half);
		px_power_eight(a, (v8f)h, u + i, r + i);
	}
}

IN_INLINE __m128 px_power_four(const float *v, const uint32_t *at)
{
	__m128 a = _mm_unpacklo_ps(_mm_load_ss(v + at[0]), _mm_load_ss(v + at[1]));
	return _mm_movelh_ps(a, _mm_unpacklo_ps(_mm_load_ss(v + at[2]), _mm_load_ss(v + at[3])));
}

IN_INLINE void px_power_far(const struct power_table *t, const uint32_t *at, const float *u, float *r)
{
	const float a[3] = { t->a[0], t->a[1], t->a[2] }, *v = t->plain;
	for (int i = 0; i < PX_BLOCK; i += 8) {
		__m256 h = _mm256_castps128_ps256(px_power_four(v, at + i));
		h = _mm256_insertf128_ps(h, px_power_four(v, at + i + 4), 1);
		px_power_eight(a, (v8f)h, u + i, r + i);
	}
}

/* POWER_BLOCKS at most: all places first, for one block's must not wait for another's powers. */
IN_INLINE void px_power_blocks(const struct power_table *t, bool scaled, float slope, float offset,
                               const float *s, float *r, int blocks)
{
	struct px_power_row w;
	for (int k = 0; k < blocks; k++) px_power_places(&w, k, scaled, slope, offset, s + k * PX_BLOCK);
	for (int k = 0; k < blocks; k++, s += PX_BLOCK, r += PX_BLOCK) {
		const uint32_t first = w.first[k], width = w.last[k] - first, *at = w.at + k * PX_BLOCK;
		const float *u = w.u + k * PX_BLOCK;
		bool plain = first >= POWER_FROM && w.last[k] < POWER_END;
		if (!plain) px_power_block(t, scaled, slope, offset, s, r);
		else if (width < POWER_NEAR / 2) px_power_near(t, false, first, at, u, r);
		else if (width < POWER_NEAR) px_power_near(t, true, first, at, u, r);
		else px_power_far(t, at, u, r);
	}
}
#else
enum { POWER_BLOCKS = 1, POWER_ROW = PX_BLOCK };

IN_INLINE void px_power_blocks(const struct power_table *t, bool scaled, float slope, float offset,
                               const float *s, float *r, int blocks)
{ if (blocks) px_power_block(t, scaled, slope, offset, s, r); }
#endif

/* r = (s slope + offset)^y where that is above 0, else s slope + offset; r may be s. */
static IN_NOINLINE IN_UNUSED void px_power_by(const struct power_table *t, bool scaled, float slope,
                                              float offset, const float *s, float *r, int n)
{
	while (n >= PX_BLOCK) {
		int blocks = n < POWER_ROW ? n / PX_BLOCK : POWER_BLOCKS;
		if (scaled) px_power_blocks(t, true, slope, offset, s, r, blocks);
		else px_power_blocks(t, false, 0, 0, s, r, blocks);
		n -= blocks * PX_BLOCK;
		s += blocks * PX_BLOCK;
		r += blocks * PX_BLOCK;
	}
	if (n) px_power_any(t, scaled, slope, offset, s, r, n);
}

#endif
