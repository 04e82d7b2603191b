/* pixprog - block programs: text round trip, validation, and the vector form against libm and
 * plain doubles.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "test.h"

#include <dlfcn.h>
#include <math.h>

#include "colour.h"
#include "mem.h"
#include "node.h"
#include "pixprog.h"
#include "rng.h"

enum { W = 700, H = 3 };
static atomic_int go;

struct rig { struct node_ctx n; struct format f; struct view in, out; float *ip[3],
    *op[3]; const struct node_type *t; };

static void rig_open(struct rig *g, const void *v, struct err *e)
{
	memset(g, 0, sizeof *g);
	g->t = node_type_find("pixel_program");
	g->f = (struct format){ .data = rect_of(0, 0, W, H), .display = rect_of(0, 0, W, H),
	    .par = { 1, 1 }, .first = 1, .last = 1 };
	format_channels(&g->f, "R G B");
	g->n = (struct node_ctx){ .type = g->t, .id = "t", .v = v, .nconn = 1, .in = { &g->f },
	    .out = &g->f, .scale = 1 };
	g->in.r = g->out.r = rect_of(0, 0, W, H);
	g->in.stride = g->out.stride = W;
	g->in.nch = g->out.nch = 3;
	for (int c = 0; c < 3; c++) {
		g->in.plane[c] = g->ip[c] = xalloc(W * H, sizeof(float));
		g->out.plane[c] = g->op[c] = xalloc(W * H, sizeof(float));
		for (int i = 0; i < W * H; i++)
			g->ip[c][i] = (float)(philox4x32((uint32_t)i, (uint32_t)c, 0, 0, 1,
			    2).c[0] * 0x1p-30) - 0.7f;
	}
	if (g->t->open(&g->n, e) < 0) g->t = NULL;
}

static void rig_run(struct rig *g, struct rect r)
{
	struct need need = { 0, 0, r };
	struct err e = ERR_INIT;
	struct view in = view_sub(&g->in, r), out = view_sub(&g->out, r);
	void *scratch = NULL;
	if (posix_memalign(&scratch, 64, g->t->scratch(&g->n, r) + 64)) abort();
	struct call c = { .n = &g->n, .nin = 1, .need = &need, .in = &in, .out = &out,
	    .scratch = scratch, .cancel = &go, .err = &e };
	if (g->t->tile(&c, r) < 0) test_ok(0, "tile failed");
	free(scratch);
}

static void rig_close(struct rig *g)
{
	if (g->t) g->t->close(&g->n);
	for (int c = 0; c < 3; c++) { free(g->ip[c]); free(g->op[c]); }
}

struct params { const char *program, *uniforms; };

static void text_form(void)
{
	struct err e = ERR_INIT;
	static const char good[] = "pixprog 1\nin 0 0\nconst 0.1\nadd 0 1\nuni 0\nmul 2 3\nlt 0 1 4 2\nout 5 4 2\n";
	struct pixprog *p = pixprog_parse(good, &e);
	char *text = p ? pixprog_print(p) : NULL;
	test_ok(p && strcmp(text, good) == 0, "text: parse and print are inverse %s", e.msg);
	free(text);
	pixprog_free(&p);
	static const char *const bad[][2] = {
		{ "", "begins with" }, { "pixprog 2\nout 0 0 0\n", "begins with" },
		    { "pixprog 1\n", "without 'out'" },
		{ "pixprog 1\nin 0 0\nadd 0 1\nout 0 0 0\n", "does not exist yet" },
		    { "pixprog 1\nin 0 0\nout 0 0 9\n", "no value" },
		{ "pixprog 1\nin 0 7\nout 0 0 0\n", "no input" },
		    { "pixprog 1\nfoo 0\nout 0 0 0\n", "no operation" },
		{ "pixprog 1\nin 0 0\nadd 0\nout 0 0 0\n", "takes 2" },
		    { "pixprog 1\nconst x\nout 0 0 0\n", "no number" },
		{ "pixprog 1\nin 0 0\nin 0 0\nout 0 0 0\n", "twice" },
		    { "pixprog 1\nin 0 0\nout 0\n", "3 or 4 outputs" },
		{ "pixprog 1\nuni 5000\nout 0 0 0\n", "uniforms" },
		    { "pixprog 1\nin -1 0\nout 0 0 0\n", "no index" } };
	for (size_t i = 0; i < IN_COUNT(bad); i++) {
		err_clear(&e);
		p = pixprog_parse(bad[i][0], &e);
		test_ok(!p && strstr(e.msg, bad[i][1]), "text: refuses #%d: %s", (int)i, e.msg);
		pixprog_free(&p);
	}
}

static void equal_operations(void)
{
	struct pixprog *p = pixprog_new();
	uint16_t none[4] = { 0 };
	int a = pixprog_add(p, PP_IN, none, 0), b = pixprog_add(p, PP_IN, none, 7);
	uint16_t ab[4] = { (uint16_t)a, (uint16_t)b };
	int s = pixprog_add(p, PP_ADD, ab, 0), s2 = pixprog_add(p, PP_ADD, ab, 0);
	int z = pixprog_add(p, PP_CONST, none, 0.0), m = pixprog_add(p, PP_CONST, none, -0.0);
	test_ok(a == b && s == s2 && p->n == 4 && z != m, "equal operations are one, 0 and -0 are two");
	pixprog_free(&p);
}

static double rel(double a, double b)
{
	if (isnan(a) || isnan(b)) return isnan(a) && isnan(b) ? 0 : 1;
	if (a == b) return 0;
	double m = fabs(a) > fabs(b) ? fabs(a) : fabs(b);
	return fabs(a - b) / (m > 1e-30 ? m : 1e-30);
}

/* libm itself: by its handle, because the program puts its own functions under libm's names. */
static void *libm(const char *name)
{
	static void *lib;
	if (!lib) lib = dlopen("libm.so.6", RTLD_NOW);
	void *f = lib ? dlsym(lib, name) : NULL;
	if (!f) { test_ok(0, "libm has no %s", name); exit(1); }
	return f;
}
static double libm1(const char *name, double x)
{
	double (*f)(double);
	void *p = libm(name);
	memcpy(&f, &p, sizeof f);
	return f(x);
}
static double libm2(const char *name, double x, double y)
{
	double (*f)(double, double);
	void *p = libm(name);
	memcpy(&f, &p, sizeof f);
	return f(x, y);
}

