/* grain_measure_left - what is left of grain where a trend was fitted to a block and taken out of it.
 *
 * A bin of the block's spectrum is w'y with w the window times a wave; of grain y = (I - P) x with P the projection onto the
 * trend's polynomials, so it is (w - Pw)'x: that wave's own transform says how much it sees of every frequency. Steep spectra lose
 * more of their lowest bins than white ones do.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_measure_int.h"
#include "mathx.h"
#include "mem.h"

enum { N = GM_BLOCK, GRID = GM_WINDOW, D = GM_DEGREE + 1, FAR = 8 };
/* Less than that of a bin's wave is no trend's; less than that of what a bin sees is nothing. */
#define NONE 0.002
#define FAINT 1e-6

struct room { struct fft fft; double re[N * N], im[N * N], gr[GRID * GRID], gi[GRID * GRID], tmp[2 * GRID * GRID]; };

/* The wave of bin b under the window. */
static void wave(struct room *m, const struct gm_spec *s, int b)
{
	for (int i = 0; i < N * N; i++) {
		double w = s->win[i % N] * s->win[i / N], t = 2 * MX_PI * ((b % N * (i % N) + b / N * (i / N)) % N) / N;
		m->re[i] = w * mx_cos(t);
		m->im[i] = -w * mx_sin(t);
	}
}

/* Takes the trend out of the wave; the share that goes. */
static double less_trend(struct room *m, const struct gm_spec *s)
{
	double lost = 0;
	for (int j = 0; j < D; j++)
		for (int k = 0; j + k < D; k++) {
			double re = 0, im = 0;
			for (int i = 0; i < N * N; i++) {
				double q = s->trend[j][i / N] * s->trend[k][i % N];
				re += q * m->re[i];
				im += q * m->im[i];
			}
			lost += re * re + im * im;
			for (int i = 0; i < N * N; i++) {
				double q = s->trend[j][i / N] * s->trend[k][i % N];
				m->re[i] -= q * re;
				m->im[i] -= q * im;
			}
		}
	return lost;
}

/* Of the wave, by frequency. */
static void sees(struct room *m, struct gm_seen *v)
{
	memset(m->gr, 0, sizeof m->gr);
	memset(m->gi, 0, sizeof m->gi);
	for (int i = 0; i < N * N; i++) {
		m->gr[i / N * GRID + i % N] = m->re[i] / GRID;
		m->gi[i / N * GRID + i % N] = m->im[i] / GRID;
	}
	fft_square(&m->fft, m->gr, m->gi, m->tmp);
	v->at = xalloc(GRID * GRID, sizeof *v->at);
	v->share = xalloc(GRID * GRID, sizeof *v->share);
	for (int i = 0; i < GRID * GRID; i++) {
		double p = m->gr[i] * m->gr[i] + m->gi[i] * m->gi[i];
		if (p < FAINT) continue;
		v->at[v->n] = (uint16_t)i;
		v->share[v->n++] = p;
	}
}

void gm_sights_make(struct gm_spec *s)
{
	struct room *m = xalloc(1, sizeof *m);
	fft_make(&m->fft, GRID);
	s->sight = xalloc(N * N, sizeof *s->sight);
	for (int b = 0; b < N * N; b++) {
		if (s->ring[b] > FAR) continue;
		struct gm_sight *v = &s->sight[s->nsight];
		wave(m, s, b);
		if (less_trend(m, s) < NONE) continue;
		v->bin = b;
		sees(m, &v->left);
		wave(m, s, b);
		sees(m, &v->all);
		s->nsight++;
	}
	free(m);
}

void gm_sights_free(struct gm_spec *s)
{
	for (int i = 0; i < s->nsight; i++) {
		free(s->sight[i].left.at);
		free(s->sight[i].left.share);
		free(s->sight[i].all.at);
		free(s->sight[i].all.share);
	}
	free(s->sight);
}

static double seen(const struct gm_seen *v, const double *power)
{
	double sum = 0;
	for (int i = 0; i < v->n; i++) sum += v->share[i] * (power ? power[v->at[i]] : 1);
	return sum;
}

void gm_spec_left(const struct gm_spec *s, const double *power, double *left)
{
	for (int i = 0; i < N * N; i++) left[i] = 1;
	for (int i = 0; i < s->nsight; i++) {
		const struct gm_sight *v = &s->sight[i];
		double all = seen(&v->all, power), share = all > 0 ? seen(&v->left, power) / all : 1;
		left[v->bin] = share > 0.02 ? share : 0.02;
	}
}
