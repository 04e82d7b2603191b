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
/* What brings chroma of half the size up, by bins: Catmull-Rom between samples two pixels apart along each axis. power:
 * what it does to a density of half the size; through: what it does to what chroma has of luma, whose mean of four pixels
 * a decoder takes however chroma is sited: real and imaginary part; turn: what brings chroma's samples to where they are
 * shown: real and imaginary part. All 1 (imaginary: 0) for chroma of the whole size. */
struct gt_up { double power[GT_NN], through[2][GT_NN], turn[2][GT_NN]; };
void gt_up_of(const struct grain_picture *to, struct gt_up *up);
/* A density of half the size, brought up. */
void gt_raise(double *p, const struct gt_up *up);
/* The density at half the size that gives this one when brought up; where that loses more than half
 * of the power, less. */
void gt_half(double *p, const struct gt_up *up);
/* A density as blocks of 32 x 32 (half: 16 x 16) of their own, overlapping by two (one), show it. */
void gt_blocks(double *p, bool half);
/* Brings parameters and the planes' deviations nearer to densities of R, G, B and cross densities RG, RB, GB of a
 * picture, and finds a seed; how far, in dB, the worst octave is off then. */
double gt_fit(struct grain_params *g, const struct grain_picture *to, const double *const own[3],
              const double *const cross[3], double dev[3]);

/* Makes templates low enough not to be cut off. */
void gt_room(struct grain_params *g, bool subsampled);

/* Spectra of the planes, luma's and both chroma's brought to its size, of the deviation 1 of the template; how they go
 * together (YCb, YCr, CbCr: real parts); deviation of each plane per unit of scaling, in codes. */
struct gt_planes { double d[3][GT_NN], x[3][GT_NN], dev[3]; };
void gt_planes_of(const struct grain_params *g, bool subsampled, const struct gt_up *up, struct gt_planes *o);
/* Cross density in bin i of two sums of the planes of those deviations; i < 0: the mean over all bins. */
double gt_both(const struct gt_planes *o, int i, const double s[3], const double a[3], const double b[3]);
/* How Y, Cb, Cr make R, G, B. */
void gt_mix(enum yuv_matrix matrix, double m[3][3]);

#endif
