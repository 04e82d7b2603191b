/* lockfile - see lockfile.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lockfile.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "grain_stock.h"
#include "learned.h"
#include "media.h"
#include "net_int.h"
#include "picture.h"
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

/* Both strings become the list's. */
static void put(struct lock_facts *f, char *name, char *value)
{
	f->v = grow(f->v, (size_t)f->n, &f->cap, sizeof *f->v);
	f->v[f->n++] = (struct lock_fact){ name, value };
	strmap_put(&f->at, name, (void *)(uintptr_t)f->n);
}

void lock_add(struct lock_facts *f, const char *kind, const char *id, const char *fmt, ...)
{
	char *value = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0) abort();
	va_end(ap);
	for (char *c = value; *c; c++)
		if ((unsigned char)*c < ' ') *c = ' ';
	char *esc = escaped(id);
	put(f, xasprintf("%s %s", kind, esc), value);
	free(esc);
}

const char *lock_value(const struct lock_facts *f, const char *name)
{
	size_t at = (size_t)(uintptr_t)strmap_get(&f->at, name);
	return at ? f->v[at - 1].value : NULL;
}

bool lock_is(const struct lock_fact *f, const char *kind)
{
	size_t n = strlen(kind);
	return strncmp(f->name, kind, n) == 0 && f->name[n] == ' ';
}

