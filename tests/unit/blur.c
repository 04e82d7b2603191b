/* Unit tests of blur. Oracle: scipy.ndimage.gaussian_filter in double precision.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include <math.h>

static const char script[] =
	"import sys, numpy as n\n"
	"from scipy import ndimage as i\n"
	"w, h, sx, sy, mode, src, dst = sys.argv[1:]\n"
	"a = n.fromfile(src, n.float32).reshape(int(h), int(w)).astype(n.float64)\n"
	"i.gaussian_filter(a, (float(sy), float(sx)), mode=mode, truncate=6).tofile(dst)\n";

static bool have_scipy(void)
{
	return system("/usr/bin/python3 -c 'import scipy.ndimage' 2>/dev/null") == 0;
}

/* Largest difference of channel 0 from scipy's result; -1 when it could not be run. */
static double scipy(const struct image *im, const struct image *mine, double sx, double sy,
                    const char *mode)
{
	int w = rect_w(im->fmt.data), h = rect_h(im->fmt.data);
	char path[300], cmd[2000];
	snprintf(path, sizeof path, "%s/in", test_tmp());
	FILE *f = fopen(path, "wb");
	for (int y = 0; y < h; y++) fwrite(view_at(&im->view, 0, 0, y), sizeof(float), (size_t)w, f);
	fclose(f);
	snprintf(cmd, sizeof cmd, "/usr/bin/python3 -c '%s' %d %d %.17g %.17g %s "
	        "%s/in %s/out", script, w, h, sx, sy,
	         mode, test_tmp(), test_tmp());
	if (system(cmd)) return -1;
	snprintf(path, sizeof path, "%s/out", test_tmp());
	f = fopen(path, "rb");
	double worst = 0, v;
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			if (!f || fread(&v, sizeof v, 1, f) != 1) return -1;
			double d = fabs(v - *view_at(&mine->view, 0, x, y));
			if (!(d <= worst)) worst = d;
		}
	fclose(f);
	return worst;
}

struct probe { const char *sigma, *sigma_y; double sx, sy; const char *edges, *mode; };

static void against_scipy(void)
{
	static const struct probe probes[] = {
		{ "sigma=0.8", "sigma_y=-1", 0.8, 0.8, "edges=mirror", "reflect" },
		{ "sigma=1.5", "sigma_y=-1", 1.5, 1.5, "edges=hold", "nearest" },
		{ "sigma=3.3", "sigma_y=1", 3.3, 1, "edges=black", "constant" },
		{ "sigma=0", "sigma_y=2", 0, 2, "edges=mirror", "reflect" },
		{ "sigma=12", "sigma_y=-1", 12, 12, "edges=mirror", "reflect" },
		{ "sigma=12", "sigma_y=-1", 12, 12, "edges=hold", "nearest" },
		{ "sigma=60", "sigma_y=-1", 60, 60, "edges=mirror", "reflect" },
		{ "sigma=60", "sigma_y=-1", 60, 60, "edges=black", "constant" },
		{ "sigma=500", "sigma_y=-1", 500, 500, "edges=hold", "nearest" },
		{ "sigma=500", "sigma_y=-1", 500, 500, "edges=mirror", "reflect" },
	};
	struct format f = nc_format(131, 83, "R", "acescg");
	struct image *im = nc_random(&f, 1);
	if (!have_scipy()) { test_skip("blur: /usr/bin/python3 with scipy is not here"); return; }
	for (size_t i = 0; i < IN_COUNT(probes); i++) {
		const struct probe *p = &probes[i];
		struct nc n;
		struct err e = ERR_INIT;
		const char *set[] = { p->sigma, p->sigma_y, p->edges, NULL };
		nc_make(&n, nc_type(nodes_baseline, "blur"), &im, 1, set, &e);
		struct image *out = nc_run(&n, 1, 64, 64);
		double d = scipy(im, out, p->sx, p->sy, p->mode);
		test_ok(d >= 0 && d <= 1e-6, "blur %s %s %s agrees with scipy (largest difference "
		        "%.2g)", p->sigma,
		        p->sigma_y, p->edges, d);
		image_unref(&out);
		nc_free(&n);
	}
	image_unref(&im);
}

