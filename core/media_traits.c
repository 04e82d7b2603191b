/* media_traits - colour, matrix, range and siting of a stream: tagged, or guessed with the
 * reason. Code points: ITU-T H.273 tables 2-4.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_int.h"

#include <string.h>


#include "colour.h"

static void set(struct media_trait *t, bool tagged, const char *value, const char *why,
                ...) IN_PRINTF(4, 5);
static void set(struct media_trait *t, bool tagged, const char *value, const char *why, ...)
{
	va_list ap;
	va_start(ap, why);
	vsnprintf(t->why, sizeof t->why, why, ap);
	va_end(ap);
	snprintf(t->value, sizeof t->value, "%s", value);
	t->tagged = tagged;
}

static bool is_jpeg_format(enum AVPixelFormat f)
{
	const char *n = av_get_pix_fmt_name(f);
	return n && !strncmp(n, "yuvj", 4);
}

static enum yuv_matrix matrix_of(enum AVColorSpace s)
{
	switch (s) {
	case AVCOL_SPC_RGB:        return YM_RGB;
	case AVCOL_SPC_BT709:      return YM_BT709;
	case AVCOL_SPC_BT470BG:
	case AVCOL_SPC_SMPTE170M:  return YM_BT601;
	case AVCOL_SPC_BT2020_NCL: return YM_BT2020;
	case AVCOL_SPC_FCC:        return YM_FCC;
	case AVCOL_SPC_SMPTE240M:  return YM_SMPTE240M;
	case AVCOL_SPC_YCGCO:      return YM_YCGCO;
	default:                   return YM_AUTO;
	}
}

static void guess_matrix(struct media *m, enum AVColorSpace tag)
{
	struct media_trait *t = &m->info.matrix;
	const struct plane_desc *d = &m->info.desc;
	enum yuv_matrix y = matrix_of(tag);
	if (d->rgb) set(t, true, "rgb", "the planes are R, G and B");
	else if (d->gray) set(t, true, "rgb", "the picture is gray: no chroma");
	else if (y > YM_RGB) set(t, true, yuv_matrix_name(y), "tagged %s", av_color_space_name(tag));
	else if (tag != AVCOL_SPC_UNSPECIFIED && tag != AVCOL_SPC_RGB)
		set(t, false, "bt709", "tagged %s, which is not read: taken as bt709", av_color_space_name(tag));
	else if (is_jpeg_format(m->pixfmt) || m->info.kind != MEDIA_CLIP)
		set(t, false, "bt601", "untagged JPEG-style YCbCr: bt601 (JFIF)");
	else if (d->w >= 1280 || d->h >= 720)
		set(t, false, "bt709", "untagged; %dx%d is HD: bt709", d->w, d->h);
	else set(t, false, "bt601", "untagged; %dx%d is SD: bt601", d->w, d->h);
}

static void guess_range(struct media *m, enum AVColorRange tag)
{
	struct media_trait *t = &m->info.range;
	const struct plane_desc *d = &m->info.desc;
	const char *fmt = m->info.pixfmt;
	if (d->flt || d->depth < 8) set(t, true, "full", "%s has no limited range", fmt);
	else if (is_jpeg_format(m->pixfmt)) set(t, true, "full", "%s is full range", fmt);
	else if (tag == AVCOL_RANGE_MPEG) set(t, true, "limited", "tagged limited (tv)");
	else if (tag == AVCOL_RANGE_JPEG) set(t, true, "full", "tagged full (pc)");
	else if (d->rgb) set(t, false, "full", "untagged RGB: full");
	else if (d->gray) set(t, false, "full", "untagged gray: full");
	else set(t, false, "limited", "untagged %s: limited", fmt);
}

static void guess_siting(struct media *m, enum AVChromaLocation tag, enum AVCodecID id)
{
	static const enum yuv_siting of[] =
	    { YS_AUTO, YS_LEFT, YS_CENTER, YS_TOPLEFT, YS_TOP, YS_BOTTOMLEFT, YS_BOTTOM };
	struct media_trait *t = &m->info.siting;
	const struct plane_desc *d = &m->info.desc;
	static const char *const subs[3][3] =
		{ { "4:4:4", "4:4:0", "4:4:0" }, { "4:2:2", "4:2:0", "4:2:0" }, { "4:1:1", "4:1:0", "4:1:0" } };
	const char *sub = subs[d->lw][d->lh];
	const char *codec = avcodec_get_name(id);
	bool centred = id == AV_CODEC_ID_MPEG1VIDEO || id == AV_CODEC_ID_MJPEG || id == AV_CODEC_ID_VP8
	               || id == AV_CODEC_ID_THEORA || id == AV_CODEC_ID_H263 || m->info.kind != MEDIA_CLIP;
	if (d->rgb || d->gray || (!d->lw && !d->lh)) set(t, true, "center", "no chroma subsampling");
	else if (tag > AVCHROMA_LOC_UNSPECIFIED && tag < AVCHROMA_LOC_NB
	         && !(id == AV_CODEC_ID_H264 && tag == AVCHROMA_LOC_LEFT))
		set(t, true, yuv_siting_name(of[tag]), "tagged %s", av_chroma_location_name(tag));
	/* the H.264 decoder reports left for untagged streams too */
	else if (tag == AVCHROMA_LOC_LEFT)
		set(t, false, "left", "H.264 %s, tagged left or untagged: left", sub);
	else if (centred) set(t, false, "center", "untagged %s %s: center", codec, sub);
	else if (id == AV_CODEC_ID_DVVIDEO && d->lh)
		set(t, false, "topleft", "untagged DV %s: topleft", sub);
	else set(t, false, "left", "untagged %s %s: left", codec, sub);
}

