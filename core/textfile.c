/* textfile - see textfile.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "outfile.h"

FILE *plain_open(const char *file, struct err *e)
{
	struct stat st;
	FILE *f = NULL;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) err_set(e, E_INPUT, "%s: is not a regular file", file);
	else if (fd < 0 || !(f = fdopen(fd, "rb"))) err_set(e, E_INPUT, "%s: %s", file, strerror(errno));
	if (fd >= 0 && !f) close(fd);
	return f;
}

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
	FILE *f = plain_open(file, e);
	char *text = NULL, buf[65536];
	size_t got;
	*len = 0;
	if (!f) { e->code = E_SCENE; return NULL; }
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
