/* nn_case - networks written by hand, a naive evaluator in doubles, and scenes of one source and one upscale.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_NN_CASE_H
#define TEST_NN_CASE_H

#include "graph.h"
#include "mathx.h"
#include "nn_model.h"
#include "render.h"
#include "rng.h"
#include "test.h"
#include "xml.h"

#pragma GCC diagnostic ignored "-Wunused-function"

/* --- small models, written by hand --- */

struct writer { char text[16384]; unsigned char bin[1 << 20]; size_t nbin; uint32_t at; int layers, blobs; char body[16000]; };

static float noise(struct writer *w) { return (float)(philox4x32(w->at++, 7, 0, 0, 1, 2).c[0] >> 8) * 0x1p-23f - 1.0f; }
static void put(struct writer *w, const void *p, size_t n)
{
	memcpy(w->bin + w->nbin, p, n);
	w->nbin += n;
}
static void numbers(struct writer *w, int n, float scale)
{
	for (int i = 0; i < n; i++) {
		float v = noise(w) * scale;
		put(w, &v, sizeof v);
	}
}
__attribute__((format(printf, 3, 4)))
static void line(struct writer *w, int blobs, const char *fmt, ...)
{
	va_list ap;
	size_t n = strlen(w->body);
	va_start(ap, fmt);
	vsnprintf(w->body + n, sizeof w->body - n, fmt, ap);
	va_end(ap);
	strcat(w->body, "\n");
	w->layers++;
	w->blobs += blobs;
}
static void conv_group(struct writer *w, const char *type, const char *in, const char *out, const int c[3], int k, const char *more)
{
	uint32_t tag = 0;
	int n = c[0] / c[2] * c[1] * k * k;
	line(w, 1, "%s c_%s 1 1 %s %s 0=%d 1=%d 5=1 6=%d 7=%d %s", type, out, in, out, c[1], k, n, c[2], more);
	put(w, &tag, sizeof tag);
	numbers(w, n, 1.6f * (float)c[2] / (float)(c[0] * k));
	numbers(w, c[1], 0.1f);
}
static void conv(struct writer *w, const char *type, const char *in, const char *out, int cin, int cout, int k, const char *more)
{
	uint32_t tag = 0;
	line(w, 1, "%s c_%s 1 1 %s %s 0=%d 1=%d 5=1 6=%d %s", type, out, in, out, cout, k, cin * cout * k * k, more);
	put(w, &tag, sizeof tag);
	numbers(w, cin * cout * k * k, 1.6f / (float)(cin * k));
	numbers(w, cout, 0.1f);
}
static void finish(struct writer *w) { snprintf(w->text, sizeof w->text, "7767517\n%d %d\n%.15000s", w->layers, w->blobs, w->body); }

/* Compact form: x2 by shuffle onto the nearest pixels; 3x3, 1x1, 5x5, dilation, every joint and activation. */
static void residual(struct writer *w)
{
	line(w, 1, "Input in 0 1 x");
	line(w, 2, "Split s 1 2 x x0 x1");
	conv(w, "Convolution", "x0", "a", 3, 20, 3, "4=1");
	line(w, 1, "PReLU p 1 1 a b 0=20");
	numbers(w, 20, 0.5f);
	conv(w, "Convolution", "b", "c", 20, 33, 3, "4=1 9=2 -23310=1,0.2");
	conv(w, "Convolution", "c", "d", 33, 20, 1, "");
	line(w, 1, "Sigmoid g 1 1 d e");
	line(w, 1, "Concat k 2 1 e b f");
	conv(w, "Convolution", "f", "g", 40, 20, 3, "4=2 2=2 9=1");
	line(w, 1, "Eltwise m 2 1 g e h 0=1 -23301=2,0.5,1.5");
	conv(w, "Convolution", "h", "i", 20, 12, 5, "4=2");
	line(w, 1, "PixelShuffle ps 1 1 i j 0=2");
	line(w, 1, "Interp n 1 1 x1 l 0=1 1=2.0 2=2.0");
	line(w, 1, "BinaryOp add 2 1 j l o 0=0");
	finish(w);
}
/* Unpadded layers and a deconvolution, as waifu2x's upconv has them; a bicubic reduction behind. */
static void upconv(struct writer *w)
{
	line(w, 1, "Input in 0 1 x");
	conv(w, "Convolution", "x", "a", 3, 16, 3, "9=2 -23310=1,0.1");
	conv(w, "Convolution", "a", "b", 16, 24, 3, "9=3 -23310=2,-0.5,0.5");
	conv(w, "Deconvolution", "b", "c", 24, 3, 4, "3=2 4=3");
	finish(w);
}

