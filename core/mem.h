/* mem - metadata allocation (aborts when out of memory), arenas, and the pixel pool.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MEM_H
#define IN_MEM_H

#include "base.h"
#include "err.h"

/* Small metadata: never NULL, aborts with a message. Zeroed. Free with free(). */
void *xalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) IN_PRINTF(1, 2);

/* Appends one slot to a growing array: v = grow(v, n, &cap, sizeof *v); v[n++] = x. */
void *grow(void *v, size_t n, size_t *cap, size_t size);

/* Arena: everything freed together. Threads: frozen after building. */
struct arena;
struct arena *arena_new(void);
void arena_free(struct arena **a);
void *arena_alloc(struct arena *a, size_t n, size_t size);   /* zeroed, 16-byte aligned */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) IN_PRINTF(2, 3);

/* Pixel pool: 64-byte aligned blocks, reused by size class; knows bytes in use and the peak.
 * pool_alloc fails (NULL, err E_MEMORY) when the system refuses or when a fault is injected.
 * The limit is enforced by the scheduler's admission, not here. Threads: any. */
struct pool;
struct pool *pool_new(void);
void pool_free(struct pool **p);                /* asserts that nothing is in use */
void *pool_alloc(struct pool *p, size_t bytes, const char *owner, struct err *e);
void pool_release(struct pool *p, void *ptr);
size_t pool_used(const struct pool *p);
size_t pool_peak(const struct pool *p);
void pool_limit(struct pool *p, size_t bytes);  /* what it may hold with the free blocks it keeps (else twice the peak); before anything runs */
void pool_trim(struct pool *p);                 /* gives cached free blocks back to the system */
void pool_leaks(const struct pool *p);          /* lists live owners on stderr (--debug=mem) */
/* Tests: the n-th pool_alloc from now fails; 0 switches it off. */
void pool_fail_after(struct pool *p, long n);

#endif
