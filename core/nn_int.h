/* nn_int - what nn_model.c and nn_read.c share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NN_INT_H
#define IN_NN_INT_H

#include <stdio.h>

#include "nn_model.h"

/* Layers and the places of their weights; the .bin is in memory (bin) or open (f), nbin bytes. */
int nn_read_text(struct nn_model *m, const char *name, const char *text, size_t len, const void *bin, FILE *f,
                 uint64_t nbin, struct err *e);

#endif
