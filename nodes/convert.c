/* convert - bring a picture from one colour space to another.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "node.h"
#include "px_colour.h"
#include "px_fetch.h"

struct convert { const char *from, *to; };
struct convert_state { struct colour_xform x; };

static const struct param params[] = {
	P_STRING(convert, from, "", PF_STATIC | PF_SPACE,
	         "Colour space that the numbers are in; empty: the one the input is labelled with. "
	         "ocio:NAME: space NAME of the OpenColorIO config."),
	P_STRING(convert, to, "acescg", PF_STATIC | PF_SPACE, "Colour space to go to, by name (`interneg nodes "
	         "convert` lists them), or ocio:NAME."),
	P_END
};

static int space_from(const struct node_ctx *n)
{
	const struct convert *p = n->v;
	return *p->from ? colour_find(p->from) : n->nconn && n->in[0] ? n->in[0]->space : SPACE_NONE;
}
static int out_space(const struct node_ctx *n) { return colour_find(((const struct convert *)n->v)->to); }

static int check_name(const char *param, const char *name, struct err *e)
{
	return colour_named(param, name, e) < 0 ? -1 : 0;
}

static int convert_open(struct node_ctx *n, struct err *e)
{
	const struct convert *p = n->v;
	if ((*p->from && check_name("from", p->from, e) < 0) || check_name("to", p->to, e) < 0) return -1;
	struct convert_state *s = xalloc(1, sizeof *s);
	int from = space_from(n), to = out_space(n);
	if (from < 0) from = to;
	colour_xform_init(&s->x, from, to);
	n->state = s;
	return 0;
}
static const char *ocio_name(const char *s) { return strncmp(s, "ocio:", 5) ? NULL : s + 5; }

/* A space of the OpenColorIO config at either end: an ocio node does it. */
static int convert_expand(struct expand *x, const struct node_ctx *n, struct err *e)
{
	const struct convert *p = n->v;
	const char *from = ocio_name(p->from), *to = ocio_name(p->to);
	if (!from && !to) return EXPAND_NOT;
	if (*p->from && !from)
		return err_set(e, E_SCENE, "from=\"%s\" to=\"%s\": from a space of interneg's to one of "
		               "the config leave from= out, or put two converts after one another",
		               p->from, p->to);
	if (!to && check_name("to", p->to, e) < 0) return -1;
	struct xnode *o = expand_node(x, "ocio", to ? to : from, e);
	if (!o || expand_connect(x, o, "image", expand_input(x, 0), e) < 0) return -1;
	if (from && expand_set(x, o, "from", from, e) < 0) return -1;
	if (expand_set(x, o, to ? "to" : "space", to ? to : p->to, e) < 0) return -1;
	expand_output(x, o);
	return 0;
}

static void convert_close(struct node_ctx *n)
{
	free(n->state);
	n->state = NULL;
}

static int convert_format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct convert *p = n->v;
	if ((*p->from && check_name("from", p->from, e) < 0) || check_name("to", p->to, e) < 0) return -1;
	out->space = out_space(n);
	return 0;
}

/* Equal numbers and an equal label. */
static bool identity(const struct node_ctx *n)
{
	const struct convert_state *s = n->state;
	return s->x.identity && n->in[0] && n->in[0]->space == s->x.to;
}

/* Equal numbers under another label. */
static bool relabel(const struct node_ctx *n)
{
	const struct convert_state *s = n->state;
	return s && s->x.identity;
}

static int tile(const struct call *c, struct rect r)
{
	const struct convert_state *s = c->n->state;
	for (int y = r.y0; y < r.y1; y++)
		for (int x = r.x0; x < r.x1; x += COLOUR_CHUNK) {
			int n = r.x1 - x < COLOUR_CHUNK ? r.x1 - x : COLOUR_CHUNK;
			float *p[3];
			for (int k = 0; k < 3; k++) {
				p[k] = view_at(c->out, k, x, y);
				px_take_row(p[k], view_at(&c->in[0], k, x, y), n);
			}
			colour_row(&s->x, p[0], p[1], p[2], n);
		}
	return 0;
}

const struct node_type ISA(node_convert) = {
	.name = "convert", .doc = "Bring a picture from one colour space to another.",
	.more = "Decodes to linear light, changes primaries (Bradford adaptation; the makers' own for "
	        "ARRI and Sony), encodes again. Nothing is clipped: curves are mirrored below 0 or go on "
	        "with their own definition, and continue above 1. The core puts such nodes wherever a "
	        "node works in another space than its input has, so one is written by hand only for "
	        "delivery, or to state a space that a file does not tell.",
	.category = "colour", .version = 1, .size = sizeof(struct convert), .params = params,
	    .inputs = "image",
	.flags = NF_RGB, .traits = TR_CONVERT, .want = WANT_ANY,
	.example = "<convert id=\"p3\" in=\"graded\" to=\"p3-d65\"/>",
	.out_space = out_space, .open = convert_open, .close = convert_close, .format = convert_format,
	.identity = identity, .relabel = relabel, .in_place = node_in_place, .tile = tile, .expand = convert_expand,
};
