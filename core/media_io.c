/* media_io - opens a demuxer over a plain file descriptor: no protocols, no formats that open
 * other files.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_int.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


#include "log.h"
#include "mem.h"

/* Demuxers that read one file and nothing else. */
static const char *const allowed[] = {
	"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mpegts", "mpeg", "mpegvideo", "h264", "hevc",
	    "m4v", "ivf",
	"obu", "av1", "yuv4mpegpipe", "mxf", "gxf", "nut", "flv", "asf", "rawvideo", "dv", "gif", "apng",
	    "ogg", "mjpeg",
	"dnxhd", "vc1", "cavsvideo", "h263", "wav", "rm", "live_flv", "dirac", "w64", "aiff", "flac",
	    "mp3", "caf", "aac",
};

enum { IO_BUFFER = 1 << 16, PROBE_BYTES = 1 << 20, ANALYZE_BYTES = 8 << 20, MAX_STREAMS = 64 };

/* Frozen after media_setup. */
static atomic_int decoder_threads = 1;

static void log_line(void *avcl, int level, const char *fmt, va_list ap)
{
	if (level > AV_LOG_INFO || !log_on(LOG_MEDIA)) return;
	char line[1024];
	int prefix = 1;
	av_log_format_line2(avcl, level, fmt, ap, line, sizeof line, &prefix);
	line[strcspn(line, "\n")] = 0;
	log_debug(LOG_MEDIA, "%s", line);
}

static void catch_log(void)
{
	av_log_set_level(AV_LOG_INFO);
	av_log_set_callback(log_line);
}

void media_setup(int threads)
{
	atomic_store(&decoder_threads, threads < 1 ? 1 : threads > 16 ? 16 : threads);
	/* SVT-AV1 prints its settings unless its environment says errors only; no thread has begun yet */
	setenv("SVT_LOG", "1", 0);
	ff_on_open(catch_log);
}

int media_threads(void)
{
	return atomic_load(&decoder_threads);
}

const char *media_averr(int rc, char buf[128])
{
	if (av_strerror(rc, buf, 128) < 0) snprintf(buf, 128, "error %d", rc);
	return buf;
}

int media_err(struct err *e, int rc, const char *what)
{
	char buf[128];
	if (rc == AVERROR(ENOMEM)) return err_set(e, E_MEMORY, "%s: not enough memory", what);
	return err_set(e, E_INPUT, "%s: %s", what, media_averr(rc, buf));
}

struct rational media_rational(AVRational r)
{
	struct rational q = { r.num, r.den };
	if (q.num <= 0 || q.den <= 0) q.num = 0, q.den = 1;
	return q;
}

static int io_read(void *opaque, uint8_t *buf, int n)
{
	struct demux *d = opaque;
	for (;;) {
		ssize_t k = read(d->fd, buf, (size_t)n);
		if (k > 0) return (int)k;
		if (k == 0) return AVERROR_EOF;
		if (errno != EINTR) return AVERROR(errno);
	}
}

static int64_t io_seek(void *opaque, int64_t off, int whence)
{
	struct demux *d = opaque;
	whence &= ~AVSEEK_FORCE;
	if (whence == AVSEEK_SIZE) return d->size;
	off_t r = lseek(d->fd, off, whence);
	return r < 0 ? AVERROR(errno) : r;
}

static int refuse_open(AVFormatContext *s, AVIOContext **pb, const char *url, int flags,
                       AVDictionary **o)
{
	(void)s; (void)pb; (void)url; (void)flags; (void)o;
	return AVERROR(EPERM);
}

static bool is_allowed(const char *name)
{
	for (size_t i = 0; i < IN_COUNT(allowed); i++)
		if (!strcmp(allowed[i], name)) return true;
	return false;
}

static bool looks_like_text(const uint8_t *p, size_t n)
{
	size_t printable = 0;
	for (size_t i = 0; i < n; i++) {
		if (!p[i]) return false;
		printable += isprint(p[i]) || isspace(p[i]);
	}
	return n > 0 && printable * 100 >= n * 90;
}

/* What the first bytes tell a person, when FFmpeg has given up. */
static int explain(const char *path, int fd, int rc, struct err *e)
{
	uint8_t head[4096];
	ssize_t n = pread(fd, head, sizeof head, 0);
	const char *dot = strrchr(path, '.');
	if (n > 12 && !memcmp(head + 4, "ftyp", 4)) {
		return err_set(e, rc == AVERROR(ENOMEM) ? E_MEMORY : E_INPUT,
		               "%s: an MP4 or MOV file without a usable index "
		               "(moov box): it was cut off or its recording never finished", path);
	}
	if (n > 0 && looks_like_text(head, (size_t)n))
		return err_set(e, E_INPUT, "%s: holds text, not a clip", path);
	if (dot && (!strcasecmp(dot, ".yuv") || !strcasecmp(dot, ".raw") || !strcasecmp(dot, ".rgb")))
		return err_set(e, E_INPUT, "%s: has no header that tells size, format and rate; say them, "
		               "for example raw=\"320x192 yuv420p 12\"", path);
	return media_err(e, rc, path);
}

