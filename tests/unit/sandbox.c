/* sandbox - the Lua sandbox against a corpus of escapes, its library against stock Lua, and
 * expressions.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "test.h"

#include <dirent.h>
#include <lauxlib.h>
#include <lualib.h>
#include <math.h>
#include <time.h>

#include "rng.h"
#include "script.h"

static char *diag_text(const struct diags *d)
{
	char *s = xstrdup("");
	for (size_t i = 0; i < d->n; i++) {
		char *t = xasprintf("%s%s%s:%d: %s (%s)", s, i ? "; " : "", d->v[i].file, d->v[i].line,
		    d->v[i].msg, d->v[i].hint);
		free(s);
		s = t;
	}
	return s;
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
	bool fine = strcmp(want, "fine") == 0, right = fine ? d.n == 0 : d.n > 0 &&
	    strstr(said, want) != NULL;
	test_ok(right && !strstr(said, "0x") && diags_status(&d) == (fine ? E_OK : E_SCRIPT),
	    "corpus %s: %s", name,
	        right ? want : said[0] ? said : "nothing was refused");
	test_ok(sec < 20, "corpus %s ends (%.2f s)", name, sec);
	free(said);
	diags_free(&d);
	free(reg.extra);
	script_host_free(&h);
}

static int by_name(const struct dirent **a,
                   const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

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

static const char *eval_as(const char *expr, const struct param *p, struct value *out,
                           struct arena *a, bool *frame)
{
	static struct err e;
	static const struct sparam params[] = { { .name = "gain", .type = PT_FLOAT },
	    { .name = "tint", .type = PT_COLOUR },
		{ .name = "mode", .type = PT_ENUM, .choices = "soft|hard" },
		    { .name = "title", .type = PT_STRING } };
	const struct value vals[] = { { .type = PT_FLOAT, .n = 1, .v = { 0.25 } },
		{ .type = PT_COLOUR, .n = 3, .v = { 1, 0.5, 0.25 } },
		    { .type = PT_ENUM, .n = 1, .v = { 1 } },
		{ .type = PT_STRING, .n = 1, .s = "caf\xc3\xa9" } };
	struct eval_env env = { .frame = 12, .fps = 25, .has_frame = true, .param = params,
	    .pvalue = vals, .nparam = 4, .used_frame = frame };
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
	if (error)
		test_ok(bad && strstr(bad, error), "{%s} is refused: %s", expr, bad ? bad : "it was not");
	else
		test_ok(!bad && v.v[p.n - 1] == want, "{%s} gives %g%s%s", expr, v.v[p.n - 1], bad ? " "
		    : "", bad ? bad : "");
	arena_free(&a);
}

static void expressions(void)
{
	static const char *const exact[][2] = {
		{ "1 + 1", "2" }, { "7 / 2", "3.5" }, { "frame * 2", "24" }, { "frame / fps", "0.48" },
		    { "gain * 4", "1" },
		{ "tint[2]", "0.5" }, { "mode", "hard" }, { "title .. '!'", "caf\xc3\xa9!" },
		    { "string.format('%04d', frame)", "0012" },
		{ "clamp(3)", "1" }, { "mix(1, 3, 0.5)", "2" }, { "smoothstep(0, 1, 0.5)", "0.5" },
		    { "select(gain, '<', 1, 'low', 'high')", "low" },
		{ "select('#', 1, 2, 3)", "3" }, { "max(1, 5, 3)", "5" }, { "min(2, 1)", "1" },
		    { "2^10", "1024" }, { "floor(-1.5)", "-2" },
		{ "math.ceil(1.2)", "2" }, { "10 // 3", "3" }, { "10 % 3", "1" }, { "#title", "5" },
		    { "utf8.len(title)", "4" },
		{ "pi > 3 and 'yes' or 'no'", "yes" }, { "round", "unknown name 'round'" },
		    { "gian", "did you mean gain" },
		{ "os.time()", "unknown name 'os'" }, { "1, 2", "')' expected" },
		    { "1) os.exit(", "expected" }, { "x = 1", "expected" },
		{ "{}", "gives a table, expected a string" }, { "true", "expected a string" },
		    { "1/0", "finite" },
		{ "(function() y = 1 end)()", "cannot set 'y'" }, { "string.rep('a', 1e8)", "32 KiB" },
		    { "math.random()", "nil value" } };
	for (size_t i = 0; i < IN_COUNT(exact); i++) expression(exact[i][0], exact[i][1]);
	const double inf = INFINITY;
	typed("gain", (struct param){ .type = PT_FLOAT, .n = 1, .min = 0, .max = 1 }, 0.25, NULL);
	typed("gain * 9", (struct param){ .type = PT_FLOAT, .n = 1, .min = 0, .max = 1 }, 0,
	    "out of range");
	typed("frame / 2", (struct param){ .type = PT_INT, .n = 1, .min = 0, .max = 99 }, 6, NULL);
	typed("gain", (struct param){ .type = PT_INT, .n = 1, .min = 0, .max = 9 }, 0, "whole number");
	typed("'1'", (struct param){ .type = PT_FLOAT, .n = 1, .min = -inf, .max = inf }, 0,
	    "expected a number");
	typed("frame > 3", (struct param){ .type = PT_BOOL, .n = 1, .max = 1 }, 1, NULL);
	typed("1", (struct param){ .type = PT_BOOL, .n = 1, .max = 1 }, 0, "true or false");
	typed("mode", (struct param){ .type = PT_ENUM, .n = 1, .choices = "soft|hard" }, 1, NULL);
	typed("'herd'", (struct param){ .type = PT_ENUM, .n = 1, .choices = "soft|hard" }, 0,
	    "did you mean hard");
	typed("{tint[1], tint[2], 4}", (struct param){ .type = PT_COLOUR, .n = 3, .min = 0, .max = 9 },
	    4, NULL);
	typed("{1, 2}", (struct param){ .type = PT_COLOUR, .n = 3, .min = 0, .max = 9 }, 0,
	    "expected 3 numbers");
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
	if (say || !same)
		test_ok(same, "as stock Lua: %s -> %s%s%s", body, got, same ? "" : ", stock ", same ? ""
		    : want);
	free(expr);
	arena_free(&a);
	return same;
}

#define SHOW "local r = table.pack(%s) local s = '' for i = 1, r.n do s = s .. tostring(r[i]) .. ';' end return s"

static void random_patterns(void)
{
	static const char *const items[] = { "a", "b", ".", "%a", "%d", "[ab]", "[^a]", "%s", "(a)",
	    "(.-)", "()", "%b()", "%f[%w]", "%1", "a-",
		"b*", ".+", "c?", "[a-c]+", "%w-", "^", "$", "(", ")", "%", "[", "%.", "x", "[%a_]*",
		    "(b*)" };
	static const char subject[] = "abc(a b)1 2xab..b_a",
	    *calls[] = { "string.find(s, p)", "string.match(s, p)", "string.gsub(s, p, '<%%0>')",
		"string.gsub(s, p, '%%1.', 2)", "string.find(s, p, -4)",
		    "string.gsub(s, p, function(x) return tostring(x) .. '!' end)" };
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
		         "for i = 1, r.n do t = t .. tostring(r[i]) .. ';' end return t", subject + cut,
		         pat, call);
		if (!agrees(body, false)) bad++;
		n++;
	}
	test_ok(bad == 0, "%d random patterns match as in stock Lua", n);
}

static void strings(void)
{
	static const char *const same[] = {
		"string.find('hello world', 'o w')", "string.find('a.b', '.', 1, true)",
		    "string.find('abc', 'b', -1)", "string.find('', '')",
		"string.find('abc', '', 10)", "string.match('key = value', '^(%w+)%s*=%s*(%w+)$')",
		    "string.match('2024-05-06', '(%d+)-(%d+)-(%d+)')",
		"string.gsub('hello', 'l+', {ll = 'LL'})", "string.gsub('abc', '%w', '%0%0')",
		    "string.gsub('abc', '', '-')", "string.gsub('x', 'x', '%2')",
		"string.gsub('THE (quick) fox', '%((%w+)%)', '<%1>')", "string.match('[[x]]', '%b[]')",
		    "string.find('a\\0b', '\\0')",
		"string.gsub('one two', '%f[%w]%w+', string.upper)",
		    "string.format('%5d|%-5d|%05d', 42, 42, 42)", "string.format('%+.3f', 3.14159)",
		"string.format('%g %g %g', 1e20, 0.1, 100)",
		    "string.format('%x %X %#x %o', 255, 255, 255, 8)", "string.format('%a', 1)",
		"string.format('%q', 1)", "string.format('%10.3s|', 'abcdef')",
		    "string.format('%c%c', 72, 105)", "string.format('%d', 3.5)",
		"string.format('%s %s', 1)", "string.format('%s', nil)", "string.format('%%')",
		    "string.format('%i', 3.0)", "string.format('%y', 1)",
		"('x'):rep(3, ',')", "('abc'):sub(-2)", "('abc'):sub(2, 10)", "('abc'):sub(0)",
		    "('abc'):byte(1, -1)", "string.char(65, 66)", "string.char(256)",
		"('abc'):upper() .. ('ABC'):lower()", "('abc'):reverse()", "#('abc')", "tostring(1e15)",
		    "tostring(2^53)", "tostring(-0.0)", "tostring(1e100)",
		"tostring(10 // 0.0)", "tostring(3 | 4)", "tonumber('0x10')", "tonumber('  12  ')",
		    "tonumber('z', 36)", "tonumber('1e')", "math.type(1)",
		"math.type(1.0)", "math.tointeger(3.0)", "math.fmod(-7, 3)", "math.floor(3.7)",
		    "math.ceil(-3.7)", "math.abs(-4)", "math.max(1, 2.5)",
		"math.ult(1, -1)", "math.modf(-3.25)", "table.concat({1, 2, 'x'}, '-')",
		    "table.concat({1, {}, 3})", "table.unpack({1, 2, 3}, 2)",
		"select(-1, 1, 2, 3)", "select(2, 'a', 'b')", "rawequal('a', 'a')", "rawlen({1, 2})",
		    "pcall(error, 'x')", "next({})", "type(next)",
		"7 // 2, -7 // 2, 7 % -3, -7 % 3, 2^0.5", "1 < 2, 'a' < 'b', not nil",
		    "math.maxinteger + 1 == math.mininteger" };
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
	agrees("local t = setmetatable({}, {__index = function(_, k) return k .. '!' end}) return t.x",
	    true);
	agrees("local mt = {__add = function(a, b) return 42 end} return tostring(setmetatable({}, mt) + 1)", true);
	agrees("local C = {} C.__index = C function C.f() return 'f' end local o = setmetatable({}, C) return o.f()", true);
	random_patterns();
	expression("(function() local s = '' for k, v in pairs{3, 2, 1, z = 1, a = 2, [1.5] = 3, [true] = 1, [false] = 2, [-1] = 0} do "
	           "s = s .. tostring(k) .. ' ' end return s end)()", "-1 1 1.5 2 3 a z false true ");
	expression("(function() local t, s = {b = 1, a = 2, 9}, '' local k = next(t) while k do s = s .. tostring(k) .. ' ' k = next(t, k) end return s end)()", "1 a b ");
	expression("tostring(print) .. tostring({}) .. string.format('%s', math.sin)",
	    "functiontablefunction");
	expression("select(2, pcall(error, {}))", "expected a string");
	expression("string.match(select(2, pcall(pairs, {[{}] = 1})), 'it has no order')",
	    "it has no order");
}

int main(void)
{
	struct err e = ERR_INIT;
	setenv("INTERNEG_SHARE", ".", 0);
	node_isa_set(ISA_AUTO, &e);
	host = script_host_new();
	stock = luaL_newstate();
	luaL_openlibs(stock);
	expressions();
	strings();
	corpus();
	lua_close(stock);
	script_host_free(&host);
	TEST_END();
}
