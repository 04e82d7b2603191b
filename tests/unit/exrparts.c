/* exrparts - EXR files in parts: any order, any threads, the same bytes; other programs read the same pixels.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cache.h"
#include "exr.h"
#include "test.h"

static const char *const names[] = { "none", "rle", "zips", "zip", "piz" };
static struct pool *pool;

static const char *in_tmp(const char *name)
{
	static char path[8][320];
	static int turn;
	char *p = path[turn++ % 8];
	snprintf(p, 320, "%s/%s", test_tmp(), name);
	return p;
}

static struct image *picture(int w, int h, const char *channels, uint32_t seed)
{
	struct err e = ERR_INIT;
	struct format f = { .data = rect_of(0, 0, w, h), .display = rect_of(0, 0, w, h), .par = { 1, 1 },
	                    .fps = { 24, 1 }, .first = 1, .last = 1 };
	format_channels(&f, channels);
	struct image *im = image_new(pool, &f, "test", &e);
	for (int c = 0; c < f.nch; c++)
		for (int y = 0; y < h; y++)
			for (int x = 0; x < w; x++) {
				seed = seed * 1664525u + 1013904223u;
				/* half smooth, half noisy, so that every compression has its cases */
				float noise = x * 2 < w ? 0 : (float)(seed >> 8) * 0x1p-24f;
				*view_at(&im->view, c, x, y) = (float)(x / 7 + y + c) / 512.0f + noise;
			}
	return im;
}

static void halve(struct image *im)
{
	for (int c = 0; c < im->fmt.nch; c++)
		for (int y = im->view.r.y0; y < im->view.r.y1; y++)
			half_round(view_at(&im->view, c, im->view.r.x0, y), (size_t)rect_w(im->view.r));
}

static bool equal(const struct image *a, const struct image *b)
{
	struct pixhash x = image_hash(a), y = image_hash(b);
	return x.lo == y.lo && x.hi == y.hi;
}

static struct image *like(const struct image *im)
{
	struct err e = ERR_INIT;
	struct image *b = image_new(pool, &im->fmt, "copy", &e);
	for (int c = 0; c < im->fmt.nch; c++)
		memset(view_at(&b->view, c, im->view.r.x0, im->view.r.y0), 0x7f,
		       sizeof(float) * (size_t)b->view.stride * (size_t)rect_h(im->view.r));
	return b;
}

static bool same_file(const char *a, const char *b)
{
	char cmd[700];
	snprintf(cmd, sizeof cmd, "cmp -s '%s' '%s'", a, b);
	return system(cmd) == 0;
}

static int entries(const char *dir)
{
	int n = 0;
	DIR *d = opendir(dir);
	for (struct dirent *p; d && (p = readdir(d));)
		n += strcmp(p->d_name, ".") && strcmp(p->d_name, "..");
	if (d)
		closedir(d);
	return n;
}

/* Parts 0..n-1 by a number of threads, in the order of a step that shares no factor with n. */
struct crew { void *file; int (*part)(void *, int, struct err *); int n, step; atomic_int next, bad; };

static void *work(void *user)
{
	struct crew *c = user;
	struct err e = ERR_INIT;
	for (int i; (i = atomic_fetch_add(&c->next, 1)) < c->n;)
		if (c->part(c->file, (int)((long)(i + 1) * c->step % c->n), &e))
			c->bad = 1;
	return NULL;
}

static int gcd(int a, int b)
{
	return b ? gcd(b, a % b) : a;
}

static int run(void *file, int (*part)(void *, int, struct err *), int n, int step, int threads)
{
	step = step < 0 ? n + step : step;
	while (gcd(step, n) != 1)
		step++;
	struct crew c = { .file = file, .part = part, .n = n, .step = step };
	pthread_t t[8];
	for (int i = 1; i < threads; i++)
		pthread_create(&t[i], NULL, work, &c);
	work(&c);
	for (int i = 1; i < threads; i++)
		pthread_join(t[i], NULL);
	return c.bad ? -1 : 0;
}

static int write_part(void *f, int i, struct err *e)
{
	return exr_write_part(f, i, e);
}

static int read_part(void *f, int i, struct err *e)
{
	return exr_read_part(f, i, e);
}

static int store_part(void *f, int i, struct err *e)
{
	return cache_store_part(f, i, e);
}

