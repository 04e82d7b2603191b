/* grainmeasure - grain planted over photographs is found again: strength, spectrum, correlations, time.
 *
 * The truth is the recipe (grainplant.h), not the finite noise made by it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "colour.h"
#include "grain_measure_int.h"
#include "test.h"

#include "../grainplate.h"

/* frames: what is made of a plate, by recipe. */
struct recipe {
	int frames, from, vx, vy;      /* which field begins; picture moves by so much a frame */
	double drift;                        /* picture moves right by so much more, in parts of a pixel */
	double rho, frozen;                  /* AR(1) in time; share of the variance that never changes */
	double lattice; int period;
	double ripple;                       /* of light, slow in space, another in every frame */
	double gain;
	bool flat, quantised;
	const float *mottle;                 /* detail of all channels, or NULL */
};

/* Unit fields, one set a frame, the last one for what never changes. */
enum { W = 704, H = 448, FRAMES = 16 };
struct fields { const struct plant *t; float *v[FRAMES + 1][3]; };
struct scene { struct recipe r; const struct plate *p; const struct fields *f; float *noise[3]; };

static const struct plant_kind scan = { "scan", { 0.14, 0.135, 0.11 }, 0, 0.2, { 0.45, 0.30, 0.20 }, { 0.020, 0.018, 0.026 } };
static const struct plant_kind scan_coarse = { "coarse scan", { 0.075, 0.072, 0.06 }, 0, 0, { 0.45, 0.30, 0.20 }, { 0.030, 0.028, 0.040 } };

/* Lagrange's, of four. */
static double between(const float *p, double t)
{
	return -t * (t - 1) * (t - 2) / 6 * (double)p[-1] + (t + 1) * (t - 1) * (t - 2) / 2 * (double)p[0] -
	       (t + 1) * t * (t - 2) / 2 * (double)p[1] + (t + 1) * t * (t - 1) / 6 * (double)p[2];
}

static int get(void *user, int i, float *const rgb[3], struct err *e)
{
	struct scene *s = user;
	const struct recipe *r = &s->r;
	double far = i * r->drift, part = far - floor(far);
	int n = W * H, ox = 1 + i * r->vx + (int)floor(far), oy = 1 + i * r->vy;
	(void)e;
	for (int c = 0; c < 3; c++) {
		const float *fresh = s->f->v[(i + r->from) % FRAMES][c], *fixed = s->f->v[FRAMES][c];
		for (int k = 0; k < n; k++)
			s->noise[c][k] = i ? (float)(r->rho * (double)s->noise[c][k] + sqrt(1 - r->rho * r->rho) * (double)fresh[k]) : fresh[k];
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++) {
				int k = y * W + x, q = (y + oy) * s->p->w + x + ox;
				double l = r->flat ? 0.1 + 0.8 * (x + 0.5) / W : between(s->p->luma + q, part);
				double g = sqrt(1 - r->frozen) * (double)s->noise[c][k] + sqrt(r->frozen) * (double)fixed[k];
				double v = (r->flat ? l : between(s->p->rgb[c] + q, part)) + r->gain * plant_strength(s->f->t, c, l) * g;
				if (r->mottle) v += 0.6 * plant_strength(s->f->t, 1, l) * (double)r->mottle[k];
				if (r->ripple > 0) v += r->ripple * sin((x + 7 * y) * 2 * M_PI / 700 + 2 * i);
				if (r->period) v += x % r->period == 0 || y % r->period == 0 ? r->lattice : 0;
				rgb[c][k] = (float)(r->quantised ? floor(v * 255 + 0.5) / 255 : v);
			}
	}
	return 0;
}

static int run(const struct recipe *r, const struct plate *p, const struct fields *f, enum grain_choice how,
               struct grain_profile *out, struct grain_report *rep)
{
	int frame[FRAMES];
	struct scene s = { .r = *r, .p = p, .f = f };
	struct grain_source src = { &s, r->frames, frame, W, H, get };
	struct grain_opts o = { .method = how, .space = colour_find("rec709"), .step = r->quantised ? 1 / 255.0 : 0 };
	struct err e = ERR_INIT;
	for (int i = 0; i < r->frames; i++) frame[i] = 1 + i;
	for (int c = 0; c < 3; c++) s.noise[c] = plant_floats(W, H);
	int rc = grain_measure(&src, &o, out, rep, &e);
	if (rc < 0) printf("# %s\n", e.msg);
	for (int c = 0; c < 3; c++) free(s.noise[c]);
	return rc;
}

