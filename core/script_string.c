/* script_string - the string and utf8 tables of scripts; format shows no addresses, case is that
 * of ASCII.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "script_int.h"

#include <ctype.h>
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static size_t start_pos(lua_Integer i, size_t len)
{
	if (i > 0) return (size_t)i;
	if (i == 0 || i < -(lua_Integer)len) return 1;
	return len + (size_t)i + 1;
}

/* --- format --- */

static void add_number(lua_State *L, luaL_Buffer *b, const char *spec, char conv, int arg)
{
	char out[512], fmt[32];
	size_t n = strlen(spec);
	if (strchr("aAeEfFgG", conv)) {
		snprintf(fmt, sizeof fmt, "%s%c", spec, conv);
		double x = luaL_checknumber(L, arg);
		if (isnan(x)) x = (double)NAN;
		snprintf(out, sizeof out, fmt, x);
	} else {
		snprintf(fmt, sizeof fmt, "%.*sll%c", (int)n, spec, conv == 'i' ? 'd' : conv);
		snprintf(out, sizeof out, fmt, (long long)luaL_checkinteger(L, arg));
	}
	luaL_addstring(b, out);
}

static void add_string(lua_State *L, luaL_Buffer *b, const char *spec, int arg)
{
	char out[256], fmt[32];
	size_t l;
	vm_tostring(L, arg);
	const char *s = lua_tolstring(L, -1, &l);
	if (spec[1] == 0) { luaL_addvalue(b); return; }
	if (strlen(s) != l) luaL_error(L, "string.format: a string with zeros in it cannot be padded");
	snprintf(fmt, sizeof fmt, "%ss", spec);
	if (l >= 100 && !strchr(spec, '.')) luaL_addvalue(b);
	else {
		snprintf(out, sizeof out, fmt, s);
		lua_pop(L, 1);
		luaL_addstring(b, out);
	}
}

/* "%-08.3" at p into spec; the conversion character's place. Width and precision have two digits
 * at most. */
static const char *read_spec(lua_State *L, const char *p, char spec[16])
{
	size_t n = 1 + strspn(p + 1, "-+ #0"), digits = strspn(p + n, "0123456789");
	bool bad = n > 6 || digits > 2;
	n += digits;
	if (p[n] == '.') {
		digits = strspn(p + n + 1, "0123456789");
		bad = bad || digits > 2;
		n += 1 + digits;
	}
	if (bad || n > 14) luaL_error(L, "string.format: invalid conversion '%%'");
	memcpy(spec, p, n);
	spec[n] = 0;
	return p + n;
}

static int l_format(lua_State *L)
{
	size_t l;
	int arg = 1, top = lua_gettop(L);
	const char *p = luaL_checklstring(L, 1, &l), *end = p + l;
	luaL_Buffer b;
	luaL_buffinit(L, &b);
	for (; p < end; p++) {
		char spec[16];
		if (*p != '%') { luaL_addchar(&b, *p); continue; }
		if (p[1] == '%') { luaL_addchar(&b, *p++); continue; }
		p = read_spec(L, p, spec);
		if (++arg > top) return luaL_argerror(L, arg, "no value");
		if (*p == 's') add_string(L, &b, spec, arg);
		else if (*p == 'c') luaL_addchar(&b, (char)luaL_checkinteger(L, arg));
		else if (*p && strchr("dioxXaAeEfFgG", *p)) add_number(L, &b, spec, *p, arg);
		else if (*p == 'p') return luaL_error(L, "string.format: addresses are not shown (%%p)");
		else return luaL_error(L, "string.format: no conversion '%%%c'", *p ? *p : ' ');
	}
	luaL_pushresult(&b);
	return 1;
}

/* --- plain functions --- */

static int l_len(lua_State *L)
{
	size_t l;
	luaL_checklstring(L, 1, &l);
	lua_pushinteger(L, (lua_Integer)l);
	return 1;
}

static lua_Integer end_pos(lua_Integer i, size_t len)
{
	if (i > (lua_Integer)len) return (lua_Integer)len;
	if (i >= 0) return i;
	return i < -(lua_Integer)len ? 0 : (lua_Integer)len + i + 1;
}

static int l_sub(lua_State *L)
{
	size_t l;
	const char *s = luaL_checklstring(L, 1, &l);
	lua_Integer from = (lua_Integer)start_pos(luaL_checkinteger(L, 2), l),
	    to = end_pos(luaL_optinteger(L, 3, -1), l);
	if (from > to) lua_pushliteral(L, "");
	else lua_pushlstring(L, s + from - 1, (size_t)(to - from + 1));
	return 1;
}

