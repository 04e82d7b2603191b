/* balance - take one shot to neutral: white point, exposure, black and white,
 * as measured by `interneg solve`.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "measure.h"
#include "node.h"
#include "px_colour.h"
#include "px_fetch.h"
#include "skin.h"
#include "white.h"

enum { TEMP_LIMIT = 30, TINT_LIMIT = 15, THUMB_PIXELS = 30000 };

#define SURE 0.8
/* Linear light (0.91 and 0.99 as a signal) between which clipped white takes over. */
#define HOLD_LOW 0.80f
#define HOLD_HIGH 0.98f

struct balance
{ double exposure, temperature, tint, black, white, hold_white, strength, skin; const char *solved; };

static const struct param params[] = {
	P_FLOATX(balance, exposure, 0, -20, 20, "stops",
	         PF_SOLVED, "Multiplies linear light by 2^exposure."),
	P_FLOATX(balance, temperature, 0, WHITE_TEMP_MIN, WHITE_TEMP_MAX, "mired", PF_SOLVED,
	         "Correction of the white point along the Planckian locus; + makes the picture warmer."),
	P_FLOATX(balance, tint, 0, -WHITE_TINT_MAX, WHITE_TINT_MAX, "0.001 Duv", PF_SOLVED,
	         "Correction across the locus; + makes the picture more magenta."),
	P_FLOATX(balance, black, 0, -1, 0.5, "linear", PF_SOLVED, "Linear light that becomes 0."),
	P_FLOATX(balance, white, 1, 0.51, 100, "linear",
	         PF_SOLVED, "Linear light that becomes 1; nothing is clipped."),
	P_FLOAT(balance, hold_white, 1, 0, 1, "share",
	        "Display-referred clips: how much of the shift of temperature and tint is kept from white "
	        "that was clipped. 1 leaves it neutral, 0 shifts it like everything else."),
	P_FLOAT(balance, strength, 1, 0, 1, "mix", "Share of the whole correction."),
	P_FLOATX(balance, skin, -1, -1, 360, "degrees", PF_SOLVED | PF_NOKEY,
	         "Where the shot's skin stands after the balance, as measured; -1: none was found."),
	P_STRING(balance, solved, "", PF_SOLVED | PF_NOKEY, "Key of what was measured; written by "
	         "`interneg solve`."),
	P_END
};

struct balance_state { float m[9], black, gain, light, hold; };

static bool identity(const struct node_ctx *n)
{
	const struct balance *p = n->v;
	return p->strength == 0 || (p->exposure == 0 && p->temperature == 0 && p->tint == 0
	                            && p->black == 0 &&
	                            p->white == 1);
}

/* Whether the clip ends at linear 1, so that what is there was clipped: not PQ, not scene light. */
static bool ends_at_one(const struct node_ctx *n)
{
	int space = n->nconn && n->in[0] ? n->in[0]->encoded : SPACE_NONE;
	if (space < 0 || !colour_is_display(space)) return false;
	double one = colour_encode(space, 1);
	return one > 0.999 && one < 1.001;
}

static int balance_open(struct node_ctx *n, struct err *e)
{
	const struct balance *p = n->v;
	struct balance_state *s = xalloc(1, sizeof *s);
	double m[9], k = p->strength;
	(void)e;
	white_matrix(n->working, p->exposure * k, p->temperature * k, p->tint * k, m);
	for (int i = 0; i < 9; i++) s->m[i] = (float)m[i];
	s->black = (float)(p->black * k);
	s->gain = (float)(1 / (1 + (p->white - 1) * k - p->black * k));
	s->light = (float)mx_exp2(p->exposure * k);
	if ((p->temperature * k != 0 || p->tint * k != 0) && ends_at_one(n))
		s->hold = (float)p->hold_white;
	n->state = s;
	return 0;
}
static void balance_close(struct node_ctx *n)
{
	free(n->state);
	n->state = NULL;
}

static void row_levels(float *IN_RESTRICT p, float black, float gain, int n)
{
	for (int i = 0; i < n; i++) p[i] = (p[i] - black) * gain;
}

/* Where every channel of the source reached its end there is no colour left to correct: a shift would
 * only paint windows and skies. There the source times light takes over. */
static void row_hold(float *const out[3], const float *const in[3], float light, float hold, int n)
{
	const float *IN_RESTRICT a = in[0], *IN_RESTRICT b = in[1], *IN_RESTRICT c = in[2];
	float *IN_RESTRICT r = out[0], *IN_RESTRICT g = out[1], *IN_RESTRICT l = out[2];
	for (int i = 0; i < n; i++) {
		float x = a[i], y = b[i], z = c[i], low = px_min(x, px_min(y, z));
		float t = px_clamp((low - HOLD_LOW) * (1.0f / (HOLD_HIGH - HOLD_LOW)), 0.0f, 1.0f);
		float w = hold * (t * t * (3.0f - 2.0f * t));
		r[i] = r[i] + w * (x * light - r[i]);
		g[i] = g[i] + w * (y * light - g[i]);
		l[i] = l[i] + w * (z * light - l[i]);
	}
}

