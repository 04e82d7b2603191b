/* xml_attr - attributes and children of node and use elements: slots, parameters, animation, sets.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "xml.h"

enum { MAX_SETS = 10000 };

/* The names an element may carry, for look-up and hints. */
struct names { const char **v; size_t n, cap; };

static void names_add(struct names *ns, const char *name)
{
	ns->v = grow(ns->v, ns->n, &ns->cap, sizeof *ns->v);
	ns->v[ns->n++] = name;
}

const struct param *type_param(const struct node_type *t, const char *name)
{
	const struct param *p = param_find(t->params, name);
	if (!p && (t->flags & NF_MASKED))
		p = param_find(node_common_params, name);
	return p;
}

static void params_names(struct names *ns, const struct node_type *t)
{
	for (const struct param *p = t->params; p && p->name; p++)
		names_add(ns, p->name);
	for (const struct param *p = node_common_params; (t->flags & NF_MASKED) && p->name; p++)
		names_add(ns, p->name);
}

int text_check(struct load *l, const struct param *p, const char *text, int line, const char *where)
{
	struct err e = ERR_INIT;
	struct expr_piece *piece;
	struct value v;
	int n, nexpr = 0, rc = 0;
	bool words = p->type == PT_STRING || p->type == PT_PATH;
	if (expr_split(p, text, l->s->a, &piece, &n, &e) < 0) {
		rc = err_in(&e, "%s", p->name);
	} else {
		for (int i = 0; i < n; i++)
			nexpr += piece[i].expr;
		if (nexpr && n > 1 && !words)
			rc = err_set(&e, E_SCENE, "%s=\"%.60s\": only strings and paths may mix text and expressions; "
			             "put {} around the whole", p->name, text);
		else if (nexpr && (!l->o->host || !l->o->host->eval))
			rc = err_set(&e, E_SCENE, "%s=\"%.60s\": expressions cannot be evaluated here", p->name, text);
		else if (!nexpr)
			rc = value_parse(p, piece[0].text, l->s->a, &v, &e);
	}
	if (rc == 0)
		return 0;
	if (line)
		load_bad(l, line, where, NULL, "%s", e.msg);
	else
		diag_add(l->d, DIAG_ERROR, E_USAGE, l->s->file, 0, where, NULL, "%s", e.msg);
	return -1;
}

/* --- references --- */

static size_t count_words(const char *s)
{
	size_t n = 0;
	for (s += strspn(s, " "); *s; s += strspn(s, " ")) {
		n++;
		s += strcspn(s, " ");
	}
	return n;
}

/* Adds the ids in at as connections of slot; `list`: more than one may be given. */
static void take_refs(struct load *l, struct elem *el, const char *slot, bool list,
                      const struct xattr *at)
{
	char where[160];
	size_t n = count_words(at->value);
	elem_where(el, where, sizeof where);
	if (n == 0)
		load_bad(l, at->line, where, NULL, "%s=\"\": expected the id of a node or pass", at->name);
	else if (n > 1 && !list)
		load_bad(l, at->line, where, NULL, "%s=\"%.60s\": expected one id", at->name, at->value);
	else if (n + (size_t)el->nref > NODE_MAX_CONN)
		load_bad(l, at->line, where, NULL, "%s: too many inputs: at most %d", at->name, NODE_MAX_CONN);
	else
		for (const char *s = at->value; *(s += strspn(s, " "));) {
			size_t len = strcspn(s, " ");
			struct ref *r = &el->ref[el->nref++];
			int index = el->nref > 1 && strcmp(r[-1].slot, slot) == 0 ? r[-1].index + 1 : 0;
			*r = (struct ref){ slot, index, arena_strndup(l->s->a, s, len), at->line, false };
			s += len;
		}
}

static bool gives_image(const struct elem *el)
{
	return el->type ? !(el->type->flags & NF_SINK) : strcmp(el->tag, "use") == 0;
}

