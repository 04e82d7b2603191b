/* script_rules - the pass rules: a table view of the net is handed to Lua checks, whose findings
 * become findings of the scene. Composites are one node here, whatever they are made of; what the
 * core itself inserted (conversions, rounding, proxies) is looked through.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "script_int.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "net_int.h"
#include "picture.h"
#include "script_lock.h"

struct view_node { struct net_node *nn; unsigned traits; };
struct rules {
	struct host *h;
	const struct net *n;
	struct view_node *v; int nv; size_t cap;
	struct arena *a;                     /* texts of the rule running now */
	struct strmap at;                    /* id -> place in v, counted from 1 */
	unsigned *pass_traits;               /* of what stands in each pass */
	const struct lock *lock;
	struct diags *d;
	const struct script_rule *rule; int rule_index;   /* running now */
	bool *waiver_used;
};

/* --- the view --- */

/* The node as the scene has it: the outermost composite that nn is part of. */
static struct net_node *root_of(struct net_node *nn)
{
	while (nn->group) nn = nn->group->owner;
	return nn;
}

/* Inserted by the core: made, but by no composite. */
static bool inserted(const struct net_node *nn)
{
	return !nn->group && strchr(nn->id, '/') != NULL;
}

static struct net_node *seen_through(struct net_node *nn)
{
	while (nn && inserted(nn)) nn = nn->nconn ? nn->conn[0] : NULL;
	return nn ? root_of(nn) : NULL;
}

static int view_index(const struct rules *r, const struct net_node *root)
{
	return (int)(intptr_t)strmap_get(&r->at, root->id) - 1;
}

static void collect_view(struct rules *r)
{
	for (int i = 0; i < r->n->nnode; i++) {
		struct net_node *nn = r->n->node[i];
		if (inserted(nn)) continue;
		unsigned traits = nn->traits;
		for (; nn->group; nn = nn->group->owner) traits |= nn->group->owner->traits;
		int k = view_index(r, nn);
		if (k < 0) {
			r->v = grow(r->v, (size_t)r->nv, &r->cap, sizeof *r->v);
			k = r->nv++;
			r->v[k] = (struct view_node){ nn, 0 };
			strmap_put(&r->at, nn->id, (void *)(intptr_t)r->nv);
		}
		r->v[k].traits |= traits;
		if (r->v[k].nn->pass) r->pass_traits[r->v[k].nn->pass->index] |= traits;
	}
}

static void set_text(lua_State *L, const char *field, const char *s)
{
	if (!s) return;
	lua_pushstring(L, s);
	lua_setfield(L, -2, field);
}

static void set_flag(lua_State *L, const char *field, bool v)
{
	lua_pushboolean(L, v);
	lua_setfield(L, -2, field);
}

static void push_traits(lua_State *L, unsigned traits)
{
	lua_newtable(L);
	for (size_t i = 0; i < SCRIPT_TRAITS; i++)
		if (traits & (1u << i)) set_flag(L, script_traits[i], true);
}

/* Written in the scene, by a <set> or by animation; a default is not. */
static bool is_written(const struct net_node *nn, const struct bind *b, const char *text)
{
	if (b->kind != BIND_CONST) return true;
	for (int i = 0; nn->elem && i < nn->elem->nattr; i++)
		if (strcmp(nn->elem->attr[i].name, b->p->name) == 0) return true;
	struct arena *a = arena_new();
	struct value def = { 0 };
	bool same = value_default(b->p, a, &def) == 0 && strcmp(value_print(b->p, &def, a), text) == 0;
	arena_free(&a);
	return !same;
}

static void push_params(lua_State *L, const struct net_node *nn, struct arena *a)
{
	lua_createtable(L, 0, nn->nbind);
	lua_newtable(L);
	for (int i = 0; i < nn->nbind; i++) {
		const struct bind *b = &nn->bind[i];
		const char *text = b->kind == BIND_CONST ? value_print(b->p, &b->val, a)
		    : b->kind == BIND_EXPR ? b->expr : "animated";
		if (is_written(nn, b, text)) set_flag(L, b->p->name, true);
		lua_pushstring(L, text);
		lua_setfield(L, -3, b->p->name);
	}
}

