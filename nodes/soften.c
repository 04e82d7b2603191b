/* soften - the tiny blur that photographs have: a lens's, or sharpening taken back.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "mathx.h"
#include "measure.h"
#include "node.h"
#include "px_blur.h"
#include "px_math.h"
#include "slope.h"

enum { OPTICAL, BAND };
enum { RADIUS_MAX = 14, BLOCKS = 48 };

struct soften { int mode; double sigma, excess, radius, halos, slope; const char *solved; };

static const struct param params[] = {
	P_ENUM(soften, mode, "optical", "optical|band", PF_STATIC,
	       "optical: a Gaussian in linear light, as a lens blurs. band: undoes sharpening in the "
	       "clip's own encoding."),
	P_LENGTH(soften, sigma, "0.02%h", 0, 4, PF_SOLVED, "optical: standard deviation of the "
	         "Gaussian; 0.3 to 0.6 pixels at 4K."),
	P_FLOATX(soften, excess, 0, 0, 3, "amount", PF_SOLVED, "band: the amount of sharpening that is "
	         "in the picture."),
	P_LENGTH(soften, radius, "1", 0.3, 3, PF_SOLVED, "band: the sigma of the Gaussian that it was "
	         "sharpened against."),
	P_FLOAT(soften, halos, 0.5, 0, 1, "share", "band: how much of the overshoot along strong edges "
	        "is taken away besides."),
	P_FLOATX(soften, slope, -2.6, -6, -1, "power/octave", PF_NOKEY,
	         "`interneg solve`: the slope of the power spectrum that the picture shall have at most."),
	P_STRING(soften, solved, "", PF_SOLVED | PF_NOKEY, "Key of what was measured; written by `interneg solve`."),
	P_END
};

/* kernel: of band, rows 0..radius of columns 0..radius. Threads: frozen. */
struct state { int radius, base, reach; float *w, *kernel; };

/* 1 / (1 + a (1 - G)) as a sum of Gaussians: (1 / (1 + a)) sum q^n G^n,
 * q = a / (1 + a), cut off at the radius. */
static void inverse_kernel(double amount, double sigma, int radius, float *out)
{
	int side = radius + 1;
	double *k = xalloc((size_t)(side * side), sizeof *k), *g = xalloc((size_t)side, sizeof *g);
	double q = amount / (1 + amount), weight = 1 / (1 + amount), sum = 0;
	k[0] = weight;
	for (int n = 1; n < 200 && (weight *= q) > 1e-9; n++) {
		gauss_half(sigma * __builtin_sqrt(n), radius, g);
		for (int i = 0; i < side * side; i++) k[i] += weight * g[i / side] * g[i % side];
	}
	for (int i = 0; i < side * side; i++) sum += k[i] * (i / side ? 2 : 1) * (i % side ? 2 : 1);
	for (int i = 0; i < side * side; i++) out[i] = (float)(k[i] / sum);
	free(g);
	free(k);
}

static int least(double x, int most) { return x < most ? (int)mx_ceil(x) : most; }

static int open_kernels(struct node_ctx *n, struct err *e)
{
	const struct soften *p = n->v;
	struct state *s = n->state = xalloc(1, sizeof *s);
	(void)e;
	bool band = p->mode == BAND;
	double base = 1.5 * p->radius;
	s->radius = band ? least(5 * p->radius, RADIUS_MAX) : gauss_radius(p->sigma);
	s->base = band && p->halos > 0 ? least(3 * base, RADIUS_MAX) : 0;
	s->reach = s->base ? least(2 * p->radius + 1, 7) : 0;
	int r = band ? s->base : s->radius;
	s->w = xalloc((size_t)r + 1, sizeof *s->w);
	gauss_half_float(band ? base : p->sigma, r, 1, s->w);
	s->kernel = xalloc((size_t)((s->radius + 1) * (s->radius + 1)), sizeof *s->kernel);
	if (band) inverse_kernel(p->excess, p->radius, s->radius, s->kernel);
	return 0;
}

