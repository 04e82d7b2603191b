/* xml_elem - a document into the arrays of a scene: graph, param, pass, nodes, faces.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "colour.h"
#include "mathx.h"
#include "xml.h"

enum { MAX_PARAMS = 1000 };

bool id_valid(const char *s)
{
	for (const char *c = s; *c; c++) {
		bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
		bool inner = (*c >= '0' && *c <= '9') || *c == '-';
		if (!letter && !(inner && c > s))
			return false;
	}
	return s[0] != 0;
}

struct id_entry *id_find(const struct scene *s, const char *id)
{
	return s->index ? strmap_get(s->index, id) : NULL;
}

static void bad_at(struct load *l, const struct xelem *x, const char *hint, const char *msg)
{
	char where[160];
	load_bad(l, x->line, xelem_where(x, where, sizeof where), hint, "%s", msg);
}

void attr_unknown(struct load *l, const struct xelem *x, const struct xattr *at,
                  const char *const *names, size_t n)
{
	char where[160];
	load_bad(l, at->line, xelem_where(x, where, sizeof where), load_hint(l, at->name, names, n),
	         "unknown attribute \"%.80s\"", at->name);
}

/* Every attribute of x must be one of names; those before `must` have to be there. */
static void check_attrs(struct load *l, const struct xelem *x, const char *const *names, int n,
                        int must)
{
	char where[160];
	xelem_where(x, where, sizeof where);
	for (int i = 0; i < x->nattr; i++) {
		int k = 0;
		while (k < n && strcmp(names[k], x->attr[i].name) != 0)
			k++;
		if (k == n)
			attr_unknown(l, x, &x->attr[i], names, (size_t)n);
	}
	for (int k = 0; k < must; k++)
		if (!xelem_attr(x, names[k]))
			load_bad(l, x->line, where, NULL, "attribute \"%s\" is missing", names[k]);
}

static const char *attr_or(const struct xelem *x, const char *name, const char *other)
{
	const struct xattr *a = xelem_attr(x, name);
	return a ? a->value : other;
}

/* Registers the id of x; returns it, "" when there is none that can be used. */
static const char *take_id(struct load *l, const struct xelem *x, enum id_kind kind, int index)
{
	const struct xattr *at = xelem_attr(x, "id");
	char msg[300];
	if (!at) {
		if (kind != ID_BROKEN)
			bad_at(l, x, NULL, "attribute \"id\" is missing");
		return "";
	}
	struct id_entry *old = id_find(l->s, at->value);
	if (!id_valid(at->value)) {
		snprintf(msg, sizeof msg,
		         "id=\"%.80s\": an id is letters, digits, '_' and '-', and begins with a letter or '_'",
		         at->value);
		bad_at(l, x, NULL, msg);
	} else if (old) {
		snprintf(msg, sizeof msg, "id \"%.80s\" is taken by <%.60s> at line %d", at->value, old->tag,
		         old->line);
		bad_at(l, x, NULL, msg);
	} else {
		struct id_entry *e = arena_alloc(l->s->a, 1, sizeof *e);
		*e = (struct id_entry){ kind, index, at->line, x->tag };
		strmap_put(l->ids, at->value, e);
	}
	return at->value;
}

/* One of the words, or the reported first. */
static const char *take_word(struct load *l, const struct xelem *x, const char *name,
                             const char *const *words, size_t n)
{
	const struct xattr *at = xelem_attr(x, name);
	char where[160], list[200] = "";
	if (!at)
		return words[0];
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], at->value) == 0)
			return words[i];
	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(list);
		snprintf(list + used, sizeof list - used, "%s%s", used ? " " : "", words[i]);
	}
	load_bad(l, at->line, xelem_where(x, where, sizeof where), load_hint(l, at->value, words, n),
	         "%s=\"%.60s\": not one of %s", name, at->value, list);
	return words[0];
}

static void no_children(struct load *l, const struct xelem *x)
{
	for (const struct xelem *c = x->child; c; c = c->next) {
		char msg[200];
		snprintf(msg, sizeof msg, "no element can stand inside <%.60s>", x->tag);
		bad_at(l, c, NULL, msg);
	}
}

