/* neural_in - hands a picture to a network: its R, G, B or luma within 0 to 1, edges held beyond the window.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"
#include "nn_model.h"
#include "px_unit.h"

struct neural_in { int space, channels, pad, align; };

enum { SPACE_ENCODED, SPACE_LINEAR, SPACE_LOG };

static const struct param params[] = {
	P_ENUM(neural_in, space, "encoded", "encoded|linear|log", PF_STATIC, "What the network was trained on."),
	P_INT(neural_in, channels, 3, 1, 3, "", PF_STATIC, "3: R, G, B; 1: Rec.709 luma."),
	P_INT(neural_in, pad, 0, 0, 512, "pixels", PF_STATIC, "Border that the network's unpadded layers eat."),
	P_INT(neural_in, align, 1, 1, 64, "pixels", PF_STATIC, "The window stands at multiples of it."),
	P_END
};

static enum want want_of(const struct node_ctx *n, int conn)
{
	const struct neural_in *p = n->v;
	(void)conn;
	return p->space == SPACE_LINEAR ? WANT_LINEAR : p->space == SPACE_LOG ? WANT_LOG : WANT_ENCODED;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct neural_in *p = n->v;
	(void)e;
	out->data = nn_input(p->pad, p->align, out->data);
	out->display = out->data;
	format_channels(out, p->channels == 1 ? "n0" : "n0 n1 n2");
	return 0;
}

/* Clamped to the window, edge pixels and all. */
static struct rect held(const struct node_ctx *n, struct rect r)
{
	struct rect d = n->in[0]->data, s = rect_and(r, d);
	if (!rect_empty(s)) return s;
	int x = r.x0 < d.x0 ? d.x0 : r.x0 >= d.x1 ? d.x1 - 1 : r.x0,
		y = r.y0 < d.y0 ? d.y0 : r.y0 >= d.y1 ? d.y1 - 1 : r.y0;
	int x1 = r.x1 > d.x1 ? d.x1 : r.x1, y1 = r.y1 > d.y1 ? d.y1 : r.y1;
	return rect_of(x, y, x1 > x ? x1 : x + 1, y1 > y ? y1 : y + 1);
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	need_add(out, 0, frame, rect_empty(r) ? r : held(n, r));
}

static int tile(const struct call *c, struct rect r)
{
	const struct neural_in *p = c->n->v;
	const struct view *in = &c->in[0];
	struct px_rgba ch = px_rgba_of(c->n->in[0]);
	for (int y = r.y0; y < r.y1; y++) {
		int sy = y < in->r.y0 ? in->r.y0 : y >= in->r.y1 ? in->r.y1 - 1 : y;
		for (int x = r.x0; x < r.x1; x++) {
			int sx = x < in->r.x0 ? in->r.x0 : x >= in->r.x1 ? in->r.x1 - 1 : x;
			float v[3];
			px_shown(in, &ch, p->channels, sx, sy, v);
			for (int k = 0; k < p->channels; k++) *view_at(c->out, k, x, y) = v[k];
		}
	}
	return 0;
}

const struct node_type ISA(node_neural_in) = {
	.name = "neural_in", .doc = "Hands a picture to a network: its R, G, B or luma within 0 to 1.",
	.category = "geometry", .version = 1, .size = sizeof(struct neural_in), .params = params, .inputs = "image",
	.flags = NF_HIDDEN, .want_of = want_of, .format = format, .needs = needs, .tile = tile,
};
