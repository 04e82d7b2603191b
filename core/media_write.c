/* media_write - one clip being written: encoder, muxer, temporary file.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_write.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>


#include "log.h"
#include "media_check.h"
#include "media_out.h"
#include "mem.h"
#include "outfile.h"

struct media_writer {
	struct write_spec s;
	char *path;
	struct outfile file;
	uint64_t at, size;                   /* of the muxer's writes */
	bool disk_error; struct err disk;
	AVFormatContext *mux;
	AVIOContext *io;
	AVCodecContext *enc;
	AVStream *st;
	AVPacket *pkt;
	struct sound *sound;
	struct media_check check;
	int grain_fd;                        /* the film grain table in memory, or -1 */
	int64_t n;
	bool header;
};

enum { IO_BUFFER = 1 << 18 };

/* ---- the file ---- */

static int io_write(void *opaque, uint8_t *p, int n)
{
	struct media_writer *w = opaque;
	if (w->disk_error) return AVERROR(EIO);
	if (outfile_write(&w->file, p, (size_t)n, w->at, &w->disk) < 0) {
		w->disk_error = true;
		return AVERROR(EIO);
	}
	w->at += (uint64_t)n;
	if (w->at > w->size) w->size = w->at;
	return n;
}

static int64_t io_seek(void *opaque, int64_t off, int whence)
{
	struct media_writer *w = opaque;
	whence &= ~AVSEEK_FORCE;
	if (whence == AVSEEK_SIZE) return (int64_t)w->size;
	if (whence == SEEK_CUR) off += (int64_t)w->at;
	else if (whence == SEEK_END) off += (int64_t)w->size;
	if (off < 0) return AVERROR(EINVAL);
	w->at = (uint64_t)off;
	return off;
}

/* Faststart reads back what was written; nothing else may be opened. */
struct reader { int fd; int64_t at; };

static int back_read(void *opaque, uint8_t *p, int n)
{
	struct reader *r = opaque;
	ssize_t k = pread(r->fd, p, (size_t)n, (off_t)r->at);
	if (k <= 0) return k ? AVERROR(errno) : AVERROR_EOF;
	r->at += k;
	return (int)k;
}

static int64_t back_seek(void *opaque, int64_t off, int whence)
{
	struct reader *r = opaque;
	if ((whence & ~AVSEEK_FORCE) != SEEK_SET) return AVERROR(EINVAL);
	return r->at = off;
}

static int back_open(AVFormatContext *s, AVIOContext **pb, const char *url, int flags,
                     AVDictionary **o)
{
	struct media_writer *w = s->opaque;
	(void)url; (void)o;
	if (flags & AVIO_FLAG_WRITE) return AVERROR(EPERM);
	struct reader *r = xalloc(1, sizeof *r);
	uint8_t *buf = av_malloc(IO_BUFFER);
	r->fd = w->file.fd;
	*pb = buf ? avio_alloc_context(buf, IO_BUFFER, 0, r, back_read, NULL, back_seek) : NULL;
	if (*pb) return 0;
	av_free(buf);
	free(r);
	return AVERROR(ENOMEM);
}

static int back_close(AVFormatContext *s, AVIOContext *pb)
{
	(void)s;
	if (!pb) return 0;
	free(pb->opaque);
	av_freep(&pb->buffer);
	avio_context_free(&pb);
	return 0;
}

int make_folders(const char *path, struct err *e)
{
	char *p = xstrdup(path);
	int rc = 0;
	for (char *s = strchr(p + 1, '/'); s && rc == 0; s = strchr(s + 1, '/')) {
		*s = 0;
		if (mkdir(p, 0777) < 0 && errno != EEXIST)
			rc = err_set(e, E_OUTPUT, "create folder %s: %s", p, strerror(errno));
		*s = '/';
	}
	free(p);
	return rc;
}

/* ---- the encoder ---- */

static enum AVPixelFormat pixfmt_of(const struct plane_desc *d)
{
	if (d->rgb) return d->alpha ? AV_PIX_FMT_GBRAP16LE : AV_PIX_FMT_GBRP16LE;
	const char *base = d->lh ? "yuv420p" : d->lw ? "yuv422p" : d->alpha ? "yuva444p" : "yuv444p";
	char name[32];
	if (d->depth == 8) snprintf(name, sizeof name, "%s", base);
	else snprintf(name, sizeof name, "%s%dle", base, d->depth);
	return av_get_pix_fmt(name);
}

