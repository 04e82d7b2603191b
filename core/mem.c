/* mem - metadata allocation and arenas.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void IN_NORETURN out_of_memory(size_t n, size_t size)
{
	fprintf(stderr, "interneg: out of memory: %zu x %zu bytes of metadata\n", n, size);
	abort();
}

void *xalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);
	if (!p)
		out_of_memory(n, size);
	return p;
}

void *xrealloc(void *p, size_t n, size_t size)
{
	if (n == 0 || size == 0)
		n = size = 1;
	if (n > SIZE_MAX / size)
		out_of_memory(n, size);
	void *q = realloc(p, n * size);
	if (!q)
		out_of_memory(n, size);
	return q;
}

char *xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;
	return memcpy(xalloc(n, 1), s, n);
}

static char *xvasprintf(const char *fmt, va_list ap)
{
	char *s = NULL;
	if (vasprintf(&s, fmt, ap) < 0)
		out_of_memory(strlen(fmt), 1);
	return s;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

void *grow(void *v, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return v;
	size_t more = *cap ? *cap * 2 : 8;
	if (more <= n)
		more = n + 1;
	v = xrealloc(v, more, size);
	memset((char *)v + *cap * size, 0, (more - *cap) * size);
	*cap = more;
	return v;
}

/* Chunks are a list, newest first; only the first has room. They begin small, since most arenas
 * hold one node's parameters, and double up to CHUNK_BYTES. */
struct chunk { struct chunk *next; size_t used, size; };
struct arena { struct chunk *chunk; size_t next; };

enum { CHUNK_HEAD = 32, CHUNK_FIRST = 1024, CHUNK_BYTES = 65536 };
_Static_assert(sizeof(struct chunk) <= CHUNK_HEAD, "chunk header");

struct arena *arena_new(void)
{
	struct arena *a = xalloc(1, sizeof *a);
	a->next = CHUNK_FIRST;
	return a;
}

void arena_free(struct arena **a)
{
	if (!*a)
		return;
	for (struct chunk *c = (*a)->chunk, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(*a);
	*a = NULL;
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
	if (size && n > (SIZE_MAX - 2 * CHUNK_BYTES) / size)
		out_of_memory(n, size);
	size_t bytes = (n * size + 15) / 16 * 16;
	struct chunk *c = a->chunk;
	if (bytes == 0)
		bytes = 16;
	if (!c || c->size - c->used < bytes) {
		bool big = bytes > a->next / 4;
		size_t room = big ? bytes : a->next - CHUNK_HEAD;
		struct chunk *fresh = xalloc(1, CHUNK_HEAD + room);
		fresh->size = room;
		if (c && big) {                 /* keep filling the old chunk */
			fresh->next = c->next;
			c->next = fresh;
		} else {
			fresh->next = c;
			a->chunk = fresh;
		}
		if (a->next < CHUNK_BYTES)
			a->next *= 2;
		c = fresh;
	}
	void *p = (char *)c + CHUNK_HEAD + c->used;
	c->used += bytes;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	n = strnlen(s, n);
	char *p = arena_alloc(a, n + 1, 1);
	memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *s = xvasprintf(fmt, ap);
	va_end(ap);
	char *p = arena_strdup(a, s);
	free(s);
	return p;
}
