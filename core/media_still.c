/* media_still - one image file (PNG, TIFF, DPX, JPEG, ...) to a decoded frame; the whole file is
 * one packet.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_int.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_STILL = 1 << 30 };

static const struct { const char *ext; enum AVCodecID id; } by_ext[] = {
	{ "png", AV_CODEC_ID_PNG }, { "jpg", AV_CODEC_ID_MJPEG }, { "jpeg", AV_CODEC_ID_MJPEG },
	    { "tif", AV_CODEC_ID_TIFF },
	{ "tiff", AV_CODEC_ID_TIFF }, { "dpx", AV_CODEC_ID_DPX }, { "bmp", AV_CODEC_ID_BMP },
	    { "tga", AV_CODEC_ID_TARGA },
	{ "ppm", AV_CODEC_ID_PPM }, { "pgm", AV_CODEC_ID_PGM }, { "pam", AV_CODEC_ID_PAM },
	    { "pfm", AV_CODEC_ID_PFM },
	{ "webp", AV_CODEC_ID_WEBP }, { "jp2", AV_CODEC_ID_JPEG2000 }, { "j2k", AV_CODEC_ID_JPEG2000 },
	{ "sgi", AV_CODEC_ID_SGI }, { "rgb", AV_CODEC_ID_NONE },
};

/* What the first bytes say; NONE when nothing known. */
static enum AVCodecID by_magic(const uint8_t *p, size_t n)
{
	if (n >= 8 && !memcmp(p, "\x89PNG\r\n\x1a\n", 8)) return AV_CODEC_ID_PNG;
	if (n >= 3 && !memcmp(p, "\xff\xd8\xff", 3)) return AV_CODEC_ID_MJPEG;
	if (n >= 4 && (!memcmp(p, "II*\0", 4) || !memcmp(p, "MM\0*", 4))) return AV_CODEC_ID_TIFF;
	if (n >= 4 && (!memcmp(p, "SDPX", 4) || !memcmp(p, "XPDS", 4))) return AV_CODEC_ID_DPX;
	if (n >= 12 && !memcmp(p, "RIFF", 4) && !memcmp(p + 8, "WEBP", 4)) return AV_CODEC_ID_WEBP;
	if (n >= 12 && !memcmp(p + 4, "jP  \r\n\x87\n", 8)) return AV_CODEC_ID_JPEG2000;
	return AV_CODEC_ID_NONE;
}

bool still_is(const char *path)
{
	const char *dot = strrchr(path, '.');
	for (size_t i = 0; dot && i < IN_COUNT(by_ext); i++)
		if (!strcasecmp(dot + 1, by_ext[i].ext)) return by_ext[i].id != AV_CODEC_ID_NONE;
	return false;
}

static int slurp(const char *path, AVPacket *pkt, struct err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = -1;
	if (fd < 0) return err_set(e, E_INPUT, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) { err_set(e, E_INPUT,
	        "%s: is not a regular file", path); goto out; }
	if (st.st_size == 0) { err_set(e, E_INPUT, "%s: is empty", path); goto out; }
	if (st.st_size > MAX_STILL) { err_set(e, E_MEMORY,
	        "%s: an image file of %lld bytes is too large", path, (long long)st.st_size); goto out; }
	if (av_new_packet(pkt, (int)st.st_size) < 0) { err_set(e, E_MEMORY, "%s: no memory", path);
	                                              goto out; }
	for (ssize_t at = 0, k; at < st.st_size; at += k) {
		k = read(fd, pkt->data + at, (size_t)(st.st_size - at));
		if (k <= 0) { err_set(e, E_INPUT, "%s: %s", path,
		                      k < 0 ? strerror(errno) : "became shorter while read"); goto out; }
	}
	rc = 0;
out:
	close(fd);
	return rc;
}

static enum AVCodecID codec_of(const char *path, const AVPacket *pkt)
{
	enum AVCodecID id = by_magic(pkt->data, (size_t)pkt->size);
	const char *dot = strrchr(path, '.');
	for (size_t i = 0; id == AV_CODEC_ID_NONE && dot && i < IN_COUNT(by_ext); i++)
		if (!strcasecmp(dot + 1, by_ext[i].ext)) id = by_ext[i].id;
	if (id == AV_CODEC_ID_PNG && by_magic(pkt->data, (size_t)pkt->size) != id) return AV_CODEC_ID_NONE;
	return id;
}

int still_load(const char *path, AVFrame **frame, char codec[24], struct err *e)
{
	if (ff_open(e) < 0) return err_in(e, "%s", path);
	AVCodecParameters *par = avcodec_parameters_alloc();
	AVPacket *pkt = av_packet_alloc();
	AVFrame *f = av_frame_alloc();
	AVCodecContext *dec = NULL;
	int rc = -1;
	if (!par || !pkt || !f) { err_set(e, E_MEMORY, "%s: no memory", path); goto out; }
	if (slurp(path, pkt, e) < 0) goto out;
	par->codec_type = AVMEDIA_TYPE_VIDEO;
	par->codec_id = codec_of(path, pkt);
	if (par->codec_id == AV_CODEC_ID_NONE) { err_set(e, E_INPUT,
	        "%s: is not the image its name promises", path); goto out; }
	dec = decoder_open(par, (AVRational){ 1, 25 }, 1, false, e);
	if (!dec) { err_in(e, "%s", path); goto out; }
	int r = avcodec_send_packet(dec, pkt);
	if (r >= 0) r = avcodec_receive_frame(dec, f);
	if (r == AVERROR(EAGAIN)) {
		avcodec_send_packet(dec, NULL);
		r = avcodec_receive_frame(dec, f);
	}
	if (r >= 0 && (f->flags & AV_FRAME_FLAG_CORRUPT || f->decode_error_flags)) r = AVERROR_INVALIDDATA;
	if (r < 0) {
		char buf[128];
		size_t pixels = (size_t)(dec->width > 0 ? dec->width : 0)
		    * (size_t)(dec->height > 0 ? dec->height : 0);
		if (pixels > IN_MAX_PIXELS)
			err_set(e, E_MEMORY, "%s: a picture of %dx%d is over the size limit", path, dec->width,
			        dec->height);
		else err_set(e, r == AVERROR(ENOMEM) ? E_MEMORY : E_INPUT, "%s: the picture is damaged (%s)",
		             path,
		             r == AVERROR_EOF ? "it holds no complete image" : media_averr(r, buf));
		goto out;
	}
	if (codec) snprintf(codec, 24, "%s", avcodec_get_name(par->codec_id));
	*frame = f;
	f = NULL;
	rc = 0;
out:
	avcodec_free_context(&dec);
	av_frame_free(&f);
	av_packet_free(&pkt);
	avcodec_parameters_free(&par);
	return rc;
}
