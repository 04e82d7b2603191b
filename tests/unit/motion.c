/* motion - flow against motion that is known: shifts, a turn, two layers; any size; the same bits everywhere.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "mathx.h"
#include "motion.h"
#include "node.h"
#include "test.h"

enum { W = 320, H = 200 };

struct field { float *dx, *dy, *conf; };

static struct field estimate(const float *a, const float *b, int w, int h, int quality, bool conf)
{
	size_t n = (size_t)w * (size_t)h, bytes = motion_scratch(w, h, quality);
	struct field f = { malloc(n * 4), malloc(n * 4), malloc(n * 4) };
	char *s = aligned_alloc(64, ((bytes + 63) & ~(size_t)63) + 64);
	memset(s, 0xff, bytes);                   /* not numbers: nothing may depend on what was there */
	memset(s + bytes, 0x5a, 64);
	struct motion_job j = { .from = a, .to = b, .pitch = w, .w = w, .h = h, .quality = quality, .dx = f.dx, .dy = f.dy,
		.confidence = conf ? f.conf : NULL, .out_pitch = w, .scratch = s };
	if (motion_estimate(&j) < 0) test_ok(0, "motion estimate");
	for (int i = 0; i < 64; i++)
		if (s[bytes + (size_t)i] != 0x5a) { test_ok(0, "motion scratch of %dx%d", w, h); break; }
	free(s);
	return f;
}

static void field_free(struct field *f)
{
	free(f->dx);
	free(f->dy);
	free(f->conf);
}

static double hash01(int x, int y)
{
	uint32_t v = (uint32_t)x * 0x9e3779b1u ^ (uint32_t)y * 0x85ebca77u;
	v = (v ^ (v >> 15)) * 0x2c1b3c6du;
	v = (v ^ (v >> 12)) * 0x297a2d39u;
	return (double)((v ^ (v >> 15)) >> 8) / (1 << 24);
}

/* Smooth noise at three scales, defined everywhere. */
static double texture(double x, double y)
{
	double sum = 0;
	for (int k = 0, size = 24; k < 3; k++, size /= 2) {
		double px = x / size + 1000 + 7 * k, py = y / size + 1000, qx = mx_floor(px), qy = mx_floor(py);
		double fx = px - qx, fy = py - qy;
		fx = fx * fx * (3 - 2 * fx);
		fy = fy * fy * (3 - 2 * fy);
		int i = (int)qx, j = (int)qy;
		double a = hash01(i, j), b = hash01(i + 1, j), c = hash01(i, j + 1), d = hash01(i + 1, j + 1);
		sum += (a + (b - a) * fx + (c - a) * fy + (a - b - c + d) * fx * fy) * (k == 0 ? 0.5 : 0.25);
	}
	return sum;
}

typedef void warp(double x, double y, double *u, double *v);
static void still(double x, double y, double *u, double *v) { (void)x; (void)y; *u = *v = 0; }
static void shift(double x, double y, double *u, double *v) { (void)x; (void)y; *u = 5.3; *v = -2.75; }
static void far(double x, double y, double *u, double *v) { (void)x; (void)y; *u = -23; *v = 9; }
static void turn(double x, double y, double *u, double *v) { *u = -0.03 * (y - H / 2); *v = 0.03 * (x - W / 2); }
static void bend(double x, double y, double *u, double *v)
{
	*u = 3 * mx_sin(y / 40) + 1;
	*v = 2 * mx_sin(x / 50);
}

/* to(x) = texture, from(x) = texture(x + u): from(x) is found at x + u. Noise of sigma 2 codes or so. */
static void pair(warp *w, float *from, float *to, double noise)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			double u, v, g = 0, k = 0;
			w(x, y, &u, &v);
			for (int i = 0; i < 4; i++) g += hash01(x * 4 + i, y + 5000) - 0.5, k += hash01(x * 4 + i, y + 9000) - 0.5;
			from[y * W + x] = (float)(texture(x + u, y + v) + g * noise * 1.73);
			to[y * W + x] = (float)(texture(x, y) + k * noise * 1.73);
		}
}

static void measure(const struct field *f, warp *w, double *epe, double *trust)
{
	double sum = 0, c = 0;
	int n = 0;
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			double u, v;
			w(x, y, &u, &v);
			if (x + u < 0 || y + v < 0 || x + u > W - 1 || y + v > H - 1) continue;
			double a = (double)f->dx[y * W + x] - u, b = (double)f->dy[y * W + x] - v;
			sum += sqrt(a * a + b * b);
			c += (double)f->conf[y * W + x];
			n++;
		}
	*epe = sum / n;
	*trust = c / n;
}

