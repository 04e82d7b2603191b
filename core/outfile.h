/* outfile - a file that appears whole or not at all: temporary name beside it, fsync, rename.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_OUTFILE_H
#define IN_OUTFILE_H

#include "base.h"
#include "err.h"

/* Threads: worker (one owner). Zero-initialise; fd is -1 outside open..commit. */
struct outfile { char *path, *tmp; int fd; };
#define OUTFILE_INIT { NULL, NULL, -1 }

/* Creates the temporary `.NAME.tmp.PID.SEQ`; E_OUTPUT with the system's reason. */
int outfile_open(struct outfile *f, const char *path, struct err *e);
/* Writes all of n bytes at offset; -1 with E_OUTPUT. */
int outfile_write(struct outfile *f, const void *p, size_t n, uint64_t offset, struct err *e);
/* fsync, rename, fsync of the folder. On failure nothing is left behind. Closes in any case. */
int outfile_commit(struct outfile *f, struct err *e);
/* The same without the fsyncs, for files that carry a checksum and can be made again. */
int outfile_rename(struct outfile *f, struct err *e);
/* Removes the temporary; accepts a closed or zeroed one. */
void outfile_abort(struct outfile *f);

#endif
