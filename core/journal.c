/* journal - see journal.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "mem.h"
#include "outfile.h"

/* Little-endian like the planes; sum: XXH3-128 of what follows the header. */
struct head { char magic[8]; uint64_t bytes, head, narrow; struct pixhash sum; };
static const char magic[8] = "inframe1";

static char *path_of(const struct cache *c, const struct key *k)
{
	char *exr = cache_path(c, k), *path = xasprintf("%.*s.frame", (int)(strlen(exr) - 4), exr);
	free(exr);
	return path;
}

bool journal_has(const struct cache *c, const struct key *k)
{
	char *path = path_of(c, k);
	struct stat st;
	cache_hold(c);
	bool has = stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > (off_t)sizeof(struct head);
	free(path);
	return has;
}

static bool fits_bytes(const uint16_t *w, size_t n)
{
	for (size_t i = 0; i < n; ) {
		unsigned any = 0;
		size_t to = i + 4096 < n ? i + 4096 : n;
		for (; i < to; i++) any |= w[i];
		if (any > 255) return false;
	}
	return true;
}

static int put(const char *path, const struct head *h, const void *body, size_t n, struct err *e)
{
	struct outfile f = OUTFILE_INIT;
	if (outfile_open(&f, path, e) < 0) return -1;
	if (outfile_write(&f, h, sizeof *h, 0, e) < 0 || outfile_write(&f, body, n, sizeof *h, e) < 0) {
		outfile_abort(&f);
		return -1;
	}
	return outfile_publish(&f, e);
}

int journal_store(struct cache *c, const struct key *k, const void *p, size_t n, size_t head, struct err *e)
{
	const uint16_t *word = (const void *)((const char *)p + head);
	size_t words = (n - head) / 2;
	struct head h = { .bytes = n, .head = head, .narrow = fits_bytes(word, words) };
	memcpy(h.magic, magic, sizeof magic);
	char *path = path_of(c, k);
	uint8_t *small = NULL;
	const void *body = p;
	size_t len = n;
	int rc = -1;
	if (h.narrow) {
		body = small = malloc(head + words);
		len = head + words;
		if (!small) { err_set(e, E_MEMORY, "no memory for the journal"); goto out; }
		memcpy(small, p, head);
		for (size_t i = 0; i < words; i++) small[head + i] = (uint8_t)word[i];
	}
	h.sum = pixhash_bytes(body, len);
	if (cache_prepare(c, path, e) == 0) rc = put(path, &h, body, len, e);
	log_debug(LOG_CACHE, "%s %s", rc < 0 ? "cannot store" : "stored", path);
out:
	free(small);
	free(path);
	return rc;
}

static int get_all(int fd, void *p, size_t n, off_t at)
{
	char *to = p;
	while (n > 0) {
		ssize_t k = pread(fd, to, n, at);
		if (k < 0 && errno == EINTR) continue;
		if (k <= 0) return -1;
		to += k;
		at += k;
		n -= (size_t)k;
	}
	return 0;
}

/* The header, after the file's length has been held against it. */
static int open_checked(const char *path, struct head *h, size_t *len, struct err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return err_set(e, E_INPUT, "open %s: %s", path, strerror(errno));
	bool good = fstat(fd, &st) == 0 && get_all(fd, h, sizeof *h, 0) == 0 &&
	            memcmp(h->magic, magic, sizeof magic) == 0 && h->narrow <= 1 && h->head <= h->bytes &&
	            h->bytes < UINT64_C(1) << 40;
	*len = good ? (size_t)(h->narrow ? h->head + (h->bytes - h->head) / 2 : h->bytes) : 0;
	if (good && (uint64_t)st.st_size == sizeof *h + *len) return fd;
	close(fd);
	return err_set(e, E_INPUT, "%s: not a whole journal frame", path);
}

static int read_body(const char *path, int fd, const struct head *h, void *body, size_t len, struct err *e)
{
	if (get_all(fd, body, len, sizeof *h) < 0) return err_set(e, E_INPUT, "read %s: %s", path, strerror(errno));
	struct pixhash sum = pixhash_bytes(body, len);
	if (sum.lo == h->sum.lo && sum.hi == h->sum.hi) return 0;
	return err_set(e, E_INPUT, "%s: does not match its checksum", path);
}

static void widen(const struct head *h, char *p)
{
	size_t words = (size_t)(h->bytes - h->head) / 2;
	const uint8_t *from = (const uint8_t *)p + h->head;
	uint16_t *to = (void *)(p + h->head);
	for (size_t i = words; i-- > 0; ) to[i] = from[i];
}

int journal_load(struct cache *c, const struct key *k, void *p, size_t n, struct err *e)
{
	char *path = path_of(c, k);
	struct head h;
	size_t len;
	int rc = -1, fd;
	cache_hold(c);
	if ((fd = open_checked(path, &h, &len, e)) >= 0) {
		if (h.bytes != n)
			err_set(e, E_INPUT, "%s: holds %llu bytes, not %zu", path,
			        (unsigned long long)h.bytes, n);
		else rc = read_body(path, fd, &h, p, len, e);
		close(fd);
	}
	if (rc == 0 && h.narrow) widen(&h, p);
	if (rc < 0 && access(path, F_OK) == 0) {
		log_warn("cache: %s; the frame is computed again", e->msg);
		unlink(path);
	}
	log_debug(LOG_CACHE, "%s %s", rc < 0 ? "damaged" : "hit", path);
	free(path);
	return rc;
}

void journal_drop(struct cache *c, const struct key *k)
{
	char *path = path_of(c, k);
	unlink(path);
	free(path);
}

int journal_check_file(const char *path, struct err *e)
{
	struct head h;
	size_t len;
	int fd = open_checked(path, &h, &len, e), rc = -1;
	if (fd < 0) return -1;
	void *body = malloc(len ? len : 1);
	if (body) rc = read_body(path, fd, &h, body, len, e);
	else err_set(e, E_MEMORY, "%s: no memory to check it", path);
	free(body);
	close(fd);
	return rc;
}
