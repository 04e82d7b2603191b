/* Unit tests of degrain. Oracles: the cosine transform's definition; planted grain over photographs, whose clean picture is
 * known; a discrete Fourier transform for what was taken out.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include <math.h>

#include "degrain.h"
#include "px_bm3d.h"
#include "rng.h"

/* --- transforms --- */

static void transform(void)
{
	float in[64], back[64];
	bm8 c[8], v[8];
	double worst = 0, wrong = 0;
	for (unsigned i = 0; i < 64; i++) in[i] = nc_rand(i, 1, 2) - 0.5f;
	bm_forward(in, 8, c);
	for (int u = 0; u < 8; u++)
		for (int w = 0; w < 8; w++) {
			double sum = 0;
			for (int y = 0; y < 8; y++)
				for (int x = 0; x < 8; x++)
					sum += in[8 * y + x] * cos((2 * x + 1) * u * M_PI / 16) * cos((2 * y + 1) * w * M_PI / 16);
			sum *= (u ? 0.5 : sqrt(0.125)) * (w ? 0.5 : sqrt(0.125));
			worst = fmax(worst, fabs(sum - c[u][w]));
		}
	test_ok(worst < 1e-6, "degrain: the blocks' transform is the orthonormal DCT-II (%.1e)", worst);
	bm_backward(c, v);
	for (int i = 0; i < 8; i++) BM_STORE(back + 8 * i, v[i]);
	for (int i = 0; i < 64; i++) wrong = fmax(wrong, fabs(back[i] - in[i]));
	test_ok(wrong < 1e-6, "degrain: and back (%.1e)", wrong);
}

/* Eight blocks of noise alone keep nothing under a high threshold, and all of it under none. */
static void thresholds(void)
{
	bm8 g[64], was[64];
	float sigma[64];
	double most = 0, differ = 0;
	for (unsigned i = 0; i < 64; i++) {
		sigma[i] = 0.1f;
		for (unsigned l = 0; l < 8; l++) g[i][l] = was[i][l] = nc_rand(i, l, 3) - 0.5f;
	}
	float all = bm_hard(g, sigma, 0);
	for (int i = 0; i < 64; i++) for (int l = 0; l < 8; l++) differ = fmax(differ, fabs(g[i][l] - was[i][l]));
	test_ok(differ < 1e-6 && fabs(all - 512 * 0.01) < 1e-3, "degrain: a threshold of 0 keeps every block (%.1e)", differ);
	float none = bm_hard(g, sigma, 100);
	for (int i = 0; i < 64; i++) for (int l = 0; l < 8; l++) most = fmax(most, fabs(g[i][l]));
	test_ok(most == 0 && none == 0, "degrain: a threshold of 100 sigma keeps nothing");
}

/* --- pictures --- */

static struct image *photograph(const char *name, struct rect crop)
{
	char cmd[600];
	snprintf(cmd, sizeof cmd, "ffmpeg -v error -i '%s/grain/%s' -vf crop=%d:%d:%d:%d -f rawvideo -pix_fmt rgb24 - 2>/dev/null",
	         test_data() ? test_data() : ".", name, rect_w(crop), rect_h(crop), crop.x0, crop.y0);
	FILE *p = test_data() ? popen(cmd, "r") : NULL;
	struct format f = nc_format(rect_w(crop), rect_h(crop), "R G B", "rec709");
	struct image *im = nc_image(&f);
	bool good = p != NULL;
	for (int y = 0; good && y < rect_h(crop); y++)
		for (int x = 0; good && x < rect_w(crop); x++) {
			unsigned char v[3];
			good = fread(v, 1, 3, p) == 3;
			for (int c = 0; good && c < 3; c++) *view_at(&im->view, c, x, y) = v[c] / 255.0f;
		}
	if (p) pclose(p);
	if (!good) image_unref(&im);
	return im;
}

