/* graphs_fuzz - random graphs of random nodes, C and Lua, kept passes, proxies and values that upset kernels among them: the
 * reference evaluator and the engine, fused or not, by any threads, tiles, instruction set and cache, have to give every
 * node's frames one hash. For the unit test and the fuzzer.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRAPHS_FUZZ_H
#define IN_GRAPHS_FUZZ_H

#include "cache.h"
#include "conform.h"
#include "render.h"
#include "rng.h"
#include "script.h"
#include "../test.h"

enum { GRAPH_NODES = 12, GRAPH_FRAMES = 4, GRAPH_TRIES = 8, GRAPH_TEXT = 1 << 17, GRAPH_HASHES = 4 * GRAPH_NODES };

struct graph_hash { int frame; struct pixhash hash; char node[96]; };
struct graph_result { int rc, n; enum err_code code; struct graph_hash h[GRAPH_HASHES]; char msg[1024]; };

/* One case. ids: sources s0.., then nodes n0..; each is one line of text. */
struct graph_fuzz {
	struct script_host *lua, host;
	uint32_t number, drawn;
	int w, h, nsource, nnode, proxy;
	bool used[GRAPH_NODES];                  /* by a later node */
	char head[4096], line[GRAPH_NODES][9000], text[GRAPH_TEXT];
	const struct node_type *types[80]; int ntypes;
	long pictures, failing;                  /* pictures compared, renders that fail alike */
	char why[2400];
};

static uint32_t graph_draw(struct graph_fuzz *f, uint32_t n)
{ return philox4x32(f->number, f->drawn++, 11, 0, 5, 6).c[0] % n; }

static int graph_load_script(struct script_host *h, struct registry *reg, const char *path, const char *from,
                             int line, struct diags *d)
{
	struct graph_fuzz *f = h->self;
	struct err e = ERR_INIT;
	if (strstr(path, "test-source")) return registry_add(reg, &psource_type, &e);
	return f->lua->load(f->lua, reg, path, from, line, d);
}

static int graph_eval(struct script_host *h, const char *expr, const struct eval_env *env, const struct param *p,
                      struct arena *a, struct value *out, struct err *e)
{
	struct graph_fuzz *f = h->self;
	return f->lua->eval(f->lua, expr, env, p, a, out, e);
}

/* --- a scene --- */

static void graph_sources(struct graph_fuzz *f)
{
	static const char *const scripts[] = { "lua/nodes/bleach_bypass.lua", "lua/nodes/glow.lua",
		"tests/lua/nodes/odd.lua" };
	char *out = f->head;
	size_t n = sizeof f->head, k;
	int dx = graph_draw(f, 3) ? 0 : (int)graph_draw(f, 30) - 15, dy = dx ? (int)graph_draw(f, 30) - 15 : 0;
	const char *alpha = graph_draw(f, 3) ? "false" : "true", *odd = graph_draw(f, 8) ? "false" : "true";
	k = (size_t)snprintf(out, n, "<graph version=\"1\" name=\"f\" fps=\"24\">\n<script file=\"test-source\"/>\n");
	for (size_t i = 0; i < IN_COUNT(scripts); i++) {
		char real[2048];
		if (realpath(scripts[i], real)) k += (size_t)snprintf(out + k, n - k, "<script file=\"%s\"/>\n", real);
	}
	for (int i = 0; i < f->nsource; i++) {
		bool other = i && graph_draw(f, 6) == 0;
		k += (size_t)snprintf(out + k, n - k, "<psource id=\"s%d\" w=\"%d\" h=\"%d\" dx=\"%d\" dy=\"%d\" alpha=\"%s\" "
			"smaller=\"%s\" last=\"%d\" seed=\"%d\" odd=\"%s\"/>\n", i, other ? f->w + 3 : f->w, f->h, dx, dy, alpha,
			graph_draw(f, 5) ? "false" : "true", GRAPH_FRAMES, i, odd);
	}
}

/* The whole scene, nodes up to count. */
static const char *graph_text(struct graph_fuzz *f, int count)
{
	size_t k = (size_t)snprintf(f->text, sizeof f->text, "%s", f->head);
	for (int i = 0; i < count; i++) k += (size_t)snprintf(f->text + k, sizeof f->text - k, "%s", f->line[i]);
	snprintf(f->text + k, sizeof f->text - k, "</graph>\n");
	return f->text;
}

struct graph_made { struct scene *scene; struct net *net; };

