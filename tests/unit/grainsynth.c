/* grainsynth - grain from a profile: its spectrum, strength and correlations are measured again from
 * the pixels, by an analysis that shares no code with the synthesis.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include <complex.h>
#include <math.h>

#include "grain_kernel.h"

enum { SIDE = 512, BLOCK = 128, RINGS = 92 };

static char path[300], other[300], boiling[300];

static const char *const head = "grain 1\nspace rec709\nheight 512\n"
	"strength 0.1 0.006 0.005 0.008\nstrength 0.5 0.012 0.010 0.016\nstrength 0.9 0.004 0.004 0.006\n"
	"correlation 0.31 0.27 0.22\n";
/* Dips towards DC, as spectra of blocks do; blue is coarser. */
static const char *const spectrum = "spectrum 0.0078 -3.5 -3 -1\nspectrum 0.03 -2 -1.5 1\n"
	"spectrum 0.06 -0.5 -0.2 2\nspectrum 0.1 0 0 1.5\nspectrum 0.2 -2 -1.5 -2\nspectrum 0.3 -6 -5 -8\n"
	"spectrum 0.4 -10 -9 -14\nspectrum 0.5 -13 -12 -19\nspectrum 0.7 -16 -15 -26\n";

static void put(char *to, const char *name, const char *text)
{
	snprintf(to, sizeof path, "%s/%s", test_tmp(), name);
	FILE *f = fopen(to, "w");
	if (!f) return;
	fprintf(f, "%s%s%s", head, spectrum, text);
	fclose(f);
}

static struct image *flat(float v)
{
	struct format f = nc_format(SIDE, SIDE, "R G B", "rec709");
	struct image *im = nc_image(&f);
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < SIDE; y++) for (int x = 0; x < SIDE; x++) *view_at(&im->view, c, x, y) = v;
	return im;
}

static struct image *grained(struct image *im, const char *const *set, int frame)
{
	struct nc n;
	struct err e = ERR_INIT;
	if (!nc_make(&n, nc_type(__builtin_cpu_supports("avx2") ? nodes_avx2 : nodes_baseline, "grain"), &im, 1, set, &e)) {
		printf("not ok grain: %s\n", e.msg);
		exit(1);
	}
	struct image *out = nc_run(&n, frame, 256, 128);
	nc_free(&n);
	return out;
}

static double moment(const struct image *a, int c, const struct image *b, int d, double v)
{
	double sum = 0;
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++) sum += (*view_at(&a->view, c, x, y) - v) * (*view_at(&b->view, d, x, y) - v);
	return sum / SIDE / SIDE;
}

/* --- spectra: periodograms of Hann-windowed blocks, rings of bins --- */

static void fft(double complex *a, int stride)
{
	static double complex root[BLOCK], t[BLOCK];
	if (root[0] == 0) for (int i = 0; i < BLOCK; i++) root[i] = cexp(-2 * acos(-1) * I * i / BLOCK);
	for (int i = 0; i < BLOCK; i++) {
		int r = 0;
		for (int b = 0; b < 7; b++) r |= (i >> b & 1) << (6 - b);
		t[r] = a[i * stride];
	}
	for (int n = 2; n <= BLOCK; n *= 2)
		for (int i = 0; i < BLOCK; i += n)
			for (int k = 0; k < n / 2; k++) {
				double complex u = t[i + k], v = t[i + k + n / 2] * root[k * (BLOCK / n)];
				t[i + k] = u + v;
				t[i + k + n / 2] = u - v;
			}
	for (int i = 0; i < BLOCK; i++) a[i * stride] = t[i];
}

static double hann(int i) { return 0.5 - 0.5 * cos(2 * acos(-1) * (i + 0.5) / BLOCK); }
static int ring_of(int kx, int ky)
{
	int x = kx < BLOCK / 2 ? kx : BLOCK - kx, y = ky < BLOCK / 2 ? ky : BLOCK - ky;
	return (int)(sqrt((double)x * x + (double)y * y) + 0.5);
}

