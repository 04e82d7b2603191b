/* pattern_sitter - the person of pattern kind="shot": skin, hair, knit, moving slowly; and the
 * table before them.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PATTERN_SITTER_H
#define IN_PATTERN_SITTER_H

#include "pattern_shot.h"

/* Where the head is: centre and half axes. */
struct head { float x, y, a, b, turn; };

static struct rgb sh_knit(const struct shot *s, float x, float y, struct rgb c)
{
	float mx = 0.985f + s->sway * 0.35f, top = 0.650f - s->breath;
	float side = sh_abs(x - mx), slope = 0.20f * side + 1.5f * side * side;
	float d = sh_max((top + slope - y) * 0.8f, side - 0.30f - 0.05f * (y - 0.7f));
	if (d > 0.01f) return c;
	/* rows of stitches: two slanted waves, bent with the body */
	float row = (y - slope) * 56, col = (x - mx) * (66 - 30 * (y - 0.7f));
	float v = sh_wave(col) * 0.5f, stitch = sh_wave(row + sh_abs(v) * 1.6f);
	float fuzz = sh_noise(s, x * 330, y * 330), worn = sh_fbm(s, x * 11, y * 11, 3);
	float form = 0.55f - 1.35f * (x - mx) - 0.5f * sh_step(0.66f, 0.9f, y) * sh_step(0.05f, 0.3f,
	    side);
	float l = (s->sun * sh_max(form, 0.08f) + s->fill * 0.75f) * (0.72f + 0.22f * stitch + 0.16f *
	    (fuzz - 0.5f) + 0.35f * (worn - 0.4f));
	struct rgb wool = rgb_mul(rgb_of(0.115f, 0.235f, 0.255f), l * 1.25f);
	float arm = sh_abs(side - 0.185f - 0.10f * (y - 0.72f));
	wool = rgb_mul(wool, 1 - 0.42f * sh_bell(arm * arm * 9000) * sh_step(0.70f, 0.78f, y));
	return rgb_mix(c, wool, sh_cover(s, d));
}

static struct rgb sh_skin(const struct shot *s, float lambert)
{
	float lit = sh_max((lambert + 0.22f) / 1.22f, 0);
	struct rgb base = rgb_of(0.60f, 0.345f, 0.235f), deep = rgb_of(0.52f, 0.20f, 0.115f);
	struct rgb tone = rgb_mix(deep, base, sh_step(0.0f, 0.45f, lit));
	return rgb_mul(tone, s->sun * 1.12f * lit + s->fill * 0.72f);
}

/* The neck down to a crew collar, in the jaw's shadow above. */
static struct rgb sh_neck(const struct shot *s, const struct head *h, float x, float y,
                          struct rgb c)
{
	float mx = 0.985f + s->sway * 0.6f, u = x - mx, rim = 0.664f - s->breath - 2.6f * u * u;
	float d = sh_max(sh_abs(u) - 0.043f - 5.5f * sh_max(y - 0.625f, 0) * sh_max(y - 0.625f, 0),
	    sh_max(h->y - y, y - rim - 0.006f));
	float jaw = sh_step(0.0f, 0.075f, y - h->y - 0.088f + 4 * u * u), l = 0.42f - u * 9;
	struct rgb skin = rgb_mul(sh_skin(s, sh_clamp(l) * 0.8f), 0.28f + 0.68f * jaw);
	c = rgb_mix(c, skin, sh_cover(s, d));
	float collar = sh_max(sh_abs(y - rim - 0.006f) - 0.0095f, sh_abs(u) - 0.084f),
	    rib = sh_wave(u * 125);
	float shade = (0.60f + 0.17f * rib) * (1.0f - u * 6) * (1 - 0.5f * sh_step(0.002f, -0.008f,
	    y - rim));
	return rgb_mix(c, rgb_mul(rgb_of(0.105f, 0.215f, 0.23f), shade * (s->sun * 0.62f + s->fill)),
	    sh_cover(s, collar));
}