const char *lock_get(const struct lock_facts *f, const char *kind, const char *id)
{
	char *esc = escaped(id), *name = xasprintf("%s %s", kind, esc);
	const char *found = lock_value(f, name);
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
	strmap_free(&f->at);
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

static int add_file(const struct session *s, struct lock_facts *f, const char *kind,
                    const char *path, struct err *e)
{
	struct key k;
	char hex[65], stock[300];
	if (hash_file(path, &k, e) < 0) return -1;
	key_hex(&k, hex);
	bool own = grain_stock_name(path, stock, sizeof stock) || learned_name(path, stock, sizeof stock);
	lock_add(f, kind, own ? stock : local(s, path), "%s", hex);
	return 0;
}

static int add_scene_files(const struct session *s, const struct scene *sc,
                           struct lock_facts *f, struct err *e)
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
	struct arena *a = arena_new();
	int rc = 0;
	for (int i = 0; i < sc->nreference && rc == 0; i++)
		rc = add_file(s, f, "reference", scene_path(sc, sc->reference[i].file, a), e);
	arena_free(&a);
	if (rc < 0) return -1;
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

/* One file by its hash, the files of a sequence by one hash over theirs. */
static int add_input(const struct session *s, const struct net_node *nn, const char *path,
                     struct lock_facts *f, struct err *e)
{
	struct stat st;
	struct key k;
	char hex[65];
	long long size = 0;
	int *no = NULL, n = 1, rc = 0;
	bool seq = seq_is_pattern(path) && stat(path, &st) < 0;
	struct sha sha;
	sha_init(&sha);
	if (seq && seq_list(path, &no, &n, e) < 0) return -1;
	for (int i = 0; i < n && rc == 0; i++) {
		char *one = seq ? seq_path(path, no[i]) : xstrdup(path);
		if (stat(one, &st) == 0) size += st.st_size;
		rc = hash_file(one, &k, e);
		sha_key(&sha, &k);
		free(one);
	}
	free(no);
	if (rc < 0) return err_in(e, "node '%s'", nn->id);
	if (seq) k = sha_end(&sha);
	key_hex(&k, hex);
	char *esc = escaped(local(s, path));
	lock_add(f, "input", nn->id, "sha256 %s size %lld files %d path %s", hex, size, n, esc);
	free(esc);
	return 0;
}

/* Files that a node reads: LUTs and the like by content, clips and sequences with their size. */
static int add_node_files(const struct session *s, const struct net_node *nn,
                          struct lock_facts *f, struct err *e)
{
	for (const struct param *p = nn->type->params; p && p->type != PT_END; p++) {
		const char *path = text_param(nn, p);
		if (!path || !(p->flags & (PF_FILE | PF_MEDIA))) continue;
		if ((p->flags & PF_FILE) && add_file(s, f, "file", path, e) < 0) return -1;
		if ((p->flags & PF_MEDIA) && add_input(s, nn, path, f, e) < 0) return -1;
	}
	char name[PATH_MAX], hex[65];
	const char *path;
	struct key k;
	for (int i = 0; nn->type->files && nn->type->files(&nn->ctx, i, name, sizeof name, &path); i++) {
		if (lock_get(f, "file", local(s, name))) continue;
		if (hash_file(path, &k, e) < 0) return -1;
		key_hex(&k, hex);
		lock_add(f, "file", local(s, name), "%s", hex);
	}
	return 0;
}

static void add_pins(const struct net_node *nn, struct lock_facts *f)
{
	char hex[65];
	const struct param *seed = param_find(nn->type->params, "seed");
	const char *why = nn->type->outside ? nn->type->outside(&nn->ctx) : NULL;
	if (lock_model_hash(&nn->ctx, hex)) lock_add(f, "model", nn->id, "%s", hex);
	if (why) lock_add(f, "outside", nn->id, "%s", why);
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

static void add_facts(struct lock_facts *f, const char *kind, struct picture *p)
{
	for (int i = 0; i < p->n; i++) {
		char *id = xasprintf("%s.%s", p->v[i].node, p->v[i].name);
		lock_add(f, kind, id, "%s", *p->v[i].value ? p->v[i].value : PICTURE_EMPTY);
		free(id);
	}
	picture_free(p);
}

/* The sources and the edit, which a picture lock compares; and every node's type, wiring and parameters. */
static int add_picture(const struct session *s, struct lock_facts *f, struct err *e)
{
	struct picture p;
	if (picture_collect(s->net, &p, e) < 0) return -1;
	add_facts(f, "picture", &p);
	if (picture_params(s->net, &p, e) < 0) return -1;
	add_facts(f, "param", &p);
	return 0;
}

/* One hash over a node's keys on the frames first..last. */
static int root_of(struct keymemo *km, const struct net_node *nn, int first, int last,
                   char hex[65], struct err *e)
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
void lock_span(const struct net *n, int *first, int *last)
{
	bool any = false;
	*first = 1;
	*last = 1;
	for (int i = 0; i < n->nnode; i++) {
		if (!(n->node[i]->type->flags & NF_SINK) || !n->node[i]->nconn || !n->node[i]->conn[0]) continue;
		const struct format *f = &n->node[i]->conn[0]->fmt;
		if (f->last == INT_MAX) continue;
		if (!any || f->first < *first) *first = f->first;
		if (!any || f->last > *last) *last = f->last;
		any = true;
	}
}

static const char *as_locked(const void *lock, const struct net_node *nn)
{
	return lock_decoder(lock, nn->id);
}

/* The root key that the finished file carries. */
static int add_write(struct keymemo *km, const struct net_node *nn, struct lock_facts *f, struct err *e)
{
	const struct format *fmt = &nn->conn[0]->fmt;
	struct sha s;
	char hex[65];
	sha_init(&s);
	for (int i = fmt->first; i <= fmt->last && fmt->last != INT_MAX; i++) {
		struct key k;
		if (net_key(km, nn, i, &k, e) < 0) return -1;
		sha_u64(&s, (uint64_t)(int64_t)i);
		sha_key(&s, &k);
	}
	struct key k = sha_end(&s);
	key_hex(&k, hex);
	lock_add(f, "write", nn->id, "%s", hex);
	return 0;
}

int lock_collect(struct session *s, const struct lock_facts *as, struct lock_facts *f, struct err *e)
{
	struct net *n = s->net;
	struct keymemo *km = keymemo_new(n);
	char hex[65];
	int first, last, rc = -1;
	if (as) keymemo_decoders(km, as_locked, as);
	lock_span(n, &first, &last);
	lock_add(f, "format", "-", "%d", LOCK_FORMAT);
	lock_add(f, "program", "-", "%s pixels %d", INTERNEG_VERSION, CORE_PIXELS);
	if (add_scene_files(s, s->scene, f, e) < 0 || add_picture(s, f, e) < 0) goto out;
	for (int i = 0; i < n->nnode; i++) {
		const struct net_node *nn = n->node[i];
		if (add_node_files(s, nn, f, e) < 0) goto out;
		add_pins(nn, f);
		if (nn->type->flags & NF_SINK) {
			if (add_write(km, nn, f, e) < 0) goto out;
			continue;
		}
		if (root_of(km, nn, first, last, hex, e) < 0) goto out;
		lock_add(f, "node", nn->id, "%s", hex);
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

/* --- what the sources decode to --- */

int lock_watch(struct session *s, struct err *e)
{
	for (int i = 0; i < s->net->nnode; i++) {
		const struct net_node *nn = s->net->node[i];
		if (nn->type->decoded && nn->type->decoded(&nn->ctx, 0, NULL, e) < 0) return -1;
	}
	return 0;
}

/* Joins the frames that the plan's rows say nn is read on, in their order. */
static int add_decoded(const struct net_node *nn, const struct plan_report *r,
                       struct lock_facts *f, struct err *e)
{
	struct pixhash *v = NULL;
	size_t n = 0, cap = 0;
	char hex[33];
	for (int i = 0; i < r->nrow; i++) {
		const struct plan_row *row = &r->row[i];
		for (int k = row->first; row->node == nn && k <= row->last; k += row->step ? row->step : 1) {
			v = grow(v, n, &cap, sizeof *v);
			if (nn->type->decoded(&nn->ctx, k, &v[n++], e) < 0) {
				free(v);
				return err_in(e, "node '%s' frame %d", nn->id, k);
			}
		}
	}
	if (n) {
		pixhash_hex(pixhash_join(v, n), hex);
		lock_add(f, "decoded", nn->id, "%s frames %zu decoder %s", hex, n,
		         nn->type->decoder ? nn->type->decoder(&nn->ctx) : "-");
	}
	free(v);
	return 0;
}

/* The plan of every write, whatever --only asks for: a lock is always over all of them. */
static int plan_all(struct net *n, struct plan *p, const struct render_opts *o,
                    struct plan_report *r, struct err *e)
{
	struct net_node **asked = n->write, **all = xalloc((size_t)n->nnode + 1, sizeof *all);
	int nasked = n->nwrite, ntarget = n->ntarget;
	n->write = all;
	n->nwrite = n->ntarget = 0;
	for (int i = 0; i < n->nnode; i++)
		if (n->node[i]->type->flags & NF_SINK) all[n->nwrite++] = n->node[i];
	int rc = render_plan(n, p, o, r, e);
	n->write = asked;
	n->nwrite = nasked;
	n->ntarget = ntarget;
	free(all);
	return rc;
}

int lock_decoded(struct session *s, const char *only, struct lock_facts *f, struct err *e)
{
	struct plan_opts po = { 0 };
	struct plan *p = plan_new(s->net, &po);
	struct plan_report r = { 0 };
	struct render_opts o = { .dry = true };
	int rc = plan_all(s->net, p, &o, &r, e);
	for (int i = 0; i < s->net->nnode && rc == 0; i++) {
		const struct net_node *nn = s->net->node[i];
		if (nn->type->decoded && (!only || strcmp(only, nn->id) == 0)) rc = add_decoded(nn, &r, f, e);
	}
	plan_report_free(&r);
	plan_free(&p);
	return rc;
}

const char *lock_decoder(const struct lock_facts *f, const char *id)
{
	static const char mark[] = " decoder ";
	const char *v = lock_get(f, "decoded", id), *at = v ? strstr(v, mark) : NULL;
	return at ? at + sizeof mark - 1 : NULL;
}

/* --- text --- */

static int by_name(const void *a, const void *b)
{
	const struct lock_fact *x = a, *y = b;
	int c = strcmp(x->name, y->name);
	return c ? c : strcmp(x->value, y->value);
}

void lock_sort(struct lock_facts *f)
{
	if (f->n) qsort(f->v, (size_t)f->n, sizeof *f->v, by_name);
	for (int i = 0; i < f->n; i++) strmap_put(&f->at, f->v[i].name, (void *)(uintptr_t)(i + 1));
}

/* After sorting: the frames of a write stand in order. */
void lock_pixels(struct session *s, struct lock_facts *f)
{
	lock_sort(f);
	for (int i = 0; i < s->net->nwrite; i++) {
		struct pixhash *v = xalloc((size_t)f->n + 1, sizeof *v);
		size_t n = 0;
		char hex[33], *esc = escaped(s->net->write[i]->id), *head = xasprintf("frame %s:", esc),
			*name = xasprintf("write %s", esc);
		for (int k = 0; k < f->n; k++)
			if (strncmp(f->v[k].name, head, strlen(head)) == 0 && pixhash_parse(f->v[k].value, &v[n]) == 0) n++;
		pixhash_hex(pixhash_join(v, n), hex);
		for (int k = 0; k < f->n; k++) {
			if (strcmp(f->v[k].name, name) != 0) continue;
			char *with = xasprintf("%s pixels %s", f->v[k].value, hex);
			free(f->v[k].value);
			f->v[k].value = with;
		}
		free(v);
		free(esc);
		free(head);
		free(name);
	}
}

char *lock_print(struct lock_facts *f)
{
	size_t len = 0, cap = 256;
	char *text = xalloc(cap, 1);
	len = (size_t)sprintf(text,
	                      "# interneg lock: what this scene was rendered from, and the hash of "
	                      "every frame\n");
	lock_sort(f);
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
		put(f, xstrdup(line), xstrdup(b + 1));
	}
	free(text);
	return 0;
}
