/* grainmeasure - the errors of both grain estimators, and of what `interneg grain` makes of the two (auto), on grain planted over
 * plates: KINDS, then plates of raw planar float G,B,R as NAME:FILE:W:H:FRAMES:VX:VY (one frame and a motion: it is panned; a
 * name that begins with reel: no two frames are neighbours), a row an estimator and a seed (SEEDS, from SEED on), then a row of
 * means over the seeds: what is left there is no chance but bias. Plates are softened by 1.2 pixels, by 2 for coarse alone.
 * Clips have noise of their own, which is in their grain: what it adds to the planted is told first, from the flattest fifth
 * of the clean plate's blocks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>

#include "../grainplant.h"
#include "grain_measure_int.h"

enum { FRAMES = 40, ROOM = 128 };                    /* what the verb takes of pictures this large */

struct plate { char name[64]; int w, h, n, vx, vy; bool reel; float *v; float *luma; };   /* w, h: of what is seen */
struct scene { const struct plate *p; const struct plant *t; uint32_t seed; float *rgb[3]; int pw, ph; };

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int get(void *user, int i, float *const rgb[3], struct err *e)
{
	struct scene *s = user;
	const struct plate *p = s->p;
	int at = p->n > 1 ? i : 0, ox = (p->vx || p->vy) ? 1 + i * p->vx : 0, oy = (p->vx || p->vy) ? 1 + i * p->vy : 0;
	size_t all = (size_t)s->pw * (size_t)s->ph;
	(void)e;
	plant_noise(s->t, rgb, p->w, p->h, (uint32_t)i, s->seed);
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < p->h; y++)
			for (int x = 0; x < p->w; x++) {
				size_t q = (size_t)(y + oy) * (size_t)s->pw + (size_t)(x + ox);
				float *d = &rgb[c][(size_t)y * (size_t)p->w + (size_t)x];
				*d = p->v[((size_t)at * 3 + (size_t)c) * all + q] +
				     *d * (float)plant_strength(s->t, c, (double)p->luma[(size_t)at * all + q]);
			}
	return 0;
}

/* Of all seeds of one case. */
struct sums { int n, refused; double strength, bias[3], low[3], db, corr; };

static double worst(const double v[3]) { return fmax(fabs(v[0]), fmax(fabs(v[1]), fabs(v[2]))); }

/* What pixels of flat grain allow at best (Cramer-Rao, the spectrum unknown): standard errors of the strength (a share), of a
 * ring of the spectrum 1/32 cycles a pixel wide at 0.0625 (dB), and of the worst correlation by all bins above -30 dB. */
static void bound(const struct plant *t, double pixels, double out[3])
{
	double sum[3] = { 0 }, squares[3] = { 0 }, above = 0, least = 1, most = 0;
	for (int y = 0; y < 64; y++)
		for (int x = 0; x < 64; x++) {
			bool all = true;
			for (int c = 0; c < 3; c++) {
				double p = plant_power(t, c, (x - 32) / 64.0, (y - 32) / 64.0);
				sum[c] += p / 4096;
				squares[c] += p * p / 4096;
				all = all && p > 1e-3 * plant_power(t, c, 0, 0);
			}
			above += all / 4096.0;
		}
	for (int c = 0; c < 3; c++) {
		most = fmax(most, squares[c] / (sum[c] * sum[c]));
		least = fmin(least, fabs(t->k->corr[c]));
	}
	out[0] = sqrt(most / (2 * pixels));
	out[1] = 4.343 * sqrt(2 / (pixels * 12 / 1024));
	out[2] = t->k->corr[0] < 1 ? (1 - least * least) / sqrt(above * pixels) : 0;
}

