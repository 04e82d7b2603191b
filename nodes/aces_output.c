/* aces_output - the output transforms of ACES: scene light to the light of a display.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "aces2.h"
#include "grading.h"
#include "px_aces1.h"
#include "px_colour.h"
#include "px_lut.h"

struct aces_output { int version, display, method, limit; };

enum { VERSION_13, VERSION_20 };
enum { CUBE, EXACT };

enum { D_REC709, D_P3, D_REC2020_1000, D_REC2020_2000, D_REC2020_4000, D_P3_1000, D_P3_2000, D_P3_4000 };

static const struct { enum aces1_display d; double peak; } displays[] = {
	[D_REC709] = { ACES1_REC709, 0 }, [D_P3] = { ACES1_P3D65, 0 },
	[D_REC2020_1000] = { ACES1_REC2020, 1000 }, [D_REC2020_2000] = { ACES1_REC2020, 2000 },
	[D_REC2020_4000] = { ACES1_REC2020, 4000 }, [D_P3_1000] = { ACES1_P3D65, 1000 },
	[D_P3_2000] = { ACES1_P3D65, 2000 }, [D_P3_4000] = { ACES1_P3D65, 4000 },
};

static const struct param params[] = {
	P_ENUM(aces_output, version, "1.3", "1.3|2.0", PF_STATIC, "Which ACES."),
	P_ENUM(aces_output, display, "rec709",
	       "rec709|p3-d65|rec2020-1000|rec2020-2000|rec2020-4000|p3-d65-1000|p3-d65-2000|p3-d65-4000", PF_STATIC,
	       "What is looked at: a video monitor in a dim surround whose white is 1 (Rec.709, "
	       "P3-D65), or an HDR one of so many cd/m2 (in 1.3 with mid-grey at 15 cd/m2), where 1 is "
	       "100 cd/m2."),
	P_ENUM(aces_output, method, "cube", "cube|exact", PF_STATIC,
	       "2.0: by a table of 65 nodes a side over ACEScct, or by the formulas themselves, some "
	       "hundred times slower."),
	P_BOOL(aces_output, limit, 1, PF_STATIC,
	       "1.3: hold colours to what the display can show, as the Academy's transforms do; no: "
	       "what lies outside goes on."),
	P_END
};

struct state { struct colour_xform in; struct aces1 a; struct aces2 *exact; struct lut *cube; float gain; };

static int out_space(const struct node_ctx *n)
{
	static const char *const names[] = { "linear-rec709", "linear-p3-d65", "linear-rec2020" };
	return colour_find(names[displays[((const struct aces_output *)n->v)->display].d]);
}

static void node_close(struct node_ctx *n)
{
	struct state *s = n->state;
	if (!s) return;
	aces2_free(&s->exact);
	lut_free(&s->cube);
	free(s);
	n->state = NULL;
}

static int node_open(struct node_ctx *n, struct err *e)
{
	const struct aces_output *p = n->v;
	struct state *s = n->state = xalloc(1, sizeof *s);
	double peak = displays[p->display].peak > 0 ? displays[p->display].peak : 100;
	bool cube = p->version == VERSION_20 && p->method == CUBE;
	colour_xform_init(&s->in, n->working, colour_find(p->version == VERSION_13 ? "aces2065-1"
	                                                  : cube ? "acescct" : "acescg"));
	s->gain = (float)(peak / 100);
	if (p->version == VERSION_13) aces1_init(&s->a, displays[p->display].d, displays[p->display].peak, p->limit);
	else if (!cube) s->exact = aces2_new(out_space(n), peak);
	if (!cube || (s->cube = aces2_cube(out_space(n), peak, e))) return 0;
	node_close(n);
	return -1;
}

static void cube_row(const struct state *s, float *const p[3], int n)
{
	const struct px_power decode = px_power_of(2.4);
	lut_row(s->cube, true, p[0], p[1], p[2], n);
	for (int k = 0; k < 3; k++) {
		px_pow_row(p[k], &decode, POW_ODD, n);
		for (int i = 0; i < n; i++) p[k][i] *= s->gain;
	}
}
static void exact_row(const struct state *s, float *const p[3], int n)
{
	for (int i = 0; i < n; i++) {
		double v[3] = { p[0][i], p[1][i], p[2][i] };
		aces2_pixel(s->exact, v, v);
		for (int k = 0; k < 3; k++) p[k][i] = (float)v[k];
	}
}

static void row(const void *state, float *const p[3], int n)
{
	const struct state *s = state;
	colour_row(&s->in, p[0], p[1], p[2], n);
	if (s->cube) cube_row(s, p, n);
	else if (s->exact) exact_row(s, p, n);
	for (int i = 0; i < n && !s->exact && !s->cube; i += ACES1_CHUNK)
		aces1_row(&s->a, p[0] + i, p[1] + i, p[2] + i, n - i < ACES1_CHUNK ? n - i : ACES1_CHUNK);
}
static int tile(const struct call *c, struct rect r)
{
	grading_rows(c, r, row);
	return 0;
}
static double flops(const struct node_ctx *n)
{
	const struct aces_output *p = n->v;
	return p->version == VERSION_13 ? 1200 : p->method == CUBE ? 300 : 10000;
}

const struct node_type ISA(node_aces_output) = {
	.name = "aces_output",
	.doc = "The output transforms of ACES 1.3 and 2.0: scene light to the light of a display.",
	.more = "For scene-linear work. 1.3: glow, red modifier, the reference rendering's tone curve "
	        "and the display's, as plain formulas; SDR with the dim surround's gamma and "
	        "desaturation, HDR by the single stage tone scale. 2.0: tonescale, chroma and gamut "
	        "compression in the appearance model, within 3e-5 of OpenColorIO 2.6; its table is off "
	        "the formulas by 0.0004 of the signal at most on greys, by 0.0013 in the mean of "
	        "random colours over 14 stops, and by up to 0.18 where a channel of a strongly "
	        "saturated colour is about to vanish: method=\"exact\" has none of that.\nWhat comes "
	        "out is linear light of the display's primaries: write it with color=\"rec709\", "
	        "\"srgb\", \"p3-d65\" or \"pq\". Clips of AI models are display-referred already and "
	        "want none of this. For a tone curve alone see tone.",
	.category = "colour", .version = 1, .size = sizeof(struct aces_output), .params = params,
	.inputs = "image", .flags = NF_RGB, .traits = TR_TONE | TR_OUTPUT | TR_CLIPS, .want = WANT_LINEAR,
	.example = "<aces_output id=\"shown\" in=\"graded\" display=\"rec709\"/>",
	.out_space = out_space, .open = node_open, .close = node_close, .flops = flops, .in_place = node_in_place, .tile = tile,
};
