/* verb_verify - `interneg verify` checks inputs, renders again without cache and
 * outputs, and names what differs from SCENE.lock: files, parameters, the first
 * node, the first frame, and by how much.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "verb_verify.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell(const char *name, const char *locked, const char *now)
{
	printf("%s\n  locked %s\n  now    %s\n", name, locked ? locked : "(absent)", now ? now : "(absent)");
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* A picture line that says what an input or param line says. */
static bool as_input(const struct lock_facts *f, const char *name)
{
	const char *dot = strrchr(name, '.');
	if (!dot || strncmp(name, "picture ", 8) != 0) return false;
	char *other = xasprintf("param %s", name + 8);
	bool twice = lock_value(f, other) != NULL;
	free(other);
	return twice || strcmp(dot, ".file-content") == 0;
}

/* Everything of this kind that differs between the lock and now; the count. */
static int compare_kind(const struct lock_facts *lock, const struct lock_facts *now, const char *kind)
{
	int n = 0;
	for (int i = 0; i < lock->n; i++) {
		if (!lock_is(&lock->v[i], kind) || as_input(lock, lock->v[i].name)) continue;
		const char *v = lock_value(now, lock->v[i].name);
		if (same(v, lock->v[i].value)) continue;
		tell(lock->v[i].name, lock->v[i].value, v);
		n++;
	}
	for (int i = 0; i < now->n; i++) {
		if (!lock_is(&now->v[i], kind) || as_input(now, now->v[i].name) ||
		    lock_value(lock, now->v[i].name))
			continue;
		tell(now->v[i].name, NULL, now->v[i].value);
		n++;
	}
	return n;
}

/* Inputs by content: another path of the same bytes is no difference. */
static int compare_inputs(const struct lock_facts *lock, const struct lock_facts *now)
{
	int n = 0;
	for (int pass = 0; pass < 2; pass++) {
		const struct lock_facts *a = pass ? now : lock, *b = pass ? lock : now;
		for (int i = 0; i < a->n; i++) {
			const char *v = a->v[i].value, *w = lock_is(&a->v[i], "input") ? lock_value(b, a->v[i].name) : v;
			size_t len = strcspn(v, " ") + 65;           /* "sha256 HEX" */
			if (w && strncmp(v, w, len) == 0) {
				if (!pass && strcmp(v, w) != 0) printf("note: %s lies elsewhere: %s\n", a->v[i].name, w);
				continue;
			}
			if (pass && w) continue;
			tell(a->v[i].name, pass ? NULL : v, pass ? v : w);
			n++;
		}
	}
	return n;
}

/* --- decoders --- */

static const char *before(const char *v, char *out, size_t n)
{
	const char *at = strstr(v, " decoder ");
	snprintf(out, n, "%.*s", at ? (int)(at - v) : (int)strlen(v), v);
	return out;
}

/* Sources whose file or decoder is not the locked one are decoded; the others are as the lock says,
 * unless every frame was just rendered. */
static int find_decoded(struct session *s, const struct lock_facts *lock, struct lock_facts *now,
                        bool full, struct err *e)
{
	if (full) return lock_decoded(s, NULL, now, e);
	for (int i = 0; i < s->net->nnode; i++) {
		const struct net_node *nn = s->net->node[i];
		if (!nn->type->decoded) continue;
		const char *locked = lock_get(lock, "decoded", nn->id), *as = lock_decoder(lock, nn->id);
		bool input = same(lock_get(lock, "input", nn->id), lock_get(now, "input", nn->id));
		if (locked && input && same(as, nn->type->decoder(&nn->ctx)))
			lock_add(now, "decoded", nn->id, "%s", locked);
		else if (lock_decoded(s, nn->id, now, e) < 0) return -1;
	}
	return 0;
}

