/* Unit tests of grain: Philox's published vectors, and the statistics that the parameters promise.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include <math.h>

#include "gauss.h"
#include "px_grain_lattice.h"
#include "px_noise.h"

enum { SIDE = 512 };

/* Known answers of Random123 (Salmon et al., kat_vectors). */
static void known_answers(void)
{
	static const uint32_t v[3][10] = {
		{ 0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 },
		{ ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd },
		{ 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
		  0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } };
	static const uint32_t seven[3][4] = { { 0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48 },
		{ 0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662 }, { 0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a } };
	for (int i = 0; i < 3; i++) {
		struct philox p = philox4x32(v[i][0], v[i][1], v[i][2], v[i][3], v[i][4], v[i][5]);
		test_ok(memcmp(p.c, v[i] + 6, 16) == 0, "philox: known answer %d", i);
		p = philox4x32_of(7, v[i][0], v[i][1], v[i][2], v[i][3], v[i][4], v[i][5]);
		test_ok(memcmp(p.c, seven[i], 16) == 0, "philox: known answer %d of 7 rounds", i);
	}
}

/* Vectors of blocks in three streams are the scalar blocks, wherever a row begins. */
static void words_of_blocks(void)
{
	struct px_noise_key k = px_noise_key(5, 0x123456789abcdefu, 17);
	enum { LEN = 61 };
	static uint32_t w[3 * (LEN + 128)];
	int bad = 0;
	for (int x = -40; x < 40; x++) {
		int skip = px_noise_skip(x), n = px_noise_words(&k, 3, x, -3, LEN, w);
		bad += n % 8 != 0 || 2 * n < skip + LEN || (x - skip) % 16 != 0;
		for (int i = 0; i < 3 * n; i++) {
			int c = i / n, at = (x - skip) / 2 + i % n;
			struct philox p = philox4x32_of(7, (uint32_t)(at >> 2), (uint32_t)(-3 * 4 + c), 17, 0x89abcdefu, 5,
			                             0x1234567u);
			bad += w[(size_t)c * px_noise_room(LEN) + (size_t)(i % n)] != p.c[at & 3];
		}
	}
	test_ok(bad == 0, "grain: words of rows are Philox blocks (%d differ)", bad);
}

/* A row is the same wherever it begins, and pixels are the words' values in their order. */
static void rows_of_words(void)
{
	struct px_noise_key k = px_noise_key(5, 7, 17);
	enum { LEN = 61, FROM = -64 };
	static uint32_t w[3 * (4 * LEN + 128)];
	static float all[3][4 * LEN + 128], part[3][4 * LEN + 128];
	float *const wide[3] = { all[0], all[1], all[2] }, *const row[3] = { part[0], part[1], part[2] };
	int bad = 0;
	px_noise_rows(&k, 3, FROM, 9, 3 * LEN, w, wide);
	for (int x = FROM; x < FROM + 2 * LEN; x++) {
		px_noise_rows(&k, 3, x, 9, LEN, w, row);
		for (int i = 0; i < 3 * LEN; i++)
			bad += part[i / LEN][px_noise_skip(x) + i % LEN] != all[i / LEN][x - FROM + i % LEN];
	}
	test_ok(bad == 0, "grain: white rows do not depend on where they begin (%d differ)", bad);
}

enum { FAR = 1 << 18, TURNS = 1 << 13 };

/* A word of a distance and a direction; its two values. */
static void pair(uint32_t far, uint32_t turn, double v[2])
{
	uint32_t w[8] = { far << 14 | turn };
	float x[16];
	px_noise_normal(w, 8, x);
	v[0] = x[0];
	v[1] = x[8];
}

/* How many of the sorted distances lie below x. */
static int below(const double *r, double x)
{
	int lo = 0, hi = FAR;
	while (lo < hi) {
		int mid = (lo + hi) / 2;
		if (r[mid] < x) lo = mid + 1; else hi = mid;
	}
	return lo;
}

