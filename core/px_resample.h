/* px_resample - applies resampling tables to a tile: horizontally eight rows at a time, then
 * vertically. Every output pixel is summed over its taps in ascending order, whatever the tile.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_RESAMPLE_H
#define IN_PX_RESAMPLE_H

#include <stdatomic.h>

#include "image.h"
#include "resample.h"

/* Takes a share of what exceeds the neighbourhood's extremes away. */
IN_INLINE float px_ring(float v, float lo, float hi, float share)
{
	float over = v > hi ? v - hi : 0.0f, under = v < lo ? v - lo : 0.0f;
	return v - (over + under) * share;
}

/* Eight source rows from y, columns [x0, x1), as columns of eight. Rows past end are 0. */
static void px_resample_gather(const struct view *in, int ch, int x0, int x1, int y, int end,
                               float *IN_RESTRICT t)
{
	for (int k = 0; k < 8; k++) {
		int w = x1 - x0;
		if (y + k >= end) {
			for (int x = 0; x < w; x++) t[x * 8 + k] = 0;
			continue;
		}
		const float *s = view_at(in, ch, x0, y + k);
		for (int x = 0; x < w; x++) t[x * 8 + k] = s[x];
	}
}

/* One output column of eight rows. */
IN_INLINE void px_resample_column(const struct resample_axis *a, float share, int i,
                                  const float *IN_RESTRICT t, int x0, float *IN_RESTRICT out)
{
	const float *w = a->w + (size_t)i * (size_t)a->taps;
	const float *s = t + (ptrdiff_t)(a->left[i] - x0) * 8;
	float acc[8], lo[8], hi[8];
	for (int k = 0; k < 8; k++) acc[k] = w[0] * s[k];
	for (int n = 1; n < a->taps; n++)
		for (int k = 0; k < 8; k++) acc[k] += w[n] * s[n * 8 + k];
	if (share > 0 && a->nn[i] > 0) {
		const float *q = t + (ptrdiff_t)(a->n0[i] - x0) * 8;
		for (int k = 0; k < 8; k++) lo[k] = hi[k] = q[k];
		for (int n = 1; n < a->nn[i]; n++)
			for (int k = 0; k < 8; k++) {
				float v = q[n * 8 + k];
				lo[k] = v < lo[k] ? v : lo[k];
				hi[k] = v > hi[k] ? v : hi[k];
			}
		for (int k = 0; k < 8; k++) acc[k] = px_ring(acc[k], lo[k], hi[k], share);
	}
	for (int k = 0; k < 8; k++) out[k] = acc[k];
}

/* Ring buffer of horizontally resampled rows. */
struct px_ring_rows { float *row; ptrdiff_t stride; int cap; };

IN_INLINE float *px_ring_row(const struct px_ring_rows *r, int y)
{ return r->row + (ptrdiff_t)(y % r->cap) * r->stride; }

static void px_resample_rows(const struct resample *rs, const struct px_ring_rows *ring,
    const float *t,
                             int x0, struct rect r, int y, int n)
{
	const struct resample_axis *a = &rs->x;
	float *dst[8], col[8];
	for (int k = 0; k < n; k++) dst[k] = px_ring_row(ring, y + k);
	for (int x = r.x0; x < r.x1; x++) {
		px_resample_column(a, rs->ringing, x - a->o0, t, x0, col);
		for (int k = 0; k < n; k++) dst[k][x - r.x0] = col[k];
	}
}

/* One output row out of the ring. */
static void px_resample_vertical(const struct resample *rs, const struct px_ring_rows *ring,
    int base, int i,
                                 int width, float *IN_RESTRICT out)
{
	const struct resample_axis *a = &rs->y;
	const float *w = a->w + (size_t)i * (size_t)a->taps;
	int left = a->left[i] - base, first = a->n0[i] - base;
	const float *s = px_ring_row(ring, left);
	for (int x = 0; x < width; x++) out[x] = w[0] * s[x];
	for (int n = 1; n < a->taps; n++) {
		s = px_ring_row(ring, left + n);
		float k = w[n];
		for (int x = 0; x < width; x++) out[x] += k * s[x];
	}
	if (!(rs->ringing > 0) || a->nn[i] <= 0) return;
	for (int x0 = 0; x0 < width; x0 += 64) {
		int n = width - x0 < 64 ? width - x0 : 64;
		float lo[64], hi[64];
		s = px_ring_row(ring, first) + x0;
		for (int x = 0; x < n; x++) lo[x] = hi[x] = s[x];
		for (int k = 1; k < a->nn[i]; k++) {
			s = px_ring_row(ring, first + k) + x0;
			for (int x = 0; x < n; x++) {
				lo[x] = s[x] < lo[x] ? s[x] : lo[x];
				hi[x] = s[x] > hi[x] ? s[x] : hi[x];
			}
		}
		for (int x = 0; x < n; x++) out[x0 + x] = px_ring(out[x0 + x], lo[x], hi[x], rs->ringing);
	}
}

/* Writes rect r of all planes; in covers resample_need(rs, r), scratch has resample_scratch
 * bytes. -1 when cancelled. */
static IN_UNUSED int px_resample(const struct resample *rs, const struct view *in,
                                 const struct view *out, struct rect r, void *scratch,
                                 const atomic_int *cancel)
{
	struct rect s = resample_need(rs, r);
	int width = rect_w(r), blockw = rect_w(s);
	struct px_ring_rows ring = { scratch, (width + 15) & ~15, rs->y.taps + 8 };
	float *t = ring.row + (ptrdiff_t)ring.cap * ring.stride;
	for (int ch = 0; ch < out->nch; ch++) {
		int next = s.y0;
		for (int y = r.y0; y < r.y1; y++) {
			int i = y - rs->y.o0, end = rs->y.left[i] + rs->y.taps;
			for (; next < end; next += 8) {
				int n = s.y1 - next < 8 ? s.y1 - next : 8;
				px_resample_gather(in, ch, s.x0, s.x0 + blockw, next, s.y1, t);
				px_resample_rows(rs, &ring, t, s.x0, r, next - s.y0, n);
				if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return -1;
			}
			px_resample_vertical(rs, &ring, s.y0, i, width, view_at(out, ch, r.x0, y));
		}
	}
	return 0;
}

#endif
