/* degrain_fine - the second estimate: each coefficient keeps the share that the first says is picture.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "degrain_groups.h"

struct degrain_fine { DEGRAIN_COMMON; double over; };

static const struct param params[] = {
	DEGRAIN_PARAMS(degrain_fine),
	P_FLOAT(degrain_fine, over, 0.87, 0.5, 4, "factor", "The grain is taken to be that much stronger."),
	DEGRAIN_SPACE(degrain_fine),
	P_END
};

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct degrain_fine *p = n->v;
	int m = bm_margin(p->reach);
	need_add(out, 0, frame, r);
	need_add(out, 1, frame, rect_grow(r, m, m));
	need_add(out, 2, frame, rect_grow(r, m, m));
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct degrain_fine *p = n->v;
	return bm_area_bytes(r, p->reach, 2);
}

static double flops(const struct node_ctx *n)
{
	(void)n;
	return 2500;
}

static IN_NOINLINE void group(const struct bm_area *a, const struct groups *s,
                              const struct bm_group *b, float share)
{
	bm8 z[3][8 * BLOCKS], g[3][8 * BLOCKS];
	for (int k = 0; k < 3; k++) gather(a, b, a->plane[1][k], g[k]), gather(a, b, a->plane[0][k], z[k]);
	const float *sigma = bm_noise_at(&s->noise, g[0][0][0], g[1][0][0], g[2][0][0]);
	float left = bm_wiener(z[0], g[0], sigma, share);
	spread(a, b, z[0], 1.0f / (left + sigma[0] * sigma[0]), 0, true);
	left = bm_wiener(z[1], g[1], sigma + 64, share);
	left += bm_wiener(z[2], g[2], sigma + 128, share);
	float weight = 1.0f / (left + sigma[64] * sigma[64]);
	spread(a, b, z[1], weight, 1, false);
	spread(a, b, z[2], weight, 2, true);
}

static int filter(const struct call *c, const struct bm_area *a, const struct groups *s,
                  const struct degrain_fine *p)
{
	const float over = (float)(p->over * p->over);
	struct bm_span h = bm_refs(a->r.x0, a->r.x1, a->data.x0, a->data.x1, p->reach);
	struct bm_span v = bm_refs(a->r.y0, a->r.y1, a->data.y0, a->data.y1, p->reach);
	for (int y = v.first; y <= v.last; y += BM_STEP) {
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		for (int x = h.first + (bm_leads(h.first, y) ? 0 : BM_STEP); x <= h.last; x += 2 * BM_STEP * BM_REFS) {
			bm8i best[BLOCKS];
			bm_match(a->luma + (y - a->all.y0) * a->lstride + (x - a->all.x0), a->lstride, &s->tries, BLOCKS, best);
			for (int i = 0; i < BM_REFS && x + 2 * i * BM_STEP <= h.last; i++) {
				struct bm_group b;
				int at = x + 2 * i * BM_STEP;
				if (!bm_group_of(a, &s->tries, best, BLOCKS, bm_lane(i), at, y, &b)) continue;
				group(a, s, &b, bm_share(a, &c->in[1], at, y) * over);
			}
		}
	}
	return 0;
}

/* The picture less what the estimates took from it, so that what they cannot
 * hold stays; premultiplied again. */
static void finish_row(const struct call *c, const struct bm_area *a, const int ch[3], int alpha,
                       struct rect r, int y)
{
	ptrdiff_t at = (y - r.y0 + BM_EDGE) * a->astride + BM_EDGE;
	const float *s[3], *w[2] = { a->weight[0] + at, a->weight[1] + at }, *in[3];
	const float *over = alpha < 0 ? NULL : view_at(&c->in[0], alpha, r.x0, y);
	float *o[3];
	for (int k = 0; k < 3; k++) {
		s[k] = a->sum[k] + at;
		in[k] = view_at(&c->in[0], ch[k], r.x0, y);
		o[k] = view_at(c->out, ch[k], r.x0, y);
	}
	for (int x = 0; x < rect_w(r); x++) {
		float m = over && over[x] != 0 ? over[x] : 1.0f, by = over && over[x] != 0 ? 1.0f / over[x] : 1.0f;
		float p = bm_sane(in[0][x] * by), q = bm_sane(in[1][x] * by), t = bm_sane(in[2][x] * by);
		bm_opponent(&p, &q, &t);
		float e = s[0][x] / w[0][x] - p, f = s[1][x] / w[1][x] - q, g = s[2][x] / w[1][x] - t;
		bm_opponent_back(&e, &f, &g);
		o[0][x] = in[0][x] + e * m;
		o[1][x] = in[1][x] + f * m;
		o[2][x] = in[2][x] + g * m;
	}
}

static void finish(const struct call *c, const struct bm_area *a, struct rect r)
{
	const struct format *f = c->n->in[0];
	int ch[3] = { format_channel(f, "R"), format_channel(f, "G"), format_channel(f, "B") },
		alpha = format_channel(f, "A");
	size_t row = (size_t)rect_w(r) * sizeof(float);
	for (int y = r.y0; y < r.y1; y++) {
		for (int k = 0; k < c->out->nch; k++)
			if (k != ch[0] && k != ch[1] && k != ch[2])
				__builtin_memcpy(view_at(c->out, k, r.x0, y), view_at(&c->in[0], k, r.x0, y), row);
		finish_row(c, a, ch, alpha, r, y);
	}
}

static int tile(const struct call *c, struct rect r)
{
	const struct degrain_fine *p = c->n->v;
	struct bm_area a;
	bool none = rect_empty(c->in[0].r) || rect_empty(c->in[1].r) || rect_empty(c->in[2].r);
	if (none) { view_clear(c->out, r); return 0; }
	bm_area_lay(&a, r, c->n->in[1]->data, p->reach, 2, c->scratch);
	for (int k = 0; k < 3; k++) bm_fill(&a, &c->in[1], k, a.plane[0][k]);
	a.data = c->n->in[2]->data;
	for (int k = 0; k < 3; k++) bm_fill(&a, &c->in[2], k, a.plane[1][k]);
	a.data = c->n->in[0]->data;
	bm_luma(&a, a.plane[1][0], false);
	if (filter(c, &a, c->n->state, p) < 0) return -1;
	finish(c, &a, r);
	return 0;
}

const struct node_type ISA(node_degrain_fine) = {
	.name = "degrain_fine", .doc = "The second estimate of degrain: coefficients keep the share "
	        "that is picture.",
	.category = "image", .version = 4, .size = sizeof(struct degrain_fine), .params = params,
	.inputs = "image noisy basic", .flags = NF_HIDDEN, .want_of = degrain_want, .open = groups_open,
	.close = degrain_close, .identity = degrain_identity, .needs = needs, .scratch = scratch,
		.flops = flops, .tile = tile,
};
