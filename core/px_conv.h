/* px_conv - convolutions of a network's maps on a tile, in 32-bit floats.
 *
 * Vectors run over 16 outputs; every output is summed with fma32 over its inputs in one
 * order, in blocks that stand at fixed places of the picture, so that tiles, threads
 * and instruction sets give equal bits.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_CONV_H
#define IN_PX_CONV_H

#include <stdatomic.h>
#include <string.h>

#include "image.h"
#include "nn_conv.h"
#include "px_math.h"
#include "px_vec.h"

enum { CONV_NV = 16 / PXV_LANES, CONV_ROWS = PXV_LANES == 16 ? 12 : 6, CONV_GROUP = 24 };

IN_INLINE pxv pxv_fma(pxv a, pxv b, pxv c)
{
#if defined(__AVX512F__) && defined(__AVX512DQ__)
	return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__)
	return _mm256_fmadd_ps(a, b, c);
#else
	float x[PXV_LANES], y[PXV_LANES], z[PXV_LANES];
	pxv_store(x, a);
	pxv_store(y, b);
	pxv_store(z, c);
	for (int i = 0; i < PXV_LANES; i++) z[i] = fma32(x[i], y[i], z[i]);
	return pxv_load(z);
#endif
}

/* Maps of one window side by side, as if they were one of all their planes. */
struct px_maps { struct rect r; int n; float *plane[IN_MAX_CH]; ptrdiff_t stride[IN_MAX_CH]; };

IN_INLINE void px_maps_of(struct px_maps *m, const struct view *in, int n)
{
	m->r = in[0].r;
	m->n = 0;
	for (int i = 0; i < n; i++)
		for (int c = 0; c < in[i].nch && m->n < IN_MAX_CH; c++, m->n++) {
			m->plane[m->n] = view_at(&in[i], c, m->r.x0, m->r.y0);
			m->stride[m->n] = in[i].stride;
		}
}

IN_INLINE float *px_maps_at(const struct px_maps *m, int p, int x, int y)
{
	return m->plane[p] + (ptrdiff_t)(y - m->r.y0) * m->stride[p] + (x - m->r.x0);
}

