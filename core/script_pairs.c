/* script_pairs - tables listed in an order that is the same in every process: hash order is not.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "script_int.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

/* Order of keys: numbers ascending, strings bytewise, false, true. Others have no order that is
 * the same twice. */
struct sort_key { int kind; long double num; const char *s; size_t len; lua_Integer i; bool whole; };

static void key_at(lua_State *L, int idx, struct sort_key *k)
{
	memset(k, 0, sizeof *k);
	switch (lua_type(L, idx)) {
	case LUA_TNUMBER:
		k->whole = lua_isinteger(L, idx);
		k->i = k->whole ? lua_tointeger(L, idx) : 0;
		k->num = k->whole ? (long double)k->i : (long double)lua_tonumber(L, idx);
		break;
	case LUA_TSTRING: k->kind = 1; k->s = lua_tolstring(L, idx, &k->len); break;
	case LUA_TBOOLEAN: k->kind = lua_toboolean(L, idx) ? 3 : 2; break;
	default:
		luaL_error(L, "a %s is a key of this table: it has no order, so it cannot be listed; "
		           "use numbers, strings or booleans as keys", luaL_typename(L, idx));
	}
}

static int key_order(const void *pa, const void *pb)
{
	const struct sort_key *a = pa, *b = pb;
	if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
	if (a->kind == 0) return a->num < b->num ? -1 : a->num > b->num;
	if (a->kind != 1) return 0;
	int c = memcmp(a->s, b->s, a->len < b->len ? a->len : b->len);
	return c ? c : a->len < b->len ? -1 : a->len > b->len;
}

static void push_key(lua_State *L, const struct sort_key *k)
{
	if (k->kind == 1) lua_pushlstring(L, k->s, k->len);
	else if (k->kind) lua_pushboolean(L, k->kind == 3);
	else if (k->whole) lua_pushinteger(L, k->i);
	else lua_pushnumber(L, (lua_Number)k->num);
}

lua_Integer vm_keys(lua_State *L, int idx)
{
	size_t n = 0, cap = 0;
	idx = lua_absindex(L, idx);
	for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) cap++;
	vm_charge(L, 4 * cap);
	struct sort_key *v = lua_newuserdatauv(L, (cap + 1) * sizeof *v, 0);
	for (lua_pushnil(L); lua_next(L, idx) && n < cap; lua_pop(L, 1)) key_at(L, -2, &v[n++]);
	qsort(v, n, sizeof *v, key_order);
	lua_createtable(L, (int)n, 0);
	for (size_t i = 0; i < n; i++) {
		push_key(L, &v[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_remove(L, -2);
	return (lua_Integer)n;
}

/* Upvalues: table, array of keys, place. */
static int pairs_step(lua_State *L)
{
	lua_Integer i = lua_tointeger(L, lua_upvalueindex(3));
	for (;;) {
		i++;
		if (lua_rawgeti(L, lua_upvalueindex(2), i) == LUA_TNIL) return 1;
		lua_pushvalue(L, -1);
		if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) break;
		lua_pop(L, 2);
	}
	lua_pushinteger(L, i);
	lua_replace(L, lua_upvalueindex(3));
	return 2;
}

int script_pairs(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_pushvalue(L, 1);
	vm_keys(L, 1);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, pairs_step, 3);
	lua_pushvalue(L, 1);
	lua_pushnil(L);
	return 3;
}

/* The smallest key above the given one. */
int script_next(lua_State *L)
{
	struct sort_key after, best, k;
	bool first = lua_isnoneornil(L, 2), found = false;
	uint64_t n = 0;
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	if (!first) key_at(L, 2, &after);
	for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
		n++;
		key_at(L, -2, &k);
		if (!first && key_order(&k, &after) <= 0) continue;
		if (!found || key_order(&k, &best) < 0) best = k;
		found = true;
	}
	vm_charge(L, n);
	if (!found) { lua_pushnil(L); return 1; }
	push_key(L, &best);
	lua_pushvalue(L, -1);
	lua_rawget(L, 1);
	return 2;
}
