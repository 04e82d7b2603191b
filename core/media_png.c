/* media_png - one PNG of integer planes with text chunks, through libpng; no dates, whole or not
 * at all.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "media_write.h"
#include "outfile.h"

/* What libpng's callbacks reach; nothing of it is a local across its longjmp. */
struct png_out { struct outfile f; uint64_t at; struct err *e; png_structp png; png_infop info;
                png_bytep row; };

static void on_write(png_structp png, png_bytep p, size_t n)
{
	struct png_out *o = png_get_io_ptr(png);
	if (outfile_write(&o->f, p, n, o->at, o->e) < 0) png_error(png, "write");
	o->at += n;
}

static void on_flush(png_structp png) { (void)png; }
static void on_warning(png_structp png, png_const_charp text) { (void)png; (void)text; }

static void on_error(png_structp png, png_const_charp text)
{
	struct png_out *o = png_get_error_ptr(png);
	if (o->e->code == E_OK) err_set(o->e, E_OUTPUT, "%s: %s", o->f.path, text);
	png_longjmp(png, 1);
}

static void fill_row(const struct planes *p, int y, png_bytep o)
{
	int n = p->d.alpha ? 4 : 3;
	for (int i = 0; i < n; i++) {
		const uint16_t *s = p->p[i] + y * p->stride[i];
		if (p->d.depth == 8) for (int x = 0; x < p->d.w; x++) o[x * n + i] = (png_byte)s[x];
		else for (int x = 0; x < p->d.w; x++) {
			o[2 * (x * n + i)] = (png_byte)(s[x] >> 8);
			o[2 * (x * n + i) + 1] = (png_byte)s[x];
		}
	}
}

static int emit(struct png_out *o, const struct planes *p, struct rational par,
                const char *const *text)
{
	if (setjmp(png_jmpbuf(o->png))) return -1;
	png_set_write_fn(o->png, o, on_write, on_flush);
	png_set_compression_level(o->png, 4);
	png_set_IHDR(o->png, o->info, (png_uint_32)p->d.w, (png_uint_32)p->d.h, p->d.depth == 8 ? 8 : 16,
	             p->d.alpha ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
	             PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (par.num > 0 && par.num != par.den)
		png_set_pHYs(o->png, o->info, (png_uint_32)par.den, (png_uint_32)par.num, PNG_RESOLUTION_UNKNOWN);
	for (int i = 0; text && text[i]; i += 2) {
		png_text t = { .compression = PNG_TEXT_COMPRESSION_NONE, .key = (char *)text[i],
		              .text = (char *)text[i + 1] };
		png_set_text(o->png, o->info, &t, 1);
	}
	png_write_info(o->png, o->info);
	for (int y = 0; y < p->d.h; y++) {
		fill_row(p, y, o->row);
		png_write_row(o->png, o->row);
	}
	png_write_end(o->png, NULL);
	return 0;
}

int media_png_write(const char *path, const struct planes *p, struct rational par,
                    const char *const *text, struct err *e)
{
	struct png_out o = { .f = OUTFILE_INIT, .e = e };
	int rc = -1;
	err_clear(e);
	if (make_folders(path, e) < 0 || outfile_open(&o.f, path, e) < 0) return -1;
	o.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &o, on_error, on_warning);
	o.info = o.png ? png_create_info_struct(o.png) : NULL;
	o.row = malloc((size_t)p->d.w * 8);
	if (!o.info || !o.row) err_set(e, E_MEMORY, "%s: no memory", path);
	else rc = emit(&o, p, par, text);
	png_destroy_write_struct(&o.png, &o.info);
	free(o.row);
	if (rc < 0) outfile_abort(&o.f);
	else rc = outfile_commit(&o.f, e);
	return rc;
}