IN_INLINE int px_floor_div(int a, int b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

IN_INLINE pxv px_conv_slope(pxv v, pxv slope) { return pxv_lt(pxv_of(0.0f), v, v, v * slope); }
IN_INLINE bool px_conv_slopes(const struct nn_conv *c) { return c->act == NN_SLOPE || c->act == NN_SLOPES; }

/* Bias has been added; slope, limits or sigmoid. */
IN_INLINE pxv px_conv_act(const struct nn_conv *c, pxv v, pxv slope)
{
	if (px_conv_slopes(c)) return px_conv_slope(v, slope);
	if (c->act == NN_CLIP) return pxv_min(pxv_max(v, pxv_of(c->lo)), pxv_of(c->hi));
	if (c->act != NN_SIGMOID) return v;
	float x[PXV_LANES];
	pxv_store(x, v);
	for (int i = 0; i < PXV_LANES; i++) x[i] = (float)(1.0 / (1.0 + px_dexp(-(double)x[i])));
	return pxv_load(x);
}

/* Sixteen channels of panel p at pixel (x, y) of the map behind out; only what stands
 * in r (floats of x) is written. */
IN_INLINE void px_conv_put(const struct view *out, struct rect r, int cout, int p, int x, int y,
                           const float v[16])
{
	if (cout < NN_BLOCK) {
		for (int i = 0; i < cout; i++) *view_at(out, i, x, y) = v[i];
		return;
	}
	int a = x * 16, i0 = r.x0 > a ? r.x0 - a : 0, i1 = r.x1 < a + 16 ? r.x1 - a : 16;
	float *d = out->plane[p] + (ptrdiff_t)(y - out->r.y0) * out->stride + (a - out->r.x0);
	if (i0 == 0 && i1 == 16) for (int i = 0; i < 16; i += PXV_LANES) pxv_store(d + i, pxv_load(v + i));
	else for (int i = i0; i < i1; i++) d[i] = v[i];
}

/* One channel of CONV_ROWS rows times its 16 weights. */
IN_INLINE void px_conv_step(const float *v, const float *w, pxv acc[CONV_ROWS][CONV_NV])
{
	pxv u[CONV_NV];
	for (int j = 0; j < CONV_NV; j++) u[j] = pxv_load(w + j * PXV_LANES);
	for (int r = 0; r < CONV_ROWS; r++) {
		pxv b = pxv_of(v[r * 16]);
		for (int j = 0; j < CONV_NV; j++) acc[r][j] = pxv_fma(b, u[j], acc[r][j]);
	}
}

/* CONV_ROWS rows of channels, 16 of them side by side and the next ones vs behind, times one panel:
 * m[r][16] = sum over i of v[r][i] w[i][16]. next: the rows that come after these. */
IN_INLINE void px_conv_rows(const float *v, ptrdiff_t vs, const float *w, int n, float *m,
                            const float *next)
{
	pxv acc[CONV_ROWS][CONV_NV];
	for (int r = 0; r < CONV_ROWS; r++)
		for (int j = 0; j < CONV_NV; j++) acc[r][j] = pxv_of(0.0f);
	for (; n >= 16; n -= 16, v += vs, next += vs, w += 256) {
		for (int r = 0; r < CONV_ROWS; r++) __builtin_prefetch(next + r * 16);
		for (int i = 0; i < 16; i++) px_conv_step(v + i, w + i * 16, acc);
	}
	for (int i = 0; i < n; i++) px_conv_step(v + i, w + i * 16, acc);
	for (int r = 0; r < CONV_ROWS; r++)
		for (int j = 0; j < CONV_NV; j++) pxv_store(m + r * 16 + j * PXV_LANES, acc[r][j]);
}

/* --- Winograd --- */

/* B^T d along one axis. */
#define PX_WINO_IN(T, d0, d1, d2, d3, d4, d5, o) do { \
		T e_ = d4 - 4.0f * d2, f_ = d3 - 4.0f * d1, g_ = d4 - d2, h_ = 2.0f * (d3 - d1); \
		o(0, 4.0f * d0 - 5.0f * d2 + d4); o(1, e_ + f_); o(2, e_ - f_); \
		o(3, g_ + h_); o(4, g_ - h_); o(5, 4.0f * d1 - 5.0f * d3 + d5); } while (0)

/* 6x6 vectors s (rows apart by ss, columns by sx floats) to 36 vectors apart by ds. */
IN_INLINE void px_wino_in(const float *s, ptrdiff_t ss, ptrdiff_t sx, float *d, ptrdiff_t ds)
{
	pxv t[6][6];
	for (int i = 0; i < 6; i++) {
		const float *q = s + i * ss;
		pxv a = pxv_load(q), b = pxv_load(q + sx), c = pxv_load(q + 2 * sx), e = pxv_load(q + 3 * sx);
		pxv f = pxv_load(q + 4 * sx), g = pxv_load(q + 5 * sx);
#define PX_TO(k, v) t[i][k] = (v)
		PX_WINO_IN(pxv, a, b, c, e, f, g, PX_TO);
#undef PX_TO
	}
	for (int j = 0; j < 6; j++) {
#define PX_TO(k, v) pxv_store(d + ((k) * 6 + j) * ds, (v))
		PX_WINO_IN(pxv, t[0][j], t[1][j], t[2][j], t[3][j], t[4][j], t[5][j], PX_TO);
#undef PX_TO
	}
}
/* The same of one channel. */
IN_INLINE void px_wino_in1(const float *s, ptrdiff_t ss, float *d, ptrdiff_t ds)
{
	float t[6][6];
	for (int i = 0; i < 6; i++) {
		const float *q = s + i * ss;
#define PX_TO(k, v) t[i][k] = (v)
		PX_WINO_IN(float, q[0], q[1], q[2], q[3], q[4], q[5], PX_TO);
#undef PX_TO
	}
	for (int j = 0; j < 6; j++) {
#define PX_TO(k, v) d[((k) * 6 + j) * ds] = (v)
		PX_WINO_IN(float, t[0][j], t[1][j], t[2][j], t[3][j], t[4][j], t[5][j], PX_TO);
#undef PX_TO
	}
}

