/* tone - the ACES 2.0 tonescale with a chosen peak, or its inverse.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "grading.h"
#include "mathx.h"
#include "px_rows.h"

enum { FORWARD, EXPAND };

struct tone { double peak, cap; int direction; };

static const struct param params[] = {
	P_FLOATX(tone, peak, 100, 100, 10000, "cd/m2", PF_STATIC,
	         "Brightest the display can be. What comes out is light in units of 100 cd/m2: white of a 100 cd/m2 "
	         "display is 1."),
	P_ENUM(tone, direction, "forward", "forward|expand", PF_STATIC,
	       "expand undoes forward: light as displayed to scene light, for a tone below with the same peak."),
	P_FLOATX(tone, cap, 64, 1, 1024, "", PF_STATIC, "expand: scene light that no highlight goes beyond."),
	P_END
};

/* x to f = m (x / (x + s))^g, to f^2 / (f + t), or back; from at on (the cap,
 * or what it comes to) straight. */
struct tone_state { bool expand; float s, m, g, inv_g, t, at, to, slope; };

struct curve2 { double s, m, g, t; };

/* SCIENCE 2.5: Academy, ACES 2.0 tonescale. */
static struct curve2 tonescale(double peak)
{
	const double nr = 100, g = 1.15, c = 0.18, cd = 10.013, wg = 0.14, t1 = 0.04, rmin = 128, rmax = 896;
	double rhit = rmin + (rmax - rmin) * mx_log(peak / nr) / mx_log(100), m0 = peak / nr;
	double m1 = 0.5 * (m0 + __builtin_sqrt(m0 * (m0 + 4 * t1)));
	double u = mx_pow(rhit / m1 / (rhit / m1 + 1), g), m = m1 / u;
	double ct = cd / nr * (1 + mx_log2(peak / nr) * wg), gip = 0.5 * (ct + __builtin_sqrt(ct * (ct + 4 * t1)));
	double root = mx_pow(gip / m, 1 / g), gipp2 = -(m1 * root) / (root - 1), w2 = c / gipp2;
	double u2 = mx_pow(rhit / m1 / (rhit / m1 + w2), g);
	return (struct curve2){ w2 * m1, m1 / u2, g, t1 };
}
static double tone_at(const struct curve2 *c, double x)
{
	double f = x > 0 ? c->m * mx_pow(x / (x + c->s), c->g) : 0;
	return f * f / (f + c->t);
}

static int tone_open(struct node_ctx *n, struct err *e)
{
	const struct tone *p = n->v;
	struct tone_state *s = n->state = xalloc(1, sizeof *s);
	struct curve2 c = tonescale(p->peak);
	(void)e;
	double x = p->cap, q = x / (x + c.s), f = c.m * mx_pow(q, c.g), y = tone_at(&c, x);
	double df = f * c.g * c.s / (x * (x + c.s)), dy = f * (f + 2 * c.t) / ((f + c.t) * (f + c.t)) * df;
	s->expand = p->direction == EXPAND;
	s->s = (float)c.s; s->m = (float)c.m; s->g = (float)c.g; s->inv_g = (float)(1 / c.g); s->t = (float)c.t;
	s->at = (float)(s->expand ? y : x);
	s->to = (float)(s->expand ? x : y);
	s->slope = (float)(s->expand ? 1 / dy : dy);
	return 0;
}
static void tone_close(struct node_ctx *n)
{
	free(n->state);
	n->state = NULL;
}

/* Both are mirrored below 0. */
static void forward_row(const struct tone_state *c, float *IN_RESTRICT p, int n)
{
	float v[PX_BLOCK];
	const float s = c->s, m = c->m, t = c->t, at = c->at, to = c->to, slope = c->slope;
	for (int i = 0; i < n; i++) { float a = px_min(at, px_abs(p[i])); v[i] = a / (a + s); }
	px_power_row(v, c->g, POW_ODD, n);
	for (int i = 0; i < n; i++) {
		float f = m * v[i], a = px_abs(p[i]), y = f * f / (f + t);
		y = a > at ? to + (a - at) * slope : y;
		p[i] = px_flt(px_bitsf(y) | (px_bitsf(p[i]) & 0x80000000u));
	}
}
static void expand_row(const struct tone_state *c, float *IN_RESTRICT p, int n)
{
	float v[PX_BLOCK];
	const float s = c->s, im = 1.0f / c->m, t = c->t, at = c->at, to = c->to, slope = c->slope;
	for (int i = 0; i < n; i++) {
		float y = px_min(at, px_abs(p[i]));
		v[i] = 0.5f * (y + __builtin_sqrtf(y * (y + 4.0f * t))) * im;
	}
	px_power_row(v, c->inv_g, POW_ODD, n);
	for (int i = 0; i < n; i++) {
		float a = px_abs(p[i]), x = s * v[i] / (1.0f - v[i]);
		x = a > at ? to + (a - at) * slope : x;
		p[i] = px_flt(px_bitsf(x) | (px_bitsf(p[i]) & 0x80000000u));
	}
}

static void row(const void *state, float *const p[3], int n)
{
	const struct tone_state *s = state;
	for (int i = 0; i < n; i += PX_BLOCK) {
		int m = n - i < PX_BLOCK ? n - i : PX_BLOCK;
		for (int k = 0; k < 3; k++) {
			if (s->expand) expand_row(s, p[k] + i, m);
			else forward_row(s, p[k] + i, m);
		}
	}
}
static int tile(const struct call *c, struct rect r)
{
	grading_rows(c, r, row);
	return 0;
}
static double flops(const struct node_ctx *n) { (void)n; return 160; }

const struct node_type ISA(node_tone) = {
	.name = "tone",
	.doc = "The ACES 2.0 tonescale with a chosen peak, or its inverse.",
	.more = "Scene light to the light of a display: mid-grey 0.18 comes out at 10 cd/m2 for a 100 "
	        "cd/m2 display and a little higher for brighter ones, highlights roll off towards peak "
	        "without a kink. Applied to red, green and blue apart; it is the curve of ACES 2.0, "
	        "not its whole output transform. f = m (x / (x + s))^1.15, y = f^2 / (f + 0.04), s and "
	        "m from the peak; mirrored below 0. direction=\"expand\" is the exact inverse and "
	        "lifts highlights of a display-referred clip to scene light; from cap on both go on "
	        "straight with the slope that they have there, so that expand and then forward with "
	        "the same peak and cap give back the clip.",
	.category = "colour", .version = 1, .size = sizeof(struct tone), .params = params,
	.inputs = "image mask?", .flags = NF_RGB | NF_MASKED, .traits = TR_TONE, .want = WANT_LINEAR,
	.example = "<tone id=\"shown\" in=\"graded\" peak=\"100\"/>",
	.open = tone_open, .close = tone_close, .flops = flops, .in_place = node_in_place, .tile = tile,
};