static int fail(struct err *e, int rc, const char *path, const char *what)
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
static int grain_option(struct media_writer *w, AVDictionary **o, struct err *e)
{
	char text[64];
	size_t n = w->s.grain ? strlen(w->s.grain) : 0;
	if (!n) return 0;
	w->grain_fd = memfd_create("film-grain-table", MFD_CLOEXEC);
	if (w->grain_fd < 0 || write(w->grain_fd, w->s.grain, n) != (ssize_t)n)
		return err_set(e, E_OUTPUT, "%s: film grain table: %s", w->s.path, strerror(errno));
	snprintf(text, sizeof text, ":film-grain-table=/proc/self/fd/%d", w->grain_fd);
	av_dict_set(o, "aom-params", text, AV_DICT_APPEND);
	return 0;
}

static int open_encoder(struct media_writer *w, struct err *e)
{
	const struct write_spec *s = &w->s;
	const struct preset *p = s->preset;
	const AVCodec *codec = avcodec_find_encoder_by_name(p->encoder);
	if (!codec) return err_set(e, E_OUTPUT, "%s: this FFmpeg has no encoder %s", s->path, p->encoder);
	w->enc = avcodec_alloc_context3(codec);
	if (!w->enc) return err_set(e, E_MEMORY, "%s: no memory for the encoder", s->path);
	AVCodecContext *c = w->enc;
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
	c->thread_count = encoder_threads(p, s->desc.w, s->desc.h);
	if (p->profile) c->profile = p->profile;
	c->flags |= AV_CODEC_FLAG_BITEXACT;
	if (w->mux->oformat->flags & AVFMT_GLOBALHEADER) c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
	if (!strcmp(p->name, "h265")) c->codec_tag = MKTAG('h', 'v', 'c', '1');
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
	if (grain_option(w, &o, e) < 0) {
		av_dict_free(&o);
		return -1;
	}
	if (rc >= 0) rc = avcodec_open2(c, codec, &o);
	const AVDictionaryEntry *left = av_dict_get(o, "", NULL, AV_DICT_IGNORE_SUFFIX);
	if (rc >= 0 && left)
		rc = err_set(e, E_INTERNAL, "encoder %s does not know the option %s", p->encoder, left->key);
	else if (rc < 0) rc = fail(e, rc, s->path, "open the encoder");
	av_dict_free(&o);
	return rc < 0 ? -1 : 0;
}

static int open_muxer(struct media_writer *w, struct err *e)
{
	const char *dot = strrchr(w->s.path, '.');
	const char *kind = "mp4";
	if (dot && !strcasecmp(dot, ".mkv")) kind = "matroska";
	if (dot && !strcasecmp(dot, ".mov")) kind = "mov";
	if (make_folders(w->s.path, e) < 0 || outfile_open(&w->file, w->s.path, e) < 0) return -1;
	int rc = avformat_alloc_output_context2(&w->mux, NULL, kind, w->s.path);
	uint8_t *buf = rc < 0 ? NULL : av_malloc(IO_BUFFER);
	w->io = buf ? avio_alloc_context(buf, IO_BUFFER, 1, w, NULL, io_write, io_seek) : NULL;
	if (!w->io) {
		av_free(buf);
		return err_set(e, E_MEMORY, "%s: no memory to open it", w->s.path);
	}
	w->mux->pb = w->io;
	w->mux->opaque = w;
	w->mux->io_open = back_open;
	w->mux->io_close2 = back_close;
	w->mux->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
	return 0;
}

