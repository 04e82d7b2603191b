/* net_bind - parameters of nodes from attributes, expressions and animation, at a frame.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "net_int.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grain_stock.h"
#include "mathx.h"

bool text_is_expr(const char *text)
{
	return text && strpbrk(text, "{}") != NULL;
}

struct eval_place { struct net *n; const struct inst *in; int frame; bool *used; };

/* The value of every scene parameter in sight; only those that the text names are worked out. */
static int env_fill(struct eval_place *p, const char *text, struct arena *a,
                    struct eval_env *env, struct err *e)
{
	const struct scene *s = p->in->scene;
	struct value *v = arena_alloc(a, (size_t)s->nparam + 1, sizeof *v);
	struct rational fps = p->n->fps;
	for (int i = 0; i < s->nparam; i++) {
		if (!strstr(text, s->param[i].name)) continue;
		bool used = false;
		if (param_at(p->n, p->in, i, p->frame, &used, a, &v[i], e) < 0)
			return err_in(e, "param '%s'", s->param[i].name);
		if (used) *p->used = true;
	}
	*env = (struct eval_env){ .frame = p->frame, .fps = fps.den ? (double)fps.num / fps.den : 0,
		.has_frame = true, .param = s->param, .pvalue = v, .nparam = s->nparam, .used_frame = p->used };
	return 0;
}

static int eval_one(struct eval_place *p, const char *expr, const struct param *want, struct arena *a,
                    struct value *out, struct err *e)
{
	struct script_host *h = p->n->host;
	struct eval_env env;
	if (!h) return err_set(e, E_SCRIPT, "expression {%s}: no script host", expr);
	if (env_fill(p, expr, a, &env, e) < 0) return -1;
	pthread_mutex_lock(&p->n->priv->lock);
	int rc = h->eval(h, expr, &env, want, a, out, e);
	pthread_mutex_unlock(&p->n->priv->lock);
	return rc;
}

/* Text with {expr} pieces: one piece that is an expression keeps its type, several become text. */
static int eval_attr(struct eval_place *p, const char *text, const struct param *want, struct arena *a,
                     struct value *out, struct err *e)
{
	struct expr_piece *piece;
	const char *plain = "";
	int n;
	if (!text_is_expr(text)) return value_parse(want, text, a, out, e);
	if (expr_split(want, text, a, &piece, &n, e) < 0) return -1;
	if (n == 1 && piece[0].expr) {
		if (eval_one(p, piece[0].text, want, a, out, e) < 0) return -1;
		return value_check(want, out, e);
	}
	for (int i = 0; i < n; i++) {
		struct value v = { .s = piece[i].text };
		if (piece[i].expr && eval_one(p, piece[i].text, NULL, a, &v, e) < 0) return -1;
		plain = arena_printf(a, "%s%s", plain, v.s ? v.s : "");
	}
	return value_parse(want, plain, a, out, e);
}

/* Paths are relative to the file that writes them. One that came through a path parameter was joined
 * there already and says so by a leading \001, which the last join takes off. */
static void path_join(const struct scene *s, struct arena *a, struct value *v, bool mark)
{
	if (!v->s || !v->s[0]) return;
	if (v->s[0] == '\001') { if (!mark) v->s++; return; }
	char stock[PATH_MAX];
	if (strncmp(v->s, GRAIN_STOCK, strlen(GRAIN_STOCK)) == 0) {
		/* a name of none stays as it is, and is told of by what reads it */
		bool found = grain_stock_path(v->s, stock, sizeof stock);
		v->s = arena_printf(a, "%s%s", mark ? "\001" : "", found ? stock : v->s);
		return;
	}
	const char *dir = v->s[0] == '/' || strcmp(s->dir, ".") == 0 ? "" : s->dir;
	v->s = arena_printf(a, "%s%s%s%s", mark ? "\001" : "", dir, *dir ? "/" : "", v->s);
}