/* A^T m along one axis. */
#define PX_WINO_OUT(T, m0, m1, m2, m3, m4, m5, o) do { \
		T a_ = m1 + m2, b_ = m1 - m2, c_ = m3 + m4, d_ = m3 - m4; \
		o(0, m0 + a_ + c_); o(1, b_ + 2.0f * d_); o(2, a_ + 4.0f * c_); o(3, b_ + 8.0f * d_ + m5); } while (0)

/* 36 vectors apart by ms to 4x4 vectors. */
IN_INLINE void px_wino_out(const float *m, ptrdiff_t ms, pxv o[4][4])
{
	pxv t[4][6];
	for (int j = 0; j < 6; j++) {
		pxv a = pxv_load(m + j * ms), b = pxv_load(m + (6 + j) * ms), c = pxv_load(m + (12 + j) * ms);
		pxv e = pxv_load(m + (18 + j) * ms), f = pxv_load(m + (24 + j) * ms), g = pxv_load(m + (30 + j) * ms);
#define PX_TO(k, v) t[k][j] = (v)
		PX_WINO_OUT(pxv, a, b, c, e, f, g, PX_TO);
#undef PX_TO
	}
	for (int i = 0; i < 4; i++) {
#define PX_TO(k, v) o[i][k] = (v)
		PX_WINO_OUT(pxv, t[i][0], t[i][1], t[i][2], t[i][3], t[i][4], t[i][5], PX_TO);
#undef PX_TO
	}
}

/* Blocks go together in groups, CONV_ROWS of them in a bunch. Transformed inputs lie by
 * [bunch][plane][36][block][16], products by [bunch][36][block][16], so that neither a transform nor
 * a product strides through memory; a group's should stay in the second-level cache. */
enum { CONV_BUNCH = 36 * CONV_ROWS * 16 };
IN_INLINE int px_wino_group(int cin) { return cin > 96 ? 12 : CONV_GROUP; }
IN_INLINE size_t px_wino_scratch(int cin)
{
	size_t n = (size_t)px_wino_group(cin) / CONV_ROWS, planes = (size_t)(cin + 15) / 16;
	return (n * (planes + 1) * CONV_BUNCH + 36 * 16 + 64) * sizeof(float);
}

/* The pixels that the next block to the right adds to this one's. */
IN_INLINE void px_wino_ahead(const float *s, ptrdiff_t ss)
{
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 4; j++) __builtin_prefetch(s + i * ss + j * 16);
}

struct px_block { int x, y; };

/* A map's 6x6 pixels, those outside the input's window 0. */
IN_INLINE const float *px_wino_edge(const struct nn_conv *c, const struct px_maps *in, int p, int x, int y,
                                    int step, float *tmp)
{
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++) {
			bool is = x + j >= c->in.x0 && x + j < c->in.x1 && y + i >= c->in.y0 && y + i < c->in.y1;
			const float *q = is ? px_maps_at(in, p, (x + j) * step, y + i) : NULL;
			for (int k = 0; k < step; k++) tmp[(i * 6 + j) * step + k] = is ? q[k] : 0.0f;
		}
	return tmp;
}

