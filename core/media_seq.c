/* media_seq - numbered files: name.####.ext and name.%04d.ext.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { MAX_FILES = 1 << 20 };

static int by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return x < y ? -1 : x > y;
}

/* The number in name between head and tail, or -1. Wider numbers than the mark have no leading
 * zero. */
static long number_in(const char *name, const char *head, size_t nhead, const char *tail,
                      int digits)
{
	size_t n = strlen(name), ntail = strlen(tail);
	if (n <= nhead + ntail || strncmp(name, head, nhead) || strcmp(name + n - ntail, tail)) return -1;
	size_t k = n - nhead - ntail;
	const char *p = name + nhead;
	if (k < (size_t)digits || k > 9 || (k > (size_t)digits && *p == '0')) return -1;
	for (size_t i = 0; i < k; i++)
		if (!isdigit((unsigned char)p[i])) return -1;
	return atol(p);
}

int seq_list(const char *pattern, int **v, int *n, struct err *e)
{
	size_t len, count = 0, cap = 0;
	int digits;
	const char *p = seq_mark(pattern, &len, &digits), *slash = strrchr(pattern, '/');
	*v = NULL;
	*n = 0;
	if (!p) return err_set(e, E_SCENE, "%s: no #### or %%04d in the file name", pattern);
	const char *name = slash ? slash + 1 : pattern;
	char *folder = slash ? xasprintf("%.*s", (int)(slash - pattern + 1), pattern) : xstrdup(".");
	DIR *d = opendir(folder);
	if (!d) {
		err_set(e, E_INPUT, "%s: %s", folder, strerror(errno));
		free(folder);
		return -1;
	}
	for (const struct dirent *en; (en = readdir(d)) && count < MAX_FILES; ) {
		long k = number_in(en->d_name, name, (size_t)(p - name), p + len, digits);
		if (k < 0) continue;
		*v = grow(*v, count, &cap, sizeof **v);
		(*v)[count++] = (int)k;
	}
	closedir(d);
	free(folder);
	if (!count) return err_set(e, E_INPUT, "%s: no such files", pattern);
	qsort(*v, count, sizeof **v, by_number);
	*n = (int)count;
	return 0;
}
