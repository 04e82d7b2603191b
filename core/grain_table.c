/* grain_table - see grain_table.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "grain_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "mathx.h"
#include "mem.h"
#include "yuv.h"

enum { N = 64, NN = N * N, LEVELS = 14 };
/* Deviation of the specification's normal table at 8 bits. */
#define TEMPLATE 32.0

/* --- the file --- */

struct reader { const char *s, *path; int line; struct err *e; };

/* The next word of this line, or NULL at its end. */
static const char *word(struct reader *r, char buf[32])
{
	int n = 0;
	while (*r->s == ' ' || *r->s == '\t' || *r->s == '\r') r->s++;
	for (; *r->s && !strchr(" \t\r\n", *r->s) && n < 31; r->s++) buf[n++] = *r->s;
	buf[n] = 0;
	return n ? buf : NULL;
}

static int number(struct reader *r, const char *what, int64_t lo, int64_t hi, int64_t *out)
{
	char buf[32], *end;
	const char *w = word(r, buf);
	if (!w) return err_set(r->e, E_INPUT, "%s:%d: %s: a number is missing", r->path, r->line, what);
	long long v = strtoll(w, &end, 10);
	if (*end || v < lo || v > hi)
		return err_set(r->e, E_INPUT, "%s:%d: %s: %s is no whole number from %lld to %lld", r->path,
		               r->line, what, w, (long long)lo, (long long)hi);
	*out = v;
	return 0;
}

static int numbers(struct reader *r, const char *what, int lo, int hi, int n, int *out)
{
	int64_t v;
	for (int i = 0; i < n; i++) {
		if (number(r, what, lo, hi, &v) < 0) return -1;
		out[i] = (int)v;
	}
	return 0;
}

static int points(struct reader *r, const char *what, int most, int *n, int (*v)[2])
{
	if (numbers(r, what, 0, most, 1, n) < 0) return -1;
	for (int i = 0; i < *n; i++) {
		if (numbers(r, what, 0, 255, 2, v[i]) < 0) return -1;
		if (i && v[i][0] <= v[i - 1][0])
			return err_set(r->e, E_INPUT, "%s:%d: %s: %d does not ascend", r->path, r->line, what, v[i][0]);
	}
	return 0;
}

/* One line after an E; its bit comes into seen. */
static int one_line(struct reader *r, const char *w, struct grain_params *g, unsigned *seen)
{
	static const char *const names[] = { "p", "sY", "sCb", "sCr", "cY", "cCb", "cCr" };
	int v[12], k = 0, taps;
	while (k < 7 && strcmp(w, names[k]) != 0) k++;
	if (k == 7)
		return err_set(r->e, E_INPUT, "%s:%d: unknown line \"%s\" in a film grain table",
		               r->path, r->line, w);
	if (k > 3 && !(*seen & 1)) return err_set(r->e, E_INPUT, "%s:%d: %s before p", r->path, r->line, w);
	*seen |= 1u << k;
	taps = 2 * g->lag * (g->lag + 1);
	switch (k) {
	case 1: return points(r, w, TABLE_Y, &g->ny, g->y);
	case 2: return points(r, w, TABLE_C, &g->ncb, g->cb);
	case 3: return points(r, w, TABLE_C, &g->ncr, g->cr);
	case 4: return numbers(r, w, -128, 127, taps, g->ay);
	case 5: return numbers(r, w, -128, 127, taps + 1, g->acb);
	case 6: return numbers(r, w, -128, 127, taps + 1, g->acr);
	default: break;
	}
	if (numbers(r, w, 0, 511, 12, v) < 0) return -1;
	if (v[0] > 3 || v[1] < 6 || v[1] > 9 || v[2] > 3 || v[3] < 8 || v[3] > 11 || v[4] > 1 || v[5] > 1)
		return err_set(r->e, E_INPUT, "%s:%d: p: lag 0-3, coefficient shift 6-9, grain shift 0-3, "
		               "scaling shift 8-11, two flags", r->path, r->line);
	g->lag = v[0]; g->ar_shift = v[1]; g->grain_shift = v[2]; g->scaling_shift = v[3];
	g->chroma_from_luma = v[4]; g->overlap = v[5];
	g->cb_mult = v[6]; g->cb_luma_mult = v[7]; g->cb_offset = v[8];
	g->cr_mult = v[9]; g->cr_luma_mult = v[10]; g->cr_offset = v[11];
	return 0;
}

