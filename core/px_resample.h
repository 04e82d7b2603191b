/* px_resample - applies resampling tables to a tile: horizontally into a ring of rows, then
 * vertically. Every output pixel is summed over its taps in ascending order, whatever the tile.
 * Where the weights repeat (whole factors) the horizontal pass runs along x; elsewhere eight rows
 * are transposed and run side by side.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_RESAMPLE_H
#define IN_PX_RESAMPLE_H

#include <stdatomic.h>

#include "image.h"
#include "px_fetch.h"
#include "px_past.h"
#include "resample.h"

/* Takes a share of what exceeds the neighbourhood's extremes away. A difference is above 0 exactly
 * where the first number is greater. */
IN_INLINE float px_ring(float v, float lo, float hi, float share)
{
	float over = v - hi, under = v - lo;
	over = over > 0.0f ? over : 0.0f;
	under = under < 0.0f ? under : 0.0f;
	return v - (over + under) * share;
}

typedef int vni __attribute__((vector_size(4 * IN_LANES), aligned(4), may_alias));

/* The same for a vector, between the neighbours a and b. */
IN_INLINE vnf px_ring_vector(vnf v, vnf a, vnf b, float share)
{
	vni less = b < a, more = b > a;
	vnf lo = (vnf)((less & (vni)b) | (~less & (vni)a)), hi = (vnf)((more & (vni)b) | (~more & (vni)a));
	vnf over = v - hi, under = v - lo;
	over = (vnf)((vni)over & (vni)(over > 0.0f));
	under = (vnf)((vni)under & (vni)(under < 0.0f));
	return v - (over + under) * share;
}

/* --- horizontally, any weights: eight rows at a time --- */

/* Four rows of four floats as four columns, eight floats apart. */
IN_INLINE void px_transpose4(const float *const s[4], float *IN_RESTRICT t, ptrdiff_t step)
{
	typedef int v4i __attribute__((vector_size(16)));
	v4f a = *(const v4f *)s[0], b = *(const v4f *)s[1], c = *(const v4f *)s[2], d = *(const v4f *)s[3];
	v4f ab = __builtin_shuffle(a, b, (v4i){ 0, 4, 1, 5 }), cd = __builtin_shuffle(c, d, (v4i){ 0,
		4, 1, 5 });
	v4f ba = __builtin_shuffle(a, b, (v4i){ 2, 6, 3, 7 }), dc = __builtin_shuffle(c, d, (v4i){ 2,
		6, 3, 7 });
	*(v4f *)(t) = __builtin_shuffle(ab, cd, (v4i){ 0, 1, 4, 5 });
	*(v4f *)(t + step) = __builtin_shuffle(ab, cd, (v4i){ 2, 3, 6, 7 });
	*(v4f *)(t + 2 * step) = __builtin_shuffle(ba, dc, (v4i){ 0, 1, 4, 5 });
	*(v4f *)(t + 3 * step) = __builtin_shuffle(ba, dc, (v4i){ 2, 3, 6, 7 });
}

/* Eight source rows from y, columns [x0, x1), as columns of eight. Rows past end repeat the last:
 * nobody reads their results. */
static void px_resample_gather(const struct view *in, int ch, int x0, int x1, int y, int end,
                               float *IN_RESTRICT t)
{
	int w = x1 - x0, x = 0;
	const float *s[8];
	for (int k = 0; k < 8; k++) s[k] = view_at(in, ch, x0, y + k < end ? y + k : end - 1);
	for (; x + 4 <= w; x += 4) {
		const float *a[4] = { s[0] + x, s[1] + x, s[2] + x, s[3] + x };
		const float *b[4] = { s[4] + x, s[5] + x, s[6] + x, s[7] + x };
		px_transpose4(a, t + x * 8, 8);
		px_transpose4(b, t + x * 8 + 4, 8);
	}
	for (; x < w; x++)
		for (int k = 0; k < 8; k++) t[x * 8 + k] = s[k][x];
}

/* a where m, else 0; a where m, else b. m: all bits or none. */
#define PX_WHERE(m, a) ((v8n)((m) & (v8ni)(a)))
#define PX_PICK(m, a, b) ((v8n)(((m) & (v8ni)(a)) | (~(m) & (v8ni)(b))))

