/* verb_bake_run - a run of point nodes taken out of its net and applied to single
 * colours, by the nodes' own protocol.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "px_colour.h"
#include "verb_bake.h"

static bool same_elem(const struct net_node *a, const struct net_node *b)
{ return a->elem == b->elem && a->inst == b->inst; }

/* Why a node is no function of a colour; NULL when nothing is known against it. */
static const char *why_not(const struct net_node *nn)
{
	static const struct { unsigned traits; const char *why; } reason[] = {
		{ TR_SOURCE, "makes pictures of its own" }, { TR_AI | TR_UPSCALE, "is a neural process" },
			{ TR_BLUR, "blurs" },
		{ TR_GRAIN, "adds grain" }, { TR_RESIZE | TR_GEOMETRY, "moves pixels" }, { TR_RETIME, "changes time" },
		{ TR_DISSOLVE, "mixes pictures" }, { TR_CLEANUP, "looks at neighbours" },
	};
	for (size_t i = 0; i < IN_COUNT(reason); i++)
		if (nn->type->traits & reason[i].traits) return reason[i].why;
	if (nn->type->flags & NF_SINK) return "is an output; name the node before it";
	if (nn->type->flags & NF_TIME) return "changes from frame to frame";
	if (!nn->type->tile) return "works on whole frames";
	if (format_channel(&nn->fmt, "R") < 0 || format_channel(&nn->fmt, "G") < 0 || format_channel(&nn->fmt,
		"B") < 0)
		return "gives no R, G and B";
	return NULL;
}

/* Asks the node itself: a pixel may need that pixel alone, of that frame. */
static const char *reads_elsewhere(const struct look *l, const struct look_step *s)
{
	struct rect r = rect_of(s->out.r.x0, s->out.r.y0, s->out.r.x0 + 1, s->out.r.y0 + 1);
	net_needs(s->nn, &s->c, l->frame, r, s->nd);
	for (int i = 0; i < s->nd->n; i++) {
		const struct need *d = &s->nd->v[i];
		if (!rect_empty(d->rect) && memcmp(&d->rect, &r, sizeof r) != 0) return "looks at neighbours";
		if (d->frame != l->frame) return "looks at other frames";
	}
	return NULL;
}

static int refuse(const struct net_node *nn, const char *why, struct err *e)
{
	return err_set(e, E_SCENE, "%s:%d: <%s id=\"%s\"> %s: no table of colours can hold that", nn->scene->file,
		nn->elem->line,
	               nn->elem->type ? nn->elem->type->name : nn->type->name, nn->id, why);
}

/* Is connection i read when nn renders? (What match is measured against is not.) */
static bool is_read(const struct net_node *nn, int i)
{
	struct needs nd;
	const struct rect d = nn->fmt.data;
	net_needs(nn, &nn->ctx, nn->fmt.first, rect_of(d.x0, d.y0, d.x0 + 1, d.y0 + 1), &nd);
	for (int k = 0; k < nd.n; k++)
		if (nd.v[k].conn == i) return true;
	return false;
}

/* Walks up from nn; inside[i]: below or at the first node. Everything read from
 * elsewhere must be one picture. */
static int gather(struct look *l, struct net_node *nn, const bool *inside, bool *taken, struct err *e)
{
	if (taken[nn->index]) return 0;
	taken[nn->index] = true;
	const char *why = why_not(nn);
	if (why) return refuse(nn, why, e);
	if (!nn->nconn || !nn->conn[0]) return refuse(nn, "has no picture to work on", e);
	for (int i = 0; i < nn->nconn; i++) {
		struct net_node *up = nn->conn[i];
		if (!up || !is_read(nn, i)) continue;
		if (!nn->slot[nn->conn_slot[i]].image) return refuse(nn, "has a mask", e);
		if (inside[up->index]) {
			if (gather(l, up, inside, taken, e) < 0) return -1;
		} else if (l->in && l->in != up) return refuse(nn, "takes a second picture", e);
		else l->in = up;
	}
	return 0;
}

