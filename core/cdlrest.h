/* cdlrest - what a CDL leaves over between two sets of pixels, as a table that comes after it.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CDLREST_H
#define IN_CDLREST_H

#include "cdlguard.h"

/* Threads: worker. */
struct cdl_rest;
/* The sliced transport of what f makes, or, with m and add, the linear map of what came in.
 * Curves over the channels, over luma and over chroma then take the statistics of the first set
 * to their references; what they are in every set goes into r. As much of it as takes none
 * farther, or NULL. f: what is left, and its confidence. */
struct cdl_rest *cdl_rest_new(const struct guard_set *set, int nset, const double *m, const double *add,
                              struct cdl_fit *f, struct guard_report *r);
void cdl_rest_free(struct cdl_rest **rest);
double cdl_rest_share(const struct cdl_rest *rest);
/* Malloced text of a .cube file, in and out acescct. */
char *cdl_rest_cube(const struct cdl_rest *rest, const char *id);

#endif