/* libm is the oracle: nobody here wrote it. */
static void against_libm(void)
{
	static const struct { const char *op, *f; int arity; } ops[] = {
		{ "add", "", 2 }, { "pow", "pow", 2 }, { "exp2", "exp2", 1 }, { "log2", "log2", 1 },
		    { "floor", "floor", 1 },
		{ "sqrt", "sqrt", 1 }, { "abs", "fabs", 1 }, { "neg", "", 1 }, { "div", "", 2 },
		    { "min", "fmin", 2 },
		{ "max", "fmax", 2 } };
	for (size_t k = 0; k < IN_COUNT(ops); k++) {
		char text[200];
		struct err e = ERR_INIT;
		struct rig g;
		snprintf(text, sizeof text, "pixprog 1\nin 0 0\nin 0 1\n%s 0%s\nout 2 2 2\n", ops[k].op,
		    ops[k].arity == 2 ? " 1" : "");
		rig_open(&g, &(struct params){ text, "" }, &e);
		double worst = g.t ? 0 : 9;
		if (g.t) rig_run(&g, rect_of(0, 0, W, H));
		for (int i = 0; g.t && i < W * H; i++) {
			double a = (double)g.ip[0][i], b = (double)g.ip[1][i], want;
			if (k == 0) want = a + b;
			else if (k == 7) want = -a;
			else if (k == 8) want = a / b;
			else want = ops[k].arity == 1 ? libm1(ops[k].f, a) : libm2(ops[k].f, a, b);
			double r = rel(want, (double)g.op[0][i]);
			if (k == 3 && fabs(want) < 1e-3) r = fabs(want - (double)g.op[0][i]);
			if (r > worst) worst = r;
		}
		test_ok(worst < 3e-7, "%s agrees with libm (worst %.2g)", ops[k].op, worst);
		rig_close(&g);
	}
}

