/* degrain_time - luma and two colour differences of a picture, averaged along
 * its motion, for the stages after it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>

#include "degrain_parts.h"
#include "px_bm3d_move.h"

struct degrain_time { DEGRAIN_COMMON; int radius; };

static const struct param params[] = {
	DEGRAIN_PARAMS(degrain_time),
	DEGRAIN_SPACE(degrain_time),
	P_INT(degrain_time, radius, 2, 0, 3, "frames", PF_STATIC, "As of degrain."),
	P_END
};

/* Sums stand in a ring of rows, KINDS a row: the three channels', the share's, the weights. */
enum { FRAMES = 7, RING = 16, SHARE = 3, WEIGHT, KINDS };
/* Pixels ahead that are fetched: rows of three channels of five frames are more streams than a core follows by itself. */
enum { AHEAD = 24 };

/* Threads: frozen. */
struct state {
	struct degrain_noise noise;
	struct bm_asked asked;
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
	if (degrain_noise_make(&a, &s->noise, e) < 0) return -1;
	float mid = s->noise.sigma[DEGRAIN_BINS / 2][0][9];
	for (int i = 0; i < DEGRAIN_BINS; i++) weigh(s, i);
	s->cost = 2 + (int)(mid < 1.0f ? mid * 500.0f : 500.0f);
	bm_asked_make(&s->asked, s->cost);
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

static size_t sums_floats(struct rect r) { return RING * KINDS * bm_up((size_t)rect_w(r) + 2 * BM_EDGE); }

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct degrain_time *p = n->v;
	struct rect all = bm_frame_rect(r);
	size_t nf = 2 * (size_t)p->radius + 1;
	if (!p->radius) return 64;
	return (sums_floats(r) + 3 * bm_up((size_t)rect_w(all))) * sizeof(float) +
		nf * (bm_frame_bytes(all) + bm_moves_most(r)) + 256;
}

static double flops(const struct node_ctx *n)
{
	const struct degrain_time *p = n->v;
	return p->radius ? 160 + 400 * p->radius : 12;
}

static double work(const struct node_ctx *n, struct rect r)
{
	const struct degrain_time *p = n->v;
	if (!p->radius) return 12 * (double)rect_area(r);
	return degrain_work(r, 8, 100 + 260 * p->radius) + degrain_work(r, 24, 100 * p->radius) +
	       degrain_work(r, BM_MOVE_MARGIN, 60 + 40 * p->radius);
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
	float *ring;
	int next;                            /* rows before it are written */
};

/* The sums of row y, from the tile's first column on. */
IN_INLINE float *sums(const struct job *j, int y)
{ return j->ring + (ptrdiff_t)(y & (RING - 1)) * KINDS * j->astride + BM_EDGE; }

IN_INLINE void straight(const struct job *j, const struct view *in, int x, int y, float v[3])
{
	float a = j->alpha < 0 ? 1.0f : *view_at(in, j->alpha, x, y);
	for (int k = 0; k < 3; k++) {
		v[k] = *view_at(in, j->ch[k], x, y);
		if (j->alpha >= 0 && a != 0) v[k] = v[k] / a;
		v[k] = bm_sane(v[k]);
	}
}

/* The mean of R, G and B in row y over the columns of all, mirrored beyond the data. */
static void mean_row(struct job *j, const struct view *in, struct rect all, int y, float *to)
{
	struct rect d = j->data;
	int row = bm_mirror(y, d.y0, d.y1), odd = 0;
	int from = all.x0 > d.x0 ? all.x0 : d.x0, end = all.x1 < d.x1 ? all.x1 : d.x1;
	if (j->alpha >= 0 || end <= from) {
		for (int x = all.x0; x < all.x1; x++) {
			float v[3];
			straight(j, in, bm_mirror(x, d.x0, d.x1), row, v);
			to[x - all.x0] = (v[0] + v[1] + v[2]) * (1.0f / 3);
		}
		return;
	}
	const float *r = view_at(in, j->ch[0], from, row), *g = view_at(in, j->ch[1], from, row);
	const float *b = view_at(in, j->ch[2], from, row);
	float *IN_RESTRICT o = to + (from - all.x0);
	for (int i = 0; i < end - from; i++) {
		odd |= !(px_abs(r[i]) <= 1024.0f) | !(px_abs(g[i]) <= 1024.0f) | !(px_abs(b[i]) <= 1024.0f);
		o[i] = (r[i] + g[i] + b[i]) * (1.0f / 3);
	}
	for (int i = 0; odd && i < end - from; i++)
		o[i] = (bm_sane(r[i]) + bm_sane(g[i]) + bm_sane(b[i])) * (1.0f / 3);
	j->odd |= odd;
	for (int x = all.x0; x < from; x++) to[x - all.x0] = to[bm_mirror(x, d.x0, d.x1) - all.x0];
	for (int x = end; x < all.x1; x++) to[x - all.x0] = to[bm_mirror(x, d.x0, d.x1) - all.x0];
}

