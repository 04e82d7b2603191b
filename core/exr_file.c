/* exr_file - opening EXR files for OpenEXRCore: own streams, own error texts.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exr_int.h"

static int64_t stream_read(exr_const_context_t ctx, void *user, void *buffer, uint64_t n,
                           uint64_t offset, exr_stream_error_func_ptr_t fail)
{
	struct exr_file *f = user;
	uint64_t got = 0;
	if (offset > INT64_MAX - n)
		return fail(ctx, EXR_ERR_READ_IO, "offset out of range"), -1;
	while (got < n) {
		ssize_t r = pread(f->fd, (char *)buffer + got, n - got, (off_t)(offset + got));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return fail(ctx, EXR_ERR_READ_IO, "%s", strerror(errno)), -1;
		if (r == 0)
			break;
		got += (uint64_t)r;
	}
	return (int64_t)got;
}

static int64_t stream_size(exr_const_context_t ctx, void *user)
{
	(void)ctx;
	return (int64_t)((struct exr_file *)user)->size;
}

static void on_error(exr_const_context_t ctx, exr_result_t rc, const char *msg)
{
	void *user = NULL;
	(void)rc;
	if (!ctx || exr_get_user_data(ctx, &user) != EXR_ERR_SUCCESS || !user)
		return;
	struct exr_file *f = user;
	pthread_mutex_lock(&f->lock);
	if (!f->msg[0])
		snprintf(f->msg, sizeof f->msg, "%s", msg ? msg : "");
	pthread_mutex_unlock(&f->lock);
}

int exr_file_fail(struct exr_file *f, exr_result_t rc, const char *what, struct err *e)
{
	enum err_code code = rc == EXR_ERR_OUT_OF_MEMORY ? E_MEMORY : E_INPUT;
	char said[sizeof f->msg];
	pthread_mutex_lock(&f->lock);
	memcpy(said, f->msg, sizeof said);
	pthread_mutex_unlock(&f->lock);
	const char *msg = said[0] ? said : exr_get_default_error_message(rc);
	size_t n = strlen(f->path);
	if (!strncmp(msg, "'", 1) && !strncmp(msg + 1, f->path, n))
		msg += n + 4;           /* the library says "'PATH': " too */
	return err_set(e, code, "%s: %s: %s", f->path, what, msg);
}

int exr_file_open(struct exr_file *f, const char *path, struct err *e)
{
	struct stat st;
	*f = (struct exr_file){ .path = xstrdup(path) };
	pthread_mutex_init(&f->lock, NULL);
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd < 0) {
		err_set(e, E_INPUT, "open %s: %s", path, strerror(errno));
		exr_file_close(f);
		return -1;
	}
	if (fstat(f->fd, &st) || !S_ISREG(st.st_mode)) {
		err_set(e, E_INPUT, "%s is not a file", path);
		exr_file_close(f);
		return -1;
	}
	f->size = (uint64_t)st.st_size;

	exr_context_initializer_t init = EXR_DEFAULT_CONTEXT_INITIALIZER;
	init.error_handler_fn = on_error;
	init.user_data = f;
	init.read_fn = stream_read;
	init.size_fn = stream_size;
	/* Picture sizes are checked by format_check, which knows the right status. */
	init.max_tile_width = init.max_tile_height = IN_MAX_SIDE;
	init.flags = EXR_CONTEXT_FLAG_SILENT_HEADER_PARSE
	             | EXR_CONTEXT_FLAG_DISABLE_CHUNK_RECONSTRUCTION;
	exr_result_t rc = exr_start_read(&f->ctx, path, &init);
	if (rc != EXR_ERR_SUCCESS) {
		f->ctx = NULL;
		exr_file_fail(f, rc, f->size ? "not a sound EXR file" : "the file is empty", e);
		exr_file_close(f);
		return -1;
	}
	return 0;
}

void exr_file_close(struct exr_file *f)
{
	if (f->ctx)
		exr_finish(&f->ctx);
	if (f->fd >= 0)
		close(f->fd);
	if (f->path)
		pthread_mutex_destroy(&f->lock);
	free(f->path);
	*f = (struct exr_file){ .fd = -1 };
}