static void no_text(struct load *l, const struct xelem *x)
{
	char where[160];
	if (x->text_line)
		load_bad(l, x->text_line, xelem_where(x, where, sizeof where), NULL,
		         "text between elements; write notes as <!-- comments -->");
	for (const struct xelem *c = x->child; c; c = c->next)
		no_text(l, c);
}

/* --- graph --- */

int fps_parse(const char *text, struct rational *out)
{
	char num[32];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	double a, b = 1;
	if (n == 0 || n >= sizeof num)
		return -1;
	memcpy(num, text, n);
	num[n] = 0;
	if (mx_parse(num, &a) < 0 || (slash && mx_parse(slash + 1, &b) < 0))
		return -1;
	if (!(a > 0 && a <= 1e6 && b >= 1 && b <= 1e6 && a / b <= 1000) || b != mx_floor(b))
		return -1;
	if (a == mx_floor(a)) {
		*out = (struct rational){ (int)a, (int)b };
	} else if (slash) {
		return -1;
	} else {
		double k = mx_round(a * 1.001), thousandths = mx_round(a * 1000);
		if (fabs(k * 1000 / 1001 - a) < 0.005)
			*out = (struct rational){ (int)k * 1000, 1001 };
		else if (fabs(thousandths / 1000 - a) < 1e-9)
			*out = (struct rational){ (int)thousandths, 1000 };
		else
			return -1;
	}
	int p = out->num, q = out->den;
	while (q) {
		int r = p % q;
		p = q;
		q = r;
	}
	out->num /= p;
	out->den /= p;
	return 0;
}

static void take_working(struct load *l, const struct xelem *x)
{
	const struct xattr *at = xelem_attr(x, "working");
	char where[160];
	l->s->working = at ? at->value : "acescg";
	int id = colour_find(l->s->working);
	if (id != SPACE_NONE && colour_is_linear(id))
		return;
	const char *hint = load_hint(l, l->s->working, colour_names(), (size_t)colour_count());
	load_bad(l, at ? at->line : x->line, xelem_where(x, where, sizeof where),
	         id == SPACE_NONE ? hint : NULL,
	         id == SPACE_NONE ? "working=\"%.60s\": no such colour space"
	         : "working=\"%.60s\": the working space must be linear, such as acescg", l->s->working);
}

static void take_graph(struct load *l, const struct xelem *x)
{
	static const char *const names[] = {
		"version", "name", "fps", "working", "picture_locked", "sequence", "ocio",
		"xmlns:xsi", "xsi:noNamespaceSchemaLocation"
	};
	static const char *const no_yes[] = { "no", "yes" };
	struct scene *s = l->s;
	char where[160];
	xelem_where(x, where, sizeof where);
	if (strcmp(x->tag, "graph") != 0)
		load_bad(l, x->line, where, "a scene begins with <graph version=\"1\">",
		         "the outermost element must be <graph>");
	check_attrs(l, x, names, IN_COUNT(names), 1);
	const struct xattr *version = xelem_attr(x, "version"), *fps = xelem_attr(x, "fps");
	s->version = attr_or(x, "version", "1");
	s->name = attr_or(x, "name", "");
	s->sequence = attr_or(x, "sequence", "");
	s->ocio = attr_or(x, "ocio", "");
	if (version && strcmp(version->value, "1") != 0)
		load_bad(l, version->line, where, NULL, "version=\"%.60s\": this program reads version 1",
		         version->value);
	s->fps = (struct rational){ 0, 1 };
	if (fps && fps_parse(fps->value, &s->fps) < 0)
		load_bad(l, fps->line, where, NULL,
		         "fps=\"%.60s\": expected a rate as in 24, 24000/1001 or 23.976", fps->value);
	s->has_fps = fps != NULL;
	s->picture_locked = strcmp(take_word(l, x, "picture_locked", no_yes, 2), "yes") == 0;
	take_working(l, x);
}

/* --- param, script, waive, output --- */

