/* ocio - a transform of an OpenColorIO config: between its colour spaces, a look, or a display's view.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node.h"
#include "ocio.h"
#include "px_colour.h"
#include "px_fetch.h"
#include "px_lut.h"

struct ocio_node {
	const char *config, *from, *to, *look, *display, *view;
	int direction;
	const char *space, *interchange, *interchange_is;
};

enum { FORWARD, INVERSE };

static const struct param params[] = {
	{ "config", PT_PATH, offsetof(struct ocio_node, config), 1, { 0 }, "", 0, 0, "", NULL, PF_STATIC | PF_NOKEY,
	  "Config file. Empty: the one that <graph ocio=\"...\"> names, else the one of the environment's OCIO. It and every "
	  "file that it brings in are pinned by content." },
	P_STRING(ocio_node, from, "", PF_STATIC,
	         "Space or role of the config that the numbers are in, whatever the edge is labelled. Empty: the working "
	         "space, to which the input is brought."),
	P_STRING(ocio_node, to, "", PF_STATIC,
	         "Space or role to go to. Empty: back to the working space (or to `space`)."),
	P_STRING(ocio_node, look, "", PF_STATIC, "Looks of the config to apply, as in \"+grade, -shot\"."),
	P_STRING(ocio_node, display, "", PF_STATIC, "Display of the config, with `view`; instead of `to`."),
	P_STRING(ocio_node, view, "", PF_STATIC, "View of that display."),
	P_ENUM(ocio_node, direction, "forward", "forward|inverse", PF_STATIC,
	       "inverse runs everything backwards: numbers of `to`, or of the display, come in, those of `from` go out."),
	P_STRING(ocio_node, space, "", PF_STATIC | PF_SPACE,
	         "Which of interneg's spaces the result is in: to or display given, a label for numbers that equal that "
	         "space, raw (which nothing converts) when empty; else the space to come back to."),
	P_STRING(ocio_node, interchange, "", PF_STATIC,
	         "The config's space through which it meets interneg's. Empty: its ACES2065-1."),
	P_STRING(ocio_node, interchange_is, "aces2065-1", PF_STATIC | PF_SPACE, "Which of interneg's spaces that is."),
	P_END
};

struct ocio_state {
	struct colour_xform in, out; bool convert_in, convert_out; struct ocio *o;
	const char *config, *name;
};

/* What the numbers are at the side that comes in, and at the one that goes out; NULL: interneg's own. */
static const char *side(const struct ocio_node *p, bool input)
{
	bool first = input == (p->direction == FORWARD);
	const char *name = first ? p->from : *p->display ? p->display : p->to;
	return *name ? name : NULL;
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	(void)conn;
	return side(n->v, true) ? WANT_ANY : WANT_LINEAR;
}

static int out_space(const struct node_ctx *n)
{
	const struct ocio_node *p = n->v;
	if (*p->space) return colour_find(p->space);
	return side(p, false) ? colour_find("raw") : n->working;
}

static int check(const struct ocio_node *p, struct err *e)
{
	if (!*p->from && !*p->to && !*p->look && !*p->display)
		return err_set(e, E_SCENE, "nothing asked: write from= or to=, look=, or display= and view=");
	if (!*p->display != !*p->view) return err_set(e, E_SCENE, "display= and view= go together");
	if (*p->display && *p->to) return err_set(e, E_SCENE, "to= and display= exclude each other");
	if (*p->display && *p->look)
		return err_set(e, E_SCENE, "look= and display= exclude each other: put two nodes after one another");
	if (*p->space && colour_named("space", p->space, e) < 0) return -1;
	return colour_named("interchange_is", p->interchange_is, e) < 0 ? -1 : 0;
}

static int resolve(const struct node_ctx *n, struct ocio_state *s, struct err *e)
{
	const struct ocio_node *p = n->v;
	char *found = NULL;
	if (ocio_config(*p->config ? p->config : n->ocio, &s->config, &s->name, e) < 0) return -1;
	const char *hub = p->interchange;
	bool need = !*p->from || (!*p->to && !*p->display);
	if (need && !*hub && !(hub = found = ocio_interchange(s->config, e))) return -1;
	struct ocio_ask ask = { .config = s->config, .from = *p->from ? p->from : hub, .to = *p->to ? p->to : hub,
		.look = p->look, .display = p->display, .view = p->view, .inverse = p->direction == INVERSE };
	s->o = ocio_open(&ask, e);
	free(found);
	return s->o ? 0 : -1;
}

static void node_close(struct node_ctx *n)
{
	struct ocio_state *s = n->state;
	if (!s) return;
	ocio_free(&s->o);
	free(s);
	n->state = NULL;
}

