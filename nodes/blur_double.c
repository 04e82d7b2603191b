/* blur_double - doubles the picture of a large blur; the last one carries the blur's mask and mix.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"
#include "px_halve.h"

struct blur_double { int across, down; double from[2], to[2], display_from[2], display_to[2]; };

static const struct param params[] = {
	P_BOOL(blur_double, across, 1, PF_STATIC, "Double across."),
	P_BOOL(blur_double, down, 1, PF_STATIC, "Double down."),
	P_VEC2(blur_double, from, 0, 0, -1e6, 1e6, "pixels", PF_STATIC,
		"First column and row of the result."),
	P_VEC2(blur_double, to, 0, 0, -1e6, 1e6, "pixels", PF_STATIC,
		"Last column and row of the result, plus 1."),
	P_VEC2(blur_double, display_from, 0, 0, -1e6, 1e6, "pixels", PF_STATIC,
	       "First column and row of the display window; the result's where it is empty."),
	P_VEC2(blur_double, display_to, 0, 0, -1e6, 1e6, "pixels", PF_STATIC,
		"Last column and row of it, plus 1."),
	P_END
};

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct blur_double *p = n->v;
	(void)e;
	out->data = rect_of((int)p->from[0], (int)p->from[1], (int)p->to[0], (int)p->to[1]);
	out->display = rect_of((int)p->display_from[0], (int)p->display_from[1], (int)p->display_to[0],
	                       (int)p->display_to[1]);
	if (rect_empty(out->display)) out->display = out->data;
	return 0;
}

static struct rect reads(const struct node_ctx *n, struct rect r)
{
	const struct blur_double *p = n->v;
	return px_double_need(r, p->across, p->down);
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	need_add(out, 1, frame, reads(n, r));
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	return px_blur_floats(rect_w(r), rect_h(reads(n, r)), 0) * sizeof(float);
}

static double flops(const struct node_ctx *n)
{
	return (n->out ? n->out->nch : 3) * 15.0;
}

static int tile(const struct call *c, struct rect r)
{
	const struct blur_double *p = c->n->v;
	struct rect src = reads(c->n, r);
	int w = rect_w(r);
	ptrdiff_t stride = px_blur_stride(w);
	float *rows = c->scratch;
	for (int ch = 0; ch < c->out->nch; ch++) {
		for (int y = src.y0; y < src.y1; y++) {
			const float *s = view_at(&c->in[0], ch, src.x0, y);
			float *d = rows + (ptrdiff_t)(y - src.y0) * stride;
			if (p->across) px_double_across(s, r.x0, w, d);
			else __builtin_memcpy(d, s, (size_t)w * sizeof *d);
			if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		}
		for (int y = r.y0, two; y < r.y1; y += 1 + two) {
			two = p->down && !(y & 1) && y + 1 < r.y1;
			for (int i = PX_AHEAD; i <= PX_AHEAD + two && y + i < r.y1; i++)
				px_fetch_apart(view_at(c->out, ch, r.x0, y + i), c->out->stride, w, 1);
			const float *k = rows + (ptrdiff_t)((p->down ? px_floor2(y) - 2 : y) - src.y0) * stride;
			const float *five[5] = { k, k + stride, k + 2 * stride, k + 3 * stride, k + 4 * stride };
			float *d = view_at(c->out, ch, r.x0, y);
			if (two) px_double_downs(five, w, d, d + c->out->stride);
			else if (p->down) px_double_down(five, y, w, d);
			else __builtin_memcpy(d, k, (size_t)w * sizeof *d);
		}
	}
	return 0;
}

const struct node_type ISA(node_blur_double) = {
	.name = "blur_double", .doc = "Doubles the picture of a large blur.", .category = "image",
		.version = 2,
	.size = sizeof(struct blur_double), .params = params, .inputs = "image low mask?",
		.flags = NF_HIDDEN | NF_MASKED,
	.traits = TR_BLUR, .format = format, .needs = needs, .scratch = scratch, .flops = flops, .tile = tile,
};
