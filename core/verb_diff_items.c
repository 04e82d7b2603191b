/* verb_diff_items - what a scene consists of, in canonical words, and which writes a piece of it reaches.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "verb_diff.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"

static struct item *add_item(struct items *it, enum item_kind kind, const char *id, const struct place *pl)
{
	it->v = grow(it->v, (size_t)it->n, &it->cap, sizeof *it->v);
	struct item *x = &it->v[it->n++];
	*x = (struct item){ .kind = kind, .id = arena_printf(it->a, "%s%s", pl->prefix, id), .place = pl };
	return x;
}

static void add_fact(struct item *x, const char *name, const char *value, bool given)
{
	x->fact = grow(x->fact, (size_t)x->nfact, &x->cap, sizeof *x->fact);
	x->fact[x->nfact++] = (struct fact){ name, value, given };
}

static void add_text(struct item *x, const char *name, const char *value)
{
	if (value && *value) add_fact(x, name, value, true);
}

static void add_number(struct items *it, struct item *x, const char *name, double v)
{
	char out[40];
	mx_print(v, out);
	add_text(x, name, arena_strdup(it->a, out));
}

/* A literal in the one spelling of its value; expressions, free text and what does not parse stay. */
static const char *canon(const struct param *p, const char *text, struct arena *a)
{
	struct value v;
	if (!p || strpbrk(text, "{}") || p->type == PT_STRING || p->type == PT_PATH) return text;
	return value_parse(p, text, a, &v, NULL) < 0 ? text : value_print(p, &v, a);
}

static const char *preset(const struct param *p, struct arena *a)
{
	struct value v;
	if (p->type == PT_STRING || p->type == PT_PATH) return p->sdef ? p->sdef : "";
	return value_default(p, a, &v) < 0 ? "" : value_print(p, &v, a);
}

static const struct attr *attr_of(const struct attr *at, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(at[i].name, name) == 0) return &at[i];
	return NULL;
}

static const struct anim *anim_of(const struct elem *el, const char *name)
{
	for (int i = 0; i < el->nanim; i++)
		if (strcmp(el->anim[i].param, name) == 0) return &el->anim[i];
	return NULL;
}

/* Each key by its frame, so that one moved key is one line. */
static void add_keys(struct items *it, struct item *x, const struct anim *an, const struct param *p)
{
	static const char *const ease[] = { "linear", "smooth", "hold", "bezier" };
	add_fact(x, p->name, "animated", true);
	for (int i = 0; i < an->nkey; i++) {
		const struct anim_key *k = &an->key[i];
		const char *v = k->value ? canon(p, k->value, it->a) : "";
		char frame[40], b[4][40];
		mx_print(k->frame, frame);
		for (int j = 0; j < 4; j++) mx_print(k->bezier[j], b[j]);
		if (k->ease == EASE_BEZIER) v = arena_printf(it->a, "%s, bezier %s %s %s %s", v, b[0], b[1], b[2], b[3]);
		else if (k->ease != EASE_LINEAR) v = arena_printf(it->a, "%s, %s", v, ease[k->ease]);
		add_fact(x, arena_printf(it->a, "%s at %s", p->name, frame), v, true);
	}
}

static void add_params(struct items *it, struct item *x, const struct elem *el, const struct param *table)
{
	for (const struct param *p = table; p && p->name; p++) {
		const struct attr *at = attr_of(el->attr, el->nattr, p->name);
		const struct anim *an = anim_of(el, p->name);
		if (an) add_keys(it, x, an, p);
		else add_fact(x, p->name, at ? canon(p, at->value, it->a) : preset(p, it->a), at != NULL);
	}
}

/* All references of one slot are one fact, in their order. */
static void add_refs(struct items *it, struct item *x, const struct elem *el)
{
	for (int i = 0; i < el->nref; i++) {
		const char *slot = el->ref[i].slot, *all = NULL;
		if (i && strcmp(el->ref[i - 1].slot, slot) == 0) continue;
		for (int k = i; k < el->nref && strcmp(el->ref[k].slot, slot) == 0; k++)
			all = all ? arena_printf(it->a, "%s %s", all, el->ref[k].target) : el->ref[k].target;
		add_fact(x, el->type && strcmp(slot, "image") == 0 ? "in" : slot, all, true);
	}
}

