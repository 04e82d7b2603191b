/* media_planes - any decoded pixel format to planes of 16-bit codes (or floats), without
 * changing a value.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_int.h"

#include <string.h>


int planes_describe(enum AVPixelFormat f, int w, int h, struct plane_desc *d, struct err *e)
{
	const AVPixFmtDescriptor *p = av_pix_fmt_desc_get(f);
	memset(d, 0, sizeof *d);
	if (!p || p->flags & AV_PIX_FMT_FLAG_HWACCEL || p->flags & AV_PIX_FMT_FLAG_BAYER
	    || !strncmp(p->name, "xyz", 3))
		return err_set(e, E_INPUT, "pixel format %s is not read", p ? p->name : "(none)");
	d->w = w; d->h = h;
	d->lw = p->log2_chroma_w; d->lh = p->log2_chroma_h;
	d->rgb = p->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL);
	d->alpha = p->flags & (AV_PIX_FMT_FLAG_ALPHA | AV_PIX_FMT_FLAG_PAL);
	d->gray = !d->rgb && p->nb_components <= 2;
	d->flt = p->flags & AV_PIX_FMT_FLAG_FLOAT;
	d->depth = p->flags & AV_PIX_FMT_FLAG_PAL ? 8 : p->comp[0].depth;
	if (d->lw > 2 || d->lh > 2) return err_set(e, E_INPUT, "pixel format %s is not read", p->name);
	for (int i = 1; i < p->nb_components && !(p->flags & AV_PIX_FMT_FLAG_PAL); i++)
		/* rgb565: all brought to the deepest */
		if (p->comp[i].depth > d->depth) d->depth = p->comp[i].depth;
	if (d->depth > 16 && !d->flt)
		return err_set(e, E_INPUT, "pixel format %s has more than 16 bits", p->name);
	if (d->flt && p->comp[0].depth != 32)
		return err_set(e, E_INPUT, "pixel format %s is not read", p->name);
	return 0;
}

/* Component of the format that fills plane i of ours. */
static int component(const AVPixFmtDescriptor *p, int i)
{
	if (i == 3) return p->nb_components - 1;
	return i;
}

static void row_bytes(const uint8_t *s, int step, int w, int shift, unsigned mask, uint16_t *o)
{
	if (step == 1 && !shift && mask == 255) for (int x = 0; x < w; x++) o[x] = s[x];
	else for (int x = 0; x < w; x++) o[x] = (uint16_t)(s[(ptrdiff_t)x * step] >> shift & mask);
}

static void row_words(const uint8_t *s, int step, int w, int shift, unsigned mask, bool big,
                      uint16_t *o)
{
	if (step == 2 && !shift && mask == 0xffff && !big) { memcpy(o, s, (size_t)w * 2); return; }
	for (int x = 0; x < w; x++, s += step) {
		unsigned v = big ? AV_RB16(s) : AV_RL16(s);
		o[x] = (uint16_t)(v >> shift & mask);
	}
}

static void row_floats(const uint8_t *s, int step, int w, bool big, float *o)
{
	for (int x = 0; x < w; x++, s += step) {
		uint32_t v = big ? AV_RB32(s) : AV_RL32(s);
		memcpy(&o[x], &v, 4);
	}
}

static void row_palette(const AVFrame *f, int y, int i, int w, uint16_t *o)
{
	const uint8_t *s = f->data[0] + (ptrdiff_t)y * f->linesize[0];
	/* entries are 0xAARRGGBB in native order */
	static const int at[4] = { 16, 8, 0, 24 };
	for (int x = 0; x < w; x++) {
		uint32_t v;
		memcpy(&v, f->data[1] + 4 * s[x], 4);
		o[x] = v >> at[i] & 255;
	}
}

/* Codes of fewer bits than the plane says (5 of 565): spread to the full scale, nearest. */
static void widen_codes(uint16_t *o, int w, int from, int to)
{
	unsigned a = (1u << from) - 1, b = (1u << to) - 1;
	for (int x = 0; x < w; x++) o[x] = (uint16_t)((o[x] * b + a / 2) / a);
}

static void row_codes(const AVFrame *f, const AVPixFmtDescriptor *p, int c, int y, int w,
                      uint16_t *o)
{
	const AVComponentDescriptor *k = &p->comp[c];
	if (p->flags & AV_PIX_FMT_FLAG_BITSTREAM) {
		const uint8_t *data[4] = { f->data[0], f->data[1], f->data[2], f->data[3] };
		av_read_image_line2(o, data, f->linesize, p, 0, y, c, w, 0, 2);
		return;
	}
	const uint8_t *s = f->data[k->plane] + (ptrdiff_t)y * f->linesize[k->plane] + k->offset;
	unsigned mask = k->depth >= 16 ? 0xffff : (1u << k->depth) - 1;
	bool big = p->flags & AV_PIX_FMT_FLAG_BE;
	/* As av_read_image_line2 reads: small components of big-endian words stand in the word's second
	 * byte. */
	if (k->depth + k->shift <= 8) row_bytes(s + big, k->step, w, k->shift, mask, o);
	else row_words(s, k->step, w, k->shift, mask, big, o);
}

int planes_unpack(const AVFrame *f, struct planes *p, struct err *e)
{
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
	if (!d || f->width != p->d.w || f->height != p->d.h)
		return err_set(e, E_INTERNAL, "picture does not fit its planes");
	p->d.interlaced = f->interlaced_frame && p->d.lh;
	for (int i = 0; i < 4; i++) {
		if (!plane_there(&p->d, i)) continue;
		int w = plane_width(&p->d, i), h = plane_height(&p->d, i), c = component(d, i);
		for (int y = 0; y < h; y++) {
			if (p->d.flt) {
				const AVComponentDescriptor *k = &d->comp[c];
				const uint8_t *s = f->data[k->plane] + (ptrdiff_t)y * f->linesize[k->plane] + k->offset;
				row_floats(s, k->step, w, d->flags & AV_PIX_FMT_FLAG_BE, p->f[i] + y * p->stride[i]);
				continue;
			}
			uint16_t *o = p->p[i] + y * p->stride[i];
			if (d->flags & AV_PIX_FMT_FLAG_PAL) { row_palette(f, y, i, w, o); continue; }
			row_codes(f, d, c, y, w, o);
			if (f->format == AV_PIX_FMT_MONOWHITE) for (int x = 0; x < w; x++) o[x] ^= 1;
			if (d->comp[c].depth < p->d.depth) widen_codes(o, w, d->comp[c].depth, p->d.depth);
		}
	}
	return 0;
}
