/* script_build - build functions: a script composes nodes at plan time, through the same door as
 * C composites.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "script_int.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "net.h"

#define NODE "interneg.node"

struct building {
	struct expand *x; const struct node_ctx *n; const struct script_type *st;
	int made; struct err e;
};

static char *curve_text(const struct curve *c, char *out, size_t size)
{
	size_t used = 0;
	char x[40], y[40];
	out[0] = 0;
	for (int i = 0; i < c->n; i++) {
		mx_print(c->x[i], x);
		mx_print(c->y[i], y);
		used += (size_t)snprintf(out + used, size - used, "%s%s,%s", i ? " " : "", x, y);
	}
	return out;
}

static void push_choice(lua_State *L, const struct param *p, int index)
{
	const char *c = p->choices;
	while (index-- > 0 && strchr(c, '|')) c = strchr(c, '|') + 1;
	lua_pushlstring(L, c, strcspn(c, "|"));
}

static void push_numbers(lua_State *L, const struct param *p, const void *at)
{
	static const char *const rgb[3] = { "r", "g", "b" };
	double v[4];
	memcpy(v, at, sizeof(double) * (size_t)p->n);
	lua_createtable(L, p->n, p->type == PT_COLOUR ? 3 : 0);
	for (int i = 0; i < p->n; i++) {
		lua_pushnumber(L, v[i]);
		if (p->type == PT_COLOUR) {
			lua_pushvalue(L, -1);
			lua_setfield(L, -3, rgb[i]);
		}
		lua_rawseti(L, -2, i + 1);
	}
}

static void push_param(lua_State *L, const struct param *p, const void *at, double scale)
{
	char text[32 * 82];
	double d;
	int i;
	const char *s;
	switch (p->type) {
	case PT_FLOAT: memcpy(&d, at, sizeof d); lua_pushnumber(L, d); break;
	case PT_LENGTH: memcpy(&d, at, sizeof d); lua_pushnumber(L, scale > 0 ? d / scale : d); break;
	case PT_INT: memcpy(&i, at, sizeof i); lua_pushinteger(L, i); break;
	case PT_BOOL: memcpy(&i, at, sizeof i); lua_pushboolean(L, i); break;
	case PT_ENUM: memcpy(&i, at, sizeof i); push_choice(L, p, i); break;
	case PT_STRING: case PT_PATH: memcpy(&s, at, sizeof s); lua_pushstring(L, s); break;
	case PT_COLOUR: case PT_VEC: push_numbers(L, p, at); break;
	default: lua_pushstring(L, curve_text(at, text, sizeof text));
	}
}

/* p.NAME of a name that is not declared: an error, not a nil that looks like a default. */
static int no_param(lua_State *L)
{
	const struct node_type *t = lua_touserdata(L, lua_upvalueindex(1));
	const char *names[128];
	size_t n = 0;
	if (lua_type(L, 2) != LUA_TSTRING) return 0;
	for (const struct param *p = t->params; p && p->name && n < IN_COUNT(names); p++) names[n++] = p->name;
	const char *near = nearest_name(lua_tostring(L, 2), names, n);
	return luaL_error(L, "'%s' has no parameter '%s'%s%s", t->name, lua_tostring(L, 2),
	    near ? "; did you mean " : "", near ? near : "");
}

/* Lengths are pixels at full resolution for scripts, whatever the proxy. */
void vm_params(lua_State *L, const struct node_ctx *n)
{
	lua_newtable(L);
	for (const struct param *p = n->type->params; p && p->name; p++) {
		push_param(L, p, (const char *)n->v + p->off, n->scale);
		lua_setfield(L, -2, p->name);
	}
	lua_createtable(L, 0, 2);
	lua_pushlightuserdata(L, (void *)(uintptr_t)n->type);
	lua_pushcclosure(L, no_param, 1);
	lua_setfield(L, -2, "__index");
	lua_pushstring(L, "params");
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
}

/* --- g --- */

static int fail(lua_State *L, struct building *b)
{
	return luaL_error(L, "%s", b->e.msg);
}

static void push_node(lua_State *L, struct xnode *x)
{
	struct xnode **ud = lua_newuserdatauv(L, sizeof *ud, 0);
	*ud = x;
	luaL_setmetatable(L, NODE);
}

static struct xnode *to_node(lua_State *L, int idx)
{
	struct xnode **ud = luaL_testudata(L, idx, NODE);
	return ud ? *ud : NULL;
}

