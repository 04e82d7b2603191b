/* Unit tests of deltae and skin. Oracles: the 34 pairs of Sharma, Wu and Dalal (2005), the ColorChecker's skins as
 * colour-science gives them (SCIENCE 2.6).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include "deltae.h"
#include "mathx.h"
#include "px_colour.h"
#include "skin.h"

/* One colour. */
static void nodes_colour(const struct colour_xform *t, float v[3]) { colour_row(t, &v[0], &v[1], &v[2], 1); }

static double absd(double v) { return v < 0 ? -v : v; }

/* L a b, L a b, difference: the supplement of the paper. */
static const double sharma[34][7] = {
	{ 50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425 }, { 50, 3.1571, -77.2803, 50, 0, -82.7485, 2.8615 },
	{ 50, 2.8361, -74.0200, 50, 0, -82.7485, 3.4412 }, { 50, -1.3802, -84.2814, 50, 0, -82.7485, 1.0000 },
	{ 50, -1.1848, -84.8006, 50, 0, -82.7485, 1.0000 }, { 50, -0.9009, -85.5211, 50, 0, -82.7485, 1.0000 },
	{ 50, 0, 0, 50, -1, 2, 2.3669 }, { 50, -1, 2, 50, 0, 0, 2.3669 },
	{ 50, 2.4900, -0.0010, 50, -2.4900, 0.0009, 7.1792 }, { 50, 2.4900, -0.0010, 50, -2.4900, 0.0010, 7.1792 },
	{ 50, 2.4900, -0.0010, 50, -2.4900, 0.0011, 7.2195 }, { 50, 2.4900, -0.0010, 50, -2.4900, 0.0012, 7.2195 },
	{ 50, -0.0010, 2.4900, 50, 0.0009, -2.4900, 4.8045 }, { 50, -0.0010, 2.4900, 50, 0.0010, -2.4900, 4.8045 },
	{ 50, -0.0010, 2.4900, 50, 0.0011, -2.4900, 4.7461 }, { 50, 2.5, 0, 50, 0, -2.5, 4.3065 },
	{ 50, 2.5, 0, 73, 25, -18, 27.1492 }, { 50, 2.5, 0, 61, -5, 29, 22.8977 }, { 50, 2.5, 0, 56, -27, -3, 31.9030 },
	{ 50, 2.5, 0, 58, 24, 15, 19.4535 }, { 50, 2.5, 0, 50, 3.1736, 0.5854, 1.0000 },
	{ 50, 2.5, 0, 50, 3.2972, 0, 1.0000 }, { 50, 2.5, 0, 50, 1.8634, 0.5757, 1.0000 },
	{ 50, 2.5, 0, 50, 3.2592, 0.3350, 1.0000 },
	{ 60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644 },
	{ 63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630 },
	{ 61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731 },
	{ 35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645 },
	{ 22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373 },
	{ 36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146 },
	{ 90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441 },
	{ 90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381 },
	{ 6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377 },
	{ 2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082 },
};

static void difference(void)
{
	double worst = 0;
	for (int i = 0; i < 34; i++) {
		double d = absd(deltae_2000(sharma[i], sharma[i] + 3) - sharma[i][6]);
		double back = absd(deltae_2000(sharma[i] + 3, sharma[i]) - sharma[i][6]);
		worst = d > worst ? d : worst;
		worst = back > worst ? back : worst;
	}
	test_ok(worst < 5.1e-5, "deltae_2000 equals Sharma's 34 pairs, both ways (%.6f)", worst);
	/* sRGB white, mid-grey and red: L*a*b* under D65 as colour-science has them */
	static const double in[3][3] = { { 1, 1, 1 }, { 0.18, 0.18, 0.18 }, { 1, 0, 0 } };
	static const double want[3][3] = { { 100, 0, 0 }, { 49.4961, 0, 0 }, { 53.2408, 80.0925, 67.2032 } };
	worst = 0;
	for (int i = 0; i < 3; i++) {
		double lab[3];
		lab_of_linear(colour_find("srgb"), in[i], lab);
		for (int k = 0; k < 3; k++) worst = absd(lab[k] - want[i][k]) > worst ? absd(lab[k] - want[i][k]) : worst;
	}
	test_ok(worst < 0.02, "L*a*b* of white, mid-grey and red (%.4f)", worst);
}

