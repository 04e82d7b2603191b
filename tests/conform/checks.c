/* checks - a node against its declaration: tiles, reads, writes, identity.
 * Inputs outside the declared need are poison; every output tile stands in a frame of sentinels.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "conform.h"
#include "rng.h"

static float from_bits(uint32_t u) { float f; memcpy(&f, &u, 4); return f; }
static uint32_t to_bits(float f) { uint32_t u; memcpy(&u, &f, 4); return u; }

#define SENTINEL 0x7fc0deadu
#define POISON   0x7fa0bad0u

/* Random value of one sample; specials mixes in NaN, infinities, huge and tiny numbers. */
static float sample(uint32_t seed, int conn, int c, int x, int y, int frame, bool specials)
{
	struct philox p = philox4x32((uint32_t)x, (uint32_t)y, (uint32_t)(conn * 64 + c), (uint32_t)frame, seed, 99);
	static const uint32_t odd[] = { 0x7fc00000, 0x7f800000, 0xff800000, 0x7f7fffff, 0x00000001, 0x80000000, 0xc0000000 };
	if (specials && p.c[1] % 11 == 0) return from_bits(odd[p.c[2] % 7]);
	float u = (float)(p.c[0] >> 8) * 0x1p-24f;
	return p.c[3] % 9 == 0 ? u * 6 - 2 : u;
}

/* A view of exactly rect r of input conn; the floats around it are poison. */
struct feed { float *mem; struct view view; };

static void feed_make(struct feed *f, const struct net_node *src, int conn, int frame, struct rect r, uint32_t seed, bool specials)
{
	int pad = 9, w = rect_w(r) + 2 * pad, h = rect_h(r) + 2 * pad;
	size_t plane = (size_t)w * (size_t)h;
	f->mem = malloc(plane * (size_t)src->fmt.nch * sizeof(float));
	for (size_t i = 0; i < plane * (size_t)src->fmt.nch; i++) f->mem[i] = from_bits(POISON);
	f->view.r = r;
	f->view.stride = w;
	f->view.nch = src->fmt.nch;
	for (int c = 0; c < src->fmt.nch; c++) {
		f->view.plane[c] = f->mem + plane * (size_t)c + (size_t)pad * (size_t)w + (size_t)pad;
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++) *view_at(&f->view, c, x, y) = sample(seed, conn, c, x, y, frame, specials);
	}
}

struct output { float *mem; struct view view; size_t n; int pad; };

static void output_make(struct output *o, const struct net_node *nn, struct rect r)
{
	o->pad = 8;
	int w = rect_w(r) + 2 * o->pad, h = rect_h(r) + 2 * o->pad;
	size_t plane = (size_t)w * (size_t)h;
	o->n = plane * (size_t)nn->fmt.nch;
	o->mem = malloc(o->n * sizeof(float));
	for (size_t i = 0; i < o->n; i++) o->mem[i] = from_bits(SENTINEL);
	o->view.r = r;
	o->view.stride = w;
	o->view.nch = nn->fmt.nch;
	for (int c = 0; c < nn->fmt.nch; c++)
		o->view.plane[c] = o->mem + plane * (size_t)c + (size_t)o->pad * (size_t)w + (size_t)o->pad;
}

/* Sentinels inside the rect: not written; others gone: written outside. */
static const char *output_check(const struct output *o)
{
	size_t inside = 0, left = 0;
	for (int c = 0; c < o->view.nch; c++)
		for (int y = o->view.r.y0; y < o->view.r.y1; y++)
			for (int x = o->view.r.x0; x < o->view.r.x1; x++) inside += to_bits(*view_at(&o->view, c, x, y)) == SENTINEL;
	if (inside) return "leaves pixels of its tile unwritten";
	for (size_t i = 0; i < o->n; i++) left += to_bits(o->mem[i]) == SENTINEL;
	size_t want = o->n - (size_t)o->view.nch * rect_area(o->view.r);
	return left == want ? NULL : "writes outside its tile";
}

/* place: the connection in whose planes the output lies, or -1. */
struct site {
	struct rig *r; struct node_ctx ctx; struct node_common common; int frame; uint32_t seed; bool specials;
	int place;
};

