/* ort - networks by ONNX Runtime against the own kernels and sums in doubles, windows, sizes, and files not fit for it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "nn_ort.h"
#include "onnx_case.h"

enum { MID = 6 };
struct gelu { float w1[MID * 27], b1[MID], w2[12 * MID * 9], b2[12]; };

static void fill(struct gelu *n)
{
	static struct writer w;
	for (int i = 0; i < MID * 27; i++) n->w1[i] = noise(&w) * 0.4f;
	for (int i = 0; i < MID; i++) n->b1[i] = noise(&w) * 0.2f;
	for (int i = 0; i < 12 * MID * 9; i++) n->w2[i] = noise(&w) * 0.2f;
	for (int i = 0; i < 12; i++) n->b2[i] = noise(&w) * 0.2f + 0.4f;
}

/* --- graphs of operators that the own reader has not --- */

static void node(struct graph *g, const char *type, int n, const char *const *in, const char *out)
{
	word(&g->node, 4, type);
	for (int i = 0; i < n; i++) more(g, in[i]);
	end(g, out);
}
#define NODE(g, type, out, ...) node(g, type, (int)(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)), \
                                     (const char *const[]){ __VA_ARGS__ }, out)
static void scalar(struct graph *g, const char *name, float v) { tensor(g, name, 1, NULL, 0, &v, 4); }
static void conv3(struct graph *g, const char *in, const char *out, const float *w, const float *b, int cin, int cout)
{
	char kw[24], kb[24];
	snprintf(kw, sizeof kw, "w_%s", out);
	snprintf(kb, sizeof kb, "c_%s", out);
	tensor(g, kw, 1, (int[]){ cout, cin, 3, 3 }, 4, w, (size_t)(cin * cout * 9) * 4);
	tensor(g, kb, 1, &cout, 1, b, (size_t)cout * 4);
	word(&g->node, 4, "Conv");
	more(g, in), more(g, kw), more(g, kb);
	attr_ints(g, "pads", 4, (int[]){ 1, 1, 1, 1 });
	end(g, out);
}
static void larger(struct graph *g, const char *in, const char *out)
{
	word(&g->node, 4, "DepthToSpace");
	more(g, in);
	attr_int(g, "blocksize", 2);
	attr_text(g, "mode", "CRD");
	end(g, out);
}
static void turned(struct graph *g, const char *in, const char *out, int n, const int *perm)
{
	word(&g->node, 4, "Transpose");
	more(g, in);
	attr_ints(g, "perm", n, perm);
	end(g, out);
}
/* x -> conv -> x (1 + erf(x / sqrt 2)) / 2 -> conv -> twice as large. */
static struct out gelu_file(const struct gelu *n, int side)
{
	struct graph g = { 0 };
	scalar(&g, "root", 1.41421356f), scalar(&g, "one", 1), scalar(&g, "half", 0.5f);
	conv3(&g, "b0", "a", n->w1, n->b1, 3, MID);
	NODE(&g, "Div", "d", "a", "root");
	NODE(&g, "Erf", "e", "d");
	NODE(&g, "Add", "f", "e", "one");
	NODE(&g, "Mul", "h", "a", "f");
	NODE(&g, "Mul", "i", "h", "half");
	conv3(&g, "i", "j", n->w2, n->b2, MID, 12);
	larger(&g, "j", "b1");
	face(&g, 11, 0, 3, 1, side);
	face(&g, 12, 1, 0, 1, 0);
	return model_file(&g);
}
/* Layers normalised over channels, and channels that attend to each other. */
static struct out attention_file(const struct gelu *n)
{
	struct graph g = { 0 };
	float ones[MID], zeros[MID] = { 0 };
	const int mid = MID;
	const int64_t flat[] = { 1, MID, -1 };
	for (int i = 0; i < MID; i++) ones[i] = 1;
	tensor(&g, "g", 1, &mid, 1, ones, sizeof ones);
	tensor(&g, "z", 1, &mid, 1, zeros, sizeof zeros);
	tensor(&g, "flat", 7, (int[]){ 3 }, 1, flat, sizeof flat);
	conv3(&g, "b0", "a", n->w1, n->b1, 3, MID);
	turned(&g, "a", "t", 4, (int[]){ 0, 2, 3, 1 });
	NODE(&g, "LayerNormalization", "n", "t", "g", "z");
	turned(&g, "n", "u", 4, (int[]){ 0, 3, 1, 2 });
	NODE(&g, "Shape", "s", "u");
	NODE(&g, "Reshape", "q", "u", "flat");
	turned(&g, "q", "k", 3, (int[]){ 0, 2, 1 });
	NODE(&g, "MatMul", "m", "q", "k");
	NODE(&g, "Softmax", "p", "m");
	NODE(&g, "MatMul", "v", "p", "q");
	NODE(&g, "Reshape", "o", "v", "s");
	conv3(&g, "o", "j", n->w2, n->b2, MID, 12);
	larger(&g, "j", "b1");
	face(&g, 11, 0, 3, 1, 0);
	face(&g, 12, 1, 0, 1, 0);
	return model_file(&g);
}
/* Half floats in and out, twice as large, the nearest pixels. */
static struct out half_file(void)
{
	struct graph g = { 0 };
	const float v[4] = { 1, 1, 2, 2 };
	tensor(&g, "s", 1, (int[]){ 4 }, 1, v, sizeof v);
	word(&g.node, 4, "Resize");
	more(&g, "b0"), more(&g, ""), more(&g, "s");
	attr_text(&g, "mode", "nearest");
	attr_text(&g, "coordinate_transformation_mode", "asymmetric");
	attr_text(&g, "nearest_mode", "floor");
	end(&g, "b1");
	face(&g, 11, 0, 3, 10, 0);
	face(&g, 12, 1, 0, 10, 0);
	return model_file(&g);
}
/* Sixteenths of the picture there and back: only multiples of 4 across and down. */
static struct out fourths_file(void)
{
	struct graph g = { 0 };
	word(&g.node, 4, "SpaceToDepth"), more(&g, "b0"), attr_int(&g, "blocksize", 4), end(&g, "a");
	NODE(&g, "Erf", "b", "a");
	word(&g.node, 4, "DepthToSpace"), more(&g, "b"), attr_int(&g, "blocksize", 4), end(&g, "b1");
	face(&g, 11, 0, 3, 1, 0);
	face(&g, 12, 1, 0, 1, 0);
	return model_file(&g);
}

