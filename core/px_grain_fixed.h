/* px_grain_fixed - rows of shaped grain in 16-bit fixed point: normal values, their mix, kernels of several
 * terms down and across.
 *
 * GRAIN_UNIT is one standard deviation, so that sums hold eight of them for both taps of a pair; factors are
 * of 15 bits, products rounded to nearest. What rounding adds is white, 60 dB below the grain. Integers:
 * equal bits on every instruction set.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRAIN_FIXED_H
#define IN_PX_GRAIN_FIXED_H

#include <immintrin.h>

#include "grain_kernel.h"
#include "px_noise.h"

enum { GRAIN_UNIT = 2048, GRAIN_SHORTS = 2 * IN_LANES, GRAIN_SPAN = 4 };

typedef int16_t vns __attribute__((vector_size(4 * IN_LANES), aligned(2), may_alias));
typedef int16_t vnh __attribute__((vector_size(2 * IN_LANES), aligned(2), may_alias));
typedef int32_t vni __attribute__((vector_size(4 * IN_LANES), aligned(4), may_alias));

#define VNS(p, b) (*(const vns *)((p) + (b) * GRAIN_SHORTS))

/* A factor below 1 in both halves of a word, which vectors broadcast at no cost. */
static IN_UNUSED int32_t px_grain_factor(double v)
{
	double t = v * 32768 + (v < 0 ? -0.5 : 0.5);
	int32_t q = t > 32767 ? 32767 : t < -32767 ? -32767 : (int32_t)t;
	return (int32_t)((uint32_t)q << 16 | ((uint32_t)q & 0xffff));
}

/* a + b, held at the ends. */
IN_INLINE vns vns_add(vns a, vns b)
{
#if IN_LANES == 16
	return (vns)_mm512_adds_epi16((__m512i)a, (__m512i)b);
#elif IN_LANES == 8
	return (vns)_mm256_adds_epi16((__m256i)a, (__m256i)b);
#else
	return (vns)_mm_adds_epi16((__m128i)a, (__m128i)b);
#endif
}

/* a times a factor, to nearest. */
IN_INLINE vns vns_times(vns a, int32_t factor)
{
	vni f = (vni){ 0 } + factor;
#if IN_LANES == 16
	return (vns)_mm512_mulhrs_epi16((__m512i)a, (__m512i)f);
#elif IN_LANES == 8
	return (vns)_mm256_mulhrs_epi16((__m256i)a, (__m256i)f);
#else
	__m128i high = _mm_mulhi_epi16((__m128i)a, (__m128i)f), low = _mm_mullo_epi16((__m128i)a, (__m128i)f);
	low = _mm_srli_epi16(_mm_add_epi16(_mm_srli_epi16(low, 14), _mm_set1_epi16(1)), 1);
	return (vns)_mm_add_epi16(_mm_add_epi16(high, high), low);
#endif
}

/* --- white noise --- */

/* As px_noise_normal, times GRAIN_UNIT, of n turns of words, from i of each on. */
IN_INLINE void px_grain_turns(int n, const uint32_t *words, int i, int16_t *out)
{
	px_noise_w w[PX_NOISE_SIDE];
	vnf c[PX_NOISE_SIDE], s[PX_NOISE_SIDE];
	for (int k = 0; k < n; k++) w[k] = *(const px_noise_w *)(words + k * PX_NOISE_TURN + i);
	px_noise_pairs(n, w, GRAIN_UNIT, c, s);
	for (int k = 0; k < n; k++) {
		int16_t *to = out + 2 * k * PX_NOISE_TURN + i;
#if IN_LANES == 16
		__m512i v = _mm512_packs_epi32(_mm512_cvtps_epi32((__m512)c[k]), _mm512_cvtps_epi32((__m512)s[k]));
		_mm512_storeu_si512(to, _mm512_permutex_epi64(v, 0xd8));
#elif IN_LANES == 8
		__m256i v = _mm256_packs_epi32(_mm256_cvtps_epi32((__m256)c[k]), _mm256_cvtps_epi32((__m256)s[k]));
		_mm256_storeu_si256((__m256i *)(void *)to, _mm256_permute4x64_epi64(v, 0xd8));
#else
		__m128i v = _mm_packs_epi32(_mm_cvtps_epi32((__m128)c[k]), _mm_cvtps_epi32((__m128)s[k]));
		_mm_storel_epi64((__m128i *)(void *)to, v);
		_mm_storel_epi64((__m128i *)(void *)(to + PX_NOISE_PIECE), _mm_srli_si128(v, 8));
#endif
	}
}

static IN_NOINLINE IN_UNUSED void px_grain_normal(const uint32_t *IN_RESTRICT words, int n, int16_t *IN_RESTRICT out)
{
	int x = 0;
	for (; x + 2 * PX_NOISE_TURN <= n; x += 2 * PX_NOISE_TURN)
		for (int i = 0; i < PX_NOISE_TURN; i += IN_LANES) px_grain_turns(2, words + x, i, out + 2 * x);
	for (; x < n; x += PX_NOISE_TURN)
		for (int i = 0; i < PX_NOISE_TURN; i += IN_LANES) px_grain_turns(1, words + x, i, out + 2 * x);
}

