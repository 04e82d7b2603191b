/* px_noise - rows of white Gaussian noise as a pure function of place, time and seed.
 *
 * A word of a Philox block becomes two independent normal values (Box and Muller 1958), by
 * polynomials without branches; a block serves eight pixels of one channel. Equal bits on every
 * instruction set.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_NOISE_H
#define IN_PX_NOISE_H

#include <immintrin.h>

#include "base.h"
#include "rng.h"

/* Vectors of words. */
typedef uint32_t px_noise_w __attribute__((vector_size(sizeof(vnf)), aligned(4), may_alias));
typedef int32_t px_noise_i __attribute__((vector_size(sizeof(vnf)), aligned(4), may_alias));

IN_INLINE vnf px_noise_sqrt(vnf x)
{
#if IN_LANES == 16
	return (vnf)_mm512_sqrt_ps((__m512)x);
#elif IN_LANES == 8
	return (vnf)_mm256_sqrt_ps((__m256)x);
#else
	return (vnf)_mm_sqrt_ps((__m128)x);
#endif
}

enum { PX_NOISE_SIDE = 3 };

/* A word is a point of the plane: bits 14 to 31 its distance r = sqrt(-2 ln u), u in 2^18 steps (r to
 * 5.13), bits 1 to 13 a direction of half a turn, bit 0 which half. Polynomials are minimax;
 * tests/unit/grain.c has the errors. -2 ln u is a straight line in the float's own bits plus (m -
 * 1) (2 - m) times a cubic in its mantissa, within 2.2e-5 and above 0 for all u.
 * Vectors of words go side by side, n of them, PX_NOISE_SIDE at most: one is a long chain. unit, a power of two,
 * multiplies. */
IN_INLINE void px_noise_far(int n, const px_noise_w *w, float unit, vnf *r)
{
	const float k = unit * unit, a = 1.25136737f * k, b = 0.969681034f * k, c = 0.393529999f * k, d = 0.0625892885f * k;
	vnf m[PX_NOISE_SIDE], q[PX_NOISE_SIDE], h[PX_NOISE_SIDE];
	for (int i = 0; i < n; i++) {
		vnf f = __builtin_convertvector((px_noise_i)(w[i] >> 13 | 1), vnf);   /* 2^19 u */
		r[i] = __builtin_convertvector(0x49000000 - (px_noise_i)f, vnf) * (1.652627e-7f * k);   /* 2 ln 2 / 2^23 */
		m[i] = (vnf)(((px_noise_i)f & 0x7fffff) | 0x3f800000);
	}
	for (int i = 0; i < n; i++) q[i] = m[i] * m[i];
	for (int i = 0; i < n; i++) h[i] = (a - b * m[i]) + q[i] * (c - d * m[i]);
	for (int i = 0; i < n; i++) r[i] = px_noise_sqrt(r[i] - (m[i] - 1.0f) * (2.0f - m[i]) * h[i]);
}
/* Sine and cosine of t quarters of a turn, |t| < 1, within 6e-7 and 8e-6: bits 1 to 13, the last of them turned
 * over, and a half, in steps of 2^-13 above 1024, are 1025 + t. */
IN_INLINE vnf px_noise_turn(px_noise_w w) { return (vnf)((w & 0x3ffeu) ^ 0x44802001u) - 1025.0f; }
IN_INLINE vnf px_noise_sine(vnf t, vnf q)
{ return t * ((1.57079101f - 0.645892848f * q) + (q * q) * (0.0794343410f - 0.00433309321f * q)); }
IN_INLINE vnf px_noise_cosine(vnf q)
{ return (1.0f - q) * ((0.999992182f - 0.233466049f * q) + (q * q) * 0.0190281518f); }

/* Words a piece; a piece of pixels is twice as long: first the cosines of its words, then their sines. */
enum { PX_NOISE_PIECE = 8 };
/* Words that are done in turn: a piece, or as many as a vector has. */
enum { PX_NOISE_TURN = IN_LANES > PX_NOISE_PIECE ? IN_LANES : PX_NOISE_PIECE };

/* The values of the words from i of a turn on to the pieces of that turn. */
IN_INLINE void px_noise_put(float *out, int i, vnf c, vnf s)
{
#if IN_LANES == 16
	*(vnf *)(out + i) = (vnf)_mm512_shuffle_f32x4((__m512)c, (__m512)s, 0x44);
	*(vnf *)(out + i + IN_LANES) = (vnf)_mm512_shuffle_f32x4((__m512)c, (__m512)s, 0xee);
#else
	*(vnf *)(out + i) = c;
	*(vnf *)(out + i + PX_NOISE_PIECE) = s;
#endif
}

