/* verb_sheet - `interneg sheet`: the wall on which shots are matched, one middle frame each, with
 * numbers beneath.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grab.h"
#include "imgfile.h"
#include "measure.h"
#include "scope.h"
#include "shotlist.h"
#include "white.h"

enum { THUMB_PIXELS = 1 << 15, GAP = 8 };

/* One picture of the wall. */
struct tile { struct signal s; char name[96], white[80], skin[96]; bool reference; };
struct wall { struct tile *v; int n; };

/* --- numbers --- */

/* The colour that neutral has in the picture, by the estimators of balance. */
static int white_of(const struct image *im, char *out, size_t n, struct err *e)
{
	struct thumb t;
	struct white_guess g;
	double temperature, tint;
	int space = colour_linear_of(im->fmt.space);
	if (thumb_make(im, THUMB_PIXELS, &t, e) < 0) return -1;
	white_measure(&t, 1, 0.98, space, &g);
	thumb_free(&t);
	if (!g.estimators) { snprintf(out, n, "white: none found"); return 0; }
	white_solve(space, g.rgb, WHITE_TEMP_MAX, WHITE_TINT_MAX, &temperature, &tint);
	/* what brings it to neutral is the opposite of where it lies */
	double mired = 1e6 / WHITE_KELVIN - temperature;
	snprintf(out, n, "white %.0f K  %+.1f mired  tint %+.1f  (%.0f%% sure)",
	         mired > 20 ? 1e6 / mired : 50000.0,
	         -temperature, -tint, 100 * g.confidence);
	return 0;
}

static int measure(struct grab *g, struct tile *t, struct err *e)
{
	struct skin_stats k;
	grab_to_display(g->im);
	struct scope_opts o = scope_defaults(g->im->fmt.space);
	if (signal_open(&g->im->fmt, &g->im->view, &o, &t->s, e) < 0) return -1;
	if (signal_skin(&t->s, &k, e) < 0) return -1;
	if (k.n && k.share >= 0.001)
		snprintf(t->skin, sizeof t->skin, "skin %.1f° (%+.1f)  spread %.1f  %.0f%% of picture",
		         k.hue,
		         skin_turn(SKIN_LINE, k.hue), k.iqr, 100 * k.share);
	else snprintf(t->skin, sizeof t->skin, "skin: none found");
	grab_convert(g->im, colour_linear_of(g->im->fmt.space));
	return white_of(g->im, t->white, sizeof t->white, e);
}

/* --- the wall --- */

static int tile_shot(struct session *s, const struct shotlist_item *shot, struct tile *t, struct err *e)
{
	struct grab g = { .pool = s->pool };
	int rc = grab_node(s, shot->node, shot->frame, &g, e);
	if (rc == 0) rc = measure(&g, t, e);
	if (rc == 0) snprintf(t->name, sizeof t->name, "%.70s  frame %d", shot->name, g.frame);
	image_unref(&g.im);
	return rc < 0 ? err_in(e, "shot '%s'", shot->name) : 0;
}

/* --- references --- */

struct from { struct net_node *nn; const char *file, *kind; };      /* a node or a file, and what it is called */

static int tile_reference(struct session *s, const struct from *f, struct tile *t, struct err *e)
{
	struct grab g = { .pool = s->pool };
	int rc = f->nn ? grab_node(s, f->nn, shotlist_middle(f->nn), &g, e) : grab_file(s->c, f->file, 0, &g, e);
	int len = f->nn ? (int)strcspn(f->nn->id, "/") : 60;
	if (rc == 0) rc = measure(&g, t, e);
	t->reference = true;
	if (rc == 0)
		snprintf(t->name, sizeof t->name, "%.20s %.*s  frame %d", f->kind, len,
		         f->nn ? f->nn->id : g.name, g.frame);
	image_unref(&g.im);
	return rc;
}

/* What nodes read as a reference, each once, the <reference> stills, and the file
 * of --reference; before the shots. */
static int add_references(struct session *s, struct wall *wall, struct err *e)
{
	struct net_node **seen = xalloc((size_t)s->net->nnode + 1, sizeof(struct net_node *));
	int n = 0, rc = 0;
	for (int i = 0; i < s->net->nnode; i++) {
		const struct net_node *nn = s->net->node[i];
		for (int k = 0; k < nn->nconn; k++) {
			struct net_node *up = nn->conn[k];
			bool known = !up || nn->group || strcmp(nn->slot[nn->conn_slot[k]].name,
			                                        "reference") != 0;
			/* the core's own conversions show what they convert */
			while (!known && !up->group && strchr(up->id, '/') && up->nconn &&
			       up->conn[0]) up = up->conn[0];
			for (int j = 0; j < n && !known; j++) known = seen[j] == up;
			if (!known) seen[n++] = up;
		}
	}
	int most = n + s->scene->nreference + 1;
	wall->v = xrealloc(wall->v, (size_t)(wall->n + most), sizeof *wall->v);
	memset(wall->v + wall->n, 0, (size_t)most * sizeof *wall->v);
	for (int i = 0; i < n && rc == 0; i++)
		rc = tile_reference(s, &(struct from){ seen[i], NULL, "reference" }, &wall->v[wall->n++], e);
	for (int i = 0; i < s->scene->nreference && rc == 0; i++) {
		struct from f = { NULL, "", "" };
		const struct reference *r = scene_reference(s->scene, "", i, s->a, &f.file);
		f.kind = r && r->kind ? r->kind : "reference";
		if (r) rc = tile_reference(s, &f, &wall->v[wall->n++], e);
	}
	if (rc == 0 && s->c->reference)
		rc = tile_reference(s, &(struct from){ NULL, s->c->reference, "reference" }, &wall->v[wall->n++], e);
	free(seen);
	return rc;
}

