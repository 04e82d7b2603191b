/* grading - what the grading nodes share: the choice of the space they work in, and rows of tiles.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRADING_H
#define IN_GRADING_H

#include <string.h>

#include "node.h"
#include "px_fetch.h"

/* space="acescct|linear|clip": the log grading space, linear working light, the clip's own encoding. */
enum space_choice { IN_ACESCCT, IN_LINEAR, IN_CLIP };

static inline enum want grading_want(int choice)
{ return choice == IN_ACESCCT ? WANT_LOG : choice == IN_LINEAR ? WANT_LINEAR : WANT_ENCODED; }

/* The space's id. */
static inline int grading_space(const struct node_ctx *n, int choice)
{
	if (choice == IN_ACESCCT) return colour_find("acescct");
	if (choice == IN_CLIP && n->nconn && n->in[0] && n->in[0]->encoded >= 0) return n->in[0]->encoded;
	return n->working;
}
/* Mid-grey (18 %) in the numbers of the space, and how far white lies above it. */
static inline double grading_middle(int space) { return colour_encode(space, 0.18); }
static inline double grading_upper(int space) { return colour_encode(space, 1) - colour_encode(space, 0.18); }

/* Copies every row of the tile and hands it to row, in chunks that stay in L1; also in place. */
enum { GRADING_CHUNK = 256 };
IN_INLINE void grading_rows(const struct call *c, struct rect r,
                            void (*row)(const void *state, float *const p[3], int n))
{
	for (int y = r.y0; y < r.y1; y++)
		for (int x = r.x0; x < r.x1; x += GRADING_CHUNK) {
			int n = r.x1 - x < GRADING_CHUNK ? r.x1 - x : GRADING_CHUNK;
			float *p[3];
			for (int k = 0; k < 3; k++) {
				p[k] = view_at(c->out, k, x, y);
				px_take_row(p[k], view_at(&c->in[0], k, x, y), n);
			}
			row(c->n->state, p, n);
		}
}

#endif
