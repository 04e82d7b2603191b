/* script_trace - pixel functions: called once with values that record what is done to them,
 * checked against plain numbers, and compiled into a block program.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "script_int.h"

#include <lauxlib.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "mathx.h"
#include "rng.h"

#define EXPR "interneg.expr"
enum { CHECK_PIXELS = 256, MAX_LITERALS = 64 };

struct trace { struct pixprog *prog; };

bool trace_is(lua_State *L, int idx)
{
	return lua_type(L, idx) == LUA_TUSERDATA && luaL_testudata(L, idx, EXPR) != NULL;
}

static void push_value(lua_State *L, int index)
{
	int *v = lua_newuserdatauv(L, sizeof *v, 0);
	*v = index;
	luaL_setmetatable(L, EXPR);
}

static int emit(lua_State *L, enum pp_op op, const uint16_t arg[4], double imm)
{
	struct trace *t = vm_of(L)->trace;
	if (!t) return luaL_error(L, "a traced value is used outside its pixel function");
	int v = pixprog_add(t->prog, op, arg, imm);
	if (v < 0) return luaL_error(L, "the pixel function does more than %d operations", PP_MAX_OPS);
	return v;
}

/* A traced value's number, or a constant. */
static uint16_t operand(lua_State *L, int idx)
{
	static const uint16_t none[4];
	if (trace_is(L, idx)) return (uint16_t)*(int *)lua_touserdata(L, idx);
	if (lua_type(L, idx) != LUA_TNUMBER)
		luaL_error(L, "arithmetic on a pixel value and a %s", luaL_typename(L, idx));
	return (uint16_t)emit(L, PP_CONST, none, lua_tonumber(L, idx));
}

/* x^n for small whole n is a product, which also holds below zero. */
static bool whole_power(lua_State *L, int idx)
{
	if (!lua_isnumber(L, idx + 1) || trace_is(L, idx + 1)) return false;
	double y = lua_tonumber(L, idx + 1);
	if (y != mx_floor(y) || y < 1 || y > 16) return false;
	uint16_t base = operand(L, idx), pair[4] = { base, base };
	int value = -1;
	for (unsigned n = (unsigned)y; n; n >>= 1) {
		if (n & 1) {
			uint16_t both[4] = { (uint16_t)value, pair[0] };
			value = value < 0 ? pair[0] : emit(L, PP_MUL, both, 0);
		}
		if (n > 1) pair[0] = pair[1] = (uint16_t)emit(L, PP_MUL, pair, 0);
	}
	push_value(L, value);
	return true;
}

int trace_op(lua_State *L, enum pp_op op, int idx, int n)
{
	uint16_t arg[4] = { 0 };
	if (op == PP_POW && whole_power(L, idx)) return 1;
	for (int i = 0; i < n; i++) arg[i] = operand(L, idx + i);
	push_value(L, emit(L, op, arg, 0));
	return 1;
}

static int m_add(lua_State *L) { return trace_op(L, PP_ADD, 1, 2); }
static int m_sub(lua_State *L) { return trace_op(L, PP_SUB, 1, 2); }
static int m_mul(lua_State *L) { return trace_op(L, PP_MUL, 1, 2); }
static int m_div(lua_State *L) { return trace_op(L, PP_DIV, 1, 2); }
static int m_pow(lua_State *L) { return trace_op(L, PP_POW, 1, 2); }
static int m_unm(lua_State *L) { return trace_op(L, PP_NEG, 1, 1); }

static int m_idiv(lua_State *L)
{
	trace_op(L, PP_DIV, 1, 2);
	return trace_op(L, PP_FLOOR, lua_gettop(L), 1);
}

static int m_compare(lua_State *L)
{
	return luaL_error(L, "pixel values cannot be compared (the function is traced, not run per pixel): "
	                  "use select(a, \"<\", b, yes, no), min or max");
}

static int m_mod(lua_State *L)
{
	return luaL_error(L, "%% on pixel values: write x - floor(x / m) * m");
}

static int m_bits(lua_State *L)
{
	return luaL_error(L, "a pixel value is no whole number: no bit operations");
}

static int m_other(lua_State *L)
{
	return luaL_error(L, "a pixel value is a number: it has no fields, length or text, and cannot be called");
}