/* The E line: times, apply, seed, update. */
static int entry(struct reader *r, struct grain_params *g)
{
	int64_t v[5];
	*g = (struct grain_params){ .ar_shift = 7, .scaling_shift = 11 };
	for (int i = 0; i < 5; i++)
		if (number(r, "E", 0, i < 2 ? INT64_MAX : i == 3 ? 65535 : 1, &v[i]) < 0) return -1;
	g->start = v[0]; g->end = v[1];
	g->apply = (int)v[2]; g->seed = (int)v[3]; g->update = (int)v[4];
	return 0;
}

int grain_table_parse(const char *text, const char *path, struct grain_params *out, int *n, struct err *e)
{
	struct reader r = { text, path, 1, e };
	struct grain_params g = { 0 };
	unsigned seen = 0;
	int sets = 0, kept = 0;
	char buf[32];
	if (strncmp(text, "filmgrn1", 8) != 0)
		return err_set(e, E_INPUT, "%s: not a film grain table (no \"filmgrn1\")", path);
	for (;;) {
		r.s += strcspn(r.s, "\n");
		bool end = !*r.s;
		const char *w = NULL;
		if (!end) { r.s++; r.line++; w = word(&r, buf); }
		if (!end && !w) continue;
		if (end || strcmp(w, "E") == 0) {
			if (sets && g.update && seen != 0x7f)
				return err_set(e, E_INPUT, "%s:%d: the table is cut off: a set has not all of p, "
				               "sY, sCb, sCr, cY, cCb, cCr", path, r.line);
			if (sets && !kept && g.apply && g.update) { *out = g; kept = 1; }
			if (end) break;
			if (entry(&r, &g) < 0) return -1;
			sets++;
			seen = 0;
		} else if (!sets) return err_set(e, E_INPUT, "%s:%d: %s before the first E", path, r.line, w);
		else if (one_line(&r, w, &g, &seen) < 0) return -1;
		if (word(&r, buf)) return err_set(e, E_INPUT, "%s:%d: \"%s\" is too much", path, r.line, buf);
	}
	if (n) *n = sets;
	return kept ? 0 : err_set(e, E_INPUT, "%s: no set of parameters in it applies grain", path);
}

static int append(char *s, int at, const char *fmt, ...) IN_PRINTF(3, 4);
static int append(char *s, int at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(s + at, (size_t)(4096 - at), fmt, ap);
	va_end(ap);
	return at + n;
}

char *grain_table_text(const struct grain_params *g)
{
	char *s = xalloc(4096, 1);
	int taps = 2 * g->lag * (g->lag + 1);
	int at = append(s, 0, "filmgrn1\nE %lld %lld %d %d %d\n\tp %d %d %d %d %d %d %d %d %d %d %d "
	                "%d\n", (long long)g->start, (long long)g->end, g->apply, g->seed, g->update,
	                g->lag, g->ar_shift, g->grain_shift, g->scaling_shift, g->chroma_from_luma,
	                g->overlap, g->cb_mult, g->cb_luma_mult, g->cb_offset, g->cr_mult,
	                g->cr_luma_mult, g->cr_offset);
	at = append(s, at, "\tsY %d ", g->ny);
	for (int i = 0; i < g->ny; i++) at = append(s, at, " %d %d", g->y[i][0], g->y[i][1]);
	at = append(s, at, "\n\tsCb %d", g->ncb);
	for (int i = 0; i < g->ncb; i++) at = append(s, at, " %d %d", g->cb[i][0], g->cb[i][1]);
	at = append(s, at, "\n\tsCr %d", g->ncr);
	for (int i = 0; i < g->ncr; i++) at = append(s, at, " %d %d", g->cr[i][0], g->cr[i][1]);
	at = append(s, at, "\n\tcY");
	for (int i = 0; i < taps; i++) at = append(s, at, " %d", g->ay[i]);
	at = append(s, at, "\n\tcCb");
	for (int i = 0; i <= taps; i++) at = append(s, at, " %d", g->acb[i]);
	at = append(s, at, "\n\tcCr");
	for (int i = 0; i <= taps; i++) at = append(s, at, " %d", g->acr[i]);
	append(s, at, "\n");
	return s;
}

