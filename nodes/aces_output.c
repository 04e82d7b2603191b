/* aces_output - the output transforms of ACES: scene light to the light of a display.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "grading.h"
#include "px_aces1.h"
#include "px_colour.h"

struct aces_output { int display, limit; };

enum { D_REC709, D_P3, D_REC2020_1000, D_REC2020_2000, D_REC2020_4000, D_P3_1000, D_P3_2000, D_P3_4000 };

static const struct { enum aces1_display d; double peak; } displays[] = {
	[D_REC709] = { ACES1_REC709, 0 }, [D_P3] = { ACES1_P3D65, 0 },
	[D_REC2020_1000] = { ACES1_REC2020, 1000 }, [D_REC2020_2000] = { ACES1_REC2020, 2000 },
	[D_REC2020_4000] = { ACES1_REC2020, 4000 }, [D_P3_1000] = { ACES1_P3D65, 1000 },
	[D_P3_2000] = { ACES1_P3D65, 2000 }, [D_P3_4000] = { ACES1_P3D65, 4000 },
};

static const struct param params[] = {
	P_ENUM(aces_output, display, "rec709",
	       "rec709|p3-d65|rec2020-1000|rec2020-2000|rec2020-4000|p3-d65-1000|p3-d65-2000|p3-d65-4000", PF_STATIC,
	       "What is looked at: a video monitor in a dim surround whose white is 1 (Rec.709, P3-D65), or an HDR one of so "
	       "many cd/m2 with mid-grey at 15 cd/m2, where 1 is 100 cd/m2."),
	P_BOOL(aces_output, limit, 1, PF_STATIC,
	       "Hold colours to what the display can show, as the Academy's transforms do; no: what lies outside goes on."),
	P_END
};

struct state { struct colour_xform in; struct aces1 a; };

static int out_space(const struct node_ctx *n)
{
	static const char *const names[] = { "linear-rec709", "linear-p3-d65", "linear-rec2020" };
	return colour_find(names[displays[((const struct aces_output *)n->v)->display].d]);
}

static int node_open(struct node_ctx *n, struct err *e)
{
	const struct aces_output *p = n->v;
	struct state *s = n->state = xalloc(1, sizeof *s);
	(void)e;
	colour_xform_init(&s->in, n->working, colour_find("aces2065-1"));
	aces1_init(&s->a, displays[p->display].d, displays[p->display].peak, p->limit);
	return 0;
}
static void node_close(struct node_ctx *n)
{
	free(n->state);
	n->state = NULL;
}

static void row(const void *state, float *const p[3], int n)
{
	const struct state *s = state;
	colour_row(&s->in, p[0], p[1], p[2], n);
	for (int i = 0; i < n; i += ACES1_CHUNK)
		aces1_row(&s->a, p[0] + i, p[1] + i, p[2] + i, n - i < ACES1_CHUNK ? n - i : ACES1_CHUNK);
}
static int tile(const struct call *c, struct rect r)
{
	grading_rows(c, r, row);
	return 0;
}
static double flops(const struct node_ctx *n) { (void)n; return 1200; }

const struct node_type ISA(node_aces_output) = {
	.name = "aces_output",
	.doc = "The output transforms of ACES 1.3: scene light to the light of a display.",
	.more = "For scene-linear work. Glow, red modifier, the reference rendering's tone curve and the display's, as plain "
	        "formulas; SDR with the dim surround's gamma and desaturation, HDR by the single stage tone scale. What comes "
	        "out is linear light of the display's primaries: write it with color=\"rec709\", \"srgb\", \"p3-d65\" or "
	        "\"pq\". Clips of AI models are display-referred already and want none of this. For a tone curve alone "
	        "see tone.",
	.category = "colour", .version = 1, .size = sizeof(struct aces_output), .params = params,
	.inputs = "image", .flags = NF_RGB, .traits = TR_TONE | TR_OUTPUT | TR_CLIPS, .want = WANT_LINEAR,
	.example = "<aces_output id=\"shown\" in=\"graded\" display=\"rec709\"/>",
	.out_space = out_space, .open = node_open, .close = node_close, .flops = flops, .tile = tile,
};
