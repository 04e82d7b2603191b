/* regrain - puts the grain that a clip had back, as it was.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "grain_profile.h"
#include "node.h"
#include "px_blur.h"

enum { RADIUS = 8 };
#define BOILS 0.2

struct regrain { double amount; int through; const char *profile; };

static const struct param params[] = {
	P_FLOAT(regrain, amount, 1, 0, 4, "", "How much of the original's grain is put back."),
	P_ENUM(regrain, through, "no", "no|yes", PF_STATIC,
	       "yes: the grain goes through the grade, scaled by its slope around each pixel. no: it comes "
	       "last, as strong as it was."),
	P_PATH(regrain, profile, PF_FILE | PF_STATIC,
	       "The original's .grain file. A grain that boils or is frozen (temporal above 0.2), as "
	       "generated video has it, is refused: it must be replaced, not put back."),
	P_END
};

enum { IMAGE, ORIGINAL, NEUTRAL };

static int open_profile(struct node_ctx *n, struct err *e)
{
	const struct regrain *p = n->v;
	struct grain_profile g;
	if (!*p->profile) return 0;
	if (grain_profile_read(p->profile, &g, e) < 0) return -1;
	for (int c = 0; c < 3; c++)
		if (g.rho[c] > BOILS)
			return err_set(e, E_SCENE, "the grain of %s %s (frame and next correlate by %.2f, channel %d): putting it "
			               "back would show it; make new grain with <grain profile=\"stock:35mm-medium\"> instead",
			               p->profile, g.rho[c] > 0.8 ? "is frozen" : "boils", g.rho[c], c);
	return 0;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	static const char *const slots[] = { "in", "original", "neutral" };
	if (format_channel(out, "R") < 0 || format_channel(out, "G") < 0 || format_channel(out, "B") < 0)
		return err_set(e, E_SCENE, "regrain needs a picture with the channels R, G and B");
	for (int i = ORIGINAL; i <= NEUTRAL; i++) {
		struct rect a = n->in[i]->display, b = out->display;
		if (rect_w(a) != rect_w(b) || rect_h(a) != rect_h(b))
			return err_set(e, E_SCENE, "%s is %dx%d and %s %dx%d: after a change of size grain "
			               "cannot be put back; make it new with <grain profile=...>, which keeps "
			               "its size on film", slots[i], rect_w(a), rect_h(a), slots[0],
			               rect_w(b), rect_h(b));
		a = n->in[i]->data;
		b = out->data;
		if (a.x0 != b.x0 || a.y0 != b.y0 || a.x1 != b.x1 || a.y1 != b.y1)
			return err_set(e, E_SCENE, "%s has another data window than %s; reformat one of them", slots[i], slots[0]);
	}
	return 0;
}

static bool identity(const struct node_ctx *n) { return ((const struct regrain *)n->v)->amount <= 0; }

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	int d = ((const struct regrain *)n->v)->through ? RADIUS : 0;
	need_add(out, IMAGE, frame, rect_grow(r, d, d));
	need_add(out, ORIGINAL, frame, r);
	need_add(out, NEUTRAL, frame, rect_grow(r, d, d));
}

/* Sums over a window of the picture before and after the grade: b, a, b b, a b. A window's 17 rows, and its 17
 * columns then, are four fours, each (0 + 1) + (2 + 3), these likewise, and the last: wherever it lies. */
enum { SUMS = 4, SPAN = 2 * RADIUS + 1, ROWS = 4, FOURS = 16 };

static size_t pitch_of(int w) { return ((size_t)w + 15) & ~(size_t)15; }
/* Of rows with the window's border, and what vectors read beyond. */
static size_t wide_of(int w) { return pitch_of(w + 2 * RADIUS + 4); }

/* Two rows of pictures, the last ROWS of what is summed, the last FOURS rows of sums of four, sums of a window's
 * rows, fours of their columns, slopes. */
static size_t scratch(const struct node_ctx *n, struct rect r)
{
	if (!((const struct regrain *)n->v)->through) return 0;
	return ((2 + SUMS * (ROWS + FOURS + 2)) * wide_of(rect_w(r)) + pitch_of(rect_w(r))) * sizeof(float);
}

static double flops(const struct node_ctx *n)
{ return ((const struct regrain *)n->v)->through ? 3.0 * (2 * SUMS * (2 * RADIUS + 1) + 20) : 12; }

