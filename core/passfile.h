/* passfile - a kept pass's frame at the path that the scene names, beside the cache.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PASSFILE_H
#define IN_PASSFILE_H

#include "hash.h"
#include "image.h"

enum { PASSFILE_META = 32 };

/* Writes frame of the pass to pattern (#### or %04d). A file that already holds this key is left
 * alone; one that is not interneg's is E_OUTPUT unless overwrite. meta: further string attributes,
 * name, value, ..., NULL, at most PASSFILE_META; or NULL. Threads: any. */
int passfile_write(const char *pattern, int frame, const struct key *k, const struct image *im, bool half,
                   bool overwrite, const char *const *meta, struct err *e);

/* The same in parts, by the rules of cache_store_open. *out is NULL, without an
 * error, when there is nothing to do. */
struct passfile;
int passfile_open(struct passfile **out, const char *pattern, int frame, const struct key *k,
                  const struct image *im, bool half, bool overwrite, const char *const *meta,
                  struct err *e);
int passfile_parts(const struct passfile *p);
int passfile_part(struct passfile *p, int i, struct err *e);
int passfile_finish(struct passfile **p, struct err *e);
void passfile_abort(struct passfile **p);                                /* accepts NULL, clears */

#endif