static void tell(const char *what, const struct plant_off *o, const struct grain_profile *p, const struct grain_report *r)
{
	printf("# %s: rms strength %.2f/%.2f/%.2f %% (mean %+.2f/%+.2f/%+.2f), spectrum %.3f/%.3f/%.3f dB, correlation %.4f, "
	       "time %.3f/%.3f/%.3f\n", what, 100 * o->strength[0], 100 * o->strength[1], 100 * o->strength[2],
	       100 * o->bias[0], 100 * o->bias[1], 100 * o->bias[2], o->db[0], o->db[1], o->db[2], o->corr, p->rho[0],
	       p->rho[1], p->rho[2]);
	printf("# %s | %s | %d knots, %d/%d blocks, %d flat, %d windows of %d, direct %.2f chain %.3f aniso %.3f %.3f %.3f se %.4f %.3f %.4f\n",
	       r->why, r->verdict, p->nstrength, r->used, r->blocks, r->flat, r->windows, r->window, r->direct[1], r->chain[1],
	       p->aniso[0], p->aniso[1], p->aniso[2], r->se_strength, r->se_db, r->se_corr);
}

static double worst(const double v[3]) { return fmax(fabs(v[0]), fmax(fabs(v[1]), fabs(v[2]))); }

/* The targets, at every bin, from 16 frames. */
static void time_case(const char *what, const struct recipe *r, const struct plate *p, const struct fields *f, double db)
{
	struct grain_profile g;
	struct grain_report rep;
	if (run(r, p, f, GRAIN_AUTO, &g, &rep) < 0) { test_ok(0, "%s is measured", what); return; }
	struct plant_off o = plant_against(f->t, &g, r->gain);
	if (getenv("V")) tell(what, &o, &g, &rep);
	test_ok(g.method == GRAIN_TEMPORAL, "%s: by time, %s", what, rep.why);
	test_ok(worst(o.strength) < 0.01, "%s: strength within 1 %% (%.2f %.2f %.2f)", what, 100 * o.strength[0],
	        100 * o.strength[1], 100 * o.strength[2]);
	test_ok(worst(o.high) < 0.2 && worst(o.db) < db, "%s: spectrum within 0.2 dB, at the worst of the lowest bins %.2f (%.2f %.2f %.2f)",
	        what, db, o.db[0], o.db[1], o.db[2]);
	test_ok(o.corr < fmax(0.005, 3 * rep.se_corr), "%s: correlations within 0.005, or chance (%.4f, %.4f expected)", what, o.corr,
	        rep.se_corr);
	test_ok(fabs(g.rho[1]) < 0.03 && !rep.boiling && !rep.frozen, "%s: new in every frame (%.3f)", what, g.rho[1]);
}

static void by_time(const struct plate *p, const struct fields *f)
{
	struct recipe r = { .frames = FRAMES, .gain = 1 };
	time_case("still camera", &r, p, f, 0.2);
	r.quantised = true;
	time_case("still camera, 8 bits", &r, p, f, 0.2);
	r.quantised = false;
	r.vx = 3;
	r.vy = 2;
	time_case("moving camera", &r, p, f, 0.2);
	r.vx = r.vy = 0;
	r.drift = 0.37;
	time_case("drifting camera", &r, p, f, 0.2);
}

