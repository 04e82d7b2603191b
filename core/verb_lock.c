/* verb_lock - `interneg lock` writes SCENE.lock: what the scene is rendered from and the hash of every frame.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockfile.h"
#include "textfile.h"

/* Frame hashes as the sinks report them. */
static void on_event(void *user, const struct render_event *ev)
{
	char id[700], hex[33];
	snprintf(id, sizeof id, "%.600s:%06d", ev->node->id, ev->frame);
	pixhash_hex(ev->hash, hex);
	lock_add(user, "frame", id, "%s", hex);
}

int lock_render(struct session *s, const char *frames, bool cached, struct lock_facts *f, struct err *e)
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
	if (lock_collect(&s, NULL, &f, e) < 0 || lock_watch(&s, e) < 0) goto out;
	if (lock_render(&s, NULL, true, &f, e) < 0 || lock_decoded(&s, NULL, &f, e) < 0) goto out;
	lock_pixels(&s, &f);
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
