/* write_back - what files that a write left behind really hold: hashes of their
 * pixels. Included by write.c alone.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_WRITE_BACK_H
#define IN_WRITE_BACK_H

#include <stdlib.h>
#include <string.h>

#include "exr.h"
#include "media.h"
#include "node.h"

/* What an EXR file will hold: rows of every channel, rounded to half where it stores half. */
static struct pixhash hash_view(const struct view *v, bool half)
{
	struct pixhash part[IN_MAX_CH];
	size_t w = (size_t)rect_w(v->r), h = (size_t)rect_h(v->r);
	float *flat = malloc(w * h * sizeof *flat + 1);
	if (!flat) abort();
	for (int i = 0; i < v->nch; i++) {
		for (size_t y = 0; y < h; y++)
			memcpy(flat + y * w, view_at(v, i, v->r.x0, v->r.y0 + (int)y), w * sizeof *flat);
		if (half) half_round(flat, w * h);
		part[i] = pixhash_bytes(flat, w * h * sizeof *flat);
	}
	free(flat);
	return pixhash_join(part, (size_t)v->nch);
}

static int held_exr(const struct node_ctx *n, const char *path, bool half, struct pixhash *out, struct err *e)
{
	struct exr_info info;
	struct format f = *n->in[0];
	struct pool *pool = NULL;
	struct image *im = NULL;
	int rc = exr_probe(path, &info, e);
	if (rc == 0) {
		f.data = info.fmt.data;
		exr_info_free(&info);
		pool = pool_new();
		im = image_new(pool, &f, "held", e);
		rc = im ? exr_read(path, &f, &im->view, e) : -1;
	}
	if (rc == 0) *out = hash_view(&im->view, half);
	image_unref(&im);
	if (pool) pool_free(&pool);
	return rc;
}

/* The planes of one file: a clip of the node's whole range, or a still. */
static int held_planes(const char *path, int i, struct pixhash *out, struct media **m, struct err *e)
{
	struct media_opts o = MEDIA_OPTS_INIT;
	const struct planes *p;
	if (!*m && media_open(path, &o, m, e) < 0) return -1;
	enum media_status st = media_frame(*m, i, &p, e);
	if (st == MEDIA_OK) planes_hash(p, out);
	return st == MEDIA_OK ? 0 : st == MEDIA_MISSING
		? err_set(e, E_INPUT, "%s: picture %d cannot be read", path, i + 1) : -1;
}

static int same_pixels(const char *path, const struct pixhash *in, int rc,
                       const struct pixhash *back, struct err *e)
{
	if (rc < 0) return err_set(e, E_OUTPUT, "%s: the file just written cannot be read back", path);
	if (memcmp(in, back, sizeof *in) != 0)
		return err_set(e, E_OUTPUT, "%s: the file just written holds other pixels", path);
	return 0;
}

#endif
