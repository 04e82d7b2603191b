/* verb_diff - a scene as a sorted list of items with canonical facts, for `interneg diff`;
 * private to verb_diff*.c. Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_VERB_DIFF_H
#define IN_VERB_DIFF_H

#include "graph.h"

/* One canonical text; given: it stands in the file and is no default. */
struct fact { const char *name, *value; bool given; };

/* A scene inside a scene: nodes of a used graph are reached through the <use>. */
struct place { const struct place *up; const struct scene *s; const struct elem *use; const char *prefix; };

/* Order of the report. */
enum item_kind {
	ITEM_GRAPH, ITEM_PARAM, ITEM_SCRIPT, ITEM_PASS, ITEM_NODE, ITEM_OUTPUT, ITEM_WAIVER,
	ITEM_APPROVAL, ITEM_REFERENCE
};
struct item {
	enum item_kind kind;
	const char *id, *type, *pass;        /* type, pass: of nodes */
	const struct place *place;
	const struct elem *elem;             /* what it reaches others from; NULL: see items_reach */
	struct fact *fact; int nfact; size_t cap;
};
struct items { struct arena *a; struct item *v; int n; size_t cap; const struct scene *s; };

/* Everything of s and of the graphs it uses, sorted. The texts live in it->a and in the scene. */
void items_collect(struct items *it, const struct scene *s);
void items_free(struct items *it);
/* The ids of the writes downstream of x in its scene, sorted, each once; malloced list of n. */
const char **items_reach(const struct item *x, int *n);

#endif