static double gauss(uint32_t x, uint32_t y, uint32_t c, uint32_t seed)
{
	struct philox p = philox4x32(x, y, c, seed, 0xDE, 0x64);
	double u = (p.c[0] + 0.5) / 4294967296.0, v = (p.c[1] + 0.5) / 4294967296.0;
	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* Grain over the picture, moved by (dx, dy) and held at its edges; the result has the middle crop's size. */
static struct image *grained(const struct image *clean, double sigma, uint32_t seed)
{
	struct image *im = nc_image(&clean->fmt);
	struct rect d = clean->fmt.data;
	for (int c = 0; c < 3; c++)
		for (int y = d.y0; y < d.y1; y++)
			for (int x = d.x0; x < d.x1; x++)
				*view_at(&im->view, c, x, y) = *view_at(&clean->view, c, x, y) +
					(float)(sigma * gauss((uint32_t)x, (uint32_t)y, (uint32_t)c, seed));
	return im;
}

static double psnr(const struct image *a, const struct image *b)
{
	double sum = 0;
	struct rect d = a->fmt.data;
	for (int c = 0; c < 3; c++)
		for (int y = d.y0; y < d.y1; y++)
			for (int x = d.x0; x < d.x1; x++) {
				double e = *view_at(&a->view, c, x, y) - (double)*view_at(&b->view, c, x, y);
				sum += e * e;
			}
	return -10 * log10(sum / (3.0 * (double)rect_area(d)));
}

static struct image *stage(const char *type, struct image *const *in, int nin, const char *const *set)
{
	struct err e = ERR_INIT;
	struct nc n;
	if (!nc_make(&n, nc_type(nodes_baseline, type), in, nin, set, &e)) { test_ok(0, "degrain %s: %s", type, e.msg); return NULL; }
	struct image *out = nc_run(&n, 3, 0, 0);
	nc_free(&n);
	return out;
}

/* set: "sigma=..." or "profile=...". */
static struct image *degrained_by(struct image *noisy, const char *set)
{
	const char *time[] = { set, "radius=0", NULL }, *both[] = { set, NULL };
	struct image *in[3] = { noisy, NULL, NULL };
	in[1] = stage("degrain_time", in, 1, time);
	in[2] = stage("degrain_hard", in + 1, 1, both);
	struct image *out = stage("degrain_fine", in, 3, both);
	image_unref(&in[1]);
	image_unref(&in[2]);
	in[1] = out;
	out = stage("degrain_even", in, 2, both);
	image_unref(&in[1]);
	in[1] = out;
	out = stage("degrain_bands", in, 2, both);
	image_unref(&in[1]);
	return out;
}

static struct image *degrained(struct image *noisy, double sigma)
{
	char s[40];
	snprintf(s, sizeof s, "sigma=%.6f", sigma);
	return degrained_by(noisy, s);
}

/* --- what was taken out --- */

enum { FT = 32 };

/* Mean power of a - b over blocks, in rings of 0.05 cycles per pixel, of one channel. */
static void rings(const struct image *a, const struct image *b, int ch, double out[15])
{
	double count[15] = { 0 };
	struct rect d = a->fmt.data;
	for (int i = 0; i < 15; i++) out[i] = 0;
	for (int y0 = d.y0; y0 + FT <= d.y1; y0 += FT)
		for (int x0 = d.x0; x0 + FT <= d.x1; x0 += FT) {
			double re[FT][FT] = { { 0 } }, im[FT][FT] = { { 0 } };
			for (int y = 0; y < FT; y++)
				for (int k = 0; k < FT; k++)
					for (int x = 0; x < FT; x++) {
						double w = sin(M_PI * (x + 0.5) / FT) * sin(M_PI * (y + 0.5) / FT);
						double v = w * w * (*view_at(&a->view, ch, x0 + x, y0 + y) - (double)*view_at(&b->view, ch, x0 + x, y0 + y));
						re[y][k] += v * cos(2 * M_PI * k * x / FT), im[y][k] -= v * sin(2 * M_PI * k * x / FT);
					}
			for (int k = 0; k < FT; k++)
				for (int l = 0; l < FT; l++) {
					double p = 0, q = 0, fx = (k < FT / 2 ? k : k - FT) / (double)FT, fy = (l < FT / 2 ? l : l - FT) / (double)FT;
					for (int y = 0; y < FT; y++) {
						double c = cos(2 * M_PI * l * y / FT), s = -sin(2 * M_PI * l * y / FT);
						p += re[y][k] * c - im[y][k] * s, q += re[y][k] * s + im[y][k] * c;
					}
					int r = (int)(sqrt(fx * fx + fy * fy) / 0.05);
					out[r] += p * p + q * q, count[r]++;
				}
		}
	for (int i = 0; i < 15; i++) out[i] /= count[i] > 0 ? count[i] : 1;
}

/* Correlation of |noisy - neutral| with the clean picture's gradient. */
static double edges(const struct image *clean, const struct image *noisy, const struct image *neutral)
{
	struct rect d = rect_grow(clean->fmt.data, -2, -2);
	double n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
	for (int y = d.y0; y < d.y1; y++)
		for (int x = d.x0; x < d.x1; x++) {
			double gx = 0, gy = 0, r = 0;
			for (int c = 0; c < 3; c++) {
				gx += *view_at(&clean->view, c, x + 1, y) - *view_at(&clean->view, c, x - 1, y);
				gy += *view_at(&clean->view, c, x, y + 1) - *view_at(&clean->view, c, x, y - 1);
				r += *view_at(&noisy->view, c, x, y) - *view_at(&neutral->view, c, x, y);
			}
			double g = sqrt(gx * gx + gy * gy), m = fabs(r);
			n++, a += g, b += m, aa += g * g, bb += m * m, ab += g * m;
		}
	return (ab / n - a / n * b / n) / sqrt((aa / n - a / n * a / n) * (bb / n - b / n * b / n));
}

/* FFmpeg's best filter at its best settings gives some 39, 35.5 and 30.5 dB here (tests/bench/degrain.sh). */
static void stills(void)
{
	static const struct { double sigma, least; } want[] = { { 5, 40.4 }, { 10, 36.6 }, { 25, 31.6 } };
	struct image *clean = photograph("kodak_03.png", rect_of(200, 120, 520, 376));
	if (!clean) { test_skip("degrain: no photographs, or no ffmpeg to read them"); return; }
	for (size_t i = 0; i < IN_COUNT(want); i++) {
		double s = want[i].sigma / 255, band[15], grain[15], worst = 0;
		struct image *noisy = grained(clean, s, 7), *out = degrained(noisy, s);
		double was = psnr(noisy, clean), is = psnr(out, clean), e = edges(clean, noisy, out);
		test_ok(is > want[i].least, "degrain: photograph, sigma %g: %.2f dB to %.2f dB", want[i].sigma, was, is);
		test_ok(fabs(e) < 0.05, "degrain: sigma %g: no edges in what was taken (%.3f)", want[i].sigma, e);
		rings(noisy, out, 1, band);
		rings(noisy, clean, 1, grain);
		for (int k = 1; k < 13; k++) worst = fmax(worst, fabs(10 * log10(band[k] / grain[k])));
		test_ok(worst < 0.4, "degrain: sigma %g: what was taken has the grain's spectrum from 0.05 c/px (%.2f dB)",
		        want[i].sigma, worst);
		image_unref(&noisy);
		image_unref(&out);
	}
	image_unref(&clean);
}

/* Film's grain: coarser than white, blue's coarsest and strongest, all weak in the shadows; each channel's spectrum
 * (of mean power 1, as a profile's is). */
static void film(void)
{
	struct image *clean = photograph("kodak_03.png", rect_of(200, 120, 520, 376));
	if (!clean) return;
	char path[300], set[320];
	snprintf(path, sizeof path, "%s/film.grain", test_tmp());
	FILE *f = fopen(path, "wb");
	fprintf(f, "grain 1\nspace rec709\nheight 256\nstrength 0.05 0.006 0.006 0.007\nstrength 0.5 0.02 0.019 0.026\n"
	        "strength 0.95 0.006 0.006 0.008\ncorrelation 0.15 0.05 0.15\nspectrum 0.01 4.5 4 7\n"
	        "spectrum 0.25 2.2 2 3.4\nspectrum 0.5 -3 -2.5 -6.3\nspectrum 0.7 -6 -5 -12.3\n");
	fclose(f);
	snprintf(set, sizeof set, "profile=%s", path);
	struct image *noisy = stage("grain", &clean, 1, (const char *[]){ set, NULL });
	struct image *out = degrained_by(noisy, set);
	double band[15], grain[15], worst = 0, e = edges(clean, noisy, out), own = edges(clean, noisy, clean);
	for (int c = 0; c < 3; c++) {
		rings(noisy, out, c, band);
		rings(noisy, clean, c, grain);
		for (int k = 1; k < 13; k++) worst = fmax(worst, fabs(10 * log10(band[k] / grain[k])));
	}
	test_ok(worst < 0.55, "degrain: film's grain, sigma 5: its spectrum in R, G and B from 0.05 c/px (%.2f dB)", worst);
	test_ok(fabs(e - own) < 0.05, "degrain: film's grain: no edges beyond the grain's own (%.3f, %.3f)", e, own);
	image_unref(&noisy);
	image_unref(&out);
	image_unref(&clean);
}

/* A field near white whose grain is cut off at 1: what was taken is as strong as what was left of it, not as the profile. */
static void clipped(void)
{
	struct format f = nc_format(128, 128, "R G B", "rec709");
	struct image *flat = nc_image(&f);
	for (int c = 0; c < 3; c++) for (int y = 0; y < 128; y++) for (int x = 0; x < 128; x++) *view_at(&flat->view, c, x, y) = 0.98f;
	struct image *noisy = grained(flat, 0.1, 11);
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < 128; y++)
			for (int x = 0; x < 128; x++) *view_at(&noisy->view, c, x, y) = fminf(*view_at(&noisy->view, c, x, y), 1);
	struct image *out = degrained(noisy, 0.1);
	double n = 0, m = 0, mm = 0, t = 0, tt = 0;
	for (int y = 16; y < 112; y++)
		for (int x = 16; x < 112; x++) {
			double v = *view_at(&noisy->view, 1, x, y), d = v - (double)*view_at(&out->view, 1, x, y);
			n++, m += v, mm += v * v, t += d, tt += d * d;
		}
	double there = mm / n - m / n * (m / n), taken = tt / n - t / n * (t / n);
	test_ok(there < 0.5 * 0.01, "degrain: clipping took more than half of the grain (%.3f)", there / 0.01);
	test_ok(fabs(10 * log10(taken / there)) < 0.5, "degrain: clipped grain: as much was taken as there was (%+.2f dB)",
	        10 * log10(taken / there));
	image_unref(&flat);
	image_unref(&noisy);
	image_unref(&out);
}

