/* cdlfit_kinds - the fits that match less than everything: levels, mean and
 * deviation, the Monge-Kantorovich map.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "cdlfit.h"
#include "colour.h"
#include "mathx.h"
#include "mem.h"
#include "px_math.h"

static const double luma[3] = { 0.2126, 0.7152, 0.0722 };
#define BENT 0.02                       /* a third of a stop that the median is off before the curve is bent */
#define LOG_STEP (1 / 17.52)            /* a stop in acescct */

static bool held(double *v, double lo, double hi)
{
	double was = *v;
	*v = was < lo ? lo : was > hi ? hi : was;
	return *v != was;
}
static void neutral(struct cdl_fit *f)
{
	memset(f, 0, sizeof *f);
	for (int k = 0; k < 3; k++) f->slope[k] = f->power[k] = 1;
	f->saturation = 1;
}

/* Slope and offset into their limits; a slope that is held turns about x, so that x keeps what it becomes. */
static void limit(struct cdl_fit *f, const double x[3])
{
	for (int k = 0; k < 3; k++) {
		double at = f->slope[k] * x[k] + f->offset[k];
		bool steep = held(&f->slope[k], 0.5, 2);
		if (steep) f->offset[k] = at - f->slope[k] * x[k];
		bool high = held(&f->offset[k], -0.1, 0.1);
		f->limited[k] = steep || high;
	}
	f->limited[3] = held(&f->saturation, 0.5, 2);
}

void cdl_apply(const struct cdl_fit *f, const struct pixels *in, struct pixels *out)
{
	for (size_t i = 0; i < in->n; i++) {
		double v[3], y = 0;
		for (int k = 0; k < 3; k++) {
			double b = in->p[k][i] * f->slope[k] + f->offset[k];
			v[k] = b > 0 && f->power[k] != 1 ? px_dpow(b, f->power[k]) : b;
			y += luma[k] * v[k];
		}
		for (int k = 0; k < 3; k++) out->p[k][i] = (float)(y + f->saturation * (v[k] - y));
	}
	out->n = in->n;
}

double cdl_gap(const struct pixels *a, const struct pixels *b)
{
	size_t most = a->n > b->n ? a->n : b->n;
	float *x = xalloc(most + 1, sizeof *x), *y = xalloc(most + 1, sizeof *y);
	double sum = 0;
	for (int k = 0; k < 3; k++) {
		memcpy(x, a->p[k], a->n * sizeof *x);
		memcpy(y, b->p[k], b->n * sizeof *y);
		floats_sort(x, a->n);
		floats_sort(y, b->n);
		for (int j = 2; j <= 98; j++) {
			double d = floats_quantile(x, a->n, 0.01 * j) - floats_quantile(y, b->n, 0.01 * j);
			sum += d * d;
		}
	}
	free(x);
	free(y);
	return __builtin_sqrt(sum / (3 * 97));
}

void cdl_judge(const struct pixels *in, const struct pixels *ref, struct cdl_fit *f)
{
	struct pixels done = { .n = in->n };
	for (int k = 0; k < 3; k++) done.p[k] = xalloc(in->n + 1, sizeof(float));
	cdl_apply(f, in, &done);
	f->rms_before = cdl_gap(in, ref);
	f->rms = cdl_gap(&done, ref);
	f->confidence = 1 / (1 + f->rms * f->rms / (0.02 * 0.02));
	for (int k = 0; k < 4; k++) f->confidence *= f->limited[k] ? 0.7 : 1;
	pixels_free(&done);
}

/* --- levels --- */

/* 1 %, median and 99 % of luma. */
static void levels(const struct pixels *p, double v[3])
{
	float *y = xalloc(p->n + 1, sizeof *y);
	for (size_t i = 0; i < p->n; i++)
		y[i] = (float)(luma[0] * p->p[0][i] + luma[1] * p->p[1][i] + luma[2] * p->p[2][i]);
	floats_sort(y, p->n);
	v[0] = floats_quantile(y, p->n, 0.01);
	v[1] = floats_quantile(y, p->n, 0.5);
	v[2] = floats_quantile(y, p->n, 0.99);
	free(y);
}

static double pow_of(double x, double p) { return x > 0 ? mx_pow(x, p) : x; }

