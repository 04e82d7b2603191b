/* px_noise - rows of white Gaussian noise as a pure function of place, time and seed.
 *
 * One Philox block gives four independent standard normal values (Box and Muller 1958, in floats
 * with own polynomials: Cephes' logf, sinf and cosf). Vectorises over x. Equal bits on every
 * instruction set.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_NOISE_H
#define IN_PX_NOISE_H

#include "base.h"
#include "rng.h"

/* Natural logarithm of x in [2^-24, 1). */
IN_INLINE float px_noise_log(float x)
{
	uint32_t u;
	__builtin_memcpy(&u, &x, 4);
	u += 0x3f800000u - 0x3f3504f3u;                        /* mantissa in [sqrt 1/2, sqrt 2) */
	float e = (float)((int32_t)(u >> 23) - 127), m;
	u = (u & 0x7fffffu) + 0x3f3504f3u;
	__builtin_memcpy(&m, &u, 4);
	float f = m - 1.0f, z = f * f;
	float y = 7.0376836292e-2f;
	y = y * f - 1.1514610310e-1f;
	y = y * f + 1.1676998740e-1f;
	y = y * f - 1.2420140846e-1f;
	y = y * f + 1.4249322787e-1f;
	y = y * f - 1.6668057665e-1f;
	y = y * f + 2.0000714765e-1f;
	y = y * f - 2.4999993993e-1f;
	y = y * f + 3.3333331174e-1f;
	return f + (y * f * z - 0.5f * z) + e * 0.693147181f;
}

/* Two normal values from two words: radius from the first, angle from the second. */
IN_INLINE void px_noise_pair(uint32_t a, uint32_t b, float *g0, float *g1)
{
	float u = (float)(int32_t)(a >> 9) * 0x1p-23f + 0x1p-24f;
	float l = -2.0f * px_noise_log(u), r = __builtin_sqrtf(l > 0.0f ? l : 0.0f);
	uint32_t q = (b + 0x20000000u) >> 30;                  /* nearest quarter turn */
	float t = (float)(int32_t)(b - (q << 30)) * (0x1p-30f * 1.57079632679f), z = t * t;
	float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * t + t;
	float c = ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z *
	    z -
	          0.5f * z + 1.0f;
	float x = q & 1 ? s : c, y = q & 1 ? c : s;
	*g0 = (q + 1) & 2 ? -r * x : r * x;
	*g1 = q & 2 ? -r * y : r * y;
}

/* What names one field of noise: a seed, a node instance, a frame. */
struct px_noise_key { uint32_t frame, node, k0, k1; };

IN_INLINE struct px_noise_key px_noise_key(uint32_t seed, uint64_t instance, int frame)
{
	struct px_noise_key k = { (uint32_t)frame, (uint32_t)instance, seed, (uint32_t)(instance >> 32) };
	return k;
}

/* Four rows of n values at (x .. x + n - 1, y). */
static IN_UNUSED void px_noise_row(const struct px_noise_key *key, int x, int y, int n,
    float *IN_RESTRICT a,
                                   float *IN_RESTRICT b, float *IN_RESTRICT c, float *IN_RESTRICT d)
{
	const uint32_t k0 = key->k0, k1 = key->k1, frame = key->frame, node = key->node;
	for (int i = 0; i < n; i++) {
		struct philox p = philox4x32((uint32_t)(x + i), (uint32_t)y, frame, node, k0, k1);
		px_noise_pair(p.c[0], p.c[1], &a[i], &b[i]);
		px_noise_pair(p.c[2], p.c[3], &c[i], &d[i]);
	}
}

#endif
