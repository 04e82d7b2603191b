/* px_layer - what a network's layers that are no convolutions make of a tile.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_LAYER_H
#define IN_PX_LAYER_H

#include "mathx.h"
#include "px_conv.h"

/* out, in: blobs and their windows in pixels. conv: of convolutions. slope,
 * add: of channels. Threads: frozen. */
struct px_layer {
	const struct nn_model *model;        /* its share, so that the other layers find it read */
	struct nn_layer l; struct nn_conv *conv; struct nn_blob out, in[NN_MAX_IN];
	struct rect window, from[NN_MAX_IN]; float slope[NN_MAX_CHANNELS], add[NN_MAX_CHANNELS];
};

/* --- what they read --- */

/* Position on an axis of an Interp's input. */
IN_INLINE double px_interp_at(const struct nn_layer *l, int o) { return (o + 0.5) * l->den / l->num - 0.5; }

IN_INLINE struct rect px_interp_need(const struct nn_layer *l, struct rect px, int g)
{
	return rect_of((int)mx_floor(px_interp_at(l, px.x0)) - g,
	               (int)mx_floor(px_interp_at(l, px.y0)) - g,
	               (int)mx_floor(px_interp_at(l, px.x1 - 1)) + g + 1,
	               (int)mx_floor(px_interp_at(l, px.y1 - 1)) + g + 1);
}

IN_INLINE bool px_inside(struct rect r, struct rect in)
{
	return r.x0 >= in.x0 && r.y0 >= in.y0 && r.x1 <= in.x1 && r.y1 <= in.y1;
}

/* Input pixels that output pixels px read, window not yet regarded. */
static IN_UNUSED struct rect px_layer_need(const struct px_layer *s, struct rect px)
{
	const struct nn_layer *l = &s->l;
	int f = l->stride, pad = l->pad > l->pad_end ? l->pad : l->pad_end;
	if (s->conv) return px_conv_need(s->conv, px);
	switch (l->op) {
	case NN_SHUFFLE:
		return rect_of(px_floor_div(px.x0, f), px_floor_div(px.y0, f), px_floor_div(px.x1 + f - 1, f),
		               px_floor_div(px.y1 + f - 1, f));
	case NN_UNSHUFFLE: return rect_of(px.x0 * f, px.y0 * f, px.x1 * f, px.y1 * f);
	case NN_INTERP: return px_interp_need(l, px, l->how == NN_BICUBIC ? 2 : 1);
	case NN_POOL:
		return rect_of(px.x0 * f + l->off, px.y0 * f + l->off, (px.x1 - 1) * f + l->off + l->k,
		               (px.y1 - 1) * f + l->off + l->k);
	case NN_PAD: return l->how == NN_PAD_VALUE || px_inside(px, s->from[0]) ? px
		: rect_grow(px, 2 * pad, 2 * pad);
	case NN_MEAN: return s->from[0];
	default: return px;
	}
}

/* --- pixel by pixel --- */

/* Channel c at pixel (x, y), clamped to the window. */
IN_INLINE float px_layer_get(const struct view *v, int nc, struct rect w, int c, int x, int y)
{
	int s = nn_step(nc);
	x = x < w.x0 ? w.x0 : x >= w.x1 ? w.x1 - 1 : x;
	y = y < w.y0 ? w.y0 : y >= w.y1 ? w.y1 - 1 : y;
	return *view_at(v, c / s, x * s + c % s, y);
}

/* Keys' cubic with a = -0.75, as ncnn and torch resize. */
IN_INLINE void px_interp_cubic(double t, float w[4])
{
	const double a = -0.75;
	for (int i = 0; i < 4; i++) {
		double d = t + 1 - i;
		if (d < 0) d = -d;
		w[i] = (float)(d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a);
	}
}

