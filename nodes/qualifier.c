/* qualifier - a mask of the pixels within ranges of hue, saturation and lightness.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "grading.h"
#include "px_grade_hue.h"

enum { MODEL_HSL, MODEL_HSV, MODEL_LUMA };

struct qualifier {
	int space, model;
	double hue, hue_width, hue_soft, sat, sat_width, sat_soft, lum, lum_width, lum_soft;
	int invert;
};

/* Widths from which on a range takes everything. */
#define ALL_HUES 360
#define ALL_SATS 4
#define ALL_LUMS 16

static const struct param params[] = {
	P_ENUM(qualifier, space, "acescct", "acescct|linear|clip", PF_STATIC,
	       "What is looked at: the log grading space, linear working light, or the clip's own encoding."),
	P_ENUM(qualifier, model, "hsl", "hsl|hsv|luma", PF_STATIC,
	       "hsl: lightness (max + min)/2, saturation (max - min)/(1 - |2 lightness - 1|). hsv: value max, "
	       "saturation (max - min)/max. luma: .2126 R + .7152 G + .0722 B, saturation max - min, as in curves."),
	P_FLOAT(qualifier, hue, 0, 0, 360, "degrees", "Middle of the hues: 0 red, 120 green, 240 blue."),
	P_FLOAT(qualifier, hue_width, ALL_HUES, 0, ALL_HUES, "degrees",
	        "How many degrees are taken in full; 360 is all."),
	P_FLOAT(qualifier, hue_soft, 15, 0, 180, "degrees", "Over how many degrees it fades on each side."),
	P_FLOAT(qualifier, sat, 0.5, 0, 4, "", "Middle of the saturations."),
	P_FLOAT(qualifier, sat_width, ALL_SATS, 0, ALL_SATS, "", "Range of saturations taken in full; 4 is all."),
	P_FLOAT(qualifier, sat_soft, 0.05, 0, 4, "", "Over how much it fades on each side."),
	P_FLOAT(qualifier, lum, 0.5, -1, 16, "", "Middle of the lightnesses."),
	P_FLOAT(qualifier, lum_width, ALL_LUMS, 0, ALL_LUMS, "", "Range of lightnesses taken in full; 16 is all."),
	P_FLOAT(qualifier, lum_soft, 0.05, 0, 16, "", "Over how much it fades on each side."),
	P_BOOL(qualifier, invert, 0, 0, "Everything else instead."),
	P_END
};

/* 1 up to half a width from the middle, 0 from edge on; to: one over the way between. */
struct range { bool on; float mid, edge, to; };
struct qualifier_state { int model; bool invert; struct range hue, sat, lum; float pale; };

static struct range range_of(double mid, double width, double soft, double all)
{
	double s = soft > 1e-6 ? soft : 1e-6;
	return (struct range){ width < all, (float)mid, (float)(width / 2 + s), (float)(1 / s) };
}

static int qualifier_open(struct node_ctx *n, struct err *e)
{
	const struct qualifier *p = n->v;
	struct qualifier_state *s = n->state = xalloc(1, sizeof *s);
	(void)e;
	s->model = p->model;
	s->invert = p->invert;
	s->hue = range_of(p->hue / 60, p->hue_width / 60, p->hue_soft / 60, ALL_HUES / 60.0);
	s->sat = range_of(p->sat, p->sat_width, p->sat_soft, ALL_SATS);
	s->lum = range_of(p->lum, p->lum_width, p->lum_soft, ALL_LUMS);
	s->pale = (float)(20 / grading_upper(grading_space(n, p->space)));
	return 0;
}
static void qualifier_close(struct node_ctx *n)
{
	free(n->state);
	n->state = NULL;
}

static int qualifier_format(const struct node_ctx *n, struct format *f, struct err *e)
{
	if (format_channel(f, "R") < 0 || format_channel(f, "G") < 0 || format_channel(f, "B") < 0)
		return err_set(e, E_SCENE, "needs channels R, G, B");
	(void)n;
	format_channels(f, "mask");
	f->space = colour_find("raw");
	return 0;
}

/* w = w times the share of v within the range; around: length of the circle that v lies on, or 0. */
IN_INLINE void take(float *IN_RESTRICT w, const float *IN_RESTRICT v, const struct range *range, float around,
                    int n)
{
	const struct range g = *range;
	if (!g.on) return;
	for (int i = 0; i < n; i++) {
		float d = px_abs(v[i] - g.mid);
		d = around > 0.0f ? px_min(d, around - d) : d;
		w[i] *= smooth_step(g.edge - d, 0.0f, g.to);
	}
}

