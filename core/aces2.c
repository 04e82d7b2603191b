/* aces2 - see aces2.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "aces2.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "lut_int.h"
#include "mathx.h"
#include "mem.h"
#include "px_math.h"

enum { HUES = 360, CORNERS = 6 };

/* A set of primaries within the appearance model. */
struct model { double to_cone[9], from_cone[9], to_aab[9], from_aab[9]; };

/* Everything about one hue of the display's gamut: its cusp, and the power of the hull above it. */
struct cusp { double hue, j, m, inv_gamma; };

struct aces2 {
	struct model in, display, reach;
	double ap1_ap0[9];
	double f_l, cz, a_w;                 /* shared by all models: dim surround, adapting light of 100 cd/m2 */
	double peak, top;                    /* of the display; of what comes in */
	double s2, m2, mid, log_peak;        /* tonescale */
	double j_max, mid_j, focus, low_inv_gamma, sat, sat_thr, compr, chroma_scale;
	double reach_m[HUES + 1];
	struct cusp cusp[HUES + 2];          /* ascending hue; the first and the last are beyond 0..360 */
};

static const double TONE_G = 1.15, TONE_T1 = 0.04, SMOOTH_CUSPS = 0.12, SMOOTH_M = 0.27;

static void apply(const double m[9], const double v[3], double out[3])
{
	double r[3];
	for (int i = 0; i < 3; i++) r[i] = m[i * 3] * v[0] + m[i * 3 + 1] * v[1] + m[i * 3 + 2] * v[2];
	memcpy(out, r, sizeof r);
}
static double lerp(double a, double b, double t) { return a + (b - a) * t; }
static double larger(double a, double b) { return a > b ? a : b; }
static double smaller(double a, double b) { return a < b ? a : b; }

/* --- the appearance model --- */

static double cone_fwd(double v)
{
	double f = px_dpow(px_dabs(v), 0.42);
	return px_dsign(f / (27.13 + f), v);
}
static double cone_inv(double v)
{
	double r = smaller(px_dabs(v), 0.99);
	return px_dsign(px_dpow(27.13 * r / (1 - r), 1 / 0.42), v);
}
static double y_to_j(const struct aces2 *a, double y)
{ return 100 * px_dpow(cone_fwd(y * a->f_l / 100) / a->a_w, a->cz); }
static double lightness(const struct aces2 *a, double A) { return A > 0 ? 100 * px_dpow(A, a->cz) : 0; }

static void to_aab(const struct model *m, const double rgb[3], double aab[3])
{
	double c[3];
	apply(m->to_cone, rgb, c);
	for (int k = 0; k < 3; k++) c[k] = cone_fwd(c[k]);
	apply(m->to_aab, c, aab);
}
static void to_jmh(const struct aces2 *a, const struct model *m, const double rgb[3], double jmh[3])
{
	double v[3];
	to_aab(m, rgb, v);
	if (v[0] <= 0) { jmh[0] = jmh[1] = jmh[2] = 0; return; }
	double h = mx_atan2(v[2], v[1]) * (180 / MX_PI);
	jmh[0] = lightness(a, v[0]);
	jmh[1] = __builtin_sqrt(v[1] * v[1] + v[2] * v[2]);
	jmh[2] = h < 0 ? h + 360 : h;
}
/* direction: cosine and sine of the hue. */
static void from_jmh(const struct aces2 *a, const struct model *m, double j, double M,
                     const double direction[2], double rgb[3])
{
	double v[3] = { px_dpow(j / 100, 1 / a->cz), M * direction[0], M * direction[1] }, c[3];
	apply(m->from_aab, v, c);
	for (int k = 0; k < 3; k++) c[k] = cone_inv(c[k]);
	apply(m->from_cone, c, rgb);
}
static void direction_of(double hue, double d[2])
{
	d[0] = mx_cos(hue * (MX_PI / 180));
	d[1] = mx_sin(hue * (MX_PI / 180));
}