static int each_byte(lua_State *L, int (*f)(int), bool reverse)
{
	size_t l;
	luaL_Buffer b;
	const char *s = luaL_checklstring(L, 1, &l);
	vm_charge(L, l / 8);
	char *d = luaL_buffinitsize(L, &b, l);
	for (size_t i = 0; i < l; i++) {
		unsigned char c = (unsigned char)s[reverse ? l - 1 - i : i];
		d[i] = (char)(f && c < 128 ? f(c) : c);
	}
	luaL_pushresultsize(&b, l);
	return 1;
}
static int l_upper(lua_State *L) { return each_byte(L, toupper, false); }
static int l_lower(lua_State *L) { return each_byte(L, tolower, false); }
static int l_reverse(lua_State *L) { return each_byte(L, NULL, true); }

static int l_rep(lua_State *L)
{
	size_t l, ls;
	const char *s = luaL_checklstring(L, 1, &l), *sep = luaL_optlstring(L, 3, "", &ls);
	lua_Integer n = luaL_checkinteger(L, 2);
	if (n <= 0) { lua_pushliteral(L, ""); return 1; }
	if (l + ls != 0 && (size_t)n > SCRIPT_MAX_STRING / (l + ls))
		return luaL_error(L, "string.rep: the result would be over %d KiB",
		    SCRIPT_MAX_STRING >> 10);
	if (l + ls == 0) { lua_pushliteral(L, ""); return 1; }
	luaL_Buffer b;
	luaL_buffinit(L, &b);
	vm_charge(L, (uint64_t)n);
	for (lua_Integer i = 0; i < n; i++) {
		luaL_addlstring(&b, s, l);
		if (i + 1 < n) luaL_addlstring(&b, sep, ls);
	}
	luaL_pushresult(&b);
	return 1;
}

static int l_byte(lua_State *L)
{
	size_t l;
	const char *s = luaL_checklstring(L, 1, &l);
	lua_Integer i = luaL_optinteger(L, 2, 1);
	lua_Integer from = (lua_Integer)start_pos(i, l), to = end_pos(luaL_optinteger(L, 3, from), l);
	if (from > to) return 0;
	if (to - from >= 4000) return luaL_error(L, "string.byte: too many results");
	luaL_checkstack(L, (int)(to - from) + 1, NULL);
	for (lua_Integer k = from; k <= to; k++) lua_pushinteger(L, (unsigned char)s[k - 1]);
	return (int)(to - from) + 1;
}

static int l_char(lua_State *L)
{
	int n = lua_gettop(L);
	luaL_Buffer b;
	char *d = luaL_buffinitsize(L, &b, (size_t)n);
	for (int i = 1; i <= n; i++) {
		lua_Unsigned c = (lua_Unsigned)luaL_checkinteger(L, i);
		luaL_argcheck(L, c <= 255, i, "value out of range");
		d[i - 1] = (char)c;
	}
	luaL_pushresultsize(&b, (size_t)n);
	return 1;
}

int open_string(lua_State *L)
{
	static const luaL_Reg own[] = {
		{ "format", l_format }, { "len", l_len }, { "sub", l_sub }, { "upper", l_upper },
		    { "lower", l_lower },
		{ "reverse", l_reverse }, { "rep", l_rep }, { "byte", l_byte }, { "char", l_char },
		    { NULL, NULL } };
	lua_newtable(L);
	luaL_setfuncs(L, own, 0);
	add_patterns(L);
	return 1;
}

/* --- utf8: char and len are all that names and titles need --- */

static int l_uchar(lua_State *L)
{
	int n = lua_gettop(L);
	luaL_Buffer b;
	luaL_buffinit(L, &b);
	for (int i = 1; i <= n; i++) {
		lua_Integer c = luaL_checkinteger(L, i);
		luaL_argcheck(L, c >= 0 && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff), i, "no character");
		lua_pushfstring(L, "%U", (long)c);
		luaL_addvalue(&b);
	}
	luaL_pushresult(&b);
	return 1;
}

static int l_ulen(lua_State *L)
{
	size_t l, n = 0;
	const char *s = luaL_checklstring(L, 1, &l);
	vm_charge(L, l / 8);
	for (size_t i = 0; i < l; n++) {
		unsigned char c = (unsigned char)s[i];
		size_t w = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3
		    : c >= 0xf0 && c < 0xf5 ? 4 : 0;
		for (size_t k = 1; k < w; k++)
			if (i + k >= l || ((unsigned char)s[i + k] & 0xc0) != 0x80) w = 0;
		if (!w) { lua_pushnil(L); lua_pushinteger(L, (lua_Integer)i + 1); return 2; }
		i += w;
	}
	lua_pushinteger(L, (lua_Integer)n);
	return 1;
}

int open_utf8(lua_State *L)
{
	static const luaL_Reg own[] = { { "char", l_uchar }, { "len", l_ulen }, { NULL, NULL } };
	lua_newtable(L);
	luaL_setfuncs(L, own, 0);
	return 1;
}