struct layout { int columns, rows, w, h, text, size; };

static struct layout lay_out(const struct wall *wall, const struct cli *c)
{
	struct layout l = { .columns = c->columns, .w = c->width ? c->width : 384 };
	/* wider than high */
	while (!c->columns &&
	       (wall->n <= 4 ? l.columns < wall->n : 2 * l.columns * l.columns < 3 * wall->n))
		l.columns++;
	if (l.columns > wall->n) l.columns = wall->n;
	if (l.columns < 1) l.columns = 1;
	l.rows = (wall->n + l.columns - 1) / l.columns;
	for (int i = 0; i < wall->n; i++) {
		int h = (int)((int64_t)l.w * wall->v[i].s.h / (wall->v[i].s.w ? wall->v[i].s.w : 1));
		if (h > l.h && h <= l.w) l.h = h;
		else if (h > l.w) l.h = l.w;
	}
	l.size = l.w >= 640 ? 2 : 1;
	l.text = 38 * l.size;
	return l;
}

static void paint(const struct canvas *c, const struct layout *l, const struct tile *t, int x,
                  int y)
{
	struct rect box = rect_of(x, y, x + l->w, y + l->h);
	struct ink bright = { 222, 222, 226, 255 }, dim = { 150, 150, 156, 255 }, amber = { 226, 172,
		74, 255 };
	draw_fill(c, box, (struct ink){ 0, 0, 0, 255 });
	signal_paint(c, signal_fit(&t->s, box), &t->s);
	if (t->reference) draw_frame(c, rect_grow(box, 2, 2), 2, amber);
	int step = 12 * l->size, top = box.y1 + 4 * l->size;
	draw_text_fit(c, x, top, l->size, l->w, t->reference ? amber : bright, t->name);
	draw_text_fit(c, x, top + step, l->size, l->w, dim, t->white);
	draw_text_fit(c, x, top + 2 * step, l->size, l->w, dim, t->skin);
}

static int save(const struct wall *wall, const struct cli *c, const char *path, struct err *e)
{
	struct layout l = lay_out(wall, c);
	int64_t w = (int64_t)l.columns * (l.w + GAP) + GAP,
		h = (int64_t)l.rows * (l.h + l.text + GAP) + GAP;
	if (w > IN_MAX_SIDE || h > IN_MAX_SIDE || (size_t)(w * h) > IN_MAX_PIXELS)
		return err_set(e, E_USAGE, "a sheet of %lld x %lld pixels is too large; lower --width",
		               (long long)w, (long long)h);
	uint8_t *rgb = calloc((size_t)(w * h), 3);
	if (!rgb) return err_set(e, E_MEMORY, "no memory for a sheet of %lld x %lld", (long long)w,
	                         (long long)h);
	struct canvas cv = canvas_rgb8(rgb, (int)w, (int)h);
	/* a neutral surround, as dark as a grading room's wall */
	draw_fill(&cv, cv.r, (struct ink){ 46, 46, 46, 255 });
	for (int i = 0; i < wall->n; i++)
		paint(&cv, &l, &wall->v[i], GAP + i % l.columns * (l.w + GAP),
		      GAP + i / l.columns * (l.h + l.text + GAP));
	int rc = png_write_rgb8(path, (int)w, (int)h, rgb, e);
	free(rgb);
	return rc;
}

int verb_sheet(struct cli *c, struct err *e)
{
	struct session s = { 0 };
	struct shotlist shots = { 0 };
	struct wall wall = { NULL, 0 };
	char *path = NULL;
	int rc = -1;
	if (c->narg != 1) return err_set(e, E_USAGE, "sheet wants one SCENE");
	if (session_open(&s, c, c->arg[0], WANT_NET, e) < 0) goto out;
	if (c->solve && session_solve(&s, NULL, true, false, e) < 0) goto out;
	shotlist_find(s.net, &shots);
	if (!shots.n) { err_set(e, E_SCENE, "%s: has no shot to show", c->arg[0]); goto out; }
	if (add_references(&s, &wall, e) < 0) goto out;
	wall.v = xrealloc(wall.v, (size_t)(wall.n + shots.n), sizeof *wall.v);
	memset(wall.v + wall.n, 0, (size_t)shots.n * sizeof *wall.v);
	for (int i = 0; i < shots.n; i++)
		if (tile_shot(&s, &shots.v[i], &wall.v[wall.n++], e) < 0) goto out;
	for (int i = 0; i < wall.n; i++) printf("%s: %s; %s\n", wall.v[i].name, wall.v[i].white,
	                                        wall.v[i].skin);
	path = c->out ? xstrdup(c->out) : xstrdup("sheet.png");
	rc = save(&wall, c, path, e);
	if (rc == 0) printf("%s\n", path);
out:
	for (int i = 0; i < wall.n; i++) signal_free(&wall.v[i].s);
	free(wall.v);
	free(path);
	shotlist_free(&shots);
	session_close(&s);
	return rc;
}