static int open_step(struct look *l, struct look_step *s, struct err *e)
{
	const struct rect d = s->nn->fmt.data;
	size_t w = LOOK_ROW, nch = (size_t)s->nn->fmt.nch;
	s->mem = xalloc(w * nch, sizeof *s->mem);
	s->out = (struct view){ .r = rect_of(d.x0, d.y0, d.x0 + 1, d.y0 + 1), .stride = LOOK_ROW, .nch = (int)nch };
	for (size_t c = 0; c < nch; c++) s->out.plane[c] = s->mem + c * w;
	if (rect_w(d) < l->w) l->w = rect_w(d);
	if (s->nn == l->in) return 0;
	s->nd = xalloc(1, sizeof *s->nd);
	if (net_ctx_at(l->net, s->nn, l->frame, &s->c, &s->common, e) < 0) return -1;
	s->open = true;
	s->same = net_identity(s->nn, &s->c);
	if (s->nn->animated) l->animated = true;
	const char *why = reads_elsewhere(l, s);
	return why ? refuse(s->nn, why, e) : 0;
}

static int pick_frame(struct look *l, const struct cli *c, struct err *e)
{
	const struct format *f = &l->last->fmt;
	struct frame_list list;
	int last = f->last == INT_MAX ? f->first + 99 : f->last;
	l->frame = f->first + (last - f->first) / 2;
	if (!c->frames) return 0;
	if (frames_parse(c->frames, f->first, f->last, &list, e) < 0) return -1;
	l->frame = list.v[0];
	free(list.v);
	return 0;
}

/* The value of a colour may not depend on where it stands: what nodes do not declare (vignettes,
 * patterns), shows. The places are no mirror images of each other. */
static int stays_put(struct look *l, struct err *e)
{
	enum { N = 64, PLACES = 3 };
	float p[PLACES][3][N];
	const struct rect d = l->in->fmt.data;
	int w = rect_w(d), h = rect_h(d), m = l->w < N ? l->w : N;
	const int at[PLACES][2] = { { 0, 0 }, { (w - m) / 3, h * 2 / 5 }, { w - m, h - 1 } };
	for (int k = 0; k < PLACES; k++) {
		for (int i = 0; i < N; i++) {
			p[k][0][i] = (float)(i % 4) * 0.3f;
			p[k][1][i] = (float)(i / 4 % 4) * 0.3f;
			p[k][2][i] = (float)(i / 16) * 0.3f;
		}
		for (int i = 0; i < l->nstep; i++) {
			l->step[i].out.r.x0 = d.x0 + at[k][0];
			l->step[i].out.r.y0 = d.y0 + at[k][1];
		}
		if (look_run(l, p[k][0], p[k][1], p[k][2], N, e) < 0) return -1;
		if (memcmp(p[0], p[k], sizeof p[0]) != 0)
			return refuse(l->last, "(or one before it) gives a colour by its place in the picture", e);
	}
	for (int i = 0; i < l->nstep; i++) {
		l->step[i].out.r.x0 = d.x0;
		l->step[i].out.r.y0 = d.y0;
	}
	return 0;
}

int look_open(struct look *l, struct session *s, const char *first, const char *last, struct err *e)
{
	struct net_node *a = session_find(s, first, e), *b = a ? session_find(s, last, e) : NULL;
	*l = (struct look){ .net = s->net, .last = b, .w = LOOK_ROW };
	if (!b) return -1;
	size_t n = (size_t)s->net->nnode;
	bool *inside = xalloc(n, sizeof *inside), *taken = xalloc(n, sizeof *taken);
	int rc = -1;
	for (size_t i = 0; i < n; i++) {
		struct net_node *nn = s->net->node[i];
		inside[i] = same_elem(nn, a);
		for (int k = 0; k < nn->nconn; k++)
			if (nn->conn[k] && inside[nn->conn[k]->index]) inside[i] = true;
	}
	if (!inside[b->index]) { err_set(e, E_USAGE, "'%s' does not lie above '%s'", first, last); goto out; }
	if (gather(l, b, inside, taken, e) < 0) goto out;
	if (pick_frame(l, s->c, e) < 0) goto out;
	l->step = xalloc(n + 1, sizeof *l->step);
	l->views = xalloc(NODE_MAX_NEEDS, sizeof *l->views);
	l->step[l->nstep++].nn = l->in;
	for (size_t i = 0; i < n; i++)
		if (taken[i]) l->step[l->nstep++].nn = s->net->node[i];
	rc = 0;
	for (int i = 0; i < l->nstep && rc == 0; i++) {
		if (i && node_is_unsolved(l->step[i].nn)) {
			rc = err_set(e, E_SCENE, "'%s' is not solved: interneg solve %s %s --apply", l->step[i].nn->id, s->file,
				l->step[i].nn->id);
			break;
		}
		rc = open_step(l, &l->step[i], e);
	}
	if (rc == 0) {
		colour_xform_init(&l->to, l->in->fmt.space, l->in->fmt.space);
		colour_xform_init(&l->from, b->fmt.space, b->fmt.space);
		rc = stays_put(l, e);
	}
out:
	free(inside);
	free(taken);
	return rc;
}

