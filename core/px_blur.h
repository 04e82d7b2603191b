/* px_blur - separable symmetric convolution of a tile.
 *
 * Every output pixel is summed in one fixed order, whatever the tile: pairs of equal weight are added
 * first, from the tail inwards. What lies beyond the data window follows the edge rule. Rows are
 * filtered across into a band, the band then downward.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_BLUR_H
#define IN_PX_BLUR_H

#include <immintrin.h>
#include <stdatomic.h>

#include "gauss.h"
#include "image.h"
#include "px_fetch.h"
#include "px_past.h"

#define BLUR_EDGES "hold|mirror|black"
enum { EDGES_HOLD, EDGES_MIRROR, EDGES_BLACK };

/* Where pixel i of an axis [lo, hi) is taken from, or lo - 1 for black. */
IN_INLINE int px_edge(int i, int lo, int hi, int edges)
{
	if (i >= lo && i < hi) return i;
	if (edges == EDGES_BLACK) return lo - 1;
	if (edges == EDGES_HOLD) return i < lo ? lo : hi - 1;
	int period = 2 * (hi - lo), k = (i - lo) % period;
	if (k < 0) k += period;
	return lo + (k < hi - lo ? k : period - 1 - k);
}

/* The existing pixels that [a, b) is taken from: a hull. Empty for black beyond the edge. */
IN_INLINE void px_edge_span(int *a, int *b, int lo, int hi, int edges)
{
	if (*a >= lo && *b <= hi) return;
	int first = hi, last = lo - 1;
	if (edges == EDGES_HOLD && *a < *b) {
		first = px_edge(*a, lo, hi, edges);
		last = px_edge(*b - 1, lo, hi, edges);
	} else for (int i = *a; i < *b; i++) {
		int k = px_edge(i, lo, hi, edges);
		if (k < lo) continue;
		if (k < first) first = k;
		if (k > last) last = k;
	}
	*a = first;
	*b = last + 1;
}

IN_INLINE struct rect px_edge_rect(struct rect r, struct rect data, int edges)
{
	px_edge_span(&r.x0, &r.x1, data.x0, data.x1, edges);
	px_edge_span(&r.y0, &r.y1, data.y0, data.y1, edges);
	return rect_empty(r) ? rect_of(data.x0, data.y0, data.x0, data.y0) : r;
}

/* Row y of the input from x0, n pixels, edges applied. */
static IN_UNUSED void px_blur_fetch(const struct view *in, int ch, int y, int x0, int n, struct rect data,
                          int edges, float *IN_RESTRICT d)
{
	const float *row = view_at(in, ch, in->r.x0, y);
	int a = data.x0 - x0, b = data.x1 - x0;
	if (a < 0) a = 0;
	if (a > n) a = n;
	if (b > n) b = n;
	if (b < a) b = a;
	for (int i = 0; i < a; i++) {
		int x = px_edge(x0 + i, data.x0, data.x1, edges);
		d[i] = x < data.x0 ? 0.0f : row[x - in->r.x0];
	}
	if (b > a) __builtin_memcpy(d + a, row + (x0 + a - in->r.x0), (size_t)(b - a) * sizeof *d);
	for (int i = b; i < n; i++) {
		int x = px_edge(x0 + i, data.x0, data.x1, edges);
		d[i] = x < data.x0 ? 0.0f : row[x - in->r.x0];
	}
}

/* The same where it lies if no edge is met, else in d. */
IN_INLINE const float *px_blur_line(const struct view *in, int ch, int y, int x0, int n, struct rect data,
                                    int edges, float *d)
{
	if (x0 >= data.x0 && x0 + n <= data.x1) return view_at(in, ch, x0, y);
	px_blur_fetch(in, ch, y, x0, n, data, edges, d);
	return d;
}

/* Rows [y0, y1) of one channel, filtered across just before they are read downward, while
 * they are near; row y lies at (y - y0) & mask, which keeps as many of the last as are
 * read at once. black: a row of zeros. */
struct px_band {
	float *row; ptrdiff_t stride; int y0, y1; int edges; struct rect data;
	const float *black; int mask, done;
};

/* For rows [y0, y1) and beyond the edges, of which reach are read at once. Mirrored
 * rows may lie anywhere: all stay. */
