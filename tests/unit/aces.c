/* Unit tests of the ACES output transforms. Oracle: tests/unit/aces.txt, frozen from OpenColorIO 2.6.0.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

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
	shape();
	TEST_END();
}
