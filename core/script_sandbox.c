/* script_sandbox - a Lua state that can compute and nothing else, under budgets that do not look
 * at clocks.
 *
 * Memory: an accounting allocator with a cap, and a shorter cap for single strings (so that one
 * instruction on strings stays cheap). Work: a count hook, plus what C functions and the
 * allocator charge. Once a budget is spent the hook fires on every instruction, so that no pcall
 * loop survives it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "script_int.h"

#include <lauxlib.h>
#include <lualib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "log.h"
#include "mathx.h"

enum { HOOK_EVERY = 1000, ALLOC_BYTES_PER_STEP = 256 };

struct script_vm *vm_of(lua_State *L)
{
	struct script_vm *vm;
	memcpy(&vm, lua_getextraspace(L), sizeof vm);
	return vm;
}

static void on_count(lua_State *L, lua_Debug *ar)
{
	struct script_vm *vm = vm_of(L);
	(void)ar;
	if (!vm->dead) {
		vm->steps += HOOK_EVERY;
		if (vm->cancel && atomic_load_explicit(vm->cancel, memory_order_relaxed))
			vm->why = "cancelled";
		else if (vm->steps <= vm->limit) return;
		else vm->why = "too many instructions: the script was stopped";
		vm->dead = true;
		lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
	}
	luaL_error(L, "%s", vm->why);
}

static void spend(struct script_vm *vm, const char *why)
{
	vm->dead = true;
	vm->why = why;
	if (vm->L) lua_sethook(vm->L, on_count, LUA_MASKCOUNT, 1);
}

void vm_charge(lua_State *L, uint64_t steps)
{
	struct script_vm *vm = vm_of(L);
	vm->steps += steps;
	if (vm->steps > vm->limit && !vm->dead) spend(vm, "too much work: the script was stopped");
	if (vm->dead) luaL_error(L, "%s", vm->why);
}

static void *vm_alloc(void *ud, void *ptr, size_t osize, size_t nsize)
{
	struct script_vm *vm = ud;
	size_t old = ptr ? osize : 0;
	if (nsize == 0) {
		vm->mem -= old;
		free(ptr);
		return NULL;
	}
	bool string = !ptr && osize == LUA_TSTRING && nsize > SCRIPT_MAX_STRING + 64;
	if (nsize > old && (string || vm->mem - old + nsize > vm->mem_cap)) {
		if (++vm->refusals > SCRIPT_MAX_REFUSALS && !vm->dead)
			spend(vm, "out of memory again and again: the script was stopped");
		return NULL;
	}
	void *p = realloc(ptr, nsize);
	if (!p) return NULL;
	vm->mem = vm->mem - old + nsize;
	if (nsize > old) vm->steps += (nsize - old) / ALLOC_BYTES_PER_STEP;
	return p;
}

/* --- tostring --- */

const char *vm_tostring(lua_State *L, int idx)
{
	char num[64];
	idx = lua_absindex(L, idx);
	if (luaL_callmeta(L, idx, "__tostring")) {
		if (!lua_isstring(L, -1)) luaL_error(L, "__tostring must return a string");
		return lua_tostring(L, -1);
	}
	switch (lua_type(L, idx)) {
	case LUA_TSTRING: lua_pushvalue(L, idx); break;
	case LUA_TBOOLEAN: lua_pushstring(L, lua_toboolean(L, idx) ? "true" : "false"); break;
	case LUA_TNUMBER:
		if (!lua_isinteger(L, idx) && isnan(lua_tonumber(L, idx))) lua_pushstring(L, "nan");
		else if (lua_isinteger(L, idx)) {
			snprintf(num, sizeof num, "%lld", (long long)lua_tointeger(L, idx));
			lua_pushstring(L, num);
		} else {
			lua_pushvalue(L, idx);
			lua_tostring(L, -1);
		}
		break;
	default: lua_pushstring(L, luaL_typename(L, idx)); break;
	}
	return lua_tostring(L, -1);
}

static int l_tostring(lua_State *L)
{
	luaL_checkany(L, 1);
	vm_tostring(L, 1);
	return 1;
}

/* --- metatables --- */

/* A metatable becomes a private copy without what would show the collector at work; getmetatable
 * gives the original. */
static const char original_key;

