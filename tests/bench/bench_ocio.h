/* bench_ocio - OpenColorIO's CPU processor as the peer of colour.c.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_OCIO_H
#define BENCH_OCIO_H

#ifdef __cplusplus
extern "C" {
#endif

enum bench_ocio { BENCH_NONE, BENCH_CDL_LOG, BENCH_CDL, BENCH_TO_LOG, BENCH_FROM_LOG, BENCH_GAMMA, BENCH_MATRIX };

/* 0 where OpenColorIO is not there. One processor at a time. */
int bench_ocio_open(enum bench_ocio what);
void bench_ocio_run(const float *rgba, float *out, int w, int h);

#ifdef __cplusplus
}
#endif

#endif
