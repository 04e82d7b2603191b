/* nn_onnx_ops - ONNX operators as layers (onnx/docs/Operators.md).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "nn_onnx.h"

/* The blob that input i is; -1 with an error. */
static int blob(struct onnx *g, const struct onnx_node *n, int i)
{
	const struct onnx_value *v = i < n->nin ? onnx_find(g, n->in[i]) : NULL;
	if (!v) return onnx_bad(g, n, "reads what no node before it makes");
	if (v->blob < 0) return onnx_bad(g, n, "a constant where a picture is wanted");
	if (v->rows) return onnx_bad(g, n, "a picture cut down but not across");
	return v->blob;
}

static bool is_blob(const struct onnx *g, const struct onnx_node *n, int i)
{
	const struct onnx_value *v = i < n->nin ? onnx_find(g, n->in[i]) : NULL;
	return v && v->blob >= 0;
}

static void text(char *to, size_t size, struct pb from)
{
	size_t n = pb_size(from) < size - 1 ? pb_size(from) : size - 1;
	for (size_t i = 0; i < n; i++) to[i] = from.p[i] > 32 && from.p[i] < 127 ? (char)from.p[i] : '_';
	to[n] = 0;
}

/* A layer over input 0 that makes result i; NULL with an error. */
static struct nn_layer *layer_of(struct onnx *g, const struct onnx_node *n, int i, enum nn_op op)
{
	struct nn_model *m = g->m;
	int in = op == NN_CONCAT || op == NN_BINARY ? 0 : blob(g, n, 0);
	if (in < 0) return NULL;
	if (n->nout <= i) { onnx_bad(g, n, "a wrong number of results"); return NULL; }
	if (m->nblob >= NN_MAX_BLOBS || m->nlayer >= NN_MAX_LAYERS) {
		onnx_bad(g, n, "too many layers");
		return NULL;
	}
	struct nn_layer *l = &m->layer[m->nlayer];
	*l = (struct nn_layer){ .op = op, .num = 1, .den = 1, .k = 1, .stride = 1, .dilation = 1,
		.group = 1, .nin = 1,
		.in = { in }, .out = m->nblob };
	for (int k = 0; k < NN_MAX_IN; k++) l->coef[k] = 1;
	text(l->type, sizeof l->type, n->type);
	text(l->name, sizeof l->name, pb_size(n->name) ? n->name : n->out[0]);
	m->blob[m->nblob] = (struct nn_blob){ .num = 1, .den = 1 };
	if (onnx_value_add(g, n->out[i], m->nblob, -1) < 0) return NULL;
	m->nblob++;
	m->nlayer++;
	return l;
}

/* Where a tensor's numbers lie in the file. */
static int place(struct onnx *g, const struct onnx_node *n, const struct onnx_tensor *t, struct nn_data *d)
{
	if (!t->raw || (t->type != ONNX_FLOAT && t->type != ONNX_HALF) || !t->n ||
	    pb_size(t->data) != t->n * (t->type == ONNX_HALF ? 2 : 4))
		return onnx_bad(g, n, "weights that are neither plain nor half floats, or missing");
	*d = (struct nn_data){ (uint64_t)(t->data.p - g->file), (size_t)t->n, t->type == ONNX_HALF };
	g->m->params += t->n;
	return 0;
}

/* The same on both axes, or an error. */
static int square(struct onnx *g, const struct onnx_node *n, const char *name, int def, int hi, int *out)
{
	int64_t v[2];
	int c = onnx_ints(n, name, v, 2);
	*out = def;
	if (c == 0) return 0;
	if (c != 2 || v[0] != v[1])
		return onnx_bad(g, n, "a kernel, stride or dilation that differs across and down");
	if (v[0] < 1 || v[0] > hi) return onnx_bad(g, n, "a kernel, stride or dilation out of range");
	*out = (int)v[0];
	return 0;
}

/* pads: top, left, bottom, right. */
static int pads(struct onnx *g, const struct onnx_node *n, struct nn_layer *l)
{
	int64_t v[4] = { 0 };
	int c = onnx_ints(n, "pads", v, 4);
	struct pb mode = onnx_text(n, "auto_pad", "NOTSET");
	if (pb_is(mode, "SAME_UPPER") && l->stride == 1 && l->op != NN_DECONV && (l->k - 1) * l->dilation % 2 == 0)
		v[0] = v[1] = v[2] = v[3] = (l->k - 1) * l->dilation / 2;
	else if (!pb_is(mode, "NOTSET") && !pb_is(mode, "VALID"))
		return onnx_bad(g, n, "auto_pad that is not the same on all sides");
	if ((c != 0 && c != 4) || v[0] != v[1] || v[2] != v[3])
		return onnx_bad(g, n, "padding that differs across and down");
	if (v[0] < 0 || v[0] > 64 || v[2] < 0 || v[2] > 64) return onnx_bad(g, n, "padding out of range");
	l->pad = (int)v[0];
	l->pad_end = (int)v[2];
	return 0;
}

