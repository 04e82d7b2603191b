/* Unit tests of match and of the fits behind it on known material. Oracles: casts and gains made here with known numbers
 * on the ColorChecker (values of colour-science, differences by CIEDE2000) and on real clips (decoded by ffmpeg), pairs of
 * teacher and student clips, the definition of the Monge-Kantorovich map.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include "cdlfit.h"
#include "cdlguard.h"
#include "deltae.h"
#include "mathx.h"
#include "measure.h"
#include "px_colour.h"
#include "skin.h"
#include "transport.h"

enum { W = 224, H = 128, MOST = 24, RUN = 20 };
static double absd(double v) { return v < 0 ? -v : v; }

/* The 24 patches of colour_vectors.txt: linear Rec.709 under D65. */
static const double checker[24][3] = {
	{ 0.17368, 0.07879, 0.05286 }, { 0.55978, 0.27745, 0.21089 }, { 0.1042, 0.18892, 0.32893 },
	{ 0.10574, 0.15075, 0.05084 }, { 0.22744, 0.21241, 0.42645 }, { 0.11529, 0.50744, 0.41113 },
	{ 0.7459, 0.20214, 0.02987 }, { 0.05874, 0.10118, 0.38775 }, { 0.56013, 0.08015, 0.11459 },
	{ 0.10917, 0.042, 0.13814 }, { 0.33275, 0.49739, 0.0426 }, { 0.77104, 0.35792, 0.02045 },
	{ 0.02096, 0.04753, 0.28413 }, { 0.04606, 0.29205, 0.06148 }, { 0.44617, 0.03641, 0.04055 },
	{ 0.84168, 0.57441, 0.00466 }, { 0.52234, 0.07782, 0.28931 }, { -0.04392, 0.23366, 0.37719 },
	{ 0.87953, 0.88503, 0.83425 }, { 0.58449, 0.59217, 0.58448 }, { 0.35769, 0.36708, 0.36527 },
	{ 0.19009, 0.19087, 0.18981 }, { 0.08593, 0.08874, 0.0898 }, { 0.03135, 0.0315, 0.03232 },
};

static struct image *chart(const double gain[3])
{
	struct format f = nc_format(W, H, "R G B", "acescg");
	struct image *im = nc_image(&f);
	struct colour_xform x;
	double m[9];
	colour_matrix(colour_find("linear-rec709"), colour_find("acescg"), m);
	colour_xform_init(&x, colour_find("acescg"), colour_find("acescct"));
	for (int y = 0; y < H; y++) {
		for (int i = 0; i < W; i++) {
			const double *p = checker[y * 4 / H * 6 + i * 6 / W];
			for (int k = 0; k < 3; k++)
				*view_at(&im->view, k, i, y) = (float)(gain[k] * (m[k * 3] * p[0] + m[k * 3 + 1] * p[1] + m[k * 3 + 2] * p[2])
				                                       * (1 + 0.02 * (nc_rand((unsigned)i, (unsigned)y, 7) - 0.5)));
		}
		colour_row(&x, view_at(&im->view, 0, 0, y), view_at(&im->view, 1, 0, y), view_at(&im->view, 2, 0, y), W);
	}
	im->fmt.space = colour_find("acescct");
	return im;
}

/* Mean CIEDE2000 of the patches of two charts in acescct. */
static double chart_difference(const struct image *a, const struct image *b)
{
	double sum = 0;
	for (int i = 0; i < 24; i++) {
		double v[2][3], lab[2][3];
		for (int s = 0; s < 2; s++) {
			for (int k = 0; k < 3; k++)
				v[s][k] = colour_decode(colour_find("acescct"), *view_at(&(s ? b : a)->view, k, i % 6 * W / 6 + W / 12,
				                                                         i / 6 * H / 4 + H / 8));
			lab_of_linear(colour_find("acescg"), v[s], lab[s]);
		}
		sum += deltae_2000(lab[0], lab[1]) / 24;
	}
	return sum;
}