/* Integer exponents below zero, special values. */
static void powers(void)
{
	static const float base[] = { -2, -2, -2, -0.5f, 0, 0, 3, -3 };
	static const char *const expo[] = { "3", "2", "-1", "0.5", "2", "0", "0", "0" };
	for (int i = 0; i < 8; i++) {
		char text[160];
		struct err e = ERR_INIT;
		struct rig g;
		snprintf(text, sizeof text, "pixprog 1\nin 0 0\nuni 0\npow 0 1\nout 2 2 2\n");
		rig_open(&g, &(struct params){ text, expo[i] }, &e);
		g.ip[0][0] = base[i];
		rig_run(&g, rect_of(0, 0, W, H));
		double want = libm2("pow", (double)base[i], atof(expo[i]));
		test_ok(rel(want, (double)g.op[0][0]) < 1e-6, "pow(%g, %s) = %g, here %g", (double)base[i],
		    expo[i], want, (double)g.op[0][0]);
		rig_close(&g);
	}
}

/* The plain meaning in single floats, one pixel. */
static float plain(const struct pixprog *p, const float in[3], const float *uni, int out)
{
	float v[PP_MAX_OPS];
	for (int i = 0; i < p->n; i++) {
		const struct pp_ins *o = &p->ins[i];
		float a = v[o->arg[0]], b = v[o->arg[1]], c = v[o->arg[2]], d = v[o->arg[3]];
		switch ((enum pp_op)o->op) {
		case PP_IN: v[i] = in[o->arg[1]]; break;
		case PP_CONST: v[i] = (float)o->imm; break;
		case PP_UNI: v[i] = uni[o->arg[0]]; break;
		case PP_ADD: v[i] = a + b; break;
		case PP_SUB: v[i] = a - b; break;
		case PP_MUL: v[i] = a * b; break;
		case PP_DIV: v[i] = a / b; break;
		case PP_MIN: v[i] = a < b ? a : b; break;
		case PP_MAX: v[i] = a > b ? a : b; break;
		case PP_ABS: v[i] = a < 0 ? -a : a; break;
		case PP_NEG: v[i] = -a; break;
		case PP_SQRT: v[i] = sqrtf(a); break;
		case PP_FLOOR: v[i] = floorf(a); break;
		case PP_LT: v[i] = a < b ? c : d; break;
		case PP_LE: v[i] = a <= b ? c : d; break;
		default: v[i] = a == b ? c : d;
		}
	}
	return v[p->out[out]];
}

enum { NUNI = 6 };
static const float uniforms[NUNI] = { 0.5f, 1.25f, -3, 0.01f, 2, -0.75f };

static uint16_t add2(struct pixprog *p, enum pp_op op, uint32_t a, uint32_t b)
{
	return (uint16_t)pixprog_add(p, op, (uint16_t[4]){ (uint16_t)a, (uint16_t)b }, 0);
}

/* A few operations as pixel functions have them; a and b: values, u: the first of some uniforms. */
static void phrase(struct pixprog *p, uint32_t kind, uint32_t a, uint32_t b, uint32_t u)
{
	uint16_t x;
	switch (kind % 7) {
	case 0: add2(p, PP_MAX, add2(p, PP_ADD, add2(p, PP_MUL, a, u), u + 1), u + 2); break;
	case 1: x = add2(p, PP_ADD, b, add2(p, PP_MUL, add2(p, PP_SUB, a, b), u));
		if (kind & 64) add2(p, PP_ADD, add2(p, PP_MUL, add2(p, PP_SUB, x, u + 1), u + 2), u + 1);
		break;
	case 2: add2(p, PP_ADD, add2(p, PP_MUL, add2(p, PP_SUB, a, u), u + 1), u); break;
	case 3: x = add2(p, PP_ADD, add2(p, PP_MUL, a, u), add2(p, PP_MUL, b, u + 1));
		add2(p, kind & 64 ? PP_ADD : PP_SUB, x, add2(p, PP_MUL, 2, u + 2));
		break;
	case 4: add2(p, PP_MIN, add2(p, PP_MAX, a, u), u + 1); break;
	case 5: x = add2(p, PP_MUL, add2(p, PP_ABS, a, 0), kind & 64 ? b : u);
		x = add2(p, PP_ADD, add2(p, PP_MUL, add2(p, PP_SUB, x, b), kind & 64 ? u : a), b);
		add2(p, kind & 256 ? PP_ADD : PP_SUB, add2(p, PP_MUL, a, b), add2(p, PP_FLOOR, x, 0));
		break;
	default: add2(p, PP_ADD, add2(p, PP_MUL, add2(p, PP_MAX, a, b), u), u + 1);
	}
}

