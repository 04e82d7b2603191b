/* zones - blacks, shadows, midtones, highlights, whites and S-contrast as OpenColorIO's GradingTone.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "grading.h"
#include "px_grade_bend.h"

enum { STYLE_LOG, STYLE_LINEAR, STYLE_VIDEO };
enum { CHAIN = 11 };

struct zones {
	int style, space;
	double blacks, shadows, midtones, highlights, whites, s_contrast;
	double blacks_rgb[3], shadows_rgb[3], midtones_rgb[3], highlights_rgb[3], whites_rgb[3];
	double blacks_range[2], shadows_range[2], midtones_range[2], highlights_range[2], whites_range[2];
};

static const struct param params[] = {
	P_ENUM(zones, style, "log", "log|linear|video", PF_STATIC,
	       "Where the zones lie: on a log picture, on stops of scene light about 0.18, on a display picture."),
	P_ENUM(zones, space, "style", "style|acescct|linear|clip", PF_STATIC,
	       "What the numbers are: style takes acescct for log, working light for linear, the clip's own "
	       "encoding for video."),
	P_FLOAT(zones, blacks, 1, 0.1, 1.9, "", "Above 1 brightens the darkest tones."),
	P_FLOAT(zones, shadows, 1, 0.2, 1.8, "", "Above 1 brightens shadows; the ends stay."),
	P_FLOAT(zones, midtones, 1, 0.1, 1.9, "", "Above 1 brightens the middle; the ends stay."),
	P_FLOAT(zones, highlights, 1, 0.2, 1.8, "", "Above 1 brightens highlights; the ends stay."),
	P_FLOAT(zones, whites, 1, 0.1, 1.9, "", "Above 1 brightens the brightest tones."),
	P_FLOAT(zones, s_contrast, 1, 0.01, 1.99, "", "Contrast that lets both ends roll off."),
	P_VEC3X(zones, blacks_rgb, 1, 0.1, 1.9, "", 0, "The same for red, green and blue, before blacks."),
	P_VEC3X(zones, shadows_rgb, 1, 0.2, 1.8, "", 0, "The same for red, green and blue, before shadows."),
	P_VEC3X(zones, midtones_rgb, 1, 0.1, 1.9, "", 0, "The same for red, green and blue, before midtones."),
	P_VEC3X(zones, highlights_rgb, 1, 0.2, 1.8, "", 0, "The same for red, green and blue, before highlights."),
	P_VEC3X(zones, whites_rgb, 1, 0.1, 1.9, "", 0, "The same for red, green and blue, before whites."),
	P_VEC2(zones, blacks_range, 0, 0, -20, 20, "", 0, "Where blacks start, and how wide they are below that; "
	       "0 0 takes the style's own, here and below."),
	P_VEC2(zones, shadows_range, 0, 0, -20, 20, "", 0, "Where shadows start, and their dark end."),
	P_VEC2(zones, midtones_range, 0, 0, -20, 20, "", 0, "Centre and width of midtones."),
	P_VEC2(zones, highlights_range, 0, 0, -20, 20, "", 0, "Where highlights start, and their bright end."),
	P_VEC2(zones, whites_range, 0, 0, -20, 20, "", 0, "Where whites start, and how wide they are above that."),
	P_END
};

/* Zones of a style: start and width or end; ends of the picture for midtones and
 * S-contrast, and its turning point. */
struct style {
	double blacks[2], shadows[2], midtones[2], highlights[2], whites[2], bottom, top, s_top, pivot;
};
static const struct style styles[] = {
	[STYLE_LOG] = { { .4, .4 }, { .5, 0 }, { .4, .6 }, { .3, 1 }, { .4, .5 }, 0, 1, 1, .4 },
	[STYLE_LINEAR] = { { 0, 4 }, { 2, -7 }, { 0, 8 }, { -2, 9 }, { 0, 8 }, -5.5, 7.5, 6.5, 0 },
	[STYLE_VIDEO] = { { .4, .4 }, { .6, 0 }, { .4, .7 }, { .2, 1 }, { .5, .5 }, 0, 1, 1, .4 },
};

