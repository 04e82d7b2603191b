/* px_pack - a picture to the planes of codes that enter an encoder: matrix, chroma, rounding, dither.
 *
 * A packed frame is notes (its hash and how much was clipped) and, behind SINK_PACKED_HEAD bytes, the planes.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_PACK_H
#define IN_PX_PACK_H

#include <stdatomic.h>
#include <string.h>

#include "hash.h"
#include "image.h"
#include "px_yuv.h"

struct packed { struct pixhash hash; uint64_t clipped[4], samples[4]; float light_max, light_mean; };
enum { PACKED_HEAD = 128 };
_Static_assert(sizeof(struct packed) <= PACKED_HEAD, "the notes fit the head");

/* What is packed and how: the channels R,G,B,A of the picture, its display window. Threads: frozen. */
struct pack_spec {
	struct plane_desc d; struct yuv_coef k; struct yuv_dither dither;
	int ch[4], w, h; struct rect display;
};

/* One frame being packed, with rows in scratch. Threads: worker. */
struct packer {
	const struct pack_spec *s; struct planes p; struct packed *out; struct yuv_dither dither;
	const float *in[3];                  /* R,G,B of the row at hand: the picture's own, or row[] */
	float *row[8], *noise, *u, *v; size_t cw;
};

struct pack_sizes { size_t w, cw, h; };
static struct pack_sizes pack_sizes(const struct plane_desc *d)
{
	bool sub = !d->rgb && d->lh;             /* chroma rows wait for one another */
	struct pack_sizes z = { ((size_t)d->w + 64 + 31) & ~(size_t)31,
		((size_t)plane_width(d, 1) + 31) & ~(size_t)31, sub ? (size_t)d->h : 0 };
	return z;
}

/* Row y of the display window as in[0..2] and, where alpha is kept, row[3]; straight then; outside
 * the data window 0. */
static void pack_gather(struct packer *k, const struct view *v, int y)
{
	const struct pack_spec *s = k->s;
	const struct rect d = s->display;
	int nch = s->d.alpha ? 4 : 3, w = s->w, yy = d.y0 + (y < s->h ? y : s->h - 1);
	int x0 = v->r.x0 > d.x0 ? v->r.x0 : d.x0, x1 = v->r.x1 < d.x1 ? v->r.x1 : d.x1;
	bool there = yy >= v->r.y0 && yy < v->r.y1 && x1 > x0;
	bool as_is = there && nch == 3 && x0 == d.x0 && x1 == d.x1 && w == s->d.w;
	for (int i = 0; i < 3; i++) k->in[i] = as_is ? view_at(v, s->ch[i], x0, yy) : k->row[i];
	for (int i = 0; i < nch && !as_is; i++) {
		float *o = k->row[i];
		if (!there || x0 > d.x0 || x1 < d.x1) memset(o, 0, (size_t)w * sizeof *o);
		if (there) memcpy(o + (x0 - d.x0), view_at(v, s->ch[i], x0, yy), (size_t)(x1 - x0) * sizeof *o);
	}
	if (nch == 4)
		for (int i = 0; i < 3; i++)
			for (int x = 0; x < w; x++) {
				float a = k->row[3][x];
				k->row[i][x] = a > 0 ? k->row[i][x] / a : k->row[i][x];
			}
	for (int i = 0; i < nch && !as_is; i++)
		for (int x = w; x < s->d.w; x++) k->row[i][x] = k->row[i][w - 1];
}

/* Where row y of a plane of n samples goes; what lies behind it is 0. */
static uint16_t *pack_out(struct packer *k, int plane, int y, int n)
{
	uint16_t *o = k->p.p[plane] + y * k->p.stride[plane];
	memset(o + n, 0, (size_t)(k->p.stride[plane] - n) * sizeof *o);
	return o;
}

static void pack_store(struct packer *k, int plane, int y, int n, const float *v)
{
	k->out->clipped[plane] += (uint64_t)yuv_store(&k->s->k, &k->dither, plane, y, n, v, k->noise,
	                                              pack_out(k, plane, y, n));
	k->out->samples[plane] += (uint64_t)n;
}