static int hdr_side_data(const struct media_writer *w, struct err *e)
{
	const struct hdr_spec *h = &w->s.hdr;
	if (h->mastered) {
		AVMasteringDisplayMetadata *d = (void *)av_stream_new_side_data(w->st,
			AV_PKT_DATA_MASTERING_DISPLAY_METADATA, sizeof *d);
		if (!d) return err_set(e, E_MEMORY, "%s: no memory", w->s.path);
		memset(d, 0, sizeof *d);
		for (int i = 0; i < 6; i++)
			d->display_primaries[i / 2][i & 1] = (AVRational){ (int)(h->xy[i] * 50000 + .5),
				50000 };
		for (int i = 0; i < 2; i++) d->white_point[i] = (AVRational){ (int)(h->xy[6 + i] * 50000 + .5), 50000 };
		d->max_luminance = (AVRational){ (int)(h->nits_max * 10000 + .5), 10000 };
		d->min_luminance = (AVRational){ (int)(h->nits_min * 10000 + .5), 10000 };
		d->has_primaries = d->has_luminance = 1;
	}
	if (h->max_cll) {
		AVContentLightMetadata *l = (void *)av_stream_new_side_data(w->st,
			AV_PKT_DATA_CONTENT_LIGHT_LEVEL, sizeof *l);
		if (!l) return err_set(e, E_MEMORY, "%s: no memory", w->s.path);
		memset(l, 0, sizeof *l);
		l->MaxCLL = (unsigned)h->max_cll;
		l->MaxFALL = (unsigned)h->max_fall;
	}
	return 0;
}

static int write_header(struct media_writer *w, struct err *e)
{
	const struct write_spec *s = &w->s;
	AVDictionary *o = NULL;
	w->st = avformat_new_stream(w->mux, NULL);
	if (!w->st) return err_set(e, E_MEMORY, "%s: no memory", s->path);
	w->st->time_base = w->enc->time_base;
	w->st->avg_frame_rate = w->st->r_frame_rate = w->enc->framerate;
	w->st->sample_aspect_ratio = w->enc->sample_aspect_ratio;
	int rc = avcodec_parameters_from_context(w->st->codecpar, w->enc);
	if (rc < 0) return fail(e, rc, s->path, "describe the stream");
	if (hdr_side_data(w, e) < 0) return -1;
	if (s->sound.file && sound_open(&w->sound, &s->sound, s->preset->sound, s->fps, s->nframes,
	                                w->mux, e) < 0) return -1;
	if (s->root && *s->root) {
		char mark[100];
		snprintf(mark, sizeof mark, "interneg root %s", s->root);
		av_dict_set(&w->mux->metadata, "comment", mark, 0);
	}
	if (s->class && *s->class) {
		char title[40];
		snprintf(title, sizeof title, "interneg %s", s->class);
		av_dict_set(&w->mux->metadata, "title", title, 0);
	}
	if (s->timecode && *s->timecode) av_dict_set(&w->st->metadata, "timecode", s->timecode, 0);
	const char *kind = w->mux->oformat->name;
	if (!strcmp(kind, "mov")) av_dict_set(&o, "movflags", "+write_colr", 0);
	else if (!strcmp(kind, "mp4")) av_dict_set(&o, "movflags", "+write_colr+faststart", 0);
	rc = avformat_write_header(w->mux, &o);
	av_dict_free(&o);
	if (rc < 0) return fail(e, rc, s->path, "write the header");
	w->header = true;
	return 0;
}

int media_writer_open(const struct write_spec *s, struct media_writer **out, struct err *e)
{
	*out = NULL;
	if (ff_open(e) < 0) return err_in(e, "%s", s->path);
	struct media_writer *w = xalloc(1, sizeof *w);
	w->s = *s;
	w->path = xstrdup(s->path);
	w->s.path = w->path;
	w->file = (struct outfile)OUTFILE_INIT;
	w->grain_fd = -1;
	w->pkt = av_packet_alloc();
	if (w->pkt && open_muxer(w, e) == 0 && open_encoder(w, e) == 0 && write_header(w, e) == 0) {
		*out = w;
		return 0;
	}
	struct err ignore = ERR_INIT;
	media_writer_close(&w, false, &ignore);
	return -1;
}

/* ---- frames ---- */

