/* media_cursor - one demuxer and one decoder under way through a stream.
 *
 * After a seek the decoder is new and packets are recognised in the index (position, size,
 * stamps), so that a demuxer that lands elsewhere is noticed; the start is always a freshly
 * opened file.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_int.h"

#include <string.h>


#include "mem.h"

/* Codecs whose pictures stand alone: any error in one is reported instead of concealed. */
static bool strict(enum AVCodecID id)
{
	const AVCodecDescriptor *d = avcodec_descriptor_get(id);
	return id == AV_CODEC_ID_FFV1 || (d && d->props & AV_CODEC_PROP_INTRA_ONLY);
}

/* The FFV1 decoder conceals slices whose checksum is wrong without a word. Their trailers (RFC 9043,
 * section 4.9.1: 24-bit size, status, 32-bit CRC) are walked from the end; files without checksums
 * do not walk and pass. */
static bool ffv1_damaged(const AVPacket *p)
{
	const AVCRC *table = av_crc_get_table(AV_CRC_32_IEEE);
	bool bad = false;
	int end = p->size;
	while (end > 8) {
		int n = (int)AV_RB24(p->data + end - 8) + 8;
		if (n > end) return false;
		end -= n;
		bad = bad || av_crc(table, 0, p->data + end, (size_t)n) != 0;
	}
	return end == 0 && bad;
}

/* Frame threads of predicted codecs conceal damage differently from run to run, and
 * tell of it at another time; so they are used only where pictures stand alone (and in
 * AV1, whose decoder conceals nothing). */
static int threads_for(enum AVCodecID id, int wanted)
{
	return strict(id) || id == AV_CODEC_ID_AV1 ? wanted : 1;
}

AVCodecContext *decoder_open(const AVCodecParameters *par, AVRational tb, int threads, bool no_grain,
                             struct err *e)
{
	const AVCodec *codec = avcodec_find_decoder(par->codec_id);
	if (!codec) {
		err_set(e, E_INPUT, "no decoder for %s", avcodec_get_name(par->codec_id));
		return NULL;
	}
	AVCodecContext *c = avcodec_alloc_context3(codec);
	if (!c) { err_set(e, E_MEMORY, "no memory for a decoder"); return NULL; }
	int rc = avcodec_parameters_to_context(c, par);
	c->pkt_timebase = tb;
	c->thread_count = threads_for(par->codec_id, threads);
	if (par->codec_id == AV_CODEC_ID_FFV1) c->thread_type = FF_THREAD_SLICE;
	c->flags |= AV_CODEC_FLAG_BITEXACT;
	if (no_grain) c->export_side_data |= AV_CODEC_EXPORT_DATA_FILM_GRAIN;   /* as metadata, not in the picture */
	c->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER
	    | (strict(par->codec_id) ? AV_EF_EXPLODE : 0);
	c->max_pixels = (int64_t)IN_MAX_PIXELS;
	if (rc >= 0) rc = avcodec_open2(c, codec, NULL);
	if (rc < 0) {
		media_err(e, rc, codec->name);
		avcodec_free_context(&c);
	}
	return c;
}

void cursor_close(struct cursor *c)
{
	if (c->open) demux_close(&c->in);
	if (c->dec) avcodec_free_context(&c->dec);
	if (c->pkt) av_packet_free(&c->pkt);
	if (c->frame) av_frame_free(&c->frame);
	memset(c, 0, sizeof *c);
}

static int open_input(struct media *m, struct cursor *c, struct err *e)
{
	if (demux_open(&c->in, m->path, m->raw, e) < 0) return -1;
	c->open = true;
	if (m->stream >= (int)c->in.fmt->nb_streams)
		return err_set(e, E_INPUT, "%s: changed while it was read", m->path);
	for (unsigned i = 0; i < c->in.fmt->nb_streams; i++)
		c->in.fmt->streams[i]->discard = (int)i == m->stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
	return 0;
}

static int new_decoder(struct media *m, struct cursor *c, struct err *e)
{
	avcodec_free_context(&c->dec);
	c->dec = decoder_open(m->par, m->x.tb, media_threads(), m->o.no_grain, e);
	if (!c->dec) return err_in(e, "%s", m->path);
	if (!c->pkt) c->pkt = av_packet_alloc();
	if (!c->frame) c->frame = av_frame_alloc();
	if (!c->pkt || !c->frame) return err_set(e, E_MEMORY, "%s: no memory", m->path);
	c->draining = c->has_bad = c->fault = false;
	c->order = 0;
	return 0;
}

static int start(struct media *m, struct cursor *c, struct err *e)
{
	uint64_t used = c->used;
	cursor_close(c);
	c->used = used;
	if (open_input(m, c, e) < 0 || new_decoder(m, c, e) < 0) return -1;
	c->from_start = c->synced = true;
	return 0;
}

/* The index of the packet just read, or -1. */
static int recognise(const struct media_index *x, const AVPacket *p)
{
	int found = -1;
	for (int i = 0; i < x->npkt; i++) {
		const struct packet_ref *q = &x->pkt[i];
		if (q->pos != p->pos || q->size != p->size || q->pts != p->pts) continue;
		if (found >= 0) return -1;
		found = i;
	}
	return found;
}

