/* px_lut - a table applied to rows of planar R,G,B: linear in 1D, tetrahedral in 3D.
 *
 * Outside the domain a table either holds its border (clamp) or goes on straight with the slope it
 * has there.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_LUT_H
#define IN_PX_LUT_H

#include "lut.h"
#include "px_math.h"

/* Overshoot is finite, so that slope 0 times it is 0. */
#define LUT_FAR 1e9f

static inline void lut_row_1d(const float *tab, int n, float min, float scale, bool clamp,
                              float *IN_RESTRICT p, int w)
{
	const float top = (float)(n - 1), over = clamp ? 0.0f : LUT_FAR;
	for (int i = 0; i < w; i++) {
		float t = (p[i] - min) * scale;
		t = t < -over ? -over : t;
		t = t > top + over ? top + over : t;
		int32_t k = (int32_t)px_clamp(t, 0.0f, top - 1.0f);
		float a = tab[k], b = tab[k + 1];
		p[i] = a + (t - (float)k) * (b - a);
	}
}

/* One lattice position along a channel: cell k and the place f in it (beyond 0..1 outside). */
struct lut_pos { int32_t k; float f, in; };
IN_INLINE struct lut_pos lut_pos(float x, float min, float scale, float top, float over)
{
	struct lut_pos p;
	float t = (x - min) * scale;
	t = t < -over ? -over : t;
	t = t > top + over ? top + over : t;
	p.k = (int32_t)px_clamp(t, 0.0f, top - 1.0f);
	p.f = t - (float)p.k;
	p.in = px_clamp(p.f, 0.0f, 1.0f);
	return p;
}

enum { LUT_BATCH = 64 };

/* The tetrahedron of pixel i: cell, the two inner corners as offsets, places in descending order.
 * */
struct lut_cells {
	int32_t cell[LUT_BATCH], va[LUT_BATCH], vb[LUT_BATCH];
	float f[3][LUT_BATCH];
};

static inline void lut_locate(const struct lut *l, float over, const float *r, const float *g,
                              const float *b,
                              struct lut_cells *c, int n)
{
	const float top = (float)(l->n3 - 1);
	const int32_t sg = l->n3, sb = l->n3 * l->n3;
	for (int i = 0; i < n; i++) {
		struct lut_pos pr = lut_pos(r[i], l->min3[0], l->scale3[0], top, over);
		struct lut_pos pg = lut_pos(g[i], l->min3[1], l->scale3[1], top, over);
		struct lut_pos pb = lut_pos(b[i], l->min3[2], l->scale3[2], top, over);
		/* a sorting network over (place, offset) by the place inside the domain */
		float k0 = pr.in, k1 = pg.in, k2 = pb.in, f0 = pr.f, f1 = pg.f, f2 = pb.f, u, v;
		int32_t o0 = 1, o1 = sg, o2 = sb, s, t;
		u = k0 < k1 ? k1 : k0; v = k0 < k1 ? f1 : f0; s = k0 < k1 ? o1 : o0; t = k0 < k1 ? o0 : o1;
		f1 = k0 < k1 ? f0 : f1; k1 = k0 < k1 ? k0 : k1; k0 = u; f0 = v; o0 = s; o1 = t;
		u = k0 < k2 ? k2 : k0; v = k0 < k2 ? f2 : f0; s = k0 < k2 ? o2 : o0; t = k0 < k2 ? o0 : o2;
		f2 = k0 < k2 ? f0 : f2; k2 = k0 < k2 ? k0 : k2; f0 = v; o0 = s; o2 = t;
		v = k1 < k2 ? f2 : f1; s = k1 < k2 ? o2 : o1;
		f2 = k1 < k2 ? f1 : f2; f1 = v; o1 = s;
		c->cell[i] = pr.k + sg * pg.k + sb * pb.k;
		c->va[i] = o0;
		c->vb[i] = o0 + o1;
		c->f[0][i] = f0;
		c->f[1][i] = f1;
		c->f[2][i] = f2;
	}
}

static inline void lut_row_3d(const struct lut *l, bool clamp, float *r, float *g, float *b, int w)
{
	struct lut_cells c;
	const float over = clamp ? 0.0f : LUT_FAR;
	const int32_t all = 1 + l->n3 + l->n3 * l->n3;
	for (int x = 0; x < w; x += LUT_BATCH) {
		int n = w - x < LUT_BATCH ? w - x : LUT_BATCH;
		lut_locate(l, over, r + x, g + x, b + x, &c, n);
		for (int i = 0; i < n; i++) {
			const v4f *v = (const v4f *)(const void *)l->t3 + c.cell[i];
			v4f o = v[0], va = v[c.va[i]], vb = v[c.vb[i]], vc = v[all];
			o = o + c.f[0][i] * (va - o) + c.f[1][i] * (vb - va) + c.f[2][i] * (vc - vb);
			r[x + i] = o[0]; g[x + i] = o[1]; b[x + i] = o[2];
		}
	}
}

static inline void lut_row(const struct lut *l, bool clamp, float *r, float *g, float *b, int w)
{
	float *p[3] = { r, g, b };
	for (int i = 0; i < 3 && l->n1; i++)
		lut_row_1d(l->t1[i], l->n1, l->min1[i], l->scale1[i], clamp, p[i], w);
	if (l->n3) lut_row_3d(l, clamp, r, g, b, w);
}

#endif
