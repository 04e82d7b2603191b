/* learned - makes a picture 2, 3 or 4 times as large with filters looked up by what lies around each pixel.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "mem.h"
#include "node.h"
#include "px_learned.h"
#include "px_learned_mix.h"

struct learned_params { const char *weights; int factor; double ringing; int light; };

static const struct param params[] = {
	P_PATH(learned_params, weights, PF_STATIC | PF_FILE, "The filters; empty: the program's own "
	       "for the factor."),
	P_INT(learned_params, factor, 2, LEARNED_MIN, LEARNED_MAX, "factor", PF_STATIC, "How many times as large."),
	P_FLOAT(learned_params, ringing, 0.8, 0, 1, "share", "As of upscale."),
	P_ENUM(learned_params, light, "encoded", "encoded|linear", PF_STATIC, "Where the filters work."),
	P_END
};

static enum want want_of(const struct node_ctx *n, int conn)
{
	const struct learned_params *p = n->v;
	(void)conn;
	return p->light ? WANT_LINEAR : WANT_ENCODED;
}

static struct rect times(struct rect r, int f) { return rect_of(r.x0 * f, r.y0 * f, r.x1 * f, r.y1 * f); }

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct learned_params *p = n->v;
	if (rect_empty(out->data)) return err_set(e, E_INPUT, "the picture has an empty data window");
	out->data = times(out->data, p->factor);
	out->display = times(out->display, p->factor);
	return 0;
}

static int open_bank(struct node_ctx *n, struct err *e)
{
	const struct learned_params *p = n->v;
	char own[4096];
	const char *path = p->weights;
	if (!path || !*path) {
		if (!learned_path(p->factor, own, sizeof own))
			return err_set(e, E_INPUT, "the program's graphs/learned/x%d.weights is not there; set "
			               "INTERNEG_SHARE to the folder that has it", p->factor);
		path = own;
	}
	struct learned *l = learned_load(path, e);
	if (!l) return -1;
	if (l->factor != p->factor) {
		err_set(e, E_SCENE, "%s holds filters for factor %d, not %d", path, l->factor, p->factor);
		learned_free(&l);
		return -1;
	}
	n->state = l;
	return 0;
}

static void close_bank(struct node_ctx *n)
{
	struct learned *l = n->state;
	learned_free(&l);
	n->state = NULL;
}

/* Filters reach so far, and so do the classes of the pixels beside. */
enum { BORDER = LEARNED_REACH + 1 };

static int down(int v, int f) { return v >= 0 ? v / f : -((f - 1 - v) / f); }

/* Source pixels whose blocks r touches. */
static struct rect sources(struct rect r, int f)
{
	return rect_of(down(r.x0, f), down(r.y0, f), down(r.x1 + f - 1, f), down(r.y1 + f - 1, f));
}

/* Where a coordinate beyond [a, b) finds its mirror image, the edge twice; any distance. */
static int mirror(int x, int a, int b)
{
	int n = b - a, m = (x - a) % (2 * n);
	if (m < 0) m += 2 * n;
	return a + (m < n ? m : 2 * n - 1 - m);
}

/* From the least to the greatest that mirroring [x0, x1) into [a, b) reaches. */
static void reached(int *x0, int *x1, int a, int b)
{
	int lo = b, hi = a;
	for (int x = *x0; x < *x1; x++) {
		int m = mirror(x, a, b);
		lo = m < lo ? m : lo;
		hi = m >= hi ? m + 1 : hi;
	}
	*x0 = lo;
	*x1 = hi;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct learned_params *p = n->v;
	struct rect d = n->in[0]->data, s = rect_grow(sources(r, p->factor), BORDER, BORDER);
	if (rect_empty(r)) { need_add(out, 0, frame, r); return; }
	reached(&s.x0, &s.x1, d.x0, d.x1);
	reached(&s.y0, &s.y1, d.y0, d.y1);
	need_add(out, 0, frame, s);
}

/* Memory of a tile: planes with a border, the classes of its pixels and those beside, rows of results,
 * ranges of a row. */
struct area {
	struct rect src, all;
	ptrdiff_t stride, size;
	float *plane, *work, *rows, *range;
	uint32_t *kind;
};

static size_t up16(size_t v) { return (v + 15) & ~(size_t)15; }