/* Limits IN_LANES8 rows of a column to the extremes of n columns: px_ring for each. */
IN_INLINE void px_resample_limit(const float *IN_RESTRICT q, int n, float share, v8n *acc)
{
	v8n lo = *(const v8n *)q, hi = lo, v = *acc;
	for (int i = 1; i < n; i++) {
		v8n s = *(const v8n *)(q + i * 8);
		v8ni below = s < lo, above = s > hi;
		lo = PX_PICK(below, s, lo);
		hi = PX_PICK(above, s, hi);
	}
	v8ni over = v > hi, under = v < lo;
	*acc = v - (PX_WHERE(over, v - hi) + PX_WHERE(under, v - lo)) * share;
}

/* One output column of eight rows; taps may be a constant. */
IN_INLINE void px_resample_column(const struct resample_axis *a, int taps, float share, int i,
                                  const float *IN_RESTRICT t, int x0, float *IN_RESTRICT out)
{
	const float *w = a->w + (size_t)i * (size_t)taps;
	const float *s = t + (ptrdiff_t)(a->left[i] - x0) * 8, *q = t + (ptrdiff_t)(a->n0[i] - x0) * 8;
	for (int k = 0; k < 8; k += IN_LANES8) {
		v8n acc = *(const v8n *)(s + k) * w[0];
		for (int n = 1; n < taps; n++) acc += *(const v8n *)(s + n * 8 + k) * w[n];
		if (share > 0 && a->nn[i] > 0) px_resample_limit(q + k, a->nn[i], share, &acc);
		*(v8n *)(out + k) = acc;
	}
}

/* Ring buffer of horizontally resampled rows; mask: its length, a power of two, less one. */
struct px_ring_rows { float *row; ptrdiff_t stride; int mask; };

IN_INLINE float *px_ring_row(const struct px_ring_rows *r, int y)
{ return r->row + (ptrdiff_t)(y & r->mask) * r->stride; }

/* m columns of eight rows as four columns of n rows dst + at. */
IN_INLINE void px_resample_spread(const float *col, int m, float *const dst[8], int at, int n)
{
	if (m == 4 && n == 8) {
		for (int k = 0; k < 8; k += 4) {
			const float *c[4] = { col + k, col + 8 + k, col + 16 + k, col + 24 + k };
			float out[16];
			px_transpose4(c, out, 4);
			for (int i = 0; i < 4; i++) *(v4f *)(dst[k + i] + at) = *(v4f *)(out + 4 * i);
		}
		return;
	}
	for (int k = 0; k < m; k++)
		for (int i = 0; i < n; i++) dst[i][at + k] = col[k * 8 + i];
}

/* Rows [y, y + n) of the ring from eight transposed source rows. */
static void px_resample_rows(const struct resample *rs, const struct px_ring_rows *ring,
                             const float *t, int x0, struct rect r, int y, int n)
{
	const struct resample_axis *a = &rs->x;
	float *dst[8], col[4 * 8];
	for (int k = 0; k < 8; k++) dst[k] = px_ring_row(ring, y + k);
	for (int x = r.x0; x < r.x1; x += 4) {
		int m = r.x1 - x < 4 ? r.x1 - x : 4, i = x - a->o0;
		for (int k = 0; k < m; k++)
			if (a->taps == 6) px_resample_column(a, 6, rs->ringing, i + k, t, x0, col + k * 8);
			else px_resample_column(a, a->taps, rs->ringing, i + k, t, x0, col + k * 8);
		px_resample_spread(col, m, dst, x - r.x0, n);
	}
}

/* --- horizontally, weights that repeat: along x --- */

/* Output pixel i of one row; s is the row, x0 its first pixel. */
IN_INLINE float px_resample_pixel(const struct resample_axis *a, float share, int i,
			const float *s, int x0)
{
	const float *w = a->w + (size_t)i * (size_t)a->taps, *p = s + (a->left[i] - x0);
	float acc = w[0] * p[0];
	for (int n = 1; n < a->taps; n++) acc += w[n] * p[n];
	if (!(share > 0) || a->nn[i] <= 0) return acc;
	p = s + (a->n0[i] - x0);
	float lo = p[0], hi = p[0];
	for (int n = 1; n < a->nn[i]; n++) {
		lo = p[n] < lo ? p[n] : lo;
		hi = p[n] > hi ? p[n] : hi;
	}
	return px_ring(acc, lo, hi, share);
}

