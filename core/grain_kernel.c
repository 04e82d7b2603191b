/* grain_kernel - see grain_kernel.h.
 *
 * The amplitude sqrt(P) on a grid is fitted by products of cosine sums, alternating between the two
 * axes: with one held, the other's coefficients are a weighted linear least-squares problem. Weights
 * are relative (errors count in dB); rings of the spectrum that are still off get more weight and a
 * corrected target. What comes close is finished by Gauss-Newton steps on the rings' decibels. The
 * cheapest radius and rank that do are taken.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "grain_kernel.h"

#include <stdlib.h>
#include <string.h>

#include "cholesky.h"
#include "mathx.h"
#include "mem.h"

enum { GRID = 64, SIDE = GRID + 1, RINGS = 91, ROUNDS = 24, UNKNOWNS = GRAIN_RANKS * (GRAIN_RADIUS + 1) };
#define GOOD_DB 0.2             /* no more is sought */
#define DB 4.342944819032518     /* of a relative error of power */
#define EVEN_DB 0.6             /* by which directions may differ from their ring, root of mean square above -20 dB */
#define FLOOR_POWER 5e-4         /* -33 dB: below it errors count no more than there */
#define SEEN_POWER 1e-3          /* -30 dB */
#define BEYOND_DB 300.0          /* a square of a cycle a pixel, beyond what the profile's picture held */
#define HELD 0.55                /* cycles a pixel of that picture; further out the fit is of less account */

struct design {
	int radius, ranks;
	double zoom;
	double power[SIDE][SIDE], want[SIDE][SIDE], weight[SIDE][SIDE], have[SIDE][SIDE];
	int ring[SIDE][SIDE];
	double basis[GRAIN_RADIUS + 1][SIDE];        /* what a coefficient adds to the spectrum */
	double axis[2][GRAIN_RANKS][GRAIN_RADIUS + 1];       /* 0: down, 1: across */
	double spec[2][GRAIN_RANKS][SIDE];
	double gram[SIDE][GRAIN_RANKS][GRAIN_RANKS], right[SIDE][GRAIN_RANKS];
	double m[UNKNOWNS][UNKNOWNS], b[UNKNOWNS];
};

static double share(int k) { return k == 0 || k == GRID ? 0.5 : 1; }

static double mean_of(double (*p)[SIDE])
{
	double sum = 0;
	for (int y = 0; y < SIDE; y++) for (int x = 0; x < SIDE; x++) sum += share(y) * share(x) * p[y][x];
	return sum / (GRID * GRID);
}

static double raw_target(const struct grain_profile *p, int c, double zoom, double fx, double fy)
{
	double u = fx * zoom, v = fy * zoom, power = grain_profile_power(p, c, u, v);
	double from = zoom > 2 ? 0.5 : 0.7072 - 0.2072 * (zoom - 1), out = __builtin_sqrt(u * u + v * v) - from;
	if (zoom <= 1 || out <= 0) return power;
	return power * mx_exp2(-0.33219280948873624 * BEYOND_DB * out * out);
}

/* The profile's mean power over its own picture's frequencies. */
static double own_mean(const struct grain_profile *p, int c)
{
	double sum = 0;
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++)
			sum += share(y) * share(x) * grain_profile_power(p, c, x / (2.0 * GRID), y / (2.0 * GRID));
	return sum / (GRID * GRID);
}

double grain_shape_target(const struct grain_profile *p, int c, double zoom, double fx, double fy)
{
	fx = fx < 0 ? -fx : fx;
	fy = fy < 0 ? -fy : fy;
	return raw_target(p, c, zoom, fx, fy) / own_mean(p, c);
}

