/* pattern_shot - the interior that pattern kind="shot" shows: analytic in place and time, in
 * linear light.
 *
 * Lengths are picture heights, y down, the frame's centre at (0.889, 0.5). Shapes are signed
 * distances covered over one pixel; textures are value noise on a lattice made by Philox. Only +
 * - * / sqrt and comparisons.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PATTERN_SHOT_H
#define IN_PATTERN_SHOT_H

#include "base.h"

enum { SHOT_LATTICE = 256 };

struct rgb { float r, g, b; };

/* One frame of one shot, made once a tile. px: a pixel's side. Threads: worker. */
struct shot {
	const float *lattice;
	float t;                               /* seconds */
	float px, zoom, cx, cy;                /* camera */
	float pan;                             /* camera, sideways: near things move more */
	float sway, turn, blink, breath;       /* the sitter */
	struct rgb light;                      /* exposure and colour cast */
	float sun, fill;                       /* strength of window and room light */
	const struct rgb *chart;               /* 24 patches, linear */
};

IN_INLINE struct rgb rgb_of(float r, float g, float b) { struct rgb c = { r, g, b }; return c; }
IN_INLINE struct rgb rgb_mul(struct rgb c, float k) { return rgb_of(c.r * k, c.g * k, c.b * k); }
IN_INLINE struct rgb rgb_tint(struct rgb c,
                              struct rgb k) { return rgb_of(c.r * k.r, c.g * k.g, c.b * k.b); }
IN_INLINE struct rgb rgb_add(struct rgb c,
                             struct rgb k) { return rgb_of(c.r + k.r, c.g + k.g, c.b + k.b); }
IN_INLINE struct rgb rgb_mix(struct rgb a, struct rgb b, float t)
{ return rgb_of(a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t); }

