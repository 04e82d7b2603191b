/* cdlguard - holds a fit back where it would take a statistic farther from the reference's.
 *
 * Least squares of all gaps over black, white, power and saturation, under the condition that
 * none is larger than before: a quadratic programme a step (sequential quadratic programming),
 * solved from its dual, one condition after the other (Hildreth 1957). What cannot be met costs
 * as much as it is missed by. No fit at all meets everything, so there is an answer.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cdlguard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cholesky.h"
#include "mathx.h"
#include "mem.h"

#define SURE 0.97
#define LITTLE 0.9                      /* of a gap left: then what is by chance is given way */
enum { THIN = 5000, MOST = 2, STEPS = 14, SWEEPS = 150, GAPS = MOST * STAT_COUNT, WAYS = 10 };
#define MISSED 1.0                      /* what a gap beyond its bound costs, against squares of gaps */
#define REACH 0.15                      /* of a step */

/* A set thinned, its statistics without any fit, and room for what a fit makes. */
struct part { struct pixels in, done; struct cdl_stats before, ref; const double *scatter; };
/* black, white: 2 and 98 % of the first set's luma */
struct guard {
	struct part part[MOST]; int n; bool together, loose; const struct cdl_fit *whole; double black, white;
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

/* By how much a statistic may go farther without its being one that could be seen. */
static double slack(double scatter) { return scatter < GUARD_SLACK ? scatter : GUARD_SLACK; }

/* What it may be; a little less, for what thinning does not see. */
static double bound(const struct guard *g, int i)
{
	const struct part *p = &g->part[i / STAT_COUNT];
	double was = absd(p->before.v[i % STAT_COUNT] - p->ref.v[i % STAT_COUNT]), by = p->scatter[i % STAT_COUNT];
	return g->loose ? was + SURE * slack(by) : SURE * (was > by ? was : by);
}
/* What counts of a gap that is within: all, or for one curve what exposure, black and white
 * reach. */
static double share(const struct guard *g, int i) { return !g->together || level(i % STAT_COUNT) ? 1 : 0.01; }

/* Of two fits the better has the lesser. */
static double cost(const struct guard *g, const double *gap)
{
	double sum = 0;
	for (int i = 0; i < g->n * STAT_COUNT; i++) {
		double over = absd(gap[i]) - bound(g, i);
		sum += share(g, i) * gap[i] * gap[i] + (over > 0 ? MISSED * over : 0);
	}
	return sum;
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

/* One step: gaps, their slopes along each way, the same solved for the squares, what a gap's
 * price has come to. */
struct step {
	double gap[GAPS], slope[GAPS][WAYS], back[GAPS][WAYS], price[GAPS], a[WAYS][WAYS], d[WAYS];
	int way[WAYS], n;
};

static void slopes(struct guard *g, const struct cdl_fit *f, struct step *q)
{
	const double h = 0.01;
	double next[GAPS];
	for (int k = 0; k < q->n; k++) {
		struct cdl_fit t = moved(g, f, q->way[k], h);
		gaps(g, &t, next);
		for (int i = 0; i < g->n * STAT_COUNT; i++) q->slope[i][k] = (next[i] - q->gap[i]) / h;
	}
}

/* The step that least squares would take, and then as the bounds allow: a gap that would be
 * beyond its own pushes back, with MISSED at most. */
static bool programme(const struct guard *g, double damp, struct step *q)
{
	int n = q->n, m = g->n * STAT_COUNT;
	memset(q->a, 0, sizeof q->a);
	memset(q->d, 0, sizeof q->d);
	memset(q->price, 0, sizeof q->price);
	for (int i = 0; i < m; i++)
		for (int k = 0; k < n; k++) {
			q->d[k] -= 2 * share(g, i) * q->slope[i][k] * q->gap[i];
			for (int j = 0; j <= k; j++) q->a[k][j] += 2 * share(g, i) * q->slope[i][k] * q->slope[i][j];
		}
	for (int k = 0; k < n; k++) q->a[k][k] += damp * q->a[k][k] + 1e-6;
	if (!chol_root(q->a[0], n, WAYS, 0)) return false;
	chol_solve(q->a[0], n, WAYS, q->d);
	for (int i = 0; i < m; i++) {
		memcpy(q->back[i], q->slope[i], sizeof q->back[i]);
		chol_solve(q->a[0], n, WAYS, q->back[i]);
	}
	for (int sweep = 0; sweep < SWEEPS; sweep++)
		for (int i = 0; i < m; i++) {
			double b = bound(g, i), v = q->gap[i], own = 0, price = 0;
			for (int k = 0; k < n; k++) {
				v += q->slope[i][k] * q->d[k];
				own += q->slope[i][k] * q->back[i][k];
			}
			if (own <= 1e-12) continue;
			v += own * q->price[i];         /* what it were without its own price */
			if (v > b) price = (v - b) / own;
			else if (v < -b) price = (v + b) / own;
			price = held(price, -MISSED, MISSED);
			for (int k = 0; k < n; k++) q->d[k] -= (price - q->price[i]) * q->back[i][k];
			q->price[i] = price;
		}
	return true;
}

static void search(struct guard *g, struct cdl_fit *f)
{
	struct step *q = xalloc(1, sizeof *q);
	double damp = 1e-3, next[GAPS];
	for (int way = g->together ? 9 : 0; way < 13; way++)
		if (g->together || way < 9 || way == 12) q->way[q->n++] = way;
	gaps(g, f, q->gap);
	double least = cost(g, q->gap);
	for (int i = 0; i < STEPS && damp < 1e4; i++) {
		slopes(g, f, q);
		for (bool better = false; !better && damp < 1e4; ) {
			if (!programme(g, damp, q)) break;
			struct cdl_fit t = *f;
			for (int k = 0; k < q->n; k++) t = moved(g, &t, q->way[k], held(q->d[k], -REACH, REACH));
			gaps(g, &t, next);
			double c = cost(g, next);
			better = c < least;
			damp = better ? damp * 0.3 : damp * 8 + 1e-3;
			if (!better) continue;
			if (c > least - 1e-9) i = STEPS;
			least = c;
			*f = t;
			memcpy(q->gap, next, sizeof next);
		}
	}
	free(q);
}

void guard_count(const double scatter[STAT_COUNT], struct guard_report *r)
{
	r->nearer = r->same = r->worse = 0;
	r->gap_before = r->gap_after = 0;
	for (int i = 0; i < STAT_COUNT; i++) {
		double was = absd(r->before.v[i] - r->ref.v[i]), is = absd(r->after.v[i] - r->ref.v[i]);
		double most = was > scatter[i] ? was : scatter[i], may = was + slack(scatter[i]);
		if (may < scatter[i]) may = scatter[i];
		if (is < was) r->nearer++;
		else if (is <= may) r->same++;
		else r->worse++;
		if (is - most > r->most) r->most = is - most;
		if (is - may > r->worst) r->worst = is - may;
		r->gap_before += was / STAT_COUNT;
		r->gap_after += is / STAT_COUNT;
	}
}

void cdl_scatter(const struct pixels *p, const size_t *n, int frames, double var[STAT_COUNT])
{
	struct cdl_stats *s = xalloc((size_t)frames + 1, sizeof *s);
	size_t at = 0;
	int m = 0;
	for (int i = 0; i < frames; at += n[i], i++) {
		struct pixels one = { .n = n[i], .p = { p->p[0] + at, p->p[1] + at, p->p[2] + at } };
		if (n[i] >= 64) cdl_stats_of(&one, &s[m++]);
	}
	for (int k = 0; k < STAT_COUNT; k++) {
		double mean = 0, sum = 0;
		for (int i = 0; i < m; i++) mean += s[i].v[k] / m;
		for (int i = 0; i < m; i++) sum += (s[i].v[k] - mean) * (s[i].v[k] - mean);
		var[k] = m > 1 ? sum / (m - 1) : 0;
	}
	free(s);
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
	guard_count(s->scatter, r);
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
		p->scatter = set[s].scatter;
	}
	g->black = g->part[0].before.v[3 * STAT_EACH + 2];
	g->white = g->part[0].before.v[3 * STAT_EACH + 8];
	if (g->white < g->black + 0.05) g->white = g->black + 0.05;
}

/* As much of a fit found on thinned pixels as all of them allow; the gap that is left in all
 * sets. */
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
		if ((g->loose ? r->worst : r->most) <= 0) break;
	}
	return left;
}

