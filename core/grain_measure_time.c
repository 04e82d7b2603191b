/* grain_measure_time - grain from differences of neighbouring frames, in blocks where nothing else differs.
 *
 * Sum and difference of two frames are independent when their noise is alike, so luma from the sum
 * and gradients of it choose and bin nothing by the noise itself.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_measure_int.h"
#include "mathx.h"
#include "measure.h"
#include "mem.h"

int gm_field_new(struct gm_field *f, int w, int h, struct err *e)
{
	size_t n = (size_t)w * (size_t)h;
	*f = (struct gm_field){ .w = w, .h = h, .bw = w / GM_BLOCK, .bh = h / GM_BLOCK };
	size_t blocks = (size_t)f->bw * (size_t)f->bh;
	f->mem = malloc(4 * n * sizeof *f->mem);
	if (!f->mem) return err_set(e, E_MEMORY, "no memory for a difference of %d x %d", w, h);
	for (int c = 0; c < 3; c++) f->d[c] = f->mem + (size_t)c * n;
	f->luma = f->mem + 3 * n;
	f->use = xalloc(4 * blocks + 4, 1);
	f->sound = f->use + blocks + 1;
	f->band = f->sound + blocks + 1;
	f->passed = f->band + blocks + 1;
	f->shift = xalloc(2 * blocks + 2, sizeof *f->shift);
	f->slip = f->shift + blocks + 1;
	f->mv = xalloc(2 * blocks + 1, sizeof *f->mv);
	return 0;
}

void gm_field_free(struct gm_field *f)
{
	free(f->mem);
	free(f->use);
	free(f->shift);
	free(f->mv);
	*f = (struct gm_field){ 0 };
}

static void fill_block(struct gm_field *f, const struct gm_frame *a, const struct gm_frame *b, int bx, int by)
{
	const int16_t *v = &f->mv[2 * (by * f->bw + bx)];
	const float half = 0.70710678f;
	for (int y = by * GM_BLOCK; y < (by + 1) * GM_BLOCK; y++) {
		ptrdiff_t p = (ptrdiff_t)y * f->w + bx * GM_BLOCK, q = p + (ptrdiff_t)v[1] * f->w + v[0];
		for (int x = 0; x < GM_BLOCK; x++) {
			for (int c = 0; c < 3; c++) f->d[c][p + x] = (a->rgb[c][p + x] - b->rgb[c][q + x]) * half;
			f->luma[p + x] = (a->soft[p + x] + b->soft[q + x]) * 0.5f;
		}
	}
}

/* How much of the difference is a change of light, and how much follows the picture's gradient, as where a block
 * slipped against the other; false where there is no difference. */
bool gm_block_shares(struct gm_field *f, int bx, int by)
{
	double n = GM_BLOCK * GM_BLOCK, s = 0, ss = 0, g[2] = { 0, 0 }, dg[2] = { 0, 0 }, gg[3] = { 0, 0, 0 };
	for (int y = by * GM_BLOCK; y < (by + 1) * GM_BLOCK; y++)
		for (int x = bx * GM_BLOCK; x < (bx + 1) * GM_BLOCK; x++) {
			ptrdiff_t p = (ptrdiff_t)y * f->w + x;
			int l = x > bx * GM_BLOCK, r = x + 1 < (bx + 1) * GM_BLOCK;
			int u = y > by * GM_BLOCK, o = y + 1 < (by + 1) * GM_BLOCK;
			double d = (double)f->d[0][p] + (double)f->d[1][p] + (double)f->d[2][p];
			double gx = (double)(f->luma[p + r] - f->luma[p - l]) / (l + r);
			double gy = (double)(f->luma[p + o * f->w] - f->luma[p - u * f->w]) / (u + o);
			s += d; ss += d * d;
			g[0] += gx; g[1] += gy;
			dg[0] += d * gx; dg[1] += d * gy;
			gg[0] += gx * gx; gg[1] += gx * gy; gg[2] += gy * gy;
		}
	double var = ss - s * s / n, mean = s * s / n;
	if (!(var > 0)) return false;
	for (int k = 0; k < 2; k++) dg[k] -= s * g[k] / n;
	gg[0] -= g[0] * g[0] / n;
	gg[1] -= g[0] * g[1] / n;
	gg[2] -= g[1] * g[1] / n;
	double det = gg[0] * gg[2] - gg[1] * gg[1];
	int i = by * f->bw + bx;
	double told = det > 0 ? (dg[0] * dg[0] * gg[2] - 2 * dg[0] * dg[1] * gg[1] + dg[1] * dg[1] * gg[0]) / det : 0;
	f->shift[i] = (float)(mean / ss);
	f->slip[i] = (float)(told / var);
	return true;
}

