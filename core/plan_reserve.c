/* plan_reserve - how much memory one frame takes at most, whatever order its stages run in.
 *
 * A stage whose picture is read, at the same frame, only by stages that all end in one other
 * belongs
 * to that one, its leader, which reserves for all of them: when the leader is through they are
 * gone. While a stage runs none that waits for it has begun, and pictures whose readers it waited
 * for are gone; what is left, at the worst of its stages, is what a leader reserves.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "plan_int.h"

#include <stdlib.h>
#include <string.h>

/* Beyond so many stages every one reserves for itself: the table of who waits for whom is square.
 * */
enum { MOST = 4096 };

/* Stages beside each other; after: those that it surely waits for, else some of its frames may
 * not. */
struct links { int *v; int n; size_t cap; };
struct dag { struct plan *p; struct links *reader, *after; };

static void add_link(struct links *l, int to)
{
	for (int i = 0; i < l->n; i++)
		if (l->v[i] == to) return;
	l->v = grow(l->v, (size_t)l->n, &l->cap, sizeof *l->v);
	l->v[l->n++] = to;
}

/* Does it need this input, on every frame? */
static bool surely(const struct net_node *nn, const struct needs *nd, int conn)
{
	if (nn->animated) return false;
	for (int i = 0; i < nd->n; i++)
		if (nd->v[i].conn == conn) return true;
	return false;
}

static void link_stages(struct dag *g)
{
	const struct plan *p = g->p;
	struct needs *nd = xalloc(1, sizeof *nd);
	for (int i = 0; i < p->net->nnode; i++) {
		const struct net_node *nn = p->net->node[i];
		nd->n = 0;
		if (net_identity(nn, &nn->ctx)) need_add(nd, 0, nn->fmt.first, nn->fmt.data);
		else net_needs(nn, &nn->ctx, nn->fmt.first, nn->fmt.data, nd);
		for (int c = 0; c < nn->nconn; c++) {
			int from = nn->conn[c] ? p->stage_of[nn->conn[c]->index] : -1, to = p->stage_of[i];
			if (from < 0 || from == to) continue;
			add_link(&g->reader[from], to);
			if (surely(nn, nd, c) && !p->stage[from].temporal) add_link(&g->after[to], from);
		}
	}
	free(nd);
}

/* Readers come behind what they read. */
static void find_leaders(struct dag *g)
{
	struct plan *p = g->p;
	for (int i = p->nstage - 1; i >= 0; i--) {
		struct stage *s = &p->stage[i];
		int to = -1;
		bool alone = s->kind == ST_SINK || s->keep || s->temporal || s->out->asked || !g->reader[i].n;
		for (int k = 0; k < g->reader[i].n && !alone; k++) {
			const struct stage *r = &p->stage[g->reader[i].v[k]];
			alone = r->kind == ST_SINK || (to >= 0 && r->leader != to);
			to = r->leader;
		}
		s->leader = alone ? i : to;
	}
}

/* before: a row of bits a member, of those that it waits for; place: of a stage among the
 * members. */
struct group { const int *v; int n; uint64_t *before; size_t words; int *place; };

static bool waits_for(const struct group *m, int a, int b)
{ return m->before[(size_t)a * m->words + (size_t)b / 64] >> (b % 64) & 1; }

static void order_group(const struct dag *g, struct group *m)
{
	for (int i = 0; i < m->n; i++) {
		const struct links *l = &g->after[m->v[i]];
		uint64_t *row = m->before + (size_t)i * m->words;
		for (int k = 0; k < l->n; k++) {
			int at = m->place[l->v[k]];
			if (at < 0 || at >= i) continue;
			for (size_t w = 0; w < m->words; w++) row[w] |= m->before[(size_t)at * m->words + w];
			row[at / 64] |= UINT64_C(1) << (at % 64);
		}
	}
}

/* May member t's picture be there while s runs? */
static bool alive(const struct dag *g, const struct group *m, int s, int t)
{
	const struct links *r = &g->reader[m->v[t]];
	if (waits_for(m, t, s)) return false;
	if (t == m->n - 1) return true;                  /* the leader, whose readers are others */
	for (int k = 0; k < r->n; k++)
		if (!waits_for(m, s, m->place[r->v[k]])) return true;
	return false;
}

static size_t worst_of(const struct dag *g, const struct group *m)
{
	size_t most = 0;
	for (int s = 0; s < m->n; s++) {
		size_t sum = 0;
		for (int t = 0; t < m->n; t++)
			if (t == s || alive(g, m, s, t)) sum += g->p->stage[m->v[t]].bytes;
		most = sum > most ? sum : most;
	}
	return most;
}

/* v: the members, the leader last. */
static void reserve_group(struct dag *g, const int *v, int n, int *place)
{
	struct plan *p = g->p;
	struct group m = { v, n, NULL, ((size_t)n + 63) / 64, place };
	for (int i = 0; i < n; i++) place[v[i]] = i;
	if (n <= MOST) {
		m.before = xalloc((size_t)n * m.words, sizeof *m.before);
		order_group(g, &m);
		for (int i = 0; i < n; i++) p->stage[v[i]].reserve = 0;
		p->stage[v[n - 1]].reserve = worst_of(g, &m);
		free(m.before);
	}
	for (int i = 0; i < n; i++) place[v[i]] = -1;
}

void plan_reserve(struct plan *p)
{
	size_t n = (size_t)p->nstage + 1;
	struct dag g = { p, xalloc(n, sizeof *g.reader), xalloc(n, sizeof *g.after) };
	int *count = xalloc(n, sizeof *count), *place = xalloc(n, sizeof *place), *first = xalloc(n, sizeof *first);
	int *member = xalloc(n, sizeof *member);
	link_stages(&g);
	find_leaders(&g);
	for (int i = 0; i < p->nstage; i++) {
		p->stage[i].reserve = p->stage[i].bytes;
		place[i] = -1;
		count[p->stage[i].leader]++;
	}
	for (int i = 0, at = 0; i < p->nstage; i++) {
		first[i] = at;
		at += count[i];
		count[i] = 0;
	}
	/* members come in topological order, their leader behind them */
	for (int i = 0; i < p->nstage; i++) {
		int l = p->stage[i].leader;
		member[first[l] + count[l]++] = i;
	}
	for (int i = 0; i < p->nstage; i++)
		if (count[i] > 1) reserve_group(&g, member + first[i], count[i], place);
	for (int i = 0; i < p->nstage; i++) {
		free(g.reader[i].v);
		free(g.after[i].v);
	}
	free(g.reader);
	free(g.after);
	free(count);
	free(place);
	free(first);
	free(member);
}
