/* grade - exposure, white balance, CDL, lift gamma gain, contrast, curves,
 * saturation and a LUT, in that order.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "cdlfile.h"
#include "curve.h"
#include "grading.h"
#include "lut.h"
#include "mathx.h"
#include "px_colour.h"
#include "px_fetch.h"
#include "px_grade.h"
#include "px_lut.h"
#include "px_skin.h"
#include "white.h"

/* Whole batches of the LUT, no more than the nearest cache holds. */
enum { CHUNK = 5 * LUT_BATCH };
#define POINTS_PER_STOP 12

struct grade {
	double exposure, temperature, tint, printer_lights[3];
	int space;
	const char *cdl, *cdl_id;
	double slope[3], offset[3], power[3];
	double lift[3], gamma[3], gain[3];
	double contrast, pivot;
	struct curve master, red, green, blue;
	double saturation, vibrance;
	int clamp;
	const char *lut, *lut_in, *lut_out;
	double lut_mix;
	int lut_outside;
	double skin_chroma, skin_light;
};

static const struct param params[] = {
	P_FLOAT(grade, exposure, 0, -20, 20, "stops", "Multiplies linear light by 2^exposure."),
	P_FLOAT(grade, temperature, 0, WHITE_TEMP_MIN, WHITE_TEMP_MAX, "mired",
	        "Moves white along the Planckian locus from 6504 K; + is warmer. The luminance of neutral "
	        "stays."),
	P_FLOAT(grade, tint, 0, -WHITE_TINT_MAX, WHITE_TINT_MAX, "0.001 Duv",
	        "Moves white across the locus; + is magenta."),
	P_VEC3X(grade, printer_lights, 0, -60, 60, "points", PF_LATER,
	        "Red, green and blue light as a film printer's, 12 points to the stop: + is more of that "
	        "colour."),
	P_ENUM(grade, space, "acescct", "acescct|linear|clip", PF_STATIC,
	       "What CDL, lift/gamma/gain, contrast, curves and saturation work on: the log grading "
	        "space, linear working light, or the clip's own encoding."),
	P_PATH(grade, cdl, PF_FILE | PF_STATIC | PF_LATER,
	       "A .cc, .ccc or .cdl file: slope, offset, power and saturation of one of its corrections, "
	       "before the grade's own CDL."),
	P_STRING(grade, cdl_id, "", PF_STATIC | PF_LATER,
	         "Which correction of the file: its id, or its number from 0; empty takes the only one."),
	P_VEC3(grade, slope, 1, 1, 1, 0, 100, "", 0, "ASC CDL slope: value times slope ..."),
	P_VEC3(grade, offset, 0, 0, 0, -10, 10, "", 0, "ASC CDL offset: ... plus offset ..."),
	P_VEC3(grade, power, 1, 1, 1, 0.01, 100, "",
	       0, "ASC CDL power: ... to the power, where it is above 0."),
	P_VEC3(grade, lift, 0, 0, 0, -2, 2, "", 0, "Raises black (0), holds white (1)."),
	P_VEC3(grade, gamma, 1, 1, 1, 0.05, 20, "",
	       0, "Bends between black and white; above 1 is brighter."),
	P_VEC3(grade, gain, 1, 1, 1, 0.05, 20, "", 0, "Moves white (1), holds black."),
	P_FLOAT(grade, contrast, 1, 0, 10, "", "Spreads values about the pivot; in linear light as a "
	        "power."),
	P_FLOAT(grade, pivot, 0, 0, 10, "", "Value that contrast leaves alone; 0 takes mid-grey (18 %) of "
	        "the space."),
	P_CURVE(grade, master, 0, "Curve of all channels, after the single ones: \"x,y x,y ...\"; empty "
	        "is straight."),
	P_CURVE(grade, red, 0, "Curve of red."),
	P_CURVE(grade, green, 0, "Curve of green."),
	P_CURVE(grade, blue, 0, "Curve of blue."),
	P_FLOAT(grade, saturation, 1, 0, 10, "", "Distance from luma (Rec.709 weights, as the ASC CDL has "
	        "it)."),
	P_FLOATX(grade, vibrance, 0, -1, 2, "", PF_LATER, "Saturation of pale colours, sparing those that "
	         "are strong already."),
	P_ENUM(grade, clamp, "none", "none|asc", PF_WAS_BOOL, "asc clamps to 0..1 after the CDL and "
	       "after saturation, as CDL v1.2 does to the letter."),
	P_PATH(grade, lut, PF_FILE | PF_STATIC, "A .cube, .3dl, .spi1d, .spi3d, .clf or .ctf file, applied "
	       "last."),
	P_STRING(grade, lut_in, "", PF_STATIC | PF_SPACE, "Colour space of the numbers that go into the LUT; needed "
	         "with lut."),
	P_STRING(grade, lut_out, "", PF_STATIC | PF_SPACE, "Colour space of what comes out of the LUT; empty: as "
	         "lut_in."),
	P_FLOAT(grade, lut_mix, 1, 0, 1, "mix", "Share of the LUT's result, mixed in linear light."),
	P_ENUM(grade, lut_outside, "extend", "extend|clamp", PF_STATIC,
	       "Beyond the LUT's domain: go on with the slope it has at its border, or hold the border."),
	P_FLOATX(grade, skin_chroma, 0, 0, 1, "share", PF_LATER, "With hold_skin: how much of the skin's own distance from grey is "
	         "kept; 0 leaves it to the look."),
	P_FLOATX(grade, skin_light, 0, 0, 1, "share", PF_LATER, "With hold_skin: how much of the skin's own luma is kept."),
	P_END
};

