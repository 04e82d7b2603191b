/* plan - stages: runs of nodes computed tile by tile without a trip through
 * memory; and what a render will do.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PLAN_H
#define IN_PLAN_H

#include "cache.h"
#include "net.h"

enum stage_kind { ST_TILES, ST_FRAME, ST_SINK };

/* node[]: members in topological order, the last is the output, the only one that gets an image.
 * Threads: frozen. */
struct stage {
	int index;
	enum stage_kind kind;
	struct net_node **node; int n;
	int *edge, nedge;                    /* places of the members that read other stages' pictures */
	/* what it reads of other stages, where that is at its own frame only; else NULL */
	const struct net_node **in; int nin;
	struct net_node *out;
	size_t bytes;                        /* of the output image */
	/* of the budget, until its picture is there (from then on: bytes); the stage that reserves for
	 * it */
	size_t reserve; int leader;
	bool keep;                           /* frames are intermediates on disk */
	bool temporal;                       /* some consumer reads other frames: results are held for later */
	int tile_w, tile_h;                  /* of its tiles: they fit the second-level cache */
	/* a frame; the share of them that tiles compute again at their borders */
	double flops, border;
	size_t read, scratch;                /* bytes a frame reads from other stages' pictures; of one tile */
};

struct plan {
	struct net *net;
	struct stage *stage; int nstage;     /* topological order of their outputs */
	int *stage_of;                       /* node index -> stage it is a member of */
	int *slot_of;                        /* node index -> place among its stage's members */
	int tile;                            /* side of all tiles where the caller asks for one, else 0 */
	int threads;
};

/* threads: workers that share a frame's tiles; 0: as many as the machine gives. */
struct plan_opts { int tile; bool no_fuse; int threads; };

struct plan *plan_new(struct net *n, const struct plan_opts *o);
void plan_free(struct plan **p);

/* Frames asked of one target: -F, or its whole range. malloced, ascending. */
struct frame_list { int *v; int n; };
/* "1-10,20-30x2,-5": ranges, steps, a leading minus counts from the end ("-5": the fifth from the
 * last).
 * NULL text: all. Errors: E_USAGE for syntax and frames outside first..last. */
int frames_parse(const char *text, int first, int last, struct frame_list *out, struct err *e);

/* Frames of one closure that each reserve so much more than their pictures are computed one after
 * the other, so
 * that one such reserve does for all of them. */
#define PLAN_SURPLUS ((size_t)32 << 20)
static inline bool stage_takes_turns(const struct stage *s) { return s->reserve > s->bytes + PLAN_SURPLUS; }

/* The external inputs of a stage at a frame: distinct (node, frame). */
struct stage_need { const struct net_node *src; int frame; };
struct stage_needs { struct stage_need *v; int n; size_t cap; };
int stage_inputs(struct plan *p, const struct stage *s, int frame, struct stage_needs *out, struct err *e);

#endif
