/* motion - where every pixel of one picture lies in another: dense optical flow.
 *
 * Dense inverse search (Kroeger et al. 2016, arXiv 1603.03590) refined by a variational method
 * (Brox et al. 2004): coarse to fine, patches of 8x8, mean-normalised. The same bits on every
 * instruction set. One call is one thread's work; nothing is allocated.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MOTION_H
#define IN_MOTION_H

#include "motion_job.h"

size_t motion_scratch(int w, int h, int quality);
/* 0, or -1 when cancelled. */
int motion_estimate(const struct motion_job *j);

/* The copies for each instruction set (nodes/flow.c). Threads: frozen. */
struct motion_ops { int (*estimate)(const struct motion_job *j); };
extern const struct motion_ops motion_ops_baseline, motion_ops_avx2, motion_ops_avx512;

#endif
