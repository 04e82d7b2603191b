/* reformat - brings a picture into a frame of another size: fit, fill, crop, pad.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "mathx.h"
#include "node.h"
#include "px_resample.h"

struct reformat {
	double width, height;
	int fit;
	double centre[2];
	double crop_left, crop_right, crop_top, crop_bottom;
	int background, method;
	double ringing;
};

enum { FIT_FIT, FIT_FILL, FIT_WIDTH, FIT_HEIGHT, FIT_STRETCH, FIT_NONE };
enum { BACK_BLACK, BACK_TRANSPARENT };

static const struct param params[] = {
	P_LENGTH(reformat, width, "0", 0, IN_MAX_SIDE, PF_STATIC,
	         "Width of the frame; 0: follows from height and the picture's shape, or stays."),
	P_LENGTH(reformat, height, "0", 0, IN_MAX_SIDE, PF_STATIC,
	         "Height of the frame; 0: follows from width and the picture's shape, or stays."),
	P_ENUM(reformat, fit, "fit", "fit|fill|width|height|stretch|none", PF_STATIC,
	       "fit: the whole picture, with bars; fill: no bars, what is too much is cropped; width, "
	       "height: that side fits exactly; stretch: both sides, the shape is lost; none: pixels "
	       "stay as they are, cropped or padded."),
	P_VEC2(reformat, centre, 0.5, 0.5, 0, 1, "share", PF_STATIC,
	       "Where bars or crops fall: 0.5 0.5 shares them evenly, 0 0 holds the upper left corner."),
	P_LENGTH(reformat, crop_left, "0", 0, IN_MAX_SIDE, PF_STATIC,
	        "Taken off the picture first, at the left."),
	P_LENGTH(reformat, crop_right, "0", 0, IN_MAX_SIDE, PF_STATIC,
	        "Taken off the picture first, at the right."),
	P_LENGTH(reformat, crop_top, "0", 0, IN_MAX_SIDE, PF_STATIC,
	        "Taken off the picture first, at the top."),
	P_LENGTH(reformat, crop_bottom, "0", 0, IN_MAX_SIDE, PF_STATIC,
	        "Taken off the picture first, at the bottom."),
	P_ENUM(reformat, background, "black", "black|transparent", PF_STATIC,
	       "What the bars hold: black pixels with alpha 1, or nothing (the data window ends at the "
	        "picture)."),
	P_ENUM(reformat, method, "lanczos3", RESAMPLE_METHODS, PF_STATIC, "The kernel, as in upscale."),
	P_FLOAT(reformat, ringing, 0.8, 0, 1, "share", "Share of overshoots taken away, as in upscale."),
	P_END
};

/* What follows from parameters and input: the picture's crop, the frame, and where the picture
 * lies in it. */
struct layout { struct rect crop, frame, place; };

struct state { struct layout l; struct rect window; struct resample *rs; };

static int whole(double v)
{
	if (v > 2.0 * IN_MAX_SIDE) return 2 * IN_MAX_SIDE;
	return (int)mx_floor(v + 0.5);
}

static int at_least_1(int v) { return v < 1 ? 1 : v; }

static double aspect(const struct format *f)
{
	return f->par.num > 0 && f->par.den > 0 ? (double)f->par.num / f->par.den : 1;
}

/* Scales of the two axes before rounding to whole pixels. */
static void scales(const struct reformat *p, const struct layout *l, double par, double *sx,
                   double *sy)
{
	double fx = rect_w(l->frame) / (rect_w(l->crop) * par), fy = (double)rect_h(l->frame) /
	    rect_h(l->crop), s = 1;
	switch (p->fit) {
	case FIT_FIT: s = fx < fy ? fx : fy; break;
	case FIT_FILL: s = fx > fy ? fx : fy; break;
	case FIT_WIDTH: s = fx; break;
	case FIT_HEIGHT: s = fy; break;
	case FIT_STRETCH: *sx = fx * par; *sy = fy; return;
	case FIT_NONE: *sx = *sy = 1; return;
	}
	*sx = s * par;
	*sy = s;
}

