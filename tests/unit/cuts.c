/* cuts - shots found in clips put together from real ones, and none in flashes, pans and single shots.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "cuts.h"
#include "media_scan.h"
#include "mem.h"
#include "node.h"
#include "shots.h"
#include "test.h"

enum { W = 384, H = 216, EACH = 10 };

struct film { struct cuts *c; int n, take, skip; float *rgb[3]; };

static void film_new(struct film *f)
{
	*f = (struct film){ .c = cuts_new(W, H) };
	for (int k = 0; k < 3; k++) f->rgb[k] = xalloc(W * H, sizeof(float));
}
static void film_free(struct film *f)
{
	cuts_free(&f->c);
	for (int k = 0; k < 3; k++) free(f->rgb[k]);
}
static void film_put(struct film *f)
{
	struct err e = ERR_INIT;
	const float *p[3] = { f->rgb[0], f->rgb[1], f->rgb[2] };
	if (cuts_add(f->c, ++f->n, p, &e) < 0) test_ok(0, "cuts memory: %s", e.msg);
}

/* Frames of a clip, brought to size by their nearest pixels; ends the scan when enough are taken. */
static int take(void *user, const struct media_info *info, const struct scan_frame *s, struct err *e)
{
	struct film *f = user;
	(void)info;
	if (f->skip > 0) { f->skip--; return 0; }
	if (f->take-- <= 0) return err_set(e, E_INTERNAL, "enough");
	for (int k = 0; k < 3; k++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++)
				f->rgb[k][y * W + x] = s->rgb[k][(size_t)(y * s->h / H) * (size_t)s->w + (size_t)(x * s->w / W)];
	film_put(f);
	return 0;
}

static void add_clip(struct film *f, const char *name, int skip, int n)
{
	char path[300];
	struct err e = ERR_INIT;
	snprintf(path, sizeof path, "%s/%s", test_data(), name);
	f->skip = skip;
	f->take = n;
	if (media_scan(path, NULL, take, f, &e) < 0 && strcmp(e.msg, "enough") != 0) test_ok(0, "cuts %s: %s", name, e.msg);
}

static void together(void)
{
	static const char *const clips[] = { "video/allegro_aurora.mp4", "video/cogvideox_3.mp4", "video/dog_inpaint_src.mp4",
		"video/kandinsky5_profile.mp4", "video/ltx2_dialogue.mp4", "video/turbot2av_1_student.mp4",
		"video/turbot2av_3_teacher.mp4", "video/wan21_cat_i2v.mp4", "live/carphone_pristine.mp4", "live/flower.mp4",
		"video/turbot2av_1_teacher.mp4" };
	struct film f;
	int n, good = 0;
	film_new(&f);
	for (size_t i = 0; i < IN_COUNT(clips); i++) add_clip(&f, clips[i], 3, EACH);
	const struct cut *v = cuts_end(f.c, &n);
	for (int i = 0; i < n; i++) good += v[i].frame == (i + 1) * EACH + 1;
	test_ok(n == (int)IN_COUNT(clips) - 1 && good == n, "cuts of %zu clips put together: %d found, %d at their frame",
	        IN_COUNT(clips), n, good);
	film_free(&f);
}

static void single(const char *name, int skip, int n)
{
	struct film f;
	int cuts;
	film_new(&f);
	add_clip(&f, name, skip, n);
	cuts_end(f.c, &cuts);
	test_ok(cuts == 0, "cuts %s is one shot (%d found in %d frames)", name, cuts, f.n);
	film_free(&f);
}

/* Cuts of a film that were looked up frame by frame; what moves between them is none. */
static void film(void)
{
	static const int known[] = { 53, 123 };
	struct film f;
	int n, good = 0;
	film_new(&f);
	add_clip(&f, "live/tears_of_steel_clip.webm", 0, 130);
	const struct cut *v = cuts_end(f.c, &n);
	for (int i = 0; i < n && i < 2; i++) good += v[i].frame == known[i];
	test_ok(n == 2 && good == 2, "cuts of a film: %d found, %d of 2 known ones", n, good);
	film_free(&f);
}

