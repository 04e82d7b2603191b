/* verb_grain_clip - frames of a clip for the measurement of its grain.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "media.h"
#include "mem.h"
#include "px_colour.h"
#include "session.h"
#include "sysinfo.h"
#include "verb_grain.h"

/* Bytes a pixel: a kept difference of two neighbours, 16, with what stands beside it; the three frames at hand, the
 * decoded one and a plane of scratch. BASE: flat blocks and windows. BUDGET_PIXELS: the differences that are taken where no
 * frames are asked for. */
enum { BUDGET_PIXELS = 16 << 20, MOST_FRAMES = 24, PAIR_BYTES = 17, FRAME_BYTES = 3 * 16 + 12 + 4, BASE = 160 << 20 };

struct clip { struct session s; struct net_node *nn; struct pool *pool; struct image *im; int space; struct frame_list l; };

static int open_clip(struct clip *k, const struct cli *c, const char *file, struct err *e)
{
	char *real = realpath(file, NULL);
	const char *src = real ? real : file;
	char *esc = xalloc(strlen(src) * 6 + 1, 1), *q = esc;
	for (const char *p = src; *p; p++) {
		const char *rep = *p == '&' ? "&amp;" : *p == '<' ? "&lt;" : *p == '"' ? "&quot;" : *p == '{' ? "{{" :
		                  *p == '}' ? "}}" : NULL;
		if (rep) q += sprintf(q, "%s", rep);
		else *q++ = *p;
	}
	char *text = xasprintf("<graph version=\"1\"><read id=\"f\" file=\"%s\"/></graph>", esc);
	struct load_opts lo = { NULL, NULL, 0 };
	struct net_opts no = { .proxy = 1 };
	k->s = (struct session){ .c = c, .file = file };
	k->s.scene = scene_load(file, text, strlen(text), &lo, &k->s.d);
	if (k->s.scene && diags_status(&k->s.d) == E_OK) k->s.net = net_build(k->s.scene, &no, &k->s.d);
	free(text);
	free(esc);
	free(real);
	if (session_say(&k->s, e) < 0) return -1;
	if (!k->s.net || !(k->nn = net_find(k->s.net, "f"))) return err_set(e, E_INPUT, "%s: cannot be read", file);
	const struct format *f = &k->nn->fmt;
	if (format_channel(f, "R") < 0 || format_channel(f, "G") < 0 || format_channel(f, "B") < 0)
		return err_set(e, E_INPUT, "%s: has no channels R, G and B", file);
	k->space = f->space == colour_find("raw") ? f->space : f->encoded;
	k->pool = pool_new();
	k->im = image_new(k->pool, f, "grain", e);
	return k->im ? 0 : -1;
}

/* All where they are few; else runs of three neighbours, evenly spread. */
static int choose_frames(struct clip *k, const struct cli *c, struct err *e)
{
	const struct format *f = &k->nn->fmt;
	if (c->frames) return frames_parse(c->frames, f->first, f->last, &k->l, e);
	int64_t pixels = (int64_t)rect_w(f->data) * rect_h(f->data);
	int most = (int)(BUDGET_PIXELS / (pixels > 0 ? pixels : 1)) + 1, all = f->last == INT_MAX ? 1 : f->last - f->first + 1;
	most = most > MOST_FRAMES ? MOST_FRAMES : most < 3 ? 3 : most;
	if (all <= most) return frames_parse(NULL, f->first, f->last == INT_MAX ? f->first : f->last, &k->l, e);
	int runs = most / 3;
	k->l.v = xalloc((size_t)runs * 3, sizeof *k->l.v);
	for (int i = 0; i < runs; i++)
		for (int j = 0; j < 3; j++) {
			int at = f->first + (int)((int64_t)(2 * i + 1) * (all - 2) / (2 * runs)) + j;
			if (!k->l.n || at > k->l.v[k->l.n - 1]) k->l.v[k->l.n++] = at;
		}
	return 0;
}

