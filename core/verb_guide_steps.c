/* verb_guide_steps - the eight steps: what each measures and proposes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "measure.h"
#include "px_colour.h"
#include "verb_guide.h"

/* What a graded picture usually has, on the Rec.709 signal: luma from 5 to 95 %, and
 * mean chroma of what is not grey. */
#define USUAL_SPAN 0.58
#define USUAL_CHROMA 0.075

void guide_say(struct guide *g, const char *fmt, ...)
{
	size_t n = strlen(g->said);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(g->said + n, sizeof g->said - n, fmt, ap);
	va_end(ap);
}

struct net_node *guide_node(const struct guide *g, const char *type)
{
	struct net_node *n = g->end;
	while (n && (strcmp(n->type->name, type) != 0 || n->group)) n = n->nconn ? n->conn[0] : NULL;
	return n;
}

static void put(struct guide *g, const struct net_node *nn, const char *name, const char *value)
{
	if (g->nput == (int)IN_COUNT(g->put)) return;
	g->on = arena_strdup(g->s->a, nn->id);
	g->put[g->nput++] = (struct attr){ name, arena_strdup(g->s->a, value), 0 };
}
static void put_number(struct guide *g, const struct net_node *nn, const char *name, double v, double step)
{
	char text[40];
	mx_print(mx_round(v / step) * step + 0.0, text);
	if (strlen(text) > 12) snprintf(text, sizeof text, "%.4g", mx_round(v / step) * step);
	put(g, nn, name, text);
}

/* Runs the node's own solve; of what it proposes only these names ("*": all). */
static int solved(struct guide *g, struct net_node *nn, const char *names, struct err *e)
{
	struct session *s = g->s;
	char *id = xstrdup(nn->id), have[2];
	int before = s->nover, rc = session_solve(s, id, false, false, e);
	free(id);
	if (rc < 0) return -1;
	g->end = session_find(s, g->shot, e);
	if (!g->end) return -1;
	if (g->end->type->flags & NF_SINK) g->end = g->end->conn[0];
	guide_say(g, "%s; confidence %.2f", s->said, s->confidence);
	if (s->nover == before) { guide_say(g, ", too low to be applied"); return 0; }
	const struct solve_over over = s->over[--s->nover];
	g->on = over.node;
	for (int i = 0; i < over.nattr && g->nput < (int)IN_COUNT(g->put); i++) {
		const char *at = strstr(names, over.attr[i].name);
		size_t len = strlen(over.attr[i].name);
		have[0] = at && at > names ? at[-1] : ' ';
		have[1] = at ? at[len] : 'x';
		if (strcmp(names, "*") == 0 || (at && have[0] == ' ' && (have[1] == ' ' || !have[1])))
			g->put[g->nput++] = over.attr[i];
	}
	return 0;
}

/* Pixels of a node's picture as Rec.709 signal. */
static int signal_of(struct guide *g, struct net_node *nn, struct pixels *p, struct err *e)
{
	struct image *im[GUIDE_FRAMES] = { NULL };
	struct colour_xform x;
	int n, rc = guide_frames(g, nn, im, &n, e);
	int space = nn->fmt.space;
	for (int i = 0; i < n && rc == 0; i++) {
		space = im[i]->fmt.space;
		rc = pixels_add(p, im[i], 30000, e);
	}
	for (int i = 0; i < n; i++) image_unref(&im[i]);
	if (rc < 0) return -1;
	colour_xform_init(&x, space, colour_find("rec709"));
	colour_row(&x, p->p[0], p->p[1], p->p[2], (int)p->n);
	return 0;
}

static double number(const struct net_node *nn, const char *name)
{
	const struct param *p = param_find(nn->type->params, name);
	double v = 1;
	if (p && p->type == PT_FLOAT) memcpy(&v, (const char *)nn->ctx.v + p->off, sizeof v);
	return v;
}

