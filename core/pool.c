/* pool - the pixel pool of mem.h: aligned blocks, reused by size class, with their owners.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mem.h"

/* Under AddressSanitizer nothing is kept or mapped, so that it sees every use after free. */
#if defined(__SANITIZE_ADDRESS__)
#define POOL_CACHES false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_CACHES false
#endif
#endif
#ifndef POOL_CACHES
#define POOL_CACHES true
#endif

enum { MAP_FROM = 4 << 20, NCLASS = 64 * 8, SLACK = 1 << 20 };
#define BLOCK_MAGIC UINT64_C(0x1e7e9b10c0ffee01)

/* Stands before every block. A live block is in the live list; a free one in its class and in the
 * list of all free ones by age. */
struct block {
	size_t size, cap;               /* asked for (rounded to 64), and what there is */
	/* the most of it that was ever asked for: mapped pages behind that cost nothing */
	size_t touched;
	uint64_t magic;
	struct block *prev, *next;      /* live list, or class list */
	struct block *older, *newer;    /* free ones */
	unsigned cls, mapped;
	char owner[56];
};
_Static_assert(sizeof(struct block) % 64 == 0, "a block header keeps 64-byte alignment");

/* Threads: any; everything under the mutex, the counters also readable without it. */
struct pool {
	pthread_mutex_t lock;
	struct block *live, *cls[NCLASS], *oldest, *newest;
	_Atomic size_t used, peak;
	size_t cached, limit;
	long fail_in;
};