/* A coarse profile of mean power 1 whose strength is `ends` at 0.05 and 0.95, `mid` between. */
static void coarse_profile(char set[320], const char *name, double ends, double mid)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s.grain", test_tmp(), name);
	FILE *f = fopen(path, "wb");
	fprintf(f, "grain 1\nspace rec709\nheight 256\nstrength 0.05 %g %g %g\nstrength 0.5 %g %g %g\nstrength 0.95 %g %g %g\n"
	        "correlation 0 0 0\nspectrum 0.01 4.5 4.5 4.5\nspectrum 0.25 2.2 2.2 2.2\nspectrum 0.5 -3 -3 -3\nspectrum 0.7 -6 -6 -6\n",
	        ends, ends, ends, mid, mid, mid, ends, ends, ends);
	fclose(f);
	snprintf(set, 320, "profile=%s", path);
}

/* A square of one level. */
static struct image *even(int side, float level)
{
	struct format f = nc_format(side, side, "R G B", "rec709");
	struct image *im = nc_image(&f);
	for (int c = 0; c < 3; c++) for (int y = 0; y < side; y++) for (int x = 0; x < side; x++) *view_at(&im->view, c, x, y) = level;
	return im;
}

/* How far what was taken is from the grain, in rings from..to-1, at most; dB. */
static double apart(const struct image *noisy, const struct image *out, const struct image *clean, int from, int to)
{
	double taken[15], grain[15], worst = 0;
	for (int c = 0; c < 3; c++) {
		rings(noisy, out, c, taken);
		rings(noisy, clean, c, grain);
		for (int k = from; k < to; k++) worst = fmax(worst, fabs(10 * log10(taken[k] / grain[k])));
	}
	return worst;
}

