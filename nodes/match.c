/* match - take a shot to a reference clip or frame by an editable CDL, as measured by `interneg solve`.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdlfit.h"
#include "cdlguard.h"
#include "lut.h"
#include "mathx.h"
#include "measure.h"
#include "node.h"
#include "px_colour.h"
#include "px_lut.h"
#include "skin.h"
#include "transport.h"

enum { SAMPLE_PIXELS = 20000, THUMB_PIXELS = 20000, CHUNK = 256, TABLE_SIDE = 33 };
enum method { AUTO, LEVELS, QUANTILES, MEAN, KANTOROVICH, SLICED };
/* acescct, from under black to over white; the table goes on straight beyond. */
#define TABLE_LOW 0.05
#define TABLE_TOP 0.6
#define WHITE_SURE 0.8
#define TABLE_SURE 0.8                  /* of the slack; the rest is rounding */

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
struct side {
	const struct image *im[16], *mask[16]; int n; struct area area;
	struct pixels all, held, half[2];
};

/* Every fourth frame is held out of the fit, to see it on. */
static bool held_out(const struct side *d, int i) { return d->n >= 4 && i % 4 == 3; }

static int gather_side(struct side *d, const char *what, struct solve_call *s, struct err *e)
{
	int space = colour_find("acescct");
	area_find(d->im, d->n, colour_encode(space, 0.0015), colour_encode(space, 0.6), &d->area);
	area_note(&d->area, s->note, sizeof s->note);
	for (int i = 0; i < d->n; i++)
		if (pixels_add_in(held_out(d, i) ? &d->held : &d->all, d->im[i], &d->area, d->mask[i], SAMPLE_PIXELS, e) < 0
		    || pixels_add_in(&d->half[i % 2], d->im[i], &d->area, d->mask[i], SAMPLE_PIXELS / 4, e) < 0)
			return -1;
	if (d->all.n < 64) return err_set(e, E_INPUT, "too few pixels of the %s to match", what);
	return 0;
}
static void side_free(struct side *d)
{
	area_free(&d->area);
	pixels_free(&d->all);
	pixels_free(&d->held);
	pixels_free(&d->half[0]);
	pixels_free(&d->half[1]);
}

