/* grain_measure_spec - periodograms of grain: auto and cross spectra, the radial fit.
 *
 * Windows are Hann's (Welch 1967). Its kernel in frequency is 1/6, 2/3, 1/6 along each axis, taken out again to
 * second order. A trend fitted to a flat block takes known shares of the lowest bins (grain_measure_left.c).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_measure_int.h"
#include "mathx.h"
#include "mem.h"

#define DB_FLOOR (-60.0)
/* The last ring that is asked for detail that channels share; a coherence that is let pass. */
enum { TOGETHER_LAST = 8 };
#define TOGETHER_ALIKE 0.08

static double to_db(double p) { return p > 1e-6 ? 10 * mx_log10(p) : DB_FLOOR; }

int gm_spec_new(struct gm_spec *s, int n, struct err *e)
{
	size_t nn = (size_t)n * (size_t)n;
	double sum = 0;
	*s = (struct gm_spec){ .n = n };
	s->mem = calloc(14 * nn + (size_t)n, sizeof *s->mem);
	if (!s->mem) return err_set(e, E_MEMORY, "no memory for the spectra of grain");
	fft_make(&s->fft, n);
	gm_trend_make(s->trend);
	s->ring = xalloc(nn, 1);
	for (int i = 0; i < (int)nn; i++) s->ring[i] = (uint8_t)gm_ring_at(n, i);
	for (int c = 0; c < 3; c++) {
		s->p[c] = s->mem + (size_t)c * nn;
		s->x[c] = s->mem + (size_t)(3 + c) * nn;
	}
	s->win = s->mem + 14 * nn;
	for (int i = 0; i < n; i++) {
		s->win[i] = 0.5 - 0.5 * mx_cos(2 * MX_PI * (i + 0.5) / n);
		sum += s->win[i] * s->win[i];
	}
	for (int i = 0; i < n; i++) s->win[i] /= __builtin_sqrt(sum);
	return 0;
}

void gm_spec_free(struct gm_spec *s)
{
	gm_sights_free(s);
	for (int c = 0; c < 3; c++) free(s->left[c]);
	free(s->mem);
	free(s->ring);
	*s = (struct gm_spec){ 0 };
}

/* Adds powers and cross powers of d under the window (or NULL) to the rings of the mask. R and G go as one complex field, B by itself. */
static void transform(const struct gm_spec *s, const float *const d[3], ptrdiff_t stride, const double *win, uint32_t rings)
{
	int n = s->n;
	size_t nn = (size_t)n * (size_t)n;
	double *zr = s->mem + 6 * nn, *zi = zr + nn, *br = zi + nn, *bi = br + nn, *room = s->mem + 12 * nn;
	for (int y = 0; y < n; y++)
		for (int x = 0; x < n; x++) {
			double w = win ? win[x] * win[y] : 1;
			zr[y * n + x] = w * (double)d[0][y * stride + x];
			zi[y * n + x] = w * (double)d[1][y * stride + x];
			br[y * n + x] = w * (double)d[2][y * stride + x];
		}
	memset(bi, 0, nn * sizeof *bi);
	fft_square(&s->fft, zr, zi, room);
	fft_square(&s->fft, br, bi, room);
	for (int y = 0; y < n; y++)
		for (int x = 0; x < n; x++) {
			int i = y * n + x, j = (n - y) % n * n + (n - x) % n;
			if (!(rings >> s->ring[i] & 1)) continue;
			double rr = (zr[i] + zr[j]) / 2, ri = (zi[i] - zi[j]) / 2;
			double gr = (zi[i] + zi[j]) / 2, gi = (zr[j] - zr[i]) / 2;
			s->p[0][i] += rr * rr + ri * ri;
			s->p[1][i] += gr * gr + gi * gi;
			s->p[2][i] += br[i] * br[i] + bi[i] * bi[i];
			s->x[0][i] += rr * gr + ri * gi;
			s->x[1][i] += rr * br[i] + ri * bi[i];
			s->x[2][i] += gr * br[i] + gi * bi[i];
		}
}

void gm_spec_add(struct gm_spec *s, const float *const d[3], ptrdiff_t stride)
{
	transform(s, d, stride, s->win, ~0u);
	s->count++;
}

