/* train_picture - pictures for training and judging upscalers: 8-bit PPM files, and the bicubic reduction that papers use.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_TRAIN_PICTURE_H
#define IN_TRAIN_PICTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "mathx.h"

/* Planes of w x h floats from 0 to 1. */
struct tp { int w, h, n; float *p[3]; };

IN_UNUSED static struct tp tp_new(int w, int h, int n)
{
	struct tp t = { .w = w, .h = h, .n = n };
	for (int k = 0; k < n; k++)
		if (!(t.p[k] = calloc((size_t)w * (size_t)h, sizeof(float)))) abort();
	return t;
}

IN_UNUSED static void tp_free(struct tp *t)
{
	for (int k = 0; k < 3; k++) free(t->p[k]);
	*t = (struct tp){ 0 };
}

/* A binary PPM without comments, as ffmpeg writes it; false where it is none. */
IN_UNUSED static bool tp_read(const char *file, struct tp *t)
{
	FILE *f = fopen(file, "rb");
	int w, h, max;
	bool good = f && fscanf(f, "P6 %d %d %d", &w, &h, &max) == 3 && fgetc(f) != EOF && max == 255 && w > 0 && h > 0 &&
	            w < 32768 && h < 32768;
	if (good) {
		uint8_t *row = malloc(3 * (size_t)w);
		*t = tp_new(w, h, 3);
		for (int y = 0; good && y < h; y++) {
			good = fread(row, 3, (size_t)w, f) == (size_t)w;
			for (int x = 0; good && x < 3 * w; x++) t->p[x % 3][(size_t)y * (size_t)w + (size_t)(x / 3)] = (float)row[x] / 255.0f;
		}
		free(row);
	}
	if (f) fclose(f);
	return good;
}

IN_UNUSED static float tp_byte(float v)
{
	v = v < 0 ? 0 : v > 1 ? 1 : v;
	return (float)(int)(v * 255.0f + 0.5f) / 255.0f;
}

/* Keys' cubic, a = -1/2. */
static double tp_cubic(double x)
{
	x = x < 0 ? -x : x;
	return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/* One axis of a reduction by k, widened by k, mirrored at the edge: n outputs, steps in elements. */
static void tp_shrink_line(const float *in, ptrdiff_t step, int len, int k, float *out, ptrdiff_t ostep, int n)
{
	for (int o = 0; o < n; o++) {
		double at = (o + 0.5) * k - 0.5, sum = 0, all = 0;
		for (int i = (int)mx_ceil(at - 2 * k); i <= (int)mx_floor(at + 2 * k); i++) {
			int m = i < 0 ? -1 - i : i >= len ? 2 * len - 1 - i : i;
			double w = tp_cubic((i - at) / k);
			m = m < 0 ? 0 : m >= len ? len - 1 : m;
			sum += w * in[m * step];
			all += w;
		}
		out[o * ostep] = (float)(sum / all);
	}
}

/* The whole picture by k (imresize's bicubic with antialiasing); bytes: rounded to 8 bits. */
IN_UNUSED static struct tp tp_shrink(const struct tp *t, int k, bool bytes)
{
	int w = t->w / k, h = t->h / k;
	struct tp o = tp_new(w, h, t->n);
	float *mid = malloc((size_t)w * (size_t)t->h * sizeof *mid);
	if (!mid) abort();
	for (int c = 0; c < t->n; c++) {
		for (int y = 0; y < t->h; y++) tp_shrink_line(t->p[c] + (size_t)y * (size_t)t->w, 1, w * k, k, mid + (size_t)y * (size_t)w, 1, w);
		for (int x = 0; x < w; x++) tp_shrink_line(mid + x, w, h * k, k, o.p[c] + x, w, h);
		for (int i = 0; bytes && i < w * h; i++) o.p[c][i] = tp_byte(o.p[c][i]);
	}
	free(mid);
	return o;
}

#endif