static void line(void)
{
	/* linear values as colour_vectors.txt has them, coded as sRGB */
	double light[3] = { 0.55978, 0.27745, 0.21089 }, dark[3] = { 0.17368, 0.07879, 0.05286 }, v[3], w[3];
	for (int k = 0; k < 3; k++) {
		light[k] = colour_encode(colour_find("srgb"), light[k]);
		dark[k] = colour_encode(colour_find("srgb"), dark[k]);
	}
	test_ok(absd(skin_angle(light) - 117.99) < 0.02 && absd(skin_angle(dark) - 120.98) < 0.02,
	        "the ColorChecker's skins lie at 117.99 and 120.98 degrees (%.2f %.2f)", skin_angle(light), skin_angle(dark));
	skin_ycc(light, v);
	skin_ycc(dark, w);
	test_ok(absd(__builtin_sqrt(v[1] * v[1] + v[2] * v[2]) - 0.1224) < 2e-4 &&
	        absd(__builtin_sqrt(w[1] * w[1] + w[2] * w[2]) - 0.0863) < 2e-4, "and have its chroma, 0.1224 and 0.0863");
	test_ok(absd(skin_turn(350, 10) - 20) < 1e-9 && absd(skin_turn(10, 350) + 20) < 1e-9, "angles turn the short way");
}

static void statistics(void)
{
	enum { N = 4000 };
	static float p[3][N];
	const float *const q[3] = { p[0], p[1], p[2] };
	struct skin_stats s;
	/* a quarter skin about 118 degrees, the rest blue sky and grey */
	for (int i = 0; i < N; i++) {
		double hue = (118 + 10 * (nc_rand((unsigned)i, 1, 1) - 0.5)) * 3.14159265358979 / 180, c = 0.11, y = 0.5;
		double cb = c * __builtin_cos(hue), cr = c * __builtin_sin(hue);
		double r = y + 1.5748 * cr, b = y + 1.8556 * cb, g = (y - 0.2126 * r - 0.0722 * b) / 0.7152;
		if (i % 4) { r = i % 2 ? 0.4 : 0.3; g = 0.4; b = i % 2 ? 0.4 : 0.7; }
		p[0][i] = (float)r; p[1][i] = (float)g; p[2][i] = (float)b;
	}
	skin_measure(q, N, SKIN_ANY, NULL, &s);
	test_ok(absd(s.hue - 118) < 0.3 && absd(s.iqr - 5) < 0.4 && absd(s.share - 0.25) < 1e-9 && absd(s.chroma - 0.11) < 2e-3
	        && absd(s.luma - 0.5) < 2e-3 && absd(s.within5 - 0.5) < 0.03 && s.within10 > 0.999,
	        "skin_measure: median %.2f, spread %.2f, share %.3f, %.2f within 5", s.hue, s.iqr, s.share, s.within5);
	struct skin_ref other = { .hue = 230, .spread = 5, .chroma = 0.11, .luma = 0.5 };
	skin_measure(q, N, SKIN_LIKE, &other, &s);
	char text[200];
	skin_text(&s, text, sizeof text);
	test_ok(s.n == 0 && strcmp(text, "no skin") == 0, "skin_measure finds nothing like a skin that is not there");
}

/* Skin and other colours through a grade that turns them, with and without the hold. */
static struct image *graded(struct image *im, const struct skin_ref *skin, const char *const *set)
{
	struct err e = ERR_INIT;
	struct nc n;
	if (!nc_make(&n, nc_type(nodes_baseline, "grade"), &im, 1, set, &e)) { test_ok(0, "grade: %s", e.msg); exit(1); }
	n.ctx.type->close(&n.ctx);
	n.ctx.skin = skin;
	n.ctx.type->open(&n.ctx, &e);
	struct image *out = nc_run(&n, 1, 0, 0);
	nc_free(&n);
	return out;
}

static void signal_at(const struct image *im, int x, double ycc[3], double *hue, double *size)
{
	struct colour_xform t;
	float v[3];
	colour_xform_init(&t, colour_find("acescg"), colour_find("rec709"));
	for (int k = 0; k < 3; k++) v[k] = *view_at(&im->view, k, x, 0);
	nodes_colour(&t, v);
	double rgb[3] = { v[0], v[1], v[2] };
	skin_ycc(rgb, ycc);
	*hue = skin_angle(rgb);
	*size = __builtin_sqrt(ycc[1] * ycc[1] + ycc[2] * ycc[2]);
}

