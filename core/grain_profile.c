/* grain_profile - see grain_profile.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "grain_profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "grain_stock.h"
#include "mathx.h"
#include "mem.h"
#include "textfile.h"

enum { FILE_MAX = 1 << 20, WORDS = 12, WORD = 600 };
#define FREQ_MAX 0.7072

static const char *const methods[] = { "temporal", "spatial", "recipe", "table" };

/* One statement of a file, in words; text: was written in quotes. */
struct line {
	const char *path; int number; struct err *e;
	int n; char word[WORDS][WORD]; bool text[WORDS];
};

static int bad(const struct line *l, const char *what)
{ return err_set(l->e, E_INPUT, "%s:%d: %s", l->path, l->number, what); }

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* One word from *s on into w. */
static int word(struct line *l, const char **s, const char *end, char *w, bool *text)
{
	const char *p = *s;
	int n = 0;
	*text = *p == '"';
	for (p += *text; p < end && (*text ? *p != '"' : !blank(*p) && *p != '#' && *p != '"'); p++) {
		if (*text && *p == '\\' && ++p == end) break;
		if ((unsigned char)*p < 32 || *p == 127) return bad(l, "a control character");
		if (n >= WORD - 1) return bad(l, "a word longer than 599 bytes");
		w[n++] = *p;
	}
	w[n] = 0;
	if (*text && p++ >= end) return bad(l, "text without its closing quote");
	*s = p;
	return 0;
}

static int split(struct line *l, const char *s, const char *end)
{
	for (l->n = 0;; l->n++) {
		while (s < end && blank(*s)) s++;
		if (s >= end || *s == '#') return 0;
		if (l->n == WORDS) return bad(l, "too many words");
		if (word(l, &s, end, l->word[l->n], &l->text[l->n]) < 0) return -1;
	}
}

/* Word i as a number within lo..hi. */
static int number(const struct line *l, int i, double lo, double hi, double *v)
{
	char msg[800], a[40], b[40];
	if (i >= l->n || l->text[i] || mx_parse(l->word[i], v) < 0) {
		snprintf(msg, sizeof msg, "%.40s: a number is wanted%s%.100s", l->word[0],
		         i < l->n ? ", not " : " at its end", i < l->n ? l->word[i] : "");
		return bad(l, msg);
	}
	if (*v >= lo && *v <= hi) return 0;
	mx_print(lo, a);
	mx_print(hi, b);
	snprintf(msg, sizeof msg, "%.40s: %.100s is outside %s to %s", l->word[0], l->word[i], a, b);
	return bad(l, msg);
}

/* Words from i on, three or one for all, and none beyond. */
static int three(const struct line *l, int i, double lo, double hi, double v[3])
{
	char msg[120];
	if (l->n != i + 1 && l->n != i + 3) {
		snprintf(msg, sizeof msg, "%.40s: takes %s1 or 3 numbers", l->word[0], i > 1 ? "a place and " : "");
		return bad(l, msg);
	}
	for (int k = 0; k < 3; k++)
		if (number(l, l->n == i + 1 ? i : i + k, lo, hi, &v[k]) < 0) return -1;
	return 0;
}

/* Two whole numbers with sign between them. */
static int pair(const struct line *l, int i, char sign, int lo, int *a, int *b)
{
	char msg[800], *end = NULL;
	long u = 0, v = 0;
	if (i < l->n && !l->text[i]) {
		u = strtol(l->word[i], &end, 10);
		if (end != l->word[i] && *end == sign) v = strtol(end + 1, &end, 10);
		else end = NULL;
	}
	if (!end || *end || u < lo || u > 1000000000 || v < u * (sign == '-') || v < lo || v > 1000000000) {
		snprintf(msg, sizeof msg, "%.40s: %.40s wants two whole numbers as in %s", l->word[0],
		         i ? l->word[i - 1] : "", sign == '-' ? "1-24" : "1920x1080");
		return bad(l, msg);
	}
	*a = (int)u;
	*b = (int)v;
	return 0;
}

static int text_of(const struct line *l, int i, char *out, size_t room)
{
	char msg[120];
	if (i < l->n && l->text[i] && strlen(l->word[i]) < room) {
		memcpy(out, l->word[i], strlen(l->word[i]) + 1);
		return 0;
	}
	snprintf(msg, sizeof msg, "%.40s: wants text in quotes, at most %d bytes", l->word[0], (int)room - 1);
	return bad(l, msg);
}

