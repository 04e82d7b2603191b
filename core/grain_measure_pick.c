/* grain_measure_pick - which blocks of single frames hold nothing but grain, asked for every radius of frequency apart.
 *
 * Detail spoils a block at low frequencies first: at high ones most blocks of a photograph are clean. A block is
 * judged at a ring by its energies at the other rings and by its neighbours' at the same, each weighed by what it tells;
 * grain's own chance there is independent, so the choice takes detail away and leaves grain as it is. As many blocks
 * are taken, the cleanest first, as show no rise beyond chance over any cleaner part (Lepski 1990).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_measure_int.h"
#include "mathx.h"
#include "measure.h"
#include "mem.h"

/* Rings that judge, from 1 on. STRICT: below that the choice has little to go by and rises steeply. SHADED: from there on the
 * shading that a plane leaves is asked as well, which has so many degrees of freedom. */
enum { RINGS = 17, STRICT = 7, SHADED = 5, SHADE_DOF = 16 };
/* Blocks of which one would tell as much: they overlap by half. */
#define OVERLAP 2.0
/* Standard deviations: above the mean at which a block is left out; of a rise, from STRICT on and below. */
#define CUT 2.5
#define SIGNS 1.5
#define STRICT_SIGNS 0.8
/* A rise that is let pass; relative spread of what detail at one ring tells of another. */
#define ALIKE 0.003
#define SPREAD 0.7

void gm_pick_new(struct gm_pick *k, struct gm_flat *f)
{
	size_t n = (size_t)f->n + 1;
	*k = (struct gm_pick){ .f = f };
	k->u = xalloc(n * GM_RINGS, sizeof *k->u);
	k->t = xalloc(n, sizeof *k->t);
	k->shade = xalloc(n, sizeof *k->shade);
	k->e = xalloc(n, sizeof *k->e);
	k->sorted = xalloc(n, sizeof *k->sorted);
	k->order = xalloc(n, sizeof *k->order);
	for (int r = 0; r < GM_RINGS; r++) k->dof[r] = f->dof[1][r];
}

void gm_pick_free(struct gm_pick *k)
{
	free(k->u);
	free(k->t);
	free(k->shade);
	free(k->e);
	free(k->sorted);
	free(k->order);
	*k = (struct gm_pick){ 0 };
}

/* Energy of a block at a ring in units of what grain has. */
static double ratio(const struct gm_pick *k, int i, int r)
{
	const struct gm_patch *p = &k->f->v[i];
	double sum = 0;
	for (int c = 0; c < 3; c++) {
		double want = k->want[3 * i + c] * k->shape[c][r];
		sum += want > 0 ? (double)p->hann[c][r] / want / 3 : 1.0 / 3;
	}
	return sum;
}

/* Degrees of freedom of a channel that tell as much as the mean of all three. */
static double channels(const struct gm_pick *k)
{
	double s = 3;
	for (int c = 0; c < 3; c++) s += 2 * k->corr[c] * k->corr[c];
	return 9 / s;
}

/* Mean of a value with so many degrees of freedom that is below CUT deviations over its mean. */
static double cut_mean(double dof)
{
	static const struct { double dof, mean; } at[] = { { 6, 0.9564 }, { 8, 0.9673 }, { 11, 0.9728 }, { 16, 0.9810 },
		{ 23, 0.9853 }, { 32, 0.9889 }, { 45, 0.9916 }, { 64, 0.9936 }, { 90, 0.9949 }, { 128, 0.9960 }, { 256, 0.9975 },
		{ 512, 0.9985 }, { 1024, 0.9990 } };
	int n = sizeof at / sizeof *at, i = 0;
	while (i < n - 2 && dof > at[i + 1].dof) i++;
	double t = mx_log(dof / at[i].dof) / mx_log(at[i + 1].dof / at[i].dof);
	return at[i].mean + (t < 0 ? 0 : t > 1 ? 1 : t) * (at[i + 1].mean - at[i].mean);
}

/* --- scores --- */

struct clue { double *num, *den; };

/* One thing that tells of detail at a ring: f by block, of that chance; how much of it goes there is learnt from
 * blocks that plainly have it. */
static void add_clue(const struct gm_pick *k, const float *f, int step, const float *own, double chance, struct clue *c)
{
	double with = 0, all = 0;
	int n = 0;
	for (int i = 0; i < k->f->n; i++) {
		double a = (double)f[i * step], b = (double)own[i * GM_RINGS];
		if (!(a > 3 * chance) || a > 1e20) continue;
		double w = 1 / ((1 + a) * (1 + (b < 0 ? -b : b)));
		with += w * b;
		all += w * a;
		n++;
	}
	double gain = n > 20 ? with / all : 1;
	gain = gain > 1e-3 ? gain : 1e-3;
	for (int i = 0; i < k->f->n; i++) {
		double a = (double)f[i * step], s = SPREAD * (a > 0 ? a : 0);
		if (a > 1e20) continue;
		double w = 1 / (gain * gain * (chance * chance + s * s) + 1e-4);
		c->num[i] += w * gain * a;
		c->den[i] += w;
	}
}

