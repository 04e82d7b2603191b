/* px_halve - halving and doubling rows by a fixed filter, for the large blurs; columns by bands as in px_blur.h.
 *
 * Every pixel is summed in one fixed order, whatever the tile and the instruction set.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_HALVE_H
#define IN_PX_HALVE_H

#include "px_blur.h"

/* --- halving: pixel j of the half is h over pixels 2j-4 .. 2j+5, so that 2j and 2j+1 are its middle --- */

/* The existing pixels that halving reads for r; an axis that is not halved reads itself. */
IN_INLINE struct rect px_halve_need(struct rect r, bool dx, bool dy)
{
	return rect_of(dx ? 2 * r.x0 - 4 : r.x0, dy ? 2 * r.y0 - 4 : r.y0,
	               dx ? 2 * r.x1 + 4 : r.x1, dy ? 2 * r.y1 + 4 : r.y1);
}

#if IN_LANES == 8
/* Eight halved pixels from the 24 that they are made of. Vectors are put together of halves: shuffles across
 * them are dear. */
#define PX_SHIFT(low, high, n) \
	((vnf)_mm256_alignr_epi8((__m256i)(__m256)(high), (__m256i)(__m256)(low), 4 * (n)))
IN_INLINE void px_halve_split(const float *s, vnf *even, vnf *odd)
{
	const __m128 a = _mm_loadu_ps(s), b = _mm_loadu_ps(s + 4), c = _mm_loadu_ps(s + 8), e = _mm_loadu_ps(s + 12);
	const __m256 p = _mm256_insertf128_ps(_mm256_castps128_ps256(a), c, 1);
	const __m256 q = _mm256_insertf128_ps(_mm256_castps128_ps256(b), e, 1);
	*even = (vnf)_mm256_shuffle_ps(p, q, 0x88);
	*odd = (vnf)_mm256_shuffle_ps(p, q, 0xdd);
}
IN_INLINE void px_halve_some(const float *h, const float *s, float *d)
{
	vnf e, o, e4, o4;
	px_halve_split(s, &e, &o);
	px_halve_split(s + 8, &e4, &o4);
	vnf acc = h[0] * (e + o4);
	acc += h[1] * (o + e4);
	acc += h[2] * (PX_SHIFT(e, e4, 1) + PX_SHIFT(o, o4, 3));
	acc += h[3] * (PX_SHIFT(o, o4, 1) + PX_SHIFT(e, e4, 3));
	*(vnf *)d = acc + h[4] * (PX_SHIFT(e, e4, 2) + PX_SHIFT(o, o4, 2));
}
#undef PX_SHIFT
#elif IN_LANES == 16
/* Pixels s[0], s[2] .. and s[1], s[3] .. of 32. */
IN_INLINE void px_halve_split(const float *s, vnf *even, vnf *odd)
{
	const vnf a = *(const vnf *)s, b = *(const vnf *)(s + 16);
	*even = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
	*odd = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}
/* Sixteen halved pixels from those that they begin with, e and o, and the next sixteen of each: shifts between
 * registers, since loads that cross lines are dear. */
#define PX_SHIFT(low, high, n) ((vnf)_mm512_alignr_epi32((__m512i)(high), (__m512i)(low), (n)))
IN_INLINE void px_halve_some(const float *h, vnf e, vnf o, vnf e4, vnf o4, float *d)
{
	vnf acc = h[0] * (e + PX_SHIFT(o, o4, 4));
	acc += h[1] * (o + PX_SHIFT(e, e4, 4));
	acc += h[2] * (PX_SHIFT(e, e4, 1) + PX_SHIFT(o, o4, 3));
	acc += h[3] * (PX_SHIFT(o, o4, 1) + PX_SHIFT(e, e4, 3));
	*(vnf *)d = acc + h[4] * (PX_SHIFT(e, e4, 2) + PX_SHIFT(o, o4, 2));
}
#undef PX_SHIFT
/* Sixteen from the 40 that they are made of. */
IN_INLINE void px_halve_one(const float *h, const float *s, float *d)
{
	float last[32] = { s[32], s[33], s[34], s[35], s[36], s[37], s[38], s[39] };
	vnf e, o, e4, o4;
	px_halve_split(s, &e, &o);
	px_halve_split(last, &e4, &o4);
	px_halve_some(h, e, o, e4, o4, d);
}
#else
/* Pixels s[0], s[2] .. and s[1], s[3] .. of two vectors' length. */
IN_INLINE void px_halve_split(const float *s, float *even, float *odd)
{
	vnf a = *(const vnf *)s, b = *(const vnf *)(s + IN_LANES);
	*(vnf *)even = __builtin_shufflevector(a, b, 0, 2, 4, 6);
	*(vnf *)odd = __builtin_shufflevector(a, b, 1, 3, 5, 7);
}

