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

/* Motions that a cell is asked for, nearest first, in halved pixels. key: what a motion costs, by its distance from
 * none, as bm_match has it, and which it is; bound: none from every BM_ASK-th on costs less. Threads: frozen. */
enum { BM_ASKED = 320, BM_ASK = 16 };
struct bm_asked { int n; int8_t dx[BM_ASKED], dy[BM_ASKED]; int key[BM_ASKED], bound[BM_ASKED / BM_ASK]; };

/* cost: a pixel that a motion is away from none. Distances grow along the tries, and |x| + |y| is no less. */
static inline void bm_asked_make(struct bm_asked *t, int cost)
{
	t->n = degrain_tries(BM_FAR, 1, t->dx, t->dy, BM_ASKED);
	for (int k = 0; k < t->n; k++) {
		int x = t->dx[k], y = t->dy[k], far = 0;
		t->key[k] = ((cost * ((x < 0 ? -x : x) + (y < 0 ? -y : y))) << BM_KEY_BITS) + k;
		while (far * far < x * x + y * y) far++;
		if (k % BM_ASK == 0) t->bound[k / BM_ASK] = (cost * far) << BM_KEY_BITS;
	}
}

/* The best motions of eight cells, at a of one halved frame and b of the other. offset: of the tries. */
IN_INLINE void bm_ask(const struct bm_asked *t, const int *offset, const uint8_t *a, const uint8_t *b, ptrdiff_t stride,
                      bm8i *out)
{
	bm8i best = (bm8i){ 0 } + INT32_MAX, key;
	struct bm_eight own;
	bm_eight_at(a, stride, BM_APART4, &own);
	for (int k = 0; k < t->n; k++) {
		bm8i bound = (bm8i){ 0 } + t->bound[k / BM_ASK];
		if (k % BM_ASK == 0 && !bm_any_less(&bound, &best)) break;
		bm_differences(&own, b + offset[k], stride, BM_APART4, &key);
		key = (key << BM_KEY_BITS) + t->key[k];
		bm_order(&best, &key);
	}
	*out = best;
}

/* Every cell's motion from frame a to frame b, in halved pixels. */
static inline void bm_move_cells(const struct bm_frame *a, const struct bm_frame *b,
                                 const struct bm_asked *t, struct rect r, struct bm_moves *m)
{
	int offset[BM_ASKED];
	m->cx = bm_cell(r.x0 - 7) - 1;
	m->cy = bm_cell(r.y0 - 7) - 1;
	m->w = (bm_cell(r.x1 - 1) + 2 - m->cx + 7) & ~7;
	m->h = bm_cell(r.y1 - 1) + 2 - m->cy;
	m->dy = m->dx + m->w * m->h;
	for (int k = 0; k < t->n; k++) offset[k] = t->dy[k] * (int)a->hstride + t->dx[k];
	for (int j = 0; j < m->h; j++)
		for (int i = 0; i < m->w; i += BM_REFS) {
			ptrdiff_t x = (8 * (m->cx + i) - a->all.x0) / 2, y = (8 * (m->cy + j) - a->all.y0) / 2;
			bm8i best;
			bm_ask(t, offset, a->half + y * a->hstride + x, b->half + y * a->hstride + x, a->hstride, &best);
			for (int l = 0; l < BM_REFS; l++) {
				int k = best[l] & (BM_TRIES - 1);
				m->dx[j * m->w + i + l] = t->dx[k];
				m->dy[j * m->w + i + l] = t->dy[k];
			}
		}
}

IN_INLINE __m128i bm_two_rows(const uint8_t *p, ptrdiff_t stride)
{
	__m128i low = _mm_loadl_epi64((const void *)p);
	return _mm_castpd_si128(_mm_loadh_pd(_mm_castsi128_pd(low), (const void *)(p + stride)));
}

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

/* The least difference of block a and the eight a pixel away from q, row by row; i: which of them, of equal
 * ones the first. */
