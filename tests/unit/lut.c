/* Unit tests of lut and px_lut. Oracles: ffmpeg's lut3d (tetrahedral, gbrpf32), and a straightforward reference
 * in double written here; files of OpenColorIO's and colour-science's tests.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lut.h"

#include "px_lut.h"
#include "test.h"

static uint64_t state = 88172645463325252u;
static float uni(float lo, float hi)
{
	state ^= state << 13; state ^= state >> 7; state ^= state << 17;
	return lo + (hi - lo) * (float)(state >> 40) * 0x1p-24f;
}

/* --- the reference --- */

static double held(double v, double lo, double hi) { return v < lo ? lo : v > hi ? hi : v; }

static double node(const struct lut_3d *l, const int at[3], int k)
{
	size_t i = (size_t)at[0] + (size_t)l->n * ((size_t)at[1] + (size_t)l->n * (size_t)at[2]);
	return l->t[i * 4 + (size_t)k];
}

/* Tetrahedral as Kasson, Nin, Plouffe, Hafner 1995 describe it: walk from the cell's corner along the channels
 * in descending order of the fraction. */
static void cube_reference(const struct lut_3d *l, double v[3])
{
	double f[3], out[3];
	int at[3];
	for (int c = 0; c < 3; c++) {
		double t = held((v[c] - l->min[c]) * l->scale[c], 0, l->n - 1);
		at[c] = t >= l->n - 1 ? l->n - 2 : (int)t;
		f[c] = t - at[c];
	}
	bool used[3] = { false, false, false };
	for (int k = 0; k < 3; k++) out[k] = node(l, at, k);
	for (int step = 0; step < 3; step++) {
		int best = -1, to[3];
		for (int c = 0; c < 3; c++)
			if (!used[c] && (best < 0 || f[c] > f[best])) best = c;
		used[best] = true;
		memcpy(to, at, sizeof to);
		to[best]++;
		for (int k = 0; k < 3; k++) out[k] += f[best] * (node(l, to, k) - node(l, at, k));
		memcpy(at, to, sizeof at);
	}
	memcpy(v, out, sizeof out);
}

static void reference(const struct lut *l, const float in[3], double v[3])
{
	for (int c = 0; c < 3; c++) v[c] = in[c];
	for (int s = 0; s < l->nop; s++) {
		const struct lut_1d *o = &l->op[s].u.t1;
		if (l->op[s].kind == LUT_3D) cube_reference(&l->op[s].u.t3, v);
		for (int c = 0; c < 3 && l->op[s].kind == LUT_1D; c++) {
			double t = held((v[c] - o->min[c]) * o->scale[c], 0, o->n - 1);
			int i = t >= o->n - 1 ? o->n - 2 : (int)t;
			v[c] = o->t[c][i] + (t - i) * ((double)o->t[c][i + 1] - o->t[c][i]);
		}
	}
}

static const char *data_file(const char *name)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/colour/%s", test_data(), name);
	return path;
}

enum { W = 251, H = 40, N = W * H };
static float px[3][N], was[3][N];

static void against_reference(const char *name)
{
	struct err e = ERR_INIT;
	struct lut *l = lut_load(data_file(name), &e);
	if (!l) { test_ok(0, "lut %s: %s", name, e.msg); return; }
	double worst = 0, big = 1;
	for (int i = 0; i < N; i++) {
		for (int k = 0; k < 3; k++) {
			bool line = l->op[0].kind == LUT_1D;
			float lo = line ? l->op[0].u.t1.min[k] : l->op[0].u.t3.min[k];
			float hi = lo + (line ? (float)(l->op[0].u.t1.n - 1) / l->op[0].u.t1.scale[k]
			                 : (float)(l->op[0].u.t3.n - 1) / l->op[0].u.t3.scale[k]);
			was[k][i] = px[k][i] = i < 64 ? (i & 1 << k ? hi : lo) : uni(lo - 0.2f * (hi - lo), hi
			                                                             + 0.2f * (hi - lo));
		}
		if (i % 3 == 0) px[1][i] = was[1][i] = px[0][i];        /* ties */
	}
	lut_row(l, true, px[0], px[1], px[2], N);
	for (int i = 0; i < N; i++) {
		float in[3] = { was[0][i], was[1][i], was[2][i] };
		double out[3];
		reference(l, in, out);
		for (int k = 0; k < 3; k++) {
			double d = out[k] - px[k][i], a = out[k] < 0 ? -out[k] : out[k];
			if (a > big) big = a;
			d = d < 0 ? -d : d;
			if (!(d <= worst)) worst = d;
		}
	}
	/* steep tables magnify the rounding of the position: 6e-8 n times the slope */
	test_ok(worst < 1e-6 * big * (l->op[0].kind == LUT_1D && l->op[0].u.t1.n > 100 ? 20 : 1), "lut %s as the double reference (%.2g)",
	        name, worst);
	lut_free(&l);
}

