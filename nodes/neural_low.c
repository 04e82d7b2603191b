/* neural_low - what a network takes from the mean of each source pixel: that
 * of the plain resample less its own.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"
#include "px_resample.h"
#include "px_unit.h"

struct neural_low { int num, den; double ringing; };

static const struct param params[] = {
	P_INT(neural_low, num, 1, 1, 16, "", PF_STATIC, "The network's factor,"),
	P_INT(neural_low, den, 1, 1, 16, "", PF_STATIC, "over this."),
	P_FLOAT(neural_low, ringing, 0.8, 0, 1, "share", "As of the plain picture."),
	P_END
};

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	(void)e;
	format_channels(out, n->in[1]->nch == 1 ? "n0" : "n0 n1 n2");
	return 0;
}

/* The source keeps its own encoding; the network's result has none to convert. */
static enum want want_of(const struct node_ctx *n, int conn)
{
	(void)n;
	(void)conn;
	return WANT_ANY;
}

static int scaled(int v, const struct neural_low *p)
{
	int a = v * p->num;
	return a >= 0 ? a / p->den : -((-a + p->den - 1) / p->den);
}

/* A source pixel's own block, at least one pixel. */
static struct rect block(const struct neural_low *p, struct rect r)
{
	struct rect b = rect_of(scaled(r.x0, p), scaled(r.y0, p), scaled(r.x1, p), scaled(r.y1, p));
	if (b.x1 <= b.x0) b.x1 = b.x0 + 1;
	if (b.y1 <= b.y0) b.y1 = b.y0 + 1;
	return b;
}

/* The plain resample of what the network is shown, on its own grid. */
static int open_tables(struct node_ctx *n, struct err *e)
{
	const struct neural_low *p = n->v;
	const struct format *f = n->in[0];
	struct resample_geom g = { f->display, block(p, f->display), rect_or(f->display, f->data), f->data };
	(void)e;
	n->state = resample_new(&g, rect_and(block(p, f->data), n->in[1]->data), RS_LANCZOS3, p->ringing);
	return 0;
}

static void close_tables(struct node_ctx *n)
{
	struct resample *rs = n->state;
	resample_free(&rs);
	n->state = NULL;
}

/* The network's pixels of r that are compared. */
static struct rect fine(const struct node_ctx *n, struct rect r)
{
	return rect_and(rect_and(block(n->v, r), block(n->v, n->in[0]->data)), n->in[1]->data);
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	struct rect b = fine(n, r);
	need_add(out, 0, frame, rect_empty(b) ? r : resample_need(n->state, b));
	need_add(out, 1, frame, b);
}

static size_t up16(size_t n) { return (n + 15) & ~(size_t)15; }
static size_t plane(struct rect r) { return up16((size_t)rect_w(r)) * (size_t)rect_h(r); }

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	struct rect b = fine(n, r);
	if (rect_empty(b)) return 64;
	return up16(resample_scratch(n->state, b) + 64) +
		3 * (plane(b) + plane(resample_need(n->state, b)) + 64) * sizeof(float);
}

static struct view planes(float **at, struct rect r, int n)
{
	struct view v = { .r = r, .stride = (ptrdiff_t)up16((size_t)rect_w(r)), .nch = n };
	for (int k = 0; k < n; k++, *at += plane(r)) v.plane[k] = *at;
	return v;
}

static float mean(const struct view *plain, const struct view *net, int k, struct rect b)
{
	float sum = 0;
	for (int y = b.y0; y < b.y1; y++)
		for (int x = b.x0; x < b.x1; x++) sum += *view_at(plain, k, x, y) - *view_at(net, k, x, y);
	return rect_empty(b) ? 0.0f : sum / (float)rect_area(b);
}

static int tile(const struct call *c, struct rect r)
{
	const struct view *in = &c->in[0];
	struct rect b = fine(c->n, r);
	struct px_rgba ch = px_rgba_of(c->n->in[0]);
	int nc = c->out->nch;
	if (rect_empty(b)) { view_clear(c->out, r); return 0; }
	float *at = (float *)(void *)((char *)c->scratch + up16(resample_scratch(c->n->state, b) + 64)), v[3];
	struct view seen = planes(&at, in->r, nc), plain = planes(&at, b, nc);
	for (int y = in->r.y0; y < in->r.y1; y++)
		for (int x = in->r.x0; x < in->r.x1; x++) {
			px_shown(in, &ch, nc, x, y, v);
			for (int k = 0; k < nc; k++) *view_at(&seen, k, x, y) = v[k];
		}
	if (px_resample(c->n->state, &seen, &plain, b, c->scratch, c->cancel) < 0) return -1;
	for (int y = r.y0; y < r.y1; y++)
		for (int x = r.x0; x < r.x1; x++) {
			b = fine(c->n, rect_of(x, y, x + 1, y + 1));
			for (int k = 0; k < nc; k++) *view_at(c->out, k, x, y) = mean(&plain, &c->in[1], k, b);
		}
	return 0;
}

const struct node_type ISA(node_neural_low) = {
	.name = "neural_low", .doc = "What a network takes from the mean of each source pixel.",
	.category = "geometry", .version = 1, .size = sizeof(struct neural_low), .params = params,
	.inputs = "image net", .flags = NF_HIDDEN, .want_of = want_of, .format = format, .open = open_tables,
	.close = close_tables, .needs = needs, .scratch = scratch, .tile = tile,
};