static int compare_decoded(const struct lock_facts *lock, const struct lock_facts *now)
{
	int n = 0;
	char a[160], b[160];
	for (int i = 0; i < lock->n; i++) {
		if (!lock_is(&lock->v[i], "decoded")) continue;
		const char *was = lock->v[i].value, *is = lock_value(now, lock->v[i].name);
		if (same(was, is)) continue;
		if (is && strcmp(before(was, a, sizeof a), before(is, b, sizeof b)) == 0) {
			printf("note: %s: another decoder, the same frames\n  locked %s\n  now    %s\n", lock->v[i].name, was, is);
			continue;
		}
		tell(lock->v[i].name, was, is);
		n++;
	}
	return n;
}

/* --- nodes and frames --- */

/* The first node, from the sources down, whose keys are not the locked ones. */
static int first_node(const struct session *s, const struct lock_facts *lock, const struct lock_facts *now)
{
	for (int i = 0; i < s->net->nnode; i++) {
		const struct net_node *nn = s->net->node[i];
		bool sink = nn->type->flags & NF_SINK;
		const char *kind = sink ? "write" : "node";
		const char *was = lock_get(lock, kind, nn->id), *is = lock_get(now, kind, nn->id);
		if (was && is && strncmp(was, is, 64) == 0) continue;
		printf("first node that differs: %s (%s), %s:%d\n  locked %s %s %s\n  now    %s %s %s\n",
		       nn->id, nn->type->name, nn->scene->file, nn->elem ? nn->elem->line : 0, kind, nn->id,
		       was ? was : "(absent)", kind, nn->id, is ? is : "(absent)");
		return 1;
	}
	return 0;
}

/* The nodes outside the promise that stand above nn; NULL when there are none. malloced */
static char *outside_above(const struct net *n, const struct net_node *nn)
{
	bool *up = xalloc((size_t)n->nnode + 1, sizeof *up);
	char *text = NULL;
	up[nn->index] = true;
	for (int i = nn->index; i >= 0; i--) {
		const struct net_node *at = n->node[i];
		for (int k = 0; up[i] && k < at->nconn; k++)
			if (at->conn[k]) up[at->conn[k]->index] = true;
		const char *why = up[i] && at->type->outside ? at->type->outside(&at->ctx) : NULL;
		if (!why) continue;
		char *next = xasprintf("%s%s%s: %s", text ? text : "", text ? "; " : "", at->id, why);
		free(text);
		text = next;
	}
	free(up);
	return text;
}

struct first {
	const struct lock_fact *fact; const char *was; const struct net_node *write;
	int frame, bad, checked, excused;
};

/* "frame WRITE:NNNNNN" taken apart; NULL when no write of the net is called so. */
static const struct net_node *frame_of(const struct session *s, const struct lock_fact *f, int *frame)
{
	const char *colon = strrchr(f->name, ':');
	if (!lock_is(f, "frame") || !colon) return NULL;
	*frame = (int)strtol(colon + 1, NULL, 10);
	for (int i = 0; i < s->net->nwrite; i++) {
		const char *id = s->net->write[i]->id;
		if (strlen(id) == (size_t)(colon - f->name) - 6 &&
		    strncmp(f->name + 6, id, strlen(id)) == 0)
			return s->net->write[i];
	}
	return NULL;
}

static void differs(const struct session *s, struct first *r, const struct lock_fact *f, const char *was)
{
	int frame = 0;
	const struct net_node *nn = frame_of(s, f, &frame);
	char *why = nn ? outside_above(s->net, nn) : NULL;
	if (why) {
		if (!r->excused++) printf("note: %s differs, outside the promise (%s)\n", f->name, why);
		free(why);
		return;
	}
	r->bad++;
	/* events come as the frames are finished: of one frame the write that stands first counts */
	bool before = r->fact && frame == r->frame && nn && (!r->write || nn->index < r->write->index);
	if (!r->fact || frame < r->frame || before) { r->fact = f; r->was = was; r->write = nn; r->frame = frame; }
}