/* Fills the target, of unit variance, and says what variance it had. */
static double design_target(struct design *d, const struct grain_profile *p, int c, double zoom)
{
	double squeeze = __builtin_sqrt(p->aniso[c]);
	d->zoom = zoom;
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++) {
			double fx = x / (2.0 * GRID), fy = y / (2.0 * GRID), u = fx / squeeze, v = fy * squeeze;
			int ring = (int)(2 * GRID * __builtin_sqrt(u * u + v * v) + 0.5);
			d->power[y][x] = raw_target(p, c, zoom, fx, fy);
			d->ring[y][x] = ring < RINGS ? ring : RINGS - 1;
		}
	double mean = mean_of(d->power);
	for (int y = 0; y < SIDE; y++) for (int x = 0; x < SIDE; x++) d->power[y][x] /= mean;
	return mean;
}

static void design_basis(struct design *d)
{
	double cosine[2 * GRID];
	for (int i = 0; i < 2 * GRID; i++) cosine[i] = mx_cos(MX_PI * i / GRID);
	for (int i = 0; i <= GRAIN_RADIUS; i++)
		for (int k = 0; k < SIDE; k++) d->basis[i][k] = (i ? 2 : 1) * cosine[i * k % (2 * GRID)];
}

static void spectra(struct design *d, int axis)
{
	for (int r = 0; r < d->ranks; r++)
		for (int k = 0; k < SIDE; k++) {
			double sum = 0;
			for (int i = 0; i <= d->radius; i++) sum += d->axis[axis][r][i] * d->basis[i][k];
			d->spec[axis][r][k] = sum;
		}
}

/* Power of the fit. */
static void design_have(struct design *d)
{
	spectra(d, 0);
	spectra(d, 1);
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++) {
			double sum = 0;
			for (int r = 0; r < d->ranks; r++) sum += d->spec[0][r][y] * d->spec[1][r][x];
			d->have[y][x] = sum * sum;
		}
}

/* --- first guess: the windowless kernel's leading singular vectors, by subspace iteration --- */

static double dot(const double *a, const double *b, int n)
{
	double sum = 0;
	for (int i = 0; i < n; i++) sum += a[i] * b[i];
	return sum;
}

static void orthonormal(double (*v)[GRAIN_RADIUS + 1], int ranks, int n)
{
	for (int r = 0; r < ranks; r++) {
		for (int s = 0; s < r; s++) {
			double k = dot(v[r], v[s], n);
			for (int i = 0; i < n; i++) v[r][i] -= k * v[s][i];
		}
		double norm = __builtin_sqrt(dot(v[r], v[r], n));
		for (int i = 0; i < n; i++) v[r][i] = norm > 1e-150 ? v[r][i] / norm : i == r;
	}
}

static void times(double (*h)[GRAIN_RADIUS + 1], bool across, double (*v)[GRAIN_RADIUS + 1], int ranks, int n,
                  double (*out)[GRAIN_RADIUS + 1])
{
	for (int r = 0; r < ranks; r++)
		for (int i = 0; i < n; i++) {
			double sum = 0;
			for (int k = 0; k < n; k++) sum += (across ? h[i][k] : h[k][i]) * v[r][k];
			out[r][i] = sum;
		}
}

static void design_start(struct design *d)
{
	enum { N = GRAIN_RADIUS + 1 };
	int n = d->radius + 1;
	double (*half)[SIDE] = xalloc(N, sizeof *half), (*h)[N] = xalloc(N, sizeof *h);
	for (int i = 0; i < n; i++)
		for (int x = 0; x < SIDE; x++) {
			double sum = 0;
			for (int y = 0; y < SIDE; y++) sum += share(y) * d->basis[i][y] * d->want[y][x];
			half[i][x] = sum * share(x) / (i ? 2 : 1);
		}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) h[i][j] = dot(half[i], d->basis[j], SIDE) / (j ? 2 : 1) / (GRID * GRID);
	for (int r = 0; r < d->ranks; r++) for (int i = 0; i < n; i++) d->axis[1][r][i] = i == r;
	for (int i = 0; i < 12; i++) {
		times(h, true, d->axis[1], d->ranks, n, d->axis[0]);
		orthonormal(d->axis[0], d->ranks, n);
		times(h, false, d->axis[0], d->ranks, n, d->axis[1]);
		if (i < 11) orthonormal(d->axis[1], d->ranks, n);
	}
	free(half);
	free(h);
}

