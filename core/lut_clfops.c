/* lut_clfops - the steps of CLF that are formulas: Range, Log, Exponent, ASC_CDL.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lut_int.h"

#include <string.h>

#include "mathx.h"

/* Which of n names style= has; fallback without one; -1 reported. */
static int style_of(const struct lut_clf *c, const struct lut_elem *x, const char *const *names, int n,
	int fallback)
{
	const char *s = lut_xml_attr(x, "style");
	if (!s) return fallback >= 0 ? fallback : lut_clf_bad(c, x->line, "<%s> has no style", x->tag);
	for (int i = 0; i < n; i++)
		if (!strcasecmp(s, names[i])) return i;
	return lut_clf_bad(c, x->line, "style=\"%.60s\" is none of <%s>'s", s, x->tag);
}

/* --- Range --- */

/* 1: read into v, normalised; 0: absent. */
static int bound(const struct lut_clf *c, const struct lut_elem *x, const char *tag, double max, double *v)
{
	int rc = 0;
	const struct lut_elem *k = lut_clf_child(c, x, tag, &rc);
	if (!k) return rc;
	if (lut_clf_numbers(c, k, 1, false, v) < 0) return -1;
	*v /= max;
	return 1;
}

static bool near(double a, double b)
{
	double d = a - b, m = a < 0 ? -a : a;
	return (d < 0 ? -d : d) <= 1e-6 * (m > 1 ? m : 1);
}

int lut_clf_range(struct lut_clf *c, const struct lut_elem *x)
{
	static const char *const styles[] = { "Clamp", "noClamp" };
	double in[2], out[2];
	int has_in[2], has_out[2], style = style_of(c, x, styles, 2, 0);
	if (style < 0 || (has_in[0] = bound(c, x, "minInValue", c->in_max, &in[0])) < 0 ||
	    (has_in[1] = bound(c, x, "maxInValue", c->in_max, &in[1])) < 0 ||
	    (has_out[0] = bound(c, x, "minOutValue", c->out_max, &out[0])) < 0 ||
	    (has_out[1] = bound(c, x, "maxOutValue", c->out_max, &out[1])) < 0) return -1;
	if (!has_in[0] && !has_in[1]) return lut_clf_bad(c, x->line, "<Range> is empty");
	for (int i = 0; i < 2; i++)
		if (has_in[i] != has_out[i])
			return lut_clf_bad(c, x->line, "<Range>: %sInValue and %sOutValue go together", i ? "max" : "min",
				i ? "max" : "min");
	bool both = has_in[0] && has_in[1];
	if (style == 1 && !both) return lut_clf_bad(c, x->line,
		"<Range>: noClamp needs both a minimum and a maximum");
	for (int i = 0; i < 2 && !both; i++)
		if (has_in[i] && !near(in[i], out[i]))
			return lut_clf_bad(c, x->line,
				"<Range> with one bound: InValue %g and OutValue %g (of white) must be equal", in[i], out[i]);
	if (both && !(in[0] < in[1])) return lut_clf_bad(c, x->line, "<Range>: minInValue must be below maxInValue");
	if (both && !(out[0] <= out[1])) return lut_clf_bad(c, x->line, "<Range>: minOutValue is above maxOutValue");
	struct lut_op *o = lut_add(c->l, LUT_RANGE, c->name, c->e);
	if (!o) return -1;
	double scale = both ? (out[1] - out[0]) / (in[1] - in[0]) : 1;
	o->u.range = (struct lut_range){ (float)scale, both ? (float)(out[0] - scale * in[0]) : 0,
		has_out[0] && !style ? (float)out[0] : -__builtin_inff(),
		has_out[1] && !style ? (float)out[1] : __builtin_inff() };
	return 0;
}

/* --- parameters by channel --- */

