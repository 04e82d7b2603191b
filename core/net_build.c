/* net_build - from a scene to a net: instances flattened, references resolved, sorted, finished in order.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "net_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grain_kernel.h"
#include "lut.h"
#include "mathx.h"
#include "seqname.h"

static int add_inst(struct net *n, const struct scene *s, struct inst *outer,
                    const struct elem *use, struct inst **out);

static const char *use_attr(const struct elem *use, const char *name)
{
	for (int i = 0; use && i < use->nattr; i++)
		if (strcmp(use->attr[i].name, name) == 0) return use->attr[i].value;
	return NULL;
}

static uint64_t prefix_hash(const char *prefix)
{
	struct sha s;
	if (!*prefix) return 0;
	sha_init(&s);
	sha_str(&s, prefix);
	struct key k = sha_end(&s);
	uint64_t h;
	memcpy(&h, k.b, sizeof h);
	return h ? h : 1;
}

static struct sym *add_sym(struct net *n, struct inst *in, const struct elem *el)
{
	struct sym *s = arena_alloc(n->a, 1, sizeof *s);
	strmap_put(&in->sym, el->id, s);
	return s;
}

static int add_elem(struct net *n, struct inst *in, const struct elem *el)
{
	if (!el->id) return 0;
	struct sym *s = add_sym(n, in, el);
	if (strcmp(el->tag, "input") == 0) {
		for (int i = 0; in->elem && i < in->elem->nref; i++)
			if (strcmp(in->elem->ref[i].slot, el->id) == 0) s->feed = &in->elem->ref[i];
		return 0;
	}
	if (strcmp(el->tag, "use") == 0) return el->used ? add_inst(n, el->used, in, el, &s->inst) : -1;
	if (!el->type) return -1;
	s->node = make_node(n, el->type, arena_printf(n->a, "%s%s", in->prefix, el->id), NULL);
	s->node->elem = el;
	s->node->scene = in->scene;
	s->node->inst = in;
	return 0;
}

static void add_passes(struct net *n, struct inst *in)
{
	int first = n->npass;
	for (int i = 0; i < in->scene->npass; i++) {
		struct net_pass *np = arena_alloc(n->a, 1, sizeof *np);
		np->pass = &in->scene->pass[i];
		np->scene = in->scene;
		np->id = arena_printf(n->a, "%s%s", in->prefix, np->pass->id ? np->pass->id : "");
		np->half = np->pass->depth && strcmp(np->pass->depth, "half") == 0;
		const char *path = np->pass->path && *np->pass->path ? np->pass->path : NULL;
		bool bare = !path || path[0] == '/' || strcmp(in->scene->dir, ".") == 0;
		np->path = !path || bare ? path : arena_printf(n->a, "%s/%s", in->scene->dir, path);
		n->pass = grow(n->pass, (size_t)n->npass, &n->priv->cpass, sizeof *n->pass);
		np->index = n->npass;
		n->pass[n->npass++] = np;
	}
	for (int k = 0; k < in->scene->nelem; k++) {
		const struct elem *el = &in->scene->elem[k];
		struct sym *s = el->pass >= 0 && el->id ? strmap_get(&in->sym, el->id) : NULL;
		if (!s || !s->node) continue;
		struct net_pass *np = s->node->pass = n->pass[first + el->pass];
		if (np->pass->out && strcmp(el->id, np->pass->out) == 0) np->result = s->node;
	}
}

static int add_inst(struct net *n, const struct scene *s, struct inst *outer,
                    const struct elem *use, struct inst **out)
{
	struct inst *in = arena_alloc(n->a, 1, sizeof *in);
	int bad = 0;
	in->scene = s;
	in->outer = outer;
	in->elem = use;
	in->prefix = use ? arena_printf(n->a, "%s%s.", outer->prefix, use->id) : "";
	in->noise = prefix_hash(in->prefix);
	in->ptext = arena_alloc(n->a, (size_t)s->nparam + 1, sizeof *in->ptext);
	in->pouter = arena_alloc(n->a, (size_t)s->nparam + 1, sizeof *in->pouter);
	for (int i = 0; i < s->nparam; i++) {
		const char *given = use_attr(use, s->param[i].name);
		in->ptext[i] = given ? given : s->param[i].value ? s->param[i].value : "";
		in->pouter[i] = given != NULL;
	}
	n->priv->inst = grow(n->priv->inst, (size_t)n->priv->ninst, &n->priv->cinst, sizeof *n->priv->inst);
	n->priv->inst[n->priv->ninst++] = in;
	for (int i = 0; i < s->nelem; i++) bad |= add_elem(n, in, &s->elem[i]);
	add_passes(n, in);
	*out = in;
	return bad;
}

/* The node behind a reference text of this instance; NULL for an input left open. */
static struct net_node *resolve(struct inst *in, const char *target, int depth)
{
	if (depth > 200) return NULL;
	struct sym *s = strmap_get(&in->sym, target);
	const char *face = NULL;
	char head[256];
	const char *dot = strchr(target, '.');
	if (!s && dot && (size_t)(dot - target) < sizeof head) {
		snprintf(head, sizeof head, "%.*s", (int)(dot - target), target);
		s = strmap_get(&in->sym, head);
		face = dot + 1;
	}
	if (!s) {
		for (int i = 0; i < in->scene->npass; i++)
			if (in->scene->pass[i].id && in->scene->pass[i].out && strcmp(in->scene->pass[i].id, target) == 0)
				return resolve(in, in->scene->pass[i].out, depth + 1);
		return NULL;
	}
	if (s->node) return s->node;
	if (s->feed) return resolve(in->outer, s->feed->target, depth + 1);
	if (!s->inst) return NULL;
	const struct scene *inner = s->inst->scene;
	for (int i = 0; i < inner->noutput; i++)
		if (!face || strcmp(inner->output[i].id, face) == 0)
			return resolve(s->inst, inner->output[i].node, depth + 1);
	return NULL;
}

