/* match - take a shot to a reference clip or frame by an editable CDL, as measured by `interneg
 * solve`.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdlfit.h"
#include "cdlguard.h"
#include "cdlrest.h"
#include "lut.h"
#include "mathx.h"
#include "measure.h"
#include "node.h"
#include "px_colour.h"
#include "px_fetch.h"
#include "px_lut.h"
#include "skin.h"

enum { SAMPLE_PIXELS = 20000, THUMB_PIXELS = 20000, CHUNK = 256 };
enum method { AUTO, LEVELS, QUANTILES, MEAN, KANTOROVICH, SLICED };
#define WHITE_SURE 0.8

struct match {
	double slope[3], offset[3], power[3], saturation, strength;
	int method;
	const char *bake, *lut, *solved;
	double skin;
};

static const struct param params[] = {
	P_VEC3(match, slope, 1, 1, 1, 0, 100, "", PF_SOLVED, "ASC CDL slope, in acescct."),
	P_VEC3(match, offset, 0, 0, 0, -10, 10, "", PF_SOLVED, "ASC CDL offset, in acescct."),
	P_VEC3(match, power, 1, 1, 1, 0.01, 100, "",
	       PF_SOLVED, "ASC CDL power, where its base is above 0."),
	P_FLOATX(match, saturation, 1, 0, 10, "", PF_SOLVED, "ASC CDL saturation (Rec.709 weights)."),
	P_FLOAT(match, strength, 1, 0, 1, "mix", "Share of the match, mixed in acescct."),
	P_ENUM(match, method, "auto", "auto|levels|quantiles|mean|kantorovich|sliced", PF_STATIC | PF_NOKEY,
	       "What `solve` matches. levels: exposure, white and black alone; quantiles: slope, "
	       "offset, power of each channel and saturation; mean: mean and deviation; kantorovich: "
	       "the linear map; sliced: all of the distribution. auto: levels, and quantiles where "
	       "region= says that the same things are compared."),
	P_PATH(match, bake, PF_STATIC | PF_NOKEY | PF_OUTPUT, "kantorovich and sliced: a .cube file "
	       "that `solve --apply` writes with what the CDL leaves over; without it the CDL is all."),
	P_PATH(match, lut, PF_FILE | PF_STATIC | PF_LATER | PF_SOLVED,
	       "A table in acescct after the CDL; written by `interneg solve` as bake says."),
	P_FLOATX(match, skin, -1, -1, 360, "degrees", PF_SOLVED | PF_NOKEY,
	         "Where the shot's skin stands after the match, as measured; -1: none was found."),
	P_STRING(match, solved, "", PF_SOLVED | PF_NOKEY, "Key of what was measured; written by `interneg "
	         "solve`."),
	P_END
};

static bool all3(const double v[3], double x) { return v[0] == x && v[1] == x && v[2] == x; }

static bool identity(const struct node_ctx *n)
{
	const struct match *p = n->v;
	return p->strength == 0 ||
	       (all3(p->slope, 1) && all3(p->offset, 0) && all3(p->power, 1) && p->saturation == 1 && !*p->lut);
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

static int match_open(struct node_ctx *n, struct err *e)
{
	const struct match *p = n->v;
	if (!*p->lut) return 0;
	return (n->state = lut_store_get(n->luts, p->lut, e)) ? 0 : -1;
}
static void match_close(struct node_ctx *n)
{
	struct lut *l = n->state;
	lut_free(&l);
	n->state = NULL;
}
static unsigned traits_of(const struct node_ctx *n)
{ return *((const struct match *)n->v)->lut ? TR_LUT : 0u; }

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

/* A part of it is mixed with what came in. */
static bool in_place(const struct node_ctx *n) { return ((const struct match *)n->v)->strength == 1; }

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
			px_take_row(o[k], in[k], n);
			row_sop(o[k], (float)p->slope[k], (float)p->offset[k], (float)p->power[k], n);
		}
		if (p->saturation != 1) row_saturation(o[0], o[1], o[2], (float)p->saturation, n);
		for (int x = 0; c->n->state && x < n; x += CHUNK)
			lut_row(c->n->state, false, o[0] + x, o[1] + x, o[2] + x, n - x < CHUNK ? n - x : CHUNK);
		for (int k = 0; k < 3 && p->strength != 1; k++) row_mix(o[k], in[k], (float)p->strength, n);
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

