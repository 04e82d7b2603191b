/* verb_diff - `interneg diff A B`: two scenes compared as graphs, and which writes every change reaches.
 *
 * A and B are files, or git revisions "REV:path" as `git show` takes them. Graphs and scripts that
 * a revision's scene names are taken from the working tree. Status 0 whether they differ or not;
 * nothing is printed when they are equal.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "verb_diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "script.h"
#include "session.h"

enum { MAX_TEXT = 64 << 20 };

/* All of fd up to the size a scene may have; malloced and terminated. */
static char *drain(int fd, size_t *len)
{
	size_t cap = 65536;
	char *buf = xalloc(cap, 1);
	ssize_t got;
	*len = 0;
	while ((got = read(fd, buf + *len, cap - *len - 1)) > 0 || (got < 0 && errno == EINTR)) {
		*len += got > 0 ? (size_t)got : 0;
		if (*len > MAX_TEXT) break;
		if (cap - *len < 4096) buf = xrealloc(buf, cap *= 2, 1);
	}
	buf[*len] = 0;
	return buf;
}

/* What git prints for these arguments, its own complaints on stderr; NULL with a message. */
static char *git_text(const char *verb, const char *arg, size_t *len, struct err *e)
{
	int fd[2], status = 0;
	if (pipe(fd) < 0) { err_set(e, E_INTERNAL, "pipe: %s", strerror(errno)); return NULL; }
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd[1], 1);
		close(fd[0]);
		close(fd[1]);
		execlp("git", "git", verb, arg, (char *)NULL);
		_exit(127);
	}
	close(fd[1]);
	char *text = pid > 0 ? drain(fd[0], len) : NULL;
	close(fd[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) { }
	if (text && WIFEXITED(status) && WEXITSTATUS(status) == 0 && *len <= MAX_TEXT) return text;
	free(text);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) err_set(e, E_SCENE, "git cannot be run");
	else err_set(e, E_SCENE, "git %s %s did not succeed", verb, arg);
	return NULL;
}

/* Where the scene of REV:path would lie in the working tree; malloced. */
static char *tree_path(const char *path, struct err *e)
{
	size_t len = 0;
	if (strncmp(path, "./", 2) == 0 || strncmp(path, "../", 3) == 0) return xstrdup(path);
	char *top = git_text("rev-parse", "--show-toplevel", &len, e);
	if (!top) return NULL;
	top[strcspn(top, "\n")] = 0;
	char *out = xasprintf("%s/%s", top, path);
	free(top);
	return out;
}

/* One side: its scene with the text's findings said. A scene with errors is
 * compared as far as it could be read. */
struct side { struct session s; struct items it; enum err_code code; };

static int side_open(struct side *d, const struct cli *c, const char *arg, struct err *e)
{
	const char *colon = strchr(arg, ':');
	char *text = NULL, *file = NULL;
	size_t len = 0;
	int rc = -1;
	d->s.c = c;
	if (colon && colon > arg && access(arg, F_OK) < 0) {
		text = git_text("show", arg, &len, e);
		file = text ? tree_path(colon + 1, e) : NULL;
	} else {
		text = scene_read(arg, &len, e);
		file = xstrdup(c->at ? c->at : arg);
	}
	if (!text || !file) { err_in(e, "%s", arg); goto out; }
	d->s.host = script_host_new();
	struct load_opts lo = { d->s.host, NULL, 0 };
	d->s.scene = scene_load(file, text, len, &lo, &d->s.d);
	struct err said = ERR_INIT;
	if (session_say(&d->s, &said) < 0) d->code = said.code;
	if (!d->s.scene) { err_set(e, E_SCENE, "%s: cannot be loaded", arg); goto out; }
	items_collect(&d->it, d->s.scene);
	rc = 0;
out:
	free(text);
	free(file);
	return rc;
}

static void side_close(struct side *d)
{
	items_free(&d->it);
	session_close(&d->s);
}

/* --- printing --- */

struct report { bool json; int n; };
static const char *const kinds[] = { "graph", "param", "script", "pass", "node", "output", "waiver",
	"approval", "reference" };

static void put_json(const char *s)
{
	size_t n = strlen(s) * 6 + 8;
	char *out = xalloc(n, 1);
	json_escape(out, n, s);
	printf("\"%s\"", out);
	free(out);
}

static void put_reach(const struct report *r, const struct item *x)
{
	int n;
	const char **id = items_reach(x, &n);
	printf(r->json ? ",\"reaches\":[" : n ? "; reaches " : x->kind >= ITEM_WAIVER ? "" : "; reaches no write");
	for (int i = 0; i < n; i++) {
		printf("%s", i ? r->json ? "," : ", " : "");
		if (r->json) put_json(id[i]);
		else printf("%s", id[i]);
	}
	printf(r->json ? "],\"facts\":[" : "\n");
	free(id);
}

