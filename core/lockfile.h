/* lockfile - SCENE.lock: what a scene was rendered from and the hash of every frame, as sorted plain text.
 *
 * One fact a line, "KIND ID VALUE...", ids and paths with spaces percent-escaped. No clock, host, user or absolute
 * path: locking twice changes no byte.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_LOCKFILE_H
#define IN_LOCKFILE_H

#include "session.h"

struct lock_fact { char *name, *value; };      /* name: "KIND ID" */
struct lock_facts { struct lock_fact *v; int n; size_t cap; };

/* SCENE.lock beside the scene; malloced. */
char *lockfile_path(const char *scene);
void lock_add(struct lock_facts *f, const char *kind, const char *id, const char *fmt, ...) IN_PRINTF(4, 5);
const char *lock_get(const struct lock_facts *f, const char *kind, const char *id);   /* NULL if absent */
/* Everything but the frame lines: program, graphs, scripts, files, clips, inputs, models, seeds, nodes, passes, writes. */
int lock_collect(struct session *s, struct lock_facts *f, struct err *e);
char *lock_print(struct lock_facts *f);        /* sorted; malloced text */
int lock_read(const char *path, struct lock_facts *f, struct err *e);
void lock_facts_free(struct lock_facts *f);

#endif