/* Words to normal values against libm: every distance and every direction, the distribution of all 2^32
 * words' values (Kolmogorov-Smirnov), their moments, the whole tail. */
static void normal_values(void)
{
	static double r[FAR], c[2][2 * TURNS];
	double far = 0, turn = 0, odd = 0, p2 = 0, p4 = 0, m[2] = { 0 }, m2[2] = { 0 }, m4[2] = { 0 }, m12 = 0, ks[2] = { 0 };
	for (int i = 0; i < FAR; i++) {
		double v[2], want = sqrt(-2 * log((i + 0.5) / FAR));
		pair((uint32_t)i, 0x2000, v);
		r[FAR - 1 - i] = hypot(v[0], v[1]);
		far = fmax(far, fabs(r[FAR - 1 - i] - want) * fmin(want, 1));
		p2 += pow(r[FAR - 1 - i], 2) / FAR;
		p4 += pow(r[FAR - 1 - i], 4) / FAR;
		if (i && r[FAR - 1 - i] > r[FAR - i]) odd++;
	}
	for (int i = 0; i < 2 * TURNS; i++) {
		double v[2], a = acos(-1) * ((i >> 1) + 0.5) / TURNS, one = sqrt(-2 * log(0.5 / FAR));
		pair(0, (uint32_t)i, v);
		a = i >> 1 < TURNS / 2 ? a : a - acos(-1);
		for (int k = 0; k < 2; k++) {
			double x = c[k][i] = v[k] / one;
			turn = fmax(turn, fabs(x - (i & 1 ? -1 : 1) * (k ? sin(a) : cos(a))));
			m[k] += x / (2 * TURNS);
			m2[k] += x * x * p2 / (2 * TURNS);
			m4[k] += pow(x, 4) * p4 / (2 * TURNS);
		}
		m12 += c[0][i] * c[1][i] / (2 * TURNS);
	}
	test_ok(far < 6e-5 && turn < 2e-5 && odd == 0, "grain: distances within %.2g, directions within %.2g of the exact ones", far, turn);
	test_ok(r[FAR - 1] > 5.13, "grain: values out to %.3f", r[FAR - 1]);
	for (int k = 0; k < 2; k++) {
		for (int i = 0; i < 240; i++) {                 /* closer where directions are few */
			double x = i < 120 ? 5.2 * pow(2, -0.125 * i) : 5.2 * (i - 119.5) / 120, sum = 0;
			for (int j = 0; j < 2 * TURNS; j++) if (c[k][j] > 0) sum += FAR - below(r, x / c[k][j]);
			ks[k] = fmax(ks[k], fabs(sum / FAR / (2 * TURNS) - 0.5 * erfc(x / sqrt(2))));
		}
		test_ok(ks[k] < 3e-5, "grain: Kolmogorov-Smirnov distance %.2g (%s)", ks[k], k ? "sines" : "cosines");
		test_ok(fabs(m[k]) < 1e-7 && fabs(m2[k] - 1) < 1e-4 && fabs(m4[k] - 3) < 1e-3, "grain: mean %.1e, variance %.6f, "
		        "fourth moment %.5f", m[k], m2[k], m4[k]);
	}
	test_ok(fabs(m12) < 1e-7, "grain: the two values of a word correlate by %.1e", m12);
}

static struct image *flat(float v)
{
	struct format f = nc_format(SIDE, SIDE, "R G B", "rec709");
	struct image *im = nc_image(&f);
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < SIDE; y++) for (int x = 0; x < SIDE; x++) *view_at(&im->view, c, x, y) = v;
	return im;
}

static struct image *grained(struct image *im, const char *const *set, int frame, uint64_t instance)
{
	struct nc n;
	struct err e = ERR_INIT;
	if (!nc_make(&n, nc_type(nodes_baseline, "grain"), &im, 1, set, &e)) printf(
	        "not ok grain: %s\n", e.msg);
	n.ctx.instance = instance;
	struct image *out = nc_run(&n, frame, 128, 128);
	nc_free(&n);
	return out;
}