void gm_spec_add_rings(struct gm_spec *s, const float *const d[3], ptrdiff_t stride, uint32_t rings)
{
	transform(s, d, stride, s->win, rings);
	s->count++;
	for (int r = 0; r < GM_RINGS; r++) s->each[r] += rings >> r & 1;
}

void gm_spec_rings(struct gm_spec *s)
{
	int nn = s->n * s->n, most = 1;
	for (int r = 0; r < GM_RINGS; r++) most = s->each[r] > most ? s->each[r] : most;
	s->part = s->mem + 11 * nn;
	for (int i = 0; i < nn; i++) {
		int r = s->ring[i];
		double gain = s->each[r] ? (double)most / s->each[r] : 0;
		s->part[i] = (double)s->each[r] / most;
		for (int c = 0; c < 3; c++) {
			s->p[c][i] *= gain;
			s->x[c][i] *= gain;
		}
	}
	for (int c = 0; c < 3; c++) s->quant[c] *= s->count ? (double)most / s->count : 0;
	s->count = most;
}

/* What trends took, as if the grain were white. */
static void restore(struct gm_spec *s)
{
	size_t nn = (size_t)s->n * (size_t)s->n;
	gm_sights_make(s);
	for (int c = 0; c < 3; c++) {
		s->left[c] = xalloc(nn, sizeof *s->left[c]);
		if (!c) gm_spec_left(s, NULL, s->left[0]);
		else memcpy(s->left[c], s->left[0], nn * sizeof *s->left[c]);
	}
	for (size_t i = 0; i < nn; i++)
		for (int c = 0; c < 3; c++) {
			s->p[c][i] /= s->left[0][i];
			s->x[c][i] /= s->left[0][i];
		}
}

int gm_ring_at(int n, int i)
{
	int x = (i % n + n / 2) % n - n / 2, y = (i / n + n / 2) % n - n / 2;
	int k = (int)(__builtin_sqrt((double)(x * x + y * y)) * GM_BLOCK / n + 0.5);
	return k < GM_RINGS ? k : GM_RINGS - 1;
}

static int ring_of(const struct gm_spec *s, int i) { return s->ring[i]; }

int gm_ring_bins(int k)
{
	int n = 0;
	for (int i = 0; i < GM_BLOCK * GM_BLOCK; i++) n += gm_ring_at(GM_BLOCK, i) == k;
	return n;
}

/* Sums by ring become means. */
static void ring_means(const struct gm_spec *s, double ring[GM_RINGS], float out[GM_RINGS])
{
	int n[GM_RINGS] = { 0 };
	for (int i = 0; i < s->n * s->n; i++) n[ring_of(s, i)]++;
	for (int k = 0; k < GM_RINGS; k++) out[k] = n[k] ? (float)(ring[k] / n[k]) : 0;
}

void gm_spec_patch(const struct gm_spec *s, const float *const d[3], const float *const flat[3], struct gm_patch *p)
{
	int nn = s->n * s->n;
	double *v[6], sum[9][GM_RINGS] = { { 0 } }, norm = 1.0 / nn;
	for (int k = 0; k < 3; k++) { v[k] = s->p[k]; v[3 + k] = s->x[k]; }
	for (int pass = 0; pass < 2; pass++) {
		memset(s->mem, 0, 6 * (size_t)nn * sizeof *s->mem);
		transform(s, pass ? flat : d, s->n, pass ? s->win : NULL, ~0u);
		for (int i = 0; i < nn; i++) {
			int r = ring_of(s, i);
			for (int k = 0; k < (pass ? 6 : 3); k++) sum[3 * pass + k][r] += v[k][i] * (pass ? 1 : norm);
		}
	}
	for (int k = 0; k < 6; k++)
		for (int i = 0; i < GM_BINS; i++) {
			int x = i % GM_SIDE, y = i / GM_SIDE;
			p->bin[k][i] = mx_bf16((float)((v[k][y * s->n + x] + v[k][y * s->n + (s->n - x) % s->n]) / 2));
		}
	for (int c = 0; c < 3; c++) {
		for (int k = 0; k < GM_RINGS; k++) p->ring[c][k] = (float)(sum[c][k] / nn);
		ring_means(s, sum[3 + c], p->hann[c]);
		ring_means(s, sum[6 + c], p->cross[c]);
	}
	memset(s->mem, 0, 6 * (size_t)nn * sizeof *s->mem);
}