/* RGB to XYZ of primaries and white given as xy. */
static void xyz_of(const double xy[8], double m[9])
{
	double p[9], inv[9], w[3] = { xy[6] / xy[7], 1, (1 - xy[6] - xy[7]) / xy[7] }, s[3];
	for (int i = 0; i < 3; i++) {
		p[i] = xy[2 * i];
		p[3 + i] = xy[2 * i + 1];
		p[6 + i] = 1 - xy[2 * i] - xy[2 * i + 1];
	}
	mat3_inv(p, inv);
	apply(inv, w, s);
	for (int i = 0; i < 9; i++) m[i] = p[i] * s[i % 3];
}

static void model_init(struct aces2 *a, struct model *m, int space)
{
	static const double cam16[8] = { 0.8336, 0.1735, 2.3854, -1.4659, 0.087, -0.125, 0.333, 0.333 };
	static const double base[9] = { 2, 1, 1 / 20.0, 1, -12 / 11.0, 1 / 11.0, 1 / 9.0, 1 / 9.0, -2 / 9.0 };
	double xy[8], xyz[9], cone[9], white[3], one[3] = { 1, 1, 1 }, w = 0;
	colour_primaries(space, xy);
	xyz_of(cam16, cone);
	mat3_inv(cone, cone);
	xyz_of(xy, xyz);
	mat3_mul(cone, xyz, m->to_cone);
	apply(m->to_cone, one, white);
	/* adaptation is whole: white gives the same response in all three */
	for (int i = 0; i < 9; i++) m->to_cone[i] *= a->f_l / white[i / 3];
	mat3_inv(m->to_cone, m->from_cone);
	for (int k = 0; k < 3; k++) w += base[k] * a->a_w;
	for (int i = 0; i < 9; i++) m->to_aab[i] = i < 3 ? base[i] / w : base[i] * 400 * 43 * 0.9;
	mat3_inv(m->to_aab, m->from_aab);
}

/* --- compression --- */

/* x up to limit through a toe of strength k1, softness k2. */
static double toe(double x, double limit, double k1_in, double k2_in)
{
	if (x > limit) return x;
	double k2 = larger(k2_in, 0.001), k1 = __builtin_sqrt(k1_in * k1_in + k2 * k2),
		k3 = (limit + k1) / (limit + k2);
	double b = k3 * x - k1;
	return 0.5 * (b + __builtin_sqrt(b * b + 4 * k2 * k3 * x));
}

/* How colourful a hue may get, by a Fourier series of the hue. */
static double chroma_norm(const double d[2], double scale)
{
	double c = d[0], s = d[1];
	return scale * (11.34072 * c + 16.46899 * (2 * c * c - 1) + 7.8838 * (4 * c * c * c - 3 * c) + 14.66441 * s -
	                6.37224 * 2 * c * s + 9.19364 * (3 * s - 4 * s * s * s) + 77.12896);
}

static double reach_at(const struct aces2 *a, double hue)
{
	int i = (int)hue;
	i = i < 0 ? 0 : i > HUES - 1 ? HUES - 1 : i;
	return lerp(a->reach_m[i], a->reach_m[i + 1], hue - i);
}

static double compress_chroma(const struct aces2 *a, double j, double M, double j_ts,
                              const double d[2], double reach)
{
	if (M == 0 || !(j > 0)) return 0;
	double norm = chroma_norm(d, a->chroma_scale), n = j_ts / a->j_max, sn = larger(0, 1 - n), inv = 1 / a->cz;
	double limit = px_dpow(n, inv) * reach / norm, m = M * px_dpow(j_ts / j, inv) / norm;
	m = limit - toe(limit - m, limit - 0.001, sn * a->sat, __builtin_sqrt(n * n + a->sat_thr));
	return toe(m, limit, n * a->compr, sn) * norm;
}

/* One hue's geometry: where lines of compression aim, and how steep they are. */
struct aim { double j, m, inv_gamma, focus_j, threshold; };

