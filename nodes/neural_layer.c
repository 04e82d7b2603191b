/* neural_layer - one layer of a network, with the activation that follows it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "node.h"
#include "px_conv.h"

struct neural_layer { const char *model, *sha, *model_b, *sha_b; double share; int layer, act, x0, y0, x1, y1; };

static const struct param params[] = {
	P_STRING(neural_layer, model, "", PF_STATIC | PF_NOKEY, "The .param file."),
	P_STRING(neural_layer, sha, "", PF_STATIC, "What the model is."),
	P_STRING(neural_layer, model_b, "", PF_STATIC | PF_NOKEY, "A second model of the same layers."),
	P_STRING(neural_layer, sha_b, "", PF_STATIC, "What that is."),
	P_FLOATX(neural_layer, share, 0, 0, 1, "", PF_STATIC, "The second's share of the weights."),
	P_INT(neural_layer, layer, 0, 0, NN_MAX_LAYERS, "", PF_STATIC, "Which layer."),
	P_INT(neural_layer, act, -1, -1, NN_MAX_LAYERS, "", PF_STATIC, "The activation computed with it; -1: none."),
	P_INT(neural_layer, x0, 0, -1000000, 1000000, "", PF_STATIC, "The network's input window."),
	P_INT(neural_layer, y0, 0, -1000000, 1000000, "", PF_STATIC, "Its top."),
	P_INT(neural_layer, x1, 0, -1000000, 1000000, "", PF_STATIC, "Its end to the right."),
	P_INT(neural_layer, y1, 0, -1000000, 1000000, "", PF_STATIC, "Its end below."),
	P_END
};

/* out, in: blobs and their windows in pixels. conv: of convolutions. */
struct state {
	struct nn_layer l; struct nn_conv *conv; struct nn_blob out, in[NN_MAX_IN];
	struct rect window, from[NN_MAX_IN]; float slope[NN_MAX_CHANNELS]; double mac;
};

static void close_layer(struct node_ctx *n)
{
	struct state *s = n->state;
	if (s) nn_conv_free(&s->conv);
	free(s);
	n->state = NULL;
}

/* Slopes of an activation that stands alone. */
static int load_slopes(struct state *s, const struct nn_model *m, struct err *e)
{
	for (int i = 0; i < NN_MAX_CHANNELS; i++) s->slope[i] = (float)s->l.lo;
	if (s->l.act != NN_SLOPES) return 0;
	float *v = nn_weights(m, &s->l.slopes, e);
	if (!v) return -1;
	for (int i = 0; i < s->out.c; i++) s->slope[i] = v[s->l.slopes.n == 1 ? 0 : i];
	free(v);
	return 0;
}

/* The model as it was when the scene was read. */
static struct nn_model *load(const char *path, const char *sha, struct err *e)
{
	char hex[65];
	struct nn_model *m = nn_load(path, e);
	if (!m) return NULL;
	key_hex(&m->sha, hex);
	if (strcmp(hex, sha) == 0) return m;
	err_set(e, E_INPUT, "%s changed while it was being read", path);
	nn_free(&m);
	return NULL;
}

static int open_layer(struct node_ctx *n, struct err *e)
{
	const struct neural_layer *p = n->v;
	struct state *s = xalloc(1, sizeof *s);
	struct nn_model *m = load(p->model, p->sha, e), *b = NULL;
	struct rect r = rect_of(p->x0, p->y0, p->x1, p->y1);
	int rc = -1;
	n->state = s;
	if (!m || (*p->model_b && p->share > 0 && !(b = load(p->model_b, p->sha_b, e)))) goto out;
	if (p->layer >= m->nlayer || p->act >= m->nlayer) { err_set(e, E_INTERNAL, "no such layer"); goto out; }
	s->l = m->layer[p->layer];
	s->out = m->blob[s->l.out];
	s->window = nn_window(&s->out, r);
	for (int i = 0; i < s->l.nin; i++) s->in[i] = m->blob[s->l.in[i]];
	for (int i = 0; i < s->l.nin; i++) s->from[i] = nn_window(&s->in[i], r);
	if (s->l.op == NN_CONV || s->l.op == NN_DECONV) {
		s->conv = nn_conv_new(m, &s->l, p->act >= 0 ? &m->layer[p->act] : NULL, b, p->share, e);
		if (!s->conv) goto out;
		s->conv->in = s->from[0];
	} else if (load_slopes(s, m, e) < 0) goto out;
	rc = 0;
out:
	nn_free(&m);
	nn_free(&b);
	return rc;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct state *s = n->state;
	char names[IN_MAX_CH * 5 + 1] = "";
	int planes = nn_planes(s->out.c), len = 0;
	if (planes > IN_MAX_CH) return err_set(e, E_INPUT, "a layer of %d channels is too many", s->out.c);
	for (int i = 0; i < planes; i++) len += snprintf(names + len, 6, "%sn%d", i ? " " : "", i);
	if (rect_empty(s->window) || (int64_t)rect_w(s->window) * nn_step(s->out.c) > IN_MAX_SIDE)
		return err_set(e, E_INPUT, "a picture of %d x %d pixels is too small or too wide for this network (at most %d "
		               "across)", rect_w(s->window), rect_h(s->window), IN_MAX_SIDE / nn_step(s->out.c));
	out->data = px_map_floats(s->window, s->out.c);
	out->display = out->data;
	format_channels(out, names);
	return 0;
}

