/* measure - statistics of pictures for `solve`: thumbnails, pixel samples, histograms, white estimates.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "mem.h"
#include "px_math.h"
#include "px_vec.h"

/* --- histograms --- */

void hist_init(struct hist *h, double lo, double hi)
{
	memset(h, 0, sizeof *h);
	h->lo = lo;
	h->hi = hi;
}
void hist_add(struct hist *h, double v)
{
	double t = (v - h->lo) / (h->hi - h->lo) * HIST_BINS;
	int i = t >= HIST_BINS ? HIST_BINS - 1 : t > 0 ? (int)t : 0;
	h->bin[i]++;
	h->n++;
}
double hist_quantile(const struct hist *h, double q)
{
	double want = q * (double)h->n, width = (h->hi - h->lo) / HIST_BINS;
	uint64_t below = 0;
	if (!h->n) return 0;
	for (int i = 0; i < HIST_BINS; i++) {
		if (h->bin[i] && (double)(below + h->bin[i]) >= want)
			return h->lo + width * (i + (want - (double)below) / (double)h->bin[i]);
		below += h->bin[i];
	}
	return h->hi;
}
double hist_mean_between(const struct hist *h, double q0, double q1)
{
	double lo = q0 * (double)h->n, hi = q1 * (double)h->n, sum = 0, count = 0;
	double width = (h->hi - h->lo) / HIST_BINS;
	uint64_t below = 0;
	for (int i = 0; i < HIST_BINS; i++) {
		double a = (double)below, b = (double)(below + h->bin[i]);
		double part = (b < hi ? b : hi) - (a > lo ? a : lo);
		if (part > 0) { sum += part * (h->lo + width * (i + 0.5)); count += part; }
		below += h->bin[i];
	}
	return count > 0 ? sum / count : 0;
}
double hist_share_above(const struct hist *h, double v)
{
	double t = (v - h->lo) / (h->hi - h->lo) * HIST_BINS;
	uint64_t n = 0;
	for (int i = t > 0 ? (int)t : 0; i < HIST_BINS; i++) n += h->bin[i];
	return h->n ? (double)n / (double)h->n : 0;
}

/* --- the colour of neutral --- */

/* Sums of v^6, in the one order of frames, rows, pixels. */
struct minkowski { double sum[3]; };
static void minkowski_add(struct minkowski *m, const double v[3])
{
	for (int k = 0; k < 3; k++) {
		double c = v[k] * v[k] * v[k];
		m->sum[k] += c * c;
	}
}
/* log2 of R/G and B/G of the sixth roots; false when a channel is empty. */
static bool minkowski_ratio(const struct minkowski *m, double out[2])
{
	if (!(m->sum[0] > 1e-280 && m->sum[1] > 1e-280 && m->sum[2] > 1e-280)) return false;
	out[0] = (mx_log2(m->sum[0]) - mx_log2(m->sum[1])) / 6;
	out[1] = (mx_log2(m->sum[2]) - mx_log2(m->sum[1])) / 6;
	return true;
}

/* Pixels that tell about colour: no channel at top or above, none at 0, the largest not below low.
 * */
struct band { double low, top; };

static bool counts(const struct thumb *t, size_t i, const struct band *b)
{
	float hi = px_max(t->p[0][i], px_max(t->p[1][i], t->p[2][i]));
	float lo = px_min(t->p[0][i], px_min(t->p[1][i], t->p[2][i]));
	return hi < b->top && lo > 0 && hi > b->low;
}

/* The lower end: half a percent of the level that 99 % of the pixels stay below. */
static double low_end(const struct thumb *t, int nt, double top)
{
	struct hist *h = xalloc(1, sizeof *h);
	hist_init(h, -20, 8);
	for (int f = 0; f < nt; f++)
		for (size_t i = 0; i < (size_t)t[f].w * (size_t)t[f].h; i++) {
			float hi = px_max(t[f].p[0][i], px_max(t[f].p[1][i], t[f].p[2][i]));
			if (hi < top) hist_add(h, px_dlog2(hi));
		}
	double low = 0.005 * mx_exp2(hist_quantile(h, 0.99));
	free(h);
	return low;
}