static int connect_node(struct net *n, struct net_node *nn)
{
	nn->nconn = nn->nslot;
	for (int i = 0; i < nn->nslot; i++) nn->conn_slot[i] = i;
	if (nn->nslot && nn->slot[nn->nslot - 1].list) nn->nconn = nn->nslot - 1;
	for (int i = 0; i < nn->elem->nref; i++) {
		const struct ref *r = &nn->elem->ref[i];
		int k = 0;
		while (k < nn->nslot && strcmp(nn->slot[k].name, r->slot) != 0) k++;
		if (k == nn->nslot && strcmp(r->slot, "in") == 0) k = 0;
		if (k >= nn->nslot) { net_diag(n, nn, E_SCENE, "no input '%s'", r->slot); return -1; }
		int at = nn->slot[k].list ? k + r->index : k;
		if (at >= NODE_MAX_CONN) { net_diag(n, nn, E_SCENE, "more than %d inputs", NODE_MAX_CONN); return -1; }
		nn->conn[at] = resolve(nn->inst, r->target, 0);
		nn->conn_slot[at] = k;
		if (at + 1 > nn->nconn) nn->nconn = at + 1;
	}
	for (int i = 0; i < nn->nconn; i++) {
		const struct slot *s = &nn->slot[nn->conn_slot[i]];
		if (nn->conn[i] && (nn->conn[i]->type->flags & NF_SINK)) {
			net_diag(n, nn, E_SCENE, "input '%s' reads '%s', which gives no picture", s->name, nn->conn[i]->id);
			return -1;
		}
		if (nn->conn[i] || s->optional) continue;
		net_diag(n, nn, E_SCENE, "input '%s' is not connected", i ? s->name : "in");
		return -1;
	}
	return 0;
}

/* --- order --- */
struct step { struct net_node *nn; int next; };
struct order { struct net_node **v; int n; size_t cap; struct step *way; size_t cway; };