/* The slope where the picture says nothing about it is what keeps black and takes b to a. */
IN_INLINE float slope_of(float b, float a, float bb, float ab)
{
	const float k = 1.0f / ((2 * RADIUS + 1) * (2 * RADIUS + 1)), little = 1e-5f, most = 8.0f;
	float mb = k * b, ma = k * a, var = k * bb - mb * mb, cov = k * ab - mb * ma;
	var = var > 0 ? var : 0;
	float flat = (ma * mb + 1e-4f) / (mb * mb + 1e-4f);
	float j = (cov + little * flat) / (var + little);
	j = j > 0 ? j : 0;
	return j < most ? j : most;
}

#define VNF(p) (*(const vnf *)(const void *)(p))

/* Parts of the scratch. Worker's own. */
struct room { float *b, *a, *rows, *fours, *down, *across, *slopes; size_t wide; };

static struct room room_of(float *scratch, int w)
{
	size_t wide = wide_of(w);
	struct room g = { .b = scratch, .a = scratch + wide, .rows = scratch + 2 * wide, .wide = wide };
	g.fours = g.rows + SUMS * ROWS * wide;
	g.down = g.fours + SUMS * FOURS * wide;
	g.across = g.down + SUMS * wide;
	g.slopes = g.across + SUMS * wide;
	return g;
}

/* Sum s of row t of those that windows read: what is summed, into rows; with part 1 the four that it ends, too; with
 * part 2 the sums of the window's rows that it ends. */
IN_INLINE void fall_of(const struct room *g, int s, int t, int part)
{
	const float *b = g->b, *a = g->a;
	const size_t wide = g->wide;
	float *row[ROWS], *four[5], *down = g->down + (size_t)s * g->wide;
	for (int i = 0; i < ROWS; i++) row[i] = g->rows + (size_t)(s * ROWS + ((t - 3 + i) & (ROWS - 1))) * g->wide;
	for (int i = 0; i < 4; i++) four[i] = g->fours + (size_t)(s * FOURS + ((t + 4 * i) & (FOURS - 1))) * g->wide;
	four[4] = g->fours + (size_t)(s * FOURS + ((t - 3) & (FOURS - 1))) * g->wide;
	for (size_t x = 0; x < wide; x += IN_LANES) {
		vnf p = VNF(b + x), q = VNF(a + x);
		vnf v = p;
		if (s == 1) v = q;
		if (s == 2) v = p * p;
		if (s == 3) v = q * p;
		*(vnf *)(row[3] + x) = v;
		if (part < 1) continue;
		*(vnf *)(four[4] + x) = (VNF(row[0] + x) + VNF(row[1] + x)) + (VNF(row[2] + x) + v);
		if (part < 2) continue;
		*(vnf *)(down + x) = ((VNF(four[0] + x) + VNF(four[1] + x)) + (VNF(four[2] + x) + VNF(four[3] + x))) + v;
	}
}

static IN_NOINLINE void fall(const struct room *g, int t)
{
	if (t >= SPAN - 1) fall_of(g, 0, t, 2), fall_of(g, 1, t, 2), fall_of(g, 2, t, 2), fall_of(g, 3, t, 2);
	else if (t >= 3) fall_of(g, 0, t, 1), fall_of(g, 1, t, 1), fall_of(g, 2, t, 1), fall_of(g, 3, t, 1);
	else fall_of(g, 0, t, 0), fall_of(g, 1, t, 0), fall_of(g, 2, t, 0), fall_of(g, 3, t, 0);
}

/* Row y of both pictures, edges held, as row t of those that the tile's windows read. */
static void next_row(const struct call *c, int ch, int y, struct rect r, const struct room *g, int t)
{
	struct rect data = c->n->in[0]->data;
	int n = rect_w(r) + 2 * RADIUS, yy = px_edge(y, data.y0, data.y1, EDGES_HOLD);
	px_blur_fetch(&c->in[NEUTRAL], ch, yy, r.x0 - RADIUS, n, data, EDGES_HOLD, g->b);
	px_blur_fetch(&c->in[IMAGE], ch, yy, r.x0 - RADIUS, n, data, EDGES_HOLD, g->a);
	for (size_t x = (size_t)n; x < g->wide; x++) g->b[x] = g->a[x] = 0;
	fall(g, t);
}

