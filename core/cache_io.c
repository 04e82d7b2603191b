/* cache_io - frames into the cache and back, in parts, with the hash of their pixels taken on the way.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache_int.h"
#include "cache_sum.h"
#include "colour.h"
#include "log.h"

static const char zeros[33] = "00000000000000000000000000000000";

struct cache_store { struct exr_writer *x; struct cache_sum sum; char *path; };

/* late: the file's parts are not made of whole strips (it was not written here),
 * so the finish takes the hash. */
struct cache_load {
	struct exr_reader *r; struct cache_sum sum; struct pixhash want;
	char *path; bool in_cache, late;
};

/* Uncompressed: of a float frame of a clip ZIP takes 6 to 12 percent away for twenty times
 * the time of writing it, of a half frame about half for seven times; a disk of 200 MB/s is
 * faster than that (tests/bench/exr.sh). */
struct cache_form cache_form_of(bool half)
{
	return (struct cache_form){ .half = half, .compression = EXRC_NONE };
}

/* The names in the order in which the pixel hash takes them. malloced */
static char *channel_list(const struct format *f)
{
	char *list = xstrdup(f->nch ? f->ch[0] : "");
	for (int i = 1; i < f->nch; i++) {
		char *next = xasprintf("%s %s", list, f->ch[i]);
		free(list);
		list = next;
	}
	return list;
}

static void store_free(struct cache_store **ps)
{
	struct cache_store *s = *ps;
	*ps = NULL;
	cache_sum_free(&s->sum);
	free(s->path);
	free(s);
}

int cache_store_open(struct cache *c, const struct key *k, const struct image *im, struct cache_form form,
                     const char *const *meta, struct cache_store **out, struct err *e)
{
	struct cache_store *s = xalloc(1, sizeof *s);
	char *names = channel_list(&im->fmt), hex[65];
	const char *attr[32] = { "interneg.key", hex, "interneg.strips", zeros, "interneg.channels", names };
	int n = 6, rc;
	for (; meta && *meta && n < 30; meta++) attr[n++] = *meta;
	attr[n] = NULL;
	key_hex(k, hex);
	struct exr_write w = { .compression = form.compression, .level = form.level, .half = form.half,
		.nosync = true,
		.attr = attr, .fps = im->fmt.fps, .has_chroma = true };
	colour_primaries(im->fmt.space, w.chroma);
	s->path = cache_path(c, k);
	s->sum = cache_sum_new(im);
	rc = cache_prepare(c, s->path, e);
	if (rc == 0) rc = exr_write_open(&s->x, s->path, &im->fmt, &im->view, &w, e);
	if (rc < 0) {
		log_debug(LOG_CACHE, "cannot store %s", s->path);
		store_free(&s);
	}
	free(names);
	*out = s;
	return rc;
}

int cache_store_parts(const struct cache_store *s) { return exr_write_parts(s->x); }

int cache_store_part(struct cache_store *s, int i, struct err *e)
{
	cache_sum_rows(&s->sum, exr_write_rows(s->x, i));
	return exr_write_part(s->x, i, e);
}

int cache_store_finish(struct cache_store **ps, struct err *e)
{
	struct cache_store *s = *ps;
	char pix[33];
	pixhash_hex(cache_sum_end(&s->sum), pix);
	int rc = exr_write_attr(s->x, "interneg.strips", pix);
	if (rc < 0) {
		err_set(e, E_INTERNAL, "%s: the header has no place for the hash", s->path);
		exr_write_abort(&s->x);
	} else rc = exr_write_finish(&s->x, e);
	log_debug(LOG_CACHE, "%s %s", rc < 0 ? "cannot store" : "stored", s->path);
	store_free(ps);
	return rc;
}

void cache_store_abort(struct cache_store **s)
{
	if (!*s) return;
	exr_write_abort(&(*s)->x);
	store_free(s);
}

int cache_store(struct cache *c, const struct key *k, const struct image *im, bool half,
                const char *const *meta, struct err *e)
{
	struct cache_store *s;
	if (cache_store_open(c, k, im, cache_form_of(half), meta, &s, e) < 0) return -1;
	for (int i = 0; i < cache_store_parts(s); i++)
		if (cache_store_part(s, i, e) < 0) {
			cache_store_abort(&s);
			return -1;
		}
	return cache_store_finish(&s, e);
}

static void load_free(struct cache_load **pl)
{
	struct cache_load *l = *pl;
	*pl = NULL;
	exr_read_abort(&l->r);
	cache_sum_free(&l->sum);
	free(l->path);
	free(l);
}

static bool made_of_strips(const struct cache_load *l)
{
	struct rect d = l->sum.im->fmt.data;
	int rows = 0;
	for (int i = 0; i < exr_read_parts(l->r); i++) {
		struct rect r = exr_read_rows(l->r, i);
		if ((r.y0 - d.y0) % CACHE_STRIP != 0 || (r.y1 != d.y1 && (r.y1 - d.y0) % CACHE_STRIP != 0)) return false;
		rows += rect_h(r);
	}
	return rows == rect_h(d);
}

