/* strmap - a small map from text to pointer, for names met while loading. Keys are not copied.
 * Threads: frozen after filling.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_STRMAP_H
#define IN_STRMAP_H

#include "base.h"

struct strmap { struct strmap_slot { const char *key; void *val; } *slot; size_t n, cap; };

void *strmap_get(const struct strmap *m, const char *key);          /* NULL if absent */
void strmap_put(struct strmap *m, const char *key, void *val);      /* replaces */
void strmap_free(struct strmap *m);

#endif
