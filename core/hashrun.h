/* hashrun - the pixhash of bytes that come piece by piece.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_HASHRUN_H
#define IN_HASHRUN_H

#include "hash.h"

/* Threads: worker. */
struct pixhash_run { void *state; };

void pixhash_begin(struct pixhash_run *r);
void pixhash_add(struct pixhash_run *r, const void *p, size_t n);
/* Of all pieces, as pixhash_bytes of them in one; the run is over. */
struct pixhash pixhash_end(struct pixhash_run *r);

#endif
