/* net_make - one node made runnable: conversions before it, its context, format, expansion.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "net_int.h"

#include "mathx.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void net_diag(struct net *n, const struct net_node *nn, enum err_code code, const char *fmt, ...)
{
	char buf[1200], where[300];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	bool el = nn && nn->elem;
	diag_add(n->priv->d, DIAG_ERROR, code, nn ? nn->scene->file : n->scene->file, el ? nn->elem->line : 0,
	         el ? elem_where(nn->elem, where, sizeof where) : "", "", "%s", buf);
}

struct net_node *make_node(struct net *n, const struct node_type *t, const char *id,
                           const struct net_node *owner)
{
	struct net_node *nn = arena_alloc(n->a, 1, sizeof *nn);
	nn->id = arena_strdup(n->a, id);
	nn->type = t;
	nn->nslot = node_slots(t, nn->slot);
	if (owner) {
		nn->elem = owner->elem;
		nn->scene = owner->scene;
		nn->inst = owner->inst;
		nn->pass = owner->pass;
	}
	return nn;
}

struct net_node *net_final(struct net_node *nn)
{
	while (nn && nn->stand_in) nn = nn->stand_in;
	return nn;
}

static bool has_rgb(const struct format *f)
{
	return format_channel(f, "R") >= 0 && format_channel(f, "G") >= 0 && format_channel(f, "B") >= 0;
}

static const char *over_text(const struct net *n, const char *id, const char *param)
{
	const char *text = NULL;
	for (int i = 0; i < n->priv->o->nover; i++) {
		const struct solve_over *ov = &n->priv->o->over[i];
		for (int k = 0; strcmp(ov->node, id) == 0 && k < ov->nattr; k++)
			if (strcmp(ov->attr[k].name, param) == 0) text = ov->attr[k].value;
	}
	return text;
}

/* A made node with constant attributes given as texts. */
static struct net_node *make_const(struct net *n, const char *type, struct net_node *src, const char *what,
                                   const char *const *attrs, struct net_pass *pass)
{
	const struct node_type *t = node_type_find(type);
	if (!t) { net_diag(n, src, E_INTERNAL, "no node type '%s'", type); return NULL; }
	char id[600];
	snprintf(id, sizeof id, "%.500s/%s", src->id, what);
	struct net_node *nn = make_node(n, t, id, src);
	nn->pass = pass;
	nn->conn[0] = src;
	nn->nconn = 1;
	nn->nbind = param_count(t->params);
	nn->bind = arena_alloc(n->a, (size_t)nn->nbind + 1, sizeof *nn->bind);
	nn->ncbind = t->flags & NF_MASKED ? param_count(node_common_params) : 0;
	nn->cbind = arena_alloc(n->a, (size_t)nn->ncbind + 1, sizeof *nn->cbind);
	struct err e = ERR_INIT;
	for (int i = 0; i < nn->ncbind; i++) {
		nn->cbind[i] = (struct bind){ .p = &node_common_params[i], .scene = nn->scene };
		if (value_default(nn->cbind[i].p, n->a, &nn->cbind[i].val) < 0) return NULL;
	}
	for (int i = 0; i < nn->nbind; i++) {
		nn->bind[i] = (struct bind){ .p = &t->params[i], .scene = nn->scene };
		const char *text = NULL;
		for (int k = 0; attrs[k]; k += 2)
			if (strcmp(attrs[k], t->params[i].name) == 0) text = attrs[k + 1];
		const char *told = over_text(n, nn->id, t->params[i].name);
		if (told) text = told;
		int rc = text ? value_parse(&t->params[i], text, n->a, &nn->bind[i].val, &e)
		              : value_default(&t->params[i], n->a, &nn->bind[i].val);
		if (rc < 0) { net_diag(n, src, E_INTERNAL, "%s: %s", id, e.msg); return NULL; }
	}
	return finish_node(n, nn, NULL) < 0 ? NULL : nn;
}

int convert_to(struct net *n, struct net_node **src, int space, const struct net_node *owner)
{
	struct net_node *s = *src;
	if (space < 0 || s->fmt.space == space || !has_rgb(&s->fmt)) return 0;
	if (s->fmt.space == colour_find("raw") || space == colour_find("raw")) return 0;
	for (int i = 0; i < s->nconv; i++)
		if (s->conv[i].space == space) { *src = s->conv[i].node; return 0; }
	const char *attrs[] = { "from", colour_name(s->fmt.space), "to", colour_name(space), NULL };
	struct net_node *c = make_const(n, "convert", s, colour_name(space), attrs, owner->pass);
	if (!c) return -1;
	if (s->nconv < (int)IN_COUNT(s->conv)) {
		s->conv[s->nconv].space = space;
		s->conv[s->nconv++].node = c;
	}
	*src = c;
	return 0;
}

