/* Unit tests of the LUT formats beside .cube: vectors frozen from OpenColorIO, every kind of refusal, the store.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lut.h"

#include <dirent.h>
#include <math.h>

#include "test.h"

static const struct { const char *file; float in[3]; double out[3]; } vector[] = {
#include "lut_vectors.h"
};

static const char *data_file(const char *name)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/colour/%s", test_data(), name);
	return path;
}

/* A chain of ten steps in floats rounds ten times, OpenColorIO's as well. */
static void frozen(void)
{
	struct lut *l = NULL;
	struct err e = ERR_INIT;
	double worst = 0, top = 1;
	for (size_t i = 0; i < IN_COUNT(vector); i++) {
		float p[3] = { vector[i].in[0], vector[i].in[1], vector[i].in[2] };
		if (!i || strcmp(vector[i].file, vector[i - 1].file) != 0) {
			lut_free(&l);
			worst = 0;
			top = 1;
			l = lut_load(data_file(vector[i].file), &e);
			if (!l) { test_ok(0, "lut %s loads: %s", vector[i].file, e.msg); err_clear(&e); }
		}
		if (!l) continue;
		lut_apply(l, true, &p[0], &p[1], &p[2], 1);
		for (int k = 0; k < 3; k++) {
			double d = fabs(p[k] - vector[i].out[k]);
			top = fabs(vector[i].out[k]) > top ? fabs(vector[i].out[k]) : top;
			if (!(d <= worst)) worst = d;
		}
		if (i + 1 == IN_COUNT(vector) || strcmp(vector[i].file, vector[i + 1].file) != 0)
			test_ok(worst / top <= (l->nop > 3 ? 2e-6 : 3e-7), "lut %s as OpenColorIO within 3e-7 (%.1e, %d steps)",
			        vector[i].file, worst / top, l->nop);
	}
	lut_free(&l);
}

static void illegal(void)
{
	DIR *d = opendir(data_file("clf_illegal"));
	int n = 0, good = 0;
	for (struct dirent *f; d && (f = readdir(d)); ) {
		char name[400];
		struct err e = ERR_INIT;
		if (!strstr(f->d_name, ".clf")) continue;
		snprintf(name, sizeof name, "clf_illegal/%.200s", f->d_name);
		struct lut *l = lut_load(data_file(name), &e);
		n++;
		bool ok = !l && e.code == E_INPUT && strstr(e.msg, ".clf:");
		good += ok;
		if (!ok) test_ok(0, "lut %s is refused with file and line: %s", name, l ? "accepted" : e.msg);
		lut_free(&l);
	}
	if (d) closedir(d);
	test_ok(n >= 16 && good == n, "lut refuses all %d files of clf_illegal with file and line", n);
}

#define LIST "<ProcessList compCLFversion=\"3\" id=\"x\">\n"
#define END "</ProcessList>"
#define F " inBitDepth=\"32f\" outBitDepth=\"32f\""