/* Position on an axis of an Interp's input. */
static double interp_at(const struct nn_layer *l, int o) { return (o + 0.5) * l->den / l->num - 0.5; }

static struct rect interp_need(const struct nn_layer *l, struct rect px, int g)
{
	return rect_of((int)mx_floor(interp_at(l, px.x0)) - g, (int)mx_floor(interp_at(l, px.y0)) - g,
	               (int)mx_floor(interp_at(l, px.x1 - 1)) + g + 1, (int)mx_floor(interp_at(l, px.y1 - 1)) + g + 1);
}

static struct rect need_of(const struct state *s, struct rect px)
{
	const struct nn_layer *l = &s->l;
	int f = l->stride;
	if (s->conv) return px_conv_need(s->conv, px);
	if (l->op == NN_SHUFFLE)
		return rect_of(px_floor_div(px.x0, f), px_floor_div(px.y0, f), px_floor_div(px.x1 + f - 1, f),
		               px_floor_div(px.y1 + f - 1, f));
	if (l->op == NN_INTERP) return interp_need(l, px, l->how == NN_BICUBIC ? 2 : 1);
	return px;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct state *s = n->state;
	struct rect px = need_of(s, px_map_pixels(r, s->out.c));
	for (int i = 0; i < n->nconn; i++)
		need_add(out, i, frame, px_map_floats(rect_and(px, s->from[i]), s->in[i].c));
}

/* --- layers that are no convolutions --- */

/* Channel c at pixel (x, y), clamped to the window. */
IN_INLINE float get(const struct view *v, int nc, struct rect w, int c, int x, int y)
{
	int s = nn_step(nc);
	x = x < w.x0 ? w.x0 : x >= w.x1 ? w.x1 - 1 : x;
	y = y < w.y0 ? w.y0 : y >= w.y1 ? w.y1 - 1 : y;
	return *view_at(v, c / s, x * s + c % s, y);
}

/* Keys' cubic with a = -0.75, as ncnn and torch resize. */
static void cubic(double t, float w[4])
{
	const double a = -0.75;
	for (int i = 0; i < 4; i++) {
		double d = t + 1 - i;
		if (d < 0) d = -d;
		w[i] = (float)(d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a);
	}
}

static float interp_one(const struct state *s, const struct view *in, int c, int x, int y)
{
	const struct nn_layer *l = &s->l;
	int nc = s->in[0].c;
	if (l->how == NN_NEAREST)
		return get(in, nc, s->from[0], c, px_floor_div(x * l->den, l->num), px_floor_div(y * l->den, l->num));
	double fx = interp_at(l, x), fy = interp_at(l, y);
	int ix = (int)mx_floor(fx), iy = (int)mx_floor(fy), taps = l->how == NN_BICUBIC ? 4 : 2, first = taps / 2 - 1;
	float wx[4] = { (float)(1 - (fx - ix)), (float)(fx - ix) }, wy[4] = { (float)(1 - (fy - iy)), (float)(fy - iy) };
	float sum = 0;
	if (taps == 4) cubic(fx - ix, wx), cubic(fy - iy, wy);
	for (int j = 0; j < taps; j++) {
		float row = 0;
		for (int i = 0; i < taps; i++) row += wx[i] * get(in, nc, s->from[0], c, ix - first + i, iy - first + j);
		sum += wy[j] * row;
	}
	return sum;
}

static float shuffle_one(const struct state *s, const struct view *in, int c, int x, int y)
{
	int f = s->l.stride, ix = px_floor_div(x, f), iy = px_floor_div(y, f), k = (y - iy * f) * f + x - ix * f;
	return get(in, s->in[0].c, s->from[0], s->l.blocks ? k * s->out.c + c : c * f * f + k, ix, iy);
}

static float concat_one(const struct state *s, const struct view *in, int c, int x, int y)
{
	int i = 0;
	for (; c >= s->in[i].c; i++) c -= s->in[i].c;
	return get(&in[i], s->in[i].c, s->from[i], c, x, y);
}

