/* media_encode - one encoder of a clip: what the preset asks of it, and frames into it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_write.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "media_out.h"

static enum AVPixelFormat pixfmt_of(const struct plane_desc *d)
{
	if (d->rgb) return d->alpha ? AV_PIX_FMT_GBRAP16LE : AV_PIX_FMT_GBRP16LE;
	const char *base = d->lh ? "yuv420p" : d->lw ? "yuv422p" : d->alpha ? "yuva444p" : "yuv444p";
	char name[32];
	if (d->depth == 8) snprintf(name, sizeof name, "%s", base);
	else snprintf(name, sizeof name, "%s%dle", base, d->depth);
	return av_get_pix_fmt(name);
}

int encoder_err(struct err *e, int rc, const char *path, const char *what)
{
	char buf[128];
	if (rc == AVERROR(ENOMEM)) return err_set(e, E_MEMORY, "%s: not enough memory to %s", path, what);
	return err_set(e, E_OUTPUT, "%s: cannot %s: %s", path, what, media_averr(rc, buf));
}

int encoder_lookahead(const struct preset *p, int w, int h)
{
	bool x264 = p->encoder && !strcmp(p->encoder, "libx264");
	int usual = x264 ? 40 : !strcmp(p->name, "h265") ? 20 : !strcmp(p->name, "av1-grain") ? 19
		: !strcmp(p->name, "av1") ? 8 : 0;
	double n = usual * (1920.0 * 1080.0) / ((double)w * h);
	return n >= usual ? usual : n < 8 ? 8 : (int)n;
}

int encoder_threads(const struct preset *p, int w, int h)
{
	bool large = (size_t)w * (size_t)h > (size_t)2560 * 1440;
	return large && p->crf >= 0 && p->threads > 2 ? 2 : p->threads;
}

/* Measured on 4K and 1080p clips: source pictures held for the lookahead, reference pictures with their
 * half-pixel planes, and the writer's own rows and planes. */
size_t encoder_bytes(const struct preset *p, int w, int h)
{
	int held = encoder_lookahead(p, w, h) + encoder_threads(p, w, h) + 4;
	double px = (double)w * h, per = 30;
	if (p->encoder && !strcmp(p->encoder, "libx264")) per = 2.4 * held + 34;
	if (!strcmp(p->name, "h265")) per = 5 * held + 40;
	if (!strncmp(p->name, "av1", 3)) per = 240;
	return (size_t)(px * per);
}

/* What the preset's text cannot say: it depends on the size. */
static void size_options(const struct write_spec *s, AVDictionary **o)
{
	const struct preset *p = s->preset;
	int look = encoder_lookahead(p, s->desc.w, s->desc.h);
	if ((p->encoder && !strcmp(p->encoder, "libx264"))) av_dict_set_int(o, "rc-lookahead", look, 0);
	if (!strcmp(p->name, "h265")) {
		char more[32];
		snprintf(more, sizeof more, ":rc-lookahead=%d", look);
		av_dict_set(o, "x265-params", more, AV_DICT_APPEND);
	}
	if (!strcmp(p->name, "av1-grain")) av_dict_set_int(o, "lag-in-frames", look, 0);
	if (!strcmp(p->name, "ffv1"))
		av_dict_set(o, "slices", s->desc.w >= 64 && s->desc.h >= 64 ? "16" : "4", 0);
}

