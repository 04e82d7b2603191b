/* onnx - networks through the .onnx reader: the bits of the same networks as .param, figures of ONNX Runtime, hostile files.
 * SPDX-License-Identifier: BSD-2-Clause */
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

struct graph { struct out g, node; int consts; };

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
	else if (l->act == NN_CLIP) begin(g, "Clip", in), attr_float(g, "min", (float)l->lo), attr_float(g, "max", (float)l->hi);
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
	attr_int(g, "count_include_pad", l->how == NN_POOL_AVG_ALL);
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
	case NN_SHUFFLE: case NN_UNSHUFFLE:
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
static struct out as_onnx(const struct nn_model *m)
{
	struct graph g = { 0 };
	struct out file = { NULL, 0 }, in = { NULL, 0 };
	char b[16];
	for (int i = 0; i < m->nlayer; i++) layer_node(&g, m, &m->layer[i]);
	snprintf(b, sizeof b, "b%d", m->input);
	word(&in, 1, b);
	into(&g.g, 11, &in);
	snprintf(b, sizeof b, "b%d", m->output);
	word(&in, 1, b);
	into(&g.g, 12, &in);
	number(&file, 1, 9);
	into(&file, 7, &g.g);
	return file;
}

/* --- */

static void write_file(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "w");
	if (f) fwrite(p, 1, n, f), fclose(f);
}

static void hostile(const struct out *good)
{
	struct err e = ERR_INIT;
	unsigned char *p = malloc(good->n + 1);
	int read = 0, wrong = 0;
	memcpy(p, good->p, good->n);
	unsigned char *at = memmem(p, good->n, "LeakyRelu", 9);
	if (at) memcpy(at, "FrobniCat", 9);
	struct nn_model *m = nn_parse("a.onnx", (char *)p, good->n, NULL, 0, &e);
	test_ok(!m && e.code == E_INPUT && strstr(e.msg, "FrobniCat"), "an unknown operator is named: %s", e.msg);
	nn_free(&m);
	for (size_t n = 0; n < good->n; n += n < 3000 ? 1 : 997) {
		err_clear(&e);
		m = nn_parse("cut.onnx", (char *)good->p, n, NULL, 0, &e);
		wrong += m != NULL || e.code != E_INPUT;
		nn_free(&m);
	}
	test_ok(!wrong, "a file that ends early is refused wherever it ends");
	for (uint32_t i = 0, bad = 0; i < 4000; i++) {
		memcpy(p, good->p, good->n);
		for (uint32_t k = 0; k < 1 + i % 5; k++) {
			struct philox r = philox4x32(i, k, 77, 0, 1, 2);
			size_t pos = r.c[0] % (i % 2 ? good->n : 4000 < good->n ? 4000 : good->n);
			p[pos] = r.c[2] % 3 ? (unsigned char)r.c[1] : (unsigned char)(p[pos] ^ 1u << r.c[1] % 8);
		}
		err_clear(&e);
		m = nn_parse("fuzz.onnx", (char *)p, good->n, NULL, 0, &e);
		read += m != NULL;
		bad += !m && e.code != E_INPUT;
		nn_free(&m);
		if (i == 3999) test_ok(!bad, "4000 damaged files are read (%d) or refused", read);
	}
	free(p);
}

static void refuse(const char *what, struct graph *g, const char *word_in)
{
	struct err e = ERR_INIT;
	struct out file = { NULL, 0 }, in = { NULL, 0 };
	word(&in, 1, "b0");
	into(&g->g, 11, &in);
	word(&in, 1, "b1");
	into(&g->g, 12, &in);
	into(&file, 7, &g->g);
	struct nn_model *m = nn_parse("bad.onnx", (char *)file.p, file.n, NULL, 0, &e);
	test_ok(!m && e.code == E_INPUT && strstr(e.msg, word_in), "%s is refused: %s", what, e.msg);
	nn_free(&m);
	free(file.p);
	*g = (struct graph){ 0 };
}

