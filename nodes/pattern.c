/* pattern - pictures made by the program itself: a synthetic shot that looks like what AI models
 * deliver, and charts.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gauss.h"
#include "mathx.h"
#include "node.h"
#include "pattern_sitter.h"
#include "px_fetch.h"
#include "px_math.h"
#include "rng.h"

struct pattern {
	int kind;
	double width, height;
	int frames, first;
	double fps;
	int seed, variant;
	double exposure, drift, motion, oversharp;
	double colour[3];
	double size;
};

enum { KIND_SHOT, KIND_BARS, KIND_RAMP, KIND_CHECKER, KIND_ZONE, KIND_CONSTANT, KIND_NOISE };
enum { VARIANTS = 4, CHART = 24 };

static const struct param params[] = {
	P_ENUM(pattern, kind, "shot", "shot|bars|ramp|checker|zone|constant|noise", PF_STATIC,
	       "shot: a sitter in a room, as AI models deliver it; the others are charts."),
	P_LENGTH(pattern, width, "1280", 1, IN_MAX_SIDE, PF_STATIC, "Width of the picture."),
	P_LENGTH(pattern, height, "720", 1, IN_MAX_SIDE, PF_STATIC, "Height of the picture."),
	P_INT(pattern, frames, 48, 1, 10000000, "frames", PF_STATIC, "Length of the clip."),
	P_INT(pattern, first, 1, -1000000000, 1000000000, "frame", PF_STATIC,
	        "Number of its first frame."),
	P_FLOATX(pattern, fps, 0, 0, 1000, "frames/s", PF_STATIC,
	         "Rate; 23.976 and its like mean 24000/1001. 0: the graph's, or else 24."),
	P_INT(pattern, seed, 1, 0, 2147483647, "", PF_STATIC, "Another seed has other textures and "
	        "noise."),
	P_INT(pattern, variant, 0, 0, VARIANTS - 1, "", PF_STATIC,
	      "shot: 0 warm and balanced, 1 closer, cool and under-exposed, 2 on the table, magenta and "
	      "over-exposed, 3 dusk. All show the same room."),
	P_FLOAT(pattern, exposure, 0, -10, 10, "stops", "shot: scales its light."),
	P_FLOAT(pattern, drift, 0.3, -4, 4, "stops", "shot: how far exposure creeps from the first "
	        "frame to the last."),
	P_FLOAT(pattern, motion, 1, 0, 20, "factor", "shot: speed of everything that moves."),
	P_FLOAT(pattern, oversharp, 0.7, 0, 4, "factor",
	        "shot: strength of the halo that models and phones leave along edges (an unsharp mask "
	        "in the signal)."),
	P_COLOUR(pattern, colour, 0.5, 0.5, 0.5, 0, "constant, ramp, checker: their colour, as encoded "
	        "values."),
	P_LENGTH(pattern, size, "32", 1, IN_MAX_SIDE, PF_STATIC, "checker: side of a field."),
	P_END
};

/* Immutable after open. */
struct state {
	float lattice[SHOT_LATTICE * SHOT_LATTICE];
	struct rgb chart[CHART];
	int radius; float *w;                  /* of the halo's blur */
};

/* The variants' cameras and light. */
struct look { float zoom, cx, cy, stops, sun, fill, phase; struct rgb tint; };
static const struct look looks[VARIANTS] = {
	{ 1.00f, 0.889f, 0.500f, 0.00f, 1.00f, 0.15f, 0.0f, { 1.03f, 1.00f, 0.93f } },
	{ 1.55f, 1.010f, 0.510f, -0.55f, 0.80f, 0.20f, 5.3f, { 0.88f, 1.00f, 1.10f } },
	{ 1.42f, 1.120f, 0.610f, 0.35f, 1.05f, 0.17f, 11.1f, { 1.10f, 0.95f, 1.02f } },
	{ 1.08f, 0.880f, 0.500f, -0.30f, 0.52f, 0.10f, 17.9f, { 0.84f, 0.95f, 1.24f } },
};

/* ColorChecker Classic, sRGB codes as its maker printed them (2005). */
static const uint8_t chart_srgb[CHART][3] = {
	{ 115, 82, 68 }, { 194, 150, 130 }, { 98, 122, 157 }, { 87, 108, 67 },
	{ 133, 128, 177 }, { 103, 189, 170 }, { 214, 126, 44 }, { 80, 91, 166 },
	{ 193, 90, 99 }, { 94, 60, 108 }, { 157, 188, 64 }, { 224, 163, 46 },
	{ 56, 61, 150 }, { 70, 148, 73 }, { 175, 54, 60 }, { 231, 199, 31 },
	{ 187, 86, 149 }, { 8, 133, 161 }, { 243, 243, 242 }, { 200, 200, 200 },
	{ 160, 160, 160 }, { 122, 122, 121 }, { 85, 85, 85 }, { 52, 52, 52 },
};

