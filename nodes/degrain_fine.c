/* degrain_fine - the second estimate: each coefficient keeps the share that the first says is picture.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>

#include "degrain_groups.h"

struct degrain_fine { DEGRAIN_COMMON; double over; int radius; };

static const struct param params[] = {
	DEGRAIN_PARAMS(degrain_fine),
	P_FLOAT(degrain_fine, over, 0.87, 0.5, 4, "factor", "The grain is taken to be that much stronger."),
	P_INT(degrain_fine, radius, 0, 0, 3, "frames", PF_STATIC, "As of degrain. Where frames were averaged, colour "
	      "differences are estimated by every second row of groups."),
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
	return bm_area_bytes(r, p->reach);
}

static double flops(const struct node_ctx *n)
{
	(void)n;
	return 1430;
}

static double work(const struct node_ctx *n, struct rect r)
{
	const struct degrain_fine *p = n->v;
	return groups_work(r, p->reach, flops(n));
}

static IN_NOINLINE void group(const struct bm_area *a, const struct groups *s,
                              const struct bm_group *b, float share, bool colour)
{
	bm8 z[3][8 * BLOCKS], g[3][8 * BLOCKS];
	const struct bm_source *in = &a->from[1];
	for (int k = 0; k < (colour ? 3 : 1); k++) gather(in, k, b, g[k]), gather(&a->from[0], k, b, z[k]);
	const float *sigma = bm_noise_at(&s->noise, g[0][0][0], colour ? g[1][0][0] : bm_mean(in, b, 1),
	                                 colour ? g[2][0][0] : bm_mean(in, b, 2));
	float left = bm_wiener(z[0], g[0], sigma, share);
	spread(a, b, z[0], 1.0f / (left + sigma[0] * sigma[0]), BM_SUM0, BM_WEIGHT0);
	if (!colour) return;
	left = bm_wiener(z[1], g[1], sigma + 64, share);
	left += bm_wiener(z[2], g[2], sigma + 128, share);
	float weight = 1.0f / (left + sigma[64] * sigma[64]);
	spread(a, b, z[1], weight, BM_SUM1, -1);
	spread(a, b, z[2], weight, BM_SUM2, BM_WEIGHT1);
}

/* The picture less what the estimates took from it, so that what they cannot
 * hold stays; premultiplied again. */
IN_INLINE void finish_row(const struct call *c, const struct bm_area *a, const int ch[3],
                          int alpha)
{
	int y = a->next;
	struct rect r = a->r;
	const float *IN_RESTRICT s0 = bm_sums(a, y, BM_SUM0), *IN_RESTRICT s1 = bm_sums(a, y, BM_SUM1);
	const float *IN_RESTRICT s2 = bm_sums(a, y, BM_SUM2), *IN_RESTRICT w0 = bm_sums(a, y, BM_WEIGHT0);
	const float *IN_RESTRICT w1 = bm_sums(a, y, BM_WEIGHT1);
	const float *over = alpha < 0 ? NULL : view_at(&c->in[0], alpha, r.x0, y);
	const float *IN_RESTRICT in0 = view_at(&c->in[0], ch[0], r.x0, y);
	const float *IN_RESTRICT in1 = view_at(&c->in[0], ch[1], r.x0, y);
	const float *IN_RESTRICT in2 = view_at(&c->in[0], ch[2], r.x0, y);
	float *IN_RESTRICT o0 = view_at(c->out, ch[0], r.x0, y);
	float *IN_RESTRICT o1 = view_at(c->out, ch[1], r.x0, y);
	float *IN_RESTRICT o2 = view_at(c->out, ch[2], r.x0, y);
	for (int x = 0; x < rect_w(r); x++) {
		float m = alpha < 0 || over[x] == 0 ? 1.0f : over[x];
		float by = alpha < 0 || over[x] == 0 ? 1.0f : 1.0f / over[x];
		float p = bm_sane(in0[x] * by), q = bm_sane(in1[x] * by), t = bm_sane(in2[x] * by);
		bm_opponent(&p, &q, &t);
		float e = s0[x] / w0[x] - p, f = s1[x] / w1[x] - q, g = s2[x] / w1[x] - t;
		bm_opponent_back(&e, &f, &g);
		o0[x] = in0[x] + e * m;
		o1[x] = in1[x] + f * m;
		o2[x] = in2[x] + g * m;
	}
}

/* Writes the rows that no group from row y on adds to. */
static void finish(const struct call *c, struct bm_area *a, int y, int reach)
{
	const struct format *f = c->n->in[0];
	int ch[3] = { format_channel(f, "R"), format_channel(f, "G"), format_channel(f, "B") },
		alpha = format_channel(f, "A");
	size_t row = (size_t)rect_w(a->r) * sizeof(float);
	for (; bm_whole(a, y, reach); bm_done(a)) {
		if (a->next < a->r.y0) continue;
		for (int k = 0; k < c->out->nch; k++)
			if (k != ch[0] && k != ch[1] && k != ch[2])
				__builtin_memcpy(view_at(c->out, k, a->r.x0, a->next),
				                 view_at(&c->in[0], k, a->r.x0, a->next), row);
		if (alpha < 0) finish_row(c, a, ch, -1);
		else finish_row(c, a, ch, alpha);
	}
}

static int filter(const struct call *c, struct bm_area *a, const struct groups *s,
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
				group(a, s, &b, bm_share(a, &c->in[1], at, y) * over, !p->radius || !(y & BM_STEP));
			}
		}
		finish(c, a, y + BM_STEP, p->reach);
	}
	finish(c, a, INT_MAX, p->reach);
	return 0;
}

static int tile(const struct call *c, struct rect r)
{
	const struct degrain_fine *p = c->n->v;
	struct bm_area a;
	bool none = rect_empty(c->in[0].r) || rect_empty(c->in[1].r) || rect_empty(c->in[2].r);
	if (none) { view_clear(c->out, r); return 0; }
	bm_area_lay(&a, r, p->reach, c->scratch);
	for (int i = 0; i < 2; i++) a.from[i] = (struct bm_source){ &c->in[1 + i], c->n->in[1 + i]->data };
	a.data = c->n->in[0]->data;
	a.inner = rect_and(a.from[0].data, a.from[1].data);
	bm_luma(&a, &a.from[1], false);
	return filter(c, &a, c->n->state, p);
}

const struct node_type ISA(node_degrain_fine) = {
	.name = "degrain_fine", .doc = "The second estimate of degrain: coefficients keep the share "
	        "that is picture.",
	.category = "image", .version = 6, .size = sizeof(struct degrain_fine), .params = params,
	.inputs = "image noisy basic", .flags = NF_HIDDEN, .want_of = degrain_want, .open = groups_open,
	.close = degrain_close, .identity = degrain_identity, .needs = needs, .scratch = scratch,
		.flops = flops, .work = work, .tile = tile,
};
