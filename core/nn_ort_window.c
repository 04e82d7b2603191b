/* nn_ort_window - a picture in windows that overlap, and the memory that they take.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_ort_int.h"

#include <stdlib.h>
#include <string.h>

#include "nn_int.h"

/* SLACK: beyond what was learnt; TILE: a window's side where overlap is given. */
#define SLACK ((size_t)256 << 20)
enum { TILE = 512 };

/* A window's size, and by how much the next one's picture goes on. */
struct grid { int w, h, across, down; };

static int up(int v, int to) { return (v + to - 1) / to * to; }
static int smaller(int a, int b) { return a < b ? a : b; }

static struct grid grid_of(const struct nn_ort_facts *f, struct rect in, int overlap)
{
	int lost = 2 * up(overlap + nn_ort_border(f), f->align), side = up(lost * 2 > TILE ? lost * 2
	                                                                   : TILE, f->align);
	struct grid g = { f->w, f->h, f->w - lost, f->h - lost };
	if (!f->w) {
		bool cut = overlap > 0;
		g = (struct grid){ cut ? smaller(side, rect_w(in)) : rect_w(in), cut ? smaller(side, rect_h(in))
			: rect_h(in),
			side - lost, side - lost };
	}
	if (g.w >= rect_w(in)) g.across = rect_w(in);
	if (g.h >= rect_h(in)) g.down = rect_h(in);
	return g;
}

int nn_ort_fits(const struct nn_ort_facts *f, const char *path, struct rect in, int overlap,
                struct err *e)
{
	struct grid g = grid_of(f, in, overlap);
	if (!f->w || (rect_w(in) <= f->w && rect_h(in) <= f->h)) return 0;
	if (overlap <= 0)
		return err_set(e, E_SCENE, "%s takes pictures of %d x %d pixels only: say overlap=, the pixels "
		               "by which such windows "
		               "overlap", path, f->w, f->h);
	return g.across > 0 && g.down > 0 ? 0 :
		err_set(e, E_SCENE, "overlap=\"%d\" leaves nothing of the %d x %d pixels that %s takes", overlap,
		        f->w, f->h, path);
}

size_t nn_ort_bytes(const struct nn_ort_facts *f, struct rect in, int overlap)
{
	struct grid g = grid_of(f, in, overlap);
	double n = (double)g.w * g.h;
	return (size_t)((f->fixed + f->pixel * n + f->square * n * n) * 1.1) + ((size_t)1 << 20);
}

/* The picture under w, held beyond its edges. */
static void *gather(const struct nn_ort *o, const struct view *in, struct rect w)
{
	float *p = malloc((size_t)o->f.cin * rect_area(w) * sizeof *p + 64), *at = p;
	uint16_t *half = (uint16_t *)(void *)p;
	for (int c = 0; p && c < o->f.cin; c++)
		for (int y = w.y0; y < w.y1; y++) {
			int row = y < in->r.y0 ? in->r.y0 : y >= in->r.y1 ? in->r.y1 - 1 : y;
			const float *s = view_at(in, c, in->r.x0, row);
			for (int x = w.x0; x < w.x1; x++) {
				float v = s[(x < in->r.x0 ? in->r.x0 : x >= in->r.x1 ? in->r.x1 - 1 : x) - in->r.x0];
				if (o->half_in) *half++ = nn_to_half(v);
				else *at++ = v;
			}
		}
	return p;
}

/* What it made over w, as far as keep goes. */
static void scatter(const struct nn_ort *o, const void *from, struct rect w, struct rect keep,
                    const struct view *out)
{
	keep = rect_and(keep, out->r);
	for (int c = 0; c < o->f.cout && !rect_empty(keep); c++)
		for (int y = keep.y0; y < keep.y1; y++) {
			float *to = view_at(out, c, keep.x0, y);
			size_t i = ((size_t)c * (size_t)rect_h(w) + (size_t)(y - w.y0)) * (size_t)rect_w(w) + (size_t)(keep.x0 - w.x0);
			if (!o->half_out) memcpy(to, (const float *)from + i, (size_t)rect_w(keep) * sizeof *to);
			else for (int x = 0; x < rect_w(keep); x++) to[x] =
				nn_half(((const uint16_t *)from)[i + (size_t)x]);
		}
}

static int window(const struct nn_ort *o, struct rect w, struct rect keep, const struct view *in,
                  const struct view *out,
                  struct meter *m, struct err *e)
{
	const struct nn_blob b = { .c = o->f.cout, .num = o->f.num, .den = o->f.den, .lead = o->f.lead,
		.trail = o->f.trail };
	const struct nn_blob all = { .c = o->f.cout, .num = o->f.num, .den = o->f.den };
	struct rect large = nn_window(&b, w);
	struct ort_value *v = NULL;
	void *p = gather(o, in, w), *data = NULL;
	int64_t dim[4];
	int rc = p ? nn_ort_picture(o, p, rect_w(w), rect_h(w), m, &v, dim, e) : err_set(e, E_MEMORY,
		"no memory for a network's input");
	if (rc == 0 && (dim[1] != b.c || dim[2] != rect_h(large) || dim[3] != rect_w(large) ||
	                !nn_ort_ok(nn_ort_calls.value_data(v, &data))))
		rc = err_set(e, E_INPUT, "%s: makes %lld x %lld pixels of %d x %d, where %d x %d are due",
		             o->path, (long long)dim[3],
		             (long long)dim[2], rect_w(w), rect_h(w), rect_w(large), rect_h(large));
	if (rc == 0) scatter(o, data, large, rect_and(nn_window(&all, keep), large), out);
	if (v) nn_ort_calls.value_free(v);
	free(p);
	return rc;
}

/* Where a window of n pixels stands whose own part begins at v. */
static int place(int v, int n, int overlap, int from, int to)
{
	int at = v - overlap;
	if (at + n > to) at = to - n;
	return at < from ? from : at;
}

int nn_ort_run(const struct nn_ort *o, int overlap, const struct view *in, const struct view *out,
               const atomic_int *cancel, struct err *e)
{
	const struct rect r = in->r;
	struct grid g = grid_of(&o->f, r, overlap);
	struct meter m = { .most = 2 * nn_ort_bytes(&o->f, r, overlap) + SLACK,
		.keep = nn_ort_bytes(&o->f, r, overlap), .cancel = cancel };
	int lost = up(overlap + nn_ort_border(&o->f), o->f.align);
	for (int y = r.y0; y < r.y1; y += g.down)
		for (int x = r.x0; x < r.x1; x += g.across) {
			int x0 = place(x, g.w, lost, r.x0, r.x1), y0 = place(y, g.h, lost, r.y0, r.y1);
			struct rect keep = rect_and(rect_of(x, y, x + g.across, y + g.down), r);
			m.now = 0;
			if (window(o, rect_of(x0, y0, x0 + g.w, y0 + g.h), keep, in, out, &m, e) < 0) return -1;
		}
	return 0;
}
