/* lut - look-up tables from .cube files: 1D, 3D, and a 1D shaper before a 3D table.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lut.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mathx.h"
#include "mem.h"

struct reader {
	const char *name, *p, *end;
	int line;                               /* of the text in word[] */
	char word[4][64]; int nword;            /* the line's words; nword 5: more than 4 */
	bool long_word;
	struct err *e;
	struct lut *l;
	double domain[2][3], range[2][2];       /* DOMAIN_MIN/MAX; INPUT_RANGE of 1D, 3D */
	bool has_domain[2], has_range[2];
	size_t want, got;                       /* data lines */
};

static int bad(struct reader *r, const char *what)
{ return err_set(r->e, E_INPUT, "%s:%d: %s", r->name, r->line, what); }

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f'
                               || c == '\v'; }

/* The next line that holds words, split; false at the end. Comments begin with '#'. */
static bool next_line(struct reader *r)
{
	while (r->p < r->end) {
		r->line++;
		r->nword = 0;
		r->long_word = false;
		const char *p = r->p, *eol = memchr(p, '\n', (size_t)(r->end - p));
		if (!eol) eol = r->end;
		r->p = eol < r->end ? eol + 1 : eol;
		while (p < eol) {
			while (p < eol && is_space(*p)) p++;
			if (p == eol || *p == '#') break;
			const char *q = p;
			while (q < eol && !is_space(*q)) q++;
			size_t n = (size_t)(q - p);
			if (r->nword == 4) { r->nword = 5; break; }
			if (n >= sizeof r->word[0]) { r->long_word = true; n = sizeof r->word[0] - 1; }
			memcpy(r->word[r->nword], p, n);
			r->word[r->nword++][n] = 0;
			p = q;
		}
		if (r->nword) return true;
	}
	return false;
}

static int number(struct reader *r, int i, double *v)
{
	if (!r->long_word && mx_parse(r->word[i], v) == 0 && *v >= -3e38 && *v <= 3e38) return 0;
	return err_set(r->e, E_INPUT, "%s:%d: '%s' is no finite number", r->name, r->line, r->word[i]);
}

static int size_word(struct reader *r, int max, int *n)
{
	double v;
	if (r->nword != 2) return bad(r, "a size is one whole number");
	if (number(r, 1, &v) < 0) return -1;
	if (*n) return bad(r, "the size is given twice");
	if (v != mx_floor(v) || v < 2 || v > max)
		return err_set(r->e, E_INPUT, "%s:%d: %s %s is outside 2 to %d", r->name, r->line, r->word[0],
		               r->word[1],
		               max);
	*n = (int)v;
	return 0;
}

static int keyword(struct reader *r)
{
	const char *w = r->word[0];
	double v[3];
	if (!strcmp(w, "TITLE")) return 0;
	if (!strcmp(w, "LUT_1D_SIZE")) return size_word(r, LUT_1D_MAX, &r->l->n1);
	if (!strcmp(w, "LUT_3D_SIZE")) return size_word(r, LUT_3D_MAX, &r->l->n3);
	int k = !strcmp(w, "DOMAIN_MIN") ? 0 : !strcmp(w, "DOMAIN_MAX") ? 1
	      : !strcmp(w, "LUT_1D_INPUT_RANGE") ? 2 : !strcmp(w, "LUT_3D_INPUT_RANGE") ? 3 : -1;
	if (k < 0) return err_set(r->e, E_INPUT, "%s:%d: unknown keyword '%s'", r->name, r->line, w);
	int want = k < 2 ? 3 : 2;
	if (r->nword != want + 1) return bad(r, k < 2 ? "a domain has three numbers"
	                                     : "a range has two numbers");
	for (int i = 0; i < want; i++)
		if (number(r, i + 1, &v[i]) < 0) return -1;
	bool *has = k < 2 ? &r->has_domain[k] : &r->has_range[k - 2];
	if (*has) return err_set(r->e, E_INPUT, "%s:%d: %s is given twice", r->name, r->line, w);
	*has = true;
	memcpy(k < 2 ? r->domain[k] : r->range[k - 2], v, (size_t)want * sizeof *v);
	return 0;
}

static int set_domain(struct reader *r, const double lo[3], const double hi[3], int n, float *min,
                      float *scale)
{
	for (int i = 0; i < 3; i++) {
		if (!(hi[i] > lo[i])) return bad(r, "the input domain is empty: its maximum must be above its "
		                                 "minimum");
		min[i] = (float)lo[i];
		scale[i] = (float)((n - 1) / (hi[i] - lo[i]));
		if (!(scale[i] > 0 && scale[i] < 1e30f)) return bad(r, "the input domain is too narrow or too "
		                                                    "wide");
	}
	return 0;
}

