/* Unit tests of the curve set, split tone, vibrance, printer lights and the qualifier. Oracles: closed forms,
 * and HSV and HSL of Python's colorsys, frozen here.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include "curve.h"
#include "mathx.h"

static double absd(double v) { return v < 0 ? -v : v; }
static double luma(const float *v) { return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; }
static double chroma(const float *v)
{
	float hi = v[0] > v[1] ? v[0] : v[1], lo = v[0] < v[1] ? v[0] : v[1];
	return (hi > v[2] ? hi : v[2]) - (lo < v[2] ? lo : v[2]);
}

struct px { float v[3]; };
/* One pixel through a node, in the node's own numbers. */
static struct px one(const char *type, struct px in, const char *const *set)
{
	struct err e = ERR_INIT;
	struct nc n;
	struct format f = nc_format(1, 1, "R G B", "acescg");
	struct image *im = nc_image(&f);
	struct px o = { { 0 } };
	for (int k = 0; k < 3; k++) *view_at(&im->view, k, 0, 0) = in.v[k];
	if (!nc_make(&n, nc_type(nodes_baseline, type), &im, 1, set, &e)) test_ok(0, "%s: %s", type, e.msg);
	else {
		struct image *out = nc_run(&n, 1, 0, 0);
		for (int k = 0; k < out->fmt.nch; k++) o.v[k] = *view_at(&out->view, k, 0, 0);
		image_unref(&out);
		nc_free(&n);
	}
	image_unref(&im);
	return o;
}
static bool near(struct px a, double r, double g, double b, double tol)
{ return absd(a.v[0] - r) <= tol && absd(a.v[1] - g) <= tol && absd(a.v[2] - b) <= tol; }
#define SET(...) (const char *[]){ __VA_ARGS__, NULL }

static bool make(const char *type, const char *const *set, bool *identity, char *msg)
{
	struct err e = ERR_INIT;
	struct nc n;
	struct format f = nc_format(4, 1, "R G B", "acescg");
	struct image *im = nc_image(&f);
	bool made = nc_make(&n, nc_type(nodes_baseline, type), &im, 1, set, &e);
	if (made && identity) *identity = n.ctx.type->identity(&n.ctx);
	if (made) nc_free(&n);
	else arena_free(&n.arena);
	if (msg) snprintf(msg, 200, "%s", e.msg);
	image_unref(&im);
	return made;
}
static bool neutral(const char *type, const char *const *set)
{
	bool is = false;
	return make(type, set, &is, NULL) && is;
}
static bool refuses(const char *type, const char *const *set, const char *says)
{
	char msg[200] = "";
	return !make(type, set, NULL, msg) && strstr(msg, says);
}

static void around(void)
{
	struct curve c = { 3, { 30, 150, 270 }, { 0, 1, 0.5 } }, flat = { 2, { 0, 360 }, { 2, 2 } };
	double worst = 0, jump = 0, before = curve_eval_around(&c, 360, -0.001);
	bool within = true;
	for (int i = 0; i < 3; i++) worst = absd(curve_eval_around(&c, 360, c.x[i] + 360 * (i - 1)) - c.y[i]) + worst;
	test_ok(worst < 1e-12, "curve around a circle goes through its points on every turn (%.2g)", worst);
	for (int i = 0; i <= 36000; i++) {
		double v = curve_eval_around(&c, 360, i * 0.01);
		if (absd(v - before) > jump) jump = absd(v - before);
		before = v;
		within = within && v >= 0 && v <= 1;
	}
	test_ok(jump < 4e-4 && within, "curve around a circle has no seam and overshoots nowhere (step %.2g)", jump);
	double d0 = curve_eval_around(&c, 360, 0.01) - curve_eval_around(&c, 360, 0);
	double d1 = curve_eval_around(&c, 360, 360) - curve_eval_around(&c, 360, 359.99);
	test_ok(absd(d0 - d1) < 1e-6, "curve around a circle keeps its slope at the seam (%.2g)", absd(d0 - d1));
	test_ok(curve_eval_around(&flat, 360, 100) == 2, "curve around a circle: 0 and 360 are one point");
}

