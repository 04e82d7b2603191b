/* media_index - which coded frames a stream holds, from its packets; by a full decode where
 * packets do not tell.
 *
 * A slot is one frame that a full decode outputs. Where every shown packet has its own time
 * stamp and the stream starts on a keyframe, sorted time stamps are the slots. Otherwise
 * (missing or doubled stamps, field packets, leading pictures without their references) the
 * stream is decoded once and its output counted.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_int.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mem.h"

enum { MAX_PACKETS = 1 << 21, MAX_READ_ERRORS = 64 };

void index_free(struct media_index *x)
{
	free(x->pkt);
	free(x->slot);
	memset(x, 0, sizeof *x);
}

/* Hidden frames of VP8 (RFC 6386 section 9.1) and VP9 (bitstream spec 6.2) are packets of their
 * own in WebM. */
static bool shows(enum AVCodecID id, const AVPacket *p)
{
	if (p->size < 1) return false;
	unsigned b = p->data[0];
	if (id == AV_CODEC_ID_VP8) return b >> 4 & 1;
	if (id != AV_CODEC_ID_VP9) return true;
	/* superframe: its last frame is shown */
	if ((p->data[p->size - 1] & 0xe0) == 0xc0) return true;
	bool p3 = (b & 0x30) == 0x30;
	bool existing = b >> (p3 ? 2 : 3) & 1, show = b >> (p3 ? 0 : 1) & 1;
	return existing || show;
}

static int read_packets(struct media *m, struct demux *d, struct err *e)
{
	struct media_index *x = &m->x;
	size_t n = 0, cap = 0;
	int rc = 0, errors = 0;
	AVPacket *p = av_packet_alloc();
	if (!p) return err_set(e, E_MEMORY, "%s: no memory", m->path);
	for (;;) {
		int r = av_read_frame(d->fmt, p);
		if (r == AVERROR_EOF || (r < 0 && ++errors > MAX_READ_ERRORS)) break;
		if (r < 0) { if (d->io->eof_reached) break; continue; }
		if (p->stream_index != m->stream) { av_packet_unref(p); continue; }
		if (n >= MAX_PACKETS) { rc = err_set(e, E_INPUT, "%s: more than %d packets", m->path,
		                                     MAX_PACKETS); break; }
		x->pkt = grow(x->pkt, n, &cap, sizeof *x->pkt);
		struct packet_ref *q = &x->pkt[n++];
		*q = (struct packet_ref){ p->pts, p->dts, p->pos, p->size, -1, 0, p->flags & AV_PKT_FLAG_KEY,
			(p->flags & AV_PKT_FLAG_DISCARD) || !shows(m->par->codec_id, p),
			    p->flags & AV_PKT_FLAG_CORRUPT };
		av_packet_unref(p);
	}
	x->npkt = (int)n;
	av_packet_free(&p);
	return rc;
}

static int by_pts(const void *a, const void *b)
{
	const struct slot_ref *p = a, *q = b;
	if (p->pts != q->pts) return p->pts < q->pts ? -1 : 1;
	return p->packet - q->packet;
}

int index_slot(const struct media_index *x, int64_t pts)
{
	int a = 0, b = x->nslot - 1;
	while (a <= b) {
		int c = a + (b - a) / 2;
		if (x->slot[c].pts == pts) return c;
		if (x->slot[c].pts < pts) a = c + 1;
		else b = c - 1;
	}
	return -1;
}

/* Decoding of slot s starts at the last keyframe packet before it whose own picture is not
 * later. What it may be predicted from are the packets in between: it is judged when the last of
 * those has come out. */
static void find_gops(struct media_index *x)
{
	int key = 0, prev = 0, last = 0, prev_last = 0;
	for (int i = 0; i < x->npkt; i++) {
		int s = x->pkt[i].slot;
		if (x->pkt[i].key) {
			prev = key;
			prev_last = last;
			key = i;
			last = s;
		}
		x->pkt[i].key_at = key;
		if (s > last) last = s;
		if (s < 0) continue;
		bool own = x->pkt[key].pts <= x->pkt[i].pts;
		x->slot[s].gop = own ? key : prev;
		x->slot[s].until = own || last > prev_last ? last : prev_last;
		if (x->slot[s].until < s) x->slot[s].until = s;
	}
}