static bool dump(const char *path, bool write)
{
	static const int order[3] = { 1, 2, 0 };        /* gbrpf32 */
	FILE *f = fopen(path, write ? "wb" : "rb");
	bool ok = f != NULL;
	for (int k = 0; k < 3 && ok; k++)
		ok = (write ? fwrite(px[order[k]], sizeof(float), N, f) : fread(px[order[k]], sizeof(float), N,
		                                                                f)) == N;
	if (f) fclose(f);
	return ok;
}

static void against_ffmpeg(const char *name)
{
	char in[300], out[300], cmd[2000];
	static float mine[3][N];
	struct err e = ERR_INIT;
	struct lut *l = lut_load(data_file(name), &e);
	if (!l) { test_ok(0, "lut %s: %s", name, e.msg); return; }
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < N; i++) px[k][i] = mine[k][i] = uni(0, 1);
	lut_row(l, true, mine[0], mine[1], mine[2], N);
	lut_free(&l);
	snprintf(in, sizeof in, "%s/in.raw", test_tmp());
	snprintf(out, sizeof out, "%s/out.raw", test_tmp());
	snprintf(cmd, sizeof cmd, "ffmpeg -v error -y -f rawvideo -pix_fmt gbrpf32le -s %dx%d -i %s -vf "
	         "lut3d=file=%s:interp=tetrahedral -f rawvideo -pix_fmt gbrpf32le %s 2>/dev/null", W, H,
	         in,
	         data_file(name), out);
	if (!dump(in, true) || system(cmd) || !dump(out, false)) {
		test_skip("lut %s against ffmpeg: it does not run here", name);
		return;
	}
	double worst = 0;
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < N; i++) {
			double d = (double)px[k][i] - mine[k][i];
			d = d < 0 ? -d : d;
			if (!(d <= worst)) worst = d;
		}
	test_ok(worst <= 3e-7, "lut %s as ffmpeg's lut3d within 3e-7 (%.2g)", name, worst);
	remove(in);
	remove(out);
}

/* --- beyond the domain --- */

static void outside(void)
{
	struct err e = ERR_INIT;
	const char *cube = "LUT_3D_SIZE 2\n0 0 0\n2 .1 0\n0 3 0\n2 3.1 0\n0 0 .5\n2 .1 .5\n0 3 .5\n2 "
	    "3.1 .5\n";
	const char *line = "LUT_1D_SIZE 3\nDOMAIN_MIN -1 -1 -1\nDOMAIN_MAX 1 1 1\n0 0 0\n1 1 1\n3 3 3\n";
	struct lut *l = lut_parse("affine.cube", cube, strlen(cube), &e);
	if (!l) { test_ok(0, "lut affine: %s", e.msg); return; }
	double worst = 0;
	for (int i = 0; i < N; i++) {
		float v[3] = { uni(-3, 5), uni(-3, 5), uni(-3, 5) }, o[3];
		memcpy(o, v, sizeof o);
		lut_row(l, false, &o[0], &o[1], &o[2], 1);
		double d = (2.0 * v[0] - o[0]) + (3.0 * v[1] + 0.1 * v[0] - o[1]) + (0.5 * v[2] - o[2]);
		d = d < 0 ? -d : d;
		if (d > worst) worst = d;
	}
	test_ok(worst < 1e-5, "lut extend: an affine table stays affine beyond its domain (%.2g)", worst);
	float inf = __builtin_inff(), r[3] = { 5, inf, __builtin_nanf("") }, g[3] = { 0, 0, 0 },
	    b[3] = { 0, 0, 0 };
	lut_row(l, true, r, g, b, 3);
	test_ok(r[0] == 2 && r[1] == 2, "lut clamp: the border holds");
	float r2[2] = { inf, __builtin_nanf("") }, z[2] = { 0, 0 }, z2[2] = { 0, 0 };
	lut_row(l, false, r2, z, z2, 2);
	test_ok(r2[0] > 1e6f && r2[1] != r2[1] && z2[0] == 0, "lut extend: infinity and NaN do no harm");
	lut_free(&l);
	l = lut_parse("line.cube", line, strlen(line), &e);
	if (!l) { test_ok(0, "lut line: %s", e.msg); return; }
	float a[4] = { -2, -0.5f, 0.5f, 2 }, c[4] = { 0 }, d[4] = { 0 };
	lut_row(l, false, a, c, d, 4);
	test_ok(a[0] == -1 && a[1] == 0.5f && a[2] == 2
	        && a[3] == 5, "lut 1D goes on with its border slopes");
	lut_free(&l);
}