/* in= left out: inside a pass, directly after a node with an image, it is that node. */
static void imply_in(struct load *l, struct elem *el, const struct slot *slot)
{
	struct scene *s = l->s;
	int i = (int)(el - s->elem);
	char where[160];
	elem_where(el, where, sizeof where);
	bool follows = el->pass >= 0 && i > 0 && s->elem[i - 1].pass == el->pass &&
		l->source[i - 1]->next == l->source[i];
	if (strcmp(slot->name, "image") == 0 && follows && gives_image(&s->elem[i - 1])) {
		if (id_valid(s->elem[i - 1].id))     /* else it is reported already */
			el->ref[el->nref++] = (struct ref){ "image", 0, s->elem[i - 1].id, el->line, true };
		return;
	}
	if (strcmp(slot->name, "image") == 0 && follows && !gives_image(&s->elem[i - 1]))
		load_bad(l, el->line, where, NULL,
		         "attribute \"in\" is missing: the element before has no image");
	else if (strcmp(slot->name, "image") == 0 && el->pass >= 0)
		load_bad(l, el->line, where, NULL,
		         "attribute \"in\" is missing: nothing comes before it in its pass");
	else
		load_bad(l, el->line, where, NULL,
		         "attribute \"%s\" is missing: the id of the node or pass to read",
		         slot_attr(slot));
}

/* --- animation --- */

static void take_ease(struct load *l, const struct xelem *x, struct anim_key *k)
{
	static const char *const words[] = { "linear", "smooth", "hold", "bezier" };
	static const struct param points = { .name = "bezier", .type = PT_VEC, .n = 4, .min = -1e6,
	                                    .max = 1e6 };
	const struct xattr *ease = xelem_attr(x, "ease"), *bezier = xelem_attr(x, "bezier");
	struct value v;
	struct err e = ERR_INIT;
	size_t i = 0;
	while (ease && i < IN_COUNT(words) && strcmp(words[i], ease->value) != 0)
		i++;
	if (i == IN_COUNT(words)) {
		load_bad(l, ease->line, "<key>", load_hint(l, ease->value, words, IN_COUNT(words)),
		         "ease=\"%.60s\": not one of linear smooth hold bezier", ease->value);
		return;
	}
	k->ease = (enum ease)i;
	if ((k->ease == EASE_BEZIER) != (bezier != NULL)) {
		load_bad(l, x->line, "<key>", NULL, bezier ? "bezier= needs ease=\"bezier\""
		         : "ease=\"bezier\" needs its two points, as in bezier=\"0.4 0 0.2 1\"");
		return;
	}
	if (!bezier)
		return;
	if (value_parse(&points, bezier->value, l->s->a, &v, &e) < 0)
		load_bad(l, bezier->line, "<key>", NULL, "%s", e.msg);
	else if (v.v[0] < 0 || v.v[0] > 1 || v.v[2] < 0 || v.v[2] > 1)
		load_bad(l, bezier->line, "<key>", NULL,
		         "bezier=\"%.60s\": the first and third number are times, 0 to 1",
		         bezier->value);
	else
		memcpy(k->bezier, v.v, sizeof k->bezier);
}

static void take_key(struct load *l, const struct xelem *x, const struct param *p, struct anim *an)
{
	static const char *const names[] = { "frame", "value", "ease", "bezier" };
	struct anim_key *k = &an->key[an->nkey];
	const struct xattr *frame = xelem_attr(x, "frame"), *value = xelem_attr(x, "value");
	*k = (struct anim_key){ .line = x->line, .value = value ? value->value : "" };
	for (int i = 0; i < x->nattr; i++)
		if (strcmp(names[0], x->attr[i].name) && strcmp(names[1], x->attr[i].name) &&
		    strcmp(names[2], x->attr[i].name) && strcmp(names[3], x->attr[i].name))
			attr_unknown(l, x, &x->attr[i], names, IN_COUNT(names));
	if (!frame || !value)
		load_bad(l, x->line, "<key>", NULL, "attribute \"%s\" is missing", frame ? "value" : "frame");
	else if (mx_parse(frame->value, &k->frame) < 0 || k->frame < -1e9 || k->frame > 1e9)
		load_bad(l, frame->line, "<key>", NULL, "frame=\"%.60s\": expected a frame number", frame->value);
	else if (an->nkey && !(k->frame > k[-1].frame))
		load_bad(l, frame->line, "<key>", NULL,
		         "frame=\"%.60s\": keys must ascend; the one before is at frame %g",
		         frame->value, k[-1].frame);
	if (value && p && text_check(l, p, value->value, value->line, "<key>") == 0 &&
	    p->type == PT_LENGTH) {
		size_t n = strlen(k->value), m = an->nkey ? strlen(k[-1].value) : 0;
		bool percent = n && k->value[n - 1] == 'h', before = m && k[-1].value[m - 1] == 'h';
		if (an->nkey && percent != before)
			load_bad(l, value->line, "<key>", NULL,
			         "value=\"%.60s\": all keys must be pixels, or all percent",
			         k->value);
	}
	take_ease(l, x, k);
	an->nkey++;
}

