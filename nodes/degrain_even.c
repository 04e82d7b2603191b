/* degrain_even - what degrain took, raised to the grain's own strength where estimates are short of it.
 *
 * Estimates keep grain where picture is near: at low frequencies and along edges. Raising what was
 * taken there is nearly free, as a scale near the best one costs only the square of what it is off
 * by. The picture halved once and twice (anchored at pixel (0,0)) is compared with the grain's over
 * some 20 pixels. Then pixels within some 20 are sorted by how steep the picture is there, and luma
 * is scaled by what each sort lacks or has too much, coarse grain's to hardly more than flatter sorts reach: its size
 * tells nothing of edges any more.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "degrain_cells.h"

struct degrain_even { DEGRAIN_COMMON; double low, lowest, edge, fall, flat, level, push, push2; };

static const struct param params[] = {
	DEGRAIN_PARAMS(degrain_even),
	P_FLOAT(degrain_even, low, 1.8, 1, 4, "factor", "The most that means over 2x2 pixels are raised by."),
	P_FLOAT(degrain_even, lowest, 2.3, 1, 4, "factor", "The most that means over 4x4 are raised by "
	        "beyond that."),
	P_FLOAT(degrain_even, edge, 4, 1, 8, "factor", "The most that luma is raised by."),
	P_FLOAT(degrain_even, fall, 0.8, 0, 1, "factor", "And the least."),
	P_FLOAT(degrain_even, flat, 0.33, 0, 0.9, "share", "Of the scale from flat to edge what is not "
	        "raised; from there on more and more is."),
	P_FLOAT(degrain_even, level, 0.9, 0, 2, "factor", "The grain's variance that luma is brought to."),
	P_FLOAT(degrain_even, push, 1.15, 1, 4, "factor", "By how much more than they lack means over "
	        "2x2 are raised, as they pass less of the band."),
	P_FLOAT(degrain_even, push2, 1.6, 1, 4, "factor", "So for means over 4x4."),
	DEGRAIN_SPACE(degrain_even),
	P_END
};

/* KINDS: of places, from flat ones to edges. */
enum { KINDS = 9 };

/* A difference of so many standard deviations over two pixels is half an edge; pixels
 * that a kind is believed to have. */
#define STEEP 3.0f
#define FEW 0.25f
/* Where grain is coarse: the most that luma is raised by, as few grains, of which little is left along edges, tell
 * little; from where on the scale from flat to edge it is raised wholly; and how much stronger than in flatter places
 * around what was taken may become, as there it is short of the grain too, and edges would stand out. */
#define COARSE 3.6f
#define WHOLE 0.85f
#define BEYOND 1.3f

/* Threads: frozen. */
struct state { struct degrain_low want; };

static int open_tables(struct node_ctx *n, struct err *e)
{
	struct degrain_ask a = degrain_ask_of(n);
	struct state *s = n->state = xalloc(1, sizeof *s);
	return degrain_low_make(&a, &s->want, e);
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	size_t px = rect_area(cells_of(r));
	(void)n;
	return (5 * px + px / 4 * 3 + px / 16 * 4 + px / 64 * (14 + 3 * KINDS) + 1024) * sizeof(float);
}

static double flops(const struct node_ctx *n)
{
	(void)n;
	return 300;
}

static double work(const struct node_ctx *n, struct rect r)
{
	return degrain_work(r, MARGIN, flops(n));
}

/* Planes over whole cells: what was taken, its means, how steep the picture is there (kind, 0
 * .. KINDS - 1), and of each cell bin, energies, gains, what raising low frequencies adds to
 * luma, and per kind sums and factors. */
struct job {
	const struct state *s;
	const struct degrain_even *p;
	struct cells c;
	float *spare, *kind, *half, *half2, *half3, *quarter, *quarter2, *quarter3, *quarter4;
	float *energy, *sum, *gain[2], *part, *added, *of_kind, *count, *factor;
};

