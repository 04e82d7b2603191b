/* plan_cost - what a stage costs a frame, and the tiles that make it cheapest.
 *
 * Small tiles compute more border again and are more calls; large ones fall out of the second-level cache.
 * The figures are those of common x86-64 cores; they choose a shape, never a result.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "plan_int.h"
#include "stage_run.h"

/* What is alive in a tile should fit this, the smaller second-level caches;
 * beyond them lies the third level. */
#define CACHE_BYTES ((size_t)512 << 10)
/* Of a worker's scratch, as the budget counts on (render_fixed). */
#define SCRATCH_BYTES ((size_t)6 << 20)
#define NS_PER_FLOP 0.08
#define NS_PER_NEAR_BYTE 0.025
#define NS_PER_THIRD_BYTE 0.03     /* what is fetched ahead of rows in turn hardly waits for it */
#define NS_PER_LOOK_BYTE 0.01
#define NS_PER_FAR_BYTE 0.1
#define NS_PER_BROKEN_BYTE 0.06    /* of rows in parts: fetching ahead begins anew with each */
#define NS_PER_CALL 1500.0
#define NS_PER_ROW 60.0             /* loops that begin and end: short rows are dear */

static struct rect middle(struct rect d, int w, int h)
{
	int x = d.x0 + (rect_w(d) / 2 / w) * w, y = d.y0 + (rect_h(d) / 2 / h) * h;
	return rect_and(rect_of(x, y, x + w, y + h), d);
}

/* Nanoseconds an output pixel takes in tiles of this shape. */
static double price(const struct stage_job *j, int w, int h, struct stage_cost *c)
{
	struct rect r = middle(j->s->out->fmt.data, w, h);
	size_t out = rect_area(r) * (size_t)j->s->out->fmt.nch * sizeof(float);
	stage_job_cost(j, r, c);
	double near = c->live + c->band <= CACHE_BYTES ? NS_PER_NEAR_BYTE : NS_PER_THIRD_BYTE;
	/* the result is looked through once more before it goes: it should still be near then */
	double last = c->band <= CACHE_BYTES ? 0 : NS_PER_LOOK_BYTE * (double)out;
	double ns = last + c->flops * NS_PER_FLOP + c->traffic * near + (double)(c->read + out) * NS_PER_FAR_BYTE +
	            NS_PER_BROKEN_BYTE * (double)c->broken + (NS_PER_CALL * c->bands + NS_PER_ROW * rect_h(r)) * j->s->n;
	return ns / (double)rect_area(r);
}

static int tiles_of(struct rect d, int w, int h)
{ return ((rect_w(d) + w - 1) / w) * ((rect_h(d) + h - 1) / h); }

/* Enough tiles for the workers, where the picture is big enough to be worth sharing. */
static bool too_few(const struct stage_job *j, int w, int h)
{ return tiles_of(j->s->out->fmt.data, w, h) < 4 * j->p->threads && (w > 64 || h > 64); }

/* Parts of a picture's side, of whole vectors. */
static int part(int side, int parts, int unit)
{ return ((side + parts - 1) / parts + unit - 1) / unit * unit; }

/* Whole rows, or their halves or thirds, are begun and ended least often, and read and written as memory
 * likes it best: where that is cheaper, leaves enough tiles, and a worker's scratch holds it. */
static void choose_wide(const struct stage_job *j, struct stage *s, double best)
{
	struct rect d = s->out->fmt.data;
	for (int parts = 1; parts <= 3; parts++)
		for (int h = 32; h <= 256; h *= 2) {
			int w = part(rect_w(d), parts, 32);
			struct stage_cost c;
			if (w < 256 || tiles_of(d, w, h) < 4 * j->p->threads) continue;
			double ns = price(j, w, h, &c);
			if (c.scratch > SCRATCH_BYTES || ns >= best) continue;
			best = ns;
			s->tile_w = w;
			s->tile_h = h;
		}
}

