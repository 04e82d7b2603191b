/* grain_table_from - the nearest parameters of AV1's film grain to a profile.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "cholesky.h"
#include "grain_table_int.h"
#include "mathx.h"
#include "mem.h"
#include "yuv.h"

enum { N = GT_N, NN = GT_NN };
/* Deviation of a template whose ends are cut off at 127 in one of a hundred places. */
#define TALL 48

/* Cross density of two weighted sums of the channels at a luma. */
static void sum_power(const struct grain_profile *p, const double v[3], const double w[3], double luma, double *d)
{
	static const int pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
	for (int i = 0; i < NN; i++) {
		double a[3], sum = 0;
		for (int c = 0; c < 3; c++)
			a[c] = grain_profile_sigma(p, c, luma) * __builtin_sqrt(grain_profile_power(p, c, gt_freq(i % N), gt_freq(i / N)));
		for (int c = 0; c < 3; c++) {
			int q = pair[c][0], r = pair[c][1];
			sum += v[c] * w[c] * a[c] * a[c] + p->corr[c] * (v[q] * w[r] + v[r] * w[q]) * a[q] * a[r];
		}
		d[i] = sum < 0 && v == w ? 0 : sum;
	}
}

/* The recursion whose output correlates as the density says (Yule and Walker). */
static void ar_fit(const double *d, double floor, double a[TABLE_TAPS])
{
	enum { SPAN = 2 * TABLE_LAG, WIDE = 4 * TABLE_LAG + 1 };
	double r[SPAN + 1][WIDE], s[TABLE_TAPS * TABLE_TAPS];
	int at[TABLE_TAPS][2], n = 0;
	gt_correlations(d, SPAN, r[0]);
	for (int dy = -TABLE_LAG; dy <= 0; dy++)
		for (int dx = -TABLE_LAG; dx <= TABLE_LAG && (dy || dx < 0); dx++, n++) { at[n][0] = dx; at[n][1] = dy; }
	for (int i = 0; i < n; i++) {
		for (int j = 0; j < n; j++) {
			int dx = at[i][0] - at[j][0], dy = at[i][1] - at[j][1];
			if (dy < 0) { dx = -dx; dy = -dy; }
			s[i * n + j] = r[dy][dx + SPAN] + (i == j ? floor : 0);
		}
		a[i] = r[-at[i][1]][-at[i][0] + SPAN];
	}
	chol_root(s, n, n, 1e-12);
	chol_solve(s, n, n, a);
}

static int coefficient(double v, int shift)
{
	double t = mx_round(v * (1 << shift));
	return t > 127 ? 127 : t < -128 ? -128 : (int)t;
}

/* How far, in dB, a rounded recursion's spectrum is from a density, where that is more than faint. */
static double miss(const double *d, const double *a)
{
	double real[TABLE_TAPS], power[NN], top = 0, sum = 0, m = gt_mean(d), own;
	int shift = 9, n = 0;
	for (int i = 0; i < TABLE_TAPS; i++)
		while (shift > 6 && (a[i] < 0 ? -a[i] : a[i]) * (1 << shift) > 127) shift--;
	for (int i = 0; i < TABLE_TAPS; i++) real[i] = coefficient(a[i], shift) / (double)(1 << shift);
	gt_recursion(real, TABLE_LAG, power, NULL, NULL);
	own = gt_mean(power);
	for (int i = 0; i < NN; i++) top = d[i] > top ? d[i] : top;
	for (int i = 0; i < NN; i++) {
		if (d[i] < 1e-3 * top) continue;
		double off = mx_log10(power[i] / own) - mx_log10(d[i] / m);
		sum += off < 0 ? -off : off;
		n++;
	}
	return n ? 10 * sum / n : 0;
}

/* Coarse grain's recursion is all but unstable and does not bear rounding; some white noise added to the density calms it. */
static void ar_best(const double *d, double a[TABLE_TAPS])
{
	double best = 1e300, floor = 1e-5, tried[TABLE_TAPS];
	for (int k = 0; k < 8; k++, floor *= 4) {
		ar_fit(d, floor, tried);
		double off = miss(d, tried);
		if (off >= best) continue;
		best = off;
		memcpy(a, tried, sizeof tried);
	}
}

/* The scaling points of one plane; its deviation per level in codes. Returns the
 * largest scaling needed at shift 8. */
