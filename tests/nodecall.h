/* nodecall - runs one node type over pictures by hand: the node's own needs, any tiling, no net.
 *
 * Input views are clipped to data windows exactly as the core clips them. What the core does
 * around a node (conversion, alpha, mask, mix) is not done here; NF_RGB types see planes R,G,B.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NODECALL_H
#define IN_NODECALL_H

#include "colour.h"
#include "grain_kernel.h"
#include "mem.h"
#include "node.h"
#include "node_table.h"
#include "test.h"

struct nc {
	struct node_ctx ctx;
	struct format in[4], out;
	struct image *im[4];
	struct pool *pool;
	struct arena *arena;
	void *v;
	bool past;                           /* calls go past the caches */
};

/* Like need_add of the core, so that a test links without the net. */
#ifdef NODECALL_NEED_ADD
void need_add(struct needs *n, int conn, int frame, struct rect rect)
{
	if (n->n < NODE_MAX_NEEDS) n->v[n->n++] = (struct need){ conn, frame, rect };
}
#endif

static struct pool *nc_pool(void)
{
	static struct pool *p;
	if (!p) p = pool_new();
	return p;
}

static struct grain_store *nc_grains(void)
{
	static struct grain_store *s;
	if (!s) s = grain_store_new();
	return s;
}

/* A format of w x h with channels, in a space. */
IN_UNUSED static struct format nc_format(int w, int h, const char *channels, const char *space)
{
	struct format f = { .data = rect_of(0, 0, w, h), .display = rect_of(0, 0, w, h), .par = { 1, 1 },
		.fps = { 24, 1 }, .first = 1, .last = 100 };
	f.space = colour_find(space);
	f.encoded = colour_find("rec709");
	format_channels(&f, channels);
	return f;
}

IN_UNUSED static struct image *nc_image(const struct format *f)
{
	struct err e = ERR_INIT;
	struct image *im = image_new(nc_pool(), f, "test", &e);
	if (!im) { printf("not ok memory: %s\n", e.msg); exit(1); }
	view_clear(&im->view, im->view.r);
	return im;
}

IN_UNUSED static const struct node_type *nc_type(const struct node_type *const *table,
                                                 const char *name)
{
	for (int i = 0; table[i]; i++)
		if (strcmp(table[i]->name, name) == 0) return table[i];
	printf("not ok no node type %s\n", name);
	exit(1);
}

/* Makes a node with inputs im[0..nim) and parameters "name=value" ..., NULL. False with e on
 * failure. */
IN_UNUSED static bool nc_make(struct nc *n, const struct node_type *t, struct image *const *im,
                              int nim, const char *const *set, struct err *e)
{
	*n = (struct nc){ .pool = nc_pool(), .arena = arena_new() };
	n->v = arena_alloc(n->arena, 1, t->size);
	double height = nim ? rect_h(im[0]->fmt.display) : 0;
	params_default(t->params, n->v, n->arena, height);
	for (; set && *set; set++) {
		const char *eq = strchr(*set, '=');
		char name[64];
		struct value val;
		snprintf(name, sizeof name, "%.*s", (int)(eq - *set), *set);
		const struct param *p = param_find(t->params, name);
		if (!p) { err_set(e, E_SCENE, "no parameter %s", name); return false; }
		if (value_parse(p, eq + 1, n->arena, &val, e)) return false;
		value_store(p, &val, n->v, height, 1);
	}
	n->ctx = (struct node_ctx){ .type = t, .id = "test", .v = n->v, .nconn = nim, .scale = 1,
		.working = colour_find("acescg"), .fps = { 24, 1 }, .base = ".", .grains = nc_grains() };
	for (int i = 0; i < nim; i++) {
		n->im[i] = im[i];
		n->in[i] = im[i]->fmt;
		n->ctx.in[i] = &n->in[i];
	}
	if (nim) n->out = n->in[0];
	if (t->format && t->format(&n->ctx, &n->out, e)) return false;
	n->ctx.out = &n->out;
	if (t->open && t->open(&n->ctx, e)) return false;
	return true;
}

IN_UNUSED static void nc_free(struct nc *n)
{
	if (n->ctx.type->close && n->ctx.state) n->ctx.type->close(&n->ctx);
	arena_free(&n->arena);
}

/* The planes that the type sees. */
static void nc_planes(const struct nc *n, const struct format *f, struct view *v)
{
	struct view all = *v;
	if (!(n->ctx.type->flags & NF_RGB) || format_channel(f, "R") < 0) return;
	v->nch = 3;
	for (int i = 0; i < 3; i++) v->plane[i] = all.plane[format_channel(f, (const char *[]){ "R", "G",
	    "B" }[i])];
}

