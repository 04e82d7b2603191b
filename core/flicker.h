/* flicker - how steady a clip is: brightness of blocks, and edges, along the motion of the picture.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_FLICKER_H
#define IN_FLICKER_H

#include "base.h"
#include "err.h"

/* Brightness is luma of the encoding; codes are of 8 bits. Blocks of 64 x 64 are followed
 * along the motion, so that pans and moving things are no flicker; neighbours that motion
 * does not join (cuts) are left out. */
struct flicker_report {
	int frames, pairs;                   /* looked at; neighbours that belong together */
	double brightness;                   /* F1: deviation of a block's mean from its 5-frame median: rms over time, 95 % of the
	                                        blocks below, codes */
	double fast;                         /* F2: share of the energy of the blocks' means above 3 Hz, 0..1 */
	double edges, flat;                  /* mean difference to the next frame moved back: where |gradient| > 0.06 a pixel, and where
	                                        < 0.015; codes */
	/* edges over flat; over 2.5 is crawling, where the clip is otherwise clean */
	double crawl;
	/* rms of that difference wherever motion is certain, codes (Lai et al. 2018) */
	double warp;
};

struct flicker;
/* fps: 0 when unknown (24 is taken). */
struct flicker *flicker_new(int w, int h, double fps);
void flicker_free(struct flicker **f);          /* accepts NULL, clears */
/* Planes of w x h without gaps, R,G,B encoded, in order. E_MEMORY. */
int flicker_add(struct flicker *f, const float *const rgb[3], struct err *e);
/* The same, but motion, certainty and edges are those of `along`, another version of the shot: so
 * two versions are
 * compared at the same places, where each by itself would choose those that suit it. All frames
 * of f so, or none. */
int flicker_add_along(struct flicker *f, const float *const along[3], const float *const rgb[3], struct err *e);
void flicker_end(struct flicker *f, struct flicker_report *out);

#endif
