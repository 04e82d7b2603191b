/* degrain - what a neutral picture is worth: its PSNR, the spectrum of what was taken against the grain that was there, and
 * whether edges show in it. CLEAN GRAINED NEUTRAL W H FIRST COUNT [BITS]: raw RGB frames of 8 bits, NEUTRAL's of 8 (default)
 * or 16, of which COUNT from FIRST (0 is the first) on are compared. PSNR is of 8 bits, rounded here where there are 16. Prints the grained picture's PSNR, the neutral one's, the worst ring in dB, its middle in
 * cycles a pixel and its channel, |r| with edges, |r| of the grain itself, and the share of pixels that |r| is without, as they are clipped.
 *
 * Rings of 0.05 cycles a pixel from 0.05 on, per channel, over windowed blocks of 32x32; those where the grain has no more
 * than a hundredth of its strongest ring (there rounding to 8 bits rules) do not count. |r| is the correlation of the size
 * of what was taken, R + G + B, over the grain's deviation in such tones, with the clean picture's gradient.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 32, RINGS = 13, CELL = 8 };
#define RING 0.05
#define SEEN 0.01

/* Planes R, G, B of w x h. */
struct picture { int w, h; float *p[3]; };
struct sums {
	double error, before, count;
	double taken[3][RINGS], grain[3][RINGS], bins[RINGS];
	double n, m, g, mm, gg, mg, left_out;
};

struct waves { double cos[BLOCK][BLOCK], sin[BLOCK][BLOCK], window[BLOCK]; };

static void waves_make(struct waves *t)
{
	for (int k = 0; k < BLOCK; k++) {
		t->window[k] = pow(sin(M_PI * (k + 0.5) / BLOCK), 2);
		for (int x = 0; x < BLOCK; x++) {
			t->cos[k][x] = cos(2 * M_PI * k * x / BLOCK);
			t->sin[k][x] = sin(2 * M_PI * k * x / BLOCK);
		}
	}
}

static int ring_of(int k, int l)
{
	double fx = (double)k / BLOCK, fy = (double)(l < BLOCK / 2 ? l : l - BLOCK) / BLOCK;
	return (int)(sqrt(fx * fx + fy * fy) / RING);
}

/* Adds the power of a - b in the block at (x0, y0) to its rings. */
static void powers(const struct waves *t, const struct picture *a, const struct picture *b, int ch, int x0, int y0,
                   double *out)
{
	double re[BLOCK / 2 + 1][BLOCK], im[BLOCK / 2 + 1][BLOCK], row[BLOCK];
	for (int y = 0; y < BLOCK; y++) {
		size_t at = (size_t)(y0 + y) * (size_t)a->w + (size_t)x0;
		for (int x = 0; x < BLOCK; x++)
			row[x] = t->window[y] * t->window[x] * ((double)a->p[ch][at + (size_t)x] - (double)b->p[ch][at + (size_t)x]);
		for (int k = 0; k <= BLOCK / 2; k++) {
			re[k][y] = im[k][y] = 0;
			for (int x = 0; x < BLOCK; x++) re[k][y] += row[x] * t->cos[k][x], im[k][y] -= row[x] * t->sin[k][x];
		}
	}
	for (int k = 0; k <= BLOCK / 2; k++)
		for (int l = 0; l < BLOCK; l++) {
			double u = 0, v = 0;
			for (int y = 0; y < BLOCK; y++) {
				u += re[k][y] * t->cos[l][y] + im[k][y] * t->sin[l][y];
				v += im[k][y] * t->cos[l][y] - re[k][y] * t->sin[l][y];
			}
			int r = ring_of(k, l);
			if (r < RINGS) out[r] += (u * u + v * v) * (k % (BLOCK / 2) ? 2 : 1);
		}
}

/* The luma that a stock's strength goes by: a Gaussian of 1.5 pixels over it. */
static void tones_of(const struct picture *p, float *out)
{
	enum { REACH = 5 };
	double k[REACH + 1], all = 0;
	int w = p->w, h = p->h;
	float *t = malloc((size_t)w * (size_t)h * sizeof *t);
	for (int i = 0; i <= REACH; i++) all += (k[i] = exp(-i * i / 4.5)) * (i ? 2 : 1);
	for (int i = 0; i < w * h; i++) out[i] = 0.2126f * p->p[0][i] + 0.7152f * p->p[1][i] + 0.0722f * p->p[2][i];
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < w * h; i++) {
			double v = 0;
			for (int d = -REACH; d <= REACH; d++) {
				int at = (pass ? i % w : i / w) + d, last = (pass ? w : h) - 1;
				at = at < 0 ? 0 : at > last ? last : at;
				v += k[abs(d)] / all * (double)out[pass ? i - i % w + at : at * w + i % w];
			}
			t[i] = (float)v;
		}
		memcpy(out, t, (size_t)w * (size_t)h * sizeof *t);
	}
	free(t);
}