/* Coarse grain of which half is cut off at 1 is finer than it was: what was taken is nearer its spectrum than the profile's
 * is, which is 1.4 dB off. */
static void bent(void)
{
	char set[320];
	struct image *flat = even(256, 0.98f);
	coarse_profile(set, "bent", 0.08, 0.08);
	struct image *noisy = stage("grain", &flat, 1, (const char *[]){ set, NULL });
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < 256; y++)
			for (int x = 0; x < 256; x++) *view_at(&noisy->view, c, x, y) = fminf(*view_at(&noisy->view, c, x, y), 1);
	struct image *out = degrained_by(noisy, set);
	double worst = apart(noisy, out, flat, 9, 13);
	test_ok(worst < 1, "degrain: clipped coarse grain: its own spectrum above 0.45 c/px (%.2f dB)", worst);
	image_unref(&flat);
	image_unref(&noisy);
	image_unref(&out);
}

/* Grain weak at both ends of luma, on a picture that swings from one to the other within a block: as much was taken as there
 * was, not as much as its mean luma has. */
static void rough(void)
{
	char set[320];
	struct format f = nc_format(256, 256, "R G B", "rec709");
	struct image *clean = nc_image(&f);
	double there = 0, taken = 0;
	coarse_profile(set, "rough", 0.004, 0.03);
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < 256; y++)
			for (int x = 0; x < 256; x++) *view_at(&clean->view, c, x, y) = (float)(0.5 + 0.4 * sin(2 * M_PI * x / 11.0));
	struct image *noisy = stage("grain", &clean, 1, (const char *[]){ set, NULL });
	struct image *out = degrained_by(noisy, set);
	for (int c = 0; c < 3; c++)
		for (int y = 16; y < 240; y++)
			for (int x = 16; x < 240; x++) {
				double n = *view_at(&noisy->view, c, x, y);
				there += pow(n - (double)*view_at(&clean->view, c, x, y), 2);
				taken += pow(n - (double)*view_at(&out->view, c, x, y), 2);
			}
	test_ok(fabs(10 * log10(taken / there)) < 0.35, "degrain: rough picture: as much was taken as there was (%+.2f dB)", 10 * log10(taken / there));
	image_unref(&clean);
	image_unref(&noisy);
	image_unref(&out);
}

