/* onnx - networks through the .onnx reader: the bits of the same networks as .param, figures of ONNX Runtime, hostile files.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "onnx_case.h"

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
	struct out t = { NULL, 0 }, at = { NULL, 0 };
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
	word(&t, 8, "w");
	word(&at, 1, "location"), word(&at, 2, "../../../etc/passwd");
	into(&t, 13, &at);
	into(&g.g, 5, &t);
	refuse("external data in another folder", &g, "another file");
	number(&t, 1, 1ull << 62), number(&t, 1, 4), number(&t, 2, 1), word(&t, 8, "w");
	into(&g.g, 5, &t);
	refuse("dimensions whose product is 0 in 64 bits", &g, "impossible size");
	number(&t, 1, (uint64_t)-3), number(&t, 2, 1), word(&t, 8, "w");
	into(&g.g, 5, &t);
	refuse("a negative size", &g, "impossible size");
	char *name = malloc((4 << 20) + 1);
	memset(name, 'x', 4 << 20);
	name[4 << 20] = 0;
	word(&g.node, 4, name), word(&g.node, 1, "b0"), word(&g.node, 3, name), end(&g, name);
	refuse("names of megabytes", &g, "not known");
	free(name);
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
	struct out file = as_onnx(m, false);
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

/* Numbers that no weight is, in a file that is otherwise good. */
static void bad_weights(struct pool *pool)
{
	const float bad[] = { __builtin_nanf(""), __builtin_inff(), -1e30f };
	char path[400], up[800];
	snprintf(path, sizeof path, "%s/bad.onnx", test_tmp());
	snprintf(up, sizeof up, "method=\"neural\" model=\"%s\"", path);
	for (int i = 0; i < 3; i++) {
		struct graph g = { 0 };
		float w[27] = { 0 };
		const int dim[] = { 3, 1, 3, 3 };
		w[13] = bad[i];
		tensor(&g, "w", 1, dim, 4, w, sizeof w);
		begin(&g, "Conv", 0), more(&g, "w"), attr_int(&g, "group", 3), attr_ints(&g, "pads", 4, (int[]){ 1, 1, 1, 1 });
		end(&g, "b1");
		face(&g, 11, 0, 3, 1, 0);
		face(&g, 12, 1, 0, 1, 0);
		struct out f = model_file(&g);
		write_file(path, f.p, f.n);
		free(f.p);
		struct image *im = shot(pool, "", up, "up", 1, 0);
		test_ok(!im, "a weight of %g is refused", (double)bad[i]);
		image_unref(&im);
	}
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
	static struct writer w[6];
	static const char *const names[] = { "residual", "upconv", "cunet", "kinds", "dense", "luma" };
	static void (*const make[])(struct writer *) = { residual, upconv, cunet, kinds, dense, luma };
	struct pool *pool = pool_new();
	struct err e = ERR_INIT;
	char path[600];
	if (node_isa_set(ISA_AUTO, &e) < 0) return 1;
	for (int i = 0; i < 6; i++) {
		make[i](&w[i]);
		pair(pool, &w[i], names[i]);
	}
	luma_net(pool, "luma.onnx");
	bad_weights(pool);
	refusals();
	isas(pool);
	pool_free(&pool);
	snprintf(path, sizeof path, "rm -rf '%s'", test_tmp());
	if (system(path) != 0) return 1;
	TEST_END();
}