/* Mean of (a_c(x, y) - v) (b_d(x + dx, y + dy) - v). */
static double moment(const struct image *a, int c, const struct image *b, int d, double v, int dx,
                     int dy)
{
	double sum = 0;
	for (int y = 0; y + dy < SIDE; y++)
		for (int x = 0; x + dx < SIDE; x++)
			sum += (*view_at(&a->view, c, x, y) - v) * (*view_at(&b->view, d, x + dx, y + dy) - v);
	return sum / ((double)(SIDE - dx) * (SIDE - dy));
}

static double mean(const struct image *a, int c)
{
	double sum = 0;
	for (int y = 0; y < SIDE; y++) for (int x = 0; x < SIDE; x++) sum += *view_at(&a->view, c, x, y);
	return sum / SIDE / SIDE;
}

static void strength_and_colour(void)
{
	static const char *shares[] = { "colour=0", "colour=0.4", "colour=1" };
	double v = (float)pow(0.18, 1 / 2.4), want[] = { 1, 0.6, 0 };
	struct image *im = flat((float)v);
	for (int i = 0; i < 3; i++) {
		const char *set[] = { "amount=0.03", "size=0.6", shares[i], NULL };
		struct image *out = grained(im, set, 1, 0);
		for (int c = 0; c < 3; c++) {
			double s = sqrt(moment(out, c, out, c, v, 0, 0)), m = mean(out, c) - v;
			test_ok(fabs(s / 0.01 - 1) < 0.005, "grain %s channel %d: deviation %.5f at "
			        "mid-grey", shares[i], c, s);
			test_ok(fabs(m) < 1e-4, "grain %s channel %d: mean moved by %.1e", shares[i], c, m);
		}
		for (int c = 0; c < 3; c++) {
			double rho = moment(out, c, out, (c + 1) % 3, v, 0, 0) / 1e-4;
			test_ok(fabs(rho - want[i]) < 0.015, "grain %s: channels %d and %d correlate by %.4f",
			        shares[i], c, (c + 1) % 3, rho);
		}
		image_unref(&out);
	}
	image_unref(&im);
}

static void shape(void)
{
	double v = (float)pow(0.18, 1 / 2.4);
	struct image *im = flat((float)v);
	const char *set[] = { "amount=0.03", "size=1.3", "colour=1", NULL };
	struct image *out = grained(im, set, 1, 0);
	for (int d = 1; d <= 4; d++) {
		double want = exp(-d * d / (4 * 1.3 * 1.3));
		double x = moment(out, 0, out, 0, v, d, 0) / 1e-4, y = moment(out, 0, out, 0, v, 0, d) / 1e-4;
		test_ok(fabs(x - want) < 0.02 && fabs(y - want) < 0.02,
		        "grain size 1.3: correlation at %d is %.3f and %.3f (%.3f expected)", d, x, y, want);
	}
	image_unref(&out);
	out = grained(im, (const char *[]){ "amount=0.03", "size=0", NULL }, 1, 0);
	test_ok(fabs(moment(out, 0, out, 0, v, 1, 0) / 1e-4) < 0.01,
	        "grain size 0: neighbours are independent");
	double m2 = moment(out, 0, out, 0, v, 0, 0), m4 = 0;
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++) m4 += pow(*view_at(&out->view, 0, x, y) - v, 4);
	m4 /= (double)SIDE * SIDE;
	test_ok(fabs(m4 / (m2 * m2) - 3) < 0.05, "grain size 0: kurtosis %.3f is normal", m4 / (m2 * m2));
	image_unref(&out);
	image_unref(&im);
}

