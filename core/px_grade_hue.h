/* px_grade_hue - hue, chroma and luma of rows of R,G,B, and colours from them.
 *
 * Hue counts sextants from red (0) by green (2) and blue (4) to 6, along straight lines; chroma is
 * max - min, luma the ASC CDL's. Any numbers: below 0 and above 1 as well.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRADE_HUE_H
#define IN_PX_GRADE_HUE_H

#include "px_grade.h"

/* Hue of a colour in 0..6; grey has 0. */
IN_INLINE float hue_of(float r, float g, float b, float max, float chroma)
{
	float to = chroma > 0.0f ? 1.0f / chroma : 0.0f;
	float at_r = (g - b) * to, at_g = 2.0f + (b - r) * to, at_b = 4.0f + (r - g) * to;
	float h = max == r ? at_r : max == g ? at_g : at_b;
	return h < 0.0f ? h + 6.0f : h;
}
/* One component of the pure colour (max 1, min 0) of hue h in 0..6. */
IN_INLINE float hue_red(float h) { return px_clamp(px_abs(h - 3.0f) - 1.0f, 0.0f, 1.0f); }
IN_INLINE float hue_green(float h) { return px_clamp(2.0f - px_abs(h - 2.0f), 0.0f, 1.0f); }
IN_INLINE float hue_blue(float h) { return px_clamp(2.0f - px_abs(h - 4.0f), 0.0f, 1.0f); }

struct hue_block { float hue[PX_BLOCK], chroma[PX_BLOCK], luma[PX_BLOCK]; };

IN_INLINE void hue_split(struct hue_block *w, const float *IN_RESTRICT r, const float *IN_RESTRICT g,
                         const float *IN_RESTRICT b, int n)
{
	for (int i = 0; i < n; i++) {
		float max = px_max(px_max(r[i], g[i]), b[i]), c = max - px_min(px_min(r[i], g[i]), b[i]);
		w->chroma[i] = c;
		w->hue[i] = hue_of(r[i], g[i], b[i], max, c);
		w->luma[i] = grade_luma(r[i], g[i], b[i]);
	}
}

/* 0 below lo, 1 above lo + 1/to, without a kink. */
IN_INLINE float smooth_step(float v, float lo, float to)
{
	float t = px_clamp((v - lo) * to, 0.0f, 1.0f);
	return t * t * (3.0f - 2.0f * t);
}

#endif