static int conv(struct onnx *g, const struct onnx_node *n, enum nn_op op)
{
	const struct onnx_tensor *w = onnx_const(g, n, 1), *b = onnx_const(g, n, 2);
	bool up = op == NN_DECONV;
	int64_t group = onnx_int(n, "group", 1), extra[2] = { 0 };
	struct nn_layer *l = layer_of(g, n, 0, op);
	if (!l) return -1;
	if (!w || w->rank != 4 || (n->nin > 2 && pb_size(n->in[2]) && !b))
		return onnx_bad(g, n, "weights that are no constant");
	if (w->dim[2] != w->dim[3] || w->dim[2] < 1 || w->dim[2] > NN_MAX_KERNEL)
		return onnx_bad(g, n, "a kernel that is not square, or larger than 15");
	if (w->dim[0] < 1 || w->dim[1] < 1 || w->dim[0] > NN_MAX_CHANNELS ||
	    w->dim[1] > NN_MAX_CHANNELS || group < 1 || group > NN_MAX_CHANNELS || w->dim[0] % group)
		return onnx_bad(g, n, "a number of channels or groups out of range: 1 to 1024 are allowed");
	l->k = (int)w->dim[2];
	l->group = (int)group;
	l->flip = up;
	l->cout = (int)(up ? w->dim[1] * group : w->dim[0]);
	l->num = (int)(up ? w->dim[0] / group : w->dim[1]);
	if (l->cout > NN_MAX_CHANNELS) return onnx_bad(g, n, "more than 1024 channels");
	if (square(g, n, "strides", 1, 8, &l->stride) < 0 || square(g, n, "dilations", 1, 16, &l->dilation) < 0 ||
	    pads(g, n, l) < 0) return -1;
	if (up) {
		int c = onnx_ints(n, "output_padding", extra, 2);
		if (onnx_attr(n, "output_shape") || (c != 0 && c != 2) || extra[0] != extra[1] ||
		    extra[0] < 0 || extra[0] > 8)
			return onnx_bad(g, n, "a set size, or output padding that differs across and down");
		l->extra = (int)extra[0];
	}
	if (b && b->n != (uint64_t)l->cout) return onnx_bad(g, n, "a bias that does not fit its channels");
	return place(g, n, w, &l->w) < 0 ? -1 : b ? place(g, n, b, &l->bias) : 0;
}

static int clip(struct onnx *g, const struct onnx_node *n, struct nn_layer *l)
{
	const struct onnx_attr *a = onnx_attr(n, "min"), *b = onnx_attr(n, "max");
	double lo = a ? (double)a->f : -3e38, hi = b ? (double)b->f : 3e38;
	if (onnx_numbers(g, n, 1, &lo, 1) < 0 || onnx_numbers(g, n, 2, &hi, 1) < 0 || !(lo <= hi) ||
	    lo < -3e38 || hi > 3e38)
		return onnx_bad(g, n, "limits that are no constant numbers, or in the wrong order");
	l->act = NN_CLIP;
	l->lo = lo;
	l->hi = hi;
	return 0;
}

static int activation(struct onnx *g, const struct onnx_node *n, int which)
{
	const struct onnx_attr *a = onnx_attr(n, "alpha");
	struct nn_layer *l = layer_of(g, n, 0, NN_ACT);
	if (!l) return -1;
	l->act = which == 3 ? NN_SIGMOID : which == 2 ? NN_SLOPES : NN_SLOPE;
	if (which == 4) return clip(g, n, l);
	if (which == 1) l->lo = a ? (double)a->f : (double)0.01f;
	if (!(l->lo > -1e6 && l->lo < 1e6)) return onnx_bad(g, n, "a slope that is no number");
	if (which != 2) return 0;
	const struct onnx_tensor *t = onnx_const(g, n, 1);
	if (!t || t->n < 1 || t->n > NN_MAX_CHANNELS ||
	    (t->n > 1 && (t->rank < 3 || t->dim[t->rank - 3] != (int64_t)t->n)))
		return onnx_bad(g, n, "slopes that are no constants of channels");
	return place(g, n, t, &l->slopes);
}