/* The output holds the input, and is it. */
static void lie_in(struct view *in, const struct view *out)
{
	for (int c = 0; c < out->nch; c++)
		for (int y = out->r.y0; y < out->r.y1; y++)
			memcpy(view_at(out, c, out->r.x0, y), view_at(in, c, out->r.x0, y), (size_t)rect_w(out->r) * sizeof(float));
	*in = *out;
}

/* Runs rect r; the result is copied into whole (a view of the node's data window). */
static const char *run_rect(const struct site *s, struct rect r, const struct view *whole)
{
	const struct net_node *nn = s->r->nn;
	struct needs *nd = calloc(1, sizeof *nd);
	struct feed *feed = calloc(NODE_MAX_NEEDS, sizeof *feed);
	struct view *in = calloc(NODE_MAX_NEEDS, sizeof *in);
	struct output out;
	struct err e = ERR_INIT;
	const char *bad = NULL;
	net_needs(nn, &s->ctx, s->frame, r, nd);
	for (int i = 0; i < nd->n; i++) {
		const struct net_node *src = nn->conn[nd->v[i].conn];
		if (!src || rect_empty(nd->v[i].rect)) continue;
		feed_make(&feed[i], src, nd->v[i].conn, nd->v[i].frame, nd->v[i].rect, s->seed, s->specials);
		in[i] = feed[i].view;
	}
	output_make(&out, nn, r);
	for (int i = 0; i < nd->n - nd->ncore; i++)
		if (nd->v[i].conn == s->place && rect_eq(nd->v[i].rect, r)) lie_in(&in[i], &out.view);
	size_t bytes = net_scratch(nn, &s->ctx, r);
	char *scratch = aligned_alloc(64, ((bytes + 63) & ~(size_t)63) + 64);
	memset(scratch, 0x7f, bytes);
	memset(scratch + bytes, 0x5a, 64);
	if (net_run(nn, &s->ctx, &s->common, s->frame, nd, in, &out.view, scratch, NULL, &e) < 0) bad = "fails";
	for (int i = 0; i < 64 && !bad; i++) if (scratch[bytes + (size_t)i] != 0x5a) bad = "writes beyond its scratch";
	if (!bad) bad = output_check(&out);
	view_canon_nan(&out.view, r);
	for (int c = 0; c < nn->fmt.nch && !bad; c++)
		for (int y = r.y0; y < r.y1; y++)
			memcpy(view_at(whole, c, r.x0, y), view_at(&out.view, c, r.x0, y), (size_t)rect_w(r) * sizeof(float));
	for (int i = 0; i < NODE_MAX_NEEDS; i++) free(feed[i].mem);
	free(feed);
	free(in);
	free(nd);
	free(out.mem);
	free(scratch);
	return bad;
}

static const char *run_tiles(const struct site *s, int t, int order, const struct view *whole)
{
	struct rect d = s->r->nn->fmt.data;
	int nx = (rect_w(d) + t - 1) / t, n = nx * ((rect_h(d) + t - 1) / t);
	const char *bad = NULL;
	for (int k = 0; k < n && !bad; k++) {
		int i = order == 0 ? k : order == 1 ? n - 1 - k : (int)(((int64_t)k * 7919 + 13) % n);
		int x = d.x0 + i % nx * t, y = d.y0 + i / nx * t;
		bad = run_rect(s, rect_and(rect_of(x, y, x + t, y + t), d), whole);
	}
	return bad;
}

static bool same_image(const struct image *a, const struct image *b)
{
	for (int c = 0; c < a->fmt.nch; c++)
		for (int y = a->view.r.y0; y < a->view.r.y1; y++)
			if (memcmp(view_at(&a->view, c, a->view.r.x0, y), view_at(&b->view, c, a->view.r.x0, y),
			           (size_t)rect_w(a->view.r) * sizeof(float)) != 0) return false;
	return true;
}

