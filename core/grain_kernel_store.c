/* grain_kernel_store - shapes of profiles that nodes and frames share; see grain_kernel.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>

#include "grain_kernel.h"
#include "mem.h"

struct grain_store { pthread_mutex_t lock; struct grain_shape **v; size_t n, cap; };

struct grain_store *grain_store_new(void)
{
	struct grain_store *s = xalloc(1, sizeof *s);
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void grain_store_free(struct grain_store **sp)
{
	struct grain_store *s = *sp;
	*sp = NULL;
	if (!s) return;
	for (size_t i = 0; i < s->n; i++) grain_shape_free(&s->v[i]);
	free(s->v);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct grain_shape *find(struct grain_store *s, const struct key *k)
{
	for (size_t i = 0; i < s->n; i++)
		if (key_eq(&s->v[i]->key, k)) {
			atomic_fetch_add(&s->v[i]->refs, 1);
			return s->v[i];
		}
	return NULL;
}

/* Fits are made outside the lock; of two made at once the first one's stays. */
struct grain_shape *grain_store_get(struct grain_store *s, const char *path, int lines,
                                    double scale, struct err *e)
{
	struct grain_profile p;
	struct grain_shape *old, *made;
	if (grain_profile_read(path, &p, e) < 0) return NULL;
	double zoom = (double)lines / p.lines * scale;
	char *text = grain_profile_text(&p);
	struct sha sha;
	sha_init(&sha);
	sha_str(&sha, text);
	sha_add(&sha, &zoom, sizeof zoom);
	struct key k = sha_end(&sha);
	free(text);
	if (!s) return grain_shape_make(&p, zoom);
	pthread_mutex_lock(&s->lock);
	old = find(s, &k);
	pthread_mutex_unlock(&s->lock);
	if (old) return old;
	made = grain_shape_make(&p, zoom);
	made->key = k;
	pthread_mutex_lock(&s->lock);
	if ((old = find(s, &k))) grain_shape_free(&made);
	else {
		s->v = grow(s->v, s->n, &s->cap, sizeof *s->v);
		s->v[s->n++] = made;
		atomic_fetch_add(&made->refs, 1);
	}
	pthread_mutex_unlock(&s->lock);
	return old ? old : made;
}