/* What holds the luma looks back at what came in. */
static bool in_place(const struct node_ctx *n) { return ((const struct balance_state *)n->state)->hold == 0; }

static int tile(const struct call *c, struct rect r)
{
	const struct balance_state *s = c->n->state;
	int w = rect_w(r);
	for (int y = r.y0; y < r.y1; y++) {
		float *p[3];
		const float *in[3];
		for (int k = 0; k < 3; k++) {
			p[k] = view_at(c->out, k, r.x0, y);
			in[k] = view_at(&c->in[0], k, r.x0, y);
			px_take_row(p[k], in[k], w);
		}
		matrix_row(s->m, p[0], p[1], p[2], w);
		if (s->hold != 0) row_hold(p, in, s->light, s->hold, w);
		for (int k = 0; k < 3 && (s->black != 0 || s->gain != 1); k++) row_levels(p[k], s->black,
		                                                                          s->gain, w);
	}
	return 0;
}

/* --- solve --- */

static void say(struct solve_call *s, const char *fmt, ...) IN_PRINTF(2, 3);
static void say(struct solve_call *s, const char *fmt, ...)
{
	size_t n = strlen(s->note);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(s->note + n, sizeof s->note - n, fmt, ap);
	va_end(ap);
}

/* Log luminance (stops) and luminance of thumbnails after the correction m. */
static void luminances(const struct thumb *t, int nt, int space, const double m[9],
                       struct hist *stops, struct hist *lin)
{
	double w[3];
	colour_luma(space, w);
	hist_init(stops, -14, 8);
	hist_init(lin, -0.25, 4);
	for (int f = 0; f < nt; f++)
		for (size_t i = 0; i < (size_t)t[f].w * (size_t)t[f].h; i++) {
			double y = 0;
			for (int k = 0; k < 3; k++)
				y += w[k] * (m[k * 3] * t[f].p[0][i] + m[k * 3 + 1] * t[f].p[1][i]
				             + m[k * 3 + 2] * t[f].p[2][i]);
			hist_add(stops, px_dlog2(y > 0x1p-14 ? y : 0x1p-14));
			hist_add(lin, y);
		}
}

/* Above it a channel counts as clipped. Display-referred clips end at 1; scene-linear ones have
 * highlights. */
static double clip_level(const struct solve_call *s, const struct thumb *t, int nt, struct hist *h)
{
	if (colour_is_display(s->n->in[0]->encoded)) return 0.96;
	hist_init(h, 0, 64);
	for (int f = 0; f < nt; f++)
		for (size_t i = 0; i < (size_t)t[f].w * (size_t)t[f].h; i++)
			hist_add(h, px_max(t[f].p[0][i], px_max(t[f].p[1][i], t[f].p[2][i])));
	double q = hist_quantile(h, 0.99);
	return q > 0.1 ? q : 0.1;
}

/* Half the way up to a normal exposure, or a fifth of the way down, and no further than lets the
 * highlights stay below white. */
static double solve_exposure(struct solve_call *s, const struct hist *stops, bool display)
{
	double key = (hist_mean_between(stops, 0.05, 0.95) + hist_quantile(stops, 0.5)) / 2;
	double ev = 0.5 * (mx_log2(display ? 0.11 : 0.14) - key);
	if (ev < 0) ev *= 0.4;                  /* bright pictures are mostly meant to be */
	double head = -hist_quantile(stops, 0.995);
	if (display && ev > head) {
		double was = ev;
		ev = head > 0 ? head : 0;
		if (was - ev > 0.05) say(s, ", highlights hold exposure back");
	}
	return solve_limit(s, "exposure", ev, -1.5, 1.5);
}

/* Where skin stands under a matrix on the thumbnails; automatic masks, so
 * this is told and changes nothing. */
static void skin_under(const struct thumb *t, int nt, int space, const double m[9], struct skin_stats *out)
{
	struct colour_xform x;
	size_t n = 0, at = 0;
	float *v[3], w[9];
	for (int f = 0; f < nt; f++) n += (size_t)t[f].w * (size_t)t[f].h;
	for (int k = 0; k < 3; k++) v[k] = xalloc(n + 1, sizeof(float));
	for (int f = 0; f < nt; f++)
		for (size_t i = 0; i < (size_t)t[f].w * (size_t)t[f].h; i++, at++)
			for (int k = 0; k < 3; k++) v[k][at] = t[f].p[k][i];
	for (int k = 0; k < 9; k++) w[k] = (float)m[k];
	matrix_row(w, v[0], v[1], v[2], (int)n);
	colour_xform_init(&x, space, colour_find("rec709"));
	colour_row(&x, v[0], v[1], v[2], (int)n);
	skin_measure((const float *const *)v, n, SKIN_ANY, NULL, out);
	for (int k = 0; k < 3; k++) free(v[k]);
}

