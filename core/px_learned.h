/* px_learned - tells the neighbourhood of each source pixel and applies the
 * learned filters that belong to it.
 *
 * The structure tensor of the luma (squares and products of central differences, binomial over
 * 5x5) has the main direction, how strong it is and how clear (Romano, Isidoro and Milanfar
 * 2016). Of the eight mirrorings and turns of a neighbourhood one is looked up: that with the
 * gradient within 0 to 45 degrees of x and pointing where the luma curves up. bend is the second
 * derivative along the gradient over the first: how far beside the edge the pixel lies, and
 * on a line or in a flank. Classes are counted comparisons: no angle is computed. Everything
 * depends on the 7x7 source pixels alone.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_LEARNED_H
#define IN_PX_LEARNED_H

#include "learned.h"

/* Which of the eight: LY swaps x and y, LX mirrors x, LR turns by 180 degrees; from the looked-up
 * one that is turned first, then mirrored, then swapped. */
enum { LEARNED_SWAP = 1, LEARNED_MIRROR = 2, LEARNED_TURN = 4 };

IN_INLINE void px_learned_place(int sym, int *x, int *y)
{
	if (sym & LEARNED_TURN) *x = -*x, *y = -*y;
	if (sym & LEARNED_MIRROR) *x = -*x;
	if (sym & LEARNED_SWAP) { int t = *x; *x = *y; *y = t; }
}

/* Where the taps of a looked-up filter lie in planes of a stride, and its results
 * in the factor x factor block. */
static inline void px_learned_orient(int sym, ptrdiff_t stride, int factor, int off[LEARNED_TAPS],
                                     int place[LEARNED_MAX * LEARNED_MAX])
{
	int n = 0;
	for (int y = -LEARNED_REACH; y <= LEARNED_REACH; y++)
		for (int x = -LEARNED_REACH; x <= LEARNED_REACH; x++) {
			int i = x, j = y;
			if (!x && !y) continue;
			px_learned_place(sym, &i, &j);
			off[n++] = (int)(j * stride) + i;
		}
	for (int k = 0; k < factor * factor; k++) {
		int i = 2 * (k % factor) - factor + 1, j = 2 * (k / factor) - factor + 1;
		px_learned_place(sym, &i, &j);
		place[k] = (j + factor - 1) / 2 * factor + (i + factor - 1) / 2;
	}
}

/* What a neighbourhood is told by, in the looked-up orientation. */
struct px_learned_feel { float cos2, sin2, l1, root1, root2, along, curve; };

IN_INLINE struct px_learned_feel px_learned_feel(const float *p, ptrdiff_t stride, float xx,
                                                 float xy, float yy, int *sym)
{
	struct px_learned_feel f;
	float a = xx - yy, b = xy + xy, t = xx + yy, d = __builtin_sqrtf(a * a + b * b), l2 = t - d;
	float ua = a < 0.0f ? -a : a, ub = b < 0.0f ? -b : b;
	bool swap = a < 0.0f, mirror = b < 0.0f, any = d > 0.0f;
	float by = any ? d : 1.0f, c2 = any ? ua / by : 1.0f, s2 = any ? ub / by : 0.0f, rest = 1.0f - c2;
	f.cos2 = ua;
	f.sin2 = ub;
	f.l1 = t + d;
	f.root1 = __builtin_sqrtf(f.l1);
	f.root2 = __builtin_sqrtf(l2 > 0.0f ? l2 : 0.0f);
	float gx = p[1] - p[-1], gy = p[stride] - p[-stride], m = p[0] + p[0];
	float lxx = p[1] + p[-1] - m, lyy = p[stride] + p[-stride] - m;
	float lxy = ((p[stride + 1] + p[-stride - 1]) - (p[stride - 1] + p[1 - stride])) * 0.25f;
	float g0 = swap ? gy : gx, g1 = swap ? gx : gy, h0 = swap ? lyy : lxx, h1 = swap ? lxx : lyy;
	g0 = mirror ? -g0 : g0;
	lxy = mirror ? -lxy : lxy;
	float c = __builtin_sqrtf((1.0f + c2) * 0.5f), s = __builtin_sqrtf((rest > 0.0f ? rest : 0.0f) * 0.5f);
	float along = c * g0 + s * g1, curve = 0.5f * (h0 + h1) + 0.5f * c2 * (h0 - h1) + s2 * lxy;
	bool turn = along * curve < 0.0f;
	f.along = along < 0.0f ? -along : along;
	f.curve = curve < 0.0f ? -curve : curve;
	*sym = (swap ? LEARNED_SWAP : 0) + (mirror ? LEARNED_MIRROR : 0) + (turn ? LEARNED_TURN : 0);
	return f;
}

