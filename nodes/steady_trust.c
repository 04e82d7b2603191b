/* steady_trust - motion to a neighbouring frame, and how far that frame fits when moved along it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"
#include "px_unit.h"
#include "px_warp.h"

struct steady_trust { int offset; double tolerance; };

static const struct param params[] = {
	P_INT(steady_trust, offset, 1, -3, 3, "frames", PF_STATIC, "Which frame."),
	P_FLOATX(steady_trust, tolerance, 0.05, 0.0001, 10, "encoded", PF_STATIC,
	         "Difference that counts for a quarter."),
	P_END
};

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	(void)n;
	(void)e;
	format_channels(out, "dx dy trust");
	return 0;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct steady_trust *p = n->v;
	need_add(out, 0, frame, rect_grow(r, 1, 1));
	need_add(out, 1, frame, rect_grow(r, 1, 1));
	need_add(out, 0, frame + p->offset, n->in[0]->data);
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	(void)n;
	return (size_t)(rect_w(r) + 2) * (size_t)(rect_h(r) + 2) * sizeof(float);
}

/* The largest difference of R, G, B (or of the first channel) from what the motion brings. */
static float differs(const struct call *c, const struct px_rgba *ch, bool rgb, int x, int y)
{
	float dx = *view_at(&c->in[1], 0, x, y), dy = *view_at(&c->in[1], 1, x, y), most = 0;
	for (int k = 0; k < (rgb ? 3 : 1); k++) {
		int at = rgb ? ch->c[k] : 0;
		float d = px_abs(*view_at(&c->in[0], at, x, y) - px_warp_linear(&c->in[2], at,
			(float)x + dx, (float)y + dy));
		most = d > most || d != d ? d : most;
	}
	return most;
}

static int tile(const struct call *c, struct rect r)
{
	const struct steady_trust *p = c->n->v;
	struct px_rgba ch = px_rgba_of(c->n->in[0]);
	bool rgb = ch.c[0] >= 0 && ch.c[1] >= 0 && ch.c[2] >= 0;
	struct rect g = c->in[0].r;
	float *d = c->scratch, scale = 1.0f / (float)p->tolerance;
	int w = rect_w(g);
	for (int y = g.y0; y < g.y1; y++)
		for (int x = g.x0; x < g.x1; x++) d[(y - g.y0) * w + x - g.x0] = differs(c, &ch, rgb, x, y);
	for (int y = r.y0; y < r.y1; y++)
		for (int x = r.x0; x < r.x1; x++) {
			float sum = 0, conf = *view_at(&c->in[1], 2, x, y);
			for (int j = -1; j <= 1; j++)
				for (int i = -1; i <= 1; i++)
					sum += d[(px_warp_within(y + j, g.y0, g.y1) - g.y0) * w + px_warp_within(x + i, g.x0, g.x1) - g.x0];
			float t = sum * (1.0f / 9.0f) * scale, fit = 1.0f / (1.0f + t * t);
			*view_at(c->out, 0, x, y) = *view_at(&c->in[1], 0, x, y);
			*view_at(c->out, 1, x, y) = *view_at(&c->in[1], 1, x, y);
			*view_at(c->out, 2, x, y) = fit == fit ? conf * fit * fit : 0.0f;
		}
	return 0;
}

const struct node_type ISA(node_steady_trust) = {
	.name = "steady_trust", .doc = "Motion to a neighbouring frame, and how far that frame fits "
	        "when moved along it.",
	.category = "time", .version = 1, .size = sizeof(struct steady_trust), .params = params,
		.inputs = "image flow",
	.flags = NF_HIDDEN, .want = WANT_ENCODED, .format = format, .needs = needs, .scratch = scratch, .tile = tile,
};
