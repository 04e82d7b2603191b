/* blur - the exact Gaussian, of any size.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "mathx.h"
#include "net.h"
#include "node.h"
#include "pyramid.h"

struct blur { double sigma, sigma_y; int edges; };

static const struct param params[] = {
	P_LENGTH(blur, sigma, "1", 0, 1000, 0,
	         "Standard deviation of the Gaussian, across and (unless sigma_y is given) down. 0 does "
	        "nothing."),
	P_LENGTH(blur, sigma_y, "-1", -1, 1000, 0,
	         "Standard deviation down the picture, where it shall differ; negative: the same as "
	        "sigma."),
	P_ENUM(blur, edges, "hold", BLUR_EDGES, PF_STATIC,
	       "What lies beyond the data window: its edge pixels, its mirror image, or nothing."),
	P_END
};

struct axis { int radius; float *w; };
struct state { struct axis x, y; };

static double down(const struct blur *p) { return p->sigma_y >= 0 ? p->sigma_y : p->sigma; }

static void axis_open(struct axis *a, double sigma)
{
	a->radius = radius_of(sigma);
	a->w = xalloc((size_t)a->radius + 1, sizeof *a->w);
	gauss_half_float(sigma, a->radius, 1, a->w);
}

static int open_kernels(struct node_ctx *n, struct err *e)
{
	const struct blur *p = n->v;
	(void)e;
	struct state *s = xalloc(1, sizeof *s);
	axis_open(&s->x, p->sigma);
	axis_open(&s->y, down(p));
	n->state = s;
	return 0;
}

static void close_kernels(struct node_ctx *n)
{
	struct state *s = n->state;
	if (s) free(s->x.w), free(s->y.w);
	free(s);
	n->state = NULL;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct blur *p = n->v;
	need_add(out, 0, frame, rect_grow(r, radius_of(p->sigma), radius_of(down(p))));
}

static bool identity(const struct node_ctx *n)
{
	const struct blur *p = n->v;
	return p->sigma <= 0 && down(p) <= 0;
}

/* The rows and columns around r that exist in the input. */
static struct rect around(const struct node_ctx *n, struct rect r)
{
	const struct state *s = n->state;
	return rect_and(rect_grow(r, s->x.radius, s->y.radius), n->in[0]->data);
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct state *s = n->state;
	return px_blur_past_floats(rect_w(r), rect_h(around(n, r)), rect_w(r) + 2 * s->x.radius) * sizeof(float);
}

static double flops(const struct node_ctx *n)
{
	const struct state *s = n->state;
	int nch = n->out ? n->out->nch : 3;
	return s ? nch * (3.0 * (s->x.radius + s->y.radius) + 2) : 60;
}

static int tile(const struct call *c, struct rect r)
{
	const struct blur *p = c->n->v;
	const struct state *s = c->n->state;
	struct px_kernel kx = { s->x.radius, s->x.w }, ky = { s->y.radius, s->y.w };
	const struct rect have = around(c->n, r);
	float *put = c->scratch;
	put += px_blur_floats(rect_w(r), rect_h(have), rect_w(r) + 2 * s->x.radius);
	return px_blur_to(&kx, &ky, p->edges, &c->in[0], c->out, r, have, c->n->in[0]->data, c->scratch,
	                  c->run ? put : NULL, c->cancel);
}

/* --- large: halve, convolve, double --- */

/* Spans of an axis at a level of the deeper of the two: an axis stays as it is below its own last. */
static const struct span *at(const struct chain *c, const struct span *s, int level)
{
	return &s[level < c->levels ? level : c->levels];
}