/* Differences stay until all are there, so the frames that are asked for must fit in memory. */
static int fits(const struct clip *k, const struct cli *c, const char *file, struct err *e)
{
	size_t pixels = rect_area(k->nn->fmt.data), all = c->memory ? c->memory : sys_memory(), pairs = 0;
	for (int i = 1; i < k->l.n; i++) pairs += k->l.v[i] == k->l.v[i - 1] + 1;
	size_t fixed = BASE + FRAME_BYTES * pixels, want = fixed + PAIR_BYTES * pixels * pairs;
	if (want <= all) return 0;
	if (all >= fixed)
		return err_set(e, E_MEMORY, "%s: to measure %d frames of %d x %d takes %zu MiB of memory, of which there are %zu: with that, -F "
		               "may name %zu neighbouring frames", file, k->l.n, rect_w(k->nn->fmt.data), rect_h(k->nn->fmt.data),
		               (want >> 20) + 1, all >> 20, (all - fixed) / (PAIR_BYTES * pixels) + 1);
	return err_set(e, E_MEMORY, "%s: to measure one frame of %d x %d takes %zu MiB of memory, of which there are %zu", file,
	               rect_w(k->nn->fmt.data), rect_h(k->nn->fmt.data), (fixed >> 20) + 1, all >> 20);
}

static int get_frame(void *user, int i, float *const rgb[3], struct err *e)
{
	struct clip *k = user;
	static const char *const names[3] = { "R", "G", "B" };
	const struct format *f = &k->nn->fmt;
	struct needs none = { 0 };
	int w = rect_w(f->data);
	if (net_run(k->nn, &k->nn->ctx, &k->nn->common, k->l.v[i], &none, NULL, &k->im->view, NULL, &session_cancel, e) < 0)
		return err_in(e, "frame %d", k->l.v[i]);
	struct colour_xform x;
	if (f->space != k->space) colour_xform_init(&x, f->space, k->space);
	for (int y = f->data.y0; y < f->data.y1; y++) {
		float *p[3];
		for (int c = 0; c < 3; c++) p[c] = view_at(&k->im->view, format_channel(f, names[c]), f->data.x0, y);
		if (f->space != k->space) colour_row(&x, p[0], p[1], p[2], w);
		for (int c = 0; c < 3; c++) memcpy(rgb[c] + (size_t)(y - f->data.y0) * (size_t)w, p[c], (size_t)w * sizeof(float));
	}
	return 0;
}

/* The step of codes in R,G,B: what rounding adds. */
static double code_step(const char *file, bool *common)
{
	struct media_info m;
	struct err none = ERR_INIT;
	*common = false;
	if (media_probe(file, NULL, &m, &none) < 0 || m.exr || m.desc.flt || m.desc.depth > 16) return 0;
	double codes = (double)((1 << m.desc.depth) - 1);
	if (!m.desc.rgb && strcmp(m.range.value, "limited") == 0) codes = 219.0 * (double)(1 << m.desc.depth) / 256;
	*common = !m.desc.rgb;
	return 1 / codes;
}

int grain_of_clip(const struct cli *c, const char *file, struct grain_profile *p, struct grain_report *r, struct err *e)
{
	struct clip k = { .pool = NULL };
	struct grain_opts o = { .method = GRAIN_AUTO, .cancel = &session_cancel };
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	int rc = -1;
	if (c->method && strcmp(c->method, "temporal") == 0) o.method = GRAIN_BY_TIME;
	else if (c->method && strcmp(c->method, "spatial") == 0) o.method = GRAIN_BY_SPACE;
	else if (c->method && strcmp(c->method, "auto") != 0)
		return err_set(e, E_USAGE, "--method %s: auto, temporal or spatial", c->method);
	if (open_clip(&k, c, file, e) < 0 || choose_frames(&k, c, e) < 0 || fits(&k, c, file, e) < 0) goto out;
	const struct format *f = &k.nn->fmt;
	o.space = k.space;
	o.step = f->space == k.space ? code_step(file, &o.common) : 0;
	struct grain_source src = { &k, k.l.n, k.l.v, rect_w(f->data), rect_h(f->data), get_frame };
	rc = grain_measure(&src, &o, p, r, e);
	if (rc < 0) { err_in(e, "%s", file); goto out; }
	if (r->unsure && !c->unsure) {
		rc = err_set(e, E_INPUT, "%s: not measurable here: %s; --unsure takes it all the same", file, r->doubt);
		goto out;
	}
	if (r->unsure) log_warn("%s: not to be trusted: %s", file, r->doubt);
	snprintf(p->source, sizeof p->source, "%s", base);
	snprintf(p->name, sizeof p->name, "%.*s", (int)strcspn(base, "."), base);
	p->lines = rect_h(f->display);
out:
	image_unref(&k.im);
	free(k.l.v);
	session_close(&k.s);
	if (k.pool) pool_free(&k.pool);
	return rc;
}
