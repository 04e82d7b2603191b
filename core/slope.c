/* slope - how sharp pictures are: the radial power spectrum of luma, its slope,
 * and the sharpening that made it flat.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "slope.h"

#include <stdlib.h>
#include <string.h>

#include "fft.h"
#include "mathx.h"
#include "mem.h"

enum { N = SLOPE_SIDE, LOW_TO = 10, HIGH_TO = 51 };   /* bins of 0.08 and 0.4 cycles per pixel */

struct room { struct fft t; double hann[N], fft[2 * N * N]; };

/* Adds the power of one block, its mean taken away, by distance from frequency 0. */
static void add_block(struct slope *s, struct room *t, double *re, double *im)
{
	double mean = 0, sum[SLOPE_BINS] = { 0 };
	int count[SLOPE_BINS] = { 0 };
	for (int i = 0; i < N * N; i++) mean += re[i];
	mean /= N * N;
	for (int y = 0; y < N; y++)
		for (int x = 0; x < N; x++)
			re[y * N + x] = (re[y * N + x] - mean) * t->hann[x] * t->hann[y], im[y * N + x] = 0;
	fft_square(&t->t, re, im, t->fft);
	for (int y = 0; y < N; y++)
		for (int x = 0; x < N; x++) {
			int fx = x < N / 2 ? x : x - N, fy = y < N / 2 ? y : y - N;
			int bin = (int)(__builtin_sqrt((double)(fx * fx + fy * fy)) + 0.5);
			if (bin >= SLOPE_BINS) continue;
			sum[bin] += re[y * N + x] * re[y * N + x] + im[y * N + x] * im[y * N + x];
			count[bin]++;
		}
	for (int i = 0; i < SLOPE_BINS; i++) s->power[i] += sum[i] / count[i];
	s->blocks++;
}

int slope_add(struct slope *s, const struct image *im, const double w[3], int budget, struct err *e)
{
	static const char *const names[3] = { "R", "G", "B" };
	struct rect r = rect_and(im->view.r, im->fmt.data);
	int ch[3], nx = rect_w(r) / N, ny = rect_h(r) / N, all = nx * ny;
	for (int k = 0; k < 3; k++)
		if ((ch[k] = format_channel(&im->fmt, names[k])) < 0)
			return err_set(e, E_SCENE, "the measured picture has no channel %s", names[k]);
	if (all < 1) return 0;
	struct room *t = xalloc(1, sizeof *t);
	double *re = xalloc(2 * (size_t)(N * N), sizeof *re);
	fft_make(&t->t, N);
	for (int i = 0; i < N; i++) t->hann[i] = 0.5 - 0.5 * mx_cos(2 * MX_PI * (i + 0.5) / N);
	int take = all < budget ? all : budget;
	for (int i = 0; i < take; i++) {
		int b = (int)(((int64_t)(2 * i + 1) * all) / (2 * take));
		int x0 = r.x0 + (rect_w(r) - nx * N) / 2 + b % nx * N, y0 = r.y0 + (rect_h(r) - ny * N) / 2 + b / nx * N;
		bool finite = true;
		for (int y = 0; y < N; y++)
			for (int x = 0; x < N; x++) {
				double v = 0;
				for (int k = 0; k < 3; k++) v += w[k] * *view_at(&im->view, ch[k], x0 + x, y0 + y);
				re[y * N + x] = v;
				finite = finite && v - v == 0;
			}
		if (finite) add_block(s, t, re, re + N * N);
	}
	free(re);
	free(t);
	return 0;
}

static double level(const struct slope *s, int i)
{
	return mx_log2(s->power[i] > 1e-30 ? s->power[i] : 1e-30);
}

/* Least squares of log power against log frequency over bins [a, b]. */
static double line_of(const double *y, int a, int b, double *at_zero)
{
	double sx = 0, sy = 0, sxx = 0, sxy = 0, n = b - a + 1;
	for (int i = a; i <= b; i++) {
		double x = mx_log2((double)i / N);
		sx += x, sy += y[i], sxx += x * x, sxy += x * y[i];
	}
	double p = (n * sxy - sx * sy) / (n * sxx - sx * sx);
	if (at_zero) *at_zero = (sy - p * sx) / n;
	return p;
}

double slope_of(const struct slope *s, slope_gain *gain, const void *user)
{
	double y[SLOPE_BINS];
	for (int i = 0; i < SLOPE_BINS; i++)
		y[i] = level(s, i) + (gain ? 2 * mx_log2(gain(user, (double)i / N)) : 0);
	return line_of(y, LOW_TO, HIGH_TO, NULL);
}

/* How far log power after the filter bends away from its own line, root mean square. */
static double bend_of(const struct slope *s, const struct slope_fit *k)
{
	double y[SLOPE_BINS], zero, sum = 0;
	for (int i = 0; i < SLOPE_BINS; i++) y[i] = level(s, i) + 2 * mx_log2(slope_unsharpen(k, (double)i / N));
	double p = line_of(y, LOW_TO, HIGH_TO, &zero);
	for (int i = LOW_TO; i <= HIGH_TO; i++) {
		double d = y[i] - zero - p * mx_log2((double)i / N);
		sum += d * d;
	}
	return 3.0103 * __builtin_sqrt(sum / (HIGH_TO - LOW_TO + 1));
}

double slope_unsharpen(const void *user, double f)
{
	const struct slope_fit *k = user;
	return 1 / (1 + k->amount * (1 - mx_exp(-2 * MX_PI * MX_PI * k->radius * k->radius * f * f)));
}

struct slope_fit slope_excess(const struct slope *s, double target, double most)
{
	struct slope_fit best = { .radius = 1, .amount = 0 };
	best.bend_db = bend_of(s, &best);
	if (slope_of(s, NULL, NULL) <= target) return best;
	best.bend_db = 1e300;
	for (int r = 0; r <= 15; r++) {
		struct slope_fit k = { .radius = 0.5 + 0.1 * r };
		double low = 0, high = most;
		for (int i = 0; i < 24; i++) {
			k.amount = (low + high) / 2;
			if (slope_of(s, slope_unsharpen, &k) > target) low = k.amount;
			else high = k.amount;
		}
		k.bend_db = bend_of(s, &k);
		double off = slope_of(s, slope_unsharpen, &k) - target;
		if (k.bend_db + 10 * (off > 0.02 ? off : 0) < best.bend_db + 10 * best.short_of)
			best = k, best.short_of = off > 0.02 ? off : 0;
	}
	return best;
}
