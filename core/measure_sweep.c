/* measure_sweep - thumbnails and pixel samples of frames, and all that a solve reads of a shot
 * in one pass.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "measure_int.h"
#include "mem.h"
#include "px_vec.h"

int block_side(struct rect r, size_t budget)
{
	int s = 1;
	while (((size_t)rect_w(r) + (size_t)s - 1) / (size_t)s
	       * (((size_t)rect_h(r) + (size_t)s - 1) / (size_t)s) > budget)
		s++;
	return s;
}

/* Whether a place of im counts: no title, and inside the mask, which may have another size. */
static bool counted(const struct image *im, const struct area *a, const struct image *mask, int x, int y)
{
	if (a && a->skip && a->skip[(size_t)(y - a->r.y0) * (size_t)rect_w(a->r) +
		(size_t)(x - a->r.x0)])
		return false;
	if (!mask) return true;
	const struct rect m = mask->view.r, d = im->fmt.display, to = mask->fmt.display;
	int mx = to.x0 + (int)((int64_t)(x - d.x0) * rect_w(to) / rect_w(d));
	int my = to.y0 + (int)((int64_t)(y - d.y0) * rect_h(to) / rect_h(d));
	return mx >= m.x0 && mx < m.x1 && my >= m.y0 && my < m.y1 && *view_at(&mask->view, 0, mx, my) >= 0.5f;
}

/* A block of which less than half counts is 0. */
static void block_mean(const struct planes *p, struct rect b, const struct area *a, const struct image *mask,
                       float out[3])
{
	double sum[3] = { 0 };
	size_t left = 0;
	for (int y = b.y0; y < b.y1; y++)
		for (int x = b.x0; x < b.x1; x++) {
			float v[3];
			if (!counted(p->im, a, mask, x, y)) { left++; continue; }
			for (int k = 0; k < 3; k++) v[k] = *view_at(&p->im->view, p->ch[k], x, y);
			if (!finite3(v)) continue;
			for (int k = 0; k < 3; k++) sum[k] += v[k];
		}
	size_t n = rect_area(b) - left;
	for (int k = 0; k < 3; k++) out[k] = n * 2 < rect_area(b) ? 0.0f : (float)(sum[k] / (double)n);
}

enum { ADD_MOST = 12, AHEAD = 64 };

/* Adds n rows to sum, or starts it with them: so many streams at once that memory keeps up. The
 * rows from `then` on come next. */
IN_INLINE void add_rows(const float *p, const float *then, ptrdiff_t stride, int n, bool start,
                        int w, float *sum)
{
	int x = 0;
	for (; x + 16 <= w; x += 16) {
		const float *ahead = x + AHEAD + 16 <= w ? p + x + AHEAD : then + (x + AHEAD + 16 - w);
		for (int r = 0; r < n; r++) __builtin_prefetch(ahead + r * stride);
		for (int j = x; j < x + 16; j += PXV_LANES) {
			pxv a = pxv_load(p + j), b = start ? pxv_of(0) : pxv_load(sum + j);
			for (int r = 1; r < n; r += 2) {
				b += pxv_load(p + r * stride + j);
				if (r + 1 < n) a += pxv_load(p + (r + 1) * stride + j);
			}
			pxv_store(sum + j, a + b);
		}
	}
	for (; x < w; x++) {
		float a = p[x], b = start ? 0 : sum[x];
		for (int r = 1; r < n; r += 2) {
			b += p[r * stride + x];
			if (r + 1 < n) a += p[(r + 1) * stride + x];
		}
		sum[x] = a + b;
	}
}
/* Sums of each column of rows y0 to y1: eight at a time, at most ADD_MOST at the end. */
static void columns(const struct view *v, int ch, int x0, int w, int y0, int y1, const float *then,
                    float *sum)
{
	for (int y = y0, n; y < y1; y += n) {
		const float *p = view_at(v, ch, x0, y);
		n = y1 - y > ADD_MOST ? 8 : y1 - y;
		const float *next = y + n < y1 ? p + n * v->stride : then;
		switch (n) {
		case 1: add_rows(p, next, v->stride, 1, y == y0, w, sum); break;
		case 2: add_rows(p, next, v->stride, 2, y == y0, w, sum); break;
		case 3: add_rows(p, next, v->stride, 3, y == y0, w, sum); break;
		case 4: add_rows(p, next, v->stride, 4, y == y0, w, sum); break;
		case 5: add_rows(p, next, v->stride, 5, y == y0, w, sum); break;
		case 6: add_rows(p, next, v->stride, 6, y == y0, w, sum); break;
		case 7: add_rows(p, next, v->stride, 7, y == y0, w, sum); break;
		case 8: add_rows(p, next, v->stride, 8, y == y0, w, sum); break;
		case 9: add_rows(p, next, v->stride, 9, y == y0, w, sum); break;
		case 10: add_rows(p, next, v->stride, 10, y == y0, w, sum); break;
		case 11: add_rows(p, next, v->stride, 11, y == y0, w, sum); break;
		default: add_rows(p, next, v->stride, ADD_MOST, y == y0, w, sum);
		}
	}
}

