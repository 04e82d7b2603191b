/* deband - gives gradients back what coarse steps took, and leaves edges and texture.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "net.h"
#include "node.h"

struct deband { double step, reach, detail; };

static const struct param params[] = {
	P_FLOAT(deband, step, 1.2, 0, 64, "8-bit codes",
	        "Height of the steps, in 1/255 of the signal: 1 for full-range 8 bit, 1.2 for limited "
	        "range, 4 for 6 bit; more where compression made them coarser."),
	P_LENGTH(deband, reach, "60", 2, 512, PF_STATIC, "How far a pixel looks for where its gradient "
	         "comes from and goes."),
	P_FLOAT(deband, detail, 1, 0, 1, "share", "How much of fine texture of a step's height (grain, "
	        "dither) is left alone."),
	P_END
};

static bool identity(const struct node_ctx *n) { return ((const struct deband *)n->v)->step <= 0; }

/* Levels of distances 1, 2, 4 ... that reach so far: two taps each. */
static int expand(struct expand *x, const struct node_ctx *n, struct err *e)
{
	const struct deband *p = n->v;
	struct xnode *in = expand_input(x, 0), *mask = expand_input(x, 1), *k = in;
	int levels = 1;
	while (levels < 8 && 2 * ((2 << levels) - 1) <= p->reach) levels++;
	for (int i = levels - 1; i >= 0; i--) {
		char name[24];
		double apart = 1 << i, last = i == 0 ? 1 : 0;
		snprintf(name, sizeof name, "level%d", i);
		struct xnode *from = k;
		if (!(k = expand_node(x, "deband_level", name, e))) return -1;
		if (expand_connect(x, k, "in", in, e) < 0 || expand_connect(x, k, "smooth", from, e) < 0) return -1;
		if (expand_set_num(x, k, "step", &p->step, 1, e) < 0 ||
		    expand_set_num(x, k, "detail", &p->detail, 1, e) < 0)
			return -1;
		if (expand_set_num(x, k, "apart", &apart, 1, e) < 0 ||
		    expand_set(x, k, "last", last != 0 ? "yes" : "no", e) < 0)
			return -1;
	}
	return expand_finish(x, k, mask, e);
}

const struct node_type ISA(node_deband) = {
	.name = "deband", .doc = "Gives gradients back what coarse steps took, and leaves edges and texture.",
	.more = "For 8-bit and compressed clips, in a cleanup pass before an upscale; works in the "
	        "clip's own encoding. A value that was rounded lies within half a step of the true "
	        "one, so no pixel moves further than that: an edge, an eyelash or a grain cannot be "
	        "lost. Within it, each channel goes to a mean over pairs of pixels that lie opposite "
	        "each other, at distances from reach down to 1 (edge-avoiding a trous wavelets), as "
	        "far as both differ from it by less than one and a half steps: a ramp stays a ramp. "
	        "Where a row or column of seven pixels goes up and down by more than three steps there "
	        "is texture, and nothing is banded (detail). Hands on floats: nothing is dithered "
	        "here, a writer that rounds again does.",
	.category = "image", .version = 1, .size = sizeof(struct deband), .params = params, .inputs = "image mask?",
	.flags = NF_RGB | NF_MASKED, .traits = TR_CLEANUP, .want = WANT_ENCODED,
	.example = "<deband id=\"smooth\" in=\"plate\" step=\"1.2\"/>",
	.identity = identity, .expand = expand,
};
