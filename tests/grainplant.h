/* grainplant - grain of a known recipe over pictures, and how far a measured profile is from the recipe.
 *
 * The truth is the recipe itself, not the finite noise made by it: white normal fields of given correlation through
 * kernels whose transfer is summed here, times a strength of the clean picture's luma.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRAINPLANT_H
#define IN_GRAINPLANT_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "grain_measure.h"
#include "rng.h"

enum { PLANT_RADIUS = 8, PLANT_SIDE = 2 * PLANT_RADIUS + 1 };

struct plant_kind {
	const char *name;
	double width[3];               /* of the amplitude, a Gaussian over the frequency */
	double floor;                  /* of the amplitude: white grain in it, as where grain is finer than a pixel */
	double dip;                    /* less amplitude at the lowest frequencies, as scans have it */
	double corr[3];                /* RG, RB, GB of the white fields */
	double top[3];                 /* strength */
};
static const struct plant_kind plant_kinds[] = {
	{ "medium", { 0.125, 0.12, 0.10 }, 0, 0.2, { 0.45, 0.30, 0.20 }, { 0.020, 0.018, 0.026 } },
	{ "fine", { 0.18, 0.17, 0.15 }, 0.35, 0.1, { 0.35, 0.20, 0.25 }, { 0.014, 0.013, 0.020 } },
	{ "coarse", { 0.075, 0.072, 0.06 }, 0, 0, { 0.45, 0.30, 0.20 }, { 0.030, 0.028, 0.040 } },
	{ "b/w", { 0.115, 0.115, 0.115 }, 0, 0.2, { 1, 1, 1 }, { 0.024, 0.024, 0.024 } },
};
struct plant {
	const struct plant_kind *k;
	double kernel[3][PLANT_SIDE][PLANT_SIDE];
};

static double plant_strength(const struct plant *p, int c, double l)
{
	return p->k->top[c] * (0.45 + 2.2 * l * (1 - l)) * (c == 2 && p->k->corr[0] < 1 ? 1.15 - 0.3 * l : 1);
}

static double plant_wanted(const struct plant *p, int c, double r)
{
	double w = p->k->width[c];
	return (p->k->floor + (1 - p->k->floor) * exp(-r * r / (2 * w * w))) * (1 - p->k->dip * exp(-r * r / (2 * 0.05 * 0.05)));
}

/* The wanted amplitude's cosine transform, cut to the radius under a Hann window. */
static void plant_make(struct plant *p, const struct plant_kind *kind)
{
	enum { N = 64 };
	p->k = kind;
	for (int c = 0; c < 3; c++) {
		double sum = 0;
		for (int y = -PLANT_RADIUS; y <= PLANT_RADIUS; y++)
			for (int x = -PLANT_RADIUS; x <= PLANT_RADIUS; x++) {
				double v = 0, d = sqrt(x * x + y * y) / (PLANT_RADIUS + 1);
				for (int i = 0; i < N * N; i++) {
					double fx = (i % N - N / 2) / (double)N, fy = (i / N - N / 2) / (double)N;
					v += plant_wanted(p, c, sqrt(fx * fx + fy * fy)) * cos(2 * M_PI * (fx * x + fy * y));
				}
				v *= d < 1 ? 0.5 + 0.5 * cos(M_PI * d) : 0;
				p->kernel[c][y + PLANT_RADIUS][x + PLANT_RADIUS] = v;
				sum += v * v;
			}
		for (int i = 0; i < PLANT_SIDE * PLANT_SIDE; i++) p->kernel[c][i / PLANT_SIDE][i % PLANT_SIDE] /= sqrt(sum);
	}
}

static double plant_power(const struct plant *p, int c, double fx, double fy)
{
	double re = 0;
	for (int y = -PLANT_RADIUS; y <= PLANT_RADIUS; y++)
		for (int x = -PLANT_RADIUS; x <= PLANT_RADIUS; x++)
			re += p->kernel[c][y + PLANT_RADIUS][x + PLANT_RADIUS] * cos(2 * M_PI * (fx * x + fy * y));
	return re * re;
}

