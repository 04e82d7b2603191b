/* media_audio - the sound of a source, cut to the sample to the written range and encoded for
 * the new file.
 *
 * Time 0 is the source's first picture. Gaps in the source become silence; sound that ends early
 * stays short.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdlib.h>
#include <string.h>


#include "log.h"
#include "media_out.h"
#include "mem.h"

struct sound {
	struct demux in;
	int stream;                          /* in the source */
	AVCodecContext *dec, *enc;
	AVPacket *pkt;
	AVFrame *frame;
	AVFormatContext *mux;
	AVStream *st;
	int64_t zero;                        /* source samples before the written range */
	/* samples wanted, got from the source, given to the encoder */
	int64_t total, taken, sent;
	float *fifo; size_t nfifo, cap;      /* interleaved, in samples per channel */
	int channels, bits;                  /* bits: of integer encoders */
	struct rational fps;
	bool ended, flushed;
};

enum { MAX_GAP_S = 3600, CHUNK = 1024 };

/* ---- from the source ---- */

static float sample_at(const AVFrame *f, enum AVSampleFormat fmt, int ch, int i, int channels)
{
	bool planar = av_sample_fmt_is_planar(fmt);
	const uint8_t *base = f->extended_data[planar ? ch : 0];
	int at = planar ? i : i * channels + ch;
	switch (av_get_packed_sample_fmt(fmt)) {
	case AV_SAMPLE_FMT_U8:  return (float)(base[at] - 128) / 128;
	case AV_SAMPLE_FMT_S16: return (float)((const int16_t *)base)[at] / 32768;
	case AV_SAMPLE_FMT_S32: return (float)((double)((const int32_t *)base)[at] / 2147483648.0);
	case AV_SAMPLE_FMT_FLT: return ((const float *)base)[at];
	case AV_SAMPLE_FMT_DBL: return (float)((const double *)base)[at];
	default:                return 0;
	}
}

static float *room(struct sound *s, size_t n)
{
	size_t need = s->nfifo + n, c = (size_t)s->channels;
	if (need > s->cap) {
		s->cap = need * 2;
		s->fifo = xrealloc(s->fifo, s->cap * c, sizeof *s->fifo);
	}
	return s->fifo + s->nfifo * c;
}

/* Puts the part of a decoded frame that lies in the range behind what is there. */
static void take(struct sound *s, const AVFrame *f)
{
	const AVStream *st = s->in.fmt->streams[s->stream];
	int64_t at = s->taken, pts = f->best_effort_timestamp;
	int rate = s->dec->sample_rate, n = f->nb_samples, skip = 0;
	if (pts != AV_NOPTS_VALUE) {
		at = av_rescale_q(pts, st->time_base, (AVRational){ 1, rate }) - s->zero;
		int64_t off = at - s->taken;     /* stamps are rounded: small differences mean nothing */
		if (off > -rate / 50 && off < rate / 50 && s->taken > 0) at = s->taken;
	}
	if (at > s->total) at = s->total;
	while (s->taken < at) {
		int64_t k = at - s->taken < CHUNK ? at - s->taken : CHUNK;
		memset(room(s, (size_t)k), 0, (size_t)k * (size_t)s->channels * sizeof *s->fifo);
		s->nfifo += (size_t)k;
		s->taken += k;
	}
	if (at < s->taken) skip = s->taken - at > n ? n : (int)(s->taken - at);
	if (s->taken + n - skip > s->total) n = skip + (int)(s->total - s->taken);
	if (n <= skip) return;
	float *o = room(s, (size_t)(n - skip));
	for (int i = skip; i < n; i++)
		for (int c = 0; c < s->channels; c++) *o++ = sample_at(f, f->format, c, i, s->channels);
	s->nfifo += (size_t)(n - skip);
	s->taken += n - skip;
}

static void send_next(struct sound *s)
{
	for (;;) {
		av_packet_unref(s->pkt);
		if (av_read_frame(s->in.fmt, s->pkt) < 0) { avcodec_send_packet(s->dec, NULL);
		                                           s->flushed = true; return; }
		if (s->pkt->stream_index != s->stream) continue;
		/* damaged sound: a gap, filled when the next stamp comes */
		avcodec_send_packet(s->dec, s->pkt);
		return;
	}
}

/* Decodes until n samples wait or the source ends. */
static void fetch(struct sound *s, size_t n)
{
	while (s->nfifo < n && !s->ended) {
		av_frame_unref(s->frame);
		int r = avcodec_receive_frame(s->dec, s->frame);
		if (r == AVERROR_EOF || s->taken >= s->total || (r < 0 && s->flushed)) { s->ended = true; break; }
		if (r < 0) { send_next(s); continue; }
		if (s->frame->ch_layout.nb_channels == s->channels
		    && s->frame->sample_rate == s->dec->sample_rate) take(s, s->frame);
	}
}

