/* cdlstat - what tells two sets of pixels apart, number by number.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cdlstat.h"

#include <stdlib.h>

#include "mem.h"

static const char *const names[STAT_COUNT] = {
#define EACH(c) c " mean", c " deviation", c " 2 %", c " 10 %", c " 25 %", c " 50 %", c " 75 %", c " 90 %", c " 98 %"
	EACH("red"), EACH("green"), EACH("blue"), EACH("luma"), "chroma mean", "chroma deviation"
};
const char *cdl_stat_name(int i) { return names[i]; }

static void moments(double sum, double square, size_t n, double out[2])
{
	double mean = sum / (double)n, var = square / (double)n - mean * mean;
	out[0] = mean;
	out[1] = var > 0 ? __builtin_sqrt(var) : 0;
}

/* Counts of values from LOW to TOP; those outside fall into the end bins. */
#define LOW (-0.4)
#define TOP 1.2
enum { BINS = 4096, CHUNK = 128 };
struct counts { uint32_t bin[4][BINS]; };

/* All percentiles in one walk. */
static void percentiles(const uint32_t *bin, size_t n, double *out)
{
	static const double q[STAT_EACH - 2] = { 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98 };
	const double width = (TOP - LOW) / BINS;
	uint64_t below = 0;
	int j = 0;
	for (int i = 0; i < BINS && j < STAT_EACH - 2; i++) {
		if (!bin[i]) continue;
		for (; j < STAT_EACH - 2 && (double)(below + bin[i]) >= q[j] * (double)n; j++)
			out[j] = LOW + width * (i + (q[j] * (double)n - (double)below) / bin[i]);
		below += bin[i];
	}
	for (; j < STAT_EACH - 2; j++) out[j] = n ? TOP : 0;
}

/* The bin of each of four values. */
static void bins(v4f v, int32_t at[4])
{
	v4f t = (v - (float)LOW) * (float)(BINS / (TOP - LOW));
	for (int j = 0; j < 4; j++) {
		float x = t[j] > 0 ? t[j] : 0;
		at[j] = (int32_t)(x < BINS - 1 ? x : BINS - 1);
	}
}

/* Red, green, blue, luma and chroma of four pixels. */
static void derive(const float *const p[3], size_t i, v4f v[5])
{
	for (int k = 0; k < 3; k++) v[k] = v4f_load(p[k] + i);
	v[3] = 0.2126f * v[0] + 0.7152f * v[1] + 0.0722f * v[2];
	v4f r = v[0] - v[3], g = v[1] - v[3], b = v[2] - v[3], d = r * r + g * g + b * b;
	for (int j = 0; j < 4; j++) v[4][j] = __builtin_sqrtf(d[j]);
}

struct sums { double sum[5], square[5]; };

/* n pixels, CHUNK at most: four sums of floats each, which are then added up. */
static void count(const float *const p[3], int n, struct counts *h, struct sums *s)
{
	v4f sum[5] = { { 0 } }, square[5] = { { 0 } };
	for (int i = 0; i + 4 <= n; i += 4) {
		v4f v[5];
		int32_t at[4];
		derive(p, (size_t)i, v);
		for (int c = 0; c < 5; c++) {
			sum[c] += v[c];
			square[c] += v[c] * v[c];
		}
		for (int c = 0; c < 4; c++) {
			bins(v[c], at);
			for (int j = 0; j < 4; j++) h->bin[c][at[j]]++;
		}
	}
	for (int c = 0; c < 5; c++) {
		s->sum[c] += ((double)sum[c][0] + sum[c][1]) + ((double)sum[c][2] + sum[c][3]);
		s->square[c] += ((double)square[c][0] + square[c][1]) + ((double)square[c][2] + square[c][3]);
	}
}

/* The last pixels, which make no four. */
static void count_rest(const struct pixels *p, size_t from, struct counts *h, struct sums *s)
{
	for (size_t i = from; i < p->n; i++) {
		float four[3][4];
		v4f v[5];
		int32_t at[4];
		for (int k = 0; k < 3; k++)
			for (int j = 0; j < 4; j++) four[k][j] = p->p[k][i];
		derive((const float *const[3]){ four[0], four[1], four[2] }, 0, v);
		for (int c = 0; c < 5; c++) {
			s->sum[c] += v[c][0];
			s->square[c] += (double)v[c][0] * v[c][0];
			if (c < 4) bins(v[c], at);
			if (c < 4) h->bin[c][at[0]]++;
		}
	}
}

void cdl_stats_of(const struct pixels *p, struct cdl_stats *s)
{
	struct counts *h = xalloc(1, sizeof *h);
	struct sums m = { { 0 }, { 0 } };
	for (size_t i = 0; i < p->n / 4 * 4; i += CHUNK)
		count((const float *const[3]){ p->p[0] + i, p->p[1] + i, p->p[2] + i },
		      p->n - i < CHUNK ? (int)(p->n - i) : CHUNK, h, &m);
	count_rest(p, p->n / 4 * 4, h, &m);
	for (int c = 0; c < 4; c++) {
		moments(m.sum[c], m.square[c], p->n, s->v + c * STAT_EACH);
		percentiles(h->bin[c], p->n, s->v + c * STAT_EACH + 2);
	}
	moments(m.sum[4], m.square[4], p->n, s->v + 4 * STAT_EACH);
	free(h);
}
