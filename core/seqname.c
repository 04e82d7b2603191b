/* seqname - see seqname.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "seqname.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

const char *seq_mark(const char *path, size_t *len, int *digits)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *p;
	if ((p = strchr(name, '#'))) {
		*len = strspn(p, "#");
		*digits = (int)*len;
		return p;
	}
	for (p = name; (p = strchr(p, '%')); p++) {
		size_t k = 1 + strspn(p + 1, "0123456789");
		if (p[k] != 'd') continue;
		*digits = k > 1 ? atoi(p + 1) : 1;
		if (*digits < 1) *digits = 1;
		*len = k + 1;
		return *digits <= 12 ? p : NULL;
	}
	return NULL;
}

bool seq_is_pattern(const char *path)
{
	size_t len;
	int digits;
	return seq_mark(path, &len, &digits) != NULL;
}

char *seq_path(const char *pattern, int n)
{
	size_t len;
	int digits;
	const char *p = seq_mark(pattern, &len, &digits);
	if (!p) return xstrdup(pattern);
	return xasprintf("%.*s%0*d%s", (int)(p - pattern), pattern, n < 0 ? digits + 1 : digits, n,
	                 p + len);
}