/* H.264 and H.265 say it in their stream too; elsewhere the container does. */
static void hdr_options(const struct write_spec *s, AVDictionary **o)
{
	const struct hdr_spec *h = &s->hdr;
	bool x264 = !strcmp(s->preset->name, "h264");
	if (!x264 && strcmp(s->preset->name, "h265") != 0) return;
	const char *key = x264 ? "x264-params" : "x265-params";
	char text[256];
	if (h->mastered) {
		static const int order[4] = { 1, 2, 0, 3 };      /* G, B, R, white; 0.00002 and 0.0001 nits */
		int at = snprintf(text, sizeof text, "%s%s=", av_dict_get(*o, key, NULL, 0) ? ":" : "",
		                  x264 ? "mastering-display" : "master-display");
		for (int i = 0; i < 4; i++)
			at += snprintf(text + at, sizeof text - (size_t)at, "%s(%d,%d)",
			               (const char *[]){ "G", "B", "R", "WP" }[i],
			               (int)(h->xy[2 * order[i]] * 50000 + .5),
			               (int)(h->xy[2 * order[i] + 1] * 50000 + .5));
		snprintf(text + at, sizeof text - (size_t)at, "L(%.0f,%.0f)", h->nits_max * 10000, h->nits_min * 10000);
		av_dict_set(o, key, text, AV_DICT_APPEND);
	}
	if (h->max_cll) {
		snprintf(text, sizeof text, "%s%s=%d,%d", av_dict_get(*o, key, NULL, 0) ? ":" : "",
		         x264 ? "cll" : "max-cll", h->max_cll, h->max_fall);
		av_dict_set(o, key, text, AV_DICT_APPEND);
	}
}

/* The table lies in memory; the encoder opens it by the name of its descriptor. */
static int grain_option(const struct write_spec *s, struct encoder *w, AVDictionary **o, struct err *e)
{
	char text[64];
	size_t n = s->grain ? strlen(s->grain) : 0;
	if (!n) return 0;
	w->grain_fd = memfd_create("film-grain-table", MFD_CLOEXEC);
	if (w->grain_fd < 0 || write(w->grain_fd, s->grain, n) != (ssize_t)n)
		return err_set(e, E_OUTPUT, "%s: film grain table: %s", s->path, strerror(errno));
	snprintf(text, sizeof text, ":film-grain-table=/proc/self/fd/%d", w->grain_fd);
	av_dict_set(o, "aom-params", text, AV_DICT_APPEND);
	return 0;
}

static void describe(AVCodecContext *c, const struct write_spec *s)
{
	const struct preset *p = s->preset;
	struct colour_tags t = tags_of(s);
	c->width = s->desc.w;
	c->height = s->desc.h;
	c->pix_fmt = pixfmt_of(&s->desc);
	c->time_base = (AVRational){ s->fps.den, s->fps.num };
	c->framerate = (AVRational){ s->fps.num, s->fps.den };
	c->sample_aspect_ratio = (AVRational){ s->par.num, s->par.den };
	c->color_primaries = t.pri;
	c->color_trc = t.trc;
	c->colorspace = t.spc;
	c->color_range = t.range;
	c->chroma_sample_location = t.loc;
	c->thread_count = s->coders ? 1 : encoder_threads(p, s->desc.w, s->desc.h);
	if (p->profile) c->profile = p->profile;
	c->flags |= AV_CODEC_FLAG_BITEXACT;
	if (!strcmp(p->name, "h265")) c->codec_tag = MKTAG('h', 'v', 'c', '1');
}

int encoder_open(struct encoder *w, const struct write_spec *s, bool global_header, struct err *e)
{
	const struct preset *p = s->preset;
	const AVCodec *codec = avcodec_find_encoder_by_name(p->encoder);
	if (!codec) return err_set(e, E_OUTPUT, "%s: this FFmpeg has no encoder %s", s->path, p->encoder);
	w->enc = avcodec_alloc_context3(codec);
	w->pkt = av_packet_alloc();
	if (!w->enc || !w->pkt) return err_set(e, E_MEMORY, "%s: no memory for the encoder", s->path);
	describe(w->enc, s);
	if (global_header) w->enc->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
	AVDictionary *o = NULL;
	int rc = av_dict_parse_string(&o, p->options, "=", ":", 0);
	if (p->crf >= 0) {
		char q[32];
		double crf = s->crf >= 0 ? s->crf : p->crf;
		snprintf(q, sizeof q, "%d.%02d", (int)crf, (int)(crf * 100) % 100);
		av_dict_set(&o, "crf", q, 0);
	}
	size_options(s, &o);
	hdr_options(s, &o);
	if (grain_option(s, w, &o, e) < 0) {
		av_dict_free(&o);
		return -1;
	}
	if (rc >= 0) rc = avcodec_open2(w->enc, codec, &o);
	const AVDictionaryEntry *left = av_dict_get(o, "", NULL, AV_DICT_IGNORE_SUFFIX);
	if (rc >= 0 && left)
		rc = err_set(e, E_INTERNAL, "encoder %s does not know the option %s", p->encoder, left->key);
	else if (rc < 0) rc = encoder_err(e, rc, s->path, "open the encoder");
	av_dict_free(&o);
	return rc < 0 ? -1 : 0;
}