/* Deconvolutions whose channels fill planes, with and without some to spare. */
static IN_UNUSED void spread(struct writer *w)
{
	line(w, 1, "Input in 0 1 x");
	conv(w, "Convolution", "x", "a", 3, 18, 3, "4=1 9=1");
	conv(w, "Deconvolution", "a", "b", 18, 20, 4, "3=2 4=1 9=2 -23310=1,0.2");
	conv(w, "Deconvolution", "b", "c", 20, 32, 4, "3=2 4=1 9=3 -23310=2,-0.4,0.6");
	conv(w, "Convolution", "c", "d", 32, 3, 3, "4=1");
	finish(w);
}

/* Luma alone. */
static void luma(struct writer *w)
{
	line(w, 1, "Input in 0 1 x");
	line(w, 2, "Split s 1 2 x x0 x1");
	conv(w, "Convolution", "x0", "a", 1, 18, 3, "4=1 9=1");
	conv(w, "Convolution", "a", "b", 18, 4, 3, "4=1");
	line(w, 1, "PixelShuffle ps 1 1 b c 0=2");
	line(w, 1, "Interp n 1 1 x1 d 0=1 1=2.0 2=2.0");
	line(w, 1, "BinaryOp add 2 1 c d o 0=0");
	finish(w);
}

#define LEAKY "9=2 -23310=1,0.1"

/* Factors of channels out of the mean of the picture, as waifu2x's cunet has them. */
static void squeeze(struct writer *w, const char *p, const char *in, int c, bool inner)
{
	char a[9][16];
	uint32_t tag = 0;
	for (int i = 0; i < 9; i++) snprintf(a[i], sizeof a[i], "%s%d", p, i);
	line(w, 2, "Split s_%s 1 2 %s %s %s", p, in, a[0], a[1]);
	line(w, 1, "Pooling g_%s 1 1 %s %s 0=1 4=1", p, a[0], a[2]);
	if (inner) {
		line(w, 1, "InnerProduct i_%s 1 1 %s %s 0=5 1=1 2=%d 9=1", p, a[2], a[3], c * 5);
		put(w, &tag, sizeof tag);
		numbers(w, c * 5, 2.0f / (float)c);
		numbers(w, 5, 0.3f);
	} else conv(w, "Convolution", a[2], a[3], c, 5, 1, "9=1");
	conv(w, "Convolution", a[3], a[4], 5, c, 1, "9=4");
	line(w, 1, "BinaryOp m_%s 2 1 %s %s %s_", p, a[1], a[4], p);
	strcpy(w->body + strlen(w->body) - 1, " 0=2\n");
}

