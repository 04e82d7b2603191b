/* px_bm3d_area - a tile's worth of block groups: planes around it, matches,
 * and the sums that estimates go to.
 *
 * Reference blocks stand on every fourth pixel from (0,0) on. A tile computes the groups of all
 * of them that may write into it, in rows from the top, so that every pixel adds up the same
 * numbers in the same order in any tiling.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_BM3D_AREA_H
#define IN_PX_BM3D_AREA_H

#include "degrain.h"
#include "px_bm3d.h"
#include "image.h"

/* Kaiser's taper across a block, beta 2. */
static const float bm_taper[8] = { 0x1.c1345ap-2f, 0x1.5cd688p-1f, 0x1.c0f128p-1f, 0x1.f8bdbap-1f,
	0x1.f8bdbap-1f, 0x1.c0f128p-1f, 0x1.5cd688p-1f, 0x1.c1345ap-2f };

/* r: what is written; all: pixels of the planes; data: pixels that exist. Strides in elements. */
struct bm_area {
	struct rect r, all, data;
	ptrdiff_t stride, lstride, astride;
	float *plane[2][3];                  /* noisy, basic; in basic's absence only the first */
	uint8_t *luma;
	float *sum[3], *weight[2];           /* over r grown by 8 */
};

enum { BM_EDGE = 8 };
IN_INLINE int bm_margin(int reach) { return 2 * reach + BM_EDGE + 1; }
IN_INLINE size_t bm_up(size_t n) { return (n + 15) & ~(size_t)15; }

static inline size_t bm_area_bytes(struct rect r, int reach, int nplane)
{
	size_t m = 2 * (size_t)bm_margin(reach), w = (size_t)rect_w(r), h = (size_t)rect_h(r);
	size_t plane = bm_up(w + m + 64) * (h + m), sums = bm_up(w + 2 * BM_EDGE) * (h + 2 * BM_EDGE);
	return (plane * (size_t)nplane * 3 + sums * 5 + 64) * sizeof(float) + bm_up(plane + 64);
}

static inline void bm_area_lay(struct bm_area *a, struct rect r, struct rect data, int reach,
                               int nplane, void *mem)
{
	int m = bm_margin(reach);
	float *at = mem;
	a->r = r;
	a->data = data;
	a->all = rect_grow(r, m, m);
	a->stride = a->lstride = (ptrdiff_t)bm_up((size_t)rect_w(a->all) + 64);
	a->astride = (ptrdiff_t)bm_up((size_t)rect_w(r) + 2 * BM_EDGE);
	size_t plane = (size_t)a->stride * (size_t)rect_h(a->all),
		sums = (size_t)a->astride * (size_t)(rect_h(r) + 2 * BM_EDGE);
	for (int i = 0; i < 3 * nplane; i++, at += plane) a->plane[i / 3][i % 3] = at;
	for (int i = 0; i < 5; i++, at += sums) *(i < 3 ? &a->sum[i] : &a->weight[i - 3]) = at;
	__builtin_memset(a->sum[0], 0, 5 * sums * sizeof *at);
	a->luma = (uint8_t *)at;
}

/* Where a coordinate beyond [a, b) finds its mirror image, held where that is too far out. */
IN_INLINE int bm_mirror(int x, int a, int b)
{
	if (x < a) x = 2 * a - 1 - x;
	if (x >= b) x = 2 * b - 1 - x;
	return x < a ? a : x >= b ? b - 1 : x;
}

/* No number and what is far beyond any signal count as something that can be added up. */
IN_INLINE float bm_sane(float v)
{ return v > -1024.0f ? v < 1024.0f ? v : 1024.0f : v <= -1024.0f ? -1024.0f : 0.0f; }

/* A plane of `in` over all, mirrored at the data window's edges. */
static inline void bm_fill(const struct bm_area *a, const struct view *in, int ch, float *to)
{
	struct rect r = a->all, d = a->data;
	for (int y = r.y0; y < r.y1; y++, to += a->stride) {
		int from = r.x0 > d.x0 ? r.x0 : d.x0, end = r.x1 < d.x1 ? r.x1 : d.x1;
		int row = bm_mirror(y, d.y0, d.y1);
		const float *s = view_at(in, ch, 0, row);
		for (int x = r.x0; x < from; x++) to[x - r.x0] = bm_sane(s[bm_mirror(x, d.x0, d.x1)]);
		for (int x = from; x < end; x++) to[x - r.x0] = bm_sane(s[x]);
		for (int x = end > from ? end : from; x < r.x1; x++) to[x - r.x0] = bm_sane(s[bm_mirror(x, d.x0, d.x1)]);
		for (int x = rect_w(r); x < a->stride; x++) to[x] = 0;
	}
}

/* A row of p as 8 bits, softened by 1 2 1 either way (u, d: the rows above and
 * below): 0 at its ends and up to all. */
IN_INLINE void bm_soften(const float *IN_RESTRICT p, const float *IN_RESTRICT u,
                         const float *IN_RESTRICT d, float gain, int w,
                         uint8_t *IN_RESTRICT o, int all)
{
	for (int x = 1; x < w - 1; x++) {
		float b = u[x - 1] + 2.0f * p[x - 1] + d[x - 1], c = u[x] + 2.0f * p[x] + d[x];
		float e = u[x + 1] + 2.0f * p[x + 1] + d[x + 1], v = (b + 2.0f * c + e) * gain;
		v = v > 0.0f ? v : 0.0f;
		v = v < 255.0f ? v : 255.0f;
		o[x] = (uint8_t)(int)(v + 0.5f);
	}
	o[0] = 0;
	for (int x = w > 1 ? w - 1 : 1; x < all; x++) o[x] = 0;
}

