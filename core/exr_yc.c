/* exr_yc - subsampled channels to full size, and luminance-chroma to RGB as OpenEXR defines it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "exr_int.h"

static int div_floor(int a, int b)
{
	return a / b - (a % b < 0);
}

int exr_samples_init(struct exr_samples *s, struct rect data, int xs, int ys, struct err *e)
{
	s->xs = xs;
	s->ys = ys;
	s->x0 = div_floor(data.x0 + xs - 1, xs);
	s->y0 = div_floor(data.y0 + ys - 1, ys);
	s->w = div_floor(data.x1 - 1, xs) - s->x0 + 1;
	s->h = div_floor(data.y1 - 1, ys) - s->y0 + 1;
	if (s->w < 1 || s->h < 1)
		return err_set(e, E_INPUT, "a channel with one sample in %d x %d pixels has none in the data "
		               "window", xs, ys);
	s->v = calloc((size_t)s->w * (size_t)s->h, sizeof *s->v);
	if (!s->v)
		return err_set(e, E_MEMORY, "no memory for %d x %d samples", s->w, s->h);
	return 0;
}

/* The odd pixels of ImfRgbaYca's reconstruction filter: 14 samples around, edges held. */
enum { TAPS = 14 };
static const float taps[TAPS] = {
	0.002128f, -0.007540f, 0.019597f, -0.043159f, 0.087929f, -0.186077f, 0.627123f,
	0.627123f, -0.186077f, 0.087929f, -0.043159f, 0.019597f, -0.007540f, 0.002128f
};

static int held(int i, int n)
{
	return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* How pixel p comes from samples (first at pixel s0 * step, n of them): index and weights. */
struct blend { int n, at[TAPS]; float w[TAPS]; };

static struct blend blend_at(int p, int step, int s0, int n, bool chroma)
{
	struct blend b = { 0 };
	int base = div_floor(p, step), off = p - base * step;
	if (off == 0) {
		b.n = 1;
		b.at[0] = held(base - s0, n);
		b.w[0] = 1;
	} else if (chroma && step == 2) {
		b.n = TAPS;
		for (int k = 0; k < TAPS; k++) {
			b.at[k] = held(base - s0 + k - TAPS / 2 + 1, n);
			b.w[k] = taps[k];
		}
	} else {
		b.n = 2;
		b.at[0] = held(base - s0, n);
		b.at[1] = held(base - s0 + 1, n);
		b.w[1] = (float)off / (float)step;
		b.w[0] = 1 - b.w[1];
	}
	return b;
}

void exr_samples_row(const struct exr_samples *s, bool chroma, int y, int x0, int x1, float *line,
                     float *out)
{
	struct blend v = blend_at(y, s->ys, s->y0, s->h, chroma);
	for (int i = 0; i < s->w; i++)
		line[i] = s->v[(size_t)v.at[0] * (size_t)s->w + (size_t)i] * v.w[0];
	for (int k = 1; k < v.n; k++) {
		const float *row = s->v + (size_t)v.at[k] * (size_t)s->w;
		for (int i = 0; i < s->w; i++)
			line[i] += row[i] * v.w[k];
	}
	for (int x = x0; x < x1; x++) {
		struct blend h = blend_at(x, s->xs, s->x0, s->w, chroma);
		float sum = line[h.at[0]] * h.w[0];
		for (int k = 1; k < h.n; k++)
			sum += line[h.at[k]] * h.w[k];
		out[x - x0] = sum;
	}
}

/* Columns x, y, 1-x-y of the primaries, scaled so that they add up to the white of Y = 1. */
int exr_luma_weights(const double xy[8], double w[3])
{
	double p[9], inv[9];
	if (!(xy[7] > 0))
		return -1;
	for (int i = 0; i < 3; i++) {
		p[i] = xy[2 * i];
		p[3 + i] = xy[2 * i + 1];
		p[6 + i] = 1 - xy[2 * i] - xy[2 * i + 1];
	}
	const double white[3] = { xy[6] / xy[7], 1, (1 - xy[6] - xy[7]) / xy[7] };
	if (mat3_inv(p, inv))
		return -1;
	for (int i = 0; i < 3; i++) {
		const double *m = inv + 3 * i;
		w[i] = (m[0] * white[0] + m[1] * white[1] + m[2] * white[2]) * xy[2 * i + 1];
	}
	return w[1] > 1e-6 || w[1] < -1e-6 ? 0 : -1;
}

void exr_yc_row(const float *y, const float *ry, const float *by, const double w[3], int n,
                float *r, float *g, float *b)
{
	const float wr = (float)w[0], wg = (float)w[1], wb = (float)w[2];
	for (int i = 0; i < n; i++) {
		bool grey = ry[i] == 0 && by[i] == 0;
		float yy = y[i], rr = (ry[i] + 1) * yy, bb = (by[i] + 1) * yy;
		float gg = (yy - rr * wr - bb * wb) / wg;
		r[i] = grey ? yy : rr;
		g[i] = grey ? yy : gg;
		b[i] = grey ? yy : bb;
	}
}

static float max3(float a, float b, float c)
{
	float m = a > b ? a : b;
	return m > c ? m : c;
}

static float saturation(const float *const rgb[3], int i)
{
	float hi = max3(rgb[0][i], rgb[1][i], rgb[2][i]);
	float lo = -max3(-rgb[0][i], -rgb[1][i], -rgb[2][i]);
	return hi > 0 ? 1 - lo / hi : 0;
}

/* Pulls a pixel to the given share of its saturation, keeping its luminance. */
static void desaturate(float v[3], float f, const double w[3])
{
	const float weight[3] = { (float)w[0], (float)w[1], (float)w[2] };
	float hi = max3(v[0], v[1], v[2]), before = 0, after = 0;
	for (int c = 0; c < 3; c++) {
		before += v[c] * weight[c];
		v[c] = hi - (hi - v[c]) * f;
		v[c] = v[c] > 0 ? v[c] : 0;
		after += v[c] * weight[c];
	}
	for (int c = 0; c < 3 && after > 0; c++)
		v[c] *= before / after;
}

void exr_yc_fix(float *const up[3], float *const mid[3], float *const down[3], const double w[3],
                int n, int i, float v[3])
{
	const float *const a[3] = { up[0], up[1], up[2] }, *const b[3] = { down[0], down[1], down[2] };
	const float *const m[3] = { mid[0], mid[1], mid[2] };
	int l = i > 0 ? i - 1 : 0, r = i < n - 1 ? i + 1 : n - 1;
	float mean = 0.25f * (saturation(a, l) + saturation(a, r) + saturation(b, l) + saturation(b, r));
	float s = saturation(m, i), limit = 1 - (1 - (mean < 1 ? mean : 1)) * 0.25f;
	for (int c = 0; c < 3; c++)
		v[c] = m[c][i];
	if (s > limit)
		desaturate(v, limit / s, w);
}
