/* degrain_parts - what all stages of degrain declare alike.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_DEGRAIN_PARTS_H
#define IN_DEGRAIN_PARTS_H

#include <stdlib.h>

#include "degrain.h"
#include "node.h"

/* What every stage's parameters begin with. Threads: frozen. */
#define DEGRAIN_FIELDS const char *profile; double sigma, strength; int reach, space;
struct degrain_common { DEGRAIN_FIELDS };
#define DEGRAIN_COMMON union { struct degrain_common common; struct { DEGRAIN_FIELDS }; }

#define DEGRAIN_SPACE(S) P_ENUM(S, space, "encoded", "encoded|linear|log", PF_STATIC, "As of degrain.")

/* No grain is taken out: the picture stays. */
static inline bool degrain_identity(const struct node_ctx *n)
{
	const struct degrain_common *p = n->v;
	return p->strength <= 0 || (!*p->profile && p->sigma <= 0);
}

/* The picture in the space asked for; what other stages made as it comes. */
static inline enum want degrain_want(const struct node_ctx *n, int conn)
{
	const struct degrain_common *p = n->v;
	if (conn > 0) return WANT_ANY;
	return p->space == 1 ? WANT_LINEAR : p->space == 2 ? WANT_LOG : WANT_ENCODED;
}

static inline struct degrain_ask degrain_ask_of(const struct node_ctx *n)
{
	const struct degrain_common *p = n->v;
	const struct format *f = n->in[0];
	return (struct degrain_ask){ p->profile, p->sigma, p->strength, n->scale, f->space, rect_h(f->display) };
}

/* Operations of a tile whose every pixel within m of it takes so many. */
static inline double degrain_work(struct rect r, int m, double flops)
{ return flops * (double)rect_area(rect_grow(r, m, m)); }

static inline void degrain_close(struct node_ctx *n)
{
	free(n->state);
	n->state = NULL;
}

#endif