/* --- */

static const char *saved(const char *name, struct out f)
{
	static char path[400];
	snprintf(path, sizeof path, "%s/%s.onnx", test_tmp(), name);
	write_file(path, f.p, f.n);
	free(f.p);
	return path;
}
static struct image *made(struct pool *pool, const char *name, const char *source, const char *more_attrs)
{
	char up[900];
	snprintf(up, sizeof up, "method=\"neural\" lock=\"no\" scale=\"0\" model=\"%s/%s.onnx\" %s", test_tmp(), name, more_attrs);
	return shot(pool, source, up, "up", 2, 0);
}
static double apart(const struct image *a, const struct image *b)
{
	double worst = 0;
	if (!a || !b || !rect_eq(a->fmt.data, b->fmt.data)) return 9;
	for (int c = 0; c < 3; c++)
		for (int y = a->fmt.data.y0; y < a->fmt.data.y1; y++)
			for (int x = a->fmt.data.x0; x < a->fmt.data.x1; x++) {
				double d = fabs((double)*view_at(&a->view, c, x, y) - (double)*view_at(&b->view, c, x, y));
				if (!(d <= worst)) worst = d;
			}
	return worst;
}
#define BY_ORT "backend=\"onnxruntime\""

static void as_exact(struct pool *pool)
{
	static struct writer w[6];
	static const char *const names[] = { "residual", "upconv", "cunet", "kinds", "dense", "luma" };
	static void (*const make[])(struct writer *) = { residual, upconv, cunet, kinds, dense, luma };
	for (int i = 0; i < 6; i++) {
		char path[400];
		struct err e = ERR_INIT;
		make[i](&w[i]);
		save(&w[i], names[i]);
		snprintf(path, sizeof path, "%s/%s.param", test_tmp(), names[i]);
		struct nn_model *m = nn_load(path, &e);
		if (!m) { test_ok(0, "%s: %s", names[i], e.msg); continue; }
		const char *size = "w=\"37\" h=\"29\"";
		saved(names[i], as_onnx(m, false));
		struct image *a = made(pool, names[i], size, "");
		saved(names[i], as_onnx(m, true));
		struct image *b = made(pool, names[i], size, BY_ORT);
		test_ok(apart(a, b) <= 2e-4, "%s by ONNX Runtime is as by own kernels: %.1e", names[i], apart(a, b));
		image_unref(&a);
		image_unref(&b);
		nn_free(&m);
	}
}

