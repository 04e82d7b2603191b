/* px_grain_rows - rows of plain grain: a symmetric kernel down and across.
 *
 * Every value is summed in one fixed order, whatever the vectors: pairs of equal weight are added
 * first, from the tail inwards. w: the kernel from its middle on, radius + 1 weights.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRAIN_ROWS_H
#define IN_PX_GRAIN_ROWS_H

#include "px_past.h"
#include "px_vec.h"

enum { GRAIN_DOWN = 2, GRAIN_ACROSS = 2, GRAIN_WIDE = 4 };

#define GRAIN_VNF(p, b) (*(const vnf *)((p) + (b) * IN_LANES))

/* d[x], e[x]: rows p[0 .. 2 radius] and p[1 .. 2 radius + 1] through w: what both read is loaded
 * once. Vectors come in twos, so up to one of them beyond n. */
IN_INLINE void px_grain_down_of(int radius, const float *w, const float *const *p, int n, float *d, float *e)
{
	enum { M = GRAIN_DOWN };
	for (int x = 0; x < n; x += M * IN_LANES) {
		vnf acc[M] = { { 0 } }, bcc[M] = { { 0 } }, top[M], low[M];
		for (int b = 0; b < M; b++) top[b] = GRAIN_VNF(p[0] + x, b), low[b] = GRAIN_VNF(p[2 * radius + 1] + x, b);
		for (int i = radius; i > 0; i--)
			for (int b = 0; b < M; b++) {
				vnf up = GRAIN_VNF(p[radius + 1 - i] + x, b), down = GRAIN_VNF(p[radius + i] + x, b);
				vnf one = w[i] * (top[b] + down), two = w[i] * (up + low[b]);
				if (i < radius) one += acc[b], two += bcc[b];
				acc[b] = one;
				bcc[b] = two;
				top[b] = up;
				low[b] = down;
			}
		for (int b = 0; b < M; b++) {
			*(vnf *)(d + x + b * IN_LANES) = acc[b] + w[0] * top[b];
			*(vnf *)(e + x + b * IN_LANES) = bcc[b] + w[0] * low[b];
		}
	}
}

/* Where a row of field goes: out = in + dev times it, in m channels; past: rows that fit go past the caches. */
struct px_grain_sink { int m; const float *in[3], *dev[3]; float *out[3]; bool past; };

/* n pixels of a field: row s through w, radius more of them on each side; v vectors at once. How
 * many it has done: whole ones. */
IN_INLINE int px_grain_across_of(int radius, const float *w, const float *s, int n, int v, int m, bool past,
                                 const struct px_grain_sink *to)
{
	const struct px_grain_sink t = *to;
	int x = 0;
	for (; x + v * IN_LANES <= n; x += v * IN_LANES) {
		vnf acc[GRAIN_WIDE] = { { 0 } };
		const float *c = s + x;
		for (int i = radius; i > 0; i--)
			for (int b = 0; b < v; b++) {
				vnf one = w[i] * (GRAIN_VNF(c - i, b) + GRAIN_VNF(c + i, b));
				if (i < radius) one += acc[b];
				acc[b] = one;
			}
		for (int b = 0; b < v; b++) acc[b] += w[0] * GRAIN_VNF(c, b);
		for (int j = 0; j < m; j++)
			for (int b = 0; b < v; b++)
				px_past_or(t.out[j] + x + b * IN_LANES,
				           GRAIN_VNF(t.in[j] + x, b) + GRAIN_VNF(t.dev[j] + x, b) * acc[b], past);
	}
	return x;
}

/* A radius known when this is compiled: weights, and what rows there are, stay in registers. */
#define GRAIN_FIXED(radius) \
	static IN_NOINLINE IN_UNUSED void px_grain_down_##radius(const float *w, const float *const *p, int n, \
	                                                         float *d, float *e) \
	{ \
		float copy[radius + 1]; \
		const float *row[2 * radius + 2]; \
		for (int i = 0; i <= radius; i++) copy[i] = w[i]; \
		for (int i = 0; i < 2 * radius + 2; i++) row[i] = p[i]; \
		px_grain_down_of(radius, copy, row, n, d, e); \
	} \
	static IN_NOINLINE IN_UNUSED int px_grain_across_##radius(const float *w, const float *s, int n, \
	                                                          const struct px_grain_sink *sink) \
	{ \
		float copy[radius + 1]; \
		for (int i = 0; i <= radius; i++) copy[i] = w[i]; \
		return sink->past ? px_grain_across_of(radius, copy, s, n, GRAIN_ACROSS, 1, true, sink) \
		                  : px_grain_across_of(radius, copy, s, n, GRAIN_ACROSS, 1, false, sink); \
	}
GRAIN_FIXED(0)
GRAIN_FIXED(1)
GRAIN_FIXED(2)
GRAIN_FIXED(3)
GRAIN_FIXED(4)
GRAIN_FIXED(5)
GRAIN_FIXED(6)

static IN_NOINLINE IN_UNUSED void px_grain_down(int radius, const float *w, const float *const *p, int n,
                                                float *d, float *e)
{
	switch (radius) {
	case 0: px_grain_down_0(w, p, n, d, e); return;
	case 1: px_grain_down_1(w, p, n, d, e); return;
	case 2: px_grain_down_2(w, p, n, d, e); return;
	case 3: px_grain_down_3(w, p, n, d, e); return;
	case 4: px_grain_down_4(w, p, n, d, e); return;
	case 5: px_grain_down_5(w, p, n, d, e); return;
	case 6: px_grain_down_6(w, p, n, d, e); return;
	default: px_grain_down_of(radius, w, p, n, d, e);
	}
}

static IN_UNUSED int px_grain_across_some(int radius, const float *w, const float *s, int n,
                                          const struct px_grain_sink *to)
{
	if (to->m > 1) return px_grain_across_of(radius, w, s, n, GRAIN_WIDE, 3, to->past, to);
	switch (radius) {
	case 0: return px_grain_across_0(w, s, n, to);
	case 1: return px_grain_across_1(w, s, n, to);
	case 2: return px_grain_across_2(w, s, n, to);
	case 3: return px_grain_across_3(w, s, n, to);
	case 4: return px_grain_across_4(w, s, n, to);
	case 5: return px_grain_across_5(w, s, n, to);
	case 6: return px_grain_across_6(w, s, n, to);
	default: return px_grain_across_of(radius, w, s, n, GRAIN_WIDE, 1, to->past, to);
	}
}

static IN_NOINLINE IN_UNUSED void px_grain_across(int radius, const float *w, const float *s, int n,
                                                  const struct px_grain_sink *t)
{
	for (int x = px_grain_across_some(radius, w, s, n, t); x < n; x++) {
		float acc = 0;
		for (int i = radius; i > 0; i--) acc += w[i] * (s[x - i] + s[x + i]);
		acc += w[0] * s[x];
		for (int j = 0; j < t->m; j++) t->out[j][x] = t->in[j][x] + t->dev[j][x] * acc;
	}
}

#endif
