/* cache - see cache.h. Layout: DIR/ab/cdef....exr, DIR/.gitignore, DIR/passes/.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "colour.h"
#include "exr.h"
#include "log.h"

struct cache { char *dir; };

struct cache *cache_new(const char *dir)
{
	struct cache *c = xalloc(1, sizeof *c);
	c->dir = xstrdup(dir);
	return c;
}

void cache_free(struct cache **c)
{
	if (!*c) return;
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

bool cache_has(const struct cache *c, const struct key *k)
{
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

static int prepare(struct cache *c, const char *path, struct err *e)
{
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

/* A damaged file is moved out of the way, so that nobody plans with it again. */
static void set_aside(const char *path)
{
	char *bad = xasprintf("%s.damaged", path);
	if (rename(path, bad) < 0) unlink(path);
	free(bad);
}

static int load_checked(const char *path, const char *hex, const struct image *into, struct err *e)
{
	struct exr_info info;
	struct pixhash want, got;
	int rc = -1;
	if (exr_probe(path, &info, e) < 0) return -1;
	const char *key = exr_attr(&info, "interneg.key"), *pix = exr_attr(&info, "interneg.pixels");
	if (!key || strcmp(key, hex) != 0) err_set(e, E_INPUT, "%s: holds another key", path);
	else if (!pix || pixhash_parse(pix, &want) < 0) err_set(e, E_INPUT, "%s: no pixel hash", path);
	else if (exr_read(path, &into->fmt, &into->view, e) == 0) {
		got = image_hash(into);
		if (got.lo == want.lo && got.hi == want.hi) rc = 0;
		else err_set(e, E_INPUT, "%s: pixels do not match their hash", path);
	}
	exr_info_free(&info);
	return rc;
}

int cache_load(struct cache *c, const struct key *k, const struct image *into, struct err *e)
{
	char *path = cache_path(c, k), hex[65];
	key_hex(k, hex);
	int rc = load_checked(path, hex, into, e);
	if (rc < 0) {
		log_warn("cache: %s; it is set aside and the frame computed again", e->msg);
		set_aside(path);
	}
	log_debug(LOG_CACHE, "%s %s", rc < 0 ? "damaged" : "hit", path);
	free(path);
	return rc;
}

int cache_store(struct cache *c, const struct key *k, const struct image *im, bool half,
                const char *const *meta, struct err *e)
{
	char *path = cache_path(c, k), hex[65], pix[33];
	const char *attr[32] = { "interneg.key", hex, "interneg.pixels", pix };
	int n = 4, rc = -1;
	for (; meta && *meta && n < 30; meta++) attr[n++] = *meta;
	attr[n] = NULL;
	key_hex(k, hex);
	pixhash_hex(image_hash(im), pix);
	struct exr_write w = { .compression = EXRC_NONE, .half = half, .attr = attr, .fps = im->fmt.fps,
		.has_chroma = true };
	colour_primaries(im->fmt.space, w.chroma);
	if (prepare(c, path, e) == 0) rc = exr_write(path, &im->fmt, &im->view, &w, e);
	log_debug(LOG_CACHE, "%s %s", rc < 0 ? "cannot store" : "stored", path);
	free(path);
	return rc;
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
	if (make_dirs(dir, &e) == 0 && symlink(to, tmp) == 0 && rename(tmp, link) < 0) unlink(tmp);
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
