/* half - rounds every channel to half float and back: what a pass with depth="half" hands on.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "exr.h"
#include "node.h"

static const struct param params[] = { P_END };

static int tile(const struct call *c, struct rect r)
{
	for (int k = 0; k < c->out->nch; k++)
		for (int y = r.y0; y < r.y1; y++) {
			float *d = view_at(c->out, k, r.x0, y);
			memcpy(d, view_at(&c->in[0], k, r.x0, y), (size_t)rect_w(r) * sizeof(float));
			half_round(d, (size_t)rect_w(r));
		}
	return 0;
}

const struct node_type ISA(node_half) = {
	.name = "half", .doc = "Rounds to half float, as the intermediate of a pass with depth=\"half\" does.",
	.category = "image", .version = 1, .params = params, .inputs = "image", .flags = NF_HIDDEN, .tile = tile,
};