void gm_spec_block(const struct gm_spec *s, const float *const d[3], float ring[3][GM_RINGS])
{
	int nn = s->n * s->n;
	double sum[3][GM_RINGS] = { { 0 } };
	memset(s->mem, 0, 6 * (size_t)nn * sizeof *s->mem);
	transform(s, d, s->n, s->win, ~0u);
	for (int i = 0; i < nn; i++)
		for (int c = 0; c < 3; c++) sum[c][ring_of(s, i)] += s->p[c][i];
	for (int c = 0; c < 3; c++) ring_means(s, sum[c], ring[c]);
	memset(s->mem, 0, 6 * (size_t)nn * sizeof *s->mem);
}

/* Blocks that are left out for their energy, all channels' together, take of the channels' covariance C a part as C squared
 * is: of the modes that hold more, more. Per part of the energy: what goes of each channel, and of what pairs share. */
static void what_goes(const struct gm_spec *s, double cut[3], double shared[3])
{
	static const int of[3][3] = { { -1, 0, 1 }, { 0, -1, 2 }, { 1, 2, -1 } }, pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
	double p[3] = { 0, 0, 0 }, x[3] = { 0, 0, 0 }, c[3][3], all = 0;
	for (int i = 0; i < s->n * s->n; i++)
		for (int k = 0; k < 3; k++) {
			p[k] += s->p[k][i];
			x[k] += s->x[k][i];
		}
	for (int a = 0; a < 3; a++)
		for (int b = 0; b < 3; b++) c[a][b] = a == b ? 1 : p[a] * p[b] > 0 ? x[of[a][b]] / __builtin_sqrt(p[a] * p[b]) : 0;
	for (int k = 0; k < 3; k++) {
		cut[k] = shared[k] = 0;
		for (int j = 0; j < 3; j++) {
			cut[k] += c[k][j] * c[k][j];
			shared[k] += c[pair[k][0]][j] * c[pair[k][1]][j];
		}
		all += cut[k] / 3;
	}
	for (int k = 0; k < 3; k++) {
		cut[k] /= all;
		shared[k] /= all;
	}
}

void gm_spec_gather(struct gm_spec *s, const struct gm_flat *f, const struct gm_clean *o, double quantum)
{
	static const int pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
	int nn = s->n * s->n, most = 1;
	for (int k = 0; k < GM_RINGS; k++) most = o->count[k] > most ? o->count[k] : most;
	for (int i = 0; i < f->n; i++) {
		const struct gm_patch *p = &f->v[i];
		double g[3];
		if (!p->use) continue;
		for (int c = 0; c < 3; c++) {
			double v = gm_flat_want(o, p, c);
			g[c] = v > 0 ? 1 / __builtin_sqrt(v) : 0;
			s->quant[c] += quantum * g[c] * g[c];
		}
		s->count++;
		for (int q = 0; q < GM_BINS; q++) {
			int b = q / GM_SIDE * s->n + q % GM_SIDE;
			if (!(p->use >> ring_of(s, b) & 1)) continue;
			for (int c = 0; c < 3; c++) {
				s->p[c][b] += g[c] * g[c] * (double)mx_from_bf16(p->bin[c][q]);
				s->x[c][b] += g[pair[c][0]] * g[pair[c][1]] * (double)mx_from_bf16(p->bin[3 + c][q]);
			}
		}
	}
	for (int c = 0; c < 3; c++) s->quant[c] *= s->count ? (double)most / s->count : 0;
	s->count = most;
	s->part = s->mem + 11 * nn;
	double cut[3], shared[3];
	what_goes(s, cut, shared);
	for (int b = nn - 1; b >= 0; b--) {
		int k = ring_of(s, b), x = b % s->n, y = b / s->n;
		int of = (y < GM_SIDE ? y : s->n - y) * s->n + (x < GM_SIDE ? x : s->n - x);
		double n = o->count[k] ? (double)most / o->count[k] : 0, lost = 1 - o->whole[k];
		s->part[b] = (double)o->count[k] / most;
		for (int c = 0; c < 3; c++) s->p[c][b] = s->p[c][of] * n / (1 - lost * cut[c]);
		for (int c = 0; c < 3; c++) {
			double a = s->p[pair[c][0]][b] * s->p[pair[c][1]][b];
			s->x[c][b] = s->x[c][of] * n + (a > 0 ? lost * shared[c] * __builtin_sqrt(a) : 0);
		}
	}
}

