/* script_lock - SCENE.lock as the rules read it: sorted plain text, `#` comments, one pin a line:
 * "model ID SHA256", "seed ID VALUE", "picture ID.NAME VALUE". Other words are for the verbs that
 * write and compare locks and are skipped.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SCRIPT_LOCK_H
#define IN_SCRIPT_LOCK_H

#include "net.h"

struct lock_line { char *kind, *id, *value; };
struct lock { bool present; struct lock_line *line; int n; };

/* text may be NULL: no lock. Damaged lines are errors in d; -1 then. */
int lock_parse(struct lock *l, const char *text, const char *scene_file, struct diags *d);
void lock_free(struct lock *l);
/* SHA-256 of the file behind the parameter `model` (of a .param and its .bin:
 * nn_sha); false when there is none. */
bool lock_model_hash(const struct node_ctx *c, char hex[65]);

#endif
