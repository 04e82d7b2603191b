/* lut_clf - Common LUT Format 3.0 (Academy S-2014-006, SMPTE ST 2136-1:2024) and the
 * part of Autodesk's .ctf that is it.
 *
 * What a file holds and cannot be done to the letter is refused, never left out: a look
 * without one of its steps is another look.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lut_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "mem.h"

int lut_clf_bad(const struct lut_clf *c, int line, const char *fmt, ...)
{
	char msg[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	return err_set(c->e, E_INPUT, "%s:%d: %s", c->name, line, msg);
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* A number word; odd ones are those of half floats. */
static bool number(const char *w, bool odd, double *v)
{
	if (mx_parse(w, v) == 0) return *v >= -3.4e38 && *v <= 3.4e38;
	const char *p = w + (*w == '-' || *w == '+');
	if (!odd) return false;
	if (!strcasecmp(p, "nan")) { *v = __builtin_nan(""); return true; }
	if (strcasecmp(p, "inf") != 0 && strcasecmp(p, "infinity") != 0) return false;
	*v = *w == '-' ? -__builtin_inf() : __builtin_inf();
	return true;
}

int lut_clf_numbers(const struct lut_clf *c, const struct lut_elem *x, size_t n, bool odd, double *v)
{
	const char *p = x->text ? x->text : "";
	int line = x->text ? x->text_line : x->line;
	size_t got = 0;
	for (;;) {
		char word[64];
		size_t k = 0;
		for (; is_space(*p); p++) line += *p == '\n';
		if (!*p) break;
		if (got == n) return lut_clf_bad(c, line, "<%s> has more than %zu number%s", x->tag, n, n == 1 ? "" : "s");
		for (; *p && !is_space(*p); p++)
			if (k + 1 < sizeof word) word[k++] = *p;
		word[k] = 0;
		if (!number(word, odd, &v[got++])) return lut_clf_bad(c, line, "<%s>: '%s' is no finite number", x->tag,
			word);
	}
	return got == n ? 0 : lut_clf_bad(c, x->line, "<%s> has %zu number%s, not %zu", x->tag, got,
		got == 1 ? "" : "s", n);
}

int lut_clf_attr_number(const struct lut_clf *c, const struct lut_elem *x, const char *name, double *v)
{
	const char *s = lut_xml_attr(x, name);
	if (!s) return 0;
	if (number(s, false, v)) return 1;
	return lut_clf_bad(c, x->line, "%s=\"%.60s\" is no finite number", name, s);
}

const struct lut_elem *lut_clf_child(const struct lut_clf *c, const struct lut_elem *x, const char *tag,
	int *rc)
{
	const struct lut_elem *found = NULL;
	for (const struct lut_elem *k = x->child; k; k = k->next) {
		if (strcmp(k->tag, tag) != 0) continue;
		if (found) { *rc = lut_clf_bad(c, k->line, "a second <%s> in <%s>", tag, x->tag); return NULL; }
		found = k;
	}
	return found;
}

/* The Array child and its dim; words are those numbers. */
static const struct lut_elem *array(const struct lut_clf *c, const struct lut_elem *x, int dim[8], int *ndim)
{
	int rc = 0;
	const struct lut_elem *a = lut_clf_child(c, x, "Array", &rc);
	if (rc < 0) return NULL;
	if (!a) { lut_clf_bad(c, x->line, "<%s> has no <Array>", x->tag); return NULL; }
	const char *s = lut_xml_attr(a, "dim");
	*ndim = 0;
	for (const char *p = s ? s : ""; ; ) {
		char word[16];
		size_t k = 0;
		double v;
		while (is_space(*p)) p++;
		if (!*p) break;
		for (; *p && !is_space(*p); p++)
			if (k + 1 < sizeof word) word[k++] = *p;
		word[k] = 0;
		if (*ndim == 8 || mx_parse(word, &v) < 0 || v != mx_floor(v) || v < 1 || v > LUT_1D_MAX) {
			*ndim = 0;
			break;
		}
		dim[(*ndim)++] = (int)v;
	}
	if (*ndim) return a;
	lut_clf_bad(c, a->line, "<Array> of <%s>: dim=\"%.60s\" is no list of sizes", x->tag, s ? s : "");
	return NULL;
}

static int read_matrix(struct lut_clf *c, const struct lut_elem *x)
{
	int dim[8], nd;
	double v[20];
	const struct lut_elem *a = array(c, x, dim, &nd);
	if (!a) return -1;
	int rows = dim[0], cols = nd > 1 ? dim[1] : 0;
	bool three = rows == 3 && (cols == 3 || cols == 4) && (nd == 2 || (nd == 3 && dim[2] == 3));
	if (!three)
		return lut_clf_bad(c, a->line, "<Array> of <Matrix>: dim=\"%.60s\" is none of \"3 3\", \"3 4\"",
			lut_xml_attr(a, "dim"));
	if (lut_clf_numbers(c, a, (size_t)(rows * cols), false, v) < 0) return -1;
	struct lut_op *o = lut_add(c->l, LUT_MATRIX, c->name, c->e);
	if (!o) return -1;
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 3; k++) o->u.matrix.m[3 * i + k] = (float)(v[i * cols + k] * c->in_max / c->out_max);
		o->u.matrix.off[i] = cols == 4 ? (float)(v[i * cols + 3] / c->out_max) : 0.0f;
	}
	return 0;
}

