/* deblock_axis - one direction of deblock: borders between blocks side by side, or one above the other.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"
#include "px_math.h"

struct deblock_axis { int down; double size, offset[2], strength, limit; };

static const struct param params[] = {
	P_BOOL(deblock_axis, down, 0, PF_STATIC, "Borders between blocks one above the other."),
	P_FLOATX(deblock_axis, size, 8, 8, 64, "pixels", PF_STATIC, "Side of a block."),
	P_VEC2(deblock_axis, offset, 0, 0, 0, 63, "pixels", PF_STATIC, "Where the first whole block begins."),
	P_FLOAT(deblock_axis, strength, 1, 0, 2, "factor", "Multiplies what is taken from a border's step."),
	P_FLOAT(deblock_axis, limit, 36, 0, 255, "8-bit codes", "Steps higher than this are the picture's."),
	P_END
};

/* Steps inside are measured at up to 3 pixels from the border, and take two more.
 * SPREAD: pixels changed on each side. */
enum { SPREAD = 4, INSIDE = 3, READ = INSIDE + 3 };

static int size_of(const struct node_ctx *n) { return (int)((const struct deblock_axis *)n->v)->size; }

static int floor_to(int i, int first, int size)
{
	int k = (i - first) % size;
	return i - (k < 0 ? k + size : k);
}

/* The borders' own axis is u, along them v; whole stretches of v are read. */
struct frame { struct rect read, data; int first_u, first_v, size; bool down; };

static struct frame frame_of(const struct node_ctx *n, struct rect r)
{
	const struct deblock_axis *p = n->v;
	int size = size_of(n), ox = (int)p->offset[0], oy = (int)p->offset[1];
	struct frame f = { r, n->in[n->nconn > 1 && n->in[1] ? 1 : 0]->data, p->down ? oy : ox,
		p->down ? ox : oy, size, p->down };
	if (p->down) {
		f.read.y0 -= SPREAD + READ, f.read.y1 += SPREAD + READ;
		f.read.x0 = floor_to(r.x0, ox, size), f.read.x1 = floor_to(r.x1 - 1, ox, size) + size;
	} else {
		f.read.x0 -= SPREAD + READ, f.read.x1 += SPREAD + READ;
		f.read.y0 = floor_to(r.y0, oy, size), f.read.y1 = floor_to(r.y1 - 1, oy, size) + size;
	}
	f.read = rect_and(f.read, f.data);
	return f;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	bool first = n->nconn > 1 && n->in[1];
	if (first) need_add(out, 0, frame, r);
	need_add(out, first ? 1 : 0, frame, frame_of(n, r).read);
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	(void)out;
	if (n->nconn > 1 && n->in[1] && (!rect_eq(n->in[0]->data, n->in[1]->data) || n->in[0]->nch != n->in[1]->nch))
		return err_set(e, E_SCENE, "its two pictures are not alike");
	return 0;
}

static double flops(const struct node_ctx *n) { (void)n; return 60; }


/* The step between i - 1 and i beyond what the slopes on both sides make it. */
IN_INLINE float step_at(const float *p, ptrdiff_t u)
{
	return (p[0] - p[-u]) - 0.5f * ((p[-u] - p[-2 * u]) + (p[u] - p[0]));
}

/* How far a stretch's border stands out: 0..1. c: the border's first pixel, n: how many along it. */
static float stands_out(const float *c, ptrdiff_t u, ptrdiff_t v, int n)
{
	float border = 0, inside = 0;
	for (int i = 0; i < n; i++, c += v) {
		float d = step_at(c, u), a = step_at(c + 2 * u, u), b = step_at(c - 2 * u, u);
		float e = step_at(c + 3 * u, u), g = step_at(c - 3 * u, u);
		border += d * d;
		inside += 0.25f * ((a * a + b * b) + (e * e + g * g));
	}
	return border > 0 ? px_max(1.0f - inside / border, 0.0f) : 0;
}

/* Spreads each step of the stretch from v0 to v1 at border b over the pixels of r. */
static void mend(const struct call *c, const struct frame *f, const struct view *in, int ch,
                 struct rect r, int b, int v0, int v1)
{
	const struct deblock_axis *p = c->n->v;
	ptrdiff_t u = f->down ? in->stride : 1, v = f->down ? 1 : in->stride;
	const float *at = f->down ? view_at(in, ch, v0, b) : view_at(in, ch, b, v0);
	const float limit = (float)(p->limit / 255), ratio = (float)p->strength * stands_out(at, u, v, v1 - v0);
	int spread = f->size / 2 < SPREAD ? f->size / 2 : SPREAD;
	int lo = f->down ? r.x0 : r.y0, hi = f->down ? r.x1 : r.y1, ulo = f->down ? r.y0 : r.x0,
		uhi = f->down ? r.y1 : r.x1;
	for (int i = v0; i < v1; i++, at += v) {
		if (i < lo || i >= hi) continue;
		float d = step_at(at, u), size = px_abs(d);
		d *= px_min(ratio, 1.0f) * px_clamp(2.0f - 2.0f * size / limit, 0.0f, 1.0f);
		for (int k = -spread; k < spread; k++) {
			if (b + k < ulo || b + k >= uhi) continue;
			float t = 1.0f - (k < 0 ? (float)(-1 - k) + 0.5f : (float)k + 0.5f) / (float)spread;
			float part = (k < 0 ? 0.5f : -0.5f) * t * t;
			float *o = f->down ? view_at(c->out, ch, i, b + k) : view_at(c->out, ch, b + k, i);
			*o += d * part;
		}
	}
}

static int tile(const struct call *c, struct rect r)
{
	const struct deblock_axis *p = c->n->v;
	struct frame f = frame_of(c->n, r);
	const struct view *in = &c->in[c->n->nconn > 1 && c->n->in[1] ? 1 : 0];
	int u0 = f.down ? r.y0 : r.x0, u1 = f.down ? r.y1 : r.x1, v0 = f.down ? f.read.x0 : f.read.y0,
		v1 = f.down ? f.read.x1 : f.read.y1;
	int ulo = f.down ? f.data.y0 : f.data.x0, uhi = f.down ? f.data.y1 : f.data.x1;
	for (int ch = 0; ch < c->out->nch; ch++) {
		for (int y = r.y0; y < r.y1; y++)
			__builtin_memcpy(view_at(c->out, ch, r.x0, y), view_at(in, ch, r.x0, y),
			                 (size_t)rect_w(r) * sizeof(float));
		if (p->limit <= 0) continue;
		for (int b = floor_to(u0 - SPREAD, f.first_u, f.size); b < u1 + SPREAD; b += f.size) {
			if (b - INSIDE - 2 < ulo || b + INSIDE + 2 > uhi) continue;
			if (b + SPREAD <= u0) continue;
			for (int s = floor_to(v0, f.first_v, f.size); s < v1; s += f.size)
				mend(c, &f, in, ch, r, b, s < v0 ? v0 : s, s + f.size < v1 ? s + f.size : v1);
		}
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
	}
	return 0;
}

const struct node_type ISA(node_deblock_axis) = {
	.name = "deblock_axis", .doc = "One direction of deblock.", .category = "image", .version = 1,
	.size = sizeof(struct deblock_axis), .params = params, .inputs = "image first? mask?",
	.flags = NF_HIDDEN | NF_RGB | NF_MASKED, .traits = TR_CLEANUP, .format = format, .needs = needs,
		.flops = flops,
	.tile = tile,
};
