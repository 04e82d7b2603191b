/* script - the host: script files loaded once, their node types and rules, states in which they
 * run.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "script_int.h"

#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

static const char decls_key;

/* --- files --- */

static bool holds_prelude(const char *dir)
{
	char path[PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/prelude.lua", dir);
	return access(path, R_OK) == 0;
}

int script_share(char *out, size_t size, struct err *e)
{
	static const char *const beside[] = { "../share/interneg/lua", "lua", "../lua" };
	const char *share = getenv("INTERNEG_SHARE");
	char exe[PATH_MAX];
	if (share && *share) {
		snprintf(out, size, "%s/lua", share);
		if (holds_prelude(out)) return 0;
		return err_set(e, E_SCRIPT, "INTERNEG_SHARE=%s holds no lua/prelude.lua", share);
	}
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	exe[n > 0 ? n : 0] = 0;
	char *slash = strrchr(exe, '/');
	if (slash) *slash = 0;
	for (size_t i = 0; i < IN_COUNT(beside); i++) {
		snprintf(out, size, "%s/%s", exe, beside[i]);
		if (holds_prelude(out)) return 0;
	}
	return err_set(e, E_SCRIPT, "cannot find the program's Lua files beside %s; set INTERNEG_SHARE "
	               "to the folder that holds lua/prelude.lua", exe);
}

char *script_text(const char *path, struct arena *a, size_t *len, struct err *e)
{
	struct stat st;
	/* a pipe would make fopen wait */
	FILE *f = stat(path, &st) == 0 && !S_ISREG(st.st_mode) ? NULL : fopen(path, "rb");
	char *text = NULL;
	if (!f && stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		err_set(e, E_SCRIPT, "script %s is not a file", path);
		return NULL;
	}
	if (!f) { err_set(e, E_SCRIPT, "cannot open script %s: %s", path,
	    strerror(errno)); return NULL; }
	if (fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode))
		err_set(e, E_SCRIPT, "script %s is not a file", path);
	else if (st.st_size > SCRIPT_MAX_BYTES)
		err_set(e, E_SCRIPT, "script %s is over %d KiB", path, SCRIPT_MAX_BYTES >> 10);
	else {
		text = arena_alloc(a, (size_t)st.st_size + 1, 1);
		*len = fread(text, 1, (size_t)st.st_size, f);
	}
	fclose(f);
	return text;
}

/* The identity of what a script means: its text, the prelude's, and the version of the layer. */
static void file_hash(struct host *h, struct script_file *f)
{
	struct sha s;
	struct err e = ERR_INIT;
	sha_init(&s);
	sha_str(&s, SCRIPT_VERSION);
	if (host_prelude(h, &e) == 0) sha_add(&s, h->prelude_text, h->prelude_len);
	sha_u64(&s, h->prelude_len);
	sha_add(&s, f->text, f->len);
	f->hash = sha_end(&s);
	key_hex(&f->hash, f->hex);
}

static struct script_file *file_find(const struct host *h, const char *path)
{
	for (struct script_file *f = h->file; f; f = f->next)
		if (strcmp(f->path, path) == 0) return f;
	return NULL;
}

int script_read(struct host *h, const char *path, struct script_file **out, struct err *e)
{
	char real[PATH_MAX];
	if (!realpath(path, real))
		return err_set(e, E_SCRIPT, "cannot open script %s: %s", path, strerror(errno));
	struct script_file *f = file_find(h, real);
	if (!f) {
		f = arena_alloc(h->a, 1, sizeof *f);
		f->path = arena_strdup(h->a, real);
		f->shown = arena_strdup(h->a, path);
		if (!(f->text = script_text(real, h->a, &f->len, e))) return -1;
		file_hash(h, f);
		f->host = h;
	}
	*out = f;
	return 0;
}

/* --- states --- */

/* Runs the file and keeps what it returns as an array of declarations. */
static int run_file(lua_State *L)
{
	const struct script_file *f = vm_of(L)->call;
	if (f->code.n) vm_code(L, &f->code, "=script");
	else vm_text(L, f->text, f->len, "=script");
	lua_call(L, 0, 1);
	if (lua_type(L, -1) != LUA_TTABLE)
		return luaL_error(L, "the script must return node{...}, rule{...}, or a list of them; it returns a %s",
		                  luaL_typename(L, -1));
	lua_getfield(L, -1, "decl");
	bool single = !lua_isnil(L, -1);
	lua_pop(L, 1);
	if (single) {
		lua_createtable(L, 1, 0);
		lua_insert(L, -2);
		lua_rawseti(L, -2, 1);
	}
	lua_rawsetp(L, LUA_REGISTRYINDEX, &decls_key);
	return 0;
}