/* The block at x, y of the later frame lies over up to four of its own. */
bool gm_touches_clipped(const struct gm_frame *b, int x, int y)
{
	for (int k = 0; k < 4; k++) {
		int bx = (x + k % 2 * (GM_BLOCK - 1)) / GM_BLOCK, by = (y + k / 2 * (GM_BLOCK - 1)) / GM_BLOCK;
		if (bx < b->bw && by < b->bh && b->clipped[by * b->bw + bx]) return true;
	}
	return false;
}

bool gm_field_fill(struct gm_field *f, const struct gm_frame *a, const struct gm_frame *b)
{
	long same = 0, all = 0;
	f->first = a->number;
	for (int by = 0; by < f->bh; by++)
		for (int bx = 0; bx < f->bw; bx++) {
			int i = by * f->bw + bx, x = bx * GM_BLOCK + f->mv[2 * i], y = by * GM_BLOCK + f->mv[2 * i + 1];
			f->sound[i] = f->use[i] = 0;
			if (x < 0 || y < 0 || x + GM_BLOCK > f->w || y + GM_BLOCK > f->h) continue;
			fill_block(f, a, b, bx, by);
			for (int k = 0; k < GM_BLOCK * GM_BLOCK; k += 7) {
				ptrdiff_t p = (ptrdiff_t)(by * GM_BLOCK + k / GM_BLOCK) * f->w + bx * GM_BLOCK + k % GM_BLOCK;
				same += f->d[0][p] == 0 && f->d[1][p] == 0 && f->d[2][p] == 0;
				all++;
			}
			f->sound[i] = !a->clipped[i] && !gm_touches_clipped(b, x, y) && gm_block_shares(f, bx, by);
		}
	return same * 10 < all * 9;
}

/* --- strength against luma --- */

double gm_curve_at(const struct gm_curve *c, int ch, double luma)
{
	int k = 0;
	if (luma <= c->luma[0] || c->n == 1) return c->var[ch][0];
	if (luma >= c->luma[c->n - 1]) return c->var[ch][c->n - 1];
	while (luma > c->luma[k + 1]) k++;
	double t = (luma - c->luma[k]) / (c->luma[k + 1] - c->luma[k]);
	return c->var[ch][k] + t * (c->var[ch][k + 1] - c->var[ch][k]);
}

static int fine_of(double luma)
{
	double t = (luma - GM_LOW) / (GM_HIGH - GM_LOW) * GM_FINE;
	return t <= 0 ? 0 : t >= GM_FINE - 1 ? GM_FINE - 1 : (int)t;
}

struct fine { double n, l, s[3], ss[3]; };

static void fine_add(const struct gm_field *f, struct fine *v)
{
	for (int i = 0; i < f->bw * f->bh; i++) {
		if (!f->use[i]) continue;
		for (int k = 0; k < GM_BLOCK * GM_BLOCK; k++) {
			ptrdiff_t p = (ptrdiff_t)(i / f->bw * GM_BLOCK + k / GM_BLOCK) * f->w + i % f->bw * GM_BLOCK + k % GM_BLOCK;
			struct fine *b = &v[fine_of((double)f->luma[p])];
			b->n++;
			b->l += (double)f->luma[p];
			for (int c = 0; c < 3; c++) {
				double d = (double)f->d[c][p];
				b->s[c] += d;
				b->ss[c] += d * d;
			}
		}
	}
}