IN_INLINE void px_band_begin(struct px_band *b, int y0, int y1, int reach)
{
	bool all = b->edges == EDGES_MIRROR && (y0 < b->data.y0 || y1 > b->data.y1);
	int n = 16;
	while (n < reach) n *= 2;
	b->mask = all || n >= b->y1 - b->y0 ? -1 : n - 1;
	b->done = b->y0;
}

/* The rows to be there when those below end are read: up to which one. */
IN_INLINE int px_band_until(const struct px_band *b, int end)
{
	if (end >= b->y1 || (b->mask < 0 && b->edges == EDGES_MIRROR)) return b->y1;
	return end > b->y0 ? end : b->y0 + 1;
}

IN_INLINE float *px_band_place(const struct px_band *b, int y)
{ return b->row + (ptrdiff_t)((y - b->y0) & b->mask) * b->stride; }

IN_INLINE const float *px_band_row(const struct px_band *b, int y)
{
	int i = px_edge(y, b->data.y0, b->data.y1, b->edges);
	return i < b->data.y0 ? b->black : px_band_place(b, i);
}

/* --- any symmetric kernel w[0..radius] --- */

enum { PX_BLUR_SMALL = 8, PX_BLUR_STEP = 64 };

/* n pixels across; the radius is a constant. */
IN_INLINE void px_blur_short(int radius, const float *IN_RESTRICT w, const float *s, int n,
			float *IN_RESTRICT d)
{
	IN_IVDEP
	for (int x = 0; x < n; x++) {
		float acc = 0;
		for (int i = radius; i > 0; i--) acc += w[i] * (s[x - i] + s[x + i]);
		d[x] = acc + w[0] * s[x];
	}
}

IN_INLINE void px_blur_short_row(int radius, const float *w, const float *s, int n, float *IN_RESTRICT d)
{
	int x = 0;
	for (; x + PX_BLUR_STEP <= n; x += PX_BLUR_STEP) px_blur_short(radius, w, s + x, PX_BLUR_STEP, d + x);
	px_blur_short(radius, w, s + x, n - x, d + x);
}

/* So many vectors at once, a constant: their sums stay in registers while the weights go by. */
IN_INLINE void px_blur_vecs_across(int vecs, int radius, const float *w, const float *s, float *IN_RESTRICT d)
{
	vnf acc[8] = { { 0 } };
	for (int i = radius; i > 0; i--)
		for (int b = 0; b < vecs; b++)
			acc[b] += w[i] * (*(const vnf *)(s + b * IN_LANES - i) + *(const vnf *)(s + b * IN_LANES + i));
	for (int b = 0; b < vecs; b++)
		*(vnf *)(d + b * IN_LANES) = acc[b] + w[0] * *(const vnf *)(s + b * IN_LANES);
}

static IN_UNUSED void px_blur_across(int radius, const float *w, const float *s, int n,
			float *IN_RESTRICT d)
{
	switch (radius) {
	case 1: px_blur_short_row(1, w, s, n, d); return;
	case 2: px_blur_short_row(2, w, s, n, d); return;
	case 3: px_blur_short_row(3, w, s, n, d); return;
	case 4: px_blur_short_row(4, w, s, n, d); return;
	case 5: px_blur_short_row(5, w, s, n, d); return;
	case 6: px_blur_short_row(6, w, s, n, d); return;
	}
	int x = 0;
	for (; x + 8 * IN_LANES <= n; x += 8 * IN_LANES) px_blur_vecs_across(8, radius, w, s + x, d + x);
	for (; x + 4 * IN_LANES <= n; x += 4 * IN_LANES) px_blur_vecs_across(4, radius, w, s + x, d + x);
	for (; x + IN_LANES <= n; x += IN_LANES) px_blur_vecs_across(1, radius, w, s + x, d + x);
	for (; x < n; x++) {
		float acc = 0;
		for (int i = radius; i > 0; i--) acc += w[i] * (s[x - i] + s[x + i]);
		d[x] = acc + w[0] * s[x];
	}
}

/* n pixels of rows p[0 .. 2 radius] into d and of rows p[1 .. 2 radius + 1] into e: what both read is loaded
 * once. past: past the caches. Then whether some are infinite or NaN; else false. Radius and past are constants. */
