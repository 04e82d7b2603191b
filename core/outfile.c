/* outfile - atomic creation of files by temporary name, fsync and rename.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

static char *temporary_name(const char *path)
{
	static atomic_uint seq;
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;
	return xasprintf("%.*s.%s.tmp.%ld.%u", folder, path, path + folder, (long)getpid(),
	                 atomic_fetch_add(&seq, 1));
}

static void clear(struct outfile *f)
{
	free(f->path);
	free(f->tmp);
	*f = (struct outfile)OUTFILE_INIT;
}

int outfile_open(struct outfile *f, const char *path, struct err *e)
{
	*f = (struct outfile){ xstrdup(path), temporary_name(path), -1 };
	f->fd = open(f->tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (f->fd < 0) {
		err_set(e, E_OUTPUT, "create %s: %s", path, strerror(errno));
		clear(f);
		return -1;
	}
	return 0;
}

int outfile_write(struct outfile *f, const void *p, size_t n, uint64_t offset, struct err *e)
{
	const char *s = p;
	while (n > 0) {
		ssize_t w = pwrite(f->fd, s, n, (off_t)offset);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_set(e, E_OUTPUT, "write %s: %s", f->path, strerror(w ? errno : ENOSPC));
		s += w;
		n -= (size_t)w;
		offset += (uint64_t)w;
	}
	return 0;
}

/* The rename itself must reach the disk too. Some file systems refuse fsync of folders: no harm. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? xasprintf("%.*s", (int)(slash - path) + 1, path) : xstrdup(".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

static int finish(struct outfile *f, bool sync, struct err *e)
{
	int rc = 0, fd = f->fd;
	f->fd = -1;
	if (sync && fsync(fd))
		rc = err_set(e, E_OUTPUT, "fsync %s: %s", f->path, strerror(errno));
	if (close(fd) && !rc)
		rc = err_set(e, E_OUTPUT, "close %s: %s", f->path, strerror(errno));
	if (!rc && rename(f->tmp, f->path))
		rc = err_set(e, E_OUTPUT, "rename to %s: %s", f->path, strerror(errno));
	if (rc)
		unlink(f->tmp);
	else if (sync)
		sync_folder(f->path);
	clear(f);
	return rc;
}

int outfile_commit(struct outfile *f, struct err *e)
{
	return finish(f, true, e);
}

int outfile_rename(struct outfile *f, struct err *e)
{
	return finish(f, false, e);
}

void outfile_abort(struct outfile *f)
{
	if (!f->tmp)
		return;
	if (f->fd >= 0)
		close(f->fd);
	unlink(f->tmp);
	clear(f);
}
