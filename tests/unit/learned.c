/* Unit tests of upscale method="learned": classes against libm's atan2 in doubles, steps against lanczos3, PSNR on photographs
 * under the bicubic reduction of papers, symmetry, tilings, and files that are no filters.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"
#include "px_learned.h"
#include "tools/train_picture.h"

#include <math.h>
#include <unistd.h>

static struct image *enlarge(const char *type, struct image *im, const char *a, const char *b, const char *c)
{
	const char *set[] = { a, b, c, NULL };
	struct err e = ERR_INIT;
	struct nc n;
	if (!nc_make(&n, nc_type(nodes_baseline, type), &im, 1, set, &e)) { printf("not ok %s: %s\n", type, e.msg); exit(1); }
	struct image *out = nc_run(&n, 1, 0, 0);
	nc_free(&n);
	return out;
}

static void tilings(void)
{
	static const char *const factors[] = { "factor=2", "factor=3", "factor=4" };
	struct format f = nc_format(41, 23, "R G B A Z", "rec709");
	f.data = rect_of(-5, 3, 36, 26);
	struct image *im = nc_random(&f, 3);
	for (int k = 0; k < 3; k++) nc_invariant("learned", &im, 1, (const char *[]){ factors[k], NULL }, factors[k]);
	image_unref(&im);
	f = nc_format(1, 1, "Y", "rec709");
	im = nc_random(&f, 4);
	nc_invariant("learned", &im, 1, (const char *[]){ "factor=4", NULL }, "one pixel");
	image_unref(&im);
}

static void flat(void)
{
	static const float level[3] = { 3.7f, -0.4f, 0.1f };
	struct format f = nc_format(20, 12, "R G B", "rec709");
	struct image *im = nc_image(&f);
	int wrong = 0;
	for (int c = 0; c < 3; c++)
		for (int i = 0; i < 240; i++) *view_at(&im->view, c, i % 20, i / 20) = level[c];
	for (int k = 2; k <= 4; k++) {
		char factor[16];
		snprintf(factor, sizeof factor, "factor=%d", k);
		struct image *o = enlarge("learned", im, factor, NULL, NULL);
		for (int c = 0; c < 3; c++)
			for (int y = 0; y < 12 * k; y++)
				for (int x = 0; x < 20 * k; x++) wrong += *view_at(&o->view, c, x, y) != level[c];
		image_unref(&o);
	}
	test_ok(wrong == 0, "learned: flat areas keep their exact value, beyond 0 to 1 too");
	image_unref(&im);
}

/* A step from 0.2 to 0.8 across a line at an angle, as a camera sees it (each pixel the mean of 8x8 points). */
static struct image *step(double angle)
{
	struct format f = nc_format(48, 48, "R G B", "rec709");
	struct image *im = nc_image(&f);
	double nx = cos(angle), ny = sin(angle);
	for (int y = 0; y < 48; y++)
		for (int x = 0; x < 48; x++) {
			int n = 0;
			for (int i = 0; i < 64; i++) n += (x + (i % 8 + 0.5) / 8 - 24.3) * nx + (y + (i / 8 + 0.5) / 8 - 23.8) * ny > 0;
			for (int c = 0; c < 3; c++) *view_at(&im->view, c, x, y) = (float)(0.2 + 0.6 * n / 64);
		}
	return im;
}

/* How far beyond the step, as a share of it, away from the borders. */
static double overshoot(const struct image *im, int k)
{
	double worst = 0;
	for (int y = 8 * k; y < 40 * k; y++)
		for (int x = 8 * k; x < 40 * k; x++) {
			double v = *view_at(&im->view, 1, x, y), d = v > 0.8 ? v - 0.8 : 0.2 - v;
			if (d > worst) worst = d;
		}
	return worst / 0.6;
}

