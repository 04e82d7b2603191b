/* nn_store - networks that are in use, each read once however many layers of however many scenes want it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "nn_model.h"

/* Behind the lock; a model leaves with the last who uses it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct nn_model **kept;
static size_t nkept, cap;

/* Weights are read from the file by its name, so that a copy elsewhere is another model. Takes a share. */
static struct nn_model *find(const char *path, const struct key *sha)
{
	for (size_t i = 0; i < nkept; i++)
		if (key_eq(&kept[i]->sha, sha) && strcmp(kept[i]->file, path) == 0) {
			kept[i]->shares++;
			return kept[i];
		}
	return NULL;
}

const struct nn_model *nn_share(const char *path, struct err *e)
{
	struct nn_model *m = NULL, *mine;
	struct err ignored = ERR_INIT;
	struct key sha;
	if (nn_sha(path, &sha, &ignored) == 0) {
		pthread_mutex_lock(&lock);
		m = find(path, &sha);
		pthread_mutex_unlock(&lock);
	}
	if (m || !(mine = nn_load(path, e))) return m;          /* nn_load says better what is wrong */
	pthread_mutex_lock(&lock);
	if (!(m = find(path, &mine->sha))) {
		kept = grow(kept, nkept, &cap, sizeof *kept);
		kept[nkept++] = m = mine;
		m->shares = 1;
		m->cut = xalloc(1, sizeof *m->cut);
		mine = NULL;
	}
	pthread_mutex_unlock(&lock);
	nn_free(&mine);
	return m;
}

void nn_unshare(const struct nn_model **pm)
{
	const struct nn_model *m = *pm;
	struct nn_model *last = NULL;
	*pm = NULL;
	if (!m) return;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < nkept && !last; i++) {
		if (kept[i] != m) continue;
		if (--kept[i]->shares) break;
		last = kept[i];
		kept[i] = kept[--nkept];
	}
	if (!nkept) {
		free(kept);
		kept = NULL;
		cap = 0;
	}
	pthread_mutex_unlock(&lock);
	nn_free(&last);
}