/* n frames spread over a clip, in acescct; how many came. */
static int clip(const char *name, struct image **im, int n, const char *filter)
{
	char cmd[1200];
	static unsigned char rgb[W * H * 3];
	int got = 0;
	if (!test_data()) return 0;
	snprintf(cmd, sizeof cmd, "ffmpeg -v error -i %s/video/%s -frames:v %d -vf '%s,scale=%d:%d' -pix_fmt rgb24 -f rawvideo - "
	         "2>/dev/null", test_data(), name, n, filter, W, H);
	FILE *p = popen(cmd, "r");
	struct format f = nc_format(W, H, "R G B", "acescct");
	struct colour_xform x;
	colour_xform_init(&x, colour_find("rec709"), colour_find("acescct"));
	while (p && got < n && fread(rgb, 1, sizeof rgb, p) == sizeof rgb) {
		struct image *t = im[got++] = nc_image(&f);
		for (int y = 0; y < H; y++) {
			for (int c = 0; c < W * 3; c++) *view_at(&t->view, c % 3, c / 3, y) = (float)rgb[y * W * 3 + c] / 255.0f;
			colour_row(&x, view_at(&t->view, 0, 0, y), view_at(&t->view, 1, 0, y), view_at(&t->view, 2, 0, y), W);
		}
	}
	if (p) pclose(p);
	return got;
}
static void drop(struct image **im, int n)
{
	for (int i = 0; i < n; i++) image_unref(&im[i]);
}

/* match's solve on frames of a shot and of a reference; settings come back as "name=value". */
struct solved { struct solve_call c; char text[16][320]; const char *set[17]; };
static bool solve(struct image **im, int n, struct image **ref, int nref, const char *const *how, struct solved *s)
{
	struct err e = ERR_INIT;
	struct nc nc;
	struct solve_sample v[MOST];
	memset(s, 0, sizeof *s);
	if (!nc_make(&nc, nc_type(nodes_baseline, "match"), im, 1, how, &e)) { test_ok(0, "match: %s", e.msg); return false; }
	for (int i = 0; i < n; i++)
		v[i] = (struct solve_sample){ .frame = i + 1, .in = im[i], .reference = nref ? ref[i * nref / n] : NULL };
	s->c = (struct solve_call){ .n = &nc.ctx, .nsamples = n, .sample = v };
	int rc = nc.ctx.type->solve(&s->c, &e), k = 0;
	if (rc) test_ok(0, "match solve: %s", e.msg);
	for (int i = 0; i < s->c.nattr; i++) {
		snprintf(s->text[k], sizeof s->text[k], "%s=%s", s->c.attr[i].name, s->c.attr[i].value);
		s->set[k] = s->text[k];
		k++;
	}
	nc_free(&nc);
	return rc == 0;
}
static struct image *matched(struct image *im, const char *const *set)
{
	struct err e = ERR_INIT;
	struct nc n;
	if (!nc_make(&n, nc_type(nodes_baseline, "match"), &im, 1, set, &e)) { test_ok(0, "match: %s", e.msg); exit(1); }
	struct image *out = nc_run(&n, 1, 0, 0);
	nc_free(&n);
	return out;
}

/* The chart as an 8-bit Rec.709 clip holds it; the share of pixels that it cuts off. */
static struct image *through_clip(const struct image *in, double *off)
{
	*off = 0;
	struct image *im = nc_image(&in->fmt);
	struct colour_xform out, back;
	colour_xform_init(&out, colour_find("acescct"), colour_find("rec709"));
	colour_xform_init(&back, colour_find("rec709"), colour_find("acescct"));
	for (int y = 0; y < H; y++) {
		float *v[3];
		for (int k = 0; k < 3; k++) {
			v[k] = view_at(&im->view, k, 0, y);
			memcpy(v[k], view_at(&in->view, k, 0, y), W * sizeof(float));
		}
		colour_row(&out, v[0], v[1], v[2], W);
		for (int x = 0; x < W; x++) *off += (v[0][x] > 1 || v[1][x] > 1 || v[2][x] > 1) / (double)(W * H);
		for (int k = 0; k < 3; k++)
			for (int x = 0; x < W; x++) {
				float c = v[k][x] < 0 ? 0 : v[k][x] > 1 ? 1 : v[k][x];
				v[k][x] = (float)(int)(c * 255 + 0.5f) / 255;
			}
		colour_row(&back, v[0], v[1], v[2], W);
	}
	return im;
}

