/* grain_table_int - what the files of grain_table share: the model's spectra.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRAIN_TABLE_INT_H
#define IN_GRAIN_TABLE_INT_H

#include "grain_table.h"

/* Densities are GT_N x GT_N, frequency 0 first, and their mean is a variance. */
enum { GT_N = 64, GT_NN = GT_N * GT_N };
/* Deviation of the specification's normal table at 8 bits. */
#define GT_TEMPLATE 32.0

static inline double gt_freq(int k) { return (double)((k + GT_N / 2) % GT_N - GT_N / 2) / GT_N; }
double gt_mean(const double *p);
/* Values correlate with those dx, dy away by what[dy][dx + span]; at 0, 0 by 1. span: up to 6. */
void gt_correlations(const double *d, int span, double *what);
/* What the recursion makes of white noise of unit variance: its density and the real part of its response (or NULL). */
void gt_recursion(const double *a, int lag, double *power, double *real);
/* Pairs averaged along both axes, then every other sample. */
void gt_downsample(double *p);

#endif
