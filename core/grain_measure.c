/* grain_measure - see grain_measure.h: frames in, estimator chosen, profile out.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "grain_measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "grain_measure_int.h"
#include "mathx.h"
#include "mem.h"

enum { FLAT_FRAMES = 24, FLAT_BLOCKS = 12000, LATTICE_FRAMES = 8, WINDOWS = 9000, LEAST_WINDOWS = 80,
       LATTICE_WINDOWS = 400, LEAST_OF_BAND = 12 };

/* Windows of which one would tell as much: they overlap by half, and Hann's kernel joins bins. */
#define OVERLAP 3.9
/* Pixels of grain that go together, from which a block's own mean can be taken for a change of light. */
#define COARSE_AREA 12.0
/* What detail that is left does to a still's correlations, by planted grain. */
#define DETAIL_CORR 0.006
/* Standard errors of what channels share at low frequencies beyond high ones. */
#define ODD 4.0
/* What the strength by time may have beyond that by space where the picture moves; share of moved blocks from which on it may. */
#define EXCESS 0.04
#define MOVES 0.05
/* Of that, what differs from place to place, of its variance, in a picture that stands still. */
#define LASTING 1.0
/* Share of blocks that differ in grain alone, from which on a picture that hardly moves stands still and differences know best:
 * flat blocks only lead on to the lowest frequencies. Share of moved blocks that says it moves. dB that either may be off by. */
#define STILL 0.99
#define FOLLOWED 0.2
#define LOW_CHANCE 0.5
/* Relative spread of sigma in a window that counts as even. */
#define EVEN 0.1

struct work {
	const struct grain_source *src; const struct grain_opts *o;
	struct grain_report *r; struct grain_profile *p; struct err *e;
	double luma[3];
	struct gm_frame frame[3]; float *tmp;
	bool asked, second;                  /* which differences: asked for the first three frames in a row */
	struct gm_field *field; int nfield; size_t cfield;
	struct gm_flat flat;
	struct gm_spec lattice;              /* of whole frames, for what stands still */
	struct gm_spec block;                /* for energies of single blocks */
	struct gm_curve time;
	struct gm_clean clean;
};

/* --- frames --- */

/* Of so many frames every which is looked at for flat blocks; how many that makes. */
static int flat_every(const struct work *k) { return (k->src->n + FLAT_FRAMES - 1) / FLAT_FRAMES; }
static int flat_frames(const struct work *k) { return (k->src->n + flat_every(k) - 1) / flat_every(k); }

/* What the frame's luma has beyond its blurred self, by windows that weigh the same. */
static void add_lattice(struct work *k, const struct gm_frame *f)
{
	static const float none[GM_WINDOW * GM_WINDOW];
	float v[GM_WINDOW * GM_WINDOW];
	int nx = f->bw - 1, ny = f->bh - 1, n = nx * ny, frames = flat_frames(k);
	int step = n / (LATTICE_WINDOWS / (frames > LATTICE_FRAMES ? frames : LATTICE_FRAMES)) + 1;
	float w[3] = { (float)k->luma[0], (float)k->luma[1], (float)k->luma[2] };
	for (int i = 0; i < n; i += step) {
		double ss = 0;
		for (int q = 0; q < GM_WINDOW * GM_WINDOW; q++) {
			ptrdiff_t p = (ptrdiff_t)(i / nx * GM_BLOCK + q / GM_WINDOW) * f->w + i % nx * GM_BLOCK + q % GM_WINDOW;
			v[q] = w[0] * f->rgb[0][p] + w[1] * f->rgb[1][p] + w[2] * f->rgb[2][p] - f->soft[p];
			ss += (double)v[q] * (double)v[q];
		}
		if (!(ss > 0)) continue;
		float gain = (float)(GM_WINDOW / __builtin_sqrt(ss));
		for (int q = 0; q < GM_WINDOW * GM_WINDOW; q++) v[q] *= gain;
		gm_spec_add(&k->lattice, (const float *const[]){ v, none, none }, GM_WINDOW);
	}
}