/* The file's own word: the key and the hash that stand in its header. Takes path. */
static int load_open(char *path, const char *hex, const struct image *into,
                     struct cache_load **out, struct err *e)
{
	struct cache_load *l = xalloc(1, sizeof *l);
	l->path = path;
	l->sum = cache_sum_new(into);
	int rc = exr_read_open(&l->r, path, &into->fmt, &into->view, e);
	const char *key = rc < 0 ? NULL : exr_attr(exr_read_info(l->r), "interneg.key");
	const char *pix = rc < 0 ? NULL : exr_attr(exr_read_info(l->r), "interneg.strips");
	if (rc == 0 && (!key || strcmp(key, hex) != 0)) rc = err_set(e, E_INPUT, "%s: holds another key", path);
	else if (rc == 0 && (!pix || pixhash_parse(pix, &l->want) < 0))
		rc = err_set(e, E_INPUT, "%s: no pixel hash", path);
	l->late = rc == 0 && !made_of_strips(l);
	*out = l;
	return rc;
}

int cache_load_open(struct cache *c, const struct key *k, const struct image *into, struct cache_load **out,
                    struct err *e)
{
	char hex[65];
	cache_hold(c);
	key_hex(k, hex);
	int rc = load_open(cache_path(c, k), hex, into, out, e);
	(*out)->in_cache = true;
	if (rc < 0) cache_load_abort(out, e);
	return rc;
}

int cache_load_parts(const struct cache_load *l) { return exr_read_parts(l->r); }

int cache_load_part(struct cache_load *l, int i, struct err *e)
{
	if (exr_read_part(l->r, i, e) < 0) return -1;
	if (!l->late) cache_sum_rows(&l->sum, exr_read_rows(l->r, i));
	return 0;
}

static int load_finish(struct cache_load *l, struct err *e)
{
	if (exr_read_finish(&l->r, e) < 0) return -1;
	if (l->late) cache_sum_rows(&l->sum, l->sum.im->fmt.data);
	struct pixhash got = cache_sum_end(&l->sum);
	if (got.lo == l->want.lo && got.hi == l->want.hi) return 0;
	return err_set(e, E_INPUT, "%s: pixels do not match their hash", l->path);
}

int cache_load_finish(struct cache_load **l, struct err *e)
{
	if (load_finish(*l, e) < 0) {
		cache_load_abort(l, e);
		return -1;
	}
	(void)utimensat(AT_FDCWD, (*l)->path, NULL, 0);       /* last use, for prune; a read-only cache has none */
	log_debug(LOG_CACHE, "hit %s", (*l)->path);
	load_free(l);
	return 0;
}

void cache_load_abort(struct cache_load **l, const struct err *damaged)
{
	if (!*l) return;
	if (damaged && (*l)->in_cache && damaged->code == E_INPUT) {
		log_warn("cache: %s; it is set aside and the frame computed again", damaged->msg);
		cache_set_aside((*l)->path);
		log_debug(LOG_CACHE, "damaged %s", (*l)->path);
	}
	load_free(l);
}

int cache_load(struct cache *c, const struct key *k, const struct image *into, struct err *e)
{
	struct cache_load *l;
	if (cache_load_open(c, k, into, &l, e) < 0) return -1;
	for (int i = 0; i < cache_load_parts(l); i++)
		if (cache_load_part(l, i, e) < 0) {
			cache_load_abort(&l, e);
			return -1;
		}
	return cache_load_finish(&l, e);
}

static int check(const char *path, const char *hex, const struct image *im, struct err *e)
{
	struct cache_load *l;
	int rc = load_open(xstrdup(path), hex, im, &l, e);
	for (int i = 0; rc == 0 && i < cache_load_parts(l); i++) rc = cache_load_part(l, i, e);
	if (rc == 0) rc = load_finish(l, e);
	load_free(&l);
	return rc;
}

static size_t words(const char *s)
{
	size_t n = 1;
	for (; *s; s++) n += *s == ' ';
	return n;
}

int cache_check_file(const char *path, const char *hex, struct pool *pool, bool *damaged, struct err *e)
{
	struct exr_info info;
	struct image *im = NULL;
	*damaged = false;
	if (access(path, R_OK) != 0) return err_set(e, E_INPUT, "%s: %s", path, strerror(errno));
	*damaged = true;
	if (exr_probe(path, &info, e) < 0) return -1;
	const char *names = exr_attr(&info, "interneg.channels");
	if (names && words(names) <= IN_MAX_CH) format_channels(&info.fmt, names);
	int rc = format_check(&info.fmt, e);
	if (rc == 0 && !(im = image_new(pool, &info.fmt, "cache check", e))) {
		*damaged = false;
		rc = -1;
	}
	if (rc == 0) rc = check(path, hex, im, e);
	if (rc == 0) *damaged = false;
	image_unref(&im);
	exr_info_free(&info);
	return rc;
}

size_t cache_io_bytes(const struct format *f, struct cache_form form, int threads)
{
	struct exr_write w = { .compression = form.compression, .half = form.half };
	struct exr_info info = { .fmt = *f };
	size_t lines = form.compression == EXRC_ZIP ? 16 : form.compression == EXRC_PIZ ? 32 : 1;
	info.chunk = lines * (size_t)f->nch * (size_t)rect_w(f->data) * (form.half ? 2 : 4);
	size_t a = exr_writer_bytes(f, &w, threads), b = exr_reader_bytes(&info, threads);
	return (a > b ? a : b) + (size_t)rect_h(f->data) * 2;
}
