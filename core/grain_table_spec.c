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

/* Linear between bins. */
static double between(const double *p, double fx, double fy)
{
	double gx = (fx + 1) * N, gy = (fy + 1) * N;
	int x = (int)gx, y = (int)gy;
	double u = gx - x, v = gy - y;
	return (1 - v) * ((1 - u) * p[y % N * N + x % N] + u * p[y % N * N + (x + 1) % N]) +
	       v * ((1 - u) * p[(y + 1) % N * N + x % N] + u * p[(y + 1) % N * N + (x + 1) % N]);
}

void gt_downsample(double *p)
{
	double q[NN];
	for (int i = 0; i < NN; i++) {
		double sum = 0;
		for (int k = 0; k < 4; k++) {
			/* bin i of the coarse grid stands at half its frequency; linear between the bins there are */
			double fx = gt_freq(i % N) / 2 + (k % 2) * 0.5, fy = gt_freq(i / N) / 2 + (k / 2) * 0.5;
			double hx = mx_cos(MX_PI * fx), hy = mx_cos(MX_PI * fy);
			sum += between(p, fx, fy) * hx * hx * hy * hy;
		}
		q[i] = sum / 4;
	}
	memcpy(p, q, sizeof q);
}

/* Catmull-Rom between samples two pixels apart; at: where they are from the first pixel of each pair. 2 at frequency 0. */
static double widen(double f, double at)
{
	if (at != 0.5) return 1 + 1.125 * mx_cos(2 * MX_PI * f) - 0.125 * mx_cos(6 * MX_PI * f);
	return 1.734375 * mx_cos(MX_PI * f) + 0.453125 * mx_cos(3 * MX_PI * f) - 0.140625 * mx_cos(5 * MX_PI * f) -
	       0.046875 * mx_cos(7 * MX_PI * f);
}

void gt_up_of(const struct grain_picture *to, struct gt_up *up)
{
	enum yuv_siting s = to->siting;
	double ax = s == YS_CENTER || s == YS_TOP || s == YS_BOTTOM ? 0.5 : 0;
	double ay = s == YS_TOP || s == YS_TOPLEFT ? 0 : s == YS_BOTTOM || s == YS_BOTTOMLEFT ? 1 : 0.5;
	for (int i = 0; i < NN; i++) {
		double fx = gt_freq(i % N), fy = gt_freq(i / N), h = widen(fx, ax) * widen(fy, ay);
		double mean = h * mx_cos(MX_PI * fx) * mx_cos(MX_PI * fy) / 4;
		double shown = 2 * MX_PI * (ax * fx + ay * fy), from = MX_PI * (fx + fy) - shown;
		bool sub = to->subsampled;
		up->power[i] = sub ? h * h / 4 : 1;
		up->through[0][i] = sub ? mean * mx_cos(from) : 1;
		up->through[1][i] = sub ? mean * mx_sin(from) : 0;
		up->turn[0][i] = sub ? h * mx_cos(shown) : 1;
		up->turn[1][i] = sub ? -h * mx_sin(shown) : 0;
	}
}

void gt_raise(double *p, const struct gt_up *up)
{
	double q[NN];
	for (int i = 0; i < NN; i++) q[i] = p[i / N * 2 % N * N + i % N * 2 % N] * up->power[i];
	memcpy(p, q, sizeof q);
}

void gt_half(double *p, const struct gt_up *up)
{
	double q[NN];
	for (int i = 0; i < NN; i++) {
		double fx = gt_freq(i % N) / 2, fy = gt_freq(i / N) / 2, h = between(up->power, fx, fy);
		q[i] = between(p, fx, fy) / (h > 2 ? h : 2);
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
