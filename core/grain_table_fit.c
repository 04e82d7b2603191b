/* grain_table_fit - AV1's grain parameters brought nearer to what red, green and blue are to be; see
 * grain_table_int.h.
 *
 * The planes' parameters together make the spectra of the channels, their correlations and strengths, and whole
 * coefficients bear little rounding: least squares over all of them, rounding one by one, then whole steps while the
 * sum of squared errors falls. It is tried with coefficients held small more and less: how far rounding throws coarse
 * grain, whose recursion is all but unstable, cannot be known before. What the spectra of recursions do not say, whole
 * numbers and the ends of templates, is learnt from templates as decoders make them, and it is done again.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_table_fit.h"
#include "mathx.h"
#include "mem.h"

enum { SWEEPS = 20, TURNS = 30, HIGHEST = 127 };

/* One sweep over a plane's coefficients and its share of luma; the error. */
static double sweep_plane(struct fit *f, int plane, double by, double highest, double best)
{
	double r[FIT_RESIDUALS];
	for (int k = 0; k < TABLE_TAPS + (plane > 0); k++)
		for (int sign = -1; sign <= 1; sign += 2) {
			int p = plane * FIT_PLANE + k;
			double was = f->by[p], to = was + sign * by;
			if (to > highest || to < -highest) continue;
			fit_try(f, p, to - was);
			double e = fit_residuals(f, r);
			if (e < best && fit_stable(f, plane)) best = e;
			else fit_back(f, p);
		}
	return best;
}

static double error(struct fit *f)
{
	double r[FIT_RESIDUALS];
	return fit_residuals(f, r);
}

/* Steps of units while they help. */
static void polish(struct fit *f, double unit, int step)
{
	bool held[FIT_PARAMS];
	for (int p = 0; p < FIT_PARAMS; p++) held[p] = p < FIT_DEV;
	for (int turn = 0; turn < SWEEPS && step; turn++) {
		fit_block_shares(f);
		double was = fit_descend(f, held, 2), best = was;
		for (int p = 0; p < 3; p++) {
			best = sweep_plane(f, p, step * unit, HIGHEST * unit, best);
			fit_refresh(f);
			best = error(f);
		}
		if (best > 0.995 * was) step /= 2;
	}
}

static void put(const struct fit *f, double unit, int *const ar[3], double dev[3])
{
	for (int p = 0; p < 3; p++) {
		for (int k = 0; k < TABLE_TAPS + (p > 0); k++) ar[p][k] = (int)mx_round(f->by[p * FIT_PLANE + k] / unit);
		dev[p] = f->by[FIT_DEV + p];
	}
}

/* The largest shift at which all coefficients have room. */
static int shift_of(const struct fit *f)
{
	int shift = 9;
	for (int p = 0; p < FIT_DEV; p++)
		while (shift > 6 && __builtin_fabs(f->by[p]) * (1 << shift) > HIGHEST) shift--;
	return shift;
}

/* What is wrong, whatever the size of coefficients. */
static double wrong(struct fit *f)
{
	double calm = f->calm, e;
	f->calm = 0;
	e = error(f);
	f->calm = calm;
	return e;
}

/* *done, from where f is: the least squares, then whole coefficients at the shift that this gives; what is wrong then. */
static double attempt(const struct fit *f, double calm, struct fit *done, int *shift)
{
	static const bool none[FIT_PARAMS] = { false };
	memcpy(done, f, sizeof *done);
	done->calm = calm;
	for (int turn = 0; turn < 2; turn++) {
		fit_descend(done, none, TURNS);
		fit_block_shares(done);
	}
	*shift = shift_of(done);
	fit_round(done, 1.0 / (1 << *shift));
	polish(done, 1.0 / (1 << *shift), 2);
	fit_block_shares(done);
	return wrong(done);
}

/* f of the parameters g. */
static void take(struct fit *f, const struct grain_params *g, const double dev[3])
{
	const int *ar[3] = { g->ay, g->acb, g->acr };
	for (int p = 0; p < 3; p++) {
		for (int k = 0; k < TABLE_TAPS + (p > 0); k++) f->by[p * FIT_PLANE + k] = ar[p][k] / (double)(1 << g->ar_shift);
		f->by[FIT_DEV + p] = dev[p];
	}
	fit_refresh(f);
	fit_block_shares(f);
}

static bool sound(struct fit *f) { return fit_stable(f, 0) && fit_stable(f, 1) && fit_stable(f, 2); }

/* So many attempts from where f is that die away; what is better than before goes to g, dev and f. */
static void improve(struct fit *f, int enough, double before, struct grain_params *g, double dev[3])
{
	/* the last two for grain so coarse that, once rounded, none of the others dies away */
	static const double calm[] = { 3, 1, 0.3, 10, 30 };
	struct fit *done = xalloc(1, sizeof *done);
	int *ar[3] = { g->ay, g->acb, g->acr };
	for (int i = 0; i < 5 && enough; i++) {
		int shift;
		double e = attempt(f, calm[i], done, &shift);
		if (!sound(done)) continue;
		enough--;
		if (!(e < before)) continue;
		before = e;
		g->ar_shift = shift;
		put(done, 1.0 / (1 << shift), ar, dev);
	}
	free(done);
	gt_room(g, f->sub);
	take(f, g, dev);
}

double gt_fit(struct grain_params *g, const struct grain_picture *to, const double *const own[3],
              const double *const cross[3], double dev[3])
{
	struct fit *f = xalloc(1, sizeof *f), *done = xalloc(1, sizeof *done);
	int *ar[3] = { g->ay, g->acb, g->acr };
	double off;
	fit_begin(f, to, own, cross);
	take(f, g, dev);
	memcpy(done, f, sizeof *done);
	polish(done, 1.0 / (1 << g->ar_shift), 4);
	put(done, 1.0 / (1 << g->ar_shift), ar, dev);
	improve(f, 1, wrong(done), g, dev);
	fit_learn(f, g, dev);
	improve(f, 3, wrong(f), g, dev);
	g->seed = fit_seed(f, g, dev, &off);
	free(done);
	free(f);
	return off;
}