/* Scene-linear charts (floats, nothing cut off) under gains of half to 1.6 in every channel. */
static void relight(void)
{
	static const double gains[][3] = {
		{ 1, 1, 1 }, { 1.05, 0.85, 0.65 }, { 0.7, 0.8, 1 }, { 0.55, 0.5, 0.42 }, { 0.5, 1, 1.6 }, { 1.6, 1, 0.5 },
		{ 1.6, 1.6, 1.6 }, { 0.5, 0.5, 0.5 }, { 1, 1.6, 1 }, { 1, 0.5, 1 }, { 1.6, 1.3, 1.1 },
	};
	static const char *const hows[] = { "method=levels", "method=quantiles", "method=mean", "method=kantorovich" };
	struct image *ref = chart(gains[0]);
	double worst = 0, before = 0;
	for (size_t h = 0; h < IN_COUNT(hows); h++)
		for (size_t g = 1; g < IN_COUNT(gains); g++) {
			struct image *lit = chart(gains[g]);
			struct solved s;
			if (!solve(&lit, 1, &ref, 1, (const char *[]){ hows[h], NULL }, &s)) return;
			struct image *done = matched(lit, s.set);
			double d = chart_difference(done, ref), was = chart_difference(lit, ref);
			if (d > worst) worst = d;
			before = before < was && before > 0 ? before : was;
			if (d > 1) test_ok(0, "%s leaves %.2f under gains %zu (%s)", hows[h], d, g, s.c.note);
			image_unref(&lit);
			image_unref(&done);
		}
	test_ok(worst < 1 && before > 4, "ColorChecker relit by gains of 0.42 to 1.6 comes back by every method: mean dE2000 at most "
	        "%.3f (at least %.1f before)", worst, before);
	/* a clip has cut off what was brighter than white: told; what it holds comes back */
	double dim = 0, off, none;
	int told = 0, quiet = 0, wrong = 0;
	struct image *want = through_clip(ref, &none);
	for (size_t g = 1; g < IN_COUNT(gains); g++) {
		struct image *lit = chart(gains[g]), *cut = through_clip(lit, &off);
		struct solved s;
		if (!solve(&cut, 1, &want, 1, (const char *[]){ "method=quantiles", NULL }, &s)) return;
		bool says = strstr(s.c.note, "of the shot is cut off at white") != NULL;
		struct image *done = matched(cut, s.set);
		double d = chart_difference(done, want);
		told += says;
		quiet += off == 0;
		wrong += says != (off > 0.01);
		if (off == 0) dim = d > dim ? d : dim;
		image_unref(&done);
		image_unref(&lit);
		image_unref(&cut);
	}
	image_unref(&want);
	test_ok(!wrong && told >= 4 && quiet >= 3 && dim < 1, "of charts in 8-bit clips the %d that are cut off at white are told (%d "
	        "wrong), the %d others come back: mean dE2000 at most %.3f", told, wrong, quiet, dim);
	image_unref(&ref);
}