static bool graph_make(struct graph_fuzz *f, int count, const char *only, bool kept, struct graph_made *m)
{
	struct diags d = { 0 };
	struct load_opts lo = { &f->host, NULL, 0 };
	struct net_opts no = { .proxy = f->proxy, .only = only, .no_cache = !kept, .keep_all = false };
	const char *text = graph_text(f, count);
	m->net = NULL;
	m->scene = scene_load("fuzz.xml", text, strlen(text), &lo, &d);
	if (m->scene && diags_status(&d) == E_OK) m->net = net_build(m->scene, &no, &d);
	if (!m->net && getenv("VERBOSE") && getenv("VERBOSE")[0] == '2') diags_print(&d, false);
	diags_free(&d);
	if (!m->net && m->scene) scene_free(&m->scene);
	return m->net;
}

static void graph_unmake(struct graph_made *m)
{
	net_free(&m->net);
	if (m->scene) scene_free(&m->scene);
}

/* The latest node, or any. */
static void graph_input(struct graph_fuzz *f, char *out, size_t n)
{
	uint32_t all = (uint32_t)(f->nsource + f->nnode);
	uint32_t i = f->nnode && graph_draw(f, 2) ? all - 1 : graph_draw(f, all);
	if (i < (uint32_t)f->nsource) snprintf(out, n, "s%u", i);
	else snprintf(out, n, "n%u", i - (uint32_t)f->nsource);
}

/* What no other node takes: the targets. */
static void graph_ends(struct graph_fuzz *f, char *out, size_t n)
{
	size_t k = 0;
	memset(f->used, 0, sizeof f->used);
	for (int i = 1; i < f->nnode; i++)
		for (const char *p = f->line[i]; (p = strpbrk(p, "\" ")); p++)
			if (p[1] == 'n' && p[2] >= '0' && p[2] <= '9') f->used[atoi(p + 2)] |= atoi(p + 2) < i;
	for (int i = 0; i < f->nnode; i++)
		if (!f->used[i]) k += (size_t)snprintf(out + k, n - k, "%sn%d", k ? "," : "", i);
}

static void graph_inputs(struct graph_fuzz *f, const struct node_type *t, char *out, size_t n)
{
	struct slot slot[NODE_MAX_SLOTS];
	int ns = node_slots(t, slot);
	size_t k = 0;
	out[0] = 0;
	for (int i = 0; i < ns; i++) {
		char id[16];
		if (slot[i].optional && (graph_draw(f, 2) || !strcmp(slot[i].name, "hold_skin"))) continue;
		k += (size_t)snprintf(out + k, n - k, " %s=\"", slot_attr(&slot[i]));
		for (int j = slot[i].list ? (int)graph_draw(f, 3) : 0; j >= 0; j--) {
			graph_input(f, id, sizeof id);
			k += (size_t)snprintf(out + k, n - k, "%s%s", id, j ? " " : "");
		}
		k += (size_t)snprintf(out + k, n - k, "\"");
	}
}

/* A number that follows the frame, in place of an attribute's value. */
static void graph_animate(struct graph_fuzz *f, const struct node_type *t, char *attrs, size_t n)
{
	for (const struct param *p = t->params; p && p->type != PT_END; p++) {
		char name[48];
		snprintf(name, sizeof name, " %s=\"", p->name);
		char *at = strstr(attrs, name);
		if (!at || p->type != PT_FLOAT || p->flags & PF_STATIC || graph_draw(f, 6)) continue;
		char *from = at + strlen(name), *to = strchr(from, '"'), rest[8192], expr[160];
		snprintf(rest, sizeof rest, "%s", to);
		*to = 0;
		snprintf(expr, sizeof expr, "{frame %% 2 == 0 and %s or %.6g}%s", from, p->def[0], "");
		snprintf(from, n - (size_t)(from - attrs), "%s%s", expr, rest);
	}
}

/* Without the attribute of that name: every node has to have the frames that are rendered. */
static void graph_drop(char *attrs, const char *name)
{
	char *at = strstr(attrs, name), *end = at ? strchr(strchr(at, '"') + 1, '"') + 1 : NULL;
	if (at) memmove(at, end, strlen(end) + 1);
}

