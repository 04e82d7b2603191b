/* merge - combines two pictures: the Porter-Duff operators, blend modes and arithmetic.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "node.h"

struct merge { int operation; };

enum op {
	OP_OVER, OP_UNDER, OP_IN, OP_OUT, OP_ATOP, OP_UNDER_ATOP, OP_MASK, OP_STENCIL, OP_XOR,
	OP_COPY, OP_KEEP, OP_CLEAR, OP_PLUS, OP_MINUS, OP_FROM, OP_MULTIPLY, OP_SCREEN, OP_OVERLAY,
	OP_MAX, OP_MIN, OP_DIFFERENCE, OP_AVERAGE, OP_DIVIDE
};

static const struct param params[] = {
	P_ENUM(merge, operation, "over",
	       "over|under|in|out|atop|under-atop|mask|stencil|xor|copy|keep|clear|plus|minus|from|"
	       "multiply|screen|overlay|max|min|difference|average|divide", PF_STATIC,
	       "How over (A) and the image (B) combine; the formulas stand below."),
	P_END
};

/* Premultiplied a and its alpha aa upon b and ba. With op constant this is one expression. */
IN_INLINE float combine(enum op op, float a, float aa, float b, float ba)
{
	float rest = a * (1.0f - ba) + b * (1.0f - aa), p = a * ba, q = b * aa;
	switch (op) {
	case OP_OVER: return a + b * (1.0f - aa);
	case OP_UNDER: return b + a * (1.0f - ba);
	case OP_IN: return p;
	case OP_OUT: return a * (1.0f - ba);
	case OP_ATOP: return p + b * (1.0f - aa);
	case OP_UNDER_ATOP: return q + a * (1.0f - ba);
	case OP_MASK: return q;
	case OP_STENCIL: return b * (1.0f - aa);
	case OP_XOR: return rest;
	case OP_COPY: return a;
	case OP_KEEP: return b;
	case OP_CLEAR: return 0.0f;
	case OP_PLUS: return a + b;
	case OP_MINUS: return p - q + rest;
	case OP_FROM: return q - p + rest;
	case OP_MULTIPLY: return a * b + rest;
	case OP_SCREEN: return a + b - a * b;
	case OP_OVERLAY:
		return rest + (2.0f * b <= ba ? 2.0f * a * b : aa * ba - 2.0f * (ba - b) * (aa - a));
	case OP_MAX: return rest + (p > q ? p : q);
	case OP_MIN: return rest + (p < q ? p : q);
	case OP_DIFFERENCE: return rest + (p > q ? p - q : q - p);
	case OP_AVERAGE: return rest + 0.5f * (p + q);
	case OP_DIVIDE: return rest + (b != 0.0f ? ba * ba * (a / b) : 0.0f);
	}
	return b;
}

/* Alpha of the result: the operator itself where it is Porter and Duff's, else the union. */
IN_INLINE float combine_alpha(enum op op, float aa, float ba)
{
	if (op < OP_PLUS) return combine(op, aa, aa, ba, ba);
	if (op == OP_PLUS) return aa + ba < 1.0f ? aa + ba : 1.0f;
	return aa + ba - aa * ba;
}

/* One row of one channel. */
struct row { const float *a, *aa, *b, *ba; float *out; int n; bool alpha; };

IN_INLINE void run(enum op op, const struct row *r)
{
	const float *IN_RESTRICT a = r->a, *IN_RESTRICT aa = r->aa, *IN_RESTRICT b = r->b,
	    *IN_RESTRICT ba = r->ba;
	float *IN_RESTRICT out = r->out;
	if (r->alpha) for (int x = 0; x < r->n; x++) out[x] = combine_alpha(op, aa[x], ba[x]);
	else for (int x = 0; x < r->n; x++) out[x] = combine(op, a[x], aa[x], b[x], ba[x]);
}

static void run_row(enum op op, const struct row *r)
{
	switch (op) {
	case OP_OVER: run(OP_OVER, r); break;
	case OP_UNDER: run(OP_UNDER, r); break;
	case OP_IN: run(OP_IN, r); break;
	case OP_OUT: run(OP_OUT, r); break;
	case OP_ATOP: run(OP_ATOP, r); break;
	case OP_UNDER_ATOP: run(OP_UNDER_ATOP, r); break;
	case OP_MASK: run(OP_MASK, r); break;
	case OP_STENCIL: run(OP_STENCIL, r); break;
	case OP_XOR: run(OP_XOR, r); break;
	case OP_COPY: run(OP_COPY, r); break;
	case OP_KEEP: run(OP_KEEP, r); break;
	case OP_CLEAR: run(OP_CLEAR, r); break;
	case OP_PLUS: run(OP_PLUS, r); break;
	case OP_MINUS: run(OP_MINUS, r); break;
	case OP_FROM: run(OP_FROM, r); break;
	case OP_MULTIPLY: run(OP_MULTIPLY, r); break;
	case OP_SCREEN: run(OP_SCREEN, r); break;
	case OP_OVERLAY: run(OP_OVERLAY, r); break;
	case OP_MAX: run(OP_MAX, r); break;
	case OP_MIN: run(OP_MIN, r); break;
	case OP_DIFFERENCE: run(OP_DIFFERENCE, r); break;
	case OP_AVERAGE: run(OP_AVERAGE, r); break;
	case OP_DIVIDE: run(OP_DIVIDE, r); break;
	}
}

