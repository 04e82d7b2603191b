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

/* Row y from the mean of R, G and B in it (p), above (u) and below (d), rect_w(all) floats each: softened
 * by 1 2 1 either way. */
IN_INLINE void bm_frame_row(struct bm_frame *f, int y, const float *p, const float *u, const float *d)
{ bm_soften(p, u, d, 255.0f / 16, rect_w(f->all), f->luma + y * f->stride, (int)f->stride); }

/* Row y of the halved picture: means of 2 x 2. */
IN_INLINE void bm_frame_half(struct bm_frame *f, int y)
{
	int w = rect_w(f->all);
	const uint8_t *IN_RESTRICT p = f->luma + 2 * y * f->stride, *IN_RESTRICT q = p + f->stride;
	uint8_t *IN_RESTRICT o = f->half + y * f->hstride;
	for (int x = 0; x < w / 2; x++)
		o[x] = (uint8_t)((p[2 * x] + p[2 * x + 1] + q[2 * x] + q[2 * x + 1] + 2) >> 2);
	__builtin_memset(o + w / 2, 0, (size_t)(f->hstride - w / 2));
}

/* Cells: 16 x 16 pixels, one every 8 from (8 cx, 8 cy) on. */
struct bm_moves { int cx, cy, w, h; int8_t *dx, *dy; };

IN_INLINE size_t bm_moves_most(struct rect r)
{ return 2 * (size_t)(rect_w(r) / 8 + 14) * (size_t)(rect_h(r) / 8 + 6); }

/* The cell that block (x, y) stands in the middle of, or nearly. */
IN_INLINE int bm_cell(int x) { return (x - 4) >> 3; }

/* Is there none among the tries from k on that could be less than the best of eight, being too far?
 * Nearest come first, and |x| + |y| is no less than that distance. */
IN_INLINE bool bm_settled(const bm8i *best, const struct bm_tries *t, int k, int cost)
{
	if (k % BM_ASK) return false;
	int x = t->dx[k], y = t->dy[k], far = 0;
	while (far * far < x * x + y * y) far++;
	bm8i bound = (bm8i){ 0 } + ((cost * far) << BM_KEY_BITS);
	return !bm_any_less(&bound, best);
}

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
			for (int k = 0; k < t->n && !bm_settled(&best, t, k, cost); k++) {
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

IN_INLINE __m128i bm_two_rows(const uint8_t *p, ptrdiff_t stride)
{ return _mm_unpacklo_epi64(_mm_loadl_epi64((const void *)p), _mm_loadl_epi64((const void *)(p + stride))); }

/* Difference of two 8x8 blocks, a given as pairs of rows. */
IN_INLINE int bm_difference(const __m128i *a, const uint8_t *q, ptrdiff_t stride)
{
	__m128i sum = _mm_setzero_si128();
	for (int y = 0; y < 4; y++, q += 2 * stride) {
		__m128i b = bm_two_rows(q, stride);
		sum = _mm_add_epi64(sum, _mm_sad_epu8(a[y], b));
	}
	return _mm_cvtsi128_si32(sum) + _mm_cvtsi128_si32(_mm_unpackhi_epi64(sum, sum));
}

struct bm_step { int x, y; };
IN_INLINE bool bm_same(struct bm_step a, struct bm_step b) { return a.x == b.x && a.y == b.y; }

/* The pixels about the best, twice. What the first turn has seen costs the second more than it did then. */
IN_INLINE struct bm_step bm_move_near(const __m128i *a, const uint8_t *q, ptrdiff_t stride, int cost,
                                      struct bm_step best, int least)
{
	struct bm_step was = best, mid;
	for (int turn = 0; turn < BM_NEAR; turn++, was = mid) {
		mid = best;
		for (int i = 0; i < 9; i++) {
			struct bm_step s = { mid.x + i % 3 - 1, mid.y + i / 3 - 1 };
			bool seen = s.x - was.x >= -1 && s.x - was.x <= 1 && s.y - was.y >= -1 && s.y - was.y <= 1;
			if (i == 4 || (turn && seen)) continue;
			int d = bm_difference(a, q + s.y * stride + s.x, stride) + (turn + 1) * cost;
			if (d < least) least = d, best = s;
		}
		if (bm_same(best, mid)) break;
	}
	return best;
}

/* Where block (x, y) of frame a lies in frame b: the cells around are asked, each motion of theirs once,
 * then the pixels about the best. cost: as of bm_move_cells. */
static inline struct bm_step bm_move_block(const struct bm_frame *a, const struct bm_frame *b,
                                           const struct bm_moves *m, int cost, int x, int y)
{
	static const int8_t around[5][2] = { { 0, 0 }, { 1, 0 }, { -1, 0 }, { 0, 1 }, { 0, -1 } };
	int cx = bm_cell(x) - m->cx, cy = bm_cell(y) - m->cy;
	const uint8_t *p = a->luma + (y - a->all.y0) * a->stride + (x - a->all.x0);
	const uint8_t *q = b->luma + (y - b->all.y0) * b->stride + (x - b->all.x0);
	struct bm_step best = { 0, 0 }, asked[5];
	__m128i rows[4];
	for (int i = 0; i < 4; i++) rows[i] = bm_two_rows(p + 2 * i * a->stride, a->stride);
	int still = bm_difference(rows, q, b->stride), least = still + cost;
	for (int i = 0; i < 5; i++) {
		int at = (cy + around[i][1]) * m->w + cx + around[i][0];
		bool again = false;
		asked[i] = (struct bm_step){ 2 * m->dx[at], 2 * m->dy[at] };
		for (int k = 0; k < i; k++) again |= bm_same(asked[i], asked[k]);
		if (again) continue;
		int d = still;
		if (asked[i].x | asked[i].y)
			d = bm_difference(rows, q + asked[i].y * b->stride + asked[i].x, b->stride);
		if (i) d += 2 * cost;
		if (d < least) least = d, best = asked[i];
	}
	return bm_move_near(rows, q, b->stride, cost, best, least);
}

#endif
