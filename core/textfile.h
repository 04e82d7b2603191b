/* textfile - small text files read whole and written atomically.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_TEXTFILE_H
#define IN_TEXTFILE_H

#include "err.h"

/* malloced, terminated; NULL with E_SCENE. */
char *text_read(const char *file, size_t *len, struct err *e);
/* Temporary name beside it, fsync, rename; E_OUTPUT, nothing left behind. */
int text_write(const char *file, const char *text, struct err *e);

#endif
