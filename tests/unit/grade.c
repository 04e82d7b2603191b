/* Unit tests of grade and convert. Oracles: ASC CDL v1.2 vectors of OpenColorIO's tests, lift/gamma/gain from
 * OpenColorIO 2.1.2 (GradingPrimary VIDEO, oracles/grading_vectors.txt), colour.h in double.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include "mathx.h"
#include "white.h"

struct vec { double in[3], out[3]; };

static double absd(double v) { return v < 0 ? -v : v; }

/* A row of pixels in space through a node; every pixel of vecs becomes one. */
static struct image *row_of(const struct vec *v, int n, const char *space)
{
	struct format f = nc_format(n, 1, "R G B", space);
	struct image *im = nc_image(&f);
	for (int i = 0; i < n; i++)
		for (int k = 0; k < 3; k++) *view_at(&im->view, k, i, 0) = (float)v[i].in[k];
	return im;
}

static struct image *run(const char *type, struct image *im, const char *const *set)
{
	struct err e = ERR_INIT;
	struct nc n;
	if (!nc_make(&n, nc_type(nodes_baseline, type), &im, 1, set, &e)) {
		test_ok(0, "%s: %s", type, e.msg);
		exit(1);
	}
	struct image *out = nc_run(&n, 1, 0, 0);
	nc_free(&n);
	return out;
}

/* In space=linear the working numbers are the grading numbers, so vectors go straight in. */
static void vectors(const char *what, const struct vec *v, int n, const char *const *set,
                    double limit)
{
	struct image *im = row_of(v, n, "acescg"), *out = run("grade", im, set);
	double worst = 0;
	for (int i = 0; i < n; i++)
		for (int k = 0; k < 3; k++) {
			double d = absd(*view_at(&out->view, k, i, 0) - v[i].out[k]);
			if (!(d <= limit)) printf("# %s %d.%d: %.7f, not %.7f\n", what, i, k, *view_at(&out->view, k,
			                                                                               i, 0), v[i].out[k]);
			if (!(d <= worst)) worst = d;
		}
	test_ok(worst <= limit, "grade %s within %g (%.2g)", what, limit, worst);
	image_unref(&im);
	image_unref(&out);
}

static void cdl(void)
{
	/* OpenColorIO's CDL tests; values printed to 1e-6 */
	static const struct vec clamped[] = {
		{ { .3278, .01, 1 }, { .609399, 0, .113130 } }, { { .25, .5, .75 }, { .422056, .401466,
		                                                                      .035820 } },
		{ { -.2, .5, 1.4 }, { 0, .421096, .101225 } }, { { 0, .8, .99 }, { 0, .746748, .018691 } },
		{ { 0, 0, 0 }, { .071827, 0, .070533 } }, { { 1.25, 1.5, 1.75 }, { 1, 1, 0 } },
		{ { 1. / 0., 1. / 0., 1. / 0. }, { 1, 1, 1 } } };
	static const struct vec open[] = {
		{ { .3278, .01, 1 }, { .645424, -.260548, .149154 } }, { { -.25, -.5, -.75 }, { -.211694,
		                                                                                -.817469, .174100 } },
		{ { 1.25, 1.5, 1.75 }, { 1.753162, 1.331130, -.108181 } } };
	const char *set[] = { "space=linear", "slope=1.35 1.1 0.071", "offset=0.05 -0.23 "
	                      "0.11", "power=0.93 0.81 1.27",
		"saturation=1.23", "clamp=yes", NULL };
	vectors("ASC CDL v1.2 as OpenColorIO", clamped, IN_COUNT(clamped), set, 1e-6);
	set[5] = NULL;
	vectors("CDL without clamps as OpenColorIO", open, IN_COUNT(open), set, 1e-6);
}

/* Its parameters: lift .03 .01 0, offset 0 .01 0, gamma 1.1 1 .95 x 1.05, gain 1.05 1 .98 x .97, saturation 1.1.
 * grade has one sum of lift and offset, so green's gain is 1 / (1/.97 + .01 - .02). */
