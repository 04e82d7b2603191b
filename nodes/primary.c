/* primary - brightness, offset, exposure, lift, gain, contrast, gamma and saturation
 * as OpenColorIO's GradingPrimary.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "grading.h"
#include "mathx.h"
#include "px_grade.h"

enum { STYLE_LOG, STYLE_LINEAR, STYLE_VIDEO };
#define NO_CLAMP 65504.0

struct primary {
	int style, space;
	double brightness[3], offset[3], exposure[3], lift[3], gain[3], contrast[3], gamma[3];
	double pivot, pivot_black, pivot_white, saturation, clamp_black, clamp_white;
};

static const struct param params[] = {
	P_ENUM(primary, style, "log", "log|linear|video", PF_STATIC,
	       "Which controls there are. log: brightness, contrast, gamma. linear: offset, exposure, contrast. "
	       "video: offset, lift, gain, gamma. All have saturation."),
	P_ENUM(primary, space, "style", "style|acescct|linear|clip", PF_STATIC,
	       "What the numbers are: style takes acescct for log, working light for linear, the clip's own "
	       "encoding for video."),
	P_VEC3X(primary, brightness, 0, -200, 200, "", 0, "log: added to the signal, in 6.25 of 1023 codes."),
	P_VEC3X(primary, offset, 0, -10, 10, "", 0, "linear, video: added."),
	P_VEC3X(primary, exposure, 0, -20, 20, "stops", 0, "linear: times 2^exposure."),
	P_VEC3X(primary, lift, 0, -2, 2, "", 0, "video: raises the black pivot, holds the white one."),
	P_VEC3X(primary, gain, 1, 0.05, 20, "", 0, "video: moves the white pivot, holds the black one."),
	P_VEC3X(primary, contrast, 1, 0.01, 10, "", 0, "log: spreads about the pivot; linear: as a power."),
	P_VEC3X(primary, gamma, 1, 0.01, 20, "", 0,
	        "log, video: bends between the black and white pivots; above 1 is brighter."),
	P_FLOATX(primary, pivot, 0, -20, 20, "", 0,
	         "Where contrast turns. log: 0.5 + pivot / 2 (OpenColorIO's default is -0.2, 0.4). linear: stops "
	         "from 0.18 (OpenColorIO's default is 0.18)."),
	P_FLOATX(primary, pivot_black, 0, -10, 10, "", 0, "Black of gamma, lift and gain."),
	P_FLOATX(primary, pivot_white, 1, -10, 10, "", 0, "White of gamma, lift and gain."),
	P_FLOATX(primary, saturation, 1, 0, 10, "", 0, "Distance from luma, Rec.709 weights."),
	P_FLOATX(primary, clamp_black, -NO_CLAMP, -NO_CLAMP, NO_CLAMP, "", 0, "Nothing comes out below this."),
	P_FLOATX(primary, clamp_white, NO_CLAMP, -NO_CLAMP, NO_CLAMP, "", 0, "Nothing comes out above this."),
	P_END
};

/* The frozen form: p = (p - about) slope + about + add; contrast; gamma; saturation; clamp. */
struct primary_state {
	bool affine, contrasts, gammas, clamps, as_power;
	float slope[3], add[3], contrast[3], pivot;
	float gamma[3], black, range, sat, lo, hi;
};

static bool all3(const double v[3], double x) { return v[0] == x && v[1] == x && v[2] == x; }
static bool clamps(const struct primary *p)
{ return p->clamp_black != -NO_CLAMP || p->clamp_white != NO_CLAMP; }
static bool has_affine(const struct primary *p)
{
	return p->style == STYLE_LOG ? !all3(p->brightness, 0)
	     : p->style == STYLE_LINEAR ? !all3(p->offset, 0) || !all3(p->exposure, 0)
	     : !all3(p->offset, 0) || !all3(p->lift, 0) || !all3(p->gain, 1);
}
static bool has_contrast(const struct primary *p) { return p->style != STYLE_VIDEO && !all3(p->contrast, 1); }
static bool has_gamma(const struct primary *p) { return p->style != STYLE_LINEAR && !all3(p->gamma, 1); }

static bool identity(const struct node_ctx *n)
{
	const struct primary *p = n->v;
	return !has_affine(p) && !has_contrast(p) && !has_gamma(p) && p->saturation == 1 && !clamps(p);
}

/* slope and add of one channel. */
static int set_affine(struct primary_state *s, const struct primary *p, int k, struct err *e)
{
	double slope = 1, add = 0;
	if (p->style == STYLE_LOG) add = p->brightness[k] * 6.25 / 1023;
	else if (p->style == STYLE_LINEAR) {
		slope = mx_exp2(p->exposure[k]);
		add = p->offset[k] * slope;
	} else {
		double b = p->pivot_black, den = p->pivot_white / p->gain[k] + p->lift[k] - b;
		if (!(den > 1e-6))
			return err_set(e, E_SCENE, "lift %g with gain %g turns the picture over; raise lift or lower gain",
			               p->lift[k], p->gain[k]);
		slope = (p->pivot_white - b) / den;
		add = (p->offset[k] + p->lift[k] - b) * slope + b;
	}
	s->slope[k] = (float)slope;
	s->add[k] = (float)add;
	return 0;
}

