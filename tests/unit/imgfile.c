/* imgfile - PNG stills, against what ffmpeg's own decoder reads.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "imgfile.h"
#include "test.h"

enum { W = 67, H = 41 };

static const char *in_tmp(const char *name)
{
	static char path[2][320];
	static int turn;
	char *p = path[turn++ % 2];
	snprintf(p, 320, "%s/%s", test_tmp(), name);
	return p;
}

/* Bytes of the file as ffmpeg decodes it, or NULL when there is no ffmpeg. */
static uint8_t *decode(const char *path, const char *pix_fmt, size_t want)
{
	char cmd[600];
	snprintf(cmd, sizeof cmd, "ffmpeg -v error -i '%s' -f rawvideo -pix_fmt %s - 2>/dev/null", path,
	         pix_fmt);
	FILE *p = popen(cmd, "r");
	uint8_t *b = malloc(want + 1);
	size_t n = p ? fread(b, 1, want + 1, p) : 0;
	if (p)
		pclose(p);
	if (n == want)
		return b;
	free(b);
	return NULL;
}

static struct image *ramp(struct pool *pool, const char *channels, float scale)
{
	struct err e = ERR_INIT;
	struct format f = { .data = { 0, 0, W, H }, .display = { 0, 0, W, H }, .par = { 1, 1 },
	                    .fps = { 24, 1 }, .first = 1, .last = 1 };
	format_channels(&f, channels);
	struct image *im = image_new(pool, &f, "ramp", &e);
	for (int c = 0; c < f.nch; c++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++)
				*view_at(&im->view, c, x, y) = (float)((x * 3 + y * 5 + c * 40) % 256) * scale;
	return im;
}

static void eight(struct pool *pool)
{
	struct err e = ERR_INIT;
	struct image *im = ramp(pool, "R G B", 1.0f / 255.0f);
	const char *path = in_tmp("a.png");
	test_ok(png_write(path, &im->fmt, &im->view, 8, false, &e) == 0, "8 bits: written %s", e.msg);
	uint8_t *got = decode(path, "rgb24", W * H * 3);
	if (!got) {
		test_skip("ffmpeg is not installed");
	} else {
		int bad = 0;
		for (int i = 0; i < W * H; i++)
			for (int c = 0; c < 3; c++)
				bad += got[i * 3 + c] != (i % W * 3 + i / W * 5 + c * 40) % 256;
		test_ok(bad == 0, "8-bit code values come out as they went in");
	}
	free(got);

	/* 100.3 codes everywhere: dither keeps the mean and never strays by more than a code. */
	for (int c = 0; c < 3; c++)
		for (int i = 0; i < W * H; i++)
			*view_at(&im->view, c, i % W, i / W) = 100.3f / 255.0f;
	png_write(path, &im->fmt, &im->view, 8, false, &e);
	got = decode(path, "rgb24", W * H * 3);
	if (got) {
		double sum = 0;
		int bad = 0;
		for (int i = 0; i < W * H * 3; i++) {
			sum += got[i];
			bad += got[i] < 99 || got[i] > 101;
		}
		sum /= W * H * 3;
		test_ok(bad == 0 && sum > 100.27 && sum < 100.33, "dither keeps the mean: %.3f", sum);
	}
	free(got);
	unlink(path);
	image_unref(&im);
}

static void sixteen(struct pool *pool)
{
	struct err e = ERR_INIT;
	struct image *im = ramp(pool, "R G B A", 1.0f / 255.0f);
	const char *path = in_tmp("b.png");
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			*view_at(&im->view, 3, x, y) = 0.5f;
			*view_at(&im->view, 0, x, y) = 0.25f;      /* premultiplied: straight 0.5 */
			*view_at(&im->view, 1, x, y) = -1.0f;
			*view_at(&im->view, 2, x, y) = 7.0f;
		}
	test_ok(png_write(path, &im->fmt, &im->view, 16, true, &e) == 0, "16 bits: written %s", e.msg);
	uint8_t *got = decode(path, "rgba64be", W * H * 8);
	if (got) {
		static const uint8_t want[8] = { 0x80, 0, 0, 0, 0xff, 0xff, 0x80, 0 };
		test_ok(!memcmp(got, want, 8) && !memcmp(got + W * H * 8 - 8, want, 8),
		        "16 bits: straight alpha, clamped");
	} else {
		test_skip("ffmpeg is not installed");
	}
	free(got);
	unlink(path);
	image_unref(&im);
}

static void others(struct pool *pool)
{
	struct err e = ERR_INIT;
	struct image *im = ramp(pool, "A", 1.0f / 255.0f);
	const char *path = in_tmp("c.png"), *gone = in_tmp("no/such/d.png");
	im->fmt.display = rect_of(-1, -1, W + 1, H + 1);
	test_ok(png_write(path, &im->fmt, &im->view, 8, false, &e) == 0, "a mask alone, larger display");
	uint8_t *got = decode(path, "rgb24", (W + 2) * (H + 2) * 3);
	if (got) {
		size_t at = ((W + 2) * 2 + 11) * 3;                /* pixel (10, 1) */
		test_ok(got[0] == 0 && got[at] == 35 && got[at + 1] == 35 && got[at + 2] == 35,
		        "grey inside, black outside the data window");
	}
	free(got);
	test_ok(png_write(gone, &im->fmt, &im->view, 8, false, &e) == -1 && e.code == E_OUTPUT
	        && strstr(e.msg, "No such file"), "missing folder");

	static const uint8_t rgb[2 * 2 * 3] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255 };
	test_ok(png_write_rgb8(path, 2, 2, rgb, &e) == 0, "packed rows");
	got = decode(path, "rgb24", sizeof rgb);
	if (got)
		test_ok(!memcmp(got, rgb, sizeof rgb), "packed rows come back");
	free(got);
	test_ok(png_write_rgb8(path, 0, 2, rgb, &e) == -1 && e.code == E_OUTPUT, "no pixels, no PNG");
	unlink(path);
	image_unref(&im);
}

int main(void)
{
	struct pool *pool = pool_new();
	eight(pool);
	sixteen(pool);
	others(pool);
	pool_free(&pool);
	test_ok(rmdir(test_tmp()) == 0, "nothing is left behind");
	TEST_END();
}
