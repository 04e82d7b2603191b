/* curve_table - a curve as straight pieces, for pixel rows. Made by curve.h. Threads: frozen once made.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CURVE_TABLE_H
#define IN_CURVE_TABLE_H

enum { CURVE_KNOTS = 4096 };

/* knot[k] at x0 + k / step, and the slopes before and after, per piece. knot NULL: none. */
struct curve_table { float *knot, x0, step, before, after; };

#endif
