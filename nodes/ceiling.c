/* ceiling - pulls the top of the curve down so that white lands on a stated display code.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "grading.h"

struct ceiling { double white, knee; };

static const struct param params[] = {
	P_FLOATX(ceiling, white, 0.96, 0.5, 1, "code", 0,
	         "Display code (0..1 of the signal) on which white, 1, lands; 1 does nothing."),
	P_FLOATX(ceiling, knee, 0.7, 0, 0.98, "code", 0, "Code below which nothing changes; the "
	         "roll-off starts there."),
	P_END
};

static bool identity(const struct node_ctx *n) { return ((const struct ceiling *)n->v)->white == 1; }

static int ceiling_open(struct node_ctx *n, struct err *e)
{
	const struct ceiling *p = n->v;
	if (p->knee >= p->white)
		return err_set(e, E_SCENE, "knee %g has to stand below white %g", p->knee, p->white);
	return 0;
}

static int tile(const struct call *c, struct rect r)
{
	const struct ceiling *p = c->n->v;
	const float k = (float)p->knee, bend = (float)((1 - p->white) / ((p->white - p->knee) * (1 - p->knee)));
	for (int ch = 0; ch < 3; ch++)
		for (int y = r.y0; y < r.y1; y++) {
			const float *in = view_at(&c->in[0], ch, r.x0, y);
			float *out = view_at(c->out, ch, r.x0, y);
			const float far = 1e30f;
			IN_IVDEP
			for (int i = 0; i < rect_w(r); i++) {
				float v = in[i], d = v - k, held = d > far ? far : d, top = k + held / (1.0f + bend * held);
				out[i] = d > 0.0f ? top : v;
			}
		}
	return 0;
}
static double flops(const struct node_ctx *n) { (void)n; return 18; }

const struct node_type ISA(node_ceiling) = {
	.name = "ceiling",
	.doc = "Pulls the top of the curve down so that white lands on a stated display code.",
	.more = "Works on the display encoding. Up to knee nothing changes; from there out = knee + d "
	        "/ (1 + c d), d = in - knee, with c such that 1 comes out as white. The curve has no "
	        "kink and always rises, so values over 1 stay apart; they approach knee + 1/c and are "
	        "clipped by nothing here.",
	.category = "colour", .version = 1, .size = sizeof(struct ceiling), .params = params,
	.inputs = "image mask?", .flags = NF_RGB | NF_MASKED, .traits = TR_TONE, .want = WANT_ENCODED,
	.example = "<ceiling id=\"soft_white\" in=\"graded\" white=\"0.96\" knee=\"0.75\"/>",
	.open = ceiling_open, .identity = identity, .flops = flops, .in_place = node_in_place, .tile = tile,
};
