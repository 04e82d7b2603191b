/* Unit tests of the one pass over a shot's frames: it gives what area_find, thumb_make_in and pixels_add_in give one by one.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include <math.h>

#include "measure.h"

enum { FRAMES = 4, THUMB = 2000, GRID = 3000 };
#define BLACK 0.09
#define WHITE 0.5

struct material { const char *name; int w, h; bool bars, title, holes, mask; };

/* A picture that moves by 9 pixels a frame. */
static struct image *frame(const struct material *m, int i)
{
	struct format f = nc_format(m->w, m->h, "R G B", "acescct");
	struct image *im = nc_image(&f);
	for (int y = 0; y < m->h; y++)
		for (int x = 0; x < m->w; x++)
			for (int k = 0; k < 3; k++) {
				float v = 0.2f + 0.3f * nc_rand((unsigned)(x + 9 * i), (unsigned)y, (unsigned)k);
				if (m->bars && (y < m->h / 8 || y >= m->h - m->h / 8)) v = 0.0729f;
				if (m->title && y >= m->h * 3 / 4 && y < m->h * 3 / 4 + 5 && x > m->w / 4 && x < m->w / 2) v = 0.55f;
				if (m->holes && (x * 7 + y * 13 + i) % 101 == 0) v = k == 1 ? NAN : INFINITY;
				*view_at(&im->view, k, x, y) = v;
			}
	return im;
}

static struct image *half_mask(const struct material *m)
{
	struct format f = nc_format(m->w, m->h, "A", "acescct");
	struct image *im = nc_image(&f);
	for (int y = 0; y < m->h; y++)
		for (int x = 0; x < m->w; x++) *view_at(&im->view, 0, x, y) = x * 3 < m->w * 2 ? 1.0f : 0.0f;
	return im;
}

/* Sums may run in another order: rounding. */
static bool same_thumb(const struct thumb *a, const struct thumb *b)
{
	if (a->w != b->w || a->h != b->h) return false;
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < a->w * a->h; i++) {
			float d = a->p[k][i] - b->p[k][i];
			if (!(d <= 1e-6f && d >= -1e-6f)) return false;
		}
	return true;
}

static bool same_pixels(const struct pixels *a, const struct pixels *b)
{
	bool same = a->n == b->n && a->n > 0;
	for (int k = 0; k < 3 && same; k++) same = memcmp(a->p[k], b->p[k], sizeof(float) * a->n) == 0;
	return same;
}

static bool same_area(const struct area *a, const struct area *b)
{
	size_t n = (size_t)rect_w(a->r) * (size_t)rect_h(a->r);
	if (memcmp(&a->r, &b->r, sizeof a->r) != 0 || a->borders != b->borders || !a->skip != !b->skip) return false;
	return a->titles == b->titles && (!a->skip || memcmp(a->skip, b->skip, n) == 0);
}

static void check(const struct material *m)
{
	struct image *im[FRAMES], *mask = m->mask ? half_mask(m) : NULL;
	struct pixels got[FRAMES] = { { 0 } };
	struct sweep s = { .n = FRAMES, .black = BLACK, .white = WHITE, .thumb_budget = THUMB };
	struct err e = ERR_INIT;
	struct area a;
	bool thumbs = true, pixels = true, counts = true;
	s.grid[0].budget = GRID;
	for (int i = 0; i < FRAMES; i++) {
		s.im[i] = im[i] = frame(m, i);
		s.mask[i] = mask;
		s.grid[0].to[i] = &got[i];
	}
	int rc = sweep_run(&s, &e);
	area_find((const struct image *const *)im, FRAMES, BLACK, WHITE, &a);
	for (int i = 0; rc == 0 && i < FRAMES; i++) {
		struct thumb t = { 0 };
		struct pixels p = { 0 };
		thumb_make_in(im[i], &a, mask, THUMB, &t, &e);
		pixels_add_in(&p, im[i], &a, mask, GRID, &e);
		thumbs = thumbs && same_thumb(&t, &s.thumb[i]);
		pixels = pixels && same_pixels(&p, &got[i]);
		counts = counts && s.grid[0].n[i] == got[i].n;
		thumb_free(&t);
		pixels_free(&p);
	}
	test_ok(rc == 0 && same_area(&a, &s.area), "%s: borders (%d) and titles (%.2f %%) as area_find has them", m->name, a.borders,
	        100 * a.titles);
	test_ok(rc == 0 && thumbs, "%s: thumbnails as thumb_make_in makes them", m->name);
	test_ok(rc == 0 && pixels && counts, "%s: %zu pixels as pixels_add_in takes them", m->name, got[0].n);
	test_ok(m->title == (a.titles > 0) && m->bars == a.borders, "%s: what is there is found", m->name);
	sweep_free(&s);
	area_free(&a);
	for (int i = 0; i < FRAMES; i++) { image_unref(&im[i]); pixels_free(&got[i]); }
	image_unref(&mask);
}

int main(void)
{
	static const struct material all[] = {
		{ "a plain shot", 517, 303, false, false, false, false },
		{ "black bars", 640, 360, true, false, false, false },
		{ "bars and a title", 517, 300, true, true, false, false },
		{ "holes", 321, 203, false, false, true, false },
		{ "a mask over bars and a title", 512, 304, true, true, false, true },
		{ "a small shot", 33, 17, false, false, false, false },
	};
	for (size_t i = 0; i < IN_COUNT(all); i++) check(&all[i]);
	TEST_END();
}
