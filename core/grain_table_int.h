/* grain_table_int - what the files of grain_table share: the model's spectra.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRAIN_TABLE_INT_H
#define IN_GRAIN_TABLE_INT_H

#include "grain_table.h"

/* Densities are GT_N x GT_N, frequency 0 first, and their mean is a variance. */
enum { GT_N = 64, GT_NN = GT_N * GT_N };
/* Deviation of the specification's normal table at 8 bits. */
#define GT_TEMPLATE 32.0
enum { GT_NORMALS = 2048 };
extern const int16_t gt_normal[GT_NORMALS];

static inline double gt_freq(int k) { return (double)((k + GT_N / 2) % GT_N - GT_N / 2) / GT_N; }
double gt_mean(const double *p);
/* Values correlate with those dx, dy away by what[dy][dx + span]; at 0, 0 by 1. span: up to 6. */
void gt_correlations(const double *d, int span, double *what);
/* What the recursion makes of white noise of unit variance: its density, and the parts of its response (each or NULL). */
void gt_recursion(const double *a, int lag, double *power, double *real, double *imag);
/* Pairs averaged along both axes, then every other sample. */
void gt_downsample(double *p);
/* Catmull-Rom between samples two pixels apart, along one axis, all a half of a pixel from those there are to be (the
 * luma below a sample of chroma is the mean of four pixels about it); 2 at frequency 0. */
double gt_widen(double f);
/* The density at half the size that gives this one when brought back (gt_widen); where that loses more than half
 * of the power, less. */
void gt_half(double *p);
/* A density as blocks of 32 x 32 (half: 16 x 16) of their own, overlapping by two (one), show it. */
void gt_blocks(double *p, bool half);
/* Brings parameters and the planes' deviations nearer to densities of R, G, B and cross densities RG, RB, GB of a
 * picture, and finds a seed; how far, in dB, the worst octave is off then. */
double gt_fit(struct grain_params *g, int matrix, bool subsampled, const double *const own[3],
              const double *const cross[3], double dev[3]);

/* Makes templates low enough not to be cut off. */
void gt_room(struct grain_params *g, bool subsampled);

/* Spectra of the planes, luma's and both chroma's brought to its size, of the deviation 1 of the template; how they go
 * together (YCb, YCr, CbCr: real parts); deviation of each plane per unit of scaling, in codes. */
struct gt_planes { double d[3][GT_NN], x[3][GT_NN], dev[3]; };
void gt_planes_of(const struct grain_params *g, bool subsampled, struct gt_planes *o);
/* Cross density in bin i of two sums of the planes of those deviations; i < 0: the mean over all bins. */
double gt_both(const struct gt_planes *o, int i, const double s[3], const double a[3], const double b[3]);
/* How Y, Cb, Cr make R, G, B. */
void gt_mix(int matrix, double m[3][3]);

#endif
