/* degrain - see degrain.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "degrain.h"

#include "colour.h"
#include "grain_profile.h"
#include "mathx.h"

/* Rows of the orthonormal change from R, G, B. */
static const double opponent[3][3] = {
	{ 0.57735026918962576, 0.57735026918962576, 0.57735026918962576 },
	{ 0.70710678118654752, 0, -0.70710678118654752 },
	{ 0.40824829046386302, -0.81649658092772603, 0.40824829046386302 }
};

enum { FREQS = 32 };

/* Squared magnitude of the cosine basis u at FREQS frequencies between 0 and 1/2, times the share of each. */
static void basis(double b[8][FREQS])
{
	for (int u = 0; u < 8; u++)
		for (int i = 0; i < FREQS; i++) {
			double f = (i + 0.5) / (2 * FREQS), re = 0, im = 0;
			for (int x = 0; x < 8; x++) {
				double v = mx_cos((2 * x + 1) * u * (MX_PI / 16)) * (u ? 0.5 : 0.35355339059327376);
				re += v * mx_cos(2 * MX_PI * f * x);
				im += v * mx_sin(2 * MX_PI * f * x);
			}
			b[u][i] = (re * re + im * im) / FREQS;
		}
}

/* A mean over p pixels lets through this of frequency f. */
static double passed(double f, int p)
{
	double s = mx_sin(MX_PI * f);
	if (p <= 1 || (s < 1e-9 && s > -1e-9)) return 1;
	double v = mx_sin(MX_PI * f * p) / (p * s);
	return v * v;
}

/* Geometric mean of the spectra of two channels at a frequency of this picture, in which p x p pixels were averaged
 * and one of which is `per` of the profile's. */
static double cross(const struct grain_profile *g, int a, int b, double fx, double fy, int p, double per)
{
	double sum = 0;
	for (int i = 0; i < p; i++)
		for (int j = 0; j < p; j++) {
			double x = (fx + i) / p, y = (fy + j) / p;
			x = x > 0.5 ? 1 - x : x;
			y = y > 0.5 ? 1 - y : y;
			double v = grain_profile_power(g, a, x * per, y * per) * grain_profile_power(g, b, x * per, y * per);
			sum += __builtin_sqrt(v) * passed(x, p) * passed(y, p);
		}
	return sum / ((double)p * p);
}

static int pair(int a, int b) { return a == b ? a : 2 + a + b; }

/* Variance of coefficient (u, v) for the pairs RR, GG, BB, RG, RB, GB at strength 1. */
static void spectra(const struct grain_profile *g, int p, double per, double q[6][64])
{
	double b[8][FREQS];
	basis(b);
	for (int i = 0; i < 6; i++)
		for (int k = 0; k < 64; k++) q[i][k] = 0;
	for (int a = 0; a < 3; a++)
		for (int c = a; c < 3; c++)
			for (int i = 0; i < FREQS * FREQS; i++) {
				int fx = i % FREQS, fy = i / FREQS;
				double d = 0.5 / FREQS, v = cross(g, a, c, (fx + 0.5) * d, (fy + 0.5) * d, p, per);
				for (int k = 0; k < 64; k++) q[pair(a, c)][k] += v * b[k / 8][fx] * b[k % 8][fy];
			}
}

static void bin_of(const struct grain_profile *g, double luma, double strength, double q[6][64],
                   float out[3][64])
{
	double s[3];
	for (int c = 0; c < 3; c++) s[c] = grain_profile_sigma(g, c, luma) * strength;
	for (int o = 0; o < 3; o++)
		for (int k = 0; k < 64; k++) {
			double var = 0;
			for (int a = 0; a < 3; a++)
				for (int b = 0; b < 3; b++) {
					double corr = a == b ? 1 : g->corr[a + b - 1];
					var += opponent[o][a] * opponent[o][b] * corr * s[a] * s[b] * q[a < b ? pair(a, b) : pair(b, a)][k];
				}
			out[o][k] = (float)__builtin_sqrt(var > 1e-14 ? var : 1e-14);
		}
}

int degrain_noise_make(const struct degrain_ask *a, struct degrain_noise *out, struct err *e)
{
	struct grain_profile g;
	double w[3], q[6][64];
	int p = a->scale < 1 ? (int)(1 / a->scale + 0.5) : 1;
	colour_luma(a->space, w);
	for (int o = 0; o < 3; o++) {
		double v = 0;
		for (int c = 0; c < 3; c++) v += w[c] * opponent[o][c];
		out->luma[o] = (float)v;
	}
	out->low = 0;
	out->scale = DEGRAIN_BINS;
	if (!*a->profile) {
		double s = a->sigma * a->strength / p;
		float *sigma = &out->sigma[0][0][0];
		for (size_t i = 0; i < sizeof out->sigma / sizeof *sigma; i++) sigma[i] = (float)(s > 1e-7 ? s : 1e-7);
		return 0;
	}
	if (grain_profile_read(a->profile, &g, e) < 0) return -1;
	double first = g.luma[0], last = g.luma[g.nstrength - 1], per = g.lines > 0 ? (double)a->lines * p / g.lines : 1;
	if (last - first < 1e-3) last = first + 1e-3;
	spectra(&g, p, per, q);
	out->low = (float)first;
	out->scale = (float)(DEGRAIN_BINS / (last - first));
	for (int i = 0; i < DEGRAIN_BINS; i++)
		bin_of(&g, first + (i + 0.5) * (last - first) / DEGRAIN_BINS, a->strength, q, out->sigma[i]);
	return 0;
}

int degrain_tries(int reach, int step, int8_t *dx, int8_t *dy, int room)
{
	int n = 0;
	for (int d2 = 0; d2 <= 2 * reach * reach; d2++)
		for (int i = 0; i < (2 * reach + 1) * (2 * reach + 1) && n < room; i++) {
			int x = i % (2 * reach + 1) - reach, y = i / (2 * reach + 1) - reach;
			if (x * x + y * y != d2 || x % step || y % step) continue;
			dx[n] = (int8_t)x;
			dy[n++] = (int8_t)y;
		}
	return n;
}