/* Row y of a channel over [x0, x0 + n); ch < 0: the value `absent` inside the window. 0 outside
 * of it. */
static void fetch(const struct view *v, int ch, float absent, int x0, int y, int n,
                  float *IN_RESTRICT d)
{
	int a = v->r.x0 - x0, b = v->r.x1 - x0;
	if (y < v->r.y0 || y >= v->r.y1 || rect_empty(v->r)) a = b = 0;
	if (a < 0) a = 0;
	if (b > n) b = n;
	if (b < a) a = b = 0;
	memset(d, 0, (size_t)n * sizeof *d);
	if (a == b) return;
	if (ch >= 0) memcpy(d + a, view_at(v, ch, x0 + a, y), (size_t)(b - a) * sizeof *d);
	else for (int x = a; x < b; x++) d[x] = absent;
}

static bool colour_channel(const char *name)
{
	return strlen(name) == 1 && strchr("RGBA", name[0]);
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	(void)n;
	return 4 * (size_t)rect_w(r) * sizeof(float);
}

static bool identity(const struct node_ctx *n)
{
	const struct merge *p = n->v;
	return p->operation == OP_KEEP;
}

static int tile(const struct call *c, struct rect r)
{
	const struct merge *p = c->n->v;
	const struct format *fb = c->n->in[0], *fa = c->n->in[1];
	const struct view *vb = &c->in[0], *va = &c->in[1];
	int n = rect_w(r), alpha_a = format_channel(fa, "A"), alpha_b = format_channel(fb, "A");
	float *a = c->scratch, *aa = a + n, *b = aa + n, *ba = b + n;
	for (int y = r.y0; y < r.y1; y++) {
		fetch(va, alpha_a, 1.0f, r.x0, y, n, aa);
		fetch(vb, alpha_b, 1.0f, r.x0, y, n, ba);
		for (int ch = 0; ch < c->out->nch; ch++) {
			float *out = view_at(c->out, ch, r.x0, y);
			struct row row = { a, aa, b, ba, out, n, ch == alpha_b };
			fetch(vb, ch, 0.0f, r.x0, y, n, b);
			if (!colour_channel(fb->ch[ch])) {
				memcpy(out, b, (size_t)n * sizeof *out);
				continue;
			}
			fetch(va, format_channel(fa, fb->ch[ch]), 0.0f, r.x0, y, n, a);
			run_row((enum op)p->operation, &row);
		}
	}
	return 0;
}

const struct node_type ISA(node_merge) = {
	.name = "merge", .doc = "Combines two pictures: the Porter-Duff operators, blend modes and "
	        "arithmetic.",
	.more = "A is over, B the image in `in`, a and b their alphas; all values are premultiplied and "
	        "linear. B's windows, channels, rate and range are the result's. A picture without alpha "
	        "is opaque within its data window. Channels other than R, G, B and A are B's.\n"
	        "Porter and Duff (1984): over A + B(1-a), under B + A(1-b), in Ab, out A(1-b), atop Ab + "
	        "B(1-a), under-atop Ba + A(1-b), mask Ba, stencil B(1-a), xor A(1-b) + B(1-a), copy A, "
	        "keep B, clear 0; alpha by the same formula. plus A + B, its alpha min(1, a+b).\n"
	        "The others blend where both exist and leave each picture alone elsewhere (W3C, "
	        "Compositing and Blending Level 1): A(1-b) + B(1-a) + f, alpha a + b - ab, with f: minus "
	        "Ab - Ba, from Ba - Ab, multiply AB, screen Ab + Ba - AB, overlay 2AB where 2B <= b, "
	        "else ab - 2(b-B)(a-A), max max(Ab, Ba), min min(Ab, Ba), difference |Ab - Ba|, average "
	        "(Ab + Ba)/2, divide b^2 A/B (0 where B is 0). For opaque pictures these are A - B, B - "
	        "A, AB, A + B - AB and so on.",
	.category = "composite", .version = 1, .size = sizeof(struct merge), .params = params,
	.inputs = "image over mask?", .flags = NF_MASKED, .want = WANT_LINEAR,
	.example = "<merge id=\"comp\" in=\"plate\" over=\"titles\" operation=\"over\"/>",
	.identity = identity, .scratch = scratch, .in_place = node_in_place, .tile = tile,
};