/* A constant beside a picture: one number, or one a channel. */
static int with_const(struct onnx *g, const struct onnx_node *n, struct nn_layer *l, int c)
{
	const struct onnx_tensor *t = onnx_const(g, n, c);
	double v;
	if (!t) return onnx_bad(g, n, "reads what no node before it makes");
	if (t->n == 1) {
		if (onnx_numbers(g, n, c, &v, 1) != 1 || !(v > -1e30 && v < 1e30))
			return onnx_bad(g, n, "a constant that is no number");
		if (c == 0 && l->how == NN_DIV) return onnx_bad(g, n, "a constant divided by a picture");
		if (c == 0 && l->how == NN_SUB) l->coef[0] = -1, l->how = NN_ADD;
		l->with_scalar = true;
		l->scalar = v;
		return 0;
	}
	if (t->rank < 3 || t->dim[t->rank - 3] != (int64_t)t->n ||
	    (l->how != NN_ADD && l->how != NN_SUB && l->how != NN_MUL))
		return onnx_bad(g, n, "a constant that is neither one number nor one a channel");
	if (c == 0 && l->how == NN_SUB) return onnx_bad(g, n, "a picture taken from constants of channels");
	l->op = NN_AFFINE;
	l->coef[1] = l->how == NN_SUB ? -1 : 1;
	return place(g, n, t, l->how == NN_MUL ? &l->w : &l->bias);
}

static int binary(struct onnx *g, const struct onnx_node *n, int how)
{
	struct nn_layer *l = layer_of(g, n, 0, NN_BINARY);
	if (!l) return -1;
	l->how = how;
	if (n->nin < 2 || (n->nin > 2 && (how == NN_SUB || how == NN_DIV)))
		return onnx_bad(g, n, "a wrong number of inputs");
	if (n->nin == 2 && !is_blob(g, n, 0)) return (l->in[0] = blob(g, n, 1)) < 0 ? -1 : with_const(g, n, l, 0);
	if ((l->in[0] = blob(g, n, 0)) < 0) return -1;
	if (n->nin == 2 && !is_blob(g, n, 1)) return with_const(g, n, l, 1);
	for (l->nin = 1; l->nin < n->nin; l->nin++)
		if ((l->in[l->nin] = blob(g, n, l->nin)) < 0) return -1;
	return 0;
}

static int concat(struct onnx *g, const struct onnx_node *n, int unused)
{
	int64_t axis = onnx_int(n, "axis", 1);
	struct nn_layer *l = layer_of(g, n, 0, NN_CONCAT);
	(void)unused;
	if (!l) return -1;
	if ((axis != 1 && axis != -3) || n->nin < 1) return onnx_bad(g, n, "along another axis than channels");
	for (l->nin = 0; l->nin < n->nin; l->nin++)
		if ((l->in[l->nin] = blob(g, n, l->nin)) < 0) return -1;
	return 0;
}

static int shuffle(struct onnx *g, const struct onnx_node *n, int op)
{
	int64_t f = onnx_int(n, "blocksize", 0);
	struct pb mode = onnx_text(n, "mode", "DCR");
	struct nn_layer *l = layer_of(g, n, 0, (enum nn_op)op);
	if (!l) return -1;
	if (f < 1 || f > NN_MAX_SCALE) return onnx_bad(g, n, "a block size out of range");
	if (!pb_is(mode, "DCR") && !pb_is(mode, "CRD")) return onnx_bad(g, n, "a mode that is not known");
	l->stride = (int)f;
	l->blocks = pb_is(mode, "DCR");
	return 0;
}

