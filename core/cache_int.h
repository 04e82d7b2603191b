/* cache_int - what the files of the cache share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CACHE_INT_H
#define IN_CACHE_INT_H

#include "cache.h"

/* The shared lock, before the first look into the folder. */
void cache_hold(const struct cache *c);
/* The folders for a file at path, with the lock held. */
int cache_prepare(struct cache *c, const char *path, struct err *e);

#endif
