/* motion_job - two pictures whose motion is asked for, and where it goes.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MOTION_JOB_H
#define IN_MOTION_JOB_H

#include <stdatomic.h>

#include "base.h"

enum { MOTION_FAST, MOTION_MEDIUM, MOTION_FINE };
/* fast: patches stand 4 apart, finest at a quarter of the size; medium: 3
 * apart, at half; fine: at full size. */
#define MOTION_QUALITIES "fast|medium|fine"

/* Planes of w x h floats, pitch floats a row; 0..1 is black to white of an encoding (gamma, log),
 * not linear light. What is not a number counts as black, beyond -1..3 as that. from(x, y) looks
 * like to(x + dx, y + dy), in pixels. confidence: 1 where the flow back agrees, 0.5 where it is off
 * by sqrt(0.5 px^2 + 1 % of the squared motions), 0 where by more than 1.4 times that or outside
 * the picture; NULL saves half the time. Threads: worker. */
struct motion_job {
	const float *from, *to;
	ptrdiff_t pitch;
	int w, h, quality;
	float *dx, *dy, *confidence;
	ptrdiff_t out_pitch;
	void *scratch;                       /* motion_scratch bytes, 64-byte aligned */
	const atomic_int *cancel;            /* or NULL; polled between levels */
};

#endif
