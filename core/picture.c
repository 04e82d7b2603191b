/* picture - see picture.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "picture.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "net_int.h"

enum { EDIT_TRAITS = TR_SOURCE | TR_RETIME | TR_DISSOLVE, MAX_FRAMES = 200000 };

struct gather { const struct net *n; struct picture *out; unsigned *traits; bool *ai; struct err *e; };

/* The composite that nn is part of, or nn. */
static struct net_node *whole(struct net_node *nn)
{
	while (nn->group) nn = nn->group->owner;
	return nn;
}

static void add(struct gather *g, const struct net_node *nn, const char *name, const char *value)
{
	struct picture *p = g->out;
	p->v = grow(p->v, (size_t)p->n, &p->cap, sizeof *p->v);
	p->v[p->n++] = (struct picture_fact){ nn->id, name, value, nn };
}

/* Traits of every node with those of the composites around it; and which stand below an AI process. */
static void survey(struct gather *g)
{
	g->traits = xalloc((size_t)g->n->nnode + 1, sizeof *g->traits);
	g->ai = xalloc((size_t)g->n->nnode + 1, sizeof *g->ai);
	for (int i = 0; i < g->n->nnode; i++) {
		const struct net_node *nn = g->n->node[i];
		g->traits[i] = nn->traits;
		for (const struct net_group *o = nn->group; o; o = o->owner->group) g->traits[i] |= o->owner->traits;
		for (int k = 0; k < nn->nconn; k++) {
			const struct net_node *up = nn->conn[k];
			if (up && (g->ai[up->index] || (g->traits[up->index] & TR_AI))) g->ai[i] = true;
		}
	}
}

static bool has_edit_param(const struct net_node *nn)
{
	for (const struct param *p = nn->type->params; p && p->name; p++)
		if (p->flags & PF_EDIT) return true;
	return false;
}

/* --- values --- */

/* What is animated counts by its values on all frames, so that a <param> in an expression counts too. */
static int animated_text(struct gather *g, const struct net_node *nn, const struct bind *b, const char **out)
{
	struct arena *a = arena_new();
	struct sha s;
	char hex[65];
	int64_t last = nn->fmt.last;
	int rc = 0;
	if (last - nn->fmt.first > MAX_FRAMES) last = (int64_t)nn->fmt.first + MAX_FRAMES;
	sha_init(&s);
	for (int64_t f = nn->fmt.first; f <= last && rc == 0; f++) {
		struct node_common common;
		void *v = arena_alloc(a, 1, nn->type->size + 1);
		rc = bind_fill((struct net *)(uintptr_t)g->n, nn, (int)f, v, &common, a, g->e);
		bool own = param_find(nn->type->params, b->p->name) == b->p;
		if (rc == 0) sha_str(&s, param_text(b->p, own ? v : (const void *)&common, a));
		if (f % 1000 == 0) { arena_free(&a); a = arena_new(); }
	}
	arena_free(&a);
	struct key k = sha_end(&s);
	key_hex(&k, hex);
	*out = arena_printf(g->out->a, "animated %.16s", hex);
	return rc;
}

static int file_text(const char *path, struct arena *a, const char **out, struct err *e)
{
	struct key k;
	char hex[65];
	*out = "";
	if (!path || !*path) return 0;
	if (hash_file(path, &k, e) < 0) return -1;
	key_hex(&k, hex);
	*out = arena_strdup(a, hex);
	return 0;
}

/* What is left at its default is no fact: locks stay short, and a fact that
 * is gone is back at its default. */
static bool is_default(const struct bind *b, struct arena *a)
{
	struct value def = { 0 };
	return b->kind == BIND_CONST && value_default(b->p, a, &def) == 0 &&
	       strcmp(value_print(b->p, &def, a), value_print(b->p, &b->val, a)) == 0;
}