static void lift_gamma_gain(void)
{
	static const struct vec v[] = {
		{ { 0, 0, 0 }, { 0.0496254, 0.022842, -0.0026694 } }, { { .18, .18, .18 }, { 0.2603891,
		                                                                             0.2070774, 0.1658444 } },
		{ { .5, .5, .5 }, { 0.5759149, 0.5154747, 0.4693568 } }, { { 1, 1, 1 }, { 1.0184737, 0.980325,
		                                                                          0.9469249 } },
		{ { .4, .2, .1 }, { 0.4972609, 0.2232506, 0.0768575 } }, { { -.1, .2, 1.3 }, { -0.1320055,
		                                                                               0.227245, 1.3369803 } },
		{ { .02, .3, .7 }, { 0.0517541, 0.3280683, 0.7015859 } }, { { 4, 2, .5 }, { 3.4312582,
		                                                                            1.8600512, 0.3136126 } } };
	const char *set[] = { "space=linear", "lift=0.03 0.02 0", "gamma=1.155 1.05 "
	                      "0.9975", "gain=1.0185 0.97950111 0.9506",
		"saturation=1.1", NULL };
	vectors("lift/gamma/gain as OpenColorIO 2.1.2 VIDEO", v, IN_COUNT(v), set, 2e-6);
}

static void pieces(void)
{
	static const struct vec ev[] = { { { .18, -.1, 3 }, { .72, -.4, 12 } } };
	vectors("exposure in stops", ev, 1, (const char *[]){ "exposure=2", NULL }, 1e-6);
	static const struct vec lin[] = { { { .18, .36, .09 }, { .18, .72, .045 } }, { { -.36, 0, .18 },
	                                                                               { -.72, 0, .18 } } };
	vectors("contrast about 18 % in linear light", lin, 2,
	        (const char *[]){ "space=linear", "contrast=2", NULL }, 1e-6);
	double mid = 0.4135884;
	struct vec log = { { .18, 0, 0 }, { .18, 0, 0 } };
	int cct = colour_find("acescct");
	for (int k = 1; k < 3; k++) {
		log.in[k] = k * 0.5;
		log.out[k] = colour_decode(cct, (colour_encode(cct, k * 0.5) - mid) * 1.3 + mid);
	}
	vectors("contrast about mid-grey in acescct", &log, 1, (const char *[]){ "contrast=1.3", NULL },
	        3e-6);
	/* an affine curve, and one that is nearly the identity to the eye of Fritsch and Carlson */
	static const struct vec cv[] = { { { .25, .5, 2 }, { .225, .9, 2.5 } }, { { -1, 0, .75 },
	                                                                          { -.9, .4, .625 } } };
	vectors("curves: straight ones, beyond their ends too", cv, 2, (const char *[]){ "space=linear",
	        "red=0,0 1,0.9", "green=0,0.4 1,1.4", "blue=0,-0.5 0.5,0.25 1,1", NULL }, 1e-6);
	struct vec bent[65];
	struct curve c = { 4, { 0, .25, .75, 1 }, { 0, .2, .82, 1 } };
	for (int i = 0; i < 65; i++)
		for (int k = 0; k < 3; k++) bent[i].out[k] = curve_eval(&c, bent[i].in[k] = i / 53.0 - 0.1
		                                                        + k * 0.001);
	vectors("master curve as curve_eval", bent, 65, (const char *[]){ "space=linear",
	        "master=0,0 0.25,0.2 0.75,0.82 1,1", NULL }, 4e-7);
}

/* The clip's own encoding: contrast in rec709 numbers. */
static void clip_space(void)
{
	struct vec v = { { .1, .18, .6 }, { 0 } };
	int own = colour_find("rec709"), work = colour_find("acescg");
	double m[9], back[9], x[3];
	colour_matrix(work, own, m);
	colour_matrix(own, work, back);
	for (int i = 0; i < 3; i++) {
		x[i] = colour_encode(own, m[i * 3] * v.in[0] + m[i * 3 + 1] * v.in[1] + m[i * 3 + 2] * v.in[2]);
		x[i] = colour_decode(own, (x[i] - 0.5) * 1.2 + 0.5);
	}
	for (int i = 0; i < 3; i++) v.out[i] = back[i * 3] * x[0] + back[i * 3 + 1] * x[1] + back[i * 3
	                                                                                          + 2] * x[2];
	vectors("contrast in the clip's own encoding", &v, 1,
	        (const char *[]){ "space=clip", "contrast=1.2", "pivot=0.5", NULL },
	        2e-6);
}