static void ringing(void)
{
	for (int k = 2; k <= 4; k++) {
		char factor[16], scale[16];
		double own = 0, bare = 0, lanczos = 0;
		snprintf(factor, sizeof factor, "factor=%d", k);
		snprintf(scale, sizeof scale, "scale=%d", k);
		for (int a = 0; a < 12; a++) {
			struct image *im = step(a * 0.1309), *o = enlarge("learned", im, factor, NULL, NULL);
			struct image *b = enlarge("learned", im, factor, "ringing=0", NULL);
			struct image *l = enlarge("upscale", im, scale, "method=lanczos3", "ringing=0");
			own = fmax(own, overshoot(o, k));
			bare = fmax(bare, overshoot(b, k));
			lanczos = fmax(lanczos, overshoot(l, k));
			image_unref(&im), image_unref(&o), image_unref(&b), image_unref(&l);
		}
		test_ok(own < 0.02 && own < lanczos, "learned x%d does not ring: %.2f %% of a step (ringing=0: %.2f, lanczos3: %.2f)", k,
		        own * 100, bare * 100, lanczos * 100);
	}
}

/* The classes of a neighbourhood by the definitions, in doubles; -1 where a border is too near to tell. */
static int class_of(const struct learned_hash *h, const float *p, ptrdiff_t s)
{
	static const double k[5] = { 1 / 16., 1 / 4., 3 / 8., 1 / 4., 1 / 16. };
	double xx = 0, xy = 0, yy = 0, near = 1e-3;
	for (int j = -2; j <= 2; j++)
		for (int i = -2; i <= 2; i++) {
			const float *q = p + j * s + i;
			double gx = (double)q[1] - q[-1], gy = (double)q[s] - q[-s], w = k[i + 2] * k[j + 2];
			xx += w * gx * gx, xy += w * gx * gy, yy += w * gy * gy;
		}
	double t = xx + yy, d = hypot(xx - yy, 2 * xy), l1 = t + d, l2 = fmax(t - d, 0), theta = 0.5 * atan2(2 * xy, xx - yy);
	double fold = fabs(theta) * 180 / M_PI, c = cos(theta), n = sin(theta);
	if (fold > 45) fold = 90 - fold;
	double gx = (double)p[1] - p[-1], gy = (double)p[s] - p[-s], lxx = (double)p[1] + p[-1] - 2.0 * p[0];
	double lyy = (double)p[s] + p[-s] - 2.0 * p[0], lxy = ((double)p[s + 1] + p[-s - 1] - p[s - 1] - p[1 - s]) / 4;
	double along = fabs(c * gx + n * gy), curve = fabs(c * c * lxx + 2 * c * n * lxy + n * n * lyy);
	double v[3] = { l1, (sqrt(l1) - sqrt(l2)) / (sqrt(l1) + sqrt(l2)), curve / along };
	const float *cut[3] = { h->strength, h->coherence, h->bend };
	int classes[3] = { h->strengths, h->coherences, h->bends }, at[3];
	double bins = fold * h->angles / 45;
	if (fabs(bins - round(bins)) < near || l2 < 1e-4 * l1) return -1;
	for (int i = 0; i < 3; i++) {
		at[i] = 0;
		for (int m = 0; m + 1 < classes[i]; m++) {
			if (fabs(v[i] / (double)cut[i][m] - 1) < near) return -1;
			at[i] += v[i] > (double)cut[i][m];
		}
	}
	return (((int)bins * h->strengths + at[0]) * h->coherences + at[1]) * h->bends + at[2];
}

static void classes(void)
{
	enum { W = 400, H = 40 };
	static float l[H * W], work[6 * W + 12];
	static uint32_t kind[W];
	struct err e = ERR_INIT;
	char path[600];
	int wrong = 0, told = 0;
	struct learned *bank = learned_path(2, path, sizeof path) ? learned_load(path, &e) : NULL;
	if (!bank) { test_ok(0, "learned: own filters load: %s", e.msg); return; }
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			l[y * W + x] = (float)(0.5 + 0.4 * sin(x * 0.02 * (x % 57) * 0.1 + y * 0.3)) + 0.1f * nc_rand((unsigned)x, (unsigned)y, 9);
	for (int y = 3; y < H - 3; y++) {
		px_learned_row(&bank->hash, l + y * W + 3, W, W - 6, work, kind);
		for (int x = 0; x < W - 6; x++) {
			int c = class_of(&bank->hash, l + y * W + x + 3, W);
			told += c >= 0;
			wrong += c >= 0 && c != (int)(kind[x] >> 3);
		}
	}
	test_ok(told > 12000 && wrong == 0, "learned: classes are those of atan2 in doubles (%d of %d differ)", wrong, told);
	learned_free(&bank);
}

