/* script - declarations, traced pixel functions, compositions, frame functions, and equal keys.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "test.h"

#include <math.h>

#include "net.h"
#include "rng.h"
#include "script.h"

static atomic_int go;

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

/* --- declarations --- */

static void declared(const char *what, const char *text, const char *want)
{
	struct script_host *h = script_host_new();
	struct registry reg = { 0 };
	char *said = load_text(h, &reg, text);
	test_ok(want ? strstr(said, want) != NULL : said[0] == 0, "declaration: %s: %s", what, said[0]
	    ? said : "fine");
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
	declared("a list with a stranger", "return { node{ name='n', version=1, doc='d', " PX "}, 4 }",
	    "item 2");
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
	declared("double parameter", N("params={ {'a', 'float', 1}, {'a', 'int', 1} }, " PX),
	    "two parameters");
	declared("all types", N("params={ {'f', 'float', 1, 0, 2, 'x', doc='d'}, {'i', 'int', 2}, {'b', 'bool', true}, {'e', 'enum', 'y', choices='x|y'}, "
	         "{'s', 'string', 'hi'}, {'pa', 'path'}, {'c', 'colour', {1, 0.5, 0}}, {'v', 'vector', {1, 2}}, {'l', 'length', '2%h'}, {'l2', 'length', 3} }, " PX), NULL);
	declared("unknown trait", N("traits={'aii'}, " PX), "did you mean ai");
	declared("first input", N("inputs='over', " PX), "first input is called image");
	declared("mask in front", N("inputs='image mask? over', " PX), "mask? comes last");
	declared("pixel of three numbers", "return node{ name='n', version=1, doc='d',\n pixel=function(r, g, b) return r, g, b end }",
	    ":2: pixel is called as pixel(p, src)");
	declared("pixel of the inputs first", N("pixel=function(src, p) return src.image.r, 0, 0 end"),
	    "pixel is called as pixel(p, src)");
	declared("pixel without arguments", N("pixel=function() return 1, 1, 1 end"), NULL);
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
	x->f = (struct format){ .data = rect_of(0, 0, 64, 4), .display = rect_of(0, 0, 64, 4),
	    .par = { 1, 1 }, .first = 1, .last = 9,
		.space = colour_find("acescg"), .encoded = colour_find("acescg") };
	format_channels(&x->f, "R G B");
	x->v = arena_alloc(x->a, 1, t->size);
	params_default(t->params, x->v, x->a, 4);
	x->n = (struct node_ctx){ .type = t, .id = "t", .v = x->v, .nconn = nconn,
	    .in = { &x->f, &x->f }, .out = &x->f, .scale = 1,
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
	struct call c = { .n = &x->n, .frame = 5, .nin = x->n.nconn, .need = need, .in = views,
	    .out = &vo, .scratch = scratch, .cancel = &go, .err = &x->e };
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
	test_ok(want ? !ok && strstr(x.e.msg, want) : ok, "pixel: %s: %s", what, x.e.msg[0] ? x.e.msg
	    : "accepted");
	free(text);
	px_close(&x);
}

static void pixel_nodes(void)
{
	refused("plain", "return c.r, c.g, c.b", NULL);
	refused("a table", "return { r = c.b, g = 1, b = p.k }", NULL);
	refused("constant branch", "if p.i > 1 then return c.r, c.g, c.b end return c.b, c.g, c.r",
	    NULL);
	refused("loop over a constant", "local v = c.r for i = 1, p.i do v = v * 2 end return v, v, v",
	    NULL);
	refused("library", "local y = luma(c) return mix(c.r, y, p.k), smoothstep(0, 1, c.g), clamp(exp(log(abs(c.b) + 1)))", NULL);
	refused("negative powers", "return c.r ^ 2, c.g ^ 3, (c.b * c.b) ^ -0.5", NULL);
	refused("power by a parameter", "return c.r ^ p.k, abs(c.g) ^ p.k, c.b", NULL);
	refused("comparison", "if c.r > 1 then return 1, 1, 1 end return c.r, c.g, c.b",
	    ":4: pixel values cannot be compared");
	refused("comparison of two", "if c.r == c.g then return 1, 1, 1 end return c.r, c.g, c.b",
	    "cannot be compared");
	refused("hidden comparison", "if c.r == 0 then return 1, 1, 1 end return c.r, c.g, c.b",
	    "tracing loses something");
	refused("hidden branch on a parameter",
	    "if p.k == 1 then return 0, 0, 0 end return c.r, c.g, c.b", "tracing loses something");
	refused("type test", "if type(c.r) == 'number' then return 1, 1, 1 end return c.r, c.g, c.b",
	    "tracing loses something");
	refused("a message names the pixel",
	    "if math.type(c.r) then return c.r * 2, c.g, c.b end return c.r, c.g, c.b", "test pixel");
	refused("conversion", "if tonumber(c.r) then return 1, 1, 1 end return c.r, c.g, c.b",
	    "lua:2: tracing loses something: on test pixel 1 (r=0.25 g=0.25 b=-0.25 k=1) the function gives "
	    "r=1 with plain numbers but 0.25 when traced");
	refused("rawequal", "if rawequal(c.r, c.g) then return 0, 0, 0 end return c.r, c.g, c.b",
	    "gives r=0 with plain numbers but 1 when traced");
	refused("a comparison in pcall", "local ok, v = pcall(function() return c.r < 0.5 end)\n"
	    "if ok and v then return 0, 0, 0 end return c.r, c.g, c.b", "tracing loses something");
	refused("a table by value", "local t = { [0.5] = 5 } return c.r * (t[p.k] or 1), c.g, c.b",
	    "tracing loses something");
	refused("a text", "if tostring(c.r) == '0.0' then return 1, 1, 1 end return c.r, c.g, c.b",
	    "tracing loses something");
	refused("a loop over a value", "local n = 0 for i = 1, c.r do n = n + 1 end return n, c.g, c.b",
	    ":4: bad 'for' limit (number expected, got pixel value)");
	refused("a loop until a value", "local n = 0 while n < c.r do n = n + 1 end return n, c.g, c.b",
	    "cannot be compared");
	refused("equality with a rare number", "if c.g == 0.37251 then return 0, 0, 0 end return c.r, c.g, c.b",
	    "g=0.37251");
	refused("equality with a rare negative", "if c.g == -3.7e-3 then return 0, 0, 0 end return c.r, c.g, c.b",
	    "g=-0.0037");
	refused("a parameter equal to a rare number",
	    "if p.k == 0.37251 then return 0, 0, 0 end return c.r, c.g, c.b", "k=0.37251");
	refused("bits", "return c.r & 1, c.g, c.b", "no bit operations");
	refused("floor of a value", "return math.floor(c.r * 4) / 4, c.g // 0.25, c.b", NULL);
	refused("a channel of the inputs", "return src.r * 2, c.g, c.b", "write src.image.r");
	refused("an input that is not there", "if src.over then return 0, 0, 0 end return c.r, c.g, c.b", NULL);
	refused("no alpha", "return c.r, c.a, c.b", "channels=\"rgba\"");
	refused("missing result", "return c.r, c.g", "'b' is a nil");
	refused("sin", "return math.sin(c.r), 0, 0", "cannot be traced");
	refused("modulo", "return c.r % 1, 0, 0", "floor(x / m)");
	refused("string", "return c.r .. 'x', 0, 0", "a pixel value is a number");
	refused("too long", "local v = c.r for i = 1, 3000 do v = v * v + i end return v, v, v",
	    "2048 operations");
	refused("endless", "while true do end", "too many instructions");
	refused("nil arithmetic", "return c.r + nil, 0, 0", "arithmetic");

	static const char text[] = "return node{ name='n', version=1, doc='d', inputs='image over', params={ {'k', 'float', 0.5, 0, 1}, {'t', 'colour', {1, 2, 4}} },\n"
		"pixel=function(p, src)\n local a, b = src.image, src.over\n local y = a.r * 0.25 + a.g * 0.5 + a.b * 0.25\n"
		" return select(a.r, '<', 0.5, y, b.g * p.t.g) + p.k, sqrt(max(a.g, 0)) * p.t[3], floor(a.b * 4) / 4 - min(a.r, a.g, a.b) end }";
	struct px x;
	float in[768], out[768] = { 0 };
	for (int i = 0; i < 768; i++)
		in[i] = (float)(philox4x32((uint32_t)i, 0, 0, 0, 3, 3).c[0] * 0x1p-31) - 0.5f;
	bool ok = px_open(&x, text, 2);
	test_ok(ok, "two inputs, a colour: %s", x.e.msg);
	int bad = 0;
	if (ok) px_run(&x, in, out);
	for (int i = 0; i < 256; i++) {
		float r = in[i], g = in[256 + i], b = in[512 + i], y = r * 0.25f + g * 0.5f + b * 0.25f,
		    m = r < g ? r : g;
		m = m < b ? m : b;
		float wr = (r < 0.5f ? y : g * 2) + 0.5f, wg = sqrtf(g > 0 ? g : 0) * 4,
		    wb = (float)(int)(b * 4 + 100) / 4 - 25 - m;
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
	test_ok(mirrored && out[256 + 131] == in[256 + 131] + 5 && out[512 + 9] == in[512 + 9],
	    "frame: rows, points, untouched planes");
	px_close(&x);
	if (!px_open(&x, "return node{ name='n', version=1, doc='d', frame=function(p, src, out) src.image.r:set(0, 0, 1) end }", 1))
		test_ok(0, "opens");
	struct view v = { .r = x.f.data, .stride = 64, .nch = 3, .plane = { in, in + 256, in + 512 } },
	    o = v;
	for (int c = 0; c < 3; c++) o.plane[c] = out + c * 256;
	struct need need = { 0, 1, x.f.data };
	struct call c = { .n = &x.n, .nin = 1, .need = &need, .in = &v, .out = &o, .cancel = &go,
	    .err = &x.e };
	test_ok(x.n.type->frame(&c) < 0 && strstr(x.e.msg, "cannot be written"),
	    "frame: inputs are read-only: %s", x.e.msg);
	px_close(&x);
}

/* --- compositions in a real net --- */

static struct net *net_of(const char *script, const char *nodes, struct script_host **h,
                          struct scene **s, struct diags *d)
{
	char *file = script ? save("b.lua", script) : NULL;
	char *xml = xasprintf("<graph version=\"1\" fps=\"24\">%s%s%s<pattern id=\"src\" width=\"64\" height=\"48\" frames=\"4\"/>"
	                      "<pass id=\"one\" kind=\"look\">%s</pass></graph>",
	                      file ? "<script file=\"" : "", file ? file : "", file ? "\"/>" : "",
	                      nodes);
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

static void built(const char *what, const char *script, const char *nodes, const char *want,
                  int count)
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
	built("a chain", B("return g.blur{ g.blur{ src.image, sigma=p.radius }, sigma=1 }"), one, NULL,
	    2);
	built("nothing", B("return src.image"), one, NULL, 0);
	built("unknown type", B("return g.blurr{ src.image }"), one, "did you mean blur", 0);
	built("unknown parameter", B("return g.blur{ src.image, sgma=2 }"), one, "did you mean sigma",
	    0);
	built("wrong value", B("return g.blur{ src.image, sigma='wide' }"), one, "expected a length",
	    0);
	built("not a node", B("return 3"), one, "must return a node", 0);
	built("missing input", B("return g.blur{}"), one, "not connected", 0);
	built("a number as input", B("return g.blur{ 3 }"), one, "not a node", 0);
	built("hidden types", B("return g.pixel_program{ src.image }"), one, "no node type", 0);
	built("an error's line", B("\n\nerror('boom')"), one, "b.lua:4: boom", 0);
	built("itself", B("return g.glow{ src.image }"), one, "itself", 0);
	built("endless", B("while true do pcall(function() error('x') end) end"), one, "was stopped",
	    0);
	built("an animated one", B("return g.blur{ src.image, sigma=p.radius }"),
	    "<glow id=\"a\" in=\"src\" radius=\"{frame}\"/>", NULL, 1);
	built("one inside another", "return { node{ name='inner', version=1, doc='d', build=function(g, p, src) return g.blur{ src.image, sigma=1 } end },"
	      "node{ name='glow', version=1, doc='d', build=function(g, p, src) return g.inner{ g.inner{ src.image } } end } }", one, NULL, 2);
}

/* The key of the last node, in a host of its own; order and history of earlier calls must not
 * matter. */
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
	/* a build that goes over a table: with hash order its nodes would come in another order in
	 * every process */
	static const char script[] = "local sizes = { near=2, far=9, mid=4, huge=20, small=1 }\n"
		"return node{ name='glow', version=1, doc='d', params={ {'k', 'float', 1} }, build=function(g, p, src)\n"
		" local x = src.image for name, s in pairs(sizes) do x = g.blur{ x, sigma=s + p.k } end return x end }";
	char first[65], again[65], other[65], text[65];
	key_of(script, "<glow id=\"a\" in=\"src\"/>", first);
	key_of(script, "<glow id=\"a\" in=\"src\"/>", again);
	key_of(script, "<glow id=\"a\" in=\"src\" k=\"2\"/>", other);
	test_ok(strcmp(first, again) == 0 && strcmp(first, other) != 0,
	    "keys are equal in every state, and follow parameters");
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
	test_ok(d.n == 0 && a.nextra == 1 && b.nextra == 1 && a.extra[0] == b.extra[0],
	    "a file loaded again is the same file");
	h->load(h, &a, "nowhere.lua", "s.xml", 7, &d);
	test_ok(d.n == 1 && d.v[0].line == 7 && strcmp(d.v[0].file, "s.xml") == 0 &&
	    strstr(d.v[0].msg, "cannot open"), "missing: %s", d.n ? d.v[0].msg : "");
	h->load(h, &a, "/dev/zero", "s.xml", 7, &d);
	test_ok(d.n == 2 && strstr(d.v[1].msg, "is not a file"), "no file: %s", d.n > 1 ? d.v[1].msg
	    : "");
	diags_free(&d);
	free(a.extra);
	free(b.extra);
	free(path);
	script_host_free(&h);
}

/* A type of a script that did not load is told once, by the script; other unknown ones still are. */
static void broken_script(void)
{
	struct script_host *h;
	struct scene *s;
	struct diags d = { 0 };
	struct net *n = net_of("return node{ name=", "<glow id=\"a\" in=\"src\"/><blurr id=\"b\" in=\"a\"/>", &h, &s, &d);
	char *said = diag_text(&d);
	test_ok(!n && d.n == 2 && strstr(said, "unexpected symbol") && strstr(said, "unknown element <blurr>") &&
	    !strstr(said, "<glow>"), "a broken script is one finding: %s", said);
	free(said);
	if (s) scene_free(&s);
	script_host_free(&h);
	diags_free(&d);
}

int main(void)
{
	struct err e = ERR_INIT;
	setenv("INTERNEG_SHARE", ".", 0);
	node_isa_set(ISA_AUTO, &e);
	if (getenv("INTERNEG_KEYS")) return only_key();
	declarations();
	pixel_nodes();
	frame_nodes();
	compositions();
	keys();
	broken_script();
	files();
	char *left = xasprintf("%s/b.lua", test_tmp());
	unlink(left);
	memcpy(strrchr(left, '/') + 1, "f.lua", 6);
	unlink(left);
	free(left);
	rmdir(test_tmp());
	TEST_END();
}