static int l_setmetatable(lua_State *L)
{
	static const char *const banned[] = { "__gc", "__mode", "__close", "__name" };
	int t = lua_type(L, 2);
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_argexpected(L, t == LUA_TNIL || t == LUA_TTABLE, 2, "nil or table");
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "cannot change a protected metatable");
	lua_settop(L, 2);
	if (t == LUA_TTABLE) {
		lua_Integer n = 0;
		for (size_t i = 0; i < IN_COUNT(banned); i++) {
			lua_pushstring(L, banned[i]);
			if (lua_rawget(L, 2) != LUA_TNIL)
				return luaL_error(L, "setmetatable: %s is not available in scripts", banned[i]);
			lua_pop(L, 1);
		}
		lua_newtable(L);
		for (lua_pushnil(L); lua_next(L, 2); n++) {
			lua_pushvalue(L, -2);
			lua_insert(L, -2);
			lua_rawset(L, -4);
		}
		vm_charge(L, (uint64_t)n);
		lua_pushvalue(L, 2);
		lua_rawsetp(L, -2, &original_key);
		lua_replace(L, 2);
	}
	lua_setmetatable(L, 1);
	return 1;
}

static int l_getmetatable(lua_State *L)
{
	luaL_checkany(L, 1);
	if (lua_type(L, 1) != LUA_TTABLE || !lua_getmetatable(L, 1)) { lua_pushnil(L); return 1; }
	lua_pushstring(L, "__metatable");
	if (lua_rawget(L, -2) != LUA_TNIL) return 1;
	lua_pop(L, 1);
	lua_rawgetp(L, -1, &original_key);
	return 1;
}

static int l_rawset(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checkany(L, 2);
	luaL_checkany(L, 3);
	lua_settop(L, 3);
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "rawset: this table is read-only");
	lua_rawset(L, 1);
	return 1;
}

static int frozen_newindex(lua_State *L)
{
	return luaL_error(L, "cannot set '%s': this table is read-only", vm_tostring(L, 2));
}

void vm_freeze(lua_State *L)
{
	lua_newtable(L);
	lua_newtable(L);
	lua_rotate(L, -3, -1);                                   /* stand-in, metatable, real */
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, frozen_newindex);
	lua_setfield(L, -2, "__newindex");
	lua_pushstring(L, "read-only");
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
}

/* --- the rest of base, table --- */

static int l_print(lua_State *L)
{
	luaL_Buffer b;
	int n = lua_gettop(L);
	luaL_buffinit(L, &b);
	for (int i = 1; i <= n; i++) {
		vm_tostring(L, i);
		luaL_addvalue(&b);
		if (i < n) luaL_addchar(&b, ' ');
	}
	luaL_pushresult(&b);
	vm_charge(L, lua_rawlen(L, -1));
	log_debug(LOG_LUA, "%s: %.400s", vm_of(L)->path, lua_tostring(L, -1));
	return 0;
}

static int l_concat(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_Integer from = luaL_optinteger(L, 3, 1), to = luaL_optinteger(L, 4, luaL_len(L, 1));
	if (to >= from) vm_charge(L, (uint64_t)to - (uint64_t)from + 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, 1);
	return 1;
}

static int l_unpack(lua_State *L)
{
	lua_Integer from = luaL_optinteger(L, 2, 1), to = lua_isnoneornil(L, 3) ? luaL_len(L, 1)
	    : luaL_checkinteger(L, 3);
	if (from > to) return 0;
	lua_Unsigned n = (lua_Unsigned)to - (lua_Unsigned)from;
	if (n >= 8000 || !lua_checkstack(L, (int)n + 1))
		return luaL_error(L, "too many results to unpack");
	vm_charge(L, n);
	for (lua_Unsigned i = 0; i <= n; i++) lua_geti(L, 1, (lua_Integer)((lua_Unsigned)from + i));
	return (int)n + 1;
}

static int l_charge(lua_State *L)
{
	vm_charge(L, (uint64_t)luaL_checkinteger(L, 1));
	return 0;
}

static int l_luma(lua_State *L)
{
	for (int i = 0; i < 3; i++) lua_pushnumber(L, vm_of(L)->luma[i]);
	return 3;
}

static int l_traced(lua_State *L)
{
	lua_pushboolean(L, trace_is(L, 1));
	return 1;
}