/* The two values of each word of n vectors, times unit. */
IN_INLINE void px_noise_pairs(int n, const px_noise_w *w, float unit, vnf *c, vnf *s)
{
	vnf r[PX_NOISE_SIDE], t[PX_NOISE_SIDE];
	px_noise_far(n, w, unit, r);
	for (int i = 0; i < n; i++) t[i] = px_noise_turn(w[i]), r[i] = (vnf)((px_noise_w)r[i] ^ w[i] << 31);
	for (int i = 0; i < n; i++) c[i] = r[i] * px_noise_cosine(t[i] * t[i]);
	for (int i = 0; i < n; i++) s[i] = r[i] * px_noise_sine(t[i], t[i] * t[i]);
}

/* 2 n values of n words, n a multiple of PX_NOISE_PIECE; whole turns are read and written. */
static IN_NOINLINE IN_UNUSED void px_noise_normal(const uint32_t *IN_RESTRICT words, int n,
                                                  float *IN_RESTRICT out)
{
	for (int x = 0; x < n; x += PX_NOISE_TURN)
		for (int i = 0; i < PX_NOISE_TURN; i += IN_LANES) {
			vnf c, s;
			px_noise_pairs(1, (const px_noise_w *)(words + x + i), 1, &c, &s);
			px_noise_put(out + 2 * x, i, c, s);
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
/* Words that the blocks of one vector have. */
enum { PX_NOISE_STEP = 4 * PHILOX_LANES };
_Static_assert(PX_NOISE_STEP % PX_NOISE_TURN == 0, "rows of words end with whole turns");

/* Room for the values of n pixels, from a piece's begin to what turns write beyond. */
IN_INLINE size_t px_noise_room(int n) { return ((size_t)n + 2 * PX_NOISE_PIECE + 79) & ~(size_t)15; }
/* How far into its piece a pixel lies; where on the values of a row begin. */
IN_INLINE int px_noise_skip(int x) { return x & (2 * PX_NOISE_PIECE - 1); }

/* Words of n pixels from x on, y, in nch channels (1 or 3), px_noise_room(n) apart:
 * those of whole pieces. How many. */
static IN_NOINLINE IN_UNUSED int px_noise_words(struct px_noise_key *key, int nch, int x, int y, int n,
                             uint32_t *IN_RESTRICT words)
{
	philox_row(&key->row, (uint32_t)y * 4);
	uint32_t c[2 * PHILOX_LANES] = { 0 };
	size_t room = px_noise_room(n);
	int skip = px_noise_skip(x),
		count = (n + skip + 2 * PX_NOISE_PIECE - 1) / (2 * PX_NOISE_PIECE) * PX_NOISE_PIECE;
	vwide c0, p[4][PX_NOISE_CHANNELS];
	for (int i = 0; i < PHILOX_LANES; i++) c[2 * i] = (uint32_t)((x - skip) / 8 + i);
	__builtin_memcpy(&c0, c, sizeof c0);
	for (int i = 0; i < count; i += PX_NOISE_STEP) {
		philox_blocks(&key->row, nch, c0, p[0], p[1], p[2], p[3]);
		for (int j = 0; j < nch; j++) {
			uint32_t *to = words + (size_t)j * room + i;
			vwide a = vwide_join(p[0][j], p[1][j]), b = vwide_join(p[2][j], p[3][j]);
			vwide_store(to, vwide_lower(a, b));
			vwide_store(to + PX_NOISE_STEP / 2, vwide_upper(a, b));
		}
		c0 += vwide_of(PHILOX_LANES);
	}
	return count;
}

/* White rows of n normal values at (x .. x + n - 1, y) from px_noise_skip(x) on, in nch channels (1
 * or 3), one a pointer. words: nch times px_noise_room(n). */
static IN_UNUSED void px_noise_rows(struct px_noise_key *key, int nch, int x, int y, int n,
                                    uint32_t *IN_RESTRICT words, float *const *out)
{
	size_t room = px_noise_room(n);
	int count = nch == 1 ? px_noise_words(key, 1, x, y, n, words)
	          : px_noise_words(key, PX_NOISE_CHANNELS, x, y, n, words);
	for (int j = 0; j < nch; j++) px_noise_normal(words + (size_t)j * room, count, out[j]);
}

#endif
