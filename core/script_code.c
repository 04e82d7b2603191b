/* script_code - Lua texts compiled once: states that run them again load what was compiled.
 *
 * The sandbox loads compiled code from here alone, never from a file: what a file holds is always
 * compiled from text first.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "script_int.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

struct buffer { char *v; size_t n, cap; };

static int append(lua_State *L, const void *p, size_t n, void *ud)
{
	struct buffer *b = ud;
	(void)L;
	while (b->n + n > b->cap) b->v = xrealloc(b->v, b->cap = b->cap ? 2 * b->cap : 4096, 1);
	memcpy(b->v + b->n, p, n);
	b->n += n;
	return 0;
}

void code_take(lua_State *L, struct arena *a, struct code *c)
{
	struct buffer b = { 0 };
	lua_dump(L, append, &b, 0);
	c->v = memcpy(arena_alloc(a, b.n, 1), b.v, b.n);
	c->n = b.n;
	free(b.v);
}

int host_prelude(struct host *h, struct err *e)
{
	char path[4096];
	size_t len = 0;
	if (h->prelude.n) return 0;
	if (script_share(path, sizeof path - 16, e) < 0) return -1;
	strcat(path, "/prelude.lua");
	char *text = script_text(path, h->a, &len, e);
	if (!text) return -1;
	lua_State *L = luaL_newstate();
	if (!L) return err_set(e, E_MEMORY, "no memory for a Lua state");
	if (luaL_loadbufferx(L, text, len, "=prelude", "t") != LUA_OK)
		err_set(e, E_SCRIPT, "%s: %s", path, lua_tostring(L, -1));
	else {
		code_take(L, h->a, &h->prelude);
		h->prelude_text = text;
		h->prelude_len = len;
	}
	lua_close(L);
	return h->prelude.n ? 0 : -1;
}
