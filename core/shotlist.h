/* shotlist - the shots of a scene in cut order, as its writes show them.
 *
 * A shot is a <use> instance, or a source, that reaches a write along first image slots; of a
 * list of pictures (an edit) every one is a shot. Instances that no write shows follow; a scene
 * without writes has the results of its passes that nothing else reads, else its sources.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SHOTLIST_H
#define IN_SHOTLIST_H

#include "net.h"

/* node: the finished picture, as far down as it is this shot's alone. source: the read or pattern
 * above it, or NULL. */
struct shotlist_item { char name[96]; struct net_node *node; const struct net_node *source; int frame; };
struct shotlist { struct shotlist_item *v; int n; size_t cap; };
void shotlist_find(const struct net *n, struct shotlist *out);
void shotlist_free(struct shotlist *s);
/* The middle of a node's range. */
int shotlist_middle(const struct net_node *nn);

/* The shot that a write shows at a frame: its name (use, else source), and source and frame there.
 * */
struct shotlist_at { const char *name; const struct net_node *source; int frame; };
void shotlist_at(const struct net *n, const struct net_node *nn, int frame, struct shotlist_at *out);

#endif
