/* cholesky - symmetric positive linear equations, as every fit by least squares ends in.
 *
 * The sums run in one fixed order: the same bits on every machine. Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CHOLESKY_H
#define IN_CHOLESKY_H

#include <stdbool.h>

/* The lower triangle of a, n by n in rows stride apart, becomes that of its root; the upper one is neither read nor
 * written. A pivot below least is held at it, as where rounding left nothing of a positive one; with least 0 a pivot that
 * is not above 0 ends it with false. */
bool chol_root(double *a, int n, int stride, double least);

/* x: in the right side, out the solution. a is what chol_root left. */
void chol_solve(const double *a, int n, int stride, double *x);

/* The logarithm of the determinant of what chol_root was given. */
double chol_logdet(const double *a, int n, int stride);

#endif
