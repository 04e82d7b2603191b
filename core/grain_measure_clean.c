/* grain_measure_clean - which flat blocks of a single frame hold nothing but grain, and what they hold.
 *
 * Detail adds energy, at low frequencies most. A block is judged by its energies by radius over what grain has there;
 * what is measured of one radius is taken from blocks chosen by all the others, for grain's own chance at different
 * frequencies is independent: so the choice takes detail away and leaves grain as it is.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_measure_int.h"
#include "mathx.h"
#include "measure.h"
#include "mem.h"

/* Rings that judge: from 1 on. CORE: per cent of the blocks to begin with. */
enum { RINGS = 16, CORE = 15, LEAST = 40, TURNS = 6, LOW = 5, WIDER = 5 };
/* Bins below that share of the highest tell nothing of strength. */
#define FAINT 0.03
/* Blocks of which one would tell as much: they overlap by half. */
#define OVERLAP 2.5
/* Luma that the blocks of one level may span. */
#define ALONE 0.1
/* Luma beyond the levels where blocks still count. */
#define LEVEL 0.05
/* Degrees of freedom that a block must have to tell of strength. */
#define TELLING 60

struct bench {
	struct gm_flat *f;
	const struct gm_patch **v; int n;               /* the flatter blocks */
	struct gm_clean *o;
	double dof[GM_RINGS], weight[GM_RINGS];
	float *each[3], *q, *z, *sorted;               /* by block: energies by ring over grain's; their mean */
};

static int by_luma(const void *a, const void *b)
{
	const struct gm_sample *p = a, *q = b;
	return (p->luma > q->luma) - (p->luma < q->luma);
}

static void knot(struct gm_curve *c, const struct gm_sample *v, int n)
{
	for (int k = 0; k < n; k++) {
		c->luma[c->n] += v[k].luma / n;
		for (int ch = 0; ch < 3; ch++) c->var[ch][c->n] += v[k].var[ch] / n;
	}
	c->weight[c->n++] = n;
}

/* Knots with enough samples each, then the likeliest smooth curve through all of them. Samples that lie alone tell of no
 * level; how many are left. */
static int fit_samples(struct gm_sample *v, int n, struct gm_curve *c)
{
	int least = n / 40 > 12 ? n / 40 : 12, kept = 0;
	memset(c, 0, sizeof *c);
	qsort(v, (size_t)n, sizeof *v, by_luma);
	double step = n ? (v[n - 1].luma - v[0].luma) / GM_KNOTS : 0;
	for (int from = 0, to = 0; from < n; from = to) {
		while (to < n && (to - from < least || v[to].luma - v[from].luma <= step)) to++;
		if (n - to < least && (n == to || v[n - 1].luma - v[from].luma <= ALONE)) to = n;
		if (to - from < least || v[to - 1].luma - v[from].luma > (step > ALONE ? step : ALONE)) {
			/* too far apart: the first goes, and what follows is tried without it */
			if (to - from >= least && v[from + least - 1].luma - v[from].luma > ALONE) to = from + 1;
			else if (to - from >= least) to = from + least;
			else { to = n; continue; }
			if (to == from + 1) continue;
		}
		knot(c, v + from, to - from);
		memmove(v + kept, v + from, (size_t)(to - from) * sizeof *v);
		kept += to - from;
	}
	if (c->n) gm_fit_curve(v, kept, c);
	return kept;
}

/* Before anything is known of grain: of each luma the blocks of least energy. */
static int first_samples(const struct bench *b, struct gm_sample *v)
{
	enum { BINS = 24 };
	float lo = 9, hi = -9, limit[BINS];
	int n = 0;
	for (int i = 0; i < b->n; i++) {
		lo = b->v[i]->luma < lo ? b->v[i]->luma : lo;
		hi = b->v[i]->luma > hi ? b->v[i]->luma : hi;
		b->z[i] = 0;
		for (int c = 0; c < 3; c++)
			for (int k = 2; k < GM_RINGS; k++) b->z[i] += (float)b->v[i]->ring[c][k];
	}
	for (int bin = 0; bin < BINS; bin++) {
		size_t m = 0;
		for (int i = 0; i < b->n; i++)
			if ((int)((b->v[i]->luma - lo) / (hi - lo + 1e-6f) * BINS) == bin) b->sorted[m++] = b->z[i];
		floats_sort(b->sorted, m);
		limit[bin] = m >= 8 ? (float)floats_quantile(b->sorted, m, CORE / 100.0) : -1;
	}
	for (int i = 0; i < b->n; i++) {
		if (b->z[i] > limit[(int)((b->v[i]->luma - lo) / (hi - lo + 1e-6f) * BINS)]) continue;
		v[n] = (struct gm_sample){ .luma = (double)b->v[i]->luma, .dof = 100 };
		for (int c = 0; c < 3; c++)
			for (int k = 2; k < GM_RINGS; k++) v[n].var[c] += (double)b->v[i]->ring[c][k];
		n++;
	}
	return n;
}

