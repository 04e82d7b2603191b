/* aces1 - see aces1.h: coefficients of the splines and matrices.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "aces1.h"

#include <string.h>

#include "colour.h"
#include "mathx.h"

/* One half of a uniform quadratic B-spline with n coefficients from x0 to x1, appended: value and
 * slope at a knot are the mean and the difference of the coefficients around it. */
static void add_half(struct aces1_spline *s, double *slope, double x0, double x1, const double *c, int n)
{
	double dx = (x1 - x0) / (n - 2);
	if (!s->n) {
		s->y = (c[0] + c[1]) / 2;
		s->s = *slope = (c[1] - c[0]) / dx;
	}
	int at = s->n ? s->n - 1 : 0;        /* the first knot is the last one of the half before */
	for (int i = 0; i < n - 2; i++) {
		double next = (c[i + 2] - c[i + 1]) / dx, bend = (next - *slope) / (2 * dx);
		s->x[at + i] = x0 + i * dx;
		s->d[at + i] += bend;
		s->d[at + i + 1] = -bend;
		*slope = next;
	}
	s->x[at + n - 2] = x1;
	s->n = at + n - 1;
}

static double spline_at(const struct aces1_spline *s, double x)
{
	double y = s->y + s->s * (x - s->x[0]);
	for (int i = 0; i < s->n; i++) {
		double d = x - s->x[i];
		d = d > 0 ? d : 0;
		y += s->d[i] * d * d;
	}
	return x > s->x[0] ? y : s->y + s->s * (x - s->x[0]);
}

/* log10(0.18 2^stops) */
static double lx(double stops) { return mx_log10(0.18) + stops * mx_log10(2); }

/* ACES 1.x: segmented_spline_c5 of the RRT, segmented_spline_c9 of the 48-nit output. */
static void sdr_splines(struct aces1 *a)
{
	static const double low5[5] = { -4, -4, -3.1573765773, -0.4852499958, 1.8477324706 };
	static const double high5[5] = { -0.7185482425, 2.0810307172, 3.6681241237, 4, 4 };
	static const double low9[9] = { -1.6989700043, -1.6989700043, -1.4779, -1.2291, -0.8648, -0.448, 0.00518,
		0.4511080334, 0.9113744414 };
	static const double high9[9] = { 0.5154386965, 0.8470437783, 1.1358, 1.3802, 1.5197, 1.5985,
		1.6467, 1.6746091357, 1.687873339 };
	double slope;
	add_half(&a->first, &slope, lx(-15), lx(0), low5, 5);
	add_half(&a->first, &slope, lx(0), lx(18), high5, 5);
	double lo = spline_at(&a->first, lx(-6.5)), mid = spline_at(&a->first, lx(0)),
		hi = spline_at(&a->first, lx(6.5));
	add_half(&a->second, &slope, lo, mid, low9, 9);
	add_half(&a->second, &slope, mid, hi, high9, 9);
	a->black = 0.02;
	a->scale = 1 / (48.0 - 0.02);
}

static double between(double x, double x0, double y0, double x1, double y1)
{
	double t = (x - x0) / (x1 - x0);
	t = t < 0 ? 0 : t > 1 ? 1 : t;
	return y0 + t * (y1 - y0);
}

/* ACES 1.1 single stage tone scale from 0.0001 to peak, all of it moved by shift (of log10). */
static void hdr_spline(struct aces1_spline *s, double peak, double shift)
{
	const double slope_mid = 1.55, y_mid = mx_log10(4.8), y_min = -4, y_max = mx_log10(peak);
	double stops = between(y_max, mx_log10(48), 6.5, 4, 18), min = lx(-15), mid = lx(0), max = lx(stops), slope;
	double il = (mid - min) / 3, ih = (max - mid) / 3, up = between(stops, 6.5, 0.89, 18, 0.90);
	double low[5] = { y_min, y_min, y_min + 0.18 * (y_mid - y_min), y_mid - 0.5 * il * slope_mid,
		y_mid + 0.5 * il * slope_mid };
	double high[5] = { y_mid - 0.5 * ih * slope_mid, y_mid + 0.5 * ih * slope_mid,
		y_mid + up * (y_max - y_mid), y_max, y_max };
	memset(s, 0, sizeof *s);
	add_half(s, &slope, min - shift, mid - shift, low, 5);
	add_half(s, &slope, mid - shift, max - shift, high, 5);
}

/* Where the spline is y: it rises. */
static double where(const struct aces1_spline *s, double y)
{
	double lo = s->x[0], hi = s->x[s->n - 1];
	for (int i = 0; i < 100; i++) {
		double m = 0.5 * (lo + hi);
		if (spline_at(s, m) < y) lo = m;
		else hi = m;
	}
	return 0.5 * (lo + hi);
}

/* amount of the saturation of AP1, as the Academy's calc_sat_adjust_matrix. */
static void saturation(const double luma[3], double amount, double m[9])
{
	for (int i = 0; i < 9; i++) m[i] = (1 - amount) * luma[i % 3] + (i % 4 ? 0 : amount);
}

void aces1_init(struct aces1 *a, enum aces1_display display, double peak, bool limit)
{
	static const char *const names[] = { "linear-rec709", "linear-p3-d65", "linear-rec2020" };
	int ap0 = colour_find("aces2065-1"), ap1 = colour_find("acescg"), d = colour_find(names[display]);
	double inv[9], cat[9], m[9], pa[8], pd[8];
	memset(a, 0, sizeof *a);
	a->sdr = peak <= 0;
	a->limit = limit;
	a->gain = 1;
	colour_matrix(ap0, ap1, a->ap0_ap1);
	colour_luma(ap1, a->luma);
	saturation(a->luma, 0.96, a->rrt_sat);
	saturation(a->luma, 0.93, a->odt_sat);
	if (a->sdr) {
		sdr_splines(a);
		colour_matrix(ap1, d, a->to_display);
		return;
	}
	hdr_spline(&a->first, peak, 0);
	hdr_spline(&a->first, peak, where(&a->first, mx_log10(15)) - lx(0));
	a->black = 0.0001;
	a->scale = 1 / (peak - 0.0001);
	a->gain = peak / 100;
	/* held to the display with the white of ACES, and only then brought to its own */
	colour_rgb_to_xyz(ap1, m);
	colour_rgb_to_xyz(d, a->from_limit);
	if (mat3_inv(a->from_limit, inv) == 0) mat3_mul(inv, m, a->to_display);
	colour_primaries(ap1, pa);
	colour_primaries(d, pd);
	colour_adapt(pa + 6, pd + 6, cat);
	mat3_mul(cat, a->from_limit, a->from_limit);
	mat3_mul(inv, a->from_limit, a->from_limit);
}
