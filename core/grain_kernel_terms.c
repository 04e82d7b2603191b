/* grain_kernel_terms - a kernel's terms without what cancels between them; see grain_kernel.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "grain_kernel.h"

enum { N = GRAIN_RADIUS + 1, SWEEPS = 12 };

/* Of symmetric rows of which halves are stored. */
static double dot(const double *a, const double *b)
{
	double sum = 0;
	for (int i = 0; i < N; i++) sum += (i ? 2 : 1) * a[i] * b[i];
	return sum;
}

static void rotate(double *a, double *b, double c, double s)
{
	for (int i = 0; i < N; i++) {
		double p = a[i], q = b[i];
		a[i] = c * p + s * q;
		b[i] = c * q - s * p;
	}
}

/* The rows of v orthonormal, u times their triangle. */
static void orthonormal(int ranks, double u[][N], double v[][N])
{
	for (int r = 0; r < ranks; r++) {
		for (int q = 0; q < r; q++) {
			double k = dot(v[q], v[r]);
			for (int i = 0; i < N; i++) v[r][i] -= k * v[q][i], u[q][i] += k * u[r][i];
		}
		double norm = __builtin_sqrt(dot(v[r], v[r]));
		for (int i = 0; i < N; i++) v[r][i] = norm > 0 ? v[r][i] / norm : 0, u[r][i] *= norm;
	}
}

/* The singular value decomposition, by one-sided rotations (Jacobi). */
void grain_shape_terms(const struct grain_shape *s, int c, double u[GRAIN_RANKS][GRAIN_RADIUS + 1],
                       double v[GRAIN_RANKS][GRAIN_RADIUS + 1])
{
	int ranks = s->terms[c];
	for (int r = 0; r < GRAIN_RANKS; r++)
		for (int i = 0; i < N; i++) {
			u[r][i] = (double)s->u[c][r][i];
			v[r][i] = (double)s->v[c][r][i];
		}
	orthonormal(ranks, u, v);
	for (int k = 0; k < SWEEPS; k++)
		for (int r = 1; r < ranks; r++)
			for (int q = 0; q < r; q++) {
				double a = dot(u[q], u[q]), b = dot(u[r], u[r]), x = dot(u[q], u[r]);
				if (x * x <= 1e-30 * a * b) continue;
				double z = (b - a) / (2 * x), t = (z < 0 ? -1 : 1) / ((z < 0 ? -z : z) + __builtin_sqrt(1 + z * z));
				double cs = 1 / __builtin_sqrt(1 + t * t);
				rotate(u[q], u[r], cs, -t * cs);
				rotate(v[q], v[r], cs, -t * cs);
			}
	for (int r = 0; r < ranks; r++) {
		double norm = __builtin_sqrt(dot(u[r], u[r]));
		for (int i = 0; i < N; i++) {
			u[r][i] = norm > 0 ? u[r][i] / norm : 0;
			v[r][i] *= norm;
		}
	}
}
