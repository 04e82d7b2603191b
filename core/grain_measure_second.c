/* grain_measure_second - grain from second differences of three frames in a row.
 *
 * Whole pixels follow a motion but to the half; what is left of it shifts the picture by the same in either step, and
 * goes out of a - 2 b + c where it stays in a - b. The sum of the three is independent of it, too.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "grain_measure_int.h"
#include "measure.h"
#include "mem.h"

/* Standard errors by which second differences must hold less, where the picture moves and where it does not.
 * Where nothing is left of the picture they are as true, and tell a little less. */
#define SURE 0.5
#define SURE_STILL 1.5

struct triple { const struct gm_frame *a, *b, *c; };

static bool inside(const struct gm_frame *f, int x, int y)
{
	return x >= 0 && y >= 0 && x + GM_BLOCK <= f->w && y + GM_BLOCK <= f->h;
}

/* Energy of the blurred lumas' second difference along v, at every other pixel; x, y: of the first frame's block. */
static double soft_energy(const struct triple *t, int x, int y, int vx, int vy)
{
	double sum = 0;
	if (!inside(t->b, x + vx, y + vy) || !inside(t->c, x + 2 * vx, y + 2 * vy)) return 1e30;
	ptrdiff_t step = (ptrdiff_t)vy * t->a->w + vx;
	for (int v = 0; v < GM_BLOCK; v += 2)
		for (int u = v / 2 % 2; u < GM_BLOCK; u += 2) {
			ptrdiff_t p = (ptrdiff_t)(y + v) * t->a->w + x + u;
			double d = (double)t->a->soft[p] - 2 * (double)t->b->soft[p + step] + (double)t->c->soft[p + 2 * step];
			sum += d * d;
		}
	return sum;
}

/* The block's own vector, or that of the block it went to where this clearly leaves less. */
static bool vector(const struct gm_field *f, const struct gm_field *next, const struct triple *t, int i, int v[2])
{
	int x = i % f->bw * GM_BLOCK, y = i / f->bw * GM_BLOCK, bx, by;
	const int16_t *own = &f->mv[2 * i], *other;
	double e;
	v[0] = own[0];
	v[1] = own[1];
	bx = (x + v[0] + GM_BLOCK / 2) / GM_BLOCK;
	by = (y + v[1] + GM_BLOCK / 2) / GM_BLOCK;
	e = soft_energy(t, x, y, v[0], v[1]);
	if (bx < f->bw && by < f->bh) {
		other = &next->mv[2 * (by * f->bw + bx)];
		if ((other[0] != v[0] || other[1] != v[1]) && soft_energy(t, x, y, other[0], other[1]) < 0.8 * e) {
			v[0] = other[0];
			v[1] = other[1];
		}
	}
	return e < 1e29;
}

static float second(const struct triple *t, int c, ptrdiff_t p, ptrdiff_t step)
{
	return (t->a->rgb[c][p] - 2 * t->b->rgb[c][p + step] + t->c->rgb[c][p + 2 * step]) * 0.40824829f;
}

/* Energies of either difference in block i, the three channels together, means taken out. */
static void both_energies(const struct gm_field *f, const struct triple *t, int i, const int mv[2], double ss[2])
{
	double s[2] = { 0, 0 };
	ss[0] = ss[1] = 0;
	for (int q = 0; q < GM_BLOCK * GM_BLOCK; q++) {
		ptrdiff_t p = (ptrdiff_t)(i / f->bw * GM_BLOCK + q / GM_BLOCK) * f->w + i % f->bw * GM_BLOCK + q % GM_BLOCK;
		double d[2] = { 0, 0 };
		for (int k = 0; k < 3; k++) {
			d[0] += (double)f->d[k][p];
			d[1] += (double)second(t, k, p, (ptrdiff_t)mv[1] * f->w + mv[0]);
		}
		for (int k = 0; k < 2; k++) { s[k] += d[k]; ss[k] += d[k] * d[k]; }
	}
	for (int k = 0; k < 2; k++) ss[k] -= s[k] * s[k] / (GM_BLOCK * GM_BLOCK);
}

bool gm_second_better(const struct gm_field *f, const struct gm_field *next, const struct gm_frame *a, const struct gm_frame *b,
                      const struct gm_frame *c)
{
	struct triple t = { a, b, c };
	size_t n = 0;
	float *v = xalloc((size_t)(f->bw * f->bh) + 1, sizeof *v);
	for (int i = 0; i < f->bw * f->bh; i++) {
		int mv[2];
		double ss[2];
		if (!f->sound[i] || !vector(f, next, &t, i, mv)) continue;
		both_energies(f, &t, i, mv, ss);
		if (ss[0] + ss[1] > 0) v[n++] = (float)(2 * (ss[0] - ss[1]) / (ss[0] + ss[1]));
	}
	floats_sort(v, n);
	double mid = n ? floats_quantile(v, n, 0.5) : 0, spread = n ? floats_quantile(v, n, 0.75) - floats_quantile(v, n, 0.25) : 0;
	double sure = gm_moves(f) ? SURE : SURE_STILL;
	free(v);
	return n >= 16 && mid > sure * 0.93 * spread / __builtin_sqrt((double)n);
}

void gm_second_fill(struct gm_field *f, const struct gm_field *next, const struct gm_frame *a, const struct gm_frame *b,
                    const struct gm_frame *c)
{
	struct triple t = { a, b, c };
	f->second = true;
	for (int i = 0; i < f->bw * f->bh; i++) {
		int v[2], x = i % f->bw * GM_BLOCK, y = i / f->bw * GM_BLOCK;
		if (!f->sound[i]) continue;
		f->sound[i] = vector(f, next, &t, i, v);
		if (!f->sound[i]) continue;
		ptrdiff_t step = (ptrdiff_t)v[1] * f->w + v[0];
		f->mv[2 * i] = (int16_t)v[0];
		f->mv[2 * i + 1] = (int16_t)v[1];
		for (int q = 0; q < GM_BLOCK * GM_BLOCK; q++) {
			ptrdiff_t p = (ptrdiff_t)(y + q / GM_BLOCK) * f->w + x + q % GM_BLOCK;
			for (int k = 0; k < 3; k++) f->d[k][p] = second(&t, k, p, step);
			f->luma[p] = (a->soft[p] + b->soft[p + step] + c->soft[p + 2 * step]) / 3;
		}
		f->sound[i] = !gm_touches_clipped(b, x + v[0], y + v[1]) && !gm_touches_clipped(c, x + 2 * v[0], y + 2 * v[1]) &&
		              gm_block_shares(f, x / GM_BLOCK, y / GM_BLOCK);
	}
}