static void periodograms(const struct image *im, int c, double v, double sum[RINGS], double n[RINGS])
{
	static double complex a[BLOCK * BLOCK];
	for (int by = 0; by < SIDE; by += BLOCK)
		for (int bx = 0; bx < SIDE; bx += BLOCK) {
			for (int y = 0; y < BLOCK; y++)
				for (int x = 0; x < BLOCK; x++)
					a[y * BLOCK + x] = (*view_at(&im->view, c, bx + x, by + y) - v) * hann(x) * hann(y);
			for (int i = 0; i < BLOCK; i++) fft(a + i * BLOCK, 1);
			for (int i = 0; i < BLOCK; i++) fft(a + i, BLOCK);
			for (int i = 0; i < BLOCK * BLOCK; i++) {
				int r = ring_of(i % BLOCK, i / BLOCK);
				double p = creal(a[i]) * creal(a[i]) + cimag(a[i]) * cimag(a[i]);
				sum[r] += p / (BLOCK * BLOCK * 0.375 * 0.375);
				n[r]++;
			}
		}
}

/* The same of the profile, through the window: bins at -1, 0, 1 with Hann's power shares would do for
 * flat spectra; here each bin is an integral on a grid eight times finer. */
static void expected(const struct grain_profile *p, int c, double e[RINGS])
{
	enum { FINE = 4, WIDE = 3 };
	double w[2 * WIDE * FINE + 1], total = 0, n[RINGS] = { 0 };
	for (int i = 0; i <= 2 * WIDE * FINE; i++) {
		double complex s = 0;
		for (int x = 0; x < BLOCK; x++) s += hann(x) * cexp(-2 * acos(-1) * I * x * (i - WIDE * FINE) / (FINE * (double)BLOCK));
		total += w[i] = creal(s) * creal(s) + cimag(s) * cimag(s);
	}
	memset(e, 0, RINGS * sizeof *e);
	for (int ky = 0; ky <= BLOCK / 2; ky++)
		for (int kx = 0; kx <= BLOCK / 2; kx++) {
			int r = ring_of(kx, ky);
			double sum = 0;
			for (int i = 0; i <= 2 * WIDE * FINE; i++)
				for (int j = 0; j <= 2 * WIDE * FINE; j++) {
					double fy = (ky + (i - WIDE * FINE) / (double)FINE) / BLOCK, fx = (kx + (j - WIDE * FINE) / (double)FINE) / BLOCK;
					if (fx > 0.5) fx = 1 - fx;
					if (fy > 0.5) fy = 1 - fy;
					sum += w[i] * w[j] * grain_profile_power(p, c, fabs(fx), fabs(fy));
				}
			double share = (kx % (BLOCK / 2) ? 2 : 1) * (ky % (BLOCK / 2) ? 2 : 1);
			e[r] += share * sum / (total * total);
			n[r] += share;
		}
	for (int r = 0; r < RINGS; r++) e[r] /= n[r] > 0 ? n[r] : 1;
}

static double mean_power(const struct grain_profile *p, int c)
{
	double sum = 0;
	for (int y = 0; y < 256; y++) for (int x = 0; x < 256; x++) sum += grain_profile_power(p, c, (x + 0.5) / 512, (y + 0.5) / 512);
	return sum / 65536;
}

