/* px_bm3d_move - where the blocks of a tile lie in another frame: halved pictures first, then whole pixels.
 *
 * Differences are whole numbers and cells stand on multiples of 8 pixels from (0,0)
 * on, so any tiling finds the same.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_BM3D_MOVE_H
#define IN_PX_BM3D_MOVE_H

#include "px_bm3d_area.h"

/* Furthest motion: BM_FAR halved pixels, refined by BM_NEAR whole ones. BM_MOVE_MARGIN:
 * what is read around a tile. */
enum { BM_FAR = 8, BM_NEAR = 2, BM_MOVE_MARGIN = 48 };

/* 8-bit luma of a frame over `all` (even sides from an even corner) and halved.
 * Strides are w + 64 and w / 2 + 64. */
struct bm_frame { struct rect all; ptrdiff_t stride, hstride; uint8_t *luma, *half; };

IN_INLINE struct rect bm_frame_rect(struct rect r)
{
	return rect_of((r.x0 - BM_MOVE_MARGIN) & ~1, (r.y0 - BM_MOVE_MARGIN) & ~1, (r.x1 + BM_MOVE_MARGIN + 1) & ~1,
	               (r.y1 + BM_MOVE_MARGIN + 1) & ~1);
}
IN_INLINE size_t bm_frame_bytes(struct rect all)
{
	size_t w = (size_t)rect_w(all), h = (size_t)rect_h(all);
	return bm_up((w + 64) * h + 64) + bm_up((w / 2 + 64) * (h / 2) + 128);
}
static inline void bm_frame_lay(struct bm_frame *f, struct rect all, uint8_t *mem)
{
	size_t w = (size_t)rect_w(all), h = (size_t)rect_h(all);
	f->all = all;
	f->stride = (ptrdiff_t)w + 64;
	f->hstride = (ptrdiff_t)w / 2 + 64;
	f->luma = mem;
	f->half = mem + bm_up((w + 64) * h + 64);
}

/* From the mean of R, G and B, rows of rect_w(all) floats: softened by 1 2 1 either
 * way, and means of 2 x 2 of that. */
static inline void bm_frame_fill(struct bm_frame *f, const float *mean)
{
	int w = rect_w(f->all), h = rect_h(f->all);
	for (int y = 0; y < h; y++) {
		const float *p = mean + (ptrdiff_t)y * w;
		bm_soften(p, y ? p - w : p, y + 1 < h ? p + w : p, 255.0f / 16, w, f->luma + y * f->stride, (int)f->stride);
	}
	for (int y = 0; y < h / 2; y++) {
		const uint8_t *IN_RESTRICT p = f->luma + 2 * y * f->stride, *IN_RESTRICT q = p + f->stride;
		uint8_t *IN_RESTRICT o = f->half + y * f->hstride;
		for (int x = 0; x < w / 2; x++)
			o[x] = (uint8_t)((p[2 * x] + p[2 * x + 1] + q[2 * x] + q[2 * x + 1] + 2) >> 2);
		__builtin_memset(o + w / 2, 0, (size_t)(f->hstride - w / 2));
	}
}

/* Cells: 16 x 16 pixels, one every 8 from (8 cx, 8 cy) on. */
struct bm_moves { int cx, cy, w, h; int8_t *dx, *dy; };

IN_INLINE size_t bm_moves_most(struct rect r)
{ return 2 * (size_t)(rect_w(r) / 8 + 14) * (size_t)(rect_h(r) / 8 + 6); }

/* The cell that block (x, y) stands in the middle of, or nearly. */
IN_INLINE int bm_cell(int x) { return (x - 4) >> 3; }

/* Every cell's motion from frame a to frame b, in halved pixels; `cost` a pixel
 * that a motion is away from none. */
