/* cache_scan - what lies in a cache folder: entries, leftovers of interrupted
 * or damaged work, links of passes.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CACHE_SCAN_H
#define IN_CACHE_SCAN_H

#include "base.h"
#include "err.h"

/* Threads: worker. path is DIR/..., hex the key that the name says. Last use in nanoseconds since 1970. */
struct cache_entry {
	char *path, hex[65];
	uint64_t size; int64_t used;
	char *node, *frame, *space;          /* from the header; NULL when it cannot be read or does not say */
	bool journal;                        /* a frame on its way into a clip */
	const char *pass;                    /* GRAPH/PASS of a link to it, or NULL; belongs to a link */
};
struct cache_extra { char *path; uint64_t size; };                   /* .NAME.tmp.*, *.damaged */
struct cache_pass { char *path, *pass, hex[65]; bool dangling; };    /* hex "": points elsewhere */
struct cache_files {
	struct cache_entry *entry; size_t n, cap; uint64_t bytes;        /* ascending by last use, then key */
	struct cache_extra *extra; size_t nextra, cextra; uint64_t extra_bytes;   /* by path */
	struct cache_pass *link; size_t nlink, clink;                    /* by path */
};

/* Looks at names, sizes and times, and with headers also into every file. Names that
 * a cache does not make are passed over. What other processes remove meanwhile is left
 * out. E_INPUT when dir cannot be read. */
int cache_scan(const char *dir, bool headers, struct cache_files *f, struct err *e);
void cache_files_free(struct cache_files *f);
/* Removes the folders under dir, of keys and of passes, that hold nothing; the count. */
int cache_remove_empty(const char *dir);

#endif
