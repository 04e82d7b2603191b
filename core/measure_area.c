/* measure_area - what of a shot tells about its colours: without black borders and burnt-in titles.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure_int.h"
#include "mem.h"
#include "px_math.h"
#include "px_vec.h"

enum { SPREAD = 2 };                    /* pixels around a letter that carry its edge */
#define TITLE_MOST 0.15                 /* of the picture; more is no title */
#define STILL 0.02                      /* what a codec moves a still value */

int planes_of(const struct image *im, struct planes *p, struct err *e)
{
	static const char *const names[3] = { "R", "G", "B" };
	p->im = im;
	for (int k = 0; k < 3; k++) {
		p->ch[k] = format_channel(&im->fmt, names[k]);
		if (p->ch[k] < 0) return err_set(e, E_SCENE, "the measured picture has no channel %s", names[k]);
	}
	return 0;
}

static float at(const struct planes *p, int k, int x, int y)
{ return *view_at(&p->im->view, p->ch[k], x, y); }

/* No channel of n places from (x, y) on is above black. */
static bool run_black(const struct planes *p, int x, int y, int n, double black)
{
	pxv most = pxv_of(-1e30f);
	float top = -1e30f;
	for (int k = 0; k < 3; k++) {
		const float *v = view_at(&p->im->view, p->ch[k], x, y);
		int i = 0;
		for (; i + PXV_LANES <= n; i += PXV_LANES) most = pxv_max(pxv_load(v + i), most);
		for (; i < n; i++) top = px_max(v[i], top);
	}
	for (int i = 0; i < PXV_LANES; i++) top = px_max(((const float *)&most)[i], top);
	return top <= black;
}
static bool row_black(const struct planes *p, int n, struct rect r, int y, double black)
{
	for (int i = 0; i < n; i++)
		for (int x = r.x0; x < r.x1; x += 256)
			if (!run_black(&p[i], x, y, r.x1 - x < 256 ? r.x1 - x : 256, black)) return false;
	return true;
}
static bool column_black(const struct planes *p, int n, struct rect r, int x, double black)
{
	for (int i = 0; i < n; i++)
		for (int y = r.y0; y < r.y1; y++)
			for (int k = 0; k < 3; k++)
				if (at(&p[i], k, x, y) > black) return false;
	return true;
}

static void find_borders(const struct planes *p, int n, double black, struct area *a)
{
	struct rect r = a->r;
	int w = rect_w(r) / 3, h = rect_h(r) / 3;
	while (a->r.y0 < r.y0 + h && row_black(p, n, r, a->r.y0, black)) a->r.y0++;
	while (a->r.y1 > r.y1 - h && row_black(p, n, r, a->r.y1 - 1, black)) a->r.y1--;
	while (a->r.x0 < r.x0 + w && column_black(p, n, a->r, a->r.x0, black)) a->r.x0++;
	while (a->r.x1 > r.x1 - w && column_black(p, n, a->r, a->r.x1 - 1, black)) a->r.x1--;
	a->borders = memcmp(&a->r, &r, sizeof r) != 0;
}

void marks_open(struct marks *m, struct rect r, double white)
{
	*m = (struct marks){ .r = r, .white = (float)white, .words = (rect_w(r) + 15) / 16 };
	m->at = xalloc((size_t)m->words * (size_t)rect_h(r), sizeof *m->at);
	m->row = xalloc((size_t)rect_h(r), sizeof *m->row);
}

/* Which of n places, 16 at most, are white in every channel. */
static unsigned white_bits(const float *const v[3], int x, int n, float white)
{
	unsigned bits = 0;
	if (n == 16) {
		pxv most = pxv_load(v[1] + x);
		for (int i = PXV_LANES; i < 16; i += PXV_LANES) most = pxv_max(pxv_load(v[1] + x + i), most);
		if (!pxv_bits_le(pxv_of(white), most)) return 0;
		for (int i = 0; i < 16; i += PXV_LANES) {
			pxv lo = pxv_min(pxv_load(v[0] + x + i), pxv_load(v[1] + x + i));
			bits |= pxv_bits_le(pxv_of(white), pxv_min(lo, pxv_load(v[2] + x + i))) << i;
		}
		return bits;
	}
	for (int i = 0; i < n; i++)
		bits |= (unsigned)(px_min(px_min(v[0][x + i], v[1][x + i]), v[2][x + i]) >= white) << i;
	return bits;
}

void marks_rows(struct marks *m, const struct planes *p, bool first, int y0, int y1)
{
	int w = rect_w(m->r);
	for (int y = y0; y < y1; y++) {
		struct run *row = &m->row[y - m->r.y0], is = { (int16_t)m->words, 0 };
		uint16_t *at = m->at + (size_t)(y - m->r.y0) * (size_t)m->words;
		const float *v[3];
		if (!first && row->from >= row->to) continue;
		for (int k = 0; k < 3; k++) v[k] = view_at(&p->im->view, p->ch[k], m->r.x0, y);
		for (int i = first ? 0 : row->from, end = first ? m->words : row->to; i < end; i++) {
			if (!first && !at[i]) continue;
			unsigned bits = white_bits(v, 16 * i, w - 16 * i < 16 ? w - 16 * i : 16, m->white);
			if (!first) bits &= at[i];
			if (bits || !first) at[i] = (uint16_t)bits;
			if (!bits) continue;
			if (is.from > i) is.from = (int16_t)i;
			is.to = (int16_t)(i + 1);
		}
		m->rows += (is.from < is.to) - (row->from < row->to);
		*row = is;
	}
}