int param_at(struct net *n, const struct inst *in, int i, int frame, bool *used_frame, struct arena *a,
             struct value *out, struct err *e)
{
	const struct sparam *sp = &in->scene->param[i];
	struct param want = { .name = sp->name, .type = sp->type, .n = sp->type == PT_COLOUR ? 3 : 1,
		.min = sp->min, .max = sp->max, .choices = sp->choices, .sdef = "" };
	if (sp->type == PT_VEC) want.n = 3;
	struct eval_place p = { n, in->pouter[i] ? in->outer : in, frame, used_frame };
	if (!in->pouter[i] && text_is_expr(in->ptext[i]) && strstr(in->ptext[i], sp->name))
		return err_set(e, E_SCENE, "param '%s' refers to itself", sp->name);
	if (eval_attr(&p, in->ptext[i], &want, a, out, e) < 0) return -1;
	if (sp->type == PT_PATH) path_join(p.in->scene, a, out, true);
	return 0;
}

double node_height(const struct net_node *nn)
{
	return nn->nconn && nn->conn[0] ? (double)rect_h(nn->conn[0]->fmt.display) : 0.0;
}

static double ease_t(const struct anim_key *k, double t)
{
	if (k->ease == EASE_HOLD) return 0;
	if (k->ease == EASE_SMOOTH) return t * t * (3 - 2 * t);
	if (k->ease != EASE_BEZIER) return t;
	/* cubic Bezier (0,0) b0,b1 b2,b3 (1,1): x solved by bisection, which is the same everywhere */
	const double *b = k->bezier;
	double lo = 0, hi = 1, s = t;
	for (int i = 0; i < 60; i++) {
		s = 0.5 * (lo + hi);
		double x = 3 * s * (1 - s) * (1 - s) * b[0] + 3 * s * s * (1 - s) * b[2] + s * s * s;
		if (x < t) lo = s; else hi = s;
	}
	return 3 * s * (1 - s) * (1 - s) * b[1] + 3 * s * s * (1 - s) * b[3] + s * s * s;
}

static void anim_at(const struct bind *b, int frame, struct value *out)
{
	const struct anim *an = b->anim;
	int i = 0;
	if (frame <= an->key[0].frame) { *out = b->key[0]; return; }
	while (i + 1 < an->nkey && an->key[i + 1].frame <= frame) i++;
	if (i + 1 == an->nkey) { *out = b->key[i]; return; }
	double t = (frame - an->key[i].frame) / (an->key[i + 1].frame - an->key[i].frame);
	/* the ease of a key shapes the way that leads to it, as in "ends smooth" */
	value_mix(&b->key[i], &b->key[i + 1], ease_t(&an->key[i + 1], t), out);
}

static int bind_at(struct net *n, const struct net_node *nn, const struct bind *b, int frame, bool *used,
                   struct arena *a, struct value *out, struct err *e)
{
	struct eval_place p = { n, nn->inst, frame, used };
	if (b->kind == BIND_CONST) *out = b->val;
	else if (b->kind == BIND_ANIM) {
		*used = true;
		anim_at(b, frame, out);
		if (value_check(b->p, out, e) < 0) return -1;
	} else if (eval_attr(&p, b->expr, b->p, a, out, e) < 0) return -1;
	if (b->p->type == PT_PATH) path_join(b->scene, a, out, false);
	return 0;
}

