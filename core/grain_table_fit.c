/* grain_table_fit - AV1's grain parameters brought nearer to what red, green and blue are to be; see
 * grain_table_int.h.
 *
 * The planes' parameters together make the spectra of the channels, their correlations and strengths, and whole
 * coefficients bear little rounding: each is changed by a step while the sum of squared errors falls, steps are halved
 * when none of them helps any more. The recursions must stay stable.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_table_int.h"
#include "mathx.h"
#include "mem.h"

enum { N = GT_N, NN = GT_NN, ROWS = N / 2 + 1, BINS = ROWS * N, RINGS = 46, SWEEPS = 24, RUN = 96 };
/* Weights beside a ring's squared decibels: of a cross density's error, in shares of the two channels' own; of all of a
 * channel's, in decibels; of all of a cross density. */
#define CROSS 4.0
#define STRENGTH 8.0
#define TOGETHER 60.0
/* Of the strongest ring's power: rings as faint as that weigh half. */
#define FAINT 0.02

struct fit {
	bool sub;
	double m[3][3], cs[N];
	int dx[TABLE_TAPS], dy[TABLE_TAPS];
	int ring[BINS], half[BINS];
	double times[BINS], up[BINS], through[BINS];     /* of a bin: how many, what bringing chroma up does to powers, to luma's share */
	double re[3][NN], im[3][NN], power[3][NN], small[NN], share[3], dev[3];
	double want[3][RINGS], cross[3][RINGS], blocks[3][RINGS], weight[3][RINGS], n[RINGS];
	double have[3][RINGS], both[3][RINGS];
};

static const int pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };

static void begin(struct fit *f)
{
	int k = 0;
	for (int dy = -TABLE_LAG; dy <= 0; dy++)
		for (int dx = -TABLE_LAG; dx <= TABLE_LAG && (dy || dx < 0); dx++, k++) { f->dx[k] = dx; f->dy[k] = dy; }
	for (int i = 0; i < N; i++) f->cs[i] = mx_cos(2 * MX_PI * i / N);
	for (int i = 0; i < BINS; i++) {
		double fx = gt_freq(i % N), fy = gt_freq(i / N), h = gt_widen(fx) * gt_widen(fy);
		f->times[i] = i / N % (N / 2) ? 2 : 1;
		f->ring[i] = (int)(__builtin_sqrt(fx * fx + fy * fy) * N + 0.5);
		f->half[i] = f->sub ? i / N * 2 % N * N + i % N * 2 % N : i;
		f->up[i] = f->sub ? h * h / 4 : 1;
		f->through[i] = f->sub ? h * mx_cos(MX_PI * fx) * mx_cos(MX_PI * fy) / 4 : 1;
		f->n[f->ring[i]] += f->times[i];
	}
}

/* What a step of coefficient k adds to the response of a plane. */
static void move(struct fit *f, int plane, int k, double step)
{
	for (int i = 0; i < NN; i++) {
		int t = (i % N * f->dx[k] + i / N * f->dy[k] + 8 * N) % N;
		double re = f->re[plane][i] -= step * f->cs[t], im = f->im[plane][i] -= step * f->cs[(t + 3 * N / 4) % N];
		double den = re * re + im * im;
		f->power[plane][i] = 1 / (den > 1e-6 ? den : 1e-6);
	}
	if (plane) return;
	memcpy(f->small, f->power[0], sizeof f->small);
	if (f->sub) gt_downsample(f->small);
}

