/* gauss - halving, core and doubling make the Gaussian, wherever a point lies.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "gauss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

enum { SIZE = 4096, MIDDLE = SIZE / 2, RADIUS = 64 };

/* Of the ten taps, which stand at -4 to 5 around pixel 2 j. */
static double tap(int k) { return (double)gauss_halve[k < 5 ? k : 9 - k]; }

static void halve(const double *s, int n, double *d)
{
	for (int j = 0; j < n / 2; j++) {
		d[j] = 0;
		for (int k = 0; k < 10; k++) d[j] += tap(k) * s[(2 * j + k - 4 + n) % n];
	}
}

static void twice(const double *s, int n, double *d)
{
	memset(d, 0, (size_t)(2 * n) * sizeof *d);
	for (int j = 0; j < n; j++)
		for (int k = 0; k < 10; k++) d[(2 * j + k - 4 + 2 * n) % (2 * n)] += 2 * tap(k) * s[j];
}

static void convolve(const double *s, int n, const float *w, int radius, double *d)
{
	for (int j = 0; j < n; j++) {
		d[j] = (double)w[0] * s[j];
		for (int k = 1; k <= radius; k++) d[j] += (double)w[k] * (s[(j + k) % n] + s[(j - k + n) % n]);
	}
}

/* The sum of what a point's picture differs from the Gaussian by. */
static double off_by(double sigma, int levels, int phase)
{
	static double a[SIZE], b[SIZE];
	float w[RADIUS];
	int radius = gauss_core_radius(sigma, levels);
	double norm = 0, off = 0;
	memset(a, 0, sizeof a);
	a[MIDDLE + phase] = 1;
	for (int l = 0; l < levels; l++) {
		halve(a, SIZE >> l, b);
		memcpy(a, b, sizeof a);
	}
	gauss_core(sigma, levels, radius, w);
	convolve(a, SIZE >> levels, w, radius, b);
	for (int l = levels; l > 0; l--) {
		memcpy(a, b, sizeof a);
		twice(a, SIZE >> l, b);
	}
	if (!levels) memcpy(b, a, sizeof a);
	for (int x = -MIDDLE; x < MIDDLE; x++) norm += exp(-0.5 * x * x / (sigma * sigma));
	for (int x = 0; x < SIZE; x++) off += fabs(b[x] - exp(-0.5 * pow((x - MIDDLE - phase) / sigma, 2)) / norm);
	return off;
}

/* The sum is the most that a picture of 0 to 1 can be off by. The sigmas: where the levels change, and between. */
int main(void)
{
	static const double sigmas[] = { 5, 7.39, 7.4, 10, 14.79, 14.8, 15, 29.6, 45, 59.2, 60, 118.4 };
	for (size_t i = 0; i < IN_COUNT(sigmas); i++) {
		int levels = gauss_levels(sigmas[i]);
		double most = 0;
		for (int phase = 0; phase < 1 << levels; phase++) most = fmax(most, off_by(sigmas[i], levels, phase));
		test_ok(levels > 0 && most < 2e-6, "gauss %g: halved %d times a point's picture is the Gaussian's "
		        "(differences sum to %.2g)", sigmas[i], levels, most);
	}
	test_ok(gauss_levels(4.99) == 0, "gauss 4.99: not halved");
	TEST_END();
}