/* A node's params and written are made when a rule first asks for them: rules look at few nodes. */
static int l_lazy(lua_State *L)
{
	const struct rules *r = vm_of(L)->call;
	const char *field = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
	bool params = strcmp(field, "params") == 0;
	if (!params && strcmp(field, "written") != 0) return 0;
	lua_pushstring(L, "index");
	lua_rawget(L, 1);
	lua_Integer k = lua_tointeger(L, -1);
	if (k < 1 || k > r->nv) return 0;
	push_params(L, r->v[k - 1].nn, r->a);
	lua_pushstring(L, "written");
	lua_pushvalue(L, -2);
	lua_rawset(L, 1);
	lua_pushstring(L, "params");
	lua_pushvalue(L, -3);
	lua_rawset(L, 1);
	lua_pushvalue(L, params ? -2 : -1);
	return 1;
}

static void push_lazy(lua_State *L)
{
	lua_createtable(L, 0, 2);
	lua_pushcfunction(L, l_lazy);
	lua_setfield(L, -2, "__index");
	set_flag(L, "__metatable", false);
}

/* inputs: { slot=, picture=, node= }, where picture says that it feeds pixels (no mask, no
 * reference). */
static void push_inputs(lua_State *L, const struct rules *r, const struct net_node *nn)
{
	lua_newtable(L);
	for (int i = 0; i < nn->nconn; i++) {
		struct net_node *src = nn->conn[i] ? seen_through(nn->conn[i]) : NULL;
		int k = src ? view_index(r, src) : -1;
		if (k < 0) continue;
		const struct slot *s = &nn->slot[nn->conn_slot[i]];
		lua_newtable(L);
		set_text(L, "slot", s->name);
		set_flag(L, "picture", s->image && !s->apart);
		lua_pushinteger(L, k + 1);
		lua_setfield(L, -2, "node");
		lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
	}
	lua_setfield(L, -2, "inputs");
}

static void set_fps(lua_State *L, struct rational fps)
{
	if (!fps.num || !fps.den) return;
	int a = fps.num, b = fps.den;
	while (b) { int t = a % b; a = b; b = t; }
	lua_pushfstring(L, "%d/%d", fps.num / a, fps.den / a);
	lua_setfield(L, -2, "fps");
}

/* What is on disk behind a pinned model. */
static void push_identity(lua_State *L, const struct view_node *vn)
{
	char hex[65];
	if ((vn->traits & TR_AI) && lock_model_hash(&vn->nn->ctx, hex))
		set_text(L, "model_on_disk", hex);
}

/* The metatable of nodes stands below on the stack. */
static void push_node(lua_State *L, const struct rules *r, int k)
{
	const struct view_node *vn = &r->v[k];
	const struct net_node *nn = vn->nn;
	lua_createtable(L, 0, 14);
	set_text(L, "what", "node");
	lua_pushinteger(L, k + 1);
	lua_setfield(L, -2, "index");
	set_text(L, "id", nn->id);
	set_text(L, "type", nn->type->name);
	set_text(L, "file", nn->scene->file);
	lua_pushinteger(L, nn->elem ? nn->elem->line : 0);
	lua_setfield(L, -2, "line");
	set_flag(L, "sink", nn->type->flags & NF_SINK);
	set_fps(L, nn->fmt.fps);
	if (nn->pass) {
		lua_pushinteger(L, nn->pass->index + 1);
		lua_setfield(L, -2, "pass");
	}
	push_traits(L, vn->traits);
	lua_setfield(L, -2, "traits");
	push_inputs(L, r, nn);
	push_identity(L, vn);
	lua_pushvalue(L, -2);
	lua_setmetatable(L, -2);
}

static void push_pass(lua_State *L, const struct rules *r, int k)
{
	const struct net_pass *p = r->n->pass[k];
	struct net_node *res = p->result ? seen_through(p->result) : NULL;
	unsigned traits = p->traits | r->pass_traits[k];
	lua_createtable(L, 0, 10);
	set_text(L, "what", "pass");
	lua_pushinteger(L, k + 1);
	lua_setfield(L, -2, "index");
	set_text(L, "id", p->id);
	set_text(L, "kind", p->pass->kind && *p->pass->kind ? p->pass->kind : NULL);
	set_text(L, "keep", p->pass->keep && *p->pass->keep ? p->pass->keep : "auto");
	set_text(L, "file", p->scene->file);
	lua_pushinteger(L, p->pass->line);
	lua_setfield(L, -2, "line");
	set_flag(L, "kept", p->kept);
	if (res && view_index(r, res) >= 0) {
		lua_pushinteger(L, view_index(r, res) + 1);
		lua_setfield(L, -2, "result");
	}
	push_traits(L, traits);
	lua_setfield(L, -2, "traits");
}

