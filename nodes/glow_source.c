/* glow_source - the light that halation and bloom scatter.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"
#include "px_math.h"

struct glow_source { double threshold, softness; };

static const struct param params[] = {
	P_FLOATX(glow_source, threshold, 0, 0, 1000, "linear", PF_STATIC, "Luminance from where light "
	         "scatters; 0: all of it."),
	P_FLOAT(glow_source, softness, 1, 1e-3, 1000, "linear", "How far above the threshold all of it scatters."),
	P_END
};

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	(void)n;
	if (format_channel(out, "R") < 0 || format_channel(out, "G") < 0 || format_channel(out, "B") < 0)
		return err_set(e, E_SCENE, "it needs a picture with the channels R, G and B");
	format_channels(out, "R G B");
	return 0;
}

static double flops(const struct node_ctx *n) { (void)n; return 20; }

static int tile(const struct call *c, struct rect r)
{
	const struct glow_source *p = c->n->v;
	const float from = (float)p->threshold, slope = (float)(1 / p->softness);
	const bool all = p->threshold <= 0;
	double w[3];
	colour_luma(c->n->in[0]->space, w);
	const float wr = (float)w[0], wg = (float)w[1], wb = (float)w[2];
	for (int y = r.y0; y < r.y1; y++) {
		const float *IN_RESTRICT a = view_at(&c->in[0], 0, r.x0, y),
			*IN_RESTRICT b = view_at(&c->in[0], 1, r.x0, y);
		const float *IN_RESTRICT d = view_at(&c->in[0], 2, r.x0, y);
		float *IN_RESTRICT o = view_at(c->out, 0, r.x0, y), *IN_RESTRICT q = view_at(c->out, 1, r.x0, y);
		float *IN_RESTRICT s = view_at(c->out, 2, r.x0, y);
		for (int i = 0; i < rect_w(r); i++) {
			float t = (wr * a[i] + wg * b[i] + wb * d[i] - from) * slope;
			t = px_clamp(t, 0.0f, 1.0f);
			float k = all ? 1.0f : t * t * (3.0f - 2.0f * t);
			o[i] = a[i] * k;
			q[i] = b[i] * k;
			s[i] = d[i] * k;
		}
	}
	return 0;
}

const struct node_type ISA(node_glow_source) = {
	.name = "glow_source", .doc = "The light that halation and bloom scatter.",
		.category = "image", .version = 1,
	.size = sizeof(struct glow_source), .params = params, .inputs = "image",
		.flags = NF_HIDDEN | NF_RGB | NF_PREMULT,
	.traits = TR_BLUR, .format = format, .flops = flops, .tile = tile,
};
