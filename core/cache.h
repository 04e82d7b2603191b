/* cache - intermediates on disk, content-addressed: KEY.exr holds the frame whose key is KEY.
 * Files carry the key and the hash of their pixels, checked on every read, and are renamed into place,
 * so that several processes may share one folder. Threads: any.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CACHE_H
#define IN_CACHE_H

#include "hash.h"
#include "image.h"

struct cache;
/* dir need not exist; it is made, with a .gitignore, at the first store. */
struct cache *cache_new(const char *dir);
void cache_free(struct cache **c);
const char *cache_dir(const struct cache *c);
char *cache_path(const struct cache *c, const struct key *k);            /* malloced */
bool cache_has(const struct cache *c, const struct key *k);
/* E_INPUT when the file is absent, damaged or another key's; the damaged file is set aside. */
int cache_load(struct cache *c, const struct key *k, const struct image *into, struct err *e);
/* meta: name, value, ..., NULL further string attributes. */
int cache_store(struct cache *c, const struct key *k, const struct image *im, bool half,
                const char *const *meta, struct err *e);
/* passes/GRAPH/PASS.####.exr inside the cache folder points at the frame; failures are not errors. */
void cache_link(struct cache *c, const struct key *k, const char *graph, const char *pass, int frame);
/* Bytes free on the file system that holds (or will hold) dir. */
uint64_t disk_free(const char *dir);
/* mkdir -p; E_OUTPUT on failure. */
int make_dirs(const char *dir, struct err *e);

#endif
