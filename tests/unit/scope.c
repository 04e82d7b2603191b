/* scope - counts and positions against ramps, SMPTE RP 219's codes, CIE primaries, and FFmpeg's
 * scopes on colour bars.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "scope.h"

#include "colour.h"
#include "test.h"

enum { BW = 192, BH = 108 };

static struct pool *pool;

static struct image *picture(int w, int h, const char *space)
{
	struct err e = ERR_INIT;
	struct format f = { .data = { 0, 0, w, h }, .display = { 0, 0, w, h }, .par = { 1, 1 },
	                   .fps = { 24, 1 },
	                    .first = 1, .last = 1 };
	f.space = f.encoded = colour_find(space);
	format_channels(&f, "R G B");
	return image_new(pool, &f, "scope", &e);
}

static void put(struct image *im, int x, int y, double r, double g, double b)
{
	*view_at(&im->view, 0, x, y) = (float)r;
	*view_at(&im->view, 1, x, y) = (float)g;
	*view_at(&im->view, 2, x, y) = (float)b;
}

static struct signal open_signal(const struct image *im, enum yuv_range range, int bits)
{
	struct err e = ERR_INIT;
	struct scope_opts o = scope_defaults(im->fmt.space);
	struct signal s;
	o.range = range;
	o.bits = bits;
	if (signal_open(&im->fmt, &im->view, &o, &s, &e) < 0) {
		printf("not ok scope: %s\n", e.msg);
		exit(1);
	}
	return s;
}

/* --- ramps --- */

static void test_ramp(void)
{
	struct image *im = picture(1024, 3, "rec709");
	for (int x = 0; x < 1024; x++)
		for (int y = 0; y < 3; y++) put(im, x, y, x / 1023.0, x / 1023.0, x / 1023.0);
	struct signal full = open_signal(im, YR_FULL, 10), legal = open_signal(im, YR_LIMITED, 10);
	uint32_t *at = calloc(1024 * 1024, sizeof *at);
	int bad = 0;
	scope_count_columns(&full, 3, 1024, at);
	for (int i = 0; i < 1024 * 1024; i++) bad += at[i] != (i / 1024 == i % 1024 ? 3u : 0u);
	test_ok(bad == 0, "scope: a full-range ramp lies on the diagonal, 3 of every code (%d wrong)",
	        bad);
	memset(at, 0, 1024 * 1024 * sizeof *at);
	scope_count_columns(&legal, 1, 1024, at);
	for (int x = 0; x < 1024; x++) bad += at[x * 1024 + (int)(64 + 876 * (x / 1023.0) + 0.5)] != 3;
	test_ok(bad == 0, "scope: a legal ramp runs from 64 to 940 (%d wrong)", bad);
	memset(at, 0, 1024 * 1024 * sizeof *at);
	scope_count_columns(&full, 0, 64, at);
	uint64_t n = 0;
	for (int i = 0; i < 64 * 1024; i++) n += at[i];
	test_ok(n == 3072 && at[1024 * 63 + 1023] == 3,
	        "scope: fewer columns than pixels lose none (%d)", (int)n);
	double below, above;
	for (int x = 0; x < 1024; x++) put(im, x, 0, x < 256 ? -0.1 : 0.5, x < 512 ? 1.5 : 0.5, 0.5);
	signal_free(&full);
	full = open_signal(im, YR_FULL, 10);
	scope_beyond(&full, 0, &below, &above);
	test_ok(below == 256.0 / 3072 && above == 0, "scope: what lies under black is told (%g)",
	        below);
	scope_beyond(&full, 1, &below, &above);
	test_ok(above == 512.0 / 3072 && below == 0, "scope: what lies over white is told (%g)", above);
	free(at);
	signal_free(&full);
	signal_free(&legal);
	image_unref(&im);
}

/* --- SMPTE RP 219-1: 10-bit codes of the 75 % colours, Y Cb Cr --- */