static double levels_of(const struct grain_profile *p, const double w[3], const struct gt_up *up, double one,
                        int n, double *dev, double *d)
{
	double most = 0;
	for (int i = 0; i < n; i++) {
		double l = (double)i / (n - 1);
		sum_power(p, w, w, l, d);
		if (up) gt_half(d, up);
		dev[i] = __builtin_sqrt(gt_mean(d)) * one;
		most = dev[i] > most ? dev[i] : most;
	}
	return most;
}

/* What one plane is to be: spectrum, correlation with luma at its own size. */
struct wanted { double d[NN], rho; };

static void want(const struct grain_profile *p, const double w[3], const double luma[3], bool chroma,
                 const struct gt_up *up, struct wanted *o)
{
	double y[NN], x[NN];
	sum_power(p, w, w, 0.45, o->d);
	sum_power(p, luma, luma, 0.45, y);
	sum_power(p, luma, w, 0.45, x);
	if (up) {
		gt_downsample(o->d);
		gt_downsample(y);
		gt_downsample(x);
	}
	double v = gt_mean(o->d) * gt_mean(y);
	o->rho = chroma && v > 0 ? gt_mean(x) / __builtin_sqrt(v) : 0;
	if (!up) return;
	sum_power(p, w, w, 0.45, o->d);
	gt_half(o->d, up);
}

/* Luma's density that gives R, G, B theirs, in the mean of their decibels, beside what chroma g gives them: where
 * chroma has no pixels to hold what the channels do not share, luma has all of it. */
static void lift(const struct grain_params *g, const struct grain_profile *p, const struct grain_picture *to,
                 const struct gt_up *up, double w[3][3], double *y)
{
	struct gt_planes *o = xalloc(1, sizeof *o);
	double *d = xalloc(4 * NN, sizeof *d), m[3][3], s[3];
	gt_mix(to->matrix, m);
	gt_planes_of(g, to->subsampled, up, o);
	for (int k = 0; k < 3; k++) {
		sum_power(p, w[k], w[k], 0.45, d);
		if (k && to->subsampled) gt_half(d, up);
		s[k] = __builtin_sqrt(gt_mean(d));
	}
	for (int c = 0; c < 3; c++) sum_power(p, (double[]){ c == 0, c == 1, c == 2 }, (double[]){ c == 0, c == 1, c == 2 }, 0.45, d + c * NN);
	sum_power(p, w[0], w[0], 0.45, d + 3 * NN);
	for (int i = 0; i < NN; i++) {
		double sum = 0, least = 0.25 * d[3 * NN + i];
		for (int c = 0; c < 3; c++) {
			double rest = d[c * NN + i] - gt_both(o, i, s, m[c], m[c]) + s[0] * s[0] * o->d[0][i];
			sum += mx_log2(rest > least ? rest : least > 1e-30 ? least : 1e-30) / 3;
		}
		y[i] = mx_exp2(sum);
	}
	free(o);
	free(d);
}

/* The recursion, and the share of luma's template (density y) in it; they depend on each other. */
static double fit_plane(const struct wanted *o, const double *y, double a[TABLE_TAPS])
{
	double share = 0, q[NN], power[NN], real[NN];
	for (int turn = 0; turn < 6; turn++) {
		for (int i = 0; i < NN; i++) q[i] = o->d[i] / (1 + share * share * y[i]);
		ar_best(q, a);
		if (o->rho == 0) break;
		gt_recursion(a, TABLE_LAG, power, real, NULL);
		double own = 0, through = 0, both = 0;
		for (int i = 0; i < NN; i++) {
			own += power[i] / NN;
			through += power[i] * y[i] / NN;
			both += real[i] * y[i] / NN;
		}
		double rest = both * both - o->rho * o->rho * through * gt_mean(y);
		double t = rest > 0 ? __builtin_sqrt(o->rho * o->rho * own * gt_mean(y) / rest) : 1;
		t = t > 0.98 ? 0.98 : t;
		share = (o->rho < 0) != (both < 0) ? -t : t;
	}
	return share;
}

/* Deviation of a plane's template, in codes of 8 bits, of its rounded coefficients; luma's density goes to y. */
static double unit_of(const int *a, int shift, bool chroma, bool sub, double *y)
{
	double real[TABLE_TAPS], d[NN], share = chroma ? a[TABLE_TAPS] / (double)(1 << shift) : 0;
	for (int i = 0; i < TABLE_TAPS; i++) real[i] = a[i] / (double)(1 << shift);
	gt_recursion(real, TABLE_LAG, d, NULL, NULL);
	if (!chroma) {
		memcpy(y, d, sizeof d);
		if (sub) gt_downsample(y);
	}
	for (int i = 0; i < NN && chroma; i++) d[i] *= 1 + share * share * y[i];
	return __builtin_sqrt(gt_mean(d)) * GT_TEMPLATE;
}

