/* verb_lutshare - what share of a render's pixels lay outside the LUTs that were told to clamp.
 *
 * Measured after the render, on evenly spaced frames of the node with its LUT taken away, as
 * whole numbers of pixels: it is a function of the pictures, whatever threads, tiles and cache
 * did, and no tile node counts anything.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "lut.h"
#include "px_colour.h"
#include "session.h"

enum { SHARE_FRAMES = 5 };

struct share { const struct lut *lut; int space; uint64_t outside, all; };

/* The text or number of a node's static parameter. */
static const char *text_of(const struct net_node *nn, const char *name)
{
	const struct param *p = param_find(nn->type->params, name);
	const char *s = NULL;
	if (p && (p->type == PT_PATH || p->type == PT_STRING)) memcpy(&s, (const char *)nn->ctx.v + p->off,
		sizeof s);
	return s ? s : "";
}

static bool clamps(const struct net_node *nn)
{
	const struct param *p = param_find(nn->type->params, "lut_outside");
	int v = 0;
	if (!p || p->type != PT_ENUM || !*text_of(nn, "lut") || colour_find(text_of(nn, "lut_in")) < 0) return false;
	memcpy(&v, (const char *)nn->ctx.v + p->off, sizeof v);
	return v == 1;
}

static int count(void *user, const struct net_node *n, int frame, const struct image *im, struct err *e)
{
	struct share *s = user;
	struct colour_xform x;
	const struct rect r = im->view.r;
	int w = rect_w(r), ch[3] = { format_channel(&im->fmt, "R"), format_channel(&im->fmt, "G"),
		format_channel(&im->fmt, "B") };
	(void)n; (void)frame; (void)e;
	if (ch[0] < 0 || ch[1] < 0 || ch[2] < 0) return 0;
	float *p = xalloc((size_t)w * 3, sizeof *p);
	uint64_t outside = 0;
	colour_xform_init(&x, im->fmt.space, s->space);
	for (int y = r.y0; y < r.y1; y++) {
		for (int k = 0; k < 3; k++) memcpy(p + (ptrdiff_t)k * w, view_at(&im->view, ch[k], r.x0, y),
			(size_t)w * sizeof *p);
		colour_row(&x, p, p + w, p + 2 * (ptrdiff_t)w, w);
		outside += lut_outside(s->lut, p, p + w, p + 2 * (ptrdiff_t)w, w);
	}
	free(p);
	s->outside += outside;
	s->all += rect_area(r);
	return 0;
}

/* Up to five of the frames that were asked for, as a list. */
static int pick(const struct cli *c, const struct format *f, char *list, size_t size, struct err *e)
{
	struct frame_list l = { 0 };
	int last = f->last - f->first > 100000 ? f->first + 100 : f->last, n;
	if (frames_parse(c->frames, f->first, last, &l, e) < 0) return -1;
	n = l.n < SHARE_FRAMES ? l.n : SHARE_FRAMES;
	list[0] = 0;
	for (int i = 0; i < n; i++)
		snprintf(list + strlen(list), size - strlen(list), "%s%d", i ? "," : "",
			l.v[n > 1 ? (int)((int64_t)i * (l.n - 1) / (n - 1)) : 0]);
	free(l.v);
	return n;
}

static int measure(struct session *s, const char *id, struct err *e)
{
	struct net_node *nn = net_find(s->net, id);
	struct attr bare[] = { { "lut", "", 0 }, { "mix", "1", 0 } };
	struct share sh = { .space = colour_find(text_of(nn, "lut_in")) };
	char list[SHARE_FRAMES * 12] = "", *file = xstrdup(text_of(nn, "lut"));
	struct solve_over *old = s->over;
	int nold = s->nover, n = 0, rc = -1;
	s->over = xalloc((size_t)nold + 1, sizeof *s->over);
	if (nold) memcpy(s->over, old, (size_t)nold * sizeof *old);
	s->over[s->nover++] = (struct solve_over){ id, bare, 2 };
	struct lut *lut = lut_load(file, e);
	sh.lut = lut;
	if (!lut || session_net(s, NULL, e) < 0) goto out;
	nn = net_find(s->net, id);
	if ((n = pick(s->c, &nn->fmt, list, sizeof list, e)) < 0) goto out;
	net_ask(s->net, &nn, 1);
	struct render_opts o = session_opts(s);
	struct render_stats st = { 0 };
	o.frames = list;
	o.result = count;
	o.user = &sh;
	o.trace = NULL;
	rc = render_run(s->net, &o, &st, e);
	diags_free(&st.problems);
out:
	if (rc == 0 && sh.all)
		log_note("'%s': %.3g %% of the pixels lie outside %s and are clamped (%llu of %llu in frame%s %s)", id,
		         100.0 * (double)sh.outside / (double)sh.all, file, (unsigned long long)sh.outside,
			(unsigned long long)sh.all,
		         n > 1 ? "s" : "", list);
	free(s->over);
	s->over = old;
	s->nover = nold;
	lut_free(&lut);
	free(file);
	return rc;
}

static void reach(const struct net_node *nn, bool *seen)
{
	if (!nn || seen[nn->index]) return;
	seen[nn->index] = true;
	for (int i = 0; i < nn->nconn; i++) reach(nn->conn[i], seen);
}

int session_lut_share(struct session *s, struct err *e)
{
	struct net *n = s->net;
	bool *seen = xalloc((size_t)n->nnode + 1, sizeof *seen);
	char **id = xalloc((size_t)n->nnode + 1, sizeof *id);
	int nid = 0, rc = 0;
	for (int i = 0; i < n->nwrite; i++) reach(n->write[i], seen);
	for (int i = 0; i < n->ntarget; i++) reach(n->target[i], seen);
	for (int i = 0; i < n->nnode; i++)
		if (seen[i] && clamps(n->node[i])) id[nid++] = xstrdup(n->node[i]->id);
	for (int i = 0; i < nid && rc == 0; i++) rc = measure(s, id[i], e);
	for (int i = 0; i < nid; i++) free(id[i]);
	free(id);
	free(seen);
	return rc;
}
