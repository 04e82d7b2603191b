/* neural_lock - from what a network took from each source pixel to the smooth
 * part of it that has to be given back.
 *
 * First the Gaussian band of the differences; then, so that no block of the picture
 * keeps a shift of its own, the means of what is left in cells of 8x8 source
 * pixels, interpolated, a few times over.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "gauss.h"
#include "node.h"
#include "px_conv.h"

/* Of the Gaussian that parts low from high, in source pixels; rounds of cell means
 * (what one leaves is under half). */
#define LOCK_SIGMA 2.0
enum { CELL = 8, ROUNDS = 10 };

static const struct param params[] = { P_END };

/* tmp: a row, radius more to each side. share, cell_of: where each column stands between cells. */
struct work {
	int w, h, radius;
	float *k, *rest, *tmp, *cell, *share;
	int *cell_of, cx0, cy0, cw, ch;
	struct rect r;
};

static int clamp(int v, int n) { return v < 0 ? 0 : v >= n ? n - 1 : v; }

/* Blurs down, then across; edges held. rest is read, to written. */
static void blur(const struct work *k, float *to, ptrdiff_t stride)
{
	float *line = k->tmp + k->radius;
	for (int y = 0; y < k->h; y++) {
		const float *mid = k->rest + (size_t)y * (size_t)k->w;
		for (int x = 0; x < k->w; x++) line[x] = k->k[0] * mid[x];
		for (int i = 1; i <= k->radius; i++) {
			const float *a = k->rest + (size_t)clamp(y - i, k->h) * (size_t)k->w;
			const float *b = k->rest + (size_t)clamp(y + i, k->h) * (size_t)k->w;
			for (int x = 0; x < k->w; x++) line[x] += k->k[i] * (a[x] + b[x]);
		}
		float *o = to + (ptrdiff_t)y * stride;
		for (int i = 1; i <= k->radius; i++) line[-i] = line[0], line[k->w - 1 + i] = line[k->w - 1];
		for (int x = 0; x < k->w; x++) o[x] = k->k[0] * line[x];
		for (int i = 1; i <= k->radius; i++)
			for (int x = 0; x < k->w; x++) o[x] += k->k[i] * (line[x - i] + line[x + i]);
	}
}

/* Column i of a row of cells. */
static struct rect columns(const struct work *k, int i, struct rect row)
{
	int x = (k->cx0 + i) * CELL;
	return rect_of(x > row.x0 ? x : row.x0, row.y0, x + CELL < row.x1 ? x + CELL : row.x1, row.y1);
}

/* Means of the rest in cells that stand at multiples of 8. */
static void means(const struct work *k)
{
	for (int j = 0; j < k->ch; j++) {
		float *sum = k->cell + j * k->cw;
		struct rect c = rect_and(rect_of(k->r.x0, (k->cy0 + j) * CELL, k->r.x1, (k->cy0 + j + 1) * CELL), k->r);
		for (int i = 0; i < k->cw; i++) sum[i] = 0;
		for (int y = c.y0; y < c.y1; y++)
			for (int i = 0; i < k->cw; i++) {
				const float *row = k->rest + (ptrdiff_t)(y - k->r.y0) * k->w;
				struct rect q = columns(k, i, c);
				float v = sum[i];
				for (int x = q.x0; x < q.x1; x++) v += row[x - k->r.x0];
				sum[i] = v;
			}
		for (int i = 0; i < k->cw; i++) sum[i] /= (float)rect_area(columns(k, i, c));
	}
}

/* Position between cell centres: the cell before, and the share of the next. */
static int between(int v, int first, float *f)
{
	int d = 2 * (v - first * CELL) + 1 - CELL, i = px_floor_div(d, 2 * CELL);
	*f = (float)(d - i * 2 * CELL) / (2 * CELL);
	return i;
}