static void lay(struct job *j, void *mem)
{
	float *at = mem;
	size_t px = (size_t)j->c.w * (size_t)j->c.h, cells = px / 64;
	for (int c = 0; c < 3; c++, at += px) j->c.taken[c] = at;
	j->spare = at, at += px;
	j->kind = at, at += px;
	float **halves[] = { &j->half, &j->half2, &j->half3 },
		**quarters[] = { &j->quarter, &j->quarter2, &j->quarter3, &j->quarter4 };
	for (int i = 0; i < 3; i++, at += px / 4) *halves[i] = at;
	for (int i = 0; i < 4; i++, at += px / 16) *quarters[i] = at;
	float **small[] = { &j->c.bin, &j->energy, &j->sum, &j->gain[0], &j->gain[1], &j->added };
	for (int i = 0; i < 6; i++, at += cells) *small[i] = at;
	j->part = at, at += cells;
	j->c.there = at, at += 3 * cells;
	j->c.quarter = at, at += 4 * cells;
	float **kinds[] = { &j->of_kind, &j->count, &j->factor };
	for (int i = 0; i < 3; i++, at += cells * KINDS) *kinds[i] = at;
	cells_rows(&j->c, j->half);          /* before it is needed */
}

/* Row y of what was taken to luma and colour differences; the clean picture's luma as these have it into
 * spare, and as strength goes by. */
static void row(const void *job, const struct cells *c, int y)
{
	const struct job *j = job;
	const float *w = j->s->want.luma, lr = w[0], lg = w[1], lb = w[2];
	ptrdiff_t at = (ptrdiff_t)y * c->w;
	float *t[3] = { c->taken[0] + at, c->taken[1] + at, c->taken[2] + at }, *own = j->spare + at;
	for (int x = 0; x < c->w; x += CELL) {
		bm8 u[3], v[3];
		for (int k = 0; k < 3; k++) u[k] = BM_LOAD(t[k] + x), v[k] = BM_LOAD(c->clean[k] + x);
		bm_opponent8(u, u + 1, u + 2);
		bm_opponent8(v, v + 1, v + 2);
		for (int k = 0; k < 3; k++) BM_STORE(t[k] + x, u[k]);
		BM_STORE(own + x, v[0]);
		BM_STORE(c->luma + x, lr * v[0] + lg * v[1] + lb * v[2]);
	}
}

/* How steep the picture in spare is, from 0 where flat to nearly KINDS - 1 where it
 * is an edge, in the grain's measure. */
static void kinds(const struct job *j)
{
	ptrdiff_t w = j->c.w;
	for (int y = 0; y < j->c.h; y++) {
		const float *IN_RESTRICT p = j->spare + y * w, *u = y ? p - w : p, *d = y + 1 < j->c.h ? p + w : p;
		const float *bin = j->c.bin + y / CELL * (w / CELL);
		float *IN_RESTRICT o = j->kind + y * w, *IN_RESTRICT scale = j->half;
		for (int x = 0; x < w / CELL; x++) {
			float v = 1.0f / (STEEP * STEEP * j->s->want.var[0][(int)bin[x]][0]);
			for (int i = 0; i < CELL; i++) scale[CELL * x + i] = v;
		}
		for (int x = 1; x < w - 1; x++) {
			float gx = p[x + 1] - p[x - 1], gy = d[x] - u[x], g = __builtin_sqrtf((gx * gx + gy * gy) * scale[x]);
			o[x] = px_min(g / (1.0f + g) * (KINDS - 1), KINDS - 1.001f);
		}
		o[0] = o[w - 1] = 0;
	}
}

/* Sums of luma's squares and of pixels per cell and kind, those between two kinds shared by both;
 * every second row tells enough. */