/* Codecs in which a packet that shows is one frame, always. */
static bool one_a_packet(enum AVCodecID id)
{
	switch (id) {
	case AV_CODEC_ID_H264: case AV_CODEC_ID_HEVC:
	case AV_CODEC_ID_VP8: case AV_CODEC_ID_VP9: case AV_CODEC_ID_AV1:
	case AV_CODEC_ID_MPEG2VIDEO: case AV_CODEC_ID_MPEG1VIDEO: case AV_CODEC_ID_QTRLE:
		return true;
	default: {
		const AVCodecDescriptor *d = avcodec_descriptor_get(id);
		return d && (d->props & AV_CODEC_PROP_INTRA_ONLY || d->props & AV_CODEC_PROP_LOSSLESS);
	}
	}
}

/* MP4 and MOV list their samples up front: what the file promises beyond its end is missing.
 * Only decoding times are listed; shifted by the first frame's delay they are the presentation
 * times of an evenly spaced stream. */
static void add_cut_off(struct media *m, const struct demux *d)
{
	struct media_index *x = &m->x;
	AVStream *st = d->fmt->streams[m->stream];
	int promised = 0, lost = 0;
	if (!strncmp(d->fmt->iformat->name, "mov", 3)) promised = avformat_index_get_entries_count(st);
	for (int i = x->npkt; i < promised && lost < MAX_PACKETS; i++) {
		const AVIndexEntry *en = avformat_index_get_entry(st, i);
		lost += en && !(en->flags & AVINDEX_DISCARD_FRAME);
	}
	if (!lost) return;
	int known = x->nslot, n = known;
	int64_t off = 0;
	bool begun = false;
	x->slot = xrealloc(x->slot, (size_t)(known + lost), sizeof *x->slot);
	for (int i = 0; i < promised && lost > 0; i++) {
		const AVIndexEntry *en = avformat_index_get_entry(st, i);
		if (!en || en->flags & AVINDEX_DISCARD_FRAME) continue;
		if (!begun) off = x->slot[0].pts - en->timestamp;
		begun = true;
		if (index_slot(x, en->timestamp + off) >= 0) continue;
		x->slot[n++] = (struct slot_ref){ en->timestamp + off, -1, 0, 0, true };
		lost--;
	}
	x->nslot = n;
	qsort(x->slot, (size_t)n, sizeof *x->slot, by_pts);
}

/* Slots from packets; false when the packets do not tell. */
static bool predict(struct media *m, const struct demux *d)
{
	struct media_index *x = &m->x;
	int n = 0, first_key = -1;
	x->slot = xalloc((size_t)x->npkt + 1, sizeof *x->slot);
	for (int i = 0; i < x->npkt; i++) {
		const struct packet_ref *p = &x->pkt[i];
		if (p->key && first_key < 0) first_key = i;
		if (p->pts == AV_NOPTS_VALUE) return false;
		if (p->discard) continue;
		x->slot[n++] = (struct slot_ref){ p->pts, i, 0, 0, p->corrupt };
	}
	x->nslot = n;
	if (!n || first_key < 0 || !one_a_packet(m->par->codec_id)) return false;
	qsort(x->slot, (size_t)n, sizeof *x->slot, by_pts);
	for (int s = 0; s + 1 < n; s++)
		if (x->slot[s].pts == x->slot[s + 1].pts) return false;
	for (int i = 0; i < x->npkt; i++) {
		if (x->pkt[i].discard) continue;
		if (i < first_key || x->pkt[i].pts < x->pkt[first_key].pts) return false;
	}
	enum AVFieldOrder fo = m->par->field_order;
	if (m->par->codec_id == AV_CODEC_ID_H264 && fo != AV_FIELD_PROGRESSIVE && fo != AV_FIELD_UNKNOWN)
		return false;
	add_cut_off(m, d);
	for (int s = 0; s < x->nslot; s++)
		if (x->slot[s].packet >= 0) x->pkt[x->slot[s].packet].slot = s;
	find_gops(x);
	for (int s = 1; s < x->nslot; s++)
		if (x->slot[s].packet < 0) x->slot[s].gop = x->slot[s - 1].gop, x->slot[s].until = s;
	return true;
}

