/* gauss - half kernels of Gaussians, computed the same on every machine.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GAUSS_H
#define IN_GAUSS_H

#include "base.h"

/* Pixels on each side: 5.5 sigma, which leaves a tail of 4e-8; 0 at sigma 0. */
int gauss_radius(double sigma);
/* w[0..radius]: w[k] is the weight at distance k; w[0] + 2 (w[1] + ...) = 1. Sampled at pixel
 * centres from sigma 0.8; below, where samples are no longer a Gaussian, integrated over each
 * pixel (erf). */
void gauss_half(double sigma, int radius, double *w);
/* The same in float with w[0] + 2 (w[1] + ...) = 1 (norm 1) or w[0]^2 + 2 (w[1]^2 + ...) = 1
 * (norm 2). */
void gauss_half_float(double sigma, int radius, int norm, float *w);

/* Half of the symmetric filter of ten taps, outermost first, that halves and doubles pictures under a
 * Gaussian: its alias below 3e-7 of what a Gaussian of two halved pixels passes. */
extern const float gauss_halve[5];
/* How often an axis may be halved before a Gaussian of this sigma: 0 below GAUSS_HALVE_FROM, otherwise
 * until GAUSS_HALVED to twice as many halved pixels are left. With fewer the halving's alias is more than 2e-6. */
#define GAUSS_HALVE_FROM 5.0
#define GAUSS_HALVED 1.85
int gauss_levels(double sigma);
/* The half kernel that makes halving levels times, convolving with it and doubling levels times a
 * Gaussian of sigma (full-size pixels). */
int gauss_core_radius(double sigma, int levels);
void gauss_core(double sigma, int levels, int radius, float *w);

#endif