/* What nobody declares (a type that could not be loaded) is compared as it stands. */
static void add_bare(struct item *x, const struct elem *el)
{
	for (int i = 0; i < el->nattr; i++) add_text(x, el->attr[i].name, el->attr[i].value);
}

static const struct param *inner_param(const struct scene *s, const char *node, const char *name)
{
	size_t n = strcspn(node, ".");
	for (int i = 0; s && i < s->nelem; i++) {
		const struct elem *el = &s->elem[i];
		if (strncmp(el->id, node, n) != 0 || el->id[n]) continue;
		if (node[n]) return inner_param(el->used, node + n + 1, name);
		const struct param *p = el->type ? param_find(el->type->params, name) : NULL;
		return p || !el->type ? p : param_find(node_common_params, name);
	}
	return NULL;
}

static void add_use(struct items *it, struct item *x, const struct place *pl, const struct elem *el)
{
	const struct scene *s = el->used;
	size_t n = strlen(pl->s->dir);
	if (s) {
		bool below = strncmp(s->file, pl->s->dir, n) == 0 && s->file[n] == '/';
		add_text(x, "graph", s->file + (below ? n + 1 : 0));
	}
	for (int i = 0; s && i < s->nparam; i++) {
		struct param p;
		sparam_declare(&s->param[i], &p);
		const struct attr *at = attr_of(el->attr, el->nattr, p.name);
		const char *v = at ? at->value : s->param[i].value;
		add_fact(x, s->param[i].name, canon(&p, v ? v : "", it->a), at != NULL);
	}
	if (!s) add_bare(x, el);
	for (int i = 0; i < el->nset; i++)
		for (int k = 0; k < el->set[i].nattr; k++) {
			const struct attr *at = &el->set[i].attr[k];
			const struct param *p = inner_param(s, el->set[i].node, at->name);
			add_text(x, arena_printf(it->a, "set %s %s", el->set[i].node, at->name), canon(p, at->value, it->a));
		}
}

static void collect(struct items *it, const struct place *pl);

static void add_node(struct items *it, const struct place *pl, const struct elem *el)
{
	struct item *x = add_item(it, ITEM_NODE, el->id, pl);
	x->elem = el;
	x->type = el->tag;
	x->pass = el->pass >= 0 ? pl->s->pass[el->pass].id : "(none)";
	add_fact(x, "type", el->tag, false);
	add_fact(x, "pass", x->pass, false);
	add_refs(it, x, el);
	if (el->type) add_params(it, x, el, el->type->params);
	if (el->type && (el->type->flags & NF_MASKED)) add_params(it, x, el, node_common_params);
	if (el->type) return;
	if (strcmp(el->tag, "use") == 0) add_use(it, x, pl, el);
	else add_bare(x, el);
	if (!el->used) return;
	struct place *in = arena_alloc(it->a, 1, sizeof *in);
	*in = (struct place){ pl, el->used, el, arena_printf(it->a, "%s%s.", pl->prefix, el->id) };
	collect(it, in);
}

static void add_graph(struct items *it, const struct place *pl)
{
	const struct scene *s = pl->s;
	struct item *x = add_item(it, ITEM_GRAPH, "graph", pl);
	add_text(x, "version", s->version);
	add_text(x, "name", s->name);
	add_text(x, "working", s->working);
	if (s->has_fps) add_text(x, "fps", arena_printf(it->a, "%d/%d", s->fps.num, s->fps.den));
	add_text(x, "sequence", s->sequence);
	add_text(x, "ocio", s->ocio);
	add_fact(x, "picture_locked", s->picture_locked ? "yes" : "no", false);
}

static void add_sparams(struct items *it, const struct place *pl)
{
	static const char *const types[] = { [PT_FLOAT] = "float", [PT_INT] = "int", [PT_BOOL] = "bool",
		[PT_ENUM] = "enum",
		[PT_STRING] = "string", [PT_PATH] = "path", [PT_COLOUR] = "colour", [PT_VEC] = "vector",
		[PT_LENGTH] = "length", [PT_CURVE] = "curve" };
	for (int i = 0; i < pl->s->nparam; i++) {
		const struct sparam *sp = &pl->s->param[i];
		struct item *x = add_item(it, ITEM_PARAM, sp->name, pl);
		struct param p;
		sparam_declare(sp, &p);
		add_text(x, "value", sp->value ? canon(&p, sp->value, it->a) : NULL);
		if ((size_t)sp->type < IN_COUNT(types)) add_text(x, "type", types[sp->type]);
		add_text(x, "choices", sp->choices);
		add_text(x, "doc", sp->doc);
		add_number(it, x, "min", sp->min);
		add_number(it, x, "max", sp->max);
	}
}

