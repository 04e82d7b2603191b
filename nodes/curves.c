/* curves - RGB curves, and hue, saturation and luma against each other.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "curve.h"
#include "grading.h"
#include "px_grade_hue.h"

struct curves {
	int space, spline;
	struct curve red, green, blue, master, hue_hue, hue_sat, hue_lum, lum_sat, sat_sat;
};

static const struct param params[] = {
	P_ENUM(curves, space, "acescct", "acescct|linear|clip", PF_STATIC,
	       "What the curves are drawn over: the log grading space, linear working light, or the clip's own "
	       "encoding."),
	P_ENUM(curves, spline, "monotone", "monotone|smooth", PF_STATIC,
	       "Of the RGB curves. monotone: Fritsch and Carlson's cubic, straight beyond its ends. smooth: the "
	       "quadratic spline of OpenColorIO's GradingRGBCurve."),
	P_CURVE(curves, red, 0, "Curve of red: \"x,y x,y ...\"; empty is straight."),
	P_CURVE(curves, green, 0, "Curve of green."),
	P_CURVE(curves, blue, 0, "Curve of blue."),
	P_CURVE(curves, master, 0, "Curve of all channels, after the single ones."),
	P_CURVE(curves, hue_hue, 0, "Degrees to turn, against hue: 0 red, 120 green, 240 blue; 0 leaves it."),
	P_CURVE(curves, hue_sat, 0, "Saturation, against hue in degrees; 1 leaves it."),
	P_CURVE(curves, hue_lum, 0, "What is added to luma, against hue in degrees; 0 leaves it."),
	P_CURVE(curves, lum_sat, 0, "Saturation, against luma; 1 leaves it."),
	P_CURVE(curves, sat_sat, 0, "Saturation, against max - min of red, green, blue; 1 leaves it."),
	P_END
};

enum { HUE_HUE, HUE_SAT, HUE_LUM, LUM_SAT, SAT_SAT, NHUE };
#define CIRCLE 360.0
/* hue_lum reaches only half of a colour whose max - min is about this share of
 * the way from mid-grey to white. */
#define PALE 0.25

struct curves_state {
	struct curve_table rgb[4], hue[NHUE];
	bool any_rgb, any_hue, scales;
	float pale;
};

static const struct curve *rgb_curve(const struct curves *p, int i)
{ return i == 0 ? &p->red : i == 1 ? &p->green : i == 2 ? &p->blue : &p->master; }
static const struct curve *hue_curve(const struct curves *p, int i)
{
	const struct curve *c[NHUE] = { &p->hue_hue, &p->hue_sat, &p->hue_lum, &p->lum_sat, &p->sat_sat };
	return c[i];
}
static double neutral_of(int i) { return i == HUE_HUE || i == HUE_LUM ? 0 : 1; }

/* Straight, or at the neutral value everywhere. */
static bool rgb_neutral(const struct curve *c)
{
	for (int i = 0; i < c->n; i++) if (c->x[i] != c->y[i]) return false;
	return true;
}
static bool hue_neutral(const struct curve *c, double neutral)
{
	for (int i = 0; i < c->n; i++) if (c->y[i] != neutral) return false;
	return true;
}
static int used(const struct curves *p, bool hue)
{
	int n = 0;
	for (int i = 0; i < 4 && !hue; i++) n += !rgb_neutral(rgb_curve(p, i)) * (i == 3 ? 3 : 1);
	for (int i = 0; i < NHUE && hue; i++) n += !hue_neutral(hue_curve(p, i), neutral_of(i));
	return n;
}
static bool identity(const struct node_ctx *n) { return !used(n->v, false) && !used(n->v, true); }

static void curves_close(struct node_ctx *n)
{
	struct curves_state *s = n->state;
	if (!s) return;
	for (int i = 0; i < 4; i++) curve_table_free(&s->rgb[i]);
	for (int i = 0; i < NHUE; i++) curve_table_free(&s->hue[i]);
	free(s);
	n->state = NULL;
}

/* A curve against luma or chroma: it holds its ends. */
static int bake_held(struct curve_table *t, const struct curve *c, struct err *e)
{
	int rc = curve_bake(t, c, SPLINE_MONOTONE, e);
	t->before = t->after = 0;
	return rc;
}
static int bake_hue(struct curves_state *s, const struct curves *p, int i, struct err *e)
{
	static const char *const names[NHUE] = { "hue_hue", "hue_sat", "hue_lum", "lum_sat", "sat_sat" };
	const struct curve *c = hue_curve(p, i);
	struct curve turns;
	if (hue_neutral(c, neutral_of(i))) return 0;
	for (int k = 0; k < c->n; k++)
		if (neutral_of(i) == 1 && c->y[k] < 0)
			return err_set(e, E_SCENE, "%s: saturation cannot be below 0", names[i]);
	if (i == LUM_SAT || i == SAT_SAT) return bake_held(&s->hue[i], c, e);
	if (c->x[0] < 0 || c->x[c->n - 1] > CIRCLE)
		return err_set(e, E_SCENE, "%s: hues go from 0 to 360 degrees", names[i]);
	turns = *c;
	for (int k = 0; k < c->n && i == HUE_HUE; k++) turns.y[k] = c->y[k] / 60;
	curve_bake_around(&s->hue[i], &turns, CIRCLE, 6);
	return 0;
}

