/* grain_measure_flat - frames made ready, and grain from the flattest blocks of single frames.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gauss.h"
#include "grain_measure_int.h"
#include "mathx.h"
#include "measure.h"
#include "mem.h"

/* FIRST_DOF: what a plane leaves of the first ring's bins. */
enum { SOFT = 6, STEP = GM_BLOCK / 2, FIRST_DOF = 6 };
/* Grain of one strength and spectrum has slopes this far apart. */
#define STEEP 6
/* Luma that a block may span: grain differs inside beyond that. */
#define CONTRAST 0.25f

int gm_frame_new(struct gm_frame *f, int w, int h, struct err *e)
{
	size_t n = (size_t)w * (size_t)h;
	*f = (struct gm_frame){ .w = w, .h = h, .bw = w / GM_BLOCK, .bh = h / GM_BLOCK };
	f->mem = malloc(4 * n * sizeof *f->mem);
	if (!f->mem) return err_set(e, E_MEMORY, "no memory for a frame of %d x %d", w, h);
	for (int c = 0; c < 3; c++) f->rgb[c] = f->mem + (size_t)c * n;
	f->soft = f->mem + 3 * n;
	f->clipped = xalloc((size_t)f->bw * (size_t)f->bh + 1, 1);
	return 0;
}

void gm_frame_free(struct gm_frame *f)
{
	free(f->mem);
	free(f->clipped);
	*f = (struct gm_frame){ 0 };
}

static int held(int i, int n) { return i < 0 ? 0 : i >= n ? n - 1 : i; }

/* Gaussian of sigma 2, edges held. */
static void blur(float *p, float *tmp, int w, int h)
{
	float k[SOFT + 1];
	double g[SOFT + 1], sum = 0;
	for (int i = 0; i <= SOFT; i++) sum += (g[i] = mx_exp(-i * i / 8.0)) * (i ? 2 : 1);
	for (int i = 0; i <= SOFT; i++) k[i] = (float)(g[i] / sum);
	for (int y = 0; y < h; y++) {
		const float *s = p + (ptrdiff_t)y * w;
		float *d = tmp + (ptrdiff_t)y * w;
		for (int x = 0; x < w; x++) {
			float v = k[0] * s[x];
			if (x >= SOFT && x + SOFT < w)
				for (int i = 1; i <= SOFT; i++) v += k[i] * (s[x - i] + s[x + i]);
			else for (int i = 1; i <= SOFT; i++) v += k[i] * (s[held(x - i, w)] + s[held(x + i, w)]);
			d[x] = v;
		}
	}
	for (int y = 0; y < h; y++) {
		float *IN_RESTRICT d = p + (ptrdiff_t)y * w;
		const float *IN_RESTRICT s = tmp + (ptrdiff_t)y * w;
		for (int x = 0; x < w; x++) d[x] = k[0] * s[x];
		for (int i = 1; i <= SOFT; i++) {
			const float *IN_RESTRICT a = tmp + (ptrdiff_t)held(y - i, h) * w;
			const float *IN_RESTRICT b = tmp + (ptrdiff_t)held(y + i, h) * w;
			for (int x = 0; x < w; x++) d[x] += k[i] * (a[x] + b[x]);
		}
	}
}

/* A third of a percent of a channel stands at black or white, and nothing goes beyond: cut off there. */
static bool block_clipped(const struct gm_frame *f, int bx, int by)
{
	for (int c = 0; c < 3; c++) {
		int low = 0, high = 0, under = 0, over = 0;
		for (int k = 0; k < GM_BLOCK * GM_BLOCK; k++) {
			float v = f->rgb[c][(ptrdiff_t)(by * GM_BLOCK + k / GM_BLOCK) * f->w + bx * GM_BLOCK + k % GM_BLOCK];
			if (!(v > -1e6f && v < 1e6f)) return true;
			low += v < 0.0025f;
			high += v > 0.9975f;
			under += v < -0.004f;
			over += v > 1.004f;
		}
		if ((low > 3 && under * 4 < low) || (high > 3 && over * 4 < high)) return true;
	}
	return false;
}

void gm_frame_ready(struct gm_frame *f, const double luma[3], float *tmp)
{
	float w[3] = { (float)luma[0], (float)luma[1], (float)luma[2] };
	for (ptrdiff_t i = 0; i < (ptrdiff_t)f->w * f->h; i++)
		f->soft[i] = w[0] * f->rgb[0][i] + w[1] * f->rgb[1][i] + w[2] * f->rgb[2][i];
	blur(f->soft, tmp, f->w, f->h);
	for (int i = 0; i < f->bw * f->bh; i++) f->clipped[i] = block_clipped(f, i % f->bw, i / f->bw);
}