/* 5 and 95 % of luma, and the mean chroma of what has some. */
struct tone { double low, high, chroma, top, bottom, over, under; };
static int tone_of(struct guide *g, struct net_node *nn, struct tone *t, struct err *e)
{
	struct pixels p = { .n = 0 };
	memset(t, 0, sizeof *t);
	if (signal_of(g, nn, &p, e) < 0) { pixels_free(&p); return -1; }
	float *y = xalloc(p.n + 1, sizeof *y);
	size_t coloured = 0;
	t->bottom = 1e9;
	for (size_t i = 0; i < p.n; i++) {
		double rgb[3] = { p.p[0][i], p.p[1][i], p.p[2][i] }, v[3], hi = rgb[0], lo = rgb[0];
		skin_ycc(rgb, v);
		y[i] = (float)v[0];
		double c = __builtin_sqrt(v[1] * v[1] + v[2] * v[2]);
		if (c > 0.01) { t->chroma += c; coloured++; }
		for (int k = 1; k < 3; k++) { hi = rgb[k] > hi ? rgb[k] : hi; lo = rgb[k] < lo ? rgb[k] : lo; }
		t->top = hi > t->top ? hi : t->top;
		t->bottom = lo < t->bottom ? lo : t->bottom;
		t->over += (hi > 1.0005) / (double)p.n;
		t->under += (lo < -0.0005) / (double)p.n;
	}
	if (coloured) t->chroma /= (double)coloured;
	floats_sort(y, p.n);
	t->low = floats_quantile(y, p.n, 0.05);
	t->high = floats_quantile(y, p.n, 0.95);
	free(y);
	pixels_free(&p);
	return 0;
}

static struct net_node *need_node(struct guide *g, const char *type)
{
	struct net_node *nn = guide_node(g, type);
	if (!nn) guide_say(g, "there is no <%s> in this shot; add one to have a proposal", type);
	return nn;
}

static int step_exposure(struct guide *g, struct err *e)
{
	struct net_node *nn = need_node(g, "balance");
	return nn ? solved(g, nn, "exposure black white", e) : 0;
}
static int step_white(struct guide *g, struct err *e)
{
	struct net_node *nn = need_node(g, "balance");
	return nn ? solved(g, nn, "temperature tint skin solved", e) : 0;
}

/* Half the way to what is usual, within 15 %; what is within 5 % of it is left alone. */
static double toward(double usual, double is)
{
	double k = is > 1e-4 ? 1 + 0.5 * (usual / is - 1) : 1;
	k = k < 0.85 ? 0.85 : k > 1.15 ? 1.15 : k;
	return k > 0.975 && k < 1.025 ? 1 : k;
}

static int step_contrast(struct guide *g, struct err *e)
{
	struct tone t;
	struct net_node *nn = need_node(g, "grade");
	if (!nn || tone_of(g, nn, &t, e) < 0) return nn ? -1 : 0;
	double k = toward(USUAL_SPAN, t.high - t.low);
	guide_say(g, "luma from 5 to 95 %% spans %.3f of the signal (%.3f to %.3f; %.2f is usual)",
	          t.high - t.low, t.low, t.high, USUAL_SPAN);
	if (k != 1) put_number(g, nn, "contrast", number(nn, "contrast") * k, 0.01);
	else guide_say(g, "; left alone");
	return 0;
}
static int step_saturation(struct guide *g, struct err *e)
{
	struct tone t;
	struct net_node *nn = need_node(g, "grade");
	if (!nn || tone_of(g, nn, &t, e) < 0) return nn ? -1 : 0;
	double k = toward(USUAL_CHROMA, t.chroma);
	guide_say(g, "mean chroma of what has colour is %.4f of the signal (%.3f is usual)", t.chroma, USUAL_CHROMA);
	if (k != 1 && t.chroma > 0) put_number(g, nn, "saturation", number(nn, "saturation") * k, 0.01);
	else guide_say(g, "; left alone");
	return 0;
}

