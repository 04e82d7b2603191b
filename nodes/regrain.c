/* regrain - puts the grain that a clip had back, as it was.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "grain_profile.h"
#include "node.h"
#include "px_slopes.h"

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
	struct rect wide = ((const struct regrain *)n->v)->through ? px_slopes_reads(r) : r;
	need_add(out, IMAGE, frame, wide);
	need_add(out, ORIGINAL, frame, r);
	need_add(out, NEUTRAL, frame, wide);
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{ return ((const struct regrain *)n->v)->through ? px_slopes_floats(r) * sizeof(float) : 0; }

static double flops(const struct node_ctx *n) { return ((const struct regrain *)n->v)->through ? 90 : 12; }

/* A row of pictures, and the slopes: near + part (far - near). */
struct row { const float *image, *original, *neutral, *near, *far; float *out, part, amount; };

/* Where nothing was changed the original comes back as it was, bit for bit. */
IN_INLINE void put(const struct row *r, int n, bool through, bool whole)
{
	const float *IN_RESTRICT a = r->image, *IN_RESTRICT o = r->original, *IN_RESTRICT b = r->neutral;
	const float *IN_RESTRICT near = r->near, *IN_RESTRICT far = r->far;
	float *IN_RESTRICT out = r->out;
	const float part = r->part, amount = r->amount;
	for (int x = 0; x < n; x++) {
		float j = through ? near[x] + part * (far[x] - near[x]) : 1.0f;
		float v = a[x] + (o[x] - b[x]) * (whole ? j : amount * j);
		out[x] = whole && a[x] == b[x] ? o[x] : v;
	}
}

static IN_NOINLINE void put_through(const struct row *r, int n) { put(r, n, true, true); }
static IN_NOINLINE void put_part(const struct row *r, int n)
{
	if (r->near) put(r, n, true, false);
	else put(r, n, false, false);
}
static IN_NOINLINE void put_back(const struct row *r, int n) { put(r, n, false, true); }

static void channel(const struct call *c, struct rect r, int ch)
{
	const struct regrain *p = c->n->v;
	struct px_slopes s = { 0 };
	struct row to = { .amount = (float)p->amount };
	if (p->through) px_slopes_begin(&s, &c->in[NEUTRAL], &c->in[IMAGE], ch, c->n->in[0]->data, r, c->scratch);
	for (int y = r.y0; y < r.y1; y++) {
		if (p->through) to.part = px_slopes_row(&s, y, &to.near, &to.far);
		to.image = view_at(&c->in[IMAGE], ch, r.x0, y);
		to.original = view_at(&c->in[ORIGINAL], ch, r.x0, y);
		to.neutral = view_at(&c->in[NEUTRAL], ch, r.x0, y);
		to.out = view_at(c->out, ch, r.x0, y);
		(to.amount != 1.0f ? put_part : p->through ? put_through : put_back)(&to, rect_w(r));
	}
}

static int tile(const struct call *c, struct rect r)
{
	for (int ch = 0; ch < 3; ch++) {
		channel(c, r, ch);
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
	        "regression of in on neutral over 16x16 pixels about every fourth pixel each way, 0 to 8, "
	        "linear between them, and in flat areas by their ratio; otherwise J is 1. All pictures have one size: after an upscale grain is made "
	        "new (grain with profile=). Stands where grain stands: last, after every AI process.",
	.category = "image", .version = 3, .size = sizeof(struct regrain), .params = params,
	.inputs = "image original neutral mask?", .flags = NF_RGB | NF_MASKED, .traits = TR_GRAIN,
		.want = WANT_ENCODED,
	.example = "<regrain id=\"grained\" in=\"graded\" original=\"plate\" neutral=\"clean\" through=\"yes\"/>",
	.open = open_profile, .format = format, .needs = needs, .identity = identity,
		.scratch = scratch, .flops = flops,
	.tile = tile,
};
