/* net_int - what the files of net share; not for others.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NET_INT_H
#define IN_NET_INT_H

#include <pthread.h>

#include "net.h"
#include "strmap.h"

/* One loaded scene at one place: the top one, or a <use>. Its parameters may depend on the outer frame. */
struct inst {
	const struct scene *scene;
	const char *prefix;                  /* "" or "s010." */
	struct inst *outer;                  /* whose expressions the parameter texts belong to */
	const struct elem *elem;             /* the <use>, NULL at the top */
	const char **ptext; int *pouter;     /* per scene param: text, and whether it is read in outer */
	struct strmap sym;                   /* id -> struct sym */
	uint64_t noise;                      /* node_ctx.instance */
};

/* What an id stands for inside an instance: a node, a nested instance, or an input fed from outside. */
struct sym {
	struct net_node *node;
	struct inst *inst;
	const struct ref *feed;              /* input: the outer reference, NULL when left open */
	int mark;
};

struct net_priv {
	pthread_mutex_t lock;                /* expressions and composites share one Lua state */
	struct inst **inst; int ninst; size_t cinst;
	size_t cnode, cwrite, cpass;
	struct strmap ids;                   /* full path -> net_node */
	const struct net_opts *o;
	struct diags *d;
	int made;                            /* counter for made nodes' names */
	const struct external_leave *leave;
	struct lut_store *luts;
	struct grain_store *grains;
};

/* made: what the owner asked for when it was built. */
struct net_group { struct net_node *owner; struct expand *made; };

/* One inner node that an expand asked for. */
struct xnode {
	const struct node_type *type; const char *name;
	struct net_node *input;              /* set: not a new node but the owner's input */
	struct xnode *conn[NODE_MAX_CONN]; int nconn;
	int conn_slot[NODE_MAX_CONN];
	struct { const char *param, *text; } set[64]; int nset;
	bool common;                         /* takes the owner's mix and mask_invert */
	struct net_node *made;
};
struct expand {
	struct net *net;
	struct net_node *owner;
	const struct node_ctx *ctx;
	struct arena *a;
	struct xnode **x; int n; size_t cap;
	struct xnode *in[NODE_MAX_CONN];
	struct xnode *out;
};

void net_diag(struct net *n, const struct net_node *nn, enum err_code code, const char *fmt,
              ...) IN_PRINTF(4, 5);

/* net_bind.c */
int bind_node(struct net *n, struct net_node *nn, struct inst *in);
int bind_fill(struct net *n, const struct net_node *nn, int frame, void *v, struct node_common *common,
              struct arena *a, struct err *e);
int param_at(struct net *n, const struct inst *in, int i, int frame, bool *used_frame, struct arena *a,
             struct value *out, struct err *e);
bool text_is_expr(const char *text);
double node_height(const struct net_node *nn);

/* net_make.c */
struct net_node *make_node(struct net *n, const struct node_type *t, const char *id,
                           const struct net_node *owner);
int finish_node(struct net *n, struct net_node *nn, struct inst *in);   /* bind, convert, open, format, expand, append */
struct net_node *net_final(struct net_node *nn);                         /* after expansion, rounding, proxy */
int convert_to(struct net *n, struct net_node **src, int space, const struct net_node *owner);

/* net_expand.c */
int expand_run(struct net *n, const struct net_node *owner, const struct node_ctx *ctx, struct arena *a,
               struct expand **out, struct err *e);
/* 0, -1 with diagnostics, or EXPAND_NOT. */
int expand_build(struct net *n, struct net_node *owner);

#endif