/* cond(a, op, b, yes, no) of the prelude. */
int trace_select(lua_State *L)
{
	const char *op = luaL_checkstring(L, 2);
	bool swap = op[0] == '>', negate = op[0] == '~';
	uint16_t a = operand(L, 1), b = operand(L, 3), yes = operand(L, 4), no = operand(L, 5);
	uint16_t arg[4] = { swap ? b : a, swap ? a : b, negate ? no : yes, negate ? yes : no };
	enum pp_op o = op[0] == '=' || negate ? PP_EQ : op[1] == '=' ? PP_LE : PP_LT;
	push_value(L, emit(L, o, arg, 0));
	return 1;
}

void open_trace(lua_State *L)
{
	static const luaL_Reg meta[] = {
		{ "__add", m_add }, { "__sub", m_sub }, { "__mul", m_mul }, { "__div", m_div },
		    { "__pow", m_pow },
		{ "__unm", m_unm }, { "__idiv", m_idiv }, { "__mod", m_mod }, { "__lt", m_compare },
		    { "__le", m_compare },
		{ "__eq", m_compare }, { "__concat", m_other }, { "__len", m_other },
		    { "__index", m_other },
		{ "__newindex", m_other }, { "__call", m_other },
		{ "__band", m_bits }, { "__bor", m_bits }, { "__bxor", m_bits }, { "__bnot", m_bits },
		{ "__shl", m_bits }, { "__shr", m_bits }, { NULL, NULL } };
	luaL_newmetatable(L, EXPR);
	luaL_setfuncs(L, meta, 0);
	lua_pushstring(L, "pixel value");
	lua_pushvalue(L, -1);
	lua_setfield(L, -3, "__name");
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

/* --- one trace --- */

struct job {
	const struct script_type *st;
	const struct node_ctx *n;
	struct pixprog *prog;
};

/* How many uniforms a parameter is; 0: a constant of the trace. */
static int uniforms_of(const struct param *p)
{
	switch (p->type) {
	case PT_FLOAT: case PT_LENGTH: return 1;
	case PT_COLOUR: case PT_VEC: return p->n;
	default: return 0;
	}
}

static void push_uniform(lua_State *L, int index, const double *plain)
{
	uint16_t arg[4] = { (uint16_t)index };
	if (plain) { lua_pushnumber(L, plain[index]); return; }
	if (index >= PP_MAX_UNI)
		luaL_error(L, "a pixel node has at most %d number parameters", PP_MAX_UNI);
	push_value(L, emit(L, PP_UNI, arg, 0));
}

/* p: uniforms are traced, or numbers when plain is given; the others are the instance's
 * constants. */
static void push_params(lua_State *L, const struct job *j, const double *plain)
{
	static const char *const rgb[3] = { "r", "g", "b" };
	int uni = 0;
	vm_params(L, j->n);
	for (const struct param *p = j->st->type.params; p->name; p++) {
		int n = uniforms_of(p);
		if (n == 1 && p->type != PT_VEC) push_uniform(L, uni, plain);
		else if (n) {
			lua_newtable(L);
			for (int i = 0; i < n; i++) {
				push_uniform(L, uni + i, plain);
				if (p->type == PT_COLOUR) {
					lua_pushvalue(L, -1);
					lua_setfield(L, -3, rgb[i]);
				}
				lua_rawseti(L, -2, i + 1);
			}
		}
		if (n) lua_setfield(L, -2, p->name);
		uni += n;
	}
}

static void push_leaf(lua_State *L, enum pp_op op, const double *plain)
{
	static const uint16_t none[4];
	if (plain) lua_pushnumber(L, *plain);
	else push_value(L, emit(L, op, none, 0));
}

static int no_channel(lua_State *L)
{
	return luaL_error(L, "no channel '%s' here: pixel functions see r, g, b, and a with channels=\"rgba\"",
	                  vm_tostring(L, 2));
}

static void push_source(lua_State *L, const struct job *j, int conn, const struct pp_pixel *plain)
{
	static const char *const names[4] = { "r", "g", "b", "a" };
	lua_createtable(L, 0, 4);
	for (int c = 0; c < (j->st->rgba ? 4 : 3); c++) {
		uint16_t arg[4] = { (uint16_t)conn, (uint16_t)c };
		if (plain) lua_pushnumber(L, plain->in[conn][c]);
		else push_value(L, emit(L, PP_IN, arg, 0));
		lua_setfield(L, -2, names[c]);
	}
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, no_channel);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

static int no_input(lua_State *L)
{
	const char *name = vm_tostring(L, 2);
	if (strlen(name) == 1 && strchr("rgba", name[0]))
		return luaL_error(L, "the second argument of pixel holds the inputs: write src.image.%s", name);
	lua_pushnil(L);                      /* an optional input that is not connected */
	return 1;
}

static void push_sources(lua_State *L, const struct job *j, const struct pp_pixel *plain)
{
	struct slot slot[NODE_MAX_SLOTS];
	int n = node_slots(&j->st->type, slot);
	lua_newtable(L);
	for (int i = 0; i < n; i++) {
		if (strcmp(slot[i].name, "mask") == 0 || i >= j->n->nconn || !j->n->in[i]) continue;
		push_source(L, j, i, plain);
		lua_setfield(L, -2, slot[i].name);
	}
	push_leaf(L, PP_X, plain ? &plain->x : NULL);
	lua_setfield(L, -2, "x");
	push_leaf(L, PP_Y, plain ? &plain->y : NULL);
	lua_setfield(L, -2, "y");
	if (j->st->time) {
		push_leaf(L, PP_FRAME, plain ? &plain->frame : NULL);
		lua_setfield(L, -2, "frame");
	}
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, no_input);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

/* Calls pixel(p, src); leaves its 3 or 4 results at the top, their number returned. */
static int call_pixel(lua_State *L, const struct job *j, const struct pp_pixel *plain)
{
	static const char *const names[4] = { "r", "g", "b", "a" };
	int base = lua_gettop(L);
	vm_decl(L, j->st->index, "pixel");
	push_params(L, j, plain ? plain->uni : NULL);
	push_sources(L, j, plain);
	lua_call(L, 2, 4);
	if (lua_istable(L, base + 1)) {
		for (int c = 0; c < 4; c++) lua_getfield(L, base + 1, names[c]);
		for (int c = 0; c < 4; c++) lua_remove(L, base + 1);
	}
	int n = lua_isnil(L, base + 4) ? 3 : 4;
	if (n == 4 && !j->st->rgba) luaL_error(L, "pixel returns alpha: declare channels=\"rgba\"");
	lua_settop(L, base + n);
	for (int c = 1; c <= n; c++)
		if (!trace_is(L, base + c) && lua_type(L, base + c) != LUA_TNUMBER)
			luaL_error(L, "pixel must return {r=, g=, b=} or three values; '%s' is a %s",
			    names[c - 1],
			           luaL_typename(L, base + c));
	return n;
}

static double unit(uint32_t w) { return (double)w * 0x1p-32; }

/* The fixed test pixels: special values, greys, a wide positive range, negatives; exact in single
 * precision. */
static double pixel_value(int i, int conn, int c)
{
	static const double special[8] = { 0, 1, 0.5, -0.25, 2, 0.25, 16, 0.0009765625 };
	if (i % 4 == 0 && c < 3) c = 0;
	uint32_t w = philox4x32((uint32_t)i, (uint32_t)c, (uint32_t)conn, 0, 0x696e7465,
	    0x726e6567).c[0];
	if (c == 3) return i % 5 == 0 ? i & 1 : (double)(float)unit(w);
	if (i < 48) return special[w >> 29];
	if (i % 3 == 0) return (double)(float)(2.0 * unit(w) - 0.5);
	if (i % 3 == 1) return (double)(float)mx_exp2(16.0 * unit(w) - 10.0);
	return (double)(float)unit(w);
}

static double uniform_value(const struct param *p, int k, int i, int index)
{
	double lo = p->min > -1e4 ? p->min : -1e4, hi = p->max < 1e4 ? p->max : 1e4, v = p->def[k];
	uint32_t w = philox4x32((uint32_t)i, (uint32_t)index, 1, 0, 0x696e7465, 0x726e6567).c[1];
	if (i % 4 == 1) v = i & 8 ? lo : hi;
	if (i % 4 == 2) v = lo + (hi - lo) * unit(w);
	if (i % 4 == 3) v = i & 4 ? 0 : 1;
	v = v < lo ? lo : v > hi ? hi : v;
	return (double)(float)v;
}

static void check_pixel(const struct job *j, int i, double in[][4], double *uni,
                        struct pp_pixel *px)
{
	int k = 0;
	for (int conn = 0; conn < j->n->nconn; conn++)
		for (int c = 0; c < 4; c++) in[conn][c] = pixel_value(i, conn, c);
	for (const struct param *p = j->st->type.params; p->name; p++)
		for (int c = 0; c < uniforms_of(p) && k < PP_MAX_UNI; c++, k++)
			uni[k] = uniform_value(p, c, i, k);
	*px = (struct pp_pixel){ .in = (const double (*)[4])in, .uni = uni, .x = 17 * (i % 16) + 0.5,
	                         .y = 9 * (i / 16) + 0.5, .frame = i + 1 };
}

static bool agree(double a, double b)
{
	if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
	if (isinf(a) || isinf(b)) return a == b;
	double m = fabs(a) > fabs(b) ? fabs(a) : fabs(b);
	return fabs(a - b) <= 1e-4 * m + 1e-9;
}

static void disagree(lua_State *L, const struct job *j, const struct pp_pixel *px, int i, int c,
                     double plain, double traced)
{
	char who[320], a[40], b[40];
	int n = snprintf(who, sizeof who, "r=%.6g g=%.6g b=%.6g", px->in[0][0], px->in[0][1],
	    px->in[0][2]);
	int k = 0;
	for (const struct param *p = j->st->type.params; p->name && n < 240; k += uniforms_of(p), p++)
		if (uniforms_of(p) == 1)
			n += snprintf(who + n, sizeof who - (size_t)n, " %.40s=%.6g", p->name, px->uni[k]);
	mx_print(plain, a);
	mx_print(traced, b);
	luaL_error(L, "tracing loses something: on test pixel %d (%s) the function gives %c=%s with "
	           "plain numbers but %s when traced; a branch or comparison on a pixel value or "
	           "number parameter cannot be traced: use select(a, \"<\", b, yes, no), min or max", i,
	           who, "rgba"[c], a, b);
}

static void check_one(lua_State *L, const struct job *j, const struct pp_pixel *px, int i)
{
	double out[4];
	int base = lua_gettop(L), n = call_pixel(L, j, px);
	pixprog_eval(j->prog, px, out);
	if (n != j->prog->nout) luaL_error(L, "pixel returns alpha for some pixels only");
	for (int c = 0; c < n; c++)
		if (!agree(lua_tonumber(L, base + 1 + c), out[c]))
			disagree(L, j, px, i, c, lua_tonumber(L, base + 1 + c), out[c]);
	lua_settop(L, base);
}

/* The numbers in the script's text, each once: a branch on equality with one shows on no other pixel. */
static int literals(const struct script_file *f, double v[MAX_LITERALS])
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
	int n = 0;
	for (const char *s = f->text; *s && n < MAX_LITERALS; ) {
		size_t len = strspn(s, word);
		bool number = (*s >= '0' && *s <= '9') || *s == '.';
		/* the sign of an exponent belongs to the number */
		if (number && len && strchr("eEpP", s[len - 1]) && (s[len] == '-' || s[len] == '+'))
			len += 1 + strspn(s + len + 1, word);
		char text[64];
		if (number && len < sizeof text) {
			memcpy(text, s, len);
			text[len] = 0;
			bool known = mx_parse(text, &v[n]) < 0 || !isfinite(v[n]);
			for (int i = 0; i < n; i++) known |= v[i] == v[n];
			n += !known;
		}
		s += len ? len : 1;
	}
	return n;
}

