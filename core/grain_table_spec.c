/* grain_table_spec - spectra of the model of AV1's film grain.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "grain_table_int.h"
#include "mathx.h"

enum { N = GT_N, NN = GT_NN };

/* cos of 2 pi k / N for any k. */
static double turn(const double *cs, int k) { return cs[((k % N) + N) % N]; }

static void cosines(double *cs) { for (int i = 0; i < N; i++) cs[i] = mx_cos(2 * MX_PI * i / N); }

double gt_mean(const double *p)
{
	double s[4] = { 0 };
	for (int i = 0; i < NN; i++) s[i % 4] += p[i];
	return (s[0] + s[1] + s[2] + s[3]) / NN;
}

void gt_recursion(const double *a, int lag, double *power, double *real, double *imag)
{
	double cs[N];
	cosines(cs);
	for (int i = 0; i < NN; i++) {
		double re = 1, im = 0;
		int k = 0;
		for (int dy = -lag; dy <= 0; dy++)
			for (int dx = -lag; dx <= lag && (dy || dx < 0); dx++, k++) {
				int t = i % N * dx + i / N * dy;
				re -= a[k] * turn(cs, t);
				im -= a[k] * turn(cs, t - N / 4);
			}
		double den = re * re + im * im;
		power[i] = 1 / (den > 1e-6 ? den : 1e-6);
		if (real) real[i] = re * power[i];
		if (imag) imag[i] = im * power[i];
	}
}

void gt_correlations(const double *d, int span, double *what)
{
	double cs[N], m = gt_mean(d);
	cosines(cs);
	for (int dy = 0; dy <= span; dy++)
		for (int dx = -span; dx <= span; dx++) {
			double sum = 0;
			for (int i = 0; i < NN; i++) sum += d[i] * turn(cs, i % N * dx + i / N * dy);
			what[dy * (2 * span + 1) + dx + span] = m > 0 ? sum / NN / m : dx == 0 && dy == 0;
		}
}

void gt_downsample(double *p)
{
	double q[NN];
	for (int i = 0; i < NN; i++) {
		double sum = 0;
		for (int k = 0; k < 4; k++) {
			/* bin i of the coarse grid stands at half its frequency; linear between the bins there are */
			double fx = gt_freq(i % N) / 2 + (k % 2) * 0.5, fy = gt_freq(i / N) / 2 + (k / 2) * 0.5;
			double hx = mx_cos(MX_PI * fx), hy = mx_cos(MX_PI * fy), gx = (fx + 1) * N, gy = (fy + 1) * N;
			int x = (int)gx, y = (int)gy;
			double u = gx - x, v = gy - y;
			double t = (1 - v) * ((1 - u) * p[y % N * N + x % N] + u * p[y % N * N + (x + 1) % N]) +
			           v * ((1 - u) * p[(y + 1) % N * N + x % N] + u * p[(y + 1) % N * N + (x + 1) % N]);
			sum += t * hx * hx * hy * hy;
		}
		q[i] = sum / 4;
	}
	memcpy(p, q, sizeof q);
}

double gt_widen(double f)
{
	return 1.734375 * mx_cos(MX_PI * f) + 0.453125 * mx_cos(3 * MX_PI * f) - 0.140625 * mx_cos(5 * MX_PI * f) - 0.046875 * mx_cos(7 * MX_PI * f);
}

void gt_half(double *p)
{
	double q[NN];
	for (int i = 0; i < NN; i++) {
		double fx = gt_freq(i % N) / 2, fy = gt_freq(i / N) / 2, h = gt_widen(fx) * gt_widen(fy);
		double gx = (fx + 1) * N, gy = (fy + 1) * N;
		int x = (int)gx, y = (int)gy;
		double u = gx - x, v = gy - y;
		double t = (1 - v) * ((1 - u) * p[y % N * N + x % N] + u * p[y % N * N + (x + 1) % N]) +
		           v * ((1 - u) * p[(y + 1) % N * N + x % N] + u * p[(y + 1) % N * N + (x + 1) % N]);
		q[i] = 4 * t / (h * h > 8 ? h * h : 8);
	}
	memcpy(p, q, sizeof q);
}

void gt_blocks(double *p, bool half)
{
	static const double ends[2][2] = { { 17.0 / 32, 27.0 / 32 }, { 22.0 / 32, 23.0 / 32 } };
	double w[34], turn[N], cs[N], q[NN];
	int n = half ? 17 : 34;
	cosines(cs);
	for (int i = 0; i < n; i++) w[i] = 1;
	w[0] = ends[half][0];
	w[n - 1] = half ? ends[1][1] : ends[0][0];
	if (!half) w[1] = w[n - 2] = ends[0][1];
	for (int k = 0; k < N; k++) {
		turn[k] = 0;
		for (int d = -n + 1; d < n; d++) {
			double sum = 0;
			for (int i = 0; i < n; i++) sum += i + d >= 0 && i + d < n ? w[i] * w[i + d] : 0;
			turn[k] += sum / (half ? 16 : 32) * cs[(k * d % N + N) % N] / N;
		}
	}
	for (int pass = 0; pass < 2; pass++) {
		for (int y = 0; y < N; y++)
			for (int x = 0; x < N; x++) {
				double sum = 0;
				for (int k = 0; k < N; k++) sum += turn[k] * (pass ? p[(y + k) % N * N + x] : p[y * N + (x + k) % N]);
				q[y * N + x] = sum;
			}
		memcpy(p, q, sizeof q);
	}
}
