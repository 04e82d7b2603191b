/* xml_expr - expressions in attribute text: where they begin and end; their inside is Lua's affair.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "graph.h"

/* The brace that closes the expression beginning at s (just behind its "{"), or NULL. Braces may
 * nest, those in quoted strings do not count. */
static const char *expr_end(const char *s)
{
	char quote = 0;
	int depth = 1;
	for (; *s; s++) {
		if (quote) {
			if (*s == '\\' && s[1])
				s++;
			else if (*s == quote)
				quote = 0;
		} else if (*s == '"' || *s == '\'') {
			quote = *s;
		} else if (*s == '{') {
			depth++;
		} else if (*s == '}' && --depth == 0) {
			return s;
		}
	}
	return NULL;
}

struct pieces { struct arena *a; struct expr_piece *v; size_t n, cap; char *lit; size_t nlit; };

static void end_literal(struct pieces *p)
{
	if (!p->nlit)
		return;
	p->v = grow(p->v, p->n, &p->cap, sizeof *p->v);
	p->v[p->n++] = (struct expr_piece){ false, arena_strndup(p->a, p->lit, p->nlit) };
	p->nlit = 0;
}

static bool is_one(const char *const *words, const char *s, size_t n)
{
	for (; *words; words++)
		if (strlen(*words) == n && memcmp(*words, s, n) == 0) return true;
	return false;
}

/* Is it one of those that the node fills in itself? */
static bool is_mark(const struct param *par, const char *s, size_t n)
{
	static const char *const marks[] = { "shot", "tc", "source", "source_tc", "rev", "state", NULL };
	static const char *const places[] = { "in", "out", "first", "last", NULL };
	return par && (((par->flags & PF_MARKS) && is_one(marks, s, n)) ||
	               ((par->flags & PF_PLACES) && is_one(places, s, n)));
}

/* Takes one piece or character at s; returns what follows, or NULL with *why. */
static const char *step(struct pieces *p, const struct param *par, const char *s, const char **why)
{
	if (*s == '}' && s[1] != '}') {
		*why = "'}' without '{' before it; write '}}' for a brace";
		return NULL;
	}
	if (*s != '{' || s[1] == '{') {              /* "{{" and "}}" are one brace */
		p->lit[p->nlit++] = *s;
		return s + (*s == '{' || *s == '}' ? 2 : 1);
	}
	const char *end = expr_end(s + 1);
	if (!end) {
		*why = "'{' without '}' after it; write '{{' for a brace";
		return NULL;
	}
	size_t n = (size_t)(end - s) - 1;
	bool mark = (n == 3 && memcmp(s + 1, "rev", 3) == 0) || (n == 5 && memcmp(s + 1, "class", 5) == 0);
	bool noted = is_mark(par, s + 1, n);
	if (noted || (par && (par->flags & PF_OUTPUT) && mark)) {
		memcpy(p->lit + p->nlit, s, n + 2);
		p->nlit += n + 2;
		return end + 1;
	}
	if (strspn(s + 1, " \t\r\n") >= n) {
		*why = "an expression {} with nothing in it";
		return NULL;
	}
	end_literal(p);
	p->v = grow(p->v, p->n, &p->cap, sizeof *p->v);
	p->v[p->n++] = (struct expr_piece){ true, arena_strndup(p->a, s + 1, n) };
	return end + 1;
}

int expr_split(const struct param *p, const char *text, struct arena *a,
               struct expr_piece **piece, int *n, struct err *e)
{
	struct pieces ps = { .a = a, .lit = xalloc(strlen(text) + 1, 1) };
	const char *why = NULL, *s = text;
	while (s && *s)
		s = step(&ps, p, s, &why);
	end_literal(&ps);
	if (ps.n == 0) {
		ps.v = grow(ps.v, 0, &ps.cap, sizeof *ps.v);
		ps.v[ps.n++] = (struct expr_piece){ false, "" };
	}
	*n = (int)ps.n;
	*piece = arena_alloc(a, ps.n, sizeof **piece);
	memcpy(*piece, ps.v, ps.n * sizeof **piece);
	free(ps.v);
	free(ps.lit);
	return s ? 0 : err_set(e, E_SCENE, "\"%.60s\": %s", text, why);
}
