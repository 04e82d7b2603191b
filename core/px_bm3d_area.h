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

/* Planes d0 d1 d2 of a picture that exists over data. */
struct bm_source { const struct view *in; struct rect data; };

/* r: what is written; all: what is looked at; data: where blocks are led from; inner: where blocks may be
 * read as they lie. Strides in elements. Sums stand in a ring of rows, BM_KINDS a row, over r's columns and 8
 * more either way; rows before `next` are written. */
struct bm_area {
	struct rect r, all, data, inner;
	ptrdiff_t lstride, astride;
	struct bm_source from[2];            /* noisy, basic; in basic's absence only the first */
	uint8_t *luma;
	float *rows[3], *ring;
	int next;
};

/* BM_RING: at least as many rows as groups that stand in one row may write. */
enum { BM_EDGE = 8, BM_RING = 64 };
enum { BM_SUM0, BM_WEIGHT0, BM_SUM1, BM_SUM2, BM_WEIGHT1, BM_KINDS };
IN_INLINE int bm_margin(int reach) { return 2 * reach + BM_EDGE + 1; }
IN_INLINE size_t bm_up(size_t n) { return (n + 15) & ~(size_t)15; }

static inline size_t bm_area_bytes(struct rect r, int reach)
{
	size_t m = 2 * (size_t)bm_margin(reach), w = (size_t)rect_w(r), h = (size_t)rect_h(r);
	size_t sums = bm_up(w + 2 * BM_EDGE) * BM_KINDS * BM_RING;
	return (sums + 3 * bm_up(w + m)) * sizeof(float) + bm_up(w + m + 64) * (h + m) + 64;
}

