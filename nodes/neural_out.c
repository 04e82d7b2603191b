/* neural_out - a network's picture, brought to size, its low frequencies those of
 * the source, mixed with the plain one.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "mathx.h"
#include "node.h"
#include "px_resample.h"
#include "px_unit.h"

struct neural_out {
	const char *model, *sha, *backend, *note; int space, num, den, x0, y0, x1, y1, par_num, par_den;
	double ringing, blend;
};

static const struct param params[] = {
	P_STRING(neural_out, model, "", PF_STATIC | PF_NOKEY, "The .param file, for the intermediate's metadata."),
	P_STRING(neural_out, sha, "", PF_STATIC | PF_NOKEY, "What the model is, for the same."),
	P_STRING(neural_out, backend, "exact", PF_STATIC, "Which kernels."),
	P_STRING(neural_out, note, "", PF_STATIC | PF_NOKEY, "The author's parameters, for the metadata."),
	P_ENUM(neural_out, space, "encoded", "encoded|linear|log", PF_STATIC, "What the network was trained on."),
	P_INT(neural_out, num, 1, 1, 16, "", PF_STATIC, "The network's factor,"),
	P_INT(neural_out, den, 1, 1, 16, "", PF_STATIC, "over this."),
	P_INT(neural_out, x0, 0, -1000000, 1000000, "", PF_STATIC, "Display window of the result."),
	P_INT(neural_out, y0, 0, -1000000, 1000000, "", PF_STATIC, "Its top."),
	P_INT(neural_out, x1, 0, -1000000, 1000000, "", PF_STATIC, "Its end to the right."),
	P_INT(neural_out, y1, 0, -1000000, 1000000, "", PF_STATIC, "Its end below."),
	P_INT(neural_out, par_num, 1, 1, 2147483647, "", PF_STATIC, "Its pixel aspect."),
	P_INT(neural_out, par_den, 1, 1, 2147483647, "", PF_STATIC, "Over this."),
	P_FLOAT(neural_out, ringing, 0.8, 0, 1, "share", "Of the plain resample's overshoot that is taken away."),
	P_FLOAT(neural_out, blend, 1, 0, 1, "mix", "Share of the network's picture."),
	P_END
};

/* net: NULL where the network's size is the result's. */
struct state { struct resample *plain, *net; struct rect window; };

static struct rect times(struct rect r, int num, int den)
{
	return rect_of(r.x0 * num / den, r.y0 * num / den, r.x1 * num / den, r.y1 * num / den);
}

static struct rect dst_of(const struct neural_out *p) { return rect_of(p->x0, p->y0, p->x1, p->y1); }

static int open_tables(struct node_ctx *n, struct err *e)
{
	const struct neural_out *p = n->v;
	const struct format *f = n->in[0];
	struct resample_geom g = { f->display, dst_of(p), rect_or(f->display, f->data), f->data };
	struct state *s = xalloc(1, sizeof *s);
	(void)e;
	n->state = s;
	s->window = resample_window(&g, RS_LANCZOS3);
	s->plain = resample_new(&g, s->window, RS_LANCZOS3, p->ringing);
	struct rect from = times(f->display, p->num, p->den);
	struct resample_geom h = { from, g.dst, rect_or(from, n->in[1]->data), n->in[1]->data };
	if (!rect_eq(from, g.dst)) s->net = resample_new(&h, s->window, RS_LANCZOS3, 0);
	return 0;
}

static void close_tables(struct node_ctx *n)
{
	struct state *s = n->state;
	if (s) resample_free(&s->plain), resample_free(&s->net);
	free(s);
	n->state = NULL;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct neural_out *p = n->v;
	const struct state *s = n->state;
	(void)e;
	out->data = s->window;
	out->display = dst_of(p);
	out->par = (struct rational){ p->par_num, p->par_den };
	return 0;
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	const struct neural_out *p = n->v;
	if (conn > 0) return WANT_ANY;
	return p->space == 1 ? WANT_LINEAR : p->space == 2 ? WANT_LOG : WANT_ENCODED;
}

/* Source position of an output pixel's centre. */
IN_INLINE double source_at(int o, int d0, int d1, int s0, int s1)
{
	return ((double)(o - d0) + 0.5) * (s1 - s0) / (d1 - d0) + s0 - 0.5;
}

