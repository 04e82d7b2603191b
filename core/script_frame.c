/* script_frame - frame functions: whole planes in Lua, row by row, in a state of the call's own.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "script_int.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#define PLANE "interneg.plane"
enum { STEPS_PER_PIXEL = 400 };

/* One channel of a picture; x and y count from 0 at the output's upper left corner. */
struct plane { const struct view *v; int chan; bool writes; struct rect out; };

static struct plane *check_plane(lua_State *L)
{
	return luaL_checkudata(L, 1, PLANE);
}

static double pixel(const struct plane *p, int x, int y)
{
	x += p->out.x0;
	y += p->out.y0;
	const struct rect *r = &p->v->r;
	if (x < r->x0 || x >= r->x1 || y < r->y0 || y >= r->y1) return 0;
	return (double)*view_at(p->v, p->chan, x, y);
}

static int coordinate(lua_State *L, int arg)
{
	lua_Integer v = luaL_checkinteger(L, arg);
	luaL_argcheck(L, v > -IN_MAX_SIDE && v < IN_MAX_SIDE, arg, "outside any picture");
	return (int)v;
}

/* plane:get(x, y) */
static int plane_get(lua_State *L)
{
	const struct plane *p = check_plane(L);
	lua_pushnumber(L, pixel(p, coordinate(L, 2), coordinate(L, 3)));
	return 1;
}

static struct plane *output(lua_State *L)
{
	struct plane *p = check_plane(L);
	if (!p->writes) luaL_error(L, "an input cannot be written");
	return p;
}

/* plane:set(x, y, value) */
static int plane_set(lua_State *L)
{
	const struct plane *p = output(L);
	int x = coordinate(L, 2), y = coordinate(L, 3);
	double v = luaL_checknumber(L, 4);
	if (x < 0 || y < 0 || x >= rect_w(p->out) || y >= rect_h(p->out))
		return luaL_error(L, "pixel %d,%d is outside the picture", x, y);
	*view_at(p->v, p->chan, p->out.x0 + x, p->out.y0 + y) = (float)v;
	return 0;
}

/* plane:row(y) -> the row's values, from 1 */
static int plane_row(lua_State *L)
{
	const struct plane *p = check_plane(L);
	int y = coordinate(L, 2), w = rect_w(p->out);
	vm_charge(L, (uint64_t)w);
	lua_createtable(L, w, 0);
	for (int x = 0; x < w; x++) {
		lua_pushnumber(L, pixel(p, x, y));
		lua_rawseti(L, -2, x + 1);
	}
	return 1;
}

/* plane:set_row(y, values) */
static int plane_set_row(lua_State *L)
{
	const struct plane *p = output(L);
	int y = coordinate(L, 2), w = rect_w(p->out);
	luaL_checktype(L, 3, LUA_TTABLE);
	if (y < 0 || y >= rect_h(p->out)) return luaL_error(L, "row %d is outside the picture", y);
	if (luaL_len(L, 3) != w)
		return luaL_error(L, "a row has %d values, %d are given", w, (int)luaL_len(L, 3));
	vm_charge(L, (uint64_t)w);
	float *d = view_at(p->v, p->chan, p->out.x0, p->out.y0 + y);
	for (int x = 0; x < w; x++) {
		if (lua_rawgeti(L, 3, x + 1) != LUA_TNUMBER)
			return luaL_error(L, "row %d: value %d is a %s", y, x + 1, luaL_typename(L, -1));
		d[x] = (float)lua_tonumber(L, -1);
		lua_pop(L, 1);
	}
	return 0;
}

static void open_planes(lua_State *L)
{
	static const luaL_Reg methods[] = { { "get", plane_get }, { "set", plane_set },
	    { "row", plane_row },
		{ "set_row", plane_set_row }, { NULL, NULL } };
	luaL_newmetatable(L, PLANE);
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	vm_freeze(L);
	lua_setfield(L, -2, "__index");
	lua_pushstring(L, "plane");
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

static void push_plane(lua_State *L, const struct view *v, int chan, bool writes, struct rect out)
{
	struct plane *p = lua_newuserdatauv(L, sizeof *p, 0);
	*p = (struct plane){ v, chan, writes, out };
	luaL_setmetatable(L, PLANE);
}

/* A picture: width, height, and its planes as r, g, b (and a). */
static void push_picture(lua_State *L, const struct call *c, const struct view *v,
                         const struct format *f, bool rgba, bool writes)
{
	static const char *const names[4] = { "r", "g", "b", "a" },
	    *const channels[4] = { "R", "G", "B", "A" };
	lua_newtable(L);
	lua_pushinteger(L, rect_w(c->out->r));
	lua_setfield(L, -2, "width");
	lua_pushinteger(L, rect_h(c->out->r));
	lua_setfield(L, -2, "height");
	for (int k = 0; k < (rgba ? 4 : 3); k++) {
		int chan = rgba ? format_channel(f, channels[k]) : k;
		if (chan < 0 || (!rect_empty(v->r) && chan >= v->nch)) continue;
		push_plane(L, v, chan, writes, c->out->r);
		lua_setfield(L, -2, names[k]);
	}
}

/* What the function does not write is input 0. */
static void start_output(const struct call *c)
{
	const struct view *in = c->nin ? &c->in[0] : NULL;
	view_clear(c->out, c->out->r);
	struct rect r = in ? rect_and(in->r, c->out->r) : rect_of(0, 0, 0, 0);
	for (int ch = 0; in && ch < c->out->nch && ch < in->nch; ch++)
		for (int y = r.y0; y < r.y1; y++)
			memcpy(view_at(c->out, ch, r.x0, y), view_at(in, ch, r.x0, y),
			    (size_t)rect_w(r) * sizeof(float));
}

/* frame(p, src, out) */
static int frame_entry(lua_State *L)
{
	const struct call *c = vm_of(L)->call;
	const struct script_type *st = c->n->type->user;
	struct slot slot[NODE_MAX_SLOTS];
	int ns = node_slots(c->n->type, slot);
	open_planes(L);
	vm_decl(L, st->index, "frame");
	vm_params(L, c->n);
	lua_newtable(L);
	for (int i = 0; i < ns && i < c->nin; i++) {
		if (strcmp(slot[i].name, "mask") == 0 || !c->n->in[i]) continue;
		push_picture(L, c, &c->in[i], c->n->in[i], st->rgba, false);
		lua_setfield(L, -2, slot[i].name);
	}
	if (st->time) {
		lua_pushinteger(L, c->frame);
		lua_setfield(L, -2, "frame");
	}
	push_picture(L, c, c->out, c->n->out, st->rgba, true);
	lua_call(L, 3, 0);
	return 0;
}

int script_frame(const struct call *c)
{
	const struct script_type *st = c->n->type->user;
	start_output(c);
	struct script_vm *vm = script_open(st->file, c->err);
	if (!vm) return -1;
	vm->cancel = c->cancel;
	vm->limit += (uint64_t)rect_area(c->out->r) * STEPS_PER_PIXEL;
	int rc = vm_run(vm, frame_entry, (void *)(uintptr_t)c, c->err);
	vm_free(&vm);
	return rc;
}
