/* param_parse - the text of one value by its declaration; messages say what was expected.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mathx.h"
#include "param.h"

enum { SHOWN = 60, NUMBER_MAX = 400, CHOICES_MAX = 256 };

/* Text as a message shows it: shortened between characters. */
static const char *shown(const char *text, char out[SHOWN + 4])
{
	size_t n = strlen(text);
	if (n <= SHOWN)
		return text;
	n = SHOWN;
	while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	memcpy(out, text, n);
	memcpy(out + n, "...", 4);
	return out;
}

static int bad(const struct param *p, const char *text, struct err *e, const char *wanted)
{
	char buf[SHOWN + 4];
	return err_set(e, E_SCENE, "%s=\"%s\": %s", p->name, shown(text, buf), wanted);
}

static int bad_count(const struct param *p, const char *text, struct err *e, const char *also)
{
	char wanted[96];
	snprintf(wanted, sizeof wanted, "expected %d numbers with spaces between, or one for all%s",
	         p->n, also);
	return bad(p, text, e, wanted);
}

/* The number in the n bytes at s, all of them. */
static int number(const char *s, size_t n, double *out)
{
	char word[NUMBER_MAX];
	if (n == 0 || n >= sizeof word)
		return -1;
	memcpy(word, s, n);
	word[n] = 0;
	return mx_parse(word, out);
}

