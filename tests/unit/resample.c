/* Unit tests of upscale and reformat. Oracle: zimg, through ffmpeg's zscale filter on float
 * pictures.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include <math.h>

struct filter { const char *method, *zscale; };
static const struct filter filters[] = {
	{ "nearest", "filter=point" }, { "bilinear", "filter=bilinear" },
	{ "mitchell", "filter=bicubic:param_a=0.33333333333:param_b=0.33333333333" },
	{ "catmull-rom", "filter=bicubic:param_a=0:param_b=0.5" }, { "lanczos3",
	        "filter=lanczos:param_a=3" },
};

static bool have_ffmpeg(void)
{
	return system("ffmpeg -v quiet -h filter=zscale 2>/dev/null | grep -q 'Filter zscale'") == 0;
}

/* Planes in the order of gbrpf32: G, B, R. */
static void raw_write(const char *path, const struct image *im)
{
	static const int order[3] = { 1, 2, 0 };
	FILE *f = fopen(path, "wb");
	for (int c = 0; f && c < 3; c++)
		for (int y = im->fmt.data.y0; y < im->fmt.data.y1; y++)
			fwrite(view_at(&im->view, order[c], im->fmt.data.x0, y), sizeof(float),
			       (size_t)rect_w(im->fmt.data), f);
	if (f) fclose(f);
}

static bool raw_read(FILE *f, struct image *im)
{
	static const int order[3] = { 1, 2, 0 };
	size_t w = (size_t)rect_w(im->fmt.data);
	for (int c = 0; c < 3; c++)
		for (int y = im->fmt.data.y0; y < im->fmt.data.y1; y++)
			if (fread(view_at(&im->view, order[c], im->fmt.data.x0, y), sizeof(float), w,
			    f) != w) return false;
	return true;
}

static struct image *zimg(const struct image *im, const struct filter *k, int w, int h)
{
	char cmd[1024];
	snprintf(cmd, sizeof cmd, "%s/in.raw", test_tmp());
	raw_write(cmd, im);
	snprintf(cmd, sizeof cmd, "ffmpeg -v error -f rawvideo -pix_fmt gbrpf32le "
	         "-s %dx%d -i %s/in.raw -vf "
	         "setparams=colorspace=gbr:color_trc=bt709:color_primaries=bt709:range=pc,"
	         "zscale=w=%d:h=%d:%s -f rawvideo -pix_fmt gbrpf32le -", rect_w(im->fmt.data),
	         rect_h(im->fmt.data), test_tmp(), w, h, k->zscale);
	struct format f = im->fmt;
	f.data = f.display = rect_of(0, 0, w, h);
	struct image *out = nc_image(&f);
	FILE *p = popen(cmd, "r");
	bool good = p && raw_read(p, out);
	if (p && pclose(p)) good = false;
	if (!good) image_unref(&out);
	return out;
}

static void against_zimg(void)
{
	static const char *scales[] = { "scale=2", "scale=1.5", "scale=3.7", "scale=0.5", "scale=0.37",
	    "scale=0.11" };
	struct format f = nc_format(97, 61, "R G B", "rec709");
	struct image *im = nc_random(&f, 1);
	if (!have_ffmpeg()) { test_skip("resample: ffmpeg with zscale is not here"); return; }
	for (size_t k = 0; k < IN_COUNT(filters); k++)
		for (size_t s = 0; s < IN_COUNT(scales); s++) {
			char method[64];
			struct nc n;
			struct err e = ERR_INIT;
			snprintf(method, sizeof method, "method=%s", filters[k].method);
			const char *set[] = { method, scales[s], "ringing=0", NULL };
			if (!nc_make(&n, nc_type(nodes_baseline, "upscale"), &im, 1, set, &e)) {
				test_ok(0, "resample %s %s: %s", method, scales[s], e.msg);
				continue;
			}
			struct image *mine = nc_run(&n, 1, 64, 64);
			struct image *ref = zimg(im, &filters[k], rect_w(n.out.data), rect_h(n.out.data));
			double d = ref ? nc_diff(mine, ref) : INFINITY;
			test_ok(d <= 1e-5, "resample %s %s to %dx%d agrees with zimg (largest difference %.2g)", method,
			        scales[s], rect_w(n.out.data), rect_h(n.out.data), d);
			image_unref(&mine);
			image_unref(&ref);
			nc_free(&n);
		}
	image_unref(&im);
}