static int add_binds(struct gather *g, const struct net_node *nn, const struct bind *bind, int n, bool all)
{
	for (int i = 0; i < n; i++) {
		const struct bind *b = &bind[i];
		const char *text = "", *path;
		int rc = 0;
		if ((b->p->flags & (PF_NOKEY | PF_MEDIA | PF_HIDDEN)) || !(all || (b->p->flags & PF_EDIT))) continue;
		if (is_default(b, g->out->a)) continue;
		if (b->kind != BIND_CONST) rc = animated_text(g, nn, b, &text);
		else if (b->p->flags & PF_FILE) {
			memcpy(&path, (const char *)nn->ctx.v + b->p->off, sizeof path);
			rc = file_text(path, g->out->a, &text, g->e);
		} else text = value_print(b->p, &b->val, g->out->a);
		if (rc < 0) return err_in(g->e, "node '%s'", nn->id);
		add(g, nn, b->p->name, text);
	}
	return 0;
}

static int add_params(struct gather *g, const struct net_node *nn, bool all)
{
	return add_binds(g, nn, nn->bind, nn->nbind, all);
}

/* One file by its SHA-256; a sequence by the files of all its frames. */
static int content_text(const struct net_node *nn, const char *path, struct arena *a,
                        const char **out, struct err *e)
{
	struct stat st;
	struct sha s;
	char hex[65];
	int64_t last = nn->fmt.last;
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) return file_text(path, a, out, e);
	if (last - nn->fmt.first > MAX_FRAMES) last = (int64_t)nn->fmt.first + MAX_FRAMES;
	sha_init(&s);
	for (int64_t f = nn->fmt.first; nn->type->content && f <= last; f++)
		if (nn->type->content(&nn->ctx, (int)f, &s, e) < 0) return -1;
	struct key k = sha_end(&s);
	key_hex(&k, hex);
	*out = arena_strdup(a, hex);
	return 0;
}

static int add_content(struct gather *g, const struct net_node *nn)
{
	for (const struct param *p = nn->type->params; p && p->name; p++) {
		const char *path, *text;
		if (!(p->flags & PF_MEDIA)) continue;
		memcpy(&path, (const char *)nn->ctx.v + p->off, sizeof path);
		if (!path || !*path) continue;
		if (content_text(nn, path, g->out->a, &text, g->e) < 0) return err_in(g->e, "node '%s'", nn->id);
		add(g, nn, "file-content", text);
	}
	return 0;
}

static void add_span(struct gather *g, const struct net_node *nn, const struct format *f)
{
	struct arena *a = g->out->a;
	add(g, nn, "of-type", nn->type->name);
	add(g, nn, "frame-range", f->last == INT_MAX ? arena_printf(a, "%d-", f->first)
	    : arena_printf(a, "%d-%d", f->first, f->last));
	if (f->fps.num) add(g, nn, "frame-rate", arena_printf(a, "%d/%d", f->fps.num, f->fps.den));
}

/* --- what feeds what --- */

struct stack { const struct net_node **v; int n; size_t cap; bool *seen; };

/* What nn reads as pictures, the first input on top; masks and references left out. */
static void push_inputs(struct stack *st, const struct net_node *nn)
{
	for (int i = nn->nconn - 1; i >= 0; i--) {
		const struct slot *s = &nn->slot[nn->conn_slot[i]];
		const struct net_node *up = nn->conn[i];
		if (!up || !s->image || s->apart || st->seen[up->index]) continue;
		st->v = grow(st->v, (size_t)st->n, &st->cap, sizeof *st->v);
		st->v[st->n++] = up;
	}
}

/* Sources and edits that a node reads with nothing of their kind between, in the order of its inputs. */
static void add_feeds(struct gather *g, const struct net_node *at, const struct net_node *as,
                      const char *name)
{
	struct stack st = { .seen = xalloc((size_t)g->n->nnode + 1, sizeof *st.seen) };
	const char *text = "";
	push_inputs(&st, at);
	while (st.n > 0) {
		struct net_node *up = g->n->node[st.v[--st.n]->index];
		if (st.seen[up->index]) continue;
		st.seen[up->index] = true;
		bool edit = (g->traits[up->index] & EDIT_TRAITS) && !g->ai[up->index] && whole(up) != as;
		if (edit) text = arena_printf(g->out->a, "%s%s%s", text, *text ? " " : "", whole(up)->id);
		else push_inputs(&st, up);
	}
	if (at->nconn) add(g, as, name, text);
	free(st.v);
	free(st.seen);
}

