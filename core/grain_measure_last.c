/* grain_measure_last - whether differences hold more of a picture that stands still at the same places again and again:
 * what slips of its texture does, grain is elsewhere in the next frames.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "grain_measure_int.h"
#include "mem.h"

/* What a block holds over what the curve says it has, the channels together, less 1. */
static double over(const struct gm_field *f, const struct gm_curve *curve, int at, double quantum)
{
	double have = 0;
	ptrdiff_t from = (ptrdiff_t)(at / f->bw * GM_BLOCK) * f->w + at % f->bw * GM_BLOCK;
	double luma = (double)f->luma[from + GM_BLOCK / 2 * f->w + GM_BLOCK / 2];
	for (int c = 0; c < 3; c++) {
		double s = 0, ss = 0, want = gm_curve_at(curve, c, luma);
		for (int q = 0; q < GM_BLOCK * GM_BLOCK; q++) {
			double d = (double)f->d[c][from + q / GM_BLOCK * f->w + q % GM_BLOCK];
			s += d;
			ss += d * d;
		}
		ss = (ss - s * s / (GM_BLOCK * GM_BLOCK)) / (GM_BLOCK * GM_BLOCK - 1);
		have += want > quantum ? (ss - quantum) / (want - quantum) / 3 : 1.0 / 3;
	}
	return have - 1;
}

/* Means are those of the fields, so that a frame whose grain is stronger tells nothing of places. */
double gm_lasting(const struct gm_field *f, int n, const struct gm_curve *curve, double quantum)
{
	int blocks = n ? f[0].bw * f[0].bh : 0;
	double *u = xalloc((size_t)(n * blocks) + 1, sizeof *u), sum = 0, squares = 0, pairs = 0;
	for (int i = 0; i < n; i++) {
		double mean = 0, used = 0;
		for (int b = 0; b < blocks; b++) {
			u[i * blocks + b] = f[i].use[b] ? over(&f[i], curve, b, quantum) : 0;
			mean += u[i * blocks + b];
			used += f[i].use[b];
		}
		for (int b = 0; b < blocks && used > 0; b++)
			if (f[i].use[b]) u[i * blocks + b] -= mean / used;
	}
	for (int i = 0; i < n; i++)
		for (int j = i + 1; j < n; j++) {
			if (f[j].first - f[i].first < 2 + f[i].second) continue;
			for (int b = 0; b < blocks; b++) {
				if (!f[i].use[b] || !f[j].use[b]) continue;
				double v = u[i * blocks + b] * u[j * blocks + b];
				sum += v;
				squares += v * v;
				pairs++;
			}
			break;
		}
	free(u);
	if (pairs < 64) return 1e30;
	double cov = (sum + 2 * __builtin_sqrt(squares)) / pairs;
	return cov > 0 ? __builtin_sqrt(cov) : 0;
}