/* Source pixels whose low band is wanted for r. */
static struct rect low_rect(const struct node_ctx *n, struct rect r)
{
	const struct neural_out *p = n->v;
	struct rect s = n->in[0]->display;
	return rect_of((int)mx_floor(source_at(r.x0, p->x0, p->x1, s.x0, s.x1)),
	               (int)mx_floor(source_at(r.y0, p->y0, p->y1, s.y0, s.y1)),
	               (int)mx_floor(source_at(r.x1 - 1, p->x0, p->x1, s.x0, s.x1)) + 2,
	               (int)mx_floor(source_at(r.y1 - 1, p->y0, p->y1, s.y0, s.y1)) + 2);
}

static bool locks(const struct node_ctx *n) { return n->nconn > 2 && n->in[2]; }

/* The nearest pixels that exist. */
static struct rect within(struct rect r, struct rect d)
{
	int x = r.x0 < d.x0 ? d.x0 : r.x0 >= d.x1 ? d.x1 - 1 : r.x0,
		y = r.y0 < d.y0 ? d.y0 : r.y0 >= d.y1 ? d.y1 - 1 : r.y0;
	int x1 = r.x1 > d.x1 ? d.x1 : r.x1, y1 = r.y1 > d.y1 ? d.y1 : r.y1;
	return rect_of(x, y, x1 > x ? x1 : x + 1, y1 > y ? y1 : y + 1);
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct state *s = n->state;
	need_add(out, 0, frame, resample_need(s->plain, r));
	need_add(out, 1, frame, s->net ? resample_need(s->net, r) : within(r, n->in[1]->data));
	if (locks(n)) need_add(out, 2, frame, within(low_rect(n, r), n->in[2]->data));
}

/* --- scratch: tables' own, the network's picture at size, what it was shown (in and out) --- */

static size_t up16(size_t n) { return (n + 15) & ~(size_t)15; }
static size_t plane(struct rect r) { return up16((size_t)rect_w(r)) * (size_t)rect_h(r); }

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct state *s = n->state;
	size_t own = resample_scratch(s->plain, r), other = s->net ? resample_scratch(s->net, r) : 0;
	size_t floats = 6 * plane(r) + 3 * plane(resample_need(s->plain, r)) + 3 * up16((size_t)rect_w(r));
	return up16((own > other ? own : other) + 64) + (floats + 64) * sizeof(float);
}

struct bump { float *at; };

static struct view planes(struct bump *b, struct rect r, int n)
{
	struct view v = { .r = r, .stride = (ptrdiff_t)up16((size_t)rect_w(r)), .nch = n };
	for (int k = 0; k < n; k++, b->at += plane(r)) v.plane[k] = b->at;
	return v;
}

/* What the network was shown, resampled as the plain picture is. */
static int shown(const struct call *c, struct rect r, struct bump *b, const struct view *to)
{
	const struct state *s = c->n->state;
	const struct view *in = &c->in[0];
	struct px_rgba ch = px_rgba_of(c->n->in[0]);
	struct view v = planes(b, in->r, to->nch);
	for (int y = in->r.y0; y < in->r.y1; y++)
		for (int x = in->r.x0; x < in->r.x1; x++) {
			float w[3];
			px_shown(in, &ch, to->nch, x, y, w);
			for (int k = 0; k < to->nch; k++) *view_at(&v, k, x, y) = w[k];
		}
	return px_resample(s->plain, &v, to, r, c->scratch, c->cancel);
}

/* Columns of the low band left and right of each output pixel of r, and the share of the right one. */
struct columns { int *left, *right; float *share; };

static struct columns columns(const struct node_ctx *n, struct rect r, const struct view *low, struct bump *b)
{
	const struct neural_out *p = n->v;
	struct rect s = n->in[0]->display;
	size_t w = up16((size_t)rect_w(r));
	struct columns c = { (int *)(void *)b->at, (int *)(void *)(b->at + w), b->at + 2 * w };
	b->at += 3 * w;
	for (int x = r.x0; x < r.x1; x++) {
		double at = source_at(x, p->x0, p->x1, s.x0, s.x1);
		int i = (int)mx_floor(at), last = low->r.x1 - low->r.x0 - 1, a = i - low->r.x0;
		c.left[x - r.x0] = a < 0 ? 0 : a > last ? last : a;
		c.right[x - r.x0] = a + 1 < 0 ? 0 : a + 1 > last ? last : a + 1;
		c.share[x - r.x0] = (float)(at - i);
	}
	return c;
}

