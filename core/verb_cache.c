/* verb_cache - `interneg cache list|check|prune|why`: the intermediates on disk, for people.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cache_scan.h"
#include "journal.h"
#include "log.h"
#include "session.h"

/* As a render of the scene would choose it, without reading the scene. malloced; NULL with e. */
static char *folder_of(const struct cli *c, const char *scene, struct err *e)
{
	const char *env = getenv("INTERNEG_CACHE"), *slash = scene ? strrchr(scene, '/') : NULL;
	if (scene && access(scene, R_OK) != 0) {
		err_set(e, E_SCENE, "%s: %s", scene, strerror(errno));
		return NULL;
	}
	if (c->cache) return xstrdup(c->cache);
	if (env && *env) return xstrdup(env);
	return slash ? xasprintf("%.*s.interneg/cache", (int)(slash - scene) + 1, scene)
		: xstrdup(".interneg/cache");
}

static void when(int64_t ns, char out[32])
{
	time_t t = (time_t)(ns / 1000000000);
	struct tm tm;
	if (!gmtime_r(&t, &tm) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm)) snprintf(out, 32, "-");
}

static double mib(uint64_t bytes) { return (double)bytes / 1048576.0; }

static void json_text(const char *name, const char *s)
{
	char esc[1024];
	if (!s) { printf(",\"%s\":null", name); return; }
	json_escape(esc, sizeof esc, s);
	printf(",\"%s\":\"%s\"", name, esc);
}

static size_t dangling(const struct cache_files *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->nlink; i++) n += f->link[i].dangling;
	return n;
}

static void list_json(const struct cache_files *f)
{
	char used[32];
	for (size_t i = 0; i < f->n; i++) {
		const struct cache_entry *en = &f->entry[i];
		when(en->used, used);
		printf("{\"key\":\"%s\",\"bytes\":%llu,\"used\":\"%s\"", en->hex, (unsigned long long)en->size, used);
		if (en->journal) printf(",\"journal\":true");
		json_text("node", en->node);
		json_text("frame", en->frame);
		json_text("space", en->space);
		json_text("pass", en->pass);
		json_text("path", en->path);
		printf("}\n");
	}
	for (size_t i = 0; i < f->nextra; i++) {
		printf("{\"leftover\":true,\"bytes\":%llu", (unsigned long long)f->extra[i].size);
		json_text("path", f->extra[i].path);
		printf("}\n");
	}
	printf("{\"files\":%zu,\"bytes\":%llu,\"leftovers\":%zu,\"leftover_bytes\":%llu,\"dangling_links\":%zu}\n", f->n,
	       (unsigned long long)f->bytes, f->nextra, (unsigned long long)f->extra_bytes, dangling(f));
}

static void tell_extra(const struct cache_files *f)
{
	for (size_t i = 0; i < f->nextra; i++)
		printf("leftover %s, %.1f MiB\n", f->extra[i].path, mib(f->extra[i].size));
	if (f->nextra || dangling(f))
		printf("%zu leftovers, %.1f MiB; %zu dangling links; interneg cache prune removes them\n", f->nextra,
		       mib(f->extra_bytes), dangling(f));
}

static int cache_list(struct cli *c, const char *dir, struct err *e)
{
	struct cache_files f;
	char used[32];
	if (cache_scan(dir, true, &f, e) < 0) return -1;
	if (c->json) list_json(&f);
	else {
		printf("%-16s %10s  %-20s %-6s %-24s %-16s %s\n", "key", "MiB", "last use", "frame", "node",
		       "space", "pass");
		for (size_t i = 0; i < f.n; i++) {
			const struct cache_entry *en = &f.entry[i];
			when(en->used, used);
			printf("%.16s %10.2f  %-20s %-6s %-24s %-16s %s\n", en->hex, mib(en->size), used,
			       en->frame ? en->frame : "-", en->node ? en->node : "-", en->space ? en->space : "-",
			       en->journal ? "(journal of a clip)" : en->pass ? en->pass : "-");
		}
		printf("%s: %zu files, %llu bytes (%.1f MiB)\n", dir, f.n, (unsigned long long)f.bytes, mib(f.bytes));
		tell_extra(&f);
	}
	cache_files_free(&f);
	return 0;
}

