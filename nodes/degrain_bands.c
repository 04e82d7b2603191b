/* degrain_bands - what degrain took, brought to the grain's spectrum band by band.
 *
 * In R, G and B apart, as a channel's grain may be far weaker than what colour differences share of it.
 * Cells of 8x8 pixels tell how strong bands of the cosine transform are around; blocks on every
 * fourth pixel, overlapping, are scaled by what the bands there lack or have too much. Last, where the source is
 * clipped, the neutral picture goes as much nearer the limit as clipping has moved averages away.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "degrain_clip.h"

struct degrain_bands_node { DEGRAIN_COMMON; double most, least, level, agree, push, pull; };

static const struct param params[] = {
	DEGRAIN_PARAMS(degrain_bands_node),
	P_FLOAT(degrain_bands_node, most, 2, 1, 8, "factor", "The most that a band is raised by."),
	P_FLOAT(degrain_bands_node, least, 0.5, 0, 1, "factor", "And the least."),
	P_FLOAT(degrain_bands_node, level, 1.0, 0, 2, "factor", "The grain's variance that bands are brought to."),
	P_FLOAT(degrain_bands_node, agree, 0.08, 0, 1, "factor", "How much less than that bands "
	        "are brought to that hold most of the grain."),
	P_FLOAT(degrain_bands_node, push, 1.15, 1, 2, "factor", "By how much more than they lack bands "
	        "are raised, as overlapping blocks make little of it."),
	P_FLOAT(degrain_bands_node, pull, 1.25, 1, 2, "factor", "So for bands that are lowered."),
	DEGRAIN_SPACE(degrain_bands_node),
	P_END
};

/* TENT: cells either way that are asked. */
enum { TENT = 3, BANDS = DEGRAIN_BANDS };
/* FINE: the first of the bands that are as strong as they should be without it. How much more than others
 * those before it are pushed where they have hardly any grain. */
enum { FINE = 6 };
#define STEEP 3.0f
/* How much less the last band is brought to where it has hardly any grain: what is done to stronger ones leaks. */
#define LEAKS 0.045f

/* Threads: frozen. */
struct state {
	struct degrain_bands want;
	int band[64];
	struct clip clip;
	float sigma[3][DEGRAIN_BINS], count[BANDS], taper[8], level[3][BANDS], push[3][BANDS], pull[3][BANDS];
};

/* What channel c's bands are brought to, of the grain's variance: a little less where much of it lies, as
 * there overlapping blocks agree, and what they add adds up: such bands need no push or pull. Bands in which little of
 * it lies are pushed and pulled by more, as there blocks differ most. */
static void levels(struct state *s, const struct degrain_bands_node *p, int c)
{
	const float *v = s->want.var[DEGRAIN_BINS / 2][c];
	float mean = 0;
	for (int k = 0; k < BANDS; k++) mean += v[k] * s->count[k] * (1.0f / 64);
	for (int k = 0; k < BANDS; k++) {
		float little = px_max(0.0f, 1.0f - v[k] / mean), much = px_max(0.0f, 1.0f - mean / v[k]);
		float apart = px_max(0.0f, 1.0f - 2.0f * much);
		s->level[c][k] = (float)p->level - (float)p->agree * (much * much) * (much * much);
		if (k == BANDS - 1) s->level[c][k] -= LEAKS * little * little;
		s->push[c][k] = ((float)p->push - 1.0f) * (apart + (k < FINE ? STEEP : 1.0f) * little);
		s->pull[c][k] = ((float)p->pull - 1.0f) * (apart + little);
	}
}

static int open_tables(struct node_ctx *n, struct err *e)
{
	const struct degrain_bands_node *p = n->v;
	struct degrain_ask a = degrain_ask_of(n);
	struct state *s = n->state = xalloc(1, sizeof *s);
	for (int k = 0; k < 64; k++) {
		s->band[k] = degrain_band(k / 8, k % 8);
		s->count[s->band[k]]++;
	}
	for (int i = 0; i < 8; i++) s->taper[i] = bm_taper[i] / (bm_taper[i & 3] + bm_taper[(i & 3) + 4]);
	if (degrain_bands_make(&a, &s->want, e) < 0) return -1;
	for (int c = 0; c < 3; c++) levels(s, p, c);
	clip_make(&s->clip);
	for (int c = 0; c < 3; c++)
		for (int i = 0; i < DEGRAIN_BINS; i++) {
			float sum = 0;
			for (int k = 0; k < BANDS; k++) sum += s->want.var[i][c][k] * s->count[k];
			s->sigma[c][i] = __builtin_sqrtf(sum * (1.0f / 64));
		}
	return 0;
}