static void spectra(void)
{
	struct grain_profile p;
	struct err e = ERR_INIT;
	double v = 0.5, sum[3][RINGS] = { { 0 } }, n[3][RINGS] = { { 0 } }, var[3] = { 0 }, cov[3] = { 0 }, lag = 0;
	enum { FRAMES = 40 };
	if (grain_profile_read(path, &p, &e) < 0) { printf("not ok %s\n", e.msg); exit(1); }
	char set[400];
	snprintf(set, sizeof set, "profile=%s", path);
	struct image *im = flat((float)v), *last = NULL;
	for (int f = 1; f <= FRAMES; f++) {
		struct image *out = grained(im, (const char *[]){ set, NULL }, f);
		for (int c = 0; c < 3; c += 2) periodograms(out, c, v, sum[c], n[c]);
		for (int c = 0; c < 3; c++) {
			var[c] += moment(out, c, out, c, v) / FRAMES;
			cov[c] += moment(out, c == 2, out, c ? 2 : 1, v) / FRAMES;
		}
		if (last) lag += moment(out, 0, last, 0, v) / (FRAMES - 1);
		image_unref(&last);
		last = out;
	}
	image_unref(&last);
	for (int c = 0; c < 3; c++) {
		double s = sqrt(var[c]) / p.sigma[1][c];
		test_ok(fabs(s - 1) < 0.005, "profile: deviation of channel %d at luma 0.5 is %.4f of the profile's", c, s);
		double rho = cov[c] / sqrt(var[c == 2] * var[c ? 2 : 1]);
		test_ok(fabs(rho - p.corr[c]) < 0.005, "profile: correlation %d is %.4f, the profile's %.2f", c, rho, p.corr[c]);
	}
	test_ok(fabs(lag / var[0]) < 0.005, "profile: frame and next correlate by %.4f", lag / var[0]);
	for (int c = 0; c < 3; c += 2) {
		double want[RINGS], scale = var[c] / mean_power(&p, c), worst = 0, lowest = 0;
		int at = 0;
		expected(&p, c, want);
		for (int r = 1; r < RINGS - 1; r++) {            /* the last is one bin, the corner */
			if (!(n[c][r] > 0) || want[r] < 1e-3) continue;
			double d = 10 * log10(sum[c][r] / n[c][r] / (want[r] * scale));
			if (fabs(d) > worst) { worst = fabs(d); at = r; }
			if (r == 1) lowest = d;
		}
		test_ok(worst < 0.3, "profile: spectrum of channel %d within %.3f dB (ring %d of 128; lowest bin %.3f dB)", c, worst, at, lowest);
	}
	image_unref(&im);
}

/* The strength follows the profile's table, linear between its places, held beyond. */
static void strengths(void)
{
	static const double at[] = { 0.02, 0.1, 0.3, 0.6, 0.9, 1.2 };
	struct grain_profile p;
	struct err e = ERR_INIT;
	char set[400];
	grain_profile_read(path, &p, &e);
	snprintf(set, sizeof set, "profile=%s", path);
	for (size_t i = 0; i < IN_COUNT(at); i++) {
		struct image *im = flat((float)at[i]);
		double var[3] = { 0 }, worst = 0;
		for (int f = 0; f < 4; f++) {
			struct image *out = grained(im, (const char *[]){ set, NULL }, 100 + f);
			for (int c = 0; c < 3; c++) var[c] += moment(out, c, out, c, (float)at[i]) / 4;
			image_unref(&out);
		}
		for (int c = 0; c < 3; c++) worst = fmax(worst, fabs(sqrt(var[c]) / grain_profile_sigma(&p, c, at[i]) - 1));
		test_ok(worst < 0.01, "profile: strength at luma %.2f within %.2f %%", at[i], 100 * worst);
		image_unref(&im);
	}
}

/* Fits of awkward spectra, by the kernel's own transfer function. */
static void fits(void)
{
	static const char *const shapes[] = {
		"spectrum 0 0\n", "spectrum 0 -6\nspectrum 0.05 -4\nspectrum 0.15 0\nspectrum 0.35 -10\nspectrum 0.5 -18\nspectrum 0.7 -25\n",
		"spectrum 0 6\nspectrum 0.0156 4\nspectrum 0.06 0.5\nspectrum 0.2 -2\nspectrum 0.4 -10\nspectrum 0.7 -16\n",
		"spectrum 0 -6\nspectrum 0.0156 -3\nspectrum 0.05 0\nspectrum 0.1 0\nspectrum 0.3 -12\nspectrum 0.5 -26\nspectrum 0.7 -30\n" };
	for (size_t i = 0; i < IN_COUNT(shapes); i++) {
		char text[2000];
		struct grain_profile p;
		struct err e = ERR_INIT;
		snprintf(text, sizeof text, "%s%saniso %s\n", head, shapes[i], i == 2 ? "1.2" : "1");
		if (grain_profile_parse(text, "t", &p, &e) < 0) { printf("not ok %s\n", e.msg); return; }
		struct grain_shape *s = grain_shape_make(&p, 1);
		double have[RINGS] = { 0 }, want[RINGS] = { 0 }, n[RINGS] = { 0 }, worst = 0, k = sqrt(p.aniso[0]), all = 0;
		double uneven = 0, count = 0;
		for (int y = -64; y < 64; y++)
			for (int x = -64; x < 64; x++) {
				int r = (int)(hypot(x / k, y * k) + 0.5);
				double q = grain_shape_power(s, 0, x / 128.0, y / 128.0);
				all += q / (128 * 128);
				double t = grain_shape_target(&p, 0, 1, x / 128.0, y / 128.0);
				if (t > 1e-2) uneven += pow(10 * log10(q / t), 2), count++;
				if (r >= RINGS) continue;
				have[r] += q;
				want[r] += t;
				n[r]++;
			}
		for (int r = 0; r < RINGS; r++)
			if (n[r] > 0 && want[r] / n[r] > 1e-3) worst = fmax(worst, fabs(10 * log10(have[r] / want[r])));
		test_ok(worst < 0.3 && fabs(all - 1) < 1e-5, "profile: fit %zu within %.3f dB (radius %d, rank %d), variance %.6f",
		        i, worst, s->radius, s->ranks, all);
		test_ok(sqrt(uneven / count) < 0.7, "profile: fit %zu in all directions within %.2f dB (root of mean square)", i,
		        sqrt(uneven / count));
		grain_shape_free(&s);
	}
}

