/* fft - see fft.h. Radix 2, decimation in time (Cooley and Tukey 1965), a strip of columns at a time.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fft.h"

#include <string.h>

#include "base.h"
#include "mathx.h"

void fft_make(struct fft *t, int n)
{
	t->n = n;
	for (int i = 0; i < n / 2; i++) {
		t->cos[i] = mx_cos(2 * MX_PI * i / n);
		t->sin[i] = -mx_sin(2 * MX_PI * i / n);
	}
	for (int i = 0; i < n; i++) {
		t->rev[i] = 0;
		for (int b = 1, k = i; b < n; b *= 2, k /= 2) t->rev[i] = t->rev[i] * 2 + k % 2;
	}
}

static void butterflies(double *IN_RESTRICT ar, double *IN_RESTRICT ai, double *IN_RESTRICT br,
                        double *IN_RESTRICT bi, double wr, double wi)
{
	for (int x = 0; x < FFT_STRIP; x++) {
		double tr = br[x] * wr - bi[x] * wi, ti = br[x] * wi + bi[x] * wr;
		br[x] = ar[x] - tr;
		bi[x] = ai[x] - ti;
		ar[x] += tr;
		ai[x] += ti;
	}
}

/* Along the first axis; what comes of it has the axes the other way about. */
static void along(const struct fft *t, const double *re, const double *im, double *to_re, double *to_im)
{
	double a[FFT_MOST][FFT_STRIP], b[FFT_MOST][FFT_STRIP];
	const int n = t->n;
	for (int x0 = 0; x0 < n; x0 += FFT_STRIP) {
		for (int i = 0; i < n; i++) {
			memcpy(a[t->rev[i]], re + i * n + x0, sizeof *a);
			memcpy(b[t->rev[i]], im + i * n + x0, sizeof *b);
		}
		for (int m = 2; m <= n; m *= 2)
			for (int from = 0; from < n; from += m)
				for (int k = 0; k < m / 2; k++) {
					int i = from + k, j = i + m / 2, w = k * (n / m);
					butterflies(a[i], b[i], a[j], b[j], t->cos[w], t->sin[w]);
				}
		for (int x = 0; x < FFT_STRIP; x++)
			for (int i = 0; i < n; i++) {
				to_re[(x0 + x) * n + i] = a[i][x];
				to_im[(x0 + x) * n + i] = b[i][x];
			}
	}
}

void fft_square(const struct fft *t, double *re, double *im, double *room)
{
	double *other = room + t->n * t->n;
	along(t, re, im, room, other);
	along(t, room, other, re, im);
}
