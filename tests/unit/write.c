/* write - a colour chart through every preset and back, tags, sound to the sample, repeatable
 * bytes, clean failure.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <math.h>

#include "colour.h"
#include "hash.h"
#include "media.h"
#include "media_check.h"
#include "media_write.h"
#include "px_yuv.h"
#include "test.h"

#ifdef __SANITIZE_ADDRESS__
/* libx265 3.5 itself leaks the copy of its parameters at every open. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void) { return "leak:libx265\n"; }
#endif

enum { W = 288, H = 160, FRAMES = 6 };

static char path[512];

static char *tmp(const char *name)
{
	snprintf(path, sizeof path, "%s/%s", test_tmp(), name);
	return path;
}

/* 100 % bars above a gray ramp. */
static void chart(int x, int y, int w, int h, float rgb[3])
{
	static const int bars[8] = { 7, 6, 3, 2, 5, 4, 1, 0 };   /* bit 2 red, 1 green, 0 blue */
	int b = bars[x * 8 / w];
	for (int i = 0; i < 3; i++)
		rgb[i] = y < h * 2 / 3 ? (float)(b >> (2 - i) & 1) : (float)(x * 16 / w) / 15;
}

static void fill(struct planes *p, const struct yuv_coef *k)
{
	static float u[H + 2][W + 64], v[H + 2][W + 64], row[6][W + 64], noise[W + 64];
	struct yuv_dither none = { false, 0, 0, 0 };
	int w = p->d.w, h = p->d.h, cw = plane_width(&p->d, 1);
	for (int y = 0; y < h; y++) {
		for (int x = 0; x < w; x++) {
			float c[3];
			chart(x, y, w, h, c);
			for (int i = 0; i < 3; i++) row[i][x + 32] = c[i];
		}
		for (int i = 0; i < 3 && p->d.rgb; i++) {
			for (int x = 0; x < w; x++) row[3][x] = row[i][x + 32] * k->yscale + k->yoff;
			yuv_store(k, &none, i, y, w, row[3], noise, p->p[i] + y * p->stride[i]);
		}
		if (p->d.rgb) continue;
		yuv_from_rgb(k, w, row[0] + 32, row[1] + 32, row[2] + 32, row[3], row[4] + 32, row[5] + 32);
		yuv_store(k, &none, 0, y, w, row[3], noise, p->p[0] + y * p->stride[0]);
		yuv_narrow(k, row[4] + 32, w, cw, u[y]);
		yuv_narrow(k, row[5] + 32, w, cw, v[y]);
	}
	for (int y = 0; !p->d.rgb && y < plane_height(&p->d, 1); y++) {
		yuv_shorten(k, u[0], W + 64, h, cw, y, row[3]);
		yuv_store(k, &none, 1, y, cw, row[3], noise, p->p[1] + y * p->stride[1]);
		yuv_shorten(k, v[0], W + 64, h, cw, y, row[3]);
		yuv_store(k, &none, 2, y, cw, row[3], noise, p->p[2] + y * p->stride[2]);
	}
}

static const char *const root = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

struct job { const char *preset, *file; int w, h, bits; enum yuv_matrix m; enum yuv_range r;
            const char *space; struct sound_job sound; int frames; };

static int write_chart(const struct job *j, struct planes *p, struct yuv_coef *k, bool commit,
                       struct err *e)
{
	const struct preset *ps = preset_find(j->preset);
	struct media_writer *w = NULL;
	struct plane_desc d;
	if (preset_desc(ps, j->w, j->h, j->bits, false, &d, e) < 0 || planes_new(p, &d, e) < 0) return -1;
	yuv_coef_init(k, &d, j->m, j->r, YS_LEFT);
	fill(p, k);
	struct write_spec s = { .path = j->file, .preset = ps, .desc = d, .par = { 1, 1 },
	                       .fps = { 24, 1 }, .space = colour_find(j->space),
		.matrix = j->m, .range = j->r, .siting = YS_LEFT, .crf = 8, .nframes = j->frames, .root = root,
		    .sound = j->sound };
	if (media_writer_open(&s, &w, e) < 0) return -1;
	for (int i = 0; i < j->frames; i++)
		if (media_writer_frame(w, p, e) < 0) { struct err x = ERR_INIT;
		                                      media_writer_close(&w, false, &x); return -1; }
	return media_writer_close(&w, commit, e);
}