/* Below 0.8 the kernel is the integral over each pixel: the centre of a point's picture is
 * erf(1/(2 sqrt2 s))^2. */
static void small(void)
{
	struct format f = nc_format(21, 21, "R G B A", "acescg");
	struct image *im = nc_image(&f);
	for (int c = 0; c < 4; c++) *view_at(&im->view, c, 10, 10) = 1;
	struct nc n;
	struct err e = ERR_INIT;
	nc_make(&n, nc_type(nodes_baseline, "blur"), &im, 1, (const char *[]){ "sigma=0.6", NULL }, &e);
	struct image *out = nc_run(&n, 1, 0, 0);
	double g = erf(0.5 / (0.6 * sqrt(2))), sum = 0;
	for (int y = 0; y < 21; y++) for (int x = 0; x < 21; x++) sum += *view_at(&out->view, 0, x, y);
	test_ok(fabs(*view_at(&out->view, 0, 10, 10) - g * g) < 1e-6,
	        "blur 0.6: centre %.6f is the pixel integral",
	        (double)*view_at(&out->view, 0, 10, 10));
	test_ok(fabs(sum - 1) < 1e-6, "blur 0.6: energy %.8f", sum);
	bool all = true;
	for (int y = 0; y < 21; y++)
		for (int x = 0; x < 21; x++)
			all = all && *view_at(&out->view, 0, x, y) == *view_at(&out->view, 3, x, y);
	test_ok(all, "blur: alpha like the colours");
	image_unref(&out);
	nc_free(&n);
	image_unref(&im);
}

/* With mirrored edges the sum is kept, and a flat picture stays flat. */
static void energy(void)
{
	static const char *sigmas[] = { "sigma=0.4", "sigma=2.2", "sigma=40" };
	struct format f = nc_format(90, 70, "R G", "acescg");
	struct image *im = nc_random(&f, 4);
	for (int y = 0; y < 70; y++) for (int x = 0; x < 90; x++) *view_at(&im->view, 1, x, y) = 0.18f;
	for (size_t i = 0; i < IN_COUNT(sigmas); i++) {
		struct nc n;
		struct err e = ERR_INIT;
		const char *set[] = { sigmas[i], "edges=mirror", NULL };
		nc_make(&n, nc_type(nodes_baseline, "blur"), &im, 1, set, &e);
		struct image *out = nc_run(&n, 1, 0, 0);
		double before = 0, after = 0, flat = 0;
		for (int y = 0; y < 70; y++)
			for (int x = 0; x < 90; x++) {
				before += *view_at(&im->view, 0, x, y);
				after += *view_at(&out->view, 0, x, y);
				double d = fabs(*view_at(&out->view, 1, x, y) / 0.18 - 1);
				if (d > flat) flat = d;
			}
		test_ok(fabs(after / before - 1) < 1e-6, "blur %s: energy kept "
		        "(%.2g)", sigmas[i], after / before - 1);
		test_ok(flat < 1e-6, "blur %s: a flat picture stays (%.2g)", sigmas[i], flat);
		image_unref(&out);
		nc_free(&n);
	}
	image_unref(&im);
}

int main(void)
{
	struct format f = nc_format(71, 43, "R G A", "acescg"), g = f;
	g.data = rect_of(-3, 5, 60, 48);
	struct image *im = nc_random(&f, 2), *odd = nc_random(&g, 3);
	against_scipy();
	small();
	energy();
	nc_invariant("blur", &im, 1, (const char *[]){ "sigma=2", NULL }, "hold");
	nc_invariant("blur", &odd, 1, (const char *[]){ "sigma=4", "edges=mirror", NULL }, "mirror");
	nc_invariant("blur", &odd, 1, (const char *[]){ "sigma=30", "edges=black", "sigma_y=0.5", NULL },
	    "black");
	nc_invariant("blur", &odd, 1, (const char *[]){ "sigma=5%h", NULL }, "percent of height");
	image_unref(&im);
	image_unref(&odd);
	char rm[300];
	snprintf(rm, sizeof rm, "rm -rf %s", test_tmp());
	if (system(rm)) return 1;
	TEST_END();
}