static const char *skip(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

/* Numbers with white space between; how many, -1 when one is none, more than max counts on. */
static int numbers(const char *s, double *v, int max)
{
	int n = 0;
	for (s = skip(s); *s; s = skip(s)) {
		size_t len = strcspn(s, " \t\r\n");
		double x;
		if (number(s, len, &x) < 0)
			return -1;
		if (n < max)
			v[n] = x;
		n++;
		s += len;
	}
	return n;
}

static int parse_int(const struct param *p, const char *text, struct value *out, struct err *e)
{
	if (number(text, strlen(text), &out->v[0]) < 0)
		return bad(p, text, e, "expected a whole number");
	if (out->v[0] != mx_floor(out->v[0]))
		return bad(p, text, e, "expected a whole number, without a fraction");
	if (fabs(out->v[0]) > INT_MAX)
		return bad(p, text, e, "too large for a whole number (2147483647)");
	return 0;
}

/* The words of yes and no, by turns; -1 when text is none. */
static int yes_no(const char *text)
{
	static const char *const words[] = { "no", "yes", "false", "true", "0", "1" };
	for (int i = 0; i < 6; i++)
		if (strcmp(text, words[i]) == 0)
			return i & 1;
	return -1;
}

static int parse_bool(const struct param *p, const char *text, struct value *out, struct err *e)
{
	int is = yes_no(text);
	if (is < 0)
		return bad(p, text, e, "expected yes or no");
	out->v[0] = is;
	return 0;
}

static int parse_enum(const struct param *p, const char *text, struct arena *a, struct value *out,
                      struct err *e)
{
	const char *names[CHOICES_MAX];
	char list[600] = "", buf[SHOWN + 4];
	int n = 0, once = p->flags & PF_WAS_BOOL ? yes_no(text) : -1;
	for (const char *c = p->choices ? p->choices : ""; *c && n < CHOICES_MAX; n++) {
		size_t len = strcspn(c, "|");
		names[n] = arena_strndup(a, c, len);
		if (once >= 0 ? n == once : strcmp(names[n], text) == 0) {
			out->v[0] = n;
			out->s = names[n];
			return 0;
		}
		size_t used = strlen(list);
		snprintf(list + used, sizeof list - used, "%s%s", n ? " " : "", names[n]);
		c += len + (c[len] == '|');
	}
	const char *near = nearest_name(text, names, (size_t)n);
	return err_set(e, E_SCENE, "%s=\"%s\": not one of %s%s%s%s", p->name, shown(text, buf), list,
	               near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static int parse_string(const struct param *p, const char *text, struct arena *a, struct value *out,
                        struct err *e)
{
	if (text[0] == 0 && (p->flags & PF_REQUIRED))
		return bad(p, text, e, p->type == PT_PATH ? "expected the path of a file" : "must not be empty");
	for (const char *s = text; p->type == PT_PATH && *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return bad(p, text, e, "a path cannot hold control characters");
	out->s = arena_strdup(a, text);
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int parse_hex_colour(const struct param *p, const char *text, struct value *out,
                            struct err *e)
{
	bool good = strlen(text) == 7;
	for (int i = 0; good && i < 3; i++) {
		int hi = hex_digit(text[1 + 2 * i]), lo = hex_digit(text[2 + 2 * i]);
		good = hi >= 0 && lo >= 0;
		out->v[i] = (hi * 16 + lo) / 255.0;
	}
	return good ? 0 : bad(p, text, e, "expected #rrggbb with six hexadecimal digits");
}

static int parse_vector(const struct param *p, const char *text, struct value *out, struct err *e)
{
	if (p->type == PT_COLOUR && text[0] == '#')
		return parse_hex_colour(p, text, out, e);
	int n = numbers(text, out->v, 4);
	if (n != p->n && n != 1)
		return bad_count(p, text, e, p->type == PT_COLOUR ? ", or #rrggbb" : "");
	for (int i = 1; n == 1 && i < p->n; i++)
		out->v[i] = out->v[0];
	return 0;
}

static int parse_length(const struct param *p, const char *text, struct value *out, struct err *e)
{
	size_t n = strlen(text);
	out->percent_h = n > 2 && strcmp(text + n - 2, "%h") == 0;
	if (number(text, out->percent_h ? n - 2 : n, &out->v[0]) < 0)
		return bad(p, text, e, "expected a length: pixels, or percent of picture height as in 2%h");
	return 0;
}

static int parse_curve(const struct param *p, const char *text, struct arena *a, struct value *out,
                       struct err *e)
{
	struct curve *c = out->curve = arena_alloc(a, 1, sizeof *c);
	const int max = (int)IN_COUNT(c->x);
	for (const char *s = skip(text); *s; s = skip(s)) {
		size_t x = strcspn(s, ", \t\r\n"), y = s[x] == ',' ? strcspn(s + x + 1, ", \t\r\n") : 0;
		if (c->n == max)
			return bad(p, text, e, "a curve has at most 32 points");
		if (!y || number(s, x, &c->x[c->n]) < 0 || number(s + x + 1, y, &c->y[c->n]) < 0)
			return bad(p, text, e, "expected points as in \"0,0 0.5,0.6 1,1\"");
		if (c->n && !(c->x[c->n] > c->x[c->n - 1]))
			return bad(p, text, e, "the points of a curve must ascend in x");
		c->n++;
		s += x + 1 + y;
		if (*s == ',')
			return bad(p, text, e, "expected points as in \"0,0 0.5,0.6 1,1\"");
	}
	return c->n == 1 ? bad(p, text, e, "a curve needs two points, or none") : 0;
}

int value_parse(const struct param *p, const char *text, struct arena *a, struct value *out,
                struct err *e)
{
	int rc = 0;
	*out = (struct value){ .type = p->type, .n = p->n };
	switch (p->type) {
	case PT_FLOAT:
		if (number(text, strlen(text), &out->v[0]) < 0)
			rc = bad(p, text, e, "expected a number");
		break;
	case PT_INT: rc = parse_int(p, text, out, e); break;
	case PT_BOOL: rc = parse_bool(p, text, out, e); break;
	case PT_ENUM: rc = parse_enum(p, text, a, out, e); break;
	case PT_STRING: case PT_PATH: rc = parse_string(p, text, a, out, e); break;
	case PT_COLOUR: case PT_VEC: rc = parse_vector(p, text, out, e); break;
	case PT_LENGTH: rc = parse_length(p, text, out, e); break;
	case PT_CURVE: rc = parse_curve(p, text, a, out, e); break;
	case PT_END: rc = err_set(e, E_INTERNAL, "parameter %s has no type", p->name); break;
	}
	return rc < 0 ? rc : value_check(p, out, e);
}
