/* net_expand - composites: an expand (C) or build (Lua) asks for inner nodes, which become real ones.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "net_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"

enum { EXPAND_MAX = 4096 };

struct xnode *expand_input(struct expand *x, int conn)
{
	return conn >= 0 && conn < x->owner->nconn ? x->in[conn] : NULL;
}

const struct registry *expand_registry(const struct expand *x) { return x->net->scene->reg; }

struct xnode *expand_node(struct expand *x, const char *type, const char *name, struct err *e)
{
	const struct node_type *t = registry_find(x->owner->scene->reg, type);
	if (!t) {
		err_set(e, E_SCRIPT, "'%s' asks for a node type '%s' that does not exist",
		        x->owner->id, type);
		return NULL;
	}
	if (x->n >= EXPAND_MAX) {
		err_set(e, E_SCRIPT, "'%s' makes more than %d nodes", x->owner->id, EXPAND_MAX);
		return NULL;
	}
	/* a type that may decline may be made of itself, once */
	bool again = t->tile && !(x->owner->group && x->owner->group->owner->type == t);
	if (t == x->owner->type && !again) {
		err_set(e, E_SCRIPT, "node type '%s' is made of itself", type);
		return NULL;
	}
	if (t->flags & NF_SINK) {
		err_set(e, E_SCRIPT, "'%s': a composition cannot write files", type);
		return NULL;
	}
	struct xnode *n = arena_alloc(x->a, 1, sizeof *n);
	n->type = t;
	n->name = name && *name ? arena_strdup(x->a, name) : arena_printf(x->a, "%s%d", type, x->n + 1);
	for (int i = 0; i < x->n; i++)
		if (strcmp(x->x[i]->name, n->name) == 0) {
			err_set(e, E_SCRIPT, "'%s': two inner nodes named '%s'", x->owner->id, n->name);
			return NULL;
		}
	x->x = grow(x->x, (size_t)x->n, &x->cap, sizeof *x->x);
	x->x[x->n++] = n;
	return n;
}

int expand_connect(struct expand *x, struct xnode *n, const char *slot, struct xnode *from, struct err *e)
{
	struct slot s[NODE_MAX_SLOTS];
	int ns = node_slots(n->type, s), k = -1;
	for (int i = 0; i < ns; i++)
		if (strcmp(s[i].name, slot) == 0 || (i == 0 && strcmp(slot, "in") == 0)) k = i;
	if (k < 0) return err_set(e, E_SCRIPT, "'%s': %s has no input '%s'", x->owner->id, n->type->name, slot);
	int at = k;
	if (s[k].list) at = n->nconn > k ? n->nconn : k;
	if (at >= NODE_MAX_CONN) return err_set(e, E_SCRIPT, "'%s': too many inputs", x->owner->id);
	n->conn[at] = from;
	n->conn_slot[at] = k;
	if (at + 1 > n->nconn) n->nconn = at + 1;
	return 0;
}

int expand_set(struct expand *x, struct xnode *n, const char *param, const char *text, struct err *e)
{
	bool common = (n->type->flags & NF_MASKED) && param_find(node_common_params, param);
	if (!common && !param_find(n->type->params, param))
		return err_set(e, E_SCRIPT, "'%s': %s has no parameter '%s'", x->owner->id, n->type->name, param);
	if (n->nset >= (int)IN_COUNT(n->set)) return err_set(e, E_SCRIPT, "'%s': too many parameters", x->owner->id);
	n->set[n->nset].param = arena_strdup(x->a, param);
	n->set[n->nset++].text = arena_strdup(x->a, text);
	return 0;
}

int expand_set_num(struct expand *x, struct xnode *n, const char *param, const double *v,
                   int nv, struct err *e)
{
	char text[256] = "", one[40];
	for (int i = 0; i < nv && i < 4; i++) {
		mx_print(v[i], one);
		if (i) strcat(text, " ");
		strcat(text, one);
	}
	return expand_set(x, n, param, text, e);
}

void expand_output(struct expand *x, struct xnode *n) { x->out = n; }
void expand_common(struct expand *x, struct xnode *n) { (void)x; n->common = true; }

int expand_finish(struct expand *x, struct xnode *n, struct xnode *mask, struct err *e)
{
	if (mask && expand_connect(x, n, "mask", mask, e) < 0) return -1;
	expand_common(x, n);
	expand_output(x, n);
	return 0;
}