/* --- spectra: N x N densities whose mean is a variance --- */

static double freq(int k) { return (double)((k + N / 2) % N - N / 2) / N; }

/* cos of 2 pi k / N for any k. */
static double turn(const double *cs, int k) { return cs[((k % N) + N) % N]; }

static void cosines(double *cs) { for (int i = 0; i < N; i++) cs[i] = mx_cos(2 * MX_PI * i / N); }

/* Of white noise of unit variance through the recursion. */
static void ar_power(const int *a, int lag, int shift, double *p)
{
	double cs[N], scale = 1.0 / (1 << shift);
	cosines(cs);
	for (int i = 0; i < NN; i++) {
		double re = 1, im = 0;
		int k = 0;
		for (int dy = -lag; dy <= 0; dy++)
			for (int dx = -lag; dx <= lag && (dy || dx < 0); dx++, k++) {
				int t = i % N * dx + i / N * dy;
				re -= a[k] * scale * turn(cs, t);
				im -= a[k] * scale * turn(cs, t - N / 4);
			}
		double den = re * re + im * im;
		p[i] = 1 / (den > 1e-6 ? den : 1e-6);
	}
}

static double mean(const double *p)
{
	double s = 0;
	for (int i = 0; i < NN; i++) s += p[i];
	return s / NN;
}

/* Catmull-Rom between samples two pixels apart, along one axis; 2 at frequency 0. */
static double widen(double f)
{
	return 1 + 1.125 * mx_cos(2 * MX_PI * f) - 0.125 * mx_cos(6 * MX_PI * f);
}

/* Chroma of half the size, brought to the size of luma. */
static void upsample(double *p)
{
	double q[NN];
	for (int i = 0; i < NN; i++) {
		double h = widen(freq(i % N)) * widen(freq(i / N));
		q[i] = p[i / N * 2 % N * N + i % N * 2 % N] * h * h / 4;
	}
	memcpy(p, q, sizeof q);
}

/* Pairs averaged along both axes, then every other sample. */
static void downsample(double *p)
{
	double q[NN];
	for (int i = 0; i < NN; i++) {
		double sum = 0;
		for (int k = 0; k < 4; k++) {
			/* bin i of the coarse grid stands at half its frequency; linear between the bins there are */
			double fx = freq(i % N) / 2 + (k % 2) * 0.5, fy = freq(i / N) / 2 + (k / 2) * 0.5;
			double hx = mx_cos(MX_PI * fx), hy = mx_cos(MX_PI * fy), gx = (fx + 1) * N, gy = (fy + 1) * N;
			int x = (int)gx, y = (int)gy;
			double u = gx - x, v = gy - y;
			double t = (1 - v) * ((1 - u) * p[y % N * N + x % N] + u * p[y % N * N + (x + 1) % N]) +
			           v * ((1 - u) * p[(y + 1) % N * N + x % N] + u * p[(y + 1) % N * N + (x + 1) % N]);
			sum += t * hx * hx * hy * hy;
		}
		q[i] = sum / 4;
	}
	memcpy(p, q, sizeof q);
}

/* --- table to profile --- */

static double scaling(const int (*v)[2], int n, double at)
{
	if (!n) return 0;
	if (at <= v[0][0]) return v[0][1];
	for (int i = 1; i < n; i++)
		if (at < v[i][0])
			return v[i - 1][1] + (at - v[i - 1][0]) / (v[i][0] -
			                                           v[i - 1][0]) * (v[i][1] - v[i - 1][1]);
	return v[n - 1][1];
}

/* How Y, Cb, Cr make R, G, B. */
static void mix_of(int matrix, double m[3][3])
{
	double kr, kb;
	yuv_weights((enum yuv_matrix)matrix, &kr, &kb);
	double kg = 1 - kr - kb;
	double t[3][3] = { { 1, 0, 2 * (1 - kr) },
		{ 1, -2 * (1 - kb) * kb / kg, -2 * (1 - kr) * kr / kg }, { 1, 2 * (1 - kb), 0 } };
	memcpy(m, t, sizeof t);
}

