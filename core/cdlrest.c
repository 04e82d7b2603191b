/* cdlrest - what a CDL leaves over between two sets of pixels, as a table that comes after it.
 *
 * The table starts as the transport of the whole distribution, which is right about the crowd
 * and rough about single statistics. What these are still off by is then taken away where it
 * lies: quantiles to quantiles along each channel, along luma (all channels together) and along
 * chroma (the distance from luma), by turns, as iterative distribution transfer does along its
 * axes (Pitie, Kokaram, Dahyot 2007).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cdlrest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "mem.h"
#include "transport.h"

enum { SIDE = 33, NODES = SIDE * SIDE * SIDE, KNOTS = 23, ROUNDS = 10, BINS = 8192, AXES = 5 };
/* acescct, from under black to over white in steps of 0.0005; the table goes on straight
 * beyond. A cell of it spans six steps at least. */
enum { STEPS = 1100, THINNEST = 4 };
#define LOW 0.05
#define TOP 0.6
#define STEP ((TOP - LOW) / STEPS)
#define BIN_LOW (-0.4)
#define BIN_TOP 1.2

/* place: the steps at which a channel's nodes stand; cell: which of its cells a step lies in. */
struct cdl_rest { double share; double (*node)[3]; int place[3][SIDE]; uint8_t cell[3][STEPS]; };

/* Along red, green, blue, luma, chroma: what quantiles are, and by how much they are to move. */
struct bend { double x[AXES][KNOTS], add[AXES][KNOTS]; };

static double luma_of(const double v[3]) { return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; }

static double chroma_of(const double v[3], double y)
{
	double d = 0;
	for (int k = 0; k < 3; k++) d += (v[k] - y) * (v[k] - y);
	return __builtin_sqrt(d);
}

/* The table's tetrahedral value, mixed with none; colours outside move as its border does. */
static void rest_map(const struct cdl_rest *r, double v[3])
{
	static const int step[3] = { 1, SIDE, SIDE * SIDE };
	double w[3], in[3];
	int order[3] = { 0, 1, 2 }, at = 0;
	for (int k = 0; k < 3; k++) {
		in[k] = v[k] < LOW ? LOW : v[k] > TOP ? TOP : v[k];
		double t = (in[k] - LOW) / STEP;
		int cell = r->cell[k][t < STEPS - 1 ? (int)t : STEPS - 1], from = r->place[k][cell];
		w[k] = (t - from) / (r->place[k][cell + 1] - from);
		at += cell * step[k];
	}
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 2; j++)
			if (w[order[j]] < w[order[j + 1]]) {
				int t = order[j];
				order[j] = order[j + 1];
				order[j + 1] = t;
			}
	double left = 1, sum[3] = { 0 };
	for (int i = 0; i <= 3; i++) {
		double next = i < 3 ? w[order[i]] : 0;
		for (int k = 0; k < 3; k++) sum[k] += (left - next) * r->node[at][k];
		left = next;
		if (i < 3) at += step[order[i]];
	}
	for (int k = 0; k < 3; k++) v[k] += sum[k] - in[k];
}

static struct pixels rest_apply(const struct cdl_rest *r, const struct pixels *in)
{
	struct pixels out = { .n = in->n };
	for (int k = 0; k < 3; k++) out.p[k] = xalloc(in->n + 1, sizeof(float));
	for (size_t i = 0; i < in->n; i++) {
		double v[3] = { in->p[0][i], in->p[1][i], in->p[2][i] };
		rest_map(r, v);
		for (int k = 0; k < 3; k++) out.p[k][i] = (float)v[k];
	}
	return out;
}

/* --- the table --- */

/* What the linear map m, add makes of what came into f. */
static void linear_node(const struct cdl_fit *f, const double *m, const double *add, double v[3])
{
	double w[3], y = luma_of(v);
	for (int k = 0; k < 3; k++) {
		double b = y + (v[k] - y) / f->saturation;
		if (b > 0 && f->power[k] != 1) b = mx_pow(b, 1 / f->power[k]);
		w[k] = (b - f->offset[k]) / f->slope[k];
	}
	for (int k = 0; k < 3; k++) v[k] = m[k * 3] * w[0] + m[k * 3 + 1] * w[1] + m[k * 3 + 2] * w[2] + add[k];
}