static float from_half(unsigned h)
{
	unsigned e = h >> 10 & 31, m = h & 1023;
	double v = e == 31 ? (m ? __builtin_nan("") : __builtin_inf()) : e ? (1024.0 + m) / 1024 : m / 1024.0;
	if (e < 31) for (int i = e ? (int)e - 15 : -14; i; i += i < 0 ? 1 : -1) v = i < 0 ? v / 2 : v * 2;
	return (float)(h & 0x8000 ? -v : v);
}

/* yes: what the attribute says when set; -1: another value is refused. */
static int flag(const struct lut_clf *c, const struct lut_elem *x, const char *name, const char *yes,
	const char *no)
{
	const char *s = lut_xml_attr(x, name);
	if (!s || !strcasecmp(s, no)) return 0;
	if (!strcasecmp(s, yes)) return 1;
	return lut_clf_bad(c, x->line, "%s=\"%.60s\" is not %s", name, s, yes);
}

static int read_lut1d(struct lut_clf *c, const struct lut_elem *x)
{
	int dim[8], nd;
	int half = flag(c, x, "halfDomain", "true", "false"), raw = flag(c, x, "rawHalfs", "true", "false");
	int hue = flag(c, x, "hueAdjust", "dw3", "none"), linear = flag(c, x, "interpolation", "linear", "");
	const struct lut_elem *a = half < 0 || raw < 0 || hue < 0 || linear < 0 ? NULL : array(c, x, dim, &nd);
	if (!a) return -1;
	int n = dim[0], comps = nd == 2 ? dim[1] : 0;
	if (n < 2 || (comps != 1 && comps != 3))
		return lut_clf_bad(c, a->line, "<Array> of <LUT1D>: dim=\"%.60s\" is no length from 2 and 1 or 3 columns",
		                   lut_xml_attr(a, "dim"));
	if (half && n != 65536) return lut_clf_bad(c, a->line,
		"a LUT1D with halfDomain has 65536 entries, this one %d", n);
	if (a->ntext < 2 * (size_t)n * (size_t)comps - 1)
		return lut_clf_bad(c, a->line, "<Array> is too short for its %d numbers", n * comps);
	double *v = xalloc((size_t)n * (size_t)comps, sizeof *v);
	struct lut_1d *o = NULL;
	if (lut_clf_numbers(c, a, (size_t)n * (size_t)comps, half, v) == 0) o = lut_add_1d(c->l, n, c->name, c->e);
	for (int k = 0; o && k < 3; k++) {
		lut_domain(0, 1, n, &o->min[k], &o->scale[k]);
		for (int i = 0; o && i < n; i++) {
			double y = v[i * comps + (comps == 3 ? k : 0)];
			if (raw && !(y >= 0 && y <= 65535 && y == mx_floor(y))) {
				lut_clf_bad(c, a->line, "rawHalfs: entry %d, %g, is no whole number of 0 to 65535", i, y);
				o = NULL;
			} else o->t[k][i] = raw ? from_half((unsigned)y) : (float)(y / c->out_max);
		}
	}
	free(v);
	if (!o) return -1;
	o->half = half;
	o->hue = hue;
	return 0;
}

static int read_lut3d(struct lut_clf *c, const struct lut_elem *x)
{
	int dim[8], nd;
	const char *how = lut_xml_attr(x, "interpolation");
	bool tetra = how && !strcasecmp(how, "tetrahedral");
	if (how && !tetra && strcasecmp(how, "trilinear") != 0)
		return lut_clf_bad(c, x->line, "interpolation=\"%.60s\" is neither trilinear nor tetrahedral", how);
	if (lut_xml_attr(x, "rawHalfs") || lut_xml_attr(x, "halfDomain"))
		return lut_clf_bad(c, x->line, "halfDomain and rawHalfs belong to a LUT1D");
	const struct lut_elem *a = array(c, x, dim, &nd);
	if (!a) return -1;
	int n = dim[0];
	if (nd != 4 || dim[1] != n || dim[2] != n || dim[3] != 3 || n < 2 || n > LUT_3D_MAX)
		return lut_clf_bad(c, a->line,
			"<Array> of <LUT3D>: dim=\"%.60s\" is not three equal sizes of 2 to %d and 3",
		                   lut_xml_attr(a, "dim"), LUT_3D_MAX);
	size_t nodes = (size_t)n * (size_t)n * (size_t)n;
	if (a->ntext < 6 * nodes - 1) return lut_clf_bad(c, a->line, "<Array> is too short for its %zu numbers",
		3 * nodes);
	double *v = xalloc(nodes * 3, sizeof *v);
	struct lut_3d *o = NULL;
	if (lut_clf_numbers(c, a, nodes * 3, false, v) == 0 && (o = lut_add_3d(c->l, n, c->name, c->e))) {
		o->linear = !tetra;
		for (int k = 0; k < 3; k++) lut_domain(0, 1, n, &o->min[k], &o->scale[k]);
		for (size_t i = 0; i < nodes; i++)
			for (size_t k = 0; k < 3; k++) lut_blue_fastest(o, i)[k] = (float)(v[i * 3 + k] / c->out_max);
	}
	free(v);
	return o ? 0 : -1;
}