static bool graph_node(struct graph_fuzz *f)
{
	const struct node_type *t = f->types[graph_draw(f, (uint32_t)f->ntypes)];
	char inputs[600], attrs[8192];
	uint32_t seed = graph_draw(f, 1u << 30);
	graph_inputs(f, t, inputs, sizeof inputs);
	random_attrs(t, seed, -1, attrs, sizeof attrs);
	thin_attrs(attrs, 0.5, seed, 0);
	graph_drop(attrs, " first=\"");
	graph_drop(attrs, " frames=\"");
	graph_animate(f, t, attrs, sizeof attrs);
	const char *keep = graph_draw(f, 5) ? NULL : graph_draw(f, 2) ? "always" : "never";
	for (uint32_t try = 1; try < GRAPH_TRIES; try++) {
		struct graph_made m;
		char id[16], body[8900];
		snprintf(id, sizeof id, "n%d", f->nnode);
		snprintf(body, sizeof body, "<%s id=\"%s%s\"%s%s/>", t->name, keep ? "in_" : "", id, inputs, attrs);
		if (keep) snprintf(f->line[f->nnode], sizeof f->line[0], "<pass id=\"%s\" kind=\"look\" keep=\"%s\">%.8000s</pass>\n", id, keep, body);
		else snprintf(f->line[f->nnode], sizeof f->line[0], "%.8800s\n", body);
		if (graph_make(f, f->nnode + 1, id, true, &m)) {
			graph_unmake(&m);
			f->nnode++;
			return true;
		}
		if (try == 4) keep = NULL;
		thin_attrs(attrs, 0.4, seed, try);
	}
	return false;
}

/* --- a rendering of it --- */

struct graph_how { bool oracle, no_fuse; int threads, tile; enum isa isa; struct cache *cache; };

static void graph_told(void *user, const struct render_event *ev)
{
	struct graph_result *r = user;
	if (r->n == GRAPH_HASHES) return;
	struct graph_hash *h = &r->h[r->n++];
	h->frame = ev->frame;
	h->hash = ev->hash;
	snprintf(h->node, sizeof h->node, "%s", ev->node->id);
}

static int graph_order(const void *a, const void *b)
{
	const struct graph_hash *x = a, *y = b;
	int c = strcmp(x->node, y->node);
	return c ? c : x->frame - y->frame;
}

static void graph_render(struct graph_fuzz *f, int count, const char *only, struct graph_how how,
                         struct graph_result *r)
{
	struct graph_made m;
	struct err e = ERR_INIT;
	*r = (struct graph_result){ .rc = -1 };
	if (node_isa_set(how.isa, &e) < 0 || !graph_make(f, count, only, how.cache, &m)) {
		snprintf(r->msg, sizeof r->msg, "does not build: %.900s", e.msg);
		return;
	}
	struct render_opts o = { .threads = how.threads, .tile = how.tile, .no_fuse = how.no_fuse, .frames = "1-3",
		.cache = how.cache, .dry = true, .event = graph_told, .user = r };
	struct render_stats st = { 0 };
	r->rc = how.oracle ? oracle_run(m.net, &o, &st, &e) : render_run(m.net, &o, &st, &e);
	r->code = e.code;
	snprintf(r->msg, sizeof r->msg, "%s", st.problems.n ? st.problems.v[0].msg : e.msg);
	diags_free(&st.problems);
	qsort(r->h, (size_t)r->n, sizeof r->h[0], graph_order);
	graph_unmake(&m);
}

static bool graph_same(const struct graph_result *a, const struct graph_result *b)
{
	if (a->rc != b->rc || a->code != b->code) return false;
	if (a->rc < 0) return true;              /* how far it came is nobody's promise */
	if (a->n != b->n) return false;
	for (int i = 0; i < a->n; i++)
		if (graph_order(&a->h[i], &b->h[i]) || memcmp(&a->h[i].hash, &b->h[i].hash, sizeof a->h[i].hash)) return false;
	return true;
}

/* The first node whose own frames differ, for the report. */
static void graph_blame(struct graph_fuzz *f, struct graph_how how, const char *label)
{
	static struct graph_result want, got;
	int i = 0;
	for (; i < f->nnode; i++) {
		char id[16];
		snprintf(id, sizeof id, "n%d", i);
		graph_render(f, i + 1, id, (struct graph_how){ .oracle = true, .threads = 1, .isa = ISA_AUTO }, &want);
		graph_render(f, i + 1, id, how, &got);
		if (!graph_same(&want, &got)) break;
	}
	snprintf(f->why, sizeof f->why, "case %u: %s; \"%.120s\" for \"%.120s\"; first seen at %.1500s", f->number, label, got.msg, want.msg,
	         i < f->nnode ? f->line[i] : "the whole graph only\n");
}