/* Light that changes with a slow pattern is in differences, but not in flat blocks, whose plane takes it out. */
static void rippled(const struct plate *p, const struct fields *f)
{
	struct recipe r = { .frames = FRAMES, .gain = 1, .ripple = 0.004 };
	struct grain_profile g;
	struct grain_report rep;
	if (run(&r, p, f, GRAIN_BY_TIME, &g, &rep) < 0) { test_ok(0, "rippling light is measured by time"); return; }
	struct plant_off time = plant_against(f->t, &g, 1);
	if (run(&r, p, f, GRAIN_AUTO, &g, &rep) < 0) { test_ok(0, "rippling light is measured"); return; }
	struct plant_off o = plant_against(f->t, &g, 1);
	if (getenv("V")) tell("rippling light", &o, &g, &rep);
	test_ok(g.method == GRAIN_TEMPORAL && strstr(rep.why, "held to flat blocks'"), "rippling light: %s", rep.why);
	test_ok(worst(time.low) > 2 && worst(o.db) < 1.3, "rippling light: lowest bin of differences alone %+.2f, held to flat blocks %+.2f dB",
	        worst(time.low), worst(o.db));
	test_ok(worst(o.strength) < 0.01, "rippling light: strength within 1 %% (%.2f %%)", 100 * worst(o.strength));
}

/* Strength by time beyond that by space counts where two neighbouring lumas have it. */
static void excess(void)
{
	struct gm_curve time = { .n = 2, .luma = { 0, 1 } }, space = { .n = 5, .luma = { 0.1, 0.3, 0.5, 0.7, 0.9 } };
	for (int c = 0; c < 3; c++) {
		for (int i = 0; i < 2; i++) time.var[c][i] = 4e-4;
		for (int i = 0; i < 5; i++) space.var[c][i] = 4e-4;
	}
	double none = gm_excess(&time, &space, 1e-6), one, two;
	for (int c = 0; c < 3; c++) space.var[c][1] = 1e-6 + (4e-4 - 1e-6) / 1.44;
	one = gm_excess(&time, &space, 1e-6);
	for (int c = 0; c < 3; c++) space.var[c][2] = space.var[c][1];
	two = gm_excess(&time, &space, 1e-6);
	test_ok(fabs(none) < 1e-9 && fabs(one) < 1e-9 && fabs(two - 0.2) < 1e-9, "excess of strength: %.3f, at one luma %.3f, at two %.3f", none, one, two);
}

/* Stills measured, and those whose strength is within 7 %. */
struct tally { int stills, within; };

/* One frame tells strength and the spectrum, down to the lowest bin with the shading taken out; of the correlations what its few
 * blocks tell by their number. */
static void by_space(const char *name, const struct plate *p, const struct fields *f, int seed, struct tally *t)
{
	struct grain_profile g;
	struct grain_report rep;
	struct recipe r = { .frames = 1, .gain = 1, .from = seed };
	char what[64];
	snprintf(what, sizeof what, "a still of %.8s, %s, %d", name, f->t->k->name, seed);
	if (run(&r, p, f, GRAIN_AUTO, &g, &rep) < 0) { test_ok(0, "%s is measured", what); return; }
	struct plant_off o = plant_against(f->t, &g, r.gain);
	if (getenv("V")) tell("still", &o, &g, &rep);
	test_ok(g.method == GRAIN_SPATIAL && !rep.unsure && !g.unsure[0], "%s: %s", what, rep.doubt);
	t->stills++;
	t->within += worst(o.strength) < 0.07;
	test_ok(worst(o.strength) < 0.07, "%s: strength %.1f %.1f %.1f %%", what, 100 * o.strength[0], 100 * o.strength[1],
	        100 * o.strength[2]);
	test_ok(worst(o.high) < 0.5 && worst(o.db) < 0.6, "%s: spectrum (%.2f %.2f %.2f dB; at the lowest bin %.2f %.2f %.2f)", what,
	        o.high[0], o.high[1], o.high[2], o.low[0], o.low[1], o.low[2]);
	test_ok(o.corr < 3.5 * rep.se_corr, "%s: correlations as near as %d blocks tell (%.4f, %.4f by chance)", what, rep.windows, o.corr,
	        rep.se_corr);
}

