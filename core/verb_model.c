/* verb_model - `interneg model`: layers, receptive field, factor, cost, memory and hash of a network.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "mem.h"
#include "nn_model.h"
#include "nn_ort.h"

static const char *op_name(const struct nn_layer *l)
{
	static const char *const names[] = { "input", "convolution", "deconvolution", "activation",
		"pixel shuffle", "resize",
		"arithmetic", "concatenation", "border", "pooling", "mean of all", "channels", "scale", "unshuffle" };
	return names[l->op];
}

static double map_bytes(const struct nn_blob *b)
{
	double f = b->vec ? 0 : (double)b->num / b->den;
	return 4.0 * nn_planes(b->c) * nn_step(b->c) * f * f;
}

/* Bytes that feature maps take a pixel of the input: those that stand at once. */
static double bytes_per_pixel(const struct nn_model *m)
{
	int *last = xalloc((size_t)m->nblob + 1, sizeof *last);
	double most = 0, sum = 0;
	for (int i = 0; i < m->nlayer; i++)
		for (int j = 0; j < m->layer[i].nread && !m->layer[i].gone; j++) last[m->layer[i].read[j]] = i;
	for (int i = 0; i < m->nlayer; i++) {
		const struct nn_layer *l = &m->layer[i];
		if (l->gone) continue;
		sum += map_bytes(&m->blob[l->out]);
		if (sum > most) most = sum;
		for (int j = 0; j < l->nread; j++)
			if (last[l->read[j]] == i) sum -= map_bytes(&m->blob[l->read[j]]), last[l->read[j]] = -1;
	}
	free(last);
	return most;
}

static void print_text(const char *file, const struct nn_model *m, bool layers)
{
	char hex[65], scale[24];
	const struct nn_blob *in = &m->blob[m->input];
	key_hex(&m->sha, hex);
	snprintf(scale, sizeof scale, m->scale_den == 1 ? "%d" : "%d/%d", m->scale_num, m->scale_den);
	printf("%s\n", file);
	printf("sha256           %s\n", hex);
	printf("factor           %s\n", scale);
	printf("channels         %d (%s)\n", in->c, in->c == 1 ? "luma" : "R, G, B");
	printf("values           0 to 1\n");
	printf("layers           %d\n", m->nlayer);
	printf("weights          %llu\n", (unsigned long long)m->params);
	printf("receptive field  %d pixels on each side%s\n", m->radius,
	       m->whole ? "; and means of the whole picture" : "");
	if (m->align > 1) printf("grid             the picture is extended to multiples of %d pixels\n", m->align);
	printf("border           %s\n", m->pad ? "edge pixels held, then cut off"
	       : "zeros at the picture's edge, in every layer");
	printf("cost             %.0f multiplications a source pixel\n", m->mac);
	printf("memory           %.0f bytes a source pixel; %.0f MiB at 960x540\n", bytes_per_pixel(m),
	       bytes_per_pixel(m) * 960 * 540 / 1048576.0);
	for (int i = 0; layers && i < m->nlayer; i++) {
		const struct nn_layer *l = &m->layer[i];
		const struct nn_blob *b = &m->blob[l->out];
		printf("%4d  %-16s %-14s %4d channels ", i, l->type, op_name(l), b->c);
		if (b->vec) printf("of the whole");
		else printf("at %d/%d", b->num, b->den);
		if (l->w.n) printf("  %dx%d, %s", l->k, l->k, l->w.half ? "half" : "float");
		printf("\n");
	}
}

static void json_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\') printf("\\%c", c);
		else if (c < 32) printf("\\u%04x", c);
		else putchar(c);
	}
	putchar('"');
}

static void print_json(const char *file, const struct nn_model *m)
{
	char hex[65];
	key_hex(&m->sha, hex);
	printf("{\"file\":");
	json_string(file);
	printf(",\"sha256\":\"%s\",\"factor\":%.17g,\"channels\":%d,\"weights\":%llu,\"receptive\":%d,\"pad\":%d,\"align\":%d,\"whole\":%s,"
	       "\"multiplications\":%.17g,\"bytes_per_pixel\":%.17g,\"layers\":[", hex, (double)m->scale_num / m->scale_den,
	       m->blob[m->input].c, (unsigned long long)m->params, m->radius, m->pad, m->align,
	       m->whole ? "true" : "false", m->mac, bytes_per_pixel(m));
	for (int i = 0; i < m->nlayer; i++) {
		const struct nn_layer *l = &m->layer[i];
		printf("%s{\"type\":", i ? "," : "");
		json_string(l->type);
		printf(",\"name\":");
		json_string(l->name);
		printf(",\"channels\":%d,\"kernel\":%d}", m->blob[l->out].c, l->k);
	}
	printf("]}\n");
}

/* A network that only ONNX Runtime can run; why: the own reader's refusal. */
static void print_foreign(const char *file, const struct nn_ort_facts *f, const char *why, bool json)
{
	struct err e = ERR_INIT;
	char hex[65];
	double mib = ((double)nn_ort_bytes(f, rect_of(0, 0, f->w ? f->w : 960, f->w ? f->h : 540), 0) +
	              f->weights) / 1048576;
	key_hex(&f->sha, hex);
	if (json) {
		printf("{\"file\":");
		json_string(file);
		printf(",\"sha256\":\"%s\",\"factor\":%.17g,\"channels\":%d,\"width\":%d,\"height\":%d,\"align\":%d,\"backend\":"
		       "\"onnxruntime\",\"why\":", hex, (double)f->num / f->den, f->cin, f->w, f->h, f->align);
		json_string(why);
		printf("}\n");
		return;
	}
	printf("%s\nsha256           %s\nfactor           %d", file, hex, f->num);
	if (f->den > 1) printf("/%d", f->den);
	printf("\nchannels         %d in, %d out\nvalues           0 to 1\n", f->cin, f->cout);
	printf("runs by          backend=\"onnxruntime\" only (%s)\nbecause          %s\n", nn_ort_about(&e), why);
	if (f->w) printf("pictures         of %d x %d only: overlap= for larger ones\n", f->w, f->h);
	else if (f->align > 1)
		printf("grid             the picture is extended to multiples of %d pixels\n", f->align);
	printf("memory           %.0f MiB at %dx%d%s\n", mib, f->w ? f->w : 960, f->w ? f->h : 540,
	       f->square > 0 ? ", growing with the square of the pixels" : "");
}

static int model(const struct cli *c, const char *file, struct err *e)
{
	struct nn_model *m = nn_load(file, e);
	struct nn_ort_facts f;
	size_t n = strlen(file);
	if (m) {
		if (c->json) print_json(file, m);
		else print_text(file, m, c->verbose || c->narg == 1);
		nn_free(&m);
		return 0;
	}
	struct err own = *e, other = ERR_INIT;
	if (e->code != E_INPUT || n < 5 || strcmp(file + n - 5, ".onnx") != 0 || !nn_ort_about(&other)) return -1;
	err_clear(e);
	if (nn_ort_learn(file, &f, e) < 0) return -1;
	print_foreign(file, &f, own.msg, c->json);
	return 0;
}

int verb_model(struct cli *c, struct err *e)
{
	if (c->narg < 1) return err_set(e, E_USAGE, "model wants at least one FILE.param or FILE.onnx");
	for (int i = 0; i < c->narg; i++)
		if (model(c, c->arg[i], e) < 0) return -1;
	return 0;
}
