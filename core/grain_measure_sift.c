/* grain_measure_sift - which blocks of differences hold nothing but grain, band by band of frequencies.
 *
 * What is left of the picture in a difference is the picture's own texture times how far it slipped. The first is seen in
 * the sum of the frames, the second in the blocks around: both are independent of the block's own grain, so an order by them
 * prefers none for its chance. As many are taken, the cleanest first, as show no rise beyond chance over any
 * cleaner part (Lepski 1990). The blocks' variance alone says less: grain's chance hides a tenth of it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_measure_int.h"
#include "mathx.h"
#include "measure.h"
#include "mem.h"

/* ALL: the index of the whole variance among the bands. */
enum { ALL = GM_BANDS, STRATA = 12, TURNS = 3, STEP = 5, SAMPLES = (GM_BLOCK * GM_BLOCK + STEP - 1) / STEP };
/* Standard deviations of a rise: of the variance, which is off by what is left; of bands, of which each is another chance to stop
 * for nothing; a share that is let pass there. F at which the light has changed. Part of the blocks to begin with. */
#define CERTAIN 8
#define SIGNS_ALL 2.5
#define SIGNS_BAND 3.2
#define ALIKE 0.03
#define FIRST 0.2
/* Of the lowest band's energy: less is no grain's. */
#define FAINT 0.0003

/* t: how much of the picture it likely holds; texture: of the sum; e: energies over the wanted ones. */
struct item { float t, texture, luma, e[GM_BANDS + 1]; double want[3]; int field, at; };
struct sieve { struct gm_field *f; int n; const struct gm_spec *spec; struct item *v; size_t count; double faint; };

int gm_band_of(int ring)
{
	static const int first[GM_BANDS] = { 0, 2, 4, 6, 9, 13 };
	int b = 0;
	while (b + 1 < GM_BANDS && ring >= first[b + 1]) b++;
	return b;
}

static ptrdiff_t pixel(const struct gm_field *f, int i, int k)
{
	return (ptrdiff_t)(i / f->bw * GM_BLOCK + k / GM_BLOCK) * f->w + i % f->bw * GM_BLOCK + k % GM_BLOCK;
}

/* Sums over the blocks' means x (luma) and y. */
struct line { double n, x, y, xx, xy, yy; };

/* y over x, where that tells far more than chance. */
static bool fit_line(const struct line *v, double *a, double *b)
{
	double n = v->n, xx = v->xx - v->x * v->x / n, xy = v->xy - v->x * v->y / n, yy = v->yy - v->y * v->y / n;
	if (!(n > 12) || !(xx > 1e-5 * n)) return false;
	*b = xy / xx;
	*a = (v->y - *b * v->x) / n;
	double told = v->y * v->y / n + xy * xy / xx, rest = yy - xy * xy / xx;
	return told / 2 > CERTAIN * rest / (n - 2);
}

/* A change of light of the whole picture, a line over luma, is no grain. Where nothing moves it stays: grain that a decoder
 * takes from one template a frame (AV1) has such means of its own. */
static void steady(struct gm_field *f)
{
	struct line v[3] = { { 0 } };
	if (!gm_moves(f)) return;
	for (int i = 0; i < f->bw * f->bh; i++) {
		double x = 0, y[3] = { 0 };
		for (int k = 0; k < GM_BLOCK * GM_BLOCK && f->use[i]; k++) {
			ptrdiff_t p = pixel(f, i, k);
			x += (double)f->luma[p] / (GM_BLOCK * GM_BLOCK);
			for (int c = 0; c < 3; c++) y[c] += (double)f->d[c][p] / (GM_BLOCK * GM_BLOCK);
		}
		for (int c = 0; c < 3 && f->use[i]; c++) {
			struct line *q = &v[c];
			*q = (struct line){ q->n + 1, q->x + x, q->y + y[c], q->xx + x * x, q->xy + x * y[c], q->yy + y[c] * y[c] };
		}
	}
	for (int c = 0; c < 3; c++) {
		double a, b;
		if (!fit_line(&v[c], &a, &b)) continue;
		for (int i = 0; i < f->bw * f->bh; i++)
			for (int k = 0; k < GM_BLOCK * GM_BLOCK; k++) {
				ptrdiff_t p = pixel(f, i, k);
				f->d[c][p] -= (float)(a + b * (double)f->luma[p]);
			}
	}
}