/* Energies of every block by ring over what grain of that shape has; how much each ring tells of detail: its chance
 * against what the middle block has beyond grain. */
static void ratios(struct bench *b)
{
	for (int i = 0; i < b->n; i++) {
		const struct gm_patch *p = b->v[i];
		for (int k = 1; k < RINGS; k++) {
			double q = 0;
			for (int c = 0; c < 3; c++) {
				double want = gm_curve_at(&b->o->curve, c, (double)p->luma) * b->o->shape[c][k];
				q += want > 0 ? (double)p->ring[c][k] / want / 3 : 0;
			}
			b->q[i * RINGS + k] = (float)q;
		}
	}
}

static void weigh(struct bench *b)
{
	for (int k = 1; k < RINGS; k++) b->weight[k] = k < 7 ? b->dof[k] : 8;
}

/* Scores all blocks by their rings but one (0: by all). */
static void score(const struct bench *b, int but)
{
	double weight = 0;
	size_t n = (size_t)b->n;
	for (int k = 1; k < RINGS; k++) weight += k == but ? 0 : b->weight[k];
	for (size_t i = 0; i < n; i++) {
		double sum = 0;
		for (int k = 1; k < RINGS; k++) sum += k == but ? 0 : b->weight[k] * (double)b->q[i * RINGS + (size_t)k];
		b->z[i] = b->sorted[i] = (float)(sum / weight);
	}
	floats_sort(b->sorted, n);
}

static float score_at(const struct bench *b, double share)
{
	return share < 1 ? (float)floats_quantile(b->sorted, (size_t)b->n, share) : 1e30f;
}

/* Lower quantile of a mean of squares with so many degrees of freedom, over its mean (Wilson and Hilferty 1931);
 * z: of the normal distribution at that share. */
static double low_share(double dof, double z)
{
	double a = 2 / (9 * dof), b = 1 - a + z * __builtin_sqrt(a);
	return b * b * b;
}

/* What the lower third of the values says their mean is without detail. */
static double low_mean(float *v, size_t n, double dof)
{
	floats_sort(v, n);
	return n ? floats_quantile(v, n, 0.3) / low_share(dof, -0.5244) : 0;
}

/* Energies over what the curve says, ring by ring as means over the blocks that are clean by all other rings: whose
 * scores lie between two shares of all. */
static void shape_of(const struct bench *b, double from, double to, double shape[3][GM_RINGS])
{
	float low = 0, high = 0;
	for (int k = GM_RINGS - 1; k >= 0; k--) {
		double sum[3] = { 0, 0, 0 };
		size_t n = 0;
		if (k < RINGS || k == GM_RINGS - 1) {
			score(b, k < RINGS ? k : 0);
			low = from > 0 ? score_at(b, from) : -1;
			high = score_at(b, to);
		}
		for (int i = 0; i < b->n; i++) {
			if (b->z[i] > high || b->z[i] <= low) continue;
			for (int c = 0; c < 3; c++) {
				double e = (double)b->v[i]->ring[c][k] / gm_curve_at(&b->o->curve, c, (double)b->v[i]->luma);
				sum[c] += e;
				b->each[c][n] = (float)e;
			}
			n++;
		}
		for (int c = 0; c < 3; c++) {
			shape[c][k] = n ? sum[c] / (double)n : 0;
			if (!k || k >= LOW || !n) continue;
			double low_end = low_mean(b->each[c], n, b->dof[k]), chance = __builtin_sqrt(2 * OVERLAP / (b->dof[k] * (double)n));
			if (low_end < shape[c][k] * (1 - chance)) shape[c][k] = low_end;
		}
	}
}

/* Strength of the blocks below the limit, weighed by how much each ring tells, and the curve through them. */
static int level(const struct bench *b, float limit, struct gm_sample *v)
{
	double top[3] = { 0, 0, 0 };
	int n = 0;
	for (int c = 0; c < 3; c++)
		for (int k = 2; k < RINGS; k++) {
			double p = b->o->shape[c][k] / b->dof[k];
			top[c] = p > top[c] ? p : top[c];
		}
	for (int i = 0; i < b->n; i++) {
		if (b->z[i] > limit) continue;
		v[n] = (struct gm_sample){ .luma = (double)b->v[i]->luma };
		for (int c = 0; c < 3; c++) {
			double sum = 0, dof = 0;
			for (int k = 2; k < RINGS; k++) {
				double s = b->o->shape[c][k];
				if (s < FAINT * top[c] * b->dof[k]) continue;
				sum += b->dof[k] * (double)b->v[i]->ring[c][k] / s;
				dof += b->dof[k];
			}
			v[n].var[c] = dof > 0 ? sum / dof : 0;
			v[n].dof += dof / 3 / OVERLAP;
		}
		n++;
	}
	return n;
}

