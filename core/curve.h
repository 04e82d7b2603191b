/* curve - splines through an author's points, and tables of them for pixel rows.
 * Threads: frozen once made.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CURVE_H
#define IN_CURVE_H

#include "curve_table.h"
#include "param.h"

/* Monotone: Fritsch-Carlson, straight beyond its ends (curve_eval). Smooth: the quadratic B-spline of
 * OpenColorIO's GradingRGBCurve. */
enum spline { SPLINE_MONOTONE, SPLINE_SMOOTH };

/* Pieces of the quadratic spline: from x[i] on, (a[i] d + b[i]) d + c[i] with d = v
 * - x[i]; beyond the ends straight. */
struct quad_spline { int n; double x[64], a[64], b[64], c[64]; };
/* 0, or -1 with a message when a point repeats an x. */
int curve_quad(const struct curve *c, struct quad_spline *q, struct err *e);
double quad_eval(const struct quad_spline *q, double v);

/* Monotone cubic through points on a circle of the given length; x may be any number. */
double curve_eval_around(const struct curve *c, double length, double x);

/* Fills t from c; no points leave it empty. 0 or -1. */
int curve_bake(struct curve_table *t, const struct curve *c, enum spline kind, struct err *e);
/* The same around a circle; unit: length of the circle in the numbers that
 * rows will bring (6 for sextants). */
void curve_bake_around(struct curve_table *t, const struct curve *c, double length, double unit);
void curve_table_free(struct curve_table *t);

#endif