void gm_spec_scale(struct gm_spec *s, int rings, double keep[3][GM_RINGS])
{
	for (int i = 0; i < s->n * s->n; i++) {
		int k = ring_of(s, i);
		if (k >= rings) continue;
		s->x[0][i] *= __builtin_sqrt(keep[0][k] * keep[1][k]);
		s->x[1][i] *= __builtin_sqrt(keep[0][k] * keep[2][k]);
		s->x[2][i] *= __builtin_sqrt(keep[1][k] * keep[2][k]);
		for (int c = 0; c < 3; c++) s->p[c][i] *= keep[c][k];
	}
}

void gm_spec_end(struct gm_spec *s, bool common, bool flat)
{
	int nn = s->n * s->n;
	for (int c = 0; c < 3; c++) {
		double q = s->quant[c] / s->count;
		static const int pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
		double qx = __builtin_sqrt(s->quant[pair[c][0]] * s->quant[pair[c][1]]) / s->count;
		for (int i = 0; i < nn; i++) {
			s->p[c][i] = s->p[c][i] / s->count - q;
			s->x[c][i] = s->x[c][i] / s->count - (common ? qx : 0);
		}
	}
	for (int c = 0; c < 3; c++) s->quant[c] /= s->count;
	if (flat) restore(s);
}

static double *at(const struct gm_spec *s, double *p, int x, int y)
{
	int n = s->n;
	return &p[(y + n) % n * n + (x + n) % n];
}

/* The window's kernel taken out: 1 - d/6 + d^2/36 along either axis, d the second difference. */
static void sharpen(const struct gm_spec *s, double *p, double *tmp)
{
	int n = s->n;
	for (int axis = 0; axis < 2; axis++) {
		for (int i = 0; i < n * n; i++) {
			int x = i % n, y = i / n, dx = !axis, dy = axis;
			double a = *at(s, p, x - dx, y - dy) + *at(s, p, x + dx, y + dy);
			double b = *at(s, p, x - 2 * dx, y - 2 * dy) + *at(s, p, x + 2 * dx, y + 2 * dy);
			double d1 = a - 2 * p[i], d2 = b - 4 * a + 6 * p[i];
			tmp[i] = p[i] - d1 / 6 + d2 / 36;
		}
		memcpy(p, tmp, (size_t)n * (size_t)n * sizeof *p);
	}
}

/* --- the radial fit --- */

/* dB of every bin; what is lost in its own noise takes the level of its ring. */
static void levels(const struct gm_spec *s, const double *p, double bias, double *db)
{
	enum { RINGS = GM_WINDOW };
	double sum[RINGS] = { 0 }, n[RINGS] = { 0 }, top = 0;
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < s->n * s->n; i++) {
			int x = (i % s->n + s->n / 2) % s->n - s->n / 2, y = (i / s->n + s->n / 2) % s->n - s->n / 2;
			int k = (int)(__builtin_sqrt((double)(x * x + y * y)) + 0.5);
			if (!pass) {
				sum[k] += p[i];
				n[k]++;
				continue;
			}
			double mean = sum[k] / n[k];
			top = mean > top ? mean : top;
			db[i] = p[i] < 0.3 * mean || mean < 1e-4 * top ? to_db(mean) : to_db(p[i]) + bias;
		}
}

struct fit { int n; double freq[GRAIN_BANDS], db[GRAIN_BANDS]; };

static void fit_knots(struct fit *f, int n)
{
	f->n = 0;
	while ((double)f->n / n < 0.7) { f->freq[f->n] = (double)f->n / n; f->n++; }
	f->freq[f->n++] = 0.7072;
}