/* 1 damaged and set aside, 0 good or gone meanwhile, -1 with e. */
static int check_one(const struct cache_entry *en, struct pool *pool, struct err *e)
{
	struct err why = ERR_INIT;
	bool damaged;
	if (en->journal) {
		if (journal_check_file(en->path, &why) == 0 || access(en->path, F_OK) != 0) return 0;
		printf("damaged %s\n", why.msg);
		return unlink(en->path) < 0 ? err_set(e, E_OUTPUT, "remove %s: %s", en->path, strerror(errno)) : 1;
	}
	if (cache_check_file(en->path, en->hex, pool, &damaged, &why) == 0) return 0;
	if (access(en->path, F_OK) != 0) return 0;
	if (!damaged) {
		*e = why;
		return -1;
	}
	printf("damaged %s\n", why.msg);
	cache_set_aside(en->path);
	return 1;
}

static int cache_check(struct cli *c, const char *dir, struct err *e)
{
	struct cache_files f;
	struct pool *pool = pool_new();
	int bad = 0, rc = -1;
	(void)c;
	if (cache_scan(dir, false, &f, e) < 0) goto out;
	for (size_t i = 0; i < f.n; i++) {
		int k = check_one(&f.entry[i], pool, e);
		if (k < 0) goto out;
		bad += k;
		if (atomic_load(&session_cancel)) { err_set(e, E_CANCEL, "cancelled"); goto out; }
	}
	tell_extra(&f);
	printf("%s: %zu files read, %d damaged\n", dir, f.n, bad);
	rc = bad ? err_set(e, E_INPUT, "%s: %d of %zu files damaged; they are set aside and will be "
	                   "computed again", dir, bad, f.n) : 0;
out:
	cache_files_free(&f);
	pool_free(&pool);
	return rc;
}

static int drop(const char *path, struct err *e)
{
	if (unlink(path) == 0 || errno == ENOENT) return 0;
	return err_set(e, E_OUTPUT, "remove %s: %s", path, strerror(errno));
}

static int drop_leftovers(const struct cache_files *f, struct err *e)
{
	for (size_t i = 0; i < f->nextra; i++)
		if (drop(f->extra[i].path, e) < 0) return -1;
	return 0;
}

/* Links whose file was just removed, and those that led nowhere before; the count or -1. */
static int drop_links(const char *dir, struct err *e)
{
	struct cache_files f;
	int n = 0, rc = cache_scan(dir, false, &f, e);
	for (size_t i = 0; rc == 0 && i < f.nlink; i++) {
		if (!f.link[i].dangling) continue;
		rc = drop(f.link[i].path, e);
		n++;
	}
	cache_files_free(&f);
	return rc < 0 ? -1 : n;
}

/* The lock is held to the end: nothing can be stored, loaded or planned with meanwhile. */
static int cache_prune(struct cli *c, const char *dir, struct err *e)
{
	struct cache_files f = { 0 };
	size_t n = 0;
	uint64_t left;
	int fd, rc = -1;
	if (!c->to) return err_set(e, E_USAGE, "cache prune wants --to SIZE: what may stay (20G)");
	if (access(dir, F_OK) != 0) return err_set(e, E_INPUT, "cache folder %s: %s", dir, strerror(errno));
	if (cache_lock(dir, &fd, e) < 0) return -1;
	if (cache_scan(dir, false, &f, e) < 0 || drop_leftovers(&f, e) < 0) goto out;
	for (left = f.bytes; n < f.n && left > c->to && !atomic_load(&session_cancel); n++) {
		if (drop(f.entry[n].path, e) < 0) goto out;
		left -= f.entry[n].size;
	}
	int links = drop_links(dir, e);
	if (links < 0) goto out;
	int empty = cache_remove_empty(dir);
	printf("%s: %zu of %zu files removed, %llu bytes left (%.1f MiB); %zu leftovers, %d links, %d "
	       "empty folders removed\n", dir, n, f.n, (unsigned long long)left, mib(left),
	       f.nextra, links, empty);
	rc = atomic_load(&session_cancel) ? err_set(e, E_CANCEL, "cancelled") : 0;
out:
	cache_files_free(&f);
	close(fd);
	return rc;
}

static void why_json(const struct net_node *nn, int frame, const char *hex, const char *path,
                     const char *state)
{
	printf("{\"frame\":%d,\"key\":\"%s\",\"state\":\"%s\"", frame, hex, state);
	json_text("node", nn->id);
	json_text("path", path);
}

/* Entries of the same node and frame under other keys. */
static int others(const struct cache_files *f, const struct net_node *nn, int frame,
                  const char *hex, bool json)
{
	char number[16], used[32];
	int n = 0;
	snprintf(number, sizeof number, "%d", frame);
	for (size_t i = 0; i < f->n; i++) {
		const struct cache_entry *en = &f->entry[i];
		if (!en->node || !en->frame || strcmp(en->node, nn->id) != 0 || strcmp(en->frame, number) != 0 ||
		    strcmp(en->hex, hex) == 0) continue;
		when(en->used, used);
		if (json) printf("%s\"%s\"", n ? "," : "", en->hex);
		else printf("  another key %.16s, last used %s\n", en->hex, used);
		n++;
	}
	return n;
}