static void scales(void)
{
	struct grain_profile p;
	struct err e = ERR_INIT;
	grain_profile_read(path, &p, &e);
	struct grain_shape *one = grain_shape_make(&p, 1), *two = grain_shape_make(&p, 2), *half = grain_shape_make(&p, 0.5);
	double worst = 0, inside = 0, total = 0;
	for (int k = 4; k <= 60; k += 2) {
		double a = 0, b = 0, f = k / 128.0;
		for (int i = 0; i < 64; i++) {
			double x = f * cos(acos(-1) * i / 64), y = f * sin(acos(-1) * i / 64);
			a += grain_shape_power(one, 0, x, y);
			b += grain_shape_power(two, 0, x / 2, y / 2) / 4;
		}
		worst = fmax(worst, fabs(10 * log10(b / a)));
	}
	test_ok(worst < 0.5, "profile: on twice the lines the spectrum is the same in cycles per height (%.2f dB)", worst);
	for (int y = -128; y < 128; y++)
		for (int x = -128; x < 128; x++) {
			double q = grain_profile_power(&p, 0, fabs(x / 256.0), fabs(y / 256.0));
			total += q;
			if (abs(x) <= 64 && abs(y) <= 64) inside += q * (abs(x) == 64 ? 0.5 : 1) * (abs(y) == 64 ? 0.5 : 1);
		}
	test_ok(fabs(half->gain[0] / sqrt(inside / total) - 1) < 0.01 && one->gain[0] == 1 && two->gain[0] == 1,
	        "profile: on half the lines %.3f of the deviation is left (%.3f)", half->gain[0], sqrt(inside / total));
	grain_shape_free(&one);
	grain_shape_free(&two);
	grain_shape_free(&half);
}

static void in_time(void)
{
	static const double rho[] = { 0.02, 0.3, 0.5, 0.8, 0.97, 1, -0.2 };
	for (size_t i = 0; i < IN_COUNT(rho); i++) {
		double w[GRAIN_LAGS], still, one = 0, next = 0;
		int n = grain_lags(rho[i], w, &still);
		for (int k = 0; k < n; k++) one += w[k] * w[k], next += k + 1 < n ? w[k] * w[k + 1] : 0;
		test_ok(fabs(one + still - 1) < 1e-12 && fabs(next + still - rho[i]) < 1e-9, "lags: %g from %d fields", rho[i], n);
	}
	char set[400], zero[] = "boil=0";
	snprintf(set, sizeof set, "profile=%s", boiling);
	struct image *im = flat(0.5f);
	const char *sets[][4] = { { set, "temporal=keep", NULL }, { set, "boil=0.8", NULL }, { set, "boil=1", NULL }, { set, zero, NULL } };
	double want[] = { 0.3, 0.8, 1, 0 };
	for (int i = 0; i < 4; i++) {
		double a = 0, b = 0, x = 0;
		for (int f = 1; f < 9; f += 2) {
			struct image *p = grained(im, sets[i], f), *q = grained(im, sets[i], f + 1);
			a += moment(p, 0, p, 0, 0.5);
			b += moment(p, 0, q, 0, 0.5);
			x += moment(p, 0, p, 1, 0.5);
			image_unref(&p);
			image_unref(&q);
		}
		test_ok(fabs(b / a - want[i]) < 0.01 && fabs(sqrt(a / 4) / 0.012 - 1) < 0.01, "profile: %s: frame and next correlate by %.4f",
		        sets[i][1], b / a);
		test_ok(fabs(x / a * 1.2 - 0.31) < 0.01, "profile: %s: red and green by %.4f", sets[i][1], x / a * 1.2);
	}
	image_unref(&im);
}