static IN_UNUSED float px_interp_one(const struct px_layer *s, const struct view *in, int c, int x, int y)
{
	const struct nn_layer *l = &s->l;
	int nc = s->in[0].c;
	if (l->how == NN_NEAREST)
		return px_layer_get(in, nc, s->from[0], c, px_floor_div(x * l->den, l->num),
		                    px_floor_div(y * l->den, l->num));
	double fx = px_interp_at(l, x), fy = px_interp_at(l, y);
	int ix = (int)mx_floor(fx), iy = (int)mx_floor(fy), taps = l->how == NN_BICUBIC ? 4 : 2,
		first = taps / 2 - 1;
	float wx[4] = { (float)(1 - (fx - ix)), (float)(fx - ix) },
		wy[4] = { (float)(1 - (fy - iy)), (float)(fy - iy) };
	float sum = 0;
	if (taps == 4) px_interp_cubic(fx - ix, wx), px_interp_cubic(fy - iy, wy);
	for (int j = 0; j < taps; j++) {
		float row = 0;
		for (int i = 0; i < taps; i++)
			row += wx[i] * px_layer_get(in, nc, s->from[0], c, ix - first + i, iy - first + j);
		sum += wy[j] * row;
	}
	return sum;
}

IN_INLINE float px_shuffle_one(const struct px_layer *s, const struct view *in, int c, int x, int y)
{
	int f = s->l.stride, ix = px_floor_div(x, f), iy = px_floor_div(y, f), k = (y - iy * f) * f + x - ix * f;
	return px_layer_get(in, s->in[0].c, s->from[0], s->l.blocks ? k * s->out.c + c : c * f * f + k, ix, iy);
}

IN_INLINE float px_unshuffle_one(const struct px_layer *s, const struct view *in, int c, int x, int y)
{
	int f = s->l.stride, n = s->in[0].c, k = s->l.blocks ? c / n : c % (f * f),
		from = s->l.blocks ? c % n : c / (f * f);
	return px_layer_get(in, n, s->from[0], from, x * f + k % f, y * f + k / f);
}

IN_INLINE float px_concat_one(const struct px_layer *s, const struct view *in, int c, int x, int y)
{
	int i = 0;
	for (; c >= s->in[i].c; i++) c -= s->in[i].c;
	return px_layer_get(&in[i], s->in[i].c, s->from[i], c, x, y);
}

/* How far beyond the border at v0 and v1, mirrored without the border itself repeated. */
IN_INLINE int px_reflect(int v, int v0, int v1)
{
	if (v1 - v0 == 1) return v0;
	for (;;) {
		if (v < v0) v = 2 * v0 - v;
		else if (v >= v1) v = 2 * (v1 - 1) - v;
		else return v;
	}
}

IN_INLINE float px_pad_one(const struct px_layer *s, const struct view *in, int c, int x, int y)
{
	struct rect w = s->from[0];
	bool inside = x >= w.x0 && x < w.x1 && y >= w.y0 && y < w.y1;
	if (!inside && s->l.how == NN_PAD_VALUE) return (float)s->l.scalar;
	if (!inside && s->l.how == NN_PAD_REFLECT) x = px_reflect(x, w.x0, w.x1), y = px_reflect(y, w.y0, w.y1);
	return px_layer_get(in, s->in[0].c, w, c, x, y);
}

IN_INLINE float px_pool_one(const struct px_layer *s, const struct view *in, int c, int x, int y)
{
	const struct nn_layer *l = &s->l;
	struct rect k = rect_of(x * l->stride + l->off, y * l->stride + l->off, x * l->stride + l->off + l->k,
	                        y * l->stride + l->off + l->k), r = rect_and(k, s->from[0]);
	float sum = 0, most = -3.4e38f;
	for (int iy = r.y0; iy < r.y1; iy++)
		for (int ix = r.x0; ix < r.x1; ix++) {
			float v = px_layer_get(in, s->in[0].c, s->from[0], c, ix, iy);
			sum += v;
			most = v > most ? v : most;
		}
	if (l->how == NN_POOL_MAX) return most;
	return sum / (float)(l->how == NN_POOL_AVG_ALL ? l->k * l->k : (int)rect_area(r));
}

IN_INLINE float px_binary_of(int how, float v, float o)
{
	switch (how) {
	case NN_ADD: return v + o;
	case NN_SUB: return v - o;
	case NN_MUL: return v * o;
	case NN_DIV: return v / o;
	case NN_MAX: return v > o ? v : o;
	default: return v < o ? v : o;
	}
}