/* --- blocks --- */

static double texture(const struct gm_field *f, int i)
{
	double s = 0;
	for (int y = i / f->bw * GM_BLOCK; y < (i / f->bw + 1) * GM_BLOCK - 1; y++)
		for (int x = i % f->bw * GM_BLOCK; x < (i % f->bw + 1) * GM_BLOCK - 1; x++) {
			const float *p = f->luma + (ptrdiff_t)y * f->w + x;
			double gx = (double)(p[1] - p[0]), gy = (double)(p[f->w] - p[0]);
			s += gx * gx + gy * gy;
		}
	return s / ((GM_BLOCK - 1) * (GM_BLOCK - 1));
}

/* Mean variance that the curve says. */
static void wanted(const struct gm_field *f, int i, const struct gm_curve *c, double want[3])
{
	want[0] = want[1] = want[2] = 0;
	for (int k = 0; k < GM_BLOCK * GM_BLOCK; k += STEP)
		for (int ch = 0; ch < 3; ch++) want[ch] += gm_curve_at(c, ch, (double)f->luma[pixel(f, i, k)]) / SAMPLES;
	for (int ch = 0; ch < 3; ch++) want[ch] = want[ch] > 1e-12 ? want[ch] : 1e-12;
}

/* Means over the channels. */
static void energies(const struct sieve *s, struct item *q)
{
	float d[3][GM_BLOCK * GM_BLOCK], ring[3][GM_RINGS];
	const struct gm_field *f = &s->f[q->field];
	double sum[GM_BANDS + 1] = { 0 }, n[GM_BANDS] = { 0 };
	for (int c = 0; c < 3; c++) {
		double mean = 0, squares = 0;
		for (int k = 0; k < GM_BLOCK * GM_BLOCK; k++) {
			double v = (double)(d[c][k] = f->d[c][pixel(f, q->at, k)]);
			mean += v / (GM_BLOCK * GM_BLOCK);
			squares += v * v / (GM_BLOCK * GM_BLOCK);
		}
		for (int k = 0; k < GM_BLOCK * GM_BLOCK; k++) d[c][k] -= (float)mean;
		sum[ALL] += (squares - mean * mean) / q->want[c];
	}
	if (f->use[q->at]) gm_spec_block(s->spec, (const float *const[]){ d[0], d[1], d[2] }, ring);
	for (int r = 1; r < GM_RINGS && f->use[q->at]; r++) {
		int b = gm_band_of(r);
		double bins = gm_ring_bins(r);
		n[b] += bins;
		for (int c = 0; c < 3; c++) sum[b] += bins * (double)ring[c][r] / q->want[c];
	}
	for (int b = 0; b < GM_BANDS; b++) q->e[b] = n[b] > 0 ? (float)(sum[b] / (3 * n[b])) : 0;
	q->e[ALL] = (float)(sum[ALL] / 3);
}

static void list(struct sieve *s, const struct gm_curve *c)
{
	size_t blocks = (size_t)(s->f->bw * s->f->bh);
	s->v = xalloc((size_t)s->n * blocks + 1, sizeof *s->v);
	for (int j = 0; j < s->n; j++) {
		const struct gm_field *f = &s->f[j];
		memcpy(f->passed, f->use, blocks);
		for (int i = 0; i < f->bw * f->bh; i++) {
			if (!f->sound[i]) continue;
			struct item *q = &s->v[s->count++];
			*q = (struct item){ .field = j, .at = i, .texture = (float)texture(f, i) };
			wanted(f, i, c, q->want);
			energies(s, q);
			for (int k = 0; k < GM_BLOCK * GM_BLOCK; k += STEP) q->luma += f->luma[pixel(f, i, k)] / SAMPLES;
		}
	}
}

