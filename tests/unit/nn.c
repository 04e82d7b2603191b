/* nn - networks against a naive evaluator in doubles, colour and range around them, and hostile models.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_case.h"

/* Two pixels that ncnn 1.0.20261020 gave (its f32 kernels, the border held as here; residual: ONNX Runtime 1.31.1), which
 * agrees with it on the others within 3e-8. */
static void against_peers(const struct image *im, const char *name)
{
	static const struct { const char *name; double first, last; } peers[] = {
		{ "residual.param", 1.0619724988937378, 0.6519443392753601 }, { "upconv.param", 0.0406389981508255, -0.011313959024846554 },
		{ "cunet.param", 0.013831689953804016, 0.027850722894072533 },
		{ "kinds.param", 0.005606315564364195, -0.023403316736221313 }, { "dense.param", 0.02990839257836342, 0.05957916006445885 },
		{ "skips.param", -0.10262997448444366, -0.034821752458810806 },
	};
	for (size_t i = 0; im && i < IN_COUNT(peers); i++) {
		if (strcmp(peers[i].name, name) != 0) continue;
		double a = (double)*view_at(&im->view, 0, 5, 3) - peers[i].first;
		double b = (double)*view_at(&im->view, 2, im->fmt.data.x1 - 3, im->fmt.data.y1 - 2) - peers[i].last;
		test_ok(a < 1e-6 && a > -1e-6 && b < 1e-6 && b > -1e-6, "%s is what ncnn or ONNX Runtime makes: %.1e, %.1e", name, a, b);
	}
}

static void against_doubles(struct pool *pool, const char *param, const char *source, double tolerance)
{
	struct err e = ERR_INIT;
	char up[800];
	struct nn_model *m = nn_load(param, &e);
	const char *name = strrchr(param, '/') + 1;
	test_ok(m != NULL, "%s is read: %s", name, e.msg);
	if (!m) return;
	snprintf(up, sizeof up, "method=\"neural\" lock=\"no\" scale=\"0\" model=\"%s\"", param);
	struct image *src = shot(pool, source, up, "n", 2, 0), *got = shot(pool, source, up, "up", 2, 0);
	struct image *tiled = shot(pool, source, up, "up", 1, 16);
	double worst = 9;
	if (src && got) {
		struct map *b = evaluate(m, src);
		worst = 0;
		for (int c = 0; c < 3; c++)
			for (int y = got->fmt.data.y0; y < got->fmt.data.y1; y++)
				for (int x = got->fmt.data.x0; x < got->fmt.data.x1; x++) {
					double q = (double)*view_at(&got->view, c, x, y) - at(&b[m->output], c, x, y, false);
					if (!(q <= worst && q >= -worst)) worst = q < 0 ? -q : q;
				}
		maps_free(b, m->nblob);
	}
	test_ok(worst <= tolerance, "%s within %.0e of doubles: %.2e", name, tolerance, worst);
	against_peers(got, name);
	struct pixhash h = { 0, 0 }, g = { 1, 1 };
	if (got && tiled) h = image_hash(got), g = image_hash(tiled);
	test_ok(memcmp(&h, &g, sizeof h) == 0, "%s in tiles of 16 is the same", name);
	image_unref(&src);
	image_unref(&got);
	image_unref(&tiled);
	nn_free(&m);
}

/* The largest mean difference of any 32x32 block, times 255. */
static double block_shift(const struct image *a, const struct image *b)
{
	double worst = 0;
	struct rect d = a->fmt.data;
	for (int c = 0; c < 3; c++)
		for (int y = d.y0; y + 32 <= d.y1; y += 32)
			for (int x = d.x0; x + 32 <= d.x1; x += 32) {
				double s = 0;
				for (int i = 0; i < 1024; i++)
					s += (double)*view_at(&a->view, c, x + i % 32, y + i / 32) -
					     (double)*view_at(&b->view, c, x + i % 32, y + i / 32);
				s = (s < 0 ? -s : s) / 1024 * 255;
				if (s > worst) worst = s;
			}
	return worst;
}

