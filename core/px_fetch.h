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

/* The same of a row of a tile whose rows lie apart: what lies in one piece, as bands in scratch do, is fetched
 * ahead without being asked for. */
IN_INLINE void px_fetch_apart(const float *d, ptrdiff_t stride, int n, int write)
{
	if (stride >= 2 * (ptrdiff_t)n) px_fetch_row(d, n, write);
}

/* Copies a row: the compiler's own way for a memcpy of so much begins slowly. */
IN_INLINE void px_copy_row(float *IN_RESTRICT d, const float *IN_RESTRICT s, int n)
{
	int x = 0;
	for (; x + 4 * IN_LANES <= n; x += 4 * IN_LANES) {
		vnf a = *(const vnf *)(s + x), b = *(const vnf *)(s + x + IN_LANES);
		vnf c = *(const vnf *)(s + x + 2 * IN_LANES), e = *(const vnf *)(s + x + 3 * IN_LANES);
		*(vnf *)(d + x) = a, *(vnf *)(d + x + IN_LANES) = b;
		*(vnf *)(d + x + 2 * IN_LANES) = c, *(vnf *)(d + x + 3 * IN_LANES) = e;
	}
	for (; x < n; x++) d[x] = s[x];
}

/* The same, unless it lies there: tiles that work in place (node.h). */
IN_INLINE void px_take_row(float *d, const float *s, int n)
{
	if (d != s) px_copy_row(d, s, n);
}

#endif
