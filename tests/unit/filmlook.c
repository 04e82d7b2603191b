/* Unit tests of soften, its measure, and of the parts of deband and deblock. Oracles: transfer functions by libm, quantised ramps.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"
#include "slope.h"

#include <math.h>

enum { W = 260, H = 260 };

static struct image *call(const char *type, struct image *const *im, int nim, const char *const *set)
{
	struct nc n;
	struct err e = ERR_INIT;
	if (!nc_make(&n, nc_type(nodes_baseline, type), im, nim, set, &e)) test_ok(0, "%s: %s", type, e.msg);
	struct image *out = nc_run(&n, 1, 64, 48);
	nc_free(&n);
	return out;
}

/* A cosine of f cycles per pixel across keeps the share that the inverse of the mask leaves it. */
static void band_response(double f)
{
	struct format fmt = nc_format(W, 40, "R G B", "rec709");
	struct image *im = nc_image(&fmt);
	double a = 1.3, s = 1.1, want = 1 / (1 + a * (1 - exp(-2 * M_PI * M_PI * s * s * f * f))), got = 0, was = 0;
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < 40; y++) for (int x = 0; x < W; x++) *view_at(&im->view, c, x, y) = (float)(0.4 + 0.02 * cos(2 * M_PI * f * x));
	struct image *out = call("soften", &im, 1, (const char *[]){ "mode=band", "excess=1.3", "radius=1.1", NULL });
	for (int x = 40; x < W - 40; x++) {
		double k = cos(2 * M_PI * f * x);
		got += k * (*view_at(&out->view, 1, x, 20) - 0.4);
		was += k * (*view_at(&im->view, 1, x, 20) - 0.4);
	}
	test_ok(fabs(got / was - want) < 0.004, "soften band at %g cycles per pixel leaves %.4f (%.4f)", f, got / was, want);
	image_unref(&out);
	image_unref(&im);
}

/* An edge's overshoot beside a planted mask comes down. */
static void halo(void)
{
	struct format fmt = nc_format(120, 40, "R G B", "rec709");
	struct image *im = nc_image(&fmt);
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < 40; y++)
			for (int x = 0; x < 120; x++) {
				double d = x - 59.5, step = d < 0 ? 0.3 : 0.7, blurred = 0.5 + 0.2 * erf(d / (1.2 * sqrt(2)));
				*view_at(&im->view, c, x, y) = (float)(step + 0.8 * (step - blurred));
			}
	struct image *out = call("soften", &im, 1, (const char *[]){ "mode=band", "excess=0.4", "radius=1.2", "halos=1", NULL });
	double before = 0, after = 0;
	for (int x = 0; x < 120; x++) {
		before = fmax(before, *view_at(&im->view, 0, x, 20) - 0.7);
		after = fmax(after, *view_at(&out->view, 0, x, 20) - 0.7);
	}
	test_ok(after < 0.35 * before, "soften halos: overshoot %.4f to %.4f", before, after);
	test_ok(fabs(*view_at(&out->view, 0, 110, 20) - 0.7) < 1e-6, "soften: flat fields stay");
	image_unref(&out);
	image_unref(&im);
}

static double measured(const struct image *im)
{
	static const double w[3] = { 0.2126, 0.7152, 0.0722 };
	struct slope s = { .blocks = 0 };
	struct err e = ERR_INIT;
	slope_add(&s, im, w, 100, &e);
	return slope_of(&s, NULL, NULL);
}

/* White noise has slope 0; what was solved for it is what comes out. */
static void slopes(void)
{
	static const double w[3] = { 0.2126, 0.7152, 0.0722 };
	struct format fmt = nc_format(W, H, "R G B", "rec709");
	struct image *im = nc_random(&fmt, 7);
	struct slope s = { .blocks = 0 };
	struct err e = ERR_INIT;
	char excess[40], radius[40];
	test_ok(fabs(measured(im)) < 0.1, "slope of white noise %.3f", measured(im));
	slope_add(&s, im, w, 100, &e);
	struct slope_fit k = slope_excess(&s, -1, 3);
	snprintf(excess, sizeof excess, "excess=%.6f", k.amount);
	snprintf(radius, sizeof radius, "radius=%.6f", k.radius);
	struct image *out = call("soften", &im, 1, (const char *[]){ "mode=band", excess, radius, "halos=0", NULL });
	test_ok(fabs(measured(out) - slope_of(&s, slope_unsharpen, &k)) < 0.06, "slope after soften %.3f, foreseen %.3f", measured(out),
	        slope_of(&s, slope_unsharpen, &k));
	struct image *soft = call("soften", &im, 1, (const char *[]){ "sigma=1", NULL });
	test_ok(measured(soft) < -2, "slope after a Gaussian %.3f", measured(soft));
	test_ok(slope_excess(&s, 0.5, 3).amount == 0, "what is steep enough has no excess");
	image_unref(&soft);
	image_unref(&out);
	image_unref(&im);
}