/* The grain's own deviation, R + G + B, over such luma: a stock's grain is stronger in some tones than in others, and
 * so is the picture's detail, which by itself would be a correlation. */
enum { TONES = 33 };

static double strength_at(const double *t, float tone)
{
	double v = (double)tone * (TONES - 1), f;
	int k = v < 0 ? 0 : v > TONES - 2 ? TONES - 2 : (int)v;
	f = v - k < 0 ? 0 : v - k > 1 ? 1 : v - k;
	return t[k] + f * (t[k + 1] - t[k]);
}

static void strengths(const struct picture *clean, const struct picture *noisy, const float *tone, double out[TONES])
{
	double n[TONES] = { 0 }, all = 0;
	memset(out, 0, TONES * sizeof *out);
	for (int i = 0; i < clean->w * clean->h; i++) {
		double v = (double)tone[i] * (TONES - 1), d = 0;
		int k = v < 0 ? 0 : v > TONES - 2 ? TONES - 2 : (int)v;
		double f = v - k;
		for (int c = 0; c < 3; c++) d += (double)noisy->p[c][i] - (double)clean->p[c][i];
		out[k] += (1 - f) * d * d, n[k] += 1 - f;
		out[k + 1] += f * d * d, n[k + 1] += f;
		all += d * d;
	}
	all /= clean->w * clean->h;
	for (int k = 0; k < TONES; k++) out[k] = sqrt((out[k] + 0.01 * all) / (n[k] + 1));
}

/* Clipped grain deviates less than the profile says, and it is where pictures are flat and white: the planted grain itself then
 * correlates with edges (|r| 0.13 where a quarter of the picture is white). Cells of 8x8 pixels with more than a fiftieth
 * of the grained values at 0 or 1 in some channel are left out of |r|, of what was taken and of the grain alike. */
static bool clipped(const struct picture *noisy, int x0, int y0)
{
	for (int c = 0; c < 3; c++) {
		int n = 0;
		for (int y = y0; y < y0 + CELL && y < noisy->h; y++)
			for (int x = x0; x < x0 + CELL && x < noisy->w; x++) {
				float v = noisy->p[c][y * noisy->w + x];
				n += v <= 0.0f || v >= 1.0f;
			}
		if (50 * n > CELL * CELL) return true;
	}
	return false;
}

static void edges(const struct picture *clean, const struct picture *noisy, const struct picture *neutral, struct sums *s)
{
	int w = clean->w, cells = (w + CELL - 1) / CELL;
	double strength[TONES];
	bool *out = calloc((size_t)cells * (size_t)((clean->h + CELL - 1) / CELL), sizeof *out);
	float *tone = malloc((size_t)w * (size_t)clean->h * sizeof *tone);
	tones_of(clean, tone);
	strengths(clean, noisy, tone, strength);
	for (int y = 0; y < clean->h; y += CELL)
		for (int x = 0; x < w; x += CELL) out[y / CELL * cells + x / CELL] = clipped(noisy, x, y);
	for (int y = 2; y < clean->h - 2; y++)
		for (int x = 2; x < w - 2; x++) {
			double gx = 0, gy = 0, r = 0;
			if (out[y / CELL * cells + x / CELL]) { s->left_out++; continue; }
			for (int c = 0; c < 3; c++) {
				int at = y * w + x;
				const float *p = clean->p[c] + at;
				gx += (double)p[1] - (double)p[-1];
				gy += (double)p[w] - (double)p[-w];
				r += (double)noisy->p[c][at] - (double)neutral->p[c][at];
			}
			double g = sqrt(gx * gx + gy * gy), m = fabs(r) / strength_at(strength, tone[y * w + x]);
			s->n++, s->g += g, s->m += m, s->gg += g * g, s->mm += m * m, s->mg += g * m;
		}
	free(tone);
	free(out);
}

static double squares(const struct picture *a, const struct picture *b)
{
	double sum = 0;
	for (int c = 0; c < 3; c++)
		for (int i = 0; i < a->w * a->h; i++) {
			double e = (rint(255 * (double)a->p[c][i]) - rint(255 * (double)b->p[c][i])) / 255;
			sum += e * e;
		}
	return sum;
}