/* --- alternating least squares --- */

/* m x = b into b. */
static void solve(struct design *d, int n)
{
	chol_root(d->m[0], n, UNKNOWNS, 1e-300);
	chol_solve(d->m[0], n, UNKNOWNS, d->b);
}

/* Products of the held axis's spectra at each frequency of the sought one. */
static void normal_rows(struct design *d, int axis)
{
	double (*s)[SIDE] = d->spec[1 - axis];
	for (int k = 0; k < SIDE; k++) {
		memset(d->gram[k], 0, sizeof d->gram[k]);
		memset(d->right[k], 0, sizeof d->right[k]);
		for (int l = 0; l < SIDE; l++) {
			double w = axis ? d->weight[l][k] : d->weight[k][l], t = axis ? d->want[l][k] : d->want[k][l];
			for (int r = 0; r < d->ranks; r++) {
				d->right[k][r] += w * t * s[r][l];
				for (int q = 0; q <= r; q++) d->gram[k][r][q] += w * s[r][l] * s[q][l];
			}
		}
	}
}

static void fit_axis(struct design *d, int axis)
{
	int n = d->radius + 1, all = n * d->ranks;
	double trace = 0;
	spectra(d, 1 - axis);
	normal_rows(d, axis);
	for (int r = 0; r < d->ranks; r++)
		for (int i = 0; i < n; i++) {
			double row[GRAIN_RANKS][SIDE], *to = d->m[r * n + i], sum = 0;
			for (int q = 0; q <= r; q++)
				for (int k = 0; k < SIDE; k++) row[q][k] = d->basis[i][k] * d->gram[k][r][q];
			for (int q = 0; q <= r; q++)
				for (int j = 0; j < n; j++) to[q * n + j] = dot(row[q], d->basis[j], SIDE);
			for (int k = 0; k < SIDE; k++) sum += d->basis[i][k] * d->right[k][r];
			d->b[r * n + i] = sum;
			trace += to[r * n + i];
		}
	for (int i = 0; i < all; i++) d->m[i][i] += trace / all * 1e-9;
	solve(d, all);
	for (int r = 0; r < d->ranks; r++) memcpy(d->axis[axis][r], d->b + r * n, (size_t)n * sizeof(double));
}

static bool held(const struct design *d, int ring) { return d->zoom <= 1 || ring * d->zoom < 2 * GRID * HELD; }

/* dB by which rings of the fit are off; the largest among those that count. */
static double ring_errors(struct design *d, double off[RINGS])
{
	double p[RINGS] = { 0 }, q[RINGS] = { 0 }, n[RINGS] = { 0 }, scale = 1 / mean_of(d->have), worst = 0;
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++) {
			int r = d->ring[y][x];
			double w = share(y) * share(x);
			n[r] += w;
			p[r] += w * d->power[y][x];
			q[r] += w * d->have[y][x] * scale;
		}
	for (int r = 0; r < RINGS; r++) {
		off[r] = n[r] > 0 && p[r] > 0 ? 10 * mx_log10((q[r] > 1e-30 ? q[r] : 1e-30) / p[r]) : 0;
		double e = off[r] < 0 ? -off[r] : off[r];
		if (n[r] > 0 && p[r] > SEEN_POWER * n[r] && held(d, r) && e > worst) worst = e;
	}
	return worst;
}

/* The larger of what rings and what directions are off, the latter at the scale of the former. */
static double fit_error(struct design *d, double off[RINGS])
{
	double worst = ring_errors(d, off), scale = 1 / mean_of(d->have), sum = 0, n = 0;
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++) {
			double w = share(y) * share(x), p = d->power[y][x];
			if (p < 0.01 || !held(d, d->ring[y][x])) continue;
			double e = 2 * DB * (d->have[y][x] * scale - p) / (d->have[y][x] * scale + p);  /* dB where small */
			sum += w * e * e;
			n += w;
		}
	double uneven = n > 0 ? __builtin_sqrt(sum / n) * GOOD_DB / EVEN_DB : 0;
	return worst > uneven ? worst : uneven;
}

