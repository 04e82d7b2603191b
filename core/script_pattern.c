/* script_pattern - find, match, gmatch and gsub of scripts: own code that counts its steps (Lua's
 * own can take exponential time inside one instruction). The pattern language is that of the Lua
 * 5.4 manual, section 6.4.1.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "script_int.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

enum { MAX_CAPTURES = 32, MAX_DEPTH = 150, OPEN = -1, POSITION = -2 };

struct match {
	lua_State *L;
	const char *src, *end, *pat_end;
	int depth, ncap;
	struct { const char *at; ptrdiff_t len; } cap[MAX_CAPTURES];
	unsigned steps;
};

static const char *match_here(struct match *m, const char *s, const char *p);

static void step(struct match *m)
{
	if ((++m->steps & 255) == 0) vm_charge(m->L, 256);
}

/* One past the single-character class at p. */
static const char *class_end(struct match *m, const char *p)
{
	if (p == m->pat_end) luaL_error(m->L, "malformed pattern (ends with '%%')");
	if (*p == '%') {
		if (p + 1 == m->pat_end) luaL_error(m->L, "malformed pattern (ends with '%%')");
		return p + 2;
	}
	if (*p++ != '[') return p;
	if (p < m->pat_end && *p == '^') p++;
	do {
		if (p == m->pat_end) luaL_error(m->L, "malformed pattern (missing ']')");
		if (*p++ == '%') {
			if (p == m->pat_end) luaL_error(m->L, "malformed pattern (missing ']')");
			p++;
		}
	} while (p == m->pat_end || *p != ']');
	return p + 1;
}

/* ASCII only: classes do not depend on a locale. */
static bool in_class(unsigned char c, unsigned char cl)
{
	bool r, low = c < 128;
	switch (cl | 32) {
	case 'a': r = low && isalpha(c); break;
	case 'c': r = low && iscntrl(c); break;
	case 'd': r = low && isdigit(c); break;
	case 'g': r = low && isgraph(c); break;
	case 'l': r = low && islower(c); break;
	case 'p': r = low && ispunct(c); break;
	case 's': r = low && isspace(c); break;
	case 'u': r = low && isupper(c); break;
	case 'w': r = low && isalnum(c); break;
	case 'x': r = low && isxdigit(c); break;
	default: return cl == c;
	}
	return cl >= 'A' && cl <= 'Z' ? !r : r;
}

/* c against the set from '[' at p to ']' at close. */
static bool in_set(struct match *m, unsigned char c, const char *p, const char *close)
{
	bool yes = true;
	if (*++p == '^') { yes = false; p++; }
	for (; p < close; p++) {
		step(m);
		if (*p == '%') {
			if (in_class(c, (unsigned char)*++p)) return yes;
		} else if (p + 2 < close && p[1] == '-') {
			if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2]) return yes;
			p += 2;
		} else if ((unsigned char)*p == c) return yes;
	}
	return !yes;
}

static bool one(struct match *m, const char *s, const char *p, const char *ep)
{
	step(m);
	if (s >= m->end) return false;
	unsigned char c = (unsigned char)*s;
	if (*p == '.') return true;
	if (*p == '%') return in_class(c, (unsigned char)p[1]);
	if (*p == '[') return in_set(m, c, p, ep - 1);
	return (unsigned char)*p == c;
}

static const char *balanced(struct match *m, const char *s, const char *p)
{
	if (p + 1 >= m->pat_end) luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
	if (s >= m->end || *s != p[0]) return NULL;
	int depth = 1;
	for (const char *q = s + 1; q < m->end; q++) {
		step(m);
		if (*q == p[1]) {
			if (--depth == 0) return q + 1;
		} else if (*q == p[0]) depth++;
	}
	return NULL;
}

static const char *greedy(struct match *m, const char *s, const char *p, const char *ep)
{
	ptrdiff_t n = 0;
	while (one(m, s + n, p, ep)) n++;
	for (; n >= 0; n--) {
		const char *r = match_here(m, s + n, ep + 1);
		if (r) return r;
	}
	return NULL;
}