static int whole(double v) { return v < 1 ? 1 : (int)mx_floor(v + 0.5); }

/* A decimal rate as a rational: whole, or n * 1000 / 1001, or thousandths. */
static struct rational rate_of(double fps)
{
	double n = mx_round(fps), d = fps - n;
	if (d < 1e-9 && d > -1e-9) return (struct rational){ (int)n, 1 };
	n = mx_round(fps * 1.001);
	d = fps - n / 1.001;
	if (d < 0.004 && d > -0.004) return (struct rational){ (int)n * 1000, 1001 };
	return (struct rational){ (int)mx_round(fps * 1000), 1000 };
}

static struct rational rate(const struct node_ctx *n)
{
	const struct pattern *p = n->v;
	if (p->fps > 0) return rate_of(p->fps);
	if (n->fps.num > 0) return n->fps;
	return (struct rational){ 24, 1 };
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct pattern *p = n->v;
	if ((int64_t)p->first + p->frames - 1 > INT32_MAX)
		return err_set(e, E_SCENE, "first=\"%d\" with frames=\"%d\" counts too far", p->first, p->frames);
	*out = (struct format){ .par = { 1, 1 }, .first = p->first, .last = p->first + p->frames - 1 };
	out->data = out->display = rect_of(0, 0, whole(p->width), whole(p->height));
	out->fps = rate(n);
	out->space = out->encoded = colour_find("rec709");
	format_channels(out, "R G B");
	return format_check(out, e);
}

static int out_space(const struct node_ctx *n)
{
	(void)n;
	return colour_find("rec709");
}

static int open_tables(struct node_ctx *n, struct err *e)
{
	const struct pattern *p = n->v;
	(void)e;
	struct state *s = xalloc(1, sizeof *s);
	for (int i = 0; i < SHOT_LATTICE * SHOT_LATTICE / 4; i++) {
		struct philox r = philox4x32((uint32_t)i, 0x5407u, 0, 0, (uint32_t)p->seed, 0);
		for (int k = 0; k < 4; k++) s->lattice[i * 4 + k] = (float)(r.c[k] >> 8) * 0x1p-24f;
	}
	for (int i = 0; i < CHART; i++) {
		float v[3];
		for (int k = 0; k < 3; k++) v[k] = (float)mx_pow(chart_srgb[i][k] / 255.0, 2.2);
		s->chart[i] = rgb_of(v[0], v[1], v[2]);
	}
	double sigma = 1.1 * p->height / 720;
	s->radius = p->oversharp > 0 ? (int)mx_ceil(2.5 * sigma) : 0;
	s->w = xalloc((size_t)s->radius + 1, sizeof *s->w);
	gauss_half_float(sigma, s->radius, 1, s->w);
	n->state = s;
	return 0;
}

static void close_tables(struct node_ctx *n)
{
	struct state *s = n->state;
	if (s) free(s->w);
	free(s);
	n->state = NULL;
}

static ptrdiff_t pitch(int w) { return (w + 15) & ~15; }

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct pattern *p = n->v;
	const struct state *s = n->state;
	if (p->kind != KIND_SHOT) return 0;
	size_t row = (size_t)pitch(rect_w(r) + 2 * s->radius), rows = (size_t)(rect_h(r) + 2 * s->radius);
	return (3 * row * rows + 2 * row) * sizeof(float);
}

static double flops(const struct node_ctx *n)
{
	const struct pattern *p = n->v;
	return p->kind == KIND_SHOT ? 1500 : 30;
}

static float wave(double turns) { return (float)mx_sin(2 * MX_PI * turns); }

