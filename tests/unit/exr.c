/* exr - EXR files written and read back, against oiiotool, real files and damaged ones.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "colour.h"
#include "exr.h"
#include "test.h"

static struct pool *pool;

static const char *in_tmp(const char *name)
{
	static char path[4][320];
	static int turn;
	char *p = path[turn++ % 4];
	snprintf(p, 320, "%s/%s", test_tmp(), name);
	return p;
}

static uint32_t bits(float f)
{
	uint32_t u;
	memcpy(&u, &f, sizeof u);
	return u;
}

static struct format format_of(struct rect data, struct rect display, const char *channels)
{
	struct format f = { .data = data, .display = display, .par = { 1, 1 }, .fps = { 0, 1 },
	                    .first = 1, .last = 1, .space = 0, .encoded = 0 };
	format_channels(&f, channels);
	return f;
}

/* Every kind of float: ordinary, tiny, huge, infinite, signed zero, canonical NaN. */
static void fill(struct image *im)
{
	static const float odd[] = { 0, -0.0f, 1, 65504, 65519, 65520, 1e30f, -1e30f, 6e-8f, 2.9e-8f,
	                             1e-40f, __builtin_inff(), -__builtin_inff() };
	uint32_t s = 1;
	for (int c = 0; c < im->fmt.nch; c++)
		for (int y = im->view.r.y0; y < im->view.r.y1; y++)
			for (int x = im->view.r.x0; x < im->view.r.x1; x++) {
				s = s * 1664525u + 1013904223u;
				float v = (float)(x * 3 + y * 7 + c) / 64.0f + (float)(s >> 20) * 1e-5f;
				if (s >> 27 == 0)
					v = odd[(s >> 8) % IN_COUNT(odd)];
				if (s >> 24 == 17)
					memcpy(&v, (uint32_t[]){ 0x7fc00000u }, 4);
				*view_at(&im->view, c, x, y) = v;
			}
}

static bool equal(const struct image *a, const struct image *b)
{
	for (int c = 0; c < a->fmt.nch; c++)
		for (int y = a->view.r.y0; y < a->view.r.y1; y++)
			for (int x = a->view.r.x0; x < a->view.r.x1; x++)
				if (bits(*view_at(&a->view, c, x, y)) != bits(*view_at(&b->view, c, x, y)))
					return false;
	return true;
}

static void halve(struct image *im)
{
	for (int c = 0; c < im->fmt.nch; c++)
		for (int y = im->view.r.y0; y < im->view.r.y1; y++)
			half_round(view_at(&im->view, c, im->view.r.x0, y), (size_t)rect_w(im->view.r));
}

/* The picture of a file, or NULL with the error. */
static struct image *load(const char *path, struct exr_info *info, struct err *e)
{
	if (exr_probe(path, info, e))
		return NULL;
	struct image *im = image_new(pool, &info->fmt, path, e);
	if (im && exr_read(path, &info->fmt, &im->view, e))
		image_unref(&im);
	return im;
}

static void halves(void)
{
#ifdef __FLT16_MAX__
	bool good = true;
	for (uint64_t i = 0; i <= UINT32_MAX; i += 4099 - (i & 7) * 512) {
		uint32_t u = (uint32_t)i;
		float v, w;
		memcpy(&v, &u, 4);
		w = v;
		half_round(&w, 1);
		__extension__ _Float16 h = (_Float16)v;
		float want = (float)h;
		good = good && (v == v ? bits(w) == bits(want) : bits(w) == 0x7fc00000u);
	}
	test_ok(good, "half_round agrees with the compiler's _Float16");
#else
	test_skip("half_round: this compiler has no _Float16");
#endif
	float v[] = { 65519.0f, 65520.0f, -65520.0f, 2.98023224e-8f, 2.98023259e-8f, 1.00048828125f };
	half_round(v, IN_COUNT(v));
	test_ok(v[0] == 65504 && v[1] == __builtin_inff() && v[2] == -__builtin_inff() && v[3] == 0
	        && v[4] == 0x1p-24f && v[5] == 1.0f, "half_round: ends of the range, ties to even");
}

