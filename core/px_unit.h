/* px_unit - what a network is shown of a pixel: straight values within 0 to 1.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_UNIT_H
#define IN_PX_UNIT_H

#include "image.h"

/* Not a number: 0. */
IN_INLINE float px_unit(float v) { return v > 0.0f ? v < 1.0f ? v : 1.0f : 0.0f; }
IN_INLINE float px_luma(const float v[3]) { return 0.2126f * v[0] + 0.7152f * v[1] + 0.0722f * v[2]; }

/* Places of R, G, B, A in a format; a is -1 without alpha. */
struct px_rgba { int c[3], a; };
IN_INLINE struct px_rgba px_rgba_of(const struct format *f)
{
	struct px_rgba p = { { format_channel(f, "R"), format_channel(f, "G"), format_channel(f, "B") },
	                     format_channel(f, "A") };
	return p;
}

/* R, G, B at (x, y), unpremultiplied. */
IN_INLINE void px_straight(const struct view *in, const struct px_rgba *ch, int x, int y, float v[3])
{
	float alpha = ch->a < 0 ? 1.0f : *view_at(in, ch->a, x, y);
	for (int k = 0; k < 3; k++) {
		v[k] = *view_at(in, ch->c[k], x, y);
		if (ch->a >= 0 && alpha > 0.0f) v[k] = v[k] / alpha;
	}
}
/* What a network of n channels (3, or 1 for luma) is shown there. */
IN_INLINE void px_shown(const struct view *in, const struct px_rgba *ch, int n, int x, int y, float v[3])
{
	px_straight(in, ch, x, y, v);
	for (int k = 0; k < 3; k++) v[k] = px_unit(v[k]);
	if (n == 1) v[0] = px_luma(v);
}

#endif