static int load_part(void *f, int i, struct err *e)
{
	return cache_load_part(f, i, e);
}

static const struct { int step, threads; } orders[] = { { 1, 1 }, { -1, 1 }, { 5, 1 }, { 1, 4 }, { -1, 3 } };

static bool write_in(const char *path, const struct image *im, const struct exr_write *w, int i)
{
	struct err e = ERR_INIT;
	struct exr_writer *x;
	if (exr_write_open(&x, path, &im->fmt, &im->view, w, &e))
		return false;
	bool good = exr_write_parts(x) > 8 && !run(x, write_part, exr_write_parts(x), orders[i].step, orders[i].threads);
	return exr_write_finish(&x, &e) == 0 && good;
}

static bool read_in(const char *path, const struct image *im, int i)
{
	struct err e = ERR_INIT;
	struct exr_reader *r;
	struct image *b = like(im);
	bool good = exr_read_open(&r, path, &im->fmt, &b->view, &e) == 0;
	if (good) {
		good = !run(r, read_part, exr_read_parts(r), orders[i].step, orders[i].threads);
		good = exr_read_finish(&r, &e) == 0 && good && equal(im, b);
	}
	image_unref(&b);
	return good;
}

static void any_order(void)
{
	struct err e = ERR_INIT;
	struct image *im = picture(2800, 330, "R G B", 1);
	const char *one = in_tmp("one.exr"), *two = in_tmp("two.exr");
	for (int k = 0; k < 2 * (EXRC_PIZ + 1); k++) {
		struct exr_write w = { .compression = (enum exr_compression)(k / 2), .half = k & 1, .nosync = true };
		int same = 0, read = 0, step = k / 2 == EXRC_PIZ ? 3 : 1, want = 0;      /* PIZ is slow */
		if (w.half)
			halve(im);
		exr_write(one, &im->fmt, &im->view, &w, &e);
		for (int i = 0; i < (int)IN_COUNT(orders); i += step, want++) {
			same += write_in(two, im, &w, i) && same_file(one, two);
			read += read_in(one, im, i);
		}
		test_ok(same == want && read == want, "%s %s: parts in any order, by 1 to 4 threads",
		        names[k / 2], w.half ? "half" : "float");
		if (w.half) {
			image_unref(&im);
			im = picture(2800, 330, "R G B", 1);
		}
	}
	unlink(one);
	unlink(two);
	image_unref(&im);
}

static void given_up(void)
{
	struct err e = ERR_INIT;
	struct image *im = picture(2800, 330, "R G B", 2);
	struct exr_write w = { .compression = EXRC_ZIP };
	struct exr_writer *x;
	int before = entries(test_tmp());
	bool good = exr_write_open(&x, in_tmp("no.exr"), &im->fmt, &im->view, &w, &e) == 0;
	good = good && exr_write_part(x, 3, &e) == 0 && exr_write_part(x, 0, &e) == 0;
	exr_write_abort(&x);
	test_ok(good && !x && entries(test_tmp()) == before, "a writer given up leaves nothing");
	good = exr_write_open(&x, in_tmp("no.exr"), &im->fmt, &im->view, &w, &e) == 0;
	good = good && exr_write_part(x, 1, &e) == 0 && exr_write_finish(&x, &e) == -1 && e.code == E_OUTPUT;
	test_ok(good && entries(test_tmp()) == before, "nor does one that lacks parts: %s", e.msg);
	image_unref(&im);
}

static void attributes(void)
{
	static const char *const attr[] = { "interneg.keyed", "no", "interneg.key", "0000", NULL };
	struct err e = ERR_INIT;
	struct image *im = picture(20, 20, "R", 3);
	struct exr_write w = { .attr = attr };
	struct exr_writer *x;
	struct exr_info info = { 0 };
	const char *path = in_tmp("attr.exr");
	exr_write_open(&x, path, &im->fmt, &im->view, &w, &e);
	test_ok(exr_write_part(x, 0, &e) == 0 && exr_write_attr(x, "interneg.key", "abcd") == 0
	        && exr_write_attr(x, "interneg.key", "abc") == -1 && exr_write_attr(x, "key", "abcd") == -1
	        && exr_write_finish(&x, &e) == 0 && exr_probe(path, &info, &e) == 0
	        && !strcmp(exr_attr(&info, "interneg.key"), "abcd")
	        && !strcmp(exr_attr(&info, "interneg.keyed"), "no"), "an attribute is filled in before the end");
	exr_info_free(&info);
	image_unref(&im);
	unlink(path);
}

