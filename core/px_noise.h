/* px_noise - rows of white Gaussian noise as a pure function of place, time and seed.
 *
 * One Philox block gives four neighbours their words in one channel, three blocks all channels of
 * four pixels; a word becomes a normal value through the inverse of the distribution, as one
 * polynomial without branches. Equal bits on every instruction set.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_NOISE_H
#define IN_PX_NOISE_H

#include "base.h"
#include "px_math.h"
#include "rng.h"

/* The normal value whose probability is that of a word: 2^24 values, symmetric, to +-5.42. With
 * y = 2 p - 1 in (-1, 1) and L = -log2(1 - y^2), x / y is a smooth function of L all the way from
 * the middle (L = 0: sqrt(pi/2)) into the tail (L = 23): a polynomial of degree 9 in
 * t = L / 12 - 1, the minimax one (Remez exchange) for |y| times its error. log2 is exponent and
 * mantissa of the float's own bits plus the minimax polynomial of degree 4 in the mantissa. Error
 * below 9e-5 in all of them (tests/unit/grain.c). Three short steps, because one is a chain longer
 * than a core sees ahead. */
IN_INLINE float px_noise_uniform(uint32_t w)
{ return (float)((int32_t)w >> 8) * 0x1p-23f + 0x1p-24f; }
IN_INLINE float px_noise_arg(float z)
{
	uint32_t u = px_bitsf(z);
	float m = px_flt((u & 0x7fffffu) | 0x3f800000u), q = m * m;
	float low = (float)(int32_t)u * -9.93410746e-9f + (9.70940455f - 0.255840906f * m);
	return low + q * ((0.176722934f - 0.0537618665f * m) + 0.00680131784f * q);
}
IN_INLINE float px_noise_ratio(float t)
{
	float q = t * t, a = 3.84232938f + 2.03780276f * t, b = -0.469362051f + 0.186004166f * t;
	float c = -0.0878945564f + 0.0125497124f * t, d = 0.120410893f - 0.12802008f * t;
	float e = -0.0073286599f + 0.0361622844f * t;
	return (a + q * b) + (q * q) * ((c + q * d) + (q * q) * e);
}

enum { PX_NOISE_BATCH = 256 };

static IN_UNUSED void px_noise_normal(const uint32_t *IN_RESTRICT w, int n, float *IN_RESTRICT out)
{
	float t[PX_NOISE_BATCH];
	for (int x = 0; x < n; x += PX_NOISE_BATCH) {
		int m = n - x < PX_NOISE_BATCH ? n - x : PX_NOISE_BATCH;
		float *IN_RESTRICT o = out + x;
		for (int i = 0; i < m; i++) {
			o[i] = px_noise_uniform(w[x + i]);
			t[i] = (1.0f - o[i]) * (1.0f + o[i]);
		}
		for (int i = 0; i < m; i++) t[i] = px_noise_arg(t[i]);
		for (int i = 0; i < m; i++) o[i] *= px_noise_ratio(t[i]);
	}
}

/* What names one field of noise: a seed, a node instance, a frame. */
struct px_noise_key { struct philox_row row; };         /* worker: rows change it */

IN_INLINE struct px_noise_key px_noise_key(uint32_t seed, uint64_t instance, int frame)
{
	struct px_noise_key k = { philox_rows((uint32_t)frame, (uint32_t)instance, seed,
	                                      (uint32_t)(instance >> 32)) };
	return k;
}

enum { PX_NOISE_CHANNELS = PHILOX_STREAMS };
/* Pixels that the blocks of one vector serve. */
enum { PX_NOISE_STEP = 4 * PHILOX_LANES };

/* Words a channel's row needs, and room for n pixels and what vectors write beyond them. */
IN_INLINE size_t px_noise_room(int n) { return ((size_t)n + 3 + 31) & ~(size_t)15; }

/* Words of n pixels from x on, y, in nch channels (1 or 3), px_noise_room(n) apart; a channel's
 * first pixel has the word at the place returned. */
IN_INLINE int px_noise_words(struct px_noise_key *key, int nch, int x, int y, int n,
                             uint32_t *IN_RESTRICT words)
{
	philox_row(&key->row, (uint32_t)y * 4);
	uint32_t c[2 * PHILOX_LANES] = { 0 };
	size_t room = px_noise_room(n);
	int skip = x & 3;
	vwide c0, p[4][PX_NOISE_CHANNELS];
	for (int i = 0; i < PHILOX_LANES; i++) c[2 * i] = (uint32_t)((x - skip) / 4 + i);
	__builtin_memcpy(&c0, c, sizeof c0);
	for (int i = 0; i < n + skip; i += PX_NOISE_STEP) {
		philox_blocks(&key->row, nch, c0, p[0], p[1], p[2], p[3]);
		for (int j = 0; j < nch; j++) {
			uint32_t *to = words + (size_t)j * room + i;
			vwide a = vwide_join(p[0][j], p[1][j]), b = vwide_join(p[2][j], p[3][j]);
			vwide_store(to, vwide_lower(a, b));
			vwide_store(to + PX_NOISE_STEP / 2, vwide_upper(a, b));
		}
		c0 += vwide_of(PHILOX_LANES);
	}
	return skip;
}

/* White rows of n normal values at (x .. x + n - 1, y), px_noise_room(n) apart, in nch channels
 * (1 or 3). words: as much room again. */
static IN_UNUSED void px_noise_rows(struct px_noise_key *key, int nch, int x, int y, int n,
                                    uint32_t *IN_RESTRICT words, float *IN_RESTRICT out)
{
	size_t room = px_noise_room(n);
	int at = nch == 1 ? px_noise_words(key, 1, x, y, n, words)
	       : px_noise_words(key, PX_NOISE_CHANNELS, x, y, n, words);
	for (int j = 0; j < nch; j++)
		px_noise_normal(words + (size_t)j * room + at, n, out + (size_t)j * room);
}

#endif
