/* err - error messages with contexts, and the list of findings that `check` prints.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mem.h"

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	if (!e)
		return -1;
	char text[sizeof e->msg];       /* the arguments may point into e->msg */
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	e->code = code;
	memcpy(e->msg, text, sizeof text);
	return -1;
}

/* When both do not fit, the cause is kept and the context shortened. */
int err_in(struct err *e, const char *fmt, ...)
{
	if (!e)
		return -1;
	char text[sizeof e->msg];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);

	size_t n = strlen(text), cause = strlen(e->msg), room = sizeof e->msg - 3;
	if (cause > room)
		return -1;
	if (n > room - cause)
		n = room - cause;
	if (n == 0)
		return -1;
	memmove(e->msg + n + 2, e->msg, cause + 1);
	memcpy(e->msg, text, n);
	memcpy(e->msg + n, ": ", 2);
	return -1;
}

void err_clear(struct err *e)
{
	if (!e)
		return;
	e->code = E_OK;
	e->msg[0] = 0;
}

void diag_add(struct diags *d, enum diag_level level, enum err_code code, const char *file,
              int line, const char *where, const char *hint, const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);

	d->v = grow(d->v, d->n, &d->cap, sizeof *d->v);
	d->v[d->n++] = (struct diag){
		.level = level, .code = code, .line = line,
		.file = xstrdup(file ? file : ""), .where = xstrdup(where ? where : ""),
		.msg = xstrdup(text), .hint = xstrdup(hint ? hint : ""), .rule = xstrdup("")
	};
}

enum err_code diags_status(const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].level == DIAG_ERROR && !d->v[i].waived)
			return d->v[i].code;
	return E_OK;
}

static int by_place(const void *a, const void *b)
{
	const struct diag *p = *(const struct diag *const *)a, *q = *(const struct diag *const *)b;
	int c = strcmp(p->file, q->file);
	if (c)
		return c;
	if (p->line != q->line)
		return p->line < q->line ? -1 : 1;
	return p < q ? -1 : p > q;      /* one array: address order is insertion order */
}

static char *json_text(const char *s)
{
	size_t size = strlen(s) * 6 + 1;
	char *out = xalloc(size, 1);
	json_escape(out, size, s);
	return out;
}

static void print_json(const struct diag *g, const char *level)
{
	char *file = json_text(g->file), *where = json_text(g->where), *msg = json_text(g->msg);
	char *hint = json_text(g->hint), *rule = json_text(g->rule);
	fprintf(stderr, "{\"level\":\"%s\",\"file\":\"%s\",\"line\":%d,\"where\":\"%s\","
	        "\"message\":\"%s\",\"hint\":\"%s\",\"rule\":\"%s\",\"waived\":%s}\n",
	        level, file, g->line, where, msg, hint, rule, g->waived ? "true" : "false");
	free(file);
	free(where);
	free(msg);
	free(hint);
	free(rule);
}

static void print_plain(const struct diag *g, const char *level)
{
	char line[24] = "";
	if (g->line > 0)
		snprintf(line, sizeof line, ":%d", g->line);
	char *text = xasprintf("%s%s%s%s: %s%s%s%s%s%s%s%s%s\n", g->file, line, g->file[0] ? ": " : "", g->waived ? "waived" : level,
	                       g->where, g->where[0] ? ": " : "", g->msg, g->hint[0] ? " (" : "", g->hint, g->hint[0] ? ")" : "",
	                       g->rule[0] ? " [" : "", g->rule, g->rule[0] ? "]" : "");
	log_tame(text);
	fputs(text, stderr);
	free(text);
}

void diags_print(const struct diags *d, bool json)
{
	static const char *const names[] = { "note", "warning", "error" };
	if (!d->n)
		return;
	const struct diag **order = xalloc(d->n, sizeof *order);
	for (size_t i = 0; i < d->n; i++)
		order[i] = &d->v[i];
	qsort(order, d->n, sizeof *order, by_place);
	for (size_t i = 0; i < d->n; i++) {
		assert(order[i]->level <= DIAG_ERROR);
		if (json)
			print_json(order[i], names[order[i]->level]);
		else
			print_plain(order[i], names[order[i]->level]);
	}
	free(order);
}

void diags_free(struct diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].file);
		free(d->v[i].where);
		free(d->v[i].msg);
		free(d->v[i].hint);
		free(d->v[i].rule);
	}
	free(d->v);
	*d = (struct diags){ 0 };
}

enum { NAME_MAX_LEN = 64 };

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

static int min_of(int a, int b)
{
	return a < b ? a : b;
}

/* Damerau-Levenshtein (optimal string alignment), letters compared without case; a difference in
 * case alone counts as one. */
static int distance(const char *a, const char *b)
{
	int row[3][NAME_MAX_LEN + 1];
	int na = (int)strlen(a), nb = (int)strlen(b);
	for (int j = 0; j <= nb; j++)
		row[0][j] = j;
	for (int i = 1; i <= na; i++) {
		int *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
		now[0] = i;
		for (int j = 1; j <= nb; j++) {
			int same = lower(a[i - 1]) == lower(b[j - 1]);
			now[j] = min_of(min_of(up[j], now[j - 1]) + 1, up[j - 1] + !same);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2])
			    && lower(a[i - 2]) == lower(b[j - 1]))
				now[j] = min_of(now[j], up2[j - 2] + 1);
		}
	}
	int d = row[na % 3][nb];
	return d == 0 && strcmp(a, b) ? 1 : d;
}

const char *nearest_name(const char *word, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t len = word ? strlen(word) : 0;
	if (len == 0 || len > NAME_MAX_LEN)
		return NULL;
	int limit = (int)(len + 1) / 3;
	limit = limit < 1 ? 1 : limit > 3 ? 3 : limit;
	for (size_t i = 0; i < n; i++) {
		if (!names[i] || strlen(names[i]) > NAME_MAX_LEN)
			continue;
		int d = distance(word, names[i]);
		if (d <= limit) {
			best = names[i];
			limit = d - 1;
		}
	}
	return best;
}