static void white(void)
{
	int work = colour_find("acescg");
	double m[9], w[3], y = 0, xyz[9], worst = 0;
	white_matrix(work, 0, 30, 0, m);
	double r = m[0] + m[1] + m[2], g = m[3] + m[4] + m[5], b = m[6] + m[7] + m[8];
	test_ok(r > g && g > b, "white + mired is warmer (%.3f %.3f %.3f)", r, g, b);
	colour_luma(work, w);
	y = w[0] * r + w[1] * g + w[2] * b;
	test_ok(absd(y - 1) < 1e-12, "white keeps the luminance of neutral");
	white_matrix(work, 0, 0, 10, m);
	r = m[0] + m[1] + m[2]; g = m[3] + m[4] + m[5]; b = m[6] + m[7] + m[8];
	test_ok(r > g && b > g, "white + tint is more magenta (%.3f %.3f %.3f)", r, g, b);
	/* CIE illuminant A (2855.6 K with the old constants, x .44757 y .40745) lies 196 mired from 6504 K: adapting by
	 * that much sends our white near A's chromaticity, seen from the Planckian 6504 K instead of the
	 * working white */
	colour_rgb_to_xyz(colour_find("linear-rec709"), xyz);
	white_matrix(colour_find("linear-rec709"), 0, 1e6 / 2855.6 - 1e6 / WHITE_KELVIN, 0, m);
	double rgb[3] = { m[0] + m[1] + m[2], m[3] + m[4] + m[5], m[6] + m[7] + m[8] }, c[3];
	for (int i = 0; i < 3; i++) c[i] = xyz[i * 3] * rgb[0] + xyz[i * 3 + 1] * rgb[1] + xyz[i * 3
	                                                                                       + 2] * rgb[2];
	double sx = c[0] / (c[0] + c[1] + c[2]), sy = c[1] / (c[0] + c[1] + c[2]);
	test_ok(absd(sx - 0.44757) < 0.006 && absd(sy - 0.40745) < 0.006, "white: 196 mired from D65 is "
	        "illuminant A (%.4f %.4f)", sx, sy);
	for (double t = -35; t <= 35; t += 7)
		for (double d = -20; d <= 20; d += 8) {
			double back[2], inv[9];
			white_matrix(work, 0.3, t, d, m);
			if (mat3_inv(m, inv)) continue;
			double cast[3] = { inv[0] + inv[1] + inv[2], inv[3] + inv[4] + inv[5], inv[6] + inv[7]
			                   + inv[8] };
			white_solve(work, cast, 40, 25, &back[0], &back[1]);
			if (absd(back[0] - t) > worst) worst = absd(back[0] - t);
			if (absd(back[1] - d) > worst) worst = absd(back[1] - d);
		}
	test_ok(worst < 1e-6, "white_solve finds the mired and tint that made a cast (%.2g)", worst);
}

static bool is_identity(const char *type, struct image *im, const char *const *set)
{
	struct err e = ERR_INIT;
	struct nc n;
	if (!nc_make(&n, nc_type(nodes_baseline, type), &im, 1, set, &e)) return false;
	bool r = n.ctx.type->identity(&n.ctx);
	nc_free(&n);
	return r;
}

/* A picture in the space of the first step is taken as it is; what comes out is working light all the same. Oracle:
 * colour.h in double. */
static void as_it_comes(void)
{
	struct vec v = { { .45, .2, .8 }, { 0 } }, light = v;
	int own = colour_find("rec709"), work = colour_find("acescg");
	double back[9], x[3], y[3];
	colour_matrix(own, work, back);
	for (int i = 0; i < 3; i++) {
		x[i] = colour_decode(own, (v.in[i] - 0.5) * 1.2 + 0.5);
		y[i] = 2 * colour_decode(own, v.in[i]);
	}
	for (int i = 0; i < 3; i++) {
		v.out[i] = back[i * 3] * x[0] + back[i * 3 + 1] * x[1] + back[i * 3 + 2] * x[2];
		light.out[i] = back[i * 3] * y[0] + back[i * 3 + 1] * y[1] + back[i * 3 + 2] * y[2];
	}
	struct image *im = row_of(&v, 1, "rec709");
	struct image *a = run("grade", im, (const char *[]){ "space=clip", "contrast=1.2", "pivot=0.5", NULL });
	struct image *b = run("grade", im, (const char *[]){ "exposure=1", NULL });
	double worst = 0;
	for (int k = 0; k < 3; k++) {
		double d = absd(*view_at(&a->view, k, 0, 0) - v.out[k]), e = absd(*view_at(&b->view, k, 0, 0) - light.out[k]);
		worst = d > worst ? d : worst;
		worst = e > worst ? e : worst;
	}
	test_ok(worst < 1e-6, "grade of a picture in its own encoding (%.2g)", worst);
	test_ok(!is_identity("grade", im, NULL), "grade of nothing still brings it to working light");
	image_unref(&im);
	image_unref(&a);
	image_unref(&b);
}
static bool fails(struct image *im, const char *const *set, const char *says)
{
	struct err e = ERR_INIT;
	struct nc n;
	bool made = nc_make(&n, nc_type(nodes_baseline, "grade"), &im, 1, set, &e);
	if (made || !strstr(e.msg, says)) printf("# not refused with '%s': %s\n", says, e.msg);
	if (made) nc_free(&n);
	else arena_free(&n.arena);
	return !made && strstr(e.msg, says);
}