static struct layout layout_of(const struct reformat *p, const struct format *f)
{
	struct layout l;
	struct rect d = f->display;
	double par = p->fit == FIT_NONE ? 1 : aspect(f), sx, sy;
	l.crop = rect_of(d.x0 + whole(p->crop_left), d.y0 + whole(p->crop_top),
	                 d.x1 - whole(p->crop_right), d.y1 - whole(p->crop_bottom));
	if (rect_empty(l.crop)) return (struct layout){ l.crop, l.crop, l.crop };
	double shape = rect_w(l.crop) * par / rect_h(l.crop);
	int w = whole(p->width), h = whole(p->height);
	if (w <= 0 && h <= 0) w = at_least_1(whole(rect_w(l.crop) * par)), h = rect_h(l.crop);
	else if (w <= 0) w = p->fit == FIT_NONE ? rect_w(l.crop) : at_least_1(whole(h * shape));
	else if (h <= 0) h = p->fit == FIT_NONE ? rect_h(l.crop) : at_least_1(whole(w / shape));
	l.frame = rect_of(0, 0, w, h);
	scales(p, &l, par, &sx, &sy);
	int pw = at_least_1(whole(rect_w(l.crop) * sx)), ph = at_least_1(whole(rect_h(l.crop) * sy));
	int x = whole((w - pw) * p->centre[0] + IN_MAX_SIDE) - IN_MAX_SIDE;
	int y = whole((h - ph) * p->centre[1] + IN_MAX_SIDE) - IN_MAX_SIDE;
	l.place = rect_of(x, y, x + pw, y + ph);
	return l;
}

static bool same_size(const struct layout *l)
{
	return rect_w(l->place) == rect_w(l->crop) && rect_h(l->place) == rect_h(l->crop);
}

static struct resample_geom geom_of(const struct layout *l, const struct format *f)
{
	struct resample_geom g = { l->crop, l->place, l->crop, rect_and(l->crop, f->data) };
	return g;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct reformat *p = n->v;
	struct layout l = layout_of(p, out);
	if (rect_empty(l.crop)) return err_set(e, E_SCENE, "the crop leaves nothing of a picture of %d x "
	        "%d pixels",
	                                       rect_w(out->display), rect_h(out->display));
	if (rect_w(l.frame) > IN_MAX_SIDE || rect_h(l.frame) > IN_MAX_SIDE || rect_w(l.place) >
	    IN_MAX_SIDE ||
	    rect_h(l.place) > IN_MAX_SIDE)
		return err_set(e, E_SCENE, "the result would be %d x %d pixels; a side may have %d at most",
		               rect_w(l.place), rect_h(l.place), IN_MAX_SIDE);
	struct resample_geom g = geom_of(&l, out);
	out->data = p->background == BACK_BLACK ? l.frame :
		rect_and(l.frame, resample_window(&g, (enum resample_method)p->method));
	out->display = l.frame;
	if (p->fit != FIT_NONE) out->par = (struct rational){ 1, 1 };
	return 0;
}

static int open_tables(struct node_ctx *n, struct err *e)
{
	const struct reformat *p = n->v;
	(void)e;
	struct state *s = xalloc(1, sizeof *s);
	s->l = layout_of(p, n->in[0]);
	struct resample_geom g = geom_of(&s->l, n->in[0]);
	enum resample_method m = (enum resample_method)p->method;
	s->window = rect_and(s->l.frame, resample_window(&g, m));
	s->rs = resample_new(&g, s->window, m, p->ringing);
	n->state = s;
	return 0;
}