IN_INLINE bool px_blur_two_down(int radius, bool past, const float *w, const float *const *p, int n, float *d, float *e)
{
	int x = 0;
	vnf most = { 0 };
	bool odd = false;
	for (; x + IN_LANES <= n; x += IN_LANES) {
		vnf a = { 0 }, b = { 0 }, top = *(const vnf *)(p[0] + x), low = *(const vnf *)(p[2 * radius + 1] + x);
		for (int i = radius; i > 0; i--) {
			vnf up = *(const vnf *)(p[radius + 1 - i] + x), down = *(const vnf *)(p[radius + i] + x);
			a += w[i] * (top + down);
			b += w[i] * (up + low);
			top = up;
			low = down;
		}
		a += w[0] * top;
		b += w[0] * low;
		if (past) most += (a - a) + (b - b);     /* stays 0 but for infinities and NaNs */
		px_past_or(d + x, a, past);
		px_past_or(e + x, b, past);
	}
	for (; x < n; x++) {
		float a = 0, b = 0;
		for (int i = radius; i > 0; i--) {
			a += w[i] * (p[radius - i][x] + p[radius + i][x]);
			b += w[i] * (p[radius + 1 - i][x] + p[radius + 1 + i][x]);
		}
		d[x] = a + w[0] * p[radius][x];
		e[x] = b + w[0] * p[radius + 1][x];
		odd |= past && (d[x] != d[x] || e[x] != e[x]);
	}
	for (int i = 0; past && i < IN_LANES; i++) odd |= most[i] != 0.0f;
	return odd;
}

/* Alone in a function, so that weights and rows stay in registers. */
#define PX_BLUR_TWO(radius, name, past) \
	static IN_NOINLINE IN_UNUSED bool px_blur_##name##_##radius(const float *w, const float *const *p, int n, \
	                                                            float *d, float *e) \
	{ \
		float copy[radius + 1]; \
		const float *row[2 * radius + 2]; \
		for (int i = 0; i <= radius; i++) copy[i] = w[i]; \
		for (int i = 0; i < 2 * radius + 2; i++) row[i] = p[i]; \
		return px_blur_two_down(radius, past, copy, row, n, d, e); \
	}
#define PX_BLUR_TWO_BOTH(radius) PX_BLUR_TWO(radius, two, false) PX_BLUR_TWO(radius, past, true)
PX_BLUR_TWO_BOTH(1)
PX_BLUR_TWO_BOTH(2)
PX_BLUR_TWO_BOTH(3)
PX_BLUR_TWO_BOTH(4)

enum { PX_BLUR_TWOS = 4 };               /* the largest radius of these */

/* Rows y and y + 1 of the band into d and e; past as above, of rows that fit. */
static IN_UNUSED bool px_blur_twos(int radius, bool past, const float *w, const struct px_band *b, int y, int n,
                                   float *d, float *e)
{
	const float *p[2 * PX_BLUR_TWOS + 2];
	for (int i = 0; i < 2 * radius + 2; i++) p[i] = px_band_row(b, y - radius + i);
	switch (radius) {
	case 1: return past ? px_blur_past_1(w, p, n, d, e) : px_blur_two_1(w, p, n, d, e);
	case 2: return past ? px_blur_past_2(w, p, n, d, e) : px_blur_two_2(w, p, n, d, e);
	case 3: return past ? px_blur_past_3(w, p, n, d, e) : px_blur_two_3(w, p, n, d, e);
	default: return past ? px_blur_past_4(w, p, n, d, e) : px_blur_two_4(w, p, n, d, e);
	}
}

/* n pixels of rows r[-radius .. radius]; the radius is a constant. */
IN_INLINE void px_blur_short_down(int radius, const float *IN_RESTRICT w, const float *const *r, int n,
                                  float *IN_RESTRICT d)
{
	IN_IVDEP
	for (int x = 0; x < n; x++) {
		float acc = 0;
		for (int i = radius; i > 0; i--) acc += w[i] * (r[-i][x] + r[i][x]);
		d[x] = acc + w[0] * r[0][x];
	}
}

static IN_UNUSED void px_blur_short_downs(int radius, const float *w, const struct px_band *b,
			int y, int n, float *IN_RESTRICT d)
{
	const float *r[2 * PX_BLUR_SMALL + 1];
	for (int i = -radius; i <= radius; i++) r[radius + i] = px_band_row(b, y + i);
	switch (radius) {
	case 1: px_blur_short_down(1, w, r + 1, n, d); return;
	case 2: px_blur_short_down(2, w, r + 2, n, d); return;
	case 3: px_blur_short_down(3, w, r + 3, n, d); return;
	case 4: px_blur_short_down(4, w, r + 4, n, d); return;
	}
}

