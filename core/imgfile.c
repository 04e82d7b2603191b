/* imgfile - PNG stills through libpng: code values as they are, no dates, whole or not at all.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "imgfile.h"

#include <assert.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outfile.h"
#include "rng.h"

/* One PNG being written. It outlives libpng's longjmp, so nothing here is a clobbered local. */
struct png_job {
	png_structp png;
	png_infop info;
	struct outfile out;
	uint64_t offset;
	struct err *err;
	int w, h, depth, type;
	struct rational par;
	png_bytep row;
	void (*fill)(struct png_job *j, int y);
	const void *source;
	const struct format *fmt;
	const struct view *view;
	int plane[4], nplane;
};

static void on_error(png_structp png, png_const_charp msg)
{
	struct png_job *j = png_get_error_ptr(png);
	if (j->err->code == E_OK)
		err_set(j->err, E_OUTPUT, "write %s: %s", j->out.path, msg);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp msg)
{
	(void)png;
	(void)msg;
}

static void on_write(png_structp png, png_bytep p, size_t n)
{
	struct png_job *j = png_get_io_ptr(png);
	if (outfile_write(&j->out, p, n, j->offset, j->err))
		png_error(png, "write failed");
	j->offset += n;
}

static void on_flush(png_structp png)
{
	(void)png;
}

/* libpng calls longjmp out of every call below. */
static int encode(struct png_job *j)
{
	if (setjmp(png_jmpbuf(j->png)))
		return -1;
	png_set_write_fn(j->png, j, on_write, on_flush);
	png_set_IHDR(j->png, j->info, (png_uint_32)j->w, (png_uint_32)j->h, j->depth, j->type,
	             PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_set_compression_level(j->png, 6);
	if (j->par.num != j->par.den)
		png_set_pHYs(j->png, j->info, (png_uint_32)j->par.den, (png_uint_32)j->par.num,
		             PNG_RESOLUTION_UNKNOWN);
	png_write_info(j->png, j->info);
	for (int y = 0; y < j->h; y++) {
		j->fill(j, y);
		png_write_row(j->png, j->row);
	}
	png_write_end(j->png, NULL);
	return 0;
}

static int run(struct png_job *j, const char *path)
{
	int rc = -1, channels = j->type == PNG_COLOR_TYPE_RGBA ? 4 : 3;
	if (outfile_open(&j->out, path, j->err))
		return -1;
	j->row = malloc((size_t)j->w * (size_t)channels * (size_t)(j->depth / 8));
	j->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, j, on_error, on_warning);
	if (j->png)
		j->info = png_create_info_struct(j->png);
	if (j->row && j->info)
		rc = encode(j);
	else
		err_set(j->err, E_MEMORY, "write %s: no memory for the PNG encoder", path);
	png_destroy_write_struct(&j->png, &j->info);
	free(j->row);
	if (rc)
		outfile_abort(&j->out);
	else
		rc = outfile_commit(&j->out, j->err);
	return rc;
}

static void fill_rgb8(struct png_job *j, int y)
{
	size_t n = (size_t)j->w * 3;
	memcpy(j->row, (const uint8_t *)j->source + n * (size_t)y, n);
}

/* Clamped; NaN is 0. */
static float unit(float v)
{
	return v > 0 ? v < 1 ? v : 1 : 0;
}

/* Triangular noise of one code either way, from the place alone. A value that is a code already has
 * no rounding error to hide and stays, so that 8-bit pictures come out as they went in. */
static int code8(float v, int x, int y, int c, bool dither)
{
	float s = v * 255.0f, near = (float)(int)(s + 0.5f), off = s - near;
	if (dither && (off > 1e-3f || off < -1e-3f)) {
		struct philox r = philox4x32((uint32_t)x, (uint32_t)y, (uint32_t)c, 0, 0x504e4738u, 0);
		s += ((float)(r.c[0] >> 8) - (float)(r.c[1] >> 8)) * 0x1p-24f;
	}
	s = s > 0 ? s < 255 ? s : 255 : 0;
	return (int)(s + 0.5f);
}

static void put(struct png_job *j, int i, int c, int n, float v, int x, int y)
{
	if (j->depth == 8) {
		j->row[i * n + c] = (png_byte)code8(v, x, y, c, c < 3);
		return;
	}
	int code = (int)(v * 65535.0f + 0.5f);
	j->row[(i * n + c) * 2] = (png_byte)(code >> 8);
	j->row[(i * n + c) * 2 + 1] = (png_byte)(code & 255);
}

/* Row y of the display window; PNG's colours are not premultiplied. */
static void fill_view(struct png_job *j, int y)
{
	const struct view *v = j->view;
	int n = j->nplane, py = j->fmt->display.y0 + y;
	for (int i = 0; i < j->w; i++) {
		int px = j->fmt->display.x0 + i;
		bool inside = px >= v->r.x0 && px < v->r.x1 && py >= v->r.y0 && py < v->r.y1;
		float a = 1;
		if (n == 4) {
			a = j->plane[3] < 0 ? 1 : inside ? unit(*view_at(v, j->plane[3], px, py)) : 0;
			put(j, i, 3, n, a, px, py);
		}
		for (int c = 0; c < 3; c++) {
			float s = inside && j->plane[c] >= 0 ? *view_at(v, j->plane[c], px, py) : 0;
			put(j, i, c, n, unit(a > 0 && a < 1 ? s / a : s), px, py);
		}
	}
}

int png_write(const char *path, const struct format *fmt, const struct view *v, int bits,
              bool want_alpha, struct err *e)
{
	static const char *const names[4] = { "R", "G", "B", "A" };
	assert(bits == 8 || bits == 16);
	if (format_check(fmt, e))
		return err_in(e, "write %s", path);
	err_clear(e);
	struct png_job j = {
		.out = OUTFILE_INIT, .err = e, .fmt = fmt, .view = v, .fill = fill_view, .depth = bits,
		.w = rect_w(fmt->display), .h = rect_h(fmt->display), .par = fmt->par,
		.type = want_alpha ? PNG_COLOR_TYPE_RGBA : PNG_COLOR_TYPE_RGB, .nplane = want_alpha ? 4 : 3
	};
	for (int c = 0; c < 4; c++)
		j.plane[c] = format_channel(fmt, names[c]);
	if (j.plane[0] < 0 && j.plane[1] < 0 && j.plane[2] < 0 && fmt->nch > 0)
		j.plane[0] = j.plane[1] = j.plane[2] = 0;       /* a mask alone shows as grey */
	return run(&j, path);
}

int png_write_rgb8(const char *path, int w, int h, const uint8_t *rgb, struct err *e)
{
	err_clear(e);
	if (w < 1 || h < 1 || w > IN_MAX_SIDE || h > IN_MAX_SIDE)
		return err_set(e, E_OUTPUT, "write %s: %d x %d pixels make no PNG", path, w, h);
	struct png_job j = {
		.out = OUTFILE_INIT, .err = e, .fill = fill_rgb8, .source = rgb, .depth = 8, .w = w, .h = h,
		.type = PNG_COLOR_TYPE_RGB, .par = { 1, 1 }
	};
	return run(&j, path);
}