/* Where r lies among the knots: its interval and the share of the upper end; false beyond. */
static bool fit_place(const struct fit *f, int n, double r, int *k, double *t)
{
	*k = (int)(r * n);
	if (*k > f->n - 2) *k = f->n - 2;
	*t = (r - f->freq[*k]) / (f->freq[*k + 1] - f->freq[*k]);
	return *t <= 1;
}

/* Least squares in dB by hat functions, a little stiff where there are no points. Returns the mean square of
 * what is left of points well above the floor that any anisotropy keeps inside. */
static double fit_run(struct fit *f, int n, const double *db, double aniso)
{
	double a[GRAIN_BANDS] = { 0 }, b[GRAIN_BANDS] = { 0 }, v[GRAIN_BANDS] = { 0 }, rss = 0, t;
	int k, points = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < n * n; i++) {
			double fx = (double)((i % n + n / 2) % n - n / 2) / n, fy = (double)((i / n + n / 2) % n - n / 2) / n;
			if (!fit_place(f, n, __builtin_sqrt(fx * fx / aniso + fy * fy * aniso), &k, &t)) continue;
			if (pass) {
				if (db[i] < -25 || fx * fx + fy * fy > 0.2) continue;
				double off = db[i] - f->db[k] - t * (f->db[k + 1] - f->db[k]);
				rss += off * off;
				points++;
				continue;
			}
			a[k] += (1 - t) * (1 - t);
			a[k + 1] += t * t;
			b[k] += t * (1 - t);
			v[k] += (1 - t) * db[i];
			v[k + 1] += t * db[i];
		}
		if (pass) break;
		for (k = 0; k + 1 < f->n; k++) {
			a[k] += 1e-3;
			a[k + 1] += 1e-3;
			b[k] -= 1e-3;
		}
		for (k = 1; k < f->n; k++) {
			double m = b[k - 1] / a[k - 1];
			a[k] -= m * b[k - 1];
			v[k] -= m * v[k - 1];
		}
		for (k = f->n - 1; k >= 0; k--)
			f->db[k] = (v[k] - (k + 1 < f->n ? b[k] * f->db[k + 1] : 0)) / a[k];
	}
	return points ? rss / points : 0;
}

/* Vertical to horizontal extent: what makes the rings rounder; 1 where that gains nothing, and where it explains less than
 * half of what is left of rings (all but chance, the variance of a bin in dB): what is no ellipse, as AV1's grain, has
 * its octaves nearest by rings. */
static double find_aniso(struct fit *f, int n, const double *db, double chance)
{
	enum { STEPS = 12 };                              /* 2^(+-0.6), a tenth of an octave apart */
	double rss[STEPS + 1], round = fit_run(f, n, db, 1);
	int best = 0;
	for (int i = 0; i <= STEPS; i++) {
		rss[i] = fit_run(f, n, db, mx_exp2((i - STEPS / 2) * 0.1));
		if (rss[i] < rss[best]) best = i;
	}
	double at_best = (best - STEPS / 2) * 0.1;
	if (best > 0 && best < STEPS) {
		double c = rss[best - 1] - 2 * rss[best] + rss[best + 1];
		if (c > 0) at_best += 0.05 * (rss[best - 1] - rss[best + 1]) / c;
	}
	double a = mx_round(mx_exp2(at_best) * 1000) / 1000;
	double left = fit_run(f, n, db, a);
	return left > 0.9 * round || round - left < 0.5 * (round - chance) ? 1 : a;
}

static double mean_of(const double *p, int n)
{
	double sum = 0;
	for (int i = 0; i < n; i++) sum += p[i];
	return sum / n;
}

/* Mean over the bins of rings from one on of cross pair k over the powers a and b of the rings, weighed by power where that
 * is under faint and alike above; kept: what the window leaves of it, by ring;
 * bins: so many alone would tell as much. */
