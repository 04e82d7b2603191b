/* blur_past - the convolution on tiles of every shape and radius: through the caches and past them
 * the same bits as sums one pixel at a time, NaNs canonical past the caches, and nothing written outside.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "px_blur.h"
#include "rng.h"
#include "test.h"

enum { W = 83, H = 57, GUARD = 8, MOST = 530 };

static uint32_t draw(uint32_t *at, uint32_t n) { return philox4x32((*at)++, 0, 3, 0, 7, 2).c[0] % n; }

static uint32_t bits(float f)
{
	uint32_t u;
	memcpy(&u, &f, sizeof u);
	return f != f ? 0x7fc00000u : u;
}

struct axis { int radius; float w[MOST + 1]; };

static float pixel(const float *src, int x, int y, int edges)
{
	int i = px_edge(x, 0, W, edges), k = px_edge(y, 0, H, edges);
	return i < 0 || k < 0 ? 0 : src[k * W + i];
}

/* A row across at x: the outermost pair first. */
static float across(const float *src, const struct axis *a, int x, int y, int edges)
{
	float acc = 0;
	for (int i = a->radius; i > 0; i--)
		acc += a->w[i] * (pixel(src, x - i, y, edges) + pixel(src, x + i, y, edges));
	return acc + a->w[0] * pixel(src, x, y, edges);
}

static float plain(const float *src, const struct axis *a, const struct axis *b, int x, int y, int edges)
{
	float acc = 0;
	for (int i = b->radius; i > 0; i--)
		acc += b->w[i] * (across(src, a, x, y - i, edges) + across(src, a, x, y + i, edges));
	return acc + b->w[0] * across(src, a, x, y, edges);
}

struct blurred { const float *src; const struct axis *a, *b; int edges; };

static bool agrees(const struct blurred *t, const float *block, int stride, struct rect r, bool exact)
{
	bool good = true;
	for (int y = r.y0 - 1; y <= r.y1; y++)
		for (int x = r.x0 - 1; x <= r.x1; x++) {
			bool inside = x >= r.x0 && x < r.x1 && y >= r.y0 && y < r.y1;
			float got = block[(ptrdiff_t)(y - r.y0 + 1) * stride + GUARD + x - r.x0];
			uint32_t u;
			memcpy(&u, &got, sizeof u);
			if (!inside) good = good && got == 77;
			else good = good && (exact ? u : bits(got)) == bits(plain(t->src, t->a, t->b, x, y, t->edges));
		}
	return good;
}

/* One tile in a block with a border of 77s, aligned or not. */
static bool tile(const struct blurred *t, struct rect r, bool past, int shift)
{
	struct rect data = rect_of(0, 0, W, H);
	struct rect have = px_edge_rect(rect_grow(r, t->a->radius, t->b->radius), data, t->edges);
	int w = (rect_w(r) + 2 * GUARD + 31) & ~15, h = rect_h(r) + 2, line = rect_w(r) + 2 * t->a->radius;
	size_t need = px_blur_past_floats(rect_w(r), rect_h(have), line), n = (size_t)(w + 16) * (size_t)h;
	float *block = aligned_alloc(64, (n * sizeof *block + 63) & ~(size_t)63);
	float *scratch = aligned_alloc(64, (need * sizeof *scratch + 63) & ~(size_t)63);
	float *put = scratch + px_blur_floats(rect_w(r), rect_h(have), line);
	for (size_t i = 0; i < n; i++) block[i] = 77;
	struct view out = { .r = r, .stride = w, .nch = 1, .plane = { block + shift + w + GUARD } };
	struct view in = { .r = have, .stride = W, .nch = 1,
	                   .plane = { (float *)(uintptr_t)t->src + have.y0 * W + have.x0 } };
	struct px_kernel a = { t->a->radius, t->a->w }, b = { t->b->radius, t->b->w };
	int rc = past ? px_blur_to(&a, &b, t->edges, &in, &out, r, have, data, scratch, put, NULL)
	              : px_blur(&a, &b, t->edges, &in, &out, r, have, data, scratch, NULL);
	bool good = rc == 0 && agrees(t, block + shift, w, r, past);
	free(block);
	free(scratch);
	return good;
}

static void kernel(struct axis *a, int radius)
{
	a->radius = radius;
	for (int i = 0; i <= radius; i++) a->w[i] = 1.0f / (float)(1 + i * i + radius);
}

int main(void)
{
	static const int radii[][2] = { { 0, 2 }, { 1, 1 }, { 2, 0 }, { 3, 3 }, { 4, 4 }, { 5, 5 },
	                                { 6, 9 }, { 7, 6 }, { 21, 21 }, { 28, 40 }, { 3, MOST } };
	static const char *const names[] = { "hold", "mirror", "black" };
	static struct axis a, b;
	uint32_t at = 0;
	float *src = malloc(sizeof *src * W * H);
	for (int i = 0; i < W * H; i++) src[i] = (float)draw(&at, 1 << 20) * 0x1p-20f - 0.25f;
	for (size_t i = 0; i < IN_COUNT(radii); i++)
		for (int edges = 0; edges < 3; edges++) {
			int bad = 0, many = radii[i][1] > 100 ? 4 : 16;
			kernel(&a, radii[i][0]);
			kernel(&b, radii[i][1]);
			/* not where they would cover all */
			src[W * 20 + 30] = b.radius < 10 ? -__builtin_nanf("5") : 0.25f;
			src[W * 11 + 50] = b.radius < 10 ? __builtin_inff() : 0.5f;
			struct blurred t = { src, &a, &b, edges };
			for (int k = 0; k < many; k++) {
				int w = 1 + (int)draw(&at, k % 4 ? 24 : W), h = 1 + (int)draw(&at, k % 3 ? 8 : k > 3 ? 20 : H);
				int x = (int)draw(&at, (uint32_t)(W - w + 1)), y = (int)draw(&at, (uint32_t)(H - h + 1));
				bad += !tile(&t, rect_of(x, y, x + w, y + h), k & 1, k % 5 ? GUARD : 1);
			}
			test_ok(bad == 0, "radii %d and %d, %s: %d of %d tiles differ", a.radius, b.radius,
			        names[edges], bad, many);
		}
	free(src);
	TEST_END();
}
