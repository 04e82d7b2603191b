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

/* The coefficients of a group's blocks in a plane, into g. */
IN_INLINE void gather(const struct bm_area *a, const struct bm_group *b, const float *plane, bm8 *g)
{
	for (int i = 0; i < BLOCKS; i++) bm_forward(plane + b->y[i] * a->stride + b->x[i], a->stride, g + 8 * i);
}

/* A group's estimates of channel ch, added to its sums; their weights too if asked. */
IN_INLINE void spread(const struct bm_area *a, const struct bm_group *b, const bm8 *g, float weight, int ch,
                      bool den)
{
	for (int i = 0; i < BLOCKS; i++) {
		bm8 v[8];
		if (!b->writes[i]) continue;
		bm_backward(g + 8 * i, v);
		bm_add(a, b->x[i], b->y[i], v, weight, a->sum[ch], den ? a->weight[ch > 0] : NULL);
	}
}

#endif
