/* learned - makes a picture 2, 3 or 4 times as large with filters looked up by what lies around each pixel.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "mem.h"
#include "node.h"
#include "px_learned.h"
#include "px_resample.h"

struct learned_params { const char *weights; int factor; double ringing; int light; };

static const struct param params[] = {
	P_PATH(learned_params, weights, PF_STATIC | PF_FILE, "The filters; empty: the program's own for the factor."),
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
			return err_set(e, E_INPUT, "the program's graphs/learned/x%d.weights is not there; set INTERNEG_SHARE to the folder "
			               "that has it", p->factor);
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

/* Memory of a tile: planes with a border, the classes of its pixels and those beside, rows of results. */
struct area { struct rect src, all; ptrdiff_t stride, size; float *plane, *work, *rows; uint32_t *kind; };

static size_t up16(size_t v) { return (v + 15) & ~(size_t)15; }

static size_t lay(struct area *a, struct rect r, int factor, int nch, void *mem)
{
	a->src = sources(r, factor);
	a->all = rect_grow(a->src, BORDER, BORDER);
	a->stride = (ptrdiff_t)up16((size_t)rect_w(a->all));
	size_t one = (size_t)a->stride * (size_t)rect_h(a->all), n = (size_t)nch, plane = one * n, w = (size_t)rect_w(a->src), f = (size_t)factor;
	size_t work = up16(6 * (w + 2) + 12), rows = up16(w * f) * f * n, kind = up16((w + 2) * ((size_t)rect_h(a->src) + 2));
	a->size = (ptrdiff_t)one;
	a->plane = mem;
	a->work = mem ? a->plane + plane : NULL;
	a->rows = mem ? a->work + work : NULL;
	a->kind = mem ? (uint32_t *)(void *)(a->rows + rows) : NULL;
	return (plane + work + rows + kind) * sizeof(float);
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct learned_params *p = n->v;
	struct area a;
	return lay(&a, r, p->factor, n->in[0]->nch, NULL) + 64;
}

/* A channel, or the sum of three of them by weight, mirrored beyond the data window. */
static void fill(const struct area *a, const struct call *c, float *to, const int *ch, const float *w, int n)
{
	const struct view *in = &c->in[0];
	struct rect d = c->n->in[0]->data;
	for (int y = a->all.y0; y < a->all.y1; y++) {
		float *o = to + (ptrdiff_t)(y - a->all.y0) * a->stride;
		int sy = mirror(y, d.y0, d.y1);
		for (int k = 0; k < n; k++) {
			const float *s = view_at(in, ch[k], in->r.x0, sy);
			for (int x = a->all.x0; x < a->all.x1; x++) {
			int sx = (x >= d.x0 && x < d.x1 ? x : mirror(x, d.x0, d.x1)) - in->r.x0;
			float v = n > 1 ? s[sx] * w[k] : s[sx];
			o[x - a->all.x0] = k ? o[x - a->all.x0] + v : v;
			}
		}
	}
}

static void classify(const struct area *a, const struct call *c, const struct learned *l)
{
	static const float luma[3] = { 0.2126f, 0.7152f, 0.0722f };
	const struct format *f = c->n->in[0];
	int rgb[3] = { format_channel(f, "R"), format_channel(f, "G"), format_channel(f, "B") }, first = 0;
	bool colour = rgb[0] >= 0 && rgb[1] >= 0 && rgb[2] >= 0;
	int w = rect_w(a->src) + 2;
	fill(a, c, a->plane, colour ? rgb : &first, luma, colour ? 3 : 1);
	for (int y = 0; y < rect_h(a->src) + 2; y++)
		px_learned_row(&l->hash, a->plane + (y + LEARNED_REACH) * a->stride + LEARNED_REACH, a->stride, w, a->work,
		               a->kind + (ptrdiff_t)y * w);
}

/* Shares of the filters at a pixel. Where next to nothing is to be seen its own are all. */
struct share { int n; uint32_t kind[5]; float part[5]; };