/* Saturation and lightness of the model; s->chroma and luma hold max - min and luma. */
IN_INLINE void model_rows(int model, struct hue_block *w, const float *const c[3], float *sat,
                          float *lum, int n)
{
	const float *IN_RESTRICT r = c[0], *IN_RESTRICT g = c[1], *IN_RESTRICT b = c[2];
	for (int i = 0; i < n; i++) {
		float max = px_max(px_max(r[i], g[i]), b[i]), mid = max - 0.5f * w->chroma[i];
		float room = model == MODEL_HSL ? 1.0f - px_abs(2.0f * mid - 1.0f) : model == MODEL_HSV ? max : 1.0f;
		lum[i] = model == MODEL_HSL ? mid : model == MODEL_HSV ? max : w->luma[i];
		sat[i] = w->chroma[i] / px_max(room, 1e-3f);
	}
}

static void mask_row(const struct qualifier_state *s, const float *const c[3], float *IN_RESTRICT out, int n)
{
	struct hue_block w;
	float sat[PX_BLOCK], lum[PX_BLOCK], m[PX_BLOCK];
	hue_split(&w, c[0], c[1], c[2], n);
	model_rows(s->model, &w, c, sat, lum, n);
	for (int i = 0; i < n; i++) m[i] = 1.0f;
	take(m, w.hue, &s->hue, 6.0f, n);
	take(m, sat, &s->sat, 0.0f, n);
	take(m, lum, &s->lum, 0.0f, n);
	if (s->hue.on) for (int i = 0; i < n; i++) m[i] *= smooth_step(w.chroma[i], 0.0f, s->pale);
	for (int i = 0; i < n; i++) out[i] = s->invert ? 1.0f - m[i] : m[i];
}

static int tile(const struct call *c, struct rect r)
{
	const struct format *f = c->n->in[0];
	const int ch[3] = { format_channel(f, "R"), format_channel(f, "G"), format_channel(f, "B") };
	const int alpha = format_channel(f, "A");
	float straight[3][PX_BLOCK];
	for (int y = r.y0; y < r.y1; y++)
		for (int x = r.x0; x < r.x1; x += PX_BLOCK) {
			int n = r.x1 - x < PX_BLOCK ? r.x1 - x : PX_BLOCK;
			const float *in[3];
			for (int k = 0; k < 3; k++) {
				in[k] = view_at(&c->in[0], ch[k], x, y);
				if (alpha < 0) continue;
				const float *a = view_at(&c->in[0], alpha, x, y);
				for (int i = 0; i < n; i++) straight[k][i] = a[i] != 0.0f ? in[k][i] / a[i] : in[k][i];
				in[k] = straight[k];
			}
			mask_row(c->n->state, in, view_at(c->out, 0, x, y), n);
		}
	return 0;
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	(void)conn;
	return grading_want(((const struct qualifier *)n->v)->space);
}
static double flops(const struct node_ctx *n) { (void)n; return 70; }

const struct node_type ISA(node_qualifier) = {
	.name = "qualifier",
	.doc = "A mask of the pixels within ranges of hue, saturation and lightness.",
	.more = "Gives one channel, mask: 1 inside all ranges, 0 outside, with a smooth step where it "
	        "fades; look at it with `interneg still`, hand it to the mask of any node. Every range "
	        "is a trapezoid with round corners: in full within width of its middle, gone soft "
	        "beyond that on each side. Hues go around the circle; a limited hue leaves out grey, "
	        "where hue means nothing, and reaches it softly. Numbers are those of the space: in "
	        "acescct mid-grey is 0.414 and white 0.555, so skin lies near hue 20, lightness 0.4.",
	.category = "colour", .version = 1, .size = sizeof(struct qualifier), .params = params,
	.inputs = "image", .example = "<qualifier id=\"skin\" in=\"matched\" hue=\"22\" "
	        "hue_width=\"24\" lum=\"0.42\" lum_width=\"0.2\"/>",
	.want_of = want_of, .open = qualifier_open, .close = qualifier_close, .format = qualifier_format,
	.flops = flops, .tile = tile,
};