/* The ring means of a density, in dB over its mean. */
static void put_spectrum(struct grain_profile *p, int c, const double *d)
{
	double sum[N] = { 0 }, n[N] = { 0 }, m = mean(d);
	p->nband = 0;
	for (int i = 0; i < NN; i++) {
		double r = __builtin_sqrt(freq(i % N) * freq(i % N) + freq(i / N) * freq(i / N)) * N;
		int k = (int)(r + 0.5);
		sum[k] += d[i];
		n[k]++;
	}
	for (int k = 0; k <= 45; k++) {
		double v = m > 0 ? sum[k] / n[k] / m : 1;
		p->freq[p->nband] = (double)k / N;
		p->db[p->nband++][c] = v > 1e-6 ? mx_round(1e4 * mx_log10(v)) / 1e3 : -60;
	}
}

/* Densities of Y, Cb, Cr of mean 1, and the deviation of each per unit of scaling, in codes. */
static void plane_powers(const struct grain_params *g, bool subsampled, double *d, double dev[3])
{
	const int *ar[3] = { g->ay, g->acb, g->acr };
	for (int k = 0; k < 3; k++) {
		ar_power(ar[k], g->lag, g->ar_shift, d + k * NN);
		double through = k ? ar[k][2 * g->lag * (g->lag + 1)] / (double)(1 << g->ar_shift) : 0;
		double gain = 1 + (k ? through * through * mean(d) / (subsampled ? 4 : 1) : 0);
		for (int i = 0; i < NN; i++) d[k * NN + i] *= gain;
		dev[k] = __builtin_sqrt(mean(d + k * NN)) * TEMPLATE / (1 << g->grain_shift) / (1 << g->scaling_shift);
		double v = mean(d + k * NN);
		for (int i = 0; i < NN; i++) d[k * NN + i] /= v;
		if (k && subsampled) upsample(d + k * NN);
	}
}

/* Of the fields before they are shaped, as the measurement tells it. */
static double correlation(const double *d, const double var[3], const double a[3], const double b[3])
{
	double x = 0, den = 0;
	for (int i = 0; i < NN; i++) {
		double v[3] = { 0, 0, 0 };
		for (int k = 0; k < 3; k++) {
			double t = var[k] * d[k * NN + i];
			v[0] += a[k] * a[k] * t;
			v[1] += b[k] * b[k] * t;
			v[2] += a[k] * b[k] * t;
		}
		x += v[2];
		den += __builtin_sqrt(v[0] * v[1]);
	}
	return den > 0 ? mx_round(1e4 * x / den) / 1e4 : 0;
}

void grain_table_profile(const struct grain_params *g, int matrix, bool full, bool subsampled, int lines,
                         struct grain_profile *p)
{
	double *d = xalloc(3 * NN, sizeof *d), *rgb = xalloc(NN, sizeof *rgb), m[3][3], dev[3], sig[3],
		ref[3] = { 0, 0, 0 };
	const double one[3] = { full ? 255 : 219, full ? 255 : 224, full ? 255 : 224 };
	memset(p, 0, sizeof *p);
	snprintf(p->name, sizeof p->name, "AV1 film grain");
	p->method = GRAIN_TABLE;
	p->space = colour_find("rec709");
	p->lines = lines;
	mix_of(matrix, m);
	plane_powers(g, subsampled, d, dev);
	for (int i = 0; i <= LEVELS; i++) {
		double code = full ? 255.0 * i / LEVELS : 16 + 219.0 * i / LEVELS;
		const int (*cb)[2] = g->chroma_from_luma ? g->y : g->cb, (*cr)[2] = g->chroma_from_luma ? g->y : g->cr;
		sig[0] = scaling(g->y, g->ny, code) * dev[0] / one[0];
		sig[1] = scaling(cb, g->chroma_from_luma ? g->ny : g->ncb, code) * dev[1] / one[1];
		sig[2] = scaling(cr, g->chroma_from_luma ? g->ny : g->ncr, code) * dev[2] / one[2];
		p->luma[i] = mx_round(1e5 * i / LEVELS) / 1e5;
		for (int c = 0; c < 3; c++) {
			double v = 0;
			for (int k = 0; k < 3; k++) v += m[c][k] * m[c][k] * sig[k] * sig[k] * mean(d + k * NN);
			p->sigma[i][c] = mx_round(__builtin_sqrt(v) * 1e7) / 1e7;
		}
		for (int k = 0; k < 3; k++) ref[k] += sig[k] * sig[k] / (LEVELS + 1);
	}
	p->nstrength = LEVELS + 1;
	static const int pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
	for (int c = 0; c < 3; c++) {
		for (int i = 0; i < NN; i++) {
			rgb[i] = 0;
			for (int k = 0; k < 3; k++) rgb[i] += m[c][k] * m[c][k] * ref[k] * d[k * NN + i];
		}
		put_spectrum(p, c, rgb);
		p->aniso[c] = 1;
	}
	for (int q = 0; q < 3; q++) p->corr[q] = correlation(d, ref, m[pair[q][0]], m[pair[q][1]]);
	free(d);
	free(rgb);
}

