/* transport - the sliced optimal transport of colours, as a map of the whole cube.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_TRANSPORT_H
#define IN_TRANSPORT_H

#include "measure.h"

/* Turns and monotone curves, one after the other: Pitie, Kokaram, Dahyot, "Automated colour grading
 * using colour distribution transfer", CVIU 107 (2007). Threads: frozen once made. */
struct transport;
/* Takes the colours of in to those of ref; the same on every machine. Curves have slopes of a half
 * to two and go on straight beyond what was measured. */
struct transport *transport_new(const struct pixels *in, const struct pixels *ref);
void transport_free(struct transport **t);
void transport_map(const struct transport *t, double rgb[3]);

#endif
