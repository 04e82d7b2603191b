/* cuts - where one shot ends and the next begins.
 *
 * Two pictures belong to one shot when motion explains the one from the other; a hard cut
 * is where it does not, both across the cut and over a few frames around it (so that flashes
 * and damaged frames are none), and where colour or structure jumps much further than
 * in the frames nearby. Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CUTS_H
#define IN_CUTS_H

#include "base.h"
#include "err.h"

/* What tells two pictures apart, each 0 (alike) to 1: structure that motion does not explain, share
 * of motion that is not found back, distance of the histograms of luma and chroma. */
struct cut_pair { float structure, lost, histogram; };

/* frame: the first of the new shot, counted as cuts_add was given them. */
struct cut { int frame; float score; struct cut_pair pair; };

struct cuts;
struct cuts *cuts_new(int w, int h);
void cuts_free(struct cuts **c);                /* accepts NULL, clears */
/* Planes of w x h without gaps, R,G,B in a display or log encoding; in order, numbered
 * as the caller likes. E_MEMORY. */
int cuts_add(struct cuts *c, int frame, const float *const rgb[3], struct err *e);
/* Ends; the cuts in order, valid until cuts_free. */
const struct cut *cuts_end(struct cuts *c, int *n);
/* All pairs of neighbours, [i] between the i-th frame and the one before ([0] is nothing); after cuts_end. */
const struct cut_pair *cuts_pairs(const struct cuts *c, int *n);

#endif
