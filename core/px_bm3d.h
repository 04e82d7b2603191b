/* px_bm3d - blocks of 8x8 pixels: their cosine transform, groups of alike ones, and what is kept of them.
 *
 * Block matching and collaborative filtering after Dabov et al. (2007), with a threshold per
 * coefficient for noise that is not white (Makinen et al. 2020). All sums run in a fixed order;
 * a block is eight rows of eight floats.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_BM3D_H
#define IN_PX_BM3D_H

#include <immintrin.h>

#include "base.h"
#include "px_math.h"

enum { BM_SIDE = 8, BM_STEP = 4, BM_MOST = 8, BM_REFS = 8 };

typedef float bm8 __attribute__((vector_size(32), may_alias));
typedef float bm8u __attribute__((vector_size(32), aligned(4), may_alias));
typedef int bm8i __attribute__((vector_size(32), may_alias));
typedef int bm8iu __attribute__((vector_size(32), aligned(4), may_alias));

#define BM_LOAD(p) ((bm8)*(const bm8u *)(const void *)(p))
#define BM_STORE(p, v) (*(bm8u *)(void *)(p) = (bm8u)(v))
#define BM_ABS(v) ((bm8)((bm8i)(v) & 0x7fffffff))
/* Of the eight values v, of the sixteen u and v those that k names. */
#define BM_AMONG(v, k) ((bm8)__builtin_shuffle((bm8)(v), (bm8i)(k)))
#define BM_AMONG2(u, v, k) ((bm8)__builtin_shuffle((bm8)(u), (bm8)(v), (bm8i)(k)))
#define BM_MASKED(m, v) ((bm8)((bm8i)(m) & (bm8i)(v)))

/* sqrt(1/2), and cosines of pi / 8 and 3 pi / 8 as the transforms below have them. */
#define BM_R2 0x1.6a09e6p-1f
#define BM_C6 0x1.87de2ap-2f
#define BM_C26 0x1.1517a8p-1f
#define BM_C2P6 0x1.4e7aeap+0f

/* The cosine transform of eight values down the columns of v[0..8) with five products (Arai, Agui, Nakajima 1988);
 * value k comes out 8^(1/2) s_k times the orthonormal one's, s_0 = 1, s_k = sqrt(2) cos(k pi / 16). */
IN_INLINE void bm_dct(bm8 *v)
{
	bm8 s0 = v[0] + v[7], s1 = v[1] + v[6], s2 = v[2] + v[5], s3 = v[3] + v[4];
	bm8 d0 = v[0] - v[7], d1 = v[1] - v[6], d2 = v[2] - v[5], d3 = v[3] - v[4];
	bm8 a = s0 + s3, b = s1 + s2, c = s0 - s3, d = (s1 - s2 + c) * BM_R2;
	v[0] = a + b, v[4] = a - b;
	v[2] = c + d, v[6] = c - d;
	bm8 e = d3 + d2, f = (d2 + d1) * BM_R2, g = d1 + d0, h = (e - g) * BM_C6;
	bm8 p = e * BM_C26 + h, q = g * BM_C2P6 + h, r = d0 + f, t = d0 - f;
	v[5] = t + p, v[3] = t - p;
	v[1] = r + q, v[7] = r - q;
}

/* And back, of values that are 8^(-1/2) s_k times the orthonormal ones. */
IN_INLINE void bm_idct(bm8 *v)
{
	bm8 a = v[0] + v[4], b = v[0] - v[4], c = v[2] + v[6], d = (v[2] - v[6]) * (2 * BM_R2) - c;
	bm8 s0 = a + c, s3 = a - c, s1 = b + d, s2 = b - d;
	bm8 e = v[5] + v[3], f = v[5] - v[3], g = v[1] + v[7], h = v[1] - v[7], z = (f + h) * 0x1.d906bcp+0f;
	bm8 d0 = g + e, d1 = (z - f * 0x1.4e7aeap+1f) - d0, d2 = (g - e) * (2 * BM_R2) - d1, d3 = (z - h * 0x1.1517a8p+0f) - d2;
	v[0] = s0 + d0, v[7] = s0 - d0;
	v[1] = s1 + d1, v[6] = s1 - d1;
	v[2] = s2 + d2, v[5] = s2 - d2;
	v[3] = s3 + d3, v[4] = s3 - d3;
}