/* FACTORS: floats a cell, of which BANDS are used. */
enum { FACTORS = 16 };

/* Per cell bands' energies as they are and as they should be, and their factors; what is added, over the tile's
 * blocks. */
struct job {
	const struct state *s;
	const struct degrain_bands_node *p;
	struct rect r;
	struct cells c;
	int cw, ch;
	ptrdiff_t stride;
	float *have, *want, *via, *factor, *sum;
};

static size_t sum_stride(struct rect r) { return bm_up((size_t)rect_w(r) + 2 * BM_EDGE); }

static size_t lay(struct job *j, struct rect r, void *mem)
{
	float *at = mem;
	j->r = r;
	j->c.all = cells_of(r);
	j->c.w = rect_w(j->c.all), j->c.h = rect_h(j->c.all);
	j->cw = j->c.w / CELL, j->ch = j->c.h / CELL;
	j->stride = (ptrdiff_t)sum_stride(r);
	size_t px = (size_t)j->c.w * (size_t)j->c.h, cells = px / 64, n = 0;
	for (int i = 0; i < 3; i++, n += px) j->c.taken[i] = at ? at + n : NULL;
	float **bands[] = { &j->have, &j->want, &j->via };
	for (int i = 0; i < 3; i++, n += bm_up(cells * BANDS)) *bands[i] = at ? at + n : NULL;
	j->c.bin = at ? at + n : NULL, n += bm_up(cells);
	j->c.quarter = at ? at + n : NULL, n += bm_up(4 * cells);
	j->c.there = at ? at + n : NULL, n += bm_up(3 * cells);
	j->c.linear = at ? at + n : NULL, n += bm_up(3 * cells);
	j->factor = at ? at + n : NULL, n += cells * FACTORS;
	j->sum = at ? at + n : NULL;
	if (at) cells_rows(&j->c, j->sum);                            /* before sums are needed */
	size_t sums = sum_stride(r) * ((size_t)rect_h(r) + 2 * BM_EDGE), rows = CELL_ROWS * (size_t)j->c.w;
	return n + (sums > rows ? sums : rows);
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	struct job j;
	(void)n;
	return lay(&j, r, NULL) * sizeof(float);
}

static double flops(const struct node_ctx *n)
{
	(void)n;
	return 270;
}

static double work(const struct node_ctx *n, struct rect r)
{
	return degrain_work(r, MARGIN, flops(n));
}

/* R, G and B stay. */
static void row(const void *job, const struct cells *c, int y)
{
	const struct job *j = job;
	const float *w = j->s->want.luma, *IN_RESTRICT r = c->clean[0];
	const float *IN_RESTRICT g = c->clean[1], *IN_RESTRICT b = c->clean[2];
	float *IN_RESTRICT luma = c->luma;
	(void)y;
	for (int x = 0; x < c->w; x++) luma[x] = w[0] * r[x] + w[1] * g[x] + w[2] * b[x];
}

/* Energies of the bands of eight cells in a row, at taken. */
static IN_NOINLINE void eight(const struct job *j, const float *taken, float *have)
{
	bm8 q[CELL][8], sum[BANDS] = { { 0 } };
	for (int i = 0; i < CELL; i++) {
		bm_forward(taken + i * CELL, j->c.w, q[i]);
		for (int k = 0; k < 8; k++) q[i][k] *= q[i][k];
	}
	for (int k = 0; k < 8; k++) {
		bm8 v[8];
		for (int i = 0; i < CELL; i++) v[i] = q[i][k];
		bm_turn(v);
		for (int i = 0; i < 8; i++) sum[j->s->band[8 * k + i]] += v[i];
	}
	for (int i = 0; i < CELL; i++)
		for (int k = 0; k < BANDS; k++) have[i * BANDS + k] = sum[k][i];
}