static int read_own(struct media *m, struct cursor *c)
{
	for (int errors = 0;;) {
		int r = av_read_frame(c->in.fmt, c->pkt);
		if (r == AVERROR_EOF) return r;
		if (r < 0) { if (++errors > 64 || c->in.io->eof_reached) return AVERROR_EOF; continue; }
		if (c->pkt->stream_index == m->stream) return 0;
		av_packet_unref(c->pkt);
	}
}

/* Lands the demuxer on or before packet `key`; leaves c->pkt holding packet c->packet. */
static bool seek_to(struct media *m, struct cursor *c, int key, int64_t ts)
{
	if (ts == AV_NOPTS_VALUE) return false;
	if (av_seek_frame(c->in.fmt, m->stream, ts, AVSEEK_FLAG_BACKWARD) < 0) return false;
	av_packet_unref(c->pkt);
	if (read_own(m, c) < 0) return false;
	c->packet = recognise(&m->x, c->pkt);
	return c->packet >= 0 && c->packet <= key;
}

int cursor_seek(struct media *m, struct cursor *c, int key, struct err *e)
{
	int first = 0;
	while (first < m->x.npkt && !m->x.pkt[first].key) first++;
	if (key <= first || m->x.by_order) return start(m, c, e);
	if (!c->open && open_input(m, c, e) < 0) return -1;
	if (new_decoder(m, c, e) < 0) return -1;
	const struct packet_ref *k = &m->x.pkt[key];
	bool mov = !strncmp(c->in.fmt->iformat->name, "mov", 3);
	if (!seek_to(m, c, key, mov ? k->dts : k->pts) && !seek_to(m, c, key, mov ? k->pts : k->dts))
		return start(m, c, e);
	while (c->packet < key) {
		av_packet_unref(c->pkt);
		if (read_own(m, c) < 0 || c->pkt->pts != m->x.pkt[c->packet + 1].pts) return start(m, c, e);
		c->packet++;
	}
	c->from_start = false;
	c->synced = false;                       /* the packet at hand is still to be sent */
	c->first_slot = k->slot >= 0 ? k->slot : 0;
	for (int s = c->first_slot; k->slot < 0 && s < m->x.nslot && m->x.slot[s].pts < k->pts; s++)
		c->first_slot = s + 1;
	c->next = c->verified = c->first_slot;
	return 0;
}

/* Reads and sends one packet; 0, or 1 when the decoder has been told that there are no more. */
static int feed(struct media *m, struct cursor *c, struct err *e)
{
	if (c->synced) {
		av_packet_unref(c->pkt);
		if (read_own(m, c) < 0) {
			c->draining = true;
			avcodec_send_packet(c->dec, NULL);
			return 1;
		}
	}
	c->synced = true;
	c->packet++;
	if (c->pkt->flags & AV_PKT_FLAG_CORRUPT && !m->x.by_order) {   /* cut off: not decoded at all */
		c->fault = true;
		return 0;
	}
	if (m->par->codec_id == AV_CODEC_ID_FFV1 && ffv1_damaged(c->pkt)) {
		c->fault = true;
		return 0;
	}
	int r = avcodec_send_packet(c->dec, c->pkt);
	c->fault = c->fault || r < 0;
	if (r == AVERROR(ENOMEM)) return err_set(e, E_MEMORY, "%s: not enough memory to decode", m->path);
	return 0;
}

static int check_size(const struct media *m, const AVFrame *f, struct err *e)
{
	if (m->pixfmt == AV_PIX_FMT_NONE) return 0;
	if (f->width == m->info.desc.w && f->height == m->info.desc.h && f->format == m->pixfmt) return 0;
	const char *now = av_get_pix_fmt_name(f->format);
	return err_set(e, E_INPUT, "%s: the picture changes from %dx%d %s to %dx%d %s in mid-stream",
	               m->path,
	               m->info.desc.w, m->info.desc.h, m->info.pixfmt, f->width, f->height,
	    now ? now : "?");
}

int cursor_next(struct media *m, struct cursor *c, int *slot, bool *damaged, struct err *e)
{
	for (int errors = 0;;) {
		av_frame_unref(c->frame);
		int r = avcodec_receive_frame(c->dec, c->frame);
		if (r == AVERROR_EOF) return 0;
		if (r == AVERROR(ENOMEM)) return err_set(e, E_MEMORY, "%s: not enough memory to decode", m->path);
		if (r < 0) {
			c->fault = c->fault || r != AVERROR(EAGAIN);
			if (c->draining && (r == AVERROR(EAGAIN) || ++errors > 256)) return 0;
			if (!c->draining && feed(m, c, e) < 0) return -1;
			continue;
		}
		if (check_size(m, c->frame, e) < 0) return -1;
		int64_t pts = c->frame->pts != AV_NOPTS_VALUE ? c->frame->pts : c->frame->best_effort_timestamp;
		*slot = m->x.by_order ? c->order : index_slot(&m->x, pts);
		c->order++;
		*damaged = c->frame->flags & AV_FRAME_FLAG_CORRUPT || c->frame->decode_error_flags;
		return 1;
	}
}
