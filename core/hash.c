/* hash - SHA-256 by nettle for keys and files, XXH3-128 for pixels.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "hash.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "hashrun.h"
#include "mem.h"

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct sha), "sha holds nettle's context");

static struct sha256_ctx *ctx_of(struct sha *s)
{
	return (struct sha256_ctx *)(void *)s->opaque;
}

void sha_init(struct sha *s)
{
	sha256_init(ctx_of(s));
}

void sha_add(struct sha *s, const void *p, size_t n)
{
	if (n)
		sha256_update(ctx_of(s), n, p);
}

void sha_u64(struct sha *s, uint64_t v)
{
	uint8_t b[8];
	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> 8 * i);
	sha_add(s, b, sizeof b);
}

/* An absent string has a length that no string has. */
void sha_str(struct sha *s, const char *str)
{
	size_t n = str ? strlen(str) : 0;
	sha_u64(s, str ? n : UINT64_MAX);
	sha_add(s, str, n);
}

void sha_key(struct sha *s, const struct key *k)
{
	sha_add(s, k->b, sizeof k->b);
}

struct key sha_end(struct sha *s)
{
	struct key k;
	sha256_digest(ctx_of(s), sizeof k.b, k.b);
	return k;
}

static void hex_out(const uint8_t *b, size_t n, char *out)
{
	static const char digit[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digit[b[i] >> 4];
		out[2 * i + 1] = digit[b[i] & 15];
	}
	out[2 * n] = 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int hex_in(const char *hex, uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(hex[2 * i]), lo = hi < 0 ? -1 : hex_digit(hex[2 * i + 1]);
		if (lo < 0)
			return -1;
		b[i] = (uint8_t)(hi << 4 | lo);
	}
	return hex[2 * n] ? -1 : 0;
}

void key_hex(const struct key *k, char out[65])
{
	hex_out(k->b, sizeof k->b, out);
}

int key_parse(const char *hex, struct key *k)
{
	struct key t;
	if (hex_in(hex, t.b, sizeof t.b))
		return -1;
	*k = t;
	return 0;
}

struct pixhash pixhash_bytes(const void *p, size_t n)
{
	XXH128_hash_t h = XXH3_128bits(p, n);
	return (struct pixhash){ .lo = h.low64, .hi = h.high64 };
}

void pixhash_begin(struct pixhash_run *r)
{
	r->state = XXH3_createState();
	if (!r->state) abort();
	XXH3_128bits_reset(r->state);
}

void pixhash_add(struct pixhash_run *r, const void *p, size_t n)
{
	XXH3_128bits_update(r->state, p, n);
}

struct pixhash pixhash_end(struct pixhash_run *r)
{
	XXH128_hash_t h = XXH3_128bits_digest(r->state);
	XXH3_freeState(r->state);
	r->state = NULL;
	return (struct pixhash){ .lo = h.low64, .hi = h.high64 };
}

static void pixhash_put(struct pixhash h, uint8_t b[16])
{
	for (int i = 0; i < 8; i++) {
		b[i] = (uint8_t)(h.hi >> (56 - 8 * i));
		b[8 + i] = (uint8_t)(h.lo >> (56 - 8 * i));
	}
}

struct pixhash pixhash_join(const struct pixhash *v, size_t n)
{
	uint8_t *b = xalloc(n, 16);
	for (size_t i = 0; i < n; i++)
		pixhash_put(v[i], b + 16 * i);
	struct pixhash h = pixhash_bytes(b, 16 * n);
	free(b);
	return h;
}

void pixhash_hex(struct pixhash h, char out[33])
{
	uint8_t b[16];
	pixhash_put(h, b);
	hex_out(b, sizeof b, out);
}

int pixhash_parse(const char *hex, struct pixhash *h)
{
	uint8_t b[16];
	if (hex_in(hex, b, sizeof b))
		return -1;
	*h = (struct pixhash){ 0, 0 };
	for (int i = 0; i < 8; i++) {
		h->hi = h->hi << 8 | b[i];
		h->lo = h->lo << 8 | b[8 + i];
	}
	return 0;
}