/* The sum of each of n blocks of s columns, of w in all. */
static void across(const float *sum, int w, int s, int n, float *out)
{
	static const float ends[8] = { 0, 0, 0, 0, 1, 1, 1, 1 };
	int x = 0;
	for (; s >= 4 && (x + 1) * s <= w; x++) {       /* in fours; the last four may overlap */
		const float *v = sum + x * s;
		v4f a = v4f_load(v);
		int i = 4;
		for (; i + 4 <= s; i += 4) a += v4f_load(v + i);
		if (i < s) a += v4f_load(v + s - 4) * v4f_load(ends + (s - i));
		out[x] = (a[0] + a[2]) + (a[1] + a[3]);
	}
	for (; x < n; x++) {
		out[x] = 0;
		for (int i = x * s; i < (x + 1) * s && i < w; i++) out[x] += sum[i];
	}
}

/* Means of a row of blocks that count whole; what is not finite goes the long way. */
static void block_row(const struct planes *p, struct rect r, int s, float *sum, float *const out[3])
{
	int w = rect_w(r), n = (w + s - 1) / s;
	for (int k = 0; k < 3; k++) {
		int then = k < 2 ? r.y0 : r.y1 < p->im->view.r.y1 ? r.y1 : r.y0;
		const float *next = view_at(&p->im->view, p->ch[(k + 1) % 3], r.x0, then);
		columns(&p->im->view, p->ch[k], r.x0, w, r.y0, r.y1, next, sum);
		across(sum, w, s, n, out[k]);
	}
	for (int x = 0; x < n; x++) {
		int c = w - x * s < s ? w - x * s : s;
		float m[3] = { out[0][x], out[1][x], out[2][x] }, share = 1.0f / ((float)c * (float)rect_h(r));
		if (finite3(m))
			for (int k = 0; k < 3; k++) m[k] *= share;
		else block_mean(p, rect_of(r.x0 + x * s, r.y0, r.x0 + x * s + c, r.y1), NULL, NULL, m);
		for (int k = 0; k < 3; k++) out[k][x] = m[k];
	}
}

/* A thumbnail in the making. */
struct blocks { struct rect r; int side; struct thumb *t; float *sum; };

static void blocks_open(struct blocks *b, struct rect r, size_t budget, struct thumb *t)
{
	*b = (struct blocks){ .r = r, .side = block_side(r, budget), .t = t };
	t->w = (rect_w(r) + b->side - 1) / b->side;
	t->h = (rect_h(r) + b->side - 1) / b->side;
	for (int k = 0; k < 3; k++) t->p[k] = xalloc((size_t)t->w * (size_t)t->h, sizeof(float));
	b->sum = xalloc((size_t)rect_w(r), sizeof *b->sum);
}
/* Its row y, of the rows from that y0 on. */
static void blocks_row(const struct blocks *b, const struct planes *p, int y, int y0, int y1)
{
	float *row[3];
	for (int k = 0; k < 3; k++) row[k] = b->t->p[k] + (size_t)y * (size_t)b->t->w;
	block_row(p, rect_of(b->r.x0, y0, b->r.x1, y1), b->side, b->sum, row);
}
/* Which blocks hold a part of a title. */
static void blocks_touched(const struct blocks *b, const struct area *a, uint8_t *hit)
{
	for (int y = a->r.y0; y < a->r.y1; y++) {
		const uint8_t *row = a->skip + (size_t)(y - a->r.y0) * (size_t)rect_w(a->r);
		uint8_t *to = hit + (size_t)((y - b->r.y0) / b->side) * (size_t)b->t->w;
		if (!memchr(row, 1, (size_t)rect_w(a->r))) continue;
		for (int x = a->r.x0; x < a->r.x1; x++) to[(x - b->r.x0) / b->side] |= row[x - a->r.x0];
	}
}
/* Once more, the blocks of which a part may not count; hit: NULL for all. */
static void blocks_less(const struct blocks *b, const struct planes *p, const struct area *a,
                        const struct image *mask, const uint8_t *hit)
{
	int s = b->side;
	for (int y = 0; y < b->t->h; y++)
		for (int x = 0; x < b->t->w; x++) {
			size_t i = (size_t)y * (size_t)b->t->w + (size_t)x;
			float m[3];
			struct rect at = rect_of(b->r.x0 + x * s, b->r.y0 + y * s, b->r.x0 + (x + 1) * s, b->r.y0 + (y + 1) * s);
			if (hit && !hit[i]) continue;
			block_mean(p, rect_and(at, b->r), a, mask, m);
			for (int k = 0; k < 3; k++) b->t->p[k][i] = m[k];
		}
}

