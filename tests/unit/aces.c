/* Unit tests of the ACES output transforms. Oracle: tests/unit/aces.txt, frozen from OpenColorIO 2.6.0.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include "aces2.h"
#include "lut.h"
#include "mathx.h"
#include "px_aces1.h"

static double absd(double v) { return v < 0 ? -v : v; }
static void apply(const double m[9], double v[3])
{
	double r[3];
	for (int i = 0; i < 3; i++) r[i] = m[i * 3] * v[0] + m[i * 3 + 1] * v[1] + m[i * 3 + 2] * v[2];
	memcpy(v, r, 3 * sizeof *v);
}

static const struct { const char *name, *space; enum aces1_display d; double peak; bool limit; } displays[] = {
	{ "rec709", "linear-rec709", ACES1_REC709, 0, false },
	{ "p3-d65", "linear-p3-d65", ACES1_P3D65, 0, true },
	{ "rec2020-1000", "linear-rec2020", ACES1_REC2020, 1000, true },
	{ "rec2020-4000", "linear-rec2020", ACES1_REC2020, 4000, true },
	{ "p3-d65-2000", "linear-p3-d65", ACES1_P3D65, 2000, true },
};

static void version13(void)
{
	FILE *f = fopen("tests/unit/aces.txt", "r");
	char line[400], name[40];
	double v[6], worst[IN_COUNT(displays)] = { 0 };
	int n[IN_COUNT(displays)] = { 0 };
	if (!f) { test_ok(0, "no tests/unit/aces.txt"); return; }
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "1.3 %39s %lf %lf %lf %lf %lf %lf", name, v, v + 1, v + 2, v + 3, v + 4, v + 5) != 7) continue;
		for (size_t i = 0; i < IN_COUNT(displays); i++) {
			struct aces1 a;
			double m[9], x[3];
			float p[3] = { (float)v[0], (float)v[1], (float)v[2] };
			if (strcmp(displays[i].name, name) != 0) continue;
			aces1_init(&a, displays[i].d, displays[i].peak, displays[i].limit);
			aces1_row(&a, p, p + 1, p + 2, 1);
			colour_rgb_to_xyz(colour_find(displays[i].space), m);
			for (int k = 0; k < 3; k++) x[k] = p[k];
			apply(m, x);
			for (int k = 0; k < 3; k++) {
				double d = absd(x[k] - v[3 + k]) / (absd(v[3 + k]) > 1 ? absd(v[3 + k]) : 1);
				if (d > 2e-5) printf("# %s %g %g %g: %.8g, not %.8g\n", name, v[0], v[1], v[2], x[k], v[3 + k]);
				if (!(d <= worst[i])) worst[i] = d;
			}
			n[i]++;
		}
	}
	fclose(f);
	for (size_t i = 0; i < IN_COUNT(displays); i++) {
		char what[80];
		snprintf(what, sizeof what, "aces_output 1.3 %s", displays[i].name);
		test_parity(what, "OpenColorIO 2.6.0", worst[i], 2e-5);
		test_ok(n[i] >= 30 && worst[i] <= 2e-5, "%s as OpenColorIO 2.6.0 (%.2g of %d colours)", what, worst[i], n[i]);
	}
}

static const struct { const char *name, *space; double peak; } displays2[] = {
	{ "rec709-100", "linear-rec709", 100 }, { "p3-d65-100", "linear-p3-d65", 100 },
	{ "rec2020-1000", "linear-rec2020", 1000 }, { "p3-d65-1000", "linear-p3-d65", 1000 },
	{ "rec2020-4000", "linear-rec2020", 4000 },
};

/* Errors in the display's signal: the (1/2.4)th power of light over peak. */
static double signal(double v, double peak) { return v > 0 ? mx_pow(v * 100 / peak, 1 / 2.4) : 0; }