/* Texture all over: told, and kept with the profile. */
static void heavy(const char *name, const struct fields *f)
{
	struct plate p;
	struct grain_profile g, back;
	struct grain_report rep;
	struct recipe r = { .frames = 1, .gain = 1 };
	struct err e = ERR_INIT;
	if (!load_plate(name, &p, 1.2)) { test_skip("grain_measure: no %s", name); return; }
	int rc = run(&r, &p, f, GRAIN_BY_SPACE, &g, &rep);
	test_ok(rc < 0 || rep.unsure, "%s: texture is not taken for grain: %s", name, rep.doubt);
	char *text = rc < 0 ? NULL : grain_profile_text(&g);
	test_ok(rc < 0 || (grain_profile_parse(text, "x", &back, &e) == 0 && strcmp(back.unsure, rep.doubt) == 0),
	        "%s: its profile says so%s%s", name, *e.msg ? ": " : "", e.msg);
	free(text);
	free_plate(&p);
}

/* Detail coarser than the grain that all channels have: they go together there as they do nowhere else. */
static void mottled(const struct plate *p, const struct fields *f, const struct fields *coarse)
{
	struct grain_profile g;
	struct grain_report rep;
	struct recipe r = { .frames = 1, .gain = 1, .flat = true };
	int rc = run(&r, p, f, GRAIN_BY_SPACE, &g, &rep);
	test_ok(rc == 0 && !rep.unsure, "no detail: %s", rep.doubt);
	r.mottle = coarse->v[0][0];
	rc = run(&r, p, f, GRAIN_BY_SPACE, &g, &rep);
	test_ok(rc == 0 && rep.unsure && strstr(rep.doubt, "channels share"), "detail in all channels: %s", rep.doubt);
}

static void in_time(const struct plate *p, const struct fields *f)
{
	struct grain_profile g;
	struct grain_report rep;
	struct recipe r = { .frames = 6, .gain = 1, .flat = true, .rho = 0.6 };
	if (run(&r, p, f, GRAIN_AUTO, &g, &rep) == 0) {
		struct plant_off o = plant_against(f->t, &g, r.gain);
		if (getenv("V")) tell("boiling", &o, &g, &rep);
		test_ok(rep.boiling && g.method == GRAIN_SPATIAL && fabs(g.rho[1] - 0.6) < 0.03, "boiling grain is named (%.3f)", g.rho[1]);
		test_ok(worst(o.strength) < 0.07, "boiling grain: strength (%.1f %%)", 100 * worst(o.strength));
	}
	r.rho = 0;
	r.frozen = 0.97;
	if (run(&r, p, f, GRAIN_AUTO, &g, &rep) == 0)
		test_ok(rep.frozen && fabs(g.rho[1] - 0.97) < 0.02, "frozen grain is named (%.3f)", g.rho[1]);
	r.frozen = 1;
	if (run(&r, p, f, GRAIN_AUTO, &g, &rep) == 0) test_ok(rep.frozen, "a repeated picture: %s", rep.why);
	r.frozen = 0;
	r.period = 8;
	r.lattice = 0.01;
	if (run(&r, p, f, GRAIN_AUTO, &g, &rep) == 0) {
		struct plant_off o = plant_against(f->t, &g, r.gain);
		if (getenv("V")) tell("lattice", &o, &g, &rep);
		test_ok(g.nlattice == 1 && g.lattice_period[0] == 8 && g.lattice_db[0] > 3, "a lattice of 8 is found (%g: %.1f dB)",
		        g.nlattice ? g.lattice_period[0] : 0, g.nlattice ? g.lattice_db[0] : 0);
		test_ok(worst(o.db) < 1.6, "a lattice stays out of the spectrum (%.2f dB)", worst(o.db));
	}
	r.gain = r.lattice = 0;
	r.period = 0;
	if (run(&r, p, f, GRAIN_AUTO, &g, &rep) == 0) test_ok(rep.none, "a clean picture has none");
	else test_ok(1, "a clean picture is refused");
}

static void same_text(const struct plate *p, const struct fields *f)
{
	struct grain_profile g[2], back;
	struct grain_report rep;
	struct recipe r = { .frames = 3, .gain = 1 };
	struct err e = ERR_INIT;
	char *text[2] = { NULL, NULL };
	for (int k = 0; k < 2; k++)
		if (run(&r, p, f, GRAIN_AUTO, &g[k], &rep) == 0) text[k] = grain_profile_text(&g[k]);
	test_ok(text[0] && text[1] && strcmp(text[0], text[1]) == 0, "measured twice: the same text");
	test_ok(text[0] && grain_profile_parse(text[0], "x", &back, &e) == 0, "the text reads back%s%s", *e.msg ? ": " : "", e.msg);
	free(text[0]);
	free(text[1]);
}