/* One side of the comparison: the shot or its reference. */
struct side { struct sweep w; struct pixels all, held, half[2]; };

/* Every fourth frame is held out of the fit, to see it on. */
static bool held_out(const struct side *d, int i) { return d->w.n >= 4 && i % 4 == 3; }

static int gather_side(struct side *d, bool levels, const char *what, struct solve_call *s, struct err *e)
{
	int space = colour_find("acescct");
	d->w.black = colour_encode(space, 0.0015);
	d->w.white = colour_encode(space, 0.6);
	d->w.thumb_budget = levels ? THUMB_PIXELS : 0;
	d->w.grid[0].budget = SAMPLE_PIXELS;
	d->w.grid[1].budget = SAMPLE_PIXELS / 4;
	for (int i = 0; i < d->w.n; i++) {
		d->w.grid[0].to[i] = held_out(d, i) ? &d->held : &d->all;
		d->w.grid[1].to[i] = levels ? &d->half[i % 2] : NULL;
	}
	if (sweep_run(&d->w, e) < 0) return -1;
	area_note(&d->w.area, s->note, sizeof s->note);
	if (d->all.n < 64) return err_set(e, E_INPUT, "too few pixels of the %s to match", what);
	return 0;
}
static void side_free(struct side *d)
{
	sweep_free(&d->w);
	pixels_free(&d->all);
	pixels_free(&d->held);
	pixels_free(&d->half[0]);
	pixels_free(&d->half[1]);
}

/* What gaps are by chance: in the frames fitted; in those held out, which the fit does not know. */
static void scatter(const struct side *in, const struct side *ref, struct guard_set set[2])
{
	const struct side *side[2] = { in, ref };
	bool few = false;                       /* of two frames nothing is known */
	for (int i = 0; i < 2; i++) {
		const struct side *d = side[i];
		size_t n[SWEEP_FRAMES];
		int fitted = 0;
		double var[STAT_COUNT];
		for (int k = 0; k < d->w.n; k++)
			if (!held_out(d, k)) n[fitted++] = d->w.grid[0].n[k];
		few = few || fitted < 3;
		cdl_scatter(&d->all, n, fitted, var);
		for (int k = 0; k < STAT_COUNT; k++) {
			set[0].scatter[k] += var[k] / fitted;
			if (d->w.n > fitted) set[1].scatter[k] += var[k] / fitted + var[k] / (d->w.n - fitted);
		}
	}
	for (int k = 0; k < 2 * STAT_COUNT; k++) {
		double *v = &set[k % 2].scatter[k / 2];
		*v = few ? GUARD_SLACK : 3 * __builtin_sqrt(*v) + GUARD_LEAST;
	}
}

static int gather(struct solve_call *s, bool levels, struct side *in, struct side *ref, struct err *e)
{
	for (int i = 0; i < s->nsamples && i < SWEEP_FRAMES; i++) {
		const struct solve_sample *v = &s->sample[i];
		in->w.im[in->w.n] = v->in;
		in->w.mask[in->w.n++] = v->region;
		if (!v->reference) continue;
		ref->w.im[ref->w.n] = v->reference;
		ref->w.mask[ref->w.n++] = v->reference_region;
	}
	if (!ref->w.n) return err_set(e, E_SCENE, "match has nothing to measure against: connect reference=");
	say(s, "%d frame%s against %d of the reference", in->w.n, in->w.n == 1 ? "" : "s", ref->w.n);
	return gather_side(in, levels, "shot", s, e) < 0 || gather_side(ref, levels, "reference", s, e) < 0 ? -1 : 0;
}

/* Up to where colours count: below the white that a clip cuts off at, or all of
 * a picture that goes on above it. */
static double top_of(const struct thumb *t, int nt)
{
	float most = 0;
	for (int i = 0; i < nt; i++)
		for (size_t j = 0; j < (size_t)t[i].w * (size_t)t[i].h; j++)
			for (int k = 0; k < 3; k++) most = px_max(most, t[i].p[k][j]);
	return most > 1.05f ? 1.01 * (double)most : 0.96;
}

