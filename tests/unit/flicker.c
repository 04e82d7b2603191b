/* flicker - brightness that comes and goes is seen, pans are not; crawling edges are told from calm ones.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "flicker.h"
#include "mathx.h"
#include "node.h"
#include "test.h"

enum { W = 256, H = 192, FRAMES = 24 };

static float scenery(double x, double y)
{
	double sum = 0.5;
	for (int k = 1; k < 6; k++) sum += 0.08 * mx_sin(x * (0.05 + 0.037 * k) + k * k) * mx_cos(y * (0.043 + 0.029 * k) - k);
	return (float)sum;
}

/* A signed hash of the place and frame, +-1/2. */
static float noise(int x, int y, int f)
{
	uint32_t v = (uint32_t)x * 0x9e3779b1u ^ (uint32_t)y * 0x85ebca77u ^ (uint32_t)f * 0xc2b2ae3du;
	v = (v ^ (v >> 15)) * 0x2c1b3c6du;
	v = (v ^ (v >> 12)) * 0x297a2d39u;
	return (float)((v ^ (v >> 15)) >> 8) / (1 << 24) - 0.5f;
}

/* pan: pixels a frame; pulse: amplitude, period frames; boil: noise where the picture has edges; cut: scenery changes half-way. */
struct recipe { double pan, pulse, period, boil; bool cut; };

static void draw(struct recipe r, int i, float *p)
{
	double gain = 1 + r.pulse * mx_sin(2 * 3.14159265358979 * i / (r.period > 0 ? r.period : 1));
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			double sx = x + r.pan * i + (r.cut && i >= FRAMES / 2 ? 5000 : 0), sy = y;
			bool box = ((int)(sx + 64000) / 32 + (int)sy / 32) & 1;
			double v = (double)scenery(sx, sy) * 0.3 * gain + (box ? 0.5 * gain : 0.1 * gain);
			bool edge = ((int)(sx + 64000) & 31) < 2 || ((int)(sx + 64000) & 31) > 29;
			p[y * W + x] = (float)v + (edge ? (float)r.boil * noise(x, y, i) : 0.0f);
		}
}

/* along: another version, whose motion and edges count; NULL: its own. */
static struct flicker_report measure_along(struct recipe r, const struct recipe *along)
{
	struct err e = ERR_INIT;
	struct flicker *f = flicker_new(W, H, 24);
	struct flicker_report out;
	float *p = malloc(sizeof *p * W * H), *q = malloc(sizeof *q * W * H);
	const float *rgb[3] = { p, p, p }, *guide[3] = { q, q, q };
	for (int i = 0; i < FRAMES; i++) {
		draw(r, i, p);
		if (along) draw(*along, i, q);
		int rc = along ? flicker_add_along(f, guide, rgb, &e) : flicker_add(f, rgb, &e);
		if (rc < 0) test_ok(0, "flicker %s", e.msg);
	}
	flicker_end(f, &out);
	flicker_free(&f);
	free(p);
	free(q);
	return out;
}
static struct flicker_report measure(struct recipe r) { return measure_along(r, NULL); }

int main(void)
{
	struct err e = ERR_INIT;
	node_isa_set(ISA_AUTO, &e);
	struct flicker_report still = measure((struct recipe){ 0 });
	test_ok(still.brightness < 1e-3 && still.edges < 0.01 && still.frames == FRAMES && still.pairs == FRAMES - 1,
	        "flicker of a still is nothing (%.4f, edges %.4f)", still.brightness, still.edges);
	struct flicker_report pan = measure((struct recipe){ .pan = 3 });
	test_ok(pan.brightness < 0.15, "a pan is no flicker (%.3f codes)", pan.brightness);
	/* 1 %: amplitude about 0.01 x 0.45 x 255 = 1.15 codes, 0.8 rms */
	struct flicker_report pulse = measure((struct recipe){ .pulse = 0.01, .period = 4 });
	test_ok(pulse.brightness > 0.4 && pulse.brightness < 2 && pulse.fast > 0.9, "1 %% at 6 Hz is flicker (%.3f codes, %.0f %% fast)",
	        pulse.brightness, 100 * pulse.fast);
	struct flicker_report both = measure((struct recipe){ .pan = 2, .pulse = 0.01, .period = 4 });
	test_ok(both.brightness > 0.4 && both.brightness > 3 * pan.brightness, "in a pan too (%.3f codes)", both.brightness);
	struct flicker_report slow = measure((struct recipe){ .pulse = 0.05, .period = 24 });
	test_ok(slow.fast < 0.1, "a slow change is not fast (%.0f %% above 3 Hz)", 100 * slow.fast);
	struct flicker_report boil = measure((struct recipe){ .boil = 0.08 });
	test_ok(boil.edges > 2 && boil.crawl > 2.5 && boil.edges > 20 * still.edges, "boiling edges (%.2f codes, ratio %.1f)",
	        boil.edges, boil.crawl);
	struct flicker_report cut = measure((struct recipe){ .cut = true });
	test_ok(cut.pairs == FRAMES - 2 && cut.brightness < 0.01, "a cut is no flicker (%d pairs, %.3f codes)", cut.pairs,
	        cut.brightness);
	struct flicker_report own = measure_along((struct recipe){ .boil = 0.08 }, &(struct recipe){ .boil = 0.08 });
	test_ok(own.edges == boil.edges && own.warp == boil.warp && own.pairs == boil.pairs, "along itself is by itself (%.2f codes)", own.edges);
	/* a cut joins no frames; along the version without one they are compared */
	struct flicker_report other = measure_along((struct recipe){ .cut = true }, &(struct recipe){ 0 });
	test_ok(other.pairs == FRAMES - 1 && other.edges > 1, "along another version its motion and edges count (%d pairs, %.2f codes)",
	        other.pairs, other.edges);
	TEST_END();
}