static int curves_open(struct node_ctx *n, struct err *e)
{
	const struct curves *p = n->v;
	struct curves_state *s = n->state = xalloc(1, sizeof *s);
	int rc = 0;
	for (int i = 0; i < 4 && !rc; i++)
		if (!rgb_neutral(rgb_curve(p, i)))
			rc = curve_bake(&s->rgb[i], rgb_curve(p, i), p->spline ? SPLINE_SMOOTH : SPLINE_MONOTONE, e);
	for (int i = 0; i < NHUE && !rc; i++) rc = bake_hue(s, p, i, e);
	if (rc) { curves_close(n); return -1; }
	s->any_rgb = used(p, false);
	s->any_hue = used(p, true);
	s->scales = s->hue[HUE_SAT].knot || s->hue[LUM_SAT].knot || s->hue[SAT_SAT].knot;
	s->pale = (float)(1 / (PALE * grading_upper(grading_space(n, p->space))));
	return 0;
}

/* f = f times the table at v. */
IN_INLINE void scale_by(float *IN_RESTRICT f, const struct curve_table *table,
                        const float *IN_RESTRICT v, int n)
{
	const struct curve_table t = *table;
	if (!t.knot) return;
	for (int i = 0; i < n; i++) f[i] *= grade_table_at(&t, t.knot, v[i]);
}

/* Colours turned to hue h, with chroma and luma as they were. */
IN_INLINE void turn(const struct curve_table *table, const struct hue_block *w, float *IN_RESTRICT r,
                    float *IN_RESTRICT g, float *IN_RESTRICT b, int n)
{
	const struct curve_table t = *table;
	for (int i = 0; i < n; i++) {
		float h = w->hue[i] + grade_table_at(&t, t.knot, w->hue[i]);
		h -= 6.0f * px_floor(h * (1.0f / 6.0f));
		float x = hue_red(h), y = hue_green(h), z = hue_blue(h), l = grade_luma(x, y, z), c = w->chroma[i];
		r[i] = w->luma[i] + c * (x - l);
		g[i] = w->luma[i] + c * (y - l);
		b[i] = w->luma[i] + c * (z - l);
	}
}

/* Every curve looks at the colour as it came; hue turns, chroma scales, luma is added. */
static void hue_rows(const struct curves_state *s, float *r, float *g, float *b, int n)
{
	struct hue_block w;
	float f[PX_BLOCK];
	hue_split(&w, r, g, b, n);
	if (s->hue[HUE_HUE].knot) turn(&s->hue[HUE_HUE], &w, r, g, b, n);
	if (s->scales) {
		for (int i = 0; i < n; i++) f[i] = 1.0f;
		scale_by(f, &s->hue[HUE_SAT], w.hue, n);
		scale_by(f, &s->hue[LUM_SAT], w.luma, n);
		scale_by(f, &s->hue[SAT_SAT], w.chroma, n);
		for (int i = 0; i < n; i++) r[i] = w.luma[i] + f[i] * (r[i] - w.luma[i]);
		for (int i = 0; i < n; i++) g[i] = w.luma[i] + f[i] * (g[i] - w.luma[i]);
		for (int i = 0; i < n; i++) b[i] = w.luma[i] + f[i] * (b[i] - w.luma[i]);
	}
	if (!s->hue[HUE_LUM].knot) return;
	for (int i = 0; i < n; i++) f[i] = smooth_step(w.chroma[i], 0.0f, s->pale);
	scale_by(f, &s->hue[HUE_LUM], w.hue, n);
	for (int i = 0; i < n; i++) { r[i] += f[i]; g[i] += f[i]; b[i] += f[i]; }
}

static void row(const void *state, float *const p[3], int n)
{
	const struct curves_state *s = state;
	for (int k = 0; k < 3 && s->any_rgb; k++) {
		grade_curve_row(p[k], &s->rgb[k], n);
		grade_curve_row(p[k], &s->rgb[3], n);
	}
	for (int i = 0; i < n && s->any_hue; i += PX_BLOCK)
		hue_rows(s, p[0] + i, p[1] + i, p[2] + i, n - i < PX_BLOCK ? n - i : PX_BLOCK);
}
static int tile(const struct call *c, struct rect r)
{
	grading_rows(c, r, row);
	return 0;
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	(void)conn;
	return grading_want(((const struct curves *)n->v)->space);
}
static double flops(const struct node_ctx *n)
{ return 1 + 15.0 * used(n->v, false) + (used(n->v, true) ? 30 + 20.0 * used(n->v, true) : 0); }

const struct node_type ISA(node_curves) = {
	.name = "curves",
	.doc = "RGB curves, and hue, saturation and luma against each other.",
	.more = "First red, green and blue, then master, then the curves of hue. These all look at the "
	        "colour as the RGB curves leave it: hue in degrees as in HSV (60 a sextant of the "
	        "colour circle, straight between), luma y = .2126 R + .7152 G + .0722 B, saturation as "
	        "max - min, all of the space's numbers (in acescct a stop is 0.057, mid-grey 0.414, "
	        "white 0.555). hue_hue turns colours at constant luma and max - min; hue_sat, lum_sat "
	        "and sat_sat multiply the distance from luma; hue_lum adds to luma, fading out towards "
	        "grey, where hue means nothing. Curves of hue go around the circle without a seam; "
	        "lum_sat and sat_sat hold their ends. All are monotone cubics between the points, so "
	        "nothing overshoots. Values below 0 and above 1 are kept.",
	.category = "colour", .version = 1, .size = sizeof(struct curves), .params = params,
	.inputs = "image mask?", .flags = NF_RGB | NF_MASKED, .traits = TR_GRADE,
	.example = "<curves id=\"leaves\" in=\"graded\" hue_hue=\"60,0 110,-12 160,0\" hue_sat=\"60,1 "
	        "110,0.8 160,1\"/>",
	.want_of = want_of, .open = curves_open, .close = curves_close, .identity = identity, .flops = flops,
	.in_place = node_in_place, .tile = tile,
};
