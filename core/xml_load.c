/* xml_load - a scene file, and every graph it uses, from bytes to a checked struct scene.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xml.h"

enum { MAX_DEPTH = 32, MAX_USES = 10000, MAX_FINDINGS = 500, MAX_TOTAL = 256 << 20 };

/* A graph used many times would repeat its findings with every instance. */
static bool known(const struct diags *d, const char *file, int line, const char *msg)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].line == line && strcmp(d->v[i].msg, msg) == 0 && strcmp(d->v[i].file, file) == 0)
			return true;
	return false;
}

void load_bad(struct load *l, int line, const char *where, const char *hint, const char *fmt, ...)
{
	char msg[1200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	if (load_full(l) || (l->up && known(l->d, l->s->file, line, msg)))
		return;
	if (l->d->n == MAX_FINDINGS)
		diag_add(l->d, DIAG_ERROR, E_SCENE, l->s->file, 0, NULL, NULL,
		         "too many errors; the rest is not shown");
	else
		diag_add(l->d, DIAG_ERROR, E_SCENE, l->s->file, line, where, hint, "%s", msg);
}

bool load_full(const struct load *l)
{
	return l->d->n > MAX_FINDINGS;
}

const char *load_hint(struct load *l, const char *word, const char *const *names, size_t n)
{
	const char *near = load_full(l) ? NULL : nearest_name(word, names, n);
	return near ? arena_printf(l->s->a, "did you mean \"%s\"?", near) : NULL;
}

/* The whole of an open file, at most the cap and one byte. malloced. */
static char *slurp(int fd, size_t *len, struct err *e)
{
	size_t cap = 65536, n = 0;
	char *buf = xalloc(cap, 1);
	for (;;) {
		if (n == cap)
			buf = xrealloc(buf, cap *= 2, 1);
		ssize_t got = read(fd, buf + n, cap - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err_set(e, E_SCENE, "cannot be read: %s", strerror(errno));
			free(buf);
			return NULL;
		}
		n += (size_t)got;
		if (got == 0 || n > XML_MAX_BYTES)
			break;
	}
	*len = n;
	return buf;
}

static char *file_read(const char *path, bool plain_only, size_t *len, struct err *e)
{
	struct stat st;
	char *buf = NULL;
	if (stat(path, &st) < 0)
		err_set(e, E_SCENE, "cannot be opened: %s", strerror(errno));
	else if (S_ISDIR(st.st_mode))
		err_set(e, E_SCENE, "is a folder, not a scene file");
	else if (plain_only && !S_ISREG(st.st_mode))
		err_set(e, E_SCENE, "is not a plain file");
	else if (S_ISREG(st.st_mode) && st.st_size > XML_MAX_BYTES)
		err_set(e, E_SCENE, "is too large for a scene: %lld bytes, at most 64 MiB",
		        (long long)st.st_size);
	else {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			err_set(e, E_SCENE, "cannot be opened: %s", strerror(errno));
		} else {
			buf = slurp(fd, len, e);
			close(fd);
		}
	}
	return buf;
}

char *scene_read(const char *file, size_t *len, struct err *e)
{
	return file_read(file, false, len, e);
}

char *scene_path(const struct scene *s, const char *path, struct arena *a)
{
	if (path[0] == '/' || strcmp(s->dir, ".") == 0)
		return arena_strdup(a, path);
	return arena_printf(a, "%s/%s", strcmp(s->dir, "/") == 0 ? "" : s->dir, path);
}

void sparam_declare(const struct sparam *sp, struct param *out)
{
	*out = (struct param){
		.name = sp->name, .type = sp->type, .n = 1, .min = sp->min, .max = sp->max,
		.choices = sp->choices, .unit = "", .doc = sp->doc ? sp->doc : ""
	};
	if (sp->type == PT_COLOUR || sp->type == PT_VEC)
		out->n = 3;
}

