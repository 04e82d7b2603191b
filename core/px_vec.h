/* px_vec - the widest vector of floats of an instruction set: lanes are independent and each
 * operation is the IEEE one, so a wider vector gives the same bits.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_VEC_H
#define IN_PX_VEC_H

#include <immintrin.h>

#include "base.h"

#if defined(__AVX512F__) && defined(__AVX512DQ__)
enum { PXV_LANES = 16 };
typedef __m512 pxv;
#elif defined(__AVX2__)
enum { PXV_LANES = 8 };
typedef __m256 pxv;
#else
enum { PXV_LANES = 4 };
typedef __m128 pxv;
#endif

/* The same bytes as whole numbers, for masks; a vector anywhere in memory. */
typedef int pxvi __attribute__((vector_size(sizeof(pxv))));
typedef float pxv_any __attribute__((vector_size(sizeof(pxv)), aligned(4), may_alias));

IN_INLINE pxv pxv_load(const float *p) { return (pxv)*(const pxv_any *)p; }
IN_INLINE void pxv_store(float *p, pxv v) { *(pxv_any *)p = (pxv_any)v; }

IN_INLINE pxv pxv_neg(pxv a) { return (pxv)((pxvi)a ^ (int)0x80000000); }
IN_INLINE pxv pxv_abs(pxv a) { return (pxv)((pxvi)a & 0x7fffffff); }

/* min: a < b ? a : b; max: a > b ? a : b, also for NaN and zeros: what minps and maxps do.
 * lt, le, eq: a op b ? c : d. bits_le: bit i is lane i's a <= b. */
#if defined(__AVX512F__) && defined(__AVX512DQ__)
IN_INLINE pxv pxv_of(float x) { return _mm512_set1_ps(x); }
IN_INLINE pxv pxv_min(pxv a, pxv b) { return _mm512_min_ps(a, b); }
IN_INLINE pxv pxv_max(pxv a, pxv b) { return _mm512_max_ps(a, b); }
IN_INLINE pxv pxv_sqrt(pxv a) { return _mm512_sqrt_ps(a); }
IN_INLINE pxv pxv_lt(pxv a, pxv b, pxv c, pxv d)
{ return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OS), d, c); }
IN_INLINE pxv pxv_le(pxv a, pxv b, pxv c, pxv d)
{ return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LE_OS), d, c); }
IN_INLINE pxv pxv_eq(pxv a, pxv b, pxv c, pxv d)
{ return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ), d, c); }
IN_INLINE unsigned pxv_bits_le(pxv a, pxv b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OS); }
#elif defined(__AVX2__)
IN_INLINE pxv pxv_of(float x) { return _mm256_set1_ps(x); }
IN_INLINE pxv pxv_min(pxv a, pxv b) { return _mm256_min_ps(a, b); }
IN_INLINE pxv pxv_max(pxv a, pxv b) { return _mm256_max_ps(a, b); }
IN_INLINE pxv pxv_sqrt(pxv a) { return _mm256_sqrt_ps(a); }
IN_INLINE pxv pxv_lt(pxv a, pxv b, pxv c, pxv d)
{ return _mm256_blendv_ps(d, c, _mm256_cmp_ps(a, b, _CMP_LT_OS)); }
IN_INLINE pxv pxv_le(pxv a, pxv b, pxv c, pxv d)
{ return _mm256_blendv_ps(d, c, _mm256_cmp_ps(a, b, _CMP_LE_OS)); }
IN_INLINE pxv pxv_eq(pxv a, pxv b, pxv c, pxv d)
{ return _mm256_blendv_ps(d, c, _mm256_cmp_ps(a, b, _CMP_EQ_OQ)); }
IN_INLINE unsigned pxv_bits_le(pxv a, pxv b) { return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LE_OS)); }
#else
IN_INLINE pxv pxv_of(float x) { return _mm_set1_ps(x); }
IN_INLINE pxv pxv_min(pxv a, pxv b) { return _mm_min_ps(a, b); }
IN_INLINE pxv pxv_max(pxv a, pxv b) { return _mm_max_ps(a, b); }
IN_INLINE pxv pxv_sqrt(pxv a) { return _mm_sqrt_ps(a); }
IN_INLINE pxv pxv_choose(pxv m, pxv c, pxv d)
{ return _mm_or_ps(_mm_and_ps(m, c), _mm_andnot_ps(m, d)); }
IN_INLINE pxv pxv_lt(pxv a, pxv b, pxv c, pxv d) { return pxv_choose(_mm_cmplt_ps(a, b), c, d); }
IN_INLINE pxv pxv_le(pxv a, pxv b, pxv c, pxv d) { return pxv_choose(_mm_cmple_ps(a, b), c, d); }
IN_INLINE pxv pxv_eq(pxv a, pxv b, pxv c, pxv d) { return pxv_choose(_mm_cmpeq_ps(a, b), c, d); }
IN_INLINE unsigned pxv_bits_le(pxv a, pxv b) { return (unsigned)_mm_movemask_ps(_mm_cmple_ps(a, b)); }
#endif

/* px_floor: 0 for -0. */
IN_INLINE pxv pxv_floor(pxv x)
{
	pxv m = (pxv)(((pxvi)x & (int)0x80000000) | 0x4b000000);         /* 2^23 with x's sign */
	pxv t = (x + m) - m, one = pxv_of(1.0f), zero = pxv_of(0.0f);
	t -= pxv_lt(x, t, one, zero);
	return pxv_lt(pxv_abs(x), pxv_of(8388608.0f), t, x);
}

#endif