/* The Params of channel ch, or the one for all; NULL: none. *rc -1: given twice. */
static const struct lut_elem *params_of(const struct lut_clf *c, const struct lut_elem *x, const char *tag,
	int ch, int *rc)
{
	static const char *const names[] = { "R", "G", "B" };
	const struct lut_elem *found = NULL;
	for (const struct lut_elem *k = x->child; k; k = k->next) {
		if (strcmp(k->tag, tag) != 0) continue;
		const char *s = lut_xml_attr(k, "channel");
		if (s && strcmp(s, "R") != 0 && strcmp(s, "G") != 0 && strcmp(s, "B") != 0) {
			*rc = lut_clf_bad(c, k->line, "channel=\"%.20s\" is none of R, G, B", s);
			return NULL;
		}
		if (s && strcmp(s, names[ch]) != 0) continue;
		if (found) {
			*rc = lut_clf_bad(c, k->line, "a second <%s> for channel %s", tag, names[ch]);
			return NULL;
		}
		found = k;
	}
	return found;
}

/* --- Log --- */

struct log_numbers {
	double base, log_slope, log_off, lin_slope, lin_off, lin_break, line; bool has_break, has_line;
};

static int log_numbers(const struct lut_clf *c, const struct lut_elem *k, struct log_numbers *p)
{
	struct { const char *name; double *v; } want[] = {
		{ "base", &p->base }, { "logSideSlope", &p->log_slope }, { "logSideOffset", &p->log_off },
		{ "linSideSlope", &p->lin_slope }, { "linSideOffset", &p->lin_off },
	};
	int rc;
	for (size_t i = 0; i < IN_COUNT(want); i++)
		if (lut_clf_attr_number(c, k, want[i].name, want[i].v) < 0) return -1;
	if ((rc = lut_clf_attr_number(c, k, "linSideBreak", &p->lin_break)) < 0) return -1;
	p->has_break = rc;
	if ((rc = lut_clf_attr_number(c, k, "linearSlope", &p->line)) < 0) return -1;
	p->has_line = rc;
	if (!(p->base > 0) || p->base == 1) return lut_clf_bad(c, k->line, "base=\"%g\" is no base of a logarithm",
		p->base);
	if (p->log_slope == 0 || p->lin_slope == 0) return lut_clf_bad(c, k->line,
		"logSideSlope and linSideSlope may not be 0");
	return 0;
}

/* The straight line meets the curve at the break; its slope is the curve's there unless given. */
static int add_line(const struct lut_clf *c, const struct lut_elem *k, const struct log_numbers *p,
	struct lut_log_curve *o)
{
	double at = p->lin_slope * p->lin_break + p->lin_off;
	if (!p->has_break) return lut_clf_bad(c, k->line, "a camera style needs linSideBreak");
	if (!(at > 0)) return lut_clf_bad(c, k->line, "linSideBreak lies where there is no logarithm");
	o->lin_break = p->lin_break;
	o->log_break = o->log_slope * mx_log2(at) + o->log_off;
	o->seg_slope = p->has_line ? p->line : o->log_slope * p->lin_slope / (at * mx_log(2));
	o->seg_off = o->log_break - o->seg_slope * p->lin_break;
	if (!(o->seg_slope > 0)) return lut_clf_bad(c, k->line, "linearSlope must be above 0");
	return 0;
}