/* Frame i's luma over all; rows: three of them. */
static void luma(struct job *j, int i, struct rect all, float *rows)
{
	int w = rect_w(all), h = rect_h(all);
	mean_row(j, j->in[i], all, all.y0, rows);
	for (int y = 0; y < h; y++) {
		float *p = rows + y % 3 * w, *next = rows + (y + 1) % 3 * w;
		if (y + 1 < h) mean_row(j, j->in[i], all, all.y0 + y + 1, next);
		bm_frame_row(&j->frame[i], y, p, y ? rows + (y + 2) % 3 * w : p, y + 1 < h ? next : p);
		if (y & 1) bm_frame_half(&j->frame[i], y / 2);
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
			for (int i = 0; i < 8; i++, p += in->stride) {
				v[k][i] = BM_LOAD(p);
				__builtin_prefetch(p + AHEAD);
			}
		}
	for (int i = 0; i < 8; i++) {
		bm8 r = v[0][i], g = v[1][i], b = v[2][i];
		v[0][i] = (r + g + b) * 0x1.279a74p-1f;
		v[1][i] = (r - b) * 0x1.6a09e6p-1f;
		v[2][i] = (r + b - 2.0f * g) * 0x1.a20bd8p-2f;
	}
	for (int k = 0; k < 3; k++) bm_into(v[k], c[k]);
	for (int k = 0; k < 3; k++) bm_into2(c[k]);
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
	for (int k = 0; k < 3; k++) bm_back(sum[k], sum[k]);
	for (int k = 0; k < 3; k++) {
		bm_back2(sum[k], v);
		for (int i = 0; i < 8; i++) {
			float *p = sums(j, y + i) + k * j->astride + (x - j->r.x0);
			BM_STORE(p, BM_LOAD(p) + v[i] * (taper * bm_taper[i]));
		}
	}
	for (int i = 0; i < 8; i++) {
		float *p = sums(j, y + i) + (x - j->r.x0), *q = p + SHARE * j->astride;
		bm8 w = taper * bm_taper[i];
		p += WEIGHT * j->astride;
		BM_STORE(p, BM_LOAD(p) + w);
		BM_STORE(q, BM_LOAD(q) + w * all);
	}
}

/* Writes the rows before row y. */
static void finish(const struct call *c, struct job *j, int y)
{
	for (; j->next < j->r.y1 && j->next < y; j->next++) {
		float *s = sums(j, j->next);
		const float *IN_RESTRICT w = s + WEIGHT * j->astride;
		for (int k = 0; k < 4 && j->next >= j->r.y0; k++, s += j->astride) {
			float *IN_RESTRICT o = view_at(c->out, k, j->r.x0, j->next);
			for (int x = 0; x < rect_w(j->r); x++) o[x] = s[x] / w[x];
		}
		__builtin_memset(sums(j, j->next) - BM_EDGE, 0, (size_t)(KINDS * j->astride) * sizeof(float));
	}
}

static int averages(const struct call *c, struct job *j)
{
	struct bm_span h = bm_refs(j->r.x0, j->r.x1, j->data.x0, j->data.x1, 0);
	struct bm_span v = bm_refs(j->r.y0, j->r.y1, j->data.y0, j->data.y1, 0);
	for (int y = v.first; y <= v.last; y += BM_STEP) {
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		for (int x = h.first; x <= h.last; x += BM_STEP)
			if (bm_leads(x, y)) average(j, x, y);
		finish(c, j, y + BM_STEP);
	}
	finish(c, j, INT_MAX);
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
	float *rows = (float *)c->scratch + sums_floats(r);
	uint8_t *bytes = (uint8_t *)(rows + 3 * bm_up((size_t)rect_w(all)));
	j.ring = c->scratch;
	j.next = r.y0 - BM_EDGE;
	j.astride = (ptrdiff_t)bm_up((size_t)rect_w(r) + 2 * BM_EDGE);
	__builtin_memset(j.ring, 0, sums_floats(r) * sizeof *j.ring);
	for (int i = 0; i < j.n; i++, bytes += bm_frame_bytes(all) + bm_moves_most(r)) {
		bm_frame_lay(&j.frame[i], all, bytes);
		luma(&j, i, all, rows);
		j.moves[i].dx = (int8_t *)bytes + bm_frame_bytes(all);
		if (i) bm_move_cells(&j.frame[0], &j.frame[i], &j.s->asked, r, &j.moves[i]);
	}
	return averages(c, &j);
}

const struct node_type ISA(node_degrain_time) = {
	.name = "degrain_time", .doc = "Luma and colour differences, averaged along motion, for degrain.",
	.category = "image", .version = 2, .size = sizeof(struct degrain_time), .params = params,
	.inputs = "image", .flags = NF_HIDDEN, .want_of = degrain_want, .open = open_tables,
		.close = degrain_close, .format = format,
	.needs = needs, .scratch = scratch, .flops = flops, .work = work, .tile = tile,
};