/* Equal steps between the half percents at the ends; bins with too little join the next. */
static int cut_bins(const double *count, int knots, int *end)
{
	double all = 0, sum = 0;
	int lo = 0, hi = GM_FINE - 1, n = 0;
	for (int i = 0; i < GM_FINE; i++) all += count[i];
	if (!(all > 0)) return 0;
	for (; lo < hi && sum + count[lo] < 0.002 * all; lo++) sum += count[lo];
	for (sum = 0; hi > lo && sum + count[hi] < 0.002 * all; hi--) sum += count[hi];
	double least = all / (6.0 * knots) > 1500 ? all / (6.0 * knots) : 1500;
	sum = 0;
	for (int k = 1, i = lo; k <= knots; k++) {
		int stop = lo + (int)((int64_t)(hi + 1 - lo) * k / knots);
		for (; i < stop; i++) sum += count[i];
		if (sum < least || (n && stop <= end[n - 1])) continue;
		end[n++] = stop;
		sum = 0;
	}
	if (!n) end[n++] = hi + 1;
	end[n - 1] = hi + 1;
	return n;
}

/* A change of light that a luma shares is no grain: means go out bin by bin and pair by pair. */
void gm_strength(const struct gm_field *f, int n, int knots, double area, struct gm_curve *out)
{
	struct gm_sample *sample = xalloc(GM_FINE, sizeof *sample);
	int nsample = 0;
	struct fine *v = xalloc((size_t)n * GM_FINE, sizeof *v);
	double count[GM_FINE] = { 0 };
	int end[GRAIN_STRENGTHS];
	for (int i = 0; i < n; i++) {
		fine_add(&f[i], v + (size_t)i * GM_FINE);
		for (int k = 0; k < GM_FINE; k++) count[k] += v[(size_t)i * GM_FINE + (size_t)k].n;
	}
	memset(out, 0, sizeof *out);
	out->n = cut_bins(count, knots, end);
	for (int b = 0, from = 0; b < out->n; from = end[b++]) {
		double luma = 0, all = 0, var[3] = { 0, 0, 0 }, square[3] = { 0, 0, 0 };
		int stop = b + 1 == out->n ? GM_FINE : end[b];
		if (!b) from = 0;
		for (int i = 0; i < n; i++) {
			struct fine t = { 0 };
			for (int k = from; k < stop; k++) {
				const struct fine *q = &v[(size_t)i * GM_FINE + (size_t)k];
				t.n += q->n;
				t.l += q->l;
				for (int c = 0; c < 3; c++) { t.s[c] += q->s[c]; t.ss[c] += q->ss[c]; }
			}
			all += t.n;
			luma += t.l;
			for (int c = 0; c < 3 && t.n > 0; c++) { var[c] += t.ss[c] - t.s[c] * t.s[c] / t.n; square[c] += t.ss[c]; }
		}
		out->luma[b] = all > 0 ? luma / all : 0;
		out->weight[b] = all;
		for (int c = 0; c < 3; c++) out->var[c][b] = all > 0 ? var[c] / all : 0;
		for (int k = from; k < stop && area > 0; k++) {
			if (!(count[k] > 0)) continue;
			struct gm_sample *q = &sample[nsample++];
			*q = (struct gm_sample){ .dof = count[k] / (1.5 * area) };
			for (int i = 0; i < n; i++) {
				const struct fine *u = &v[(size_t)i * GM_FINE + (size_t)k];
				q->luma += u->l / count[k];
				for (int c = 0; c < 3; c++) q->var[c] += square[c] > 0 ? u->ss[c] / count[k] * var[c] / square[c] : 0;
			}
		}
	}
	if (nsample) gm_fit_curve(sample, nsample, out);
	free(sample);
	free(v);
}

/* --- the gate --- */

struct block { float luma, t; int field, at; double var[3]; };

static double block_var(const struct gm_field *f, int i, int c)
{
	double s = 0, ss = 0, n = GM_BLOCK * GM_BLOCK;
	for (int k = 0; k < GM_BLOCK * GM_BLOCK; k++) {
		ptrdiff_t p = (ptrdiff_t)(i / f->bw * GM_BLOCK + k / GM_BLOCK) * f->w + i % f->bw * GM_BLOCK + k % GM_BLOCK;
		double d = (double)f->d[c][p];
		s += d;
		ss += d * d;
	}
	return (ss - s * s / n) / n;
}

