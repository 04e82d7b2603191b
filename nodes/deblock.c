/* deblock - takes away the lattice of blocks that compression left, as far as each block's border sticks out.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "net.h"
#include "node.h"

struct deblock { double size, offset[2], strength, limit; };

static const struct param params[] = {
	P_FLOATX(deblock, size, 8, 8, 64, "pixels", PF_STATIC, "Side of a block as the clip has it "
	         "now: 8, or more after an enlargement."),
	P_VEC2(deblock, offset, 0, 0, 0, 63, "pixels", PF_STATIC, "Where the first whole block begins, "
	       "across and down: of cropped clips."),
	P_FLOAT(deblock, strength, 1, 0, 2, "factor", "Multiplies what is taken from a border's step."),
	P_FLOAT(deblock, limit, 36, 0, 255, "8-bit codes", "Steps higher than this, in 1/255 of the "
	        "signal, are the picture's."),
	P_END
};

static bool identity(const struct node_ctx *n)
{
	const struct deblock *p = n->v;
	return p->strength == 0 || p->limit == 0;
}

static int expand(struct expand *x, const struct node_ctx *n, struct err *e)
{
	const struct deblock *p = n->v;
	struct xnode *mask = expand_input(x, 1), *in = expand_input(x, 0), *k = in;
	for (int down = 0; down < 2; down++) {
		struct xnode *from = k;
		if (!(k = expand_node(x, "deblock_axis", down ? "down" : "across", e))) return -1;
		if (expand_connect(x, k, "in", down ? in : from, e) < 0 ||
		    (down && expand_connect(x, k, "first", from, e) < 0))
			return -1;
		if (expand_set(x, k, "down", down ? "yes" : "no", e) < 0) return -1;
		if (expand_set_num(x, k, "size", &p->size, 1, e) < 0 ||
		    expand_set_num(x, k, "offset", p->offset, 2, e) < 0)
			return -1;
		if (expand_set_num(x, k, "strength", &p->strength, 1, e) < 0) return -1;
		if (expand_set_num(x, k, "limit", &p->limit, 1, e) < 0) return -1;
	}
	return expand_finish(x, k, mask, e);
}

const struct node_type ISA(node_deblock) = {
	.name = "deblock", .doc = "Takes away the lattice of blocks that compression left.",
	.more = "For MJPEG, MPEG-2 and clips without an encoder's own loop filter, in a cleanup pass "
	        "before an upscale; works in the clip's own encoding, first on borders between blocks "
	        "side by side, then on those one above the other. At a border d is the step between "
	        "the two nearest pixels beyond what the slopes on both sides make it. A stretch of "
	        "border as long as a block is filtered as far as its mean d^2 stands out of the same "
	        "measure inside the two blocks: 1 - inside / border, times strength. d is then spread "
	        "over half a block (at most 4 pixels) on each side, falling off with the square; steps "
	        "over limit stay. Where a picture has no lattice, borders do not stand out and little "
	        "changes.",
	.category = "image", .version = 1, .size = sizeof(struct deblock), .params = params, .inputs = "image mask?",
	.flags = NF_RGB | NF_MASKED, .traits = TR_CLEANUP, .want = WANT_ENCODED,
	.example = "<deblock id=\"blocks\" in=\"plate\" size=\"8\"/>",
	.identity = identity, .expand = expand,
};