static const char *lazy(struct match *m, const char *s, const char *p, const char *ep)
{
	for (;; s++) {
		const char *r = match_here(m, s, ep + 1);
		if (r) return r;
		if (!one(m, s, p, ep)) return NULL;
	}
}

static const char *open_capture(struct match *m, const char *s, const char *p, ptrdiff_t what)
{
	if (m->ncap >= MAX_CAPTURES) luaL_error(m->L, "too many captures");
	m->cap[m->ncap].at = s;
	m->cap[m->ncap].len = what;
	m->ncap++;
	const char *r = match_here(m, s, p);
	if (!r) m->ncap--;
	return r;
}

static const char *close_capture(struct match *m, const char *s, const char *p)
{
	int i = m->ncap - 1;
	while (i >= 0 && m->cap[i].len != OPEN) i--;
	if (i < 0) luaL_error(m->L, "invalid pattern capture");
	m->cap[i].len = s - m->cap[i].at;
	const char *r = match_here(m, s, p);
	if (!r) m->cap[i].len = OPEN;
	return r;
}

static const char *back_reference(struct match *m, const char *s, int digit)
{
	int i = digit - '1';
	if (i < 0 || i >= m->ncap || m->cap[i].len == OPEN)
		luaL_error(m->L, "invalid capture index %%%d", i + 1);
	if (m->cap[i].len == POSITION) return NULL;
	size_t len = (size_t)m->cap[i].len;
	vm_charge(m->L, len / 64);
	if ((size_t)(m->end - s) < len || memcmp(m->cap[i].at, s, len) != 0) return NULL;
	return s + len;
}

/* %f[set]: a border where the set begins to hold. Moves *p behind it. */
static bool frontier(struct match *m, const char *s, const char **p)
{
	const char *set = *p + 2;
	if (set >= m->pat_end || *set != '[') luaL_error(m->L, "missing '[' after '%%f' in pattern");
	const char *ep = class_end(m, set);
	unsigned char before = s == m->src ? 0 : (unsigned char)s[-1], here = s < m->end
	    ? (unsigned char)*s : 0;
	*p = ep;
	return !in_set(m, before, set, ep - 1) && in_set(m, here, set, ep - 1);
}

/* What is no plain item: 1 handled with *r the outcome, 2 go on at *s and *p, 0 not special. */
static int special(struct match *m, const char **s, const char **p, const char **r)
{
	const char *q = *p;
	if (*q == '(') {
		bool pos = q + 1 < m->pat_end && q[1] == ')';
		*r = open_capture(m, *s, q + (pos ? 2 : 1), pos ? POSITION : OPEN);
		return 1;
	}
	if (*q == ')') { *r = close_capture(m, *s, q + 1); return 1; }
	if (*q == '$' && q + 1 == m->pat_end) { *r = *s == m->end ? *s : NULL; return 1; }
	if (*q != '%' || q + 1 >= m->pat_end) return 0;
	if (q[1] == 'b') {
		*s = balanced(m, *s, q + 2);
		*p = q + 4;
	} else if (q[1] == 'f') {
		if (!frontier(m, *s, p)) *s = NULL;
	} else if (q[1] >= '0' && q[1] <= '9') {
		*s = back_reference(m, *s, (unsigned char)q[1]);
		*p = q + 2;
	} else return 0;
	*r = NULL;
	return *s ? 2 : 1;
}

static const char *match_here(struct match *m, const char *s, const char *p)
{
	const char *r = NULL;
	if (++m->depth > MAX_DEPTH) luaL_error(m->L, "pattern too complex");
	while (true) {
		step(m);
		if (p == m->pat_end) { r = s; break; }
		int sp = special(m, &s, &p, &r);
		if (sp == 1) break;
		if (sp == 2) continue;
		const char *ep = class_end(m, p);
		char q = ep < m->pat_end ? *ep : 0;
		if (q == '*') { r = greedy(m, s, p, ep); break; }
		if (q == '+') { r = one(m, s, p, ep) ? greedy(m, s + 1, p, ep) : NULL; break; }
		if (q == '-') { r = lazy(m, s, p, ep); break; }
		bool hit = one(m, s, p, ep);
		if (q == '?') {
			if (hit && (r = match_here(m, s + 1, ep + 1))) break;
			p = ep + 1;
			continue;
		}
		if (!hit) break;
		s++;
		p = ep;
	}
	m->depth--;
	return r;
}

