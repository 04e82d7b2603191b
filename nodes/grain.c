/* grain - film grain: new in every frame, the same for ever for a seed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "gauss.h"
#include "mathx.h"
#include "node.h"
#include "px_grain_lattice.h"
#include "px_grain_shaped.h"
#include "px_plate.h"

enum { TEMPORAL_NONE, TEMPORAL_KEEP };
enum { PLATE_MEASURED, PLATE_ASKED };
enum { PLATE = 2 };                             /* the slot */

struct grain {
	double amount, size; struct curve response; double colour; int seed;
	const char *profile, *to_profile;
	double strength, scale, boil, to_strength, dissolve;
	int temporal, plate_strength;
};

static const struct param params[] = {
	P_FLOAT(grain, amount, 0.03, 0, 3, "signal",
	        "Three standard deviations of the grain at mid-grey, in the encoded signal."),
	P_LENGTH(grain, size, "0.6", 0, 20, 0,
	         "Size of the grain: standard deviation of the Gaussian that shapes it. 0 is white "
	        "noise."),
	{ "response", PT_CURVE, offsetof(struct grain, response), 1, { 0 },
	  "0,0.35 0.25,0.85 0.5,1 0.75,0.75 1,0.3", -1e6, 1e6, "", NULL, 0,
	  "Strength against luminance: x is 0 at black, 0.5 at mid-grey (18 %), 1 at diffuse white; y "
	  "multiplies amount. Held beyond its ends. Empty: 1 everywhere." },
	P_FLOAT(grain, colour, 0.4, 0, 1, "share",
	        "Share of the variance that each channel has for itself: 0 is monochrome, 1 three "
	        "independent layers."),
	P_INT(grain, seed, 1, 0, 2147483647, "", 0, "Another seed is another roll of film."),
	P_PATH(grain, profile, PF_FILE | PF_STATIC | PF_LATER,
	       "A .grain file, as `interneg grain` measures one, or stock:NAME: strength, spectrum, "
	       "correlations and size come from it instead of amount, size, response and colour."),
	P_FLOATX(grain, strength, 1, 0, 16, "", PF_LATER, "Multiplies the grain, whatever it comes from."),
	P_FLOATX(grain, scale, 1, 0.05, 20, "", PF_STATIC | PF_LATER,
	         "Size of the grain against what it comes from: 0.5 is half the size, a finer grain."),
	P_ENUM(grain, temporal, "none", "none|keep", PF_STATIC | PF_LATER,
	       "Profile: new grain in every frame, or as much of the frame before as was measured."),
	P_FLOATX(grain, boil, 0, 0, 1, "", PF_STATIC | PF_LATER,
	         "Profile: correlation with the frame before, as asked; 1 is a frozen grain. 0 leaves it to "
	         "temporal."),
	P_PATH(grain, to_profile, PF_FILE | PF_STATIC | PF_LATER,
	       "The grain that dissolve leads to; none where it is empty."),
	P_FLOATX(grain, to_strength, 1, 0, 16, "", PF_LATER, "Multiplies the grain of to_profile."),
	P_FLOATX(grain, dissolve, 0, 0, 1, "share", PF_LATER,
	         "Share of the variance that comes from to_profile: animate it over a dissolve of two clips."),
	P_ENUM(grain, plate_strength, "measured", "measured|asked", PF_STATIC | PF_LATER,
	       "Plate: measured adds its grain as strong as it is (at mid-grey; response and strength multiply it). "
	       "asked makes it as strong as amount or profile say."),
	P_END
};

enum { TABLE = 2048, PROFILE_TABLE = 1024, FIELDS = PX_NOISE_CHANNELS };

/* Immutable after open. */
struct state {
	float luma[FIELDS];
	struct grain_layer *plain;                              /* what has no profile */
	struct grain_shaped *layer[2]; int nlayer;
	struct grain_shaped *plate; struct plate_map map;       /* of that layer only the table */
};

static double strength(const struct curve *c, double x)
{
	if (c->n < 1) return 1;
	if (x < c->x[0]) x = c->x[0];
	if (x > c->x[c->n - 1]) x = c->x[c->n - 1];
	double y = c->n == 1 ? c->y[0] : curve_eval(c, x);
	return y > 0 ? y : 0;
}