static void add_passes(struct items *it, const struct place *pl)
{
	for (int i = 0; i < pl->s->npass; i++) {
		const struct pass *p = &pl->s->pass[i];
		struct item *x = add_item(it, ITEM_PASS, p->id, pl);
		add_text(x, "kind", p->kind);
		add_text(x, "keep", p->keep);
		add_text(x, "depth", p->depth);
		add_text(x, "path", p->path);
		add_text(x, "out", p->out);
		add_text(x, "note", p->note);
		for (int k = 0; p->out && k < pl->s->nelem; k++)
			if (strcmp(pl->s->elem[k].id, p->out) == 0) x->elem = &pl->s->elem[k];
	}
}

static void add_script(struct items *it, const struct place *pl, const struct script_ref *r)
{
	struct item *x = add_item(it, ITEM_SCRIPT, r->file, pl);
	struct key k;
	char hex[65];
	add_text(x, "sha256", r->sha256);
	if (hash_file(scene_path(pl->s, r->file, it->a), &k, NULL) < 0) return;
	key_hex(&k, hex);
	add_text(x, "content", arena_strndup(it->a, hex, 16));
}

static void add_reference(struct items *it, const struct place *pl, const struct reference *r)
{
	struct item *x = add_item(it, ITEM_REFERENCE, arena_printf(it->a, "%s %s", r->kind, r->file), pl);
	struct key k;
	char hex[65];
	add_text(x, "shot", r->shot);
	add_text(x, "note", r->note);
	if (hash_file(scene_path(pl->s, r->file, it->a), &k, NULL) < 0) return;
	key_hex(&k, hex);
	add_text(x, "content", arena_strndup(it->a, hex, 16));
}

static void collect(struct items *it, const struct place *pl)
{
	const struct scene *s = pl->s;
	add_graph(it, pl);
	add_sparams(it, pl);
	add_passes(it, pl);
	for (int i = 0; i < s->nscript; i++) add_script(it, pl, &s->script[i]);
	for (int i = 0; i < s->nelem; i++) add_node(it, pl, &s->elem[i]);
	for (int i = 0; i < s->noutput; i++) {
		struct item *x = add_item(it, ITEM_OUTPUT, s->output[i].id, pl);
		add_text(x, "in", s->output[i].node);
	}
	for (int i = 0; i < s->nwaive; i++) {
		const struct waive *w = &s->waive[i];
		struct item *x = add_item(it, ITEM_WAIVER, arena_printf(it->a, "%s %s", w->rule, w->node), pl);
		add_text(x, "reason", w->reason);
	}
	for (int i = 0; i < s->napprove; i++) {
		const struct approve *v = &s->approve[i];
		const char *id = arena_printf(it->a, "%s%s%s by the %s", v->shot, *v->shot ? "." : "", v->pass, v->role);
		struct item *x = add_item(it, ITEM_APPROVAL, id, pl);
		add_text(x, "by", v->by);
		add_text(x, "hash", v->hash);
		add_text(x, "note", v->note);
	}
	for (int i = 0; i < s->nreference; i++) add_reference(it, pl, &s->reference[i]);
}

static int by_item(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->id, y->id);
}

static int by_fact(const void *a, const void *b)
{
	return strverscmp(((const struct fact *)a)->name, ((const struct fact *)b)->name);
}

void items_collect(struct items *it, const struct scene *s)
{
	it->a = arena_new();
	it->s = s;
	struct place *top = arena_alloc(it->a, 1, sizeof *top);
	*top = (struct place){ NULL, s, NULL, "" };
	collect(it, top);
	qsort(it->v, (size_t)it->n, sizeof *it->v, by_item);
	for (int i = 0; i < it->n; i++)
		if (it->v[i].nfact) qsort(it->v[i].fact, (size_t)it->v[i].nfact, sizeof *it->v[i].fact, by_fact);
}

void items_free(struct items *it)
{
	for (int i = 0; i < it->n; i++) free(it->v[i].fact);
	free(it->v);
	if (it->a) arena_free(&it->a);
	*it = (struct items){ 0 };
}