static void hues(void)
{
	struct px in = { { 0.6f, 0.3f, 0.2f } };             /* hue 15 degrees */
	struct px t = one("curves", in, SET("hue_hue=0,120 360,120"));
	double want[3] = { 0.2, 0.6, 0.3 }, up = 0.2126 * 0.6 + 0.7152 * 0.3 + 0.0722 * 0.2
	         - (0.2126 * 0.2 + 0.7152 * 0.6 + 0.0722 * 0.3);
	test_ok(near(t, want[0] + up, want[1] + up, want[2] + up, 1e-6), "hue_hue by a third of the circle permutes colours, "
	        "luma held (%.6f %.6f %.6f)", t.v[0], t.v[1], t.v[2]);
	t = one("curves", in, SET("hue_hue=0,17 100,-40 200,80 300,5"));
	test_ok(absd(luma(t.v) - luma(in.v)) < 1e-6 && absd(chroma(t.v) - chroma(in.v)) < 1e-6,
	        "hue_hue holds luma and max - min");
	t = one("curves", in, SET("hue_hue=0,45 15,45 40,0 300,0"));
	/* hue 60 degrees: red equals green */
	test_ok(absd(t.v[0] - t.v[1]) < 1e-6 && t.v[2] < t.v[0], "hue_hue turns by the degrees it says");
	t = one("curves", (struct px){ { .4f, .4f, .4f } }, SET("hue_hue=0,90 360,90", "hue_lum=0,0.2 360,0.2"));
	test_ok(near(t, .4f, .4f, .4f, 1e-7), "curves of hue leave grey alone");
	t = one("curves", in, SET("hue_sat=0,1 15,0.5 60,1"));
	double y = luma(in.v);
	test_ok(near(t, y + .5 * (.6 - y), y + .5 * (.3 - y), y + .5 * (.2 - y), 1e-5), "hue_sat halves saturation at its hue");
	t = one("curves", (struct px){ { .2f, .6f, .3f } }, SET("hue_sat=0,1 15,0.5 60,1"));
	test_ok(near(t, .2, .6, .3, 1e-6), "hue_sat leaves other hues");
	t = one("curves", in, SET("lum_sat=0,0 1,0"));
	test_ok(near(t, y, y, y, 1e-6), "lum_sat at 0 is grey");
	t = one("curves", in, SET("sat_sat=0,1 0.4,2 1,1"));
	test_ok(near(t, y + 2 * (.6 - y), y + 2 * (.3 - y), y + 2 * (.2 - y), 2e-6), "sat_sat looks at max - min");
	t = one("curves", in, SET("hue_lum=0,0.1 360,0.1"));
	test_ok(near(t, .7, .4, .3, 1e-6), "hue_lum adds to luma");
	t = one("curves", (struct px){ { -.6f, 2.3f, 5.2f } }, SET("hue_hue=0,1e-9 360,1e-9"));
	test_ok(near(t, -.6, 2.3, 5.2, 2e-6), "hue and back changes nothing beyond 0 and 1 either");
	test_ok(neutral("curves", NULL) && neutral("curves", SET("hue_hue=0,0 90,0", "hue_sat=0,1 90,1", "red=0,0 1,1")) &&
	        !neutral("curves", SET("sat_sat=0,1 1,1.1")) && !neutral("curves", SET("blue=0,0 1,1.1")),
	        "curves is honest about identity");
	test_ok(refuses("curves", SET("hue_sat=0,1 400,2"), "360") && refuses("curves", SET("lum_sat=0,1 1,-1"), "below 0"),
	        "curves refuses hues off the circle and saturation below 0");
}

