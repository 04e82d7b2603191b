/* param - values by declaration: parsing, ranges, messages, storage, canonical text, hashing, curves.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "param.h"
#include "test.h"

struct all { double f; int i, b, e; const char *s, *path; double col[3], v2[2], len; struct curve c; };
static const struct param table[] = {
	P_FLOAT(all, f, 1, 0, 500, "pixels", "a number"),
	P_INT(all, i, 3, -10, 10, "", 0, "a whole number"),
	P_BOOL(all, b, 1, 0, "a switch"),
	P_ENUM(all, e, "lanczos3", "nearest|bilinear|lanczos3", 0, "a choice"),
	P_STRING(all, s, "hello", 0, "words"),
	P_PATH(all, path, PF_FILE, "a file"),
	P_COLOUR(all, col, 1, 0.5, 0, 0, "a colour"),
	P_VEC2(all, v2, 1, 2, -5, 5, "", 0, "a pair"),
	P_LENGTH(all, len, "2%h", 0, 1000, 0, "a length"),
	P_CURVE(all, c, 0, "a curve"),
	P_END
};

static struct arena *a;

/* "" when text is refused. */
static const char *round_trip(const char *name, const char *text)
{
	const struct param *p = param_find(table, name);
	struct value v, w;
	struct err e = ERR_INIT;
	if (value_parse(p, text, a, &v, &e) < 0)
		return "";
	const char *out = value_print(p, &v, a);
	if (value_parse(p, out, a, &w, &e) < 0 || memcmp(v.v, w.v, sizeof v.v) || strcmp(value_print(p, &w, a), out))
		return "(not idempotent)";
	return out;
}

static void good(const char *name, const char *text, const char *canonical)
{
	const char *got = round_trip(name, text);
	test_ok(strcmp(got, canonical) == 0, "parse %s=\"%s\" gives \"%s\" (%s)", name, text, canonical, got);
}

static void refused(const char *name, const char *text, const char *part)
{
	struct value v;
	struct err e = ERR_INIT;
	int rc = value_parse(param_find(table, name), text, a, &v, &e);
	test_ok(rc < 0 && e.code == E_SCENE && strstr(e.msg, part) && strstr(e.msg, name),
	        "refuse %s=\"%.30s\": %s", name, text, e.msg);
}

static void parsing(void)
{
	good("f", "0.50", "0.5");
	good("f", "1e2", "100");
	good("f", "0x1p-2", "0.25");
	good("f", "+7", "7");
	good("i", "-10", "-10");
	good("b", "true", "yes");
	good("b", "0", "no");
	good("e", "bilinear", "bilinear");
	good("s", "", "");
	good("s", "a \"b\" {c}", "a \"b\" {c}");
	good("col", "0.5", "0.5 0.5 0.5");
	good("col", "#ff0080", "1 0 0.5019607843137255");
	good("v2", "1  -2.0", "1 -2");
	good("len", "12.0", "12");
	good("len", "2.50%h", "2.5%h");
	good("c", "0,0  0.5,0.60 1,1", "0,0 0.5,0.6 1,1");
	good("c", "", "");
	refused("f", "-1", "out of range 0..500 pixels");
	refused("f", "500.0001", "out of range");
	refused("f", "nan", "expected a number");
	refused("f", "inf", "expected a number");
	refused("f", "", "expected a number");
	refused("f", "1 ", "expected a number");
	refused("f", "1,5", "expected a number");
	refused("i", "1.5", "without a fraction");
	refused("i", "11", "out of range -10..10");
	refused("b", "maybe", "expected yes or no");
	refused("e", "lanzcos3", "did you mean lanczos3?");
	refused("e", "lanzcos3", "not one of nearest bilinear lanczos3");
	refused("e", "", "not one of");
	refused("col", "#12345", "six hexadecimal");
	refused("col", "1 2", "expected 3 numbers");
	refused("v2", "1 2 3", "expected 2 numbers");
	refused("v2", "1 9", "out of range -5..5");
	refused("len", "-1%h", "out of range");
	refused("len", "%h", "expected a length");
	refused("len", "5%", "expected a length");
	refused("c", "0,0", "two points");
	refused("c", "0,0 0,1", "ascend");
	refused("c", "0,0 1", "expected points");
	refused("c", "0,0,1 1,1", "expected points");
	refused("path", "a\tb", "control characters");
}

