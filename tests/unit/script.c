/* script - the sandbox against a corpus of escapes, the string functions against stock Lua, expressions,
 * declarations, traced pixel functions, compositions, frame functions, and equal keys.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "test.h"

#include <dirent.h>
#include <lauxlib.h>
#include <lualib.h>
#include <math.h>
#include <time.h>

#include "net.h"
#include "rng.h"
#include "script.h"

static atomic_int go;

static char *diag_text(const struct diags *d)
{
	char *s = xstrdup("");
	for (size_t i = 0; i < d->n; i++) {
		char *t = xasprintf("%s%s:%d: %s (%s)\n", s, d->v[i].file, d->v[i].line, d->v[i].msg, d->v[i].hint);
		free(s);
		s = t;
	}
	return s;
}

static char *save(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", test_tmp(), name);
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f)) { perror(path); exit(1); }
	return path;
}

/* Loads a script text; its findings, "" when it is fine. */
static char *load_text(struct script_host *h, struct registry *reg, const char *text)
{
	static int no;
	char name[40];
	struct diags d = { 0 };
	snprintf(name, sizeof name, "s%d.lua", ++no);
	char *path = save(name, text);
	h->load(h, reg, path, "scene.xml", 3, &d);
	char *out = diag_text(&d);
	diags_free(&d);
	unlink(path);
	free(path);
	return out;
}

/* --- the corpus: tests/lua, each file says on its first line what must come of it --- */

