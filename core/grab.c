/* grab - see grab.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "grab.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mathx.h"
#include "px_colour.h"
#include "revtree.h"

int grab_number(const char *option, const char *text, double lo, double hi, double *out,
                struct err *e)
{
	double v;
	if (!text) return 0;
	if (mx_parse(text, &v) < 0 || v < lo || v > hi)
		return err_set(e, E_USAGE, "--%s %s: expected a number from %g to %g", option, text, lo,
		               hi);
	*out = v;
	return 0;
}

static int take(void *user, const struct net_node *n, int frame, const struct image *im,
                struct err *e)
{
	struct grab *g = user;
	(void)n;
	(void)frame;
	if (!(g->im = image_new(g->pool, &im->fmt, "grab", e))) return -1;
	size_t row = (size_t)rect_w(im->view.r) * sizeof(float);
	for (int c = 0; c < im->fmt.nch; c++)
		for (int y = im->view.r.y0; y < im->view.r.y1; y++)
			memcpy(view_at(&g->im->view, c, im->view.r.x0, y),
			       view_at(&im->view, c, im->view.r.x0, y), row);
	return 0;
}

void grab_convert(struct image *im, int space)
{
	struct colour_xform x;
	int r = format_channel(&im->fmt, "R"), g = format_channel(&im->fmt, "G"),
		b = format_channel(&im->fmt, "B");
	if (r < 0 || g < 0 || b < 0 || im->fmt.space == space ||
	    im->fmt.space == colour_find("raw")) return;
	colour_xform_init(&x, im->fmt.space, space);
	for (int y = im->view.r.y0; y < im->view.r.y1; y++)
		colour_row(&x, view_at(&im->view, r, im->view.r.x0, y),
		           view_at(&im->view, g, im->view.r.x0, y),
		           view_at(&im->view, b, im->view.r.x0, y), rect_w(im->view.r));
	im->fmt.space = space;
}

void grab_to_display(struct image *im)
{
	grab_convert(im, colour_is_display(im->fmt.encoded) ? im->fmt.encoded : colour_find("rec709"));
}

struct net_node *grab_find(struct session *s, const char *id, struct err *e)
{
	struct net_node *nn = session_find(s, id, e);
	if (!nn) return NULL;
	return nn->type->flags & NF_SINK ? nn->conn[0] : nn;
}

int grab_frame_of(const struct cli *c, const struct net_node *nn, int *frame, struct err *e)
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

int grab_node(struct session *s, struct net_node *nn, int frame, struct grab *g, struct err *e)
{
	struct render_opts o = session_opts(s);
	struct render_stats st = { 0 };
	char list[16];
	int f = frame < nn->fmt.first ? nn->fmt.first : frame > nn->fmt.last ? nn->fmt.last : frame;
	snprintf(list, sizeof list, "%d", f);
	o.frames = list;
	o.result = take;
	o.user = g;
	g->frame = f;
	net_ask(s->net, &nn, 1);
	int rc = s->c->oracle ? oracle_run(s->net, &o, &st, e) : render_run(s->net, &o, &st, e);
	diags_free(&st.problems);
	if (rc < 0) return -1;
	if (!g->im) return err_set(e, E_INTERNAL, "'%s' frame %d gave no picture", nn->id, f);
	return 0;
}

/* A scene of one read; malloced. */
static char *one_read(const char *file)
{
	char *real = realpath(file, NULL);
	const char *src = real ? real : file;
	char *esc = xalloc(strlen(src) * 6 + 1, 1), *q = esc;
	for (const char *p = src; *p; p++) {
		const char *rep = *p == '&' ? "&amp;" : *p == '<' ? "&lt;" : *p == '"' ? "&quot;" :
			*p == '{' ? "{{" :
		                  *p == '}' ? "}}" : NULL;
		if (rep) q += sprintf(q, "%s", rep);
		else *q++ = *p;
	}
	*q = 0;
	char *text = xasprintf("<graph version=\"1\"><read id=\"f\" file=\"%s\"/></graph>", esc);
	free(esc);
	free(real);
	return text;
}

