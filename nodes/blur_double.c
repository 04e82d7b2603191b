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

/* Columns at a time, and rows of them that are across already: they stay in the nearest cache. */
enum { STRIP = 512, RING = 8 };

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	(void)n, (void)r;
	return RING * STRIP * sizeof(float);
}

static double flops(const struct node_ctx *n)
{
	return (n->out ? n->out->nch : 3) * 15.0;
}

/* Row y of the half, across, w pixels from x on. */
static void across(const struct call *c, int ch, int y, int x, int w, float *d)
{
	const struct blur_double *p = c->n->v;
	if (p->across) px_double_across(view_at(&c->in[0], ch, px_floor2(x) - 2, y), x, w, d);
	else px_copy_row(d, view_at(&c->in[0], ch, x, y), w);
}

/* Channel ch of r, no wider than a strip. */
static void strip(const struct call *c, int ch, struct rect r)
{
	const struct blur_double *p = c->n->v;
	int w = rect_w(r), done = reads(c->n, r).y0, first = done, reach = p->down ? 5 : 1;
	float *ring = c->scratch;
	for (int y = r.y0, two; y < r.y1; y += 1 + two) {
		int top = p->down ? px_floor2(y) - 2 : y;
		two = p->down && !(y & 1) && y + 1 < r.y1;
		for (int i = PX_AHEAD; i <= PX_AHEAD + two && y + i < r.y1; i++)
			px_fetch_apart(view_at(c->out, ch, r.x0, y + i), c->out->stride, w, 1);
		for (; done < top + reach; done++) across(c, ch, done, r.x0, w, ring + (done - first) % RING * STRIP);
		const float *row[5];
		for (int i = 0; i < reach; i++) row[i] = ring + (top + i - first) % RING * STRIP;
		float *d = view_at(c->out, ch, r.x0, y);
		if (two) px_double_downs(row, w, d, d + c->out->stride);
		else if (p->down) px_double_down(row, y, w, d);
		else px_copy_row(d, row[0], w);
	}
}

static int tile(const struct call *c, struct rect r)
{
	for (int ch = 0; ch < c->out->nch; ch++)
		for (int x = r.x0; x < r.x1; x += STRIP) {
			strip(c, ch, rect_of(x, r.y0, r.x1 - x < STRIP ? r.x1 : x + STRIP, r.y1));
			if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
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