int thumb_make_in(const struct image *im, const struct area *a, const struct image *mask,
                  size_t budget, struct thumb *t, struct err *e)
{
	struct planes p;
	struct blocks b;
	memset(t, 0, sizeof *t);
	if (planes_of(im, &p, e) < 0) return -1;
	struct rect r = rect_and(im->view.r, im->fmt.data);
	if (a) r = rect_and(r, a->r);
	if (rect_empty(r)) return err_set(e, E_INPUT, "the measured picture is empty");
	blocks_open(&b, r, budget, t);
	bool part = mask || (a && a->skip);
	for (int y = 0; y < t->h && !part; y++) {
		int y0 = r.y0 + y * b.side;
		blocks_row(&b, &p, y, y0, y0 + b.side < r.y1 ? y0 + b.side : r.y1);
	}
	if (part) blocks_less(&b, &p, a, mask, NULL);
	free(b.sum);
	return 0;
}
int thumb_make(const struct image *im, size_t budget, struct thumb *t, struct err *e)
{
	return thumb_make_in(im, NULL, NULL, budget, t, e);
}
void thumb_free(struct thumb *t)
{
	for (int k = 0; k < 3; k++) free(t->p[k]);
	memset(t, 0, sizeof *t);
}

/* --- pixels --- */

/* The places of an even grid over r. */
struct grid { struct rect r; int step; struct pixels *to; };

static void reserve(struct pixels *s, size_t more)
{
	if (s->n + more <= s->cap) return;
	s->cap = s->n + more;
	for (int k = 0; k < 3; k++) s->p[k] = xrealloc(s->p[k], s->cap, sizeof(float));
}
static size_t grid_size(struct rect r, size_t budget)
{
	int step = block_side(r, budget);
	return (size_t)(rect_w(r) / step + 1) * (size_t)(rect_h(r) / step + 1);
}

static void grid_open(struct grid *g, struct rect r, size_t budget, struct pixels *to)
{
	*g = (struct grid){ r, block_side(r, budget), to };
	reserve(to, grid_size(r, budget));
}
/* Those of rows y0 to y1 that count. */
static void grid_rows(const struct grid *g, const struct planes *p, const struct area *a,
                      const struct image *mask, int y0, int y1)
{
	int first = g->r.y0 + g->step / 2, gone = y0 > first ? (y0 - first + g->step - 1) / g->step : 0;
	struct pixels *s = g->to;
	bool part = mask || (a && a->skip);
	for (int y = first + gone * g->step; y < y1; y += g->step) {
		const float *in[3];
		float *out[3];
		for (int k = 0; k < 3; k++) {
			in[k] = view_at(&p->im->view, p->ch[k], g->r.x0, y);
			out[k] = s->p[k];
		}
		size_t n = s->n;
		for (int x = g->step / 2; x < rect_w(g->r); x += g->step) {
			if (part && !counted(p->im, a, mask, g->r.x0 + x, y)) continue;
			float none = 0;
			for (int k = 0; k < 3; k++) {
				out[k][n] = in[k][x];
				none += in[k][x] - in[k][x];    /* NaN unless all are finite */
			}
			n += none == 0;
		}
		s->n = n;
	}
}

int pixels_add_in(struct pixels *s, const struct image *im, const struct area *a,
                  const struct image *mask, size_t budget, struct err *e)
{
	struct planes p;
	struct grid g;
	if (planes_of(im, &p, e) < 0) return -1;
	struct rect r = rect_and(im->view.r, im->fmt.data);
	if (a) r = rect_and(r, a->r);
	grid_open(&g, r, budget, s);
	grid_rows(&g, &p, a, mask, r.y0, r.y1);
	return 0;
}
int pixels_add(struct pixels *s, const struct image *im, size_t budget, struct err *e)
{
	return pixels_add_in(s, im, NULL, NULL, budget, e);
}
void pixels_free(struct pixels *s)
{
	for (int k = 0; k < 3; k++) free(s->p[k]);
	memset(s, 0, sizeof *s);
}

/* --- all of it --- */

