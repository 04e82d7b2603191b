/* px_skin - rows of skin: how much a pixel is like a declared skin, and a hold on how far its hue may turn.
 *
 * All on Rec.709 signal: Y', Cb, Cr equally scaled. Angles are handled as tangents of their
 * halves, so that no pixel needs an arctangent.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_SKIN_H
#define IN_PX_SKIN_H

#include "mathx.h"
#include "px_math.h"
#include "skin.h"

/* The frozen form of a declared skin. */
struct skin_hold {
	float u, v;                          /* direction of its chroma */
	float cos_in, cos_out;               /* all of it within, nothing beyond */
	float chroma, luma;
	/* tangents of half the drift allowed, and of where it begins to be held */
	float limit, knee;
	float keep_chroma, keep_light;
};

static inline struct skin_hold skin_hold_of(const struct skin_ref *s, double keep_chroma, double keep_light)
{
	double a = s->hue * MX_PI / 180, wide = 12 + s->spread, half = MX_PI / 360;
	struct skin_hold h = { .u = (float)mx_cos(a), .v = (float)mx_sin(a),
		.cos_in = (float)mx_cos(wide * MX_PI / 180),
		.cos_out = (float)mx_cos(2 * wide * MX_PI / 180), .chroma = (float)s->chroma, .luma = (float)s->luma,
		.limit = (float)mx_tan(s->drift * half), .knee = (float)mx_tan(s->drift * (1 - s->soft) * half),
		.keep_chroma = (float)keep_chroma, .keep_light = (float)keep_light };
	return h;
}

IN_INLINE float skin_step(float x, float lo, float hi)
{
	float t = px_clamp((x - lo) / (hi - lo), 0.0f, 1.0f);
	return t * t * (3.0f - 2.0f * t);
}

/* 0 to 1; size: the length of the chroma. */
IN_INLINE float skin_weight(const struct skin_hold *h, float y, float cb, float cr, float size)
{
	float turn = (cb * h->u + cr * h->v) / px_max(size, 1e-6f), c = size / h->chroma;
	float w = skin_step(turn, h->cos_out, h->cos_in) * skin_step(c, 0.2f, 0.4f) *
		(1.0f - skin_step(c, 1.9f, 2.6f));
	return w * skin_step(y / h->luma, 0.08f, 0.25f);
}

/* What a grade made (out, changed in place) of skin (in): w gets how much each pixel was held. */
IN_INLINE void skin_hold_row(const struct skin_hold *hold, const float *const in[3],
                             float *const out[3], float *IN_RESTRICT w, int n)
{
	const struct skin_hold h = *hold;
	const float *IN_RESTRICT ir = in[0], *IN_RESTRICT ig = in[1], *IN_RESTRICT ib = in[2];
	float *IN_RESTRICT r = out[0], *IN_RESTRICT g = out[1], *IN_RESTRICT b = out[2];
	for (int i = 0; i < n; i++) {
		float y0 = 0.2126f * ir[i] + 0.7152f * ig[i] + 0.0722f * ib[i];
		float b0 = (ib[i] - y0) * (1 / 1.8556f), r0 = (ir[i] - y0) * (1 / 1.5748f);
		float y1 = 0.2126f * r[i] + 0.7152f * g[i] + 0.0722f * b[i];
		float b1 = (b[i] - y1) * (1 / 1.8556f), r1 = (r[i] - y1) * (1 / 1.5748f);
		float l0 = __builtin_sqrtf(b0 * b0 + r0 * r0), l1 = __builtin_sqrtf(b1 * b1 + r1 * r1);
		float like = skin_weight(&h, y0, b0, r0, l0);
		float under = l0 * l1 + (b0 * b1 + r0 * r1), t = (b0 * r1 - r0 * b1) / px_max(under, 1e-12f);
		t = px_clamp(t, -100.0f, 100.0f);
		float far = px_abs(t), over = (far - h.knee) / px_max(h.limit - h.knee, 1e-9f);
		float kept = far <= h.knee ? far : h.knee + (h.limit - h.knee) * (over / (1.0f + over));
		kept = t < 0.0f ? -kept : kept;
		float back = (kept - t) / (1.0f + kept * t) * like, q = 1.0f / (1.0f + back * back);
		float c = (1.0f - back * back) * q, s = 2.0f * back * q;
		float size = 1.0f + h.keep_chroma * like * (px_min(l0 / px_max(l1, 1e-6f), 4.0f) - 1.0f);
		float cb = (b1 * c - r1 * s) * size, cr = (b1 * s + r1 * c) * size;
		float y = y1 + h.keep_light * like * (y0 - y1), red = y + 1.5748f * cr, blue = y + 1.8556f * cb;
		r[i] = red;
		b[i] = blue;
		g[i] = (y - 0.2126f * red - 0.0722f * blue) * (1 / 0.7152f);
		w[i] = like;
	}
}

#endif