/* The response times dev over encoded luminance, from below black to above white, where it no longer changes
 * for curves within 0..1. */
static void tabulate(struct grain_table *t, const struct grain *p, int space, double dev)
{
	double black = colour_encode(space, 0), mid = colour_encode(space, 0.18),
	    white = colour_encode(space, 1);
	double low = black - (mid - black), high = white + 2 * (white - mid);
	double kept = p->dissolve > 0 ? p->strength * __builtin_sqrt(1 - p->dissolve) : p->strength;
	*t = (struct grain_table){ true, TABLE, (float)low, (float)(TABLE / (high - low)), NULL };
	t->v = xalloc(grain_table_floats(true, TABLE), sizeof *t->v);
	for (int i = 0; i <= TABLE; i++) {
		double l = low + i * (high - low) / TABLE;
		double x = l < mid ? 0.5 * (l - black) / (mid - black) : 0.5 + 0.5 * (l - mid) / (white - mid);
		t->v[i] = (float)(dev * strength(&p->response, x) * kept);
	}
}

/* Beyond 3.3 standard deviations a weight is below 0.005 of the middle one. */
static int radius_of(double size) { return size > 0 ? (int)mx_ceil(3.3 * size) : 0; }

/* Three channels of variance 1 and covariance 1 - colour from independent fields (Cholesky). */
static void mix_of(double colour, float m[FIELDS][FIELDS])
{
	double r = 1 - colour, s = __builtin_sqrt(1 - r * r), q = s > 0 ? r * (1 - r) / s : 0;
	double rest = 1 - r * r - q * q;
	m[0][0] = 1;
	m[1][0] = m[2][0] = (float)r;
	m[1][1] = (float)s;
	m[2][1] = (float)q;
	m[2][2] = (float)__builtin_sqrt(rest > 0 ? rest : 0);
}

/* Deviations of the profile over luma of the node's space; the slope between the two encodings is
 * that of greys. */
static void layer_table(struct grain_shaped *l, int space, double strength)
{
	const struct grain_profile *p = &l->shape->profile;
	const double h = 1.0 / 1024;
	struct grain_table *t = &l->table;
	double ends[2] = { p->luma[0], p->luma[p->nstrength - 1] };
	for (int i = 0; i < 2 && space != p->space; i++)
		ends[i] = colour_encode(space, colour_decode(p->space, ends[i]));
	double step = (ends[1] > ends[0] ? ends[1] - ends[0] : 1) / PROFILE_TABLE;
	*t = (struct grain_table){ true, PROFILE_TABLE, (float)ends[0], (float)(1 / step), NULL };
	t->v = xalloc(grain_table_floats(false, t->size), sizeof *t->v);
	for (int i = 0; i <= t->size; i++) {
		double y = ends[0] + i * step, slope = 1;
		if (space != p->space) {
			y = colour_encode(p->space, colour_decode(space, y));
			slope = (colour_encode(space, colour_decode(p->space, y + h)) -
			         colour_encode(space, colour_decode(p->space, y - h))) / (2 * h);
		}
		float *v = t->v + 4 * i;
		for (int c = 0; c < 3; c++)
			v[c] = (float)(strength * slope * l->shape->gain[c] * grain_profile_sigma(p, c, y));
		t->one = t->one && v[0] == v[1] && v[0] == v[2];
	}
	for (int i = 1; t->one && i <= t->size; i++) t->v[i] = t->v[4 * i];
}

