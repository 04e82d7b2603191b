/* media_preset - what the presets of write mean, as a table.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "media_write.h"

/* FFmpeg's encoders of ProRes 4:2:2 take an odd width's last column of chroma from elsewhere, or refuse it. */
static const struct preset presets[] = {
	{ .name = "master-prores", .doc = "ProRes 422 HQ, 10 bits, in MOV", .encoder = "prores_ks",
	 .options = "profile=hq:vendor=apl0",
	  .exts = "mov", .sound = "pcm", .bits = 10, .bits_max = 10, .lw = 1, .even = true, .threads = 4, .crf = -1,
	  .apart = 16 },
	/* beside prores_ks: a sixth of its time, files 1.4 times as large, 3.6 dB nearer to what went in */
	{ .name = "prores-fast", .doc = "ProRes 422 HQ by FFmpeg's faster encoder: larger files, for "
	  "speed", .encoder = "prores_aw",
	 .options = "vendor=apl0", .profile = 3,
	  .exts = "mov", .sound = "pcm", .bits = 10, .bits_max = 10, .lw = 1, .even = true, .threads = 4, .crf = -1,
	  .apart = 16 },
	{ .name = "prores-4444", .doc = "ProRes 4444, 10 bits, with alpha when there is one, in MOV",
	 .encoder = "prores_ks",
	  .options = "profile=4444:vendor=apl0", .exts = "mov", .sound = "pcm", .bits = 10,
	    .bits_max = 10, .alpha = true,
	  .threads = 4, .crf = -1, .apart = 16 },
	{ .name = "master-dnxhr", .doc = "DNxHR HQX, 10 bits 4:2:2, in MOV", .encoder = "dnxhd",
	 .options = "profile=dnxhr_hqx",
	  .exts = "mov", .sound = "pcm", .bits = 10, .bits_max = 10, .lw = 1, .threads = 4, .min_w = 256,
	    .min_h = 120, .crf = -1 },
	{ .name = "h264", .doc = "H.264 4:2:0, 8 or 10 bits, crf 18", .encoder = "libx264",
	 .options = "preset=medium",
	  .exts = "mp4 m4v mov mkv", .sound = "aac alac", .bits = 8, .bits_max = 10, .lw = 1, .lh = 1,
	    .even = true,
	  .threads = 4, .crf = 18 },
	{ .name = "review", .doc = "H.264 4:2:0 of 8 bits, crf 23, with shot, timecodes, revision and "
	  "approvals burnt in",
	 .encoder = "libx264", .options = "preset=medium",
	  .exts = "mp4 m4v mov mkv", .sound = "aac alac", .bits = 8, .bits_max = 8, .lw = 1, .lh = 1,
	    .even = true, .burnin = true,
	  .threads = 4, .crf = 23 },
	{ .name = "h265", .doc = "H.265 4:2:0, 8, 10 or 12 bits, crf 20", .encoder = "libx265",
	  .options = "preset=medium:x265-params=log-level=-1\\:pools=2\\:frame-threads=2\\:info=0",
	  .exts = "mp4 m4v mov mkv", .sound = "aac alac", .bits = 10, .bits_max = 12, .lw = 1, .lh = 1,
	    .even = true,
	  /* libx265 3.5 writes beyond its lookahead's rows when a picture is narrower than a coding tree unit */
	  .threads = 1, .min_w = 64, .min_h = 64, .crf = 20 },
	/* both move the mean of grainy key frames by two codes of 8 bits unless their temporal filter is off */
	{ .name = "av1", .doc = "AV1 4:2:0, 10 or 8 bits, crf 24; film grain can go along as metadata",
	  .encoder = "libsvtav1",
	  .options = "preset=8:svtav1-params=lp=1\\:lookahead=8\\:enable-tf=0:g=240",
		.exts = "mp4 m4v mkv", .sound = "aac alac",
	  .bits = 10, .bits_max = 10, .lw = 1, .lh = 1, .even = true, .threads = 1, .min_w = 64,
		.min_h = 64, .crf = 24 },
	/* the only encoder that takes a table of film grain; seven times as slow */
	{ .name = "av1-grain", .doc = "AV1 with film grain as metadata", .encoder = "libaom-av1",
	  .options = "cpu-used=6:row-mt=1:tile-columns=1:g=240:aom-params=enable-keyframe-filtering=0",
		.exts = "mp4 m4v mkv",
	  .sound = "aac alac", .bits = 10, .bits_max = 10, .lw = 1, .lh = 1, .even = true, .threads = 4, .min_w = 64,
	  .min_h = 64, .crf = 24 },
	{ .name = "ffv1", .doc = "FFV1, lossless R,G,B of 16 bits, in Matroska", .encoder = "ffv1",
	  .options = "level=3:slicecrc=1:coder=range_def:context=0:g=1", .exts = "mkv", .sound = "flac",
	    .bits = 16, .bits_max = 16,
	  /* its four slices need sides of their own */
	  .rgb = true, .alpha = true, .threads = 4, .min_w = 3, .min_h = 3, .crf = -1, .apart = 2 },
	{ .name = "png", .kind = PRESET_PNG, .doc = "PNG files, 16 or 8 bits", .exts = "png", .bits = 16,
	 .bits_max = 16, .rgb = true,
	  .alpha = true, .crf = -1 },
	{ .name = "exr", .kind = PRESET_EXR, .doc = "OpenEXR files, float or half", .exts = "exr",
	 .rgb = true, .crf = -1 },
};

