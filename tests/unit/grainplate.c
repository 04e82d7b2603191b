/* grainplate - grain of a scanned plate: even variance, no repeats, no shading, the asked strength.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include <math.h>

enum { SIDE = 768, PW = 200, PH = 160 };

static struct image *flat(int w, int h, float v)
{
	struct format f = nc_format(w, h, "R G B", "rec709");
	struct image *im = nc_image(&f);
	for (int c = 0; c < 3; c++) for (int y = 0; y < h; y++) for (int x = 0; x < w; x++) *view_at(&im->view, c, x, y) = v;
	return im;
}

/* Grain of deviation 0.02 in red, 0.01 in the others, on a grey that falls off to one corner. */
static struct image *plate(void)
{
	struct image *im = flat(PW, PH, 0.4f);
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < PH; y++)
			for (int x = 0; x < PW; x++)
				*view_at(&im->view, c, x, y) += (float)((nc_rand((unsigned)c + 1, (unsigned)x, (unsigned)y) - 0.5) * sqrt(12) * (c ? 0.01 : 0.02) + 0.1 * x / PW - 0.05 * y / PH);
	return im;
}

static struct image *run(struct image *im, struct image *p, const char *const *set, int frame)
{
	struct nc n;
	struct err e = ERR_INIT;
	struct image *in[] = { im, im, p };
	if (!nc_make(&n, nc_type(nodes_baseline, "grain"), in, 3, set, &e)) { printf("not ok grain: %s\n", e.msg); exit(1); }
	struct image *out = nc_run(&n, frame, 128, 128);
	nc_free(&n);
	return out;
}

static double shifted(const struct image *a, int c, double v, int dx, int dy)
{
	double sum = 0;
	for (int y = 0; y + dy < SIDE; y++)
		for (int x = 0; x + dx < SIDE; x++)
			sum += (*view_at(&a->view, c, x, y) - v) * (*view_at(&a->view, c, x + dx, y + dy) - v);
	return sum / ((double)(SIDE - dx) * (SIDE - dy));
}

int main(void)
{
	double mid = (float)pow(0.18, 1 / 2.4);
	struct image *im = flat(SIDE, SIDE, (float)mid), *p = plate(), *out, *next;
	out = run(im, p, (const char *[]){ NULL }, 1);
	double var = shifted(out, 0, mid, 0, 0), worst = 0, least = 9, most = 0;
	test_ok(fabs(sqrt(var) / 0.02 - 1) < 0.03 && fabs(sqrt(shifted(out, 1, mid, 0, 0)) / 0.01 - 1) < 0.03,
	        "plate: as strong as measured (%.4f, %.4f)", sqrt(var), sqrt(shifted(out, 1, mid, 0, 0)));
	for (int dy = 0; dy < 420; dy += 3)
		for (int dx = dy ? 0 : 1; dx < 420; dx += dy % 2 ? 7 : 3) {
			double rho = fabs(shifted(out, 0, mid, dx, dy) / var);
			if (rho > worst) worst = rho;
			if (dx > 60 && dy) dx += 29;
		}
	test_ok(worst < 0.1, "plate: no shift by up to 420 pixels repeats it (|r| at most %.3f)", worst);
	for (int x = 0; x < SIDE; x += 16) {
		double sum = 0;
		for (int y = 0; y < SIDE; y++) for (int k = 0; k < 16; k++) sum += pow(*view_at(&out->view, 0, x + k, y) - mid, 2);
		sum /= SIDE * 16 * var;
		if (sum < least) least = sum;
		if (sum > most) most = sum;
	}
	test_ok(least > 0.9 && most < 1.1, "plate: variance is even over columns (%.3f to %.3f)", least, most);
	next = run(im, p, (const char *[]){ NULL }, 2);
	double cross = 0;
	for (int y = 0; y < SIDE; y++) for (int x = 0; x < SIDE; x++) cross += (*view_at(&out->view, 0, x, y) - mid) * (*view_at(&next->view, 0, x, y) - mid);
	test_ok(fabs(cross / SIDE / SIDE / var) < 0.02, "plate: the next frame is another (%.4f)", cross / SIDE / SIDE / var);
	image_unref(&next);
	image_unref(&out);
	out = run(im, p, (const char *[]){ "plate_strength=asked", "amount=0.045", NULL }, 1);
	for (int c = 0; c < 3; c++)
		test_ok(fabs(sqrt(shifted(out, c, mid, 0, 0)) / 0.015 - 1) < 0.01, "plate: channel %d as strong as asked (%.5f)", c, sqrt(shifted(out, c, mid, 0, 0)));
	image_unref(&out);
	out = run(im, p, (const char *[]){ "strength=0.5", NULL }, 1);
	test_ok(fabs(sqrt(shifted(out, 0, mid, 0, 0)) / 0.01 - 1) < 0.03, "plate: strength multiplies it");
	image_unref(&out);
	struct nc n;
	struct err e = ERR_INIT;
	struct image *small = flat(40, 300, 0.4f), *in[] = { im, im, small };
	test_ok(!nc_make(&n, nc_type(nodes_baseline, "grain"), in, 3, NULL, &e), "plate: too small: %s", e.msg);
	nc_free(&n);
	struct format f = nc_format(301, 143, "R G B", "rec709");
	struct image *r = nc_random(&f, 2), *three[] = { r, r, p };
	nc_invariant("grain", three, 3, (const char *[]){ "plate_strength=asked", NULL }, "plate");
	nc_past("grain", three, 3, (const char *[]){ NULL }, "plate");
	struct image *holes = plate();
	for (int y = 0; y < PH; y += 5) *view_at(&holes->view, y % 3, (y * 7) % PW, y) = y & 1 ? __builtin_nanf("") : -__builtin_inff();
	out = run(im, holes, (const char *[]){ "plate_strength=asked", NULL }, 1);
	int bad = 0;
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < SIDE; y++) for (int x = 0; x < SIDE; x++) bad += !isfinite(*view_at(&out->view, c, x, y));
	test_ok(bad == 0, "plate: holes in it leave no hole (%d)", bad);
	image_unref(&out);
	image_unref(&holes);
	image_unref(&r);
	image_unref(&small);
	image_unref(&p);
	image_unref(&im);
	TEST_END();
}
