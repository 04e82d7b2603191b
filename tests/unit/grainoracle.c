/* grainoracle - libaom's film grain estimator and ours on the same grain: what it says of strength, ours says too.
 *
 * Its noise model is given the clean picture, so that none of its error is its denoiser's (aomenc's own leaves a tenth
 * of the grain in the picture); ours sees the grainy frames alone.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dlfcn.h>
#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grain_measure.h"
#include "grain_table.h"
#include "test.h"
#include "yuv.h"

#include "../grainplate.h"

/* The interface of aom_dsp/noise_model.h and aom_dsp/grain_params.h, as libaom 3 has it. */
struct model_params { int shape, lag, bit_depth, highbd; };
struct aom_grain {
	int apply, update, y[14][2], ny, cb[10][2], ncb, cr[10][2], ncr, scaling_shift, lag, ay[24], acb[25], acr[25], ar_shift,
	    cb_mult, cb_luma_mult, cb_offset, cr_mult, cr_luma_mult, cr_offset, overlap, restricted;
	unsigned depth;
	int chroma_from_luma, grain_shift;
	uint16_t seed;
	int room[64];
};
struct aom {
	int (*init)(void *, struct model_params);
	int (*update)(void *, const uint8_t *const[3], const uint8_t *const[3], int, int, int[3], int[2], const uint8_t *, int);
	int (*get)(void *, struct aom_grain *);
};

enum { W = 576, H = 416, FRAMES = 5, THEIRS = 3, BLOCK = 32 };
struct scene { const struct plate *p; const struct plant *t; uint32_t seed; };

/* A straight line: libaom smooths its curve by so much that a bend is lost (15 % at the top of a parabola). */
static double strength(double luma) { return 0.012 + 0.008 * luma; }

/* Grain alike in all channels, rounded to 10 bits as libaom gets it; RGB moves as luma does. */
static int get(void *user, int i, float *const rgb[3], struct err *e)
{
	struct scene *s = user;
	(void)e;
	plant_noise(s->t, rgb, W, H, (uint32_t)i, s->seed);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			int q = y * s->p->w + x, k = y * W + x;
			float g = rgb[0][k] * (float)strength((double)s->p->luma[q]);
			float at = rintf(s->p->luma[q] * 1023), shift = rintf(at + g * 1023) / 1023 - at / 1023;
			for (int c = 0; c < 3; c++) rgb[c][k] = s->p->rgb[c][q] + shift;
		}
	return 0;
}

static bool load_aom(struct aom *a)
{
	void *lib = dlopen("libaom.so.3", RTLD_NOW | RTLD_LOCAL);
	if (!lib) return false;
	*(void **)&a->init = dlsym(lib, "aom_noise_model_init");
	*(void **)&a->update = dlsym(lib, "aom_noise_model_update");
	*(void **)&a->get = dlsym(lib, "aom_noise_model_get_grain_parameters");
	return a->init && a->update && a->get;
}

/* Codes of 10 bits of what a frame adds to the clean luma. */
static void codes(struct scene *s, int i, float *const rgb[3], uint16_t *clean, uint16_t *noisy)
{
	get(s, i, rgb, NULL);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			int q = y * s->p->w + x, k = y * W + x;
			clean[k] = (uint16_t)rintf(s->p->luma[q] * 1023);
			noisy[k] = (uint16_t)((float)clean[k] + rintf((rgb[0][k] - s->p->rgb[0][q]) * 1023));
		}
}

static int by_value(const void *a, const void *b)
{
	const double *p = a, *q = b;
	return (*p > *q) - (*p < *q);
}

/* Blocks that are of one luma, of which alone its model speaks; between which lumas most of them lie. */
static void flat_blocks(const struct plate *p, uint8_t *flat, double range[2])
{
	double mean[W / BLOCK * (H / BLOCK)];
	int count = 0;
	for (int b = 0; b < W / BLOCK * (H / BLOCK); b++) {
		double s = 0, ss = 0, n = BLOCK * BLOCK;
		for (int k = 0; k < BLOCK * BLOCK; k++) {
			double v = (double)p->luma[(b / (W / BLOCK) * BLOCK + k / BLOCK) * p->w + b % (W / BLOCK) * BLOCK + k % BLOCK];
			s += v;
			ss += v * v;
		}
		flat[b] = ss / n - s * s / (n * n) < 0.06 * 0.06 ? 255 : 0;
		if (flat[b]) mean[count++] = s / n;
	}
	qsort(mean, (size_t)count, sizeof *mean, by_value);
	range[0] = count ? mean[count / 20] : 0;
	range[1] = count ? mean[count - 1 - count / 20] : 0;
}

