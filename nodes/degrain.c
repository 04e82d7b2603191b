/* degrain - takes a clip's grain out: the grain-neutral picture.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "degrain_parts.h"
#include "net.h"

struct degrain { DEGRAIN_COMMON; int radius; };

static const struct param params[] = {
	P_PATH(degrain, profile, PF_STATIC | PF_FILE,
	       "The grain's profile (.grain), as `interneg grain` measures it. Without one: white grain of sigma."),
	P_FLOAT(degrain, sigma, 0.02, 0, 1, "signal",
	        "Standard deviation of the grain in R, G and B where no profile is given."),
	P_FLOAT(degrain, strength, 1, 0, 4, "factor", "How much stronger than that the grain is taken "
	        "to be. 0 does nothing."),
	P_INT(degrain, radius, 2, 0, 3, "frames", PF_STATIC, "Frames before and after that are "
	      "averaged along the motion."),
	P_INT(degrain, reach, 12, 4, 16, "pixels", PF_STATIC, "How far alike blocks are looked for."),
	P_ENUM(degrain, space, "encoded", "encoded|linear|log", PF_STATIC,
	       "Where it works: the clip's own encoding, linear light, or ACEScct. A profile's "
	       "strength belongs to its own."),
	P_END
};

static int set_num(struct expand *x, struct xnode *k, const char *name, double v, struct err *e)
{
	return expand_set_num(x, k, name, &v, 1, e);
}

static int set_noise(struct expand *x, struct xnode *k, const struct degrain *p, struct err *e)
{
	if (*p->profile && expand_set(x, k, "profile", p->profile, e) < 0) return -1;
	if (set_num(x, k, "sigma", p->sigma, e) < 0 || set_num(x, k, "strength", p->strength, e) < 0) return -1;
	return set_num(x, k, "reach", p->reach, e);
}

static int expand(struct expand *x, const struct node_ctx *n, struct err *e)
{
	static const char *const spaces[] = { "encoded", "linear", "log" };
	const struct degrain *p = n->v;
	struct xnode *src = expand_input(x, 0), *mask = expand_input(x, 1);
	struct xnode *time = expand_node(x, "degrain_time", "time", e), *hard, *fine, *even, *bands;
	if (!time || expand_connect(x, time, "in", src, e) < 0 ||
	    expand_set(x, time, "space", spaces[p->space], e) < 0 || set_noise(x, time, p, e) < 0 ||
	    set_num(x, time, "radius", p->radius, e) < 0)
		return -1;
	hard = expand_node(x, "degrain_hard", "hard", e);
	if (!hard || expand_connect(x, hard, "in", time, e) < 0 || set_noise(x, hard, p, e) < 0 ||
	    set_num(x, hard, "radius", p->radius, e) < 0) return -1;
	fine = expand_node(x, "degrain_fine", "fine", e);
	if (!fine || expand_connect(x, fine, "in", src, e) < 0 || expand_connect(x, fine, "noisy", time, e) < 0 ||
	    expand_connect(x, fine, "basic", hard, e) < 0 || set_noise(x, fine, p, e) < 0 ||
	    set_num(x, fine, "radius", p->radius, e) < 0 || expand_set(x, fine, "space", spaces[p->space], e) < 0) return -1;
	even = expand_node(x, "degrain_even", "even", e);
	if (!even || expand_connect(x, even, "in", src, e) < 0 || expand_connect(x, even, "fine", fine, e) < 0 ||
	    set_noise(x, even, p, e) < 0 || expand_set(x, even, "space", spaces[p->space], e) < 0) return -1;
	bands = expand_node(x, "degrain_bands", "bands", e);
	if (!bands || expand_connect(x, bands, "in", src, e) < 0 || expand_connect(x, bands, "even", even, e) < 0 ||
	    set_noise(x, bands, p, e) < 0 || expand_set(x, bands, "space", spaces[p->space], e) < 0) return -1;
	return expand_finish(x, bands, mask, e);
}

const struct node_type ISA(node_degrain) = {
	.name = "degrain", .doc = "Takes a clip's grain out: the grain-neutral picture.",
	.more = "Five stages. Blocks of 8x8 pixels are followed into radius frames before and after "
	        "(up to 18 pixels a frame) and averaged coefficient by coefficient, with weights that "
	        "fall where grain does not explain the difference; at scene cuts and where nothing "
	        "matches a block stays alone. Groups of eight alike blocks then lose the coefficients "
	        "below 3.1 sigma (cosine transform, Haar across the group), and a second pass gives "
	        "each coefficient Wiener's share of it (BM3D, Dabov et al. 2007), luma and two colour "
	        "differences in groups that luma finds.\n"
	        "With a profile every coefficient has its own threshold, from the grain's spectrum, "
	        "channel correlation and strength at the block's luma: on grain coarser than white "
	        "that is worth 1.5 to 4.5 dB. Last, what was taken is brought to the grain's strength where it "
	        "differs from it: at low frequencies, by how steep the picture is there, and in R, G and B "
	        "band by band, so that it looks like grain: planted grain on photographs and clips, white, "
	        "a 35 mm stock's or a coarse 16 mm one's, of sigma 5 to 25/255, leaves hardly an edge in it (|r| below 0.05) "
	        "and has its spectrum within 0.5 dB from 0.05 cycles a pixel on; other rolls of it over small stills leave up to "
	        "0.053 and 0.7 dB, 1 dB where most is clipped. Where the picture is "
	        "clipped (exactly 0 or 1) that much less grain is looked for, and finer one, as clipping bends it; the neutral "
	        "picture goes back nearer the limit by what clipping has moved averages away from it (near white by up to "
	        "0.4 of the grain's deviation).\n"
	        "Values beyond +-1024 and what is no number stay as they are. Where a clip has no more "
	        "frames, fewer are averaged.",
	.category = "image", .version = 8, .size = sizeof(struct degrain), .params = params,
	.inputs = "image mask?", .flags = NF_MASKED, .traits = TR_CLEANUP,
	.example = "<degrain id=\"neutral\" in=\"plate\" profile=\"plate.grain\"/>",
	.want_of = degrain_want, .identity = degrain_identity, .expand = expand,
};