static void check_trace(lua_State *L, const struct job *j)
{
	double in[NODE_MAX_CONN][4], uni[PP_MAX_UNI] = { 0 }, v[MAX_LITERALS];
	struct pp_pixel px;
	for (int i = 0; i < CHECK_PIXELS; i++) {
		check_pixel(j, i, in, uni, &px);
		check_one(L, j, &px, i);
	}
	int n = literals(j->st->file, v);
	for (int i = 0; i < 4 * n; i++) {
		double x = i & 1 ? -v[i / 4] : v[i / 4];
		int k = 0;
		check_pixel(j, 0, in, uni, &px);
		for (int c = 0; !(i & 2) && c < 3 * j->n->nconn; c++) in[c / 3][c % 3] = x;
		for (const struct param *p = j->st->type.params; (i & 2) && p->name; p++)
			for (int c = 0; c < uniforms_of(p) && k < PP_MAX_UNI; c++, k++)
				if (x >= p->min && x <= p->max) uni[k] = x;
		check_one(L, j, &px, CHECK_PIXELS + i);
	}
}

/* Errors that no line of the script raises are told with the function's own. */
static void set_line(lua_State *L, const struct job *j)
{
	lua_Debug ar;
	vm_decl(L, j->st->index, "pixel");
	if (lua_getinfo(L, ">S", &ar)) vm_of(L)->decl_line = ar.linedefined;
}