/* m output pixels of one phase; q: the first of two neighbours, from s; taps and ring are constants. */
IN_INLINE void px_resample_along(const float *IN_RESTRICT w, int taps, bool ring, float share, int q,
                                 const float *IN_RESTRICT s, int m, float *IN_RESTRICT d)
{
	IN_IVDEP
	for (int x = 0; x < m; x++) {
		float acc = w[0] * s[x];
		for (int n = 1; n < taps; n++) acc += w[n] * s[x + n];
		if (ring) {
			float a = s[x + q], b = s[x + q + 1];
			acc = px_ring(acc, b < a ? b : a, b > a ? b : a, share);
		}
		d[x] = acc;
	}
}

/* Shapes that px_resample_along is compiled for. */
static bool px_resample_regular(const struct resample *rs)
{
	const struct resample_axis *a = &rs->x;
	if (!a->period || (a->taps != 4 && a->taps != 6)) return false;
	for (int k = 0; k < a->period; k++)
		if (rs->ringing > 0 && a->nn[a->p0 - a->o0 + k] != 2) return false;
	return true;
}

enum { PX_RS_STEP = 64 };

/* m output pixels of the phase of pixel i. */
IN_INLINE void px_resample_phase(const struct resample *rs, int i, const float *IN_RESTRICT s, int m,
                                 float *IN_RESTRICT d)
{
	const struct resample_axis *a = &rs->x;
	const float *w = a->w + (size_t)i * (size_t)a->taps;
	int q = a->n0[i] - a->left[i];
	float share = rs->ringing;
	if (a->taps == 6 && share > 0) px_resample_along(w, 6, true, share, q, s, m, d);
	else if (a->taps == 6) px_resample_along(w, 6, false, 0, 0, s, m, d);
	else if (share > 0) px_resample_along(w, 4, true, share, q, s, m, d);
	else px_resample_along(w, 4, false, 0, 0, s, m, d);
}

/* Lanes of two vectors by turns. */
IN_INLINE void px_weave(vnf a, vnf b, float *IN_RESTRICT d)
{
#if IN_LANES == 16
	*(vnf *)d = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
	*(vnf *)(d + 16) = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30,
		15, 31);
#elif IN_LANES == 8
	*(vnf *)d = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
	*(vnf *)(d + 8) = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
	*(vnf *)d = __builtin_shufflevector(a, b, 0, 4, 1, 5);
	*(vnf *)(d + 4) = __builtin_shufflevector(a, b, 2, 6, 3, 7);
#endif
}

/* Do the weights of two phases mirror each other? Then one set of registers holds both. */
static inline bool px_mirrored(const float *w, const float *u, int taps)
{
	for (int k = 0; k < taps; k++)
		if (w[k] != u[taps - 1 - k] || w[k] == 0) return false;
	return true;
}

/* m (IN_LANES at least) periods of two mirrored phases, the second of which reads one pixel further on.
 * q: the first neighbour of each, from its first pixel. The last vector may overlap the one before. */
IN_INLINE void px_resample_twins(const float *IN_RESTRICT weight, int taps, bool ring, float share, int q0,
                                 int q1, const float *IN_RESTRICT s, int m, float *IN_RESTRICT d)
{
	vnf w[6];
	for (int k = 0; k < taps; k++) w[k] = (vnf){ 0 } + weight[k];
	for (int x = 0; x < m; x += IN_LANES) {
		if (x > m - IN_LANES) x = m - IN_LANES;
		const float *p = s + x;
		vnf a = *(const vnf *)p * w[0], v = *(const vnf *)(p + 1), b = v * w[taps - 1];
		for (int k = 1; k < taps; k++) {
			a += v * w[k];
			v = *(const vnf *)(p + k + 1);
			b += v * w[taps - 1 - k];
		}
		if (ring) {
			a = px_ring_vector(a, *(const vnf *)(p + q0), *(const vnf *)(p + q0 + 1), share);
			b = px_ring_vector(b, *(const vnf *)(p + 1 + q1), *(const vnf *)(p + 2 + q1), share);
		}
		px_weave(a, b, d + 2 * x);
	}
}

