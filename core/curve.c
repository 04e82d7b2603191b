/* curve - monotone cubic interpolation through points, straight beyond them.
 * Fritsch and Carlson, "Monotone piecewise cubic interpolation", SIAM J. Numer. Anal. 17 (1980).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "param.h"

/* Tangents at the points: means of the neighbouring slopes, limited to the circle of radius 3. */
static void tangents(const struct curve *c, double *m)
{
	double d[32];
	int n = c->n;
	for (int i = 0; i + 1 < n; i++)
		d[i] = (c->y[i + 1] - c->y[i]) / (c->x[i + 1] - c->x[i]);
	m[0] = d[0];
	m[n - 1] = d[n - 2];
	for (int i = 1; i + 1 < n; i++)
		m[i] = d[i - 1] * d[i] <= 0 ? 0 : (d[i - 1] + d[i]) / 2;
	for (int i = 0; i + 1 < n; i++) {
		if (d[i] == 0) {
			m[i] = m[i + 1] = 0;
			continue;
		}
		double a = m[i] / d[i], b = m[i + 1] / d[i], s = a * a + b * b;
		if (s > 9) {
			double t = 3 / sqrt(s);
			m[i] = t * a * d[i];
			m[i + 1] = t * b * d[i];
		}
	}
}

double curve_eval(const struct curve *c, double x)
{
	double m[32];
	int n = c->n, i = 0;
	if (n < 1)
		return x;
	if (n == 1)
		return c->y[0] + (x - c->x[0]);
	tangents(c, m);
	if (x <= c->x[0])
		return c->y[0] + m[0] * (x - c->x[0]);
	if (x >= c->x[n - 1])
		return c->y[n - 1] + m[n - 1] * (x - c->x[n - 1]);
	while (x >= c->x[i + 1])
		i++;
	double h = c->x[i + 1] - c->x[i], t = (x - c->x[i]) / h, u = 1 - t;
	/* Hermite basis; (1+2t)u^2 keeps the ends exact */
	return (1 + 2 * t) * u * u * c->y[i] + t * t * (3 - 2 * t) * c->y[i + 1]
	       + h * t * u * (u * m[i] - t * m[i + 1]);
}
