/* grain_measure_low - the lowest frequencies of flat blocks: what a fitted trend took of them is put back, and what they have
 * too much of goes, by the rings above.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_measure_int.h"
#include "mathx.h"
#include "mem.h"

/* Rings that the lowest are held to: the last of all, the first at most, the last at least; a share of the highest. */
enum { CAP_RINGS = 9, CAP_FROM = 4, CAP_LEAST = 6, TURNS = 3 };
#define CAP_FAINT 0.03

/* What rings from..to say of ring k: the logarithm over the mean square of the radius is a line for a Gaussian shape. */
static double led(const double *ln, const double *bins, const double *square, int from, int to, int k)
{
	double n = 0, x = 0, y = 0, xx = 0, xy = 0;
	for (int r = from; r <= to; r++) {
		n += bins[r];
		x += bins[r] * square[r];
		y += bins[r] * ln[r];
		xx += bins[r] * square[r] * square[r];
		xy += bins[r] * square[r] * ln[r];
	}
	double slope = (n * xy - x * y) / (n * xx - x * x);
	if (slope > 0) slope = 0;
	return (y - slope * x) / n + slope * square[k];
}

/* Of one channel: logarithms of the rings' means, bins and mean square radius; the last ring that is not faint. */
static int cap_rings(const struct gm_spec *s, const double *p, double ln[CAP_RINGS], double n[CAP_RINGS], double square[CAP_RINGS])
{
	double top = 0;
	int to = CAP_LEAST;
	for (int k = 0; k < CAP_RINGS; k++) ln[k] = n[k] = square[k] = 0;
	for (int i = 0; i < s->n * s->n; i++) {
		int k = s->ring[i], x = (i % s->n + s->n / 2) % s->n - s->n / 2, y = (i / s->n + s->n / 2) % s->n - s->n / 2;
		if (k >= CAP_RINGS) continue;
		ln[k] += p[i];
		square[k] += x * x + y * y;
		n[k]++;
	}
	for (int k = 0; k < CAP_RINGS; k++) {
		ln[k] /= n[k];
		square[k] /= n[k];
		top = k && ln[k] > top ? ln[k] : top;
	}
	while (to + 1 < CAP_RINGS && ln[to + 1] > CAP_FAINT * top) to++;
	for (int k = 0; k < CAP_RINGS; k++) ln[k] = ln[k] > 1e-9 * top ? mx_log(ln[k]) : mx_log(1e-9 * top + 1e-30);
	return to;
}

/* Detail is steep: the finer the grain, the higher the rings that are free of it and lead the way. lead: by ring below CAP_FROM
 * the logarithm that those lead to. */
static void leads(const double *ln, const double *n, const double *square, int to, double lead[CAP_FROM])
{
	for (int k = CAP_FROM - 1; k >= 0; k--) {
		double high = to > CAP_LEAST ? led(ln, n, square, CAP_FROM, to, k) : ln[k];
		double near = k + 1 < CAP_FROM ? led(ln, n, square, CAP_FROM - 1, CAP_LEAST, k) : ln[k];
		lead[k] = high < near ? high : near;
	}
}

/* The grain's power by frequency, GM_WINDOW squared: the rings' means, the lowest capped; the first, of which trends leave
 * little, as the others lead to. */
static void grain_power(const struct gm_spec *s, const double *p, double *power)
{
	double sum[GM_RINGS] = { 0 }, n[GM_RINGS] = { 0 }, ln[CAP_RINGS], bins[CAP_RINGS], square[CAP_RINGS], lead[CAP_FROM];
	int to = cap_rings(s, p, ln, bins, square);
	leads(ln, bins, square, to, lead);
	for (int i = 0; i < s->n * s->n; i++) {
		sum[s->ring[i]] += p[i];
		n[s->ring[i]]++;
	}
	for (int k = 0; k < GM_RINGS; k++) {
		sum[k] = k < CAP_FROM ? mx_exp(k && ln[k] < lead[k] ? ln[k] : lead[k]) : sum[k] / n[k];
		if (!(sum[k] > 0)) sum[k] = 0;
	}
	for (int i = 0; i < GM_WINDOW * GM_WINDOW; i++) {
		int x = (i % GM_WINDOW + GM_WINDOW / 2) % GM_WINDOW - GM_WINDOW / 2, y = (i / GM_WINDOW + GM_WINDOW / 2) % GM_WINDOW - GM_WINDOW / 2;
		double r = __builtin_sqrt((double)(x * x + y * y)) * GM_BLOCK / GM_WINDOW;
		int k = r < GM_RINGS - 2 ? (int)r : GM_RINGS - 2;
		double t = r - k < 1 ? r - k : 1;
		power[i] = (1 - t) * sum[k] + t * sum[k + 1];
	}
}

/* Puts back what trends took of grain of this spectrum instead of white. */
static void put_back(struct gm_spec *s)
{
	static const int pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
	int nn = s->n * s->n;
	double *power = xalloc(GM_WINDOW * GM_WINDOW, sizeof *power), *fresh = xalloc((size_t)nn, sizeof *fresh), *white = xalloc((size_t)nn, sizeof *white);
	memcpy(white, s->left[0], (size_t)nn * sizeof *white);
	for (int c = 0; c < 3; c++)
		for (int t = 0; t < TURNS; t++) {
			grain_power(s, s->p[c], power);
			gm_spec_left(s, power, fresh);
			for (int i = 0; i < nn; i++) {
				s->p[c][i] *= s->left[c][i] / fresh[i];
				s->left[c][i] = fresh[i];
			}
		}
	for (int c = 0; c < 3; c++)
		for (int i = 0; i < nn; i++) s->x[c][i] *= white[i] / __builtin_sqrt(s->left[pair[c][0]][i] * s->left[pair[c][1]][i]);
	free(power);
	free(fresh);
	free(white);
}

void gm_spec_low(struct gm_spec *s)
{
	double keep[3][GM_RINGS], ln[CAP_RINGS], n[CAP_RINGS], square[CAP_RINGS], lead[CAP_FROM];
	put_back(s);
	for (int c = 0; c < 3; c++) {
		int to = cap_rings(s, s->p[c], ln, n, square);
		leads(ln, n, square, to, lead);
		for (int k = 0; k < CAP_FROM; k++) keep[c][k] = lead[k] < ln[k] ? mx_exp(lead[k] - ln[k]) : 1;
	}
	gm_spec_scale(s, CAP_FROM, keep);
}
