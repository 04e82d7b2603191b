/* Unit tests of merge against Porter and Duff's table of fractions and the W3C's blend formula,
 * in doubles.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include <math.h>

/* Porter and Duff, Compositing Digital Images (1984): result = A Fa + B Fb. Fractions as 0, 1,
 * a, b, 1-a, 1-b. */
enum frac { ZERO, ONE, FA, FB, NA, NB };
struct duff { const char *operation; enum frac fa, fb; };
static const struct duff table[] = {
	{ "clear", ZERO, ZERO }, { "copy", ONE, ZERO }, { "keep", ZERO, ONE }, { "over", ONE, NA },
	    { "under", NB, ONE },
	{ "in", FB, ZERO }, { "mask", ZERO, FA }, { "out", NB, ZERO }, { "stencil", ZERO, NA },
	    { "atop", FB, NA },
	{ "under-atop", NB, FA }, { "xor", NB, NA }, { "plus", ONE, ONE },
};

static double fraction(enum frac f, double a, double b)
{
	double v[] = { 0, 1, a, b, 1 - a, 1 - b };
	return v[f];
}

/* Blend functions of unpremultiplied colours. */
struct blend { const char *operation; double (*f)(double a, double b); };
static double f_minus(double a, double b) { return a - b; }
static double f_from(double a, double b) { return b - a; }
static double f_multiply(double a, double b) { return a * b; }
static double f_screen(double a, double b) { return 1 - (1 - a) * (1 - b); }
static double f_overlay(double a, double b) { return b <= 0.5 ? 2 * a * b : 1 - 2 * (1 - a) *
    (1 - b); }
static double f_average(double a, double b) { return (a + b) / 2; }
static double f_difference(double a, double b) { return fabs(a - b); }
static double f_divide(double a, double b) { return b == 0 ? 0 : a / b; }
static const struct blend blends[] = {
	{ "minus", f_minus }, { "from", f_from }, { "multiply", f_multiply }, { "screen", f_screen },
	{ "overlay", f_overlay }, { "max", fmax }, { "min", fmin }, { "difference", f_difference },
	{ "average", f_average }, { "divide", f_divide },
};

/* Premultiplied random pictures with transparent, solid and partial places, and colours above 1. */
static struct image *picture(unsigned seed, const char *channels)
{
	struct format f = nc_format(40, 30, channels, "acescg");
	struct image *im = nc_random(&f, seed);
	int alpha = format_channel(&f, "A");
	for (int y = 0; y < 30; y++)
		for (int x = 0; x < 40; x++) {
			float a = 1;
			if (alpha >= 0) {
				float *p = view_at(&im->view, alpha, x, y);
				*p = (x + (int)seed) % 5 == 0 ? 0 : (y + (int)seed) % 4 == 0 ? 1 : *p;
				a = *p;
			}
			for (int c = 0; c < 3; c++) *view_at(&im->view, c, x, y) *= a * (c == 2 ? 1.5f : 1);
		}
	return im;
}

static float px(const struct image *im, const char *ch, int x, int y, float absent)
{
	int c = format_channel(&im->fmt, ch);
	return c < 0 ? absent : *view_at(&im->view, c, x, y);
}

static double expected(const struct duff *d, const struct blend *bl, double ca, double a, double cb,
                       double b, bool alpha)
{
	if (d) {
		double v = ca * fraction(d->fa, a, b) + cb * fraction(d->fb, a, b);
		return alpha && strcmp(d->operation, "plus") == 0 ? fmin(1, v) : v;
	}
	if (alpha) return a + b - a * b;
	double both = a > 0 && b > 0 ? a * b * bl->f(ca / a, cb / b) : 0;
	return both + ca * (1 - b) + cb * (1 - a);
}

static void operation(const struct duff *d, const struct blend *bl, struct image *b,
                      struct image *a, const char *what)
{
	static const char *names[] = { "R", "G", "B", "A" };
	char set0[64];
	const char *op = d ? d->operation : bl->operation;
	struct nc n;
	struct err e = ERR_INIT;
	struct image *im[2] = { b, a };
	double worst = 0;
	snprintf(set0, sizeof set0, "operation=%s", op);
	if (!nc_make(&n, nc_type(nodes_baseline, "merge"), im, 2, (const char *[]){ set0, NULL }, &e))
		printf("not ok merge: %s\n", e.msg);
	struct image *out = nc_run(&n, 1, 16, 16);
	for (int c = 0; c < b->fmt.nch && c < 4; c++)
		for (int y = 0; y < 30; y++)
			for (int x = 0; x < 40; x++) {
				double aa = px(a, "A", x, y, 1), ba = px(b, "A", x, y, 1);
				double want = expected(d, bl, px(a, names[c], x, y, 0), aa, px(b, names[c], x, y, 0), ba,
				    c == 3);
				double diff = fabs(want - *view_at(&out->view, c, x, y)) / (1 + fabs(want));
				if (!(diff <= worst)) worst = diff;
			}
	test_ok(worst < 1e-6, "merge %s %s (%.2g)", op, what, worst);
	image_unref(&out);
	nc_free(&n);
}

/* A smaller overlay: nothing of it outside its data window; other channels are B's. */
static void windows(void)
{
	struct format fa = nc_format(40, 30, "R G B", "acescg"), fb = nc_format(40, 30, "R G B "
	        "Z", "acescg");
	fa.data = rect_of(10, 5, 50, 20);
	struct image *a = nc_random(&fa, 1), *b = nc_random(&fb, 2), *im[2] = { b, a };
	struct nc n;
	struct err e = ERR_INIT;
	nc_make(&n, nc_type(nodes_baseline, "merge"), im, 2, NULL, &e);
	struct image *out = nc_run(&n, 1, 7, 7);
	bool good = true;
	for (int c = 0; c < 4; c++)
		for (int y = 0; y < 30; y++)
			for (int x = 0; x < 40; x++) {
				bool in = c < 3 && x >= 10 && y >= 5 && y < 20;
				good = good && *view_at(&out->view, c, x, y) == *view_at(in ? &a->view : &b->view, c, x, y);
			}
	test_ok(good, "merge over: an overlay without alpha is opaque inside its data window, absent "
	        "outside");
	image_unref(&out);
	nc_free(&n);
	image_unref(&a);
	image_unref(&b);
}

int main(void)
{
	struct image *a = picture(1, "R G B A"), *b = picture(2, "R G B A"), *solid = picture(3, "R G B"),
	    *other = picture(4, "R G B");
	for (size_t i = 0; i < IN_COUNT(table); i++) {
		operation(&table[i], NULL, b, a, "both with alpha");
		operation(&table[i], NULL, solid, a, "onto opaque");
	}
	for (size_t i = 0; i < IN_COUNT(blends); i++) {
		operation(NULL, &blends[i], b, a, "both with alpha");
		operation(NULL, &blends[i], solid, other, "both opaque");
	}
	windows();
	struct image *im[2] = { b, a };
	nc_invariant("merge", im, 2, (const char *[]){ "operation=overlay", NULL }, "overlay");
	nc_invariant("merge", im, 2, NULL, "over");
	image_unref(&a);
	image_unref(&b);
	image_unref(&solid);
	image_unref(&other);
	TEST_END();
}
