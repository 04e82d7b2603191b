/* cdlfit - the ASC CDL that takes the colours of one set of pixels to those of another.
 *
 * Pixels need not correspond: per channel the quantiles do. Slope, offset and power leave
 * the correlation of channels (nearly) as it was, saturation changes it, so saturation is
 * found from the correlations alone, or, where these do not explain the reference, as what
 * leaves least of quantiles and chroma over.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cdlfit.h"

#include <stdlib.h>
#include <string.h>

#include "mathx.h"

enum { NQ = 97, THIN = 8000 };          /* quantiles 2 % to 98 % in steps of 1 % */
#define EXACT 5e-4                      /* what is left over where ref is in under a CDL, and rounding */
static const double luma[3] = { 0.2126, 0.7152, 0.0722 };

struct quantiles { double v[3][NQ]; };
struct cov { double v[3][3]; };

static void covariance(const struct pixels *p, struct cov *c)
{
	double mean[3] = { 0 };
	memset(c, 0, sizeof *c);
	for (int k = 0; k < 3; k++) {
		for (size_t i = 0; i < p->n; i++) mean[k] += p->p[k][i];
		mean[k] /= (double)p->n;
	}
	for (int a = 0; a < 3; a++)
		for (int b = 0; b <= a; b++) {
			double sum = 0;
			for (size_t i = 0; i < p->n; i++) sum += (p->p[a][i] - mean[a]) * (p->p[b][i] - mean[b]);
			c->v[a][b] = c->v[b][a] = sum / (double)p->n;
		}
}

/* Of v -> y + s (v - y), as a matrix. */
static void saturation_matrix(double s, double m[3][3])
{
	for (int a = 0; a < 3; a++)
		for (int b = 0; b < 3; b++) m[a][b] = (1 - s) * luma[b] + (a == b ? s : 0);
}
static void transform_cov(double m[3][3], const struct cov *c, struct cov *out)
{
	double t[3][3];
	for (int a = 0; a < 3; a++)
		for (int b = 0; b < 3; b++)
			t[a][b] = m[a][0] * c->v[0][b] + m[a][1] * c->v[1][b] + m[a][2] * c->v[2][b];
	for (int a = 0; a < 3; a++)
		for (int b = 0; b < 3; b++)
			out->v[a][b] = t[a][0] * m[b][0] + t[a][1] * m[b][1] + t[a][2] * m[b][2];
}

/* Squared difference of the correlations of in and of ref desaturated by 1/s. */
static double correlation_gap(const struct cov *in, const struct cov *ref, double s)
{
	double m[3][3], gap = 0;
	struct cov r;
	saturation_matrix(1 / s, m);
	transform_cov(m, ref, &r);
	for (int a = 0; a < 3; a++)
		for (int b = 0; b < a; b++) {
			double x = in->v[a][a] * in->v[b][b], y = r.v[a][a] * r.v[b][b];
			double d = (x > 1e-18 ? in->v[a][b] / __builtin_sqrt(x) : 1) - (y > 1e-18
			                                                                ? r.v[a][b] / __builtin_sqrt(y)
			                                                                : 1);
			gap += d * d;
		}
	return gap;
}

static double fit_saturation(const struct cov *in, const struct cov *ref)
{
	double best = 1, least = correlation_gap(in, ref, 1), most = least;
	for (int i = -40; i <= 40; i++) {
		double s = mx_exp2(i / 30.0), g = correlation_gap(in, ref, s);
		if (g < least) { least = g; best = s; }
		if (g > most) most = g;
	}
	if (most - least < 1e-8) return 1;      /* no colour to tell by */
	double lo = best * 0.97, hi = best * 1.03;
	for (int i = 0; i < 60; i++) {
		double a = lo + (hi - lo) * 0.381966011250105, b = lo + (hi - lo) * 0.618033988749895;
		if (correlation_gap(in, ref, a) < correlation_gap(in, ref, b)) hi = b;
		else lo = a;
	}
	return (lo + hi) / 2;
}

