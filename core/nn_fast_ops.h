/* nn_fast_ops - what nn_fast.c does to maps beside convolutions: pixel by pixel, all channels side by side.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NN_FAST_OPS_H
#define IN_NN_FAST_OPS_H

#include "image.h"
#include "nn_model.h"

/* left: how many layers still read it. */
struct nn_map { struct rect r; int c, left; float *v; };

IN_INLINE size_t nn_map_bytes(const struct nn_map *m)
{ return rect_area(m->r) * (size_t)m->c * sizeof(float) + 64; }
/* Any layer that is no convolution; ACT only copies. */
void nn_map_op(const struct nn_layer *l, const struct nn_map *const *in, const struct nn_map *out);
/* The activation that l has or is, in place. */
void nn_map_act(const struct nn_layer *l, const float *slopes, const struct nn_map *m);
void nn_map_take(const struct nn_map *m, const struct view *from);
void nn_map_give(const struct nn_map *m, struct rect r, const struct view *to);
/* Rounded to the nearest bfloat16, ties to even; malloced or NULL. */
void *nn_map_bf16(const struct nn_map *m);

#endif