/* Shades of grey (Finlayson and Trezzi 2004): the Minkowski mean of order 6. */
static bool shades_of_grey(const struct thumb *t, int nt, const struct band *b, double out[2])
{
	struct minkowski m = { { 0 } };
	for (int f = 0; f < nt; f++)
		for (size_t i = 0; i < (size_t)t[f].w * (size_t)t[f].h; i++) {
			double v[3] = { t[f].p[0][i] / b->top, t[f].p[1][i] / b->top, t[f].p[2][i] / b->top };
			if (counts(&t[f], i, b)) minkowski_add(&m, v);
		}
	return minkowski_ratio(&m, out);
}

/* First-order grey edge (van de Weijer, Gevers, Gijsenij 2007), order 6, on the block means. */
static bool grey_edge(const struct thumb *t, int nt, const struct band *b, double out[2])
{
	struct minkowski m = { { 0 } };
	for (int f = 0; f < nt; f++)
		for (int y = 0; y + 1 < t[f].h; y++)
			for (int x = 0; x + 1 < t[f].w; x++) {
				size_t i = (size_t)y * (size_t)t[f].w + (size_t)x, d = i + (size_t)t[f].w;
				if (!counts(&t[f], i, b) || !counts(&t[f], i + 1, b) || !counts(&t[f], d, b)) continue;
				double v[3];
				for (int k = 0; k < 3; k++) {
					double dx = t[f].p[k][i + 1] - t[f].p[k][i], dy = t[f].p[k][d] - t[f].p[k][i];
					v[k] = __builtin_sqrt(dx * dx + dy * dy) / b->top;
				}
				minkowski_add(&m, v);
			}
	return minkowski_ratio(&m, out);
}

/* log2 of R/G and B/G of the pixels that may be neutral; all: of those that count. */
struct votes { double (*at)[2]; size_t n, all; };

static struct votes votes_of(const struct thumb *t, int nt, const struct band *b)
{
	struct votes v = { .n = 0 };
	size_t most = 1;
	for (int f = 0; f < nt; f++) most += (size_t)t[f].w * (size_t)t[f].h;
	v.at = xalloc(most, sizeof *v.at);
	for (int f = 0; f < nt; f++)
		for (size_t i = 0; i < (size_t)t[f].w * (size_t)t[f].h; i++) {
			if (!counts(&t[f], i, b)) continue;
			v.all++;
			if (t[f].p[1][i] < 2 * b->low || t[f].p[1][i] > 0.8 * b->top) continue;
			double lg = px_dlog2(t[f].p[1][i]);
			v.at[v.n][0] = px_dlog2(t[f].p[0][i]) - lg;
			v.at[v.n++][1] = px_dlog2(t[f].p[2][i]) - lg;
		}
	return v;
}

/* Pixels within a quarter of a stop of centre vote with their mean; returns their
 * share. Repeated from the white that the picture came with, this climbs to the nearest
 * crowd of greys (mean shift), which colourful or warmly lit scenes move less than they
 * move the averages over all colours. */
static double near_neutral(const struct votes *v, const double centre[2], double out[2])
{
	int64_t sum[2] = { 0, 0 };
	uint64_t n = 0;
	for (size_t i = 0; i < v->n; i++) {
		double rg = v->at[i][0] - centre[0], bg = v->at[i][1] - centre[1];
		if (rg * rg + bg * bg > 0.25 * 0.25) continue;
		sum[0] += (int64_t)(rg * 0x1p24);
		sum[1] += (int64_t)(bg * 0x1p24);
		n++;
	}
	for (int k = 0; k < 2; k++) out[k] = centre[k] + (n ? (double)sum[k] / (double)n * 0x1p-24 : 0);
	return v->all ? (double)n / (double)v->all : 0;
}

