/* lua - megapixels a second of a traced pixel function beside the same grade in C, in cache, on one core's CPU time.
 *
 * Usage: lua SCRIPT, built by lua.sh. Tiles as `plan --verbose` shows for the renders of lua.sh, their planes apart and
 * worked on in place as a stage has them, on both sides; medians of alternating runs.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "colour.h"
#include "graph.h"
#include "mem.h"
#include "script.h"

enum { WIDE = 960, HIGH = 32, N = WIDE * HIGH, APART = 80, RUNS = 41, ROUNDS = 32 };
typedef void hand_fn(const float *const in[3], float *const out[3], const float u[14], int n);
hand_fn hand_grade_baseline, hand_grade_avx2, hand_grade_avx512;

static atomic_int go;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_size(const void *a, const void *b)
{
	double x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

struct rig { struct node_ctx n; struct format f; struct view picture; void *scratch; float *hand[3]; };

static void run_lua(struct rig *g)
{
	struct err e = ERR_INIT;
	struct need need = { 0, 1, g->f.data };
	struct call c = { .n = &g->n, .nin = 1, .need = &need, .in = &g->picture, .out = &g->picture,
	    .scratch = g->scratch, .cancel = &go, .err = &e };
	for (int i = 0; i < ROUNDS; i++)
		if (g->n.type->tile(&c, g->f.data) < 0) exit(1);
}

static void run_hand(struct rig *g, hand_fn *hand, const float u[14])
{
	const float *const in[3] = { g->hand[0], g->hand[1], g->hand[2] };
	for (int i = 0; i < ROUNDS; i++) hand(in, g->hand, u, N);
}

static bool equal(const struct rig *g)
{
	for (int c = 0; c < 3; c++)
		if (memcmp(g->hand[c], g->picture.plane[c], N * sizeof(float)) != 0) return false;
	return true;
}

static void measure(struct rig *g, hand_fn *hand)
{
	float u[14] = { 1.1f, 1, 0.9f, 0.01f, 0.02f, 0.03f, 0.9f, 0.18f, 1.1f, 1.2f };
	double luma[3], ours[RUNS], theirs[RUNS], ratio[RUNS], pixels = (double)N * ROUNDS / 1e6;
	colour_luma(g->f.space, luma);
	for (int c = 0; c < 3; c++) u[11 + c] = (float)luma[c];
	for (int i = 0; i < RUNS; i++) {
		double t0 = now();
		run_lua(g);
		double t1 = now();
		run_hand(g, hand, u);
		double t2 = now();
		ours[i] = t1 - t0;
		theirs[i] = t2 - t1;
		ratio[i] = ours[i] / theirs[i];
	}
	qsort(ours, RUNS, sizeof *ours, by_size);
	qsort(theirs, RUNS, sizeof *theirs, by_size);
	qsort(ratio, RUNS, sizeof *ratio, by_size);
	printf("%-9s traced Lua %5.0f Mpix/s (best %5.0f)  hand C %5.0f (best %5.0f)  hand / Lua %.2f  %s\n",
	    node_isa_name(), pixels / ours[RUNS / 2], pixels / ours[0], pixels / theirs[RUNS / 2],
	    pixels / theirs[0], ratio[RUNS / 2], equal(g) ? "equal bits" : "THE BITS DIFFER");
}

static int bench(const char *path, enum isa isa, hand_fn *hand)
{
	struct err e = ERR_INIT;
	struct diags d = { 0 };
	struct registry reg = { 0 };
	if (node_isa_set(isa, &e) < 0) { printf("%s\n", e.msg); return 0; }
	struct script_host *h = script_host_new();
	struct arena *a = arena_new();
	if (h->load(h, &reg, path, path, 1, &d) < 0) { fprintf(stderr, "%s\n", d.v[0].msg); return 1; }
	const struct node_type *t = reg.extra[0];
	struct rig g = { .f = { .data = rect_of(0, 0, WIDE, HIGH), .display = rect_of(0, 0, WIDE, HIGH),
	    .par = { 1, 1 }, .first = 1, .last = 1, .space = colour_find("acescg") } };
	void *v = arena_alloc(a, 1, t->size);
	params_default(t->params, v, a, HIGH);
	format_channels(&g.f, "R G B");
	g.n = (struct node_ctx){ .type = t, .id = "bench", .v = v, .nconn = 1, .in = { &g.f }, .out = &g.f,
	    .scale = 1, .working = g.f.space };
	g.picture = (struct view){ .r = g.f.data, .stride = WIDE, .nch = 3 };
	float *mem = aligned_alloc(64, 6 * (N + APART) * sizeof *mem);
	for (int c = 0; c < 6; c++) {
		float *m = mem + c * (N + APART);
		for (int i = 0; i < N; i++) m[i] = (float)((i * 37 + c % 3 * 11) % 1999) / 1500 - 0.1f;
		*(c < 3 ? &g.picture.plane[c] : &g.hand[c - 3]) = m;
	}
	if (t->open(&g.n, &e) < 0) { fprintf(stderr, "%s\n", e.msg); return 1; }
	g.scratch = aligned_alloc(64, (t->scratch(&g.n, g.f.data) + 127) & ~(size_t)63);
	measure(&g, hand);
	t->close(&g.n);
	free(mem);
	free(g.scratch);
	free(reg.extra);
	arena_free(&a);
	script_host_free(&h);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) { fprintf(stderr, "usage: lua SCRIPT\n"); return 2; }
	return bench(argv[1], ISA_BASELINE, hand_grade_baseline) | bench(argv[1], ISA_AVX2, hand_grade_avx2) |
	       bench(argv[1], ISA_AVX512, hand_grade_avx512);
}