/* How the frames before take part: correlations below 0.004 are nothing that was measured. */
static void layer_lags(struct grain_shaped *l, const struct grain *p)
{
	double products[3] = { 0 }, mix[3][3], w[3][GRAIN_LAGS] = { { 0 } }, still[3] = { 0 };
	l->lags = 1;
	for (int c = 0; c < 3; c++) {
		double rho = p->boil > 0 ? p->boil : p->temporal == TEMPORAL_KEEP ? l->shape->profile.rho[c] : 0;
		int n = grain_lags(rho > 0.004 || rho < -0.004 ? rho : 0, w[c], &still[c]);
		if (n > l->lags) l->lags = n;
		if (still[c] > 0) l->stills = true;
	}
	for (int c = 0; c < 3; c++) {
		l->still[c] = px_grain_factor(__builtin_sqrt(still[c]));
		for (int i = 0; i < GRAIN_LAGS; i++) l->lag[c][i] = px_grain_factor(w[c][i]);
	}
	for (int i = 0; i < 3; i++) {
		int a = i == 2, b = i ? 2 : 1;
		for (int k = 0; k < GRAIN_LAGS; k++) products[i] += w[a][k] * w[b][k];
		products[i] += __builtin_sqrt(still[a] * still[b]);
	}
	grain_mix(l->shape, products, mix);
	for (int i = 0; i < 9; i++) l->mix[i / 3][i % 3] = px_grain_factor(mix[i / 3][i % 3]);
	bool alone = l->shape->same && mix[1][1] == 0 && mix[2][1] == 0 && mix[2][2] == 0;
	for (int c = 1; c < 3; c++) {
		alone = alone && l->still[c] == l->still[0];
		for (int i = 0; i < GRAIN_LAGS; i++) alone = alone && l->lag[c][i] == l->lag[0][i];
	}
	l->fields = alone ? 1 : FIELDS;
}

/* Channels whose strengths keep their proportions over luma, within 0.2 % of the strongest, as stocks' do: one
 * table serves them. */
static void layer_share(struct grain_shaped *l)
{
	const float *v = l->table.v;
	double ratio[3] = { 1 };
	for (int c = 0; c < 3; c++) l->gain[c] = 1.0f / GRAIN_UNIT;
	if (l->table.one) return;
	for (int c = 1; c < 3; c++) {
		double both = 0, own = 0, most = 0;
		for (int i = 0; i <= l->table.size; i++) {
			both += (double)v[4 * i] * (double)v[4 * i + c];
			own += (double)v[4 * i] * (double)v[4 * i];
			if ((double)v[4 * i + c] > most) most = (double)v[4 * i + c];
		}
		ratio[c] = own > 0 ? both / own : 0;
		for (int i = 0; i <= l->table.size; i++)
			if (__builtin_fabs((double)v[4 * i + c] - ratio[c] * (double)v[4 * i]) > 0.002 * most) return;
	}
	for (int c = 0; c < 3; c++) l->gain[c] = (float)(ratio[c] / GRAIN_UNIT);
	for (int i = 1; i <= l->table.size; i++) l->table.v[i] = l->table.v[4 * i];
	l->table.one = true;
}

/* The shape's terms as factors. */
static void layer_taps(struct grain_shaped *l)
{
	const struct grain_shape *s = l->shape;
	size_t room = (size_t)s->radius + 1;
	int32_t *to = l->taps = xalloc(6 * (size_t)s->ranks * room, sizeof *to);
	l->radius = s->radius;
	l->ranks = s->ranks;
	for (int c = 0; c < FIELDS; c++) {
		double u[GRAIN_RANKS][GRAIN_RADIUS + 1], v[GRAIN_RANKS][GRAIN_RADIUS + 1];
		grain_shape_terms(s, c, u, v);
		l->reach[c] = s->reach[c];
		l->terms[c] = s->terms[c];
		for (int k = 0; k < 2 * s->ranks; k++, to += room) {
			for (int i = 0; i <= s->radius; i++) to[i] = px_grain_factor(k & 1 ? v[k / 2][i] : u[k / 2][i]);
			if (k & 1) l->v[c][k / 2] = to;
			else l->u[c][k / 2] = to;
		}
	}
}

static int layer_open(struct node_ctx *n, struct state *s, const char *path, double strength, struct err *e)
{
	const struct grain *p = n->v;
	int lines = rect_h(n->in[0]->display);
	struct grain_shape *shape = grain_store_get(n->grains, path, lines, p->scale, e);
	if (!shape) return -1;
	struct grain_shaped *l = s->layer[s->nlayer++] = xalloc(1, sizeof *l);
	l->shape = shape;
	layer_taps(l);
	l->stream = path == p->to_profile;
	layer_table(l, n->in[0]->space, strength);
	layer_lags(l, p);
	layer_share(l);
	return 0;
}

