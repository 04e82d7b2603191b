/* grain_table_model - what parameters of AV1's film grain make of red, green and blue, beside what they are to make;
 * see grain_table_fit.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_table_fit.h"
#include "mathx.h"
#include "mem.h"

enum { N = GT_N, NN = GT_NN, RUN = 96, WIDE = RUN + 2 * TABLE_LAG, DOWN = 10, ACROSS = 40 };
/* Weights beside a ring's squared decibels: of an octave's; of all of a channel's, in decibels; of a cross density's error,
 * in shares of the two channels' own; of all of a cross density, with chroma of half the size
 * and of the whole; of what a recursion has farther away than the template's margin; of chroma's
 * share of luma, which says least where templates are small. */
#define OCTAVE 200.0
#define STRENGTH 300.0
#define CROSS 12.0
#define TOGETHER_HALF 300.0
#define TOGETHER_FULL 240.0
#define LONG 800.0
#define SHARED 1.0
/* Of the strongest ring's power: rings as faint as that weigh half. */
#define FAINT 0.02

static const int pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };

/* Luma's density at half the size as sums over bins of the whole one: gt_downsample's, once and for all. */
static void halves(struct fit *f)
{
	for (int i = 0; i < NN; i++)
		for (int k = 0; k < 4; k++) {
			double fx = gt_freq(i % N) / 2 + (k % 2) * 0.5, fy = gt_freq(i / N) / 2 + (k / 2) * 0.5;
			double hx = mx_cos(MX_PI * fx), hy = mx_cos(MX_PI * fy), gx = (fx + 1) * N, gy = (fy + 1) * N;
			int x = (int)gx, y = (int)gy;
			double u = gx - x, v = gy - y, w = hx * hx * hy * hy / 4;
			f->near[i][k] = y % N * N + x % N;
			f->part[i][k][0] = w * (1 - v) * (1 - u);
			f->part[i][k][1] = w * (1 - v) * u;
			f->part[i][k][2] = w * v * (1 - u);
			f->part[i][k][3] = w * v * u;
		}
}

static const struct fit_response *now(const struct fit *f, int plane) { return &f->plane[plane][f->now[plane]]; }

static void halve(struct fit *f)
{
	const double *p = now(f, 0)->power;
	double *small = f->small[f->now[0]];
	if (!f->sub) {
		memcpy(small, p, sizeof *f->small);
		return;
	}
	for (int i = 0; i < NN; i++) {
		double sum = 0;
		for (int k = 0; k < 4; k++) {
			int at = f->near[i][k], right = at / N * N + (at + 1) % N, down = (at + N) % NN, both = (right + N) % NN;
			sum += f->part[i][k][0] * p[at] + f->part[i][k][1] * p[right] + f->part[i][k][2] * p[down] +
			       f->part[i][k][3] * p[both];
		}
		small[i] = sum;
	}
}

static void rings(struct fit *f, const double *const own[3], const double *const cross[3])
{
	for (int i = 0; i < FIT_BINS; i++)
		for (int c = 0; c < 3; c++) {
			f->want[c][f->ring[i]] += f->times[i] * own[c][i];
			f->cross[c][f->ring[i]] += f->times[i] * cross[c][i];
		}
	for (int r = 0; r < FIT_RINGS; r++) f->octave[r] = r < 2 ? 0 : r < 4 ? 1 : r < 8 ? 2 : r < 16 ? 3 : r < 32 ? 4 : 5;
	for (int c = 0; c < 3; c++) {
		double top = 0;
		for (int r = 0; r < FIT_RINGS; r++) top = f->want[c][r] > top * f->n[r] ? f->want[c][r] / f->n[r] : top;
		for (int r = 0; r < FIT_RINGS; r++) {
			double p = f->want[c][r] / f->n[r] / top;
			f->blocks[c][r] = 1;
			if (!(p > 1e-3)) continue;
			f->weight[c][r] = (r < 4 ? 0.5 : r < 8 ? 0.25 : r < 16 ? 0.125 : 0.0625) * p / (p + FAINT);
		}
	}
}

