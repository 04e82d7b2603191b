/* base - errors, findings, log, memory, hashes, images.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>

#include "colour.h"
#include "hashrun.h"
#include "image.h"
#include "log.h"
#include "stream.h"
#include "test.h"

static void errors(void)
{
	struct err e = ERR_INIT;
	test_ok(err_set(&e, E_INPUT, "open %s: gone", "a.exr") == -1 && e.code == E_INPUT
	        && !strcmp(e.msg, "open a.exr: gone"), "err_set");
	test_ok(err_in(&e, "node '%s' frame %d", "x", 3) == -1
	        && !strcmp(e.msg, "node 'x' frame 3: open a.exr: gone"), "err_in puts context before");
	err_set(&e, E_SCENE, "again: %s", e.msg);
	test_ok(!strcmp(e.msg, "again: node 'x' frame 3: open a.exr: gone"), "err_set from its own text");

	char big[2000];
	memset(big, 'c', sizeof big - 1);
	big[sizeof big - 1] = 0;
	err_set(&e, E_INPUT, "%.*s!cause", 900, big);
	err_in(&e, "%s", big);
	size_t n = strlen(e.msg);
	test_ok(n < sizeof e.msg && n > 1000 && !strcmp(e.msg + n - 6, "!cause"),
	        "err_in keeps the cause when both do not fit");
	err_clear(&e);
	test_ok(e.code == E_OK && !e.msg[0], "err_clear");
}

/* What fn prints on stderr. */
static char *printed(void (*fn)(void *), void *arg)
{
	static char text[16384];
	char path[300];
	snprintf(path, sizeof path, "%s/stderr", test_tmp());
	fflush(stderr);
	int keep = dup(2), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	dup2(fd, 2);
	fn(arg);
	fflush(stderr);
	dup2(keep, 2);
	close(keep);
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	text[n > 0 ? n : 0] = 0;
	close(fd);
	unlink(path);
	return text;
}

static void print_plain(void *d)
{
	diags_print(d, false);
}

static void print_json(void *d)
{
	diags_print(d, true);
}

static void findings(void)
{
	struct diags d = { 0 };
	diag_add(&d, DIAG_ERROR, E_SCENE, "b.xml", 9, "<blur id=\"soft\">", "did you mean sigma?",
	         "unknown attribute '%s'", "sigm");
	diag_add(&d, DIAG_ERROR, E_RULE, "a.xml", 20, "", "", "second");
	diag_add(&d, DIAG_WARNING, E_SCENE, "a.xml", 3, "", "", "first");
	diag_add(&d, DIAG_NOTE, E_OK, "a.xml", 20, "", "", "third \"q\"\n");
	diag_add(&d, DIAG_ERROR, E_RULE, "b.xml", 0, "", "", "whole\033[31m file");
	test_ok(diags_status(&d) == E_SCENE, "diags_status: the first error");
	d.v[0].waived = true;
	test_ok(diags_status(&d) == E_RULE, "diags_status: waived ones do not count");
	free(d.v[1].rule);
	d.v[1].rule = xstrdup("ai-once");
	test_ok(!strcmp(printed(print_plain, &d),
	        "a.xml:3: warning: first\n"
	        "a.xml:20: error: second [ai-once]\n"
	        "a.xml:20: note: third \"q\"\n\n"
	        "b.xml: error: whole?[31m file\n"
	        "b.xml:9: waived: <blur id=\"soft\">: unknown attribute 'sigm' (did you mean sigma?)\n"),
	        "diags_print: sorted by file, line, insertion");
	test_ok(strstr(printed(print_json, &d),
	        "{\"level\":\"note\",\"file\":\"a.xml\",\"line\":20,\"where\":\"\",\"message\":"
	        "\"third \\\"q\\\"\\n\",\"hint\":\"\",\"rule\":\"\",\"waived\":false}\n") != NULL,
	        "diags_print: JSON lines");
	diags_free(&d);
	test_ok(d.n == 0 && !d.v && diags_status(&d) == E_OK, "diags_free");
}