static void row(const struct scene *s, enum grain_choice how, int frames, struct sums *all)
{
	struct grain_profile g;
	struct grain_report r;
	int frame[FRAMES];
	struct grain_source src = { (void *)s, frames, frame, s->p->w, s->p->h, get };
	struct grain_opts o = { .method = how, .space = colour_find("rec709") };
	struct err e = ERR_INIT;
	double t0 = cpu_s();
	for (int i = 0; i < frames; i++) frame[i] = 1 + i * (s->p->reel ? 10 : 1);
	printf("%-22s %-7s %-5s ", s->p->name, s->t->k->name, how == GRAIN_BY_TIME ? "time" : how == GRAIN_AUTO ? "auto" : "space");
	if (grain_measure(&src, &o, &g, &r, &e) < 0) { printf("refused: %s\n", e.msg); all->refused++; return; }
	struct plant_off f = plant_against(s->t, &g, 1);
	for (int c = 0; c < 3; c++) printf("%5.2f ", 100 * f.strength[c]);
	for (int c = 0; c < 3; c++) printf(" %+5.2f", 100 * f.bias[c]);
	for (int c = 0; c < 3; c++) printf("  %+5.2f@%.2f", f.db[c], f.at[c]);
	printf("  low");
	for (int c = 0; c < 3; c++) printf(" %+5.2f", f.low[c]);
	printf("  rest");
	for (int c = 0; c < 3; c++) printf(" %+5.2f", f.high[c]);
	printf("  %.4f  %2d %5d %5d %4.1fs%s\n", f.corr, g.nstrength, how == GRAIN_BY_TIME ? r.used : r.flat, r.windows,
	       cpu_s() - t0, how == GRAIN_AUTO ? g.method == GRAIN_TEMPORAL ? " by time" : " by space" : (how == GRAIN_BY_TIME) == (g.method == GRAIN_TEMPORAL) ? "" : " by the other estimator");
	double still[3], used[3], seen = how == GRAIN_BY_TIME ? r.used * 1024.0 / 1.5 : r.windows * 1024.0 / 2.5;
	bound(s->t, (double)s->p->w * s->p->h * (how == GRAIN_BY_TIME ? frames - 1 : 1) / (how == GRAIN_BY_TIME ? 1.5 : 1), still);
	bound(s->t, seen, used);
	printf("    one standard error by chance alone, all pixels if they were flat: %.2f %%, %.2f dB, %.4f; those of the lowest "
	       "rings' blocks: %.2f %%, %.2f dB, %.4f\n", 100 * still[0], still[1], still[2], 100 * used[0], used[1], used[2]);
	if (*r.doubt) printf("    %s: %s\n", r.unsure ? "refused" : "accepted", r.doubt);
	for (int i = 0; getenv("V") && i < g.nstrength; i++)
		printf("    %.3f: %+6.2f %+6.2f %+6.2f %%\n", g.luma[i], 100 * (g.sigma[i][0] / plant_strength(s->t, 0, g.luma[i]) - 1),
		       100 * (g.sigma[i][1] / plant_strength(s->t, 1, g.luma[i]) - 1), 100 * (g.sigma[i][2] / plant_strength(s->t, 2, g.luma[i]) - 1));
	if (getenv("V")) { char *x = grain_profile_text(&g); printf("%s", x); free(x); }
	fflush(stdout);
	all->n++;
	all->refused += r.unsure;
	all->strength = fmax(all->strength, worst(f.strength));
	all->db = fmax(all->db, worst(f.db));
	all->corr = fmax(all->corr, f.corr);
	for (int c = 0; c < 3; c++) { all->bias[c] += f.bias[c]; all->low[c] += f.low[c]; }
}

static void means(const struct scene *s, const char *how, const struct sums *a)
{
	if (!a->n) return;
	printf("= %-20s %-7s %-5s %d of %d refused; strength at most %.2f %%, mean", s->p->name, s->t->k->name, how, a->refused,
	       a->n, 100 * a->strength);
	for (int c = 0; c < 3; c++) printf(" %+.2f", 100 * a->bias[c] / a->n);
	printf("; spectrum at most %.2f dB, lowest bin's mean", a->db);
	for (int c = 0; c < 3; c++) printf(" %+.2f", a->low[c] / a->n);
	printf("; correlation at most %.4f\n", a->corr);
	fflush(stdout);
}

struct spot { double flat, own[GM_RINGS]; };

static int by_flat(const void *a, const void *b)
{
	const struct spot *p = a, *q = b;
	return (p->flat > q->flat) - (p->flat < q->flat);
}

/* One block of three clean frames in a row, green: second differences' energy by ring over the planted strength's. */
static struct spot spot(const struct scene *s, const struct gm_spec *spec, int i, int x0, int y0)
{
	static const float zero[GM_BLOCK * GM_BLOCK];
	float d[GM_BLOCK * GM_BLOCK], sum[GM_BLOCK * GM_BLOCK], flat[GM_BLOCK * GM_BLOCK], own[GM_BLOCK * GM_BLOCK], ring[3][GM_RINGS];
	struct spot o = { 0 };
	double strength = 0;
	size_t all = (size_t)s->pw * (size_t)s->ph;
	for (int k = 0; k < GM_BLOCK * GM_BLOCK; k++) {
		size_t at = (size_t)(y0 + k / GM_BLOCK) * (size_t)s->pw + (size_t)(x0 + k % GM_BLOCK);
		const float *v = s->p->v + ((size_t)i * 3 + 1) * all + at;
		d[k] = (v[0] - 2 * v[3 * all] + v[6 * all]) * 0.40824829f;
		sum[k] = (v[0] + v[3 * all] + v[6 * all]) * 0.57735027f;
		strength += plant_strength(s->t, 1, (double)s->p->luma[(size_t)i * all + at]) / (GM_BLOCK * GM_BLOCK);
	}
	gm_trend_out(spec->trend, 1, sum, GM_BLOCK, flat);
	gm_trend_out(spec->trend, 0, d, GM_BLOCK, own);
	gm_spec_block(spec, (const float *const[]){ own, flat, zero }, ring);
	for (int r = 1; r < GM_RINGS; r++) {
		o.own[r] = (double)ring[0][r] / (strength * strength);
		o.flat += r < 9 ? (double)ring[1][r] / (strength * strength) : 0;
	}
	return o;
}

