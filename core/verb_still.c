/* verb_still - `interneg still`: one frame of any point of the graph as a PNG, alone or compared.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imgfile.h"
#include "mathx.h"
#include "px_colour.h"
#include "session.h"

struct shot { struct pool *pool; struct image *im; };

static int take(void *user, const struct net_node *n, int frame, const struct image *im, struct err *e)
{
	struct shot *s = user;
	(void)n;
	(void)frame;
	if (!(s->im = image_new(s->pool, &im->fmt, "still", e))) return -1;
	for (int c = 0; c < im->fmt.nch; c++)
		for (int y = im->view.r.y0; y < im->view.r.y1; y++)
			memcpy(view_at(&s->im->view, c, im->view.r.x0, y), view_at(&im->view, c, im->view.r.x0, y),
			       (size_t)rect_w(im->view.r) * sizeof(float));
	return 0;
}

/* As displayed: the source's own display encoding, rec709 for scene-linear work. */
static void to_display(struct image *im)
{
	struct colour_xform x;
	int r = format_channel(&im->fmt, "R"), g = format_channel(&im->fmt, "G"), b = format_channel(&im->fmt, "B");
	int show = colour_is_display(im->fmt.encoded) ? im->fmt.encoded : colour_find("rec709");
	if (r < 0 || g < 0 || b < 0 || im->fmt.space == show || im->fmt.space == colour_find("raw")) return;
	colour_xform_init(&x, im->fmt.space, show);
	for (int y = im->view.r.y0; y < im->view.r.y1; y++)
		colour_row(&x, view_at(&im->view, r, im->view.r.x0, y), view_at(&im->view, g, im->view.r.x0, y),
		           view_at(&im->view, b, im->view.r.x0, y), rect_w(im->view.r));
	im->fmt.space = show;
}

static int grab(struct session *s, struct net_node *nn, int frame, struct shot *out, struct err *e)
{
	struct render_opts o = session_opts(s);
	struct render_stats st = { 0 };
	char list[16];
	snprintf(list, sizeof list, "%d", frame);
	o.frames = list;
	o.result = take;
	o.user = out;
	net_ask(s->net, &nn, 1);
	int rc = s->c->oracle ? oracle_run(s->net, &o, &st, e) : render_run(s->net, &o, &st, e);
	diags_free(&st.problems);
	if (rc < 0) return -1;
	if (!out->im) return err_set(e, E_INTERNAL, "'%s' frame %d gave no picture", nn->id, frame);
	to_display(out->im);
	return 0;
}

/* A sink stands for what it is given; of a list of frames the first counts, without one the middle. */
static int pick_frame(const struct cli *c, const struct net_node *nn, int *frame, struct err *e)
{
	struct frame_list l;
	int last = nn->fmt.last == INT_MAX ? nn->fmt.first + 99 : nn->fmt.last;
	*frame = nn->fmt.first + (last - nn->fmt.first) / 2;
	if (!c->frames) return 0;
	if (frames_parse(c->frames, nn->fmt.first, nn->fmt.last, &l, e) < 0) return -1;
	*frame = l.v[0];
	free(l.v);
	return 0;
}

static struct net_node *find_picture(struct session *s, const char *id, struct err *e)
{
	struct net_node *nn = session_find(s, id, e);
	if (!nn) return NULL;
	return nn->type->flags & NF_SINK ? nn->conn[0] : nn;
}

/* Any file that `read` reads, through a scene of one node. */
static int grab_file(const struct cli *c, const char *file, int frame, struct shot *out, struct err *e)
{
	struct session s = { .c = c, .file = file };
	/* no script host and no cache: a single read */
	char esc[2048], *q = esc, *real = realpath(file, NULL);
	for (const char *p = real ? real : file; *p && q < esc + sizeof esc - 8; p++) {
		const char *rep = *p == '&' ? "&amp;" : *p == '<' ? "&lt;" : *p == '"' ? "&quot;" : NULL;
		if (rep) q += sprintf(q, "%s", rep);
		else *q++ = *p;
	}
	*q = 0;
	free(real);
	char *text = xasprintf("<graph version=\"1\"><read id=\"f\" file=\"%s\"/></graph>", esc);
	struct load_opts lo = { NULL, NULL, 0 };
	struct net_opts no = { .proxy = c->proxy ? c->proxy : 1 };
	int rc = -1;
	s.scene = scene_load(file, text, strlen(text), &lo, &s.d);
	if (s.scene && diags_status(&s.d) == E_OK) s.net = net_build(s.scene, &no, &s.d);
	if (session_say(&s, e) == 0 && s.net) {
		struct net_node *nn = net_find(s.net, "f");
		int f = frame < nn->fmt.first ? nn->fmt.first : frame > nn->fmt.last ? nn->fmt.last : frame;
		rc = grab(&s, nn, f, out, e);
	}
	free(text);
	session_close(&s);
	return rc;
}

static float sample(const struct image *im, int ch, int x, int y)
{
	const struct rect r = im->view.r;
	if (x < r.x0 || x >= r.x1 || y < r.y0 || y >= r.y1) return 0;
	return *view_at(&im->view, ch, x, y);
}

