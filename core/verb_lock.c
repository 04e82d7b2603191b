/* verb_lock - `interneg lock` writes SCENE.lock; `interneg verify` renders again and names the first difference.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockfile.h"
#include "textfile.h"

/* Frame hashes as the sinks report them, without writing any output. */
static void on_event(void *user, const struct render_event *ev)
{
	char id[700], hex[33];
	snprintf(id, sizeof id, "%.600s:%06d", ev->node->id, ev->frame);
	pixhash_hex(ev->hash, hex);
	lock_add(user, "frame", id, "%s", hex);
}

/* Renders the writes for the hashes of their frames; no file is written but intermediates. */
static int render_hashes(struct session *s, const char *frames, bool cached, struct lock_facts *f, struct err *e)
{
	struct render_stats st = { 0 };
	struct render_opts o = session_opts(s);
	o.frames = frames;
	o.event = on_event;
	o.user = f;
	o.dry = true;
	if (!cached) o.cache = NULL;
	if (!s->net->nwrite) return err_set(e, E_SCENE, "%s: nothing to write", s->file);
	int rc = s->c->oracle ? oracle_run(s->net, &o, &st, e) : render_run(s->net, &o, &st, e);
	diags_free(&st.problems);
	return rc;
}

int verb_lock(struct cli *c, struct err *e)
{
	struct session s;
	struct lock_facts f = { 0 };
	char *path = NULL, *text = NULL;
	int rc = -1;
	if (c->narg != 1) return err_set(e, E_USAGE, "lock wants one SCENE");
	if (session_open(&s, c, c->arg[0], WANT_RENDER, e) < 0) goto out;
	if (lock_collect(&s, &f, e) < 0 || render_hashes(&s, NULL, true, &f, e) < 0) goto out;
	path = lockfile_path(s.file);
	text = lock_print(&f);
	rc = text_write(path, text, e);
	if (rc == 0) printf("%s: %d lines\n", path, f.n);
out:
	lock_facts_free(&f);
	free(path);
	free(text);
	session_close(&s);
	return rc;
}

static bool kind_is(const char *name, const char *kind)
{
	size_t n = strlen(kind);
	return strncmp(name, kind, n) == 0 && name[n] == ' ';
}

static void tell(const struct lock_fact *fact, const char *locked, const char *now)
{
	printf("%s\n  locked %s\n  now    %s\n", fact->name, locked ? locked : "(absent)", now ? now : "(absent)");
}

static const char *value_of(const struct lock_facts *f, const char *name)
{
	for (int i = 0; i < f->n; i++)
		if (strcmp(f->v[i].name, name) == 0) return f->v[i].value;
	return NULL;
}

/* Everything of these kinds that differs between the lock and now; the count. */
static int compare_kind(const struct lock_facts *lock, const struct lock_facts *now, const char *kind)
{
	int n = 0;
	for (int i = 0; i < lock->n; i++) {
		const char *v = kind_is(lock->v[i].name, kind) ? value_of(now, lock->v[i].name) : lock->v[i].value;
		if (v && strcmp(v, lock->v[i].value) == 0) continue;
		tell(&lock->v[i], lock->v[i].value, v);
		n++;
	}
	for (int i = 0; i < now->n; i++) {
		if (!kind_is(now->v[i].name, kind) || value_of(lock, now->v[i].name)) continue;
		tell(&now->v[i], NULL, now->v[i].value);
		n++;
	}
	return n;
}

/* The first node, from the sources down, whose keys are not the locked ones. */
static int first_node(const struct session *s, const struct lock_facts *lock, const struct lock_facts *now)
{
	for (int i = 0; i < s->net->nnode; i++) {
		const struct net_node *nn = s->net->node[i];
		const char *kind = nn->type->flags & NF_SINK ? "write" : "node";
		const char *was = lock_get(lock, kind, nn->id), *is = lock_get(now, kind, nn->id);
		if (was && is && strcmp(was, is) == 0) continue;
		printf("first node that differs: %s (%s), %s:%d\n  locked %s\n  now    %s\n", nn->id, nn->type->name,
		       nn->scene->file, nn->elem ? nn->elem->line : 0, was ? was : "(absent)", is ? is : "(absent)");
		return 1;
	}
	return 0;
}