struct script_vm *script_open(const struct script_file *f, struct err *e)
{
	struct script_vm *vm = vm_new(f->host, f->shown, e);
	if (vm && vm_run(vm, run_file, (void *)(uintptr_t)f, e) < 0) vm_free(&vm);
	if (vm) vm->steps = 0;
	return vm;
}

void vm_decls(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &decls_key);
}

void vm_decl(lua_State *L, int index, const char *field)
{
	vm_decls(L);
	lua_rawgeti(L, -1, index + 1);
	lua_getfield(L, -1, "decl");
	lua_getfield(L, -1, field);
	lua_replace(L, -4);
	lua_pop(L, 2);
}

/* --- declarations --- */

struct collect { struct host *h; struct script_file *f; struct script_type **type; int ntype; };

static const char *rule_text(lua_State *L, struct host *h, const char *field)
{
	lua_getfield(L, -1, "decl");
	lua_getfield(L, -1, field);
	if (lua_type(L, -1) != LUA_TSTRING || !lua_rawlen(L, -1))
		luaL_error(L, "a rule needs %s=\"...\"", field);
	const char *s = arena_strdup(h->a, lua_tostring(L, -1));
	lua_pop(L, 2);
	return s;
}

static void collect_rule(lua_State *L, struct collect *c, int index)
{
	struct script_file *f = c->f;
	struct script_rule *r = &f->rule[f->nrule];
	*r = (struct script_rule){ rule_text(L, c->h, "id"), rule_text(L, c->h, "doc"), f->shown };
	lua_getfield(L, -1, "decl");
	lua_getfield(L, -1, "check");
	if (!lua_isfunction(L, -1))
		luaL_error(L, "rule '%s' needs check = function(graph) ... end", r->id);
	lua_pop(L, 2);
	f->rule_index[f->nrule++] = index;
}

/* node{ or rule{ called in a tail call leaves no line behind: the line of its function then. */
static int decl_line(lua_State *L)
{
	static const char *const names[] = { "build", "pixel", "frame", "check" };
	lua_Debug ar;
	int line = 0;
	if (lua_getfield(L, -1, "decl") == LUA_TTABLE)
		for (size_t i = 0; i < IN_COUNT(names) && !line; i++) {
			lua_pushstring(L, names[i]);
			if (lua_rawget(L, -2) == LUA_TFUNCTION &&
			    lua_getinfo(L, ">S", &ar)) { line = ar.linedefined; continue; }
			lua_pop(L, 1);
		}
	lua_pop(L, 1);
	return line;
}

/* One element of the returned list; messages carry the line of its node{ or rule{. */
static void collect_one(lua_State *L, struct collect *c, int index)
{
	if (lua_type(L, -1) != LUA_TTABLE)
		luaL_error(L, "item %d of the returned list is a %s, not node{...} or rule{...}",
	                                              index + 1, luaL_typename(L, -1));
	lua_getfield(L, -1, "kind");
	lua_getfield(L, -2, "line");
	const char *kind = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
	vm_of(L)->decl_line = (int)lua_tointeger(L, -1);
	lua_pop(L, 1);
	if (vm_of(L)->decl_line == 0) {
		lua_pushvalue(L, -2);
		vm_of(L)->decl_line = decl_line(L);
		lua_pop(L, 1);
	}
	bool is_node = strcmp(kind, "node") == 0, is_rule = strcmp(kind, "rule") == 0;
	lua_pop(L, 1);
	if (!is_node && !is_rule)
		luaL_error(L, "item %d of the returned list is not node{...} or rule{...}", index + 1);
	if (is_rule) { collect_rule(L, c, index); return; }
	struct script_type *st = arena_alloc(c->h->a, 1, sizeof *st);
	st->file = c->f;
	st->index = index;
	lua_getfield(L, -1, "decl");
	decl_node(L, c->h, st);
	lua_pop(L, 1);
	c->type[c->ntype++] = st;
}

