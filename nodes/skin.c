/* skin - declares a character's skin as measured in one picture; shows what counts as it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "node.h"
#include "px_colour.h"
#include "px_fetch.h"
#include "px_skin.h"

enum { CHUNK = 256, SAMPLE_PIXELS = 400000 };
#define DIM 0.15f                       /* what is left of the light of everything else */

/* skin comes first: grades read it. */
struct skin { struct skin_ref skin; int frame; double rect[4], line; const char *solved; };

#define SKIN_FLOAT(f, d, lo, hi, u, fl, doc_) \
	{ #f, PT_FLOAT, offsetof(struct skin, skin.f), 1, { d }, NULL, lo, hi, u, NULL, fl, doc_ }

static const struct param params[] = {
	P_INT(skin, frame, 0, 0, 100000000, "", PF_STATIC | PF_NOKEY, "The frame that is measured; 0 "
	      "takes the middle one."),
	{ "rect", PT_VEC, offsetof(struct skin, rect), 4, { 0, 0, 0, 0 }, NULL, 0, 65536, "pixels",
	  NULL, PF_STATIC | PF_NOKEY,
	  "What is measured of it, left top width height in pixels at full resolution: skin and "
	  "nothing else. Without it what "
	  "looks like skin in the whole picture." },
	SKIN_FLOAT(drift, 4, 0.1, 90, "degrees", PF_STATIC, "How far a grade with hold_skin may turn "
	           "it, and a shot may be away from it."),
	SKIN_FLOAT(soft, 0.5, 0, 0.95, "share", PF_STATIC, "The share of drift over which the hold "
	           "sets in: 0.5 begins at half of it."),
	P_FLOATX(skin, line, SKIN_LINE, 0, 360, "degrees", PF_STATIC | PF_NOKEY,
	         "The line that reports compare with. An aid to the eye, no target."),
	SKIN_FLOAT(hue, 0, 0, 360, "degrees", PF_STATIC | PF_SOLVED, "Its median angle on the vectorscope."),
	SKIN_FLOAT(spread, 0, 0, 360, "degrees", PF_STATIC | PF_SOLVED, "The interquartile range of "
	           "its angles; 0: not measured."),
	SKIN_FLOAT(chroma, 0, 0, 2, "signal", PF_STATIC | PF_SOLVED, "Its median distance from grey."),
	SKIN_FLOAT(luma, 0, 0, 100, "signal", PF_STATIC | PF_SOLVED, "Its median luma."),
	P_STRING(skin, solved, "", PF_SOLVED | PF_NOKEY, "Key of what was measured; written by `interneg solve`."),
	P_END
};

static bool identity(const struct node_ctx *n) { return !(((const struct skin *)n->v)->skin.spread > 0); }

static int skin_open(struct node_ctx *n, struct err *e)
{
	struct skin_hold *h = xalloc(1, sizeof *h);
	const struct skin *p = n->v;
	(void)e;
	if (p->skin.spread > 0) *h = skin_hold_of(&p->skin, 0, 0);
	n->state = h;
	return 0;
}
static void skin_close(struct node_ctx *n)
{
	free(n->state);
	n->state = NULL;
}

static void dim(const struct skin_hold *h, float *const show[3], float *const p[3], int n)
{
	for (int i = 0; i < n; i++) {
		float y = 0.2126f * show[0][i] + 0.7152f * show[1][i] + 0.0722f * show[2][i];
		float cb = (show[2][i] - y) * (1 / 1.8556f), cr = (show[0][i] - y) * (1 / 1.5748f);
		float k = DIM + (1.0f - DIM) * skin_weight(h, y, cb, cr, __builtin_sqrtf(cb * cb + cr * cr));
		for (int c = 0; c < 3; c++) p[c][i] *= k;
	}
}

static int tile(const struct call *c, struct rect r)
{
	const struct skin_hold *h = c->n->state;
	struct colour_xform x;
	colour_xform_init(&x, c->n->working, colour_find("rec709"));
	for (int y = r.y0; y < r.y1; y++)
		for (int at = r.x0; at < r.x1; at += CHUNK) {
			int n = r.x1 - at < CHUNK ? r.x1 - at : CHUNK;
			float show[3][CHUNK], *s[3] = { show[0], show[1], show[2] }, *p[3];
			for (int k = 0; k < 3; k++) {
				p[k] = view_at(c->out, k, at, y);
				px_take_row(p[k], view_at(&c->in[0], k, at, y), n);
				memcpy(show[k], p[k], (size_t)n * sizeof(float));
			}
			if (!(h->chroma > 0)) continue;
			colour_row(&x, show[0], show[1], show[2], n);
			dim(h, s, p, n);
		}
	return 0;
}

/* --- solve --- */

static int take(const struct skin *p, const struct solve_call *s, struct pixels *v, struct err *e)
{
	const struct image *im = s->sample[0].in;
	struct area a = { .r = rect_and(im->view.r, im->fmt.data) };
	if (p->rect[2] > 0 && p->rect[3] > 0) {
		double k = s->n->scale;
		int x = im->fmt.display.x0 + (int)(p->rect[0] * k), y = im->fmt.display.y0 + (int)(p->rect[1] * k);
		a.r = rect_and(a.r, rect_of(x, y, x + (int)(p->rect[2] * k + 0.5), y + (int)(p->rect[3] * k + 0.5)));
		if (rect_area(a.r) < 16)
			return err_set(e, E_SCENE, "rect %g %g %g %g holds fewer than 16 pixels of the picture",
			               p->rect[0], p->rect[1], p->rect[2], p->rect[3]);
	}
	return pixels_add_in(v, im, &a, NULL, SAMPLE_PIXELS, e);
}

static int skin_solve(struct solve_call *s, struct err *e)
{
	const struct skin *p = s->n->v;
	struct pixels v = { .n = 0 };
	struct colour_xform x;
	struct skin_stats st;
	int rc = -1;
	bool given = p->rect[2] > 0 && p->rect[3] > 0;
	if (take(p, s, &v, e) < 0) goto out;
	colour_xform_init(&x, s->n->working, colour_find("rec709"));
	colour_row(&x, v.p[0], v.p[1], v.p[2], (int)v.n);
	skin_measure((const float *const *)v.p, v.n, given ? SKIN_ALL : SKIN_ANY, NULL, &st);
	if (!st.n) {
		err_set(e, E_INPUT, "nothing in frame %d looks like skin; name it with rect=",
		        s->sample[0].frame);
		goto out;
	}
	if (st.iqr < 0.1) st.iqr = 0.1;
	solve_attr_put(s, "hue", &st.hue, 1, 1);
	solve_attr_put(s, "spread", &st.iqr, 1, 1);
	solve_attr_put(s, "chroma", &st.chroma, 1, 4);
	solve_attr_put(s, "luma", &st.luma, 1, 4);
	double off = skin_turn(p->line, st.hue);
	snprintf(s->note, sizeof s->note, "frame %d: median %.1f degrees (%+.1f from the line at %g), "
	         "spread %.1f, %.0f %% within 5 and %.0f %% within 10 of 123, %zu pixels",
	         s->sample[0].frame, st.hue, off, p->line, st.iqr, 100 * st.within5,
	         100 * st.within10, st.n);
	/* a rect that holds hair and wall is no skin */
	s->confidence = given ? 1 / (1 + st.iqr * st.iqr / (30.0 * 30.0)) : st.share > 0.02 ? 0.6 : 0.3;
	rc = 0;
out:
	pixels_free(&v);
	return rc;
}

static double flops(const struct node_ctx *n) { (void)n; return 100; }

const struct node_type ISA(node_skin) = {
	.name = "skin",
	.doc = "Declares a character's skin as measured in one picture; shows what counts as it.",
	.more = "`solve` measures frame and rect of the picture in from= and writes plain values: the "
	        "median angle, spread, chroma and luma on the Rec.709 signal, the angle being "
	        "atan2(Cr, Cb) with both equally scaled, where scopes draw the skin line at 123 "
	        "degrees. Grades name it with hold_skin=; `check` warns when a shot whose grade holds "
	        "it was measured further from it than drift. As a picture it shows what counts as this "
	        "skin, the rest dimmed: within 12 degrees and the spread of its hue (none of it beyond "
	        "twice that), 0.4 to 1.9 times its chroma, and above a quarter of its luma, each with "
	        "a soft edge.",
	.category = "colour", .version = 1, .size = sizeof(struct skin), .params = params,
	.inputs = "from", .flags = NF_RGB | NF_SOLVE, .traits = TR_VIEW, .want = WANT_LINEAR,
	.example = "<skin id=\"ana\" from=\"hero\" frame=\"24\" rect=\"410 180 60 70\" hue=\"118.4\" "
	        "spread=\"5.2\" chroma=\"0.115\" luma=\"0.55\"/>",
	.open = skin_open, .close = skin_close, .identity = identity, .flops = flops, .in_place = node_in_place, .tile = tile,
		.solve = skin_solve,
};
