/* degrain_time - luma and two colour differences of a picture, averaged along
 * its motion, for the stages after it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "degrain_parts.h"
#include "px_bm3d_move.h"

struct degrain_time { DEGRAIN_COMMON; int radius; };

static const struct param params[] = {
	DEGRAIN_PARAMS(degrain_time),
	DEGRAIN_SPACE(degrain_time),
	P_INT(degrain_time, radius, 2, 0, 3, "frames", PF_STATIC, "As of degrain."),
	P_END
};

enum { FRAMES = 7 };

/* Threads: frozen. */
struct state {
	struct degrain_noise noise;
	struct bm_tries tries;
	float inverse[DEGRAIN_BINS][3][64], mean[DEGRAIN_BINS];
	int cost;
};

/* Coefficients that hold less than this share of the channel's mean are compared as if they held it:
 * else where grain is coarse, the rounding of finer ones would keep blocks apart. */
#define LEAST 0.25f

/* What differences of a bin's coefficients are multiplied by, and their mean where they are grain
 * alone, inverted. */
static void weigh(struct state *s, int bin)
{
	float sum = 0;
	for (int k = 0; k < 3; k++) {
		const float *sigma = s->noise.sigma[bin][k];
		float all = 0;
		for (int i = 0; i < 64; i++) all += sigma[i] * sigma[i];
		for (int i = 0; i < 64; i++) {
			float v = px_max(sigma[i] * sigma[i], all * (LEAST / 64));
			s->inverse[bin][k][i] = 1.0f / (6.0f * v);
			sum += sigma[i] * sigma[i] / v;
		}
	}
	s->mean[bin] = 3.0f / sum;
}

static int open_tables(struct node_ctx *n, struct err *e)
{
	struct degrain_ask a = degrain_ask_of(n);
	struct state *s = n->state = xalloc(1, sizeof *s);
	s->tries.n = degrain_tries(BM_FAR, 1, s->tries.dx, s->tries.dy, BM_TRIES);
	if (degrain_noise_make(&a, &s->noise, e) < 0) return -1;
	float mid = s->noise.sigma[DEGRAIN_BINS / 2][0][9];
	for (int i = 0; i < DEGRAIN_BINS; i++) weigh(s, i);
	s->cost = 2 + (int)(mid < 1.0f ? mid * 500.0f : 500.0f);
	return 0;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	(void)n;
	if (format_channel(out, "R") < 0 || format_channel(out, "G") < 0 || format_channel(out, "B") < 0)
		return err_set(e, E_SCENE, "degrain needs a picture with the channels R, G and B");
	format_channels(out, "d0 d1 d2 share");
	return 0;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct degrain_time *p = n->v;
	need_add(out, 0, frame, p->radius ? bm_frame_rect(r) : r);
	for (int k = 1; k <= p->radius; k++) {
		need_add(out, 0, frame - k, bm_frame_rect(r));
		need_add(out, 0, frame + k, bm_frame_rect(r));
	}
}

static size_t sums_floats(struct rect r)
{
	return 5 * bm_up((size_t)rect_w(r) + 2 * BM_EDGE) * (size_t)(rect_h(r) + 2 * BM_EDGE);
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct degrain_time *p = n->v;
	struct rect all = bm_frame_rect(r);
	size_t nf = 2 * (size_t)p->radius + 1;
	if (!p->radius) return 64;
	return (sums_floats(r) + rect_area(all)) * sizeof(float) +
		nf * (bm_frame_bytes(all) + bm_moves_most(r)) + 256;
}

static double flops(const struct node_ctx *n)
{
	const struct degrain_time *p = n->v;
	return p->radius ? 300 + 200 * p->radius : 12;
}

