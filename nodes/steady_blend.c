/* steady_blend - mixes a picture with what its neighbours show at the same place of the scene.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"
#include "px_unit.h"
#include "px_warp.h"

struct steady_blend { double amount, change; int reach; };

static const struct param params[] = {
	P_FLOATX(steady_blend, amount, 1, 0, 1, "mix", PF_STATIC, "Weight of a neighbour that fits."),
	P_FLOATX(steady_blend, change, 0.12, 0.0001, 10, "encoded", PF_STATIC, "Difference of the "
	         "picture that counts for a quarter."),
	P_INT(steady_blend, reach, 2, 1, 2, "frames", PF_STATIC, "Frames to either side; one motion "
	      "input each, from the earliest on."),
	P_END
};

/* Frame offset of motion input i: -2 -1 1 2. */
static int offset(const struct steady_blend *p, int i)
{ return i < p->reach ? i - p->reach : i - p->reach + 1; }

/* Pixel (x, y) of the picture is source pixel x * sx + ox, y * sy + oy. */
struct grid { float sx, sy, ox, oy; };
static struct grid grid_of(const struct node_ctx *n)
{
	struct rect a = n->in[0]->display, b = n->in[1]->display;
	double sx = (double)rect_w(b) / rect_w(a), sy = (double)rect_h(b) / rect_h(a);
	return (struct grid){ (float)sx, (float)sy, (float)(b.x0 + (0.5 - a.x0) * sx - 0.5),
		(float)(b.y0 + (0.5 - a.y0) * sy - 0.5) };
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct steady_blend *p = n->v;
	need_add(out, 0, frame, rect_grow(r, 1, 1));
	for (int i = 0; i < 2 * p->reach && i + 1 < n->nconn; i++) {
		const struct format *f = n->in[i + 1];
		struct grid g = grid_of(n);
		struct rect s = rect_of((int)px_floor((float)(r.x0 - 1) * g.sx + g.ox) - 1,
		                        (int)px_floor((float)(r.y0 - 1) * g.sy + g.oy) - 1,
		                        (int)px_floor((float)(r.x1 + 1) * g.sx + g.ox) + 3,
		                        (int)px_floor((float)(r.y1 + 1) * g.sy + g.oy) + 3);
		/* beyond its edges motion is held */
		s.x0 = px_warp_within(s.x0, f->data.x0, f->data.x1);
		s.y0 = px_warp_within(s.y0, f->data.y0, f->data.y1);
		s.x1 = px_warp_within(s.x1 - 1, s.x0, f->data.x1) + 1;
		s.y1 = px_warp_within(s.y1 - 1, s.y0, f->data.y1) + 1;
		need_add(out, i + 1, frame, s);
		need_add(out, 0, frame + offset(p, i), n->in[0]->data);
	}
}

/* Moved channels, differences and trust of a neighbour, over the tile and a
 * pixel around it; sums of weights. */
static size_t area(struct rect r) { return (size_t)(rect_w(r) + 2) * (size_t)(rect_h(r) + 2); }
static size_t scratch(const struct node_ctx *n, struct rect r)
{
	return ((size_t)n->in[0]->nch + 3) * area(r) * sizeof(float);
}

struct work { struct rect g; int w; float *moved, *differs, *trust, *sum; size_t area; };

/* What neighbour i shows at the pixels of the tile. */
static void bring(const struct call *c, const struct work *k, int i, const int *see, int nsee)
{
	const struct view *own = &c->in[0], *motion = &c->in[1 + 2 * i], *other = &c->in[2 + 2 * i];
	struct grid g = grid_of(c->n);
	for (int y = k->g.y0; y < k->g.y1; y++)
		for (int x = k->g.x0; x < k->g.x1; x++) {
			size_t at = (size_t)(y - k->g.y0) * (size_t)k->w + (size_t)(x - k->g.x0);
			float sx = (float)x * g.sx + g.ox, sy = (float)y * g.sy + g.oy, most = 0;
			struct px_warp p;
			k->trust[at] = px_warp_linear(motion, 2, sx, sy);
			px_warp_at(other, (float)x + px_warp_linear(motion, 0, sx, sy) / g.sx,
			           (float)y + px_warp_linear(motion, 1, sx, sy) / g.sy, &p);
			for (int ch = 0; ch < own->nch; ch++) k->moved[(size_t)ch * k->area + at] = px_warp_cubic(other, ch, &p);
			for (int q = 0; q < nsee; q++) {
				float d = px_abs(k->moved[(size_t)see[q] * k->area + at] - *view_at(own, see[q], x, y));
				most = d > most || d != d ? d : most;
			}
			k->differs[at] = most;
		}
}