/* A picture from afar, larger than the frame, to pan over. */
static float scenery(int x, int y)
{
	uint32_t v = ((uint32_t)(x / 9 + 4096) * 0x9e3779b1u) ^ ((uint32_t)(y / 7 + 4096) * 0x85ebca77u);
	v = (v ^ (v >> 15)) * 0x2c1b3c6du;
	v ^= v >> 13;
	return 0.15f + 0.7f * (float)(v & 255) / 255;
}
static void paint(struct film *f, int dx, int seed, float gain, float lift)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			for (int k = 0; k < 3; k++) f->rgb[k][y * W + x] = scenery(x + dx, y + seed * 1000 + k) * gain + lift;
	film_put(f);
}

static void made(void)
{
	struct film f;
	int n;
	film_new(&f);
	for (int i = 0; i < 30; i++) {
		bool flash = i == 8 || i == 16 || i == 17;
		paint(&f, i, 0, flash ? 0.1f : 1.0f, flash ? 0.9f : 0);
	}
	cuts_end(f.c, &n);
	test_ok(n == 0, "cuts: flashes of one and two frames are none (%d)", n);
	film_free(&f);
	film_new(&f);
	for (int i = 0, x = 0; i < 30; i++) paint(&f, x += i > 8 && i < 18 ? 80 : 2, 0, 1, 0);
	cuts_end(f.c, &n);
	test_ok(n == 0, "cuts: a pan of a fifth of the width a frame is none (%d)", n);
	film_free(&f);
	film_new(&f);
	for (int i = 0; i < 24; i++) paint(&f, i, 0, 1 - 0.03f * (float)i, 0);
	for (int i = 0; i < 24; i++) paint(&f, i, 5, 1, 0);
	for (int i = 0; i < 5; i++) paint(&f, 0, 0, 0, 0.02f);
	for (int i = 0; i < 5; i++) paint(&f, 0, 0, 0, 0.9f);
	const struct cut *v = cuts_end(f.c, &n);
	test_ok(n == 3 && v[0].frame == 25 && v[1].frame == 49 && v[2].frame == 54,
	        "cuts: out of a fade, to black, to white (%d, %d, %d, %d)", n, n > 0 ? v[0].frame : 0, n > 1 ? v[1].frame : 0,
	        n > 2 ? v[2].frame : 0);
	film_free(&f);
	for (int i = 0; i < 4; i++) {                 /* sizes without structure */
		static const int size[][2] = { { 1, 1 }, { 2, 500 }, { 40, 3 }, { 193, 7 } };
		struct err e = ERR_INIT;
		struct cuts *c = cuts_new(size[i][0], size[i][1]);
		float *p = xalloc((size_t)(size[i][0] * size[i][1]), sizeof *p);
		const float *rgb[3] = { p, p, p };
		for (int k = 0; k < 12; k++) if (cuts_add(c, k, rgb, &e) < 0) test_ok(0, "cuts %s", e.msg);
		cuts_end(c, &n);
		test_ok(n == 0, "cuts of %dx%d", size[i][0], size[i][1]);
		cuts_free(&c);
		free(p);
	}
}

int main(void)
{
	struct err e = ERR_INIT;
	node_isa_set(ISA_AUTO, &e);
	made();
	struct shot v[3] = { { 1, 9, 0 }, { 10, 20, 1 }, { 21, 30, 1 } };
	test_ok(shots_at(v, 3, 9) == v && shots_at(v, 3, 10) == v + 1 && shots_at(v, 3, 99) == v + 2, "shots hold their frames");
	if (!test_data()) {
		test_skip("cuts: no ../shared/data");
		TEST_END();
	}
	together();
	film();
	single("video/kandinsky5_collapsed.mp4", 40, 40);
	single("video/wan21_cat_i2v.mp4", 0, 29);
	single("video/allegro_aurora.mp4", 20, 40);
	TEST_END();
}
