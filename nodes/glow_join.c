/* glow_join - takes light away where it scatters and adds it where it arrives,
 * doubling the scattered light's picture.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"
#include "px_halve.h"

struct glow_join { int twice; double share[3]; };

static const struct param params[] = {
	{ "double", PT_BOOL, offsetof(struct glow_join, twice), 1, { 0 }, NULL, 0, 1, "", NULL, PF_STATIC,
	  "The scattered light's picture has half the size." },
	P_VEC3(glow_join, share, 0, 0, 0, 0, 1, "share", 0, "Share of red, green and blue that scatters."),
	P_END
};

static bool identity(const struct node_ctx *n)
{
	const struct glow_join *p = n->v;
	return p->share[0] == 0 && p->share[1] == 0 && p->share[2] == 0;
}

static struct rect reads(const struct node_ctx *n, struct rect r)
{
	const struct glow_join *p = n->v;
	return p->twice ? px_double_need(r, true, true) : r;
}

static bool has_light(const struct node_ctx *n) { return n->nconn > 2 && n->in[2]; }

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	need_add(out, 0, frame, r);
	need_add(out, 1, frame, reads(n, r));
	if (has_light(n)) need_add(out, 2, frame, r);
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct format *low = n->in[1];
	struct rect r = reads(n, out->data);
	if (format_channel(out, "R") < 0 || format_channel(out, "G") < 0 || format_channel(out, "B") < 0)
		return err_set(e, E_SCENE, "it needs a picture with the channels R, G and B");
	if (format_channel(low, "R") < 0 || format_channel(low, "G") < 0 || format_channel(low, "B") < 0 ||
	    !rect_holds(low->data, r) || (has_light(n) && !rect_holds(n->in[2]->data, out->data)))
		return err_set(e, E_SCENE, "the scattered light does not cover the picture");
	return 0;
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct glow_join *p = n->v;
	if (!p->twice) return 0;
	return px_blur_floats(rect_w(r), rect_h(reads(n, r)) + 1, 0) * sizeof(float);
}

static double flops(const struct node_ctx *n) { (void)n; return 60; }

/* What scatters is s, what arrives is low. */
IN_INLINE void join(const float *IN_RESTRICT in, const float *s, const float *IN_RESTRICT low, float k, int n,
                    float *IN_RESTRICT d)
{
	for (int x = 0; x < n; x++) d[x] = in[x] + k * (low[x] - s[x]);
}

static int tile(const struct call *c, struct rect r)
{
	const struct glow_join *p = c->n->v;
	struct rect src = reads(c->n, r);
	const struct view *light = &c->in[has_light(c->n) ? 2 : 0];
	int w = rect_w(r);
	ptrdiff_t stride = px_blur_stride(w);
	float *rows = c->scratch, *wide = p->twice ? rows + (ptrdiff_t)rect_h(src) * stride : NULL;
	for (int ch = 0; ch < 3; ch++) {
		for (int y = src.y0; p->twice && y < src.y1; y++)
			px_double_across(view_at(&c->in[1], ch, src.x0, y), r.x0, w,
			                 rows + (ptrdiff_t)(y - src.y0) * stride);
		for (int y = r.y0; y < r.y1; y++) {
			const float *low = wide;
			if (y + PX_AHEAD < r.y1) px_fetch_apart(view_at(c->out, ch, r.x0, y + PX_AHEAD), c->out->stride, w, 1);
			if (p->twice) {
				const float *k = rows + (ptrdiff_t)(px_floor2(y) - 2 - src.y0) * stride;
				const float *five[5] = { k, k + stride, k + 2 * stride, k + 3 * stride, k + 4 * stride };
				px_double_down(five, y, w, wide);
			} else low = view_at(&c->in[1], ch, r.x0, y);
			join(view_at(&c->in[0], ch, r.x0, y), view_at(light, ch, r.x0, y), low, (float)p->share[ch], w,
			     view_at(c->out, ch, r.x0, y));
		}
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
	}
	return 0;
}

const struct node_type ISA(node_glow_join) = {
	.name = "glow_join", .doc = "Takes light away where it scatters and adds it where it arrives.",
		.category = "image",
	.version = 2, .size = sizeof(struct glow_join), .params = params, .inputs = "image low light? mask?",
	.flags = NF_HIDDEN | NF_RGB | NF_PREMULT | NF_MASKED, .traits = TR_BLUR, .format = format,
		.identity = identity,
	.needs = needs, .scratch = scratch, .flops = flops, .tile = tile,
};