static struct pixprog *random_program(uint32_t seed)
{
	static const enum pp_op safe[] = { PP_ADD, PP_SUB, PP_MUL, PP_DIV, PP_MIN, PP_MAX, PP_ABS, PP_LT,
	    PP_LE, PP_EQ, PP_NEG, PP_SQRT, PP_FLOOR };
	struct pixprog *p = pixprog_new();
	int len = 12 + (int)(seed % 4) * 36;
	for (uint16_t c = 0; c < 3; c++) pixprog_add(p, PP_IN, (uint16_t[4]){ 0, c }, 0);
	for (uint16_t u = 0; u < NUNI; u++) pixprog_add(p, PP_UNI, (uint16_t[4]){ u }, 0);
	pixprog_add(p, PP_CONST, (uint16_t[4]){ 0 }, 0.375);
	for (uint32_t i = 0; p->n < len; i++) {
		struct philox r = philox4x32(i, seed, 0, 0, 5, 6);
		uint16_t arg[4];
		/* mostly fresh values, so that some are read once; now and then any */
		for (int k = 0; k < 4; k++) {
			uint32_t near = (r.c[k] >> 8) % 5, any = (r.c[k] >> 8) % (uint32_t)p->n;
			arg[k] = (uint16_t)(r.c[k] >> 30 ? (uint32_t)p->n - 1 - near : any);
		}
		if (r.c[1] & 128) phrase(p, r.c[0], arg[0], arg[1], 3 + r.c[2] % 4);
		else pixprog_add(p, safe[r.c[0] % IN_COUNT(safe)], arg, 0);
	}
	p->nout = 3;
	for (int k = 0; k < 3; k++) p->out[k] = (uint16_t)(p->n - 1 - k * (int)(seed % 3));
	return p;
}

struct tally { int bad, differ, place, regs; bool seen[PS_NOPS]; };

/* Where the output lies in the planes of the input. */
static int in_place_differs(struct rig *g)
{
	int bad = 0;
	struct view out = g->out;
	rig_run(g, rect_of(0, 0, W, H));
	g->out = g->in;
	rig_run(g, rect_of(0, 0, W, H));
	g->out = out;
	for (int c = 0; c < 3; c++)
		for (int i = 0; i < W * H; i++)
			bad += !isnan(g->op[c][i]) && memcmp(&g->op[c][i], &g->ip[c][i], sizeof(float)) != 0;
	return bad;
}

static void one_random(uint32_t seed, struct tally *t)
{
	struct pixprog *p = random_program(seed);
	struct err e = ERR_INIT;
	struct rig g;
	char *text = pixprog_print(p), uni[80] = "0.5 1.25 -3 0.01 2 -0.75";
	rig_open(&g, &(struct params){ text, uni }, &e);
	const struct pp_code *code = ((const struct pp_run *)g.n.state)->code;
	if (code->nreg > t->regs) t->regs = code->nreg;
	for (int i = 0; i < code->nbody; i++) t->seen[code->body[i].op] = true;
	rig_run(&g, rect_of(0, 0, W, H));
	for (int i = 0; i < W * H; i += 7) {
		const float in[3] = { g.ip[0][i], g.ip[1][i], g.ip[2][i] };
		for (int c = 0; c < 3; c++) {
			float want = plain(p, in, uniforms, c), got = g.op[c][i];
			if (!(want == got || (isnan(want) && isnan(got)))) t->bad++;
		}
	}
	float *whole = xalloc(W * H, sizeof *whole);
	memcpy(whole, g.op[1], W * H * sizeof *whole);
	memset(g.op[1], 0x55, W * H * sizeof *whole);
	for (int x = 0; x < W; x += 37) rig_run(&g, rect_of(x, 0, x + 37 < W ? x + 37 : W, H));
	for (int i = 0; i < W * H; i++)
		t->differ += !isnan(whole[i]) && memcmp(&whole[i], &g.op[1][i], sizeof *whole) != 0;
	free(whole);
	t->place += in_place_differs(&g);
	free(text);
	rig_close(&g);
	pixprog_free(&p);
}