static void node_of(const struct cdl_rest *r, int i, double v[3])
{
	int at[3] = { i % SIDE, i / SIDE % SIDE, i / SIDE / SIDE };
	for (int k = 0; k < 3; k++) v[k] = LOW + r->place[k][at[k]] * STEP;
}

/* Nodes stand half as evenly, half as densely as pixels do: what differs within a narrow
 * crowd, as highlights are, is told apart. */
static void place_nodes(struct cdl_rest *r, const struct pixels *p)
{
	for (int k = 0; k < 3; k++) {
		uint32_t count[STEPS] = { 0 };
		double sum = 0;
		int n = 1, *at = r->place[k];
		for (size_t i = 0; i < p->n; i++) {
			double t = (p->p[k][i] - LOW) / STEP;
			if (t >= 0 && t < STEPS) count[(int)t]++;
		}
		for (int j = 0; j < STEPS && n < SIDE - 1; j++) {
			sum += 0.5 / STEPS + 0.5 * count[j] / (double)(p->n ? p->n : 1);
			if (sum * (SIDE - 1) >= n && j + 1 - at[n - 1] >= THINNEST) at[n++] = j + 1;
		}
		while (n < SIDE) at[n++] = STEPS;
		for (int i = SIDE - 2; i > 0; i--)      /* the last ones may have run together */
			if (at[i] > at[i + 1] - THINNEST) at[i] = at[i + 1] - THINNEST;
		for (int j = 0, c = 0; j < STEPS; j++) {
			while (j >= at[c + 1]) c++;
			r->cell[k][j] = (uint8_t)c;
		}
	}
}

/* How far what a node is moved by may differ from what its neighbour is, against their
 * distance: along the channel itself, and across. More would draw contours into walls and skies
 * and colour into noise. */
#define ALONG 0.7
#define ACROSS 0.35

/* Neighbours that differ by more give way by half each, round after round. */
static void smooth(struct cdl_rest *r, int rounds)
{
	static const int step[3] = { 1, SIDE, SIDE * SIDE };
	for (int pass = 0; pass < 3 * rounds; pass++) {
		int axis = pass % 3, d = step[axis];
		for (int i = 0; i + d < NODES; i++) {
			int place = i / d % SIDE;
			if (place == SIDE - 1) continue;
			double far = (r->place[axis][place + 1] - r->place[axis][place]) * STEP;
			for (int k = 0; k < 3; k++) {
				double most = far * (k == axis ? ALONG : ACROSS), is = r->node[i + d][k] - r->node[i][k];
				double over = is - (k == axis ? far : 0);
				over = over > most ? over - most : over < -most ? over + most : 0;
				r->node[i][k] += over / 2;
				r->node[i + d][k] -= over / 2;
			}
		}
	}
}

/* --- the statistics, one after the other --- */

static const double quantile[KNOTS] = { 0.005, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
	0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.995 };

struct counts { uint32_t bin[BINS]; };

/* The quantiles of p along an axis. */
static void quantiles(const struct pixels *p, int axis, struct counts *c, double out[KNOTS])
{
	const double width = (BIN_TOP - BIN_LOW) / BINS;
	uint64_t below = 0;
	int j = 0;
	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < p->n; i++) {
		double v[3] = { p->p[0][i], p->p[1][i], p->p[2][i] }, y = luma_of(v);
		double x = axis < 3 ? v[axis] : axis == 3 ? y : chroma_of(v, y), t = (x - BIN_LOW) / width;
		c->bin[t > 0 ? t < BINS - 1 ? (int)t : BINS - 1 : 0]++;
	}
	for (int i = 0; i < BINS && j < KNOTS; i++) {
		if (!c->bin[i]) continue;
		for (; j < KNOTS && (double)(below + c->bin[i]) >= quantile[j] * (double)p->n; j++)
			out[j] = BIN_LOW + width * (i + (quantile[j] * (double)p->n - (double)below) / c->bin[i]);
		below += c->bin[i];
	}
	for (; j < KNOTS; j++) out[j] = BIN_TOP;
}