/* The field before, of before and the first of f's, is made one of second differences where that is better. */
static void add_triple(struct work *k, const struct gm_frame *before, const struct gm_frame *a, const struct gm_frame *b,
                       struct gm_field *f)
{
	struct gm_field *last = k->nfield ? &k->field[k->nfield - 1] : NULL;
	if (!last || last->first + 1 != a->number || before->number + 1 != a->number) return;
	if (!k->asked) k->second = gm_second_better(last, f, before, a, b);
	k->asked = true;
	if (k->second) gm_second_fill(last, f, before, a, b);
}

static int add_pair(struct work *k, const struct gm_frame *before, const struct gm_frame *a, const struct gm_frame *b, bool flat)
{
	struct gm_field f;
	if (gm_field_new(&f, a->w, a->h, k->e) < 0) return -1;
	if (gm_motion(&f, a, b, k->e) < 0) { gm_field_free(&f); return -1; }
	bool fresh = gm_field_fill(&f, a, b);
	int rc = flat ? gm_flat_add(&k->flat, &k->block, a, b, &f, k->e) : 0;
	if (rc < 0 || !fresh) {
		k->r->held += !fresh;
		gm_field_free(&f);
		return rc;
	}
	add_triple(k, before, a, b, &f);
	k->field = grow(k->field, (size_t)k->nfield, &k->cfield, sizeof *k->field);
	k->field[k->nfield++] = f;
	return 0;
}

static int take_frames(struct work *k)
{
	int n = k->src->n, every = flat_every(k);
	for (int i = 0; i < n; i++) {
		struct gm_frame *f = &k->frame[i % 3], *last = &k->frame[(i + 2) % 3];
		if (k->o->cancel && atomic_load(k->o->cancel)) return err_set(k->e, E_CANCEL, "cancelled");
		if (k->src->get(k->src->user, i, f->rgb, k->e) < 0) return -1;
		f->number = k->src->frame[i];
		gm_frame_ready(f, k->luma, k->tmp);
		bool pair = i && f->number == last->number + 1;
		if (i % every == 0) { add_lattice(k, f); k->r->frames++; }
		if (pair && add_pair(k, &k->frame[(i + 1) % 3], last, f, (i - 1) % every == 0) < 0) return -1;
		if (i && !pair && (i - 1) % every == 0 && gm_flat_add(&k->flat, &k->block, last, NULL, NULL, k->e) < 0) return -1;
		if (i + 1 == n && i % every == 0 && gm_flat_add(&k->flat, &k->block, f, NULL, NULL, k->e) < 0) return -1;
	}
	return 0;
}

/* Those that had no third frame, where there are others. */
static void drop_pairs(struct work *k)
{
	int n = 0, second = 0;
	for (int i = 0; i < k->nfield; i++) second += k->field[i].second;
	for (int i = 0; i < k->nfield; i++) {
		if (second && !k->field[i].second) gm_field_free(&k->field[i]);
		else k->field[n++] = k->field[i];
	}
	k->nfield = n;
}

/* --- spectra --- */

static double quantum(const struct work *k) { return k->o->step * k->o->step / 12; }

/* One window, in units of what the curve says. */
static void add_window(struct work *k, struct gm_spec *s, const struct gm_field *f, int bx, int by, uint32_t rings)
{
	float d[3][GM_WINDOW * GM_WINDOW];
	double share[3] = { 0, 0, 0 };
	for (int q = 0; q < GM_WINDOW * GM_WINDOW; q++) {
		ptrdiff_t p = (ptrdiff_t)(by * GM_BLOCK + q / GM_WINDOW) * f->w + bx * GM_BLOCK + q % GM_WINDOW;
		for (int c = 0; c < 3; c++) {
			double v = gm_curve_at(&k->time, c, (double)f->luma[p]);
			d[c][q] = v > 0 ? (float)((double)f->d[c][p] / __builtin_sqrt(v)) : 0;
			share[c] += v > 0 ? quantum(k) / v : 0;
		}
	}
	for (int c = 0; c < 3; c++) s->quant[c] += share[c] / (GM_WINDOW * GM_WINDOW);
	gm_spec_add_rings(s, (const float *const[]){ d[0], d[1], d[2] }, GM_WINDOW, rings);
}

