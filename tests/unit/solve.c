/* Unit tests of the solve functions of balance and match, and of measure. Oracles: casts and CDLs made here with
 * known numbers, on synthetic pictures and on a real frame (decoded by ffmpeg).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include "measure.h"
#include "mathx.h"
#include "px_colour.h"
#include "white.h"

enum { W = 320, H = 180 };

static double absd(double v) { return v < 0 ? -v : v; }

/* Patches of random reflectance around grey under even light, with a ramp of shade and some
 * structure. */
static struct image *patches(const char *space, unsigned seed)
{
	struct format f = nc_format(W, H, "R G B", space);
	struct image *im = nc_image(&f);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			unsigned p = (unsigned)(x / 20), q = (unsigned)(y / 18);
			float shade = 0.02f + 0.9f * (float)x / W * nc_rand(p, q, seed);
			for (int k = 0; k < 3; k++) {
				float colour = (p * 7 + q * 3) % 4 ? 0.35f * (nc_rand(p, q, seed + 1 + (unsigned)k) - 0.5f) : 0;
				float grain = 0.03f * (nc_rand((unsigned)x, (unsigned)y, seed + 9 + (unsigned)k) - 0.5f);
				*view_at(&im->view, k, x, y) = shade * (1 + colour + grain);
			}
		}
	return im;
}

/* A frame of a real clip in working light, or NULL. */
static struct image *real_frame(void)
{
	char cmd[1200];
	static unsigned char rgb[W * H * 3];
	if (!test_data()) return NULL;
	snprintf(cmd, sizeof cmd, "ffmpeg -v error -ss 0.5 -i %s/video/turbot2av_3_student.mp4 "
	         "-frames:v 1 -vf scale=%d:%d "
	         "-pix_fmt rgb24 -f rawvideo - 2>/dev/null", test_data(), W, H);
	FILE *p = popen(cmd, "r");
	size_t n = p ? fread(rgb, 1, sizeof rgb, p) : 0;
	if (p) pclose(p);
	if (n != sizeof rgb) return NULL;
	struct format f = nc_format(W, H, "R G B", "acescg");
	struct image *im = nc_image(&f);
	struct colour_xform x;
	colour_xform_init(&x, colour_find("rec709"), colour_find("acescg"));
	for (int y = 0; y < H; y++) {
		for (int c = 0; c < W * 3; c++) *view_at(&im->view, c % 3, c / 3, y) = (float)rgb[y * W * 3
		                                                                                  + c] / 255.0f;
		colour_row(&x, view_at(&im->view, 0, 0, y), view_at(&im->view, 1, 0, y), view_at(&im->view, 2,
		                                                                                 0, y), W);
	}
	return im;
}

static struct image *through(const struct image *im, const double m[9])
{
	struct image *out = nc_image(&im->fmt);
	for (int y = 0; y < rect_h(im->fmt.data); y++)
		for (int x = 0; x < rect_w(im->fmt.data); x++)
			for (int k = 0; k < 3; k++)
				*view_at(&out->view, k, x, y) = (float)(m[k * 3] * *view_at(&im->view, 0, x, y)
					+ m[k * 3 + 1] * *view_at(&im->view, 1, x, y) + m[k * 3 + 2] * *view_at(&im->view, 2, x, y));
	return out;
}

static struct image *applied(const char *type, struct image *im, const char *const *set)
{
	struct err e = ERR_INIT;
	struct nc n;
	if (!nc_make(&n, nc_type(nodes_baseline, type), &im, 1, set, &e)) { test_ok(0, "%s: %s", type,
	                                                                            e.msg); exit(1); }
	struct image *out = nc_run(&n, 1, 0, 0);
	nc_free(&n);
	return out;
}