/* Pushes capture i, or the whole match when there are none. */
static void push_capture(struct match *m, int i, const char *s, const char *e)
{
	if (i >= m->ncap) {
		if (i != 0) luaL_error(m->L, "invalid capture index %%%d", i + 1);
		lua_pushlstring(m->L, s, (size_t)(e - s));
	} else if (m->cap[i].len == POSITION) lua_pushinteger(m->L, m->cap[i].at - m->src + 1);
	else if (m->cap[i].len == OPEN) luaL_error(m->L, "unfinished capture");
	else lua_pushlstring(m->L, m->cap[i].at, (size_t)m->cap[i].len);
}

static int push_captures(struct match *m, const char *s, const char *e)
{
	int n = m->ncap == 0 && s ? 1 : m->ncap;
	luaL_checkstack(m->L, n, "too many captures");
	for (int i = 0; i < n; i++) push_capture(m, i, s, e);
	return n;
}

static size_t start_pos(lua_Integer i, size_t len)
{
	if (i > 0) return (size_t)i;
	if (i == 0 || i < -(lua_Integer)len) return 1;
	return len + (size_t)i + 1;
}

static const char *plain_find(lua_State *L, const char *s, size_t ls, const char *p, size_t lp)
{
	vm_charge(L, ls / 16 + 1);
	return memmem(s, ls, p, lp);
}

static bool has_specials(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] && strchr("^$*+?.([%-", p[i])) return true;
	return false;
}

static int find(lua_State *L, bool is_find)
{
	size_t ls, lp;
	const char *s = luaL_checklstring(L, 1, &ls), *p = luaL_checklstring(L, 2, &lp);
	size_t init = start_pos(luaL_optinteger(L, 3, 1), ls) - 1;
	if (init > ls) { lua_pushnil(L); return 1; }
	if (is_find && (lua_toboolean(L, 4) || !has_specials(p, lp))) {
		const char *at = plain_find(L, s + init, ls - init, p, lp);
		if (!at) { lua_pushnil(L); return 1; }
		lua_pushinteger(L, at - s + 1);
		lua_pushinteger(L, at - s + (lua_Integer)lp);
		return 2;
	}
	bool anchor = lp > 0 && *p == '^';
	struct match m = { .L = L, .src = s, .end = s + ls, .pat_end = p + lp };
	for (const char *at = s + init; at <= m.end; at++) {
		m.ncap = m.depth = 0;
		const char *e = match_here(&m, at, p + anchor);
		if (e && !is_find) return push_captures(&m, at, e);
		if (e) {
			lua_pushinteger(L, at - s + 1);
			lua_pushinteger(L, e - s);
			return push_captures(&m, NULL, NULL) + 2;
		}
		if (anchor) break;
	}
	lua_pushnil(L);
	return 1;
}

static int l_find(lua_State *L) { return find(L, true); }
static int l_match(lua_State *L) { return find(L, false); }

/* Upvalues: string, pattern, next place, end of the last match. */
static int gmatch_step(lua_State *L)
{
	size_t ls, lp;
	const char *s = lua_tolstring(L, lua_upvalueindex(1), &ls),
	    *p = lua_tolstring(L, lua_upvalueindex(2), &lp);
	lua_Integer at = lua_tointeger(L, lua_upvalueindex(3)),
	    last = lua_tointeger(L, lua_upvalueindex(4));
	struct match m = { .L = L, .src = s, .end = s + ls, .pat_end = p + lp };
	for (; at <= (lua_Integer)ls; at++) {
		m.ncap = m.depth = 0;
		const char *e = match_here(&m, s + at, p);
		if (!e || e - s == last) continue;
		lua_pushinteger(L, e - s);
		lua_copy(L, -1, lua_upvalueindex(3));
		lua_replace(L, lua_upvalueindex(4));
		return push_captures(&m, s + at, e);
	}
	lua_pushinteger(L, (lua_Integer)ls + 1);
	lua_replace(L, lua_upvalueindex(3));
	return 0;
}