static void enter(struct order *o, int *depth, struct net_node *nn)
{
	nn->index = 1;
	o->way = grow(o->way, (size_t)*depth, &o->cway, sizeof *o->way);
	o->way[(*depth)++] = (struct step){ nn, 0 };
}

/* Inputs first. An explicit stack: chains may be as long as a scene may be. */
static int visit(struct net *n, struct order *o, struct net_node *root)
{
	int depth = 0;
	if (root->index == 2) return 0;
	enter(o, &depth, root);
	while (depth > 0) {
		struct step *s = &o->way[depth - 1];
		struct net_node *nn = s->nn;
		while (s->next < nn->nconn && (!nn->conn[s->next] || nn->conn[s->next]->index == 2)) s->next++;
		if (s->next == nn->nconn) {
			nn->index = 2;
			o->v = grow(o->v, (size_t)o->n, &o->cap, sizeof *o->v);
			o->v[o->n++] = nn;
			depth--;
			continue;
		}
		struct net_node *to = nn->conn[s->next];
		if (to->index == 1) { net_diag(n, to, E_SCENE, "'%s' depends on itself", to->id); return -1; }
		enter(o, &depth, to);
	}
	return 0;
}

static int sort_nodes(struct net *n, struct order *o)
{
	int bad = 0;
	for (int i = 0; i < n->priv->ninst; i++) {
		struct inst *in = n->priv->inst[i];
		for (int k = 0; k < in->scene->nelem; k++) {
			struct sym *s = in->scene->elem[k].id ? strmap_get(&in->sym, in->scene->elem[k].id) : NULL;
			if (s && s->node && connect_node(n, s->node) < 0) bad = -1;
		}
	}
	for (int i = 0; !bad && i < n->priv->ninst; i++) {
		struct inst *in = n->priv->inst[i];
		for (int k = 0; k < in->scene->nelem; k++) {
			struct sym *s = in->scene->elem[k].id ? strmap_get(&in->sym, in->scene->elem[k].id) : NULL;
			if (s && s->node && visit(n, o, s->node) < 0) return -1;
		}
	}
	return bad;
}

/* --- passes --- */
static double pass_cost(const struct net_pass *np)
{
	double flops = 0, out = (double)rect_area(np->result->fmt.data);
	for (const struct net_node *nn = np->first; nn; nn = nn->next_in_pass) {
		double per = nn->type->flops ? nn->type->flops(&nn->ctx) : 20;
		flops += per * (double)rect_area(nn->fmt.data) / (out > 0 ? out : 1);
	}
	return flops;
}

/* A composition's own traits count as well as those of what it is made of. */
static unsigned with_owners(const struct net_node *nn)
{
	unsigned traits = nn->traits;
	for (const struct net_group *g = nn->group; g; g = g->owner->group) traits |= g->owner->traits;
	return traits;
}

/* A pass with an AI process or keep="always" is kept; "auto" keeps when reading back (about 40 ns a
 * pixel of compressed float EXR, here taken as 400 operations) costs less than computing. */
static int finish_pass(struct net *n, struct net_pass *np)
{
	const char *keep = np->pass->keep ? np->pass->keep : "auto";
	struct net_node *res = net_final(np->result);
	for (const struct net_node *nn = np->first; nn; nn = nn->next_in_pass) np->traits |= with_owners(nn);
	np->kept = (np->traits & TR_AI) || strcmp(keep, "always") == 0 || n->priv->o->keep_all ||
	           (strcmp(keep, "auto") == 0 && pass_cost(np) > 400) || np->path;
	if (np->path && !seq_is_pattern(np->path)) {
		diag_add(n->priv->d, DIAG_ERROR, E_SCENE, np->scene->file, np->pass->line, np->id,
		         "for example path=\"look.####.exr\"",
		         "path=\"%s\" has no place for the frame number", np->pass->path);
		return -1;
	}
	if (np->half) {
		struct net_node *h = make_node(n, node_type_find("half"), arena_printf(n->a, "%s/half", res->id), res);
		h->conn[0] = res;
		h->nconn = 1;
		if (finish_node(n, h, NULL) < 0) return -1;
		np->result->stand_in = res == np->result ? h : np->result->stand_in;
		res->stand_in = h;
		res = h;
	}
	np->result = res;
	res->pass = np;
	if (np->kept && (!n->priv->o->no_cache || np->path)) res->keep = true;
	return 0;
}