/* The low band, bilinear between source pixels, onto a row of differences. */
static void add_low(const struct node_ctx *n, struct rect r, const struct view *low,
                    const struct columns *c, int k, int y, float *IN_RESTRICT d)
{
	const struct neural_out *p = n->v;
	struct rect s = n->in[0]->display;
	double at = source_at(y, p->y0, p->y1, s.y0, s.y1);
	int i = (int)mx_floor(at), last = low->r.y1 - 1;
	float f = (float)(at - i);
	int y0 = i < low->r.y0 ? low->r.y0 : i > last ? last : i,
		y1 = i + 1 < low->r.y0 ? low->r.y0 : i + 1 > last ? last : i + 1;
	const float *a = view_at(low, k, low->r.x0, y0), *b = view_at(low, k, low->r.x0, y1);
	for (int x = 0; x < rect_w(r); x++) {
		int l = c->left[x], q = c->right[x];
		float top = a[l] + (a[q] - a[l]) * c->share[x], bottom = b[l] + (b[q] - b[l]) * c->share[x];
		d[x] += top + (bottom - top) * f;
	}
}

/* What the network made of what it was shown, onto it; the network's picture is held beyond its window. */
static void difference(const struct view *net, int k, struct rect r, int y, float *IN_RESTRICT d)
{
	int row = y < net->r.y0 ? net->r.y0 : y >= net->r.y1 ? net->r.y1 - 1 : y, x0 = net->r.x0,
		last = net->r.x1 - 1;
	const float *a = view_at(net, k, x0, row);
	if (r.x0 >= x0 && r.x1 <= net->r.x1)
		for (int x = 0; x < rect_w(r); x++) d[x] = a[r.x0 - x0 + x] - d[x];
	else
		for (int x = r.x0; x < r.x1; x++) d[x - r.x0] = a[(x < x0 ? x0 : x > last ? last : x) - x0] - d[x - r.x0];
}

/* The differences are added to the plain picture, which has what the network was not shown. */
static void mix(const struct call *c, struct rect r, const struct view *was)
{
	const struct neural_out *p = c->n->v;
	struct px_rgba ch = px_rgba_of(c->n->out);
	float share = (float)p->blend;
	for (int y = r.y0; y < r.y1; y++)
		for (int k = 0; k < 3; k++) {
			float *o = view_at(c->out, ch.c[k], r.x0, y);
			const float *d = view_at(was, was->nch == 1 ? 0 : k, r.x0, y);
			const float *a = ch.a < 0 ? NULL : view_at(c->out, ch.a, r.x0, y);
			if (a) for (int x = 0; x < rect_w(r); x++) o[x] = o[x] + d[x] * (share * a[x]);
			else for (int x = 0; x < rect_w(r); x++) o[x] = o[x] + d[x] * share;
		}
}

static int tile(const struct call *c, struct rect r)
{
	const struct state *s = c->n->state;
	size_t head = resample_scratch(s->plain, r), other = s->net ? resample_scratch(s->net, r) : 0;
	struct bump b = { (float *)(void *)((char *)c->scratch + up16((head > other ? head : other) + 64)) };
	struct view was = planes(&b, r, c->in[1].nch), net = c->in[1];
	if (px_resample(s->plain, &c->in[0], c->out, r, c->scratch, c->cancel) < 0 ||
	    shown(c, r, &b, &was) < 0)
		return -1;
	if (s->net) {
		net = planes(&b, r, c->in[1].nch);
		if (px_resample(s->net, &c->in[1], &net, r, c->scratch, c->cancel) < 0) return -1;
	}
	struct columns col = { NULL, NULL, NULL };
	if (locks(c->n)) col = columns(c->n, r, &c->in[2], &b);
	for (int k = 0; k < was.nch; k++)
		for (int y = r.y0; y < r.y1; y++) {
			difference(&net, k, r, y, view_at(&was, k, r.x0, y));
			if (col.left) add_low(c->n, r, &c->in[2], &col, k, y, view_at(&was, k, r.x0, y));
		}
	mix(c, r, &was);
	return 0;
}

static double flops(const struct node_ctx *n)
{
	const struct state *s = n->state;
	return s ? 4.0 * (s->plain->x.taps + s->plain->y.taps + 8) + 60 : 120;
}

const struct node_type ISA(node_neural_out) = {
	.name = "neural_out", .doc = "A network's picture, brought to size, its low frequencies those "
	        "of the source.",
	.category = "geometry", .version = 1, .size = sizeof(struct neural_out), .params = params,
	.inputs = "image net low?", .flags = NF_HIDDEN, .traits = TR_AI, .want_of = want_of, .open = open_tables,
	.close = close_tables, .format = format, .needs = needs, .scratch = scratch, .flops = flops, .tile = tile,
};