int lut_clf_log(struct lut_clf *c, const struct lut_elem *x)
{
	enum { LOG10, ANTILOG10, LOG2, ANTILOG2, LIN_LOG, LOG_LIN, CAM_LIN_LOG, CAM_LOG_LIN };
	static const char *const styles[] = { "log10", "antiLog10", "log2", "antiLog2", "linToLog", "logToLin",
		"cameraLinToLog",
		"cameraLogToLin" };
	int rc = 0, style = style_of(c, x, styles, 8, -1);
	if (style < 0) return -1;
	struct lut_op *op = lut_add(c->l, LUT_LOG, c->name, c->e);
	if (!op) return -1;
	op->u.log.inverse = style & 1;
	for (int ch = 0; ch < 3; ch++) {
		struct log_numbers p = { .base = style <= ANTILOG10 ? 10 : 2, .log_slope = 1, .lin_slope = 1 };
		const struct lut_elem *k = params_of(c, x, "LogParams", ch, &rc);
		if (rc < 0) return -1;
		if (k && style < LIN_LOG) return lut_clf_bad(c, k->line, "style \"%s\" takes no <LogParams>",
			styles[style]);
		if (!k && style >= LIN_LOG) return lut_clf_bad(c, x->line,
			"style \"%s\" needs <LogParams> for every channel", styles[style]);
		if (k && log_numbers(c, k, &p) < 0) return -1;
		if (k && style < CAM_LIN_LOG && (p.has_break || p.has_line))
			return lut_clf_bad(c, k->line, "linSideBreak and linearSlope belong to the camera styles");
		struct lut_log_curve *o = &op->u.log.c[ch];
		*o = (struct lut_log_curve){ .lin_slope = p.lin_slope, .lin_off = p.lin_off,
			.log_slope = p.log_slope / mx_log2(p.base), .log_off = p.log_off };
		if (style >= CAM_LIN_LOG && add_line(c, k, &p, o) < 0) return -1;
	}
	return 0;
}

/* --- Exponent --- */

/* The curves with a foot as the Academy's specification derives them from exponent and offset. */
static void mon_curve(struct lut_exp_curve *o, double g, double off, bool inverse)
{
	o->identity = g == 1 && off == 0;
	g = g > 1.000001 ? g : 1.000001;
	off = off > 0.000001 ? off : 0.000001;
	double knee = mx_pow(off * g / ((g - 1) * (1 + off)), g);
	if (!inverse)
		*o = (struct lut_exp_curve){ g, 1 / (1 + off), off / (1 + off), off / (g - 1),
			(g - 1) / off * knee, o->identity };
	else
		*o = (struct lut_exp_curve){ 1 / g, 1 + off, off, knee,
			mx_pow((g - 1) / off, g - 1) * mx_pow((1 + off) / g, g),
		                             o->identity };
}

int lut_clf_exponent(struct lut_clf *c, const struct lut_elem *x)
{
	static const char *const styles[] = { "basicFwd", "basicRev", "basicMirrorFwd", "basicMirrorRev",
		"basicPassThruFwd",
		"basicPassThruRev", "monCurveFwd", "monCurveRev", "monCurveMirrorFwd", "monCurveMirrorRev" };
	enum { MON = 6 };
	int rc = 0, style = style_of(c, x, styles, 10, -1);
	if (style < 0) return -1;
	struct lut_op *op = lut_add(c->l, LUT_EXPONENT, c->name, c->e);
	if (!op) return -1;
	struct lut_exponent *ex = &op->u.exponent;
	ex->foot = style >= MON;
	ex->inverse = style & 1;
	ex->below = style < 2 ? LUT_BELOW_ZERO : style < 4 || style >= 8 ? LUT_BELOW_MIRROR : LUT_BELOW_PASS;
	int given = 0;
	for (int ch = 0; ch < 3; ch++) {
		double g = 1, off = 0;
		const struct lut_elem *k = params_of(c, x, "ExponentParams", ch, &rc);
		if (!k && rc == 0) { ex->c[ch].identity = true; continue; }
		if (rc < 0) return -1;
		given++;
		if ((rc = lut_clf_attr_number(c, k, "exponent", &g)) < 0) return -1;
		if (!rc) return lut_clf_bad(c, k->line, "<ExponentParams> has no exponent");
		if ((rc = lut_clf_attr_number(c, k, "offset", &off)) < 0) return -1;
		if (rc && !ex->foot) return lut_clf_bad(c, k->line, "offset belongs to the monCurve styles");
		if (!(g >= (ex->foot ? 1 : 0.01)) || !(g <= (ex->foot ? 10 : 100)))
			return lut_clf_bad(c, k->line, "exponent %g is outside %s", g, ex->foot ? "1 to 10" : "0.01 to 100");
		if (!(off >= 0 && off <= 0.9)) return lut_clf_bad(c, k->line, "offset %g is outside 0 to 0.9", off);
		rc = 0;
		if (ex->foot) mon_curve(&ex->c[ch], g, off, ex->inverse);
		else ex->c[ch] = (struct lut_exp_curve){ .power = ex->inverse ? 1 / g : g, .scale = 1, .identity = false };
	}
	return given ? 0 : lut_clf_bad(c, x->line, "<Exponent> has no <ExponentParams>");
}

