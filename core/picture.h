/* picture - the locked picture: sources, cuts, trims and speeds above the first
 * AI process, as comparable facts.
 *
 * Sources, retimes and dissolves count with every keyed parameter, their frames and rate, what they
 * are fed by and the content of their files; any other node with the parameters that are flagged
 * PF_EDIT; writes with the sources and edits that reach them. What stands below an AI process does
 * not: it no longer changes what the AI was given.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PICTURE_H
#define IN_PICTURE_H

#include "net.h"

#define PICTURE_EMPTY "\"\""            /* an empty value, as it is written */

/* nn: the node as the scene has it (a composite, not what it is made of). Texts live in the arena. */
struct picture_fact { const char *node, *name, *value; const struct net_node *nn; };
struct picture { struct arena *a; struct picture_fact *v; int n; size_t cap; };   /* sorted by node and name */

/* -1 when a source's files cannot be read. */
int picture_collect(const struct net *n, struct picture *out, struct err *e);
/* In the same form every node of the scene with its type, wiring and all keyed parameters
 * that are not at their default. */
int picture_params(const struct net *n, struct picture *out, struct err *e);
void picture_free(struct picture *p);
/* One hash over all facts. */
struct key picture_hash(const struct picture *p);

#endif