static size_t lay(struct area *a, struct rect r, int factor, int nch, void *mem)
{
	a->src = sources(r, factor);
	a->all = rect_grow(a->src, BORDER, BORDER);
	a->stride = (ptrdiff_t)up16((size_t)rect_w(a->all));
	size_t one = (size_t)a->stride * (size_t)rect_h(a->all), n = (size_t)nch, plane = one * n,
		w = (size_t)rect_w(a->src), f = (size_t)factor;
	size_t work = up16(6 * (w + 2) + 12), rows = up16(w * f) * f * n, range = 2 * LEARNED_BESIDE * up16(w);
	size_t kind = up16((w + 2) * ((size_t)rect_h(a->src) + 2));
	a->size = (ptrdiff_t)one;
	a->plane = mem;
	a->work = mem ? a->plane + plane : NULL;
	a->rows = mem ? a->work + work : NULL;
	a->range = mem ? a->rows + rows : NULL;
	a->kind = mem ? (uint32_t *)(void *)(a->range + range) : NULL;
	return (plane + work + rows + range + kind) * sizeof(float);
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct learned_params *p = n->v;
	struct area a;
	return lay(&a, r, p->factor, n->in[0]->nch, NULL) + 64;
}

/* A channel, or the sum of three of them by weight, mirrored beyond the data window. */
static void fill(const struct area *a, const struct call *c, float *to, const int *ch, const float *weight)
{
	const struct view *in = &c->in[0];
	struct rect d = c->n->in[0]->data, all = a->all;
	int x0 = all.x0 > d.x0 ? all.x0 : d.x0, x1 = all.x1 < d.x1 ? all.x1 : d.x1;
	for (int y = all.y0; y < all.y1; y++, to += a->stride) {
		int sy = mirror(y, d.y0, d.y1);
		float *IN_RESTRICT o = to + (x0 - all.x0);
		const float *s = view_at(in, ch[0], x0, sy);
		if (!weight) memcpy(o, s, (size_t)(x1 - x0) * sizeof *o);
		else {
			const float *g = view_at(in, ch[1], x0, sy), *b = view_at(in, ch[2], x0, sy);
			for (int x = 0; x < x1 - x0; x++) o[x] = s[x] * weight[0] + g[x] * weight[1] + b[x] * weight[2];
		}
		for (int x = all.x0; x < x0; x++) to[x - all.x0] = to[mirror(x, d.x0, d.x1) - all.x0];
		for (int x = x1; x < all.x1; x++) to[x - all.x0] = to[mirror(x, d.x0, d.x1) - all.x0];
	}
}

static void classify(const struct area *a, const struct call *c, const struct learned *l)
{
	static const float luma[3] = { 0.2126f, 0.7152f, 0.0722f };
	const struct format *f = c->n->in[0];
	int rgb[3] = { format_channel(f, "R"), format_channel(f, "G"), format_channel(f, "B") }, first = 0;
	bool colour = rgb[0] >= 0 && rgb[1] >= 0 && rgb[2] >= 0;
	int w = rect_w(a->src) + 2;
	fill(a, c, a->plane, colour ? rgb : &first, colour ? luma : NULL);
	for (int y = 0; y < rect_h(a->src) + 2; y++)
		px_learned_row(&l->hash, a->plane + (y + LEARNED_REACH) * a->stride + LEARNED_REACH, a->stride, w, a->work,
		               a->kind + (ptrdiff_t)y * w);
}

/* The filters at a pixel: half its own, an eighth those of each pixel beside. Where next to nothing is to
 * be seen its own. */
IN_INLINE struct px_learned_mix filters(const struct learned *l, const uint32_t *kind, int kw, int lanes)
{
	const struct learned_hash *h = &l->hash;
	const uint32_t own = kind[0], beside[4] = { kind[-kw], kind[-1], kind[1], kind[kw] };
	const size_t size = (size_t)(LEARNED_TAPS * lanes);
	struct px_learned_mix m = { 1, { l->w + own * size }, { 1.0f } };
	if (own == beside[0] && own == beside[1] && own == beside[2] && own == beside[3]) return m;
	if (own / (uint32_t)(h->coherences * h->bends * 8) % (uint32_t)h->strengths == 0) return m;
	m.part[0] = 0.5f;
	for (int i = 0; i < 4; i++) {
		const float *w = l->w + beside[i] * size;
		int at = 0;
		while (at < m.n && m.w[at] != w) at++;
		if (at == m.n) m.w[m.n++] = w, m.part[at] = 0;
		m.part[at] += 0.125f;
	}
	return m;
}

