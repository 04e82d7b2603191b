/* deband_level - one scale of deband: pairs of opposite pixels at one distance;
 * the last one keeps to the bounds.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "node.h"
#include "px_blur.h"
#include "px_math.h"

struct deband_level { double step, detail, apart; int last; };

static const struct param params[] = {
	P_FLOAT(deband_level, step, 1.2, 0, 64, "8-bit codes", "Height of the steps."),
	P_FLOAT(deband_level, detail, 1, 0, 1, "share", "How much of fine texture is left alone."),
	P_FLOATX(deband_level, apart, 1, 1, 256, "pixels", PF_STATIC, "Distance of the first pair; the "
	         "second is twice as far."),
	P_BOOL(deband_level, last, 0, PF_STATIC, "Keeps within half a step of the picture, and its texture."),
	P_END
};

enum { WINDOW = 3 };

static int apart_of(const struct node_ctx *n) { return (int)((const struct deband_level *)n->v)->apart; }

static struct rect around(const struct node_ctx *n, struct rect r)
{
	int k = 2 * apart_of(n);
	return rect_and(rect_grow(r, k, k), n->in[1]->data);
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct deband_level *p = n->v;
	need_add(out, 0, frame, p->last ? rect_grow(r, WINDOW, WINDOW) : r);
	need_add(out, 1, frame, rect_grow(r, 2 * apart_of(n), 2 * apart_of(n)));
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	(void)out;
	if (!rect_eq(n->in[0]->data, n->in[1]->data) || n->in[0]->nch != n->in[1]->nch)
		return err_set(e, E_SCENE, "its two pictures are not alike");
	return 0;
}

/* The rows around, filtered across; a padded line; a line of texture. */
static size_t scratch(const struct node_ctx *n, struct rect r)
{
	int k = 2 * apart_of(n), pad = k > WINDOW ? k : WINDOW;
	return ((size_t)px_blur_stride(rect_w(r)) * (size_t)(rect_h(around(n, r)) + 2) +
	        (size_t)(rect_w(r) + 2 * pad) + 64) * sizeof(float);
}

static double flops(const struct node_ctx *n) { (void)n; return 3 * 50; }

/* What a pair adds to c: its mean's distance, as far as neither differs by more than the threshold. */
IN_INLINE float pair(float c, float a, float b, float inv2)
{
	float u = a - c, v = b - c, q = px_max(u * u, v * v) * inv2, w = px_max(1.0f - q, 0.0f);
	return w * w * (u + v);
}

IN_INLINE void five(const float *IN_RESTRICT a2, const float *IN_RESTRICT a1, const float *c,
                    const float *IN_RESTRICT b1, const float *IN_RESTRICT b2, float inv2,
                    int n, float *d)
{
	for (int x = 0; x < n; x++) {
		float m = c[x];
		d[x] = m + (0.25f * pair(m, a1[x], b1[x], inv2) + 0.0625f * pair(m, a2[x], b2[x], inv2));
	}
}

/* How much seven values go up and down beyond what they go on the whole. */
IN_INLINE float back_and_forth(const float *v, ptrdiff_t step)
{
	float sum = 0;
	for (int i = -WINDOW; i < WINDOW; i++) sum += px_abs(v[(i + 1) * step] - v[i * step]);
	return sum - px_abs(v[WINDOW * step] - v[-WINDOW * step]);
}

/* The share of the change that texture lets through. rows: the seven rows around
 * y, from the tile's first column. */
static void texture(const float *line, const float *const rows[2 * WINDOW + 1], float inv,
                    float detail, int n, float *IN_RESTRICT out)
{
	for (int x = 0; x < n; x++) {
		float sum = 0, across = back_and_forth(line + x, 1);
		for (int i = 0; i < 2 * WINDOW; i++) sum += px_abs(rows[i + 1][x] - rows[i][x]);
		float t = px_max(across, sum - px_abs(rows[2 * WINDOW][x] - rows[0][x])) * inv - 3.0f;
		t = px_clamp(t * 0.5f, 0.0f, 1.0f);
		out[x] = 1.0f - detail * (t * t * (3.0f - 2.0f * t));
	}
}

static int clamped(int y, int lo, int hi) { return y < lo ? lo : y >= hi ? hi - 1 : y; }

/* d, a row of the smooth picture, becomes the result. */
static void keep(const struct call *c, struct rect r, int ch, int y, float *line, float *share,
                 float *IN_RESTRICT d)
{
	const struct deband_level *p = c->n->v;
	const float step = (float)(p->step / 255), half = 0.5f * step;
	struct rect data = c->n->in[0]->data;
	const float *rows[2 * WINDOW + 1], *IN_RESTRICT s = view_at(&c->in[0], ch, r.x0, y);
	for (int i = -WINDOW; i <= WINDOW; i++)
		rows[i + WINDOW] = view_at(&c->in[0], ch, r.x0, clamped(y + i, data.y0, data.y1));
	px_blur_fetch(&c->in[0], ch, y, r.x0 - WINDOW, rect_w(r) + 2 * WINDOW, data, EDGES_HOLD, line);
	texture(line + WINDOW, rows, step > 0 ? 1 / step : 0, (float)p->detail, rect_w(r), share);
	for (int x = 0; x < rect_w(r); x++) d[x] = s[x] + share[x] * px_clamp(d[x] - s[x], -half, half);
}

static int tile(const struct call *c, struct rect r)
{
	const struct deband_level *p = c->n->v;
	struct rect have = around(c->n, r), data = c->n->in[1]->data;
	int w = rect_w(r), k = apart_of(c->n);
	const float most = (float)(1.5 * p->step / 255), inv2 = most > 0 ? 1 / (most * most) : 0;
	ptrdiff_t stride = px_blur_stride(w);
	float *rows = c->scratch, *share = rows + (ptrdiff_t)rect_h(have) * stride, *line = share + stride;
	if (p->step <= 0) k = 0;
	for (int ch = 0; ch < c->out->nch; ch++) {
		for (int y = have.y0; y < have.y1; y++) {
			px_blur_fetch(&c->in[1], ch, y, r.x0 - 2 * k, w + 4 * k, data, EDGES_MIRROR, line);
			five(line, line + k, line + 2 * k, line + 3 * k, line + 4 * k, inv2, w,
			     rows + (ptrdiff_t)(y - have.y0) * stride);
			if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		}
		for (int y = r.y0; y < r.y1; y++) {
			const float *v[5];
			for (int i = 0; i < 5; i++)
				v[i] = rows + (ptrdiff_t)(px_edge(y + (i - 2) * k, data.y0, data.y1, EDGES_MIRROR) - have.y0) * stride;
			float *d = view_at(c->out, ch, r.x0, y);
			five(v[0], v[1], v[2], v[3], v[4], inv2, w, d);
			if (p->last) keep(c, r, ch, y, line, share, d);
		}
	}
	return 0;
}

const struct node_type ISA(node_deband_level) = {
	.name = "deband_level", .doc = "One scale of deband.", .category = "image", .version = 1,
	.size = sizeof(struct deband_level), .params = params, .inputs = "image smooth mask?",
	.flags = NF_HIDDEN | NF_RGB | NF_MASKED, .traits = TR_CLEANUP, .format = format, .needs = needs,
		.scratch = scratch,
	.flops = flops, .tile = tile,
};
