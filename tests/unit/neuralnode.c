/* neuralnode - the neural node: same-size nets and mattes against convolutions in doubles, range, blend, lock, refusals.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_case.h"
#include "nn_fast.h"

enum { MID = 18, W = 37, H = 29 };

/* x -> 3x3 to MID, leaky ReLU 0.1 -> 3x3 to out, onto x where residual. */
struct net_of { int cout; bool residual; float w1[MID][3][9], b1[MID], w2[3][MID][9], b2[3]; };

static float weight(uint32_t *at) { return (float)(philox4x32((*at)++, 11, 0, 0, 3, 5).c[0] >> 8) * 0x1p-23f - 1.0f; }

static void fill(struct net_of *n, int cout, bool residual)
{
	uint32_t at = (uint32_t)cout;
	n->cout = cout;
	n->residual = residual;
	for (int o = 0; o < MID; o++)
		for (int i = 0; i < 27; i++) (&n->w1[o][0][0])[i] = weight(&at) * 0.25f;
	for (int o = 0; o < MID; o++) n->b1[o] = weight(&at) * 0.1f;
	for (int o = 0; o < 3; o++)
		for (int i = 0; i < MID * 9; i++) (&n->w2[o][0][0])[i] = weight(&at) * 0.04f;
	for (int o = 0; o < 3; o++) n->b2[o] = residual ? 0.0f : 0.4f;
}

static void save_net(const struct net_of *n, const char *path)
{
	char bin[512];
	uint32_t tag = 0;
	FILE *f = fopen(path, "w");
	snprintf(bin, sizeof bin, "%.*s.bin", (int)(strlen(path) - 6), path);
	FILE *g = fopen(bin, "w");
	if (!f || !g) exit(1);
	fprintf(f, "7767517\n%d %d\nInput in 0 1 x\n", n->residual ? 5 : 3, n->residual ? 6 : 3);
	if (n->residual) fprintf(f, "Split s 1 2 x x0 x1\n");
	fprintf(f, "Convolution c1 1 1 %s a 0=%d 1=3 4=1 5=1 6=%d 9=2 -23310=1,0.1\n", n->residual ? "x0" : "x", MID, MID * 27);
	fprintf(f, "Convolution c2 1 1 a b 0=%d 1=3 4=1 5=1 6=%d\n", n->cout, n->cout * MID * 9);
	if (n->residual) fprintf(f, "BinaryOp add 2 1 b x1 o 0=0\n");
	fwrite(&tag, 4, 1, g);
	fwrite(n->w1, sizeof n->w1, 1, g);
	fwrite(n->b1, sizeof n->b1, 1, g);
	fwrite(&tag, 4, 1, g);
	fwrite(n->w2, sizeof n->w2[0], (size_t)n->cout, g);
	fwrite(n->b2, sizeof n->b2[0], (size_t)n->cout, g);
	fclose(f);
	fclose(g);
}

static double unit(double v) { return v < 0 ? 0 : v > 1 ? 1 : v; }

/* Channel o of what the network makes of im, in doubles, [y][x]. */
static double *evaluate_net(const struct net_of *n, const struct image *im, int o)
{
	double *mid = calloc((size_t)MID * W * H, sizeof *mid), *out = calloc((size_t)W * H, sizeof *out);
	for (int m = 0; m < MID; m++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++) {
				double s = (double)n->b1[m];
				for (int c = 0; c < 27; c++) {
					int sx = x + c % 3 - 1, sy = y + c / 3 % 3 - 1;
					if (sx < 0 || sy < 0 || sx >= W || sy >= H) continue;
					s += (double)n->w1[m][c / 9][c % 9] * unit((double)*view_at(&im->view, c / 9, sx, sy));
				}
				mid[(m * H + y) * W + x] = s > 0 ? s : s * 0.1;
			}
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			double s = (double)n->b2[o];
			for (int c = 0; c < MID * 9; c++) {
				int sx = x + c % 3 - 1, sy = y + c / 3 % 3 - 1;
				if (sx < 0 || sy < 0 || sx >= W || sy >= H) continue;
				s += (double)n->w2[o][c / 9][c % 9] * mid[(c / 9 * H + sy) * W + sx];
			}
			out[y * W + x] = s + (n->residual ? unit((double)*view_at(&im->view, o, x, y)) : 0);
		}
	free(mid);
	return out;
}

/* --- scenes --- */

/* Node id of a source with values beyond 0 to 1 and one neural node; why: what was said, when nothing came. */
static struct image *scene_of(struct pool *pool, const char *attrs, const char *id, int tile, struct err *why)
{
	char more[1200], source[60];
	snprintf(more, sizeof more, "<neural id=\"up\" in=\"n\" %s/>", attrs);
	snprintf(source, sizeof source, "kind=\"3\" w=\"%d\" h=\"%d\"", W, H);
	return picture_of(pool, source, more, id, 2, tile, why);
}

