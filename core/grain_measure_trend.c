/* grain_measure_trend - the smooth part of a block, which is the picture's: a polynomial of least squares.
 *
 * Shading is far steeper than grain, so most of it lies in the lowest few polynomials. What goes of grain with them is known
 * (grain_measure_left.c), and so is how much what stays tells.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "grain_measure_int.h"
#include "mathx.h"
#include "mem.h"

enum { N = GM_BLOCK, D = GM_DEGREE + 1 };

void gm_trend_make(double p[D][N])
{
	for (int k = 0; k < D; k++) {
		double sum = 0;
		for (int i = 0; i < N; i++) p[k][i] = k ? p[k - 1][i] * (i - (N - 1) / 2.0) : 1;
		for (int turn = 0; turn < 2; turn++)
			for (int j = 0; j < k; j++) {
				double own = 0;
				for (int i = 0; i < N; i++) own += p[j][i] * p[k][i];
				for (int i = 0; i < N; i++) p[k][i] -= own * p[j][i];
			}
		for (int i = 0; i < N; i++) sum += p[k][i] * p[k][i];
		for (int i = 0; i < N; i++) p[k][i] /= __builtin_sqrt(sum);
	}
}

void gm_trend_out(const double p[D][N], int degree, const float *v, ptrdiff_t stride, float *out)
{
	double row[D][N], c[D][D];
	for (int k = 0; k <= degree; k++)
		for (int y = 0; y < N; y++) {
			row[k][y] = 0;
			for (int x = 0; x < N; x++) row[k][y] += p[k][x] * (double)v[y * stride + x];
		}
	for (int j = 0; j <= degree; j++)
		for (int k = 0; j + k <= degree; k++) {
			c[j][k] = 0;
			for (int y = 0; y < N; y++) c[j][k] += p[j][y] * row[k][y];
		}
	for (int y = 0; y < N; y++) {
		double of[D] = { 0 };
		for (int k = 0; k <= degree; k++)
			for (int j = 0; j + k <= degree; j++) of[k] += p[j][y] * c[j][k];
		for (int x = 0; x < N; x++) {
			double left = (double)v[y * stride + x];
			for (int k = 0; k <= degree; k++) left -= of[k] * p[k][x];
			out[y * N + x] = (float)left;
		}
	}
}

/* A ring's energy is x'Ax, with A the bins' waves under the window less what the trend has of them: its degrees of freedom are the
 * square of A's trace over the trace of its square. */
void gm_trend_dof(const double p[D][N], const double *win, double dof[GM_RINGS])
{
	double *re = xalloc((size_t)(GM_TRENDS + 1) * 2 * N * N, sizeof *re), *im = re + (GM_TRENDS + 1) * N * N, tmp[2 * N * N];
	struct fft fft;
	int at = 0;
	fft_make(&fft, N);
	for (int j = 0; j < D; j++)
		for (int k = 0; j + k < D; k++, at++) {
			for (int i = 0; i < N * N; i++) {
				re[at * N * N + i] = p[j][i / N] * p[k][i % N] * win[i / N] * win[i % N];
				im[at * N * N + i] = 0;
			}
			fft_square(&fft, re + at * N * N, im + at * N * N, tmp);
		}
	double *wr = re + at * N * N, *wi = im + at * N * N;         /* of the window's square: what bins share */
	for (int i = 0; i < N * N; i++) {
		wr[i] = win[i / N] * win[i / N] * win[i % N] * win[i % N];
		wi[i] = 0;
	}
	fft_square(&fft, wr, wi, tmp);
	for (int r = 0; r < GM_RINGS; r++) {
		double trace = 0, square = 0;
		for (int a = 0; a < N * N; a++) {
			if (gm_ring_at(N, a) != r) continue;
			for (int b = 0; b < N * N; b++) {
				if (gm_ring_at(N, b) != r) continue;
				int d = (a / N - b / N + N) % N * N + (a % N - b % N + N) % N;
				double x = wr[d], y = wi[d];
				for (int q = 0; q < GM_TRENDS; q++) {
					double ar = re[q * N * N + a], ai = im[q * N * N + a], br = re[q * N * N + b], bi = im[q * N * N + b];
					x -= ar * br + ai * bi;
					y -= ai * br - ar * bi;
				}
				if (a == b) trace += x;
				square += x * x + y * y;
			}
		}
		dof[r] = square > 0 ? trace * trace / square : 1;
	}
	free(re);
}
