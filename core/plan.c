/* plan - which nodes are fused into stages, and the frames asked for.
 *
 * A node joins the stage of its consumers when all of them stand in one stage, ask for the same frame,
 * and computing its border again for every tile costs less than a trip through memory.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "plan_int.h"
#include "sysinfo.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A trip through memory: written, read again, and the written lines fetched first; in operations that take
 * as long (measured: a core computes about as many as it moves bytes). */
#define PLAN_TRIP_FLOPS_PER_BYTE 3.0
/* Whatever it costs, a tile is not computed more often than this for its border. */
#define PLAN_MAX_OVERLAP 3.0
/* The tile that fusing is judged by, and the most members a stage may have. */
enum { PLAN_TILE = 128, PLAN_MAX_MEMBERS = 64 };
/* Tiles of the stage's output that a member's part of one tile may be large: beyond, it leaves the cache. */
#define PLAN_MAX_GROWTH 4.5

static bool same_frame(const struct net_node *nn, const struct needs *nd, int frame, int conn)
{
	for (int i = 0; i < nd->n; i++)
		if (nd->v[i].conn == conn && nd->v[i].frame != frame) return false;
	(void)nn;
	return true;
}

/* Does the consumer read this input at its own frame only, whatever the frame? */
static bool edge_is_direct(const struct net_node *nn, int conn)
{
	const struct format *f = &nn->fmt, *g = &nn->conn[conn]->fmt;
	struct needs nd;
	if ((nn->traits & TR_RETIME) || g->first > f->first || g->last < f->last) return false;
	int last = f->last == INT_MAX ? f->first + 1000 : f->last;
	int probe[5] = { f->first, f->first + 1, f->first + 7, (f->first + last) / 2, last };
	for (int i = 0; i < 5; i++) {
		if (probe[i] > last) continue;
		net_needs(nn, &nn->ctx, probe[i], f->data, &nd);
		if (!same_frame(nn, &nd, probe[i], conn)) return false;
	}
	return true;
}

/* Side of the part of nn that belongs to a tile of the stage's output. */
static int side_in(const struct net_node *nn, const struct net_node *out, int tile)
{
	double a = (double)rect_area(nn->fmt.data), b = (double)rect_area(out->fmt.data);
	if (!(a > 0) || !(b > 0)) return tile;
	int side = (int)(tile * __builtin_sqrt(a / b) + 0.5);
	return side < 1 ? 1 : side;
}

/* Area of input that a middle tile reads over the area it would read without a border. */
static double edge_overlap(const struct net_node *nn, int conn, int tile, double *area)
{
	struct rect d = nn->fmt.data, need = { 0, 0, 0, 0 };
	int cx = d.x0 + (rect_w(d) - tile) / 2, cy = d.y0 + (rect_h(d) - tile) / 2;
	struct rect r = rect_and(rect_of(cx, cy, cx + tile, cy + tile), d);
	struct needs nd;
	*area = 0;
	if (rect_empty(r)) return 1;
	net_needs(nn, &nn->ctx, nn->fmt.first, r, &nd);
	for (int i = 0; i < nd.n; i++)
		if (nd.v[i].conn == conn) need = rect_or(need, nd.v[i].rect);
	*area = (double)rect_area(need);
	double whole = (double)rect_area(nn->conn[conn]->fmt.data) / (double)rect_area(d);
	return (double)rect_area(need) / ((double)rect_area(r) * (whole > 0 ? whole : 1));
}

struct joiner {
	struct plan *p; int *stage, *members; double *overlap; struct net_node ***users; int *nusers;
};

/* Does computing the border of nn again cost less than writing and reading the picture? */
static bool worth_joining(const struct net_node *nn, double overlap)
{
	double per = nn->type->flops ? nn->type->flops(&nn->ctx) : 20;
	double trip = PLAN_TRIP_FLOPS_PER_BYTE * (double)sizeof(float) * nn->fmt.nch;
	return overlap <= PLAN_MAX_OVERLAP && (overlap - 1) * per <= trip;
}

/* Does nn read a picture larger than its own that leaves the cache in stage s, but not in one that ends with nn? That
 * one's trip through memory is the dearer. */
static bool better_last(const struct joiner *j, const struct net_node *nn, int s)
{
	const double most = PLAN_MAX_GROWTH * PLAN_TILE * PLAN_TILE;
	for (int c = 0; c < nn->nconn; c++) {
		const struct net_node *src = nn->conn[c];
		if (!src || !src->type->tile || src->keep || src->asked || j->nusers[src->index] != 1) continue;
		if (image_bytes(&src->fmt) <= image_bytes(&nn->fmt)) continue;
		double there, here, overlap = edge_overlap(nn, c, PLAN_TILE, &here);
		edge_overlap(nn, c, side_in(nn, j->p->net->node[s], PLAN_TILE), &there);
		if (there > most && here <= most && worth_joining(src, overlap)) return true;
	}
	return false;
}