/* Runs type's solve on one frame; the attributes come back as "name=value" settings. */
static const char *solve_method = "method=quantiles";
struct solved { struct solve_call c; char text[16][320]; const char *set[17]; };
static bool solve(const char *type, struct image *im, struct image *ref, struct solved *s)
{
	struct err e = ERR_INIT;
	struct nc n;
	struct image *ims[2] = { im, ref };
	memset(s, 0, sizeof *s);
	if (!nc_make(&n, nc_type(nodes_baseline, type), ims, ref ? 2 : 1, strcmp(type, "match") ? NULL :
	             (const char *[]){ solve_method, NULL },
	             &e)) { test_ok(0, "%s: %s", type, e.msg); return false; }
	struct solve_sample sample[2] = { { .frame = 1, .in = im, .reference = ref }, { .frame = 2, .in = im, .reference = ref } };
	s->c = (struct solve_call){ .n = &n.ctx, .nsamples = 2, .sample = sample };
	int rc = n.ctx.type->solve(&s->c, &e);
	if (rc) test_ok(0, "%s solve: %s", type, e.msg);
	for (int i = 0; i < s->c.nattr; i++) {
		snprintf(s->text[i], sizeof s->text[i], "%s=%s", s->c.attr[i].name, s->c.attr[i].value);
		s->set[i] = s->text[i];
	}
	nc_free(&n);
	return rc == 0;
}
static double value(const struct solved *s, const char *name, int i)
{
	for (int k = 0; k < s->c.nattr; k++) {
		if (strcmp(s->c.attr[k].name, name)) continue;
		const char *p = s->c.attr[k].value;
		while (i-- > 0 && strchr(p, ' ')) p = strchr(p, ' ') + 1;
		return strtod(p, NULL);
	}
	return -1e9;
}

/* --- balance --- */

static void cast_removed(struct image *im, const char *what, double limit)
{
	static const double casts[][2] = { { 15, 0 }, { -15, 4 }, { 0, -10 }, { 22, 8 } };
	int work = colour_find("acescg");
	struct solved base, s;
	double worst = 0, m[9];
	if (!solve("balance", im, NULL, &base)) return;
	for (size_t i = 0; i < IN_COUNT(casts); i++) {
		white_matrix(work, 0, casts[i][0], casts[i][1], m);
		struct image *lit = through(im, m);
		if (!solve("balance", lit, NULL, &s)) return;
		/* what balancing makes of a grey under the cast, against what it makes of it without: an angle */
		double a[9], b[9], v[3], w[3], dot = 0, vv = 0, ww = 0;
		white_matrix(work, 0, value(&s, "temperature", 0), value(&s, "tint", 0), a);
		white_matrix(work, 0, value(&base, "temperature", 0), value(&base, "tint", 0), b);
		mat3_mul(a, m, a);
		for (int k = 0; k < 3; k++) {
			v[k] = a[k * 3] + a[k * 3 + 1] + a[k * 3 + 2];
			w[k] = b[k * 3] + b[k * 3 + 1] + b[k * 3 + 2];
			dot += v[k] * w[k]; vv += v[k] * v[k]; ww += w[k] * w[k];
		}
		double angle = mx_acos(dot / __builtin_sqrt(vv * ww) > 1 ? 1
		                       : dot / __builtin_sqrt(vv * ww)) * 180 / MX_PI;
		if (angle > worst) worst = angle;
		image_unref(&lit);
	}
	test_ok(worst < limit, "balance removes casts of %s within %.1f degrees (%.2f; confidence %.2f)",
	        what, limit, worst,
	        base.c.confidence);
}

