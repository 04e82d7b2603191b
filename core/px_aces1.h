/* px_aces1 - the output transforms of ACES 1.x over rows, in doubles; vectorised by the compiler.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_ACES1_H
#define IN_PX_ACES1_H

#include "aces1.h"
#include "px_math.h"

enum { ACES1_CHUNK = 64 };

IN_INLINE double px_larger(double a, double b) { return a > b ? a : b; }
IN_INLINE double px_smaller(double a, double b) { return a < b ? a : b; }

/* Arc tangent of |t| <= 2.5, within 1e-10. */
IN_INLINE double px_datan_within(double t)
{
	double a = px_dabs(t), far = (a - 1) / (a + 1), z = a > 0.41421356237309503 ? far : a, q = z * z, p = 0;
	p = p * q - 1 / 23.0;
	p = p * q + 1 / 21.0;
	p = p * q - 1 / 19.0;
	p = p * q + 1 / 17.0;
	p = p * q - 1 / 15.0;
	p = p * q + 1 / 13.0;
	p = p * q - 1 / 11.0;
	p = p * q + 1 / 9.0;
	p = p * q - 1 / 7.0;
	p = p * q + 1 / 5.0;
	p = p * q - 1 / 3.0;
	p = z + z * q * p;
	return px_dsign(a > 0.41421356237309503 ? 0.78539816339744831 + p : p, t);
}

IN_INLINE double aces1_saturation(double r, double g, double b)
{
	double hi = px_larger(px_larger(r, g), b), lo = px_smaller(px_smaller(r, g), b);
	return (px_larger(hi, 1e-10) - px_larger(lo, 1e-10)) / px_larger(hi, 1e-2);
}

/* What red, green and blue are multiplied with: more light where a dark picture is saturated. */
IN_INLINE double aces1_glow(double r, double g, double b)
{
	const double gain = 0.05, mid = 0.08;
	double c = b * (b - g) + g * (g - r) + r * (r - b);
	double yc = (b + g + r + 1.75 * __builtin_sqrt(px_larger(c, 0))) / 3;
	double x = (aces1_saturation(r, g, b) - 0.4) / 0.2, t = px_larger(1 - px_dabs(x) / 2, 0);
	double most = gain * (1 + px_dsign(1 - t * t, x)) / 2, less = most * (mid / px_larger(yc, 1e-3) - 0.5);
	double added = yc <= 2.0 / 3 * mid ? most : less;
	return 1 + (yc >= 2 * mid ? 0 : added);
}

/* Less red in what is red: a cubic B-spline of 135 degrees about hue 0. */
IN_INLINE double aces1_red(double r, double g, double b)
{
	double y = 1.7320508075688772 * (g - b), x = 2 * r - g - b, s = px_larger(x, 1e-30), t = y / s;
	t = px_smaller(px_larger(t, -2.5), 2.5);
	double k = px_datan_within(t) * (180 / 3.14159265358979323846 / 33.75), a = px_dabs(k), u = 2 - a;
	double in = 4 - 6 * a * a + 3 * a * a * a, w = a < 1 ? in : u * u * u;
	w = u > 0 ? w * 0.25 : 0;
	w = x > 0 ? w : 0;
	return r + w * aces1_saturation(r, g, b) * (0.03 - r) * (1 - 0.82);
}

IN_INLINE void aces1_matrix(const double m[9], double v[3][ACES1_CHUNK], int n)
{
	for (int i = 0; i < n; i++) {
		double r = v[0][i], g = v[1][i], b = v[2][i];
		v[0][i] = m[0] * r + m[1] * g + m[2] * b;
		v[1][i] = m[3] * r + m[4] * g + m[5] * b;
		v[2][i] = m[6] * r + m[7] * g + m[8] * b;
	}
}
IN_INLINE void aces1_hold(double v[3][ACES1_CHUNK], double lo, double hi, int n)
{
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < n; i++) v[k][i] = px_smaller(px_larger(v[k][i], lo), hi);
}

IN_INLINE void aces1_spline_row(const struct aces1_spline *s, double *IN_RESTRICT v, int n)
{
	double y[ACES1_CHUNK];
	for (int i = 0; i < n; i++) y[i] = s->y + s->s * (v[i] - s->x[0]);
	for (int k = 0; k < s->n; k++) {
		const double x = s->x[k], d = s->d[k];
		for (int i = 0; i < n; i++) {
			double t = px_larger(v[i] - x, 0);
			y[i] += d * t * t;
		}
	}
	for (int i = 0; i < n; i++) v[i] = y[i];
}

/* Linear ACES2065-1 to linear light of the display's primaries: SDR white is 1, HDR 100 cd/m2 are 1. */
static inline void aces1_row(const struct aces1 *a, float *r, float *g, float *b, int n)
{
	double v[3][ACES1_CHUNK];
	float *const p[3] = { r, g, b };
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < n; i++) v[k][i] = px_smaller(px_larger(p[k][i], -65504), 65504);
	for (int i = 0; i < n; i++) {
		double f = aces1_glow(v[0][i], v[1][i], v[2][i]);
		for (int k = 0; k < 3; k++) v[k][i] *= f;
		v[0][i] = aces1_red(v[0][i], v[1][i], v[2][i]);
	}
	aces1_hold(v, 0, 65504, n);
	aces1_matrix(a->ap0_ap1, v, n);
	aces1_hold(v, 0, 65504, n);
	aces1_matrix(a->rrt_sat, v, n);
	for (int k = 0; k < 3; k++) {
		for (int i = 0; i < n; i++) v[k][i] = px_dlog10(px_larger(v[k][i], 1.17549435e-38));
		aces1_spline_row(&a->first, v[k], n);
		if (a->second.n) aces1_spline_row(&a->second, v[k], n);
		for (int i = 0; i < n; i++) v[k][i] = (px_dexp2(v[k][i] * 3.3219280948873623) - a->black) * a->scale;
	}
	for (int i = 0; i < n && a->sdr; i++) {
		double y = px_larger(a->luma[0] * v[0][i] + a->luma[1] * v[1][i] + a->luma[2] * v[2][i], 1e-10);
		double f = px_dpow(y, 0.9811 - 1);
		for (int k = 0; k < 3; k++) v[k][i] *= f;
	}
	if (a->sdr) aces1_matrix(a->odt_sat, v, n);
	aces1_matrix(a->to_display, v, n);
	if (a->limit) aces1_hold(v, 0, 1, n);
	if (!a->sdr) aces1_matrix(a->from_limit, v, n);
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < n; i++) p[k][i] = (float)(v[k][i] * a->gain);
}

#endif
