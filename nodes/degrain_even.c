/* degrain_even - what degrain took, raised to the grain's own strength where estimates are short of it.
 *
 * Estimates keep grain where picture is near: at low frequencies and along edges. Raising what was taken there is nearly
 * free, as a scale near the best one costs only the square of what it is off by. Two bands (means over 4x4 and 2x2 pixels,
 * anchored at pixel (0,0)) are compared with the grain's over some 20 pixels, then luma as a whole over some 4.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "node.h"
#include "px_bm3d_area.h"

struct degrain_even { const char *profile; double sigma, strength, low, lowest, edge, push, push2; int reach, space; };

static const struct param params[] = {
	DEGRAIN_PARAMS(degrain_even),
	P_FLOAT(degrain_even, low, 1.6, 1, 4, "factor", "The most that means over 2x2 pixels are raised by."),
	P_FLOAT(degrain_even, lowest, 1.8, 1, 4, "factor", "The most that means over 4x4 are raised by beyond that."),
	P_FLOAT(degrain_even, edge, 1.5, 1, 4, "factor", "The most that luma is raised by."),
	P_FLOAT(degrain_even, push, 1.3, 1, 4, "factor", "By how much more than they lack means over 2x2 are raised, as they pass less of the band."),
	P_FLOAT(degrain_even, push2, 2.3, 1, 4, "factor", "So for means over 4x4."),
	P_ENUM(degrain_even, space, "encoded", "encoded|linear|log", PF_STATIC, "As of degrain."),
	P_END
};

enum { CELL = 8, MARGIN = 40, TENT = 3 };

/* want[level][bin][channel]: the grain's variance, as means over 1, 2 and 4 pixels. Threads: frozen. */
struct state { float low, scale, luma[3], want[3][DEGRAIN_BINS][3]; };

static int open_tables(struct node_ctx *n, struct err *e)
{
	const struct degrain_even *p = n->v;
	const struct format *f = n->in[0];
	struct state *s = n->state = xalloc(1, sizeof *s);
	struct degrain_noise *t = xalloc(1, sizeof *t);
	int rc = 0;
	for (int i = 0; i < 3 && rc == 0; i++) {
		struct degrain_ask a = { p->profile, p->sigma, p->strength, n->scale / (1 << i), f->space, rect_h(f->display) >> i };
		rc = degrain_noise_make(&a, t, e);
		for (int b = 0; b < DEGRAIN_BINS && rc == 0; b++)
			for (int c = 0; c < 3; c++) {
				float v = 0;
				for (int k = 0; k < 64; k++) v += t->sigma[b][c][k] * t->sigma[b][c][k];
				s->want[i][b][c] = v / 64;
			}
	}
	s->low = t->low;
	s->scale = t->scale;
	for (int c = 0; c < 3; c++) s->luma[c] = t->luma[c];
	free(t);
	return rc;
}

static void close_tables(struct node_ctx *n)
{
	free(n->state);
	n->state = NULL;
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	const struct degrain_even *p = n->v;
	if (conn > 1) return WANT_ANY;
	return p->space == 1 ? WANT_LINEAR : p->space == 2 ? WANT_LOG : WANT_ENCODED;
}

static bool identity(const struct node_ctx *n)
{
	const struct degrain_even *p = n->v;
	return p->strength <= 0 || (!*p->profile && p->sigma <= 0);
}

/* Whole cells around r. */
static struct rect cells_of(struct rect r)
{
	r = rect_grow(r, MARGIN, MARGIN);
	return rect_of(r.x0 & -CELL, r.y0 & -CELL, (r.x1 + CELL - 1) & -CELL, (r.y1 + CELL - 1) & -CELL);
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	struct rect all = rect_grow(cells_of(r), CELL, CELL);
	(void)n;
	need_add(out, 0, frame, all);
	need_add(out, 1, frame, all);
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	size_t px = rect_area(cells_of(r));
	(void)n;
	return (3 * px + px + px / 4 * 3 + px / 16 * 4 + px / 64 * 12 + 1024) * sizeof(float);
}

static double flops(const struct node_ctx *n)
{
	(void)n;
	return 150;
}

/* Planes over whole cells: what was taken, its means, and of each cell bin, energies and gains. */
struct job {
	const struct state *s;
	const struct degrain_even *p;
	struct rect all;
	int w, h;
	float *taken[3], *spare, *half, *half2, *half3, *quarter, *quarter2, *quarter3, *quarter4;
	float *bin, *energy, *sum, *gain[2];
};

