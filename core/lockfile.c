/* lockfile - see lockfile.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lockfile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "net_int.h"
#include "script_lock.h"
#include "textfile.h"

char *lockfile_path(const char *scene)
{
	size_t n = strlen(scene);
	return xasprintf("%.*s.lock", (int)(n > 4 && strcmp(scene + n - 4, ".xml") == 0 ? n - 4 : n), scene);
}

/* Spaces, percent signs and control characters as %XX. */
static char *escaped(const char *s)
{
	char *out = xalloc(strlen(s) * 3 + 1, 1), *q = out;
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c <= ' ' || c == '%' || c == 127) q += sprintf(q, "%%%02X", c);
		else *q++ = (char)c;
	}
	return out;
}

void lock_add(struct lock_facts *f, const char *kind, const char *id, const char *fmt, ...)
{
	char value[1200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(value, sizeof value, fmt, ap);
	va_end(ap);
	char *esc = escaped(id);
	f->v = grow(f->v, (size_t)f->n, &f->cap, sizeof *f->v);
	f->v[f->n++] = (struct lock_fact){ xasprintf("%s %s", kind, esc), xstrdup(value) };
	free(esc);
}

const char *lock_get(const struct lock_facts *f, const char *kind, const char *id)
{
	char *esc = escaped(id), *name = xasprintf("%s %s", kind, esc);
	const char *found = NULL;
	for (int i = 0; i < f->n && !found; i++)
		if (strcmp(f->v[i].name, name) == 0) found = f->v[i].value;
	free(esc);
	free(name);
	return found;
}

void lock_facts_free(struct lock_facts *f)
{
	for (int i = 0; i < f->n; i++) {
		free(f->v[i].name);
		free(f->v[i].value);
	}
	free(f->v);
	*f = (struct lock_facts){ 0 };
}

/* A path as the scene's folder sees it: nothing of the machine gets in. */
static const char *local(const struct session *s, const char *path)
{
	const char *dir = s->scene->dir;
	size_t n = strlen(dir);
	if (strcmp(dir, ".") != 0 && strncmp(path, dir, n) == 0 && path[n] == '/') return path + n + 1;
	return path;
}

static int add_file(const struct session *s, struct lock_facts *f, const char *kind, const char *path, struct err *e)
{
	struct key k;
	char hex[65];
	if (hash_file(path, &k, e) < 0) return -1;
	key_hex(&k, hex);
	lock_add(f, kind, local(s, path), "%s", hex);
	return 0;
}

static int add_scene_files(const struct session *s, const struct scene *sc, struct lock_facts *f, struct err *e)
{
	char hex[65];
	key_hex(&sc->text_hash, hex);
	if (sc != s->scene) lock_add(f, "graph", local(s, sc->file), "%s", hex);
	for (int i = 0; i < sc->nscript; i++) {
		const char *file = sc->script[i].file;
		bool bare = file[0] == '/' || strcmp(sc->dir, ".") == 0;
		char *path = bare ? xstrdup(file) : xasprintf("%s/%s", sc->dir, file);
		int rc = add_file(s, f, "script", path, e);
		free(path);
		if (rc < 0) return -1;
	}
	for (int i = 0; i < sc->nelem; i++)
		if (sc->elem[i].used && add_scene_files(s, sc->elem[i].used, f, e) < 0) return -1;
	return 0;
}

static const char *text_param(const struct net_node *nn, const struct param *p)
{
	const char *v = NULL;
	if (p->type == PT_PATH || p->type == PT_STRING) memcpy(&v, (const char *)nn->ctx.v + p->off, sizeof v);
	return v && *v ? v : NULL;
}

/* Files that a node reads: LUTs and the like by content, clips with their size. */
static int add_node_files(const struct session *s, const struct net_node *nn, struct lock_facts *f, struct err *e)
{
	for (const struct param *p = nn->type->params; p && p->type != PT_END; p++) {
		const char *path = text_param(nn, p);
		struct stat st;
		if (!path || !(p->flags & (PF_FILE | PF_MEDIA))) continue;
		if ((p->flags & PF_FILE) && add_file(s, f, "file", path, e) < 0) return -1;
		if (!(p->flags & PF_MEDIA) || stat(path, &st) < 0 || !S_ISREG(st.st_mode)) continue;
		struct key k;
		char hex[65];
		if (hash_file(path, &k, e) < 0) return -1;
		key_hex(&k, hex);
		char *esc = escaped(local(s, path));
		lock_add(f, "clip", nn->id, "%s %lld %s", hex, (long long)st.st_size, esc);
		free(esc);
	}
	return 0;
}

static void add_pins(const struct net_node *nn, struct lock_facts *f)
{
	char hex[65];
	const struct param *seed = param_find(nn->type->params, "seed");
	if ((nn->traits & TR_SOURCE) && lock_source_hash(nn, hex)) lock_add(f, "input", nn->id, "%s", hex);
	if (lock_model_hash(&nn->ctx, hex)) lock_add(f, "model", nn->id, "%s", hex);
	/* a node that became others is known by them */
	for (const struct net_group *g = nn->group; g; g = g->owner->group)
		if (!lock_get(f, "model", g->owner->id) && lock_model_hash(&g->owner->ctx, hex))
			lock_add(f, "model", g->owner->id, "%s", hex);
	if ((nn->traits & TR_AI) && seed && seed->type == PT_INT) {
		int v;
		memcpy(&v, (const char *)nn->ctx.v + seed->off, sizeof v);
		lock_add(f, "seed", nn->id, "%d", v);
	}
}

/* One hash over a node's keys on the frames first..last. */
static int root_of(struct keymemo *km, const struct net_node *nn, int first, int last, char hex[65], struct err *e)
{
	struct sha s;
	sha_init(&s);
	for (int i = first; i <= last; i++) {
		struct key k;
		if (net_key(km, nn, i, &k, e) < 0) return -1;
		sha_key(&s, &k);
	}
	struct key k = sha_end(&s);
	key_hex(&k, hex);
	return 0;
}

/* The frames that the writes of the scene cover: infinite sources are keyed on those only. */
static void span(const struct net *n, int *first, int *last)
{
	*first = 1;
	*last = 1;
	for (int i = 0; i < n->nwrite; i++) {
		const struct format *f = &n->write[i]->conn[0]->fmt;
		if (i == 0 || f->first < *first) *first = f->first;
		if (i == 0 || f->last > *last) *last = f->last;
	}
}

int lock_collect(struct session *s, struct lock_facts *f, struct err *e)
{
	struct net *n = s->net;
	struct keymemo *km = keymemo_new(n);
	char hex[65];
	int first, last, rc = -1;
	span(n, &first, &last);
	lock_add(f, "format", "-", "1");
	lock_add(f, "program", "-", "%s pixels %d", INTERNEG_VERSION, CORE_PIXELS);
	if (add_scene_files(s, s->scene, f, e) < 0) goto out;
	for (int i = 0; i < n->nnode; i++) {
		const struct net_node *nn = n->node[i];
		if (add_node_files(s, nn, f, e) < 0) goto out;
		add_pins(nn, f);
		if (root_of(km, nn, first, last, hex, e) < 0) goto out;
		lock_add(f, nn->type->flags & NF_SINK ? "write" : "node", nn->id, "%s", hex);
	}
	for (int i = 0; i < n->npass; i++) {
		if (!n->pass[i]->result) continue;
		if (root_of(km, n->pass[i]->result, first, last, hex, e) < 0) goto out;
		lock_add(f, "pass", n->pass[i]->id, "%s", hex);
	}
	rc = 0;
out:
	keymemo_free(&km);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct lock_fact *x = a, *y = b;
	int c = strcmp(x->name, y->name);
	return c ? c : strcmp(x->value, y->value);
}

char *lock_print(struct lock_facts *f)
{
	size_t len = 0, cap = 256;
	char *text = xalloc(cap, 1);
	len = (size_t)sprintf(text, "# interneg lock: what this scene was rendered from, and the hash of every frame\n");
	if (f->n) qsort(f->v, (size_t)f->n, sizeof *f->v, by_name);
	for (int i = 0; i < f->n; i++) {
		if (i && by_name(&f->v[i - 1], &f->v[i]) == 0) continue;
		size_t need = strlen(f->v[i].name) + strlen(f->v[i].value) + 3;
		while (len + need > cap) text = xrealloc(text, cap *= 2, 1);
		len += (size_t)sprintf(text + len, "%s %s\n", f->v[i].name, f->v[i].value);
	}
	return text;
}

int lock_read(const char *path, struct lock_facts *f, struct err *e)
{
	size_t len;
	char *text = text_read(path, &len, e), *save = NULL;
	if (!text) return -1;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '#') continue;
		char *a = strchr(line, ' '), *b = a ? strchr(a + 1, ' ') : NULL;
		if (!b) {
			free(text);
			return err_set(e, E_LOCK, "%s: not a lock line: %.80s", path, line);
		}
		*b = 0;
		f->v = grow(f->v, (size_t)f->n, &f->cap, sizeof *f->v);
		f->v[f->n++] = (struct lock_fact){ xstrdup(line), xstrdup(b + 1) };
	}
	free(text);
	return 0;
}