static int why_frame(struct session *s, struct keymemo *km, const struct net_node *nn, int frame,
                     const struct cache_files *f, struct err *e)
{
	struct key k;
	char hex[65];
	if (net_key(km, nn, frame, &k, e) < 0) return err_in(e, "node '%s' frame %d", nn->id, frame);
	char *path = cache_path(s->cache, &k);
	bool has = cache_has(s->cache, &k);
	key_hex(&k, hex);
	if (s->c->json) {
		why_json(nn, frame, hex, path, has ? "cached" : nn->keep ? "missing" : "not kept");
		printf(",\"others\":[");
		others(f, nn, frame, hex, true);
		printf("]}\n");
	} else if (has) printf("%s frame %d: in the cache, %s\n", nn->id, frame, path);
	else {
		printf("%s frame %d: not in the cache; key %.16s was looked for (%s)\n", nn->id, frame, hex, path);
		int n = others(f, nn, frame, hex, false);
		if (n) printf("  changed: this node and frame were kept under %d other key%s\n", n, n == 1 ? "" : "s");
		else printf("  nothing was kept of this node and frame%s\n",
		            nn->keep ? "" : "; it is not the result of a kept pass (keep=\"always\", --keep-all)");
	}
	free(path);
	return 0;
}

static int cache_why(struct cli *c, struct err *e)
{
	struct session s;
	struct cache_files f = { 0 };
	struct frame_list l = { 0 };
	struct keymemo *km = NULL;
	struct err none = ERR_INIT;
	int rc = -1;
	if (c->narg != 3 || !c->frames) return err_set(e, E_USAGE, "cache why wants SCENE, NODE and -F N");
	if (session_open(&s, c, c->arg[1], WANT_NET, e) < 0) goto out;
	if (c->solve && session_solve(&s, NULL, true, false, e) < 0) goto out;
	const struct net_node *nn = net_find(s.net, c->arg[2]);
	if (!nn) { err_set(e, E_USAGE, "%s: no node or pass '%s'", s.file, c->arg[2]); goto out; }
	if (nn->type->flags & NF_SINK) nn = nn->conn[0];
	if (frames_parse(c->frames, nn->fmt.first, nn->fmt.last, &l, e) < 0) goto out;
	(void)cache_scan(cache_dir(s.cache), true, &f, &none);      /* no folder yet: nothing is in it */
	km = keymemo_new(s.net);
	rc = 0;
	for (int i = 0; rc == 0 && i < l.n; i++) rc = why_frame(&s, km, nn, l.v[i], &f, e);
out:
	keymemo_free(&km);
	free(l.v);
	cache_files_free(&f);
	session_close(&s);
	return rc;
}

/* No option is taken and then ignored. */
static int only_with(const struct cli *c, bool why, bool json, bool to, struct err *e)
{
	const char *stray = c->to && !to ? "to" : c->json && !json ? "json" : NULL;
	if (!stray && !why)
		stray = c->frames ? "frames" : c->nset ? "set" : c->proxy ? "proxy" : c->solve ? "solve" :
		        c->keep_all ? "keep-all" : NULL;
	return stray ? err_set(e, E_USAGE, "cache %s has no option --%s", c->arg[0], stray) : 0;
}

int verb_cache(struct cli *c, struct err *e)
{
	static const struct { const char *name; bool json, to;
		int (*run)(struct cli *, const char *, struct err *); } subs[] = {
		{ "list", true, false, cache_list }, { "check", false, false, cache_check },
			{ "prune", false, true, cache_prune },
	};
	const char *what = c->narg ? c->arg[0] : "";
	if (strcmp(what, "why") == 0) return only_with(c, true, true, false, e) < 0 ? -1 : cache_why(c, e);
	for (size_t i = 0; i < IN_COUNT(subs); i++) {
		if (strcmp(what, subs[i].name) != 0) continue;
		if (c->narg > 2) return err_set(e, E_USAGE, "cache %s wants at most one SCENE", what);
		if (only_with(c, false, subs[i].json, subs[i].to, e) < 0) return -1;
		char *dir = folder_of(c, c->narg == 2 ? c->arg[1] : NULL, e);
		int rc = dir ? subs[i].run(c, dir, e) : -1;
		free(dir);
		return rc;
	}
	return err_set(e, E_USAGE, "cache wants list, check, prune or why");
}