/* Stops of light about 0.18 with a straight foot: log2((v + shift) / (0.18 + shift)), and back. */
#define SHIFT (-0.000157849851665374)
static const struct px_log_curve to_stops = { 1 / (0.18f + (float)SHIFT),
	(float)(SHIFT / (0.18 + SHIFT)), 1, 0, 0x1.715476p+0f, 0, 0, 0.0041318374739483946f,
	363.034608563f, -7 };
static const struct px_exp_curve from_stops = { 1, 0, 1, -0x1.3ccp+1f, -0.0005875306071f,
	(float)-SHIFT, 130, -5.5f, (float)(1 / 363.034608563), (float)(7 / 363.034608563) };

struct zones_state { bool in_stops; int n[3]; struct bend chain[3][CHAIN]; };

static double least(double v) { return v < 0.01 ? 0.01 : v; }
static bool all3(const double v[3], double x) { return v[0] == x && v[1] == x && v[2] == x; }

static bool identity(const struct node_ctx *n)
{
	const struct zones *p = n->v;
	return p->blacks == 1 && p->shadows == 1 && p->midtones == 1 && p->highlights == 1 && p->whites == 1 &&
	       p->s_contrast == 1 && all3(p->blacks_rgb, 1) && all3(p->shadows_rgb, 1) &&
	       all3(p->midtones_rgb, 1) && all3(p->highlights_rgb, 1) && all3(p->whites_rgb, 1);
}

/* --- bends from knots --- */

static void piece(struct bend *b, double at, double in, double out, double m, double a)
{
	b->at[b->n] = (float)at;
	b->in[b->n] = (float)in;
	b->out[b->n] = (float)out;
	b->m[b->n] = (float)m;
	b->a[b->n++] = (float)a;
}
/* The bend through knots x, y with slopes m, or its inverse; spread by gain about anchor. */
static struct bend *through(struct bend *b, int n, const double *x, const double *y, const double *m,
                            bool inverse)
{
	const double *in = inverse ? y : x, *out = inverse ? x : y;
	*b = (struct bend){ .inverse = inverse, .gain = 1, .back = 1 };
	piece(b, 0, in[0], out[0], m[0], 0);
	for (int i = 0; i + 1 < n; i++)
		piece(b, in[i], in[i], out[i], m[i], (m[i + 1] - m[i]) / (2 * (x[i + 1] - x[i])));
	piece(b, in[n - 1], in[n - 1], out[n - 1], m[n - 1], 0);
	return b;
}

/* Three knots over lo..hi: slope first and last, both ends held. */
static void set_arc(struct bend *b, double lo, double hi, double first, double last, bool inverse)
{
	double x[3] = { lo, lo + (hi - lo) / 2, hi }, h = (hi - lo) / 2;
	double y[3] = { lo, (2 * lo + first * h + 2 * hi - last * h) / 4, hi };
	double m[3] = { first, 2 * (y[1] - y[0]) / h - first, last };
	through(b, 3, x, y, m, inverse);
}
static double arc_at(double lo, double hi, double first, double last, bool inverse, double v)
{
	struct bend b;
	int k = 0;
	set_arc(&b, lo, hi, first, last, inverse);
	while (k + 1 < b.n && v >= b.at[k + 1]) k++;
	double d = v - b.in[k], m = b.m[k], a = b.a[k], q = m * m + 4 * a * d;
	return b.out[k] + (inverse ? 2 * d / (m + __builtin_sqrt(q > 0 ? q : 0)) : d * (m + a * d));
}

