/* nn_shape - what each layer of a network makes: channels, grid, window, reach and cost.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "mathx.h"
#include "nn_int.h"

enum { ALIGN_MAX = 64, KERNEL_MAX = 128 };

struct shaper { struct nn_model *m; const char *name; struct err *e; double *reach; };

static int bad(const struct shaper *s, const struct nn_layer *l, const char *what)
{
	return err_set(s->e, E_INPUT, "%s: layer '%s' (%s): %s", s->name, l->name, l->type, what);
}

static void reduce(struct nn_blob *b)
{
	for (int d = 2; d <= b->num && d <= b->den; d++)
		while (b->num % d == 0 && b->den % d == 0) b->num /= d, b->den /= d;
}

/* Windows begin and end at whole pixels of every grid: the input's at multiples of all denominators. */
static int align(const struct shaper *s, const struct nn_layer *l, int den)
{
	int a = s->m->align, n = a;
	while (n % den) n += a;
	s->m->align = n;
	return n > ALIGN_MAX ? bad(s, l, "grids that share no pixels within 64") : 0;
}

/* The grid num / den times finer; the window is the caller's. */
static int grid(const struct shaper *s, const struct nn_layer *l, struct nn_blob *o, int num, int den)
{
	o->num *= num;
	o->den *= den;
	reduce(o);
	if (o->num > NN_MAX_SCALE || o->den > NN_MAX_SCALE)
		return bad(s, l, "a grid more than 16 times finer or coarser");
	return align(s, l, o->den);
}

static int scale(const struct shaper *s, const struct nn_layer *l, struct nn_blob *o, int num, int den)
{
	if ((o->lead * num) % den || (o->trail * num) % den) return bad(s, l, "a window that falls between pixels");
	o->lead = o->lead * num / den;
	o->trail = o->trail * num / den;
	o->shift = o->shift * num / den;
	return grid(s, l, o, num, den);
}

/* Down to a whole number; thirds of a pixel are not exact. */
static int whole(double v) { return (int)mx_floor(v + 1e-6); }

/* A kernel that moves over the input: outputs stand where its middle is nearest to theirs. */
static int slide(const struct shaper *s, struct nn_layer *l, const struct nn_blob *a, struct nn_blob *o)
{
	int eff = (l->k - 1) * l->dilation + 1, st = l->stride, lost = a->lead + a->trail + eff -
		l->pad - l->pad_end;
	if (eff > KERNEL_MAX) return bad(s, l, "a kernel wider than 128 pixels");
	o->lead = whole((a->lead - l->pad + (eff - st) * 0.5 + a->shift) / st + 0.5);
	o->trail = (l->ceil ? nn_div(lost, st) : -nn_div(-lost, st)) - 1 - o->lead;
	l->off = a->lead - l->pad - o->lead * st;
	o->shift = (l->off + (eff - st) * 0.5 + a->shift) / st;
	int before = -l->off, behind = l->off + eff - 1;
	s->reach[l->out] += (double)(before > behind ? before : behind) * a->den / a->num;
	return grid(s, l, o, 1, st);
}

static int spread(const struct shaper *s, struct nn_layer *l, const struct nn_blob *a, struct nn_blob *o)
{
	int eff = (l->k - 1) * l->dilation + 1, st = l->stride;
	if (eff > KERNEL_MAX || l->extra < 0 || l->extra > st)
		return bad(s, l, "a kernel or output padding out of range");
	l->off = whole(a->shift * st + (st - eff) * 0.5);
	o->shift = a->shift * st + (st - eff) * 0.5 - l->off;
	o->lead = a->lead * st + l->pad + l->off;
	o->trail = (a->lead + a->trail + 1) * st - eff + l->pad + l->pad_end - l->extra - o->lead;
	s->reach[l->out] += (double)(eff / st) * a->den / a->num;
	return grid(s, l, o, st, 1);
}

static int shape_conv(const struct shaper *s, struct nn_layer *l, const struct nn_blob *a, struct nn_blob *o)
{
	int g = l->group;
	if (l->num * g != a->c || l->cout % g) {
		char what[120];
		snprintf(what, sizeof what,
		         "its weights are for %d channels in %d groups, its input has %d",
		         l->num * g, g, a->c);
		return bad(s, l, what);
	}
	if (l->inner && !a->vec) return bad(s, l, "a product over all pixels, which has one size of picture");
	if (a->vec && (l->op != NN_CONV || l->k != 1 || l->pad || l->pad_end || l->stride != 1))
		return bad(s, l, "a kernel on what has no pixels");
	if (!a->vec && (l->op == NN_CONV ? slide(s, l, a, o) : spread(s, l, a, o)) < 0) return -1;
	o->c = l->cout;
	double taps = (double)l->k * l->k / (l->op == NN_DECONV ? l->stride * l->stride : 1);
	if (!a->vec) s->m->mac += taps * l->cout * l->num * o->num * o->num / o->den / o->den;
	return 0;
}

static int shape_pool(const struct shaper *s, struct nn_layer *l, const struct nn_blob *a, struct nn_blob *o)
{
	if (a->vec) return bad(s, l, "a kernel on what has no pixels");
	if (l->pad >= l->k || l->pad_end >= l->k || l->stride > l->k)
		return bad(s, l, "padding or a stride beyond its kernel");
	int lost = a->lead + a->trail + l->k - l->pad - l->pad_end;
	if (l->ceil && l->how == NN_POOL_AVG_ALL && nn_div(lost, l->stride) * l->stride != lost)
		return bad(s, l, "a last window that is not whole, with its padding counted");
	return slide(s, l, a, o);
}

