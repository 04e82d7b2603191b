/* px_lut - a LUT's steps applied to rows of planar R,G,B: linear in 1D, tetrahedral or trilinear in 3D.
 *
 * Outside the domain a table either holds its border (clamp) or goes on straight with the slope it
 * has there. The steps that are no tables: px_lutops.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_LUT_H
#define IN_PX_LUT_H

#include <immintrin.h>

#include "lut.h"
#include "px_lutops.h"
#include "px_math.h"

/* Overshoot is finite, so that slope 0 times it is 0. */
#define LUT_FAR 1e9f

enum { LUT_BATCH = 128 };

/* Position in nodes. lo, hi: how far beyond the domain it may lie. */
IN_INLINE float lut_position(float x, float min, float scale, float lo, float hi)
{
	float t = (x - min) * scale;
	t = t < lo ? lo : t;
	return t > hi ? hi : t;
}

/* p[i] = tab[k[i]] + f[i] * (tab[k[i] + 1] - tab[k[i]]): neighbours come as one load, no gathers. */
IN_INLINE void lut_between(const float *tab, const int32_t *IN_RESTRICT k,
                           const float *IN_RESTRICT f, float *IN_RESTRICT p, int n)
{
	int i = 0;
	for (; i + 4 <= n; i += 4) {
		v4f u = v4f_of(v2f_load(tab + k[i]), v2f_load(tab + k[i + 1]));
		v4f v = v4f_of(v2f_load(tab + k[i + 2]), v2f_load(tab + k[i + 3]));
		v4f a = v4f_mix(u, v, 0, 2, 4, 6), b = v4f_mix(u, v, 1, 3, 5, 7);
		v4f_store(p + i, a + v4f_load(f + i) * (b - a));
	}
	for (; i < n; i++) p[i] = tab[k[i]] + f[i] * (tab[k[i] + 1] - tab[k[i]]);
}

static inline void lut_row_1d(const float *tab, int n, float min, float scale, bool clamp,
                              float *IN_RESTRICT p, int w)
{
	const float last = (float)(n - 2), lo = clamp ? 0.0f : -LUT_FAR;
	const float hi = (float)(n - 1) + (clamp ? 0.0f : LUT_FAR);
	int32_t k[LUT_BATCH];
	float f[LUT_BATCH];
	for (int x = 0; x < w; x += LUT_BATCH) {
		int m = w - x < LUT_BATCH ? w - x : LUT_BATCH;
		for (int i = 0; i < m; i++) {
			float t = lut_position(p[x + i], min, scale, lo, hi);
			k[i] = (int32_t)px_clamp(t, 0.0f, last);
			f[i] = t - (float)k[i];
		}
		lut_between(tab, k, f, p + x, m);
	}
}

/* The tetrahedra of a batch: bytes from the table's start to three corners (the fourth lies a fixed
 * way beyond the first), and the places in descending order. */
struct lut_cells {
	uint32_t v0[LUT_BATCH], va[LUT_BATCH], vb[LUT_BATCH];
	float f[3][LUT_BATCH];
};

enum { LUT_NODE = 4 * sizeof(float) };

/* What lut_all_inside tells by whether some x was negative, -0, NaN or above top, all as bits. */
IN_INLINE uint32_t lut_reach(uint32_t some, uint32_t x, uint32_t top)
{
#ifdef __AVX2__
	(void)top;
	return x > some ? x : some;
#else
	return some | x | (top - x);
#endif
}
IN_INLINE bool lut_all_inside(uint32_t some, uint32_t top)
{
#ifdef __AVX2__
	return some <= top;
#else
	(void)top;
	return some < 0x80000000u;
#endif
}

/* Cells and places of n pixels within the domain; false, and no sense in c, when any lies outside
 * (or is NaN, or -0). Ties go as in lut_locate_any(). from0: the domain begins at 0. */
