/* nn_expand - a network as nodes: what an upscale or neural node makes of itself.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NN_EXPAND_H
#define IN_NN_EXPAND_H

#include "net.h"

/* What the author says; paths openable. dst: display window of the result; par: its pixel aspect. */
struct nn_ask {
	const char *model, *sha, *model_b, *sha_b, *space;
	double denoise, blend, ringing, steady;
	bool lock; struct rect dst; struct rational par;
	bool fast;                           /* by oneDNN, outside the promise */
	const char *matte;                   /* "alpha", "mask": one channel is wanted, and goes there; NULL: a picture */
};

/* The nodes of a network over input 0. E_LOCK when a model is not the one that its sha names; a second
 * model has to be pinned (E_RULE), the first's pin is rule 7's. */
int nn_expand(struct expand *x, const struct node_ctx *n, const struct nn_ask *a, struct err *e);
/* Factor of the model in the file, as num / den. */
int nn_factor(const char *model, int *num, int *den, struct err *e);

#endif