/* The same pixels where the output lies in the planes of an input. */
static const char *run_in_place(struct site *s, const struct image *ref, struct image *im)
{
	const char *bad = NULL;
	for (int c = 0; c < s->r->nn->nconn && !bad; c++) {
		if (!net_in_place(s->r->nn, &s->ctx, c)) continue;
		s->place = c;
		for (int t = 64; t >= 7 && !bad; t -= 57) {
			bad = run_tiles(s, t, 0, &im->view);
			if (!bad && !same_image(ref, im)) bad = "says that it works in place, but reads what it has written";
		}
	}
	s->place = -1;
	return bad;
}

const char *conform_tiles(struct rig *r, uint32_t seed, bool specials)
{
	struct err e = ERR_INIT;
	struct site s = { .r = r, .frame = 3, .seed = seed, .specials = specials, .place = -1 };
	static const int tiles[] = { 64, 1, 16, 7, 5 };   /* 64: the whole of every shape */
	const char *bad = NULL;
	if (net_ctx_at(r->net, r->nn, s.frame, &s.ctx, &s.common, &e) < 0) return "cannot be opened";
	struct image *ref = image_new(r->pool, &r->nn->fmt, "ref", &e), *im = image_new(r->pool, &r->nn->fmt, "im", &e);
	bad = run_rect(&s, r->nn->fmt.data, &ref->view);
	bool small = rect_area(r->nn->fmt.data) <= 64;
	/* a frame function is only ever asked for its whole window; a second call must agree */
	for (int i = 0; i < 5 && !bad; i++) {
		if (r->nn->type->frame && i > 0) break;
		if (tiles[i] == 1 && !small) continue;
		bad = run_tiles(&s, tiles[i], i % 3, &im->view);
		if (!bad && !same_image(ref, im)) bad = "depends on the tile, reads what it did not declare, or keeps state";
	}
	if (!bad) bad = run_in_place(&s, ref, im);
	image_unref(&ref);
	image_unref(&im);
	net_ctx_free(r->nn, &s.ctx);
	return bad;
}

const char *conform_identity(struct rig *r, uint32_t seed)
{
	struct err e = ERR_INIT;
	struct site s = { .r = r, .frame = 3, .seed = seed, .place = -1 };
	const struct net_node *nn = r->nn;
	const char *bad = NULL;
	if (net_ctx_at(r->net, nn, s.frame, &s.ctx, &s.common, &e) < 0) return "cannot be opened";
	if (!net_identity(nn, &s.ctx)) { net_ctx_free(nn, &s.ctx); return NULL; }
	const struct format *f = &nn->conn[0]->fmt;
	if (!rect_eq(f->data, nn->fmt.data) || f->nch != nn->fmt.nch || f->space != nn->fmt.space)
		bad = "says identity but changes the format";
	struct image *im = image_new(r->pool, &nn->fmt, "im", &e);
	if (!bad) bad = run_rect(&s, nn->fmt.data, &im->view);
	for (int c = 0; c < nn->fmt.nch && !bad; c++)
		for (int y = f->data.y0; y < f->data.y1; y++)
			for (int x = f->data.x0; x < f->data.x1; x++) {
				float want = sample(seed, 0, c, x, y, s.frame, false), got = *view_at(&im->view, c, x, y);
				float d = got - want;
				if (!(d < 1e-3f && d > -1e-3f)) bad = "says identity but changes pixels";
			}
	image_unref(&im);
	net_ctx_free(nn, &s.ctx);
	return bad;
}

int conform_render(struct rig *r, int frame, uint32_t seed, bool specials, struct pixhash *h)
{
	struct err e = ERR_INIT;
	struct site s = { .r = r, .frame = frame, .seed = seed, .specials = specials, .place = -1 };
	if (net_ctx_at(r->net, r->nn, frame, &s.ctx, &s.common, &e) < 0) return -1;
	struct image *im = image_new(r->pool, &r->nn->fmt, "im", &e);
	const char *bad = run_rect(&s, r->nn->fmt.data, &im->view);
	if (!bad) *h = image_hash(im);
	image_unref(&im);
	net_ctx_free(r->nn, &s.ctx);
	return bad ? -1 : 0;
}

int conform_key(struct rig *r, int frame, struct key *k)
{
	struct err e = ERR_INIT;
	struct keymemo *m = keymemo_new(r->net);
	int rc = net_key(m, r->nn, frame, k, &e);
	keymemo_free(&m);
	return rc;
}
