/* nn_read - ncnn's .param (text, magic 7767517) and the places of its weights in the .bin.
 * Layer keys: ncnn's operators.md; weights: modelbin.cpp (a u32 tag, 0x01306B47 means half floats
 * padded to four bytes, 0 and 0x0002C056 plain floats; biases and slopes have none).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "mem.h"
#include "nn_int.h"
#include "textfile.h"

#define TAG_HALF 0x01306B47u
#define TAG_FLOAT 0x0002C056u

enum { KEYS = 32, WORD = 96, SLOTS = 4 * NN_MAX_BLOBS };

/* One line's keys: numbers, and the arrays of -233xx. */
struct keys { bool has[KEYS]; double v[KEYS]; int na[KEYS]; double a[KEYS][NN_MAX_IN]; };

struct reader {
	const char *name, *p, *end; int line;
	const char *lp, *lend;                       /* the rest of this line */
	const void *bin; FILE *f; uint64_t nbin, at; /* the .bin: in memory or open */
	struct nn_model *m;
	char (*blob)[WORD]; int slot[SLOTS];         /* blobs by name: 1 + which, 0 none */
	struct err *e;
};

static int bad(struct reader *r, const char *what, const char *word)
{
	return err_set(r->e, E_INPUT, "%s:%d: %s%s%.80s%s", r->name, r->line, what, word ? " '" : "",
	               word ? word : "", word ? "'" : "");
}

static bool next_line(struct reader *r)
{
	while (r->p < r->end) {
		const char *eol = memchr(r->p, '\n', (size_t)(r->end - r->p));
		r->lp = r->p;
		r->lend = eol ? eol : r->end;
		r->p = eol ? eol + 1 : r->end;
		r->line++;
		for (const char *q = r->lp; q < r->lend; q++)
			if (*q != ' ' && *q != '\t' && *q != '\r') return true;
	}
	return false;
}

/* The next word of the line; false at its end. Too long: cut, which no known name survives. */
static bool word(struct reader *r, char out[WORD])
{
	size_t n = 0;
	while (r->lp < r->lend && (*r->lp == ' ' || *r->lp == '\t' || *r->lp == '\r')) r->lp++;
	while (r->lp < r->lend && *r->lp != ' ' && *r->lp != '\t' && *r->lp != '\r') {
		if (n + 1 < WORD) out[n++] = *r->lp ? *r->lp : '?';
		r->lp++;
	}
	out[n] = 0;
	return n > 0;
}

/* The number up to the next comma or the end; where it ended, NULL when there is none. */
static const char *number(const char *s, double *v)
{
	char t[40];
	size_t n = strcspn(s, ",");
	if (!n || n >= sizeof t) return NULL;
	memcpy(t, s, n);
	t[n] = 0;
	return mx_parse(t, v) < 0 || !(*v > -1e15 && *v < 1e15) ? NULL : s + n;
}

static bool whole(const char *s, int lo, int hi, int *out)
{
	double v;
	if (mx_parse(s, &v) < 0 || !(v >= lo && v <= hi) || v != (double)(int)v) return false;
	*out = (int)v;
	return true;
}

static int count(struct reader *r, int hi, const char *what, int *out)
{
	char w[WORD];
	if (!word(r, w) || !whole(w, 0, hi, out)) return bad(r, what, w);
	return 0;
}

/* "0=64" or "-23310=1,0.1". */
static int key(struct reader *r, const char *w, struct keys *k)
{
	char id_text[24];
	double v;
	int id;
	size_t n = strcspn(w, "=");
	if (w[n] != '=' || n >= sizeof id_text) return bad(r, "not a parameter:", w);
	memcpy(id_text, w, n);
	id_text[n] = 0;
	if (!whole(id_text, -23300 - KEYS, KEYS - 1, &id)) return bad(r, "a parameter number that no layer has:", w);
	bool list = id <= -23300;
	int i = list ? -23300 - id : id;
	if (i < 0 || i >= KEYS) return bad(r, "a parameter number that no layer has:", w);
	const char *s = number(w + n + 1, &v);
	if (!s) return bad(r, "not a number:", w);
	k->has[i] = true;
	if (!list) { k->v[i] = v; return *s ? bad(r, "not a number:", w) : 0; }
	if (v < 0 || v > NN_MAX_IN || v != (int)v) return bad(r, "a list longer than any layer here has:", w);
	k->na[i] = (int)v;
	for (int m = 0; m < k->na[i]; m++)
		if (*s != ',' || !(s = number(s + 1, &k->a[i][m])))
			return bad(r, "a list with fewer numbers than it says:", w);
	return *s ? bad(r, "not a list:", w) : 0;
}

