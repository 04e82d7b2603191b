/* xml_fmt - the canonical form of a scene: order and text of attributes, indentation, wrapping.
 * Comments, blank lines between elements and the order of elements are the author's.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "xml.h"

enum { WIDTH = 120, INDENT = 2 };

/* Attributes of one element, ready to print. */
struct canon { const char **name, **value; size_t n; };

static const struct { const char *tag, *order; } fixed[] = {
	{ "graph", "version name fps working picture_locked sequence ocio xmlns:xsi "
	  "xsi:noNamespaceSchemaLocation" },
	{ "param", "name type value min max choices doc" },
	{ "pass", "id kind keep depth path out note" },
	{ "script", "file sha256" },
	{ "waive", "rule node reason" },
	{ "approve", "shot pass by role hash note" },
	{ "reference", "kind file shot note" },
	{ "output", "id in" },
	{ "animate", "param" },
	{ "key", "frame value ease bezier" },
	{ "use", "id graph" },
	{ "set", "node" },
};

/* A literal value as its declaration prints it; expressions and what does not parse stay. */
static const char *canon_value(const struct param *p, const char *text, struct arena *a)
{
	struct value v;
	if (!p || strpbrk(text, "{}") || p->type == PT_STRING || p->type == PT_PATH)
		return text;
	if (value_parse(p, text, a, &v, NULL) < 0)
		return text;
	if (text[0] != '#')
		return value_print(p, &v, a);
	char *hex = arena_strdup(a, text);
	for (char *c = hex; *c; c++)
		if (*c >= 'A' && *c <= 'F')
			*c = (char)(*c - 'A' + 'a');
	return hex;
}

static const char *canon_number(const char *text, struct arena *a)
{
	double v;
	char out[40];
	if (mx_parse(text, &v) < 0)
		return text;
	mx_print(v, out);
	return arena_strdup(a, out);
}

static const char *canon_ids(const char *text, struct arena *a)
{
	char *out = arena_strdup(a, text), *o = out;
	for (const char *s = text; *(s += strspn(s, " "));) {
		size_t n = strcspn(s, " ");
		if (o > out)
			*o++ = ' ';
		memcpy(o, s, n);
		o += n;
		s += n;
	}
	*o = 0;
	return out;
}

static void put(struct canon *c, const char *name, const char *value)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->name[i], name) == 0)
			return;
	c->name[c->n] = name;
	c->value[c->n++] = value;
}

/* Moves the attribute of this name, if there is one, to the list. */
static void put_attr(struct canon *c, const struct xelem *x, const char *name,
                     const struct param *p, struct arena *a)
{
	const struct xattr *at = xelem_attr(x, name);
	if (at)
		put(c, at->name, canon_value(p, at->value, a));
}

static void put_ids(struct canon *c, const struct xelem *x, const char *name, struct arena *a)
{
	const struct xattr *at = xelem_attr(x, name);
	if (at)
		put(c, at->name, canon_ids(at->value, a));
}

static void put_params(struct canon *c, const struct xelem *x, const struct node_type *t,
                       struct arena *a)
{
	for (const struct param *p = t->params; p && p->name; p++)
		put_attr(c, x, p->name, p, a);
	for (const struct param *p = node_common_params; (t->flags & NF_MASKED) && p->name; p++)
		put_attr(c, x, p->name, p, a);
}

static void canon_node(struct canon *c, const struct xelem *x, const struct elem *el,
                       struct arena *a)
{
	struct slot slot[NODE_MAX_SLOTS];
	int n = node_slots(el->type, slot);
	put_attr(c, x, "id", NULL, a);
	for (int i = 0; i < n; i++) {
		const char *name = arena_strdup(a, slot_attr(&slot[i]));
		put_ids(c, x, name, a);
		for (int k = 0; k < el->nref; k++)
			if (el->ref[k].implied && strcmp(el->ref[k].slot, slot[i].name) == 0)
				put(c, name, el->ref[k].target);
	}
	put_params(c, x, el->type, a);
}

static void canon_use(struct canon *c, const struct xelem *x, const struct elem *el,
                      struct arena *a)
{
	const struct scene *s = el->used;
	for (int i = 0; s && i < s->nelem; i++)
		if (elem_is_input(&s->elem[i]))
			put_ids(c, x, s->elem[i].id, a);
	for (int i = 0; s && i < s->nparam; i++) {
		struct param p;
		sparam_declare(&s->param[i], &p);
		put_attr(c, x, p.name, &p, a);
	}
}

/* The declaration that an <animate>'s keys are values of, or NULL. */
static const struct param *key_param(const struct scene *s, const struct xelem *x)
{
	const struct xelem *node = x->parent ? x->parent->parent : NULL;
	const struct xattr *name = x->parent ? xelem_attr(x->parent, "param") : NULL;
	const struct node_type *t = node && node->elem >= 0 ? s->elem[node->elem].type : NULL;
	return t && name ? type_param(t, name->value) : NULL;
}

