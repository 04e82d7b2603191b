/* media - every frame of every kind of clip, in any order, against a full decode by the ffmpeg
 * program.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <sys/stat.h>

#include "hash.h"
#include "media.h"
#include "mem.h"
#include "test.h"

#define FF "ffmpeg -nostdin -v error -y "
#define SRC "-f lavfi -i testsrc2=size=176x144:rate=24:duration=3 "

static char path[512];

static const char *tmp(const char *name)
{
	snprintf(path, sizeof path, "%s/%s", test_tmp(), name);
	return path;
}

static int sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int sh(const char *fmt, ...)
{
	char cmd[2048];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(cmd, sizeof cmd, fmt, ap);
	va_end(ap);
	return system(cmd);
}

/* Planes as `-f rawvideo` writes them: gbrp order for RGB, one or two bytes a code. */
static size_t pack(const struct planes *p, uint8_t *o)
{
	static const int rgb[4] = { 1, 2, 0, 3 }, yuv[4] = { 0, 1, 2, 3 };
	size_t at = 0, bytes = p->d.depth > 8 ? 2 : 1;
	for (int k = 0; k < 4; k++) {
		int i = p->d.rgb ? rgb[k] : yuv[k];
		if (!plane_there(&p->d, i)) continue;
		int w = plane_width(&p->d, i), h = plane_height(&p->d, i);
		for (int y = 0; y < h; y++, at += (size_t)w * bytes)
			for (int x = 0; x < w; x++) {
				unsigned v = p->p[i][y * p->stride[i] + x];
				o[at + (size_t)x * bytes] = (uint8_t)v;
				if (bytes == 2) o[at + (size_t)x * 2 + 1] = (uint8_t)(v >> 8);
			}
	}
	return at;
}

/* Hashes of the frames of a full decode by the program; filter may lay a grid. */
static int oracle(const char *file, const char *pixfmt, const char *filter, size_t bytes,
                  struct pixhash *h, int max)
{
	char cmd[1400];
	snprintf(cmd, sizeof cmd, FF "-flags bitexact -threads 1 -i '%s' -map 0:v:0 %s -fps_mode "
	         "passthrough -pix_fmt %s "
	         "-f rawvideo - 2>/dev/null", file, filter, pixfmt);
	FILE *f = popen(cmd, "r");
	uint8_t *buf = malloc(bytes);
	int n = 0;
	while (n < max && fread(buf, 1, bytes, f) == bytes) h[n++] = pixhash_bytes(buf, bytes);
	free(buf);
	pclose(f);
	return n;
}

enum { MAX = 2048 };

static bool frame_is(struct media *m, int n, const struct pixhash *want, uint8_t *buf)
{
	const struct planes *p;
	struct err e = ERR_INIT;
	if (media_frame(m, n, &p, &e) != MEDIA_OK) { printf("# frame %d: %s\n", n, e.msg); return false; }
	struct pixhash h = pixhash_bytes(buf, pack(p, buf));
	if (h.lo != want->lo || h.hi != want->hi) printf("# frame %d differs\n", n);
	return h.lo == want->lo && h.hi == want->hi;
}

