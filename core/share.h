/* share - where the files that come with the program lie.
 * Threads: any.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SHARE_H
#define IN_SHARE_H

#include "base.h"

/* The path of rel ("graphs/..."): below $INTERNEG_SHARE where that is set, else beside the program.
 * False where there is no such file. */
bool share_path(const char *rel, char *out, size_t size);

#endif