/* The frames of a call, of which those before the first or after the last are left out. */
struct job {
	const struct state *s;
	struct rect r, data;
	int n, ch[3], alpha;
	bool odd;                            /* some value is no number, or none that can be added up */
	const struct view *in[FRAMES];
	struct bm_frame frame[FRAMES];
	struct bm_moves moves[FRAMES];
	ptrdiff_t astride;
	float *sum[3], *share, *weight;
};

IN_INLINE void straight(const struct job *j, const struct view *in, int x, int y, float v[3])
{
	float a = j->alpha < 0 ? 1.0f : *view_at(in, j->alpha, x, y);
	for (int k = 0; k < 3; k++) {
		v[k] = *view_at(in, j->ch[k], x, y);
		if (j->alpha >= 0 && a != 0) v[k] = v[k] / a;
		v[k] = bm_sane(v[k]);
	}
}

/* The mean of R, G and B over the frame's rect, mirrored beyond the data. */
static void means(struct job *j, const struct view *in, struct rect all, float *to)
{
	struct rect d = j->data;
	for (int y = all.y0; y < all.y1; y++) {
		int row = bm_mirror(y, d.y0, d.y1), x = all.x0, from = all.x0 > d.x0 ? all.x0 : d.x0;
		int end = all.x1 < d.x1 ? all.x1 : d.x1;
		float v[3];
		if (j->alpha >= 0 || end < from) end = from = all.x0;
		for (; x < from; x++)
			straight(j, in, bm_mirror(x, d.x0, d.x1), row, v),
				*to++ = (v[0] + v[1] + v[2]) * (1.0f / 3);
		if (end > from) {
			const float *s[3];
			for (int k = 0; k < 3; k++) s[k] = view_at(in, j->ch[k], from, row);
			int odd = 0;
			for (int i = 0; i < end - from; i++) {
				odd |= !(px_abs(s[0][i]) <= 1024.0f) | !(px_abs(s[1][i]) <= 1024.0f) | !(px_abs(s[2][i]) <= 1024.0f);
				to[i] = (s[0][i] + s[1][i] + s[2][i]) * (1.0f / 3);
			}
			for (int i = 0; odd && i < end - from; i++)
				to[i] = (bm_sane(s[0][i]) + bm_sane(s[1][i]) + bm_sane(s[2][i])) * (1.0f / 3);
			j->odd |= odd;
			to += end - from, x = end;
		}
		for (; x < all.x1; x++)
			straight(j, in, bm_mirror(x, d.x0, d.x1), row, v),
				*to++ = (v[0] + v[1] + v[2]) * (1.0f / 3);
	}
}

/* The coefficients of luma and colour differences of the block at (x, y). */
static IN_NOINLINE void block(const struct job *j, const struct view *in, int x, int y, bm8 c[3][8])
{
	bm8 v[3][8];
	bool inside = x >= j->data.x0 && y >= j->data.y0 && x + 8 <= j->data.x1 && y + 8 <= j->data.y1;
	if (!inside || j->alpha >= 0 || j->odd)
		for (int i = 0; i < 64; i++) {
			float t[3];
			straight(j, in, bm_mirror(x + i % 8, j->data.x0, j->data.x1),
			         bm_mirror(y + i / 8, j->data.y0, j->data.y1), t);
			for (int k = 0; k < 3; k++) ((float *)(void *)v[k])[i] = t[k];
		}
	else
		for (int k = 0; k < 3; k++) {
			const float *p = view_at(in, j->ch[k], x, y);
			for (int i = 0; i < 8; i++) v[k][i] = BM_LOAD(p + i * in->stride);
		}
	for (int i = 0; i < 8; i++) {
		bm8 r = v[0][i], g = v[1][i], b = v[2][i];
		v[0][i] = (r + g + b) * 0x1.279a74p-1f;
		v[1][i] = (r - b) * 0x1.6a09e6p-1f;
		v[2][i] = (r + b - 2.0f * g) * 0x1.a20bd8p-2f;
	}
	for (int k = 0; k < 3; k++) {
		bm_coefficients(v[k]);
		for (int i = 0; i < 8; i++) c[k][i] = v[k][i];
	}
}