/* Three white normal fields of the wanted correlations, shaped. */
__attribute__((optimize("O3"))) static void plant_noise(const struct plant *p, float *const out[3], int w, int h, uint32_t frame, uint32_t seed)
{
	int ww = w + 2 * PLANT_RADIUS, hh = h + 2 * PLANT_RADIUS;
	const double *r = p->k->corr;
	double l11 = sqrt(1 - r[0] * r[0]), l21 = l11 > 0 ? (r[2] - r[1] * r[0]) / l11 : 0;
	double rest = 1 - r[1] * r[1] - l21 * l21, l22 = rest > 0 ? sqrt(rest) : 0;
	float *white[3];
	for (int c = 0; c < 3; c++) white[c] = malloc((size_t)ww * (size_t)hh * sizeof(float));
	for (int i = 0; i < ww * hh; i++) {
		struct philox a = philox4x32((uint32_t)i, frame, 0, 7, seed, 1);
		double g[4];
		for (int k = 0; k < 4; k += 2) {
			double s = sqrt(-2 * log((a.c[k] + 0.5) * 0x1p-32)), t = 2 * M_PI * (a.c[k + 1] + 0.5) * 0x1p-32;
			g[k] = s * cos(t);
			g[k + 1] = s * sin(t);
		}
		white[0][i] = (float)g[0];
		white[1][i] = (float)(r[0] * g[0] + l11 * g[1]);
		white[2][i] = (float)(r[1] * g[0] + l21 * g[1] + l22 * g[2]);
	}
	for (int c = 0; c < 3; c++) {
		memset(out[c], 0, (size_t)w * (size_t)h * sizeof(float));
		for (int y = 0; y < h; y++)
			for (int j = 0; j < PLANT_SIDE * PLANT_SIDE; j++) {
				float k = (float)p->kernel[c][j / PLANT_SIDE][j % PLANT_SIDE];
				if (fabsf(k) < 1e-7f) continue;
				float *restrict d = out[c] + (size_t)y * (size_t)w;
				const float *restrict s = white[c] + (size_t)(y + j / PLANT_SIDE) * (size_t)ww + j % PLANT_SIDE;
				for (int x = 0; x < w; x++) d[x] += k * s[x];
			}
		free(white[c]);
	}
}

static float *plant_floats(int w, int h) { return calloc((size_t)w * (size_t)h, sizeof(float)); }

/* Gaussian, mirrored at the edges: takes a photograph's own noise out. */
static void plant_soften(float *p, int w, int h, double size)
{
	double k[16], sum = 0;
	float *t = plant_floats(w, h);
	for (int i = 0; i < 16; i++) sum += (k[i] = exp(-i * i / (2 * size * size))) * (i ? 2 : 1);
	for (int pass = 0; pass < 2; pass++) {
		for (int y = 0; y < h; y++)
			for (int x = 0; x < w; x++) {
				double v = 0;
				for (int i = -15; i <= 15; i++) {
					int u = pass ? y + i : x + i, n = pass ? h : w;
					if (k[abs(i)] < 1e-9) continue;
					u = u < 0 ? -u : u >= n ? 2 * n - 2 - u : u;
					v += k[abs(i)] / sum * (double)p[pass ? u * w + x : y * w + u];
				}
				t[y * w + x] = (float)v;
			}
		memcpy(p, t, (size_t)w * (size_t)h * sizeof *p);
	}
	free(t);
}

/* Encoded luma of a clean picture, a little blurred: what strength goes by. */
static void plant_luma(float *const rgb[3], int w, int h, float *luma)
{
	double k[3];
	colour_luma(colour_find("rec709"), k);
	for (int i = 0; i < w * h; i++)
		luma[i] = (float)(k[0] * (double)rgb[0][i] + k[1] * (double)rgb[1][i] + k[2] * (double)rgb[2][i]);
	plant_soften(luma, w, h, 1.5);
}

/* How far a profile is from the recipe: strength rms over its levels, its largest and its mean error, shares; the
 * worst bin in dB of all above -30 dB (of the power at the lowest frequency) and the lowest, and the worst
 * from 0.047 cycles a pixel on; the worst correlation. */
struct plant_off { double strength[3], most[3], bias[3], db[3], at[3], low[3], high[3], corr; };

__attribute__((unused)) static struct plant_off plant_against(const struct plant *t, const struct grain_profile *p, double gain)
{
	struct plant_off o;
	memset(&o, 0, sizeof o);
	for (int c = 0; c < 3; c++) {
		for (int i = 0; i < p->nstrength; i++) {
			double d = p->sigma[i][c] / (gain * plant_strength(t, c, p->luma[i])) - 1;
			o.strength[c] += d * d / p->nstrength;
			o.bias[c] += d / p->nstrength;
			if (fabs(d) > o.most[c]) o.most[c] = fabs(d);
		}
		o.strength[c] = sqrt(o.strength[c]);
		double least = 1e-3 * plant_power(t, c, 0, 0);
		for (int y = 0; y <= 32; y++)
			for (int x = -32; x < 32; x++) {
				double want = plant_power(t, c, x / 64.0, y / 64.0);
				if (want < least) continue;
				double d = 10 * log10(grain_profile_power(p, c, x / 64.0, y / 64.0) / want);
				if (!x && !y) o.low[c] = d;
				if (x * x + y * y >= 9 && fabs(d) > fabs(o.high[c])) o.high[c] = d;
				if (fabs(d) > fabs(o.db[c])) { o.db[c] = d; o.at[c] = sqrt(x * x + y * y) / 64; }
			}
		double d = fabs(p->corr[c] - t->k->corr[c]);
		if (d > o.corr) o.corr = d;
	}
	return o;
}

#endif