IN_INLINE struct share shares(const struct learned_hash *h, const uint32_t *kind, int kw)
{
	const uint32_t beside[4] = { kind[-kw], kind[-1], kind[1], kind[kw] };
	struct share s = { 1, { kind[0] }, { 0.5f } };
	uint32_t each = (uint32_t)(h->coherences * h->bends * 8);
	bool weak = kind[0] / each % (uint32_t)h->strengths == 0;
	for (int i = 0; i < 4; i++) {
		int at = 0;
		while (at < s.n && s.kind[at] != beside[i]) at++;
		if (weak) at = 0;
		else if (at == s.n) s.kind[s.n] = beside[i], s.part[s.n++] = 0;
		s.part[at] += 0.125f;
	}
	return s;
}

/* The filter that these shares make. */
IN_INLINE void mixed(const struct learned *l, const struct share *s, int lanes, float *IN_RESTRICT w)
{
	const int n = LEARNED_TAPS * lanes;
	const float *one = l->w + (size_t)s->kind[0] * (size_t)n;
	for (int k = 0; k < n; k++) w[k] = one[k] * s->part[0];
	for (int i = 1; i < s->n; i++) {
		const float *IN_RESTRICT more = l->w + (size_t)s->kind[i] * (size_t)n;
		float part = s->part[i];
		for (int k = 0; k < n; k++) w[k] += more[k] * part;
	}
}

/* A row of blocks of every channel; lanes and f are constants where this is called. */
IN_INLINE void blocks(const struct area *a, const struct learned *l, const int *off, int y, int nch, float limit, int lanes, int f)
{
	int w = rect_w(a->src), kw = w + 2;
	ptrdiff_t to = (ptrdiff_t)up16((size_t)(w * f));
	const float *first = a->plane + (y + BORDER) * a->stride + BORDER;
	const uint32_t *kind = a->kind + (ptrdiff_t)(y + 1) * kw + 1;
	for (int x = 0; x < w; x++, first++, kind++) {
		struct share s = shares(&l->hash, kind, kw);
		float own[LEARNED_TAPS * 16], o[16], lo, hi;
		const float *filter = l->w + (size_t)s.kind[0] * (size_t)(LEARNED_TAPS * lanes);
		if (s.n > 1) {
			mixed(l, &s, lanes, own);
			filter = own;
		}
		for (int c = 0; c < nch; c++) {
			const float *p = first + (ptrdiff_t)c * a->size;
			float *rows = a->rows + (ptrdiff_t)c * f * to + x * f;
			px_learned_block(filter, off, p, lanes, o);
			px_learned_range(p, a->stride, &lo, &hi);
			for (int k = 0; k < f * f; k++) rows[k / f * to + k % f] = px_ring(p[0] + o[k], lo, hi, limit);
		}
	}
}

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
	int off[LEARNED_TAPS], place[LEARNED_MAX * LEARNED_MAX], n = c->out->nch;
	/* learned filters go further beyond than lanczos3: of that, the square of what ringing leaves */
	float left = 1.0f - (float)p->ringing, limit = 1.0f - left * left;
	if (rect_empty(c->in[0].r)) { view_clear(c->out, r); return 0; }
	lay(&a, r, l->factor, n, c->scratch);
	px_learned_orient(0, a.stride, l->factor, off, place);
	classify(&a, c, l);
	for (int ch = 0; ch < n; ch++) fill(&a, c, a.plane + ch * a.size, &ch, NULL, 1);
	for (int y = 0; y < rect_h(a.src); y++) {
		if (l->factor == 2) blocks(&a, l, off, y, n, limit, 4, 2);
		else if (l->factor == 3) blocks(&a, l, off, y, n, limit, 12, 3);
		else blocks(&a, l, off, y, n, limit, 16, 4);
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
	.category = "geometry", .version = 1, .size = sizeof(struct learned_params), .params = params, .inputs = "image",
	.flags = NF_HIDDEN, .traits = TR_UPSCALE, .want_of = want_of, .format = format, .open = open_bank, .close = close_bank,
	.needs = needs, .scratch = scratch, .flops = flops, .tile = tile,
};