/* By how much a channel of one place moves at most. */
static float movement(const struct planes *p, int n, int x, int y)
{
	float most = 0;
	for (int k = 0; k < 3; k++) {
		float lo = 1e30f, hi = -1e30f;
		for (int s = 0; s < n; s++) {
			float v = at(&p[s], k, x, y);
			lo = px_min(lo, v);
			hi = px_max(hi, v);
		}
		most = px_max(most, hi - lo);
	}
	return most;
}

/* How many of w places of a row move. */
static size_t moving(const struct planes *p, int n, int x, int y, int w)
{
	pxv count = pxv_of(0), one = pxv_of(1), none = pxv_of(0), far = pxv_of(3 * (float)STILL);
	size_t sum = 0;
	int i = 0;
	for (; i + PXV_LANES <= w; i += PXV_LANES) {
		pxv most = pxv_of(0);
		for (int k = 0; k < 3; k++) {
			pxv lo = pxv_of(1e30f), hi = pxv_of(-1e30f);
			for (int s = 0; s < n; s++) {
				pxv v = pxv_load(view_at(&p[s].im->view, p[s].ch[k], x + i, y));
				lo = pxv_min(lo, v);
				hi = pxv_max(hi, v);
			}
			most = pxv_max(most, hi - lo);
		}
		count += pxv_lt(far, most, one, none);
	}
	for (int k = 0; k < PXV_LANES; k++) sum += (size_t)((const float *)&count)[k];
	for (; i < w; i++) sum += movement(p, n, x + i, y) > 3 * (float)STILL;
	return sum;
}

/* Letters: marked and still. Returns how many. */
static size_t keep_still(struct marks *m, const struct planes *p, int n)
{
	size_t letters = 0;
	for (int y = 0; y < rect_h(m->r); y++)
		for (int i = 0; i < m->words && m->row[y].from < m->row[y].to; i++) {
			uint16_t *at = &m->at[(size_t)y * (size_t)m->words + (size_t)i];
			for (int b = 0; *at >> b; b++) {
				if (!(*at >> b & 1)) continue;
				if (movement(p, n, m->r.x0 + 16 * i + b, m->r.y0 + y) <= (float)STILL) letters++;
				else *at = (uint16_t)(*at & ~(1u << b));
			}
		}
	return letters;
}

/* Every eighth row tells whether most of the picture moves. */
static bool mostly_moves(const struct planes *p, int n, struct rect r)
{
	size_t moves = 0, seen = 0;
	for (int y = r.y0 + 1; y < r.y1; y += 8) {
		moves += moving(p, n, r.x0, y, rect_w(r));
		seen += (size_t)rect_w(r);
	}
	return moves * 2 > seen;
}

/* A letter and the pixels around it. */
static void skip_about(struct area *a, int x, int y)
{
	int w = rect_w(a->r), h = rect_h(a->r);
	for (int j = y < SPREAD ? 0 : y - SPREAD; j <= y + SPREAD && j < h; j++)
		for (int i = x < SPREAD ? 0 : x - SPREAD; i <= x + SPREAD && i < w; i++)
			a->skip[(size_t)j * (size_t)w + (size_t)i] = 1;
}
static void skip_letters(const struct marks *m, struct area *a)
{
	size_t area = rect_area(m->r), skipped = 0;
	a->skip = xalloc(area, 1);
	for (int y = 0; y < rect_h(m->r); y++)
		for (int i = 0; i < m->words && m->row[y].from < m->row[y].to; i++) {
			unsigned bits = m->at[(size_t)y * (size_t)m->words + (size_t)i];
			for (int b = 0; bits >> b; b++)
				if (bits >> b & 1) skip_about(a, 16 * i + b, y);
		}
	for (size_t i = 0; i < area; i++) skipped += a->skip[i];
	a->titles = (double)skipped / (double)area;
}

void marks_close(struct marks *m, const struct planes *p, int n, struct area *a)
{
	size_t letters = m->rows ? keep_still(m, p, n) : 0;
	if (letters && (double)letters < TITLE_MOST * (double)rect_area(m->r) && mostly_moves(p, n, m->r))
		skip_letters(m, a);
	free(m->at);
	free(m->row);
	*m = (struct marks){ .rows = 0 };
}

bool area_open(const struct planes *p, int n, double black, struct area *a)
{
	*a = (struct area){ .r = n ? rect_and(p[0].im->view.r, p[0].im->fmt.data) : rect_of(0, 0, 0, 0) };
	for (int i = 1; i < n; i++)
		if (!rect_eq(rect_and(p[i].im->view.r, p[i].im->fmt.data), a->r)) return false;
	if (!n || rect_empty(a->r)) return false;
	find_borders(p, n, black, a);
	return true;
}

void area_find(const struct image *const *im, int n, double black, double white, struct area *a)
{
	struct planes *p = xalloc((size_t)n + 1, sizeof *p);
	struct err e = ERR_INIT;
	struct marks m;
	bool fine = true;
	*a = (struct area){ .r = n ? rect_and(im[0]->view.r, im[0]->fmt.data) : rect_of(0, 0, 0, 0) };
	for (int i = 0; i < n; i++) fine = fine && planes_of(im[i], &p[i], &e) == 0;
	if (fine && area_open(p, n, black, a) && n >= 3) {
		marks_open(&m, a->r, white);
		for (int i = 0; i < n; i++) marks_rows(&m, &p[i], i == 0, a->r.y0, a->r.y1);
		marks_close(&m, p, n, a);
	}
	free(p);
}
void area_free(struct area *a)
{
	free(a->skip);
	a->skip = NULL;
}
void area_note(const struct area *a, char *note, size_t n)
{
	size_t len = strlen(note);
	if (a->borders) snprintf(note + len, n - len, ", borders left out");
	len = strlen(note);
	if (a->skip) snprintf(note + len, n - len, ", %.1f %% of titles left out", 100 * a->titles);
}