IN_INLINE bool lut_locate_inside(const struct lut_3d *l, bool from0, const float *IN_RESTRICT r,
                                 const float *IN_RESTRICT g, const float *IN_RESTRICT b,
                                 struct lut_cells *IN_RESTRICT c, int n)
{
	const float last = (float)(l->n - 2), one = LUT_NODE, fg = one * (float)l->n;
	const float fb = fg * (float)l->n, m0 = l->min[0], m1 = l->min[1], m2 = l->min[2];
	const float s0 = l->scale[0], s1 = l->scale[1], s2 = l->scale[2];
	const int32_t sr = LUT_NODE, sg = sr * l->n, sb = sg * l->n, all = sr + sg + sb;
	const int32_t but_r = all - sr, but_g = all - sg, but_b = all - sb;
	const uint32_t top = px_bitsf((float)(l->n - 1));
	uint32_t some = 0;
	for (int i = 0; i < n; i++) {
		float x = (from0 ? r[i] : r[i] - m0) * s0, y = (from0 ? g[i] : g[i] - m1) * s1;
		float z = (from0 ? b[i] : b[i] - m2) * s2;
		some = lut_reach(some, px_bitsf(x), top);
		some = lut_reach(some, px_bitsf(y), top);
		some = lut_reach(some, px_bitsf(z), top);
		float kr = (float)(int32_t)px_min(x, last), kg = (float)(int32_t)px_min(y, last);
		float kb = (float)(int32_t)px_min(z, last);
		x -= kr;
		y -= kg;
		z -= kb;
		/* exact: below 2^28, a multiple of 16 */
		int32_t v0 = (int32_t)(kr * one + kg * fg + kb * fb);
		float most = px_max(x, y), least = px_min(x, y);
		int32_t a = x < y ? sg : sr, d = x <= y ? but_r : but_g;
		c->v0[i] = (uint32_t)v0;
		c->va[i] = (uint32_t)(v0 + (most < z ? sb : a));
		c->vb[i] = (uint32_t)(v0 + (least < z ? d : but_b));
		c->f[0][i] = px_max(most, z);
		c->f[1][i] = px_max(least, px_min(most, z));
		c->f[2][i] = px_min(least, z);
	}
	return lut_all_inside(some, top);
}

/* The same of any position: beyond the domain the place is below 0 or above 1, and corners are
 * ordered by the place held to 0..1. */
static IN_UNUSED void lut_locate_any(const struct lut_3d *l, float lo, float hi, const float *r,
                                     const float *g, const float *b, struct lut_cells *c, int n)
{
	const float last = (float)(l->n - 2);
	const int32_t sr = LUT_NODE, sg = sr * l->n, sb = sg * l->n;
	for (int i = 0; i < n; i++) {
		float f0 = lut_position(r[i], l->min[0], l->scale[0], lo, hi), u, v;
		float f1 = lut_position(g[i], l->min[1], l->scale[1], lo, hi);
		float f2 = lut_position(b[i], l->min[2], l->scale[2], lo, hi);
		int32_t kr = (int32_t)px_clamp(f0, 0.0f, last), kg = (int32_t)px_clamp(f1, 0.0f, last);
		int32_t kb = (int32_t)px_clamp(f2, 0.0f, last), v0 = sr * kr + sg * kg + sb * kb;
		f0 -= (float)kr;
		f1 -= (float)kg;
		f2 -= (float)kb;
		float k0 = px_clamp(f0, 0.0f, 1.0f), k1 = px_clamp(f1, 0.0f, 1.0f);
		float k2 = px_clamp(f2, 0.0f, 1.0f);
		int32_t o0 = sr, o1 = sg, o2 = sb, s, t;
		/* a sorting network over (place, offset) */
		u = k0 < k1 ? k1 : k0; v = k0 < k1 ? f1 : f0; s = k0 < k1 ? o1 : o0; t = k0 < k1 ? o0 : o1;
		f1 = k0 < k1 ? f0 : f1; k1 = k0 < k1 ? k0 : k1; k0 = u; f0 = v; o0 = s; o1 = t;
		u = k0 < k2 ? k2 : k0; v = k0 < k2 ? f2 : f0; s = k0 < k2 ? o2 : o0; t = k0 < k2 ? o0 : o2;
		f2 = k0 < k2 ? f0 : f2; k2 = k0 < k2 ? k0 : k2; f0 = v; o0 = s; o2 = t;
		v = k1 < k2 ? f2 : f1; s = k1 < k2 ? o2 : o1;
		f2 = k1 < k2 ? f1 : f2; f1 = v; o1 = s;
		c->v0[i] = (uint32_t)v0;
		c->va[i] = (uint32_t)(v0 + o0);
		c->vb[i] = (uint32_t)(v0 + o0 + o1);
		c->f[0][i] = f0;
		c->f[1][i] = f1;
		c->f[2][i] = f2;
	}
}

IN_INLINE v4f lut_node(const float *tab, uint32_t bytes)
{ return *(const v4f *)(const void *)((const char *)tab + bytes); }

