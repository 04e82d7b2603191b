/* blur_core - the convolution between halving and doubling that makes both together a Gaussian.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "node.h"
#include "px_blur.h"

struct blur_core { double sigma[2], levels[2]; int across, down, edges; double from[2], to[2]; };

static const struct param params[] = {
	P_VEC2(blur_core, sigma, 0, 0, 0, 1000, "pixels", PF_STATIC,
		"The Gaussian's sigma in full-size pixels, across and down."),
	P_VEC2(blur_core, levels, 0, 0, 0, 10, "", PF_STATIC,
		"How often the picture was halved, across and down."),
	P_BOOL(blur_core, across, 1, PF_STATIC, "Convolve across."),
	P_BOOL(blur_core, down, 1, PF_STATIC, "Convolve down."),
	P_ENUM(blur_core, edges, "hold", BLUR_EDGES, PF_STATIC,
		"What lies beyond the data window, as in blur."),
	P_VEC2(blur_core, from, 0, 0, -1e6, 1e6, "pixels", PF_STATIC, "First column and row of the result."),
	P_VEC2(blur_core, to, 0, 0, -1e6, 1e6, "pixels", PF_STATIC,
		"Last column and row of the result, plus 1."),
	P_END
};

/* Threads: frozen. */
struct state { struct px_kernel k[2]; float *w[2]; };

static int open_kernels(struct node_ctx *n, struct err *e)
{
	const struct blur_core *p = n->v;
	struct state *s = xalloc(1, sizeof *s);
	(void)e;
	for (int i = 0; i < 2; i++) {
		int levels = (int)p->levels[i], radius = gauss_core_radius(p->sigma[i], levels);
		s->w[i] = xalloc((size_t)radius + 1, sizeof **s->w);
		if (levels) gauss_core(p->sigma[i], levels, radius, s->w[i]);
		else gauss_half_float(p->sigma[i], radius, 1, s->w[i]);
		s->k[i] = (struct px_kernel){ radius, s->w[i] };
	}
	n->state = s;
	return 0;
}

static void close_kernels(struct node_ctx *n)
{
	struct state *s = n->state;
	if (s) free(s->w[0]), free(s->w[1]);
	free(s);
	n->state = NULL;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct blur_core *p = n->v;
	(void)e;
	out->data = out->display = rect_of((int)p->from[0], (int)p->from[1], (int)p->to[0], (int)p->to[1]);
	return 0;
}

static struct rect reads(const struct node_ctx *n, struct rect r)
{
	const struct blur_core *p = n->v;
	return rect_grow(r, gauss_core_radius(p->sigma[0], (int)p->levels[0]),
	                 gauss_core_radius(p->sigma[1], (int)p->levels[1]));
}

static struct rect around(const struct node_ctx *n, struct rect r)
{
	const struct blur_core *p = n->v;
	return px_edge_rect(reads(n, r), n->in[0]->data, p->edges);
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	need_add(out, 0, frame, around(n, r));
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	return px_blur_floats(rect_w(r), rect_h(around(n, r)), rect_w(reads(n, r))) * sizeof(float);
}

static double flops(const struct node_ctx *n)
{
	const struct state *s = n->state;
	return s ? (n->out ? n->out->nch : 3) * (3.0 * (s->k[0].radius + s->k[1].radius) + 2) : 200;
}

static int tile(const struct call *c, struct rect r)
{
	const struct blur_core *p = c->n->v;
	const struct state *s = c->n->state;
	return px_blur(&s->k[0], &s->k[1], p->edges, &c->in[0], c->out, r, around(c->n, r), c->n->in[0]->data,
	               c->scratch, c->cancel);
}

const struct node_type ISA(node_blur_core) = {
	.name = "blur_core", .doc = "Convolves the halved picture of a large blur.",
		.category = "image", .version = 2,
	.size = sizeof(struct blur_core), .params = params, .inputs = "image", .flags = NF_HIDDEN,
		.traits = TR_BLUR,
	.open = open_kernels, .close = close_kernels, .format = format, .needs = needs, .scratch = scratch,
	.flops = flops, .tile = tile,
};