static int counted(const struct line *l, int n)
{
	char msg[120];
	if (l->n == n) return 0;
	snprintf(msg, sizeof msg, "%.40s: takes %d word%s", l->word[0], n - 1, n == 2 ? "" : "s");
	return bad(l, msg);
}

/* The next row of an ascending table. */
static int row(const struct line *l, int max, int *n, double *at, double (*v)[3], const double lim[4])
{
	char msg[120];
	if (*n == max) {
		snprintf(msg, sizeof msg, "more than %d lines of %.40s", max, l->word[0]);
		return bad(l, msg);
	}
	if (number(l, 1, lim[0], lim[1], &at[*n]) < 0 || three(l, 2, lim[2], lim[3], v[*n]) < 0) return -1;
	if (*n && at[*n] <= at[*n - 1]) {
		snprintf(msg, sizeof msg, "%.40s: %.40s does not ascend", l->word[0], l->word[1]);
		return bad(l, msg);
	}
	++*n;
	return 0;
}

/* One statement each: the words are split, the first is its name. */
static int st_grain(const struct line *l, struct grain_profile *p)
{
	double v;
	(void)p;
	if (counted(l, 2) < 0 || number(l, 1, 0, 1e9, &v) < 0) return -1;
	return v == 1 ? 0 : bad(l, "grain: this program reads version 1");
}
static int st_name(const struct line *l, struct grain_profile *p)
{ return counted(l, 2) < 0 ? -1 : text_of(l, 1, p->name, sizeof p->name); }
static int st_source(const struct line *l, struct grain_profile *p)
{
	if (text_of(l, 1, p->source, sizeof p->source) < 0) return -1;
	for (int i = 2; i < l->n; i += 2) {
		if (strcmp(l->word[i], "frames") == 0) {
			if (pair(l, i + 1, '-', -1000000000, &p->first, &p->last) < 0) return -1;
		} else if (strcmp(l->word[i], "size") == 0) {
			if (pair(l, i + 1, 'x', 1, &p->width, &p->height) < 0) return -1;
		} else return bad(l, "source: after its name stand frames A-B and size WxH");
	}
	return 0;
}
static int st_method(const struct line *l, struct grain_profile *p)
{
	if (counted(l, 2) < 0) return -1;
	for (size_t i = 0; i < IN_COUNT(methods); i++)
		if (strcmp(l->word[1], methods[i]) == 0) { p->method = (enum grain_method)i; return 0; }
	return bad(l, "method: one of temporal, spatial, recipe, table");
}
static int st_unsure(const struct line *l, struct grain_profile *p)
{ return counted(l, 2) < 0 ? -1 : text_of(l, 1, p->unsure, sizeof p->unsure); }
static int st_space(const struct line *l, struct grain_profile *p)
{
	char msg[800];
	if (counted(l, 2) < 0) return -1;
	if ((p->space = colour_find(l->word[1])) != SPACE_NONE) return 0;
	const char *near = nearest_name(l->word[1], colour_names(), (size_t)colour_count());
	snprintf(msg, sizeof msg, "space: there is no \"%.100s\"%s%s%s", l->word[1], near ? " (did you mean \"" : "",
	         near ? near : "", near ? "\"?)" : "");
	return bad(l, msg);
}
static int st_height(const struct line *l, struct grain_profile *p)
{
	double v;
	if (counted(l, 2) < 0 || number(l, 1, 1, 65536, &v) < 0) return -1;
	p->lines = (int)v;
	return p->lines == v ? 0 : bad(l, "height: a whole number of lines");
}
static int st_strength(const struct line *l, struct grain_profile *p)
{
	return row(l, GRAIN_STRENGTHS, &p->nstrength, p->luma, p->sigma, (const double[]){ -16, 16, 0, 16 });
}
static int st_spectrum(const struct line *l, struct grain_profile *p)
{
	return row(l, GRAIN_BANDS, &p->nband, p->freq, p->db, (const double[]){ 0, FREQ_MAX, -120, 60 });
}
static int st_correlation(const struct line *l, struct grain_profile *p)
{
	const double *c = p->corr;
	if (three(l, 1, -1, 1, p->corr) < 0) return -1;
	double det = 1 + 2 * c[0] * c[1] * c[2] - c[0] * c[0] - c[1] * c[1] - c[2] * c[2];
	return det >= -1e-6 ? 0 : bad(l, "correlation: no three channels can have these at once");
}
static int st_temporal(const struct line *l, struct grain_profile *p) { return three(l, 1, -1, 1, p->rho); }
static int st_aniso(const struct line *l, struct grain_profile *p) { return three(l, 1, 0.1, 10, p->aniso); }
static int st_lattice(const struct line *l, struct grain_profile *p)
{
	int n = p->nlattice;
	if (n == GRAIN_LATTICES) return bad(l, "more than 8 lattices");
	if (counted(l, 3) < 0 || number(l, 1, 2, 4096, &p->lattice_period[n]) < 0 ||
	    number(l, 2, 0, 120, &p->lattice_db[n]) < 0) return -1;
	p->nlattice++;
	return 0;
}

