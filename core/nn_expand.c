/* nn_expand - see nn_expand.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_expand.h"
#include "nn_fast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn_model.h"
#include "nn_strip.h"
#include "steady.h"

struct making {
	struct expand *x;
	const struct nn_ask *a;
	const struct nn_first *first;
	const struct nn_model *m;
	struct nn_model *b;
	char sha[65], sha_b[65];
	struct rect window;                  /* of the network's input */
	struct xnode **blob;                 /* who makes it */
	struct err *e;
};

static int set_int(struct making *k, struct xnode *n, const char *name, int v)
{
	double d = v;
	return expand_set_num(k->x, n, name, &d, 1, k->e);
}

static int set_rect(struct making *k, struct xnode *n, struct rect r)
{
	return set_int(k, n, "x0", r.x0) < 0 || set_int(k, n, "y0", r.y0) < 0 || set_int(k, n, "x1", r.x1) < 0 ||
	       set_int(k, n, "y1", r.y1) < 0 ? -1 : 0;
}

/* Do both have the same layers, so that weights may be mixed? */
static bool same_layers(const struct nn_model *a, const struct nn_model *b)
{
	if (a->nlayer != b->nlayer) return false;
	for (int i = 0; i < a->nlayer; i++) {
		const struct nn_layer *l = &a->layer[i], *o = &b->layer[i];
		if (l->op != o->op || l->cout != o->cout || l->k != o->k || l->dilation != o->dilation ||
		    l->pad != o->pad || l->stride != o->stride || l->w.n != o->w.n ||
		    l->bias.n != o->bias.n || l->slopes.n != o->slopes.n || l->act != o->act ||
		    l->group != o->group || l->how != o->how || a->blob[l->out].c != b->blob[o->out].c)
			return false;
	}
	return true;
}

static int open_models(struct making *k)
{
	const struct nn_ask *a = k->a;
	if (a->overlap && a->backend != NN_ORT)
		return err_set(k->e, E_SCENE, "overlap= is for backend=\"onnxruntime\"; here windows "
		               "overlap by what the file tells");
	if (*a->model_b && a->backend == NN_ORT)
		return err_set(k->e, E_SCENE, "backend=\"onnxruntime\" runs one file: model_b= is for the others");
	key_hex(&k->m->sha, k->sha);
	if (*a->sha && strcmp(a->sha, k->sha) != 0)
		return err_set(k->e, E_LOCK, "%s is not the pinned model: model_sha256 is %s, the file's "
		               "is %s", a->model, a->sha, k->sha);
	int from = k->m->blob[k->m->input].c, to = k->m->blob[k->m->output].c;
	if (a->matte ? to != 1 : from != to)
		return err_set(k->e, E_INPUT, "%s makes %d channels of %d: %s", a->model, to, from,
		               a->matte ? "a matte has one" : "a matte is <neural process=\"matte\">");
	if (!*a->model_b) return 0;
	if (!(k->b = nn_load(a->model_b, k->e))) return -1;
	key_hex(&k->b->sha, k->sha_b);
	if (!*a->sha_b)
		return err_set(k->e, E_RULE, "%s is not pinned: write model_b_sha256=\"%s\"", a->model_b, k->sha_b);
	if (strcmp(a->sha_b, k->sha_b) != 0)
		return err_set(k->e, E_LOCK, "%s is not the pinned model: model_b_sha256 is %s, the file's "
		               "is %s", a->model_b, a->sha_b, k->sha_b);
	if (!same_layers(k->m, k->b))
		return err_set(k->e, E_INPUT, "%s and %s have different layers: their weights cannot be mixed", a->model,
		               a->model_b);
	return 0;
}

/* A strip of it: its number, rows and the node that has to be through before it begins; or NULL: all. */
struct part { int strip; struct rect rows; struct xnode *after; };