bool expand_masked(const struct expand *x)
{
	const struct net_node *o = x->owner;
	for (int i = 0; i < o->nconn; i++)
		if (o->conn[i] && strcmp(o->slot[o->conn_slot[i]].name, "mask") == 0) return true;
	return o->common.mix != 1.0 || o->animated;
}

int expand_run(struct net *n, const struct net_node *owner, const struct node_ctx *ctx, struct arena *a,
               struct expand **out, struct err *e)
{
	struct expand *x = arena_alloc(a, 1, sizeof *x);
	*x = (struct expand){ .net = n, .owner = (struct net_node *)owner, .ctx = ctx, .a = a };
	for (int i = 0; i < owner->nconn; i++) {
		if (!owner->conn[i]) continue;
		x->in[i] = arena_alloc(a, 1, sizeof **x->in);
		x->in[i]->input = owner->conn[i];
	}
	pthread_mutex_lock(&n->priv->lock);
	int rc = owner->type->expand(x, ctx, e);
	pthread_mutex_unlock(&n->priv->lock);
	struct xnode **kept = arena_alloc(a, (size_t)x->n + 1, sizeof *kept);
	if (x->n) memcpy(kept, x->x, (size_t)x->n * sizeof *kept);
	free(x->x);
	x->x = kept;
	if (rc < 0) return err_in(e, "node '%s'", owner->id);
	if (rc == EXPAND_NOT) return rc;
	if (!x->out) return err_set(e, E_SCRIPT, "node '%s': its composition returns no picture", owner->id);
	*out = x;
	return 0;
}

/* How deep compositions stand inside each other. */
static int group_depth(const struct net_node *nn)
{
	int d = 0;
	for (const struct net_group *g = nn->group; g; g = g->owner->group) d++;
	return d;
}

static int build_one(struct net *n, struct net_node *owner, struct xnode *xn, int index, struct net_group *g)
{
	char id[700];
	snprintf(id, sizeof id, "%.400s/%.200s", owner->id, xn->name);
	struct net_node *nn = make_node(n, xn->type, id, owner);
	nn->group = g;
	nn->group_index = index;
	nn->animated = owner->animated;
	nn->nconn = nn->nslot;
	for (int i = 0; i < nn->nslot; i++) nn->conn_slot[i] = i;
	if (nn->nslot && nn->slot[nn->nslot - 1].list) nn->nconn = nn->nslot - 1;
	for (int i = 0; i < xn->nconn; i++) {
		if (!xn->conn[i]) continue;
		nn->conn[i] = xn->conn[i]->input ? xn->conn[i]->input : xn->conn[i]->made;
		nn->conn_slot[i] = xn->conn_slot[i];
		if (i + 1 > nn->nconn) nn->nconn = i + 1;
	}
	for (int i = 0; i < nn->nslot; i++)
		if (!nn->slot[i].optional && !nn->slot[i].list && !nn->conn[i]) {
			net_diag(n, owner, E_SCRIPT, "%s: input '%s' is not connected", id, nn->slot[i].name);
			return -1;
		}
	xn->made = nn;
	if (finish_node(n, nn, NULL) < 0) return -1;
	owner->traits |= nn->traits;
	return 0;
}

int expand_build(struct net *n, struct net_node *owner)
{
	struct err e = ERR_INIT;
	struct expand *x = NULL;
	if (group_depth(owner) > 16) {
		net_diag(n, owner, E_SCRIPT, "compositions stand more than 16 deep");
		return -1;
	}
	int rc = expand_run(n, owner, &owner->ctx, n->a, &x, &e);
	if (rc < 0) {
		net_diag(n, owner, e.code ? e.code : E_SCRIPT, "%s", e.msg);
		return -1;
	}
	if (rc == EXPAND_NOT) return rc;
	struct net_group *g = arena_alloc(n->a, 1, sizeof *g);
	g->owner = owner;
	g->made = x;
	for (int i = 0; i < x->n; i++)
		if (build_one(n, owner, x->x[i], i, g) < 0) return -1;
	owner->stand_in = x->out->input ? x->out->input : x->out->made;
	owner->fmt = net_final(owner->stand_in)->fmt;
	return 0;
}
