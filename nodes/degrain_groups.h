/* degrain_groups - what both estimates of degrain have in common: their tables,
 * and blocks in and out of a group.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_DEGRAIN_GROUPS_H
#define IN_DEGRAIN_GROUPS_H

#include "degrain_parts.h"
#include "px_bm3d_area.h"

enum { BLOCKS = 8 };

/* Threads: frozen. */
struct groups { struct degrain_noise noise; struct bm_tries tries; };

/* Makes the node's state, which degrain_close frees after a failure too. */
static int groups_open(struct node_ctx *n, struct err *e)
{
	const struct degrain_common *p = n->v;
	struct degrain_ask a = degrain_ask_of(n);
	struct groups *s = n->state = xalloc(1, sizeof *s);
	s->tries.reach = p->reach;
	s->tries.n = degrain_tries(p->reach, DEGRAIN_LATTICE, s->tries.dx, s->tries.dy, BM_TRIES);
	return degrain_noise_make(&a, &s->noise, e);
}

/* The first coefficient of a group's first block in channel k. */
static inline float bm_mean(const struct bm_source *s, const struct bm_group *b, int k)
{
	bm8 sum = { 0 }, v[8];
	if (b->inner[0])
		for (int i = 0; i < 8; i++) v[i] = BM_LOAD(view_at(s->in, k, b->x[0], b->y[0] + i));
	else bm_mirrored(s, k, b->x[0], b->y[0], v);
	for (int i = 0; i < 8; i++) sum += v[i];
	return bm_total(&sum) * 0.125f;
}

/* The coefficients of a group's blocks in a channel of a source, into g. */
IN_INLINE void gather(const struct bm_source *s, int ch, const struct bm_group *b, bm8 *g)
{
	for (int i = 0; i < BLOCKS; i++) {
		bm8 v[8];
		bm_block(s, ch, b, i, v);
		bm_into(v, g + 8 * i);
	}
	for (int i = 0; i < BLOCKS; i++) bm_into2(g + 8 * i);
}

/* A group's estimates, of which g is left without, added to the sums of a kind; their weights to those of
 * den, or to none where that is -1. */
IN_INLINE void spread(const struct bm_area *a, const struct bm_group *b, bm8 *g, float weight, int kind,
                      int den)
{
	bm8 w[4];
	bm_weights(weight, w);
	for (int i = 0; i < BLOCKS; i++) if (b->writes[i]) bm_back(g + 8 * i, g + 8 * i);
	for (int i = 0; i < BLOCKS; i++) {
		bm8 v[8];
		if (!b->writes[i]) continue;
		bm_back2(g + 8 * i, v);
		bm_add(a, b->x[i], b->y[i], v, w, kind, den);
	}
}

/* Operations of a tile: its groups, those at its edges that other tiles have too, and the matching around
 * it. */
static inline double groups_work(struct rect r, int reach, double flops)
{ return 0.85 * degrain_work(r, reach / 2, flops) + 0.15 * degrain_work(r, reach + 7, flops); }

#endif