/* Input i at plane p; what has no pixels gives its channel. */
IN_INLINE float px_binary_in(const struct px_layer *s, const struct view *in, int i, int p, int x, int y)
{
	if (!s->in[i].vec || s->out.vec) return *view_at(&in[i], p, x, y);
	int step = nn_step(s->out.c);
	return *view_at(&in[i], p, x - px_floor_div(x, step) * step, 0);
}

IN_INLINE float px_binary_one(const struct px_layer *s, const struct view *in, int p, int x, int y)
{
	const struct nn_layer *l = &s->l;
	float v = px_binary_in(s, in, 0, p, x, y) * (float)l->coef[0];
	if (l->with_scalar) return px_binary_of(l->how, v, (float)l->scalar);
	for (int i = 1; i < l->nin; i++)
		v = px_binary_of(l->how, v, px_binary_in(s, in, i, p, x, y) * (float)l->coef[i]);
	return v;
}

IN_INLINE float px_act_one(const struct px_layer *s, float v, int c)
{
	const struct nn_layer *l = &s->l;
	switch (l->act) {
	case NN_SLOPE: case NN_SLOPES: return v > 0.0f ? v : v * s->slope[c];
	case NN_CLIP: v = v > (float)l->lo ? v : (float)l->lo; return v < (float)l->hi ? v : (float)l->hi;
	case NN_SIGMOID: return (float)(1.0 / (1.0 + px_dexp(-(double)v)));
	default: return v;
	}
}

static IN_UNUSED float px_layer_one(const struct px_layer *s, const struct view *in, int p, int x, int y)
{
	int step = nn_step(s->out.c), px = px_floor_div(x, step), c = p * step + x - px * step;
	if (s->l.op == NN_BINARY) return px_binary_one(s, in, p, x, y);
	if (c >= s->out.c) return 0.0f;
	switch (s->l.op) {
	case NN_ACT: return px_act_one(s, *view_at(&in[0], p, x, y), c);
	case NN_AFFINE: return *view_at(&in[0], p, x, y) * s->slope[c] + s->add[c];
	case NN_SHUFFLE: return px_shuffle_one(s, in, c, px, y);
	case NN_UNSHUFFLE: return px_unshuffle_one(s, in, c, px, y);
	case NN_INTERP: return px_interp_one(s, in, c, px, y);
	case NN_PAD: return px_pad_one(s, in, c, px, y);
	case NN_POOL: return px_pool_one(s, in, c, px, y);
	case NN_SLICE: return px_layer_get(in, s->in[0].c, s->from[0], c + s->l.first, px, y);
	default: return px_concat_one(s, in, c, px, y);
	}
}

/* --- by rows: what the networks in use have, with the bits of px_layer_one --- */

static IN_UNUSED bool px_binary_row(const struct px_layer *s, const struct view *in, int p, int y,
                                    struct rect r, float *IN_RESTRICT o)
{
	const struct nn_layer *l = &s->l;
	int n = rect_w(r), step = nn_step(s->out.c);
	const float *a = view_at(&in[0], p, r.x0, y);
	float k = (float)l->coef[0], c = (float)l->scalar;
	if (l->nin > 2 || s->in[0].vec || (l->how != NN_ADD && l->how != NN_MUL)) return false;
	if (l->with_scalar) {
		if (l->how == NN_ADD) for (int i = 0; i < n; i++) o[i] = a[i] * k + c;
		else for (int i = 0; i < n; i++) o[i] = a[i] * k * c;
		return true;
	}
	if (s->in[1].vec) {
		for (int i = 0; i < n; i++) o[i] = px_binary_one(s, in, p, r.x0 + i, y);
		return step > 0;
	}
	const float *b = view_at(&in[1], p, r.x0, y);
	float q = (float)l->coef[1];
	if (l->how == NN_ADD && k == 1 && q == 1) for (int i = 0; i < n; i++) o[i] = a[i] + b[i];
	else if (l->how == NN_ADD) for (int i = 0; i < n; i++) o[i] = a[i] * k + b[i] * q;
	else for (int i = 0; i < n; i++) o[i] = a[i] * k * (b[i] * q);
	return true;
}