static int probe_says(const char *file, const char *want)
{
	char cmd[900], line[400] = "";
	snprintf(cmd, sizeof cmd, "ffprobe -v error -select_streams v -show_entries "
	         "stream=color_range,color_space,color_transfer,color_primaries "
	         "-of csv=p=0 '%s'", file);
	FILE *f = popen(cmd, "r");
	if (f && !fgets(line, sizeof line, f)) line[0] = 0;
	if (f) pclose(f);
	line[strcspn(line, "\n")] = 0;
	if (strcmp(line, want)) printf("# ffprobe says %s\n", line);
	return !strcmp(line, want);
}

/* Flat middles of the patches: codes against what was handed in, R,G,B against the chart. */
static void check_back(const struct job *j, const struct planes *in, const char *label, double tol)
{
	struct media *m = NULL;
	struct err e = ERR_INIT;
	const struct planes *p;
	if (media_open(j->file, NULL, &m, &e) < 0 || media_frame(m, FRAMES - 1, &p, &e) != MEDIA_OK) {
		test_ok(0, "%s: %s", label, e.msg);
		media_close(&m);
		return;
	}
	int off = 0;
	double worst = 0;
	static float rgb[3][W + 2], scratch[3 * (W + 256)];
	for (int i = 0; i < 3; i++) {
		int w = plane_width(&p->d, i), h = plane_height(&p->d, i);
		for (int y = h / 8; y < h; y += h / 4)
			for (int x = w / 32; x < w; x += w / 16) {
				/* ProRes 4444 is decoded with 12 bits */
				int d = p->p[i][y * p->stride[i] + x]
				    - (in->p[i][y * in->stride[i] + x] << (p->d.depth - in->d.depth));
				if (d < 0) d = -d;
				if (d > off) off = d;
			}
	}
	for (int y = H / 8; y < H; y += H / 4) {
		yuv_row_rgb(p, media_coef(m), y, scratch, rgb[0], rgb[1], rgb[2], NULL);
		for (int x = W / 32; x < W; x += W / 16) {
			float c[3];
			chart(x, y, W, H, c);
			for (int i = 0; i < 3; i++) {
				double d = rgb[i][x] - c[i];
				if (d < 0) d = -d;
				if (d > worst) worst = d;
			}
		}
	}
	char have[65] = "";
	test_ok(media_about(m)->frames == FRAMES && off <= (p->d.depth > 12 ? 0 : 1 << (p->d.depth - 8))
	        && worst < tol, "%s: the chart comes back, at most %d of %d-bit codes off, R,G,B within "
	    "%.4f",
	        label, off, p->d.depth, worst);
	test_ok(media_root(j->file, have) == 0 && !strcmp(have, root), "%s: carries its root key", label);
	media_close(&m);
}

static void test_charts(void)
{
	static const struct { const char *preset, *ext; int bits; enum yuv_matrix m; enum yuv_range r;
	                     const char *space, *tags; double tol; } c[] = {
		{ "master-prores", "mov", 0, YM_BT709, YR_LIMITED, "rec709", "tv,bt709,bt709,bt709", .006 },
		{ "prores-4444", "mov", 0, YM_BT709, YR_LIMITED, "rec709", "tv,bt709,bt709,bt709", .006 },
		{ "prores-fast", "mov", 0, YM_BT709, YR_LIMITED, "rec709", "tv,bt709,bt709,bt709", .006 },
		{ "master-dnxhr", "mov", 0, YM_BT709, YR_LIMITED, "rec709", "tv,bt709,bt709,bt709", .006 },
		{ "h264", "mp4", 0, YM_BT709, YR_LIMITED, "rec709", "tv,bt709,bt709,bt709", .02 },
		{ "h264", "mkv", 10, YM_BT601, YR_FULL, "rec601", "pc,smpte170m,smpte170m,smpte170m", .006 },
		{ "h265", "mp4", 0, YM_BT2020, YR_LIMITED, "pq", "tv,bt2020nc,smpte2084,bt2020", .006 },
		{ "h265", "mp4", 8, YM_BT709, YR_LIMITED, "srgb", "tv,bt709,iec61966-2-1,bt709", .02 },
		{ "ffv1", "mkv", 0, YM_RGB, YR_FULL, "rec709", "pc,gbr,bt709,bt709", .0001 },
	};
	for (size_t i = 0; i < IN_COUNT(c); i++) {
		char file[512], again[512], name[64], label[80];
		struct planes p = { 0 }, q = { 0 };
		struct yuv_coef k;
		struct err e = ERR_INIT;
		snprintf(label, sizeof label, "%s%s %s", c[i].preset,
		         c[i].bits ? c[i].bits == 8 ? " 8" : " 10" : "", c[i].space);
		snprintf(name, sizeof name, "chart%zu.%s", i, c[i].ext);
		snprintf(file, sizeof file, "%s", tmp(name));
		snprintf(name, sizeof name, "again%zu.%s", i, c[i].ext);
		snprintf(again, sizeof again, "%s", tmp(name));
		struct job j = { c[i].preset, file, W, H, c[i].bits, c[i].m, c[i].r, c[i].space,
		                { NULL, { 0, 1 }, 0 }, FRAMES };
		if (write_chart(&j, &p, &k, true, &e) < 0) { test_ok(0, "%s: %s", label, e.msg);
		                                            planes_free(&p); continue; }
		check_back(&j, &p, label, c[i].tol);
		test_ok(probe_says(file, c[i].tags), "%s: tagged %s", label, c[i].tags);
		j.file = again;
		struct key a, b;
		bool same = write_chart(&j, &q, &k, true, &e) == 0 && hash_file(file, &a, &e) == 0
		    && hash_file(again, &b, &e) == 0 && key_eq(&a, &b);
		test_ok(same, "%s: written again, the same bytes", label);
		planes_free(&p);
		planes_free(&q);
	}
}