struct pool *pool_new(void)
{
	struct pool *p = xalloc(1, sizeof *p);
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

/* Eight classes an octave: at most an eighth of a block is unused. */
static size_t class_of(size_t bytes, unsigned *cls)
{
	unsigned log = 9;
	size_t n = (bytes + 63) / 64 * 64;
	if (n <= 512) {
		*cls = (unsigned)(n / 64);
		return n;
	}
	while (n >> (log + 1))
		log++;
	size_t step = (size_t)1 << (log - 3), cap = (n + step - 1) / step * step;
	if (cap >> (log + 1)) {
		log++;
		step *= 2;
	}
	*cls = (log - 8) * 8 + (unsigned)((cap >> (log - 3)) & 7);
	return cap;
}

static struct block *block_new(size_t cap)
{
	size_t total = sizeof(struct block) + cap;
	struct block *b;
	bool mapped = POOL_CACHES && cap >= MAP_FROM;
	if (mapped) {
		b = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (b == MAP_FAILED)
			return NULL;
		madvise(b, total, MADV_HUGEPAGE);
	} else {
		b = aligned_alloc(64, (total + 63) / 64 * 64);
		if (!b)
			return NULL;
	}
	memset(b, 0, sizeof *b);
	b->cap = cap;
	b->mapped = mapped;
	return b;
}

/* Frees a list chained by next. */
static void blocks_free(struct block *b)
{
	while (b) {
		struct block *next = b->next;
		if (b->mapped)
			munmap(b, sizeof *b + b->cap);
		else
			free(b);
		b = next;
	}
}

static void take_free(struct pool *p, struct block *b)
{
	if (b->prev)
		b->prev->next = b->next;
	else
		p->cls[b->cls] = b->next;
	if (b->next)
		b->next->prev = b->prev;
	if (b->older)
		b->older->newer = b->newer;
	else
		p->oldest = b->newer;
	if (b->newer)
		b->newer->older = b->older;
	else
		p->newest = b->older;
	b->prev = b->next = b->older = b->newer = NULL;
	p->cached -= b->touched;
}

static void put_free(struct pool *p, struct block *b)
{
	b->prev = NULL;
	b->next = p->cls[b->cls];
	if (b->next)
		b->next->prev = b;
	p->cls[b->cls] = b;
	b->newer = NULL;
	b->older = p->newest;
	if (b->older)
		b->older->newer = b;
	else
		p->oldest = b;
	p->newest = b;
	p->cached += b->touched;
}

/* What may be mapped at all: blocks of several sizes wait for their turn, within the caller's limit. */
static size_t keep_limit(const struct pool *p)
{
	size_t n = 2 * p->peak + SLACK;
	if (p->limit && n > p->limit) n = p->limit > p->peak + SLACK ? p->limit : p->peak + SLACK;
	return n;
}

/* Takes the oldest free blocks out until used + cached <= limit; the caller frees them unlocked. */
static struct block *shrink(struct pool *p, size_t limit)
{
	struct block *out = NULL;
	while (p->oldest && p->used + p->cached > limit) {
		struct block *b = p->oldest;
		take_free(p, b);
		b->next = out;
		out = b;
	}
	return out;
}

static void set_owner(struct block *b, const char *owner)
{
	size_t n = owner ? strlen(owner) : 0;
	if (n >= sizeof b->owner)
		n = sizeof b->owner - 1;
	if (n)
		memcpy(b->owner, owner, n);
	b->owner[n] = 0;
}

static void put_live(struct pool *p, struct block *b)
{
	b->prev = NULL;
	b->next = p->live;
	if (b->next)
		b->next->prev = b;
	p->live = b;
}

/* Reserves bytes in the counters and takes a free block of the class, if there is one. */
static bool reserve(struct pool *p, unsigned cls, size_t size, struct block **b,
                    struct block **excess)
{
	bool fail = false;
	pthread_mutex_lock(&p->lock);
	if (p->fail_in > 0)
		fail = --p->fail_in == 0;
	if (!fail) {
		*b = p->cls[cls];
		if (*b)
			take_free(p, *b);
		p->used += size;
		if (p->used > p->peak)
			p->peak = p->used;
		*excess = shrink(p, keep_limit(p));
	}
	pthread_mutex_unlock(&p->lock);
	return !fail;
}

void *pool_alloc(struct pool *p, size_t bytes, const char *owner, struct err *e)
{
	unsigned cls;
	struct block *b = NULL, *excess = NULL;
	if (bytes >> 46) {              /* more than can be addressed */
		err_set(e, E_MEMORY, "%s: %zu bytes of picture memory cannot be had", owner, bytes);
		return NULL;
	}
	size_t size = (bytes + 63) / 64 * 64;
	if (size == 0)
		size = 64;
	size_t cap = class_of(size, &cls);
	if (!reserve(p, cls, size, &b, &excess)) {
		err_set(e, E_MEMORY, "%s: no picture memory (injected fault)", owner);
		return NULL;
	}
	blocks_free(excess);
	if (!b)
		b = block_new(cap);
	if (!b) {
		pool_trim(p);
		b = block_new(cap);
	}
	pthread_mutex_lock(&p->lock);
	if (b) {
		b->size = size;
		if (size > b->touched) b->touched = size;
		b->cls = cls;
		b->magic = BLOCK_MAGIC;
		set_owner(b, owner);
		put_live(p, b);
	} else {
		p->used -= size;
	}
	pthread_mutex_unlock(&p->lock);
	if (!b) {
		err_set(e, E_MEMORY, "%s: the system refuses %zu MiB of picture memory (%zu MiB in use): %s",
		        owner, size >> 20, pool_used(p) >> 20, strerror(ENOMEM));
		return NULL;
	}
	return b + 1;
}

void pool_release(struct pool *p, void *ptr)
{
	if (!ptr)
		return;
	struct block *b = (struct block *)ptr - 1, *excess;
	assert(b->magic == BLOCK_MAGIC);
	b->magic = 0;
	pthread_mutex_lock(&p->lock);
	if (b->prev)
		b->prev->next = b->next;
	else
		p->live = b->next;
	if (b->next)
		b->next->prev = b->prev;
	p->used -= b->size;
	put_free(p, b);
	excess = shrink(p, POOL_CACHES ? keep_limit(p) : 0);
	pthread_mutex_unlock(&p->lock);
	blocks_free(excess);
}

void pool_trim(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	struct block *all = shrink(p, 0);
	pthread_mutex_unlock(&p->lock);
	blocks_free(all);
}

size_t pool_used(const struct pool *p)
{
	return p->used;
}

size_t pool_peak(const struct pool *p)
{
	return p->peak;
}

void pool_leaks(const struct pool *p)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&p->lock;
	pthread_mutex_lock(lock);
	for (const struct block *b = p->live; b; b = b->next)
		fprintf(stderr, "interneg: mem: %zu bytes still held by %s\n", b->size, b->owner);
	pthread_mutex_unlock(lock);
}

void pool_limit(struct pool *p, size_t bytes)
{
	p->limit = bytes;
}

void pool_fail_after(struct pool *p, long n)
{
	pthread_mutex_lock(&p->lock);
	p->fail_in = n;
	pthread_mutex_unlock(&p->lock);
}

void pool_free(struct pool **p)
{
	if (!*p)
		return;
	if ((*p)->live)
		pool_leaks(*p);
	assert(!(*p)->live && (*p)->used == 0);
	pool_trim(*p);
	pthread_mutex_destroy(&(*p)->lock);
	free(*p);
	*p = NULL;
}