IN_INLINE float sh_abs(float x) { return x < 0 ? -x : x; }
IN_INLINE float sh_max(float a, float b) { return a > b ? a : b; }
IN_INLINE float sh_min(float a, float b) { return a < b ? a : b; }
IN_INLINE float sh_clamp(float x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
IN_INLINE float sh_step(float a, float b, float x)
{ float t = sh_clamp((x - a) / (b - a)); return t * t * (3 - 2 * t); }
IN_INLINE int sh_floor(float x) { int i = (int)x; return (float)i > x ? i - 1 : i; }
/* A sine of x turns, to 1e-3: two parabolas, refined once. */
IN_INLINE float sh_wave(float x)
{
	float t = x - (float)sh_floor(x) - 0.5f, y = 8 * t - 16 * t * sh_abs(t);
	return -(0.225f * (y * sh_abs(y) - y) + y);
}
/* A bell of width 1: falls like a Gaussian, ends at 0. */
IN_INLINE float sh_bell(float d2) { float t = sh_max(1 - d2 * 0.25f, 0); return t * t * t * t; }

static float sh_noise(const struct shot *s, float x, float y)
{
	int xi = sh_floor(x), yi = sh_floor(y), m = SHOT_LATTICE - 1;
	float fx = x - (float)xi, fy = y - (float)yi;
	const float *a = s->lattice + (ptrdiff_t)(yi & m) * SHOT_LATTICE;
	const float *b = s->lattice + (ptrdiff_t)((yi + 1) & m) * SHOT_LATTICE;
	fx = fx * fx * (3 - 2 * fx);
	fy = fy * fy * (3 - 2 * fy);
	float u = a[xi & m] + (a[(xi + 1) & m] - a[xi & m]) * fx;
	float v = b[xi & m] + (b[(xi + 1) & m] - b[xi & m]) * fx;
	return u + (v - u) * fy;
}

static float sh_fbm(const struct shot *s, float x, float y, int octaves)
{
	float sum = 0, k = 0.5f;
	for (int i = 0; i < octaves; i++) {
		sum += k * sh_noise(s, x, y);
		x = x * 2.03f + 17.3f;
		y = y * 1.97f + 5.1f;
		k *= 0.5f;
	}
	return sum;
}

/* How much of the pixel lies inside a shape at distance d from its edge. */
IN_INLINE float sh_cover(const struct shot *s, float d) { return sh_clamp(0.5f - d / s->px); }
IN_INLINE float sh_soft(float d, float width) { return sh_step(width, -width, d); }

IN_INLINE float sh_box(float x, float y, float cx, float cy, float hw, float hh, float round)
{
	float dx = sh_abs(x - cx) - hw + round, dy = sh_abs(y - cy) - hh + round;
	float ox = sh_max(dx, 0), oy = sh_max(dy, 0);
	return __builtin_sqrtf(ox * ox + oy * oy) + sh_min(sh_max(dx, dy), 0) - round;
}
/* Distance to an ellipse, exact to first order at its edge. */
IN_INLINE float sh_ellipse(float x, float y, float cx, float cy, float a, float b)
{
	float u = (x - cx) / a, v = (y - cy) / b, f = u * u + v * v;
	float gx = u / a, gy = v / b, g = __builtin_sqrtf(gx * gx + gy * gy) + 1e-6f;
	return (f - 1) / (2 * g);
}

/* Daylight that reaches a place of the room, falling off from the window. */
static float sh_daylight(const struct shot *s, float x, float y)
{
	float dx = x - 0.40f, dy = (y - 0.40f) * 1.2f;
	return s->sun * 1.25f / (1 + 2.6f * (dx * dx + dy * dy)) + s->fill;
}

static struct rgb sh_outside(const struct shot *s, float x, float y)
{
	struct rgb sky = rgb_mix(rgb_of(2.3f, 2.9f, 3.7f), rgb_of(4.2f, 4.0f, 3.6f), sh_clamp(y * 1.7f));
	float cloud = sh_fbm(s, x * 4 + s->t * 0.05f, y * 9, 4);
	sky = rgb_mix(sky, rgb_of(5.2f, 5.1f, 4.9f), sh_step(0.45f, 0.75f, cloud));
	float wind = 0.006f * sh_wave(s->t * 0.31f + y * 2);
	float crown = sh_fbm(s, (x + wind) * 7, y * 7, 3) - 0.62f + (y - 0.34f) * 1.5f;
	float leaf = sh_fbm(s, (x + wind * 2) * 34, y * 34 + s->t * 0.2f, 3);
	struct rgb tree = rgb_mix(rgb_of(0.16f, 0.30f, 0.08f), rgb_of(1.0f, 1.35f, 0.42f),
	    sh_step(0.25f, 0.75f, leaf));
	struct rgb c = rgb_mix(sky, tree, sh_soft(-crown, 0.12f) * 0.92f);
	float lawn = sh_step(0.50f, 0.53f, y + 0.01f * leaf);
	return rgb_mix(c, rgb_mul(rgb_of(0.55f, 0.85f, 0.22f), 0.7f + leaf), lawn);
}

static struct rgb sh_wall(const struct shot *s, float x, float y)
{
	float blot = sh_fbm(s, x * 5, y * 5, 4), grit = sh_noise(s, x * 260, y * 260) - 0.5f;
	float trowel = sh_noise(s, x * 34 + blot * 3, y * 95) - 0.5f;
	struct rgb c = rgb_mul(rgb_of(0.47f, 0.40f, 0.315f), 0.86f + 0.3f * blot + 0.10f * grit + 0.07f *
	    trowel);
	float corner = sh_step(1.62f, 1.66f, x);
	c = rgb_mul(c, 1 - 0.35f * corner);
	float l = sh_daylight(s, x, y);
	/* the window's light on the wall, with the shadow of its cross */
	float q = x - 1.13f - (y - 0.30f) * 0.32f, p = y - 0.30f + 0.10f * q;
	float patch = sh_soft(sh_max(sh_abs(q) - 0.13f, sh_abs(p) - 0.20f), 0.018f);
	patch *= sh_step(0.004f, 0.016f, sh_abs(q)) * sh_step(0.003f, 0.013f, sh_abs(p + 0.05f));
	patch *= 0.6f + 0.5f * sh_fbm(s, x * 9 + s->t * 0.15f, y * 9, 3);
	return rgb_add(rgb_mul(c, l * 0.62f), rgb_mul(rgb_tint(c, rgb_of(1.25f, 1.0f, 0.66f)),
	    patch * s->sun));
}

static struct rgb sh_window(const struct shot *s, float x, float y, struct rgb c)
{
	float d = sh_box(x, y, 0.42f, 0.33f, 0.27f, 0.275f, 0.004f);
	if (d > 0.09f) return c;
	/* the reveal, lit from the side, and the glow around it */
	c = rgb_add(c, rgb_mul(rgb_of(0.30f, 0.28f, 0.25f), s->sun * sh_step(0.09f, 0, d) * 0.35f));
	struct rgb wood = rgb_mul(rgb_of(0.40f, 0.38f, 0.35f), 0.62f + 0.2f * sh_noise(s, x * 30,
	    y * 160));
	c = rgb_mix(c, wood, sh_cover(s, d - 0.026f));
	c = rgb_mul(c, 1 - 0.45f * sh_cover(s, sh_abs(d - 0.026f) - 0.0022f));
	float px = x + (x - 0.42f) * 0.1f;
	struct rgb out = rgb_mul(sh_outside(s, px, y), 0.62f * s->sun);
	c = rgb_mix(c, out, sh_cover(s, d));
	float bar = sh_min(sh_abs(x - 0.42f) - 0.011f, sh_abs(y - 0.22f) - 0.009f);
	struct rgb dark = rgb_mul(rgb_of(0.21f, 0.19f, 0.17f), 0.7f + 0.5f * sh_step(0.004f, -0.008f,
	    bar));
	c = rgb_mix(c, dark, sh_cover(s, sh_max(bar, d)));
	/* sill */
	float sill = sh_box(x, y, 0.42f, 0.636f, 0.325f, 0.017f, 0.004f);
	c = rgb_mix(c, rgb_mul(rgb_of(0.78f, 0.74f, 0.68f), 0.55f + 0.75f * sh_step(0.65f, 0.62f, y)),
	    sh_cover(s, sill));
	return rgb_mul(c, 1 - 0.5f * sh_soft(sh_box(x, y, 0.42f, 0.664f, 0.32f, 0.006f, 0), 0.008f));
}

static struct rgb sh_curtain(const struct shot *s, float x, float y, struct rgb c)
{
	if (x > 0.84f || x < 0.55f || y > 0.83f) return c;
	float air = 0.010f * (sh_wave(s->t * 0.17f) + 0.6f * sh_wave(s->t * 0.29f + 0.3f)) * (y + 0.1f);
	float fold = sh_wave(x * 13 - air * 30 + 0.25f * sh_wave(y * 0.7f)), edge = 0.615f + air * 2 +
	    0.008f * sh_wave(y * 2.1f + s->t * 0.1f);
	float d = sh_max(edge - x, x - 0.795f - air - 0.02f * y);
	d = sh_max(d, y - 0.80f - 0.006f * fold);
	float weave = sh_wave(x * 190 + fold) * sh_wave(y * 170);
	float through = sh_step(0.72f, 0.60f, x) * s->sun;
	struct rgb cloth = rgb_of(0.62f, 0.56f, 0.47f);
	float shade = 0.30f + 0.24f * fold + 0.045f * weave + 0.05f * sh_noise(s, x * 40, y * 8);
	cloth = rgb_add(rgb_mul(cloth, shade * (0.5f + s->sun * 0.6f)),
	    rgb_mul(rgb_of(0.80f, 0.70f, 0.54f), through * (0.55f + 0.3f * fold)));
	return rgb_mix(c, cloth, sh_cover(s, d) * 0.95f);
}

/* A framed picture: saturated colours on the wall. */
static struct rgb sh_frame(const struct shot *s, float x, float y, struct rgb c)
{
	float d = sh_box(x, y, 1.44f, 0.24f, 0.135f, 0.17f, 0.003f);
	if (d > 0.06f) return c;
	c = rgb_mul(c, 1 - 0.55f * sh_soft(sh_box(x, y, 1.450f, 0.255f, 0.135f, 0.17f, 0.003f), 0.02f));
	float l = 0.55f * sh_daylight(s, x, y);
	struct rgb wood = rgb_mul(rgb_of(0.075f, 0.045f, 0.028f), 0.7f + 0.9f * sh_noise(s, x * 25,
	    y * 25));
	c = rgb_mix(c, rgb_mul(wood, l * (1 + 2.5f * sh_step(-0.002f, 0.0f, d))), sh_cover(s, d));
	c = rgb_mix(c, rgb_mul(rgb_of(0.68f, 0.66f, 0.61f), l), sh_cover(s, d + 0.013f));
	float hill = 0.27f + 0.03f * sh_wave(x * 4.1f) + 0.012f * sh_noise(s, x * 40, 3), near = 0.315f +
	    0.02f * sh_wave(x * 3.1f + 0.4f);
	struct rgb art = rgb_mix(rgb_of(0.10f, 0.23f, 0.42f), rgb_of(0.74f, 0.42f, 0.17f),
	    sh_step(0.12f, 0.27f, y));
	art = rgb_mix(art, rgb_of(0.80f, 0.62f, 0.25f), sh_cover(s, sh_ellipse(x, y, 1.485f, 0.215f,
	    0.024f, 0.024f)));
	art = rgb_mix(art, rgb_of(0.055f, 0.13f, 0.15f), sh_cover(s, hill - y));
	art = rgb_mix(art, rgb_of(0.32f, 0.055f, 0.035f), sh_cover(s, near - y));
	art = rgb_mul(art, 0.8f + 0.4f * sh_noise(s, x * 120, y * 260));
	return rgb_mix(c, rgb_mul(art, l), sh_cover(s, d + 0.042f));
}

/* A ball lit from the window: albedo, gloss. */
static struct rgb sh_ball(const struct shot *s, float x, float y, float cx, float cy, float r,
                          struct rgb albedo, float gloss, struct rgb c)
{
	float u = (x - cx) / r, v = (y - cy) / r, f = u * u + v * v;
	if (f > 1.3f) return c;
	float z = __builtin_sqrtf(sh_max(1 - f, 0)), l = sh_max(-0.62f * u - 0.50f * v + 0.60f * z, 0);
	float bounce = sh_max(v, 0) * 0.10f, rim = (1 - z) * (1 - z) * 0.12f;
	struct rgb k = rgb_mul(albedo, s->sun * 1.05f * l + s->fill * (0.45f + 0.25f * z) + bounce);
	k = rgb_add(k, rgb_tint(albedo, rgb_mul(rgb_of(0.6f, 0.35f, 0.2f), rim)));
	float hx = (u + 0.40f) / 0.16f, hy = (v + 0.42f) / 0.22f, bar = sh_step(0.02f, 0.05f,
	    sh_abs(u + 0.40f));
	k = rgb_add(k, rgb_mul(rgb_of(1.3f, 1.35f, 1.4f), gloss * s->sun * sh_soft(sh_max(sh_abs(hx),
	    sh_abs(hy)) - 1, 0.25f) * bar));
	return rgb_mix(c, k, sh_cover(s, (__builtin_sqrtf(f) - 1) * r));
}

#endif