static void primary_close(struct node_ctx *n)
{
	free(n->state);
	n->state = NULL;
}

static int primary_open(struct node_ctx *n, struct err *e)
{
	const struct primary *p = n->v;
	struct primary_state *s = n->state = xalloc(1, sizeof *s);
	int rc = 0;
	if (p->pivot_white - p->pivot_black < 0.01)
		rc = err_set(e, E_SCENE, "pivot_white has to stand at least 0.01 above pivot_black");
	else if (p->clamp_black > p->clamp_white)
		rc = err_set(e, E_SCENE, "clamp_black stands above clamp_white");
	s->affine = has_affine(p); s->contrasts = has_contrast(p); s->gammas = has_gamma(p);
	s->clamps = clamps(p);
	s->as_power = p->style == STYLE_LINEAR;
	for (int k = 0; k < 3 && !rc; k++) {
		rc = set_affine(s, p, k, e);
		s->contrast[k] = (float)p->contrast[k];
		s->gamma[k] = (float)(1 / p->gamma[k]);
	}
	s->pivot = (float)(s->as_power ? 0.18 * mx_exp2(p->pivot) : 0.5 + p->pivot * 0.5);
	s->black = (float)p->pivot_black;
	s->range = (float)(p->pivot_white - p->pivot_black);
	s->sat = (float)p->saturation;
	s->lo = (float)p->clamp_black;
	s->hi = (float)p->clamp_white;
	if (rc) primary_close(n);
	return rc;
}

/* Bends between black and white, mirrored about black. */
IN_INLINE void row_gamma(float *IN_RESTRICT p, float gamma, float black, float range, int n)
{
	if (gamma == 1.0f) return;
	const float to = 1.0f / range;
	for (int i = 0; i < n; i++) p[i] = (p[i] - black) * to;
	px_power_row(p, gamma, POW_ODD, n);
	for (int i = 0; i < n; i++) p[i] = p[i] * range + black;
}
IN_INLINE void row_affine(float *IN_RESTRICT p, float slope, float add, int n)
{ for (int i = 0; i < n; i++) p[i] = p[i] * slope + add; }

static void row(const void *state, float *const p[3], int n)
{
	const struct primary_state *s = state;
	for (int k = 0; k < 3; k++) {
		if (s->affine) row_affine(p[k], s->slope[k], s->add[k], n);
		if (s->contrasts && s->contrast[k] != 1.0f)
			grade_contrast_row(p[k], s->contrast[k], s->pivot, s->as_power, n);
		if (s->gammas) row_gamma(p[k], s->gamma[k], s->black, s->range, n);
	}
	if (s->sat != 1.0f) grade_saturate_row(p[0], p[1], p[2], s->sat, n);
	for (int k = 0; k < 3 && s->clamps; k++) grade_clamp_row(p[k], s->lo, s->hi, n);
}

static int tile(const struct call *c, struct rect r)
{
	grading_rows(c, r, row);
	return 0;
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	const struct primary *p = n->v;
	(void)conn;
	int styles[] = { IN_ACESCCT, IN_LINEAR, IN_CLIP };
	return grading_want(p->space ? p->space - 1 : styles[p->style]);
}
static unsigned traits_of(const struct node_ctx *n) { return clamps(n->v) ? TR_CLIPS : 0u; }
static double flops(const struct node_ctx *n)
{
	const struct primary *p = n->v;
	bool power = has_gamma(p) || (has_contrast(p) && p->style == STYLE_LINEAR);
	return 1 + 6.0 * has_affine(p) + 9.0 * has_contrast(p) + 100.0 * power + 14.0 * (p->saturation != 1);
}

const struct node_type ISA(node_primary) = {
	.name = "primary",
	.doc = "Brightness, offset, exposure, lift, gain, contrast, gamma and saturation as OpenColorIO's "
	       "GradingPrimary.",
	.more = "The three styles are those of other systems' primary grade, number for number: log (printer-light "
	        "like, over a log picture), linear (over scene light) and video (over a display "
	        "picture). Controls of another style do nothing. Three numbers are red, green and "
	        "blue, one is all; OpenColorIO's master adds to brightness, offset, exposure and lift "
	        "and multiplies the others.\nlog: (v + 6.25 brightness / 1023 - p) contrast + p, p = "
	        "0.5 + pivot / 2; then gamma. linear: p (|v + offset| 2^exposure / p)^contrast with "
	        "the sign of v, p = 0.18 2^pivot. video: (v + offset + lift - black) (white - black) / "
	        "(white / gain + lift - black) + black; then gamma. gamma: ((v - black) / (white - "
	        "black))^(1/gamma), mirrored below black. Nothing is clipped unless clamp_black or "
	        "clamp_white say so.",
	.category = "colour", .version = 1, .size = sizeof(struct primary), .params = params,
	.inputs = "image mask?", .flags = NF_RGB | NF_MASKED, .traits = TR_GRADE,
	.example = "<primary id=\"lifted\" in=\"matched\" style=\"video\" lift=\"0.01 0 0.02\" gamma=\"1.05\"/>",
	.want_of = want_of, .traits_of = traits_of, .open = primary_open, .close = primary_close,
	.identity = identity, .flops = flops, .in_place = node_in_place, .tile = tile,
};
