/* media_rate - the rate of a stream, snapped to a standard one, and the grid of variable-rate
 * streams.
 *
 * A stream is of constant rate when no frame lies half a frame or more from its place on the
 * even grid.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_int.h"

#include <stdlib.h>

#include "mem.h"

static const struct rational standard[] = {
	{ 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 1 }, { 5, 1 }, { 6, 1 }, { 8, 1 }, { 10, 1 }, { 12000, 1001 },
	    { 12, 1 }, { 25, 2 },
	{ 15000, 1001 }, { 15, 1 }, { 16, 1 }, { 18, 1 }, { 20, 1 }, { 24000, 1001 }, { 24, 1 },
	    { 25, 1 }, { 30000, 1001 },
	{ 30, 1 }, { 32, 1 }, { 36, 1 }, { 40, 1 }, { 48000, 1001 }, { 48, 1 }, { 50, 1 },
	    { 60000, 1001 }, { 60, 1 },
	{ 72, 1 }, { 75, 1 }, { 90, 1 }, { 100, 1 }, { 120000, 1001 }, { 120, 1 }, { 144, 1 }, { 240, 1 },
};
enum { MAX_GRID = 1 << 22 };

static double distance(double a, double b)
{
	return a > b ? a / b : b / a;
}

struct rational rate_snap(double fps)
{
	struct rational best = standard[0];
	for (size_t i = 1; i < IN_COUNT(standard); i++)
		if (distance((double)standard[i].num / standard[i].den,
		             fps) < distance((double)best.num / best.den, fps))
			best = standard[i];
	return best;
}

/* A rate as written, or the standard one that it is a rounding of (23.98, 29.97). */
static struct rational tidy(struct rational r)
{
	if (r.num <= 0 || r.den <= 0) return (struct rational){ 0, 1 };
	double v = (double)r.num / r.den;
	struct rational s = rate_snap(v);
	if (distance(v, (double)s.num / s.den) < 1.0002) return s;
	int g = (int)av_gcd(r.num, r.den);
	return (struct rational){ r.num / g, r.den / g };
}

static bool even(const struct media_index *x, struct rational fps)
{
	if (fps.num <= 0) return false;
	double k = (double)x->tb.num * fps.num / ((double)x->tb.den * fps.den);
	for (int i = 0; i < x->nslot; i++) {
		double d = (double)(x->slot[i].pts - x->slot[0].pts) * k - i;
		if (d >= .5 || d <= -.5) return false;
	}
	return true;
}

/* Frames missing here and there from an even grid: every stamp stands on it, none twice. */
static bool gappy(const struct media_index *x, struct rational fps, double average)
{
	if (fps.num <= 0 || (double)fps.num / fps.den > 2 * average) return false;
	double k = (double)x->tb.num * fps.num / ((double)x->tb.den * fps.den), last = -1;
	for (int i = 0; i < x->nslot; i++) {
		double t = (double)(x->slot[i].pts - x->slot[0].pts) * k;
		double near = (double)(int64_t)(t + .5), d = t - near;
		if (d > .1 || d < -.1 || near <= last) return false;
		last = near;
	}
	return true;
}

static int64_t tick_of(const struct media_index *x, int64_t pts, struct rational fps)
{
	return av_rescale_rnd(pts - x->slot[0].pts, (int64_t)x->tb.num * fps.num,
	                      (int64_t)x->tb.den * fps.den,
	                      AV_ROUND_NEAR_INF);
}

/* Grid tick n shows the last frame whose stamp rounds to n or earlier. */
static void lay_grid(struct media *m)
{
	const struct media_index *x = &m->x;
	struct media_info *in = &m->info;
	int64_t n = tick_of(x, x->slot[x->nslot - 1].pts, in->fps) + 1;
	double end = in->duration_s * in->fps.num / in->fps.den + .5;
	if (end > (double)n && end < 2 * (double)n + 1000) n = (int64_t)end;
	if (n > MAX_GRID) n = MAX_GRID;
	if (n < 1) n = 1;
	m->grid = xalloc((size_t)n, sizeof *m->grid);
	for (int64_t i = 0, s = 0; i < n; i++) {
		while (s + 1 < x->nslot && tick_of(x, x->slot[s + 1].pts, in->fps) <= i) s++;
		m->grid[i] = (int)s;
	}
	in->frames = (int)n;
}

static void decide_even(struct media *m, struct rational fps, const char *why)
{
	struct media_info *in = &m->info;
	in->fps = m->fps_given.num > 0 ? m->fps_given : fps;
	in->frames = m->x.nslot;
	snprintf(in->fps_why, sizeof in->fps_why, "%s%s", why,
	         m->fps_given.num > 0 ? "; shown at the rate given by fps=, every frame once" : "");
}

void rate_decide(struct media *m)
{
	struct media_info *in = &m->info;
	const struct media_index *x = &m->x;
	struct rational avg = tidy(in->avg_rate), r = tidy(in->r_rate);
	in->coded = x->nslot;
	if (x->by_order) {
		decide_even(m, r.num ? r : avg, "no usable time stamps: frames in decoding order");
		return;
	}
	if (x->nslot < 2) { decide_even(m, avg.num ? avg : r, "one frame"); return; }
	if (even(x, avg)) { decide_even(m, avg, "constant rate"); return; }
	if (even(x, r)) { decide_even(m, r, "constant rate"); return; }
	double span = (double)(x->slot[x->nslot - 1].pts - x->slot[0].pts) * x->tb.num / x->tb.den;
	double fps = span > 0 ? (x->nslot - 1) / span : 25;
	struct rational s = rate_snap(fps);
	if (even(x, s)) { decide_even(m, s, "constant rate, measured from the time stamps"); return; }
	in->vfr = true;
	bool gaps = gappy(x, r, fps);
	if (gaps) s = r;
	in->fps = m->fps_given.num > 0 ? m->fps_given : s;
	snprintf(in->fps_why, sizeof in->fps_why,
	         "variable rate, %.3f on average; on an even grid of %s", fps,
	         m->fps_given.num > 0 ? "fps=" : gaps ? "the rate on which every frame stands"
	         : "the nearest standard rate");
	lay_grid(m);
}

int rate_slot(const struct media *m, int n)
{
	return m->grid ? m->grid[n] : n;
}