static void canon_fixed(struct canon *c, const struct xelem *x, const char *order,
                        const struct param *value,
                        struct arena *a)
{
	char name[40];
	for (const char *s = order; *s; s += *s == ' ') {
		size_t n = strcspn(s, " ");
		snprintf(name, sizeof name, "%.*s", (int)n, s);
		const struct xattr *at = xelem_attr(x, name);
		bool number = !strcmp(name, "frame") || !strcmp(name, "min") || !strcmp(name, "max");
		if (at && number)
			put(c, at->name, canon_number(at->value, a));
		else if (strcmp(name, "in") == 0)
			put_ids(c, x, name, a);
		else
			put_attr(c, x, name, strcmp(name, "value") == 0 ? value : NULL, a);
		s += n;
	}
}

static struct canon canon_of(const struct scene *s, const struct xelem *x, struct arena *a)
{
	struct canon c = {
		.name = arena_alloc(a, (size_t)x->nattr + NODE_MAX_SLOTS, sizeof *c.name),
		.value = arena_alloc(a, (size_t)x->nattr + NODE_MAX_SLOTS, sizeof *c.value)
	};
	const struct elem *el = x->elem >= 0 ? &s->elem[x->elem] : NULL;
	const struct elem *use = x->parent && x->parent->elem >= 0 ? &s->elem[x->parent->elem] : NULL;
	const struct xattr *name = xelem_attr(x, strcmp(x->tag, "set") ? "name" : "node");
	const struct sparam *sp = name && !strcmp(x->tag, "param") ? scene_sparam(s, name->value) : NULL;
	const struct param *value = strcmp(x->tag, "key") == 0 ? key_param(s, x) : NULL;
	struct param declared;
	if (sp) {
		sparam_declare(sp, &declared);
		value = &declared;
	}
	for (size_t i = 0; i < IN_COUNT(fixed); i++)
		if (strcmp(x->tag, fixed[i].tag) == 0)
			canon_fixed(&c, x, fixed[i].order, value, a);
	if (el && el->type)
		canon_node(&c, x, el, a);
	else if (el)
		canon_use(&c, x, el, a);
	if (use && use->used && name && strcmp(x->tag, "set") == 0) {
		const struct elem *inner = scene_inner(use->used, name->value);
		if (inner)
			put_params(&c, x, inner->type, a);
	}
	for (int i = 0; i < x->nattr; i++)           /* what nobody knows stays last, as it came */
		put(&c, x->attr[i].name, x->attr[i].value);
	return c;
}

/* --- printing --- */

struct fmt {
	const struct scene *s; struct xbuf out; struct xscan scan;
	struct xelem *next;                          /* of the tree, in document order */
	int depth, newlines;                         /* newlines in the white space before the next item */
	bool opened;                                 /* an opening tag was printed last */
	struct arena *a; int nelem;                  /* for one tag's texts; renewed now and then */
};

static struct xelem *following(struct xelem *x)
{
	if (x->child)
		return x->child;
	while (x && !x->next)
		x = x->parent;
	return x ? x->next : NULL;
}

/* The tag of x from column on, wrapped with aligned attributes when it does not fit. */
static void tag_text(struct fmt *f, const struct xelem *x, size_t column, const char *end)
{
	struct canon c = canon_of(f->s, x, f->a);
	struct xbuf *b = &f->out, one = { 0 };
	size_t align = column + strlen(x->tag) + 2, total = align + strlen(end), at = align;
	for (int pass = 0; pass < 2; pass++) {
		if (pass) {
			xbuf_str(b, "<");
			xbuf_str(b, x->tag);
		}
		for (size_t i = 0; i < c.n; i++) {
			one.n = 0;
			xbuf_str(&one, c.name[i]);
			xbuf_str(&one, "=\"");
			xbuf_value(&one, c.value[i]);
			xbuf_str(&one, "\"");
			size_t w = utf8_width(one.s, one.n), tail = i + 1 == c.n ? strlen(end) : 0;
			if (!pass) {
				total += w + (i > 0);
			} else if (total > WIDTH && i > 0 && at + 1 + w + tail > WIDTH) {
				xbuf_str(b, "\n");
				xbuf_fill(b, ' ', align);
				at = align + w;
			} else {
				xbuf_str(b, " ");
				at += w + (i > 0);
			}
			if (pass)
				xbuf_add(b, one.s, one.n);
		}
	}
	xbuf_str(b, end);
	free(one.s);
}

/* Begins the line of the next item; keeps one blank line of the author's. */
static void new_line(struct fmt *f, bool closing)
{
	xbuf_str(&f->out, f->newlines > 1 && !f->opened && !closing ? "\n\n" : "\n");
	xbuf_fill(&f->out, ' ', (size_t)(f->depth * INDENT));
	f->opened = false;
	f->newlines = 0;
}

/* Text without the carriage returns of other systems. */
static void put_plain(struct xbuf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != '\r')
			xbuf_add(b, s + i, 1);
}

