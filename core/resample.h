/* resample - tables for separable resampling: which source pixels make an output pixel, with
 * which weights.
 *
 * Positions are pixel centres: output centre o lies at source position (o - dst.x0) * src_w /
 * dst_w + src.x0. Kernels are widened by the ratio when reducing. At the edge the picture is
 * mirrored (the edge pixel twice), as zimg does; pixels inside the edge that do not exist are 0.
 * px_resample.h applies the tables.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_RESAMPLE_H
#define IN_RESAMPLE_H

#include "base.h"
#include "rect.h"

enum resample_method { RS_NEAREST, RS_BILINEAR, RS_MITCHELL, RS_CATMULL_ROM, RS_LANCZOS3 };
#define RESAMPLE_METHODS "nearest|bilinear|mitchell|catmull-rom|lanczos3"

/* src is laid onto dst; edge: where the picture is mirrored; data: source pixels that exist. */
struct resample_geom { struct rect src, dst, edge, data; };

/* One axis. Threads: frozen. */
struct resample_axis {
	int o0, o1;            /* output pixels of the table */
	int taps;              /* weights per output pixel */
	int *left;             /* its first source pixel; never falls from one output pixel to the next */
	float *w;
	int near;              /* longest ringing neighbourhood; 0: none */
	int *n0, *nn;          /* neighbourhood: first source pixel (>= left), length (0: none here) */
	int period, p0, p1;    /* outputs [p0, p1): left rises by 1 every period pixels, weights repeat; 0: no */
};
struct resample { struct resample_axis x, y; float ringing; };

/* The output's data window: what the data reach under this kernel. */
struct rect resample_window(const struct resample_geom *g, enum resample_method m);
/* Tables for output window out. ringing: share of an overshoot beyond the neighbourhood (source
 * pixels within the kernel's main lobe) that is taken away, axis by axis. */
struct resample *resample_new(const struct resample_geom *g, struct rect out,
                              enum resample_method m, double ringing);
void resample_free(struct resample **rs);
/* Source pixels read for output rect r (inside the table's window). */
struct rect resample_need(const struct resample *rs, struct rect r);
/* Rows of the ring of horizontally resampled rows: a power of two. */
int resample_ring(const struct resample *rs);
/* Floats from row to row of the ring for output rect r. */
ptrdiff_t resample_stride(struct rect r);
size_t resample_scratch(const struct resample *rs, struct rect r);

#endif
