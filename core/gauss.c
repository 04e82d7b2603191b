/* gauss - half kernels of Gaussians, computed the same on every machine.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "gauss.h"

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