static const struct slot *slot_named(const struct slot *s, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(s[i].name, name) == 0 || (i == 0 && strcmp(name, "in") == 0)) return &s[i];
	return NULL;
}

static void connect(lua_State *L, struct building *b, struct xnode *x, const char *type,
                    const char *slot)
{
	struct xnode *from = to_node(L, -1);
	if (!from)
		luaL_error(L, "g.%s: input '%s' is a %s, not a node", type, slot, luaL_typename(L, -1));
	if (expand_connect(b->x, x, slot, from, &b->e) < 0) fail(L, b);
}

/* A list slot's value may be one node or a list of nodes. */
static void connect_slot(lua_State *L, struct building *b, struct xnode *x, const char *type,
                         const struct slot *s)
{
	if (!s->list || lua_type(L, -1) != LUA_TTABLE) { connect(L, b, x, type, s->name); return; }
	lua_Integer n = luaL_len(L, -1);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(L, -1, i);
		connect(L, b, x, type, s->name);
		lua_pop(L, 1);
	}
}

static void set_list(lua_State *L, struct building *b, struct xnode *x, const char *type,
                     const char *name)
{
	double v[4];
	lua_Integer n = luaL_len(L, -1);
	if (n < 1 || n > 4) luaL_error(L, "g.%s: %s: a list of 1 to 4 numbers expected", type, name);
	for (lua_Integer i = 0; i < n; i++) {
		if (lua_rawgeti(L, -1, i + 1) != LUA_TNUMBER)
			luaL_error(L, "g.%s: %s: a list of numbers expected", type, name);
		v[i] = lua_tonumber(L, -1);
		lua_pop(L, 1);
	}
	if (expand_set_num(b->x, x, name, v, (int)n, &b->e) < 0) fail(L, b);
}

static void set_param(lua_State *L, struct building *b, struct xnode *x, const char *type,
                      const struct param *p)
{
	double v;
	int rc = 0;
	switch (lua_type(L, -1)) {
	case LUA_TNUMBER:
		v = lua_tonumber(L, -1);
		if (!(v - v == 0)) luaL_error(L, "g.%s: %s is not a finite number", type, p->name);
		rc = expand_set_num(b->x, x, p->name, &v, 1, &b->e);
		break;
	case LUA_TBOOLEAN:
		rc = expand_set(b->x, x, p->name, lua_toboolean(L, -1) ? "yes" : "no", &b->e); break;
	case LUA_TSTRING: rc = expand_set(b->x, x, p->name, lua_tostring(L, -1), &b->e); break;
	case LUA_TTABLE: set_list(L, b, x, type, p->name); break;
	default: luaL_error(L, "g.%s: %s cannot be a %s", type, p->name, luaL_typename(L, -1));
	}
	if (rc < 0) fail(L, b);
}

static int unknown_argument(lua_State *L, const struct node_type *t, const struct slot *slot,
                            int ns, const char *name)
{
	const char *names[NODE_MAX_SLOTS + 128];
	size_t n = 0;
	for (int i = 0; i < ns; i++) names[n++] = slot[i].name;
	for (const struct param *p = t->params; p && p->name && n < IN_COUNT(names); p++)
		names[n++] = p->name;
	const char *near = nearest_name(name, names, n);
	return luaL_error(L, "g.%s has no input or parameter '%s'%s%s", t->name, name,
	    near ? "; did you mean " : "", near ? near : "");
}

/* The named arguments, in the order of their names. */
static void named(lua_State *L, struct building *b, struct xnode *x, const struct node_type *t,
                  const struct slot *slot, int ns)
{
	lua_Integer n = vm_keys(L, 1);
	for (lua_Integer i = 1; i <= n; i++) {
		if (lua_rawgeti(L, -1, i) != LUA_TSTRING) { lua_pop(L, 1); continue; }
		const char *name = lua_tostring(L, -1);
		const struct slot *s = slot_named(slot, ns, name);
		const struct param *p = param_find(t->params, name);
		if (!p && (t->flags & NF_MASKED)) p = param_find(node_common_params, name);
		if (!s && !p) unknown_argument(L, t, slot, ns, name);
		lua_getfield(L, 1, name);
		if (s) connect_slot(L, b, x, t->name, s);
		else set_param(L, b, x, t->name, p);
		lua_pop(L, 2);
	}
	lua_pop(L, 1);
}