void encoder_close(struct encoder *w)
{
	if (w->grain_fd >= 0) close(w->grain_fd);
	if (w->enc) avcodec_free_context(&w->enc);
	if (w->pkt) av_packet_free(&w->pkt);
	w->grain_fd = -1;
}

/* ---- frames ---- */

/* Plane of the encoder's format that takes plane i. */
static int plane_for(const struct plane_desc *d, int i)
{
	static const int gbr[4] = { 2, 0, 1, 3 };
	return d->rgb ? gbr[i] : i;
}

static void fill(AVFrame *f, const struct planes *p)
{
	for (int i = 0; i < 4; i++) {
		if (!plane_there(&p->d, i)) continue;
		int at = plane_for(&p->d, i), w = plane_width(&p->d, i), h = plane_height(&p->d, i);
		for (int y = 0; y < h; y++) {
			uint8_t *o = f->data[at] + (ptrdiff_t)y * f->linesize[at];
			const uint16_t *s = p->p[i] + y * p->stride[i];
			if (p->d.depth > 8) memcpy(o, s, (size_t)w * 2);
			else for (int x = 0; x < w; x++) o[x] = (uint8_t)s[x];
		}
	}
}

static void keep(void *opaque, uint8_t *data) { (void)opaque; (void)data; }

/* The planes themselves, which stay the caller's. */
static int lend(AVFrame *f, const struct planes *p)
{
	for (int i = 0; i < 4; i++) {
		if (!plane_there(&p->d, i)) continue;
		int at = plane_for(&p->d, i);
		f->data[at] = (uint8_t *)p->p[i];
		f->linesize[at] = (int)(p->stride[i] * 2);
	}
	f->buf[0] = av_buffer_create((uint8_t *)p->p[0], p->bytes, keep, NULL, AV_BUFFER_FLAG_READONLY);
	return f->buf[0] ? 0 : -1;
}

int encoder_send(struct encoder *w, const struct planes *p, int64_t pts, const char *path, struct err *e)
{
	AVFrame *f = av_frame_alloc();
	int rc = -1, r;
	if (!f) return err_set(e, E_MEMORY, "%s: no memory for a frame", path);
	f->format = w->enc->pix_fmt;
	f->width = w->enc->width;
	f->height = w->enc->height;
	f->pts = pts;
	f->color_range = w->enc->color_range;
	f->color_primaries = w->enc->color_primaries;
	f->color_trc = w->enc->color_trc;
	f->colorspace = w->enc->colorspace;
	f->chroma_location = w->enc->chroma_sample_location;
	f->sample_aspect_ratio = w->enc->sample_aspect_ratio;
	bool lent = w->apart && p->d.depth > 8;
	if ((lent ? lend(f, p) : av_frame_get_buffer(f, 0)) < 0) {
		err_set(e, E_MEMORY, "%s: no memory for a frame", path);
		goto out;
	}
	if (!lent) fill(f, p);
	r = avcodec_send_frame(w->enc, f);
	rc = r < 0 ? encoder_err(e, r, path, "encode") : 0;
out:
	av_frame_free(&f);
	return rc;
}