static void fill(AVFrame *f, const struct planes *p)
{
	static const int gbr[4] = { 2, 0, 1, 3 };
	for (int i = 0; i < 4; i++) {
		if (!plane_there(&p->d, i)) continue;
		int at = p->d.rgb ? gbr[i] : i, w = plane_width(&p->d, i), h = plane_height(&p->d, i);
		for (int y = 0; y < h; y++) {
			uint8_t *o = f->data[at] + (ptrdiff_t)y * f->linesize[at];
			const uint16_t *s = p->p[i] + y * p->stride[i];
			if (p->d.depth > 8) memcpy(o, s, (size_t)w * 2);
			else for (int x = 0; x < w; x++) o[x] = (uint8_t)s[x];
		}
	}
}

static int drain(struct media_writer *w, struct err *e)
{
	for (;;) {
		int r = avcodec_receive_packet(w->enc, w->pkt);
		if (r == AVERROR(EAGAIN) || r == AVERROR_EOF) return 0;
		if (r < 0) return fail(e, r, w->s.path, "encode");
		w->pkt->stream_index = w->st->index;
		if (!w->pkt->duration) w->pkt->duration = 1;
		av_packet_rescale_ts(w->pkt, w->enc->time_base, w->st->time_base);
		r = av_interleaved_write_frame(w->mux, w->pkt);
		if (w->disk_error) { *e = w->disk; return -1; }
		if (r < 0) return fail(e, r, w->s.path, "write a packet");
	}
}

int media_writer_frame(struct media_writer *w, const struct planes *p, struct err *e)
{
	AVFrame *f = av_frame_alloc();
	int rc = -1;
	if (!f) return err_set(e, E_MEMORY, "%s: no memory for a frame", w->s.path);
	f->format = w->enc->pix_fmt;
	f->width = w->enc->width;
	f->height = w->enc->height;
	f->pts = w->n;
	f->color_range = w->enc->color_range;
	f->color_primaries = w->enc->color_primaries;
	f->color_trc = w->enc->color_trc;
	f->colorspace = w->enc->colorspace;
	f->chroma_location = w->enc->chroma_sample_location;
	f->sample_aspect_ratio = w->enc->sample_aspect_ratio;
	if (av_frame_get_buffer(f, 0) < 0) { err_set(e, E_MEMORY, "%s: no memory for a frame",
	                                             w->s.path); goto out; }
	fill(f, p);
	if (w->s.check && w->n == 0) check_frame(&w->check.first, p);
	if (w->s.check && w->n == w->s.nframes - 1) check_frame(&w->check.last, p);
	if (w->sound && sound_pump(w->sound, (int)w->n, e) < 0) goto out;
	int r = avcodec_send_frame(w->enc, f);
	if (r < 0) { fail(e, r, w->s.path, "encode"); goto out; }
	w->n++;
	rc = drain(w, e);
out:
	av_frame_free(&f);
	return rc;
}

static int finish(struct media_writer *w, struct err *e)
{
	int r = avcodec_send_frame(w->enc, NULL);
	if (r < 0 && r != AVERROR_EOF) return fail(e, r, w->s.path, "finish encoding");
	if (drain(w, e) < 0) return -1;
	if (w->sound && sound_pump(w->sound, INT_MAX, e) < 0) return -1;
	r = av_write_trailer(w->mux);
	w->header = false;
	if (w->disk_error) { *e = w->disk; return -1; }
	if (r < 0) return fail(e, r, w->s.path, "finish the file");
	avio_flush(w->io);
	if (w->disk_error) { *e = w->disk; return -1; }
	return 0;
}

int media_writer_close(struct media_writer **wp, bool commit, struct err *e)
{
	struct media_writer *w = *wp;
	if (!w) return 0;
	int rc = commit ? finish(w, e) : 0;
	if (commit && rc == 0 && w->s.check) {
		char open[32];
		snprintf(open, sizeof open, "/proc/self/fd/%d", w->file.fd);
		rc = media_check_clip(&w->check, &w->s, open, e);
	}
	if (w->grain_fd >= 0) close(w->grain_fd);
	avcodec_free_context(&w->enc);
	sound_free(&w->sound);
	avformat_free_context(w->mux);
	if (w->io) av_freep(&w->io->buffer);
	avio_context_free(&w->io);
	av_packet_free(&w->pkt);
	if (commit && rc == 0) rc = outfile_commit(&w->file, e);
	else outfile_abort(&w->file);
	free(w->path);
	free(w);
	*wp = NULL;
	return rc;
}
