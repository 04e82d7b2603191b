/* deltae - CIE L*a*b* and the CIEDE2000 colour difference.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_DELTAE_H
#define IN_DELTAE_H

#include "base.h"

/* XYZ (Y of white = 1) under the white xyY = (x, y, 1). CIE 15:2004, 8.2.1. */
void lab_of_xyz(const double xyz[3], const double white_xy[2], double lab[3]);
/* Linear RGB of a colour space, 1 1 1 being its white. */
void lab_of_linear(int space, const double rgb[3], double lab[3]);
/* Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula", Color Research &
 * Application 30 (2005); kL = kC = kH = 1. */
double deltae_2000(const double a[3], const double b[3]);

#endif