static void lut(void)
{
	char path[300], set[320];
	snprintf(path, sizeof path, "%s/half.cube", test_tmp());
	snprintf(set, sizeof set, "lut=%s", path);
	FILE *f = fopen(path, "w");
	if (!f) { test_ok(0, "grade lut: cannot write %s", path); return; }
	fputs("LUT_3D_SIZE 2\n0 0 0\n.5 0 0\n0 .5 0\n.5 .5 0\n0 0 .5\n.5 0 .5\n0 .5 .5\n.5 .5 .5\n", f);
	fclose(f);
	static const struct vec half[] = { { { .2, .4, .6 }, { .1, .2, .3 } }, { { 2, 4, -6 },
	                                                                         { 1, 2, -3 } } };
	vectors("LUT extends beyond its domain", half, 2, (const char *[]){ set, "lut_in=acescg", NULL },
	        1e-6);
	static const struct vec held[] = { { { .2, .4, .6 }, { .1, .2, .3 } }, { { 2, 4, -6 },
	                                                                         { .5, .5, 0 } } };
	vectors("LUT clamps when told to", held, 2,
	        (const char *[]){ set, "lut_in=acescg", "lut_outside=clamp", NULL }, 1e-6);
	static const struct vec mixed[] = { { { .2, .4, .6 }, { .15, .3, .45 } } };
	vectors("LUT mix", mixed, 1, (const char *[]){ set, "lut_in=acescg", "lut_mix=0.5", NULL }, 1e-6);
	struct image *im = row_of(half, 1, "acescg");
	test_ok(fails(im, (const char *[]){ set, NULL }, "lut_in") &&
	        fails(im, (const char *[]){ set, "lut_in=rec708", NULL }, "nearest is \"rec709\"") &&
	        fails(im, (const char *[]){ "lut=/nonexistent.cube", "lut_in=rec709",
	                                    NULL }, "/nonexistent.cube") &&
	        fails(im, (const char *[]){ "lift=-1.2", "gain=1",
	                                    NULL }, "lift"), "grade refuses what cannot work, saying why");
	image_unref(&im);
	remove(path);
}

static void convert(void)
{
	struct format f = nc_format(64, 9, "R G B", "rec709");
	struct image *im = nc_random(&f, 3), *lin = run("convert", im, (const char *[]){ "to=acescg",
	                                                                                 NULL });
	test_ok(lin->fmt.space == colour_find("acescg"), "convert labels its output");
	struct image *back = run("convert", lin, (const char *[]){ "to=rec709", NULL });
	test_ok(nc_diff(im, back) < 0.5 / 1023, "convert there and back within half a 10-bit code "
	        "(%.2g)", nc_diff(im, back));
	test_ok(is_identity("convert", im, (const char *[]){ "to=rec709", NULL }) &&
	        !is_identity("convert", im, (const char *[]){ "to=srgb", NULL }) &&
	        !is_identity("convert", im, (const char *[]){ "from=srgb", "to=srgb",
	                                                      NULL }), "convert is honest about identity");
	nc_invariant("convert", &im, 1, (const char *[]){ "to=acescct", NULL }, "rec709 to acescct");
	struct err e = ERR_INIT;
	struct nc n;
	test_ok(!nc_make(&n, nc_type(nodes_baseline, "convert"), &im, 1, (const char *[]){ "to=acescgg",
	                                                                                   NULL }, &e) &&
	        strstr(e.msg, "acescg\""), "convert names the nearest space");
	arena_free(&n.arena);
	image_unref(&im);
	image_unref(&lin);
	image_unref(&back);
}

