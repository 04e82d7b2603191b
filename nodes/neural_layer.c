/* neural_layer - one layer of a network, with the activation that follows it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "node.h"
#include "px_layer.h"

struct neural_layer {
	const char *model, *sha, *model_b, *sha_b; double share; int layer, act, x0, y0, x1, y1, top, bottom;
};

static const struct param params[] = {
	P_STRING(neural_layer, model, "", PF_STATIC | PF_NOKEY, "The network's file."),
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
	P_INT(neural_layer, top, 0, -16000000, 16000000, "", PF_STATIC, "First row that is made,"),
	P_INT(neural_layer, bottom, 0, -16000000, 16000000, "", PF_STATIC, "and the one behind the last; both 0: all."),
	P_END
};

static void close_layer(struct node_ctx *n)
{
	struct px_layer *s = n->state;
	if (s) nn_conv_free(&s->conv), nn_unshare(&s->model);
	free(s);
	n->state = NULL;
}

static int numbers(float *to, int n, const struct nn_model *m, const struct nn_data *d, struct err *e)
{
	float *v = d->n ? nn_weights(m, d, e) : NULL;
	if (!v) return d->n ? -1 : 0;
	for (int i = 0; i < n; i++) to[i] = v[d->n == 1 ? 0 : i];
	free(v);
	return 0;
}

/* Slopes of an activation that stands alone, factors and summands of channels. */
static int load_channels(struct px_layer *s, const struct nn_model *m, struct err *e)
{
	for (int i = 0; i < NN_MAX_CHANNELS; i++) s->slope[i] = s->l.op == NN_AFFINE ? 1.0f : (float)s->l.lo;
	if (s->l.op == NN_AFFINE) {
		if (numbers(s->slope, s->out.c, m, &s->l.w, e) < 0 ||
		    numbers(s->add, s->out.c, m, &s->l.bias, e) < 0)
			return -1;
		for (int i = 0; i < s->out.c; i++) s->add[i] *= (float)s->l.coef[1];
		return 0;
	}
	return s->l.op == NN_ACT && s->l.act == NN_SLOPES ? numbers(s->slope, s->out.c, m, &s->l.slopes, e) : 0;
}

static int set_up(struct px_layer *s, const struct neural_layer *p, const struct nn_model *m,
                  const struct nn_model *b, struct err *e)
{
	struct rect r = rect_of(p->x0, p->y0, p->x1, p->y1);
	if (p->layer >= m->nlayer || p->act >= m->nlayer) return err_set(e, E_INTERNAL, "no such layer");
	s->l = m->layer[p->layer];
	s->l.nin = s->l.nread;
	memcpy(s->l.in, s->l.read, sizeof s->l.in);
	s->out = m->blob[s->l.out];
	s->window = nn_window(&s->out, r);
	for (int i = 0; i < s->l.nin; i++) s->in[i] = m->blob[s->l.in[i]];
	for (int i = 0; i < s->l.nin; i++) s->from[i] = nn_window(&s->in[i], r);
	if (s->l.op != NN_CONV && s->l.op != NN_DECONV) return load_channels(s, m, e);
	s->conv = nn_conv_new(m, &s->l, p->act >= 0 ? &m->layer[p->act] : NULL, b, p->share, e);
	if (s->conv) nn_conv_place(s->conv, s->from[0], s->window);
	return s->conv ? 0 : -1;
}

static int open_layer(struct node_ctx *n, struct err *e)
{
	const struct neural_layer *p = n->v;
	struct px_layer *s = n->state = xalloc(1, sizeof *s);
	const struct nn_model *m = s->model = nn_share(p->model, e), *b = NULL;
	bool mixed = *p->model_b && p->share > 0;
	int rc = m && nn_is(m, p->sha, e) == 0 ? 0 : -1;
	if (rc == 0 && mixed && (!(b = nn_share(p->model_b, e)) || nn_is(b, p->sha_b, e) < 0)) rc = -1;
	if (rc == 0) rc = set_up(s, p, m, b, e);
	nn_unshare(&b);
	return rc;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct neural_layer *p = n->v;
	const struct px_layer *s = n->state;
	char names[IN_MAX_CH * 5 + 1] = "";
	int planes = nn_planes(s->out.c), len = 0;
	if (planes > IN_MAX_CH) return err_set(e, E_INPUT, "a layer of %d channels is too many", s->out.c);
	for (int i = 0; i < planes; i++) len += snprintf(names + len, 6, "%sn%d", i ? " " : "", i);
	if (rect_empty(s->window) || (int64_t)rect_w(s->window) * nn_step(s->out.c) > IN_MAX_SIDE)
		return err_set(e, E_INPUT, "a picture of %d x %d pixels is too small or too wide for this "
		               "network (at most %d across)", rect_w(s->window), rect_h(s->window),
		               IN_MAX_SIDE / nn_step(s->out.c));
	out->data = px_map_floats(s->window, s->out.c);
	if (p->top < p->bottom) out->data.y0 = p->top, out->data.y1 = p->bottom;
	out->display = out->data;
	format_channels(out, names);
	return 0;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct px_layer *s = n->state;
	struct rect px = px_layer_need(s, px_map_pixels(r, s->out.c));
	for (int i = 0; i < s->l.nin; i++)
		need_add(out, i, frame, px_map_floats(s->in[i].vec ? s->from[i] : rect_and(px, s->from[i]), s->in[i].c));
	/* what has to be there before, unread */
	for (int i = s->l.nin; i < n->nconn; i++) need_add(out, i, frame, rect_of(0, 0, 0, 0));
}

static int tile(const struct call *c, struct rect r)
{
	const struct px_layer *s = c->n->state;
	if (s->conv) return px_conv(s->conv, c->in, s->l.nin, c->out, r, c->scratch, c->cancel);
	if (s->l.op == NN_MEAN) return px_layer_mean(s, &c->in[0], c->out, r, c->cancel);
	for (int p = 0; p < c->out->nch; p++)
		for (int y = r.y0; y < r.y1; y++) {
			float *o = view_at(c->out, p, r.x0, y);
			if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
			if (px_layer_row(s, c->in, p, y, r, o)) continue;
			for (int x = r.x0; x < r.x1; x++) o[x - r.x0] = px_layer_one(s, c->in, p, x, y);
		}
	return 0;
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct px_layer *s = n->state;
	(void)r;
	return s->conv ? px_conv_scratch(s->conv) : 64;
}

static size_t reserve(const struct node_ctx *n)
{
	const struct px_layer *s = n->state;
	return s && s->conv ? nn_conv_bytes(s->model, &s->l) : 0;
}

/* Per float of a plane. */
static double flops(const struct node_ctx *n)
{
	const struct px_layer *s = n->state;
	if (s && s->l.op == NN_MEAN) return (double)rect_area(s->from[0]);
	if (!s || !s->conv) return s && s->l.op == NN_POOL ? 2.0 * s->l.k * s->l.k : 30;
	return 2.0 * s->conv->k * s->conv->k * s->conv->panel[0].n * nn_planes(s->out.c) / (s->conv->wino ? 3.0 : 1.0);
}

const struct node_type ISA(node_neural_layer) = {
	.name = "neural_layer", .doc = "One layer of a network, with the activation that follows it.",
	.category = "geometry", .version = 2, .size = sizeof(struct neural_layer), .params = params,
		.inputs = "image*",
	.flags = NF_HIDDEN, .traits = TR_AI, .want = WANT_ANY, .open = open_layer, .close = close_layer,
		.format = format,
	.needs = needs, .scratch = scratch, .reserve = reserve, .flops = flops, .tile = tile,
};
