/* rng - Philox4x32 (Salmon et al., SC 2011): noise as a pure function of place, time and seed.
 *
 * Single blocks have the usual 10 rounds, rows of blocks the 7 that suffice for all of BigCrush (ibid., 4.3).
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_RNG_H
#define IN_RNG_H

#include "base.h"

enum { PHILOX_ROUNDS = 10, PHILOX_ROW_ROUNDS = 7 };
#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u

struct philox { uint32_t c[4]; };

IN_INLINE struct philox philox4x32_of(int rounds, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3,
                                      uint32_t k0, uint32_t k1)
{
	for (int i = 0; i < rounds; i++) {
		uint64_t a = (uint64_t)PHILOX_M0 * c0, b = (uint64_t)PHILOX_M1 * c2;
		uint32_t n0 = (uint32_t)(b >> 32) ^ c1 ^ k0, n2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
		c1 = (uint32_t)b; c3 = (uint32_t)a; c0 = n0; c2 = n2;
		k0 += PHILOX_W0; k1 += PHILOX_W1;
	}
	struct philox r = { { c0, c1, c2, c3 } };
	return r;
}

IN_INLINE struct philox philox4x32(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3,
                                   uint32_t k0, uint32_t k1)
{ return philox4x32_of(PHILOX_ROUNDS, c0, c1, c2, c3, k0, k1); }

/* --- blocks in a row, whose counters differ in c0 alone --- */

/* One block a 64-bit lane; only the low halves mean anything. */
enum { PHILOX_LANES = sizeof(vwide) / 8 };

/* What the blocks of a row share: the first rounds multiply little that differs. Streams of a row
 * differ in c1 alone; x2, a3 are theirs. */
enum { PHILOX_STREAMS = 3 };
struct philox_row {
	uint32_t key[2][PHILOX_ROW_ROUNDS], x0, x1, b1, x2[PHILOX_STREAMS], a3[PHILOX_STREAMS];
};

/* Of all rows: everything but c1. */
IN_INLINE struct philox_row philox_rows(uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1)
{
	struct philox_row r = { 0 };
	for (uint32_t i = 0; i < PHILOX_ROW_ROUNDS; i++) {
		r.key[0][i] = k0 + i * PHILOX_W0;
		r.key[1][i] = k1 + i * PHILOX_W1;
	}
	uint64_t b = (uint64_t)PHILOX_M1 * c2;                  /* round 1: of 4 words only c2 varies */
	r.x0 = c3 ^ k1;
	r.x1 = (uint32_t)(b >> 32) ^ k0;
	r.b1 = (uint32_t)b ^ r.key[0][1];
	return r;
}

/* Of the row whose streams have c1, c1 + 1, c1 + 2. */
IN_INLINE void philox_row(struct philox_row *r, uint32_t c1)
{
	for (uint32_t j = 0; j < PHILOX_STREAMS; j++) {
		uint64_t a = (uint64_t)PHILOX_M0 * (r->x1 ^ (c1 + j));
		r->x2[j] = (uint32_t)(a >> 32) ^ r->key[1][1];
		r->a3[j] = (uint32_t)a ^ r->key[1][2];              /* round 2: c3 does not vary */
	}
}

/* The four words of PHILOX_LANES blocks with counters c0, of n streams. Streams go side by side:
 * a block is one long chain of multiplications. */
IN_INLINE void philox_blocks(const struct philox_row *r, int n, vwide c0,
                             vwide x[PHILOX_STREAMS], vwide y[PHILOX_STREAMS],
                             vwide z[PHILOX_STREAMS], vwide w[PHILOX_STREAMS])
{
	const vwide m0 = vwide_of(PHILOX_M0), m1 = vwide_of(PHILOX_M1);
	vwide a1 = vwide_mul32(c0, m0), b2 = vwide_mul32((a1 >> 32) ^ vwide_of(r->x0), m1);
	vwide a3 = vwide_mul32((b2 >> 32) ^ vwide_of(r->b1), m0);
	vwide y3 = b2 ^ vwide_of(r->key[0][2]);
	for (int j = 0; j < n; j++) {
		y[j] = vwide_mul32(a1 ^ vwide_of(r->x2[j]), m1);
		x[j] = (y[j] >> 32) ^ y3;
		z[j] = (a3 >> 32) ^ vwide_of(r->a3[j]);
		w[j] = a3;
	}
	for (int i = 3; i < PHILOX_ROW_ROUNDS; i++)
		for (int j = 0; j < n; j++) {
			vwide a = vwide_mul32(x[j], m0), b = vwide_mul32(z[j], m1);
			x[j] = (b >> 32) ^ y[j] ^ vwide_of(r->key[0][i]);
			z[j] = (a >> 32) ^ w[j] ^ vwide_of(r->key[1][i]);
			y[j] = b;
			w[j] = a;
		}
}

#endif