/* Known CDLs on several frames of real clips. */
static void recovered(void)
{
	static const char *const clips[] = { "turbot2av_1_teacher.mp4", "kandinsky5_profile.mp4", "ltx2_dialogue.mp4" };
	static const char *const cdl[] = { "slope=1.12 0.96 0.9", "offset=-0.012 0.01 0.018", "power=1.06 0.97 1.08",
	                                   "saturation=0.8", NULL };
	static const double want[10] = { 1.12, 0.96, 0.9, -0.012, 0.01, 0.018, 1.06, 0.97, 1.08, 0.8 };
	for (size_t c = 0; c < IN_COUNT(clips); c++) {
		struct image *im[4], *ref[4];
		struct solved s;
		int n = clip(clips[c], im, 4, "select=not(mod(n\\,25))");
		if (n < 4) { test_skip("known CDLs on %s: no clips or no ffmpeg", clips[c]); drop(im, n); continue; }
		for (int i = 0; i < n; i++) ref[i] = matched(im[i], cdl);
		if (solve(im, n, ref, n, (const char *[]){ "method=quantiles", NULL }, &s)) {
			double rel = 0, off = 0, got[10] = { 0 };
			for (int a = 0, k = 0; a < 4; a++) {
				const char *p = s.c.attr[a].value;
				for (int i = 0; i < (a < 3 ? 3 : 1); i++) got[k++] = strtod(p, (char **)(uintptr_t)&p);
			}
			for (int k = 0; k < 10; k++) {
				double d = k >= 3 && k < 6 ? absd(got[k] - want[k]) : absd(got[k] / want[k] - 1);
				if (k >= 3 && k < 6) off = d > off ? d : off;
				else rel = d > rel ? d : rel;
			}
			test_ok(rel < 0.01 && off < 0.002, "a known CDL on frames of %s is recovered (slope, power, saturation %.4f, offset "
			        "%.5f)", clips[c], rel, off);
		}
		drop(im, n);
		drop(ref, n);
	}
}

/* Statistics of frames in acescct, counted here by sorting: mean, deviation and percentiles of each channel and of luma, mean
 * and deviation of chroma, whatever its hue. */
static void statistics(struct image **im, int n, double out[STAT_COUNT])
{
	static const double q[7] = { 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98 };
	struct pixels p = { .n = 0 };
	struct err e = ERR_INIT;
	for (int i = 0; i < n; i++) pixels_add(&p, im[i], 20000, &e);
	float *v = xalloc(p.n + 1, sizeof *v);
	int at = 0;
	for (int c = 0; c < 5; c++) {
		double sum = 0, sq = 0;
		for (size_t i = 0; i < p.n; i++) {
			double r = p.p[0][i], g = p.p[1][i], b = p.p[2][i], y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
			double x = c < 3 ? p.p[c][i] : c == 3 ? y
				: __builtin_sqrt((r - y) * (r - y) + (g - y) * (g - y) + (b - y) * (b - y));
			v[i] = (float)x;
			sum += x / (double)p.n;
		}
		for (size_t i = 0; i < p.n; i++) sq += (v[i] - sum) * (v[i] - sum) / (double)p.n;
		out[at++] = sum;
		out[at++] = __builtin_sqrt(sq);
		floats_sort(v, p.n);
		for (int j = 0; j < 7 && c < 4; j++) out[at++] = floats_quantile(v, p.n, q[j]);
	}
	free(v);
	pixels_free(&p);
}

static double luma_of(const struct image *im)
{
	double m = 0;
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			m += 0.2126 * *view_at(&im->view, 0, x, y) + 0.7152 * *view_at(&im->view, 1, x, y)
			   + 0.0722 * *view_at(&im->view, 2, x, y);
	return m / (W * H);
}

/* Mean step of the luma from frame to frame, and what of it is left when the steps before, times one number, are taken away:
 * what a correction that changes within the shot would add. */
static void flicker(struct image **before, struct image **after, int n, double out[3])
{
	double a[MOST], b[MOST], xy = 0, xx = 0;
	for (int i = 0; i < n; i++) { a[i] = luma_of(before[i]); b[i] = luma_of(after[i]); }
	for (int i = 1; i < n; i++) { xy += (a[i] - a[i - 1]) * (b[i] - b[i - 1]); xx += (a[i] - a[i - 1]) * (a[i] - a[i - 1]); }
	out[0] = out[1] = out[2] = 0;
	for (int i = 1; i < n; i++) {
		out[0] += absd(a[i] - a[i - 1]) / (n - 1);
		out[1] += absd(b[i] - b[i - 1]) / (n - 1);
		out[2] += absd(b[i] - b[i - 1] - xy / xx * (a[i] - a[i - 1])) / (n - 1);
	}
}

struct pair { struct image *im[MOST], *ref[MOST], *run[RUN]; int n, m, run_n; };

