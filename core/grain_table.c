/* grain_table - see grain_table.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "grain_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "grain_table_int.h"
#include "mathx.h"
#include "mem.h"
#include "yuv.h"

enum { N = GT_N, NN = GT_NN, LEVELS = 14 };

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

void gt_mix(enum yuv_matrix matrix, double m[3][3])
{
	double kr, kb;
	yuv_weights(matrix, &kr, &kb);
	double kg = 1 - kr - kb;
	double t[3][3] = { { 1, 0, 2 * (1 - kr) },
		{ 1, -2 * (1 - kb) * kb / kg, -2 * (1 - kr) * kr / kg }, { 1, 2 * (1 - kb), 0 } };
	memcpy(m, t, sizeof t);
}

/* The ring means of a density, in dB over its mean. */
static void put_spectrum(struct grain_profile *p, int c, const double *d)
{
	double sum[N] = { 0 }, n[N] = { 0 }, m = gt_mean(d);
	p->nband = 0;
	for (int i = 0; i < NN; i++) {
		double r = __builtin_sqrt(gt_freq(i % N) * gt_freq(i % N) + gt_freq(i / N) * gt_freq(i / N)) * N;
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

void gt_planes_of(const struct grain_params *g, bool subsampled, const struct gt_up *up, struct gt_planes *o)
{
	const int *ar[3] = { g->ay, g->acb, g->acr };
	double small[NN], re[3][NN], im[3][NN], var[3], share[3] = { 0, 0, 0 };
	int taps = 2 * g->lag * (g->lag + 1);
	for (int k = 0; k < 3; k++) {
		double a[TABLE_TAPS];
		for (int i = 0; i < taps; i++) a[i] = ar[k][i] / (double)(1 << g->ar_shift);
		if (k) share[k] = ar[k][taps] / (double)(1 << g->ar_shift);
		gt_recursion(a, g->lag, o->d[k], re[k], im[k]);
		if (!k) {
			memcpy(small, o->d[0], sizeof small);
			if (subsampled) gt_downsample(small);
		}
		for (int i = 0; i < NN && k; i++) { re[k][i] *= share[k]; im[k][i] *= share[k]; }
	}
	for (int i = 0; i < NN; i++) {
		o->x[2][i] = (re[1][i] * re[2][i] + im[1][i] * im[2][i]) * small[i];
		for (int k = 1; k < 3; k++) o->d[k][i] *= 1 + share[k] * share[k] * small[i];
	}
	for (int i = 0; i < NN; i++) {
		int half = subsampled ? i / N * 2 % N * N + i % N * 2 % N : i;
		for (int k = 1; k < 3; k++)
			o->x[k - 1][i] = (re[k][half] * up->through[0][i] + im[k][half] * up->through[1][i]) * o->d[0][i];
	}
	for (int k = 0; k < 3; k++) {
		var[k] = gt_mean(o->d[k]);
		gt_blocks(o->d[k], k && subsampled);
		o->dev[k] = __builtin_sqrt(var[k]) * GT_TEMPLATE / (1 << g->grain_shift) / (1 << g->scaling_shift);
		if (k && subsampled) gt_raise(o->d[k], up);
	}
	gt_blocks(o->x[2], subsampled);
	if (subsampled) gt_raise(o->x[2], up);
	for (int k = 0; k < 2; k++) gt_blocks(o->x[k], false);
	for (int i = 0; i < NN; i++)
		for (int k = 0; k < 3; k++) {
			o->d[k][i] /= var[k];
			o->x[k][i] /= __builtin_sqrt(var[k == 2] * var[k ? 2 : 1]);
		}
}

double gt_both(const struct gt_planes *o, int i, const double s[3], const double a[3], const double b[3])
{
	static const int pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
	double v = 0;
	for (int k = 0; k < 3; k++) {
		int p = pair[k][0], q = pair[k][1];
		v += a[k] * b[k] * s[k] * s[k] * (i < 0 ? gt_mean(o->d[k]) : o->d[k][i]);
		v += (a[p] * b[q] + a[q] * b[p]) * s[p] * s[q] * (i < 0 ? gt_mean(o->x[k]) : o->x[k][i]);
	}
	return v;
}

/* Of the fields before they are shaped, as the measurement tells it. */
static double correlation(const struct gt_planes *o, const double s[3], const double a[3], const double b[3])
{
	double x = 0, den = 0;
	for (int i = 0; i < NN; i++) {
		double v = gt_both(o, i, s, a, a) * gt_both(o, i, s, b, b);
		x += gt_both(o, i, s, a, b);
		den += v > 0 ? __builtin_sqrt(v) : 0;
	}
	return den > 0 ? mx_round(1e4 * x / den) / 1e4 : 0;
}

void grain_table_profile(const struct grain_params *g, const struct grain_picture *to, int lines,
                         struct grain_profile *p)
{
	bool full = to->full;
	static const int pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
	struct gt_planes *o = xalloc(1, sizeof *o);
	struct gt_up *up = xalloc(1, sizeof *up);
	double *rgb = xalloc(NN, sizeof *rgb), m[3][3], sig[3], ref[3] = { 0, 0, 0 };
	const double one[3] = { full ? 255 : 219, full ? 255 : 224, full ? 255 : 224 };
	const int (*cb)[2] = g->chroma_from_luma ? g->y : g->cb, (*cr)[2] = g->chroma_from_luma ? g->y : g->cr;
	memset(p, 0, sizeof *p);
	snprintf(p->name, sizeof p->name, "AV1 film grain");
	p->method = GRAIN_TABLE;
	p->space = colour_find("rec709");
	p->lines = lines;
	gt_mix(to->matrix, m);
	gt_up_of(to, up);
	gt_planes_of(g, to->subsampled, up, o);
	free(up);
	for (int i = 0; i <= LEVELS; i++) {
		double code = full ? 255.0 * i / LEVELS : 16 + 219.0 * i / LEVELS;
		sig[0] = scaling(g->y, g->ny, code) * o->dev[0] / one[0];
		sig[1] = scaling(cb, g->chroma_from_luma ? g->ny : g->ncb, code) * o->dev[1] / one[1];
		sig[2] = scaling(cr, g->chroma_from_luma ? g->ny : g->ncr, code) * o->dev[2] / one[2];
		p->luma[i] = mx_round(1e5 * i / LEVELS) / 1e5;
		for (int c = 0; c < 3; c++) {
			double v = gt_both(o, -1, sig, m[c], m[c]);
			p->sigma[i][c] = v > 0 ? mx_round(__builtin_sqrt(v) * 1e7) / 1e7 : 0;
		}
		for (int k = 0; k < 3; k++) ref[k] += sig[k] * sig[k] / (LEVELS + 1);
	}
	p->nstrength = LEVELS + 1;
	for (int k = 0; k < 3; k++) ref[k] = __builtin_sqrt(ref[k]);
	for (int c = 0; c < 3; c++) {
		for (int i = 0; i < NN; i++) rgb[i] = gt_both(o, i, ref, m[c], m[c]);
		put_spectrum(p, c, rgb);
		p->aniso[c] = 1;
	}
	for (int q = 0; q < 3; q++) p->corr[q] = correlation(o, ref, m[pair[q][0]], m[pair[q][1]]);
	free(o);
	free(rgb);
}