/* Strands flow down and outwards from the parting, along parabolas. */
static struct rgb sh_strands(const struct shot *s, const struct head *h, float x, float y)
{
	float dx = (x - h->x + 0.018f) / h->a, dy = (y - h->y + 0.175f) / h->b;
	float flow = dx / __builtin_sqrtf(sh_max(dy, 0) + 0.10f) + 0.03f * sh_wave(dy * 0.9f + 0.1f * dx);
	float lock = sh_fbm(s, flow * 6.5f + 31, dy * 0.9f, 2), fine = sh_noise(s, flow * 46 + lock * 3,
	    dy * 1.7f + 9);
	float u = (x - h->x) / h->a, v = (y - h->y) / h->b, round = u * u + 0.6f * (v + 0.85f) *
	    (v + 0.85f);
	float shine = dy - 0.46f - 0.22f * u * u - 0.10f * (lock - 0.4f), band = sh_bell(shine * shine *
	    55);
	float form = sh_clamp(0.72f - 0.42f * u - 0.16f * round);
	float l = s->sun * (0.22f + 0.75f * lock) * form + s->fill * 0.4f;
	struct rgb c = rgb_mul(rgb_of(0.120f, 0.060f, 0.030f), l * (0.50f + 1.0f * fine));
	return rgb_add(c, rgb_mul(rgb_of(0.36f, 0.235f, 0.135f), band * form * s->sun * (0.10f + 0.75f *
	    fine * fine)));
}

static struct rgb sh_eye(const struct shot *s, float x, float y, float cx, float cy, float w,
                         struct rgb c)
{
	float u = x - cx, open = 0.0105f * (1 - 0.93f * s->blink), lid = 1 - u * u / (w * w);
	if (sh_abs(u) > w * 1.5f || sh_abs(y - cy) > 0.04f) return c;
	c = rgb_mul(c, 1 - 0.30f * sh_bell((u * u / (w * w) + (y - cy + 0.008f) * (y - cy + 0.008f) /
	    0.00030f) * 1.1f));
	float d = sh_abs(y - cy) - open * sh_max(lid, 0);
	struct rgb ball = rgb_mul(rgb_of(0.50f, 0.45f, 0.41f), 0.62f * (s->sun * 0.6f + s->fill));
	float iris = sh_ellipse(x, y, cx + s->turn * 0.003f, cy - 0.0015f, 0.0100f, 0.0108f);
	ball = rgb_mix(ball, rgb_of(0.045f, 0.030f, 0.018f), sh_cover(s, iris));
	ball = rgb_mix(ball, rgb_of(0.95f, 0.97f, 1.0f), 0.9f * sh_cover(s, sh_ellipse(x, y, cx - 0.0035f,
	    cy - 0.005f, 0.0024f, 0.0028f)));
	c = rgb_mix(c, ball, sh_cover(s, d) * sh_step(0.0f, 0.2f, lid));
	float lash = sh_abs(y - cy + open * sh_max(lid, 0)) - 0.0019f;
	return rgb_mix(c, rgb_of(0.03f, 0.017f, 0.011f), 0.85f * sh_cover(s, sh_max(lash, sh_abs(u) - w)));
}

static struct rgb sh_features(const struct shot *s, const struct head *h, float x, float y,
                              struct rgb c)
{
	float o = h->turn * 0.030f, cx = h->x + o, u = x - cx, v = y - h->y;
	c = sh_eye(s, x, y, cx - 0.041f, h->y - 0.012f, 0.0195f - 0.003f * h->turn, c);
	c = sh_eye(s, x, y, cx + 0.040f, h->y - 0.012f, 0.0190f + 0.003f * h->turn, c);
	float side = sh_abs(u) - 0.041f, arch = side - 0.006f;
	float brow = sh_abs(v + 0.047f - 11 * arch * arch) - 0.0046f + 0.07f * sh_max(side, 0);
	float hairs = 0.65f + 0.35f * sh_noise(s, x * 400, y * 140);
	c = rgb_mix(c, rgb_of(0.060f, 0.032f, 0.019f), 0.75f * hairs * sh_soft(sh_max(brow, sh_abs(side) -
	    0.025f), 0.0032f));
	/* nose: a lit ridge, its shadow away from the window, nostrils */
	float down = sh_step(-0.03f, 0.045f, v) * sh_step(0.062f, 0.046f, v);
	float ridge = u + 0.001f, cast = ridge - 0.013f - 0.010f * down;
	c = rgb_mul(c, 1 - 0.36f * down * sh_bell(cast * cast * 9000));
	c = rgb_add(c, rgb_mul(rgb_of(0.15f, 0.10f, 0.075f), s->sun * down * sh_bell((ridge + 0.004f) *
	    (ridge + 0.004f) * 40000)));
	c = rgb_mul(c, 1 - 0.55f * sh_bell((u - 0.010f) * (u - 0.010f) * 40000 + (v - 0.052f) *
	    (v - 0.052f) * 160000));
	c = rgb_mul(c, 1 - 0.45f * sh_bell((u + 0.010f) * (u + 0.010f) * 40000 + (v - 0.052f) *
	    (v - 0.052f) * 160000));
	/* mouth */
	float m = v - 0.083f + 5.0f * u * u, lip = sh_max(sh_abs(m) - 0.0095f * (1 - u * u / 0.00090f),
	    sh_abs(u) - 0.029f);
	c = rgb_mix(c, rgb_tint(c, rgb_of(0.86f, 0.55f, 0.55f)), 0.85f * sh_soft(lip, 0.003f));
	c = rgb_mul(c, 1 - 0.55f * sh_soft(sh_max(sh_abs(m + 0.001f) - 0.0011f, sh_abs(u) - 0.027f),
	    0.0014f));
	c = rgb_mul(c, 1 - 0.16f * sh_bell((v - 0.106f) * (v - 0.106f) * 14000 + u * u * 2500));
	float cheek = sh_bell((sh_abs(u) - 0.058f) * (sh_abs(u) - 0.058f) * 1800 + (v - 0.035f) *
	    (v - 0.035f) * 1700);
	return rgb_mix(c, rgb_tint(c, rgb_of(1.07f, 0.86f, 0.84f)), 0.6f * cheek);
}