/* Is it done? */
IN_INLINE bool px_resample_doubled(const struct resample *rs, int i, const float *IN_RESTRICT s, int m,
                                   float *IN_RESTRICT d)
{
	const struct resample_axis *a = &rs->x;
	int taps = a->taps, q0 = a->n0[i] - a->left[i], q1 = a->n0[i + 1] - a->left[i + 1];
	const float *w = a->w + (size_t)i * (size_t)taps, *u = w + taps;
	if (a->period != 2 || a->left[i + 1] != a->left[i] + 1 || m < IN_LANES || !px_mirrored(w, u, taps))
		return false;
	if (taps == 6 && rs->ringing > 0) px_resample_twins(w, 6, true, rs->ringing, q0, q1, s, m, d);
	else if (taps == 6) px_resample_twins(w, 6, false, 0, 0, 0, s, m, d);
	else if (rs->ringing > 0) px_resample_twins(w, 4, true, rs->ringing, q0, q1, s, m, d);
	else px_resample_twins(w, 4, false, 0, 0, 0, s, m, d);
	return true;
}

/* m whole periods from output pixel i on: each phase, then woven together. s: what pixel i reads. A
 * full step is compiled apart: loops of known length have no ends to look after. */
static void px_resample_periods(const struct resample *rs, int i, const float *IN_RESTRICT s, int m,
                                float *IN_RESTRICT d)
{
	const struct resample_axis *a = &rs->x;
	float phase[4][PX_RS_STEP];
	for (int p = 0; p < a->period; p++) {
		const float *from = s + (a->left[i + p] - a->left[i]);
		if (m == PX_RS_STEP) px_resample_phase(rs, i + p, from, PX_RS_STEP, phase[p]);
		else px_resample_phase(rs, i + p, from, m, phase[p]);
	}
	if (a->period == 2 && m == PX_RS_STEP)
		for (int x = 0; x < PX_RS_STEP; x++) d[2 * x] = phase[0][x], d[2 * x + 1] = phase[1][x];
	else if (a->period == 2)
		for (int x = 0; x < m; x++) d[2 * x] = phase[0][x], d[2 * x + 1] = phase[1][x];
	else
		for (int x = 0; x < m; x++)
			for (int p = 0; p < 4; p++) d[4 * x + p] = phase[p][x];
}

/* Whole periods within an output row: [b0, b0 + m * period). */
struct px_periods { int b0, m; };

static struct px_periods px_resample_span(const struct resample *rs, int x0, int x1)
{
	const struct resample_axis *a = &rs->x;
	struct px_periods s = { x0 > a->p0 ? x0 : a->p0, 0 };
	int end = x1 < a->p1 ? x1 : a->p1;
	s.b0 += (a->period - (s.b0 - a->p0) % a->period) % a->period;
	if (end > s.b0) s.m = (end - s.b0) / a->period;
	if (!s.m) s.b0 = x1;
	return s;
}

/* Output pixels [x0, x1) of one source row (its first pixel is left) into d[x - x0]. */
static void px_resample_row(const struct resample *rs, struct px_periods span, const float *row, int left,
                            int x0, int x1, float *IN_RESTRICT out)
{
	const struct resample_axis *a = &rs->x;
	int x = x0;
	for (; x < span.b0; x++) out[x - x0] = px_resample_pixel(a, rs->ringing, x - a->o0, row, left);
	if (span.m && px_resample_doubled(rs, x - a->o0, row + (a->left[x - a->o0] - left), span.m, out + (x - x0)))
		x += span.m * a->period;
	else for (int k = 0; k < span.m; k += PX_RS_STEP) {
		int n = span.m - k < PX_RS_STEP ? span.m - k : PX_RS_STEP, i = x - a->o0;
		px_resample_periods(rs, i, row + (a->left[i] - left), n, out + (x - x0));
		x += n * a->period;
	}
	for (; x < x1; x++) out[x - x0] = px_resample_pixel(a, rs->ringing, x - a->o0, row, left);
}

/* --- vertically --- */

/* n pixels of one output row from rows s; the neighbour rows are p and q. taps and ring are
 * constants, n may be one. */