/* Windows of four blocks of one motion: the bands that all four are clean in. */
static int window_bands(const struct gm_field *f, int bx, int by)
{
	int at = by * f->bw + bx, bands = ~0;
	for (int q = 0; q < 4; q++) {
		int i = at + q / 2 * f->bw + q % 2;
		bands &= f->band[i];
		if (f->mv[2 * i] != f->mv[2 * at] || f->mv[2 * i + 1] != f->mv[2 * at + 1]) return 0;
	}
	return bands;
}

static bool whole_window(const struct gm_field *f, int bx, int by)
{
	int at = by * f->bw + bx;
	for (int q = 0; q < 4; q++) {
		int i = at + q / 2 * f->bw + q % 2;
		if (!f->use[i] || f->mv[2 * i] != f->mv[2 * at] || f->mv[2 * i + 1] != f->mv[2 * at + 1]) return false;
	}
	return true;
}

/* Rings of the bands; those in spare are taken from every window. */
static uint32_t rings_of(int bands, int spare)
{
	uint32_t rings = 0;
	for (int r = 0; r < GM_RINGS && bands; r++) rings |= (uint32_t)((bands | spare) >> gm_band_of(r) & 1) << r;
	return rings;
}

struct place { int field, at, bands; float spread; };

/* Windows over the picture's edges, where strength changes inside, modulate the grain: relative spread of sigma. */
static float spread_of(const struct work *k, const struct gm_field *f, int bx, int by)
{
	double s = 0, ss = 0, n = 0;
	for (int q = 0; q < GM_WINDOW * GM_WINDOW; q += 37, n++) {
		ptrdiff_t p = (ptrdiff_t)(by * GM_BLOCK + q / GM_WINDOW) * f->w + bx * GM_BLOCK + q % GM_WINDOW;
		double v = gm_curve_at(&k->time, 1, (double)f->luma[p]);
		s += v > 0 ? __builtin_sqrt(v) : 0;
		ss += v;
	}
	return s > 0 ? (float)(ss * n / (s * s) - 1) : 9;
}

static int by_spread(const void *a, const void *b)
{
	const struct place *p = a, *q = b;
	if (p->spread != q->spread) return p->spread < q->spread ? -1 : 1;
	return p->field != q->field ? p->field - q->field : p->at - q->at;
}

static struct place *list_windows(const struct work *k, size_t *n)
{
	struct place *v = NULL;
	size_t cap = 0;
	*n = 0;
	for (int i = 0; i < k->nfield; i++)
		for (int b = 0; b < (k->field[i].bw - 1) * (k->field[i].bh - 1); b++) {
			const struct gm_field *f = &k->field[i];
			int bx = b % (f->bw - 1), by = b / (f->bw - 1), bands = window_bands(f, bx, by);
			if (!bands) continue;
			v = grow(v, *n, &cap, sizeof *v);
			v[(*n)++] = (struct place){ i, b, bands, spread_of(k, f, bx, by) };
		}
	if (v) qsort(v, *n, sizeof *v, by_spread);
	return v;
}