static void refusals(void)
{
	struct graph g = { 0 };
	struct out t = { NULL, 0 };
	static const float z[9] = { 0 };
	const int big[] = { 1000000000, 3, 1, 1 }, huge[] = { 200000000, 200000000, 3, 3 }, few[] = { 3, 3, 3, 3 };
	tensor(&g, "w", 1, big, 4, z, sizeof z);
	refuse("a billion channels", &g, "impossible size");
	tensor(&g, "w", 1, huge, 4, z, sizeof z);
	refuse("a size beyond all files", &g, "impossible size");
	tensor(&g, "w", 1, few, 4, z, sizeof z);
	refuse("a tensor larger than its bytes", &g, "holds 36 bytes");
	begin(&g, "Relu", 1);
	end(&g, "b1");
	refuse("a cycle", &g, "no node before it");
	begin(&g, "Relu", 0);
	end(&g, "b0");
	refuse("a value made twice", &g, "made twice");
	word(&t, 8, "w");
	number(&t, 14, 1);
	into(&g.g, 5, &t);
	refuse("external data", &g, "another file");
	begin(&g, "Sigmoid", 0);
	end(&g, "b2");
	refuse("a result that nobody makes", &g, "made by no node");
}

static void pair(struct pool *pool, const struct writer *w, const char *name)
{
	char param[400], onnx[400], up[800];
	struct err e = ERR_INIT;
	struct image *im[2];
	save(w, name);
	snprintf(param, sizeof param, "%s/%s.param", test_tmp(), name);
	snprintf(onnx, sizeof onnx, "%s/%s.onnx", test_tmp(), name);
	struct nn_model *m = nn_load(param, &e);
	if (!m) { test_ok(0, "%s: %s", name, e.msg); return; }
	struct out file = as_onnx(m);
	write_file(onnx, file.p, file.n);
	nn_free(&m);
	m = nn_load(onnx, &e);
	test_ok(m != NULL, "%s.onnx is read: %s", name, e.msg);
	nn_free(&m);
	for (int i = 0; i < 2; i++) {
		snprintf(up, sizeof up, "method=\"neural\" lock=\"no\" scale=\"0\" model=\"%s\"", i ? onnx : param);
		im[i] = shot(pool, "w=\"27\" h=\"19\"", up, "up", 2, 0);
	}
	struct pixhash h = { 0, 0 }, g = { 1, 1 };
	if (im[0] && im[1]) h = image_hash(im[0]), g = image_hash(im[1]);
	test_ok(memcmp(&h, &g, sizeof h) == 0, "%s: .param and .onnx give one picture", name);
	image_unref(&im[0]);
	image_unref(&im[1]);
	if (strcmp(name, "cunet") == 0) hostile(&file);
	free(file.p);
}

/* The baseline's picture of every network is the one of the best instruction set that the machine has. */
static void isas(struct pool *pool)
{
	static const char *const names[] = { "cunet", "kinds", "dense" };
	struct err e = ERR_INIT;
	char up[800];
	struct pixhash h[3][2];
	memset(h, 0, sizeof h);
	for (int k = 0; k < 2; k++) {
		if (node_isa_set(k ? ISA_BASELINE : ISA_AUTO, &e) < 0) return;
		for (int i = 0; i < 3; i++) {
			snprintf(up, sizeof up, "method=\"neural\" scale=\"0\" model=\"%s/%s.onnx\"", test_tmp(), names[i]);
			struct image *im = shot(pool, "w=\"41\" h=\"30\"", up, "up", 1 + 6 * k, k ? 24 : 0);
			if (im) h[i][k] = image_hash(im);
			else ((unsigned char *)&h[i][k])[0] = (unsigned char)(k + 1);
			image_unref(&im);
		}
	}
	for (int i = 0; i < 3; i++)
		test_ok(memcmp(&h[i][0], &h[i][1], sizeof h[i][0]) == 0, "%s: one hash for instruction sets, threads and tiles", names[i]);
}

int main(void)
{
	static struct writer w[5];
	static const char *const names[] = { "residual", "upconv", "cunet", "kinds", "dense" };
	static void (*const make[])(struct writer *) = { residual, upconv, cunet, kinds, dense };
	struct pool *pool = pool_new();
	struct err e = ERR_INIT;
	char path[600];
	if (node_isa_set(ISA_AUTO, &e) < 0) return 1;
	for (int i = 0; i < 5; i++) {
		make[i](&w[i]);
		pair(pool, &w[i], names[i]);
	}
	refusals();
	isas(pool);
	pool_free(&pool);
	snprintf(path, sizeof path, "rm -rf '%s'", test_tmp());
	if (system(path) != 0) return 1;
	TEST_END();
}