static struct image *node(struct pool *pool, const char *param, const char *more, int tile, struct err *why)
{
	char attrs[800];
	snprintf(attrs, sizeof attrs, "model=\"%s\" %s", param, more);
	return scene_of(pool, attrs, *more ? "up" : "n", tile, why);
}

static double off(double a, double b) { return a > b ? a - b : b - a; }
static double larger(double a, double b) { return b <= a ? a : b; }

/* The other backend on the same picture. */
static void fast(struct pool *pool, const char *param, const char *more)
{
	struct err e = ERR_INIT;
	char attrs[800];
	snprintf(attrs, sizeof attrs, "%s %s", *more ? more : "lock=\"no\"", "backend=\"fast\"");
	struct image *a = node(pool, param, *more ? more : "lock=\"no\"", 0, &e), *b = node(pool, param, attrs, 0, &e);
	if (!b && strstr(e.msg, "libdnnl")) {
		test_skip("backend fast: %s", e.msg);
		image_unref(&a);
		return;
	}
	double worst = 0, sum = 0;
	for (int k = 0; a && b && k < a->view.nch; k++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++) {
				double d = off((double)*view_at(&a->view, k, x, y), (double)*view_at(&b->view, k, x, y));
				worst = larger(worst, d);
				sum += d * d;
			}
	double mse = sum / (W * H * 3);
	test_ok(a && b && mse < 3.2e-5, "backend fast is within 45 dB of exact: mean square %.1e, worst %.1e %s", mse, worst, e.msg);
	image_unref(&a);
	image_unref(&b);
}

/* A picture of several strips against the rows around a seam, run alone. */
static void strips(const char *param)
{
	enum { SW = 3000, SH = 450, FROM = 300 };
	struct err e = ERR_INIT;
	struct nn_model *m = nn_load(param, &e);
	struct nn_fast *f = m && nn_fast_about(&e) ? nn_fast_new(m, NULL, 0, &e) : NULL;
	if (!f) { test_skip("strips: %s", e.msg); return; }
	float *all = malloc((size_t)SW * SH * 9 * sizeof *all);
	struct view in = { .r = rect_of(0, 0, SW, SH), .stride = SW, .nch = 3 }, out = in, part = in, alone;
	for (int c = 0; c < 3; c++) {
		in.plane[c] = all + (size_t)c * SW * SH;
		out.plane[c] = all + (size_t)(3 + c) * SW * SH;
		part.plane[c] = all + (size_t)(6 + c) * SW * SH;
	}
	uint32_t at = 5;
	for (size_t i = 0; i < (size_t)SW * SH * 3; i++) all[i] = i % 64 ? all[i - 1] : weight(&at) * 0.5f + 0.5f;
	alone = view_sub(&part, rect_of(0, FROM, SW, SH));
	struct view below = view_sub(&in, alone.r);
	int rc = nn_fast_run(f, &in, &out, NULL, &e) < 0 || nn_fast_run(f, &below, &alone, NULL, &e) < 0;
	double worst = rc ? 1 : 0;
	for (int c = 0; c < 3 && !rc; c++)
		for (int y = FROM + 2; y < SH; y++)
			for (int x = 0; x < SW; x++)
				worst = larger(worst, off((double)*view_at(&out, c, x, y), (double)*view_at(&alone, c, x, y)));
	test_ok(nn_fast_bytes(m, SW) < (size_t)400 << 20 && worst < 1e-5, "strips of backend fast have no seams: %.1e %s", worst, e.msg);
	nn_fast_free(&f);
	free(all);
}

static void pictures(struct pool *pool, const char *param)
{
	static struct net_of n;
	struct err e = ERR_INIT;
	fill(&n, 3, true);
	save_net(&n, param);
	struct image *src = node(pool, param, "", 0, &e), *got = node(pool, param, "lock=\"no\"", 0, &e);
	struct image *half = node(pool, param, "lock=\"no\" blend=\"0.25\" process=\"denoise\"", 7, &e);
	struct image *none = node(pool, param, "blend=\"0\"", 0, &e), *locked = node(pool, param, "process=\"deblock\"", 0, &e);
	test_ok(src && got && half && none && locked, "a network of the picture's size renders %s", e.msg);
	if (!src || !got || !half || !none || !locked) exit(1);
	double worst = 0, mixed = 0, same = 0, shift = 0, change = 0;
	for (int k = 0; k < 3; k++) {
		double *want = evaluate_net(&n, src, k), mean = 0;
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++) {
				double s = (double)*view_at(&src->view, k, x, y), d = want[y * W + x] - unit(s);
				worst = larger(worst, off((double)*view_at(&got->view, k, x, y), s + d));
				mixed = larger(mixed, off((double)*view_at(&half->view, k, x, y), s + d * 0.25));
				same = larger(same, off((double)*view_at(&none->view, k, x, y), s));
				change = larger(change, off(d, 0));
				mean += (double)*view_at(&locked->view, k, x, y) - s;
			}
		shift = larger(shift, off(mean / (W * H), 0));
		free(want);
	}
	test_ok(change > 0.05 && worst < 3e-6, "onto values beyond 0 to 1, within %.1e of doubles (changes up to %.2f)", worst, change);
	test_ok(mixed < 3e-6, "blend: within %.1e", mixed);
	test_ok(same == 0, "blend 0 is the picture: %.1e", same);
	test_ok(shift * 255 < 0.5, "lock keeps the mean: %.3f/255", shift * 255);
	fast(pool, param, "");
	strips(param);
	image_unref(&src);
	image_unref(&got);
	image_unref(&half);
	image_unref(&none);
	image_unref(&locked);
}