static int ikey(const struct keys *k, int i, int def)
{
	double v = k->has[i] ? k->v[i] : def;
	return v > -2e9 && v < 2e9 && v == (double)(int)v ? (int)v : -99999;
}

/* The name's slot: its own, or the free one where it belongs. */
static int *slot_of(struct reader *r, const char *name)
{
	uint32_t h = 2166136261u;
	for (const char *p = name; *p; p++) h = (h ^ (unsigned char)*p) * 16777619u;
	for (;; h++) {
		int *s = &r->slot[h % SLOTS];
		if (!*s || strcmp(r->blob[*s - 1], name) == 0) return s;
	}
}

static int find_blob(struct reader *r, const char *name) { return *slot_of(r, name) - 1; }

static int new_blob(struct reader *r, const char *name)
{
	if (find_blob(r, name) >= 0) return bad(r, "a second layer makes the blob", name);
	if (r->m->nblob >= NN_MAX_BLOBS) return bad(r, "too many blobs", NULL);
	int i = r->m->nblob++;
	*slot_of(r, name) = i + 1;
	r->m->blob[i] = (struct nn_blob){ .num = 1, .den = 1 };
	snprintf(r->blob[i], WORD, "%.95s", name);
	return i;
}

static int bin_read(struct reader *r, uint64_t at, void *to, size_t n)
{
	if (at > r->nbin || n > r->nbin - at)
		return err_set(r->e, E_INPUT, "%s:%d: the weights end early: this layer needs bytes up to "
		               "%llu, there are %llu", r->name, r->line, (unsigned long long)(at + n),
		               (unsigned long long)r->nbin);
	if (r->bin) { memcpy(to, (const char *)r->bin + at, n); return 0; }
	if (fseeko(r->f, (off_t)at, SEEK_SET) != 0 || fread(to, 1, n, r->f) != n)
		return err_set(r->e, E_INPUT, "%s: cannot read the weights", r->name);
	return 0;
}

/* Takes n numbers' place in the .bin. */
static int data(struct reader *r, struct nn_data *d, uint64_t n, bool tagged)
{
	uint32_t tag = 0;
	char last;
	if (tagged) {
		if (bin_read(r, r->at, &tag, sizeof tag) < 0) return -1;
		r->at += sizeof tag;
		if (tag != 0 && tag != TAG_HALF && tag != TAG_FLOAT)
			return err_set(r->e, E_INPUT, "%s:%d: weights of kind 0x%08X; only plain and half floats are read",
			               r->name, r->line, tag);
	}
	*d = (struct nn_data){ r->at, (size_t)n, tag == TAG_HALF };
	uint64_t bytes = d->half ? (n * 2 + 3) & ~(uint64_t)3 : n * 4;
	if (!n || bytes > NN_FILE_MAX) return bad(r, "a layer with more weights than any file has", NULL);
	if (bin_read(r, r->at + bytes - 1, &last, 1) < 0) return -1;
	r->at += bytes;
	r->m->params += n;
	return 0;
}

