/* share - see share.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "share.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool share_path(const char *rel, char *out, size_t size)
{
	static const char *const beside[] = { "../share/interneg", ".", ".." };
	const char *share = getenv("INTERNEG_SHARE");
	char exe[PATH_MAX];
	if (share && *share) {
		int len = snprintf(out, size, "%s/%s", share, rel);
		return len > 0 && (size_t)len < size && access(out, R_OK) == 0;
	}
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	exe[n > 0 ? n : 0] = 0;
	char *slash = strrchr(exe, '/');
	if (slash) *slash = 0;
	for (size_t i = 0; i < IN_COUNT(beside); i++) {
		int len = snprintf(out, size, "%s/%s/%s", exe, beside[i], rel);
		if (len > 0 && (size_t)len < size && access(out, R_OK) == 0) return true;
	}
	return false;
}