/* Does a mask or mix stand over it? Then its input and its output must be of one space. */
static bool blended(const struct net_node *nn)
{
	if (!(nn->type->flags & NF_MASKED)) return false;
	for (int i = 0; i < nn->nconn; i++)
		if (nn->conn[i] && strcmp(nn->slot[nn->conn_slot[i]].name, "mask") == 0) return true;
	for (int i = 0; i < nn->ncbind; i++)
		if (nn->cbind[i].kind != BIND_CONST && strcmp(nn->cbind[i].p->name, "mix") == 0) return true;
	return nn->common.mix != 1;
}

static int want_space(const struct net *n, const struct net_node *nn, int conn)
{
	enum want w = nn->type->want_of ? nn->type->want_of(&nn->ctx, conn) : nn->type->want;
	if (w == WANT_ANY && nn->type->want != WANT_ANY && blended(nn)) w = nn->type->want;
	switch (w) {
	case WANT_LINEAR: return n->working;
	case WANT_LOG: return colour_find("acescct");
	case WANT_ENCODED: return nn->conn[0] ? nn->conn[0]->fmt.encoded : SPACE_NONE;
	default: return conn > 0 && nn->conn[0] ? nn->conn[0]->fmt.space : SPACE_NONE;
	}
}

/* Colour that is a space of the OpenColorIO config, "ocio:NAME": that name, else NULL. */
static const char *ocio_colour(const struct net_node *nn)
{
	const struct param *p = param_find(nn->type->params, "color");
	const char *v = NULL;
	if (!p || p->type != PT_STRING) return NULL;
	memcpy(&v, (const char *)nn->ctx.v + p->off, sizeof v);
	return v && strncmp(v, "ocio:", 5) == 0 ? v + 5 : NULL;
}

/* A source in such a space is brought to the working one before anybody reads it. */
static int add_ocio(struct net *n, struct net_node *nn)
{
	const char *name = nn->type->traits & TR_SOURCE ? ocio_colour(nn) : NULL;
	if (!name) return 0;
	const char *attrs[] = { "from", name, NULL };
	struct net_node *last = net_final(nn);
	last->stand_in = make_const(n, "ocio", last, "ocio", attrs, nn->pass);
	return last->stand_in ? 0 : -1;
}

/* A source whose highlights are lifted: the inverse tone stands behind it. */
static int add_expand(struct net *n, struct net_node *nn)
{
	const struct param *p = nn->type->traits & TR_SOURCE ? param_find(nn->type->params, "expand") : NULL;
	const struct param *q = p ? param_find(nn->type->params, "expand_cap") : NULL;
	char peak[40], cap[40];
	double v = 0, w = 0;
	if (!q) return 0;
	memcpy(&v, (const char *)nn->ctx.v + p->off, sizeof v);
	memcpy(&w, (const char *)nn->ctx.v + q->off, sizeof w);
	if (!(v > 0)) return 0;
	mx_print(v, peak);
	mx_print(w, cap);
	const char *attrs[] = { "direction", "expand", "peak", peak, "cap", cap, NULL };
	struct net_node *last = net_final(nn);
	last->stand_in = make_const(n, "tone", last, "expand", attrs, nn->pass);
	return last->stand_in ? 0 : -1;
}

/* The config that the graph names, or the graph that uses it. */
static const char *graph_config(struct net *n, const struct net_node *nn)
{
	for (const struct inst *in = nn->inst; in; in = in->outer)
		if (in->scene->ocio && *in->scene->ocio) return scene_path(in->scene, in->scene->ocio, n->a);
	return NULL;
}

/* A sink names the space of its files itself. */
static int sink_space(const struct net *n, const struct net_node *nn, int *space)
{
	const struct param *p = param_find(nn->type->params, "color");
	*space = SPACE_NONE;
	if (!p || !nn->conn[0]) return 0;
	const char *name = NULL;
	const struct node_ctx *c = &nn->ctx;
	char buf[64];
	if (nn->type->out_space) { *space = nn->type->out_space(c); return 0; }
	if (p->type == PT_STRING) memcpy(&name, (const char *)c->v + p->off, sizeof name);
	else if (p->type == PT_ENUM) {
		int k;
		memcpy(&k, (const char *)c->v + p->off, sizeof k);
		const char *s = p->choices;
		while (k-- > 0 && strchr(s, '|')) s = strchr(s, '|') + 1;
		snprintf(buf, sizeof buf, "%.*s", (int)strcspn(s, "|"), s);
		name = buf;
	}
	if (!name || !*name || strcmp(name, "input") == 0) return 0;
	if (strcmp(name, "working") == 0) *space = n->working;
	else if (strcmp(name, "encoded") == 0) *space = nn->conn[0]->fmt.encoded;
	else if ((*space = colour_find(name)) < 0) return -1;
	return 0;
}