static void tints(void)
{
	struct px mid = { { .41358841f, .41358841f, .41358841f } }, white = { { .5547945f, .5547945f, .5547945f } };
	const char *red = "shadows=#ff0000", *blue = "highlights=#0000ff", *green = "midtones=0 1 0";
	double w = colour_encode(colour_find("acescct"), 1) - colour_encode(colour_find("acescct"), 0.18);
	struct px t = one("split_tone", mid, SET(red, blue, "amount=1"));
	test_ok(near(t, mid.v[0], mid.v[1], mid.v[2], 1e-6), "split tone: mid-grey has neither shadow nor highlight");
	t = one("split_tone", white, SET(red, blue, green, "amount=0.5"));
	double c = 0.5 * w;
	test_ok(near(t, white.v[0] - .0722 * c, white.v[0] - .0722 * c, white.v[0] + .9278 * c, 1e-6),
	        "split tone: white takes the highlights' tint in full");
	t = one("split_tone", mid, SET(red, blue, green, "amount=0.5"));
	test_ok(near(t, mid.v[0] - .7152 * c, mid.v[0] + .2848 * c, mid.v[0] - .7152 * c, 1e-6),
	        "split tone: mid-grey takes the midtones' tint in full");
	struct px in = { { .3f, .5f, .2f } };
	t = one("split_tone", in, SET(red, blue, green, "amount=1", "balance=0.3"));
	test_ok(absd(luma(t.v) - luma(in.v)) < 1e-6, "split tone holds luma");
	test_ok(neutral("split_tone", NULL) && neutral("split_tone", SET("shadows=#808080", "highlights=0.2")) &&
	        neutral("split_tone", SET(red, "amount=0")) && !neutral("split_tone", SET(red)),
	        "split tone is honest about identity");
}

static void grades(void)
{
	struct px in = { { .18f, .1f, -.3f } };
	struct px t = one("grade", in, SET("printer_lights=12 -12 6"));
	test_ok(near(t, .36, .05, -.3 * 1.4142135624, 1e-7), "printer lights: 12 points are a stop");
	struct px pale = { { .5f, .48f, .47f } }, vivid = { { .9f, .1f, .1f } };
	struct px a = one("grade", pale, SET("space=linear", "vibrance=0.5")), b = one("grade", vivid, SET("space=linear",
	                                                                                                 "vibrance=0.5"));
	double ga = chroma(a.v) / chroma(pale.v), gb = chroma(b.v) / chroma(vivid.v);
	test_ok(absd(ga - (1 + .5 * .82 / (.82 + .03))) < 1e-5 && absd(gb - (1 + .5 * .82 / (.82 + .8))) < 1e-5,
	        "vibrance spares strong colours (%.3f, %.3f)", ga, gb);
	test_ok(absd(luma(a.v) - luma(pale.v)) < 1e-6, "vibrance holds luma");
	if (!test_data()) { test_skip("grade with a CDL file: no ../shared/data"); return; }
	char path[600];
	snprintf(path, sizeof path, "cdl=%s/colour/cdl_test1.ccc", test_data());
	for (int clamp = 0; clamp < 2; clamp++) {
		const char *how = clamp ? "clamp=asc" : "clamp=none";
		struct px v = { { 1.2f, .3f, -.2f } };
		a = one("grade", v, SET("space=linear", path, "cdl_id=cc0002", how));
		b = one("grade", v, SET("space=linear", "slope=0.9 0.7 0.6", "offset=0.1", "power=0.9", "saturation=0.7", how));
		test_ok(near(a, b.v[0], b.v[1], b.v[2], 0), "grade: a CDL file is what its numbers are, %s", how);
	}
	test_ok(refuses("grade", SET(path), "cdl_id") && refuses("grade", SET("cdl=/nonexistent.cc"), "/nonexistent.cc"),
	        "grade refuses a CDL file that does not tell which, or is not there");
	test_ok(neutral("grade", SET("vibrance=0", "clamp=none")) && !neutral("grade", SET("clamp=yes")) &&
	        !neutral("grade", SET("printer_lights=0 0 1")) && neutral("zones", NULL) && neutral("primary", NULL) &&
	        neutral("primary", SET("style=video", "contrast=2", "pivot=3")) && !neutral("zones", SET("whites=1.1")),
	        "grade, zones, primary are honest about identity");
	test_ok(refuses("zones", SET("shadows_range=0.1 0.3"), "shadows_range") &&
	        refuses("primary", SET("style=video", "lift=-1.5"), "turns the picture over"),
	        "zones and primary refuse what turns the scale over");
}

