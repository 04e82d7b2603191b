/* draw - deterministic drawing into 8-bit or float RGB pictures: fills, lines, rings, graticules
 * and text.
 *
 * All geometry is integer, so a picture is the same on every machine. Everything is clipped to
 * the canvas; y points down; text is UTF-8. Coverage and alpha blend as out = in + (ink - in) *
 * a.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_DRAW_H
#define IN_DRAW_H

#include "image.h"

/* Points of lines and rings are in these parts of a pixel; a pixel's centre is at DRAW_ONE / 2. */
enum { DRAW_ONE = 256 };
/* The font's cell at size 1; text of size n is n times that, n being 1 to 4. */
enum { DRAW_CELL_W = 6, DRAW_CELL_H = 10, DRAW_ASCENT = 7, DRAW_MAX_SIZE = 4 };

struct ink { uint8_t r, g, b, a; };

/* Where to draw: packed 8-bit RGB, or three planes of floats (NULL: left alone) in which white
 * stands for 255. r: the pixels there are.
 * Threads: worker. */
struct canvas { struct rect r; uint8_t *rgb; float *plane[3]; ptrdiff_t stride; float white; };
struct canvas canvas_rgb8(uint8_t *rgb, int w, int h);
/* plane: which channels of v are R, G, B. */
struct canvas canvas_float(const struct view *v, const int plane[3], float white);
/* The same pixels, but nothing outside r is touched. */
struct canvas canvas_clip(const struct canvas *c, struct rect r);

/* One pixel; cover 0..256 is a share of the ink's own alpha. */
void draw_dot(const struct canvas *c, int x, int y, int cover, struct ink k);
void draw_fill(const struct canvas *c, struct rect r, struct ink k);
/* A frame of that width inside r. */
void draw_frame(const struct canvas *c, struct rect r, int width, struct ink k);
/* Antialiased, width in DRAW_ONE. Coordinates within +-2^21. */
void draw_line(const struct canvas *c, int x0, int y0, int x1, int y1, int width, struct ink k);
/* n points as x,y pairs; closed: the last is joined to the first. */
void draw_path(const struct canvas *c, const int (*pt)[2], int n, bool closed, int width,
               struct ink k);
void draw_ring(const struct canvas *c, int cx, int cy, int radius, int width, struct ink k);

/* Text from its top left corner, in whole pixels. Returns the width. What the font lacks shows as
 * a box. */
int draw_text(const struct canvas *c, int x, int y, int size, struct ink k, const char *text);
int draw_text_width(int size, const char *text);
/* As much of the text as fits the width, ended by ".." where it does not. */
void draw_text_fit(const struct canvas *c, int x, int y, int size, int width, struct ink k,
                   const char *text);
enum draw_align { DRAW_LEFT, DRAW_CENTRE, DRAW_RIGHT };
/* x is the left end, the middle or the right end. */
void draw_text_at(const struct canvas *c, int x, int y, int size, enum draw_align al, struct ink k,
                  const char *text);
/* On a plate of the second ink with a margin of 2 * size; the rect that was covered comes back. */
struct rect draw_label(const struct canvas *c, int x, int y, int size, struct ink k,
                       struct ink plate, const char *text);

/* Lines of a scale inside box: at is a row (rows) or a column in whole pixels; a label, where
 * there is one, stands left of the box (rows) or below it (columns). */
struct draw_tick { int at; const char *label; bool strong; };
void draw_rows(const struct canvas *c, struct rect box, const struct draw_tick *t, int n,
               struct ink line, struct ink text);
void draw_columns(const struct canvas *c, struct rect box, const struct draw_tick *t, int n,
                  struct ink line, struct ink text);

/* Floor of the square root. */
uint32_t draw_isqrt(uint64_t v);

#endif
