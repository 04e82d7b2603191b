/* degrain - see degrain.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "degrain.h"

#include <stdlib.h>

#include "colour.h"
#include "grain_profile.h"
#include "mathx.h"
#include "mem.h"

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

/* Geometric mean of the spectra of two channels at a frequency of this picture, in which p x p
 * pixels were averaged and one of which is `per` of the profile's. */
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

/* Powers for the pairs RR, GG, BB, RG, RB, GB at strength 1, and weights of theirs that make a variance: per
 * frequency across and down. */
enum { PAIRS = 6, PARTS = 64 };
struct spectra { double power[PAIRS][FREQS * FREQS]; };

static void spectra(const struct grain_profile *g, int p, double per, struct spectra *s)
{
	const double d = 0.5 / FREQS;
	for (int a = 0; a < 3; a++)
		for (int c = a; c < 3; c++)
			for (int i = 0; i < FREQS * FREQS; i++)
				s->power[pair(a, c)][i] = cross(g, a, c, (i % FREQS + 0.5) * d, (i / FREQS + 0.5) * d, p, per);
}

/* q: the variance of what across[] and down[] let through, for each pair. */
static void variance(const struct spectra *s, const double *across, const double *down, double q[PAIRS])
{
	for (int i = 0; i < PAIRS; i++) {
		q[i] = 0;
		for (int k = 0; k < FREQS * FREQS; k++) q[i] += s->power[i][k] * across[k % FREQS] * down[k / FREQS];
	}
}

/* The variance of luma and colour differences where the pairs' is q and the channels' strengths are s. */
static void opposed(const struct grain_profile *g, const double s[3], const double q[PAIRS], double out[3])
{
	for (int o = 0; o < 3; o++) {
		double var = 0;
		for (int a = 0; a < 3; a++)
			for (int b = 0; b < 3; b++) {
				double corr = a == b ? 1 : g->corr[a + b - 1];
				var += opponent[o][a] * opponent[o][b] * corr * s[a] * s[b] * q[a < b ? pair(a, b) : pair(b, a)];
			}
		out[o] = var > 1e-14 ? var : 1e-14;
	}
}

static int averaged(const struct degrain_ask *a) { return a->scale < 1 ? (int)(1 / a->scale + 0.5) : 1; }

static double white(const struct degrain_ask *a)
{
	double s = a->sigma * a->strength / averaged(a);
	return s > 1e-7 ? s : 1e-7;
}

/* The profile, its spectra on this picture and the range of its bins. */
static int load(const struct degrain_ask *a, struct grain_profile *g, struct spectra *s,
                double *first, double *step, struct err *e)
{
	int p = averaged(a);
	if (grain_profile_read(a->profile, g, e) < 0) return -1;
	spectra(g, p, g->lines > 0 ? (double)a->lines * p / g->lines : 1, s);
	*first = g->luma[0];
	*step = (g->luma[g->nstrength - 1] - *first < 1e-3 ? 1e-3
	         : g->luma[g->nstrength - 1] - *first) / DEGRAIN_BINS;
	return 0;
}

static void strengths(const struct grain_profile *g, double luma, double strength, double s[3])
{
	for (int c = 0; c < 3; c++) s[c] = grain_profile_sigma(g, c, luma) * strength;
}

static void luma_of(int space, float luma[3])
{
	double w[3];
	colour_luma(space, w);
	for (int o = 0; o < 3; o++) {
		double v = 0;
		for (int c = 0; c < 3; c++) v += w[c] * opponent[o][c];
		luma[o] = (float)v;
	}
}

int degrain_noise_make(const struct degrain_ask *a, struct degrain_noise *out, struct err *e)
{
	struct grain_profile g;
	struct spectra *p;
	double b[8][FREQS], q[PARTS][PAIRS], s[3], var[3], first, step;
	luma_of(a->space, out->luma);
	out->low = 0;
	out->scale = DEGRAIN_BINS;
	if (!*a->profile) {
		float *sigma = &out->sigma[0][0][0];
		for (size_t i = 0; i < sizeof out->sigma / sizeof *sigma; i++) sigma[i] = (float)white(a);
		return 0;
	}
	p = xalloc(1, sizeof *p);
	int rc = load(a, &g, p, &first, &step, e);
	if (rc < 0) goto out;
	basis(b);
	for (int k = 0; k < PARTS; k++) variance(p, b[k / 8], b[k % 8], q[k]);
	out->low = (float)first;
	out->scale = (float)(1 / step);
	for (int i = 0; i < DEGRAIN_BINS; i++) {
		strengths(&g, first + (i + 0.5) * step, a->strength, s);
		for (int k = 0; k < PARTS; k++) {
			opposed(&g, s, q[k], var);
			for (int o = 0; o < 3; o++) out->sigma[i][o][k] = (float)__builtin_sqrt(var[o]);
		}
	}
out:
	free(p);
	return rc;
}

/* 1 3 3 1 halves a picture; the share of frequency f's power that it lets through once, twice. */
static void halved(double h[DEGRAIN_HALVED + 1][FREQS])
{
	for (int i = 0; i < FREQS; i++) {
		double f = (i + 0.5) / (2 * FREQS), v = 1;
		for (int l = 0; l <= DEGRAIN_HALVED; l++) {
			double c = mx_cos(MX_PI * f * (1 << l));
			h[l][i] = v / FREQS;
			v *= c * c * c * c * c * c;
		}
	}
}

