/* media_open - opens a clip, still or sequence and finds out what there is to know about it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_int.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>


#include "colour.h"
#include "log.h"
#include "mem.h"

enum { CACHE_BYTES = 96 << 20 };

static enum yuv_matrix named_matrix(const char *s)
{
	for (int i = YM_RGB; i <= YM_YCGCO; i++)
		if (!strcmp(s, yuv_matrix_name((enum yuv_matrix)i))) return (enum yuv_matrix)i;
	return YM_BT709;
}

static enum yuv_siting named_siting(const char *s)
{
	for (int i = YS_LEFT; i <= YS_BOTTOM; i++)
		if (!strcmp(s, yuv_siting_name((enum yuv_siting)i))) return (enum yuv_siting)i;
	return YS_LEFT;
}

/* What the caller states stands; the rest is as tagged or guessed. */
static void init_coef(struct media *m)
{
	const struct media_opts *o = &m->o;
	enum yuv_matrix y = o->matrix > YM_RGB ? o->matrix : named_matrix(m->info.matrix.value);
	enum yuv_range r = o->range ? o->range
	                 : strcmp(m->info.range.value, "full") ? YR_LIMITED : YR_FULL;
	enum yuv_siting s = o->siting ? o->siting : named_siting(m->info.siting.value);
	yuv_coef_init(&m->coef, &m->info.desc, y, r, s);
}

int media_describe(struct media *m, const AVFrame *f, const AVCodecParameters *par, struct err *e)
{
	struct media_info *in = &m->info;
	const char *name = av_get_pix_fmt_name(f->format);
	if (planes_describe(f->format, f->width, f->height, &in->desc, e) < 0)
		return err_in(e, "%s", m->path);
	snprintf(in->pixfmt, sizeof in->pixfmt, "%s", name ? name : "?");
	m->pixfmt = f->format;
	AVRational sar = f->sample_aspect_ratio.num > 0 ? f->sample_aspect_ratio
	    : par->sample_aspect_ratio;
	in->par = media_rational(sar);
	if (in->par.num == 0) in->par = (struct rational){ 1, 1 };
	in->interlaced = f->interlaced_frame;
	traits_fill(m, f, par);
	init_coef(m);
	size_t bytes = (size_t)f->width * (size_t)f->height * 8;
	m->ncache = (int)(CACHE_BYTES / (bytes ? bytes : 1));
	if (m->ncache < 2) m->ncache = 2;
	if (m->ncache > MEDIA_CACHE_MAX) m->ncache = MEDIA_CACHE_MAX;
	return 0;
}

static void list_audio(struct media *m, const AVFormatContext *f)
{
	struct media_info *in = &m->info;
	for (unsigned i = 0; i < f->nb_streams && in->naudio < (int)IN_COUNT(in->audio); i++) {
		const AVStream *st = f->streams[i];
		const AVCodecParameters *p = st->codecpar;
		if (p->codec_type != AVMEDIA_TYPE_AUDIO) continue;
		struct media_audio *a = &in->audio[in->naudio++];
		a->index = (int)i;
		a->rate = p->sample_rate;
		a->channels = p->ch_layout.nb_channels;
		snprintf(a->codec, sizeof a->codec, "%s", avcodec_get_name(p->codec_id));
		av_channel_layout_describe(&p->ch_layout, a->layout, sizeof a->layout);
		if (st->start_time != AV_NOPTS_VALUE) a->start_s = (double)st->start_time * av_q2d(st->time_base);
		if (st->duration > 0) a->duration_s = (double)st->duration * av_q2d(st->time_base);
	}
}

static int turned(const AVStream *st)
{
	const uint8_t *m = av_stream_get_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, NULL);
	if (!m) return 0;
	int32_t v[9];
	memcpy(v, m, sizeof v);
	/* Matrices of quarter turns: compared by sign, so no arc functions are needed. */
	if (v[0] > 0 && v[4] > 0) return 0;
	if (v[0] < 0 && v[4] < 0) return 180;
	if (v[1] > 0 && v[3] < 0) return 90;
	if (v[1] < 0 && v[3] > 0) return 270;
	return 0;
}