/* g.TYPE{ image, slot=node, param=value }: upvalue 1 is the type. */
static int make(lua_State *L)
{
	struct building *b = vm_of(L)->call;
	const struct node_type *t = lua_touserdata(L, lua_upvalueindex(1));
	struct slot slot[NODE_MAX_SLOTS];
	char name[80];
	int ns = node_slots(t, slot);
	if (lua_type(L, 1) != LUA_TTABLE) return luaL_error(L, "g.%s{ ... } takes one table", t->name);
	vm_charge(L, 1000);
	snprintf(name, sizeof name, "%s_%d", t->name, ++b->made);
	struct xnode *x = expand_node(b->x, t->name, name, &b->e);
	if (!x) return fail(L, b);
	lua_Integer n = luaL_len(L, 1);
	if (n > ns && !(ns && slot[ns - 1].list))
		return luaL_error(L, "g.%s takes %d inputs by place, %d are given", t->name, ns ? 1 : 0,
		    (int)n);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(L, 1, i);
		bool list = ns && slot[ns - 1].list && i >= ns;
		if (i > 1 && !list)
			return luaL_error(L, "g.%s: only the first input is given by place; name the others (%s=...)",
		                                      t->name, slot[i - 1].name);
		connect(L, b, x, t->name, list ? slot[ns - 1].name : slot[i - 1].name);
		lua_pop(L, 1);
	}
	named(L, b, x, t, slot, ns);
	push_node(L, x);
	return 1;
}

static int no_type(lua_State *L, struct building *b, const char *name)
{
	int n;
	const struct node_type **all = registry_all(expand_registry(b->x), &n);
	const char **names = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *names, 0);
	size_t shown = 0;
	for (int i = 0; i < n; i++)
		if (!(all[i]->flags & (NF_HIDDEN | NF_SINK))) names[shown++] = all[i]->name;
	free(all);
	const char *near = nearest_name(name, names, shown);
	return luaL_error(L, "no node type '%s'%s%s", name,
	    near ? "; did you mean " : "", near ? near : "");
}

static int g_index(lua_State *L)
{
	struct building *b = vm_of(L)->call;
	const char *name = luaL_checkstring(L, 2);
	const struct node_type *t = registry_find(expand_registry(b->x), name);
	if (!t || (t->flags & NF_HIDDEN)) return no_type(L, b, name);
	if (t->flags & NF_SINK) return luaL_error(L, "g.%s: a composition cannot write files", name);
	lua_pushlightuserdata(L, (void *)(uintptr_t)t);
	lua_pushcclosure(L, make, 1);
	return 1;
}

static int g_newindex(lua_State *L) { return luaL_error(L, "g cannot be changed"); }

static void push_g(lua_State *L)
{
	luaL_newmetatable(L, NODE);
	lua_pushstring(L, "node");
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
	lua_newtable(L);
	lua_newtable(L);
	lua_pushcfunction(L, g_index);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, g_newindex);
	lua_setfield(L, -2, "__newindex");
	lua_pushstring(L, "graph");
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
}

/* src: the composite's own inputs; a list slot is a list. */
static void push_src(lua_State *L, struct building *b)
{
	struct slot slot[NODE_MAX_SLOTS];
	int ns = node_slots(b->n->type, slot);
	lua_newtable(L);
	for (int i = 0; i < ns; i++) {
		if (slot[i].list) {
			lua_newtable(L);
			for (int c = i; c < b->n->nconn; c++) {
				struct xnode *x = expand_input(b->x, c);
				if (!x) continue;
				push_node(L, x);
				lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
			}
		} else if (i < b->n->nconn && expand_input(b->x, i)) push_node(L, expand_input(b->x, i));
		else continue;
		lua_setfield(L, -2, slot[i].name);
	}
}

static int build_entry(lua_State *L)
{
	struct building *b = vm_of(L)->call;
	vm_decl(L, b->st->index, "build");
	push_g(L);
	vm_params(L, b->n);
	push_src(L, b);
	lua_call(L, 3, 1);
	struct xnode *out = to_node(L, -1);
	if (!out)
		return luaL_error(L, "build of '%s' must return a node; it returns a %s", b->n->type->name,
		    luaL_typename(L, -1));
	expand_output(b->x, out);
	return 0;
}

int script_expand(struct expand *x, const struct node_ctx *n, struct err *e)
{
	struct building b = { .x = x, .n = n, .st = n->type->user };
	struct script_vm *vm = script_open(b.st->file, e);
	if (!vm) return -1;
	int rc = vm_run(vm, build_entry, &b, e);
	vm_free(&vm);
	return rc;
}
