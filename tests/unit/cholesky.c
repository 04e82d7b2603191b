/* cholesky - equations whose solutions are known: Lehmer's matrix and its inverse, determinants, pivots that are not there.
 *
 * Lehmer's matrix (min(i,j) / max(i,j)) has a tridiagonal inverse in closed form (Kilic and Stanica 2010).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "cholesky.h"
#include "test.h"

enum { N = 24, WIDE = 31 };

static double lehmer(int i, int j) { return (double)((i < j ? i : j) + 1) / ((i < j ? j : i) + 1); }

/* Column j of the inverse, counted from 1. */
static double inverse(int i, int j, int n)
{
	if (i == j) return i == n ? (double)n * n / (2.0 * n - 1) : 4.0 * i * i * i / (4.0 * i * i - 1);
	int k = i < j ? i : j;
	return i - j == 1 || j - i == 1 ? -(double)k * (k + 1) / (2.0 * k + 1) : 0;
}

int main(void)
{
	double a[N * WIDE], worst = 0, x[N];
	for (int i = 0; i < N * WIDE; i++) a[i] = NAN;
	for (int i = 0; i < N; i++)
		for (int j = 0; j <= i; j++) a[i * WIDE + j] = lehmer(i, j);
	test_ok(chol_root(a, N, WIDE, 0), "Lehmer's matrix is positive; what lies above its diagonal is not read");
	for (int j = 0; j < N; j++) {
		for (int i = 0; i < N; i++) x[i] = i == j;
		chol_solve(a, N, WIDE, x);
		for (int i = 0; i < N; i++) worst = fmax(worst, fabs(x[i] - inverse(i + 1, j + 1, N)));
	}
	test_ok(worst < 1e-11, "its inverse is the one in closed form (%.1e)", worst);
	double b[4] = { 4, NAN, 2, 5 };
	test_ok(chol_root(b, 2, 2, 1e-12) && fabs(chol_logdet(b, 2, 2) - log(16)) < 1e-14, "the determinant of (4 2, 2 5) is 16");
	double c[4] = { 1, 0, 2, 4 }, d[4];
	memcpy(d, c, sizeof d);
	test_ok(!chol_root(c, 2, 2, 0), "a singular matrix ends it");
	test_ok(chol_root(d, 2, 2, 1e-12) && fabs(d[3] - 1e-6) < 1e-18, "or its pivot is held");
	c[0] = -1;
	test_ok(!chol_root(c, 1, 2, 0), "so does a negative one");
	TEST_END();
}