static double gelu_at(const struct gelu *n, const struct image *src, double *mid, int w, int h, int c, int x, int y)
{
	double s = (double)n->b2[c];
	(void)src;
	for (int i = 0; i < MID; i++)
		for (int k = 0; k < 9; k++) {
			int u = x + k % 3 - 1, v = y + k / 3 - 1;
			if (u >= 0 && v >= 0 && u < w && v < h) s += (double)n->w2[(c * MID + i) * 9 + k] * mid[(i * h + v) * w + u];
		}
	return s;
}
static double off_doubles(const struct gelu *n, const struct image *src, const struct image *got)
{
	int w = rect_w(src->fmt.data), h = rect_h(src->fmt.data);
	double *mid = calloc((size_t)(MID * w * h), sizeof *mid), worst = 0;
	for (int m = 0; m < MID; m++)
		for (int y = 0; y < h; y++)
			for (int x = 0; x < w; x++) {
				double s = (double)n->b1[m];
				for (int k = 0; k < 27; k++) {
					int u = x + k % 3 - 1, v = y + k / 3 % 3 - 1;
					if (u >= 0 && v >= 0 && u < w && v < h) s += (double)n->w1[m * 27 + k] * (double)*view_at(&src->view, k / 9, u, v);
				}
				mid[(m * h + y) * w + x] = s * 0.5 * (1 + erf(s / sqrt(2)));
			}
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < 2 * h; y++)
			for (int x = 0; x < 2 * w; x++) {
				double want = gelu_at(n, src, mid, w, h, c * 4 + y % 2 * 2 + x % 2, x / 2, y / 2);
				double d = fabs(want - (double)*view_at(&got->view, c, x, y));
				if (!(d <= worst)) worst = d;
			}
	free(mid);
	return worst;
}

static void unknown(struct pool *pool, const struct gelu *n)
{
	struct err e = ERR_INIT;
	const char *size = "w=\"45\" h=\"31\"", *path = saved("gelu", gelu_file(n, 0));
	struct nn_model *m = nn_load(path, &e);
	test_ok(!m && strstr(e.msg, "Erf") && strstr(e.msg, "onnxruntime"), "the own reader names the operator and who has it: %s", e.msg);
	nn_free(&m);
	struct image *src = shot(pool, size, "scale=\"2\"", "n", 1, 0), *got = made(pool, "gelu", size, BY_ORT);
	double off = src && got ? off_doubles(n, src, got) : 9;
	test_ok(off < 5e-6, "a network of Erf is within %.1e of doubles", off);
	struct image *again = made(pool, "gelu", size, BY_ORT);
	test_ok(apart(got, again) == 0, "twice the same");
	image_unref(&again);
	image_unref(&src);
	image_unref(&got);
	saved("attention", attention_file(n));
	got = made(pool, "attention", size, BY_ORT);
	test_ok(got != NULL && apart(got, got) == 0, "LayerNormalization, Softmax and MatMul run");
	image_unref(&got);
}