/* All frames forwards, backwards and jumping in one reader; some alone in a fresh one. */
static void compare(const char *name, const char *file, const char *pixfmt, const char *filter)
{
	static struct pixhash h[MAX];
	struct media *m = NULL;
	struct err e = ERR_INIT;
	if (media_open(file, NULL, &m, &e) < 0) { test_ok(0, "%s: %s", name, e.msg); return; }
	const struct media_info *in = media_about(m);
	const struct plane_desc *d = &in->desc;
	uint8_t *buf = malloc((size_t)d->w * (size_t)d->h * 8 + 64);
	const struct planes *p;
	size_t bytes = media_frame(m, 0, &p, &e) == MEDIA_OK ? pack(p, buf) : 1;
	int n = oracle(file, pixfmt ? pixfmt : in->pixfmt, filter, bytes, h, MAX), bad[3] = { 0 };
	test_ok(n == in->frames, "%s: %d frames, a full decode has %d", name, in->frames, n);
	if (n > in->frames) n = in->frames;
	for (int i = 0; i < n && bad[0] < 3; i++) bad[0] += !frame_is(m, i, &h[i], buf);
	for (int i = n - 1; i >= 0 && bad[1] < 3; i--) bad[1] += !frame_is(m, i, &h[i], buf);
	for (int i = 0; i < n && i < 60 && bad[2] < 3; i++) bad[2] +=
	    !frame_is(m, (int)(i * 7919L % n), &h[i * 7919L % n], buf);
	media_close(&m);
	int alone = 0;
	for (int i = 0; i < 5 && n > 0; i++) {
		int k = (int)((long)i * (n - 1) / 4);
		if (media_open(file, NULL, &m, &e) < 0) break;
		alone += frame_is(m, k, &h[k], buf);
		media_close(&m);
	}
	test_ok(n > 0 && !bad[0] && !bad[1] && !bad[2] && alone == 5,
	        "%s: same pictures forwards, backwards, jumping, alone", name);
	free(buf);
}

/* Clips of every awkward kind, made here. */
static void test_made(void)
{
	static const struct { const char *file, *args, *pixfmt, *filter; } made[] = {
		{ "long-gop.mp4", "-c:v libx264 -g 250 -bf 3 -pix_fmt yuv420p", NULL, "" },
		{ "open-gop.mp4", "-c:v libx264 -x264-params open-gop=1:keyint=20:min-keyint=20:bframes=3 "
		 "-pix_fmt yuv420p", NULL, "" },
		{ "open-gop.mkv", "-c:v libx264 -x264-params open-gop=1:keyint=20:min-keyint=20:bframes=3 "
		 "-pix_fmt yuv420p", NULL, "" },
		{ "intra-refresh.mp4", "-c:v libx264 -x264-params intra-refresh=1:keyint=24 -pix_fmt yuv420p",
		 NULL, "" },
		{ "ten-bit.mp4", "-c:v libx264 -pix_fmt yuv420p10 -g 30", NULL, "" },
		{ "444.mkv", "-c:v libx264 -pix_fmt yuv444p -g 30", NULL, "" },
		{ "full.mp4", "-c:v libx264 -pix_fmt yuvj420p -color_range pc -g 30", NULL, "" },
		{ "prores-alpha.mov", "-t 1 -vf format=rgba,colorchannelmixer=aa=0.5 -c:v prores_ks -profile:v "
		 "4444 -pix_fmt yuva444p10le", NULL, "" },
		{ "rgb.mkv", "-t 1 -c:v ffv1 -pix_fmt gbrp16le -g 10", NULL, "" },
		{ "interlaced.mp4", "-vf format=yuv420p -flags +ilme+ildct -c:v libx264 -x264-params tff=1 -g "
		 "25", NULL, "" },
		{ "interlaced.ts", "-vf format=yuv420p -flags +ilme+ildct -c:v mpeg2video -bf 2 -g 12 -top 1",
		 NULL, "" },
		{ "stream.ts", "-c:v libx264 -pix_fmt yuv420p -g 24", NULL, "" },
		{ "hevc.mp4", "-t 2 -c:v libx265 -preset fast -x265-params log-level=-1:keyint=12:open-gop=1 "
		 "-pix_fmt yuv420p", NULL, "" },
		{ "altref.webm", "-t 2 -c:v libvpx-vp9 -b:v 60k -auto-alt-ref 1 -lag-in-frames 16 -deadline "
		 "realtime -pix_fmt yuv420p", NULL, "" },
		{ "vp8.webm", "-t 2 -c:v libvpx -b:v 60k -auto-alt-ref 1 -lag-in-frames 16 -deadline good "
		 "-cpu-used 4 -pix_fmt yuv420p", NULL, "" },
		{ "packed.avi", "-t 2 -c:v mpeg4 -bf 2 -g 24", NULL, "" },
		{ "motion.mov", "-t 1 -c:v mjpeg -pix_fmt yuvj422p", NULL, "" },
		{ "dnx.mov", "-t 1 -vf scale=256x144 -c:v dnxhd -profile:v dnxhr_hqx -pix_fmt yuv422p10le",
		 NULL, "" },
		{ "bare.264", "-t 2 -c:v libx264 -pix_fmt yuv420p -g 24", NULL, "" },
		{ "ntsc.mkv", "-vf fps=30000/1001,format=yuv420p -c:v libx264 -g 30", NULL, "" },
		{ "dropped.mkv", "-vf \"select=not(eq(mod(n\\,7)\\,3)+between(n\\,30\\,42)),format=yuv420p\" "
		 "-fps_mode vfr -c:v libx264 -g 30",
		  NULL, NULL },
	};
	for (size_t i = 0; i < IN_COUNT(made); i++) {
		char file[512];
		snprintf(file, sizeof file, "%s", tmp(made[i].file));
		if (sh(FF SRC "%s '%s' >/dev/null 2>&1", made[i].args,
		       file)) { test_skip("%s: ffmpeg cannot make it", made[i].file); continue; }
		char grid[64] = "";
		if (!made[i].filter) {
			struct media_info in;
			struct err e = ERR_INIT;
			bool vfr = media_probe(file, NULL, &in, &e) == 0 && in.vfr;
			test_ok(vfr, "%s is of variable rate, on a grid of %d/%d", made[i].file,
			        in.fps.num, in.fps.den);
			snprintf(grid, sizeof grid, "-vf fps=%d/%d", in.fps.num, in.fps.den);
		}
		compare(made[i].file, file, made[i].pixfmt, grid);
	}
}

