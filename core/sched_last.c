/* sched_last - which output frame is the last to need a picture of those that are held for later ones.
 *
 * What nodes need is a pure function of the frame, so the whole render's wants are known before it starts: from the
 * frames asked for back to the stages whose pictures are held. A hit in the cache only makes fewer of them needed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "sched_int.h"

#include <limits.h>
#include <stdlib.h>

static int by_frame(const void *a, const void *b)
{
	const struct last_use *x = a, *y = b;
	if (x->frame != y->frame) return x->frame < y->frame ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* One of each frame: its last. */
static void settle(struct last_uses *u)
{
	int n = 0;
	if (u->n) qsort(u->v, (size_t)u->n, sizeof *u->v, by_frame);
	for (int i = 0; i < u->n; i++)
		if (i + 1 == u->n || u->v[i + 1].frame != u->v[i].frame) u->v[n++] = u->v[i];
	u->n = n;
}

static void add_use(struct last_uses *u, int frame, int order)
{
	u->v = grow(u->v, (size_t)u->n, &u->cap, sizeof *u->v);
	u->v[u->n++] = (struct last_use){ frame, order };
}

/* Stages through which a held picture is reached: of whose frames the last order is asked. */
static bool *reaching(const struct plan *p)
{
	bool *way = xalloc((size_t)p->nstage + 1, sizeof *way);
	for (int i = 0; i < p->nstage; i++)
		for (int k = 0; k < p->stage[i].nedge; k++) {
			const struct net_node *nn = p->stage[i].node[p->stage[i].edge[k]];
			for (int c = 0; c < nn->nconn; c++) {
				int from = nn->conn[c] ? p->stage_of[nn->conn[c]->index] : i;
				if (from != i) way[i] = way[i] || way[from] || p->stage[from].temporal;
			}
		}
	return way;
}

static void add_asked(struct last_uses *u, const struct frame_list *l, const int *frames, int n)
{
	for (int i = 0, k = 0; i < n; i++) {
		while (k < l->n && l->v[k] < frames[i]) k++;
		if (k < l->n && l->v[k] == frames[i]) add_use(u, frames[i], i);
	}
}

int last_uses(struct sched *s, const struct frame_list *lists, const int *frames, int n, struct err *e)
{
	struct plan *p = s->p;
	bool *way = reaching(p), any = false;
	struct stage_needs nd = { 0 };
	int rc = -1;
	for (int i = 0; i < p->nstage; i++) any = any || p->stage[i].temporal;
	s->last = any ? xalloc((size_t)p->nstage, sizeof *s->last) : NULL;
	for (int i = 0; i < s->n->ntarget && any; i++)
		add_asked(&s->last[p->stage_of[s->n->target[i]->index]], &lists[i], frames, n);
	for (int i = 0; i < s->nsink && any; i++)
		if (!s->sink[i].fresh) add_asked(&s->last[p->stage_of[s->sink[i].node->index]], &s->sink[i].frames, frames, n);
	for (int i = p->nstage - 1; i >= 0 && any; i--) {       /* inputs stand before those that read them */
		struct last_uses *u = &s->last[i];
		settle(u);
		for (int k = 0; k < u->n && way[i]; k++) {
			if (stage_inputs(p, &p->stage[i], u->v[k].frame, &nd, e) < 0) goto out;
			for (int m = 0; m < nd.n; m++) {
				int from = p->stage_of[nd.v[m].src->index];
				if (way[from] || p->stage[from].temporal) add_use(&s->last[from], nd.v[m].frame, u->v[k].order);
			}
		}
		if (p->stage[i].temporal) continue;
		free(u->v);
		*u = (struct last_uses){ 0 };
	}
	rc = 0;
out:
	free(nd.v);
	free(way);
	return rc;
}

bool needed_later(const struct sched *s, const struct job *j)
{
	const struct last_uses *u = &s->last[j->id];
	struct last_use key = { j->frame, INT_MAX };
	int lo = 0, hi = u->n;                  /* uses before lo are of frames up to j's */
	while (lo < hi) {
		int mid = (lo + hi) / 2;
		if (by_frame(&u->v[mid], &key) <= 0) lo = mid + 1; else hi = mid;
	}
	return lo > 0 && u->v[lo - 1].frame == j->frame && u->v[lo - 1].order > s->admitted;
}

void last_free(struct sched *s)
{
	for (int i = 0; i < s->p->nstage && s->last; i++) free(s->last[i].v);
	free(s->last);
}