static void windows(struct pool *pool, const struct gelu *n)
{
	const char *size = "w=\"700\" h=\"530\" kind=\"1\"";
	struct image *all = made(pool, "gelu", size, BY_ORT), *cut = made(pool, "gelu", size, BY_ORT " overlap=\"8\"");
	test_ok(apart(all, cut) < 1e-5, "in windows that overlap by more than it sees: %.1e", apart(all, cut));
	image_unref(&cut);
	saved("set", gelu_file(n, 96));
	cut = made(pool, "set", size, BY_ORT " overlap=\"9\"");
	test_ok(apart(all, cut) < 1e-5, "a network of one size of picture: %.1e", apart(all, cut));
	image_unref(&cut);
	cut = made(pool, "set", size, BY_ORT);
	test_ok(!cut, "without overlap= it is refused");
	image_unref(&cut);
	cut = made(pool, "set", size, BY_ORT " overlap=\"48\"");
	test_ok(!cut, "and with an overlap that leaves nothing");
	image_unref(&cut);
	image_unref(&all);
	all = made(pool, "gelu", "w=\"61\" h=\"43\"", BY_ORT);
	cut = made(pool, "set", "w=\"61\" h=\"43\"", BY_ORT);
	double off = 0;
	for (int y = 0; all && cut && y < 80; y++)
		for (int x = 0; x < 110; x++)
			off = fmax(off, fabs((double)*view_at(&all->view, 1, x, y) - (double)*view_at(&cut->view, 1, x, y)));
	test_ok(all && cut && off < 1e-5, "a picture smaller than its size is held beyond its edges: %.1e", off);
	image_unref(&all);
	image_unref(&cut);
}

static void odd_kinds(struct pool *pool)
{
	struct nn_ort_facts f;
	struct err e = ERR_INIT;
	const char *size = "w=\"31\" h=\"22\"";
	saved("half", half_file());
	struct image *a = made(pool, "half", size, BY_ORT), *src = shot(pool, size, "scale=\"2\"", "n", 1, 0);
	double off = 0;
	for (int y = 0; a && src && y < 44; y++)
		for (int x = 0; x < 62; x++)
			off = fmax(off, fabs((double)*view_at(&a->view, 2, x, y) - (double)*view_at(&src->view, 2, x / 2, y / 2)));
	test_ok(a && src && off > 1e-6 && off < 0x1p-11, "a network of half floats: %.1e", off);
	image_unref(&a);
	image_unref(&src);
	int rc = nn_ort_learn(saved("fourths", fourths_file()), &f, &e);
	test_ok(rc == 0 && f.align == 4 && f.num == 1 && f.den == 1 && f.cin == 3, "sizes that a network wants are found: %d %s",
	        f.align, e.msg);
	a = made(pool, "fourths", size, BY_ORT " overlap=\"3\"");
	test_ok(a && rect_w(a->fmt.data) == 31 && rect_h(a->fmt.data) == 22, "and the picture is held up to them");
	image_unref(&a);
	char path[400];
	snprintf(path, sizeof path, "%s/gelu.onnx", test_tmp());
	rc = nn_ort_learn(path, &f, &e);
	size_t one = nn_ort_bytes(&f, rect_of(0, 0, 960, 540), 0), four = nn_ort_bytes(&f, rect_of(0, 0, 1920, 1080), 0);
	struct nn_ort_facts less = f;
	less.pixel = less.square = less.fixed = 0;
	struct nn_ort *o = rc == 0 ? nn_ort_open(path, &less, &e) : NULL;
	struct view in = { .r = rect_of(0, 0, 2400, 2000), .nch = 3 }, out = in;
	float *row = calloc(4800, sizeof *row);
	out.r = rect_of(0, 0, 4800, 4000);
	for (int c = 0; c < 3; c++) in.plane[c] = out.plane[c] = row;
	err_clear(&e);
#ifdef __SANITIZE_ADDRESS__
	test_skip("more memory than was told: the sanitizer ends where operator new throws");
#else
	test_ok(o && nn_ort_run(o, 0, &in, &out, NULL, &e) < 0 && e.code == E_MEMORY, "more memory than was told is refused: %s", e.msg);
#endif
	atomic_int stop = 1;
	err_clear(&e);
	test_ok(o && nn_ort_run(o, 0, &in, &out, &stop, &e) < 0 && e.code == E_CANCEL, "a cancelled run ends: %s", e.msg);
	free(row);
	nn_ort_free(&o);
	test_ok(rc == 0 && f.num == 2 && f.align == 1 && one > (size_t)960 * 540 * 60 && four > 3 * one && four < 5 * one,
	        "memory is told: %zu MiB at 960x540", one >> 20);
}

