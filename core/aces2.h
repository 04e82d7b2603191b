/* aces2 - the output transform of ACES 2.0: tonescale, chroma and gamut compression
 * in a colour appearance model.
 *
 * Source: Academy, "ACES 2 Output Transforms: technical details" and its reference
 * transforms (2024): a simplified Hellwig 2022 model, lightness J, colourfulness M,
 * hue h. Threads: frozen after aces2_new.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_ACES2_H
#define IN_ACES2_H

#include "base.h"
#include "err.h"
#include "lut.h"

struct aces2;
/* For a display of peak cd/m2 whose primaries are those of a colour space (its id); malloced tables. */
struct aces2 *aces2_new(int display, double peak);
void aces2_free(struct aces2 **a);
/* Linear ACEScg to linear light of the display, 1 being 100 cd/m2, held to 0..peak / 100. */
void aces2_pixel(const struct aces2 *a, const double rgb[3], double out[3]);

/* The same as a cube of n nodes a side over ACEScct, whose entries are the (1/2.4)th
 * power of out 100/peak; NULL: E_MEMORY. */
struct lut *aces2_bake(const struct aces2 *a, int n, struct err *e);
/* A reference to the cube of 65, which is baked once in the process (a third of a
 * second) and frozen. Threads: any. */
struct lut *aces2_cube(int display, double peak, struct err *e);

#endif