/* Between two grains the variance goes from one's to the other's. */
static void dissolves(void)
{
	char a[400], b[400], half[] = "dissolve=0.5", some[] = "dissolve=0.25";
	snprintf(a, sizeof a, "profile=%s", path);
	snprintf(b, sizeof b, "to_profile=%s", other);
	struct image *im = flat(0.5f), *out;
	double va = 0.012 * 0.012, vb = 4 * 0.012 * 0.012, v;
	out = grained(im, (const char *[]){ a, b, "to_strength=2", half, NULL }, 3);
	v = moment(out, 0, out, 0, 0.5) / (0.5 * va + 0.5 * vb);
	test_ok(fabs(v - 1) < 0.02, "dissolve 0.5: variance %.3f of the mean of both", v);
	image_unref(&out);
	out = grained(im, (const char *[]){ a, some, NULL }, 3);
	v = moment(out, 0, out, 0, 0.5) / (0.75 * va);
	test_ok(fabs(v - 1) < 0.02, "dissolve 0.25 into no grain: variance %.3f of three quarters", v);
	image_unref(&out);
	out = grained(im, (const char *[]){ a, "dissolve=1", NULL }, 3);
	test_ok(nc_same(out, im), "dissolve 1 into no grain: the picture");
	image_unref(&out);
	image_unref(&im);
}

static void refusals(void)
{
	struct image *im = flat(0.5f);
	char a[400];
	snprintf(a, sizeof a, "profile=%s", path);
	const char *sets[][3] = { { a, "amount=0.1", NULL }, { a, "size=2", NULL }, { a, "colour=1", NULL },
		{ a, "response=0,1 1,1", NULL }, { "boil=0.5", NULL }, { "profile=/nowhere.grain", NULL },
		{ "temporal=keep", NULL } };
	for (size_t i = 0; i < IN_COUNT(sets); i++) {
		struct nc n;
		struct err e = ERR_INIT;
		bool made = nc_make(&n, nc_type(nodes_baseline, "grain"), &im, 1, sets[i], &e);
		test_ok(!made && e.msg[0], "grain refuses: %s", e.msg);
		nc_free(&n);
	}
	image_unref(&im);
}

int main(void)
{
	put(path, "a.grain", "");
	put(other, "b.grain", "");
	put(boiling, "c.grain", "temporal 0.3 0.3 0.3\naniso 1.1\n");
	fits();
	scales();
	in_time();
	dissolves();
	refusals();
	strengths();
	spectra();
	char set[400], to[400];
	snprintf(set, sizeof set, "profile=%s", boiling);
	snprintf(to, sizeof to, "to_profile=%s", path);
	struct format f = nc_format(71, 43, "R G B", "rec709"), g = f;
	g.data = rect_of(-3, 5, 60, 48);
	g.space = colour_find("acescct");
	struct image *im = nc_random(&f, 2), *odd = nc_random(&g, 3);
	nc_invariant("grain", &im, 1, (const char *[]){ set, "strength=3", NULL }, "profile");
	nc_invariant("grain", &odd, 1, (const char *[]){ set, to, "dissolve=0.4", "temporal=keep", "scale=2", NULL }, "two profiles");
	nc_invariant("grain", &odd, 1, (const char *[]){ to, "dissolve=0.4", NULL }, "Gaussian to profile");
	nc_past("grain", &im, 1, (const char *[]){ set, "strength=3", NULL }, "profile");
	nc_past("grain", &odd, 1, (const char *[]){ to, "dissolve=0.4", NULL }, "Gaussian to profile");
	image_unref(&im);
	image_unref(&odd);
	unlink(path);
	unlink(other);
	unlink(boiling);
	rmdir(test_tmp());
	TEST_END();
}
