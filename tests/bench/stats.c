/* stats - what match and balance read of a 1080p float frame, against a plain read of the same planes: GB/s of CPU time.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include <malloc.h>
#include <time.h>

#include "cdlstat.h"
#include "measure.h"

enum { W = 1920, H = 1080, FRAMES = 8, PAIRS = 9, PIXELS = 20000 };

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

/* Moving ramps and noise; with black bars and standing white letters where asked. */
static struct image *picture(unsigned seed, bool title)
{
	struct format f = nc_format(W, H, "R G B", "acescct");
	struct image *im = nc_image(&f);
	uint32_t s = seed * 77 + 1;
	for (int k = 0; k < 3; k++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++) {
				s = s * 1664525u + 1013904223u;
				float v = 0.1f + 0.4f * (float)x / W + (float)(s >> 8) * 0x1p-24f * 0.08f;
				if (title && (y < 132 || y >= H - 132)) v = 0.0729f;
				if (title && y >= 800 && y < 850 && x > 500 && x < 1400 && x % 30 < 12) v = 0.56f;
				*view_at(&im->view, k, x, y) = v;
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
	printf("%-52s %6.2f ms a frame, %6.2f GB/s, %5.2f times the speed of a plain read\n", what, ms / FRAMES, gb / ms,
	       plain / ms);
}

/* Everything that match's default asks of a shot, and the statistics of its pixels. */
static void read_shot(struct image *const *im, double t[2])
{
	struct sweep *w = xalloc(1, sizeof *w);
	struct pixels p[4] = { { .n = 0 } };
	struct cdl_stats s;
	struct err e = ERR_INIT;
	double at = now();
	*w = (struct sweep){ .n = FRAMES, .black = 0.1, .white = 0.55, .thumb_budget = PIXELS };
	w->grid[0].budget = PIXELS;
	w->grid[1].budget = PIXELS / 4;
	for (int i = 0; i < FRAMES; i++) {
		w->im[i] = im[i];
		w->grid[0].to[i] = &p[i % 4 == 3];
		w->grid[1].to[i] = &p[2 + i % 2];
	}
	if (sweep_run(w, &e) < 0) exit(1);
	t[0] = now() - at; at = now();
	cdl_stats_of(&p[0], &s);
	cdl_stats_of(&p[1], &s);
	t[1] = now() - at;
	for (int i = 0; i < 4; i++) pixels_free(&p[i]);
	sweep_free(w);
	free(w);
}

int main(void)
{
	struct image *im[2][FRAMES];
	double t[5][PAIRS], m[5], u[2];
	volatile float keep = 0;
	mallopt(M_MMAP_THRESHOLD, 1 << 28);     /* what the system takes for pages that are new is no reading */
	mallopt(M_TRIM_THRESHOLD, 1 << 28);
	for (unsigned i = 0; i < FRAMES; i++)
		for (int k = 0; k < 2; k++) im[k][i] = picture(i, k);
	for (int i = 0; i < PAIRS; i++) {
		double at = now();
		keep += plain_read(im[0]);
		t[0][i] = now() - at;
		for (int k = 0; k < 2; k++) {
			read_shot(im[k], u);
			t[1 + 2 * k][i] = u[0];
			t[2 + 2 * k][i] = u[0] + u[1];
		}
	}
	for (int i = 0; i < 5; i++) m[i] = median(t[i]);
	line("plain read of three planes", m[0], m[0]);
	line("borders, titles, thumbnails and pixels in one pass", m[1], m[0]);
	line("match: all that it reads, and statistics", m[2], m[0]);
	line("the same of a shot with black bars and a title", m[4], m[0]);
	for (int i = 0; i < FRAMES; i++)
		for (int k = 0; k < 2; k++) image_unref(&im[k][i]);
	return keep == 12345.0f;
}
