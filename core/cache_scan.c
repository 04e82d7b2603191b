/* cache_scan - see cache_scan.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cache_scan.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exr.h"
#include "mem.h"

enum { FOLDER_HEX = 2, NAME_HEX = 62, PASS_DEPTH = 8 };

/* Names of a folder but "." and "..", sorted; NULL-terminated and malloced.
 * NULL with errno when unreadable. */
static char **names_in(const char *dir)
{
	DIR *d = opendir(dir);
	if (!d) return NULL;
	char **v = xalloc(1, sizeof *v);
	size_t n = 0;
	for (struct dirent *de; (de = readdir(d)); ) {
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0) continue;
		v = xrealloc(v, n + 2, sizeof *v);
		v[n++] = xstrdup(de->d_name);
		v[n] = NULL;
	}
	closedir(d);
	return v;
}

static void names_free(char **v)
{
	for (char **p = v; p && *p; p++) free(*p);
	free(v);
}

static bool hex_run(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") >= n;
}

static bool ends_in(const char *s, const char *tail)
{
	size_t n = strlen(s), k = strlen(tail);
	return n >= k && strcmp(s + n - k, tail) == 0;
}

static bool entry_name(const char *s)
{
	return hex_run(s, NAME_HEX) && strcmp(s + NAME_HEX, ".exr") == 0;
}

static bool journal_name(const char *s)
{
	return hex_run(s, NAME_HEX) && strcmp(s + NAME_HEX, ".frame") == 0;
}

static bool leftover_name(const char *s)
{
	return (s[0] == '.' && (strstr(s, ".exr.tmp.") || strstr(s, ".frame.tmp."))) || ends_in(s, ".exr.damaged");
}

static char *attr_copy(const struct exr_info *info, const char *name)
{
	const char *v = exr_attr(info, name);
	return v ? xstrdup(v) : NULL;
}

static void read_header(struct cache_entry *en)
{
	struct exr_info info;
	struct err ignore = ERR_INIT;
	if (exr_probe(en->path, &info, &ignore) < 0) return;
	en->node = attr_copy(&info, "interneg.node");
	en->frame = attr_copy(&info, "interneg.frame");
	en->space = attr_copy(&info, "interneg.space");
	exr_info_free(&info);
}

static void add_entry(struct cache_files *f, char *path, const struct stat *st, bool headers)
{
	f->entry = grow(f->entry, f->n, &f->cap, sizeof *f->entry);
	struct cache_entry *en = &f->entry[f->n++];
	*en = (struct cache_entry){ .path = path, .size = (uint64_t)st->st_size,
		.used = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec };
	const char *name = strrchr(path, '/') + 1;
	memcpy(en->hex, name - 1 - FOLDER_HEX, FOLDER_HEX);
	memcpy(en->hex + FOLDER_HEX, name, NAME_HEX);
	f->bytes += en->size;
	en->journal = journal_name(name);
	if (headers && !en->journal) read_header(en);
}

static void add_extra(struct cache_files *f, char *path, const struct stat *st)
{
	f->extra = grow(f->extra, f->nextra, &f->cextra, sizeof *f->extra);
	f->extra[f->nextra++] = (struct cache_extra){ path, (uint64_t)st->st_size };
	f->extra_bytes += (uint64_t)st->st_size;
}

static void scan_folder(const char *sub, bool headers, struct cache_files *f)
{
	char **name = names_in(sub);
	struct stat st;
	for (char **p = name; p && *p; p++) {
		char *path = xasprintf("%s/%s", sub, *p);
		bool file = lstat(path, &st) == 0 && S_ISREG(st.st_mode);
		if (file && (entry_name(*p) || journal_name(*p))) add_entry(f, path, &st, headers);
		else if (file && leftover_name(*p)) add_extra(f, path, &st);
		else free(path);
	}
	names_free(name);
}

/* ".../ab/REST.exr" as the key; "" for anything else. */
static void target_key(const char *to, char hex[65])
{
	size_t n = strlen(to), tail = FOLDER_HEX + 1 + NAME_HEX + 4;
	hex[0] = 0;
	if (n < tail) return;
	to += n - tail;
	if (!hex_run(to, FOLDER_HEX) || to[FOLDER_HEX] != '/' || !entry_name(to + FOLDER_HEX + 1)) return;
	memcpy(hex, to, FOLDER_HEX);
	memcpy(hex + FOLDER_HEX, to + FOLDER_HEX + 1, NAME_HEX);
	hex[64] = 0;
}

