/* blur - the exact Gaussian, of any size.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "gauss.h"
#include "node.h"

struct blur { double sigma, sigma_y; int edges; };

enum { EDGES_HOLD, EDGES_MIRROR, EDGES_BLACK };

static const struct param params[] = {
	P_LENGTH(blur, sigma, "1", 0, 1000, 0,
	         "Standard deviation of the Gaussian, across and (unless sigma_y is given) down. 0 does "
	        "nothing."),
	P_LENGTH(blur, sigma_y, "-1", -1, 1000, 0,
	         "Standard deviation down the picture, where it shall differ; negative: the same as "
	        "sigma."),
	P_ENUM(blur, edges, "hold", "hold|mirror|black", PF_STATIC,
	       "What lies beyond the data window: its edge pixels, its mirror image, or nothing."),
	P_END
};

/* One axis: half kernel, largest first. */
struct axis { int radius; float *w; };
struct state { struct axis x, y; };

static double down(const struct blur *p) { return p->sigma_y >= 0 ? p->sigma_y : p->sigma; }

static void axis_open(struct axis *a, double sigma)
{
	a->radius = gauss_radius(sigma);
	a->w = xalloc((size_t)a->radius + 1, sizeof *a->w);
	gauss_half_float(sigma, a->radius, 1, a->w);
}

static int open_kernels(struct node_ctx *n, struct err *e)
{
	const struct blur *p = n->v;
	(void)e;
	struct state *s = xalloc(1, sizeof *s);
	axis_open(&s->x, p->sigma);
	axis_open(&s->y, down(p));
	n->state = s;
	return 0;
}

static void close_kernels(struct node_ctx *n)
{
	struct state *s = n->state;
	if (s) free(s->x.w), free(s->y.w);
	free(s);
	n->state = NULL;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct blur *p = n->v;
	need_add(out, 0, frame, rect_grow(r, gauss_radius(p->sigma), gauss_radius(down(p))));
}

static bool identity(const struct node_ctx *n)
{
	const struct blur *p = n->v;
	return p->sigma <= 0 && down(p) <= 0;
}

/* The rows and columns around r that exist in the input. */
static struct rect around(const struct node_ctx *n, struct rect r)
{
	const struct state *s = n->state;
	return rect_and(rect_grow(r, s->x.radius, s->y.radius), n->in[0]->data);
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct state *s = n->state;
	size_t w = (size_t)rect_w(r), rows = (size_t)rect_h(around(n, r));
	return (rows * ((w + 15) & ~(size_t)15) + w + 2 * (size_t)s->x.radius + 64) * sizeof(float);
}

static double flops(const struct node_ctx *n)
{
	const struct state *s = n->state;
	return s ? 6.0 * (s->x.radius + s->y.radius + 2) : 60;
}

/* Where pixel i of an axis [lo, hi) is taken from, or -1 below lo for black. */
static int edge_index(int i, int lo, int hi, int edges)
{
	if (i >= lo && i < hi) return i;
	if (edges == EDGES_BLACK) return lo - 1;
	if (edges == EDGES_HOLD) return i < lo ? lo : hi - 1;
	int period = 2 * (hi - lo), k = (i - lo) % period;
	if (k < 0) k += period;
	return lo + (k < hi - lo ? k : period - 1 - k);
}

/* Row y of the input from x0, n pixels, edges applied. */
static void fetch_row(const struct view *in, int ch, int y, int x0, int n, struct rect data,
    int edges,
                      float *IN_RESTRICT d)
{
	const float *row = view_at(in, ch, in->r.x0, y);
	int a = data.x0 - x0, b = data.x1 - x0;
	if (a < 0) a = 0;
	if (a > n) a = n;
	if (b > n) b = n;
	if (b < a) b = a;
	for (int i = 0; i < a; i++) {
		int x = edge_index(x0 + i, data.x0, data.x1, edges);
		d[i] = x < data.x0 ? 0.0f : row[x - in->r.x0];
	}
	const float *mid = row + (x0 - in->r.x0);
	for (int i = a; i < b; i++) d[i] = mid[i];
	for (int i = b; i < n; i++) {
		int x = edge_index(x0 + i, data.x0, data.x1, edges);
		d[i] = x < data.x0 ? 0.0f : row[x - in->r.x0];
	}
}

enum { BLOCK = 32 };

