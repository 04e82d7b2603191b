/* px_fetch - asks for lines of memory early, where waiting for them is most of the work.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_FETCH_H
#define IN_PX_FETCH_H

#include "base.h"

enum { PX_AHEAD = 8 };               /* rows */

/* A row of n floats that will be read, or written. */
IN_INLINE void px_fetch_row(const float *d, int n, int write)
{
	if (write) for (int x = 0; x < n; x += 16) __builtin_prefetch(d + x, 1);
	else for (int x = 0; x < n; x += 16) __builtin_prefetch(d + x, 0);
}

#endif