IN_INLINE void px_resample_mix(const float *const *s, int taps, const float *IN_RESTRICT w,
			bool ring, float share,
                               const float *p, const float *q, int n, float *IN_RESTRICT a)
{
	IN_IVDEP
	for (int x = 0; x < n; x++) {
		float v = s[0][x] * w[0];
		for (int k = 1; k < taps; k++) v += s[k][x] * w[k];
		if (ring) v = px_ring(v, q[x] < p[x] ? q[x] : p[x], q[x] > p[x] ? q[x] : p[x], share);
		a[x] = v;
	}
}

/* One output row; lo: first of the two neighbour rows when ring. taps and ring are constants. */
IN_INLINE void px_resample_down(const struct px_ring_rows *r, int left, int taps, const float *w,
			bool ring,
                                float share, int lo, int n, float *IN_RESTRICT a)
{
	const float *s[8], *p = px_ring_row(r, lo), *q = px_ring_row(r, lo + 1);
	int x = 0;
	for (int k = 0; k < taps; k++) s[k] = px_ring_row(r, left + k);
	for (; x + PX_RS_STEP <= n; x += PX_RS_STEP) {
		px_resample_mix(s, taps, w, ring, share, p, q, PX_RS_STEP, a + x);
		for (int k = 0; k < taps; k++) s[k] += PX_RS_STEP;
		p += PX_RS_STEP;
		q += PX_RS_STEP;
	}
	px_resample_mix(s, taps, w, ring, share, p, q, n - x, a + x);
}

/* n (IN_LANES at least) pixels of two output rows made of the same rows s by mirrored weights. q: the
 * first neighbour. past: a and b are aligned to vectors and go past the caches. Returns whether a NaN may
 * be among them (past only). */
IN_INLINE bool px_resample_mix2(const float *const *s, int taps, const float *IN_RESTRICT weight, bool ring,
                                float share, int q, bool past, int n, float *IN_RESTRICT a,
                                float *IN_RESTRICT b)
{
	vnf w[6];
	vni odd = { 0 };
	for (int k = 0; k < taps; k++) w[k] = (vnf){ 0 } + weight[k];
	for (int x = 0; x < n; x += IN_LANES) {
		if (x > n - IN_LANES) x = n - IN_LANES;
		vnf v = *(const vnf *)(s[0] + x), c = v * w[0], d = v * w[taps - 1];
		for (int k = 1; k < taps; k++) {
			v = *(const vnf *)(s[k] + x);
			c += v * w[k];
			d += v * w[taps - 1 - k];
		}
		if (ring) {
			vnf up = *(const vnf *)(s[q] + x), down = *(const vnf *)(s[q + 1] + x);
			c = px_ring_vector(c, up, down, share);
			d = px_ring_vector(d, up, down, share);
		}
		if (past && x % IN_LANES == 0) {
			px_past(a + x, c);
			px_past(b + x, d);
		} else {
			*(vnf *)(a + x) = c;
			*(vnf *)(b + x) = d;
		}
		odd |= (vni)(c != c) | (vni)(d != d);
	}
	int any = 0;
	for (int k = 0; past && k < IN_LANES; k++) any |= odd[k];
	return any != 0;
}

/* Output rows i and i + 1 in one go, if the same rows make them. past as for px_resample_past. */
IN_INLINE bool px_resample_out2(const struct resample *rs, const struct px_ring_rows *rows, int base, int i,
                                int n, bool past, float *IN_RESTRICT out, float *IN_RESTRICT next)
{
	const struct resample_axis *a = &rs->y;
	int taps = a->taps, q = a->n0[i] - a->left[i];
	const float *w = a->w + (size_t)i * (size_t)taps, *u = w + taps, *s[8];
	bool ring = rs->ringing > 0 && a->nn[i] > 0, nan;
	float share = rs->ringing;
	if ((taps != 4 && taps != 6) || n < IN_LANES || a->left[i + 1] != a->left[i] || !px_mirrored(w, u, taps))
		return false;
	if (rs->ringing > 0 && (a->nn[i] != a->nn[i + 1] || (ring && (a->nn[i] != 2 || a->n0[i] != a->n0[i + 1]))))
		return false;
	for (int k = 0; k < taps; k++) s[k] = px_ring_row(rows, a->left[i] - base + k);
	if (taps == 6 && ring) nan = px_resample_mix2(s, 6, w, true, share, q, past, n, out, next);
	else if (taps == 6) nan = px_resample_mix2(s, 6, w, false, 0, 0, past, n, out, next);
	else if (ring) nan = px_resample_mix2(s, 4, w, true, share, q, past, n, out, next);
	else nan = px_resample_mix2(s, 4, w, false, 0, 0, past, n, out, next);
	if (past && nan) {
		px_canon_row(out, n);
		px_canon_row(next, n);
	}
	return true;
}

