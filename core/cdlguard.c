/* cdlguard - holds a fit back where it would take a statistic farther from the reference's.
 *
 * Least squares of all gaps over black, white, power and saturation (Levenberg and Marquardt), in
 * which what goes beyond its allowance weighs more from step to step (Lawson 1961). No fit at all
 * is always allowed, so there is an answer.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cdlguard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "mem.h"

enum { THIN = 2500, MOST = 2, STEPS = 30, GAPS = MOST * STAT_COUNT, WAYS = 10 };
#define ALLOWED (0.75 * GUARD_SLACK)     /* the rest is for what thinning does not see */

/* A set thinned, its statistics without any fit, and room for what a fit makes. */
struct part { struct pixels in, done; struct cdl_stats before, ref; };
/* black, white: 2 and 98 % of the first set's luma */
struct guard {
	struct part part[MOST]; int n; bool together; const struct cdl_fit *whole; double black, white;
};

static double absd(double v) { return v < 0 ? -v : v; }
static bool level(int i)
{
	int in = i % STAT_EACH;
	return i < 4 * STAT_EACH && (in == 0 || in == 2 || in == 5 || in == 8);
}

static void thin(const struct pixels *p, struct pixels *out)
{
	size_t step = p->n / THIN + 1;
	for (int k = 0; k < 3; k++) {
		out->p[k] = xalloc(p->n / step + 1, sizeof(float));
		out->n = 0;
		for (size_t i = 0; i < p->n; i += step) out->p[k][out->n++] = p->p[k][i];
	}
}

/* What each statistic is off under f, in the order of sets. */
static void gaps(struct guard *g, const struct cdl_fit *f, double *gap)
{
	for (int s = 0; s < g->n; s++) {
		struct part *p = &g->part[s];
		struct cdl_stats a;
		cdl_apply(f, &p->in, &p->done);
		cdl_stats_of(&p->done, &a);
		for (int i = 0; i < STAT_COUNT; i++) gap[s * STAT_COUNT + i] = a.v[i] - p->ref.v[i];
	}
}

/* What it may be. */
static double bound(const struct guard *g, int i)
{
	const struct part *p = &g->part[i / STAT_COUNT];
	return absd(p->before.v[i % STAT_COUNT] - p->ref.v[i % STAT_COUNT]) + ALLOWED;
}
/* What counts of a gap that is within: all, or for one curve what exposure, black and white reach. */
static double share(const struct guard *g, int i) { return !g->together || level(i % STAT_COUNT) ? 1 : 0.01; }

/* Of two fits the better has the lesser: what is over the allowance before all else. */
static double cost(const struct guard *g, const double *gap)
{
	double sum = 0, most = 0;
	for (int i = 0; i < g->n * STAT_COUNT; i++) {
		double over = absd(gap[i]) - bound(g, i);
		sum += share(g, i) * gap[i] * gap[i];
		if (over > most) most = over;
	}
	return sum + (most > 0 ? 1 + 1000 * most : 0);
}

static double pow_of(double x, double p) { return x > 0 && p != 1 ? mx_pow(x, p) : x; }

static double held(double v, double lo, double hi) { return v < lo ? lo : v > hi ? hi : v; }

/* Black, white and power of channels lo to hi changed: the curve goes through what
 * it made of black and white, moved. */
static void bend(const struct guard *g, struct cdl_fit *f, int lo, int hi, double black,
                 double white, double power)
{
	for (int k = lo; k < hi; k++) {
		double y0 = pow_of(g->black * f->slope[k] + f->offset[k], f->power[k]) + black;
		double y1 = pow_of(g->white * f->slope[k] + f->offset[k], f->power[k]) + white;
		double p = held(f->power[k] * (1 + power), 0.5, 2), a = pow_of(y0, 1 / p), b = pow_of(y1, 1 / p);
		f->power[k] = p;
		f->slope[k] = held((b - a) / (g->white - g->black), 0.5, 2);
		f->offset[k] = held((a + b - f->slope[k] * (g->black + g->white)) / 2, -0.1, 0.1);
	}
}

/* One of the ways to change a fit, by a share d of its step. */
static struct cdl_fit moved(const struct guard *g, const struct cdl_fit *from, int way, double d)
{
	struct cdl_fit f = *from;
	int lo = way < 9 ? way / 3 : 0, hi = way < 9 ? lo + 1 : 3, what = way % 3;
	if (way == 12 && !g->together) f.saturation = held(f.saturation * (1 + d), 0.5, 2);
	else if (way == 12) {                   /* white: what the offsets differ by */
		double mean = (g->whole->offset[0] + g->whole->offset[1] + g->whole->offset[2]) / 3;
		for (int k = 0; k < 3; k++) f.offset[k] += 5 * d * (g->whole->offset[k] - mean);
	} else bend(g, &f, lo, hi, what == 0 ? d / 5 : 0, what == 1 ? d / 5 : 0, what == 2 ? d : 0);
	return f;
}

