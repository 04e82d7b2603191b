/* nn_strip - the last layers of a network whose maps are large, cut into strips of rows one after
 * the
 * other, so that the memory of a frame stays within bounds; the bits are those of whole maps.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NN_STRIP_H
#define IN_NN_STRIP_H

#include "nn_model.h"

enum { NN_MAX_STRIPS = 32 };

/* A layer and the activation computed with it, or -1; out: the blob that both make. */
struct nn_unit { int layer, act, out; };
/* Units in the order they run in; malloced. */
struct nn_unit *nn_units(const struct nn_model *m, int *n);

/* For an input of that window. It depends on nothing else: the plan's keys are the same
 * everywhere. */
struct nn_strips nn_strips_of(const struct nn_model *m, const struct nn_unit *u, int n, struct rect window);
/* The rows that strip k wants of every blob that units from first on make; empty: none. want:
 * m->nblob places. */
void nn_strip_rows(const struct nn_model *m, const struct nn_unit *u, int n, const struct nn_strips *s, int k,
                   struct rect window, struct rect *want);

#endif
