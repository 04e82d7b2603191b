/* curve - monotone cubic interpolation through points, straight beyond them; quadratic splines; tables.
 * Fritsch and Carlson, "Monotone piecewise cubic interpolation", SIAM J. Numer. Anal. 17 (1980).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "curve.h"

#include <math.h>
#include <stdlib.h>

#include "mathx.h"

/* Tangents at the points: means of the neighbouring slopes, limited to the circle of radius 3. */
static void tangents(const double *x, const double *y, int n, double *m)
{
	double d[36] = { 0 };
	for (int i = 0; i + 1 < n; i++)
		d[i] = (y[i + 1] - y[i]) / (x[i + 1] - x[i]);
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

/* The piece from point i on. */
static double hermite(const double *px, const double *py, const double *m, int i, double x)
{
	double h = px[i + 1] - px[i], t = (x - px[i]) / h, u = 1 - t;
	/* (1+2t)u^2 keeps the ends exact */
	return (1 + 2 * t) * u * u * py[i] + t * t * (3 - 2 * t) * py[i + 1]
	       + h * t * u * (u * m[i] - t * m[i + 1]);
}

double curve_eval(const struct curve *c, double x)
{
	double m[36];
	int n = c->n, i = 0;
	if (n < 1)
		return x;
	if (n == 1)
		return c->y[0] + (x - c->x[0]);
	tangents(c->x, c->y, n, m);
	if (x <= c->x[0])
		return c->y[0] + m[0] * (x - c->x[0]);
	if (x >= c->x[n - 1])
		return c->y[n - 1] + m[n - 1] * (x - c->x[n - 1]);
	while (x >= c->x[i + 1])
		i++;
	return hermite(c->x, c->y, m, i, x);
}

/* --- on a circle --- */

/* The points around the circle once, with one more on each side of it twice, so that tangents at the seam see
 * their neighbours. */
static void unroll(const struct curve *c, double length, double *x, double *y, int *n)
{
	int k = 0;
	for (int turn = -1; turn <= 1; turn++)
		for (int i = 0; i < c->n; i++) {
			if ((turn < 0 && i < c->n - 2) || (turn > 0 && i > 1)) continue;
			double at = c->x[i] + turn * length;
			if (k && !(at > x[k - 1])) continue;      /* 0 and 360 are one point: the latter stands */
			x[k] = at;
			y[k++] = c->y[i];
		}
	*n = k;
}

double curve_eval_around(const struct curve *c, double length, double x)
{
	double px[36], py[36], m[36];
	int n, i = 0;
	if (c->n < 1) return x;
	unroll(c, length, px, py, &n);
	x = c->x[0] + mx_fmod(x - c->x[0], length);
	if (x < c->x[0]) x += length;
	tangents(px, py, n, m);
	while (i + 2 < n && x >= px[i + 1]) i++;
	return hermite(px, py, m, i, x);
}

/* --- the quadratic B-spline --- */

/* Slopes at the points: secants weighted by the length of their runs; ends by extrapolation, 0.01 at least.
 * OpenColorIO, GradingBSplineCurve. */
static void quad_slopes(const struct curve *c, double *s)
{
	double secant[32], len[32];
	int n = c->n, i = 0;
	for (int k = 0; k + 1 < n; k++) {
		double dx = c->x[k + 1] - c->x[k], dy = c->y[k + 1] - c->y[k];
		secant[k] = dy / dx;
		len[k] = sqrt(dx * dx + dy * dy);
	}
	if (n == 2) { s[0] = s[1] = secant[0]; return; }
	for (int j; i < n - 2; i = j + 1) {               /* points in one line weigh as one long run */
		double sum = len[i];
		for (j = i; j < n - 2 && fabs(secant[j + 1] - secant[j]) < 1e-6; j++) sum += len[j + 1];
		for (int k = i; k <= j; k++) len[k] = sum;
	}
	for (int k = 1; k + 1 < n; k++)
		s[k] = (len[k] * secant[k] + len[k - 1] * secant[k - 1]) / (len[k] + len[k - 1]);
	s[0] = 0.5 * (3 * secant[0] - s[1]);
	s[n - 1] = 0.5 * (3 * secant[n - 2] - s[n - 2]);
	if (s[0] < 0.01) s[0] = 0.01;
	if (s[n - 1] < 0.01) s[n - 1] = 0.01;
}

/* One more piece between two points where a parabola alone cannot have both
 * slopes: where it begins, or none. */
static bool quad_knot(const struct curve *c, const double *s, int i, double *at)
{
	double dx = c->x[i + 1] - c->x[i], secant = (c->y[i + 1] - c->y[i]) / dx;
	double a = s[i] - secant, b = s[i + 1] - secant, turn = s[i + 1] - s[i];
	if (fabs(s[i] + s[i + 1] - 2 * secant) < 1e-6) return false;
	*at = a * b >= 0 ? (c->x[i] + c->x[i + 1]) / 2
	    : fabs(a) > fabs(b) ? c->x[i + 1] + a * dx / turn : c->x[i] + b * dx / turn;
	return true;
}

/* Where the middle slope would fall below 0, both ends are made flatter. The pieces
 * are those of the first slopes. */
static void quad_flatten(const struct curve *c, double *s)
{
	double at[32];
	for (int i = 0; i + 1 < c->n; i++)
		if (!quad_knot(c, s, i, &at[i])) at[i] = c->x[i + 1];
	for (int i = 0; i + 1 < c->n; i++) {
		double dx = c->x[i + 1] - c->x[i], secant = (c->y[i + 1] - c->y[i]) / dx;
		double blend = ((at[i] - c->x[i]) * s[i] + (c->x[i + 1] - at[i]) * s[i + 1]) / dx;
		if (2 * secant - blend >= 0) continue;
		double aim = 0.005 * (s[i] + s[i + 1]);
		double f = (2 * secant - (aim > secant ? secant : aim)) / blend;
		s[i] *= f;
		s[i + 1] *= f;
	}
}

static void quad_add(struct quad_spline *q, double x, double a, double b, double c)
{
	q->x[q->n] = x;
	q->a[q->n] = a;
	q->b[q->n] = b;
	q->c[q->n++] = c;
}

int curve_quad(const struct curve *c, struct quad_spline *q, struct err *e)
{
	double s[32];
	q->n = 0;
	if (c->n < 2) return err_set(e, E_SCENE, "a curve needs two points");
	quad_slopes(c, s);
	quad_flatten(c, s);
	for (int i = 0; i + 1 < c->n; i++) {
		double at, x0 = c->x[i], x1 = c->x[i + 1], dx = x1 - x0;
		if (!quad_knot(c, s, i, &at)) {
			quad_add(q, x0, 0.5 * (s[i + 1] - s[i]) / dx, s[i], c->y[i]);
			continue;
		}
		double d = at - x0, mid = 2 * (c->y[i + 1] - c->y[i]) / dx - s[i + 1] + (s[i + 1] - s[i]) * d / dx;
		double bend = d > 0 ? (mid - s[i]) / d : 0;
		quad_add(q, x0, 0.5 * bend, s[i], c->y[i]);
		quad_add(q, at, x1 > at ? 0.5 * (s[i + 1] - mid) / (x1 - at) : 0, mid,
		         c->y[i] + s[i] * d + 0.5 * bend * d * d);
	}
	quad_add(q, c->x[c->n - 1], 0, 0, c->y[c->n - 1]);
	int last = q->n - 1;
	double d = q->x[last] - q->x[last - 1];
	q->b[last] = 2 * q->a[last - 1] * d + q->b[last - 1];
	q->c[last] = (q->a[last - 1] * d + q->b[last - 1]) * d + q->c[last - 1];
	return 0;
}

double quad_eval(const struct quad_spline *q, double v)
{
	int i = 0;
	if (v <= q->x[0]) return (v - q->x[0]) * q->b[0] + q->c[0];
	while (i + 1 < q->n && v >= q->x[i + 1]) i++;
	double d = v - q->x[i];
	return (q->a[i] * d + q->b[i]) * d + q->c[i];
}

/* --- tables --- */

/* Straight pieces, 1/4096 of the width w long, lie within w^2 |second derivative| / 1.3e8 of the curve. */
int curve_bake(struct curve_table *t, const struct curve *c, enum spline kind, struct err *e)
{
	struct quad_spline q;
	*t = (struct curve_table){ 0 };
	if (!c->n) return 0;
	if (kind == SPLINE_SMOOTH && curve_quad(c, &q, e) < 0) return -1;
#define AT(x) (kind == SPLINE_SMOOTH ? quad_eval(&q, x) : curve_eval(c, x))
	double x0 = c->x[0], w = c->x[c->n - 1] - x0;
	if (!(w > 0)) w = 1;
	t->knot = xalloc(CURVE_KNOTS + 1, sizeof(float));
	for (int k = 0; k <= CURVE_KNOTS; k++) t->knot[k] = (float)AT(x0 + w * k / CURVE_KNOTS);
	t->x0 = (float)x0;
	t->step = (float)(CURVE_KNOTS / w);
	t->before = (float)((AT(x0) - AT(x0 - w)) / CURVE_KNOTS);
	t->after = (float)((AT(x0 + 2 * w) - AT(x0 + w)) / CURVE_KNOTS);
#undef AT
	return 0;
}

void curve_bake_around(struct curve_table *t, const struct curve *c, double length, double unit)
{
	*t = (struct curve_table){ 0 };
	if (!c->n) return;
	t->knot = xalloc(CURVE_KNOTS + 1, sizeof(float));
	for (int k = 0; k <= CURVE_KNOTS; k++)
		t->knot[k] = (float)curve_eval_around(c, length, length * (k % CURVE_KNOTS) / CURVE_KNOTS);
	t->step = (float)(CURVE_KNOTS / unit);
}

void curve_table_free(struct curve_table *t)
{
	free(t->knot);
	*t = (struct curve_table){ 0 };
}