/* Many pictures, of which no two follow each other: flat blocks of all of them. */
enum { REEL = 10, REEL_PLATES = 5 };
#define REEL_LOW 0.6
#define REEL_CORR 0.015
struct reel { const struct plate *p; const struct fields *f; };

static int get_reel(void *user, int i, float *const rgb[3], struct err *e)
{
	const struct reel *r = user;
	const struct plate *p = &r->p[i % REEL_PLATES];
	int off = i < REEL_PLATES ? 0 : 48;
	(void)e;
	for (int c = 0; c < 3; c++)
		for (int k = 0; k < W * H; k++) {
			int q = (k / W + off) * p->w + k % W + off;
			rgb[c][k] = p->rgb[c][q] + (float)plant_strength(r->f->t, c, (double)p->luma[q]) * r->f->v[i][c][k];
		}
	return 0;
}

static void reel(const struct fields *f)
{
	static const char *const names[REEL_PLATES] = { "kodak_03.png", "kodak_07.png", "kodak_15.png", "kodak_20.png", "kodak_23.png" };
	struct plate p[REEL_PLATES];
	struct grain_profile g;
	struct grain_report rep;
	struct reel r = { p, f };
	struct err e = ERR_INIT;
	int frame[REEL], n = 0;
	while (n < REEL_PLATES && load_plate(names[n], &p[n], 1.2)) n++;
	for (int i = 0; i < REEL; i++) frame[i] = 1 + 10 * i;
	if (n == REEL_PLATES) {
		struct grain_source src = { &r, REEL, frame, W, H, get_reel };
		struct grain_opts o = { .method = GRAIN_AUTO, .space = colour_find("rec709") };
		int rc = grain_measure(&src, &o, &g, &rep, &e);
		struct plant_off q = rc < 0 ? (struct plant_off){ .corr = 9 } : plant_against(f->t, &g, 1);
		if (getenv("V") && rc == 0) tell("reel", &q, &g, &rep);
		test_ok(rc == 0 && g.method == GRAIN_SPATIAL && !rep.unsure && rep.flat > 0, "a reel of pictures: %s%s", rep.doubt, e.msg);
		test_ok(worst(q.strength) < 0.07, "a reel: strength %.1f %.1f %.1f %%", 100 * q.strength[0], 100 * q.strength[1], 100 * q.strength[2]);
		test_ok(worst(q.high) < 0.5 && worst(q.db) < REEL_LOW, "a reel: spectrum (%.2f %.2f %.2f dB; at the lowest bin %.2f %.2f %.2f)",
		        q.high[0], q.high[1], q.high[2], q.low[0], q.low[1], q.low[2]);
		test_ok(q.corr < REEL_CORR, "a reel: correlations (%.4f)", q.corr);
	} else test_skip("grain_measure: no %s", names[n]);
	while (n) free_plate(&p[--n]);
}

/* Pictures without detail, grain alone over all lumas: what is measured has no bias, down to the lowest bin. */
static int get_plain(void *user, int i, float *const rgb[3], struct err *e)
{
	const struct fields *f = user;
	(void)e;
	for (int c = 0; c < 3; c++)
		for (int k = 0; k < W * H; k++) {
			double l = 0.15 + 0.6 * (k % W + k / W) / (W + H);
			rgb[c][k] = (float)l + (float)plant_strength(f->t, c, l) * f->v[i][c][k];
		}
	return 0;
}