struct bm_least { int difference, i; };
#ifdef __AVX2__
IN_INLINE __m256i bm_sides(const uint8_t *q)
{
	__m128i left = _mm_loadu_si128((const void *)(q - 1)), right = _mm_loadu_si128((const void *)(q + 1));
	return _mm256_inserti128_si256(_mm256_castsi128_si256(left), right, 1);
}
IN_INLINE struct bm_least bm_around(const __m128i *a, const uint8_t *q, ptrdiff_t stride)
{
	const __m128i order = _mm_setr_epi8(0, 1, 8, 9, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15);
	const uint8_t *p = q - stride;
	/* to the left in the low half, to the right in the high one: in the row above, the block's, and below */
	__m256i up = _mm256_setzero_si256(), same = up, down = up, pair, last = bm_sides(p), next = bm_sides(p + stride);
	__m128i above = _mm_setzero_si128(), below = above, two = bm_two_rows(p, stride);
	pair = _mm256_unpacklo_epi64(last, next);
	for (int i = 0; i < 4; i++) {
		__m256i own = _mm256_broadcastsi128_si256(a[i]);
		up = _mm256_add_epi64(up, _mm256_sad_epu8(own, pair));
		above = _mm_add_epi64(above, _mm_sad_epu8(a[i], two));
		p += 2 * stride;
		last = bm_sides(p);
		same = _mm256_add_epi64(same, _mm256_sad_epu8(own, _mm256_unpacklo_epi64(next, last)));
		next = bm_sides(p + stride);
		pair = _mm256_unpacklo_epi64(last, next);
		two = bm_two_rows(p, stride);
		down = _mm256_add_epi64(down, _mm256_sad_epu8(own, pair));
		below = _mm_add_epi64(below, _mm_sad_epu8(a[i], two));
	}
	__m256i s = _mm256_add_epi64(_mm256_unpacklo_epi64(up, same), _mm256_unpackhi_epi64(up, same));
	__m256i d = _mm256_add_epi64(down, _mm256_srli_si256(down, 8));
	__m128i c = _mm_add_epi64(_mm_unpacklo_epi64(above, below), _mm_unpackhi_epi64(above, below));
	__m128i e = _mm_unpacklo_epi64(_mm256_castsi256_si128(d), _mm256_extracti128_si256(d, 1));
	__m128i f = _mm_or_si128(_mm256_castsi256_si128(s), _mm_slli_epi64(_mm256_extracti128_si256(s, 1), 32));
	__m128i all = _mm_packus_epi32(f, _mm_or_si128(c, _mm_slli_epi64(e, 32)));
	int least = _mm_cvtsi128_si32(_mm_minpos_epu16(_mm_shuffle_epi8(all, order)));
	return (struct bm_least){ least & 0xffff, least >> 16 };
}
#else
IN_INLINE struct bm_least bm_around(const __m128i *a, const uint8_t *q, ptrdiff_t stride)
{
	struct bm_least best = { INT32_MAX, 0 };
	for (int i = 0; i < 8; i++) {
		int k = i + (i >= 4), d = bm_difference(a, q + (k / 3 - 1) * stride + k % 3 - 1, stride);
		if (d < best.difference) best = (struct bm_least){ d, i };
	}
	return best;
}
#endif

/* The pixels about the best, twice. Those that the first turn has seen cost the second more than they did
 * then, so that none of them is less. */
IN_INLINE struct bm_step bm_move_near(const __m128i *a, const uint8_t *q, ptrdiff_t stride, int cost,
                                      struct bm_step best, int least)
{
	for (int turn = 1; turn <= BM_NEAR; turn++) {
		struct bm_least l = bm_around(a, q + best.y * stride + best.x, stride);
		int k = l.i + (l.i >= 4);
		if (l.difference + turn * cost >= least) break;
		least = l.difference + turn * cost;
		best.x += k % 3 - 1;
		best.y += k / 3 - 1;
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