/* Of coarse grain the same share was taken everywhere: it is raised by what is missing, not by more. */
static void share(void)
{
	char set[320];
	struct image *flat = even(256, 0.5f), *most = even(256, 0.5f);
	coarse_profile(set, "share", 0.02, 0.02);
	struct image *noisy = stage("grain", &flat, 1, (const char *[]){ set, NULL });
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < 256; y++)
			for (int x = 0; x < 256; x++)
				*view_at(&most->view, c, x, y) = 0.35f * *view_at(&noisy->view, c, x, y) + 0.65f * 0.5f;
	struct image *out = stage("degrain_bands", (struct image *[]){ noisy, most }, 2, (const char *[]){ set, NULL });
	double worst = apart(noisy, out, flat, 1, 5);
	test_ok(worst < 0.4, "degrain: coarse grain of which a third was left is taken, not more (%.2f dB)", worst);
	image_unref(&flat);
	image_unref(&most);
	image_unref(&noisy);
	image_unref(&out);
}

/* Fields near white and black in clipped grain: an average of what is left lies up to 0.04 away from them, the neutral
 * picture does not. What is as near but was not clipped stays where its average is. */
static void beneath(void)
{
	static const float level[] = { 1, 0.98f, 0.95f, 0, 0.04f };
	struct format f = nc_format(96, 96, "R G B", "rec709");
	struct image *im = nc_image(&f);
	double worst = 0, most = 0;
	for (size_t i = 0; i <= IN_COUNT(level); i++) {
		bool cut = i < IN_COUNT(level);
		double in = 0, mean = 0, want = cut ? (double)level[i] : 0.98;
		for (int c = 0; c < 3; c++) for (int y = 0; y < 96; y++) for (int x = 0; x < 96; x++) *view_at(&im->view, c, x, y) = (float)want;
		struct image *noisy = grained(im, 0.1, 23);
		for (int c = 0; cut && c < 3; c++)
			for (int y = 0; y < 96; y++)
				for (int x = 0; x < 96; x++) *view_at(&noisy->view, c, x, y) = fmaxf(0, fminf(*view_at(&noisy->view, c, x, y), 1));
		struct image *out = degrained(noisy, 0.1);
		for (int y = 8; y < 88; y++)
			for (int x = 8; x < 88; x++) in += *view_at(&noisy->view, 1, x, y) / 6400.0, mean += *view_at(&out->view, 1, x, y) / 6400.0;
		if (cut) worst = fmax(worst, fabs(mean - want)), most = fmax(most, fabs(in - want));
		else test_ok(fabs(mean - want) < 0.002, "degrain: grain beyond 1 that is not clipped is averaged (%.4f)", mean - want);
		image_unref(&noisy);
		image_unref(&out);
	}
	test_ok(most > 0.035 && worst < 0.012, "degrain: clipped grain's picture is found (%.4f off, its average %.4f)", worst, most);
	image_unref(&im);
}

