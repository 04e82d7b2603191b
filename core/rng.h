/* rng - Philox4x32-10 (Salmon et al., SC 2011): noise as a pure function of place, time and seed.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_RNG_H
#define IN_RNG_H

#include "base.h"

struct philox { uint32_t c[4]; };

IN_INLINE struct philox philox4x32(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3,
                                   uint32_t k0, uint32_t k1)
{
	for (int i = 0; i < 10; i++) {
		uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
		uint32_t n0 = (uint32_t)(b >> 32) ^ c1 ^ k0, n2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
		c1 = (uint32_t)b; c3 = (uint32_t)a; c0 = n0; c2 = n2;
		k0 += 0x9E3779B9u; k1 += 0xBB67AE85u;
	}
	struct philox r = { { c0, c1, c2, c3 } };
	return r;
}

#endif