/* Largest mean difference of a plane's last column, as a share of the codes. */
static double last_column(const char *file, const struct planes *in)
{
	struct media *m = NULL;
	struct err e = ERR_INIT;
	const struct planes *p;
	double worst = 0;
	if (media_open(file, NULL, &m, &e) < 0 || media_frame(m, 0, &p, &e) != MEDIA_OK) { media_close(&m); return 1; }
	for (int i = 0; i < 3; i++) {
		int x = plane_width(&in->d, i) - 1, h = plane_height(&in->d, i);
		double sum = 0;
		for (int y = 0; y < h; y++)
			sum += (double)p->p[i][y * p->stride[i] + x] / (1 << p->d.depth) -
			       (double)in->p[i][y * in->stride[i] + x] / (1 << in->d.depth);
		worst = fmax(worst, fabs(sum / h));
	}
	media_close(&m);
	return worst;
}

static void test_sizes(void)
{
	static const char *const names[] = { "master-prores", "h264", "h265", "ffv1", "prores-fast", "master-dnxhr" },
	    *const exts[] = { "mov", "mp4", "mp4", "mkv", "mov", "mov" };
	for (size_t i = 0; i < IN_COUNT(names); i++) {
		struct planes p = { 0 };
		struct yuv_coef k;
		struct err e = ERR_INIT;
		char file[512], name[40];
		snprintf(name, sizeof name, "odd%zu.%s", i, exts[i]);
		snprintf(file, sizeof file, "%s", tmp(name));
		int w = i == 5 ? 257 : i == 2 ? 71 : 33, h = i == 5 ? 121 : i == 2 ? 65 : 17;      /* of those with a minimum */
		struct job j = { names[i], file, w, h, 0, YM_BT709, i == 3 ? YR_FULL : YR_LIMITED, "rec709",
		                { NULL, { 0, 1 }, 0 }, 3 };
		int rc = write_chart(&j, &p, &k, true, &e);
		struct media_info in = { .frames = 0 };
		if (rc == 0) rc = media_probe(file, NULL, &in, &e);
		test_ok(rc == 0 && in.frames == 3 && in.desc.w >= w && in.desc.w <= w + 1 && in.desc.h >= h
		        && in.desc.h <= h + 1,
		        "%s: %dx%d is written as %dx%d %s", names[i], w, h, in.desc.w, in.desc.h, e.msg);
		double off = rc == 0 ? last_column(file, &p) : 1;
		test_ok(off < 0.02, "%s: its last column is %.4f off", names[i], off);
		planes_free(&p);
	}
	struct plane_desc d;
	struct err e = ERR_INIT;
	test_ok(preset_desc(preset_find("ffv1"), 2, 200, 0, false, &d, &e) < 0 && strstr(e.msg, "at least 3x3"),
	        "ffv1: 2x200 is refused: %s", e.msg);
}