/* Fused activation of convolutions: keys 9 and 10. */
static int activation(struct reader *r, struct nn_layer *l, const struct keys *k)
{
	int kind = ikey(k, 9, 0);
	double a = k->na[10] > 0 ? k->a[10][0] : 0, b = k->na[10] > 1 ? k->a[10][1] : 0;
	switch (kind) {
	case 0: l->act = NN_LINEAR; return 0;
	case 1: l->act = NN_SLOPE; return 0;
	case 2: l->act = NN_SLOPE; l->lo = a; return 0;
	case 3: l->act = NN_CLIP; l->lo = a; l->hi = b; return 0;
	case 4: l->act = NN_SIGMOID; return 0;
	default: return bad(r, "an activation inside a convolution that is not known", NULL);
	}
}

static int square(struct reader *r, const struct keys *k, int i, int def, int hi, int *out)
{
	*out = ikey(k, i, def);
	if (ikey(k, i + 10, *out) != *out)
		return bad(r, "a kernel, stride or padding that differs across and down", NULL);
	if (*out < 0 || *out > hi) return bad(r, "a kernel, stride or padding out of range", NULL);
	return 0;
}

static int conv(struct reader *r, struct nn_layer *l, const struct keys *k, enum nn_op op, bool depth)
{
	int size = ikey(k, 6, 0), cin;
	l->op = op;
	l->cout = ikey(k, 0, 0);
	if (l->cout < 1 || l->cout > NN_MAX_CHANNELS)
		return err_set(r->e, E_INPUT, "%s:%d: layer '%s' makes %.0f channels; 1 to %d are allowed",
		               r->name, r->line, l->name, k->v[0], NN_MAX_CHANNELS);
	if (square(r, k, 1, 0, NN_MAX_KERNEL, &l->k) < 0 || square(r, k, 2, 1, 16, &l->dilation) < 0 ||
	    square(r, k, 3, 1, 8, &l->stride) < 0 || square(r, k, 4, 0, 64, &l->pad) < 0) return -1;
	if (l->k < 1 || l->stride < 1 || l->dilation < 1) return bad(r, "a kernel or stride of 0", NULL);
	l->pad_end = ikey(k, 15, l->pad);
	if (l->pad_end < 0 || l->pad_end > 64 || ikey(k, 16, l->pad_end) != l->pad_end)
		return bad(r, "padding that differs across and down, or is out of range", NULL);
	if (op == NN_CONV && (ikey(k, 18, 0) != 0 || ikey(k, 19, 0)))
		return bad(r, "padding with another value than 0", NULL);
	l->extra = op == NN_DECONV ? ikey(k, 18, 0) : 0;
	if (op == NN_DECONV && (ikey(k, 19, l->extra) != l->extra || ikey(k, 20, 0) || ikey(k, 21, 0)))
		return bad(r, "a Deconvolution of a set size", NULL);
	if (ikey(k, 8, 0)) return bad(r, "int8 weights", NULL);
	l->group = depth ? ikey(k, 7, 1) : 1;
	if (l->group < 1 || l->group > l->cout) return bad(r, "a wrong number of groups", NULL);
	cin = size / (l->cout * l->k * l->k);
	if (size < 1 || cin < 1 || cin > NN_MAX_CHANNELS || (int64_t)cin * l->cout * l->k * l->k != size)
		return bad(r, "a weight count that does not fit channels and kernel", NULL);
	l->num = cin;                                    /* nn_shape compares */
	if (activation(r, l, k) < 0 || data(r, &l->w, (uint64_t)size, true) < 0) return -1;
	return ikey(k, 5, 0) ? data(r, &l->bias, (uint64_t)l->cout, false) : 0;
}

static int interp(struct reader *r, struct nn_layer *l, const struct keys *k)
{
	int kind = ikey(k, 0, 0);
	double f = k->has[1] ? k->v[1] : 1, g = k->has[2] ? k->v[2] : 1;
	l->op = NN_INTERP;
	if (kind < 1 || kind > 3) return bad(r, "an Interp that is neither nearest, bilinear nor bicubic", NULL);
	if (f != g || ikey(k, 3, 0) || ikey(k, 4, 0) || ikey(k, 6, 0))
		return bad(r, "an Interp to a set size, aligned to corners or of two factors", NULL);
	l->how = kind - 1;
	for (l->den = 1; l->den <= NN_MAX_SCALE; l->den++) {
		double n = f * l->den;
		l->num = (int)(n + 0.5);
		if (l->num >= 1 && l->num <= NN_MAX_SCALE && n - l->num < 1e-5 && l->num - n < 1e-5) return 0;
	}
	return bad(r, "an Interp by a factor that is no ratio up to 16", NULL);
}