/* A row of blocks of channels [c0, c0 + nch); nch, lanes and f are constants where this is called. */
IN_INLINE void blocks(const struct area *a, const struct learned *l, int y, int c0, int nch, float limit,
                      int lanes, int f)
{
	int w = rect_w(a->src), kw = w + 2;
	ptrdiff_t to = (ptrdiff_t)up16((size_t)(w * f)), span = (ptrdiff_t)up16((size_t)w);
	const float *first = a->plane + c0 * a->size + (y + BORDER) * a->stride + BORDER;
	const uint32_t *kind = a->kind + (ptrdiff_t)(y + 1) * kw + 1;
	float d[LEARNED_BESIDE][LEARNED_TAPS], o[LEARNED_BESIDE][LEARNED_BLOCK] = { { 0 } };
	for (int c = 0; c < nch; c++)
		px_learned_range(first + c * a->size, a->stride, w, a->range + 2 * c * span, a->range + (2 * c + 1) * span);
	for (int x = 0; x < w; x++) {
		struct px_learned_mix m = filters(l, kind + x, kw, lanes);
		for (int c = 0; c < nch; c++) px_learned_diffs(first + c * a->size + x, a->stride, d[c]);
		px_learned_apply(&m, d, nch, lanes, o);
		for (int c = 0; c < nch; c++) {
			const float *range = a->range + 2 * c * span + x;
			float *rows = a->rows + (c0 + c) * f * to + x * f;
			px_learned_put(o[c], first[c * a->size + x], range[0], range[span], limit, f, rows, to);
		}
	}
}

/* The same for all channels: three at once, the rest one by one. */
IN_INLINE void all_blocks(const struct area *a, const struct learned *l, int y, int nch, float limit,
                          int lanes, int f)
{
	int c = 0;
	for (; c + 3 <= nch; c += 3) blocks(a, l, y, c, 3, limit, lanes, f);
	for (; c < nch; c++) blocks(a, l, y, c, 1, limit, lanes, f);
}

IN_NOINLINE static void blocks2(const struct area *a, const struct learned *l, int y, int nch, float limit)
{ all_blocks(a, l, y, nch, limit, 4, 2); }
IN_NOINLINE static void blocks3(const struct area *a, const struct learned *l, int y, int nch, float limit)
{ all_blocks(a, l, y, nch, limit, 12, 3); }
IN_NOINLINE static void blocks4(const struct area *a, const struct learned *l, int y, int nch, float limit)
{ all_blocks(a, l, y, nch, limit, 16, 4); }

/* What of the row of blocks lies in r. */
static void put(const struct area *a, const struct view *out, int ch, struct rect r, int y, int f)
{
	ptrdiff_t stride = (ptrdiff_t)up16((size_t)(rect_w(a->src) * f));
	for (int j = 0; j < f; j++) {
		int oy = (a->src.y0 + y) * f + j;
		if (oy < r.y0 || oy >= r.y1) continue;
		memcpy(view_at(out, ch, r.x0, oy), a->rows + (ch * f + j) * stride + (r.x0 - a->src.x0 * f),
		       (size_t)rect_w(r) * sizeof(float));
	}
}

static int tile(const struct call *c, struct rect r)
{
	const struct learned_params *p = c->n->v;
	const struct learned *l = c->n->state;
	struct area a;
	int n = c->out->nch;
	/* learned filters go further beyond than lanczos3: of that, the square of what ringing leaves */
	float left = 1.0f - (float)p->ringing, limit = 1.0f - left * left;
	if (rect_empty(c->in[0].r)) { view_clear(c->out, r); return 0; }
	lay(&a, r, l->factor, n, c->scratch);
	classify(&a, c, l);
	for (int ch = 0; ch < n; ch++) fill(&a, c, a.plane + ch * a.size, &ch, NULL);
	for (int y = 0; y < rect_h(a.src); y++) {
		if (l->factor == 2) blocks2(&a, l, y, n, limit);
		else if (l->factor == 3) blocks3(&a, l, y, n, limit);
		else blocks4(&a, l, y, n, limit);
		for (int ch = 0; ch < n; ch++) put(&a, c->out, ch, r, y, l->factor);
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
	}
	return 0;
}

static double flops(const struct node_ctx *n)
{
	const struct learned_params *p = n->v;
	return 2.0 * LEARNED_TAPS + 250.0 / (p->factor * p->factor);
}

const struct node_type ISA(node_learned) = {
	.name = "learned", .doc = "Makes a picture 2, 3 or 4 times as large with filters learned from photographs.",
	.category = "geometry", .version = 1, .size = sizeof(struct learned_params), .params = params,
		.inputs = "image",
	.flags = NF_HIDDEN, .traits = TR_UPSCALE, .want_of = want_of, .format = format,
		.open = open_bank, .close = close_bank,
	.needs = needs, .scratch = scratch, .flops = flops, .tile = tile,
};