static void reweight(struct design *d, const double off[RINGS], double worst)
{
	double grow[RINGS], bend[RINGS];
	for (int r = 0; r < RINGS; r++) {
		double e = off[r] < 0 ? -off[r] : off[r], k = -off[r] / 80;
		if (!held(d, r)) k = 0;
		grow[r] = 1 + 0.5 * (e < worst ? e : worst) / (worst > 1e-3 ? worst : 1e-3);
		bend[r] = mx_exp2(3.3219280948873623 * (k > 0.1 ? 0.1 : k < -0.1 ? -0.1 : k));
	}
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++) {
			int r = d->ring[y][x];
			d->want[y][x] *= bend[r];
			d->weight[y][x] *= grow[r];
		}
}

/* --- rings: the fit's mean power in each ring itself, by damped Gauss-Newton steps --- */

enum { STEPS = 24, POLISHED = 64 };      /* unknowns at most */
#define EVEN 1.0                         /* weight of direction's errors against rings' */

struct rings { double p[RINGS], q[RINGS], n[RINGS], w[RINGS], slope[RINGS][POLISHED]; };

/* Adds to the normal equations what amplitudes should be where they stand: errors of direction. */
static double even_rows(struct design *d, struct rings *g, int n, bool rows)
{
	double sum = 0, j[POLISHED];
	int half = n / 2, one = d->radius + 1;
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++) {
			double amp = 0, p = d->power[y][x] > FLOOR_POWER ? d->power[y][x] : FLOOR_POWER;
			for (int r = 0; r < d->ranks; r++) amp += d->spec[0][r][y] * d->spec[1][r][x];
			int ring = d->ring[y][x];
			double s = share(y) * share(x), k = EVEN * s * 16 * DB * DB / (p * GRID * GRID) * (held(d, ring) ? 1 : 0.05);
			double off = amp - __builtin_sqrt(d->power[y][x]);
			bool even = !((x | y) & 1);              /* a quarter of the places will do */
			g->q[ring] += s * amp * amp;
			if (even) sum += k * off * off;
			if (!rows) continue;
			for (int i = 0; i < half; i++) {
				j[i] = d->basis[i % one][y] * d->spec[1][i / one][x];
				j[half + i] = d->basis[i % one][x] * d->spec[0][i / one][y];
			}
			for (int i = 0; i < n; i++) g->slope[ring][i] += 2 * s * amp * j[i];
			for (int i = 0; even && i < n; i++) {
				d->b[i] -= k * off * j[i];
				for (int l = 0; l <= i; l++) d->m[i][l] += k * j[i] * j[l];
			}
		}
	return sum;
}

/* The sum of weighted squared errors, in dB; with rows also the equations of the next step. */
static double ring_rows(struct design *d, struct rings *g, int n, bool rows)
{
	memset(g->q, 0, sizeof g->q);
	if (rows) {
		memset(g->slope, 0, sizeof g->slope);
		memset(d->b, 0, sizeof d->b);
		for (int i = 0; i < n; i++) memset(d->m[i], 0, (size_t)n * sizeof(double));
	}
	spectra(d, 0);
	spectra(d, 1);
	double sum = even_rows(d, g, n, rows);
	for (int r = 0; r < RINGS; r++) {
		if (!(g->w[r] > 0) || !(g->q[r] > 0)) continue;
		double e = 10 * mx_log10(g->q[r] / g->p[r]), k = DB / g->q[r];
		sum += g->w[r] * e * e;
		for (int i = 0; rows && i < n; i++) {
			d->b[i] -= g->w[r] * e * k * g->slope[r][i];
			for (int l = 0; l <= i; l++) d->m[i][l] += g->w[r] * k * k * g->slope[r][i] * g->slope[r][l];
		}
	}
	return sum;
}

