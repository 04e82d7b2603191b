/* xml_scan - walks XML text token by token, with places; libxml2 judges whether it is well-formed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "xml.h"

void xscan_init(struct xscan *s, const char *text, size_t len)
{
	*s = (struct xscan){ .p = text, .end = text + len, .line = 1 };
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		s->p += 3;
}

void xscan_free(struct xscan *s)
{
	free(s->attr);
	s->attr = NULL;
	s->nattr = s->cap = 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Moves to p, counting lines. */
static void advance(struct xscan *s, const char *p)
{
	for (const char *c = s->p; (c = memchr(c, '\n', (size_t)(p - c))); c++)
		s->line++;
	s->p = p;
}

/* The place behind the next `mark` from `from` on, or the end. */
static const char *behind(const struct xscan *s, const char *from, const char *mark)
{
	size_t n = strlen(mark);
	const char *hit = from < s->end ? memmem(from, (size_t)(s->end - from), mark, n) : NULL;
	return hit ? hit + n : s->end;
}

static const char *name_end(const struct xscan *s, const char *p)
{
	while (p < s->end && !is_space(*p) && *p != '=' && *p != '>' && *p != '/' && *p != '<')
		p++;
	return p;
}

static const char *skip_space(const struct xscan *s, const char *p)
{
	while (p < s->end && is_space(*p))
		p++;
	return p;
}

/* One attribute at s->p; returns false when there is none. */
static bool scan_attr(struct xscan *s)
{
	advance(s, skip_space(s, s->p));
	const char *name = s->p, *p = name_end(s, name);
	if (p == name || p == s->end)
		return false;
	struct xspan a = { .name = name, .name_len = (size_t)(p - name), .line = s->line };
	p = skip_space(s, p);
	if (p < s->end && *p == '=')
		p = skip_space(s, p + 1);
	if (p < s->end && (*p == '"' || *p == '\'')) {
		const char *close = memchr(p + 1, *p, (size_t)(s->end - p - 1));
		a.value = p + 1;
		a.value_len = (size_t)((close ? close : s->end) - a.value);
		p = close ? close + 1 : s->end;
	}
	s->attr = grow(s->attr, s->nattr, &s->cap, sizeof *s->attr);
	s->attr[s->nattr++] = a;
	advance(s, p);
	return true;
}

static enum xtok scan_tag(struct xscan *s)
{
	bool close = s->p + 1 < s->end && s->p[1] == '/';
	const char *name = s->p + (close ? 2 : 1), *end = name_end(s, name);
	s->name = name;
	s->name_len = (size_t)(end - name);
	advance(s, end);
	while (scan_attr(s))
		;
	bool empty = s->p < s->end && *s->p == '/';
	advance(s, behind(s, s->p, ">"));
	return close ? XT_CLOSE : empty ? XT_EMPTY : XT_OPEN;
}

static bool starts(const struct xscan *s, const char *mark)
{
	size_t n = strlen(mark);
	return (size_t)(s->end - s->p) >= n && memcmp(s->p, mark, n) == 0;
}

enum xtok xscan_next(struct xscan *s)
{
	s->start = s->p;
	s->tok_line = s->line;
	s->nattr = 0;
	if (s->p >= s->end) {
		s->tok = XT_END;
	} else if (*s->p != '<') {
		const char *lt = memchr(s->p, '<', (size_t)(s->end - s->p));
		advance(s, lt ? lt : s->end);
		s->tok = XT_TEXT;
	} else if (starts(s, "<!--")) {
		advance(s, behind(s, s->p + 4, "-->"));
		s->tok = XT_COMMENT;
	} else if (starts(s, "<![CDATA[")) {
		advance(s, behind(s, s->p, "]]>"));
		s->tok = XT_CDATA;
	} else if (starts(s, "<!")) {
		advance(s, behind(s, s->p, ">"));
		s->tok = XT_DOCTYPE;
	} else if (starts(s, "<?")) {
		advance(s, behind(s, s->p, "?>"));
		s->tok = XT_PI;
	} else {
		s->tok = scan_tag(s);
	}
	s->len = (size_t)(s->p - s->start);
	return s->tok;
}