static struct aim aim_of(const struct aces2 *a, double j, double m, double inv_gamma)
{
	double f = lerp(j, a->mid_j, smaller(1, 1.3 - j / a->j_max));
	return (struct aim){ j, m, inv_gamma, f, lerp(j, a->j_max, 0.3) };
}
static double slope_gain(const struct aces2 *a, const struct aim *t, double j)
{
	double g = a->j_max * a->focus;
	if (!(j > t->threshold)) return g;
	double l = mx_log10((a->j_max - t->threshold) / larger(0.0001, a->j_max - j));
	return g * (l * l + 1);
}
/* Where the line of compression through (j, m) meets the lightness axis. */
static double on_axis(const struct aces2 *a, const struct aim *t, double j, double m, double gain)
{
	double s = m / gain, q = s / t->focus_j;
	bool low = j < t->focus_j;
	double b = low ? 1 - s : -(1 + s + a->j_max * q), c = low ? -j : a->j_max * s + j;
	double root = __builtin_sqrt(larger(0, b * b - 4 * q * c));
	return -2 * c / (low ? b + root : b - root);
}
static double slope_of(const struct aces2 *a, const struct aim *t, double at, double gain)
{
	double scale = at < t->focus_j ? at : a->j_max - at;
	return scale * (at - t->focus_j) / (t->focus_j * gain);
}
/* M where the line from at on the axis meets a hull j = j_top (m / m_top)^(1 / inv_gamma), nearly. */
static double meet(double at, double slope, double inv_gamma, double j_top, double m_top, double ref)
{
	double shifted = ref * px_dpow(larger(at / ref, 0), inv_gamma);
	return shifted * m_top / (j_top - slope * m_top);
}
static double boundary(const struct aces2 *a, const struct aim *t, double at, double slope, double at_cusp)
{
	double lower = meet(at, slope, a->low_inv_gamma, t->j, t->m, at_cusp);
	double upper = meet(a->j_max - at, -slope, t->inv_gamma, a->j_max - t->j, t->m, a->j_max - at_cusp);
	double s = SMOOTH_CUSPS * t->m, h = larger(s - px_dabs(lower - upper), 0) / s;
	return smaller(lower, upper) - h * h * h * s / 6;
}

static void compress_gamut(const struct aces2 *a, double *j, double *M, const struct aim *t, double reach)
{
	if (*j <= 0) { *j = *M = 0; return; }
	if (*M <= 0 || *j > a->j_max) { *M = 0; return; }
	double gain = slope_gain(a, t, *j), at = on_axis(a, t, *j, *M, gain), slope = slope_of(a, t, at, gain);
	double edge = boundary(a, t, at, slope, on_axis(a, t, t->j, t->m, gain));
	if (edge <= 0) { *M = 0; return; }
	double far = meet(at, slope, 1 / a->cz, a->j_max, reach, a->j_max);
	double part = larger(edge / far, 0.75), from = part * edge, m = *M;
	if (m > from && part < 1) {
		double gamut = edge - from, all = far - from, scale = all / (all / gamut - 1), x = (m - from) / scale;
		m = from + scale * x / (1 + x);
	}
	*j = at + m * slope;
	*M = m;
}

/* --- tables --- */

static void corner(int i, double rgb[3])
{
	rgb[0] = (i + 1) % CORNERS < 3;
	rgb[1] = (i + 5) % CORNERS < 3;
	rgb[2] = (i + 3) % CORNERS < 3;
}

/* How colourful AP1 gets at the display's greatest lightness, degree by degree. */
static void reach_table(struct aces2 *a)
{
	for (int i = 0; i < HUES; i++) {
		double lo = 0, hi = 1300, d[2], rgb[3];
		direction_of(i, d);
		for (int k = 0; k < 40; k++) {
			double m = 0.5 * (lo + hi);
			from_jmh(a, &a->reach, a->j_max, m, d, rgb);
			if (rgb[0] < 0 || rgb[1] < 0 || rgb[2] < 0) hi = m;
			else lo = m;
		}
		a->reach_m[i] = hi;
	}
	a->reach_m[HUES] = a->reach_m[0];
}

/* A corner of AP1 scaled until its lightness is the display's greatest. */
static double reach_hue(const struct aces2 *a, int i)
{
	double unit[3], rgb[3], v[3], lo = 0, hi = a->top, limit = px_dpow(a->j_max / 100, 1 / a->cz);
	corner(i, unit);
	for (int k = 0; k < 60; k++) {
		double t = 0.5 * (lo + hi);
		for (int c = 0; c < 3; c++) rgb[c] = t * unit[c];
		to_aab(&a->reach, rgb, v);
		if (v[0] < limit) lo = t;
		else hi = t;
	}
	for (int c = 0; c < 3; c++) rgb[c] = hi * unit[c];
	to_jmh(a, &a->reach, rgb, v);
	return v[2];
}