/* The picture's own label before the container's before that of another stream (a timecode track). */
static void find_timecode(const AVFormatContext *f, const AVStream *st, char *out, size_t n)
{
	const AVDictionaryEntry *t = av_dict_get(st->metadata, "timecode", NULL, 0);
	if (!t) t = av_dict_get(f->metadata, "timecode", NULL, 0);
	for (unsigned i = 0; !t && i < f->nb_streams; i++)
		t = av_dict_get(f->streams[i]->metadata, "timecode", NULL, 0);
	if (t && strlen(t->value) < n && strspn(t->value, "0123456789:;.") == strlen(t->value)) strcpy(out, t->value);
}

/* Everything that the container alone tells. */
static int read_header(struct media *m, struct err *e)
{
	struct media_info *in = &m->info;
	struct demux d;
	if (demux_open(&d, m->path, m->raw, e) < 0) return -1;
	int rc = -1;
	const AVFormatContext *f = d.fmt;
	m->stream = demux_video(&d, m->o.stream, &in->nvideo);
	if (m->stream < 0) {
		if (in->nvideo == 0) err_set(e, E_INPUT, "%s: holds no video stream", m->path);
		else err_set(e, E_INPUT, "%s: there is no video stream %d; it has %d", m->path, m->o.stream,
		             in->nvideo);
		goto out;
	}
	const AVStream *st = f->streams[m->stream];
	if (st->codecpar->width > IN_MAX_SIDE || st->codecpar->height > IN_MAX_SIDE
	    || (size_t)st->codecpar->width * (size_t)st->codecpar->height > IN_MAX_PIXELS) {
		err_set(e, E_MEMORY, "%s: a picture of %dx%d is over the size limit", m->path,
		        st->codecpar->width, st->codecpar->height);
		goto out;
	}
	m->par = avcodec_parameters_alloc();
	if (!m->par || avcodec_parameters_copy(m->par, st->codecpar) < 0) { err_set(e, E_MEMORY,
	        "%s: no memory", m->path); goto out; }
	m->x.tb = st->time_base;
	in->stream = m->stream;
	in->nstreams = (int)f->nb_streams;
	snprintf(in->container, sizeof in->container, "%s", f->iformat->name);
	snprintf(in->codec, sizeof in->codec, "%s", avcodec_get_name(m->par->codec_id));
	const AVCodec *dec = avcodec_find_decoder(m->par->codec_id);
	snprintf(in->decoder, sizeof in->decoder, "%s %u", dec ? dec->name : "none", avcodec_version());
	in->avg_rate = media_rational(st->avg_frame_rate);
	in->r_rate = media_rational(st->r_frame_rate);
	if (st->duration > 0) in->duration_s = (double)st->duration * av_q2d(st->time_base);
	else if (f->duration > 0) in->duration_s = (double)f->duration / AV_TIME_BASE;
	in->rotation = turned(st);
	traits_hdr_stream(&in->tags, st);
	root_of_meta(f->metadata, in->root);
	find_timecode(f, st, in->timecode, sizeof in->timecode);
	list_audio(m, f);
	rc = 0;
out:
	demux_close(&d);
	return rc;
}

/* Decodes up to the first sound frame; it describes the rest. False prediction of it makes the
 * index count. */
static int first_picture(struct media *m, struct err *e)
{
	struct cursor *c = &m->cur[0];
	int slot;
	bool damaged;
	if (cursor_seek(m, c, -1, e) < 0) return -1;
	for (;;) {
		int r = cursor_next(m, c, &slot, &damaged, e);
		if (r < 0) return -1;
		if (r == 0) return err_set(e, E_INPUT, "%s: no frame can be decoded", m->path);
		if (!damaged) break;
	}
	return media_describe(m, c->frame, m->par, e);
}

