/* textfile - small text files read whole and written atomically; plain files opened.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_TEXTFILE_H
#define IN_TEXTFILE_H

#include <stdio.h>

#include "err.h"

/* A plain file to read; NULL with E_INPUT. Opening a pipe would wait for who writes into it. */
FILE *plain_open(const char *file, struct err *e);
/* A plain file: malloced, terminated; NULL with E_SCENE. */
char *text_read(const char *file, size_t *len, struct err *e);
/* Temporary name beside it, fsync, rename; E_OUTPUT, nothing left behind. */
int text_write(const char *file, const char *text, struct err *e);

#endif
