/* halation - light that passes the film's layers and comes back from its base, red first.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "glow.h"

struct halation { double sigma, amount, strength[3], threshold, softness; };

static const struct param params[] = {
	P_LENGTH(halation, sigma, "1.4%h", 0, 400, PF_STATIC,
	         "Standard deviation of the near lobe; the far one is 2.5 times as wide. 1.4%h are 200 "
	         "um on 35 mm film."),
	P_FLOAT(halation, amount, 1, 0, 30, "factor", "Multiplies strength: 1 is 35 mm stock, more is "
	        "film without a backing."),
	P_VEC3(halation, strength, 0.03, 0.003, 0.001, 0, 1, "share", 0,
	       "Light that comes back for each part of red, green and blue that arrives."),
	P_FLOATX(halation, threshold, 0, 0, 1000, "linear", PF_STATIC,
	         "Above 0 only light over this luminance comes back; 0 is the physical form, in which all does."),
	P_FLOAT(halation, softness, 1, 1e-3, 1000, "linear", "How far above the threshold all of it does."),
	P_END
};

static bool identity(const struct node_ctx *n)
{
	const struct halation *p = n->v;
	return p->amount == 0 || p->sigma <= 0;
}

static int expand(struct expand *x, const struct node_ctx *n, struct err *e)
{
	const struct halation *p = n->v;
	struct glow g = { .sigma = p->sigma, .threshold = p->threshold, .softness = p->softness };
	for (int i = 0; i < 3; i++) {
		double k = p->amount * p->strength[i];
		g.share[i] = k / (1 + k);
	}
	return glow_expand(x, n, &g, e);
}

const struct node_type ISA(node_halation) = {
	.name = "halation", .doc = "Red glow around lights: light that film lets through and its base throws back.",
	.more = "In linear light, for each channel: out = (in + k G * in) / (1 + k), k = amount "
	        "strength, G = 0.7 of a Gaussian of sigma and 0.3 of one of 2.5 sigma. What arrives "
	        "elsewhere is missing where it came from: flat fields keep their value, and the sum of "
	        "the picture stays (edges are mirrored). Light comes back through the red layer first, "
	        "so red scatters ten times as much as green. Values over 1 scatter as much as they are "
	        "bright: a clip whose highlights end at white halates little; lift them before (tone "
	        "direction=\"expand\") or raise amount. With a threshold only s = in "
	        "smoothstep(threshold, threshold + softness, Y) scatters: out = in + k / (1 + k) (G * "
	        "s - s).\n"
	        "A sigma in percent of the height keeps its size on film whatever the resolution. The "
	        "mask says where.",
	.category = "image", .version = 2, .size = sizeof(struct halation), .params = params,
	.inputs = "image mask?", .flags = NF_RGB | NF_PREMULT | NF_MASKED, .traits = TR_BLUR, .want = WANT_LINEAR,
	.example = "<halation id=\"halo\" in=\"soft\" sigma=\"1.4%h\" amount=\"2\"/>",
	.identity = identity, .expand = expand,
};
