/* burn - what the burnin nodes of a scene are told: cuts and source frames, revision, approvals.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_BURN_H
#define IN_BURN_H

#include "session.h"

/* Overrides for s->net's burnin nodes after the nover of over, all in s->a; *n counts both.
 * Returns false and leaves everything alone where there is no such node. lock and verify get no
 * revision and no state: both change when the lock is committed. */
bool burn_tell(struct session *s, struct solve_over **over, int *n);

#endif
