/* grain_table_seed - what clips show of AV1's grain parameters: learnt from their templates; the seed that suits; see
 * grain_table_fit.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_table_fit.h"
#include "mathx.h"
#include "mem.h"

/* To learn from: many templates; to choose from: fewer, and more of each frame. */
enum { SEEDS = 500, WINDOWS = 12, CHOICE = 256, CHOICE_WINDOWS = 50, FIRST = 7391, STEP = 3381, LENGTHS = 3, LONGEST = 48,
	RINGS = 11, LOW = 3 };

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
	gt_planes_of(g, f->sub, o);
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

/* The power at a radius, of knots at whole radii, linear in their logarithms. */
static double between(const double ln[RINGS], double r)
{
	int k = (int)r < RINGS - 2 ? (int)r : RINGS - 2;
	double t = r - k < 1 ? r - k : 1;
	return mx_exp(ln[k] * (1 - t) + ln[k + 1] * t);
}

/* Means of rings as Hann's window smears such a spectrum. */
static void smear(const double ln[RINGS], double mean[RINGS])
{
	enum { SIDE = RINGS + 1 };
	double d[SIDE][SIDE], n[RINGS] = { 0 };
	for (int i = 0; i < SIDE * SIDE; i++) {
		int x = i % SIDE, y = i / SIDE;
		d[y][x] = between(ln, __builtin_sqrt(x * x + y * y));
	}
	for (int r = 0; r < RINGS; r++) mean[r] = 0;
	for (int y = 0; y < RINGS; y++)
		for (int x = 0; x < RINGS; x++) {
			int r = (int)(__builtin_sqrt(x * x + y * y) + 0.5), times = (x ? 2 : 1) * (y ? 2 : 1);
			double v = 0;
			if (r >= RINGS) continue;
			for (int k = 0; k < 9; k++)
				v += d[abs(y + k / 3 - 1)][abs(x + k % 3 - 1)] * (k % 3 == 1 ? 4 : 1) * (k / 3 == 1 ? 4 : 1) / 36;
			mean[r] += v * times;
			n[r] += times;
		}
	for (int r = 0; r < RINGS; r++) mean[r] /= n[r];
}

/* The lowest octaves as an analysis tells them, which takes the window out again and goes straight from knot to knot: of
 * a frame's mean, which is a line at 0, it keeps less than there is. */
static void lowest(const struct fit *f, const double *ring, double out[LOW])
{
	enum { TURNS = 12, END = 4 << (LOW - 1) };
	double ln[RINGS], mean[RINGS], sum[LOW] = { 0 }, n[LOW] = { 0 };
	for (int r = 0; r < RINGS; r++) ln[r] = mx_log(ring[r] > 1e-30 ? ring[r] / f->n[r] : 1e-30);
	for (int turn = 0; turn < TURNS; turn++) {
		smear(ln, mean);
		for (int r = 0; r < RINGS; r++) ln[r] += mx_log((ring[r] > 1e-30 ? ring[r] / f->n[r] : 1e-30) / mean[r]);
	}
	for (int y = 1 - END; y < END; y++)
		for (int x = 1 - END; x < END; x++) {
			double r = __builtin_sqrt(x * x + y * y);
			int k = r < 4 ? 0 : r < 8 ? 1 : 2;
			if (r >= END) continue;
			sum[k] += between(ln, r / 2);
			n[k]++;
		}
	for (int k = 0; k < LOW; k++) out[k] = 0;
	for (int r = 0; f->octave[r] < LOW; r++) out[f->octave[r]] += f->n[r];
	for (int k = 0; k < LOW; k++) out[k] *= sum[k] / n[k];
}

/* Of a channel. */
static void octaves(const struct fit *f, const double *ring, double out[FIT_OCTAVES])
{
	lowest(f, ring, out);
	for (int k = LOW; k < FIT_OCTAVES; k++) out[k] = 0;
	for (int r = 0; r < FIT_RINGS; r++) out[f->octave[r]] += f->octave[r] < LOW ? 0 : ring[r];
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
		double shown[FIT_OCTAVES], under[FIT_OCTAVES], want[FIT_OCTAVES] = { 0 }, made[FIT_OCTAVES] = { 0 };
		octaves(f, sum[SEEDS].ring[c], shown);
		octaves(f, f->under[c], under);
		for (int r = 0; r < FIT_RINGS; r++) {
			made[f->octave[r]] += f->have[c][r] * f->blocks[c][r];
			want[f->octave[r]] += f->want[c][r];
		}
		for (int k = 0; k < FIT_OCTAVES; k++)
			if (made[k] > 0 && under[k] > 0) f->seen[c][k] = shown[k] / SEEDS * want[k] / under[k] / made[k];
	}
	fit_block_shares(f);
	free(sum);
}

int fit_seed(const struct fit *f, const struct grain_params *g, const double dev[3], double *off)
{
	static const int length[LENGTHS] = { 12, 24, LONGEST };
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
