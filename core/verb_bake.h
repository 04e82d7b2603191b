/* verb_bake - a run of point nodes as a function of a colour. Private to verb_bake*.c
 * and solve.c. Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_VERB_BAKE_H
#define IN_VERB_BAKE_H

#include "session.h"

enum { LOOK_ROW = 256 };

struct look_step { struct net_node *nn; struct node_ctx c; struct node_common common; bool open,
	same; struct needs *nd;
                   float *mem; struct view out; };
/* From the picture `in` (above the first node) to the node `last`, at a frame. */
struct look {
	struct net *net;
	struct net_node *in, *last;
	int frame, w;                        /* w: pixels of a call */
	struct look_step *step; int nstep;   /* topological; the first stands for `in` */
	struct view *views;
	bool animated;
	struct colour_xform to, from;
		/* from the numbers asked for to in's, and of last's to those asked for */
};

/* The run from node `first` to node `last` (both the ids of elements; the same for one node).
 * Refuses, with the reason, what a table of colours cannot hold. look_close in any case. */
int look_open(struct look *l, struct session *s, const char *first, const char *last, struct err *e);
void look_close(struct look *l);
/* The spaces of the numbers that go in and come out. */
void look_spaces(struct look *l, int in, int out);
/* n colours in place, any number. */
int look_run(struct look *l, float *r, float *g, float *b, size_t n, struct err *e);

#endif