/* What the clip's own noise adds to the planted grain, dB by ring of 1/32 cycles a pixel. */
static void own_noise(const struct scene *s)
{
	static const int from[] = { 1, 2, 3, 4, 6, 9, 13 };
	struct gm_spec spec;
	struct err e = ERR_INIT;
	const struct plate *p = s->p;
	int nx = p->w / GM_BLOCK, ny = p->h / GM_BLOCK, n = 0;
	struct spot *v = malloc((size_t)p->n * (size_t)(nx * ny) * sizeof *v);
	if (p->n < 3 || p->reel || gm_spec_new(&spec, GM_BLOCK, &e) < 0) { free(v); return; }
	for (int i = 0; i + 2 < p->n; i += 2)
		for (int b = 0; b < nx * ny; b++) v[n++] = spot(s, &spec, i, b % nx * GM_BLOCK, b / nx * GM_BLOCK);
	qsort(v, (size_t)n, sizeof *v, by_flat);
	printf("%-22s %-7s the clip's own noise adds to green, dB from ring", p->name, s->t->k->name);
	for (int k = 0; k + 1 < (int)(sizeof from / sizeof *from); k++) {
		double own = 0, grain = 0;
		for (int r = from[k]; r < from[k + 1]; r++) {
			for (int i = 0; i < n / 5; i++) own += gm_ring_bins(r) * v[i].own[r] / (n / 5);
			grain += gm_ring_bins(r) * plant_power(s->t, 1, r / (double)GM_BLOCK, 0);
		}
		printf(" %d: %+.2f", from[k], 10 * log10(1 + own / grain));
	}
	printf("\n");
	free(v);
	gm_spec_free(&spec);
}

static int load(struct plate *p, const char *arg, int *pw, int *ph, double soft)
{
	char path[512];
	if (sscanf(arg, "%63[^:]:%511[^:]:%d:%d:%d:%d:%d", p->name, path, pw, ph, &p->n, &p->vx, &p->vy) != 7) return -1;
	if (p->n > FRAMES) p->n = FRAMES;
	p->reel = strncmp(p->name, "reel", 4) == 0;
	size_t all = (size_t)*pw * (size_t)*ph;
	FILE *f = fopen(path, "rb");
	if (!f) return -1;
	p->v = malloc(all * 3 * (size_t)p->n * sizeof(float));
	p->luma = malloc(all * (size_t)p->n * sizeof(float));
	for (int i = 0; i < p->n; i++) {
		static const int order[3] = { 1, 2, 0 };
		float *rgb[3];
		for (int c = 0; c < 3; c++) {
			float *d = rgb[order[c]] = p->v + ((size_t)i * 3 + (size_t)order[c]) * all;
			if (fread(d, sizeof(float), all, f) != all) { p->n = i; break; }
			for (size_t k = 0; k < all; k++) d[k] = 0.02f + 0.96f * d[k];
			plant_soften(d, *pw, *ph, soft);
		}
		if (p->n == i) break;
		plant_luma(rgb, *pw, *ph, p->luma + (size_t)i * all);
	}
	fclose(f);
	p->w = *pw - (p->vx || p->vy ? ROOM : 0);
	p->h = *ph - (p->vx || p->vy ? ROOM : 0);
	return p->n ? 0 : -1;
}

int main(int argc, char **argv)
{
	const char *only = getenv("ONLY");
	int seed = getenv("SEED") ? atoi(getenv("SEED")) : 0, seeds = getenv("SEEDS") ? atoi(getenv("SEEDS")) : 1;
	if (argc < 3) return 2;
	for (int a = 2; a < argc; a++) {
		struct plate p;
		struct plant t;
		struct scene s = { .p = &p, .t = &t, .seed = 0 };
		if (load(&p, argv[a], &s.pw, &s.ph, strcmp(argv[1], "coarse") == 0 ? 2.0 : 1.2) < 0) {
			fprintf(stderr, "cannot read %s\n", argv[a]);
			return 1;
		}
		for (size_t k = 0; k < sizeof plant_kinds / sizeof *plant_kinds; k++) {
			if (!strstr(argv[1], plant_kinds[k].name)) continue;
			plant_make(&t, &plant_kinds[k]);
			own_noise(&s);
			struct sums sums[3] = { { 0 }, { 0 }, { 0 } };
			for (int q = 0; q < seeds; q++) {
				s.seed = 99 + 131 * (uint32_t)(a + seed + q);
				if ((!only || only[0] == 't') && !p.reel)
					row(&s, GRAIN_BY_TIME, p.n > 1 ? p.n : getenv("N") ? atoi(getenv("N")) : FRAMES, &sums[0]);
				if (!only || only[0] == 's') row(&s, GRAIN_BY_SPACE, p.reel ? p.n : 1, &sums[1]);
				if ((!only || only[0] == 'a') && p.n > 1 && !p.reel) row(&s, GRAIN_AUTO, p.n, &sums[2]);
			}
			means(&s, "time", &sums[0]);
			means(&s, "space", &sums[1]);
			means(&s, "auto", &sums[2]);
		}
		free(p.v);
		free(p.luma);
	}
	return 0;
}