/* --- tilings and instruction sets --- */

static void same_bits(void)
{
	struct format f = nc_format(93, 71, "R G B", "rec709"), g = nc_format(60, 45, "R G B A", "rec709");
	f.data = rect_of(-5, 3, 88, 74);
	struct image *a = nc_random(&f, 1), *b = nc_random(&f, 2), *c = nc_random(&g, 3);
	struct image *three[3] = { a, b, a };
	const char *time[] = { "radius=1", "sigma=0.1", NULL }, *hard[] = { "reach=5", "sigma=0.2", NULL };
	*view_at(&a->view, 1, 20, 20) = NAN;
	*view_at(&b->view, 0, 50, 60) = -INFINITY;
	for (int y = 12; y < 45; y++) for (int x = 20; x < 60; x += 2) *view_at(&a->view, 0, x, y) = 1, *view_at(&b->view, 0, x, y) = 0.95f;
	nc_invariant("degrain_time", &a, 1, time, "of an offset window");
	nc_invariant("degrain_time", &c, 1, time, "with alpha");
	nc_invariant("degrain_hard", &a, 1, hard, "of an offset window");
	nc_invariant("degrain_fine", three, 3, hard, "of an offset window");
	nc_invariant("degrain_even", three, 2, hard, "of an offset window");
	nc_invariant("degrain_bands", three, 2, hard, "of an offset window");
	three[0] = three[1] = c;
	nc_invariant("degrain_even", three, 2, hard, "with alpha");
	nc_invariant("degrain_bands", three, 2, hard, "with alpha");
	image_unref(&a);
	image_unref(&b);
	image_unref(&c);
}