static bool may_join(const struct joiner *j, const struct net_node *nn, int *stage, double *overlap)
{
	if (!nn->type->tile || nn->keep || nn->asked || !j->nusers[nn->index]) return false;
	*stage = -1;
	*overlap = 1;
	for (int i = 0; i < j->nusers[nn->index]; i++) {
		const struct net_node *u = j->users[nn->index][i];
		int s = j->stage[u->index];
		if (!u->type->tile || (*stage >= 0 && s != *stage)) return false;
		*stage = s;
		for (int c = 0; c < u->nconn; c++) {
			if (u->conn[c] != nn) continue;
			if (!edge_is_direct(u, c)) return false;
			double area, tile = PLAN_TILE;
			double o = edge_overlap(u, c, side_in(u, j->p->net->node[s], PLAN_TILE), &area) * j->overlap[u->index];
			if (area > PLAN_MAX_GROWTH * tile * tile) return false;
			if (o > *overlap) *overlap = o;
		}
	}
	return j->members[*stage] < PLAN_MAX_MEMBERS && worth_joining(nn, *overlap) && !better_last(j, nn, *stage);
}

static void list_users(struct joiner *j, const struct net *n)
{
	for (int i = 0; i < n->nnode; i++)
		for (int c = 0; c < n->node[i]->nconn; c++) {
			struct net_node *src = n->node[i]->conn[c];
			if (!src) continue;
			int *k = &j->nusers[src->index];
			j->users[src->index] = xrealloc(j->users[src->index], (size_t)*k + 1, sizeof(void *));
			j->users[src->index][(*k)++] = n->node[i];
		}
}

static void fill_stage(struct stage *s, const struct net_node *out)
{
	s->out = (struct net_node *)out;
	s->kind = out->type->flags & NF_SINK ? ST_SINK : out->type->frame ? ST_FRAME : ST_TILES;
	s->bytes = s->kind == ST_SINK ? 0 : image_bytes(&out->fmt);
	s->keep = out->keep;
}

static void list_edge(const struct plan *p, struct stage *s)
{
	size_t cap = 0;
	for (int i = 0; i < s->n; i++) {
		bool outside = false;
		for (int c = 0; c < s->node[i]->nconn; c++)
			outside |= s->node[i]->conn[c] && p->stage_of[s->node[i]->conn[c]->index] != s->index;
		if (!outside) continue;
		s->edge = grow(s->edge, (size_t)s->nedge, &cap, sizeof *s->edge);
		s->edge[s->nedge++] = i;
	}
}

/* Does the node read at its own frame only, whatever the frame, by what its type declares? */
static bool declares_same(const struct net_node *nn)
{
	return !nn->animated && (!nn->type->needs || net_identity(nn, &nn->ctx));
}

/* The distinct pictures of other stages that the members read, listed once for all frames. */
static void list_inputs(const struct plan *p, struct stage *s)
{
	struct needs nd;
	size_t cap = 0;
	for (int i = 0; i < s->nedge; i++)
		if (!declares_same(s->node[s->edge[i]])) return;
	for (int i = 0; i < s->nedge; i++) {
		const struct net_node *nn = s->node[s->edge[i]];
		nd.n = 0;
		if (net_identity(nn, &nn->ctx)) need_add(&nd, 0, nn->fmt.first, nn->fmt.data);
		else net_needs(nn, &nn->ctx, nn->fmt.first, nn->fmt.data, &nd);
		for (int k = 0; k < nd.n; k++) {
			const struct net_node *src = nn->conn[nd.v[k].conn];
			bool known = !src || p->stage_of[src->index] == s->index;
			for (int m = 0; m < s->nin && !known; m++) known = s->in[m] == src;
			if (known) continue;
			s->in = grow(s->in, (size_t)s->nin, &cap, sizeof *s->in);
			s->in[s->nin++] = src;
		}
	}
}

static void number_stages(struct plan *p, const int *stage)
{
	const struct net *n = p->net;
	int *renum = xalloc((size_t)n->nnode + 1, sizeof *renum);
	p->stage = xalloc((size_t)n->nnode + 1, sizeof *p->stage);
	/* stage[i] is the index of the stage's output node; outputs in topological order give stage numbers */
	for (int i = 0; i < n->nnode; i++)
		if (stage[i] == i) {
			renum[i] = p->nstage;
			p->stage[p->nstage].index = p->nstage;
			fill_stage(&p->stage[p->nstage++], n->node[i]);
		}
	for (int i = 0; i < n->nnode; i++) {
		struct stage *s = &p->stage[renum[stage[i]]];
		p->stage_of[i] = s->index;
		p->slot_of[i] = s->n;
		s->node = xrealloc(s->node, (size_t)s->n + 1, sizeof *s->node);
		s->node[s->n++] = n->node[i];
	}
	for (int i = 0; i < p->nstage; i++) {
		list_edge(p, &p->stage[i]);
		list_inputs(p, &p->stage[i]);
	}
	free(renum);
}

