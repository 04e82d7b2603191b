/* px_plate - grain from a scanned plate, tiled so that no repeat shows.
 *
 * Blocks on a grid anchored at (0, 0) each take a window of the plate at a place and with flips that
 * Philox chooses from block, frame and seed; the window's plane (mean and slopes: uneven light) is
 * taken off. Neighbours overlap with weights whose squares add up to 1, so that variance is the same
 * everywhere. Every pixel is summed in the order of the blocks.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_PLATE_H
#define IN_PX_PLATE_H

#include "image.h"
#include "px_fetch.h"
#include "px_past.h"
#include "rng.h"

enum { PLATE_LEAST = 64, PLATE_OVERLAP_MAX = 32, PLATE_SIZE_MAX = 288, PLATE_AHEAD = 2 };

/* Of a plate: the windows' side, how much of it overlaps, weights over a window. Threads: frozen. */
struct plate_map { int size, overlap; float weight[PLATE_SIZE_MAX]; };

struct plate_seed { uint32_t frame, seed, low, high; };

struct plate_block {
	int x, y, from_x, from_y; bool flip_x, flip_y; float mean[3], slope_x[3], slope_y[3], scale[3];
};

IN_INLINE int plate_floor(int a, int b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

/* Which of n plate frames belongs to a frame. */
static IN_UNUSED int plate_frame(const struct plate_seed *s, int n)
{
	struct philox p = philox4x32(0x706c6174u, 0x80000000u, s->frame, s->low, s->seed, s->high);
	return (int)(((uint64_t)p.c[0] * (uint32_t)n) >> 32);
}

/* A value of each channel, and one that is nobody's. */
typedef double plate_three __attribute__((vector_size(32)));

/* Sums over pixels of a window: of them, times their distance from its middle, of squares. */
struct plate_sums { plate_three all, x, y, squares; };

/* Eight columns, in as many vectors as that takes: the same lanes everywhere. */
typedef float plate_eight __attribute__((vector_size(32), aligned(4), may_alias));
typedef int plate_ints __attribute__((vector_size(32)));

/* Columns k to k + 3 of three channels, channels side by side. */
IN_INLINE void plate_turn(const plate_eight v[3], int k, plate_three to[4])
{
	v4f a = v4f_load((const float *)&v[0] + k), b = v4f_load((const float *)&v[1] + k),
		c = v4f_load((const float *)&v[2] + k);
	v4f low = v4f_mix(a, b, 0, 4, 1, 5), high = v4f_mix(a, b, 2, 6, 3, 7);
	to[0] = __builtin_convertvector(v4f_mix(low, c, 0, 1, 4, 4), plate_three);
	to[1] = __builtin_convertvector(v4f_mix(low, c, 2, 3, 5, 5), plate_three);
	to[2] = __builtin_convertvector(v4f_mix(high, c, 0, 1, 6, 6), plate_three);
	to[3] = __builtin_convertvector(v4f_mix(high, c, 2, 3, 7, 7), plate_three);
}

/* Sums s, m and q of the columns of a row at distance y from the middle, added in their order. */
IN_INLINE void plate_sum_row(const plate_eight s[3], const plate_eight m[3], const plate_eight q[3], int size, bool unit,
                             double y, struct plate_sums *to)
{
	double mid = 0.5 * (size - 1), columns = 0.125 * size;
	plate_three row = { 0 };
	for (int k = 0; k < 8; k += 4) {
		plate_three sk[4], mk[4], qk[4];
		plate_turn(s, k, sk);
		plate_turn(m, k, mk);
		if (unit) plate_turn(q, k, qk);
		for (int i = 0; i < 4; i++) {
			row += sk[i];
			to->x += 8 * (columns * sk[i] - mk[i]) + (k + i - mid) * sk[i];
			if (unit) to->squares += qk[i];
		}
	}
	to->all += row;
	to->y += row * y;
}

/* The row after row y of those that sums are taken of: every eighth, symmetric about the middle. */
IN_INLINE int plate_next(int y, int size) { return y + (y == size / 2 - 8 ? 15 : 8); }

/* By column and row by row, of three channels side by side. scrub: what is not finite counts as 0. size: a
 * multiple of 16. */
IN_INLINE void plate_sum(const struct view *in, int size, bool unit, bool scrub, const struct plate_block *b,
                         struct plate_sums *to)
{
	for (int y = 0; y < size; y = plate_next(y, size)) {
		plate_eight s[3] = { { 0 } }, m[3] = { { 0 } }, q[3] = { { 0 } };       /* m: sums of s at every step */
		const float *p[3];
		int next = plate_next(y, size);
		ptrdiff_t ahead = next < size ? (next - y) * in->stride : 0;
		for (int c = 0; c < 3; c++) p[c] = view_at(in, c, b->from_x, b->from_y + y);
		for (int x = 0; x < size; x += 8)
			for (int c = 0; c < 3; c++) {
				plate_eight v = *(const plate_eight *)(p[c] + x);
				if (x % 16 == 0) __builtin_prefetch(p[c] + x + ahead, 0);
				if (scrub) v = (plate_eight)((plate_ints)v & (plate_ints)(v - v == 0.0f));
				s[c] += v;
				m[c] += s[c];
				if (unit) q[c] += v * v;
			}
		plate_sum_row(s, m, q, size, unit, y - 0.5 * (size - 1), to);
	}
}

/* The window's planes. Every tile needs them of the blocks that it meets. */
static IN_NOINLINE IN_UNUSED void plate_plane(const struct view *in, int size, bool unit, struct plate_block *b)
{
	struct plate_sums t = { .all = { 0 } };
	double mid = 0.5 * (size - 1), n = 0.125 * size * size, down = 0, odd = 0;
	if (unit) plate_sum(in, size, true, false, b, &t);
	else plate_sum(in, size, false, false, b, &t);
	for (int c = 0; c < 3; c++) odd += t.all[c] - t.all[c] + (t.x[c] - t.x[c]) + (t.squares[c] - t.squares[c]);
	if (odd != 0) {
		t = (struct plate_sums){ .all = { 0 } };
		plate_sum(in, size, unit, true, b, &t);
	}
	for (int y = 0; y < size; y = plate_next(y, size)) down += size * ((y - mid) * (y - mid));
	for (int c = 0; c < 3; c++) {
		double across = n * ((double)size * size - 1) / 12, mean = t.all[c] / n;       /* sums of squared distances */
		double var = t.squares[c] / n - mean * mean - (t.x[c] * t.x[c] / across + t.y[c] * t.y[c] / down) / n;
		b->mean[c] = (float)mean;
		b->slope_x[c] = (float)(t.x[c] / across);
		b->slope_y[c] = (float)(t.y[c] / down);
		b->scale[c] = !unit ? 1.0f : var > 1e-12 ? (float)(1 / __builtin_sqrt(var)) : 0.0f;
	}
}

static IN_UNUSED void plate_choose(const struct plate_map *m, const struct plate_seed *s,
                                   const struct view *in, int i, int j, bool unit,
                                   struct plate_block *b)
{
	struct philox p = philox4x32((uint32_t)i, (uint32_t)j, s->frame, s->low, s->seed, s->high ^ 0x706c6174u);
	uint32_t room_x = (uint32_t)(rect_w(in->r) - m->size + 1), room_y = (uint32_t)(rect_h(in->r) - m->size + 1);
	b->x = i * (m->size - m->overlap);
	b->y = j * (m->size - m->overlap);
	b->from_x = in->r.x0 + (int)(((uint64_t)p.c[0] * room_x) >> 32);
	b->from_y = in->r.y0 + (int)(((uint64_t)p.c[1] * room_y) >> 32);
	b->flip_x = p.c[2] & 1;
	b->flip_y = p.c[2] & 2;
	plate_plane(in, m->size, unit, b);
}

/* Lanes from the last on. */
#if IN_LANES == 16
#define VNF_BACK(v) __builtin_shufflevector(v, v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#elif IN_LANES == 8
#define VNF_BACK(v) __builtin_shufflevector(v, v, 7, 6, 5, 4, 3, 2, 1, 0)
#else
#define VNF_BACK(v) __builtin_shufflevector(v, v, 3, 2, 1, 0)
#endif

/* A row's part of a block, in three channels: columns of the plate from p[c][0] on, p[c][-1] on where it is
 * turned, whose distances from the middle are from, from + turn ...; less base + slope distance, times w wx. */
struct plate_span { const float *p[3], *wx; ptrdiff_t ahead; float *d[3], from, w[3], base[3], slope[3]; };

/* What is not finite counts as 0. */
IN_INLINE vnf plate_finite(vnf v)
{
	typedef int lanes __attribute__((vector_size(sizeof(vnf))));
	return (vnf)((lanes)v & (lanes)(v - v == 0.0f));
}

IN_INLINE void plate_run(const struct plate_span *s, int turn, bool add, int n)
{
	const struct plate_span t = *s;
	vnf place;
	int x = 0;
	for (int i = 0; i < IN_LANES; i++) place[i] = t.from + (float)(turn * i);
	for (; x + IN_LANES <= n; x += IN_LANES, place += (float)(turn * IN_LANES)) {
		vnf wx = *(const vnf *)(t.wx + x);
		for (int c = 0; c < 3; c++) {
			const float *p = turn > 0 ? t.p[c] + x : t.p[c] - x - (IN_LANES - 1);
			vnf v = *(const vnf *)p;
			if (x % 16 == 0) __builtin_prefetch(p + t.ahead, 0);
			if (turn < 0) v = VNF_BACK(v);
			v = plate_finite(v);
			v = t.w[c] * wx * (v - t.base[c] - t.slope[c] * place);
			vnf *d = (vnf *)(t.d[c] + x);
			if (add) v += *d;
			*d = v;
		}
	}
	for (; x < n; x++)
		for (int c = 0; c < 3; c++) {
			float v = t.p[c][turn * x], *d = t.d[c] + x;
			v = v - v == 0.0f ? v : 0.0f;
			v = t.w[c] * t.wx[x] * (v - t.base[c] - t.slope[c] * (t.from + (float)(turn * x)));
			*d = add ? *d + v : v;
		}
}
static IN_NOINLINE IN_UNUSED void plate_run_set(const struct plate_span *s, int n) { plate_run(s, 1, false, n); }
static IN_NOINLINE IN_UNUSED void plate_run_add(const struct plate_span *s, int n) { plate_run(s, 1, true, n); }
static IN_NOINLINE IN_UNUSED void plate_back_set(const struct plate_span *s, int n) { plate_run(s, -1, false, n); }
static IN_NOINLINE IN_UNUSED void plate_back_add(const struct plate_span *s, int n) { plate_run(s, -1, true, n); }

/* Columns x0 until x1, row k of the window of a block, set or added; d: from x0 on. */
static IN_UNUSED void plate_part(const struct plate_map *m, const struct view *in, const struct plate_block *b,
                                 int k, int x0, int x1, bool add, float *const d[3], int lead)
{
	int row = b->flip_y ? m->size - 1 - k : k, at = x0 - b->x, col = b->flip_x ? m->size - 1 - at : at;
	float mid = 0.5f * (float)(m->size - 1);
	int then = k + PLATE_AHEAD < m->size ? b->flip_y ? -PLATE_AHEAD : PLATE_AHEAD : 0;
	struct plate_span s = { .wx = m->weight + at, .from = (float)col - mid, .ahead = then * in->stride };
	if (x1 <= x0) return;
	for (int c = 0; c < 3; c++) {
		s.p[c] = view_at(in, c, b->from_x, b->from_y + row) + col;
		s.d[c] = d[c] + lead;
		s.w[c] = m->weight[k] * b->scale[c];
		s.base[c] = b->mean[c] + b->slope_y[c] * ((float)row - mid);
		s.slope[c] = b->slope_x[c];
	}
	if (b->flip_x) (add ? plate_back_add : plate_back_set)(&s, x1 - x0);
	else (add ? plate_run_add : plate_run_set)(&s, x1 - x0);
}

/* Row y of r of a block, into field: all columns before *done have been set. */
static IN_UNUSED void plate_add(const struct plate_map *m, const struct view *in, const struct plate_block *b,
                                struct rect r, int y, int *done, float *const field[3])
{
	int x0 = r.x0 > b->x ? r.x0 : b->x, x1 = r.x1 < b->x + m->size ? r.x1 : b->x + m->size, k = y - b->y;
	if (k < 0 || k >= m->size || x1 <= x0) return;
	int until = *done < x0 ? x0 : *done < x1 ? *done : x1;
	plate_part(m, in, b, k, x0, until, true, field, x0 - r.x0);
	plate_part(m, in, b, k, until, x1, false, field, until - r.x0);
	if (x1 > *done) *done = x1;
}

/* Blocks that a rect meets, by row and column. */
IN_INLINE struct rect plate_blocks(const struct plate_map *m, struct rect r)
{
	int step = m->size - m->overlap;
	return rect_of(plate_floor(r.x0 - m->overlap, step), plate_floor(r.y0 - m->overlap, step),
	               plate_floor(r.x1 - 1, step) + 1, plate_floor(r.y1 - 1, step) + 1);
}

/* Chooses the blocks of r, rect_area(plate_blocks) of them; unit: of deviation 1. */
static IN_UNUSED void plate_begin(const struct plate_map *m, const struct plate_seed *s, const struct view *in,
                                  struct rect r, bool unit, struct plate_block *b)
{
	struct rect g = plate_blocks(m, r);
	for (int j = g.y0; j < g.y1; j++) for (int i = g.x0; i < g.x1; i++) plate_choose(m, s, in, i, j, unit, b++);
}

/* The plate's grain in row y of r. */
static IN_UNUSED void plate_field(const struct plate_map *m, const struct view *in, struct rect r,
                                  const struct plate_block *b, int y, float *const field[3])
{
	int n = (int)rect_area(plate_blocks(m, r)), done = r.x0;
	for (int i = 0; i < n; i++) plate_add(m, in, b + i, r, y, &done, field);
}

/* out = in + (0.75 near + 0.25 far) field; past: where out fits. Is there a NaN in it? in may be out. */
static IN_NOINLINE IN_UNUSED bool plate_put(const float *field, const float *near, const float *far, int n,
                                            const float *in, float *out, bool past)
{
	typedef int lanes __attribute__((vector_size(sizeof(vnf))));
	int x = 0;
	lanes odd = { 0 };
	bool any = false;
	past = past && px_past_fits(out);
	for (; x + IN_LANES <= n; x += IN_LANES) {
		vnf d = 0.75f * *(const vnf *)(near + x) + 0.25f * *(const vnf *)(far + x);
		vnf v = *(const vnf *)(in + x) + d * *(const vnf *)(field + x);
		odd |= v != v;
		px_past_or(out + x, v, past);
	}
	for (int i = 0; i < IN_LANES; i++) any |= odd[i] != 0;
	for (; x < n; x++) {
		out[x] = in[x] + (0.75f * near[x] + 0.25f * far[x]) * field[x];
		any |= out[x] != out[x];
	}
	return any;
}

#endif
