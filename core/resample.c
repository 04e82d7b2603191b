/* resample - tables for separable resampling: which source pixels make an output pixel, with
 * which weights.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "resample.h"

#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "mem.h"

/* One axis of a geometry. */
struct axis_geom { double src, dst, scale; int lo, hi, dlo, dhi; };

static struct axis_geom axis_of(const struct resample_geom *g, bool vertical)
{
	struct axis_geom a;
	if (vertical) {
		a = (struct axis_geom){ g->src.y0, g->dst.y0, (double)rect_h(g->dst) / rect_h(g->src),
			g->edge.y0, g->edge.y1, g->data.y0, g->data.y1 };
	} else {
		a = (struct axis_geom){ g->src.x0, g->dst.x0, (double)rect_w(g->dst) / rect_w(g->src),
			g->edge.x0, g->edge.x1, g->data.x0, g->data.x1 };
	}
	return a;
}

static double support_of(enum resample_method m)
{
	static const double support[] = { 0, 1, 2, 2, 3 };
	return support[m];
}

static double sinc(double x)
{
	if (x == 0) return 1;
	return mx_sin(MX_PI * x) / (MX_PI * x);
}

/* Mitchell and Netravali, Reconstruction Filters in Computer Graphics (1988), equation 8. */
static double cubic(double x, double b, double c)
{
	if (x < 1)
		return ((12 - 9 * b - 6 * c) * x * x * x + (-18 + 12 * b + 6 * c) * x * x + 6 - 2 * b) / 6;
	if (x < 2)
		return ((-b - 6 * c) * x * x * x + (6 * b + 30 * c) * x * x + (-12 * b - 48 * c) * x +
		        8 * b + 24 * c) / 6;
	return 0;
}

static double weight(enum resample_method m, double x)
{
	x = __builtin_fabs(x);
	switch (m) {
	case RS_NEAREST: return 1;
	case RS_BILINEAR: return x < 1 ? 1 - x : 0;
	case RS_MITCHELL: return cubic(x, 1.0 / 3, 1.0 / 3);
	case RS_CATMULL_ROM: return cubic(x, 0, 0.5);
	case RS_LANCZOS3: return x < 3 ? sinc(x) * sinc(x / 3) : 0;
	}
	return 0;
}

/* What one output pixel reads, before edges. */
struct reach { double pos, step; int begin, n; };

static struct reach reach_of(const struct axis_geom *g, enum resample_method m, int o)
{
	struct reach r;
	r.step = g->scale < 1 ? g->scale : 1;
	r.pos = (o + 0.5 - g->dst) / g->scale;
	r.n = (int)mx_ceil(support_of(m) / r.step) * 2;
	if (r.n < 1) r.n = 1;
	/* shifted by whole pixels only: the kernel's samples are the source centres */
	double off = r.pos - mx_floor(r.pos);
	if (g->scale == 1 && off == 0.5) r.n = 1;
	r.begin = (int)mx_floor(r.pos - r.n / 2.0 + 0.5);
	r.pos += g->src;
	r.begin += (int)g->src;
	return r;
}

static int mirror(int i, int lo, int hi)
{
	if (i < lo) i = 2 * lo - 1 - i;
	else if (i >= hi) i = 2 * hi - 1 - i;
	return i < lo ? lo : i >= hi ? hi - 1 : i;
}

/* First and last existing source pixel that output pixel o reads; false if none. */
static bool span_of(const struct axis_geom *g, enum resample_method m, int o, int *a, int *b)
{
	struct reach r = reach_of(g, m, o);
	*a = g->dhi;
	*b = g->dlo - 1;
	for (int k = 0; k < r.n; k++) {
		int i = mirror(r.begin + k, g->lo, g->hi);
		if (i < g->dlo || i >= g->dhi) continue;
		if (i < *a) *a = i;
		if (i > *b) *b = i;
	}
	return *a <= *b;
}

/* Fixes left (made monotone from the right) and the common number of taps. */
static void place(struct resample_axis *t, const struct axis_geom *g, enum resample_method m)
{
	int n = t->o1 - t->o0, next = g->dhi - 1;
	t->taps = 1;
	for (int i = n - 1; i >= 0; i--) {
		int a, b;
		if (!span_of(g, m, t->o0 + i, &a, &b)) a = b = next;
		if (a > next) a = next;
		next = t->left[i] = a;
		if (b - a + 1 > t->taps) t->taps = b - a + 1;
	}
	for (int i = 0; i < n; i++) {
		if (t->left[i] > g->dhi - t->taps) t->left[i] = g->dhi - t->taps;
		if (t->left[i] < g->dlo) t->left[i] = g->dlo;
	}
}

static void fill_row(struct resample_axis *t, const struct axis_geom *g, enum resample_method m,
                     int i, double *sum)
{
	struct reach r = reach_of(g, m, t->o0 + i);
	double total = 0;
	int first = 0, last = -1;
	bool clear = true;
	for (int k = 0; k < t->taps; k++) sum[k] = 0;
	if (r.n == 1) m = RS_NEAREST;
	for (int k = 0; k < r.n; k++) total += weight(m, (r.begin + k + 0.5 - r.pos) * r.step);
	for (int k = 0; k < r.n; k++) {
		double x = (r.begin + k + 0.5 - r.pos) * r.step;
		int s = mirror(r.begin + k, g->lo, g->hi);
		bool lobe = __builtin_fabs(x) < 1, in = s >= g->dlo && s < g->dhi;
		if (in) sum[s - t->left[i]] += weight(m, x) / total;
		if (lobe && !in) clear = false;
		if (!lobe || !in) continue;
		if (last < first) first = last = s;
		if (s < first) first = s;
		if (s > last) last = s;
	}
	for (int k = 0; k < t->taps; k++) t->w[(size_t)i * (size_t)t->taps + (size_t)k] = (float)sum[k];
	t->n0[i] = last < first ? t->left[i] : first;
	t->nn[i] = clear && m > RS_BILINEAR ? last - first + 1 : 0;
	if (t->nn[i] > t->near) t->near = t->nn[i];
}