/* "320x192 yuv420p 12" or "... 30000/1001" to options of the rawvideo demuxer. */
static int raw_options(const char *raw, int64_t size, AVDictionary **o, struct err *e)
{
	int w = 0, h = 0;
	char fmt[32] = "", rate[32] = "", rest = 0;
	int n = sscanf(raw, "%6dx%6d %31s %31s %c", &w, &h, fmt, rate, &rest);
	AVRational r = { 0, 1 };
	if (n != 4 || w < 1 || h < 1 || av_parse_ratio(&r, rate, 1 << 20, 0, NULL) < 0 || r.num <= 0
	    || r.den <= 0)
		return err_set(e, E_SCENE, "raw=\"%s\": expected \"WIDTHxHEIGHT FORMAT RATE\", such as \"320x192 "
		               "yuv420p 12\"", raw);
	enum AVPixelFormat f = av_get_pix_fmt(fmt);
	if (f == AV_PIX_FMT_NONE)
		return err_set(e, E_SCENE, "raw=\"%s\": \"%s\" is no pixel format (see ffmpeg -pix_fmts)", raw,
		               fmt);
	if (w > IN_MAX_SIDE || h > IN_MAX_SIDE || (size_t)w * (size_t)h > IN_MAX_PIXELS)
		return err_set(e, E_MEMORY, "raw=\"%s\": the picture is over the size limit", raw);
	int64_t frame = av_image_get_buffer_size(f, w, h, 1);
	if (frame <= 0 || size % frame)
		return err_set(e, E_INPUT, "raw=\"%s\": the file's %lld bytes are not a whole number of frames "
		               "of %lld bytes",
		               raw, (long long)size, (long long)frame);
	char buf[64];
	snprintf(buf, sizeof buf, "%dx%d", w, h);
	av_dict_set(o, "video_size", buf, 0);
	av_dict_set(o, "pixel_format", fmt, 0);
	snprintf(buf, sizeof buf, "%d/%d", r.num, r.den);
	av_dict_set(o, "framerate", buf, 0);
	return 0;
}

static int open_file(struct demux *d, const char *path, struct err *e)
{
	struct stat st;
	d->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (d->fd < 0) return err_set(e, E_INPUT, "%s: %s", path, strerror(errno));
	if (fstat(d->fd, &st) < 0) return err_set(e, E_INPUT, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return err_set(e, E_INPUT, "%s: is a folder; a sequence is named by name.####.ext", path);
	if (!S_ISREG(st.st_mode)) return err_set(e, E_INPUT, "%s: is not a regular file", path);
	if (st.st_size == 0) return err_set(e, E_INPUT, "%s: is empty", path);
	d->size = st.st_size;
	uint8_t *buf = av_malloc(IO_BUFFER);
	d->io = buf ? avio_alloc_context(buf, IO_BUFFER, 0, d, io_read, NULL, io_seek) : NULL;
	d->fmt = avformat_alloc_context();
	if (!d->io || !d->fmt) {
		if (!d->io) av_free(buf);
		return err_set(e, E_MEMORY, "%s: no memory to open it", path);
	}
	return 0;
}

static void set_limits(AVFormatContext *f)
{
	f->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
	f->io_open = refuse_open;
	f->probesize = ANALYZE_BYTES;
	f->max_analyze_duration = 10 * AV_TIME_BASE;
	f->max_streams = MAX_STREAMS;
	f->max_probe_packets = 500;
	f->max_index_size = 64u << 20;
}

int demux_open(struct demux *d, const char *path, const char *raw, struct err *e)
{
	memset(d, 0, sizeof *d);
	d->fd = -1;
	if (ff_open(e) < 0) return err_in(e, "%s", path);
	AVDictionary *opt = NULL;
	const AVInputFormat *in = NULL;
	int rc = open_file(d, path, e);
	if (rc < 0) goto out;
	d->fmt->pb = d->io;
	set_limits(d->fmt);
	if (raw && *raw) {
		if ((rc = raw_options(raw, d->size, &opt, e)) < 0) goto out;
		in = av_find_input_format("rawvideo");
	} else {
		rc = av_probe_input_buffer2(d->io, &in, path, NULL, 0, PROBE_BYTES);
		if (rc < 0 || !in || !strcmp(in->name, "rawvideo")) {
			rc = explain(path, d->fd, rc < 0 ? rc : AVERROR_INVALIDDATA, e);
			goto out;
		}
		if (!is_allowed(in->name)) {
			uint8_t head[512];
			ssize_t n = pread(d->fd, head, sizeof head, 0);
			if (n > 0 && looks_like_text(head, (size_t)n))
				rc = err_set(e, E_INPUT, "%s: holds text, not a clip", path);
			else rc = err_set(e, E_INPUT, "%s: files of the kind '%s' are not read", path, in->name);
			goto out;
		}
	}
	rc = avformat_open_input(&d->fmt, path, in, &opt);
	if (rc < 0) { rc = explain(path, d->fd, rc, e); goto out; }
	rc = avformat_find_stream_info(d->fmt, NULL);
	if (rc < 0) { rc = explain(path, d->fd, rc, e); goto out; }
	rc = 0;
out:
	av_dict_free(&opt);
	if (rc < 0) demux_close(d);
	return rc;
}

void demux_close(struct demux *d)
{
	avformat_close_input(&d->fmt);
	if (d->io) av_freep(&d->io->buffer);
	avio_context_free(&d->io);
	if (d->fd >= 0) close(d->fd);
	memset(d, 0, sizeof *d);
	d->fd = -1;
}

int demux_video(const struct demux *d, int n, int *count)
{
	int found = -1, k = 0;
	for (unsigned i = 0; d->fmt && i < d->fmt->nb_streams; i++) {
		const AVStream *st = d->fmt->streams[i];
		if (st->codecpar->codec_type != AVMEDIA_TYPE_VIDEO
		    || st->disposition & AV_DISPOSITION_ATTACHED_PIC) continue;
		if (k++ == n) found = (int)i;
	}
	if (count) *count = k;
	return found;
}