static void tell_skin(struct solve_call *s, const struct thumb *t, int nt, int space, double ev,
                      double temp, double tint)
{
	static const double one[9] = { 1, 0, 0, 0, 1, 0, 0, 0, 1 };
	struct skin_stats before, after;
	double m[9];
	white_matrix(space, ev, temp, tint, m);
	skin_under(t, nt, space, one, &before);
	skin_under(t, nt, space, m, &after);
	double hue = after.n && after.share > 0.01 ? after.hue : -1;
	if (before.n && after.n)
		say(s, "; skin at %.1f degrees before, %.1f after (the line is at 123)",
		    before.hue, after.hue);
	solve_attr_put(s, "skin", &hue, 1, 1);
}

static int balance_solve(struct solve_call *s, struct err *e)
{
	struct sweep w = { .black = 0.0015, .white = 0.75, .thumb_budget = THUMB_PIXELS };
	struct thumb *t = w.thumb;
	struct hist *h = xalloc(2, sizeof *h);
	int rc = -1, nt, space = s->n->working;
	if (s->nsamples < 1) { err_set(e, E_INTERNAL, "balance: nothing to measure"); goto out; }
	for (; w.n < s->nsamples && w.n < SWEEP_FRAMES; w.n++) w.im[w.n] = s->sample[w.n].in;
	if (sweep_run(&w, e) < 0) goto out;
	nt = w.n;
	bool display = colour_is_display(s->n->in[0]->encoded);
	struct white_guess g;
	white_measure(t, nt, clip_level(s, t, nt, h), space, &g);
	snprintf(s->note, sizeof s->note, "%d frame%s, %d white estimator%s %.2f stops apart, %.0f %% "
	         "near neutral", nt,
	         nt == 1 ? "" : "s", g.estimators, g.estimators == 1 ? "" : "s", g.spread,
	         100 * g.neutral_share);
	if (g.weight[3] > 0) say(s, ", skin votes");
	area_note(&w.area, s->note, sizeof s->note);
	double temp = 0, tint = 0, m[9];
	if (g.estimators) white_solve(space, g.rgb, WHITE_TEMP_MAX, WHITE_TINT_MAX, &temp, &tint);
	temp = solve_limit(s, "temperature", temp, -TEMP_LIMIT, TEMP_LIMIT);
	tint = solve_limit(s, "tint", tint, -TINT_LIMIT, TINT_LIMIT);
	if (g.confidence < SURE) {              /* estimators that disagree move the picture less */
		temp *= g.confidence / SURE;
		tint *= g.confidence / SURE;
		say(s, ", correction reduced");
	}
	white_matrix(space, 0, temp, tint, m);
	luminances(t, nt, space, m, &h[0], &h[1]);
	double ev = solve_exposure(s, &h[0], display), gain = mx_exp2(ev);
	double black = hist_quantile(&h[1], 0.001) * gain, white = hist_quantile(&h[1], 0.999) * gain;
	black = black < 2e-4 ? 0 : solve_limit(s, "black", black, 0, 0.005);
	white = !display || white < 0.5 || white > 0.99 ? 1 : white < 0.7 ? 0.85 : (1 + white) / 2;
	solve_attr_put(s, "exposure", &ev, 1, 3);
	solve_attr_put(s, "temperature", &temp, 1, 2);
	solve_attr_put(s, "tint", &tint, 1, 2);
	solve_attr_put(s, "black", &black, 1, 5);
	solve_attr_put(s, "white", &white, 1, 4);
	tell_skin(s, t, nt, space, ev, temp, tint);
	s->confidence = g.confidence;
	rc = 0;
out:
	sweep_free(&w);
	free(h);
	return rc;
}

const struct node_type ISA(node_balance) = {
	.name = "balance",
	.doc = "Take one shot to neutral: white point, exposure, black and white, as measured by "
	        "`interneg solve`.",
	.more = "Works on linear light: exposure, temperature and tint as in grade, then (v - black) / "
	        "(white - black); nothing is clipped. White that a display-referred clip has clipped (the smallest "
	        "channel of its linear light going from 0.8 to 0.98) has no colour to correct and smoothly "
	        "keeps its own, see hold_white. `solve` measures frames spread over the shot: the "
	        "white point by shades of grey, grey edge, the crowd of greys nearest to the delivered "
	        "white and what looks like skin, as far as it lies beside the colours of skin in "
	        "daylight (within 30 mired and 15 tint; where they disagree or no crowd is found, "
	        "confidence falls and the correction with it), exposure from the middle of log "
	        "luminance (half the way up or a fifth of the way down to a normal one, within 1.5 "
	        "stops, never pushing highlights of a display-referred clip above white), black from "
	        "the darkest 0.1 % (at most 0.005), white half the way to the brightest 0.1 % "
	        "(display-referred clips only, not below 0.85). The values stand in the scene and may "
	        "be edited.",
	.category = "colour", .version = 2, .size = sizeof(struct balance), .params = params,
	.inputs = "image mask?", .flags = NF_RGB | NF_MASKED | NF_SOLVE, .traits = TR_NEUTRAL,
	    .want = WANT_LINEAR,
	.example = "<balance id=\"base\" in=\"up\" exposure=\"0.12\" temperature=\"-6\" tint=\"1\"/>",
	.open = balance_open, .close = balance_close, .identity = identity, .in_place = in_place, .tile = tile,
	    .solve = balance_solve,
};