/* The white of one side, from linear thumbnails. Under another light its greys
 * stand where the averages moved to. */
static void white_of(struct side *d, const struct white_guess *ref, struct white_guess *g)
{
	struct thumb *t = d->w.thumb;
	struct colour_xform x;
	int space = colour_find("acescg");
	colour_xform_init(&x, colour_find("acescct"), space);
	for (int i = 0; i < d->w.n; i++)
		colour_row(&x, t[i].p[0], t[i].p[1], t[i].p[2], t[i].w * t[i].h);
	double top = top_of(t, d->w.n);
	white_measure(t, d->w.n, top, space, g);
	if (ref && ref->weight[0] > 0 && g->weight[0] > 0) {
		double start[2];
		for (int k = 0; k < 2; k++) start[k] = ref->vote[2][k] + g->vote[0][k] - ref->vote[0][k];
		white_measure_from(t, d->w.n, top, space, start, g);
	}
}

/* What two fits make of black, mid-grey and white, at most apart. */
static double apart(const struct cdl_fit *a, const struct cdl_fit *b)
{
	static const double at[3] = { 0.15, 0.41, 0.55 };
	double worst = 0;
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++) {
			double x = at[i] * a->slope[k] + a->offset[k], y = at[i] * b->slope[k] + b->offset[k];
			double d = (x > 0 ? mx_pow(x, a->power[k]) : x) - (y > 0 ? mx_pow(y, b->power[k]) : y);
			if (d < 0) d = -d;
			if (d > worst) worst = d;
		}
	return worst;
}

static void solve_levels(struct solve_call *s, struct side *in, struct side *ref, struct cdl_fit *f)
{
	struct white_guess a, b;
	struct cdl_fit half[2];
	double gain[3], sure;
	white_of(ref, NULL, &b);
	white_of(in, &b, &a);
	sure = white_between(&a, &b, gain);
	say(s, ", exposure, white and black");
	if (sure < WHITE_SURE) {                /* estimators that disagree move the picture less */
		for (int k = 0; k < 3; k++) gain[k] = mx_exp2(mx_log2(gain[k]) * sure / WHITE_SURE);
		say(s, ", white is unsure and taken by %.0f %%", 100 * sure / WHITE_SURE);
	}
	cdl_fit_levels(&in->all, &ref->all, gain, f);
	for (int i = 0; i < 2 && in->half[1].n >= 64 && ref->half[1].n >= 64; i++)
		cdl_fit_levels(&in->half[i], &ref->half[i], gain, &half[i]);
	if (in->half[1].n >= 64 && ref->half[1].n >= 64) {
		double d = apart(&half[0], &half[1]);
		f->confidence /= 1 + d * d / (0.03 * 0.03);
		say(s, ", two halves of the frames agree to %.4f", d);
	}
}

/* What the fit leaves over, as a table after it. Its confidence is that of both. */
static void bake(struct solve_call *s, const struct guard_set *set, int nset, const double *m, const double *add,
                 struct cdl_fit *f, struct guard_report *r)
{
	struct cdl_rest *rest = cdl_rest_new(set, nset, m, add, f, r);
	if (rest) {
		s->table = cdl_rest_cube(rest, s->n->id);
		say(s, ", %.0f %% of the rest as a table", 100 * cdl_rest_share(rest));
	} else say(s, ", no table: it would take a statistic farther");
	cdl_rest_free(&rest);
}

/* What is told is of the frames held out of the fit. */
static void tell(struct solve_call *s, const struct side *in, const struct guard_report *r, struct cdl_fit *f)
{
	f->confidence *= (double)(STAT_COUNT - r->worse) / STAT_COUNT;
	if (r->gap_after > 0.9 * r->gap_before && r->gap_before > GUARD_LEAST) f->confidence *= 0.5;
	say(s, "; %s: %d of %d statistics nearer, %d as far, %d farther; off by, in 0.001, before > after:",
	    in->held.n >= 64 ? "frames held out" : "the same frames", r->nearer, STAT_COUNT, r->same, r->worse);
	guard_note(r, s->note, sizeof s->note);
}