/* Picture of SDR video: the display-referred space of its primaries. */
static const char *video_color(enum AVColorPrimaries p)
{
	switch (p) {
	case AVCOL_PRI_BT2020:    return "rec2020";
	case AVCOL_PRI_SMPTE432:  return "p3-d65";
	case AVCOL_PRI_SMPTE170M:
	case AVCOL_PRI_SMPTE240M: return "rec601";
	case AVCOL_PRI_BT470BG:   return "rec601-625";
	default:                  return "rec709";
	}
}

static const char *color_of(enum AVColorPrimaries p, enum AVColorTransferCharacteristic t)
{
	bool wide = p == AVCOL_PRI_BT2020, p3 = p == AVCOL_PRI_SMPTE432;
	switch (t) {
	case AVCOL_TRC_SMPTE2084:    return "pq";
	case AVCOL_TRC_ARIB_STD_B67: return "hlg";
	case AVCOL_TRC_LINEAR:
		return wide ? "linear-rec2020" : p3 ? "linear-p3-d65" : "linear-rec709";
	case AVCOL_TRC_IEC61966_2_1: return p3 ? "display-p3" : wide ? "rec2020" : "srgb";
	case AVCOL_TRC_GAMMA22:      return wide || p3 ? video_color(p) : "gamma22";
	case AVCOL_TRC_UNSPECIFIED:
	case AVCOL_TRC_BT709:
	case AVCOL_TRC_SMPTE170M:
	case AVCOL_TRC_GAMMA28:
	case AVCOL_TRC_SMPTE240M:
	case AVCOL_TRC_SMPTE428:
	case AVCOL_TRC_BT2020_10:
	case AVCOL_TRC_BT2020_12:    return video_color(p);
	default: return NULL;
	}
}

static void guess_color(struct media *m, enum AVColorPrimaries p,
                        enum AVColorTransferCharacteristic t, enum AVCodecID id)
{
	struct media_trait *c = &m->info.color;
	bool tagged = p != AVCOL_PRI_UNSPECIFIED || t != AVCOL_TRC_UNSPECIFIED;
	const char *pn = av_color_primaries_name(p), *tn = av_color_transfer_name(t),
	    *name = color_of(p, t);
	if (!name) set(c, false, "rec709", "tagged transfer %s, which is not read: taken as rec709",
	               tn ? tn : "?");
	else if (tagged) set(c, true, name, "tagged primaries %s, transfer %s", pn ? pn : "?",
	                     tn ? tn : "?");
	else if (id == AV_CODEC_ID_DPX)
		set(c, false, "rec709", "untagged DPX: rec709 (film scans are log: say color=)");
	else if (m->info.desc.flt)
		set(c, false, "linear-rec709", "untagged floating-point picture: linear-rec709");
	else if (m->info.kind != MEDIA_CLIP || is_jpeg_format(m->pixfmt))
		set(c, false, m->info.kind != MEDIA_CLIP ? "srgb" : "rec709", m->info.kind != MEDIA_CLIP
		    ? "untagged still picture: srgb" : "untagged: rec709");
	else set(c, false, "rec709", "untagged SDR video: rec709");
}