/* All of even strength, evenly; of the others as many as are needed. */
static int time_windows(struct work *k, struct gm_spec *s)
{
	size_t n, even = 0;
	struct place *v = list_windows(k, &n);
	int have[GM_BANDS] = { 0 }, spare = 0;
	while (even < n && v[even].spread < EVEN * EVEN) even++;
	if (even < WINDOWS / 3) even = n < WINDOWS / 3 ? n : WINDOWS / 3;
	size_t count = even < WINDOWS ? even : WINDOWS;
	for (size_t i = 0; i < count; i++)
		for (int b = 0; b < GM_BANDS; b++) have[b] += v[i * even / count].bands >> b & 1;
	for (int b = 0; b < GM_BANDS; b++) spare |= (have[b] < LEAST_OF_BAND) << b;
	for (size_t i = 0; i < count; i++) {
		const struct place *p = &v[i * even / count];
		const struct gm_field *f = &k->field[p->field];
		add_window(k, s, f, p->at % (f->bw - 1), p->at / (f->bw - 1), rings_of(p->bands, spare));
	}
	free(v);
	return s->count;
}

/* --- profiles --- */

/* scale: of the variance, where neighbouring frames share some of it. */
static void put_strength(const struct work *k, const struct gm_curve *c, const double scale[3])
{
	struct grain_profile *p = k->p;
	p->nstrength = 0;
	for (int i = 0; i < c->n; i++) {
		int at = p->nstrength++;
		p->luma[at] = mx_round(c->luma[i] * 1e5) / 1e5;
		if (at && p->luma[at] <= p->luma[at - 1]) { p->nstrength--; continue; }
		for (int ch = 0; ch < 3; ch++) {
			double v = (c->var[ch][i] - quantum(k)) * scale[ch];
			p->sigma[at][ch] = v > 0 ? mx_round(__builtin_sqrt(v) * 1e7) / 1e7 : 0;
		}
	}
}

static void mean_sigma(const struct gm_curve *c, double q, double out[3])
{
	for (int ch = 0; ch < 3; ch++) {
		double v = 0, n = 0;
		for (int i = 0; i < c->n; i++) { v += c->weight[i] * c->var[ch][i]; n += c->weight[i]; }
		v = n > 0 ? v / n - q : 0;
		out[ch] = v > 0 ? __builtin_sqrt(v) : 0;
	}
}

/* Of the flat blocks, before their spectrum is known. */
static void spatial_sigma(struct work *k)
{
	struct gm_curve c = k->clean.curve;
	for (int ch = 0; ch < 3; ch++) {
		double all = 0;
		for (int r = 0; r < GM_RINGS; r++) all += k->clean.shape[ch][r];
		for (int i = 0; i < c.n; i++) c.var[ch][i] *= all;
	}
	mean_sigma(&c, quantum(k), k->r->spatial);
}

/* Pixels of grain that go together. */
static double area_of(const struct grain_profile *p)
{
	double area = 0;
	for (int y = -32; y < 32; y++)
		for (int x = -32; x < 32; x++) {
			double w = grain_profile_power(p, 1, x / 64.0, y / 64.0);
			area += w * w / 4096;
		}
	return area > 1 ? area : 1;
}

/* Of a real part, of bins of which half are the others' twins. */
static double se_corr(const struct gm_spec *s, double nu)
{
	return s->bins > 0 ? __builtin_sqrt(1.2 / (s->bins * nu)) : 1;
}

static int time_spectrum(struct work *k)
{
	struct gm_spec s;
	if (gm_spec_new(&s, GM_WINDOW, k->e) < 0) return -1;
	k->r->windows = time_windows(k, &s);
	k->r->window = GM_WINDOW;
	gm_spec_rings(&s);
	gm_spec_end(&s, k->o->common, false);
	gm_spec_lattice(&s, k->p);
	gm_spec_profile(&s, k->p, s.count / (OVERLAP * gm_shared(k->field->second)), NULL);
	k->r->se_corr = se_corr(&s, s.count / (OVERLAP * gm_shared(k->field->second)));
	gm_spec_free(&s);
	return 0;
}