static int binary(struct reader *r, struct nn_layer *l, const struct keys *k, bool eltwise)
{
	static const int of_binary[] = { NN_ADD, NN_SUB, NN_MUL, NN_DIV, NN_MAX, NN_MIN };
	static const int of_eltwise[] = { NN_MUL, NN_ADD, NN_MAX };
	int op = ikey(k, 0, 0), n = eltwise ? 3 : 6;
	l->op = NN_BINARY;
	l->how = op < 0 || op >= n ? -1 : eltwise ? of_eltwise[op] : of_binary[op];
	if (l->how < 0) return bad(r, "an operation that is not known", NULL);
	l->with_scalar = !eltwise && ikey(k, 1, 0);
	l->scalar = k->has[2] ? k->v[2] : 0;
	for (int i = 0; i < NN_MAX_IN; i++) l->coef[i] = eltwise && i < k->na[1] ? k->a[1][i] : 1;
	if (l->nin != (l->with_scalar ? 1 : 2) && !(eltwise && l->nin > 1))
		return bad(r, "a wrong number of inputs", NULL);
	return 0;
}

/* A convolution of one pixel: only nets without pixels at that place have it. */
static int inner(struct reader *r, struct nn_layer *l, const struct keys *k)
{
	int size = ikey(k, 2, 0);
	l->op = NN_CONV;
	l->cout = ikey(k, 0, 0);
	if (l->cout < 1 || l->cout > NN_MAX_CHANNELS || size < 1 || size % l->cout ||
	    size / l->cout > NN_MAX_CHANNELS || ikey(k, 8, 0))
		return bad(r, "an InnerProduct with wrong counts, or of int8", NULL);
	l->num = size / l->cout;
	l->inner = true;
	if (activation(r, l, k) < 0 || data(r, &l->w, (uint64_t)size, true) < 0) return -1;
	return ikey(k, 1, 0) ? data(r, &l->bias, (uint64_t)l->cout, false) : 0;
}

static int pooling(struct reader *r, struct nn_layer *l, const struct keys *k)
{
	int kind = ikey(k, 0, 0), mode = ikey(k, 5, 0);
	if (kind < 0 || kind > 1) return bad(r, "a Pooling that is neither largest nor mean", NULL);
	if (ikey(k, 4, 0)) {
		l->op = NN_MEAN;
		return kind == 1 ? 0 : bad(r, "a Pooling to the largest of the whole picture", NULL);
	}
	l->op = NN_POOL;
	if (square(r, k, 1, 0, NN_MAX_KERNEL, &l->k) < 0 || square(r, k, 2, 1, 8, &l->stride) < 0 ||
	    square(r, k, 3, 0, 64, &l->pad) < 0) return -1;
	l->pad_end = ikey(k, 14, l->pad);
	if (l->k < 1 || l->stride < 1 || l->pad_end < 0 || ikey(k, 15, l->pad_end) != l->pad_end ||
	    mode < 0 || mode > 1 || ikey(k, 7, 0))
		return bad(r, "a Pooling of a set size, or padded as no other", NULL);
	l->ceil = mode == 0;
	l->how = kind == 0 ? NN_POOL_MAX : ikey(k, 6, 0) ? NN_POOL_AVG_ALL : NN_POOL_AVG;
	return 0;
}

