/* imgfile - small still pictures: 8- and 16-bit PNG out (libpng).
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_IMGFILE_H
#define IN_IMGFILE_H

#include "image.h"

/* Writes R,G,B (and A when want_alpha) of v, values 0..1 clamped and rounded, atomically.
 * bits: 8 or 16. dither: 8-bit TPDF seeded by position only; values that are 8-bit codes stay.
 * The picture is fmt->display, black outside v; alpha comes out straight; without R,G,B the first
 * channel shows as grey. */
int png_write(const char *path, const struct format *fmt, const struct view *v, int bits,
              bool want_alpha, struct err *e);
/* Writes packed 8-bit RGB rows of w*3 bytes. */
int png_write_rgb8(const char *path, int w, int h, const uint8_t *rgb, struct err *e);

#endif