static int make_layer(struct making *k, const struct nn_unit *u, const struct part *p)
{
	const struct nn_layer *l = &k->m->layer[u->layer];
	char name[40];
	snprintf(name, sizeof name, p ? "layer%d.%d" : "layer%d", u->layer, p ? p->strip + 1 : 0);
	struct xnode *n = expand_node(k->x, "neural_layer", name, k->e);
	if (!n) return -1;
	for (int j = 0; j < l->nread; j++)
		if (expand_connect(k->x, n, "image", k->blob[l->read[j]], k->e) < 0) return -1;
	if (p && p->after && expand_connect(k->x, n, "image", p->after, k->e) < 0) return -1;
	if (p && (set_int(k, n, "top", p->rows.y0) < 0 || set_int(k, n, "bottom", p->rows.y1) < 0)) return -1;
	if (expand_set(k->x, n, "model", k->a->model, k->e) < 0 ||
	    expand_set(k->x, n, "sha", k->sha, k->e) < 0)
		return -1;
	if (k->b && k->a->denoise > 0 &&
	    (expand_set(k->x, n, "model_b", k->a->model_b, k->e) < 0 ||
	     expand_set(k->x, n, "sha_b", k->sha_b, k->e) < 0 ||
	     expand_set_num(k->x, n, "share", &k->a->denoise, 1, k->e) < 0))
		return -1;
	if (set_int(k, n, "layer", u->layer) < 0 || set_int(k, n, "act", u->act) < 0 ||
	    set_rect(k, n, k->window) < 0)
		return -1;
	k->blob[u->out] = n;
	return 0;
}

/* The layers of one strip; those that read whole maps alone wait for the strip before. */
static int make_strip(struct making *k, const struct nn_unit *u, int n, const struct nn_strips *s, int strip,
                      const struct rect *want, struct xnode *before)
{
	bool *own = xalloc((size_t)k->m->nblob + 1, sizeof *own);
	int rc = 0;
	for (int i = s->first; i < n && rc == 0; i++) {
		const struct nn_layer *l = &k->m->layer[u[i].layer];
		struct part p = { strip, want[u[i].out], before };
		if (rect_empty(p.rows)) continue;
		for (int j = 0; j < l->nread; j++)
			if (own[l->read[j]]) p.after = NULL;
		own[u[i].out] = true;
		rc = make_layer(k, &u[i], &p);
	}
	free(own);
	return rc;
}

/* What the strips make, one below the other. */
static int make_strips(struct making *k, const struct nn_unit *u, int n, const struct nn_strips *s)
{
	struct rect *want = xalloc((size_t)k->m->nblob + 1, sizeof *want);
	struct xnode *part[NN_MAX_STRIPS], *join;
	int rc = 0;
	for (int i = 0; i < s->n && rc == 0; i++) {
		nn_strip_rows(k->m, u, n, s, i, k->window, want);
		rc = make_strip(k, u, n, s, i, want, i ? part[i - 1] : NULL);
		part[i] = k->blob[k->m->output];
	}
	free(want);
	if (rc < 0 || !(join = expand_node(k->x, "neural_join", "strips", k->e))) return -1;
	for (int i = 0; i < s->n; i++)
		if (expand_connect(k->x, join, "image", part[i], k->e) < 0) return -1;
	k->blob[k->m->output] = join;
	const struct nn_blob *b = &k->m->blob[k->m->output];
	struct rect w = nn_window(b, k->window);
	return set_rect(k, join, rect_of(w.x0 * nn_step(b->c), w.y0, w.x1 * nn_step(b->c), w.y1));
}

static int make_layers(struct making *k)
{
	int n, rc = 0;
	struct nn_unit *u = nn_units(k->m, &n);
	struct nn_strips s = nn_strips_of(k->m, u, n, k->window);
	for (int i = 0; i < (s.n > 1 ? s.first : n) && rc == 0; i++) rc = make_layer(k, &u[i], NULL);
	if (rc == 0 && s.n > 1) rc = make_strips(k, u, n, &s);
	free(u);
	return rc;
}

/* All layers at once by another library. */
static int make_fast(struct making *k, struct xnode *in)
{
	const struct nn_ask *a = k->a;
	if (nn_fast_holds(k->m, a->model, k->e) < 0 ||
	    (k->b && nn_fast_holds(k->b, a->model_b, k->e) < 0))
		return -1;
	struct xnode *n = expand_node(k->x, "neural_fast", "fast", k->e);
	if (!n || expand_connect(k->x, n, "image", in, k->e) < 0 ||
	    expand_set(k->x, n, "model", a->model, k->e) < 0 ||
	    expand_set(k->x, n, "sha", k->sha, k->e) < 0 || set_rect(k, n, k->window) < 0)
		return -1;
	if (k->b && a->denoise > 0 && (expand_set(k->x, n, "model_b", a->model_b, k->e) < 0 ||
	                               expand_set(k->x, n, "sha_b", k->sha_b, k->e) < 0 ||
	                               expand_set_num(k->x, n, "share", &a->denoise, 1, k->e) < 0))
		return -1;
	k->blob[k->m->output] = n;
	return 0;
}