/* Highlights and shadows: an arc with one flat end; the other way is its inverse. Where v comes out of it. */
static bool set_shoulder(struct bend *b, double start, double end, double val)
{
	val = 2 - val;
	if (val == 1) return false;
	set_arc(b, start, end, 1, least(val < 1 ? val : 2 - val), val > 1);
	return true;
}
static bool set_toe(struct bend *b, double start, double end, double val)
{
	if (val == 1) return false;
	set_arc(b, end, start, least(val < 1 ? val : 2 - val), 1, val > 1);
	return true;
}
static double shoulder_at(double start, double end, double val, double v)
{
	val = 2 - val;
	return val == 1 ? v : arc_at(start, end, 1, least(val < 1 ? val : 2 - val), val > 1, v);
}
static double toe_at(double start, double end, double val, double v)
{ return val == 1 ? v : arc_at(end, start, least(val < 1 ? val : 2 - val), 1, val > 1, v); }

static bool set_whites(struct bend *b, double start, double width, double val)
{
	if (val == 1) return false;
	double last = least(val < 1 ? val : 2 - val), end = start + width;
	double x[2] = { start, end }, m[2] = { 1, last }, gain = (1 + last) / 2;
	double y[2] = { start, start + gain * width };
	through(b, 2, x, y, m, val > 1);
	if (val < 1) return true;
	b->gain = (float)gain;
	b->back = (float)(1 / gain);
	b->anchor = (float)start;
	/* beyond its end it goes on as a parabola, for high dynamic range */
	double near = start + width * 0.99, slope = 1 / (1 + (near - start) * (last - 1) / width);
	double c2 = 0.5 * (1 / last - slope) / (end - near), c1 = 1 / last - 2 * c2 * end;
	b->tailed = true;
	b->tail = (float)end;
	b->c2 = (float)c2;
	b->c1 = (float)c1;
	b->c0 = (float)(width / gain + start - c1 * end - c2 * end * end);
	return true;
}
static bool set_blacks(struct bend *b, double start, double width, double val)
{
	if (val == 1) return false;
	double first = least(val > 1 ? 2 - val : val), gain = (1 + first) / 2;
	double x[2] = { start - width, start }, y[2] = { start - gain * width, start }, m[2] = { first, 1 };
	through(b, 2, x, y, m, val < 1);
	if (val > 1) return true;
	b->gain = (float)gain;
	b->back = (float)(1 / gain);
	b->anchor = (float)start;
	return true;
}

/* Midtones: slopes that rise and fall about the centre so that both ends of the picture stay. */
static bool set_mids(struct bend *b, const struct style *st, double centre, double width, double val)
{
	double lo = st->bottom, hi = st->top, most = (hi - lo) * 0.95, v = (val - 1) * 0.9;
	if (val == 1) return false;
	width = width < 0.01 ? 0.01 : width > most ? most : width;
	double c0 = lo + width * 0.51, c1 = hi - width * 0.51;
	centre = centre < c0 ? c0 : centre > c1 ? c1 : centre;
	double at = centre - width / 2;
	double x[6] = { lo, at, at + width * 0.25, at + width * 0.75, at + width, hi };
	double m[6] = { 1, 1 + v * 0.4, 1 + v, 1 - v, 1 - v * 0.4, 1 }, y[6] = { lo };
	if (centre <= (hi + lo) / 2) {
		double area = (x[1] - x[0]) * (m[1] - m[0]) / 2 + (x[2] - x[1]) * ((m[1] - m[0]) + (m[2] - m[1]) / 2)
		            + (centre - x[2]) * (m[2] - m[0]) / 2;
		m[4] = (-0.5 * (x[5] - x[4]) * m[5] + (x[4] - x[3]) * (0.5 * m[3] - m[5])
		        + (x[3] - centre) * (m[3] - m[5]) / 2 + area) / (-0.5 * (x[5] - x[3]));
	} else {
		double area = (x[5] - x[4]) * (m[4] - m[5]) / 2 + (x[4] - x[3]) * ((m[4] - m[5]) + (m[3] - m[4]) / 2)
		            + (x[3] - centre) * (m[3] - m[5]) / 2;
		m[1] = (-0.5 * (x[1] - x[0]) * m[0] + (x[2] - x[1]) * (0.5 * m[2] - m[0])
		        + (centre - x[2]) * (m[2] - m[0]) / 2 + area) / (-0.5 * (x[2] - x[0]));
	}
	for (int i = 1; i < 6; i++) y[i] = y[i - 1] + (m[i - 1] + m[i]) * (x[i] - x[i - 1]) / 2;
	through(b, 6, x, y, m, false);
	return true;
}