static void refused(const char *what, struct out f, const char *why)
{
	struct err e = ERR_INIT;
	int rc = nn_ort_check("bad.onnx", f.p, f.n, &e);
	test_ok(rc < 0 && e.code == E_INPUT && strstr(e.msg, why), "%s is not given to the library: %s", what, e.msg);
	free(f.p);
}
static void one_tensor(const char *what, int type, const int *dim, int rank, const void *p, size_t n, const char *why)
{
	struct graph g = { 0 };
	tensor(&g, "w", type, dim, rank, p, n);
	refused(what, model_file(&g), why);
}

static void unfit(const struct gelu *n)
{
	struct graph g = { 0 };
	struct out t = { NULL, 0 }, a = { NULL, 0 };
	const float nan[] = { 1, __builtin_nanf("") };
	const int two = 2, big[] = { 1 << 20, 1 << 20, 3 }, three = 3;
	refused("an empty file", (struct out){ NULL, 0 }, "no .onnx file");
	one_tensor("a weight that is no number", 1, &two, 1, nan, sizeof nan, "no number");
	one_tensor("a size beyond all files", 1, big, 3, nan, sizeof nan, "impossible size");
	one_tensor("a tensor larger than its bytes", 1, &three, 1, nan, sizeof nan, "bytes");
	word(&t, 8, "w");
	word(&a, 1, "location"), word(&a, 2, "../../etc/passwd");
	into(&t, 13, &a);
	number(&t, 14, 1);
	into(&g.g, 5, &t);
	refused("data in another folder", model_file(&g), "another file");
	for (int i = 0; i < 100; i++) {                      /* a graph in an attribute of a node of a graph ... */
		struct out at = { NULL, 0 }, no = { NULL, 0 }, gr = { NULL, 0 };
		into(&at, 6, &t);
		into(&no, 5, &at);
		into(&gr, 1, &no);
		t = gr;
	}
	struct out file = { NULL, 0 };
	into(&file, 7, &t);
	refused("graphs within graphs", file, "within graphs");
	struct out good = gelu_file(n, 0);
	struct err e = ERR_INIT;
	int wrong = 0, taken = 0;
	for (size_t i = 0; i < good.n; i++) {
		err_clear(&e);
		taken += nn_ort_check("cut.onnx", good.p, i, &e) == 0;
		wrong += e.code != E_OK && e.code != E_INPUT;
	}
	test_ok(!wrong && !taken && !nn_ort_check("good.onnx", good.p, good.n, &e), "files that end early are refused, the whole is not");
	free(good.p);
}

int main(void)
{
	static struct gelu n;
	struct pool *pool = pool_new();
	struct err e = ERR_INIT;
	char path[600];
	if (node_isa_set(ISA_AUTO, &e) < 0) return 1;
	fill(&n);
	unfit(&n);
	if (nn_ort_about(&e)) {
		printf("# %s\n", nn_ort_about(&e));
		as_exact(pool);
		unknown(pool, &n);
		windows(pool, &n);
		odd_kinds(pool);
	} else test_skip("networks by ONNX Runtime: %s", e.msg);
	pool_free(&pool);
	snprintf(path, sizeof path, "rm -rf '%s'", test_tmp());
	if (system(path) != 0) return 1;
	TEST_END();
}