enum { PX_RS_BLOCK = 4 * IN_LANES };

/* Limits a block to the extremes of n rows. */
static void px_resample_bound(const struct px_ring_rows *ring, int first, int n, int x,
			float share, float *IN_RESTRICT acc)
{
	float lo[PX_RS_BLOCK], hi[PX_RS_BLOCK];
	const float *s = px_ring_row(ring, first) + x;
	for (int b = 0; b < PX_RS_BLOCK; b++) lo[b] = hi[b] = s[b];
	for (int k = 1; k < n; k++) {
		s = px_ring_row(ring, first + k) + x;
		for (int b = 0; b < PX_RS_BLOCK; b++) {
			lo[b] = s[b] < lo[b] ? s[b] : lo[b];
			hi[b] = s[b] > hi[b] ? s[b] : hi[b];
		}
	}
	for (int b = 0; b < PX_RS_BLOCK; b++) acc[b] = px_ring(acc[b], lo[b], hi[b], share);
}

/* One output row of any number of taps. Rows of the ring are read up to the end of a block. */
static void px_resample_vertical(const struct resample *rs, const struct px_ring_rows *ring,
                                 int base, int i, int n, float *IN_RESTRICT out)
{
	const struct resample_axis *a = &rs->y;
	const float *w = a->w + (size_t)i * (size_t)a->taps;
	int left = a->left[i] - base;
	for (int x = 0; x < n; x += PX_RS_BLOCK) {
		vnf v[4];
		float acc[PX_RS_BLOCK];
		const float *s = px_ring_row(ring, left) + x;
		for (int b = 0; b < 4; b++) v[b] = *(const vnf *)(s + b * IN_LANES) * w[0];
		for (int k = 1; k < a->taps; k++) {
			s = px_ring_row(ring, left + k) + x;
			for (int b = 0; b < 4; b++) v[b] += *(const vnf *)(s + b * IN_LANES) * w[k];
		}
		for (int b = 0; b < 4; b++) *(vnf *)(acc + b * IN_LANES) = v[b];
		if (rs->ringing > 0 && a->nn[i] > 0)
			px_resample_bound(ring, a->n0[i] - base, a->nn[i], x, rs->ringing, acc);
		int m = n - x < PX_RS_BLOCK ? n - x : PX_RS_BLOCK;
		for (int b = 0; b < m; b++) out[x + b] = acc[b];
	}
}

/* Output row i from the ring. */
static void px_resample_out(const struct resample *rs, const struct px_ring_rows *rows, int base,
			int i, int n,
                            float *IN_RESTRICT out)
{
	const struct resample_axis *a = &rs->y;
	const float *w = a->w + (size_t)i * (size_t)a->taps;
	int left = a->left[i] - base, lo = a->n0[i] - base;
	float share = rs->ringing;
	bool bound = share > 0 && a->nn[i] > 0, simple = !bound || a->nn[i] == 2;
	if (a->taps == 6 && simple && bound) px_resample_down(rows, left, 6, w, true, share, lo, n, out);
	else if (a->taps == 6 && simple) px_resample_down(rows, left, 6, w, false, 0, lo, n, out);
	else if (a->taps == 4 && simple && bound) px_resample_down(rows, left, 4, w, true, share, lo, n, out);
	else if (a->taps == 4 && simple) px_resample_down(rows, left, 4, w, false, 0, lo, n, out);
	else px_resample_vertical(rs, rows, base, i, n, out);
}

/* The state of one channel's pass. */
struct px_resample_pass {
	const struct resample *rs;
	const struct view *in;
	struct rect r, s;                    /* output, source */
	struct px_ring_rows ring;
	float *t;                            /* eight transposed rows */
	bool regular;
	struct px_periods span;
	int ch, next;                        /* next source row that is not in the ring */
};