void look_close(struct look *l)
{
	for (int i = 0; i < l->nstep; i++) {
		struct look_step *s = &l->step[i];
		if (s->open) net_ctx_free(s->nn, &s->c);
		free(s->mem);
		free(s->nd);
	}
	free(l->step);
	free(l->views);
	*l = (struct look){ 0 };
}

void look_spaces(struct look *l, int in, int out)
{
	colour_xform_init(&l->to, in, l->in->fmt.space);
	colour_xform_init(&l->from, l->last->fmt.space, out);
}

static const struct view *result_of(const struct look *l, const struct net_node *nn)
{
	for (int i = 0; i < l->nstep; i++)
		if (l->step[i].nn == nn) return &l->step[i].out;
	return NULL;
}

static int run_step(struct look *l, struct look_step *s, struct err *e)
{
	struct rect r = s->out.r;
	net_needs(s->nn, &s->c, l->frame, r, s->nd);
	for (int i = 0; i < s->nd->n; i++) {
		const struct net_node *src = s->nn->conn[s->nd->v[i].conn];
		const struct view *v = src ? result_of(l, src) : NULL;
		l->views[i] = v ? *v : (struct view){ .r = rect_of(0, 0, 0, 0) };
	}
	if (s->same) {
		const struct view *v = result_of(l, s->nn->conn[0]);
		for (int c = 0; c < s->out.nch && c < v->nch; c++) memcpy(s->out.plane[c], v->plane[c],
			(size_t)rect_w(r) * sizeof(float));
		return 0;
	}
	void *scratch = aligned_alloc(64, (net_scratch(s->nn, &s->c, r) + 63) & ~(size_t)63);
	if (!scratch) return err_set(e, E_MEMORY, "'%s': no memory", s->nn->id);
	int rc = net_run(s->nn, &s->c, &s->common, l->frame, s->nd, l->views, &s->out, scratch, NULL, e);
	free(scratch);
	view_canon_nan(&s->out, r);
	return rc < 0 ? err_in(e, "node '%s' frame %d", s->nn->id, l->frame) : 0;
}

/* One row of at most l->w colours. */
static int run_row(struct look *l, float *const p[3], int n, struct err *e)
{
	static const char *const names[3] = { "R", "G", "B" };
	const struct format *in = &l->in->fmt, *out = &l->last->fmt;
	const struct view *got = result_of(l, l->last), *put = &l->step[0].out;
	for (int i = 0; i < l->nstep; i++) {
		struct rect *r = &l->step[i].out.r;
		*r = rect_of(r->x0, r->y0, r->x0 + n, r->y0 + 1);
	}
	int alpha = format_channel(in, "A");
	for (int c = 0; c < in->nch; c++)
		for (int i = 0; i < n; i++) put->plane[c][i] = c == alpha ? 1.0f : 0.0f;
	colour_row(&l->to, p[0], p[1], p[2], n);
	for (int k = 0; k < 3; k++) memcpy(put->plane[format_channel(in, names[k])], p[k],
		(size_t)n * sizeof(float));
	for (int i = 1; i < l->nstep; i++)
		if (run_step(l, &l->step[i], e) < 0) return -1;
	for (int k = 0; k < 3; k++) memcpy(p[k], got->plane[format_channel(out, names[k])],
		(size_t)n * sizeof(float));
	colour_row(&l->from, p[0], p[1], p[2], n);
	return 0;
}

int look_run(struct look *l, float *r, float *g, float *b, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i += (size_t)l->w) {
		float *const p[3] = { r + i, g + i, b + i };
		int m = n - i < (size_t)l->w ? (int)(n - i) : l->w;
		if (run_row(l, p, m, e) < 0) return -1;
	}
	return 0;
}