/* What a statistic scatters between frames, as the gap between two clips shows it: three standard errors. */
static void scatter(struct image **im, int n, struct image **ref, int m, double out[STAT_COUNT])
{
	struct image **side[2] = { im, ref };
	int count[2] = { n, m };
	double v[MOST][STAT_COUNT];
	for (int k = 0; k < STAT_COUNT; k++) out[k] = 0;
	for (int s = 0; s < 2; s++) {
		for (int i = 0; i < count[s]; i++) statistics(side[s] + i, 1, v[i]);
		for (int k = 0; k < STAT_COUNT; k++) {
			double mean = 0;
			for (int i = 0; i < count[s]; i++) mean += v[i][k] / count[s];
			for (int i = 0; i < count[s]; i++)
				out[k] += (v[i][k] - mean) * (v[i][k] - mean) / (count[s] - 1) / count[s];
		}
	}
	for (int k = 0; k < STAT_COUNT; k++) out[k] = 3 * __builtin_sqrt(out[k]);
}

/* A shot that is to look as another, over the whole clip, of whose frames solve saw eight and fitted six: every
 * statistic that was off by more than it scatters comes nearer, those that were not stay within that (`all`); or
 * else, as far as a CDL can, `nearer` of them, and the others go no farther than an 8-bit code at mid-grey. The mean
 * of all comes nearer by `gain` at least. */
struct aim { const char *how; bool all; int nearer; double gain, flicker; };
static void pair(struct pair *p, const char *name, const struct aim *aim)
{
	struct image *done[MOST], *some[8], *other[8];
	struct solved s;
	double a[STAT_COUNT], b[STAT_COUNT], c[STAT_COUNT], d[STAT_COUNT], worse = 0, gap[2] = { 0, 0 };
	int nearer = 0, which = 0, off = 0, met = 0;
	char path[300], lut[320];
	for (int i = 0; i < 8; i++) { some[i] = p->im[i * 3 + 1]; other[i] = p->ref[i * 3 + 1]; }
	snprintf(path, sizeof path, "%s/p.cube", test_tmp());
	snprintf(lut, sizeof lut, "lut=%s", path);
	if (!solve(some, 8, other, 8, (const char *[]){ aim->how, "bake=p.cube", NULL }, &s)) return;
	FILE *f = s.c.table ? fopen(path, "w") : NULL;
	if (f) { fputs(s.c.table, f); fclose(f); s.set[s.c.nattr] = lut; }
	free(s.c.table);
	for (int i = 0; i < p->n; i++) done[i] = matched(p->im[i], s.set);
	statistics(p->im, p->n, a);
	statistics(p->ref, p->m, b);
	statistics(done, p->n, c);
	drop(done, p->n);
	scatter(p->im, p->n, p->ref, p->m, d);
	for (int k = 0; k < STAT_COUNT; k++) {
		double was = absd(a[k] - b[k]), is = absd(c[k] - b[k]);
		gap[0] += was / STAT_COUNT;
		gap[1] += is / STAT_COUNT;
		nearer += is < was;
		off += was > d[k];
		met += was > d[k] ? is < was : is <= d[k];
		if (is - was > worse) { worse = is - was; which = k; }
	}
	test_ok((aim->all ? met == STAT_COUNT : nearer >= aim->nearer && worse <= GUARD_SLACK)
	        && gap[1] < (1 - aim->gain) * gap[0], "%s as its teacher, %s: %d of %d statistics nearer (%d were off by more than "
	        "they scatter), the farthest by %.4f (%s); mean gap %.4f, %.4f before; confidence %.2f", name, aim->how, nearer,
	        STAT_COUNT, off, worse, cdl_stat_name(which), gap[1], gap[0], s.c.confidence);
	double fl[3];
	for (int i = 0; i < p->run_n; i++) done[i] = matched(p->run[i], s.set);
	flicker(p->run, done, p->run_n, fl);
	test_ok(fl[2] < (f ? 0.25 : 0.1) * fl[1] && fl[1] < aim->flicker * fl[0], "flicker of %s: steps of %.6f, %.6f before, %.6f of them new",
	        name, fl[1], fl[0], fl[2]);
	if (f) remove(path);
	drop(done, p->run_n);
}