/* The frozen form. */
struct grade_state {
	bool balance, shaped, cdl, lgg, contrast, saturate, clamp;
	float m[9];
	/* the input to working light, for the balance; from there, or from the input, to the space of
	 * the shaping part; what stands then to working light */
	struct colour_xform light, in, out;
	struct grade_cdl own[3];
	float lift[3], gain[3], gamma[3];
	float c, pivot; bool log_contrast;      /* log_contrast: as a power, in linear light */
	float sat;
	float vibrance, vivid;                  /* the width that vibrance counts in */
	bool from_file;
	struct grade_cdl file[3];
	float file_sat;
	struct curve_table curve[4];            /* red, green, blue, master */
	struct lut *lut;
	/* from what stands before it, working light where its result is mixed in */
	struct colour_xform to_lut, from_lut;
	float lut_mix; bool lut_clamp;
	bool holds;
	struct skin_hold hold;
	struct colour_xform was, show, back;    /* the input and working light to Rec.709 signal, and back */
};

static bool all3(const double v[3], double x) { return v[0] == x && v[1] == x && v[2] == x; }

static bool has_cdl(const struct grade *p)
{ return !all3(p->slope, 1) || !all3(p->offset, 0) || !all3(p->power, 1); }
static bool has_lgg(const struct grade *p) { return !all3(p->lift, 0) || !all3(p->gamma, 1)
                                             || !all3(p->gain, 1); }
static bool has_curves(const struct grade *p) { return p->master.n || p->red.n || p->green.n
                                                || p->blue.n; }
static bool has_shape(const struct grade *p)
{ return has_cdl(p) || has_lgg(p) || p->contrast != 1 || has_curves(p) || p->saturation != 1
  || p->vibrance != 0 || *p->cdl || p->clamp; }
static bool has_balance(const struct grade *p)
{ return p->exposure != 0 || p->temperature != 0 || p->tint != 0 || !all3(p->printer_lights, 0); }

/* The space of the numbers that come in: that of the first step where want_of took it as it is. */
static int space_in(const struct node_ctx *n)
{
	int space = n->nconn && n->in[0] ? n->in[0]->space : SPACE_NONE;
	return space < 0 || space == colour_find("raw") ? n->working : space;
}

static bool identity(const struct node_ctx *n)
{
	const struct grade *p = n->v;
	return !has_balance(p) && !has_shape(p) && (!*p->lut || p->lut_mix == 0) && space_in(n) == n->working;
}

/* A picture that is in the space of the first step already is not brought to light and back before
 * it; under a mask or mix it is, by the core. */
static enum want want_of(const struct node_ctx *n, int conn)
{
	const struct grade *p = n->v;
	if (conn > 0 || n->skin || !n->in[0] || has_balance(p)) return WANT_LINEAR;
	int first = has_shape(p) ? grading_space(n, p->space) : *p->lut && p->lut_mix == 1
		? colour_find(p->lut_in) : SPACE_NONE;
	return first >= 0 && n->in[0]->space == first ? WANT_ANY : WANT_LINEAR;
}
static int out_space(const struct node_ctx *n)
{ return n->in[0]->space == colour_find("raw") ? n->in[0]->space : n->working; }

/* VIDEO style of OCIO's GradingPrimary, black 0 and white 1: lift adds, gain scales so that white
 * lands on it. */