/* The four blocks nearest: how much they have beyond grain at ring r. */
static void neighbours(const struct gm_pick *k, int r)
{
	for (int i = 0; i < k->f->n; i++) {
		double sum = 0;
		int n = 0;
		for (int q = 0; q < 4; q++) {
			int j = k->f->v[i].near[q];
			if (j < 0) continue;
			sum += (double)k->u[j * GM_RINGS + r];
			n++;
		}
		k->e[i] = n >= 2 ? (float)(sum / n) : 1e30f;
	}
}

/* Leaves what every block likely has beyond grain at ring r in t. Rings side by side share bins under the window. */
static void score(const struct gm_pick *k, int r, struct clue *c)
{
	double ch = channels(k);
	memset(c->num, 0, (size_t)k->f->n * sizeof *c->num);
	memset(c->den, 0, (size_t)k->f->n * sizeof *c->den);
	if (r >= SHADED) add_clue(k, k->shade, 1, k->u + r, __builtin_sqrt(2 / (SHADE_DOF * ch)), c);
	for (int j = 1; j < RINGS; j++)
		if (j < r - 1 || j > r + 1) add_clue(k, k->u + j, GM_RINGS, k->u + r, __builtin_sqrt(2 / (k->dof[j] * ch)), c);
	neighbours(k, r);
	add_clue(k, k->e, 1, k->u + r, __builtin_sqrt(0.5 / (k->dof[r] * ch)), c);
	for (int i = 0; i < k->f->n; i++) k->t[i] = (float)(c->num[i] / c->den[i]);
}

/* --- how many --- */

struct rank { float t; int i; };

static int by_t(const void *a, const void *b)
{
	const struct rank *p = a, *q = b;
	if (p->t != q->t) return p->t < q->t ? -1 : 1;
	return p->i - q->i;
}

/* Mean of the first n of v without what lies far above it: from a harmonic mean on. */
static double kept_mean(const float *v, int n, double sd)
{
	double mean = 0, spare = 0;
	for (int i = 0; i < n; i++) spare += 1 / (0.02 + (double)v[i]);
	mean = n / spare - 0.02;
	for (int pass = 0; pass < 5; pass++) {
		double sum = 0;
		int m = 0;
		for (int i = 0; i < n; i++) {
			if (!((double)v[i] < mean * (1 + (pass ? CUT : 1.5 * CUT) * sd))) continue;
			sum += (double)v[i];
			m++;
		}
		mean = m ? sum / m : mean;
	}
	return mean;
}

/* The largest part of v, the cleanest first, whose mean is no more beyond that of any smaller one than chance allows. */
static double grow_part(const float *v, int n, double least, double sd, double signs)
{
	static const double step[] = { 0.05, 0.07, 0.1, 0.14, 0.19, 0.25, 0.32, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1 };
	enum { STEPS = sizeof step / sizeof *step };
	double mean[STEPS], var[STEPS];
	int first = 0, best;
	while (first < STEPS - 1 && (step[first] < least || step[first] * n < 12)) first++;
	best = first;
	for (int s = first; s < STEPS; s++) {
		int m = (int)(step[s] * n);
		mean[s] = kept_mean(v, m, sd);
		var[s] = sd * mean[s] * sd * mean[s] * OVERLAP / m;
		for (int q = first; q < s; q++) {
			double gain = var[q] > var[s] ? var[q] - var[s] : 0;
			if (mean[s] - mean[q] > signs * __builtin_sqrt(gain) + ALIKE * mean[q]) return step[best];
		}
		best = s;
	}
	return step[best];
}

/* Energy at a ring and those beside it. */
static double around(const struct gm_pick *k, int i, int r, double *dof)
{
	double sum = 0;
	*dof = 0;
	for (int j = r > 1 ? r - 1 : 1; j <= r + 1 && j < GM_RINGS - 1; j++) {
		sum += k->dof[j] * (1 + (double)k->u[i * GM_RINGS + j]);
		*dof += k->dof[j];
	}
	sum /= *dof;
	*dof *= channels(k) * 0.6;                        /* what they share */
	return sum;
}

/* Orders all blocks by t; energies at the ring in that order. */
static double arrange(const struct gm_pick *k, int r, struct rank *o)
{
	double dof = 1;
	for (int i = 0; i < k->f->n; i++) o[i] = (struct rank){ k->f->v[i].level ? k->t[i] : 1e30f, i };
	qsort(o, (size_t)k->f->n, sizeof *o, by_t);
	for (int i = 0; i < k->f->n; i++) {
		k->order[i] = o[i].i;
		k->sorted[i] = (float)around(k, o[i].i, r, &dof);
	}
	return dof;
}