/* A step edge: no overshoot is left at ringing 1, some at 0. */
static void ringing(void)
{
	struct format f = nc_format(40, 8, "R G B", "rec709");
	struct image *im = nc_image(&f);
	double top[2];
	for (int y = 0; y < 8; y++) for (int x = 20; x < 40; x++) *view_at(&im->view, 0, x, y) = 1;
	for (int k = 0; k < 2; k++) {
		struct nc n;
		struct err e = ERR_INIT;
		const char *set[] = { "scale=3", k ? "ringing=1" : "ringing=0", NULL };
		nc_make(&n, nc_type(nodes_baseline, "upscale"), &im, 1, set, &e);
		struct image *out = nc_run(&n, 1, 0, 0);
		top[k] = 0;
		for (int x = 0; x < 120; x++) if (*view_at(&out->view, 0, x, 10) > top[k]) top[k] =
		    *view_at(&out->view, 0, x, 10);
		image_unref(&out);
		nc_free(&n);
	}
	test_ok(top[0] > 1.03 && top[1] <= 1.0 + 1e-6, "upscale ringing: overshoot %.3f "
	        "at 0, %.7f at 1", top[0], top[1]);
	image_unref(&im);
}

static struct rect window_after(struct format *f, const char *node, const char *const *set,
                                struct format *out)
{
	struct image *im = nc_random(f, 5);
	struct nc n;
	struct err e = ERR_INIT;
	if (!nc_make(&n, nc_type(nodes_baseline, node), &im, 1, set, &e)) printf(
	        "not ok %s: %s\n", node, e.msg);
	*out = n.out;
	nc_free(&n);
	image_unref(&im);
	return out->data;
}

static void windows(void)
{
	struct format f = nc_format(100, 50, "R G B", "rec709"), o;
	f.data = rect_of(10, 20, 40, 30);
	struct rect d = window_after(&f, "upscale", (const char *[]){ "scale=2",
	        "method=bilinear", NULL }, &o);
	test_ok(rect_eq(d, rect_of(18, 38, 82, 62)) && rect_eq(o.display, rect_of(0, 0, 200, 100)),
	        "upscale: a data window inside the frame grows by the kernel "
	        "(%d %d %d %d)", d.x0, d.y0, d.x1, d.y1);
	f.data = rect_of(-4, -2, 104, 52);
	d = window_after(&f, "upscale", (const char *[]){ "scale=1.5", NULL }, &o);
	test_ok(rect_eq(d, rect_of(-6, -3, 156, 78)), "upscale: overscan is scaled with the picture");
	f = nc_format(1280, 720, "R G B", "rec709");
	window_after(&f, "upscale", (const char *[]){ "width=1920", NULL }, &o);
	test_ok(rect_eq(o.display, rect_of(0, 0, 1920, 1080)), "upscale: height follows from width");
	f = nc_format(720, 576, "R G B", "rec709");
	f.par = (struct rational){ 16, 15 };
	window_after(&f, "upscale", (const char *[]){ "width=768", "height=576", NULL }, &o);
	test_ok(o.par.num == 1 && o.par.den == 1, "upscale: 720x576 at 16:15 is square at 768x576");
	window_after(&f, "upscale", (const char *[]){ "width=720", "height=288", NULL }, &o);
	test_ok(o.par.num == 8 && o.par.den == 15, "upscale: half the height halves the pixel aspect");
}

struct fit { const char *fit, *w, *h; struct rect data, display; };

