/* split_tone - tints shadows, midtones and highlights, each with a colour of its own.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "grading.h"
#include "px_grade_hue.h"

struct split_tone {
	int space;
	double shadows[3], midtones[3], highlights[3], amount, balance;
};

static const struct param params[] = {
	P_ENUM(split_tone, space, "acescct", "acescct|clip", PF_STATIC,
	       "What is tinted: the log grading space or the clip's own encoding."),
	P_COLOUR(split_tone, shadows, 0.5, 0.5, 0.5, 0,
	         "Tint of the shadows, as on a display (#rrggbb). Only its colour counts, not how "
	         "bright it is; grey does nothing."),
	P_COLOUR(split_tone, midtones, 0.5, 0.5, 0.5, 0, "Tint of the midtones."),
	P_COLOUR(split_tone, highlights, 0.5, 0.5, 0.5, 0, "Tint of the highlights."),
	P_FLOAT(split_tone, amount, 0.25, 0, 4, "", "How strong the tints are; 0 does nothing."),
	P_FLOAT(split_tone, balance, 0, -1, 1, "", "Above 0 more of the scale counts as highlights, below 0 as "
	        "shadows; 1 is the way from mid-grey to white."),
	P_END
};

/* What each tint adds; its luma is 0. at: luma to the scale on which mid-grey is 0 and white 1. */
struct split_state { float dark[3], middle[3], bright[3], at, start; };

static bool grey(const double c[3]) { return c[0] == c[1] && c[1] == c[2]; }
static bool identity(const struct node_ctx *n)
{
	const struct split_tone *p = n->v;
	return p->amount == 0 || (grey(p->shadows) && grey(p->midtones) && grey(p->highlights));
}

static void set_tint(float out[3], const double c[3], double amount)
{
	double luma = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
	for (int k = 0; k < 3; k++) out[k] = grey(c) ? 0.0f : (float)((c[k] - luma) * amount);
}

static int split_open(struct node_ctx *n, struct err *e)
{
	const struct split_tone *p = n->v;
	struct split_state *s = n->state = xalloc(1, sizeof *s);
	(void)e;
	int space = grading_space(n, p->space ? IN_CLIP : IN_ACESCCT);
	double upper = grading_upper(space);
	set_tint(s->dark, p->shadows, p->amount * upper);
	set_tint(s->middle, p->midtones, p->amount * upper);
	set_tint(s->bright, p->highlights, p->amount * upper);
	s->at = (float)(1 / upper);
	s->start = (float)(p->balance - grading_middle(space) / upper);
	return 0;
}
static void split_close(struct node_ctx *n)
{
	free(n->state);
	n->state = NULL;
}

static void row(const void *state, float *const p[3], int n)
{
	const struct split_state *s = state;
	float *IN_RESTRICT r = p[0], *IN_RESTRICT g = p[1], *IN_RESTRICT b = p[2];
	float dark[PX_BLOCK], bright[PX_BLOCK];
	const float at = s->at, start = s->start;
	for (int m; n > 0; n -= m, r += m, g += m, b += m) {
		m = n < PX_BLOCK ? n : PX_BLOCK;
		for (int i = 0; i < m; i++) {
			float t = grade_luma(r[i], g[i], b[i]) * at + start;
			bright[i] = smooth_step(t, 0.0f, 1.0f);
			dark[i] = smooth_step(-t, 0.0f, 1.0f);
		}
		float *const c[3] = { r, g, b };
		for (int k = 0; k < 3; k++) {
			float *IN_RESTRICT v = c[k];
			const float mid = s->middle[k], d = s->dark[k] - mid, h = s->bright[k] - mid;
			for (int i = 0; i < m; i++) v[i] += mid + (d * dark[i] + h * bright[i]);
		}
	}
}
static int tile(const struct call *c, struct rect r)
{
	grading_rows(c, r, row);
	return 0;
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	(void)conn;
	return grading_want(((const struct split_tone *)n->v)->space ? IN_CLIP : IN_ACESCCT);
}
static double flops(const struct node_ctx *n) { (void)n; return 40; }

const struct node_type ISA(node_split_tone) = {
	.name = "split_tone",
	.doc = "Tints shadows, midtones and highlights, each with a colour of its own.",
	.more = "out = in + amount w (v (c - y(c))) summed over the three tints c, with y = .2126 R + "
	        ".7152 G + .0722 B and w the distance from mid-grey to white in the space: the luma of "
	        "every pixel stays. The shares v add up to 1: with t = (y - mid-grey) / w + balance, "
	        "highlights have the smooth step of t from 0 to 1, shadows that of -t, midtones the "
	        "rest. In acescct the scale of shadows thus ends 2.5 stops below mid-grey and that of "
	        "highlights at white, 2.5 stops above.",
	.category = "colour", .version = 1, .size = sizeof(struct split_tone), .params = params,
	.inputs = "image mask?", .flags = NF_RGB | NF_MASKED, .traits = TR_GRADE,
	.example = "<split_tone id=\"teal\" in=\"graded\" shadows=\"#1f5c6b\" highlights=\"#e0a070\" "
	        "amount=\"0.2\"/>",
	.want_of = want_of, .open = split_open, .close = split_close, .identity = identity, .flops = flops,
	.in_place = node_in_place, .tile = tile,
};