#define FIRST(a, b, none) ((a) != (none) ? (a) : (b))

static void mastering(struct media_tags *t, const AVMasteringDisplayMetadata *d)
{
	if (!d || !d->has_luminance) return;
	t->mastered = true;
	for (int i = 0; i < 6; i++) t->xy[i] = d->has_primaries ? av_q2d(d->display_primaries[i / 2][i & 1]) : 0;
	for (int i = 0; i < 2; i++) t->xy[6 + i] = d->has_primaries ? av_q2d(d->white_point[i]) : 0;
	t->nits_max = av_q2d(d->max_luminance);
	t->nits_min = av_q2d(d->min_luminance);
}

static void light(struct media_tags *t, const AVContentLightMetadata *l)
{
	if (!l) return;
	t->max_cll = (int)l->MaxCLL;
	t->max_fall = (int)l->MaxFALL;
}

void traits_hdr(struct media_tags *t, const AVFrame *f)
{
	const AVFrameSideData *d = av_frame_get_side_data(f, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
	const AVFrameSideData *l = av_frame_get_side_data(f, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
	if (d) mastering(t, (const AVMasteringDisplayMetadata *)(const void *)d->data);
	if (l) light(t, (const AVContentLightMetadata *)(const void *)l->data);
}

void traits_hdr_stream(struct media_tags *t, const AVStream *st)
{
	mastering(t, (const void *)av_stream_get_side_data(st, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, NULL));
	light(t, (const void *)av_stream_get_side_data(st, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, NULL));
}

void traits_fill(struct media *m, const AVFrame *f, const AVCodecParameters *par)
{
	struct media_tags *t = &m->info.tags;
	t->primaries = (int)FIRST(f->color_primaries, par->color_primaries, AVCOL_PRI_UNSPECIFIED);
	t->transfer = (int)FIRST(f->color_trc, par->color_trc, AVCOL_TRC_UNSPECIFIED);
	t->matrix = (int)FIRST(f->colorspace, par->color_space, AVCOL_SPC_UNSPECIFIED);
	t->range = (int)FIRST(f->color_range, par->color_range, AVCOL_RANGE_UNSPECIFIED);
	traits_hdr(t, f);
	guess_matrix(m, FIRST(f->colorspace, par->color_space, AVCOL_SPC_UNSPECIFIED));
	guess_range(m, FIRST(f->color_range, par->color_range, AVCOL_RANGE_UNSPECIFIED));
	guess_siting(m, FIRST(f->chroma_location, par->chroma_location, AVCHROMA_LOC_UNSPECIFIED),
	             par->codec_id);
	guess_color(m, FIRST(f->color_primaries, par->color_primaries, AVCOL_PRI_UNSPECIFIED),
	            FIRST(f->color_trc, par->color_trc, AVCOL_TRC_UNSPECIFIED), par->codec_id);
}

/* Chromaticities of an EXR file to the linear space with these primaries (to 0.002 in x and y). */
void traits_exr(struct media_info *in, const double *chroma)
{
	static const char *const spaces[] =
	    { "linear-rec709", "acescg", "aces2065-1", "linear-rec2020", "linear-p3-d65",
		"linear-rec601", "linear-rec601-625", "linear-awg3", "linear-awg4", "linear-sgamut3",
		    "linear-sgamut3cine",
		"linear-vgamut", "linear-rwg" };
	set(&in->matrix, true, "rgb", "OpenEXR");
	set(&in->range, true, "full", "OpenEXR");
	set(&in->siting, true, "center", "OpenEXR");
	if (!chroma) { set(&in->color, false, "linear-rec709",
	                   "EXR without chromaticities: linear-rec709"); return; }
	for (size_t i = 0; i < IN_COUNT(spaces); i++) {
		double xy[8], worst = 0;
		colour_primaries(colour_find(spaces[i]), xy);
		for (int k = 0; k < 8; k++) {
			double d = xy[k] > chroma[k] ? xy[k] - chroma[k] : chroma[k] - xy[k];
			if (!(d <= worst)) worst = d;
		}
		if (worst > .002) continue;
		set(&in->color, true, spaces[i], "chromaticities of the file");
		return;
	}
	set(&in->color, false, "linear-rec709",
	    "the file's chromaticities are of no known space: taken as linear-rec709");
}

void traits_own(struct media_info *in, const char *space)
{
	if (space && colour_find(space) >= 0)
		set(&in->color, true, space, "written by interneg, which names its space");
}