/* --- flat blocks --- */

void gm_flat_free(struct gm_flat *f)
{
	free(f->v);
	for (int c = 0; c < 3; c++) free(f->ratio[c]);
	*f = (struct gm_flat){ 0 };
}

struct spot { int x, y; float slope, luma; bool flat, even, flattest; };

static int by_slope(const void *a, const void *b)
{
	const struct spot *p = a, *q = b;
	if (p->slope != q->slope) return p->slope < q->slope ? -1 : 1;
	return p->y != q->y ? p->y - q->y : p->x - q->x;
}

static bool covered_clipped(const struct gm_frame *f, int x, int y)
{
	for (int k = 0; k < 4; k++) {
		int bx = (x + k % 2 * (GM_BLOCK - 1)) / GM_BLOCK, by = (y + k / 2 * (GM_BLOCK - 1)) / GM_BLOCK;
		if (bx >= f->bw || by >= f->bh || f->clipped[by * f->bw + bx]) return true;
	}
	return false;
}

/* Energy of the blurred luma's gradient (the trace of its structure tensor), and mean luma. */
static struct spot look(const struct gm_frame *f, int x0, int y0)
{
	struct spot s = { .x = x0, .y = y0 };
	for (int y = y0; y < y0 + GM_BLOCK; y++)
		for (int x = x0; x < x0 + GM_BLOCK; x++) {
			const float *p = f->soft + (ptrdiff_t)y * f->w + x;
			float gx = x + 1 < x0 + GM_BLOCK ? p[1] - p[0] : p[0] - p[-1];
			float gy = y + 1 < y0 + GM_BLOCK ? p[f->w] - p[0] : p[0] - p[-f->w];
			s.slope += gx * gx + gy * gy;
			s.luma += p[0];
		}
	s.luma /= GM_BLOCK * GM_BLOCK;
	return s;
}

/* Of what is finer than about ten pixels: what is left of the picture in a flat block is mostly coarser. */
static double product(const float *a, const float *b)
{
	double s = 0;
	for (int y = 2; y < GM_BLOCK - 2; y++)
		for (int x = 2; x < GM_BLOCK - 2; x++)
			s += gm_fine_at(a + y * GM_BLOCK + x, GM_BLOCK) * gm_fine_at(b + y * GM_BLOCK + x, GM_BLOCK);
	return s;
}

/* Mean blurred luma of the block's sixteenths. */
static void parts(const struct gm_frame *a, const struct spot *s, float part[GM_PARTS])
{
	enum { SIDE = GM_BLOCK / 4 };
	for (int q = 0; q < GM_PARTS; q++) {
		double sum = 0;
		for (int k = 0; k < SIDE * SIDE; k++)
			sum += (double)a->soft[(ptrdiff_t)(s->y + q / 4 * SIDE + k / SIDE) * a->w + s->x + q % 4 * SIDE + k % SIDE];
		part[q] = (float)(sum / (SIDE * SIDE));
	}
}

typedef float flat_block[GM_BLOCK * GM_BLOCK];

static void take(struct gm_flat *f, const struct gm_spec *spec, const struct gm_frame *a, const struct spot *s, flat_block d[3])
{
	struct gm_patch *p;
	flat_block flat[3];
	if (!f->n) {
		for (int r = 0; r < GM_RINGS; r++) f->dof[0][r] = r < 2 ? FIRST_DOF : gm_ring_bins(r);
		gm_trend_dof(spec->trend, spec->win, f->dof[1]);
	}
	f->v = grow(f->v, (size_t)f->n, &f->cap, sizeof *f->v);
	p = &f->v[f->n++];
	*p = (struct gm_patch){ .luma = s->luma, .frame = a->number, .x = s->x, .y = s->y, .near = { -1, -1, -1, -1 },
	                         .flat = s->flat };
	parts(a, s, p->part);
	for (int c = 0; c < 3; c++) {
		const float *v = a->rgb[c] + (ptrdiff_t)s->y * a->w + s->x;
		gm_trend_out(spec->trend, 1, v, a->w, d[c]);
		gm_trend_out(spec->trend, GM_DEGREE, v, a->w, flat[c]);
	}
	gm_spec_patch(spec, (const float *const[]){ d[0], d[1], d[2] }, (const float *const[]){ flat[0], flat[1], flat[2] }, p);
}