/* Errors cost more than instructions: a loop over pcall pays for them. */
static int l_pcall(lua_State *L)
{
	luaL_checkany(L, 1);
	vm_charge(L, 50);
	lua_pushboolean(L, 1);
	lua_insert(L, 1);
	if (lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0) == LUA_OK) return lua_gettop(L);
	lua_pushboolean(L, 0);
	lua_insert(L, -2);
	return 2;
}

/* The line of the script that is running, 0 when none is. */
static int script_line(lua_State *L)
{
	lua_Debug ar;
	for (int i = 1; lua_getstack(L, i, &ar); i++)
		if (lua_getinfo(L, "Sl", &ar) && strcmp(ar.short_src, "script") == 0 && ar.currentline > 0)
			return ar.currentline;
	return 0;
}

static int l_line(lua_State *L)
{
	lua_pushinteger(L, script_line(L));
	return 1;
}

/* What of the base library stays, in a new table on the stack. */
static void base_globals(lua_State *L)
{
	static const char *const kept[] = { "assert", "error", "ipairs", "rawequal", "rawget",
		"rawlen", "tonumber", "type" };
	static const luaL_Reg own[] = { { "tostring", l_tostring }, { "pairs", script_pairs },
	    { "next", script_next },
		{ "setmetatable", l_setmetatable }, { "getmetatable", l_getmetatable },
		    { "rawset", l_rawset },
		{ "print", l_print }, { "pcall", l_pcall }, { NULL, NULL } };
	luaL_requiref(L, "_G", luaopen_base, 0);
	lua_newtable(L);
	for (size_t i = 0; i < IN_COUNT(kept); i++) {
		lua_getfield(L, -2, kept[i]);
		lua_setfield(L, -2, kept[i]);
	}
	luaL_setfuncs(L, own, 0);
	lua_remove(L, -2);
}

/* The table that only the prelude sees. */
static void core_table(lua_State *L)
{
	static const luaL_Reg own[] = { { "unpack", l_unpack }, { "charge", l_charge },
	    { "luma", l_luma },
		{ "traced", l_traced }, { "line", l_line }, { "cond", trace_select }, { NULL, NULL } };
	static const char *const kept[] = { "select" };
	lua_newtable(L);
	luaL_setfuncs(L, own, 0);
	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
	for (size_t i = 0; i < IN_COUNT(kept); i++) {
		lua_getfield(L, -1, kept[i]);
		lua_setfield(L, -3, kept[i]);
	}
	lua_pop(L, 1);
	luaopen_table(L);
	lua_getfield(L, -1, "concat");
	lua_pushcclosure(L, l_concat, 1);
	lua_setfield(L, -3, "concat");
	lua_pop(L, 1);
}

static void add_lib(lua_State *L, const char *name, lua_CFunction open)
{
	open(L);
	lua_setfield(L, -2, name);
}

/* Strings answer methods from the string table and show no metatable. */
static void string_methods(lua_State *L)
{
	lua_pushliteral(L, "");
	lua_createtable(L, 0, 2);
	lua_getfield(L, -3, "string");
	lua_setfield(L, -2, "__index");
	lua_pushstring(L, "string");
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
}

static void freeze_libs(lua_State *L)
{
	static const char *const libs[] = { "string", "math", "table", "utf8" };
	for (size_t i = 0; i < IN_COUNT(libs); i++) {
		lua_getfield(L, -1, libs[i]);
		vm_freeze(L);
		lua_setfield(L, -2, libs[i]);
	}
}

static const char graph_key;

void vm_graph_methods(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &graph_key);
}

/* lua_State fresh from lua_newstate -> sandbox with the prelude run; its globals are the new
 * table. */
static int build_sandbox(lua_State *L)
{
	const struct code *prelude = vm_of(L)->call;
	base_globals(L);
	core_table(L);
	add_lib(L, "string", open_string);
	add_lib(L, "utf8", open_utf8);
	add_lib(L, "math", open_math);
	lua_pushstring(L, "string");
	lua_rawget(L, -2);
	lua_setfield(L, -3, "string");
	lua_getfield(L, -1, "utf8");
	lua_setfield(L, -3, "utf8");
	lua_getfield(L, -1, "math");
	lua_setfield(L, -3, "math");
	lua_pushvalue(L, -2);
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);     /* from here on the only globals */
	open_trace(L);
	vm_code(L, prelude, "=prelude");
	lua_pushvalue(L, -2);
	lua_call(L, 1, 0);
	lua_getfield(L, -1, "graph");
	lua_rawsetp(L, LUA_REGISTRYINDEX, &graph_key);
	lua_pop(L, 1);
	string_methods(L);
	freeze_libs(L);
	return 0;
}

