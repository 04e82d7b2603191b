/* xml_patch - writes attributes into one element of a scene's text; every other byte stays.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xml.h"

enum { MAX_PATCH = 64 };

/* Replacements of [from, to) in the text, by place. */
struct edit { size_t from, to; char *put; };
struct patch { const char *text; size_t len; struct edit edit[MAX_PATCH + 1]; int n; };

static bool span_is(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(s, word, n) == 0;
}

static const struct xspan *find_span(const struct xscan *s, const char *name)
{
	for (size_t i = 0; i < s->nattr; i++)
		if (span_is(s->attr[i].name, s->attr[i].name_len, name))
			return &s->attr[i];
	return NULL;
}

/* Moves s to the start tag whose attribute has this value; tag NULL: any. Ends with the element
 * that is open at the start when `within`. */
static bool seek(struct xscan *s, const char *tag, const char *attr, const char *value, bool within)
{
	int depth = 0;
	for (;;) {
		enum xtok t = xscan_next(s);
		if (t == XT_END || (t == XT_CLOSE && within && depth == 0))
			return false;
		if (t == XT_OPEN || t == XT_EMPTY) {
			const struct xspan *at = find_span(s, attr);
			if (at && span_is(at->value, at->value_len, value) &&
			    (!tag || span_is(s->name, s->name_len, tag)))
				return true;
		}
		depth += t == XT_OPEN;
		depth -= t == XT_CLOSE;
	}
}

static void add_edit(struct patch *p, const char *from, const char *to, char *put)
{
	struct edit e = { (size_t)(from - p->text), (size_t)(to - p->text), put };
	int i = p->n++;
	for (; i > 0 && p->edit[i - 1].from > e.from; i--)   /* equal places keep their order */
		p->edit[i] = p->edit[i - 1];
	p->edit[i] = e;
}

static char *attr_text(const struct attr *a)
{
	struct xbuf b = { 0 };
	xbuf_str(&b, " ");
	xbuf_str(&b, a->name);
	xbuf_str(&b, "=\"");
	xbuf_value(&b, a->value);
	xbuf_str(&b, "\"");
	return b.s;
}

/* Value text for the quotes it will stand in. */
static char *value_text(const char *value, char quote)
{
	struct xbuf b = { 0 }, out = { 0 };
	xbuf_str(&b, "");
	xbuf_value(&b, value);
	xbuf_str(&out, "");
	for (const char *s = b.s; *s; s++)
		if (*s == '\'' && quote == '\'')
			xbuf_str(&out, "&#39;");
		else
			xbuf_add(&out, s, 1);
	free(b.s);
	return out.s;
}

/* The tag that s stands on gets the attributes: known ones in place, new ones after the last. */
static void patch_tag(struct patch *p, const struct xscan *s, const struct attr *attr, int nattr)
{
	const char *after = s->nattr ? s->attr[s->nattr - 1].value + s->attr[s->nattr - 1].value_len + 1
	                             : s->name + s->name_len;
	for (int i = 0; i < nattr; i++) {
		const struct xspan *at = find_span(s, attr[i].name);
		if (at && attr[i].value)
			add_edit(p, at->value, at->value + at->value_len, value_text(attr[i].value, at->value[-1]));
		else if (at) {
			const char *from = at->name;
			while (strchr(" \t\r\n", from[-1]))
				from--;
			add_edit(p, from, at->value + at->value_len + 1, xstrdup(""));
		} else if (attr[i].value)
			add_edit(p, after, after, attr_text(&attr[i]));
	}
}

/* The white space that the line of `at` begins with, when nothing else stands before it. */
static char *indent_of(const struct patch *p, const char *at)
{
	const char *line = at;
	while (line > p->text && line[-1] != '\n')
		line--;
	size_t n = strspn(line, " \t");
	struct xbuf b = { 0 };
	xbuf_add(&b, line, line + n >= at ? (size_t)(at - line) : n);
	return b.s;
}

static void set_text(struct xbuf *b, const char *indent, const char *node,
                     const struct attr *attr, int nattr)
{
	xbuf_str(b, "\n");
	xbuf_str(b, indent);
	xbuf_str(b, "  <set node=\"");
	xbuf_value(b, node);
	xbuf_str(b, "\"");
	for (int i = 0; i < nattr; i++) {
		char *one = attr[i].value ? attr_text(&attr[i]) : xstrdup("");
		xbuf_str(b, one);
		free(one);
	}
	xbuf_str(b, "/>");
}