/* A network of any operators, by the user's library. */
static int make_ort(struct making *k, struct xnode *in)
{
	const struct nn_ort_facts *f = &k->first->ort;
	const struct { const char *name; double v; } facts[] = {
		{ "overlap", k->a->overlap }, { "w", f->w }, { "h", f->h }, { "cin", f->cin },
			{ "cout", f->cout }, { "num", f->num },
		{ "den", f->den }, { "lead", f->lead }, { "trail", f->trail }, { "align", f->align },
			{ "weights", f->weights }, { "fixed", f->fixed }, { "pixel", f->pixel },
		{ "square", f->square },
	};
	if (nn_ort_fits(f, k->a->model, k->window, k->a->overlap, k->e) < 0) return -1;
	struct xnode *n = expand_node(k->x, "neural_ort", "onnxruntime", k->e);
	if (!n || expand_connect(k->x, n, "image", in, k->e) < 0 ||
	    expand_set(k->x, n, "model", k->a->model, k->e) < 0 ||
	    expand_set(k->x, n, "sha", k->sha, k->e) < 0 || set_rect(k, n, k->window) < 0)
		return -1;
	for (size_t i = 0; i < IN_COUNT(facts); i++)
		if (expand_set_num(k->x, n, facts[i].name, &facts[i].v, 1, k->e) < 0) return -1;
	k->blob[k->m->output] = n;
	return 0;
}

static const char *backend_name(enum nn_backend b)
{
	static const char *const names[] = { "exact", "fast", "onnxruntime" };
	return names[b];
}

/* What was asked, in one line. */
static void note_of(const struct making *k, char *buf, size_t n)
{
	const struct nn_ask *a = k->a;
	int len = snprintf(buf, n, "blend=%.6g lock=%s net_space=%s ringing=%.6g", a->blend,
	                   a->lock ? "yes" : "no", a->space, a->ringing);
	if (k->b && len > 0 && (size_t)len < n)
		snprintf(buf + len, n - (size_t)len, " denoise=%.6g model_b_sha256=%s", a->denoise, k->sha_b);
	if (a->overlap && len > 0 && (size_t)len < n)
		snprintf(buf + len, n - (size_t)len, " overlap=%d", a->overlap);
}

static struct xnode *make_out(struct making *k, struct xnode *src, struct xnode *net, struct xnode *low)
{
	const struct nn_ask *a = k->a;
	struct xnode *n = expand_node(k->x, "neural_out", "out", k->e);
	char note[240];
	note_of(k, note, sizeof note);
	if (!n || expand_connect(k->x, n, "image", src, k->e) < 0 || expand_connect(k->x, n, "net", net, k->e) < 0 ||
	    expand_set(k->x, n, "backend", backend_name(a->backend), k->e) < 0 ||
	    expand_set(k->x, n, "note", note, k->e) < 0) return NULL;
	if (low && expand_connect(k->x, n, "low", low, k->e) < 0) return NULL;
	if (expand_set(k->x, n, "model", a->model, k->e) < 0 ||
	    expand_set(k->x, n, "sha", k->sha, k->e) < 0 ||
	    expand_set(k->x, n, "space", a->space, k->e) < 0 ||
	    expand_set_num(k->x, n, "ringing", &a->ringing, 1, k->e) < 0 ||
	    expand_set_num(k->x, n, "blend", &a->blend, 1, k->e) < 0 || set_rect(k, n, a->dst) < 0 ||
	    set_int(k, n, "num", k->m->scale_num) < 0 || set_int(k, n, "den", k->m->scale_den) < 0 ||
	    set_int(k, n, "par_num", a->par.num) < 0 || set_int(k, n, "par_den", a->par.den) < 0)
		return NULL;
	return n;
}