int grab_file(const struct cli *c, const char *file, int frame, struct grab *g, struct err *e)
{
	struct session s = { .c = c, .file = file };
	/* no script host and no cache: a single read */
	char *text = one_read(file);
	const char *slash = strrchr(file, '/');
	struct load_opts lo = { NULL, NULL, 0 };
	struct net_opts no = { .proxy = c->proxy ? c->proxy : 1 };
	int rc = -1;
	s.scene = scene_load(file, text, strlen(text), &lo, &s.d);
	if (s.scene && diags_status(&s.d) == E_OK) s.net = net_build(s.scene, &no, &s.d);
	if (session_say(&s, e) == 0 && s.net) {
		struct net_node *nn = net_find(s.net, "f");
		int last = nn->fmt.last == INT_MAX ? nn->fmt.first : nn->fmt.last;
		rc = grab_node(&s, nn, frame > 0 ? frame : nn->fmt.first + (last - nn->fmt.first) / 2, g,
		               e);
	} else if (e->code == E_OK) err_set(e, E_INPUT, "%s: cannot be read", file);
	snprintf(g->name, sizeof g->name, "%s", slash ? slash + 1 : file);
	free(text);
	session_close(&s);
	return rc;
}

/* --- other scenes and revisions --- */

/* REV, PATH and NODE of a spec, each malloced or NULL. */
struct spec { char *rev, *path, *node; };

static struct spec spec_split(const char *text)
{
	struct spec s = { NULL, NULL, NULL };
	const char *xml = strstr(text, ".xml");
	while (xml && xml[4] != 0 && xml[4] != ':') xml = strstr(xml + 1, ".xml");
	if (!xml) return s;
	const char *colon = memchr(text, ':', (size_t)(xml - text)), *path = text;
	char *whole = xasprintf("%.*s", (int)(xml + 4 - text), text);
	/* a file whose own name holds a colon is that file */
	if (colon && colon > text && access(whole, R_OK) != 0) {
		s.rev = xasprintf("%.*s", (int)(colon - text), text);
		path = colon + 1;
	}
	s.path = xasprintf("%.*s", (int)(xml + 4 - path), path);
	if (xml[4] == ':' && xml[5]) s.node = xstrdup(xml + 5);
	free(whole);
	return s;
}

static void spec_free(struct spec *s)
{
	free(s->rev);
	free(s->path);
	free(s->node);
}

bool grab_is_scene(const char *text)
{
	struct spec s = spec_split(text);
	bool is = s.path && (s.rev || access(s.path, R_OK) == 0);
	spec_free(&s);
	return is;
}

int grab_scene(const struct cli *c, const char *cache, const char *text, const char *node,
               int frame, struct grab *g,
               struct err *e)
{
	struct spec sp = spec_split(text);
	struct revtree tree = { NULL, NULL };
	struct session s = { 0 };
	struct cli as = *c;
	int rc = -1;
	as.only = NULL;
	if (!sp.path) { err_set(e, E_USAGE, "%s: expected [REV:]SCENE.xml[:NODE]", text); goto out; }
	if (!c->no_cache) as.cache = cache;
	if (sp.rev && revtree_open(&tree, cache, c->arg[0], sp.rev, sp.path, e) < 0) goto out;
	if (session_open(&s, &as, sp.rev ? tree.scene : sp.path, WANT_NET, e) < 0) { err_in(e, "%s",
		text); goto out; }
	if (c->solve && session_solve(&s, NULL, true, false, e) < 0) goto out;
	struct net_node *nn = grab_find(&s, sp.node ? sp.node : node, e);
	if (!nn) { err_in(e, "%s", text); goto out; }
	if (grab_node(&s, nn, frame, g, e) < 0) { err_in(e, "%s", text); goto out; }
	snprintf(g->name, sizeof g->name, "%.60s%s%.30s", text, sp.node ? "" : " ",
	         sp.node ? "" : node);
	rc = 0;
out:
	if (s.c) session_close(&s);
	revtree_close(&tree);
	spec_free(&sp);
	return rc;
}
