/* script_math - the math table of scripts: the core's own functions, so that a script's numbers
 * are the same on every machine. abs, floor, min, max, sqrt, exp2, log2 and pow also take traced
 * values.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "script_int.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "mathx.h"

struct unary { const char *name; double (*f)(double); };
static const struct unary unaries[] = {
	{ "exp", mx_exp }, { "log10", mx_log10 }, { "sin", mx_sin }, { "cos", mx_cos },
	    { "tan", mx_tan },
	{ "asin", mx_asin }, { "acos", mx_acos }, { "sinh", mx_sinh }, { "cosh", mx_cosh },
	    { "tanh", mx_tanh },
	{ "asinh", mx_asinh }, { "erf", mx_erf }, { "cbrt", mx_cbrt },
};

static double number(lua_State *L, int i)
{
	if (trace_is(L, i))
		luaL_error(L, "this function cannot be traced; a pixel function may use + - * / ^ %% //, "
	                               "abs floor ceil sqrt exp exp2 log log2 pow min max clamp mix "
	                               "smoothstep luma select");
	return luaL_checknumber(L, i);
}

static int lx_unary(lua_State *L)
{
	const struct unary *u = lua_touserdata(L, lua_upvalueindex(1));
	lua_pushnumber(L, u->f(number(L, 1)));
	return 1;
}

/* Functions that a trace records instead of computing. */
static int traced_unary(lua_State *L, enum pp_op op, double (*f)(double))
{
	if (trace_is(L, 1)) return trace_op(L, op, 1, 1);
	lua_pushnumber(L, f(luaL_checknumber(L, 1)));
	return 1;
}

static double plain_sqrt(double x) { return sqrt(x); }
static int lx_sqrt(lua_State *L) { return traced_unary(L, PP_SQRT, plain_sqrt); }
static int lx_exp2(lua_State *L) { return traced_unary(L, PP_EXP2, mx_exp2); }
static int lx_log2(lua_State *L) { return traced_unary(L, PP_LOG2, mx_log2); }

static int lx_abs(lua_State *L)
{
	if (trace_is(L, 1)) return trace_op(L, PP_ABS, 1, 1);
	if (lua_isinteger(L, 1)) {
		lua_Integer n = lua_tointeger(L, 1);
		lua_pushinteger(L, n < 0 ? (lua_Integer)(0u - (lua_Unsigned)n) : n);
	} else lua_pushnumber(L, fabs(luaL_checknumber(L, 1)));
	return 1;
}

/* An integer where one can hold it, as Lua's own. */
static void push_whole(lua_State *L, double x)
{
	lua_Integer i;
	if (lua_numbertointeger(x, &i)) lua_pushinteger(L, i);
	else lua_pushnumber(L, x);
}

static int lx_floor(lua_State *L)
{
	if (trace_is(L, 1)) return trace_op(L, PP_FLOOR, 1, 1);
	if (lua_isinteger(L, 1)) lua_settop(L, 1);
	else push_whole(L, mx_floor(luaL_checknumber(L, 1)));
	return 1;
}

static int lx_ceil(lua_State *L)
{
	if (lua_isinteger(L, 1)) lua_settop(L, 1);
	else push_whole(L, mx_ceil(number(L, 1)));
	return 1;
}

/* a < b ? a : b, folded from the left, as the block program has it. */
static int fold(lua_State *L, enum pp_op op)
{
	int n = lua_gettop(L);
	luaL_argcheck(L, n >= 1, 1, "number expected");
	for (int i = 2; i <= n; i++) {
		if (trace_is(L, 1) || trace_is(L, i)) {
			lua_pushvalue(L, 1);
			lua_pushvalue(L, i);
			trace_op(L, op, lua_gettop(L) - 1, 2);
			lua_replace(L, 1);
			lua_settop(L, n);
			continue;
		}
		lua_Number a = luaL_checknumber(L, 1), b = luaL_checknumber(L, i);
		if (!(op == PP_MIN ? a < b : a > b)) { lua_pushvalue(L, i); lua_replace(L, 1); }
	}
	if (!trace_is(L, 1)) luaL_checknumber(L, 1);
	lua_settop(L, 1);
	return 1;
}
static int lx_min(lua_State *L) { return fold(L, PP_MIN); }
static int lx_max(lua_State *L) { return fold(L, PP_MAX); }

