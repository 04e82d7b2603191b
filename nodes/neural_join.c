/* neural_join - the strips of a map, one below the other.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "node.h"

struct neural_join { int x0, y0, x1, y1; };

static const struct param params[] = {
	P_INT(neural_join, x0, 0, -16000000, 16000000, "", PF_STATIC, "The window of them all."),
	P_INT(neural_join, y0, 0, -16000000, 16000000, "", PF_STATIC, "Its top."),
	P_INT(neural_join, x1, 0, -16000000, 16000000, "", PF_STATIC, "Its end to the right."),
	P_INT(neural_join, y1, 0, -16000000, 16000000, "", PF_STATIC, "Its end below."),
	P_END
};

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct neural_join *p = n->v;
	(void)e;
	out->data = out->display = rect_of(p->x0, p->y0, p->x1, p->y1);
	return 0;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	for (int i = 0; i < n->nconn; i++) need_add(out, i, frame, rect_and(r, n->in[i]->data));
}

static int tile(const struct call *c, struct rect r)
{
	for (int i = 0; i < c->nin; i++) {
		struct rect own = rect_and(c->in[i].r, r);
		for (int k = 0; k < c->out->nch; k++)
			for (int y = own.y0; y < own.y1; y++)
				memcpy(view_at(c->out, k, own.x0, y), view_at(&c->in[i], k, own.x0, y),
				       (size_t)rect_w(own) * sizeof(float));
	}
	return 0;
}

static double flops(const struct node_ctx *n)
{
	(void)n;
	return 1;
}

const struct node_type ISA(node_neural_join) = {
	.name = "neural_join", .doc = "The strips of a map, one below the other.",
	.category = "geometry", .version = 1, .size = sizeof(struct neural_join), .params = params, .inputs = "image*",
	.flags = NF_HIDDEN, .traits = TR_AI, .want = WANT_ANY, .format = format, .needs = needs, .flops = flops,
	.tile = tile,
};