static int padding(struct reader *r, struct nn_layer *l, const struct keys *k)
{
	l->op = NN_PAD;
	l->pad = ikey(k, 0, 0);
	l->pad_end = ikey(k, 1, 0);
	l->how = ikey(k, 4, 0);
	l->scalar = k->has[5] ? k->v[5] : 0;
	if (ikey(k, 2, 0) != l->pad || ikey(k, 3, 0) != l->pad_end)
		return bad(r, "padding that differs across and down", NULL);
	if (l->pad < 0 || l->pad > NN_MAX_PAD || l->pad_end < 0 || l->pad_end > NN_MAX_PAD ||
	    l->how < 0 || l->how > 2 || ikey(k, 6, 0) || ikey(k, 7, 0) || ikey(k, 8, 0))
		return bad(r, "padding out of range, of channels, or with a value for each", NULL);
	return 0;
}

/* One axis' start and end: numpy's, or offsets from both sides. */
static int crop_axis(const struct keys *k, int axis, int *before, int *behind)
{
	*before = ikey(k, axis, 0);
	*behind = ikey(k, 6 + axis, 0);
	if (!k->na[9]) return ikey(k, 3 + axis, 0) == -233 ? 0 : -1;
	*before = *behind = 0;
	for (int i = 0; i < k->na[9]; i++) {
		/* of three dimensions: 0 channels, 1 down, 2 across */
		double which = k->na[11] > i ? k->a[11][i] : i, end = k->na[10] > i ? k->a[10][i] : -233;
		if (which < 0) which += 3;
		if (which != 2 - axis) continue;
		*before = (int)k->a[9][i];
		if (*before < 0 || k->a[9][i] > 1e6 || (end >= 0 && axis != 2)) return -1;
		*behind = end == -233 ? 0 : axis == 2 ? (int)end : (int)-end;
	}
	return 0;
}

static int crop(struct reader *r, struct nn_layer *l, const struct keys *k)
{
	int x0, x1, y0, y1, c0, c1;
	l->op = NN_PAD;
	if (l->nin != 1) return bad(r, "a Crop to the size of another blob", NULL);
	bool numpy = k->na[9] > 0;
	if (crop_axis(k, 0, &x0, &x1) < 0 || crop_axis(k, 1, &y0, &y1) < 0 || crop_axis(k, 2, &c0, &c1) < 0)
		return bad(r, "a Crop to a set size", NULL);
	if (x0 != y0 || x1 != y1) return bad(r, "a Crop that differs across and down", NULL);
	if (x0 < 0 || x0 > NN_MAX_PAD || x1 < 0 || x1 > NN_MAX_PAD) return bad(r, "a Crop out of range", NULL);
	l->pad = -x0;
	l->pad_end = -x1;
	if (!c0 && !c1) return 0;
	if (x0 || x1 || !numpy || c1 < 0 || c1 > NN_MAX_CHANNELS || (c1 && c1 <= c0))
		return bad(r, "a Crop of channels and pixels at once", NULL);
	l->op = NN_SLICE;
	l->first = c0;
	l->cout = c1 ? c1 - c0 : 0;
	return 0;
}

static int shuffle(struct reader *r, struct nn_layer *l, const struct keys *k, enum nn_op op)
{
	l->op = op;
	l->stride = ikey(k, 0, 1);
	l->blocks = ikey(k, 1, 0);
	return l->stride < 1 || l->stride > NN_MAX_SCALE ? bad(r, "a shuffle by a wrong factor", NULL) : 0;
}

