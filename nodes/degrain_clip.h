/* degrain_clip - the picture beneath clipped grain.
 *
 * Where a source is cut off at 1 (or 0), an average of it lies below the picture, as grain that would have gone beyond
 * is gone: u standard deviations from the limit the average is h(u) = u P(u) + p(u) away, for normal grain of
 * density p and distribution P.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_DEGRAIN_CLIP_H
#define IN_DEGRAIN_CLIP_H

#include "degrain_cells.h"
#include "mathx.h"

/* An average nearer than CLIP_NEAR standard deviations is moved by back[] of them at every CLIP_STEPS-th. */
enum { CLIP_NEAR = 3, CLIP_STEPS = 32 };
/* By how much the share of the variance that is gone is multiplied: nearer than one standard deviation nothing but
 * clipping explains it. */
#define CLIP_SURE 5.0f

/* Threads: frozen. */
struct clip { float back[CLIP_NEAR * CLIP_STEPS + 2]; };

static inline void clip_make(struct clip *t)
{
	for (int i = 0; i < CLIP_NEAR * CLIP_STEPS + 2; i++) {
		double d = i / (double)CLIP_STEPS, lo = 0, hi = d;
		for (int k = 0; k < 40; k++) {
			double u = (lo + hi) / 2, p = mx_exp(-u * u / 2) * 0.39894228040143268;
			if (u * 0.5 * (1 + mx_erf(u * 0.70710678118654752)) + p > d) hi = u;
			else lo = u;
		}
		t->back[i] = (float)(d - lo);
	}
}

/* Value v near a limit of 0 or 1, in grain of this strength, of which w is sure to be clipped. */
IN_INLINE float clip_back(const struct clip *t, float v, float sigma, float w)
{
	bool high = v > 0.5f;
	float d = (high ? 1.0f - v : v) / sigma;
	if (!(d < (float)CLIP_NEAR)) return v;
	float at = px_clamp(d, 0.0f, (float)CLIP_NEAR) * CLIP_STEPS, f = at - (float)(int)at;
	const float *b = t->back + (int)at;
	float add = (b[0] + f * (b[1] - b[0]) + px_min(d, 0.0f)) * sigma * px_min(w * CLIP_SURE, 1.0f);
	return high ? v + add : v - add;
}

/* Is there a cell with clipped values in channel k? */
static inline bool clip_any(const struct cells *c, int k)
{
	bool any = false;
	for (int i = 0; i < c->w / CELL * (c->h / CELL); i++) any |= c->there[3 * i + k] < 1.0f;
	return any;
}

/* Where in the row of four cells' shares a pixel lies: between the middles of two cells. */
IN_INLINE float clip_gone(const float *p, const float *q, float across, float down)
{
	float a = p[0] + across * (p[3] - p[0]), b = q[0] + across * (q[3] - q[0]);
	return 1.0f - (a + down * (b - a));
}

/* clip_back of eight pixels between the middles of two cells, of bins of their own. */
static inline void clip_eight(const struct clip *t, const float *p, const float *q, float down, float left, float right,
                              float *o)
{
	const bm8 across = { 0.0625f, 0.1875f, 0.3125f, 0.4375f, 0.5625f, 0.6875f, 0.8125f, 0.9375f }, zero = { 0 };
	const bm8 most = zero + 1.0f;
	bm8 v = BM_LOAD(o), s = { left, left, left, left, right, right, right, right }, low, high;
	bm8i up = v > 0.5f;
	bm8 d = (bm8)(((bm8i)(1.0f - v) & up) | ((bm8i)v & ~up)) / s;
	bm8i near = d < (float)CLIP_NEAR;
	d = BM_MASKED(near, d);
	bm8 least = BM_MASKED(d > zero, d), at = least * (float)CLIP_STEPS;
	bm8i i = __builtin_convertvector(at, bm8i);
	for (int k = 0; k < 8; k++) low[k] = t->back[i[k]], high[k] = t->back[i[k] + 1];
	bm8 f = at - __builtin_convertvector(i, bm8);
	bm8 a = p[0] + across * (p[3] - p[0]), b = q[0] + across * (q[3] - q[0]), w = (1.0f - (a + down * (b - a))) * CLIP_SURE;
	bm8i whole = w > most;
	w = (bm8)(((bm8i)w & ~whole) | ((bm8i)most & whole));
	bm8 add = (low + f * (high - low) + (d - least)) * s * w;
	add = v + (bm8)((bm8i)add ^ (~up & INT32_MIN));
	BM_STORE(o, (bm8)(((bm8i)add & near) | ((bm8i)v & ~near)));
}

/* Moves a row of channel k from (x0, y) to x1; sigma: its grain's strength over bins. over: the row's alpha, or NULL. */
static inline void clip_row(const struct clip *t, const struct cells *c, int k, const float *sigma, int x0, int x1, int y,
                            const float *over, float *o)
{
	int cw = c->w / CELL, ly = y - c->all.y0, cy = (ly + CELL / 2) / CELL - 1, end;
	float down = ((float)(ly - cy * CELL - CELL / 2) + 0.5f) * (1.0f / CELL);
	const float *bin = c->bin + (ptrdiff_t)(ly / CELL) * cw;
	for (int x = x0; x < x1; x = end) {
		int lx = x - c->all.x0, cx = (lx + CELL / 2) / CELL - 1, middle = c->all.x0 + cx * CELL + CELL / 2;
		const float *p = c->there + 3 * ((ptrdiff_t)cy * cw + cx) + k, *q = p + 3 * cw;
		end = middle + CELL < x1 ? middle + CELL : x1;
		if (p[0] + p[3] + q[0] + q[3] >= 4.0f) continue;
		if (end - x == CELL && !over) {
			clip_eight(t, p, q, down, sigma[(int)bin[cx]], sigma[(int)bin[cx + 1]], o + (x - x0));
			continue;
		}
		for (int i = x; i < end; i++) {
			float w = clip_gone(p, q, ((float)(i - middle) + 0.5f) * (1.0f / CELL), down);
			float s = sigma[(int)bin[(i - c->all.x0) / CELL]], m = over && over[i - x0] != 0 ? over[i - x0] : 1.0f;
			o[i - x0] = clip_back(t, o[i - x0] / m, s, w) * m;
		}
	}
}

#endif