/* Hues about a degree apart that hit the corners of the display and of AP1. */
static void hue_table(struct aces2 *a, const double corners[2 * CORNERS], double hue[HUES])
{
	int n = 0, before = 0;
	double from = 0;
	for (int i = 0; i <= 2 * CORNERS; i++) {
		double to = i < 2 * CORNERS ? corners[i] : 360;
		int at = i < 2 * CORNERS ? (int)mx_round(to) : HUES;
		if (i < 2 * CORNERS && at <= before) at = before + (i > 0 || to > 0);
		at = at > HUES - 1 && i < 2 * CORNERS ? HUES - 1 : at;
		for (int k = 0; k < at - before && n < HUES; k++) hue[n++] = from + (to - from) * k / (at - before);
		before = at;
		from = to;
	}
	(void)a;
}

static int by_value(const void *p, const void *q)
{
	double x = *(const double *)p, y = *(const double *)q;
	return (x > y) - (x < y);
}

/* The brightest and most colourful of a hue lies on an edge of the cube between two corners. */
static void find_cusp(const struct aces2 *a, double hue, struct cusp *c)
{
	double rgb[2][3], jmh[3], h0 = 0, h1 = 0;
	double scale = a->peak / 100;
	int i;
	for (i = 0; i < CORNERS; i++) {
		double end[2];
		for (int e = 0; e < 2; e++) {
			corner((i + e) % CORNERS, rgb[e]);
			for (int k = 0; k < 3; k++) rgb[e][k] *= scale;
			to_jmh(a, &a->display, rgb[e], jmh);
			end[e] = jmh[2];
		}
		h0 = end[0];
		h1 = end[1] < h0 ? end[1] + 360 : end[1];
		if ((hue >= h0 && hue < h1) || (hue + 360 >= h0 && hue + 360 < h1)) break;
	}
	double want = hue < h0 ? hue + 360 : hue, lo = 0, hi = 1, v[3];
	for (int k = 0; k < 50; k++) {
		double t = 0.5 * (lo + hi);
		for (int j = 0; j < 3; j++) v[j] = lerp(rgb[0][j], rgb[1][j], t);
		to_jmh(a, &a->display, v, jmh);
		double h = jmh[2] < h0 - 180 ? jmh[2] + 360 : jmh[2];
		if (h > want) hi = t;
		else lo = t;
	}
	*c = (struct cusp){ hue, jmh[0], jmh[1] * (1 + SMOOTH_M * SMOOTH_CUSPS), 1 };
}

/* Is the hull of that power nowhere inside the display's? Tried at five lightnesses above the cusp. */
static bool outside(const struct aces2 *a, const struct cusp *c, double gamma, const double d[2])
{
	static const double places[] = { 0.01, 0.1, 0.5, 0.8, 0.99 };
	struct aim t = aim_of(a, c->j, c->m, 1 / gamma);
	for (size_t i = 0; i < IN_COUNT(places); i++) {
		double j = lerp(c->j, a->j_max, places[i]), gain = slope_gain(a, &t, j),
			at = on_axis(a, &t, j, c->m, gain), rgb[3];
		double slope = slope_of(a, &t, at, gain), m = boundary(a, &t, at, slope, on_axis(a, &t, c->j, c->m, gain));
		from_jmh(a, &a->display, at + slope * m, m, d, rgb);
		if (!(larger(larger(rgb[0], rgb[1]), rgb[2]) > a->peak / 100)) return false;
	}
	return true;
}
static void find_gamma(const struct aces2 *a, struct cusp *c)
{
	double lo = 0, hi = 0.4, d[2];
	direction_of(c->hue, d);
	while (hi < 5 && !outside(a, c, hi, d)) {
		lo = hi;
		hi += 0.4;
	}
	while (hi - lo > 1e-5) {
		double g = 0.5 * (lo + hi);
		if (outside(a, c, g, d)) hi = g;
		else lo = g;
	}
	c->inv_gamma = 1 / hi;
}