/* waifu2x's upcunet with few channels: two U-nets, the second's result added to the first's, cropped. */
static void cunet(struct writer *w)
{
	line(w, 1, "Input in 0 1 x");
	conv(w, "Convolution", "x", "a0", 3, 17, 3, LEAKY);
	conv(w, "Convolution", "a0", "a1", 17, 18, 3, LEAKY);
	line(w, 2, "Split sa 1 2 a1 a2 a3");
	conv(w, "Convolution", "a2", "a4", 18, 18, 2, "3=2 " LEAKY);
	conv(w, "Convolution", "a4", "a5", 18, 20, 3, LEAKY);
	conv(w, "Convolution", "a5", "a6", 20, 18, 3, LEAKY);
	squeeze(w, "q", "a6", 18, true);
	conv(w, "Deconvolution", "q_", "a7", 18, 18, 2, "3=2 " LEAKY);
	line(w, 1, "Crop ca 1 1 a3 a8 0=4 1=4 3=-233 4=-233 5=-233 6=4 7=4");
	line(w, 1, "BinaryOp ea 2 1 a8 a7 a9 0=0");
	conv(w, "Convolution", "a9", "a10", 18, 18, 3, LEAKY);
	conv(w, "Deconvolution", "a10", "b", 18, 3, 4, "3=2 4=3");
	line(w, 2, "Split sb 1 2 b bx by");
	conv(w, "Convolution", "bx", "b0", 3, 13, 3, LEAKY);
	conv(w, "Convolution", "b0", "b1", 13, 16, 3, LEAKY);
	line(w, 2, "Split sc 1 2 b1 b2 b3");
	conv(w, "Convolution", "b2", "b4", 16, 17, 2, "3=2 " LEAKY);
	conv(w, "Convolution", "b4", "b41", 17, 17, 3, LEAKY);
	conv(w, "Convolution", "b41", "b5", 17, 17, 3, LEAKY);
	squeeze(w, "r", "b5", 17, false);
	line(w, 2, "Split sd 1 2 r_ d0 d1");
	conv(w, "Convolution", "d0", "d2", 17, 19, 2, "3=2 " LEAKY);
	conv(w, "Convolution", "d2", "d21", 19, 19, 3, LEAKY);
	conv(w, "Convolution", "d21", "d3", 19, 19, 3, LEAKY);
	squeeze(w, "t", "d3", 19, false);
	conv(w, "Deconvolution", "t_", "d4", 19, 17, 2, "3=2 " LEAKY);
	line(w, 1, "Crop cd 1 1 d1 d5 -23309=2,4,4 -23310=2,-4,-4 -23311=2,1,2");
	line(w, 1, "BinaryOp ed 2 1 d4 d5 d6 0=0");
	conv(w, "Deconvolution", "d6", "b7", 17, 16, 2, "3=2 " LEAKY);
	line(w, 1, "Crop cb 1 1 b3 b8 0=12 1=12 3=-233 4=-233 5=-233 6=12 7=12");
	line(w, 1, "BinaryOp eb 2 1 b7 b8 b9 0=0");
	conv(w, "Convolution", "b9", "z", 16, 3, 3, "");
	line(w, 1, "Crop cz 1 1 by bz 0=15 1=15 3=-233 4=-233 5=-233 6=15 7=15");
	line(w, 1, "BinaryOp ez 2 1 bz z out 0=0");
	finish(w);
}

/* Kinds that no net above has. */
static void kinds(struct writer *w)
{
	line(w, 1, "Input in 0 1 x");
	line(w, 1, "Padding p 1 1 x xp 0=2 1=2 2=2 3=2 4=2");
	conv(w, "Convolution", "xp", "a", 3, 32, 5, LEAKY);
	conv_group(w, "ConvolutionDepthWise", "a", "b", (int[]){ 32, 32, 32 }, 3, "4=1 9=1");
	conv_group(w, "ConvolutionDepthWise", "b", "c", (int[]){ 32, 40, 4 }, 3, "4=1 3=2 9=4");
	line(w, 3, "Slice s 1 3 c d0 d1 d2 -23300=3,16,16,-233");
	line(w, 1, "Pooling m 1 1 d0 e0 0=0 1=3 2=1 3=1 5=1");
	line(w, 1, "Pooling n 1 1 d1 e1 0=1 1=3 2=1 3=1 5=1");
	line(w, 1, "Concat k 3 1 d2 e1 e0 f");
	conv_group(w, "DeconvolutionDepthWise", "f", "g", (int[]){ 40, 20, 20 }, 3, "3=2 4=1 18=1");
	line(w, 1, "Pooling o 1 1 g h 0=1 1=2 2=2 3=0 6=1");
	line(w, 1, "Interp i 1 1 h j 0=2 1=2.0 2=2.0");
	line(w, 1, "Padding p1 1 1 j jp 0=1 1=1 2=1 3=1 4=1");
	conv(w, "Convolution", "jp", "l", 20, 12, 3, "");
	line(w, 1, "BinaryOp sc 1 1 l lm 0=2 1=1 2=0.3");
	line(w, 1, "Reorg r 1 1 lm ln 0=2");
	line(w, 1, "PixelShuffle ps 1 1 ln lo 0=4");
	finish(w);
}