static void add_link(struct cache_files *f, char *path, const char *pass)
{
	char to[4096];
	struct stat st;
	ssize_t n = readlink(path, to, sizeof to - 1);
	if (n < 0) { free(path); return; }
	to[n] = 0;
	f->link = grow(f->link, f->nlink, &f->clink, sizeof *f->link);
	struct cache_pass *l = &f->link[f->nlink++];
	*l = (struct cache_pass){ .path = path, .pass = xstrdup(pass) };
	target_key(to, l->hex);
	l->dangling = stat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* PASS.####.exr under a folder of passes/; a pass id may itself hold slashes. */
static void scan_passes(const char *dir, const char *rel, int depth, struct cache_files *f)
{
	char **name = names_in(dir);
	struct stat st;
	for (char **p = name; p && *p; p++) {
		char *path = xasprintf("%s/%s", dir, *p), *in = xasprintf("%s%s%s", rel, *rel ? "/" : "", *p);
		bool there = lstat(path, &st) == 0;
		if (there && S_ISLNK(st.st_mode) && strstr(*p, ".exr.tmp.")) add_extra(f, xstrdup(path), &st);
		else if (there && S_ISLNK(st.st_mode)) {
			char *dot = ends_in(in, ".exr") ? in + strlen(in) - 4 : NULL;
			if (dot) {
				*dot = 0;
				if ((dot = strrchr(in, '.'))) *dot = 0;
				add_link(f, xstrdup(path), in);
			}
		} else if (there && S_ISDIR(st.st_mode) && depth < PASS_DEPTH) scan_passes(path, in, depth + 1, f);
		free(path);
		free(in);
	}
	names_free(name);
}

static int by_use(const void *a, const void *b)
{
	const struct cache_entry *x = a, *y = b;
	if (x->used != y->used) return x->used < y->used ? -1 : 1;
	return strcmp(x->hex, y->hex);
}

static int key_cmp(const void *a, const void *b)
{
	return strcmp((*(struct cache_pass *const *)a)->hex, (*(struct cache_pass *const *)b)->hex);
}

static int key_find(const void *hex, const void *link)
{
	return strcmp(hex, (*(struct cache_pass *const *)link)->hex);
}

static void name_passes(struct cache_files *f)
{
	struct cache_pass **by = xalloc(f->nlink + 1, sizeof *by);
	for (size_t i = 0; i < f->nlink; i++) by[i] = &f->link[i];
	qsort(by, f->nlink, sizeof *by, key_cmp);
	for (size_t i = 0; i < f->n; i++) {
		struct cache_pass **l = bsearch(f->entry[i].hex, by, f->nlink, sizeof *by, key_find);
		if (l) f->entry[i].pass = (*l)->pass;
	}
	free(by);
}

int cache_scan(const char *dir, bool headers, struct cache_files *f, struct err *e)
{
	*f = (struct cache_files){ 0 };
	char **name = names_in(dir);
	if (!name) return err_set(e, E_INPUT, "cache folder %s: %s", dir, strerror(errno));
	for (char **p = name; *p; p++) {
		char *sub = xasprintf("%s/%s", dir, *p);
		if (hex_run(*p, FOLDER_HEX) && !(*p)[FOLDER_HEX]) scan_folder(sub, headers, f);
		else if (strcmp(*p, "passes") == 0) scan_passes(sub, "", 0, f);
		free(sub);
	}
	names_free(name);
	if (f->n) qsort(f->entry, f->n, sizeof *f->entry, by_use);
	name_passes(f);
	return 0;
}

void cache_files_free(struct cache_files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->entry[i].path);
		free(f->entry[i].node);
		free(f->entry[i].frame);
		free(f->entry[i].space);
	}
	for (size_t i = 0; i < f->nextra; i++) free(f->extra[i].path);
	for (size_t i = 0; i < f->nlink; i++) {
		free(f->link[i].path);
		free(f->link[i].pass);
	}
	free(f->entry);
	free(f->extra);
	free(f->link);
	*f = (struct cache_files){ 0 };
}

/* rmdir refuses a folder that holds something, which is all the care that is needed. */
static int remove_empty(const char *dir, int depth)
{
	char **name = names_in(dir);
	struct stat st;
	int n = 0;
	for (char **p = name; p && *p; p++) {
		char *sub = xasprintf("%s/%s", dir, *p);
		if (depth > 0 && lstat(sub, &st) == 0 && S_ISDIR(st.st_mode)) n += remove_empty(sub, depth - 1);
		free(sub);
	}
	names_free(name);
	return n + (rmdir(dir) == 0);
}

int cache_remove_empty(const char *dir)
{
	char **name = names_in(dir);
	int n = 0;
	for (char **p = name; p && *p; p++) {
		char *sub = xasprintf("%s/%s", dir, *p);
		if (hex_run(*p, FOLDER_HEX) && !(*p)[FOLDER_HEX]) n += remove_empty(sub, 0);
		else if (strcmp(*p, "passes") == 0) n += remove_empty(sub, PASS_DEPTH);
		free(sub);
	}
	names_free(name);
	return n;
}