/* Energies of every cell's bands of channel c, and those that the grain has. */
static void energies(const struct job *j, int c)
{
	for (int y = 0; y < j->ch; y++)
		for (int i = 0; i < j->cw; i += CELL) {
			int x = i + CELL <= j->cw ? i : j->cw - CELL;
			eight(j, j->c.taken[c] + (ptrdiff_t)y * CELL * j->c.w + x * CELL, j->have + ((ptrdiff_t)y * j->cw + x) * BANDS);
		}
	for (int i = 0; i < j->cw * j->ch; i++) {
		/* clipping leaves the grain, weaker, and bends the rest of what is there */
		const float (*var)[3][BANDS] = j->s->want.var, *at = j->c.quarter + 4 * (ptrdiff_t)i;
		const float *v0 = var[(int)at[0]][c], *v1 = var[(int)at[1]][c], *v2 = var[(int)at[2]][c], *v3 = var[(int)at[3]][c];
		float linear = j->c.linear[3 * i + c], rest = j->c.there[3 * i + c] - linear;
		const float *IN_RESTRICT bent = j->s->want.bent[c];
		const float *IN_RESTRICT n = j->s->count;
		float *IN_RESTRICT want = j->want + (ptrdiff_t)i * BANDS;
		for (int k = 0; k < BANDS; k++) want[k] = (v0[k] + v1[k] + v2[k] + v3[k]) * 0.25f * n[k] * (linear + rest * bent[k]);
	}
}

/* A tent over 2 TENT + 1 cells either way, of cells whose whole tent is there. */
static void tent(const struct job *j, float *IN_RESTRICT v)
{
	int row = j->cw * BANDS;
	for (int i = TENT * row; i < (j->ch - TENT) * row; i++) {
		float sum = (TENT + 1) * v[i];
		for (int k = 1; k <= TENT; k++) sum += (float)(TENT + 1 - k) * (v[i - k * row] + v[i + k * row]);
		j->via[i] = sum;
	}
	for (int y = TENT; y < j->ch - TENT; y++)
		for (int i = y * row + TENT * BANDS; i < (y + 1) * row - TENT * BANDS; i++) {
			float sum = (TENT + 1) * j->via[i];
			for (int k = 1; k <= TENT; k++)
				sum += (float)(TENT + 1 - k) * (j->via[i - k * BANDS] + j->via[i + k * BANDS]);
			v[i] = sum;
		}
}

/* What every coefficient of a cell is short of, as a share of it. */
static void factors(const struct job *j, int c)
{
	const float *level = j->s->level[c], *push = j->s->push[c], *pull = j->s->pull[c];
	const float most = (float)j->p->most, least = (float)j->p->least;
	for (int y = TENT; y < j->ch - TENT; y++)
		for (int x = TENT; x < j->cw - TENT; x++) {
			ptrdiff_t i = (ptrdiff_t)y * j->cw + x;
			const float *have = j->have + i * BANDS, *want = j->want + i * BANDS;
			float *IN_RESTRICT f = j->factor + i * FACTORS;
			for (int k = BANDS; k < FACTORS; k++) f[k] = 0;
			for (int k = 0; k < BANDS; k++) {
				float v = __builtin_sqrtf(level[k] * want[k] / (have[k] + 1e-12f)) - 1.0f;
				f[k] = px_clamp(v + v * (v > 0 ? push[k] : pull[k]), least - 1.0f, most - 1.0f);
			}
		}
}

/* Scales the block at (x, y), and adds what that adds to the tile's sum. Its middle lies in that of a
 * cell or between two: so does its factor. */