void gt_room(struct grain_params *g, bool subsampled)
{
	const int *ar[3] = { g->ay, g->acb, g->acr };
	double y[NN], tallest = 0;
	for (int k = 0; k < 3; k++) {
		double unit = unit_of(ar[k], g->ar_shift, k > 0, subsampled, y);
		tallest = unit > tallest ? unit : tallest;
	}
	for (g->grain_shift = 0; g->grain_shift < 3 && tallest / (1 << g->grain_shift) > TALL; ) g->grain_shift++;
}

/* Of all planes: coefficients, one by one; luma of density high unless NULL. */
static void fit_all(const struct grain_profile *p, double w[3][3], bool sub, const struct gt_up *up, const double *high,
                    struct grain_params *g)
{
	struct wanted *o = xalloc(1, sizeof *o);
	double *y = xalloc(NN, sizeof *y), real[3][TABLE_TAPS + 1];
	int *ar[3] = { g->ay, g->acb, g->acr };
	g->ar_shift = 9;
	for (int k = 0; k < 3; k++) {
		want(p, w[k], w[0], k > 0, k && sub ? up : NULL, o);
		if (!k && high) memcpy(o->d, high, sizeof o->d);
		real[k][TABLE_TAPS] = fit_plane(o, y, real[k]);
		if (k == 0) {
			gt_recursion(real[0], TABLE_LAG, y, NULL, NULL);
			if (sub) gt_downsample(y);
		}
		for (int i = 0; i <= TABLE_TAPS; i++) {
			double a = real[k][i] < 0 ? -real[k][i] : real[k][i];
			while (g->ar_shift > 6 && a * (1 << g->ar_shift) > 127) g->ar_shift--;
		}
	}
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < TABLE_TAPS + (k > 0); i++) ar[k][i] = coefficient(real[k][i], g->ar_shift);
	free(o);
	free(y);
}

/* What a code of each plane is of the full scale, in codes of 8 bits. */
static void codes(const struct grain_picture *to, double one[3])
{
	one[0] = to->full ? 255 : 219;
	one[1] = one[2] = to->full ? 255 : 224;
}

/* Variance that rounding to whole codes adds, in codes of 8 bits squared. */
static double rounding(const struct grain_picture *to) { return __builtin_ldexp(1.0 / 12, -2 * (to->bits - 8)); }

/* A density of R, G, B or between two of them (m: their rows of gt_mix) without the white noise that rounding adds to each
 * plane; of a channel, at least a twentieth of it stays. */
static void unround(const struct grain_picture *to, const struct gt_up *up, const double *a, const double *b, double *d)
{
	double one[3], v = rounding(to);
	codes(to, one);
	for (int i = 0; i < NN; i++) {
		double white = a[0] * b[0] / (one[0] * one[0]) + up->power[i] * (a[1] * b[1] + a[2] * b[2]) / (one[1] * one[1]);
		double rest = d[i] - v * white;
		d[i] = a == b && rest < 0.05 * d[i] ? 0.05 * d[i] : rest;
	}
}

/* Variance of whole numbers that a normal value of that deviation is rounded to (the characteristic function's series). */
static double whole_variance(double dev)
{
	double v = dev * dev, sum = v + 1.0 / 12;
	if (dev < 0.1) return 0;
	for (int k = 1; k <= 8; k++)
		sum += (k % 2 ? -1 : 1) * (4 * v + 1 / (MX_PI * MX_PI * k * k)) * mx_exp(-2 * MX_PI * MX_PI * k * k * v);
	return sum;
}

/* The deviation, in codes of 8 bits, that rounding makes that one of. */
static double before_rounding(const struct grain_picture *to, double dev)
{
	double unit = __builtin_ldexp(1, to->bits - 8), want = dev * unit, low = 0, high = want;
	if (!(dev > 0)) return 0;
	if (whole_variance(high) < want * want) return dev;
	for (int i = 0; i < 40; i++) {
		double mid = (low + high) / 2;
		if (whole_variance(mid) < want * want) low = mid;
		else high = mid;
	}
	return low / unit;
}

/* Parameters for R, G, B, and the planes' deviations, rounded, over those of the profile's own Y, Cb, Cr; how far off
 * (gt_fit). */