/* 1 / (8 s_u s_v), and s_u s_v / 8: what makes both orthonormal. */
static const float bm_scale[64] = {
	0x1p-3f, 0x1.7121a6p-4f, 0x1.87de2ap-4f, 0x1.b36b92p-4f,
	0x1p-3f, 0x1.45d382p-3f, 0x1.d906bcp-3f, 0x1.cfeffp-2f,
	0x1.7121a6p-4f, 0x1.0a2102p-4f, 0x1.1a855ep-4f, 0x1.39eba4p-4f,
	0x1.7121a6p-4f, 0x1.d5d0bp-4f, 0x1.55087p-3f, 0x1.4e7aeap-2f,
	0x1.87de2ap-4f, 0x1.1a855ep-4f, 0x1.2bec34p-4f, 0x1.4d4196p-4f,
	0x1.87de2ap-4f, 0x1.f2c0cep-4f, 0x1.6a09e6p-3f, 0x1.63150cp-2f,
	0x1.b36b92p-4f, 0x1.39eba4p-4f, 0x1.4d4196p-4f, 0x1.724b62p-4f,
	0x1.b36b92p-4f, 0x1.1517a8p-3f, 0x1.92469cp-3f, 0x1.8a8bd4p-2f,
	0x1p-3f, 0x1.7121a6p-4f, 0x1.87de2ap-4f, 0x1.b36b92p-4f,
	0x1p-3f, 0x1.45d382p-3f, 0x1.d906bcp-3f, 0x1.cfeffp-2f,
	0x1.45d382p-3f, 0x1.d5d0bp-4f, 0x1.f2c0cep-4f, 0x1.1517a8p-3f,
	0x1.45d382p-3f, 0x1.9eb2b6p-3f, 0x1.2d062ep-2f, 0x1.273d74p-1f,
	0x1.d906bcp-3f, 0x1.55087p-3f, 0x1.6a09e6p-3f, 0x1.92469cp-3f,
	0x1.d906bcp-3f, 0x1.2d062ep-2f, 0x1.b504f4p-2f, 0x1.ac9f44p-1f,
	0x1.cfeffp-2f, 0x1.4e7aeap-2f, 0x1.63150cp-2f, 0x1.8a8bd4p-2f,
	0x1.cfeffp-2f, 0x1.273d74p-1f, 0x1.ac9f44p-1f, 0x1.a462e4p+0f
};
static const float bm_unscale[64] = {
	0x1p-3f, 0x1.63150cp-3f, 0x1.4e7aeap-3f, 0x1.2d062ep-3f,
	0x1p-3f, 0x1.92469cp-4f, 0x1.1517a8p-4f, 0x1.1a855ep-5f,
	0x1.63150cp-3f, 0x1.ec835ep-3f, 0x1.cfeffp-3f, 0x1.a18852p-3f,
	0x1.63150cp-3f, 0x1.16fc7ep-3f, 0x1.805694p-4f, 0x1.87de2ap-5f,
	0x1.4e7aeap-3f, 0x1.cfeffp-3f, 0x1.b504f4p-3f, 0x1.894e98p-3f,
	0x1.4e7aeap-3f, 0x1.06cca2p-3f, 0x1.6a09e6p-4f, 0x1.7121a6p-5f,
	0x1.2d062ep-3f, 0x1.a18852p-3f, 0x1.894e98p-3f, 0x1.61f78ap-3f,
	0x1.2d062ep-3f, 0x1.d906bcp-4f, 0x1.45d382p-4f, 0x1.4c35a2p-5f,
	0x1p-3f, 0x1.63150cp-3f, 0x1.4e7aeap-3f, 0x1.2d062ep-3f,
	0x1p-3f, 0x1.92469cp-4f, 0x1.1517a8p-4f, 0x1.1a855ep-5f,
	0x1.92469cp-4f, 0x1.16fc7ep-3f, 0x1.06cca2p-3f, 0x1.d906bcp-4f,
	0x1.92469cp-4f, 0x1.3c10eap-4f, 0x1.b36b92p-5f, 0x1.bbf35ap-6f,
	0x1.1517a8p-4f, 0x1.805694p-4f, 0x1.6a09e6p-4f, 0x1.45d382p-4f,
	0x1.1517a8p-4f, 0x1.b36b92p-5f, 0x1.2bec34p-5f, 0x1.31cc6ap-6f,
	0x1.1a855ep-5f, 0x1.87de2ap-5f, 0x1.7121a6p-5f, 0x1.4c35a2p-5f,
	0x1.1a855ep-5f, 0x1.bbf35ap-6f, 0x1.31cc6ap-6f, 0x1.37ca18p-7f
};