/* ESRGAN's residual dense blocks: dense concatenations, steps of 0.2, nearest pixels twice as large. */
static void dense(struct writer *w)
{
	line(w, 1, "Input in 0 1 x");
	conv(w, "Convolution", "x", "a", 3, 16, 3, "4=1");
	line(w, 7, "Split sa 1 7 a a0 a1 a2 a3 a4 a5 a6");
	conv(w, "Convolution", "a0", "b", 16, 16, 3, "4=1 9=2 -23310=1,0.2");
	line(w, 3, "Split sb 1 3 b b0 b1 b2");
	line(w, 1, "Concat c1 2 1 a1 b0 c");
	conv(w, "Convolution", "c", "d", 32, 16, 3, "4=1 9=2 -23310=1,0.2");
	line(w, 2, "Split sd 1 2 d d0 d1");
	line(w, 1, "Concat c2 3 1 a2 b1 d0 e");
	conv(w, "Convolution", "e", "f", 48, 8, 3, "4=1 9=2 -23310=1,0.2");
	line(w, 1, "Concat c3 4 1 a3 b2 d1 f g");
	conv(w, "Convolution", "g", "h", 56, 16, 3, "4=1");
	line(w, 1, "BinaryOp m1 1 1 h i 0=2 1=1 2=0.2");
	line(w, 1, "BinaryOp p1 2 1 i a4 j 0=0");
	line(w, 1, "Eltwise p2 2 1 j a5 k 0=1 -23301=2,0.2,1.0");
	line(w, 1, "BinaryOp p3 2 1 a6 k l 0=0");
	line(w, 1, "Interp u1 1 1 l m 0=1 1=2.0 2=2.0");
	conv(w, "Convolution", "m", "n", 16, 16, 3, "4=1 9=2 -23310=1,0.2");
	line(w, 1, "Interp u2 1 1 n o 0=1 1=2.0 2=2.0");
	conv(w, "Convolution", "o", "q", 16, 3, 3, "4=1");
	finish(w);
}

/* Maps of several grids put together, read by all kinds of kernels that can read them apart. */
static void skips(struct writer *w)
{
	line(w, 1, "Input in 0 1 x");
	conv(w, "Convolution", "x", "a", 3, 16, 3, "4=1 9=2 -23310=1,0.2");
	line(w, 2, "Split sa 1 2 a a0 a1");
	line(w, 1, "Pooling p 1 1 a0 b 0=0 1=2 2=2");
	conv(w, "Convolution", "b", "c", 16, 32, 3, "4=1 9=2 -23310=1,0.2");
	line(w, 1, "Interp u 1 1 c d 0=1 1=2.0 2=2.0");
	line(w, 1, "Concat k 2 1 d a1 e");
	line(w, 4, "Split se 1 4 e e0 e1 e2 e3");
	conv(w, "Convolution", "e0", "f", 48, 16, 3, "4=1 9=2 -23310=1,0.2");
	conv(w, "Convolution", "e1", "g", 48, 16, 5, "4=2");
	conv(w, "Deconvolution", "e2", "h", 48, 16, 3, "4=1");
	conv_group(w, "ConvolutionDepthWise", "e3", "i", (int[]){ 48, 48, 48 }, 3, "4=1 9=1");
	conv(w, "Convolution", "i", "j", 48, 16, 1, "");
	line(w, 1, "Eltwise s 4 1 f g h j l 0=1");
	conv(w, "Convolution", "l", "m", 16, 3, 3, "4=1");
	finish(w);
}