static bool round_trip(struct rect data, struct rect display, const char *channels, int comp,
                       bool half)
{
	struct err e = ERR_INIT;
	struct format f = format_of(data, display, channels);
	struct image *a = image_new(pool, &f, "a", &e), *b = NULL;
	struct exr_write w = { .compression = (enum exr_compression)comp, .half = half };
	struct exr_info info = { 0 };
	const char *path = in_tmp("trip.exr");
	fill(a);
	bool good = exr_write(path, &f, &a->view, &w, &e) == 0;
	if (half)
		halve(a);
	b = good ? load(path, &info, &e) : NULL;
	good = b && rect_eq(info.fmt.data, data) && rect_eq(info.fmt.display, display)
	       && info.half == half && info.fmt.nch == f.nch;
	for (int c = 0; good && c < f.nch; c++)
		good = info.fmt.ch[c] == f.ch[c];
	good = good && equal(a, b);
	if (!good)
		printf("# comp %d half %d %s: %s\n", comp, half, channels, e.msg);
	exr_info_free(&info);
	image_unref(&a);
	image_unref(&b);
	unlink(path);
	return good;
}

static void round_trips(void)
{
	static const char *const comp[] = { "none", "rle", "zips", "zip", "piz" };
	static const struct { struct rect data, display; const char *channels; } t[] = {
		{ { 0, 0, 1, 1 }, { 0, 0, 1, 1 }, "R" },
		{ { 0, 0, 64, 32 }, { 0, 0, 64, 32 }, "R G B A" },
		{ { -7, -5, 30, 62 }, { 0, 0, 40, 50 }, "R G B A Z" },
		{ { 100, 200, 101, 300 }, { 0, 0, 640, 480 }, "R G B" },
		{ { 3, 1, 260, 2 }, { 0, 0, 16, 16 },
		  "R G B A a_layer_with_a_rather_long_name.R diffuse.B diffuse.G diffuse.R" }
	};
	for (int c = 0; c <= EXRC_PIZ; c++)
		for (int half = 0; half < 2; half++)
			for (size_t i = 0; i < IN_COUNT(t); i++)
				test_ok(round_trip(t[i].data, t[i].display, t[i].channels, c, half),
				        "round trip %s %s window %zu", comp[c], half ? "half" : "float", i);
}

static bool same_file(const char *a, const char *b)
{
	FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
	int p = 0, q = 0;
	while (f && g && p == q && p != EOF) {
		p = getc(f);
		q = getc(g);
	}
	if (f)
		fclose(f);
	if (g)
		fclose(g);
	return f && g && p == q;
}

