/* timecode - SMPTE ST 12-1 labels of frames, counted whole or with dropped numbers.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_TIMECODE_H
#define IN_TIMECODE_H

#include "base.h"
#include "err.h"
#include "image.h"

/* drop: 2 numbers (at 60: 4) are left out at every minute but each tenth, so
 * that 29.97 keeps to the clock. */
struct timecode { int64_t frame; int rate; bool drop; };
/* param="HH:MM:SS:FF", or with ; before FF for drop-frame, which only 29.97 and 59.94 have. E_SCENE. */
int timecode_read(const char *param, const char *text, struct rational fps, struct timecode *t,
                  struct err *e);
/* The label of a frame; negative frames are 0, days wrap at 100 hours. */
void timecode_label(const struct timecode *t, char *out, size_t n);

#endif