static int collect_entry(lua_State *L)
{
	struct collect *c = vm_of(L)->call;
	vm_decls(L);
	lua_Integer n = luaL_len(L, -1);
	if (n < 1) return luaL_error(L, "the script returns an empty list");
	if (n > 256) return luaL_error(L, "a script declares at most 256 nodes and rules");
	c->type = arena_alloc(c->h->a, (size_t)n, sizeof *c->type);
	c->f->rule = arena_alloc(c->h->a, (size_t)n, sizeof *c->f->rule);
	c->f->rule_index = arena_alloc(c->h->a, (size_t)n, sizeof *c->f->rule_index);
	for (int i = 0; i < (int)n; i++) {
		lua_rawgeti(L, -1, i + 1);
		collect_one(L, c, i);
		lua_pop(L, 1);
	}
	return 0;
}

static int compile_entry(lua_State *L)
{
	struct script_file *f = vm_of(L)->call;
	vm_text(L, f->text, f->len, "=script");
	code_take(L, f->host->a, &f->code);
	return 0;
}

/* Declares the file's types and rules, once. */
static int file_declare(struct host *h, struct script_file *f, int *line, struct err *e)
{
	struct collect c = { .h = h, .f = f };
	*line = 0;
	struct script_vm *vm = host_prelude(h, e) < 0 ? NULL : vm_new(h, f->shown, e);
	if (!vm) return -1;
	int rc = vm_run(vm, compile_entry, f, e);
	if (rc == 0) rc = vm_run(vm, run_file, f, e);
	if (rc == 0) rc = vm_run(vm, collect_entry, &c, e);
	*line = vm->err_line;
	vm_free(&vm);
	if (rc < 0) return -1;
	f->type = arena_alloc(h->a, (size_t)c.ntype + 1, sizeof *f->type);
	for (int i = 0; i < c.ntype; i++) {
		struct script_type *st = c.type[i];
		if (st->kind == SCRIPT_PIXEL) st->cache = trace_cache_new();
		h->types = grow(h->types, (size_t)h->ntypes, &h->ctypes, sizeof *h->types);
		h->types[h->ntypes++] = st;
		f->type[f->ntype++] = &st->type;
	}
	f->next = h->file;
	h->file = f;
	return 0;
}

int script_add(struct host *h, const char *path, struct script_file **out, struct diags *d,
               const char *from, int from_line)
{
	struct err e = ERR_INIT;
	struct script_file *f = NULL;
	int line = 0;
	if (script_read(h, path, &f, &e) < 0) {
		diag_add(d, DIAG_ERROR, E_SCRIPT, from, from_line, "", "", "%s", e.msg);
		return -1;
	}
	*out = f;
	if (f->type) return 0;
	if (file_declare(h, f, &line, &e) == 0) return 0;
	/* the message begins with the place that the finding carries by itself */
	char place[PATH_MAX + 32];
	if (line) snprintf(place, sizeof place, "%s:%d: ", f->shown, line);
	else snprintf(place, sizeof place, "%s: ", f->shown);
	size_t n = strlen(place);
	const char *msg = strncmp(e.msg, place, n) == 0 ? e.msg + n : e.msg;
	diag_add(d, DIAG_ERROR, e.code, f->shown, line, "", "", "%s", msg);
	return -1;
}

static bool registry_has(const struct registry *r, const struct node_type *t)
{
	for (int i = 0; i < r->nextra; i++)
		if (r->extra[i] == t) return true;
	return false;
}

static int host_load(struct script_host *face, struct registry *reg, const char *path,
                     const char *from_file, int line, struct diags *d)
{
	struct host *h = face->self;
	struct script_file *f = NULL;
	struct err e = ERR_INIT;
	int rc = script_add(h, path, &f, d, from_file, line);
	for (int i = 0; rc == 0 && i < f->ntype; i++) {
		if (registry_has(reg, f->type[i])) continue;
		if (registry_add(reg, f->type[i], &e) < 0) {
			diag_add(d, DIAG_ERROR, E_SCRIPT, from_file, line, "", "", "script %s: %s", f->shown,
			    e.msg);
			err_clear(&e);
			rc = -1;
		}
	}
	return rc;
}

struct script_host *script_host_new(void)
{
	struct host *h = xalloc(1, sizeof *h);
	h->a = arena_new();
	h->face = (struct script_host){ .self = h, .load = host_load, .eval = script_eval };
	return &h->face;
}

void script_host_free(struct script_host **face)
{
	if (!*face) return;
	struct host *h = (*face)->self;
	for (int i = 0; i < h->ntypes; i++) trace_cache_free(&h->types[i]->cache);
	free(h->types);
	vm_free(&h->eval);
	arena_free(&h->a);
	free(h);
	*face = NULL;
}