/* Fewer than is worth a window: all that the gate let pass count as clean. */
static void sift(struct work *k)
{
	int windows = 0;
	k->r->used = gm_sift(k->field, k->nfield, &k->block, &k->time);
	k->r->has_chain = k->nfield > 1 && gm_chain(k->field, k->nfield, k->r->chain);
	for (int i = 0; i < k->nfield; i++)
		for (int b = 0; b < (k->field[i].bw - 1) * (k->field[i].bh - 1); b++)
			windows += window_bands(&k->field[i], b % (k->field[i].bw - 1), b / (k->field[i].bw - 1)) != 0;
	for (int i = 0; i < k->nfield && windows < LEAST_OF_BAND; i++)
		for (int b = 0; b < k->field[i].bw * k->field[i].bh; b++) k->field[i].band[b] = k->field[i].passed[b] ? (1 << GM_BANDS) - 1 : 0;
}

/* Coarse grain is known as such only once it is measured; then its blocks are chosen again. */
static int by_time(struct work *k)
{
	double scale[3] = { 1, 1, 1 };
	sift(k);
	if (time_spectrum(k) < 0) return -1;
	if (area_of(k->p) > COARSE_AREA) {
		gm_gate(k->field, k->nfield, area_of(k->p), &k->time);
		sift(k);
		if (time_spectrum(k) < 0) return -1;
	}
	for (int c = 0; c < 3; c++) {
		double rho = k->r->has_chain ? k->r->chain[c] : 0;
		/* what flat blocks have in common is the most that grain has */
		if (k->r->has_direct && rho > 0 && k->r->direct[c] < rho) rho = k->r->direct[c] > 0 ? k->r->direct[c] : 0;
		if (k->r->has_chain && (rho > 0.04 || rho < -0.04) && rho < 0.9) scale[c] = 1 / gm_kept(k->field, rho);
		k->p->rho[c] = mx_round((k->r->has_chain ? rho : k->r->has_direct ? k->r->direct[c] : 0) * 1e3) / 1e3;
	}
	gm_strength(k->field, k->nfield, GM_KNOTS, area_of(k->p), &k->time);
	put_strength(k, &k->time, scale);
	k->p->method = GRAIN_TEMPORAL;
	return 0;
}

static double most(const double v[3])
{
	double m = v[0] > v[1] ? v[0] : v[1];
	return m > v[2] ? m : v[2];
}

static double least(const double v[3])
{
	double m = v[0] < v[1] ? v[0] : v[1];
	return m < v[2] ? m : v[2];
}

/* Is what the flat blocks hold grain? Then those that look less clean hold no more of it than the others, and where it is
 * fine the channels' shapes are alike; where it is coarse, the picture must be flat indeed. */
static void judge_space(struct work *k, double odd)
{
	struct grain_report *r = k->r;
	const struct gm_clean *o = &k->clean;
	double low[3], rise = o->drift > 0 ? o->drift : 0;
	const char *say = NULL;
	for (int c = 0; c < 3; c++) {
		double all = 0;
		low[c] = 0;
		for (int i = 1; i < GM_RINGS; i++) all += o->shape[c][i];
		for (int i = 1; i < 5; i++) low[c] += o->shape[c][i] / all;
	}
	if (r->windows < LEAST_WINDOWS) say = "too few flat blocks";
	else if (rise > 0.05) say = "blocks differ more than grain does";
	else if (odd > ODD) say = "channels share more at low frequencies than at high ones";
	else if (least(low) < 0.5 && most(low) - least(low) > 0.08)
		say = "one channel holds more at low frequencies than the others";
	else if (least(low) > 0.8 && o->over > 0.5) say = "detail is as coarse as the grain, and there is much of it";
	r->unsure = say != NULL;
	snprintf(r->doubt, sizeof r->doubt, "%s (%d blocks of %d; those that look less clean hold %.0f %% more beyond chance)",
	         say ? say : "flat blocks agree", r->windows, k->flat.n, 100 * rise);
	if (say) snprintf(k->p->unsure, sizeof k->p->unsure, "%s", r->doubt);
}

