/* script_eval - expressions {...} in attributes: one Lua expression over parameters, frame, fps
 * and mathematics.
 * They share one state whose globals cannot be written, so no evaluation can see another.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "script_int.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mathx.h"

enum { MAX_COMPILED = 1024 };
static const char env_key, compiled_key;

struct eval {
	const char *expr;
	const struct eval_env *env;
	const struct param *p;
	struct arena *a;
	struct value *out;
	struct err *e;
	bool bad;                            /* e holds a message of the coercion */
};

static void push_list(lua_State *L, const double *v, int n)
{
	lua_createtable(L, n, 0);
	for (int i = 0; i < n; i++) {
		lua_pushnumber(L, v[i]);
		lua_rawseti(L, -2, i + 1);
	}
}

static void push_sparam(lua_State *L, const struct eval *ev, int i)
{
	const struct value *v = &ev->env->pvalue[i];
	struct param decl = { .name = ev->env->param[i].name, .type = v->type, .n = v->n,
	    .choices = ev->env->param[i].choices };
	switch (v->type) {
	case PT_FLOAT: lua_pushnumber(L, v->v[0]); break;
	case PT_INT: lua_pushinteger(L, (lua_Integer)v->v[0]); break;
	case PT_BOOL: lua_pushboolean(L, v->v[0] != 0); break;
	case PT_COLOUR: case PT_VEC: push_list(L, v->v, v->n); break;
	case PT_LENGTH:
		if (!v->percent_h) { lua_pushnumber(L, v->v[0]); break; }
		/* fall through */
	default: lua_pushstring(L, value_print(&decl, v, ev->a));
	}
}

static int unknown_name(lua_State *L, const struct eval *ev, const char *name)
{
	static const char *const always[] = {
		"frame", "fps", "math", "string", "abs", "floor", "ceil", "sqrt", "exp", "exp2", "log", "log2",
		"pow", "min", "max", "clamp", "mix", "smoothstep", "select", "sin", "cos", "tan", "pi",
		"tostring", "tonumber" };
	const char *names[IN_COUNT(always) + 256];
	size_t n = 0;
	for (; n < IN_COUNT(always); n++) names[n] = always[n];
	for (int i = 0; i < ev->env->nparam && i < 256; i++) names[n++] = ev->env->param[i].name;
	const char *near = nearest_name(name, names, n);
	return luaL_error(L, "unknown name '%s'%s%s", name,
	    near ? "; did you mean " : "", near ? near : "");
}

/* Parameters first, then frame and fps, then the sandbox's globals. */
static int env_index(lua_State *L)
{
	const struct eval *ev = vm_of(L)->call;
	const char *name = luaL_checkstring(L, 2);
	for (int i = 0; i < ev->env->nparam; i++)
		if (strcmp(ev->env->param[i].name, name) == 0) { push_sparam(L, ev, i); return 1; }
	if (strcmp(name, "frame") == 0) {
		if (!ev->env->has_frame)
			return luaL_error(L, "frame cannot be read here: this value must not depend on the frame");
		if (ev->env->used_frame) *ev->env->used_frame = true;
		if (ev->env->frame == mx_floor(ev->env->frame) && fabs(ev->env->frame) < 1e15)
			lua_pushinteger(L, (lua_Integer)ev->env->frame);
		else lua_pushnumber(L, ev->env->frame);
		return 1;
	}
	if (strcmp(name, "fps") == 0) { lua_pushnumber(L, ev->env->fps); return 1; }
	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, -2) != LUA_TNIL) return 1;
	lua_getfield(L, -2, "math");
	if (lua_getfield(L, -1, name) != LUA_TNIL) return 1;
	return unknown_name(L, ev, name);
}

static int env_newindex(lua_State *L)
{
	return luaL_error(L, "an expression cannot set '%s'", vm_tostring(L, 2));
}

static void push_env(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &env_key) == LUA_TTABLE) return;
	lua_pop(L, 1);
	lua_newtable(L);
	lua_newtable(L);
	lua_pushcfunction(L, env_index);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, env_newindex);
	lua_setfield(L, -2, "__newindex");
	lua_pushstring(L, "read-only");
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &env_key);
}

/* The expression as a function; compiled once. */
static void push_function(lua_State *L, const char *expr)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &compiled_key) != LUA_TTABLE ||
	    luaL_len(L, -1) >= MAX_COMPILED) {
		lua_pop(L, 1);
		lua_newtable(L);
		lua_pushvalue(L, -1);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &compiled_key);
	}
	if (lua_getfield(L, -1, expr) == LUA_TFUNCTION) return;
	lua_pop(L, 1);
	const char *chunk = lua_pushfstring(L, "return (%s\n)", expr);
	if (luaL_loadbufferx(L, chunk, strlen(chunk), "=expr", "t") != LUA_OK) lua_error(L);
	push_env(L);
	lua_setupvalue(L, -2, 1);
	lua_pushvalue(L, -1);
	lua_setfield(L, -4, expr);
	lua_pushboolean(L, 1);
	lua_rawseti(L, -4, luaL_len(L, -4) + 1);
}