static void exact2(size_t i, const struct aces2 *a)
{
	FILE *f = fopen("tests/unit/aces.txt", "r");
	char line[400], name[40], what[80];
	double v[6], worst = 0, m[9], inv[9], in[9];
	int n = 0, id = colour_find(displays2[i].space);
	if (!f) { test_ok(0, "no tests/unit/aces.txt"); return; }
	colour_rgb_to_xyz(id, m);
	mat3_inv(m, inv);
	colour_matrix(colour_find("aces2065-1"), colour_find("acescg"), in);
	while (fgets(line, sizeof line, f)) {
		double p[3];
		if (sscanf(line, "2.0 %39s %lf %lf %lf %lf %lf %lf", name, v, v + 1, v + 2, v + 3, v + 4, v + 5) != 7 ||
		    strcmp(name, displays2[i].name) != 0) continue;
		apply(in, v);
		aces2_pixel(a, v, p);
		apply(inv, v + 3);
		for (int k = 0; k < 3; k++) {
			double d = absd(p[k] - v[3 + k]) * 100 / displays2[i].peak;
			if (d > 1e-4) printf("# %s %s: %d: %.8g, not %.8g\n", name, line, k, p[k], v[3 + k]);
			if (!(d <= worst)) worst = d;
		}
		n++;
	}
	fclose(f);
	snprintf(what, sizeof what, "aces_output 2.0 %s, exact, share of peak", displays2[i].name);
	test_parity(what, "OpenColorIO 2.6.0", worst, 1e-4);
	test_ok(n >= 30 && worst <= 1e-4, "%s as OpenColorIO 2.6.0 (%.2g of %d colours)", what, worst, n);
}

static void baked2(size_t i, const struct aces2 *a)
{
	struct err e = ERR_INIT;
	struct lut *l = aces2_bake(a, 65, &e);
	double worst = 0, sum = 0, grey = 0;
	int n = 0, cct = colour_find("acescct");
	char what[80];
	uint32_t s = 3;
	if (!l) { test_ok(0, "aces2_bake: %s", e.msg); return; }
	for (int k = 0; k < 20000; k++) {
		double in[3], out[3];
		float p[3];
		for (int c = 0; c < 3; c++) {
			s = s * 1664525u + 1013904223u;
			in[c] = mx_exp2((s >> 8) * 0x1p-24 * 14 - 9);
			if (c && k % 4 == 0) in[c] = in[0];
			p[c] = (float)colour_encode(cct, in[c]);
		}
		aces2_pixel(a, in, out);
		lut_apply(l, true, p, p + 1, p + 2, 1);
		for (int c = 0; c < 3; c++) {
			double d = absd(p[c] - signal(out[c], displays2[i].peak));
			if (k % 4 == 0) { if (d > grey) grey = d; continue; }
			if (d > worst) worst = d;
			sum += d;
			n++;
		}
	}
	snprintf(what, sizeof what, "aces_output 2.0 %s, its cube: greys, of the signal", displays2[i].name);
	test_parity(what, "its own formulas", grey, 1e-3);
	snprintf(what, sizeof what, "aces_output 2.0 %s, its cube: mean of random colours", displays2[i].name);
	test_parity(what, "its own formulas", sum / n, 2e-3);
	snprintf(what, sizeof what, "aces_output 2.0 %s, its cube: worst of random colours", displays2[i].name);
	test_parity(what, "its own formulas", worst, 0.2);
	test_ok(grey < 1e-3 && sum / n < 2e-3, "aces_output 2.0 %s cube: greys %.2g, mean %.2g, worst %.2g of the signal",
	        displays2[i].name, grey, sum / n, worst);
	lut_free(&l);
}

static void version20(void)
{
	for (size_t i = 0; i < IN_COUNT(displays2); i++) {
		struct aces2 *a = aces2_new(colour_find(displays2[i].space), displays2[i].peak);
		exact2(i, a);
		baked2(i, a);
		aces2_free(&a);
	}
}

/* Black is black, greys stay grey and rise, nothing leaves the display. */
static void shape(void)
{
	for (size_t i = 0; i < IN_COUNT(displays); i++) {
		struct aces1 a;
		double last = -1, grey = 0, most = 0, top = displays[i].peak > 0 ? displays[i].peak / 100 : 1;
		bool rises = true;
		aces1_init(&a, displays[i].d, displays[i].peak, true);
		for (int k = 0; k < 2000; k++) {
			float v = (float)(0.00002 * (k * k + 1)), p[3] = { v, v, v };
			aces1_row(&a, p, p + 1, p + 2, 1);
			rises = rises && p[1] >= last;
			last = p[1];
			double d = absd(p[0] - p[1]) + absd(p[2] - p[1]);
			if (displays[i].peak <= 0 && d > grey) grey = d;
			if (p[1] > most) most = p[1];
		}
		test_ok(rises && grey < 2e-6 && most <= top * 1.1, "aces_output %s: greys rise (%g at most) and stay grey (%.2g)", displays[i].name,
		        most, grey);
	}
}

int main(void)
{
	version13();
	version20();
	shape();
	TEST_END();
}