/* So many vectors, a constant, of rows[0 .. 2 radius] at x. */
IN_INLINE void px_blur_vecs_down(int vecs, int radius, const float *w, const float *const *rows, int x,
                                 float *IN_RESTRICT d)
{
	vnf acc[8] = { { 0 } };
	for (int i = radius; i > 0; i--) {
		const float *p = rows[radius - i] + x, *q = rows[radius + i] + x;
		for (int b = 0; b < vecs; b++)
			acc[b] += w[i] * (*(const vnf *)(p + b * IN_LANES) + *(const vnf *)(q + b * IN_LANES));
	}
	for (int b = 0; b < vecs; b++)
		*(vnf *)(d + x + b * IN_LANES) = acc[b] + w[0] * *(const vnf *)(rows[radius] + x + b * IN_LANES);
}

/* n pixels of rows[0 .. 2 radius]. */
static IN_UNUSED void px_blur_rows_down(int radius, const float *w, const float *const *rows, int n,
                                        float *IN_RESTRICT d)
{
	int x = 0;
	for (; x + 8 * IN_LANES <= n; x += 8 * IN_LANES) px_blur_vecs_down(8, radius, w, rows, x, d);
	for (; x + 4 * IN_LANES <= n; x += 4 * IN_LANES) px_blur_vecs_down(4, radius, w, rows, x, d);
	for (; x + IN_LANES <= n; x += IN_LANES) px_blur_vecs_down(1, radius, w, rows, x, d);
	for (; x < n; x++) {
		float acc = 0;
		for (int i = radius; i > 0; i--) acc += w[i] * (rows[radius - i][x] + rows[radius + i][x]);
		d[x] = acc + w[0] * rows[radius][x];
	}
}

/* Where rows lie is looked up for so many output rows at once, and for no larger a radius. */
enum { PX_BLUR_AHEAD = 32, PX_BLUR_ROWS = 512 };

static IN_UNUSED void px_blur_down(int radius, const float *w, const struct px_band *b, int y,
			int n, float *IN_RESTRICT d)
{
	if (radius > 0 && radius <= 4) { px_blur_short_downs(radius, w, b, y, n, d); return; }
	const float *c = px_band_row(b, y);
	for (int k = 0; k < n; k++) d[k] = 0;
	for (int i = radius; i > 0; i--) {
		const float *p = px_band_row(b, y - i), *q = px_band_row(b, y + i);
		for (int k = 0; k < n; k++) d[k] += w[i] * (p[k] + q[k]);
	}
	for (int k = 0; k < n; k++) d[k] += w[0] * c[k];
}

/* Row y of a tile that begins at y0; rows: of this call and those before it. */
struct px_blur_table { const float *at[2 * PX_BLUR_ROWS + PX_BLUR_AHEAD]; };
static IN_UNUSED void px_blur_down_by(struct px_blur_table *t, int radius, const float *w,
                                      const struct px_band *b, int y, int y0, int n, float *d)
{
	int k = (y - y0) % PX_BLUR_AHEAD;
	if (radius <= PX_BLUR_TWOS || radius > PX_BLUR_ROWS) { px_blur_down(radius, w, b, y, n, d); return; }
	for (int i = 0; k == 0 && i < 2 * radius + PX_BLUR_AHEAD; i++) t->at[i] = px_band_row(b, y - radius + i);
	px_blur_rows_down(radius, w, t->at + k, n, d);
}

/* Rows of the input that a band for output rows [y0, y1) and this radius holds. */
IN_INLINE ptrdiff_t px_blur_stride(int w) { return (w + 15) & ~15; }

/* w pixels of row y across into d; what needs nothing from beyond the edges is read where it lies. line
 * holds w + 2 radius. */
static IN_UNUSED void px_blur_row(int radius, const float *weight, const struct view *in, int ch, int y, int x0,
                                  int w, struct rect data, int edges, float *line, float *d)
{
	int a = data.x0 + radius - x0, b = data.x1 - radius - x0;       /* [a, b) needs nothing */
	a = a > 0 ? (a + 15) & ~15 : 0;
	b = b < w ? b & ~15 : w;
	if (b - a < PX_BLUR_STEP && (a > 0 || b < w)) a = b = w;
	if (a > 0) {
		px_blur_fetch(in, ch, y, x0 - radius, a + 2 * radius, data, edges, line);
		px_blur_across(radius, weight, line + radius, a, d);
	}
	if (b > a) px_blur_across(radius, weight, view_at(in, ch, x0 + a, y), b - a, d + a);
	if (b < w) {
		px_blur_fetch(in, ch, y, x0 + b - radius, w - b + 2 * radius, data, edges, line);
		px_blur_across(radius, weight, line + radius, w - b, d + b);
	}
}

