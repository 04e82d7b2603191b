/* nn_int - what the readers of networks share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NN_INT_H
#define IN_NN_INT_H

#include <stdio.h>

#include "nn_model.h"

/* Layers and the places of their weights; the .bin is in memory (bin) or open (f), nbin bytes. */
int nn_read_text(struct nn_model *m, const char *name, const char *text, size_t len, const void *bin, FILE *f,
                 uint64_t nbin, struct err *e);

/* The same of an .onnx file in memory. */
int nn_read_onnx(struct nn_model *m, const char *name, const void *file, size_t len, struct err *e);
float nn_half(uint16_t h);                           /* IEEE binary16, exactly */
uint16_t nn_to_half(float v);                        /* the nearest one, ties to even */
/* Layer l's result: channels, grid, window, reach (per blob, in input pixels) and m's costs. E_INPUT. */
int nn_shape_layer(struct nn_model *m, struct nn_layer *l, double *reach, const char *name, struct err *e);
/* Uses of blobs; the one input and the one result that nothing reads. E_INPUT. */
int nn_ends(struct nn_model *m, const char *name, struct err *e);
IN_INLINE int nn_div(int a, int b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

#endif