/* The network's one channel onto the picture. */
static struct xnode *make_matte(struct making *k, struct xnode *src, struct xnode *net)
{
	const struct nn_ask *a = k->a;
	struct xnode *n = expand_node(k->x, "neural_matte", "out", k->e);
	char note[240];
	snprintf(note, sizeof note, "blend=%.6g matte=%s net_space=%s", a->blend, a->matte, a->space);
	if (!n || expand_connect(k->x, n, "image", src, k->e) < 0 || expand_connect(k->x, n, "net", net, k->e) < 0 ||
	    expand_set(k->x, n, "model", a->model, k->e) < 0 || expand_set(k->x, n, "sha", k->sha, k->e) < 0 ||
	    expand_set(k->x, n, "backend", backend_name(a->backend), k->e) < 0 ||
	    expand_set(k->x, n, "note", note, k->e) < 0 || expand_set(k->x, n, "to", a->matte, k->e) < 0 ||
	    expand_set_num(k->x, n, "blend", &a->blend, 1, k->e) < 0) return NULL;
	return n;
}

static struct xnode *make_low(struct making *k, struct xnode *src, struct xnode *net)
{
	struct xnode *n = expand_node(k->x, "neural_low", "low", k->e);
	if (!n || expand_connect(k->x, n, "image", src, k->e) < 0 || expand_connect(k->x, n, "net", net, k->e) < 0 ||
	    set_int(k, n, "num", k->m->scale_num) < 0 || set_int(k, n, "den", k->m->scale_den) < 0 ||
	    expand_set_num(k->x, n, "ringing", &k->a->ringing, 1, k->e) < 0) return NULL;
	struct xnode *lock = expand_node(k->x, "neural_lock", "lock", k->e);
	return lock && expand_connect(k->x, lock, "image", n, k->e) == 0 ? lock : NULL;
}

static int make(struct making *k, const struct node_ctx *n)
{
	struct xnode *src = expand_input(k->x, 0), *low = NULL, *in, *out;
	const struct format *f = n->in[0];
	if (!src || !f || format_channel(f, "R") < 0 || format_channel(f, "G") < 0 || format_channel(f, "B") < 0)
		return err_set(k->e, E_SCENE, "a network needs channels R, G, B");
	if (!(in = expand_node(k->x, "neural_in", "in", k->e)) ||
	    expand_connect(k->x, in, "image", src, k->e) < 0 ||
	    expand_set(k->x, in, "space", k->a->space, k->e) < 0 ||
	    set_int(k, in, "pad", k->m->pad) < 0 || set_int(k, in, "align", k->m->align) < 0 ||
	    set_int(k, in, "channels", k->m->blob[k->m->input].c) < 0)
		return -1;
	k->blob[k->m->input] = in;
	k->window = nn_input(k->m->pad, k->m->align, f->data);
	int rc = k->a->backend == NN_ORT ? make_ort(k, in) : k->a->backend == NN_FAST ? make_fast(k, in)
		: make_layers(k);
	if (rc < 0) return -1;
	struct xnode *net = k->blob[k->m->output];
	if (k->a->lock && !(low = make_low(k, src, net))) return -1;
	if (!(out = k->a->matte ? make_matte(k, src, net) : make_out(k, src, net, low))) return -1;
	if (k->a->steady > 0) {
		const struct steady_ask calm = { k->a->steady, STEADY_TOLERANCE, STEADY_CHANGE, STEADY_NETWORK_REACH };
		if (!(out = steady_expand(k->x, out, src, &calm, k->e))) return -1;
	}
	expand_output(k->x, out);
	return 0;
}

int nn_expand(struct expand *x, const struct node_ctx *n, const struct nn_ask *a,
              const struct nn_first *f, struct err *e)
{
	struct making k = { .x = x, .a = a, .first = f, .m = f->m, .e = e };
	int rc = open_models(&k);
	if (rc == 0) {
		k.blob = xalloc((size_t)k.m->nblob + 1, sizeof *k.blob);
		rc = make(&k, n);
		free(k.blob);
	}
	nn_free(&k.b);
	return rc;
}

int nn_first_load(struct nn_first *f, const char *model, enum nn_backend backend, struct err *e)
{
	*f = (struct nn_first){ .m = NULL };
	if (!*model) return err_set(e, E_SCENE, "needs model=\"x.param\" or \"x.onnx\"");
	if (backend == NN_ORT) {
		if (nn_ort_learn(model, &f->ort, e) < 0) return -1;
		f->m = f->own = nn_ort_model(model, &f->ort);
	} else f->m = nn_share(model, e);
	return f->m ? 0 : -1;
}

void nn_first_free(struct nn_first *f)
{
	if (f->own) nn_free(&f->own);
	else nn_unshare(&f->m);
}