static void header(void)
{
	static const char *const attr[] = { "interneg/key", "0123abcd", "note", "two words", NULL };
	struct err e = ERR_INIT;
	struct format f = format_of(rect_of(0, 0, 40, 30), rect_of(0, 0, 40, 30), "R G B");
	struct image *a = image_new(pool, &f, "a", &e);
	struct exr_write w = { .compression = EXRC_ZIP, .attr = attr, .frame = 90061,
	                       .fps = { 24000, 1001 }, .has_chroma = true };
	struct exr_info info = { 0 };
	const char *one = in_tmp("one.exr"), *two = in_tmp("two.exr");
	fill(a);
	a->fmt.par = f.par = (struct rational){ 4, 3 };
	colour_primaries(colour_find("acescg"), w.chroma);
	test_ok(exr_write(one, &f, &a->view, &w, &e) == 0 && exr_write(two, &f, &a->view, &w, &e) == 0
	        && same_file(one, two), "same input, same bytes");
	test_ok(exr_probe(one, &info, &e) == 0 && info.fmt.space == colour_find("acescg")
	        && info.fmt.encoded == colour_find("acescct") && info.has_chroma, "chromaticities");
	test_ok(info.fmt.fps.num == 24000 && info.fmt.fps.den == 1001 && info.fmt.par.num == 4
	        && info.fmt.par.den == 3, "framesPerSecond and pixel aspect");
	test_ok(exr_attr(&info, "interneg/key") && !strcmp(exr_attr(&info, "interneg/key"), "0123abcd")
	        && !strcmp(exr_attr(&info, "note"), "two words") && !exr_attr(&info, "none"),
	        "string attributes");
	test_ok(!strcmp(info.compression, "zip") && !info.deep && !info.half, "compression, type");
	exr_info_free(&info);

	char cmd[700], text[4096] = "";
	snprintf(cmd, sizeof cmd, "exrheader %s 2>/dev/null", one);
	FILE *p = popen(cmd, "r");
	size_t n = p ? fread(text, 1, sizeof text - 1, p) : 0;
	text[n] = 0;
	if (p && pclose(p) == 0 && n) {
		/* 90061 frames at 24 are 1 h 2 min 32 s and 13 frames */
		test_ok(strstr(text, "time 01:02:32:13") && strstr(text, "framesPerSecond (type rational): "
		        "24000/1001") && strstr(text, "capDate") == NULL, "exrheader reads what was written");
	} else {
		test_skip("exrheader is not installed");
	}
	image_unref(&a);
	unlink(one);
	unlink(two);
}

static void other_windows(void)
{
	struct err e = ERR_INIT;
	struct format f = format_of(rect_of(2, 3, 20, 40), rect_of(0, 0, 32, 48), "R G B");
	struct format g = format_of(rect_of(-4, 10, 15, 60), rect_of(0, 0, 32, 48), "G A");
	struct image *a = image_new(pool, &f, "a", &e), *b = image_new(pool, &g, "b", &e);
	struct exr_write w = { .compression = EXRC_PIZ };
	const char *path = in_tmp("window.exr");
	bool good = true;
	fill(a);
	for (int c = 0; c < 2; c++)
		for (int y = 10; y < 60; y++)
			memset(view_at(&b->view, c, -4, y), 0x7f, 19 * sizeof(float));
	test_ok(exr_write(path, &f, &a->view, &w, &e) == 0 && exr_read(path, &g, &b->view, &e) == 0,
	        "read into another window");
	for (int y = 10; y < 60; y++)
		for (int x = -4; x < 15; x++) {
			bool in = x >= 2 && x < 20 && y >= 3 && y < 40;
			float want = in ? *view_at(&a->view, 1, x, y) : 0;
			good = good && bits(*view_at(&b->view, 0, x, y)) == bits(want)
			       && bits(*view_at(&b->view, 1, x, y)) == 0;
		}
	test_ok(good, "outside the file's window and absent channels are 0");
	image_unref(&a);
	image_unref(&b);
	unlink(path);
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

static void failing_writes(void)
{
	struct err e = ERR_INIT;
	struct format f = format_of(rect_of(0, 0, 300, 300), rect_of(0, 0, 300, 300), "R G B");
	struct image *a = image_new(pool, &f, "a", &e);
	struct exr_write w = { .compression = EXRC_NONE };
	const char *path = in_tmp("full.exr");
	fill(a);
	test_ok(exr_write(in_tmp("no/such/dir.exr"), &f, &a->view, &w, &e) == -1 && e.code == E_OUTPUT
	        && strstr(e.msg, "No such file"), "missing folder");
	struct rlimit old, low;
	getrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_IGN);
	int bad = 0, left = 0;
	for (rlim_t n = 0; n < 1000000; n = n ? n * 9 : 100) {
		low = (struct rlimit){ n, old.rlim_max };
		setrlimit(RLIMIT_FSIZE, &low);
		err_clear(&e);
		bad += exr_write(path, &f, &a->view, &w, &e) != -1 || e.code != E_OUTPUT
		       || !strstr(e.msg, "File too large");
		left += entries(test_tmp());
	}
	setrlimit(RLIMIT_FSIZE, &old);
	test_ok(bad == 0, "a full disk is E_OUTPUT with the system's words");
	test_ok(left == 0, "and nothing is left behind");
	f.data = rect_of(0, 0, 0, 0);
	test_ok(exr_write(path, &f, &a->view, &w, &e) == -1 && e.code == E_OUTPUT, "empty data window");
	image_unref(&a);
}