static void corpus_file(const char *path, const char *name)
{
	char first[300] = "";
	FILE *f = fopen(path, "r");
	if (!f || !fgets(first, sizeof first, f)) first[0] = 0;
	if (f) fclose(f);
	first[strcspn(first, "\n")] = 0;
	const char *want = strstr(first, "expect: ");
	if (!want) { test_ok(0, "%s says what to expect", path); return; }
	want += 8;
	struct script_host *h = script_host_new();
	struct registry reg = { 0 };
	struct diags d = { 0 };
	struct timespec a, b;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	h->load(h, &reg, path, "scene.xml", 3, &d);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	double sec = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
	char *said = diag_text(&d);
	bool fine = strcmp(want, "fine") == 0, right = fine ? d.n == 0 : d.n > 0 && strstr(said, want) != NULL;
	test_ok(right && !strstr(said, "0x") && diags_status(&d) == (fine ? E_OK : E_SCRIPT), "corpus %s: %s", name,
	        right ? want : said[0] ? said : "nothing was refused");
	test_ok(sec < 20, "corpus %s ends (%.2f s)", name, sec);
	free(said);
	diags_free(&d);
	free(reg.extra);
	script_host_free(&h);
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void corpus(void)
{
	struct dirent **v;
	int n = scandir("tests/lua", &v, NULL, by_name);
	int files = 0;
	for (int i = 0; i < n; i++) {
		size_t len = strlen(v[i]->d_name);
		char *path = xasprintf("tests/lua/%s", v[i]->d_name);
		if (len > 4 && strcmp(v[i]->d_name + len - 4, ".lua") == 0) {
			corpus_file(path, v[i]->d_name);
			files++;
		}
		free(path);
		free(v[i]);
	}
	if (n >= 0) free(v);
	test_ok(files >= 25, "the corpus has %d files", files);
}

/* --- expressions --- */

static struct script_host *host;

static const char *eval_as(const char *expr, const struct param *p, struct value *out, struct arena *a, bool *frame)
{
	static struct err e;
	static const struct sparam params[] = { { .name = "gain", .type = PT_FLOAT }, { .name = "tint", .type = PT_COLOUR },
		{ .name = "mode", .type = PT_ENUM, .choices = "soft|hard" }, { .name = "title", .type = PT_STRING } };
	const struct value vals[] = { { .type = PT_FLOAT, .n = 1, .v = { 0.25 } },
		{ .type = PT_COLOUR, .n = 3, .v = { 1, 0.5, 0.25 } }, { .type = PT_ENUM, .n = 1, .v = { 1 } },
		{ .type = PT_STRING, .n = 1, .s = "caf\xc3\xa9" } };
	struct eval_env env = { .frame = 12, .fps = 25, .has_frame = true, .param = params, .pvalue = vals, .nparam = 4, .used_frame = frame };
	err_clear(&e);
	*frame = false;
	if (host->eval(host, expr, &env, p, a, out, &e) < 0) return e.msg;
	return NULL;
}

static void expression(const char *expr, const char *want)
{
	struct arena *a = arena_new();
	struct value v = { 0 };
	bool frame;
	const char *bad = eval_as(expr, NULL, &v, a, &frame);
	const char *got = bad ? bad : v.s;
	test_ok(bad ? strstr(got, want) != NULL : strcmp(got, want) == 0, "{%s} is %s%s%s", expr, got,
	        strcmp(got, want) ? ", wanted " : "", strcmp(got, want) ? want : "");
	arena_free(&a);
}

static void typed(const char *expr, struct param p, double want, const char *error)
{
	struct arena *a = arena_new();
	struct value v = { 0 };
	bool frame;
	p.name = "p";
	const char *bad = eval_as(expr, &p, &v, a, &frame);
	if (error) test_ok(bad && strstr(bad, error), "{%s} is refused: %s", expr, bad ? bad : "it was not");
	else test_ok(!bad && v.v[p.n - 1] == want, "{%s} gives %g%s%s", expr, v.v[p.n - 1], bad ? " " : "", bad ? bad : "");
	arena_free(&a);
}

static void expressions(void)
{
	static const char *const exact[][2] = {
		{ "1 + 1", "2" }, { "7 / 2", "3.5" }, { "frame * 2", "24" }, { "frame / fps", "0.48" }, { "gain * 4", "1" },
		{ "tint[2]", "0.5" }, { "mode", "hard" }, { "title .. '!'", "caf\xc3\xa9!" }, { "string.format('%04d', frame)", "0012" },
		{ "clamp(3)", "1" }, { "mix(1, 3, 0.5)", "2" }, { "smoothstep(0, 1, 0.5)", "0.5" }, { "select(gain, '<', 1, 'low', 'high')", "low" },
		{ "select('#', 1, 2, 3)", "3" }, { "max(1, 5, 3)", "5" }, { "min(2, 1)", "1" }, { "2^10", "1024" }, { "floor(-1.5)", "-2" },
		{ "math.ceil(1.2)", "2" }, { "10 // 3", "3" }, { "10 % 3", "1" }, { "#title", "5" }, { "utf8.len(title)", "4" },
		{ "pi > 3 and 'yes' or 'no'", "yes" }, { "round", "unknown name 'round'" }, { "gian", "did you mean gain" },
		{ "os.time()", "unknown name 'os'" }, { "1, 2", "')' expected" }, { "1) os.exit(", "unknown name 'os'" }, { "x = 1", "expected" },
		{ "{}", "gives a table, expected a string" }, { "true", "expected a string" }, { "1/0", "finite" },
		{ "(function() y = 1 end)()", "cannot set 'y'" }, { "string.rep('a', 1e8)", "128 KiB" }, { "math.random()", "nil value" } };
	for (size_t i = 0; i < IN_COUNT(exact); i++) expression(exact[i][0], exact[i][1]);
	const double inf = INFINITY;
	typed("gain", (struct param){ .type = PT_FLOAT, .n = 1, .min = 0, .max = 1 }, 0.25, NULL);
	typed("gain * 9", (struct param){ .type = PT_FLOAT, .n = 1, .min = 0, .max = 1 }, 0, "out of range");
	typed("frame / 2", (struct param){ .type = PT_INT, .n = 1, .min = 0, .max = 99 }, 6, NULL);
	typed("gain", (struct param){ .type = PT_INT, .n = 1, .min = 0, .max = 9 }, 0, "whole number");
	typed("'1'", (struct param){ .type = PT_FLOAT, .n = 1, .min = -inf, .max = inf }, 0, "expected a number");
	typed("frame > 3", (struct param){ .type = PT_BOOL, .n = 1, .max = 1 }, 1, NULL);
	typed("1", (struct param){ .type = PT_BOOL, .n = 1, .max = 1 }, 0, "true or false");
	typed("mode", (struct param){ .type = PT_ENUM, .n = 1, .choices = "soft|hard" }, 1, NULL);
	typed("'herd'", (struct param){ .type = PT_ENUM, .n = 1, .choices = "soft|hard" }, 0, "did you mean hard");
	typed("{tint[1], tint[2], 4}", (struct param){ .type = PT_COLOUR, .n = 3, .min = 0, .max = 9 }, 4, NULL);
	typed("{1, 2}", (struct param){ .type = PT_COLOUR, .n = 3, .min = 0, .max = 9 }, 0, "expected 3 numbers");
	typed("2", (struct param){ .type = PT_VEC, .n = 2, .min = 0, .max = 9 }, 2, NULL);
	typed("'2%h'", (struct param){ .type = PT_LENGTH, .n = 1, .min = 0, .max = 9 }, 2, NULL);
	struct arena *a = arena_new();
	struct value v;
	bool used;
	eval_as("frame + 1", NULL, &v, a, &used);
	bool first = used;
	eval_as("gain", NULL, &v, a, &used);
	test_ok(first && !used, "an expression tells whether it read the frame");
	arena_free(&a);
}

/* --- strings: stock Lua is the oracle --- */

static lua_State *stock;

static const char *stock_value(const char *expr, char *out, size_t size)
{
	char *chunk = xasprintf("local function show() %s end local ok, s = pcall(show) return ok and s or 'error'", expr);
	if (luaL_dostring(stock, chunk)) snprintf(out, size, "broken: %s", lua_tostring(stock, -1));
	else snprintf(out, size, "%s", lua_tostring(stock, -1));
	lua_settop(stock, 0);
	free(chunk);
	return out;
}

static int agrees(const char *body, bool say)
{
	char want[4000], got[4000];
	struct arena *a = arena_new();
	struct value v = { 0 };
	bool used;
	char *expr = xasprintf("(function() local function show() %s end local ok, s = pcall(show) return ok and s or 'error' end)()", body);
	stock_value(body, want, sizeof want);
	const char *bad = eval_as(expr, NULL, &v, a, &used);
	snprintf(got, sizeof got, "%s", bad ? bad : v.s);
	int same = strcmp(want, got) == 0;
	if (say || !same) test_ok(same, "as stock Lua: %s -> %s%s%s", body, got, same ? "" : ", stock ", same ? "" : want);
	free(expr);
	arena_free(&a);
	return same;
}

#define SHOW "local r = table.pack(%s) local s = '' for i = 1, r.n do s = s .. tostring(r[i]) .. ';' end return s"

static void random_patterns(void)
{
	static const char *const items[] = { "a", "b", ".", "%a", "%d", "[ab]", "[^a]", "%s", "(a)", "(.-)", "()", "%b()", "%f[%w]", "%1", "a-",
		"b*", ".+", "c?", "[a-c]+", "%w-", "^", "$", "(", ")", "%", "[", "%.", "x", "[%a_]*", "(b*)" };
	static const char subject[] = "abc(a b)1 2xab..b_a", *calls[] = { "string.find(s, p)", "string.match(s, p)", "string.gsub(s, p, '<%%0>')",
		"string.gsub(s, p, '%%1.', 2)", "string.find(s, p, -4)", "string.gsub(s, p, function(x) return tostring(x) .. '!' end)" };
	int bad = 0, n = 0;
	for (uint32_t i = 0; i < 3000 && bad < 5; i++) {
		char pat[100] = "", body[700], call[100];
		struct philox r = philox4x32(i, 0, 0, 0, 7, 7);
		for (uint32_t k = 0; k <= r.c[0] % 5; k++) {
			struct philox q = philox4x32(i, k, 1, 0, 7, 7);
			strcat(pat, items[q.c[0] % IN_COUNT(items)]);
		}
		snprintf(call, sizeof call, calls[r.c[1] % IN_COUNT(calls)]);
		size_t cut = r.c[2] % (sizeof subject - 1);
		snprintf(body, sizeof body, "local s, p = [==[%s]==], [==[%s]==] local r = table.pack(%s) local t = '' "
		         "for i = 1, r.n do t = t .. tostring(r[i]) .. ';' end return t", subject + cut, pat, call);
		if (!agrees(body, false)) bad++;
		n++;
	}
	test_ok(bad == 0, "%d random patterns match as in stock Lua", n);
}

static void strings(void)
{
	static const char *const same[] = {
		"string.find('hello world', 'o w')", "string.find('a.b', '.', 1, true)", "string.find('abc', 'b', -1)", "string.find('', '')",
		"string.find('abc', '', 10)", "string.match('key = value', '^(%w+)%s*=%s*(%w+)$')", "string.match('2024-05-06', '(%d+)-(%d+)-(%d+)')",
		"string.gsub('hello', 'l+', {ll = 'LL'})", "string.gsub('abc', '%w', '%0%0')", "string.gsub('abc', '', '-')", "string.gsub('x', 'x', '%2')",
		"string.gsub('THE (quick) fox', '%((%w+)%)', '<%1>')", "string.match('[[x]]', '%b[]')", "string.find('a\\0b', '\\0')",
		"string.gsub('one two', '%f[%w]%w+', string.upper)", "string.format('%5d|%-5d|%05d', 42, 42, 42)", "string.format('%+.3f', 3.14159)",
		"string.format('%g %g %g', 1e20, 0.1, 100)", "string.format('%x %X %#x %o', 255, 255, 255, 8)", "string.format('%a', 1)",
		"string.format('%q', 1)", "string.format('%10.3s|', 'abcdef')", "string.format('%c%c', 72, 105)", "string.format('%d', 3.5)",
		"string.format('%s %s', 1)", "string.format('%s', nil)", "string.format('%%')", "string.format('%i', 3.0)", "string.format('%y', 1)",
		"('x'):rep(3, ',')", "('abc'):sub(-2)", "('abc'):sub(2, 10)", "('abc'):sub(0)", "('abc'):byte(1, -1)", "string.char(65, 66)", "string.char(256)",
		"('abc'):upper() .. ('ABC'):lower()", "('abc'):reverse()", "#('abc')", "tostring(1e15)", "tostring(2^53)", "tostring(-0.0)", "tostring(1e100)",
		"tostring(10 // 0.0)", "tostring(3 | 4)", "tonumber('0x10')", "tonumber('  12  ')", "tonumber('z', 36)", "tonumber('1e')", "math.type(1)",
		"math.type(1.0)", "math.tointeger(3.0)", "math.fmod(-7, 3)", "math.floor(3.7)", "math.ceil(-3.7)", "math.abs(-4)", "math.max(1, 2.5)",
		"math.ult(1, -1)", "math.modf(-3.25)", "table.concat({1, 2, 'x'}, '-')", "table.concat({1, {}, 3})", "table.unpack({1, 2, 3}, 2)",
		"select(-1, 1, 2, 3)", "select(2, 'a', 'b')", "rawequal('a', 'a')", "rawlen({1, 2})", "pcall(error, 'x')", "next({})", "type(next)",
		"7 // 2, -7 // 2, 7 % -3, -7 % 3, 2^0.5", "1 < 2, 'a' < 'b', not nil", "math.maxinteger + 1 == math.mininteger" };
	for (size_t i = 0; i < IN_COUNT(same); i++) {
		char body[600];
		if (strstr(same[i], "%q")) continue;
		snprintf(body, sizeof body, SHOW, same[i]);
		agrees(body, true);
	}
	agrees("local t = {} for w in string.gmatch('one two  three', '%a+') do t[#t + 1] = w end return table.concat(t, '|')", true);
	agrees("local t = {} for k, v in string.gmatch('a=1, b=2', '(%w+)=(%w+)') do t[#t + 1] = k .. v end return table.concat(t, '|')", true);
	agrees("local t = {5, 2, 8, 1} table.sort(t) return table.concat(t, ' ')", true);
	agrees("local t = {'b', 'a', 'C'} table.sort(t, function(a, b) return a:lower() < b:lower() end) return table.concat(t, ' ')", true);
	agrees("local t = {} for i = 1, 500 do t[i] = (i * 7919) % 1009 end table.sort(t) return table.concat(t, ' ')", true);
	agrees("local t = {1, 2, 3} table.insert(t, 2, 9) table.insert(t, 4) table.remove(t, 1) table.remove(t) return table.concat(t, ' ')", true);
	agrees("return table.concat(table.move({1, 2, 3}, 1, 3, 2), ' ')", true);
	agrees("return table.insert({1}, 5, 1)", true);
	agrees("local t = setmetatable({}, {__index = function(_, k) return k .. '!' end}) return t.x", true);
	agrees("local mt = {__add = function(a, b) return 42 end} return tostring(setmetatable({}, mt) + 1)", true);
	agrees("local C = {} C.__index = C function C.f() return 'f' end local o = setmetatable({}, C) return o.f()", true);
	random_patterns();
	expression("(function() local s = '' for k, v in pairs{3, 2, 1, z = 1, a = 2, [1.5] = 3, [true] = 1, [false] = 2, [-1] = 0} do "
	           "s = s .. tostring(k) .. ' ' end return s end)()", "-1 1 1.5 2 3 a z false true ");
	expression("(function() local t, s = {b = 1, a = 2, 9}, '' local k = next(t) while k do s = s .. tostring(k) .. ' ' k = next(t, k) end return s end)()", "1 a b ");
	expression("tostring(print) .. tostring({}) .. string.format('%s', math.sin)", "functiontablefunction");
	expression("select(2, pcall(error, {}))", "expected a string");
	expression("select(2, pcall(pairs, {[{}] = 1}))", "it has no order");
}

/* --- declarations --- */

static void declared(const char *what, const char *text, const char *want)
{
	struct script_host *h = script_host_new();
	struct registry reg = { 0 };
	char *said = load_text(h, &reg, text);
	test_ok(want ? strstr(said, want) != NULL : said[0] == 0, "declaration: %s: %s", what, said[0] ? said : "fine");
	free(said);
	free(reg.extra);
	script_host_free(&h);
}

#define N(x) "return node{ name='n', version=1, doc='d', " x " }"
#define PX "pixel=function(p, src) return src.image.r, src.image.g, src.image.b end"

static void declarations(void)
{
	declared("a good node", N(PX), NULL);
	declared("no node", "return 3", "must return node{");
	declared("a list with a stranger", "return { node{ name='n', version=1, doc='d', " PX "}, 4 }", "item 2");
	declared("bytecode", "\033Lua\x54", "attempt to load a binary chunk");
	declared("syntax", "return node{\n name=,\n}", ":2: unexpected symbol");
	declared("run-time error", "local x = nil\n\nreturn x.y", ":3: attempt to index");
	declared("no doc", "\nreturn node{ name='n', version=1, " PX " }", ":2: node 'n' needs doc");
	declared("two kinds", N(PX ", frame=function() end"), "exactly one of");
	declared("unknown field", N("pixle=1, " PX), "did you mean pixel");
	declared("bad name", "return node{ name='N 1', version=1, doc='d', " PX " }", "small letters");
	declared("taken name", "return node{ name='blur', version=1, doc='d', " PX " }", "blur");
	declared("same name twice", "local t = node{ name='n', version=1, doc='d', " PX " } return { t, node{ name='n', version=1, doc='d', " PX " } }", "n");
	declared("bad type", N("params={ {'a', 'flaot', 1} }, " PX), "did you mean float");
	declared("default outside", N("params={ {'a', 'float', 5, 0, 1} }, " PX), "out of range");
	declared("enum without choices", N("params={ {'a', 'enum', 'x'} }, " PX), "choices=");
	declared("bad choice", N("params={ {'a', 'enum', 'x', choices='y|z'} }, " PX), "not one of");
	declared("double parameter", N("params={ {'a', 'float', 1}, {'a', 'int', 1} }, " PX), "two parameters");
	declared("all types", N("params={ {'f', 'float', 1, 0, 2, 'x', doc='d'}, {'i', 'int', 2}, {'b', 'bool', true}, {'e', 'enum', 'y', choices='x|y'}, "
	         "{'s', 'string', 'hi'}, {'pa', 'path'}, {'c', 'colour', {1, 0.5, 0}}, {'v', 'vector', {1, 2}}, {'l', 'length', '2%h'}, {'l2', 'length', 3} }, " PX), NULL);
	declared("unknown trait", N("traits={'aii'}, " PX), "did you mean ai");
	declared("first input", N("inputs='over', " PX), "first input is called image");
	declared("mask in front", N("inputs='image mask? over', " PX), "mask? comes last");
	declared("rule without check", "return rule{ id='x', doc='d' }", "needs check");
}

/* --- pixel nodes --- */

struct px { struct script_host *h; struct registry reg; struct format f; struct node_ctx n; void *v; struct arena *a; char *said; struct err e; };

static bool px_open(struct px *x, const char *text, int nconn)
{
	memset(x, 0, sizeof *x);
	x->h = script_host_new();
	x->a = arena_new();
	x->said = load_text(x->h, &x->reg, text);
	if (!x->reg.nextra) { err_set(&x->e, E_SCRIPT, "%s", x->said); return false; }
	const struct node_type *t = x->reg.extra[0];
	x->f = (struct format){ .data = rect_of(0, 0, 64, 4), .display = rect_of(0, 0, 64, 4), .par = { 1, 1 }, .first = 1, .last = 9,
		.space = colour_find("acescg"), .encoded = colour_find("acescg") };
	format_channels(&x->f, "R G B");
	x->v = arena_alloc(x->a, 1, t->size);
	params_default(t->params, x->v, x->a, 4);
	x->n = (struct node_ctx){ .type = t, .id = "t", .v = x->v, .nconn = nconn, .in = { &x->f, &x->f }, .out = &x->f, .scale = 1,
		.working = x->f.space };
	return t->open ? t->open(&x->n, &x->e) == 0 : true;
}

static void px_close(struct px *x)
{
	if (x->n.state) x->n.type->close(&x->n);
	free(x->said);
	free(x->reg.extra);
	arena_free(&x->a);
	script_host_free(&x->h);
}

static void px_run(struct px *x, const float *in, float *out)
{
	struct view vi = { .r = x->f.data, .stride = 64, .nch = 3 }, vo = vi;
	for (int c = 0; c < 3; c++) {
		vi.plane[c] = (float *)(uintptr_t)(in + c * 256);
		vo.plane[c] = out + c * 256;
	}
	struct need need[2] = { { 0, 1, x->f.data }, { 1, 1, x->f.data } };
	struct view views[2] = { vi, vi };
	void *scratch = NULL;
	size_t bytes = x->n.type->scratch ? x->n.type->scratch(&x->n, vo.r) : 0;
	if (posix_memalign(&scratch, 64, bytes + 64)) abort();
	struct call c = { .n = &x->n, .frame = 5, .nin = x->n.nconn, .need = need, .in = views, .out = &vo, .scratch = scratch, .cancel = &go, .err = &x->e };
	int rc = x->n.type->tile ? x->n.type->tile(&c, vo.r) : x->n.type->frame(&c);
	if (rc < 0) test_ok(0, "run: %s", x->e.msg);
	free(scratch);
}

static void refused(const char *what, const char *body, const char *want)
{
	struct px x;
	char *text = xasprintf("return node{ name='n', version=1, doc='d', params={ {'k', 'float', 0.5, 0, 1}, {'i', 'int', 2, 0, 4} },\n"
	                       "pixel=function(p, src)\n local c = src.image\n %s\nend }", body);
	bool ok = px_open(&x, text, 1);
	test_ok(want ? !ok && strstr(x.e.msg, want) : ok, "pixel: %s: %s", what, x.e.msg[0] ? x.e.msg : "accepted");
	free(text);
	px_close(&x);
}

static void pixel_nodes(void)
{
	refused("plain", "return c.r, c.g, c.b", NULL);
	refused("a table", "return { r = c.b, g = 1, b = p.k }", NULL);
	refused("constant branch", "if p.i > 1 then return c.r, c.g, c.b end return c.b, c.g, c.r", NULL);
	refused("loop over a constant", "local v = c.r for i = 1, p.i do v = v * 2 end return v, v, v", NULL);
	refused("library", "local y = luma(c) return mix(c.r, y, p.k), smoothstep(0, 1, c.g), clamp(exp(log(abs(c.b) + 1)))", NULL);
	refused("negative powers", "return c.r ^ 2, c.g ^ 3, (c.b * c.b) ^ -0.5", NULL);
	refused("power by a parameter", "return c.r ^ p.k, abs(c.g) ^ p.k, c.b", NULL);
	refused("comparison", "if c.r > 1 then return 1, 1, 1 end return c.r, c.g, c.b", ":4: pixel values cannot be compared");
	refused("comparison of two", "if c.r == c.g then return 1, 1, 1 end return c.r, c.g, c.b", "cannot be compared");
	refused("hidden comparison", "if c.r == 0 then return 1, 1, 1 end return c.r, c.g, c.b", "tracing loses something");
	refused("hidden branch on a parameter", "if p.k == 1 then return 0, 0, 0 end return c.r, c.g, c.b", "tracing loses something");
	refused("type test", "if type(c.r) == 'number' then return 1, 1, 1 end return c.r, c.g, c.b", "tracing loses something");
	refused("a message names the pixel", "if math.type(c.r) then return c.r * 2, c.g, c.b end return c.r, c.g, c.b", "test pixel");
	refused("no alpha", "return c.r, c.a, c.b", "channels=\"rgba\"");
	refused("missing result", "return c.r, c.g", "'b' is a nil");
	refused("sin", "return math.sin(c.r), 0, 0", "cannot be traced");
	refused("modulo", "return c.r % 1, 0, 0", "floor(x / m)");
	refused("string", "return c.r .. 'x', 0, 0", "a pixel value is a number");
	refused("too long", "local v = c.r for i = 1, 3000 do v = v * v + i end return v, v, v", "2048 operations");
	refused("endless", "while true do end", "too many instructions");
	refused("nil arithmetic", "return c.r + nil, 0, 0", "arithmetic");

	static const char text[] = "return node{ name='n', version=1, doc='d', inputs='image over', params={ {'k', 'float', 0.5, 0, 1}, {'t', 'colour', {1, 2, 4}} },\n"
		"pixel=function(p, src)\n local a, b = src.image, src.over\n local y = a.r * 0.25 + a.g * 0.5 + a.b * 0.25\n"
		" return select(a.r, '<', 0.5, y, b.g * p.t.g) + p.k, sqrt(max(a.g, 0)) * p.t[3], floor(a.b * 4) / 4 - min(a.r, a.g, a.b) end }";
	struct px x;
	float in[768], out[768] = { 0 };
	for (int i = 0; i < 768; i++) in[i] = (float)(philox4x32((uint32_t)i, 0, 0, 0, 3, 3).c[0] * 0x1p-31) - 0.5f;
	bool ok = px_open(&x, text, 2);
	test_ok(ok, "two inputs, a colour: %s", x.e.msg);
	int bad = 0;
	if (ok) px_run(&x, in, out);
	for (int i = 0; i < 256; i++) {
		float r = in[i], g = in[256 + i], b = in[512 + i], y = r * 0.25f + g * 0.5f + b * 0.25f, m = r < g ? r : g;
		m = m < b ? m : b;
		float wr = (r < 0.5f ? y : g * 2) + 0.5f, wg = sqrtf(g > 0 ? g : 0) * 4, wb = (float)(int)(b * 4 + 100) / 4 - 25 - m;
		if (b * 4 < 0 && b * 4 != (float)(int)(b * 4)) wb = ((float)((int)(b * 4) - 1)) / 4 - m;
		else wb = (float)(int)(b * 4) / 4 - m;
		bad += !(wr == out[i]) + !(wg == out[256 + i]) + !(wb == out[512 + i]);
	}
	test_ok(bad == 0, "the traced function is the C one, bit for bit (%d differ)", bad);
	px_close(&x);
}

static void frame_nodes(void)
{
	static const char text[] = "return node{ name='n', version=1, doc='d', time=true, frame=function(p, src, out)\n"
		" local im = src.image\n for y = 0, im.height - 1 do\n  local row, back = im.r:row(y), {}\n"
		"  for x = 1, im.width do back[x] = row[im.width + 1 - x] end\n  out.r:set_row(y, back)\n end\n"
		" out.g:set(3, 2, im.g:get(3, 2) + src.frame)\nend }";
	struct px x;
	float in[768], out[768] = { 0 };
	for (int i = 0; i < 768; i++) in[i] = (float)i;
	bool ok = px_open(&x, text, 1);
	test_ok(ok, "frame node: %s", x.e.msg);
	if (ok) px_run(&x, in, out);
	bool mirrored = ok;
	for (int i = 0; i < 256 && ok; i++) mirrored &= out[i] == in[i / 64 * 64 + 63 - i % 64];
	test_ok(mirrored && out[256 + 131] == in[256 + 131] + 5 && out[512 + 9] == in[512 + 9], "frame: rows, points, untouched planes");
	px_close(&x);
	if (!px_open(&x, "return node{ name='n', version=1, doc='d', frame=function(p, src, out) src.image.r:set(0, 0, 1) end }", 1)) test_ok(0, "opens");
	struct view v = { .r = x.f.data, .stride = 64, .nch = 3, .plane = { in, in + 256, in + 512 } }, o = v;
	for (int c = 0; c < 3; c++) o.plane[c] = out + c * 256;
	struct need need = { 0, 1, x.f.data };
	struct call c = { .n = &x.n, .nin = 1, .need = &need, .in = &v, .out = &o, .cancel = &go, .err = &x.e };
	test_ok(x.n.type->frame(&c) < 0 && strstr(x.e.msg, "cannot be written"), "frame: inputs are read-only: %s", x.e.msg);
	px_close(&x);
}

/* --- compositions in a real net --- */

static struct net *net_of(const char *script, const char *nodes, struct script_host **h, struct scene **s, struct diags *d)
{
	char *file = script ? save("b.lua", script) : NULL;
	char *xml = xasprintf("<graph version=\"1\" fps=\"24\">%s%s%s<pattern id=\"src\" width=\"64\" height=\"48\" frames=\"4\"/>"
	                      "<pass id=\"one\" kind=\"look\">%s</pass></graph>",
	                      file ? "<script file=\"" : "", file ? file : "", file ? "\"/>" : "", nodes);
	*h = script_host_new();
	struct load_opts lo = { .host = *h };
	struct net_opts o = { .proxy = 1 };
	*s = scene_load("t.xml", xml, strlen(xml), &lo, d);
	struct net *n = *s && diags_status(d) == E_OK ? net_build(*s, &o, d) : NULL;
	free(xml);
	free(file);
	return n;
}

#define B(x) "return node{ name='glow', version=1, doc='d', params={ {'radius', 'length', 3, 0, 50}, {'on', 'bool', true} }, build=function(g, p, src)\n" x "\nend }"

static void built(const char *what, const char *script, const char *nodes, const char *want, int count)
{
	struct script_host *h;
	struct scene *s;
	struct diags d = { 0 };
	struct net *n = net_of(script, nodes, &h, &s, &d);
	char *said = diag_text(&d);
	int made = 0;
	for (int i = 0; n && i < n->nnode; i++) made += n->node[i]->group != NULL;
	if (want) test_ok(!n && strstr(said, want), "build: %s: %s", what, said);
	else test_ok(n && made == count, "build: %s: %d inner nodes %s", what, made, said);
	free(said);
	net_free(&n);
	if (s) scene_free(&s);
	script_host_free(&h);
	diags_free(&d);
}

static void compositions(void)
{
	static const char one[] = "<glow id=\"a\" in=\"src\"/>";
	built("two nodes", B("local b = g.blur{ src.image, sigma=p.radius } return g.merge{ b, over=src.image, mode='over' }"), one, "mode", 0);
	built("a chain", B("return g.blur{ g.blur{ src.image, sigma=p.radius }, sigma=1 }"), one, NULL, 2);
	built("nothing", B("return src.image"), one, NULL, 0);
	built("unknown type", B("return g.blurr{ src.image }"), one, "did you mean blur", 0);
	built("unknown parameter", B("return g.blur{ src.image, sgma=2 }"), one, "did you mean sigma", 0);
	built("wrong value", B("return g.blur{ src.image, sigma='wide' }"), one, "expected a length", 0);
	built("not a node", B("return 3"), one, "must return a node", 0);
	built("missing input", B("return g.blur{}"), one, "not connected", 0);
	built("a number as input", B("return g.blur{ 3 }"), one, "not a node", 0);
	built("hidden types", B("return g.pixel_program{ src.image }"), one, "no node type", 0);
	built("an error's line", B("\n\nerror('boom')"), one, "b.lua:4: boom", 0);
	built("itself", B("return g.glow{ src.image }"), one, "itself", 0);
	built("endless", B("while true do pcall(function() error('x') end) end"), one, "too many instructions", 0);
	built("an animated one", B("return g.blur{ src.image, sigma=p.radius }"), "<glow id=\"a\" in=\"src\" radius=\"{frame}\"/>", NULL, 1);
	built("one inside another", "return { node{ name='inner', version=1, doc='d', build=function(g, p, src) return g.blur{ src.image, sigma=1 } end },"
	      "node{ name='glow', version=1, doc='d', build=function(g, p, src) return g.inner{ g.inner{ src.image } } end } }", one, NULL, 2);
}

/* The key of the last node, in a host of its own; order and history of earlier calls must not matter. */
static void key_of(const char *script, const char *nodes, char hex[65])
{
	struct script_host *h;
	struct scene *s;
	struct diags d = { 0 };
	struct net *n = net_of(script, nodes, &h, &s, &d);
	struct key k = { { 0 } };
	struct err e = ERR_INIT;
	if (n) {
		struct keymemo *m = keymemo_new(n);
		if (net_key(m, n->node[n->nnode - 1], 2, &k, &e) < 0) test_ok(0, "key: %s", e.msg);
		keymemo_free(&m);
	} else {
		char *said = diag_text(&d);
		test_ok(0, "key: %s", said);
		free(said);
	}
	key_hex(&k, hex);
	net_free(&n);
	if (s) scene_free(&s);
	script_host_free(&h);
	diags_free(&d);
}

static void keys(void)
{
	/* a build that goes over a table: with hash order its nodes would come in another order in every process */
	static const char script[] = "local sizes = { near=2, far=9, mid=4, huge=20, small=1 }\n"
		"return node{ name='glow', version=1, doc='d', params={ {'k', 'float', 1} }, build=function(g, p, src)\n"
		" local x = src.image for name, s in pairs(sizes) do x = g.blur{ x, sigma=s + p.k } end return x end }";
	char first[65], again[65], other[65], text[65];
	key_of(script, "<glow id=\"a\" in=\"src\"/>", first);
	key_of(script, "<glow id=\"a\" in=\"src\"/>", again);
	key_of(script, "<glow id=\"a\" in=\"src\" k=\"2\"/>", other);
	test_ok(strcmp(first, again) == 0 && strcmp(first, other) != 0, "keys are equal in every state, and follow parameters");
	FILE *self = popen("INTERNEG_KEYS=1 /proc/$PPID/exe", "r");
	if (!self || !fgets(text, sizeof text, self)) text[0] = 0;
	if (self) pclose(self);
	test_ok(strcmp(text, first) == 0, "and in another process");
	static const char px[] = "return node{ name='glow', version=1, doc='d', pixel=function(p, src) local c = src.image return c.r * %d, c.g, c.b end }";
	char a[300], b[300];
	snprintf(a, sizeof a, px, 2);
	snprintf(b, sizeof b, px, 3);
	key_of(a, "<glow id=\"a\" in=\"src\"/>", first);
	key_of(b, "<glow id=\"a\" in=\"src\"/>", other);
	test_ok(strcmp(first, other) != 0, "the source text is in the key");
}

static int only_key(void)
{
	static const char script[] = "local sizes = { near=2, far=9, mid=4, huge=20, small=1 }\n"
		"return node{ name='glow', version=1, doc='d', params={ {'k', 'float', 1} }, build=function(g, p, src)\n"
		" local x = src.image for name, s in pairs(sizes) do x = g.blur{ x, sigma=s + p.k } end return x end }";
	char hex[65];
	key_of(script, "<glow id=\"a\" in=\"src\"/>", hex);
	printf("%s", hex);
	return 0;
}

static void files(void)
{
	struct script_host *h = script_host_new();
	struct registry a = { 0 }, b = { 0 };
	struct diags d = { 0 };
	char *path = save("f.lua", N(PX));
	h->load(h, &a, path, "s.xml", 1, &d);
	h->load(h, &a, path, "s.xml", 2, &d);
	h->load(h, &b, path, "t.xml", 1, &d);
	test_ok(d.n == 0 && a.nextra == 1 && b.nextra == 1 && a.extra[0] == b.extra[0], "a file loaded again is the same file");
	h->load(h, &a, "nowhere.lua", "s.xml", 7, &d);
	test_ok(d.n == 1 && d.v[0].line == 7 && strcmp(d.v[0].file, "s.xml") == 0 && strstr(d.v[0].msg, "cannot open"), "missing: %s", d.n ? d.v[0].msg : "");
	h->load(h, &a, "/dev/zero", "s.xml", 7, &d);
	test_ok(d.n == 2 && strstr(d.v[1].msg, "is not a file"), "no file: %s", d.n > 1 ? d.v[1].msg : "");
	diags_free(&d);
	free(a.extra);
	free(b.extra);
	free(path);
	script_host_free(&h);
}

int main(void)
{
	struct err e = ERR_INIT;
	setenv("INTERNEG_SHARE", ".", 0);
	node_isa_set(ISA_AUTO, &e);
	if (getenv("INTERNEG_KEYS")) return only_key();
	host = script_host_new();
	stock = luaL_newstate();
	luaL_openlibs(stock);
	expressions();
	strings();
	declarations();
	pixel_nodes();
	frame_nodes();
	compositions();
	keys();
	files();
	corpus();
	lua_close(stock);
	script_host_free(&host);
	char *left = xasprintf("%s/b.lua", test_tmp());
	unlink(left);
	memcpy(strrchr(left, '/') + 1, "f.lua", 6);
	unlink(left);
	free(left);
	rmdir(test_tmp());
	TEST_END();
}
