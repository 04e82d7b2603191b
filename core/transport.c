/* transport - the sliced optimal transport of colours, as a map of the whole cube.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "transport.h"

#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "mem.h"
#include "rng.h"

enum { TURNS = 20, KNOTS = 33, SAMPLES = 20000 };

struct turn { double m[9]; double x[3][KNOTS], y[3][KNOTS]; };
struct transport { struct turn t[TURNS]; };

/* The first turn is none, the others are random rotations, even over all of them (Shoemake 1992). */
static void random_turn(int i, double m[9])
{
	struct philox r = philox4x32((uint32_t)i, 0, 0, 0, 0x736c6963u, 0x65640000u);
	double u = (r.c[0] + 0.5) * 0x1p-32, a = 2 * MX_PI * (r.c[1] + 0.5) * 0x1p-32,
		b = 2 * MX_PI * (r.c[2] + 0.5) * 0x1p-32;
	double s = __builtin_sqrt(1 - u), c = __builtin_sqrt(u);
	double x = s * mx_sin(a), y = s * mx_cos(a), z = c * mx_sin(b), w = c * mx_cos(b);
	if (!i) { x = y = z = 0; w = 1; }
	double q[9] = { 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
		2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
		2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y) };
	memcpy(m, q, sizeof q);
}

static double along(const double m[9], int axis, const double v[3])
{
	return m[axis * 3] * v[0] + m[axis * 3 + 1] * v[1] + m[axis * 3 + 2] * v[2];
}

static double curve_at(const double *x, const double *y, double v)
{
	if (v <= x[0]) return y[0] + v - x[0];
	if (v >= x[KNOTS - 1]) return y[KNOTS - 1] + v - x[KNOTS - 1];
	int i = 0;
	while (v > x[i + 1]) i++;
	double w = x[i + 1] - x[i];
	return w > 0 ? y[i] + (y[i + 1] - y[i]) * (v - x[i]) / w : y[i];
}

/* Quantiles to quantiles; a curve that is too steep or too flat is bent back from the middle outward. */
static void fit_curve(float *a, size_t na, float *b, size_t nb, double *x, double *y)
{
	floats_sort(a, na);
	floats_sort(b, nb);
	for (int i = 0; i < KNOTS; i++) {
		double q = 0.005 + 0.99 * i / (KNOTS - 1);
		x[i] = floats_quantile(a, na, q);
		y[i] = floats_quantile(b, nb, q);
	}
	for (int side = -1; side <= 1; side += 2)
		for (int i = KNOTS / 2 + side; i >= 0 && i < KNOTS; i += side) {
			double dx = (x[i] - x[i - side]) * side, dy = (y[i] - y[i - side]) * side;
			dy = dy < 0.5 * dx ? 0.5 * dx : dy > 2 * dx ? 2 * dx : dy;
			y[i] = y[i - side] + side * dy;
		}
}

static void map_turn(const struct turn *t, double v[3])
{
	double w[3];
	for (int k = 0; k < 3; k++) w[k] = curve_at(t->x[k], t->y[k], along(t->m, k, v));
	for (int k = 0; k < 3; k++) v[k] = t->m[k] * w[0] + t->m[3 + k] * w[1] + t->m[6 + k] * w[2];
}

struct points { size_t n; double (*v)[3]; };

static struct points pick(const struct pixels *p)
{
	size_t step = p->n / SAMPLES + 1;
	struct points out = { 0, xalloc(p->n / step + 1, sizeof *out.v) };
	for (size_t i = 0; i < p->n; i += step, out.n++)
		for (int k = 0; k < 3; k++) out.v[out.n][k] = p->p[k][i];
	return out;
}

struct transport *transport_new(const struct pixels *in, const struct pixels *ref)
{
	struct transport *t = xalloc(1, sizeof *t);
	struct points a = pick(in), b = pick(ref);
	float *x = xalloc(a.n + 1, sizeof *x), *y = xalloc(b.n + 1, sizeof *y);
	for (int i = 0; i < TURNS; i++) {
		struct turn *u = &t->t[i];
		random_turn(i, u->m);
		for (int k = 0; k < 3; k++) {
			for (size_t j = 0; j < a.n; j++) x[j] = (float)along(u->m, k, a.v[j]);
			for (size_t j = 0; j < b.n; j++) y[j] = (float)along(u->m, k, b.v[j]);
			fit_curve(x, a.n, y, b.n, u->x[k], u->y[k]);
		}
		for (size_t j = 0; j < a.n; j++) map_turn(u, a.v[j]);
	}
	free(x);
	free(y);
	free(a.v);
	free(b.v);
	return t;
}
void transport_free(struct transport **t)
{
	free(*t);
	*t = NULL;
}
void transport_map(const struct transport *t, double rgb[3])
{
	for (int i = 0; i < TURNS; i++) map_turn(&t->t[i], rgb);
}
