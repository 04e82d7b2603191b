/* stage_run - see stage_run.h. Scratch layout: per member region, need list and view, then the planes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "stage_run.h"

#include <stdlib.h>
#include <string.h>

struct member { struct rect r; struct view view; struct needs needs; };

static size_t align64(size_t n) { return (n + 63) & ~(size_t)63; }

int stage_job_open(struct stage_job *j, struct plan *p, const struct stage *s, int frame, struct err *e)
{
	*j = (struct stage_job){ .p = p, .s = s, .frame = frame };
	j->ctx = xalloc((size_t)s->n, sizeof *j->ctx);
	j->common = xalloc((size_t)s->n, sizeof *j->common);
	j->same = xalloc((size_t)s->n, sizeof *j->same);
	for (int i = 0; i < s->n; i++) {
		if (net_ctx_at(p->net, s->node[i], frame, &j->ctx[i], &j->common[i], e) < 0) {
			stage_job_close(j);
			return -1;
		}
		j->opened++;
		j->same[i] = net_identity(s->node[i], &j->ctx[i]);
	}
	return 0;
}

void stage_job_close(struct stage_job *j)
{
	for (int i = 0; i < j->opened; i++) net_ctx_free(j->s->node[i], &j->ctx[i]);
	free(j->ctx);
	free(j->common);
	free(j->same);
	free(j->in);
	*j = (struct stage_job){ 0 };
}

/* Regions of all members for output rect r; m[] has j->s->n places. */
static void regions(const struct stage_job *j, struct rect r, struct member *m)
{
	int n = j->s->n;
	for (int i = 0; i < n; i++) m[i].r = rect_of(0, 0, 0, 0);
	m[n - 1].r = r;
	for (int i = n - 1; i >= 0; i--) {
		const struct net_node *nn = j->s->node[i];
		struct needs *nd = &m[i].needs;
		nd->n = nd->ncore = 0;
		if (rect_empty(m[i].r)) continue;
		if (j->same[i]) need_add(nd, 0, j->frame, m[i].r);
		else net_needs(nn, &j->ctx[i], j->frame, m[i].r, nd);
		for (int k = 0; k < nd->n; k++) {
			const struct net_node *src = nn->conn[nd->v[k].conn];
			if (!src || j->p->stage_of[src->index] != j->s->index) continue;
			struct rect *at = &m[j->p->slot_of[src->index]].r;
			*at = rect_or(*at, nd->v[k].rect);
		}
	}
}

static size_t planes_bytes(const struct net_node *nn, struct rect r)
{
	return (size_t)nn->fmt.nch * align64(rect_area(r) * sizeof(float));
}

size_t stage_job_scratch(const struct stage_job *j, struct rect r)
{
	int n = j->s->n;
	struct member *m = xalloc((size_t)n, sizeof *m);
	size_t bytes = align64((size_t)n * sizeof *m), most = 0;
	regions(j, r, m);
	for (int i = 0; i < n; i++) {
		if (rect_empty(m[i].r)) continue;
		size_t own = j->same[i] ? 0 : net_scratch(j->s->node[i], &j->ctx[i], m[i].r);
		if (own > most) most = own;
		if (i < n - 1 && !j->same[i]) bytes += planes_bytes(j->s->node[i], m[i].r);
	}
	free(m);
	return bytes + align64(most) + 128;
}

static const struct view *input_view(const struct stage_job *j, const struct net_node *src, int frame)
{
	for (int i = 0; i < j->nin; i++)
		if (j->in[i].src == src && j->in[i].frame == frame) return j->in[i].view;
	return NULL;
}

/* The views that belong to a member's needs. */
static int gather(const struct stage_job *j, int i, struct member *m, struct view *in, struct err *e)
{
	const struct net_node *nn = j->s->node[i];
	const struct needs *nd = &m[i].needs;
	for (int k = 0; k < nd->n; k++) {
		const struct net_node *src = nn->conn[nd->v[k].conn];
		in[k].nch = 0;
		in[k].r = rect_of(0, 0, 0, 0);
		if (!src || rect_empty(nd->v[k].rect)) continue;
		const struct view *from;
		if (j->p->stage_of[src->index] == j->s->index) {
			if (nd->v[k].frame != j->frame)
				return err_set(e, E_INTERNAL, "node '%s' reads another frame inside a stage", nn->id);
			from = &m[j->p->slot_of[src->index]].view;
		} else from = input_view(j, src, nd->v[k].frame);
		if (!from || !rect_holds(from->r, nd->v[k].rect))
			return err_set(e, E_INTERNAL, "node '%s': what it needs of '%s' was not planned", nn->id, src->id);
		in[k] = view_sub(from, nd->v[k].rect);
	}
	return 0;
}

static void copy_view(const struct view *from, const struct view *to)
{
	size_t n = (size_t)rect_w(to->r) * sizeof(float);
	for (int c = 0; c < to->nch; c++)
		for (int y = to->r.y0; y < to->r.y1; y++)
			memcpy(view_at(to, c, to->r.x0, y), view_at(from, c, to->r.x0, y), n);
}

static void place_planes(const struct net_node *nn, struct member *m, char **mem)
{
	m->view.r = m->r;
	m->view.stride = rect_w(m->r);
	m->view.nch = nn->fmt.nch;
	for (int c = 0; c < nn->fmt.nch; c++) {
		m->view.plane[c] = (float *)(void *)*mem;
		*mem += align64(rect_area(m->r) * sizeof(float));
	}
}

int stage_tile(const struct stage_job *j, struct rect r, const struct view *out, void *scratch,
               const atomic_int *cancel, struct err *e)
{
	int n = j->s->n;
	struct member *m = scratch;
	char *mem = (char *)scratch + align64((size_t)n * sizeof *m), *tail;
	struct view in[NODE_MAX_NEEDS];
	regions(j, r, m);
	for (int i = 0; i < n - 1; i++)
		if (!rect_empty(m[i].r) && !j->same[i]) place_planes(j->s->node[i], &m[i], &mem);
	tail = mem;
	m[n - 1].view = view_sub(out, r);
	for (int i = 0; i < n; i++) {
		if (rect_empty(m[i].r)) continue;
		if (gather(j, i, m, in, e) < 0) return -1;
		if (j->same[i] && i < n - 1) { m[i].view = in[0]; continue; }
		if (j->same[i]) { copy_view(&in[0], &m[i].view); continue; }
		if (net_run(j->s->node[i], &j->ctx[i], &j->common[i], j->frame, &m[i].needs, in, &m[i].view, tail,
		            NULL, NULL, cancel, e) < 0)
			return err_in(e, "node '%s' frame %d", j->s->node[i]->id, j->frame);
	}
	view_canon_nan(out, r);
	return 0;
}