static void cut_off(void)
{
	struct err e = ERR_INIT;
	struct format f = format_of(rect_of(0, 0, 50, 40), rect_of(0, 0, 50, 40), "R G B");
	struct image *a = image_new(pool, &f, "a", &e);
	const char *path = in_tmp("cut.exr");
	for (int c = 0; c <= EXRC_PIZ; c++) {
		struct exr_write w = { .compression = (enum exr_compression)c };
		struct stat st;
		int read = 0;
		fill(a);
		if (exr_write(path, &f, &a->view, &w, &e) || stat(path, &st)) {
			test_ok(0, "write: %s", e.msg);
			continue;
		}
		for (off_t n = st.st_size - 1; n >= 0; n -= 1 + st.st_size / 60) {
			struct exr_info info = { 0 };
			if (truncate(path, n))
				continue;
			struct image *b = load(path, &info, &e);
			read += b != NULL;
			image_unref(&b);
			exr_info_free(&info);
		}
		test_ok(read == 0, "cut off anywhere is an error (compression %d)", c);
	}
	image_unref(&a);
	unlink(path);
}

/* A header of 50000 x 50000 pixels in a small file. */
static void giant(void)
{
	static const char key[] = "dataWindow\0box2i\0\x10\0\0";      /* and the last byte of the length */
	struct err e = ERR_INIT;
	struct format f = format_of(rect_of(0, 0, 8, 8), rect_of(0, 0, 8, 8), "R");
	struct image *a = image_new(pool, &f, "a", &e);
	struct exr_write w = { .compression = EXRC_ZIP };
	struct exr_info info;
	const char *path = in_tmp("giant.exr");
	char buf[4096];
	fill(a);
	int rc = exr_write(path, &f, &a->view, &w, &e), fd = open(path, O_RDWR);
	ssize_t n = fd < 0 ? -1 : pread(fd, buf, sizeof buf, 0);
	char *at = n > 0 ? memmem(buf, (size_t)n, key, sizeof key) : NULL;
	const int32_t big[2] = { 49999, 49999 };
	if (at)
		rc |= pwrite(fd, big, sizeof big, at - buf + (off_t)sizeof key + 8) != sizeof big;
	close(fd);
	test_ok(rc == 0 && at && exr_probe(path, &info, &e) == -1 && e.code == E_MEMORY
	        && strstr(e.msg, "50000 x 50000"), "a 2-gigapixel header is E_MEMORY: %s", e.msg);
	test_ok(exr_read(path, &f, &a->view, &e) == -1 && e.code == E_MEMORY, "for exr_read too");
	image_unref(&a);
	unlink(path);
}

/* One file in a child with little memory and time; returns its exit status, or 128 + signal. */
static int in_child(const char *path)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		struct err e = ERR_INIT;
		struct exr_info info = { 0 };
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		struct rlimit lim = { 1 << 30, 1 << 30 };
		setrlimit(RLIMIT_AS, &lim);
#endif
		alarm(10);
		struct image *im = load(path, &info, &e);
		int rc = im ? 0 : (int)e.code;
		if (!im && !strstr(e.msg, path))
			rc = 99;
		image_unref(&im);
		exr_info_free(&info);
		_exit(rc);
	}
	int st = 0;
	if (pid < 0 || waitpid(pid, &st, 0) < 0)
		return -1;
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

