/* verb_scope - `interneg scope`: one frame of a scene or clip, measured and drawn on a sheet of
 * scopes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grab.h"
#include "imgfile.h"
#include "media.h"
#include "media_write.h"
#include "scope.h"

enum { MAX_KINDS = 24 };
#define DEFAULT_KINDS "picture,waveform,parade,vectorscope,histogram,xy"

struct job {
	const struct cli *c; struct scope_opts o; enum scope_kind kind[MAX_KINDS];
	int n; char title[160];
};

/* --- what is asked --- */

static int parse_kinds(struct job *j, const char *text, struct err *e)
{
	const char *names[SCOPE_KINDS];
	char *list = xstrdup(text), *save = NULL;
	int rc = 0;
	for (int i = 0; i < SCOPE_KINDS; i++) names[i] = scope_name((enum scope_kind)i);
	for (char *t = strtok_r(list, ", ", &save); t && rc == 0; t = strtok_r(NULL, ", ", &save)) {
		int k = scope_find(t);
		const char *near = k < 0 ? nearest_name(t, names, SCOPE_KINDS) : NULL;
		if (k < 0)
			rc = err_set(e, E_USAGE, "--kind %s: no such scope%s%s; they are " SCOPE_CHOICES, t,
			             near ? "; did you mean " : "", near ? near : "");
		else if (j->n == MAX_KINDS) rc = err_set(e, E_USAGE, "--kind: %d at most", MAX_KINDS);
		else j->kind[j->n++] = (enum scope_kind)k;
	}
	if (rc == 0 && j->n == 0) rc = err_set(e, E_USAGE, "--kind: names no scope");
	free(list);
	return rc;
}

/* Index of word among the words of choices, or -1 with a message. */
static int choose(const char *option, const char *word, const char *choices, struct err *e)
{
	int i = 0;
	for (const char *p = choices; *p; i++) {
		size_t n = strcspn(p, "|");
		if (n == strlen(word) && strncmp(p, word, n) == 0) return i;
		p += n + (p[n] == '|');
	}
	return err_set(e, E_USAGE, "--%s %s: one of %s", option, word, choices);
}

static int options(struct job *j, struct err *e)
{
	const struct cli *c = j->c;
	struct scope_opts *o = &j->o;
	int v;
	if (c->space && (o->space = colour_find(c->space)) < 0) return colour_named("--space", c->space,
		e);
	if (c->matrix) {
		if ((v = choose("matrix", c->matrix, YUV_MATRIX_CHOICES, e)) < 0) return -1;
		o->matrix = (enum yuv_matrix)v;
	} else if (c->space) o->matrix = YM_AUTO;
	if (c->range) {
		if ((v = choose("range", c->range, YUV_RANGE_CHOICES, e)) < 0) return -1;
		o->range = (enum yuv_range)v;
	}
	if (c->scale) {
		if ((v = choose("scale", c->scale, SCOPE_SCALE_CHOICES, e)) < 0) return -1;
		o->scale = (enum scope_scale)v;
	}
	if (c->bits && c->bits != 8 && c->bits != 10 && c->bits != 12)
		return err_set(e, E_USAGE, "--bits %d: 8, 10 or 12", c->bits);
	if (c->bits) o->bits = c->bits;
	if (grab_number("zoom", c->zoom, 1, 8, &o->zoom, e) < 0) return -1;
	if (grab_number("skin", c->skin, 0, 360, &o->skin, e) < 0) return -1;
	return grab_number("zebra", c->zebra, 0, 1000, &o->zebra, e);
}

/* --- where the frame comes from --- */

static bool is_scene(const char *path)
{
	char head[256] = "";
	const char *p = head;
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(head, 1, sizeof head - 1, f) : 0;
	if (f) fclose(f);
	head[n] = 0;
	if (strncmp(p, "\xef\xbb\xbf", 3) == 0) p += 3;
	p += strspn(p, " \t\r\n");
	return *p == '<';
}

static int depth_shown(int bits)
{
	return bits <= 8 ? 8 : bits <= 10 ? 10 : 12;
}

static const char *word(const struct net_node *nn, const char *name, struct arena *a)
{
	const struct param *p = param_find(nn->type->params, name);
	const char *s = "";
	if (!p) return s;
	if (p->type == PT_PATH || p->type == PT_STRING) memcpy(&s, (const char *)nn->ctx.v + p->off,
	                                                       sizeof s);
	else s = param_text(p, nn->ctx.v, a);
	return s ? s : "";
}

/* A write's own codes: as its file will hold them. */
static void like_write(struct job *j, const struct net_node *sink)
{
	struct arena *a = arena_new();
	const char *name = word(sink, "preset", a), *bits = word(sink, "bits", a);
	const struct preset *ps = strcmp(name,
	                                 "auto") ? preset_find(name) : preset_for(word(sink, "file",
	                                 	a));
	struct err ignore = ERR_INIT;
	int m = choose("matrix", word(sink, "matrix", a), YUV_MATRIX_CHOICES, &ignore);
	int r = choose("range", word(sink, "range", a), YUV_RANGE_CHOICES, &ignore);
	int n = atoi(bits) > 0 ? atoi(bits) : ps && ps->bits ? ps->bits : 10;
	j->o.space = sink->conn[0]->fmt.space;
	j->o.matrix = m > 0 ? (enum yuv_matrix)m : YM_AUTO;
	j->o.range = r > 0 ? (enum yuv_range)r : ps && ps->rgb ? YR_FULL : YR_LIMITED;
	j->o.bits = depth_shown(n);
	arena_free(&a);
}

