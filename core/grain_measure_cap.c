/* grain_measure_cap - what a still's flat blocks have too much of at their lowest frequencies, by the rings above.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "grain_measure_int.h"
#include "mathx.h"

/* Rings that the lowest are held to: the last of all, the first at most, the last at least; a share of the highest. */
enum { CAP_RINGS = 9, CAP_FROM = 4, CAP_LEAST = 6 };
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

/* Detail is steep: the finer the grain, the higher the rings that are free of it and lead the way. */
void gm_spec_cap(struct gm_spec *s)
{
	double keep[3][GM_RINGS], ln[CAP_RINGS], n[CAP_RINGS], square[CAP_RINGS];
	for (int c = 0; c < 3; c++) {
		int to = cap_rings(s, s->p[c], ln, n, square);
		for (int k = CAP_FROM - 1; k >= 0; k--) {
			double high = to > CAP_LEAST ? led(ln, n, square, CAP_FROM, to, k) : ln[k];
			double near = k + 1 < CAP_FROM ? led(ln, n, square, CAP_FROM - 1, CAP_LEAST, k) : ln[k];
			double off = (high < near ? high : near) - ln[k];
			keep[c][k] = off < 0 ? mx_exp(off) : 1;
		}
	}
	gm_spec_scale(s, CAP_FROM, keep);
}