/* Pixel i: (R, G, B, 0). far: the table, moved on by a cell's diagonal. */
IN_INLINE v4f lut_tetra(const float *tab, const float *far, const struct lut_cells *c, int i)
{
	v4f v0 = lut_node(tab, c->v0[i]), va = lut_node(tab, c->va[i]), vb = lut_node(tab, c->vb[i]);
	v4f vc = lut_node(far, c->v0[i]);
	return v0 + c->f[0][i] * (va - v0) + c->f[1][i] * (vb - va) + c->f[2][i] * (vc - vb);
}

#ifdef __AVX2__
enum { LUT_LANES = 8 };

/* Two nodes as the halves of a vector; the second comes straight from memory. */
IN_INLINE v8f lut_nodes(const float *tab, uint32_t a, uint32_t b)
{
	return (v8f)_mm256_insertf128_ps(_mm256_castps128_ps256((__m128)lut_node(tab, a)),
	                                 (__m128)lut_node(tab, b), 1);
}

/* The same of pixels i + k and i + k + 4; f: the places of i to i + 7. */
IN_INLINE v8f lut_tetra_pair(const float *tab, const float *far, const struct lut_cells *c, int i,
                             v8f f0, v8f f1, v8f f2)
{
	v8f v0 = lut_nodes(tab, c->v0[i], c->v0[i + 4]), va = lut_nodes(tab, c->va[i], c->va[i + 4]);
	v8f vb = lut_nodes(tab, c->vb[i], c->vb[i + 4]), vc = lut_nodes(far, c->v0[i], c->v0[i + 4]);
	return v0 + f0 * (va - v0) + f1 * (vb - va) + f2 * (vc - vb);
}

#define LUT_PAIR(k) lut_tetra_pair(tab, far, c, i + k, v8f_mix(f0, f0, k, k, k, k), \
	v8f_mix(f1, f1, k, k, k, k), v8f_mix(f2, f2, k, k, k, k))
IN_INLINE void lut_some(const float *tab, const float *far, const struct lut_cells *c, int i,
                        float *IN_RESTRICT r, float *IN_RESTRICT g, float *IN_RESTRICT b)
{
	v8f f0 = v8f_load(c->f[0] + i), f1 = v8f_load(c->f[1] + i), f2 = v8f_load(c->f[2] + i);
	v8f o0 = LUT_PAIR(0), o1 = LUT_PAIR(1), o2 = LUT_PAIR(2), o3 = LUT_PAIR(3);
	v8f p = v8f_mix(o0, o1, 0, 4, 1, 5), q = v8f_mix(o2, o3, 0, 4, 1, 5);
	v8f_store(r, v8f_mix(p, q, 0, 1, 4, 5));
	v8f_store(g, v8f_mix(p, q, 2, 3, 6, 7));
	p = v8f_mix(o0, o1, 2, 6, 3, 7);
	q = v8f_mix(o2, o3, 2, 6, 3, 7);
	v8f_store(b, v8f_mix(p, q, 0, 1, 4, 5));
}
#undef LUT_PAIR

/* Whether all eight from i on lie in one tetrahedron, as in most of a smooth picture. */
IN_INLINE bool lut_alike(const struct lut_cells *c, int i)
{
	const uint32_t *p[3] = { c->v0 + i, c->va + i, c->vb + i };
	__m256i other = _mm256_setzero_si256();
	for (int k = 0; k < 3; k++) {
		__m256i v = _mm256_loadu_si256((const void *)p[k]);
		other = _mm256_or_si256(other, _mm256_xor_si256(v, _mm256_set1_epi32((int)p[k][0])));
	}
	return _mm256_testz_si256(other, other);
}

IN_INLINE v8f lut_eight(v4f v) { return (v8f)_mm256_set_m128((__m128)v, (__m128)v); }

/* Those. */
#define LUT_OF(v, k) ((v8f)_mm256_permute_ps((__m256)(v), 0x55 * (k)))
#define LUT_CHANNEL(k, to) v8f_store(to, LUT_OF(v, k) + f0 * LUT_OF(da, k) + f1 * LUT_OF(db, k) + f2 * LUT_OF(dc, k))
IN_INLINE void lut_same(const float *tab, const float *far, const struct lut_cells *c, int i,
                        float *IN_RESTRICT r, float *IN_RESTRICT g, float *IN_RESTRICT b)
{
	v8f f0 = v8f_load(c->f[0] + i), f1 = v8f_load(c->f[1] + i), f2 = v8f_load(c->f[2] + i);
	v4f v0 = lut_node(tab, c->v0[i]), va = lut_node(tab, c->va[i]), vb = lut_node(tab, c->vb[i]);
	v8f v = lut_eight(v0), da = lut_eight(va - v0), db = lut_eight(vb - va), dc = lut_eight(lut_node(far, c->v0[i]) - vb);
	LUT_CHANNEL(0, r);
	LUT_CHANNEL(1, g);
	LUT_CHANNEL(2, b);
}
#undef LUT_CHANNEL
#undef LUT_OF

