/* degrain - what the stages of degrain agree on: the grain's strength per
 * coefficient, channels, and displacements.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_DEGRAIN_H
#define IN_DEGRAIN_H

#include "err.h"

/* Luma, and two colour differences: orthonormal, so that errors and noise keep their size. */
enum { DEGRAIN_BINS = 32, DEGRAIN_REACH = 16 };

/* sigma[bin][channel][8 u + v]: standard deviation of an 8x8 block's orthonormal cosine
 * coefficient, u across. bin: (luma - low) * scale, held to 0 .. DEGRAIN_BINS - 1. luma: weights
 * of the three channels. Threads: frozen. */
struct degrain_noise { float low, scale, luma[3], sigma[DEGRAIN_BINS][3][64]; };

/* strength times sigma (white, R, G, B alike), or the profile's where that is no empty path. */
struct degrain_ask { const char *profile; double sigma, strength, scale; int space, lines; };
int degrain_noise_make(const struct degrain_ask *a, struct degrain_noise *out, struct err *e);

/* var[level][bin][channel]: the grain's variance in the picture, and in the picture halved once and
 * twice by 1 3 3 1 either way. low, scale, luma as above. Threads: frozen. */
enum { DEGRAIN_HALVED = 2 };
struct degrain_low { float low, scale, luma[3], var[DEGRAIN_HALVED + 1][DEGRAIN_BINS][3]; };
int degrain_low_make(const struct degrain_ask *a, struct degrain_low *out, struct err *e);

/* var[bin][channel][band]: the grain's variance in R, G and B, per coefficient of an 8x8 block's
 * orthonormal cosine transform, meaned over bands of about equal frequency. bent[channel][band]: what it is multiplied
 * by where clipping has bent the grain: of the same variance, but of its correlation's square. luma: weights of R, G
 * and B. Threads: frozen. */
enum { DEGRAIN_BANDS = 10 };
struct degrain_bands {
	float low, scale, luma[3], var[DEGRAIN_BINS][3][DEGRAIN_BANDS], bent[3][DEGRAIN_BANDS];
};
int degrain_bands_make(const struct degrain_ask *a, struct degrain_bands *out, struct err *e);
/* The band of a coefficient. */
int degrain_band(int u, int v);

/* Parameters that the stages share. */
#define DEGRAIN_PARAMS(S) \
	P_PATH(S, profile, PF_STATIC | PF_FILE, "As of degrain."), \
	P_FLOAT(S, sigma, 0.02, 0, 1, "signal", "As of degrain."), \
	P_FLOAT(S, strength, 1, 0, 4, "factor", "As of degrain."), \
	P_INT(S, reach, 12, 4, DEGRAIN_REACH, "pixels", PF_STATIC, "As of degrain.")

/* Alike blocks are looked for on every third pixel: blocks that overlap more share their grain,
 * which then would pass for picture and stay, most of all where it is coarse (measured: 5 dB more
 * of it below 0.1 c/px goes, for 0.15 dB). */
enum { DEGRAIN_LATTICE = 3 };

/* Displacements within reach, nearest first, on every step-th pixel; returns how many. */
int degrain_tries(int reach, int step, int8_t *dx, int8_t *dy, int room);

#endif