/* Camera, sitter and light of one frame. */
static void shot_at(const struct node_ctx *n, int frame, struct shot *s)
{
	const struct pattern *p = n->v;
	const struct state *st = n->state;
	const struct look *l = &looks[p->variant];
	struct rational fps = n->out->fps;
	double t = (double)(frame - p->first) * fps.den / fps.num * p->motion;
	double done = p->frames > 1 ? (double)(frame - p->first) / (p->frames - 1) : 0.5;
	double stops = p->exposure + l->stops + p->drift * 0.5 * mx_sin(MX_PI * (done - 0.5));
	double at = t + l->phase;
	*s = (struct shot){ .lattice = st->lattice, .chart = st->chart, .t = (float)at };
	s->zoom = l->zoom * (float)(1 + 0.008 * t);
	s->px = (float)(1 / (p->height * s->zoom));
	s->pan = 0.010f * wave(t * 0.11) + 0.0035f * wave(at * 0.37) + (float)(0.008 * t);
	s->cx = l->cx + s->pan;
	s->cy = l->cy + 0.0030f * wave(at * 0.29 + 0.2);
	s->sway = 0.016f * wave(t * 0.19 + 0.05) + 0.006f * wave(at * 0.43);
	s->turn = 0.75f * wave(t * 0.16 + 0.9);
	s->breath = 0.0022f * wave(t * 0.31);
	double b = t - 2.9 * mx_floor(t / 2.9) - 1.1;
	s->blink = sh_bell((float)(b * b) * 900);
	s->sun = l->sun * (1 + 0.03f * wave(at * 0.13));
	s->fill = l->fill;
	s->light = rgb_mul(l->tint, (float)mx_exp2(stops) * 1.1f);
}

/* Film-like: straight from 0.5, then a shoulder that ends at 1.4; blacks a little lifted. Then
 * the display's 2.4. */
static float develop(float v)
{
	float over = v - 0.5f;
	v = over > 0 ? 0.5f + over / (1 + over / 0.9f) : v;
	v = v < 0.5f ? v * (0.76f + 0.48f * v) : v;
	v = 0.0015f + 0.9985f * v;
	return px_pow(v > 0 ? v : 0, (float)(1 / 2.4));
}

/* Encoded pixels of r into three planes, rows stride apart. */
static void shoot(const struct shot *s, const struct node_ctx *n, struct rect r, float *buf,
                  ptrdiff_t stride, ptrdiff_t plane)
{
	const struct pattern *p = n->v;
	float h = (float)p->height, ox = (float)rect_w(n->out->display) * 0.5f,
	    oy = (float)rect_h(n->out->display) * 0.5f;
	float k = 1 / (h * s->zoom);
	for (int y = r.y0; y < r.y1; y++) {
		float *row = buf + (ptrdiff_t)(y - r.y0) * stride;
		float wy = ((float)y + 0.5f - oy) * k + s->cy;
		for (int x = r.x0; x < r.x1; x++) {
			float wx = ((float)x + 0.5f - ox) * k + s->cx;
			float vx = (wx - s->cx) * s->zoom, vy = (wy - s->cy) * s->zoom;
			float vig = 1 - 0.30f * (vx * vx + vy * vy);
			struct rgb c = rgb_mul(rgb_tint(sh_scene(s, wx, wy), s->light), vig);
			row[x - r.x0] = c.r;
			row[plane + x - r.x0] = c.g;
			row[2 * plane + x - r.x0] = c.b;
		}
		for (int c = 0; c < 3; c++)
			for (int x = 0; x < rect_w(r); x++) row[c * plane + x] = develop(row[c * plane + x]);
	}
}

/* out = v + k (v - blurred): one row of one channel; s is its middle row. */
static void sharpen(const struct state *st, float k, const float *s, ptrdiff_t stride, int width,
                    float *IN_RESTRICT down, float *IN_RESTRICT out)
{
	int rad = st->radius, wide = width + 2 * rad;
	for (int x = 0; x < wide; x++) down[x] = st->w[0] * s[x - rad];
	for (int i = 1; i <= rad; i++)
		for (int x = 0; x < wide; x++)
			down[x] += st->w[i] * (s[x - rad - i * stride] + s[x - rad + i * stride]);
	for (int x = 0; x < width; x++) {
		float b = st->w[0] * down[x + rad];
		for (int i = 1; i <= rad; i++) b += st->w[i] * (down[x + rad - i] + down[x + rad + i]);
		out[x] = s[x] + k * (s[x] - b);
	}
}

static int tile_shot(const struct call *c, struct rect r)
{
	const struct pattern *p = c->n->v;
	const struct state *st = c->n->state;
	struct rect g = rect_grow(r, st->radius, st->radius);
	ptrdiff_t stride = pitch(rect_w(g)), plane = stride * rect_h(g);
	float *buf = c->scratch, *down = buf + 3 * plane;
	struct shot s;
	shot_at(c->n, c->frame, &s);
	shoot(&s, c->n, g, buf, stride, plane);
	for (int ch = 0; ch < 3; ch++)
		for (int y = r.y0; y < r.y1; y++)
			sharpen(st, (float)p->oversharp, buf + ch * plane + (y - g.y0) * stride + st->radius, stride,
			    rect_w(r),
			        down, view_at(c->out, ch, r.x0, y));
	return 0;
}