/* Copies cut in mid-group: the container's edit list hides the head. */
static void test_edit_list(void)
{
	char from[512], file[512];
	snprintf(from, sizeof from, "%s", tmp("long-gop.mp4"));
	snprintf(file, sizeof file, "%s", tmp("edit.mp4"));
	if (sh(FF "-ss 1.3 -i '%s' -c copy -t 1.2 '%s' >/dev/null 2>&1", from,
	       file)) { test_skip("edit list: ffmpeg cannot make it"); return; }
	compare("edit list", file, NULL, "");
}

static void test_given(void)
{
	static const char *const dirs[] = { "video", "live" };
	const char *data = test_data();
	if (!data) { test_skip("given clips: no ../shared/data"); return; }
	for (int i = 0; i < 2; i++) {
		char dir[300];
		snprintf(dir, sizeof dir, "%s/%s", data, dirs[i]);
		DIR *d = opendir(dir);
		for (const struct dirent *en; d && (en = readdir(d)); ) {
			char file[600];
			snprintf(file, sizeof file, "%s/%s", dir, en->d_name);
			struct stat st;
			const char *dot = strrchr(en->d_name, '.');
			if (en->d_name[0] == '.' || !dot || !strcmp(dot, ".yuv")) continue;
			/* the large ones take minutes and show nothing new: INTERNEG_ALL=1 brings them in */
			if (!getenv("INTERNEG_ALL") && (stat(file, &st) < 0 || st.st_size > 400000)) continue;
			compare(en->d_name, file, NULL, "");
		}
		if (d) closedir(d);
	}
}

static bool fails(const char *file, const char *raw, enum err_code code, const char *word)
{
	struct media *m = NULL;
	struct media_opts o = MEDIA_OPTS_INIT;
	struct err e = ERR_INIT;
	o.raw = raw;
	int rc = media_open(file, &o, &m, &e);
	media_close(&m);
	if (rc == 0 || e.code != code || !strstr(e.msg, word))
		printf("# rc %d code %d: %s\n", rc, e.code, e.msg);
	return rc < 0 && e.code == code && strstr(e.msg, word);
}

