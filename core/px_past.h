/* px_past - stores that go past the caches, for pictures that nobody reads soon. After the last of them
 * px_past_done.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_PAST_H
#define IN_PX_PAST_H

#include <immintrin.h>

#include "base.h"

/* d is aligned to a vector. */
IN_INLINE void px_past(float *d, vnf v)
{
#if IN_LANES == 16
	_mm512_stream_ps(d, (__m512)v);
#elif IN_LANES == 8
	_mm256_stream_ps(d, (__m256)v);
#else
	_mm_stream_ps(d, (__m128)v);
#endif
}

IN_INLINE bool px_past_fits(const float *d) { return (uintptr_t)d % sizeof(vnf) == 0; }

/* Past the caches, or through them. */
IN_INLINE void px_past_or(float *d, vnf v, bool past)
{
	if (past) px_past(d, v);
	else *(vnf *)d = v;
}

IN_INLINE void px_past_done(void) { _mm_sfence(); }

#endif