static inline void bm_move_cells(const struct bm_frame *a, const struct bm_frame *b,
                                 const struct bm_tries *t, int cost, struct rect r,
                                 struct bm_moves *m)
{
	m->cx = bm_cell(r.x0 - 7) - 1;
	m->cy = bm_cell(r.y0 - 7) - 1;
	m->w = (bm_cell(r.x1 - 1) + 2 - m->cx + 7) & ~7;
	m->h = bm_cell(r.y1 - 1) + 2 - m->cy;
	m->dy = m->dx + m->w * m->h;
	for (int j = 0; j < m->h; j++)
		for (int i = 0; i < m->w; i += BM_REFS) {
			int x = (8 * (m->cx + i) - a->all.x0) / 2, y = (8 * (m->cy + j) - a->all.y0) / 2;
			bm8i best = (bm8i){ 0 } + INT32_MAX, key;
			for (int k = 0; k < t->n; k++) {
				bm_differences(a->half + y * a->hstride + x, b->half + (y + t->dy[k]) * b->hstride + x + t->dx[k],
				               a->hstride, BM_APART4, &key);
				int far = (t->dx[k] < 0 ? -t->dx[k] : t->dx[k]) + (t->dy[k] < 0 ? -t->dy[k] : t->dy[k]);
				key = ((key + cost * far) << BM_KEY_BITS) | k;
				bm_order(&best, &key);
			}
			for (int l = 0; l < BM_REFS; l++) {
				int k = best[l] & (BM_TRIES - 1);
				m->dx[j * m->w + i + l] = t->dx[k];
				m->dy[j * m->w + i + l] = t->dy[k];
			}
		}
}

/* Difference of two 8x8 blocks. */
IN_INLINE int bm_difference(const uint8_t *p, const uint8_t *q, ptrdiff_t stride)
{
	__m128i sum = _mm_setzero_si128();
	for (int y = 0; y < 8; y += 2) {
		__m128i a = _mm_unpacklo_epi64(_mm_loadl_epi64((const void *)(p + y * stride)),
		                               _mm_loadl_epi64((const void *)(p + (y + 1) * stride)));
		__m128i b = _mm_unpacklo_epi64(_mm_loadl_epi64((const void *)(q + y * stride)),
		                               _mm_loadl_epi64((const void *)(q + (y + 1) * stride)));
		sum = _mm_add_epi64(sum, _mm_sad_epu8(a, b));
	}
	return _mm_cvtsi128_si32(sum) + _mm_cvtsi128_si32(_mm_unpackhi_epi64(sum, sum));
}

struct bm_step { int x, y; };

/* Where block (x, y) of frame a lies in frame b: the cells around are asked,
 * then the pixels about the best. */
static inline struct bm_step bm_move_block(const struct bm_frame *a, const struct bm_frame *b,
                                           const struct bm_moves *m, int cost, int x, int y)
{
	static const int8_t around[5][2] = { { 0, 0 }, { 1, 0 }, { -1, 0 }, { 0, 1 }, { 0, -1 } };
	int cx = bm_cell(x) - m->cx, cy = bm_cell(y) - m->cy, least = INT32_MAX;
	const uint8_t *p = a->luma + (y - a->all.y0) * a->stride + (x - a->all.x0);
	const uint8_t *q = b->luma + (y - b->all.y0) * b->stride + (x - b->all.x0);
	struct bm_step best = { 0, 0 }, mid;
	for (int i = -1; i < 5; i++) {
		int ix = cx + (i < 0 ? 0 : around[i][0]), iy = cy + (i < 0 ? 0 : around[i][1]), at = iy * m->w + ix;
		struct bm_step s = { i < 0 ? 0 : 2 * m->dx[at], i < 0 ? 0 : 2 * m->dy[at] };
		int d = bm_difference(p, q + s.y * b->stride + s.x, a->stride) + (i > 0 ? 2 * cost : i < 0 ? cost : 0);
		if (d < least) least = d, best = s;
	}
	for (int turn = 0; turn < BM_NEAR; turn++) {
		mid = best;
		for (int i = 0; i < 9; i++) {
			struct bm_step s = { mid.x + i % 3 - 1, mid.y + i / 3 - 1 };
			int d = i == 4 ? least : bm_difference(p, q + s.y * b->stride + s.x, a->stride) + (turn + 1) * cost;
			if (d < least) least = d, best = s;
		}
		if (best.x == mid.x && best.y == mid.y) break;
	}
	return best;
}

#endif