/* A clip's own codes. */
static void like_clip(struct job *j, const char *file)
{
	struct media_info info;
	struct err ignore = ERR_INIT;
	if (media_probe(file, NULL, &info, &ignore) < 0 || info.exr) return;
	int m = choose("matrix", info.matrix.value, YUV_MATRIX_CHOICES, &ignore);
	int r = choose("range", info.range.value, YUV_RANGE_CHOICES, &ignore);
	j->o.matrix = m > 0 ? (enum yuv_matrix)m : YM_AUTO;
	j->o.range = r > 0 ? (enum yuv_range)r : YR_LIMITED;
	j->o.bits = depth_shown(info.desc.depth);
}

/* The write that comes first in the scene; without any the last node. */
static struct net_node *default_node(struct session *s)
{
	if (s->net->nwrite) return s->net->write[0];
	for (int i = s->net->nnode - 1; i >= 0; i--)
		if (!s->net->node[i]->group && !strchr(s->net->node[i]->id, '/')) return s->net->node[i];
	return NULL;
}

static int from_scene(struct job *j, struct grab *g, struct err *e)
{
	const struct cli *c = j->c;
	struct session s = { 0 };
	int rc = -1, frame;
	if (session_open(&s, c, c->arg[0], WANT_NET, e) < 0) goto out;
	if (c->solve && session_solve(&s, NULL, true, false, e) < 0) goto out;
	struct net_node *nn = c->node ? session_find(&s, c->node, e) : default_node(&s);
	if (!nn) { if (!c->node) err_set(e, E_SCENE, "%s: has no node to look at",
	                                 c->arg[0]); goto out; }
	bool sink = nn->type->flags & NF_SINK;
	struct net_node *from = sink ? nn->conn[0] : nn;
	if (grab_frame_of(c, from, &frame, e) < 0 || grab_node(&s, from, frame, g, e) < 0) goto out;
	j->o = scope_defaults(scope_display_space(&g->im->fmt));
	if (sink) like_write(j, nn);
	snprintf(j->title, sizeof j->title, "%.90s  frame %d", nn->id, g->frame);
	rc = 0;
out:
	session_close(&s);
	return rc;
}

static int from_clip(struct job *j, struct grab *g, struct err *e)
{
	const struct cli *c = j->c;
	int frame = 0;
	if (c->node) return err_set(e, E_USAGE, "--node: %s is no scene", c->arg[0]);
	if (c->frames && (frame = atoi(c->frames)) < 1)
		return err_set(e, E_USAGE, "-F %s: of a clip, one frame from 1 on", c->frames);
	if (grab_file(c, c->arg[0], frame, g, e) < 0) return -1;
	j->o = scope_defaults(scope_display_space(&g->im->fmt));
	like_clip(j, c->arg[0]);
	snprintf(j->title, sizeof j->title, "%.90s  frame %d", g->name, g->frame);
	return 0;
}

/* --- the sheet --- */

static int draw(const struct job *j, const struct image *im, const char *path, struct err *e)
{
	const struct cli *c = j->c;
	int columns = c->columns ? c->columns : j->n < 2 ? 1 : j->n <= 4 ? 2 : 3;
	if (columns > j->n) columns = j->n;
	int rows = (j->n + columns - 1) / columns;
	int w = c->width ? c->width : 640 * columns,
		h = c->height ? c->height : w / columns * 9 / 16 * rows, rc = -1;
	if (w > IN_MAX_SIDE || h > IN_MAX_SIDE || (size_t)w * (size_t)h > IN_MAX_PIXELS ||
	    w / columns < 160 || h / rows < 90)
		return err_set(e, E_USAGE, "%d scopes on %dx%d: a cell would be %dx%d", j->n, w, h,
		               w / columns, h / rows);
	uint8_t *rgb = calloc((size_t)w * (size_t)h, 3);
	struct signal s = { 0 };
	struct canvas cv = canvas_rgb8(rgb, w, h);
	if (!rgb) return err_set(e, E_MEMORY, "no memory for %dx%d", w, h);
	if (signal_open(&im->fmt, &im->view, &j->o, &s, e) < 0) goto out;
	draw_fill(&cv, cv.r, (struct ink){ 40, 40, 44, 255 });
	for (int i = 0; i < j->n; i++) {
		int x = i % columns, y = i / columns, gap = j->n > 1;
		struct rect cell = rect_of(x * w / columns + (x ? gap : 0), y * h / rows + (y ? gap : 0),
		                           (x + 1) * w / columns,
		                           (y + 1) * h / rows);
		if (scope_draw(&cv, cell, &s, j->kind[i], j->title, e) < 0) goto out;
	}
	rc = png_write_rgb8(path, w, h, rgb, e);
out:
	signal_free(&s);
	free(rgb);
	return rc;
}

int verb_scope(struct cli *c, struct err *e)
{
	struct job j = { .c = c };
	struct grab g = { .pool = pool_new() };
	char *path = NULL;
	int rc = -1;
	if (c->narg != 1) { err_set(e, E_USAGE, "scope wants one SCENE or CLIP"); goto out; }
	if (parse_kinds(&j, c->kind ? c->kind : DEFAULT_KINDS, e) < 0) goto out;
	if ((is_scene(c->arg[0]) ? from_scene(&j, &g, e) : from_clip(&j, &g, e)) < 0) goto out;
	if (options(&j, e) < 0) goto out;
	path = c->out ? xstrdup(c->out) : xasprintf("scope.%04d.png", g.frame);
	rc = draw(&j, g.im, path, e);
	if (rc == 0) printf("%s\n", path);
out:
	image_unref(&g.im);
	free(path);
	pool_free(&g.pool);
	return rc;
}