/* One byte of a file's end part flipped. */
static void flip(const char *path, off_t back)
{
	struct stat st;
	int fd = open(path, O_RDWR);
	char c = 0;
	if (fstat(fd, &st) || pread(fd, &c, 1, st.st_size - back) != 1)
		test_ok(0, "flip");
	c ^= 4;
	if (pwrite(fd, &c, 1, st.st_size - back) != 1)
		test_ok(0, "flip");
	close(fd);
}

static bool store_in(struct cache *c, const struct key *k, const struct image *im, struct cache_form form, int i)
{
	struct err e = ERR_INIT;
	struct cache_store *s;
	if (cache_store_open(c, k, im, form, NULL, &s, &e))
		return false;
	bool good = !run(s, store_part, cache_store_parts(s), orders[i].step, orders[i].threads);
	return cache_store_finish(&s, &e) == 0 && good;
}

static bool load_in(struct cache *c, const struct key *k, const struct image *im, int i, struct err *e)
{
	struct cache_load *l;
	struct image *b = like(im);
	bool good = cache_load_open(c, k, b, &l, e) == 0;
	if (good) {
		good = !run(l, load_part, cache_load_parts(l), orders[i].step, orders[i].threads);
		good = cache_load_finish(&l, e) == 0 && good && equal(im, b);
	}
	image_unref(&b);
	return good;
}

static void cached(void)
{
	struct err e = ERR_INIT;
	char *dir = xstrdup(in_tmp("cache"));
	struct cache *c = cache_new(dir);
	struct image *im = picture(1500, 333, "R G B A", 4);
	struct key k = { { 1, 2, 3 } }, other = { { 9 } };
	char *path = cache_path(c, &k);
	halve(im);
	for (int f = 0; f < 2 * (EXRC_PIZ + 1); f++) {
		struct cache_form form = { .half = f & 1, .compression = (enum exr_compression)(f / 2) };
		int good = 0, want = 0;
		for (int i = 0; i < (int)IN_COUNT(orders); i += f / 2 == EXRC_PIZ ? 3 : 1, want++)
			good += store_in(c, &k, im, form, i) && load_in(c, &k, im, (i + 2) % (int)IN_COUNT(orders), &e);
		test_ok(good == want, "cache: %s %s stored and loaded in parts %s", names[f / 2],
		        form.half ? "half" : "float", e.msg);
	}
	test_ok(cache_store(c, &k, im, false, NULL, &e) == 0 && load_in(c, &k, im, 0, &e), "cache: in one call");
	flip(path, 1000);
	puts("# two warnings of the cache:");
	test_ok(!load_in(c, &k, im, 3, &e) && e.code == E_INPUT && strstr(e.msg, "hash") && !cache_has(c, &k),
	        "cache: one wrong bit is found and the file set aside: %s", e.msg);
	store_in(c, &k, im, cache_form_of(true), 0);
	char *to = cache_path(c, &other), *slash;
	slash = strrchr(to, '/');
	*slash = 0;
	mkdir(to, 0777);
	*slash = '/';
	rename(path, to);
	test_ok(!load_in(c, &other, im, 0, &e) && strstr(e.msg, "another key"), "cache: another key's file: %s", e.msg);
	free(to);
	free(path);
	image_unref(&im);
	cache_free(&c);
	char cmd[400];
	snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
	if (system(cmd) != 0)
		test_ok(0, "rm");
	free(dir);
}

static void store_byte(int fd, off_t at, uint8_t v)
{
	if (pwrite(fd, &v, 1, at) != 1)
		test_ok(0, "pwrite");
}