static void test_bad(void)
{
	char a[512], b[512];
	snprintf(a, sizeof a, "%s", tmp("empty.mp4"));
	sh(": > '%s'", a);
	test_ok(fails(a, NULL, E_INPUT, "is empty"), "an empty file says so");
	snprintf(a, sizeof a, "%s", tmp("text.mp4"));
	sh("yes hello | head -500 > '%s'", a);
	test_ok(fails(a, NULL, E_INPUT, "text"), "a text file named .mp4 says so");
	sh("printf '#EXTM3U\\n#EXT-X-TARGETDURATION:1\\n#EXTINF:1,\\n/etc/passwd\\n' > '%s'", a);
	test_ok(fails(a, NULL, E_INPUT, "text"), "a playlist is not followed");
	snprintf(b, sizeof b, "%s", tmp("long-gop.mp4"));
	sh("head -c 20000 '%s' > '%s'", b, a);
	test_ok(fails(a, NULL, E_INPUT, "cut off"), "a clip without its index says so");
	test_ok(fails("/no/such.mp4", NULL, E_INPUT, "No such file"), "an absent file says so");
	snprintf(a, sizeof a, "%s", tmp("bare.yuv"));
	sh("head -c 276480 /dev/urandom > '%s'", a);
	test_ok(fails(a, NULL, E_INPUT, "raw=\"320x192 yuv420p 12\""), "a headerless file gets the hint");
	test_ok(fails(a, "320x192 yuv420p", E_SCENE, "expected"), "half a raw= is refused");
	test_ok(fails(a, "321x192 yuv420p 12", E_INPUT, "whole number of frames"),
	        "raw= of another size is refused");
	struct media *m = NULL;
	struct media_opts o = MEDIA_OPTS_INIT;
	struct err e = ERR_INIT;
	o.raw = "320x192 yuv420p 12";
	test_ok(media_open(a, &o, &m, &e) == 0 && media_about(m)->frames == 3,
	        "raw= reads a headerless file");
	media_close(&m);
}

/* Which frames of a damaged clip are missing must not depend on the order of asking. */
static int verdicts(const char *file, bool backwards, char *out, int max)
{
	struct media *m = NULL;
	struct err e = ERR_INIT;
	if (media_open(file, NULL, &m, &e) < 0) return -1;
	int n = media_about(m)->frames;
	if (n > max) n = max;
	for (int k = 0; k < n; k++) {
		int i = backwards ? n - 1 - k : k;
		const struct planes *p;
		enum media_status st = media_frame(m, i, &p, &e);
		struct pixhash h = { 0, 0 };
		if (st == MEDIA_OK) planes_hash(p, &h);
		out[i] = (char)(st == MEDIA_OK ? 1 + (h.lo & 63) : 0);
	}
	media_close(&m);
	return n;
}

static void test_damage(void)
{
	char from[512], file[512], a[512] = { 0 }, b[512] = { 0 };
	snprintf(from, sizeof from, "%s", tmp("fast.mp4"));
	snprintf(file, sizeof file, "%s", tmp("cut.mp4"));
	if (sh(FF SRC "-c:v libx264 -g 24 -bf 2 -pix_fmt yuv420p -movflags +faststart '%s' >/dev/null "
	       "2>&1", from)) {
		test_skip("damage: no ffmpeg");
		return;
	}
	struct stat st;
	stat(from, &st);
	sh("head -c %lld '%s' > '%s'", (long long)st.st_size * 2 / 3, from, file);
	struct media_info in;
	struct err e = ERR_INIT;
	bool good = media_probe(file, NULL, &in, &e) == 0;
	test_ok(good && in.frames == 72 && in.missing > 10 && in.missing < 40,
	        "a truncated clip keeps its length and knows %d frames missing", in.missing);
	int n = verdicts(file, false, a, 512), k = verdicts(file, true, b, 512);
	test_ok(n == 72 && n == k && !memcmp(a, b, 72), "its verdicts hold in both directions");
}