/* The <use> that s stands on gets a <set>, or the one it has is changed. */
static void patch_use(struct patch *p, struct xscan *s, const char *node, const struct attr *attr,
                      int nattr)
{
	char *indent = indent_of(p, s->start);
	struct xbuf b = { 0 };
	if (s->tok == XT_EMPTY) {
		const char *slash = s->p - 1;
		while (*slash != '/')
			slash--;
		const char *from = slash;
		while (strchr(" \t\r\n", from[-1]))
			from--;
		xbuf_str(&b, ">");
		set_text(&b, indent, node, attr, nattr);
		xbuf_str(&b, "\n");
		xbuf_str(&b, indent);
		xbuf_str(&b, "</use>");
		add_edit(p, from, s->p, b.s);
	} else {
		const char *inside = s->p, *last = inside;
		struct xscan look;
		xscan_init(&look, inside, (size_t)(p->text + p->len - inside));
		if (seek(&look, "set", "node", node, true)) {
			patch_tag(p, &look, attr, nattr);
		} else {
			const char *close = look.start;
			for (last = close; last > inside && strchr(" \t\r\n", last[-1]); last--)
				;
			set_text(&b, indent, node, attr, nattr);
			if (!memchr(last, '\n', (size_t)(close - last))) {
				xbuf_str(&b, "\n");
				xbuf_str(&b, indent);
			}
			add_edit(p, last, last, b.s);
		}
		xscan_free(&look);
	}
	free(indent);
}

static char *apply(struct patch *p)
{
	struct xbuf b = { 0 };
	size_t at = 0;
	for (int i = 0; i < p->n; i++) {
		xbuf_add(&b, p->text + at, p->edit[i].from - at);
		xbuf_str(&b, p->edit[i].put);
		at = p->edit[i].to;
		free(p->edit[i].put);
	}
	xbuf_add(&b, p->text + at, p->len - at);
	return b.s;
}

static int well_formed(const char *text, size_t len, struct err *e)
{
	struct arena *a = arena_new();
	struct diags d = { 0 };
	struct xdoc x;
	int rc = xdoc_read(&x, "scene", text, len, a, &d);
	if (rc < 0)
		err_set(e, E_SCENE, "the scene cannot be changed: %s", d.n ? d.v[0].msg : "not well-formed");
	diags_free(&d);
	arena_free(&a);
	return rc;
}

char *scene_patch(const char *text, size_t len, const char *elem_id, const struct attr *attr,
                  int nattr,
                  struct err *e)
{
	struct patch p = { .text = text, .len = len };
	struct xscan s;
	char id[128], *out = NULL;
	const char *dot = strchr(elem_id, '.');
	snprintf(id, sizeof id, "%.*s", dot ? (int)(dot - elem_id) : 127, elem_id);
	if (nattr > MAX_PATCH) {
		err_set(e, E_INTERNAL, "too many attributes for one element: %d", nattr);
		return NULL;
	}
	if (well_formed(text, len, e) < 0)
		return NULL;
	xscan_init(&s, text, len);
	if (!seek(&s, dot ? "use" : NULL, "id", id, false)) {
		err_set(e, E_SCENE, "the scene has no %s with id \"%s\"", dot ? "<use>" : "element", id);
	} else {
		if (dot)
			patch_use(&p, &s, dot + 1, attr, nattr);
		else
			patch_tag(&p, &s, attr, nattr);
		out = apply(&p);
	}
	xscan_free(&s);
	return out;
}

/* --- elements directly under <graph> --- */

/* Whether the tag that s stands on is <tag> with these attributes; one that is not there counts as "". */
static bool fits(const struct xscan *s, const char *tag, const struct attr *key, int nkey)
{
	if (!span_is(s->name, s->name_len, tag))
		return false;
	for (int i = 0; i < nkey; i++) {
		const struct xspan *at = find_span(s, key[i].name);
		char *want = at ? value_text(key[i].value, at->value[-1]) : NULL;
		bool same = at ? span_is(at->value, at->value_len, want) : key[i].value[0] == 0;
		free(want);
		if (!same)
			return false;
	}
	return true;
}

/* Where things stand under <graph>: the element asked for, the end of the last one of its kind and of any. */
struct under { const char *from, *to, *kin, *last, *first; };