/* Of coarse grain itself a block's mean is a large share; so much that hardly one in a thousand is lost. */
static struct block *list_blocks(struct gm_field *f, int n, double area, size_t *count)
{
	double own = area / (GM_BLOCK * GM_BLOCK), shift = 11 * own > 0.15 ? 11 * own : 0.15, slip = 14 * own > 0.12 ? 14 * own : 0.12;
	struct block *v = NULL;
	size_t cap = 0;
	*count = 0;
	for (int k = 0; k < n; k++)
		for (int i = 0; i < f[k].bw * f[k].bh; i++) {
			f[k].use[i] = f[k].sound[i] && (double)f[k].shift[i] < shift && (double)f[k].slip[i] < slip;
			if (!f[k].use[i]) continue;
			struct block b = { .field = k, .at = i };
			for (int y = 0; y < GM_BLOCK; y++)
				for (int x = 0; x < GM_BLOCK; x++)
					b.luma += f[k].luma[(ptrdiff_t)(i / f[k].bw * GM_BLOCK + y) * f[k].w + i % f[k].bw * GM_BLOCK + x];
			b.luma /= GM_BLOCK * GM_BLOCK;
			for (int c = 0; c < 3; c++) b.var[c] = block_var(&f[k], i, c);
			v = grow(v, *count, &cap, sizeof *v);
			v[(*count)++] = b;
		}
	return v;
}

/* The first guess: of each of 16 lumas the lower part of its blocks. */
static void first_curve(const struct block *v, size_t n, struct gm_curve *out)
{
	enum { BINS = 16 };
	float *s = xalloc(n + 1, sizeof *s);
	double lo = 1e9, hi = -1e9;
	for (size_t i = 0; i < n; i++) {
		if ((double)v[i].luma < lo) lo = (double)v[i].luma;
		if ((double)v[i].luma > hi) hi = (double)v[i].luma;
	}
	memset(out, 0, sizeof *out);
	for (int b = 0; b < BINS; b++) {
		double l = lo + (hi - lo) * b / BINS, r = lo + (hi - lo) * (b + 1) / BINS;
		size_t m = 0;
		for (int c = 0; c < 3; c++) {
			m = 0;
			for (size_t i = 0; i < n; i++)
				if ((double)v[i].luma >= l && ((double)v[i].luma < r || b + 1 == BINS)) s[m++] = (float)v[i].var[c];
			if (m < 6) break;
			floats_sort(s, m);
			out->var[c][out->n] = floats_quantile(s, m, 0.3);
		}
		if (m < 6) continue;
		out->luma[out->n++] = (l + r) / 2;
	}
	if (!out->n && n) {
		for (int c = 0; c < 3; c++) {
			for (size_t i = 0; i < n; i++) s[i] = (float)v[i].var[c];
			floats_sort(s, n);
			out->var[c][0] = floats_quantile(s, n, 0.3);
		}
		out->n = 1;
	}
	free(s);
}

/* log of the block's variance over what the curve says for its pixels. */
static float ratio(const struct gm_field *f, const struct block *b, const struct gm_curve *cv)
{
	double want = 0, have = b->var[0] + b->var[1] + b->var[2];
	for (int k = 0; k < GM_BLOCK * GM_BLOCK; k += 5) {
		ptrdiff_t p = (ptrdiff_t)(b->at / f->bw * GM_BLOCK + k / GM_BLOCK) * f->w + b->at % f->bw * GM_BLOCK + k % GM_BLOCK;
		for (int c = 0; c < 3; c++) want += gm_curve_at(cv, c, (double)f->luma[p]);
	}
	want /= (GM_BLOCK * GM_BLOCK + 4) / 5;
	return want > 0 && have > 0 ? (float)mx_log(have / want) : have > 0 ? 99.f : 0.f;
}

/* Middle and spread of what most agree on: of the shortest interval that holds a third. */
static void agreed(float *t, size_t n, double *mid, double *spread)
{
	size_t third = n / 3 ? n / 3 : 1, best = 0;
	floats_sort(t, n);
	for (size_t i = 0; i + third < n; i++)
		if (t[i + third] - t[i] < t[best + third] - t[best]) best = i;
	size_t top = best + third < n ? best + third : n - 1;
	*mid = ((double)t[best] + (double)t[top]) / 2;
	*spread = ((double)t[top] - (double)t[best]) / 2 / 0.4307;
	if (*spread < 0.02) *spread = 0.02;
	if (*spread > 0.5) *spread = 0.5;
}