IN_INLINE void lut_group(const float *tab, const float *far, const struct lut_cells *c, int i,
                         float *IN_RESTRICT r, float *IN_RESTRICT g, float *IN_RESTRICT b)
{
	if (lut_alike(c, i)) lut_same(tab, far, c, i, r, g, b);
	else lut_some(tab, far, c, i, r, g, b);
}
#else
enum { LUT_LANES = 4 };

IN_INLINE void lut_group(const float *tab, const float *far, const struct lut_cells *c, int i,
                         float *IN_RESTRICT r, float *IN_RESTRICT g, float *IN_RESTRICT b)
{
	v4f o0 = lut_tetra(tab, far, c, i), o1 = lut_tetra(tab, far, c, i + 1);
	v4f o2 = lut_tetra(tab, far, c, i + 2), o3 = lut_tetra(tab, far, c, i + 3);
	v4f p = v4f_mix(o0, o1, 0, 4, 1, 5), q = v4f_mix(o2, o3, 0, 4, 1, 5);
	v4f_store(r, v4f_mix(p, q, 0, 1, 4, 5));
	v4f_store(g, v4f_mix(p, q, 2, 3, 6, 7));
	p = v4f_mix(o0, o1, 2, 6, 3, 7);
	q = v4f_mix(o2, o3, 2, 6, 3, 7);
	v4f_store(b, v4f_mix(p, q, 0, 1, 4, 5));
}
#endif

IN_INLINE void lut_batch(const struct lut_3d *l, bool clamp, float *IN_RESTRICT r,
                         float *IN_RESTRICT g, float *IN_RESTRICT b, int n)
{
	struct lut_cells c;
	const float *tab = l->t, *far = tab + 4 * (1 + l->n + l->n * l->n);
	const float lo = clamp ? 0.0f : -LUT_FAR, hi = (float)(l->n - 1) + (clamp ? 0.0f : LUT_FAR);
	bool from0 = l->min[0] == 0 && l->min[1] == 0 && l->min[2] == 0;
	int i = 0;
	bool inside = from0 ? lut_locate_inside(l, true, r, g, b, &c, n) : lut_locate_inside(l, false, r, g, b, &c, n);
	if (!inside) lut_locate_any(l, lo, hi, r, g, b, &c, n);
	for (; i + LUT_LANES <= n; i += LUT_LANES) lut_group(tab, far, &c, i, r + i, g + i, b + i);
	for (; i < n; i++) {
		v4f o = lut_tetra(tab, far, &c, i);
		r[i] = o[0]; g[i] = o[1]; b[i] = o[2];
	}
}

static IN_NOINLINE IN_UNUSED void lut_row_3d(const struct lut_3d *l, bool clamp, float *IN_RESTRICT r,
                              float *IN_RESTRICT g, float *IN_RESTRICT b, int w)
{
	int x = 0;
	for (; x + LUT_BATCH <= w; x += LUT_BATCH) lut_batch(l, clamp, r + x, g + x, b + x, LUT_BATCH);
	if (x < w) lut_batch(l, clamp, r + x, g + x, b + x, w - x);
}

