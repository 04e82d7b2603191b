/* glow_sum - the two lobes of scattered light, weighted.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"

struct glow_sum { double weight; };

static const struct param params[] = {
	P_FLOAT(glow_sum, weight, 0.3, 0, 1, "share", "Share of the far lobe."),
	P_END
};

static double flops(const struct node_ctx *n) { return (n->out ? n->out->nch : 3) * 3.0; }

static int tile(const struct call *c, struct rect r)
{
	const struct glow_sum *p = c->n->v;
	const float k = (float)p->weight;
	for (int ch = 0; ch < c->out->nch; ch++)
		for (int y = r.y0; y < r.y1; y++) {
			const float *IN_RESTRICT a = view_at(&c->in[0], ch, r.x0, y),
				*IN_RESTRICT b = view_at(&c->in[1], ch, r.x0, y);
			float *IN_RESTRICT d = view_at(c->out, ch, r.x0, y);
			for (int i = 0; i < rect_w(r); i++) d[i] = a[i] + k * (b[i] - a[i]);
		}
	return 0;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct format *a = n->in[0], *b = n->in[1];
	(void)out;
	if (!rect_eq(a->data, b->data) || a->nch != b->nch)
		return err_set(e, E_SCENE, "its two pictures are not alike");
	return 0;
}

const struct node_type ISA(node_glow_sum) = {
	.name = "glow_sum", .doc = "The two lobes of scattered light, weighted.", .category = "image", .version = 1,
	.size = sizeof(struct glow_sum), .params = params, .inputs = "image far", .flags = NF_HIDDEN,
		.traits = TR_BLUR,
	.format = format, .flops = flops, .tile = tile,
};