/* Value at a place of the display window given as shares of it: bilinear, so that pictures of two sizes compare. */
static float sample_at(const struct image *im, int ch, double u, double v)
{
	const struct rect d = im->fmt.display;
	double x = u * rect_w(d) - 0.5, y = v * rect_h(d) - 0.5;
	int x0 = (int)mx_floor(x), y0 = (int)mx_floor(y);
	float fx = (float)(x - x0), fy = (float)(y - y0), p[2];
	for (int k = 0; k < 2; k++) {
		int yy = y0 + k < 0 ? 0 : y0 + k >= rect_h(d) ? rect_h(d) - 1 : y0 + k;
		int xa = x0 < 0 ? 0 : x0, xb = x0 + 1 >= rect_w(d) ? rect_w(d) - 1 : x0 + 1;
		float a = sample(im, ch, d.x0 + xa, d.y0 + yy), b = sample(im, ch, d.x0 + xb, d.y0 + yy);
		p[k] = a + (b - a) * fx;
	}
	return p[0] + (p[1] - p[0]) * fy;
}

static float compared(const struct cli *c, float a, float b, bool left)
{
	if (c->diff) return 0.5f + 8 * (a - b);
	return left ? b : a;
}

/* Both pictures over the display window of the first; the other one is scaled to it. */
static struct image *combine(const struct cli *c, struct pool *pool, const struct image *a, const struct image *b, struct err *e)
{
	static const char *const names[3] = { "R", "G", "B" };
	struct format f = a->fmt;
	int w = rect_w(f.display), h = rect_h(f.display);
	f.data = f.display = rect_of(0, 0, c->side ? 2 * w : w, h);
	format_channels(&f, "R G B");
	struct image *out = image_new(pool, &f, "still", e);
	if (!out) return NULL;
	for (int k = 0; k < 3; k++) {
		int ca = format_channel(&a->fmt, names[k]), cb = format_channel(&b->fmt, names[k]);
		for (int y = 0; y < h; y++)
			for (int x = 0; x < rect_w(f.data); x++) {
				float va = ca < 0 ? 0 : sample(a, ca, a->fmt.display.x0 + x % w, a->fmt.display.y0 + y);
				float vb = cb < 0 ? 0 : sample_at(b, cb, (x % w + 0.5) / w, (y + 0.5) / h);
				*view_at(&out->view, k, x, y) = compared(c, va, vb, c->side ? x < w : x < w / 2);
			}
	}
	return out;
}

static int crop_rect(const struct cli *c, const struct format *f, struct rect *out, struct err *e)
{
	int v[4];
	*out = f->display;
	if (!c->crop) return 0;
	int n = sscanf(c->crop, "%d,%d,%d,%d", &v[0], &v[1], &v[2], &v[3]);
	if (n == 2) {
		int w = v[0], h = v[1];
		v[0] = (rect_w(f->display) - w) / 2;
		v[1] = (rect_h(f->display) - h) / 2;
		v[2] = w;
		v[3] = h;
	} else if (n != 4) return err_set(e, E_USAGE, "--crop %s: expected X,Y,W,H or W,H", c->crop);
	if (v[2] < 1 || v[3] < 1) return err_set(e, E_USAGE, "--crop %s: nothing left", c->crop);
	*out = rect_and(rect_of(f->display.x0 + v[0], f->display.y0 + v[1], f->display.x0 + v[0] + v[2],
	                        f->display.y0 + v[1] + v[3]), f->display);
	return rect_empty(*out) ? err_set(e, E_USAGE, "--crop %s: outside the picture", c->crop) : 0;
}

/* The display window (or the crop) filled from the data window. */
static int save(const struct cli *c, struct pool *pool, const struct image *im, const char *path, struct err *e)
{
	struct rect r;
	struct format f = im->fmt;
	if (crop_rect(c, &f, &r, e) < 0) return -1;
	f.data = f.display = r;
	struct image *out = image_new(pool, &f, "still", e);
	if (!out) return -1;
	for (int k = 0; k < f.nch; k++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++) *view_at(&out->view, k, x, y) = sample(im, k, x, y);
	int rc = png_write(path, &out->fmt, &out->view, 8, format_channel(&f, "A") >= 0 && !c->against, e);
	image_unref(&out);
	return rc;
}

int verb_still(struct cli *c, struct err *e)
{
	struct session s;
	struct pool *pool = pool_new();
	struct shot a = { pool, NULL }, b = { pool, NULL };
	struct image *both = NULL;
	char *path = NULL;
	int rc = -1, frame;
	if (c->narg != 2) { pool_free(&pool); return err_set(e, E_USAGE, "still wants SCENE and a NODE or PASS"); }
	if (session_open(&s, c, c->arg[0], WANT_NET, e) < 0) goto out;
	if (c->solve && session_solve(&s, NULL, true, false, e) < 0) goto out;
	struct net_node *nn = find_picture(&s, c->arg[1], e), *other = NULL;
	if (!nn || pick_frame(c, nn, &frame, e) < 0) goto out;
	if (c->against && access(c->against, R_OK) != 0 && !(other = find_picture(&s, c->against, e))) goto out;
	if (grab(&s, nn, frame, &a, e) < 0) goto out;
	if (other && grab(&s, other, frame < other->fmt.first ? other->fmt.first : frame > other->fmt.last ?
	                  other->fmt.last : frame, &b, e) < 0) goto out;
	if (c->against && !other && grab_file(c, c->against, frame, &b, e) < 0) goto out;
	if (b.im && !(both = combine(c, pool, a.im, b.im, e))) goto out;
	path = c->out ? xstrdup(c->out) : xasprintf("%s.%04d.png", c->arg[1], frame);
	rc = save(c, pool, both ? both : a.im, path, e);
	if (rc == 0) printf("%s\n", path);
out:
	image_unref(&a.im);
	image_unref(&b.im);
	image_unref(&both);
	free(path);
	session_close(&s);
	pool_free(&pool);
	return rc;
}