static void push_lock(lua_State *L, const struct lock *lock)
{
	static const char *const kinds[] = { "model", "seed", "picture" };
	lua_newtable(L);
	set_flag(L, "present", lock->present);
	for (size_t k = 0; k < IN_COUNT(kinds); k++) {
		lua_newtable(L);
		for (int i = 0; i < lock->n; i++)
			if (strcmp(lock->line[i].kind, kinds[k]) == 0)
				set_text(L, lock->line[i].id, lock->line[i].value);
		lua_setfield(L, -2, kinds[k]);
	}
}

/* picture: { id=, name=, value=, node= } of every source and edit decision, under picture lock only. */
static void push_picture(lua_State *L, const struct rules *r)
{
	struct picture p = { 0 };
	struct err e = ERR_INIT;
	if (r->n->scene->picture_locked && picture_collect(r->n, &p, &e) < 0) set_text(L, "picture_error", e.msg);
	lua_newtable(L);
	for (int i = 0; i < p.n; i++) {
		int k = view_index(r, p.v[i].nn);
		lua_newtable(L);
		set_text(L, "id", p.v[i].node);
		set_text(L, "name", p.v[i].name);
		set_text(L, "value", *p.v[i].value ? p.v[i].value : PICTURE_EMPTY);
		lua_pushinteger(L, k + 1);
		lua_setfield(L, -2, "node");
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "picture");
	set_flag(L, "relock", r->h->relock);
	picture_free(&p);
}

static int l_find(lua_State *L);

static void push_graph(lua_State *L, struct rules *r)
{
	lua_newtable(L);
	lua_createtable(L, r->nv, 0);
	push_lazy(L);
	for (int i = 0; i < r->nv; i++) {
		push_node(L, r, i);
		lua_rawseti(L, -3, i + 1);
	}
	lua_pop(L, 1);
	lua_setfield(L, -2, "nodes");
	lua_createtable(L, r->n->npass, 0);
	for (int i = 0; i < r->n->npass; i++) {
		push_pass(L, r, i);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "passes");
	push_picture(L, r);
	push_lock(L, r->lock);
	lua_setfield(L, -2, "lock");
	set_text(L, "file", r->n->scene->file);
	set_text(L, "sequence", r->n->scene->sequence);
	set_flag(L, "picture_locked", r->n->scene->picture_locked);
	set_fps(L, r->n->fps);
	lua_pushcfunction(L, l_find);
	lua_setfield(L, -2, "find");
}

/* --- findings --- */

/* A waiver names a node or pass by its full path or by the id it has in its own file. */
static bool waiver_fits(const struct waive *w, const char *rule, const char *id)
{
	if (strcmp(w->rule, rule) != 0) return false;
	if (!w->node || !*w->node) return true;
	if (!id) return false;
	const char *dot = strrchr(id, '.');
	return strcmp(w->node, id) == 0 || (dot && strcmp(w->node, dot + 1) == 0);
}

static const struct waive *find_waiver(struct rules *r, const char *rule, const char *id)
{
	const struct scene *s = r->n->scene;
	for (int i = 0; i < s->nwaive; i++)
		if (waiver_fits(&s->waive[i], rule, id) && s->waive[i].reason && *s->waive[i].reason) {
			r->waiver_used[i] = true;
			return &s->waive[i];
		}
	return NULL;
}

struct place { const char *id, *file; int line; char where[300]; };

/* Argument 2 of find: a node or pass of the view, or nil for the whole scene. */
static void read_place(lua_State *L, const struct rules *r, struct place *p)
{
	*p = (struct place){ .file = r->n->scene->file };
	if (lua_isnoneornil(L, 2)) return;
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_getfield(L, 2, "what");
	lua_getfield(L, 2, "index");
	lua_Integer k = lua_tointeger(L, -1);
	bool pass = lua_type(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -2), "pass") == 0;
	lua_pop(L, 2);
	if (k < 1 || k > (pass ? r->n->npass : r->nv))
		luaL_error(L, "find: the place is not a node or pass of this graph");
	if (pass) {
		const struct net_pass *np = r->n->pass[k - 1];
		*p = (struct place){ .id = np->id, .file = np->scene->file, .line = np->pass->line };
		snprintf(p->where, sizeof p->where, "<pass id=\"%.200s\">", np->id);
	} else {
		const struct net_node *nn = r->v[k - 1].nn;
		*p = (struct place){ .id = nn->id, .file = nn->scene->file, .line = nn->elem
		    ? nn->elem->line : 0 };
		snprintf(p->where, sizeof p->where, "<%.40s id=\"%.200s\">", nn->type->name, nn->id);
	}
}