static size_t slurp(const char *cmd, int16_t *v, size_t max)
{
	FILE *f = popen(cmd, "r");
	size_t n = f ? fread(v, sizeof *v, max, f) : 0;
	if (f) pclose(f);
	return n;
}

/* 48 frames of stereo noise; frames 11-30 of it must be exactly those samples. */
static void test_sound(void)
{
	char src[300], file[300], cmd[1000];
	enum { RATE = 48000, MAX = 1 << 19 };
	static int16_t all[MAX], cut[MAX];
	snprintf(src, sizeof src, "%s", tmp("sound.mov"));
	snprintf(file, sizeof file, "%s", tmp("cut.mov"));
	snprintf(cmd, sizeof cmd, "ffmpeg -nostdin -v error -y -f lavfi -i "
	         "testsrc2=size=64x64:rate=24:duration=2 -f lavfi -i "
	         "'anoisesrc=r=48000:d=2:seed=3:amplitude=0.5,aformat=channel_layouts=stereo' -c:v mjpeg "
	    "-c:a pcm_s16le '%s' 2>/dev/null", src);
	if (system(cmd)) { test_skip("sound: no ffmpeg"); return; }
	struct planes p = { 0 };
	struct yuv_coef k;
	struct err e = ERR_INIT;
	struct job j = { "master-prores", file, 64, 64, 0, YM_BT709, YR_LIMITED, "rec709",
	                { src, { 24, 1 }, 10 }, 20 };
	int rc = write_chart(&j, &p, &k, true, &e);
	planes_free(&p);
	snprintf(cmd, sizeof cmd, "ffmpeg -nostdin -v error -i '%s' -map 0:a -f s16le -", src);
	size_t n = slurp(cmd, all, MAX);
	snprintf(cmd, sizeof cmd, "ffmpeg -nostdin -v error -i '%s' -map 0:a -f s16le -", file);
	size_t got = rc == 0 ? slurp(cmd, cut, MAX) : 0, first = 10 * RATE / 24, want = 20 * RATE / 24;
	test_ok(n == 2 * 2 * RATE && got == 2 * want && !memcmp(cut, all + 2 * first, got * sizeof *cut),
	        "sound is cut to the sample (%zu of %zu samples) %s", got / 2, want, e.msg);
	snprintf(file, sizeof file, "%s", tmp("cut.mp4"));
	j.preset = "h264";
	rc = write_chart(&j, &p, &k, true, &e);
	planes_free(&p);
	struct media_info in = { .naudio = 0 };
	bool good = rc == 0 && media_probe(file, NULL, &in, &e) == 0 && in.naudio == 1;
	test_ok(good && !strcmp(in.audio[0].codec, "aac") && in.audio[0].rate == RATE
	        && in.audio[0].channels == 2, "an MP4 gets it as AAC %s", e.msg);
	snprintf(cmd, sizeof cmd, "ffmpeg -nostdin -v error -i '%s' -map 0:a -f s16le -", file);
	got = good ? slurp(cmd, cut, MAX) : 0;
	/* where AAC puts the sound: the shift with the greatest correlation is 0 */
	double best = -1e30;
	int shift = 999;
	for (int s = -40; s <= 40 && got > 20000; s++) {
		double c = 0;
		for (int i = 4000; i < 12000; i++) c += (double)cut[2 * (i + s)] * all[2 * ((int)first + i)];
		if (c > best) { best = c; shift = s; }
	}
	test_ok(shift == 0, "and in its place (shift %d samples)", shift);
	j.sound.file = "/no/such.mov";
	snprintf(file, sizeof file, "%s", tmp("mute.mov"));
	j.preset = "master-prores";
	rc = write_chart(&j, &p, &k, true, &e);
	planes_free(&p);
	test_ok(rc == 0, "a source without sound gives a clip without");
}

static int files_in(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;
	for (const struct dirent *en; d && (en = readdir(d)); )
		n += strcmp(en->d_name, ".") && strcmp(en->d_name, "..");
	if (d) closedir(d);
	return n;
}

