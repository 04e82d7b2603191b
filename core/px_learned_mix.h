/* px_learned_mix - blends the learned filters of a neighbourhood and applies them to channels at once.
 *
 * A pixel's filter is the sum of up to five by share. Each of its taps is made in registers and used for
 * every channel, so that the blended filter is never written. A result is the sum over the even taps plus
 * that over the odd ones, each in order.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_LEARNED_MIX_H
#define IN_PX_LEARNED_MIX_H

#include "learned.h"
#include "px_resample.h"

/* Filters blended; channels at once; results of a channel. */
enum { LEARNED_SHARES = 5, LEARNED_BESIDE = 3, LEARNED_BLOCK = LEARNED_MAX * LEARNED_MAX };

/* Filters and their shares; a single one counts whole. */
struct px_learned_mix { int n; const float *w[LEARNED_SHARES]; float part[LEARNED_SHARES]; };

/* A pixel's neighbours less itself, in the order of the taps. p is read one pixel further to the right. */
IN_INLINE void px_learned_diffs(const float *p, ptrdiff_t stride, float d[LEARNED_TAPS])
{
	const v4f mid = (v4f){ 0 } + p[0];
	for (int y = -LEARNED_REACH; y <= LEARNED_REACH; y++) {
		const float *s = p + y * stride - LEARNED_REACH;
		int skip = y ? 0 : 1;                           /* the middle is no tap: what follows overwrites it */
		v4f_store(d, v4f_load(s) - mid);
		v4f_store(d + 3, v4f_load(s + 3 + skip) - mid);
		d += LEARNED_SIDE - skip;
	}
}

/* What the k-th vector of two taps' weights is multiplied by: the first tap's difference, the second's,
 * or half each. */
IN_INLINE v8n px_learned_pair(const float *d, int k, int lanes)
{
	v8n a = (v8n){ 0 } + d[0], b = (v8n){ 0 } + d[1];
#if IN_LANES8 == 8
	if (k * 8 < lanes && (k + 1) * 8 > lanes) return __builtin_shufflevector(a, b, 0, 1, 2, 3, 12, 13, 14, 15);
#endif
	return k * IN_LANES8 < lanes ? a : b;
}

/* Results of nch channels. shares, nch and lanes are constants where this is called. */
IN_INLINE void px_learned_sums(const struct px_learned_mix *m, float (*d)[LEARNED_TAPS], int shares, int nch,
                               int lanes, float (*o)[LEARNED_BLOCK])
{
	enum { MOST = 2 * LEARNED_BLOCK / IN_LANES8 };
	int n = 2 * lanes / IN_LANES8;
	float both[2 * LEARNED_BLOCK];
	v8n sum[LEARNED_BESIDE][MOST];
	for (int c = 0; c < nch; c++)
		for (int k = 0; k < n; k++) sum[c][k] = (v8n){ 0 };
	for (int t = 0; t < LEARNED_TAPS; t += 2)
		for (int k = 0; k < n; k++) {
			ptrdiff_t at = t * lanes + k * IN_LANES8;
			v8n w = *(const v8n *)(const void *)(m->w[0] + at);
			if (shares > 1) w *= m->part[0];
			for (int i = 1; i < shares; i++) w += *(const v8n *)(const void *)(m->w[i] + at) * m->part[i];
			for (int c = 0; c < nch; c++) sum[c][k] += w * px_learned_pair(d[c] + t, k, lanes);
		}
	for (int c = 0; c < nch; c++) {
		for (int k = 0; k < n; k++) *(v8n *)(void *)(both + IN_LANES8 * k) = sum[c][k];
		for (int k = 0; k < lanes; k += 4) v4f_store(o[c] + k, v4f_load(both + k) + v4f_load(both + lanes + k));
	}
}

/* The same for as many shares as there are. */
IN_INLINE void px_learned_apply(const struct px_learned_mix *m, float (*d)[LEARNED_TAPS], int nch, int lanes,
                                float (*o)[LEARNED_BLOCK])
{
	switch (m->n) {
	case 1: px_learned_sums(m, d, 1, nch, lanes, o); break;
	case 2: px_learned_sums(m, d, 2, nch, lanes, o); break;
	case 3: px_learned_sums(m, d, 3, nch, lanes, o); break;
	case 4: px_learned_sums(m, d, 4, nch, lanes, o); break;
	default: px_learned_sums(m, d, 5, nch, lanes, o); break;
	}
}

/* Least and greatest of the 3x3 pixels around each of n. */
static inline void px_learned_range(const float *p, ptrdiff_t stride, int n, float *IN_RESTRICT lo,
                                    float *IN_RESTRICT hi)
{
	IN_IVDEP
	for (int x = 0; x < n; x++) {
		float a = p[x], b = a;
		for (int k = 0; k < 9; k++) {
			float v = p[x + (k / 3 - 1) * stride + k % 3 - 1];
			a = v < a ? v : a;
			b = v > b ? v : b;
		}
		lo[x] = a;
		hi[x] = b;
	}
}

/* A pixel's f x f results, held to its range, into f rows. f is a constant where this is called. */
IN_INLINE void px_learned_put(const float *o, float mid, float lo, float hi, float limit, int f, float *rows,
                              ptrdiff_t stride)
{
	float v[LEARNED_BLOCK];
	for (int k = 0; k < LEARNED_BLOCK; k++) v[k] = px_ring(mid + o[k], lo, hi, limit);
	for (int j = 0; j < f; j++) __builtin_memcpy(rows + j * stride, v + j * f, (size_t)f * sizeof *v);
}

#endif