/* Hann's window, and what is wanted as it shows that. */
static void windows(struct fit *f, const double *const own[3])
{
	double sum = 0;
	for (int i = 0; i < N; i++) {
		f->hann[0][i] = 0.5 - 0.5 * mx_cos(2 * MX_PI * (i + 0.5) / N);
		f->hann[1][i] = 0.5 - 0.5 * mx_cos(2 * MX_PI * (2 * i + 1) / N);
		sum += f->hann[0][i] * f->hann[0][i];
	}
	for (int i = 0; i < 2 * N; i++) f->hann[i / N][i % N] /= __builtin_sqrt(sum);
	for (int i = 0; i < 3 * FIT_BINS; i++) {
		int c = i / FIT_BINS, bin = i % FIT_BINS;
		double v = 0;
		for (int k = 0; k < 9; k++) {
			int x = (bin % N + k % 3 + N - 1) % N, y = (bin / N + k / 3 + N - 1) % N;
			v += own[c][y * N + x] * (k % 3 == 1 ? 4 : 1) * (k / 3 == 1 ? 4 : 1) / 36;
		}
		f->under[c][f->ring[bin]] += f->times[bin] * v;
	}
	for (int i = 0; i < 3 * FIT_OCTAVES; i++) f->seen[i / FIT_OCTAVES][i % FIT_OCTAVES] = 1;
}

void fit_begin(struct fit *f, const struct grain_picture *to, const double *const own[3], const double *const cross[3])
{
	int k = 0;
	f->sub = to->subsampled;
	f->bits = to->bits;
	gt_mix(to->matrix, f->m);
	gt_up_of(to, &f->up);
	for (int dy = -TABLE_LAG; dy <= 0; dy++)
		for (int dx = -TABLE_LAG; dx <= TABLE_LAG && (dy || dx < 0); dx++, k++) {
			f->dx[k] = dx;
			f->dy[k] = dy;
			f->back[k] = dy * WIDE + dx;
		}
	for (int i = 0; i < N; i++) f->cs[i] = mx_cos(2 * MX_PI * i / N);
	fft_make(&f->fft[0], N);
	fft_make(&f->fft[1], f->sub ? N / 2 : N);
	for (int i = 0; i < FIT_BINS; i++) {
		double fx = gt_freq(i % N), fy = gt_freq(i / N);
		f->times[i] = i / N % (N / 2) ? 2 : 1;
		f->ring[i] = (int)(__builtin_sqrt(fx * fx + fy * fy) * N + 0.5);
		f->half[i] = f->sub ? i / N * 2 % N * N + i % N * 2 % N : i;
		f->n[f->ring[i]] += f->times[i];
	}
	halves(f);
	rings(f, own, cross);
	windows(f, own);
	fit_refresh(f);
}

/* From the upper rows of a response: the others, which are those the other way about; what it makes of white noise. */
static void whole(struct fit_response *o)
{
	for (int i = 0; i < FIT_BINS; i++) {
		double den = o->re[i] * o->re[i] + o->im[i] * o->im[i];
		o->power[i] = 1 / (den > 1e-6 ? den : 1e-6);
	}
	for (int i = FIT_BINS; i < NN; i++) {
		int twin = (N - i / N) * N + (N - i % N) % N;
		o->re[i] = o->re[twin];
		o->im[i] = -o->im[twin];
		o->power[i] = o->power[twin];
	}
	o->mean = gt_mean(o->power);
}

/* The upper rows of a response after a step of coefficient k. */
static void move(const struct fit *f, const struct fit_response *from, int k, double step, struct fit_response *to)
{
	unsigned dx = (unsigned)(f->dx[k] + N), dy = (unsigned)(f->dy[k] + N);
	for (unsigned y = 0; y < FIT_ROWS; y++)
		for (unsigned x = 0; x < N; x++) {
			unsigned i = y * N + x, t = x * dx + y * dy;
			to->re[i] = from->re[i] - step * f->cs[t % N];
			to->im[i] = from->im[i] - step * f->cs[(t + 3 * N / 4) % N];
		}
}

/* Of the energy of a recursion's answer to an impulse, what lies farther away than the template's margin: a decoder begins
 * with white noise there, so that much of the grain is not what the spectrum says. */
static double far(const struct fit *f, int plane)
{
	const double *a = f->by + plane * FIT_PLANE;
	double g[(DOWN + TABLE_LAG) * WIDE] = { 0 }, all = now(f, plane)->mean, near = 0;
	int margin = plane && f->sub ? 6 : 9;
	for (int y = 0; y <= margin; y++) {
		double *to = g + (y + TABLE_LAG) * WIDE + TABLE_LAG;
		for (int x = 0; x < ACROSS; x++) {
			double v = y == 0 && x == ACROSS / 2;
			for (int k = 0; k < TABLE_TAPS; k++) v += a[k] * to[x + f->back[k]];
			to[x] = v < 1e9 && v > -1e9 ? v : 1e9;
			if (x - ACROSS / 2 <= margin && ACROSS / 2 - x <= margin) near += to[x] * to[x];
		}
	}
	return near < all ? 1 - near / all : 0;
}

static void finish(struct fit *f, int plane)
{
	struct fit_response *o = &f->plane[plane][f->now[plane]];
	whole(o);
	o->far = far(f, plane);
	if (!plane) halve(f);
}