/* --- profile to table --- */

/* Density of a weighted sum of the channels at a luma. */
static void sum_power(const struct grain_profile *p, const double w[3], double luma, double *d)
{
	double s[3];
	for (int c = 0; c < 3; c++) s[c] = w[c] * grain_profile_sigma(p, c, luma);
	for (int i = 0; i < NN; i++) {
		double a[3];
		for (int c = 0; c < 3; c++)
			a[c] = s[c] * __builtin_sqrt(grain_profile_power(p, c, freq(i % N), freq(i / N)));
		d[i] = a[0] * a[0] + a[1] * a[1] + a[2] * a[2] + 2 * (p->corr[0] * a[0] * a[1] + p->corr[1] * a[0] * a[2] +
		       p->corr[2] * a[1] * a[2]);
		if (d[i] < 0) d[i] = 0;
	}
}

/* Solves s x = b in place by Cholesky. */
static void solve(int n, double *s, double *b)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++) {
			double v = s[i * n + j];
			for (int k = 0; k < j; k++) v -= s[i * n + k] * s[j * n + k];
			s[i * n + j] = i == j ? __builtin_sqrt(v > 1e-12 ? v : 1e-12) : v / s[j * n + j];
		}
	for (int i = 0; i < n; i++) {
		for (int k = 0; k < i; k++) b[i] -= s[i * n + k] * b[k];
		b[i] /= s[i * n + i];
	}
	for (int i = n - 1; i >= 0; i--) {
		for (int k = i + 1; k < n; k++) b[i] -= s[k * n + i] * b[k];
		b[i] /= s[i * n + i];
	}
}

/* The recursion whose output correlates as the density says (Yule and Walker). */
static void ar_fit(const double *d, double a[TABLE_TAPS])
{
	enum { SPAN = 2 * TABLE_LAG, WIDE = 4 * TABLE_LAG + 1 };
	double cs[N], r[SPAN + 1][WIDE], s[TABLE_TAPS * TABLE_TAPS], m = mean(d);
	int at[TABLE_TAPS][2], n = 0;
	cosines(cs);
	for (int dy = 0; dy <= SPAN; dy++)
		for (int dx = -SPAN; dx <= SPAN; dx++) {
			double sum = 0;
			for (int i = 0; i < NN; i++) sum += d[i] * turn(cs, i % N * dx + i / N * dy);
			r[dy][dx + SPAN] = m > 0 ? sum / NN / m : dx == 0 && dy == 0;
		}
	for (int dy = -TABLE_LAG; dy <= 0; dy++)
		for (int dx = -TABLE_LAG; dx <= TABLE_LAG && (dy || dx < 0); dx++, n++) { at[n][0] = dx; at[n][1] = dy; }
	for (int i = 0; i < n; i++) {
		for (int j = 0; j < n; j++) {
			int dx = at[i][0] - at[j][0], dy = at[i][1] - at[j][1];
			if (dy < 0) { dx = -dx; dy = -dy; }
			s[i * n + j] = r[dy][dx + SPAN] + (i == j ? 1e-4 : 0);
		}
		a[i] = r[-at[i][1]][-at[i][0] + SPAN];
	}
	solve(n, s, a);
}

