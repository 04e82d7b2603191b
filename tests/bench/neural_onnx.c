/* neural_onnx IN.param OUT.onnx - the same network as an .onnx file that ONNX Runtime reads.
 * neural_onnx --rrdb BLOCKS OUT.param - ESRGAN's network of that many blocks (64 and 32 channels), weights of noise.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../unit/onnx_case.h"

static FILE *text, *bin;
static int layers, blobs;

static void conv_to(const char *in, const char *out, int cin, int cout, bool leaky)
{
	uint32_t tag = 0, at = (uint32_t)layers << 20;
	int n = cin * cout * 9;
	fprintf(text, "Convolution c_%s 1 1 %s %s 0=%d 1=3 4=1 5=1 6=%d%s\n", out, in, out, cout, n, leaky ? " 9=2 -23310=1,0.2" : "");
	fwrite(&tag, 4, 1, bin);
	for (int i = 0; i < n + cout; i++) {
		float v = ((float)(philox4x32(at++, 3, 0, 0, 1, 2).c[0] >> 8) * 0x1p-23f - 1.0f) / (float)(cin * 3);
		fwrite(&v, 4, 1, bin);
	}
	layers++, blobs++;
}
__attribute__((format(printf, 2, 3)))
static void other(int n, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vfprintf(text, fmt, ap);
	va_end(ap);
	fputc('\n', text);
	layers++, blobs += n;
}

/* Five convolutions, each of all before it; a fifth of what they make is added. */
static void dense_block(const char *in, const char *p)
{
	char a[8][24], list[200] = "", out[24];
	other(6, "Split s_%s 1 6 %s %s_0 %s_1 %s_2 %s_3 %s_4 %s_5", p, in, p, p, p, p, p, p);
	for (int i = 0; i < 5; i++) {
		snprintf(a[i], sizeof a[i], "%s_%d", p, i);
		snprintf(out, sizeof out, "%s_x%d", p, i);
		list[0] = 0;
		for (int k = 0; k < i; k++) sprintf(list + strlen(list), " %s_x%d_%d", p, k, i - k - 1);
		if (i) other(1, "Concat k_%s%d %d 1 %s%s %s_k%d", p, i, i + 1, a[i], list, p, i);
		char from[24];
		snprintf(from, sizeof from, i ? "%s_k%d" : "%s_%d", p, i);
		conv_to(from, out, 64 + 32 * i, i == 4 ? 64 : 32, i < 4);
		if (i == 4) break;
		fprintf(text, "Split t_%s 1 %d %s", out, 4 - i, out);
		for (int k = 0; k < 4 - i; k++) fprintf(text, " %s_%d", out, k);
		fputc('\n', text);
		layers++, blobs += 4 - i;
	}
	other(1, "Eltwise e_%s 2 1 %s_x4 %s_5 %s_o 0=1 -23301=2,0.2,1.0", p, p, p, p);
}

static void rrdb(int n)
{
	char in[24] = "f0", a[24], b[40];
	other(1, "Input in 0 1 x");
	conv_to("x", "first", 3, 64, false);
	other(2, "Split sf 1 2 first f0 f1");
	for (int i = 0; i < n; i++) {
		snprintf(a, sizeof a, "r%d", i);
		other(2, "Split s_%s 1 2 %s %s_i %s_s", a, in, a, a);
		snprintf(b, sizeof b, "%s_i", a);
		for (int k = 0; k < 3; k++) {
			char p[24];
			snprintf(p, sizeof p, "d%d%c", i, 'a' + k);
			dense_block(b, p);
			snprintf(b, sizeof b, "%s_o", p);
		}
		other(1, "Eltwise e_%s 2 1 %s %s_s %s_o 0=1 -23301=2,0.2,1.0", a, b, a, a);
		snprintf(in, sizeof in, "r%d_o", i);
	}
	conv_to(in, "trunk", 64, 64, false);
	other(1, "BinaryOp add 2 1 trunk f1 sum 0=0");
	other(1, "Interp u1 1 1 sum u1 0=1 1=2.0 2=2.0");
	conv_to("u1", "v1", 64, 64, true);
	other(1, "Interp u2 1 1 v1 u2 0=1 1=2.0 2=2.0");
	conv_to("u2", "v2", 64, 64, true);
	conv_to("v2", "hr", 64, 64, true);
	conv_to("hr", "out", 64, 3, false);
}

static int make_rrdb(int n, const char *path)
{
	char other_file[500], *body = NULL;
	size_t len = 0;
	snprintf(other_file, sizeof other_file, "%.*s.bin", (int)strlen(path) - 6, path);
	text = open_memstream(&body, &len);
	bin = fopen(other_file, "w");
	FILE *f = fopen(path, "w");
	if (!text || !bin || !f) return 1;
	rrdb(n);
	fclose(text);
	fprintf(f, "7767517\n%d %d\n%s", layers, blobs, body);
	free(body);
	return fclose(f) || fclose(bin) ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	if (argc == 4 && strcmp(argv[1], "--rrdb") == 0) return make_rrdb(atoi(argv[2]), argv[3]);
	struct nn_model *m = argc == 3 ? nn_load(argv[1], &e) : NULL;
	if (!m) { fprintf(stderr, "%s\n", argc == 3 ? e.msg : "IN.param OUT.onnx"); return 2; }
	struct out f = as_onnx(m, true);
	write_file(argv[2], f.p, f.n);
	free(f.p);
	nn_free(&m);
	return 0;
}
