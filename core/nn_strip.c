/* nn_strip - see nn_strip.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_strip.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "px_layer.h"

/* WHOLE: what maps and weights may take together, so that a 4K picture is made in 1.5 GiB.
 * DEARER: how much of the work a
 * strip may do again at its borders where WHOLE cannot be kept. */
#define WHOLE ((double)1064 * 1048576)
#define DEARER 1.15
enum { ROWS = 32, LOOK_BACK = 40 };

/* The activation that alone reads what layer i, a convolution without one, makes; or -1. */
static int following(const struct nn_model *m, int i)
{
	const struct nn_layer *l = &m->layer[i];
	if ((l->op != NN_CONV && l->op != NN_DECONV) || l->act != NN_LINEAR ||
	    m->blob[l->out].uses != 1) return -1;
	for (int j = i + 1; j < m->nlayer; j++)
		if (m->layer[j].nin && m->layer[j].in[0] == l->out) return m->layer[j].op == NN_ACT ? j : -1;
	return -1;
}

struct nn_unit *nn_units(const struct nn_model *m, int *n)
{
	struct nn_unit *u = xalloc((size_t)m->nlayer + 1, sizeof *u);
	bool *done = xalloc((size_t)m->nlayer + 1, sizeof *done);
	*n = 0;
	for (int i = 0; i < m->nlayer; i++) {
		if (done[i] || m->layer[i].op == NN_INPUT || m->layer[i].gone) continue;
		int act = following(m, i);
		if (act >= 0) done[act] = true;
		u[(*n)++] = (struct nn_unit){ i, act, m->layer[act >= 0 ? act : i].out };
	}
	free(done);
	return u;
}

/* What is looked at while cuts are tried. last: the last unit that reads a blob; made: the one
 * that makes it; at: its
 * bytes a row, and its work; want: rows of the strip at hand. */
struct cutter {
	const struct nn_model *m; const struct nn_unit *u; int n; struct rect window;
	int *last, *made; double *row, *work; struct rect *full, *want;
	struct px_layer *layer; struct nn_conv *conv;
};

static double weights_of(const struct nn_model *m)
{
	double sum = 0;
	for (int i = 0; i < m->nlayer; i++) sum += (double)nn_conv_bytes(m, &m->layer[i]);
	return sum;
}

static bool convolves(const struct nn_layer *l) { return l->op == NN_CONV || l->op == NN_DECONV; }

/* Pixels moved and mixed, which the planner computes with the layer that reads them: such maps
 * take nothing. */
static void forget_fused(struct cutter *c)
{
	const struct nn_model *m = c->m;
	for (int i = 0; i < c->n; i++) {
		const struct nn_layer *l = &m->layer[c->u[i].layer];
		int b = c->u[i].out;
		bool moves = l->op == NN_SHUFFLE || l->op == NN_INTERP || l->op == NN_BINARY || l->op ==
			NN_ACT || l->op == NN_AFFINE;
		for (int k = i + 1; k < c->n && moves; k++)
			for (int j = 0; j < m->layer[c->u[k].layer].nread; j++)
				if (m->layer[c->u[k].layer].read[j] == b && convolves(&m->layer[c->u[k].layer])) moves = false;
		if (moves && b != m->output) c->row[b] = 0;
	}
}

static void look(struct cutter *c)
{
	const struct nn_model *m = c->m;
	for (int b = 0; b < m->nblob; b++) {
		c->full[b] = nn_window(&m->blob[b], c->window);
		c->row[b] = (double)rect_w(c->full[b]) * nn_planes(m->blob[b].c) * nn_step(m->blob[b].c) * sizeof(float);
		c->last[b] = c->made[b] = -1;
	}
	for (int i = 0; i < c->n; i++) {
		const struct nn_layer *l = &m->layer[c->u[i].layer];
		c->made[c->u[i].out] = i;
		for (int j = 0; j < l->nread; j++) c->last[l->read[j]] = i;
		double taps = convolves(l)
			? (double)l->k * l->k * m->blob[l->in[0]].c / (l->group ? l->group : 1) : 4;
		c->work[i] = taps * m->blob[c->u[i].out].c * rect_w(c->full[c->u[i].out]);
	}
	c->last[m->output] = c->n;
	forget_fused(c);
}