#define BM_MIX(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#define BM_LOW(a, b) BM_MIX(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define BM_HIGH(a, b) BM_MIX(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define BM_LOW2(a, b) BM_MIX(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define BM_HIGH2(a, b) BM_MIX(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define BM_LOW4(a, b) BM_MIX(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define BM_HIGH4(a, b) BM_MIX(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

IN_INLINE void bm_turn(bm8 *v)
{
	bm8 a0 = BM_LOW(v[0], v[1]), a1 = BM_HIGH(v[0], v[1]), a2 = BM_LOW(v[2], v[3]), a3 = BM_HIGH(v[2], v[3]);
	bm8 a4 = BM_LOW(v[4], v[5]), a5 = BM_HIGH(v[4], v[5]), a6 = BM_LOW(v[6], v[7]), a7 = BM_HIGH(v[6], v[7]);
	bm8 b0 = BM_LOW2(a0, a2), b1 = BM_HIGH2(a0, a2), b2 = BM_LOW2(a1, a3), b3 = BM_HIGH2(a1, a3);
	bm8 b4 = BM_LOW2(a4, a6), b5 = BM_HIGH2(a4, a6), b6 = BM_LOW2(a5, a7), b7 = BM_HIGH2(a5, a7);
	v[0] = BM_LOW4(b0, b4), v[4] = BM_HIGH4(b0, b4);
	v[1] = BM_LOW4(b1, b5), v[5] = BM_HIGH4(b1, b5);
	v[2] = BM_LOW4(b2, b6), v[6] = BM_HIGH4(b2, b6);
	v[3] = BM_LOW4(b3, b7), v[7] = BM_HIGH4(b3, b7);
}

/* A block to its orthonormal coefficients, which lie transposed, and back. Each in two halves: where
 * several blocks are at hand, first the one for all of them and then the other takes a fifth less time, as
 * the chains of products that a core sees at once are shorter. */
IN_INLINE void bm_into(const bm8 *s, bm8 *o)
{
	bm8 v[8];
	for (int i = 0; i < 8; i++) v[i] = s[i];
	bm_dct(v);
	for (int i = 0; i < 8; i++) o[i] = v[i];
}
IN_INLINE void bm_into2(bm8 *c)
{
	bm8 v[8];
	for (int i = 0; i < 8; i++) v[i] = c[i];
	bm_turn(v);
	bm_dct(v);
	for (int i = 0; i < 8; i++) c[i] = v[i] * BM_LOAD(bm_scale + 8 * i);
}
IN_INLINE void bm_back(const bm8 *c, bm8 *o)
{
	bm8 v[8];
	for (int i = 0; i < 8; i++) v[i] = c[i] * BM_LOAD(bm_unscale + 8 * i);
	bm_idct(v);
	for (int i = 0; i < 8; i++) o[i] = v[i];
}
IN_INLINE void bm_back2(const bm8 *s, bm8 *v)
{
	for (int i = 0; i < 8; i++) v[i] = s[i];
	bm_turn(v);
	bm_idct(v);
}
IN_INLINE void bm_backward(const bm8 *c, bm8 *v)
{
	bm_back(c, v);
	bm_turn(v);
	bm_idct(v);
}
/* The coefficients of the block at s. */
IN_INLINE void bm_forward(const float *s, ptrdiff_t stride, bm8 *c)
{
	bm8 v[8];
	for (int i = 0; i < 8; i++) v[i] = BM_LOAD(s + i * stride);
	bm_dct(v);
	bm_turn(v);
	bm_dct(v);
	for (int i = 0; i < 8; i++) c[i] = v[i] * BM_LOAD(bm_scale + 8 * i);
}

/* Haar's transform over eight values, not normalised: the sum, the halves'
 * difference, the quarters', the pairs'. BM_SPANS: how many values each is a sum
 * over, which is its squared norm. */