#define PX_HALVE_AT(p, i) (*(const vnf *)((p) + (i)))
IN_INLINE void px_halve_some(const float *h, const float *e, const float *o, float *d)
{
	vnf acc = h[0] * (PX_HALVE_AT(e, 0) + PX_HALVE_AT(o, 4));
	acc += h[1] * (PX_HALVE_AT(o, 0) + PX_HALVE_AT(e, 4));
	acc += h[2] * (PX_HALVE_AT(e, 1) + PX_HALVE_AT(o, 3));
	acc += h[3] * (PX_HALVE_AT(o, 1) + PX_HALVE_AT(e, 3));
	*(vnf *)d = acc + h[4] * (PX_HALVE_AT(e, 2) + PX_HALVE_AT(o, 2));
}
#undef PX_HALVE_AT
#endif

/* Lines that follow where rows lie in one piece: the core itself looks less far ahead. */
enum { PX_HALVE_AHEAD = 1536 };
IN_INLINE void px_halve_ahead(const float *s)
{
	for (int i = 0; i < 2 * IN_LANES; i += 16) __builtin_prefetch(s + PX_HALVE_AHEAD + i);
}

/* n halved pixels of line s, which begins at the first tap; even and odd hold n + 4 pixels. The last vector
 * overlaps the one before: it makes the same again. */
static IN_UNUSED void px_halve_across(const float *IN_RESTRICT s, int n, float *IN_RESTRICT even,
                                      float *IN_RESTRICT odd, float *IN_RESTRICT d)
{
	const float h[5] = { gauss_halve[0], gauss_halve[1], gauss_halve[2], gauss_halve[3], gauss_halve[4] };
	if (n >= IN_LANES) {
#if IN_LANES == 8
		for (int x = 0; x + 8 <= n; x += 8) {
			px_halve_ahead(s + 2 * x);
			px_halve_some(h, s + 2 * x, d + x);
		}
		if (n & 7) px_halve_some(h, s + 2 * (n - 8), d + (n - 8));
#elif IN_LANES == 16
		vnf e, o, e4, o4;
		int x = 0;
		px_halve_split(s, &e, &o);
		for (; x + 36 <= n + 8; x += 16, e = e4, o = o4) {
			px_halve_ahead(s + 2 * x);
			px_halve_split(s + 2 * x + 32, &e4, &o4);
			px_halve_some(h, e, o, e4, o4, d + x);
		}
		for (; x < n; x += 16) {
			int at = x + 16 <= n ? x : n - 16;
			px_halve_one(h, s + 2 * at, d + at);
		}
#else
		int m = n + 4, x = 0;
		for (; x + IN_LANES <= m; x += IN_LANES) px_halve_split(s + 2 * x, even + x, odd + x);
		if (x < m) px_halve_split(s + 2 * (m - IN_LANES), even + (m - IN_LANES), odd + (m - IN_LANES));
		for (x = 0; x + IN_LANES <= n; x += IN_LANES) px_halve_some(h, even + x, odd + x, d + x);
		if (x < n) px_halve_some(h, even + (n - IN_LANES), odd + (n - IN_LANES), d + (n - IN_LANES));
#endif
		return;
	}
	for (int x = 0; x < n + 4; x++) even[x] = s[2 * x], odd[x] = s[2 * x + 1];
	for (int x = 0; x < n; x++) {
		float acc = h[0] * (even[x] + odd[x + 4]);
		acc += h[1] * (odd[x] + even[x + 4]);
		acc += h[2] * (even[x + 1] + odd[x + 3]);
		acc += h[3] * (odd[x + 1] + even[x + 3]);
		d[x] = acc + h[4] * (even[x + 2] + odd[x + 2]);
	}
}

/* w halved pixels of row y, whose first tap is pixel x0: where no edge is met straight from where it lies. line, even
 * and odd as above, line of 2 w + 8 pixels. */
static IN_UNUSED void px_halve_row(const struct view *in, int ch, int y, int x0, int w, struct rect data, int edges,
                                   float *IN_RESTRICT line, float *IN_RESTRICT even, float *IN_RESTRICT odd,
                                   float *IN_RESTRICT d)
{
	int a = data.x0 > x0 ? (data.x0 - x0 + 1) / 2 : 0, b = data.x1 - x0 >= 10 ? (data.x1 - x0 - 10) / 2 + 1 : 0;
	if (b > w) b = w;
	if (b <= a) a = b = w;
	if (a > 0) {
		px_blur_fetch(in, ch, y, x0, 2 * a + 8, data, edges, line);
		px_halve_across(line, a, even, odd, d);
	}
	if (b > a) px_halve_across(view_at(in, ch, x0 + 2 * a, y), b - a, even, odd, d + a);
	if (b < w) {
		px_blur_fetch(in, ch, y, x0 + 2 * b, 2 * (w - b) + 8, data, edges, line);
		px_halve_across(line, w - b, even, odd, d + b);
	}
}

static IN_UNUSED void px_halve_down(const struct px_band *b, int y, int n, float *IN_RESTRICT d)
{
	const float *h = gauss_halve, *r[10];
	for (int i = 0; i < 10; i++) r[i] = px_band_row(b, 2 * y - 4 + i);
	IN_IVDEP
	for (int x = 0; x < n; x++) {
		float acc = h[0] * (r[0][x] + r[9][x]);
		for (int i = 1; i < 5; i++) acc += h[i] * (r[i][x] + r[9 - i][x]);
		d[x] = acc;
	}
}