/* The blocks whose variance is what the curve says; how many. */
static size_t choose(struct gm_field *f, struct block *v, size_t count, const struct gm_curve *curve, float *t)
{
	double mid, spread;
	size_t used = 0;
	for (size_t i = 0; i < count; i++) t[i] = v[i].t = ratio(&f[v[i].field], &v[i], curve);
	agreed(t, count, &mid, &spread);
	for (size_t i = 0; i < count; i++) {
		double off = (double)v[i].t - mid;
		bool in = off < 3.6 * spread && off > -4.5 * spread;
		f[v[i].field].use[v[i].at] = in;
		used += in;
	}
	return used;
}

int gm_gate(struct gm_field *f, int n, double area, struct gm_curve *curve)
{
	size_t count, used = 0;
	struct block *v = list_blocks(f, n, area, &count);
	float *t = xalloc(count + 1, sizeof *t);
	if (!count) goto out;
	first_curve(v, count, curve);
	for (int pass = 0; pass < 4; pass++) {
		used = choose(f, v, count, curve, t);
		gm_strength(f, n, GM_KNOTS, 0, curve);
		if (!curve->n) goto out;
	}
out:
	free(t);
	free(v);
	return (int)used;
}

/* Adds block i of a against where it went in b; pixels. */
static long chain_block(const struct gm_field *a, const struct gm_field *b, int i, double cov[3], double var[3])
{
	long n = 0;
	for (int q = 0; q < GM_BLOCK * GM_BLOCK; q++) {
		int lx = q % GM_BLOCK, ly = q / GM_BLOCK;
		int x = i % a->bw * GM_BLOCK + lx, y = i / a->bw * GM_BLOCK + ly;
		int sx = x + a->mv[2 * i], sy = y + a->mv[2 * i + 1];
		int bx = sx / GM_BLOCK, by = sy / GM_BLOCK, u = sx % GM_BLOCK, v = sy % GM_BLOCK;
		if (lx < 2 || ly < 2 || lx >= GM_BLOCK - 2 || ly >= GM_BLOCK - 2 || u < 2 || v < 2 || u >= GM_BLOCK - 2 || v >= GM_BLOCK - 2) continue;
		if (bx >= b->bw || by >= b->bh || !b->use[by * b->bw + bx]) continue;
		ptrdiff_t p = (ptrdiff_t)y * a->w + x, s = (ptrdiff_t)sy * a->w + sx;
		n++;
		for (int c = 0; c < 3; c++) {
			double e = gm_fine_at(a->d[c] + p, a->w), w = gm_fine_at(b->d[c] + s, b->w);
			cov[c] += e * w;
			var[c] += (e * e + w * w) / 2;
		}
	}
	return n;
}

/* Lag-1 correlation r of noise that fades as r^k, by that of its differences q: q = -(1 - r) / 2; of second differences
 * q = -(r^2 - 3 r + 4) / (6 - 2 r). */
static double lag_of(double q, bool second)
{
	double b = 3 + 2 * q, d = b * b - 4 * (4 + 6 * q);
	return second ? (b - __builtin_sqrt(d > 0 ? d : 0)) / 2 : 1 + 2 * q;
}

double gm_kept(const struct gm_field *f, double rho) { return f->second ? (1 - rho) * (3 - rho) / 3 : 1 - rho; }

/* Of each channel the median of its blocks, for what is left of the picture is in few. */
bool gm_chain(const struct gm_field *f, int n, double rho[3])
{
	size_t blocks = n ? (size_t)n * (size_t)(f->bw * f->bh) : 0, m = 0;
	float *v[3];
	for (int c = 0; c < 3; c++) v[c] = xalloc(blocks + 1, sizeof *v[c]);
	for (int k = 0; k + 1 < n; k++)
		for (int i = 0; i < f[k].bw * f[k].bh && f[k + 1].first == f[k].first + 1; i++) {
			double cov[3] = { 0, 0, 0 }, var[3] = { 0, 0, 0 };
			if (!f[k].use[i] || chain_block(&f[k], &f[k + 1], i, cov, var) < GM_BLOCK * GM_BLOCK / 4) continue;
			for (int c = 0; c < 3; c++) v[c][m] = (float)(var[c] > 0 ? cov[c] / var[c] : 0);
			m++;
		}
	for (int c = 0; c < 3; c++) {
		floats_sort(v[c], m);
		rho[c] = m ? lag_of(floats_quantile(v[c], m, 0.5), f->second) : 0;
		free(v[c]);
	}
	return m >= 16;
}
