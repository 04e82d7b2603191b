/* scope - a picture of what a picture holds: waveform, parade, vectorscope, histogram,
 * chromaticity.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "scope.h"

#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "mathx.h"
#include "node.h"

struct scope {
	int kind;
	double width, height;
	const char *space;
	int matrix, range, bits, scale;
	double skin, zoom, zebra;
};

static const struct param params[] = {
	P_ENUM(scope, kind, "waveform", SCOPE_CHOICES, PF_STATIC,
	       "waveform: luma; overlay, parade: R, G and B over each other or side by side; vectorscope: colour "
	       "differences, with the skin line and targets of 75 and 100 %; xy, uv: chromaticities with the gamuts; "
	       "false: levels as colours; clipping: what lies beyond the codes, and zebra; picture: as it is."),
	P_LENGTH(scope, width, "0", 0, IN_MAX_SIDE, PF_STATIC,
	         "Width of the result; 0: 960, and the picture's own for false, clipping and picture."),
	P_LENGTH(scope, height, "0", 0, IN_MAX_SIDE, PF_STATIC,
	         "Height of the result; 0: 540, and the picture's own with room for the legend."),
	P_STRING(scope, space, "display", PF_STATIC | PF_SPACE,
	         "The signal that is measured: a colour space, input (as it comes) or display (the source's own "
	         "display encoding, rec709 for scene-linear work)."),
	P_ENUM(scope, matrix, "auto", "auto|bt709|bt601|bt2020", PF_STATIC,
	       "Luma and colour differences; auto: those of the space."),
	P_ENUM(scope, range, "auto", YUV_RANGE_CHOICES, PF_STATIC,
	       "Range of the codes; auto: limited, full for log and linear spaces."),
	P_INT(scope, bits, 10, 8, 12, "bits", PF_STATIC, "Depth of the codes."),
	P_ENUM(scope, scale, "auto", SCOPE_SCALE_CHOICES, PF_STATIC,
	       "What the lines of level say; auto: nits for pq, stops about mid-grey for log spaces, else percent."),
	P_FLOATX(scope, skin, 123, 0, 360, "degrees", PF_STATIC, "Angle of the skin line."),
	P_FLOATX(scope, zoom, 1, 1, 8, "factor", PF_STATIC, "vectorscope: magnifies the middle."),
	P_FLOATX(scope, zebra, 1000, 0, 1000, "percent", PF_STATIC,
	         "clipping: stripes from this level of luma on."),
	P_END
};

static bool is_image(const struct scope *p)
{
	return p->kind == SCOPE_FALSE || p->kind == SCOPE_CLIPPING || p->kind == SCOPE_PICTURE;
}

static int space_of(const struct node_ctx *n)
{
	const struct scope *p = n->v;
	if (!strcmp(p->space, "input")) return n->in[0]->space;
	if (!strcmp(p->space, "display")) return scope_display_space(n->in[0]);
	return colour_find(p->space);
}

static int scope_open(struct node_ctx *n, struct err *e)
{
	const struct scope *p = n->v;
	if (n->in[0] && space_of(n) >= 0) return 0;
	return !strcmp(p->space, "input") ? 0 : colour_named("space", p->space, e);
}

static int out_space(const struct node_ctx *n)
{
	(void)n;
	return colour_find("rec709");
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct scope *p = n->v;
	int w = (int)mx_round(p->width), h = (int)mx_round(p->height);
	bool own = is_image(p);
	if (w == 0) w = own ? rect_w(out->display) + 16 : (int)mx_round(960 * n->scale);
	if (h == 0) h = own ? rect_h(out->display) + 36 : (int)mx_round(540 * n->scale);
	out->data = out->display = rect_of(0, 0, w < 1 ? 1 : w, h < 1 ? 1 : h);
	out->par = (struct rational){ 1, 1 };
	out->space = out->encoded = colour_find("rec709");
	format_channels(out, "R G B");
	return format_check(out, e);
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	(void)r;
	need_add(out, 0, frame, n->in[0]->data);
}

static void options(const struct node_ctx *n, struct scope_opts *o)
{
	static const enum yuv_matrix matrices[] = { YM_AUTO, YM_BT709, YM_BT601, YM_BT2020 };
	const struct scope *p = n->v;
	*o = scope_defaults(space_of(n));
	o->matrix = matrices[p->matrix];
	o->range = (enum yuv_range)p->range;
	o->bits = p->bits == 9 ? 10 : p->bits == 11 ? 12 : p->bits;
	o->scale = (enum scope_scale)p->scale;
	o->skin = p->skin;
	o->zoom = p->zoom;
	o->zebra = p->zebra;
}

static int frame(const struct call *c)
{
	const struct scope *p = c->n->v;
	const struct view *out = c->out;
	int w = rect_w(c->n->out->display), h = rect_h(c->n->out->display), rc = -1;
	struct scope_opts o;
	struct signal s = { 0 };
	uint8_t *rgb = malloc((size_t)w * (size_t)h * 3);
	if (!rgb) return err_set(c->err, E_MEMORY, "no memory for a scope of %dx%d", w, h);
	struct canvas cv = canvas_rgb8(rgb, w, h);
	options(c->n, &o);
	if (signal_open(c->n->in[0], &c->in[0], &o, &s, c->err) < 0) goto out;
	if (scope_draw(&cv, rect_of(0, 0, w, h), &s, (enum scope_kind)p->kind, NULL,
	               c->err) < 0) goto out;
	for (int k = 0; k < 3; k++)
		for (int y = out->r.y0; y < out->r.y1; y++) {
			float *to = view_at(out, k, out->r.x0, y);
			for (int x = out->r.x0; x < out->r.x1; x++)
				to[x - out->r.x0] = (float)rgb[((size_t)y * (size_t)w + (size_t)x) * 3 +
				                               (size_t)k] / 255.0f;
		}
	rc = 0;
out:
	signal_free(&s);
	free(rgb);
	return rc;
}

/* The frame as a signal, and the counts. */
static size_t reserve(const struct node_ctx *n)
{
	const struct format *f = n->in[0];
	return f ? rect_area(f->display) * 6 * sizeof(float) + ((size_t)32 << 20) : 0;
}

const struct node_type ISA(node_scope) = {
	.name = "scope",
		.doc = "A picture of what a picture holds: waveform, parade, vectorscope, histogram and more.",
	.more = "The whole frame is counted in integers as codes of the depth and range, so a scope "
	        "shows what a file with these codes holds and is the same on every machine; values "
	        "beyond the codes count at their ends and are told in percent beneath. Shaded levels "
	        "lie outside black to white. The vectorscope has equally scaled Cb and Cr; its large "
	        "boxes are the 75 % colours, its small ones 100 %, and what looks like skin is "
	        "measured against the line, which is an aid to the eye. In the chromaticity diagrams "
	        "light below a thousandth of white is left out. A histogram's height is the square "
	        "root of the share. Result: rec709 (display-referred). A viewing node: it may stand "
	        "outside passes. `interneg scope` draws the same without a node.",
	.category = "output", .version = 1, .size = sizeof(struct scope), .params = params,
		.inputs = "image",
	.traits = TR_VIEW, .want = WANT_ANY,
	.example = "<scope id=\"parade\" in=\"graded\" kind=\"parade\" width=\"960\" height=\"540\"/>",
	.open = scope_open, .out_space = out_space, .format = format, .needs = needs,
		.reserve = reserve, .frame = frame,
};
