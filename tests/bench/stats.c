/* stats - what match and balance read of a 1080p float frame, against a plain read of the same planes: GB/s of CPU time.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include <time.h>

#include "cdlstat.h"
#include "measure.h"

enum { W = 1920, H = 1080, FRAMES = 4, PAIRS = 9 };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}
static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}
static double median(double *v) { qsort(v, PAIRS, sizeof *v, by_value); return v[PAIRS / 2]; }

static struct image *picture(unsigned seed)
{
	struct format f = nc_format(W, H, "R G B", "acescct");
	struct image *im = nc_image(&f);
	uint32_t s = seed * 77 + 1;
	for (int k = 0; k < 3; k++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++) {
				s = s * 1664525u + 1013904223u;
				*view_at(&im->view, k, x, y) = 0.1f + 0.4f * (float)x / W + (float)(s >> 8) * 0x1p-24f * 0.05f;
			}
	return im;
}

/* Eight partial sums: as fast as memory. */
static float plain_read(struct image *const *im)
{
	float sum[16] = { 0 };
	for (int i = 0; i < FRAMES; i++)
		for (int k = 0; k < 3; k++)
			for (int y = 0; y < H; y++) {
				const float *p = view_at(&im[i]->view, k, 0, y);
				for (int x = 0; x < W; x += 16)
					for (int j = 0; j < 16; j++) sum[j] += p[x + j];
			}
	return sum[0] + sum[5];
}

static void line(const char *what, double ms, double plain)
{
	double gb = (double)W * H * 3 * 4 * FRAMES / 1e6;
	printf("%-44s %7.2f ms a frame, %6.2f GB/s, %5.2f of a plain read\n", what, ms / FRAMES, gb / ms, plain / ms);
}

int main(void)
{
	struct image *im[FRAMES];
	double t[5][PAIRS];
	volatile float keep = 0;
	struct err e = ERR_INIT;
	for (unsigned i = 0; i < FRAMES; i++) im[i] = picture(i);
	for (int i = 0; i < PAIRS; i++) {
		struct area a;
		struct pixels p = { .n = 0 };
		struct thumb th[FRAMES];
		struct cdl_stats s;
		double at = now();
		keep += plain_read(im);
		t[0][i] = now() - at; at = now();
		area_find((const struct image *const *)im, FRAMES, 0.1, 0.55, &a);
		t[1][i] = now() - at; at = now();
		for (int k = 0; k < FRAMES; k++) thumb_make_in(im[k], &a, NULL, 20000, &th[k], &e);
		t[2][i] = now() - at; at = now();
		for (int k = 0; k < FRAMES; k++) pixels_add_in(&p, im[k], &a, NULL, 20000, &e);
		t[3][i] = now() - at; at = now();
		cdl_stats_of(&p, &s);
		t[4][i] = now() - at;
		keep += (float)s.v[0];
		for (int k = 0; k < FRAMES; k++) thumb_free(&th[k]);
		pixels_free(&p);
		area_free(&a);
	}
	double m[5], all = 0;
	for (int i = 0; i < 5; i++) { m[i] = median(t[i]); all += i ? m[i] : 0; }
	line("plain read of three planes", m[0], m[0]);
	line("borders and titles", m[1], m[0]);
	line("thumbnails for the white", m[2], m[0]);
	line("pixels", m[3], m[0]);
	line("statistics of them", m[4], m[0]);
	line("match: all it reads and counts", all, m[0]);
	for (int i = 0; i < FRAMES; i++) image_unref(&im[i]);
	return keep == 12345.0f;
}
