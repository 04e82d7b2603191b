/* grain_kernel - separable kernels that give white noise the spectrum of a grain profile.
 * Threads: frozen once made; the store is for any thread.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRAIN_KERNEL_H
#define IN_GRAIN_KERNEL_H

#include <stdatomic.h>

#include "grain_profile.h"
#include "hash.h"

/* A kernel is a sum of ranks products of symmetric rows: h(x, y) = sum_r v_r(|x|) u_r(|y|), with the
 * squares of h adding up to 1. radius and ranks: the most that a channel has. */
enum { GRAIN_RANKS = 3, GRAIN_RADIUS = 60 };
struct grain_shape {
	_Atomic int refs;
	struct key key;
	struct grain_profile profile;
	double zoom;                         /* cycles of the profile's pixels in one of this picture's */
	int radius, ranks, reach[3], terms[3];       /* reach, terms: each channel's own */
	float *u[3][GRAIN_RANKS], *v[3][GRAIN_RANKS];      /* [0..radius] */
	bool same;                           /* the channels' kernels are one */
	double inner[3];                     /* sums of products of the kernels of RG, RB, GB */
	double gain[3];                      /* what is left of sigma: below 1 where zoom is below 1 */
	/* dB, of rings above -30 dB, against the profile; or a third of that
	 * of directions above -20 dB */
	double worst[3];
};

/* The shape of a profile on a picture where f cycles a pixel are zoom f of the profile's. Frequencies
 * beyond the profile's own picture (zoom above 1) fall off fast and smoothly; zoom below 1 loses what
 * the picture cannot hold, as scaling it down would. Never NULL. */
struct grain_shape *grain_shape_make(const struct grain_profile *p, double zoom);
void grain_shape_free(struct grain_shape **s);        /* drops a reference; accepts NULL, clears */
/* Power of the kernel of channel c at (fx, fy), for tests and reports. */
double grain_shape_power(const struct grain_shape *s, int c, double fx, double fy);
/* What the kernel of channel c was to have there, of unit variance in the profile's own picture. */
double grain_shape_target(const struct grain_profile *p, int c, double zoom, double fx, double fy);

/* The kernel of channel c as terms[c] products of orthogonal symmetric rows, halves of which are stored: h(x, y) =
 * sum_r v[r][|x|] u[r][|y|], the squares of a u adding up to 1 over the row. */
void grain_shape_terms(const struct grain_shape *s, int c, double u[GRAIN_RANKS][GRAIN_RADIUS + 1],
                       double v[GRAIN_RANKS][GRAIN_RADIUS + 1]);

/* Shapes that nodes and frames of one net share, by the content of the file. */
struct grain_store;
struct grain_store *grain_store_new(void);
void grain_store_free(struct grain_store **s);
/* A reference for the caller to free, NULL with E_INPUT; s NULL: nothing is kept. */
struct grain_shape *grain_store_get(struct grain_store *s, const char *path, int lines, double scale,
                                    struct err *e);

/* Lower triangle m (rows of fields to channels) with m m^T the correlation wanted of the channels'
 * white noise, so that shaped and with temporal weights of these products it is the profile's.
 * Correlations that no noise can have are shrunk until one can. */
void grain_mix(const struct grain_shape *s, const double products[3], double m[3][3]);

/* Weights w[0..n-1] of a frame's field and of those of the frames before it, squares adding up to 1,
 * so that frame and next correlate by rho; n is at most GRAIN_LAGS. |rho| up to 0.9375; beyond, the
 * share *still of the variance is to come from a field that never changes. */
enum { GRAIN_LAGS = 16 };
int grain_lags(double rho, double w[GRAIN_LAGS], double *still);

#endif
