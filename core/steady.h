/* steady - nodes that blend a picture with its neighbours along the motion of a source.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_STEADY_H
#define IN_STEADY_H

#include "net.h"

enum { STEADY_REACH = 2 };
/* amount: weight of a neighbour that fits, 0..1; reach: frames to either side,
 * 1..STEADY_REACH; tolerances: differences of the source, and of the picture, at which
 * a neighbour counts for a quarter. */
struct steady_ask { double amount, tolerance, change; int reach; };
/* Behind a network: one frame, as every frame of it that is held costs its layers' memory. */
enum { STEADY_NETWORK_REACH = 1 };
#define STEADY_TOLERANCE 0.05
#define STEADY_CHANGE 0.12

/* Nodes over image, whose motion is that of source (the same shot at any size). NULL: failed, with e. */
struct xnode *steady_expand(struct expand *x, struct xnode *image, struct xnode *source,
                            const struct steady_ask *a, struct err *e);

#endif