static void take_animate(struct load *l, const struct xelem *x, struct elem *el)
{
	char where[160];
	const struct xattr *at = xelem_attr(x, "param");
	const struct param *p = at ? type_param(el->type, at->value) : NULL;
	struct anim *an = &el->anim[el->nanim];
	size_t n = 0;
	elem_where(el, where, sizeof where);
	for (int i = 0; i < x->nattr; i++)
		if (strcmp(x->attr[i].name, "param") != 0)
			load_bad(l, x->attr[i].line, "<animate>", NULL, "unknown attribute \"%.60s\"", x->attr[i].name);
	if (!at) {
		load_bad(l, x->line, "<animate>", NULL, "attribute \"param\" is missing");
	} else if (!p) {
		struct names ns = { 0 };
		params_names(&ns, el->type);
		load_bad(l, at->line, where, load_hint(l, at->value, ns.v, ns.n),
		         "<animate>: no parameter \"%.60s\"",
		         at->value);
		free(ns.v);
	} else if (p->flags & PF_STATIC) {
		load_bad(l, at->line, where, NULL, "%s cannot be animated: it must be the same on every frame",
		         p->name);
	}
	for (int i = 0; p && i < el->nanim; i++)
		if (strcmp(el->anim[i].param, p->name) == 0) {
			load_bad(l, x->line, where, NULL, "%s is animated twice", p->name);
			return;
		}
	for (int i = 0; p && i < el->nattr; i++)
		if (strcmp(el->attr[i].name, p->name) == 0)
			load_bad(l, x->line, where, NULL, "%s is both an attribute and animated", p->name);
	for (const struct xelem *k = x->child; k; k = k->next)
		n++;
	*an = (struct anim){ .param = at ? at->value : "", .line = x->line,
		.key = arena_alloc(l->s->a, n, sizeof *an->key) };
	for (const struct xelem *k = x->child; k; k = k->next)
		if (strcmp(k->tag, "key") == 0)
			take_key(l, k, p, an);
		else
			load_bad(l, k->line, NULL, NULL, "unknown element <%.60s> in <animate>; it holds <key>s",
			         k->tag);
	if (n == 0)
		load_bad(l, x->line, where, NULL, "<animate> has no <key>");
	el->nanim += p != NULL && an->nkey > 0;
}

/* --- nodes --- */

static const struct slot *slot_of(const struct slot *slot, int n, const char *attr)
{
	for (int i = 0; i < n; i++)
		if (strcmp(slot_attr(&slot[i]), attr) == 0)
			return &slot[i];
	return NULL;
}

static void node_unknown(struct load *l, const struct xelem *x, const struct xattr *at,
                         const struct elem *el,
                         const struct slot *slot, int nslot)
{
	struct names ns = { 0 };
	char where[160];
	if (strcmp(at->name, "image") == 0 && slot_of(slot, nslot, "in")) {
		load_bad(l, at->line, elem_where(el, where, sizeof where), "write in=\"...\"",
		         "unknown attribute \"image\"");
		return;
	}
	names_add(&ns, "id");
	for (int i = 0; i < nslot; i++)
		names_add(&ns, slot_attr(&slot[i]));
	params_names(&ns, el->type);
	attr_unknown(l, x, at, ns.v, ns.n);
	free(ns.v);
}

