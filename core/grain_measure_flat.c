/* grain_measure_flat - frames made ready, and grain from the flattest blocks of single frames.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gauss.h"
#include "grain_measure_int.h"
#include "mathx.h"
#include "measure.h"
#include "mem.h"

enum { SOFT = 6, STEP = GM_BLOCK / 2 };

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

struct spot { int x, y; float slope, luma; };

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
	struct spot s = { x0, y0, 0, 0 };
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

/* d: the block less its plane of least squares. */
static void flatten(const float *p, ptrdiff_t stride, float *d)
{
	double n = GM_BLOCK, mid = (n - 1) / 2, s = 0, sx = 0, sy = 0, norm = n * n * (n * n - 1) / 12;
	for (int y = 0; y < GM_BLOCK; y++)
		for (int x = 0; x < GM_BLOCK; x++) {
			double v = (double)p[y * stride + x];
			s += v;
			sx += v * (x - mid);
			sy += v * (y - mid);
		}
	for (int y = 0; y < GM_BLOCK; y++)
		for (int x = 0; x < GM_BLOCK; x++)
			d[y * GM_BLOCK + x] = (float)((double)p[y * stride + x] - s / (n * n) - sx / norm * (x - mid) -
			                              sy / norm * (y - mid));
}

static double product(const float *a, const float *b)
{
	double s = 0;
	for (int k = 0; k < GM_BLOCK * GM_BLOCK; k++) s += (double)a[k] * (double)b[k];
	return s / (GM_BLOCK * GM_BLOCK);
}

static void take(struct gm_flat *f, const struct gm_spec *spec, const struct gm_frame *a, const struct spot *s)
{
	struct gm_patch *p;
	f->v = grow(f->v, (size_t)f->n, &f->cap, sizeof *f->v);
	p = &f->v[f->n++];
	p->luma = s->luma;
	p->use = true;
	for (int c = 0; c < 3; c++) {
		flatten(a->rgb[c] + (ptrdiff_t)s->y * a->w + s->x, a->w, p->d[c]);
		gm_spec_rings(spec, p->d[c], p->ring[c]);
	}
}

/* The same block in the next frame, along its motion. */
static void direct(struct gm_flat *f, const struct gm_frame *b, const struct gm_field *mv, const struct spot *s)
{
	const struct gm_patch *p = &f->v[f->n - 1];
	float d[GM_BLOCK * GM_BLOCK];
	int i = s->y / GM_BLOCK * b->bw + s->x / GM_BLOCK;
	int x = s->x + (mv ? mv->mv[2 * i] : 0), y = s->y + (mv ? mv->mv[2 * i + 1] : 0);
	if (x < 0 || y < 0 || x + GM_BLOCK > b->w || y + GM_BLOCK > b->h) return;
	size_t cap = f->cratio;
	for (int c = 0; c < 3; c++) {
		flatten(b->rgb[c] + (ptrdiff_t)y * b->w + x, b->w, d);
		double v = __builtin_sqrt(product(p->d[c], p->d[c]) * product(d, d));
		cap = f->cratio;
		f->ratio[c] = grow(f->ratio[c], (size_t)f->nratio, &cap, sizeof **f->ratio);
		f->ratio[c][f->nratio] = v > 0 ? product(p->d[c], d) / v : 1;
	}
	f->cratio = cap;
	f->nratio++;
}

