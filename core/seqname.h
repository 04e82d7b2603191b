/* seqname - numbers in file names: name.####.ext and name.%04d.ext.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SEQNAME_H
#define IN_SEQNAME_H

#include "base.h"

/* Where the number stands in path: length of the mark, its least digits; NULL when there is none. */
const char *seq_mark(const char *path, size_t *len, int *digits);
/* Whether path holds #### or %04d in its file name. */
bool seq_is_pattern(const char *path);
/* The file name of frame n; malloced. */
char *seq_path(const char *pattern, int n);

#endif