enum { MANY = 1, REQUIRED = 2 };
static const struct statement {
	const char *name; int flags;
	int (*read)(const struct line *l, struct grain_profile *p);
} statements[] = {
	{ "grain", REQUIRED, st_grain }, { "name", 0, st_name }, { "source", 0, st_source },
	{ "method", 0, st_method }, { "unsure", 0, st_unsure }, { "space", REQUIRED, st_space }, { "height", REQUIRED, st_height },
	{ "strength", MANY | REQUIRED, st_strength }, { "correlation", 0, st_correlation },
	{ "temporal", 0, st_temporal }, { "spectrum", MANY | REQUIRED, st_spectrum },
	{ "aniso", 0, st_aniso }, { "lattice", MANY, st_lattice },
};

static int statement(const struct line *l, struct grain_profile *p, unsigned *seen)
{
	const char *names[IN_COUNT(statements)];
	char msg[200];
	for (size_t i = 0; i < IN_COUNT(statements); i++) {
		names[i] = statements[i].name;
		if (strcmp(l->word[0], names[i]) != 0) continue;
		if (!*seen && i) return bad(l, "not a grain profile: its first statement is not \"grain 1\"");
		if (!(statements[i].flags & MANY) && *seen & 1u << i) {
			snprintf(msg, sizeof msg, "a second %s", names[i]);
			return bad(l, msg);
		}
		*seen |= 1u << i;
		return statements[i].read(l, p);
	}
	if (!*seen) return bad(l, "not a grain profile: its first statement is not \"grain 1\"");
	const char *near = nearest_name(l->word[0], names, IN_COUNT(names));
	snprintf(msg, sizeof msg, "unknown statement \"%.40s\"%s%s%s", l->word[0], near ? " (did you mean \"" : "",
	         near ? near : "", near ? "\"?)" : "");
	return bad(l, msg);
}

int grain_profile_parse(const char *text, const char *path, struct grain_profile *p, struct err *e)
{
	struct line *l = xalloc(1, sizeof *l);
	unsigned seen = 0;
	int rc = 0;
	*p = (struct grain_profile){ .method = GRAIN_TABLE, .aniso = { 1, 1, 1 } };
	l->path = path;
	l->e = e;
	for (const char *s = text, *end; *s && !rc; s = *end ? end + 1 : end) {
		end = s + strcspn(s, "\n");
		l->number++;
		rc = split(l, s, end);
		if (!rc && l->n) rc = statement(l, p, &seen);
	}
	for (size_t i = 0; i < IN_COUNT(statements) && !rc; i++)
		if (statements[i].flags & REQUIRED && !(seen & 1u << i))
			rc = err_set(e, E_INPUT, "%s: not a grain profile: it has no %s", path, statements[i].name);
	free(l);
	return rc;
}

int grain_profile_read(const char *path, struct grain_profile *p, struct err *e)
{
	FILE *f = plain_open(path, e);
	int rc = 0;
	if (!f && strncmp(path, GRAIN_STOCK, strlen(GRAIN_STOCK)) == 0) {
		char all[900];
		grain_stock_list(all, sizeof all);
		return err_set(e, E_INPUT, "there is no \"%.60s\"%s%s", path,
		               *all ? "; stocks are: " : ": this program was installed without its stocks",
		               all);
	}
	if (!f) return -1;
	char *text = xalloc(FILE_MAX + 1, 1);
	size_t n = fread(text, 1, FILE_MAX + 1, f);
	if (ferror(f)) rc = err_set(e, E_INPUT, "%s: %s", path, strerror(errno));
	else if (n > FILE_MAX) rc = err_set(e, E_INPUT, "%s: larger than a grain profile can be (1 MiB)", path);
	else if (memchr(text, 0, n)) rc = err_set(e, E_INPUT, "%s: not a grain profile: holds a zero byte", path);
	fclose(f);
	if (!rc) rc = grain_profile_parse(text, path, p, e);
	free(text);
	return rc;
}