/* A copy of exactly rect r, so that a sanitizer sees any read beyond it. */
static struct view nc_copy(const struct view *v, struct rect r)
{
	struct view c = { .r = r, .stride = rect_w(r), .nch = v->nch };
	size_t row = (size_t)rect_w(r) * sizeof(float);
	for (int i = 0; i < v->nch; i++) {
		c.plane[i] = malloc(rect_area(r) * sizeof(float));
		for (int y = r.y0; y < r.y1; y++)
			memcpy(c.plane[i] + (ptrdiff_t)(y - r.y0) * c.stride, view_at(v, i, r.x0, y), row);
	}
	return c;
}

/* One tile, with poisoned scratch and exactly the declared inputs. */
static int nc_tile(struct nc *n, int frame, struct rect r, struct image *out, struct err *e)
{
	const struct node_type *t = n->ctx.type;
	struct needs nd = { 0 };
	struct view in[NODE_MAX_NEEDS], whole[NODE_MAX_NEEDS], ov = view_sub(&out->view, r);
	atomic_int cancel = 0;
	if (t->needs) t->needs(&n->ctx, frame, r, &nd);
	else for (int i = 0; i < n->ctx.nconn; i++) need_add(&nd, i, frame, r);
	for (int i = 0; i < nd.n; i++) {
		struct image *im = n->im[nd.v[i].conn];
		nd.v[i].rect = rect_and(nd.v[i].rect, im->fmt.data);
		in[i] = whole[i] = (struct view){ .r = rect_of(0, 0, 0, 0) };
		if (rect_empty(nd.v[i].rect)) continue;
		whole[i] = nc_copy(&im->view, nd.v[i].rect);
		in[i] = whole[i];
		nc_planes(n, &im->fmt, &in[i]);
	}
	nc_planes(n, &n->out, &ov);
	size_t bytes = t->scratch ? t->scratch(&n->ctx, r) : 0;
	void *scratch = pool_alloc(n->pool, bytes + 64, "scratch", e);
	memset(scratch, 0xff, bytes);
	memset((char *)scratch + bytes, 0x5a, 64);
	struct call c = { .n = &n->ctx, .frame = frame, .nin = nd.n, .need = nd.v, .in = in, .out = &ov,
		.scratch = scratch, .run = n->past ? scratch : NULL, .cancel = &cancel, .err = e };
	int rc = t->tile(&c, r);
	for (int i = 0; i < 64; i++)
		if (((unsigned char *)scratch)[bytes + (size_t)i] != 0x5a) {
			printf("not ok %s: wrote beyond its scratch\n", t->name);
			test_failed = 1;
			break;
		}
	pool_release(n->pool, scratch);
	for (int i = 0; i < nd.n; i++)
		for (int c2 = 0; c2 < whole[i].nch; c2++) free(whole[i].plane[c2]);
	return rc;
}

/* The whole data window in tiles of tw x th (0: one tile), columns last to first when reverse. */
IN_UNUSED static struct image *nc_run(struct nc *n, int frame, int tw, int th)
{
	struct err e = ERR_INIT;
	struct image *out = nc_image(&n->out);
	struct rect d = n->out.data;
	if (tw <= 0) tw = rect_w(d);
	if (th <= 0) th = rect_h(d);
	for (int y = d.y0; y < d.y1; y += th)
		for (int x = d.x0; x < d.x1; x += tw) {
			struct rect r = rect_and(rect_of(x, y, x + tw, y + th), d);
			if (nc_tile(n, frame, r, out, &e)) test_ok(0, "%s tile: %s", n->ctx.type->name, e.msg);
		}
	return out;
}

/* Largest absolute difference; NaN counts as infinite. */
IN_UNUSED static double nc_diff(const struct image *a, const struct image *b)
{
	double worst = 0;
	for (int c = 0; c < a->fmt.nch; c++)
		for (int y = a->fmt.data.y0; y < a->fmt.data.y1; y++)
			for (int x = a->fmt.data.x0; x < a->fmt.data.x1; x++) {
				double d = *view_at(&a->view, c, x, y) - (double)*view_at(&b->view, c, x, y);
				if (d < 0) d = -d;
				if (!(d <= worst)) worst = d;
			}
	return worst;
}

