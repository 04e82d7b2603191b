/* grain_table_show - what a decoder makes of AV1's grain parameters and one seed, number by number; see
 * grain_table_fit.h.
 *
 * A frame's grain is cut from one template of 73 x 82 that its seed makes (AV1 specification 7.18.3): the few coarse
 * waves that have room there differ from what the spectrum says, and a clip has a seed a frame. Whole numbers, the
 * template's margins and what blocks have in common count, too. Windows are as wide as two blocks and begin where blocks do
 * or half-way, so that seams count no more and no less than in a frame.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "grain_table_fit.h"
#include "mem.h"

enum {
	N = GT_N, NN = GT_NN, ROWS = 73, COLUMNS = 82, HALF_ROWS = 38, HALF_COLUMNS = 44, EDGE = TABLE_LAG,
	ROW_PAIRS = 10, COLUMNS_SEEN = 40
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

static void plate(const struct grain_params *g, unsigned seed, const struct fit *f, int plane, struct plates *t)
{
	bool sub = f->sub;
	int top = (1 << (f->bits - 1)) - 1;
	static const unsigned own[3] = { 0, 0xb524, 0x49d8 };
	const int *a = plane == 0 ? g->ay : plane == 1 ? g->acb : g->acr;
	int w = plane && sub ? HALF_COLUMNS : COLUMNS, h = plane && sub ? HALF_ROWS : ROWS;
	int (*v)[COLUMNS] = t->v[plane];
	unsigned r = seed ^ own[plane];
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) v[y][x] = rounded(gt_normal[draw(&r, 11)], 12 - f->bits + g->grain_shift);
	for (int y = EDGE; y < h; y++)
		for (int x = EDGE; x < w - EDGE; x++) {
			int sum = plane ? a[TABLE_TAPS] * luma_below(t, x, y, sub) : 0, k = 0;
			for (int dy = -TABLE_LAG; dy <= 0; dy++)
				for (int dx = -TABLE_LAG; dx <= TABLE_LAG && (dy || dx < 0); dx++) sum += a[k++] * v[y + dy][x + dx];
			sum = v[y][x] + rounded(sum, g->ar_shift);
			v[y][x] = sum > top ? top : sum < -top - 1 ? -top - 1 : sum;
		}
}

/* Of three blocks in a row: where a place lies in them, and how much counts. */
struct place { int block, at; double w; };

static int places(bool half, int i, struct place p[2])
{
	static const double luma[2] = { 17.0 / 32, 27.0 / 32 };
	int n = half ? 16 : 32, in = i % n, over = half ? 1 : 2;
	p[0] = (struct place){ i / n, in, 1 };
	if (i < n || in >= over) return 1;
	p[0].w = half ? 22.0 / 32 : luma[in];
	p[1] = (struct place){ i / n - 1, n + in, half ? 23.0 / 32 : luma[1 - in] };
	return 2;
}

/* Where a window is: the cuts of its three blocks by three, and whether it begins half a block on. */
struct spot { int cut[3][3]; bool right, down; };

/* A window of a plane under Hann's, of n by n. */
static void window(const struct fit *f, const struct plates *t, int plane, const struct spot *s, double *out)
{
	bool half = plane && f->sub;
	int n = half ? N / 2 : N, from = EDGE + (half ? 1 : 2) * EDGE, by = half ? 1 : 2, nx[N], ny[N];
	struct place px[N][2], py[N][2];
	for (int i = 0; i < n; i++) {
		nx[i] = places(half, i + s->right * n / 4, px[i]);
		ny[i] = places(half, i + s->down * n / 4, py[i]);
	}
	memset(out, 0, (size_t)(n * n) * sizeof *out);
	for (int y = 0; y < n; y++)
		for (int j = 0; j < ny[y]; j++) {
			double w = py[y][j].w * f->hann[half][y];
			const int *row[3];
			for (int b = 0; b < 3; b++) {
				int c = s->cut[py[y][j].block][b];
				row[b] = &t->v[plane][from + by * (c >> 4) + py[y][j].at][from + by * (c & 15)];
			}
			for (int x = 0; x < n; x++) {
				double sum = 0;
				for (int i = 0; i < nx[x]; i++) sum += px[x][i].w * row[px[x][i].block][px[x][i].at];
				out[y * n + x] += w * f->hann[half][x] * sum;
			}
		}
}