static void mark_limits(struct cdl_fit *f)
{
	for (int k = 0; k < 3; k++)
		f->limited[k] = f->slope[k] <= 0.5 || f->slope[k] >= 2 || f->power[k] <= 0.5 || f->power[k] >= 2
		               || f->offset[k] <= -0.1 || f->offset[k] >= 0.1;
	f->limited[3] = f->saturation <= 0.5 || f->saturation >= 2;
}

/* Searched for from the fit whole, from half of it, and from none. */
static double hold(struct guard *g, const struct guard_set *set, struct cdl_fit *f, struct guard_report *r)
{
	static const double from[] = { 1, 0.5, 0 };
	double least = 1e30;
	for (size_t i = 0; i < IN_COUNT(from); i++) {
		struct guard_report found = { .held = true };
		struct cdl_fit t = i ? mixed(g, g->whole, from[i]) : *g->whole;
		search(g, &t);
		double left = allowed(g, set, &t, &found);
		if (left >= least) continue;
		least = left;
		*f = t;
		*r = found;
	}
	return least;
}

void cdl_hold(const struct guard_set *set, int nset, bool together, struct cdl_fit *f, struct guard_report *r)
{
	const struct cdl_fit whole = *f;
	struct guard g = { .n = nset < MOST ? nset : MOST, .together = together, .whole = &whole };
	double before = 0;
	memset(r, 0, sizeof *r);
	for (int s = 0; s < g.n; s++) {
		report(&set[s], f, r);
		before += r->gap_before;
	}
	if (r->most <= 0) return;
	open_parts(&g, set);
	if (hold(&g, set, f, r) > LITTLE * before) {
		g.loose = true;
		hold(&g, set, f, r);
	}
	mark_limits(f);
	for (int s = 0; s < g.n; s++) {
		pixels_free(&g.part[s].in);
		pixels_free(&g.part[s].done);
	}
}
