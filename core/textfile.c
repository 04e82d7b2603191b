/* textfile - see textfile.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "textfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "outfile.h"

int text_write(const char *file, const char *text, struct err *e)
{
	struct outfile f = OUTFILE_INIT;
	if (outfile_open(&f, file, e) < 0) return -1;
	if (outfile_write(&f, text, strlen(text), 0, e) < 0) {
		outfile_abort(&f);
		return -1;
	}
	return outfile_commit(&f, e);
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
