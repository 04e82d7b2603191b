/* Unit tests of vignette. Oracle: cos^4 of the angle of incidence (the natural falloff), by libm in double precision.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include <math.h>

enum { W = 96, H = 54 };

static struct image *flat(const struct format *f, float v)
{
	struct image *im = nc_image(f);
	for (int c = 0; c < f->nch; c++)
		for (int y = f->data.y0; y < f->data.y1; y++)
			for (int x = f->data.x0; x < f->data.x1; x++) *view_at(&im->view, c, x, y) = v;
	return im;
}

static struct image *shade(struct image *im, const char **set)
{
	struct nc n;
	struct err e = ERR_INIT;
	nc_make(&n, nc_type(nodes_baseline, "vignette"), &im, 1, set, &e);
	struct image *out = nc_run(&n, 1, 32, 32);
	nc_free(&n);
	return out;
}

/* A lens of focal length f (in half diagonals) keeps cos^4(atan(d / f)); amount says what is left at d = 1. */
static void against_lens(double amount, double par)
{
	char text[40];
	struct format f = nc_format(W, H, "R G B", "acescg");
	f.par = par == 1 ? (struct rational){ 1, 1 } : (struct rational){ 2, 1 };
	struct image *im = flat(&f, 0.5f);
	snprintf(text, sizeof text, "amount=%g", amount);
	struct image *out = shade(im, (const char *[]){ text, NULL });
	double focal = 1 / tan(acos(pow(1 - amount, 0.25))), worst = 0;
	double half = sqrt(W * par * W * par / 4.0 + H * H / 4.0);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			double d = hypot((x + 0.5 - W / 2.0) * par, y + 0.5 - H / 2.0) / half;
			double want = 0.5 * pow(cos(atan(d / focal)), 4);
			double off = fabs(*view_at(&out->view, 1, x, y) - want);
			if (!(off <= worst)) worst = off;
		}
	test_ok(worst < 3e-7, "vignette %g, pixel aspect %g: cos^4 of the lens (largest difference %.2g)", amount, par, worst);
	image_unref(&out);
	image_unref(&im);
}

static void there_and_back(void)
{
	struct format f = nc_format(W, H, "R G B", "acescg");
	struct image *im = nc_random(&f, 5);
	struct image *out = shade(im, (const char *[]){ "amount=0.6", "shape=1.7", "centre=0.3 0.7", NULL });
	struct image *back = shade(out, (const char *[]){ "amount=0.6", "shape=1.7", "centre=0.3 0.7", "inverse=yes", NULL });
	double worst = 0;
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++) {
				double v = *view_at(&im->view, c, x, y);
				double d = fabs(*view_at(&back->view, c, x, y) - v) / (fabs(v) + 1e-3);
				if (!(d <= worst)) worst = d;
			}
	test_ok(worst < 1e-6, "vignette: inverse restores the picture (%.2g)", worst);
	image_unref(&back);
	image_unref(&out);
	image_unref(&im);
}

int main(void)
{
	struct format f = nc_format(71, 43, "R G B", "acescg");
	f.data = rect_of(-3, 5, 60, 48);
	struct image *im = nc_random(&f, 2);
	against_lens(0.3, 1);
	against_lens(0.8, 1);
	against_lens(0.3, 2);
	there_and_back();
	nc_invariant("vignette", &im, 1, (const char *[]){ "amount=0.5", NULL }, "plain");
	nc_invariant("vignette", &im, 1, (const char *[]){ "amount=-0.5", "shape=2.2", NULL }, "shaped");
	image_unref(&im);
	char rm[300];
	snprintf(rm, sizeof rm, "rm -rf %s", test_tmp());
	if (system(rm)) return 1;
	TEST_END();
}