/* --- reach --- */

static bool word_in(const char *text, const char *word)
{
	size_t n = strlen(word);
	bool inside = false;
	for (const char *p = text; p && *p; p++) {
		if (*p == '{') inside = true;
		if (*p == '}') inside = false;
		bool start = p == text || !(isalnum((unsigned char)p[-1]) || p[-1] == '_');
		if (inside && start && strncmp(p, word, n) == 0 &&
		    !(isalnum((unsigned char)p[n]) || p[n] == '_'))
			return true;
	}
	return false;
}

static bool elem_reads(const struct elem *el, const char *param)
{
	for (int i = 0; i < el->nattr; i++)
		if (word_in(el->attr[i].value, param)) return true;
	for (int i = 0; i < el->nset; i++)
		for (int k = 0; k < el->set[i].nattr; k++)
			if (word_in(el->set[i].attr[k].value, param)) return true;
	for (int i = 0; i < el->nanim; i++)
		for (int k = 0; k < el->anim[i].nkey; k++)
			if (word_in(el->anim[i].key[k].value, param)) return true;
	return false;
}

/* Where a change begins: marks of the elements of its scene. */
static void seed(const struct item *x, bool *mark)
{
	const struct scene *s = x->place->s;
	const char *own = x->id + strlen(x->place->prefix);
	for (int i = 0; i < s->nelem; i++) {
		const struct elem *el = &s->elem[i];
		switch (x->kind) {
		case ITEM_GRAPH: mark[i] = true; break;
		case ITEM_PARAM: mark[i] = elem_reads(el, own); break;
		case ITEM_SCRIPT: mark[i] = el->type && el->type->source_hash; break;
		case ITEM_NODE: case ITEM_PASS: mark[i] = el == x->elem; break;
		default: break;
		}
	}
}

static int target_elem(const struct scene *s, const char *target)
{
	size_t n = strcspn(target, ".");
	char *head = xasprintf("%.*s", (int)n, target);
	const struct elem *el = scene_elem(s, head);
	free(head);
	return el ? (int)(el - s->elem) : -1;
}

/* Spreads the marks downstream, along every reference. */
static void spread(const struct scene *s, bool *mark)
{
	int nref = 0, n = 0;
	for (int i = 0; i < s->nelem; i++) nref += s->elem[i].nref;
	struct edge { int from, to; } *edge = xalloc((size_t)nref + 1, sizeof *edge);
	for (int i = 0; i < s->nelem; i++)
		for (int k = 0; k < s->elem[i].nref; k++)
			edge[n++] = (struct edge){ target_elem(s, s->elem[i].ref[k].target), i };
	for (bool more = true; more; ) {
		more = false;
		for (int i = 0; i < n; i++) {
			if (edge[i].from < 0 || !mark[edge[i].from] || mark[edge[i].to]) continue;
			mark[edge[i].to] = more = true;
		}
	}
	free(edge);
}

static bool leaves(const struct scene *s, const bool *mark)
{
	for (int i = 0; i < s->noutput; i++) {
		int at = s->output[i].node ? target_elem(s, s->output[i].node) : -1;
		if (at >= 0 && mark[at]) return true;
	}
	return false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **items_reach(const struct item *x, int *n)
{
	const struct place *pl = x->place;
	const struct scene *s = pl->s;
	bool *mark = xalloc((size_t)s->nelem + 1, sizeof *mark);
	const char **ids;
	bool output = x->kind == ITEM_OUTPUT;
	*n = 0;
	seed(x, mark);
	spread(s, mark);
	while (pl->up) {
		bool out = output || leaves(s, mark);
		const struct elem *use = pl->use;
		free(mark);
		pl = pl->up;
		s = pl->s;
		mark = xalloc((size_t)s->nelem + 1, sizeof *mark);
		if (out) mark[use - s->elem] = true;
		output = false;
		spread(s, mark);
	}
	ids = xalloc((size_t)s->nelem + 1, sizeof *ids);
	for (int i = 0; i < s->nelem; i++)
		if (mark[i] && s->elem[i].type && (s->elem[i].type->flags & NF_SINK)) ids[(*n)++] = s->elem[i].id;
	free(mark);
	qsort(ids, (size_t)*n, sizeof *ids, by_text);
	return ids;
}
