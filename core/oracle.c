/* oracle - the obviously correct evaluator: one thread, whole frames, recursion, memoised by node and frame.
 * Shares the nodes and nothing else with the engine; never optimised.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "render.h"

struct entry { const struct net_node *nn; int frame; struct image *im; };
struct oracle { struct net *n; struct pool *pool; struct entry *v; int nv; size_t cv; };

static const struct image *value(struct oracle *o, const struct net_node *nn, int frame, struct err *e);

/* Views of everything the node needs for its whole frame. */
static int inputs(struct oracle *o, const struct net_node *nn, const struct needs *nd,
                  struct view *in, struct err *e)
{
	for (int i = 0; i < nd->n; i++) {
		const struct net_node *src = nn->conn[nd->v[i].conn];
		in[i].nch = 0;
		in[i].r = rect_of(0, 0, 0, 0);
		if (!src || rect_empty(nd->v[i].rect)) continue;
		const struct image *im = value(o, src, nd->v[i].frame, e);
		if (!im) return -1;
		in[i] = view_sub(&im->view, nd->v[i].rect);
	}
	return 0;
}

/* Runs node nn at a frame into im, or a sink's frame. */
static int compute(struct oracle *o, const struct net_node *nn, int frame, struct image *im,
                   const struct sink_run *sink, struct pixhash *hash, struct err *e)
{
	struct node_ctx c;
	struct node_common cm;
	struct needs *nd = xalloc(1, sizeof *nd);
	struct view *in = xalloc(NODE_MAX_NEEDS, sizeof *in);
	void *scratch = NULL;
	int rc = -1;
	if (net_ctx_at(o->n, nn, frame, &c, &cm, e) < 0) goto out;
	net_needs(nn, &c, frame, nn->fmt.data, nd);
	if (inputs(o, nn, nd, in, e) < 0) goto close;
	if (sink) rc = sink_run_frame(sink, &c, nd, in, frame, hash, e);
	else {
		scratch = aligned_alloc(64, (net_scratch(nn, &c, nn->fmt.data) + 63) & ~(size_t)63);
		rc = net_run(nn, &c, &cm, frame, nd, in, &im->view, scratch, NULL, e);
	}
close:
	net_ctx_free(nn, &c);
out:
	free(nd);
	free(in);
	free(scratch);
	return rc;
}

/* Identity is part of what a node says: its output IS its input. */
static int is_identity(struct oracle *o, const struct net_node *nn, int frame, struct err *e)
{
	struct node_ctx c;
	struct node_common cm;
	if (net_ctx_at(o->n, nn, frame, &c, &cm, e) < 0) return -1;
	int same = net_identity(nn, &c);
	net_ctx_free(nn, &c);
	return same;
}

static const struct image *value(struct oracle *o, const struct net_node *nn, int frame, struct err *e)
{
	if (frame < nn->fmt.first) frame = nn->fmt.first;
	if (frame > nn->fmt.last) frame = nn->fmt.last;
	for (int i = 0; i < o->nv; i++)
		if (o->v[i].nn == nn && o->v[i].frame == frame) return o->v[i].im;
	int same = is_identity(o, nn, frame, e);
	if (same) return same < 0 ? NULL : value(o, nn->conn[0], frame, e);
	struct image *im = image_new(o->pool, &nn->fmt, nn->id, e);
	if (!im) return NULL;
	if (compute(o, nn, frame, im, NULL, NULL, e) < 0) {
		image_unref(&im);
		err_in(e, "node '%s' frame %d", nn->id, frame);
		return NULL;
	}
	view_canon_nan(&im->view, nn->fmt.data);
	o->v = grow(o->v, (size_t)o->nv, &o->cv, sizeof *o->v);
	o->v[o->nv++] = (struct entry){ nn, frame, im };
	return im;
}

static void forget(struct oracle *o)
{
	for (int i = 0; i < o->nv; i++) image_unref(&o->v[i].im);
	o->nv = 0;
}

int oracle_run(struct net *n, const struct render_opts *opts, struct render_stats *st, struct err *e)
{
	struct oracle o = { .n = n, .pool = pool_new() };
	struct keymemo *km = keymemo_new(n);
	struct sink_run *sink = NULL;
	int nsink = 0, rc = sinks_open(n, opts, km, 1, &sink, &nsink, e);
	for (int i = 0; i < nsink && rc == 0; i++)
		for (int k = 0; k < sink[i].frames.n && rc == 0 && !sink[i].fresh; k++, forget(&o)) {
			struct pixhash h = { 0, 0 };
			rc = compute(&o, sink[i].node, sink[i].frames.v[k], NULL, &sink[i], &h, e);
			struct render_event ev = { sink[i].node, sink[i].frames.v[k], h, k + 1, sink[i].frames.n };
			if (rc == 0 && opts->event) opts->event(opts->user, &ev);
			st->frames += rc == 0;
		}
	for (int i = 0; i < n->ntarget && rc == 0; i++) {
		struct frame_list l = { 0 };
		rc = frames_parse(opts->frames, n->target[i]->fmt.first, n->target[i]->fmt.last, &l, e);
		if (rc < 0) err_in(e, "'%s'", n->target[i]->id);
		for (int k = 0; rc == 0 && k < l.n; k++, forget(&o)) {
			const struct image *im = value(&o, n->target[i], l.v[k], e);
			if (!im || (opts->result && opts->result(opts->user, n->target[i], l.v[k], im, e) < 0)) rc = -1;
			if (rc < 0) continue;
			struct render_event ev = { n->target[i], l.v[k], image_hash(im), k + 1, l.n };
			if (opts->event) opts->event(opts->user, &ev);
		}
		free(l.v);
	}
	struct err ce = ERR_INIT;
	if (sink && sinks_close(sink, nsink, rc == 0, &ce) < 0 && rc == 0) { *e = ce; rc = -1; }
	forget(&o);
	free(o.v);
	keymemo_free(&km);
	pool_free(&o.pool);
	return rc;
}