/* ---- to the encoder ---- */

static int64_t quantise(float v, int bits)
{
	double q = (double)v * (double)((int64_t)1 << (bits - 1)),
	    hi = (double)(((int64_t)1 << (bits - 1)) - 1);
	if (!(q > -hi - 1)) q = -hi - 1;
	if (q > hi) q = hi;
	return q < 0 ? -(int64_t)(.5 - q) : (int64_t)(q + .5);
}

static void put(struct sound *s, AVFrame *f, int n)
{
	enum AVSampleFormat fmt = s->enc->sample_fmt;
	bool planar = av_sample_fmt_is_planar(fmt);
	for (int c = 0; c < s->channels; c++)
		for (int i = 0; i < n; i++) {
			float v = s->fifo[(size_t)i * (size_t)s->channels + (size_t)c];
			uint8_t *base = f->extended_data[planar ? c : 0];
			int at = planar ? i : i * s->channels + c;
			switch (av_get_packed_sample_fmt(fmt)) {
			case AV_SAMPLE_FMT_S16: ((int16_t *)base)[at] = (int16_t)quantise(v, 16); break;
			case AV_SAMPLE_FMT_S32: ((int32_t *)base)[at] =
			    (int32_t)(quantise(v, s->bits) * ((int64_t)1 << (32 - s->bits))); break;
			default:                ((float *)base)[at] = v; break;
			}
		}
}

static int drain(struct sound *s, struct err *e)
{
	for (;;) {
		int r = avcodec_receive_packet(s->enc, s->pkt);
		if (r == AVERROR(EAGAIN) || r == AVERROR_EOF) return 0;
		if (r < 0) return err_set(e, E_OUTPUT, "the sound cannot be encoded");
		s->pkt->stream_index = s->st->index;
		av_packet_rescale_ts(s->pkt, s->enc->time_base, s->st->time_base);
		if (av_interleaved_write_frame(s->mux, s->pkt) < 0)
			return err_set(e, E_OUTPUT, "the sound cannot be written");
	}
}

/* One encoder frame; false at the end. */
static int step(struct sound *s, bool *more, struct err *e)
{
	int want = s->enc->frame_size > 0 ? s->enc->frame_size : CHUNK, rc = -1;
	fetch(s, (size_t)want);
	int n = s->nfifo < (size_t)want ? (int)s->nfifo : want;
	*more = n > 0;
	if (n == 0) return 0;
	AVFrame *f = av_frame_alloc();
	if (!f) return err_set(e, E_MEMORY, "no memory for sound");
	f->nb_samples = n;
	f->format = s->enc->sample_fmt;
	f->sample_rate = s->enc->sample_rate;
	f->pts = s->sent;
	if (av_channel_layout_copy(&f->ch_layout, &s->enc->ch_layout) < 0
	    || av_frame_get_buffer(f, 0) < 0) {
		err_set(e, E_MEMORY, "no memory for sound");
		goto out;
	}
	put(s, f, n);
	s->nfifo -= (size_t)n;
	memmove(s->fifo, s->fifo + (size_t)n * (size_t)s->channels,
	        s->nfifo * (size_t)s->channels * sizeof *s->fifo);
	s->sent += n;
	if (avcodec_send_frame(s->enc, f) < 0) { err_set(e, E_OUTPUT, "the sound cannot be encoded");
	                                        goto out; }
	rc = drain(s, e);
out:
	av_frame_free(&f);
	return rc;
}

int sound_pump(struct sound *s, int frame, struct err *e)
{
	bool more = true;
	int64_t until = frame == INT_MAX ? INT64_MAX
	              : av_rescale((int64_t)frame + 1, (int64_t)s->fps.den * s->enc->sample_rate,
	                           s->fps.num);
	while (more && s->sent < until)
		if (step(s, &more, e) < 0) return err_in(e, "sound");
	if (frame != INT_MAX) return 0;
	avcodec_send_frame(s->enc, NULL);
	return drain(s, e);
}

/* ---- opening ---- */

