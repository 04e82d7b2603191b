/* media_scan - every frame of a clip in turn, as R,G,B of its own encoding.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MEDIA_SCAN_H
#define IN_MEDIA_SCAN_H

#include "err.h"
#include "media.h"

/* One frame: number as scenes count (the first is info->first), planes of w x h without gaps,
 * valid during the call. missing: it cannot be read, and the planes are those of the frame before
 * (or black). -1 ends the scan with e. */
struct scan_frame { int number, w, h; bool missing; const float *rgb[3]; };

/* One frame after the other, for who looks at several clips at once. NULL, or -1: with e; 0 from
 * media_scan_next: the
 * clip is over. */
struct scan;
struct scan *media_scan_open(const char *path, const char *raw, struct err *e);
int media_scan_next(struct scan *s, const struct scan_frame **f, struct err *e);
const struct media_info *media_scan_about(const struct scan *s);
void media_scan_close(struct scan **s);

typedef int scan_take(void *user, const struct media_info *info, const struct scan_frame *f, struct err *e);

/* Clips, stills and integer image sequences. raw: as media_probe takes it. */
int media_scan(const char *path, const char *raw, scan_take *take, void *user, struct err *e);

#endif