static bool moves(int param) { return param < FIT_DEV && param % FIT_PLANE < TABLE_TAPS; }

void fit_try(struct fit *f, int param, double step)
{
	int plane = param / FIT_PLANE;
	f->was = f->by[param];
	f->by[param] += step;
	if (!moves(param)) return;
	const struct fit_response *from = now(f, plane);
	f->now[plane] ^= 1;
	move(f, from, param % FIT_PLANE, step, &f->plane[plane][f->now[plane]]);
	finish(f, plane);
}

void fit_back(struct fit *f, int param)
{
	f->by[param] = f->was;
	if (moves(param)) f->now[param / FIT_PLANE] ^= 1;
}

void fit_refresh(struct fit *f)
{
	for (int p = 0; p < 3; p++) {
		struct fit_response *o = &f->plane[p][f->now[p]];
		for (int i = 0; i < FIT_BINS; i++) { o->re[i] = 1; o->im[i] = 0; }
		for (int k = 0; k < TABLE_TAPS; k++) move(f, o, k, f->by[p * FIT_PLANE + k], o);
		finish(f, p);
	}
}

/* Mean of the products. */
static double together(const double *a, const double *b)
{
	double sum[4] = { 0 };
	for (int i = 0; i < NN; i++) sum[i % 4] += a[i] * b[i];
	return (sum[0] + sum[1] + sum[2] + sum[3]) / NN;
}

enum { YY, BB, RR, YB, YR, BR, PRODUCTS };

/* Of the planes, by rings, of deviation 1 before the recursion. */
static void products(const struct fit *f, const double share[3], double sum[FIT_RINGS][PRODUCTS])
{
	const struct fit_response *y = now(f, 0), *b = now(f, 1), *r = now(f, 2);
	const double *small = f->small[f->now[0]];
	memset(sum, 0, FIT_RINGS * sizeof *sum);
	for (int i = 0; i < FIT_BINS; i++) {
		int at = f->half[i];
		double *to = sum[f->ring[i]], luma = f->times[i] * y->power[i], up = f->times[i] * f->up.power[i];
		double tr = f->up.through[0][i], ti = f->up.through[1][i];
		double pb = b->power[at], pr = r->power[at], sb = share[1] * pb, sr = share[2] * pr;
		to[YY] += luma;
		to[BB] += up * pb * (1 + share[1] * share[1] * small[at]);
		to[RR] += up * pr * (1 + share[2] * share[2] * small[at]);
		to[YB] += luma * sb * (tr * b->re[at] + ti * b->im[at]);
		to[YR] += luma * sr * (tr * r->re[at] + ti * r->im[at]);
		to[BR] += up * small[at] * sb * sr * (b->re[at] * r->re[at] + b->im[at] * r->im[at]);
	}
}

/* Of two sums of the planes. */
static double of_sums(const double q[PRODUCTS], const double a[3], const double b[3])
{
	return a[0] * b[0] * q[YY] + a[1] * b[1] * q[BB] + a[2] * b[2] * q[RR] + (a[0] * b[1] + a[1] * b[0]) * q[YB] +
	       (a[0] * b[2] + a[2] * b[0]) * q[YR] + (a[1] * b[2] + a[2] * b[1]) * q[BR];
}

/* Densities of the channels and between them, by rings. */
static void densities(struct fit *f)
{
	double share[3] = { 0 }, m[3][3], sum[FIT_RINGS][PRODUCTS];
	for (int k = 0; k < 3; k++) {
		if (k) share[k] = f->by[k * FIT_PLANE + TABLE_TAPS];
		double v = now(f, k)->mean;
		if (k) v += share[k] * share[k] * together(now(f, k)->power, f->small[f->now[0]]);
		for (int c = 0; c < 3; c++) m[c][k] = f->m[c][k] * f->by[FIT_DEV + k] / __builtin_sqrt(v);
	}
	products(f, share, sum);
	for (int c = 0; c < 3; c++)
		for (int r = 0; r < FIT_RINGS; r++) {
			f->have[c][r] = of_sums(sum[r], m[c], m[c]);
			f->both[c][r] = of_sums(sum[r], m[pair[c][0]], m[pair[c][1]]);
		}
}

static double decibels(double have, double want) { return 10 * mx_log10((have > 1e-30 ? have : 1e-30) / want); }

