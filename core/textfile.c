/* textfile - see textfile.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "textfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

int text_write(const char *file, const char *text, struct err *e)
{
	char *tmp = xasprintf("%s.tmp.%d", file, (int)getpid());
	FILE *f = fopen(tmp, "wb");
	int rc = -1;
	if (!f) { err_set(e, E_OUTPUT, "%s: %s", tmp, strerror(errno)); goto out; }
	bool bad = fwrite(text, 1, strlen(text), f) != strlen(text) || fflush(f) != 0 || fsync(fileno(f)) != 0;
	bad |= fclose(f) != 0;
	if (bad || rename(tmp, file) < 0) {
		err_set(e, E_OUTPUT, "%s: %s", file, strerror(errno));
		unlink(tmp);
		goto out;
	}
	rc = 0;
out:
	free(tmp);
	return rc;
}

char *text_read(const char *file, size_t *len, struct err *e)
{
	FILE *f = fopen(file, "rb");
	char *text = NULL, buf[65536];
	size_t got;
	*len = 0;
	if (!f) { err_set(e, E_SCENE, "%s: %s", file, strerror(errno)); return NULL; }
	do {
		got = fread(buf, 1, sizeof buf, f);
		text = xrealloc(text, *len + got + 1, 1);
		memcpy(text + *len, buf, got);
		*len += got;
	} while (got);
	text[*len] = 0;
	fclose(f);
	return text;
}
