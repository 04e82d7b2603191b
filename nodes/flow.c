/* flow - where every pixel lies in a neighbouring frame, for nodes that follow motion.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "motion.h"
#include "node.h"
#include "px_motion_flow.h"
#include "px_unit.h"

struct flow { int offset, quality, confidence; };

static const struct param params[] = {
	P_INT(flow, offset, 1, -3, 3, "frames", PF_STATIC,
	      "Which frame is looked into, counted from the one at hand; beyond the ends of the range "
	      "the last one. Where `to` is connected: which of its frames."),
	P_ENUM(flow, quality, "medium", MOTION_QUALITIES, PF_STATIC,
	       "fast: down to a quarter of the picture's size; medium: half; fine: all of it."),
	P_BOOL(flow, confidence, 1, PF_STATIC, "Finds the way back too and tells how well both agree; "
	       "else confidence is 1."),
	P_END
};

const struct motion_ops ISA(motion_ops) = { px_motion };

enum { LANES = 2 };

static struct rect window(const struct node_ctx *n) { return n->in[0]->data; }

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct format *f = n->in[0], *g = n->nconn > 1 ? n->in[1] : NULL;
	if (g && (!rect_eq(f->data, g->data) || !rect_eq(f->display, g->display)))
		return err_set(e, E_SCENE, "flow: 'to' is %dx%d, the picture %dx%d", rect_w(g->data), rect_h(g->data),
		               rect_w(f->data), rect_h(f->data));
	format_channels(out, "dx dy confidence");
	return 0;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct flow *p = n->v;
	(void)r;
	need_add(out, 0, frame, window(n));
	need_add(out, n->nconn > 1 && n->in[1] ? 1 : 0, frame + p->offset, window(n));
}

/* Luma of an encoded picture; of one without R, G, B its first channel. */
static void luma(const struct view *in, const struct format *f, struct rect r, float *o, ptrdiff_t pitch)
{
	struct px_rgba ch = px_rgba_of(f);
	bool rgb = ch.c[0] >= 0 && ch.c[1] >= 0 && ch.c[2] >= 0;
	for (int y = r.y0; y < r.y1; y++, o += pitch) {
		const float *a = view_at(in, rgb ? ch.c[0] : 0, r.x0, y);
		const float *b = rgb ? view_at(in, ch.c[1], r.x0, y) : a, *c = rgb ? view_at(in, ch.c[2], r.x0, y) : a;
		for (int x = 0; x < rect_w(r); x++) o[x] = rgb ? 0.2126f * a[x] + 0.7152f * b[x] + 0.0722f * c[x] : a[x];
	}
}

static size_t plane(struct rect r) { return ((size_t)rect_w(r) * (size_t)rect_h(r) + 15) & ~(size_t)15; }

/* What one call allocates. */
static size_t bytes(const struct node_ctx *n)
{
	const struct flow *p = n->v;
	struct rect r = window(n);
	return 2 * plane(r) * sizeof(float) + motion_scratch(rect_w(r), rect_h(r), p->quality) + 64;
}
static size_t reserve(const struct node_ctx *n) { return rect_empty(window(n)) ? 0 : LANES * bytes(n); }

static int frame(const struct call *c)
{
	const struct flow *p = c->n->v;
	struct rect r = c->out->r;
	const struct format *f = c->n->in[0], *g = c->need[1].conn ? c->n->in[1] : f;
	if (rect_empty(r)) return 0;
	/* reads nothing where it looks at the frame itself */
	float *m = aligned_alloc(64, (bytes(c->n) + 63) & ~(size_t)63);
	if (!m) return err_set(c->err, E_MEMORY, "no memory for the motion of a frame");
	luma(&c->in[0], f, r, m, rect_w(r));
	luma(&c->in[1], g, r, m + plane(r), rect_w(r));
	struct motion_job j = { .from = m, .to = m + plane(r), .pitch = rect_w(r), .w = rect_w(r), .h = rect_h(r),
		.quality = p->quality, .dx = view_at(c->out, 0, r.x0, r.y0), .dy = view_at(c->out, 1, r.x0, r.y0),
		.out_pitch = c->out->stride, .scratch = m + 2 * plane(r), .cancel = c->cancel };
	if (p->confidence) j.confidence = view_at(c->out, 2, r.x0, r.y0);
	else for (int y = r.y0; y < r.y1; y++)
		for (int x = r.x0; x < r.x1; x++) *view_at(c->out, 2, x, y) = 1.0f;
	int rc = px_motion(&j);
	free(m);
	return rc;
}

static double flops(const struct node_ctx *n)
{
	const struct flow *p = n->v;
	static const double each[] = { 300, 1300, 5200 };
	return each[p->quality] * (p->confidence ? 2 : 1);
}

const struct node_type ISA(node_flow) = {
	.name = "flow", .doc = "Where every pixel lies in a neighbouring frame, for nodes that follow motion.",
	.more = "Dense inverse search (Kroeger 2016) with variational refinement, on luma of the "
	        "clip's own encoding. The picture at (x, y) is found at (x + dx, y + dy), in pixels, "
	        "in the frame `offset` away; confidence is 1 where the way back agrees and 0 where it "
	        "does not or leads out of the picture.",
	.category = "time", .version = 1, .size = sizeof(struct flow), .params = params, .inputs = "image to?",
	.flags = NF_HIDDEN, .want = WANT_ENCODED, .lanes = LANES, .format = format, .needs = needs,
		.reserve = reserve,
	.flops = flops, .frame = frame,
};