static void known(const char *name, warp *w, int quality, double noise, double most)
{
	float *a = malloc(sizeof(float) * W * H), *b = malloc(sizeof(float) * W * H);
	double epe, trust;
	pair(w, a, b, noise);
	struct field f = estimate(a, b, W, H, quality, true);
	measure(&f, w, &epe, &trust);
	test_ok(epe < most && trust > 0.85, "motion %s quality %d noise %.3f (end-point error %.3f, confidence %.2f)", name, quality,
	        noise, epe, trust);
	field_free(&f);
	free(a);
	free(b);
}

/* What moves out of the picture, or is covered, is not trusted. */
static void hidden(void)
{
	float *a = malloc(sizeof(float) * W * H), *b = malloc(sizeof(float) * W * H);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			bool in = x >= 100 && x < 180 && y >= 60 && y < 140, moved = x >= 116 && x < 196 && y >= 60 && y < 140;
			a[y * W + x] = (float)(in ? texture(x, y) : texture(x + 700, y + 300));
			b[y * W + x] = (float)(moved ? texture(x - 16, y) : texture(x + 700, y + 300));
		}
	struct field f = estimate(a, b, W, H, MOTION_MEDIUM, true);
	double covered = 0, seen = 0, err = 0;
	for (int y = 70; y < 130; y++) {
		for (int x = 183; x < 194; x++) covered += (double)f.conf[y * W + x] / (60 * 11);
		for (int x = 110; x < 170; x++) {
			seen += (double)f.conf[y * W + x] / (60 * 60);
			err += fabs((double)f.dx[y * W + x] - 16) / (60 * 60);
		}
	}
	test_ok(covered < 0.25 && seen > 0.95, "motion confidence of what is covered %.2f, of what is seen %.2f", covered, seen);
	test_ok(err < 0.2, "motion of the upper layer (off by %.3f)", err);
	field_free(&f);
	free(a);
	free(b);
}

static bool same(const float *a, const float *b, size_t n) { return memcmp(a, b, n * sizeof *a) == 0; }

static void isas(void)
{
	static const int sizes[][2] = { { 1, 1 }, { 1, 9 }, { 13, 1 }, { 7, 9 }, { 33, 17 }, { 65, 3 }, { 129, 71 }, { W, H } };
	float *a = malloc(sizeof(float) * W * H), *b = malloc(sizeof(float) * W * H);
	pair(bend, a, b, 0.01);
	a[40] = __builtin_nanf("");
	b[77] = __builtin_inff();
	b[78] = -1e30f;
	for (int q = 0; q <= MOTION_FINE; q++) {
		bool ok = true, sane = true;
		int have = 0;
		for (size_t i = 0; i < IN_COUNT(sizes); i++) {
			size_t n = (size_t)sizes[i][0] * (size_t)sizes[i][1];
			struct field first = { 0 };
			for (int isa = ISA_BASELINE; isa <= ISA_AVX512; isa++) {
				struct err e = ERR_INIT;
				if (node_isa_set((enum isa)isa, &e) < 0) continue;
				struct field f = estimate(a, b, sizes[i][0], sizes[i][1], q, true);
				for (size_t k = 0; k < n; k++)
					if (!(fabs((double)f.dx[k]) < 1e4) || !(f.conf[k] >= 0 && f.conf[k] <= 1)) sane = false;
				if (!first.dx) { first = f; continue; }
				if (!same(f.dx, first.dx, n) || !same(f.dy, first.dy, n) || !same(f.conf, first.conf, n)) ok = false;
				have++;
				field_free(&f);
			}
			field_free(&first);
		}
		test_ok(ok && sane, "motion quality %d: equal bits on %d more instruction sets, finite, any size", q, have / 8);
	}
	free(a);
	free(b);
}

int main(void)
{
	struct err e = ERR_INIT;
	node_isa_set(ISA_AUTO, &e);
	known("still", still, MOTION_MEDIUM, 0, 0.01);
	known("shift", shift, MOTION_FAST, 0, 0.15);
	known("shift", shift, MOTION_MEDIUM, 0, 0.05);
	known("shift", shift, MOTION_FINE, 0, 0.04);
	known("shift", shift, MOTION_MEDIUM, 0.008, 0.1);
	known("far", far, MOTION_MEDIUM, 0.008, 0.15);
	known("turn", turn, MOTION_MEDIUM, 0.008, 0.15);
	known("bend", bend, MOTION_MEDIUM, 0.008, 0.2);
	hidden();
	isas();
	TEST_END();
}
