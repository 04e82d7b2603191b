/* Unit tests of deltae and skin. Oracles: the 34 pairs of Sharma, Wu and Dalal (2005), the ColorChecker's skins as
 * colour-science gives them (SCIENCE 2.6).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include "deltae.h"
#include "skin.h"

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

int main(void)
{
	difference();
	line();
	statistics();
	TEST_END();
}