/* Values that no estimate can hold stay, and spoil none of their neighbours beyond a block's reach. */
static void odd_values(void)
{
	struct format f = nc_format(64, 64, "R G B", "rec709");
	struct image *a = nc_image(&f);
	for (int c = 0; c < 3; c++) for (int y = 0; y < 64; y++) for (int x = 0; x < 64; x++) *view_at(&a->view, c, x, y) = 0.4f;
	*view_at(&a->view, 0, 30, 30) = NAN;
	*view_at(&a->view, 1, 10, 40) = INFINITY;
	*view_at(&a->view, 2, 50, 5) = 12.0f;
	struct image *o = degrained(a, 0.02);
	bool finite = true;
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < 64; y++)
			for (int x = 0; x < 64; x++) finite &= isfinite(*view_at(&o->view, c, x, y)) || (x == 30 && y == 30) || (x == 10 && y == 40);
	test_ok(finite, "degrain: one bad pixel makes no other bad");
	test_ok(fabs(*view_at(&o->view, 2, 50, 5) - 12) < 0.1, "degrain: a highlight of 12 stays (%g)", *view_at(&o->view, 2, 50, 5));
	test_ok(fabs(*view_at(&o->view, 0, 5, 60) - 0.4) < 1e-5, "degrain: a flat field stays");
	image_unref(&o);
	for (int c = 0; c < 3; c++) for (int y = 0; y < 64; y++) for (int x = 0; x < 64; x++) *view_at(&a->view, c, x, y) = 900;
	o = degrained(a, 0.02);
	test_ok(fabs(*view_at(&o->view, 1, 20, 20) / 900 - 1) < 1e-5, "degrain: a field of 900 stays, whose orthonormal luma is 1559 (%g)",
	        *view_at(&o->view, 1, 20, 20));
	image_unref(&a);
	image_unref(&o);
}

/* A white profile is what sigma says; a coarse one has less at the last coefficient than at the first. */
static void profiles(void)
{
	char path[300];
	struct err e = ERR_INIT;
	static struct degrain_noise white, flat, coarse;
	const char *const head = "grain 1\nspace rec709\nheight 1080\nstrength 0.1 0.02 0.02 0.02\nstrength 0.9 0.02 0.02 0.02\n"
	                         "correlation 0 0 0\n";
	static const char *const spectrum[2] = { "spectrum 0.01 0 0 0\nspectrum 0.7 0 0 0\n",
		"spectrum 0.01 9 9 9\nspectrum 0.7 -20 -20 -20\n" };
	double worst = 0;
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/p%d.grain", test_tmp(), i);
		FILE *f = fopen(path, "wb");
		fprintf(f, "%s%s", head, spectrum[i]);
		fclose(f);
		struct degrain_ask a = { path, 0, 1, 1, colour_find("rec709"), 1080 };
		if (degrain_noise_make(&a, i ? &coarse : &flat, &e)) test_ok(0, "degrain: profile %d: %s", i, e.msg);
	}
	struct degrain_ask a = { "", 0.02, 1, 1, colour_find("rec709"), 1080 };
	degrain_noise_make(&a, &white, &e);
	for (int c = 0; c < 3; c++)
		for (int k = 0; k < 64; k++) worst = fmax(worst, fabs(flat.sigma[9][c][k] / white.sigma[9][c][k] - 1));
	test_ok(worst < 0.01, "degrain: a white profile is white grain (%.4f)", worst);
	test_ok(coarse.sigma[9][0][0] > 4 * coarse.sigma[9][0][63], "degrain: coarse grain is weak in the finest coefficient");
	a.profile = "/no/such.grain";
	test_ok(degrain_noise_make(&a, &white, &e) < 0 && e.code == E_INPUT, "degrain: a profile that is not there is told");
}

int main(void)
{
	transform();
	thresholds();
	profiles();
	odd_values();
	same_bits();
	stills();
	film();
	clipped();
	bent();
	rough();
	share();
	beneath();
	TEST_END();
}