static void save(const struct writer *w, const char *name)
{
	char path[400];
	snprintf(path, sizeof path, "%s/%s.param", test_tmp(), name);
	FILE *f = fopen(path, "w");
	if (f) fputs(w->text, f), fclose(f);
	snprintf(path, sizeof path, "%s/%s.bin", test_tmp(), name);
	f = fopen(path, "w");
	if (f) fwrite(w->bin, 1, w->nbin, f), fclose(f);
}

/* --- the naive evaluator: every blob a plane of doubles over its window --- */

struct map { struct rect r; int c; double *v; bool vec; };

static double at(const struct map *m, int c, int x, int y, bool hold)
{
	if (hold) {
		x = x < m->r.x0 ? m->r.x0 : x >= m->r.x1 ? m->r.x1 - 1 : x;
		y = y < m->r.y0 ? m->r.y0 : y >= m->r.y1 ? m->r.y1 - 1 : y;
	}
	if (x < m->r.x0 || y < m->r.y0 || x >= m->r.x1 || y >= m->r.y1) return 0;
	return m->v[((size_t)c * (size_t)rect_h(m->r) + (size_t)(y - m->r.y0)) * (size_t)rect_w(m->r) + (size_t)(x - m->r.x0)];
}
static double act(const struct nn_layer *l, const float *slopes, int c, double v)
{
	switch (l->act) {
	case NN_SLOPE: return v > 0 ? v : v * l->lo;
	case NN_SLOPES: return v > 0 ? v : v * (double)slopes[c];
	case NN_CLIP: return v < l->lo ? l->lo : v > l->hi ? l->hi : v;
	case NN_SIGMOID: return 1 / (1 + mx_exp(-v));
	default: return v;
	}
}
/* Counted from the windows' corners, as ncnn counts: output n of a convolution reads n stride - pad ..., input n of a
 * deconvolution goes to n stride - pad ... */
