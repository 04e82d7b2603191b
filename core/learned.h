/* learned - the filter banks of upscale method="learned": what a .weights file holds.
 *
 * A bank has a filter for each bucket of neighbourhoods (px_learned.h says which is whose)
 * and each pixel of the factor x factor block that a source pixel becomes. A filter weighs the
 * differences of the 48 source pixels around to the one in the middle; the result is added to
 * that, so that flat areas stay what they are.
 *
 * The file: a first line "interneg-learned 1", lines "name values" (factor, buckets, strength,
 * coherence, bend, picture), a line "weights", then buckets x 48 x factor x factor 16-bit
 * little-endian numbers in units of 1/LEARNED_UNIT.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_LEARNED_H
#define IN_LEARNED_H

#include "base.h"
#include "err.h"

enum { LEARNED_MIN = 2, LEARNED_MAX = 4 };           /* factors */
enum { LEARNED_REACH = 3, LEARNED_SIDE = 7, LEARNED_TAPS = 48, LEARNED_CUTS = 15, LEARNED_UNIT = 8192 };
enum { LEARNED_FORMAT = 1 };

/* How neighbourhoods are told apart: angles in 45 degrees, and borders between the
 * other classes. Threads: frozen. */
struct learned_hash {
	int angles, strengths, coherences, bends;
	float angle_cos[LEARNED_CUTS], angle_sin[LEARNED_CUTS];       /* of twice the borders between angles */
	/* one fewer than classes, rising */
	float strength[LEARNED_CUTS], coherence[LEARNED_CUTS], bend[LEARNED_CUTS];
};
IN_INLINE int learned_buckets(const struct learned_hash *h)
{ return h->angles * h->strengths * h->coherences * h->bends; }

/* Weights: [bucket * 8 + orientation][tap][lanes], turned already: taps are the 48 neighbours in
 * rows, lanes the block's pixels in rows, their number rounded up to fours. Threads: frozen. */
struct learned { int factor, lanes; struct learned_hash hash; float *w; };

/* Fills the borders between angles. */
void learned_angles(struct learned_hash *h);
/* NULL with E_INPUT; a file that is not whole or says impossible things is refused. */
struct learned *learned_load(const char *path, struct err *e);
void learned_free(struct learned **l);
/* The program's own bank for a factor; false where the file is not there. */
bool learned_path(int factor, char *out, size_t size);
/* "learned:x2" for such a path; false for others. */
bool learned_name(const char *path, char *out, size_t size);

#endif