static int lx_pow(lua_State *L)
{
	if (trace_is(L, 1) || trace_is(L, 2)) return trace_op(L, PP_POW, 1, 2);
	lua_pushnumber(L, mx_pow(luaL_checknumber(L, 1), luaL_checknumber(L, 2)));
	return 1;
}

static int lx_log(lua_State *L)
{
	double x = number(L, 1);
	if (lua_isnoneornil(L, 2)) lua_pushnumber(L, mx_log(x));
	else {
		double base = number(L, 2);
		if (base == 2.0) lua_pushnumber(L, mx_log2(x));
		else if (base == 10.0) lua_pushnumber(L, mx_log10(x));
		else lua_pushnumber(L, mx_log(x) / mx_log(base));
	}
	return 1;
}

static int lx_atan(lua_State *L)
{
	double y = number(L, 1), x = lua_isnoneornil(L, 2) ? 1.0 : number(L, 2);
	lua_pushnumber(L, mx_atan2(y, x));
	return 1;
}

static int lx_hypot(lua_State *L)
{
	lua_pushnumber(L, mx_hypot(number(L, 1), number(L, 2)));
	return 1;
}

static int lx_fmod(lua_State *L)
{
	if (lua_isinteger(L, 1) && lua_isinteger(L, 2)) {
		lua_Integer a = lua_tointeger(L, 1), b = lua_tointeger(L, 2);
		luaL_argcheck(L, b != 0, 2, "zero");
		lua_pushinteger(L, b == -1 ? 0 : a % b);
		return 1;
	}
	double y = number(L, 2);
	lua_pushnumber(L, mx_fmod(number(L, 1), y));
	return 1;
}

static int lx_modf(lua_State *L)
{
	double x = number(L, 1), whole = x < 0 ? mx_ceil(x) : mx_floor(x);
	push_whole(L, whole);
	lua_pushnumber(L, isinf(x) ? 0.0 : x - whole);
	return 2;
}

static int lx_tointeger(lua_State *L)
{
	int ok;
	lua_Integer n = lua_tointegerx(L, 1, &ok);
	if (ok && lua_type(L, 1) == LUA_TNUMBER) lua_pushinteger(L, n);
	else lua_pushnil(L);
	return 1;
}

static int lx_type(lua_State *L)
{
	luaL_checkany(L, 1);
	if (lua_type(L, 1) != LUA_TNUMBER) lua_pushnil(L);
	else lua_pushstring(L, lua_isinteger(L, 1) ? "integer" : "float");
	return 1;
}

static int lx_ult(lua_State *L)
{
	lua_pushboolean(L, (lua_Unsigned)luaL_checkinteger(L, 1) < (lua_Unsigned)luaL_checkinteger(L,
	    2));
	return 1;
}

static int lx_deg(lua_State *L)
{
	lua_pushnumber(L, number(L, 1) * (180.0 / MX_PI));
	return 1;
}

static int lx_rad(lua_State *L)
{
	lua_pushnumber(L, number(L, 1) * (MX_PI / 180.0));
	return 1;
}

int open_math(lua_State *L)
{
	static const luaL_Reg own[] = {
		{ "sqrt", lx_sqrt }, { "exp2", lx_exp2 }, { "log2", lx_log2 }, { "abs", lx_abs },
		    { "floor", lx_floor },
		{ "ceil", lx_ceil }, { "min", lx_min }, { "max", lx_max }, { "pow", lx_pow },
		    { "log", lx_log },
		{ "atan", lx_atan }, { "hypot", lx_hypot }, { "fmod", lx_fmod }, { "modf", lx_modf },
		{ "tointeger", lx_tointeger }, { "type", lx_type }, { "ult", lx_ult }, { "deg", lx_deg },
		    { "rad", lx_rad },
		{ NULL, NULL } };
	lua_newtable(L);
	luaL_setfuncs(L, own, 0);
	for (size_t i = 0; i < IN_COUNT(unaries); i++) {
		lua_pushlightuserdata(L, (void *)(uintptr_t)&unaries[i]);
		lua_pushcclosure(L, lx_unary, 1);
		lua_setfield(L, -2, unaries[i].name);
	}
	lua_pushnumber(L, MX_PI);
	lua_setfield(L, -2, "pi");
	lua_pushnumber(L, (lua_Number)INFINITY);
	lua_setfield(L, -2, "huge");
	lua_pushinteger(L, LUA_MAXINTEGER);
	lua_setfield(L, -2, "maxinteger");
	lua_pushinteger(L, LUA_MININTEGER);
	lua_setfield(L, -2, "mininteger");
	return 1;
}