static void graph_setup(struct graph_fuzz *f)
{
	static const char *const skip[] = { "external", "neural", "ocio", "read", "psource", "sleep" };
	int n;
	const struct node_type *const *t = node_types(&n);
	f->host = (struct script_host){ f, graph_load_script, graph_eval };
	struct registry reg = { 0 };
	struct diags d = { 0 };
	static const char *const scripts[] = { "lua/nodes/bleach_bypass.lua", "lua/nodes/glow.lua", "tests/lua/nodes/odd.lua" };
	f->ntypes = 0;
	for (int i = 0; i < n && f->ntypes < 60; i++) {
		bool out = t[i]->flags & (NF_HIDDEN | NF_SINK);
		for (size_t k = 0; k < IN_COUNT(skip); k++) out |= !strcmp(skip[k], t[i]->name);
		if (!out) f->types[f->ntypes++] = t[i];
	}
	for (size_t i = 0; i < IN_COUNT(scripts); i++) {
		char real[2048];
		if (realpath(scripts[i], real)) f->lua->load(f->lua, &reg, real, "fuzz", 0, &d);
	}
	for (int i = 0; i < reg.nextra && f->ntypes < 80; i++) f->types[f->ntypes++] = reg.extra[i];
	free(reg.extra);
	diags_free(&d);
}

/* Case `number`. NULL, or what disagrees. */
static const char *graph_case(struct graph_fuzz *f, uint32_t number)
{
	static struct graph_result want, got;
	f->number = number;
	f->drawn = 0;
	f->nnode = 0;
	f->w = 1 + (int)graph_draw(f, graph_draw(f, 4) ? 120 : 400);
	f->h = 1 + (int)graph_draw(f, graph_draw(f, 4) ? 90 : 300);
	f->nsource = 1 + (int)graph_draw(f, 3);
	f->proxy = graph_draw(f, 5) ? 1 : 2;
	graph_sources(f);
	int wish = 2 + (int)graph_draw(f, GRAPH_NODES - 2);
	for (int try = 0; f->nnode < wish && try < 3 * GRAPH_NODES; try++) graph_node(f);
	if (!f->nnode) return NULL;
	char only[128], dir[300], label[200];
	graph_ends(f, only, sizeof only);
	if (getenv("VERBOSE")) fputs(graph_text(f, f->nnode), stderr);
	graph_render(f, f->nnode, only, (struct graph_how){ .oracle = true, .threads = 1, .isa = ISA_AUTO }, &want);
	snprintf(dir, sizeof dir, "%s/cache%u", test_tmp(), number);
	struct cache *cache = cache_new(dir);
	struct graph_how how[] = {
		{ .threads = 1, .isa = ISA_AUTO },
		{ .threads = 3, .tile = 5 + (int)graph_draw(f, 60), .isa = ISA_AUTO },
		{ .threads = 2, .no_fuse = true, .tile = 5 + (int)graph_draw(f, 60), .isa = ISA_AUTO },
		{ .threads = 2, .tile = 16 << graph_draw(f, 5), .isa = ISA_BASELINE },
		{ .threads = 2, .isa = ISA_AUTO, .cache = cache },
		{ .threads = 1, .no_fuse = graph_draw(f, 2), .isa = ISA_AUTO, .cache = cache },
	};
	const char *why = NULL;
	for (size_t i = 0; i < IN_COUNT(how) && !why; i++) {
		graph_render(f, f->nnode, only, how[i], &got);
		if (graph_same(&want, &got)) {
			f->pictures += got.n;
			f->failing += got.rc < 0;
			continue;
		}
		snprintf(label, sizeof label, "%d results, status %d for %d, %d by way %zu (threads %d, tile %d%s%s%s)", got.n,
		         got.code, want.n, want.code, i, how[i].threads, how[i].tile,
		         how[i].no_fuse ? ", not fused" : "", how[i].isa == ISA_BASELINE ? ", baseline" : "", how[i].cache ? ", cache" : "");
		graph_blame(f, how[i], label);
		why = f->why;
	}
	cache_free(&cache);
	snprintf(label, sizeof label, "rm -rf '%.190s'", dir);
	if (system(label) != 0) printf("# %s stays\n", dir);
	return why;
}

#endif
