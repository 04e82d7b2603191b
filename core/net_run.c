/* net_run - the protocol of one node call: which planes it sees, alpha, mask, scratch.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "net.h"

#include <limits.h>
#include <string.h>

static const atomic_int never;      /* the cancel flag of callers that have none */
static const char *const rgb_names[3] = { "R", "G", "B" };

/* The served mask's connection, or -1. */
static int mask_conn(const struct net_node *nn)
{
	if (!(nn->type->flags & NF_MASKED)) return -1;
	for (int i = 0; i < nn->nconn; i++)
		if (nn->conn[i] && strcmp(nn->slot[nn->conn_slot[i]].name, "mask") == 0) return i;
	return -1;
}

static bool wants_input(const struct net_node *nn)
{
	if (!nn->nconn || !nn->conn[0]) return false;
	return (nn->type->flags & NF_RGB) || ((nn->type->flags & NF_MASKED) &&
	       (mask_conn(nn) >= 0 || nn->common.mix != 1.0 || nn->animated));
}

static void clip_needs(const struct net_node *nn, struct needs *out)
{
	for (int i = 0; i < out->n; i++) {
		struct need *d = &out->v[i];
		const struct net_node *src = nn->conn[d->conn];
		if (!src) { d->rect = rect_of(0, 0, 0, 0); continue; }
		d->rect = rect_and(d->rect, src->fmt.data);
		if (d->frame < src->fmt.first) d->frame = src->fmt.first;
		if (d->frame > src->fmt.last) d->frame = src->fmt.last;
	}
}

void net_needs(const struct net_node *nn, const struct node_ctx *c, int frame, struct rect r,
               struct needs *out)
{
	int mask = mask_conn(nn);
	out->n = out->ncore = 0;
	if (nn->type->needs) nn->type->needs(c, frame, r, out);
	else
		for (int i = 0; i < nn->nconn; i++)
			if (i != mask && !slot_measured(nn->slot[nn->conn_slot[i]].name)) need_add(out, i, frame, r);
	if (wants_input(nn)) { need_add(out, 0, frame, r); out->ncore++; }
	if (mask >= 0) { need_add(out, mask, frame, r); out->ncore++; }
	clip_needs(nn, out);
}

bool net_identity(const struct net_node *nn, const struct node_ctx *c)
{
	if (!nn->nconn || !nn->conn[0]) return false;
	/* at mix 0 a masked node is its input, whatever its format did not change */
	return nn->type->identity && nn->type->identity(c);
}

bool net_passes(const struct net_node *nn, const struct node_ctx *c)
{
	if (net_identity(nn, c)) return true;
	if (!nn->nconn || !nn->conn[0] || !nn->type->relabel || !nn->type->relabel(c)) return false;
	const struct format *a = &nn->fmt, *b = &nn->conn[0]->fmt;
	bool same = a->nch == b->nch && rect_eq(a->data, b->data);
	for (int i = 0; same && i < a->nch; i++) same = a->ch[i] == b->ch[i];
	return same && mask_conn(nn) < 0;
}

static size_t align64(size_t n) { return (n + 63) & ~(size_t)63; }

/* Does need i of an NF_RGB call want unpremultiplied copies? */
static bool needs_unpremult(const struct net_node *nn, const struct needs *nd, int i)
{
	if ((nn->type->flags & (NF_RGB | NF_PREMULT)) != NF_RGB || i >= nd->n - nd->ncore) return false;
	int conn = nd->v[i].conn;
	return nn->conn[conn] && nn->slot[nn->conn_slot[conn]].image &&
	       format_channel(&nn->conn[conn]->fmt, "A") >= 0 && !rect_empty(nd->v[i].rect);
}

size_t net_scratch(const struct net_node *nn, const struct node_ctx *c, struct rect r)
{
	size_t bytes = nn->type->scratch ? align64(nn->type->scratch(c, r)) : 0;
	if ((nn->type->flags & (NF_RGB | NF_PREMULT)) == NF_RGB) {
		struct needs nd;
		net_needs(nn, c, 0, r, &nd);
		for (int i = 0; i < nd.n; i++)
			if (needs_unpremult(nn, &nd, i)) bytes += 3 * align64(rect_area(nd.v[i].rect) * sizeof(float));
	}
	return bytes + 64;
}

