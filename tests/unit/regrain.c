/* regrain - what it puts back: the original bit for bit where nothing was changed, through a grade by its slope.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include <math.h>

enum { W = 160, H = 96, EDGE = 12 };

/* Texture and gradients without noise, then noise on it. */
static struct image *clean(void)
{
	struct format f = nc_format(W, H, "R G B", "rec709");
	struct image *im = nc_image(&f);
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++)
				*view_at(&im->view, c, x, y) = (float)(0.2 + 0.5 * x / W + 0.08 * sin(x * 0.2 + c) * cos(y * 0.15));
	return im;
}

static struct image *mapped(const struct image *im, float gain, float lift, float noise)
{
	struct image *out = nc_image(&im->fmt);
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++)
				*view_at(&out->view, c, x, y) = *view_at(&im->view, c, x, y) * gain + lift + noise * (nc_rand(7u + (unsigned)c, (unsigned)x, (unsigned)y) - 0.5f);
	return out;
}

static struct image *run(struct image *image, struct image *original, struct image *neutral, const char *const *set)
{
	struct nc n;
	struct err e = ERR_INIT;
	struct image *in[] = { image, original, neutral };
	if (!nc_make(&n, nc_type(nodes_baseline, "regrain"), in, 3, set, &e)) { printf("not ok regrain: %s\n", e.msg); exit(1); }
	struct image *out = nc_run(&n, 1, 64, 32);
	nc_free(&n);
	return out;
}

/* The best factor k of the original's grain in what regrain added. */
static double factor(const struct image *out, const struct image *image, const struct image *original, const struct image *neutral)
{
	double rr = 0, ra = 0;
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++) {
				double r = *view_at(&original->view, c, x, y) - *view_at(&neutral->view, c, x, y);
				rr += r * r;
				ra += r * (*view_at(&out->view, c, x, y) - *view_at(&image->view, c, x, y));
			}
	return ra / rr;
}

static void profiles(struct image *im)
{
	static const struct { const char *rho, *says; } v[] = { { "0.02", NULL }, { "0.31", "boils" }, { "0.95", "is frozen" } };
	char path[300], set[400];
	snprintf(path, sizeof path, "%s/p.grain", test_tmp());
	snprintf(set, sizeof set, "profile=%s", path);
	for (size_t i = 0; i < IN_COUNT(v); i++) {
		struct image *in[] = { im, im, im };
		struct nc n;
		struct err e = ERR_INIT;
		FILE *f = fopen(path, "w");
		if (!f) return;
		fprintf(f, "grain 1\nspace rec709\nheight 96\nstrength 0.5 0.01\nspectrum 0 0\ntemporal 0 %s 0\n", v[i].rho);
		fclose(f);
		bool made = nc_make(&n, nc_type(nodes_baseline, "regrain"), in, 3, (const char *[]){ set, NULL }, &e);
		test_ok(v[i].says ? !made && strstr(e.msg, v[i].says) && strstr(e.msg, "stock:") : made,
		        "regrain: temporal correlation %s: %s", v[i].rho, made ? "taken" : e.msg);
		nc_free(&n);
	}
	unlink(path);
	rmdir(test_tmp());
}

/* Texture of deviation 0.003 on a flat level, graded to half and lifted: the slope is what the variance there
 * says, however bright. Edges, held, have another variance. */
static void bright(float level)
{
	const double var = 9e-6, little = 8.85e-6, b = (double)level, a = 0.5 * b + 1;
	double want = (0.5 * var + little * (a * b + 1e-4) / (b * b + 1e-4)) / (var + little), worst = 0;
	struct image *neutral = clean(), *graded, *original, *out;
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++)
				*view_at(&neutral->view, c, x, y) = level + ((x + y) & 1 ? 0.003f : -0.003f);
	graded = mapped(neutral, 0.5f, 1, 0);
	original = mapped(neutral, 1, 0.5f, 0);
	out = run(graded, original, neutral, (const char *[]){ "through=yes", NULL });
	for (int c = 0; c < 3; c++)
		for (int y = EDGE; y < H - EDGE; y++)
			for (int x = EDGE; x < W - EDGE; x++) {
				double j = (*view_at(&out->view, c, x, y) - *view_at(&graded->view, c, x, y)) / 0.5;
				if (fabs(j / want - 1) > worst) worst = fabs(j / want - 1);
			}
	test_ok(worst < 0.0005, "regrain through: a flat at %.0f has its slope, %.4f, within %.3f %%", b, want, 100 * worst);
	image_unref(&neutral);
	image_unref(&graded);
	image_unref(&original);
	image_unref(&out);
}

int main(void)
{
	struct image *neutral = clean(), *original = mapped(neutral, 1, 0, 0.05f), *out;
	static const char *const no[] = { NULL }, *const yes[] = { "through=yes", NULL };
	static const struct { float gain, lift; } grades[] = { { 0.6f, 0.1f }, { 1.4f, -0.05f }, { 2, 0 } };
	out = run(neutral, original, neutral, no);
	test_ok(nc_same(out, original), "regrain: nothing changed: the original, bit for bit");
	image_unref(&out);
	out = run(neutral, original, neutral, yes);
	test_ok(nc_same(out, original), "regrain through: nothing changed: the original, bit for bit");
	image_unref(&out);
	out = run(neutral, original, neutral, (const char *[]){ "amount=0", NULL });
	test_ok(nc_same(out, neutral), "regrain: amount 0 leaves the picture alone");
	image_unref(&out);
	for (size_t i = 0; i < IN_COUNT(grades); i++) {
		struct image *graded = mapped(neutral, grades[i].gain, grades[i].lift, 0);
		double k;
		out = run(graded, original, neutral, no);
		k = factor(out, graded, original, neutral);
		test_ok(fabs(k - 1) < 1e-5, "regrain: after a grade as strong as it was (%.6f)", k);
		image_unref(&out);
		out = run(graded, original, neutral, yes);
		k = factor(out, graded, original, neutral);
		test_ok(fabs(k / grades[i].gain - 1) < 0.02, "regrain through: a grade of slope %.1f takes it to %.4f", (double)grades[i].gain, k);
		image_unref(&out);
		out = run(graded, original, neutral, (const char *[]){ "amount=0.5", NULL });
		k = factor(out, graded, original, neutral);
		test_ok(fabs(k - 0.5) < 1e-5, "regrain: amount 0.5 (%.6f)", k);
		image_unref(&out);
		image_unref(&graded);
	}
	bright(1);
	bright(4);
	bright(16);
	profiles(neutral);
	struct image *graded = mapped(neutral, 1.3f, 0, 0.01f), *in[] = { graded, original, neutral };
	nc_invariant("regrain", in, 3, no, "plain");
	nc_invariant("regrain", in, 3, (const char *[]){ "through=yes", "amount=0.7", NULL }, "through");
	image_unref(&graded);
	image_unref(&neutral);
	image_unref(&original);
	TEST_END();
}