/* Quantiles of p after desaturation by 1/s; tmp holds p->n floats. */
static void take_quantiles(const struct pixels *p, double s, float *tmp, struct quantiles *q)
{
	double m[3][3];
	saturation_matrix(1 / s, m);
	for (int k = 0; k < 3; k++) {
		for (size_t i = 0; i < p->n; i++)
			tmp[i] = (float)(m[k][0] * p->p[0][i] + m[k][1] * p->p[1][i] + m[k][2] * p->p[2][i]);
		floats_sort(tmp, p->n);
		for (int j = 0; j < NQ; j++) q->v[k][j] = floats_quantile(tmp, p->n, 0.02 + 0.01 * j);
	}
}

static double sop(double x, double slope, double offset, double power)
{
	double b = x * slope + offset;
	return b > 0 && power != 1 ? mx_pow(b, power) : b;
}
/* Black and white are few pixels and seen first: the five outermost quantiles count for more. */
static double weight(int j)
{
	bool end = j < 5 || j >= NQ - 5;
	return (end ? 8.0 : 1.0) / (NQ + 70);
}
static double fit_error(const double *x, const double *y, double s, double o, double p)
{
	double sum = 0;
	for (int j = 0; j < NQ; j++) {
		double d = y[j] - sop(x[j], s, o, p);
		sum += weight(j) * d * d;
	}
	return sum;
}

/* Least squares y = s x + o. */
static void fit_line(const double *x, const double *y, double *s, double *o)
{
	double mx = 0, my = 0, xx = 0, xy = 0;
	for (int j = 0; j < NQ; j++) { mx += weight(j) * x[j]; my += weight(j) * y[j]; }
	for (int j = 0; j < NQ; j++) {
		xx += weight(j) * (x[j] - mx) * (x[j] - mx);
		xy += weight(j) * (x[j] - mx) * (y[j] - my);
	}
	*s = xx > 1e-12 ? xy / xx : 1;
	*o = my - *s * mx;
}

/* The normal equations of one Gauss-Newton step, damped. */
static void power_step(const double *x, const double *y, const double v[3], double damp,
                       double step[3])
{
	double a[9] = { 0 }, g[3] = { 0 }, inv[9];
	for (int j = 0; j < NQ; j++) {
		double b = x[j] * v[0] + v[1], f = sop(x[j], v[0], v[1], v[2]), d[3] = { x[j], 1, 0 };
		if (b > 1e-9) {
			double slope = v[2] * f / b;
			d[0] = slope * x[j]; d[1] = slope; d[2] = f * mx_log(b);
		}
		for (int r = 0; r < 3; r++) {
			g[r] += weight(j) * d[r] * (y[j] - f);
			for (int c = 0; c < 3; c++) a[r * 3 + c] += weight(j) * d[r] * d[c];
		}
	}
	for (int r = 0; r < 3; r++) a[r * 4] += damp * a[r * 4] + 1e-17;
	step[0] = step[1] = step[2] = 0;
	if (mat3_inv(a, inv) < 0) return;
	for (int r = 0; r < 3; r++)
		step[r] = inv[r * 3] * g[0] + inv[r * 3 + 1] * g[1] + inv[r * 3 + 2] * g[2];
}

/* Levenberg-Marquardt for y = (s x + o)^p from the straight fit. */
static void fit_power(const double *x, const double *y, double *s, double *o, double *p)
{
	double v[3] = { *s, *o, 1 }, err = fit_error(x, y, v[0], v[1], v[2]), damp = 1e-3;
	for (int i = 0; i < 100 && err > 1e-18; i++) {
		double d[3], t[3];
		power_step(x, y, v, damp, d);
		for (int k = 0; k < 3; k++) t[k] = v[k] + d[k];
		double e = t[2] > 0.1 && t[2] < 10 && t[0] > 0 ? fit_error(x, y, t[0], t[1], t[2]) : 1e9;
		if (e < err) { memcpy(v, t, sizeof v); err = e; damp *= 0.3; }
		else if (damp > 1e6) break;
		else damp *= 4;
	}
	*s = v[0]; *o = v[1]; *p = v[2];
}