static bool try_encoder(struct sound *s, const char *name, bool global)
{
	const AVCodec *codec = avcodec_find_encoder_by_name(name);
	AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
	if (!c) return false;
	enum AVSampleFormat want = s->bits == 16 ? AV_SAMPLE_FMT_S16 : AV_SAMPLE_FMT_S32;
	c->sample_fmt = codec->sample_fmts ? codec->sample_fmts[0] : want;
	for (const enum AVSampleFormat *p = codec->sample_fmts; p && *p != AV_SAMPLE_FMT_NONE; p++)
		if (av_get_packed_sample_fmt(*p) == want) c->sample_fmt = *p;
	c->sample_rate = s->dec->sample_rate;
	c->time_base = (AVRational){ 1, c->sample_rate };
	c->bits_per_raw_sample = s->bits;
	if (s->dec->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
		av_channel_layout_default(&c->ch_layout, s->channels);
	else av_channel_layout_copy(&c->ch_layout, &s->dec->ch_layout);
	if (!strcmp(name, "aac")) c->bit_rate = s->channels * 96000;
	c->flags |= AV_CODEC_FLAG_BITEXACT | (global ? AV_CODEC_FLAG_GLOBAL_HEADER : 0);
	if (avcodec_open2(c, codec, NULL) < 0) {
		avcodec_free_context(&c);
		return false;
	}
	s->enc = c;
	return true;
}

static bool choose_encoder(struct sound *s, const char *list)
{
	bool global = s->mux->oformat->flags & AVFMT_GLOBALHEADER;
	if (!strcmp(list, "pcm")) return try_encoder(s, s->bits == 16 ? "pcm_s16le" : "pcm_s24le", global);
	for (const char *p = list; *p; ) {
		char name[32];
		snprintf(name, sizeof name, "%.*s", (int)strcspn(p, " "), p);
		if (try_encoder(s, name, global)) return true;
		p += strcspn(p, " ");
		p += strspn(p, " ");
	}
	return false;
}

static bool open_source(struct sound *s, const char *file)
{
	struct err e = ERR_INIT;
	if (demux_open(&s->in, file, NULL, &e) < 0) return false;
	s->stream = av_find_best_stream(s->in.fmt, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0);
	if (s->stream < 0) return false;
	const AVStream *st = s->in.fmt->streams[s->stream];
	for (unsigned i = 0; i < s->in.fmt->nb_streams; i++)
		s->in.fmt->streams[i]->discard = (int)i == s->stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
	s->dec = decoder_open(st->codecpar, st->time_base, 1, false, &e);
	if (!s->dec || s->dec->sample_rate <= 0) {
		log_warn("%s: its sound is not read (%s)", file, e.msg[0] ? e.msg : "no sample rate");
		return false;
	}
	s->channels = s->dec->ch_layout.nb_channels;
	enum AVSampleFormat f = av_get_packed_sample_fmt(s->dec->sample_fmt);
	s->bits = f == AV_SAMPLE_FMT_S16 || f == AV_SAMPLE_FMT_U8 ? 16 : 24;
	return s->channels > 0;
}

static void set_range(struct sound *s, const struct sound_job *j, int nframes)
{
	int v = demux_video(&s->in, 0, NULL), rate = s->dec->sample_rate;
	int64_t zero = 0;
	if (v >= 0 && s->in.fmt->streams[v]->start_time != AV_NOPTS_VALUE)
		zero = av_rescale_q(s->in.fmt->streams[v]->start_time, s->in.fmt->streams[v]->time_base,
		                    (AVRational){ 1, rate });
	if (j->fps.num > 0) zero += av_rescale(j->first, (int64_t)j->fps.den * rate, j->fps.num);
	s->zero = zero;
	s->total = av_rescale(nframes, (int64_t)s->fps.den * rate, s->fps.num);
}

int sound_open(struct sound **out, const struct sound_job *j, const char *encoders,
               struct rational fps, int nframes,
               AVFormatContext *mux, struct err *e)
{
	*out = NULL;
	if (seq_is_pattern(j->file) || still_is(j->file) || exr_is(j->file)) return 0;
	struct sound *s = xalloc(1, sizeof *s);
	s->in.fd = -1;
	s->mux = mux;
	s->fps = fps;
	s->pkt = av_packet_alloc();
	s->frame = av_frame_alloc();
	if (!s->pkt || !s->frame) { sound_free(&s); return err_set(e, E_MEMORY, "no memory for sound"); }
	if (!open_source(s, j->file)) { sound_free(&s); return 0; }
	set_range(s, j, nframes);
	if (!choose_encoder(s, encoders)) {
		log_warn("%s: its sound (%d Hz, %d channels) cannot be written by %s: left out", j->file,
		         s->dec->sample_rate,
		         s->channels, encoders);
		sound_free(&s);
		return 0;
	}
	s->st = avformat_new_stream(mux, NULL);
	if (!s->st || avcodec_parameters_from_context(s->st->codecpar, s->enc) < 0) {
		sound_free(&s);
		return err_set(e, E_MEMORY, "no memory for sound");
	}
	s->st->time_base = s->enc->time_base;
	*out = s;
	return 0;
}

void sound_free(struct sound **sp)
{
	struct sound *s = *sp;
	if (!s) return;
	demux_close(&s->in);
	avcodec_free_context(&s->dec);
	avcodec_free_context(&s->enc);
	av_packet_free(&s->pkt);
	av_frame_free(&s->frame);
	free(s->fifo);
	free(s);
	*sp = NULL;
}