static void cusp_table(struct aces2 *a)
{
	double corners[2 * CORNERS], hue[HUES], rgb[3], jmh[3];
	for (int i = 0; i < CORNERS; i++) {
		corner(i, rgb);
		for (int k = 0; k < 3; k++) rgb[k] *= a->peak / 100;
		to_jmh(a, &a->display, rgb, jmh);
		corners[i] = jmh[2];
		corners[CORNERS + i] = reach_hue(a, i);
	}
	qsort(corners, 2 * CORNERS, sizeof *corners, by_value);
	hue_table(a, corners, hue);
	for (int i = 0; i < HUES; i++) {
		find_cusp(a, hue[i], &a->cusp[i + 1]);
		find_gamma(a, &a->cusp[i + 1]);
	}
	a->cusp[0] = a->cusp[HUES];
	a->cusp[0].hue -= 360;
	a->cusp[HUES + 1] = a->cusp[1];
	a->cusp[HUES + 1].hue += 360;
}

static struct aim aim_at(const struct aces2 *a, double hue)
{
	int lo = 0, hi = HUES + 1;
	while (hi - lo > 1) {
		int m = (lo + hi) / 2;
		if (a->cusp[m].hue > hue) hi = m;
		else lo = m;
	}
	const struct cusp *c = &a->cusp[lo], *d = &a->cusp[hi];
	double t = (hue - c->hue) / (d->hue - c->hue);
	return aim_of(a, lerp(c->j, d->j, t), lerp(c->m, d->m, t), lerp(c->inv_gamma, d->inv_gamma, t));
}

/* --- the whole --- */

/* SCIENCE 2.5. */
static void tonescale_init(struct aces2 *a)
{
	const double n = a->peak, nr = 100, c = 0.18, cd = 10.013, wg = 0.14, rmin = 128, rmax = 896;
	double rhit = rmin + (rmax - rmin) * mx_log(n / nr) / mx_log(100), m0 = n / nr;
	double m1 = 0.5 * (m0 + __builtin_sqrt(m0 * (m0 + 4 * TONE_T1))),
		m = m1 / mx_pow(rhit / m1 / (rhit / m1 + 1), TONE_G);
	double ct = cd / nr * (1 + mx_log2(n / nr) * wg), gip = 0.5 * (ct + __builtin_sqrt(ct * (ct + 4 * TONE_T1)));
	double root = mx_pow(gip / m, 1 / TONE_G), w2 = c / (-(m1 * root) / (root - 1));
	a->s2 = w2 * m1 * 100;
	a->m2 = m1 / mx_pow(rhit / m1 / (rhit / m1 + w2), TONE_G);
	a->top = 8 * rhit;
	a->mid = ct * 100;
	a->log_peak = mx_log10(n / nr);
}

struct aces2 *aces2_new(int display, double peak)
{
	struct aces2 *a = xalloc(1, sizeof *a);
	double k = 1 / 501.0, k4 = k * k * k * k, l;
	a->f_l = 0.2 * k4 * 500 + 0.1 * (1 - k4) * (1 - k4) * mx_cbrt(500);
	a->a_w = cone_fwd(a->f_l);
	a->cz = 0.59 * (1.48 + __builtin_sqrt(0.2));
	a->peak = peak;
	tonescale_init(a);
	l = a->log_peak;
	model_init(a, &a->in, colour_find("aces2065-1"));
	model_init(a, &a->reach, colour_find("acescg"));
	model_init(a, &a->display, display);
	colour_matrix(colour_find("acescg"), colour_find("aces2065-1"), a->ap1_ap0);
	a->j_max = y_to_j(a, peak);
	a->mid_j = y_to_j(a, a->mid);
	a->focus = 1.35 + 1.35 * 1.75 * l;
	a->low_inv_gamma = 1 / (1.14 + 0.07 * l);
	a->compr = 2.4 + 2.4 * 3.3 * l;
	a->sat = larger(0.2, 1.3 - 1.3 * 0.69 * l);
	a->sat_thr = 0.5 / peak;
	a->chroma_scale = mx_pow(0.03379 * peak, 0.30596) - 0.45135;
	reach_table(a);
	cusp_table(a);
	return a;
}
void aces2_free(struct aces2 **a)
{
	free(*a);
	*a = NULL;
}

