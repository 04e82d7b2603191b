/* yuv - codes to R,G,B and back against zimg (through ffmpeg's zscale), ranges, siting, dither.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "hash.h"
#include "px_yuv.h"
#include "test.h"

enum { W = 64, H = 48 };

static char in_path[300], out_path[300];

static uint32_t next(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

struct format_case {
	const char *pixfmt; struct plane_desc d;
	enum yuv_matrix m; enum yuv_range r; enum yuv_siting s;
	const char *zm, *zr, *zs;
};

/* zimg's siting of its 4:2:2 is left or center only; 4:2:0 knows all. */
static const struct format_case cases[] = {
	{ "yuv420p", { W, H, 8, 1, 1, 0, 0, 0, 0, 0 }, YM_BT709, YR_LIMITED, YS_LEFT, "709", "limited",
	 "left" },
	{ "yuv420p", { W, H, 8, 1, 1, 0, 0, 0, 0, 0 }, YM_BT601, YR_FULL, YS_CENTER, "170m", "full",
	 "center" },
	{ "yuv420p10le", { W, H, 10, 1, 1, 0, 0, 0, 0, 0 }, YM_BT2020, YR_LIMITED, YS_TOPLEFT,
	 "2020_ncl", "limited", "topleft" },
	{ "yuv422p10le", { W, H, 10, 1, 0, 0, 0, 0, 0, 0 }, YM_BT709, YR_LIMITED, YS_LEFT, "709",
	 "limited", "left" },
	{ "yuv444p16le", { W, H, 16, 0, 0, 0, 0, 0, 0, 0 }, YM_BT709, YR_FULL, YS_LEFT, "709", "full",
	 "left" },
	{ "yuv444p12le", { W, H, 12, 0, 0, 0, 0, 0, 0, 0 }, YM_BT2020, YR_LIMITED, YS_LEFT, "2020_ncl",
	 "limited", "left" },
	{ "yuv420p", { W, H, 8, 1, 1, 0, 0, 0, 0, 0 }, YM_FCC, YR_LIMITED, YS_TOP, "fcc", "limited",
	 "top" },
	{ "yuv420p", { W, H, 8, 1, 1, 0, 0, 0, 0, 0 }, YM_BT709, YR_LIMITED, YS_BOTTOMLEFT, "709",
	 "limited", "bottomleft" },
	{ "yuv440p", { W, H, 8, 0, 1, 0, 0, 0, 0, 0 }, YM_BT601, YR_LIMITED, YS_LEFT, "170m", "limited",
	 "left" },
	{ "yuv411p", { W, H, 8, 2, 0, 0, 0, 0, 0, 0 }, YM_BT601, YR_LIMITED, YS_LEFT, "170m", "limited",
	 "left" },
};

static void write_planes(const struct planes *p, const char *path)
{
	FILE *f = fopen(path, "wb");
	for (int i = 0; i < 3; i++)
		for (int y = 0; y < plane_height(&p->d, i); y++)
			for (int x = 0; x < plane_width(&p->d, i); x++) {
				unsigned v = p->p[i][y * p->stride[i] + x];
				fputc((int)(v & 255), f);
				if (p->d.depth > 8) fputc((int)(v >> 8), f);
			}
	fclose(f);
}

static int run_zscale(const char *infmt, const char *outfmt, const struct format_case *c, bool back)
{
	char cmd[1200], tags[300];
	snprintf(tags, sizeof tags,
	         "filter=bicubic:param_a=0:param_b=0.5:dither=none:chromal%s=%s:"
	         "tin=709:pin=709:t=709:p=709", back ? "" : "in", c->zs);
	snprintf(cmd, sizeof cmd, "ffmpeg -nostdin -v error -y -f rawvideo -video_size %dx%d -pix_fmt %s "
	         "-i '%s' -vf "
	         "'zscale=min=%s:rin=%s:m=%s:r=%s:%s,format=%s' -f rawvideo '%s' 2>/dev/null", W, H,
	    infmt, in_path,
	         back ? "gbr" : c->zm, back ? "full" : c->zr, back ? c->zm : "gbr",
	    back ? c->zr : "full", tags, outfmt, out_path);
	return system(cmd);
}