/* The declared skin that the shot is most like, when a good part of it is. */
static const struct net_node *skin_like(struct guide *g, const struct pixels *p, struct skin_stats *st)
{
	const struct net_node *best = NULL;
	for (int i = 0; i < g->s->net->nnode; i++) {
		const struct net_node *k = g->s->net->node[i];
		struct skin_stats here;
		if (strcmp(k->type->name, "skin") != 0) continue;
		const struct skin_ref *ref = k->ctx.v;
		if (!(ref->spread > 0)) continue;
		skin_measure((const float *const *)p->p, p->n, SKIN_LIKE, ref, &here);
		if (here.share < 0.01 || (best && here.share <= st->share)) continue;
		best = k;
		*st = here;
	}
	return best;
}

static int step_skin(struct guide *g, struct err *e)
{
	struct net_node *nn = need_node(g, "grade");
	struct skin_stats in, out, like;
	struct pixels a = { .n = 0 }, b = { .n = 0 };
	char text[2][200];
	int rc = -1;
	if (!nn) return 0;
	if (!nn->conn[0] || signal_of(g, nn->conn[0], &a, e) < 0 || signal_of(g, nn, &b, e) < 0) goto out;
	skin_measure((const float *const *)a.p, a.n, SKIN_ANY, NULL, &in);
	skin_measure((const float *const *)b.p, b.n, SKIN_ANY, NULL, &out);
	skin_text(&in, text[0], sizeof text[0]);
	skin_text(&out, text[1], sizeof text[1]);
	guide_say(g, "before the grade: %s; after: %s", text[0], text[1]);
	const struct net_node *k = skin_like(g, &a, &like);
	if (nn->ctx.skin) guide_say(g, "; it is held already");
	else if (k && strchr(nn->id, '.'))
		guide_say(g, "; like '%s', which this graph cannot name: give it an <input> for hold_skin",
		          k->id);
	else if (k) {
		const struct skin_ref *ref = k->ctx.v;
		guide_say(g, "; %.0f %% of it is like '%s', %+.1f degrees from it", 100 * like.share, k->id,
		          skin_turn(ref->hue, like.hue));
		put(g, nn, "hold_skin", k->id);
	} else if (in.n) guide_say(g, "; declare it with <skin> to hold it");
	rc = 0;
out:
	pixels_free(&a);
	pixels_free(&b);
	return rc;
}

static int step_match(struct guide *g, struct err *e)
{
	struct net_node *nn = need_node(g, "match");
	return nn ? solved(g, nn, "*", e) : 0;
}
static int step_look(struct guide *g, struct err *e)
{
	struct net_node *nn = guide_node(g, "look");
	if (!nn) { guide_say(g, "a look is the author's; a <look reference=...> takes one from a still"); return 0; }
	return solved(g, nn, "*", e);
}

static int step_legal(struct guide *g, struct err *e)
{
	struct tone t;
	struct net_node *ceiling = guide_node(g, "ceiling"), *nn = guide_node(g, "grade");
	if (tone_of(g, g->end, &t, e) < 0) return -1;
	guide_say(g, "signal from %.4f to %.4f; %.3f %% of the pixels above 1, %.3f %% below 0",
	          t.bottom, t.top, 100 * t.over, 100 * t.under);
	if (t.over < 0.001 && t.under < 0.001) guide_say(g, "; within range");
	else if (t.over < 0.001)
		guide_say(g,
		          "; what is below 0 is clipped by the encoder: raise black or lower saturation");
	else if (ceiling) guide_say(g, "; '%s' stands above it: lower its level", ceiling->id);
	else if (nn) {
		double stops = mx_log2(t.top) * 2.4;
		put_number(g, nn, "exposure", (param_find(nn->type->params, "exposure") ? number(nn, "exposure") : 0)
		           - (stops < 0.5 ? stops : 0.5), 0.01);
	} else guide_say(g, "; add a <ceiling> or <tone> before the output");
	return 0;
}

const struct guide_step guide_steps[GUIDE_STEPS] = {
	{ "exposure", step_exposure }, { "white", step_white }, { "contrast", step_contrast },
		{ "saturation", step_saturation },
	{ "skin", step_skin }, { "match", step_match }, { "look", step_look }, { "range", step_legal },
};
