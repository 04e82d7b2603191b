/* grain - film grain: new in every frame, the same for ever for a seed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "gauss.h"
#include "mathx.h"
#include "node.h"
#include "px_noise.h"

struct grain { double amount, size; struct curve response; double colour; int seed; };

static const struct param params[] = {
	P_FLOAT(grain, amount, 0.03, 0, 3, "signal",
	        "Three standard deviations of the grain at mid-grey, in the encoded signal."),
	P_LENGTH(grain, size, "0.6", 0, 20, 0,
	         "Size of the grain: standard deviation of the Gaussian that shapes it. 0 is white "
	        "noise."),
	{ "response", PT_CURVE, offsetof(struct grain, response), 1, { 0 },
	  "0,0.35 0.25,0.85 0.5,1 0.75,0.75 1,0.3", -1e6, 1e6, "", NULL, 0,
	  "Strength against luminance: x is 0 at black, 0.5 at mid-grey (18 %), 1 at diffuse white; y "
	  "multiplies amount. Held beyond its ends. Empty: 1 everywhere." },
	P_FLOAT(grain, colour, 0.4, 0, 1, "share",
	        "Share of the variance that each channel has for itself: 0 is monochrome, 1 three "
	        "independent layers."),
	P_INT(grain, seed, 1, 0, 2147483647, "", 0, "Another seed is another roll of film."),
	P_END
};

enum { TABLE = 2048, FIELDS = 4 };

/* Immutable after open. table[i]: standard deviation at luminance low + i / scale. */
struct state {
	int radius; float *w;
	float table[TABLE + 1], low, scale;
	float luma[3], mono, own;
	int nfield;
};

static double strength(const struct curve *c, double x)
{
	if (c->n < 1) return 1;
	if (x < c->x[0]) x = c->x[0];
	if (x > c->x[c->n - 1]) x = c->x[c->n - 1];
	double y = c->n == 1 ? c->y[0] : curve_eval(c, x);
	return y > 0 ? y : 0;
}

/* The response over encoded luminance, from below black to above white, where it no longer changes
 * for curves within 0..1. */
static void tabulate(struct state *s, const struct grain *p, int space)
{
	double black = colour_encode(space, 0), mid = colour_encode(space, 0.18),
	    white = colour_encode(space, 1);
	double low = black - (mid - black), high = white + 2 * (white - mid);
	s->low = (float)low;
	s->scale = (float)(TABLE / (high - low));
	for (int i = 0; i <= TABLE; i++) {
		double l = low + i * (high - low) / TABLE;
		double x = l < mid ? 0.5 * (l - black) / (mid - black) : 0.5 + 0.5 * (l - mid) / (white - mid);
		s->table[i] = (float)(p->amount / 3 * strength(&p->response, x));
	}
}

static int radius_of(double size) { return size > 0 ? (int)mx_ceil(4 * size) : 0; }

static int open_tables(struct node_ctx *n, struct err *e)
{
	const struct grain *p = n->v;
	double w[3];
	(void)e;
	struct state *s = xalloc(1, sizeof *s);
	s->radius = radius_of(p->size);
	s->w = xalloc((size_t)s->radius + 1, sizeof *s->w);
	gauss_half_float(p->size, s->radius, 2, s->w);
	tabulate(s, p, n->in[0]->space);
	colour_luma(n->in[0]->space, w);
	for (int i = 0; i < 3; i++) s->luma[i] = (float)w[i];
	s->mono = (float)__builtin_sqrt(1 - p->colour);
	s->own = (float)__builtin_sqrt(p->colour);
	s->nfield = p->colour > 0 ? FIELDS : 1;
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

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	(void)n;
	if (format_channel(out, "R") < 0 || format_channel(out, "G") < 0 || format_channel(out, "B") < 0)
		return err_set(e, E_SCENE, "grain needs a picture with the channels R, G and B");
	return 0;
}

static bool identity(const struct node_ctx *n)
{
	const struct grain *p = n->v;
	return p->amount <= 0;
}

static ptrdiff_t pitch(int width) { return (width + 15) & ~15; }

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct state *s = n->state;
	size_t line = (size_t)pitch(rect_w(r) + 2 * s->radius), row = (size_t)pitch(rect_w(r));
	return (FIELDS * line + (size_t)s->nfield * row * (size_t)(rect_h(r) + 2 * s->radius + 1) + row) *
	    sizeof(float);
}

static double flops(const struct node_ctx *n)
{
	const struct state *s = n->state;
	return s ? 200 + 6.0 * s->nfield * (s->radius + 1) : 200;
}

enum { BLOCK = 32 };

/* One row through the shaping kernel; s has radius values before and after. */
static void across(const struct state *k, const float *IN_RESTRICT s, int n, float *IN_RESTRICT d)
{
	for (int x0 = 0; x0 < n; x0 += BLOCK) {
		int m = n - x0 < BLOCK ? n - x0 : BLOCK;
		const float *c = s + x0;
		for (int b = 0; b < m; b++) d[x0 + b] = k->w[0] * c[b];
		for (int i = 1; i <= k->radius; i++)
			for (int b = 0; b < m; b++) d[x0 + b] += k->w[i] * (c[b - i] + c[b + i]);
	}
}