/* One channel's, and those of the pair of that number. */
static void residuals_of(const struct fit *f, int c, double r[FIT_OF_CHANNEL])
{
	double have = 0, want = 0, off = 0, all = 0, oct[2][FIT_OCTAVES] = { { 0 } };
	memset(r, 0, FIT_OF_CHANNEL * sizeof *r);
	for (int k = 0; k < FIT_RINGS; k++) {
		double made = f->have[c][k] * f->blocks[c][k];
		have += made;
		want += f->want[c][k];
		if (!(f->weight[c][k] > 0)) continue;
		r[k] = __builtin_sqrt(f->weight[c][k]) * decibels(made, f->want[c][k]);
		oct[0][f->octave[k]] += made;
		oct[1][f->octave[k]] += f->want[c][k];
		/* chroma of half the size has nothing to say of the upper rings */
		if (f->sub && k > N / 4) continue;
		double both = __builtin_sqrt(f->want[pair[c][0]][k] * f->want[pair[c][1]][k]);
		double x = f->both[c][k] * f->blocks[c][k] - f->cross[c][k];
		off += x;
		all += both;
		r[FIT_RINGS + k] = __builtin_sqrt(f->weight[c][k] * CROSS) * x / both;
	}
	/* where chroma cannot hold all of it, what is left shall not gather in an octave below its end */
	for (int k = 0; k < FIT_OCTAVES && f->sub; k++) {
		double weight = k < 4 ? 1 : 0.02 + oct[1][k] / want;
		if (oct[1][k] > 0) r[2 * FIT_RINGS + k] = __builtin_sqrt(OCTAVE * weight) * decibels(oct[0][k] / have, oct[1][k] / want);
	}
	if (!(want > 0) || !(all > 0)) return;
	r[2 * FIT_RINGS + FIT_OCTAVES] = __builtin_sqrt(STRENGTH) * decibels(have, want);
	r[2 * FIT_RINGS + FIT_OCTAVES + 1] = __builtin_sqrt(f->sub ? TOGETHER_HALF : TOGETHER_FULL) * off / all;
}

double fit_residuals(struct fit *f, double r[FIT_RESIDUALS])
{
	double sum = 0;
	densities(f);
	for (int c = 0; c < 3; c++) residuals_of(f, c, r + c * FIT_OF_CHANNEL);
	for (int p = 0; p < FIT_DEV; p++) r[3 * FIT_OF_CHANNEL + p] = (p % FIT_PLANE < TABLE_TAPS ? f->calm : SHARED) * f->by[p];
	for (int k = 0; k < 3; k++) r[3 * FIT_OF_CHANNEL + FIT_DEV + k] = LONG * now(f, k)->far;
	for (int i = 0; i < FIT_RESIDUALS; i++) sum += r[i] * r[i];
	return sum;
}

/* An impulse dies away, and its energy is what the spectrum says. */
bool fit_stable(const struct fit *f, int plane)
{
	const double *a = f->by + plane * FIT_PLANE;
	double *g = xalloc(WIDE * (RUN + TABLE_LAG), sizeof *g), sum = 0, all = now(f, plane)->mean;
	memset(g, 0, WIDE * (RUN + TABLE_LAG) * sizeof *g);
	for (int y = 0; y < RUN; y++) {
		double *to = g + (y + TABLE_LAG) * WIDE + TABLE_LAG;
		for (int x = 0; x < RUN; x++) {
			double v = y == 0 && x == RUN / 2;
			for (int k = 0; k < TABLE_TAPS; k++) v += a[k] * to[x + f->back[k]];
			to[x] = v < 1e9 && v > -1e9 ? v : 1e9;
			sum += to[x] * to[x];
		}
	}
	free(g);
	return sum < 1.06 * all && sum > 0.94 * all;
}

void fit_block_shares(struct fit *f)
{
	enum { FINE = 20 };
	struct gt_planes *o = xalloc(1, sizeof *o);
	struct grain_params g = { .lag = TABLE_LAG, .ar_shift = FINE };
	int *ar[3] = { g.ay, g.acb, g.acr };
	double sum[3][FIT_RINGS] = { { 0 } };
	for (int p = 0; p < 3; p++)
		for (int k = 0; k < TABLE_TAPS + (p > 0); k++) ar[p][k] = (int)mx_round(f->by[p * FIT_PLANE + k] * (1 << FINE));
	gt_planes_of(&g, f->sub, &f->up, o);
	for (int c = 0; c < 3; c++)
		for (int i = 0; i < FIT_BINS; i++)
			sum[c][f->ring[i]] += f->times[i] * gt_both(o, i, f->by + FIT_DEV, f->m[c], f->m[c]);
	densities(f);
	for (int c = 0; c < 3; c++)
		for (int r = 0; r < FIT_RINGS; r++)
			f->blocks[c][r] = f->have[c][r] > 0 && sum[c][r] > 0 ? f->seen[c][f->octave[r]] * sum[c][r] / f->have[c][r] : 1;
	free(o);
}
