/* external_png - a PNG that a program made, 8 or 16 bits, as planes of floats.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "external.h"
#include "mem.h"
#include "textfile.h"

/* Owned by external_png; png's own errors jump back with why filled. */
struct job { png_structp png; png_infop info; png_bytep row; char why[160]; };

static void on_error(png_structp png, png_const_charp msg)
{
	struct job *j = png_get_error_ptr(png);
	snprintf(j->why, sizeof j->why, "%s", msg);
	longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp msg)
{
	(void)png;
	(void)msg;
}

static void put_row(const struct job *j, const struct view *out, int y, int nch)
{
	int w = rect_w(out->r);
	for (int c = 0; c < nch; c++) {
		float *o = out->plane[c] + (ptrdiff_t)y * out->stride;
		for (int x = 0; x < w; x++) {
			const png_byte *p = j->row + ((size_t)x * (size_t)nch + (size_t)c) * 2;
			o[x] = (float)(p[0] << 8 | p[1]) / 65535.0f;
		}
	}
}

/* Everything to 16-bit R, G, B (A), codes untouched by gamma. */
static int read_rows(struct job *j, const struct view *out, bool alpha)
{
	png_read_info(j->png, j->info);
	int w = (int)png_get_image_width(j->png, j->info), h = (int)png_get_image_height(j->png, j->info);
	int kind = png_get_color_type(j->png, j->info), has = kind & PNG_COLOR_MASK_ALPHA;
	if (w != rect_w(out->r) || h != rect_h(out->r)) {
		snprintf(j->why, sizeof j->why, "it is %d x %d pixels, %d x %d were asked for", w, h,
		         rect_w(out->r), rect_h(out->r));
		return -1;
	}
	if (png_get_interlace_type(j->png, j->info) != PNG_INTERLACE_NONE) {
		snprintf(j->why, sizeof j->why, "it is interlaced");
		return -1;
	}
	if (alpha && !has) {
		snprintf(j->why, sizeof j->why, "it has no alpha");
		return -1;
	}
	png_set_expand(j->png);
	png_set_expand_16(j->png);
	if (!(kind & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(j->png);
	if (!alpha) png_set_strip_alpha(j->png);
	png_read_update_info(j->png, j->info);
	int nch = alpha ? 4 : 3;
	if (png_get_rowbytes(j->png, j->info) != (size_t)w * (size_t)nch * 2) {
		snprintf(j->why, sizeof j->why, "it is of a kind that cannot be read");
		return -1;
	}
	j->row = xalloc((size_t)w * (size_t)nch * 2, 1);
	for (int y = 0; y < h; y++) {
		png_read_row(j->png, j->row, NULL);
		put_row(j, out, y, nch);
	}
	return 0;
}

int external_png(const char *path, const struct view *out, bool alpha, struct err *e)
{
	struct job j = { .why = "it cannot be read" };
	int rc = -1;
	FILE *f = plain_open(path, e);
	if (!f) return -1;
	j.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &j, on_error, on_warning);
	j.info = j.png ? png_create_info_struct(j.png) : NULL;
	if (j.info && setjmp(png_jmpbuf(j.png)) == 0) {
		png_init_io(j.png, f);
		png_set_user_limits(j.png, IN_MAX_SIDE, IN_MAX_SIDE);
		rc = read_rows(&j, out, alpha);
	} else rc = -1;
	png_destroy_read_struct(&j.png, &j.info, NULL);
	free(j.row);
	fclose(f);
	return rc < 0 ? err_set(e, E_INPUT, "%s: %s", path, j.why) : 0;
}