/* The same block in the next frame, along its motion. */
static void direct(struct gm_flat *f, const struct gm_spec *spec, const struct gm_frame *b, const struct gm_field *mv,
                   const struct spot *s, flat_block own[3])
{
	flat_block d;
	int i = s->y / GM_BLOCK * b->bw + s->x / GM_BLOCK;
	int x = s->x + (mv ? mv->mv[2 * i] : 0), y = s->y + (mv ? mv->mv[2 * i + 1] : 0);
	if (x < 0 || y < 0 || x + GM_BLOCK > b->w || y + GM_BLOCK > b->h) return;
	size_t cap = f->cratio;
	for (int c = 0; c < 3; c++) {
		gm_trend_out(spec->trend, 1, b->rgb[c] + (ptrdiff_t)y * b->w + x, b->w, d);
		double v = __builtin_sqrt(product(own[c], own[c]) * product(d, d));
		cap = f->cratio;
		f->ratio[c] = grow(f->ratio[c], (size_t)f->nratio, &cap, sizeof **f->ratio);
		f->ratio[c][f->nratio] = v > 0 ? product(own[c], d) / v : 1;
	}
	f->cratio = cap;
	f->nratio++;
}

static int by_place(const void *a, const void *b)
{
	const struct spot *p = a, *q = b;
	return p->y != q->y ? p->y - q->y : p->x - q->x;
}

/* Of the blocks from first on, in order of place. */
static int find_place(const struct gm_flat *f, int first, int x, int y)
{
	int lo = first, hi = f->n;
	while (lo < hi) {
		int mid = (lo + hi) / 2;
		const struct gm_patch *p = &f->v[mid];
		if (p->y < y || (p->y == y && p->x < x)) lo = mid + 1;
		else hi = mid;
	}
	return lo < f->n && f->v[lo].x == x && f->v[lo].y == y ? lo : -1;
}

static void link_near(struct gm_flat *f, int first)
{
	static const int at[4][2] = { { STEP, 0 }, { -STEP, 0 }, { 0, STEP }, { 0, -STEP } };
	for (int i = first; i < f->n; i++)
		for (int q = 0; q < 4; q++) f->v[i].near[q] = find_place(f, first, f->v[i].x + at[q][0], f->v[i].y + at[q][1]);
}

/* The flatter half of a frame's blocks, and all whose slope may be grain's own, or as many of them as may be, evenly; then of
 * the others those without a strong edge, for high frequencies. */
int gm_flat_add(struct gm_flat *f, const struct gm_spec *spec, const struct gm_frame *a, const struct gm_frame *next,
                const struct gm_field *mv, struct err *e)
{
	int nx = a->w / STEP - 1, ny = a->h / STEP - 1, n = 0, first = f->n;
	flat_block d[3];
	struct spot *s = malloc(((size_t)nx * (size_t)ny + 1) * sizeof *s);
	if (!s) return err_set(e, E_MEMORY, "no memory for flat blocks");
	for (int y = 0; y < ny; y++)
		for (int x = 0; x < nx; x++) {
			float part[GM_PARTS], lo = 9, hi = -9;
			if (covered_clipped(a, x * STEP, y * STEP)) continue;
			s[n] = look(a, x * STEP, y * STEP);
			parts(a, &s[n], part);
			for (int q = 0; q < GM_PARTS; q++) {
				lo = part[q] < lo ? part[q] : lo;
				hi = part[q] > hi ? part[q] : hi;
			}
			s[n++].even = hi - lo < CONTRAST;
		}
	qsort(s, (size_t)n, sizeof *s, by_slope);
	int flat = (n + 1) / 2;
	while (flat < n && s[flat].slope < STEEP * s[n / 10].slope) flat++;
	int count = 0, take_n = flat < f->most ? flat : f->most, spare = f->most - take_n;
	for (int i = 0; i < take_n; i++) {
		s[count] = s[(int64_t)i * flat / take_n];
		s[count].flattest = i * 5 < take_n;
		s[count++].flat = true;
	}
	for (int i = flat; i < n && spare > 0; i++) {
		if (!s[i].even) continue;
		s[count++] = s[i];
		spare--;
	}
	qsort(s, (size_t)count, sizeof *s, by_place);
	for (int i = 0; i < count; i++) {
		take(f, spec, a, &s[i], d);
		if (next && s[i].flattest) direct(f, spec, next, mv, &s[i], d);
	}
	link_near(f, first);
	free(s);
	return 0;
}

bool gm_flat_direct(struct gm_flat *f, double rho[3])
{
	float *v = xalloc((size_t)f->nratio + 1, sizeof *v);
	for (int c = 0; c < 3; c++) {
		for (int i = 0; i < f->nratio; i++) v[i] = (float)f->ratio[c][i];
		floats_sort(v, (size_t)f->nratio);
		rho[c] = f->nratio ? floats_quantile(v, (size_t)f->nratio, 0.5) : 0;
	}
	free(v);
	return f->nratio >= 12;
}
