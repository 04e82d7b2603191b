/* grain_measure_motion - whole-pixel motion of blocks, for differences that hold nothing but grain.
 *
 * Whole pixels only: interpolation would filter the grain. A block takes another vector than the picture's only for a
 * clear gain, for the best of many vectors (of two, even) fits the noise as well and leaves less of it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "grain_measure_int.h"

enum { REACH = 48, COARSE = 16, LOCAL = 6 };
/* Part of the blocks that moves in a moving picture. */
#define MOVING 0.02

static double diff_at(const struct gm_frame *a, const struct gm_frame *b, int x, int y, int vx, int vy)
{
	double d = (double)a->soft[(ptrdiff_t)y * a->w + x] - (double)b->soft[(ptrdiff_t)(y + vy) * a->w + x + vx];
	return d < 0 ? -d : d;
}

/* Mean difference over the points of a grid that stay inside for every vector of the search. */
static double whole(const struct gm_frame *a, const struct gm_frame *b, int reach, int vx, int vy)
{
	double sum = 0;
	long n = 0;
	for (int y = reach; y < a->h - reach; y += COARSE)
		for (int x = reach + y / COARSE % 2 * (COARSE / 2); x < a->w - reach; x += COARSE) {
			sum += diff_at(a, b, x, y, vx, vy);
			n++;
		}
	return n ? sum / (double)n : 0;
}

/* The vector of the whole picture; 0, 0 unless another is clearly better. */
static void global(const struct gm_frame *a, const struct gm_frame *b, int v[2])
{
	int side = a->w < a->h ? a->w : a->h, reach = side / 4 < REACH ? side / 4 : REACH;
	double still = whole(a, b, reach, 0, 0), best = still;
	v[0] = v[1] = 0;
	for (int y = -reach + reach % 2; y <= reach; y += 2)
		for (int x = -reach + reach % 2; x <= reach; x += 2) {
			double s = whole(a, b, reach, x, y);
			if (s < best) { best = s; v[0] = x; v[1] = y; }
		}
	int cx = v[0], cy = v[1];
	for (int y = cy - 2; y <= cy + 2; y++)
		for (int x = cx - 2; x <= cx + 2; x++) {
			double s = abs(x) > reach || abs(y) > reach ? best : whole(a, b, reach, x, y);
			if (s < best) { best = s; v[0] = x; v[1] = y; }
		}
	if (best > 0.85 * still) v[0] = v[1] = 0;
}

static double block_diff(const struct gm_frame *a, const struct gm_frame *b, int x0, int y0, int vx, int vy)
{
	double sum = 0;
	if (x0 + vx < 0 || y0 + vy < 0 || x0 + vx + GM_BLOCK > a->w || y0 + vy + GM_BLOCK > a->h) return 1e30;
	for (int y = y0; y < y0 + GM_BLOCK; y += 2)
		for (int x = x0 + y / 2 % 2; x < x0 + GM_BLOCK; x += 2) sum += diff_at(a, b, x, y, vx, vy);
	return sum;
}

/* Downhill from v over neighbours in steps of 2, then 1. */
static double descend(const struct gm_frame *a, const struct gm_frame *b, int x, int y, int v[2])
{
	double best = block_diff(a, b, x, y, v[0], v[1]);
	for (int step = 2; step; step--)
		for (int turn = 0; turn < LOCAL; turn++) {
			int cx = v[0], cy = v[1];
			for (int k = 0; k < 8; k++) {
				int n = k < 4 ? k : k + 1, vx = cx + (n % 3 - 1) * step, vy = cy + (n / 3 - 1) * step;
				double s = block_diff(a, b, x, y, vx, vy);
				if (s < best) { best = s; v[0] = vx; v[1] = vy; }
			}
			if (v[0] == cx && v[1] == cy) break;
		}
	return best;
}

int gm_motion(struct gm_field *f, const struct gm_frame *a, const struct gm_frame *b, struct err *e)
{
	int g[2];
	(void)e;
	global(a, b, g);
	for (int i = 0; i < f->bw * f->bh; i++) {
		int x = i % f->bw * GM_BLOCK, y = i / f->bw * GM_BLOCK, v[2] = { g[0], g[1] };
		double still = block_diff(a, b, x, y, 0, 0), base = block_diff(a, b, x, y, g[0], g[1]);
		if (still < 0.8 * base) { v[0] = v[1] = 0; base = still; }
		int w[2] = { v[0], v[1] };
		if (descend(a, b, x, y, w) < 0.6 * base) { v[0] = w[0]; v[1] = w[1]; }
		f->mv[2 * i] = (int16_t)v[0];
		f->mv[2 * i + 1] = (int16_t)v[1];
	}
	return 0;
}

bool gm_moves(const struct gm_field *f)
{
	int n = 0, all = f->bw * f->bh;
	for (int i = 0; i < all; i++) n += f->mv[2 * i] || f->mv[2 * i + 1];
	return n > MOVING * all;
}