/* All inputs on one grid and window, or without pixels beside such; sums of sizes for Concat. */
static int shape_join(const struct shaper *s, struct nn_layer *l, struct nn_blob *o)
{
	int sum = 0;
	for (int i = 0; i < l->nin; i++)
		if (!s->m->blob[l->in[i]].vec && o->vec) *o = s->m->blob[l->in[i]];
	for (int i = 0; i < l->nin; i++) {
		const struct nn_blob *b = &s->m->blob[l->in[i]];
		bool beside = b->vec && (o->vec || l->op == NN_BINARY);
		if (!beside && (b->vec || b->num != o->num || b->den != o->den || b->lead != o->lead ||
		                b->trail != o->trail))
			return bad(s, l, "inputs of different sizes");
		if (l->op == NN_BINARY && b->c != o->c) return bad(s, l, "inputs of different channel counts");
		if (s->reach[l->in[i]] > s->reach[l->out]) s->reach[l->out] = s->reach[l->in[i]];
		sum += b->c;
	}
	if (l->op == NN_CONCAT) o->c = sum;
	return o->c > NN_MAX_CHANNELS ? bad(s, l, "more than 1024 channels") : 0;
}

static int shape_slice(const struct shaper *s, struct nn_layer *l, const struct nn_blob *a, struct nn_blob *o)
{
	if (l->cout < 0) {
		int n = -l->cout;
		if (a->c % n) return bad(s, l, "a channel count that falls into no equal parts");
		l->cout = a->c / n;
		l->first *= l->cout;
	}
	if (l->cout == 0) l->cout = a->c - l->first;              /* to the end */
	if (l->first < 0 || l->cout < 1 || l->first > a->c - l->cout)
		return bad(s, l, "channels that its input does not have");
	o->c = l->cout;
	return 0;
}

static int shape_pad(const struct shaper *s, const struct nn_layer *l, const struct nn_blob *a,
                     struct nn_blob *o)
{
	if (a->vec) return bad(s, l, "a border around what has no pixels");
	o->lead -= l->pad;
	o->trail -= l->pad_end;
	return 0;
}

/* Between pixels and channels: SHUFFLE, UNSHUFFLE, INTERP. */
static int shape_move(const struct shaper *s, const struct nn_layer *l, const struct nn_blob *a,
                      struct nn_blob *o)
{
	int f = l->stride;
	if (a->vec) return bad(s, l, "pixels of what has none");
	if (l->op == NN_INTERP) {
		s->reach[l->out] += (l->how == NN_BICUBIC ? 2.0 : l->how == NN_BILINEAR ? 1.0 : 0.0) * a->den / a->num;
		return scale(s, l, o, l->num, l->den);
	}
	if (l->op == NN_UNSHUFFLE) {
		o->c = a->c * f * f;
		s->reach[l->out] += (double)(f - 1) * a->den / a->num;
		return scale(s, l, o, 1, f);
	}
	if (a->c % (f * f)) return bad(s, l, "a channel count that its factor does not divide");
	o->c /= f * f;
	return scale(s, l, o, f, 1);
}

static int shape_channels(const struct shaper *s, const struct nn_layer *l, const struct nn_blob *a)
{
	size_t c = (size_t)a->c;
	if (l->op == NN_ACT && l->act == NN_SLOPES && l->slopes.n != 1 && l->slopes.n != c)
		return bad(s, l, "as many slopes as its input has channels are wanted");
	if (l->op == NN_AFFINE && ((l->w.n && l->w.n != c) || (l->bias.n && l->bias.n != c)))
		return bad(s, l, "as many numbers as its input has channels are wanted");
	return 0;
}

static int shape_op(const struct shaper *s, struct nn_layer *l, const struct nn_blob *a, struct nn_blob *o)
{
	switch (l->op) {
	case NN_INPUT: o->c = s->m->blob[l->out].c; return 0;
	case NN_CONV: case NN_DECONV: return shape_conv(s, l, a, o);
	case NN_ACT: case NN_AFFINE: return shape_channels(s, l, a);
	case NN_SHUFFLE: case NN_UNSHUFFLE: case NN_INTERP: return shape_move(s, l, a, o);
	case NN_BINARY: case NN_CONCAT: return shape_join(s, l, o);
	case NN_PAD: return shape_pad(s, l, a, o);
	case NN_POOL: return shape_pool(s, l, a, o);
	case NN_SLICE: return shape_slice(s, l, a, o);
	case NN_MEAN:
		if (a->vec) return bad(s, l, "a mean of what has no pixels");
		*o = (struct nn_blob){ .c = a->c, .num = 1, .den = 1, .vec = true };
		s->m->whole = true;
	}
	return 0;
}

int nn_shape_layer(struct nn_model *m, struct nn_layer *l, double *reach, const char *name, struct err *e)
{
	const struct shaper s = { m, name, e, reach };
	const struct nn_blob *a = l->nin ? &m->blob[l->in[0]] : NULL;
	struct nn_blob o = a ? *a : (struct nn_blob){ .num = 1, .den = 1 };
	reach[l->out] = a ? reach[l->in[0]] : 0;
	if (shape_op(&s, l, a, &o) < 0) return -1;
	if (o.lead > NN_MAX_PAD || o.trail > NN_MAX_PAD || o.lead < -NN_MAX_PAD || o.trail < -NN_MAX_PAD)
		return bad(&s, l, "padding that makes the picture larger, or windows that shrink without end");
	if (o.c < 1 || o.c > NN_MAX_CHANNELS) return bad(&s, l, "a wrong number of channels");
	o.uses = m->blob[l->out].uses;
	m->blob[l->out] = o;
	return 0;
}