/* The weighted mean of the votes, and their weighted variance in stops. */
static double agree(struct white_guess *g, double mean[2])
{
	double sum = 0, var = 0;
	mean[0] = mean[1] = 0;
	for (int i = 0; i < 4; i++) {
		for (int k = 0; k < 2 && g->weight[i] > 0; k++) mean[k] += g->weight[i] * g->vote[i][k];
		sum += g->weight[i];
		g->estimators += g->weight[i] > 0;
	}
	for (int k = 0; k < 2 && sum > 0; k++) mean[k] /= sum;
	for (int i = 0; i < 4; i++)
		if (g->weight[i] > 0) {
			double rg = g->vote[i][0] - mean[0], bg = g->vote[i][1] - mean[1];
			var += g->weight[i] * (rg * rg + bg * bg) / sum;
		}
	return var;
}

void white_measure(const struct thumb *t, int nt, double top, int space, struct white_guess *g)
{
	white_measure_from(t, nt, top, space, (const double[2]){ 0, 0 }, g);
}

void white_measure_from(const struct thumb *t, int nt, double top, int space, const double start[2],
                        struct white_guess *g)
{
	double mean[2] = { start[0], start[1] };
	struct band b = { low_end(t, nt, top), top };
	memset(g, 0, sizeof *g);
	g->weight[0] = shades_of_grey(t, nt, &b, g->vote[0]) ? 1 : 0;
	g->weight[1] = grey_edge(t, nt, &b, g->vote[1]) ? 1 : 0;
	struct votes v = votes_of(t, nt, &b);
	for (int round = 0; round < 8; round++) {
		g->neutral_share = near_neutral(&v, mean, g->vote[2]);
		memcpy(mean, g->vote[2], sizeof mean);
	}
	free(v.at);
	g->weight[2] = g->neutral_share < 0.01 ? 0 : g->neutral_share > 0.06 ? 3 : g->neutral_share * 50;
	double var = agree(g, mean);
	g->skin_share = g->estimators ? white_skin(t, nt, b.low, top, space, mean, g->vote[3]) : 0;
	if (g->skin_share > 0.02) {
		g->weight[3] = g->skin_share > 0.1 ? 1.5 : g->skin_share * 15;
		g->estimators = 0;
		var = agree(g, mean);
	}
	g->spread = __builtin_sqrt(var);
	g->rgb[0] = mx_exp2(mean[0]);
	g->rgb[1] = 1;
	g->rgb[2] = mx_exp2(mean[1]);
	g->confidence = g->estimators < 2 ? 0.1 * g->estimators : 1 / (1 + var / (0.2 * 0.2));
	/* no crowd of greys: the light may well be meant */
	double most = g->weight[2] >= 1 ? 1 : 0.3 + 0.7 * g->weight[2];
	if (g->confidence > most) g->confidence = most;
}

/* --- sorted samples --- */

static int by_value(const void *a, const void *b)
{
	float x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}
void floats_sort(float *v, size_t n) { qsort(v, n, sizeof *v, by_value); }
double floats_quantile(const float *v, size_t n, double q)
{
	if (!n) return 0;
	double t = q * (double)(n - 1);
	size_t i = t <= 0 ? 0 : t >= (double)(n - 1) ? n - 1 : (size_t)t;
	return i + 1 < n ? v[i] + (t - (double)i) * ((double)v[i + 1] - v[i]) : v[i];
}

/* --- proposals --- */

void solve_attr_put(struct solve_call *s, const char *name, const double *v, int n, int decimals)
{
	if (s->nattr == (int)IN_COUNT(s->attr)) return;
	struct solve_attr *a = &s->attr[s->nattr++];
	double unit = 1;
	size_t len = 0;
	for (int i = 0; i < decimals; i++) unit *= 10;
	a->name = name;
	a->value[0] = 0;
	for (int i = 0; i < n; i++) {
		char text[40];
		double r = mx_round(v[i] * unit) / unit;
		mx_print(r == 0 ? 0 : r, text);
		int w = snprintf(a->value + len, sizeof a->value - len, "%s%s", i ? " " : "", text);
		if (w < 0 || (size_t)w >= sizeof a->value - len) return;
		len += (size_t)w;
	}
}
double solve_limit(struct solve_call *s, const char *name, double v, double lo, double hi)
{
	if (v >= lo && v <= hi) return v;
	size_t len = strlen(s->note);
	snprintf(s->note + len, sizeof s->note - len, ", %s limit", name);
	return v < lo ? lo : hi;
}