/* graph:find(place, message, what to do, kind): kind "lock" for a mismatch with a pin (status 12,
 * cannot be waived), "note" for what is only reported. */
static int l_find(lua_State *L)
{
	struct rules *r = vm_of(L)->call;
	struct place p;
	read_place(L, r, &p);
	const char *msg = luaL_checkstring(L, 3), *hint = luaL_optstring(L, 4, ""),
	    *kind = luaL_optstring(L, 5, "");
	bool lock = strcmp(kind, "lock") == 0, note = strcmp(kind, "note") == 0;
	if (*kind && !lock && !note) return luaL_error(L, "find: the kind is \"lock\" or \"note\"");
	const struct waive *w = lock || note ? NULL : find_waiver(r, r->rule->id, p.id);
	vm_charge(L, 1000);
	diag_add(r->d, note ? DIAG_NOTE : DIAG_ERROR, note ? E_OK : lock ? E_LOCK : E_RULE, p.file,
	    p.line, p.where, hint,
	         w ? "%s; waived: %s" : "%s%s", msg, w ? w->reason : "");
	struct diag *g = &r->d->v[r->d->n - 1];
	free(g->rule);
	g->rule = xstrdup(r->rule->id);
	g->waived = w != NULL;
	return 0;
}

/* --- running --- */

static const char view_key;              /* the address of the view in a state's registry */

static int check_entry(lua_State *L)
{
	struct rules *r = vm_of(L)->call;
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &view_key) == LUA_TNIL) {
		vm_graph_methods(L);
		push_graph(L, r);
		lua_call(L, 1, 1);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &view_key);
	}
	vm_decl(L, r->rule_index, "check");
	lua_rawgetp(L, LUA_REGISTRYINDEX, &view_key);
	lua_call(L, 1, 0);
	return 0;
}

static struct script_vm *rule_vm(const struct rules *r, const struct script_file *f, struct err *e)
{
	struct script_vm *vm = script_open(f, e);
	if (!vm) return NULL;
	vm->limit += (uint64_t)r->nv * (uint64_t)r->nv * 200;
	vm->mem_cap += (size_t)r->nv * 4096;
	return vm;
}

/* Every rule of a user's file gets a state and a view of its own: none can disturb another. The
 * built-in ones change nothing in the view and share it. */
static int run_file_rules(struct rules *r, const struct script_file *f, bool share)
{
	struct script_vm *vm = NULL;
	int rc = 0;
	for (int i = 0; i < f->nrule; i++) {
		struct err e = ERR_INIT;
		if (!vm) vm = rule_vm(r, f, &e);
		if (vm) vm->steps = 0;
		r->rule = &f->rule[i];
		r->rule_index = f->rule_index[i];
		r->a = arena_new();
		if (!vm || vm_run(vm, check_entry, r, &e) < 0) {
			diag_add(r->d, DIAG_ERROR, E_SCRIPT, f->shown, vm ? vm->err_line : 0, "", "",
			    "rule %s: %s", r->rule->id, e.msg);
			rc = -1;
			vm_free(&vm);
		}
		if (!share) vm_free(&vm);
		arena_free(&r->a);
	}
	vm_free(&vm);
	return rc;
}

static int builtin_file(struct host *h, const char *rules_dir, struct script_file **out,
                        struct diags *d)
{
	char path[PATH_MAX + 64];
	struct err e = ERR_INIT;
	if (rules_dir) snprintf(path, sizeof path, "%s/isolated_passes.lua", rules_dir);
	else if (script_share(path, PATH_MAX, &e) == 0) strcat(path, "/rules/isolated_passes.lua");
	else {
		diag_add(d, DIAG_ERROR, E_SCRIPT, "", 0, "", "", "%s", e.msg);
		return -1;
	}
	return script_add(h, path, out, d, path, 0);
}

/* Adds the ids of a file's rules to text; whether id is one of them. */
static bool rule_known(const struct script_file *f, const char *id, char *text, size_t n)
{
	bool known = false;
	for (int i = 0; f && i < f->nrule; i++) {
		size_t len = strlen(text);
		known = known || strcmp(f->rule[i].id, id) == 0;
		snprintf(text + len, n - len, " %s", f->rule[i].id);
	}
	return known;
}

