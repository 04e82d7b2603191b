/* draw - fills, lines, rings and text: coverage against exact areas, clipping, and both kinds of
 * canvas alike.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "draw.h"
#include "test.h"

enum { W = 96, H = 64 };
static const struct ink white = { 255, 255, 255, 255 };

static long sum(const uint8_t *p)
{
	long n = 0;
	for (int i = 0; i < W * H; i++) n += p[i * 3];
	return n;
}

static void test_fills(void)
{
	uint8_t p[W * H * 3] = { 0 };
	struct canvas c = canvas_rgb8(p, W, H);
	draw_fill(&c, rect_of(-5, -5, 10, 8), white);
	test_ok(sum(p) == 80 * 255, "draw: a fill is clipped to the canvas (%ld)", sum(p) / 255);
	memset(p, 0, sizeof p);
	draw_frame(&c, rect_of(4, 4, 24, 14), 2, (struct ink){ 255, 0, 0, 128 });
	bool once = true;
	for (int i = 0; i < W * H; i++) once = once && (p[i * 3] == 0 || p[i * 3] == 128);
	test_ok(once && sum(p) == (200 - 96) * 128L, "draw: a frame blends every pixel once (%ld)",
	        sum(p));
}

/* Horizontal, vertical and slanted lines cover length times width. */
static void test_lines(void)
{
	static const int ends[][4] = { { 1000, 4000, 21480, 4000 }, { 4000, 1000, 4000, 13800 },
	                              { 1000, 1000, 20000, 12000 },
	                               { 20000, 1500, 3000, 14000 }, { 5000, 15000, 9000, 1000 } };
	double worst = 0;
	for (size_t i = 0; i < IN_COUNT(ends); i++) {
		uint8_t p[W * H * 3] = { 0 };
		struct canvas c = canvas_rgb8(p, W, H);
		const int *v = ends[i];
		draw_line(&c, v[0], v[1], v[2], v[3], 3 * DRAW_ONE, white);
		double dx = v[2] - v[0], dy = v[3] - v[1],
			area = 3 * draw_isqrt((uint64_t)(dx * dx + dy * dy)) / 256.0;
		double off = sum(p) / 255.0 / area - 1;
		if (off < 0) off = -off;
		if (off > worst) worst = off;
	}
	test_ok(worst < 0.015, "draw: lines of any slope cover their area (worst off by %.2f %%)",
	        worst * 100);
}

static void test_ring(void)
{
	uint8_t p[W * H * 3] = { 0 };
	struct canvas c = canvas_rgb8(p, W, H);
	draw_ring(&c, 48 * 256, 32 * 256, 20 * 256, 2 * 256, white);
	double area = sum(p) / 255.0, want = 3.14159265 * (21 * 21 - 19 * 19);
	test_ok(area > want * 0.99 && area < want * 1.01, "draw: a ring covers its area (%.1f of %.1f)",
	        area, want);
	bool even = true;
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			even = even && p[(y * W + x) * 3] == p[(y * W + W - 1 - x) * 3] &&
				p[(y * W + x) * 3] == p[((H - 1 - y) * W + x) * 3];
	test_ok(even, "draw: a ring is symmetric");
}

/* A picture cut in four, each drawn by itself, is the whole one: what tile nodes rely on. */
static void scribble(const struct canvas *c)
{
	draw_line(c, 300, 500, 23000, 15000, 400, (struct ink){ 200, 30, 90, 170 });
	draw_line(c, 9000, 15800, 9900, 200, 300, (struct ink){ 20, 230, 90, 255 });
	draw_ring(c, 12000, 8000, 6000, 512, (struct ink){ 9, 130, 190, 200 });
	draw_label(c, 3, 20, 2, white, (struct ink){ 0, 0, 60, 140 }, "Tile {8}");
	draw_text_fit(c, 30, 50, 1, 60, white, "too long to fit in");
}

static void test_tiles(void)
{
	static uint8_t p[W * H * 3], q[W * H * 3];
	struct canvas whole = canvas_rgb8(p, W, H), cut = canvas_rgb8(q, W, H);
	memset(p, 40, sizeof p);
	memset(q, 40, sizeof q);
	scribble(&whole);
	for (int i = 0; i < 4; i++) {
		struct canvas part = canvas_clip(&cut,
		                                 rect_of(i % 2 ? 41 : 0, i / 2 ? 27 : 0, i % 2 ? W : 41,
		                                         i / 2 ? H : 27));
		scribble(&part);
	}
	test_ok(memcmp(p, q, sizeof p) == 0, "draw: drawn in parts equals drawn whole");
}

static void test_float(void)
{
	static uint8_t p[W * H * 3];
	static float f[3][W * H];
	struct view v = { rect_of(0, 0, W, H), W, 3, { f[0], f[1], f[2] } };
	static const int rgb[3] = { 0, 1, 2 };
	struct canvas a = canvas_rgb8(p, W, H), b = canvas_float(&v, rgb, 255);
	scribble(&a);
	scribble(&b);
	double worst = 0;
	for (int i = 0; i < W * H * 3; i++) {
		double d = p[i] - (double)f[i % 3][i / 3];
		if (d < 0) d = -d;
		if (d > worst) worst = d;
	}
	test_ok(worst < 2, "draw: a float canvas holds the same picture (worst off by %.2f codes)",
	        worst);
}

/* Every printable character has dots, no two look alike, and none leaves its cell. */
static void test_font(void)
{
	static uint8_t seen[96][12 * 12 * 3];
	int empty = 0, twins = 0, out = 0;
	for (int i = 1; i < 95; i++) {
		char text[2] = { (char)(' ' + i), 0 };
		struct canvas c = canvas_rgb8(seen[i], 12, 12);
		draw_text(&c, 1, 1, 1, white, text);
		bool any = false;
		for (int k = 0; k < 144; k++) {
			bool on = seen[i][k * 3], inside = k % 12 >= 1 && k % 12 < 7 && k / 12 >= 1 &&
				k / 12 < 11;
			any = any || on;
			out += on && !inside;
		}
		empty += !any;
		for (int j = 1; j < i; j++) twins += memcmp(seen[i], seen[j], sizeof seen[i]) == 0;
	}
	test_ok(!empty && !twins && !out, "draw: 94 characters, all different, inside their cells");
	test_ok(draw_text_width(2, "\xc2\xb0" "C") == 22, "draw: a UTF-8 character is one cell");
	uint8_t p[W * H * 3] = { 0 };
	struct canvas c = canvas_rgb8(p, W, H);
	draw_text(&c, 0, 0, 4, white, "\xff\xc2");
	test_ok(sum(p) > 0, "draw: broken UTF-8 shows as boxes");
	draw_text(&c, 2000000000, -2000000, 4, white, "far");
	draw_line(&c, -2000000, -2000000, 2000000, 2000000, 256, white);
	test_ok(1, "draw: far outside is clipped");
}

int main(void)
{
	test_fills();
	test_lines();
	test_ring();
	test_tiles();
	test_float();
	test_font();
	TEST_END();
}