/* The curve from quantiles x to y, of slopes a half to two: bent back from the middle outward. */
static void bend_axis(const double *x, const double *y, double *at, double *add)
{
	for (int i = 0; i < KNOTS; i++) {
		at[i] = x[i];
		add[i] = y[i] - x[i];
	}
	for (int side = -1; side <= 1; side += 2)
		for (int i = KNOTS / 2 + side; i >= 0 && i < KNOTS; i += side) {
			double dx = (x[i] - x[i - side]) * side;
			double most = add[i - side] + side * dx, least = add[i - side] - side * dx / 2;
			double lo = side > 0 ? least : most, hi = side > 0 ? most : least;
			add[i] = add[i] < lo ? lo : add[i] > hi ? hi : add[i];
		}
}

static double bend_at(const double *x, const double *add, double v)
{
	if (v <= x[0]) return add[0];
	if (v >= x[KNOTS - 1]) return add[KNOTS - 1];
	int i = 0;
	while (v > x[i + 1]) i++;
	double w = x[i + 1] - x[i];
	return w > 0 ? add[i] + (add[i + 1] - add[i]) * (v - x[i]) / w : add[i];
}

/* Moves a colour along the axes from to last. */
static void bend_node(const struct bend *b, int from, int last, double v[3])
{
	for (int k = from; k <= last && k < 3; k++) v[k] += bend_at(b->x[k], b->add[k], v[k]);
	double y = luma_of(v);
	if (from <= 3 && last >= 3) {
		double d = bend_at(b->x[3], b->add[3], y);
		for (int k = 0; k < 3; k++) v[k] += d;
		y += d;
	}
	double c = last >= 4 ? chroma_of(v, y) : 0;
	if (c > 1e-6) {
		/* what is nearly grey keeps its share of the move of the first knot */
		double d = c < b->x[4][0] ? b->add[4][0] * c / b->x[4][0] : bend_at(b->x[4], b->add[4], c);
		double k4 = (c + d) / c;
		k4 = k4 < 0.5 ? 0.5 : k4 > 2 ? 2 : k4;
		for (int k = 0; k < 3; k++) v[k] = y + (v[k] - y) * k4;
	}
}

/* To r->share of the way from what quantiles of `from` are to those of ref. in: what the table
 * is given. */
static void finish(struct cdl_rest *r, const struct pixels *in, const struct pixels *from,
                   const struct pixels *ref)
{
	static const int first[3] = { 0, 3, 4 }, last[3] = { 2, 3, 4 };
	struct counts *c = xalloc(1, sizeof *c);
	double want[AXES][KNOTS], is[KNOTS];
	struct bend b;
	for (int a = 0; a < AXES; a++) {
		quantiles(ref, a, c, want[a]);
		quantiles(from, a, c, is);
		for (int j = 0; j < KNOTS; j++) want[a][j] = is[j] + r->share * (want[a][j] - is[j]);
	}
	for (int i = 0; i <= 3 * ROUNDS; i++) {
		struct pixels done = rest_apply(r, in);
		for (int a = first[i % 3]; a <= last[i % 3]; a++) {
			quantiles(&done, a, c, is);
			bend_axis(is, want[a], b.x[a], b.add[a]);
		}
		pixels_free(&done);
		for (int j = 0; j < NODES; j++) bend_node(&b, first[i % 3], last[i % 3], r->node[j]);
		smooth(r, i < 3 * ROUNDS ? 3 : 60);
	}
	free(c);
}

/* --- */

/* The statistics of one set of pixels under fit and table. */
static void judge(const struct cdl_rest *r, const struct cdl_fit *f, const struct guard_set *s,
                  struct guard_report *out)
{
	struct pixels cdl = { .n = 0 };
	for (int k = 0; k < 3; k++) cdl.p[k] = xalloc(s->in->n + 1, sizeof(float));
	cdl_apply(f, s->in, &cdl);
	struct pixels done = rest_apply(r, &cdl);
	cdl_stats_of(s->in, &out->before);
	cdl_stats_of(&done, &out->after);
	cdl_stats_of(s->ref, &out->ref);
	guard_count(s->scatter, out);
	pixels_free(&cdl);
	pixels_free(&done);
}

