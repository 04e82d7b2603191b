/* write_names - what a write's files are called, and whose they are; part of write.c.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_WRITE_NAMES_H
#define IN_WRITE_NAMES_H

#include <string.h>
#include <unistd.h>

#include "media.h"
#include "mem.h"
#include "seqname.h"

/* NAME_draft.mov, NAME_draft.####.exr; or the class where the name says {class}. malloced */
static char *marked(const char *file, const char *class)
{
	const char *at = strstr(file, "{class}"), *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
	size_t len;
	int digits;
	if (at)
		return xasprintf("%.*s%s%s", (int)(at - file), file,
		                 strcmp(class, "final") ? "draft" : class, at + 7);
	if (strcmp(class, "draft") != 0) return xstrdup(file);
	at = seq_mark(file, &len, &digits);
	if (at && at > base && strchr("._-", at[-1])) at--;
	if (!at) at = strrchr(base, '.');
	if (!at) at = base + strlen(base);
	return xasprintf("%.*s_draft%s", (int)(at - file), file, at);
}

enum { FILE_ABSENT, FILE_SAME, FILE_OLDER, FILE_FOREIGN };

static int state_of(const char *path, const char *root)
{
	char have[65];
	if (access(path, F_OK) < 0) return FILE_ABSENT;
	if (media_root(path, have) < 0) return FILE_FOREIGN;
	return root && !strcmp(have, root) ? FILE_SAME : FILE_OLDER;
}

#endif