static int open_clip(struct media *m, struct err *e)
{
	struct media_info *in = &m->info;
	if (read_header(m, e) < 0) return -1;
	if (index_build(m, e) < 0) return -1;
	if (first_picture(m, e) < 0) return -1;
	cursor_close(&m->cur[0]);
	in->kind = MEDIA_CLIP;
	in->first = 1;
	in->scanned = m->x.scanned;
	rate_decide(m);
	if (in->fps.num > 0 && in->duration_s <= 0)
		in->duration_s = (double)in->frames * in->fps.den / in->fps.num;
	for (int i = 0; i < m->x.nslot; i++) in->missing += m->x.slot[i].bad;
	m->state = xalloc((size_t)m->x.nslot + 1, 1);
	m->gop_bad = xalloc((size_t)m->x.npkt + 1, sizeof *m->gop_bad);
	for (int i = 0; i < m->x.npkt; i++) m->gop_bad[i] = INT_MAX;
	int depth = 0;
	for (int i = 0; i < m->x.nslot; i++) {
		const struct slot_ref *s = &m->x.slot[i];
		m->state[i] = s->bad ? SLOT_MISSING : SLOT_UNKNOWN;
		if (s->until - i > depth) depth = s->until - i;
		if (s->bad && m->x.scanned && s->packet >= 0 && s->packet < m->gop_bad[s->gop])
			m->gop_bad[s->gop] = s->packet;
	}
	if (m->ncache < depth + 2) m->ncache = depth + 2 < MEDIA_CACHE_MAX ? depth + 2 : MEDIA_CACHE_MAX;
	return 0;
}

int media_open(const char *path, const struct media_opts *o, struct media **out, struct err *e)
{
	static const struct media_opts none = MEDIA_OPTS_INIT;
	*out = NULL;
	struct media *m = xalloc(1, sizeof *m);
	m->o = o ? *o : none;
	m->path = xstrdup(path);
	m->raw = xstrdup(m->o.raw ? m->o.raw : "");
	m->o.raw = m->o.color = NULL;
	m->fps_given = m->o.fps;
	m->pixfmt = AV_PIX_FMT_NONE;
	m->info.par = (struct rational){ 1, 1 };
	m->info.fps = (struct rational){ 0, 1 };
	bool file = !*m->raw && (seq_is_pattern(path) || still_is(path) || exr_is(path));
	if ((file ? files_open(m, e) : open_clip(m, e)) < 0) {
		media_close(&m);
		return -1;
	}
	*out = m;
	return 0;
}

void media_close(struct media **mp)
{
	struct media *m = *mp;
	if (!m) return;
	for (int i = 0; i < MEDIA_CURSORS; i++) cursor_close(&m->cur[i]);
	for (int i = 0; i < MEDIA_CACHE_MAX; i++) planes_free(&m->cache[i].p);
	index_free(&m->x);
	if (m->par) avcodec_parameters_free(&m->par);
	free(m->grid);
	free(m->number);
	free(m->state);
	free(m->gop_bad);
	free(m->path);
	free(m->raw);
	free(m);
	*mp = NULL;
}

const struct media_info *media_about(const struct media *m) { return &m->info; }
const struct yuv_coef *media_coef(const struct media *m) { return &m->coef; }

int media_slot(const struct media *m, int n)
{
	if (n < 0) n = 0;
	if (n >= m->info.frames) n = m->info.frames - 1;
	return rate_slot(m, n);
}

int media_gaps(const struct media *m, int from, int to, int *first)
{
	int n = 0;
	for (int i = from; i <= to && i < m->info.frames; i++) {
		bool gap = m->state && m->state[rate_slot(m, i)] == SLOT_MISSING;
		if (m->info.kind == MEDIA_SEQUENCE) {
			char *path = media_file_of(m, i);
			gap = !path;
			free(path);
		}
		if (gap && n++ == 0) *first = i;
	}
	return n;
}

int media_probe(const char *path, const char *raw, struct media_info *out, struct err *e)
{
	struct media_opts o = MEDIA_OPTS_INIT;
	struct media *m;
	o.raw = raw;
	if (media_open(path, &o, &m, e) < 0) return -1;
	*out = m->info;
	media_close(&m);
	return 0;
}
