/* media_write - one clip being written: encoders, muxer, temporary file.
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
	struct encoder *coder; int ncoder;   /* the first one is there from the start */
	AVStream *st;
	struct sound *sound;
	struct media_check check;
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
	const AVCodecContext *enc = w->coder[0].enc;
	w->st->time_base = enc->time_base;
	w->st->avg_frame_rate = w->st->r_frame_rate = enc->framerate;
	w->st->sample_aspect_ratio = enc->sample_aspect_ratio;
	int rc = avcodec_parameters_from_context(w->st->codecpar, enc);
	if (rc < 0) return encoder_err(e, rc, s->path, "describe the stream");
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
	if (rc < 0) return encoder_err(e, rc, s->path, "write the header");
	w->header = true;
	return 0;
}

static int open_coder(struct media_writer *w, int i, struct err *e)
{
	return encoder_open(&w->coder[i], &w->s, w->mux->oformat->flags & AVFMT_GLOBALHEADER, e);
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
	w->ncoder = s->coders > 1 ? s->coders : 1;
	w->coder = xalloc((size_t)w->ncoder, sizeof *w->coder);
	for (int i = 0; i < w->ncoder; i++)
		w->coder[i] = (struct encoder){ .apart = s->coders > 0, .grain_fd = -1 };
	if (open_muxer(w, e) == 0 && open_coder(w, 0, e) == 0 && write_header(w, e) == 0) {
		*out = w;
		return 0;
	}
	struct err ignore = ERR_INIT;
	media_writer_close(&w, false, &ignore);
	return -1;
}

/* ---- frames ---- */

/* The packet at hand goes to the file. */
static int mux(struct media_writer *w, AVPacket *p, struct err *e)
{
	p->stream_index = w->st->index;
	if (!p->duration) p->duration = 1;
	av_packet_rescale_ts(p, w->coder[0].enc->time_base, w->st->time_base);
	int r = av_interleaved_write_frame(w->mux, p);
	if (w->disk_error) { *e = w->disk; return -1; }
	return r < 0 ? encoder_err(e, r, w->s.path, "write a packet") : 0;
}

static int drain(struct media_writer *w, struct err *e)
{
	for (;;) {
		int r = avcodec_receive_packet(w->coder[0].enc, w->coder[0].pkt);
		if (r == AVERROR(EAGAIN) || r == AVERROR_EOF) return 0;
		if (r < 0) return encoder_err(e, r, w->s.path, "encode");
		if (mux(w, w->coder[0].pkt, e) < 0) return -1;
	}
}

static void look(struct media_writer *w, const struct planes *p, bool first, bool last)
{
	if (w->s.check && first) check_frame(&w->check.first, p);
	if (w->s.check && last) check_frame(&w->check.last, p);
}

int media_writer_code(struct media_writer *w, int coder, const struct planes *p, bool first, bool last,
                      AVPacket **out, struct err *e)
{
	struct encoder *c = &w->coder[coder];
	if (!c->enc && open_coder(w, coder, e) < 0) return -1;
	look(w, p, first, last);
	if (encoder_send(c, p, c->enc->frame_number, w->s.path, e) < 0) return -1;
	int r = avcodec_receive_packet(c->enc, c->pkt);
	if (r < 0) return encoder_err(e, r, w->s.path, "encode");
	*out = c->pkt;
	c->pkt = av_packet_alloc();
	if (c->pkt) return 0;
	media_packet_free(out);
	return err_set(e, E_MEMORY, "%s: no memory for a packet", w->s.path);
}

int media_writer_put(struct media_writer *w, AVPacket **p, struct err *e)
{
	int rc = -1;
	if (!w->sound || sound_pump(w->sound, (int)w->n, e) == 0) {
		(*p)->pts = (*p)->dts = w->n++;
		rc = mux(w, *p, e);
	}
	media_packet_free(p);
	return rc;
}

void media_packet_free(AVPacket **p)
{
	if (*p) av_packet_free(p);
}

int media_writer_frame(struct media_writer *w, const struct planes *p, struct err *e)
{
	bool first = w->n == 0, last = w->n == w->s.nframes - 1;
	if (w->s.coders) {
		AVPacket *packet = NULL;
		if (media_writer_code(w, 0, p, first, last, &packet, e) < 0) return -1;
		return media_writer_put(w, &packet, e);
	}
	look(w, p, first, last);
	if (w->sound && sound_pump(w->sound, (int)w->n, e) < 0) return -1;
	if (encoder_send(&w->coder[0], p, w->n, w->s.path, e) < 0) return -1;
	w->n++;
	return drain(w, e);
}

static int finish(struct media_writer *w, struct err *e)
{
	int r = w->s.coders ? 0 : avcodec_send_frame(w->coder[0].enc, NULL);
	if (r < 0 && r != AVERROR_EOF) return encoder_err(e, r, w->s.path, "finish encoding");
	if (!w->s.coders && drain(w, e) < 0) return -1;
	if (w->sound && sound_pump(w->sound, INT_MAX, e) < 0) return -1;
	r = av_write_trailer(w->mux);
	w->header = false;
	if (w->disk_error) { *e = w->disk; return -1; }
	if (r < 0) return encoder_err(e, r, w->s.path, "finish the file");
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
	for (int i = 0; i < w->ncoder; i++) encoder_close(&w->coder[i]);
	free(w->coder);
	sound_free(&w->sound);
	avformat_free_context(w->mux);
	if (w->io) av_freep(&w->io->buffer);
	avio_context_free(&w->io);
	if (commit && rc == 0) rc = outfile_commit(&w->file, e);
	else outfile_abort(&w->file);
	free(w->path);
	free(w);
	*wp = NULL;
	return rc;
}