/* Adds it where it fits. */
static void add(const struct call *c, const struct work *k, struct rect r)
{
	const struct steady_blend *p = c->n->v;
	float scale = 1.0f / (float)p->change, amount = (float)p->amount;
	for (int y = r.y0; y < r.y1; y++)
		for (int x = r.x0; x < r.x1; x++) {
			float d = 0;
			for (int j = -1; j <= 1; j++)
				for (int i = -1; i <= 1; i++)
					d += k->differs[(px_warp_within(y + j, k->g.y0, k->g.y1) - k->g.y0) * k->w +
					                px_warp_within(x + i, k->g.x0, k->g.x1) - k->g.x0];
			size_t at = (size_t)(y - k->g.y0) * (size_t)k->w + (size_t)(x - k->g.x0);
			float t = d * (1.0f / 9.0f) * scale, fit = 1.0f / (1.0f + t * t), w = amount * k->trust[at] * fit * fit;
			if (!(w > 1e-6f)) continue;
			k->sum[at] += w;
			for (int ch = 0; ch < c->out->nch; ch++)
				*view_at(c->out, ch, x, y) += w * k->moved[(size_t)ch * k->area + at];
		}
}

static int tile(const struct call *c, struct rect r)
{
	const struct steady_blend *p = c->n->v;
	struct px_rgba rgba = px_rgba_of(c->n->in[0]);
	bool rgb = rgba.c[0] >= 0 && rgba.c[1] >= 0 && rgba.c[2] >= 0;
	int first = 0;
	struct work k = { .g = c->in[0].r, .w = rect_w(c->in[0].r), .moved = c->scratch, .area = area(r) };
	k.differs = k.moved + (size_t)c->out->nch * k.area;
	k.trust = k.differs + k.area;
	k.sum = k.trust + k.area;
	for (size_t i = 0; i < k.area; i++) k.sum[i] = 1.0f;
	for (int ch = 0; ch < c->out->nch; ch++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++) *view_at(c->out, ch, x, y) = *view_at(&c->in[0], ch, x, y);
	for (int i = 0; i < 2 * p->reach && 2 + 2 * i < c->nin; i++) {
		if (rect_empty(c->in[1 + 2 * i].r) || rect_empty(c->in[2 + 2 * i].r)) continue;
		if (atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		bring(c, &k, i, rgb ? rgba.c : &first, rgb ? 3 : 1);
		add(c, &k, r);
	}
	for (int ch = 0; ch < c->out->nch; ch++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++)
				*view_at(c->out, ch, x, y) /= k.sum[(size_t)(y - k.g.y0) * (size_t)k.w + (size_t)(x - k.g.x0)];
	return 0;
}

static double flops(const struct node_ctx *n)
{
	const struct steady_blend *p = n->v;
	return 2.0 * p->reach * (80 + 45.0 * (n->in[0] ? n->in[0]->nch : 3));
}

const struct node_type ISA(node_steady_blend) = {
	.name = "steady_blend", .doc = "Mixes a picture with what its neighbours show at the same "
	        "place of the scene.",
	.category = "time", .version = 1, .size = sizeof(struct steady_blend), .params = params,
		.inputs = "image motion*",
	.flags = NF_HIDDEN, .want = WANT_ENCODED, .needs = needs, .scratch = scratch, .flops = flops, .tile = tile,
};
