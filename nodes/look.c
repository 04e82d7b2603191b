/* look - contrast, saturation and split tone taken from a reference still by
 * `interneg solve`, as plain numbers.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "grading.h"
#include "mathx.h"
#include "measure.h"
#include "px_grade_hue.h"

enum { SAMPLE_PIXELS = 20000 };

struct look {
	double contrast, pivot, saturation, shadows[3], midtones[3], highlights[3], amount, strength;
	const char *solved;
};

static const struct param params[] = {
	P_FLOATX(look, contrast, 1, 0, 10, "", PF_SOLVED, "Spreads values about the pivot."),
	P_FLOAT(look, pivot, 0, 0, 10, "", "Value in acescct that contrast leaves alone; 0 takes mid-grey."),
	P_FLOATX(look, saturation, 1, 0, 10, "", PF_SOLVED, "Distance from luma (Rec.709 weights)."),
	P_COLOUR(look, shadows, 0.5, 0.5, 0.5, PF_SOLVED, "Tint of the shadows, as in split_tone; grey "
	         "does nothing."),
	P_COLOUR(look, midtones, 0.5, 0.5, 0.5, PF_SOLVED, "Tint of the midtones."),
	P_COLOUR(look, highlights, 0.5, 0.5, 0.5, PF_SOLVED, "Tint of the highlights."),
	P_FLOAT(look, amount, 0.25, 0, 4, "", "How strong the tints are."),
	P_FLOAT(look, strength, 1, 0, 1, "mix", "Share of the whole look, mixed in acescct."),
	P_STRING(look, solved, "", PF_SOLVED | PF_NOKEY, "Key of what was measured; written by `interneg solve`."),
	P_END
};

/* What each tint adds at full strength; luma stays. */
struct look_state { float c, pivot, sat, mix, add[3][3], at, start; };

static bool grey(const double c[3]) { return c[0] == c[1] && c[1] == c[2]; }
static bool identity(const struct node_ctx *n)
{
	const struct look *p = n->v;
	bool plain = p->amount == 0 || (grey(p->shadows) && grey(p->midtones) && grey(p->highlights));
	return p->strength == 0 || (p->contrast == 1 && p->saturation == 1 && plain);
}

/* The reference is measured by solve, never rendered. */
static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	(void)n;
	need_add(out, 0, frame, r);
}

static int look_open(struct node_ctx *n, struct err *e)
{
	const struct look *p = n->v;
	struct look_state *s = n->state = xalloc(1, sizeof *s);
	int space = colour_find("acescct");
	double upper = grading_upper(space), middle = grading_middle(space);
	const double *tint[3] = { p->shadows, p->midtones, p->highlights };
	(void)e;
	s->c = (float)p->contrast;
	s->pivot = (float)(p->pivot > 0 ? p->pivot : middle);
	s->sat = (float)p->saturation;
	s->mix = (float)p->strength;
	for (int i = 0; i < 3; i++) {
		double y = 0.2126 * tint[i][0] + 0.7152 * tint[i][1] + 0.0722 * tint[i][2];
		for (int k = 0; k < 3; k++)
			s->add[i][k] = grey(tint[i]) ? 0.0f : (float)((tint[i][k] - y) * p->amount * upper);
	}
	s->at = (float)(1 / upper);
	s->start = (float)(-middle / upper);
	return 0;
}
static void look_close(struct node_ctx *n)
{
	free(n->state);
	n->state = NULL;
}

static void row(const void *state, float *const p[3], int n)
{
	const struct look_state *s = state;
	float was[3][GRADING_CHUNK], dark[GRADING_CHUNK], bright[GRADING_CHUNK];
	for (int k = 0; k < 3; k++) {
		memcpy(was[k], p[k], (size_t)n * sizeof(float));
		if (s->c != 1.0f) grade_contrast_row(p[k], s->c, s->pivot, false, n);
	}
	if (s->sat != 1.0f) grade_saturate_row(p[0], p[1], p[2], s->sat, n);
	for (int i = 0; i < n; i++) {
		float t = grade_luma(p[0][i], p[1][i], p[2][i]) * s->at + s->start;
		bright[i] = smooth_step(t, 0.0f, 1.0f);
		dark[i] = smooth_step(-t, 0.0f, 1.0f);
	}
	for (int k = 0; k < 3; k++) {
		const float mid = s->add[1][k], d = s->add[0][k] - mid, h = s->add[2][k] - mid;
		for (int i = 0; i < n; i++) p[k][i] += mid + (d * dark[i] + h * bright[i]);
		if (s->mix != 1.0f) grade_mix_row(p[k], was[k], s->mix, n);
	}
}
static int tile(const struct call *c, struct rect r)
{
	grading_rows(c, r, row);
	return 0;
}

/* --- solve --- */

static double held(double v, double lo, double hi) { return v < lo ? lo : v > hi ? hi : v; }

/* Of a picture in acescct: 5, 50 and 95 % of luma, mean chroma, and the mean colour (v
 * - luma) of dark, middle and bright. */
struct mood { double low, mid, high, chroma, tint[3][3], weight[3]; };

