/* broken - five node types that lie, to show that the conformance test catches them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "broken.h"

#include <string.h>

struct broken { double gain; };
static const struct param keyed[] = { P_FLOAT(broken, gain, 0.5, 0, 2, "gain", "gain"), P_END };
static const struct param unkeyed[] = { P_FLOATX(broken, gain, 0.5, 0, 2, "gain", PF_NOKEY, "gain"), P_END };

static void grow1(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	(void)n;
	need_add(out, 0, frame, rect_grow(r, 1, 1));
}

static float at(const struct view *v, int c, int x, int y)
{
	struct rect r = v->r;
	x = x < r.x0 ? r.x0 : x >= r.x1 ? r.x1 - 1 : x;
	y = y < r.y0 ? r.y0 : y >= r.y1 ? r.y1 - 1 : y;
	return *view_at(v, c, x, y);
}

/* Needs two pixels, declares one. */
static int need_tile(const struct call *c, struct rect r)
{
	for (int k = 0; k < c->out->nch; k++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++) *view_at(c->out, k, x, y) = at(&c->in[0], k, x - 2, y);
	return 0;
}

/* A sum that runs on from tile to tile. */
static float hidden;
static int state_tile(const struct call *c, struct rect r)
{
	for (int k = 0; k < c->out->nch; k++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++) {
				hidden = hidden * 0.5f + *view_at(&c->in[0], k, x, y);
				*view_at(c->out, k, x, y) = hidden;
			}
	return 0;
}

static int outside_tile(const struct call *c, struct rect r)
{
	for (int k = 0; k < c->out->nch; k++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x <= r.x1; x++)
				view_at(c->out, k, r.x0, y)[x - r.x0] = x < r.x1 ? *view_at(&c->in[0], k, x, y) : 0;
	return 0;
}

/* Every channel from the first, which it writes first. */
static int place_tile(const struct call *c, struct rect r)
{
	for (int k = 0; k < c->out->nch; k++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++) *view_at(c->out, k, x, y) = *view_at(&c->in[0], 0, x, y) + 1;
	return 0;
}

static int gain_tile(const struct call *c, struct rect r)
{
	const struct broken *v = c->n->v;
	for (int k = 0; k < c->out->nch; k++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++) *view_at(c->out, k, x, y) = *view_at(&c->in[0], k, x, y) * (float)v->gain;
	return 0;
}

const struct node_type broken_types[] = {
	{ .name = "bad_need", .doc = "Declares too small a need.", .category = "test", .version = 1, .size = sizeof(struct broken),
	  .params = keyed, .inputs = "image", .needs = grow1, .tile = need_tile },
	{ .name = "bad_state", .doc = "Keeps state between tiles.", .category = "test", .version = 1, .size = sizeof(struct broken),
	  .params = keyed, .inputs = "image", .tile = state_tile },
	{ .name = "bad_write", .doc = "Writes outside its tile.", .category = "test", .version = 1, .size = sizeof(struct broken),
	  .params = keyed, .inputs = "image", .tile = outside_tile },
	{ .name = "bad_key", .doc = "A parameter that changes pixels but not the key.", .category = "test", .version = 1,
	  .size = sizeof(struct broken), .params = unkeyed, .inputs = "image", .tile = gain_tile },
	{ .name = "bad_place", .doc = "Reads back what it has written in place.", .category = "test", .version = 1,
	  .size = sizeof(struct broken), .params = keyed, .inputs = "image", .in_place = node_in_place, .tile = place_tile },
	{ .name = NULL }
};
