/* px_warp - pixels between pixels: bilinear and Catmull-Rom samples of a view, edges held.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_WARP_H
#define IN_PX_WARP_H

#include "image.h"
#include "px_math.h"

IN_INLINE int px_warp_within(int i, int lo, int hi) { return i < lo ? lo : i < hi ? i : hi - 1; }

/* Channel c at pixel index (x, y), which may be broken; 0 of an empty view. */
IN_INLINE float px_warp_linear(const struct view *v, int c, float x, float y)
{
	if (rect_empty(v->r)) return 0.0f;
	x = px_clamp(x, (float)v->r.x0, (float)(v->r.x1 - 1));
	y = px_clamp(y, (float)v->r.y0, (float)(v->r.y1 - 1));
	float fx = px_floor(x), fy = px_floor(y);
	int x0 = (int)fx, y0 = (int)fy, x1 = x0 + 1 < v->r.x1 ? x0 + 1 : x0, y1 = y0 + 1 < v->r.y1 ? y0 + 1 : y0;
	const float *a = view_at(v, c, v->r.x0, y0) - v->r.x0, *b = view_at(v, c, v->r.x0, y1) - v->r.x0;
	fx = x - fx;
	fy = y - fy;
	float top = a[x0] + (a[x1] - a[x0]) * fx, bot = b[x0] + (b[x1] - b[x0]) * fx;
	return top + (bot - top) * fy;
}

/* Where a Catmull-Rom sample is taken: sixteen places and their weights, for all channels. */
struct px_warp { ptrdiff_t row[4]; int col[4]; float wx[4], wy[4]; };

IN_INLINE void px_warp_weights(float f, float w[4])
{
	w[0] = f * (f * (1.0f - 0.5f * f) - 0.5f);
	w[1] = 1.0f + f * f * (1.5f * f - 2.5f);
	w[2] = f * (0.5f + f * (2.0f - 1.5f * f));
	w[3] = f * f * (0.5f * f - 0.5f);
}
/* The view is not empty. */
IN_INLINE void px_warp_at(const struct view *v, float x, float y, struct px_warp *o)
{
	x = px_clamp(x, (float)v->r.x0, (float)(v->r.x1 - 1));
	y = px_clamp(y, (float)v->r.y0, (float)(v->r.y1 - 1));
	float fx = px_floor(x), fy = px_floor(y);
	int x0 = (int)fx - 1, y0 = (int)fy - 1;
	for (int i = 0; i < 4; i++) {
		o->col[i] = px_warp_within(x0 + i, v->r.x0, v->r.x1) - v->r.x0;
		o->row[i] = (ptrdiff_t)(px_warp_within(y0 + i, v->r.y0, v->r.y1) - v->r.y0) * v->stride;
	}
	px_warp_weights(x - fx, o->wx);
	px_warp_weights(y - fy, o->wy);
}
IN_INLINE float px_warp_cubic(const struct view *v, int c, const struct px_warp *o)
{
	float sum[4];
	for (int j = 0; j < 4; j++) {
		const float *p = v->plane[c] + o->row[j];
		sum[j] = (p[o->col[0]] * o->wx[0] + p[o->col[1]] * o->wx[1]) +
			(p[o->col[2]] * o->wx[2] + p[o->col[3]] * o->wx[3]);
	}
	return (sum[0] * o->wy[0] + sum[1] * o->wy[1]) + (sum[2] * o->wy[2] + sum[3] * o->wy[3]);
}

#endif