/* A ramp in steps of 1/64: the last level keeps within half a step and comes nearer to the ramp; a coarse checker stays. */
static void banded(void)
{
	struct format fmt = nc_format(W, 60, "R G B", "rec709");
	struct image *im = nc_image(&fmt);
	double before = 0, after = 0, most = 0, texture = 0;
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < 60; y++)
			for (int x = 0; x < W; x++) {
				float v = (float)(0.2 + 0.3 * x / W), q = floorf(v * 64 + 0.5f) / 64;
				*view_at(&im->view, c, x, y) = c == 2 ? q + (float)((x ^ y) & 1) / 32 : q;
			}
	struct image *k = image_ref(im), *next;
	for (int apart = 16; apart >= 1; apart /= 2) {
		char text[40];
		snprintf(text, sizeof text, "apart=%d", apart);
		next = call("deband_level", (struct image *[]){ im, k }, 2, (const char *[]){ text, "step=3.98", apart == 1 ? "last=yes" : "last=no", NULL });
		image_unref(&k);
		k = next;
	}
	for (int x = 10; x < W - 10; x++) {
		double v = 0.2 + 0.3 * x / W, q = *view_at(&im->view, 0, x, 30), o = *view_at(&k->view, 0, x, 30);
		before += (q - v) * (q - v), after += (o - v) * (o - v);
		most = fmax(most, fabs(o - q));
		texture = fmax(texture, fabs(*view_at(&k->view, 2, x, 30) - (double)*view_at(&im->view, 2, x, 30)));
	}
	test_ok(10 * log10(before / after) > 10, "deband: a ramp in steps comes %.1f dB nearer", 10 * log10(before / after));
	test_ok(most <= 0.5 * 3.98 / 255 + 1e-6, "deband: nothing moves by more than half a step (%.5f)", most);
	test_ok(texture == 0, "deband: texture stays (%.5f)", texture);
	image_unref(&k);
	image_unref(&im);
}

/* Blocks of 8 with their own offsets over a ramp come nearer to the ramp; without blocks next to nothing moves. */
static void blocked(bool lattice)
{
	struct format fmt = nc_format(168, 88, "R G B", "rec709");
	struct image *im = nc_image(&fmt);
	double before = 0, after = 0, moved = 0;
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < 88; y++)
			for (int x = 0; x < 168; x++) {
				float off = (nc_rand((unsigned)(x + 3) / 8, (unsigned)(y + 6) / 8, 9) - 0.5f) * 0.02f;
				*view_at(&im->view, c, x, y) = 0.3f + 0.002f * (float)x + (lattice ? off : 0);
			}
	const char *const set[] = { "offset=5 2", NULL }, *const down[] = { "offset=5 2", "down=yes", NULL };
	struct image *a = call("deblock_axis", &im, 1, set), *b = call("deblock_axis", (struct image *[]){ im, a }, 2, down);
	for (int y = 16; y < 72; y++)
		for (int x = 16; x < 152; x++) {
			double v = 0.3 + 0.002 * x, q = *view_at(&im->view, 1, x, y), o = *view_at(&b->view, 1, x, y);
			before += (q - v) * (q - v), after += (o - v) * (o - v), moved = fmax(moved, fabs(o - q));
		}
	if (lattice) test_ok(after < 0.7 * before, "deblock: blocks come nearer to the ramp (%.2f of the error)", after / before);
	else test_ok(moved < 1e-6, "deblock: a ramp without blocks stays (%.2g)", moved);
	image_unref(&a);
	image_unref(&b);
	image_unref(&im);
}

int main(void)
{
	struct format f = nc_format(71, 43, "R G B", "rec709");
	f.data = rect_of(-3, 5, 60, 48);
	struct image *two[2] = { nc_random(&f, 2), nc_random(&f, 3) };
	for (int i = 0; i <= 4; i++) band_response(0.02 + 0.1 * i);
	halo();
	slopes();
	banded();
	blocked(true);
	blocked(false);
	nc_invariant("soften", two, 1, (const char *[]){ "sigma=0.6", NULL }, "optical");
	nc_invariant("soften", two, 1, (const char *[]){ "mode=band", "excess=1", "radius=1.4", NULL }, "band");
	nc_invariant("deband_level", two, 2, (const char *[]){ "apart=5", "step=60", "last=yes", NULL }, "last");
	nc_invariant("deband_level", two, 2, (const char *[]){ "apart=40", "step=60", NULL }, "first");
	nc_invariant("deblock_axis", two, 2, (const char *[]){ "limit=200", "offset=3 5", NULL }, "across");
	nc_invariant("deblock_axis", two, 1, (const char *[]){ "limit=200", "down=yes", NULL }, "down");
	nc_invariant("glow_join", (struct image *[]){ two[0], two[1], two[1] }, 3, (const char *[]){ "share=0.3 0.2 0.1", NULL }, "join");
	nc_invariant("glow_source", two, 1, (const char *[]){ "threshold=0.2", NULL }, "source");
	nc_invariant("glow_sum", two, 2, (const char *[]){ "weight=0.3", NULL }, "sum");
	image_unref(&two[0]);
	image_unref(&two[1]);
	TEST_END();
}
