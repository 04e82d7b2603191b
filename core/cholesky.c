/* cholesky - see cholesky.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cholesky.h"

#include <stddef.h>

#include "mathx.h"

static double dot(const double *a, const double *b, int n)
{
	double sum = 0;
	for (int i = 0; i < n; i++) sum += a[i] * b[i];
	return sum;
}

bool chol_root(double *a, int n, int stride, double least)
{
	for (int i = 0; i < n; i++) {
		double *row = a + (ptrdiff_t)i * stride;
		for (int j = 0; j < i; j++) {
			const double *up = a + (ptrdiff_t)j * stride;
			row[j] = (row[j] - dot(row, up, j)) / up[j];
		}
		double v = row[i] - dot(row, row, i);
		if (!(least > 0) && !(v > 0)) return false;
		row[i] = __builtin_sqrt(v > least ? v : least);
	}
	return true;
}

void chol_solve(const double *a, int n, int stride, double *x)
{
	for (int i = 0; i < n; i++) {
		const double *row = a + (ptrdiff_t)i * stride;
		x[i] = (x[i] - dot(row, x, i)) / row[i];
	}
	for (int i = n - 1; i >= 0; i--) {
		for (int k = i + 1; k < n; k++) x[i] -= a[(ptrdiff_t)k * stride + i] * x[k];
		x[i] /= a[(ptrdiff_t)i * stride + i];
	}
}

double chol_logdet(const double *a, int n, int stride)
{
	double sum = 0;
	for (int i = 0; i < n; i++) sum += 2 * mx_log(a[(ptrdiff_t)i * stride + i]);
	return sum;
}
