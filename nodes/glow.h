/* glow - what halation and bloom share: light that scatters in two Gaussian
 * lobes and is taken from where it was.
 *
 * out = in + k / (1 + k) * (G * s - s) = (in + k G * s) / (1 + k) where all light scatters (s =
 * in). G = 0.7 of sigma and 0.3 of 2.5 sigma. Both lobes share the halvings of one pyramid, and the
 * last doubling joins scattered light and picture.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GLOW_H
#define IN_GLOW_H

#include "pyramid.h"

#define GLOW_FAR 2.5
#define GLOW_FAR_WEIGHT 0.3

/* share: k / (1 + k) of red, green and blue. threshold 0: all light scatters. */
struct glow { double sigma, share[3], threshold, softness; };

/* The light that scatters: the picture itself where it is R,G,B and all of it does. */
static struct xnode *glow_light(struct expand *x, const struct node_ctx *n,
                                const struct glow *g, struct err *e)
{
	const struct format *f = n->in[0];
	if (g->threshold <= 0 && f->nch == 3 && format_channel(f, "R") >= 0 && format_channel(f, "G") >= 0 &&
	    format_channel(f, "B") >= 0)
		return expand_input(x, 0);
	struct xnode *k = expand_node(x, "glow_source", "light", e);
	if (!k || expand_connect(x, k, "in", expand_input(x, 0), e) < 0) return NULL;
	if (expand_set_num(x, k, "threshold", &g->threshold, 1, e) < 0) return NULL;
	return expand_set_num(x, k, "softness", &g->softness, 1, e) < 0 ? NULL : k;
}

static struct xnode *glow_sum(struct expand *x, struct xnode *near, struct xnode *far, struct err *e)
{
	struct xnode *k = expand_node(x, "glow_sum", "lobes", e);
	if (!k || expand_connect(x, k, "in", near, e) < 0 || expand_connect(x, k, "far", far, e) < 0) return NULL;
	double w = GLOW_FAR_WEIGHT;
	return expand_set_num(x, k, "weight", &w, 1, e) < 0 ? NULL : k;
}

/* One pyramid of both axes. */
struct glow_lobe { struct chain h, v; double sigma; };

static struct xnode *glow_core(struct expand *x, const char *name, const struct glow_lobe *l,
                               struct xnode *from, struct err *e)
{
	int top = l->h.levels;
	double sigma[2] = { l->sigma, l->sigma }, levels[2] = { top, top };
	struct xnode *k = expand_node(x, "blur_core", name, e);
	if (!k || expand_connect(x, k, "in", from, e) < 0 ||
	    set_axes(x, k, true, true, EDGES_MIRROR, e) < 0)
		return NULL;
	if (expand_set_num(x, k, "sigma", sigma, 2, e) < 0 ||
	    expand_set_num(x, k, "levels", levels, 2, e) < 0)
		return NULL;
	return set_window(x, k, &l->h.result[top], &l->v.result[top], e) < 0 ? NULL : k;
}

/* Doubles from level from to level to. */
static struct xnode *glow_up(struct expand *x, const struct glow_lobe *l, int from, int to,
                             struct xnode *k, struct err *e)
{
	for (int i = from - 1; i >= to; i--) {
		struct xnode *low = k;
		if (!(k = step(x, "blur_double", i, low, e)) || expand_connect(x, k, "low", low, e) < 0) return NULL;
		if (set_axes(x, k, true, true, -1, e) < 0 ||
		    set_window(x, k, &l->h.result[i], &l->v.result[i], e) < 0)
			return NULL;
	}
	return k;
}

static struct span span_or(struct span p, struct span q)
{
	return (struct span){ p.a < q.a ? p.a : q.a, p.b > q.b ? p.b : q.b };
}

/* Halvings for both lobes; *at_near: the one that the near lobe convolves. */
static struct xnode *glow_down(struct expand *x, const struct glow_lobe *near,
                               const struct glow_lobe *far, struct xnode *k,
                               struct xnode **at_near, struct err *e)
{
	for (int i = 1; i <= far->h.levels; i++) {
		struct span h = far->h.data[i], v = far->v.data[i];
		if (i <= near->h.levels) h = span_or(h, near->h.data[i]), v = span_or(v, near->v.data[i]);
		if (!(k = step(x, "blur_halve", i, k, e)) || set_axes(x, k, true, true, EDGES_MIRROR, e) < 0) return NULL;
		if (set_window(x, k, &h, &v, e) < 0) return NULL;
		if (i == near->h.levels) *at_near = k;
	}
	return k;
}