/* The last doubling: the owner's mask and mix stand here, where its picture is at hand. */
static int finish(struct expand *x, const struct node_ctx *n, struct xnode *k,
			struct xnode *from, struct err *e)
{
	struct rect d = n->in[0]->display;
	double a[2] = { d.x0, d.y0 }, b[2] = { d.x1, d.y1 };
	struct xnode *mask = expand_input(x, 1);
	if (expand_set_num(x, k, "display_from", a, 2, e) < 0 || expand_set_num(x, k, "display_to",
		b, 2, e) < 0) return -1;
	if (expand_connect(x, k, "low", from, e) < 0) return -1;
	return expand_finish(x, k, mask, e);
}

static int expand(struct expand *x, const struct node_ctx *n, struct err *e)
{
	const struct blur *p = n->v;
	struct chain h, v;
	struct rect d = n->in[0]->data;
	if ((gauss_levels(p->sigma) == 0 && gauss_levels(down(p)) == 0) || rect_empty(d)) return EXPAND_NOT;
	chain_make(&h, p->sigma, p->edges, d.x0, d.x1);
	chain_make(&v, down(p), p->edges, d.y0, d.y1);
	int top = h.levels > v.levels ? h.levels : v.levels;
	double sigma[2] = { p->sigma, down(p) }, levels[2] = { h.levels, v.levels };
	struct xnode *k = expand_input(x, 0);
	for (int i = 1; i <= top; i++) {
		if (!(k = step(x, "blur_halve", i, k, e))) return -1;
		if (set_axes(x, k, i <= h.levels, i <= v.levels, p->edges, e) < 0) return -1;
		if (set_window(x, k, at(&h, h.data, i), at(&v, v.data, i), e) < 0) return -1;
	}
	if (!(k = step(x, "blur_core", top, k, e)) || set_axes(x, k, true, true, p->edges, e) < 0) return -1;
	if (expand_set_num(x, k, "sigma", sigma, 2, e) < 0 || expand_set_num(x, k, "levels", levels,
		2, e) < 0) return -1;
	if (set_window(x, k, at(&h, h.result, top), at(&v, v.result, top), e) < 0) return -1;
	for (int i = top - 1; i >= 0; i--) {
		struct xnode *low = k;
		struct xnode *first = i || !expand_masked(x) ? low : expand_input(x, 0);
		if (!(k = step(x, "blur_double", i, first, e))) return -1;
		if (set_axes(x, k, i < h.levels, i < v.levels, -1, e) < 0) return -1;
		if (set_window(x, k, at(&h, h.result, i), at(&v, v.result, i), e) < 0) return -1;
		if (i ? expand_connect(x, k, "low", low, e) : finish(x, n, k, low, e)) return -1;
	}
	return 0;
}

const struct node_type ISA(node_blur) = {
	.name = "blur", .doc = "Blurs with an exact Gaussian, of any size.",
	.more = "Separable convolution with g(x) = exp(-x^2 / (2 sigma^2)), cut where the rest is below "
	        "4e-8 (5.5 sigma) and normalised to 1. Below sigma 0.8, where samples no longer are a "
	        "Gaussian, g is integrated over each pixel (erf). Works on all channels, alpha too, in "
	        "linear light (as optics do), premultiplied. Lengths are pixels at full resolution or a "
	        "share of the picture's height (2%h).\n"
	        "From sigma 5 on (unless it is animated) the picture is halved until 1.85 to 3.7 pixels of "
	        "sigma are left, convolved with what then makes the Gaussian, and doubled again: within 2e-6 of "
	        "the kernel's peak, and dearer by no more than its border where sigma grows.\n"
	        "A picture with a data window inside its frame is blurred up to that window's edge; "
	        "reformat it to its frame first where it shall spread.",
	.category = "image", .version = 3, .size = sizeof(struct blur), .params = params,
	.inputs = "image mask?", .flags = NF_MASKED | NF_PAST, .traits = TR_BLUR, .want = WANT_LINEAR,
	.example = "<blur id=\"soft\" in=\"graded\" sigma=\"0.5\"/>",
	.open = open_kernels, .close = close_kernels, .needs = needs, .identity = identity,
	.scratch = scratch, .flops = flops, .tile = tile, .expand = expand,
};