/* The text that scene, <use><set> or --solve gives a parameter; the innermost set is the weakest. */
static const char *attr_text(const struct net_node *nn, const struct net *n, const char *param, int *line,
                             struct inst **owner)
{
	const struct elem *el = nn->elem;
	const char *text = NULL;
	for (int i = 0; i < el->nattr; i++)
		if (strcmp(el->attr[i].name, param) == 0) { text = el->attr[i].value; *line = el->attr[i].line; }
	*owner = nn->inst;
	const char *path = el->id ? el->id : "";
	char outer[2][512];
	int depth = 0;
	for (struct inst *in = nn->inst; in && in->elem; in = in->outer) {
		for (int i = 0; i < in->elem->nset; i++) {
			const struct set *s = &in->elem->set[i];
			if (strcmp(s->node, path) != 0) continue;
			for (int k = 0; k < s->nattr; k++)
				if (strcmp(s->attr[k].name, param) == 0) {
					text = s->attr[k].value;
					*line = s->attr[k].line;
					*owner = in->outer;
				}
		}
		char *longer = outer[depth++ & 1];
		snprintf(longer, sizeof outer[0], "%.200s.%.300s", in->elem->id, path);
		path = longer;
	}
	for (int i = 0; i < n->priv->o->nover; i++) {
		const struct solve_over *ov = &n->priv->o->over[i];
		if (strcmp(ov->node, nn->id) != 0) continue;
		for (int k = 0; k < ov->nattr; k++)
			if (strcmp(ov->attr[k].name, param) == 0) text = ov->attr[k].value;
	}
	return text;
}

static const struct anim *find_anim(const struct elem *el, const char *param)
{
	for (int i = 0; i < el->nanim; i++)
		if (strcmp(el->anim[i].param, param) == 0) return &el->anim[i];
	return NULL;
}

static int bind_anim(struct net *n, struct net_node *nn, struct bind *b, struct err *e)
{
	b->kind = BIND_ANIM;
	b->key = arena_alloc(n->a, (size_t)b->anim->nkey, sizeof *b->key);
	for (int i = 0; i < b->anim->nkey; i++) {
		bool used = false;
		struct eval_place p = { n, nn->inst, 0, &used };
		if (eval_attr(&p, b->anim->key[i].value, b->p, n->a, &b->key[i], e) < 0) return -1;
		if (used) return err_set(e, E_SCENE, "%s: a key's value may not depend on the frame", b->p->name);
	}
	nn->animated = true;
	return 0;
}

/* One parameter: animation, expression or constant; a frame-free expression becomes a constant. */
static int bind_param(struct net *n, struct net_node *nn, const struct param *p,
                      struct bind *b, struct err *e)
{
	struct inst *owner = nn->inst;
	*b = (struct bind){ .p = p, .line = nn->elem ? nn->elem->line : 0, .scene = nn->scene };
	const char *text = NULL;
	if (!nn->group && nn->elem) {
		text = attr_text(nn, n, p->name, &b->line, &owner);
		b->anim = find_anim(nn->elem, p->name);
	}
	if (b->anim) return bind_anim(n, nn, b, e);
	if (!text) return value_default(p, n->a, &b->val);
	bool used = false;
	struct eval_place place = { n, owner, 1, &used };
	b->scene = owner->scene;
	if (eval_attr(&place, text, p, n->a, &b->val, e) < 0) return err_in(e, "%s", p->name);
	if (!used) return 0;
	if (p->flags & PF_STATIC)
		return err_set(e, E_SCENE, "%s=\"%s\": may not depend on the frame", p->name, text);
	if (owner != nn->inst)
		return err_set(e, E_SCENE, "%s=\"%s\": a <set> may not depend on the frame; use a param of the graph",
		               p->name, text);
	b->kind = BIND_EXPR;
	b->expr = text;
	nn->animated = true;
	return 0;
}

static int bind_table(struct net *n, struct net_node *nn, const struct param *table,
                      struct bind **out, int *nout)
{
	struct err e = ERR_INIT;
	int bad = 0;
	*nout = param_count(table);
	*out = arena_alloc(n->a, (size_t)*nout + 1, sizeof **out);
	for (int i = 0; i < *nout; i++)
		if (bind_param(n, nn, &table[i], &(*out)[i], &e) < 0) {
			diag_add(n->priv->d, DIAG_ERROR, e.code, nn->scene->file, (*out)[i].line, nn->id, "", "%s", e.msg);
			err_clear(&e);
			bad = -1;
		}
	return bad;
}