static void close_kernels(struct node_ctx *n)
{
	struct state *s = n->state;
	if (s) free(s->w), free(s->kernel);
	free(s);
	n->state = NULL;
}

static bool identity(const struct node_ctx *n)
{
	const struct soften *p = n->v;
	return p->mode == BAND ? p->excess == 0 : p->sigma <= 0;
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	const struct soften *p = n->v;
	(void)conn;
	return p->mode == BAND ? WANT_ENCODED : WANT_LINEAR;
}

/* How far pixels are read; without state while the plan is made of parameters only. */
static int border(const struct node_ctx *n)
{
	const struct soften *p = n->v;
	if (p->mode != BAND) return gauss_radius(p->sigma);
	int k = least(5 * p->radius, RADIUS_MAX);
	int halo = p->halos > 0 ? least(4.5 * p->radius, RADIUS_MAX) + least(2 * p->radius + 1, 7) : 0;
	return k > halo ? k : halo;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	int b = border(n);
	need_add(out, 0, frame, rect_grow(r, b, b));
}

static struct rect around(const struct node_ctx *n, struct rect r)
{
	int b = border(n);
	return rect_and(rect_grow(r, b, b), n->in[0]->data);
}

/* A padded copy of one channel, two rows of sums, and for halos the base, its extremes
 * across and a band for the blur. */
static size_t scratch(const struct node_ctx *n, struct rect r)
{
	int b = border(n);
	size_t w = (size_t)px_blur_stride(rect_w(r) + 2 * b), h = (size_t)(rect_h(r) + 2 * b);
	return (4 * w * h + 8 * w + px_blur_floats((int)w, (int)h, (int)w + 2 * b)) * sizeof(float);
}

static double flops(const struct node_ctx *n)
{
	const struct soften *p = n->v;
	int b = border(n);
	return p->mode == BAND ? 9.0 * (b + 1) * (b + 1) / 2 + 90 : 9.0 * (2 * b + 1);
}

/* A picture padded by its edge pixels: row y, column x of the tile stand
 * at v + (y + pad) * stride + x + pad. */
struct padded { float *v; ptrdiff_t stride; int pad; };

IN_INLINE float *padded_at(const struct padded *p, int x, int y)
{
	return p->v + (ptrdiff_t)(y + p->pad) * p->stride + x + p->pad;
}

static void pad_channel(const struct call *c, int ch, struct rect r, struct padded *p)
{
	struct rect d = c->n->in[0]->data;
	for (int y = -p->pad; y < rect_h(r) + p->pad; y++) {
		int at = r.y0 + y;
		at = at < d.y0 ? d.y0 : at >= d.y1 ? d.y1 - 1 : at;
		px_blur_fetch(&c->in[0], ch, at, r.x0 - p->pad, rect_w(r) + 2 * p->pad, d, EDGES_HOLD,
		              padded_at(p, -p->pad, y));
	}
}

/* One row of the two-dimensional symmetric kernel. */
static void unsharpen_row(const struct state *s, const struct padded *p, int y, int w, float *sum,
                          float *IN_RESTRICT out)
{
	int rad = s->radius, side = rad + 1;
	for (int x = 0; x < w; x++) out[x] = 0;
	for (int dy = rad; dy >= 0; dy--) {
		const float *a = padded_at(p, -rad, y - dy), *b = padded_at(p, -rad, y + dy), *k = s->kernel + dy * side;
		for (int x = 0; x < w + 2 * rad; x++) sum[x] = dy ? a[x] + b[x] : a[x];
		for (int dx = rad; dx > 0; dx--)
			for (int x = 0; x < w; x++) out[x] += k[dx] * (sum[rad + x - dx] + sum[rad + x + dx]);
		for (int x = 0; x < w; x++) out[x] += k[0] * sum[rad + x];
	}
}

/* The base: the tile and reach pixels around it, blurred; then its least and greatest across. */
struct base { float *v, *low, *high, *line; ptrdiff_t stride; };