static void take_step(struct design *d, int n, double damp)
{
	int half = n / 2, one = d->radius + 1;
	for (int i = 0; i < n; i++) d->m[i][i] *= 1 + damp;
	for (int i = 0; i < n; i++) if (!(d->m[i][i] > 1e-12)) d->m[i][i] = 1e-12;
	solve(d, n);
	for (int i = 0; i < n; i++) d->axis[i >= half][i % half / one][i % one] += d->b[i];
}

/* From the best fit so far; its error. */
static double polish(struct design *d, double least, double best[2][GRAIN_RANKS][GRAIN_RADIUS + 1])
{
	struct rings *g = xalloc(1, sizeof *g);
	int n = 2 * d->ranks * (d->radius + 1);
	double off[RINGS], damp = 1e-3, kept[2][GRAIN_RANKS][GRAIN_RADIUS + 1];
	memcpy(d->axis, best, sizeof d->axis);
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++) {
			g->n[d->ring[y][x]] += share(y) * share(x);
			g->p[d->ring[y][x]] += share(y) * share(x) * d->power[y][x];
		}
	for (int r = 0; r < RINGS; r++) g->w[r] = g->n[r] > 0 && g->p[r] > SEEN_POWER * g->n[r] && held(d, r) ? 1 : 0;
	for (int i = 0; i < STEPS && least > GOOD_DB * 0.8 && damp < 1e6; i++) {
		if (least > GOOD_DB * (i < 5 ? 3 : i < 10 ? 2 : i < 16 ? 1.3 : 1)) break;     /* it will not get there */
		double before = ring_rows(d, g, n, true);
		memcpy(kept, d->axis, sizeof kept);
		take_step(d, n, damp);
		if (!(ring_rows(d, g, n, false) < before)) {
			memcpy(d->axis, kept, sizeof kept);
			damp *= 8;
			continue;
		}
		damp *= 0.3;
		design_have(d);
		double worst = fit_error(d, off);
		if (worst < least) {
			least = worst;
			memcpy(best, d->axis, sizeof d->axis);
		}
		double all = 0, count = 0;
		for (int r = 0; r < RINGS; r++) {
			g->w[r] *= 1 + 0.5 * (off[r] < 0 ? -off[r] : off[r]) / (worst > 1e-3 ? worst : 1e-3);
			all += g->w[r];
			count += g->w[r] > 0;
		}
		for (int r = 0; r < RINGS; r++) g->w[r] *= count / (all > 0 ? all : 1);
	}
	free(g);
	return least;
}

/* The best fit of this radius and rank into best; its error. */
static double design_fit(struct design *d, int radius, int ranks, double best[2][GRAIN_RANKS][GRAIN_RADIUS + 1])
{
	double least = 1e9, off[RINGS];
	d->radius = radius;
	d->ranks = ranks;
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++) {
			double p = d->power[y][x];
			d->want[y][x] = __builtin_sqrt(p);
			p = p > FLOOR_POWER ? p : FLOOR_POWER;
			d->weight[y][x] = share(y) * share(x) * mx_exp2(-0.9 * mx_log2(p)) * (held(d, d->ring[y][x]) ? 1 : 0.05);
		}
	design_start(d);
	for (int i = 0; i < ROUNDS; i++) {
		fit_axis(d, 0);
		fit_axis(d, 1);
		design_have(d);
		double worst = fit_error(d, off);
		if (worst < least) {
			least = worst;
			memcpy(best, d->axis, sizeof d->axis);
		}
		if (worst < GOOD_DB * 0.8) break;
		reweight(d, off, worst);
	}
	return least > GOOD_DB * 0.8 && 2 * ranks * (radius + 1) <= POLISHED ? polish(d, least, best) : least;
}

/* --- shapes --- */

/* By what they cost a pixel. */
static const struct { int radius, ranks; } tries[] = { { 2, 1 }, { 3, 1 }, { 4, 1 }, { 5, 1 }, { 6, 1 },
	{ 4, 2 }, { 8, 1 }, { 5, 2 }, { 10, 1 }, { 6, 2 }, { 12, 1 }, { 8, 2 }, { 16, 1 }, { 10, 2 },
	{ 8, 3 }, { 12, 2 }, { 10, 3 }, { 16, 2 }, { 12, 3 }, { 20, 2 }, { 16, 3 }, { 24, 2 },
	{ 20, 3 }, { 24, 3 }, { 32, 3 }, { 44, 3 }, { GRAIN_RADIUS, 3 } };