/* What kind it is; layers that change nothing give 1, those with many results 2. */
static int kind(struct reader *r, struct nn_layer *l, const struct keys *k)
{
	const char *t = l->type;
	if (strcmp(t, "Input") == 0) { l->op = NN_INPUT; return 0; }
	if (strcmp(t, "Convolution") == 0) return conv(r, l, k, NN_CONV, false);
	if (strcmp(t, "ConvolutionDepthWise") == 0) return conv(r, l, k, NN_CONV, true);
	if (strcmp(t, "Deconvolution") == 0) return conv(r, l, k, NN_DECONV, false);
	if (strcmp(t, "DeconvolutionDepthWise") == 0) return conv(r, l, k, NN_DECONV, true);
	if (strcmp(t, "InnerProduct") == 0) return inner(r, l, k);
	if (strcmp(t, "Pooling") == 0) return pooling(r, l, k);
	if (strcmp(t, "Padding") == 0) return padding(r, l, k);
	if (strcmp(t, "Crop") == 0) return crop(r, l, k);
	if (strcmp(t, "PixelShuffle") == 0) return shuffle(r, l, k, NN_SHUFFLE);
	if (strcmp(t, "Slice") == 0) {
		l->op = NN_SLICE;
		return ikey(k, 1, 0) || k->na[0] < 1 ? bad(r, "a Slice along another axis than channels", NULL) : 2;
	}
	if (strcmp(t, "Reorg") == 0) return shuffle(r, l, k, NN_UNSHUFFLE);
	if (strcmp(t, "Split") == 0 || strcmp(t, "Noop") == 0 || strcmp(t, "Dropout") == 0) return 1;
	if (strcmp(t, "Interp") == 0) return interp(r, l, k);
	if (strcmp(t, "BinaryOp") == 0) return binary(r, l, k, false);
	if (strcmp(t, "Eltwise") == 0) return binary(r, l, k, true);
	if (strcmp(t, "Concat") == 0) {
		l->op = NN_CONCAT;
		return ikey(k, 0, 0) ? bad(r, "a Concat along another axis than channels", NULL) : 0;
	}
	l->op = NN_ACT;
	if (strcmp(t, "ReLU") == 0) { l->act = NN_SLOPE; l->lo = k->has[0] ? k->v[0] : 0; return 0; }
	if (strcmp(t, "Sigmoid") == 0) { l->act = NN_SIGMOID; return 0; }
	if (strcmp(t, "Clip") == 0) {
		l->act = NN_CLIP;
		l->lo = k->has[0] ? k->v[0] : -3e38;
		l->hi = k->has[1] ? k->v[1] : 3e38;
		return 0;
	}
	if (strcmp(t, "PReLU") != 0) return bad(r, "a layer of a kind that is not known here:", t);
	int n = ikey(k, 0, 0);
	if (n < 1 || n > NN_MAX_CHANNELS) return bad(r, "a PReLU with a wrong number of slopes", NULL);
	l->act = NN_SLOPES;
	return data(r, &l->slopes, (uint64_t)n, false);
}

/* Each result of a Slice is a layer; -233: an equal share of the channels. */
static int slices(struct reader *r, const struct keys *k, int nout, char outs[][WORD])
{
	struct nn_layer base = r->m->layer[r->m->nlayer];
	bool equal = true;
	int first = 0;
	if (base.nin != 1 || nout != k->na[0])
		return bad(r, "a Slice with another number of results than parts", NULL);
	for (int i = 0; i < nout; i++) equal = equal && k->a[0][i] == -233;
	for (int i = 0; i < nout; i++) {
		double part = k->a[0][i];
		bool rest = part == -233 && i == nout - 1;
		if (!equal && !rest && !(part >= 1 && part <= NN_MAX_CHANNELS))
			return bad(r, "a Slice into parts of no size", NULL);
		if (r->m->nlayer >= NN_MAX_LAYERS) return bad(r, "too many layers", NULL);
		struct nn_layer *l = &r->m->layer[r->m->nlayer++];
		*l = base;
		l->first = equal ? i : first;
		l->cout = equal ? -nout : rest ? 0 : (int)part;
		first += equal ? 0 : l->cout;
		if ((l->out = new_blob(r, outs[i])) < 0) return -1;
	}
	return 0;
}

