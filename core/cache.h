/* cache - intermediates on disk, content-addressed: KEY.exr holds the frame whose key is KEY.
 * Files carry the key and the hash of their pixels, checked on every read, and are renamed into place,
 * so that several processes may share one folder. Threads: any.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CACHE_H
#define IN_CACHE_H

#include "exr.h"
#include "hash.h"
#include "image.h"

struct cache;
/* dir need not exist; it is made, with a .gitignore, at the first store. From the
 * first look into it to cache_free the process holds a shared lock on DIR/lock, so
 * that prune takes nothing from it. */
struct cache *cache_new(const char *dir);
void cache_free(struct cache **c);
const char *cache_dir(const struct cache *c);
char *cache_path(const struct cache *c, const struct key *k);            /* malloced */
bool cache_has(const struct cache *c, const struct key *k);
/* E_INPUT when the file is absent, damaged or another key's; the damaged file is set aside. */
int cache_load(struct cache *c, const struct key *k, const struct image *into, struct err *e);
/* meta: name, value, ..., NULL further string attributes. half wants pixels that are halves already. */
int cache_store(struct cache *c, const struct key *k, const struct image *im, bool half,
                const char *const *meta, struct err *e);
/* For what else lives beside the intermediates (journal.c): takes the shared
 * lock; makes the folders of path. */
void cache_hold(const struct cache *c);
int cache_prepare(struct cache *c, const char *path, struct err *e);

/* Both in parts, for workers: one thread opens; any threads do every part 0..parts-1 once, at the
 * same time and in any order (in order is cheapest), each with an err of its own; when all are
 * back, one thread finishes or aborts. A failed opening leaves nothing and *out NULL. The pixels'
 * hash is taken and verified in the parts, so that the finish of a load is a comparison and the
 * finish of a store a few writes and a rename. The picture must stay referenced meanwhile. A load
 * that fails anywhere is to be aborted with `damaged`, which sets the file aside as cache_load
 * does; a finish that fails has done so. Aborting accepts NULL and clears. */
struct cache_form { bool half; enum exr_compression compression; int level; };
struct cache_form cache_form_of(bool half);                              /* what cache_store uses */
struct cache_store;
int cache_store_open(struct cache *c, const struct key *k, const struct image *im, struct cache_form form,
                     const char *const *meta, struct cache_store **out, struct err *e);
int cache_store_parts(const struct cache_store *s);
int cache_store_part(struct cache_store *s, int i, struct err *e);
int cache_store_finish(struct cache_store **s, struct err *e);
void cache_store_abort(struct cache_store **s);
struct cache_load;
int cache_load_open(struct cache *c, const struct key *k, const struct image *into, struct cache_load **out,
                    struct err *e);
int cache_load_parts(const struct cache_load *l);
int cache_load_part(struct cache_load *l, int i, struct err *e);
int cache_load_finish(struct cache_load **l, struct err *e);
void cache_load_abort(struct cache_load **l, const struct err *damaged);   /* damaged NULL: given up, not its fault */
/* The most that either allocates beside the picture while `threads` threads work on its parts. */
size_t cache_io_bytes(const struct format *f, struct cache_form form, int threads);
/* passes/GRAPH/PASS.####.exr inside the cache folder points at the frame; failures are not errors. */
void cache_link(struct cache *c, const struct key *k, const char *graph, const char *pass, int frame);
/* Reads a file as cache_load does, into a picture of its own, against the key that its name
 * says. -1 with damaged: the content is wrong; without: it could not be read at all (rights,
 * memory). The file stays where it is. */
int cache_check_file(const char *path, const char *hex, struct pool *pool, bool *damaged, struct err *e);
/* Renames a damaged file to PATH.damaged, so that nobody plans with it again. */
void cache_set_aside(const char *path);
/* Takes the folder for oneself: *fd is the lock, the caller closes it. E_AGAIN
 * while somebody renders with it. */
int cache_lock(const char *dir, int *fd, struct err *e);
/* Bytes free on the file system that holds (or will hold) dir. */
uint64_t disk_free(const char *dir);
/* mkdir -p; E_OUTPUT on failure. */
int make_dirs(const char *dir, struct err *e);

#endif
