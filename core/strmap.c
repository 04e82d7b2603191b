/* strmap - open addressing over FNV-1a; nothing depends on its order.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "strmap.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

static size_t strmap_find(const struct strmap *m, const char *key)
{
	uint64_t h = 1469598103934665603u;
	for (const unsigned char *p = (const unsigned char *)key; *p; p++) h = (h ^ *p) * 1099511628211u;
	size_t i = (size_t)h & (m->cap - 1);
	while (m->slot[i].key && strcmp(m->slot[i].key, key) != 0) i = (i + 1) & (m->cap - 1);
	return i;
}

void *strmap_get(const struct strmap *m, const char *key)
{
	if (!m->cap) return NULL;
	size_t i = strmap_find(m, key);
	return m->slot[i].key ? m->slot[i].val : NULL;
}

static void strmap_widen(struct strmap *m)
{
	struct strmap old = *m;
	m->cap = old.cap ? old.cap * 2 : 32;
	m->slot = xalloc(m->cap, sizeof *m->slot);
	for (size_t i = 0; i < old.cap; i++)
		if (old.slot[i].key) m->slot[strmap_find(m, old.slot[i].key)] = old.slot[i];
	free(old.slot);
}

void strmap_put(struct strmap *m, const char *key, void *val)
{
	if (m->n * 2 >= m->cap) strmap_widen(m);
	size_t i = strmap_find(m, key);
	if (!m->slot[i].key) m->n++;
	m->slot[i].key = key;
	m->slot[i].val = val;
}

void strmap_free(struct strmap *m)
{
	free(m->slot);
	m->slot = NULL;
	m->n = m->cap = 0;
}