static int finish_all(struct net *n, const struct order *o)
{
	int bad = 0;
	for (int i = 0; i < o->n; i++) {
		struct net_node *nn = o->v[i];
		bool ready = true;
		for (int k = 0; k < nn->nconn; k++)
			if (nn->conn[k] && nn->conn[k]->index == -1) ready = false;
		nn->index = 0;
		if (!ready || finish_node(n, nn, nn->inst) < 0) {
			nn->index = -1;
			bad = -1;
			continue;
		}
		if (nn->pass && nn->pass->result == nn && finish_pass(n, nn->pass) < 0) bad = -1;
	}
	return bad;
}

/* --- what is asked for --- */
static void add_write(struct net *n, struct net_node *nn)
{
	n->write = grow(n->write, (size_t)n->nwrite, &n->priv->cwrite, sizeof *n->write);
	n->write[n->nwrite++] = nn;
}

static int add_target(struct net *n, const char *id)
{
	struct net_node *nn = net_find(n, id);
	if (!nn) {
		net_diag(n, NULL, E_USAGE, "--only %s: no such write, pass or node", id);
		return -1;
	}
	if (nn->type->flags & NF_SINK) {
		add_write(n, nn);
		return 0;
	}
	nn->keep = nn->asked = true;
	n->target = xrealloc(n->target, (size_t)n->ntarget + 1, sizeof *n->target);
	n->target[n->ntarget++] = nn;
	return 0;
}

static int pick_targets(struct net *n, const char *only)
{
	if (!only) {
		for (int i = 0; i < n->nnode; i++)
			if (n->node[i]->type->flags & NF_SINK) add_write(n, n->node[i]);
		return 0;
	}
	int rc = 0;
	char *list = xstrdup(only), *save = NULL;
	for (char *id = strtok_r(list, ",", &save); id; id = strtok_r(NULL, ",", &save))
		if (add_target(n, id) < 0) rc = -1;
	free(list);
	return rc;
}

size_t net_reserve(const struct net *n)
{
	size_t sum = 0;
	for (int i = 0; i < n->nnode; i++) {
		const struct net_node *nn = n->node[i];
		if (!(nn->type->flags & NF_SINK) && nn->type->reserve) sum += nn->type->reserve(&nn->ctx);
	}
	for (int k = 0; k < n->nwrite; k++) {
		const struct net_node *nn = n->write[k];
		if (nn->type->reserve) sum += nn->type->reserve(&nn->ctx);
	}
	return sum;
}

void net_ask(struct net *n, struct net_node **nodes, int count)
{
	for (int i = 0; i < n->ntarget; i++) n->target[i]->asked = false;
	n->nwrite = 0;
	n->target = xrealloc(n->target, (size_t)count + 1, sizeof *n->target);
	n->ntarget = 0;
	for (int i = 0; i < count; i++) {
		bool twice = false;
		for (int k = 0; k < n->ntarget; k++) twice |= n->target[k] == nodes[i];
		nodes[i]->asked = true;
		if (!twice) n->target[n->ntarget++] = nodes[i];
	}
}

