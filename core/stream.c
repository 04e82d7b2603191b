/* stream - see stream.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "stream.h"

#include <immintrin.h>
#include <string.h>

/* NaNs are looked for on the way: false where there are some. */
static bool stream_row(const float *from, float *to, int n)
{
	__m128 any = _mm_setzero_ps(), more = any;
	int x = 0;
	for (; x + 16 <= n; x += 16) {
		__m128 a = _mm_loadu_ps(from + x), b = _mm_loadu_ps(from + x + 4);
		__m128 c = _mm_loadu_ps(from + x + 8), d = _mm_loadu_ps(from + x + 12);
		any = _mm_or_ps(any, _mm_cmpunord_ps(a, b));
		more = _mm_or_ps(more, _mm_cmpunord_ps(c, d));
		_mm_stream_ps(to + x, a);
		_mm_stream_ps(to + x + 4, b);
		_mm_stream_ps(to + x + 8, c);
		_mm_stream_ps(to + x + 12, d);
	}
	bool found = _mm_movemask_ps(_mm_or_ps(any, more)) != 0;
	for (; x < n; x++) {
		to[x] = from[x];
		found |= from[x] != from[x];
	}
	return !found;
}

void view_stream(const struct view *from, const struct view *to, struct rect r)
{
	for (int c = 0; c < to->nch; c++)
		for (int y = r.y0; y < r.y1; y++) {
			const float *s = view_at(from, c, r.x0, y);
			float *d = view_at(to, c, r.x0, y);
			bool aligned = (uintptr_t)d % 16 == 0;
			if (aligned && stream_row(s, d, rect_w(r))) continue;
			if (!aligned) memcpy(d, s, (size_t)rect_w(r) * sizeof *d);
			view_canon_nan(to, rect_of(r.x0, y, r.x1, y + 1));
		}
	_mm_sfence();
}
