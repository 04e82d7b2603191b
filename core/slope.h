/* slope - how sharp pictures are: the radial power spectrum of luma, its slope,
 * and the sharpening that made it flat.
 *
 * Blocks of 128 x 128 under a Hann window; sums run in one fixed order. Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SLOPE_H
#define IN_SLOPE_H

#include "base.h"
#include "err.h"
#include "image.h"

enum { SLOPE_SIDE = 128, SLOPE_BINS = SLOPE_SIDE / 2 };

/* power[i]: mean power of the frequencies nearest to i / SLOPE_SIDE cycles per pixel, over blocks. */
struct slope { double power[SLOPE_BINS]; int blocks; };

/* Adds at most budget blocks of a picture's luma (weights w of R, G, B), spread evenly. Pictures
 * under 128 pixels a side add nothing. -1 without R, G, B. */
int slope_add(struct slope *s, const struct image *im, const double w[3], int budget, struct err *e);

/* The exponent p of power ~ f^p between 0.08 and 0.4 cycles per pixel, after a gain
 * on amplitudes (NULL: none). A scene has about -2; lens, grid and compression make
 * it steeper, sharpening flatter. */
typedef double slope_gain(const void *user, double f);
double slope_of(const struct slope *s, slope_gain *gain, const void *user);

/* What an unsharp mask of that amount against a Gaussian of radius did, undone: the gain of its inverse. */
struct slope_fit { double amount, radius, bend_db, short_of; };
double slope_unsharpen(const void *fit, double f);
/* The mask that, undone, brings the slope down to target: of those that do, the one that leaves the
 * straightest line (bend_db: what it bends still, root mean square). amount 0 where the slope is no
 * flatter; short_of: by how much the most is not enough. */
struct slope_fit slope_excess(const struct slope *s, double target, double most);

#endif