/* 8-bit luma for matching: the plane's mean of R, G, B, softened where the plane is noisy. */
static inline void bm_luma(const struct bm_area *a, const float *s, bool soften)
{
	const float gain = 255.0f * 0x1.279a74p-1f;                       /* 1 / sqrt(3) */
	int w = rect_w(a->all), h = rect_h(a->all);
	for (int y = 0; y < h; y++) {
		const float *IN_RESTRICT p = s + y * a->stride;
		uint8_t *IN_RESTRICT o = a->luma + y * a->lstride;
		if (soften) {
			bm_soften(p, y ? p - a->stride : p, y + 1 < h ? p + a->stride : p, gain / 16, w, o, (int)a->lstride);
			continue;
		}
		for (int x = 0; x < w; x++) {
			float v = p[x] * gain;
			v = v > 0.0f ? v : 0.0f;
			v = v < 255.0f ? v : 255.0f;
			o[x] = (uint8_t)(int)(v + 0.5f);
		}
		for (ptrdiff_t x = w; x < a->lstride; x++) o[x] = 0;
	}
}

/* R, G, B to luma and two colour differences, orthonormal; and back. */
IN_INLINE void bm_opponent(float *r, float *g, float *b)
{
	float p = *r, q = *g, s = *b;
	*r = (p + q + s) * 0x1.279a74p-1f;
	*g = (p - s) * 0x1.6a09e6p-1f;
	*b = (p + s - 2.0f * q) * 0x1.a20bd8p-2f;
}
IN_INLINE void bm_opponent_back(float *a, float *b, float *c)
{
	float l = *a * 0x1.279a74p-1f, p = *b * 0x1.6a09e6p-1f, q = *c * 0x1.a20bd8p-2f;
	*a = l + p + q;
	*b = l - 2.0f * q;
	*c = l - p + q;
}

/* Every second block of the grid leads a group, like a chessboard's black fields. */
IN_INLINE bool bm_leads(int x, int y) { return !(((x ^ y) >> 2) & 1); }

/* Up to n blocks of a group, at (x, y) in the planes, and how they stand to the tile. */
struct bm_group { int n, x[BM_MOST], y[BM_MOST]; bool writes[BM_MOST]; };

/* False: no block of it touches the tile. */
IN_INLINE bool bm_group_of(const struct bm_area *a, const struct bm_tries *t, const bm8i *best,
                           int n, int lane, int x, int y, struct bm_group *g)
{
	bool any = false;
	g->n = n;
	for (int i = 0; i < n; i++) {
		int k = ((const int *)&best[i])[lane] & (BM_TRIES - 1), bx = x + t->dx[k], by = y + t->dy[k];
		g->writes[i] = bx + 8 > a->r.x0 && bx < a->r.x1 && by + 8 > a->r.y0 && by < a->r.y1;
		any |= g->writes[i];
		g->x[i] = bx - a->all.x0;
		g->y[i] = by - a->all.y0;
	}
	return any;
}

/* Adds a block's estimate, tapered and weighted; its weights too if asked. */
IN_INLINE void bm_add(const struct bm_area *a, int x, int y, const bm8 *v, float weight,
                      float *sum, float *den)
{
	const bm8 taper = BM_LOAD(bm_taper);
	ptrdiff_t at = (y + a->all.y0 - a->r.y0 + BM_EDGE) * a->astride + (x + a->all.x0 - a->r.x0 + BM_EDGE);
	for (int i = 0; i < 8; i++, at += a->astride) {
		bm8 w = taper * (bm_taper[i] * weight);
		BM_STORE(sum + at, BM_LOAD(sum + at) + v[i] * w);
		if (den) BM_STORE(den + at, BM_LOAD(den + at) + w);
	}
}

/* sigma of the coefficients of the three channels where the blocks' first coefficients are so. */
IN_INLINE const float *bm_noise_at(const struct degrain_noise *n, float a, float b, float c)
{
	float l = (n->luma[0] * a + n->luma[1] * b + n->luma[2] * c) * 0.125f;
	float k = px_clamp((l - n->low) * n->scale, 0.0f, (float)(DEGRAIN_BINS - 1));
	return n->sigma[(int)k][0];
}

/* The share of the grain's variance that averaging in time has left of the block
 * at (x, y); 1 without such a plane. */
IN_INLINE float bm_share(const struct bm_area *a, const struct view *in, int x, int y)
{
	if (in->nch < 4) return 1.0f;
	float v = *view_at(in, 3, bm_mirror(x + 4, a->data.x0, a->data.x1),
	                   bm_mirror(y + 4, a->data.y0, a->data.y1));
	return v > 0.01f ? v < 1.0f ? v : 1.0f : 0.01f;
}

/* Reference positions on the grid from first to last that may write into [a, b) and see data of [d0, d1). */
struct bm_span { int first, last; };
IN_INLINE struct bm_span bm_refs(int a, int b, int d0, int d1, int reach)
{
	int lo = a - 7 - reach, hi = b - 1 + reach;
	if (lo < d0 - 7) lo = d0 - 7;
	if (hi > d1 - 1) hi = d1 - 1;
	return (struct bm_span){ (lo + 3) & ~3, hi & ~3 };
}

#endif