static void test_forward(const struct format_case *c)
{
	struct planes p;
	struct err e = ERR_INIT;
	struct yuv_coef k;
	uint32_t seed = 7;
	static float r[3][W], want[3][H][W], tmp[3 * (W + 256)];
	if (planes_new(&p, &c->d, &e) < 0) { test_ok(0, "planes: %s", e.msg); return; }
	for (int i = 0; i < 3; i++)
		for (int y = 0; y < plane_height(&p.d, i); y++)
			for (int x = 0; x < plane_width(&p.d, i); x++)
				p.p[i][y * p.stride[i] + x] = (uint16_t)(next(&seed) & ((1u << p.d.depth) - 1));
	write_planes(&p, in_path);
	FILE *f = run_zscale(c->pixfmt, "gbrpf32le", c, false) == 0 ? fopen(out_path, "rb") : NULL;
	if (!f || fread(want, sizeof want, 1, f) != 1) {
		test_skip("%s %s %s: zscale does not do it", c->pixfmt, c->zm, c->zs);
		goto out;
	}
	yuv_coef_init(&k, &c->d, c->m, c->r, c->s);
	double worst = 0;
	static const int at[3] = { 2, 0, 1 };
	for (int y = 0; y < H; y++) {
		yuv_row_rgb(&p, &k, y, tmp, r[0], r[1], r[2], NULL);
		for (int i = 0; i < 3; i++)
			for (int x = 0; x < W; x++) {
				double d = r[i][x] - want[at[i]][y][x];
				if (d < 0) d = -d;
				if (!(d <= worst)) worst = d;
			}
	}
	test_ok(worst < 2e-6, "%s %s %s %s to RGB agrees with zimg within %.1e", c->pixfmt, c->zm, c->zr,
	        c->zs, worst);
out:
	if (f) fclose(f);
	planes_free(&p);
}

/* The whole way of nodes/write.c for one frame without dither. */
static void to_planes(const struct yuv_coef *k, const struct yuv_dither *dither,
                      float rgb[3][H][W], struct planes *p)
{
	static float u[H][W], v[H][W], yy[W], noise[W + 8], row[2][W + 64];
	int cw = plane_width(&p->d, 1);
	for (int y = 0; y < H; y++) {
		yuv_from_rgb(k, W, rgb[0][y], rgb[1][y], rgb[2][y], yy, row[0] + 32, row[1] + 32);
		yuv_store(k, dither, 0, y, W, yy, noise, p->p[0] + y * p->stride[0]);
		yuv_narrow(k, row[0] + 32, W, cw, u[y]);
		yuv_narrow(k, row[1] + 32, W, cw, v[y]);
	}
	for (int y = 0; y < plane_height(&p->d, 1); y++) {
		yuv_shorten(k, u[0], W, H, cw, y, yy);
		yuv_store(k, dither, 1, y, cw, yy, noise, p->p[1] + y * p->stride[1]);
		yuv_shorten(k, v[0], W, H, cw, y, yy);
		yuv_store(k, dither, 2, y, cw, yy, noise, p->p[2] + y * p->stride[2]);
	}
}