/* The flatter half of a frame's blocks, or as many of them as may be, evenly. */
int gm_flat_add(struct gm_flat *f, const struct gm_spec *spec, const struct gm_frame *a, const struct gm_frame *next,
                const struct gm_field *mv, struct err *e)
{
	int nx = a->w / STEP - 1, ny = a->h / STEP - 1, n = 0;
	struct spot *s = malloc(((size_t)nx * (size_t)ny + 1) * sizeof *s);
	if (!s) return err_set(e, E_MEMORY, "no memory for flat blocks");
	for (int y = 0; y < ny; y++)
		for (int x = 0; x < nx; x++)
			if (!covered_clipped(a, x * STEP, y * STEP)) s[n++] = look(a, x * STEP, y * STEP);
	qsort(s, (size_t)n, sizeof *s, by_slope);
	int half = (n + 1) / 2, count = half < f->most ? half : f->most;
	for (int i = 0; i < count; i++) {
		const struct spot *p = &s[(int64_t)i * half / count];
		take(f, spec, a, p);
		if (next && i * 5 < count) direct(f, next, mv, p);
	}
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

/* Lower quantile of a mean of squares with so many degrees of freedom, over its mean (Wilson and Hilferty 1931);
 * z: of the normal distribution at that share. */
static double low_share(double dof, double z)
{
	double a = 2 / (9 * dof), b = 1 - a + z * __builtin_sqrt(a);
	return b * b * b;
}

/* Sums over the channels, or one: c. */
static double side_of(const struct gm_patch *p, const struct gm_split *s, bool high, int c)
{
	double sum = 0;
	for (int k = high ? s->ring : 0; k < (high ? GM_RINGS : s->ring); k++)
		sum += c < 0 ? p->ring[0][k] + p->ring[1][k] + p->ring[2][k] : p->ring[c][k];
	return sum;
}

/* Detail puts more into the low rings than grain does. The logarithm of low over high is normal, of known
 * spread, around the grain's own; that middle is found from below, where there is no detail. */
int gm_flat_gate(struct gm_flat *f, const struct gm_split *s)
{
	float *t = xalloc((size_t)f->n + 1, sizeof *t), *sorted = xalloc((size_t)f->n + 1, sizeof *sorted);
	double spread = __builtin_sqrt(2 / (1.8 * s->low[1]) + 2 / (1.8 * s->high[1])), mid;
	int used = 0;
	for (int i = 0; i < f->n; i++) {
		double low = side_of(&f->v[i], s, false, -1), high = side_of(&f->v[i], s, true, -1);
		sorted[i] = t[i] = low > 0 && high > 0 ? (float)mx_log(low / high) : 99.f;
	}
	floats_sort(sorted, (size_t)f->n);
	mid = f->n ? floats_quantile(sorted, (size_t)f->n, 0.02) + 2.05 * spread : 0;
	for (int turn = 0; turn < 20; turn++) {
		double sum = 0;
		int n = 0;
		for (; n < f->n && (double)sorted[n] < mid + spread; n++) sum += (double)sorted[n];
		if (n < 4) break;
		mid = sum / n + 0.2876 * spread;              /* the mean of a normal cut off there */
	}
	for (int i = 0; i < f->n; i++) {
		double off = ((double)t[i] - mid) / spread;
		f->v[i].use = off < 2 && off > -4;
		used += f->v[i].use;
	}
	free(t);
	free(sorted);
	return used;
}

/* Bins of a ring; what the plane took of the first leaves about six. */
static double ring_dof(int k)
{
	int n = 0;
	for (int y = -GM_BLOCK / 2; y < GM_BLOCK / 2; y++)
		for (int x = -GM_BLOCK / 2; x < GM_BLOCK / 2; x++)
			n += (int)(__builtin_sqrt((double)(x * x + y * y)) + 0.5) == k;
	return k < 2 ? 6 : n;
}

void gm_flat_excess(const struct gm_flat *f, const struct gm_curve *curve, int rings, double keep[3][GM_RINGS])
{
	float *v = xalloc((size_t)f->n + 1, sizeof *v);
	for (int c = 0; c < 3; c++) {
		for (int k = 1; k < rings; k++) {
			double mean = 0;
			size_t n = 0;
			for (int i = 0; i < f->n; i++) {
				double want = gm_curve_at(curve, c, (double)f->v[i].luma);
				if (!f->v[i].use || !(want > 0)) continue;
				v[n] = (float)(f->v[i].ring[c][k] / want);
				mean += (double)v[n++];
			}
			floats_sort(v, n);
			double low = n ? floats_quantile(v, n, 0.3) / low_share(ring_dof(k), -0.5244) * (double)n : 0;
			keep[c][k] = mean > 0 && low < mean ? low / mean : 1;
		}
		keep[c][0] = keep[c][1];
	}
	free(v);
}

static int by_luma(const void *a, const void *b)
{
	const struct gm_patch *const *p = a, *const *q = b;
	if ((*p)->luma != (*q)->luma) return (*p)->luma < (*q)->luma ? -1 : 1;
	return (*p > *q) - (*p < *q);
}

/* Are the lower half of n sorted energies as close together as those of one strength? Detail spreads them. */
static bool one_strength(const float *s, size_t n, double dof)
{
	double low = floats_quantile(s, n, 0.15), mid = floats_quantile(s, n, 0.5);
	double want = low_share(dof, 0) / low_share(dof, -1.0364) - 1;
	return low > 0 && mid / low - 1 < 2.2 * want + 0.05;
}

/* Without the knots that are rough, where three others are left. */
static void drop(struct gm_curve *c, const bool *rough)
{
	int n = 0, fine = 0;
	for (int i = 0; i < c->n; i++) fine += !rough[i];
	for (int i = 0; i < c->n && fine >= 3; i++) {
		if (rough[i]) continue;
		c->luma[n] = c->luma[i];
		c->weight[n] = c->weight[i];
		for (int k = 0; k < 3; k++) c->var[k][n] = c->var[k][i];
		n++;
	}
	if (fine >= 3) c->n = n;
}

/* Does a level hold more at low frequencies, as a share, than the blocks' middle does? Grain has one shape at all levels. */
static bool more_low(const struct gm_patch *const *v, int n, const struct gm_split *s, double mid)
{
	double spread = __builtin_sqrt(2 / (1.8 * s->low[1]) + 2 / (1.8 * s->high[1])), sum = 0;
	for (int i = 0; i < n; i++) sum += mx_log(side_of(v[i], s, false, -1) / side_of(v[i], s, true, -1));
	return sum / n > mid + 0.1 + spread / __builtin_sqrt((double)n);
}

static double middle(const struct gm_patch *const *v, int n, const struct gm_split *s)
{
	float *t = xalloc((size_t)n + 1, sizeof *t);
	for (int i = 0; i < n; i++) t[i] = (float)mx_log(side_of(v[i], s, false, -1) / side_of(v[i], s, true, -1));
	floats_sort(t, (size_t)n);
	double mid = n ? floats_quantile(t, (size_t)n, 0.4) : 0;
	free(t);
	return mid;
}

double gm_flat_wide(const struct gm_flat *f, const struct gm_split *sp, const struct gm_curve *curve)
{
	float *v = xalloc((size_t)f->n + 1, sizeof *v);
	size_t n = 0;
	for (int i = 0; i < f->n; i++) {
		double want = 0;
		for (int c = 0; c < 3; c++) want += gm_curve_at(curve, c, (double)f->v[i].luma);
		if (want > 0) v[n++] = (float)(side_of(&f->v[i], sp, true, -1) / want);
	}
	floats_sort(v, n);
	double low = n ? floats_quantile(v, n, 0.1) : 0, mid = n ? floats_quantile(v, n, 0.5) : 0;
	free(v);
	return low > 0 ? mid / low * low_share(sp->dof, -1.2816) / low_share(sp->dof, 0) - 1 : 9;
}

int gm_flat_strength(struct gm_flat *f, const struct gm_split *sp, struct gm_curve *out)
{
	const struct gm_patch **v = xalloc((size_t)f->n + 1, sizeof *v);
	float *s = xalloc((size_t)f->n + 1, sizeof *s);
	int n = 0;
	for (int i = 0; i < f->n; i++)
		if (f->v[i].use) v[n++] = &f->v[i];
	qsort(v, (size_t)n, sizeof *v, by_luma);
	memset(out, 0, sizeof *out);
	float lo = n ? v[0]->luma : 0, hi = n ? v[n - 1]->luma : 0;
	int least = n / 60 > 10 ? n / 60 : 10;
	bool rough[GRAIN_STRENGTHS] = { false };
	double mid = middle(v, n, sp);
	for (int i = 0, from = 0; i < n; i++) {
		float edge = lo + (hi - lo) * (float)(out->n + 1) / GM_KNOTS;
		bool last = i + 1 == n;
		if (!last && (i + 1 - from < least || v[i + 1]->luma <= edge || n - i - 1 < least ||
		              out->n == GM_KNOTS - 1)) continue;
		double luma = 0;
		bool agree = true;
		for (int k = from; k <= i; k++) luma += (double)v[k]->luma;
		for (int c = 0; c < 3; c++) {
			for (int k = from; k <= i; k++) s[k - from] = (float)side_of(v[k], sp, true, c);
			floats_sort(s, (size_t)(i + 1 - from));
			agree = agree && one_strength(s, (size_t)(i + 1 - from), sp->high[c]);
			out->var[c][out->n] = floats_quantile(s, (size_t)(i + 1 - from), 0.35) /
			                      low_share(sp->high[c], -0.3853) / sp->share[c];
		}
		out->luma[out->n] = luma / (i + 1 - from);
		out->weight[out->n] = i + 1 - from;
		rough[out->n++] = !agree || more_low(v + from, i + 1 - from, sp, mid);
		from = i + 1;
	}
	drop(out, rough);
	free(v);
	free(s);
	return out->n;
}