static void masks(void)
{
	static const struct { struct px in; const char *set[5]; double want; } t[] = {
		/* colorsys.rgb_to_hls(.6, .3, .2): hue 15 degrees, lightness .4, saturation .5; hsv saturation 2/3, value .6 */
		{ { { .6f, .3f, .2f } }, { "hue=15", "hue_width=0", "hue_soft=10" }, 1 },
		{ { { .6f, .3f, .2f } }, { "hue=355", "hue_width=20", "hue_soft=20" }, 0.5 },
		{ { { .6f, .3f, .2f } }, { "hue=355", "hue_width=20", "hue_soft=10" }, 0 },
		{ { { .6f, .3f, .2f } }, { "sat=0.5", "sat_width=0.02", "sat_soft=0" }, 1 },
		{ { { .6f, .3f, .2f } }, { "sat=0.4", "sat_width=0.1", "sat_soft=0.1" }, 0.5 },
		{ { { .6f, .3f, .2f } }, { "lum=0.4", "lum_width=0.01", "lum_soft=0.2" }, 1 },
		{ { { .6f, .3f, .2f } }, { "lum=0.7", "lum_width=0.2", "lum_soft=0.4" }, 0.5 },
		{ { { .6f, .3f, .2f } }, { "model=hsv", "sat=0.6666667", "sat_width=0", "sat_soft=0.001" }, 1 },
		{ { { .6f, .3f, .2f } }, { "model=hsv", "lum=0.6", "lum_width=0", "lum_soft=0.01", "sat_width=4" }, 1 },
		{ { { .6f, .3f, .2f } }, { "model=luma", "sat=0.4", "sat_width=0", "sat_soft=0.01" }, 1 },
		{ { { .6f, .3f, .2f } }, { "model=luma", "lum=0.35656", "lum_width=0", "lum_soft=0.01" }, 1 },
		{ { { .5f, .5f, .5f } }, { "hue=0", "hue_width=90" }, 0 },
		{ { { .5f, .5f, .5f } }, { "lum=0.5", "invert=yes" }, 0 },
	};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		const char *set[6] = { 0 };
		for (int k = 0; k < 5 && t[i].set[k]; k++) set[k] = t[i].set[k];
		struct px m = one("qualifier", t[i].in, set);
		test_ok(absd(m.v[0] - t[i].want) < 1e-4, "qualifier %s %s %s: %.4f", set[0], set[1], set[2] ? set[2] : "", m.v[0]);
	}
}

int main(void)
{
	struct format f = nc_format(131, 37, "R G B", "acescg");
	struct image *im = nc_random(&f, 1);
	around();
	hues();
	tints();
	grades();
	masks();
	nc_invariant("curves", &im, 1, SET("red=0,0 0.3,0.4 1,1", "master=0,0 0.5,0.6 1,1", "hue_hue=0,20 120,-30 240,5",
	             "hue_sat=0,1 100,1.5 200,0.5", "hue_lum=10,0.1 190,-0.1", "lum_sat=0,1 1,0.5", "sat_sat=0,1.2 1,1"), "all");
	nc_invariant("curves", &im, 1, SET("spline=smooth", "green=0,0 0.3,0.4 1,1"), "smooth");
	nc_invariant("split_tone", &im, 1, SET("shadows=#204060", "highlights=#c0a080", "midtones=#405030"), "three tints");
	nc_invariant("qualifier", &im, 1, SET("hue=30", "hue_width=40", "sat=0.3", "sat_width=0.2", "lum_width=0.5"), "three ranges");
	nc_invariant("zones", &im, 1, SET("blacks=0.8", "shadows=1.3", "midtones=1.2", "highlights_rgb=0.7 1 1.2", "whites=1.2",
	             "s_contrast=1.3"), "all");
	nc_invariant("zones", &im, 1, SET("style=linear", "midtones=1.2", "s_contrast=0.7"), "linear");
	nc_invariant("primary", &im, 1, SET("style=linear", "offset=0.01", "exposure=1 0 -1", "contrast=1.2 1.1 1",
	             "saturation=1.2"), "linear");
	nc_invariant("primary", &im, 1, SET("style=video", "lift=0.01", "gain=1.1", "gamma=1.2 0.9 1", "clamp_white=0.8"), "video");
	nc_invariant("grade", &im, 1, SET("vibrance=0.4", "printer_lights=1 2 3", "clamp=asc"), "vibrance");
	image_unref(&im);
	TEST_END();
}
