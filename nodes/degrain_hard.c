/* degrain_hard - the first estimate: groups of alike blocks, in which what is
 * no stronger than grain is dropped.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "degrain_groups.h"

struct degrain_hard { DEGRAIN_COMMON; double threshold; int radius; };

static const struct param params[] = {
	DEGRAIN_PARAMS(degrain_hard),
	P_FLOAT(degrain_hard, threshold, 3.1, 0, 10, "sigma", "What is below is dropped."),
	P_INT(degrain_hard, radius, 0, 0, 3, "frames", PF_STATIC, "As of degrain. Where frames were averaged, colour "
	      "differences are estimated by every second row of groups."),
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
	return bm_area_bytes(r, p->reach, 1);
}

static double flops(const struct node_ctx *n)
{
	(void)n;
	return 1500;
}

/* The first coefficient of a group's first block in plane k. */
static float mean(const struct bm_area *a, const struct bm_group *b, int k)
{
	const float *p = a->plane[0][k] + b->y[0] * a->stride + b->x[0];
	bm8 sum = { 0 };
	for (int i = 0; i < 8; i++) sum += BM_LOAD(p + i * a->stride);
	return bm_total(&sum) * 0.125f;
}

static IN_NOINLINE void group(const struct bm_area *a, const struct groups *s,
                              const struct bm_group *b, float times, bool colour)
{
	bm8 g[3][8 * BLOCKS];
	for (int k = 0; k < (colour ? 3 : 1); k++) gather(a, b, a->plane[0][k], g[k]);
	const float *sigma = bm_noise_at(&s->noise, g[0][0][0], colour ? g[1][0][0] : mean(a, b, 1),
	                                 colour ? g[2][0][0] : mean(a, b, 2));
	float left = bm_hard(g[0], sigma, times);
	spread(a, b, g[0], 1.0f / (left + sigma[0] * sigma[0]), 0, true);
	if (!colour) return;
	left = bm_hard(g[1], sigma + 64, times);
	left += bm_hard(g[2], sigma + 128, times);
	float weight = 1.0f / (left + sigma[64] * sigma[64]);
	spread(a, b, g[1], weight, 1, false);
	spread(a, b, g[2], weight, 2, true);
}

static int filter(const struct call *c, const struct bm_area *a, const struct groups *s,
                  const struct degrain_hard *p)
{
	const float times = (float)p->threshold;
	const int reach = p->reach;
	struct bm_span h = bm_refs(a->r.x0, a->r.x1, a->data.x0, a->data.x1, reach);
	struct bm_span v = bm_refs(a->r.y0, a->r.y1, a->data.y0, a->data.y1, reach);
	for (int y = v.first; y <= v.last; y += BM_STEP) {
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		for (int x = h.first + (bm_leads(h.first, y) ? 0 : BM_STEP); x <= h.last; x += 2 * BM_STEP * BM_REFS) {
			bm8i best[BLOCKS];
			bm_match(a->luma + (y - a->all.y0) * a->lstride + (x - a->all.x0), a->lstride, &s->tries, BLOCKS, best);
			for (int i = 0; i < BM_REFS && x + 2 * i * BM_STEP <= h.last; i++) {
				struct bm_group b;
				int at = x + 2 * i * BM_STEP;
				if (!bm_group_of(a, &s->tries, best, BLOCKS, bm_lane(i), at, y, &b)) continue;
				group(a, s, &b, times * __builtin_sqrtf(bm_share(a, &c->in[0], at, y)), !p->radius || !(y & BM_STEP));
			}
		}
	}
	return 0;
}

static int tile(const struct call *c, struct rect r)
{
	const struct degrain_hard *p = c->n->v;
	const struct groups *s = c->n->state;
	struct bm_area a;
	if (rect_empty(c->in[0].r)) { view_clear(c->out, r); return 0; }
	bm_area_lay(&a, r, c->n->in[0]->data, p->reach, 1, c->scratch);
	for (int k = 0; k < 3; k++) bm_fill(&a, &c->in[0], k, a.plane[0][k]);
	bm_luma(&a, a.plane[0][0], true);
	if (filter(c, &a, s, p) < 0) return -1;
	for (int k = 0; k < 3; k++)
		for (int y = r.y0; y < r.y1; y++) {
			ptrdiff_t at = (y - r.y0 + BM_EDGE) * a.astride + BM_EDGE;
			float *o = view_at(c->out, k, r.x0, y);
			const float *sum = a.sum[k] + at, *den = a.weight[k > 0] + at;
			for (int x = 0; x < rect_w(r); x++) o[x] = sum[x] / den[x];
		}
	return 0;
}

const struct node_type ISA(node_degrain_hard) = {
	.name = "degrain_hard", .doc = "The first estimate of degrain: what is no stronger than grain is dropped.",
	.category = "image", .version = 3, .size = sizeof(struct degrain_hard), .params = params,
	.inputs = "image", .flags = NF_HIDDEN, .open = groups_open, .close = degrain_close,
		.format = format, .needs = needs,
	.scratch = scratch, .flops = flops, .tile = tile,
};