/* Plane p of one block's input, transformed. */
IN_INLINE void px_wino_block(const struct nn_conv *c, const struct px_maps *in, struct px_block b, int p,
                             float *tmp, float *v)
{
	int step = nn_step(c->cin), x = b.x - 1, y = b.y - 1;
	bool inside = x >= c->in.x0 && y >= c->in.y0 && x + 6 <= c->in.x1 && y + 6 <= c->in.y1;
	const float *s = inside ? px_maps_at(in, p, x * step, y) : px_wino_edge(c, in, p, x, y, step, tmp);
	ptrdiff_t ss = inside ? in->stride[p] : 6 * step;
	if (step == 1) {
		px_wino_in1(s, ss, v + p, CONV_ROWS * 16);
		return;
	}
	if (inside) px_wino_ahead(s + 96, ss);
	for (int k = 0; k < 16; k += PXV_LANES)
		px_wino_in(s + k, ss, 16, v + (ptrdiff_t)p * CONV_BUNCH + k, CONV_ROWS * 16);
}

/* What a transposed convolution makes of a block of its input: a panel's outputs are several pixels'. */
IN_INLINE void px_wino_spread(const struct nn_conv *c, float v[4][4][16], int p, int x, int y,
                              const struct view *out, struct rect r, struct rect px)
{
	int lanes = c->lanes < 16 ? c->lanes : 16, n = c->up * c->up * c->lanes - p * 16;
	for (int k = 0; k < 16 && k < n; k += lanes - (p * 16 + k) % lanes) {
		int sub = (p * 16 + k) / c->lanes, at = (p * 16 + k) % c->lanes;
		for (int i = 0; i < 16; i++) {
			int ox = (x + i % 4) * c->up + sub % c->up, oy = (y + i / 4) * c->up + sub / c->up;
			if (ox < px.x0 || ox >= px.x1 || oy < px.y0 || oy >= px.y1) continue;
			if (lanes == 16) px_conv_put(out, r, c->cout, at / 16, ox, oy, v[i / 4][i % 4]);
			else for (int o = at; o < lanes && k + o - at < 16; o++)
				*view_at(out, o, ox, oy) = v[i / 4][i % 4][k + o - at];
		}
	}
}

/* Panel p of one block: out of the products, with bias and activation. Blocks that
 * lie whole in r go straight out. */
IN_INLINE void px_wino_store(const struct nn_conv *c, const float *m, ptrdiff_t ms, int p, int x, int y,
                             const struct view *out, struct rect r, struct rect px)
{
	float v[4][4][16];
	bool inside = x * 16 >= r.x0 && (x + 4) * 16 <= r.x1 && y >= r.y0 && y + 4 <= r.y1;
	bool whole = c->cout >= NN_BLOCK && c->up == 1 && inside, slopes = px_conv_slopes(c);
	float *to = whole ? view_at(out, p, x * 16, y) : &v[0][0][0];
	ptrdiff_t stride = whole ? out->stride : 64;
	/* those of the block to the right come near while this one is made */
	if (whole) for (int k = 0; k < 16; k++) __builtin_prefetch(to + k / 4 * stride + (k % 4 + 4) * 16, 1);
	for (int k = 0; k < 16; k += PXV_LANES) {
		pxv o[4][4], bias = pxv_load(c->bias + p * 16 + k), slope = pxv_load(c->slope + p * 16 + k);
		px_wino_out(m + k, ms, o);
		if (slopes) for (int i = 0; i < 16; i++)
			pxv_store(to + i / 4 * stride + i % 4 * 16 + k, px_conv_slope(o[i / 4][i % 4] + bias, slope));
		else for (int i = 0; i < 16; i++)
			pxv_store(to + i / 4 * stride + i % 4 * 16 + k, px_conv_act(c, o[i / 4][i % 4] + bias, slope));
	}
	if (whole) return;
	if (c->up > 1) {
		px_wino_spread(c, v, p, x, y, out, r, px);
		return;
	}
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++)
			if (x + j >= px.x0 && x + j < px.x1 && y + i >= px.y0 && y + i < px.y1)
				px_conv_put(out, r, c->cout, p, x + j, y + i, v[i][j]);
}