static void unpremult(const struct view *in, const int rgb[3], int alpha, struct view *out, char **mem)
{
	int w = rect_w(in->r), h = rect_h(in->r);
	out->r = in->r;
	out->stride = w;
	out->nch = 3;
	for (int c = 0; c < 3; c++) {
		out->plane[c] = (float *)(void *)*mem;
		*mem += align64((size_t)w * (size_t)h * sizeof(float));
		for (int y = 0; y < h; y++) {
			const float *s = in->plane[rgb[c]] + y * in->stride, *a = in->plane[alpha] + y * in->stride;
			float *d = out->plane[c] + (ptrdiff_t)y * w;
			for (int x = 0; x < w; x++) d[x] = a[x] != 0 ? s[x] / a[x] : s[x];
		}
	}
}

static bool rgb_index(const struct format *f, int rgb[3])
{
	for (int c = 0; c < 3; c++)
		if ((rgb[c] = format_channel(f, rgb_names[c])) < 0) return false;
	return true;
}

/* Copies channels other than R,G,B from the input and premultiplies the result by the input's alpha. */
static void finish_rgb(const struct net_node *nn, const struct view *in0, const struct view *out,
                       const int rgb[3])
{
	int alpha = format_channel(&nn->conn[0]->fmt, "A");
	bool premult = alpha >= 0 && !(nn->type->flags & NF_PREMULT);
	struct rect r = rect_and(out->r, in0->r);
	for (int c = 0; c < out->nch; c++) {
		bool colour = c == rgb[0] || c == rgb[1] || c == rgb[2];
		int from = format_channel(&nn->conn[0]->fmt, nn->fmt.ch[c]);
		for (int y = r.y0; y < r.y1; y++) {
			size_t n = (size_t)rect_w(r);
			float *d = view_at(out, c, r.x0, y);
			if (!colour) {
				if (from >= 0) memcpy(d, view_at(in0, from, r.x0, y), n * sizeof(float));
				else memset(d, 0, n * sizeof(float));
			} else if (premult) {
				const float *a = view_at(in0, alpha, r.x0, y);
				for (size_t x = 0; x < n; x++) d[x] = a[x] != 0 ? d[x] * a[x] : d[x];
			}
		}
	}
}

/* out = in + (out - in) * mask * mix; outside the mask's window the mask is 0. */
static void apply_mask(const struct net_node *nn, const struct node_common *cm, const struct view *in0,
                       const struct view *mask, int mconn, const struct view *out)
{
	int mch = 0;
	if (mask) {
		const struct format *mf = &nn->conn[mconn]->fmt;
		int named = format_channel(mf, "mask"), a = format_channel(mf, "A");
		mch = named >= 0 ? named : a >= 0 ? a : 0;
	}
	float mix = (float)cm->mix;
	for (int c = 0; c < out->nch; c++) {
		int from = format_channel(&nn->conn[0]->fmt, nn->fmt.ch[c]);
		for (int y = out->r.y0; y < out->r.y1; y++)
			for (int x = out->r.x0; x < out->r.x1; x++) {
				bool inside = x >= in0->r.x0 && x < in0->r.x1 && y >= in0->r.y0 && y < in0->r.y1;
				float s = inside && from >= 0 ? *view_at(in0, from, x, y) : 0.0f, m = mix;
				if (mask) {
					bool hit = x >= mask->r.x0 && x < mask->r.x1 && y >= mask->r.y0 && y < mask->r.y1;
					float v = hit ? *view_at(mask, mch, x, y) : 0.0f;
					v = v < 0 ? 0 : v > 1 ? 1 : v;
					m *= cm->mask_invert ? 1 - v : v;
				}
				float *d = view_at(out, c, x, y);
				*d = m == 0 ? s : m == 1 ? *d : s + (*d - s) * m;
			}
	}
}

static void pick_rgb(const struct view *in, const int rgb[3], struct view *out)
{
	*out = *in;
	out->nch = 3;
	for (int k = 0; k < 3; k++) out->plane[k] = in->plane[rgb[k]];
}

/* The views that an NF_RGB type sees: R,G,B of image inputs, all of others. */
static void rgb_views(const struct net_node *nn, const struct needs *nd, const struct view *in,
                      struct view *seen, char *mem)
{
	for (int i = 0; i < nd->n - nd->ncore; i++) {
		int conn = nd->v[i].conn, rgb[3];
		seen[i] = in[i];
		if (!nn->conn[conn] || !nn->slot[nn->conn_slot[conn]].image || rect_empty(in[i].r)) continue;
		if (!rgb_index(&nn->conn[conn]->fmt, rgb)) continue;
		if (needs_unpremult(nn, nd, i))
			unpremult(&in[i], rgb, format_channel(&nn->conn[conn]->fmt, "A"), &seen[i], &mem);
		else pick_rgb(&in[i], rgb, &seen[i]);
	}
}

