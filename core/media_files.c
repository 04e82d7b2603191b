/* media_files - single images and numbered sequences as media.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_int.h"

#include <stdlib.h>
#include <strings.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exr.h"
#include "mem.h"
#include "log.h"

enum { MAX_RANGE = 1 << 20 };

bool exr_is(const char *path)
{
	const char *dot = strrchr(path, '.');
	if (dot && !strcasecmp(dot, ".exr")) return true;
	uint8_t magic[4] = { 0 };
	struct stat st;
	FILE *f = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
	if (!f) return false;
	bool yes = fread(magic, 1, 4, f) == 4 && !memcmp(magic, "\x76\x2f\x31\x01", 4);
	fclose(f);
	return yes;
}

/* One EXR header into the info; later ones must have the same display window and may widen the
 * data window. */
static int add_exr(struct media *m, const char *path, bool first, struct err *e)
{
	struct exr_info x;
	struct media_info *in = &m->info;
	if (exr_probe(path, &x, e) < 0) return -1;
	int rc = exr_readable(path, &x, e);
	if (rc < 0) goto out;
	if (!first && !rect_eq(x.fmt.display, in->display))
		rc = err_set(e, E_INPUT, "%s: its display window is %dx%d, that of the sequence %dx%d", path,
		             rect_w(x.fmt.display), rect_h(x.fmt.display), rect_w(in->display),
		    rect_h(in->display));
	else if (!first) in->data = rect_or(in->data, x.fmt.data);
	if (rc < 0 || !first) goto out;
	in->exr = true;
	in->data = x.fmt.data;
	in->display = x.fmt.display;
	in->par = x.fmt.par;
	memcpy(in->timecode, x.timecode, sizeof in->timecode);
	if (x.fmt.fps.num > 0) {
		in->fps = x.fmt.fps;
		snprintf(in->fps_why, sizeof in->fps_why, "framesPerSecond of the file");
	}
	in->desc = (struct plane_desc){ rect_w(x.fmt.data), rect_h(x.fmt.data), x.half ? 16 : 32, 0, 0,
	                               true, false,
		format_channel(&x.fmt, "A") >= 0, true, false };
	snprintf(in->container, sizeof in->container, "exr");
	snprintf(in->codec, sizeof in->codec, "exr %s", x.compression);
	snprintf(in->pixfmt, sizeof in->pixfmt, x.half ? "half" : "float");
	snprintf(in->decoder, sizeof in->decoder, "OpenEXRCore");
	size_t at = 0;
	for (int i = 0; i < x.fmt.nch && at + 2 < sizeof in->channels; i++)
		at += (size_t)snprintf(in->channels + at, sizeof in->channels - at, "%s%s", i ? " " : "",
		                       x.fmt.ch[i]);
	if (at >= sizeof in->channels) in->channels[sizeof in->channels - 1] = 0;
	const char *root = exr_attr(&x, "interneg_root");
	struct key k;
	if (root && key_parse(root, &k) == 0) key_hex(&k, in->root);
	traits_exr(in, x.has_chroma ? x.chroma : NULL);
	traits_own(in, exr_attr(&x, "interneg_color"));
out:
	exr_info_free(&x);
	return rc;
}

static int add_still(struct media *m, const char *path, struct err *e)
{
	AVFrame *f = NULL;
	struct media_info *in = &m->info;
	if (still_load(path, &f, in->codec, e) < 0) return -1;
	m->par = avcodec_parameters_alloc();
	int rc = m->par ? 0 : err_set(e, E_MEMORY, "%s: no memory", path);
	if (rc == 0) {
		const AVCodecDescriptor *d = avcodec_descriptor_get_by_name(in->codec);
		m->par->codec_id = d ? d->id : AV_CODEC_ID_NONE;
		const AVCodec *dec = avcodec_find_decoder(m->par->codec_id);
		snprintf(in->container, sizeof in->container, "image");
		snprintf(in->decoder, sizeof in->decoder, "%s %u", dec ? dec->name : "none", avcodec_version());
		rc = media_describe(m, f, m->par, e);
	}
	const AVDictionaryEntry *t = f ? av_dict_get(f->metadata, "interneg_root", NULL, 0) : NULL;
	struct key k;
	if (t && key_parse(t->value, &k) == 0) key_hex(&k, in->root);
	t = f ? av_dict_get(f->metadata, "interneg_color", NULL, 0) : NULL;
	if (rc == 0 && t) traits_own(in, t->value);
	av_frame_free(&f);
	return rc;
}