/* One end of S-contrast, from the pivot outwards to end: the parabola's knots and the slope beyond. */
static void s_end(double pivot, double end, double c, double x[2], double *y, double *slope)
{
	double y0 = pivot + (end - pivot) * 0.25, x0 = pivot + (y0 - pivot) / c, wide = (end - x0) * 0.3;
	double m = 1 / c, centre = (end - y0 - m * end + c * x0) / (c - m), sign = end > pivot ? 1 : -1;
	x[0] = x0;
	x[1] = 2 * centre - x0;
	if ((x[1] - end) * sign > 0) {
		x[1] = end;
		x[0] = 2 * centre - end;
	} else if ((x[1] - x[0]) * sign < wide * sign) {
		x[1] = x[0] + wide;
		centre = (x[0] + x[1]) / 2;
		m = (end - y0 + c * x0 - centre * c) / (end - centre);
	}
	*y = y0;
	*slope = m;
}
static bool set_s(struct bend *b, const struct style *st, double val)
{
	double hi[2], lo[2], yh, yl, mh, ml, p = st->pivot;
	if (val == 1) return false;
	double c = val > 1 ? 1 / (1.8125 - 0.8125 * val) : 0.28125 + 0.71875 * val;
	s_end(p, st->s_top, c, hi, &yh, &mh);
	s_end(p, st->bottom, c, lo, &yl, &ml);
	*b = (struct bend){ .gain = 1, .back = 1 };
	double y = yl + (c + ml) * (lo[1] - lo[0]) / 2;
	piece(b, 0, lo[1], y, ml, 0);
	piece(b, lo[1], lo[1], y, ml, (c - ml) / (2 * (lo[0] - lo[1])));
	piece(b, lo[0], p, p, c, 0);
	piece(b, hi[0], hi[0], yh, c, (mh - c) / (2 * (hi[1] - hi[0])));
	piece(b, hi[1], hi[1], yh + (c + mh) * (hi[1] - hi[0]) / 2, mh, 0);
	return true;
}

/* --- the node --- */

static const double *range(const double given[2], const double own[2])
{ return given[0] == 0 && given[1] == 0 ? own : given; }

static int check_ranges(const struct style *st, struct err *e)
{
	if (st->blacks[1] < 0.01 || st->midtones[1] < 0.01 || st->whites[1] < 0.01)
		return err_set(e, E_SCENE, "blacks_range, midtones_range and whites_range need a width of at least 0.01");
	if (st->shadows[0] < st->shadows[1] + 0.01)
		return err_set(e, E_SCENE, "shadows_range: the start has to stand at least 0.01 above the dark end");
	if (st->highlights[0] > st->highlights[1] - 0.01)
		return err_set(e, E_SCENE, "highlights_range: the start has to stand at least 0.01 below the bright end");
	return 0;
}

/* Whites and blacks move with what highlights and shadows do to them. */
static void set_chains(struct zones_state *s, const struct zones *p, const struct style *st)
{
	const double *h = st->highlights, *w = st->whites, *d = st->shadows, *k = st->blacks;
	double w0 = shoulder_at(h[0], h[1], p->highlights, w[0]);
	double w1 = shoulder_at(h[0], h[1], p->highlights, w[0] + w[1]);
	double k0 = toe_at(d[0], d[1], p->shadows, k[0]), k1 = toe_at(d[0], d[1], p->shadows, k[0] - k[1]);
	for (int i = 0; i < 3; i++) {
		struct bend *c = s->chain[i];
		int n = 0;
		n += set_mids(&c[n], st, st->midtones[0], st->midtones[1], p->midtones_rgb[i]);
		n += set_mids(&c[n], st, st->midtones[0], st->midtones[1], p->midtones);
		n += set_shoulder(&c[n], h[0], h[1], p->highlights_rgb[i]);
		n += set_shoulder(&c[n], h[0], h[1], p->highlights);
		n += set_whites(&c[n], w0, w1 - w0, p->whites_rgb[i]);
		n += set_whites(&c[n], w0, w1 - w0, p->whites);
		n += set_toe(&c[n], d[0], d[1], p->shadows_rgb[i]);
		n += set_toe(&c[n], d[0], d[1], p->shadows);
		n += set_blacks(&c[n], k0, k0 - k1, p->blacks_rgb[i]);
		n += set_blacks(&c[n], k0, k0 - k1, p->blacks);
		n += set_s(&c[n], st, p->s_contrast);
		s->n[i] = n;
	}
}