static void names(void)
{
	static const char *const list[] = { "exposure", "temperature", "tint", "contrast", "saturation" };
	static const struct { const char *word, *want; } t[] = {
		{ "exposur", "exposure" }, { "expsoure", "exposure" }, { "Tint", "tint" }, { "tnit", "tint" },
		{ "satuartoin", "saturation" }, { "sharpness", NULL }, { "x", NULL }, { "", NULL },
		{ "temprature", "temperature" }
	};
	for (size_t i = 0; i < IN_COUNT(t); i++) {
		const char *got = nearest_name(t[i].word, list, IN_COUNT(list));
		test_ok(got == t[i].want || (got && t[i].want && !strcmp(got, t[i].want)),
		        "nearest_name '%s' is %s", t[i].word, t[i].want ? t[i].want : "nothing");
	}
}

static void write_log(void *json)
{
	log_setup(json != NULL, LOG_CACHE);
	log_note("a %d", 1);
	log_warn("b");
	log_error("c\t\x01\xff\xc3\xa9\033]0;x\007\x9b\xc2\x9b");
	log_debug(LOG_CACHE, "hit");
	log_debug(LOG_PLAN, "never");
	log_setup(false, 0);
}

static void logging(void)
{
	int yes = 1;
	test_ok(!strcmp(printed(write_log, NULL), "interneg: a 1\ninterneg: warning: b\ninterneg: error: "
	        "c\t?\xff\xc3\xa9?]0;x????\ninterneg: cache: hit\n"), "log: plain lines, nothing that a terminal obeys");
	test_ok(!strcmp(printed(write_log, &yes), "{\"level\":\"note\",\"message\":\"a 1\"}\n"
	        "{\"level\":\"warning\",\"message\":\"b\"}\n"
	        "{\"level\":\"error\",\"message\":\"c\\t\\u0001\\ufffd\xc3\xa9\\u001b]0;x\\u0007\\ufffd\xc2\x9b\"}\n"
	        "{\"level\":\"debug\",\"topic\":\"cache\",\"message\":\"hit\"}\n"), "log: JSON lines");
	char small[6];
	json_escape(small, sizeof small, "abc\"\"\"");
	test_ok(!strcmp(small, "abc\\\""), "json_escape stops between characters");
}

static void metadata(void)
{
	struct arena *a = arena_new();
	bool good = true;
	for (size_t i = 1; i < 3000; i += 7) {
		unsigned char *p = arena_alloc(a, i, 3);
		for (size_t k = 0; k < i * 3; k++)
			good = good && p[k] == 0;
		good = good && (uintptr_t)p % 16 == 0;
		memset(p, 0xee, i * 3);
	}
	char *big = arena_alloc(a, 1, 1 << 20), *s = arena_printf(a, "%d-%s", 5, "x");
	memset(big, 1, 1 << 20);
	test_ok(good && !strcmp(s, "5-x") && !strcmp(arena_strndup(a, "hello", 3), "hel"),
	        "arena: zeroed, aligned, strings");
	arena_free(&a);
	test_ok(!a, "arena_free clears");

	int *v = NULL;
	size_t n = 0, cap = 0;
	for (int i = 0; i < 1000; i++) {
		v = grow(v, n, &cap, sizeof *v);
		v[n++] = i;
	}
	test_ok(v[0] == 0 && v[999] == 999 && cap >= n, "grow");
	free(v);
}