/* Floats of scratch for a tile of w pixels a row, rows band rows and lines of line pixels. */
IN_INLINE size_t px_blur_floats(int w, int rows, int line)
{ return ((size_t)rows + 1) * (size_t)px_blur_stride(w) + (size_t)line + 64; }

/* A symmetric kernel for each axis. Threads: frozen. */
struct px_kernel { int radius; const float *w; };

/* The same and, past the caches, two finished rows. */
IN_INLINE size_t px_blur_past_floats(int w, int rows, int line)
{ return px_blur_floats(w, rows, line) + 2 * (size_t)px_blur_stride(w); }

/* Convolves rect r; have: the existing pixels around it, data: all existing ones. scratch holds
 * px_blur_floats(width, height of have, width + 2 radius). put: NULL, or two rows of scratch that
 * finished rows go through on their way past the caches, NaNs canonical. -1 when cancelled. */
IN_INLINE int px_blur_to(const struct px_kernel *kx, const struct px_kernel *ky, int edges,
                         const struct view *in, const struct view *out, struct rect r, struct rect have,
                         struct rect data, float *scratch, float *put, const atomic_int *cancel)
{
	int w = rect_w(r);
	ptrdiff_t stride = px_blur_stride(w);
	float *rows = scratch, *black = rows + (ptrdiff_t)rect_h(have) * stride, *line = black + stride;
	struct px_band band = { rows, stride, have.y0, have.y1, edges, data, black, 0, 0 };
	struct px_blur_table table;
	for (int x = 0; x < w; x++) black[x] = 0;
	if (rect_empty(have)) { view_clear(out, r); return 0; }
	for (int ch = 0; ch < out->nch; ch++) {
		px_band_begin(&band, r.y0 - ky->radius, r.y1 + ky->radius, 2 * ky->radius + 2);
		for (int y = r.y0, two; y < r.y1; y += 1 + two) {
			two = ky->radius > 0 && ky->radius <= PX_BLUR_TWOS && y + 1 < r.y1;
			int until = px_band_until(&band, y + two + ky->radius + 1);
			for (; band.done < until; band.done++) {
				if (band.done + PX_AHEAD < have.y1)
					px_fetch_apart(view_at(in, ch, have.x0, band.done + PX_AHEAD), in->stride, rect_w(have), 0);
				px_blur_row(kx->radius, kx->w, in, ch, band.done, r.x0, w, data, edges, line,
				            px_band_place(&band, band.done));
			}
			for (int i = PX_AHEAD; !put && i <= PX_AHEAD + two && y + i < r.y1; i++)
				px_fetch_apart(view_at(out, ch, r.x0, y + i), out->stride, w, 1);
			float *d = view_at(out, ch, r.x0, y), *e = d + out->stride, *to = put ? put : d;
			if (two && put && px_past_fits(d) && px_past_fits(e)) {
				if (px_blur_twos(ky->radius, true, ky->w, &band, y, w, d, e)) px_canon_row(d, w), px_canon_row(e, w);
			} else if (two) {
				px_blur_twos(ky->radius, false, ky->w, &band, y, w, to, put ? put + stride : e);
				for (int i = 0; put && i < 2; i++) px_past_row(put + i * stride, w, d + i * out->stride);
			} else {
				px_blur_down_by(&table, ky->radius, ky->w, &band, y, r.y0, w, to);
				if (put) px_past_row(to, w, d);
			}
			if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return -1;
		}
	}
	if (put) px_past_done();
	return 0;
}

static IN_UNUSED int px_blur(const struct px_kernel *kx, const struct px_kernel *ky, int edges,
                             const struct view *in, const struct view *out, struct rect r,
                             struct rect have, struct rect data, float *scratch, const atomic_int *cancel)
{ return px_blur_to(kx, ky, edges, in, out, r, have, data, scratch, NULL, cancel); }

#endif