static int trace_entry(lua_State *L)
{
	struct script_vm *vm = vm_of(L);
	struct job *j = vm->call;
	struct trace t = { j->prog };
	set_line(L, j);
	vm->trace = &t;
	int n = call_pixel(L, j, NULL);
	for (int c = 0; c < n; c++) j->prog->out[c] = operand(L, lua_gettop(L) - n + 1 + c);
	j->prog->nout = n;
	vm->trace = NULL;
	lua_settop(L, 0);
	check_trace(L, j);
	return 0;
}

/* --- programs traced so far --- */

struct traced { struct traced *next; struct key key; struct pixprog *prog; struct pp_code *code; };
struct trace_cache { pthread_mutex_t lock; struct traced *first; };

struct trace_cache *trace_cache_new(void)
{
	struct trace_cache *c = xalloc(1, sizeof *c);
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void trace_cache_free(struct trace_cache **c)
{
	if (!*c) return;
	for (struct traced *t = (*c)->first, *next; t; t = next) {
		next = t->next;
		pixprog_free(&t->prog);
		pp_code_free(&t->code);
		free(t);
	}
	pthread_mutex_destroy(&(*c)->lock);
	free(*c);
	*c = NULL;
}

/* What a trace depends on beside the source: constant parameters, which inputs there are, the
 * luma weights. */
static struct key trace_key(const struct job *j, const double luma[3])
{
	struct sha s;
	sha_init(&s);
	sha_add(&s, luma, 3 * sizeof *luma);
	for (int i = 0; i < j->n->nconn; i++) sha_u64(&s, j->n->in[i] != NULL);
	for (const struct param *p = j->st->type.params; p->name; p++) {
		const char *at = (const char *)j->n->v + p->off, *text;
		int v;
		if (uniforms_of(p)) continue;
		if (p->type == PT_STRING || p->type == PT_PATH) {
			memcpy(&text, at, sizeof text);
			sha_str(&s, text);
		} else {
			memcpy(&v, at, sizeof v);
			sha_u64(&s, (uint64_t)(int64_t)v);
		}
	}
	return sha_end(&s);
}

static struct traced *trace_new(struct job *j, const double luma[3], struct err *e)
{
	struct script_vm *vm = script_open(j->st->file, e);
	struct pp_code *code = NULL;
	struct traced *t = NULL;
	if (!vm) return NULL;
	memcpy(vm->luma, luma, sizeof vm->luma);
	j->prog = pixprog_new();
	if (vm_run(vm, trace_entry, j, e) < 0 || pixprog_check(j->prog, j->n->nconn, e) < 0 ||
	    !(code = pp_compile(j->prog, e)))
		pixprog_free(&j->prog);
	else {
		t = xalloc(1, sizeof *t);
		*t = (struct traced){ .prog = j->prog, .code = code };
	}
	vm_free(&vm);
	return t;
}

static void fill_uniforms(const struct job *j, struct pp_run *run)
{
	int k = 0;
	double v[4], full = j->n->scale > 0 ? 1.0 / j->n->scale : 1.0;
	for (const struct param *p = j->st->type.params; p->name; p++) {
		int n = uniforms_of(p);
		if (n) memcpy(v, (const char *)j->n->v + p->off, (size_t)n * sizeof *v);
		for (int i = 0; i < n && k < PP_MAX_UNI; i++)
			run->uni[k++] = (float)(p->type == PT_LENGTH ? v[i] * full : v[i]);
	}
}

int script_pixel_open(struct node_ctx *n, struct err *e)
{
	struct job j = { n->type->user, n, NULL };
	double luma[3];
	int space = n->nconn && n->in[0] ? n->in[0]->space : n->working;
	if (space < 0 || space == colour_find("raw")) space = colour_find("rec709");
	colour_luma(space, luma);
	struct trace_cache *c = j.st->cache;
	struct key key = trace_key(&j, luma);
	pthread_mutex_lock(&c->lock);
	struct traced *t = c->first;
	while (t && !key_eq(&t->key, &key)) t = t->next;
	if (!t && (t = trace_new(&j, luma, e))) {
		t->key = key;
		t->next = c->first;
		c->first = t;
	}
	pthread_mutex_unlock(&c->lock);
	if (!t) return -1;
	struct pp_run *run = xalloc(1, sizeof *run);
	run->code = t->code;
	run->rgba = j.st->rgba;
	fill_uniforms(&j, run);
	n->state = run;
	return 0;
}

void script_pixel_close(struct node_ctx *n)
{
	free(n->state);
	n->state = NULL;
}