static void close_tables(struct node_ctx *n)
{
	struct state *s = n->state;
	if (s) resample_free(&s->rs);
	free(s);
	n->state = NULL;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct state *s = n->state;
	need_add(out, 0, frame, s ? resample_need(s->rs, rect_and(r, s->window)) : n->in[0]->data);
}

static bool identity(const struct node_ctx *n)
{
	const struct format *f = n->in[0];
	struct layout l = layout_of(n->v, f);
	const struct reformat *p = n->v;
	bool square = p->fit == FIT_NONE || aspect(f) == 1;
	return square && rect_eq(l.crop, f->display) && rect_eq(l.place, f->display) &&
	       rect_eq(l.frame, f->display) && rect_eq(f->data, f->display);
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct state *s = n->state;
	return resample_scratch(s->rs, rect_and(r, s->window));
}

static unsigned traits_of(const struct node_ctx *n)
{
	const struct reformat *p = n->v;
	if (p->fit == FIT_NONE) return TR_GEOMETRY;
	if (n->in[0]) {
		struct layout l = layout_of(p, n->in[0]);
		if (!rect_empty(l.crop) && same_size(&l)) return TR_GEOMETRY;
	}
	return TR_GEOMETRY | TR_RESIZE;
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	const struct reformat *p = n->v;
	(void)conn;
	if (p->fit == FIT_NONE) return WANT_ANY;
	if (!n->in[0]) return WANT_LINEAR;
	struct layout l = layout_of(p, n->in[0]);
	if (rect_empty(l.crop) || same_size(&l)) return WANT_ANY;
	return (double)rect_area(l.place) >= (double)rect_area(l.crop) ? WANT_ENCODED : WANT_LINEAR;
}

/* Black with alpha 1 around the picture's rect in. */
static void paint_bars(const struct call *c, struct rect r, struct rect in)
{
	int alpha = format_channel(c->n->out, "A");
	for (int ch = 0; ch < c->out->nch; ch++) {
		float v = ch == alpha ? 1.0f : 0.0f;
		for (int y = r.y0; y < r.y1; y++) {
			float *d = view_at(c->out, ch, r.x0, y);
			bool row = y >= in.y0 && y < in.y1;
			for (int x = r.x0; x < r.x1; x++)
				if (!row || x < in.x0 || x >= in.x1) d[x - r.x0] = v;
		}
	}
}

static int tile(const struct call *c, struct rect r)
{
	const struct state *s = c->n->state;
	struct rect in = rect_and(r, s->window);
	if (!rect_eq(in, r)) paint_bars(c, r, in);
	if (rect_empty(in)) return 0;
	return px_resample(s->rs, &c->in[0], c->out, in, c->scratch, c->cancel);
}

const struct node_type ISA(node_reformat) = {
	.name = "reformat", .doc = "Brings a picture into a frame of another size: fit, fill, crop or "
	        "pad.",
	.more = "The frame is width x height square pixels with its origin at 0 0. First the crop_ "
	        "lengths are taken off the display window, then the picture is scaled by s (fit: the "
	        "smaller of the two ratios, fill: the larger), its pixel aspect evened out, to whole "
	        "pixels w = round(crop_w * aspect * s), and laid at round((frame_w - w) * centre). Only "
	        "fit=\"none\" keeps the pixel aspect.\n"
	        "Pixels are resampled as upscale does it: enlarged in the clip's encoding, reduced in "
	        "linear light; where nothing is scaled they are copied unchanged, in whatever space they "
	        "come.",
	.category = "geometry", .version = 1, .size = sizeof(struct reformat), .params = params,
	.inputs = "image", .want = WANT_ANY,
	.example = "<reformat id=\"vertical\" in=\"graded\" width=\"1080\" height=\"1920\" fit=\"fill\" "
	        "centre=\"0.4 0.5\"/>",
	.traits_of = traits_of, .want_of = want_of, .format = format, .open = open_tables,
	    .close = close_tables,
	.needs = needs, .identity = identity, .scratch = scratch, .tile = tile,
};