/* What a sink wants to stand before it. */
static int add_front(struct net *n, struct net_node *nn)
{
	const char *const *attrs = NULL;
	const char *type = nn->type->front ? nn->type->front(&nn->ctx, &attrs) : NULL;
	if (!type) return 0;
	char what[300];
	snprintf(what, sizeof what, "%.200s-%s", nn->id, type);
	struct net_node *front = make_const(n, type, nn->conn[0], what, attrs, nn->pass);
	if (front) nn->conn[0] = front;
	return front ? 0 : -1;
}

static int convert_inputs(struct net *n, struct net_node *nn)
{
	if (nn->type->flags & NF_SINK) {
		int space;
		const char *attrs[] = { "to", ocio_colour(nn), NULL };
		if (attrs[1] && nn->conn[0] &&
		    !(nn->conn[0] = make_const(n, "ocio", nn->conn[0], attrs[1], attrs, nn->pass)))
			return -1;
		if (sink_space(n, nn, &space) < 0) {
			net_diag(n, nn, E_SCENE, "color: no such colour space");
			return -1;
		}
		if (nn->conn[0] && convert_to(n, &nn->conn[0], space, nn) < 0) return -1;
		if (nn->conn[0] && add_front(n, nn) < 0) return -1;
		nn->ctx.in[0] = nn->conn[0] ? &nn->conn[0]->fmt : NULL;
		return 0;
	}
	for (int i = 0; i < nn->nconn; i++) {
		if (!nn->conn[i] || !nn->slot[nn->conn_slot[i]].image) continue;
		if ((nn->type->flags & NF_RGB) && !has_rgb(&nn->conn[i]->fmt)) {
			net_diag(n, nn, E_SCENE, "needs channels R, G, B; '%s' has none", nn->conn[i]->id);
			return -1;
		}
		nn->ctx.in[i] = &nn->conn[i]->fmt;
		if (convert_to(n, &nn->conn[i], want_space(n, nn, i), nn) < 0) return -1;
		nn->ctx.in[i] = &nn->conn[i]->fmt;
	}
	return 0;
}

/* The id as the author wrote it: without what the core put behind it ("plate/acescg"). */
static const char *shown_id(const char *id, char *buf, size_t n)
{
	snprintf(buf, n, "%.*s", (int)strcspn(id, "/"), id);
	return buf;
}

/* Rates must be equal and ranges meet, except on slots named reference. */
static int start_format(struct net *n, struct net_node *nn, struct format *f)
{
	memset(f, 0, sizeof *f);
	f->par = (struct rational){ 1, 1 };
	f->fps = n->fps;
	f->first = 1;
	f->last = INT_MAX;
	f->space = f->encoded = colour_find("rec709");
	if (!nn->nconn || !nn->conn[0]) return 0;
	*f = nn->conn[0]->fmt;
	for (int i = 1; i < nn->nconn; i++) {
		const struct format *g = nn->conn[i] ? &nn->conn[i]->fmt : NULL;
		if (!g || nn->slot[nn->conn_slot[i]].apart) continue;
		if (f->fps.num && g->fps.num &&
		    (int64_t)f->fps.num * g->fps.den != (int64_t)g->fps.num * f->fps.den) {
			char a[200], b[200];
			net_diag(n, nn, E_SCENE, "inputs have different rates: '%s' %d/%d, '%s' %d/%d; retime one first",
			         shown_id(nn->conn[0]->id, a, sizeof a), f->fps.num, f->fps.den,
			         shown_id(nn->conn[i]->id, b, sizeof b), g->fps.num, g->fps.den);
			return -1;
		}
		if (!f->fps.num) f->fps = g->fps;
		if (g->first > f->first) f->first = g->first;
		if (g->last < f->last) f->last = g->last;
	}
	if (f->first > f->last) {
		net_diag(n, nn, E_SCENE, "inputs have no frame in common");
		return -1;
	}
	return 0;
}

static int open_node(struct net *n, struct net_node *nn)
{
	struct err e = ERR_INIT;
	struct format f;
	if (start_format(n, nn, &f) < 0) return -1;
	if (nn->type->open && nn->type->open(&nn->ctx, &e) < 0) {
		net_diag(n, nn, e.code ? e.code : E_INTERNAL, "%s", e.msg);
		return -1;
	}
	if (nn->type->format && nn->type->format(&nn->ctx, &f, &e) < 0) {
		net_diag(n, nn, e.code ? e.code : E_SCENE, "%s", e.msg);
		return -1;
	}
	if (nn->type->out_space && !(nn->type->flags & NF_SINK)) f.space = nn->type->out_space(&nn->ctx);
	if (f.encoded < 0) f.encoded = f.space;
	if (!(nn->type->flags & NF_SINK) && format_check(&f, &e) < 0) {
		net_diag(n, nn, e.code, "%s", e.msg);
		return -1;
	}
	nn->fmt = f;
	nn->ctx.out = &nn->fmt;
	if (!n->fps.num && (nn->type->traits & TR_SOURCE)) n->fps = f.fps;
	return 0;
}