/* One full decode: every frame output is a slot. */
static int scan(struct media *m, struct err *e)
{
	struct media_index *x = &m->x;
	struct cursor *c = &m->cur[0];
	size_t n = 0, cap = 0;
	log_debug(LOG_MEDIA, "%s: packets do not tell the frames; decoding once to count them", m->path);
	free(x->slot);
	x->slot = NULL;
	x->nslot = 0;
	x->by_order = x->scanned = true;
	bool spoilt = false;
	if (cursor_seek(m, c, -1, e) < 0) return -1;
	for (;;) {
		int slot;
		bool damaged;
		int r = cursor_next(m, c, &slot, &damaged, e);
		if (r < 0) return -1;
		if (r == 0) break;
		int64_t pts = c->frame->pts != AV_NOPTS_VALUE ? c->frame->pts : c->frame->best_effort_timestamp;
		x->slot = grow(x->slot, n, &cap, sizeof *x->slot);
		spoilt = damaged || (spoilt && !c->frame->key_frame);   /* what follows was predicted from it */
		x->slot[n] = (struct slot_ref){ pts, -1, 0, (int)n, spoilt };
		n++;
	}
	x->nslot = (int)n;
	cursor_close(c);
	bool rising = n > 0 && x->slot[0].pts != AV_NOPTS_VALUE;
	for (size_t s = 1; s < n; s++) rising = rising && x->slot[s].pts > x->slot[s - 1].pts;
	bool stamps = true;
	for (int i = 0; i < x->npkt; i++) {
		stamps = stamps && x->pkt[i].pts != AV_NOPTS_VALUE;
		int s = rising && stamps ? index_slot(x, x->pkt[i].pts) : -1;
		if (s < 0 || x->slot[s].packet >= 0) continue;
		x->pkt[i].slot = s;
		x->slot[s].packet = i;
	}
	for (size_t s = 0; s < n; s++) stamps = stamps && x->slot[s].packet >= 0;
	if (!rising || !stamps) return 0;
	x->by_order = false;
	find_gops(x);
	return 0;
}

/* The frame in which a file breaks off; its demuxer left it out, and how many came after it nobody knows. */
static void add_torn(struct media_index *x)
{
	struct slot_ref *last = &x->slot[x->nslot - 1];
	int64_t step = x->nslot > 1 ? (last->pts - x->slot[0].pts) / (x->nslot - 1) : 1;
	if (last->bad) return;
	x->slot = xrealloc(x->slot, (size_t)x->nslot + 1, sizeof *x->slot);
	last = &x->slot[x->nslot - 1];
	x->slot[x->nslot] = (struct slot_ref){ last->pts, -1, last->gop, x->nslot, true };
	if (last->pts != AV_NOPTS_VALUE) x->slot[x->nslot].pts += step > 0 ? step : 1;
	x->nslot++;
}

int index_build(struct media *m, struct err *e)
{
	struct demux d;
	if (demux_open(&d, m->path, m->raw, e) < 0) return -1;
	for (unsigned i = 0; i < d.fmt->nb_streams; i++)
		d.fmt->streams[i]->discard = (int)i == m->stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
	int rc = read_packets(m, &d, e);
	if (rc == 0 && m->x.npkt == 0)
		rc = err_set(e, E_INPUT, "%s: the video stream holds no pictures", m->path);
	if (rc == 0 && !predict(m, &d)) rc = scan(m, e);
	if (rc == 0 && m->x.nslot && media_torn(m, &d)) add_torn(&m->x);
	demux_close(&d);
	if (rc == 0 && m->x.nslot == 0) rc = err_set(e, E_INPUT, "%s: no frame can be decoded", m->path);
	return rc;
}