IN_INLINE void block(const struct job *j, const float *taken, int x, int y)
{
	const bm8 taper = BM_LOAD(j->s->taper);
	int lx = x - j->c.all.x0, ly = y - j->c.all.y0;
	const float *f = j->factor + ((ptrdiff_t)(ly / CELL) * j->cw + lx / CELL) * FACTORS;
	ptrdiff_t right = lx & 4 ? FACTORS : 0, down = ly & 4 ? (ptrdiff_t)j->cw * FACTORS : 0;
	bm8 q[8], v[8], g[2];
	bm_forward(taken + (ptrdiff_t)ly * j->c.w + lx, j->c.w, q);
	for (int k = 0; k < 2; k++) {
		const float *p = f + 8 * k;
		bm8 a = BM_LOAD(p) + BM_LOAD(p + right), b = BM_LOAD(p + down) + BM_LOAD(p + down + right);
		g[k] = (a + b) * 0.25f;
	}
	for (int k = 0; k < 8; k++) q[k] *= BM_AMONG2(g[0], g[1], *(const bm8iu *)(const void *)(j->s->band + 8 * k));
	bm_backward(q, v);
	float *o = j->sum + (ptrdiff_t)(y - j->r.y0 + BM_EDGE) * j->stride + (x - j->r.x0 + BM_EDGE);
	for (int i = 0; i < 8; i++, o += j->stride) BM_STORE(o, BM_LOAD(o) + v[i] * (taper * j->s->taper[i]));
}

/* What is added to what was taken of a channel, over the tile. */
static IN_NOINLINE void add(const struct job *j, int c)
{
	struct rect r = j->r;
	__builtin_memset(j->sum, 0, sum_stride(r) * ((size_t)rect_h(r) + 2 * BM_EDGE) * sizeof *j->sum);
	for (int y = (r.y0 - 4) & -4; y < r.y1; y += 4)
		for (int x = (r.x0 - 4) & -4; x < r.x1; x += 4) block(j, j->c.taken[c], x, y);
}

/* Writes channel ch, the k-th of R, G and B. */
static void finish(const struct call *c, const struct job *j, int k, int ch, int alpha)
{
	const struct view *in = &c->in[1];
	bool clipped = clip_any(&j->c, k);
	for (int y = j->r.y0; y < j->r.y1; y++) {
		const float *IN_RESTRICT s = j->sum + (ptrdiff_t)(y - j->r.y0 + BM_EDGE) * j->stride + BM_EDGE;
		const float *p = view_at(in, ch, j->r.x0, y), *m = alpha < 0 ? NULL : view_at(&c->in[0], alpha, j->r.x0, y);
		float *IN_RESTRICT o = view_at(c->out, ch, j->r.x0, y);
		if (m) for (int x = 0; x < rect_w(j->r); x++) o[x] = p[x] - s[x] * (m[x] != 0 ? m[x] : 1.0f);
		else for (int x = 0; x < rect_w(j->r); x++) o[x] = p[x] - s[x];
		if (clipped) clip_row(&j->s->clip, &j->c, k, j->s->sigma[k], j->r.x0, j->r.x1, y, m, o);
	}
}

static int tile(const struct call *c, struct rect r)
{
	const struct format *f = c->n->in[0];
	const int ch[4] = { format_channel(f, "R"), format_channel(f, "G"), format_channel(f, "B"),
		format_channel(f, "A") };
	struct job j = { .s = c->n->state, .p = c->n->v };
	if (rect_empty(c->in[0].r) || rect_empty(c->in[1].r)) { view_clear(c->out, r); return 0; }
	lay(&j, r, c->scratch);
	cells_load(&j.c, &c->in[0], &c->in[1], ch, f->data, j.s->want.low, j.s->want.scale, &j, row);
	for (int k = 0; k < c->out->nch; k++)
		for (int y = r.y0; y < r.y1 && k != ch[0] && k != ch[1] && k != ch[2]; y++)
			__builtin_memcpy(view_at(c->out, k, r.x0, y), view_at(&c->in[0], k, r.x0, y),
			                 (size_t)rect_w(r) * sizeof(float));
	for (int k = 0; k < 3; k++) {
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		energies(&j, k);
		tent(&j, j.have);
		tent(&j, j.want);
		factors(&j, k);
		add(&j, k);
		finish(c, &j, k, ch[k], ch[3]);
	}
	return 0;
}

const struct node_type ISA(node_degrain_bands) = {
	.name = "degrain_bands", .doc = "What degrain took, brought to the grain's spectrum band by band.",
	.category = "image", .version = 6, .size = sizeof(struct degrain_bands_node), .params = params,
	.inputs = "image even mask?", .flags = NF_HIDDEN | NF_MASKED, .want_of = degrain_want, .open = open_tables,
	.close = degrain_close, .identity = degrain_identity, .needs = cells_needs, .scratch = scratch,
		.flops = flops, .work = work, .tile = tile,
};
