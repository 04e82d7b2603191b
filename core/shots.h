/* shots - the shots that a clip holds.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SHOTS_H
#define IN_SHOTS_H

#include "err.h"

/* first, last: frames as scenes count them, inclusive. score: how sure the cut before
 * it is, 0.4 to 1; 0 of the first. */
struct shot { int first, last; float score; };

/* Looks at every frame (about 20 ms each at 720p). *v is malloced, n at least 1. raw: as
 * media_probe takes it. Threads: any. */
int shots_find(const char *path, const char *raw, struct shot **v, int *n, struct err *e);
/* The shot that holds a frame; the nearest one beyond the ends. */
const struct shot *shots_at(const struct shot *v, int n, int frame);

#endif