/* What is left below the last whole tile is little but border: it goes to those above
 * where enough are left. */
static void take_sliver(const struct stage_job *j, struct stage *s)
{
	struct rect d = s->out->fmt.data;
	int h = part(rect_h(d), 1, 8);
	struct stage_cost c;
	if (h <= s->tile_h || h - s->tile_h > s->tile_h / 4 || tiles_of(d, s->tile_w, h) < 4 * j->p->threads) return;
	price(j, s->tile_w, h, &c);
	if (c.scratch <= SCRATCH_BYTES) s->tile_h = h;
}

static void choose(const struct stage_job *j, struct stage *s)
{
	static const int side[] = { 32, 64, 128, 256, 512 };
	double best = 0;
	for (int a = 1; a < (int)IN_COUNT(side); a++)
		for (int b = 0; b < (int)IN_COUNT(side) - 1; b++) {
			struct stage_cost c;
			if (too_few(j, side[a], side[b])) continue;
			double ns = price(j, side[a], side[b], &c);
			if (best > 0 && ns >= best) continue;
			best = ns;
			s->tile_w = side[a];
			s->tile_h = side[b];
		}
	if (best > 0 && s->n > 1) choose_wide(j, s, best);
	take_sliver(j, s);
}

/* Tiles of a stage whose border costs much: equal parts of the picture, large, but no fewer than
 * keep the workers busy, and of no more scratch than a worker has; the others' where none has so little. */
static bool choose_large(const struct stage_job *j, struct stage *s)
{
	struct rect d = s->out->fmt.data;
	double best = 0;
	if (s->n > 1 || !s->out->type->work) return false;
	/* rows of tiles wider than 512 leave the second level before the next ones read them again */
	for (int a = (rect_w(d) + 511) / 512; a <= 12 + rect_w(d) / 512; a++)
		for (int b = 1; b <= 24; b++) {
			int w = part(rect_w(d), a, 32), h = part(rect_h(d), b, 8), t = j->p->threads;
			int n = ((rect_w(d) + w - 1) / w) * ((rect_h(d) + h - 1) / h);
			struct stage_cost c;
			double ns = price(j, w, h, &c) * ((n + t - 1) / t * t) / n;
			if (c.scratch > SCRATCH_BYTES || (best > 0 && ns >= best)) continue;
			best = ns;
			s->tile_w = w;
			s->tile_h = h;
		}
	return best > 0;
}

void plan_tiles(struct plan *p, struct stage *s)
{
	struct stage_job j;
	struct stage_cost c;
	struct err e = ERR_INIT;
	struct rect d = s->out->fmt.data;
	s->tile_w = s->tile_h = p->tile ? p->tile : 128;
	if (s->kind != ST_TILES) {
		const struct net_node *nn = s->out;
		const struct format *f = s->kind == ST_SINK && nn->conn[0] ? &nn->conn[0]->fmt : &nn->fmt;
		s->flops = (nn->type->flops ? nn->type->flops(&nn->ctx) : 20) * (double)rect_area(f->data);
		for (int i = 0; i < nn->nconn; i++) if (nn->conn[i]) s->read += image_bytes(&nn->conn[i]->fmt);
		return;
	}
	/* what cannot be opened at this frame says so when it runs */
	if (rect_empty(d) || stage_job_open(&j, p, s, s->out->fmt.first, &e) < 0) return;
	if (!p->tile && !choose_large(&j, s)) choose(&j, s);
	double tiles = (double)rect_area(d) / (double)rect_area(middle(d, s->tile_w, s->tile_h));
	stage_job_cost(&j, middle(d, s->tile_w, s->tile_h), &c);
	s->scratch = c.scratch;
	s->read = (size_t)((double)c.read * tiles);
	double all = c.flops * tiles;
	stage_job_cost(&j, d, &c);
	s->flops = all;
	s->border = all > 0 ? (all - c.flops) / all : 0;
	stage_job_close(&j);
}