/* What libaom makes of the frames, as a table. */
static bool asked(const struct aom *a, struct scene *s, struct grain_params *out, double range[2])
{
	static double model[4096];           /* larger than its struct, which stays its own */
	struct aom_grain g = { .depth = 10 };
	uint16_t *clean = malloc(W * H * sizeof *clean), *noisy = malloc(W * H * sizeof *noisy);
	float *rgb[3];
	uint8_t flat[W / BLOCK * (H / BLOCK)];
	bool good = a->init(model, (struct model_params){ 1, 3, 10, 1 });
	flat_blocks(s->p, flat, range);
	for (int c = 0; c < 3; c++) rgb[c] = plant_floats(W, H);
	for (int i = 0; good && i < THEIRS; i++) {
		codes(s, i, rgb, clean, noisy);
		const uint8_t *n[3] = { (uint8_t *)noisy, NULL, NULL };
		const uint8_t *d[3] = { (uint8_t *)clean, NULL, NULL };
		int stride[3] = { W, W, W }, sub[2] = { 0, 0 };
		/* 3: the recursion's direction differs from the last frame's, as that of white grain must */
		int rc = a->update(model, n, d, W, H, stride, sub, flat, BLOCK);
		good = rc == 0 || rc == 3;
	}
	good = good && a->get(model, &g);
	*out = (struct grain_params){ .apply = 1, .update = 1, .lag = g.lag, .ar_shift = g.ar_shift, .grain_shift = g.grain_shift,
		.scaling_shift = g.scaling_shift, .ny = g.ny };
	memcpy(out->y, g.y, sizeof g.y);
	memcpy(out->ay, g.ay, sizeof g.ay);
	for (int c = 0; c < 3; c++) free(rgb[c]);
	free(clean);
	free(noisy);
	return good && g.ny > 1 && g.lag == 3;
}

/* In a process of its own: libaom does not export what would free its model. */
static bool ask_aom(const struct aom *a, struct scene *s, struct grain_params *out, double range[2])
{
	struct { struct grain_params g; double range[2]; bool good; } all = { .good = false };
	int fd[2];
	if (pipe(fd) < 0) return false;
	pid_t child = fork();
	if (child == 0) {
		all.good = asked(a, s, &all.g, all.range);
		_exit(write(fd[1], &all, sizeof all) != (ssize_t)sizeof all);
	}
	close(fd[1]);
	if (child < 0 || read(fd[0], &all, sizeof all) != (ssize_t)sizeof all) all.good = false;
	close(fd[0]);
	if (child > 0) waitpid(child, NULL, 0);
	*out = all.g;
	range[0] = all.range[0];
	range[1] = all.range[1];
	return all.good;
}

static void one(const struct aom *a, const char *name, const struct plate *p, const struct plant *t)
{
	struct scene s = { p, t, 7 };
	int frame[FRAMES];
	struct grain_source src = { &s, FRAMES, frame, W, H, get };
	struct grain_opts o = { .space = colour_find("rec709"), .step = 1 / 1023.0, .common = true };
	struct grain_profile ours, theirs;
	struct grain_report r;
	struct grain_params g;
	struct err e = ERR_INIT;
	double off = 0, most = 0, truth[2] = { 0, 0 }, range[2];
	int n = 0;
	for (int i = 0; i < FRAMES; i++) frame[i] = 1 + i;
	if (!ask_aom(a, &s, &g, range)) { test_ok(0, "%s, %s: libaom gives an estimate", name, t->k->name); return; }
	grain_table_profile(&g, &(struct grain_picture){ YM_BT709, true, false, YS_LEFT, 8 }, H, &theirs);
	if (grain_measure(&src, &o, &ours, &r, &e) < 0) { test_ok(0, "%s, %s: %s", name, t->k->name, e.msg); return; }
	for (int i = 0; i < ours.nstrength; i++) {
		double l = ours.luma[i], want = strength(l), d = ours.sigma[i][1] / grain_profile_sigma(&theirs, 1, l) - 1;
		if (l < range[0] || l > range[1]) continue;
		n++;
		off += d * d;
		most = fmax(most, fabs(d));
		if (getenv("V"))
			printf("# %.3f: truth %.5f, ours %+.2f %%, libaom's %+.2f %%\n", l, want, 100 * (ours.sigma[i][1] / want - 1),
			       100 * (grain_profile_sigma(&theirs, 1, l) / want - 1));
		truth[0] = fmax(truth[0], fabs(ours.sigma[i][1] / want - 1));
		truth[1] = fmax(truth[1], fabs(grain_profile_sigma(&theirs, 1, l) / want - 1));
	}
	off = n ? sqrt(off / n) : 9;
	test_ok(off < 0.05 && most < 0.05, "%s, %s: strength as libaom's within 5 %% (%d levels: rms %.2f, most %.2f; off the truth at most: "
	        "ours %.2f, libaom's %.2f %%)", name, t->k->name, n, 100 * off, 100 * most, 100 * truth[0], 100 * truth[1]);
}

int main(void)
{
	static const char *const plates[] = { "kodak_23.png", "kodak_15.png" };
	static const struct plant_kind white = { "white", { 1, 1, 1 }, 1, 0, { 1, 1, 1 }, { 0.016, 0.016, 0.016 } };
	static const struct plant_kind mild = { "mild", { 0.18, 0.18, 0.18 }, 0.35, 0, { 1, 1, 1 }, { 0.016, 0.016, 0.016 } };
	const struct plant_kind *kinds[] = { &white, &mild };
	struct aom a;
	if (!test_data()) { test_skip("grainoracle: no ../shared/data"); return 0; }
	if (!load_aom(&a)) { test_skip("grainoracle: libaom.so.3 is not here or shows no noise model"); return 0; }
	for (size_t i = 0; i < sizeof plates / sizeof *plates; i++) {
		struct plate p;
		if (!load_plate(plates[i], &p, 1.2)) { test_skip("grainoracle: no %s", plates[i]); continue; }
		for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
			struct plant t;
			plant_make(&t, kinds[k]);
			if (p.w >= W && p.h >= H) one(&a, plates[i], &p, &t);
		}
		free_plate(&p);
	}
	TEST_END();
}