static void mark_temporal(struct plan *p)
{
	const struct net *n = p->net;
	for (int i = 0; i < n->nnode; i++)
		for (int c = 0; c < n->node[i]->nconn; c++) {
			struct net_node *src = n->node[i]->conn[c];
			if (src && p->stage_of[src->index] != p->stage_of[i] && !edge_is_direct(n->node[i], c))
				p->stage[p->stage_of[src->index]].temporal = true;
		}
}

struct plan *plan_new(struct net *n, const struct plan_opts *o)
{
	struct plan *p = xalloc(1, sizeof *p);
	size_t nn = (size_t)n->nnode + 1;
	struct joiner j = { p, xalloc(nn, sizeof(int)), xalloc(nn, sizeof(int)), xalloc(nn, sizeof(double)),
	                    xalloc(nn, sizeof(void *)), xalloc(nn, sizeof(int)) };
	p->net = n;
	p->tile = o->tile > 0 ? o->tile : 0;
	p->threads = o->threads > 0 ? o->threads : sys_threads();
	p->stage_of = xalloc(nn, sizeof(int));
	p->slot_of = xalloc(nn, sizeof(int));
	list_users(&j, n);
	for (int i = n->nnode - 1; i >= 0; i--) {
		int s;
		double over;
		j.stage[i] = i;
		j.overlap[i] = 1;
		if (!o->no_fuse && may_join(&j, n->node[i], &s, &over)) {
			j.stage[i] = s;
			j.overlap[i] = over;
		}
		j.members[j.stage[i]]++;
	}
	number_stages(p, j.stage);
	mark_temporal(p);
	plan_reserve(p);
	for (int i = 0; i < p->nstage; i++) plan_tiles(p, &p->stage[i]);
	for (int i = 0; i < n->nnode; i++) free(j.users[i]);
	free(j.users);
	free(j.nusers);
	free(j.stage);
	free(j.members);
	free(j.overlap);
	return p;
}

void plan_free(struct plan **pp)
{
	struct plan *p = *pp;
	if (!p) return;
	for (int i = 0; i < p->nstage; i++) {
		free(p->stage[i].node);
		free(p->stage[i].edge);
		free(p->stage[i].in);
	}
	free(p->stage);
	free(p->stage_of);
	free(p->slot_of);
	free(p);
	*pp = NULL;
}

static int clamped(const struct net_node *src, int f)
{
	return f < src->fmt.first ? src->fmt.first : f > src->fmt.last ? src->fmt.last : f;
}

static void push_need(struct stage_needs *out, const struct net_node *src, int frame)
{
	out->v = grow(out->v, (size_t)out->n, &out->cap, sizeof *out->v);
	out->v[out->n++] = (struct stage_need){ src, frame };
}

static void add_need(struct stage_needs *out, const struct net_node *src, int frame)
{
	for (int i = 0; i < out->n; i++)
		if (out->v[i].src == src && out->v[i].frame == frame) return;
	push_need(out, src, frame);
}

int stage_inputs(struct plan *p, const struct stage *s, int frame, struct stage_needs *out, struct err *e)
{
	struct needs nd;
	out->n = 0;
	for (int i = 0; i < s->nin; i++) push_need(out, s->in[i], clamped(s->in[i], frame));
	for (int i = 0; i < s->nedge && !s->in; i++) {
		const struct net_node *nn = s->node[s->edge[i]];
		struct node_ctx own;
		struct node_common cm;
		const struct node_ctx *c = nn->animated ? &own : &nn->ctx;
		if (nn->animated && net_ctx_at(p->net, nn, frame, &own, &cm, e) < 0) return -1;
		if (net_identity(nn, c)) { nd.n = 0; need_add(&nd, 0, frame, nn->fmt.data); }
		else net_needs(nn, c, frame, nn->fmt.data, &nd);
		for (int k = 0; k < nd.n; k++) {
			const struct net_node *src = nn->conn[nd.v[k].conn];
			if (!src || p->stage_of[src->index] == s->index) continue;
			add_need(out, src, clamped(src, nd.v[k].frame));
		}
		if (nn->animated) net_ctx_free(nn, &own);
	}
	return 0;
}
