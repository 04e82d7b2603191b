/* rect - half-open integer rectangles; y points down.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_RECT_H
#define IN_RECT_H

#include "base.h"

struct rect { int x0, y0, x1, y1; };      /* empty when x1 <= x0 or y1 <= y0 */

IN_INLINE struct rect rect_of(int x0, int y0, int x1, int y1)
{ struct rect r = { x0, y0, x1, y1 }; return r; }
IN_INLINE int rect_w(struct rect r) { return r.x1 > r.x0 ? r.x1 - r.x0 : 0; }
IN_INLINE int rect_h(struct rect r) { return r.y1 > r.y0 ? r.y1 - r.y0 : 0; }
IN_INLINE bool rect_empty(struct rect r) { return r.x1 <= r.x0 || r.y1 <= r.y0; }
IN_INLINE size_t rect_area(struct rect r) { return (size_t)rect_w(r) * (size_t)rect_h(r); }
IN_INLINE bool rect_eq(struct rect a, struct rect b)
{ return a.x0 == b.x0 && a.y0 == b.y0 && a.x1 == b.x1 && a.y1 == b.y1; }
IN_INLINE struct rect rect_and(struct rect a, struct rect b)
{
	struct rect r = { a.x0 > b.x0 ? a.x0 : b.x0, a.y0 > b.y0 ? a.y0 : b.y0,
	                  a.x1 < b.x1 ? a.x1 : b.x1, a.y1 < b.y1 ? a.y1 : b.y1 };
	if (rect_empty(r)) r.x1 = r.x0, r.y1 = r.y0;
	return r;
}
/* Smallest rect holding both; an empty one counts as nothing. */
IN_INLINE struct rect rect_or(struct rect a, struct rect b)
{
	if (rect_empty(a)) return b;
	if (rect_empty(b)) return a;
	struct rect r = { a.x0 < b.x0 ? a.x0 : b.x0, a.y0 < b.y0 ? a.y0 : b.y0,
	                  a.x1 > b.x1 ? a.x1 : b.x1, a.y1 > b.y1 ? a.y1 : b.y1 };
	return r;
}
IN_INLINE struct rect rect_grow(struct rect r, int dx, int dy)
{ return rect_of(r.x0 - dx, r.y0 - dy, r.x1 + dx, r.y1 + dy); }
IN_INLINE bool rect_holds(struct rect outer, struct rect in)
{
	return rect_empty(in) || (in.x0 >= outer.x0 && in.y0 >= outer.y0 && in.x1 <= outer.x1 &&
	                          in.y1 <= outer.y1);
}

#endif