/* Text that grows. */
struct out { char *s; size_t n, cap; };

static void put(struct out *o, const char *s)
{
	size_t n = strlen(s);
	if (o->n + n + 1 > o->cap) o->s = xrealloc(o->s, o->cap = 2 * (o->n + n) + 4096, 1);
	memcpy(o->s + o->n, s, n + 1);
	o->n += n;
}
static void put_numbers(struct out *o, const char *name, int n, const double *v)
{
	char num[40];
	put(o, name);
	for (int i = 0; i < n; i++) {
		mx_print(v[i], num);
		put(o, " ");
		put(o, num);
	}
}
static void put_row(struct out *o, const char *name, double at, const double v[3])
{
	put_numbers(o, name, 1, &at);
	put_numbers(o, "", 3, v);
	put(o, "\n");
}
static void put_text(struct out *o, const char *name, const char *text)
{
	put(o, name);
	put(o, " \"");
	for (const char *s = text; *s; s++) {
		char c[3] = { '\\', *s, 0 };
		put(o, *s == '"' || *s == '\\' ? c : c + 1);
	}
	put(o, "\"");
}

char *grain_profile_text(const struct grain_profile *p)
{
	struct out o = { 0 };
	char num[80];
	put(&o, "grain 1\n");
	if (p->name[0]) { put_text(&o, "name", p->name); put(&o, "\n"); }
	if (p->source[0] || p->width || p->first || p->last) {
		put_text(&o, "source", p->source);
		snprintf(num, sizeof num, " frames %d-%d", p->first, p->last);
		if (p->first || p->last) put(&o, num);
		snprintf(num, sizeof num, " size %dx%d", p->width, p->height);
		if (p->width) put(&o, num);
		put(&o, "\n");
	}
	snprintf(num, sizeof num, "method %s\n", methods[p->method]);
	put(&o, num);
	if (p->unsure[0]) { put_text(&o, "unsure", p->unsure); put(&o, "\n"); }
	put(&o, "space ");
	put(&o, colour_name(p->space));
	snprintf(num, sizeof num, "\nheight %d\n", p->lines);
	put(&o, num);
	for (int i = 0; i < p->nstrength; i++) put_row(&o, "strength", p->luma[i], p->sigma[i]);
	put_numbers(&o, "correlation", 3, p->corr);
	put_numbers(&o, "\ntemporal", 3, p->rho);
	put(&o, "\n");
	for (int i = 0; i < p->nband; i++) put_row(&o, "spectrum", p->freq[i], p->db[i]);
	put_numbers(&o, "aniso", 3, p->aniso);
	put(&o, "\n");
	for (int i = 0; i < p->nlattice; i++) {
		put_numbers(&o, "lattice", 2, (const double[]){ p->lattice_period[i], p->lattice_db[i] });
		put(&o, "\n");
	}
	return o.s;
}

/* The interval of n ascending places that holds x (beyond them the nearest end), and the share of
 * its upper end. */
static int between(const double *at, int n, double x, double *share)
{
	int i = 0;
	*share = 0;
	if (n < 2 || x <= at[0]) return 0;
	while (i < n - 2 && x > at[i + 1]) i++;
	*share = x < at[i + 1] ? (x - at[i]) / (at[i + 1] - at[i]) : 1;
	return i;
}

double grain_profile_sigma(const struct grain_profile *p, int c, double luma)
{
	double t, a;
	int i = between(p->luma, p->nstrength, luma, &t);
	a = p->sigma[i][c];
	return t > 0 ? a + t * (p->sigma[i + 1][c] - a) : a;
}

double grain_profile_power(const struct grain_profile *p, int c, double fx, double fy)
{
	double s = __builtin_sqrt(p->aniso[c]), u = fx / s, v = fy * s, t, db;
	int i = between(p->freq, p->nband, __builtin_sqrt(u * u + v * v), &t);
	db = p->db[i][c];
	if (t > 0) db += t * (p->db[i + 1][c] - db);
	return mx_exp2(db * 0.33219280948873623479);   /* log2(10) / 10 */
}