static int mismatch(lua_State *L, const struct eval *ev, const char *wanted)
{
	return luaL_error(L, "gives a %s, expected %s", luaL_typename(L, -1), wanted);
	(void)ev;
}

/* Text through the parameter's own parser: choices, percent lengths, curves, "#rrggbb". */
static void from_text(struct eval *ev, const char *text)
{
	if (value_parse(ev->p, text, ev->a, ev->out, ev->e) < 0) ev->bad = true;
}

static const char *number_text(lua_State *L, struct arena *a)
{
	char num[40];
	if (lua_isinteger(L, -1)) snprintf(num, sizeof num, "%lld", (long long)lua_tointeger(L, -1));
	else if (isfinite(lua_tonumber(L, -1))) mx_print(lua_tonumber(L, -1), num);
	else luaL_error(L, "gives no finite number");
	return arena_strdup(a, num);
}

static void coerce_numbers(lua_State *L, struct eval *ev)
{
	const struct param *p = ev->p;
	struct value *v = ev->out;
	if (lua_type(L, -1) == LUA_TNUMBER) {
		for (int i = 0; i < p->n && i < 4; i++) v->v[i] = lua_tonumber(L, -1);
		return;
	}
	if (lua_type(L, -1) != LUA_TTABLE || luaL_len(L, -1) != p->n) {
		luaL_error(L, "gives a %s, expected %d numbers as in {1, 2, 3}, or one for all",
		    luaL_typename(L, -1), p->n);
		return;
	}
	for (int i = 0; i < p->n && i < 4; i++) {
		if (lua_rawgeti(L, -1, i + 1) != LUA_TNUMBER) mismatch(L, ev, "a list of numbers");
		v->v[i] = lua_tonumber(L, -1);
		lua_pop(L, 1);
	}
}

static void coerce(lua_State *L, struct eval *ev)
{
	const struct param *p = ev->p;
	int t = lua_type(L, -1);
	*ev->out = (struct value){ .type = p ? p->type : PT_STRING, .n = p ? p->n : 1 };
	enum ptype want = p ? p->type : PT_STRING;
	if (want == PT_STRING || want == PT_PATH) {
		if (t == LUA_TNUMBER) ev->out->s = number_text(L, ev->a);
		else if (t != LUA_TSTRING) mismatch(L, ev, "a string");
		else if (strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
			luaL_error(L, "gives a string with a zero byte");
		else if (p) from_text(ev, lua_tostring(L, -1));
		else ev->out->s = arena_strdup(ev->a, lua_tostring(L, -1));
		return;
	}
	if (want == PT_BOOL) {
		if (t != LUA_TBOOLEAN) mismatch(L, ev, "true or false");
		ev->out->v[0] = lua_toboolean(L, -1);
		return;
	}
	bool text = want == PT_ENUM || want == PT_CURVE || want == PT_LENGTH || want == PT_COLOUR ||
	    want == PT_VEC;
	if (t == LUA_TSTRING && text) { from_text(ev, lua_tostring(L, -1)); return; }
	if (want == PT_ENUM || want == PT_CURVE) mismatch(L, ev, "a string");
	if (want == PT_COLOUR || want == PT_VEC) { coerce_numbers(L, ev); return; }
	if (t != LUA_TNUMBER) mismatch(L, ev, "a number");
	ev->out->v[0] = lua_tonumber(L, -1);
	if (want == PT_INT && ev->out->v[0] != mx_floor(ev->out->v[0]))
		luaL_error(L, "gives %s, expected a whole number", number_text(L, ev->a));
}

static int eval_entry(lua_State *L)
{
	struct eval *ev = vm_of(L)->call;
	push_function(L, ev->expr);
	lua_call(L, 0, 1);
	coerce(L, ev);
	return 0;
}

int script_eval(struct script_host *face, const char *expr, const struct eval_env *env,
                const struct param *p, struct arena *a, struct value *out, struct err *e)
{
	struct host *h = face->self;
	struct eval ev = { .expr = expr, .env = env, .p = p, .a = a, .out = out, .e = e };
	char where[160];
	if (h->eval && (h->eval->dead || h->eval->refusals)) vm_free(&h->eval);
	if (!h->eval && (host_prelude(h, e) < 0 || !(h->eval = vm_new(h, "expression", e)))) return -1;
	snprintf(where, sizeof where, "expression {%.100s}", expr);
	h->eval->path = where;
	h->eval->steps = 0;
	int rc = vm_run(h->eval, eval_entry, &ev, e);
	h->eval->path = "expression";
	if (rc < 0) return -1;
	if (ev.bad) return err_in(e, "%s", where);
	if (p && value_check(p, out, e) < 0) return err_in(e, "%s", where);
	return 0;
}
