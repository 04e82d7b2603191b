/* conform - the generic test of any node type against its own declaration; no per-node code.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CONFORM_H
#define IN_CONFORM_H

#include "graph.h"
#include "net.h"

/* One scene built around a type: random sources on every slot, given attributes. */
struct rig {
	struct script_host host; struct script_host *lua;
	const struct node_type *types[16]; int ntypes;   /* extra types visible to the scene */
	const char *script;                              /* real Lua file to load, or NULL */
	struct scene *scene; struct net *net; struct net_node *nn;
	struct pool *pool;
	struct net_opts opts;
};

/* Size and place of the sources. */
struct shape { int w, h, dx, dy; bool alpha, data_smaller, offset_mask; const char *name; };
extern const struct shape shapes[];

int rig_build(struct rig *r, const struct node_type *t, const char *attrs, const struct shape *s, unsigned sources);
/* As rig_build; what a type refuses together is left out of attrs by and by, until the scene builds. */
int rig_settle(struct rig *r, const struct node_type *t, char *attrs, const struct shape *s, unsigned sources,
               uint32_t seed);
void rig_free(struct rig *r);

/* NULL when the node honours its declaration in this rig; else what it broke (static text). */
const char *conform_tiles(struct rig *r, uint32_t seed, bool specials);
const char *conform_identity(struct rig *r, uint32_t seed);
/* hash of the node's whole frame over seeded random input */
int conform_render(struct rig *r, int frame, uint32_t seed, bool specials, struct pixhash *h);
int conform_key(struct rig *r, int frame, struct key *k);

/* Seeded random attributes of a type within its declared ranges; vary < 0: all of them, else all and parameter
 * `vary` taken from another seed. Text for an element. */
void random_attrs(const struct node_type *t, uint32_t seed, int vary, char *out, size_t n);
/* Leaves out about that share of the attributes of ` name="value"...`, others in each try. */
void thin_attrs(char *attrs, double share, uint32_t seed, uint32_t try);

/* Of a source whose format its parameters say; what its pixels are is the tile function's. */
struct csource { int w, h, dx, dy, alpha, smaller, last, seed, odd; };
extern const struct param csource_params[];
int csource_format(const struct node_ctx *n, struct format *f, struct err *e);
/* The same, and its pixels are random, soft and moving; odd: among them NaN, infinities, huge and tiny numbers. */
extern const struct node_type psource_type;

#endif