static bool held(double *v, double lo, double hi)
{
	double was = *v;
	*v = was < lo ? lo : was > hi ? hi : was;
	return *v != was;
}

/* Into the limits, one after the other; what is left free is fitted again each time. */
static void limit_channel(struct cdl_fit *f, int k, const double *x, const double *y)
{
	double *s = &f->slope[k], *o = &f->offset[k], z[NQ], sum = 0, xx = 0, xy = 0;
	bool bent = held(&f->power[k], 0.5, 2);
	for (int j = 0; j < NQ; j++) z[j] = y[j] > 0 ? mx_pow(y[j], 1 / f->power[k]) : y[j];
	if (bent) fit_line(x, z, s, o);
	bool steep = held(s, 0.5, 2);
	for (int j = 0; j < NQ; j++) sum += weight(j) * (z[j] - x[j] * *s);
	if (steep) *o = sum;
	bool high = held(o, -0.1, 0.1);
	for (int j = 0; j < NQ; j++) { xx += weight(j) * x[j] * x[j]; xy += weight(j) * x[j] * (z[j] - *o); }
	if (high && xx > 0) {
		*s = xy / xx;
		held(s, 0.5, 2);
	}
	f->limited[k] = bent || steep || high;
}

static void fit_channels(const struct quantiles *x, const struct quantiles *y, struct cdl_fit *f)
{
	double line = 0, bent = 0, s[3], o[3], p[3];
	for (int k = 0; k < 3; k++) {
		fit_line(x->v[k], y->v[k], &s[k], &o[k]);
		f->slope[k] = s[k]; f->offset[k] = o[k]; f->power[k] = p[k] = 1;
		line += fit_error(x->v[k], y->v[k], s[k], o[k], 1);
		fit_power(x->v[k], y->v[k], &s[k], &o[k], &p[k]);
		bent += fit_error(x->v[k], y->v[k], s[k], o[k], p[k]);
	}
	f->used_power = line > 1e-8 && bent < 0.8 * line;
	for (int k = 0; k < 3; k++) {
		if (f->used_power) { f->slope[k] = s[k]; f->offset[k] = o[k]; f->power[k] = p[k]; }
		limit_channel(f, k, x->v[k], y->v[k]);
	}
}

static void apply_sop(const struct pixels *in, const struct cdl_fit *f, struct pixels *out)
{
	for (int k = 0; k < 3; k++)
		for (size_t i = 0; i < in->n; i++)
			out->p[k][i] = (float)sop(in->p[k][i], f->slope[k], f->offset[k], f->power[k]);
}

/* Room for one fit. */
struct work { struct quantiles x, y; float *tmp; struct pixels done; };

/* The channels, once the saturation is settled. */
static void fit_under(const struct pixels *ref, double saturation, struct work *w, struct cdl_fit *f)
{
	f->saturation = saturation;
	f->limited[3] = held(&f->saturation, 0.5, 2);
	take_quantiles(ref, f->saturation, w->tmp, &w->y);
	fit_channels(&w->x, &w->y, f);
}

/* Saturation from the correlations, which is exact where ref is in under a CDL. */
static void fit_correlated(const struct pixels *in, const struct pixels *ref, struct work *w,
                           struct cdl_fit *f)
{
	struct cov ci, cr;
	double last = 0;
	covariance(in, &ci);
	covariance(ref, &cr);
	for (int i = 0; i < 24; i++) {          /* power bends the correlations a little: settle */
		fit_under(ref, fit_saturation(&ci, &cr), w, f);
		if (i > 4 && f->saturation - last < 1e-5 && last - f->saturation < 1e-5) break;
		last = f->saturation;
		apply_sop(in, f, &w->done);
		covariance(&w->done, &ci);
	}
}

