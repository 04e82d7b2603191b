/* measure - statistics of pictures for `solve`: thumbnails, pixel samples, histograms, white
 * estimates. Folds are integers or run in one fixed order, so results are the same on every
 * machine. Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MEASURE_H
#define IN_MEASURE_H

#include "base.h"
#include "err.h"
#include "image.h"
#include "node.h"

/* A small planar R,G,B picture. */
struct thumb { int w, h; float *p[3]; };
/* Means over square blocks, the smallest that give at most budget pixels. Pixels with NaN or
 * infinities count as 0. -1 when im has no R,G,B. */
int thumb_make(const struct image *im, size_t budget, struct thumb *t, struct err *e);
void thumb_free(struct thumb *t);

/* What of a shot tells about its colours: without black borders and burnt-in titles. */
struct area {
	struct rect r;              /* inside the borders */
	uint8_t *skip;              /* over r, 1: a title; NULL: none */
	double titles;              /* their share */
	bool borders;
};
/* From samples of one size. black, white: the values, in their space, up to which a border is
 * black and from which letters are white. Titles are what is white and stands still while most of
 * the picture moves: at least 3 samples. */
void area_find(const struct image *const *im, int n, double black, double white, struct area *a);
void area_free(struct area *a);
/* ", borders and 1.2 % of titles left out", or nothing, to a text of n bytes. */
void area_note(const struct area *a, char *note, size_t n);
/* The same with only what lies in a and where mask (its first channel; NULL:
 * everywhere) is at least a half. */
int thumb_make_in(const struct image *im, const struct area *a, const struct image *mask,
                  size_t budget, struct thumb *t, struct err *e);

/* Single pixels on an even grid, at most budget of them a call; grows. Non-finite ones are left
 * out. */
struct pixels { size_t n, cap; float *p[3]; };
int pixels_add(struct pixels *s, const struct image *im, size_t budget, struct err *e);
int pixels_add_in(struct pixels *s, const struct image *im, const struct area *a,
                  const struct image *mask, size_t budget, struct err *e);
void pixels_free(struct pixels *s);

/* All that a solve reads of the frames of a shot, each read once: what area_find, thumb_make_in
 * and pixels_add_in give. im, mask and to are borrowed; a mask may be NULL, and so may a place
 * for pixels; the grids have no place in common. n: how many pixels a frame gave. */
enum { SWEEP_FRAMES = 16, SWEEP_GRIDS = 2 };
struct sweep {
	int n;
	const struct image *im[SWEEP_FRAMES], *mask[SWEEP_FRAMES];
	double black, white;
	size_t thumb_budget;        /* 0: no thumbnails */
	struct { size_t budget; struct pixels *to[SWEEP_FRAMES]; size_t n[SWEEP_FRAMES]; } grid[SWEEP_GRIDS];
	struct area area;           /* found */
	struct thumb thumb[SWEEP_FRAMES];
};
/* -1 when a frame has no R,G,B or is empty. Free it in any case. */
int sweep_run(struct sweep *s, struct err *e);
void sweep_free(struct sweep *s);

/* Counts over [lo, hi); values outside fall into the end bins. */
enum { HIST_BINS = 4096 };
struct hist { double lo, hi; uint64_t n, bin[HIST_BINS]; };
void hist_init(struct hist *h, double lo, double hi);
void hist_add(struct hist *h, double v);
/* linear inside the bin; 0 when empty */
double hist_quantile(const struct hist *h, double q);
double hist_mean_between(const struct hist *h, double q0, double q1);
double hist_share_above(const struct hist *h, double v);        /* 0..1 */

/* The colour of neutral in linear thumbnails, by several estimators. */
struct white_guess {
	double rgb[3];              /* linear, green = 1 */
	double spread;              /* disagreement of the estimators, in stops */
	double confidence;          /* 0..1 */
	double neutral_share;       /* of pixels that voted as near-neutral */
	int estimators;
	/* shades of grey, grey edge, near-neutral, skin: log2 of R/G and B/G; weight 0: none */
	double vote[4][2], weight[4];
	double skin_share;          /* of pixels that looked like skin */
};
/* top: pixels with a channel above it are left out (clipped ones). space: linear, of the
 * thumbnails. */
void white_measure(const struct thumb *t, int nt, double top, int space, struct white_guess *g);
/* start: where the crowd of greys is looked for, log2 of R/G and B/G. */
void white_measure_from(const struct thumb *t, int nt, double top, int space, const double start[2],
                        struct white_guess *g);
/* The white that brings what looks like skin under `centre` (log2 of R/G and B/G) to the colours
 * that skin has in daylight, the line through the ColorChecker's two: a vote across that line
 * alone, silent near it, and bounded. Returns the share of pixels that looked like skin. */
double white_skin(const struct thumb *t, int nt, double low, double top, int space,
                  const double centre[2], double out[2]);
/* By which gains (green = 1) the white of `ref` differs from that of `in`, estimator by estimator;
 * the confidence falls with what they disagree about. */
double white_between(const struct white_guess *in, const struct white_guess *ref, double gain[3]);

/* Sorted copy of n values; q in 0..1, linear between neighbours. */
void floats_sort(float *v, size_t n);
double floats_quantile(const float *sorted, size_t n, double q);

/* Appends name="v v v" rounded to so many decimals, in the shortest form. */
void solve_attr_put(struct solve_call *s, const char *name, const double *v, int n, int decimals);
/* v within [lo, hi]; appends ", NAME limit" to the note when it was not. */
double solve_limit(struct solve_call *s, const char *name, double v, double lo, double hi);

#endif