static double conv_at(const struct nn_layer *l, const float *w, const struct map *in, struct rect r, int o, int x, int y)
{
	double sum = 0;
	int s = l->stride, cig = in->c / l->group, cog = l->cout / l->group, g = o / cog;
	x -= r.x0, y -= r.y0;
	for (int i = 0; i < cig; i++)
		for (int j = 0; j < l->k; j++)
			for (int k = 0; k < l->k; k++) {
				int from = l->flip ? (g * cig + i) * cog + o % cog : o * cig + i;
				double wt = (double)w[(from * l->k + j) * l->k + k];
				int sx = x * s - l->pad + k * l->dilation, sy = y * s - l->pad + j * l->dilation;
				if (l->op == NN_DECONV) {
					sx = x + l->pad - k * l->dilation, sy = y + l->pad - j * l->dilation;
					if (sx % s || sy % s) continue;
					sx /= s, sy /= s;
				}
				sum += wt * at(in, g * cig + i, sx + in->r.x0, sy + in->r.y0, false);
			}
	return sum;
}
static double pool_at(const struct nn_layer *l, const struct map *in, struct rect r, int c, int x, int y)
{
	double sum = 0, most = -1e30;
	int n = 0;
	for (int j = 0; j < l->k; j++)
		for (int k = 0; k < l->k; k++) {
			int sx = (x - r.x0) * l->stride - l->pad + k + in->r.x0, sy = (y - r.y0) * l->stride - l->pad + j + in->r.y0;
			if (sx < in->r.x0 || sy < in->r.y0 || sx >= in->r.x1 || sy >= in->r.y1) continue;
			double v = at(in, c, sx, sy, false);
			sum += v;
			n++;
			if (v > most) most = v;
		}
	return l->how == NN_POOL_MAX ? most : sum / (l->how == NN_POOL_AVG_ALL ? l->k * l->k : n);
}
static double pad_at(const struct nn_layer *l, const struct map *in, int c, int x, int y)
{
	if (l->how == NN_PAD_REFLECT) {
		if (x < in->r.x0) x = 2 * in->r.x0 - x;
		if (y < in->r.y0) y = 2 * in->r.y0 - y;
		if (x >= in->r.x1) x = 2 * in->r.x1 - 2 - x;
		if (y >= in->r.y1) y = 2 * in->r.y1 - 2 - y;
	}
	bool inside = x >= in->r.x0 && x < in->r.x1 && y >= in->r.y0 && y < in->r.y1;
	return !inside && l->how == NN_PAD_VALUE ? l->scalar : at(in, c, x, y, true);
}
static double mean_at(const struct map *in, int c)
{
	double sum = 0;
	for (int y = in->r.y0; y < in->r.y1; y++)
		for (int x = in->r.x0; x < in->r.x1; x++) sum += at(in, c, x, y, false);
	return sum / (double)rect_area(in->r);
}
/* Half-pixel centres, two pixels each way. */
static double linear_at(const struct nn_layer *l, const struct map *in, struct rect r, int c, int x, int y)
{
	double fx = (x - r.x0 + 0.5) * l->den / l->num - 0.5 + in->r.x0, fy = (y - r.y0 + 0.5) * l->den / l->num - 0.5 + in->r.y0;
	int ix = (int)mx_floor(fx), iy = (int)mx_floor(fy);
	double a = at(in, c, ix, iy, true) * (1 - fx + ix) + at(in, c, ix + 1, iy, true) * (fx - ix);
	double b = at(in, c, ix, iy + 1, true) * (1 - fx + ix) + at(in, c, ix + 1, iy + 1, true) * (fx - ix);
	return a * (1 - fy + iy) + b * (fy - iy);
}
static double joined_at(const struct nn_layer *l, const struct map *m, int c, int x, int y)
{
	double v = l->coef[0] * at(&m[l->in[0]], c, x, y, m[l->in[0]].vec);
	for (int i = 1; i < l->nin + l->with_scalar; i++) {
		double o = l->with_scalar ? l->scalar : l->coef[i] * at(&m[l->in[i]], c, x, y, m[l->in[i]].vec);
		v = l->how == NN_ADD ? v + o : l->how == NN_SUB ? v - o : v * o;
	}
	return v;
}
static double layer_at(const struct nn_layer *l, const struct map *m, const float *w, const float *bias, const float *sl,
                       struct rect o, int c, int x, int y)
{
	const struct map *in = &m[l->in[0]];
	int f = l->stride, k = c;
	switch (l->op) {
	case NN_CONV: case NN_DECONV: return act(l, sl, c, conv_at(l, w, in, o, c, x, y) + (bias ? (double)bias[c] : 0));
	case NN_ACT: return act(l, sl, c, at(in, c, x, y, false));
	case NN_SHUFFLE: return at(in, c * f * f + (y % f) * f + x % f, x / f, y / f, false);
	case NN_UNSHUFFLE: return at(in, c / (f * f), x * f + c % f, y * f + c / f % f, false);
	case NN_PAD: return pad_at(l, in, c, x, y);
	case NN_POOL: return pool_at(l, in, o, c, x, y);
	case NN_MEAN: return mean_at(in, c);
	case NN_SLICE: return at(in, c + l->first, x, y, in->vec);
	case NN_AFFINE: return at(in, c, x, y, in->vec) * (w ? (double)w[c] : 1) + (bias ? (double)bias[c] : 0);
	case NN_INTERP:
		if (l->how == NN_BILINEAR) return linear_at(l, in, o, c, x, y);
		return at(in, c, x * l->den / l->num, y * l->den / l->num, true);
	case NN_CONCAT:
		for (f = 0; k >= m[l->in[f]].c; f++) k -= m[l->in[f]].c;
		return at(&m[l->in[f]], k, x, y, false);
	default: return joined_at(l, m, c, x, y);
	}
}
static struct map *evaluate(const struct nn_model *m, const struct image *src)
{
	struct map *b = calloc((size_t)m->nblob, sizeof *b);
	struct err e = ERR_INIT;
	struct rect base = nn_input(m->pad, m->align, src->fmt.data);
	for (int i = 0; i < m->nlayer; i++) {
		const struct nn_layer *l = &m->layer[i];
		struct map *o = &b[l->out];
		float *w = l->w.n ? nn_weights(m, &l->w, &e) : NULL, *bias = l->bias.n ? nn_weights(m, &l->bias, &e) : NULL;
		float *sl = l->slopes.n ? nn_weights(m, &l->slopes, &e) : NULL;
		size_t n = 0;
		*o = (struct map){ nn_window(&m->blob[l->out], base), m->blob[l->out].c, NULL, m->blob[l->out].vec };
		o->v = calloc(rect_area(o->r) * (size_t)o->c + 1, sizeof *o->v);
		struct rect d = src->fmt.data;
		for (int c = 0; c < o->c; c++)
			for (int y = o->r.y0; y < o->r.y1; y++)
				for (int x = o->r.x0; x < o->r.x1; x++) {
					int sx = x < d.x0 ? d.x0 : x >= d.x1 ? d.x1 - 1 : x, sy = y < d.y0 ? d.y0 : y >= d.y1 ? d.y1 - 1 : y;
					o->v[n++] = l->op == NN_INPUT ? (double)*view_at(&src->view, c, sx, sy)
					                              : layer_at(l, b, w, bias, sl, o->r, c, x, y);
				}
		free(w);
		free(bias);
		free(sl);
	}
	return b;
}
static void maps_free(struct map *b, int n)
{
	for (int i = 0; i < n; i++) free(b[i].v);
	free(b);
}

