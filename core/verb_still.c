/* verb_still - `interneg still`: one frame of any point of the graph as a PNG, alone or compared.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "grab.h"
#include "imgfile.h"
#include "mathx.h"

static float sample(const struct image *im, int ch, int x, int y)
{
	const struct rect r = im->view.r;
	if (x < r.x0 || x >= r.x1 || y < r.y0 || y >= r.y1) return 0;
	return *view_at(&im->view, ch, x, y);
}

/* Value at a place of the display window given as shares of it: bilinear, so that pictures of two
 * sizes compare. */
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

static float compared(const struct cli *c, float gain, float a, float b, bool left)
{
	if (c->diff) return 0.5f + gain * (a - b);
	return left ? b : a;
}

/* How far two pictures are apart, in displayed values; where the largest difference lies. */
struct apart { double max[3], sum[3], square; int x, y; size_t n; };

static void apart_add(struct apart *d, int k, int x, int y, double off)
{
	double a = off < 0 ? -off : off;
	if (!(a - a == 0)) return;
	if (a > d->max[k]) {
		bool worst = a > d->max[0] && a > d->max[1] && a > d->max[2];
		d->max[k] = a;
		if (worst) { d->x = x; d->y = y; }
	}
	d->sum[k] += a;
	d->square += a * a;
	d->n++;
}

static void apart_print(const struct apart *d, const char *name)
{
	double n = d->n ? (double)d->n / 3 : 1, worst = 0;
	for (int k = 0; k < 3; k++) worst = d->max[k] > worst ? d->max[k] : worst;
	printf("against %s: ", name);
	if (worst == 0) { printf("equal\n"); return; }
	printf("largest R %.6f G %.6f B %.6f at %d,%d; mean R %.6f G %.6f B %.6f; PSNR %.2f dB\n",
	       d->max[0], d->max[1],
	       d->max[2], d->x, d->y, d->sum[0] / n, d->sum[1] / n, d->sum[2] / n,
	       	10 * mx_log10(3 * n / d->square));
}

/* Both pictures over the display window of the first; the other one is scaled to it. */
static struct image *combine(const struct cli *c, struct pool *pool, const struct image *a,
                             const struct image *b,
                             struct apart *d, struct err *e)
{
	static const char *const names[3] = { "R", "G", "B" };
	struct format f = a->fmt;
	int w = rect_w(f.display), h = rect_h(f.display);
	f.data = f.display = rect_of(0, 0, c->side ? 2 * w : w, h);
	format_channels(&f, "R G B");
	struct image *out = image_new(pool, &f, "still", e);
	double gain = 8;
	bool same = rect_w(b->fmt.display) == w && rect_h(b->fmt.display) == h;
	if (!out || grab_number("gain", c->gain, 0.01, 10000, &gain,
	                        e) < 0) { image_unref(&out); return NULL; }
	for (int k = 0; k < 3; k++) {
		int ca = format_channel(&a->fmt, names[k]), cb = format_channel(&b->fmt, names[k]);
		for (int y = 0; y < h; y++)
			for (int x = 0; x < rect_w(f.data); x++) {
				float va = ca < 0 ? 0 : sample(a, ca, a->fmt.display.x0 + x % w,
				                               a->fmt.display.y0 + y);
				float vb = cb < 0 ? 0 : same ? sample(b, cb, b->fmt.display.x0 + x % w,
				                                      b->fmt.display.y0 + y)
				                             : sample_at(b, cb, (x % w + 0.5) / w, (y + 0.5) / h);
				if (x < w) apart_add(d, k, a->fmt.display.x0 + x, a->fmt.display.y0 + y,
				                     (double)va - (double)vb);
				*view_at(&out->view, k, x, y) = compared(c, (float)gain, va, vb, c->side ? x < w :
				x < w / 2);
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
static int save(const struct cli *c, struct pool *pool, const struct image *im, const char *path,
                struct err *e)
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
	int rc = png_write(path, &out->fmt, &out->view, 8, format_channel(&f, "A") >= 0 && !c->against,
	                   e);
	image_unref(&out);
	return rc;
}

/* The other side: a file, another scene, a scene of another revision, or another node of this one.
 * */
static int grab_other(struct session *s, const struct cli *c, int frame, struct grab *g,
                      struct err *e)
{
	if (grab_is_scene(c->against)) {
		char *own = xasprintf("%s/.interneg/cache", s->scene->dir);
		int rc = grab_scene(c, s->cache ? cache_dir(s->cache) : own, c->against, c->arg[1], frame,
		                    g, e);
		free(own);
		return rc;
	}
	if (access(c->against, R_OK) == 0) return grab_file(c, c->against, frame, g, e);
	struct net_node *other = grab_find(s, c->against, e);
	snprintf(g->name, sizeof g->name, "%s", c->against);
	return other ? grab_node(s, other, frame, g, e) : -1;
}

int verb_still(struct cli *c, struct err *e)
{
	struct session s = { 0 };
	struct pool *pool = pool_new();
	struct grab a = { .pool = pool }, b = { .pool = pool };
	struct apart d = { .n = 0 };
	struct image *both = NULL;
	char *path = NULL;
	int rc = -1, frame;
	if (c->narg != 2) { pool_free(&pool); return err_set(e, E_USAGE,
	                                                     "still wants SCENE and a NODE or PASS"); }
	if (session_open(&s, c, c->arg[0], WANT_NET, e) < 0) goto out;
	if (c->solve && session_solve(&s, NULL, true, false, e) < 0) goto out;
	struct net_node *nn = grab_find(&s, c->arg[1], e);
	if (!nn || grab_frame_of(c, nn, &frame, e) < 0 || grab_node(&s, nn, frame, &a, e) < 0) goto out;
	if (c->against && grab_other(&s, c, frame, &b, e) < 0) goto out;
	grab_to_display(a.im);
	if (b.im) grab_to_display(b.im);
	if (b.im && !(both = combine(c, pool, a.im, b.im, &d, e))) goto out;
	path = c->out ? xstrdup(c->out) : xasprintf("%s.%04d.png", c->arg[1], frame);
	rc = save(c, pool, both ? both : a.im, path, e);
	if (rc == 0) printf("%s\n", path);
	if (rc == 0 && both) apart_print(&d, b.name);
out:
	image_unref(&a.im);
	image_unref(&b.im);
	image_unref(&both);
	free(path);
	session_close(&s);
	pool_free(&pool);
	return rc;
}
