/* nn_fast - a network by oneDNN, opened when first asked for: outside the
 * promise of equal bits, meant for AMX.
 *
 * f32, or bf16 where the processor has AMX. Every call runs on the calling thread
 * alone. Threads: frozen after making.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NN_FAST_H
#define IN_NN_FAST_H

#include <stdatomic.h>

#include "image.h"
#include "nn_model.h"

struct nn_fast;

/* What it runs on, "oneDNN 2.6.3 f32"; NULL with E_INPUT when there is none. */
const char *nn_fast_about(struct err *e);
/* Takes the weights of m, b's mixed in by share; m belongs to it from now on, also when it fails. */
struct nn_fast *nn_fast_new(struct nn_model *m, const struct nn_model *b, double share, struct err *e);
void nn_fast_free(struct nn_fast **f);
/* Planes of the network's input, window in->r, to planes of its result over
 * nn_window of that. Runs in strips. */
int nn_fast_run(const struct nn_fast *f, const struct view *in, const struct view *out,
                const atomic_int *cancel, struct err *e);
/* Bytes that a run holds for a picture that wide. */
size_t nn_fast_bytes(const struct nn_model *m, int width);

/* E_SCENE names the first layer that only backend exact has. */
int nn_fast_holds(const struct nn_model *m, const char *model, struct err *e);

#endif
