/* cache - see cache.h. Layout: DIR/ab/cdef....exr, DIR/.gitignore, DIR/lock, DIR/passes/.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cache_int.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>


/* The shared lock that keeps prune away while this process uses the folder. fd -1: not (yet) held. */
struct hold { pthread_mutex_t lock; bool settled; int fd; };
struct cache { char *dir; struct hold *hold; };

struct cache *cache_new(const char *dir)
{
	struct cache *c = xalloc(1, sizeof *c);
	c->dir = xstrdup(dir);
	c->hold = xalloc(1, sizeof *c->hold);
	c->hold->fd = -1;
	pthread_mutex_init(&c->hold->lock, NULL);
	return c;
}

void cache_free(struct cache **c)
{
	if (!*c) return;
	if ((*c)->hold->fd >= 0) close((*c)->hold->fd);
	pthread_mutex_destroy(&(*c)->hold->lock);
	free((*c)->hold);
	free((*c)->dir);
	free(*c);
	*c = NULL;
}

const char *cache_dir(const struct cache *c) { return c->dir; }

char *cache_path(const struct cache *c, const struct key *k)
{
	char hex[65];
	key_hex(k, hex);
	return xasprintf("%s/%.2s/%s.exr", c->dir, hex, hex + 2);
}

/* flock(2) needs write access for an exclusive lock on some network file systems, so that is tried first. */
static int open_lock(const char *dir, int *fd)
{
	char *path = xasprintf("%s/lock", dir);
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	int cause = *fd < 0 ? errno : 0;
	if (cause == EACCES || cause == EROFS) {
		*fd = open(path, O_RDONLY | O_CLOEXEC);
		cause = *fd < 0 && errno != ENOENT ? errno : *fd < 0 ? cause : 0;
	}
	free(path);
	return cause;
}

/* Before the first look into the folder. Waits for a prune at work; a folder that is not there yet
 * is tried again next time, and one that cannot be locked is used without: prune refuses it too. */
void cache_hold(const struct cache *c)
{
	struct hold *h = c->hold;
	int fd;
	pthread_mutex_lock(&h->lock);
	if (!h->settled) {
		int cause = open_lock(c->dir, &fd);
		bool held = cause == 0 && flock(fd, LOCK_SH) == 0;
		h->settled = held || (cause ? cause != ENOENT : errno != EINTR);
		if (held) h->fd = fd;
		else if (cause == 0) close(fd);
	}
	pthread_mutex_unlock(&h->lock);
}

int cache_lock(const char *dir, int *fd, struct err *e)
{
	int cause = open_lock(dir, fd);
	if (cause) return err_set(e, E_OUTPUT, "open %s/lock: %s", dir, strerror(cause));
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0) return 0;
	cause = errno;
	close(*fd);
	*fd = -1;
	if (cause == EWOULDBLOCK || cause == EINTR)
		return err_set(e, E_AGAIN, "%s: a running render holds this cache; try again when it is done", dir);
	return err_set(e, E_OUTPUT, "lock %s/lock: %s", dir, strerror(cause));
}

bool cache_has(const struct cache *c, const struct key *k)
{
	cache_hold(c);
	char *path = cache_path(c, k);
	struct stat st;
	bool has = stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
	free(path);
	return has;
}

int make_dirs(const char *dir, struct err *e)
{
	char *d = xstrdup(dir);
	int rc = 0;
	for (char *p = d + 1; rc == 0; p++) {
		if (*p != '/' && *p) continue;
		char c = *p;
		*p = 0;
		if (mkdir(d, 0777) < 0 && errno != EEXIST)
			rc = err_set(e, E_OUTPUT, "make folder %s: %s", d, strerror(errno));
		*p = c;
		if (!c) break;
	}
	free(d);
	return rc;
}

int cache_prepare(struct cache *c, const char *path, struct err *e)
{
	if (make_dirs(c->dir, e) < 0) return -1;
	cache_hold(c);                       /* before the subfolder: prune removes empty ones */
	char *ignore = xasprintf("%s/.gitignore", c->dir), *sub = xstrdup(path);
	*strrchr(sub, '/') = 0;
	int rc = make_dirs(sub, e);
	if (rc == 0 && access(ignore, F_OK) != 0) {
		FILE *f = fopen(ignore, "wx");
		if (f) {
			fputs("*\n", f);
			fclose(f);
		}
	}
	free(ignore);
	free(sub);
	return rc;
}

void cache_set_aside(const char *path)
{
	char *bad = xasprintf("%s.damaged", path);
	if (rename(path, bad) < 0) unlink(path);
	free(bad);
}

void cache_link(struct cache *c, const struct key *k, const char *graph, const char *pass, int frame)
{
	char hex[65];
	struct err e = ERR_INIT;
	key_hex(k, hex);
	char *dir = xasprintf("%s/passes/%s", c->dir, graph);
	char *link = xasprintf("%s/%s.%04d.exr", dir, pass, frame);
	char *tmp = xasprintf("%s.tmp.%d", link, (int)getpid());
	char *to = xasprintf("../../%.2s/%s.exr", hex, hex + 2);
	if (make_dirs(dir, &e) == 0 && symlink(to, link) < 0 && errno == EEXIST && symlink(to, tmp) == 0 &&
	    rename(tmp, link) < 0)
		unlink(tmp);
	free(dir);
	free(link);
	free(tmp);
	free(to);
}

uint64_t disk_free(const char *dir)
{
	char *d = xstrdup(dir);
	struct statvfs v;
	uint64_t n = UINT64_MAX;
	for (;;) {
		if (statvfs(*d ? d : ".", &v) == 0) { n = (uint64_t)v.f_bavail * v.f_frsize; break; }
		char *slash = strrchr(d, '/');
		if (!slash) { if (strcmp(d, ".") == 0) break; strcpy(d, "."); continue; }
		*slash = 0;
	}
	free(d);
	return n;
}
