/* exr_ours - this project's EXR files for the bench: whole frames by a number of threads that share the parts.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exr.h"
#include "exr_ours.h"

static struct pool *pool;

struct crew { void *file; int (*part)(void *file, int i, struct err *e); int n; atomic_int next, bad; };

static int write_part(void *f, int i, struct err *e) { return exr_write_part(f, i, e); }
static int read_part(void *f, int i, struct err *e) { return exr_read_part(f, i, e); }

static void *work(void *user)
{
	struct crew *c = user;
	struct err e = ERR_INIT;
	for (int i; (i = atomic_fetch_add(&c->next, 1)) < c->n;)
		if (c->part(c->file, i, &e)) {
			fprintf(stderr, "%s\n", e.msg);
			c->bad = 1;
		}
	return NULL;
}

static int crew(void *file, int (*part)(void *, int, struct err *), int n, int threads)
{
	struct crew c = { .file = file, .part = part, .n = n };
	pthread_t t[16];
	for (int i = 1; i < threads; i++)
		pthread_create(&t[i], NULL, work, &c);
	work(&c);
	for (int i = 1; i < threads; i++)
		pthread_join(t[i], NULL);
	return c.bad ? -1 : 0;
}

static int fail(const struct err *e)
{
	fprintf(stderr, "exr: %s\n", e->msg);
	return -1;
}

struct image *ours_load(const char *path, int threads)
{
	struct err e = ERR_INIT;
	struct exr_info info;
	if (!pool)
		pool = pool_new();
	if (exr_probe(path, &info, &e)) {
		fail(&e);
		return NULL;
	}
	struct image *im = image_new(pool, &info.fmt, "bench", &e);
	if (im)
		ours_read(path, im, threads);
	exr_info_free(&info);
	return im;
}

void ours_size(const struct image *im, int *w, int *h, int *nch, const char **names, float **planes, long *stride)
{
	*w = rect_w(im->fmt.data);
	*h = rect_h(im->fmt.data);
	*nch = im->fmt.nch;
	*stride = (long)im->view.stride;
	for (int c = 0; c < im->fmt.nch; c++) {
		names[c] = im->fmt.ch[c];
		planes[c] = im->view.plane[c];
	}
}

void ours_halve(struct image *im)
{
	for (int c = 0; c < im->fmt.nch; c++)
		for (int y = im->view.r.y0; y < im->view.r.y1; y++)
			half_round(view_at(&im->view, c, im->view.r.x0, y), (size_t)rect_w(im->view.r));
}

struct image *ours_like(const struct image *im)
{
	struct err e = ERR_INIT;
	return image_new(pool, &im->fmt, "bench", &e);
}

int ours_equal(const struct image *a, const struct image *b)
{
	struct pixhash x = image_hash(a), y = image_hash(b);
	return x.lo == y.lo && x.hi == y.hi;
}

int ours_write(const char *path, const struct image *im, const char *compression, int level, int half, int sync,
               int threads)
{
	static const char *const names[] = { "none", "rle", "zips", "zip", "piz" };
	struct exr_write w = { .half = half, .level = level, .nosync = !sync };
	struct exr_writer *x;
	struct err e = ERR_INIT;
	for (size_t i = 0; i < IN_COUNT(names); i++)
		if (!strcmp(names[i], compression))
			w.compression = (enum exr_compression)i;
	if (exr_write_open(&x, path, &im->fmt, &im->view, &w, &e))
		return fail(&e);
	crew(x, write_part, exr_write_parts(x), threads);
	return exr_write_finish(&x, &e) ? fail(&e) : 0;
}

int ours_read(const char *path, struct image *into, int threads)
{
	struct exr_reader *r;
	struct err e = ERR_INIT;
	if (exr_read_open(&r, path, &into->fmt, &into->view, &e))
		return fail(&e);
	crew(r, read_part, exr_read_parts(r), threads);
	return exr_read_finish(&r, &e) ? fail(&e) : 0;
}
