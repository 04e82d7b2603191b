/* hash - SHA-256 for keys and files (nettle), XXH3-128 for pixels.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_HASH_H
#define IN_HASH_H

#include "base.h"
#include "err.h"

struct key { uint8_t b[32]; };                  /* a SHA-256 */

struct sha { uint64_t opaque[32]; };            /* streaming state, by value */
void sha_init(struct sha *s);
void sha_add(struct sha *s, const void *p, size_t n);
void sha_str(struct sha *s, const char *str);   /* length-prefixed, so that joins are unambiguous; NULL = absent */
void sha_u64(struct sha *s, uint64_t v);        /* little endian */
void sha_key(struct sha *s, const struct key *k);
struct key sha_end(struct sha *s);

IN_INLINE bool key_eq(const struct key *a, const struct key *b)
{ return __builtin_memcmp(a->b, b->b, 32) == 0; }
void key_hex(const struct key *k, char out[65]);
int key_parse(const char *hex, struct key *k);  /* 0, or -1 when not 64 hex digits */

/* SHA-256 of a file's bytes; remembered by device, inode, size, mtime and ctime (ns) for the
 * life of the process. Thread-safe. */
int hash_file(const char *path, struct key *k, struct err *e);

/* 128-bit hash of pixel bytes; order of calls matters. */
struct pixhash { uint64_t lo, hi; };
struct pixhash pixhash_bytes(const void *p, size_t n);
struct pixhash pixhash_join(const struct pixhash *v, size_t n);
void pixhash_hex(struct pixhash h, char out[33]);
int pixhash_parse(const char *hex, struct pixhash *h);

#endif