static void lay(struct job *j, void *mem)
{
	float *at = mem;
	size_t px = (size_t)j->w * (size_t)j->h, cells = px / 64;
	for (int c = 0; c < 3; c++, at += px) j->taken[c] = at;
	j->spare = at, at += px;
	float **halves[] = { &j->half, &j->half2, &j->half3 }, **quarters[] = { &j->quarter, &j->quarter2, &j->quarter3, &j->quarter4 };
	for (int i = 0; i < 3; i++, at += px / 4) *halves[i] = at;
	for (int i = 0; i < 4; i++, at += px / 16) *quarters[i] = at;
	float **small[] = { &j->bin, &j->energy, &j->sum, &j->gain[0], &j->gain[1] };
	for (int i = 0; i < 5; i++, at += cells) *small[i] = at;
}

/* What was taken of pixel (x, y) as luma and colour differences, straight; returns the picture's luma. */
IN_INLINE float taken_at(const struct job *j, const struct view *a, const struct view *b, const int ch[4], int x, int y, float v[3])
{
	float over = ch[3] < 0 ? 1.0f : *view_at(a, ch[3], x, y), by = over != 0 ? 1.0f / over : 1.0f, o[3];
	for (int k = 0; k < 3; k++) {
		float p = *view_at(a, ch[k], x, y), q = *view_at(b, ch[k], x, y);
		v[k] = bm_sane((p - q) * by);
		o[k] = bm_sane(p * by);
	}
	bm_opponent(v, v + 1, v + 2);
	bm_opponent(o, o + 1, o + 2);
	return j->s->luma[0] * o[0] + j->s->luma[1] * o[1] + j->s->luma[2] * o[2];
}

/* As taken_at for n pixels from (x, y) on, all of them there and without alpha: to column `to` of the planes' row. */
static void taken_row(const struct job *j, const struct view *a, const struct view *b, const int ch[4], int x, int y, int n,
                      ptrdiff_t to, float *IN_RESTRICT luma)
{
	const float *p[3], *q[3], lr = j->s->luma[0], lg = j->s->luma[1], lb = j->s->luma[2];
	float *IN_RESTRICT t0 = j->taken[0] + to, *IN_RESTRICT t1 = j->taken[1] + to, *IN_RESTRICT t2 = j->taken[2] + to;
	for (int k = 0; k < 3; k++) p[k] = view_at(a, ch[k], x, y), q[k] = view_at(b, ch[k], x, y);
	for (int i = 0; i < n; i++) {
		float u = bm_sane(p[0][i] - q[0][i]), v = bm_sane(p[1][i] - q[1][i]), w = bm_sane(p[2][i] - q[2][i]);
		float r = bm_sane(p[0][i]), g = bm_sane(p[1][i]), s = bm_sane(p[2][i]);
		bm_opponent(&u, &v, &w);
		bm_opponent(&r, &g, &s);
		t0[i] = u, t1[i] = v, t2[i] = w;
		luma[i] = lr * r + lg * g + lb * s;
	}
}

static void load(const struct job *j, const struct view *a, const struct view *b, const int ch[4], struct rect data)
{
	int cw = j->w / CELL, from = data.x0 > j->all.x0 ? data.x0 : j->all.x0, end = data.x1 < j->all.x1 ? data.x1 : j->all.x1;
	float *luma = j->spare;
	if (ch[3] >= 0 || end < from) end = from;
	from -= j->all.x0, end -= j->all.x0;
	for (int i = 0; i < cw * (j->h / CELL); i++) j->bin[i] = 0;
	for (int y = 0; y < j->h; y++) {
		int sy = bm_mirror(j->all.y0 + y, data.y0, data.y1);
		ptrdiff_t row = (ptrdiff_t)y * j->w;
		if (end > from) taken_row(j, a, b, ch, j->all.x0 + from, sy, end - from, row + from, luma + from);
		for (int x = 0; x < j->w; x++) {
			float v[3];
			if (x >= from && x < end) { x = end - 1; continue; }
			luma[x] = taken_at(j, a, b, ch, bm_mirror(j->all.x0 + x, data.x0, data.x1), sy, v);
			for (int k = 0; k < 3; k++) j->taken[k][row + x] = v[k];
		}
		for (int x = 0; x < j->w; x++) j->bin[y / CELL * cw + x / CELL] += luma[x];
	}
	for (int i = 0; i < cw * (j->h / CELL); i++)
		j->bin[i] = px_clamp((j->bin[i] * (1.0f / 64) - j->s->low) * j->s->scale, 0.0f, (float)(DEGRAIN_BINS - 1));
}

/* Means over 2x2 of a plane w x h. */
static void halve(const float *IN_RESTRICT s, int w, int h, float *IN_RESTRICT o)
{
	for (int y = 0; y < h / 2; y++, s += 2 * w, o += w / 2)
		for (int x = 0; x < w / 2; x++)
			o[x] = ((s[2 * x] + s[2 * x + 1]) + (s[w + 2 * x] + s[w + 2 * x + 1])) * 0.25f;
}