static void count(const struct job *j)
{
	const bm8i first = { 0, 1, 2, 3, 4, 5, 6, 7 };
	ptrdiff_t w = j->c.w;
	for (int i = 0; i < j->c.w / CELL * (j->c.h / CELL); i++) {
		ptrdiff_t at = i / (w / CELL) * CELL * w + i % (w / CELL) * CELL;
		float *of = j->of_kind + (ptrdiff_t)i * KINDS, *n = j->count + (ptrdiff_t)i * KINDS;
		bm8 sum = { 0 }, pixels = { 0 };
		float last = 0, lasts = 0;
		for (int p = 0; p < CELL * CELL / 2; p++) {
			ptrdiff_t here = at + p / CELL * 2 * w + p % CELL;
			float t = j->c.taken[0][here], kind = j->kind[here], v = t * t;
			int k = (int)kind;
			float f = kind - (float)k, up = f * v;
			bm8i own = first == k, next = first == k + 1;
			sum += (bm8)(((bm8i)((bm8){ 0 } + (v - up)) & own) | ((bm8i)((bm8){ 0 } + up) & next));
			pixels += (bm8)(((bm8i)((bm8){ 0 } + (1.0f - f)) & own) | ((bm8i)((bm8){ 0 } + f) & next));
			if (k == KINDS - 2) last += up, lasts += f;
		}
		BM_STORE(of, sum);
		BM_STORE(n, pixels);
		of[KINDS - 1] = last;
		n[KINDS - 1] = lasts;
	}
}

