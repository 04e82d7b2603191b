/* conform - every registered node type, C and Lua, against its own declaration.
 *
 * Tiles and orders crossed, poison around needs, sentinels around outputs, identity, keys, sizes from 1x1,
 * NaN and Inf, and the copies for each instruction set; then four liars that must be caught.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <pthread.h>

#include "broken.h"
#include "conform.h"
#include "script.h"
#include "test.h"

enum { SEEDS = 4 };

/* Leaves in attrs what stands in `like` too, and the attribute `name`. */
static void keep_like(char *attrs, const char *like, const char *name)
{
	char *from = attrs, *to = attrs, key[80];
	while (*from) {
		char *end = strchr(strchr(from, '"') + 1, '"') + 1;
		size_t len = (size_t)(end - from);
		snprintf(key, sizeof key, "%.*s\"", (int)strcspn(from, "\""), from);
		size_t n = strlen(name);
		bool own = strncmp(from + 1, name, n) == 0 && from[1 + n] == '=';
		if (own || strstr(like, key)) {
			memmove(to, from, len);
			to += len;
		}
		from = end;
	}
	*to = 0;
}

/* Parameters that the test can vary: not files and outputs. */
static bool vary_key(struct rig *r, const struct node_type *t, const struct shape *s, unsigned sources, char *why, size_t n)
{
	static char attrs[8192], other[8192];
	int i = 0;
	struct key k0, k1;
	struct pixhash h0, h1;
	random_attrs(t, 11, -1, attrs, sizeof attrs);
	if (rig_settle(r, t, attrs, s, sources, 11) < 0) return true;
	bool ok = conform_key(r, 3, &k0) == 0 && conform_render(r, 3, 5, false, &h0) == 0;
	rig_free(r);
	for (const struct param *p = t->params; ok && p && p->type != PT_END; p++, i++) {
		random_attrs(t, 11, i, other, sizeof other);
		keep_like(other, attrs, p->name);
		if (strcmp(attrs, other) == 0) continue;
		if (rig_build(r, t, other, s, sources) < 0) continue;
		if (conform_key(r, 3, &k1) < 0 || conform_render(r, 3, 5, false, &h1) < 0) ok = false;
		bool same_key = key_eq(&k0, &k1), same_pix = h0.lo == h1.lo && h0.hi == h1.hi;
		bool identity = net_identity(r->nn, &r->nn->ctx);
		rig_free(r);
		if (same_key && !same_pix) {
			snprintf(why, n, "%s changes pixels but not the key", p->name);
			return false;
		}
		char given[80];
		snprintf(given, sizeof given, " %s=\"", p->name);
		/* what had been left out may have got its default */
		if (same_key && !(p->flags & PF_NOKEY) && !identity && strstr(attrs, given)) {
			snprintf(why, n, "%s does not change the key", p->name);
			return false;
		}
	}
	return ok;
}

struct task { struct rig *r; uint32_t seed; struct pixhash h; int rc; };
static void *render_task(void *p)
{
	struct task *t = p;
	t->rc = conform_render(t->r, 3, t->seed, false, &t->h);
	return NULL;
}

/* Two threads on one instance at once. */
static bool threads_agree(struct rig *r)
{
	struct task t[2] = { { r, 5, { 0, 0 }, 0 }, { r, 5, { 0, 0 }, 0 } };
	pthread_t th[2];
	for (int i = 0; i < 2; i++) pthread_create(&th[i], NULL, render_task, &t[i]);
	for (int i = 0; i < 2; i++) pthread_join(th[i], NULL);
	return t[0].rc == 0 && t[1].rc == 0 && t[0].h.lo == t[1].h.lo && t[0].h.hi == t[1].h.hi;
}

/* One type in one shape with one set of parameters; NULL or what it broke. */
static const char *one(struct rig *r, uint32_t seed)
{
	const char *bad = conform_tiles(r, seed, false);
	if (!bad) bad = conform_identity(r, seed);
	if (!bad) bad = conform_tiles(r, seed + 50, true);
	if (!bad && !threads_agree(r)) bad = "two threads disagree";
	return bad;
}

static unsigned optional_sources(const struct node_type *t, unsigned pick)
{
	struct slot slot[NODE_MAX_SLOTS];
	unsigned all = 0;
	int ns = node_slots(t, slot);
	for (int i = 0; i < ns; i++) if (slot[i].optional) all |= 1u << i;
	return pick ? all : 0;
}

/* A composition is tested through what its net makes of it: only its last node is called here, so it must be tiled. */
static bool testable(const struct rig *r) { return r->nn->type->tile || r->nn->type->frame; }

static const char *check_type(struct rig *r, const struct node_type *t, char *why, size_t n)
{
	static char attrs[8192];
	int built = 0;
	for (const struct shape *s = shapes; s->name; s++)
		for (uint32_t seed = 0; seed < SEEDS; seed++) {
			if (seed == 0) attrs[0] = 0;
			else random_attrs(t, seed, -1, attrs, sizeof attrs);
			if (rig_settle(r, t, attrs, s, optional_sources(t, seed & 1), seed) < 0) continue;
			built++;
			const char *bad = testable(r) ? one(r, seed + 1) : NULL;
			rig_free(r);
			if (bad) {
				snprintf(why, n, "%s (%s, seed %u:%.300s)", bad, s->name, seed, attrs);
				return why;
			}
		}
	if (!built) { snprintf(why, n, "could not be built with any parameters"); return why; }
	return vary_key(r, t, &shapes[0], optional_sources(t, 0), why, n) ? NULL : why;
}