static double middle(const double *part, int r)
{
	double v[5];
	int n = 0;
	for (int j = r - 2; j <= r + 2; j++)
		if (j >= GM_SEEN && j < GM_RINGS - 1) v[n++] = part[j];
	for (int i = 1; i < n; i++)
		for (int j = i; j > 0 && v[j] < v[j - 1]; j--) { double t = v[j]; v[j] = v[j - 1]; v[j - 1] = t; }
	return v[n / 2] < 4 * part[r] ? v[n / 2] : 4 * part[r];
}

/* --- turns --- */

/* Energies and shading beyond what grain has. */
static void units(struct gm_pick *k)
{
	for (int i = 0; i < k->f->n; i++) {
		double sum = 0;
		for (int c = 0; c < 3; c++) {
			const float *e = k->f->v[i].ring[c];
			double want = k->want[3 * i + c] * k->plane[c];
			sum += want > 0 ? ((double)e[1] + (double)e[2]) / want / 3 : 1.0 / 3;
		}
		k->shade[i] = (float)(sum - 1);
	}
	for (int i = 0; i < k->f->n; i++)
		for (int r = 0; r < GM_RINGS; r++) k->u[i * GM_RINGS + r] = (float)(ratio(k, i, r) - 1);
}

/* Means by ring of the blocks that are used there. */
static void shapes(struct gm_pick *k, int from)
{
	static const int pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
	double both[3] = { 0, 0, 0 }, own[3] = { 0, 0, 0 };
	for (int r = 0; r < GM_RINGS; r++) {
		double sum[6] = { 0 };
		int n = 0;
		for (int i = 0; i < k->f->n; i++) {
			const struct gm_patch *p = &k->f->v[i];
			const double *v = k->want + 3 * i;
			if (!(p->use >> r & 1)) continue;
			n++;
			for (int c = 0; c < 3; c++) {
				sum[c] += (double)p->hann[c][r] / v[c];
				sum[3 + c] += (double)p->cross[c][r] / __builtin_sqrt(v[pair[c][0]] * v[pair[c][1]]);
			}
		}
		k->count[r] = n;
		if (!n) continue;
		for (int c = 0; c < 3 && r >= from; c++) k->shape[c][r] = sum[c] / n / k->whole[r];
		for (int c = 0; c < 3 && r >= GM_SEEN && r < 12; c++) {
			both[c] += sum[3 + c] * gm_ring_bins(r);
			own[c] += __builtin_sqrt(sum[pair[c][0]] * sum[pair[c][1]]) * gm_ring_bins(r);
		}
	}
	for (int c = 0; c < 3; c++) k->corr[c] = own[c] > 0 ? both[c] / own[c] : 0;
}

void gm_pick_begin(struct gm_pick *k, const double *want, const struct gm_clean *o)
{
	k->want = want;
	for (int c = 0; c < 3; c++) k->plane[c] = o->shape[c][1] + o->shape[c][2];
	for (int r = 0; r < GM_RINGS; r++) k->whole[r] = 1;
	shapes(k, 0);
	for (int c = 0; c < 3; c++)
		for (int r = 0; r < GM_RINGS; r++) k->shape[c][r] *= o->keep[c][r];
	k->least = (double)k->count[GM_SEEN] / k->f->n;
}

void gm_pick_turn(struct gm_pick *k, const double *want)
{
	size_t n = (size_t)k->f->n;
	struct rank *o = xalloc(n + 1, sizeof *o);
	struct clue c = { xalloc(n + 1, sizeof(double)), xalloc(n + 1, sizeof(double)) };
	float *t = xalloc(n * GM_RINGS + 1, sizeof *t);
	const uint32_t low = (1u << GM_SEEN) - 1;
	double part[GM_RINGS] = { 0 }, dof;
	k->want = want;
	units(k);
	for (int r = GM_SEEN; r < GM_RINGS - 1; r++) {
		score(k, r, &c);
		memcpy(t + (size_t)r * n, k->t, n * sizeof *t);
		dof = arrange(k, r, o);
		part[r] = grow_part(k->sorted, (int)n, k->least, __builtin_sqrt(2 / dof), r < STRICT ? STRICT_SIGNS : SIGNS);
	}
	for (size_t i = 0; i < n; i++) k->f->v[i].use &= low;
	for (int r = GM_SEEN; r < GM_RINGS - 1; r++) {
		memcpy(k->t, t + (size_t)r * n, n * sizeof *t);
		dof = arrange(k, r, o);
		int m = (int)(middle(part, r) * (double)n);
		double sd = __builtin_sqrt(2 / dof), mean = kept_mean(k->sorted, m, sd);
		for (int i = 0; i < m; i++)
			if ((double)k->sorted[i] < mean * (1 + CUT * sd)) k->f->v[k->order[i]].use |= 1u << r;
		k->whole[r] = cut_mean(dof);
	}
	k->whole[GM_RINGS - 1] = k->whole[GM_RINGS - 2];
	for (size_t i = 0; i < n; i++)
		k->f->v[i].use |= (k->f->v[i].use >> (GM_RINGS - 2) & 1) << (GM_RINGS - 1);
	shapes(k, GM_SEEN);
	free(o);
	free(t);
	free(c.num);
	free(c.den);
}