/* Frames rendered now against the lock; with whole also the locked ones that are gone. */
static void compare_frames(const struct session *s, const struct lock_facts *lock,
                           const struct lock_facts *now, bool whole, struct first *r)
{
	int frame;
	for (int i = 0; i < now->n; i++) {
		const struct lock_fact *f = &now->v[i];
		if (!lock_is(f, "frame")) continue;
		const char *was = lock_value(lock, f->name);
		r->checked++;
		if (!same(was, f->value)) differs(s, r, f, was);
	}
	for (int i = 0; i < lock->n && whole; i++) {
		const struct lock_fact *f = &lock->v[i];
		if (!lock_is(f, "frame") || lock_value(now, f->name)) continue;
		if (s->c->only && !frame_of(s, f, &frame)) continue;
		tell(f->name, f->value, NULL);
		r->bad++;
	}
	if (!r->fact) return;
	printf("first frame that differs: %s, frame %d (%d of %d)\n  locked %s %s\n  now    %s %s\n",
	       r->write ? r->write->id : r->fact->name, r->frame, r->bad, r->checked, r->fact->name,
	       r->was ? r->was : "(absent)", r->fact->name, r->fact->value);
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

static int check_files(struct session *s, const struct lock_facts *lock, const char *frames, struct err *e)
{
	int bad = 0;
	for (int i = 0; i < s->net->nwrite; i++) {
		int n = verify_files(s, lock, s->net->write[i], frames, e);
		if (n < 0) return -1;
		bad += n;
	}
	return bad;
}

int verify_session(struct session *s, const struct lock_facts *lock, struct err *e)
{
	static const char *const kinds[] = { "graph", "script", "file", "model", "seed", "picture",
		"param", "outside" };
	struct lock_facts now = { 0 };
	struct first r = { 0 };
	char *frames = s->c->frames ? xstrdup(s->c->frames) : s->c->sample && s->net->nwrite
		? sample_frames(s->net, s->c->sample) : NULL;
	const char *was = lock_get(lock, "program", "-"), *is;
	bool full = !frames && !s->c->outputs;
	int bad = 0, rc = -1;
	if (lock_collect(s, lock, &now, e) < 0) goto out;
	is = lock_get(&now, "program", "-");
	if (!same(was, is)) printf("note: program: locked %s, now %s\n", was ? was : "(absent)", is);
	for (size_t i = 0; i < IN_COUNT(kinds); i++) bad += compare_kind(lock, &now, kinds[i]);
	bad += compare_inputs(lock, &now);
	if (!s->c->outputs && ((full && lock_watch(s, e) < 0) ||
	                       lock_render(s, frames, false, &now, e) < 0))
		goto out;
	if (find_decoded(s, lock, &now, full, e) < 0) goto out;
	bad += compare_decoded(lock, &now) + first_node(s, lock, &now);
	lock_sort(&now);
	compare_frames(s, lock, &now, full, &r);
	int files = s->c->outputs ? check_files(s, lock, frames, e) : 0;
	if (files < 0) goto out;
	bad += r.bad + files;
	if (r.write) verify_measure(s, lock, r.write->id, r.frame);
	rc = 0;
	if (bad) rc = err_set(e, E_VERIFY, "%s: %d difference%s from its lock", s->file, bad, bad == 1 ? "" : "s");
	else if (s->c->outputs) printf("%s: verified\n", s->file);
	else printf("%s: verified, %d frames%s\n", s->file, r.checked - r.excused,
	            r.excused ? "; others lie outside the promise" : "");
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
		} else {
			const char *format = lock_get(&lock, "format", "-");
			if (!format || strtol(format, NULL, 10) != LOCK_FORMAT)
				err_set(e, E_LOCK, "%s: a lock of format %s, this program reads %d; interneg lock "
				        "--relock %s writes it again", path, format ? format : "(none)",
				        LOCK_FORMAT, s.file);
			else rc = verify_session(&s, &lock, e);
		}
	}
	lock_facts_free(&lock);
	free(path);
	session_close(&s);
	return rc;
}