/* A row takes another path where a neighbour lies outside; no pixel may know. Ties, borders, -0. */
static void neighbours(const char *name, bool clamp)
{
	struct err e = ERR_INIT;
	struct lut *l = lut_load(data_file(name), &e);
	static float one[3][N];
	int bad = 0;
	if (!l) { test_ok(0, "lut %s: %s", name, e.msg); return; }
	for (int i = 0; i < N; i++)
		for (int k = 0; k < 3; k++) {
			float v = uni(0, 1), q = (float)((int)(v * 64.0f)) / 64.0f;
			float lone = i % 500 == 7 ? 3 * v - 1 : i % 501 == 9 ? -0.0f : v;
			px[k][i] = one[k][i] = i % 3 ? lone : k && i % 2 ? px[0][i] : q;
		}
	lut_row(l, clamp, px[0], px[1], px[2], N);
	for (int i = 0; i < N; i++) lut_row(l, clamp, one[0] + i, one[1] + i, one[2] + i, 1);
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < N; i++) bad += memcmp(&px[k][i], &one[k][i], sizeof(float)) != 0;
	test_ok(bad == 0, "lut %s %s: a pixel is the same alone and in a row (%d differ)", name,
	        clamp ? "clamp" : "extend", bad);
	lut_free(&l);
}

/* --- what is refused --- */