/* The whole of the transport, or of the linear map, at the nodes. */
static void whole(const struct cdl_rest *r, const struct pixels *cdl, const struct pixels *ref,
                  const double *m, const double *add, const struct cdl_fit *f, double (*to)[3])
{
	struct transport *t = m ? NULL : transport_new(cdl, ref);
	for (int i = 0; i < NODES; i++) {
		node_of(r, i, to[i]);
		if (m) linear_node(f, m, add, to[i]);
		else transport_map(t, to[i]);
	}
	transport_free(&t);
}

/* The table that goes a share of the way. */
static void build(struct cdl_rest *r, double (*to)[3], bool curves, const struct guard_set *s,
                  const struct pixels *cdl)
{
	for (int i = 0; i < NODES; i++) {
		node_of(r, i, r->node[i]);
		for (int k = 0; k < 3; k++) r->node[i][k] += r->share * (to[i][k] - r->node[i][k]);
	}
	if (!curves) return;
	smooth(r, 60);
	finish(r, cdl, s->in, s->ref);
}

struct cdl_rest *cdl_rest_new(const struct guard_set *set, int nset, const double *m, const double *add,
                              struct cdl_fit *f, struct guard_report *r)
{
	static const double shares[] = { 1, 0.8, 0.6, 0.4, 0.25, 0.12 };
	struct cdl_rest *rest = xalloc(1, sizeof *rest);
	struct pixels cdl = { .n = 0 };
	double (*to)[3] = xalloc(NODES, sizeof *to);
	bool found = false;
	for (int k = 0; k < 3; k++) cdl.p[k] = xalloc(set[0].in->n + 1, sizeof(float));
	cdl_apply(f, set[0].in, &cdl);
	rest->node = xalloc(NODES, sizeof *rest->node);
	place_nodes(rest, &cdl);
	whole(rest, &cdl, set[0].ref, m, add, f, to);
	for (size_t i = 0; i < 2 * IN_COUNT(shares) && !found; i++) {
		/* first so that none is farther, then so that none is beyond its scatter */
		struct guard_report all = { .most = 0 };
		rest->share = shares[i % IN_COUNT(shares)];
		build(rest, to, !m, &set[0], &cdl);
		for (int s = 0; s < nset; s++) judge(rest, f, &set[s], &all);
		found = (i < IN_COUNT(shares) ? all.most : all.worst) <= 0;
		if (found) *r = all;
	}
	struct pixels done = rest_apply(rest, &cdl);
	if (found) f->rms = cdl_gap(&done, set[0].ref);
	if (found) f->confidence = 1 / (1 + f->rms * f->rms / (0.02 * 0.02));
	pixels_free(&done);
	pixels_free(&cdl);
	free(to);
	if (!found) cdl_rest_free(&rest);
	return rest;
}
void cdl_rest_free(struct cdl_rest **rest)
{
	if (*rest) free((*rest)->node);
	free(*rest);
	*rest = NULL;
}
double cdl_rest_share(const struct cdl_rest *rest) { return rest->share; }

char *cdl_rest_cube(const struct cdl_rest *r, const char *id)
{
	size_t room = (size_t)(NODES + STEPS + 1) * 64 + 400, at = 0;
	char *out = xalloc(room, 1);
	at += (size_t)snprintf(out, room, "# interneg: what the CDL of match '%s' leaves over; in and out: acescct\n"
	                       "LUT_1D_SIZE %d\nLUT_1D_INPUT_RANGE %g %g\nLUT_3D_SIZE %d\nLUT_3D_INPUT_RANGE 0 %d\n", id,
	                       STEPS + 1, LOW, TOP, SIDE, SIDE - 1);
	for (int j = 0; j <= STEPS; j++) {      /* in cells of the table */
		double v[3];
		for (int k = 0; k < 3; k++) {
			int c = r->cell[k][j < STEPS ? j : STEPS - 1], from = r->place[k][c];
			v[k] = c + (double)(j - from) / (r->place[k][c + 1] - from);
		}
		at += (size_t)snprintf(out + at, room - at, "%.7g %.7g %.7g\n", v[0], v[1], v[2]);
	}
	for (int i = 0; i < NODES; i++) {
		double v[3];
		for (int k = 0; k < 3; k++) v[k] = r->node[i][k];
		at += (size_t)snprintf(out + at, room - at, "%.7g %.7g %.7g\n", v[0], v[1], v[2]);
	}
	return out;
}