/* --- scenes --- */

struct src { int kind, w, h; };
static const struct param src_params[] = {
	P_INT(src, kind, 0, 0, 3, "", PF_STATIC, "0: noise within 0 to 1; 1: waves; 2: waves beyond it; 3: others beyond it."),
	P_INT(src, w, 20, 1, 1000, "", PF_STATIC, "Width."),
	P_INT(src, h, 16, 1, 1000, "", PF_STATIC, "Height."),
	P_END
};
static int src_format(const struct node_ctx *n, struct format *f, struct err *e)
{
	const struct src *p = n->v;
	(void)e;
	f->data = f->display = rect_of(0, 0, p->w, p->h);
	f->first = f->last = 1;
	f->space = f->encoded = colour_find("rec709");
	format_channels(f, "R G B");
	return 0;
}
static int src_tile(const struct call *c, struct rect r)
{
	const struct src *p = c->n->v;
	for (int k = 0; k < 3; k++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++) {
				double v = (double)(philox4x32((uint32_t)x, (uint32_t)y, (uint32_t)k, 0, 1, 2).c[0] >> 8) * 0x1p-24;
				if (p->kind) v = 0.5 + 0.3 * mx_sin(x * 0.21 + k) * mx_cos(y * 0.17) + 0.12 * mx_sin(x * 1.3 - y * 0.9);
				if (p->kind == 2 && x > p->w / 2) v += y > p->h / 2 ? 2 : -1;
				if (p->kind == 3) v = 0.5 + 0.4 * mx_sin(x * 0.31 + k) * mx_cos(y * 0.27) + (x > 25 ? y > 15 ? 2.0 : -1.0 : 0.0);
				*view_at(c->out, k, x, y) = (float)v;
			}
	return 0;
}
static const struct node_type src_type = { .name = "tsrc", .doc = "A picture.", .version = 1, .size = sizeof(struct src),
	.params = src_params, .inputs = "", .traits = TR_SOURCE, .format = src_format, .tile = src_tile };

static int load(struct script_host *h, struct registry *reg, const char *path, const char *from, int ln, struct diags *d)
{
	struct err e = ERR_INIT;
	(void)h; (void)path; (void)from; (void)ln; (void)d;
	return registry_add(reg, &src_type, &e);
}
static int eval(struct script_host *h, const char *x, const struct eval_env *env, const struct param *p, struct arena *a,
                struct value *out, struct err *e)
{
	(void)h; (void)x; (void)env; (void)p; (void)a; (void)out;
	return err_set(e, E_SCRIPT, "none here");
}
static struct script_host host = { NULL, load, eval };

