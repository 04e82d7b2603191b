/* px_lutops - the steps of a LUT that are formulas, over rows of planar R,G,B: matrix, range, log,
 * exponent, CDL. Powers and logarithms in doubles, so that a row is as exact as its floats.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_LUTOPS_H
#define IN_PX_LUTOPS_H

#include "lut.h"
#include "px_math.h"
#include "px_rows.h"

static inline void lut_row_matrix(const struct lut_matrix *o, float *IN_RESTRICT r, float *IN_RESTRICT g,
                                  float *IN_RESTRICT b, int w)
{
	const struct lut_matrix m = *o;
	for (int i = 0; i < w; i++) {
		float x = r[i], y = g[i], z = b[i];
		r[i] = m.m[0] * x + m.m[1] * y + m.m[2] * z + m.off[0];
		g[i] = m.m[3] * x + m.m[4] * y + m.m[5] * z + m.off[1];
		b[i] = m.m[6] * x + m.m[7] * y + m.m[8] * z + m.off[2];
	}
}

static inline void lut_row_range(const struct lut_range *o, float *r, float *g, float *b, int w)
{
	const struct lut_range v = *o;
	float *const p[3] = { r, g, b };
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < w; i++) {
			float x = p[k][i] * v.scale + v.off;
			x = x < v.lo ? v.lo : x;
			p[k][i] = x > v.hi ? v.hi : x;
		}
}

/* The middle one of three channels back to the place between the two others that it had before. */
static inline void lut_keep_hue(const float *r0, const float *g0, const float *b0, float *r, float *g,
	float *b, int w)
{
	for (int i = 0; i < w; i++) {
		float in[3] = { r0[i], g0[i], b0[i] }, *const out[3] = { &r[i], &g[i], &b[i] };
		bool rg = in[0] > in[1], gb = in[1] > in[2], rb = in[0] > in[2];
		int max = rb ? (rg ? 0 : 1) : gb ? 1 : 2, min = rb ? (gb ? 2 : 1) : rg ? 1 : 0, mid = 3 - max - min;
		float chroma = in[max] - in[min], at = chroma != 0.0f ? (in[mid] - in[min]) / chroma : 0.0f;
		*out[mid] = at * (*out[max] - *out[min]) + *out[min];
	}
}

static inline void lut_row_log(const struct lut_log *o, float *r, float *g, float *b, int w)
{
	float *const row[3] = { r, g, b };
	for (int k = 0; k < 3; k++) {
		const struct lut_log_curve c = o->c[k];
		float *IN_RESTRICT p = row[k];
		const bool line = c.seg_slope != 0, inverse = o->inverse;
		for (int i = 0; i < w; i++) {
			double x = p[i], y = c.lin_slope * x + c.lin_off, s;
			if (!inverse) {
				y = y > 0x1p-126 ? y : 0x1p-126;
				y = c.log_slope * px_dlog2(y) + c.log_off;
				s = c.seg_slope * x + c.seg_off;
				y = line && x <= c.lin_break ? s : y;
			} else {
				y = (px_dexp2((x - c.log_off) / c.log_slope) - c.lin_off) / c.lin_slope;
				s = (x - c.seg_off) / (line ? c.seg_slope : 1.0);
				y = line && x <= c.log_break ? s : y;
			}
			p[i] = p[i] == p[i] ? (float)y : p[i];
		}
	}
}

static inline void lut_row_exponent(const struct lut_exponent *o, float *r, float *g, float *b, int w)
{
	float *const row[3] = { r, g, b };
	for (int k = 0; k < 3; k++) {
		const struct lut_exp_curve c = o->c[k];
		float *IN_RESTRICT p = row[k];
		if (c.identity) continue;
		for (int i = 0; i < w; i++) {
			double x = p[i], a = o->below == LUT_BELOW_MIRROR ? px_dabs(x) : x, y;
			if (o->foot && !o->inverse) y = px_dpow(a * c.scale + c.off, c.power);
			else if (o->foot) y = px_dpow(a, c.power) * c.scale - c.off;
			else y = px_dpow(a, c.power);
			if (o->foot) y = a <= c.brk ? a * c.slope : y;
			else if (o->below == LUT_BELOW_PASS) y = a > 0 ? y : a;
			else y = a > 0 ? y : 0;
			if (o->below == LUT_BELOW_MIRROR) y = px_dsign(y, x);
			p[i] = p[i] == p[i] ? (float)y : p[i];
		}
	}
}

static inline void lut_saturate(float sat, float *IN_RESTRICT r, float *IN_RESTRICT g, float *IN_RESTRICT b,
	int w)
{
	if (sat == 1.0f) return;
	for (int i = 0; i < w; i++) {
		float y = 0.2126f * r[i] + 0.7152f * g[i] + 0.0722f * b[i];
		r[i] = y + sat * (r[i] - y);
		g[i] = y + sat * (g[i] - y);
		b[i] = y + sat * (b[i] - y);
	}
}

static inline void lut_hold(bool clamp, float *p, int w)
{
	for (int i = 0; i < w && clamp; i++) p[i] = px_clamp(p[i], 0.0f, 1.0f);
}

static inline void lut_row_cdl(const struct lut_cdl *o, float *r, float *g, float *b, int w)
{
	float *const p[3] = { r, g, b };
	for (int k = 0; k < 3 && !o->inverse; k++) {
		for (int i = 0; i < w; i++) p[k][i] = p[k][i] * o->slope[k] + o->offset[k];
		lut_hold(o->clamp, p[k], w);
		px_power_row(p[k], o->power[k], POW_KEEP, w);
	}
	for (int k = 0; k < 3 && o->inverse; k++) lut_hold(o->clamp, p[k], w);
	lut_saturate(o->inverse ? 1.0f / o->sat : o->sat, r, g, b, w);
	for (int k = 0; k < 3; k++) lut_hold(o->clamp, p[k], w);
	for (int k = 0; k < 3 && o->inverse; k++) {
		const float off = o->offset[k], slope = o->slope[k], y = 1.0f / o->power[k];
		px_power_row(p[k], y, POW_KEEP, w);
		for (int i = 0; i < w; i++) p[k][i] = (p[k][i] - off) / slope;
		lut_hold(o->clamp, p[k], w);
	}
}

#endif