static void test_failure(void)
{
	char file[320], dir[300];
	struct planes p = { 0 };
	struct yuv_coef k;
	struct err e = ERR_INIT;
	snprintf(dir, sizeof dir, "%s", tmp("deep/er"));
	snprintf(file, sizeof file, "%s/x.mp4", dir);
	struct job j = { "h264", file, 64, 64, 0, YM_BT709, YR_LIMITED, "rec709", { NULL, { 0, 1 }, 0 },
	                3 };
	int rc = write_chart(&j, &p, &k, false, &e);
	planes_free(&p);
	test_ok(rc == 0 && files_in(dir) == 0, "an abandoned clip leaves nothing behind");
	j.file = "/proc/no/x.mp4";
	rc = write_chart(&j, &p, &k, true, &e);
	planes_free(&p);
	test_ok(rc < 0 && e.code == E_OUTPUT && strstr(e.msg, "/proc/no"),
	        "an impossible folder is named: %s", e.msg);
	j.file = "/dev/full/x.mp4";
	err_clear(&e);
	rc = write_chart(&j, &p, &k, true, &e);
	planes_free(&p);
	test_ok(rc < 0 && e.code == E_OUTPUT, "a file in place of a folder too: %s", e.msg);
	err_clear(&e);
	j.preset = "master-dnxhr";
	j.file = file;
	rc = write_chart(&j, &p, &k, true, &e);
	planes_free(&p);
	test_ok(rc < 0 && e.code == E_SCENE && strstr(e.msg, "256x120"),
	        "a picture too small for a codec is refused: %s", e.msg);
}

static void test_png(void)
{
	static const int bits[2] = { 8, 16 };
	for (int b = 0; b < 2; b++) {
		char file[512], have[65] = "";
		struct planes p = { 0 };
		struct plane_desc d;
		struct yuv_coef k;
		struct err e = ERR_INIT;
		const struct planes *q;
		struct media *m = NULL;
		const char *text[] = { "interneg_root", root, "interneg_color", "rec2020", NULL };
		snprintf(file, sizeof file, "%s", tmp(b ? "c16.png" : "c8.png"));
		preset_desc(preset_find("png"), 101, 67, bits[b], false, &d, &e);
		planes_new(&p, &d, &e);
		yuv_coef_init(&k, &d, YM_RGB, YR_FULL, YS_LEFT);
		fill(&p, &k);
		struct pixhash x = { 0, 0 }, y = { 1, 1 };
		planes_hash(&p, &x);
		int rc = media_png_write(file, &p, (struct rational){ 1, 1 }, text, &e);
		if (rc == 0) rc = media_open(file, NULL, &m, &e);
		if (rc == 0 && media_frame(m, 0, &q, &e) == MEDIA_OK) planes_hash(q, &y);
		test_ok(rc == 0 && x.lo == y.lo && x.hi == y.hi && !strcmp(media_about(m)->color.value, "rec2020")
		        && media_root(file, have) == 0 && !strcmp(have, root),
		    "a PNG of %d bits comes back as it was, with key and space %s", bits[b], e.msg);
		media_close(&m);
		planes_free(&p);
	}
}

/* What the file gives back against something else than what went in. */
static void test_check(void)
{
	struct job j = { "ffv1", NULL, W, H, 0, YM_RGB, YR_FULL, "rec709", { 0 }, 2 };
	struct planes p = { 0 };
	struct yuv_coef k;
	struct err e = ERR_INIT;
	struct media_check c;
	char file[512];
	snprintf(file, sizeof file, "%s", tmp("check.mkv"));
	j.file = file;
	test_ok(write_chart(&j, &p, &k, true, &e) == 0, "check: a clip");
	struct write_spec s = { .path = file, .preset = preset_find("ffv1"), .desc = p.d, .par = { 1, 1 }, .fps = { 24, 1 },
		.space = colour_find("rec709"), .matrix = YM_RGB, .range = YR_FULL, .nframes = 2 };
	check_frame(&c.first, &p);
	check_frame(&c.last, &p);
	test_ok(media_check_clip(&c, &s, file, &e) == 0, "check: what went in comes back");
	s.nframes = 3;
	test_ok(media_check_clip(&c, &s, file, &e) < 0 && e.code == E_OUTPUT && strstr(e.msg, "gives back 2"), "check: a frame too few");
	s.nframes = 2;
	err_clear(&e);
	p.p[1][5 * p.stride[1] + 7] ^= 1;
	check_frame(&c.last, &p);
	test_ok(media_check_clip(&c, &s, file, &e) < 0 && e.code == E_OUTPUT && strstr(e.msg, "frame 2"), "check: one bit of a lossless frame");
	err_clear(&e);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) p.p[2][y * p.stride[2] + x] = (uint16_t)(p.p[2][y * p.stride[2] + x] / 2 + 8192);
	struct check_frame bent;
	check_frame(&bent, &p);
	double in = 0, out = 0;
	for (int b = 0; b < CHECK_ACROSS * CHECK_DOWN; b++) in += c.first.block[2][b], out += bent.block[2][b];
	struct check_bend d = check_compare(&c.first, &bent);
	test_ok(d.plane == 2 && d.mean * (CHECK_ACROSS * CHECK_DOWN) - (out - in) < 1e-6 && d.block > 60, "check: the plane that moved and how far: %g %g",
	        d.mean, d.block);
	test_ok(media_check_clip(&c, &s, "/nonexistent", &e) < 0 && e.code == E_OUTPUT, "check: a file that is not there");
	planes_free(&p);
}