static void px_resample_fill(struct px_resample_pass *p, int end)
{
	while (p->next < end) {
		int y = p->next - p->s.y0, n = p->s.y1 - p->next < 8 ? p->s.y1 - p->next : 8;
		if (p->regular) {
			if (p->next + PX_AHEAD < p->s.y1)
				px_fetch_row(view_at(p->in, p->ch, p->s.x0, p->next + PX_AHEAD), rect_w(p->s), 0);
			px_resample_row(p->rs, p->span, view_at(p->in, p->ch, p->s.x0, p->next), p->s.x0,
				p->r.x0, p->r.x1,
			                px_ring_row(&p->ring, y));
			p->next++;
			continue;
		}
		px_resample_gather(p->in, p->ch, p->s.x0, p->s.x1, p->next, p->s.y1, p->t);
		px_resample_rows(p->rs, &p->ring, p->t, p->s.x0, p->r, y, n);
		p->next += 8;
	}
}

/* All rows of one channel; row: room for one (past only). */
IN_INLINE int px_resample_channel(struct px_resample_pass *p, const struct view *out, bool past, float *row,
                                  const atomic_int *cancel)
{
	const struct resample *rs = p->rs;
	int n = rect_w(p->r), o0 = rs->y.o0;
	p->next = p->s.y0;
	for (int y = p->r.y0; y < p->r.y1; y++) {
		int i = y - o0;
		float *d = view_at(out, p->ch, p->r.x0, y), *next = d;
		if (y + 1 < p->r.y1) next = view_at(out, p->ch, p->r.x0, y + 1);
		if (!past && y + PX_AHEAD < p->r.y1) px_fetch_row(view_at(out, p->ch, p->r.x0, y + PX_AHEAD), n, 1);
		px_resample_fill(p, rs->y.left[i] + rs->y.taps);
		if (next != d && !past && px_resample_out2(rs, &p->ring, p->s.y0, i, n, false, d, next)) {
			y++;
		} else if (next != d && past && px_past_fits(d) && px_past_fits(next)
		           && px_resample_out2(rs, &p->ring, p->s.y0, i, n, true, d, next)) {
			y++;
		} else {
			px_resample_out(rs, &p->ring, p->s.y0, i, n, past ? row : d);
			if (past) px_past_row(row, n, d);
		}
		if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return -1;
	}
	return 0;
}

static struct px_resample_pass px_resample_begin(const struct resample *rs, const struct view *in,
                                                 struct rect r, void *scratch)
{
	struct px_resample_pass p = { .rs = rs, .in = in, .r = r, .s = resample_need(rs, r),
		.ring = { scratch, resample_stride(r), resample_ring(rs) - 1 },
		.regular = px_resample_regular(rs) };
	p.t = p.ring.row + (ptrdiff_t)(p.ring.mask + 2) * p.ring.stride;
	/* rows along x come one by one: fewer stay nearer */
	if (p.regular && rs->y.taps <= 8) p.ring.mask = 7;
	if (p.regular) p.span = px_resample_span(rs, r.x0, r.x1);
	return p;
}

/* Writes rect r of all planes; in covers resample_need(rs, r), scratch has resample_scratch
 * bytes. -1 when cancelled. */
static IN_UNUSED int px_resample(const struct resample *rs, const struct view *in,
                                 const struct view *out, struct rect r, void *scratch,
                                 const atomic_int *cancel)
{
	struct px_resample_pass p = px_resample_begin(rs, in, r, scratch);
	for (p.ch = 0; p.ch < out->nch; p.ch++)
		if (px_resample_channel(&p, out, false, NULL, cancel)) return -1;
	return 0;
}

/* The same past the caches, NaNs canonical: for pictures that nobody reads soon. */
static IN_UNUSED int px_resample_past(const struct resample *rs, const struct view *in,
                                      const struct view *out, struct rect r, void *scratch,
                                      const atomic_int *cancel)
{
	struct px_resample_pass p = px_resample_begin(rs, in, r, scratch);
	float *row = p.ring.row + (ptrdiff_t)resample_ring(rs) * p.ring.stride;
	int rc = 0;
	for (p.ch = 0; !rc && p.ch < out->nch; p.ch++)
		rc = px_resample_channel(&p, out, true, row, cancel);
	px_past_done();
	return rc;
}

#endif