/* Mean over the blocks between two scores of their energy in units of grain's, ring by ring; its chance as a variance. */
static double energy(const struct bench *b, int c, float low, float high, double *var)
{
	double sum = 0, squares = 0;
	int n = 0;
	for (int i = 0; i < b->n; i++) {
		if (b->z[i] > high || b->z[i] <= low) continue;
		double e = 0, dof = 0, v = gm_curve_at(&b->o->curve, c, (double)b->v[i]->luma);
		for (int k = LOW; k < RINGS; k++) {
			if (!(b->o->shape[c][k] > 0)) continue;
			e += b->dof[k] * (double)b->v[i]->ring[c][k] / (v * b->o->shape[c][k]);
			dof += b->dof[k];
		}
		e /= dof > 0 ? dof : 1;
		sum += e;
		squares += e * e;
		n++;
	}
	*var = n > 1 ? OVERLAP * (squares - sum * sum / n) / n / n : 1;
	return n ? sum / n : 0;
}

/* By how much the blocks between two shares of the scores hold more than those below, as a share, beyond some errors. The
 * rings that tell are not those of the score. */
static double rise(struct bench *b, double mid, double to, double errors)
{
	double most = -1;
	for (int k = LOW; k < RINGS; k++) b->weight[k] = 0;
	score(b, 0);
	float low = score_at(b, mid), high = score_at(b, to);
	for (int c = 0; c < 3; c++) {
		double var[2], in = energy(b, c, -1, low, &var[0]), out = energy(b, c, low, high, &var[1]);
		double d = in > 0 ? out / in - 1 - errors * __builtin_sqrt(var[0] + var[1]) / in : 9;
		most = d > most ? d : most;
	}
	weigh(b);
	return most;
}

static void turn(struct bench *b, double part, struct gm_sample *v)
{
	ratios(b);
	score(b, 0);
	fit_samples(v, level(b, score_at(b, part), v), &b->o->curve);
	ratios(b);
	shape_of(b, 0, part, b->o->shape);
}

/* From the blocks of least energy to a first shape. */
static bool begin(struct bench *b, struct gm_sample *v)
{
	size_t n = (size_t)b->n;
	int first = first_samples(b, v), count = 0;
	if (!fit_samples(v, first, &b->o->curve)) return false;
	for (size_t i = 0; i < n; i++) {
		double want = 0;
		for (int c = 0; c < 3; c++) want += gm_curve_at(&b->o->curve, c, (double)b->v[i]->luma);
		b->sorted[i] = b->z[i] = (float)((double)b->z[i] / want);
	}
	floats_sort(b->sorted, n);
	float limit = (float)floats_quantile(b->sorted, n, CORE / 100.0);
	for (size_t i = 0; i < n; i++) {
		if (b->z[i] > limit) continue;
		count++;
		for (int c = 0; c < 3; c++)
			for (int k = 0; k < GM_RINGS; k++)
				b->o->shape[c][k] += (double)b->v[i]->ring[c][k] / gm_curve_at(&b->o->curve, c, (double)b->v[i]->luma);
	}
	for (int c = 0; c < 3; c++)
		for (int k = 0; k < GM_RINGS; k++) b->o->shape[c][k] /= count;
	for (int k = 0; k < GM_RINGS; k++) b->dof[k] = b->f->dof[0][k];
	weigh(b);
	return true;
}

/* The window's weight of a block's sixteenths. */
static const double seen[4] = { 0.0375, 0.4625, 0.4625, 0.0375 };

double gm_flat_want(const struct gm_clean *o, const struct gm_patch *p, int c)
{
	double v = 0;
	for (int q = 0; q < GM_PARTS; q++) v += seen[q / 4] * seen[q % 4] * gm_curve_at(&o->curve, c, (double)p->part[q]);
	return v;
}

/* Strength by the high rings that blocks are clean at. */
static int wide_samples(const struct gm_flat *f, const struct gm_clean *o, const struct gm_pick *k, struct gm_sample *v)
{
	int n = 0;
	for (int i = 0; i < f->n; i++) {
		const struct gm_patch *p = &f->v[i];
		double dof = 0;
		v[n] = (struct gm_sample){ .luma = (double)p->luma };
		for (int r = GM_SEEN; r < RINGS; r++) {
			if (!(p->use >> r & 1)) continue;
			dof += k->dof[r];
			for (int c = 0; c < 3; c++)
				if (k->shape[c][r] > 0) v[n].var[c] += k->dof[r] * (double)p->hann[c][r] / (k->shape[c][r] * k->whole[r]);
		}
		if (dof < TELLING) continue;
		v[n].dof = dof / OVERLAP;
		for (int c = 0; c < 3; c++) {
			double here = gm_curve_at(&o->curve, c, (double)p->luma);
			v[n].var[c] *= here / (dof * k->want[3 * i + c]);
		}
		n++;
	}
	return n;
}