/* Mean distance from luma. */
static double chroma(const struct pixels *p)
{
	double sum = 0;
	for (size_t i = 0; i < p->n; i++) {
		double y = luma[0] * p->p[0][i] + luma[1] * p->p[1][i] + luma[2] * p->p[2][i], c = 0;
		for (int k = 0; k < 3; k++) c += (p->p[k][i] - y) * (p->p[k][i] - y);
		sum += __builtin_sqrt(c);
	}
	return sum / (double)p->n;
}

/* What is left: quantiles of the channels, and chroma. */
static double left_over(const struct pixels *in, const struct pixels *ref, double want,
                        struct work *w, const struct cdl_fit *f)
{
	cdl_apply(f, in, &w->done);
	double gap = cdl_gap(&w->done, ref), d = chroma(&w->done) - want;
	return gap * gap + d * d;
}

/* At most n pixels of p, spread over it. */
static struct pixels thinned(const struct pixels *p, size_t n)
{
	size_t step = p->n / n + 1;
	struct pixels out = { .n = 0 };
	for (int k = 0; k < 3; k++) {
		out.p[k] = xalloc(p->n / step + 1, sizeof(float));
		for (size_t i = 0, j = 0; i < p->n; i += step) out.p[k][j++] = p->p[k][i];
	}
	out.n = (p->n + step - 1) / step;
	return out;
}

/* Shots of different things do not share their correlations: then the saturation that leaves least over. */
static double search(const struct pixels *in, const struct pixels *ref)
{
	struct pixels a = thinned(in, THIN), b = thinned(ref, THIN);
	struct work *w = xalloc(1, sizeof *w);
	struct cdl_fit f = { .saturation = 1 };
	size_t most = a.n > b.n ? a.n : b.n;
	double best = 1, least = 1e30, want = chroma(&b);
	w->tmp = xalloc(most + 1, sizeof *w->tmp);
	for (int k = 0; k < 3; k++) w->done.p[k] = xalloc(a.n + 1, sizeof(float));
	take_quantiles(&a, 1, w->tmp, &w->x);
	for (int round = 0; round < 2; round++) {
		double about = best, step = round ? 1 / 48.0 : 1 / 8.0;
		for (int i = -8; i <= 8; i++) {
			double s = about * mx_exp2(i * step);
			if (round && (i < -5 || i > 5)) continue;
			fit_under(&b, s, w, &f);
			double gap = left_over(&a, &b, want, w, &f);
			if (gap < least) { least = gap; best = f.saturation; }
		}
	}
	pixels_free(&w->done);
	free(w->tmp);
	free(w);
	pixels_free(&a);
	pixels_free(&b);
	return best;
}

void cdl_fit(const struct pixels *in, const struct pixels *ref, struct cdl_fit *f)
{
	struct work *w = xalloc(1, sizeof *w);
	size_t most = in->n > ref->n ? in->n : ref->n;
	struct cdl_fit other;
	w->tmp = xalloc(most + 1, sizeof *w->tmp);
	for (int k = 0; k < 3; k++) w->done.p[k] = xalloc(in->n + 1, sizeof(float));
	w->done.n = in->n;
	memset(f, 0, sizeof *f);
	take_quantiles(in, 1, w->tmp, &w->x);
	fit_correlated(in, ref, w, f);
	double want = chroma(ref), gap = left_over(in, ref, want, w, f);
	if (gap > EXACT * EXACT) {
		memset(&other, 0, sizeof other);
		fit_under(ref, search(in, ref), w, &other);
		double less = left_over(in, ref, want, w, &other);
		if (less < gap) { *f = other; gap = less; }
	}
	cdl_judge(in, ref, f);
	pixels_free(&w->done);
	free(w->tmp);
	free(w);
}