/* Trilinear, pixel by pixel: the value at the border, and from there on by the slopes it has there. */
static inline void lut_row_trilinear(const struct lut_3d *l, bool clamp, float *IN_RESTRICT r,
                                     float *IN_RESTRICT g, float *IN_RESTRICT b, int w)
{
	const float far = clamp ? 0.0f : LUT_FAR, top = (float)(l->n - 1);
	const size_t sg = 4 * (size_t)l->n, sb = sg * (size_t)l->n;
	for (int x = 0; x < w; x++) {
		float in[3] = { r[x], g[x], b[x] }, f[3], past[3];
		size_t at[3];
		for (int k = 0; k < 3; k++) {
			float t = lut_position(in[k], l->min[k], l->scale[k], -far, top + far), c = px_clamp(t, 0.0f, top);
			at[k] = (size_t)px_min(c, top - 1.0f);
			f[k] = c - (float)at[k];
			past[k] = t - c;
		}
		const float *v = l->t + 4 * at[0] + sg * at[1] + sb * at[2];
		v4f d[4], e[2];                                 /* along red; then along green */
		for (int k = 0; k < 4; k++) {
			const float *p = v + (k & 1 ? sg : 0) + (k & 2 ? sb : 0);
			d[k] = v4f_load(p) + f[0] * (v4f_load(p + 4) - v4f_load(p));
		}
		for (int k = 0; k < 2; k++) e[k] = d[2 * k] + f[1] * (d[2 * k + 1] - d[2 * k]);
		v4f o = e[0] + f[2] * (e[1] - e[0]);
		if (past[2] != 0.0f) o += past[2] * (e[1] - e[0]);
		if (past[1] != 0.0f) o += past[1] * ((d[1] - d[0]) + f[2] * ((d[3] - d[2]) - (d[1] - d[0])));
		if (past[0] != 0.0f) {
			v4f q[4];
			for (int k = 0; k < 4; k++) {
				const float *p = v + (k & 1 ? sg : 0) + (k & 2 ? sb : 0);
				q[k] = v4f_load(p + 4) - v4f_load(p);
			}
			v4f lo = q[0] + f[1] * (q[1] - q[0]), hi = q[2] + f[1] * (q[3] - q[2]);
			o += past[0] * (lo + f[2] * (hi - lo));
		}
		r[x] = o[0]; g[x] = o[1]; b[x] = o[2];
	}
}

/* 65536 entries, one a half float: between the two halves on either side of
 * the number. No half lies beyond. */
static inline void lut_row_half(const float *tab, float *IN_RESTRICT p, int w)
{
	for (int x = 0; x < w; x++) {
		float v = px_min(px_abs(p[x]), 65504.0f), f = v * 0x1p24f;
		uint32_t u = px_bitsf(v), sign = px_bitsf(p[x]) >> 31 << 15,
			h = u >= 0x38800000u ? (u - 0x38000000u) >> 13 : (uint32_t)f;
		f = u >= 0x38800000u ? (float)(u & 0x1fffu) * 0x1p-13f : f - (float)h;
		float a = tab[sign | h];
		if (f != 0.0f) a = a + f * (tab[sign | (h + 1)] - a);
		p[x] = p[x] == p[x] ? a : p[x];
	}
}

static inline void lut_step_1d(const struct lut_1d *l, bool clamp, float *r, float *g, float *b, int w)
{
	float *const p[3] = { r, g, b };
	float was[3][LUT_BATCH];
	for (int x = 0; x < w; x += LUT_BATCH) {
		int m = w - x < LUT_BATCH ? w - x : LUT_BATCH;
		for (int k = 0; k < 3; k++) {
			if (l->hue) __builtin_memcpy(was[k], p[k] + x, (size_t)m * sizeof(float));
			if (l->half) lut_row_half(l->t[k], p[k] + x, m);
			else lut_row_1d(l->t[k], l->n, l->min[k], l->scale[k], clamp, p[k] + x, m);
		}
		if (l->hue) lut_keep_hue(was[0], was[1], was[2], r + x, g + x, b + x, m);
	}
}

static inline void lut_step(const struct lut_op *o, bool clamp, float *r, float *g, float *b, int w)
{
	switch (o->kind) {
	case LUT_1D: lut_step_1d(&o->u.t1, clamp, r, g, b, w); break;
	case LUT_3D:
		if (o->u.t3.linear) lut_row_trilinear(&o->u.t3, clamp, r, g, b, w);
		else lut_row_3d(&o->u.t3, clamp, r, g, b, w);
		break;
	case LUT_MATRIX: lut_row_matrix(&o->u.matrix, r, g, b, w); break;
	case LUT_RANGE: lut_row_range(&o->u.range, r, g, b, w); break;
	case LUT_LOG: lut_row_log(&o->u.log, r, g, b, w); break;
	case LUT_EXPONENT: lut_row_exponent(&o->u.exponent, r, g, b, w); break;
	case LUT_CDL: lut_row_cdl(&o->u.cdl, r, g, b, w); break;
	default: break;
	}
}

static inline void lut_row(const struct lut *l, bool clamp, float *r, float *g, float *b, int w)
{
	for (int i = 0; i < l->nop; i++) lut_step(&l->op[i], clamp, r, g, b, w);
}

#endif