static void test_back(const struct format_case *c)
{
	static float rgb[3][H][W];
	static uint8_t want[H * W * 3 * 2];
	struct planes p;
	struct err e = ERR_INIT;
	struct yuv_coef k;
	struct yuv_dither none = { false, 0, 0, 0 };
	uint32_t seed = 11;
	for (int i = 0; i < 3; i++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++) rgb[i][y][x] = (float)(next(&seed) & 0xffff) / 65535;
	FILE *f = fopen(in_path, "wb");
	fwrite(rgb[1], sizeof rgb[0], 1, f);
	fwrite(rgb[2], sizeof rgb[0], 1, f);
	fwrite(rgb[0], sizeof rgb[0], 1, f);
	fclose(f);
	if (planes_new(&p, &c->d, &e) < 0) return;
	f = run_zscale("gbrpf32le", c->pixfmt, c, true) == 0 ? fopen(out_path, "rb") : NULL;
	size_t n = f ? fread(want, 1, sizeof want, f) : 0, at = 0;
	if (f) fclose(f);
	if (!n) { test_skip("%s %s %s back: zscale does not do it", c->pixfmt, c->zm, c->zs);
	         planes_free(&p); return; }
	yuv_coef_init(&k, &c->d, c->m, c->r, c->s);
	k.lo = 0;                                /* zimg keeps the sync codes */
	k.hi = (float)((1 << c->d.depth) - 1);
	to_planes(&k, &none, rgb, &p);
	int off = 0, far = 0, total = 0;
	for (int i = 0; i < 3; i++)
		for (int y = 0; y < plane_height(&p.d, i); y++)
			for (int x = 0; x < plane_width(&p.d, i); x++, total++) {
				int w = want[at++];
				if (p.d.depth > 8) w |= want[at++] << 8;
				int d = p.p[i][y * p.stride[i] + x] - w;
				off += d != 0;
				far += d > 1 || d < -1;
			}
	test_ok(far == 0 && off * 200 < total,
	        "RGB to %s %s %s %s agrees with zimg (%d of %d codes off by one)", c->pixfmt, c->zm,
	        c->zr, c->zs, off, total);
	planes_free(&p);
}

static void test_anchors(void)
{
	struct plane_desc d = { 2, 1, 10, 0, 0, 0, 0, 0, 0, 0 };
	struct planes p;
	struct err e = ERR_INIT;
	struct yuv_coef k;
	float r[2], g[2], b[2], tmp[512];
	planes_new(&p, &d, &e);
	p.p[0][0] = 64; p.p[0][1] = 940;
	for (int i = 1; i < 3; i++) p.p[i][0] = p.p[i][1] = 512;
	yuv_coef_init(&k, &d, YM_BT709, YR_LIMITED, YS_LEFT);
	yuv_row_rgb(&p, &k, 0, tmp, r, g, b, NULL);
	test_ok(r[0] == 0 && g[0] == 0 && b[0] == 0 && r[1] == 1 && g[1] == 1 && b[1] == 1,
	        "codes 64 and 940 are exactly 0 and 1");
	p.p[0][0] = 4; p.p[0][1] = 1019;
	yuv_row_rgb(&p, &k, 0, tmp, r, g, b, NULL);
	test_ok(r[0] < -.06f && r[1] > 1.09f, "codes beyond black and white are kept");
	planes_free(&p);
	int bad = 0;
	for (int y = 1; y < 255; y++) {
		/* every legal 8-bit gray comes back as itself */
		struct plane_desc d8 = { 1, 1, 8, 0, 0, 0, 0, 0, 0, 0 };
		float v = ((float)y - 16) / 219, yy, cb, cr, noise[4];
		uint16_t o;
		struct yuv_dither none = { false, 0, 0, 0 };
		yuv_coef_init(&k, &d8, YM_BT709, YR_LIMITED, YS_LEFT);
		yuv_from_rgb(&k, 1, &v, &v, &v, &yy, &cb, &cr);
		yuv_store(&k, &none, 0, 0, 1, &yy, noise, &o);
		bad += o != y;
		yuv_store(&k, &none, 1, 0, 1, &cb, noise, &o);
		bad += o != 128;
	}
	test_ok(bad == 0, "every legal gray code survives the round trip");
	float wild[3] = { __builtin_nanf(""), 1e30f, -1e30f }, noise[8];
	uint16_t o[3];
	struct yuv_dither none = { false, 0, 0, 0 };
	int n = yuv_store(&k, &none, 0, 0, 3, wild, noise, o);
	test_ok(n == 3 && o[0] == 1 && o[1] == 254 && o[2] == 1,
	        "NaN and huge values end at legal codes and are counted");
}

