/* grain_table_show - what a decoder makes of AV1's grain parameters and one seed, number by number; see
 * grain_table_fit.h.
 *
 * A frame's grain is cut from one template of 73 x 82 that its seed makes (AV1 specification 7.18.3): the few coarse
 * waves that have room there differ from what the spectrum says, and a clip has a seed a frame. Whole numbers, the
 * template's margins and what blocks have in common count, too. Windows are those of grain_measure: two blocks by two.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_table_fit.h"
#include "mem.h"

enum {
	N = GT_N, NN = GT_NN, ROWS = 73, COLUMNS = 82, HALF_ROWS = 38, HALF_COLUMNS = 44, EDGE = TABLE_LAG,
	ROW_PAIRS = 10
};

struct plates { int v[3][ROWS][COLUMNS]; };

static int draw(unsigned *r, int bits)
{
	unsigned bit = (*r ^ *r >> 1 ^ *r >> 3 ^ *r >> 12) & 1;
	*r = *r >> 1 | bit << 15;
	return (int)(*r >> (16 - bits)) & ((1 << bits) - 1);
}

static int rounded(int v, int shift) { return shift ? (v + (1 << (shift - 1))) >> shift : v; }

static int luma_below(const struct plates *t, int x, int y, bool sub)
{
	const int (*v)[COLUMNS] = t->v[0];
	if (!sub) return v[y][x];
	x = 2 * (x - EDGE) + EDGE;
	y = 2 * (y - EDGE) + EDGE;
	return rounded(v[y][x] + v[y][x + 1] + v[y + 1][x] + v[y + 1][x + 1], 2);
}

static void plate(const struct grain_params *g, unsigned seed, bool sub, int plane, struct plates *t)
{
	static const unsigned own[3] = { 0, 0xb524, 0x49d8 };
	const int *a = plane == 0 ? g->ay : plane == 1 ? g->acb : g->acr;
	int w = plane && sub ? HALF_COLUMNS : COLUMNS, h = plane && sub ? HALF_ROWS : ROWS;
	int (*v)[COLUMNS] = t->v[plane];
	unsigned r = seed ^ own[plane];
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) v[y][x] = rounded(gt_normal[draw(&r, 11)], 4 + g->grain_shift);
	for (int y = EDGE; y < h; y++)
		for (int x = EDGE; x < w - EDGE; x++) {
			int sum = plane ? a[TABLE_TAPS] * luma_below(t, x, y, sub) : 0, k = 0;
			for (int dy = -TABLE_LAG; dy <= 0; dy++)
				for (int dx = -TABLE_LAG; dx <= TABLE_LAG && (dy || dx < 0); dx++) sum += a[k++] * v[y + dy][x + dx];
			sum = v[y][x] + rounded(sum, g->ar_shift);
			v[y][x] = sum > 127 ? 127 : sum < -128 ? -128 : sum;
		}
}

/* In place, N values step apart. */
static void fft(const struct fit *f, double *re, double *im, int step)
{
	double a[N], b[N];
	for (int i = 0; i < N; i++) {
		a[f->rev[i]] = re[i * step];
		b[f->rev[i]] = im[i * step];
	}
	for (int m = 2; m <= N; m *= 2)
		for (int k = 0; k < m / 2; k++) {
			double wr = f->cs[k * (N / m)], wi = f->cs[k * (N / m) + N / 4];
			for (int i = k; i < N; i += m) {
				int j = i + m / 2;
				double tr = a[j] * wr - b[j] * wi, ti = a[j] * wi + b[j] * wr;
				a[j] = a[i] - tr;
				b[j] = b[i] - ti;
				a[i] += tr;
				b[i] += ti;
			}
		}
	for (int i = 0; i < N; i++) { re[i * step] = a[i]; im[i * step] = b[i]; }
}

/* Of a window of two blocks by two: where along an axis its places lie in them, and how much counts. */
struct place { int block, at; double w; };

static int places(bool half, int i, struct place p[2])
{
	static const double luma[2] = { 17.0 / 32, 27.0 / 32 };
	int n = half ? 16 : 32, in = i % n, over = half ? 1 : 2;
	p[0] = (struct place){ i / n, in, 1 };
	if (i < n || in >= over) return 1;
	p[0].w = half ? 22.0 / 32 : luma[in];
	p[1] = (struct place){ 0, n + in, half ? 23.0 / 32 : luma[1 - in] };
	return 2;
}