static double take_bound(struct load *l, const struct xelem *x, const char *name, double none)
{
	const struct xattr *at = xelem_attr(x, name);
	char where[160];
	double v = none;
	if (at && mx_parse(at->value, &v) < 0)
		load_bad(l, at->line, xelem_where(x, where, sizeof where), NULL,
		         "%s=\"%.60s\": expected a number",
		         name, at->value);
	return v;
}

static enum ptype take_type(struct load *l, const struct xelem *x)
{
	static const char *const words[] = {
		"float", "int", "bool", "enum", "string", "path", "colour", "vector", "length", "curve"
	};
	static const enum ptype types[] = {
		PT_FLOAT, PT_INT, PT_BOOL, PT_ENUM, PT_STRING, PT_PATH, PT_COLOUR, PT_VEC, PT_LENGTH, PT_CURVE
	};
	const char *word = take_word(l, x, "type", words, IN_COUNT(words));
	for (size_t i = 0; i < IN_COUNT(words); i++)
		if (strcmp(words[i], word) == 0)
			return types[i];
	return PT_FLOAT;
}

/* --set of the command line for this file's parameter, or NULL. */
static const char *set_over(const struct load *l, const char *name)
{
	size_t n = strlen(l->via);
	const char *value = NULL;
	for (int i = 0; i < l->o->nset; i++) {
		const char *set = l->o->set[i].name;
		if (strncmp(set, l->via, n) == 0 && strcmp(set + n, name) == 0)
			value = l->o->set[i].value;
	}
	return value;
}