static void test_bars(void)
{
	static const struct { double rgb[3]; int code[3]; } bar[] = {
		{ { .75, .75, 0 }, { 674, 176, 543 } }, { { 0, .75, .75 }, { 581, 589, 176 } },
			{ { 0, .75, 0 }, { 534, 253, 207 } },
		{ { .75, 0, .75 }, { 251, 771, 817 } }, { { .75, 0, 0 }, { 204, 435, 848 } },
			{ { 0, 0, .75 }, { 111, 848, 481 } },
		{ { .75, .75, .75 }, { 721, 512, 512 } }, { { 0, 0, 1 }, { 127, 960, 471 } }, { { 1, 0, 0 },
			{ 250, 409, 960 } }
	};
	struct image *im = picture(1, 1, "rec709");
	int wrong = 0;
	for (size_t i = 0; i < IN_COUNT(bar); i++) {
		put(im, 0, 0, bar[i].rgb[0], bar[i].rgb[1], bar[i].rgb[2]);
		struct signal s = open_signal(im, YR_LIMITED, 10);
		uint32_t *at = calloc(1024 * 1024, sizeof *at);
		uint64_t *luma = calloc(1024, sizeof *luma);
		scope_count_chroma(&s, at);
		scope_count_codes(&s, 3, luma);
		wrong += at[bar[i].code[2] * 1024 + bar[i].code[1]] != 1 || luma[bar[i].code[0]] != 1;
		free(at);
		free(luma);
		signal_free(&s);
	}
	test_ok(wrong == 0, "scope: RP 219's bars have RP 219's codes (%d wrong)", wrong);
	image_unref(&im);
}

/* Colours of the primaries and white fall on the coordinates that the standards give. */
static void test_cie(void)
{
	static const char *const spaces[] = { "rec709", "rec2020", "p3-d65" };
	static const double xy[3][8] = { { .64, .33, .30, .60, .15, .06, .3127, .3290 },
	                                 { .708, .292, .170, .797, .131, .046, .3127, .3290 },
	                                 { .680, .320, .265, .690, .150, .060, .3127, .3290 } };
	enum { N = 1000 };
	uint32_t *at = calloc(N * N, sizeof *at);
	int wrong = 0;
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 8; k++) {
			struct image *im = picture(1, 1, spaces[i]);
			int c = k % 4;
			bool uv = k >= 4;
			put(im, 0, 0, c == 0 || c == 3, c == 1 || c == 3, c == 2 || c == 3);
			struct signal s = open_signal(im, YR_LIMITED, 10);
			memset(at, 0, N * N * sizeof *at);
			scope_count_cie(&s, uv, 1, N, at);
			double x = xy[i][2 * c], y = xy[i][2 * c + 1], d = -2 * x + 12 * y + 3;
			double px = (uv ? 4 * x / d : x) * N, py = (uv ? 9 * y / d : y) * N;
			int hits = 0;
			for (int v = (int)py - 1; v <= (int)py + 1; v++)
				for (int u = (int)px - 1; u <= (int)px + 1; u++) hits += (int)at[v * N + u];
			wrong += hits != 1;
			signal_free(&s);
			image_unref(&im);
		}
	test_ok(wrong == 0,
	        "scope: primaries and white of three gamuts lie at their xy and u'v' (%d wrong)",
	        	wrong);
	free(at);
}

/* The ColorChecker's light skin in 8-bit sRGB codes, against SCIENCE section 2.6. */
static void test_skin(void)
{
	struct image *im = picture(40, 2, "rec709");
	struct err e = ERR_INIT;
	struct skin_stats k;
	for (int x = 0; x < 40; x++)
		for (int y = 0; y < 2; y++) put(im, x, y, 197 / 255.0, 144 / 255.0, 127 / 255.0);
	struct signal s = open_signal(im, YR_LIMITED, 10);
	int rc = signal_skin(&s, &k, &e);
	test_ok(rc == 0 && k.share == 1 && k.hue > 116.5 && k.hue < 119.5,
	        "scope: light skin at %.2f degrees", k.hue);
	signal_free(&s);
	image_unref(&im);
}

/* --- FFmpeg --- */

static uint8_t *ffmpeg(const char *more, size_t want)
{
	char cmd[600];
	snprintf(cmd, sizeof cmd,
	         "ffmpeg -v error -f lavfi -i 'smptehdbars=size=%dx%d:rate=24:duration=0.04,format=yuv444p%s' "
	         "-frames:v 1 -f rawvideo - 2>/dev/null", BW, BH, more);
	FILE *p = popen(cmd, "r");
	uint8_t *b = malloc(want + 1);
	size_t n = p ? fread(b, 1, want + 1, p) : 0;
	if (p) pclose(p);
	if (n == want) return b;
	free(b);
	return NULL;
}