/* A window of a plane under Hann's; samples of half the size stand at every other place. */
static void window(const struct fit *f, const struct plates *t, int plane, int cut[2][2], double *out)
{
	bool half = plane && f->sub;
	int step = half ? 2 : 1, from = EDGE + (half ? 1 : 2) * EDGE, by = half ? 1 : 2;
	memset(out, 0, NN * sizeof *out);
	for (int y = 0; y < N / step; y++)
		for (int x = 0; x < N / step; x++) {
			struct place px[2], py[2];
			int nx = places(half, x, px), ny = places(half, y, py);
			double sum = 0;
			for (int j = 0; j < ny; j++)
				for (int i = 0; i < nx; i++) {
					int c = cut[py[j].block][px[i].block], x0 = from + by * (c & 15), y0 = from + by * (c >> 4);
					sum += py[j].w * px[i].w * t->v[plane][y0 + py[j].at][x0 + px[i].at];
				}
			out[y * step * N + x * step] = sum * f->hann[half][x] * f->hann[half][y];
		}
}

struct waves { double lr[NN], li[NN], cr[NN], ci[NN]; };

static void transform(const struct fit *f, const struct plates *t, int cut[2][2], struct waves *v)
{
	window(f, t, 0, cut, v->lr);
	memset(v->li, 0, sizeof v->li);
	window(f, t, 1, cut, v->cr);
	window(f, t, 2, cut, v->ci);
	for (int k = 0; k < 2; k++) {
		double *re = k ? v->cr : v->lr, *im = k ? v->ci : v->li;
		for (int y = 0; y < N; y += k && f->sub ? 2 : 1) fft(f, re + y * N, im + y * N, 1);
		for (int x = 0; x < N; x++) fft(f, re + x, im + x, N);
	}
}

/* Adds powers of R, G, B by rings. Chroma's samples are brought up about places half a pixel on. */
static void add(const struct fit *f, const struct waves *v, const double unit[3], double ring[3][FIT_RINGS])
{
	for (int i = 0; i < FIT_BINS; i++) {
		int twin = (N - i / N) % N * N + (N - i % N) % N;
		double co = f->turn[0][i] / 2, si = f->turn[1][i] / 2;
		double re[2] = { v->cr[i] + v->cr[twin], v->ci[i] + v->ci[twin] }, im[2] = { v->ci[i] - v->ci[twin], v->cr[twin] - v->cr[i] };
		for (int c = 0; c < 3; c++) {
			double a = f->m[c][0] * unit[0] * v->lr[i], b = f->m[c][0] * unit[0] * v->li[i];
			for (int k = 0; k < 2; k++) {
				double s = f->m[c][k + 1] * unit[k + 1];
				a += s * (re[k] * co - im[k] * si);
				b += s * (re[k] * si + im[k] * co);
			}
			ring[c][f->ring[i]] += f->times[i] * (a * a + b * b) ;
		}
	}
}

/* Where the blocks of rows 2 r and 2 r + 1 are cut from, in columns b and b + 1. Neighbours' places go together: a shift
 * register of which a bit is new. */
static void cuts(unsigned seed, int r, int b, int cut[2][2])
{
	for (int k = 0; k < 2; k++) {
		unsigned row = (unsigned)(2 * r + k), s = seed ^ (row * 37 + 178) % 256 << 8 ^ (row * 173 + 105) % 256;
		for (int x = 0; x <= b + 1; x++) {
			int d = draw(&s, 8);
			if (x >= b) cut[k][x - b] = d;
		}
		/* high bits place a column, low ones a row */
		for (int x = 0; x < 2; x++) cut[k][x] = (cut[k][x] & 15) << 4 | cut[k][x] >> 4;
	}
}

void fit_show(const struct fit *f, const struct grain_params *g, unsigned seed, int windows, const double unit[3],
              double ring[3][FIT_RINGS])
{
	struct plates *t = xalloc(1, sizeof *t);
	struct waves *v = xalloc(1, sizeof *v);
	memset(ring, 0, 3 * sizeof *ring);
	for (int k = 0; k < 3; k++) plate(g, seed, f->sub, k, t);
	for (int k = 0; k < windows; k++) {
		int cut[2][2];
		cuts(seed, k % ROW_PAIRS, k / ROW_PAIRS * 9 + 5 * k % 9, cut);
		transform(f, t, cut, v);
		add(f, v, unit, ring);
	}
	for (int i = 0; i < 3 * FIT_RINGS; i++) ring[i / FIT_RINGS][i % FIT_RINGS] /= windows;
	free(v);
	free(t);
}