/* to = w to, or to + w from; whole vectors from 0 until n. */
static IN_NOINLINE IN_UNUSED void px_grain_weigh(int16_t *to, const int16_t *from, int32_t w, int n)
{
	for (int x = 0; x < n; x += GRAIN_SHORTS) {
		vns *p = (vns *)(to + x);
		*p = from ? vns_add(*p, vns_times(VNS(from + x, 0), w)) : vns_times(*p, w);
	}
}

/* Channels of correlation m m^T from independent ones; m is lower triangular. */
static IN_NOINLINE IN_UNUSED void px_grain_blend(const int32_t m[3][3], int n, int16_t *a, int16_t *b, int16_t *c)
{
	for (int x = 0; x < n; x += GRAIN_SHORTS) {
		vns p = VNS(a + x, 0), q = VNS(b + x, 0), r = VNS(c + x, 0);
		*(vns *)(c + x) = vns_add(vns_add(vns_times(p, m[2][0]), vns_times(q, m[2][1])), vns_times(r, m[2][2]));
		*(vns *)(b + x) = vns_add(vns_times(p, m[1][0]), vns_times(q, m[1][1]));
	}
}

/* --- kernels --- */

/* d[k][x], e[k][x]: rows p[0 .. 2 radius] and p[1 .. 2 radius + 1] through w[k]: what both read is loaded
 * once. m vectors at once, so up to m - 1 of them beyond n. */
IN_INLINE void px_grain_fall_of(int ranks, int radius, const int32_t *const *w, const int16_t *const *p, int n,
                                int m, int16_t *const *d, int16_t *const *e)
{
	for (int x = 0; x < n; x += m * GRAIN_SHORTS) {
		vns acc[GRAIN_RANKS][2] = { { { 0 } } }, bcc[GRAIN_RANKS][2] = { { { 0 } } }, top[2], low[2];
		for (int b = 0; b < m; b++) top[b] = VNS(p[0] + x, b), low[b] = VNS(p[2 * radius + 1] + x, b);
		for (int i = radius; i > 0; i--)
			for (int b = 0; b < m; b++) {
				vns up = VNS(p[radius + 1 - i] + x, b), down = VNS(p[radius + i] + x, b);
				vns one = vns_add(top[b], down), two = vns_add(up, low[b]);
				for (int k = 0; k < ranks; k++) {
					acc[k][b] = vns_add(acc[k][b], vns_times(one, w[k][i]));
					bcc[k][b] = vns_add(bcc[k][b], vns_times(two, w[k][i]));
				}
				top[b] = up;
				low[b] = down;
			}
		for (int k = 0; k < ranks; k++)
			for (int b = 0; b < m; b++) {
				*(vns *)(d[k] + x + b * GRAIN_SHORTS) = vns_add(acc[k][b], vns_times(top[b], w[k][0]));
				*(vns *)(e[k] + x + b * GRAIN_SHORTS) = vns_add(bcc[k][b], vns_times(low[b], w[k][0]));
			}
	}
}

static IN_NOINLINE IN_UNUSED void px_grain_fall(int ranks, int radius, const int32_t *const *w, const int16_t *const *p,
                                                int n, int16_t *const *d, int16_t *const *e)
{
	if (ranks == 1) px_grain_fall_of(1, radius, w, p, n, 2, d, e);
	else if (ranks == 2) px_grain_fall_of(2, radius, w, p, n, 1, d, e);
	else px_grain_fall_of(3, radius, w, p, n, 1, d, e);
}

/* d[x]: rows s[k], radius more of them on each side, through w[k]; GRAIN_SPAN vectors at once, so up
 * to GRAIN_SPAN - 1 of them beyond n. */
static IN_NOINLINE IN_UNUSED void px_grain_along(int ranks, int radius, const int32_t *const *w, const int16_t *const *s,
                                                 int n, int16_t *d)
{
	for (int x = 0; x < n; x += GRAIN_SPAN * GRAIN_SHORTS) {
		vns acc[GRAIN_SPAN] = { { 0 } };
		for (int k = 0; k < ranks; k++) {
			const int16_t *c = s[k] + x;
			for (int i = radius; i > 0; i--)
				for (int b = 0; b < GRAIN_SPAN; b++)
					acc[b] = vns_add(acc[b], vns_times(vns_add(VNS(c - i, b), VNS(c + i, b)), w[k][i]));
			for (int b = 0; b < GRAIN_SPAN; b++) acc[b] = vns_add(acc[b], vns_times(VNS(c, b), w[k][0]));
		}
		for (int b = 0; b < GRAIN_SPAN; b++) *(vns *)(d + x + b * GRAIN_SHORTS) = acc[b];
	}
}

#endif