/* In units of another curve. */
static void rescale(struct sieve *s, const struct gm_curve *c)
{
	for (size_t i = 0; i < s->count; i++) {
		struct item *q = &s->v[i];
		double want[3], gain = 0;
		wanted(&s->f[q->field], q->at, c, want);
		for (int ch = 0; ch < 3; ch++) gain += q->want[ch] / want[ch] / 3;
		for (int b = 0; b <= ALL; b++) q->e[b] *= (float)gain;
		memcpy(q->want, want, sizeof want);
	}
}

/* --- order --- */

static int by_place(const void *a, const void *b)
{
	const struct item *p = a, *q = b;
	return p->field != q->field ? p->field - q->field : p->at - q->at;
}

static int by_t(const void *a, const void *b)
{
	const struct item *p = a, *q = b;
	return p->t != q->t ? (p->t < q->t ? -1 : 1) : by_place(a, b);
}

static int by_luma(const void *a, const void *b)
{
	const struct item *p = a, *q = b;
	return p->luma != q->luma ? (p->luma < q->luma ? -1 : 1) : by_place(a, b);
}

/* What the blocks around one hold beyond grain, as a share of it; unknown counts as much. far: not those next to it,
 * which stand in one window with it: their grain would choose the window. */
static double around(const struct gm_field *f, const float *all, int i, bool far)
{
	int reach = far ? 2 : 1;
	double sum = 0;
	int n = 0, x = i % f->bw, y = i / f->bw;
	for (int q = 0; q < 25; q++) {
		int h = q % 5 - 2, w = q / 5 - 2, u = x + h, v = y + w, j = v * f->bw + u;
		int apart = h * h > w * w ? h * h : w * w;
		if (apart != reach * reach || u < 0 || v < 0 || u >= f->bw || v >= f->bh || !f->sound[j]) continue;
		double e = (double)all[j] - 1;
		sum += e < 2 ? e : 2;
		n++;
	}
	return n < 4 ? 1 : sum > 0 ? sum / n : 0;
}

/* Grain's own slopes are a floor under the picture's; its chance among so many blocks one under what they tell. */
static void judge(struct sieve *s, bool far)
{
	float *all = xalloc((size_t)(s->f->bw * s->f->bh) + 1, sizeof *all), *sorted = xalloc(s->count + 1, sizeof *sorted);
	qsort(s->v, s->count, sizeof *s->v, by_place);
	for (size_t i = 0; i < s->count; i++) sorted[i] = s->v[i].texture / (float)s->v[i].want[1];
	floats_sort(sorted, s->count);
	double floor = floats_quantile(sorted, s->count, 0.05);
	for (size_t from = 0, to; from < s->count; from = to) {
		const struct gm_field *f = &s->f[s->v[from].field];
		for (to = from; to < s->count && s->v[to].field == s->v[from].field; to++) all[s->v[to].at] = s->v[to].e[ALL];
		for (size_t i = from; i < to; i++) {
			double e = (double)s->v[i].texture / s->v[i].want[1] - floor;
			s->v[i].t = (float)((e > 0.02 * floor ? e : 0.02 * floor) * (0.05 + around(f, all, s->v[i].at, far)));
		}
	}
	qsort(s->v, s->count, sizeof *s->v, by_t);
	free(sorted);
	free(all);
}

/* Within every luma, so that a part of all is that part of each. */
static void level(struct sieve *s)
{
	qsort(s->v, s->count, sizeof *s->v, by_luma);
	for (size_t k = 0; k < STRATA; k++) {
		size_t from = s->count * k / STRATA, to = s->count * (k + 1) / STRATA;
		qsort(s->v + from, to - from, sizeof *s->v, by_t);
		for (size_t i = from; i < to; i++) s->v[i].t = ((float)(i - from) + 0.5f) / (float)(to - from);
	}
	qsort(s->v, s->count, sizeof *s->v, by_t);
}

/* --- how many --- */

struct heap { double n, sum, squares; };

