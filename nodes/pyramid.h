/* pyramid - how a large Gaussian is composed of halvings, a convolution and doublings.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PYRAMID_H
#define IN_PYRAMID_H

#include <stdio.h>

#include "mathx.h"
#include "net.h"
#include "px_halve.h"

/* An integrated kernel reaches half a pixel further than its last sample. */
static IN_UNUSED int radius_of(double sigma)
{
	return sigma > 0 && sigma < 0.8 ? (int)mx_ceil(5.5 * sigma - 0.5) : gauss_radius(sigma);
}

enum { MAX_LEVELS = 10 };

/* One axis of the levels. data: the pixels that exist at each, result: those that doubling reads. */
struct span { int a, b; };
struct chain { int levels, radius; struct span data[MAX_LEVELS + 1], result[MAX_LEVELS + 1]; };

static IN_UNUSED int floor2(int i) { return px_floor2(i); }
static IN_UNUSED int ceil2(int i) { return -px_floor2(-i); }

/* Halved pixels that are not what the edge rule says of the others; false: no bound. */
static IN_UNUSED bool halved(struct span s, int edges, struct span *out)
{
	if (edges == EDGES_BLACK) *out = (struct span){ ceil2(s.a - 5), floor2(s.b + 3) + 1 };
	else if (edges == EDGES_HOLD) *out = (struct span){ floor2(s.a - 5), ceil2(s.b + 3) + 1 };
	else *out = (struct span){ s.a / 2, s.b / 2 };
	return edges != EDGES_MIRROR || ((s.a | s.b) & 1) == 0;
}

/* Upwards what doubling reads, then downwards what that is made of. */
static IN_UNUSED void chain_make(struct chain *c, double sigma, int edges, int a, int b)
{
	c->levels = gauss_levels(sigma);
	c->radius = c->levels ? gauss_core_radius(sigma, c->levels) : radius_of(sigma);
	c->data[0] = c->result[0] = (struct span){ a, b };
	for (int i = 1; i <= c->levels; i++)
		c->result[i] = (struct span){ floor2(c->result[i - 1].a) - 2,
			floor2(c->result[i - 1].b - 1) + 3 };
	struct span need = c->result[c->levels], bound[MAX_LEVELS + 1] = { { a, b } };
	need.a -= c->radius;
	need.b += c->radius;
	int known = 0;                       /* levels whose existing pixels are bounded */
	while (known < c->levels && halved(bound[known], edges, &bound[known + 1])) known++;
	for (int i = c->levels; i > 0; i--) {
		c->data[i] = need;
		if (i <= known && need.a < bound[i].a) c->data[i].a = bound[i].a;
		if (i <= known && need.b > bound[i].b) c->data[i].b = bound[i].b;
		need = (struct span){ 2 * c->data[i].a - 4, 2 * c->data[i].b + 4 };
	}
}

static IN_UNUSED int set_window(struct expand *x, struct xnode *k, const struct span *h,
			const struct span *v, struct err *e)
{
	double from[2] = { h->a, v->a }, to[2] = { h->b, v->b };
	if (expand_set_num(x, k, "from", from, 2, e) < 0) return -1;
	return expand_set_num(x, k, "to", to, 2, e);
}

static IN_UNUSED int set_axes(struct expand *x, struct xnode *k, bool h, bool v, int edges, struct err *e)
{
	static const char *const names[] = { "hold", "mirror", "black" };
	if (expand_set(x, k, "across", h ? "yes" : "no", e) < 0) return -1;
	if (expand_set(x, k, "down", v ? "yes" : "no", e) < 0) return -1;
	return edges < 0 ? 0 : expand_set(x, k, "edges", names[edges], e);
}

/* A node of the composition that reads from. */
static IN_UNUSED struct xnode *step(struct expand *x, const char *type, int level, struct xnode *from,
			struct err *e)
{
	char name[40];
	snprintf(name, sizeof name, "%s%d", type + 5, level);
	struct xnode *k = expand_node(x, type, name, e);
	return k && expand_connect(x, k, "in", from, e) == 0 ? k : NULL;
}

#endif
