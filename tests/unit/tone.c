/* Unit tests of tone and ceiling. Oracle: neutral colours through OpenColorIO 2.6's ACES 2.0 output transforms
 * (oracles/aces2_vectors.txt), whose greys are the tonescale; closed forms.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include "mathx.h"

enum { N = 4096 };
#define SET(...) (const char *[]){ __VA_ARGS__, NULL }
static double absd(double v) { return v < 0 ? -v : v; }

/* v through a node, in place. */
static void through(const char *type, double *v, int n, const char *const *set)
{
	struct err e = ERR_INIT;
	struct nc nc;
	struct format f = nc_format(n, 1, "R G B", "acescg");
	struct image *im = nc_image(&f);
	for (int i = 0; i < n; i++) for (int k = 0; k < 3; k++) *view_at(&im->view, k, i, 0) = (float)v[i];
	if (!nc_make(&nc, nc_type(nodes_baseline, type), &im, 1, set, &e)) { test_ok(0, "%s: %s", type, e.msg); return; }
	struct image *out = nc_run(&nc, 1, 0, 0);
	for (int i = 0; i < n; i++) v[i] = *view_at(&out->view, 0, i, 0);
	image_unref(&out);
	image_unref(&im);
	nc_free(&nc);
}

static void oracle(const char *peak, const char *space, const double *want, const char *what)
{
	double v[5] = { 0.01, 0.18, 1, 4, 16 }, worst = 0;
	through("tone", v, 5, SET(peak));
	for (int i = 0; i < 5; i++) {
		double d = absd(colour_encode(colour_find(space), v[i]) - want[i]);
		if (!(d <= worst)) worst = d;
	}
	char name[80];
	snprintf(name, sizeof name, "tone %s", what);
	test_parity(name, "OpenColorIO 2.6.0", worst, 2e-6);
	test_ok(worst <= 2e-6, "tone %s as OpenColorIO within 2e-6 (%.2g)", what, worst);
}

static void tones(void)
{
	static const double sdr[] = { 0.0488204, 0.3831167, 0.721975, 0.9050893, 0.9760458 };
	static const double hdr[] = { 0.0606812, 0.3298371, 0.5144725, 0.6398004, 0.7138181 };
	static double v[N], w[N];
	oracle("peak=100", "rec709", sdr, "100 cd/m2");
	oracle("peak=1000", "pq", hdr, "1000 cd/m2");
	for (int p = 0; p < 2; p++) {
		const char *peak = p ? "peak=1000" : "peak=100";
		double worst = 0, least = 1e9;
		for (int i = 0; i < N; i++) v[i] = w[i] = colour_decode(colour_find("rec709"), i / (N - 1.0) * 1.05);
		through("tone", v, N, SET(peak, "direction=expand"));
		for (int i = 1; i < N; i++) if (v[i] - v[i - 1] < least) least = v[i] - v[i - 1];
		double top = v[N - 1];
		through("tone", v, N, SET(peak));
		for (int i = 0; i < N; i++) {
			double d = absd(colour_encode(colour_find("rec709"), v[i]) - colour_encode(colour_find("rec709"), w[i]));
			if (!(d <= worst)) worst = d;
		}
		test_ok(worst < 0.5 / 1023 && least >= 0, "tone %s: expand and back within half a 10-bit code (%.2g codes), rising "
		        "(up to %.3g)", peak, worst * 1023, top);
		double least_up = 1e9;
		for (int i = 0; i < N; i++) v[i] = mx_exp2(i * 20.0 / N - 10);
		through("tone", v, N, SET(peak));
		for (int i = 1; i < N; i++) if (v[i] - v[i - 1] < least_up) least_up = v[i] - v[i - 1];
		test_ok(least_up >= 0, "tone %s never falls, to 1024 times white", peak);
	}
	double at[3] = { 63.5, 64, 64.5 }, odd[2] = { -0.5, 0.5 };
	through("tone", at, 3, SET("peak=100"));
	test_ok(absd((at[2] - at[1]) / (at[1] - at[0]) - 1) < 0.02, "tone has no kink at its cap");
	through("tone", odd, 2, SET("peak=100"));
	test_ok(odd[0] == -odd[1], "tone is mirrored below 0");
}

static void ceilings(void)
{
	static double v[N];
	double key[5] = { 1, 0.3, -0.2, 0.7, 0.70001 };
	through("ceiling", key, 5, SET("white=0.96", "knee=0.7"));
	test_ok(absd(key[0] - 0.96) < 1e-6, "ceiling: white lands on 0.96 (%.7f)", key[0]);
	test_ok(key[1] == (float)0.3 && key[2] == (float)-0.2 && key[3] == (float)0.7, "ceiling changes nothing below its knee");
	test_ok(absd((key[4] - key[3]) / 0.00001 - 1) < 0.02, "ceiling has no kink at its knee");
	double least = 1e9, bend = 0;
	for (int i = 0; i < N; i++) v[i] = i * 4.0 / N;
	through("ceiling", v, N, SET("white=0.9"));
	for (int i = 1; i < N; i++) if (v[i] - v[i - 1] < least) least = v[i] - v[i - 1];
	for (int i = 2; i < N; i++) {
		double b = absd(v[i] - 2 * v[i - 1] + v[i - 2]);
		if (b > bend) bend = b;
	}
	test_ok(least > 0 && bend < 1e-5, "ceiling always rises, values over 1 stay apart (least step %.2g, bend %.2g)", least,
	        bend);
	struct err e = ERR_INIT;
	struct nc n;
	struct format f = nc_format(2, 1, "R G B", "rec709");
	struct image *im = nc_image(&f);
	bool made = nc_make(&n, nc_type(nodes_baseline, "ceiling"), &im, 1, SET("white=0.6", "knee=0.7"), &e);
	test_ok(!made && strstr(e.msg, "knee"), "ceiling refuses a knee above white");
	arena_free(&n.arena);
	test_ok(nc_make(&n, nc_type(nodes_baseline, "ceiling"), &im, 1, SET("white=1"), &e) &&
	        n.ctx.type->identity(&n.ctx), "ceiling at 1 is no step");
	nc_free(&n);
	image_unref(&im);
}

int main(void)
{
	struct format f = nc_format(131, 37, "R G B", "acescg");
	struct image *im = nc_random(&f, 1);
	tones();
	ceilings();
	nc_invariant("tone", &im, 1, SET("peak=1000"), "forward");
	nc_invariant("tone", &im, 1, SET("direction=expand", "cap=20"), "expand");
	nc_invariant("ceiling", &im, 1, SET("knee=0.3"), "0.96");
	image_unref(&im);
	TEST_END();
}