/* Frame i of a clip whose frames differ; the chart at first. */
static void stir(struct planes *p, const struct plane_desc *d, int i)
{
	for (int k = 0; k < 3; k++)
		for (int y = 0; y < plane_height(d, k); y++)
			for (int x = 0; x < plane_width(d, k); x++) {
				uint16_t *v = &p->p[k][y * p->stride[k] + x];
				*v = (uint16_t)(*v ^ ((x * 7 + y * 13 + i * 31) & 15));
			}
}

/* The same frames, in turn by one encoder, or apart: by three of them, from the last to the first. */
static int write_stirred(const char *name, const char *file, bool apart, struct err *e)
{
	struct planes p[FRAMES];
	struct AVPacket *packet[FRAMES] = { NULL };
	struct media_writer *w = NULL;
	struct yuv_coef k;
	struct plane_desc d;
	int rc = preset_desc(preset_find(name), W, H, 0, false, &d, e);
	struct write_spec s = { .path = file, .preset = preset_find(name), .desc = d, .par = { 1, 1 }, .fps = { 24, 1 },
		.space = colour_find("rec709"), .matrix = YM_BT709, .range = d.rgb ? YR_FULL : YR_LIMITED,
		.siting = YS_LEFT, .crf = -1, .nframes = FRAMES, .root = root, .check = true, .coders = apart ? 3 : 0 };
	yuv_coef_init(&k, &d, s.matrix, s.range, s.siting);
	for (int i = 0; i < FRAMES; i++) {
		if (planes_new(&p[i], &d, e) < 0) return -1;
		fill(&p[i], &k);
		stir(&p[i], &d, i);
	}
	if (rc == 0) rc = media_writer_open(&s, &w, e);
	for (int i = FRAMES - 1; i >= 0 && rc == 0 && apart; i--)
		rc = media_writer_code(w, i % 3, &p[i], i == 0, i == FRAMES - 1, &packet[i], e);
	for (int i = 0; i < FRAMES && rc == 0; i++)
		rc = apart ? media_writer_put(w, &packet[i], e) : media_writer_frame(w, &p[i], e);
	for (int i = 0; i < FRAMES; i++) {
		planes_free(&p[i]);
		media_packet_free(&packet[i]);
	}
	return media_writer_close(&w, rc == 0, e) < 0 ? -1 : rc;
}

static void test_apart(void)
{
	static const char *const names[] = { "master-prores", "prores-fast", "prores-4444", "ffv1" };
	for (size_t i = 0; i < IN_COUNT(names); i++) {
		struct err e = ERR_INIT;
		char one[512], three[512];
		const char *x = strcmp(names[i], "ffv1") ? "mov" : "mkv";
		snprintf(one, sizeof one, "%s/one.%s", test_tmp(), x);
		snprintf(three, sizeof three, "%s/three.%s", test_tmp(), x);
		struct key a, b;
		bool there = write_stirred(names[i], one, false, &e) == 0 && write_stirred(names[i], three, true, &e) == 0
			&& hash_file(one, &a, &e) == 0 && hash_file(three, &b, &e) == 0;
		test_ok(there && key_eq(&a, &b), "%s: encoded apart, in any order, the same bytes %s", names[i], e.msg);
	}
}

int main(void)
{
	media_setup(1);
	test_apart();
	test_check();
	test_charts();
	test_sizes();
	test_sound();
	test_png();
	test_failure();
	char cmd[300];
	snprintf(cmd, sizeof cmd, "rm -rf '%s'", test_tmp());
	if (system(cmd)) printf("# could not clean up\n");
	TEST_END();
}
