/* neural_matte - a network's one channel as the picture's alpha, or beside it as a mask.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "node.h"
#include "px_unit.h"

struct neural_matte { const char *model, *sha, *backend, *note; int to; double blend; };

enum { TO_ALPHA, TO_MASK };

static const struct param params[] = {
	P_STRING(neural_matte, model, "", PF_STATIC | PF_NOKEY, "The model file, for the intermediate's metadata."),
	P_STRING(neural_matte, sha, "", PF_STATIC | PF_NOKEY, "What the model is, for the same."),
	P_STRING(neural_matte, backend, "exact", PF_STATIC, "Which kernels."),
	P_STRING(neural_matte, note, "", PF_STATIC | PF_NOKEY, "The author's parameters, for the metadata."),
	P_ENUM(neural_matte, to, "alpha", "alpha|mask", PF_STATIC, "Where the matte goes."),
	P_FLOAT(neural_matte, blend, 1, 0, 1, "mix", "The matte's share; the rest is 1."),
	P_END
};

/* Adds a channel unless it is there. */
static int add_channel(struct format *f, const char *name, struct err *e)
{
	if (format_channel(f, name) >= 0) return 0;
	if (f->nch >= IN_MAX_CH)
		return err_set(e, E_SCENE, "no room for a channel %s beside %d others", name, f->nch);
	f->ch[f->nch++] = intern(name);
	return 0;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct neural_matte *p = n->v;
	return add_channel(out, p->to == TO_MASK ? "mask" : "A", e);
}

/* The nearest pixels of d. */
static struct rect within(struct rect r, struct rect d)
{
	int x = r.x0 < d.x0 ? d.x0 : r.x0 >= d.x1 ? d.x1 - 1 : r.x0,
		y = r.y0 < d.y0 ? d.y0 : r.y0 >= d.y1 ? d.y1 - 1 : r.y0;
	int x1 = r.x1 > d.x1 ? d.x1 : r.x1, y1 = r.y1 > d.y1 ? d.y1 : r.y1;
	return rect_of(x, y, x1 > x ? x1 : x + 1, y1 > y ? y1 : y + 1);
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	need_add(out, 0, frame, r);
	need_add(out, 1, frame, rect_empty(r) ? r : within(r, n->in[1]->data));
}

/* A row of the matte; the network's window is held beyond its edges. */
static void matte_row(const struct view *net, struct rect r, int y, float share, float *IN_RESTRICT m)
{
	int row = y < net->r.y0 ? net->r.y0 : y >= net->r.y1 ? net->r.y1 - 1 : y;
	const float *a = view_at(net, 0, net->r.x0, row);
	for (int x = r.x0; x < r.x1; x++) {
		int at = x < net->r.x0 ? net->r.x0 : x >= net->r.x1 ? net->r.x1 - 1 : x;
		m[x - r.x0] = 1.0f + (px_unit(a[at - net->r.x0]) - 1.0f) * share;
	}
}

static int tile(const struct call *c, struct rect r)
{
	const struct neural_matte *p = c->n->v;
	const struct format *f = c->n->out;
	struct px_rgba ch = px_rgba_of(f);
	int mask = format_channel(f, "mask");
	float *m = c->scratch;
	size_t w = (size_t)rect_w(r);
	for (int y = r.y0; y < r.y1; y++) {
		matte_row(&c->in[1], r, y, (float)p->blend, m);
		for (int k = 0; k < f->nch; k++) {
			int from = format_channel(c->n->in[0], f->ch[k]);
			bool scaled = p->to == TO_ALPHA && (k == ch.c[0] || k == ch.c[1] || k == ch.c[2] || k == ch.a);
			float *o = view_at(c->out, k, r.x0, y);
			const float *s = from < 0 ? NULL : view_at(&c->in[0], from, r.x0, y);
			if (p->to == TO_MASK && k == mask) memcpy(o, m, w * sizeof *o);
			else if (!s) memcpy(o, m, w * sizeof *o);         /* an alpha that was not there: 1 */
			else if (!scaled) memcpy(o, s, w * sizeof *o);
			else for (size_t x = 0; x < w; x++) o[x] = s[x] * m[x];
		}
	}
	return 0;
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	(void)n;
	return ((size_t)rect_w(r) + 16) * sizeof(float);
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	(void)n;
	(void)conn;
	return WANT_ANY;
}

const struct node_type ISA(node_neural_matte) = {
	.name = "neural_matte", .doc = "A network's one channel as the picture's alpha, or beside it as a mask.",
	.category = "image", .version = 1, .size = sizeof(struct neural_matte), .params = params,
		.inputs = "image net",
	.flags = NF_HIDDEN, .traits = TR_AI, .want_of = want_of, .format = format, .needs = needs,
		.scratch = scratch,
	.tile = tile,
};