/* Which Resize modes fall together with those that ncnn has. */
static int resize_mode(struct onnx *g, const struct onnx_node *n, struct nn_layer *l, bool old)
{
	struct pb mode = onnx_text(n, "mode", "nearest");
	struct pb at = onnx_text(n, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
	struct pb round = onnx_text(n, "nearest_mode", old ? "floor" : "round_prefer_floor");
	const struct onnx_attr *a = onnx_attr(n, "cubic_coeff_a");
	bool half = pb_is(at, "half_pixel") || pb_is(at, "pytorch_half_pixel");
	if (pb_is(mode, "nearest")) {
		l->how = NN_NEAREST;
		bool near = half && (pb_is(round, "round_prefer_floor") || pb_is(round, "round_prefer_ceil"));
		bool low = pb_is(at, "asymmetric") &&
			(pb_is(round, "floor") || (l->num == 2 && pb_is(round, "round_prefer_floor")));
		return l->den == 1 && (near || low) ? 0
			: onnx_bad(g, n, "a rounding to the nearest pixel that is not known here");
	}
	l->how = pb_is(mode, "linear") || pb_is(mode, "bilinear") ? NN_BILINEAR : NN_BICUBIC;
	if (l->how == NN_BICUBIC && (!pb_is(mode, "cubic") || (a && a->f != -0.75f) ||
	                             onnx_int(n, "exclude_outside", 0)))
		return onnx_bad(g, n, "a kernel that is not known here");
	return half && !onnx_int(n, "antialias", 0) ? 0
		: onnx_bad(g, n, "coordinates that are not half_pixel, or antialias");
}

static int resize(struct onnx *g, const struct onnx_node *n, int old)
{
	double v[4];
	struct nn_layer *l = layer_of(g, n, 0, NN_INTERP);
	if (!l) return -1;
	int at = n->nin == 2 ? 1 : 2, c = onnx_numbers(g, n, at, v, 4);
	old = old || n->nin == 2;
	if (c != 4) return onnx_bad(g, n, "scales that are no four constants (a set size is not read)");
	if (v[0] != 1 || v[1] != 1 || v[2] != v[3]) return onnx_bad(g, n, "scales that differ across and down");
	for (l->den = 1; l->den <= NN_MAX_SCALE; l->den++) {
		double f = v[2] * l->den;
		l->num = f >= 0.5 && f < NN_MAX_SCALE + 0.5 ? (int)(f + 0.5) : 0;
		if (l->num && f - l->num < 1e-5 && l->num - f < 1e-5) return resize_mode(g, n, l, old);
	}
	return onnx_bad(g, n, "a factor that is no ratio up to 16");
}

static int pool(struct onnx *g, const struct onnx_node *n, int how)
{
	int64_t all = onnx_int(n, "count_include_pad", 0);
	struct nn_layer *l = layer_of(g, n, 0, NN_POOL);
	if (!l) return -1;
	if (square(g, n, "kernel_shape", 0, NN_MAX_KERNEL, &l->k) < 0 ||
	    square(g, n, "strides", 1, 8, &l->stride) < 0 ||
	    square(g, n, "dilations", 1, 1, &l->dilation) < 0 || pads(g, n, l) < 0)
		return -1;
	if (l->k < 1) return onnx_bad(g, n, "no kernel");
	l->ceil = onnx_int(n, "ceil_mode", 0) != 0;
	l->how = how == NN_POOL_AVG && all ? NN_POOL_AVG_ALL : how;
	return 0;
}

static int mean(struct onnx *g, const struct onnx_node *n, int reduce)
{
	int64_t a[2] = { 2, 3 };
	double v[2];
	int c = 2;
	if (reduce && (c = onnx_ints(n, "axes", a, 2)) == 0 && (c = onnx_numbers(g, n, 1, v, 2)) == 2)
		a[0] = (int64_t)v[0], a[1] = (int64_t)v[1];
	if (c == 2 && a[0] < 0) a[0] += 4;
	if (c == 2 && a[1] < 0) a[1] += 4;
	if (c != 2 || a[0] != 2 || a[1] != 3 || !onnx_int(n, "keepdims", 1))
		return onnx_bad(g, n, "a mean over other axes than across and down, or one that drops them");
	return layer_of(g, n, 0, NN_MEAN) ? 0 : -1;
}

/* Numbers of an attribute, or of input i in later versions; -1 when they are no constants. */
static int either(struct onnx *g, const struct onnx_node *n, const char *name, int i, double *v, int max)
{
	int64_t a[8];
	int c = onnx_ints(n, name, a, max > 8 ? 8 : max);
	for (int k = 0; k < c; k++) v[k] = (double)a[k];
	return c ? c : onnx_numbers(g, n, i, v, max);
}

static int pad(struct onnx *g, const struct onnx_node *n, int unused)
{
	struct pb mode = onnx_text(n, "mode", "constant");
	const struct onnx_attr *a = onnx_attr(n, "value");
	double v[8], value = a ? (double)a->f : 0;
	struct nn_layer *l = layer_of(g, n, 0, NN_PAD);
	(void)unused;
	if (!l) return -1;
	if (either(g, n, "pads", 1, v, 8) != 8 || onnx_numbers(g, n, 2, &value, 1) < 0 ||
	    (n->nin > 3 && pb_size(n->in[3])))
		return onnx_bad(g, n, "a border that is no eight constants");
	if (v[0] != 0 || v[1] != 0 || v[4] != 0 || v[5] != 0 || v[2] != v[3] || v[6] != v[7])
		return onnx_bad(g, n, "a border of channels, or one that differs across and down");
	if (!(v[2] >= -NN_MAX_PAD && v[2] <= NN_MAX_PAD && v[6] >= -NN_MAX_PAD && v[6] <= NN_MAX_PAD))
		return onnx_bad(g, n, "a border out of range");
	if (!pb_is(mode, "constant") && !pb_is(mode, "edge") && !pb_is(mode, "reflect"))
		return onnx_bad(g, n, "a mode that is not known");
	l->pad = (int)v[2];
	l->pad_end = (int)v[6];
	l->how = pb_is(mode, "edge") ? NN_PAD_HOLD : pb_is(mode, "reflect") ? NN_PAD_REFLECT : NN_PAD_VALUE;
	l->scalar = value > -1e30 && value < 1e30 ? value : 0;
	return 0;
}

/* What a Slice cuts off an axis; an end that counts from the picture's beginning has one size of picture. */
struct cut { bool is; int before, behind; };

static int cuts(struct onnx *g, const struct onnx_node *n, struct cut c[4])
{
	double a[4], b[4], axis[4] = { 0, 1, 2, 3 }, step[4];
	int na = either(g, n, "starts", 1, a, 4), nb = either(g, n, "ends", 2, b, 4);
	int nx = either(g, n, "axes", 3, axis, 4), ns = onnx_numbers(g, n, 4, step, 4);
	if (na < 1 || na != nb || (nx != 0 && nx != na) || (ns != 0 && ns != na))
		return onnx_bad(g, n, "limits that are no constants");
	for (int i = 0; i < na; i++) {
		int x = (int)(axis[i] < 0 ? axis[i] + 4 : axis[i]);
		if (x < 0 || x > 3 || (ns && step[i] != 1)) return onnx_bad(g, n, "an axis or step that is not known here");
		bool to_end = b[i] >= 2147483647.0, counted = b[i] >= 0 && !to_end;
		if (a[i] < 0 || a[i] > NN_MAX_CHANNELS || b[i] < -NN_MAX_PAD ||
		    (counted && (x > 1 || b[i] > NN_MAX_CHANNELS)) || (x == 1 && b[i] < 0))
			return onnx_bad(g, n, "a set size: only borders can be cut off");
		c[x] = (struct cut){ true, (int)a[i], to_end ? 0 : (int)(x == 1 ? b[i] : -b[i]) };
	}
	return 0;
}

static int slice_rows(struct onnx *g, const struct onnx_node *n, const struct cut *c)
{
	int in = blob(g, n, 0);
	if (in < 0 || n->nout != 1 || onnx_value_add(g, n->out[0], in, -1) < 0) return -1;
	struct onnx_value *v = &g->value[g->nvalue - 1];
	v->rows = true;
	v->before = c->before;
	v->behind = c->behind;
	return 0;
}

static int slice(struct onnx *g, const struct onnx_node *n, int unused)
{
	struct cut c[4] = { { false, 0, 0 } };
	struct nn_layer *l;
	(void)unused;
	if (cuts(g, n, c) < 0) return -1;
	const struct onnx_value *v = onnx_find(g, n->in[0]);
	if (v && v->rows) {                                      /* the second of two, across */
		if (c[0].is || c[1].is || c[2].is || c[3].before != v->before || c[3].behind != v->behind)
			return onnx_bad(g, n, "a picture cut otherwise across than down");
		struct onnx_value *whole = &g->value[v - g->value];
		whole->rows = false;
		l = layer_of(g, n, 0, NN_PAD);
		whole->rows = true;
		if (!l) return -1;
		l->pad = -c[3].before;
		l->pad_end = -c[3].behind;
		return 0;
	}
	if (c[2].is && !c[3].is && !c[1].is) return slice_rows(g, n, &c[2]);
	if (c[0].is || (c[1].is && (c[2].is || c[3].is)) || c[2].before != c[3].before || c[2].behind != c[3].behind)
		return onnx_bad(g, n, "a cut that differs across and down, or of channels and pixels at once");
	if (!(l = layer_of(g, n, 0, c[1].is ? NN_SLICE : NN_PAD))) return -1;
	l->pad = -c[2].before;
	l->pad_end = -c[2].behind;
	l->first = c[1].before;
	l->cout = c[1].behind ? c[1].behind - c[1].before : 0;
	return c[1].behind && l->cout < 1 ? onnx_bad(g, n, "no channels") : 0;
}

static int split(struct onnx *g, const struct onnx_node *n, int unused)
{
	double v[ONNX_MAX_OUT];
	int64_t axis = onnx_int(n, "axis", 0);
	int c = either(g, n, "split", 1, v, 8), first = 0;
	(void)unused;
	if ((axis != 1 && axis != -3) || (c != 0 && c != n->nout))
		return onnx_bad(g, n, "along another axis than channels, or into other parts");
	for (int i = 0; i < n->nout; i++) {
		if (c && !(v[i] >= 1 && v[i] <= NN_MAX_CHANNELS)) return onnx_bad(g, n, "parts of no size");
		struct nn_layer *l = layer_of(g, n, i, NN_SLICE);
		if (!l) return -1;
		l->first = c ? first : i;
		l->cout = c ? (int)v[i] : -n->nout;
		first += c ? (int)v[i] : 0;
	}
	return 0;
}

static int same(struct onnx *g, const struct onnx_node *n, int cast)
{
	int64_t to = onnx_int(n, "to", ONNX_FLOAT);
	const struct onnx_value *v = n->nin > 0 ? onnx_find(g, n->in[0]) : NULL;
	if (!v || v->rows || n->nout < 1) return onnx_bad(g, n, "reads what no node before it makes");
	if (cast && to != ONNX_FLOAT && to != ONNX_HALF) return onnx_bad(g, n, "to whole numbers");
	return onnx_value_add(g, n->out[0], v->blob, v->tensor);
}

static int constant(struct onnx *g, const struct onnx_node *n, int unused)
{
	const struct onnx_attr *a = onnx_attr(n, "value");
	(void)unused;
	if (!a || !a->t.p || n->nout != 1 || g->ntensor >= ONNX_MAX_TENSORS)
		return onnx_bad(g, n, "a Constant that is no tensor");
	if (onnx_tensor_read(g, a->t, &g->tensor[g->ntensor]) < 0) return -1;
	return onnx_value_add(g, n->out[0], -1, g->ntensor++);
}

static int conv_of(struct onnx *g, const struct onnx_node *n, int op) { return conv(g, n, (enum nn_op)op); }

int onnx_op(struct onnx *g, const struct onnx_node *n)
{
	static const struct { const char *name; int (*of)(struct onnx *, const struct onnx_node *, int);
		int with; } ops[] = {
		{ "Conv", conv_of, NN_CONV }, { "ConvTranspose", conv_of, NN_DECONV }, { "Relu", activation, 0 },
		{ "LeakyRelu", activation, 1 }, { "PRelu", activation, 2 }, { "Sigmoid", activation, 3 },
			{ "Clip", activation, 4 },
		{ "Add", binary, NN_ADD }, { "Sub", binary, NN_SUB }, { "Mul", binary, NN_MUL }, { "Div", binary, NN_DIV },
		{ "Max", binary, NN_MAX }, { "Min", binary, NN_MIN }, { "Sum", binary, NN_ADD }, { "Concat", concat, 0 },
		{ "DepthToSpace", shuffle, NN_SHUFFLE }, { "SpaceToDepth", shuffle, NN_UNSHUFFLE }, { "Resize", resize, 0 },
		{ "Upsample", resize, 1 }, { "MaxPool", pool, NN_POOL_MAX }, { "AveragePool", pool, NN_POOL_AVG },
		{ "GlobalAveragePool", mean, 0 }, { "ReduceMean", mean, 1 }, { "Pad", pad, 0 }, { "Slice", slice, 0 },
		{ "Split", split, 0 }, { "Identity", same, 0 }, { "Dropout", same, 0 }, { "Cast", same, 1 },
		{ "Constant", constant, 0 },
	};
	for (size_t i = 0; i < IN_COUNT(ops); i++)
		if (pb_is(n->type, ops[i].name)) return ops[i].of(g, n, ops[i].with);
	return onnx_bad(g, n, "an operator that is not known here; backend=\"onnxruntime\" would run it");
}