/* Clipped white keeps its colour and takes the light; greys take both; 0.9 stands between, without a step. */
static void white_held(void)
{
	struct format f = nc_format(64, 2, "R G B", "acescg");
	struct image *im = nc_image(&f), *out[3];
	static const char *const set[3][4] = { { "exposure=0.5", "temperature=-22", "tint=4" },
		{ "exposure=0.5", "temperature=-22", "hold_white=0" }, { "exposure=0.5" } };
	for (int x = 0; x < 64; x++)
		for (int k = 0; k < 3; k++)
			for (int y = 0; y < 2; y++) *view_at(&im->view, k, x, y) = k == 2 && y ? 0.1f : 0.02f * (float)x;
	for (int i = 0; i < 3; i++) out[i] = applied("balance", im, set[i]);
	double grey = 0, white = 0, free_white = 0, yellow = 0, step = 0, before = 0;
	for (int x = 0; x < 64; x++) {
		double g = *view_at(&out[0]->view, 1, x, 0), b = *view_at(&out[0]->view, 2, x, 0);
		double cast = x ? b / g : 1;
		if (x > 0 && x < 40) grey = cast - 1 > grey ? cast - 1 : grey;
		if (x >= 49) {
			white += absd(cast - 1) + absd(g - *view_at(&out[2]->view, 1, x, 0));
			free_white += absd(*view_at(&out[1]->view, 2, x, 0) / *view_at(&out[1]->view, 1, x, 0) - 1);
			yellow += absd(*view_at(&out[0]->view, 0, x, 1) - *view_at(&out[2]->view, 0, x, 1));
		}
		if (x > 1 && absd(cast - before) > step) step = absd(cast - before);
		before = cast;
	}
	test_ok(white < 1e-5 && grey > 0.1 && free_white > 1 && yellow > 0.1 && step < 0.05,
	        "balance leaves clipped white neutral, corrects greys and colours (%.3f %.3f %.3f %.3f %.3f)",
	        white, grey, free_white, yellow, step);
	f.encoded = colour_find("pq");
	struct image *hdr = nc_image(&f), *bright;
	for (int k = 0; k < 3; k++) *view_at(&hdr->view, k, 5, 0) = 1.5f;
	bright = applied("balance", hdr, set[0]);
	test_ok(*view_at(&bright->view, 2, 5, 0) > 1.1f * *view_at(&bright->view, 1, 5, 0),
	        "balance: what is above 1 in PQ is light and is corrected");
	for (int i = 0; i < 3; i++) image_unref(&out[i]);
	image_unref(&hdr);
	image_unref(&bright);
	image_unref(&im);
}

static void balance(void)
{
	struct solved s;
	struct image *im = patches("acescg", 5);
	cast_removed(im, "a synthetic picture", 0.5);
	if (!solve("balance", im, NULL, &s)) return;
	test_ok(absd(value(&s, "temperature", 0)) < 5 && absd(value(&s, "tint", 0)) < 3
	        && s.c.confidence > 0.8,
	        "balance leaves a neutral picture neutral (%s, %s; %.2f)", s.text[1], s.text[2],
	        s.c.confidence);
	/* it is idempotent: the result needs (nearly) nothing more */
	double m[9];
	white_matrix(colour_find("acescg"), -1.2, 18, -5, m);
	struct image *lit = through(im, m), *done;
	struct solved first, second;
	if (!solve("balance", lit, NULL, &first)) return;
	done = applied("balance", lit, first.set);
	if (!solve("balance", done, NULL, &second)) return;
	test_ok(absd(value(&second, "temperature", 0)) < 1.5 && absd(value(&second, "tint", 0)) < 1.5 &&
	        absd(value(&second, "exposure", 0)) < absd(value(&first, "exposure", 0)),
	        "balance a second time has little left to do (%s, %s)", second.text[1], second.text[2]);
	image_unref(&lit);
	image_unref(&done);
	white_matrix(colour_find("acescg"), -6, 60, 0, m);
	lit = through(im, m);
	if (!solve("balance", lit, NULL, &s)) return;
	test_ok(value(&s, "temperature", 0) == -30 && value(&s, "exposure", 0) == 1.5
	        && strstr(s.c.note, "temperature limit") &&
	        strstr(s.c.note, "exposure limit"), "balance stays within its limits and says so (%s)",
	        s.c.note);
	image_unref(&lit);
	struct solved again;
	solve("balance", im, NULL, &s);
	solve("balance", im, NULL, &again);
	bool same = true;
	for (int i = 0; i < s.c.nattr; i++) same = same && !strcmp(s.text[i], again.text[i]);
	test_ok(same && s.c.nattr == 6, "balance proposes the same twice");
	const char *set[] = { "exposure=0.4", "temperature=9", "tint=-3", "black=0.003", "white=0.9",
	                      NULL };
	nc_invariant("balance", &im, 1, set, "all at once");
	struct image *half = applied("balance", im,
	                             (const char *[]){ "exposure=1", "black=0.1", "white=1.1", "strength=0", NULL });
	test_ok(nc_same(half, im) || nc_diff(half, im) < 1e-6, "balance at strength 0 changes nothing");
	image_unref(&half);
	half = applied("balance", im, (const char *[]){ "exposure=1", "black=0.1", "white=1.1", NULL });
	test_ok(absd(*view_at(&half->view, 1, 77, 50) - (2 * *view_at(&im->view, 1, 77, 50) - 0.1)) < 1e-6,
	        "balance: (2 v - black) / (white - black)");
	image_unref(&half);
	image_unref(&im);
	if ((im = real_frame())) cast_removed(im, "a real frame", 1.5);
	else test_skip("balance of a real frame: no clips or no ffmpeg");
	image_unref(&im);
}