static void need_params(struct load *l, const struct elem *el)
{
	char where[160];
	for (const struct param *p = el->type->params; p && p->name; p++) {
		bool given = !(p->flags & PF_REQUIRED);
		for (int i = 0; !given && i < el->nattr; i++)
			given = strcmp(el->attr[i].name, p->name) == 0;
		for (int i = 0; !given && i < el->nanim; i++)
			given = strcmp(el->anim[i].param, p->name) == 0;
		if (!given)
			load_bad(l, el->line, elem_where(el, where, sizeof where), NULL,
			         "attribute \"%s\" is missing: %s",
			         p->name, p->doc ? p->doc : "it must be given");
	}
}

static void node_children(struct load *l, const struct xelem *x, struct elem *el)
{
	size_t n = 0;
	char where[160];
	for (const struct xelem *c = x->child; c; c = c->next)
		n++;
	el->anim = arena_alloc(l->s->a, n, sizeof *el->anim);
	for (const struct xelem *c = x->child; c; c = c->next)
		if (strcmp(c->tag, "animate") == 0)
			take_animate(l, c, el);
		else
			load_bad(l, c->line, elem_where(el, where, sizeof where), NULL,
			         "<%.60s> cannot stand inside <%.60s>; only <animate> can", c->tag, x->tag);
}

static size_t count_refs(const struct xelem *x)
{
	size_t n = 1;
	for (int i = 0; i < x->nattr; i++)
		n += count_words(x->attr[i].value);
	return n < NODE_MAX_CONN ? n : NODE_MAX_CONN;
}

static void node_attrs(struct load *l, const struct xelem *x, struct elem *el)
{
	struct slot slot[NODE_MAX_SLOTS];
	int nslot = node_slots(el->type, slot);
	char where[160];
	elem_where(el, where, sizeof where);
	el->attr = arena_alloc(l->s->a, (size_t)x->nattr, sizeof *el->attr);
	el->ref = arena_alloc(l->s->a, count_refs(x) + 1, sizeof *el->ref);
	for (int i = 0; i < nslot; i++) {            /* in slot order, however they are written */
		const struct xattr *at = xelem_attr(x, slot_attr(&slot[i]));
		if (at)
			take_refs(l, el, arena_strdup(l->s->a, slot[i].name), slot[i].list, at);
		else if (!slot[i].optional)
			imply_in(l, el, &slot[i]);
	}
	for (int i = 0; i < x->nattr; i++) {
		const struct xattr *at = &x->attr[i];
		const struct param *p = type_param(el->type, at->name);
		if (strcmp(at->name, "id") == 0 || slot_of(slot, nslot, at->name))
			continue;
		if (!p) {
			node_unknown(l, x, at, el, slot, nslot);
			continue;
		}
		text_check(l, p, at->value, at->line, where);
		el->attr[el->nattr++] = (struct attr){ p->name, at->value, at->line };
	}
	node_children(l, x, el);
	need_params(l, el);
}

/* --- use --- */

const struct sparam *scene_sparam(const struct scene *s, const char *name)
{
	for (int i = 0; i < s->nparam; i++)
		if (strcmp(s->param[i].name, name) == 0)
			return &s->param[i];
	return NULL;
}

bool elem_is_input(const struct elem *el)
{
	return !el->type && strcmp(el->tag, "input") == 0;
}

static const struct elem *find_input(const struct scene *s, const char *id)
{
	const struct elem *el = scene_elem(s, id);
	return el && elem_is_input(el) ? el : NULL;
}

static void face_names(struct names *ns, const struct scene *s)
{
	for (int i = 0; i < s->nelem; i++)
		if (elem_is_input(&s->elem[i]))
			names_add(ns, s->elem[i].id);
	for (int i = 0; i < s->nparam; i++)
		names_add(ns, s->param[i].name);
}

/* Is name given to this use's graph by --set, which is stronger? */
static bool overridden(const struct load *l, const struct elem *el, const char *name)
{
	size_t n = strlen(l->via), m = strlen(el->id);
	for (int i = 0; i < l->o->nset; i++) {
		const char *set = l->o->set[i].name;
		if (strncmp(set, l->via, n) == 0 && strncmp(set + n, el->id, m) == 0 && set[n + m] == '.' &&
		    strcmp(set + n + m + 1, name) == 0)
			return true;
	}
	return false;
}