static void pack_rgb_row(struct packer *k, int y)
{
	int w = k->s->d.w;
	const float scale = k->s->k.yscale, off = k->s->k.yoff;
	for (int i = 0; i < 3; i++) {
		const float *in = k->in[i];
		float *o = k->row[i];
		for (int x = 0; x < w; x++) o[x] = in[x] * scale + off;
		pack_store(k, i, y, w, o);
	}
}

static void pack_yuv_row(struct packer *k, int y)
{
	const struct yuv_coef *c = &k->s->k;
	int w = k->s->d.w, cw = plane_width(&k->s->d, 1);
	yuv_from_rgb(c, w, k->in[0], k->in[1], k->in[2], k->row[4], k->row[5], k->row[6]);
	pack_store(k, 0, y, w, k->row[4]);
	if (!k->s->d.lw && !k->s->d.lh) {
		pack_store(k, 1, y, w, k->row[5]);
		pack_store(k, 2, y, w, k->row[6]);
		return;
	}
	if (k->s->d.lh) {
		yuv_narrow(c, k->row[5], w, cw, k->u + (size_t)y * k->cw);
		yuv_narrow(c, k->row[6], w, cw, k->v + (size_t)y * k->cw);
		return;
	}
	for (int i = 1; i < 3; i++) {
		yuv_narrow(c, k->row[4 + i], w, cw, k->row[7]);
		pack_store(k, i, y, cw, k->row[7]);
	}
}

static void pack_alpha_row(struct packer *p, int y)
{
	struct yuv_coef k = p->s->k;
	float *o = p->row[3];
	for (int x = 0; x < p->s->d.w; x++) o[x] = o[x] * k.ascale;
	k.lo = 0;
	k.hi = k.ascale;
	yuv_store(&k, &p->dither, 3, y, p->s->d.w, o, p->noise, pack_out(p, 3, y, p->s->d.w));
}

/* The whole picture; -1 when cancelled. */
static int pack_rows(struct packer *k, const struct view *in, const atomic_int *cancel)
{
	const struct plane_desc *d = &k->s->d;
	for (int y = 0; y < d->h; y++) {
		pack_gather(k, in, y);
		if (d->alpha) pack_alpha_row(k, y);
		if (d->rgb) pack_rgb_row(k, y);
		else pack_yuv_row(k, y);
		if (y % 64 == 0 && cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return -1;
	}
	if (d->rgb || !d->lh) return 0;
	int cw = plane_width(d, 1), ch = plane_height(d, 1);
	for (int y = 0; y < ch; y++) {
		yuv_shorten(&k->s->k, k->u, (ptrdiff_t)k->cw, d->h, cw, y, k->row[4]);
		pack_store(k, 1, y, cw, k->row[4]);
		yuv_shorten(&k->s->k, k->v, (ptrdiff_t)k->cw, d->h, cw, y, k->row[4]);
		pack_store(k, 2, y, cw, k->row[4]);
	}
	return 0;
}

static size_t pack_scratch(const struct plane_desc *d)
{
	struct pack_sizes z = pack_sizes(d);
	return (9 * z.w + 2 * z.cw * z.h) * sizeof(float) + 64;
}

/* mem has PACKED_HEAD + planes_bytes bytes, scratch pack_scratch. */
static void pack_begin(struct packer *k, const struct pack_spec *s, void *mem, void *scratch, int frame)
{
	struct pack_sizes z = pack_sizes(&s->d);
	float *rows = scratch;
	*k = (struct packer){ .s = s, .out = mem, .dither = s->dither, .cw = z.cw };
	memset(mem, 0, PACKED_HEAD);
	planes_at(&k->p, &s->d, (char *)mem + PACKED_HEAD);
	memset(rows, 0, 9 * z.w * sizeof *rows);
	for (int i = 0; i < 8; i++) k->row[i] = rows + (size_t)i * z.w + 32;
	k->noise = rows + 8 * z.w + 16;
	k->u = rows + 9 * z.w;
	k->v = k->u + z.cw * z.h;
	k->dither.frame = (uint32_t)frame;
}

#endif