/* The grain that has no profile. */
static void plain_open(struct node_ctx *n, struct state *s)
{
	const struct grain *p = n->v;
	double size = p->size * p->scale;
	struct grain_layer *l = s->plain = xalloc(1, sizeof *l);
	l->radius = radius_of(size);
	l->fields = p->colour > 0 ? FIELDS : 1;
	l->w = xalloc((size_t)l->radius + 1, sizeof *l->w);
	gauss_half_float(size, l->radius, 2, l->w);
	l->shift = px_lattice_shift(size);
	l->taps = px_lattice_taps(l->radius, l->shift);
	l->before = px_lattice_before(l->radius, l->shift);
	l->phases = xalloc((size_t)l->taps << l->shift, sizeof *l->phases);
	px_lattice_weights(l->w, l->radius, l->shift, l->phases);
	mix_of(p->colour, l->mix);
	tabulate(&l->table, p, n->in[0]->space, p->amount / 3);
}

static bool has_plate(const struct node_ctx *n) { return n->nconn > PLATE && n->in[PLATE]; }

/* Deviations that a plate's grain is multiplied by: over all of the response's luma. */
static int plate_open(struct node_ctx *n, struct state *s, double from, struct err *e)
{
	const struct grain *p = n->v;
	const struct rect d = n->in[PLATE]->data;
	int side = rect_w(d) < rect_h(d) ? rect_w(d) : rect_h(d),
		size = side * 3 / 4 < PLATE_SIZE_MAX ? side * 3 / 4 : PLATE_SIZE_MAX;
	struct grain_shaped *l = s->plate = xalloc(1, sizeof *l);
	s->map.size = size &= ~15;
	s->map.overlap = size / 9 < PLATE_OVERLAP_MAX ? size / 9 : PLATE_OVERLAP_MAX;
	for (int i = 0; i < size; i++) {
		int k = i < size - 1 - i ? i : size - 1 - i;            /* from the nearer end */
		s->map.weight[i] = k < s->map.overlap ? (float)mx_sin(MX_PI / 2 * (k + 0.5) / s->map.overlap) : 1;
	}
	if (*p->profile && p->plate_strength == PLATE_ASKED) {
		if (!(l->shape = grain_store_get(n->grains, p->profile, rect_h(n->in[0]->display), p->scale, e))) return -1;
		layer_table(l, n->in[0]->space, from);
		return 0;
	}
	tabulate(&l->table, p, n->in[0]->space, p->plate_strength == PLATE_MEASURED ? 1 : p->amount / 3);
	return 0;
}

/* Amount and profile speak of the same thing: only one may. */
static int only_profile(const struct node_ctx *n, struct err *e)
{
	static const double x[] = { 0, 0.25, 0.5, 0.75, 1 }, y[] = { 0.35, 0.85, 1, 0.75, 0.3 };
	const struct grain *p = n->v;
	double size = p->size / n->scale - 0.6;
	const char *name = p->amount != 0.03 ? "amount" : p->colour != 0.4 ? "colour"
		: size > 1e-9 || size < -1e-9 ? "size" : NULL;
	if (!name && p->response.n != 5) name = "response";
	for (int i = 0; i < 5 && !name; i++)
		if (p->response.x[i] != x[i] || p->response.y[i] != y[i]) name = "response";
	if (!name) return 0;
	return err_set(e, E_SCENE, "%s= shapes grain that has no profile; beside profile= write "
	               "strength= (a multiplier) or scale= (of its size)", name);
}

static void layer_free(struct grain_shaped *l)
{
	if (!l) return;
	grain_shape_free(&l->shape);
	free(l->taps);
	free(l->table.v);
	free(l);
}

static void plain_free(struct grain_layer *l)
{
	if (!l) return;
	free(l->w);
	free(l->phases);
	free(l->table.v);
	free(l);
}

static void close_tables(struct node_ctx *n)
{
	struct state *s = n->state;
	for (int i = 0; s && i < s->nlayer; i++) layer_free(s->layer[i]);
	if (s) layer_free(s->plate), plain_free(s->plain);
	free(s);
	n->state = NULL;
}