static double coherence(const struct gm_spec *s, int k, const double *a, const double *b, const double *kept, double faint, int from,
                        double *bins)
{
	double num = 0, den = 0, squares = 0;
	for (int i = 0; i < s->n * s->n; i++) {
		int r = ring_of(s, i);
		double m = a[r] > 0 && b[r] > 0 ? __builtin_sqrt(a[r] * b[r]) : 0, w = m / (m + faint);
		if (!(m > 0) || r < from) continue;
		if (faint > 1e6 * m) w = __builtin_sqrt(w);
		if (s->part) w *= __builtin_sqrt(s->part[i]);
		num += w * w * s->x[k][i] / m * kept[r];
		den += w * w * kept[r] * kept[r];
		squares += w * w * w * w;
	}
	*bins = squares > 0 ? den * den / squares : 1;
	return den > 0 ? num / den : 0;
}

/* How much more two channels have together at rings from..to than above, in standard errors, where it is more than a
 * little: detail does, grain does not. a, b: means by ring; faint: no ring below that counts. */
static double together(const struct gm_spec *s, int k, const double *a, const double *b, const double *kept, double faint, int from,
                       int to, double nu)
{
	double sum[2] = { 0, 0 }, n[2] = { 0, 0 }, squares[2] = { 0, 0 };
	for (int i = 0; i < s->n * s->n; i++) {
		int r = ring_of(s, i), high = r > TOGETHER_LAST;
		double m = a[r] > 0 && b[r] > 0 ? __builtin_sqrt(a[r] * b[r]) : 0, w = s->part ? s->part[i] : 1;
		if (!(m > faint) || r < from || (r > to && !high)) continue;
		sum[high] += w * s->x[k][i] / m * kept[r];
		n[high] += w * kept[r] * kept[r];
		squares[high] += w * w;
	}
	if (!(n[0] > 0 && n[1] > 0)) return 0;
	double more = sum[0] / n[0] - sum[1] / n[1];
	double var = 1.2 * (squares[0] / (n[0] * n[0]) + squares[1] / (n[1] * n[1])) / nu;
	return more > TOGETHER_ALIKE ? more / __builtin_sqrt(var) : 0;
}

/* What the window leaves of a pair's coherence, by ring. */
static void smear_rings(struct gm_spec *s, const struct gm_radial *fit, const double aniso[3], int k, double kept[GM_RINGS])
{
	int nn = s->n * s->n;
	double *v = s->mem + 6 * nn, sum[3][GM_RINGS] = { { 0 } };
	gm_smear(s, fit, aniso, k, v, v + nn, v + 2 * nn);
	for (int i = 0; i < nn; i++)
		for (int c = 0; c < 3; c++) sum[c][ring_of(s, i)] += v[c * nn + i];
	for (int r = 0; r < GM_RINGS; r++) kept[r] = sum[0][r] > 0 && sum[1][r] > 0 ? sum[2][r] / __builtin_sqrt(sum[0][r] * sum[1][r]) : 1;
}

/* Where it is the same in every bin, all count alike that stand above what is faint: their errors are alike, too. Where it is
 * not, as with subsampled chroma, what the channels have together is kept. Of flat blocks the lowest rings hold detail, as
 * far as a tenth of the grain lies above them. */
static void correlate(struct gm_spec *s, struct grain_profile *p, const struct gm_radial *fit, double nu, bool flat)
{
	static const int pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
	const double faint = flat ? 0.01 : 0.02;
	double all = 0, below = 0;
	int from = 0;
	double ring[3][GM_RINGS] = { { 0 } }, n[GM_RINGS] = { 0 }, top[3] = { 0, 0, 0 };
	for (int i = 0; i < s->n * s->n; i++) {
		int k = ring_of(s, i);
		n[k]++;
		for (int c = 0; c < 3; c++) ring[c][k] += s->p[c][i];
	}
	for (int c = 0; c < 3; c++)
		for (int k = 0; k < GM_RINGS; k++) {
			all += ring[c][k];
			ring[c][k] /= n[k] > 0 ? n[k] : 1;
			top[c] = ring[c][k] > top[c] ? ring[c][k] : top[c];
		}
	while (flat && from < 5) {
		for (int c = 0; c < 3; c++) below += ring[c][from] * n[from];
		if (from >= 4 && below > 0.9 * all) break;
		from++;
	}
	for (int k = 0; k < 3; k++) {
		const double *a = ring[pair[k][0]], *b = ring[pair[k][1]];
		double bins[2], r[2], kept[GM_RINGS], both = __builtin_sqrt(top[pair[k][0]] * top[pair[k][1]]);
		smear_rings(s, fit, p->aniso, k, kept);
		r[0] = coherence(s, k, a, b, kept, faint * both, from, &bins[0]);
		r[1] = coherence(s, k, a, b, kept, 1e9 * both, from, &bins[1]);
		for (int low = 3; flat && low < TOGETHER_LAST; low += 3) {
			double odd = together(s, k, a, b, kept, faint * both, low, low + 2, nu);
			s->odd = odd > s->odd ? odd : s->odd;
		}
		double off = r[0] - r[1], chance = __builtin_sqrt(1.2 / (bins[1] * nu));
		bool even = flat || (off < 3 * chance && off > -3 * chance);
		s->bins = bins[!even];
		p->corr[k] = mx_round((r[!even] > 1 ? 1 : r[!even] < -1 ? -1 : r[!even]) * 1e4) / 1e4;
	}
}