/* One frame, a row of blocks after the other: what was read for the one is there for the others. */
static void sweep_frame(struct sweep *s, const struct planes *p, int i, struct marks *m)
{
	struct rect r = s->area.r;
	struct blocks b = { .side = 16 };
	struct grid g[SWEEP_GRIDS];
	int ng = 0;
	if (s->thumb_budget) blocks_open(&b, r, s->thumb_budget, &s->thumb[i]);
	for (int k = 0; k < SWEEP_GRIDS; k++) {
		if (!s->grid[k].to[i]) continue;
		s->grid[k].n[i] = s->grid[k].to[i]->n;
		grid_open(&g[ng++], r, s->grid[k].budget, s->grid[k].to[i]);
	}
	for (int y = 0, y0 = r.y0; y0 < r.y1; y++, y0 += b.side) {
		int y1 = y0 + b.side < r.y1 ? y0 + b.side : r.y1;
		if (b.t) blocks_row(&b, p, y, y0, y1);
		if (m) marks_rows(m, p, i == 0, y0, y1);
		for (int k = 0; k < ng; k++) grid_rows(&g[k], p, NULL, NULL, y0, y1);
	}
	for (int k = 0; k < SWEEP_GRIDS; k++)
		if (s->grid[k].to[i]) s->grid[k].n[i] = s->grid[k].to[i]->n - s->grid[k].n[i];
	free(b.sum);
}

/* Room for all pixels at once; frames share sets. */
static void make_room(struct sweep *s)
{
	for (int i = 0; i < s->n * SWEEP_GRIDS; i++) {
		struct pixels *to = s->grid[i % SWEEP_GRIDS].to[i / SWEEP_GRIDS];
		size_t more = 0;
		for (int j = 0; j < s->n * SWEEP_GRIDS && to; j++)
			if (s->grid[j % SWEEP_GRIDS].to[j / SWEEP_GRIDS] == to)
				more += grid_size(s->area.r, s->grid[j % SWEEP_GRIDS].budget);
		if (to) reserve(to, more);
	}
}

/* The pixels of all frames, where titles or masks leave a part out. */
static int pixels_less(struct sweep *s, size_t start[SWEEP_GRIDS][SWEEP_FRAMES], struct err *e)
{
	for (int i = 0; i < s->n; i++)
		for (int k = 0; k < SWEEP_GRIDS; k++)
			if (s->grid[k].to[i]) s->grid[k].to[i]->n = start[k][i];
	for (int i = 0; i < s->n; i++)
		for (int k = 0; k < SWEEP_GRIDS; k++) {
			struct pixels *to = s->grid[k].to[i];
			size_t was = to ? to->n : 0;
			if (to && pixels_add_in(to, s->im[i], &s->area, s->mask[i], s->grid[k].budget, e) < 0) return -1;
			s->grid[k].n[i] = to ? to->n - was : 0;
		}
	return 0;
}

/* The thumbnails' blocks with titles. */
static void thumbs_less(struct sweep *s, const struct planes *p)
{
	struct blocks b = { s->area.r, block_side(s->area.r, s->thumb_budget), &s->thumb[0], NULL };
	uint8_t *hit = xalloc((size_t)b.t->w * (size_t)b.t->h, 1);
	blocks_touched(&b, &s->area, hit);
	for (int i = 0; i < s->n; i++) {
		b.t = &s->thumb[i];
		blocks_less(&b, &p[i], &s->area, NULL, hit);
	}
	free(hit);
}

int sweep_run(struct sweep *s, struct err *e)
{
	struct planes p[SWEEP_FRAMES] = { { .im = NULL } };
	struct marks m, *marks = s->n >= 3 ? &m : NULL;
	size_t start[SWEEP_GRIDS][SWEEP_FRAMES] = { { 0 } };
	bool whole = true;
	for (int i = 0; i < s->n; i++) {
		if (planes_of(s->im[i], &p[i], e) < 0) return -1;
		whole = whole && !s->mask[i];
		for (int k = 0; k < SWEEP_GRIDS; k++) start[k][i] = s->grid[k].to[i] ? s->grid[k].to[i]->n : 0;
	}
	if (!whole || !area_open(p, s->n, s->black, &s->area)) {
		area_find(s->im, s->n, s->black, s->white, &s->area);
		for (int i = 0; i < s->n && s->thumb_budget; i++)
			if (thumb_make_in(s->im[i], &s->area, s->mask[i], s->thumb_budget, &s->thumb[i], e) < 0) return -1;
		return pixels_less(s, start, e);
	}
	make_room(s);
	if (marks) marks_open(marks, s->area.r, s->white);
	for (int i = 0; i < s->n; i++) sweep_frame(s, &p[i], i, marks);
	if (marks) marks_close(marks, p, s->n, &s->area);
	if (!s->area.skip) return 0;
	if (s->thumb_budget) thumbs_less(s, p);
	return pixels_less(s, start, e);
}
void sweep_free(struct sweep *s)
{
	area_free(&s->area);
	for (int i = 0; i < s->n; i++) thumb_free(&s->thumb[i]);
}