static int set_lgg(struct grade_state *s, const struct grade *p, struct err *e)
{
	for (int i = 0; i < 3; i++) {
		double d = 1 / p->gain[i] + p->lift[i];
		if (!(d > 1e-6))
			return err_set(e, E_SCENE, "lift %g with gain %g turns the picture over; raise lift or lower "
			               "gain",
			               p->lift[i], p->gain[i]);
		s->lift[i] = (float)p->lift[i];
		s->gain[i] = (float)(1 / d);
		s->gamma[i] = (float)(1 / p->gamma[i]);
	}
	return 0;
}

static int lut_space(const char *param, const char *name, int *id, struct err *e)
{
	*id = colour_named(param, name, e);
	return *id < 0 ? -1 : 0;
}
/* space: of what stands before the LUT. */
static int set_lut(struct grade_state *s, const struct node_ctx *n, int space, struct err *e)
{
	const struct grade *p = n->v;
	int in, out;
	colour_xform_init(&s->out, space, n->working);
	if (!*p->lut) return 0;
	if (!*p->lut_in)
		return err_set(e, E_SCENE, "lut needs lut_in: the colour space of the numbers that the table "
		               "takes (for a display look usually rec709, for a log one its camera's, acescct "
		               "...)");
	if (lut_space("lut_in", p->lut_in, &in, e) < 0) return -1;
	if (lut_space("lut_out", *p->lut_out ? p->lut_out : p->lut_in, &out, e) < 0) return -1;
	if (!(s->lut = lut_store_get(n->luts, p->lut, e))) return -1;
	s->lut_mix = (float)p->lut_mix;
	colour_xform_init(&s->to_lut, s->lut_mix == 1.0f ? space : n->working, in);
	colour_xform_init(&s->from_lut, out, n->working);
	s->lut_clamp = p->lut_outside == 1;
	return 0;
}

static void set_cdl(struct grade_cdl c[3], const double *slope, const double *offset, const double *power)
{
	for (int i = 0; i < 3; i++) {
		c[i] = (struct grade_cdl){ (float)slope[i], (float)offset[i], (float)power[i], { 0 } };
		power_table_make(&c[i].power, c[i].exponent);
	}
}

static int set_file(struct grade_state *s, const struct grade *p, struct err *e)
{
	struct cdl_values v;
	if (!*p->cdl) return 0;
	if (cdl_load(p->cdl, p->cdl_id, &v, e) < 0) return -1;
	set_cdl(s->file, v.slope, v.offset, v.power);
	s->file_sat = (float)v.saturation;
	s->from_file = true;
	return 0;
}

/* Exposure, white balance and printer lights, which are one matrix. */
static void set_balance(struct grade_state *s, const struct grade *p, int working)
{
	double m[9];
	white_matrix(working, p->exposure, p->temperature, p->tint, m);
	for (int i = 0; i < 9; i++)
		s->m[i] = (float)(m[i] * mx_exp2(p->printer_lights[i / 3] / POINTS_PER_STOP));
	s->balance = has_balance(p);
}

static int set_curves(struct grade_state *s, const struct grade *p, struct err *e)
{
	const struct curve *c[4] = { &p->red, &p->green, &p->blue, &p->master };
	for (int i = 0; i < 4; i++)
		if (curve_bake(&s->curve[i], c[i], SPLINE_MONOTONE, e) < 0) return -1;
	return 0;
}

static void grade_close(struct node_ctx *n)
{
	struct grade_state *s = n->state;
	if (!s) return;
	for (int i = 0; i < 4; i++) curve_table_free(&s->curve[i]);
	for (int i = 0; i < 3; i++) power_table_free(&s->own[i].power), power_table_free(&s->file[i].power);
	lut_free(&s->lut);
	free(s);
	n->state = NULL;
}

static int grade_open(struct node_ctx *n, struct err *e)
{
	const struct grade *p = n->v;
	struct grade_state *s = xalloc(1, sizeof *s);
	n->state = s;
	set_balance(s, p, n->working);
	int from = space_in(n), space = grading_space(n, p->space);
	s->shaped = has_shape(p);
	s->cdl = has_cdl(p); s->lgg = has_lgg(p); s->contrast = p->contrast != 1;
	s->saturate = p->saturation != 1; s->clamp = p->clamp;
	colour_xform_init(&s->light, from, n->working);
	if (s->balance) from = n->working;
	colour_xform_init(&s->in, from, space);
	if (s->cdl || s->clamp) set_cdl(s->own, p->slope, p->offset, p->power);
	s->c = (float)p->contrast;
	s->pivot = (float)(p->pivot > 0 ? p->pivot : colour_encode(space, 0.18));
	s->log_contrast = colour_is_linear(space);
	s->sat = (float)p->saturation;
	s->vibrance = (float)p->vibrance;
	s->vivid = (float)grading_upper(space);
	if (n->skin && n->skin->spread > 0) {
		s->holds = true;
		s->hold = skin_hold_of(n->skin, p->skin_chroma, p->skin_light);
		colour_xform_init(&s->was, space_in(n), colour_find("rec709"));
		colour_xform_init(&s->show, n->working, colour_find("rec709"));
		colour_xform_init(&s->back, colour_find("rec709"), n->working);
	}
	if (set_lgg(s, p, e) < 0 || set_curves(s, p, e) < 0 || set_file(s, p, e) < 0 ||
	    set_lut(s, n, s->shaped ? space : from, e) < 0) {
		grade_close(n);
		return -1;
	}
	return 0;
}