/* Rows y and y + 1: what both read is loaded once. */
static IN_UNUSED void px_halve_downs(const struct px_band *b, int y, int n, float *IN_RESTRICT d, float *IN_RESTRICT e)
{
	const float *h = gauss_halve, *r[12];
	for (int i = 0; i < 12; i++) r[i] = px_band_row(b, 2 * y - 4 + i);
	int x = 0;
	for (; x + IN_LANES <= n; x += IN_LANES) {
		vnf v[12];
		for (int i = 0; i < 12; i++) v[i] = *(const vnf *)(r[i] + x);
		vnf p = h[0] * (v[0] + v[9]), q = h[0] * (v[2] + v[11]);
		for (int i = 1; i < 5; i++) {
			p += h[i] * (v[i] + v[9 - i]);
			q += h[i] * (v[i + 2] + v[11 - i]);
		}
		*(vnf *)(d + x) = p;
		*(vnf *)(e + x) = q;
	}
	for (; x < n; x++) {
		float p = h[0] * (r[0][x] + r[9][x]), q = h[0] * (r[2][x] + r[11][x]);
		for (int i = 1; i < 5; i++) {
			p += h[i] * (r[i][x] + r[9 - i][x]);
			q += h[i] * (r[i + 2][x] + r[11 - i][x]);
		}
		d[x] = p;
		e[x] = q;
	}
}

/* --- doubling: the transposed filter --- */

/* The half's pixels that doubling reads for [a, b). */
IN_INLINE int px_floor2(int i) { return i >= 0 ? i / 2 : -((1 - i) / 2); }
IN_INLINE struct rect px_double_need(struct rect r, bool dx, bool dy)
{
	return rect_of(dx ? px_floor2(r.x0) - 2 : r.x0, dy ? px_floor2(r.y0) - 2 : r.y0,
	               dx ? px_floor2(r.x1 - 1) + 3 : r.x1, dy ? px_floor2(r.y1 - 1) + 3 : r.y1);
}

/* Pixels 2j and 2j + 1 of five of the half's from j - 2 on; h: twice the weights. */
IN_INLINE float px_double_even(const float *h, const float *s)
{ return h[1] * s[0] + h[3] * s[1] + h[4] * s[2] + h[2] * s[3] + h[0] * s[4]; }
IN_INLINE float px_double_odd(const float *h, const float *s)
{ return h[0] * s[0] + h[2] * s[1] + h[4] * s[2] + h[3] * s[3] + h[1] * s[4]; }

/* Pixels [x0, x0 + n) from line s, whose first pixel is the half's floor(x0 / 2) - 2. */
static IN_UNUSED void px_double_across(const float *IN_RESTRICT s, int x0, int n, float *IN_RESTRICT d)
{
	float h[5];
	for (int i = 0; i < 5; i++) h[i] = 2 * gauss_halve[i];
	if ((x0 & 1) && n > 0) {
		*d++ = px_double_odd(h, s++);
		n--;
	}
	IN_IVDEP
	for (int x = 0; x < n / 2; x++) {
		d[2 * x] = px_double_even(h, s + x);
		d[2 * x + 1] = px_double_odd(h, s + x);
	}
	if (n & 1) d[n - 1] = px_double_even(h, s + n / 2);
}

/* Rows 2j and 2j + 1, which are made of the same five. */
static IN_UNUSED void px_double_downs(const float *const *r, int n, float *IN_RESTRICT d, float *IN_RESTRICT e)
{
	const float *h = gauss_halve, *a = r[0], *b = r[1], *c = r[2], *p = r[3], *q = r[4];
	const float h0 = 2 * h[0], h1 = 2 * h[1], h2 = 2 * h[2], h3 = 2 * h[3], h4 = 2 * h[4];
	IN_IVDEP
	for (int x = 0; x < n; x++) {
		float s = a[x], t = b[x], u = h4 * c[x], v = p[x], w = q[x];
		d[x] = h1 * s + h3 * t + u + h2 * v + h0 * w;
		e[x] = h0 * s + h2 * t + u + h3 * v + h1 * w;
	}
}

/* Row y from the five rows r of the half. */
static IN_UNUSED void px_double_down(const float *const *r, int y, int n, float *IN_RESTRICT d)
{
	const float *h = gauss_halve;
	float w[2][5] = { { h[1], h[3], h[4], h[2], h[0] }, { h[0], h[2], h[4], h[3], h[1] } }, k[5];
	for (int i = 0; i < 5; i++) k[i] = 2 * w[y & 1][i];
	IN_IVDEP
	for (int x = 0; x < n; x++)
		d[x] = k[0] * r[0][x] + k[1] * r[1][x] + k[2] * r[2][x] + k[3] * r[3][x] + k[4] * r[4][x];
}

#endif