/* Both lobes at the near one's level, which the join doubles once more. */
static struct xnode *glow_pyramid(struct expand *x, const struct node_ctx *n, double sigma,
                                  struct xnode *light, struct err *e)
{
	struct rect d = n->in[0]->data;
	struct glow_lobe near = { .sigma = sigma }, far = { .sigma = GLOW_FAR * sigma };
	chain_make(&near.h, near.sigma, EDGES_MIRROR, d.x0, d.x1);
	chain_make(&near.v, near.sigma, EDGES_MIRROR, d.y0, d.y1);
	chain_make(&far.h, far.sigma, EDGES_MIRROR, d.x0, d.x1);
	chain_make(&far.v, far.sigma, EDGES_MIRROR, d.y0, d.y1);
	struct xnode *half = NULL, *deep = glow_down(x, &near, &far, light, &half, e);
	if (!deep) return NULL;
	struct xnode *a = glow_core(x, "near", &near, half, e), *b = a ? glow_core(x, "far", &far, deep, e) : NULL;
	if (!b || !(b = glow_up(x, &far, far.h.levels, near.h.levels, b, e))) return NULL;
	struct xnode *k = glow_sum(x, a, b, e);
	return k ? glow_up(x, &near, near.h.levels, 1, k, e) : NULL;
}

/* Small lobes, and pixels that are not square: two blurs. */
static struct xnode *glow_blurs(struct expand *x, double sigma, double sigma_y,
                                struct xnode *light, struct err *e)
{
	static const char *const names[2] = { "near", "far" };
	struct xnode *k[2];
	for (int i = 0; i < 2; i++) {
		double s = i ? GLOW_FAR * sigma : sigma, t = i ? GLOW_FAR * sigma_y : sigma_y;
		k[i] = expand_node(x, "blur", names[i], e);
		if (!k[i] || expand_connect(x, k[i], "in", light, e) < 0 ||
		    expand_set(x, k[i], "edges", "mirror", e) < 0)
			return NULL;
		if (expand_set_num(x, k[i], "sigma", &s, 1, e) < 0 ||
		    expand_set_num(x, k[i], "sigma_y", &t, 1, e) < 0)
			return NULL;
	}
	return glow_sum(x, k[0], k[1], e);
}

static int glow_expand(struct expand *x, const struct node_ctx *n, const struct glow *g, struct err *e)
{
	const struct format *f = n->in[0];
	double par = f->par.num > 0 && f->par.den > 0 ? (double)f->par.num / f->par.den : 1;
	double across = g->sigma / par;
	bool halved_once = par == 1 && gauss_levels(g->sigma) > 0 && !rect_empty(f->data);
	struct xnode *in = expand_input(x, 0), *mask = expand_input(x, 1);
	if (g->sigma <= 0) { expand_output(x, in); return 0; }
	if (across > 1000 / GLOW_FAR || g->sigma > 1000 / GLOW_FAR)
		return err_set(e, E_SCENE, "sigma %g pixels: at most %g", g->sigma, 1000 / GLOW_FAR * (par < 1 ? par : 1));
	struct xnode *light = glow_light(x, n, g, e), *low = NULL;
	if (!light) return -1;
	low = halved_once ? glow_pyramid(x, n, g->sigma, light, e) : glow_blurs(x, across, g->sigma, light, e);
	struct xnode *k = low ? expand_node(x, "glow_join", "join", e) : NULL;
	if (!k || expand_connect(x, k, "in", in, e) < 0 || expand_connect(x, k, "low", low, e) < 0) return -1;
	if (light != in && expand_connect(x, k, "light", light, e) < 0) return -1;
	if (mask && expand_connect(x, k, "mask", mask, e) < 0) return -1;
	if (expand_set(x, k, "double", halved_once ? "yes" : "no", e) < 0) return -1;
	if (expand_set_num(x, k, "share", g->share, 3, e) < 0) return -1;
	expand_common(x, k);
	expand_output(x, k);
	return 0;
}

#endif