static void pairs(int which, const struct aim aim[3])
{
	struct pair *p = xalloc(1, sizeof *p);
	char from[64], to[64];
	snprintf(from, sizeof from, "turbot2av_%d_student.mp4", which);
	snprintf(to, sizeof to, "turbot2av_%d_teacher.mp4", which);
	p->n = clip(from, p->im, MOST, "select=not(mod(n\\,5))");
	p->m = clip(to, p->ref, MOST, "select=not(mod(n\\,5))");
	p->run_n = clip(from, p->run, RUN, "null");
	if (p->n < MOST || p->m < MOST || p->run_n < RUN) test_skip("%s: no clips or no ffmpeg", from);
	else for (int i = 0; i < 3; i++) pair(p, from, &aim[i]);
	drop(p->im, p->n);
	drop(p->ref, p->m);
	drop(p->run, p->run_n);
	free(p);
}

/* The map takes mean and covariance of the whole to the reference's, and is symmetric (Pitie and Kokaram, eq. 9). */
static void kantorovich(void)
{
	enum { N = 6000 };
	struct pixels a = { .n = N }, b = { .n = N };
	static const double mix[9] = { 0.9, 0.1, 0.05, 0.02, 1.1, -0.04, 0.03, 0.06, 0.8 };
	for (int k = 0; k < 3; k++) { a.p[k] = xalloc(N, sizeof(float)); b.p[k] = xalloc(N, sizeof(float)); }
	for (unsigned i = 0; i < N; i++) {
		double v[3];
		for (unsigned k = 0; k < 3; k++) {
			v[k] = 0.3 + 0.1 * (nc_rand(i, k, 3) - 0.5);
			a.p[k][i] = (float)v[k];
		}
		for (int k = 0; k < 3; k++) {
			double w[3];
			for (unsigned j = 0; j < 3; j++) w[j] = 0.3 + 0.1 * (nc_rand(i, j, 4) - 0.5);
			b.p[k][i] = (float)(0.02 * k + mix[k * 3] * w[0] + mix[k * 3 + 1] * w[1] + mix[k * 3 + 2] * w[2]);
		}
	}
	double m[9], add[3], worst = 0, cov[2][9] = { { 0 } }, mean[2][3] = { { 0 } };
	struct cdl_fit f;
	cdl_fit_kantorovich(&a, &b, m, add, &f);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < N; i++) {
			double v[2][3];
			for (int k = 0; k < 3; k++) {
				v[0][k] = m[k * 3] * a.p[0][i] + m[k * 3 + 1] * a.p[1][i] + m[k * 3 + 2] * a.p[2][i] + add[k];
				v[1][k] = b.p[k][i];
			}
			for (int s = 0; s < 2; s++)
				for (int k = 0; k < 9; k++) {
					if (!pass && k < 3) mean[s][k] += v[s][k] / N;
					if (pass) cov[s][k] += (v[s][k / 3] - mean[s][k / 3]) * (v[s][k % 3] - mean[s][k % 3]) / N;
				}
		}
	for (int k = 0; k < 9; k++) worst = absd(cov[0][k] - cov[1][k]) > worst ? absd(cov[0][k] - cov[1][k]) : worst;
	double off = absd(mean[0][0] - mean[1][0]) + absd(mean[0][1] - mean[1][1]) + absd(mean[0][2] - mean[1][2]);
	/* the winsorised ends leave a little */
	test_ok(worst < 0.02 * cov[1][0] && off < 2e-4 && absd(m[1] - m[3]) + absd(m[2] - m[6]) + absd(m[5] - m[7]) < 1e-9,
	        "Monge-Kantorovich: covariance within %.5f of %.5f, mean within %.5f, symmetric", worst, cov[1][0], off);
	pixels_free(&a);
	pixels_free(&b);
}