/* A picture w x h to half its sides by 1 3 3 1 either way, held at its edges. row: w floats. */
static void halve(const float *IN_RESTRICT s, int w, int h, float *IN_RESTRICT row, float *IN_RESTRICT o)
{
	for (int y = 0; y < h / 2; y++, o += w / 2) {
		const float *p = s + (ptrdiff_t)(2 * y) * w, *q = p + w, *u = y ? p - w : p, *d = 2 * y + 2 < h ? q + w : q;
		for (int x = 0; x < w; x++) row[x] = (u[x] + d[x]) + 3.0f * (p[x] + q[x]);
		for (int x = 1; x < w / 2 - 1; x++)
			o[x] = ((row[2 * x - 1] + row[2 * x + 2]) + 3.0f * (row[2 * x] + row[2 * x + 1])) * (1.0f / 64);
		for (int x = 0; x < w / 2; x += w / 2 > 1 ? w / 2 - 1 : 1) {
			int l = x ? 2 * x - 1 : 0, r = 2 * x + 2 < w ? 2 * x + 2 : 2 * x + 1;
			o[x] = ((row[l] + row[r]) + 3.0f * (row[2 * x] + row[2 * x + 1])) * (1.0f / 64);
		}
	}
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

/* A tent over five cells either way of n numbers a cell, in place; via: as many. */
static void tent(const struct job *j, float *IN_RESTRICT v, float *IN_RESTRICT via, int n)
{
	static const float weight[5] = { 1.0f / 9, 2.0f / 9, 3.0f / 9, 2.0f / 9, 1.0f / 9 };
	int cw = j->c.w / CELL, chh = j->c.h / CELL;
	for (int y = 0; y < chh; y++)
		for (int x = 0; x < cw; x++)
			for (int k = 0; k < n; k++) {
				float sum = 0;
				for (int i = -2; i <= 2; i++) sum += weight[i + 2] * v[(y * cw + inside(x + i, 0, cw - 1)) * n + k];
				via[(y * cw + x) * n + k] = sum;
			}
	for (int y = 0; y < chh; y++)
		for (int i = 0; i < cw * n; i++) {
			float sum = 0;
			for (int k = -2; k <= 2; k++) sum += weight[k + 2] * via[inside(y + k, 0, chh - 1) * cw * n + i];
			v[y * cw * n + i] = sum;
		}
}

/* Mean square of a plane with n x n samples in each cell, around it. */
static void energies(const struct job *j, const float *s, int n, float *gain)
{
	int cw = j->c.w / CELL, chh = j->c.h / CELL;
	ptrdiff_t stride = (ptrdiff_t)cw * n;
	for (int y = 0; y < chh; y++)
		for (int x = 0; x < cw; x++) {
			float sum = 0;
			for (int i = 0; i < n * n; i++) {
				float v = s[(y * n + i / n) * stride + x * n + i % n];
				sum += v * v;
			}
			gain[y * cw + x] = sum / (float)(n * n);
		}
	tent(j, gain, j->sum, 1);
}

/* Coarse grain lies wholly in the band: `share` is its variance after halving, a tenth where it is white. */
IN_INLINE float pushed(float most, float share)
{
	return 1.0f + (most - 1.0f) * px_clamp(1.5f - 5.0f * share, 0.0f, 1.0f);
}

/* The share of the grain that is there around each cell, its channels' mean. */
static void parts(const struct job *j)
{
	for (int i = 0; i < j->c.w / CELL * (j->c.h / CELL); i++) {
		const float *t = j->c.there + 3 * i;
		j->part[i] = (t[0] + t[1] + t[2]) * (1.0f / 3);
	}
	tent(j, j->part, j->sum, 1);
}

/* The grain's variance in cell i of the picture halved so often: the mean of its quarters'. */
IN_INLINE float variance(const struct job *j, int i, int halved, int ch)
{
	const float (*v)[3] = j->s->want.var[halved], *q = j->c.quarter + 4 * (ptrdiff_t)i;
	return (v[(int)q[0]][ch] + v[(int)q[1]][ch] + v[(int)q[2]][ch] + v[(int)q[3]][ch]) * 0.25f;
}

/* The energies in gain to the factors that bring them to the grain's; the lower
 * band's beyond the upper one's. */
static void gains(const struct job *j, int ch)
{
	const float most = (float)j->p->low, most2 = (float)j->p->lowest;
	const float (*v)[DEGRAIN_BINS][3] = j->s->want.var;
	for (int i = 0; i < j->c.w / CELL * (j->c.h / CELL); i++) {
		int bin = (int)j->c.bin[i];
		float a = __builtin_sqrtf(variance(j, i, 1, ch) * j->part[i] / (j->gain[0][i] + 1e-12f));
		float b = __builtin_sqrtf(variance(j, i, 2, ch) * j->part[i] / (j->gain[1][i] + 1e-12f));
		a = px_clamp(a, 1.0f, most);
		b = px_clamp(b / a, 1.0f, most2);
		if (!ch) j->added[i] = (a * a - 1.0f) * j->gain[0][i] + a * a * (b * b - 1.0f) * j->gain[1][i];
		float push = pushed((float)j->p->push, v[1][bin][ch] / v[0][bin][ch]);
		float push2 = pushed((float)j->p->push2, v[2][bin][ch] / v[1][bin][ch]);
		j->gain[0][i] = 1.0f + (a - 1.0f) * push;
		j->gain[1][i] = 1.0f + (b - 1.0f) * push2;
	}
}

static void raise_low(const struct job *j, int ch)
{
	int w = j->c.w, h = j->c.h, n4 = w / 4 * (h / 4), n2 = w / 2 * (h / 2);
	halve(j->c.taken[ch], w, h, j->spare, j->half);
	halve(j->half, w / 2, h / 2, j->spare, j->quarter);
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
	for (int i = 0; i < w * h; i++) j->c.taken[ch][i] += j->spare[i];
}

/* The factor f of a kind of this mean square, or less where that is much stronger than flatter kinds are, of which
 * `pixels` (less where grain is fine) have this sum. */
static float held(float f, float square, float flatter, float pixels)
{
	float much = f * f * square * pixels, most = BEYOND * flatter;
	return f <= 1.0f || much <= most ? f : px_max(1.0f, f * __builtin_sqrtf(most / much));
}

/* Factors for luma per cell and kind: what brings the kind's mean square, around the cell, to the grain's. */
static void factors(const struct job *j)
{
	const float edge = (float)j->p->edge, least = (float)j->p->fall, flat = (float)j->p->flat;
	const float (*v)[DEGRAIN_BINS][3] = j->s->want.var;
	int cells = j->c.w / CELL * (j->c.h / CELL);
	tent(j, j->of_kind, j->factor, KINDS);
	tent(j, j->count, j->factor, KINDS);
	for (int i = 0; i < cells; i++) {
		int bin = (int)j->c.bin[i];
		float want = variance(j, i, 0, 0) * j->part[i] * (float)j->p->level, *f = j->factor + i * KINDS;
		float fine = px_clamp(1.5f - v[1][bin][0] / v[0][bin][0] * (1 / 0.3f), 0.0f, 1.0f);
		float most = COARSE + (px_max(edge, COARSE) - COARSE) * fine, whole = WHOLE + (1.0f - WHOLE) * fine;
		float raw = px_max(want - j->added[i], 0.25f * want), flatter = 0, pixels = 0;
		const float *s = j->of_kind + i * KINDS, *c = j->count + i * KINDS;
		for (int k = 0; k < KINDS; k++) {
			float sum = s[k] + FEW * raw, n = c[k] + FEW;
			if (k) sum += 0.25f * s[k - 1], n += 0.25f * c[k - 1];
			if (k + 1 < KINDS) sum += 0.25f * s[k + 1], n += 0.25f * c[k + 1];
			float g = px_clamp(__builtin_sqrtf(raw * n / (sum + 1e-12f)), least, most);
			float share = px_clamp(((float)k / (KINDS - 1) - flat) / (whole - flat), 0.0f, 1.0f), own = sum / n;
			f[k] = held(g < 1.0f ? g : 1.0f + share * (g - 1.0f), own, flatter, pixels * (1.0f - fine * fine));
			flatter += c[k] * own * f[k] * f[k];
			pixels += c[k];
		}
	}
}

/* Factors of row y of the planes from column x0 to x1, linear between cells and kinds: eight pixels
 * between the middles of two cells at a time. out: may be written up to seven pixels either way. */
static void row_factors(const struct job *j, int y, int x0, int x1, float *IN_RESTRICT table,
                        float *IN_RESTRICT out)
{
	int cw = j->c.w / CELL, n = cw * KINDS, cy = (y + CELL / 2) / CELL - 1, i = y - cy * CELL - CELL / 2;
	float down = ((float)i + 0.5f) * (1.0f / CELL);
	const float *IN_RESTRICT p = j->factor + (ptrdiff_t)cy * n, *IN_RESTRICT q = p + n,
		*kind = j->kind + (ptrdiff_t)y * j->c.w;
	const bm8 across = { 0.0625f, 0.1875f, 0.3125f, 0.4375f, 0.5625f, 0.6875f, 0.8125f, 0.9375f };
	for (int k = 0; k < n; k++) table[k] = p[k] + down * (q[k] - p[k]);
	for (int x = ((x0 + CELL / 2) & -CELL) - CELL / 2; x < x1; x += CELL) {
		const float *t = table + ((x + CELL / 2) / CELL - 1) * KINDS;
		bm8 v = BM_LOAD(kind + x);
		bm8i k = __builtin_convertvector(v, bm8i);
		bm8 f = v - __builtin_convertvector(k, bm8);
		bm8 t0 = BM_AMONG(BM_LOAD(t), k), t1 = BM_AMONG(BM_LOAD(t + 1), k);
		bm8 t2 = BM_AMONG(BM_LOAD(t + KINDS), k), t3 = BM_AMONG(BM_LOAD(t + KINDS + 1), k);
		bm8 a = t0 + f * (t1 - t0), b = t2 + f * (t3 - t2);
		BM_STORE(out + x, a + across * (b - a));
	}
}

/* Row y of a tile: what was taken, luma by these factors, goes from the picture (over: its alpha). */
IN_INLINE void finish_row(const struct call *c, const struct job *j, const int ch[4], struct rect r, int y,
                          const float *IN_RESTRICT up, const float *over)
{
	ptrdiff_t at = (ptrdiff_t)(y - j->c.all.y0) * j->c.w + (r.x0 - j->c.all.x0);
	const float *IN_RESTRICT t0 = j->c.taken[0] + at, *IN_RESTRICT t1 = j->c.taken[1] + at;
	const float *IN_RESTRICT t2 = j->c.taken[2] + at;
	const struct view *in = &c->in[0];
	const float *p0 = view_at(in, ch[0], r.x0, y), *p1 = view_at(in, ch[1], r.x0, y), *p2 = view_at(in, ch[2], r.x0, y);
	float *IN_RESTRICT o0 = view_at(c->out, ch[0], r.x0, y), *IN_RESTRICT o1 = view_at(c->out, ch[1], r.x0, y);
	float *IN_RESTRICT o2 = view_at(c->out, ch[2], r.x0, y);
	const int n = rect_w(r);
	for (int x = 0; x < n; x++) {
		float m = over ? over[x] : 1.0f, v[3] = { t0[x] * up[x], t1[x], t2[x] };
		m = m != 0 ? m : 1.0f;
		bm_opponent_back(v, v + 1, v + 2);
		o0[x] = p0[x] - v[0] * m;
		o1[x] = p1[x] - v[1] * m;
		o2[x] = p2[x] - v[2] * m;
	}
}

static void finish(const struct call *c, const struct job *j, const int ch[4], struct rect r)
{
	const struct view *in = &c->in[0];
	int x0 = r.x0 - j->c.all.x0, x1 = r.x1 - j->c.all.x0;
	for (int y = r.y0; y < r.y1; y++) {
		for (int k = 0; k < c->out->nch; k++)
			if (k != ch[0] && k != ch[1] && k != ch[2])
				__builtin_memcpy(view_at(c->out, k, r.x0, y), view_at(in, k, r.x0, y), (size_t)rect_w(r) * sizeof(float));
		row_factors(j, y - j->c.all.y0, x0, x1, j->half, j->spare);
		if (ch[3] < 0) finish_row(c, j, ch, r, y, j->spare + x0, NULL);
		else finish_row(c, j, ch, r, y, j->spare + x0, view_at(in, ch[3], r.x0, y));
	}
}

static int tile(const struct call *c, struct rect r)
{
	const struct format *f = c->n->in[0];
	const int ch[4] = { format_channel(f, "R"), format_channel(f, "G"), format_channel(f, "B"),
		format_channel(f, "A") };
	struct job j = { .s = c->n->state, .p = c->n->v, .c.all = cells_of(r) };
	if (rect_empty(c->in[0].r) || rect_empty(c->in[1].r)) { view_clear(c->out, r); return 0; }
	j.c.w = rect_w(j.c.all);
	j.c.h = rect_h(j.c.all);
	lay(&j, c->scratch);
	cells_load(&j.c, &c->in[0], &c->in[1], ch, f->data, j.s->want.low, j.s->want.scale, &j, row);
	kinds(&j);
	count(&j);
	parts(&j);
	for (int k = 0; k < 3; k++) {
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		raise_low(&j, k);
	}
	factors(&j);
	finish(c, &j, ch, r);
	return 0;
}

const struct node_type ISA(node_degrain_even) = {
	.name = "degrain_even", .doc = "What degrain took, raised to the grain's strength where it is short of it.",
	.category = "image", .version = 7, .size = sizeof(struct degrain_even), .params = params,
	.inputs = "image fine", .flags = NF_HIDDEN, .want_of = degrain_want, .open = open_tables,
	.close = degrain_close, .identity = degrain_identity, .needs = cells_needs, .scratch = scratch,
		.flops = flops, .work = work, .tile = tile,
};