static struct rgb sh_head(const struct shot *s, float x, float y, struct rgb c)
{
	struct head h = { 0.975f + s->sway, 0.480f - s->breath * 0.5f, 0.100f, 0.134f, s->turn };
	if (sh_abs(x - h.x) > 0.19f || y > 0.78f || y < 0.24f) return sh_knit(s, x, y, c);
	/* hair behind, shoulders, neck, face, hair before */
	float wave = 0.010f * sh_noise(s, y * 26, 4) + 0.006f * sh_wave(y * 6 + s->t * 0.07f);
	float back = sh_ellipse(x, y, h.x + 0.006f, h.y - 0.022f, 0.124f + wave, 0.160f);
	float fall = sh_max(sh_abs(x - h.x - 0.008f) - 0.118f - wave - 0.25f * (y - h.y) * (y - h.y),
	    sh_max(h.y - y, y - h.y - 0.200f - 0.03f * sh_noise(s, x * 60, 1)));
	c = rgb_mix(c, rgb_mul(sh_strands(s, &h, x, y), 0.66f), sh_cover(s, sh_min(back, fall)));
	c = sh_knit(s, x, y, c);
	c = sh_neck(s, &h, x, y, c);
	float u = (x - h.x) / h.a, v = (y - h.y) / h.b, jaw = 1 - 0.15f * sh_step(0.05f, 1.05f, v);
	float face = sh_ellipse(x, y, h.x, h.y, h.a * jaw * 0.95f, h.b);
	if (face < 0.01f) {
		float uu = u / jaw, z = __builtin_sqrtf(sh_max(1 - 0.86f * uu * uu - 0.8f * v * v, 0.02f));
		float lam = -0.66f * (uu - 0.22f * h.turn) - 0.30f * v + 0.55f * z;
		float pores = 1 + 0.035f * (sh_noise(s, x * 300, y * 300) - 0.5f) + 0.05f *
		    (sh_fbm(s, x * 30, y * 30, 2) - 0.4f);
		struct rgb skin = sh_features(s, &h, x, y, rgb_mul(sh_skin(s, lam), pores));
		skin = rgb_add(skin, rgb_mul(rgb_of(0.20f, 0.17f, 0.15f), s->sun * sh_bell((uu + 0.42f) *
		    (uu + 0.42f) * 14 + (v + 0.50f) * (v + 0.50f) * 10)));
		c = rgb_mix(c, skin, sh_cover(s, face));
	}
	float part = x - h.x + 0.022f, line = h.y - 0.088f + 5.2f * part * part + (part < 0 ? 0.12f :
	    -0.02f) * part + 0.010f * sh_noise(s, x * 70, 7);
	float front = sh_max(back, y - line);
	float sideburn = sh_max(back, 0.083f - sh_abs(x - h.x) - 0.020f * sh_step(0.5f, 0.6f, y) +
	    0.004f * sh_noise(s, y * 60, 2));
	sideburn = sh_max(sideburn, y - h.y - 0.13f);
	return rgb_mix(c, sh_strands(s, &h, x, y), sh_cover(s, sh_min(front, sideburn)));
}

