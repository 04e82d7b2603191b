/* cache_sum - the hash of a picture's pixels in strips, so that it can be taken while they pass by.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CACHE_SUM_H
#define IN_CACHE_SUM_H

#include "hash.h"
#include "image.h"

/* Strips of CACHE_STRIP rows from the top of the data window; each is hashed once, by any thread.
 * Threads: each strip's slot belongs to whoever hashes it. */
enum { CACHE_STRIP = 16 };
struct cache_sum { const struct image *im; int n; struct pixhash *strip; };

struct cache_sum cache_sum_new(const struct image *im);
void cache_sum_free(struct cache_sum *s);
/* The strips that begin in rows; rows must hold them whole. */
void cache_sum_rows(struct cache_sum *s, struct rect rows);
/* Over all strips, windows and channel names. */
struct pixhash cache_sum_end(const struct cache_sum *s);

#endif