static int node_open(struct node_ctx *n, struct err *e)
{
	const struct ocio_node *p = n->v;
	if (check(p, e) < 0) return -1;
	struct ocio_state *s = n->state = xalloc(1, sizeof *s);
	int hub = colour_find(p->interchange_is);
	s->convert_in = !side(p, true);
	s->convert_out = !side(p, false);
	colour_xform_init(&s->in, n->working, hub);
	colour_xform_init(&s->out, hub, out_space(n));
	if (resolve(n, s, e) == 0) return 0;
	node_close(n);
	return -1;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct ocio_node *p = n->v;
	const struct format *in = n->nconn ? n->in[0] : NULL;
	(void)e;
	out->space = out_space(n);
	if (in && in->space == colour_find("raw") && !side(p, false)) out->encoded = colour_find("acescct");
	return 0;
}

static int content(const struct node_ctx *n, int frame, struct sha *s, struct err *e)
{
	const struct ocio_state *st = n->state;
	(void)frame, (void)e;
	ocio_hash(st->o, s);
	return 0;
}

static const char *outside(const struct node_ctx *n)
{
	const struct ocio_state *s = n->state;
	return s ? ocio_outside(s->o) : NULL;
}

/* What the lock pins: the config, and what it brought in, named from the config's own folder. */
static int files(const struct node_ctx *n, int i, char *name, size_t size, const char **path)
{
	const struct ocio_state *s = n->state;
	if (i > ocio_nfile(s->o)) return 0;
	*path = i ? ocio_file(s->o, i - 1) : s->config;
	snprintf(name, size, "%s", i ? *path : s->name);
	char real[PATH_MAX];
	if (!i || !realpath(s->config, real)) return 1;
	size_t dir = (size_t)(strrchr(real, '/') - real) + 1;
	const char *end = strrchr(s->name, '/');
	if (strncmp(*path, real, dir) != 0) return 1;
	if (!strcmp(s->name, "$OCIO")) snprintf(name, size, "$OCIO/../%s", *path + dir);
	else snprintf(name, size, "%.*s%s", end ? (int)(end - s->name) + 1 : 0, s->name, *path + dir);
	return 1;
}

static int tile(const struct call *c, struct rect r)
{
	const struct ocio_state *s = c->n->state;
	const struct lut *lut = ocio_lut(s->o);
	int w = rect_w(r);
	for (int y = r.y0; y < r.y1; y++) {
		float *p[3];
		for (int k = 0; k < 3; k++) {
			p[k] = view_at(c->out, k, r.x0, y);
			px_take_row(p[k], view_at(&c->in[0], k, r.x0, y), w);
		}
		if (s->convert_in) colour_row(&s->in, p[0], p[1], p[2], w);
		if (lut) lut_row(lut, true, p[0], p[1], p[2], w);
		else ocio_row(s->o, p[0], p[1], p[2], w);
		if (s->convert_out) colour_row(&s->out, p[0], p[1], p[2], w);
	}
	return 0;
}

static unsigned traits_of(const struct node_ctx *n)
{
	const struct ocio_node *p = n->v;
	return *p->display ? TR_TONE : *p->look ? TR_LUT : TR_CONVERT;
}
static double flops(const struct node_ctx *n) { (void)n; return 200; }

const struct node_type ISA(node_ocio) = {
	.name = "ocio",
	.doc = "A transform of an OpenColorIO config: between its colour spaces, a look, or a display's view.",
	.more = "OpenColorIO reads the config and turns what is asked into steps; where all of them "
	        "are steps of the Common LUT Format (matrices, tables, logarithms, exponents, CDLs, "
	        "ranges) interneg applies them itself, with the same bits on every machine. Transforms "
	        "that hold others (fixed functions as in ACES outputs, grading curves, inverse tables) "
	        "are evaluated by OpenColorIO's processor; the lock then names the node as outside the "
	        "promise of equal bits. A config meets interneg's spaces in its ACES2065-1 (role "
	        "aces_interchange), or where interchange says. color=\"ocio:NAME\" on read and write, "
	        "and from and to of convert, make such a node.",
	.category = "colour", .version = 1, .size = sizeof(struct ocio_node), .params = params,
	.inputs = "image mask?", .flags = NF_RGB | NF_MASKED, .traits = 0, .want = WANT_ANY,
	.example = "<ocio id=\"shown\" in=\"graded\" config=\"show/config.ocio\" display=\"sRGB\" view=\"Film\" "
	           "space=\"srgb\"/>",
	.traits_of = traits_of, .want_of = want_of, .out_space = out_space, .open = node_open, .close = node_close,
	.format = format, .content = content, .outside = outside, .files = files, .flops = flops, .in_place = node_in_place, .tile = tile,
};
