/* stocks - writes graphs/stocks/: grain profiles of generic film stocks, by a recipe (`make stocks`).
 * SPDX-License-Identifier: BSD-2-Clause */

/* A stock is an RMS granularity G (1000 times the deviation of density through a 48 um aperture at density 1), a
 * picture width, and dye clouds (b/w: grains) that blur like a Gaussian of some micrometres. All numbers are round
 * ones chosen here to span fine to coarse; none is a maker's.
 *   - Wiener spectrum of density: W(u) = W0 exp(-(2 pi s u)^2), so that through the aperture, a circle of
 *     48 um with MTF 2 J1(x) / x, it gives G (Selwyn: sigma_D sqrt(A) is constant where s is small against A).
 *   - What a pixel sees: W times the MTF of a square pixel, aliased into its Nyquist square; 2160 lines of 16:9.
 *   - Density to signal: rec709 through a system whose encoded signal is a logistic curve of log exposure with slope
 *     0.705 a decade at mid-grey (system gamma 1.5 over 2.4); negative gamma 0.6; density 0.7 over base at mid-grey;
 *     sigma_D grows as the square root of density (Siedentopf), over 0.15 of base.
 *   - Colour: clouds of the green layer 0.9, of the blue-sensitive one 1.35 times red's; granularity 0.9, 1.5.
 *     Layers are exposed apart: what they share comes from unwanted absorptions (0.15 neighbours, 0.05 red to blue). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "grain_profile.h"
#include "mathx.h"
#include "textfile.h"

enum { LINES = 2160, BANDS = 45 };

static const struct { const char *name; double width_mm; } formats[] = {
	{ "16mm", 12.5 }, { "35mm", 24.9 }, { "65mm", 52.5 } };
static const struct { const char *name; bool bw; double granularity, cloud_um; } stocks[] = {
	{ "fine", false, 3, 1.8 }, { "medium", false, 5, 2.4 }, { "coarse", false, 8, 3.2 },
	{ "bw-fine", true, 6, 1.6 }, { "bw-medium", true, 10, 2.2 }, { "bw-coarse", true, 16, 3 } };

/* J1(x), Abramowitz and Stegun 9.1.10 summed as an integral: exact enough with 64 steps for x below 40. */
static double j1(double x)
{
	double sum = 0;
	for (int i = 0; i < 64; i++) {
		double t = MX_PI * (i + 0.5) / 64;
		sum += mx_cos(t - x * mx_sin(t));
	}
	return sum / 64;
}

/* Variance of density through the aperture for W0 = 1 um^2. */
static double aperture(double cloud)
{
	double sum = 0, step = 0.0002;
	for (double u = step / 2; u < 0.2; u += step) {
		double x = MX_PI * 48 * u, mtf = 2 * j1(x) / x, s = 2 * MX_PI * cloud * u;
		sum += 2 * MX_PI * u * step * mtf * mtf * mx_exp(-s * s);
	}
	return sum;
}

static double sinc(double x) { return x == 0 ? 1 : mx_sin(MX_PI * x) / (MX_PI * x); }

/* Power a pixel of p um sees at (fx, fy) cycles a pixel, for W0 = 1 um^2. */
static double pixel(double cloud, double p, double fx, double fy)
{
	double sum = 0;
	for (int j = -6; j <= 6; j++)
		for (int i = -6; i <= 6; i++) {
			double u = fx + i, v = fy + j, m = sinc(u) * sinc(v), s = 2 * MX_PI * cloud / p;
			sum += m * m * mx_exp(-s * s * (u * u + v * v));
		}
	return sum / (p * p);
}

static double round_to(double v, double per) { return mx_round(v * per) / per; }

static void channel(struct grain_profile *g, int c, double granularity, double cloud, double p)
{
	double w0 = granularity * granularity * 1e-6 / aperture(cloud), var = 0;
	enum { N = 48 };
	for (int y = 0; y < N; y++)
		for (int x = 0; x < N; x++) var += pixel(cloud, p, (x + 0.5) / (2 * N), (y + 0.5) / (2 * N)) / (N * N);
	double sigma = __builtin_sqrt(w0 * var), mid = mx_pow(0.18, 1 / 2.4), k = 0.705 / (mid * (1 - mid));
	for (int i = 0; i < g->nstrength; i++) {
		double v = g->luma[i], x = mx_log(v / (1 - v) * (1 - mid) / mid) / k;
		double density = 0.7 + 0.6 * x;
		density = (density > 0 ? density : 0) + 0.15;
		g->sigma[i][c] = round_to(k * v * (1 - v) * sigma * __builtin_sqrt(density) / 0.6, 1e6);
	}
	for (int i = 0; i < g->nband; i++) {
		double f = g->freq[i] * 0.70710678118654752, q = 0;
		for (int a = 0; a < 8; a++) {           /* the ring's mean over an octant */
			double t = MX_PI / 4 * (a + 0.5) / 8, fx = g->freq[i] * mx_cos(t), fy = g->freq[i] * mx_sin(t);
			q += pixel(cloud, p, fx < 0.5 ? fx : 0.5, fx < 0.5 ? fy : f) / 8;
		}
		double db = 10 * mx_log10(q / var);
		g->db[i][c] = round_to(db > -60 ? db : -60, 1e3);
	}
}

static int make(const char *dir, const char *format, double width, int s, struct err *e)
{
	struct grain_profile g = { .method = GRAIN_RECIPE, .space = colour_find("rec709"), .lines = LINES, .aniso = { 1, 1, 1 } };
	double p = width * 1000 / (LINES * 16.0 / 9), scale[3] = { 1, 0.9, 1.35 }, strong[3] = { 1, 0.9, 1.5 };
	char path[600], head[600];
	g.nstrength = 21;
	for (int i = 0; i < g.nstrength; i++) g.luma[i] = i == 0 ? 0.005 : i == 20 ? 0.995 : i * 0.05;
	for (int i = 0; i < g.nstrength; i++) g.luma[i] = round_to(g.luma[i], 1e3);
	g.nband = BANDS;
	for (int i = 0; i < BANDS; i++) g.freq[i] = round_to(i * 0.016, 1e3);
	for (int c = 0; c < 3; c++) {
		bool bw = stocks[s].bw;
		channel(&g, c, stocks[s].granularity * (bw ? 1 : strong[c]), stocks[s].cloud_um * (bw ? 1 : scale[c]), p);
		g.corr[c] = bw ? 1 : c == 1 ? 0.05 : 0.15;
	}
	snprintf(g.name, sizeof g.name, "%s %s", format, stocks[s].name);
	snprintf(head, sizeof head, "# Made by `make stocks` (tests/tools/stocks.c): RMS granularity %g, width %g mm, clouds %g um.\n"
	         "# Public domain.\n", stocks[s].granularity, width, stocks[s].cloud_um);
	char *text = grain_profile_text(&g), *all = malloc(strlen(text) + strlen(head) + 1);
	if (!all) abort();
	strcat(strcpy(all, head), text);
	snprintf(path, sizeof path, "%s/%s-%s.grain", dir, format, stocks[s].name);
	int rc = text_write(path, all, e);
	free(text);
	free(all);
	return rc;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	if (argc != 2) { fprintf(stderr, "stocks: wants a folder\n"); return 2; }
	for (size_t f = 0; f < IN_COUNT(formats); f++)
		for (size_t s = 0; s < IN_COUNT(stocks); s++)
			if (make(argv[1], formats[f].name, formats[f].width_mm, (int)s, &e) < 0) {
				fprintf(stderr, "stocks: %s\n", e.msg);
				return 1;
			}
	return 0;
}