/* Leaves s on the start tag asked for, when there is one. */
static bool look_under(struct xscan *s, const char *tag, const struct attr *key, int nkey, struct under *u)
{
	int depth = 0;
	bool kin = false;
	*u = (struct under){ 0 };
	for (enum xtok t = xscan_next(s); t != XT_END; t = xscan_next(s)) {
		if (t == XT_OPEN || t == XT_EMPTY) {
			if (depth == 0) {
				u->last = s->p;
			} else if (depth == 1) {
				u->first = u->first ? u->first : s->start;
				kin = span_is(s->name, s->name_len, tag);
				if (kin && fits(s, tag, key, nkey)) {
					u->from = s->start;
					u->to = s->p;
					return true;
				}
			}
		}
		depth += (t == XT_OPEN) - (t == XT_CLOSE);
		if ((t == XT_EMPTY || t == XT_CLOSE) && depth == 1) {
			u->last = s->p;
			u->kin = kin ? s->p : u->kin;
		}
	}
	return false;
}

/* The start tag at s and, when it is open, everything to its end; with the line
 * when nothing else stands on it. */
static void drop(struct patch *p, struct xscan *s, const struct under *u)
{
	const char *from = u->from, *to = u->to, *end = p->text + p->len;
	int depth = s->tok == XT_OPEN;
	while (depth > 0 && xscan_next(s) != XT_END) {
		depth += (s->tok == XT_OPEN) - (s->tok == XT_CLOSE);
		to = s->p;
	}
	while (from > p->text && strchr(" \t", from[-1]))
		from--;
	const char *after = to;
	while (after < end && strchr(" \t\r", *after) && *after)
		after++;
	bool alone = (from == p->text || from[-1] == '\n') && after < end && *after == '\n';
	add_edit(p, alone ? from : u->from, alone ? after + 1 : to, xstrdup(""));
}

/* The end of the line of at, when nothing but comments stands between; else at. */
static const char *past_comments(const struct patch *p, const char *at)
{
	const char *end = p->text + p->len, *s = at;
	for (;;) {
		while (s < end && (*s == ' ' || *s == '\t'))
			s++;
		if (s == end || *s == '\n' || *s == '\r')
			return s;
		const char *close = end - s > 4 && memcmp(s, "<!--", 4) == 0
			? memmem(s, (size_t)(end - s), "-->", 3) : NULL;
		if (!close)
			return at;
		s = close + 3;
	}
}

static void insert(struct patch *p, const struct under *u, const char *tag,
                   const struct attr *attr, int nattr)
{
	char *indent = u->first ? indent_of(p, u->first) : xstrdup("  ");
	const char *at = past_comments(p, u->kin ? u->kin : u->last);
	struct xbuf b = { 0 };
	xbuf_str(&b, "\n");
	xbuf_str(&b, indent);
	xbuf_str(&b, "<");
	xbuf_str(&b, tag);
	for (int i = 0; i < nattr; i++) {
		char *one = attr[i].value && *attr[i].value ? attr_text(&attr[i]) : xstrdup("");
		xbuf_str(&b, one);
		free(one);
	}
	xbuf_str(&b, "/>");
	add_edit(p, at, at, b.s);
	free(indent);
}

char *scene_put(const char *text, size_t len, const char *tag, const struct attr *key, int nkey,
                const struct attr *attr, int nattr, struct err *e)
{
	struct patch p = { .text = text, .len = len };
	struct xscan s;
	struct under u;
	struct attr put[MAX_PATCH];
	char *out = NULL;
	if (nattr > MAX_PATCH || well_formed(text, len, e) < 0)
		return NULL;
	for (int i = 0; attr && i < nattr; i++) {
		put[i] = attr[i];
		if (put[i].value && !*put[i].value)
			put[i].value = NULL;
	}
	xscan_init(&s, text, len);
	bool there = look_under(&s, tag, key, nkey, &u);
	if (!there && (!attr || !u.last)) {
		err_set(e, E_SCENE, "the scene has no such <%s>", tag);
	} else {
		if (!there)
			insert(&p, &u, tag, attr, nattr);
		else if (attr)
			patch_tag(&p, &s, put, nattr);
		else
			drop(&p, &s, &u);
		out = apply(&p);
	}
	xscan_free(&s);
	return out;
}