/* Rows whose powers come out of a few places of the table, out of many, or one by one, side by side. */
static float uneven(int x, int y, int c)
{
	static const float odd[] = { 0, -0.0f, -0.3f, 1e-7f, 0x1p-20f, 0x1.fffffep-21f, 0x1p20f, 0x1.fffffep19f,
		3e38f, 0x1p-130f, __builtin_inff(), -__builtin_inff(), __builtin_nanf("") };
	static const float spread[] = { 0, 0.05f, 0.12f, 0.2f, 0.4f, 0.5f, 1, 30 };
	float u = nc_rand((unsigned)x, (unsigned)y, (unsigned)c);
	if ((x + 7 * y) % 150 == 64) return odd[(x / 100 + y + c) % (int)IN_COUNT(odd)];
	return (0.02f + 0.11f * (float)y) * (1 + spread[x / 100 % 8] * u);
}

/* nc_invariant's tiles are narrower than what wide instructions take at once. */
static void whole_rows(const char *const *set, const char *what)
{
	struct format f = nc_format(1700, 26, "R G B", "acescg");
	struct image *im = nc_image(&f), *want = NULL;
	struct err e = ERR_INIT;
	bool same = true;
	int n = 0;
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < 26; y++)
			for (int x = 0; x < 1700; x++) *view_at(&im->view, c, x, y) = uneven(x, y, c);
	for (int isa = ISA_BASELINE; isa <= ISA_AVX512; isa++) {
		struct nc g;
		if (node_isa_set((enum isa)isa, &e) < 0) { err_clear(&e); continue; }
		const struct node_type *const *tables[] = { nodes_baseline, nodes_avx2, nodes_avx512 };
		if (!nc_make(&g, nc_type(tables[isa - ISA_BASELINE], "grade"), &im, 1, set, &e)) break;
		struct image *out = nc_run(&g, 1, 0, 0);
		same = same && (!want || nc_same(want, out));
		if (!want) want = out;
		else image_unref(&out);
		nc_free(&g);
		n++;
	}
	test_ok(same && n, "grade %s: %d instruction sets give whole rows the same bits", what, n);
	image_unref(&want);
	image_unref(&im);
}

int main(void)
{
	cdl();
	lift_gamma_gain();
	pieces();
	clip_space();
	as_it_comes();
	white();
	lut();
	convert();
	struct format f = nc_format(131, 37, "R G B", "acescg");
	struct image *im = nc_random(&f, 1);
	test_ok(is_identity("grade", im, NULL) && is_identity("grade", im,
	                                                      (const char *[]){ "space=clip", "pivot=0.3", NULL }) &&
	        !is_identity("grade", im, (const char *[]){ "tint=1", NULL }) &&
	        !is_identity("grade", im, (const char *[]){ "gain=1 1 1.01",
	                                                    NULL }), "grade is honest about identity");
	nc_invariant("grade", &im, 1, (const char *[]){ "exposure=0.3", "temperature=12", "slope=1.1 1 "
	                                                "0.9", "power=1.1",
	             "gamma=0.9", "contrast=1.2", "red=0,0 0.3,0.4 1,1", "saturation=0.8",
	             NULL }, "all at once");
	nc_invariant("grade", &im, 1,
	             (const char *[]){ "space=linear", "contrast=1.2", "lift=0.01", "clamp=yes",
	                               NULL }, "linear");
	whole_rows((const char *[]){ "space=linear", "slope=1.05 1 0.95", "offset=0.01 0 0.02",
	                             "power=1.02 0.98 2.6", NULL }, "powers");
	whole_rows((const char *[]){ "space=linear", "power=0.45 1.3 3", NULL }, "powers alone");
	if (test_data()) {
		char set[600];
		snprintf(set, sizeof set, "lut=%s/colour/film/fuji_160c.cube", test_data());
		nc_invariant("grade", &im, 1,
		             (const char *[]){ set, "lut_in=rec709", "space=clip", "saturation=0.5",
		                               NULL }, "with a LUT");
		whole_rows((const char *[]){ set, "lut_in=acescg", "space=linear", "saturation=0.9", NULL }, "with a LUT");
	} else test_skip("grade with a film LUT: no ../shared/data");
	image_unref(&im);
	rmdir(test_tmp());
	TEST_END();
}
