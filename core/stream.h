/* stream - rows of pictures past the caches.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_STREAM_H
#define IN_STREAM_H

#include "image.h"

/* Copies rect r, NaNs canonical, straight to memory: for pictures that are too large to be read from
 * the caches again. Lines that are written whole are not fetched first. */
void view_stream(const struct view *from, const struct view *to, struct rect r);

#endif