static void shape_take(struct grain_shape *s, int c, double axis[2][GRAIN_RANKS][GRAIN_RADIUS + 1],
                       int radius, int ranks)
{
	for (int r = 0; r < GRAIN_RANKS; r++)
		for (int i = 0; i <= GRAIN_RADIUS; i++) {
			bool in = r < ranks && i <= radius;
			s->u[c][r][i] = in ? (float)axis[0][r][i] : 0;
			s->v[c][r][i] = in ? (float)axis[1][r][i] : 0;
		}
}

/* Sum over the plane of the products of two kernels. */
static double inner(const struct grain_shape *s, int a, int b)
{
	double sum = 0;
	for (int r = 0; r < GRAIN_RANKS; r++)
		for (int q = 0; q < GRAIN_RANKS; q++) {
			double x = 0, y = 0;
			for (int i = 0; i <= GRAIN_RADIUS; i++) {
				x += (i ? 2 : 1) * (double)s->v[a][r][i] * s->v[b][q][i];
				y += (i ? 2 : 1) * (double)s->u[a][r][i] * s->u[b][q][i];
			}
			sum += x * y;
		}
	return sum;
}

static void unit(struct grain_shape *s, int c)
{
	double k = 1 / __builtin_sqrt(inner(s, c, c));
	for (int r = 0; r < GRAIN_RANKS; r++)
		for (int i = 0; i <= GRAIN_RADIUS; i++) s->u[c][r][i] = (float)(k * s->u[c][r][i]);
}

static bool same_channel(const struct grain_profile *p, int c)
{
	bool same = c > 0 && p->aniso[c] == p->aniso[c - 1];
	for (int i = 0; i < p->nband && same; i++) same = p->db[i][c] == p->db[i][c - 1];
	return same;
}

static void shape_channel(struct grain_shape *s, struct design *d, int c)
{
	double found[2][GRAIN_RANKS][GRAIN_RADIUS + 1], best = 1e9;
	double mean = design_target(d, &s->profile, c, s->zoom);
	int radius = 0, ranks = 0;
	s->gain[c] = s->zoom < 1 ? s->zoom * __builtin_sqrt(mean / own_mean(&s->profile, c)) : 1;
	for (size_t i = 0; i < IN_COUNT(tries) && best > GOOD_DB; i++) {
		double e = design_fit(d, tries[i].radius, tries[i].ranks, found);
		if (e >= best) continue;
		best = e;
		radius = tries[i].radius;
		ranks = tries[i].ranks;
		shape_take(s, c, found, radius, ranks);
	}
	s->worst[c] = best;
	s->reach[c] = radius;
	s->terms[c] = ranks;
	if (radius > s->radius) s->radius = radius;
	if (ranks > s->ranks) s->ranks = ranks;
	unit(s, c);
}

struct grain_shape *grain_shape_make(const struct grain_profile *p, double zoom)
{
	struct grain_shape *s = xalloc(1, sizeof *s);
	struct design *d = xalloc(1, sizeof *d);
	s->refs = 1;
	s->profile = *p;
	s->zoom = zoom;
	for (int c = 0; c < 3; c++)
		for (int r = 0; r < GRAIN_RANKS; r++) {
			s->u[c][r] = xalloc(GRAIN_RADIUS + 1, sizeof(float));
			s->v[c][r] = xalloc(GRAIN_RADIUS + 1, sizeof(float));
		}
	design_basis(d);
	s->same = same_channel(p, 1) && same_channel(p, 2);
	for (int c = 0; c < 3; c++) {
		if (!same_channel(p, c)) { shape_channel(s, d, c); continue; }
		for (int r = 0; r < GRAIN_RANKS; r++) {
			memcpy(s->u[c][r], s->u[c - 1][r], (GRAIN_RADIUS + 1) * sizeof(float));
			memcpy(s->v[c][r], s->v[c - 1][r], (GRAIN_RADIUS + 1) * sizeof(float));
		}
		s->gain[c] = s->gain[c - 1];
		s->worst[c] = s->worst[c - 1];
		s->reach[c] = s->reach[c - 1];
		s->terms[c] = s->terms[c - 1];
	}
	for (int i = 0; i < 3; i++) s->inner[i] = s->same ? 1 : inner(s, i == 2, i ? 2 : 1);
	free(d);
	return s;
}