static void mattes(struct pool *pool, const char *param)
{
	static struct net_of n;
	char attrs[800];
	struct err e = ERR_INIT;
	fill(&n, 1, false);
	save_net(&n, param);
	snprintf(attrs, sizeof attrs, "model=\"%s\" process=\"matte\"", param);
	struct image *src = scene_of(pool, attrs, "n", 0, &e), *al = node(pool, param, "process=\"matte\"", 0, &e);
	struct image *ma = node(pool, param, "process=\"matte\" matte=\"mask\" blend=\"0.5\"", 8, &e);
	test_ok(src && al && ma, "a matte renders %s", e.msg);
	if (!src || !al || !ma) exit(1);
	int a = format_channel(&al->fmt, "A"), m = format_channel(&ma->fmt, "mask");
	test_ok(a == 3 && m == 3 && al->fmt.nch == 4, "as alpha, and as a channel mask");
	if (a < 0 || m < 0) exit(1);
	double *want = evaluate_net(&n, src, 0), wa = 0, wm = 0, wp = 0, lo = 1, hi = 0;
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			double v = unit(want[y * W + x]);
			lo = v < lo ? v : lo;
			hi = v > hi ? v : hi;
			wa = larger(wa, off((double)*view_at(&al->view, a, x, y), v));
			wm = larger(wm, off((double)*view_at(&ma->view, m, x, y), 0.5 + 0.5 * v));
			for (int k = 0; k < 3; k++) {
				double s = (double)*view_at(&src->view, k, x, y);
				wp = larger(wp, off((double)*view_at(&al->view, k, x, y), s * v));
				wp = larger(wp, off((double)*view_at(&ma->view, k, x, y), s));
			}
		}
	test_ok(hi - lo > 0.1 && wa < 2e-6, "alpha within %.1e of doubles (%.2f to %.2f)", wa, lo, hi);
	test_ok(wm < 2e-6, "mask, half blended: %.1e", wm);
	fast(pool, param, "process=\"matte\"");
	test_ok(wp < 5e-6, "the picture is multiplied by alpha and left by a mask: %.1e", wp);
	struct image *no = node(pool, param, "lock=\"no\"", 0, &e);
	test_ok(!no && e.code == E_INPUT && strstr(e.msg, "matte"), "one channel where a picture is wanted: %s", e.msg);
	no = node(pool, param, "process=\"matte\" lock=\"yes\"", 0, &e);
	test_ok(!no && e.code == E_SCENE, "a matte has no lock: %s", e.msg);
	free(want);
	image_unref(&src);
	image_unref(&al);
	image_unref(&ma);
	image_unref(&no);
}

/* Kinds that backend fast does not have are named, never passed over. */
static void fast_refuses(void)
{
	static const char weights[4 + 4 * 81];
	static const char grouped[] = "7767517\n2 2\nInput in 0 1 in\n"
	                              "ConvolutionDepthWise each 1 1 in out 0=3 1=3 4=1 6=27 7=3\n";
	static const char whole[] = "7767517\n2 2\nInput in 0 1 in\nConvolution plain 1 1 in out 0=3 1=3 6=81\n";
	struct err e = ERR_INIT;
	struct nn_model *m = nn_parse("grouped.param", grouped, sizeof grouped - 1, weights, 4 + 4 * 27, &e);
	test_ok(m && nn_fast_holds(m, "grouped.param", &e) < 0 && e.code == E_SCENE && strstr(e.msg, "each"),
	        "backend fast refuses a grouped convolution by name: %s", e.msg);
	nn_free(&m);
	err_clear(&e);
	m = nn_parse("plain.param", whole, sizeof whole - 1, weights, sizeof weights, &e);
	test_ok(m && nn_fast_holds(m, "plain.param", &e) == 0, "and takes a plain one %s", e.msg);
	nn_free(&m);
}

int main(void)
{
	char param[400];
	struct err e = ERR_INIT;
	struct pool *pool = pool_new();
	if (node_isa_set(ISA_AUTO, &e) < 0) return 1;
	snprintf(param, sizeof param, "%s/net.param", test_tmp());
	pictures(pool, param);
	mattes(pool, param);
	fast_refuses();
	struct image *no = scene_of(pool, "process=\"restore\"", "up", 0, &e);
	test_ok(!no && e.code == E_SCENE, "no model: %s", e.msg);
	image_unref(&no);
	pool_free(&pool);
	snprintf(param, sizeof param, "rm -rf '%s'", test_tmp());
	if (system(param) != 0) return 1;
	TEST_END();
}