static int list_files(struct media *m, struct err *e)
{
	struct media_info *in = &m->info;
	if (!seq_is_pattern(m->path)) {
		m->number = xalloc(1, sizeof *m->number);
		m->number[0] = in->first = 1;
		m->nnumber = in->frames = in->coded = 1;
		in->kind = MEDIA_STILL;
		return 0;
	}
	if (seq_list(m->path, &m->number, &m->nnumber, e) < 0) return -1;
	in->kind = MEDIA_SEQUENCE;
	in->first = m->number[0];
	int last = m->number[m->nnumber - 1];
	if (last - in->first >= MAX_RANGE)
		return err_set(e, E_INPUT, "%s: numbers run from %d to %d: too far apart", m->path, in->first,
		               last);
	in->coded = m->nnumber;
	in->frames = last - in->first + 1;
	in->missing = in->frames - m->nnumber;
	return 0;
}

static bool name_is_exr(const char *path)
{
	size_t n = strlen(path);
	return n > 4 && !strcasecmp(path + n - 4, ".exr");
}

static bool exr_sound(const char *path, struct err *e)
{
	struct exr_info x;
	if (exr_probe(path, &x, e) < 0) return false;
	bool good = exr_readable(path, &x, e) == 0;
	exr_info_free(&x);
	return good;
}

/* The headers of all files. Of a sequence, a file that is not sound counts as a missing frame. */
static int add_exrs(struct media *m, struct err *e)
{
	int sound = 0, n = m->nnumber;
	for (int i = 0; i < n; i++) {
		struct err one = ERR_INIT;
		char *path = n == 1 ? media_file_of(m, 0) : seq_path(m->path, m->number[i]);
		bool good = n == 1 || exr_sound(path, &one);
		int rc = good ? add_exr(m, path, sound == 0, e) : 0;
		if (good) m->number[sound++] = m->number[i];
		else log_warn("%s; the frame counts as missing", one.msg);
		free(path);
		if (rc < 0) return -1;
	}
	m->nnumber = sound;
	m->info.coded = sound;
	m->info.missing = m->info.frames - sound;
	return sound ? 0 : err_set(e, E_INPUT, "%s: none of its %d files is a sound EXR file", m->path, n);
}

int files_open(struct media *m, struct err *e)
{
	struct media_info *in = &m->info;
	if (list_files(m, e) < 0) return -1;
	in->nvideo = in->nstreams = 1;
	snprintf(in->fps_why, sizeof in->fps_why, "no rate of its own");
	char *path = media_file_of(m, 0);
	int rc;
	if (exr_is(path) || (in->kind == MEDIA_SEQUENCE && name_is_exr(path))) {
		rc = add_exrs(m, e);
		in->desc.w = rect_w(in->data);
		in->desc.h = rect_h(in->data);
	} else {
		rc = add_still(m, path, e);
		in->data = in->display = rect_of(0, 0, in->desc.w, in->desc.h);
	}
	free(path);
	if (m->fps_given.num > 0) {
		in->fps = m->fps_given;
		snprintf(in->fps_why, sizeof in->fps_why, "given by fps=");
	}
	return rc;
}

char *media_file_of(const struct media *m, int n)
{
	if (m->info.kind == MEDIA_CLIP) return xstrdup(m->path);
	if (m->info.kind == MEDIA_STILL) return n == 0 ? xstrdup(m->path) : NULL;
	int want = m->info.first + n, a = 0, b = m->nnumber - 1;
	while (a <= b) {
		int c = (a + b) / 2;
		if (m->number[c] == want) return seq_path(m->path, want);
		if (m->number[c] < want) a = c + 1;
		else b = c - 1;
	}
	return NULL;
}

enum media_status files_frame(struct media *m, int slot, struct cached *c, struct err *e)
{
	char *path = media_file_of(m, slot);
	AVFrame *f = NULL;
	if (!path) {
		char *name = seq_path(m->path, m->info.first + slot);
		err_set(e, E_INPUT, "%s: no such file", name);
		free(name);
		return MEDIA_MISSING;
	}
	enum media_status st = MEDIA_FAIL;
	if (still_load(path, &f, NULL, e) < 0) st = e->code == E_MEMORY ? MEDIA_FAIL : MEDIA_MISSING;
	else if (f->width != m->info.desc.w || f->height != m->info.desc.h || f->format != m->pixfmt)
		err_set(e, E_INPUT, "%s: its size or format differs from the first file's (%dx%d %s)", path,
		        m->info.desc.w,
		        m->info.desc.h, m->info.pixfmt);
	else if (planes_unpack(f, &c->p, e) == 0) st = MEDIA_OK;
	if (f) av_frame_free(&f);
	free(path);
	return st;
}