/* BT.709, 8 bits limited, exactly as H.273 has it. */
static struct image *from_codes(const uint8_t *yuv)
{
	struct image *im = picture(BW, BH, "rec709");
	for (int i = 0; i < BW * BH; i++) {
		double y = (yuv[i] - 16) / 219.0, cb = (yuv[BW * BH + i] - 128) / 224.0,
			cr = (yuv[2 * BW * BH + i] - 128) / 224.0;
		double r = y + 1.5748 * cr, b = y + 1.8556 * cb;
		put(im, i % BW, i / BW, r, (y - 0.2126 * r - 0.0722 * b) / 0.7152, b);
	}
	return im;
}

static void test_ffmpeg(void)
{
	enum { N = BW * BH, WAVE = BW * 256, VECTOR = 256 * 256 };
	uint8_t *yuv = ffmpeg("", 3 * N);
	uint8_t *wave = yuv ? ffmpeg(",waveform=mode=column:intensity=1:graticule=none:display=overlay",
	                             3 * WAVE) : NULL;
	uint8_t *vec = yuv ? ffmpeg(",vectorscope=mode=gray:graticule=none:intensity=1",
	                            3 * VECTOR) : NULL;
	if (!wave || !vec) {
		test_skip("scope: no ffmpeg with waveform and vectorscope");
		return;
	}
	struct image *im = from_codes(yuv);
	struct signal s = open_signal(im, YR_LIMITED, 8);
	uint32_t *at = calloc(VECTOR, sizeof *at);
	int wrong = 0, seen = 0;
	scope_count_columns(&s, 3, BW, at);
	for (int x = 0; x < BW; x++)
		for (int code = 0; code < 256; code++) {
			bool theirs = wave[(255 - code) * BW + x] > 16;
			wrong += theirs != (at[x * 256 + code] > 0);
			seen += theirs;
		}
	test_ok(wrong == 0 && seen > 500,
	        "scope: the waveform of colour bars is FFmpeg's (%d places, %d wrong)", seen, wrong);
	memset(at, 0, VECTOR * sizeof *at);
	wrong = seen = 0;
	scope_count_chroma(&s, at);
	for (int cr = 0; cr < 256; cr++)
		for (int cb = 0; cb < 256; cb++) {
			bool theirs = vec[(255 - cr) * 256 + cb] > 16;
			wrong += theirs != (at[cr * 256 + cb] > 0);
			seen += theirs;
		}
	test_ok(wrong == 0 && seen > 8,
	        "scope: the vectorscope of colour bars is FFmpeg's (%d places, %d wrong)", seen, wrong);
	signal_free(&s);
	image_unref(&im);
	free(at);
	free(yuv);
	free(wave);
	free(vec);
}

/* Counts of random codes in both ranges and depths are the codes' own; which columns of FFmpeg's histogram have any light. */
static void test_histogram(void)
{
	static const struct { int bits; enum yuv_range range; int zero, span; } as[] = {
		{ 8, YR_LIMITED, 16, 219 }, { 8, YR_FULL, 0, 255 }, { 10, YR_LIMITED, 64, 876 }, { 10, YR_FULL, 0, 1023 },
	};
	enum { TALL = 200 };
	int wrong = 0;
	for (size_t c = 0; c < IN_COUNT(as); c++) {
		struct image *im = picture(BW, BH, "rec709");
		uint64_t want[3][1024] = { { 0 } }, got[1024];
		uint32_t r = 7;
		for (int i = 0; i < BW * BH; i++) {
			double v[3];
			for (int k = 0; k < 3; k++) {
				int code = (int)((r = r * 1664525u + 1013904223u) >> 12) % (1 << as[c].bits);
				want[k][code]++;
				v[k] = (code - as[c].zero) / (double)as[c].span;
			}
			put(im, i % BW, i / BW, v[0], v[1], v[2]);
		}
		struct signal s = open_signal(im, as[c].range, as[c].bits);
		for (int k = 0; k < 3; k++) {
			memset(got, 0, sizeof got);
			scope_count_codes(&s, k, got);
			for (int i = 0; i < s.codes; i++) wrong += got[i] != want[k][i];
		}
		signal_free(&s);
		image_unref(&im);
	}
	test_ok(!wrong, "scope: the histogram counts every code of 8 and 10 bits, limited and full (%d wrong)", wrong);
	uint8_t *yuv = ffmpeg("", 3 * BW * BH);
	uint8_t *plot = yuv ? ffmpeg(",histogram=components=1:level_height=200:scale_height=0:levels_mode=logarithmic,"
	                             "format=gray", 256 * TALL) : NULL;
	if (!plot) { free(yuv); test_skip("scope: no ffmpeg with histogram"); return; }
	struct image *im = from_codes(yuv);
	struct signal s = open_signal(im, YR_LIMITED, 8);
	uint64_t at[256] = { 0 };
	int seen = 0;
	scope_count_codes(&s, 3, at);
	wrong = 0;
	for (int code = 0; code < 256; code++) {
		int light = 0;
		for (int y = 0; y < TALL; y++) light += plot[y * 256 + code] > 16;
		wrong += (light > 0) != (at[code] > 0);
		seen += light > 0;
	}
	test_ok(!wrong && seen > 20, "scope: the histogram of colour bars has FFmpeg's columns (%d, %d wrong)", seen, wrong);
	signal_free(&s);
	image_unref(&im);
	free(yuv);
	free(plot);
}

