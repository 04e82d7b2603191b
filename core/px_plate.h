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
#include "px_past.h"
#include "rng.h"

enum { PLATE_LEAST = 64, PLATE_OVERLAP_MAX = 32, PLATE_SIZE_MAX = 288 };

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

/* Sums over every eighth row of the window, symmetric about its middle, in eight lanes by column, row by row:
 * every tile needs them of the blocks that it meets. size: a multiple of 16. */
static IN_NOINLINE IN_UNUSED void plate_plane(const struct view *in, int ch, int size, bool unit,
                                              struct plate_block *b)
{
	double sum = 0, sx = 0, sy = 0, sq = 0, mid = 0.5 * (size - 1), n = 0.125 * size * size, down = 0;
	for (int y = 0; y < size; y += y == size / 2 - 8 ? 15 : 8) {
		const float *p = view_at(in, ch, b->from_x, b->from_y + y);
		float s[8] = { 0 }, m[8] = { 0 }, q[8] = { 0 };
		for (int x = 0; x < size; x += 8)
			for (int k = 0; k < 8; k++) {
				float v = p[x + k];
				v = v - v == 0.0f ? v : 0.0f;
				s[k] += v;
				m[k] += v * ((float)(x + k) - (float)mid);
				q[k] += v * v;
			}
		double rs = 0;
		for (int k = 0; k < 8; k++) rs += s[k], sx += m[k], sq += q[k];
		sum += rs;
		sy += rs * (y - mid);
		down += size * ((y - mid) * (y - mid));
	}
	double across = n * ((double)size * size - 1) / 12, mean = sum / n;       /* sums of squared distances */
	double var = sq / n - mean * mean - (sx * sx / across + sy * sy / down) / n;
	b->mean[ch] = (float)mean;
	b->slope_x[ch] = (float)(sx / across);
	b->slope_y[ch] = (float)(sy / down);
	b->scale[ch] = !unit ? 1.0f : var > 1e-12 ? (float)(1 / __builtin_sqrt(var)) : 0.0f;
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
	for (int c = 0; c < 3; c++) plate_plane(in, c, m->size, unit, b);
}

/* Columns from, from + turn ... of a row less its line base + slope (column - mid), times w wx. */
IN_INLINE void plate_row(const float *IN_RESTRICT p, int from, int turn, int n, float w,
                         const float *IN_RESTRICT wx, float base, float slope, float mid,
                         float *IN_RESTRICT d)
{
	for (int x = 0; x < n; x++) {
		int col = from + turn * x;
		float v = p[col];
		v = v - v == 0.0f ? v : 0.0f;
		d[x] += w * wx[x] * (v - base - slope * ((float)col - mid));
	}
}

/* Row y of r of the blocks that meet it, into field. */
static IN_UNUSED void plate_add(const struct plate_map *m, const struct view *in, const struct plate_block *b,
                                struct rect r, int y, float *const field[3])
{
	int x0 = r.x0 > b->x ? r.x0 : b->x, x1 = r.x1 < b->x + m->size ? r.x1 : b->x + m->size;
	int k = y - b->y, row = b->flip_y ? m->size - 1 - k : k, at = x0 - b->x, n = x1 - x0;
	float mid = 0.5f * (float)(m->size - 1), dy = (float)row - mid;
	if (k < 0 || k >= m->size || n <= 0) return;
	for (int c = 0; c < 3; c++) {
		const float *p = view_at(in, c, b->from_x, b->from_y + row), w = m->weight[k] * b->scale[c];
		float *d = field[c] + (x0 - r.x0), base = b->mean[c] + b->slope_y[c] * dy, slope = b->slope_x[c];
		if (b->flip_x) plate_row(p, m->size - 1 - at, -1, n, w, m->weight + at, base, slope, mid, d);
		else plate_row(p, at, 1, n, w, m->weight + at, base, slope, mid, d);
	}
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
	int n = (int)rect_area(plate_blocks(m, r));
	for (int c = 0; c < 3; c++) __builtin_memset(field[c], 0, (size_t)rect_w(r) * sizeof(float));
	for (int i = 0; i < n; i++) plate_add(m, in, b + i, r, y, field);
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