/* Do output pixels i and i + period differ by one source pixel and in nothing else? */
static bool repeats(const struct resample_axis *t, int i, int period)
{
	const float *a = t->w + (size_t)i * (size_t)t->taps, *b = a + period * t->taps;
	int k = i + period;
	if (t->left[k] != t->left[i] + 1 || t->nn[k] != t->nn[i] || t->n0[k] != t->n0[i] + 1) return false;
	return memcmp(a, b, (size_t)t->taps * sizeof *a) == 0;
}

/* The longest run around the middle whose phases repeat; it begins at a multiple of the period. */
static void find_period(struct resample_axis *t)
{
	int n = t->o1 - t->o0, mid = n / 2;
	for (int p = 2; p <= 4 && !t->period; p *= 2) {
		int a = mid, b = mid;
		while (b + p < n && repeats(t, b, p)) b++;
		while (b > mid && a > 0 && repeats(t, a - 1, p)) a--;
		a += ((-t->o0 - a) % p + p) % p;
		if (b - a < 4 * p) continue;
		t->period = p;
		t->p0 = t->o0 + a;
		t->p1 = t->o0 + b + p;
	}
}

static void axis_build(struct resample_axis *t, const struct axis_geom *g, enum resample_method m,
                       int o0, int o1)
{
	size_t n = (size_t)(o1 > o0 ? o1 - o0 : 0);
	*t = (struct resample_axis){ .o0 = o0, .o1 = o0 + (int)n };
	t->left = xalloc(n + 1, sizeof *t->left);
	t->n0 = xalloc(n + 1, sizeof *t->n0);
	t->nn = xalloc(n + 1, sizeof *t->nn);
	place(t, g, m);
	t->w = xalloc(n + 1, (size_t)t->taps * sizeof *t->w);
	double *sum = xalloc((size_t)t->taps, sizeof *sum);
	for (size_t i = 0; i < n; i++) fill_row(t, g, m, (int)i, sum);
	free(sum);
	find_period(t);
}

/* Where existing pixels reach on one axis: whole pixels, outwards. */
static void window_of(const struct axis_geom *g, enum resample_method m, int *o0, int *o1)
{
	double support = support_of(m) / (g->scale < 1 ? g->scale : 1);
	if (support < 0.5) support = 0.5;
	if (g->scale == 1) support = 0;
	double a = g->dlo <= g->lo ? g->lo : g->dlo - support, b = g->dhi >= g->hi ? g->hi : g->dhi +
	    support;
	if (a < g->lo) a = g->lo;
	if (b > g->hi) b = g->hi;
	/* a hair's breadth, so that rounding of whole-pixel results never adds a row */
	*o0 = (int)mx_floor((a - g->src) * g->scale + g->dst + 1e-6);
	*o1 = (int)mx_ceil((b - g->src) * g->scale + g->dst - 1e-6);
	if (*o1 <= *o0) *o1 = *o0 + 1;
}

struct rect resample_window(const struct resample_geom *g, enum resample_method m)
{
	struct rect r;
	struct axis_geom x = axis_of(g, false), y = axis_of(g, true);
	if (rect_empty(g->data)) return rect_of(g->dst.x0, g->dst.y0, g->dst.x0, g->dst.y0);
	window_of(&x, m, &r.x0, &r.x1);
	window_of(&y, m, &r.y0, &r.y1);
	return r;
}

struct resample *resample_new(const struct resample_geom *g, struct rect out,
                              enum resample_method m, double ringing)
{
	struct resample *rs = xalloc(1, sizeof *rs);
	struct axis_geom x = axis_of(g, false), y = axis_of(g, true);
	if (rect_empty(g->data)) out = rect_of(0, 0, 0, 0);
	axis_build(&rs->x, &x, m, out.x0, out.x1);
	axis_build(&rs->y, &y, m, out.y0, out.y1);
	rs->ringing = (float)ringing;
	return rs;
}

static void axis_free(struct resample_axis *t)
{
	free(t->left);
	free(t->w);
	free(t->n0);
	free(t->nn);
}

void resample_free(struct resample **rs)
{
	if (!*rs) return;
	axis_free(&(*rs)->x);
	axis_free(&(*rs)->y);
	free(*rs);
	*rs = NULL;
}

struct rect resample_need(const struct resample *rs, struct rect r)
{
	const struct resample_axis *x = &rs->x, *y = &rs->y;
	r = rect_and(r, rect_of(x->o0, y->o0, x->o1, y->o1));
	if (rect_empty(r)) return rect_of(0, 0, 0, 0);
	return rect_of(x->left[r.x0 - x->o0], y->left[r.y0 - y->o0],
	               x->left[r.x1 - 1 - x->o0] + x->taps, y->left[r.y1 - 1 - y->o0] + y->taps);
}

int resample_ring(const struct resample *rs)
{
	int cap = 16;
	while (cap < rs->y.taps + 8) cap *= 2;
	return cap;
}

ptrdiff_t resample_stride(struct rect r) { return (rect_w(r) + 63) & ~63; }

size_t resample_scratch(const struct resample *rs, struct rect r)
{
	struct rect s = resample_need(rs, r);
	/* and one finished row */
	size_t ring = ((size_t)resample_ring(rs) + 1) * (size_t)resample_stride(r);
	return (ring + (((size_t)rect_w(s) + 3) & ~(size_t)3) * 8 + 64) * sizeof(float);
}