void grain_shape_free(struct grain_shape **sp)
{
	struct grain_shape *s = *sp;
	*sp = NULL;
	if (!s || atomic_fetch_sub(&s->refs, 1) > 1) return;
	for (int c = 0; c < 3; c++) for (int r = 0; r < GRAIN_RANKS; r++) free(s->u[c][r]), free(s->v[c][r]);
	free(s);
}

double grain_shape_power(const struct grain_shape *s, int c, double fx, double fy)
{
	double sum = 0;
	for (int r = 0; r < s->ranks; r++) {
		double u = 0, v = 0;
		for (int i = 0; i <= s->radius; i++) {
			u += (i ? 2 : 1) * s->u[c][r][i] * mx_cos(2 * MX_PI * fy * i);
			v += (i ? 2 : 1) * s->v[c][r][i] * mx_cos(2 * MX_PI * fx * i);
		}
		sum += u * v;
	}
	return sum * sum;
}

void grain_mix(const struct grain_shape *s, const double products[3], double m[3][3])
{
	double c[3];
	for (int i = 0; i < 3; i++) {
		double seen = s->inner[i] * products[i];
		c[i] = seen > 1e-6 || seen < -1e-6 ? s->profile.corr[i] / seen : 0;
	}
	for (double k = 1; k > 0; k -= 1.0 / 64) {
		double a = k * c[0], b = k * c[1], d = k * c[2], rest = 1 - a * a;
		double q = rest > 1e-9 ? (d - a * b) / __builtin_sqrt(rest) : 0, last = 1 - b * b - q * q;
		bool fits = rest >= 0 && last >= -1e-9 && (rest > 1e-9 || (d - a * b < 1e-6 && a * b - d < 1e-6));
		if (!fits) continue;
		double rows[3][3] = { { 1, 0, 0 }, { a, __builtin_sqrt(rest), 0 },
			{ b, q, __builtin_sqrt(last > 0 ? last : 0) } };
		memcpy(m, rows, sizeof rows);
		return;
	}
	double none[3][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };
	memcpy(m, none, sizeof none);
}

/* Lag-1 correlation of weights falling by t from frame to frame. */
static double lag_of(int n, double t)
{
	double sum = 0, next = 0, w = 1;
	for (int i = 0; i < n; i++, w *= t) {
		sum += w * w;
		if (i < n - 1) next += w * w * t;
	}
	return next / sum;
}

int grain_lags(double rho, double w[GRAIN_LAGS], double *still)
{
	double size = rho < 0 ? -rho : rho, low = 0, high = 1, sum = 0, most = 1 - 1.0 / GRAIN_LAGS;
	int n = 1;
	*still = rho > most ? (rho - most) / (1 - most) : 0;
	if (size > most) size = most;
	while (n < GRAIN_LAGS && 1 - 1.0 / n < size) n++;
	for (int i = 0; i < 60; i++) {
		double t = 0.5 * (low + high);
		if (lag_of(n, t) < size) low = t; else high = t;
	}
	w[0] = 1;
	for (int i = 1; i < n; i++) w[i] = w[i - 1] * (rho < 0 ? -high : high);
	for (int i = 0; i < n; i++) sum += w[i] * w[i];
	for (int i = 0; i < n; i++) w[i] *= __builtin_sqrt((1 - *still) / sum);
	return n;
}