/* Mirrored, turned and swapped pictures become mirrored, turned and swapped results. */
static void symmetry(void)
{
	struct format f = nc_format(40, 40, "R G B", "rec709");
	struct image *im = nc_random(&f, 11), *plain = enlarge("learned", im, "factor=3", NULL, NULL);
	int off = 0;
	for (int s = 1; s < 8; s++) {
		struct image *t = nc_image(&f);
		for (int c = 0; c < 3; c++)
			for (int i = 0; i < 1600; i++) {
				int x = 2 * (i % 40) - 39, y = 2 * (i / 40) - 39;
				px_learned_place(s, &x, &y);
				*view_at(&t->view, c, (x + 39) / 2, (y + 39) / 2) = *view_at(&im->view, c, i % 40, i / 40);
			}
		struct image *o = enlarge("learned", t, "factor=3", NULL, NULL);
		for (int i = 0; i < 14400; i++) {
			int x = 2 * (i % 120) - 119, y = 2 * (i / 120) - 119;
			px_learned_place(s, &x, &y);
			off += fabsf(*view_at(&o->view, 1, (x + 119) / 2, (y + 119) / 2) - *view_at(&plain->view, 1, i % 120, i / 120)) > 1e-5f;
		}
		image_unref(&t), image_unref(&o);
	}
	test_ok(off < 100, "learned: the eight mirrorings and turns of a picture give those of the result (%d of 100800 differ)", off);
	image_unref(&im), image_unref(&plain);
}

static double against(const struct image *a, const struct tp *t, int border)
{
	double sum = 0;
	int n = 0;
	for (int y = border; y < t->h - border; y++)
		for (int x = border; x < t->w - border; x++, n++) {
			size_t i = (size_t)y * (size_t)t->w + (size_t)x;
			double d = 65.481 * ((double)tp_byte(*view_at(&a->view, 0, x, y)) - t->p[0][i]) +
			           128.553 * ((double)tp_byte(*view_at(&a->view, 1, x, y)) - t->p[1][i]) +
			           24.966 * ((double)tp_byte(*view_at(&a->view, 2, x, y)) - t->p[2][i]);
			sum += d * d;
		}
	return 10 * log10(255.0 * 255.0 * n / sum);
}

/* Gain in dB over lanczos3 and over bicubic. */
static bool gain(const char *png, int k, double *lanczos, double *bicubic)
{
	char cmd[1400], factor[16], scale[16];
	struct tp t;
	snprintf(cmd, sizeof cmd, "ffmpeg -nostdin -v error -y -i %s -vf crop=384:384 -pix_fmt rgb24 %s/in.ppm", png, test_tmp());
	if (system(cmd) != 0) return false;
	snprintf(cmd, sizeof cmd, "%s/in.ppm", test_tmp());
	if (!tp_read(cmd, &t)) return false;
	struct tp low = tp_shrink(&t, k, true);
	struct format f = nc_format(low.w, low.h, "R G B", "rec709");
	struct image *im = nc_image(&f);
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < low.h; y++) memcpy(view_at(&im->view, c, 0, y), low.p[c] + y * low.w, (size_t)low.w * sizeof(float));
	snprintf(factor, sizeof factor, "factor=%d", k);
	snprintf(scale, sizeof scale, "scale=%d", k);
	struct image *o = enlarge("learned", im, factor, NULL, NULL);
	struct image *l = enlarge("upscale", im, scale, "method=lanczos3", "ringing=0");
	struct image *b = enlarge("upscale", im, scale, "method=catmull-rom", "ringing=0");
	double own = against(o, &t, k);
	*lanczos += own - against(l, &t, k);
	*bicubic += own - against(b, &t, k);
	image_unref(&o), image_unref(&l), image_unref(&b), image_unref(&im);
	tp_free(&t), tp_free(&low);
	return true;
}

