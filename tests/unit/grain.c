/* Unit tests of grain: Philox's published vectors, and the statistics that the parameters promise.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include <math.h>

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
	for (int i = 0; i < 3; i++) {
		struct philox p = philox4x32(v[i][0], v[i][1], v[i][2], v[i][3], v[i][4], v[i][5]);
		test_ok(memcmp(p.c, v[i] + 6, 16) == 0, "philox: known answer %d", i);
	}
}

/* Vectors of blocks in three streams are the scalar blocks, wherever a row begins. */
static void words_of_blocks(void)
{
	struct px_noise_key k = px_noise_key(5, 0x123456789abcdefu, 17);
	enum { LEN = 61 };
	static uint32_t w[3 * (LEN + 64)];
	int bad = 0;
	for (int x = -9; x < 9; x++) {
		int at = px_noise_words(&k, 3, x, -3, LEN, w);
		for (int i = 0; i < 3 * LEN; i++) {
			int c = i / LEN, px = x + i % LEN;
			struct philox p = philox4x32((uint32_t)(px >> 2), (uint32_t)(-3 * 4 + c), 17, 0x89abcdefu, 5,
			                             0x1234567u);
			bad += w[(size_t)c * px_noise_room(LEN) + (size_t)(at + i % LEN)] != p.c[px & 3];
		}
	}
	test_ok(bad == 0, "grain: words of rows are Philox blocks (%d differ)", bad);
}

/* Words to normal values against the distribution function of libm: error in x, Kolmogorov-Smirnov
 * distance, moments (sums over every third value, symmetric), the whole tail. */
static void normal_values(void)
{
	double worst = 0, ks = 0, m2 = 0, m4 = 0, n = 0;
	for (int32_t i = 0; i < 1 << 23; i += i < (1 << 23) - 70000 ? 3 : 1) {
		uint32_t w[2] = { (uint32_t)i << 8 | 0x5au, (uint32_t)(-1 - i) << 8 };
		float x[2];
		px_noise_normal(w, 2, x);
		double tail = 0.5 - (i + 0.5) * 0x1p-24, have = 0.5 * erfc(x[0] / sqrt(2));
		double d = fabs(have - tail), dx = d * sqrt(2 * acos(-1)) * exp(0.5 * (double)x[0] * x[0]);
		if (!(dx <= worst)) worst = dx;
		if (d > ks) ks = d;
		if (x[1] != -x[0]) worst = 1;
		if (i % 3 || i >= (1 << 23) - 2) continue;
		m2 += (double)x[0] * x[0];
		m4 += pow(x[0], 4);
		n++;
	}
	test_ok(worst < 9e-5, "grain: normal values within %.2g of the exact ones, out to 5.42", worst);
	test_ok(ks < 3e-5, "grain: Kolmogorov-Smirnov distance %.2g", ks);
	test_ok(fabs(m2 / n - 1) < 1e-4 && fabs(m4 / n - 3) < 1e-3, "grain: variance %.6f, fourth moment "
	        "%.5f", m2 / n, m4 / n);
	/* quantiles of the normal distribution: Wichura's AS 241 (Python's statistics.NormalDist) */
	static const struct { uint32_t w; double x; } known[] = {
		{ 0x40000000, 0.6744898440 }, { 0x733332ff, 1.6448532224 }, { 0x7fffff00, 5.4199831749 } };
	for (size_t i = 0; i < IN_COUNT(known); i++) {
		float x;
		px_noise_normal(&known[i].w, 1, &x);
		test_ok(fabs(x - known[i].x) < 1e-4, "grain: word %08x is %.5f", known[i].w, x);
	}
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
	normal_values();
	strength_and_colour();
	shape();
	response();
	never_twice();
	nc_invariant("grain", &im, 1, (const char *[]){ "amount=0.1", NULL }, "default");
	nc_invariant("grain", &odd, 1, (const char *[]){ "amount=0.1", "size=3", "colour=0", NULL },
	    "coarse, mono");
	nc_invariant("grain", &odd, 1, (const char *[]){ "amount=0.1", "size=0", "colour=1", NULL },
	    "white");
	image_unref(&im);
	image_unref(&odd);
	TEST_END();
}
