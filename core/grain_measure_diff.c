/* grain_measure_diff - two profiles against each other.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "grain_measure.h"
#include "mathx.h"

enum { SIDE = 128 };

static double db(double p) { return p > 1e-9 ? 10 * mx_log10(p) : -90; }

/* Profiles of other heights are laid over each other by cycles per picture height. */
static void bands(const struct grain_profile *a, const struct grain_profile *b, double zoom, struct grain_diff *d)
{
	double n[GRAIN_OCTAVES] = { 0 }, sum[2][GRAIN_OCTAVES][3] = { { { 0 } } };
	for (int k = 0; k < GRAIN_OCTAVES; k++) {
		d->from[k] = k ? 0.5 / (1 << (GRAIN_OCTAVES - 1 - k)) : 0;
		d->to[k] = k + 1 < GRAIN_OCTAVES ? 0.5 / (1 << (GRAIN_OCTAVES - 2 - k)) : 0.7072;
	}
	for (int y = 0; y <= SIDE / 2; y++)
		for (int x = -SIDE / 2; x < SIDE / 2; x++) {
			double fx = (double)x / SIDE, fy = (double)y / SIDE, r = __builtin_sqrt(fx * fx + fy * fy);
			int k = 0;
			while (k + 1 < GRAIN_OCTAVES && r >= d->to[k]) k++;
			n[k]++;
			for (int c = 0; c < 3; c++) {
				double pa = grain_profile_power(a, c, fx, fy);
				double pb = zoom * zoom * grain_profile_power(b, c, fx * zoom, fy * zoom);
				double off = db(pb) - db(pa);
				sum[0][k][c] += pa;
				sum[1][k][c] += pb;
				if (pa < 1e-3 || r * zoom > 0.7072) continue;
				off = off < 0 ? -off : off;
				if (off > d->worst[c]) d->worst[c] = off;
			}
		}
	for (int k = 0; k < GRAIN_OCTAVES; k++)
		for (int c = 0; c < 3; c++) {
			for (int q = 0; q < 2; q++) d->power[q][k][c] = db(sum[q][k][c] / n[k]);
			d->band[k][c] = d->power[1][k][c] - d->power[0][k][c];
		}
}

/* Levels where both profiles were measured; all of a's when they share none. */
static void levels(const struct grain_profile *a, const struct grain_profile *b, struct grain_diff *d)
{
	double lo = a->luma[0] > b->luma[0] ? a->luma[0] : b->luma[0];
	double ha = a->luma[a->nstrength - 1], hb = b->luma[b->nstrength - 1], hi = ha < hb ? ha : hb;
	if (hi < lo) { lo = a->luma[0]; hi = ha; }
	d->nlevel = hi > lo ? GRAIN_LEVELS : 1;
	for (int i = 0; i < d->nlevel; i++) {
		d->luma[i] = d->nlevel > 1 ? lo + (hi - lo) * i / (d->nlevel - 1) : lo;
		for (int c = 0; c < 3; c++) {
			double sa = grain_profile_sigma(a, c, d->luma[i]), sb = grain_profile_sigma(b, c, d->luma[i]);
			double rel = sa > 0 ? sb / sa - 1 : 0;
			d->sigma[0][i][c] = sa;
			d->sigma[1][i][c] = sb;
			d->strength[c] += rel * rel / d->nlevel;
		}
	}
	for (int c = 0; c < 3; c++) d->strength[c] = __builtin_sqrt(d->strength[c]);
}

void grain_compare(const struct grain_profile *a, const struct grain_profile *b, struct grain_diff *d)
{
	double zoom = a->lines > 0 && b->lines > 0 ? (double)a->lines / b->lines : 1;
	memset(d, 0, sizeof *d);
	bands(a, b, zoom, d);
	levels(a, b, d);
	for (int c = 0; c < 3; c++) {
		d->corr[c] = b->corr[c] - a->corr[c];
		d->rho[c] = b->rho[c] - a->rho[c];
	}
}