static void refused(void)
{
	static const struct { const char *name, *text, *says; } bad[] = {
		{ "a.clf", "", "not well-formed" }, { "a.clf", "<a/>", ":1: the root is <a>" },
		{ "a.clf", "<ProcessList id=\"x\"/>", "no compCLFversion" },
		{ "a.clf", "<ProcessList id=\"x\" compCLFversion=\"4\"/>", "none of 1 to 3" },
		{ "a.clf", "<ProcessList compCLFversion=\"3\"/>", "no id" },
		{ "a.clf", LIST END, "no step" }, { "a.clf", LIST "<Gamma" F "/>" END, ":2: <Gamma> is no step" },
		{ "a.clf", "<!DOCTYPE a [<!ENTITY b \"c\">]>" LIST END, "DOCTYPE" },
		{ "a.clf", LIST "<Log style=\"log2\" inBitDepth=\"9i\" outBitDepth=\"32f\"/>" END, "inBitDepth=\"9i\"" },
		{ "a.clf", LIST "<Log style=\"log2\"" F "/><Log style=\"log2\" inBitDepth=\"8i\" outBitDepth=\"8i\"/>" END, "does not follow" },
		{ "a.clf", LIST "<Log style=\"log2\"" F "><LogParams base=\"2\"/></Log>" END, "takes no <LogParams>" },
		{ "a.clf", LIST "<Log style=\"linToLog\"" F "/>" END, "needs <LogParams>" },
		{ "a.clf", LIST "<Log style=\"linToLog\"" F "><LogParams base=\"1\"/></Log>" END, "no base" },
		{ "a.clf", LIST "<Log style=\"cameraLinToLog\"" F "><LogParams base=\"2\"/></Log>" END, "needs linSideBreak" },
		{ "a.clf", LIST "<Log" F "/>" END, "has no style" },
		{ "a.clf", LIST "<Exponent style=\"basicFwd\"" F "/>" END, "no <ExponentParams>" },
		{ "a.clf", LIST "<Exponent style=\"basicFwd\"" F "><ExponentParams exponent=\"0\"/></Exponent>" END, "outside" },
		{ "a.clf", LIST "<Exponent style=\"monCurveFwd\"" F "><ExponentParams exponent=\"2\" offset=\"1\"/></Exponent>" END, "outside 0 to 0.9" },
		{ "a.clf", LIST "<Exponent style=\"basicFwd\"" F "><ExponentParams exponent=\"2\"/><ExponentParams exponent=\"2\"/></Exponent>" END,
		  "a second" },
		{ "a.clf", LIST "<LUT1D" F "><Array dim=\"1 1\">0</Array></LUT1D>" END, "no length from 2" },
		{ "a.clf", LIST "<LUT1D" F " halfDomain=\"true\"><Array dim=\"2 1\">0 1</Array></LUT1D>" END, "65536 entries" },
		{ "a.clf", LIST "<LUT1D" F " interpolation=\"cubic\"><Array dim=\"2 1\">0 1</Array></LUT1D>" END, "cubic" },
		{ "a.clf", LIST "<LUT1D" F "><Array dim=\"2 1\">0 nan</Array></LUT1D>" END, "'nan'" },
		{ "a.clf", LIST "<LUT1D" F " rawHalfs=\"true\"><Array dim=\"2 1\">0 65536</Array></LUT1D>" END, "65536" },
		{ "a.clf", LIST "<LUT1D" F "><Array dim=\"65536 3\">0 1</Array></LUT1D>" END, "too short" },
		{ "a.clf", LIST "<LUT3D" F "><Array dim=\"256 256 256 3\">0</Array></LUT3D>" END, "too short" },
		{ "a.clf", LIST "<Matrix" F "><Array dim=\"4 4\">1</Array></Matrix>" END, "none of" },
		{ "a.clf", LIST "<ASC_CDL" F "/>" END, "neither" },
		{ "a.clf", LIST "<Range" F "><IndexMap/></Range>" END, "IndexMap" },
		{ "a.3dl", "", "no table" }, { "a.3dl", "1 2 3\n", "no cube" }, { "a.3dl", "hello 1\n", ":1: unknown keyword" },
		{ "a.3dl", "0 1 2 3 4 5\n", "ramp's largest" }, { "a.3dl", "0 1.5 2 1023\n", ":1: '1.5'" },
		{ "a.3dl", "0 100 200 1023\n0 100 200 1023\n", ":2: a second ramp" }, { "a.3dl", "Mesh 4\n", "two numbers" },
		{ "a.3dl", "Mesh 2 12\n0 0 0\n0 0 255\n0 255 0\n0 255 255\n255 0 0\n255 0 255\n255 255 0\n255 255 255\n", "Mesh asks for 5" },
		{ "a.spi1d", "", "no '{'" }, { "a.spi1d", "Version 2\n", "outside 1 to 1" },
		{ "a.spi1d", "Version 1\nLength 2\nComponents 1\n{\n0\n}\n", "1 of 2" },
		{ "a.spi1d", "Version 1\nLength 2\nComponents 1\n{\n0\n1\n", "no '}'" },
		{ "a.spi1d", "Version 1\nFrom 1 1\nLength 2\nComponents 1\n{\n0\n1\n}\n", "From" },
		{ "a.spi1d", "Version 1\nLength 2\n{\n0\n1\n}\n", "Components must" },
		{ "a.spi3d", "", "begins with SPILUT" }, { "a.spi3d", "SPILUT 1.0\n3 3\n2 2 3\n", "equal" },
		{ "a.spi3d", "SPILUT 1.0\n3 3\n256 256 256\n", "too short" },
		{ "a.spi3d", "SPILUT 1.0\n3 3\n2 2 2\n0 0 0 0 0 0\n0 0 0 0 0 0\n#                                                          \n", ":5: node 0 0 0 is given twice" },
		{ "a.spi3d", "SPILUT 1.0\n3 3\n2 2 2\n0 0 0 0 0 0\n0 0 2 0 0 0\n#                                                          \n", "outside 0 to 1" },
	};
	for (size_t i = 0; i < IN_COUNT(bad); i++) {
		struct err e = ERR_INIT;
		struct lut *l = lut_parse(bad[i].name, bad[i].text, strlen(bad[i].text), &e);
		if (l || e.code != E_INPUT || !strstr(e.msg, bad[i].says) || strncmp(e.msg, bad[i].name, strlen(bad[i].name)) != 0)
			test_ok(0, "lut refusal %zu \"%s\": %s", i, bad[i].says, l ? "accepted" : e.msg);
		lut_free(&l);
	}
	test_ok(1, "lut refuses %zu kinds of broken files of all formats, saying where and why", IN_COUNT(bad));
}

static struct lut *parse(const char *name, const char *text)
{
	struct err e = ERR_INIT;
	struct lut *l = lut_parse(name, text, strlen(text), &e);
	if (!l) test_ok(0, "lut %s: %s", name, e.msg);
	return l;
}