static inline void bm_area_lay(struct bm_area *a, struct rect r, int reach, void *mem)
{
	int m = bm_margin(reach);
	float *at = mem;
	a->r = r;
	a->all = rect_grow(r, m, m);
	a->lstride = (ptrdiff_t)bm_up((size_t)rect_w(a->all) + 64);
	a->astride = (ptrdiff_t)bm_up((size_t)rect_w(r) + 2 * BM_EDGE);
	a->ring = at;
	at += a->astride * BM_KINDS * BM_RING;
	__builtin_memset(a->ring, 0, (size_t)(at - a->ring) * sizeof *at);
	for (int i = 0; i < 3; i++, at += bm_up((size_t)rect_w(a->all))) a->rows[i] = at;
	a->luma = (uint8_t *)at;
	a->next = r.y0 - BM_EDGE;
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
{
	float c = px_clamp(v, -1024.0f, 1024.0f);
	return v == v ? c : 0.0f;
}

/* Row y of a channel over all's columns, mirrored at the data window's edges. */
static inline void bm_row(const struct bm_area *a, const struct bm_source *s, int ch, int y,
                          float *IN_RESTRICT to)
{
	struct rect r = a->all, d = s->data;
	int from = r.x0 > d.x0 ? r.x0 : d.x0, end = r.x1 < d.x1 ? r.x1 : d.x1;
	const float *p = view_at(s->in, ch, 0, bm_mirror(y, d.y0, d.y1));
	for (int x = r.x0; x < from; x++) to[x - r.x0] = p[bm_mirror(x, d.x0, d.x1)];
	for (int x = from; x < end; x++) to[x - r.x0] = p[x];
	for (int x = end > from ? end : from; x < r.x1; x++) to[x - r.x0] = p[bm_mirror(x, d.x0, d.x1)];
}

/* The block at (x, y) of a channel, mirrored at the data window's edges. */
static IN_NOINLINE void bm_mirrored(const struct bm_source *s, int ch, int x, int y, bm8 *v)
{
	int at[8];
	bool within = x >= s->data.x0 && x + 8 <= s->data.x1;
	for (int k = 0; k < 8; k++) at[k] = bm_mirror(x + k, s->data.x0, s->data.x1) - s->data.x0;
	for (int i = 0; i < 8; i++) {
		const float *p = view_at(s->in, ch, s->data.x0, bm_mirror(y + i, s->data.y0, s->data.y1));
		if (within) v[i] = BM_LOAD(p + (x - s->data.x0));
		else v[i] = (bm8){ p[at[0]], p[at[1]], p[at[2]], p[at[3]], p[at[4]], p[at[5]], p[at[6]], p[at[7]] };
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

/* 8-bit luma for matching: the mean of R, G, B that channel 0 of the source stands for, softened where
 * it is noisy. */
static inline void bm_luma(const struct bm_area *a, const struct bm_source *s, bool soften)
{
	const float gain = 255.0f * 0x1.279a74p-1f;                       /* 1 / sqrt(3) */
	int w = rect_w(a->all), h = rect_h(a->all);
	if (soften) bm_row(a, s, 0, a->all.y0, a->rows[0]);
	for (int y = 0; y < h; y++) {
		float *IN_RESTRICT p = a->rows[y % 3], *next = a->rows[(y + 1) % 3];
		uint8_t *IN_RESTRICT o = a->luma + y * a->lstride;
		if (soften) {
			if (y + 1 < h) bm_row(a, s, 0, a->all.y0 + y + 1, next);
			bm_soften(p, y ? a->rows[(y + 2) % 3] : p, y + 1 < h ? next : p, gain / 16, w, o,
			          (int)a->lstride);
			continue;
		}
		bm_row(a, s, 0, a->all.y0 + y, p);
		for (int x = 0; x < w; x++) {
			float v = p[x] * gain;
			v = v > 0.0f ? v : 0.0f;
			v = v < 255.0f ? v : 255.0f;
			o[x] = (uint8_t)(int)(v + 0.5f);
		}
		for (ptrdiff_t x = w; x < a->lstride; x++) o[x] = 0;
	}
}

/* The same of eight. */
IN_INLINE void bm_sane8(bm8 *v)
{
	const bm8 most = (bm8){ 0 } + 1024.0f;
	bm8i far = ~(BM_ABS(*v) < most), number = *v == *v, sign = (bm8i)*v & INT32_MIN;
	*v = (bm8)(((bm8i)*v & ~far) | (((bm8i)most | sign) & far & number));
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

/* The same of eight at a time. */
IN_INLINE void bm_opponent8(bm8 *r, bm8 *g, bm8 *b)
{
	bm8 p = *r, q = *g, s = *b;
	*r = (p + q + s) * 0x1.279a74p-1f;
	*g = (p - s) * 0x1.6a09e6p-1f;
	*b = (p + s - 2.0f * q) * 0x1.a20bd8p-2f;
}

/* Every second block of the grid leads a group, like a chessboard's black fields. */
IN_INLINE bool bm_leads(int x, int y) { return !(((x ^ y) >> 2) & 1); }

/* Or half of those, which just cover the picture: in rows whose y is a multiple of 8, every second row shifted by half
 * a block (rows beneath each other lose 0.035 dB more). */
IN_INLINE bool bm_brick(int x, int y) { return !(((x >> 2) ^ (y >> 3)) & 1); }

/* Up to n blocks of a group, at (x, y); which of them touch the tile, and which can be read as they lie. */
struct bm_group { int n, x[BM_MOST], y[BM_MOST]; bool writes[BM_MOST], inner[BM_MOST]; };

IN_INLINE bool bm_within(struct rect r, int x, int y)
{ return x >= r.x0 && x + 8 <= r.x1 && y >= r.y0 && y + 8 <= r.y1; }

/* False: no block of it touches the tile. */
IN_INLINE bool bm_group_of(const struct bm_area *a, const struct bm_tries *t, const bm8i *best,
                           int n, int lane, int x, int y, struct bm_group *g)
{
	bool any = false;
	g->n = n;
	for (int i = 0; i < n; i++) {
		int k = ((const int *)&best[i])[lane] & (BM_TRIES - 1), bx = x + t->dx[k], by = y + t->dy[k];
		g->writes[i] = bx + 8 > a->r.x0 && bx < a->r.x1 && by + 8 > a->r.y0 && by < a->r.y1;
		g->inner[i] = bm_within(a->inner, bx, by);
		any |= g->writes[i];
		g->x[i] = bx;
		g->y[i] = by;
	}
	return any;
}

/* Block i of a group in a channel of a source. */
IN_INLINE void bm_block(const struct bm_source *s, int ch, const struct bm_group *g, int i, bm8 *v)
{
	const float *p = view_at(s->in, ch, g->x[i], g->y[i]);
	if (__builtin_expect(!g->inner[i], 0)) { bm_mirrored(s, ch, g->x[i], g->y[i], v); return; }
	for (int k = 0; k < 8; k++) v[k] = BM_LOAD(p + k * s->in->stride);
}

/* The sums of row y, from the tile's first column on. */
IN_INLINE float *bm_sums(const struct bm_area *a, int y, int kind)
{ return a->ring + ((ptrdiff_t)(y & (BM_RING - 1)) * BM_KINDS + kind) * a->astride + BM_EDGE; }

/* The tapered weights of a block's first four rows; the others mirror them. */
IN_INLINE void bm_weights(float weight, bm8 *w)
{ for (int i = 0; i < 4; i++) w[i] = BM_LOAD(bm_taper) * (bm_taper[i] * weight); }

/* Adds a block's estimate by those weights to the sums of a kind, and the weights to those of den, or
 * to none where that is -1. wraps: it lies across the ring's end. */
IN_INLINE void bm_add_rows(const struct bm_area *a, int x, int y, const bm8 *v, const bm8 *weights, int kind,
                           int den, bool wraps)
{
	ptrdiff_t stride = a->astride, row = stride * BM_KINDS;
	float *sum = bm_sums(a, y, kind) + x - a->r.x0;
	for (int i = 0; i < 8; i++) {
		bm8 w = weights[i < 4 ? i : 7 - i];
		float *p = wraps ? bm_sums(a, y + i, kind) + x - a->r.x0 : sum + i * row;
		BM_STORE(p, BM_LOAD(p) + v[i] * w);
		if (den >= 0) BM_STORE(p + (den - kind) * stride, BM_LOAD(p + (den - kind) * stride) + w);
	}
}
IN_INLINE void bm_add(const struct bm_area *a, int x, int y, const bm8 *v, const bm8 *weights, int kind,
                      int den)
{
	if (__builtin_expect((y & (BM_RING - 1)) <= BM_RING - 8, 1)) bm_add_rows(a, x, y, v, weights, kind, den, false);
	else bm_add_rows(a, x, y, v, weights, kind, den, true);
}

/* Are the sums of row a->next whole, where groups from row y on are still to come? bm_done goes on to
 * the next. */
IN_INLINE bool bm_whole(struct bm_area *a, int y, int reach)
{ return a->next < a->r.y1 && a->next < y - reach; }
IN_INLINE void bm_done(struct bm_area *a)
{
	__builtin_memset(bm_sums(a, a->next, 0) - BM_EDGE, 0, (size_t)(BM_KINDS * a->astride) * sizeof(float));
	a->next++;
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
