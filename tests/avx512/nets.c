/* nets - networks' pictures for comparison between CPUs, and backend fast against doubles.
 *
 * nets ISA [FOLDER [NET...]]: a line "NET TILE HASH" for each kind of network by backend exact; with a folder, its weights too.
 * nets fast [FOLDER [NET...]]: what oneDNN says it is and how far its pictures are from doubles, in dB; fails below 45.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "../unit/nn_case.h"
#include "nn_fast.h"

/* small: of the picture that doubles, which are slow, are asked about. */
struct net_case { const char *file, *source; bool weights; const char *small; };
static const struct net_case cases[] = {
	{ "residual", "w=\"37\" h=\"29\"", false, NULL }, { "upconv", "w=\"23\" h=\"31\"", false, NULL },
	{ "cunet", "w=\"27\" h=\"19\"", false, NULL }, { "kinds", "w=\"26\" h=\"18\"", false, NULL },
	{ "dense", "w=\"27\" h=\"19\"", false, NULL }, { "luma", "w=\"33\" h=\"20\"", false, NULL },
	{ "waifu2x_upconv7_photo_x2", "w=\"13\" h=\"11\" kind=\"1\"", true, "w=\"9\" h=\"8\" kind=\"1\"" },
	{ "realesr-animevideov3-x4", "w=\"22\" h=\"18\" kind=\"1\"", true, "w=\"9\" h=\"7\" kind=\"1\"" },
	{ "realesr-general-x4v3", "w=\"13\" h=\"9\" kind=\"1\"", true, "w=\"7\" h=\"6\" kind=\"1\"" },
	{ "4xLSDIRCompactC3", "w=\"12\" h=\"17\" kind=\"1\"", true, "w=\"7\" h=\"8\" kind=\"1\"" },
};

static void path_of(const struct net_case *c, const char *weights, char *out, size_t n)
{ snprintf(out, n, "%s/%s.param", c->weights ? weights : test_tmp(), c->file); }

static void hashes(struct pool *pool, const struct net_case *c, const char *weights)
{
	char path[600], up[1000], hex[33];
	path_of(c, weights, path, sizeof path);
	for (int tile = 0; tile <= 16; tile += 16) {
		snprintf(up, sizeof up, "method=\"neural\" scale=\"%d\" lock=\"%s\" model=\"%s\"", tile ? 2 : 0, tile ? "yes" : "no", path);
		struct image *im = shot(pool, c->source, up, "up", 1, tile);
		if (im) pixhash_hex(image_hash(im), hex);
		printf("%s %d %s\n", c->file, tile, im ? hex : "fails");
		fflush(stdout);
		image_unref(&im);
	}
}

/* Power of the difference from doubles, in dB below 1. */
static double decibels(const struct nn_model *m, const struct image *src, const struct image *got)
{
	struct map *b = evaluate(m, src);
	double sum = 0, n = 0;
	for (int c = 0; c < 3; c++)
		for (int y = got->fmt.data.y0; y < got->fmt.data.y1; y++)
			for (int x = got->fmt.data.x0; x < got->fmt.data.x1; x++, n++) {
				double q = (double)*view_at(&got->view, c, x, y) - at(&b[m->output], c, x, y, false);
				sum += q * q;
			}
	maps_free(b, m->nblob);
	return -10 * log10(sum / n + 1e-30);
}

static void fast(struct pool *pool, const struct net_case *c, const char *weights)
{
	struct err e = ERR_INIT;
	const char *source = c->small ? c->small : c->source;
	char path[600], up[1000];
	path_of(c, weights, path, sizeof path);
	struct nn_model *m = nn_load(path, &e);
	if (!m) { test_ok(0, "%s", e.msg); return; }
	if (nn_fast_holds(m, path, &e) < 0) {
		test_skip("fast %s: %s", c->file, e.msg);
		nn_free(&m);
		return;
	}
	snprintf(up, sizeof up, "method=\"neural\" scale=\"0\" lock=\"no\" backend=\"fast\" model=\"%s\"", path);
	if (m->blob[m->output].c != 3) {
		nn_free(&m);
		return;
	}
	struct image *src = shot(pool, source, up, "n", 1, 0), *got = shot(pool, source, up, "up", 1, 0);
	double db = src && got ? decibels(m, src, got) : -1;
	test_ok(db >= 45, "fast %s: %.1f dB against doubles", c->file, db);
	image_unref(&src);
	image_unref(&got);
	nn_free(&m);
}

static void write_models(void)
{
	static struct writer w[6];
	residual(&w[0]);
	upconv(&w[1]);
	cunet(&w[2]);
	kinds(&w[3]);
	dense(&w[4]);
	luma(&w[5]);
	for (int i = 0; i < 6; i++) save(&w[i], cases[i].file);
}

int main(int argc, char **argv)
{
	static const char *const isas[] = { "auto", "baseline", "avx2", "avx512" };
	struct pool *pool = pool_new();
	struct err e = ERR_INIT;
	bool is_fast = argc > 1 && strcmp(argv[1], "fast") == 0;
	int isa = 0;
	char rm[300];
	for (int i = 0; i < 4 && argc > 1; i++) if (strcmp(argv[1], isas[i]) == 0) isa = i;
	if (node_isa_set((enum isa)isa, &e) < 0) { printf("%s\n", e.msg); return 2; }
	if (is_fast) {
		const char *about = nn_fast_about(&e);
		printf("# %s\n", about ? about : e.msg);
	}
	write_models();
	for (size_t i = 0; i < IN_COUNT(cases); i++) {
		bool asked = argc < 4;
		for (int k = 3; k < argc; k++) asked = asked || strcmp(argv[k], cases[i].file) == 0;
		if (!asked || (cases[i].weights && argc < 3)) continue;
		if (is_fast) fast(pool, &cases[i], argv[2]);
		else hashes(pool, &cases[i], argv[2]);
	}
	pool_free(&pool);
	snprintf(rm, sizeof rm, "rm -rf '%s'", test_tmp());
	if (system(rm) != 0) return 1;
	TEST_END();
}