/* t of the way from no fit at all to f: black and white go straight. */
static struct cdl_fit mixed(const struct guard *g, const struct cdl_fit *f, double t)
{
	struct cdl_fit m = *f;
	for (int k = 0; k < 3; k++) {
		double y0 = pow_of(g->black * f->slope[k] + f->offset[k], f->power[k]);
		double y1 = pow_of(g->white * f->slope[k] + f->offset[k], f->power[k]);
		m.slope[k] = m.power[k] = 1;
		m.offset[k] = 0;
		bend(g, &m, k, k + 1, t * (y0 - g->black), t * (y1 - g->white), t * (f->power[k] - 1));
	}
	m.saturation = 1 + t * (f->saturation - 1);
	return m;
}

/* x with a x = b for a symmetric a above 0 (Cholesky); false when it is not. */
static bool solve(double a[WAYS][WAYS], const double *b, int n, double *x)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++) {
			double sum = a[i][j];
			for (int k = 0; k < j; k++) sum -= a[i][k] * a[j][k];
			if (i == j && sum <= 0) return false;
			a[i][j] = i == j ? __builtin_sqrt(sum) : sum / a[j][j];
		}
	for (int i = 0; i < n; i++) {
		x[i] = b[i];
		for (int k = 0; k < i; k++) x[i] -= a[i][k] * x[k];
		x[i] /= a[i][i];
	}
	for (int i = n - 1; i >= 0; i--) {
		for (int k = i + 1; k < n; k++) x[i] -= a[k][i] * x[k];
		x[i] /= a[i][i];
	}
	return true;
}

struct normal { double a[WAYS][WAYS], b[WAYS]; int way[WAYS], n; };

/* The weighted normal equations about f. */
static void normal_of(struct guard *g, const struct cdl_fit *f, const double *gap,
                      const double *weight, struct normal *q)
{
	const double h = 0.01;
	double (*slope)[GAPS] = xalloc(WAYS, sizeof *slope);
	for (int k = 0; k < q->n; k++) {
		struct cdl_fit t = moved(g, f, q->way[k], h);
		gaps(g, &t, slope[k]);
		for (int i = 0; i < g->n * STAT_COUNT; i++) slope[k][i] = (slope[k][i] - gap[i]) / h;
	}
	for (int k = 0; k < q->n; k++) {
		q->b[k] = 0;
		for (int i = 0; i < g->n * STAT_COUNT; i++) q->b[k] -= weight[i] * slope[k][i] * gap[i];
		for (int j = 0; j <= k; j++) {
			q->a[k][j] = 0;
			for (int i = 0; i < g->n * STAT_COUNT; i++) q->a[k][j] += weight[i] * slope[k][i] * slope[j][i];
		}
	}
	free(slope);
}

static void reweigh(const struct guard *g, const double *gap, double *weight)
{
	for (int i = 0; i < g->n * STAT_COUNT; i++) {
		double over = absd(gap[i]) / bound(g, i), least = share(g, i);
		weight[i] *= over > 1 ? held(3 * over * over, 3, 30) : over < 0.9 ? 0.7 : 1;
		weight[i] = held(weight[i], least, 1e6);
	}
}

static void search(struct guard *g, struct cdl_fit *f)
{
	double *gap = xalloc(3, GAPS * sizeof *gap), *next = gap + GAPS, *weight = gap + 2 * GAPS, damp = 1e-2;
	struct normal *q = xalloc(1, sizeof *q);
	struct cdl_fit at = *f;
	for (int way = g->together ? 9 : 0; way < 13; way++)
		if (g->together || way < 9 || way == 12) q->way[q->n++] = way;
	gaps(g, &at, gap);
	double least = cost(g, gap);
	for (int i = 0; i < g->n * STAT_COUNT; i++) weight[i] = share(g, i);
	for (int step = 0; step < STEPS; step++) {
		double d[WAYS], was = 0, is = 0;
		reweigh(g, gap, weight);
		normal_of(g, &at, gap, weight, q);
		for (int k = 0; k < q->n; k++) q->a[k][k] += damp * q->a[k][k] + 1e-9;
		if (!solve(q->a, q->b, q->n, d)) break;
		struct cdl_fit t = at;
		for (int k = 0; k < q->n; k++) t = moved(g, &t, q->way[k], held(d[k], -0.15, 0.15));
		gaps(g, &t, next);
		for (int i = 0; i < g->n * STAT_COUNT; i++) {
			was += weight[i] * gap[i] * gap[i];
			is += weight[i] * next[i] * next[i];
		}
		double c = cost(g, next);
		if (c < least) { least = c; *f = t; }
		damp *= is < was ? 0.4 : 6;
		if (is >= was) continue;
		at = t;
		memcpy(gap, next, GAPS * sizeof *gap);
	}
	free(q);
	free(gap);
}