static void photographs(void)
{
	static const char *const names[] = { "03", "07", "15", "23" };
	static const double least[] = { 1.2, 0.7, 0.6 };
	for (int k = 2; k <= 4; k++) {
		double lanczos = 0, bicubic = 0;
		for (int i = 0; i < 4; i++) {
			char png[300];
			snprintf(png, sizeof png, "%s/grain/kodak_%s.png", test_data() ? test_data() : "", names[i]);
			if (!test_data() || !gain(png, k, &lanczos, &bicubic)) { test_skip("learned: no photographs or no ffmpeg"); return; }
		}
		test_ok(lanczos / 4 > least[k - 2], "learned x%d: %.2f dB over lanczos3, %.2f over bicubic on four photographs", k,
		        lanczos / 4, bicubic / 4);
	}
}

static void refused(const char *what, const void *bytes, size_t n)
{
	char path[600];
	struct err e = ERR_INIT;
	snprintf(path, sizeof path, "%s/x.weights", test_tmp());
	FILE *f = fopen(path, "wb");
	fwrite(bytes, 1, n, f);
	fclose(f);
	struct learned *l = learned_load(path, &e);
	test_ok(!l && e.code == E_INPUT && strstr(e.msg, path), "learned: %s is refused: %s", what, e.msg);
	learned_free(&l);
}

static void files(void)
{
	static const char head[] = "interneg-learned 1\nfactor 2\nangles 6\nbuckets 432\nstrength 1 2 3 4 5\ncoherence 1 2\nbend 1 2 3\n";
	static const char *const bad[][2] = { { "an empty file", "" }, { "another file", "P6 3 4 255\n" },
		{ "a head without end", "interneg-learned 1\nfactor 2\n" }, { "a head that is not whole", "interneg-learned 1\nweights\n" },
		{ "factor 5", "interneg-learned 1\nfactor 5\nweights\n" }, { "falling borders", "interneg-learned 1\nbend 2 1\nweights\n" },
		{ "no number", "interneg-learned 1\nbend nan\nweights\n" }, { "absurd buckets", "interneg-learned 1\nbuckets 1e9\nweights\n" },
		{ "an unknown line", "interneg-learned 1\nshell rm\nweights\n" },
		{ "too many classes", "interneg-learned 1\nbend 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\nweights\n" } };
	char path[600], text[600];
	struct err e = ERR_INIT;
	for (size_t i = 0; i < IN_COUNT(bad); i++) refused(bad[i][0], bad[i][1], strlen(bad[i][1]));
	snprintf(text, sizeof text, "%sweights\nabc", head);
	refused("a file without weights", text, strlen(text));
	static char big[1 << 20];
	if (!learned_path(2, path, sizeof path)) return;
	FILE *f = fopen(path, "rb");
	size_t n = fread(big, 1, sizeof big - 1, f);
	fclose(f);
	refused("a file cut short by one byte", big, n - 1);
	refused("a file that is one byte too long", big, n + 1);
	struct learned *l = learned_load(path, &e);
	test_ok(l && n < sizeof big, "learned: the program's own filters load (%zu bytes)", n);
	learned_free(&l);
}

int main(void)
{
	struct err e = ERR_INIT;
	char cmd[300];
	setenv("INTERNEG_SHARE", ".", 0);
	node_isa_set(ISA_AUTO, &e);
	files();
	classes();
	flat();
	symmetry();
	ringing();
	photographs();
	tilings();
	snprintf(cmd, sizeof cmd, "rm -rf %s", test_tmp());
	if (system(cmd) != 0) return 1;
	return test_failed;
}
