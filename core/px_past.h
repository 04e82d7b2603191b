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

/* A row that has NaNs: they become canonical. */
static IN_UNUSED void px_canon_row(float *d, int n)
{
	for (int x = 0; x < n; x++) d[x] = d[x] != d[x] ? __builtin_nanf("") : d[x];
}

/* A finished row to its place past the caches, NaNs canonical. */
IN_INLINE void px_past_row(const float *IN_RESTRICT row, int n, float *IN_RESTRICT d)
{
	int x = 0;
	vnf most = { 0 };
	for (bool fits = px_past_fits(d); fits && x + IN_LANES <= n; x += IN_LANES) {
		vnf v = *(const vnf *)(row + x);
		most += v - v;               /* stays 0 but for infinities and NaNs */
		px_past(d + x, v);
	}
	bool odd = false;
	for (int i = 0; i < IN_LANES; i++) odd |= most[i] != 0.0f;
	for (; x < n; x++) {
		d[x] = row[x];
		odd |= row[x] != row[x];
	}
	if (odd) px_canon_row(d, n);
}

IN_INLINE void px_past_done(void) { _mm_sfence(); }

#endif