static IN_UNUSED void px_wino_blocks(const struct nn_conv *c, const struct px_maps *in,
                                     const struct view *out, struct rect r, struct rect px,
                                     const struct px_block *b, int n, float *scratch)
{
	int planes = (c->cin + 15) / 16, bunches = (n + CONV_ROWS - 1) / CONV_ROWS;
	ptrdiff_t vs = (ptrdiff_t)planes * CONV_BUNCH;
	float *v = scratch, *m = v + bunches * vs, *tmp = m + bunches * (ptrdiff_t)CONV_BUNCH;
	if (n % CONV_ROWS) memset(v + (bunches - 1) * vs, 0, (size_t)vs * sizeof(float));
	for (int k = 0; k < bunches; k++)
		for (int q = 0; q < nn_planes(c->cin); q++)
			for (int i = k * CONV_ROWS; i < n && i < (k + 1) * CONV_ROWS; i++)
				px_wino_block(c, in, b[i], q, tmp, v + k * vs + i % CONV_ROWS * 16);
	for (int p = 0; p < c->panels; p++) {
		const float *w = c->w + (size_t)p * 36 * (size_t)c->cin * 16;
		for (int k = 0, at = 0; k < 36; k++, at += CONV_ROWS * 16, w += c->cin * 16)
			for (int i = 0; i < bunches; i++) {
				const float *from = v + i * vs + at;
				const float *next = i + 1 < bunches ? from + vs : v + at + CONV_ROWS * 16;
				px_conv_rows(from, CONV_BUNCH, w, c->cin, m + i * CONV_BUNCH + at, next);
			}
		for (int i = 0; i < n; i++)
			px_wino_store(c, m + i / CONV_ROWS * CONV_BUNCH + i % CONV_ROWS * 16, CONV_ROWS * 16, p,
			              b[i].x, b[i].y, out, r, px);
	}
}

/* Whole blocks, in pixels of the input (those of the output where it is as large), that make pixels px. */
IN_INLINE struct rect px_wino_cover(const struct nn_conv *c, struct rect px)
{
	int side = 4 * c->up, x = c->x0 * c->up, y = c->y0 * c->up;
	return rect_of(px_floor_div(px.x0 - x, side) * 4 + c->x0, px_floor_div(px.y0 - y, side) * 4 + c->y0,
	               px_floor_div(px.x1 - x + side - 1, side) * 4 + c->x0,
	               px_floor_div(px.y1 - y + side - 1, side) * 4 + c->y0);
}

static IN_UNUSED int px_conv_wino(const struct nn_conv *c, const struct px_maps *in,
                                  const struct view *out, struct rect r, struct rect px,
                                  void *scratch, const atomic_int *cancel)
{
	struct px_block b[CONV_GROUP];
	struct rect all = px_wino_cover(c, px);
	int n = 0, g = px_wino_group(c->cin);
	for (int y = all.y0; y < all.y1; y += 4)
		for (int x = all.x0; x < all.x1; x += 4) {
			b[n++] = (struct px_block){ x, y };
			if (n < g) continue;
			px_wino_blocks(c, in, out, r, px, b, n, scratch);
			n = 0;
			if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return -1;
		}
	if (n) px_wino_blocks(c, in, out, r, px, b, n, scratch);
	return 0;
}

/* --- directly --- */

/* One output pixel's sum of one tap over the panel's inputs, onto acc. */
IN_INLINE void px_conv_tap(const struct nn_conv *c, const struct px_maps *in, int x, int y, int p,
                           int t, pxv acc[CONV_NV])
{
	const struct nn_panel *q = &c->panel[p];
	const float *w = c->w + q->at + (size_t)t * (size_t)q->n * 16;
	int step = nn_step(c->cin);
	if (c->depth) {
		const float *v = px_maps_at(in, p, x * 16, y);
		for (int j = 0; j < CONV_NV; j++)
			acc[j] = pxv_fma(pxv_load(v + j * PXV_LANES), pxv_load(w + j * PXV_LANES), acc[j]);
		return;
	}
	for (int i = q->first; i < q->first + q->n;) {
		const float *v = px_maps_at(in, i / step, x * step, y) + i % step;
		int n = step - i % step < q->first + q->n - i ? step - i % step : q->first + q->n - i;
		for (int k = 0; k < n; k++, w += 16) {
			pxv b = pxv_of(v[k]);
			for (int j = 0; j < CONV_NV; j++) acc[j] = pxv_fma(b, pxv_load(w + j * PXV_LANES), acc[j]);
		}
		i += n;
	}
}

