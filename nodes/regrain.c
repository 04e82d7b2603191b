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

/* Sums over a window of the picture before and after the grade: b, a, b b, a b. */
enum { SUMS = 4 };

static size_t pitch_of(int w) { return ((size_t)w + 15) & ~(size_t)15; }

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	if (!((const struct regrain *)n->v)->through) return 0;
	size_t wide = pitch_of(rect_w(r) + 2 * RADIUS), rows = (size_t)(rect_h(r) + 2 * RADIUS),
		pitch = pitch_of(rect_w(r));
	return (SUMS * wide + SUMS * rows * pitch + (SUMS + 1) * pitch) * sizeof(float);
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

/* to[x]: sum of from[x], from[x + step] ... over the window, in this order. */
static IN_NOINLINE void window_sums(const float *from, size_t step, int w, float *IN_RESTRICT to)
{
	int x = 0;
	for (; x + 4 * IN_LANES <= w; x += 4 * IN_LANES) {
		vnf acc[4] = { { 0 } };
		for (int i = 0; i <= 2 * RADIUS; i++)
			for (int b = 0; b < 4; b++)
				acc[b] += *(const vnf *)(const void *)(from + (size_t)i * step + x + b * IN_LANES);
		for (int b = 0; b < 4; b++) *(vnf *)(void *)(to + x + b * IN_LANES) = acc[b];
	}
	for (; x < w; x++) {
		float sum = 0;
		for (int i = 0; i <= 2 * RADIUS; i++) sum += from[(size_t)i * step + (size_t)x];
		to[x] = sum;
	}
}

/* Slopes of the grade in channel ch over row y of the tile, from sums of rows that were summed across. */
static void slopes(const float *bands, size_t band, size_t pitch, int from, int w,
                   float *IN_RESTRICT sums, float *IN_RESTRICT j)
{
	for (int s = 0; s < SUMS; s++)
		window_sums(bands + (size_t)s * band + (size_t)from * pitch, pitch, w, sums + (size_t)s * pitch);
	for (int x = 0; x < w; x++)
		j[x] = slope_of(sums[x], sums[pitch + (size_t)x], sums[2 * pitch + (size_t)x],
		                sums[3 * pitch + (size_t)x]);
}

/* Products of a row of both pictures, edges held, summed across the window. */
static void across(const struct call *c, int ch, int y, struct rect r, float *IN_RESTRICT line, size_t wide,
                   float *bands, size_t band)
{
	struct rect data = c->n->in[0]->data;
	int w = rect_w(r), n = w + 2 * RADIUS, yy = px_edge(y, data.y0, data.y1, EDGES_HOLD);
	float *IN_RESTRICT b = line, *IN_RESTRICT a = line + wide, *IN_RESTRICT bb = line + 2 * wide,
		*IN_RESTRICT ab = line + 3 * wide;
	px_blur_fetch(&c->in[NEUTRAL], ch, yy, r.x0 - RADIUS, n, data, EDGES_HOLD, b);
	px_blur_fetch(&c->in[IMAGE], ch, yy, r.x0 - RADIUS, n, data, EDGES_HOLD, a);
	for (int x = 0; x < n; x++) {
		bb[x] = b[x] * b[x];
		ab[x] = a[x] * b[x];
	}
	for (int s = 0; s < SUMS; s++) window_sums(line + (size_t)s * wide, 1, w, bands + (size_t)s * band);
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
	size_t wide = pitch_of(rect_w(r) + 2 * RADIUS), pitch = pitch_of(rect_w(r));
	size_t band = (size_t)(rect_h(r) + 2 * RADIUS) * pitch;
	float *line = c->scratch, *bands = line + SUMS * wide, *sums = bands + SUMS * band, *j = sums + SUMS * pitch;
	for (int ch = 0; ch < 3; ch++) {
		for (int y = r.y0 - RADIUS; p->through && y < r.y1 + RADIUS; y++)
			across(c, ch, y, r, line, wide, bands + (size_t)(y - r.y0 + RADIUS) * pitch, band);
		for (int y = r.y0; y < r.y1; y++) {
			if (p->through) slopes(bands, band, pitch, y - r.y0, rect_w(r), sums, j);
			row(c, ch, r, y, p->through ? j : NULL, (float)p->amount);
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
	.category = "image", .version = 1, .size = sizeof(struct regrain), .params = params,
	.inputs = "image original neutral mask?", .flags = NF_RGB | NF_MASKED, .traits = TR_GRAIN,
		.want = WANT_ENCODED,
	.example = "<regrain id=\"grained\" in=\"graded\" original=\"plate\" neutral=\"clean\" through=\"yes\"/>",
	.open = open_profile, .format = format, .needs = needs, .identity = identity,
		.scratch = scratch, .flops = flops,
	.tile = tile,
};
