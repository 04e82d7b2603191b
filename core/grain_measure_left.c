/* grain_measure_left - what is left of grain where a plane was fitted to a block and taken out of it.
 *
 * A bin of the block's spectrum is w'y with w the window times a wave; of grain y = (I - P) x with P the projection onto the
 * plane's level and slopes q, so its power is w'Cw - 2 Re sum(w'q q'Cw) + sum(w'q q'Cr r'w), C being the grain's covariance: steep spectra
 * lose more of their lowest bins than white ones do.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_measure_int.h"
#include "mem.h"

enum { N = GM_BLOCK, GRID = GM_WINDOW, S = 3 };

struct room { struct fft grid, block; double q[S][N * N], cq[S][N * N], re[S][N * N], im[S][N * N], power[GRID * GRID],
	a[GRID * GRID], b[GRID * GRID], tmp[2 * GRID * GRID]; };

/* Level and slopes, orthonormal. */
static void planes(struct room *m)
{
	const double slope = __builtin_sqrt(N * (N * N - 1.0) / 12 * N);
	for (int i = 0; i < N * N; i++) {
		m->q[0][i] = 1.0 / N;
		m->q[1][i] = (i % N - (N - 1) / 2.0) / slope;
		m->q[2][i] = (i / N - (N - 1) / 2.0) / slope;
	}
}

/* The grain's covariance with a block of values: Cv. */
static void covary(struct room *m, const double *v, double *out)
{
	memset(m->a, 0, sizeof m->a);
	memset(m->b, 0, sizeof m->b);
	for (int i = 0; i < N * N; i++) m->a[i / N * GRID + i % N] = v[i];
	fft_square(&m->grid, m->a, m->b, m->tmp);
	for (int i = 0; i < GRID * GRID; i++) {
		m->a[i] *= m->power[i];
		m->b[i] *= -m->power[i];             /* conjugate: back by the same transform */
	}
	fft_square(&m->grid, m->a, m->b, m->tmp);
	for (int i = 0; i < N * N; i++) out[i] = m->a[i / N * GRID + i % N] / (GRID * GRID);
}

/* Bins of a block under the window. */
static void bins(struct room *m, const struct gm_spec *s, const double *v, double *re, double *im)
{
	for (int i = 0; i < N * N; i++) {
		re[i] = v[i] * s->win[i % N] * s->win[i / N];
		im[i] = 0;
	}
	fft_square(&m->block, re, im, m->tmp);
}

/* The bins' power with no plane taken out: the spectrum under the window's kernel, which is that of its own covariance. */
static void whole(struct room *m, const struct gm_spec *s, double *out)
{
	double win[N * N], lag[GRID * GRID];
	for (int i = 0; i < GRID * GRID; i++) {
		m->a[i] = m->power[i];
		m->b[i] = 0;
	}
	fft_square(&m->grid, m->a, m->b, m->tmp);                /* covariance by lag, times GRID^2 */
	memcpy(lag, m->a, sizeof lag);
	for (int i = 0; i < N * N; i++) win[i] = s->win[i % N] * s->win[i / N];
	memset(m->a, 0, sizeof m->a);
	memset(m->b, 0, sizeof m->b);
	for (int i = 0; i < N * N; i++) m->a[i / N * GRID + i % N] = win[i];
	fft_square(&m->grid, m->a, m->b, m->tmp);
	for (int i = 0; i < GRID * GRID; i++) {
		m->a[i] = m->a[i] * m->a[i] + m->b[i] * m->b[i];
		m->b[i] = 0;
	}
	fft_square(&m->grid, m->a, m->b, m->tmp);                /* the window with itself by lag, times GRID^2 */
	for (int i = 0; i < GRID * GRID; i++) {
		m->a[i] *= lag[i] / ((double)GRID * GRID * GRID * GRID);
		m->b[i] = 0;
	}
	fft_square(&m->grid, m->a, m->b, m->tmp);
	for (int i = 0; i < N * N; i++) out[i] = m->a[i / N * (GRID / N) * GRID + i % N * (GRID / N)];
}

void gm_spec_left(const struct gm_spec *s, const double *power, double *left)
{
	struct room *m = xalloc(1, sizeof *m);
	double all[N * N], re[N * N], im[N * N], cov[S][S];
	for (int i = 0; i < GRID * GRID; i++) m->power[i] = power ? power[i] : 1;
	fft_make(&m->grid, GRID);
	fft_make(&m->block, N);
	planes(m);
	whole(m, s, all);
	memcpy(left, all, sizeof all);
	for (int j = 0; j < S; j++) {
		covary(m, m->q[j], m->cq[j]);
		bins(m, s, m->q[j], m->re[j], m->im[j]);
		bins(m, s, m->cq[j], re, im);
		for (int i = 0; i < N * N; i++) left[i] -= 2 * (m->re[j][i] * re[i] + m->im[j][i] * im[i]);
	}
	for (int j = 0; j < S; j++)
		for (int k = 0; k < S; k++) {
			cov[j][k] = 0;
			for (int i = 0; i < N * N; i++) cov[j][k] += m->q[j][i] * m->cq[k][i];
		}
	for (int j = 0; j < S; j++)
		for (int k = 0; k < S; k++)
			for (int i = 0; i < N * N; i++) left[i] += cov[j][k] * (m->re[j][i] * m->re[k][i] + m->im[j][i] * m->im[k][i]);
	for (int i = 0; i < N * N; i++) {
		left[i] /= all[i];
		if (!(left[i] > 0.02)) left[i] = 0.02;
	}
	free(m);
}