int degrain_low_make(const struct degrain_ask *a, struct degrain_low *out, struct err *e)
{
	struct grain_profile g;
	struct spectra *p = xalloc(1, sizeof *p);
	double h[DEGRAIN_HALVED + 1][FREQS], q[PAIRS], s[3], var[3], first = 0, step = 1.0 / DEGRAIN_BINS;
	int rc = *a->profile ? load(a, &g, p, &first, &step, e) : 0;
	if (rc < 0) goto out;
	halved(h);
	luma_of(a->space, out->luma);
	out->low = (float)first;
	out->scale = (float)(1 / step);
	for (int l = 0; l <= DEGRAIN_HALVED; l++) {
		double share = 0;
		for (int i = 0; i < FREQS; i++) share += h[l][i];
		if (*a->profile) variance(p, h[l], h[l], q);
		for (int i = 0; i < DEGRAIN_BINS; i++) {
			for (int o = 0; o < 3; o++) var[o] = white(a) * white(a) * share * share;
			if (*a->profile) strengths(&g, first + (i + 0.5) * step, a->strength, s), opposed(&g, s, q, var);
			for (int o = 0; o < 3; o++) out->var[l][i][o] = (float)var[o];
		}
	}
out:
	free(p);
	return rc;
}

int degrain_band(int u, int v)
{
	int d2 = u * u + v * v, b = 0;
	while (b < DEGRAIN_BANDS - 1 && 4 * d2 >= (2 * b + 1) * (2 * b + 1)) b++;
	return b;
}

/* Variances of a block's coefficients in grain whose correlation is the square of that of this power. */
static void squared(const double *power, double q[PARTS])
{
	double rho[8][8] = { { 0 } }, own[8][8] = { { 0 } }, c[8][FREQS];
	for (int d = 0; d < 8; d++)
		for (int i = 0; i < FREQS; i++) c[d][i] = mx_cos(MX_PI * d * (i + 0.5) / FREQS) / FREQS;
	for (int i = 0; i < FREQS * FREQS; i++)
		for (int d = 0; d < 64; d++) rho[d / 8][d % 8] += power[i] * c[d / 8][i / FREQS] * c[d % 8][i % FREQS];
	for (int u = 0; u < 8; u++)
		for (int d = 0; d < 8; d++)
			for (int x = 0; x + d < 8; x++)
				own[u][d] += mx_cos((2 * x + 1) * u * (MX_PI / 16)) * mx_cos((2 * (x + d) + 1) * u * (MX_PI / 16)) *
				             (u ? 0.25 : 0.125) * (d ? 2 : 1);
	for (int k = 0; k < PARTS; k++) {
		q[k] = 0;
		for (int d = 0; d < 64; d++)
			q[k] += rho[d / 8][d % 8] * rho[d / 8][d % 8] / rho[0][0] * own[k / 8][d / 8] * own[k % 8][d % 8];
	}
}

int degrain_bands_make(const struct degrain_ask *a, struct degrain_bands *out, struct err *e)
{
	struct grain_profile g;
	struct spectra *p = xalloc(1, sizeof *p);
	double b[8][FREQS], q[PAIRS], bent[3][PARTS], n[DEGRAIN_BANDS] = { 0 }, s[3];
	double sum[3][DEGRAIN_BANDS] = { { 0 } }, all[3][DEGRAIN_BANDS] = { { 0 } };
	double first = 0, step = 1.0 / DEGRAIN_BINS, w[3];
	int rc = *a->profile ? load(a, &g, p, &first, &step, e) : 0;
	if (rc < 0) goto out;
	basis(b);
	colour_luma(a->space, w);
	for (int c = 0; c < 3; c++) out->luma[c] = (float)w[c];
	out->low = (float)first;
	out->scale = (float)(1 / step);
	for (int c = 0; c < 3 && *a->profile; c++) squared(p->power[c], bent[c]);
	for (int k = 0; k < PARTS; k++) {
		int band = degrain_band(k / 8, k % 8);
		if (*a->profile) variance(p, b[k / 8], b[k % 8], q);
		n[band]++;
		for (int c = 0; c < 3; c++) {
			sum[c][band] += *a->profile ? q[c] : 1;
			all[c][band] += *a->profile ? bent[c][k] : 1;
		}
	}
	for (int c = 0; c < 3; c++)
		for (int k = 0; k < DEGRAIN_BANDS; k++)
			out->bent[c][k] = (float)(all[c][k] / (sum[c][k] > 1e-14 ? sum[c][k] : 1e-14));
	for (int i = 0; i < DEGRAIN_BINS; i++) {
		if (*a->profile) strengths(&g, first + (i + 0.5) * step, a->strength, s);
		else s[0] = s[1] = s[2] = white(a);
		for (int c = 0; c < 3; c++)
			for (int k = 0; k < DEGRAIN_BANDS; k++) {
				double v = s[c] * s[c] * sum[c][k] / n[k];
				out->var[i][c][k] = (float)(v > 1e-14 ? v : 1e-14);
			}
	}
out:
	free(p);
	return rc;
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