static IN_NOINLINE void fours_across(const float *v, size_t n, float *to)
{
	for (size_t x = 0; x < n; x += IN_LANES)
		*(vnf *)(to + x) = (VNF(v + x) + VNF(v + x + 1)) + (VNF(v + x + 2) + VNF(v + x + 3));
}

IN_INLINE float span(const float *f, const float *v)
{ return ((f[0] + f[4]) + (f[8] + f[12])) + v[16]; }

/* Slopes of the grade over a row of w pixels, whose windows' rows are summed. */
static IN_NOINLINE void slopes(const struct room *g, int w)
{
	const size_t wide = g->wide;
	const float *IN_RESTRICT f = g->across, *IN_RESTRICT v = g->down;
	float *IN_RESTRICT j = g->slopes;
	for (size_t s = 0; s < SUMS; s++) fours_across(v + s * wide, pitch_of(w + 12), g->across + s * wide);
	for (int x = 0; x < w; x++)
		j[x] = slope_of(span(f + x, v + x), span(f + wide + x, v + wide + x),
		                span(f + 2 * wide + x, v + 2 * wide + x), span(f + 3 * wide + x, v + 3 * wide + x));
}

/* Where nothing was changed the original comes back as it was, bit for bit. */
IN_INLINE float put_back(float image, float original, float neutral, float slope)
{ return image == neutral ? original : image + (original - neutral) * slope; }

static void row(const struct call *c, int ch, struct rect r, int y, const float *IN_RESTRICT j, float amount)
{
	const float *IN_RESTRICT a = view_at(&c->in[IMAGE], ch, r.x0, y),
		*IN_RESTRICT o = view_at(&c->in[ORIGINAL], ch, r.x0, y);
	const float *IN_RESTRICT b = view_at(&c->in[NEUTRAL], ch, r.x0, y);
	float *IN_RESTRICT out = view_at(c->out, ch, r.x0, y);
	int n = rect_w(r);
	if (amount != 1.0f) {
		for (int x = 0; x < n; x++) out[x] = a[x] + (o[x] - b[x]) * (j ? amount * j[x] : amount);
	} else if (j) {
		for (int x = 0; x < n; x++) out[x] = put_back(a[x], o[x], b[x], j[x]);
	} else {
		for (int x = 0; x < n; x++) out[x] = put_back(a[x], o[x], b[x], 1.0f);
	}
}

static int tile(const struct call *c, struct rect r)
{
	const struct regrain *p = c->n->v;
	struct room g = { 0 };
	if (p->through) g = room_of(c->scratch, rect_w(r));
	for (int ch = 0; ch < 3; ch++) {
		for (int t = 0; p->through && t < SPAN - 1; t++) next_row(c, ch, r.y0 - RADIUS + t, r, &g, t);
		for (int y = r.y0; y < r.y1; y++) {
			if (p->through) {
				next_row(c, ch, y + RADIUS, r, &g, y - r.y0 + SPAN - 1);
				slopes(&g, rect_w(r));
			}
			row(c, ch, r, y, g.slopes, (float)p->amount);
		}
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
	}
	return 0;
}

const struct node_type ISA(node_regrain) = {
	.name = "regrain", .doc = "Puts the grain that a clip had back, as it was.",
	.more = "out = in + amount J (original - neutral), in the display encoding (ACEScct for "
	        "scene-linear sources): original is the clip as it came, neutral what degrain made of "
	        "it, in the result of everything done to neutral since. With amount 1 a value of in "
	        "that still is neutral's comes out as original's, bit for bit: where nothing was "
	        "changed nothing is lost. through=\"yes\" takes J as the slope of what was done, by "
	        "regression of in on neutral over 17x17 pixels, 0 to 8, and in flat areas by their "
	        "ratio; otherwise J is 1. All pictures have one size: after an upscale grain is made "
	        "new (grain with profile=). Stands where grain stands: last, after every AI process.",
	.category = "image", .version = 2, .size = sizeof(struct regrain), .params = params,
	.inputs = "image original neutral mask?", .flags = NF_RGB | NF_MASKED, .traits = TR_GRAIN,
		.want = WANT_ENCODED,
	.example = "<regrain id=\"grained\" in=\"graded\" original=\"plate\" neutral=\"clean\" through=\"yes\"/>",
	.open = open_profile, .format = format, .needs = needs, .identity = identity,
		.scratch = scratch, .flops = flops,
	.tile = tile,
};
