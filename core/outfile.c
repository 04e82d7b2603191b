/* outfile - atomic creation of files by temporary name, fsync and rename.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "outfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
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

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? xasprintf("%.*s", (int)(slash - path) + 1, path) : xstrdup("./");
}

/* Temporaries of this name whose writer is gone: the kernel has let go of its lock. */
static void sweep(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *dir = folder_of(path), *start = xasprintf(".%s.tmp.", name);
	DIR *d = opendir(dir);
	for (struct dirent *de; d && (de = readdir(d)); ) {
		if (strncmp(de->d_name, start, strlen(start)) != 0) continue;
		int fd = openat(dirfd(d), de->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0) continue;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) unlinkat(dirfd(d), de->d_name, 0);
		close(fd);
	}
	if (d) closedir(d);
	free(dir);
	free(start);
}

static int open_nameless(const char *path)
{
#ifdef O_TMPFILE
	char *dir = folder_of(path);
	int fd = access("/proc/self/fd", X_OK) == 0 ? open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0666) : -1;
	free(dir);
	return fd;
#else
	(void)path;
	return -1;
#endif
}

/* Created and locked in one step as far as others can tell: a sweeper may take it
 * in between, then it is made anew. */
static int open_named(const char *tmp)
{
	for (int i = 0; i < 8; i++) {
		struct stat st;
		int fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd < 0) return -1;
		(void)flock(fd, LOCK_EX | LOCK_NB);
		if (fstat(fd, &st) == 0 && st.st_nlink > 0) return fd;
		close(fd);
	}
	errno = EAGAIN;
	return -1;
}

int outfile_open(struct outfile *f, const char *path, struct err *e)
{
	*f = (struct outfile){ xstrdup(path), temporary_name(path), -1, false };
	f->fd = open_nameless(path);
	if (f->fd < 0) {
		sweep(path);
		f->fd = open_named(f->tmp);
		f->named = f->fd >= 0;
	}
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

int outfile_writev(struct outfile *f, struct iovec *v, int n, uint64_t offset, struct err *e)
{
	while (n > 0) {
		ssize_t w = pwritev(f->fd, v, n, (off_t)offset);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_set(e, E_OUTPUT, "write %s: %s", f->path, strerror(w ? errno : ENOSPC));
		offset += (uint64_t)w;
		for (; n > 0 && (size_t)w >= v->iov_len; v++, n--)
			w -= (ssize_t)v->iov_len;
		if (n > 0) {
			v->iov_base = (char *)v->iov_base + w;
			v->iov_len -= (size_t)w;
		}
	}
	return 0;
}

int outfile_read(struct outfile *f, void *p, size_t n, uint64_t offset, struct err *e)
{
	char *s = p;
	while (n > 0) {
		ssize_t r = pread(f->fd, s, n, (off_t)offset);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return err_set(e, E_OUTPUT, "read %s back: %s", f->path, strerror(r ? errno : EIO));
		s += r;
		n -= (size_t)r;
		offset += (uint64_t)r;
	}
	return 0;
}

int outfile_cut(struct outfile *f, uint64_t n, struct err *e)
{
	if (ftruncate(f->fd, (off_t)n))
		return err_set(e, E_OUTPUT, "write %s: %s", f->path, strerror(errno));
	return 0;
}

/* The rename itself must reach the disk too. Some file systems refuse fsync of folders: no harm. */
static void sync_folder(const char *path)
{
	char *dir = folder_of(path);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* Gives the nameless file its name: directly where the name is free, else by way of the temporary one, locked before
 * it is there: another writer of the same file sweeps. */
static int name_it(struct outfile *f)
{
	char proc[40];
	if (f->named) return rename(f->tmp, f->path);
	snprintf(proc, sizeof proc, "/proc/self/fd/%d", f->fd);
	if (linkat(AT_FDCWD, proc, AT_FDCWD, f->path, AT_SYMLINK_FOLLOW) == 0) return 0;
	if (errno != EEXIST) return -1;
	sweep(f->path);
	(void)flock(f->fd, LOCK_EX | LOCK_NB);
	if (linkat(AT_FDCWD, proc, AT_FDCWD, f->tmp, AT_SYMLINK_FOLLOW) < 0) return -1;
	f->named = true;
	return rename(f->tmp, f->path);
}

static int finish(struct outfile *f, bool sync, struct err *e)
{
	int rc = 0;
	if (sync && fsync(f->fd))
		rc = err_set(e, E_OUTPUT, "fsync %s: %s", f->path, strerror(errno));
	if (!rc && name_it(f))
		rc = err_set(e, E_OUTPUT, "rename to %s: %s", f->path, strerror(errno));
	if (rc && f->named)
		unlink(f->tmp);
	if (close(f->fd) && !rc)
		rc = err_set(e, E_OUTPUT, "close %s: %s", f->path, strerror(errno));
	if (!rc && sync)
		sync_folder(f->path);
	clear(f);
	return rc;
}

int outfile_commit(struct outfile *f, struct err *e)
{
	return finish(f, true, e);
}

int outfile_publish(struct outfile *f, struct err *e)
{
	return finish(f, false, e);
}

void outfile_abort(struct outfile *f)
{
	if (!f->tmp)
		return;
	if (f->named)
		unlink(f->tmp);
	if (f->fd >= 0)
		close(f->fd);
	clear(f);
}