IN_INLINE void bm_haar(bm8 *v)
{
	bm8 a = v[0] + v[1], b = v[2] + v[3], c = v[4] + v[5], d = v[6] + v[7];
	bm8 e = v[0] - v[1], f = v[2] - v[3], g = v[4] - v[5], h = v[6] - v[7];
	bm8 p = a + b, q = c + d;
	v[0] = p + q, v[1] = p - q;
	v[2] = a - b, v[3] = c - d;
	v[4] = e, v[5] = f, v[6] = g, v[7] = h;
}
IN_INLINE void bm_unhaar(bm8 *v)
{
	bm8 p = v[0] + v[1], q = v[0] - v[1];
	bm8 a = p + v[2], b = p - v[2], c = q + v[3], d = q - v[3];
	bm8 e = v[4], f = v[5], g = v[6], h = v[7];
	v[0] = a + e, v[1] = a - e, v[2] = b + f, v[3] = b - f;
	v[4] = c + g, v[5] = c - g, v[6] = d + h, v[7] = d - h;
}
#define BM_ALL8(F) F(0, 8) F(1, 8) F(2, 4) F(3, 4) F(4, 2) F(5, 2) F(6, 2) F(7, 2)

/* A fixed order of adding lanes. */
IN_INLINE float bm_total(const bm8 *v)
{
	float t[8];
	BM_STORE(t, *v);
	return ((t[0] + t[4]) + (t[2] + t[6])) + ((t[1] + t[5]) + (t[3] + t[7]));
}

/* Hard threshold over eight blocks' coefficients g[8 i ..]: what is below times sigma of its
 * coefficient is grain. Returns the variance that is left: 1 / it is the estimate's weight. */
IN_INLINE float bm_hard(bm8 *g, const float *sigma, float times)
{
	const bm8 one = { 1, 1, 1, 1, 1, 1, 1, 1 };
	bm8 kept = { 0 };
	for (int k = 0; k < 8; k++) {
		bm8 v[8], s = BM_LOAD(sigma + 8 * k), left = { 0 };
		bm8 s2 = s * (times * 0x1.6a09e6p+0f), s4 = s * (times * 2.0f), s8 = s2 * 2.0f;
		for (int i = 0; i < 8; i++) v[i] = g[8 * i + k];
		bm_haar(v);
#define BM_CUT(i, span) { \
		bm8i m = BM_ABS(v[i]) > s##span; \
		v[i] = BM_MASKED(m, v[i]) * (1.0f / span); \
		left += BM_MASKED(m, one); }
		BM_ALL8(BM_CUT)
#undef BM_CUT
		kept += left * (s * s);
		bm_unhaar(v);
		for (int i = 0; i < 8; i++) g[8 * i + k] = v[i];
	}
	return bm_total(&kept);
}

/* Wiener's share b^2 / (b^2 + sigma^2) of the noisy group z, b the estimate's,
 * where `share` of sigma^2 is left. Result in z; returns as bm_hard. */
IN_INLINE float bm_wiener(bm8 *z, const bm8 *b, const float *sigma, float share)
{
	bm8 kept = { 0 };
	for (int k = 0; k < 8; k++) {
		bm8 v[8], w[8], s = BM_LOAD(sigma + 8 * k), left = { 0 };
		bm8 s2, s4, s8;
		s = s * s * share;
		s2 = s * 2.0f, s4 = s * 4.0f, s8 = s * 8.0f;
		for (int i = 0; i < 8; i++) w[i] = b[8 * i + k];
		bm_haar(w);
		for (int i = 0; i < 8; i++) v[i] = z[8 * i + k];
		bm_haar(v);
		/* two shares by one division */
#define BM_SHARES(i, j, span) { \
		bm8 p = w[i] * w[i], q = w[j] * w[j], c = p + s##span, d = q + s##span, t = 1.0f / (c * d); \
		p *= d * t, q *= c * t; \
		left += p * p + q * q; \
		v[i] *= p * (1.0f / span), v[j] *= q * (1.0f / span); }
		BM_SHARES(0, 1, 8) BM_SHARES(2, 3, 4) BM_SHARES(4, 5, 2) BM_SHARES(6, 7, 2)
#undef BM_SHARES
		kept += left * s;
		bm_unhaar(v);
		for (int i = 0; i < 8; i++) z[8 * i + k] = v[i];
	}
	return bm_total(&kept);
}

/* --- matching: absolute differences of 8-bit luma; whole numbers, so any
 * order of adding gives the same --- */

/* Every second row of eight reference blocks: four blocks, 8 pixels apart from a on, and four `apart` pixels
 * further. */