static void all_wants(struct gm_flat *f, const struct gm_clean *o, double *want)
{
	const struct gm_curve *c = &o->curve;
	for (int i = 0; i < f->n; i++) {
		struct gm_patch *p = &f->v[i];
		p->level = (double)p->luma > c->luma[0] - LEVEL && (double)p->luma < c->luma[c->n - 1] + LEVEL;
		for (int ch = 0; ch < 3; ch++) {
			double v = gm_flat_want(o, p, ch);
			want[3 * i + ch] = v > 1e-12 ? v : 1e-12;
		}
	}
}

/* From what the flattest blocks hold, those of all that are clean at high rings; the strength by them, too. */
static void widen(struct bench *b, float limit, struct gm_sample *v)
{
	struct gm_flat *f = b->f;
	struct gm_clean *o = b->o;
	struct gm_pick k;
	double *want = xalloc(3 * (size_t)f->n + 1, sizeof *want);
	for (int i = 0; i < f->n; i++) f->v[i].use = 0;
	for (int i = 0; i < b->n; i++)
		if (b->z[i] <= limit) f->v[b->v[i] - f->v].use = (1u << GM_RINGS) - 1;
	gm_pick_new(&k, f);
	all_wants(f, o, want);
	gm_pick_begin(&k, want, o);
	for (int t = 0; t < WIDER; t++) {
		struct gm_curve was = o->curve;
		if (t) {
			int n = wide_samples(f, o, &k, v);
			if (n < LEAST || fit_samples(v, n, &o->curve) < LEAST) o->curve = was;
			all_wants(f, o, want);
		}
		gm_pick_turn(&k, want);
	}
	memcpy(o->count, k.count, sizeof o->count);
	memcpy(o->whole, k.whole, sizeof o->whole);
	gm_pick_free(&k);
	free(want);
}

int gm_flat_clean(struct gm_flat *f, struct gm_clean *o, bool wide)
{
	struct bench b = { .f = f, .o = o };
	size_t all = (size_t)f->n;
	struct gm_sample *v = xalloc(all + 1, sizeof *v);
	double chosen[3][GM_RINGS] = { { 0 } };
	double part = CORE / 100.0;
	int n = 0;
	memset(o, 0, sizeof *o);
	b.v = xalloc(all + 1, sizeof *b.v);
	for (int i = 0; i < f->n; i++)
		if (f->v[i].flat) b.v[b.n++] = &f->v[i];
	b.q = xalloc(all * RINGS + 1, sizeof *b.q);
	b.z = xalloc(all + 1, sizeof *b.z);
	b.sorted = xalloc(all + 1, sizeof *b.sorted);
	for (int c = 0; c < 3; c++) b.each[c] = xalloc(all + 1, sizeof *b.each[c]);
	if (!begin(&b, v)) goto out;
	for (int k = 0; k < TURNS; k++) turn(&b, part, v);
	for (int k = 0; k < 5; k++) {
		static const double next[5] = { 0.25, 0.4, 0.6, 0.8, 1 };
		ratios(&b);
		if (rise(&b, part, next[k], 0) > 0.02) break;
		part = next[k];
		turn(&b, part, v);
	}
	ratios(&b);
	o->drift = rise(&b, part / 2, part, 2);
	o->part = part;
	score(&b, 0);
	float limit = score_at(&b, part);
	o->over = (double)score_at(&b, 0.4) - 1;
	for (int i = 0; i < b.n; i++) n += b.z[i] <= limit;
	for (int i = 0; i < b.n; i++)
		for (int c = 0; c < 3 && b.z[i] <= limit; c++)
			for (int k = 0; k < GM_RINGS; k++)
				chosen[c][k] += (double)b.v[i]->ring[c][k] / gm_curve_at(&o->curve, c, (double)b.v[i]->luma) / n;
	for (int c = 0; c < 3; c++) {
		for (int k = 1; k < GM_RINGS; k++) o->keep[c][k] = chosen[c][k] > 0 ? o->shape[c][k] / chosen[c][k] : 1;
		o->keep[c][0] = o->keep[c][1];
	}
	if (n >= LEAST && wide) widen(&b, limit, v);
out:
	free(v);
	free(b.v);
	free(b.q);
	free(b.z);
	free(b.sorted);
	for (int c = 0; c < 3; c++) free(b.each[c]);
	return o->n = n >= LEAST ? n : 0;
}