/* ColorChecker-like card, leaning: neutral and coloured patches. */
static struct rgb sh_card(const struct shot *s, float x, float y, struct rgb c)
{
	float px = x - 1.465f, py = y - 0.765f, u = 0.990f * px + 0.139f * py, v = -0.139f * px + 0.990f *
	    py;
	float d = sh_box(u, v, 0, 0, 0.128f, 0.088f, 0.005f);
	if (d > 0.05f) return c;
	c = rgb_mul(c, 1 - 0.5f * sh_soft(sh_box(u, v, 0.012f, 0.012f, 0.128f, 0.088f, 0.01f), 0.016f));
	float l = 0.70f * sh_daylight(s, x, y);
	c = rgb_mix(c, rgb_mul(rgb_of(0.03f, 0.03f, 0.032f), l), sh_cover(s, d));
	float gx = (u + 0.120f) / 0.040f, gy = (v + 0.080f) / 0.040f;
	int i = sh_floor(gx), k = sh_floor(gy);
	if (i < 0 || i > 5 || k < 0 || k > 3) return c;
	float e = sh_max(sh_abs(gx - (float)i - 0.5f), sh_abs(gy - (float)k - 0.5f)) - 0.43f;
	return rgb_mix(c, rgb_mul(s->chart[k * 6 + i], l), sh_cover(s, e * 0.040f));
}

static struct rgb sh_mug(const struct shot *s, float x, float y, struct rgb c)
{
	float u = (x - 0.66f) / 0.052f, d = sh_box(x, y, 0.66f, 0.795f, 0.052f, 0.058f, 0.012f);
	float ring = sh_abs(sh_ellipse(x, y, 0.716f, 0.792f, 0.026f, 0.030f)) - 0.006f;
	if (sh_min(d, ring) > 0.004f) return c;
	float l = s->sun * sh_clamp(0.62f - 0.62f * u) + s->fill * 0.6f;
	struct rgb body = rgb_mul(rgb_of(0.66f, 0.63f, 0.57f), l);
	body = rgb_mix(body, rgb_mul(rgb_of(0.42f, 0.12f, 0.06f), l),
	    sh_cover(s, sh_abs(y - 0.812f - 0.004f * u * u) - 0.010f));
	c = rgb_mix(c, rgb_mul(body, 0.55f), sh_cover(s, ring));
	c = rgb_mix(c, body, sh_cover(s, d));
	c = rgb_mix(c, rgb_mul(rgb_of(0.70f, 0.67f, 0.61f), 0.5f + l * 0.5f),
	    sh_cover(s, sh_ellipse(x, y, 0.66f, 0.741f, 0.050f, 0.010f)));
	c = rgb_mix(c, rgb_of(0.035f, 0.016f, 0.008f), sh_cover(s, sh_ellipse(x, y, 0.66f, 0.743f, 0.044f,
	    0.0075f)));
	return rgb_add(c, rgb_mul(rgb_of(0.9f, 0.9f, 0.9f), s->sun * 0.8f * sh_bell((u + 0.5f) *
	    (u + 0.5f) * 60) * sh_soft(sh_abs(y - 0.785f) - 0.025f, 0.012f)));
}

static struct rgb sh_steam(const struct shot *s, float x, float y, struct rgb c)
{
	float up = 0.735f - y;
	if (up < 0 || up > 0.30f || sh_abs(x - 0.66f) > 0.12f) return c;
	float drift = 0.05f * (sh_noise(s, up * 7 - s->t * 0.55f, 2) - 0.5f) * up * 12;
	float body = sh_fbm(s, (x - drift) * 28, y * 11 + s->t * 0.75f, 3);
	float w = 0.022f + 0.10f * up, dx = x - drift - 0.66f;
	float a = sh_bell(dx * dx / (w * w)) * sh_step(0, 0.04f, up) * sh_step(0.30f, 0.10f, up) *
	    sh_step(0.35f, 0.7f, body);
	return rgb_mix(c, rgb_of(0.85f, 0.84f, 0.82f), 0.5f * a * s->sun);
}