/* Whole planes that stand in another map: which, and of which input; false where
 * channels do not fall on planes. */
static IN_UNUSED bool px_copy_row(const struct px_layer *s, const struct view *in, int p, int y,
                                  struct rect r, float *o)
{
	int step = nn_step(s->out.c), c = p * step + (s->l.op == NN_SLICE ? s->l.first : 0), i = 0;
	struct rect px = px_map_pixels(rect_of(r.x0, y, r.x1, y + 1), s->out.c);
	if (s->l.op == NN_CONCAT) for (; c >= s->in[i].c; i++) c -= s->in[i].c;
	if (nn_step(s->in[i].c) != step || c % step ||
	    (s->l.op != NN_PAD && (c + step > s->in[i].c || p * step + step > s->out.c)))
		return false;
	if (!px_inside(px, s->from[i])) return false;
	memcpy(o, view_at(&in[i], c / step, r.x0, y), (size_t)rect_w(r) * sizeof *o);
	return true;
}

/* Pixels taken from others, a channel a plane. */
static IN_UNUSED bool px_move_row(const struct px_layer *s, const struct view *in, int p, int y,
                                  struct rect r, float *IN_RESTRICT o)
{
	const struct nn_layer *l = &s->l;
	int n = rect_w(r), f = l->op == NN_INTERP ? l->num : l->stride, iy = px_floor_div(y, f),
		step = nn_step(s->in[0].c);
	if (l->op == NN_INTERP && (l->how != NN_NEAREST || l->den != 1 || step != nn_step(s->out.c))) return false;
	if (step == 16 && l->op == NN_INTERP) {
		for (int x = r.x0, i; x < r.x1; x += i) {
			int px = px_floor_div(x, 16), lane = x - px * 16;
			const float *a = view_at(&in[0], p, px_floor_div(px, f) * 16 + lane, iy);
			for (i = 0; i < 16 - lane && x + i < r.x1; i++) o[x - r.x0 + i] = a[i];
		}
		return true;
	}
	if (nn_step(s->out.c) != 1 || l->blocks) return false;
	for (int k = 0; k < f; k++) {
		int c = l->op == NN_INTERP ? p : p * f * f + (y - iy * f) * f + k;
		int x = r.x0 + ((k - r.x0) % f + f) % f, ix = px_floor_div(x, f);
		const float *a = view_at(&in[0], c / step, ix * step + c % step, iy);
		for (int i = x - r.x0; i < n; i += f, a += step) o[i] = *a;
	}
	return true;
}

/* False: pixel by pixel. */
static IN_UNUSED bool px_layer_row(const struct px_layer *s, const struct view *in, int p, int y,
                                   struct rect r, float *o)
{
	switch (s->l.op) {
	case NN_BINARY: return px_binary_row(s, in, p, y, r, o);
	case NN_CONCAT: case NN_SLICE: case NN_PAD: return px_copy_row(s, in, p, y, r, o);
	case NN_SHUFFLE: case NN_INTERP: return px_move_row(s, in, p, y, r, o);
	default: return false;
	}
}

/* The mean of the whole window, in doubles, row by row: the picture is one tile to it. */
static IN_UNUSED int px_layer_mean(const struct px_layer *s, const struct view *in,
                                   const struct view *out, struct rect r, const atomic_int *cancel)
{
	struct rect w = s->from[0];
	int step = nn_step(s->out.c);
	for (int p = 0; p < out->nch; p++) {
		double sum[16] = { 0 };
		for (int y = w.y0; y < w.y1; y++) {
			const float *v = view_at(in, p, w.x0 * step, y);
			if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return -1;
			if (step == 1) for (int x = 0; x < rect_w(w); x++) sum[0] += (double)v[x];
			else for (int x = 0; x < rect_w(w); x++, v += 16)
				for (int k = 0; k < 16; k++) sum[k] += (double)v[k];
		}
		for (int x = r.x0; x < r.x1; x++) *view_at(out, p, x, 0) = (float)(sum[x] / (double)rect_area(w));
	}
	return 0;
}

#endif