/* Header complete: domains, the number of lines to come, and the tables. */
static int start_data(struct reader *r)
{
	struct lut *l = r->l;
	if (!l->n1 && !l->n3) return bad(r, "no LUT_1D_SIZE or LUT_3D_SIZE stands before the data");
	if (l->n1 && l->n3 && (r->has_domain[0] || r->has_domain[1]))
		return bad(r, "DOMAIN_MIN/MAX is ambiguous with two tables; use LUT_1D_INPUT_RANGE and "
		           "LUT_3D_INPUT_RANGE");
	double lo[2][3], hi[2][3];
	for (int t = 0; t < 2; t++) {
		int other = !l->n1 || !l->n3 ? 1 - t : t;       /* one table: whichever range is given is its */
		int from = r->has_range[t] ? t : other;
		for (int i = 0; i < 3; i++) {
			lo[t][i] = r->has_range[from] ? r->range[from][0] : r->has_domain[0] ? r->domain[0][i] : 0;
			hi[t][i] = r->has_range[from] ? r->range[from][1] : r->has_domain[1] ? r->domain[1][i] : 1;
		}
	}
	if ((l->n1 && set_domain(r, lo[0], hi[0], l->n1, l->min1, l->scale1) < 0) ||
	    (l->n3 && set_domain(r, lo[1], hi[1], l->n3, l->min3, l->scale3) < 0))
		return -1;
	size_t n3 = (size_t)l->n3 * (size_t)l->n3 * (size_t)l->n3;
	r->want = (size_t)l->n1 + n3;
	if ((size_t)(r->end - r->p) + 256 < (r->want - 1) * 6) {
		char why[128];
		snprintf(why, sizeof why, "the file is too short for the %zu lines of data that its sizes ask "
		         "for", r->want);
		return bad(r, why);
	}
	for (int i = 0; i < 3 && l->n1; i++)
		if (!(l->t1[i] = calloc((size_t)l->n1, sizeof(float)))) goto oom;
	if (n3 && !(l->t3 = calloc(n3, 4 * sizeof(float)))) goto oom;
	return 0;
oom:
	return err_set(r->e, E_MEMORY, "%s: no memory for %zu table entries", r->name, r->want);
}

static int data_line(struct reader *r)
{
	struct lut *l = r->l;
	double v[3];
	if (!r->want && start_data(r) < 0) return -1;
	if (r->nword != 3) return bad(r, "a line of data has three numbers");
	if (r->got == r->want) {
		char why[96];
		snprintf(why, sizeof why, "more than the %zu lines of data that the sizes ask for", r->want);
		return bad(r, why);
	}
	for (int i = 0; i < 3; i++) {
		if (number(r, i, &v[i]) < 0) return -1;
		if (r->got < (size_t)l->n1) l->t1[i][r->got] = (float)v[i];
		else l->t3[(r->got - (size_t)l->n1) * 4 + (size_t)i] = (float)v[i];
	}
	r->got++;
	return 0;
}

struct lut *lut_parse(const char *name, const char *text, size_t len, struct err *e)
{
	struct reader r = { .name = name, .p = text, .end = text + len, .e = e };
	r.l = xalloc(1, sizeof *r.l);
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) r.p += 3;
	while (next_line(&r)) {
		char c = r.word[0][0];
		bool named = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
		bool nan = named && r.nword == 3 && r.want;     /* "nan nan nan" among the data */
		if (named && !nan && r.want) { bad(&r, "a keyword stands after the data has begun"); goto fail; }
		if ((named && !nan ? keyword(&r) : data_line(&r)) < 0) goto fail;
	}
	if (!r.want) { err_set(e, E_INPUT, "%s: holds no table", name); goto fail; }
	if (r.got < r.want) {
		err_set(e, E_INPUT, "%s:%d: ends after %zu of %zu lines of data", name, r.line, r.got, r.want);
		goto fail;
	}
	return r.l;
fail:
	lut_free(&r.l);
	return NULL;
}

struct lut *lut_load(const char *path, struct err *e)
{
	struct lut *l = NULL;
	char *text = NULL;
	FILE *f = NULL;
	struct stat st;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		err_set(e, E_INPUT, "%s: is not a regular file", path);
		goto out;
	}
	f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END) < 0) {
		err_set(e, E_INPUT, "open %s: %s", path, strerror(errno));
		goto out;
	}
	long n = ftell(f);
	rewind(f);
	if (n < 0 || (size_t)n > LUT_FILE_MAX) {
		err_set(e, E_INPUT, "%s: is no regular file below %zu MiB", path, LUT_FILE_MAX >> 20);
		goto out;
	}
	text = malloc((size_t)n + 1);
	if (!text) { err_set(e, E_MEMORY, "%s: no memory for %ld bytes", path, n); goto out; }
	size_t got = fread(text, 1, (size_t)n, f);
	if (got < (size_t)n) { err_set(e, E_INPUT, "read %s: %s", path, ferror(f) ? strerror(errno)
	                               : "short file"); goto out; }
	l = lut_parse(path, text, got, e);
out:
	free(text);
	if (f) fclose(f);
	return l;
}

void lut_free(struct lut **l)
{
	if (!*l) return;
	for (int i = 0; i < 3; i++) free((*l)->t1[i]);
	free((*l)->t3);
	free(*l);
	*l = NULL;
}