struct scene *load_scene(const char *file, const char *text, size_t len, const struct load_opts *o,
                         struct diags *d, struct load *up, const char *via, struct xdoc *tree)
{
	struct load_opts none = { 0 };
	struct load_total total = { 0 };
	struct scene *s = xalloc(1, sizeof *s);
	struct load l = {
		.s = s, .o = o ? o : &none, .d = d, .up = up, .via = via,
		.depth = up ? up->depth + 1 : 0, .total = up ? up->total : &total
	};
	struct err e = ERR_INIT;
	char *owned = NULL;
	const char *slash = strrchr(file, '/');
	s->a = arena_new();
	s->file = arena_strdup(s->a, file);
	s->dir = !slash ? "." : slash == file ? "/" : arena_strndup(s->a, file, (size_t)(slash - file));
	s->reg = arena_alloc(s->a, 1, sizeof *s->reg);
	s->reg->host = l.o->host;
	s->index = l.ids = arena_alloc(s->a, 1, sizeof *l.ids);
	l.real = realpath(file, NULL);
	if (!text)
		text = owned = file_read(file, up != NULL, &len, &e);
	if (!text) {
		diag_add(d, DIAG_ERROR, e.code, file, 0, NULL, NULL, "%s", e.msg);
		scene_free(&s);
	} else if (xdoc_read(&l.x, file, text, len, s->a, d) < 0) {
		scene_free(&s);
	} else {
		struct sha sha;
		sha_init(&sha);
		sha_add(&sha, text, len);
		s->text_hash = sha_end(&sha);
		l.total->nelem += l.x.nelem;
		l.total->bytes += len;
		elems_collect(&l);
		attrs_check(&l);
		refs_resolve(&l);
		if (tree)
			*tree = l.x;
	}
	free(l.source);
	free(l.real);
	free(owned);
	return s;
}

struct scene *scene_load(const char *file, const char *text, size_t len, const struct load_opts *o,
                         struct diags *d)
{
	return load_scene(file, text, len, o, d, NULL, "", NULL);
}

void scene_free(struct scene **s)
{
	if (!*s)
		return;
	for (int i = 0; i < (*s)->nelem; i++)
		scene_free(&(*s)->elem[i].used);
	strmap_free((*s)->index);
	free((*s)->reg->extra);
	arena_free(&(*s)->a);
	free(*s);
	*s = NULL;
}

static bool same_file(const struct load *l, const char *real)
{
	return l->real && strcmp(l->real, real) == 0;
}

/* "a.xml uses b.xml uses a.xml", when path is one of the files being loaded. */
static bool report_recursion(struct load *l, const struct elem *el, const char *real,
                             const char *path, int line)
{
	char where[160], chain[1000];
	struct load *top = l;
	while (top && !same_file(top, real))
		top = top->up;
	if (!top)
		return false;
	snprintf(chain, sizeof chain, "%s", path);
	for (struct load *u = l;; u = u->up) {
		char longer[sizeof chain];
		snprintf(longer, sizeof longer, "%.200s uses %.780s", u->s->file, chain);
		memcpy(chain, longer, sizeof chain);
		if (u == top)
			break;
	}
	load_bad(l, line, elem_where(el, where, sizeof where), NULL, "a graph cannot use itself: %s",
	         chain);
	return true;
}

struct scene *load_used(struct load *l, struct elem *el, const char *graph, int line)
{
	char where[160];
	const char *path = scene_path(l->s, graph, l->s->a);
	elem_where(el, where, sizeof where);
	char *real = realpath(path, NULL);
	struct scene *used = NULL;
	if (!real)
		load_bad(l, line, where, NULL, "graph=\"%.200s\": cannot be opened: %s", graph, strerror(errno));
	else if (report_recursion(l, el, real, path, line))
		;
	else if (l->depth + 1 >= MAX_DEPTH)
		load_bad(l, line, where, NULL, "graphs use each other more than %d deep", MAX_DEPTH);
	else if (++l->total->nuse > MAX_USES || l->total->nelem > XML_MAX_ELEMS ||
	         l->total->bytes > MAX_TOTAL)
		load_bad(l, line, where, NULL,
		         "too much in the used graphs together: at most %d uses, %d elements "
		         "and %d MiB", MAX_USES, XML_MAX_ELEMS, MAX_TOTAL >> 20);
	else
		used = load_scene(path, NULL, 0, l->o, l->d, l,
		                  arena_printf(l->s->a, "%s%s.", l->via, el->id), NULL);
	free(real);
	return used;
}

struct elem *scene_elem(const struct scene *s, const char *id)
{
	struct id_entry *e = id_find(s, id);
	return e && e->kind == ID_ELEM ? &s->elem[e->index] : NULL;
}

struct pass *scene_pass(const struct scene *s, const char *id)
{
	struct id_entry *e = id_find(s, id);
	return e && e->kind == ID_PASS ? &s->pass[e->index] : NULL;
}

const char *elem_where(const struct elem *el, char *buf, size_t n)
{
	if (el->id && el->id[0])
		snprintf(buf, n, "<%.60s id=\"%.60s\">", el->tag, el->id);
	else
		snprintf(buf, n, "<%.60s>", el->tag);
	return buf;
}