void guard_count(struct guard_report *r)
{
	r->nearer = r->same = r->worse = 0;
	r->gap_before = r->gap_after = 0;
	for (int i = 0; i < STAT_COUNT; i++) {
		double was = absd(r->before.v[i] - r->ref.v[i]), is = absd(r->after.v[i] - r->ref.v[i]);
		if (is < was) r->nearer++;
		else if (is <= was + GUARD_SLACK) r->same++;
		else r->worse++;
		if (is - was > r->worst) r->worst = is - was;
		if (is - was - GUARD_SLACK > r->most) r->most = is - was - GUARD_SLACK;
		r->gap_before += was / STAT_COUNT;
		r->gap_after += is / STAT_COUNT;
	}
}

void guard_note(const struct guard_report *r, char *note, size_t room)
{
	for (int i = 0; i < STAT_COUNT; i++) {
		size_t len = strlen(note);
		const char *name = cdl_stat_name(i), *what = strchr(name, ' ');
		int in = i < 4 * STAT_EACH ? i % STAT_EACH : i - 4 * STAT_EACH;
		double was = absd(r->before.v[i] - r->ref.v[i]), is = absd(r->after.v[i] - r->ref.v[i]);
		const char *before = in == 0 ? i ? "; " : " " : in == 2 ? ", 2..98 % " : in > 2 ? " " : ", ";
		snprintf(note + len, room - len, "%s%s%s%.0f>%.0f", before, in == 0 ? name : in == 1 ? what + 1 : "",
		         in < 2 ? " " : "", 1000 * was, 1000 * is);
	}
}

/* The whole of a set before and after. */
static void report(const struct guard_set *s, const struct cdl_fit *f, struct guard_report *r)
{
	struct pixels done = { .n = 0 };
	for (int k = 0; k < 3; k++) done.p[k] = xalloc(s->in->n + 1, sizeof(float));
	cdl_apply(f, s->in, &done);
	cdl_stats_of(s->in, &r->before);
	cdl_stats_of(&done, &r->after);
	cdl_stats_of(s->ref, &r->ref);
	guard_count(r);
	pixels_free(&done);
}

static void open_parts(struct guard *g, const struct guard_set *set)
{
	for (int s = 0; s < g->n; s++) {
		struct part *p = &g->part[s];
		thin(set[s].in, &p->in);
		thin(set[s].in, &p->done);
		cdl_stats_of(&p->in, &p->before);
		cdl_stats_of(set[s].ref, &p->ref);
	}
	g->black = g->part[0].before.v[3 * STAT_EACH + 2];
	g->white = g->part[0].before.v[3 * STAT_EACH + 8];
	if (g->white < g->black + 0.05) g->white = g->black + 0.05;
}

/* As much of a fit found on thinned pixels as all of them allow; the gap that is left in all sets. */
static double allowed(const struct guard *g, const struct guard_set *set, struct cdl_fit *f,
                      struct guard_report *r)
{
	static const double part[] = { 1, 0.97, 0.94, 0.9, 0.8, 0.65, 0.5, 0.3, 0 };
	const struct cdl_fit found = *f;
	double left = 0;
	for (size_t i = 0; i < IN_COUNT(part); i++) {
		if (i) *f = mixed(g, &found, part[i]);
		r->most = r->worst = left = 0;
		for (int s = 0; s < g->n; s++) {
			report(&set[s], f, r);
			left += r->gap_after;
		}
		if (r->most <= 0) break;
	}
	return left;
}

/* Beyond what the fit before had hit. */
static void mark_limits(struct cdl_fit *f)
{
	for (int k = 0; k < 3; k++)
		f->limited[k] |= f->slope[k] <= 0.5 || f->slope[k] >= 2 || f->power[k] <= 0.5 || f->power[k] >= 2
		                || f->offset[k] <= -0.1 || f->offset[k] >= 0.1;
	f->limited[3] |= f->saturation <= 0.5 || f->saturation >= 2;
}

/* Searched for from the fit whole, from half of it, and from next to nothing. */
void cdl_hold(const struct guard_set *set, int nset, bool together, struct cdl_fit *f, struct guard_report *r)
{
	static const double from[] = { 1, 0.5, 0.1 };
	const struct cdl_fit whole = *f;
	struct guard g = { .n = nset < MOST ? nset : MOST, .together = together, .whole = &whole };
	double least = 1e30;
	memset(r, 0, sizeof *r);
	for (int s = 0; s < g.n; s++) report(&set[s], f, r);
	if (r->most <= 0) return;
	open_parts(&g, set);
	for (size_t i = 0; i < IN_COUNT(from); i++) {
		struct guard_report found = { .held = true };
		struct cdl_fit t = i ? mixed(&g, &whole, from[i]) : whole;
		search(&g, &t);
		double left = allowed(&g, set, &t, &found);
		if (left >= least) continue;
		least = left;
		*f = t;
		*r = found;
	}
	mark_limits(f);
	for (int s = 0; s < g.n; s++) {
		pixels_free(&g.part[s].in);
		pixels_free(&g.part[s].done);
	}
}