static void sums_add(const struct waves *t, const struct picture *clean, const struct picture *noisy,
                     const struct picture *neutral, struct sums *s)
{
	s->error += squares(neutral, clean);
	s->before += squares(noisy, clean);
	s->count += 3.0 * clean->w * clean->h;
	memset(s->bins, 0, sizeof s->bins);
	for (int k = 0; k < BLOCK * BLOCK; k++)
		if (ring_of(k % BLOCK < BLOCK / 2 ? k % BLOCK : k % BLOCK - BLOCK, k / BLOCK) < RINGS)
			s->bins[ring_of(k % BLOCK < BLOCK / 2 ? k % BLOCK : k % BLOCK - BLOCK, k / BLOCK)]++;
	for (int c = 0; c < 3; c++)
		for (int y = 0; y + BLOCK <= clean->h; y += BLOCK)
			for (int x = 0; x + BLOCK <= clean->w; x += BLOCK) {
				powers(t, noisy, neutral, c, x, y, s->taken[c]);
				powers(t, noisy, clean, c, x, y, s->grain[c]);
			}
	edges(clean, noisy, neutral, s);
}

static double decibels(double squared, double count) { return squared > 0 ? -10 * log10(squared / count) : 99; }

static double edge(const struct sums *s)
{
	double n = s->n, var = (s->mm / n - s->m / n * s->m / n) * (s->gg / n - s->g / n * s->g / n);
	return var > 0 ? (s->mg / n - s->m / n * s->g / n) / sqrt(var) : 0;
}

/* dB by which ring r of what was taken of a channel is off; 0 where there is hardly any grain. */
static double off(const struct sums *s, int ch, int r)
{
	double top = 0;
	for (int k = 0; k < RINGS; k++) if (s->grain[ch][k] / s->bins[k] > top) top = s->grain[ch][k] / s->bins[k];
	if (s->grain[ch][r] / s->bins[r] < SEEN * top || s->taken[ch][r] <= 0) return 0;
	return 10 * log10(s->taken[ch][r] / s->grain[ch][r]);
}

/* The worst ring of all channels from RING on. */
static double worst(const struct sums *s, int *ch, int *ring)
{
	double most = 0;
	*ch = *ring = 1;
	for (int c = 0; c < 3; c++)
		for (int r = 1; r < RINGS; r++)
			if (fabs(off(s, c, r)) > fabs(most)) most = off(s, c, r), *ch = c, *ring = r;
	return most;
}

#ifndef DEGRAIN_BENCH_NO_MAIN
static int next(FILE *f, unsigned char *bytes, bool deep, struct picture *p)
{
	size_t n = (size_t)p->w * (size_t)p->h;
	if (fread(bytes, deep ? 6 : 3, n, f) != n) return -1;
	for (size_t i = 0; i < 3 * n; i++)
		p->p[i % 3][i / 3] = deep ? (float)(bytes[2 * i] | bytes[2 * i + 1] << 8) / 65535.0f : bytes[i] / 255.0f;
	return 0;
}

int main(int argc, char **argv)
{
	struct waves t;
	struct sums s = { 0 }, grain = { 0 };
	struct picture p[3];
	FILE *f[3];
	if (argc != 8 && argc != 9) { fprintf(stderr, "degrain CLEAN GRAINED NEUTRAL W H FIRST COUNT [BITS]\n"); return 2; }
	int w = atoi(argv[4]), h = atoi(argv[5]), first = atoi(argv[6]), count = atoi(argv[7]), ch, ring;
	unsigned char *bytes = malloc((size_t)w * (size_t)h * 6);
	for (int i = 0; i < 3; i++) {
		p[i] = (struct picture){ .w = w, .h = h };
		for (int c = 0; c < 3; c++) p[i].p[c] = calloc((size_t)w * (size_t)h, sizeof(float));
		f[i] = fopen(argv[1 + i], "rb");
		if (!f[i]) { perror(argv[1 + i]); return 1; }
	}
	waves_make(&t);
	for (int k = 0; k < first + count; k++) {
		for (int i = 0; i < 3; i++) if (next(f[i], bytes, i == 2 && argc == 9 && atoi(argv[8]) == 16, &p[i])) { fprintf(stderr, "%s is short\n", argv[1 + i]); return 1; }
		if (k < first) continue;
		sums_add(&t, &p[0], &p[1], &p[2], &s);
		edges(&p[0], &p[1], &p[0], &grain);
	}
	double off_by = worst(&s, &ch, &ring);
	printf("%.2f %.2f %+.2f %.3f %c %+.3f %+.3f %.2f\n", decibels(s.before, s.count), decibels(s.error, s.count), off_by,
	       (ring + 0.5) * RING, "RGB"[ch], edge(&s), edge(&grain), s.left_out / (s.left_out + s.n));
	return 0;
}
#endif