/* The scaling points of one plane; its deviation per level in codes. Returns the
 * largest scaling needed at shift 8. */
static double levels_of(const struct grain_profile *p, const double w[3], bool sub, double one,
                        int n, double *dev, double *d)
{
	double most = 0;
	for (int i = 0; i < n; i++) {
		double l = (double)i / (n - 1);
		sum_power(p, w, l, d);
		if (sub) downsample(d);
		dev[i] = __builtin_sqrt(mean(d)) * one;
		most = dev[i] > most ? dev[i] : most;
	}
	return most;
}

int grain_table_from(const struct grain_profile *p, int matrix, bool full, bool subsampled,
                     struct grain_params *g, struct err *e)
{
	double kr, kb, dev[3][TABLE_Y], real[3][TABLE_TAPS], most[3], top = 0;
	const double one[3] = { full ? 255 : 219, full ? 255 : 224, full ? 255 : 224 };
	double *d = xalloc(NN, sizeof *d);
	int count[3] = { TABLE_Y, TABLE_C, TABLE_C }, *ar[3] = { g->ay, g->acb, g->acr };
	*g = (struct grain_params){ .end = INT64_MAX, .apply = 1, .seed = 7391, .update = 1,
		.lag = TABLE_LAG, .ar_shift = 9,
		.scaling_shift = 11, .overlap = 1, .cb_mult = 128, .cb_luma_mult = 192, .cb_offset = 256, .cr_mult = 128,
		.cr_luma_mult = 192, .cr_offset = 256, .ny = TABLE_Y, .ncb = TABLE_C, .ncr = TABLE_C };
	yuv_weights((enum yuv_matrix)matrix, &kr, &kb);
	double kg = 1 - kr - kb, u = 0.5 / (1 - kb), v = 0.5 / (1 - kr);
	double w[3][3] = { { kr, kg, kb }, { -kr * u, -kg * u, (1 - kb) * u }, { (1 - kr) * v, -kg * v, -kb * v } };
	for (int k = 0; k < 3; k++) {
		most[k] = levels_of(p, w[k], k && subsampled, one[k], count[k], dev[k], d);
		sum_power(p, w[k], 0.45, d);
		if (k && subsampled) downsample(d);
		ar_fit(d, real[k]);
		for (int i = 0; i < TABLE_TAPS; i++) {
			double a = real[k][i] < 0 ? -real[k][i] : real[k][i];
			while (g->ar_shift > 6 && a * (1 << g->ar_shift) > 127) g->ar_shift--;
		}
	}
	for (int k = 0; k < 3; k++) {
		for (int i = 0; i < TABLE_TAPS; i++) {
			double t = mx_round(real[k][i] * (1 << g->ar_shift));
			ar[k][i] = t > 127 ? 127 : t < -128 ? -128 : (int)t;
		}
		ar_power(ar[k], TABLE_LAG, g->ar_shift, d);
		double unit = __builtin_sqrt(mean(d)) * TEMPLATE;
		for (int i = 0; i < count[k]; i++) dev[k][i] /= unit;
		top = most[k] / unit > top ? most[k] / unit : top;
	}
	free(d);
	while (g->scaling_shift > 8 && top * (1 << g->scaling_shift) > 255) g->scaling_shift--;
	if (top * (1 << g->scaling_shift) > 255.5)
		return err_set(e, E_INPUT, "the grain is too strong for a film grain table (%.1f codes of "
		               "8 bits)", top * TEMPLATE);
	for (int k = 0; k < 3; k++) {
		int (*pt)[2] = k == 0 ? g->y : k == 1 ? g->cb : g->cr;
		for (int i = 0; i < count[k]; i++) {
			double l = (double)i / (count[k] - 1);
			pt[i][0] = (int)mx_round(full ? 255 * l : 16 + 219 * l);
			pt[i][1] = (int)mx_round(dev[k][i] * (1 << g->scaling_shift));
		}
	}
	return 0;
}
