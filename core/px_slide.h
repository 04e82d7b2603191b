/* px_slide - vectors that begin between two others, from registers.
 *
 * Of AVX-512's loads every one that does not begin on a line crosses one; half of a symmetric kernel's neighbours by
 * loads and half by permutations is quicker than all by either.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_SLIDE_H
#define IN_PX_SLIDE_H

#include "base.h"

#if IN_LANES == 16
#include <immintrin.h>

enum { PX_SLIDES = 1 };

/* Lanes n and on of lo, then of hi; n, a constant, is below IN_LANES. */
IN_INLINE vnf px_slide(vnf lo, vnf hi, int n)
{
	const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	return n ? (vnf)_mm512_permutex2var_ps((__m512)lo, _mm512_add_epi32(lane, _mm512_set1_epi32(n)), (__m512)hi) : lo;
}
#else
enum { PX_SLIDES = 0 };
IN_INLINE vnf px_slide(vnf lo, vnf hi, int n) { (void)hi, (void)n; return lo; }
#endif

#endif