static float binary_one(const struct nn_layer *l, const struct view *in, int p, int x, int y)
{
	float v = *view_at(&in[0], p, x, y) * (float)l->coef[0];
	int n = l->with_scalar ? 2 : l->nin;
	for (int i = 1; i < n; i++) {
		float o = l->with_scalar ? (float)l->scalar : *view_at(&in[i], p, x, y) * (float)l->coef[i];
		switch (l->how) {
		case NN_ADD: v = v + o; break;
		case NN_SUB: v = v - o; break;
		case NN_MUL: v = v * o; break;
		case NN_MAX: v = v > o ? v : o; break;
		default: v = v < o ? v : o;
		}
	}
	return v;
}

static float act_one(const struct state *s, float v, int c)
{
	const struct nn_layer *l = &s->l;
	switch (l->act) {
	case NN_SLOPE: case NN_SLOPES: return v > 0.0f ? v : v * s->slope[c];
	case NN_CLIP: v = v > (float)l->lo ? v : (float)l->lo; return v < (float)l->hi ? v : (float)l->hi;
	case NN_SIGMOID: return (float)(1.0 / (1.0 + px_dexp(-(double)v)));
	default: return v;
	}
}

static float one(const struct state *s, const struct view *in, int p, int x, int y)
{
	int step = nn_step(s->out.c), px = px_floor_div(x, step), c = p * step + x - px * step;
	switch (s->l.op) {
	case NN_BINARY: return binary_one(&s->l, in, p, x, y);
	case NN_ACT: return act_one(s, *view_at(&in[0], p, x, y), c);
	default: break;
	}
	if (c >= s->out.c) return 0.0f;
	switch (s->l.op) {
	case NN_SHUFFLE: return shuffle_one(s, in, c, px, y);
	case NN_INTERP: return interp_one(s, in, c, px, y);
	default: return concat_one(s, in, c, px, y);
	}
}

/* Rows of what every compact network ends with, a channel a plane; false: pixel by pixel. */
static bool row(const struct state *s, const struct view *in, int p, int y, struct rect r, float *IN_RESTRICT o)
{
	const struct nn_layer *l = &s->l;
	int n = rect_w(r), f = l->op == NN_INTERP ? l->num : l->op == NN_SHUFFLE ? l->stride : 1, iy = px_floor_div(y, f);
	if (l->op == NN_BINARY && l->how == NN_ADD && l->nin == 2 && !l->with_scalar && l->coef[0] == 1 && l->coef[1] == 1) {
		const float *a = view_at(&in[0], p, r.x0, y), *b = view_at(&in[1], p, r.x0, y);
		for (int i = 0; i < n; i++) o[i] = a[i] + b[i];
		return true;
	}
	if (nn_step(s->out.c) != 1) return false;
	if (l->op == NN_INTERP && (l->how != NN_NEAREST || l->den != 1 || nn_step(s->in[0].c) != 1)) return false;
	if (l->op == NN_SHUFFLE && l->blocks) return false;
	if (l->op != NN_INTERP && l->op != NN_SHUFFLE) return false;
	for (int k = 0; k < f; k++) {
		int step = nn_step(s->in[0].c), c = l->op == NN_INTERP ? p : p * f * f + (y - iy * f) * f + k;
		int x = r.x0 + ((k - r.x0) % f + f) % f, ix = px_floor_div(x, f);
		const float *a = view_at(&in[0], c / step, ix * step + c % step, iy);
		for (int i = x - r.x0; i < n; i += f, a += step) o[i] = *a;
	}
	return true;
}

static int tile(const struct call *c, struct rect r)
{
	const struct state *s = c->n->state;
	if (s->conv) return px_conv(s->conv, &c->in[0], c->out, r, c->scratch, c->cancel);
	for (int p = 0; p < c->out->nch; p++)
		for (int y = r.y0; y < r.y1; y++) {
			float *o = view_at(c->out, p, r.x0, y);
			if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
			if (row(s, c->in, p, y, r, o)) continue;
			for (int x = r.x0; x < r.x1; x++) o[x - r.x0] = one(s, c->in, p, x, y);
		}
	return 0;
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct state *s = n->state;
	(void)r;
	return s->conv ? px_conv_scratch(s->conv) : 64;
}

/* Per float of a plane. */
static double flops(const struct node_ctx *n)
{
	const struct state *s = n->state;
	if (!s || !s->conv) return 30;
	return 2.0 * s->conv->k * s->conv->k * s->conv->cin * nn_planes(s->out.c) / (s->conv->wino ? 3.0 : 1.0);
}

const struct node_type ISA(node_neural_layer) = {
	.name = "neural_layer", .doc = "One layer of a network, with the activation that follows it.",
	.category = "geometry", .version = 1, .size = sizeof(struct neural_layer), .params = params, .inputs = "image*",
	.flags = NF_HIDDEN, .traits = TR_AI, .want = WANT_ANY, .open = open_layer, .close = close_layer, .format = format,
	.needs = needs, .scratch = scratch, .flops = flops, .tile = tile,
};