/* Densities of the channels and between them, by rings. */
static void densities(struct fit *f)
{
	double var[3] = { gt_mean(f->power[0]), 0, 0 }, s[3], re[3] = { 0 }, im[3] = { 0 };
	for (int k = 1; k < 3; k++)
		for (int i = 0; i < NN; i++) var[k] += f->power[k][i] * (1 + f->share[k] * f->share[k] * f->small[i]) / NN;
	for (int k = 0; k < 3; k++) s[k] = f->dev[k] / __builtin_sqrt(var[k]);
	memset(f->have, 0, sizeof f->have);
	memset(f->both, 0, sizeof f->both);
	for (int i = 0; i < BINS; i++) {
		int at = f->half[i], r = f->ring[i];
		double d[3][3] = { { 0 } }, y = f->power[0][i];
		d[0][0] = s[0] * s[0] * y;
		for (int k = 1; k < 3; k++) {
			double p = f->power[k][at];
			re[k] = f->share[k] * f->re[k][at] * p;
			im[k] = f->share[k] * f->im[k][at] * p;
			d[k][k] = s[k] * s[k] * p * (1 + f->share[k] * f->share[k] * f->small[at]) * f->up[i];
			d[0][k] = d[k][0] = s[0] * s[k] * re[k] * y * f->through[i];
		}
		d[1][2] = d[2][1] = s[1] * s[2] * (re[1] * re[2] + im[1] * im[2]) * f->small[at] * f->up[i];
		double t[3][3];
		for (int c = 0; c < 3; c++)
			for (int k = 0; k < 3; k++) t[c][k] = f->m[c][0] * d[0][k] + f->m[c][1] * d[1][k] + f->m[c][2] * d[2][k];
		for (int c = 0; c < 3; c++) {
			const double *a = f->m[pair[c][0]], *b = t[pair[c][1]];
			f->have[c][r] += f->times[i] * (f->m[c][0] * t[c][0] + f->m[c][1] * t[c][1] + f->m[c][2] * t[c][2]);
			f->both[c][r] += f->times[i] * (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
		}
	}
}

static double decibels(double have, double want) { return 10 * mx_log10((have > 1e-30 ? have : 1e-30) / want); }

static double error(struct fit *f)
{
	double sum = 0;
	densities(f);
	for (int c = 0; c < 3; c++) {
		double have = 0, want = 0, off = 0, all = 0;
		for (int r = 0; r < RINGS; r++) {
			double own = __builtin_sqrt(f->want[pair[c][0]][r] * f->want[pair[c][1]][r]), e, x;
			have += f->have[c][r] * f->blocks[c][r];
			want += f->want[c][r];
			if (!(f->weight[c][r] > 0)) continue;
			e = decibels(f->have[c][r] * f->blocks[c][r], f->want[c][r]);
			sum += f->weight[c][r] * e * e;
			/* chroma of half the size has nothing to say of the upper rings */
			if (f->sub && r > N / 4) continue;
			x = f->both[c][r] * f->blocks[c][r] - f->cross[c][r];
			off += x;
			all += own;
			sum += f->weight[c][r] * CROSS * (x / own) * (x / own);
		}
		if (!(want > 0) || !(all > 0)) continue;
		sum += STRENGTH * decibels(have, want) * decibels(have, want) + TOGETHER * (off / all) * (off / all);
	}
	return sum;
}

/* An impulse dies away, and its energy is what the spectrum says. */
static bool stable(const struct fit *f, int plane, const int *a, int shift)
{
	double *g = xalloc(RUN * RUN, sizeof *g), sum = 0, all = gt_mean(f->power[plane]);
	for (int y = 0; y < RUN; y++)
		for (int x = 0; x < RUN; x++) {
			double v = y == 0 && x == RUN / 2;
			for (int k = 0; k < TABLE_TAPS; k++) {
				int u = x + f->dx[k], w = y + f->dy[k];
				if (w >= 0 && u >= 0 && u < RUN) v += a[k] * g[w * RUN + u] / (1 << shift);
			}
			g[y * RUN + x] = v < 1e9 && v > -1e9 ? v : 1e9;
			sum += g[y * RUN + x] * g[y * RUN + x];
		}
	free(g);
	return sum < 1.06 * all && sum > 0.94 * all;
}

/* How blocks of their own change the rings of what the planes make. */
static void block_shares(struct fit *f, const struct grain_params *g)
{
	struct gt_planes *o = xalloc(1, sizeof *o);
	double sum[3][RINGS] = { { 0 } };
	gt_planes_of(g, f->sub, o);
	for (int c = 0; c < 3; c++)
		for (int i = 0; i < BINS; i++) sum[c][f->ring[i]] += f->times[i] * gt_both(o, i, f->dev, f->m[c], f->m[c]);
	densities(f);
	for (int c = 0; c < 3; c++)
		for (int r = 0; r < RINGS; r++) f->blocks[c][r] = f->have[c][r] > 0 && sum[c][r] > 0 ? sum[c][r] / f->have[c][r] : 1;
	free(o);
}

/* One sweep over a plane's coefficients and its share of luma; the error. */
static double sweep_plane(struct fit *f, int plane, int *a, int shift, int step, double best)
{
	double unit = 1.0 / (1 << shift);
	for (int k = 0; k < TABLE_TAPS + (plane > 0); k++)
		for (int sign = -1; sign <= 1; sign += 2) {
			int by = sign * step, to = a[k] + by;
			if (to > 127 || to < -128) continue;
			if (k < TABLE_TAPS) move(f, plane, k, by * unit);
			else f->share[plane] += by * unit;
			double e = error(f);
			if (e < best) { best = e; a[k] = to; }
			else if (k < TABLE_TAPS) move(f, plane, k, -by * unit);
			else f->share[plane] -= by * unit;
		}
	return best;
}

/* The same over the planes' strengths. */
static double sweep_strengths(struct fit *f, int step, double best)
{
	for (int k = 0; k < 3; k++)
		for (int sign = -1; sign <= 1; sign += 2) {
			double was = f->dev[k];
			f->dev[k] *= 1 + 0.01 * sign * step;
			double e = error(f);
			if (e < best) best = e;
			else f->dev[k] = was;
		}
	return best;
}

static void rings(struct fit *f, const double *const own[3], const double *const cross[3])
{
	for (int i = 0; i < BINS; i++)
		for (int c = 0; c < 3; c++) {
			f->want[c][f->ring[i]] += f->times[i] * own[c][i];
			f->cross[c][f->ring[i]] += f->times[i] * cross[c][i];
		}
	for (int c = 0; c < 3; c++) {
		double top = 0;
		for (int r = 0; r < RINGS; r++) top = f->want[c][r] > top * f->n[r] ? f->want[c][r] / f->n[r] : top;
		for (int r = 0; r < RINGS; r++) {
			double p = f->want[c][r] / f->n[r] / top;
			f->blocks[c][r] = 1;
			if (!(p > 1e-3)) continue;
			f->weight[c][r] = (r < 4 ? 0.5 : r < 8 ? 0.25 : r < 16 ? 0.125 : 0.0625) * p / (p + FAINT);
		}
	}
}

double gt_fit(struct grain_params *g, int matrix, bool subsampled, const double *const own[3],
              const double *const cross[3], double dev[3])
{
	struct fit *f = xalloc(1, sizeof *f);
	int *ar[3] = { g->ay, g->acb, g->acr }, kept[TABLE_TAPS + 1], step = 4;
	double unit = 1.0 / (1 << g->ar_shift), best = 0;
	f->sub = subsampled;
	gt_mix(matrix, f->m);
	begin(f);
	rings(f, own, cross);
	for (int p = 0; p < 3; p++) {
		for (int i = 0; i < NN; i++) f->re[p][i] = 1;
		for (int k = 0; k < TABLE_TAPS; k++) move(f, p, k, ar[p][k] * unit);
		f->share[p] = p ? ar[p][TABLE_TAPS] * unit : 0;
		f->dev[p] = dev[p];
	}
	for (int turn = 0; turn < SWEEPS && step; turn++) {
		block_shares(f, g);
		double was = best = error(f);
		best = sweep_strengths(f, step, best);
		for (int p = 0; p < 3; p++) {
			memcpy(kept, ar[p], sizeof kept - (p ? 0 : sizeof *kept));
			best = sweep_plane(f, p, ar[p], g->ar_shift, step, best);
			if (stable(f, p, ar[p], g->ar_shift)) continue;
			for (int k = 0; k < TABLE_TAPS; k++) {
				move(f, p, k, (kept[k] - ar[p][k]) * unit);
				ar[p][k] = kept[k];
			}
			best = error(f);
		}
		if (best > 0.98 * was) step /= 2;
	}
	memcpy(dev, f->dev, sizeof f->dev);
	free(f);
	return best;
}