static void put_comment(struct fmt *f)
{
	if (f->newlines == 0)
		xbuf_str(&f->out, " ");              /* beside what it speaks of */
	else
		new_line(f, false);
	f->opened = false;
	put_plain(&f->out, f->scan.start, f->scan.len);
}

/* Is there nothing but white space up to the closing tag? */
static bool bare(const struct fmt *f)
{
	const char *p = f->scan.p;
	while (p < f->scan.end && strchr(" \t\r\n", *p) && *p)
		p++;
	return f->scan.end - p > 1 && p[0] == '<' && p[1] == '/';
}

static void skip_to_close(struct fmt *f, const char *tag)
{
	size_t n = strlen(tag);
	while (xscan_next(&f->scan) != XT_END)
		if (f->scan.tok == XT_CLOSE && f->scan.name_len == n && memcmp(f->scan.name, tag, n) == 0)
			return;
}

/* An <animate> with its keys on one line, when there are no comments in it and it fits. */
static bool inline_animate(struct fmt *f, struct xelem *x)
{
	static const char close[] = "</animate";
	const char *end = memmem(f->scan.p, (size_t)(f->scan.end - f->scan.p), close, sizeof close - 1);
	size_t left = (size_t)(f->depth * INDENT), line = f->out.n;
	if (strcmp(x->tag, "animate") != 0 || !end ||
	    memmem(f->scan.p, (size_t)(end - f->scan.p), "<!", 2) ||
	    memmem(f->scan.p, (size_t)(end - f->scan.p), "<?", 2))
		return false;
	tag_text(f, x, left, ">");
	for (struct xelem *k = x->child; k; k = k->next) {
		if (k->child || f->out.n - line > 10 * WIDTH)
			break;
		tag_text(f, k, 0, "/>");
	}
	xbuf_str(&f->out, "</animate>");
	if (left + utf8_width(f->out.s + line, f->out.n - line) > WIDTH || memchr(f->out.s + line, '\n',
	                                                                          f->out.n - line)) {
		f->out.n = line;
		f->out.s[line] = 0;
		return false;
	}
	skip_to_close(f, "animate");
	while (f->next && f->next->parent == x)
		f->next = following(f->next);
	return true;
}

static void put_element(struct fmt *f)
{
	struct xelem *x = f->next;
	bool open = f->scan.tok == XT_OPEN;
	if (!x)
		return;
	f->next = following(x);
	if (++f->nelem % 1000 == 0) {
		arena_free(&f->a);
		f->a = arena_new();
	}
	new_line(f, false);
	if (open && bare(f)) {
		skip_to_close(f, x->tag);
		open = false;
	}
	if (open && inline_animate(f, x))
		return;
	tag_text(f, x, (size_t)(f->depth * INDENT), open ? ">" : "/>");
	f->depth += open;
	f->opened = open;
}

static void put_token(struct fmt *f)
{
	switch (f->scan.tok) {
	case XT_TEXT:
		for (size_t i = 0; i < f->scan.len; i++)
			f->newlines += f->scan.start[i] == '\n';
		return;
	case XT_COMMENT:
		put_comment(f);
		break;
	case XT_PI:
		if (f->scan.len > 5 && memcmp(f->scan.start, "<?xml", 5) == 0 && strchr(" \t\r\n",
		                                                                        f->scan.start[5]))
			break;                       /* the declaration, already printed */
		new_line(f, false);
		put_plain(&f->out, f->scan.start, f->scan.len);
		break;
	case XT_OPEN: case XT_EMPTY:
		put_element(f);
		break;
	case XT_CLOSE:
		f->depth--;
		new_line(f, true);
		xbuf_str(&f->out, "</");
		xbuf_add(&f->out, f->scan.name, f->scan.name_len);
		xbuf_str(&f->out, ">");
		break;
	default:
		break;
	}
	f->newlines = 0;
}

static bool has_text(const struct xelem *x)
{
	bool found = x->text_line != 0;
	for (const struct xelem *c = x->child; c && !found; c = c->next)
		found = has_text(c);
	return found;
}

char *scene_fmt(const char *file, const char *text, size_t len, const struct load_opts *o,
                struct diags *d)
{
	struct xdoc tree = { 0 };
	struct err e = ERR_INIT;
	char *owned = text ? NULL : scene_read(file, &len, &e);
	text = text ? text : owned;
	if (!text) {
		diag_add(d, DIAG_ERROR, e.code, file, 0, NULL, NULL, "%s", e.msg);
		return NULL;
	}
	struct scene *s = load_scene(file, text, len, o, d, NULL, "", &tree);
	struct fmt f = { .s = s, .next = tree.root, .newlines = 1 };
	if (s && !has_text(tree.root)) {
		f.a = arena_new();
		xbuf_str(&f.out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
		xscan_init(&f.scan, text, len);
		while (xscan_next(&f.scan) != XT_END)
			put_token(&f);
		xbuf_str(&f.out, "\n");
		xscan_free(&f.scan);
		arena_free(&f.a);
	}
	scene_free(&s);
	free(owned);
	return f.out.s;
}
