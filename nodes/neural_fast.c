/* neural_fast - a whole network over a frame by oneDNN, outside the promise of equal bits.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn_fast.h"
#include "node.h"

struct neural_fast { const char *model, *sha, *model_b, *sha_b; double share; int x0, y0, x1, y1; };

static const struct param params[] = {
	P_STRING(neural_fast, model, "", PF_STATIC | PF_NOKEY, "The model file."),
	P_STRING(neural_fast, sha, "", PF_STATIC, "What the model is."),
	P_STRING(neural_fast, model_b, "", PF_STATIC | PF_NOKEY, "A second model of the same layers."),
	P_STRING(neural_fast, sha_b, "", PF_STATIC, "What that is."),
	P_FLOATX(neural_fast, share, 0, 0, 1, "", PF_STATIC, "The second's share of the weights."),
	P_INT(neural_fast, x0, 0, -1000000, 1000000, "", PF_STATIC, "The network's input window."),
	P_INT(neural_fast, y0, 0, -1000000, 1000000, "", PF_STATIC, "Its top."),
	P_INT(neural_fast, x1, 0, -1000000, 1000000, "", PF_STATIC, "Its end to the right."),
	P_INT(neural_fast, y1, 0, -1000000, 1000000, "", PF_STATIC, "Its end below."),
	P_END
};

struct state {
	struct nn_fast *fast; struct rect window; int channels; size_t bytes;
	double mac; char about[200];
};

static void close_net(struct node_ctx *n)
{
	struct state *s = n->state;
	if (s) nn_fast_free(&s->fast);
	free(s);
	n->state = NULL;
}

static int open_net(struct node_ctx *n, struct err *e)
{
	const struct neural_fast *p = n->v;
	struct state *s = n->state = xalloc(1, sizeof *s);
	const char *about = nn_fast_about(e);
	struct nn_model *m = about ? nn_load_as(p->model, p->sha, e) : NULL, *b = NULL;
	if (!m) return -1;
	s->window = nn_window(&m->blob[m->output], rect_of(p->x0, p->y0, p->x1, p->y1));
	s->channels = m->blob[m->output].c;
	s->bytes = nn_fast_bytes(m, p->x1 - p->x0);
	s->mac = m->mac * m->scale_den * m->scale_den / m->scale_num / m->scale_num;
	snprintf(s->about, sizeof s->about, "backend=\"fast\": %s", about);
	if (*p->model_b && p->share > 0 && !(b = nn_load_as(p->model_b, p->sha_b, e))) nn_free(&m);
	else s->fast = nn_fast_new(m, b, p->share, e);
	nn_free(&b);
	return s->fast ? 0 : -1;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct state *s = n->state;
	if (rect_empty(s->window)) return err_set(e, E_INPUT, "the picture is too small for this network");
	out->data = out->display = s->window;
	format_channels(out, s->channels == 1 ? "n0" : "n0 n1 n2");
	return 0;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	(void)r;
	need_add(out, 0, frame, n->in[0]->data);
}

static int frame(const struct call *c)
{
	const struct state *s = c->n->state;
	return nn_fast_run(s->fast, &c->in[0], c->out, c->cancel, c->err);
}

static const char *outside(const struct node_ctx *n)
{ return n->state ? ((const struct state *)n->state)->about : NULL; }

/* Results of another library or precision are others. */
static int content(const struct node_ctx *n, int f, struct sha *sha, struct err *e)
{
	(void)f;
	(void)e;
	sha_str(sha, outside(n));
	return 0;
}

static size_t reserve(const struct node_ctx *n)
{ return n->state ? ((const struct state *)n->state)->bytes : 0; }
static double flops(const struct node_ctx *n)
{ return n->state ? 2 * ((const struct state *)n->state)->mac : 1e5; }

const struct node_type ISA(node_neural_fast) = {
	.name = "neural_fast", .doc = "A whole network over a frame by oneDNN, outside the promise of equal bits.",
	.category = "geometry", .version = 1, .size = sizeof(struct neural_fast), .params = params,
		.inputs = "image",
	.flags = NF_HIDDEN, .traits = TR_AI, .want = WANT_ANY, .open = open_net, .close = close_net,
		.format = format,
	.needs = needs, .content = content, .outside = outside, .reserve = reserve, .flops = flops, .frame = frame,
};