/* A plane w x h twice as large, linear between its samples and held beyond them. */
static void twice(const float *IN_RESTRICT s, int w, int h, float *IN_RESTRICT o)
{
	for (int y = 0; y < 2 * h; y++, o += 2 * w) {
		int near = y / 2, far = y & 1 ? near + 1 : near - 1;
		far = far < 0 ? 0 : far >= h ? h - 1 : far;
		const float *p = s + (ptrdiff_t)near * w, *q = s + (ptrdiff_t)far * w;
		for (int x = 1; x < w - 1; x++) {
			float l = p[x - 1] * 0.75f + q[x - 1] * 0.25f, m = p[x] * 0.75f + q[x] * 0.25f;
			float r = p[x + 1] * 0.75f + q[x + 1] * 0.25f;
			o[2 * x] = m * 0.75f + l * 0.25f;
			o[2 * x + 1] = m * 0.75f + r * 0.25f;
		}
		for (int x = 0; x < w; x += w > 1 ? w - 1 : 1) {
			int l = x ? x - 1 : 0, r = x + 1 < w ? x + 1 : x;
			float m = p[x] * 0.75f + q[x] * 0.25f;
			o[2 * x] = m * 0.75f + (p[l] * 0.75f + q[l] * 0.25f) * 0.25f;
			o[2 * x + 1] = m * 0.75f + (p[r] * 0.75f + q[r] * 0.25f) * 0.25f;
		}
	}
}

IN_INLINE int inside(int i, int lo, int hi) { return i < lo ? lo : i > hi ? hi : i; }

/* Mean square per cell of a plane with n x n samples in each, then a tent over five cells either way into gain. */
static void energies(const struct job *j, const float *s, int n, float *gain)
{
	static const float tent[5] = { 1.0f / 9, 2.0f / 9, 3.0f / 9, 2.0f / 9, 1.0f / 9 };
	int cw = j->w / CELL, chh = j->h / CELL;
	ptrdiff_t stride = (ptrdiff_t)cw * n;
	for (int y = 0; y < chh; y++)
		for (int x = 0; x < cw; x++) {
			float sum = 0;
			for (int i = 0; i < n * n; i++) {
				float v = s[(y * n + i / n) * stride + x * n + i % n];
				sum += v * v;
			}
			j->energy[y * cw + x] = sum / (float)(n * n);
		}
	for (int y = 0; y < chh; y++)
		for (int x = 0; x < cw; x++) {
			float sum = 0;
			for (int i = -2; i <= 2; i++) sum += tent[i + 2] * j->energy[y * cw + inside(x + i, 0, cw - 1)];
			j->sum[y * cw + x] = sum;
		}
	for (int y = 0; y < chh; y++)
		for (int x = 0; x < cw; x++) {
			float sum = 0;
			for (int i = -2; i <= 2; i++) sum += tent[i + 2] * j->sum[inside(y + i, 0, chh - 1) * cw + x];
			gain[y * cw + x] = sum;
		}
}

/* Coarse grain lies wholly in the band: `share` is its variance after averaging 2x2, a quarter where it is white. */
IN_INLINE float pushed(float most, float share)
{
	return 1.0f + (most - 1.0f) * px_clamp(2.0f - 4.0f * share, 0.0f, 1.0f);
}

/* The energies in gain to the factors that bring them to the grain's; the lower band's beyond the upper one's. */
static void gains(const struct job *j, int ch)
{
	const float most = (float)j->p->low, most2 = (float)j->p->lowest;
	for (int i = 0; i < j->w / CELL * (j->h / CELL); i++) {
		int bin = (int)j->bin[i];
		float a = __builtin_sqrtf(j->s->want[1][bin][ch] / (j->gain[0][i] + 1e-12f));
		float b = __builtin_sqrtf(j->s->want[2][bin][ch] / (j->gain[1][i] + 1e-12f));
		a = px_clamp(a, 1.0f, most);
		b = px_clamp(b / a, 1.0f, most2);
		const float (*v)[DEGRAIN_BINS][3] = j->s->want;
		float push = pushed((float)j->p->push, v[1][bin][ch] / v[0][bin][ch]);
		float push2 = pushed((float)j->p->push2, v[2][bin][ch] / v[1][bin][ch]);
		j->gain[0][i] = 1.0f + (a - 1.0f) * push;
		j->gain[1][i] = 1.0f + (b - 1.0f) * push2;
	}
}