/* --- rows --- */

static void clamp3(float *const p[3], int n)
{ for (int k = 0; k < 3; k++) grade_clamp_row(p[k], 0.0f, 1.0f, n); }

static void file_cdl(const struct grade_state *s, float *const p[3], int n)
{
	for (int k = 0; k < 3; k++) grade_cdl_row(&s->file[k], p[k], p[k], s->clamp, n);
	if (s->file_sat != 1.0f) grade_saturate_row(p[0], p[1], p[2], s->file_sat, n);
	if (s->clamp) clamp3(p, n);
}

/* in: the rows as they come, where nothing stands before the CDL; else p holds them. */
static void shape(const struct grade_state *s, const float *const in[3], float *const p[3], int n)
{
	colour_row(&s->in, p[0], p[1], p[2], n);
	if (s->from_file) file_cdl(s, p, n);
	for (int k = 0; k < 3; k++) {
		if (s->cdl || s->clamp) grade_cdl_row(&s->own[k], in ? in[k] : p[k], p[k], s->clamp, n);
		if (s->lgg) grade_lgg_row(p[k], s->lift[k], s->gain[k], s->gamma[k], n);
		if (s->contrast) grade_contrast_row(p[k], s->c, s->pivot, s->log_contrast, n);
		grade_curve_row(p[k], &s->curve[k], n);
		grade_curve_row(p[k], &s->curve[3], n);
	}
	if (s->saturate) grade_saturate_row(p[0], p[1], p[2], s->sat, n);
	if (s->vibrance != 0.0f) grade_vibrance_row(p[0], p[1], p[2], s->vibrance, s->vivid, n);
	if (s->clamp) clamp3(p, n);
}

static void look_up(const struct grade_state *s, float *const p[3], int n)
{
	float before[3][CHUNK];
	bool mixed = s->lut_mix != 1.0f;
	if (mixed) colour_row(&s->out, p[0], p[1], p[2], n);
	for (int k = 0; k < 3 && mixed; k++) memcpy(before[k], p[k], (size_t)n * sizeof(float));
	colour_row(&s->to_lut, p[0], p[1], p[2], n);
	lut_row(s->lut, s->lut_clamp, p[0], p[1], p[2], n);
	colour_row(&s->from_lut, p[0], p[1], p[2], n);
	for (int k = 0; k < 3 && mixed; k++) grade_mix_row(p[k], before[k], s->lut_mix, n);
}

/* Pixels that are no such skin keep their bits. */
static void hold_skin(const struct grade_state *s, const float *const in[3], float *const p[3], int n)
{
	float a[3][CHUNK], b[3][CHUNK], w[CHUNK];
	const float *const from[3] = { a[0], a[1], a[2] };
	float *const to[3] = { b[0], b[1], b[2] };
	for (int k = 0; k < 3; k++) {
		memcpy(a[k], in[k], (size_t)n * sizeof(float));
		memcpy(b[k], p[k], (size_t)n * sizeof(float));
	}
	colour_row(&s->was, a[0], a[1], a[2], n);
	colour_row(&s->show, b[0], b[1], b[2], n);
	skin_hold_row(&s->hold, from, to, w, n);
	colour_row(&s->back, b[0], b[1], b[2], n);
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < n; i++) p[k][i] = w[i] > 0.0f ? b[k][i] : p[k][i];
}