/* A frame with nothing to go by must not be a fault. */
static void degenerate(void)
{
	static const float level[] = { 0, 1, 0.18f, -1, 1e30f };
	struct format f = nc_format(17, 3, "R G B A", "acescg");
	bool fine = true;
	for (size_t i = 0; i < IN_COUNT(level); i++) {
		struct image *im = nc_image(&f);
		for (int k = 0; k < 3; k++)
			for (int x = 0; x < 17; x++)
				for (int y = 0; y < 3; y++) *view_at(&im->view, k, x, y) = x == 3 ? __builtin_nanf("")
				    : level[i];
		struct solved s;
		fine = fine && solve("balance", im, NULL, &s);
		for (int k = 0; k < s.c.nattr; k++) fine = fine && value(&s, s.c.attr[k].name, 0) - value(&s,
		                                                                                          s.c.attr[k].name, 0) == 0;
		image_unref(&im);
	}
	test_ok(fine, "balance of black, white, grey, negative and huge frames gives finite numbers");
}

/* --- match --- */

static void recover(struct image *im, const char *what, const char *const *cdl,
                    const double want[10])
{
	struct image *ref = applied("match", im, cdl);
	struct solved s;
	if (!solve("match", im, ref, &s)) return;
	double rel = 0, off = 0;
	for (int k = 0; k < 3; k++) {
		double a = absd(value(&s, "slope", k) / want[k] - 1), p = absd(value(&s, "power", k) / want[6
		                                                                                            + k] - 1);
		double o = absd(value(&s, "offset", k) - want[3 + k]);
		rel = a > rel ? a : rel;
		rel = p > rel ? p : rel;
		off = o > off ? o : off;
	}
	double sat = absd(value(&s, "saturation", 0) / want[9] - 1);
	test_ok(rel < 0.01 && off < 0.002 && sat < 0.01, "match recovers a CDL on %s (slope, power %.4f "
	        "offset %.5f saturation "
	        "%.4f; confidence %.2f)", what, rel, off, sat, s.c.confidence);
	struct image *done = applied("match", im, s.set);
	test_ok(nc_diff(done, ref) < 0.004 && s.c.confidence > 0.9, "match on %s lands on the reference "
	        "(%.4f)", what, nc_diff(done, ref));
	image_unref(&done);
	image_unref(&ref);
}

