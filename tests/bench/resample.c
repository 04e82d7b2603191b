/* resample - CPU milliseconds of Lanczos3 from 1080p,
			planar RGB float: our tile kernel (tiles of 128) beside
 * zimg in the same run, one thread, medians of 11. Arguments: factor and ringing (zimg has none).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zimg.h>

#include "px_resample.h"

enum { RUNS = 11, TILE = 128, W = 1920, H = 1080 };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static float *plane(int w, int h)
{
	size_t n = ((size_t)w * (size_t)h * sizeof(float) + 63) & ~(size_t)63;
	float *p = aligned_alloc(64, n);
	if (!p) exit(1);
	memset(p, 0, n);
	return p;
}

static struct view cut(const struct view *v, struct rect r)
{
	struct view s = *v;
	s.r = r;
	for (int c = 0; c < v->nch; c++) s.plane[c] = view_at(v, c, r.x0, r.y0);
	return s;
}

static double ours(const struct resample *rs, const struct view *in, const struct view *out,
			void *scratch)
{
	double t = now();
	for (int y = out->r.y0; y < out->r.y1; y += TILE)
		for (int x = out->r.x0; x < out->r.x1; x += TILE) {
			struct rect r = rect_and(rect_of(x, y, x + TILE, y + TILE), out->r);
			struct view from = cut(in, resample_need(rs, r)), to = cut(out, r);
			px_resample(rs, &from, &to, r, scratch, NULL);
		}
	return now() - t;
}

static zimg_image_format shape(int w, int h)
{
	zimg_image_format f;
	zimg_image_format_default(&f, ZIMG_API_VERSION);
	f.width = (unsigned)w;
	f.height = (unsigned)h;
	f.pixel_type = ZIMG_PIXEL_FLOAT;
	f.color_family = ZIMG_COLOR_RGB;
	f.matrix_coefficients = ZIMG_MATRIX_RGB;
	return f;
}

static double theirs(zimg_filter_graph *g, const struct view *in, const struct view *out, void *tmp)
{
	zimg_image_buffer_const a = { .version = ZIMG_API_VERSION };
	zimg_image_buffer b = { .version = ZIMG_API_VERSION };
	for (int c = 0; c < 3; c++) {
		a.plane[c].data = in->plane[c];
		a.plane[c].stride = in->stride * (ptrdiff_t)sizeof(float);
		b.plane[c].data = out->plane[c];
		b.plane[c].stride = out->stride * (ptrdiff_t)sizeof(float);
		a.plane[c].mask = b.plane[c].mask = ZIMG_BUFFER_MAX;
	}
	double t = now();
	if (zimg_filter_graph_process(g, &a, &b, tmp, NULL, NULL, NULL, NULL)) exit(1);
	return now() - t;
}

int main(int argc, char **argv)
{
	double scale = argc > 1 ? atof(argv[1]) : 2, ringing = argc > 2 ? atof(argv[2]) : 0;
	int w = (int)(W * scale + 0.5), h = (int)(H * scale + 0.5);
	/* strides that zimg accepts */
	struct view in = { .r = rect_of(0, 0, W, H), .stride = W, .nch = 3 };
	struct view out = { .r = rect_of(0, 0, w, h), .stride = (w + 15) & ~15, .nch = 3 };
	for (int c = 0; c < 3; c++) {
		in.plane[c] = plane(W, H);
		out.plane[c] = plane((int)out.stride, h);
		for (int i = 0; i < W * H; i++) in.plane[c][i] = (float)((unsigned)i * 2654435761u >> 8) * 0x1p-24f;
	}
	struct resample_geom g = { in.r, out.r, in.r, in.r };
	struct resample *rs = resample_new(&g, out.r, RS_LANCZOS3, ringing);
	size_t most = resample_scratch(rs, rect_of(0, 0, TILE, TILE)) * 2, n;
	void *scratch = aligned_alloc(64, (most + 63) & ~(size_t)63);
	zimg_image_format a = shape(W, H), b = shape(w, h);
	zimg_graph_builder_params p;
	zimg_graph_builder_params_default(&p, ZIMG_API_VERSION);
	p.resample_filter = ZIMG_RESIZE_LANCZOS;
	p.filter_param_a = 3;
	p.cpu_type = ZIMG_CPU_AUTO;
	zimg_filter_graph *zg = zimg_filter_graph_build(&a, &b, &p);
	if (!zg || zimg_filter_graph_get_tmp_size(zg, &n)) return 1;
	void *tmp = aligned_alloc(64, (n + 63) & ~(size_t)63);
	double t[2][RUNS];
	for (int i = 0; i < RUNS; i++) t[0][i] = theirs(zg, &in, &out, tmp), t[1][i] = ours(rs, &in,
		&out, scratch);
	for (int i = 0; i < 2; i++) qsort(t[i], RUNS, sizeof(double), by_size);
	printf("Lanczos3 x%-4g ringing %-3g interneg %6.1f ms  zimg %6.1f ms  ratio %.2f\n", scale, ringing,
	       t[1][RUNS / 2], t[0][RUNS / 2], t[0][RUNS / 2] / t[1][RUNS / 2]);
	return 0;
}