struct net_node *net_find(const struct net *n, const char *id)
{
	for (int i = 0; i < n->npass; i++)
		if (n->pass[i]->result && strcmp(n->pass[i]->id, id) == 0) return n->pass[i]->result;
	struct net_node *nn = strmap_get(&n->priv->ids, id);
	if (nn) return net_final(nn);
	struct net_node *raw = n->priv->ninst ? resolve(n->priv->inst[0], id, 0) : NULL;
	for (int i = 0; !raw && i < n->priv->ninst; i++) {
		struct inst *in = n->priv->inst[i];
		size_t len = strlen(in->prefix);
		if (strncmp(id, in->prefix, len) == 0) raw = resolve(in, id + len, 0);
	}
	return raw && raw->index != -1 ? net_final(raw) : NULL;
}

struct net *net_build(const struct scene *s, const struct net_opts *o, struct diags *d)
{
	struct net *n = xalloc(1, sizeof *n);
	struct order order = { 0 };
	struct inst *top;
	n->priv = xalloc(1, sizeof *n->priv);
	pthread_mutex_init(&n->priv->lock, NULL);
	n->priv->o = o;
	n->priv->d = d;
	n->priv->leave = o->leave;
	n->priv->luts = lut_store_new();
	n->priv->grains = grain_store_new();
	n->a = arena_new();
	n->scene = s;
	n->host = s->reg ? s->reg->host : NULL;
	n->fps = s->has_fps ? s->fps : (struct rational){ 0, 1 };
	n->scale = o->proxy > 1 ? 1.0 / o->proxy : 1.0;
	n->working = colour_find(s->working && *s->working ? s->working : "acescg");
	bool ok = n->working >= 0 && colour_is_linear(n->working);
	if (!ok) net_diag(n, NULL, E_SCENE, "working=\"%s\": not a linear colour space", s->working);
	if (add_inst(n, s, NULL, NULL, &top) < 0) ok = false;
	if (ok && (sort_nodes(n, &order) < 0 || finish_all(n, &order) < 0)) ok = false;
	if (ok && pick_targets(n, o->only) < 0) ok = false;
	free(order.v);
	free(order.way);
	n->priv->o = NULL;
	n->priv->d = NULL;
	if (!ok) net_free(&n);
	return n;
}

void net_free(struct net **np)
{
	struct net *n = *np;
	if (!n) return;
	for (int i = n->nnode - 1; i >= 0; i--)
		if (n->node[i]->type->close) n->node[i]->type->close(&n->node[i]->ctx);
	for (int i = 0; i < n->priv->ninst; i++) strmap_free(&n->priv->inst[i]->sym);
	strmap_free(&n->priv->ids);
	lut_store_free(&n->priv->luts);
	grain_store_free(&n->priv->grains);
	pthread_mutex_destroy(&n->priv->lock);
	free(n->priv->inst);
	free(n->priv);
	free(n->node);
	free(n->pass);
	free(n->write);
	free(n->target);
	arena_free(&n->a);
	free(n);
	*np = NULL;
}

/* --- a node at a frame --- */
struct ctx_block { struct arena *a; };

int net_ctx_at(struct net *n, const struct net_node *nn, int frame, struct node_ctx *out,
               struct node_common *common, struct err *e)
{
	*out = nn->ctx;
	*common = nn->common;
	if (!nn->animated) return 0;
	struct arena *a = arena_new();
	struct ctx_block *b = arena_alloc(a, 1, sizeof *b + 16 + nn->type->size);
	b->a = a;
	void *v = (char *)b + 16;
	out->v = v;
	out->state = NULL;
	if (bind_fill(n, nn, frame, v, common, a, e) < 0 ||
	    (nn->type->open && nn->type->open(out, e) < 0)) {
		arena_free(&a);
		return err_in(e, "node '%s' frame %d", nn->id, frame);
	}
	return 0;
}

void net_ctx_free(const struct net_node *nn, struct node_ctx *c)
{
	if (!nn->animated || !c->v || c->v == nn->ctx.v) return;
	if (nn->type->close) nn->type->close(c);
	struct ctx_block *b = (struct ctx_block *)(void *)((char *)(uintptr_t)c->v - 16);
	struct arena *a = b->a;
	c->v = NULL;
	arena_free(&a);
}
