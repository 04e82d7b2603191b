/* white - white balance: mired and tint to a matrix, and back from a measured white.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "white.h"

#include <string.h>

#include "colour.h"
#include "mathx.h"

/* Planckian locus in CIE 1960 uv: Krystek, "An algorithm to calculate correlated colour temperature",
 * Color Research & Application 10 (1985). */
static void locus(double mired, double uv[2])
{
	double t = 1e6 / mired, t2 = t * t;
	uv[0] = (0.860117757 + 1.54118254e-4 * t + 1.28641212e-7 * t2)
	      / (1 + 8.42420235e-4 * t + 7.08145163e-7 * t2);
	uv[1] = (0.317398726 + 4.22806245e-5 * t + 4.20481691e-8 * t2)
	      / (1 - 2.89741816e-5 * t + 1.61456053e-7 * t2);
}

/* The chromaticity xy of white moved by temperature and tint. */
static void moved_white(double temperature, double tint, double xy[2])
{
	double mired = 1e6 / WHITE_KELVIN + temperature, a[2], b[2], uv[2];
	locus(mired, uv);
	locus(mired - 0.5, a);
	locus(mired + 0.5, b);
	double du = b[0] - a[0], dv = b[1] - a[1], len = mx_hypot(du, dv), d = tint * 1e-3;
	/* below the locus (smaller v) is magenta; du > 0 towards warm */
	uv[0] += d * dv / len;
	uv[1] -= d * du / len;
	double den = 2 * uv[0] - 8 * uv[1] + 4;
	xy[0] = 3 * uv[0] / den;
	xy[1] = 2 * uv[1] / den;
}

void white_matrix(int space, double exposure, double temperature, double tint, double m[9])
{
	static const double one[9] = { 1, 0, 0, 0, 1, 0, 0, 0, 1 };
	double gain = mx_exp2(exposure);
	memcpy(m, one, sizeof one);
	if (temperature != 0 || tint != 0) {
		double from[2], to[2], a[9], x[9], inv[9], w[3], y = 0, sum = 0;
		moved_white(0, 0, from);
		moved_white(temperature, tint, to);
		colour_adapt(from, to, a);
		colour_rgb_to_xyz(space, x);
		if (mat3_inv(x, inv) < 0) return;
		mat3_mul(a, x, m);
		mat3_mul(inv, m, m);
		colour_luma(space, w);
		for (int i = 0; i < 3; i++) {
			y += w[i] * (m[i * 3] + m[i * 3 + 1] + m[i * 3 + 2]);
			sum += w[i];
		}
		gain *= sum / y;
	}
	for (int i = 0; i < 9; i++) m[i] *= gain;
}

/* What is left of the cast: log2 of R/G and B/G after the correction. */
static void cast_left(int space, const double rgb[3], double temperature, double tint,
                      double out[2])
{
	double m[9], v[3];
	white_matrix(space, 0, temperature, tint, m);
	for (int i = 0; i < 3; i++) {
		v[i] = m[i * 3] * rgb[0] + m[i * 3 + 1] * rgb[1] + m[i * 3 + 2] * rgb[2];
		if (v[i] < 1e-6) v[i] = 1e-6;
	}
	out[0] = mx_log2(v[0] / v[1]);
	out[1] = mx_log2(v[2] / v[1]);
}

static double held(double v, double limit) { return v < -limit ? -limit : v > limit ? limit : v; }

void white_solve(int space, const double rgb[3], double temp_limit, double tint_limit,
                 double *temperature,
                 double *tint)
{
	double t = 0, d = 0;
	for (int i = 0; i < 20; i++) {          /* Newton; the map is close to linear over the limits */
		double f[2], ft[2], fd[2];
		cast_left(space, rgb, t, d, f);
		cast_left(space, rgb, t + 0.25, d, ft);
		cast_left(space, rgb, t, d + 0.25, fd);
		double a = (ft[0] - f[0]) * 4, b = (fd[0] - f[0]) * 4, c = (ft[1] - f[1]) * 4,
		    e = (fd[1] - f[1]) * 4;
		double det = a * e - b * c;
		if (det == 0) break;
		t = held(t - (e * f[0] - b * f[1]) / det, temp_limit);
		d = held(d - (a * f[1] - c * f[0]) / det, tint_limit);
	}
	*temperature = t;
	*tint = d;
}