/* Coarse grain comes from a lattice: between any two pixels of a row the covariance that its weights give is the
 * Gaussian's, wherever on the lattice they lie (what lies beyond 3.3 deviations is cut off). */
static void lattice_weights(void)
{
	static const double sizes[] = { 2, 2.5, 3.9, 4, 7.3, 20 };
	for (size_t i = 0; i < IN_COUNT(sizes); i++) {
		double size = sizes[i], worst = 0, uneven = 0;
		int radius = (int)ceil(3.3 * size), shift = px_lattice_shift(size), step = 1 << shift;
		int taps = px_lattice_taps(radius, shift), before = px_lattice_before(radius, shift);
		float *w = xalloc((size_t)radius + 1, sizeof *w), *k = xalloc((size_t)(taps * step), sizeof *k);
		gauss_half_float(size, radius, 2, w);
		px_lattice_weights(w, radius, shift, k);
		for (int d = 0; d < 4 * size; d++)
			for (int p = 0; p < step; p++) {
				int q = (p + d) % step, on = (p + d) / step;
				double sum = 0, want = exp(-d * d / (4 * size * size));
				for (int a = 0; a < taps; a++)
					for (int b = 0; b < taps; b++)
						if (a - before == b - before + on) sum += (double)k[a * step + p] * (double)k[b * step + q];
				worst = fmax(worst, fabs(sum - want));
				if (d == 0) uneven = fmax(uneven, fabs(sum - 1));
			}
		test_ok(step > 1 && worst < 2e-3 && uneven < 1.2e-4, "grain size %g: covariance within %.1e everywhere on a lattice "
		        "of %d, variance %.1e", size, worst, step, uneven);
		free(w);
		free(k);
	}
}

/* The same of grain itself, in the mean of frames and channels; and by place on the lattice. */
static void coarse(const char *size, double sigma)
{
	enum { FRAMES = 6, REACH = 9 };
	double v = (float)pow(0.18, 1 / 2.4), along[2][REACH] = { { 0 } }, place[4] = { 0 };
	struct image *im = flat((float)v);
	for (int f = 1; f <= FRAMES; f++) {
		struct image *out = grained(im, (const char *[]){ "amount=0.03", size, "colour=1", NULL }, f, 0);
		for (int c = 0; c < 3; c++)
			for (int d = 0; d < REACH; d++) {
				along[0][d] += moment(out, c, out, c, v, d, 0) / 1e-4 / (3 * FRAMES);
				along[1][d] += moment(out, c, out, c, v, 0, d) / 1e-4 / (3 * FRAMES);
			}
		for (int y = 0; y < SIDE; y++)
			for (int x = 0; x < SIDE; x++)
				for (int c = 0; c < 3; c++)
					place[(y & 1) * 2 + (x & 1)] += pow(*view_at(&out->view, c, x, y) - v, 2) / 1e-4 /
					                                (3.0 * FRAMES / 4 * SIDE * SIDE);
		image_unref(&out);
	}
	double worst = 0, uneven = 0, all = (place[0] + place[1] + place[2] + place[3]) / 4;
	for (int d = 0; d < REACH; d++)
		for (int k = 0; k < 2; k++) worst = fmax(worst, fabs(along[k][d] - exp(-d * d / (4 * sigma * sigma))));
	for (int k = 0; k < 4; k++) uneven = fmax(uneven, fabs(place[k] / all - 1));
	test_ok(worst < 0.025, "grain %s: correlations within %.4f", size, worst);
	test_ok(uneven < 0.003, "grain %s: variance even by place within %.4f", size, uneven);
	image_unref(&im);
}