/* Frames rendered now against the lock; the first that differs is named. */
static int compare_frames(const struct lock_facts *lock, const struct lock_facts *now, int *checked)
{
	const struct lock_fact *first = NULL;
	int bad = 0;
	for (int i = 0; i < now->n; i++) {
		const struct lock_fact *f = &now->v[i];
		if (!kind_is(f->name, "frame")) continue;
		const char *was = value_of(lock, f->name);
		(*checked)++;
		if (was && strcmp(was, f->value) == 0) continue;
		bad++;
		if (!first || strcmp(strrchr(f->name, ':'), strrchr(first->name, ':')) < 0) first = f;
	}
	if (first) printf("first frame that differs: ");
	if (first) tell(first, value_of(lock, first->name), first->value);
	return bad;
}

static char *sample_frames(const struct net *n, int count)
{
	const struct format *f = &n->write[0]->conn[0]->fmt;
	int total = f->last - f->first + 1;
	char *list = xstrdup("");
	for (int i = 0; i < count && i < total; i++) {
		int k = count >= total ? i : (int)(((int64_t)(2 * i + 1) * total) / (2 * count));
		char *next = xasprintf("%s%s%d", list, i ? "," : "", f->first + k);
		free(list);
		list = next;
	}
	return list;
}

static int verify_outputs(struct session *s, struct err *e)
{
	struct keymemo *km = keymemo_new(s->net);
	struct render_opts o = session_opts(s);
	int bad = 0;
	for (int i = 0; i < s->net->nwrite; i++) {
		struct sink_run sk = { .node = s->net->write[i] };
		if (sink_prepare(s->net, &o, km, 1, &sk, e) < 0) { bad = -1; break; }
		printf("write %s: %s\n", sk.node->id, sk.fresh ? "the files on disk are of this root key" : "missing, partial or of another root key");
		bad += !sk.fresh;
		free(sk.frames.v);
	}
	keymemo_free(&km);
	return bad;
}

static int verify(struct session *s, const struct lock_facts *lock, struct err *e)
{
	static const char *const kinds[] = { "format", "program", "graph", "script", "file", "clip", "input", "model", "seed" };
	struct lock_facts now = { 0 };
	char *frames = s->c->frames ? xstrdup(s->c->frames) : s->c->sample ? sample_frames(s->net, s->c->sample) : NULL;
	int bad = 0, checked = 0, rc = -1;
	if (lock_collect(s, &now, e) < 0) goto out;
	for (size_t i = 0; i < IN_COUNT(kinds); i++) bad += compare_kind(lock, &now, kinds[i]);
	bad += first_node(s, lock, &now);
	if (s->c->outputs) {
		int k = verify_outputs(s, e);
		if (k < 0) goto out;
		bad += k;
	} else {
		if (render_hashes(s, frames, false, &now, e) < 0) goto out;
		bad += compare_frames(lock, &now, &checked);
	}
	rc = 0;
	if (bad) rc = err_set(e, E_VERIFY, "%s: %d difference%s from its lock", s->file, bad, bad == 1 ? "" : "s");
	else printf("%s: verified%s", s->file, s->c->outputs ? "\n" : "");
	if (!bad && !s->c->outputs) printf(", %d frames\n", checked);
out:
	free(frames);
	lock_facts_free(&now);
	return rc;
}

int verb_verify(struct cli *c, struct err *e)
{
	struct session s;
	struct lock_facts lock = { 0 };
	char *path = NULL;
	int rc = -1;
	if (c->narg != 1) return err_set(e, E_USAGE, "verify wants one SCENE");
	if (session_open(&s, c, c->arg[0], WANT_RENDER, e) == 0) {
		path = lockfile_path(s.file);
		if (lock_read(path, &lock, e) < 0) {
			e->code = E_LOCK;
			err_in(e, "no lock to verify against; interneg lock %s writes one", s.file);
		} else rc = verify(&s, &lock, e);
	}
	lock_facts_free(&lock);
	free(path);
	session_close(&s);
	return rc;
}