static void zones_close(struct node_ctx *n)
{
	free(n->state);
	n->state = NULL;
}
static int zones_open(struct node_ctx *n, struct err *e)
{
	const struct zones *p = n->v;
	struct style st = styles[p->style];
	memcpy(st.blacks, range(p->blacks_range, styles[p->style].blacks), sizeof st.blacks);
	memcpy(st.shadows, range(p->shadows_range, styles[p->style].shadows), sizeof st.shadows);
	memcpy(st.midtones, range(p->midtones_range, styles[p->style].midtones), sizeof st.midtones);
	memcpy(st.highlights, range(p->highlights_range, styles[p->style].highlights), sizeof st.highlights);
	memcpy(st.whites, range(p->whites_range, styles[p->style].whites), sizeof st.whites);
	if (check_ranges(&st, e) < 0) return -1;
	struct zones_state *s = n->state = xalloc(1, sizeof *s);
	s->in_stops = p->style == STYLE_LINEAR;
	set_chains(s, p, &st);
	return 0;
}

static void row(const void *state, float *const p[3], int n)
{
	const struct zones_state *s = state;
	for (int k = 0; k < 3; k++) {
		if (!s->n[k]) continue;
		if (s->in_stops) px_log_row(p[k], &to_stops, n);
		for (int i = 0; i < s->n[k]; i++) bend_row(&s->chain[k][i], p[k], n);
		if (s->in_stops) px_exp_row(p[k], &from_stops, n);
	}
}
static int tile(const struct call *c, struct rect r)
{
	grading_rows(c, r, row);
	return 0;
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	const struct zones *p = n->v;
	const int own[] = { IN_ACESCCT, IN_LINEAR, IN_CLIP };
	(void)conn;
	return grading_want(p->space ? p->space - 1 : own[p->style]);
}
static double flops(const struct node_ctx *n)
{
	const struct zones_state *s = n->state;
	double sum = 1;
	for (int k = 0; s && k < 3; k++) sum += s->n[k] * 30 + (s->n[k] && s->in_stops ? 60 : 0);
	return sum;
}

const struct node_type ISA(node_zones) = {
	.name = "zones",
	.doc = "Blacks, shadows, midtones, highlights, whites and S-contrast as OpenColorIO's GradingTone.",
	.more = "Each control bends its own part of the scale and leaves the rest: shadows, midtones "
	        "and highlights hold both ends, blacks and whites move one. All are parabolas joined "
	        "without a kink, they never turn the scale over, and values below 0 and above 1 go on. "
	        "In this order: midtones, highlights, whites, shadows, blacks, S-contrast; of each, "
	        "red, green and blue first. Whites and blacks follow the places to which highlights "
	        "and shadows have moved their ranges.",
	.category = "colour", .version = 1, .size = sizeof(struct zones), .params = params,
	.inputs = "image mask?", .flags = NF_RGB | NF_MASKED, .traits = TR_GRADE,
	.example = "<zones id=\"toned\" in=\"matched\" shadows=\"1.15\" highlights=\"0.8\" s_contrast=\"1.1\"/>",
	.want_of = want_of, .open = zones_open, .close = zones_close, .identity = identity, .flops = flops,
	.in_place = node_in_place, .tile = tile,
};