void aces2_pixel(const struct aces2 *a, const double rgb[3], double out[3])
{
	double v[3], aab[3], d[2] = { 1, 0 };
	for (int k = 0; k < 3; k++) v[k] = smaller(larger(rgb[k], 0), a->top);
	apply(a->ap1_ap0, v, v);
	to_aab(&a->in, v, aab);
	if (!(aab[0] > 0)) { out[0] = out[1] = out[2] = 0; return; }
	double M = __builtin_sqrt(aab[1] * aab[1] + aab[2] * aab[2]), hue = 0;
	if (M > 0) {
		d[0] = aab[1] / M;
		d[1] = aab[2] / M;
		hue = mx_atan2(aab[2], aab[1]) * (180 / MX_PI);
		hue = hue < 0 ? hue + 360 : hue;
	}
	double y = cone_inv(a->a_w * aab[0]) * 100 / a->f_l, f = a->m2 * px_dpow(y / (y + a->s2), TONE_G);
	double j = lightness(a, aab[0]), j_ts = y_to_j(a, larger(0, f * f / (f + TONE_T1)) * 100),
		reach = reach_at(a, hue);
	struct aim t = aim_at(a, hue);
	M = compress_chroma(a, j, M, j_ts, d, reach);
	compress_gamut(a, &j_ts, &M, &t, reach);
	from_jmh(a, &a->display, j_ts, M, d, out);
	for (int k = 0; k < 3; k++) out[k] = smaller(larger(out[k], 0), a->peak / 100);
}

struct lut *aces2_bake(const struct aces2 *a, int n, struct err *e)
{
	struct lut *l = xalloc(1, sizeof *l);
	int cct = colour_find("acescct");
	double lo = colour_encode(cct, 0), hi = colour_encode(cct, a->top);
	l->refs = 1;
	struct lut_3d *t = lut_add_3d(l, n, "aces_output", e);
	if (!t) { lut_free(&l); return NULL; }
	for (int k = 0; k < 3; k++) lut_domain(lo, hi, n, &t->min[k], &t->scale[k]);
	double *x = xalloc((size_t)n, sizeof *x);
	for (int i = 0; i < n; i++) x[i] = larger(colour_decode(cct, lo + (hi - lo) * i / (n - 1)), 0);
	float *p = t->t;
	for (int b = 0; b < n; b++)
		for (int g = 0; g < n; g++)
			for (int r = 0; r < n; r++, p += 4) {
				double in[3] = { x[r], x[g], x[b] }, out[3];
				aces2_pixel(a, in, out);
				for (int k = 0; k < 3; k++) p[k] = (float)px_dpow(out[k] * 100 / a->peak, 1 / 2.4);
			}
	free(x);
	return l;
}

/* Filled under the lock, entry by entry; an entry never changes again. */
static struct { int display; double peak; struct lut *cube; } cubes[16];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct lut *aces2_cube(int display, double peak, struct err *e)
{
	size_t i = 0;
	struct lut *l = NULL;
	pthread_mutex_lock(&lock);
	while (i < IN_COUNT(cubes) && cubes[i].cube && (cubes[i].display != display || cubes[i].peak != peak)) i++;
	if (i < IN_COUNT(cubes) && cubes[i].cube) l = cubes[i].cube;
	if (!l) {
		struct aces2 *a = aces2_new(display, peak);
		l = aces2_bake(a, 65, e);
		aces2_free(&a);
		if (l && i < IN_COUNT(cubes)) {
			cubes[i].display = display;
			cubes[i].peak = peak;
			cubes[i].cube = l;
		} else i = IN_COUNT(cubes);
	}
	if (l && i < IN_COUNT(cubes)) atomic_fetch_add(&l->refs, 1);
	pthread_mutex_unlock(&lock);
	return l;
}