static bool lua_word(const char *name)
{
	static const char *const words[] = {
		"and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
			"local",
		"nil", "not", "or", "repeat", "return", "then", "true", "until", "while", "frame", "fps", "id",
			"graph"
	};
	for (size_t i = 0; i < IN_COUNT(words); i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}

static void check_param(struct load *l, const struct xelem *x, const struct sparam *sp, int before)
{
	struct param p;
	char where[160];
	snprintf(where, sizeof where, "<param name=\"%.60s\">", sp->name);
	if (!id_valid(sp->name) || strchr(sp->name, '-') || lua_word(sp->name))
		load_bad(l, x->line, where, NULL,
		         "name=\"%.60s\": a parameter is letters, digits and '_', and no word of Lua, "
		         "nor frame, fps, id or graph", sp->name);
	for (int i = 0; i < before; i++)
		if (strcmp(l->s->param[i].name, sp->name) == 0)
			load_bad(l, x->line, where, NULL, "there is a parameter \"%.60s\" already, at line %d", sp->name,
			         l->s->param[i].line);
	if (sp->type == PT_ENUM && !sp->choices) {
		load_bad(l, x->line, where, NULL,
		         "attribute \"choices\" is missing: the words, as in \"low|high\"");
		return;
	}
	sparam_declare(sp, &p);
	const char *over = set_over(l, sp->name);
	if (!over && xelem_attr(x, "value"))
		text_check(l, &p, sp->value, xelem_attr(x, "value")->line, where);
	if (over)
		text_check(l, &p, over, 0, "--set");
}

static void take_param(struct load *l, struct xelem *x)
{
	static const char *const names[] = { "name", "type", "value", "doc", "min", "max", "choices" };
	check_attrs(l, x, names, IN_COUNT(names), 3);
	no_children(l, x);
	if (l->s->nparam == MAX_PARAMS) {
		bad_at(l, x, NULL, "too many parameters: at most 1000");
		return;
	}
	struct sparam *sp = &l->s->param[l->s->nparam];
	*sp = (struct sparam){
		.name = attr_or(x, "name", ""), .type = take_type(l, x), .value = attr_or(x, "value", ""),
		.doc = attr_or(x, "doc", ""), .choices = attr_or(x, "choices", NULL), .line = x->line,
		.min = take_bound(l, x, "min", -INFINITY), .max = take_bound(l, x, "max", INFINITY)
	};
	if (sp->min > sp->max)
		bad_at(l, x, NULL, "min is greater than max");
	if (xelem_attr(x, "name"))
		check_param(l, x, sp, l->s->nparam);
	const char *over = set_over(l, sp->name);
	if (over)
		sp->value = over;
	l->s->nparam++;
}

static int check_pin(struct load *l, const struct xelem *x, const char *path, const char *sha256)
{
	struct key want, have;
	struct err e = ERR_INIT;
	char where[160], hex[65];
	xelem_where(x, where, sizeof where);
	if (key_parse(sha256, &want) < 0) {
		load_bad(l, x->line, where, NULL, "sha256: expected 64 hexadecimal digits");
		return -1;
	}
	if (hash_file(path, &have, &e) < 0 || key_eq(&want, &have))
		return 0;                            /* what cannot be read is reported by its reader */
	key_hex(&have, hex);
	diag_add(l->d, DIAG_ERROR, E_LOCK, l->s->file, x->line, where, NULL,
	         "the script is not the one that was pinned: its sha256 is %s", hex);
	return -1;
}

static void take_script(struct load *l, struct xelem *x)
{
	static const char *const names[] = { "file", "sha256" };
	check_attrs(l, x, names, 2, 1);
	no_children(l, x);
	struct script_ref *r = &l->s->script[l->s->nscript++];
	*r = (struct script_ref){ attr_or(x, "file", ""), x->line, attr_or(x, "sha256", NULL) };
	const char *path = scene_path(l->s, r->file, l->s->a);
	struct script_host *h = l->o->host;
	if (!xelem_attr(x, "file") || (r->sha256 && check_pin(l, x, path, r->sha256) < 0))
		return;
	if (!h || !h->load)
		bad_at(l, x, NULL, "scripts cannot be run here");
	else if (h->load(h, l->s->reg, path, l->s->file, x->line, l->d) < 0)
		l->broken_script = true;
}

static void take_waive(struct load *l, struct xelem *x)
{
	static const char *const names[] = { "rule", "reason", "node" };
	check_attrs(l, x, names, 3, 2);
	no_children(l, x);
	const struct xattr *reason = xelem_attr(x, "reason");
	if (reason && strspn(reason->value, " ") == strlen(reason->value))
		bad_at(l, x, NULL, "a waiver needs a reason");
	l->s->waive[l->s->nwaive++] = (struct waive){
		attr_or(x, "rule", ""), attr_or(x, "node", ""), attr_or(x, "reason", ""), x->line
	};
}

/* An approval of what somebody else approves in the same role would hide one of the two. */
static void check_approve(struct load *l, const struct xelem *x, const struct approve *v)
{
	static const char *const must[] = { "pass", "by", "role" };
	char msg[300];
	for (size_t i = 0; i < IN_COUNT(must); i++) {
		const struct xattr *at = xelem_attr(x, must[i]);
		if (!at || strspn(at->value, " ") != strlen(at->value)) continue;
		snprintf(msg, sizeof msg, "%s=\"\": an approval says what was approved, by whom and as what", must[i]);
		bad_at(l, x, NULL, msg);
	}
	if (xelem_attr(x, "hash") && (strlen(v->hash) != APPROVE_DIGITS ||
	                              strspn(v->hash, "0123456789abcdef") != APPROVE_DIGITS))
		bad_at(l, x, "interneg approve writes it", "hash: expected 32 hexadecimal digits");
	for (const struct approve *o = l->s->approve; o < v; o++) {
		if (strcmp(o->shot, v->shot) != 0 || strcmp(o->pass, v->pass) != 0 || strcmp(o->role, v->role) != 0) continue;
		snprintf(msg, sizeof msg, "role \"%.60s\" has approved this pass already, at line %d", v->role, o->line);
		bad_at(l, x, NULL, msg);
	}
}

static void take_approve(struct load *l, struct xelem *x)
{
	static const char *const names[] = { "pass", "by", "role", "hash", "shot", "note" };
	check_attrs(l, x, names, IN_COUNT(names), 4);
	no_children(l, x);
	struct approve *v = &l->s->approve[l->s->napprove++];
	*v = (struct approve){
		attr_or(x, "shot", ""), attr_or(x, "pass", ""), attr_or(x, "by", ""), attr_or(x, "role", ""),
		attr_or(x, "hash", ""), attr_or(x, "note", ""), x->line
	};
	check_approve(l, x, v);
}

static void take_reference(struct load *l, struct xelem *x)
{
	static const char *const names[] = { "kind", "file", "shot", "note" };
	static const char *const kinds[] = { "identity", "light", "lens" };
	check_attrs(l, x, names, IN_COUNT(names), 2);
	no_children(l, x);
	struct reference *r = &l->s->reference[l->s->nreference++];
	*r = (struct reference){ take_word(l, x, "kind", kinds, IN_COUNT(kinds)),
		attr_or(x, "file", ""), attr_or(x, "shot", ""),
		attr_or(x, "note", ""), x->line };
	if (xelem_attr(x, "file") && !*r->file)
		bad_at(l, x, NULL, "file=\"\": a reference is a still");
	else if (*r->file && access(scene_path(l->s, r->file, l->s->a), R_OK) != 0)
		bad_at(l, x, NULL, "the still of this reference cannot be read");
}

const struct reference *scene_reference(const struct scene *s, const char *shot, int i,
                                        struct arena *a, const char **path)
{
	for (int k = 0; k < s->nreference; k++) {
		const struct reference *r = &s->reference[k];
		if ((*r->shot && *shot && strcmp(r->shot, shot) != 0) || i--) continue;
		*path = scene_path(s, r->file, a);
		return r;
	}
	return NULL;
}

static void take_output(struct load *l, struct xelem *x)
{
	static const char *const names[] = { "id", "in" };
	int index = l->s->noutput;
	check_attrs(l, x, names, 2, 0);
	no_children(l, x);
	if (!xelem_attr(x, "in"))
		bad_at(l, x, NULL, "attribute \"in\" is missing");
	l->s->output[l->s->noutput++] = (struct face){
		take_id(l, x, ID_OUTPUT, index), attr_or(x, "in", NULL), x->line
	};
}

/* --- nodes, use, input, pass --- */

static void add_elem(struct load *l, struct xelem *x, const struct node_type *t, int pass)
{
	int i = l->s->nelem++;
	x->elem = i;
	l->source[i] = x;
	l->s->elem[i] = (struct elem){
		.tag = x->tag, .line = x->line, .type = t, .pass = pass, .id = take_id(l, x, ID_ELEM, i)
	};
}

static const char *const scene_words[] = { "param", "script", "waive", "approve", "reference", "input", "output",
                                          "pass", "use" };

static void unknown_elem(struct load *l, const struct xelem *x)
{
	int n, total = 0;
	if (load_full(l))
		return;
	const struct node_type **all = registry_all(l->s->reg, &n);
	const char **names = xalloc((size_t)n + IN_COUNT(scene_words), sizeof *names);
	char where[160];
	for (int i = 0; i < n; i++)
		names[total++] = all[i]->name;
	for (size_t i = 0; i < IN_COUNT(scene_words); i++)
		names[total++] = scene_words[i];
	const char *hint = load_hint(l, x->tag, names, (size_t)total);
	/* what resembles nothing may be a type of the script that did not load, which is told already */
	if (hint || !l->broken_script)
		load_bad(l, x->line, xelem_where(x, where, sizeof where), hint, "unknown element <%.60s>", x->tag);
	take_id(l, x, ID_BROKEN, 0);
	free(names);
	free(all);
}

static bool is_scene_word(const char *tag)
{
	for (size_t i = 0; i < IN_COUNT(scene_words); i++)
		if (strcmp(scene_words[i], tag) == 0)
			return true;
	return false;
}

/* A node type or <use>, at top level or in a pass. */
static void take_node(struct load *l, struct xelem *x, int pass)
{
	const struct node_type *t = registry_find(l->s->reg, x->tag);
	if (strcmp(x->tag, "use") == 0)
		add_elem(l, x, NULL, pass);
	else if (t && !(t->flags & NF_HIDDEN))
		add_elem(l, x, t, pass);
	else if (pass >= 0 && is_scene_word(x->tag))
		bad_at(l, x, NULL, "cannot stand inside a <pass>, only directly in <graph>");
	else
		unknown_elem(l, x);
}

static bool has_image(const struct elem *el)
{
	return el->type ? !(el->type->flags & NF_SINK) : strcmp(el->tag, "use") == 0;
}

/* The result of pass p, whose elements are first..last: out= or the last with an image. */
static void pass_result(struct load *l, const struct xelem *x, struct pass *p, int first)
{
	struct scene *s = l->s;
	const struct xattr *out = xelem_attr(x, "out");
	char where[160];
	xelem_where(x, where, sizeof where);
	p->out = NULL;
	for (int i = first; i < s->nelem; i++)
		if (has_image(&s->elem[i]) && (!out || strcmp(s->elem[i].id, out->value) == 0))
			p->out = s->elem[i].id;
	if (p->out)
		return;
	if (out)
		load_bad(l, out->line, where, NULL, "out=\"%.60s\": no node of this pass with an image",
		         out->value);
	else if (!x->child)
		load_bad(l, x->line, where, NULL, "the pass is empty");
	else if (s->nelem > first)
		load_bad(l, x->line, where, NULL, "the pass has no node with an image");
}

static void take_pass(struct load *l, struct xelem *x)
{
	static const char *const names[] = { "id", "kind", "keep", "depth", "path", "out", "note" };
	static const char *const kinds[] = {
		"", "geometry", "cleanup", "detail", "motion", "neutral", "look", "integrate", "deliver"
	};
	static const char *const keeps[] = { "auto", "always", "never" }, *const depths[] = { "float",
	                                                                                     "half" };
	int index = l->s->npass++, first = l->s->nelem;
	struct pass *p = &l->s->pass[index];
	check_attrs(l, x, names, IN_COUNT(names), 0);
	*p = (struct pass){
		.id = take_id(l, x, ID_PASS, index), .kind = take_word(l, x, "kind", kinds, IN_COUNT(kinds)),
		.keep = take_word(l, x, "keep", keeps, 3), .depth = take_word(l, x, "depth", depths, 2),
		.path = attr_or(x, "path", NULL), .note = attr_or(x, "note", ""), .line = x->line
	};
	for (struct xelem *c = x->child; c; c = c->next)
		take_node(l, c, index);
	pass_result(l, x, p, first);
}

static void take_child(struct load *l, struct xelem *x)
{
	static const struct { const char *tag; void (*take)(struct load *, struct xelem *); } kinds[] = {
		{ "param", take_param }, { "waive", take_waive }, { "approve", take_approve }, { "reference", take_reference },
		{ "output", take_output }, { "pass", take_pass }
	};
	for (size_t i = 0; i < IN_COUNT(kinds); i++)
		if (strcmp(x->tag, kinds[i].tag) == 0) {
			kinds[i].take(l, x);
			return;
		}
	if (strcmp(x->tag, "input") == 0)
		add_elem(l, x, NULL, -1);
	else if (strcmp(x->tag, "script") != 0)
		take_node(l, x, -1);
}

void elems_collect(struct load *l)
{
	size_t n = 0, npass = 0, inner = 0;
	struct scene *s = l->s;
	for (struct xelem *c = l->x.root->child; c; c = c->next, n++) {
		npass += strcmp(c->tag, "pass") == 0;
		for (struct xelem *k = c->child; k; k = k->next)
			inner++;
	}
	s->elem = arena_alloc(s->a, n + inner, sizeof *s->elem);
	s->pass = arena_alloc(s->a, npass, sizeof *s->pass);
	s->param = arena_alloc(s->a, n, sizeof *s->param);
	s->script = arena_alloc(s->a, n, sizeof *s->script);
	s->waive = arena_alloc(s->a, n, sizeof *s->waive);
	s->approve = arena_alloc(s->a, n, sizeof *s->approve);
	s->reference = arena_alloc(s->a, n, sizeof *s->reference);
	s->output = arena_alloc(s->a, n, sizeof *s->output);
	l->source = xalloc(n + inner, sizeof *l->source);
	take_graph(l, l->x.root);
	no_text(l, l->x.root);
	for (struct xelem *c = l->x.root->child; c; c = c->next)
		if (strcmp(c->tag, "script") == 0)
			take_script(l, c);
	for (struct xelem *c = l->x.root->child; c; c = c->next)
		take_child(l, c);
}
