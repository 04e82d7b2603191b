/* plan_report - what a render would do, as runs of frames; nothing is rendered.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "render.h"

struct seen { int stage, frame; bool load; };
struct walk {
	struct net *n; struct plan *p; const struct render_opts *o; struct keymemo *km;
	struct seen *slot; size_t used, cap;
	uint64_t frame_bytes, cache_bytes;
	struct err *e;
};

static size_t seen_at(const struct walk *w, int stage, int frame)
{
	uint64_t h = ((uint64_t)(uint32_t)stage << 32 | (uint32_t)frame) * 0x9E3779B97F4A7C15u;
	size_t i = (size_t)(h >> 20) & (w->cap - 1);
	while (w->slot[i].stage >= 0 && (w->slot[i].stage != stage || w->slot[i].frame != frame))
		i = (i + 1) & (w->cap - 1);
	return i;
}

static void seen_widen(struct walk *w)
{
	struct seen *old = w->slot;
	size_t n = w->cap;
	w->cap = n ? n * 2 : 1024;
	w->slot = xalloc(w->cap, sizeof *w->slot);
	for (size_t i = 0; i < w->cap; i++) w->slot[i].stage = -1;
	for (size_t i = 0; i < n; i++)
		if (old[i].stage >= 0) w->slot[seen_at(w, old[i].stage, old[i].frame)] = old[i];
	free(old);
}

static int walk_stage(struct walk *w, int stage, int frame)
{
	const struct stage *s = &w->p->stage[stage];
	struct stage_needs nd = { 0 };
	int rc = -1;
	if (w->used * 2 >= w->cap) seen_widen(w);
	size_t at = seen_at(w, stage, frame);
	if (w->slot[at].stage >= 0) return 0;
	w->slot[at] = (struct seen){ stage, frame, false };
	w->used++;
	w->frame_bytes += s->reserve;
	if (s->keep && w->o->cache) {
		struct key k;
		if (net_key(w->km, s->out, frame, &k, w->e) < 0) return -1;
		if (cache_has(w->o->cache, &k)) {
			w->slot[at].load = true;
			w->frame_bytes -= s->reserve - s->bytes;
			return 0;
		}
		w->cache_bytes += s->bytes + 4096;
	}
	if (stage_inputs(w->p, s, frame, &nd, w->e) < 0) goto out;
	for (int i = 0; i < nd.n; i++)
		if (walk_stage(w, w->p->stage_of[nd.v[i].src->index], nd.v[i].frame) < 0) goto out;
	rc = 0;
out:
	free(nd.v);
	return rc;
}

static int seen_cmp(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	if (x->stage != y->stage) return x->stage < y->stage ? -1 : 1;
	return (x->frame > y->frame) - (x->frame < y->frame);
}

static void add_row(struct plan_report *r, struct plan_row row)
{
	r->row = grow(r->row, (size_t)r->nrow, &r->crow, sizeof *r->row);
	r->row[r->nrow++] = row;
}

/* Runs of equal state and step, per stage; members of a fused stage share its runs. */
static void make_rows(struct walk *w, struct plan_report *r)
{
	size_t n = 0;
	for (size_t i = 0; i < w->cap; i++)
		if (w->slot[i].stage >= 0) w->slot[n++] = w->slot[i];
	if (n) qsort(w->slot, n, sizeof *w->slot, seen_cmp);
	for (size_t i = 0; i < n; ) {
		const struct stage *s = &w->p->stage[w->slot[i].stage];
		size_t k = i + 1;
		int step = k < n && w->slot[k].stage == s->index ? w->slot[k].frame - w->slot[i].frame : 1;
		while (k < n && w->slot[k].stage == s->index && w->slot[k].load == w->slot[i].load &&
		       w->slot[k].frame - w->slot[k - 1].frame == step)
			k++;
		int what = s->kind == ST_SINK ? ROW_WRITE : w->slot[i].load ? ROW_LOAD : ROW_COMPUTE;
		for (int m = what == ROW_LOAD ? s->n - 1 : 0; m < s->n; m++)
			add_row(r, (struct plan_row){ s->node[m], w->slot[i].frame, w->slot[k - 1].frame, step, what });
		i = k;
	}
}

static int walk_target(struct walk *w, struct net_node *nn, const struct format *f, struct plan_report *r)
{
	struct frame_list l;
	if (frames_parse(w->o->frames, f->first, f->last, &l, w->e) < 0) return err_in(w->e, "'%s'", nn->id);
	int rc = 0;
	for (int i = 0; i < l.n && rc == 0; i++) {
		w->frame_bytes = 0;
		rc = walk_stage(w, w->p->stage_of[nn->index], l.v[i]);
		if (w->frame_bytes > r->peak) r->peak = w->frame_bytes;
		keymemo_drop_before(w->km, l.v[i] - 64);
	}
	r->frames += l.n;
	free(l.v);
	return rc;
}

/* The frames a sink still wants; those in the journal need nothing. */
static int walk_frames(struct walk *w, struct net_node *nn, const struct sink_run *sk, struct plan_report *r)
{
	bool journal = sink_journals(sk) && w->o->cache && !w->o->no_journal && !w->o->dry;
	int rc = 0;
	for (int i = 0; i < sk->frames.n && rc == 0; i++) {
		int frame = sk->frames.v[i];
		struct key k;
		w->frame_bytes = sk->packed;
		bool have = false;
		if (journal) {
			if (net_key(w->km, nn, frame, &k, w->e) < 0) return -1;
			have = journal_has(w->o->cache, &k);
			if (!have) r->journal_bytes += sk->packed;
		}
		if (!have) rc = walk_stage(w, w->p->stage_of[nn->index], frame);
		if (w->frame_bytes > r->peak) r->peak = w->frame_bytes;
		keymemo_drop_before(w->km, frame - 64);
	}
	r->frames += sk->frames.n;
	return rc;
}

/* A write whose finished file carries the root key of these frames is left alone. */
static int walk_sink(struct walk *w, struct net_node *nn, struct plan_report *r)
{
	struct sink_run sk = { .node = nn };
	int rc = sink_prepare(w->n, w->o, w->km, 1, &sk, w->e);
	if (rc == 0 && sk.fresh)
		add_row(r, (struct plan_row){ nn, sk.frames.v[0], sk.frames.v[sk.frames.n - 1], 1, ROW_FRESH });
	if (rc == 0 && !sk.fresh) rc = walk_frames(w, nn, &sk, r);
	free(sk.frames.v);
	return rc;
}

int render_plan(struct net *n, struct plan *p, const struct render_opts *o, struct plan_report *out, struct err *e)
{
	struct walk w = { .n = n, .p = p, .o = o, .km = keymemo_new(n), .e = e };
	int rc = 0;
	seen_widen(&w);
	for (int i = 0; i < n->nwrite && rc == 0; i++) rc = walk_sink(&w, n->write[i], out);
	for (int i = 0; i < n->ntarget && rc == 0; i++) rc = walk_target(&w, n->target[i], &n->target[i]->fmt, out);
	out->fixed = net_reserve(n);
	if (rc == 0) make_rows(&w, out);
	out->cache_bytes = w.cache_bytes;
	free(w.slot);
	keymemo_free(&w.km);
	return rc;
}

void plan_report_free(struct plan_report *r)
{
	free(r->row);
	memset(r, 0, sizeof *r);
}
