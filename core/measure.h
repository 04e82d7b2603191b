/* measure - statistics of pictures for `solve`: thumbnails, pixel samples, histograms, white estimates.
 * Folds are integers or run in one fixed order, so results are the same on every machine. Threads:
 * worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MEASURE_H
#define IN_MEASURE_H

#include "base.h"
#include "err.h"
#include "image.h"
#include "node.h"

/* A small planar R,G,B picture. */
struct thumb { int w, h; float *p[3]; };
/* Means over square blocks, the smallest that give at most budget pixels. Pixels with NaN or infinities
 * count as 0. -1 when im has no R,G,B. */
int thumb_make(const struct image *im, size_t budget, struct thumb *t, struct err *e);
void thumb_free(struct thumb *t);

/* Single pixels on an even grid, at most budget of them a call; grows. Non-finite ones are left
 * out. */
struct pixels { size_t n, cap; float *p[3]; };
int pixels_add(struct pixels *s, const struct image *im, size_t budget, struct err *e);
void pixels_free(struct pixels *s);

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
};
/* top: pixels with a channel above it are left out (clipped ones). */
void white_measure(const struct thumb *t, int nt, double top, struct white_guess *g);

/* Sorted copy of n values; q in 0..1, linear between neighbours. */
void floats_sort(float *v, size_t n);
double floats_quantile(const float *sorted, size_t n, double q);

/* Appends name="v v v" rounded to so many decimals, in the shortest form. */
void solve_attr_put(struct solve_call *s, const char *name, const double *v, int n, int decimals);
/* v within [lo, hi]; appends ", NAME limit" to the note when it was not. */
double solve_limit(struct solve_call *s, const char *name, double v, double lo, double hi);

#endif