/* Squared differences over what grain alone makes of them, meaned over the
 * channels; returns the block's sum. */
static float unlike(bm8 a[3][8], bm8 b[3][8], const float *inverse, bm8 e[8])
{
	bm8 all = { 0 };
	for (int i = 0; i < 8; i++) {
		bm8 sum = { 0 };
		for (int k = 0; k < 3; k++) {
			bm8 d = a[k][i] - b[k][i];
			sum += d * d * BM_LOAD(inverse + 64 * k + 8 * i);
		}
		e[i] = sum;
		all += e[i];
	}
	return bm_total(&all);
}

/* Takes neighbour b into the sums where it shows the same: weights fall with what grain cannot explain. */
static void take(bm8 sum[3][8], bm8 weight[8], bm8 square[8], bm8 b[3][8], const bm8 e[8], float mean)
{
	const bm8 zero = { 0 };
	float whole = px_max(0.0f, mean - 1.15f) * 4.0f;
	for (int i = 0; i < 8; i++) {
		bm8 over = e[i] - 1.5f, t;
		over = BM_MASKED(over > zero, over);
		t = over * 0.7f + whole;
		bm8 w = 1.0f / (1.0f + t * t);
		weight[i] += w;
		square[i] += w * w;
		for (int k = 0; k < 3; k++) sum[k][i] += w * b[k][i];
	}
}

/* Averages the block at (x, y) along its motion and adds it to the tile. */
static IN_NOINLINE void average(const struct job *j, int x, int y)
{
	bm8 sum[3][8], own[3][8], other[3][8], weight[8], square[8], e[8], v[8], share = { 0 };
	const bm8 taper = BM_LOAD(bm_taper), one = { 1, 1, 1, 1, 1, 1, 1, 1 };
	block(j, j->in[0], x, y, own);
	const float *sigma = bm_noise_at(&j->s->noise, own[0][0][0], own[1][0][0], own[2][0][0]);
	ptrdiff_t bin = (sigma - j->s->noise.sigma[0][0]) / (3 * 64);
	const float *inverse = j->s->inverse[bin][0];
	for (int i = 0; i < 8; i++) {
		weight[i] = square[i] = one;
		for (int k = 0; k < 3; k++) sum[k][i] = own[k][i];
	}
	for (int f = 1; f < j->n; f++) {
		struct bm_step m = bm_move_block(&j->frame[0], &j->frame[f], &j->moves[f], j->s->cost, x, y);
		block(j, j->in[f], x + m.x, y + m.y, other);
		float mean = unlike(own, other, inverse, e) * j->s->mean[bin];
		take(sum, weight, square, other, e, mean);
	}
	for (int i = 0; i < 8; i++) {
		bm8 w = 1.0f / weight[i];
		for (int k = 0; k < 3; k++) sum[k][i] *= w;
		share += square[i] * w * w;
	}
	float all = bm_total(&share) * (1.0f / 64);
	ptrdiff_t at = (y - j->r.y0 + BM_EDGE) * j->astride + (x - j->r.x0 + BM_EDGE);
	for (int k = 0; k < 3; k++) {
		bm_backward(sum[k], v);
		for (int i = 0; i < 8; i++) {
			float *p = j->sum[k] + at + i * j->astride;
			BM_STORE(p, BM_LOAD(p) + v[i] * (taper * bm_taper[i]));
		}
	}
	for (int i = 0; i < 8; i++) {
		float *p = j->weight + at + i * j->astride, *q = j->share + at + i * j->astride;
		bm8 w = taper * bm_taper[i];
		BM_STORE(p, BM_LOAD(p) + w);
		BM_STORE(q, BM_LOAD(q) + w * all);
	}
}