static void refused(void)
{
	static const struct { const char *text, *says; } bad[] = {
		{ "", "no table" }, { "LUT_3D_SIZE 2\n", "no table" }, { "0 0 0\n", "before the data" },
		{ "LUT_3D_SIZE 1\n", "outside 2 to 256" }, { "LUT_3D_SIZE 257\n", "outside 2 to 256" },
		{ "LUT_3D_SIZE 2.5\n", "outside" }, { "LUT_1D_SIZE 65537\n", "outside 2 to 65536" },
		{ "LUT_3D_SIZE 1e99\n", "finite" }, { "LUT_3D_SIZE -2\n", "outside" },
		    { "LUT_3D_SIZE\n", "whole number" },
		{ "LUT_1D_SIZE 2\nLUT_1D_SIZE 2\n", "twice" },
		    { "LUT_1D_SIZE 2\n0 0 0\nnan 0 0\n", ":3: 'nan' is no finite" },
		{ "LUT_1D_SIZE 2\n0 0 0\ninf 1 1\n", "finite" }, { "LUT_1D_SIZE 2\n0 0 0\n1 1 1e39\n", "finite" },
		{ "LUT_1D_SIZE 2\nnan nan nan\n1 1 1\n", "unknown keyword" },
		    { "LUT_1D_SIZE 2\n0 0 0\nnan nan nan\n", "finite" },
		{ "LUT_1D_SIZE 2\n0 0 0\n", "1 of 2" }, { "LUT_1D_SIZE 2\n0 0 0\n1 1 1\n2 2 2\n", ":4: more "
		                                          "than" },
		{ "LUT_1D_SIZE 2\n0 0\n1 1 1\n", "three numbers" },
		    { "LUT_1D_SIZE 2\n0 0 0 0 0\n", "three numbers" },
		{ "LUT_1D_SIZE 2\nDOMAIN_MIN 1 1 1\nDOMAIN_MAX 1 1 1\n0 0 0\n1 1 1\n", "empty" },
		{ "LUT_1D_SIZE 2\nDOMAIN_MIN 0 0\n", "three numbers" },
		    { "LUT_1D_SIZE 2\nFOO 1\n", "unknown keyword 'FOO'" },
		{ "LUT_1D_SIZE 2\n0 0 0\nTITLE x\n1 1 1\n", "after the data" },
		    { "LUT_3D_SIZE 256\n0 0 0\n", "too short" },
		{ "LUT_1D_SIZE 2\nLUT_3D_SIZE 2\nDOMAIN_MAX 2 2 2\n0 0 0\n", "ambiguous" },
		    { "\x7f" "ELF\x02\x01", "before the data" },
	};
	for (size_t i = 0; i < IN_COUNT(bad); i++) {
		struct err e = ERR_INIT;
		struct lut *l = lut_parse("x.cube", bad[i].text, strlen(bad[i].text), &e);
		if (l || e.code != E_INPUT || !strstr(e.msg, bad[i].says) || strncmp(e.msg, "x.cube:", 7))
			test_ok(0, "lut refusal %zu \"%s\": %s", i, bad[i].says, l ? "accepted" : e.msg);
		lut_free(&l);
	}
	test_ok(1, "lut refuses %zu kinds of broken tables, saying where and why", IN_COUNT(bad));
	struct err e = ERR_INIT;
	const char *odd = "\xef\xbb\xbf# BOM, CRLF, no newline at the end\r\nTITLE \"a b c d e "
	    "f\"\r\n\r\nLUT_1D_SIZE 2\r\n"
	                  "0 0 0 # black\r\n1\t1  1";
	struct lut *l = lut_parse("odd.cube", odd, strlen(odd), &e);
	test_ok(l && l->op[0].u.t1.t[2][1] == 1, "lut takes BOM, CRLF, tabs, comments, no last newline");
	lut_free(&l);
	l = lut_load("/nonexistent/x.cube", &e);
	test_ok(!l && e.code == E_INPUT && strstr(e.msg, "/nonexistent/x.cube"), "lut names a missing "
	        "file");
	err_clear(&e);
	l = lut_load("/", &e);
	test_ok(!l && e.code == E_INPUT, "lut refuses a folder");
}

/* unit/lut apply FILE IN OUT: rows of R,G,B floats through a LUT, clamped; for tests/tools/parity-lut.sh. */
static int apply(char **arg)
{
	struct err e = ERR_INIT;
	struct lut *l = lut_load(arg[0], &e);
	FILE *in = fopen(arg[1], "rb"), *out = fopen(arg[2], "wb");
	float v[3];
	if (!l || !in || !out) { fprintf(stderr, "%s\n", l ? "open" : e.msg); return 1; }
	while (fread(v, sizeof v, 1, in) == 1) {
		lut_apply(l, true, &v[0], &v[1], &v[2], 1);
		fwrite(v, sizeof v, 1, out);
	}
	fclose(in);
	fclose(out);
	lut_free(&l);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "apply") == 0) return apply(argv + 2);

	static const char *files[] = { "iridas_1d.cube", "iridas_3d.cube", "resolve_1d3d.cube",
		"colour_science/iridas_cube_Colour_Correct.cube", "colour_science/iridas_cube_Demo.cube",
		"colour_science/iridas_cube_eotf_sRGB_3D.cube", "colour_science/resolve_cube_Unit.cube",
		"colour_science/resolve_cube_Three_Dimensional_Table_With_Shaper.cube",
		"colour_science/resolve_cube_eotf_sRGB_3D.cube", "film/density.cube", "film/fuji_160c.cube",
		"film/kodak_kodachrome_64.cube", "film/kodak_tri-x_400.cube", "film/paper_a.cube" };
	outside();
	refused();
	if (!test_data()) {
		test_skip("lut files: no ../shared/data");
		return test_failed;
	}
	for (size_t i = 0; i < IN_COUNT(files); i++) against_reference(files[i]);
	for (int clamp = 0; clamp < 2; clamp++) {
		neighbours("film/fuji_160c.cube", clamp);
		neighbours("resolve_1d3d.cube", clamp);
	}
	against_ffmpeg("film/fuji_160c.cube");
	against_ffmpeg("film/kodak_kodachrome_64.cube");
	against_ffmpeg("colour_science/iridas_cube_Colour_Correct.cube");
	rmdir(test_tmp());
	TEST_END();
}