/* Where FFmpeg's ciescope plots a colour: the pixel that is lit for it and not for another. */
static bool ciescope(const char *colour, const char *other, int *x, int *y)
{
	enum { N = 512 };
	uint8_t *b[2] = { malloc(3 * N * N), malloc(3 * N * N) };
	bool fine = true;
	for (int i = 0; i < 2; i++) {
		char cmd[400];
		snprintf(cmd, sizeof cmd, "ffmpeg -v error -f lavfi -i color=c=%s:s=16x16:d=0.04,format=rgb24 -vf 'ciescope="
		         "system=rec709:cie=xyy:gamuts=0:size=512:intensity=1:contrast=0:fill=0:showwhite=0,format=rgb24' -frames:v 1 "
		         "-f rawvideo - 2>/dev/null", i ? other : colour);
		FILE *p = popen(cmd, "r");
		fine = fine && p && fread(b[i], 1, 3 * N * N, p) == 3 * N * N;
		if (p) pclose(p);
	}
	*x = *y = -1;
	for (int i = 0; i < N * N && fine; i++)
		if (b[0][3 * i] + b[0][3 * i + 1] + b[0][3 * i + 2] > b[1][3 * i] + b[1][3 * i + 1] + b[1][3 * i + 2]) {
			*x = i % N;
			*y = N - 1 - i / N;
		}
	free(b[0]);
	free(b[1]);
	return fine && *x >= 0;
}

static void test_ciescope(void)
{
	static const struct { const char *name; double rgb[3]; } patch[] = {
		{ "red", { 1, 0, 0 } }, { "lime", { 0, 1, 0 } }, { "blue", { 0, 0, 1 } }, { "cyan", { 0, 1, 1 } },
		{ "magenta", { 1, 0, 1 } }, { "yellow", { 1, 1, 0 } }, { "white", { 1, 1, 1 } },
	};
	enum { N = 512 };
	int worst = 0, none = 0;
	for (size_t i = 0; i < IN_COUNT(patch); i++) {
		int x, y, d = N;
		if (!ciescope(patch[i].name, patch[(i + 1) % IN_COUNT(patch)].name, &x, &y)) {
			test_skip("scope: no ffmpeg with ciescope");
			return;
		}
		struct image *im = picture(1, 1, "rec709");
		uint32_t *at = calloc(N * N, sizeof *at);
		put(im, 0, 0, patch[i].rgb[0], patch[i].rgb[1], patch[i].rgb[2]);
		struct signal s = open_signal(im, YR_LIMITED, 8);
		scope_count_cie(&s, false, 1, N, at);
		for (int k = 0; k < N * N; k++) {
			if (!at[k]) continue;
			int dx = k % N - x, dy = k / N - y;
			dx = dx < 0 ? -dx : dx;
			dy = dy < 0 ? -dy : dy;
			d = dx > dy ? dx : dy;
		}
		none += d == N;
		worst = d > worst ? d : worst;
		signal_free(&s);
		image_unref(&im);
		free(at);
	}
	test_ok(!none && worst <= 1, "scope: seven chromaticities lie where FFmpeg's ciescope plots them (%d of 512 apart)", worst);
}

/* --- pictures --- */

/* On bars the light of every 75 % colour is inside its target's box: the box's frame is drawn
 * about it. */