IN_UNUSED static bool nc_same(const struct image *a, const struct image *b)
{
	if (!rect_eq(a->fmt.data, b->fmt.data) || a->fmt.nch != b->fmt.nch) return false;
	size_t n = (size_t)rect_w(a->fmt.data) * sizeof(float);
	for (int c = 0; c < a->fmt.nch; c++)
		for (int y = a->fmt.data.y0; y < a->fmt.data.y1; y++)
			if (memcmp(view_at(&a->view, c, a->fmt.data.x0, y), view_at(&b->view, c, b->fmt.data.x0, y), n))
				return false;
	return true;
}

/* A number in [0, 1) from a place: test pictures without a table. */
IN_UNUSED static float nc_rand(unsigned a, unsigned b, unsigned c)
{
	unsigned h = a * 0x9e3779b1u ^ b * 0x85ebca77u ^ c * 0xc2b2ae3du;
	h ^= h >> 15; h *= 0x2c1b3c6du; h ^= h >> 12; h *= 0x297a2d39u; h ^= h >> 15;
	return (float)(h >> 8) * 0x1p-24f;
}

IN_UNUSED static struct image *nc_random(const struct format *f, unsigned seed)
{
	struct image *im = nc_image(f);
	for (int c = 0; c < f->nch; c++)
		for (int y = f->data.y0; y < f->data.y1; y++)
			for (int x = f->data.x0; x < f->data.x1; x++)
				*view_at(&im->view, c, x, y) = nc_rand((unsigned)x, (unsigned)y, seed * 64 + (unsigned)c);
	return im;
}

/* An NF_PAST type past the caches: the same bits, NaNs canonical, in whole and odd tiles. */
IN_UNUSED static void nc_past(const char *name, struct image *const *im, int nim, const char *const *set,
                              const char *what)
{
	static const int tiles[][2] = { { 0, 0 }, { 7, 5 }, { 64, 3 } };
	const struct node_type *const *tables[2] = { nodes_baseline, nodes_avx2 };
	bool same = true;
	for (int k = 0; k < (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 2 : 1); k++) {
		struct err e = ERR_INIT;
		struct nc n;
		if (!nc_make(&n, nc_type(tables[k], name), im, nim, set, &e)) {
			test_ok(0, "%s %s: %s", name, what, e.msg);
			return;
		}
		struct image *near = nc_run(&n, 3, 0, 0);
		view_canon_nan(&near->view, near->fmt.data);
		n.past = (n.ctx.type->flags & NF_PAST) != 0;
		for (size_t i = 0; i < IN_COUNT(tiles); i++) {
			struct image *far = nc_run(&n, 3, tiles[i][0], tiles[i][1]);
			same = same && n.past && nc_same(near, far);
			image_unref(&far);
		}
		image_unref(&near);
		nc_free(&n);
	}
	test_ok(same, "%s %s: same bits past the caches", name, what);
}

/* Whole against odd tiles, and every instruction set this CPU has against baseline: all bits
 * equal. */
IN_UNUSED static void nc_invariant(const char *name, struct image *const *im, int nim,
                                   const char *const *set, const char *what)
{
	static const int tiles[][2] = { { 1, 1 }, { 7, 5 }, { 33, 64 }, { 64, 3 }, { 256, 256 } };
	struct err e = ERR_INIT;
	struct nc n;
	bool tiled = true, isa = true;
	if (!nc_make(&n, nc_type(nodes_baseline, name), im, nim, set, &e)) {
		test_ok(0, "%s %s: %s", name, what, e.msg);
		return;
	}
	struct image *whole = nc_run(&n, 3, 0, 0);
	for (size_t i = 0; i < IN_COUNT(tiles); i++) {
		struct image *t = nc_run(&n, 3, tiles[i][0], tiles[i][1]);
		tiled = tiled && nc_same(whole, t);
		image_unref(&t);
	}
	test_ok(tiled, "%s %s: same bits in any tiling", name, what);
	nc_free(&n);
	const struct node_type *const *tables[2] = { nodes_avx2, nodes_avx512 };
	for (int k = 0; k < 2; k++) {
		bool has = k ? __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
		               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
		             : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
		if (!has || !nc_make(&n, nc_type(tables[k], name), im, nim, set, &e)) continue;
		struct image *t = nc_run(&n, 3, 50, 40);
		isa = isa && nc_same(whole, t);
		image_unref(&t);
		nc_free(&n);
	}
	test_ok(isa, "%s %s: same bits with every instruction set", name, what);
	image_unref(&whole);
}

#endif