static enum method method_of(const struct solve_call *s)
{
	const struct match *p = s->n->v;
	if (p->method != AUTO) return (enum method)p->method;
	return s->nsamples && s->sample[0].region ? QUANTILES : LEVELS;
}

static void fit(struct solve_call *s, struct side *in, struct side *ref, struct cdl_fit *f)
{
	const struct match *p = s->n->v;
	enum method how = method_of(s);
	struct guard_set set[2] = { { &in->all, &ref->all, { 0 } }, { &in->held, &ref->held, { 0 } } };
	struct guard_report r;
	double m[9], add[3];
	int nset = in->held.n >= 64 && ref->held.n >= 64 ? 2 : 1;
	scatter(in, ref, set);
	if (how == LEVELS) solve_levels(s, in, ref, f);
	else if (how == MEAN) cdl_fit_mean(&in->all, &ref->all, f);
	else if (how == KANTOROVICH) cdl_fit_kantorovich(&in->all, &ref->all, m, add, f);
	else cdl_fit(&in->all, &ref->all, f);
	cdl_hold(set, nset, how == LEVELS, f, &r);
	if (r.held && how != LEVELS) cdl_judge(&in->all, &ref->all, f);
	if (r.held) say(s, ", held back");
	if (*p->bake && how == KANTOROVICH) bake(s, set, nset, m, add, f, &r);
	if (*p->bake && how == SLICED) bake(s, set, nset, NULL, NULL, f, &r);
	if (how != LEVELS)
		say(s, ", quantiles agree to %.4f (%.4f before)%s", f->rms, f->rms_before,
		    f->used_power ? "" : ", no power");
	tell(s, in, &r, f);
}

/* Where the skin of some pixels in acescct stands. */
static void skin_of(const struct pixels *p, struct skin_stats *out)
{
	struct colour_xform x;
	float *v[3];
	colour_xform_init(&x, colour_find("acescct"), colour_find("rec709"));
	for (int k = 0; k < 3; k++) {
		v[k] = xalloc(p->n + 1, sizeof(float));
		memcpy(v[k], p->p[k], p->n * sizeof(float));
	}
	colour_row(&x, v[0], v[1], v[2], (int)p->n);
	skin_measure((const float *const *)v, p->n, SKIN_ANY, NULL, out);
	for (int k = 0; k < 3; k++) free(v[k]);
}

/* Colours that a clip cut off cannot come back: the share of pixels with a channel at
 * white of an 8-bit display picture. */
static void tell_clipped(struct solve_call *s, const char *what, const struct pixels *p)
{
	const float white = 254.5f / 255;
	struct colour_xform x;
	size_t cut = 0;
	float v[3][CHUNK];
	colour_xform_init(&x, colour_find("acescct"), colour_find("rec709"));
	for (size_t i = 0; i < p->n; i += CHUNK) {
		size_t n = p->n - i < CHUNK ? p->n - i : CHUNK;
		for (int k = 0; k < 3; k++) memcpy(v[k], p->p[k] + i, n * sizeof(float));
		colour_row(&x, v[0], v[1], v[2], (int)n);
		for (size_t j = 0; j < n; j++) {
			float top = px_max(v[0][j], px_max(v[1][j], v[2][j]));
			cut += top >= white && top < 1.002f;
		}
	}
	if (cut * 100 > p->n)
		say(s, "; %.0f %% of the %s is cut off at white", 100 * (double)cut / (double)p->n, what);
}

/* Before, after and in the reference; automatic masks, so this is told and changes nothing. */
static void tell_skin(struct solve_call *s, const struct side *in, const struct side *ref,
                      const struct cdl_fit *f)
{
	struct skin_stats before, after, there;
	struct pixels done = { .n = 0 };
	for (int k = 0; k < 3; k++) done.p[k] = xalloc(in->all.n + 1, sizeof(float));
	cdl_apply(f, &in->all, &done);
	skin_of(&in->all, &before);
	skin_of(&done, &after);
	skin_of(&ref->all, &there);
	double hue = after.n && after.share > 0.01 ? after.hue : -1;
	if (before.n && after.n) say(s, "; skin at %.1f degrees before, %.1f after", before.hue, after.hue);
	if (before.n && after.n && there.n) say(s, ", %.1f in the reference", there.hue);
	solve_attr_put(s, "skin", &hue, 1, 1);
	pixels_free(&done);
}

