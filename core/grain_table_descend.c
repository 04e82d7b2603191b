/* grain_table_descend - least squares over all parameters of AV1's film grain together, and their rounding; see
 * grain_table_fit.h.
 *
 * Levenberg and Marquardt's steps with differences for derivatives. Rounding fixes one coefficient at a time, that
 * which the others can make up for least, and lets the others make up for what it lost by the same quadratic form
 * (successive interference cancelling; Foschini's order).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cholesky.h"
#include "grain_table_fit.h"
#include "mathx.h"
#include "mem.h"

enum { P = FIT_PARAMS, R = FIT_RESIDUALS, HIGHEST = 127, AGAIN = 6, GROUP = 5 };
#define DIFFERENCE 1e-5
#define MOST (127 / 64.0)

/* The quadratic form around where f is. */
struct form {
	int at[P], n;                        /* which parameters, how many */
	double h[P * P], down[P];            /* J'J, -J'r, rows of P */
	double r[R], less[R], j[P][R], sum;
};

static bool there(int param) { return param != TABLE_TAPS; }        /* luma has no share of itself */

/* A deviation goes by shares, the rest by itself. */
static double along(const struct fit *f, int param) { return param >= FIT_DEV ? f->by[param] : 1; }

/* Takes parameter a out of the form. */
static void leave(struct form *q, int a)
{
	for (int i = 0; i < q->n; i++) memmove(q->h + i * P + a, q->h + i * P + a + 1, (size_t)(q->n - 1 - a) * sizeof *q->h);
	for (int i = a; i + 1 < q->n; i++) memcpy(q->h + i * P, q->h + (i + 1) * P, (size_t)q->n * sizeof *q->h);
	memmove(q->down + a, q->down + a + 1, (size_t)(q->n - 1 - a) * sizeof *q->down);
	memmove(q->at + a, q->at + a + 1, (size_t)(q->n - 1 - a) * sizeof *q->at);
	q->n--;
}

static void form_of(struct fit *f, const bool held[P], struct form *q)
{
	q->n = 0;
	q->sum = fit_residuals(f, q->r);
	for (int p = 0; p < P; p++) {
		if (!there(p) || held[p]) continue;
		double step = DIFFERENCE * along(f, p), *j = q->j[q->n];
		fit_try(f, p, step);
		fit_residuals(f, q->less);
		fit_back(f, p);
		for (int i = 0; i < R; i++) j[i] = (q->less[i] - q->r[i]) / DIFFERENCE;
		q->at[q->n++] = p;
	}
	for (int a = 0; a < q->n; a++) {
		q->down[a] = 0;
		for (int i = 0; i < R; i++) q->down[a] -= q->j[a][i] * q->r[i];
		for (int b = 0; b <= a; b++) {
			double sum = 0;
			for (int i = 0; i < R; i++) sum += q->j[a][i] * q->j[b][i];
			q->h[a * P + b] = q->h[b * P + a] = sum;
		}
	}
	for (int a = q->n - 1; a >= 0; a--) {
		double by = f->by[q->at[a]];
		if (q->at[a] < FIT_DEV && __builtin_fabs(by) >= MOST && (by > 0) == (q->down[a] > 0)) leave(q, a);
	}
}

/* One step with that damping; less than before, or f as it was and false. */
static bool step(struct fit *f, const struct form *q, double damp)
{
	double h[P * P], x[P], was[P], r[R], least = 0;
	memcpy(h, q->h, sizeof h);
	memcpy(x, q->down, sizeof x);
	memcpy(was, f->by, sizeof was);
	for (int a = 0; a < q->n; a++) least += h[a * P + a] / q->n;
	for (int a = 0; a < q->n; a++) h[a * P + a] += damp * (h[a * P + a] + 1e-6 * least);
	chol_root(h, q->n, P, 1e-12 * least);
	chol_solve(h, q->n, P, x);
	for (int a = 0; a < q->n; a++) f->by[q->at[a]] += x[a] * along(f, q->at[a]);
	for (int p = 0; p < FIT_DEV; p++) f->by[p] = f->by[p] > MOST ? MOST : f->by[p] < -MOST ? -MOST : f->by[p];
	bool good = true;
	for (int k = 0; k < 3; k++) good = good && f->by[FIT_DEV + k] >= 0.2 * was[FIT_DEV + k];
	fit_refresh(f);
	good = good && fit_residuals(f, r) < q->sum;
	for (int k = 0; k < 3; k++) good = good && fit_stable(f, k);
	if (good) return true;
	memcpy(f->by, was, sizeof was);
	fit_refresh(f);
	return false;
}

double fit_descend(struct fit *f, const bool held[P], int turns)
{
	struct form *q = xalloc(1, sizeof *q);
	double damp = 1e-3, was = 0;
	for (int turn = 0; turn < turns; turn++) {
		int tries = 0;
		form_of(f, held, q);
		if (!q->n || (turn && was - q->sum < 1e-3 * was)) break;
		was = q->sum;
		for (; tries < AGAIN && !step(f, q, damp); tries++) damp *= 8;
		if (tries == AGAIN) break;
		damp = damp > 1e-7 ? damp / 8 : damp;
	}
	free(q);
	double r[R];
	return fit_residuals(f, r);
}

/* The root of the form, made a little firmer. */
static void root(const struct form *q, double h[P * P])
{
	double least = 0;
	memcpy(h, q->h, P * P * sizeof *h);
	for (int a = 0; a < q->n; a++) least += h[a * P + a] / q->n;
	for (int a = 0; a < q->n; a++) h[a * P + a] *= 1 + 1e-6;
	chol_root(h, q->n, P, 1e-12 * least);
}

/* Of the inverse's diagonal the least is the coefficient for which the others can do least. */
static int firmest(const struct form *q)
{
	double h[P * P], best = INFINITY;
	int which = -1;
	root(q, h);
	for (int a = 0; a < q->n; a++) {
		double x[P] = { 0 };
		if (q->at[a] >= FIT_DEV) continue;
		x[a] = 1;
		chol_solve(h, q->n, P, x);
		if (x[a] < best) { best = x[a]; which = a; }
	}
	return which;
}

static double whole(double v, double unit)
{
	double t = mx_round(v / unit);
	return (t > HIGHEST ? HIGHEST : t < -HIGHEST ? -HIGHEST : t) * unit;
}

/* The parameter of the form becomes that; the others make up for it. It leaves the form. */
static void settle(struct fit *f, struct form *q, int a, double to)
{
	double h[P * P], x[P], by = to - f->by[q->at[a]];
	f->by[q->at[a]] = to;
	for (int i = 0; i < q->n; i++) x[i] = -q->h[i * P + a] * by;
	memmove(x + a, x + a + 1, (size_t)(q->n - 1 - a) * sizeof *x);
	leave(q, a);
	root(q, h);
	chol_solve(h, q->n, P, x);
	for (int i = 0; i < q->n; i++) f->by[q->at[i]] += x[i] * along(f, q->at[i]);
}

double fit_round(struct fit *f, double unit)
{
	struct form *q = xalloc(1, sizeof *q);
	bool held[P] = { false };
	double r[R];
	form_of(f, held, q);
	for (int n = 1, a; (a = firmest(q)) >= 0; n++) {
		int p = q->at[a];
		held[p] = true;
		settle(f, q, a, whole(f->by[p], unit));
		if (n % GROUP) continue;
		fit_refresh(f);
		fit_descend(f, held, 2);
		form_of(f, held, q);
	}
	free(q);
	fit_refresh(f);
	return fit_residuals(f, r);
}