static int l_gmatch(lua_State *L)
{
	size_t ls;
	luaL_checklstring(L, 1, &ls);
	luaL_checkstring(L, 2);
	lua_Integer init = (lua_Integer)start_pos(luaL_optinteger(L, 3, 1), ls) - 1;
	lua_settop(L, 2);
	lua_pushinteger(L, init);
	lua_pushinteger(L, -1);
	lua_pushcclosure(L, gmatch_step, 4);
	return 1;
}

static void add_text(struct match *m, luaL_Buffer *b, const char *s, const char *e)
{
	size_t l;
	const char *news = lua_tolstring(m->L, 3, &l), *end = news + l;
	for (const char *p = news; p < end; p++) {
		step(m);
		if (*p != '%') { luaL_addchar(b, *p); continue; }
		p++;
		if (p < end && *p == '%') luaL_addchar(b, '%');
		else if (p < end && *p == '0') luaL_addlstring(b, s, (size_t)(e - s));
		else if (p < end && *p >= '1' && *p <= '9') {
			push_capture(m, *p - '1', s, e);
			lua_tostring(m->L, -1);
			luaL_addvalue(b);
		} else luaL_error(m->L, "invalid use of '%%' in replacement string");
	}
}

/* The replacement of one match goes into b; true when it changed anything. */
static void add_value(struct match *m, luaL_Buffer *b, const char *s, const char *e)
{
	lua_State *L = m->L;
	int t = lua_type(L, 3);
	if (t == LUA_TSTRING || t == LUA_TNUMBER) { add_text(m, b, s, e); return; }
	if (t == LUA_TFUNCTION) {
		lua_pushvalue(L, 3);
		lua_call(L, push_captures(m, s, e), 1);
	} else {
		push_capture(m, 0, s, e);
		lua_gettable(L, 3);
	}
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		luaL_addlstring(b, s, (size_t)(e - s));
	} else if (lua_isstring(L, -1)) luaL_addvalue(b);
	else luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
}

static int l_gsub(lua_State *L)
{
	size_t ls, lp;
	const char *s = luaL_checklstring(L, 1, &ls), *p = luaL_checklstring(L, 2, &lp), *last = NULL;
	int t = lua_type(L, 3);
	lua_Integer max = luaL_optinteger(L, 4, (lua_Integer)ls + 1), n = 0;
	luaL_argexpected(L, t == LUA_TNUMBER || t == LUA_TSTRING || t == LUA_TFUNCTION ||
	    t == LUA_TTABLE, 3,
	                 "string/function/table");
	if (t == LUA_TNUMBER) lua_tostring(L, 3);
	bool anchor = lp > 0 && *p == '^';
	struct match m = { .L = L, .src = s, .end = s + ls, .pat_end = p + lp };
	luaL_Buffer b;
	luaL_buffinit(L, &b);
	while (n < max) {
		m.ncap = m.depth = 0;
		const char *e = match_here(&m, s, p + anchor);
		if (e && e != last) {
			n++;
			add_value(&m, &b, s, e);
			s = last = e;
		} else if (s < m.end) luaL_addchar(&b, *s++);
		else break;
		if (anchor) break;
	}
	if (s < m.end) luaL_addlstring(&b, s, (size_t)(m.end - s));
	luaL_pushresult(&b);
	lua_pushinteger(L, n);
	return 2;
}

void add_patterns(lua_State *L)
{
	static const luaL_Reg own[] = { { "find", l_find }, { "match", l_match },
	    { "gmatch", l_gmatch },
		{ "gsub", l_gsub }, { NULL, NULL } };
	luaL_setfuncs(L, own, 0);
}
