/* media_check - is what a written clip gives back what went into it?
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_check.h"

#include <math.h>
#include <string.h>

#include "log.h"
#include "media.h"
#include "media_out.h"

/* ---- frames ---- */

static double block_mean(const struct planes *p, int i, int bx, int by)
{
	int w = plane_width(&p->d, i), h = plane_height(&p->d, i);
	int x0 = w * bx / CHECK_ACROSS, x1 = w * (bx + 1) / CHECK_ACROSS;
	int y0 = h * by / CHECK_DOWN, y1 = h * (by + 1) / CHECK_DOWN;
	uint64_t sum = 0;
	if (x1 <= x0) x0 = x0 < w ? x0 : w - 1, x1 = x0 + 1;
	if (y1 <= y0) y0 = y0 < h ? y0 : h - 1, y1 = y0 + 1;
	for (int y = y0; y < y1; y++) {
		const uint16_t *s = p->p[i] + y * p->stride[i];
		for (int x = x0; x < x1; x++) sum += s[x];
	}
	return (double)sum / ((double)(x1 - x0) * (y1 - y0)) * 255.0 / ((1 << p->d.depth) - 1);
}

void check_frame(struct check_frame *f, const struct planes *p)
{
	f->d = p->d;
	planes_hash(p, &f->hash);
	for (int i = 0; i < 4; i++) {
		if (!plane_there(&p->d, i)) continue;
		for (int b = 0; b < CHECK_ACROSS * CHECK_DOWN; b++)
			f->block[i][b] = block_mean(p, i, b % CHECK_ACROSS, b / CHECK_ACROSS);
	}
}

struct check_bend check_compare(const struct check_frame *in, const struct check_frame *out)
{
	struct check_bend most = { 0, 0, 0 };
	for (int i = 0; i < 4; i++) {
		double sum = 0, worst = 0;
		if (!plane_there(&in->d, i) || !plane_there(&out->d, i)) continue;
		for (int b = 0; b < CHECK_ACROSS * CHECK_DOWN; b++) {
			double d = out->block[i][b] - in->block[i][b];
			sum += d;
			if (fabs(d) > worst) worst = fabs(d);
		}
		double mean = sum / (CHECK_ACROSS * CHECK_DOWN);
		if (fabs(mean) > fabs(most.mean)) most.mean = mean, most.plane = i;
		if (worst > most.block) most.block = worst;
	}
	return most;
}

/* ---- the file ---- */

static int structure(const struct media_info *in, const struct write_spec *s, struct err *e)
{
	const struct plane_desc *d = &in->desc;
	if (in->frames != s->nframes)
		return err_set(e, E_OUTPUT, "%s: %d frames went in, the file gives back %d", s->path,
		               s->nframes, in->frames);
	if (d->w != s->desc.w || d->h != s->desc.h)
		return err_set(e, E_OUTPUT, "%s: %dx%d went in, the file gives back %dx%d", s->path,
		               s->desc.w, s->desc.h, d->w, d->h);
	if (d->rgb != s->desc.rgb || d->lw != s->desc.lw || d->lh != s->desc.lh || d->depth < s->desc.depth)
		return err_set(e, E_OUTPUT, "%s: the file gives back %s, which is less than what went in",
		               s->path, in->pixfmt);
	if (in->fps.num && (int64_t)in->fps.num * s->fps.den != (int64_t)s->fps.num * in->fps.den)
		log_warn("%s: written at %d/%d frames per second, it plays at %d/%d", s->path, s->fps.num, s->fps.den,
		         in->fps.num, in->fps.den);
	return 0;
}

static void tag(const struct write_spec *s, const char *what, const char *want, const char *have)
{
	log_warn("%s: the %s tag was written as %s and reads %s", s->path, what, want ? want : "?",
	         have ? have : "nothing");
}

/* Tags that were asked for and read otherwise. */
static void tags(const struct write_spec *s, const struct media_tags *in)
{
	struct colour_tags t = tags_of(s);
	if (t.pri != AVCOL_PRI_UNSPECIFIED && in->primaries != (int)t.pri)
		tag(s, "primaries", av_color_primaries_name(t.pri),
		    av_color_primaries_name((enum AVColorPrimaries)in->primaries));
	if (t.trc != AVCOL_TRC_UNSPECIFIED && in->transfer != (int)t.trc)
		tag(s, "transfer", av_color_transfer_name(t.trc),
		    av_color_transfer_name((enum AVColorTransferCharacteristic)in->transfer));
	if (in->matrix != (int)t.spc)
		tag(s, "matrix", av_color_space_name(t.spc), av_color_space_name((enum AVColorSpace)in->matrix));
	if (!s->desc.rgb && in->range != (int)t.range)
		tag(s, "range", av_color_range_name(t.range), av_color_range_name((enum AVColorRange)in->range));
}

static int one(struct media *m, const struct write_spec *s, const struct check_frame *in,
               int n, struct err *e)
{
	static const char *const ycc[] = { "Y", "Cb", "Cr", "alpha" }, *const rgb[] = { "R", "G", "B", "alpha" };
	struct check_frame out;
	const struct planes *p;
	enum media_status st = media_frame(m, n, &p, e);
	if (st != MEDIA_OK)
		return err_set(e, E_OUTPUT, "%s: frame %d of the file just written cannot be decoded", s->path, n + 1);
	check_frame(&out, p);
	struct check_bend b = check_compare(in, &out);
	const char *name = in->d.rgb ? rgb[b.plane] : ycc[b.plane];
	if (s->preset->crf < 0 && s->preset->rgb && memcmp(&in->hash, &out.hash, sizeof out.hash) != 0)
		return err_set(e, E_OUTPUT, "%s: frame %d of a lossless file decodes to other pixels (%s "
		               "is %.3f codes of 8 bits off)", s->path, n + 1, name, b.mean);
	log_debug(LOG_MEDIA, "%s: frame %d decodes to plane means within %.3f and blocks within %.3f "
	          "codes of 8 bits", s->path, n + 1, fabs(b.mean), b.block);
	if (fabs(b.mean) > CHECK_MEAN_CODES || b.block > CHECK_BLOCK_CODES)
		log_warn("%s: the encoder bent the colour of frame %d: the mean of %s is %+.2f codes of 8 "
		         "bits off, a block %.2f", s->path, n + 1, name, b.mean, b.block);
	return 0;
}

int media_check_clip(const struct media_check *k, const struct write_spec *s, const char *open, struct err *e)
{
	struct media_opts o = MEDIA_OPTS_INIT;
	struct media *m;
	struct err cause = ERR_INIT;
	o.no_grain = true;
	if (media_open(open, &o, &m, &cause) < 0)
		return err_set(e, E_OUTPUT, "%s: the file just written cannot be read: %s", s->path, cause.msg);
	int rc = structure(media_about(m), s, e);
	if (rc == 0) {
		tags(s, &media_about(m)->tags);
		rc = one(m, s, &k->first, 0, e);
	}
	if (rc == 0 && s->nframes > 1) rc = one(m, s, &k->last, s->nframes - 1, e);
	media_close(&m);
	return rc;
}