static int open_tables(struct node_ctx *n, struct err *e)
{
	const struct grain *p = n->v;
	double w[3];
	struct state *s = n->state = xalloc(1, sizeof *s);
	colour_luma(n->in[0]->space, w);
	for (int i = 0; i < 3; i++) s->luma[i] = (float)w[i];
	if (*p->profile && only_profile(n, e) < 0) return -1;
	if (!*p->profile && (p->boil > 0 || p->temporal == TEMPORAL_KEEP) && !*p->to_profile)
		return err_set(e, E_SCENE, "%s= needs profile=", p->boil > 0 ? "boil" : "temporal");
	double from = p->strength * __builtin_sqrt(1 - p->dissolve),
		to = p->to_strength * __builtin_sqrt(p->dissolve);
	if (has_plate(n)) {
		struct rect d = n->in[PLATE]->data;
		if (rect_w(d) < PLATE_LEAST || rect_h(d) < PLATE_LEAST)
			return err_set(e, E_SCENE, "plate: %dx%d pixels are too few, it must be at least %d "
			               "each way", rect_w(d), rect_h(d), PLATE_LEAST);
		if (from > 0 && plate_open(n, s, from, e) < 0) return -1;
	} else if (*p->profile && from > 0 && layer_open(n, s, p->profile, from, e) < 0) return -1;
	if (!*p->profile && p->amount > 0 && p->dissolve < 1 && !has_plate(n)) plain_open(n, s);
	return *p->to_profile && to > 0 ? layer_open(n, s, p->to_profile, to, e) : 0;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	(void)n;
	if (format_channel(out, "R") < 0 || format_channel(out, "G") < 0 || format_channel(out, "B") < 0)
		return err_set(e, E_SCENE, "grain needs a picture with the channels R, G and B");
	return 0;
}

static bool identity(const struct node_ctx *n)
{
	const struct grain *p = n->v;
	bool from = p->dissolve < 1 && p->strength > 0 && (*p->profile || p->amount > 0 || has_plate(n));
	return !from && !(*p->to_profile && p->dissolve > 0 && p->to_strength > 0);
}

static bool layered(const struct node_ctx *n)
{
	const struct grain *p = n->v;
	return *p->profile || (*p->to_profile && p->dissolve > 0) || has_plate(n);
}

static struct plate_seed plate_seed(const struct node_ctx *n, int frame)
{
	const struct grain *p = n->v;
	return (struct plate_seed){ (uint32_t)frame, (uint32_t)p->seed, (uint32_t)n->instance,
		(uint32_t)(n->instance >> 32) };
}

/* The luma that a profile's strength follows is low-passed. */
static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	int d = layered(n) ? GRAIN_CELL_REACH : 0;
	need_add(out, 0, frame, rect_grow(r, d, d));
	if (!has_plate(n)) return;
	const struct format *f = n->in[PLATE];
	struct plate_seed s = plate_seed(n, frame);
	int64_t count = (int64_t)f->last - f->first + 1;
	need_add(out, PLATE,
	         f->first + (f->last == INT_MAX ? 0
	                     : plate_frame(&s, (int)(count < INT_MAX ? count : INT_MAX))), f->data);
}

/* A row of the plate's grain, and its blocks. */
static size_t plate_floats(const struct state *s, struct rect r)
{
	size_t blocks = rect_area(plate_blocks(&s->map, r));
	return 3 * px_grain_pitch(rect_w(r)) + blocks * sizeof(struct plate_block) / sizeof(float);
}

/* The layers' strengths, and the most that one of them takes beside it. */
static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct state *s = n->state;
	size_t cells = layered(n) ? px_grain_cell_floats(r) : 0, most = 0;
	if (s->plain)
		most = s->plain->shift ? px_lattice_floats(s->plain, rect_w(r)) : px_grain_floats(s->plain, rect_w(r));
	for (int i = 0; i < s->nlayer; i++) {
		size_t own = px_grain_dev_floats(&s->layer[i]->table, r) + 16 + px_shaped_floats(s->layer[i], rect_w(r));
		if (own > most) most = own;
	}
	if (s->plate) {
		size_t own = px_grain_dev_floats(&s->plate->table, r) + plate_floats(s, r);
		if (own > most) most = own;
	}
	return (cells + most + 32) * sizeof(float);
}

static double flops(const struct node_ctx *n)
{
	const struct state *s = n->state;
	double sum = s && s->nlayer ? 20 : 10;
	if (!s) return 200;
	if (s->plain) sum += 80 + s->plain->fields * (60 + 7.0 * (s->plain->radius + 1));
	for (int i = 0; i < s->nlayer; i++) {
		const struct grain_shaped *l = s->layer[i];
		sum += 20 + l->fields * (60.0 * l->lags + l->ranks * 3.5 * (l->radius + 1));
	}
	return s->plate ? sum + 60 : sum;
}