/* The straight line through black and white under a power; what it makes of the median. */
static double through(const double x[3], const double y[3], double power, double *slope, double *offset)
{
	double a = pow_of(y[0], 1 / power), b = pow_of(y[2], 1 / power);
	*slope = x[2] - x[0] > 1e-4 ? (b - a) / (x[2] - x[0]) : 1;
	held(slope, 0.5, 2);
	*offset = (a + b) / 2 - *slope * (x[0] + x[2]) / 2;
	return pow_of(x[1] * *slope + *offset, power);
}

void cdl_fit_levels(const struct pixels *in, const struct pixels *ref, const double gain[3],
                    struct cdl_fit *f)
{
	double x[3], y[3], lo = 0.7, hi = 1.4, slope, offset, shift[3], mean = 0;
	neutral(f);
	levels(in, x);
	levels(ref, y);
	double straight = through(x, y, 1, &slope, &offset) - y[1], power = 1;
	if (straight < BENT && straight > -BENT) {
		offset -= straight / 2;         /* exposure counts as much as both ends together */
	} else {
		/* a larger power darkens the median between black and white that stay */
		for (int i = 0; i < 50; i++) {
			power = (lo + hi) / 2;
			if (through(x, y, power, &slope, &offset) > y[1]) lo = power;
			else hi = power;
		}
		f->used_power = true;
	}
	for (int k = 0; k < 3; k++) {
		shift[k] = mx_log2(gain[k]) * LOG_STEP;
		mean += luma[k] * shift[k];
	}
	double mid[3];
	for (int k = 0; k < 3; k++) {
		f->slope[k] = slope;
		f->offset[k] = offset + slope * (shift[k] - mean);
		f->power[k] = power;
		mid[k] = x[1];
	}
	limit(f, mid);
	double gap = pow_of(x[1] * slope + offset, power) - y[1];
	f->rms = gap < 0 ? -gap : gap;
	f->rms_before = __builtin_sqrt(((x[0] - y[0]) * (x[0] - y[0]) + (x[1] - y[1]) * (x[1] - y[1])
	                                + (x[2] - y[2]) * (x[2] - y[2])) / 3);
	f->confidence = 1 / (1 + f->rms * f->rms / (0.02 * 0.02));
	for (int k = 0; k < 4; k++) f->confidence *= f->limited[k] ? 0.7 : 1;
}

/* --- moments --- */

struct moments { double mean[3], cov[9]; };

/* Of pixels held within 1 and 99 % of each channel, so that no highlight decides. */
static void moments(const struct pixels *p, struct moments *m)
{
	double lo[3], hi[3];
	float *t = xalloc(p->n + 1, sizeof *t);
	memset(m, 0, sizeof *m);
	for (int k = 0; k < 3; k++) {
		memcpy(t, p->p[k], p->n * sizeof *t);
		floats_sort(t, p->n);
		lo[k] = floats_quantile(t, p->n, 0.01);
		hi[k] = floats_quantile(t, p->n, 0.99);
	}
	free(t);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < p->n; i++) {
			double v[3];
			for (int k = 0; k < 3; k++) {
				v[k] = p->p[k][i] < lo[k] ? lo[k] : p->p[k][i] > hi[k] ? hi[k] : p->p[k][i];
				if (pass) v[k] -= m->mean[k];
				else m->mean[k] += v[k] / (double)p->n;
			}
			for (int k = 0; k < 9 && pass; k++) m->cov[k] += v[k / 3] * v[k % 3] / (double)p->n;
		}
}

void cdl_fit_mean(const struct pixels *in, const struct pixels *ref, struct cdl_fit *f)
{
	struct moments a, b;
	neutral(f);
	moments(in, &a);
	moments(ref, &b);
	for (int k = 0; k < 3; k++) {
		f->slope[k] = a.cov[k * 4] > 1e-10 ? __builtin_sqrt(b.cov[k * 4] / a.cov[k * 4]) : 1;
		f->offset[k] = b.mean[k] - f->slope[k] * a.mean[k];
	}
	limit(f, a.mean);
	cdl_judge(in, ref, f);
}

/* One rotation of Jacobi's method that makes a[p][q] 0. */
static void jacobi(double a[9], double v[9], int p, int q)
{
	double apq = a[p * 3 + q];
	if (apq == 0) return;
	double th = (a[q * 4] - a[p * 4]) / (2 * apq), at = th < 0 ? -th : th;
	double t = 1 / (at + __builtin_sqrt(th * th + 1));
	if (th < 0) t = -t;
	double c = 1 / __builtin_sqrt(t * t + 1), s = t * c;
	for (int k = 0; k < 3; k++) {
		double x = a[k * 3 + p], y = a[k * 3 + q];
		a[k * 3 + p] = c * x - s * y;
		a[k * 3 + q] = s * x + c * y;
	}
	for (int k = 0; k < 3; k++) {
		double x = a[p * 3 + k], y = a[q * 3 + k], z = v[k * 3 + p], w = v[k * 3 + q];
		a[p * 3 + k] = c * x - s * y;
		a[q * 3 + k] = s * x + c * y;
		v[k * 3 + p] = c * z - s * w;
		v[k * 3 + q] = s * z + c * w;
	}
}