/* --- ASC_CDL --- */

static int cdl_sop(struct lut_clf *c, const struct lut_elem *sop, struct lut_cdl *o)
{
	static const char *const tags[] = { "Slope", "Offset", "Power" };
	float *to[3] = { o->slope, o->offset, o->power };
	for (int i = 0; i < 3; i++) {
		int rc = 0;
		double v[3];
		const struct lut_elem *k = lut_clf_child(c, sop, tags[i], &rc);
		if (rc < 0) return -1;
		if (!k) return lut_clf_bad(c, sop->line, "<SOPNode> has no <%s>", tags[i]);
		if (lut_clf_numbers(c, k, 3, false, v) < 0) return -1;
		for (int ch = 0; ch < 3; ch++) {
			if (i == 0 && !(v[ch] >= 0)) return lut_clf_bad(c, k->line, "slope %g is below 0", v[ch]);
			if (i == 0 && v[ch] == 0 && o->inverse) return lut_clf_bad(c, k->line, "a slope of 0 has no inverse");
			if (i == 2 && !(v[ch] > 0)) return lut_clf_bad(c, k->line, "power %g is not above 0", v[ch]);
			to[i][ch] = (float)v[ch];
		}
	}
	return 0;
}

int lut_clf_cdl(struct lut_clf *c, const struct lut_elem *x)
{
	static const char *const styles[] = { "Fwd", "Rev", "FwdNoClamp", "RevNoClamp", "v1.2_Fwd", "v1.2_Rev",
		"noClampFwd",
		"noClampRev" };
	int rc = 0, style = style_of(c, x, styles, 8, 0);
	if (style < 0) return -1;
	struct lut_op *op = lut_add(c->l, LUT_CDL, c->name, c->e);
	if (!op) return -1;
	struct lut_cdl *o = &op->u.cdl;
	*o = (struct lut_cdl){ .inverse = style & 1, .clamp = !(style & 2), .slope = { 1, 1, 1 },
		.power = { 1, 1, 1 }, .sat = 1 };
	const struct lut_elem *sop = lut_clf_child(c, x, "SOPNode", &rc);
	const struct lut_elem *sat = rc < 0 ? NULL : lut_clf_child(c, x, "SatNode", &rc);
	if (rc < 0) return -1;
	if (!sop && !sat) return lut_clf_bad(c, x->line, "<ASC_CDL> has neither <SOPNode> nor <SatNode>");
	if (sop && cdl_sop(c, sop, o) < 0) return -1;
	if (!sat) return 0;
	double v;
	const struct lut_elem *k = lut_clf_child(c, sat, "Saturation", &rc);
	if (rc < 0) return -1;
	if (!k) return lut_clf_bad(c, sat->line, "<SatNode> has no <Saturation>");
	if (lut_clf_numbers(c, k, 1, false, &v) < 0) return -1;
	if (!(v >= 0)) return lut_clf_bad(c, k->line, "saturation %g is below 0", v);
	if (v == 0 && o->inverse) return lut_clf_bad(c, k->line, "a saturation of 0 has no inverse");
	o->sat = (float)v;
	return 0;
}
