/* neural_out - a network's picture, brought to size, its low frequencies those of the source, mixed with the plain one.
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
	P_INT(neural_out, y0, 0, -1000000, 1000000, "", PF_STATIC, ""),
	P_INT(neural_out, x1, 0, -1000000, 1000000, "", PF_STATIC, ""),
	P_INT(neural_out, y1, 0, -1000000, 1000000, "", PF_STATIC, ""),
	P_INT(neural_out, par_num, 1, 1, 2147483647, "", PF_STATIC, "Its pixel aspect."),
	P_INT(neural_out, par_den, 1, 1, 2147483647, "", PF_STATIC, ""),
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
	int x = r.x0 < d.x0 ? d.x0 : r.x0 >= d.x1 ? d.x1 - 1 : r.x0, y = r.y0 < d.y0 ? d.y0 : r.y0 >= d.y1 ? d.y1 - 1 : r.y0;
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
	size_t floats = 6 * plane(r) + 3 * plane(resample_need(s->plain, r));
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

static float near_at(const struct view *in, int k, int x, int y)
{
	x = x < in->r.x0 ? in->r.x0 : x >= in->r.x1 ? in->r.x1 - 1 : x;
	y = y < in->r.y0 ? in->r.y0 : y >= in->r.y1 ? in->r.y1 - 1 : y;
	return *view_at(in, k, x, y);
}

/* Bilinear between source pixels. */
static float low_between(const struct view *low, int k, double sx, double sy)
{
	int x = (int)mx_floor(sx), y = (int)mx_floor(sy);
	float fx = (float)(sx - x), fy = (float)(sy - y);
	float a = near_at(low, k, x, y), b = near_at(low, k, x + 1, y);
	float c = near_at(low, k, x, y + 1), d = near_at(low, k, x + 1, y + 1);
	float top = a + (b - a) * fx, bottom = c + (d - c) * fx;
	return top + (bottom - top) * fy;
}

/* What the network made of what it was shown is added to the plain picture, which has what it was not. */
static void mix(const struct call *c, struct rect r, const struct view *net, const struct view *low, const struct view *was)
{
	const struct neural_out *p = c->n->v;
	struct rect s = c->n->in[0]->display;
	struct px_rgba ch = px_rgba_of(c->n->out);
	for (int y = r.y0; y < r.y1; y++) {
		double sy = source_at(y, p->y0, p->y1, s.y0, s.y1);
		for (int x = r.x0; x < r.x1; x++) {
			double sx = source_at(x, p->x0, p->x1, s.x0, s.x1);
			float a = ch.a < 0 ? 1.0f : *view_at(c->out, ch.a, x, y), share = (float)p->blend * a, d[3];
			for (int k = 0; k < net->nch; k++) {
				d[k] = near_at(net, k, x, y) - *view_at(was, k, x, y);
				if (low) d[k] += low_between(low, k, sx, sy);
			}
			for (int k = 0; k < 3; k++) {
				float *o = view_at(c->out, ch.c[k], x, y);
				*o = *o + d[net->nch == 1 ? 0 : k] * share;
			}
		}
	}
}

static int tile(const struct call *c, struct rect r)
{
	const struct state *s = c->n->state;
	size_t head = resample_scratch(s->plain, r), other = s->net ? resample_scratch(s->net, r) : 0;
	struct bump b = { (float *)(void *)((char *)c->scratch + up16((head > other ? head : other) + 64)) };
	struct view was = planes(&b, r, c->in[1].nch), net = c->in[1];
	if (px_resample(s->plain, &c->in[0], c->out, r, c->scratch, c->cancel) < 0 || shown(c, r, &b, &was) < 0) return -1;
	if (s->net) {
		net = planes(&b, r, c->in[1].nch);
		if (px_resample(s->net, &c->in[1], &net, r, c->scratch, c->cancel) < 0) return -1;
	}
	mix(c, r, &net, locks(c->n) ? &c->in[2] : NULL, &was);
	return 0;
}

static double flops(const struct node_ctx *n)
{
	const struct state *s = n->state;
	return s ? 4.0 * (s->plain->x.taps + s->plain->y.taps + 8) + 60 : 120;
}

const struct node_type ISA(node_neural_out) = {
	.name = "neural_out", .doc = "A network's picture, brought to size, its low frequencies those of the source.",
	.category = "geometry", .version = 1, .size = sizeof(struct neural_out), .params = params,
	.inputs = "image net low?", .flags = NF_HIDDEN, .traits = TR_AI | TR_UPSCALE, .want_of = want_of, .open = open_tables,
	.close = close_tables, .format = format, .needs = needs, .scratch = scratch, .flops = flops, .tile = tile,
};
