/* shots - see shots.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "shots.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int shot_middle(const struct net_node *nn)
{
	int last = nn->fmt.last == INT_MAX ? nn->fmt.first : nn->fmt.last;
	return nn->fmt.first + (last - nn->fmt.first) / 2;
}

/* The <use> of the scene itself that the node belongs to, or NULL. */
static const struct elem *use_of(const struct net *n, const struct net_node *nn)
{
	size_t len = strcspn(nn->id, ".");
	if (!nn->id[len]) return NULL;
	for (int i = 0; i < n->scene->nelem; i++) {
		const struct elem *el = &n->scene->elem[i];
		if (el->used && strlen(el->id) == len && strncmp(el->id, nn->id, len) == 0) return el;
	}
	return NULL;
}

/* Nodes that the core made itself are told by their owner's id. */
static int plain_len(const char *id)
{
	return (int)strcspn(id, "/");
}

static void add(struct shots *s, const char *name, int len, struct net_node *nn,
                const struct net_node *source)
{
	struct shot shot = { .node = nn, .source = source, .frame = shot_middle(nn) };
	snprintf(shot.name, sizeof shot.name, "%.*s", len, name);
	for (int i = 0; i < s->n; i++)
		if (strcmp(s->v[i].name, shot.name) == 0 || (source && s->v[i].source == source)) return;
	s->v = grow(s->v, (size_t)s->n, &s->cap, sizeof *s->v);
	s->v[s->n++] = shot;
}

/* The first image input, or NULL; *list is set when there are others of the same slot. */
static struct net_node *first_input(const struct net_node *nn, bool *list)
{
	int seen = 0;
	struct net_node *up = NULL;
	for (int i = 0; i < nn->nconn; i++) {
		const struct slot *sl = &nn->slot[nn->conn_slot[i]];
		if (!nn->conn[i] || !sl->image || nn->conn_slot[i] != 0) continue;
		if (!up) up = nn->conn[i];
		seen += sl->list;
	}
	*list = seen > 1;
	return up;
}

/* from: what is shown of the shot. name: used where no <use> gives one. */
static void walk(const struct net *n, struct shots *s, struct net_node *from, const char *name,
                 int depth)
{
	const struct elem *use = NULL;
	struct net_node *nn = from, *next;
	bool list = false;
	for (;; nn = next) {
		if (!use) use = use_of(n, nn);
		next = first_input(nn, &list);
		if (!next) break;
		if (!list || depth > 8) continue;
		for (int i = 0; i < nn->nconn; i++)
			if (nn->conn[i] && nn->conn_slot[i] == 0) walk(n, s, nn->conn[i], NULL, depth + 1);
		return;
	}
	if (use) add(s, use->id, (int)strlen(use->id), from, NULL);
	else if (name) add(s, name, (int)strlen(name), from, nn);
	else add(s, nn->id, plain_len(nn->id), from, nn);
}

static void passes_that_end(const struct net *n, struct shots *s)
{
	for (int i = 0; i < n->npass; i++)
		if (n->pass[i]->result && n->pass[i]->result->uses == 0) walk(n, s, n->pass[i]->result,
			n->pass[i]->id, 0);
	for (int i = 0; i < n->nnode && !s->n; i++)
		if ((n->node[i]->type->traits & TR_SOURCE) && !n->node[i]->group)
			add(s, n->node[i]->id, plain_len(n->node[i]->id), n->node[i], n->node[i]);
}

void shots_find(const struct net *n, struct shots *out)
{
	*out = (struct shots){ 0 };
	for (int i = 0; i < n->nwrite; i++) walk(n, out, n->write[i]->conn[0], n->write[i]->id, 0);
	for (int i = 0; i < n->scene->nelem; i++) {
		const struct elem *el = &n->scene->elem[i];
		struct net_node *nn = el->used ? net_find(n, el->id) : NULL;
		if (nn) add(out, el->id, (int)strlen(el->id), nn, NULL);
	}
	if (!out->n) passes_that_end(n, out);
}

void shots_free(struct shots *s)
{
	free(s->v);
	*s = (struct shots){ 0 };
}

void shot_at(const struct net *n, const struct net_node *nn, int frame, struct shot_at *out)
{
	const struct elem *use = NULL;
	*out = (struct shot_at){ "", NULL, frame };
	for (;;) {
		struct needs nd = { .n = 0 };
		if (!use) use = use_of(n, nn);
		if (!nn->nconn || !nn->conn[0]) break;
		net_needs(nn, &nn->ctx, out->frame, nn->fmt.data, &nd);
		int conn = nd.n ? nd.v[0].conn : 0;
		if (nd.n) out->frame = nd.v[0].frame;
		if (!nn->conn[conn]) break;
		nn = nn->conn[conn];
	}
	if (nn->type->traits & TR_SOURCE) out->source = nn;
	out->name = use ? use->id : nn->id;
}