/* Pairs of equal weight are added first, from the tail inwards: few roundings, always in this
 * order. */
static void across(const struct axis *k, const float *IN_RESTRICT s, int n, float *IN_RESTRICT d)
{
	int x = 0;
	for (; x + BLOCK <= n; x += BLOCK) {
		float acc[BLOCK] = { 0 };
		const float *c = s + x;
		for (int i = k->radius; i > 0; i--)
			for (int b = 0; b < BLOCK; b++) acc[b] += k->w[i] * (c[b - i] + c[b + i]);
		for (int b = 0; b < BLOCK; b++) d[x + b] = acc[b] + k->w[0] * c[b];
	}
	for (; x < n; x++) {
		float acc = 0;
		for (int i = k->radius; i > 0; i--) acc += k->w[i] * (s[x - i] + s[x + i]);
		d[x] = acc + k->w[0] * s[x];
	}
}

/* Horizontally blurred rows [y0, y1) of one channel; nothing beyond for black edges. */
struct band { const float *row; ptrdiff_t stride; int y0; struct rect data; int edges; };

static const float *band_row(const struct band *b, int y)
{
	int i = edge_index(y, b->data.y0, b->data.y1, b->edges);
	return i < b->data.y0 ? NULL : b->row + (ptrdiff_t)(i - b->y0) * b->stride;
}

/* acc += w * (p + q) over a block; NULL rows are black. */
IN_INLINE void add_pair(float *IN_RESTRICT acc, float w, const float *p, const float *q, int n)
{
	if (p && q) for (int b = 0; b < n; b++) acc[b] += w * (p[b] + q[b]);
	else if (p) for (int b = 0; b < n; b++) acc[b] += w * p[b];
	else if (q) for (int b = 0; b < n; b++) acc[b] += w * q[b];
}

static void downward(const struct axis *k, const struct band *b, int y, int n, float *IN_RESTRICT d)
{
	const float *c = band_row(b, y);
	for (int x = 0; x < n; x++) d[x] = 0;
	for (int i = k->radius; i > 0; i--)
		add_pair(d, k->w[i], band_row(b, y - i), band_row(b, y + i), n);
	for (int x = 0; x < n; x++) d[x] += k->w[0] * c[x];
}

static int tile(const struct call *c, struct rect r)
{
	const struct blur *p = c->n->v;
	const struct state *s = c->n->state;
	struct rect data = c->n->in[0]->data, have = around(c->n, r);
	int w = rect_w(r);
	ptrdiff_t stride = (w + 15) & ~15;
	float *rows = c->scratch, *line = rows + (ptrdiff_t)rect_h(have) * stride;
	struct band band = { rows, stride, have.y0, data, p->edges };
	for (int ch = 0; ch < c->out->nch; ch++) {
		for (int y = have.y0; y < have.y1; y++) {
			fetch_row(&c->in[0], ch, y, r.x0 - s->x.radius, w + 2 * s->x.radius, data, p->edges, line);
			across(&s->x, line + s->x.radius, w, rows + (ptrdiff_t)(y - have.y0) * stride);
			if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		}
		for (int y = r.y0; y < r.y1; y++) downward(&s->y, &band, y, w, view_at(c->out, ch, r.x0, y));
	}
	return 0;
}

const struct node_type ISA(node_blur) = {
	.name = "blur", .doc = "Blurs with an exact Gaussian, of any size.",
	.more = "Separable convolution with g(x) = exp(-x^2 / (2 sigma^2)), cut where the rest is below "
	        "4e-8 (5.5 sigma) and normalised to 1. Below sigma 0.8, where samples no longer are a "
	        "Gaussian, g is integrated over each pixel (erf). Works on all channels, alpha too, in "
	        "linear light (as optics do), premultiplied. Lengths are pixels at full resolution or a "
	        "share of the picture's height (2%h).\n"
	        "A picture with a data window inside its frame is blurred up to that window's edge; "
	        "reformat it to its frame first where it shall spread.",
	.category = "image", .version = 1, .size = sizeof(struct blur), .params = params,
	.inputs = "image mask?", .flags = NF_MASKED, .traits = TR_BLUR, .want = WANT_LINEAR,
	.example = "<blur id=\"soft\" in=\"graded\" sigma=\"0.5\"/>",
	.open = open_kernels, .close = close_kernels, .needs = needs, .identity = identity,
	.scratch = scratch, .flops = flops, .tile = tile,
};
