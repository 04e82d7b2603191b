/* net - a scene made runnable: instances flattened, references resolved, parameters bound, formats
 * propagated, colour conversions inserted, composites expanded. Frozen once built.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NET_H
#define IN_NET_H

#include "graph.h"

struct net;

/* Where a parameter's value comes from. */
struct bind {
	const struct param *p;
	enum { BIND_CONST, BIND_ANIM, BIND_EXPR } kind;
	struct value val;                    /* CONST */
	const struct anim *anim; struct value *key;  /* ANIM: one parsed value per key */
	const char *expr; int line;          /* EXPR: attribute text with {} */
	const struct scene *scene;           /* the file that writes it: paths are relative to it */
};

struct net_node {
	const char *id;                      /* full path; made nodes: "graded/in:acescg" */
	const struct elem *elem;             /* the element it comes from; made nodes: their owner's */
	const struct scene *scene;
	const struct node_type *type;
	int index;                           /* topological */
	int nconn; struct net_node *conn[NODE_MAX_CONN];   /* NULL: absent */
	int nslot; struct slot slot[NODE_MAX_SLOTS];
	int conn_slot[NODE_MAX_CONN];
	struct bind *bind; int nbind;
	struct bind *cbind; int ncbind;      /* common parameters (mix, mask_invert) */
	bool animated;                       /* some binding depends on the frame */
	struct net_group *group; int group_index;  /* made by an expand: parameters follow the owner's */
	struct node_ctx ctx;                 /* with the static parameters, opened */
	struct node_common common;
	struct format fmt;
	struct net_pass *pass;               /* or NULL */
	struct net_node *next_in_pass;       /* while the net is built: what the pass is made of */
	bool keep;                           /* result of a pass that is kept: its frames are intermediates */
	struct key static_key;               /* type, version, static parameters, format ... */
	bool has_static_key;
	unsigned traits;
	bool asked;                          /* a target: its frames are delivered whole */
	int uses;                            /* number of consumers */
	struct inst *inst;                   /* whose parameters its expressions see */
	/* what consumers read instead: an expansion's output, the rounded or scaled picture */
	struct net_node *stand_in;
	/* conversions already made of its output */
	struct { int space; struct net_node *node; } conv[8]; int nconv;
};

struct net_pass {
	const char *id;                      /* full path */
	int index;                           /* in net.pass */
	const struct pass *pass; const struct scene *scene;
	struct net_node *result;
	struct net_node *first, **end;       /* by next_in_pass */
	unsigned traits; bool kept, half; const char *path;
};

struct net {
	struct arena *a;
	const struct scene *scene;
	struct net_node **node; int nnode;   /* topological order */
	struct net_pass **pass; int npass;
	struct net_node **write; int nwrite; /* sinks asked for, document order */
	struct net_node **target; int ntarget;/* results asked for by `only` that are no sinks */
	int working; struct rational fps; double scale;
	struct script_host *host;
	struct net_priv *priv;
};

struct net_opts {
	int proxy;                           /* 1: full resolution */
	bool keep_all;
	bool no_cache;                       /* only passes with a path of their own end on disk */
	/* check without media: nodes that need a file are reported only if absent */
	bool no_open;
	const char *only;                    /* comma list of ids: sinks/passes/nodes asked for; NULL: all writes */
	const struct external_leave *leave;  /* lives as long as the net; NULL: no programs are run */
	struct solve_over *over; int nover;  /* render --solve: attribute texts by node id */
};
struct solve_over { const char *node; const struct attr *attr; int nattr; };

/* Errors go to d with file and line, all that can be found. NULL when there were any. */
struct net *net_build(const struct scene *s, const struct net_opts *o, struct diags *d);
void net_free(struct net **n);
/* Bytes that codecs and models hold beside pictures: of the sinks asked for and of everything else. */
size_t net_reserve(const struct net *n);
/* Replaces what is asked for by the given results (no sinks), for stills and solves. Before anything runs. */
void net_ask(struct net *n, struct net_node **nodes, int count);
/* By element id, pass id (its result) or full path; NULL if none. */
struct net_node *net_find(const struct net *n, const char *id);

/* Parameters of a node at a frame: static nodes share ctx; animated ones get a fresh, opened context.
 * net_ctx_free closes it. Any thread (expressions are evaluated under the net's own lock). */
int net_ctx_at(struct net *n, const struct net_node *nn, int frame, struct node_ctx *out,
               struct node_common *common, struct err *e);