/* Long random programs: plain floats against the vector form, and any tiling against the whole; every kind of step
 * occurs. */
static void random_programs(void)
{
	struct tally t = { 0 };
	for (uint32_t seed = 0; seed < 300; seed++) one_random(seed, &t);
	int missing = 0;
	for (int op = PS_LOAD; op < PS_POW; op++)
		if (!t.seen[op]) { missing++; printf("# no step of kind %d\n", op); }
	test_ok(t.bad == 0, "random programs: the vector form is the plain one (%d differ)", t.bad);
	test_ok(t.differ == 0, "random programs: any tiling gives the same bits");
	test_ok(t.place == 0, "random programs: in place the same bits (%d differ)", t.place);
	test_ok(missing == 0, "random programs: every kind of step (%d missing)", missing);
	test_ok(t.regs < 100, "registers are reused (%d for 120 operations)", t.regs);
}

static void same_bits_everywhere(void)
{
	static const char text[] = "pixprog 1\nin 0 0\nabs 0\nuni 0\npow 1 2\nin 0 1\nmul 3 4\nlog2 1\nexp2 4\nadd 6 7\nx\ny\nmul 9 10\nout 5 8 11\n";
	float *first = NULL;
	for (int isa = ISA_BASELINE; isa <= ISA_AVX512; isa++) {
		struct err e = ERR_INIT;
		struct rig g;
		if (node_isa_set((enum isa)isa, &e) < 0) { test_skip("isa %d: %s", isa, e.msg); continue; }
		rig_open(&g, &(struct params){ text, "2.2" }, &e);
		rig_run(&g, rect_of(0, 0, W, H));
		if (!first) {
			first = xalloc(3 * W * H, sizeof *first);
			for (int c = 0; c < 3; c++) memcpy(first + c * W * H, g.op[c], W * H * sizeof(float));
		} else {
			int d = 0;
			for (int c = 0; c < 3; c++)
				d |= memcmp(first + c * W * H, g.op[c], W * H * sizeof(float));
			test_ok(d == 0, "%s gives the baseline's bits", node_isa_name());
		}
		rig_close(&g);
	}
	free(first);
	node_isa_set(ISA_AUTO, NULL);
}

static void limits(void)
{
	struct err e = ERR_INIT;
	struct pixprog *p = pixprog_new();
	int last = 0;
	uint16_t in[4] = { 0 };
	pixprog_add(p, PP_IN, in, 0);
	for (int i = 0; i < 300; i++) {
		int c = pixprog_add(p, PP_CONST, in, i);
		pixprog_add(p, PP_ADD, (uint16_t[4]){ 0, (uint16_t)c }, 0);
	}
	for (int i = 0; i < 300; i++) {
		uint16_t arg[4] = { (uint16_t)last, (uint16_t)(2 + 2 * i) };
		last = pixprog_add(p, PP_MUL, arg, 0);
	}
	p->nout = 3;
	p->out[0] = p->out[1] = p->out[2] = (uint16_t)last;
	struct pp_code *c = pp_compile(p, &e);
	test_ok(!c && strstr(e.msg, "values live"), "too many live values: %s", e.msg);
	pp_code_free(&c);
	for (int i = 0; last >= 0 && i < 3000; i++) last = pixprog_add(p, PP_CONST, in, -1.0 - i);
	test_ok(last < 0, "too many operations are refused");
	pixprog_free(&p);
}

int main(void)
{
	struct err e = ERR_INIT;
	node_isa_set(ISA_AUTO, &e);
	text_form();
	equal_operations();
	against_libm();
	powers();
	random_programs();
	limits();
	same_bits_everywhere();
	TEST_END();
}