#ifdef __AVX2__
struct bm_eight { __m256i even[4], odd[4]; };
#else
struct bm_eight { __m128i even[8], odd[8]; };
#endif
IN_INLINE void bm_eight_at(const uint8_t *a, ptrdiff_t stride, int apart, struct bm_eight *o)
{
	for (int y = 0; y < 4; y++, a += 2 * stride) {
		__builtin_memcpy((uint8_t *)o->even + 32 * y, a, 32);
		__builtin_memcpy((uint8_t *)o->odd + 32 * y, a + apart, 32);
	}
}
/* Their differences from the blocks from b on: those from a on in the even lanes, the others in the odd ones. */
IN_INLINE void bm_differences(const struct bm_eight *a, const uint8_t *b, ptrdiff_t stride, int apart, bm8i *out)
{
#ifdef __AVX2__
	__m256i even = _mm256_setzero_si256(), odd = even;
	for (int y = 0; y < 4; y++, b += 2 * stride) {
		even = _mm256_add_epi64(even, _mm256_sad_epu8(a->even[y], _mm256_loadu_si256((const void *)b)));
		odd = _mm256_add_epi64(odd, _mm256_sad_epu8(a->odd[y], _mm256_loadu_si256((const void *)(b + apart))));
	}
	*out = (bm8i)_mm256_or_si256(even, _mm256_slli_epi64(odd, 32));
#else
	__m128i r[2];
	for (int h = 0; h < 2; h++) {
		__m128i even = _mm_setzero_si128(), odd = even;
		for (int y = 0; y < 4; y++) {
			const uint8_t *q = b + 2 * y * stride + 16 * h;
			even = _mm_add_epi64(even, _mm_sad_epu8(a->even[2 * y + h], _mm_loadu_si128((const void *)q)));
			odd = _mm_add_epi64(odd, _mm_sad_epu8(a->odd[2 * y + h], _mm_loadu_si128((const void *)(q + apart))));
		}
		r[h] = _mm_or_si128(even, _mm_slli_epi64(odd, 32));
	}
	__builtin_memcpy(out, r, sizeof *out);
#endif
}
/* Blocks 4 pixels apart lie in lanes as they come; 8 apart, block i is in lane bm_lane(i). */
enum { BM_APART4 = 4, BM_APART8 = 32 };
IN_INLINE int bm_lane(int i) { return i < 4 ? 2 * i : 2 * i - 7; }

IN_INLINE void bm_order(bm8i *lo, bm8i *hi)
{
#ifdef __AVX2__
	__m256i a = (__m256i)*lo, b = (__m256i)*hi;
	*lo = (bm8i)_mm256_min_epi32(a, b);
	*hi = (bm8i)_mm256_max_epi32(a, b);
#else
	bm8i a = *lo, b = *hi, m = a < b;
	*lo = (a & m) | (b & ~m);
	*hi = (b & m) | (a & ~m);
#endif
}
IN_INLINE bool bm_any_less(const bm8i *a, const bm8i *b)
{
	bm8i m = *a < *b;
#ifdef __AVX2__
	return !_mm256_testz_si256((__m256i)m, (__m256i)m);
#else
	int64_t t[4];
	__builtin_memcpy(t, &m, sizeof t);
	return (t[0] | t[1] | t[2] | t[3]) != 0;
#endif
}

/* Displacements that are tried, nearest first (the first is none at all). Threads: frozen. */
enum { BM_TRIES = 4096, BM_KEY_BITS = 12 };
struct bm_tries { int n, reach; int8_t dx[BM_TRIES], dy[BM_TRIES]; };

/* The n best displacements of eight blocks, 8 pixels apart from luma on, in bm_lane's order: best[i]
 * holds (difference << 12 | try). Reads up to 64 pixels from luma on, displaced. */
IN_INLINE void bm_match(const uint8_t *luma, ptrdiff_t stride, const struct bm_tries *t, int n, bm8i *best)
{
	bm8i b[BM_MOST], key;
	struct bm_eight own;
	bm_eight_at(luma, stride, BM_APART8, &own);
	for (int i = 0; i < n; i++) b[i] = (bm8i){ 0 } + INT32_MAX;
	for (int k = 0; k < t->n; k++) {
		bm_differences(&own, luma + t->dy[k] * stride + t->dx[k], stride, BM_APART8, &key);
		key = (key << BM_KEY_BITS) | k;
		if (!bm_any_less(&key, &b[n - 1])) continue;
		for (int i = 0; i < n; i++) bm_order(&b[i], &key);
	}
	for (int i = 0; i < n; i++) best[i] = b[i];
}

#endif