static const char *ending(const char *path)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
	return dot && (!slash || dot > slash) ? dot + 1 : "";
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = list; n && *p; p += strcspn(p, " "), p += *p == ' ')
		if (strcspn(p, " ") == n && !strncasecmp(p, word, n)) return true;
	return false;
}

const struct preset *preset_find(const char *name)
{
	for (size_t i = 0; i < IN_COUNT(presets); i++)
		if (!strcmp(presets[i].name, name)) return &presets[i];
	return NULL;
}

const struct preset *preset_for(const char *path)
{
	const char *x = ending(path);
	if (!strcasecmp(x, "mov")) return preset_find("master-prores");
	if (!strcasecmp(x, "mkv")) return preset_find("ffv1");
	if (!strcasecmp(x, "mp4") || !strcasecmp(x, "m4v")) return preset_find("h264");
	if (!strcasecmp(x, "png")) return preset_find("png");
	return !strcasecmp(x, "exr") ? preset_find("exr") : NULL;
}

int preset_ending(const struct preset *p, const char *path, struct err *e)
{
	if (has_word(p->exts, ending(path))) return 0;
	return err_set(e, E_SCENE, "%s: preset %s is written to files ending in .%.*s", path, p->name,
	               (int)strcspn(p->exts, " "), p->exts);
}

int preset_bits(const struct preset *p, int bits, struct err *e)
{
	bool eight = p->bits != 8 && (p->kind == PRESET_PNG || !strcmp(p->name, "h265") || !strncmp(p->name, "av1", 3));
	char most[16] = "";
	if (bits && p->kind == PRESET_EXR) return err_set(e, E_SCENE, "bits=\"%d\": EXR has no codes; its numbers are of depth=", bits);
	if (bits == 0 || bits == p->bits || bits == p->bits_max || (eight && bits == 8)) return 0;
	if (p->bits_max != p->bits) snprintf(most, sizeof most, " or %d", p->bits_max);
	return err_set(e, E_SCENE, "bits=\"%d\": preset %s writes %d%s%s bits", bits, p->name, p->bits, most, eight ? " or 8" : "");
}

int preset_desc(const struct preset *p, int w, int h, int bits, bool alpha, struct plane_desc *d,
                struct err *e)
{
	if (preset_bits(p, bits, e) < 0) return -1;
	if (bits == 0) bits = p->bits;
	if (w < p->min_w || h < p->min_h)
		return err_set(e, E_SCENE, "preset %s needs at least %dx%d, the picture is %dx%d", p->name,
		               p->min_w, p->min_h, w, h);
	*d = (struct plane_desc){ .w = w, .h = h, .depth = bits, .lw = p->lw, .lh = p->lh };
	d->rgb = p->rgb;
	d->alpha = p->alpha && alpha;
	if (p->even) {
		d->w += d->w & ((1 << p->lw) - 1);
		d->h += d->h & ((1 << p->lh) - 1);
	}
	return 0;
}
