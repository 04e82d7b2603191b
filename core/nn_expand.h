/* nn_expand - a network as nodes: what an upscale or neural node makes of itself.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NN_EXPAND_H
#define IN_NN_EXPAND_H

#include "net.h"
#include "nn_ort.h"

/* Beside the project's own kernels: oneDNN's and ONNX Runtime's, both outside the promise. */
enum nn_backend { NN_EXACT, NN_FAST, NN_ORT };
#define NN_BACKENDS "exact|fast|onnxruntime"

/* A network's file, looked at once; own: m where it is made up. Free with nn_first_free. */
struct nn_first { const struct nn_model *m; struct nn_model *own; struct nn_ort_facts ort; };

/* What the author says; paths openable. dst: display window of the result; par: its pixel aspect. */
struct nn_ask {
	const char *model, *sha, *model_b, *sha_b, *space;
	double denoise, blend, ringing, steady;
	bool lock; struct rect dst; struct rational par;
	enum nn_backend backend;
	int overlap;                         /* of ONNX Runtime's windows; 0: the picture in one piece */
	/* "alpha", "mask": one channel is wanted, and goes there; NULL: a picture */
	const char *matte;
};

/* E_INPUT; E_SCENE without a name. */
int nn_first_load(struct nn_first *f, const char *model, enum nn_backend backend, struct err *e);
void nn_first_free(struct nn_first *f);
/* The nodes of a network over input 0. E_LOCK when a model is not the one that its sha names; a second
 * model has to be pinned (E_RULE), the first's pin is rule 7's. */
int nn_expand(struct expand *x, const struct node_ctx *n, const struct nn_ask *a,
              const struct nn_first *f, struct err *e);

#endif