/* Where tap t of output coordinate o reads; false where it falls between pixels. */
IN_INLINE bool px_conv_at(const struct nn_conv *c, int o, int t, int *at)
{
	if (!c->transposed) { *at = o * c->stride + c->off + t * c->dilation; return true; }
	int z = o - c->off - t * c->dilation;
	*at = px_floor_div(z, c->stride);
	return *at * c->stride == z;
}

/* Bias has been summed with the taps; panel p of pixel (x, y). */
IN_INLINE void px_conv_done(const struct nn_conv *c, const struct view *out, struct rect r, int p, int x, int y,
                            const pxv acc[CONV_NV])
{
	float v[16];
	for (int j = 0; j < CONV_NV; j++)
		pxv_store(v + j * PXV_LANES, px_conv_act(c, acc[j], pxv_load(c->slope + p * 16 + j * PXV_LANES)));
	px_conv_put(out, r, c->cout, p, x, y, v);
}

static IN_UNUSED void px_conv_pixel(const struct nn_conv *c, const struct px_maps *in, const struct view *out,
                                    struct rect r, int x, int y)
{
	for (int p = 0; p < c->panels; p++) {
		pxv acc[CONV_NV];
		for (int j = 0; j < CONV_NV; j++) acc[j] = pxv_load(c->bias + p * 16 + j * PXV_LANES);
		for (int t = 0; t < c->k * c->k; t++) {
			int ix, iy;
			if (!px_conv_at(c, y, t / c->k, &iy) || !px_conv_at(c, x, t % c->k, &ix)) continue;
			if (ix < c->in.x0 || ix >= c->in.x1 || iy < c->in.y0 || iy >= c->in.y1) continue;
			px_conv_tap(c, in, ix, iy, p, t, acc);
		}
		px_conv_done(c, out, r, p, x, y, acc);
	}
}

/* Pixels x, x + sub ... of one row that read the same taps, one input pixel (or stride) apart:
 * each weight is loaded once for
 * all of them, and their sums do not wait for one another. The sums are px_conv_pixel's. */
static IN_UNUSED void px_conv_run(const struct nn_conv *c, const struct px_maps *in, const struct view *out,
                                  struct rect r, int x, int y, int sub)
{
	int step = nn_step(c->cin);
	ptrdiff_t next = (ptrdiff_t)step * (c->transposed ? 1 : c->stride);
	for (int p = 0; p < c->panels; p++) {
		const struct nn_panel *q = &c->panel[p];
		pxv acc[CONV_ROWS][CONV_NV];
		for (int m = 0; m < CONV_ROWS; m++)
			for (int j = 0; j < CONV_NV; j++) acc[m][j] = pxv_load(c->bias + p * 16 + j * PXV_LANES);
		for (int t = 0; t < c->k * c->k; t++) {
			int ix, iy, n;
			const float *w = c->w + q->at + (size_t)t * (size_t)q->n * 16;
			if (!px_conv_at(c, y, t / c->k, &iy) || !px_conv_at(c, x, t % c->k, &ix)) continue;
			if (iy < c->in.y0 || iy >= c->in.y1) continue;
			for (int i = q->first; i < q->first + q->n; i += n) {
				const float *v = px_maps_at(in, i / step, ix * step, iy) + i % step;
				n = step - i % step < q->first + q->n - i ? step - i % step : q->first + q->n - i;
				for (int k = 0; k < n; k++, w += 16) {
					pxv u[CONV_NV];
					for (int j = 0; j < CONV_NV; j++) u[j] = pxv_load(w + j * PXV_LANES);
					for (int m = 0; m < CONV_ROWS; m++) {
						pxv b = pxv_of(v[m * next + k]);
						for (int j = 0; j < CONV_NV; j++) acc[m][j] = pxv_fma(b, u[j], acc[m][j]);
					}
				}
			}
		}
		for (int m = 0; m < CONV_ROWS; m++) px_conv_done(c, out, r, p, x + m * sub, y, acc[m]);
	}
}