/* rows: the middle one of 2 radius + 1 rows. */
static void downward(const struct state *k, const float *rows, ptrdiff_t stride, int n,
    float *IN_RESTRICT d)
{
	for (int x = 0; x < n; x++) d[x] = k->w[0] * rows[x];
	for (int i = 1; i <= k->radius; i++) {
		const float *p = rows - i * stride, *q = rows + i * stride;
		for (int x = 0; x < n; x++) d[x] += k->w[i] * (p[x] + q[x]);
	}
}

/* Adds grain g (mono; own, stride apart) to row y of the tile. */
static void apply(const struct state *s, const struct call *c, struct rect r, int y,
    const float *const g[FIELDS], float *IN_RESTRICT dev)
{
	const float *red = view_at(&c->in[0], 0, r.x0, y), *green = view_at(&c->in[0], 1, r.x0, y);
	const float *blue = view_at(&c->in[0], 2, r.x0, y);
	const float wr = s->luma[0], wg = s->luma[1], wb = s->luma[2], low = s->low, scale = s->scale;
	int n = rect_w(r);
	for (int x = 0; x < n; x++) {
		float t = (wr * red[x] + wg * green[x] + wb * blue[x] - low) * scale;
		t = t > 0.0f ? t : 0.0f;
		t = t < TABLE - 0.5f ? t : TABLE - 0.5f;
		int k = (int)t;
		dev[x] = s->table[k] + (s->table[k + 1] - s->table[k]) * (t - (float)k);
	}
	for (int i = 0; i < 3; i++) {
		const float *v = view_at(&c->in[0], i, r.x0, y), *mono = g[0], *own = g[i + 1];
		float *IN_RESTRICT out = view_at(c->out, i, r.x0, y);
		const float km = s->mono, ko = s->nfield > 1 ? s->own : 0.0f;
		for (int x = 0; x < n; x++) out[x] = v[x] + dev[x] * (km * mono[x] + ko * own[x]);
	}
}

static int tile(const struct call *c, struct rect r)
{
	const struct grain *p = c->n->v;
	const struct state *s = c->n->state;
	int w = rect_w(r), h = rect_h(r), rad = s->radius, line = (int)pitch(w + 2 * rad);
	ptrdiff_t stride = pitch(w), plane = stride * (h + 2 * rad);
	float *white = c->scratch, *rows = white + FIELDS * line, *shaped = rows + s->nfield * plane;
	struct px_noise_key key = px_noise_key((uint32_t)p->seed, c->n->instance, c->frame);
	for (int y = 0; y < h + 2 * rad; y++) {
		px_noise_row(&key, r.x0 - rad, r.y0 - rad + y, w + 2 * rad,
		             white, white + line, white + 2 * line, white + 3 * line);
		for (int i = 0; i < s->nfield; i++)
			across(s, white + i * line + rad, w, rows + i * plane + y * stride);
	}
	for (int y = 0; y < h; y++) {
		const float *g[FIELDS] = { shaped, shaped, shaped, shaped };
		for (int i = 0; i < s->nfield; i++) {
			g[i] = shaped + i * stride;
			downward(s, rows + i * plane + (y + rad) * stride, stride, w, shaped + i * stride);
		}
		apply(s, c, r, r.y0 + y, g, shaped + s->nfield * stride);
	}
	return 0;
}

const struct node_type ISA(node_grain) = {
	.name = "grain", .doc = "Adds film grain: new in every frame, the same for ever for a seed.",
	.more = "out_c = in_c + amount / 3 * response(Y) * (sqrt(1 - colour) n_0 + sqrt(colour) n_c), in "
	        "the display encoding (ACEScct for scene-linear sources), where n are independent fields "
	        "of normal noise with mean 0 and standard deviation 1 and Y is the pixel's luma. Each "
	        "field is white noise, a pure function (Philox4x32-10, Box-Muller) of x, y, frame, seed "
	        "and, inside a <use>, of the instance, shaped by a Gaussian whose squares sum to 1: its "
	        "autocorrelation at distance d is exp(-d^2 / (4 size^2)). Two channels correlate by 1 - "
	        "colour. The mean of the picture does not move.\n"
	        "Grain comes last, once per delivery size: below it stand output nodes only.",
	.category = "image", .version = 1, .size = sizeof(struct grain), .params = params,
	.inputs = "image mask?", .flags = NF_RGB | NF_MASKED | NF_TIME, .traits = TR_GRAIN,
	    .want = WANT_ENCODED,
	.example = "<grain id=\"grained\" in=\"soft\" amount=\"0.03\" size=\"0.7\" colour=\"0.3\" "
	        "seed=\"10\"/>",
	.format = format, .open = open_tables, .close = close_tables, .identity = identity,
	.scratch = scratch, .flops = flops, .tile = tile,
};