static int gather(struct solve_call *s, struct side *in, struct side *ref, struct err *e)
{
	for (int i = 0; i < s->nsamples && in->n < (int)IN_COUNT(in->im); i++) {
		const struct solve_sample *v = &s->sample[i];
		in->im[in->n] = v->in;
		in->mask[in->n++] = v->region;
		if (!v->reference) continue;
		ref->im[ref->n] = v->reference;
		ref->mask[ref->n++] = v->reference_region;
	}
	if (!ref->n) return err_set(e, E_SCENE, "match has nothing to measure against: connect reference=");
	say(s, "%d frame%s against %d of the reference", in->n, in->n == 1 ? "" : "s", ref->n);
	return gather_side(in, "shot", s, e) < 0 || gather_side(ref, "reference", s, e) < 0 ? -1 : 0;
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
static int white_of(const struct side *d, const struct white_guess *ref, struct white_guess *g, struct err *e)
{
	struct thumb *t = xalloc((size_t)d->n + 1, sizeof *t);
	struct colour_xform x;
	int nt = 0, rc = -1, space = colour_find("acescg");
	colour_xform_init(&x, colour_find("acescct"), space);
	for (; nt < d->n; nt++) {
		if (thumb_make_in(d->im[nt], &d->area, d->mask[nt], THUMB_PIXELS, &t[nt], e) < 0) goto out;
		for (int y = 0; y < t[nt].h; y++) {
			size_t at = (size_t)y * (size_t)t[nt].w;
			colour_row(&x, t[nt].p[0] + at, t[nt].p[1] + at, t[nt].p[2] + at, t[nt].w);
		}
	}
	double top = top_of(t, nt);
	white_measure(t, nt, top, space, g);
	if (ref && ref->weight[0] > 0 && g->weight[0] > 0) {
		double start[2];
		for (int k = 0; k < 2; k++) start[k] = ref->vote[2][k] + g->vote[0][k] - ref->vote[0][k];
		white_measure_from(t, nt, top, space, start, g);
	}
	rc = 0;
out:
	for (int i = 0; i < nt; i++) thumb_free(&t[i]);
	free(t);
	return rc;
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

static int solve_levels(struct solve_call *s, const struct side *in, const struct side *ref,
                        struct cdl_fit *f, struct err *e)
{
	struct white_guess a, b;
	struct cdl_fit half[2];
	double gain[3], sure;
	if (white_of(ref, NULL, &b, e) < 0 || white_of(in, &b, &a, e) < 0) return -1;
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
	return 0;
}

/* What is left after the fit, as a table of what the fit makes: the transport, or the linear map itself. */
struct rest {
	const struct cdl_fit *f; struct transport *t; const double *m, *add;
	double share; float (*node)[3];
};
enum { TABLE_NODES = TABLE_SIDE * TABLE_SIDE * TABLE_SIDE };

static void rest_node(const struct rest *r, double v[3])
{
	double w[3], to[3] = { v[0], v[1], v[2] };
	if (r->m) {                             /* back through the fit */
		double y = 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2];
		for (int k = 0; k < 3; k++) {
			double b = y + (v[k] - y) / r->f->saturation;
			if (b > 0 && r->f->power[k] != 1) b = mx_pow(b, 1 / r->f->power[k]);
			w[k] = (b - r->f->offset[k]) / r->f->slope[k];
		}
		for (int k = 0; k < 3; k++)
			to[k] = r->m[k * 3] * w[0] + r->m[k * 3 + 1] * w[1] + r->m[k * 3 + 2] * w[2] + r->add[k];
	} else transport_map(r->t, to);
	for (int k = 0; k < 3; k++) v[k] = to[k];
}
static void rest_fill(struct rest *r)
{
	r->node = xalloc(TABLE_NODES, sizeof *r->node);
	for (int i = 0; i < TABLE_NODES; i++) {
		double v[3] = { i % TABLE_SIDE, i / TABLE_SIDE % TABLE_SIDE, i / TABLE_SIDE / TABLE_SIDE };
		for (int k = 0; k < 3; k++) v[k] = TABLE_LOW + v[k] * (TABLE_TOP - TABLE_LOW) / (TABLE_SIDE - 1);
		rest_node(r, v);
		for (int k = 0; k < 3; k++) r->node[i][k] = (float)v[k];
	}
}
/* The table's trilinear value, mixed with none; colours outside move as its border does. */
static void rest_map(const struct rest *r, double v[3])
{
	double w[3], in[3], sum[3] = { 0 };
	int at[3];
	for (int k = 0; k < 3; k++) {
		in[k] = v[k] < TABLE_LOW ? TABLE_LOW : v[k] > TABLE_TOP ? TABLE_TOP : v[k];
		w[k] = (in[k] - TABLE_LOW) * (TABLE_SIDE - 1) / (TABLE_TOP - TABLE_LOW);
		at[k] = w[k] < TABLE_SIDE - 2 ? (int)w[k] : TABLE_SIDE - 2;
		w[k] -= at[k];
	}
	for (int c = 0; c < 8; c++) {
		int x = at[0] + (c & 1), y = at[1] + (c >> 1 & 1), z = at[2] + (c >> 2);
		double part = (c & 1 ? w[0] : 1 - w[0]) * (c & 2 ? w[1] : 1 - w[1]) * (c & 4 ? w[2] : 1 - w[2]);
		for (int k = 0; k < 3; k++) sum[k] += part * r->node[(z * TABLE_SIDE + y) * TABLE_SIDE + x][k];
	}
	for (int k = 0; k < 3; k++) v[k] += r->share * (sum[k] - in[k]);
}

/* The statistics of one set of pixels under fit and table. */
static void rest_judge(const struct rest *rest, const struct pixels *in, const struct pixels *ref,
                       struct guard_report *r)
{
	struct pixels done = { .n = 0 };
	for (int k = 0; k < 3; k++) done.p[k] = xalloc(in->n + 1, sizeof(float));
	cdl_stats_of(in, &r->before);
	cdl_apply(rest->f, in, &done);
	for (size_t i = 0; i < done.n; i++) {
		double v[3] = { done.p[0][i], done.p[1][i], done.p[2][i] };
		rest_map(rest, v);
		for (int k = 0; k < 3; k++) done.p[k][i] = (float)v[k];
	}
	cdl_stats_of(&done, &r->after);
	cdl_stats_of(ref, &r->ref);
	guard_count(r);
	pixels_free(&done);
}

static char *rest_table(const struct solve_call *s, const struct rest *rest)
{
	size_t room = (size_t)TABLE_NODES * 64 + 400, at = 0;
	char *out = xalloc(room, 1);
	at += (size_t)snprintf(out, room, "# interneg: what the CDL of match '%s' leaves over; in and out: acescct\n"
	                       "LUT_3D_SIZE %d\nDOMAIN_MIN %g %g %g\nDOMAIN_MAX %g %g %g\n", s->n->id, TABLE_SIDE,
	                       TABLE_LOW, TABLE_LOW, TABLE_LOW, TABLE_TOP, TABLE_TOP, TABLE_TOP);
	for (int i = 0; i < TABLE_NODES; i++) {
		int at3[3] = { i % TABLE_SIDE, i / TABLE_SIDE % TABLE_SIDE, i / TABLE_SIDE / TABLE_SIDE };
		double v[3];
		for (int k = 0; k < 3; k++) {
			v[k] = TABLE_LOW + at3[k] * (TABLE_TOP - TABLE_LOW) / (TABLE_SIDE - 1);
			v[k] += rest->share * (rest->node[i][k] - v[k]);
		}
		at += (size_t)snprintf(out + at, room - at, "%.7g %.7g %.7g\n", v[0], v[1], v[2]);
	}
	return out;
}

/* As much of it as takes no statistic farther; what it reaches is in r. */
static void bake(struct solve_call *s, const struct side *in, const struct side *ref, const struct cdl_fit *f,
                 const double *m, const double *add, struct guard_report *r)
{
	struct pixels done = { .n = 0 };
	struct rest rest = { .f = f, .m = m, .add = add };
	for (int k = 0; k < 3; k++) done.p[k] = xalloc(in->all.n + 1, sizeof(float));
	cdl_apply(f, &in->all, &done);
	if (!m) rest.t = transport_new(&done, &ref->all);
	rest_fill(&rest);
	for (int i = 8; i > 0 && !s->table; i--) {
		struct guard_report t = { .most = 0 };
		rest.share = i / 8.0;
		rest_judge(&rest, &in->all, &ref->all, &t);
		if (in->held.n >= 64 && ref->held.n >= 64) rest_judge(&rest, &in->held, &ref->held, &t);
		if (t.worst > TABLE_SURE * GUARD_SLACK) continue;
		*r = t;
		s->table = rest_table(s, &rest);
		say(s, ", %.0f %% of the rest as a table", 100 * rest.share);
	}
	if (!s->table) say(s, ", no table: it would take a statistic farther");
	free(rest.node);
	transport_free(&rest.t);
	pixels_free(&done);
}

/* What is told is of the frames held out of the fit. */
static void tell(struct solve_call *s, const struct side *in, const struct guard_report *r, struct cdl_fit *f)
{
	f->confidence *= (double)(STAT_COUNT - r->worse) / STAT_COUNT;
	if (r->gap_after > 0.9 * r->gap_before && r->gap_before > GUARD_SLACK) f->confidence *= 0.5;
	say(s, "; %s: %d of %d statistics nearer, %d as far, %d farther; off by, in 0.001, before > after:",
	    in->held.n >= 64 ? "frames held out" : "the same frames", r->nearer, STAT_COUNT, r->same, r->worse);
	guard_note(r, s->note, sizeof s->note);
}

static int fit(struct solve_call *s, const struct side *in, const struct side *ref,
               struct cdl_fit *f, struct err *e)
{
	const struct match *p = s->n->v;
	enum method how = p->method != AUTO ? (enum method)p->method : in->mask[0] ? QUANTILES : LEVELS;
	struct guard_set set[2] = { { &in->all, &ref->all }, { &in->held, &ref->held } };
	struct guard_report r;
	double m[9], add[3];
	if (how == LEVELS && solve_levels(s, in, ref, f, e) < 0) return -1;
	if (how == MEAN) cdl_fit_mean(&in->all, &ref->all, f);
	else if (how == KANTOROVICH) cdl_fit_kantorovich(&in->all, &ref->all, m, add, f);
	else if (how != LEVELS) cdl_fit(&in->all, &ref->all, f);
	cdl_hold(set, in->held.n >= 64 && ref->held.n >= 64 ? 2 : 1, how == LEVELS, f, &r);
	if (r.held && how != LEVELS) cdl_judge(&in->all, &ref->all, f);
	if (r.held) say(s, ", held back");
	if (*p->bake && how == KANTOROVICH) bake(s, in, ref, f, m, add, &r);
	if (*p->bake && how == SLICED) bake(s, in, ref, f, NULL, NULL, &r);
	if (how != LEVELS)
		say(s, ", quantiles agree to %.4f (%.4f before)%s", f->rms, f->rms_before,
		    f->used_power ? "" : ", no power");
	tell(s, in, &r, f);
	return 0;
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
	struct side in = { .n = 0 }, ref = { .n = 0 };
	static const char *const what[4] = { "red", "green", "blue", "saturation" };
	struct cdl_fit f;
	int rc = -1;
	if (gather(s, &in, &ref, e) < 0 || fit(s, &in, &ref, &f, e) < 0) goto out;
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
	        "optimal transport. The last two are projected to the CDL, and bake= names a .cube "
	        "that takes what the CDL leaves over. Black borders and standing white titles are left "
	        "out. Every fourth frame is held out of the fit. Mean, deviation and the percentiles 2 "
	        "to 98 of each channel and of luma, mean and deviation of chroma: none may end farther "
	        "from the reference's than before, in the frames fitted or held out, by more than "
	        "0.002 of acescct (one 8-bit code at mid-grey); a fit or table that would take one "
	        "farther is held back, and `solve` tells each before and after. The confidence falls "
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
	.identity = identity, .tile = tile, .solve = match_solve,
};
