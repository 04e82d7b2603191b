/* blur_halve - halves a picture for a large blur, anchored at pixel (0,0).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"
#include "px_halve.h"

struct blur_halve { int across, down, edges; double from[2], to[2]; };

static const struct param params[] = {
	P_BOOL(blur_halve, across, 1, PF_STATIC, "Halve across."),
	P_BOOL(blur_halve, down, 1, PF_STATIC, "Halve down."),
	P_ENUM(blur_halve, edges, "hold", BLUR_EDGES, PF_STATIC,
		"What lies beyond the data window, as in blur."),
	P_VEC2(blur_halve, from, 0, 0, -1e6, 1e6, "pixels", PF_STATIC, "First column and row of the result."),
	P_VEC2(blur_halve, to, 0, 0, -1e6, 1e6, "pixels", PF_STATIC,
		"Last column and row of the result, plus 1."),
	P_END
};

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct blur_halve *p = n->v;
	(void)e;
	out->data = out->display = rect_of((int)p->from[0], (int)p->from[1], (int)p->to[0], (int)p->to[1]);
	return 0;
}

static struct rect reads(const struct node_ctx *n, struct rect r)
{
	const struct blur_halve *p = n->v;
	return px_halve_need(r, p->across, p->down);
}

/* A mirrored or held edge may be read from far inside. */
static struct rect around(const struct node_ctx *n, struct rect r)
{
	const struct blur_halve *p = n->v;
	return px_edge_rect(reads(n, r), n->in[0]->data, p->edges);
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	need_add(out, 0, frame, around(n, r));
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	int line = rect_w(reads(n, r));
	return px_blur_floats(rect_w(r), rect_h(around(n, r)), 2 * line + 64) * sizeof(float);
}

static double flops(const struct node_ctx *n)
{
	return (n->out ? n->out->nch : 3) * 14 * 3.0;
}

static int tile(const struct call *c, struct rect r)
{
	const struct blur_halve *p = c->n->v;
	struct rect src = reads(c->n, r), have = around(c->n, r), data = c->n->in[0]->data;
	int w = rect_w(r), lw = rect_w(src);
	ptrdiff_t stride = px_blur_stride(w);
	float *black = c->scratch, *rows = black + stride, *line = rows + (ptrdiff_t)rect_h(have) * stride;
	float *even = line + lw, *odd = even + lw / 2 + 8;
	struct px_band band = { rows, stride, have.y0, have.y1, p->edges, data, black, 0, 0 };
	for (int x = 0; x < w; x++) black[x] = 0;
	if (rect_empty(have)) { view_clear(c->out, r); return 0; }
	for (int ch = 0; ch < c->out->nch; ch++) {
		px_band_begin(&band, src.y0, src.y1, p->down ? 12 : 1);
		for (int y = r.y0, two; y < r.y1; y += 1 + two) {
			two = p->down && y + 1 < r.y1;
			int until = px_band_until(&band, p->down ? 2 * (y + two) + 6 : y + 1);
			for (; band.done < until; band.done++) {
				float *d = px_band_place(&band, band.done);
				if (band.done + PX_AHEAD < have.y1)
					px_fetch_apart(view_at(&c->in[0], ch, have.x0, band.done + PX_AHEAD), c->in[0].stride, rect_w(have), 0);
				if (!p->across) px_blur_fetch(&c->in[0], ch, band.done, src.x0, lw, data, p->edges, d);
				else px_halve_row(&c->in[0], ch, band.done, src.x0, w, data, p->edges, line, even, odd, d);
			}
			float *d = view_at(c->out, ch, r.x0, y);
			if (two) px_halve_downs(&band, y, w, d, d + c->out->stride);
			else if (p->down) px_halve_down(&band, y, w, d);
			else __builtin_memcpy(d, px_band_row(&band, y), (size_t)w * sizeof *d);
			if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		}
	}
	return 0;
}

const struct node_type ISA(node_blur_halve) = {
	.name = "blur_halve", .doc = "Halves a picture for a large blur.", .category = "image", .version = 1,
	.size = sizeof(struct blur_halve), .params = params, .inputs = "image", .flags = NF_HIDDEN,
		.traits = TR_BLUR,
	.format = format, .needs = needs, .scratch = scratch, .flops = flops, .tile = tile,
};