/* Worked out by hand. */
static void by_hand(void)
{
	struct lut *l = parse("a.clf", LIST "<LUT1D" F " hueAdjust=\"dw3\"><Array dim=\"3 1\">0 .25 1</Array></LUT1D>" END);
	float r = 0.2f, g = 0.6f, b = 1;         /* .1, .4, 1 without; green keeps its half way */
	if (l) lut_apply(l, true, &r, &g, &b, 1);
	test_ok(fabsf(r - 0.1f) < 1e-6f && fabsf(g - 0.55f) < 1e-6f && b == 1, "lut dw3 keeps the hue (%g %g %g)", r, g, b);
	lut_free(&l);
	l = parse("a.3dl", "0 100 300 600 1023\n");
	r = 0.25f; g = 0.375f; b = 1;
	if (l) lut_apply(l, true, &r, &g, &b, 1);
	test_ok(fabsf(r - 100 / 1023.0f) < 1e-7f && fabsf(g - 200 / 1023.0f) < 1e-7f && b == 1, "lut .3dl bent ramp is a table");
	lut_free(&l);
	l = parse("a.clf", LIST "<LUT3D" F "><Array dim=\"2 2 2 3\">0 0 0 0 0 1 0 1 0 0 1 1 1 0 0 1 0 1 1 1 0 1 1 2</Array></LUT3D>" END);
	r = 0.5f; g = 0.5f; b = 0.5f;            /* trilinear: an eighth of the corner's extra 1; tetrahedral: a half */
	if (l) lut_apply(l, true, &r, &g, &b, 1);
	test_ok(fabsf(b - 0.625f) < 1e-6f, "lut .clf is trilinear unless it says so (%g)", b);
	r = 2; g = 0.5f; b = 0.5f;               /* at red 1 blue is .5 + .25, its slope along red .25 */
	if (l) lut_apply(l, false, &r, &g, &b, 1);
	test_ok(r == 2 && g == 0.5f && fabsf(b - 1) < 1e-6f, "lut trilinear goes on with its border slope (%g %g %g)", r, g, b);
	float p[3][5] = { { 0, 0.5f, 1, 1.01f, NAN }, { 0, 0.5f, 1, 0, 0 }, { 0, 0.5f, 1, 0, -0.1f } };
	size_t n = l ? lut_outside(l, p[0], p[1], p[2], 5) : 0;
	test_ok(n == 2, "lut counts the pixels outside its domain (%zu)", n);
	lut_free(&l);
}

/* Every half is its own entry, and floats between two halves lie between their entries. */
static void half_domain(void)
{
	struct err e = ERR_INIT;
	size_t n = 0;
	char *t = malloc(65536 * 8 + 400);
	n += (size_t)sprintf(t, "%s", LIST "<LUT1D inBitDepth=\"16f\" outBitDepth=\"16f\" halfDomain=\"true\" rawHalfs=\"true\">"
	                     "<Array dim=\"65536 1\">");
	for (int i = 0; i < 65536; i++) n += (size_t)sprintf(t + n, "%d\n", i);
	n += (size_t)sprintf(t + n, "%s", "</Array></LUT1D>" END);
	struct lut *l = lut_parse("a.clf", t, n, &e);
	int bad = 0;
	for (int i = 0; l && i < 200000; i++) {
		float v = ldexpf((float)(i * 7919 % 65537) / 65536, i % 42 - 26) * (i & 1 ? -1.0f : 1.0f), r = v, g = -0.0f, b = NAN;
		lut_apply(l, true, &r, &g, &b, 1);
		bad += r != v || g != 0 || b == b;
	}
	float r = 1e6f, g = -INFINITY, b = 65504;
	if (l) lut_apply(l, true, &r, &g, &b, 1);
	test_ok(l && bad == 0 && r == 65504 && g == -65504 && b == 65504, "lut half domain: the identity keeps 200000 floats (%d differ): %s",
	        bad, l ? "ok" : e.msg);
	lut_free(&l);
	free(t);
}

static void stored(void)
{
	struct err e = ERR_INIT;
	struct lut_store *s = lut_store_new();
	char a[300], b[300];
	snprintf(a, sizeof a, "%s/a.cube", test_tmp());
	snprintf(b, sizeof b, "%s/b.cube", test_tmp());
	for (int i = 0; i < 2; i++) {
		FILE *f = fopen(i ? b : a, "w");
		if (f) { fputs("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n", f); fclose(f); }
	}
	struct lut *x = lut_store_get(s, a, &e), *y = lut_store_get(s, a, &e), *z = lut_store_get(s, b, &e);
	test_ok(x && x == y && x == z && lut_store_count(s) == 1, "lut store reads equal content once");
	struct lut *none = lut_store_get(s, "/nonexistent.cube", &e);
	test_ok(!none && strstr(e.msg, "/nonexistent.cube"), "lut store names a missing file");
	lut_store_free(&s);
	float r = 0.5f, g = 0.5f, c = 0.5f;
	if (x) lut_apply(x, true, &r, &g, &c, 1);
	test_ok(r == 0.5f, "lut outlives its store while it is held");
	lut_free(&x);
	lut_free(&y);
	lut_free(&z);
	remove(a);
	remove(b);
	rmdir(test_tmp());
}

int main(void)
{
	refused();
	by_hand();
	half_domain();
	stored();
	if (!test_data()) test_skip("lut files: no ../shared/data");
	else {
		frozen();
		illegal();
	}
	TEST_END();
}