/* The same pixels from every instruction set that this CPU has. */
static const char *check_isa(struct rig *r, const char *name, char *why, size_t n)
{
	static char attrs[8192];
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		struct pixhash h[3] = { { 0, 0 } };
		int have = 0;
		random_attrs(node_type_find(name), seed, -1, attrs, sizeof attrs);
		for (int isa = ISA_BASELINE; isa <= ISA_AVX512; isa++) {
			struct err e = ERR_INIT;
			if (node_isa_set((enum isa)isa, &e) < 0) continue;
			const struct node_type *t = node_type_find(name);
			if (rig_settle(r, t, attrs, &shapes[1], optional_sources(t, 1), seed) < 0) continue;
			if (testable(r) && conform_render(r, 3, seed, seed & 1, &h[have]) < 0) have = 0;
			rig_free(r);
			if (have++ && (h[have - 1].lo != h[0].lo || h[have - 1].hi != h[0].hi)) {
				snprintf(why, n, "differs between instruction sets (seed %u:%.300s)", seed, attrs);
				return why;
			}
		}
	}
	return NULL;
}

static bool skipped(const struct node_type *t, const char **reason)
{
	*reason = NULL;
	if (t->flags & NF_SINK) *reason = "a sink";
	if (t->flags & NF_HIDDEN) *reason = "made by the core only";
	const struct param *model = param_find(t->params, "model");
	if (model && (model->flags & PF_REQUIRED)) *reason = "wants a model; it has a test of its own";
	if (t->files) *reason = "wants files of its own kind; it has a scene script";
	for (const struct param *p = t->params; p && p->type != PT_END; p++)
		if ((p->flags & PF_REQUIRED) && (p->flags & (PF_FILE | PF_MEDIA))) *reason = "wants a file";
	return *reason != NULL;
}

static void check_static(struct rig *r)
{
	struct err e = ERR_INIT;
	int n;
	node_isa_set(ISA_AUTO, &e);
	const struct node_type *const *types = node_types(&n);
	const char **names = calloc((size_t)n, sizeof *names);
	for (int i = 0; i < n; i++) names[i] = types[i]->name;
	for (int i = 0; i < n; i++) {
		char why[1024] = "";
		const char *reason;
		node_isa_set(ISA_AUTO, &e);
		const struct node_type *t = node_type_find(names[i]);
		if (skipped(t, &reason)) { test_skip("conform %s: %s", names[i], reason); continue; }
		const char *bad = check_type(r, t, why, sizeof why);
		if (!bad) bad = check_isa(r, names[i], why, sizeof why);
		test_ok(!bad, "conform %s%s%s", names[i], bad ? ": " : "", bad ? bad : "");
	}
	node_isa_set(ISA_AUTO, &e);
	free(names);
}

/* Every node type that the program's own scripts and the tests' declare. */
static void check_lua(struct rig *r, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *ent;
	while (d && (ent = readdir(d))) {
		char path[512], real[4096];
		size_t len = strlen(ent->d_name);
		if (len < 5 || strcmp(ent->d_name + len - 4, ".lua") != 0) continue;
		snprintf(path, sizeof path, "%s/%s", dir, ent->d_name);
		if (!realpath(path, real)) continue;
		struct registry reg = { 0 };
		struct diags ds = { 0 };
		if (r->lua->load(r->lua, &reg, real, "conform", 0, &ds) < 0) { diags_print(&ds, false); test_ok(0, "load %s", path); }
		diags_free(&ds);
		r->script = real;
		for (int i = 0; i < reg.nextra; i++) {
			char why[1024] = "";
			const char *bad = check_type(r, reg.extra[i], why, sizeof why);
			test_ok(!bad, "conform %s (%s)%s%s", reg.extra[i]->name, ent->d_name, bad ? ": " : "", bad ? bad : "");
		}
		free(reg.extra);
		r->script = NULL;
	}
	if (d) closedir(d);
}

static void check_broken(struct rig *r)
{
	for (const struct node_type *t = broken_types; t->name; t++) {
		char why[1024] = "";
		r->types[0] = t;
		r->ntypes = 1;
		const char *bad = check_type(r, t, why, sizeof why);
		test_ok(bad != NULL, "catches %s%s%s", t->name, bad ? ": " : " - it passed", bad ? bad : "");
		r->ntypes = 0;
	}
}

int main(void)
{
	struct rig r = { .lua = script_host_new() };
	setenv("INTERNEG_SHARE", ".", 0);
	check_broken(&r);
	check_static(&r);
	check_lua(&r, "lua/nodes");
	check_lua(&r, "tests/lua/nodes");
	script_host_free(&r.lua);
	TEST_END();
}
