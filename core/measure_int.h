/* measure_int - what the files of measure share: the planes of a frame, and standing white
 * found frame by frame.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MEASURE_INT_H
#define IN_MEASURE_INT_H

#include "measure.h"

struct planes { const struct image *im; int ch[3]; };
/* -1 without R, G and B. */
int planes_of(const struct image *im, struct planes *p, struct err *e);

IN_INLINE bool finite3(const float v[3])
{ return v[0] - v[0] == 0 && v[1] - v[1] == 0 && v[2] - v[2] == 0; }

/* Side of the square blocks that leave at most budget of them. */
int block_side(struct rect r, size_t budget);

/* The picture that all frames share, inside its borders; false when they have
 * none in common: then a is the first frame's. */
bool area_open(const struct planes *p, int n, double black, struct area *a);

/* What is white in every frame so far: a bit for each place of the area, 16 places a word, and from
 * which word of a row to which there are any. */
struct run { int16_t from, to; };
struct marks { uint16_t *at; struct run *row; struct rect r; int words, rows; float white; };
void marks_open(struct marks *m, struct rect r, double white);
void marks_rows(struct marks *m, const struct planes *p, bool first, int y0, int y1);
/* Once all frames were seen: the titles among the marks, into a; frees the marks. */
void marks_close(struct marks *m, const struct planes *p, int n, struct area *a);

#endif
