/* lut_text - lines, words and numbers of LUT files that are plain text.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lut_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mathx.h"

void lut_text_init(struct lut_text *t, const char *name, const char *text, size_t len, struct err *e)
{
	*t = (struct lut_text){ .name = name, .p = text, .end = text + len, .e = e };
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) t->p += 3;
}

static bool is_space(char c)
{ return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

static void split(struct lut_text *t)
{
	for (const char *p = t->begin; p < t->eol; ) {
		while (p < t->eol && is_space(*p)) p++;
		if (p == t->eol || *p == '#') return;
		const char *q = p;
		while (q < t->eol && !is_space(*q)) q++;
		size_t n = (size_t)(q - p);
		if (t->nword == LUT_WORDS) { t->nword++; return; }
		if (n >= LUT_WORD_MAX) { t->long_word = true; n = LUT_WORD_MAX - 1; }
		memcpy(t->word[t->nword], p, n);
		t->word[t->nword++][n] = 0;
		p = q;
	}
}

bool lut_text_next(struct lut_text *t)
{
	while (t->p < t->end) {
		t->line++;
		t->nword = 0;
		t->long_word = false;
		t->begin = t->p;
		t->eol = memchr(t->p, '\n', (size_t)(t->end - t->p));
		if (!t->eol) t->eol = t->end;
		t->p = t->eol < t->end ? t->eol + 1 : t->eol;
		split(t);
		if (t->nword) return true;
	}
	return false;
}

int lut_text_bad(const struct lut_text *t, const char *fmt, ...)
{
	char msg[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	return err_set(t->e, E_INPUT, "%s:%d: %s", t->name, t->line, msg);
}

int lut_text_number(const struct lut_text *t, int i, double *v)
{
	if (!t->long_word && mx_parse(t->word[i], v) == 0 && *v >= -3e38 && *v <= 3e38) return 0;
	return lut_text_bad(t, "'%s' is no finite number", t->word[i]);
}