int bind_node(struct net *n, struct net_node *nn, struct inst *in)
{
	nn->inst = in;
	int bad = bind_table(n, nn, nn->type->params, &nn->bind, &nn->nbind);
	if (nn->type->flags & NF_MASKED) bad |= bind_table(n, nn, node_common_params, &nn->cbind, &nn->ncbind);
	return bad;
}

/* Values of table as an owner's expand set them, else its defaults. */
static int group_table(struct net *n, const struct net_node *nn, const struct xnode *xn,
                       const struct param *table, void *v, struct arena *a, struct err *e)
{
	double height = node_height(nn);
	for (const struct param *p = table; p && p->type != PT_END; p++) {
		struct value val = { 0 };
		const char *text = NULL;
		for (int k = 0; k < xn->nset; k++)
			if (strcmp(xn->set[k].param, p->name) == 0) text = xn->set[k].text;
		if ((text ? value_parse(p, text, a, &val, e) : value_default(p, a, &val)) < 0)
			return err_in(e, "node '%s'", nn->id);
		value_store(p, &val, v, height, n->scale);
	}
	return 0;
}

/* What an owner's expand asks for at a frame; where nothing moves that is what it was built of. */
static int group_at(struct net *n, const struct net_group *g, int frame, struct arena *a, struct expand **x,
                    struct node_common *shared, struct err *e)
{
	struct node_ctx ctx = g->owner->ctx;
	*shared = g->owner->common;
	*x = g->made;
	if (!g->owner->animated) return 0;
	void *ov = arena_alloc(a, 1, g->owner->type->size + 1);
	if (bind_fill(n, g->owner, frame, ov, shared, a, e) < 0) return -1;
	ctx.v = ov;
	return expand_run(n, g->owner, &ctx, a, x, e);
}

/* Parameters that an owner's expand gave this inner node, at a frame. */
static int group_fill(struct net *n, const struct net_node *nn, int frame, void *v,
                      struct node_common *common, struct arena *a, struct err *e)
{
	struct net_node *owner = nn->group->owner;
	struct expand *x = NULL;
	struct node_common shared;
	int rc = group_at(n, nn->group, frame, a, &x, &shared, e);
	if (rc < 0) return -1;
	if (rc == EXPAND_NOT || nn->group_index >= x->n || x->x[nn->group_index]->type != nn->type)
		return err_set(e, E_SCRIPT, "node '%s': the composition changes with the frame", owner->id);
	const struct xnode *xn = x->x[nn->group_index];
	if (group_table(n, nn, xn, nn->type->params, v, a, e) < 0) return -1;
	if (!common || !(nn->type->flags & NF_MASKED)) return 0;
	if (xn->common) { *common = shared; return 0; }
	return group_table(n, nn, xn, node_common_params, common, a, e);
}

int bind_fill(struct net *n, const struct net_node *nn, int frame, void *v, struct node_common *common,
              struct arena *a, struct err *e)
{
	bool used = false;
	double height = node_height(nn), scale = nn->type->traits & TR_SOURCE ? 1.0 : n->scale;
	struct value val;
	if (common) {
		common->mix = 1;
		common->mask_invert = 0;
	}
	if (nn->group) return group_fill(n, nn, frame, v, common, a, e);
	for (int i = 0; i < nn->nbind; i++) {
		if (bind_at(n, nn, &nn->bind[i], frame, &used, a, &val, e) < 0)
			return err_in(e, "%s:%d: node '%s'", nn->scene->file, nn->bind[i].line, nn->id);
		value_store(nn->bind[i].p, &val, v, height, scale);
	}
	for (int i = 0; common && i < nn->ncbind; i++) {
		if (bind_at(n, nn, &nn->cbind[i], frame, &used, a, &val, e) < 0)
			return err_in(e, "%s:%d: node '%s'", nn->scene->file, nn->cbind[i].line, nn->id);
		value_store(nn->cbind[i].p, &val, common, height, scale);
	}
	return 0;
}