static void hold(void)
{
	enum { N = 400 };
	struct format f = nc_format(N, 1, "R G B", "acescg");
	struct image *im = nc_image(&f);
	struct colour_xform t;
	struct skin_ref ana = { .hue = 119, .spread = 5, .chroma = 0.1, .luma = 0.5, .drift = 4, .soft = 0.5 };
	static const char *const set[] = { "temperature=-60", "tint=14", "saturation=1.3", "contrast=1.1", NULL };
	static const char *const kept[] = { "temperature=-60", "tint=14", "saturation=1.3", "contrast=1.1", "skin_chroma=1",
	                                    "skin_light=1", NULL };
	colour_xform_init(&t, colour_find("rec709"), colour_find("acescg"));
	for (int x = 0; x < N; x++) {                   /* the first half skin, the second all hues */
		double hue = x < N / 2 ? 110 + 18.0 * x / (N / 2) : 140 + 320.0 * (x - N / 2) / (N / 2), c = 0.1, y = 0.35 + 0.3 * (x % 7) / 7;
		double cb = c * mx_cos(hue * MX_PI / 180), cr = c * mx_sin(hue * MX_PI / 180);
		float v[3];
		v[0] = (float)(y + 1.5748 * cr);
		v[2] = (float)(y + 1.8556 * cb);
		v[1] = (float)((y - 0.2126 * v[0] - 0.0722 * v[2]) / 0.7152);
		nodes_colour(&t, v);
		for (int k = 0; k < 3; k++) *view_at(&im->view, k, x, 0) = v[k];
	}
	struct image *free_ = graded(im, NULL, set), *held = graded(im, &ana, set), *all = graded(im, &ana, kept);
	double drift[2] = { 0, 0 }, chroma = 0, light = 0, keep = 0, step = 0, last = 0;
	bool same = true;
	for (int x = 0; x < N; x++) {
		double v[4][3], hue[4], size[4];
		struct image *const im4[4] = { im, free_, held, all };
		for (int i = 0; i < 4; i++) signal_at(im4[i], x, v[i], &hue[i], &size[i]);
		double d = skin_turn(hue[0], hue[2]);
		if (x < N / 2) {
			drift[0] = absd(skin_turn(hue[0], hue[1])) > drift[0] ? absd(skin_turn(hue[0], hue[1])) : drift[0];
			drift[1] = absd(d) > drift[1] ? absd(d) : drift[1];
			chroma = absd(size[2] / size[1] - 1) > chroma ? absd(size[2] / size[1] - 1) : chroma;
			light = absd(v[2][0] - v[1][0]) > light ? absd(v[2][0] - v[1][0]) : light;
			double k = absd(size[3] / size[0] - 1) + absd(v[3][0] - v[0][0]);
			keep = k > keep ? k : keep;
			if (x >= 7 && absd(d - last) > step) step = absd(d - last);
			last = x % 7 ? last : d;
		} else if (skin_turn(119, hue[0]) > 40 || skin_turn(119, hue[0]) < -40)
			for (int k = 0; k < 3; k++) same = same && *view_at(&held->view, k, x, 0) == *view_at(&free_->view, k, x, 0);
	}
	test_ok(drift[0] > 8 && drift[1] < 4.001 && drift[1] > 2, "hold_skin: a grade that turns skin by %.1f degrees turns it by %.3f",
	        drift[0], drift[1]);
	test_ok(chroma < 1e-3 && light < 1e-4, "it leaves chroma (%.5f) and luma (%.6f) to the look", chroma, light);
	test_ok(keep < 2e-3, "skin_chroma and skin_light keep them where asked (%.5f)", keep);
	test_ok(same, "what is no skin keeps its bits");
	/* less than drift (1 - soft) is left alone */
	struct image *a = graded(im, NULL, (const char *[]){ "tint=1", NULL }), *b = graded(im, &ana, (const char *[]){ "tint=1", NULL });
	test_ok(nc_diff(a, b) < 1e-5, "a grade that hardly turns skin is not held (%.7f)", nc_diff(a, b));
	struct skin_ref none = { .spread = 0 };
	struct image *c = graded(im, &none, set);
	test_ok(nc_same(c, free_), "a skin that is not measured holds nothing");
	image_unref(&a); image_unref(&b); image_unref(&c);
	image_unref(&im); image_unref(&free_); image_unref(&held); image_unref(&all);
}

int main(void)
{
	hold();
	difference();
	line();
	statistics();
	TEST_END();
}