/* Response: nothing moves where it is 0; mid-grey has all of it, black and white less. */
static void response(void)
{
	double dev[3], v[3] = { 0, (float)pow(0.18, 1 / 2.4), 1 };
	for (int i = 0; i < 3; i++) {
		struct image *im = flat((float)v[i]), *out = grained(im, (const char *[]){ "amount=0.03", NULL },
		    1, 0);
		dev[i] = sqrt(moment(out, 0, out, 0, v[i], 0, 0)) / 0.01;
		image_unref(&im);
		image_unref(&out);
	}
	test_ok(fabs(dev[0] - 0.35) < 0.01 && fabs(dev[2] - 0.3) < 0.01,
	        "grain: strength %.3f at black, %.3f at white",
	        dev[0], dev[2]);
	struct image *im = flat(0.25f);
	struct image *out = grained(im, (const char *[]){ "amount=0.03", "response=0,0 1,0", NULL }, 1, 0);
	test_ok(nc_same(im, out), "grain: a response of 0 leaves the picture alone");
	image_unref(&im);
	image_unref(&out);
}

static void never_twice(void)
{
	static const char *one[] = { "amount=0.03", "seed=1", NULL }, *two[] = { "amount=0.03", "seed=2",
	    NULL };
	double v = (float)pow(0.18, 1 / 2.4);
	struct image *im = flat((float)v), *a = grained(im, one, 1, 7), *again = grained(im, one, 1, 7);
	struct image *other[4] = { grained(im, one, 2, 7), grained(im, one, 1, 8),
		grained(im, one, 1, (uint64_t)7 << 32 | 7), grained(im, two, 1, 7) };
	static const char *what[] = { "another frame", "another instance", "an instance of other high "
	        "bits", "another seed" };
	test_ok(nc_same(a, again), "grain: the same frame, instance and seed give the same bits");
	for (int i = 0; i < 4; i++) {
		double rho = moment(a, 0, other[i], 0, v, 0, 0) / 1e-4;
		test_ok(fabs(rho) < 0.015, "grain: %s is unrelated (%.4f)", what[i], rho);
		image_unref(&other[i]);
	}
	image_unref(&a);
	image_unref(&again);
	image_unref(&im);
}

int main(void)
{
	struct format f = nc_format(71, 43, "R G B", "rec709"), g = f;
	g.data = rect_of(-3, 5, 60, 48);
	g.space = colour_find("acescct");
	struct image *im = nc_random(&f, 2), *odd = nc_random(&g, 3);
	known_answers();
	words_of_blocks();
	rows_of_words();
	normal_values();
	strength_and_colour();
	shape();
	lattice_weights();
	coarse("size=2", 2);
	coarse("size=2.6", 2.6);
	coarse("size=4.5", 4.5);
	response();
	never_twice();
	nc_invariant("grain", &im, 1, (const char *[]){ "amount=0.1", NULL }, "default");
	nc_invariant("grain", &odd, 1, (const char *[]){ "amount=0.1", "size=3", "colour=0", NULL },
	    "coarse, mono");
	nc_invariant("grain", &odd, 1, (const char *[]){ "amount=0.1", "size=2", NULL }, "lattice of two");
	nc_invariant("grain", &im, 1, (const char *[]){ "amount=0.1", "size=6.5", NULL }, "lattice of four");
	nc_invariant("grain", &odd, 1, (const char *[]){ "amount=0.1", "size=0", "colour=1", NULL },
	    "white");
	*view_at(&im->view, 1, 9, 4) = -__builtin_nanf("5");
	*view_at(&odd->view, 0, 40, 30) = __builtin_nanf("7");
	nc_past("grain", &im, 1, (const char *[]){ "amount=0.1", NULL }, "default");
	nc_past("grain", &odd, 1, (const char *[]){ "amount=0.1", "colour=0", "size=1.9", NULL }, "mono");
	nc_past("grain", &im, 1, (const char *[]){ "amount=0.1", "size=2.5", NULL }, "lattice of two");
	nc_past("grain", &odd, 1, (const char *[]){ "amount=0.1", "size=5", "colour=0", NULL }, "lattice of four, mono");
	image_unref(&im);
	image_unref(&odd);
	TEST_END();
}