static void base_make(const struct state *s, const struct padded *p, int w, int h, struct base *b)
{
	int k = s->reach, bw = w + 2 * k;
	for (int y = -k; y < h + k; y++) {
		float *IN_RESTRICT line = b->line, *d = b->v;
		for (int x = 0; x < bw + 2 * s->base; x++) line[x] = 0;
		for (int i = s->base; i > 0; i--) {
			const float *u = padded_at(p, -k - s->base, y - i), *v = padded_at(p, -k - s->base, y + i);
			for (int x = 0; x < bw + 2 * s->base; x++) line[x] += s->w[i] * (u[x] + v[x]);
		}
		const float *c = padded_at(p, -k - s->base, y);
		for (int x = 0; x < bw + 2 * s->base; x++) line[x] += s->w[0] * c[x];
		px_blur_across(s->base, s->w, line + s->base, bw, d);
		float *IN_RESTRICT lo = b->low + (ptrdiff_t)(y + k) * b->stride,
			*IN_RESTRICT hi = b->high + (ptrdiff_t)(y + k) * b->stride;
		for (int x = 0; x < w; x++) lo[x] = hi[x] = d[x];
		for (int i = 1; i <= 2 * k; i++)
			for (int x = 0; x < w; x++) lo[x] = px_min(lo[x], d[x + i]), hi[x] = px_max(hi[x], d[x + i]);
	}
}

/* What goes beyond the base's range around it, where that range is an edge's, is a halo. */
static void halo_row(const struct state *s, const struct base *b, int y, int w, float halos,
                     float *lo, float *hi, float *IN_RESTRICT out)
{
	const ptrdiff_t at = (ptrdiff_t)y * b->stride;
	for (int x = 0; x < w; x++) lo[x] = b->low[at + x], hi[x] = b->high[at + x];
	for (int i = 1; i <= 2 * s->reach; i++) {
		const float *l = b->low + at + i * b->stride, *h = b->high + at + i * b->stride;
		for (int x = 0; x < w; x++) lo[x] = px_min(lo[x], l[x]), hi[x] = px_max(hi[x], h[x]);
	}
	for (int x = 0; x < w; x++) {
		float t = px_clamp((hi[x] - lo[x] - 0.08f) * (1.0f / 0.17f), 0.0f, 1.0f), v = out[x];
		float over = px_max(v - hi[x], 0.0f) + px_min(v - lo[x], 0.0f);
		out[x] = v - halos * (t * t * (3.0f - 2.0f * t)) * over;
	}
}

static int band(const struct call *c, struct rect r)
{
	const struct soften *p = c->n->v;
	const struct state *s = c->n->state;
	int w = rect_w(r), h = rect_h(r), b = border(c->n);
	ptrdiff_t stride = px_blur_stride(w + 2 * b), plane = stride * (h + 2 * b);
	struct padded in = { c->scratch, stride, b };
	struct base base = { in.v + 3 * plane, in.v + plane, in.v + 2 * plane,
		in.v + 3 * plane + 2 * stride, stride };
	float *sum = base.line + 2 * stride, *lo = sum + stride, *hi = lo + stride;
	for (int ch = 0; ch < c->out->nch; ch++) {
		pad_channel(c, ch, r, &in);
		if (s->reach) base_make(s, &in, w, h, &base);
		for (int y = 0; y < h; y++) {
			float *out = view_at(c->out, ch, r.x0, r.y0 + y);
			unsharpen_row(s, &in, y, w, sum, out);
			if (s->reach) halo_row(s, &base, y, w, (float)p->halos, lo, hi, out);
			if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		}
	}
	return 0;
}

static int tile(const struct call *c, struct rect r)
{
	const struct soften *p = c->n->v;
	const struct state *s = c->n->state;
	if (p->mode == BAND) return band(c, r);
	struct px_kernel k = { s->radius, s->w };
	return px_blur(&k, &k, EDGES_HOLD, &c->in[0], c->out, r, around(c->n, r), c->n->in[0]->data,
	               c->scratch, c->cancel);
}