/* Of what three channels tell, the part that as many independent ones would. */
static double apart(const struct gm_spec *s)
{
	static const int pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
	int nn = s->n * s->n;
	double all = 3;
	for (int k = 0; k < 3; k++) {
		double a = mean_of(s->p[pair[k][0]], nn), b = mean_of(s->p[pair[k][1]], nn), x = mean_of(s->x[k], nn);
		all += a > 0 && b > 0 ? 2 * x * x / (a * b) : 0;
	}
	return 3 / all;
}

double gm_mean_power(const struct grain_profile *p, int c, int n)
{
	double sum = 0;
	for (int i = 0; i < n * n; i++)
		sum += grain_profile_power(p, c, (double)((i % n + n / 2) % n - n / 2) / n, (double)((i / n + n / 2) % n - n / 2) / n) / (n * n);
	return sum;
}

void gm_spec_profile(struct gm_spec *s, struct grain_profile *p, double nu, double mean[3])
{
	int n = s->n, nn = n * n;
	struct fit f;
	struct gm_radial fit[3];
	struct gm_spectral in[3];
	double *tmp = s->mem + 6 * nn, *db = tmp + nn, *raw = db + nn;
	double norm[3], whole[3], bias = 4.343 / (1.4 * s->count);           /* the mean of a logarithm; windows overlap */
	fit_knots(&f, n);
	for (int c = 0; c < 3; c++) {
		double m = mean_of(s->p[c], nn);
		whole[c] = m;
		for (int i = 0; i < nn; i++) s->p[c][i] = m > 0 ? s->p[c][i] / m : 1;
		norm[c] = m > 0 ? m : 1;
		s->quant[c] = m > 0 ? s->quant[c] / m : 0;
	}
	for (int i = 0; i < nn; i++) {
		s->x[0][i] /= __builtin_sqrt(norm[0] * norm[1]);
		s->x[1][i] /= __builtin_sqrt(norm[0] * norm[2]);
		s->x[2][i] /= __builtin_sqrt(norm[1] * norm[2]);
	}
	for (int c = 0; c < 3; c++) {
		memcpy(raw, s->p[c], (size_t)nn * sizeof *raw);
		sharpen(s, raw, tmp);
		levels(s, raw, bias, db);
		p->aniso[c] = find_aniso(&f, n, db, 18.86 / nu);
		in[c] = (struct gm_spectral){ s->quant[c], nu * apart(s), p->aniso[c], s->left[c], s->part };
	}
	gm_fit(s, s->p, in, fit);
	for (int c = 0; c < 3; c++) {
		p->nband = fit[c].n;
		for (int k = 0; k < fit[c].n; k++) {
			p->freq[k] = fit[c].freq[k];
			p->db[k][c] = 4.342944819 * fit[c].ln[k] < DB_FLOOR ? DB_FLOOR : 4.342944819 * fit[c].ln[k];
		}
		double level = 10 * mx_log10(gm_mean_power(p, c, GM_WINDOW));
		if (mean) mean[c] = whole[c] * gm_mean_power(p, c, n) + s->quant[c] * norm[c];
		for (int k = 0; k < p->nband; k++) p->db[k][c] = mx_round((p->db[k][c] - level) * 1000) / 1000;
	}
	correlate(s, p, fit, nu, mean != NULL);
}