static double mean_of(const struct heap *h) { return h->n > 0 ? h->sum / h->n : 0; }

/* Of the mean. Second differences count as first ones do: by what they share, more blocks that hold picture would pass. */
static double var_of(const struct heap *h)
{
	double m = mean_of(h);
	return h->n > 1 ? gm_shared(false) * (h->squares / h->n - m * m) / h->n : 1e9;
}

static bool rises(const struct heap *h, int first, int k, int b, double faint)
{
	double signs = b == ALL ? SIGNS_ALL : SIGNS_BAND, alike = b == ALL ? 0 : ALIKE;
	for (int q = first; q < k; q++) {
		double gain = var_of(&h[q]) - var_of(&h[k]);
		if (mean_of(&h[k]) - mean_of(&h[q]) > signs * __builtin_sqrt(gain > 0 ? gain : 0) + alike * mean_of(&h[q]) + faint) return true;
	}
	return false;
}

/* Of the blocks that the gate let pass, in their order. */
static size_t part(const struct sieve *s, int b)
{
	static const double step[] = { 0.05, 0.07, 0.1, 0.14, FIRST, 0.25, 0.32, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1 };
	enum { STEPS = sizeof step / sizeof *step, LEAST = 100 };
	size_t i = 0, end[STEPS];
	struct heap h[STEPS + 1] = { { 0 } };
	int best = 0, first = 0;
	for (int k = 0; k < STEPS; k++) {
		for (end[k] = (size_t)(step[k] * (double)s->count); i < end[k]; i++) {
			const struct item *q = &s->v[i];
			double e = (double)q->e[b];
			if (!s->f[q->field].passed[q->at]) continue;
			h[k].n++;
			h[k].sum += e;
			h[k].squares += e * e;
		}
		h[k + 1] = h[k];
		if (step[k] < FIRST || h[k].n < LEAST) { best = first = k; continue; }
		if (rises(h, first, k, b, b == ALL ? 0 : s->faint)) break;
		best = k;
	}
	return end[best];
}

static void mark_bands(struct sieve *s)
{
	size_t blocks = (size_t)(s->f->bw * s->f->bh);
	s->faint = 0;
	for (size_t i = 0; i < s->count; i++) s->faint += FAINT * (double)s->v[i].e[0] / (double)s->count;
	for (int k = 0; k < s->n; k++) memset(s->f[k].band, 0, blocks);
	for (int b = 0; b < GM_BANDS; b++) {
		size_t end = part(s, b);
		for (size_t i = 0; i < end; i++) {
			const struct item *q = &s->v[i];
			s->f[q->field].band[q->at] |= (uint8_t)(s->f[q->field].passed[q->at] << b);
		}
	}
}

static void mark_use(struct sieve *s, bool few)
{
	size_t blocks = (size_t)(s->f->bw * s->f->bh), end = few ? s->count / 4 : part(s, ALL);
	for (int k = 0; k < s->n; k++) memset(s->f[k].use, 0, blocks);
	for (size_t i = 0; i < end; i++) {
		const struct item *q = &s->v[i];
		s->f[q->field].use[q->at] = s->f[q->field].passed[q->at];
	}
}

int gm_sift(struct gm_field *f, int n, const struct gm_spec *spec, struct gm_curve *curve)
{
	struct sieve s = { .f = f, .n = n, .spec = spec };
	int used = 0;
	for (int k = 0; k < n; k++) steady(&f[k]);
	list(&s, curve);
	for (int turn = 0; turn < TURNS; turn++) {
		if (turn) rescale(&s, curve);
		judge(&s, false);
		level(&s);
		mark_use(&s, !turn);
		gm_strength(f, n, GM_KNOTS, turn + 1 < TURNS ? 10 : 0, curve);
	}
	rescale(&s, curve);
	judge(&s, true);
	mark_bands(&s);
	for (int k = 0; k < n; k++)
		for (int i = 0; i < f[k].bw * f[k].bh; i++) used += f[k].use[i];
	free(s.v);
	return used;
}