/* Do all taps of so many pixels from x on lie inside? */
IN_INLINE bool px_conv_inside(const struct nn_conv *c, int x)
{
	int far = (CONV_ROWS - 1) * (c->transposed ? 1 : c->stride);
	for (int t = 0; t < c->k; t++) {
		int ix;
		if (px_conv_at(c, x, t, &ix) && (ix < c->in.x0 || ix + far >= c->in.x1)) return false;
	}
	return true;
}

static IN_UNUSED int px_conv_direct(const struct nn_conv *c, const struct px_maps *in, const struct view *out,
                                    struct rect r, struct rect px, const atomic_int *cancel)
{
	int sub = c->transposed ? c->stride : 1;
	for (int y = px.y0; y < px.y1; y++) {
		for (int first = px.x0; first < px.x0 + sub; first++)
			for (int x = first; x < px.x1;) {
				if (!c->depth && x + (CONV_ROWS - 1) * sub < px.x1 && px_conv_inside(c, x)) {
					px_conv_run(c, in, out, r, x, y, sub);
					x += CONV_ROWS * sub;
				} else {
					px_conv_pixel(c, in, out, r, x, y);
					x += sub;
				}
			}
		if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return -1;
	}
	return 0;
}

/* Pixels of a map that r (in floats of x) touches. */
IN_INLINE struct rect px_map_pixels(struct rect r, int c)
{
	int s = nn_step(c);
	return rect_of(px_floor_div(r.x0, s), r.y0, px_floor_div(r.x1 + s - 1, s), r.y1);
}
IN_INLINE struct rect px_map_floats(struct rect r, int c)
{
	return rect_of(r.x0 * nn_step(c), r.y0, r.x1 * nn_step(c), r.y1);
}

/* Input pixels that output pixels px read, window not yet regarded. */
IN_INLINE struct rect px_conv_need(const struct nn_conv *c, struct rect px)
{
	if (c->wino) return rect_grow(px_wino_cover(c, px), 1, 1);
	int st = c->stride, far = (c->k - 1) * c->dilation;
	if (!c->transposed)
		return rect_of(px.x0 * st + c->off, px.y0 * st + c->off, (px.x1 - 1) * st + c->off + far + 1,
		               (px.y1 - 1) * st + c->off + far + 1);
	return rect_of(px_floor_div(px.x0 - c->off - far, st), px_floor_div(px.y0 - c->off - far, st),
	               px_floor_div(px.x1 - 1 - c->off, st) + 1, px_floor_div(px.y1 - 1 - c->off, st) + 1);
}

IN_INLINE size_t px_conv_scratch(const struct nn_conv *c) { return c->wino ? px_wino_scratch(c->cin) : 64; }

/* Writes rect r (floats of x) of out, from the channels of n maps in turn. -1 when cancelled. */
static IN_UNUSED int px_conv(const struct nn_conv *c, const struct view *in, int n, const struct view *out,
                             struct rect r, void *scratch, const atomic_int *cancel)
{
	struct rect px = px_map_pixels(r, c->cout);
	struct px_maps maps;
	px_maps_of(&maps, in, n);
	if (c->wino) return px_conv_wino(c, &maps, out, r, px, scratch, cancel);
	return px_conv_direct(c, &maps, out, r, px, cancel);
}

#endif
