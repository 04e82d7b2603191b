/* nn_fast_ops - see nn_fast_ops.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_fast_ops.h"

#include <stdlib.h>
#include <string.h>

#include "mathx.h"

static int div_floor(int a, int b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

static float *at(const struct nn_map *m, int x, int y)
{
	x = x < m->r.x0 ? m->r.x0 : x >= m->r.x1 ? m->r.x1 - 1 : x;
	y = y < m->r.y0 ? m->r.y0 : y >= m->r.y1 ? m->r.y1 - 1 : y;
	return m->v + ((size_t)(y - m->r.y0) * (size_t)rect_w(m->r) + (size_t)(x - m->r.x0)) * (size_t)m->c;
}

/* Keys' cubic with a = -0.75, as ncnn and torch resize. */
static double cubic(double d)
{
	const double a = -0.75;
	if (d < 0) d = -d;
	if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
	return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

static void interp(const struct nn_layer *l, const struct nn_map *in, int x, int y, float *o)
{
	if (l->how == NN_NEAREST) {
		memcpy(o, at(in, div_floor(x * l->den, l->num), div_floor(y * l->den, l->num)), (size_t)in->c * sizeof *o);
		return;
	}
	double fx = (x + 0.5) * l->den / l->num - 0.5, fy = (y + 0.5) * l->den / l->num - 0.5;
	int ix = (int)mx_floor(fx), iy = (int)mx_floor(fy), reach = l->how == NN_BICUBIC ? 2 : 1;
	memset(o, 0, (size_t)in->c * sizeof *o);
	for (int j = 1 - reach; j <= reach; j++)
		for (int i = 1 - reach; i <= reach; i++) {
			double dx = fx - (ix + i), dy = fy - (iy + j);
			double w = reach == 2 ? cubic(dx) * cubic(dy) : (1 - (dx < 0 ? -dx : dx)) * (1 - (dy < 0 ? -dy : dy));
			const float *s = at(in, ix + i, iy + j);
			for (int c = 0; c < in->c; c++) o[c] += (float)w * s[c];
		}
}

static void shuffle(const struct nn_layer *l, const struct nn_map *in, int nc, int x, int y, float *o)
{
	int f = l->stride, ix = div_floor(x, f), iy = div_floor(y, f), k = (y - iy * f) * f + x - ix * f;
	const float *s = at(in, ix, iy);
	for (int c = 0; c < nc; c++) o[c] = s[l->blocks ? k * nc + c : c * f * f + k];
}

static void binary(const struct nn_layer *l, const struct nn_map *const *in, int nc, int x, int y, float *o)
{
	const float *a = at(in[0], x, y);
	int n = l->with_scalar ? 2 : l->nin;
	for (int c = 0; c < nc; c++) {
		float v = a[c] * (float)l->coef[0];
		for (int i = 1; i < n; i++) {
			float q = l->with_scalar ? (float)l->scalar : at(in[i], x, y)[c] * (float)l->coef[i];
			switch (l->how) {
			case NN_ADD: v += q; break;
			case NN_SUB: v -= q; break;
			case NN_MUL: v *= q; break;
			case NN_MAX: v = v > q ? v : q; break;
			default: v = v < q ? v : q;
			}
		}
		o[c] = v;
	}
}

void nn_map_op(const struct nn_layer *l, const struct nn_map *const *in, const struct nn_map *out)
{
	for (int y = out->r.y0; y < out->r.y1; y++)
		for (int x = out->r.x0; x < out->r.x1; x++) {
			float *o = at(out, x, y);
			switch (l->op) {
			case NN_SHUFFLE: shuffle(l, in[0], out->c, x, y, o); break;
			case NN_INTERP: interp(l, in[0], x, y, o); break;
			case NN_BINARY: binary(l, in, out->c, x, y, o); break;
			case NN_CONCAT:
				for (int i = 0; i < l->nin; o += in[i++]->c) memcpy(o, at(in[i], x, y), (size_t)in[i]->c * sizeof *o);
				break;
			default: memcpy(o, at(in[0], x, y), (size_t)out->c * sizeof *o);
			}
		}
}

void nn_map_act(const struct nn_layer *l, const float *slopes, const struct nn_map *m)
{
	size_t n = rect_area(m->r);
	float own[NN_MAX_CHANNELS];
	if (l->act == NN_LINEAR) return;
	for (int c = 0; c < m->c; c++)
		own[c] = l->act == NN_SLOPE ? (float)l->lo
			: slopes ? slopes[l->slopes.n == 1 ? 0 : c] : 1.0f;
	for (size_t i = 0; i < n; i++) {
		float *v = m->v + i * (size_t)m->c;
		if (l->act == NN_SLOPE || l->act == NN_SLOPES)
			for (int c = 0; c < m->c; c++) v[c] = v[c] > 0.0f ? v[c] : v[c] * own[c];
		else if (l->act == NN_CLIP)
			for (int c = 0; c < m->c; c++)
				v[c] = v[c] < (float)l->lo ? (float)l->lo
					: v[c] > (float)l->hi ? (float)l->hi : v[c];
		else
			for (int c = 0; c < m->c; c++) v[c] = (float)(1.0 / (1.0 + mx_exp(-(double)v[c])));
	}
}

void nn_map_take(const struct nn_map *m, const struct view *from)
{
	for (int y = m->r.y0; y < m->r.y1; y++)
		for (int c = 0; c < m->c; c++) {
			const float *s = view_at(from, c, m->r.x0, y);
			float *o = at(m, m->r.x0, y) + c;
			for (int x = 0; x < rect_w(m->r); x++, o += m->c) *o = s[x];
		}
}

void nn_map_give(const struct nn_map *m, struct rect r, const struct view *to)
{
	for (int y = r.y0; y < r.y1; y++)
		for (int c = 0; c < m->c; c++) {
			const float *s = at(m, r.x0, y) + c;
			float *o = view_at(to, c, r.x0, y);
			for (int x = 0; x < rect_w(r); x++, s += m->c) o[x] = *s;
		}
}

void *nn_map_bf16(const struct nn_map *m)
{
	size_t n = rect_area(m->r) * (size_t)m->c;
	uint16_t *o = malloc(n * sizeof *o + 64);
	for (size_t i = 0; o && i < n; i++) o[i] = mx_bf16(m->v[i]);
	return o;
}