/* Normal values that a field of r with so much around it is made of, beyond its own pixels: whole pieces of them. */
static double beyond(struct rect r, int radius)
{
	int w = rect_w(r) + 2 * radius, skip = px_noise_skip(r.x0 - radius), piece = 2 * PX_NOISE_PIECE;
	return (double)((w + skip + piece - 1) / piece * piece) * (rect_h(r) + 2 * radius) - (double)rect_area(r);
}

static double work(const struct node_ctx *n, struct rect r)
{
	const struct state *s = n->state;
	double sum = flops(n) * (double)rect_area(r);
	if (s && s->plain && !s->plain->shift) sum += 30.0 * s->plain->fields * beyond(r, s->plain->radius);
	for (int i = 0; s && i < s->nlayer; i++)
		sum += 30.0 * s->layer[i]->fields * s->layer[i]->lags * beyond(r, s->layer[i]->radius);
	return sum;
}

/* Row y of r: the plate's field with its strengths. */
static void plate_to(const struct px_grain_to *t, struct rect r, int y, float *const field[3], const float *const near[3],
                      const float *const far[3])
{
	bool odd = false;
	for (int i = 0; i < 3; i++)
		odd |= plate_put(field[i], near[i], far[i], rect_w(r), view_at(t->in, i, r.x0, y), view_at(t->out, i, r.x0, y),
		                 t->past);
	if (odd && t->past) px_grain_canon(t, r, y);
}

static void add_plate(const struct call *c, struct rect r, struct px_grain_lumas *lumas, const struct px_grain_to *t,
                      float *scratch)
{
	const struct grain *p = c->n->v;
	const struct state *s = c->n->state;
	size_t pitch = px_grain_pitch(rect_w(r));
	float *const field[3] = { scratch, scratch + pitch, scratch + 2 * pitch };
	struct plate_block *blocks = (struct plate_block *)(void *)(scratch + 3 * pitch);
	struct plate_seed seed = plate_seed(c->n, c->frame);
	struct px_grain_devs devs;
	px_grain_devs_begin(&devs, &s->plate->table, r, lumas, scratch + plate_floats(s, r));
	plate_begin(&s->map, &seed, &c->in[1], r, p->plate_strength == PLATE_ASKED, blocks);
	for (int y = r.y0; y < r.y1; y++) {
		const float *near[3], *far[3];
		px_grain_ahead(t, r, y);
		px_grain_devs_row(&devs, y, near, far);
		plate_field(&s->map, &c->in[1], r, blocks, y, field);
		plate_to(t, r, y, field, near, far);
	}
	if (t->past) px_past_done();
}

/* Grain that has no profile. */
static int add_plain(const struct call *c, struct rect r, const struct px_grain_to *t, float *scratch)
{
	const struct grain *p = c->n->v;
	const struct state *s = c->n->state;
	struct px_noise_key key = px_noise_key((uint32_t)p->seed, c->n->instance, c->frame);
	return (s->plain->shift ? px_lattice_tile : px_grain_tile)(s->plain, &key, r, s->luma, t, scratch, c->cancel);
}

/* Grain of the plate and of profiles, one after the other: the last goes past the caches where the call does. */
static int add_layers(const struct call *c, struct rect r, struct px_grain_to *t)
{
	const struct grain *p = c->n->v;
	const struct state *s = c->n->state;
	float *rest = (float *)c->scratch + px_grain_cell_floats(r);
	struct px_grain_lumas lumas;
	px_grain_lumas_begin(&lumas, &c->in[0], c->n->in[0]->data, r, s->luma, c->scratch);
	int left = (s->plain != NULL) + (s->plate != NULL) + s->nlayer;
	if (s->plain) px_grain_lumas_row(&lumas, lumas.c.y1 - 1);       /* of the clean picture */
	t->past = c->run && left == 1;
	if (s->plain) {
		if (add_plain(c, r, t, rest) < 0) return -1;
		*t = (struct px_grain_to){ c->out, c->out, c->run && --left == 1 };
	}
	if (s->plate) {
		add_plate(c, r, &lumas, t, rest);
		*t = (struct px_grain_to){ c->out, c->out, c->run && --left == 1 };
	}
	for (int i = 0; i < s->nlayer; i++) {
		struct px_shaped_keys keys;
		px_shaped_keys(s->layer[i], (uint32_t)p->seed, c->n->instance, c->frame, &keys);
		if (px_shaped_tile(s->layer[i], &keys, r, &lumas, t, rest, c->cancel) < 0) return -1;
		*t = (struct px_grain_to){ c->out, c->out, c->run && --left == 1 };
	}
	return 0;
}