/* Interpolated means go from the rest to the result. */
static void move(const struct work *k, float *to, ptrdiff_t stride)
{
	for (int y = 0; y < k->h; y++) {
		float fy;
		int j = between(y + k->r.y0, k->cy0, &fy);
		const float *a = k->cell + clamp(j, k->ch) * k->cw, *b = k->cell + clamp(j + 1, k->ch) * k->cw;
		for (int i = 0; i < k->cw; i++) k->tmp[i] = a[i] + (b[i] - a[i]) * fy;
		float *o = to + (ptrdiff_t)y * stride, *rest = k->rest + (size_t)y * (size_t)k->w;
		for (int x = 0; x < k->w; x++) {
			int i = k->cell_of[x];
			float p = k->tmp[clamp(i, k->cw)], q = k->tmp[clamp(i + 1, k->cw)], v = p + (q - p) * k->share[x];
			o[x] += v;
			rest[x] -= v;
		}
	}
}

static void channel(struct work *k, const struct view *in, const struct view *out, int c)
{
	float *to = view_at(out, c, k->r.x0, k->r.y0);
	for (int y = 0; y < k->h; y++)
		memcpy(k->rest + (size_t)y * (size_t)k->w, view_at(in, c, k->r.x0, k->r.y0 + y),
		       (size_t)k->w * sizeof(float));
	blur(k, to, out->stride);
	for (int y = 0; y < k->h; y++)
		for (int x = 0; x < k->w; x++)
			k->rest[(size_t)y * (size_t)k->w + (size_t)x] -= to[(ptrdiff_t)y * out->stride + x];
	for (int i = 0; i < ROUNDS; i++) {
		means(k);
		move(k, to, out->stride);
	}
}

static int frame(const struct call *c)
{
	struct rect r = c->out->r;
	struct work k = { .w = rect_w(r), .h = rect_h(r), .radius = gauss_radius(LOCK_SIGMA), .r = r,
		.cx0 = px_floor_div(r.x0, CELL), .cy0 = px_floor_div(r.y0, CELL) };
	k.cw = px_floor_div(r.x1 + CELL - 1, CELL) - k.cx0;
	k.ch = px_floor_div(r.y1 + CELL - 1, CELL) - k.cy0;
	size_t area = (size_t)k.w * (size_t)k.h, cells = (size_t)k.cw * (size_t)k.ch;
	size_t line = (size_t)k.w + 2 * (size_t)k.radius + 8;
	float *m = malloc((area + line + cells + (size_t)k.radius + 8 + 2 * (size_t)k.w) * sizeof *m);
	if (!m) return err_set(c->err, E_MEMORY, "no memory for the low frequencies");
	k.rest = m;
	k.tmp = m + area;
	k.cell = k.tmp + line;
	k.k = k.cell + cells;
	k.share = k.k + k.radius + 8;
	k.cell_of = (int *)(void *)(k.share + k.w);
	for (int x = 0; x < k.w; x++) k.cell_of[x] = between(x + r.x0, k.cx0, &k.share[x]);
	gauss_half_float(LOCK_SIGMA, k.radius, 1, k.k);
	int rc = 0;
	for (int i = 0; i < c->out->nch && rc == 0; i++) {
		channel(&k, &c->in[0], c->out, i);
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) rc = -1;
	}
	free(m);
	return rc;
}

static size_t reserve(const struct node_ctx *n)
{
	struct rect r = n->in[0]->data;
	return (rect_area(r) * 9 / 8 + 3 * (size_t)rect_w(r) + 65536) * sizeof(float);
}

static double flops(const struct node_ctx *n)
{
	return 3.0 * (4 * gauss_radius(LOCK_SIGMA) + ROUNDS * 10) + n->in[0]->nch;
}

const struct node_type ISA(node_neural_lock) = {
	.name = "neural_lock", .doc = "The smooth part of what a network took from the picture.",
	.category = "geometry", .version = 1, .params = params, .inputs = "image", .flags = NF_HIDDEN,
		.want = WANT_ANY,
	.reserve = reserve, .flops = flops, .frame = frame,
};