static int averages(const struct call *c, const struct job *j)
{
	struct bm_span h = bm_refs(j->r.x0, j->r.x1, j->data.x0, j->data.x1, 0);
	struct bm_span v = bm_refs(j->r.y0, j->r.y1, j->data.y0, j->data.y1, 0);
	for (int y = v.first; y <= v.last; y += BM_STEP) {
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		for (int x = h.first; x <= h.last; x += BM_STEP)
			if (bm_leads(x, y)) average(j, x, y);
	}
	for (int k = 0; k < 4; k++)
		for (int y = j->r.y0; y < j->r.y1; y++) {
			ptrdiff_t at = (y - j->r.y0 + BM_EDGE) * j->astride + BM_EDGE;
			const float *s = (k < 3 ? j->sum[k] : j->share) + at, *w = j->weight + at;
			float *o = view_at(c->out, k, j->r.x0, y);
			for (int x = 0; x < rect_w(j->r); x++) o[x] = s[x] / w[x];
		}
	return 0;
}

/* Just the change of channels. */
static void still(const struct call *c, const struct job *j)
{
	for (int y = j->r.y0; y < j->r.y1; y++)
		for (int x = j->r.x0; x < j->r.x1; x++) {
			float v[3];
			straight(j, j->in[0], x, y, v);
			bm_opponent(v, v + 1, v + 2);
			for (int k = 0; k < 3; k++) *view_at(c->out, k, x, y) = v[k];
			*view_at(c->out, 3, x, y) = 1;
		}
}

/* Frames that are there: beyond the clip's ends the core hands the last one again. */
static void frames(const struct call *c, struct job *j)
{
	for (int i = 0; i < c->nin && i < FRAMES; i++) {
		bool again = rect_empty(c->in[i].r);
		for (int k = 0; k < i; k++) again |= c->need[k].frame == c->need[i].frame;
		if (!again) j->in[j->n++] = &c->in[i];
	}
}

static int tile(const struct call *c, struct rect r)
{
	const struct format *f = c->n->in[0];
	struct job j = { .s = c->n->state, .r = r, .data = f->data, .alpha = format_channel(f, "A"),
		.ch = { format_channel(f, "R"), format_channel(f, "G"), format_channel(f, "B") } };
	if (rect_empty(c->in[0].r)) { view_clear(c->out, r); return 0; }
	frames(c, &j);
	if (j.n <= 1) { still(c, &j); return 0; }
	struct rect all = bm_frame_rect(r);
	size_t plane = sums_floats(r) / 5;
	float *at = c->scratch, *mean = at + 5 * plane;
	uint8_t *bytes = (uint8_t *)(mean + rect_area(all));
	__builtin_memset(at, 0, 5 * plane * sizeof *at);
	for (int k = 0; k < 3; k++) j.sum[k] = at + (size_t)k * plane;
	j.share = at + 3 * plane;
	j.weight = at + 4 * plane;
	j.astride = (ptrdiff_t)bm_up((size_t)rect_w(r) + 2 * BM_EDGE);
	for (int i = 0; i < j.n; i++, bytes += bm_frame_bytes(all) + bm_moves_most(r)) {
		means(&j, j.in[i], all, mean);
		bm_frame_lay(&j.frame[i], all, bytes);
		bm_frame_fill(&j.frame[i], mean);
		j.moves[i].dx = (int8_t *)bytes + bm_frame_bytes(all);
		if (i) bm_move_cells(&j.frame[0], &j.frame[i], &j.s->tries, j.s->cost, r, &j.moves[i]);
	}
	return averages(c, &j);
}

const struct node_type ISA(node_degrain_time) = {
	.name = "degrain_time", .doc = "Luma and colour differences, averaged along motion, for degrain.",
	.category = "image", .version = 2, .size = sizeof(struct degrain_time), .params = params,
	.inputs = "image", .flags = NF_HIDDEN, .want_of = degrain_want, .open = open_tables,
		.close = degrain_close, .format = format,
	.needs = needs, .scratch = scratch, .flops = flops, .tile = tile,
};