static int by_space(struct work *k)
{
	struct gm_spec s;
	double one[3] = { 1, 1, 1 }, mean[3];
	if (gm_spec_new(&s, GM_BLOCK, k->e) < 0) return -1;
	if (k->clean.n) gm_spec_gather(&s, &k->flat, &k->clean, quantum(k));
	k->r->windows = k->clean.n;
	k->r->window = GM_BLOCK;
	if (k->clean.n < 4) { gm_spec_free(&s); return err_set(k->e, E_INPUT, "no flat blocks agree on a grain"); }
	gm_spec_end(&s, k->o->common, true);
	gm_spec_low(&s);
	gm_spec_lattice(&s, k->p);
	gm_spec_profile(&s, k->p, s.count / OVERLAP, mean);
	double chance = se_corr(&s, s.count / OVERLAP), odd = s.odd;
	k->r->se_corr = __builtin_sqrt(chance * chance + DETAIL_CORR * DETAIL_CORR);
	gm_spec_free(&s);
	judge_space(k, odd);
	for (int c = 0; c < 3; c++)
		for (int i = 0; i < k->clean.curve.n; i++) k->clean.curve.var[c][i] *= mean[c];
	for (int c = 0; c < 3; c++) {
		double r = k->r->has_direct ? k->r->direct[c] : 0;
		k->p->rho[c] = mx_round((r > 1 ? 1 : r) * 1e3) / 1e3;
	}
	put_strength(k, &k->clean.curve, one);
	k->p->method = GRAIN_SPATIAL;
	return 0;
}

/* --- which, and why --- */

static void judge_time(struct work *k)
{
	struct grain_report *r = k->r;
	long moved = 0;
	r->pairs = k->nfield;
	for (int i = 0; i < k->nfield; i++) r->blocks += k->field[i].bw * k->field[i].bh;
	r->used = k->nfield ? gm_gate(k->field, k->nfield, 1, &k->time) : 0;
	for (int i = 0; i < k->nfield; i++)
		for (int b = 0; b < k->field[i].bw * k->field[i].bh; b++)
			moved += k->field[i].use[b] && (k->field[i].mv[2 * b] || k->field[i].mv[2 * b + 1]);
	r->moved = r->used ? (double)moved / r->used : 0;
	r->has_chain = k->nfield > 1 && gm_chain(k->field, k->nfield, r->chain);
	if (r->used) mean_sigma(&k->time, quantum(k), r->time);
	int windows = 0;
	for (int i = 0; i < k->nfield && windows < 12; i++)
		for (int b = 0; b < (k->field[i].bw - 1) * (k->field[i].bh - 1); b++)
			windows += whole_window(&k->field[i], b % (k->field[i].bw - 1), b / (k->field[i].bw - 1));
	r->temporal_ok = windows >= 12 && r->used * 20 >= r->blocks && most(r->time) > 0;
}

static bool choose_time(struct work *k)
{
	struct grain_report *r = k->r;
	double rho = r->has_direct ? most(r->direct) : 0;
	const char *why = NULL;
	if (k->o->method == GRAIN_BY_SPACE) why = "asked for";
	else if (k->src->n < 2) why = "there is one frame";
	else if (!k->nfield && r->held) why = "every frame repeats the one before";
	else if (!k->nfield) why = "no two of the frames are neighbours";
	else if (!r->temporal_ok) why = "too little of the picture holds still or moves by whole pixels";
	if (why) snprintf(r->why, sizeof r->why, "spatial, flat blocks: %s", why);
	else if (k->o->method == GRAIN_BY_TIME) snprintf(r->why, sizeof r->why, "temporal differences: asked for");
	else if (rho > 0.2)
		snprintf(r->why, sizeof r->why, "spatial, flat blocks: a difference of neighbouring frames would lose "
		         "what they share (correlation %.2f)", rho);
	else snprintf(r->why, sizeof r->why, "temporal differences: %d of %d blocks differ in nothing but grain%s%s",
	              r->used, r->blocks, r->moved > FOLLOWED ? ", along their motion" : "",
	              k->nfield && k->field[0].second ? ", three frames at a time" : "");
	return !why && (k->o->method == GRAIN_BY_TIME || !(rho > 0.2));
}