/* Containers that have no list of their frames: what is there, and the frame in which the file breaks off. */
static void test_torn(void)
{
	static const char *const made[][2] = {
		{ "torn.mkv", "-c:v libx264 -g 24 -bf 2 -pix_fmt yuv420p" }, { "torn.webm", "-t 1 -c:v libvpx-vp9 -g 6 -b:v 400k" },
		{ "torn-ffv1.mkv", "-t 1 -c:v ffv1" }, { "torn.avi", "-t 1 -c:v mjpeg -pix_fmt yuvj420p" },
		{ "torn.y4m", "-t 1 -pix_fmt yuv420p" },
	};
	for (size_t i = 0; i < IN_COUNT(made); i++) {
		char file[512], cut[512], a[512] = { 0 }, b[512] = { 0 };
		struct stat st;
		struct media_info whole = { .missing = -1 }, in = { .missing = -1 };
		struct err e = ERR_INIT;
		snprintf(file, sizeof file, "%s", tmp(made[i][0]));
		snprintf(cut, sizeof cut, "%s", tmp("cut."));
		snprintf(cut + strlen(cut), 8, "%s", strrchr(file, '.') + 1);
		if (sh(FF SRC "%s '%s' >/dev/null 2>&1", made[i][1], file) || stat(file, &st) < 0) { test_skip("%s", file); continue; }
		sh("head -c %lld '%s' > '%s'", (long long)st.st_size * 2 / 3, file, cut);
		bool good = media_probe(file, NULL, &whole, &e) == 0 && media_probe(cut, NULL, &in, &e) == 0;
		test_ok(good && whole.missing == 0 && in.missing == 1 && in.frames < whole.frames && in.frames > 4,
		        "%s: %d of %d frames, cut off in the last %s", made[i][0], in.frames, whole.frames, e.msg);
		int n = verdicts(cut, false, a, 512), k = verdicts(cut, true, b, 512), lost = 0;
		for (int q = 0; q < n; q++) lost += !a[q];
		test_ok(n == in.frames && n == k && !memcmp(a, b, sizeof a) && lost == 1 && !a[n - 1], "%s: all but the last are read", made[i][0]);
	}
}

/* What a damaged clip shows and lacks is the same in both directions and for every number of threads. */
static void test_broken(void)
{
	static const struct { const char *file, *args; } made[] = {
		{ "b.mp4", "-c:v libx264 -g 24 -bf 2 -pix_fmt yuv420p" },
		{ "b-open.mkv", "-c:v libx264 -x264-params open-gop=1:keyint=12:bframes=3 -pix_fmt yuv420p" },
		{ "b-pro.mov", "-t 1 -c:v prores_ks -pix_fmt yuv422p10le" },
		{ "b-mj.mov", "-t 1 -c:v mjpeg -pix_fmt yuvj420p" },
		{ "b-ffv1.mkv", "-t 1 -c:v ffv1 -level 3 -slicecrc 1 -g 6" },
	};
	for (size_t i = 0; i < IN_COUNT(made); i++) {
		char file[512], v[4][512] = { { 0 } };
		struct stat st;
		snprintf(file, sizeof file, "%s", tmp(made[i].file));
		if (sh(FF SRC "%s '%s' >/dev/null 2>&1", made[i].args, file) || stat(file, &st) < 0) continue;
		sh("for i in 2 3 4 5; do printf '\\377\\000\\021\\200\\377\\001\\002' | dd of='%s' bs=1 "
		   "conv=notrunc seek=$((%lld * i / 8 + i * 37)) 2>/dev/null; done", file, (long long)st.st_size);
		int n = verdicts(file, false, v[0], 512), missing = 0;
		bool same = n > 0 && verdicts(file, true, v[1], 512) == n;
		media_setup(3);
		same = same && verdicts(file, false, v[2], 512) == n && verdicts(file, true, v[3], 512) == n;
		media_setup(1);
		for (int k = 1; k < 4; k++) same = same && !memcmp(v[0], v[k], sizeof v[0]);
		for (int k = 0; k < n; k++) missing += !v[0][k];
		test_ok(same && missing > 0 && missing < n,
		        "damaged %s lacks the same %d of %d frames, however it is read", made[i].file, missing, n);
	}
}