static int tile(const struct call *c, struct rect r)
{
	const struct state *s = c->n->state;
	struct px_grain_to t = { &c->in[0], c->out, c->run };
	if (layered(c->n) && (s->plate || s->nlayer)) return add_layers(c, r, &t);
	if (s->plain) return add_plain(c, r, &t, c->scratch);
	for (int y = r.y0; y < r.y1; y++) {
		for (int i = 0; i < 3; i++)
			memcpy(view_at(c->out, i, r.x0, y), view_at(t.in, i, r.x0, y), (size_t)rect_w(r) * sizeof(float));
		if (t.past) px_grain_canon(&t, r, y);
	}
	return 0;
}

const struct node_type ISA(node_grain) = {
	.name = "grain", .doc = "Adds film grain: new in every frame, the same for ever for a seed.",
	.more = "out_c = in_c + amount / 3 * response(Y) * g_c, in the display encoding (ACEScct for "
	        "scene-linear sources), where the g are fields of normal noise with mean 0 and standard "
	        "deviation 1, two of which correlate by 1 - colour (a Cholesky mix of independent "
	        "fields), and Y is the pixel's luma. Each field is white noise, a pure function of x, y, frame, "
	        "seed and, inside a <use>, of the instance (Philox4x32-7, whose words become pairs of "
	        "normal values by Box and Muller's method, right to 0.0001 as far as +-5.13), shaped "
	        "by a Gaussian whose squares sum to 1: its autocorrelation at distance d is exp(-d^2 / "
	        "(4 size^2)). From size 2 on the white noise stands on every second pixel each way, from size 4 on "
	        "on every fourth: such a Gaussian passes nothing that it lacks, and variance stays even within "
	        "0.0001. The mean of the picture does not move.\n"
	        "With profile= out_c = in_c + strength sigma_c(Y) g_c: sigma_c from the profile's table (of "
	        "its own encoding, brought to the picture's by the slope between the two for greys), Y "
	        "the luma of the clean picture low-passed with sigma 1.5 (by cells of 2 x 2 pixels), g_c of variance 1 with the "
	        "profile's spectrum (white noise through a sum of separable kernels fitted to it, in "
	        "16 bits, within 0.25 dB where the profile is above -30 dB) and its correlations of channels. "
	        "Frequencies are in cycles per picture height: on a picture with N times the profile's "
	        "lines the grain is N times larger in pixels; on a smaller one it loses what scaling "
	        "down would take. A lattice is told in a profile and never made. boil= and "
	        "temporal=\"keep\" weigh in the fields of up to 15 frames before, so that any frame "
	        "can be made alone. Over a dissolve of two clips the variance is (1 - dissolve) a^2 + "
	        "dissolve b^2.\n"
	        "plate= takes the grain of a scanned plate (a clip or still of an evenly lit grey, "
	        "pixel for pixel, any size from 64, any length): blocks of it at random places, "
	        "flipped at random, anew in every frame, levelled (mean and slope taken off) and "
	        "overlapping so that variance is the same everywhere. amount, response or profile then "
	        "give the strength alone.\n"
	        "Grain comes last, once per delivery size: below it stand output nodes only.",
	.category = "image", .version = 7, .size = sizeof(struct grain), .params = params,
	.inputs = "image mask? plate?", .flags = NF_RGB | NF_MASKED | NF_TIME | NF_PAST, .traits = TR_GRAIN,
	    .want = WANT_ENCODED,
	.example = "<grain id=\"grained\" in=\"soft\" amount=\"0.03\" size=\"0.7\" colour=\"0.3\" "
	        "seed=\"10\"/>",
	.format = format, .open = open_tables, .close = close_tables, .needs = needs, .identity = identity,
	.scratch = scratch, .flops = flops, .work = work, .tile = tile,
};
