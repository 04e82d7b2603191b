/* verb_guide_picture - frames that guide measures and shows.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "imgfile.h"
#include "px_colour.h"
#include "verb_guide.h"

enum { WIDE = 720 };

struct caught { struct guide *g; int frame[GUIDE_FRAMES], n; struct image **im; };

static int take(void *user, const struct net_node *nn, int frame, const struct image *im, struct err *e)
{
	struct caught *c = user;
	(void)nn;
	for (int i = 0; i < c->n; i++) {
		if (c->frame[i] != frame || c->im[i]) continue;
		if (!(c->im[i] = image_new(c->g->pool, &im->fmt, "guide", e))) return -1;
		for (int k = 0; k < im->fmt.nch; k++)
			for (int y = im->view.r.y0; y < im->view.r.y1; y++)
				memcpy(view_at(&c->im[i]->view, k, im->view.r.x0, y), view_at(&im->view, k, im->view.r.x0, y),
				       (size_t)rect_w(im->view.r) * sizeof(float));
	}
	return 0;
}

static int render(struct caught *c, struct net_node *nn, struct err *e)
{
	struct render_opts o = session_opts(c->g->s);
	struct render_stats st = { 0 };
	char list[GUIDE_FRAMES * 14] = "";
	for (int i = 0; i < c->n; i++) snprintf(list + strlen(list), 14, "%s%d", i ? "," : "", c->frame[i]);
	o.frames = list;
	o.result = take;
	o.user = c;
	o.trace = NULL;
	net_ask(c->g->s->net, &nn, 1);
	int rc = render_run(c->g->s->net, &o, &st, e);
	diags_free(&st.problems);
	for (int i = 0; i < c->n && rc == 0; i++)
		if (!c->im[i]) rc = err_set(e, E_INPUT, "'%s' frame %d gave no picture", nn->id, c->frame[i]);
	return rc;
}

int guide_frames(struct guide *g, struct net_node *nn, struct image *im[GUIDE_FRAMES], int *n, struct err *e)
{
	struct caught c = { .g = g, .im = im };
	int last = nn->fmt.last == INT_MAX ? nn->fmt.first + 99 : nn->fmt.last, count = last - nn->fmt.first + 1;
	c.n = *n = count < GUIDE_FRAMES ? count : GUIDE_FRAMES;
	for (int i = 0; i < c.n; i++) {
		im[i] = NULL;
		c.frame[i] = nn->fmt.first + (int)(((int64_t)(2 * i + 1) * count) / (2 * c.n));
	}
	return render(&c, nn, e);
}

/* Means over blocks, so that a 4K frame is small before it is shown. */
static struct image *smaller(struct guide *g, const struct image *im, struct err *e)
{
	static const char *const names[3] = { "R", "G", "B" };
	int side = (rect_w(im->fmt.display) + WIDE - 1) / WIDE;
	struct format f = im->fmt;
	f.data = f.display = rect_of(0, 0, rect_w(im->fmt.display) / side, rect_h(im->fmt.display) / side);
	format_channels(&f, "R G B");
	struct image *out = image_new(g->pool, &f, "guide", e);
	for (int k = 0; out && k < 3; k++) {
		int ch = format_channel(&im->fmt, names[k]);
		for (int y = 0; y < rect_h(f.data); y++)
			for (int x = 0; x < rect_w(f.data); x++) {
				double sum = 0;
				for (int i = 0; i < side * side && ch >= 0; i++) {
					int px = im->fmt.display.x0 + x * side + i % side, py = im->fmt.display.y0 + y * side + i / side;
					bool in = px >= im->view.r.x0 && px < im->view.r.x1 && py >= im->view.r.y0 && py < im->view.r.y1;
					if (in) sum += *view_at(&im->view, ch, px, py);
				}
				*view_at(&out->view, k, x, y) = (float)(sum / (side * side));
			}
	}
	return out;
}

int guide_picture(struct guide *g, int frame, struct image **out, struct err *e)
{
	struct image *im[GUIDE_FRAMES] = { NULL };
	struct caught c = { .g = g, .frame = { frame }, .n = 1, .im = im };
	if (render(&c, g->end, e) < 0) return -1;
	struct image *full = im[0];
	int show = colour_is_display(full->fmt.encoded) ? full->fmt.encoded : colour_find("rec709");
	int r = format_channel(&full->fmt, "R"), gr = format_channel(&full->fmt, "G"),
		b = format_channel(&full->fmt, "B");
	if (r >= 0 && gr >= 0 && b >= 0 && full->fmt.space != show) {
		struct colour_xform x;
		colour_xform_init(&x, full->fmt.space, show);
		for (int y = full->view.r.y0; y < full->view.r.y1; y++)
			colour_row(&x, view_at(&full->view, r, full->view.r.x0, y), view_at(&full->view, gr, full->view.r.x0, y),
			           view_at(&full->view, b, full->view.r.x0, y), rect_w(full->view.r));
		full->fmt.space = show;
	}
	*out = smaller(g, full, e);
	image_unref(&full);
	return *out ? 0 : -1;
}

int guide_save(struct guide *g, const char *path, const struct image *before,
               const struct image *after, struct err *e)
{
	int w = rect_w(before->fmt.data), h = rect_h(before->fmt.data);
	struct format f = before->fmt;
	f.data = f.display = rect_of(0, 0, 2 * w, h);
	struct image *out = image_new(g->pool, &f, "guide", e);
	if (!out) return -1;
	for (int k = 0; k < 3; k++)
		for (int y = 0; y < h; y++) {
			memcpy(view_at(&out->view, k, 0, y), view_at(&before->view, k, 0, y), (size_t)w * sizeof(float));
			memcpy(view_at(&out->view, k, w, y), view_at(&after->view, k, 0, y), (size_t)w * sizeof(float));
		}
	struct canvas cv = canvas_float(&out->view, (const int[3]){ 0, 1, 2 }, 1);
	const struct ink ink = { 235, 235, 235, 255 }, plate = { 0, 0, 0, 150 };
	draw_label(&cv, 6, 6, 1, ink, plate, "before");
	draw_label(&cv, w + 6, 6, 1, ink, plate, "after");
	int rc = png_write(path, &out->fmt, &out->view, 8, false, e);
	image_unref(&out);
	return rc;
}
