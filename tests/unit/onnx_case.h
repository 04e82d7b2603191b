/* onnx_case - networks as .onnx files, written field by field.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_ONNX_CASE_H
#define TEST_ONNX_CASE_H

#include "nn_case.h"

/* --- protocol buffers, written by hand --- */

struct out { unsigned char *p; size_t n; };

static void bytes(struct out *o, const void *p, size_t n)
{
	o->p = realloc(o->p, o->n + n + 1);
	if (n) memcpy(o->p + o->n, p, n);
	o->n += n;
}
static void varint(struct out *o, uint64_t v)
{
	do {
		unsigned char c = (unsigned char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		bytes(o, &c, 1);
		v >>= 7;
	} while (v);
}
static void number(struct out *o, unsigned id, uint64_t v) { varint(o, id << 3); varint(o, v); }
static void block(struct out *o, unsigned id, const void *p, size_t n) { varint(o, id << 3 | 2); varint(o, n); bytes(o, p, n); }
static void word(struct out *o, unsigned id, const char *s) { block(o, id, s, strlen(s)); }
/* o becomes field id of to. */
static void into(struct out *to, unsigned id, struct out *o)
{
	block(to, id, o->p, o->n);
	free(o->p);
	*o = (struct out){ NULL, 0 };
}

/* standard: only what other readers know too. */
struct graph { struct out g, node; int consts; bool standard; };

static void tensor(struct graph *g, const char *name, int type, const int *dim, int rank, const void *raw, size_t n)
{
	struct out t = { NULL, 0 };
	for (int i = 0; i < rank; i++) number(&t, 1, (uint64_t)dim[i]);
	number(&t, 2, (uint64_t)type);
	word(&t, 8, name);
	block(&t, 9, raw, n);
	into(&g->g, 5, &t);
}
static const char *ints(struct graph *g, const int64_t *v, int n)
{
	static char name[16];
	snprintf(name, sizeof name, "k%d", g->consts++);
	tensor(g, name, 7, &n, 1, v, (size_t)n * 8);
	return name;
}
static const char *floats(struct graph *g, const float *v, int n, const int *dim, int rank)
{
	static char name[16];
	snprintf(name, sizeof name, "k%d", g->consts++);
	tensor(g, name, 1, dim, rank, v, (size_t)n * 4);
	return name;
}
static void begin(struct graph *g, const char *type, int in)
{
	char b[16];
	word(&g->node, 4, type);
	snprintf(b, sizeof b, "b%d", in);
	word(&g->node, 1, b);
}
static void more(struct graph *g, const char *in) { word(&g->node, 1, in); }
static void also(struct graph *g, int in)
{
	char b[16];
	snprintf(b, sizeof b, "b%d", in);
	more(g, b);
}
static void attr_int(struct graph *g, const char *name, int64_t v)
{
	struct out a = { NULL, 0 };
	word(&a, 1, name);
	number(&a, 3, (uint64_t)v);
	number(&a, 20, 2);
	into(&g->node, 5, &a);
}
static void attr_ints(struct graph *g, const char *name, int n, const int *v)
{
	struct out a = { NULL, 0 };
	word(&a, 1, name);
	for (int i = 0; i < n; i++) number(&a, 8, (uint64_t)v[i]);
	number(&a, 20, 7);
	into(&g->node, 5, &a);
}
static void attr_text(struct graph *g, const char *name, const char *v)
{
	struct out a = { NULL, 0 };
	word(&a, 1, name);
	word(&a, 4, v);
	number(&a, 20, 3);
	into(&g->node, 5, &a);
}
static void attr_float(struct graph *g, const char *name, float v)
{
	struct out a = { NULL, 0 };
	word(&a, 1, name);
	varint(&a, 2 << 3 | 5);
	bytes(&a, &v, 4);
	number(&a, 20, 1);
	into(&g->node, 5, &a);
}
static void end(struct graph *g, const char *out)
{
	word(&g->node, 2, out);
	into(&g->g, 1, &g->node);
}

/* --- a network that was read as .param, as .onnx --- */

static void activation(struct graph *g, const struct nn_layer *l, int in, const char *out, const float *slopes)
{
	const int one[] = { (int)l->slopes.n, 1, 1 };
	if (l->act == NN_SLOPES) {
		const char *k = floats(g, slopes, one[0], one, 3);
		begin(g, "PRelu", in);
		more(g, k);
	} else if (l->act == NN_SLOPE && l->lo == 0) begin(g, "Relu", in);
	else if (l->act == NN_SLOPE) begin(g, "LeakyRelu", in), attr_float(g, "alpha", (float)l->lo);
	else if (l->act == NN_CLIP) {
		const float lim[] = { (float)l->lo, (float)l->hi };
		char lo[16], hi[16];
		strcpy(lo, floats(g, &lim[0], 1, NULL, 0));
		strcpy(hi, floats(g, &lim[1], 1, NULL, 0));
		begin(g, "Clip", in);
		more(g, lo);
		more(g, hi);
	}
	else begin(g, "Sigmoid", in);
	end(g, out);
}
/* Weights of a transposed convolution stand by input first. */
static void turn(float *w, const struct nn_layer *l)
{
	int kk = l->k * l->k, g = l->group, ci = l->num, co = l->cout / g;
	float *t = malloc(l->w.n * sizeof *t);
	for (int q = 0; q < g; q++)
		for (int o = 0; o < co; o++)
			for (int i = 0; i < ci; i++)
				memcpy(t + ((q * ci + i) * co + o) * kk, w + ((q * co + o) * ci + i) * kk, (size_t)kk * sizeof *t);
	memcpy(w, t, l->w.n * sizeof *t);
	free(t);
}
static void conv_node(struct graph *g, const struct nn_model *m, const struct nn_layer *l, int base)
{
	struct err e = ERR_INIT;
	bool up = l->op == NN_DECONV;
	float *w = nn_weights(m, &l->w, &e), *b = nn_weights(m, &l->bias, &e);
	int dim[] = { up ? l->num * l->group : l->cout, up ? l->cout / l->group : l->num, l->k, l->k };
	char kw[16], kb[16], out[24];
	if (up) turn(w, l);
	strcpy(kw, floats(g, w, (int)l->w.n, dim, 4));
	strcpy(kb, floats(g, b, l->cout, &l->cout, 1));
	begin(g, up ? "ConvTranspose" : "Conv", l->in[0]);
	more(g, kw);
	more(g, kb);
	attr_ints(g, "strides", 2, (int[]){ l->stride, l->stride });
	attr_ints(g, "dilations", 2, (int[]){ l->dilation, l->dilation });
	attr_ints(g, "pads", 4, (int[]){ l->pad, l->pad, l->pad_end, l->pad_end });
	attr_int(g, "group", l->group);
	if (l->extra) attr_ints(g, "output_padding", 2, (int[]){ l->extra, l->extra });
	snprintf(out, sizeof out, "b%d", l->act == NN_LINEAR ? l->out : base + l->out);
	end(g, out);
	snprintf(out, sizeof out, "b%d", l->out);
	if (l->act != NN_LINEAR) activation(g, l, base + l->out, out, NULL);
	free(w);
	free(b);
}
static void border(struct graph *g, const struct nn_layer *l, const char *out)
{
	static const char *const modes[] = { "constant", "edge", "reflect" };
	if (l->pad < 0) {                                    /* down, then across */
		const int64_t v[] = { -l->pad, l->pad_end, 2, 3 };
		char k[4][16], mid[40];
		for (int i = 0; i < 4; i++) strcpy(k[i], ints(g, &v[i], 1));
		snprintf(mid, sizeof mid, "rows_%s", out);
		begin(g, "Slice", l->in[0]), more(g, k[0]), more(g, k[1]), more(g, k[2]), end(g, mid);
		word(&g->node, 4, "Slice");
		more(g, mid), more(g, k[0]), more(g, k[1]), more(g, k[3]), end(g, out);
		return;
	}
	const int64_t v[8] = { 0, 0, l->pad, l->pad, 0, 0, l->pad_end, l->pad_end };
	const char *k = ints(g, v, 8);
	begin(g, "Pad", l->in[0]);
	more(g, k);
	attr_text(g, "mode", modes[l->how]);
	end(g, out);
}
static void resize(struct graph *g, const struct nn_layer *l, const char *out)
{
	const float v[4] = { 1, 1, (float)l->num / (float)l->den, (float)l->num / (float)l->den };
	const int four = 4;
	const char *k = floats(g, v, 4, &four, 1);
	begin(g, "Resize", l->in[0]);
	more(g, "");
	more(g, k);
	attr_text(g, "mode", l->how == NN_NEAREST ? "nearest" : l->how == NN_BILINEAR ? "linear" : "cubic");
	if (l->how == NN_NEAREST) attr_text(g, "coordinate_transformation_mode", "asymmetric"), attr_text(g, "nearest_mode", "floor");
	end(g, out);
}
/* Coefficients as products before it. */
static void joined(struct graph *g, const struct nn_layer *l, const char *out, int base)
{
	static const char *const names[] = { "Add", "Sub", "Mul", "Max", "Min", "Div" };
	int in[NN_MAX_IN];
	for (int i = 0; i < l->nin; i++) {
		float c = (float)(l->with_scalar ? l->scalar : l->coef[i]);
		char b[24];
		in[i] = l->in[i];
		if (c == 1) continue;
		const char *k = floats(g, &c, 1, NULL, 0);
		in[i] = base * (2 + i) + l->out;
		snprintf(b, sizeof b, "b%d", in[i]);
		begin(g, l->with_scalar ? names[l->how] : "Mul", l->in[i]);
		more(g, k);
		end(g, l->with_scalar ? out : b);
	}
	if (l->with_scalar) return;
	begin(g, names[l->how], in[0]);
	for (int i = 1; i < l->nin; i++) also(g, in[i]);
	end(g, out);
}
static void pool(struct graph *g, const struct nn_layer *l, const char *out)
{
	begin(g, l->how == NN_POOL_MAX ? "MaxPool" : "AveragePool", l->in[0]);
	attr_ints(g, "kernel_shape", 2, (int[]){ l->k, l->k });
	attr_ints(g, "strides", 2, (int[]){ l->stride, l->stride });
	attr_ints(g, "pads", 4, (int[]){ l->pad, l->pad, l->pad_end, l->pad_end });
	if (l->how != NN_POOL_MAX) attr_int(g, "count_include_pad", l->how == NN_POOL_AVG_ALL);
	end(g, out);
}
static void channels(struct graph *g, const struct nn_layer *l, const char *out)
{
	const int64_t v[] = { l->first, l->first + l->cout, 1 };
	char k[3][16];
	for (int i = 0; i < 3; i++) strcpy(k[i], ints(g, &v[i], 1));
	begin(g, "Slice", l->in[0]);
	for (int i = 0; i < 3; i++) more(g, k[i]);
	end(g, out);
}
/* SpaceToDepth has the pixels outermost; here the channels are to be. */
static void unshuffle(struct graph *g, const struct nn_layer *l, int c, const char *out)
{
	int64_t order[NN_MAX_CHANNELS];
	int f = l->stride * l->stride;
	char mid[40], k[16];
	for (int i = 0; i < c * f; i++) order[i] = i % f * c + i / f;
	strcpy(k, ints(g, order, c * f));
	snprintf(mid, sizeof mid, "pixels_%s", out);
	begin(g, "SpaceToDepth", l->in[0]);
	attr_int(g, "blocksize", l->stride);
	end(g, mid);
	word(&g->node, 4, "Gather");
	more(g, mid), more(g, k);
	attr_int(g, "axis", 1);
	end(g, out);
}
static void layer_node(struct graph *g, const struct nn_model *m, const struct nn_layer *l)
{
	struct err e = ERR_INIT;
	int base = NN_MAX_BLOBS;
	char out[24];
	float *slopes = l->slopes.n ? nn_weights(m, &l->slopes, &e) : NULL;
	snprintf(out, sizeof out, "b%d", l->out);
	switch (l->op) {
	case NN_CONV: case NN_DECONV: conv_node(g, m, l, base); break;
	case NN_ACT: activation(g, l, l->in[0], out, slopes); break;
	case NN_UNSHUFFLE:
		if (g->standard && !l->blocks) { unshuffle(g, l, m->blob[l->in[0]].c, out); break; }
		/* fall through */
	case NN_SHUFFLE:
		begin(g, l->op == NN_SHUFFLE ? "DepthToSpace" : "SpaceToDepth", l->in[0]);
		attr_int(g, "blocksize", l->stride);
		attr_text(g, "mode", l->blocks ? "DCR" : "CRD");
		end(g, out);
		break;
	case NN_INTERP: resize(g, l, out); break;
	case NN_BINARY: joined(g, l, out, base); break;
	case NN_CONCAT:
		begin(g, "Concat", l->in[0]);
		for (int i = 1; i < l->nin; i++) also(g, l->in[i]);
		attr_int(g, "axis", 1);
		end(g, out);
		break;
	case NN_PAD: border(g, l, out); break;
	case NN_POOL: pool(g, l, out); break;
	case NN_MEAN: begin(g, "GlobalAveragePool", l->in[0]), end(g, out); break;
	case NN_SLICE: channels(g, l, out); break;
	default: break;
	}
	free(slopes);
}
/* A picture of c channels and any size, named as blob b; half: of half floats; side: of that size only. */
static void face(struct graph *g, unsigned field, int b, int c, int type, int side)
{
	struct out in = { NULL, 0 }, t = { NULL, 0 }, tensor_type = { NULL, 0 }, shape = { NULL, 0 }, d = { NULL, 0 };
	static const char *const names[] = { "n", "c", "h", "w" };
	char name[16];
	snprintf(name, sizeof name, "b%d", b);
	word(&in, 1, name);
	for (int i = 0; i < 4; i++) {
		if (i == 1 && c) number(&d, 1, (uint64_t)c);
		else if (i > 1 && side) number(&d, 1, (uint64_t)side);
		else word(&d, 2, names[i]);
		into(&shape, 1, &d);
	}
	number(&tensor_type, 1, (uint64_t)type);
	if (field == 11 || side) into(&tensor_type, 2, &shape);
	else free(shape.p);
	into(&t, 1, &tensor_type);
	into(&in, 2, &t);
	into(&g->g, field, &in);
}
/* The file around a graph whose faces are written. */
static struct out model_file(struct graph *g)
{
	struct out file = { NULL, 0 }, opset = { NULL, 0 };
	number(&file, 1, 8);
	word(&g->g, 2, "net");
	number(&opset, 2, 17);
	into(&file, 8, &opset);
	into(&file, 7, &g->g);
	*g = (struct graph){ .consts = 0 };
	return file;
}
static struct out as_onnx(const struct nn_model *m, bool standard)
{
	struct graph g = { .standard = standard };
	for (int i = 0; i < m->nlayer; i++) layer_node(&g, m, &m->layer[i]);
	face(&g, 11, m->input, m->blob[m->input].c, 1, 0);
	face(&g, 12, m->output, 0, 1, 0);
	return model_file(&g);
}

static void write_file(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "w");
	if (f) fwrite(p, 1, n, f), fclose(f);
}

#endif