/* Of all blocks, those that the gate let pass. */
static double passed(const struct work *k)
{
	double n = 0, all = 0;
	for (int i = 0; i < k->nfield; i++)
		for (int b = 0; b < k->field[i].bw * k->field[i].bh; b++, all++) n += k->field[i].passed[b];
	return all > 0 ? n / all : 0;
}

/* A picture that moves leaves some of its detail in differences, one that changes slowly some low frequencies: flat blocks are
 * asked too. begun: the profile before anything was measured by time. */
static void ask_space(struct work *k, const struct grain_profile *begun)
{
	struct grain_profile space = *begun;
	struct grain_report report = *k->r;
	struct err none = ERR_INIT;
	struct work other = *k;
	if (passed(k) > STILL && !(k->r->moved > FOLLOWED)) return;
	bool moves = k->field[0].second || k->r->moved > MOVES;
	other.p = &space;
	other.r = &report;
	other.e = &none;
	report.flat = gm_flat_clean(&other.flat, &other.clean, true);
	if (by_space(&other) < 0) return;
	double excess = moves ? gm_excess(&k->time, &other.clean.curve, quantum(k)) : 0;
	/* of a picture that hardly moves, more would be at the same places again */
	if (excess > EXCESS && !(k->r->moved > FOLLOWED) && gm_lasting(k->field, k->nfield, &k->time, quantum(k)) < LASTING * excess)
		excess = 0;
	bool held = !(excess > EXCESS) && gm_hold_low(k->p, &space, LOW_CHANCE);
	size_t n = strlen(k->r->why);
	if (excess > EXCESS && report.unsure) {
		k->r->unsure = true;
		snprintf(k->r->doubt, sizeof k->r->doubt, "the picture moves, differences of neighbouring frames hold up to %.0f %% more than flat "
		         "blocks, and those do not agree", 100 * excess);
		snprintf(k->p->unsure, sizeof k->p->unsure, "%s", k->r->doubt);
	} else if (excess > EXCESS) {
		*k->p = space;
		*k->r = report;
		snprintf(k->r->why, sizeof k->r->why, "spatial, flat blocks: differences of neighbouring frames hold up to %.0f %% more, "
		         "of a picture that moves", 100 * excess);
	} else if (held) snprintf(k->r->why + n, sizeof k->r->why - n, "; lowest frequencies held to flat blocks'");
}

static void verdict(struct work *k)
{
	struct grain_report *r = k->r;
	double rho = r->has_direct ? most(r->direct) : r->has_chain ? most(r->chain) : 0, s = 0;
	const struct grain_profile *p = k->p;
	for (int i = 0; i < p->nstrength; i++) s = most(p->sigma[i]) > s ? most(p->sigma[i]) : s;
	r->none = s < 2e-4;
	r->frozen = !r->none && (rho > 0.9 || (r->held && !k->nfield));
	r->boiling = !r->none && !r->frozen && rho > 0.2;
	const char *text = "new in every frame, as film's is";
	if (r->none) text = "no grain to speak of";
	else if (r->frozen) text = "frozen: the same pattern stays from frame to frame; replace it, do not match it";
	else if (r->boiling) text = "boiling: much of each frame's pattern stays in the next, as AI video's does; replace it, do not match it";
	else if (!r->has_direct && !r->has_chain) text = "one frame tells nothing about time";
	snprintf(r->verdict, sizeof r->verdict, "%s", text);
}