/* --- calls --- */

/* "script:12: text" -> 12 and the text behind. */
static int strip_place(const char **msg, const char *chunk)
{
	size_t n = strlen(chunk);
	if (strncmp(*msg, chunk, n) != 0 || (*msg)[n] != ':') return -1;
	char *end;
	long line = strtol(*msg + n + 1, &end, 10);
	if (end == *msg + n + 1 || end[0] != ':' || end[1] != ' ') return -1;
	*msg = end + 2;
	return (int)line;
}

static int on_error(lua_State *L)
{
	struct script_vm *vm = vm_of(L);
	const char *msg = lua_tostring(L, 1);
	if (!msg) msg = lua_pushfstring(L, "the error value is a %s", luaL_typename(L, 1));
	strip_place(&msg, "prelude");
	int line = strip_place(&msg, "script");
	if (line < 0) line = script_line(L);
	if (line == 0) line = vm->decl_line;
	strip_place(&msg, "expr");
	vm->err_line = line;
	if (log_on(LOG_LUA) && !vm->dead) {
		luaL_traceback(L, L, msg, 1);
		log_debug(LOG_LUA, "%s", lua_tostring(L, -1));
	}
	lua_pushstring(L, msg);
	return 1;
}

int vm_run(struct script_vm *vm, lua_CFunction f, void *ud, struct err *e)
{
	lua_State *L = vm->L;
	void *outer = vm->call;
	vm->err_line = 0;
	vm->call = ud;
	lua_settop(L, 0);
	lua_pushcfunction(L, on_error);
	lua_pushcfunction(L, f);
	int rc = lua_pcall(L, 0, 0, 1);
	vm->call = outer;
	if (rc == LUA_OK) return 0;
	const char *msg = rc == LUA_ERRMEM ? NULL : lua_tostring(L, -1);
	enum err_code code = vm->cancel && atomic_load_explicit(vm->cancel, memory_order_relaxed)
	    ? E_CANCEL : E_SCRIPT;
	if (vm->dead) msg = vm->why;
	char mem[80];
	snprintf(mem, sizeof mem, "the script needs more than %zu MiB, or a string over %d KiB",
	         vm->mem_cap >> 20, SCRIPT_MAX_STRING >> 10);
	if (!msg) msg = mem;
	if (vm->err_line) err_set(e, code, "%s:%d: %s", vm->path, vm->err_line, msg);
	else err_set(e, code, "%s: %s", vm->path, msg);
	lua_settop(L, 0);
	return -1;
}

void vm_text(lua_State *L, const char *text, size_t len, const char *name)
{
	if (luaL_loadbufferx(L, text, len, name, "t") != LUA_OK) lua_error(L);
}

void vm_code(lua_State *L, const struct code *c, const char *name)
{
	if (luaL_loadbufferx(L, c->v, c->n, name, "b") != LUA_OK) lua_error(L);
}

struct script_vm *vm_new(const struct host *h, const char *path, struct err *e)
{
	struct script_vm *vm = xalloc(1, sizeof *vm);
	vm->path = path;
	vm->mem_cap = SCRIPT_MEMORY;
	vm->limit = SCRIPT_STEPS;
	colour_luma(colour_find("acescg"), vm->luma);
	vm->L = lua_newstate(vm_alloc, vm);
	if (!vm->L) { err_set(e, E_MEMORY, "no memory for a Lua state"); goto fail; }
	memcpy(lua_getextraspace(vm->L), &vm, sizeof vm);
	lua_sethook(vm->L, on_count, LUA_MASKCOUNT, HOOK_EVERY);
	if (vm_run(vm, build_sandbox, (void *)(uintptr_t)&h->prelude, e) < 0) {
		err_in(e, "prelude.lua");
		goto fail;
	}
	vm->steps = 0;
	vm->refusals = 0;
	return vm;
fail:
	vm_free(&vm);
	return NULL;
}

void vm_free(struct script_vm **vm)
{
	if (!*vm) return;
	if ((*vm)->L) lua_close((*vm)->L);
	free(*vm);
	*vm = NULL;
}