static struct rgb sh_table(const struct shot *s, float x, float y, struct rgb c)
{
	float d = 0.800f - y;
	if (d > 0.01f) return c;
	float z = 0.30f / sh_max(y - 0.56f, 0.05f), wx = (x - 0.889f) * z, wz = z * 2.4f;
	float plank = wx * 2.6f + 0.35f, id = (float)sh_floor(plank), seam = sh_abs(plank - id - 0.5f);
	float ring = sh_fbm(s, wx * 9 + id * 7.7f, wz * 1.3f, 3), fibre = sh_noise(s, wx * 120 + ring * 14,
	    wz * 5);
	float tone = 0.62f + 0.55f * ring + 0.30f * (fibre - 0.5f) + 0.10f * sh_noise(s, id * 3.3f, 1);
	struct rgb wood = rgb_mul(rgb_of(0.29f, 0.150f, 0.074f), tone * (1 - 0.5f * sh_step(0.485f, 0.497f,
	    seam)));
	struct rgb k = rgb_mul(wood, 0.75f * sh_daylight(s, x, y - 0.25f) + 0.1f);
	/* the window's reflection in the varnish, the objects' shadows */
	float rx = (x - 0.42f - 0.012f * (fibre - 0.5f)) / 0.23f, bar = 0.35f + 0.65f * sh_step(0.01f,
	    0.16f, sh_abs(rx));
	k = rgb_add(k, rgb_mul(rgb_of(0.62f, 0.62f, 0.60f), s->sun * 0.62f * sh_soft(sh_abs(rx) - 1,
	    0.22f) * bar * sh_step(1.05f, 0.80f, y) * (0.6f + 0.5f * ring)));
	float dark = sh_bell(((x - 1.20f) * (x - 1.20f) * 60 + (y - 0.842f) * (y - 0.842f) * 1500)) *
	    0.75f;
	dark = sh_max(dark, sh_bell((x - 0.70f) * (x - 0.70f) * 130 + (y - 0.855f) * (y - 0.855f) *
	    2400) * 0.7f);
	dark = sh_max(dark, sh_bell((x - 1.335f) * (x - 1.335f) * 330 + (y - 0.878f) * (y - 0.878f) *
	    4500) * 0.8f);
	k = rgb_mul(k, 1 - dark);
	k = rgb_mul(k, 1 - 0.3f * sh_soft(y - 0.808f, 0.008f));
	return rgb_mix(c, k, sh_cover(s, d));
}

/* A plant before the window: thin moving edges. */
static struct rgb sh_plant(const struct shot *s, float x, float y, struct rgb c)
{
	if (x > 0.36f || y < 0.36f) return c;
	for (int i = 0; i < 11; i++) {
		float n0 = sh_noise(s, (float)i * 3.7f, 11), n1 = sh_noise(s, (float)i * 5.1f, 23);
		float len = 0.26f + 0.18f * n0, lean = 0.30f * (n1 - 0.42f) * 1.5f, u = (0.90f - y) / len;
		if (u < 0 || u > 1) continue;
		float sway = 0.010f * sh_wave(s->t * (0.21f + 0.05f * n0) + n1) * u * u;
		float mid = 0.12f + 0.018f * ((float)i - 5) * 0.6f + lean * u * u + sway;
		float w = 0.016f * (1 - u) * (0.35f + 2.2f * u) + 0.0008f, d = sh_abs(x - mid) - w;
		float vein = sh_step(0.0f, 0.25f, sh_abs(x - mid) / w), l = s->sun * (0.35f + 0.5f * n0 + 0.35f *
		    (x < mid)) + s->fill * 0.5f;
		struct rgb leaf = rgb_mul(rgb_mix(rgb_of(0.030f, 0.085f, 0.018f), rgb_of(0.14f, 0.26f, 0.05f),
		    n1 * 0.5f + 0.5f * u), l * (0.75f + 0.3f * vein));
		c = rgb_mix(c, leaf, sh_cover(s, d));
	}
	float pot = sh_box(x, y, 0.12f, 0.945f, 0.075f - 0.10f * (y - 0.9f), 0.06f, 0.008f),
	    l = sh_clamp(0.9f - (x - 0.06f) * 9);
	struct rgb clay = rgb_mul(rgb_of(0.33f, 0.12f, 0.06f), (s->sun * (0.25f + 0.6f * l) + s->fill *
	    0.5f) * (0.8f + 0.4f * sh_fbm(s, x * 30, y * 50, 3)));
	return rgb_mix(c, clay, sh_cover(s, pot));
}

/* The whole picture at (x, y): linear light, before exposure. */
static struct rgb sh_scene(const struct shot *s, float x, float y)
{
	float near = x + 0.35f * s->pan, far = x - 0.25f * s->pan;
	struct rgb c = sh_wall(s, far, y);
	c = sh_window(s, far, y, c);
	c = sh_frame(s, far, y, c);
	c = sh_curtain(s, far, y, c);
	c = sh_head(s, x, y, c);
	c = sh_table(s, near, y, c);
	c = sh_card(s, near, y, c);
	c = sh_ball(s, near, y, 1.205f, 0.772f, 0.070f, rgb_of(0.36f, 0.36f, 0.36f), 0.10f, c);
	c = sh_ball(s, near, y, 1.322f, 0.842f, 0.043f, rgb_of(0.42f, 0.040f, 0.030f), 0.65f, c);
	c = sh_mug(s, near, y, c);
	c = sh_steam(s, near, y, c);
	return sh_plant(s, near, y, c);
}

#endif
