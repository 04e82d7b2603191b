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

void cdl_stats_of(const struct pixels *p, struct cdl_stats *s)
{
	static const double q[STAT_EACH - 2] = { 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98 };
	struct hist *h = xalloc(4, sizeof *h);
	double sum[5] = { 0 }, square[5] = { 0 };
	for (int c = 0; c < 4; c++) hist_init(&h[c], -0.4, 1.2);
	for (size_t i = 0; i < p->n; i++) {
		double v[5] = { p->p[0][i], p->p[1][i], p->p[2][i] }, d = 0;
		v[3] = 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2];
		for (int k = 0; k < 3; k++) d += (v[k] - v[3]) * (v[k] - v[3]);
		v[4] = __builtin_sqrt(d);
		for (int c = 0; c < 4; c++) hist_add(&h[c], v[c]);
		for (int c = 0; c < 5; c++) {
			sum[c] += v[c];
			square[c] += v[c] * v[c];
		}
	}
	for (int c = 0; c < 4; c++) {
		moments(sum[c], square[c], p->n, s->v + c * STAT_EACH);
		for (int j = 0; j < STAT_EACH - 2; j++) s->v[c * STAT_EACH + 2 + j] = hist_quantile(&h[c], q[j]);
	}
	moments(sum[4], square[4], p->n, s->v + 4 * STAT_EACH);
	free(h);
}