/* The line of an element. how: added, removed, changed. */
static void head(struct report *r, const char *how, const struct item *x)
{
	if (r->json) {
		printf("%s\n{\"change\":\"%s\",\"kind\":\"%s\",\"id\":", r->n ? "," : "", how, kinds[x->kind]);
		put_json(x->id);
		if (x->type) { printf(",\"type\":"); put_json(x->type); }
	} else {
		printf("%s %s %s", how, kinds[x->kind], x->id);
		if (x->type) printf(" (%s)", x->type);
	}
	put_reach(r, x);
	r->n++;
}

static void put_side(bool json, const char *v)
{
	if (json && v) put_json(v);
	else printf("%s", v ? *v ? v : "\"\"" : json ? "null" : "(absent)");
}

static void put_fact(const struct report *r, int n, const char *name, const char *a, const char *b, bool one)
{
	if (r->json) {
		printf("%s{\"name\":", n ? "," : "");
		put_json(name);
		printf(",\"from\":");
		put_side(true, a);
		printf(",\"to\":");
		put_side(true, b);
		printf("}");
		return;
	}
	printf("  %s: ", name);
	if (!one) {
		put_side(false, a);
		printf(" -> ");
	}
	put_side(false, b ? b : one ? a : NULL);
	printf("\n");
}

/* An element of one side only: what stands in the file. */
static void only(struct report *r, const struct item *x, bool added)
{
	int n = 0;
	head(r, added ? "added" : "removed", x);
	for (int i = 0; i < x->nfact; i++) {
		const struct fact *f = &x->fact[i];
		bool pass = x->pass && strcmp(f->name, "pass") == 0 && strcmp(x->pass, "(none)") != 0;
		if (f->given || pass) put_fact(r, n++, f->name, added ? NULL : f->value, added ? f->value : NULL, true);
	}
	if (r->json) printf("]}");
}

struct change { const char *name, *from, *to; };

/* The facts that differ, in order; those that one side lacks count when they were written there. */
static int changes(const struct item *a, const struct item *b, struct change *out)
{
	int i = 0, k = 0, n = 0;
	while (i < a->nfact || k < b->nfact) {
		const struct fact *x = i < a->nfact ? &a->fact[i] : NULL, *y = k < b->nfact ? &b->fact[k] : NULL;
		int order = !x ? 1 : !y ? -1 : strverscmp(x->name, y->name);
		if (order > 0) x = NULL;
		if (order < 0) y = NULL;
		i += x != NULL;
		k += y != NULL;
		bool same = x && y ? strcmp(x->value, y->value) == 0 : x ? !x->given : !y->given;
		if (!same) out[n++] = (struct change){ x ? x->name : y->name, x ? x->value : NULL, y ? y->value : NULL };
	}
	return n;
}

static void both(struct report *r, const struct item *a, const struct item *b)
{
	struct change *ch = xalloc((size_t)(a->nfact + b->nfact) + 1, sizeof *ch);
	int n = changes(a, b, ch);
	if (n) head(r, "changed", b);
	for (int i = 0; i < n; i++) put_fact(r, i, ch[i].name, ch[i].from, ch[i].to, false);
	if (n && r->json) printf("]}");
	free(ch);
}

static int item_order(const struct item *a, const struct item *b)
{
	return a->kind != b->kind ? (int)a->kind - (int)b->kind : strcmp(a->id, b->id);
}

static void compare(struct report *r, const struct items *a, const struct items *b)
{
	int i = 0, k = 0;
	while (i < a->n || k < b->n) {
		int order = i == a->n ? 1 : k == b->n ? -1 : item_order(&a->v[i], &b->v[k]);
		if (order < 0) only(r, &a->v[i++], false);
		else if (order > 0) only(r, &b->v[k++], true);
		else both(r, &a->v[i++], &b->v[k++]);
	}
}

int verb_diff(struct cli *c, struct err *e)
{
	struct side a = { .code = E_OK }, b = { .code = E_OK };
	struct report r = { .json = c->json };
	int rc = -1;
	if (c->narg != 2) return err_set(e, E_USAGE, "diff wants two scenes, files or REV:path");
	if (side_open(&a, c, c->arg[0], e) < 0 || side_open(&b, c, c->arg[1], e) < 0) goto out;
	if (r.json) printf("[");
	compare(&r, &a.it, &b.it);
	if (r.json) printf("%s]\n", r.n ? "\n" : "");
	rc = 0;
	if (a.code || b.code) {
		e->code = a.code ? a.code : b.code;
		e->msg[0] = 0;
		rc = -1;
	}
out:
	side_close(&a);
	side_close(&b);
	return rc;
}
