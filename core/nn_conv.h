/* nn_conv - a convolution's weights as its kernels want them.
 *
 * Maps of 16 channels and more lie in planes of 16 channels each, the 16 side by side in x; smaller
 * ones a channel a plane. Kernels of 3x3 work by Winograd's F(4x4, 3x3) on blocks anchored at the
 * corner of the window (Lavin and Gray 2015), others directly. A transposed one whose every result
 * reads 3x3 inputs at most is the 3x3 convolution that makes all results of an input pixel.
 * Threads: frozen.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NN_CONV_H
#define IN_NN_CONV_H

#include "nn_model.h"

struct nn_panel { int first, n; size_t at; };   /* its inputs, and where its weights begin */

struct nn_conv {
	int cin, cout, panels;               /* panels: of 16 outputs, those of up x up pixels in turn */
	int up, lanes;                       /* outputs of one of them, cout or a multiple of 16 */
	int k, dilation, stride, off;        /* as nn_layer's */
	bool wino, transposed, depth;        /* depth: every channel by itself */
	/* Winograd: [panel][36][cin][16]; depth: [panel][ky][kx][16]; else [panel][ky][kx][inputs][16] */
	float *w;
	struct nn_panel panel[NN_MAX_CHANNELS / 16];
	float *bias, *slope;                 /* panels * 16; slope of negatives, 1 without activation */
	enum nn_act act; float lo, hi;
	struct rect in;                      /* window of the input, in its pixels; 0 outside */
	int x0, y0;                          /* the first block's corner, in its pixels */
};

/* All but weights, vectors, panels and windows: what its geometry is. l: a CONV or DECONV. */
struct nn_conv nn_conv_shape(const struct nn_model *m, const struct nn_layer *l);
/* Bytes of its packed weights; 0 of other layers. */
size_t nn_conv_bytes(const struct nn_model *m, const struct nn_layer *l);
/* Layer i; b's weights are mixed in by share where b is given. act: the NN_ACT
 * layer that follows it, or NULL. */
struct nn_conv *nn_conv_new(const struct nn_model *m, const struct nn_layer *l, const struct nn_layer *act,
                            const struct nn_model *b, double share, struct err *e);
/* Where it works: windows of what it reads and of all that it makes. */
void nn_conv_place(struct nn_conv *c, struct rect in, struct rect out);
void nn_conv_free(struct nn_conv **c);

#endif