static void append(struct net *n, struct net_node *nn)
{
	n->node = grow(n->node, (size_t)n->nnode, &n->priv->cnode, sizeof *n->node);
	nn->index = n->nnode;
	n->node[n->nnode++] = nn;
	if (!strmap_get(&n->priv->ids, nn->id)) strmap_put(&n->priv->ids, nn->id, nn);
	for (int i = 0; i < nn->nconn; i++)
		if (nn->conn[i]) nn->conn[i]->uses++;
	if (!nn->pass) return;
	*(nn->pass->first ? nn->pass->end : &nn->pass->first) = nn;
	nn->pass->end = &nn->next_in_pass;
}

/* At --proxy every source is scaled down as it comes. */
static int add_proxy(struct net *n, struct net_node *nn)
{
	if (n->scale == 1 || !(nn->type->traits & TR_SOURCE)) return 0;
	char scale[40];
	int d = (int)(1 / n->scale + 0.5), w = (rect_w(nn->fmt.display) + d - 1) / d;
	snprintf(scale, sizeof scale, "%d", w < 1 ? 1 : w);
	const char *attrs[] = { "scale", "0", "width", scale, NULL };
	double keep = n->scale;
	n->scale = 1;                        /* the size is in pixels of this render already */
	nn->stand_in = make_const(n, "upscale", nn, "proxy", attrs, nn->pass);
	n->scale = keep;
	return nn->stand_in ? 0 : -1;
}

/* Is the node to be asked for a composition? One that is also a tile node only while it stands still. */
static bool may_expand(const struct net_node *nn)
{
	if (!nn->type->expand) return false;
	for (int i = 0; nn->type->tile && i < nn->nbind; i++)
		if (nn->bind[i].kind != BIND_CONST && !(nn->bind[i].p->flags & PF_STATIC)) return false;
	for (const struct net_group *g = nn->type->tile ? nn->group : NULL; g; g = g->owner->group)
		if (g->owner->animated) return false;
	return true;
}

/* hold_skin= names a <skin>, of which the numbers are read and no picture. */
static int take_skin(struct net *n, struct net_node *nn)
{
	for (int i = 0; i < nn->nconn; i++) {
		const struct net_node *from = nn->conn[i];
		if (!from || strcmp(nn->slot[nn->conn_slot[i]].name, "hold_skin") != 0) continue;
		if (strcmp(from->type->name, "skin") != 0) {
			net_diag(n, nn, E_SCENE, "hold_skin=\"%s\" is a <%s>; it names a <skin>", from->id, from->type->name);
			return -1;
		}
		nn->ctx.skin = from->ctx.v;     /* its struct begins with it */
	}
	return 0;
}

int finish_node(struct net *n, struct net_node *nn, struct inst *in)
{
	struct err e = ERR_INIT;
	if (in && bind_node(n, nn, in) < 0) return -1;
	for (int i = 0; i < nn->nconn; i++) nn->conn[i] = net_final(nn->conn[i]);
	char *v = arena_alloc(n->a, 1, nn->type->size + 1);
	nn->ctx = (struct node_ctx){ .type = nn->type, .id = nn->id, .v = v, .nconn = nn->nconn,
		.working = n->working, .scale = n->scale, .fps = n->fps, .base = nn->scene->dir,
		.instance = nn->inst ? nn->inst->noise : 0, .luts = n->priv->luts,
		.grains = n->priv->grains, .leave = n->priv->leave, .ocio = graph_config(n, nn) };
	for (int i = 0; i < nn->nconn; i++) nn->ctx.in[i] = nn->conn[i] ? &nn->conn[i]->fmt : NULL;
	/* parameters first: want_of may look at them; animated ones stand at the first frame here */
	int first = nn->nconn && nn->conn[0] ? nn->conn[0]->fmt.first : 1;
	if (bind_fill(n, nn, first, v, &nn->common, n->a, &e) < 0) {
		net_diag(n, nn, e.code, "%s", e.msg);
		return -1;
	}
	if (take_skin(n, nn) < 0 || convert_inputs(n, nn) < 0) return -1;
	nn->traits = nn->type->traits | (nn->type->traits_of ? nn->type->traits_of(&nn->ctx) : 0);
	if (may_expand(nn)) {
		int rc = expand_build(n, nn);
		if (rc != EXPAND_NOT) return rc;
	}
	if (open_node(n, nn) < 0) {
		if (nn->type->close) nn->type->close(&nn->ctx);
		return -1;
	}
	append(n, nn);
	return add_proxy(n, nn) < 0 || add_ocio(n, nn) < 0 ? -1 : add_expand(n, nn);
}