static void plain(const struct fields *f, double corr)
{
	struct grain_profile g;
	struct grain_report rep;
	struct err e = ERR_INIT;
	int frame[REEL];
	for (int i = 0; i < REEL; i++) frame[i] = 1 + 10 * i;
	struct grain_source src = { (void *)(uintptr_t)f, REEL, frame, W, H, get_plain };
	struct grain_opts o = { .method = GRAIN_AUTO, .space = colour_find("rec709") };
	int rc = grain_measure(&src, &o, &g, &rep, &e);
	struct plant_off q = rc < 0 ? (struct plant_off){ .corr = 9 } : plant_against(f->t, &g, 1);
	if (getenv("V") && rc == 0) tell("plain", &q, &g, &rep);
	test_ok(rc == 0 && g.method == GRAIN_SPATIAL && !rep.unsure, "%s grain alone: %s%s", f->t->k->name, rep.doubt, e.msg);
	test_ok(worst(q.strength) < 0.03, "%s grain alone: strength %.2f %.2f %.2f %%", f->t->k->name, 100 * q.strength[0],
	        100 * q.strength[1], 100 * q.strength[2]);
	test_ok(worst(q.db) < 0.5, "%s grain alone: spectrum, the lowest bin with it (%.2f %.2f %.2f dB)", f->t->k->name, q.db[0], q.db[1], q.db[2]);
	test_ok(q.corr < corr, "%s grain alone: correlations (%.4f)", f->t->k->name, q.corr);
}

static void make_fields(struct fields *f, const struct plant *t, int n, uint32_t seed)
{
	f->t = t;
	for (int i = 0; i <= FRAMES; i++) {
		for (int c = 0; c < 3; c++) f->v[i][c] = plant_floats(i < n || i == FRAMES ? W : 1, i < n || i == FRAMES ? H : 1);
		if (i < n || i == FRAMES) plant_noise(t, f->v[i], W, H, (uint32_t)i, seed);
	}
}

static void free_fields(struct fields *f)
{
	for (int i = 0; i <= FRAMES; i++)
		for (int c = 0; c < 3; c++) free(f->v[i][c]);
}

/* Another picture, another seed, another grain; frames for a measure by time or none; stills. */
static void elsewhere(const char *name, double soft, const struct fields *f, int frames, int stills, struct tally *t)
{
	struct plate p;
	struct recipe r = { .frames = frames, .from = 1, .gain = 1 };
	char what[64];
	snprintf(what, sizeof what, "%.8s, %s", name, f->t->k->name);
	if (!load_plate(name, &p, soft)) { test_skip("grain_measure: no %s", name); return; }
	if (frames) time_case(what, &r, &p, f, 0.35);
	for (int i = 0; i < stills; i++) by_space(name, &p, f, i, t);
	free_plate(&p);
}

int main(void)
{
	struct plate p;
	struct fields f, g, h, fine;
	struct plant t[3];
	struct tally stills = { 0, 0 };
	plant_make(&t[0], &scan);
	plant_make(&t[1], &scan_coarse);
	plant_make(&t[2], &plant_kinds[1]);
	make_fields(&fine, &t[2], 1, 3);
	make_fields(&f, &t[0], FRAMES, 99);
	make_fields(&g, &t[0], 12, 7);
	make_fields(&h, &t[1], 12, 5);
	excess();
	plain(&f, 0.005);
	plain(&h, 0.01);
	if (!test_data()) { test_skip("grain_measure: no ../shared/data"); goto out; }
	if (load_plate("kodak_23.png", &p, 1.2)) {
		by_time(&p, &f);
		rippled(&p, &f);
		in_time(&p, &f);
		mottled(&p, &fine, &h);
		same_text(&p, &f);
		by_space("kodak_23.png", &p, &f, 0, &stills);
		by_space("kodak_23.png", &p, &f, 1, &stills);
		free_plate(&p);
	} else test_ok(0, "kodak_23.png is read");
	elsewhere("kodak_03.png", 1.2, &g, 11, 2, &stills);
	elsewhere("kodak_07.png", 1.2, &f, 0, 2, &stills);
	elsewhere("kodak_15.png", 2, &h, 11, 0, &stills);
	elsewhere("kodak_23.png", 2, &h, 0, 2, &stills);
	reel(&f);
	heavy("kodak_20.png", &f);
	test_ok(stills.within * 8 >= stills.stills * 7, "of %d stills %d have their strength within 7 %%", stills.stills, stills.within);
out:
	free_fields(&fine);
	free_fields(&f);
	free_fields(&g);
	free_fields(&h);
	TEST_END();
}