static void test_boxes(void)
{
	enum { SIDE = 600 };
	static const double rgb[6][3] = { { 1, 0, 0 }, { 1, 1, 0 }, { 0, 1, 0 }, { 0, 1, 1 },
	                                 { 0, 0, 1 }, { 1, 0, 1 } };
	struct err e = ERR_INIT;
	int inside = 0, rc = 0;
	for (int i = 0; i < 6; i++) {
		static uint8_t with[SIDE * SIDE * 3], without[SIDE * SIDE * 3];
		struct image *im = picture(60, 60, "rec709");
		view_clear(&im->view, im->view.r);
		struct canvas a = canvas_rgb8(with, SIDE, SIDE), b = canvas_rgb8(without, SIDE, SIDE);
		struct signal dark = open_signal(im, YR_LIMITED, 10);
		for (int k = 0; k < 3600; k++) put(im, k % 60, k / 60, .75 * rgb[i][0], .75 * rgb[i][1],
		                                   .75 * rgb[i][2]);
		struct signal s = open_signal(im, YR_LIMITED, 10);
		rc |= scope_draw(&a, a.r, &s, SCOPE_VECTOR, NULL, &e) | scope_draw(&b, b.r, &dark,
			SCOPE_VECTOR, NULL, &e);
		/* what the colour adds, and the box about its middle: five grey pixels to each side of a
		 * row */
		long sx = 0, sy = 0, n = 0;
		for (int y = 30; y < SIDE - 20; y++)
			for (int x = 0; x < SIDE; x++) {
				int d = with[(y * SIDE + x) * 3] + with[(y * SIDE + x) * 3 + 1] +
					with[(y * SIDE + x) * 3 + 2] -
				        without[(y * SIDE + x) * 3] - without[(y * SIDE + x) * 3 +
				        	1] - without[(y * SIDE + x) * 3 + 2];
				bool centre = x > 290 && x < 310 && y > 290 && y < 310;
				if (d > 60 && !centre) { sx += x; sy += y; n++; }
			}
		int x = n ? (int)(sx / n) : 0, y = n ? (int)(sy / n) : 0, left = 0, right = 0;
		for (int k = 4; k < 14 && n; k++) {
			left = left || without[(y * SIDE + x - k) * 3] > 120;
			right = right || without[(y * SIDE + x + k) * 3] > 120;
		}
		inside += left && right;
		signal_free(&s);
		signal_free(&dark);
		image_unref(&im);
	}
	test_ok(rc == 0 && inside == 6, "scope: six colours of 75 %% lie in their boxes (%d)", inside);
}

/* Every scope of every depth, range and scale on small, odd and strange pictures. */
static void test_all(void)
{
	static uint8_t rgb[320 * 200 * 3];
	struct canvas c = canvas_rgb8(rgb, 320, 200);
	static const char *const spaces[] = { "rec709", "pq", "hlg", "acescct", "acescg", "raw" };
	struct err e = ERR_INIT;
	int bad = 0;
	for (int i = 0; i < 6 * SCOPE_KINDS; i++) {
		struct image *im = picture(1 + i % 7 * 13, 1 + i % 3 * 7, spaces[i % 6]);
		view_clear(&im->view, im->view.r);
		for (int k = 0; k < 3; k++)
			for (int x = 0; x < rect_w(im->view.r); x++)
				*view_at(&im->view, k, x, 0) = x % 5 == 0 ? __builtin_nanf("") : x % 5 == 1 ?
				__builtin_inff() : (float)x - 3;
		struct signal s = open_signal(im, i % 2 ? YR_FULL : YR_LIMITED,
		                              i % 3 == 0 ? 8 : i % 3 == 1 ? 10 : 12);
		s.o.scale = (enum scope_scale)(i % 5);
		bad += scope_draw(&c, rect_of(3, 2, 317 - i, 190 - i), &s, (enum scope_kind)(i / 6),
		                  "title", &e) < 0;
		signal_free(&s);
		image_unref(&im);
	}
	test_ok(bad == 0, "scope: all kinds take pictures of one pixel, NaN, infinities, every scale");
}

int main(void)
{
	pool = pool_new();
	test_ramp();
	test_bars();
	test_cie();
	test_skin();
	test_ffmpeg();
	test_histogram();
	test_ciescope();
	test_boxes();
	test_all();
	pool_free(&pool);
	TEST_END();
}
