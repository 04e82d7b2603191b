/* gauss - half kernels of Gaussians, computed the same on every machine.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "gauss.h"

#include <assert.h>
#include <stdlib.h>

#include "mathx.h"
#include "mem.h"

int gauss_radius(double sigma)
{
	return sigma > 0 ? (int)mx_ceil(5.5 * sigma) : 0;
}

/* Sums go from the tail inwards: small terms first. */
static void normalise(double *w, int radius, int norm)
{
	double sum = 0;
	for (int k = radius; k > 0; k--) sum += 2 * (norm == 2 ? w[k] * w[k] : w[k]);
	sum += norm == 2 ? w[0] * w[0] : w[0];
	double scale = norm == 2 ? 1 / __builtin_sqrt(sum) : 1 / sum;
	for (int k = 0; k <= radius; k++) w[k] *= scale;
}

static void raw(double sigma, int radius, double *w)
{
	if (!(sigma > 0)) {
		for (int k = 0; k <= radius; k++) w[k] = k == 0;
		return;
	}
	double r = 1 / (sigma * __builtin_sqrt(2.0));
	for (int k = 0; k <= radius; k++) {
		double x = k;
		if (sigma >= 0.8) w[k] = mx_exp(-x * x * r * r);
		else w[k] = mx_erf((x + 0.5) * r) - mx_erf((x - 0.5) * r);
	}
}

void gauss_half(double sigma, int radius, double *w)
{
	raw(sigma, radius, w);
	normalise(w, radius, 1);
}

void gauss_half_float(double sigma, int radius, int norm, float *w)
{
	double *d = xalloc((size_t)radius + 1, sizeof *d);
	raw(sigma, radius, d);
	normalise(d, radius, norm);
	for (int k = 0; k <= radius; k++) w[k] = (float)d[k];
	free(d);
}

/* Found by minimising the largest alias of a Gaussian of two halved pixels, exp(-8 pi^2 f^2) |H(1/2 -
 * f/2) / H(f/2)|, over filters (1 + z)(z^2 + 2 cos(t) z + 1)...: t = 0.19401, 0.39649, 0.61429, 0.87098;
 * the sum is 1 exactly. */
const float gauss_halve[5] = { 0x1.67f59p-9f, 0x1.5bcdb6p-6f, 0x1.3644eap-4f, 0x1.4f6e28p-3f,
			0x1.e455d6p-3f };

int gauss_levels(double sigma)
{
	int n = 0;
	if (sigma < GAUSS_HALVE_FROM) return 0;
	for (; sigma >= 2 * GAUSS_HALVED; sigma /= 2) n++;
	return n;
}

int gauss_core_radius(double sigma, int levels)
{
	for (int i = 0; i < levels; i++) sigma /= 2;
	return gauss_radius(sigma);
}

/* Response of halving and doubling at f cycles per halved pixel. */
static double halve_response(double f)
{
	double sum = 0;
	for (int i = 0; i < 5; i++) sum += 2 * (double)gauss_halve[i] * mx_cos(MX_PI * (4.5 - i) * f);
	return sum * sum;
}

enum { CORE_STEPS = 256, CORE_MOST = 32 };

/* Solves a x = b, a symmetric and positive (its lower half); x is left in b. */
static void solve(double a[CORE_MOST][CORE_MOST], double *b, int n)
{
	for (int k = 0; k < n; k++)
		for (int i = k + 1; i < n; i++) {
			double f = a[i][k] / a[k][k];
			for (int j = i; j < n; j++) a[j][i] -= f * a[j][k];
			b[i] -= f * b[k];
		}
	for (int k = n - 1; k >= 0; k--) {
		for (int i = k + 1; i < n; i++) b[k] -= a[i][k] * b[i];
		b[k] /= a[k][k];
	}
}

/* Least squares over frequencies: the core's response times that of halving and doubling comes nearest to the
 * Gaussian's. Dividing by the latter would make of what is next to nothing at the highest frequencies a tail that the
 * radius cuts. */
void gauss_core(double sigma, int levels, int radius, float *w)
{
	double a[CORE_MOST][CORE_MOST] = { { 0 } }, b[CORE_MOST] = { 0 }, sum = 0;
	int n = radius + 1;
	assert(n <= CORE_MOST);
	for (int i = 0; i < levels; i++) sigma /= 2;
	for (int i = 0; i <= CORE_STEPS; i++) {
		double f = 0.5 * i / CORE_STEPS, fine = f, part = i == 0 || i == CORE_STEPS ? 0.5 : 1, h = 1, c[CORE_MOST];
		for (int l = 0; l < levels; l++, fine /= 2) h *= halve_response(fine);
		double g = mx_exp(-2 * MX_PI * MX_PI * sigma * sigma * f * f);
		for (int k = 0; k < n; k++) c[k] = (k ? 2 : 1) * h * mx_cos(MX_PI * (k * i % (2 * CORE_STEPS)) / CORE_STEPS);
		for (int k = 0; k < n; k++) {
			b[k] += part * c[k] * g;
			for (int m = 0; m <= k; m++) a[k][m] += part * c[k] * c[m];
		}
	}
	solve(a, b, n);
	for (int k = n - 1; k >= 0; k--) sum += k ? 2 * b[k] : b[k];
	for (int k = 0; k < n; k++) w[k] = (float)(b[k] / sum);
}
