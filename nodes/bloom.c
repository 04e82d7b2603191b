/* bloom - light that the lens scatters wide and softly, all colours alike.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "glow.h"

struct bloom { double sigma, amount, threshold, softness; };

static const struct param params[] = {
	P_LENGTH(bloom, sigma, "2%h", 0, 400, PF_STATIC,
	         "Standard deviation of the near lobe; the far one is 2.5 times as wide."),
	P_FLOAT(bloom, amount, 0.03, 0, 0.95, "share",
	        "Share of the light that scatters. A clean lens 0.01 to 0.03, a mist filter 0.1 and more."),
	P_FLOATX(bloom, threshold, 0, 0, 1000, "linear", PF_STATIC,
	         "Above 0 only light over this luminance scatters; 0 is what lenses do: all of it."),
	P_FLOAT(bloom, softness, 1, 1e-3, 1000, "linear", "How far above the threshold all of it does."),
	P_END
};

static bool identity(const struct node_ctx *n)
{
	const struct bloom *p = n->v;
	return p->amount == 0 || p->sigma <= 0;
}

static int expand(struct expand *x, const struct node_ctx *n, struct err *e)
{
	const struct bloom *p = n->v;
	struct glow g = { .sigma = p->sigma, .threshold = p->threshold, .softness = p->softness };
	for (int i = 0; i < 3; i++) g.share[i] = p->amount;
	return glow_expand(x, n, &g, e);
}

const struct node_type ISA(node_bloom) = {
	.name = "bloom", .doc = "Soft glow around lights: light that the lens scatters wide, all colours alike.",
	.more = "In linear light: out = (1 - amount) in + amount G * in, G = 0.7 of a Gaussian of "
	        "sigma and 0.3 of one of 2.5 sigma. Energy is conserved: flat fields keep their value "
	        "and the sum of the picture stays (edges are mirrored), so blacks beside lights lift "
	        "and contrast falls a little, as behind a mist filter. With a threshold only s = in "
	        "smoothstep(threshold, threshold + softness, Y) scatters: out = in + amount (G * s - "
	        "s).\n"
	        "A sigma in percent of the height keeps its size whatever the resolution. The mask says where.",
	.category = "image", .version = 2, .size = sizeof(struct bloom), .params = params,
	.inputs = "image mask?", .flags = NF_RGB | NF_PREMULT | NF_MASKED, .traits = TR_BLUR, .want = WANT_LINEAR,
	.example = "<bloom id=\"mist\" in=\"soft\" amount=\"0.05\"/>",
	.identity = identity, .expand = expand,
};
