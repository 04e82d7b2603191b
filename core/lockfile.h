/* lockfile - SCENE.lock: what a scene was rendered from and the hash of every frame, as sorted plain text.
 *
 * One fact a line, "KIND ID VALUE...", ids and paths with spaces percent-escaped. No clock, host,
 * user or absolute path: locking twice changes no byte.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_LOCKFILE_H
#define IN_LOCKFILE_H

#include "session.h"
#include "strmap.h"

enum { LOCK_FORMAT = 2 };

struct lock_fact { char *name, *value; };      /* name: "KIND ID" */
struct lock_facts { struct lock_fact *v; int n; size_t cap; struct strmap at; };   /* at: name to place + 1 */

/* SCENE.lock beside the scene; malloced. */
char *lockfile_path(const char *scene);
void lock_add(struct lock_facts *f, const char *kind, const char *id, const char *fmt, ...) IN_PRINTF(4, 5);
const char *lock_get(const struct lock_facts *f, const char *kind, const char *id);   /* NULL if absent */
/* The value of a whole "KIND ID", or NULL. */
const char *lock_value(const struct lock_facts *f, const char *name);
bool lock_is(const struct lock_fact *f, const char *kind);
/* Everything but the frame and decoded lines: program, graphs, scripts, files, inputs, models,
 * seeds, the picture, what lies outside the promise, nodes, passes, writes. as: keys take the
 * decoders of this lock, NULL: the real ones. */
int lock_collect(struct session *s, const struct lock_facts *as, struct lock_facts *f, struct err *e);
/* Renders the writes for the hashes of their frames (frame lines); no output is looked at or written. */
int lock_render(struct session *s, const char *frames, bool cached, struct lock_facts *f, struct err *e);
/* From now on the sources note what their frames decode to while they render. */
int lock_watch(struct session *s, struct err *e);
/* The decoded lines: one hash over the decoded planes of the frames that the writes read, and the
 * decoder. Frames that were not noted are decoded. only: of this node, NULL: of all. */
int lock_decoded(struct session *s, const char *only, struct lock_facts *f, struct err *e);
/* The frames that the writes cover: what roots of nodes and passes are over. */
void lock_span(const struct net *n, int *first, int *last);
/* The decoder that a decoded line names, or NULL. */
const char *lock_decoder(const struct lock_facts *f, const char *id);
/* The pixels of each write: one hash over its frame lines, added to its line. */
void lock_pixels(struct session *s, struct lock_facts *f);
void lock_sort(struct lock_facts *f);           /* by name; frames of a write stand in order */
char *lock_print(struct lock_facts *f);        /* sorted; malloced text */
int lock_read(const char *path, struct lock_facts *f, struct err *e);
void lock_facts_free(struct lock_facts *f);

#endif
