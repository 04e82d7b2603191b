/* plan_report - what a render would do, as runs of frames; nothing is rendered.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "render.h"

/* Frames of one stage that were met, ascending runs in one state. */
struct run { int first, last; bool load; };
struct seen { struct run *run; int n; size_t cap; };
struct walk {
	struct net *n; struct plan *p; const struct render_opts *o; struct keymemo *km;
	struct seen *seen;                   /* per stage */
	struct stage_needs *needs; int depth; size_t cneeds;   /* one list a level of the walk */
	int *met, turn;                      /* per stage: the last output frame that it reserved for */
	uint64_t frame_bytes, cache_bytes;
	struct err *e;
};

/* The first run that does not end before the frame. Frames mostly come in order: the end is tried first. */
static int run_at(const struct seen *s, int frame)
{
	int lo = 0, hi = s->n;
	if (hi == 0 || s->run[hi - 1].last < frame) return hi;
	while (lo < hi) {
		int mid = (lo + hi) / 2;
		if (s->run[mid].last < frame) lo = mid + 1; else hi = mid;
	}
	return lo;
}

static bool seen_has(const struct seen *s, int frame)
{
	int i = run_at(s, frame);
	return i < s->n && s->run[i].first <= frame;
}

static void seen_add(struct seen *s, int frame, bool load)
{
	int i = run_at(s, frame);
	bool left = i > 0 && s->run[i - 1].last == frame - 1 && s->run[i - 1].load == load;
	bool right = i < s->n && s->run[i].first == frame + 1 && s->run[i].load == load;
	if (left && right) {
		s->run[i - 1].last = s->run[i].last;
		memmove(&s->run[i], &s->run[i + 1], (size_t)(--s->n - i) * sizeof *s->run);
	} else if (left) s->run[i - 1].last = frame;
	else if (right) s->run[i].first = frame;
	else {
		s->run = grow(s->run, (size_t)s->n, &s->cap, sizeof *s->run);
		memmove(&s->run[i + 1], &s->run[i], (size_t)(s->n++ - i) * sizeof *s->run);
		s->run[i] = (struct run){ frame, frame, load };
	}
}

/* An intermediate that is there already ends the way up: 1; 0: it is to be computed. */
static int from_cache(struct walk *w, const struct stage *s, int frame)
{
	struct key k;
	if (!s->keep || !w->o->cache) return 0;
	if (net_key(w->km, s->out, frame, &k, w->e) < 0) return -1;
	if (cache_has(w->o->cache, &k)) return 1;
	w->cache_bytes += s->bytes + 4096;
	return 0;
}

static int walk_stage(struct walk *w, int stage, int frame)
{
	const struct stage *s = &w->p->stage[stage];
	if (seen_has(&w->seen[stage], frame)) return 0;
	int load = from_cache(w, s, frame);
	if (load < 0) return -1;
	seen_add(&w->seen[stage], frame, load);
	bool follows = load || (w->met[stage] == w->turn && stage_takes_turns(s));
	w->frame_bytes += follows ? s->bytes : s->reserve;
	if (load) return 0;
	w->met[stage] = w->turn;
	int at = w->depth++, rc = -1;
	w->needs = grow(w->needs, (size_t)at, &w->cneeds, sizeof *w->needs);
	if (stage_inputs(w->p, s, frame, &w->needs[at], w->e) < 0) goto out;
	for (int i = 0; i < w->needs[at].n; i++) {
		struct stage_need d = w->needs[at].v[i];
		if (walk_stage(w, w->p->stage_of[d.src->index], d.frame) < 0) goto out;
	}
	rc = 0;
out:
	w->depth--;
	return rc;
}

static void add_row(struct plan_report *r, struct plan_row row)
{
	r->row = grow(r->row, (size_t)r->nrow, &r->crow, sizeof *r->row);
	r->row[r->nrow++] = row;
}

/* Frames one after the other, out of the runs. */
struct cursor { const struct seen *s; int i, frame; };

static bool cursor_next(struct cursor *c)
{
	if (c->i >= 0 && c->frame < c->s->run[c->i].last) { c->frame++; return true; }
	if (++c->i >= c->s->n) return false;
	c->frame = c->s->run[c->i].first;
	return true;
}

/* Runs of equal state and step of one stage; members of a fused stage share its runs. */
static void stage_rows(const struct stage *s, const struct seen *seen, struct plan_report *r)
{
	struct cursor c = { seen, -1, 0 };
	for (bool more = cursor_next(&c); more; ) {
		bool load = seen->run[c.i].load;
		int first = c.frame, last = first, step = 1;
		for (int n = 1; (more = cursor_next(&c)); n++) {
			if (n == 1) step = c.frame - first;
			if (seen->run[c.i].load != load || c.frame - last != step) break;
			last = c.frame;
		}
		int what = s->kind == ST_SINK ? ROW_WRITE : load ? ROW_LOAD : ROW_COMPUTE;
		for (int m = load ? s->n - 1 : 0; m < s->n; m++)
			add_row(r, (struct plan_row){ s->node[m], first, last, step, what });
	}
}

static int walk_target(struct walk *w, struct net_node *nn, const struct format *f, struct plan_report *r)
{
	struct frame_list l;
	if (frames_parse(w->o->frames, f->first, f->last, &l, w->e) < 0) return err_in(w->e, "'%s'", nn->id);
	int rc = 0;
	for (int i = 0; i < l.n && rc == 0; i++) {
		w->frame_bytes = 0;
		w->turn++;
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
		w->turn++;
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

int render_plan(struct net *n, struct plan *p, const struct render_opts *o,
                struct plan_report *out, struct err *e)
{
	struct walk w = { .n = n, .p = p, .o = o, .km = keymemo_new(n), .e = e };
	int rc = 0;
	w.seen = xalloc((size_t)p->nstage + 1, sizeof *w.seen);
	w.met = xalloc((size_t)p->nstage + 1, sizeof *w.met);
	for (int i = 0; i < n->nwrite && rc == 0; i++) rc = walk_sink(&w, n->write[i], out);
	for (int i = 0; i < n->ntarget && rc == 0; i++) rc = walk_target(&w, n->target[i], &n->target[i]->fmt, out);
	out->fixed = net_reserve(n);
	out->least = out->peak + render_fixed(n, o->threads);
	for (int i = 0; i < p->nstage && rc == 0; i++) stage_rows(&p->stage[i], &w.seen[i], out);
	out->cache_bytes = w.cache_bytes;
	for (int i = 0; i < p->nstage; i++) free(w.seen[i].run);
	for (size_t i = 0; i < w.cneeds; i++) free(w.needs[i].v);
	free(w.needs);
	free(w.seen);
	free(w.met);
	keymemo_free(&w.km);
	return rc;
}

void plan_report_free(struct plan_report *r)
{
	free(r->row);
	memset(r, 0, sizeof *r);
}