void net_ctx_free(const struct net_node *nn, struct node_ctx *c);

/* The key of one node's one frame (DESIGN section 3); frame is clamped to the node's
 * range. Memoised by the caller's table. */
struct keymemo;
struct keymemo *keymemo_new(struct net *n);
void keymemo_free(struct keymemo **m);
/* Sources are keyed as if this had decoded them; NULL: as they are. Before the first key. */
typedef const char *decoder_of(const void *user, const struct net_node *nn);
void keymemo_decoders(struct keymemo *m, decoder_of *as, const void *user);
void keymemo_drop_before(struct keymemo *m, int frame);
int net_key(struct keymemo *m, const struct net_node *nn, int frame, struct key *out, struct err *e);

/* The needs of node nn for rect r of frame, clipped and clamped; the mask of NF_MASKED types comes last. */
void net_needs(const struct net_node *nn, const struct node_ctx *c, int frame, struct rect r,
               struct needs *out);
bool net_identity(const struct net_node *nn, const struct node_ctx *c);
/* Its planes are input 0's: identity, or a new label on the same channels. Keys know identity only. */
bool net_passes(const struct net_node *nn, const struct node_ctx *c);
/* Runs one call under the node's protocol: channel selection, alpha, mask, NaN policy. in[] belong to needs.
 * scratch has net_scratch bytes. */
size_t net_scratch(const struct net_node *nn, const struct node_ctx *c, struct rect r);
int net_run(const struct net_node *nn, const struct node_ctx *c, const struct node_common *common, int frame,
            const struct needs *needs, const struct view *in, const struct view *out, void *scratch,
            const atomic_int *cancel, struct err *e);
/* Does the protocol add nothing to what the type writes: no mask or mix, no alpha or other channels? */
bool net_alone(const struct net_node *nn);
/* May it work in the planes of what is connected there, as in_place of its type says? c: opened. */
bool net_in_place(const struct net_node *nn, const struct node_ctx *c, int conn);
/* The same for such a node of an NF_PAST type, past the caches. */
int net_run_past(const struct net_node *nn, const struct node_ctx *c, const struct node_common *common, int frame,
                 const struct needs *needs, const struct view *in, const struct view *out, void *scratch,
                 const atomic_int *cancel, struct err *e);
/* A sink's parts: pictures to a packed frame, that to a coded one, and a frame (coded, packed, or
 * in[]) to the file. */
struct sink_call { const struct node_ctx *c; int frame, worker; void *scratch, *run, *packed, **coded;
	const char *root; struct pixhash *hash;
                   const atomic_int *cancel; };
int net_pack(const struct net_node *nn, const struct sink_call *s, const struct needs *nd,
             const struct view *in, struct err *e);
int net_code(const struct net_node *nn, const struct sink_call *s, struct err *e);
int net_put(const struct net_node *nn, const struct sink_call *s, const struct needs *nd,
            const struct view *in, struct err *e);

/* --- composites: what expand (C) and build (Lua) may do --- */
struct xnode;
/* The owner's i-th input, or NULL when absent. */
struct xnode *expand_input(struct expand *x, int conn);
/* A new inner node; name must be unique within the expansion and becomes "owner/name". */
struct xnode *expand_node(struct expand *x, const char *type, const char *name, struct err *e);
int expand_connect(struct expand *x, struct xnode *n, const char *slot, struct xnode *from, struct err *e);
int expand_set(struct expand *x, struct xnode *n, const char *param, const char *text, struct err *e);
int expand_set_num(struct expand *x, struct xnode *n, const char *param, const double *v, int nv,
                   struct err *e);
void expand_output(struct expand *x, struct xnode *n);
/* The owner's mix and mask_invert become n's, whatever they are at a frame. */
void expand_common(struct expand *x, struct xnode *n);
/* n is the last node, under the owner's mask (NULL: none), mix and mask_invert. */
int expand_finish(struct expand *x, struct xnode *n, struct xnode *mask, struct err *e);
/* Does the owner, an NF_MASKED type, mix its input in? Then n's first input must be the owner's. */
bool expand_masked(const struct expand *x);
/* What expand returns to decline: the node stays as it is. Only for types that have tile too; these are
 * asked only where no parameter but the common ones depends on the frame. */
enum { EXPAND_NOT = 1 };
const struct registry *expand_registry(const struct expand *x);

#endif
