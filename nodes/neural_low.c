/* neural_low - what a network adds to or takes from the mean of each source pixel: source less block mean.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"
#include "px_unit.h"

struct neural_low { int num, den; };

static const struct param params[] = {
	P_INT(neural_low, num, 1, 1, 16, "", PF_STATIC, "The network's factor,"),
	P_INT(neural_low, den, 1, 1, 16, "", PF_STATIC, "over this."),
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

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	need_add(out, 0, frame, r);
	need_add(out, 1, frame, rect_grow(block(n->v, r), 1, 1));
}

static int tile(const struct call *c, struct rect r)
{
	struct px_rgba ch = px_rgba_of(c->n->in[0]);
	int nc = c->out->nch;
	for (int y = r.y0; y < r.y1; y++)
		for (int x = r.x0; x < r.x1; x++) {
			struct rect b = rect_and(block(c->n->v, rect_of(x, y, x + 1, y + 1)), c->in[1].r);
			float v[3], area = (float)rect_area(b);
			px_shown(&c->in[0], &ch, nc, x, y, v);
			for (int k = 0; k < nc; k++) {
				float sum = 0;
				for (int j = b.y0; j < b.y1; j++)
					for (int i = b.x0; i < b.x1; i++) sum += *view_at(&c->in[1], k, i, j);
				*view_at(c->out, k, x, y) = area > 0 ? v[k] - sum / area : 0.0f;
			}
		}
	return 0;
}

const struct node_type ISA(node_neural_low) = {
	.name = "neural_low", .doc = "What a network takes from the mean of each source pixel.",
	.category = "geometry", .version = 1, .size = sizeof(struct neural_low), .params = params,
	.inputs = "image net", .flags = NF_HIDDEN, .want_of = want_of, .format = format, .needs = needs, .tile = tile,
};
