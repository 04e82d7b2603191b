/* px_grade_bend - rows of curves made of parabolas, and of their inverses.
 *
 * A bend goes through knots with given slopes, a parabola between two of them, and straight beyond.
 * Its inverse is found by the root that stays good as a parabola turns into a line.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRADE_BEND_H
#define IN_PX_GRADE_BEND_H

#include "px_rows.h"

enum { BEND_KNOTS = 6, BEND_PIECES = BEND_KNOTS + 1 };

/* Piece k from at[k] on: out + d (m + a d), d = v - in; of an inverse out + 2 d / (m + sqrt(m^2 + 4 a d)).
 * v is spread by gain about anchor before, the result brought back after. From tail on, of what came in:
 * (c2 v + c1) v + c0. */
struct bend {
	int n; bool inverse, tailed;
	float gain, back, anchor, tail, c0, c1, c2;
	float at[BEND_PIECES], in[BEND_PIECES], out[BEND_PIECES], m[BEND_PIECES], a[BEND_PIECES];
};

struct bend_piece { float in[PX_BLOCK], out[PX_BLOCK], m[PX_BLOCK], a[PX_BLOCK]; };

/* Which piece each of v is on. */
IN_INLINE void bend_choose(const struct bend *b, const float *v, struct bend_piece *w, int n)
{
	const float in0 = b->in[0], out0 = b->out[0], m0 = b->m[0], a0 = b->a[0];
	for (int i = 0; i < n; i++) { w->in[i] = in0; w->out[i] = out0; w->m[i] = m0; w->a[i] = a0; }
	for (int k = 1; k < b->n; k++) {
		const float at = b->at[k], in = b->in[k], out = b->out[k], m = b->m[k], a = b->a[k];
		for (int i = 0; i < n; i++) {
			bool on = v[i] >= at;
			w->in[i] = on ? in : w->in[i];
			w->out[i] = on ? out : w->out[i];
			w->m[i] = on ? m : w->m[i];
			w->a[i] = on ? a : w->a[i];
		}
	}
}

IN_INLINE void bend_block(const struct bend *b, float *IN_RESTRICT p, int n)
{
	struct bend_piece w;
	float v[PX_BLOCK];
	const float gain = b->gain, back = b->back, anchor = b->anchor;
	for (int i = 0; i < n; i++) v[i] = (p[i] - anchor) * gain + anchor;
	bend_choose(b, v, &w, n);
	if (b->inverse) for (int i = 0; i < n; i++) {
		float d = v[i] - w.in[i], m = w.m[i];
		float root = __builtin_sqrtf(px_max(m * m + 4.0f * w.a[i] * d, 0.0f));
		v[i] = w.out[i] + 2.0f * d / (m + root);
	} else for (int i = 0; i < n; i++) {
		float d = v[i] - w.in[i], more = w.a[i] * d;
		more = w.a[i] != 0.0f ? more : 0.0f;             /* straight to infinity */
		v[i] = w.out[i] + d * (w.m[i] + more);
	}
	for (int i = 0; i < n; i++) v[i] = (v[i] - anchor) * back + anchor;
	const float tail = b->tail, c0 = b->c0, c1 = b->c1, c2 = b->c2;
	if (b->tailed) for (int i = 0; i < n; i++) {
		float t = p[i], r = (c2 * t + c1) * t + c0;
		v[i] = t >= tail ? r : v[i];
	}
	for (int i = 0; i < n; i++) p[i] = v[i];
}

static inline void bend_row(const struct bend *b, float *p, int n)
{
	for (; n >= PX_BLOCK; n -= PX_BLOCK, p += PX_BLOCK) bend_block(b, p, PX_BLOCK);
	if (n) bend_block(b, p, n);
}

#endif