static void test_dither(void)
{
	static float noise[100003];
	struct yuv_dither d = { true, 5, 1, 0 }, other = { true, 6, 1, 0 };
	enum { N = 100000 };
	yuv_noise(&d, 0, 17, N, noise);
	double sum = 0, sq = 0, lo = 0, hi = 0;
	for (int i = 0; i < N; i++) {
		sum += noise[i];
		sq += (double)noise[i] * noise[i];
		if (noise[i] < lo) lo = noise[i];
		if (noise[i] > hi) hi = noise[i];
	}
	double mean = sum / N, var = sq / N;
	test_ok(mean < .004 && mean > -.004 && var > .163 && var < .170 && lo >= -1 && hi <= 1 && hi > .98,
	        "dither is triangular: mean %.4f, variance %.4f (1/6)", mean, var);
	int wrong = 0;
	for (int w = 1; w < 160; w++) {
		noise[w] = 9;
		yuv_noise(&d, 2, w * 7, w, noise);
		wrong += noise[w] != 9;
		for (int i = 0; i < w; i++) {
			struct philox r = philox4x32((uint32_t)i / 4, (uint32_t)w * 7, 5, 2, 1, 0);
			uint32_t u = r.c[i & 3];
			wrong += noise[i] != (float)((u & 0xffff) + (u >> 16)) / 65536 - 65535.0f / 65536;
		}
	}
	test_ok(!wrong, "dither is the sum of a Philox word's halves, for rows of every length (%d wrong)", wrong);
	float a[4], b[4], c[4];
	yuv_noise(&d, 0, 17, 4, a);
	yuv_noise(&d, 0, 17, 4, b);
	yuv_noise(&other, 0, 17, 4, c);
	test_ok(!memcmp(a, b, sizeof a) && memcmp(a, c, sizeof a),
	        "the same for ever for a seed, another on every frame");
}

/* 4:2:0 interlaced: each field on its own equals a progressive picture sited a quarter line off. */
static void test_interlaced(void)
{
	struct plane_desc d = { 8, 16, 8, 1, 1, 0, 0, 0, 0, true };
	struct planes p;
	struct err e = ERR_INIT;
	struct yuv_coef k;
	float r[8], g[8], b[8], tmp[1024];
	planes_new(&p, &d, &e);
	for (int y = 0; y < 16; y++) for (int x = 0; x < 8; x++) p.p[0][y * p.stride[0] + x] = 128;
	/* top field chroma neutral, bottom field strongly coloured: no top row may see any of it */
	for (int i = 1; i < 3; i++)
		for (int y = 0; y < 8; y++)
			for (int x = 0; x < 4; x++) p.p[i][y * p.stride[i] + x] = y & 1 ? 220 : 128;
	yuv_coef_init(&k, &d, YM_BT601, YR_LIMITED, YS_LEFT);
	int bad = 0;
	for (int y = 0; y < 16; y++) {
		yuv_row_rgb(&p, &k, y, tmp, r, g, b, NULL);
		for (int x = 0; x < 8; x++) bad += (y & 1) ? !(r[x] > g[x] + .1f) : r[x] != g[x];
	}
	test_ok(bad == 0, "interlaced chroma stays in its field");
	planes_free(&p);
}

int main(void)
{
	snprintf(in_path, sizeof in_path, "%s/in.raw", test_tmp());
	snprintf(out_path, sizeof out_path, "%s/out.raw", test_tmp());
	if (system("ffmpeg -v error -filters 2>/dev/null | grep -q zscale") == 0) {
		for (size_t i = 0; i < IN_COUNT(cases); i++) test_forward(&cases[i]);
		for (size_t i = 0; i < 8; i++) test_back(&cases[i]);
	} else {
		test_skip("yuv: no ffmpeg with zscale to compare with");
	}
	test_anchors();
	test_dither();
	test_interlaced();
	unlink(in_path);
	unlink(out_path);
	rmdir(test_tmp());
	TEST_END();
}
