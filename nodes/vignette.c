/* vignette - light lost towards the corners, as a lens loses it, or put back.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"
#include "px_math.h"

struct vignette { double amount, shape, centre[2]; int inverse; };

static const struct param params[] = {
	P_FLOAT(vignette, amount, 0.3, -1, 0.95, "share",
	        "Share of light lost in the corners of a picture centred on them; 0 does nothing, below 0 "
	        "brightens."),
	P_FLOAT(vignette, shape, 1, 0.25, 8, "power",
	        "1 is a lens's own falloff; above 1 leaves the middle alone and falls late, below 1 falls "
	        "at once."),
	P_VEC2(vignette, centre, 0.5, 0.5, -1, 2, "share",
	       0, "Where nothing is lost, in shares of the frame's width and height."),
	P_BOOL(vignette, inverse, 0, 0,
	       "Divides instead of multiplying: takes away the vignette that a lens has left."),
	P_END
};

static bool identity(const struct node_ctx *n)
{
	const struct vignette *p = n->v;
	return p->amount == 0;
}

static double flops(const struct node_ctx *n)
{
	const struct vignette *p = n->v;
	return p->shape == 1 ? 15 : 90;
}

/* Squared distance from the centre in half diagonals, along one axis: (at + 0.5) * step + start, squared. */
struct axis { float step, start; };

static struct axis axis_of(double size, double unit, double lo, double centre)
{
	return (struct axis){ (float)unit, (float)((0.5 - lo - centre * size) * unit) };
}

/* n pixels of a row of three channels, a lens's own falloff; across: squared distances. */
static void fall_off(const struct call *c, const float *IN_RESTRICT across, float down, float a, int x0, int y, int n)
{
	const float *r = view_at(&c->in[0], 0, x0, y), *g = view_at(&c->in[0], 1, x0, y), *b = view_at(&c->in[0], 2, x0, y);
	float *p = view_at(c->out, 0, x0, y), *q = view_at(c->out, 1, x0, y), *s = view_at(c->out, 2, x0, y);
	IN_IVDEP
	for (int i = 0; i < n; i++) {
		float t = px_max(1.0f + a * (across[i] + down), 0.05f), gain = 1.0f / (t * t);
		p[i] = r[i] * gain;
		q[i] = g[i] * gain;
		s[i] = b[i] * gain;
	}
}

static int tile(const struct call *c, struct rect r)
{
	const struct vignette *p = c->n->v;
	const struct format *f = c->n->out;
	double par = f->par.den ? (double)f->par.num / f->par.den : 1;
	double w = rect_w(f->display), h = rect_h(f->display);
	double unit = 2 / __builtin_sqrt(w * par * w * par + h * h);
	struct axis ax = axis_of(w, unit * par, f->display.x0, p->centre[0]);
	struct axis ay = axis_of(h, unit, f->display.y0, p->centre[1]);
	const float a = (float)(1 / __builtin_sqrt(1 - p->amount) - 1), shape = (float)p->shape;
	const int n = rect_w(r);
	const bool inverse = p->inverse, curved = p->shape != 1;
	float *IN_RESTRICT gain = c->scratch, *IN_RESTRICT across = gain + n;
	for (int i = 0; i < n; i++) {
		float dx = (float)(r.x0 + i) * ax.step + ax.start;
		across[i] = dx * dx;
	}
	for (int y = r.y0; y < r.y1; y++) {
		float dy = (float)y * ay.step + ay.start;
		if (!curved && !inverse && c->out->nch == 3) { fall_off(c, across, dy * dy, a, r.x0, y, n); continue; }
		if (curved) for (int i = 0; i < n; i++) gain[i] = px_pow(across[i] + dy * dy, shape);
		for (int i = 0; i < n; i++) {
			float t = px_max(1.0f + a * (curved ? gain[i] : across[i] + dy * dy), 0.05f);
			gain[i] = inverse ? t * t : 1.0f / (t * t);
		}
		for (int k = 0; k < c->out->nch; k++) {
			const float *s = view_at(&c->in[0], k, r.x0, y);
			float *d = view_at(c->out, k, r.x0, y);
			IN_IVDEP
			for (int i = 0; i < n; i++) d[i] = s[i] * gain[i];
		}
	}
	return 0;
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	(void)n;
	return 2 * (size_t)rect_w(r) * sizeof(float);
}

const struct node_type ISA(node_vignette) = {
	.name = "vignette", .doc = "Light lost towards the corners, as a lens loses it, or put back.",
	.more = "out = in / (1 + a d^(2 shape))^2, with d the distance from the centre in half diagonals of "
	        "the frame (circles in the picture as shown, pixel aspect counted) and a = 1 / sqrt(1 - "
	        "amount) - 1, so that a corner keeps 1 - amount. With shape 1 that is cos^4 of the angle at "
	        "which light comes in, the natural falloff of a lens. In linear light; no colour shifts. "
	        "inverse multiplies by the same term and so restores what the same settings took.",
	.category = "image", .version = 1, .size = sizeof(struct vignette), .params = params,
	.inputs = "image mask?", .flags = NF_RGB | NF_PREMULT | NF_MASKED, .traits = TR_GRADE,
	.want = WANT_LINEAR,
	.example = "<vignette id=\"corners\" in=\"graded\" amount=\"0.25\"/>",
	.identity = identity, .flops = flops, .scratch = scratch, .in_place = node_in_place, .tile = tile,
};