/* --- solve --- */

static double optical_gain(const void *user, double f)
{
	double sigma = *(const double *)user;
	return mx_exp(-2 * MX_PI * MX_PI * sigma * sigma * f * f);
}

/* The least Gaussian that brings the slope down to what is wanted, within those that a lens has. */
static double solve_sigma(const struct slope *sp, double want)
{
	double sigma = 0.3;
	while (sigma < 0.795 && slope_of(sp, optical_gain, &sigma) > want) sigma += 0.01;
	return sigma;
}

static int soften_solve(struct solve_call *s, struct err *e)
{
	const struct soften *p = s->n->v;
	struct slope sp = { .blocks = 0 };
	double w[3];
	for (int i = 0; i < s->nsamples; i++) {
		colour_luma(s->sample[i].in->fmt.space, w);
		if (slope_add(&sp, s->sample[i].in, w, BLOCKS, e) < 0) return -1;
	}
	if (sp.blocks < 1) return err_set(e, E_INPUT, "soften: the picture is smaller than %d pixels", SLOPE_SIDE);
	double before = slope_of(&sp, NULL, NULL), after, bend = 0;
	if (p->mode == BAND) {
		struct slope_fit fit = slope_excess(&sp, p->slope, 3);
		solve_attr_put(s, "excess", &fit.amount, 1, 2);
		solve_attr_put(s, "radius", &fit.radius, 1, 2);
		after = slope_of(&sp, slope_unsharpen, &fit);
		bend = fit.bend_db;
	} else {
		double sigma = solve_sigma(&sp, p->slope);
		solve_attr_put(s, "sigma", &sigma, 1, 2);
		after = slope_of(&sp, optical_gain, &sigma);
	}
	s->confidence = 1 / (1 + bend * bend / 4);
	snprintf(s->note, sizeof s->note, "%d blocks; slope of the spectrum from 0.08 to 0.4 "
	         "cycles/pixel %.2f before, %.2f after%s", sp.blocks, before, after,
	         before <= p->slope ? "; it was not over-sharp" : "");
	return 0;
}

const struct node_type ISA(node_soften) = {
	.name = "soften", .doc = "The tiny blur that photographs have: a lens's, or sharpening taken back.",
	.more = "optical convolves with a Gaussian of sigma in linear light. band filters the clip's "
	        "own encoding with 1 / (1 + excess (1 - exp(-2 pi^2 radius^2 f^2))), the exact inverse "
	        "of an unsharp mask of that amount and radius: low frequencies and flat fields stay, "
	        "the band that models and cameras add goes, and with it the halos that are linear. "
	        "halos then pulls back what still goes beyond the least and greatest of a blurred "
	        "picture around it, along edges only.\n"
	        "`interneg solve` measures the radial power spectrum of luma over the shot and tells "
	        "its slope between 0.08 and 0.4 cycles per pixel before and after. Photographs lie "
	        "between -2.2 and -3.4, most near -2.6; what models and cameras have sharpened is "
	        "flatter. band gets the excess that brings it down to slope, and of the radii the one "
	        "that leaves the straightest spectrum; optical the least sigma from 0.3 to 0.8 pixels. "
	        "A clip that is not flatter gets excess 0, which does nothing, and sigma 0.3. The "
	        "slope of one picture depends on what it shows: measure footage of your own and write "
	        "its slope.",
	.category = "image", .version = 1, .size = sizeof(struct soften), .params = params, .inputs = "image mask?",
	.flags = NF_RGB | NF_PREMULT | NF_MASKED | NF_SOLVE, .traits = TR_BLUR, .want_of = want_of,
	.example = "<soften id=\"lens\" in=\"graded\" sigma=\"0.45\"/>",
	.open = open_kernels, .close = close_kernels, .identity = identity, .needs = needs,
		.scratch = scratch, .flops = flops,
	.tile = tile, .solve = soften_solve,
};