static void damaged(const char *data)
{
	char dir[300], path[700];
	int n = 0, bad = 0;
	snprintf(dir, sizeof dir, "%s/robust/exr", data);
	DIR *d = opendir(dir);
	for (struct dirent *p; d && (p = readdir(d));) {
		if (p->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, p->d_name);
		int rc = in_child(path);
		n++;
		if (rc != 0 && rc != E_INPUT && rc != E_MEMORY) {
			bad++;
			printf("# %s: status %d\n", p->d_name, rc);
		}
	}
	if (d)
		closedir(d);
	test_ok(n > 50 && bad == 0, "%d damaged files end in status 0, 5 or 7, naming the file", n);
	test_ok(in_child("/etc/hostname") == E_INPUT && in_child("/") == E_INPUT
	        && in_child("/nonexistent.exr") == E_INPUT, "text, folder, missing file");
}

/* The same file as oiiotool (OpenEXR's C++ library) decodes it. */
static void against_oiiotool(const char *path, const char *rel)
{
	struct err e = ERR_INIT;
	struct exr_info info = { 0 }, ref = { 0 };
	const char *out = in_tmp("oiio.exr");
	char cmd[1500];
	snprintf(cmd, sizeof cmd, "oiiotool '%s' --subimage 0 --selectmip 0 -d float --compression none "
	         "--scanline -o '%s' >/dev/null 2>&1", path, out);
	struct image *a = load(path, &info, &e), *b = NULL;
	bool made = system(cmd) == 0;
	if (made)
		b = load(out, &ref, &e);
	bool good = a && b && rect_eq(info.fmt.data, ref.fmt.data);
	for (int c = 0; good && c < ref.fmt.nch; c++) {
		int k = format_channel(&info.fmt, ref.fmt.ch[c]);
		good = k >= 0;
		for (int y = ref.fmt.data.y0; good && y < ref.fmt.data.y1; y++)
			good = !memcmp(view_at(&a->view, k, ref.fmt.data.x0, y),
			               view_at(&b->view, c, ref.fmt.data.x0, y),
			               (size_t)rect_w(ref.fmt.data) * sizeof(float));
	}
	if (made)
		test_ok(good, "%s equals oiiotool's, bit for bit", rel);
	else
		test_skip("%s: no oiiotool, or it does not read this", rel);
	image_unref(&a);
	image_unref(&b);
	exr_info_free(&info);
	exr_info_free(&ref);
	unlink(out);
}

/* What is written here as oiiotool reads it. */
static void written(void)
{
	static const char *const comp[] = { "none", "rle", "zips", "zip", "piz" };
	struct err e = ERR_INIT;
	struct format f = format_of(rect_of(-3, 5, 61, 50), rect_of(0, 0, 64, 64), "R G B A");
	struct image *a = image_new(pool, &f, "a", &e);
	fill(a);
	for (int c = EXRC_RLE; c <= EXRC_PIZ; c++) {
		struct exr_write w = { .compression = (enum exr_compression)c, .half = c & 1 };
		const char *path = in_tmp("ours.exr");
		if (exr_write(path, &f, &a->view, &w, &e))
			test_ok(0, "%s", e.msg);
		else
			against_oiiotool(path, comp[c]);
		unlink(path);
	}
	image_unref(&a);
}

static void real_file(const char *data, const char *rel)
{
	struct err e = ERR_INIT;
	struct exr_info info = { 0 };
	char path[700];
	snprintf(path, sizeof path, "%s/exr/%s", data, rel);
	struct image *im = load(path, &info, &e);
	bool refused = info.deep || !strncmp(info.compression, "dwa", 3);
	if (refused)
		test_ok(!im && e.code == E_INPUT && strstr(e.msg, info.deep ? "deep" : info.compression),
		        "%s is refused: %s", rel, e.msg);
	else
		test_ok(im != NULL, "%s reads %s", rel, im ? "" : e.msg);
	image_unref(&im);
	/* oiiotool takes long to start: a few files of each kind. */
	static const char *const some[] = {
		"singlepart", "/XYZ.", "t08", "Periodic", "Cannon", "NanInf", "RgbRamps", "GoldenGate",
		"comp_rle", "composited"
	};
	bool again = false;
	for (size_t i = 0; i < IN_COUNT(some); i++)
		again = again || strstr(rel, some[i]);
	if (!refused && again)
		against_oiiotool(path, rel);
	exr_info_free(&info);
}