static void raise_low(const struct job *j, int ch)
{
	int w = j->w, h = j->h, n4 = w / 4 * (h / 4), n2 = w / 2 * (h / 2);
	halve(j->taken[ch], w, h, j->half);
	halve(j->half, w / 2, h / 2, j->quarter);
	energies(j, j->half, 4, j->gain[0]);
	energies(j, j->quarter, 2, j->gain[1]);
	gains(j, ch);
	twice(j->gain[0], w / 8, h / 8, j->quarter2);
	twice(j->gain[1], w / 8, h / 8, j->quarter3);
	for (int i = 0; i < n4; i++) j->quarter4[i] = (j->quarter3[i] - 1.0f) * j->quarter2[i] * j->quarter[i];
	twice(j->quarter2, w / 4, h / 4, j->half2);
	twice(j->quarter4, w / 4, h / 4, j->half3);
	for (int i = 0; i < n2; i++) j->half3[i] += (j->half2[i] - 1.0f) * j->half[i];
	twice(j->half3, w / 2, h / 2, j->spare);
	for (int i = 0; i < w * h; i++) j->taken[ch][i] += j->spare[i];
}

/* Factors for luma over r (in the planes) into spare. */
static void edge_gains(const struct job *j, struct rect r)
{
	static const float tent[7] = { 1.0f / 16, 2.0f / 16, 3.0f / 16, 4.0f / 16, 3.0f / 16, 2.0f / 16, 1.0f / 16 };
	const float most = (float)j->p->edge;
	ptrdiff_t w = j->w;
	float *across = j->half;                 /* half and what follows it: rows are made as they are needed */
	for (int y = r.y0; y < r.y1; y++) {
		for (int x = r.x0 - TENT; x < r.x1 + TENT; x++) {
			float sum = 0;
			for (int i = 0; i < 7; i++) {
				float v = j->taken[0][(y + i - TENT) * w + x];
				sum += tent[i] * (v * v);
			}
			across[x] = sum;
		}
		const float *bin = j->bin + y / CELL * (w / CELL);
		for (int x = r.x0; x < r.x1; x++) {
			float sum = 0;
			for (int i = 0; i < 7; i++) sum += tent[i] * across[x + i - TENT];
			float g = __builtin_sqrtf(0.8f * j->s->want[0][(int)bin[x / CELL]][0] / (sum + 1e-12f));
			j->spare[y * w + x] = px_clamp(g, 1.0f, most);
		}
	}
}

static void finish(const struct call *c, const struct job *j, const int ch[4], struct rect r)
{
	const struct view *in = &c->in[0];
	for (int y = r.y0; y < r.y1; y++) {
		for (int k = 0; k < c->out->nch; k++)
			if (k != ch[0] && k != ch[1] && k != ch[2])
				__builtin_memcpy(view_at(c->out, k, r.x0, y), view_at(in, k, r.x0, y), (size_t)rect_w(r) * sizeof(float));
		ptrdiff_t at = (ptrdiff_t)(y - j->all.y0) * j->w - j->all.x0;
		for (int x = r.x0; x < r.x1; x++) {
			float m = ch[3] < 0 ? 1.0f : *view_at(in, ch[3], x, y);
			float v[3] = { j->taken[0][at + x] * j->spare[at + x], j->taken[1][at + x], j->taken[2][at + x] };
			bm_opponent_back(v, v + 1, v + 2);
			for (int k = 0; k < 3; k++) *view_at(c->out, ch[k], x, y) = *view_at(in, ch[k], x, y) - v[k] * (m != 0 ? m : 1.0f);
		}
	}
}

static int tile(const struct call *c, struct rect r)
{
	const struct format *f = c->n->in[0];
	const int ch[4] = { format_channel(f, "R"), format_channel(f, "G"), format_channel(f, "B"), format_channel(f, "A") };
	struct job j = { .s = c->n->state, .p = c->n->v, .all = cells_of(r) };
	if (rect_empty(c->in[0].r) || rect_empty(c->in[1].r)) { view_clear(c->out, r); return 0; }
	j.w = rect_w(j.all);
	j.h = rect_h(j.all);
	lay(&j, c->scratch);
	load(&j, &c->in[0], &c->in[1], ch, f->data);
	for (int k = 0; k < 3; k++) {
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		raise_low(&j, k);
	}
	edge_gains(&j, rect_of(r.x0 - j.all.x0, r.y0 - j.all.y0, r.x1 - j.all.x0, r.y1 - j.all.y0));
	finish(c, &j, ch, r);
	return 0;
}

const struct node_type ISA(node_degrain_even) = {
	.name = "degrain_even", .doc = "What degrain took, raised to the grain's strength where it is short of it.",
	.category = "image", .version = 1, .size = sizeof(struct degrain_even), .params = params,
	.inputs = "image fine mask?", .flags = NF_HIDDEN | NF_MASKED, .want_of = want_of, .open = open_tables,
	.close = close_tables, .identity = identity, .needs = needs, .scratch = scratch, .flops = flops, .tile = tile,
};