struct elem *scene_inner(struct scene *s, const char *path)
{
	char id[128];
	for (;;) {
		size_t n = strcspn(path, ".");
		if (n >= sizeof id)
			return NULL;
		memcpy(id, path, n);
		id[n] = 0;
		struct elem *el = scene_elem(s, id);
		if (!el || path[n] == 0)
			return el && el->type ? el : NULL;
		if (!el->used)
			return NULL;
		s = el->used;
		path += n + 1;
	}
}

/* An instance's <set> is stronger than the graph's own animation. */
static void drop_anim(struct elem *el, const char *param)
{
	int n = 0;
	for (int i = 0; i < el->nanim; i++)
		if (strcmp(el->anim[i].param, param) != 0)
			el->anim[n++] = el->anim[i];
	el->nanim = n;
}

static void set_attrs(struct load *l, const struct xelem *x, struct elem *inner, struct set *set)
{
	char where[160];
	snprintf(where, sizeof where, "<set node=\"%.100s\">", set->node);
	for (int i = 0; i < x->nattr; i++) {
		const struct xattr *at = &x->attr[i];
		const struct param *p = inner ? type_param(inner->type, at->name) : NULL;
		if (strcmp(at->name, "node") == 0)
			continue;
		if (inner && !p) {
			struct names ns = { 0 };
			params_names(&ns, inner->type);
			load_bad(l, at->line, where, load_hint(l, at->name, ns.v, ns.n),
			         "<%s> has no parameter \"%.80s\"",
			         inner->tag, at->name);
			free(ns.v);
		} else if (p) {
			text_check(l, p, at->value, at->line, where);
			drop_anim(inner, p->name);
			set->attr[set->nattr++] = (struct attr){ p->name, at->value, at->line };
		}
	}
}

static void take_set(struct load *l, const struct xelem *x, struct elem *el)
{
	const struct xattr *at = xelem_attr(x, "node");
	struct set *set = &el->set[el->nset];
	struct elem *inner = at && el->used ? scene_inner(el->used, at->value) : NULL;
	*set = (struct set){ .node = at ? at->value : "", .line = x->line,
		.attr = arena_alloc(l->s->a, (size_t)x->nattr, sizeof *set->attr) };
	if (!at) {
		load_bad(l, x->line, "<set>", NULL, "attribute \"node\" is missing");
	} else if (el->used && !inner) {
		struct names ns = { 0 };
		for (int i = 0; i < el->used->nelem; i++)
			if (el->used->elem[i].type)
				names_add(&ns, el->used->elem[i].id);
		load_bad(l, at->line, "<set>", load_hint(l, at->value, ns.v, ns.n),
		         "no node \"%.80s\" in %.200s", at->value,
		         el->used->file);
		free(ns.v);
	}
	for (int i = 0; at && i < el->nset; i++)
		if (strcmp(el->set[i].node, at->value) == 0) {
			load_bad(l, x->line, "<set>", NULL, "there is a <set> for \"%.60s\" already, at line %d",
			         at->value,
			         el->set[i].line);
			return;
		}
	set_attrs(l, x, inner, set);
	el->nset += inner != NULL;
}

static void use_attr(struct load *l, const struct xelem *x, struct elem *el, const struct xattr *at)
{
	char where[160];
	const struct elem *input = find_input(el->used, at->name);
	const struct sparam *sp = scene_sparam(el->used, at->name);
	struct param p;
	if (input) {
		take_refs(l, el, input->id, false, at);
	} else if (sp) {
		sparam_declare(sp, &p);
		text_check(l, &p, at->value, at->line, elem_where(el, where, sizeof where));
		if (!overridden(l, el, sp->name))
			el->attr[el->nattr++] = (struct attr){ sp->name, at->value, at->line };
	} else {
		struct names ns = { 0 };
		face_names(&ns, el->used);
		attr_unknown(l, x, at, ns.v, ns.n);
		free(ns.v);
	}
}