/* Every byte of header, table and first chunks, then bytes here and there: reading ends, and an error names the file. */
static void damaged(void)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };
	struct err e = ERR_INIT;
	struct image *im = picture(24, 40, "R G B", 6), *b = like(im);
	const char *path = in_tmp("hurt.exr");
	for (int k = 0; k < 2 * EXRC_PIZ; k++) {
		struct exr_write w = { .compression = (enum exr_compression)(k / 2), .half = k & 1, .nosync = true };
		struct stat st = { 0 };
		int wrong = 0, nameless = 0;
		exr_write(path, &im->fmt, &im->view, &w, &e);
		int fd = open(path, O_RDWR);
		fstat(fd, &st);
		for (off_t at = 8; at < st.st_size; at += at < 900 ? 1 : 37) {
			uint8_t was = 0;
			if (pread(fd, &was, 1, at) != 1)
				break;
			store_byte(fd, at, values[(at + k) % 5] == was ? was ^ 0x55 : values[(at + k) % 5]);
			err_clear(&e);
			if (exr_read(path, &im->fmt, &b->view, &e)) {
				wrong++;
				nameless += !strstr(e.msg, path) || (e.code != E_INPUT && e.code != E_MEMORY);
			}
			store_byte(fd, at, was);
		}
		close(fd);
		test_ok(wrong > 100 && nameless == 0 && exr_read(path, &im->fmt, &b->view, &e) == 0 && (w.half || equal(im, b)),
		        "%s %s: %d damaged places refused, %d without a name", names[k / 2], w.half ? "half" : "float", wrong, nameless);
	}
	unlink(path);
	image_unref(&b);
	image_unref(&im);
}

/* The file as oiiotool re-saves it, as OpenEXR makes it tiled, as FFmpeg decodes it. */
static int through(const char *cmd, const char *out, const struct image *im)
{
	struct err e = ERR_INIT;
	int rc = system(cmd);
	if (rc == -1 || !WIFEXITED(rc) || WEXITSTATUS(rc) == 127)
		return 0;
	struct image *b = like(im);
	int good = rc == 0 && exr_read(out, &im->fmt, &b->view, &e) == 0 && equal(im, b) ? 1 : -1;
	image_unref(&b);
	unlink(out);
	return good;
}

static int through_ffmpeg(const char *path, const struct image *im)
{
	static const char *const order[] = { "G", "B", "R" };
	char cmd[800];
	snprintf(cmd, sizeof cmd, "ffmpeg -v error -i '%s' -f rawvideo -pix_fmt gbrpf32le - </dev/null 2>/dev/null", path);
	FILE *p = popen(cmd, "r");
	int good = 1, w = rect_w(im->fmt.data);
	float *row = xalloc((size_t)w, sizeof *row);
	for (int c = 0; p && c < 3; c++)
		for (int y = 0; y < rect_h(im->fmt.data); y++) {
			size_t n = fread(row, sizeof *row, (size_t)w, p);
			if (n != (size_t)w
			    || memcmp(row, view_at(&im->view, format_channel(&im->fmt, order[c]), 0, y), sizeof *row * n))
				good = -1;
		}
	free(row);
	int rc = p ? pclose(p) : -1;
	return rc != -1 && WIFEXITED(rc) && WEXITSTATUS(rc) == 127 ? 0 : good;
}

static void say(int rc, const char *tool, const char *comp, bool half)
{
	if (rc == 0)
		test_skip("%s is not installed", tool);
	else
		test_ok(rc > 0, "%s reads %s %s bit for bit", tool, comp, half ? "half" : "float");
}

static void other_programs(void)
{
	struct err e = ERR_INIT;
	const char *path = in_tmp("ours.exr"), *out = in_tmp("theirs.exr");
	char cmd[1500];
	for (int k = 0; k < 2 * EXRC_PIZ; k++) {
		struct image *im = picture(301, 77, "R G B", 5);
		struct exr_write w = { .compression = (enum exr_compression)(k / 2), .half = k & 1, .nosync = true };
		if (w.half)
			halve(im);
		if (exr_write(path, &im->fmt, &im->view, &w, &e))
			test_ok(0, "%s", e.msg);
		snprintf(cmd, sizeof cmd, "oiiotool '%s' -d float --compression none -o '%s' >/dev/null 2>&1", path, out);
		say(through(cmd, out, im), "oiiotool", names[k / 2], w.half);
		snprintf(cmd, sizeof cmd, "exrmaketiled '%s' '%s' >/dev/null 2>&1", path, out);
		say(through(cmd, out, im), "exrmaketiled", names[k / 2], w.half);
		say(through_ffmpeg(path, im), "FFmpeg", names[k / 2], w.half);
		image_unref(&im);
	}
	unlink(path);
}

int main(void)
{
	pool = pool_new();
	any_order();
	given_up();
	attributes();
	cached();
	damaged();
	other_programs();
	pool_free(&pool);
	rmdir(test_tmp());
	TEST_END();
}
