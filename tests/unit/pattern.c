/* Unit tests of pattern: same bits in any tiling and on every CPU, and the qualities that the
 * shot promises.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

static struct image *frame_of(const char *const *set, int frame)
{
	struct nc n;
	struct err e = ERR_INIT;
	if (!nc_make(&n, nc_type(nodes_baseline, "pattern"), NULL, 0, set, &e)) printf(
	        "not ok pattern: %s\n", e.msg);
	struct image *im = nc_run(&n, frame, 64, 64);
	nc_free(&n);
	return im;
}

static double mean(const struct image *im)
{
	double sum = 0;
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < im->fmt.data.y1; y++)
			for (int x = 0; x < im->fmt.data.x1; x++) sum += *view_at(&im->view, c, x, y);
	return sum / 3 / (double)rect_area(im->fmt.data);
}

static float extreme(const struct image *im, bool top)
{
	float v = *im->view.plane[0];
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < im->fmt.data.y1; y++)
			for (int x = 0; x < im->fmt.data.x1; x++) {
				float p = *view_at(&im->view, c, x, y);
				if (top ? p > v : p < v) v = p;
			}
	return v;
}

#define SMALL "width=160", "height=90"

static void shot(void)
{
	struct image *one = frame_of((const char *[]){ SMALL, "motion=0", "drift=0.5", NULL }, 1);
	struct image *last = frame_of((const char *[]){ SMALL, "motion=0", "drift=0.5", NULL }, 48);
	struct image *later = frame_of((const char *[]){ SMALL, "drift=0", NULL }, 30);
	struct image *now = frame_of((const char *[]){ SMALL, "drift=0", NULL }, 1);
	struct image *soft = frame_of((const char *[]){ SMALL, "drift=0", "oversharp=0", NULL }, 1);
	struct image *other = frame_of((const char *[]){ SMALL, "drift=0", "seed=2", NULL }, 1);
	test_ok(mean(last) > mean(one) * 1.05, "pattern shot: exposure creeps up "
	        "(%.3f to %.3f)", mean(one), mean(last));
	test_ok(nc_diff(now, later) > 0.2, "pattern shot: it moves");
	test_ok(nc_diff(now, other) > 0.02, "pattern shot: another seed, other textures");
	test_ok(extreme(now, true) > 1.02f && extreme(soft, true) > 1,
	        "pattern shot: highlights above white (%.3f)",
	        (double)extreme(now, true));
	test_ok(extreme(soft, false) > 0 && extreme(now, false) < extreme(soft, false),
	        "pattern shot: the halo goes below black's own level");
	image_unref(&one);
	image_unref(&last);
	image_unref(&later);
	image_unref(&now);
	image_unref(&soft);
	image_unref(&other);
}

/* The bits themselves, for every CPU; a change of the shot raises its version and this value. */
static void frozen(void)
{
	static const char want[] = "c4573a2be460f3af52dac91081c8267e";
	struct image *im = frame_of((const char *[]){ "width=128", "height=72", "variant=1", NULL }, 7);
	char hex[33];
	pixhash_hex(image_hash(im), hex);
	test_ok(strcmp(hex, want) == 0, "pattern shot: frame 7 has the bits %s", hex);
	image_unref(&im);
}

static void rates(void)
{
	static const struct { const char *fps; struct rational r; } v[] = { { "fps=24", { 24, 1 } },
		{ "fps=23.976", { 24000, 1001 } }, { "fps=29.97", { 30000, 1001 } },
		    { "fps=12.5", { 12500, 1000 } } };
	for (size_t i = 0; i < IN_COUNT(v); i++) {
		struct nc n;
		struct err e = ERR_INIT;
		nc_make(&n, nc_type(nodes_baseline, "pattern"), NULL, 0, (const char *[]){ SMALL, v[i].fps,
		    "first=5", NULL }, &e);
		test_ok(n.out.fps.num == v[i].r.num && n.out.fps.den == v[i].r.den && n.out.first == 5 &&
		    n.out.last == 52,
		        "pattern %s is %d/%d", v[i].fps, n.out.fps.num, n.out.fps.den);
		nc_free(&n);
	}
}

static void charts(void)
{
	struct image *im = frame_of((const char *[]){ SMALL, "kind=constant",
	        "colour=0.1 0.2 0.3", NULL }, 1);
	test_ok(*view_at(&im->view, 2, 50, 50) == 0.3f, "pattern constant");
	image_unref(&im);
	im = frame_of((const char *[]){ SMALL, "kind=bars", NULL }, 1);
	test_ok(*view_at(&im->view, 0, 30, 5) == 0.75f && *view_at(&im->view, 2, 30, 5) == 0 &&
	    *view_at(&im->view, 1, 30, 5) == 0.75f,
	        "pattern bars: the second is yellow");
	image_unref(&im);
	im = frame_of((const char *[]){ "width=1000", "height=4", "kind=noise", NULL }, 1);
	test_ok(mean(im) > 0.48 && mean(im) < 0.52, "pattern noise: mean %.4f", mean(im));
	image_unref(&im);
}

int main(void)
{
	static const char *kinds[] = { "kind=bars", "kind=ramp", "kind=checker", "kind=zone",
	    "kind=noise" };
	static const char *variants[] = { "variant=0", "variant=1", "variant=2", "variant=3" };
	shot();
	frozen();
	rates();
	charts();
	for (size_t i = 0; i < IN_COUNT(variants); i++)
		nc_invariant("pattern", NULL, 0, (const char *[]){ "width=67", "height=38", variants[i], NULL },
		    variants[i]);
	for (size_t i = 0; i < IN_COUNT(kinds); i++)
		nc_invariant("pattern", NULL, 0, (const char *[]){ "width=67", "height=38", kinds[i], NULL },
		    kinds[i]);
	TEST_END();
}
