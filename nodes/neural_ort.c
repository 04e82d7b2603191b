/* neural_ort - a whole network over a frame by the user's ONNX Runtime, outside the promise of equal bits.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn_ort.h"
#include "node.h"

/* What nn_ort_learn found stands in the parameters, so that it runs the network once a plan. */
struct neural_ort {
	const char *model, *sha;
	int overlap, x0, y0, x1, y1, w, h, cin, cout, num, den, lead, trail, align;
	double weights, fixed, pixel, square;
};

enum { LANES = 2 };

#define FACT(name) P_FLOATX(neural_ort, name, 0, 0, 1e18, "", PF_STATIC | PF_NOKEY, "Bytes that it holds.")
static const struct param params[] = {
	P_STRING(neural_ort, model, "", PF_STATIC | PF_NOKEY, "The model file."),
	P_STRING(neural_ort, sha, "", PF_STATIC, "What the model is."),
	P_INT(neural_ort, overlap, 0, 0, 4096, "pixels", PF_STATIC, "Of windows; 0: the frame in one piece."),
	P_INT(neural_ort, x0, 0, -1000000, 1000000, "", PF_STATIC, "The network's input window."),
	P_INT(neural_ort, y0, 0, -1000000, 1000000, "", PF_STATIC, "Its top."),
	P_INT(neural_ort, x1, 0, -1000000, 1000000, "", PF_STATIC, "Its end to the right."),
	P_INT(neural_ort, y1, 0, -1000000, 1000000, "", PF_STATIC, "Its end below."),
	P_INT(neural_ort, w, 0, 0, 1000000, "", PF_STATIC, "The only width that it takes, or 0."),
	P_INT(neural_ort, h, 0, 0, 1000000, "", PF_STATIC, "The only height."),
	P_INT(neural_ort, cin, 3, 1, 3, "", PF_STATIC, "Channels in,"),
	P_INT(neural_ort, cout, 3, 1, 3, "", PF_STATIC, "and out."),
	P_INT(neural_ort, num, 1, 1, 16, "", PF_STATIC, "The factor,"),
	P_INT(neural_ort, den, 1, 1, 16, "", PF_STATIC, "over this."),
	P_INT(neural_ort, lead, 0, 0, 1024, "", PF_STATIC, "Pixels of the result that it eats before,"),
	P_INT(neural_ort, trail, 0, 0, 1024, "", PF_STATIC, "and behind."),
	P_INT(neural_ort, align, 1, 1, 4096, "", PF_STATIC, "Windows stand at multiples of it."),
	FACT(weights), FACT(fixed), FACT(pixel), FACT(square),
	P_END
};

struct state { struct nn_ort *net; struct nn_ort_facts f; struct rect in, window; char about[200]; };

static void close_net(struct node_ctx *n)
{
	struct state *s = n->state;
	if (s) nn_ort_free(&s->net);
	free(s);
	n->state = NULL;
}

static int open_net(struct node_ctx *n, struct err *e)
{
	const struct neural_ort *p = n->v;
	struct state *s = n->state = xalloc(1, sizeof *s);
	const char *about = nn_ort_about(e);
	const struct nn_blob b = { .c = p->cout, .num = p->num, .den = p->den, .lead = p->lead, .trail = p->trail };
	s->f = (struct nn_ort_facts){ .w = p->w, .h = p->h, .cin = p->cin, .cout = p->cout,
		.num = p->num, .den = p->den,
		.lead = p->lead, .trail = p->trail, .align = p->align, .weights = p->weights,
			.fixed = p->fixed, .pixel = p->pixel, .square = p->square };
	s->in = rect_of(p->x0, p->y0, p->x1, p->y1);
	s->window = nn_window(&b, s->in);
	if (!about) return -1;
	if (key_parse(p->sha, &s->f.sha) < 0) return err_set(e, E_INTERNAL, "no hash of the model");
	snprintf(s->about, sizeof s->about, "backend=\"onnxruntime\": %s", about);
	s->net = nn_ort_open(p->model, &s->f, e);
	return s->net ? 0 : -1;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct state *s = n->state;
	if (rect_empty(s->window)) return err_set(e, E_INPUT, "the picture is too small for this network");
	out->data = out->display = s->window;
	format_channels(out, s->f.cout == 1 ? "n0" : "n0 n1 n2");
	return 0;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	(void)r;
	need_add(out, 0, frame, n->in[0]->data);
}

static int frame(const struct call *c)
{
	const struct neural_ort *p = c->n->v;
	const struct state *s = c->n->state;
	return nn_ort_run(s->net, p->overlap, &c->in[0], c->out, c->cancel, c->err);
}

static const char *outside(const struct node_ctx *n)
{ return n->state ? ((const struct state *)n->state)->about : NULL; }

/* Results of another release are others. */
static int content(const struct node_ctx *n, int f, struct sha *sha, struct err *e)
{
	(void)f;
	(void)e;
	sha_str(sha, outside(n));
	return 0;
}

static size_t reserve(const struct node_ctx *n)
{
	const struct neural_ort *p = n->v;
	const struct state *s = n->state;
	return s ? (size_t)p->weights + LANES * nn_ort_bytes(&s->f, s->in, p->overlap) : 0;
}

static double flops(const struct node_ctx *n)
{
	(void)n;
	return 1e5;
}

const struct node_type ISA(node_neural_ort) = {
	.name = "neural_ort", .doc = "A whole network over a frame by ONNX Runtime, outside the "
	        "promise of equal bits.",
	.category = "geometry", .version = 1, .size = sizeof(struct neural_ort), .params = params, .inputs = "image",
	.flags = NF_HIDDEN, .traits = TR_AI, .want = WANT_ANY, .lanes = LANES, .open = open_net, .close = close_net,
	.format = format, .needs = needs, .content = content, .outside = outside, .reserve = reserve, .flops = flops,
	.frame = frame,
};