static void rows_of(struct cutter *c, int first, int y0, int y1)
{
	const struct nn_model *m = c->m;
	memset(c->want, 0, (size_t)m->nblob * sizeof *c->want);
	c->want[m->output] = rect_and(c->full[m->output], rect_of(INT32_MIN / 2, y0, INT32_MAX / 2, y1));
	for (int i = c->n - 1; i >= first; i--) {
		struct rect r = c->want[c->u[i].out];
		struct px_layer *s = c->layer;
		if (rect_empty(r)) continue;
		s->l = m->layer[c->u[i].layer];
		if (convolves(&s->l)) {
			*c->conv = nn_conv_shape(m, &s->l);
			nn_conv_place(c->conv, c->full[s->l.in[0]], c->full[s->l.out]);
		}
		s->conv = convolves(&s->l) ? c->conv : NULL;
		for (int j = 0; j < s->l.nread; j++) s->from[j] = c->full[s->l.read[j]];
		struct rect need = px_layer_need(s, r);
		for (int j = 0; j < s->l.nread; j++) {
			int b = s->l.read[j];
			struct rect whole = c->full[b], rows = rect_of(whole.x0, need.y0, whole.x1, need.y1);
			c->want[b] = rect_or(c->want[b], m->blob[b].vec ? whole : rect_and(rows, whole));
		}
	}
}

/* Bytes alive while unit i runs: of blobs that units from `first` on make, strips; of others,
 * whole, and as long as any
 * strip is to come that reads them. */
static double alive(const struct cutter *c, int i, int first)
{
	double sum = 0;
	for (int b = 0; b < c->m->nblob; b++) {
		bool strip = c->made[b] >= first;
		if (c->made[b] > i || (c->made[b] < 0 && b != c->m->input)) continue;
		if (c->last[b] >= (strip || i < first ? i : first)) sum += c->row[b] * rect_h(strip ? c->want[b]
			: c->full[b]);
	}
	return sum;
}

/* Peak and work of units before `first` whole and the others in n strips. */
static double try_cut(struct cutter *c, int first, int n, const double *whole, struct nn_strips *s)
{
	struct rect out = c->full[c->m->output];
	double all = c->row[c->m->output] * rect_h(out), work = 0;
	s->first = first;
	s->rows = ((rect_h(out) + n - 1) / n + ROWS - 1) / ROWS * ROWS;
	s->n = (rect_h(out) + s->rows - 1) / s->rows;
	s->peak = 2 * all;
	for (int i = 0; i < first; i++) {
		s->peak = whole[i] > s->peak ? whole[i] : s->peak;
		work += c->work[i] * rect_h(c->full[c->u[i].out]);
	}
	for (int k = 0; k < s->n; k++) {
		rows_of(c, first, out.y0 + k * s->rows, out.y0 + (k + 1) * s->rows);
		for (int i = first; i < c->n; i++) {
			work += c->work[i] * rect_h(c->want[c->u[i].out]);
			if (k > 1) continue;
			double a = all + alive(c, i, first);
			s->peak = a > s->peak ? a : s->peak;
		}
	}
	return work;
}

/* The first unit from which on nothing takes the mean of a picture. */
static int behind_means(const struct cutter *c)
{
	int first = 0;
	for (int i = 0; i < c->n; i++)
		if (c->m->layer[c->u[i].layer].op == NN_MEAN || c->m->blob[c->u[i].out].vec) first = i + 1;
	return first;
}

static const int tries[] = { 2, 3, 4, 6, 8, 12, 16, 24, 32 };