/* Two real planes at once, one the imaginary part of the other: of 2 windows' luma; of each one's chroma. */
struct waves { double re[3][NN], im[3][NN], room[2 * NN]; };

static void transform(const struct fit *f, const struct plates *t, const struct spot s[2], struct waves *v)
{
	window(f, t, 0, &s[0], v->re[0]);
	window(f, t, 0, &s[1], v->im[0]);
	for (int k = 0; k < 2; k++) {
		window(f, t, 1, &s[k], v->re[1 + k]);
		window(f, t, 2, &s[k], v->im[1 + k]);
	}
	for (int k = 0; k < 3; k++) fft_square(&f->fft[k > 0], v->re[k], v->im[k], v->room);
}

/* What both planes have in bin i and in that of the opposite frequency. */
static void part(const struct waves *v, int k, int i, int twin, double re[2], double im[2])
{
	re[0] = (v->re[k][i] + v->re[k][twin]) / 2;
	im[0] = (v->im[k][i] - v->im[k][twin]) / 2;
	re[1] = (v->im[k][i] + v->im[k][twin]) / 2;
	im[1] = (v->re[k][twin] - v->re[k][i]) / 2;
}

/* Adds powers of R, G, B by rings. Chroma's samples are brought up about places half a pixel on. */
static void add(const struct fit *f, const struct waves *v, const double unit[3], double ring[3][FIT_RINGS])
{
	int n = f->sub ? N / 2 : N;
	double m[3][3];
	for (int i = 0; i < 9; i++) m[i / 3][i % 3] = f->m[i / 3][i % 3] * unit[i % 3];
	for (int i = 0; i < FIT_BINS; i++) {
		int x = i % N, y = i / N, at = y % n * n + x % n, twin = (n - y % n) % n * n + (n - x % n) % n;
		double lr[2], li[2], cr[2], ci[2];
		part(v, 0, i, (N - y) % N * N + (N - x) % N, lr, li);
		for (int w = 0; w < 2; w++) {
			part(v, 1 + w, at, twin, cr, ci);
			for (int c = 0; c < 3; c++) {
				double re = m[c][1] * cr[0] + m[c][2] * cr[1], im = m[c][1] * ci[0] + m[c][2] * ci[1];
				double a = m[c][0] * lr[w] + re * f->up.turn[0][i] - im * f->up.turn[1][i];
				double b = m[c][0] * li[w] + re * f->up.turn[1][i] + im * f->up.turn[0][i];
				ring[c][f->ring[i]] += f->times[i] * (a * a + b * b);
			}
		}
	}
}

/* Window k of a frame. Neighbours' places go together: a shift register of which a bit is new. */
static struct spot spot_of(unsigned seed, int k)
{
	struct spot s = { .right = k % 2, .down = k / 2 % 2 };
	int row = 2 * (k % ROW_PAIRS), column = (k / ROW_PAIRS * 9 + 5 * k % 9) % COLUMNS_SEEN;
	for (int y = 0; y < 3; y++) {
		unsigned r = (unsigned)(row + y), d = seed ^ (r * 37 + 178) % 256 << 8 ^ (r * 173 + 105) % 256;
		for (int x = 0; x < column + 3; x++) {
			int v = draw(&d, 8);
			/* high bits place a column, low ones a row */
			if (x >= column) s.cut[y][x - column] = (v & 15) << 4 | v >> 4;
		}
	}
	return s;
}

void fit_show(const struct fit *f, const struct grain_params *g, unsigned seed, int windows, const double unit[3],
              double ring[3][FIT_RINGS])
{
	struct plates *t = xalloc(1, sizeof *t);
	struct waves *v = xalloc(1, sizeof *v);
	double code[3];
	memset(ring, 0, 3 * sizeof *ring);
	for (int k = 0; k < 3; k++) {
		plate(g, seed, f, k, t);
		code[k] = unit[k] / (1 << (f->bits - 8));
	}
	for (int k = 0; k < windows; k += 2) {
		struct spot s[2] = { spot_of(seed, k), spot_of(seed, k + 1) };
		transform(f, t, s, v);
		add(f, v, code, ring);
	}
	for (int i = 0; i < 3 * FIT_RINGS; i++) ring[i / FIT_RINGS][i % FIT_RINGS] /= windows;
	free(v);
	free(t);
}