static void colour(struct pool *pool, const char *param)
{
	char up[800];
	const char *source = "kind=\"1\" w=\"64\" h=\"48\"";
	struct image *plain = shot(pool, source, "scale=\"4\"", "up", 2, 0);
	snprintf(up, sizeof up, "method=\"neural\" scale=\"4\" model=\"%s\"", param);
	struct image *locked = shot(pool, source, up, "up", 2, 0);
	snprintf(up, sizeof up, "method=\"neural\" scale=\"4\" lock=\"no\" model=\"%s\"", param);
	struct image *open = shot(pool, source, up, "up", 2, 0);
	double with = plain && locked ? block_shift(locked, plain) : 99, without = plain && open ? block_shift(open, plain) : 0;
	test_ok(with < 0.5 && with < without, "colour shift of 32x32 blocks: %.3f / 255, without the lock %.3f", with, without);
	snprintf(up, sizeof up, "method=\"neural\" scale=\"4\" blend=\"0\" model=\"%s\"", param);
	struct image *none = shot(pool, source, up, "up", 2, 0);
	test_ok(plain && none && block_shift(none, plain) == 0, "blend 0 is the plain resample");
	image_unref(&plain);
	image_unref(&locked);
	image_unref(&open);
	image_unref(&none);
	source = "kind=\"2\" w=\"64\" h=\"48\"";
	plain = shot(pool, source, "scale=\"4\"", "up", 2, 0);
	snprintf(up, sizeof up, "method=\"neural\" scale=\"4\" model=\"%s\"", param);
	locked = shot(pool, source, up, "up", 2, 0);
	double hi = 0, lo = 0;
	if (locked) hi = (double)*view_at(&locked->view, 0, 220, 160), lo = (double)*view_at(&locked->view, 0, 220, 40);
	test_ok(hi > 2 && lo < -0.2, "values beyond 0 to 1 survive: %.3f, %.3f", hi, lo);
	with = plain && locked ? block_shift(locked, plain) : 99;
	test_ok(with < 0.5, "and are shifted by %.3f / 255", with);
	image_unref(&plain);
	image_unref(&locked);
}

static void twins(struct pool *pool)
{
	char up[1400], a[300], b[300], hex[65];
	struct err e = ERR_INIT;
	snprintf(a, sizeof a, "%s/residual.param", test_tmp());
	snprintf(b, sizeof b, "%s/twin.param", test_tmp());
	struct nn_model *m = nn_load(b, &e);
	if (!m) { test_ok(0, "the twin is read: %s", e.msg); return; }
	key_hex(&m->sha, hex);
	nn_free(&m);
	struct image *im[3];
	for (int i = 0; i < 3; i++) {
		snprintf(up, sizeof up, "method=\"neural\" scale=\"2\" model=\"%s\" model_b=\"%s\" model_b_sha256=\"%s\" denoise=\"%g\"",
		         a, b, hex, i * 0.5);
		im[i] = shot(pool, "", up, "up", 2, 0);
	}
	snprintf(up, sizeof up, "method=\"neural\" scale=\"2\" model=\"%s\"", b);
	struct image *own = shot(pool, "", up, "up", 2, 0);
	bool all = im[0] && im[1] && im[2] && own;
	test_ok(all && largest(im[2], own, 0) < 1e-6, "denoise 1 is the second model");
	test_ok(all && largest(im[0], im[1], 0) > 1e-3 && largest(im[1], im[2], 0) > 1e-3, "denoise 0.5 is neither");
	snprintf(up, sizeof up, "method=\"neural\" scale=\"2\" model=\"%s\" model_b=\"%s\" denoise=\"1\"", a, b);
	struct image *none = shot(pool, "", up, "up", 2, 0);
	test_ok(!none, "a second model without a pin is refused");
	for (int i = 0; i < 3; i++) image_unref(&im[i]);
	image_unref(&own);
	image_unref(&none);
}

/* --- hostile models --- */

static void refuse(const char *what, const char *text, const void *bin, size_t nbin, const char *word)
{
	struct err e = ERR_INIT;
	struct nn_model *m = nn_parse("bad.param", text, strlen(text), bin, nbin, &e);
	test_ok(!m && e.code == E_INPUT && strstr(e.msg, word), "%s is refused: %s", what, e.msg);
	nn_free(&m);
}

static void hostile(struct writer *w)
{
	static const char head[] = "7767517\n2 2\nInput in 0 1 x\n";
	char text[4096];
	unsigned char bin[64] = { 0 };
	refuse("an empty file", "", bin, 0, "7767517");
	refuse("another format", "7767518\n1 1\n", bin, 0, "7767517");
	refuse("a billion layers", "7767517\n1000000000 2\n", bin, 0, "1000000000");
	snprintf(text, sizeof text, "%sConvolution c 1 1 x y 0=1000000000 1=3 6=27\n", head);
	refuse("a billion channels", text, bin, sizeof bin, "channels");
	snprintf(text, sizeof text, "%sConvolution c 1 1 x y 0=1024 1=9 6=248832\n", head);
	refuse("weights that are not there", text, bin, sizeof bin, "end early");
	snprintf(text, sizeof text, "%sConvolution c 1 1 z y 0=3 1=1 6=9\n", head);
	refuse("a cycle", text, bin, sizeof bin, "no layer before it");
	snprintf(text, sizeof text, "%sConvolution c 1 1 x y 0=3 1=1 2=1 3=1 4=60 6=9\n", head);
	refuse("a picture that grows", text, bin, 40, "padding");
	snprintf(text, sizeof text, "%sLSTM c 1 1 x y\n", head);
	refuse("an unknown layer", text, bin, 0, "LSTM");
	refuse("leftover weights", w->text, w->bin, w->nbin + 4, "no pair");
	refuse("missing weights", w->text, w->bin, w->nbin - 4, "end early");
}

