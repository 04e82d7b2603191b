/* passfile - a kept pass's frame at the path that the scene names, beside the cache.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PASSFILE_H
#define IN_PASSFILE_H

#include "hash.h"
#include "image.h"

/* Writes frame of the pass to pattern (#### or %04d). A file that already holds this key is left alone; one that
 * is not interneg's is E_OUTPUT unless overwrite. Threads: any. */
int passfile_write(const char *pattern, int frame, const struct key *k, const struct image *im, bool half,
                   bool overwrite, struct err *e);

#endif