/* 75 % bars over a ramp from black to white. */
static float bars(int ch, int x, int y, int w, int h)
{
	static const uint8_t on[3] = { 0x33, 0x0f, 0x55 };      /* bit i: is this channel lit in bar i */
	if ((int64_t)y * 4 >= (int64_t)h * 3) return ((float)x + 0.5f) / (float)w;
	int bar = (int)((int64_t)x * 8 / w);
	if (bar == 0) return 1;
	return on[ch] >> bar & 1 ? 0.75f : 0.0f;
}

/* Rings whose frequency rises from 0 in the middle to half a cycle a pixel at the left and right
 * edge. */
static float zone(double x, double y, int w, int h, double phase)
{
	double dx = x + 0.5 - w / 2.0, dy = y + 0.5 - h / 2.0, turns = (dx * dx + dy * dy) / (2.0 * w) -
	    phase;
	return (float)(0.5 + 0.5 * mx_cos(2 * MX_PI * (turns - mx_floor(turns))));
}

static float chart(const struct call *c, int ch, int x, int y)
{
	const struct pattern *p = c->n->v;
	int w = rect_w(c->n->out->data), h = rect_h(c->n->out->data), size;
	float v = (float)p->colour[ch];
	switch (p->kind) {
	case KIND_BARS: return bars(ch, x, y, w, h);
	case KIND_CHECKER:
		size = whole(p->size);
		return (x / size + y / size) % 2 ? 0 : v;
	case KIND_ZONE: return zone(x, y, w, h, (c->frame - p->first) / 24.0);
	case KIND_NOISE: {
		struct philox q = philox4x32((uint32_t)x, (uint32_t)y, (uint32_t)c->frame, 0, (uint32_t)p->seed,
		    1);
		return (float)(q.c[ch] >> 8) * 0x1p-24f;
	}
	default: return v;
	}
}

/* A row of the ramp. */
static void ramp(float v, int w, int x0, int n, float *IN_RESTRICT d)
{
	for (int x = 0; x < n; x++) d[x] = 2 * v * ((float)(x0 + x) + 0.5f) / (float)w;
}

static int tile(const struct call *c, struct rect r)
{
	const struct pattern *p = c->n->v;
	if (p->kind == KIND_SHOT) return tile_shot(c, r);
	bool even = p->kind == KIND_CONSTANT || p->kind == KIND_RAMP;      /* all rows are the first one */
	for (int ch = 0; ch < 3; ch++)
		for (int y = r.y0; y < r.y1; y++) {
			float *d = view_at(c->out, ch, r.x0, y);
			if (even && y > r.y0) px_copy_row(d, view_at(c->out, ch, r.x0, r.y0), rect_w(r));
			else if (p->kind == KIND_RAMP) ramp((float)p->colour[ch], rect_w(c->n->out->data), r.x0, rect_w(r), d);
			else for (int x = r.x0; x < r.x1; x++) d[x - r.x0] = chart(c, ch, x, y);
		}
	return 0;
}

const struct node_type ISA(node_pattern) = {
	.name = "pattern", .doc = "Makes pictures of its own: a synthetic shot that looks AI-made, or a "
	        "chart.",
	.more = "shot is an interior, computed from place and time alone: a plastered wall in window "
	        "light with values above white outside, a sitter (skin, hair, knit) who sways, turns and "
	        "blinks, curtain, plant and steam in motion, a varnished table with a 24-patch colour "
	        "card, a neutral grey ball and saturated objects; the camera drifts, exposure creeps, "
	        "and an unsharp mask leaves the halo of over-sharpened video. Its light x goes through a "
	        "shoulder 0.5 + (x - 0.5) / (1 + (x - 0.5) / 0.9) above 0.5 and the display's 1/2.4, so "
	        "highlights reach about 1.07 (more with the halo) instead of ending at 1.\n"
	        "bars: 75 % colour bars over a ramp; ramp: black at the left, twice colour at the right; "
	        "zone: a zone plate, one turn in 24 frames; noise: uniform, new in every frame. All "
	        "values are rec709 (display-referred) signal.",
	.category = "source", .version = 1, .size = sizeof(struct pattern), .params = params,
	.inputs = "", .flags = NF_TIME, .traits = TR_SOURCE, .want = WANT_ANY,
	.example = "<pattern id=\"hero\" kind=\"shot\" variant=\"0\" width=\"1280\" height=\"720\" "
	        "frames=\"48\" fps=\"24\"/>",
	.out_space = out_space, .format = format, .open = open_tables, .close = close_tables,
	.scratch = scratch, .flops = flops, .tile = tile,
};