static void nan_weights(struct pool *pool, struct writer *w)
{
	char path[400], up[800];
	const float bad[] = { __builtin_nanf(""), -__builtin_inff(), 1e20f };
	snprintf(path, sizeof path, "%s/nan.param", test_tmp());
	snprintf(up, sizeof up, "method=\"neural\" model=\"%s\"", path);
	for (int i = 0; i < 3; i++) {
		memcpy(w->bin + 40, &bad[i], sizeof bad[i]);
		save(w, "nan");
		struct image *im = shot(pool, "", up, "up", 1, 0);
		test_ok(!im, "a weight of %g is refused", (double)bad[i]);
		image_unref(&im);
	}
}

/* Changed bytes, words, lines; each must be read or refused. Returns how many were read. */
static int fuzz(const struct writer *w, uint32_t cases)
{
	static const char *const words[] = { "0", "-1", "1000000000", "1e300", "nan", "=", ",", "-23310=9,1", "x", "Concat", "7=7" };
	static char text[32768];
	static unsigned char bin[1 << 20];
	int good = 0;
	for (uint32_t i = 0; i < cases; i++) {
		size_t n = strlen(w->text), nbin = w->nbin;
		struct err e = ERR_INIT;
		memcpy(text, w->text, n + 1);
		memcpy(bin, w->bin, nbin);
		for (uint32_t k = 0; k < 1 + i % 4; k++) {
			struct philox p = philox4x32(i, k, 99, 0, 1, 2);
			const char *put_in = words[p.c[1] % IN_COUNT(words)];
			size_t pos = p.c[2] % n, len = strlen(put_in);
			switch (p.c[0] % 5) {
			case 0: text[pos] = (char)(p.c[3] & 0x7f); break;
			case 1: n = pos + 1; break;
			case 2: if (pos + len < n) memcpy(text + pos, put_in, len); break;
			case 3: bin[p.c[3] % nbin] ^= (unsigned char)(1u << p.c[1] % 8); break;
			default: nbin = nbin > 1 ? p.c[3] % nbin + 1 : nbin;
			}
		}
		struct nn_model *m = nn_parse("fuzz.param", text, n, bin, nbin, &e);
		if (!m && e.code != E_INPUT) { printf("# case %u: %d %s\n", i, e.code, e.msg); return -1; }
		good += m != NULL;
		nn_free(&m);
	}
	return good;
}

static void more_kinds(struct pool *pool)
{
	static struct writer w[5];
	static const char *const names[] = { "cunet", "kinds", "dense", "spread", "skips" };
	char path[600];
	cunet(&w[0]);
	kinds(&w[1]);
	dense(&w[2]);
	spread(&w[3]);
	skips(&w[4]);
	for (int i = 0; i < 5; i++) {
		save(&w[i], names[i]);
		snprintf(path, sizeof path, "%s/%s.param", test_tmp(), names[i]);
		against_doubles(pool, path, i == 1 ? "w=\"26\" h=\"18\"" : "w=\"27\" h=\"19\"", 2e-5);
		int good = fuzz(&w[i], 1500);
		test_ok(good >= 0, "1500 damaged models are read (%d) or refused", good);
	}
}

int main(void)
{
	static struct writer res, up, twin, one;
	struct pool *pool = pool_new();
	struct err e = ERR_INIT;
	char path[600];
	const char *data = test_data();
	if (node_isa_set(ISA_AUTO, &e) < 0) return 1;
	residual(&res);
	upconv(&up);
	save(&res, "residual");
	save(&up, "upconv");
	snprintf(path, sizeof path, "%s/residual.param", test_tmp());
	against_doubles(pool, path, "w=\"37\" h=\"29\"", 2e-5);
	snprintf(path, sizeof path, "%s/upconv.param", test_tmp());
	against_doubles(pool, path, "w=\"23\" h=\"31\"", 2e-5);
	more_kinds(pool);
	twin.at = 100000;
	residual(&twin);
	luma(&one);
	save(&twin, "twin");
	save(&one, "luma");
	twins(pool);
	luma_net(pool, "luma.param");
	hostile(&res);
	for (int i = 0; i < 2; i++) {
		int good = fuzz(i ? &up : &res, 3000);
		test_ok(good >= 0, "3000 damaged models are read (%d) or refused", good);
	}
	nan_weights(pool, &up);
	if (data) {
		snprintf(path, sizeof path, "%s/weights/realesr-animevideov3-x4.param", data);
		against_doubles(pool, path, "w=\"22\" h=\"18\" kind=\"1\"", 2e-4);
		colour(pool, path);
	} else test_skip("real weights: no ../shared/data");
	pool_free(&pool);
	snprintf(path, sizeof path, "rm -rf '%s'", test_tmp());
	if (system(path) != 0) return 1;
	TEST_END();
}