static void pool_basics(void)
{
	struct pool *p = pool_new();
	struct err e = ERR_INIT;
	size_t sizes[] = { 1, 64, 65, 5000, 1 << 20, 5 << 20, 33 << 20 }, sum = 0;
	void *v[IN_COUNT(sizes)];
	bool aligned = true;
	for (size_t i = 0; i < IN_COUNT(sizes); i++) {
		v[i] = pool_alloc(p, sizes[i], "test", &e);
		aligned = aligned && v[i] && (uintptr_t)v[i] % 64 == 0;
		if (v[i])
			memset(v[i], 0xa5, sizes[i]);
		sum += (sizes[i] + 63) / 64 * 64;
	}
	test_ok(aligned, "pool: 64-byte aligned blocks of all sizes");
	test_ok(pool_used(p) == sum && pool_peak(p) == sum, "pool: bytes in use and the peak are exact");
	for (size_t i = 0; i < IN_COUNT(sizes); i++)
		pool_release(p, v[i]);
	test_ok(pool_used(p) == 0 && pool_peak(p) == sum, "pool: the peak stays");
	pool_release(p, NULL);

	pool_fail_after(p, 2);
	void *a = pool_alloc(p, 100, "n1", &e), *b = pool_alloc(p, 100, "n2", &e);
	test_ok(a && !b && e.code == E_MEMORY && strstr(e.msg, "n2"), "pool: a fault names the owner");
	b = pool_alloc(p, 100, "n3", &e);
	test_ok(b != NULL, "pool: only the n-th fails");
	test_ok(!pool_alloc(p, SIZE_MAX - 100, "huge", &e) && e.code == E_MEMORY, "pool: absurd size");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	test_ok(!pool_alloc(p, (size_t)1 << 45, "huge", &e) && e.code == E_MEMORY && pool_used(p) == 256,
	        "pool: what the system refuses leaves the count alone");
#endif
	pool_release(p, a);
	pool_release(p, b);
	pool_trim(p);
	pool_free(&p);
	test_ok(!p, "pool_free clears");
}

