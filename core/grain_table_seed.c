/* grain_table_seed - what clips show of AV1's grain parameters: learnt from their templates; the seed that suits; see
 * grain_table_fit.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_table_fit.h"
#include "mathx.h"
#include "mem.h"

/* To learn from: many templates; to choose from: fewer, and more of each frame. */
enum { SEEDS = 256, WINDOWS = 10, CHOICE = 256, CHOICE_WINDOWS = 64, FIRST = 7391, STEP = 3381, LENGTHS = 4, LONGEST = 96 };

struct clip { double ring[3][FIT_RINGS]; };

/* As libaom goes on from frame to frame. */
static unsigned next(unsigned seed)
{
	seed = (seed + STEP) & 0xffff;
	return seed ? seed : FIRST;
}

/* Frames of seeds from FIRST on, added up: [n] has n of them. */
static struct clip *show(const struct fit *f, const struct grain_params *g, const double dev[3], int seeds, int windows)
{
	struct clip *sum = xalloc((size_t)seeds + 1, sizeof *sum);
	struct gt_planes *o = xalloc(1, sizeof *o);
	double unit[3], ring[3][FIT_RINGS];
	unsigned seed = FIRST;
	gt_planes_of(g, f->sub, &f->up, o);
	for (int k = 0; k < 3; k++) unit[k] = dev[k] / (o->dev[k] * (1 << g->scaling_shift));
	free(o);
	memset(sum, 0, sizeof *sum);
	for (int n = 0; n < seeds; n++, seed = next(seed)) {
		fit_show(f, g, seed, windows, unit, ring);
		for (int i = 0; i < 3 * FIT_RINGS; i++) {
			int c = i / FIT_RINGS, r = i % FIT_RINGS;
			sum[n + 1].ring[c][r] = sum[n].ring[c][r] + ring[c][r];
		}
	}
	return sum;
}

/* Of a channel. A ring in which an octave begins is in part of the one below: a frame's mean, the same all over it, is
 * power at 0, and the octave about it is not to be taken for smaller than it is. */
static void octaves(const struct fit *f, const double *ring, double out[FIT_OCTAVES])
{
	for (int k = 0; k < FIT_OCTAVES; k++) out[k] = 0;
	for (int r = 0; r < FIT_RINGS; r++) {
		bool first = r && f->octave[r] > f->octave[r - 1];
		double below = first ? 0.5 - 0.125 / r : 0;
		out[f->octave[r]] += (1 - below) * ring[r];
		if (first) out[f->octave[r] - 1] += below * ring[r];
	}
}

/* How far octave k of a clip is from what is wanted, as a power. */
static double ratio(const double *have, const double *want, int k)
{
	double all[2] = { 0, 0 };
	for (int i = 0; i < FIT_OCTAVES; i++) { all[0] += have[i]; all[1] += want[i]; }
	return have[k] > 0 && want[k] > 1e-3 * all[1] ? have[k] / all[0] / (want[k] / all[1]) : 1;
}

/* The worst octave's distance, in dB over white of the same strength; those that hold hardly anything do not count. */
static double worst(const struct fit *f, double want[3][FIT_OCTAVES], const struct clip *from, const struct clip *to)
{
	double most = 0;
	for (int c = 0; c < 3; c++) {
		double ring[FIT_RINGS], have[FIT_OCTAVES];
		for (int r = 0; r < FIT_RINGS; r++) ring[r] = to->ring[c][r] - from->ring[c][r];
		octaves(f, ring, have);
		/* chroma of half the size ends at a quarter */
		for (int k = 0; k < (f->sub ? 4 : 5); k++) {
			double off = 10 * mx_log10(ratio(have, want[c], k));
			off = off < 0 ? -off : off;
			most = off > most ? off : most;
		}
	}
	return most;
}

void fit_learn(struct fit *f, const struct grain_params *g, const double dev[3])
{
	struct clip *sum = show(f, g, dev, SEEDS, WINDOWS);
	for (int i = 0; i < 3 * FIT_OCTAVES; i++) f->seen[i / FIT_OCTAVES][i % FIT_OCTAVES] = 1;
	fit_block_shares(f);
	for (int c = 0; c < 3; c++) {
		double shown[FIT_OCTAVES], under[FIT_OCTAVES], want[FIT_OCTAVES], made[FIT_OCTAVES], ring[FIT_RINGS];
		octaves(f, sum[SEEDS].ring[c], shown);
		octaves(f, f->under[c], under);
		for (int r = 0; r < FIT_RINGS; r++) ring[r] = f->have[c][r] * f->blocks[c][r];
		octaves(f, ring, made);
		octaves(f, f->want[c], want);
		for (int k = 0; k < FIT_OCTAVES; k++)
			if (made[k] > 0 && under[k] > 0) f->seen[c][k] = shown[k] / SEEDS * want[k] / under[k] / made[k];
	}
	fit_block_shares(f);
	free(sum);
}

int fit_seed(const struct fit *f, const struct grain_params *g, const double dev[3], double *off)
{
	static const int length[LENGTHS] = { 12, 24, 48, LONGEST };
	struct clip *sum = show(f, g, dev, CHOICE, CHOICE_WINDOWS);
	double best = 1e300, want[3][FIT_OCTAVES];
	unsigned seed = FIRST, which = FIRST;
	for (int c = 0; c < 3; c++) octaves(f, f->under[c], want[c]);
	for (int n = 0; n + LONGEST <= CHOICE; n++, seed = next(seed)) {
		double most = 0;
		for (int k = 0; k < LENGTHS; k++) {
			double v = worst(f, want, &sum[n], &sum[n + length[k]]);
			most = v > most ? v : most;
		}
		if (most < best) { best = most; which = seed; }
	}
	*off = worst(f, want, &sum[0], &sum[CHOICE]);
	free(sum);
	return (int)which;
}