static int match_solve(struct solve_call *s, struct err *e)
{
	struct side in = { .all = { .n = 0 } }, ref = { .all = { .n = 0 } };
	static const char *const what[4] = { "red", "green", "blue", "saturation" };
	struct cdl_fit f;
	int rc = -1;
	if (gather(s, method_of(s) == LEVELS, &in, &ref, e) < 0) goto out;
	fit(s, &in, &ref, &f);
	for (int k = 0; k < 4; k++)
		if (f.limited[k]) say(s, ", %s limit", what[k]);
	solve_attr_put(s, "slope", f.slope, 3, 4);
	solve_attr_put(s, "offset", f.offset, 3, 4);
	solve_attr_put(s, "power", f.power, 3, 4);
	solve_attr_put(s, "saturation", &f.saturation, 1, 4);
	tell_skin(s, &in, &ref, &f);
	tell_clipped(s, "shot", &in.all);
	tell_clipped(s, "reference", &ref.all);
	s->confidence = f.confidence;
	rc = 0;
out:
	side_free(&in);
	side_free(&ref);
	return rc;
}

const struct node_type ISA(node_match) = {
	.name = "match",
	.doc = "Take a shot to a reference clip or frame by an editable CDL, as measured by `interneg "
	        "solve`.",
	.more = "An ASC CDL without clamps on acescct: (v slope + offset)^power, then saturation, then "
	        "the table in lut=, if there is one. `solve` compares the shot with the reference "
	        "(balance both first), within slope 0.5 to 2, offset 0.1, power 0.5 to 2, saturation "
	        "0.5 to 2. Two shots seldom show the same things in the same shares, so by itself it "
	        "matches exposure (the median of luma), white and black (99 and 1 %), by one curve for "
	        "all channels, and the white point by the estimators of balance. Where region= and "
	        "reference_region= mask the same thing in both, or where method= says so, it matches "
	        "distributions: quantiles from 2 to 98 % of each channel with saturation from the "
	        "spread of chroma; mean and deviation; the Monge-Kantorovich linear map; sliced "
	        "optimal transport. The last two are projected to the CDL, and bake= names a .cube (a "
	        "shaper and a 33-node table) that takes what the CDL leaves over; that of sliced ends with "
	        "curves along each channel, luma and chroma that bring every statistic nearer by the same "
	        "share, and its slopes are bounded, so that walls stay smooth and noise stays grey. Black "
	        "borders and standing white titles are left out. Every fourth frame is held out of the "
	        "fit. Mean, deviation and the percentiles 2 to 98 of each channel and of luma, mean and "
	        "deviation of chroma: each may end no farther from the reference's than before, in the "
	        "frames fitted or held out, unless within what it scatters between frames (three standard "
	        "errors); where that leaves nearly all of the gaps, one may go farther by its scatter, at "
	        "most by 0.002 of acescct (one 8-bit code at mid-grey). A fit or table is bent to that, or "
	        "held back, and `solve` tells each before and after. The confidence falls "
	        "with what the fit leaves over, with frames that disagree, with every limit hit and "
	        "where little gets nearer; below 0.25 `solve` applies nothing. One set of numbers a "
	        "shot: nothing flickers. The reference is read by solve alone, so it may have any "
	        "size, rate and length.",
	.category = "colour", .version = 1, .size = sizeof(struct match), .params = params,
	.inputs = "image reference? mask? region? reference_region?",
		.flags = NF_RGB | NF_MASKED | NF_SOLVE, .traits = TR_NEUTRAL,
	.want = WANT_LOG,
	.example = "<match id=\"matched\" in=\"base\" reference=\"hero\" slope=\"1.02 1 0.99\" offset=\"0 "
	        "0 0.004\" saturation=\"0.95\"/>",
	.traits_of = traits_of, .want_of = want_of, .open = match_open, .close = match_close, .needs = needs,
	.identity = identity, .in_place = in_place, .tile = tile, .solve = match_solve,
};
