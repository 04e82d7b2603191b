/* grain_stock - see grain_stock.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "grain_stock.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "graphs/stocks"
#define ENDING ".grain"

static bool folder(char *out, size_t size)
{
	static const char *const beside[] = { "../share/interneg", ".", ".." };
	const char *share = getenv("INTERNEG_SHARE");
	char exe[PATH_MAX];
	if (share && *share) {
		int len = snprintf(out, size, "%s/" FOLDER, share);
		return len > 0 && (size_t)len < size && access(out, R_OK) == 0;
	}
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	exe[n > 0 ? n : 0] = 0;
	char *slash = strrchr(exe, '/');
	if (slash) *slash = 0;
	for (size_t i = 0; i < IN_COUNT(beside); i++) {
		int len = snprintf(out, size, "%s/%s/" FOLDER, exe, beside[i]);
		if (len > 0 && (size_t)len < size && access(out, R_OK) == 0) return true;
	}
	return false;
}

bool grain_stock_path(const char *text, char *out, size_t size)
{
	char dir[PATH_MAX];
	size_t n = strlen(GRAIN_STOCK);
	if (strncmp(text, GRAIN_STOCK, n) != 0 || !text[n] || text[n] == '.' || strchr(text + n, '/')) return false;
	if (!folder(dir, sizeof dir)) return false;
	int len = snprintf(out, size, "%s/%s" ENDING, dir, text + n);
	return len > 0 && (size_t)len < size && access(out, R_OK) == 0;
}

bool grain_stock_name(const char *path, char *out, size_t size)
{
	char dir[PATH_MAX];
	size_t n, len = strlen(path), end = strlen(ENDING);
	if (!strstr(path, FOLDER) || !folder(dir, sizeof dir)) return false;
	n = strlen(dir);
	if (strncmp(path, dir, n) != 0 || path[n] != '/' || len < n + 1 + end ||
	    strcmp(path + len - end, ENDING) != 0)
		return false;
	snprintf(out, size, GRAIN_STOCK "%.*s", (int)(len - n - 1 - end), path + n + 1);
	return true;
}

static int is_stock(const struct dirent *d)
{
	size_t n = strlen(d->d_name), end = strlen(ENDING);
	return d->d_name[0] != '.' && n > end && strcmp(d->d_name + n - end, ENDING) == 0;
}
static int by_bytes(const struct dirent **a, const struct dirent **b)
{ return strcmp((*a)->d_name, (*b)->d_name); }

void grain_stock_list(char *out, size_t size)
{
	char dir[PATH_MAX];
	struct dirent **all = NULL;
	size_t at = 0;
	out[0] = 0;
	int n = folder(dir, sizeof dir) ? scandir(dir, &all, is_stock, by_bytes) : 0;
	for (int i = 0; i < n; i++) {
		int len = (int)(strlen(all[i]->d_name) - strlen(ENDING));
		if (at < size) at += (size_t)snprintf(out + at, size - at, "%s%.*s", i ? " " : "", len, all[i]->d_name);
		free(all[i]);
	}
	free(all);
}
