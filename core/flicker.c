/* flicker - see flicker.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "flicker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "measure.h"
#include "mem.h"
#include "motion.h"
#include "px_warp.h"

/* Side of a block; frames of a window for spectra. */
enum { BLOCK = 64, WINDOW = 64 };
#define EDGE 0.06f
#define FLAT 0.015f
#define SURE 0.5f
#define TOGETHER 0.4         /* mean confidence below which two frames are no neighbours */
#define SLOW_HZ 3.0

struct flicker {
	int w, h, bx, by, n, pairs;
	double fps;
	float *luma[2], *guide[2], *flow[3];         /* guide: luma of what motion is found in,
		else luma itself */
	void *mem, *scratch;
	/* [frame]: change of every block's mean from the frame before; NULL across cuts */
	float **step;
	size_t cap;
	double edge_sum, edge_n, flat_sum, flat_n, warp_sum, warp_n;
};

struct flicker *flicker_new(int w, int h, double fps)
{
	struct flicker *f = xalloc(1, sizeof *f);
	f->w = w;
	f->h = h;
	f->fps = fps > 0 ? fps : 24;
	f->bx = (w + BLOCK - 1) / BLOCK;
	f->by = (h + BLOCK - 1) / BLOCK;
	return f;
}

void flicker_free(struct flicker **f)
{
	if (!*f) return;
	for (int i = 0; i < (*f)->n; i++) free((*f)->step[i]);
	free((*f)->step);
	free((*f)->mem);
	free((*f)->scratch);
	free(*f);
	*f = NULL;
}

static int open_memory(struct flicker *f, bool along, struct err *e)
{
	size_t n = ((size_t)f->w * (size_t)f->h + 15) & ~(size_t)15,
		bytes = motion_scratch(f->w, f->h, MOTION_MEDIUM);
	float *m = f->mem = aligned_alloc(64, (along ? 7 : 5) * n * sizeof(float));
	f->scratch = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	if (!f->mem || !f->scratch) return err_set(e, E_MEMORY, "no memory to measure flicker");
	for (int i = 0; i < 2; i++) f->luma[i] = m + (size_t)i * n;
	for (int i = 0; i < 3; i++) f->flow[i] = m + (size_t)(2 + i) * n;
	for (int i = 0; i < 2; i++) f->guide[i] = along ? m + (size_t)(5 + i) * n : f->luma[i];
	return 0;
}

/* Difference at (x, y): what the motion brings from the next frame, less this frame. */
static float differs(const struct flicker *f, const struct view *next, const float *now, int x,
                     int y)
{
	size_t at = (size_t)y * (size_t)f->w + (size_t)x;
	struct px_warp p;
	px_warp_at(next, (float)x + f->flow[0][at], (float)y + f->flow[1][at], &p);
	return px_warp_cubic(next, 0, &p) - now[at];
}

static float gradient(const struct flicker *f, const float *p, int x, int y)
{
	int l = x > 0 ? x - 1 : x, r = x + 1 < f->w ? x + 1 : x, u = y > 0 ? y - 1 : y, d = y + 1 < f->h ?
		y + 1 : y;
	size_t row = (size_t)y * (size_t)f->w;
	float gx = 0.5f * (p[row + (size_t)r] - p[row + (size_t)l]);
	float gy = 0.5f * (p[(size_t)d * (size_t)f->w + (size_t)x] - p[(size_t)u * (size_t)f->w + (size_t)x]);
	return __builtin_sqrtf(gx * gx + gy * gy);
}

static void row_sums(struct flicker *f, const struct view *next, const float *now,
                     const float *guide, int y,
                     float *sum, float *count)
{
	for (int x = 0; x < f->w; x++) {
		if (f->flow[2][(size_t)y * (size_t)f->w + (size_t)x] < SURE) continue;
		float d = differs(f, next, now, x, y), g = gradient(f, guide, x, y), a = px_abs(d);
		sum[x / BLOCK] += d;
		count[x / BLOCK] += 1;
		f->warp_sum += (double)(d * d);
		f->warp_n += 1;
		if (g > EDGE) f->edge_sum += (double)a, f->edge_n += 1;
		if (g < FLAT) f->flat_sum += (double)a, f->flat_n += 1;
	}
}

/* The step of every block from the frame before to this one. */
static float *follow(struct flicker *f, const float *now, const float *guide, float *next)
{
	size_t nb = (size_t)f->bx * (size_t)f->by;
	struct view v = { .r = rect_of(0, 0, f->w, f->h), .stride = f->w, .nch = 1, .plane = { next } };
	double trust = 0;
	for (size_t i = 0; i < (size_t)f->w * (size_t)f->h; i++) trust += (double)f->flow[2][i];
	if (trust < TOGETHER * (double)f->w * (double)f->h) return NULL;
	float *step = xalloc(2 * nb, sizeof *step);
	for (int y = 0; y < f->h; y++) {
		size_t at = (size_t)(y / BLOCK) * (size_t)f->bx;
		row_sums(f, &v, now, guide, y, step + at, step + nb + at);
	}
	for (size_t i = 0; i < nb; i++) step[i] = step[nb + i] > 0 ? step[i] / step[nb + i] : 0;
	f->pairs++;
	return step;
}