static void storing(void)
{
	struct all v;
	memset(&v, 0x55, sizeof v);
	params_default(table, &v, a, 1080);
	test_ok(v.f == 1 && v.i == 3 && v.b == 1 && v.e == 2 && !strcmp(v.s, "hello") && !v.path[0], "defaults: scalars");
	test_ok(v.col[1] == 0.5 && v.v2[1] == 2 && v.c.n == 0, "defaults: vectors and curve");
	test_ok(fabs(v.len - 21.6) < 1e-12, "defaults: 2%%h of 1080 is 21.6");
	struct value x, y, m;
	const struct param *p = param_find(table, "len");
	value_parse(p, "100", a, &x, NULL);
	value_store(p, &x, &v, 540, 0.5);
	test_ok(v.len == 50, "lengths in pixels follow the proxy");
	value_parse(p, "10%h", a, &x, NULL);
	value_store(p, &x, &v, 540, 0.5);
	test_ok(v.len == 54, "lengths in percent follow the height");
	p = param_find(table, "col");
	value_parse(p, "0 0 1", a, &x, NULL);
	value_parse(p, "1 0 0", a, &y, NULL);
	value_mix(&x, &y, 0.25, &m);
	test_ok(m.v[0] == 0.25 && m.v[1] == 0 && m.v[2] == 0.75, "colours blend by component");
	p = param_find(table, "e");
	value_parse(p, "nearest", a, &x, NULL);
	value_parse(p, "lanczos3", a, &y, NULL);
	value_mix(&x, &y, 0.75, &m);
	test_ok(m.v[0] == 0, "choices hold");
	p = param_find(table, "f");
	m = (struct value){ .type = PT_FLOAT, .n = 1, .v = { NAN } };
	struct err e = ERR_INIT;
	test_ok(value_check(p, &m, &e) < 0 && strstr(e.msg, "range"), "a computed NaN is out of range");
}

static void key_of(const struct all *v, char hex[65])
{
	struct sha s;
	struct err e = ERR_INIT;
	sha_init(&s);
	params_hash(&s, table, v, &e);
	struct key k = sha_end(&s);
	key_hex(&k, hex);
}

static void hashing(void)
{
	struct all v, w;
	char one[65], two[65], path[300];
	memset(&v, 0, sizeof v);
	params_default(table, &v, a, 100);
	key_of(&v, one);
	memset(&w, 0xff, sizeof w);
	params_default(table, &w, a, 100);
	key_of(&w, two);
	test_ok(!strcmp(one, two), "hash: padding and pointers do not enter");
	static const struct { const char *name, *text; } change[] = {
		{ "f", "1.0000000000000002" }, { "i", "4" }, { "b", "no" }, { "e", "nearest" }, { "s", "hellp" },
		{ "col", "1 0.5 1e-300" }, { "v2", "1 2.5" }, { "len", "2.5%h" }, { "c", "0,0 1,1" }
	};
	for (size_t i = 0; i < IN_COUNT(change); i++) {
		const struct param *p = param_find(table, change[i].name);
		struct value x;
		w = v;
		value_parse(p, change[i].text, a, &x, NULL);
		value_store(p, &x, &w, 100, 1);
		key_of(&w, two);
		test_ok(strcmp(one, two), "hash: %s enters", change[i].name);
	}
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/f%d", test_tmp(), i);
		FILE *f = fopen(path, "w");
		fputs("same", f);
		fclose(f);
		w = v;
		w.path = path;
		key_of(&w, i ? two : one);
	}
	test_ok(!strcmp(one, two), "hash: files enter by content, not by name");
	key_of(&v, two);
	test_ok(strcmp(one, two), "hash: a file differs from none");
	struct sha s;
	struct err e = ERR_INIT;
	sha_init(&s);
	w.path = "/nonexistent/x";
	test_ok(params_hash(&s, table, &w, &e) < 0 && strstr(e.msg, "path"), "hash: a missing file says so: %s", e.msg);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/f%d", test_tmp(), i);
		unlink(path);
	}
	rmdir(test_tmp());
}

/* The data of Fritsch and Carlson's paper (RPN 14), on which ordinary cubics overshoot. */
static void curves(void)
{
	const struct curve c = { 9, { 7.99, 8.09, 8.19, 8.7, 9.2, 10, 12, 15, 20 },
		{ 0, 2.76429e-5, 4.37498e-2, 0.169183, 0.469428, 0.943740, 0.998636, 0.999919, 0.999994 } };
	bool monotone = true, meets = true;
	double before = -1;
	for (int i = 0; i <= 12010; i++) {
		double y = curve_eval(&c, 7.99 + i * 0.001);
		monotone &= y >= before && y >= 0 && y <= c.y[8];
		before = y;
	}
	for (int i = 0; i < 9; i++)
		meets &= fabs(curve_eval(&c, c.x[i]) - c.y[i]) < 1e-15;
	test_ok(monotone, "curve: monotone on RPN 14");
	test_ok(meets, "curve: meets its points");
	const struct curve line = { 3, { 0, 0.3, 1 }, { 1, 1.6, 3 } };
	double worst = 0;
	for (int i = -20; i < 40; i++)
		worst = fmax(worst, fabs(curve_eval(&line, i / 10.0) - (1 + 2 * i / 10.0)));
	test_ok(worst < 1e-14, "curve: a straight line stays one, beyond its ends too (%g)", worst);
	const struct curve none = { 0 };
	test_ok(curve_eval(&none, 0.7) == 0.7, "curve: without points the identity");
	/* slope continuous at the inner points: finite differences from both sides agree */
	double d = 0;
	for (int i = 1; i < 8; i++) {
		double h = 1e-6, y = c.y[i];
		d = fmax(d, fabs((curve_eval(&c, c.x[i] + h) - y) / h - (y - curve_eval(&c, c.x[i] - h)) / h));
	}
	test_ok(d < 1e-3, "curve: smooth at its points (%g)", d);
}

int main(void)
{
	a = arena_new();
	parsing();
	storing();
	hashing();
	curves();
	arena_free(&a);
	TEST_END();
}