static void in_log(struct image *im)
{
	struct colour_xform x;
	colour_xform_init(&x, colour_find("acescg"), colour_find("acescct"));
	for (int y = 0; y < H; y++)
		colour_row(&x, view_at(&im->view, 0, 0, y), view_at(&im->view, 1, 0, y), view_at(&im->view, 2,
		                                                                                 0, y), W);
	im->fmt.space = colour_find("acescct");
}

static void match(void)
{
	static const char *const a[] = { "slope=1.1 0.97 0.92", "offset=-0.01 0.015 0.02", "power=1.05 "
	                                 "0.96 1.1", "saturation=1.2", NULL };
	static const double wa[10] = { 1.1, .97, .92, -.01, .015, .02, 1.05, .96, 1.1, 1.2 };
	static const char *const b[] = { "slope=0.9 1.02 1.05", "offset=0.03 -0.02 0", "saturation=0.7",
	                                 NULL };
	static const double wb[10] = { .9, 1.02, 1.05, .03, -.02, 0, 1, 1, 1, .7 };
	struct image *im = patches("acescg", 3);
	in_log(im);
	recover(im, "a synthetic picture, with power", a, wa);
	recover(im, "a synthetic picture, straight", b, wb);
	struct solved s;
	if (solve("match", im, im, &s))
		test_ok(absd(value(&s, "slope", 0) - 1) < 1e-3 && absd(value(&s, "offset", 2)) < 1e-3
		        && value(&s, "power", 1) == 1 &&
		        absd(value(&s, "saturation", 0) - 1) < 2e-3
		        && s.c.confidence > 0.95, "match to itself is nothing");
	struct image *far = applied("match", im,
	                            (const char *[]){ "slope=0.3", "offset=0.4", "saturation=3", NULL });
	if (solve("match", im, far, &s))
		test_ok(value(&s, "offset", 0) > 0 && value(&s, "offset", 0) <= 0.1
		        && strstr(s.c.note, "red limit") &&
		        s.c.confidence < 0.5, "match stays within its limits and says so (%s)", s.c.note);
	image_unref(&far);
	struct image *both[2] = { im, im };
	nc_invariant("match", both, 2, a, "with a reference");
	nc_invariant("match", &im, 1, b, "without");
	struct nc n;
	struct err e = ERR_INIT;
	struct needs nd = { 0 };
	bool made = nc_make(&n, nc_type(nodes_baseline, "match"), both, 2, a, &e);
	n.ctx.type->needs(&n.ctx, 1, rect_of(0, 0, 4, 4), &nd);
	test_ok(made && nd.n == 1 && nd.v[0].conn == 0, "match does not read its reference when it "
	        "renders");
	struct solve_sample lone = { .frame = 1, .in = im };
	struct solve_call c = { .n = &n.ctx, .nsamples = 1, .sample = &lone };
	test_ok(n.ctx.type->solve(&c, &e) == -1 && strstr(e.msg, "reference"), "match without a "
	        "reference says what is missing");
	nc_free(&n);
	image_unref(&im);
	if (!(im = real_frame())) { test_skip("match of a real frame: no clips or no ffmpeg"); return; }
	in_log(im);
	recover(im, "a real frame, with power", a, wa);
	recover(im, "a real frame, straight", b, wb);
	image_unref(&im);
}

static void histogram(void)
{
	struct hist *h = xalloc(1, sizeof *h);
	hist_init(h, 0, 10);
	for (int i = 0; i < 100000; i++) hist_add(h, i / 10000.0);
	test_ok(absd(hist_quantile(h, 0.25) - 2.5) < 3e-3 && absd(hist_quantile(h, 0.999) - 9.99) < 3e-3 &&
	        absd(hist_mean_between(h, 0.1, 0.3) - 2) < 3e-3 && absd(hist_share_above(h, 7.5)
	                                                                - 0.25) < 1e-3,
	        "measure: quantiles, trimmed mean and share of a ramp");
	free(h);
}

int main(void)
{
	histogram();
	white_held();
	balance();
	degenerate();
	match();
	TEST_END();
}
