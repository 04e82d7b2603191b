/* measure_area - what of a shot tells about its colours: without black borders and burnt-in titles.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "mem.h"
#include "px_math.h"
#include "px_vec.h"

enum { SPREAD = 2 };                    /* pixels around a letter that carry its edge */
#define TITLE_MOST 0.15                 /* of the picture; more is no title */
#define STILL 0.02                      /* what a codec moves a still value */

struct planes { const struct image *im; int ch[3]; };

static float at(const struct planes *p, int k, int x, int y)
{ return *view_at(&p->im->view, p->ch[k], x, y); }

static bool row_black(const struct planes *p, int n, struct rect r, int y, double black)
{
	for (int i = 0; i < n; i++)
		for (int x = r.x0; x < r.x1; x++)
			for (int k = 0; k < 3; k++)
				if (at(&p[i], k, x, y) > black) return false;
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

struct row { float *least, *move; size_t moving, letters; };

/* The least value of a pixel over all samples, and by how much a channel moves at most: w pixels
 * from x on, and how many of them move, or stand still in white. */
static void history(const struct planes *p, int n, int x, int y, int w, float white, struct row *r)
{
	const float still = (float)STILL, moves = (float)(3 * STILL);
	pxv moving = pxv_of(0), letters = pxv_of(0), one = pxv_of(1), none = pxv_of(0);
	float *least = r->least, *move = r->move;
	int i = 0;
	r->moving = r->letters = 0;
	for (; i + PXV_LANES <= w; i += PXV_LANES) {
		pxv small = pxv_of(1e30f), most = pxv_of(0);
		for (int k = 0; k < 3; k++) {
			pxv lo = pxv_of(1e30f), hi = pxv_of(-1e30f);
			for (int s = 0; s < n; s++) {
				pxv v = pxv_load(view_at(&p[s].im->view, p[s].ch[k], x + i, y));
				lo = pxv_min(lo, v);
				hi = pxv_max(hi, v);
			}
			most = pxv_max(most, hi - lo);
			small = pxv_min(small, lo);
		}
		pxv_store(least + i, small);
		pxv_store(move + i, most);
		moving += pxv_lt(pxv_of(moves), most, one, none);
		letters += pxv_le(pxv_of(white), small, pxv_le(most, pxv_of(still), one, none), none);
	}
	for (int k = 0; k < PXV_LANES; k++) {
		r->moving += (size_t)((const float *)&moving)[k];
		r->letters += (size_t)((const float *)&letters)[k];
	}
	for (; i < w; i++) {
		least[i] = 1e30f;
		move[i] = 0;
		for (int k = 0; k < 3; k++) {
			float lo = 1e30f, hi = -1e30f;
			for (int s = 0; s < n; s++) {
				float v = at(&p[s], k, x + i, y);
				lo = px_min(lo, v);
				hi = px_max(hi, v);
			}
			move[i] = px_max(move[i], hi - lo);
			least[i] = px_min(least[i], lo);
		}
		r->moving += move[i] > moves;
		r->letters += least[i] >= white && move[i] <= still;
	}
}

static void find_titles(const struct planes *p, int n, double white, struct area *a)
{
	int w = rect_w(a->r), h = rect_h(a->r);
	size_t area = (size_t)w * (size_t)h, letters = 0, moving = 0, skipped = 0;
	uint8_t *mark = xalloc(area, 1);
	float *rows = xalloc(2 * (size_t)w + 1, sizeof *rows);
	struct row row = { .least = rows, .move = rows + w };
	for (int y = 0; y < h; y++) {
		uint8_t *m = mark + (size_t)y * (size_t)w;
		history(p, n, a->r.x0, a->r.y0 + y, w, (float)white, &row);
		for (int x = 0; x < w && row.letters; x++)
			m[x] = row.least[x] >= (float)white && row.move[x] <= (float)STILL;
		moving += row.moving;
		letters += row.letters;
	}
	if (letters && moving * 2 > area && (double)letters < TITLE_MOST * (double)area) {
		a->skip = xalloc(area, 1);
		for (int y = 0; y < h; y++)
			for (int x = 0; x < w; x++) {
				if (!mark[(size_t)y * (size_t)w + (size_t)x]) continue;
				for (int j = y < SPREAD ? 0 : y - SPREAD; j <= y + SPREAD && j < h; j++)
					for (int i = x < SPREAD ? 0 : x - SPREAD; i <= x + SPREAD && i < w; i++)
						a->skip[(size_t)j * (size_t)w + (size_t)i] = 1;
			}
		for (size_t i = 0; i < area; i++) skipped += a->skip[i];
		a->titles = (double)skipped / (double)area;
	}
	free(rows);
	free(mark);
}

void area_find(const struct image *const *im, int n, double black, double white, struct area *a)
{
	struct planes *p = xalloc((size_t)n + 1, sizeof *p);
	static const char *const names[3] = { "R", "G", "B" };
	bool fine = n > 0;
	*a = (struct area){ .r = n ? rect_and(im[0]->view.r, im[0]->fmt.data) : rect_of(0, 0, 0, 0) };
	for (int i = 0; i < n; i++) {
		p[i].im = im[i];
		for (int k = 0; k < 3; k++) fine = fine && (p[i].ch[k] = format_channel(&im[i]->fmt, names[k])) >= 0;
		fine = fine && rect_eq(rect_and(im[i]->view.r, im[i]->fmt.data), a->r);
	}
	if (fine && !rect_empty(a->r)) {
		find_borders(p, n, black, a);
		if (n >= 3) find_titles(p, n, white, a);
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