IN_UNUSED static long resident(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

/* Blocks of many different sizes, one at a time: what is kept must not add up. */
IN_UNUSED static void pool_bound(void)
{
	struct pool *p = pool_new();
	struct err e = ERR_INIT;
	long before = resident();
	pool_limit(p, (size_t)80 << 20);
	for (size_t mb = 1; mb < 64; mb++) {
		void *v = pool_alloc(p, mb << 20, "one", &e);
		if (v)
			memset(v, 1, mb << 20);
		pool_release(p, v);
	}
	long after = resident();
	test_ok(after - before < (long)100 << 20, "pool: kept blocks stay within the limit (%ld MiB)",
	        (after - before) >> 20);
	pool_free(&p);
}

struct hammer { struct pool *p; unsigned seed; bool good; };

static void *hammer(void *arg)
{
	struct hammer *h = arg;
	struct err e = ERR_INIT;
	unsigned char *v[8] = { 0 };
	size_t n[8] = { 0 };
	h->good = true;
	for (int i = 0; i < 4000; i++) {
		h->seed = h->seed * 1664525u + 1013904223u;
		unsigned k = h->seed >> 29;
		if (v[k]) {
			h->good = h->good && v[k][0] == k + 1 && v[k][n[k] - 1] == k + 1;
			pool_release(h->p, v[k]);
			v[k] = NULL;
			continue;
		}
		n[k] = 1 + (h->seed >> 8 & 0x1ffff);
		v[k] = pool_alloc(h->p, n[k], "hammer", &e);
		if (v[k])
			v[k][0] = v[k][n[k] - 1] = (unsigned char)(k + 1);
		h->good = h->good && v[k];
	}
	for (int k = 0; k < 8; k++)
		pool_release(h->p, v[k]);
	return NULL;
}

static void pool_threads(void)
{
	struct pool *p = pool_new();
	pthread_t t[4];
	struct hammer h[4];
	bool good = true;
	for (unsigned i = 0; i < 4; i++) {
		h[i] = (struct hammer){ p, i + 1, false };
		pthread_create(&t[i], NULL, hammer, &h[i]);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		good = good && h[i].good;
	}
	test_ok(good && pool_used(p) == 0, "pool: four threads");
	pool_free(&p);
}

/* FIPS 180-4 example; the empty XXH3-128 is from the xxHash project's test vectors. */
static void hashes(void)
{
	struct sha s, t;
	char hex[65], hex2[33];
	struct key k, back;
	sha_init(&s);
	sha_add(&s, "ab", 2);
	t = s;
	sha_add(&s, "c", 1);
	k = sha_end(&s);
	key_hex(&k, hex);
	test_ok(!strcmp(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
	        "SHA-256 of abc");
	sha_add(&t, "c", 1);
	back = sha_end(&t);
	test_ok(key_eq(&k, &back), "sha state copies by value");
	test_ok(key_parse(hex, &back) == 0 && key_eq(&k, &back), "key_parse");
	test_ok(key_parse("ba78", &back) && key_parse("", &back), "key_parse refuses short text");
	hex[10] = 'g';
	test_ok(key_parse(hex, &back) == -1, "key_parse refuses other letters");
	sha_init(&s);
	sha_str(&s, "ab");
	sha_str(&s, "c");
	k = sha_end(&s);
	sha_init(&s);
	sha_str(&s, "a");
	sha_str(&s, "bc");
	back = sha_end(&s);
	test_ok(!key_eq(&k, &back), "sha_str: joins are unambiguous");
	sha_init(&s);
	sha_str(&s, NULL);
	k = sha_end(&s);
	sha_init(&s);
	sha_str(&s, "");
	back = sha_end(&s);
	test_ok(!key_eq(&k, &back), "sha_str: absent is not empty");

	struct pixhash h = pixhash_bytes("", 0), g;
	pixhash_hex(h, hex2);
	test_ok(!strcmp(hex2, "99aa06d3014798d86001c324468d497f"), "XXH3-128 of nothing");
	test_ok(pixhash_parse(hex2, &g) == 0 && g.lo == h.lo && g.hi == h.hi, "pixhash_parse");
	struct pixhash two[2] = { pixhash_bytes("a", 1), h }, swapped[2] = { two[1], two[0] };
	test_ok(pixhash_join(two, 2).lo != pixhash_join(swapped, 2).lo, "pixhash_join minds the order");
	static uint8_t text[3000];
	bool same = true;
	for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(i * 37 >> 3);
	for (size_t piece = 1; piece < 1500; piece = piece * 3 + 1) {
		struct pixhash_run run;
		pixhash_begin(&run);
		for (size_t i = 0; i < sizeof text; i += piece)
			pixhash_add(&run, text + i, sizeof text - i < piece ? sizeof text - i : piece);
		h = pixhash_bytes(text, sizeof text);
		g = pixhash_end(&run);
		same = same && g.lo == h.lo && g.hi == h.hi;
	}
	test_ok(same, "pixhash of pieces is that of the whole");
}

static bool put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	return f && fputs(text, f) >= 0 && fclose(f) == 0;
}

static void files(void)
{
	struct err e = ERR_INIT;
	struct key a, b, c;
	char path[300], cmd[700], hex[65], want[65] = "";
	snprintf(path, sizeof path, "%s/file", test_tmp());
	test_ok(put_file(path, "one") && hash_file(path, &a, &e) == 0 && hash_file(path, &b, &e) == 0
	        && key_eq(&a, &b), "hash_file twice");
	test_ok(put_file(path, "two") && hash_file(path, &c, &e) == 0 && !key_eq(&a, &c),
	        "hash_file sees a change");
	bool seen = true;
	for (int i = 0; i < 200 && seen; i++) {
		char text[16];
		snprintf(text, sizeof text, "%03d", i);
		seen = put_file(path, text) && hash_file(path, &b, &e) == 0 && !key_eq(&b, &c);
		c = b;
	}
	test_ok(seen, "hash_file sees changes within one tick of the clock");
	snprintf(cmd, sizeof cmd, "head -c 3000001 /dev/urandom > %s; sha256sum < %s", path, path);
	FILE *p = popen(cmd, "r");
	bool have = p && fscanf(p, "%64s", want) == 1;
	if (p)
		pclose(p);
	if (hash_file(path, &a, &e) == 0)
		key_hex(&a, hex);
	test_ok(have && !strcmp(hex, want), "hash_file agrees with sha256sum");
	unlink(path);
	test_ok(hash_file(path, &a, &e) == -1 && e.code == E_INPUT && strstr(e.msg, path)
	        && strstr(e.msg, "No such file"), "hash_file: missing");
	test_ok(hash_file(test_tmp(), &a, &e) == -1 && e.code == E_INPUT && strstr(e.msg, "folder"),
	        "hash_file: a folder is an error");
	mkfifo(path, 0600);
	test_ok(hash_file(path, &a, &e) == -1 && e.code == E_INPUT, "hash_file: a pipe does not hang");
	unlink(path);
}

static void *intern_many(void *arg)
{
	const char **out = arg;
	for (int i = 0; i < 2000; i++) {
		char s[16];
		snprintf(s, sizeof s, "n%d", i);
		out[i] = intern(s);
	}
	return NULL;
}

static void interning(void)
{
	static const char *got[2][2000];
	pthread_t t[2];
	bool good = true;
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, intern_many, got[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 2000; i++)
		good = good && got[0][i] == got[1][i] && atoi(got[0][i] + 1) == i;
	test_ok(good, "intern: equal text, equal pointer, over threads");
}

static struct format rgb(struct rect data, struct rect display)
{
	struct format f = { .data = data, .display = display, .par = { 1, 1 }, .fps = { 24, 1 },
	                    .first = 1, .last = 10, .space = colour_find("acescg"),
	                    .encoded = colour_find("acescct") };
	format_channels(&f, "R G B");
	return f;
}

static void formats(void)
{
	struct err e = ERR_INIT;
	struct rect r = rect_of(0, 0, 16, 9);
	struct format f = rgb(r, r), g = f;
	test_ok(f.nch == 3 && format_channel(&f, "B") == 2 && format_channel(&f, "A") == -1, "channels");
	test_ok(format_check(&f, &e) == 0, "format_check accepts");
	g.data = rect_of(0, 0, 65537, 1);
	test_ok(format_check(&g, &e) && e.code == E_MEMORY, "format_check: side");
	g.data = rect_of(0, 0, 65536, 4097);
	test_ok(format_check(&g, &e) && e.code == E_MEMORY, "format_check: pixels");
	g.data = rect_of(INT_MIN, INT_MIN, INT_MAX, INT_MAX);
	test_ok(format_check(&g, &e) != 0, "format_check: overflowing window");
	g = f;
	g.display = rect_of(0, 0, 0, 5);
	test_ok(format_check(&g, &e) != 0, "format_check: empty display window");
	g = f;
	format_channels(&g, "R R");
	test_ok(format_check(&g, &e) && strstr(e.msg, "twice"), "format_check: a channel twice");
	g = f;
	g.par.den = 0;
	test_ok(format_check(&g, &e) != 0, "format_check: pixel aspect");

	struct sha s;
	struct key k[8];
	struct format v[8] = { f, f, f, f, f, f, f, f };
	v[1].data.x0++;
	v[2].display.y1++;
	v[3].fps.num = 25;
	v[4].last++;
	v[5].space = colour_find("rec709");
	v[6].nch = 2;
	bool differ = true;
	for (int i = 0; i < 8; i++) {
		sha_init(&s);
		format_hash(&s, &v[i]);
		k[i] = sha_end(&s);
	}
	for (int i = 1; i < 7; i++)
		differ = differ && !key_eq(&k[0], &k[i]);
	test_ok(differ && key_eq(&k[0], &k[7]), "format_hash: every field counts");
}

/* Rows of every width and place, with a NaN at every place of a long one. */
static void streamed(void)
{
	enum { W = 83, H = 3 };
	static float from[3][W * H], to[3][(W + 5) * H], want[3][(W + 5) * H];
	const uint32_t odd = 0x7fa00001u;
	int wrong = 0;
	for (int at = -1; at < W; at++)
		for (int off = 0; off < 5; off++) {
			struct view s = { .r = rect_of(0, 0, W, H), .stride = W, .nch = 3 }, d = s;
			d.stride = W + 5;
			for (int c = 0; c < 3; c++) {
				for (int i = 0; i < W * H; i++) from[c][i] = (float)(i * 3 + c);
				if (at >= 0) memcpy(&from[c][W + at], &odd, 4);
				memset(to[c], 0, sizeof to[c]);
				memset(want[c], 0, sizeof want[c]);
				for (int y = 0; y < H; y++)
					memcpy(want[c] + off + y * (W + 5), from[c] + y * W, (size_t)(W - (at + 1) % 7) * sizeof(float));
				s.plane[c] = from[c];
				d.plane[c] = to[c] + off;
			}
			struct rect r = rect_of(0, 0, W - (at + 1) % 7, H);
			struct view plain = d;
			for (int c = 0; c < 3; c++) plain.plane[c] = want[c] + off;
			view_canon_nan(&plain, r);
			view_stream(&s, &d, r);
			wrong += memcmp(to, want, sizeof to) != 0;
			uint32_t got;
			memcpy(&got, &to[1][off + W + 5 + at], 4);
			wrong += at >= 0 && at < r.x1 && got != 0x7fc00000u;
		}
	test_ok(!wrong, "view_stream copies and makes every NaN canonical, nothing else (%d wrong)", wrong);
}

static void images(void)
{
	struct pool *p = pool_new();
	struct err e = ERR_INIT;
	struct format f = rgb(rect_of(-3, 2, 14, 9), rect_of(0, 0, 16, 9));
	struct image *a = image_new(p, &f, "a", &e), *b = image_ref(a);
	test_ok(a && pool_used(p) == (a->bytes + 63) / 64 * 64 && a->bytes == image_bytes(&f),
	        "image_new takes image_bytes");
	view_clear(&a->view, a->view.r);
	*view_at(&a->view, 1, -3, 2) = 0.5f;
	uint32_t odd = 0xffc12345u, got;
	memcpy(view_at(&a->view, 2, 13, 8), &odd, 4);
	view_canon_nan(&a->view, a->view.r);
	memcpy(&got, view_at(&a->view, 2, 13, 8), 4);
	test_ok(got == 0x7fc00000u && *view_at(&a->view, 1, -3, 2) == 0.5f, "view_canon_nan");

	streamed();

	struct view sub = view_sub(&a->view, rect_of(0, 4, 3, 6));
	test_ok(view_at(&sub, 2, 1, 5) == view_at(&a->view, 2, 1, 5), "view_sub");

	struct image *c = image_new(p, &f, "c", &e), wide = *a;
	float *rows = calloc(3 * 7 * 100, sizeof *rows);
	wide.view.stride = 100;
	for (int ch = 0; ch < 3; ch++) {
		wide.view.plane[ch] = rows + 700 * ch;
		for (int y = 2; y < 9; y++)
			memcpy(view_at(&wide.view, ch, -3, y), view_at(&a->view, ch, -3, y), 17 * sizeof(float));
	}
	struct pixhash h = image_hash(a), w = image_hash(&wide);
	test_ok(h.lo == w.lo && h.hi == w.hi, "image_hash: independent of layout");
	view_clear(&c->view, c->view.r);
	test_ok(image_hash(c).lo != h.lo, "image_hash: pixels count");
	wide.fmt.display.x1++;
	test_ok(image_hash(&wide).lo != h.lo, "image_hash: windows count");
	free(rows);

	f.data = rect_of(0, 0, 65536, 65536);
	test_ok(!image_new(p, &f, "node 'big'", &e) && e.code == E_MEMORY && strstr(e.msg, "node 'big'"),
	        "image_new: over the limits");
	image_unref(&a);
	test_ok(!a && b->refs == 1, "image_unref clears");
	image_unref(&b);
	image_unref(&b);
	image_unref(&c);
	test_ok(pool_used(p) == 0, "images: all given back");
	pool_free(&p);
}

int main(void)
{
	errors();
	findings();
	names();
	logging();
	metadata();
	pool_basics();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	pool_bound();              /* sanitizers keep freed memory themselves */
#endif
	pool_threads();
	hashes();
	files();
	interning();
	formats();
	images();
	rmdir(test_tmp());
	TEST_END();
}
