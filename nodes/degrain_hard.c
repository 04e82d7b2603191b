/* degrain_hard - the first estimate: groups of alike blocks, in which what is
 * no stronger than grain is dropped.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>

#include "degrain_groups.h"

struct degrain_hard { DEGRAIN_COMMON; double threshold; int radius; };

static const struct param params[] = {
	DEGRAIN_PARAMS(degrain_hard),
	P_FLOAT(degrain_hard, threshold, 3.1, 0, 10, "sigma", "What is below is dropped."),
	P_INT(degrain_hard, radius, 0, 0, 3, "frames", PF_STATIC, "As of degrain. Where frames were averaged, half "
	      "the groups are enough."),
	P_END
};

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	(void)n;
	if (out->nch < 3) return err_set(e, E_SCENE, "degrain_hard needs three channels");
	format_channels(out, "d0 d1 d2");
	return 0;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct degrain_hard *p = n->v;
	int m = bm_margin(p->reach);
	need_add(out, 0, frame, rect_grow(r, m, m));
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct degrain_hard *p = n->v;
	return bm_area_bytes(r, p->reach);
}

static double flops(const struct node_ctx *n)
{
	(void)n;
	return 780;
}

static double work(const struct node_ctx *n, struct rect r)
{
	const struct degrain_hard *p = n->v;
	return groups_work(r, p->reach, flops(n));
}

static IN_NOINLINE void group(const struct bm_area *a, const struct groups *s,
                              const struct bm_group *b, float times)
{
	bm8 g[3][8 * BLOCKS];
	for (int k = 0; k < 3; k++) gather(&a->from[0], k, b, g[k]);
	const float *sigma = bm_noise_at(&s->noise, g[0][0][0], g[1][0][0], g[2][0][0]);
	float left = bm_hard(g[0], sigma, times);
	spread(a, b, g[0], 1.0f / (left + sigma[0] * sigma[0]), BM_SUM0, BM_WEIGHT0);
	left = bm_hard(g[1], sigma + 64, times);
	left += bm_hard(g[2], sigma + 128, times);
	float weight = 1.0f / (left + sigma[64] * sigma[64]);
	spread(a, b, g[1], weight, BM_SUM1, -1);
	spread(a, b, g[2], weight, BM_SUM2, BM_WEIGHT1);
}

/* Writes the rows that no group from row y on adds to. */
static void finish(const struct call *c, struct bm_area *a, int y, int reach)
{
	for (; bm_whole(a, y, reach); bm_done(a)) {
		if (a->next < a->r.y0) continue;
		static const int of[3][2] = { { BM_SUM0, BM_WEIGHT0 }, { BM_SUM1, BM_WEIGHT1 }, { BM_SUM2, BM_WEIGHT1 } };
		for (int k = 0; k < 3; k++) {
			const float *sum = bm_sums(a, a->next, of[k][0]), *den = bm_sums(a, a->next, of[k][1]);
			float *IN_RESTRICT o = view_at(c->out, k, a->r.x0, a->next);
			for (int x = 0; x < rect_w(a->r); x++) o[x] = sum[x] / den[x];
		}
	}
}

static int filter(const struct call *c, struct bm_area *a, const struct groups *s,
                  const struct degrain_hard *p)
{
	const float times = (float)p->threshold;
	const int reach = p->reach;
	struct bm_span h = bm_refs(a->r.x0, a->r.x1, a->data.x0, a->data.x1, reach);
	struct bm_span v = bm_refs(a->r.y0, a->r.y1, a->data.y0, a->data.y1, reach);
	for (int y = v.first; y <= v.last; y += BM_STEP) {
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		if (p->radius && (y & BM_STEP)) continue;
		bool first = p->radius ? bm_brick(h.first, y) : bm_leads(h.first, y);
		for (int x = h.first + (first ? 0 : BM_STEP); x <= h.last; x += 2 * BM_STEP * BM_REFS) {
			bm8i best[BLOCKS];
			bm_match(a->luma + (y - a->all.y0) * a->lstride + (x - a->all.x0), a->lstride, &s->tries, BLOCKS, best);
			for (int i = 0; i < BM_REFS && x + 2 * i * BM_STEP <= h.last; i++) {
				struct bm_group b;
				int at = x + 2 * i * BM_STEP;
				if (!bm_group_of(a, &s->tries, best, BLOCKS, bm_lane(i), at, y, &b)) continue;
				group(a, s, &b, times * __builtin_sqrtf(bm_share(a, &c->in[0], at, y)));
			}
		}
		finish(c, a, y + BM_STEP, reach);
	}
	finish(c, a, INT_MAX, reach);
	return 0;
}

static int tile(const struct call *c, struct rect r)
{
	const struct degrain_hard *p = c->n->v;
	const struct groups *s = c->n->state;
	struct bm_area a;
	if (rect_empty(c->in[0].r)) { view_clear(c->out, r); return 0; }
	bm_area_lay(&a, r, p->reach, c->scratch);
	a.data = a.inner = c->n->in[0]->data;
	a.from[0] = (struct bm_source){ &c->in[0], a.data };
	bm_luma(&a, &a.from[0], true);
	return filter(c, &a, s, p);
}

const struct node_type ISA(node_degrain_hard) = {
	.name = "degrain_hard", .doc = "The first estimate of degrain: what is no stronger than grain is dropped.",
	.category = "image", .version = 5, .size = sizeof(struct degrain_hard), .params = params,
	.inputs = "image", .flags = NF_HIDDEN, .open = groups_open, .close = degrain_close,
		.format = format, .needs = needs,
	.scratch = scratch, .flops = flops, .work = work, .tile = tile,
};