/* A symmetric matrix to the power 1/2 or -1/2. */
static void root(const double m[9], bool inverse, double out[9])
{
	double a[9], v[9] = { 1, 0, 0, 0, 1, 0, 0, 0, 1 }, d[3];
	memcpy(a, m, sizeof a);
	for (int i = 0; i < 30; i++) {
		jacobi(a, v, 0, 1);
		jacobi(a, v, 0, 2);
		jacobi(a, v, 1, 2);
	}
	for (int k = 0; k < 3; k++) {
		d[k] = __builtin_sqrt(a[k * 4] > 1e-12 ? a[k * 4] : 1e-12);
		if (inverse) d[k] = 1 / d[k];
	}
	for (int i = 0; i < 9; i++) {
		out[i] = 0;
		for (int k = 0; k < 3; k++) out[i] += v[i / 3 * 3 + k] * d[k] * v[i % 3 * 3 + k];
	}
}

/* The slopes nearest to m before a saturation s, over colours of covariance c; returns what is left. */
static double nearest(const double m[9], const double c[9], double s, double slope[3])
{
	double a[9], n[9], inv[9], g[3], left = 0, mc[9];
	for (int i = 0; i < 9; i++) a[i] = (1 - s) * luma[i % 3] + (i % 4 == 0 ? s : 0);
	mat3_mul(m, c, mc);
	for (int i = 0; i < 3; i++) {
		g[i] = 0;
		for (int r = 0; r < 3; r++) g[i] += a[r * 3 + i] * mc[r * 3 + i];
		for (int j = 0; j < 3; j++) {
			double dot = 0;
			for (int r = 0; r < 3; r++) dot += a[r * 3 + i] * a[r * 3 + j];
			n[i * 3 + j] = dot * c[i * 3 + j] + (i == j ? 1e-12 : 0);
		}
	}
	if (mat3_inv(n, inv) < 0) return 1e30;
	for (int i = 0; i < 3; i++) slope[i] = inv[i * 3] * g[0] + inv[i * 3 + 1] * g[1] + inv[i * 3 + 2] * g[2];
	double e[9], ec[9];
	for (int i = 0; i < 9; i++) e[i] = a[i] * slope[i % 3] - m[i];
	mat3_mul(e, c, ec);
	for (int i = 0; i < 9; i++) left += ec[i] * e[i];
	return left;
}

void cdl_fit_kantorovich(const struct pixels *in, const struct pixels *ref, double m[9],
                         double add[3], struct cdl_fit *f)
{
	struct moments a, b;
	double half[9], minus[9], t[9], lo = 0.5, hi = 2;
	neutral(f);
	moments(in, &a);
	moments(ref, &b);
	root(a.cov, false, half);
	root(a.cov, true, minus);
	mat3_mul(half, b.cov, t);
	mat3_mul(t, half, t);
	root(t, false, t);
	mat3_mul(minus, t, m);
	mat3_mul(m, minus, m);
	for (int k = 0; k < 3; k++)
		add[k] = b.mean[k] - (m[k * 3] * a.mean[0] + m[k * 3 + 1] * a.mean[1] + m[k * 3 + 2] * a.mean[2]);
	for (int i = 0; i < 80; i++) {
		double x = lo + (hi - lo) * 0.381966011250105, y = lo + (hi - lo) * 0.618033988749895;
		if (nearest(m, a.cov, x, f->slope) < nearest(m, a.cov, y, f->slope)) hi = y;
		else lo = x;
	}
	f->saturation = (lo + hi) / 2;
	nearest(m, a.cov, f->saturation, f->slope);
	double y = luma[0] * b.mean[0] + luma[1] * b.mean[1] + luma[2] * b.mean[2];
	for (int k = 0; k < 3; k++) f->offset[k] = y + (b.mean[k] - y) / f->saturation - f->slope[k] * a.mean[k];
	limit(f, a.mean);
	cdl_judge(in, ref, f);
}
