/* steady - calms what flickers from frame to frame, along the motion of the picture.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "steady.h"

#include "node.h"

struct steady { double amount, tolerance, change; int reach; };

static const struct param params[] = {
	P_FLOATX(steady, amount, 1, 0, 1, "mix", PF_STATIC,
	         "Weight of a neighbouring frame that fits, beside the frame's own of 1. 0 does nothing."),
	P_INT(steady, reach, 2, 1, 2, "frames", PF_STATIC, "How many frames to either side are looked at."),
	P_FLOATX(steady, tolerance, STEADY_TOLERANCE, 0.0001, 10, "encoded", PF_STATIC,
	         "How much the source may differ along the motion (mean of 3x3 pixels, encoded values) "
	         "for a neighbour to count for a quarter."),
	P_FLOATX(steady, change, STEADY_CHANGE, 0.0001, 10, "encoded", PF_STATIC,
	         "The same for the picture itself."),
	P_END
};

static int expand(struct expand *x, const struct node_ctx *n, struct err *e)
{
	const struct steady *p = n->v;
	struct steady_ask a = { p->amount, p->tolerance, p->change, p->reach };
	struct xnode *image = expand_input(x, 0), *source = n->nconn > 1 ? expand_input(x, 1) : NULL, *out = image;
	if (p->amount > 0 && !(out = steady_expand(x, image, source ? source : image, &a, e))) return -1;
	expand_output(x, out);
	return 0;
}

const struct node_type ISA(node_steady) = {
	.name = "steady", .doc = "Calms what flickers from frame to frame, along the motion of the picture.",
	.more = "The motion to one or two frames on either side is found in `source` (the frames "
	        "before they were upscaled; left out: the picture itself) and brought to the picture's "
	        "size. A neighbour, moved along it, is mixed in where the way back agrees, where the "
	        "source looks the same in both frames (what differs in the picture alone is flicker) "
	        "and where the picture does not differ too much. Every frame is made from its "
	        "neighbours as they came, so any frame can be asked for alone. It costs the network's "
	        "work on the frames around when single frames are rendered; in a whole clip each frame "
	        "is computed once.\n"
	        "`upscale method=\"neural\" steady=\"1\"` is this node behind the network, with the "
	        "network's own input as source.",
	.category = "time", .version = 1, .size = sizeof(struct steady), .params = params, .inputs = "image source?",
	.want = WANT_ENCODED,
		.example = "<steady id=\"calm\" in=\"up\" source=\"plate\" amount=\"1\"/>",
		.expand = expand,
};