/* Sliced transport, baked: what the CDL leaves over becomes a table that node and file agree about. */
static void sliced(void)
{
	struct image *im[2], *ref[2], *cdl, *both;
	int n = clip("turbot2av_1_student.mp4", im, 2, "select=not(mod(n\\,60))"), m = clip("turbot2av_1_teacher.mp4", ref, 2,
	                                                                                   "select=not(mod(n\\,60))");
	if (n < 2 || m < 2) { test_skip("sliced transport: no clips or no ffmpeg"); drop(im, n); drop(ref, m); return; }
	char path[300], lut[320];
	struct solved s;
	snprintf(path, sizeof path, "%s/t.cube", test_tmp());
	snprintf(lut, sizeof lut, "lut=%s", path);
	if (!solve(im, 2, ref, 2, (const char *[]){ "method=sliced", "bake=t.cube", NULL }, &s)) return;
	test_ok(s.c.table && strstr(s.c.table, "LUT_3D_SIZE 33"), "sliced gives a table for bake=");
	FILE *f = fopen(path, "w");
	if (f && s.c.table) fputs(s.c.table, f);
	if (f) fclose(f);
	cdl = matched(im[0], s.set);
	s.set[s.c.nattr] = lut;
	both = matched(im[0], s.set);
	struct pixels p[3] = { { .n = 0 } };
	struct err e = ERR_INIT;
	pixels_add(&p[0], cdl, 20000, &e);
	pixels_add(&p[1], both, 20000, &e);
	pixels_add(&p[2], ref[0], 20000, &e);
	double a = cdl_gap(&p[0], &p[2]), b = cdl_gap(&p[1], &p[2]);
	test_ok(b < a && b < 0.01, "the table brings quantiles nearer than the CDL alone (%.4f, %.4f)", b, a);
	for (int i = 0; i < 3; i++) pixels_free(&p[i]);
	free(s.c.table);
	image_unref(&cdl);
	image_unref(&both);
	drop(im, 2);
	drop(ref, 2);
	remove(path);
	rmdir(test_tmp());
}

/* Black borders and standing white letters over a moving picture count for nothing. */
static void borders(void)
{
	struct format f = nc_format(120, 80, "R G B", "acescct");
	struct image *im[4];
	for (int i = 0; i < 4; i++) {
		im[i] = nc_image(&f);
		for (int y = 0; y < 80; y++)
			for (int x = 0; x < 120; x++)
				for (int k = 0; k < 3; k++) {
					float v = 0.2f + 0.3f * nc_rand((unsigned)(x + 9 * i), (unsigned)y, (unsigned)k);
					if (y < 10 || y >= 70) v = 0.0729f;
					if (y >= 60 && y < 64 && x > 30 && x < 80) v = 0.55f;
					*view_at(&im[i]->view, k, x, y) = v;
				}
	}
	struct area a;
	struct err e = ERR_INIT;
	struct pixels p = { .n = 0 };
	area_find((const struct image *const *)im, 4, 0.09, 0.5, &a);
	pixels_add_in(&p, im[0], &a, NULL, 20000, &e);
	float top = 0, low = 1;
	for (size_t i = 0; i < p.n; i++) { top = p.p[0][i] > top ? p.p[0][i] : top; low = p.p[0][i] < low ? p.p[0][i] : low; }
	test_ok(a.borders && a.r.y0 == 10 && a.r.y1 == 70 && a.r.x0 == 0 && a.skip && top < 0.51f && low > 0.19f,
	        "borders (%d..%d) and titles (%.1f %%) are left out (values %.2f..%.2f)", a.r.y0, a.r.y1, 100 * a.titles, (double)low,
	        (double)top);
	pixels_free(&p);
	area_free(&a);
	drop(im, 4);
}

int main(void)
{
	relight();
	recovered();
	pairs(1, (const struct aim[]){ { "method=levels", true, 0, 0.35, 1.3 }, { "method=quantiles", true, 0, 0.55, 1.3 },
	                               { "method=sliced", true, 0, 0.7, 1.3 } });
	/* a CDL cannot: darks should come up, middles down, lights up again, by other amounts in each channel */
	pairs(3, (const struct aim[]){ { "method=levels", false, 26, 0.02, 1.1 }, { "method=quantiles", false, 26, 0.05, 1.1 },
	                               { "method=sliced", true, 0, 0.2, 1.1 } });
	kantorovich();
	sliced();
	borders();
	TEST_END();
}