static int tile(const struct call *c, struct rect r)
{
	const struct grade_state *s = c->n->state;
	bool first = s->shaped && (s->cdl || s->clamp) && !s->balance && !s->from_file && s->in.identity;
	for (int y = r.y0; y < r.y1; y++)
		for (int x = r.x0; x < r.x1; x += CHUNK) {
			int n = r.x1 - x < CHUNK ? r.x1 - x : CHUNK;
			const float *in[3];
			float *p[3];
			for (int k = 0; k < 3; k++) {
				p[k] = view_at(c->out, k, x, y);
				in[k] = view_at(&c->in[0], k, x, y);
				if (!first) px_take_row(p[k], in[k], n);
			}
			if (s->balance) {
				colour_row(&s->light, p[0], p[1], p[2], n);
				matrix_row(s->m, p[0], p[1], p[2], n);
			}
			if (s->shaped) shape(s, first ? in : NULL, p, n);
			if (s->lut && s->lut_mix != 0.0f) look_up(s, p, n);
			else colour_row(&s->out, p[0], p[1], p[2], n);
			if (s->holds) hold_skin(s, in, p, n);
		}
	return 0;
}

/* What holds skin looks back at what came in. */
static bool in_place(const struct node_ctx *n) { return !((const struct grade_state *)n->state)->holds; }

static unsigned traits_of(const struct node_ctx *n)
{
	const struct grade *p = n->v;
	return (*p->lut ? TR_LUT : 0u) | (p->clamp ? TR_CLIPS : 0u);
}
static double flops(const struct node_ctx *n)
{
	const struct grade *p = n->v;
	double power = !all3(p->power, 1) + !all3(p->gamma, 1) + (p->contrast != 1 && p->space == IN_LINEAR);
	double curves = (p->master.n ? 3 : 0) + (p->red.n > 0) + (p->green.n > 0) + (p->blue.n > 0);
	double shape = 12.0 * has_cdl(p) + 6.0 * has_lgg(p) + 90 * power + 15 * curves + 6.0 * (p->contrast != 1)
	             + 14.0 * (p->saturation != 1) + 30.0 * (p->vibrance != 0) + 120.0 * (*p->cdl != 0);
	double there = p->space == IN_LINEAR ? 0 : 120;         /* into the space and back */
	if (n->skin) shape += 300;
	return 3 + 15.0 * has_balance(p) + (has_shape(p) ? there + shape : 0) + (*p->lut ? 80 : 0);
}

const struct node_type ISA(node_grade) = {
	.name = "grade",
	.doc = "Exposure, white balance, CDL, lift gamma gain, contrast, curves, saturation and a LUT, in "
	        "that order.",
	.more = "Exposure, temperature and tint work on linear light. CDL, lift/gamma/gain, contrast, "
	        "curves and saturation follow in the space that `space` names (the clip's own encoding: "
	        "`clip`). The LUT comes last, between the spaces that lut_in and lut_out name. What is "
	        "neutral costs nothing; a neutral grade is no step at all. Nothing is clipped unless "
	        "clamp says so.\nPrinter lights multiply linear light by 2^(points/12). A CDL file is one step "
	        "of its own, saturation and clamps included, before the grade's slope, offset and power; ids "
	        "name its corrections.\nCDL: out = (in slope + offset)^power, the power only where its base is "
	        "above 0. Lift/gamma/gain: v = (in + lift) / (1/gain + lift), then v^(1/gamma), mirrored "
	        "below 0. Contrast: (v - pivot) contrast + pivot, or pivot (v/pivot)^contrast in linear "
	        "light. Saturation: y + saturation (v - y), y = .2126 R + .7152 G + .0722 B. Vibrance: the same with 1 + vibrance w / (w + max - min) "
	        "instead of saturation, w the distance from mid-grey to white in the space.\n"
	        "hold_skin names a <skin>: where the picture that comes in looks like it, the grade may turn the hue (the angle of "
	        "Cb and Cr of the Rec.709 signal) no further than that skin's drift, 4 degrees unless it says otherwise, held "
	        "softly from half of it on; skin_chroma and skin_light keep its chroma and luma as well, where asked. Skin "
	        "keeps its own variety: what is held is what the grade does to a pixel, not where it stands.",
	.category = "colour", .version = 3, .size = sizeof(struct grade), .params = params,
	.inputs = "image mask? hold_skin?", .flags = NF_RGB | NF_MASKED, .traits = TR_GRADE,
		.want = WANT_LINEAR, .want_of = want_of,
	.out_space = out_space,
	.example = "<grade id=\"graded\" in=\"matched\" exposure=\"0.2\" temperature=\"8\" "
	        "contrast=\"1.05\" saturation=\"0.88\" red=\"0,0 0.4,0.42 1,1\"/>",
	.traits_of = traits_of, .open = grade_open, .close = grade_close, .identity = identity,
	    .flops = flops,
	.in_place = in_place, .tile = tile,
};