static void reformat(void)
{
	static const struct fit fits[] = {
		{ "fit=fit", "width=1080", "height=1920", { 0, 656, 1080, 1264 }, { 0, 0, 1080, 1920 } },
		{ "fit=fill", "width=1080", "height=1920", { 0, 0, 1080, 1920 }, { 0, 0, 1080, 1920 } },
		{ "fit=width", "width=640", "height=100", { 0, 0, 640, 100 }, { 0, 0, 640, 100 } },
		{ "fit=stretch", "width=300", "height=300", { 0, 0, 300, 300 }, { 0, 0, 300, 300 } },
		{ "fit=none", "width=2000", "height=100", { 360, 0, 1640, 100 }, { 0, 0, 2000, 100 } },
		{ "fit=fit", "width=640", "height=0", { 0, 0, 640, 360 }, { 0, 0, 640, 360 } },
	};
	struct format f = nc_format(1280, 720, "R G B", "rec709"), o;
	for (size_t i = 0; i < IN_COUNT(fits); i++) {
		const char *set[] = { fits[i].fit, fits[i].w, fits[i].h, "background=transparent", NULL };
		struct rect d = window_after(&f, "reformat", set, &o);
		test_ok(rect_eq(d, fits[i].data) && rect_eq(o.display, fits[i].display),
		        "reformat %s %s %s: picture "
		        "%d %d %d %d", fits[i].fit, fits[i].w, fits[i].h, d.x0, d.y0, d.x1, d.y1);
	}
	f.par = (struct rational){ 2, 1 };
	struct rect d = window_after(&f, "reformat", (const char *[]){ "width=1280", "height=720",
	    "fit=fit",
	                             "background=transparent", NULL }, &o);
	test_ok(rect_eq(d, rect_of(0, 180, 1280, 540)) && o.par.num == 1 && o.par.den == 1,
	        "reformat: wide pixels become square ones");
}

/* fit none copies pixels exactly and pads with opaque black. */
static void crop_pad(void)
{
	struct format f = nc_format(30, 20, "R G B A", "rec709");
	struct image *im = nc_random(&f, 3);
	struct nc n;
	struct err e = ERR_INIT;
	const char *set[] = { "width=40", "height=16", "fit=none", "centre=1 0", "crop_top=2", NULL };
	nc_make(&n, nc_type(nodes_baseline, "reformat"), &im, 1, set, &e);
	struct image *out = nc_run(&n, 1, 9, 9);
	bool same = true, bars = true;
	for (int c = 0; c < 4; c++)
		for (int y = 0; y < 16; y++)
			for (int x = 0; x < 40; x++) {
				float v = *view_at(&out->view, c, x, y);
				if (x < 10) bars = bars && v == (c == 3);
				else same = same && v == *view_at(&im->view, c, x - 10, y + 2);
			}
	test_ok(same, "reformat none: pixels are copied unchanged");
	test_ok(bars, "reformat none: bars are black and opaque");
	image_unref(&out);
	nc_free(&n);
	image_unref(&im);
}

int main(void)
{
	struct format f = nc_format(71, 43, "R G B A", "rec709"), g = f;
	g.data = rect_of(-3, 5, 60, 50);
	struct image *im = nc_random(&f, 2), *odd = nc_random(&g, 3);
	against_zimg();
	ringing();
	windows();
	reformat();
	crop_pad();
	nc_invariant("upscale", &im, 1, (const char *[]){ "scale=1.7", NULL }, "enlarging");
	nc_invariant("upscale", &odd, 1, (const char *[]){ "scale=2.3", "method=mitchell", NULL }, "odd "
	        "windows");
	nc_invariant("upscale", &im, 1, (const char *[]){ "scale=0.23", NULL }, "reducing");
	nc_invariant("upscale", &im, 1, (const char *[]){ "width=1", "height=1", NULL }, "to one pixel");
	nc_invariant("reformat", &im, 1, (const char *[]){ "width=90", "height=90", NULL }, "fit");
	nc_invariant("reformat", &odd, 1, (const char *[]){ "width=90", "height=60", "fit=fill",
	        "background=transparent",
	             NULL }, "fill, odd windows");
	image_unref(&im);
	image_unref(&odd);
	char rm[300];
	snprintf(rm, sizeof rm, "rm -rf %s", test_tmp());
	if (system(rm)) return 1;
	TEST_END();
}