IN_INLINE int px_learned_bucket(const struct learned_hash *h, const struct px_learned_feel *f)
{
	int angle = 0, strength = 0, coherence = 0, bend = 0;
	float sum = f->root1 + f->root2, diff = f->root1 - f->root2;
	for (int i = 0; i + 1 < h->angles; i++) angle += f->sin2 * h->angle_cos[i] > f->cos2 * h->angle_sin[i];
	for (int i = 0; i + 1 < h->strengths; i++) strength += f->l1 > h->strength[i];
	for (int i = 0; i + 1 < h->coherences; i++) coherence += diff > h->coherence[i] * sum;
	for (int i = 0; i + 1 < h->bends; i++) bend += f->curve > h->bend[i] * f->along;
	return ((angle * h->strengths + strength) * h->coherences + coherence) * h->bends + bend;
}

/* Tensors of n pixels of a row, from l on; tmp: 3 (n + 4) floats; out: the three sums,
 * n each. l is read 3 pixels around. */
static inline void px_learned_tensor(const float *l, ptrdiff_t stride, int n,
                                     float *IN_RESTRICT tmp, float *IN_RESTRICT out)
{
	static const float k[5] = { 0.0625f, 0.25f, 0.375f, 0.25f, 0.0625f };
	float *IN_RESTRICT xx = tmp, *IN_RESTRICT xy = tmp + n + 4, *IN_RESTRICT yy = tmp + 2 * (n + 4);
	IN_IVDEP
	for (int x = 0; x < n + 4; x++) {
		float a = 0, b = 0, c = 0;
		for (int j = 0; j < 5; j++) {
			const float *p = l + (j - 2) * stride + x - 2;
			float gx = p[1] - p[-1], gy = p[stride] - p[-stride];
			a += k[j] * (gx * gx);
			b += k[j] * (gx * gy);
			c += k[j] * (gy * gy);
		}
		xx[x] = a;
		xy[x] = b;
		yy[x] = c;
	}
	for (int i = 0; i < 3; i++) {
		const float *IN_RESTRICT s = tmp + i * (n + 4);
		float *IN_RESTRICT o = out + i * n;
		IN_IVDEP
		for (int x = 0; x < n; x++)
			o[x] = (s[x] + s[x + 4]) * 0.0625f + (s[x + 1] + s[x + 3]) * 0.25f + s[x + 2] * 0.375f;
	}
}

/* Buckets times 8 plus orientations of n pixels of a row; work: 6 n + 12 floats. */
static inline void px_learned_row(const struct learned_hash *h, const float *l, ptrdiff_t stride,
                                  int n, float *work, uint32_t *IN_RESTRICT out)
{
	float *tensor = work + 3 * (n + 4);
	px_learned_tensor(l, stride, n, work, tensor);
	for (int x = 0; x < n; x++) {
		int sym;
		struct px_learned_feel f = px_learned_feel(l + x, stride, tensor[x], tensor[n + x],
		                                           tensor[2 * n + x], &sym);
		out[x] = (uint32_t)(px_learned_bucket(h, &f) * 8 + sym);
	}
}

#endif
