/* outfile - a file that appears whole or not at all: written without a name,
 * fsynced, linked or renamed into place.
 *
 * Where the file system can, the file has no name until it is whole (O_TMPFILE), so that a killed
 * process leaves nothing behind. Elsewhere it is `.NAME.tmp.PID.SEQ`, locked while it is written:
 * the next to write NAME removes those that nobody holds any more.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_OUTFILE_H
#define IN_OUTFILE_H

#include "base.h"
#include "err.h"

/* Threads: worker (one owner). Zero-initialise; fd is -1 outside open..commit. */
struct outfile { char *path, *tmp; int fd; bool named; };
#define OUTFILE_INIT { NULL, NULL, -1, false }

/* Creates the file, nameless or as a temporary; E_OUTPUT with the system's reason. */
int outfile_open(struct outfile *f, const char *path, struct err *e);
/* Writes all of n bytes at offset; -1 with E_OUTPUT. */
int outfile_write(struct outfile *f, const void *p, size_t n, uint64_t offset, struct err *e);
struct iovec;
/* The same from n pieces, which are changed on the way. */
int outfile_writev(struct outfile *f, struct iovec *v, int n, uint64_t offset, struct err *e);
/* What was written before; -1 with E_OUTPUT. */
int outfile_read(struct outfile *f, void *p, size_t n, uint64_t offset, struct err *e);
/* The file ends after n bytes. */
int outfile_cut(struct outfile *f, uint64_t n, struct err *e);
/* fsync, rename, fsync of the folder. On failure nothing is left behind. Closes in any case. */
int outfile_commit(struct outfile *f, struct err *e);
/* Without fsync: for files that prove their content when read. A crash of the
 * machine may leave one damaged. */
int outfile_publish(struct outfile *f, struct err *e);
/* Removes the temporary; accepts a closed or zeroed one. */
void outfile_abort(struct outfile *f);

#endif