/* What stands for a file's content as long as nobody writes it. */
struct stamp { uint64_t dev, ino, size, mtime, mtime_ns, ctime, ctime_ns; };
struct known { struct stamp stamp; struct key key; bool used; };

/* Files hashed so far; open addressing. Threads: any, under its mutex. */
static struct {
	pthread_mutex_t lock;
	struct known *v;
	size_t n, cap;
} files = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct stamp stamp_of(const struct stat *st)
{
	struct stamp s = {
		(uint64_t)st->st_dev, (uint64_t)st->st_ino, (uint64_t)st->st_size,
		(uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec,
		(uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec
	};
	return s;
}

/* The slot of a stamp: its own, or the free one where it belongs. */
static struct known *slot_of(struct known *v, size_t cap, const struct stamp *s)
{
	size_t i = (size_t)XXH3_64bits(s, sizeof *s) & (cap - 1);
	while (v[i].used && memcmp(&v[i].stamp, s, sizeof *s))
		i = (i + 1) & (cap - 1);
	return &v[i];
}

static bool recall(const struct stamp *s, struct key *k)
{
	bool hit = false;
	pthread_mutex_lock(&files.lock);
	if (files.cap) {
		const struct known *f = slot_of(files.v, files.cap, s);
		hit = f->used;
		if (hit)
			*k = f->key;
	}
	pthread_mutex_unlock(&files.lock);
	return hit;
}

static void remember(const struct stamp *s, const struct key *k)
{
	pthread_mutex_lock(&files.lock);
	if (files.n * 2 >= files.cap) {
		size_t cap = files.cap ? files.cap * 2 : 64;
		struct known *v = xalloc(cap, sizeof *v);
		for (size_t i = 0; i < files.cap; i++)
			if (files.v[i].used)
				*slot_of(v, cap, &files.v[i].stamp) = files.v[i];
		free(files.v);
		files.v = v;
		files.cap = cap;
	}
	struct known *f = slot_of(files.v, files.cap, s);
	if (!f->used)
		files.n++;
	*f = (struct known){ .stamp = *s, .key = *k, .used = true };
	pthread_mutex_unlock(&files.lock);
}

/* A file stamped in the present tick of the kernel's clock could change again without
 * showing it: only files that have rested are remembered. */
static bool rested(const struct stamp *s)
{
	enum { REST_NS = 100000000 };
	struct timespec now;
	if (clock_gettime(CLOCK_REALTIME, &now))
		return false;
	int64_t ns = (now.tv_sec - (int64_t)s->ctime) * 1000000000 + now.tv_nsec - (int64_t)s->ctime_ns;
	return ns > REST_NS || ns < -REST_NS;
}

static int hash_fd(int fd, const char *path, struct key *k, struct err *e)
{
	enum { PIECE = 1 << 20 };
	uint8_t *buf = xalloc(PIECE, 1);
	struct sha s;
	ssize_t n;
	int rc = 0;
	sha_init(&s);
	for (;;) {
		n = read(fd, buf, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		sha_add(&s, buf, (size_t)n);
	}
	if (n < 0)
		rc = err_set(e, E_INPUT, "read %s: %s", path, strerror(errno));
	free(buf);
	*k = sha_end(&s);
	return rc;
}

int hash_file(const char *path, struct key *k, struct err *e)
{
	struct stat st;
	int rc = -1, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(e, E_INPUT, "open %s: %s", path, strerror(errno));
	if (fstat(fd, &st)) {
		err_set(e, E_INPUT, "stat %s: %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(e, E_INPUT, "%s is %s, not a file", path,
		        S_ISDIR(st.st_mode) ? "a folder" : "a device or pipe");
		goto out;
	}
	struct stamp before = stamp_of(&st);
	if (recall(&before, k)) {
		rc = 0;
		goto out;
	}
	if (hash_fd(fd, path, k, e))
		goto out;
	struct stat later;
	struct stamp after = before;
	if (fstat(fd, &later) == 0)
		after = stamp_of(&later);
	if (memcmp(&before, &after, sizeof before)) {
		err_set(e, E_INPUT, "%s changed while it was being read", path);
		goto out;
	}
	if (rested(&before))
		remember(&before, k);
	rc = 0;
out:
	close(fd);
	return rc;
}
