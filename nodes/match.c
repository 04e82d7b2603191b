/* match - take a shot to a reference clip or frame by an editable CDL, as measured by `interneg solve`.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdlfit.h"
#include "measure.h"
#include "node.h"
#include "px_rows.h"

enum { SAMPLE_PIXELS = 20000 };

struct match { double slope[3], offset[3], power[3], saturation, strength; const char *solved; };

static const struct param params[] = {
	P_VEC3(match, slope, 1, 1, 1, 0, 100, "", PF_SOLVED, "ASC CDL slope, in acescct."),
	P_VEC3(match, offset, 0, 0, 0, -10, 10, "", PF_SOLVED, "ASC CDL offset, in acescct."),
	P_VEC3(match, power, 1, 1, 1, 0.01, 100, "",
	       PF_SOLVED, "ASC CDL power, where its base is above 0."),
	P_FLOATX(match, saturation, 1, 0, 10, "", PF_SOLVED, "ASC CDL saturation (Rec.709 weights)."),
	P_FLOAT(match, strength, 1, 0, 1, "mix", "Share of the match, mixed in acescct."),
	P_STRING(match, solved, "", PF_SOLVED | PF_NOKEY, "Key of what was measured; written by `interneg "
	         "solve`."),
	P_END
};

static bool all3(const double v[3], double x) { return v[0] == x && v[1] == x && v[2] == x; }

static bool identity(const struct node_ctx *n)
{
	const struct match *p = n->v;
	return p->strength == 0 ||
	       (all3(p->slope, 1) && all3(p->offset, 0) && all3(p->power, 1) && p->saturation == 1);
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	(void)n;
	(void)conn;
	return WANT_LOG;
}

/* The reference is measured by solve, never rendered. */
static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	(void)n;
	need_add(out, 0, frame, r);
}

static void row_sop(float *IN_RESTRICT p, float slope, float offset, float power, int n)
{
	for (int i = 0; i < n; i++) p[i] = p[i] * slope + offset;
	px_power_row(p, power, POW_KEEP, n);
}

static void row_saturation(float *IN_RESTRICT r, float *IN_RESTRICT g, float *IN_RESTRICT b,
                           float sat, int n)
{
	for (int i = 0; i < n; i++) {
		float y = 0.2126f * r[i] + 0.7152f * g[i] + 0.0722f * b[i];
		r[i] = y + sat * (r[i] - y);
		g[i] = y + sat * (g[i] - y);
		b[i] = y + sat * (b[i] - y);
	}
}

static void row_mix(float *IN_RESTRICT p, const float *IN_RESTRICT in, float k, int n)
{
	for (int i = 0; i < n; i++) p[i] = in[i] + k * (p[i] - in[i]);
}

static int tile(const struct call *c, struct rect r)
{
	const struct match *p = c->n->v;
	int n = rect_w(r);
	for (int y = r.y0; y < r.y1; y++) {
		float *o[3];
		const float *in[3];
		for (int k = 0; k < 3; k++) {
			in[k] = view_at(&c->in[0], k, r.x0, y);
			o[k] = view_at(c->out, k, r.x0, y);
			memcpy(o[k], in[k], (size_t)n * sizeof(float));
			row_sop(o[k], (float)p->slope[k], (float)p->offset[k], (float)p->power[k], n);
		}
		if (p->saturation != 1) row_saturation(o[0], o[1], o[2], (float)p->saturation, n);
		for (int k = 0; k < 3 && p->strength != 1; k++) row_mix(o[k], in[k], (float)p->strength, n);
	}
	return 0;
}

static int gather(struct solve_call *s, struct pixels *in, struct pixels *ref, struct err *e)
{
	int nref = 0;
	for (int i = 0; i < s->nsamples; i++) {
		const struct solve_sample *v = &s->sample[i];
		if (pixels_add(in, v->in, SAMPLE_PIXELS, e) < 0) return -1;
		if (v->reference && ++nref && pixels_add(ref, v->reference, SAMPLE_PIXELS, e) < 0) return -1;
	}
	if (!nref) return err_set(e, E_SCENE, "match has nothing to measure against: connect reference=");
	if (in->n < 64 || ref->n < 64) return err_set(e, E_INPUT, "too few pixels to match");
	snprintf(s->note, sizeof s->note, "%d frame%s against %d of the reference", s->nsamples,
	         s->nsamples == 1 ? "" : "s", nref);
	return 0;
}

static int match_solve(struct solve_call *s, struct err *e)
{
	struct pixels in = { .n = 0 }, ref = { .n = 0 };
	static const char *const rgb[3] = { "red", "green", "blue" };
	int rc = -1;
	if (gather(s, &in, &ref, e) < 0) goto out;
	struct cdl_fit f;
	cdl_fit(&in, &ref, &f);
	size_t len = strlen(s->note);
	snprintf(s->note + len, sizeof s->note - len, ", quantiles agree to %.4f (%.4f before)%s", f.rms,
	         f.rms_before,
	         f.used_power ? "" : ", no power");
	for (int k = 0; k < 3; k++) {
		char name[24];
		if (!f.limited[k]) continue;
		snprintf(name, sizeof name, "%s", rgb[k]);
		len = strlen(s->note);
		snprintf(s->note + len, sizeof s->note - len, ", %s limit", name);
	}
	if (f.limited[3]) strcat(s->note, ", saturation limit");
	solve_attr_put(s, "slope", f.slope, 3, 4);
	solve_attr_put(s, "offset", f.offset, 3, 4);
	solve_attr_put(s, "power", f.power, 3, 4);
	solve_attr_put(s, "saturation", &f.saturation, 1, 4);
	s->confidence = f.confidence;
	rc = 0;
out:
	pixels_free(&in);
	pixels_free(&ref);
	return rc;
}

const struct node_type ISA(node_match) = {
	.name = "match",
	.doc = "Take a shot to a reference clip or frame by an editable CDL, as measured by `interneg "
	        "solve`.",
	.more = "An ASC CDL without clamps on acescct: (v slope + offset)^power, then saturation. `solve` "
	        "compares the distributions of the shot and of the reference (balance both first): slope, "
	        "offset and power from the quantiles from 2 to 98 % of each channel, saturation from the "
	        "spread of chroma, within slope 0.5 to 2, offset 0.1, power 0.5 to 2, saturation 0.5 to "
	        "2. A power is proposed only where it helps; the confidence falls with what the fit "
	        "leaves over and with every limit hit. The reference is read by solve alone, so it may "
	        "have any size, rate and length.",
	.category = "colour", .version = 1, .size = sizeof(struct match), .params = params,
	.inputs = "image reference? mask?", .flags = NF_RGB | NF_MASKED | NF_SOLVE, .traits = TR_NEUTRAL,
	.want = WANT_LOG,
	.example = "<match id=\"matched\" in=\"base\" reference=\"hero\" slope=\"1.02 1 0.99\" offset=\"0 "
	        "0 0.004\" saturation=\"0.95\"/>",
	.want_of = want_of, .needs = needs, .identity = identity, .tile = tile, .solve = match_solve,
};