/* What a depth's white is; 0: unknown. */
static double depth_max(const char *s)
{
	static const struct { const char *name; double max; } depth[] = {
		{ "8i", 255 }, { "10i", 1023 }, { "12i", 4095 }, { "16i", 65535 }, { "16f", 1 }, { "32f", 1 },
	};
	for (size_t i = 0; s && i < IN_COUNT(depth); i++)
		if (!strcmp(s, depth[i].name)) return depth[i].max;
	return 0;
}

typedef int step_reader(struct lut_clf *c, const struct lut_elem *x);

static step_reader *find_step(const char *tag)
{
	static const struct { const char *tag; step_reader *read; } step[] = {
		{ "Matrix", read_matrix }, { "LUT1D", read_lut1d }, { "LUT3D", read_lut3d }, { "Range", lut_clf_range },
		{ "Log", lut_clf_log }, { "Exponent", lut_clf_exponent }, { "ASC_CDL", lut_clf_cdl },
	};
	for (size_t i = 0; i < IN_COUNT(step); i++)
		if (!strcmp(tag, step[i].tag)) return step[i].read;
	return NULL;
}

static int read_step(struct lut_clf *c, const struct lut_elem *x, const char **before)
{
	const char *in = lut_xml_attr(x, "inBitDepth"), *out = lut_xml_attr(x, "outBitDepth");
	step_reader *read = find_step(x->tag);
	if (!read) return lut_clf_bad(c, x->line, "<%.60s> is no step of CLF 3.0", x->tag);
	c->in_max = depth_max(in);
	c->out_max = depth_max(out);
	if (c->in_max == 0 || c->out_max == 0)
		return lut_clf_bad(c, x->line, "%s=\"%.20s\" is none of 8i, 10i, 12i, 16i, 16f, 32f",
		                   c->in_max == 0 ? "inBitDepth" : "outBitDepth",
			c->in_max == 0 ? (in ? in : "") : (out ? out : ""));
	if (*before && strcmp(*before, in) != 0)
		return lut_clf_bad(c, x->line,
			"inBitDepth=\"%s\" does not follow the step before, whose outBitDepth is \"%s\"", in, *before);
	*before = out;
	if (lut_xml_attr(x, "bypass")) return lut_clf_bad(c, x->line, "bypass is no attribute of CLF 3.0");
	for (const struct lut_elem *k = x->child; k; k = k->next)
		if (!strcmp(k->tag, "IndexMap")) return lut_clf_bad(c, k->line,
			"<IndexMap> was taken out of CLF; use <Range>");
	return read(c, x);
}

static int read_list(struct lut_clf *c, const struct lut_elem *x)
{
	const char *before = NULL, *clf = lut_xml_attr(x, "compCLFversion"), *ctf = lut_xml_attr(x, "version");
	double v;
	if (strcmp(x->tag, "ProcessList") != 0) return lut_clf_bad(c, x->line,
		"the root is <%.60s>, not <ProcessList>", x->tag);
	if (!clf && !ctf) return lut_clf_bad(c, x->line, "<ProcessList> has no compCLFversion");
	if (clf && (mx_parse(clf, &v) < 0 || v < 1 || v > 3))
		return lut_clf_bad(c, x->line, "compCLFversion=\"%.20s\" is none of 1 to 3", clf);
	if (clf && !lut_xml_attr(x, "id")) return lut_clf_bad(c, x->line, "<ProcessList> has no id");
	for (const struct lut_elem *k = x->child; k; k = k->next) {
		bool words = !strcmp(k->tag, "Description") || !strcmp(k->tag, "Info") ||
		             !strcmp(k->tag, "InputDescriptor") ||
		             !strcmp(k->tag, "OutputDescriptor");
		if (!words && read_step(c, k, &before) < 0) return -1;
	}
	return before ? 0 : lut_clf_bad(c, x->line, "<ProcessList> holds no step");
}

int lut_read_clf(struct lut *l, const char *name, const char *text, size_t len, struct err *e)
{
	struct lut_clf c = { .l = l, .name = name, .e = e };
	struct lut_elem *x = lut_xml_read(name, text, len, e);
	int rc = x ? read_list(&c, x) : -1;
	lut_xml_free(&x);
	return rc;
}