/* A waiver that nothing used: of a rule that there is, or of none. */
static void unused_waiver(struct rules *r, const struct script_file *builtin, const struct waive *w,
                          const char *where)
{
	const struct scene *s = r->n->scene;
	char ids[700] = "";
	bool known = rule_known(builtin, w->rule, ids, sizeof ids);
	for (const struct script_file *f = r->h->file; f; f = f->next)
		if (f != builtin) known |= rule_known(f, w->rule, ids, sizeof ids);
	if (known) {
		diag_add(r->d, DIAG_WARNING, E_OK, s->file, w->line, where, "take it out", "this waiver waives nothing");
		return;
	}
	char *hint = xasprintf("the rules are%s", ids);
	diag_add(r->d, DIAG_WARNING, E_OK, s->file, w->line, where, hint,
	    "this waiver waives nothing: no rule has this id");
	free(hint);
}

static void check_waivers(struct rules *r, const struct script_file *builtin)
{
	const struct scene *s = r->n->scene;
	for (int i = 0; i < s->nwaive; i++) {
		const struct waive *w = &s->waive[i];
		char where[300];
		snprintf(where, sizeof where, "<waive rule=\"%.60s\" node=\"%.200s\">", w->rule, w->node
		    ? w->node : "");
		if (!w->reason || !*w->reason)
			diag_add(r->d, DIAG_ERROR, E_SCENE, s->file, w->line, where, "write reason=\"...\"",
			    "a waiver needs a reason");
		else if (!r->waiver_used[i])
			unused_waiver(r, builtin, w, where);
	}
}

/* The user's files in the order in which they were loaded. */
static int run_user_rules(struct rules *r, const struct script_file *f,
                          const struct script_file *builtin)
{
	if (!f) return 0;
	int rc = run_user_rules(r, f->next, builtin);
	return f != builtin && run_file_rules(r, f, false) < 0 ? -1 : rc;
}

void script_relock(struct script_host *face, bool relock)
{
	((struct host *)face->self)->relock = relock;
}

int script_rules(struct script_host *face, const struct net *n, const char *rules_dir,
                 const char *lock_text, struct diags *d)
{
	struct host *h = face->self;
	struct script_file *builtin = NULL;
	struct lock lock = { 0 };
	struct rules r = { .h = h, .n = n, .lock = &lock, .d = d };
	int rc = lock_parse(&lock, lock_text, n->scene->file, d);
	r.waiver_used = xalloc((size_t)n->scene->nwaive + 1, sizeof *r.waiver_used);
	r.pass_traits = xalloc((size_t)n->npass + 1, sizeof *r.pass_traits);
	collect_view(&r);
	if (builtin_file(h, rules_dir, &builtin, d) < 0) rc = -1;
	else if (run_file_rules(&r, builtin, true) < 0) rc = -1;
	if (run_user_rules(&r, h->file, builtin) < 0) rc = -1;
	check_waivers(&r, builtin);
	free(r.waiver_used);
	free(r.pass_traits);
	strmap_free(&r.at);
	free(r.v);
	lock_free(&lock);
	return rc;
}

static void append_rules(const struct script_file *f, const struct script_file *skip,
                         struct script_rule **v, int *n)
{
	if (!f) return;
	append_rules(f->next, skip, v, n);
	for (int i = 0; f != skip && i < f->nrule; i++) {
		*v = xrealloc(*v, (size_t)*n + 1, sizeof **v);
		(*v)[(*n)++] = f->rule[i];
	}
}

struct script_rule *script_rule_list(struct script_host *face, const char *rules_dir, int *n,
                                     struct err *e)
{
	struct host *h = face->self;
	struct script_file *builtin = NULL;
	struct script_rule *v = NULL;
	struct diags d = { 0 };
	*n = 0;
	int rc = builtin_file(h, rules_dir, &builtin, &d);
	if (rc < 0) err_set(e, E_SCRIPT, "%s", d.n ? d.v[0].msg : "the pass rules cannot be loaded");
	diags_free(&d);
	if (rc < 0) return NULL;
	struct script_file *next = builtin->next;
	builtin->next = NULL;
	append_rules(builtin, NULL, &v, n);
	builtin->next = next;
	append_rules(h->file, builtin, &v, n);
	return v;
}