static void use_inputs(struct load *l, const struct elem *el)
{
	char where[160];
	for (int i = 0; i < el->used->nelem; i++) {
		const char *id = el->used->elem[i].id;
		bool fed = !elem_is_input(&el->used->elem[i]);
		for (int k = 0; !fed && k < el->nref; k++)
			fed = strcmp(el->ref[k].slot, id) == 0;
		if (!fed)
			load_bad(l, el->line, elem_where(el, where, sizeof where), NULL,
			         "attribute \"%s\" is missing: the graph's <input id=\"%s\"> must be fed", id, id);
	}
}

static void use_attrs(struct load *l, const struct xelem *x, struct elem *el)
{
	const struct xattr *graph = xelem_attr(x, "graph");
	char where[160];
	size_t n = 0;
	elem_where(el, where, sizeof where);
	if (!graph)
		load_bad(l, x->line, where, NULL, "attribute \"graph\" is missing: the file to use");
	else
		el->used = load_used(l, el, graph->value, graph->line);
	el->attr = arena_alloc(l->s->a, (size_t)x->nattr + 1, sizeof *el->attr);
	el->ref = arena_alloc(l->s->a, count_refs(x) + 1, sizeof *el->ref);
	for (int i = 0; el->used && i < x->nattr; i++)
		if (strcmp(x->attr[i].name, "id") != 0 && strcmp(x->attr[i].name, "graph") != 0)
			use_attr(l, x, el, &x->attr[i]);
	for (const struct xelem *c = x->child; c; c = c->next)
		n++;
	if (n > MAX_SETS) {
		load_bad(l, x->line, where, NULL, "too many elements in a <use>: at most %d", MAX_SETS);
		return;
	}
	el->set = arena_alloc(l->s->a, n, sizeof *el->set);
	for (const struct xelem *c = x->child; c; c = c->next)
		if (strcmp(c->tag, "set") == 0)
			take_set(l, c, el);
		else
			load_bad(l, c->line, where, NULL, "<%.60s> cannot stand inside <use>; only <set> can", c->tag);
	if (el->used)
		use_inputs(l, el);
}

/* --- --set names --- */

/* Names of --set that belong to this file and are none of its parameters or uses. */
static void check_sets(struct load *l)
{
	size_t n = strlen(l->via);
	for (int i = 0; i < l->o->nset; i++) {
		const char *set = l->o->set[i].name, *dot;
		if (strncmp(set, l->via, n) != 0)
			continue;
		dot = strchr(set + n, '.');
		const struct elem *el = dot ? scene_elem(l->s, arena_strndup(l->s->a, set + n,
		                                                             (size_t)(dot - set) - n)) : NULL;
		if ((el && !el->type && !elem_is_input(el)) || (!dot && scene_sparam(l->s, set + n)))
			continue;
		struct names ns = { 0 };
		for (int k = 0; k < l->s->nparam; k++)
			names_add(&ns, l->s->param[k].name);
		diag_add(l->d, DIAG_ERROR, E_USAGE, l->s->file, 0, "--set", load_hint(l, set + n, ns.v, ns.n),
		         "the scene has no parameter \"%.80s\"", set);
		free(ns.v);
	}
}

static void check_face(struct load *l)
{
	char where[160];
	for (int i = 0; i < l->s->nelem; i++) {
		const struct elem *el = &l->s->elem[i];
		if (!elem_is_input(el))
			continue;
		elem_where(el, where, sizeof where);
		for (int k = 0; k < l->source[i]->nattr; k++)
			if (strcmp(l->source[i]->attr[k].name, "id") != 0)
				load_bad(l, el->line, where, NULL, "unknown attribute \"%.60s\"", l->source[i]->attr[k].name);
		if (l->source[i]->child)
			load_bad(l, el->line, where, NULL, "no element can stand inside <input>");
		if (scene_sparam(l->s, el->id) || strcmp(el->id, "id") == 0 || strcmp(el->id, "graph") == 0)
			load_bad(l, el->line, where, NULL,
			         "an <input> cannot have the name of a <param>, nor id or graph");
	}
}

void attrs_check(struct load *l)
{
	for (int i = 0; i < l->s->nelem; i++) {
		struct elem *el = &l->s->elem[i];
		if (el->type)
			node_attrs(l, l->source[i], el);
		else if (strcmp(el->tag, "use") == 0)
			use_attrs(l, l->source[i], el);
	}
	check_face(l);
	check_sets(l);
}