/* Of the cuts that are not too dear the one of least work whose peak is at most `limit`, or whose
 * peak is least (limit 0). */
static struct nn_strips search(struct cutter *c, const double *whole, double all, double limit)
{
	struct nn_strips best = { c->n, 1, 0, 0 };
	double least = 0;
	int from = behind_means(c);
	if (from < c->n - LOOK_BACK) from = c->n - LOOK_BACK;
	for (int first = c->n - 1; first >= from; first--)
		for (size_t t = 0; t < IN_COUNT(tries); t++) {
			struct nn_strips s;
			double work = try_cut(c, first, tries[t], whole, &s), rank = limit > 0 ? work : s.peak;
			if (work > all * DEARER || (limit > 0 && s.peak > limit) || (best.n > 1 &&
			                                                             rank >= least)) continue;
			best = s;
			least = rank;
		}
	return best;
}

static struct nn_strips choose(struct cutter *c, double limit)
{
	double *whole = xalloc((size_t)c->n + 1, sizeof *whole), all = 0;
	struct nn_strips none = { c->n, 1, 0, 0 }, s = none;
	for (int i = 0; i < c->n; i++) {
		whole[i] = alive(c, i, c->n);
		none.peak = whole[i] > none.peak ? whole[i] : none.peak;
		all += c->work[i] * rect_h(c->full[c->u[i].out]);
	}
	if (none.peak > limit) {
		s = search(c, whole, all, 0);
		if (s.n > 1) s = search(c, whole, all, s.peak * 1.02 > limit ? s.peak * 1.02 : limit);
	}
	free(whole);
	return s.n > 1 && s.peak < none.peak * 0.95 ? s : none;
}

static void open_cutter(struct cutter *c)
{
	size_t n = (size_t)c->n + 1, b = (size_t)c->m->nblob + 1;
	c->last = xalloc(b, sizeof *c->last);
	c->made = xalloc(b, sizeof *c->made);
	c->row = xalloc(b, sizeof *c->row);
	c->full = xalloc(b, sizeof *c->full);
	c->want = xalloc(b, sizeof *c->want);
	c->work = xalloc(n, sizeof *c->work);
	c->layer = xalloc(1, sizeof *c->layer);
	c->conv = xalloc(1, sizeof *c->conv);
	look(c);
}

static void close_cutter(struct cutter *c)
{
	free(c->last);
	free(c->made);
	free(c->row);
	free(c->full);
	free(c->want);
	free(c->work);
	free(c->layer);
	free(c->conv);
}

static struct nn_strips find_strips(const struct nn_model *m, const struct nn_unit *u, int n,
                                    struct rect window)
{
	struct cutter c = { .m = m, .u = u, .n = n, .window = window };
	double weights = weights_of(m);
	open_cutter(&c);
	struct nn_strips s = choose(&c, weights < WHOLE ? WHOLE - weights : 0);
	close_cutter(&c);
	s.peak += weights;
	return s;
}

/* Every layer of a scene asks again. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct nn_strips nn_strips_of(const struct nn_model *m, const struct nn_unit *u, int n,
                              struct rect window)
{
	struct nn_cut *k = m->cut;
	pthread_mutex_lock(&lock);
	bool known = k && k->strips.n && rect_eq(k->window, window);
	struct nn_strips s = known ? k->strips : find_strips(m, u, n, window);
	if (k) *k = (struct nn_cut){ window, s };
	pthread_mutex_unlock(&lock);
	return s;
}

void nn_strip_rows(const struct nn_model *m, const struct nn_unit *u, int n,
                   const struct nn_strips *s, int k,
                   struct rect window, struct rect *want)
{
	struct cutter c = { .m = m, .u = u, .n = n, .window = window };
	open_cutter(&c);
	int y0 = c.full[m->output].y0 + k * s->rows;
	rows_of(&c, s->first, y0, y0 + s->rows);
	memcpy(want, c.want, (size_t)m->nblob * sizeof *want);
	close_cutter(&c);
}