static bool known(const struct gather *g, const struct net_node *nn)
{
	for (int i = 0; i < g->out->n; i++)
		if (g->out->v[i].nn == nn) return true;
	return false;
}

static int add_node(struct gather *g, struct net_node *inner)
{
	struct net_node *nn = whole(inner);
	bool edit = g->traits[inner->index] & EDIT_TRAITS;
	if (g->ai[inner->index]) return 0;
	if (!inner->group && strchr(inner->id, '/')) return 0;       /* the core's own conversions */
	if (!edit && !has_edit_param(nn)) return 0;
	if (known(g, nn)) return 0;
	if (!edit) return add_params(g, nn, false);
	add_span(g, nn, &inner->fmt);
	add_feeds(g, inner, nn, "in");
	if (add_params(g, nn, true) < 0) return -1;
	return add_content(g, nn);
}

static int by_place(const void *a, const void *b)
{
	const struct picture_fact *x = a, *y = b;
	int c = strcmp(x->node, y->node);
	return c ? c : strcmp(x->name, y->name);
}

int picture_collect(const struct net *n, struct picture *out, struct err *e)
{
	struct gather g = { .n = n, .out = out, .e = e };
	int rc = 0;
	*out = (struct picture){ .a = arena_new() };
	survey(&g);
	for (int i = 0; i < n->nnode && rc == 0; i++) {
		struct net_node *nn = n->node[i];
		if (nn->type->flags & NF_SINK) add_feeds(&g, nn, nn, "sources");
		else rc = add_node(&g, nn);
	}
	free(g.traits);
	free(g.ai);
	if (rc == 0 && out->n) qsort(out->v, (size_t)out->n, sizeof *out->v, by_place);
	if (rc < 0) picture_free(out);
	return rc;
}

/* --- every node, for the lock --- */

/* What nn reads, slot by slot; what the core put between is looked through. */
static void add_wires(struct gather *g, const struct net_node *nn)
{
	for (int k = 0; k < nn->nslot; k++) {
		const char *text = "";
		for (int i = 0; i < nn->nconn; i++) {
			struct net_node *up = nn->conn_slot[i] == k ? nn->conn[i] : NULL;
			while (up && !up->group && strchr(up->id, '/') && up->nconn && up->conn[0]) up = up->conn[0];
			if (up) text = arena_printf(g->out->a, "%s%s%s", text, *text ? " " : "", whole(up)->id);
		}
		if (*text) add(g, nn, arena_strdup(g->out->a, slot_attr(&nn->slot[k])), text);
	}
}

int picture_params(const struct net *n, struct picture *out, struct err *e)
{
	struct gather g = { .n = n, .out = out, .e = e };
	const struct net_node *before = NULL;
	int rc = 0;
	*out = (struct picture){ .a = arena_new() };
	for (int i = 0; i < n->nnode && rc == 0; i++) {
		const struct net_node *nn = whole(n->node[i]);
		if ((nn == n->node[i] && strchr(nn->id, '/')) || nn == before) continue;
		if (nn != n->node[i] && known(&g, nn)) continue;
		before = nn;
		add(&g, nn, "of-type", nn->type->name);
		add_wires(&g, nn);
		rc = add_params(&g, nn, true);
		if (rc == 0 && (nn->type->flags & NF_MASKED)) rc = add_binds(&g, nn, nn->cbind, nn->ncbind, true);
	}
	if (rc == 0 && out->n) qsort(out->v, (size_t)out->n, sizeof *out->v, by_place);
	if (rc < 0) picture_free(out);
	return rc;
}

struct key picture_hash(const struct picture *p)
{
	struct sha s;
	sha_init(&s);
	for (int i = 0; i < p->n; i++) {
		sha_str(&s, p->v[i].node);
		sha_str(&s, p->v[i].name);
		sha_str(&s, p->v[i].value);
	}
	return sha_end(&s);
}

void picture_free(struct picture *p)
{
	free(p->v);
	if (p->a) arena_free(&p->a);
	*p = (struct picture){ 0 };
}