static double fit_together(const struct grain_profile *p, const struct grain_picture *to, const struct gt_up *up,
                           double w[3][3], struct grain_params *g, double more[3])
{
	bool sub = to->subsampled;
	static const int pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
	static const double unit[3][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };
	double *d = xalloc(7 * NN, sizeof *d), base[3], m[3][3], one[3], off;
	const double *own[3], *cross[3];
	gt_mix(to->matrix, m);
	codes(to, one);
	for (int c = 0; c < 3; c++) {
		sum_power(p, unit[c], unit[c], 0.45, d + c * NN);
		sum_power(p, unit[pair[c][0]], unit[pair[c][1]], 0.45, d + (3 + c) * NN);
		unround(to, up, m[c], m[c], d + c * NN);
		unround(to, up, m[pair[c][0]], m[pair[c][1]], d + (3 + c) * NN);
		own[c] = d + c * NN;
		cross[c] = d + (3 + c) * NN;
		sum_power(p, w[c], w[c], 0.45, d + 6 * NN);
		if (c && sub) gt_half(d + 6 * NN, up);
		more[c] = base[c] = __builtin_sqrt(gt_mean(d + 6 * NN));
	}
	fit_all(p, w, sub, up, NULL, g);
	lift(g, p, to, up, w, d + 6 * NN);
	fit_all(p, w, sub, up, d + 6 * NN, g);
	more[0] = __builtin_sqrt(gt_mean(d + 6 * NN));
	off = gt_fit(g, to, own, cross, more);
	for (int c = 0; c < 3; c++) {
		double v = more[c] * more[c] + rounding(to) / (one[c] * one[c]);
		more[c] = base[c] > 0 ? __builtin_sqrt(v) / base[c] : 1;
	}
	free(d);
	return off;
}

int grain_table_from(const struct grain_profile *p, const struct grain_picture *to, struct grain_params *g, double *off,
                     struct err *e)
{
	double kr, kb, dev[3][TABLE_Y], unit[3], top = 0;
	double one[3];
	double *d = xalloc(NN, sizeof *d);
	struct gt_up *up = xalloc(1, sizeof *up);
	int count[3] = { TABLE_Y, TABLE_C, TABLE_C };
	*g = (struct grain_params){ .end = INT64_MAX, .apply = 1, .seed = 7391, .update = 1,
		.lag = TABLE_LAG, .ar_shift = 9,
		.scaling_shift = 11, .overlap = 1, .cb_mult = 128, .cb_luma_mult = 192, .cb_offset = 256, .cr_mult = 128,
		.cr_luma_mult = 192, .cr_offset = 256, .ny = TABLE_Y, .ncb = TABLE_C, .ncr = TABLE_C };
	codes(to, one);
	gt_up_of(to, up);
	yuv_weights(to->matrix, &kr, &kb);
	double kg = 1 - kr - kb, u = 0.5 / (1 - kb), v = 0.5 / (1 - kr);
	double w[3][3] = { { kr, kg, kb }, { -kr * u, -kg * u, (1 - kb) * u }, { (1 - kr) * v, -kg * v, -kb * v } };
	double more[3], y[NN];
	const int *ar[3] = { g->ay, g->acb, g->acr };
	*off = fit_together(p, to, up, w, g, more);
	for (int k = 0; k < 3; k++) unit[k] = unit_of(ar[k], g->ar_shift, k > 0, to->subsampled, y);
	for (int k = 0; k < 3; k++) {
		double most = levels_of(p, w[k], k && to->subsampled ? up : NULL, one[k], count[k], dev[k], d);
		for (int i = 0; i < count[k]; i++) dev[k][i] = before_rounding(to, dev[k][i] * more[k]);
		most *= more[k];
		unit[k] /= 1 << g->grain_shift;
		for (int i = 0; i < count[k]; i++) dev[k][i] /= unit[k];
		top = most / unit[k] > top ? most / unit[k] : top;
	}
	free(d);
	free(up);
	while (g->scaling_shift > 8 && top * (1 << g->scaling_shift) > 255) g->scaling_shift--;
	if (top * (1 << g->scaling_shift) > 255.5)
		return err_set(e, E_INPUT, "the grain is too strong for a film grain table (%.1f codes of "
		               "8 bits)", top * GT_TEMPLATE);
	for (int k = 0; k < 3; k++) {
		int (*pt)[2] = k == 0 ? g->y : k == 1 ? g->cb : g->cr;
		for (int i = 0; i < count[k]; i++) {
			double l = (double)i / (count[k] - 1);
			pt[i][0] = (int)mx_round(to->full ? 255 * l : 16 + 219 * l);
			pt[i][1] = (int)mx_round(dev[k][i] * (1 << g->scaling_shift));
		}
	}
	return 0;
}
