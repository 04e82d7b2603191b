/* nnstrip - networks in strips of rows against whole maps, bit for bit, and the memory that
 * strips keep to.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_case.h"
#include "nn_strip.h"

/* The first unit from which on no map is a mean. */
static int earliest(const struct nn_model *m, const struct nn_unit *u, int n)
{
	int first = 0;
	for (int i = 0; i < n; i++)
		if (m->layer[u[i].layer].op == NN_MEAN || m->blob[u[i].out].vec) first = i + 1;
	return first;
}

/* The same picture whole and in strips of `rows` from each of several layers on. */
static void equal(struct pool *pool, const char *name, int w, int h, int rows)
{
	char path[500], up[800], source[60];
	struct err e = ERR_INIT;
	snprintf(path, sizeof path, "%s/%s.param", test_tmp(), name);
	snprintf(up, sizeof up, "method=\"neural\" scale=\"0\" model=\"%s\"", path);
	snprintf(source, sizeof source, "kind=\"1\" w=\"%d\" h=\"%d\"", w, h);
	const struct nn_model *m = nn_share(path, &e);       /* so that the scene finds the cut that is written here */
	if (!m) { test_ok(0, "%s: %s", name, e.msg); return; }
	int n, tried = 0, same = 0, cut = 0;
	struct nn_unit *u = nn_units(m, &n);
	struct rect window = nn_input(m->pad, m->align, rect_of(0, 0, w, h));
	int high = rect_h(nn_window(&m->blob[m->output], window));
	*m->cut = (struct nn_cut){ window, { n, 1, 0, 0 } };
	struct image *whole = shot(pool, source, up, "up", 2, 0);
	for (int first = earliest(m, u, n); first < n && whole; first += 1 + n / 5) {
		struct nn_strips s = { first, (high + rows - 1) / rows, rows, 0 };
		*m->cut = (struct nn_cut){ window, s };
		struct image *im = shot(pool, source, up, "up", 1 + first % 3, first % 2 ? 16 : 0);
		struct pixhash a = image_hash(whole), b = { 0, 0 };
		if (im) b = image_hash(im);
		tried++;
		same += memcmp(&a, &b, sizeof a) == 0;
		cut += s.n;
		image_unref(&im);
	}
	test_ok(tried > 1 && same == tried && cut > 2 * tried, "%s: %d cuts, %d strips of %d rows, difference 0 (%d)", name, tried, cut, rows, same);
	image_unref(&whole);
	free(u);
	nn_unshare(&m);
}

/* What a model of ../shared/data takes for a picture of that size: at most so many MiB with its
 * weights; whole: where it is
 * not cut. */
static void fits(const char *data, const char *name, int w, int h, bool whole, int most)
{
	char path[600];
	struct err e = ERR_INIT;
	snprintf(path, sizeof path, "%s/weights/%s.param", data, name);
	struct nn_model *m = nn_load(path, &e);
	if (!m) { test_ok(0, "%s", e.msg); return; }
	int n;
	struct nn_unit *u = nn_units(m, &n);
	struct nn_strips s = nn_strips_of(m, u, n, nn_input(m->pad, m->align, rect_of(0, 0, w, h)));
	test_ok((s.n == 1) == whole && s.peak <= (double)most * 1048576, "%s, %dx%d: %d strips from unit %d of %d, %.0f MiB", name, w, h, s.n,
	        s.first, n, s.peak / 1048576);
	free(u);
	nn_free(&m);
}

int main(void)
{
	static struct writer w[7];
	static const char *const names[] = { "residual", "upconv", "cunet", "kinds", "dense", "spread", "skips" };
	struct pool *pool = pool_new();
	struct err e = ERR_INIT;
	char path[400];
	const char *data = test_data();
	if (node_isa_set(ISA_AUTO, &e) < 0) return 1;
	residual(&w[0]);
	upconv(&w[1]);
	cunet(&w[2]);
	kinds(&w[3]);
	dense(&w[4]);
	spread(&w[5]);
	skips(&w[6]);
	for (int i = 0; i < 7; i++) {
		save(&w[i], names[i]);
		equal(pool, names[i], 26 + i, 50, i == 6 ? 16 : 32);
		equal(pool, names[i], 18, 41, 7 + i);
	}
	if (data) {
		fits(data, "realesr-animevideov3-x4", 960, 540, true, 400);
		fits(data, "realesr-animevideov3-x2", 1920, 1080, true, 1064);
		fits(data, "waifu2x_upconv7_photo_x2", 1920, 1080, false, 1064);
		fits(data, "realesr-general-x4v3", 3840, 2160, false, 4200);
	} else test_skip("memory of real networks: no ../shared/data");
	pool_free(&pool);
	snprintf(path, sizeof path, "rm -rf '%s'", test_tmp());
	if (system(path) != 0) return 1;
	TEST_END();
}