static int layer(struct reader *r)
{
	char w[WORD];
	struct keys k;
	if (r->m->nlayer >= NN_MAX_LAYERS) return bad(r, "too many layers", NULL);
	struct nn_layer *l = &r->m->layer[r->m->nlayer];
	int nin, nout, alias[2 * NN_MAX_IN];
	char outs[2 * NN_MAX_IN][WORD];
	memset(&k, 0, sizeof k);
	*l = (struct nn_layer){ .num = 1, .den = 1, .k = 1, .stride = 1, .dilation = 1, .group = 1 };
	if (!word(r, w)) return bad(r, "an empty layer", NULL);
	snprintf(l->type, sizeof l->type, "%.31s", w);
	if (!word(r, w)) return bad(r, "a layer without a name", NULL);
	snprintf(l->name, sizeof l->name, "%.63s", w);
	if (count(r, NN_MAX_IN, "a wrong number of inputs", &nin) < 0 ||
	    count(r, 2 * NN_MAX_IN, "a wrong number of outputs", &nout) < 0) return -1;
	for (l->nin = 0; l->nin < nin; l->nin++) {
		if (!word(r, w)) return bad(r, "an input without a name", NULL);
		if ((alias[l->nin] = l->in[l->nin] = find_blob(r, w)) < 0)
			return bad(r, "reads a blob that no layer before it makes:", w);
	}
	for (int i = 0; i < nout; i++)
		if (!word(r, outs[i])) return bad(r, "an output without a name", NULL);
	while (word(r, w)) if (key(r, w, &k) < 0) return -1;
	int rc = kind(r, l, &k);
	if (rc < 0) return -1;
	if (rc == 0 && (nout != 1 || (l->op == NN_INPUT) != (nin == 0)))
		return bad(r, "a wrong number of inputs or outputs", NULL);
	if (rc == 1 && nin != 1) return bad(r, "a wrong number of inputs", NULL);
	if (rc == 2) return slices(r, &k, nout, outs);
	for (int i = 0; i < nout; i++) {
		int b = new_blob(r, outs[i]);
		if (b < 0) return -1;
		if (rc == 1) r->m->blob[b].uses = -1 - alias[0];     /* stands for that blob */
		else l->out = b;
	}
	r->m->nlayer += rc == 0;
	return 0;
}

/* Inputs that are copies of another blob read that one. */
static void resolve(struct nn_model *m)
{
	for (int i = 0; i < m->nlayer; i++)
		for (int j = 0; j < m->layer[i].nin; j++)
			while (m->blob[m->layer[i].in[j]].uses < 0) m->layer[i].in[j] = -1 - m->blob[m->layer[i].in[j]].uses;
	for (int i = 0; i < m->nblob; i++) if (m->blob[i].uses < 0) m->blob[i].uses = 0, m->blob[i].c = -1;
}

int nn_read_text(struct nn_model *m, const char *name, const char *text, size_t len, const void *bin, FILE *f,
                 uint64_t nbin, struct err *e)
{
	struct reader r = { .name = name, .p = text, .end = text + len, .bin = bin, .f = f,
		.nbin = nbin, .m = m, .e = e };
	char w[WORD];
	int layers, blobs, rc = -1;
	if (!next_line(&r) || !word(&r, w) || strcmp(w, "7767517") != 0)
		return bad(&r, "not an ncnn .param file (its first line is 7767517)", NULL);
	if (!next_line(&r) || count(&r, NN_MAX_LAYERS, "not a possible number of layers:", &layers) < 0 ||
	    count(&r, NN_MAX_BLOBS, "not a possible number of blobs:", &blobs) < 0)
		return e->code ? -1 : bad(&r, "ends before its layers", NULL);
	m->layer = xalloc(NN_MAX_LAYERS + 1, sizeof *m->layer);
	m->blob = xalloc(NN_MAX_BLOBS, sizeof *m->blob);
	r.blob = xalloc(NN_MAX_BLOBS, sizeof *r.blob);
	for (int i = 0; i < layers; i++) {
		if (!next_line(&r)) { bad(&r, "has fewer layers than it says", NULL); goto out; }
		if (layer(&r) < 0) goto out;
	}
	if (next_line(&r)) { bad(&r, "has more layers than it says", NULL); goto out; }
	resolve(m);
	if (nn_ends(m, name, e) < 0) goto out;
	if (r.at != nbin)
		err_set(e, E_INPUT, "%s: the .bin holds %llu bytes, the layers use %llu: the two are no pair", name,
		        (unsigned long long)nbin, (unsigned long long)r.at);
	else rc = 0;
out:
	free(r.blob);
	return rc;
}
