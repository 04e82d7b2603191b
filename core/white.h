/* white - white balance: mired and tint to a matrix, and back from a measured white.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_WHITE_H
#define IN_WHITE_H

#include "base.h"

#define WHITE_KELVIN 6504.0
enum { WHITE_TEMP_MIN = -120, WHITE_TEMP_MAX = 400, WHITE_TINT_MAX = 150 };

/* The matrix on linear RGB of space that multiplies light by 2^exposure and moves white along the Planckian
 * locus by temperature mired from 6504 K (+ warmer) and by tint thousandths of Duv across it (+
 * magenta).
 * Bradford; the luminance of neutral stays. All 0 gives exactly the identity. */
void white_matrix(int space, double exposure, double temperature, double tint, double m[9]);

/* The temperature and tint that bring the linear colour rgb to neutral, each held within its limit.
 * */
void white_solve(int space, const double rgb[3], double temp_limit, double tint_limit,
                 double *temperature,
                 double *tint);

#endif