static void luma_of(const struct flicker *f, const float *const rgb[3], float *to)
{
	for (size_t i = 0; i < (size_t)f->w * (size_t)f->h; i++) {
		float y = 0.2126f * rgb[0][i] + 0.7152f * rgb[1][i] + 0.0722f * rgb[2][i];
		to[i] = px_clamp(y, -0.5f, 2.0f);
	}
}

static int add_frame(struct flicker *f, const float *const along[3], const float *const rgb[3],
                     struct err *e)
{
	if (!f->mem && open_memory(f, along != NULL, e) < 0) return -1;
	int at = f->n & 1;
	float *step = NULL;
	luma_of(f, rgb, f->luma[at]);
	if (along) luma_of(f, along, f->guide[at]);
	if (f->n) {
		struct motion_job j = { .from = f->guide[1 - at], .to = f->guide[at], .pitch = f->w, .w = f->w,
			.h = f->h,
			.quality = MOTION_MEDIUM,
			.dx = f->flow[0], .dy = f->flow[1], .confidence = f->flow[2], .out_pitch = f->w, .scratch =
				f->scratch };
		motion_estimate(&j);
		step = follow(f, f->luma[1 - at], f->guide[1 - at], f->luma[at]);
	}
	f->step = grow(f->step, (size_t)f->n, &f->cap, sizeof *f->step);
	f->step[f->n++] = step;
	return 0;
}

int flicker_add(struct flicker *f, const float *const rgb[3], struct err *e) { return add_frame(f,
	NULL, rgb, e); }
int flicker_add_along(struct flicker *f, const float *const along[3], const float *const rgb[3],
                      struct err *e)
{
	return add_frame(f, along, rgb, e);
}

static float median5(const float *v)
{
	float s[5];
	memcpy(s, v, sizeof s);
	floats_sort(s, 5);
	return s[2];
}

/* Energy of n values without their line, all and above SLOW_HZ; windowed (Hann), as
 * what does not repeat would leak. */
static void spectrum(const float *v, int n, double fps, double *all, double *fast)
{
	double mean = 0, slope = 0, xx = 0;
	for (int i = 0; i < n; i++) mean += (double)v[i] / n;
	for (int i = 0; i < n; i++) {
		double t = i - (n - 1) / 2.0;
		slope += t * ((double)v[i] - mean);
		xx += t * t;
	}
	slope /= xx;
	double x[WINDOW], turn[WINDOW][2];
	for (int i = 0; i < n; i++) {
		double a = 2 * 3.14159265358979323846 / n;
		turn[i][0] = mx_cos(a * i);
		turn[i][1] = mx_sin(a * i);
		x[i] = ((double)v[i] - mean - slope * (i - (n - 1) / 2.0)) * (0.5 - 0.5 * mx_cos(a * (i + 0.5)));
	}
	for (int k = 1; k <= n / 2; k++) {
		double re = 0, im = 0;
		for (int i = 0; i < n; i++) {
			re += x[i] * turn[(k * i) % n][0];
			im += x[i] * turn[(k * i) % n][1];
		}
		double p = re * re + im * im;
		*all += p;
		if (k * fps / n > SLOW_HZ) *fast += p;
	}
}

/* A run of frames that belong together: one block's path of brightness. */
static void path_of(const struct flicker *f, int block, int from, int to, float *v)
{
	v[0] = 0;
	for (int i = from + 1; i < to; i++) v[i - from] = v[i - from - 1] + f->step[i][block];
}

struct tally { double square, all, fast; int n; };

static void run_of(const struct flicker *f, int block, int from, int to, float *v, struct tally *t)
{
	int n = to - from;
	path_of(f, block, from, to, v);
	for (int i = 2; i + 2 < n; i++, t->n++) {
		double d = (double)(v[i] - median5(v + i - 2));
		t->square += d * d;
	}
	for (int i = 0; i + 8 <= n; i += WINDOW)
		spectrum(v + i, n - i < WINDOW ? n - i : WINDOW, f->fps, &t->all, &t->fast);
}

void flicker_end(struct flicker *f, struct flicker_report *out)
{
	int nb = f->bx * f->by;
	float *dev = xalloc((size_t)nb + 1, sizeof *dev), *path = xalloc((size_t)f->n + 1, sizeof *path);
	double all = 0, fast = 0;
	*out = (struct flicker_report){ .frames = f->n, .pairs = f->pairs };
	for (int b = 0; b < nb; b++) {
		struct tally t = { 0 };
		for (int from = 0, to; from < f->n; from = to) {
			for (to = from + 1; to < f->n && f->step[to]; to++) continue;
			run_of(f, b, from, to, path, &t);
		}
		dev[b] = t.n ? (float)sqrt(t.square / t.n) : 0;
		all += t.all;
		fast += t.fast;
	}
	floats_sort(dev, (size_t)nb);
	out->brightness = 255 * floats_quantile(dev, (size_t)nb, 0.95);
	out->fast = all > 0 ? fast / all : 0;
	out->edges = f->edge_n > 0 ? 255 * f->edge_sum / f->edge_n : 0;
	out->flat = f->flat_n > 0 ? 255 * f->flat_sum / f->flat_n : 0;
	out->crawl = out->flat > 0 ? out->edges / out->flat : 0;
	out->warp = f->warp_n > 0 ? 255 * sqrt(f->warp_sum / f->warp_n) : 0;
	free(dev);
	free(path);
}