static void real_files(const char *data)
{
	char dir[300];
	snprintf(dir, sizeof dir, "%s/exr", data);
	struct dirent **top = NULL;
	int n = scandir(dir, &top, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char sub[700], rel[600];
		struct dirent **in = NULL;
		snprintf(sub, sizeof sub, "%s/%s", dir, top[i]->d_name);
		int m = top[i]->d_name[0] == '.' ? 0 : scandir(sub, &in, NULL, alphasort);
		size_t len = strlen(top[i]->d_name);
		if (len > 4 && !strcmp(top[i]->d_name + len - 4, ".exr"))
			real_file(data, top[i]->d_name);
		for (int k = 0; k < m; k++) {
			snprintf(rel, sizeof rel, "%s/%s", top[i]->d_name, in[k]->d_name);
			if (in[k]->d_name[0] != '.')
				real_file(data, rel);
			free(in[k]);
		}
		free(in);
		free(top[i]);
	}
	free(top);
}

/* Subsampled chroma to RGB; the means are what OpenEXR's RgbaInputFile gives. */
static void luma_chroma(const char *data, const char *rel, double r, double g, double b)
{
	struct err e = ERR_INIT;
	struct exr_info info = { 0 };
	char path[400];
	snprintf(path, sizeof path, "%s/exr/%s", data, rel);
	struct image *im = load(path, &info, &e);
	double want[3] = { r, g, b }, sum[3] = { 0 };
	size_t n = im ? rect_area(info.fmt.data) : 1;
	bool good = im && info.luma_chroma && info.fmt.nch == 3;
	for (int c = 0; good && c < 3; c++) {
		for (int y = info.fmt.data.y0; y < info.fmt.data.y1; y++)
			for (int x = info.fmt.data.x0; x < info.fmt.data.x1; x++)
				sum[c] += (double)*view_at(&im->view, c, x, y);
		double d = sum[c] / (double)n / want[c] - 1;
		good = d < 5e-4 && d > -5e-4;
	}
	test_ok(good, "%s: means %.6g %.6g %.6g", rel, sum[0] / (double)n, sum[1] / (double)n,
	        sum[2] / (double)n);

	/* A window of its own gives the same pixels: nothing depends on what is asked for. */
	struct format part = info.fmt;
	part.data = rect_of(100, 101, 133, 120);
	format_channels(&part, "B");
	struct image *cut = good ? image_new(pool, &part, "cut", &e) : NULL;
	bool same = cut && exr_read(path, &part, &cut->view, &e) == 0;
	for (int y = 101; same && y < 120; y++)
		same = !memcmp(view_at(&cut->view, 0, 100, y), view_at(&im->view, 2, 100, y),
		               33 * sizeof(float));
	test_ok(same, "%s: the same in a smaller window", rel);
	image_unref(&cut);
	image_unref(&im);
	exr_info_free(&info);
}

int main(void)
{
	const char *data = test_data();
	pool = pool_new();
	halves();
	round_trips();
	header();
	other_windows();
	failing_writes();
	cut_off();
	giant();
	written();
	if (data) {
		damaged(data);
		real_files(data);
		luma_chroma(data, "Chromaticities/Rec709_YC.exr", 0.365833, 0.277774, 0.115158);
		luma_chroma(data, "Chromaticities/XYZ_YC.exr", 0.271022, 0.284759, 0.149538);
		luma_chroma(data, "LuminanceChroma/Flowers.exr", 0.704505, 0.721351, 1.74421);
		luma_chroma(data, "compression/comp_b44.exr", 7.70425, 7.53947, 6.91055);
	} else {
		test_skip("../shared/data is not there: real and damaged EXR files");
	}
	pool_free(&pool);
	rmdir(test_tmp());
	TEST_END();
}