static void test_robust(void)
{
	static const char *const dirs[] = { "mp4", "png" };
	const char *data = test_data();
	if (!data) { test_skip("robust: no ../shared/data"); return; }
	int n = 0, bad = 0;
	for (int i = 0; i < 2; i++) {
		char dir[300];
		snprintf(dir, sizeof dir, "%s/robust/%s", data, dirs[i]);
		DIR *d = opendir(dir);
		for (const struct dirent *en; d && (en = readdir(d)); ) {
			char file[600];
			if (en->d_name[0] == '.') continue;
			snprintf(file, sizeof file, "%s/%s", dir, en->d_name);
			struct media *m = NULL;
			struct err e = ERR_INIT;
			const struct planes *p;
			int rc = media_open(file, NULL, &m, &e);
			for (int k = 0; rc == 0 && k < media_about(m)->frames && k < 50; k++) media_frame(m, k, &p, &e);
			bool good = rc == 0 || ((e.code == E_INPUT || e.code == E_MEMORY) && strstr(e.msg, en->d_name));
			if (!good) printf("# %s: code %d %s\n", en->d_name, e.code, e.msg);
			n++;
			bad += !good;
			media_close(&m);
		}
		if (d) closedir(d);
	}
	test_ok(n > 20 && bad == 0, "%d damaged and odd files are read or refused by name", n);
}

static void test_sequence(void)
{
	char pat[512], file[512];
	int *v, n;
	struct err e = ERR_INIT;
	snprintf(pat, sizeof pat, "%s", tmp("seq.%04d.png"));
	if (sh(FF SRC "-frames:v 6 -start_number 98 '%s' >/dev/null 2>&1",
	       pat)) { test_skip("sequence: no ffmpeg"); return; }
	snprintf(file, sizeof file, "%s", tmp("seq.0101.png"));
	unlink(file);
	test_ok(seq_list(pat, &v, &n, &e) == 0 && n == 5 && v[0] == 98 && v[4] == 103,
	        "a sequence keeps its numbers");
	free(v);
	struct media *m = NULL;
	const struct planes *p;
	snprintf(pat, sizeof pat, "%s", tmp("seq.####.png"));
	test_ok(media_open(pat, NULL, &m, &e) == 0 && media_about(m)->frames == 6
	        && media_about(m)->missing == 1
	        && media_frame(m, 3, &p, &e) == MEDIA_MISSING && strstr(e.msg, "seq.0101.png")
	    && media_frame(m, 4, &p, &e) == MEDIA_OK,
	        "and a gap in it is a missing frame, named");
	media_close(&m);
}

static void test_rates(void)
{
	struct rational r[] = { { 24000, 1001 }, { 24, 1 }, { 30000, 1001 }, { 16, 1 }, { 8, 1 },
	                       { 29, 1 } };
	for (size_t i = 0; i < IN_COUNT(r); i++) {
		char file[512];
		struct media_info in = { 0 };
		struct err e = ERR_INIT;
		snprintf(file, sizeof file, "%s", tmp("rate.mkv"));
		if (sh(FF "-f lavfi -i testsrc2=size=64x64:rate=%d/%d -frames:v 37 -c:v ffv1 '%s' >/dev/null "
		       "2>&1", r[i].num, r[i].den, file)) continue;
		bool good = media_probe(file, NULL, &in, &e) == 0;
		test_ok(good && in.fps.num == r[i].num && in.fps.den == r[i].den && !in.vfr && in.frames == 37,
		        "%d/%d in millisecond stamps is %d/%d", r[i].num, r[i].den, in.fps.num, in.fps.den);
	}
}

int main(void)
{
	if (sh("ffmpeg -version >/dev/null 2>&1")) { test_skip("media: no ffmpeg program to compare "
	                                                       "with"); return 0; }
	media_setup(1);
	test_made();
	test_edit_list();
	test_rates();
	test_bad();
	test_damage();
	test_torn();
	test_broken();
	test_sequence();
	test_robust();
	test_given();
	sh("rm -rf '%s'", test_tmp());
	TEST_END();
}