static int call_type(const struct net_node *nn, const struct call *c)
{
	const struct node_type *t = nn->type;
	if (t->tile) return t->tile(c, c->out->r);
	return t->frame(c);
}

bool net_alone(const struct net_node *nn)
{
	int rgb[3];
	if (nn->type->flags & NF_MASKED && (mask_conn(nn) >= 0 || nn->common.mix != 1.0 || nn->animated)) return false;
	return !(nn->type->flags & NF_RGB) || (nn->fmt.nch == 3 && rgb_index(&nn->fmt, rgb) && nn->nconn && nn->conn[0] &&
	                                       format_channel(&nn->conn[0]->fmt, "A") < 0);
}

bool net_in_place(const struct net_node *nn, const struct node_ctx *c, int conn)
{
	const struct format *f = &nn->fmt, *g = nn->conn[conn] ? &nn->conn[conn]->fmt : NULL;
	bool same = g && g->nch == f->nch && nn->slot[nn->conn_slot[conn]].image && !nn->slot[nn->conn_slot[conn]].apart;
	for (int i = 0; same && i < f->nch; i++) same = f->ch[i] == g->ch[i];
	return same && nn->type->in_place && net_alone(nn) && nn->type->in_place(c);
}

static int run(const struct net_node *nn, const struct node_ctx *c, const struct node_common *common, int frame,
               const struct needs *nd, const struct view *in, const struct view *out, void *scratch, bool past,
               const atomic_int *cancel, struct err *e)
{
	const struct node_type *t = nn->type;
	bool numbered = (t->flags & NF_TIME) || (t->traits & TR_SOURCE);
	struct view seen[NODE_MAX_NEEDS], rgb_out;
	int rgb[3];
	struct call call = { .n = c, .frame = numbered ? frame : 0, .nin = nd->n - nd->ncore, .need = nd->v,
		.in = in, .out = out, .scratch = scratch, .run = past ? scratch : NULL,
		.cancel = cancel ? cancel : &never, .err = e };
	bool colour = (t->flags & NF_RGB) && rgb_index(&nn->fmt, rgb);
	if (colour) {
		size_t own = t->scratch ? align64(t->scratch(c, out->r)) : 0;
		rgb_views(nn, nd, in, seen, (char *)scratch + own);
		pick_rgb(out, rgb, &rgb_out);
		call.in = seen;
		call.out = &rgb_out;
	}
	if (call_type(nn, &call) < 0) return -1;
	const struct view *core = in + (nd->n - nd->ncore);
	if (colour && wants_input(nn)) finish_rgb(nn, core, out, rgb);
	if ((t->flags & NF_MASKED) && wants_input(nn)) {
		int mask = mask_conn(nn);
		if (mask >= 0 || common->mix != 1.0)
			apply_mask(nn, common, core, mask >= 0 ? core + 1 : NULL, mask, out);
	}
	return 0;
}

int net_run(const struct net_node *nn, const struct node_ctx *c, const struct node_common *common, int frame,
            const struct needs *nd, const struct view *in, const struct view *out, void *scratch,
            const atomic_int *cancel, struct err *e)
{ return run(nn, c, common, frame, nd, in, out, scratch, false, cancel, e); }

int net_run_past(const struct net_node *nn, const struct node_ctx *c, const struct node_common *common, int frame,
                 const struct needs *nd, const struct view *in, const struct view *out, void *scratch,
                 const atomic_int *cancel, struct err *e)
{ return run(nn, c, common, frame, nd, in, out, scratch, true, cancel, e); }

static struct call sink_protocol(const struct sink_call *s, const struct needs *nd,
                                 const struct view *in, struct err *e)
{
	struct call call = { .n = s->c, .frame = s->frame, .nin = nd ? nd->n - nd->ncore : 0,
		.need = nd ? nd->v : NULL, .in = in,
		.scratch = s->scratch, .run = s->run, .packed = s->packed, .coded = s->coded,
		.worker = s->worker, .root = s->root, .hash = s->hash,
		.cancel = s->cancel ? s->cancel : &never, .err = e };
	return call;
}

int net_pack(const struct net_node *nn, const struct sink_call *s, const struct needs *nd,
             const struct view *in, struct err *e)
{
	struct call c = sink_protocol(s, nd, in, e);
	return nn->type->pack(&c);
}

int net_code(const struct net_node *nn, const struct sink_call *s, struct err *e)
{
	struct call c = sink_protocol(s, NULL, NULL, e);
	return nn->type->code(&c);
}

int net_put(const struct net_node *nn, const struct sink_call *s, const struct needs *nd,
            const struct view *in, struct err *e)
{
	struct call c = sink_protocol(s, nd, in, e);
	return nn->type->frame(&c);
}
