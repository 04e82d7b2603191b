/* journal - frames as they enter a clip's encoder, kept in the cache until the
 * clip is whole: an interrupted render then only encodes again, and parts rendered
 * elsewhere (-F) come together in one clip.
 *
 * CACHE/ab/KEY.frame holds the packed frame whose key is KEY, behind a header with its length and checksum;
 * files are renamed into place but not fsynced: one that a power cut spoilt fails its checksum and counts as
 * missing. Threads: any.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_JOURNAL_H
#define IN_JOURNAL_H

#include "cache.h"

bool journal_has(const struct cache *c, const struct key *k);
/* head bytes are kept as they are; the rest are 16-bit words, stored as bytes
 * where all of them are below 256. */
int journal_store(struct cache *c, const struct key *k, const void *p, size_t n, size_t head, struct err *e);
/* Fills p with n bytes. E_INPUT when the file is absent, damaged or of another
 * length; a damaged one is removed. */
int journal_load(struct cache *c, const struct key *k, void *p, size_t n, struct err *e);
void journal_drop(struct cache *c, const struct key *k);
/* Checks a file by itself (cache check): -1 with the reason. */
int journal_check_file(const char *path, struct err *e);

#endif
