/* lut_rows - a LUT over rows outside tiles, and how much of a row its tables do not cover.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "px_lut.h"

void lut_apply(const struct lut *l, bool clamp, float *r, float *g, float *b, int n) { lut_row(l, clamp, r,
	g, b, n); }

/* Marks the pixels that a table's domain does not hold. */
static void mark(const struct lut_op *o, const float *const p[3], int n, uint8_t *out)
{
	for (int k = 0; k < 3; k++) {
		const float *min = o->kind == LUT_1D ? o->u.t1.min : o->u.t3.min;
		const float *scale = o->kind == LUT_1D ? o->u.t1.scale : o->u.t3.scale;
		bool half = o->kind == LUT_1D && o->u.t1.half;
		float top = (float)((o->kind == LUT_1D ? o->u.t1.n : o->u.t3.n) - 1);
		for (int i = 0; i < n; i++) {
			float x = p[k][i], t = (x - min[k]) * scale[k];
			/* a table's own last node is no miss, however its position rounds */
			bool in = half ? px_abs(x) <= 65504.0f : t >= -1e-6f * top && t <= top + 1e-6f * top;
			if (!in) out[i] = 1;
		}
	}
}

size_t lut_outside(const struct lut *l, float *r, float *g, float *b, int n)
{
	size_t count = 0;
	uint8_t out[LUT_BATCH];
	for (int x = 0; x < n; x += LUT_BATCH) {
		int m = n - x < LUT_BATCH ? n - x : LUT_BATCH;
		const float *const p[3] = { r + x, g + x, b + x };
		for (int i = 0; i < m; i++) out[i] = 0;
		for (int i = 0; i < l->nop; i++) {
			const struct lut_op *o = &l->op[i];
			if (o->kind == LUT_1D || o->kind == LUT_3D) mark(o, p, m, out);
			lut_step(o, true, r + x, g + x, b + x, m);
		}
		for (int i = 0; i < m; i++) count += out[i];
	}
	return count;
}