/* Pixels that count, over how many of them go together. */
static void errors(struct work *k)
{
	struct grain_report *r = k->r;
	double n = k->p->method == GRAIN_TEMPORAL ? (double)r->used : (double)r->windows;
	double together = k->p->method == GRAIN_TEMPORAL ? gm_shared(k->field->second) : 2.5;      /* frames, blocks */
	n *= GM_BLOCK * GM_BLOCK / area_of(k->p) / together;
	int bins = k->p->nstrength > 1 ? k->p->nstrength : 1;
	r->se_strength = n > 0 ? 1 / __builtin_sqrt(2 * n / bins) : 1;
	r->se_db = r->windows ? 4.343 / __builtin_sqrt(4.0 * r->windows) : 99;
}

static int measure(struct work *k)
{
	if (take_frames(k) < 0) return -1;
	drop_pairs(k);
	k->r->flat = k->flat.n;
	k->r->has_direct = gm_flat_direct(&k->flat, k->r->direct);
	if (k->lattice.count) {
		gm_spec_end(&k->lattice, false, false);
		gm_spec_lattice(&k->lattice, k->p);
	}
	judge_time(k);
	bool time = choose_time(k);
	if (!time && k->flat.n < 8)
		return err_set(k->e, E_INPUT, "no grain can be measured: %d flat blocks, and %s", k->flat.n,
		               k->src->n < 2 ? "one frame only" : "too little of the picture holds still");
	if (k->flat.n >= 8) {
		k->r->flat = gm_flat_clean(&k->flat, &k->clean, !time);
		spatial_sigma(k);
	}
	const struct grain_profile begun = *k->p;
	if ((time ? by_time(k) : by_space(k)) < 0) return -1;
	if (time && k->o->method == GRAIN_AUTO && k->flat.n >= 8) ask_space(k, &begun);
	verdict(k);
	errors(k);
	return 0;
}

int grain_measure(const struct grain_source *s, const struct grain_opts *o, struct grain_profile *p,
                  struct grain_report *r, struct err *e)
{
	struct work k = { .src = s, .o = o, .r = r, .p = p, .e = e };
	int rc = -1;
	memset(p, 0, sizeof *p);
	memset(r, 0, sizeof *r);
	if (s->w < 2 * GM_BLOCK || s->h < 2 * GM_BLOCK || s->n < 1)
		return err_set(e, E_INPUT, "%d x %d pixels are too few to measure grain (at least %d a side)", s->w, s->h,
		               2 * GM_BLOCK);
	colour_luma(o->space, k.luma);
	for (int c = 0; c < 3; c++) p->aniso[c] = 1;
	p->space = o->space;
	p->width = s->w;
	p->height = p->lines = s->h;
	p->first = s->frame[0];
	p->last = s->frame[s->n - 1];
	k.tmp = malloc((size_t)s->w * (size_t)s->h * sizeof *k.tmp);
	if (!k.tmp) { err_set(e, E_MEMORY, "no memory for a frame of %d x %d", s->w, s->h); goto out; }
	if (gm_spec_new(&k.lattice, GM_WINDOW, e) < 0 || gm_spec_new(&k.block, GM_BLOCK, e) < 0) goto out;
	k.flat.most = FLAT_BLOCKS / flat_frames(&k);
	if (gm_frame_new(&k.frame[0], s->w, s->h, e) < 0 || gm_frame_new(&k.frame[1], s->w, s->h, e) < 0 ||
	    gm_frame_new(&k.frame[2], s->w, s->h, e) < 0) goto out;
	rc = measure(&k);
out:
	free(k.tmp);
	gm_spec_free(&k.lattice);
	gm_spec_free(&k.block);
	for (int i = 0; i < 3; i++) gm_frame_free(&k.frame[i]);
	for (int i = 0; i < k.nfield; i++) gm_field_free(&k.field[i]);
	free(k.field);
	gm_flat_free(&k.flat);
	return rc;
}