static void mood_of(const struct pixels *p, double contrast, double pivot, double sat, struct mood *m)
{
	double upper = grading_upper(colour_find("acescct")), middle = grading_middle(colour_find("acescct"));
	float *y = xalloc(p->n + 1, sizeof *y);
	memset(m, 0, sizeof *m);
	for (size_t i = 0; i < p->n; i++) {
		double l = 0.2126 * p->p[0][i] + 0.7152 * p->p[1][i] + 0.0722 * p->p[2][i], c = 0;
		double t = ((l - pivot) * contrast + pivot - middle) / upper, w[3];
		w[2] = t <= 0 ? 0 : t >= 1 ? 1 : t * t * (3 - 2 * t);
		w[0] = t >= 0 ? 0 : t <= -1 ? 1 : t * t * (3 + 2 * t);
		w[1] = 1 - w[0] - w[2];
		for (int k = 0; k < 3; k++) {
			double d = (p->p[k][i] - l) * contrast * sat;
			c += d * d;
			for (int b = 0; b < 3; b++) m->tint[b][k] += w[b] * d;
		}
		for (int b = 0; b < 3; b++) m->weight[b] += w[b];
		m->chroma += __builtin_sqrt(c) / (double)p->n;
		y[i] = (float)l;
	}
	for (int b = 0; b < 3; b++) {
		for (int k = 0; k < 3 && m->weight[b] > 0; k++) m->tint[b][k] /= m->weight[b];
		m->weight[b] /= (double)p->n;
	}
	floats_sort(y, p->n);
	m->low = floats_quantile(y, p->n, 0.05);
	m->mid = floats_quantile(y, p->n, 0.5);
	m->high = floats_quantile(y, p->n, 0.95);
	free(y);
}

static int look_solve(struct solve_call *s, struct err *e)
{
	const struct look *p = s->n->v;
	static const char *const names[3] = { "shadows", "midtones", "highlights" };
	struct pixels in = { .n = 0 }, ref = { .n = 0 };
	struct mood a, b;
	double upper = grading_upper(colour_find("acescct")), middle = grading_middle(colour_find("acescct"));
	double pivot = p->pivot > 0 ? p->pivot : middle, sure = 1;
	int rc = -1;
	for (int i = 0; i < s->nsamples; i++) {
		if (pixels_add(&in, s->sample[i].in, SAMPLE_PIXELS, e) < 0) goto out;
		if (s->sample[i].reference && pixels_add(&ref, s->sample[i].reference, SAMPLE_PIXELS, e) < 0) goto out;
	}
	if (!ref.n) { err_set(e, E_SCENE, "look has no still to learn from: connect reference="); goto out; }
	if (in.n < 64 || ref.n < 64) { err_set(e, E_INPUT, "too few pixels for a look"); goto out; }
	mood_of(&in, 1, pivot, 1, &a);
	mood_of(&ref, 1, pivot, 1, &b);
	double c = a.high - a.low > 1e-3 ? (b.high - b.low) / (a.high - a.low) : 1;
	double contrast = held(c, 0.7, 1.4), sat = a.chroma > 1e-4 ? b.chroma / (a.chroma * contrast) : 1;
	double kept = held(sat, 0.4, 1.6);
	snprintf(s->note, sizeof s->note, "%d frame%s; luma from 5 to 95 %% spans %.3f, %.3f in the "
	         "still; chroma %.4f, %.4f", s->nsamples, s->nsamples == 1 ? "" : "s", a.high - a.low,
	         b.high - b.low, a.chroma, b.chroma);
	if (c != contrast || sat != kept) { sure *= 0.6; strcat(s->note, ", contrast or saturation limit"); }
	mood_of(&in, contrast, pivot, kept, &a);
	solve_attr_put(s, "contrast", &contrast, 1, 3);
	solve_attr_put(s, "saturation", &kept, 1, 3);
	for (int i = 0; i < 3; i++) {
		double v[3], k0 = p->amount > 0 ? p->amount : 0.25;
		bool told = a.weight[i] > 0.02 && b.weight[i] > 0.02, far = false;
		for (int k = 0; k < 3; k++) {
			double want = told ? (b.tint[i][k] - a.tint[i][k]) / (k0 * upper) : 0;
			v[k] = 0.5 + held(want, -0.45, 0.45);
			far = far || v[k] != 0.5 + want;
		}
		if (far) { sure *= 0.8; solve_limit(s, names[i], 1, 0, 0); }
		solve_attr_put(s, names[i], v, 3, 3);
	}
	s->confidence = sure;
	rc = 0;
out:
	pixels_free(&in);
	pixels_free(&ref);
	return rc;
}

static double flops(const struct node_ctx *n) { (void)n; return 60; }

const struct node_type ISA(node_look) = {
	.name = "look",
	.doc = "Contrast, saturation and split tone taken from a reference still by `interneg solve`, "
	        "as plain numbers.",
	.more = "On acescct: (v - pivot) contrast + pivot, then saturation about luma, then the tints "
	        "as split_tone adds them. `solve` compares the shot with the still in reference=: "
	        "contrast from the span of luma between 5 and 95 % (0.7 to 1.4), saturation from the "
	        "mean distance from luma (0.4 to 1.6), the tints from the mean colours of what is "
	        "dark, middling and bright. Where either has less than 2 % of a band its tint stays "
	        "grey. Exposure is left to balance and match. The still is read by solve alone.",
	.category = "colour", .version = 1, .size = sizeof(struct look), .params = params,
	.inputs = "image mask? reference?", .flags = NF_RGB | NF_MASKED | NF_SOLVE, .traits = TR_GRADE,
		.want = WANT_LOG,
	.example = "<look id=\"from_still\" in=\"matched\" reference=\"still\" contrast=\"1.08\" "
	        "saturation=\"0.9\" shadows=\"0.44 0.52 0.56\"/>",
	.needs = needs, .open = look_open, .close = look_close, .identity = identity, .flops = flops, .in_place = node_in_place, .tile = tile,
	.solve = look_solve,
};