struct taken { struct image *im; struct pool *pool; };
static int take(void *user, const struct net_node *n, int frame, const struct image *im, struct err *e)
{
	struct taken *t = user;
	(void)n; (void)frame;
	t->im = image_new(t->pool, &im->fmt, "test", e);
	if (!t->im) return -1;
	for (int c = 0; c < im->view.nch; c++)
		for (int y = im->fmt.data.y0; y < im->fmt.data.y1; y++)
			memcpy(view_at(&t->im->view, c, im->fmt.data.x0, y), view_at(&im->view, c, im->fmt.data.x0, y),
			       (size_t)rect_w(im->fmt.data) * sizeof(float));
	return 0;
}
/* The picture of node id in a scene of one source and the elements `more`; NULL where it does not come: why, or printed
 * where why is NULL. */
static struct image *picture_of(struct pool *pool, const char *source, const char *more, const char *id, int threads, int tile,
                                struct err *why)
{
	char text[2400];
	struct diags d = { 0 };
	struct load_opts lo = { &host, NULL, 0 };
	struct taken t = { NULL, pool };
	struct err e = ERR_INIT;
	snprintf(text, sizeof text, "<graph version=\"1\" fps=\"24\"><script file=\"t\"/><tsrc id=\"n\" %s/>%s</graph>", source, more);
	struct scene *sc = scene_load("nn.xml", text, strlen(text), &lo, &d);
	struct net *n = sc ? net_build(sc, &(struct net_opts){ .proxy = 1, .only = id }, &d) : NULL;
	if (!n && !why) diags_print(&d, false);
	else if (!n) err_set(why, diags_status(&d), "%s", d.n ? d.v[0].msg : "");
	else {
		struct render_opts ro = { .threads = threads, .tile = tile, .result = take, .user = &t };
		struct render_stats st = { 0 };
		if (render_run(n, &ro, &st, why ? why : &e) < 0 && !why) printf("# %s\n", e.msg);
		diags_free(&st.problems);
	}
	diags_free(&d);
	net_free(&n);
	scene_free(&sc);
	return t.im;
}
/* Of one upscale. */
static struct image *shot(struct pool *pool, const char *source, const char *up, const char *id, int threads, int tile)
{
	char more[2000];
	snprintf(more, sizeof more, "<upscale id=\"up\" in=\"n\" %s/>", up);
	return picture_of(pool, source, more, id, threads, tile, NULL);
}

static double largest(const struct image *a, const struct image *b, int c)
{
	double worst = 0;
	for (int y = a->fmt.data.y0; y < a->fmt.data.y1; y++)
		for (int x = a->fmt.data.x0; x < a->fmt.data.x1; x++) {
			double d = (double)*view_at(&a->view, c, x, y) - (double)*view_at(&b->view, c, x, y);
			if (d < 0) d = -d;
			if (d > worst) worst = d;
		}
	return worst;
}

/* A network of one channel leaves colour to the plain resample. */
static void luma_net(struct pool *pool, const char *file)
{
	char up[700];
	const char *source = "kind=\"1\" w=\"40\" h=\"30\"";
	snprintf(up, sizeof up, "method=\"neural\" scale=\"2\" model=\"%s/%s\"", test_tmp(), file);
	struct image *net = shot(pool, source, up, "up", 2, 0), *plain = shot(pool, source, "scale=\"2\"", "up", 2, 0);
	double chroma = 0, change = net && plain ? largest(net, plain, 0) : 0;
	for (int y = 0; y < 60 && net && plain; y++)
		for (int x = 0; x < 80; x++)
			for (int c = 1; c < 3; c++) {
				double d = (double)*view_at(&net->view, 0, x, y) - (double)*view_at(&net->view, c, x, y) -
				           (double)*view_at(&plain->view, 0, x, y) + (double)*view_at(&plain->view, c, x, y);
				if (d < 0) d = -d;
				if (d > chroma) chroma = d;
			}
	test_ok(change > 1e-3 && chroma < 1e-6, "%s leaves colour differences to the plain resample (%.1e)", file, chroma);
	image_unref(&net);
	image_unref(&plain);
}

#endif
