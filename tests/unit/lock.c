/* Unit tests of what a lock promises: another decoder that gives the same frames, and nodes outside the promise, which only
 * test nodes and pretended decoders can show.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "approve.h"
#include "media.h"
#include "test.h"
#include "textfile.h"
#include "verb_verify.h"

struct fast { int backend; };
static const struct param params[] = { P_ENUM(fast, backend, "exact", "exact|fast", PF_STATIC, "how"), P_END };

static int tile(const struct call *c, struct rect r)
{
	for (int k = 0; k < c->out->nch; k++)
		for (int y = r.y0; y < r.y1; y++)
			memcpy(view_at(c->out, k, r.x0, y), view_at(&c->in[0], k, r.x0, y), (size_t)rect_w(r) * sizeof(float));
	return 0;
}

static const char *outside(const struct node_ctx *n)
{
	return ((const struct fast *)n->v)->backend ? "fast backend of the test" : NULL;
}

static const struct node_type node_fast = { .name = "quick", .doc = "A test.", .category = "image", .version = 1,
	.size = sizeof(struct fast), .params = params, .inputs = "image", .outside = outside, .tile = tile };

static int load(struct script_host *h, struct registry *reg, const char *path, const char *from, int line, struct diags *d)
{
	struct err e = ERR_INIT;
	(void)h; (void)path; (void)from; (void)line; (void)d;
	return registry_add(reg, &node_fast, &e);
}

static struct script_host host = { .load = load };
static struct cli cli;

static bool open_session(struct session *s, const char *name, const char *body)
{
	char *file = xasprintf("%s/%s.xml", test_tmp(), name), *text = xasprintf("<graph version=\"1\" name=\"t\" fps=\"24\">%s</graph>", body);
	struct err e = ERR_INIT;
	struct load_opts lo = { &host, NULL, 0 };
	struct net_opts no = { .proxy = 1 };
	text_write(file, text, &e);
	*s = (struct session){ .c = &cli, .file = file };
	s->a = arena_new();
	s->pool = pool_new();
	s->scene = scene_load(file, NULL, 0, &lo, &s->d);
	if (s->scene && diags_status(&s->d) == E_OK) s->net = net_build(s->scene, &no, &s->d);
	diags_print(&s->d, false);
	free(text);
	return s->net != NULL;
}

static void close_session(struct session *s)
{
	free((void *)(uintptr_t)s->file);
	session_close(s);
}

/* The lock of s; as: keyed as this lock's decoders would. */
static bool lock_of(struct session *s, const struct lock_facts *as, struct lock_facts *f)
{
	struct err e = ERR_INIT;
	return lock_collect(s, as, f, &e) == 0 && lock_render(s, NULL, false, f, &e) == 0;
}

static void change(struct lock_facts *f, const char *name, const char *value)
{
	for (int i = 0; i < f->n; i++) {
		if (strcmp(f->v[i].name, name) != 0) continue;
		free(f->v[i].value);
		f->v[i].value = xstrdup(value);
	}
}

static void test_outside(void)
{
	static const char *const backend[] = { "exact", "fast" };
	char *script = xasprintf("%s/x.lua", test_tmp());
	struct err none = ERR_INIT;
	text_write(script, "", &none);
	free(script);
	for (int fast = 0; fast < 2; fast++) {
		char *body = xasprintf("<script file=\"x.lua\"/><pattern id=\"p\" kind=\"shot\" width=\"16\" height=\"9\" frames=\"2\"/>"
			"<pass id=\"a\"><quick id=\"q\" in=\"p\" backend=\"%s\"/></pass>"
			"<write id=\"w\" in=\"a\" file=\"w.####.exr\"/><write id=\"v\" in=\"p\" file=\"v.####.exr\"/>", backend[fast]);
		struct session s;
		struct lock_facts f = { 0 };
		struct err e = ERR_INIT;
		bool good = open_session(&s, "outside", body) && lock_of(&s, NULL, &f);
		const char *line = lock_get(&f, "outside", "q");
		test_ok(good && (fast ? line && !strcmp(line, "fast backend of the test") : !line), "the lock marks a node with backend=%s", backend[fast]);
		test_ok(good && verify_session(&s, &f, &e) == 0, "what was just locked is verified, backend=%s", backend[fast]);
		change(&f, "frame w:000002", "00000000000000000000000000000000");
		err_clear(&e);
		int rc = verify_session(&s, &f, &e);
		test_ok(fast ? rc == 0 : rc < 0 && e.code == E_VERIFY, "other pixels below backend=%s: %s", backend[fast], fast ? "a note" : "a difference");
		close_session(&s);
		open_session(&s, "outside", body);
		change(&f, "frame v:000001", "00000000000000000000000000000000");
		err_clear(&e);
		test_ok(verify_session(&s, &f, &e) < 0 && e.code == E_VERIFY, "other pixels beside backend=%s: a difference", backend[fast]);
		lock_facts_free(&f);
		close_session(&s);
		free(body);
	}
}

static void make_raw(const char *path)
{
	FILE *f = fopen(path, "wb");
	for (int i = 0; f && i < 16 * 8 * 3; i++) fputc(16 + i * 7 % 200, f);
	if (f) fclose(f);
}

static const char *old_decoder(const void *user, const struct net_node *nn)
{
	return nn->type->decoder ? user : NULL;
}

/* The hash that approve wrote where another libavcodec decoded: the format of core/approve.c, worked out apart from it. */
static void old_approval(struct session *s, const char *decoder, char hex[65])
{
	struct keymemo *km = keymemo_new(s->net);
	struct err e = ERR_INIT;
	struct sha sha;
	keymemo_decoders(km, old_decoder, decoder);
	sha_init(&sha);
	sha_str(&sha, "interneg approval 1");
	for (int i = 1; i <= 3; i++) {
		struct key k;
		net_key(km, net_find(s->net, "look"), i, &k, &e);
		sha_key(&sha, &k);
	}
	struct key k = sha_end(&sha);
	key_hex(&k, hex);
	hex[APPROVE_DIGITS] = 0;
	keymemo_free(&km);
}

static int judged(struct session *s, const char *hash, char *why, size_t n)
{
	struct approvals a;
	struct approve v = { "", "look", "Ann", "colorist", hash, "", 1 };
	struct err e = ERR_INIT;
	approvals_open(&a, s);
	int ok = approvals_valid(&a, &v, why, n, &e);
	approvals_close(&a);
	return ok;
}

static void save(struct session *s, struct lock_facts *f)
{
	struct err e = ERR_INIT;
	char *path = lockfile_path(s->file), *text = lock_print(f);
	text_write(path, text, &e);
	free(path);
	free(text);
}

static void test_decoder(void)
{
	static const char body[] = "<read id=\"r\" file=\"in.raw\" raw=\"16x8 gray 24\" color=\"rec709\" range=\"full\"/>"
		"<pass id=\"look\" kind=\"look\"><grade id=\"g\" in=\"r\" contrast=\"1.1\"/></pass><write id=\"w\" in=\"look\" file=\"w.####.exr\"/>";
	char *raw = xasprintf("%s/in.raw", test_tmp()), why[600], hex[65], now[APPROVE_DIGITS + 1];
	struct session s;
	struct lock_facts real = { 0 }, as = { 0 }, f = { 0 };
	struct err e = ERR_INIT;
	make_raw(raw);
	bool good = open_session(&s, "decoder", body) && lock_decoded(&s, NULL, &real, &e) == 0;
	const char *line = lock_get(&real, "decoded", "r");
	test_ok(good && line && strstr(line, " frames 3 decoder "), "the lock tells what a source decodes to");
	if (!line) return;
	char *other = xasprintf("%.32s frames 3 decoder rawvideo 1", line);
	lock_add(&as, "decoded", "r", "%s", other);
	lock_add(&f, "decoded", "r", "%s", other);
	test_ok(lock_of(&s, &as, &f) && !strcmp(lock_decoder(&f, "r"), "rawvideo 1"), "a lock made with another decoder");
	struct lock_facts here = { 0 };
	lock_collect(&s, NULL, &here, &e);
	test_ok(strcmp(lock_get(&here, "node", "g"), lock_get(&f, "node", "g")) != 0, "the decoder is part of the keys");
	test_ok(verify_session(&s, &f, &e) == 0, "is verified when the frames are the same");
	save(&s, &f);
	old_approval(&s, "rawvideo 1", hex);
	struct approvals a;
	approvals_open(&a, &s);
	approvals_hash(&a, "", "look", now, &e);
	approvals_close(&a);
	test_ok(strcmp(now, hex) != 0 && judged(&s, hex, why, sizeof why) == 1 && strstr(why, "same frames"), "an approval made there holds");
	test_ok(judged(&s, now, why, sizeof why) == 1 && !why[0], "one made here too");
	old_approval(&s, "rawvideo 2", hex);
	test_ok(judged(&s, hex, why, sizeof why) == 0, "one made with a third decoder does not");
	change(&f, "decoded r", "00000000000000000000000000000000 frames 3 decoder rawvideo 1");
	save(&s, &f);
	old_approval(&s, "rawvideo 1", hex);
	test_ok(judged(&s, hex, why, sizeof why) == 0 && strstr(why, "other frames"), "nor one over frames that decode differently now");
	err_clear(&e);
	test_ok(verify_session(&s, &f, &e) < 0 && e.code == E_VERIFY, "other frames are a difference");
	free(raw);
	free(other);
	lock_facts_free(&real);
	lock_facts_free(&here);
	lock_facts_free(&as);
	lock_facts_free(&f);
	close_session(&s);
}

int main(void)
{
	struct err e = ERR_INIT;
	media_setup(1);
	if (node_isa_set(ISA_AUTO, &e) < 0) return 1;
	test_outside();
	test_decoder();
	char *rm = xasprintf("rm -rf %s", test_tmp());
	test_failed |= system(rm) != 0;
	free(rm);
	TEST_END();
}
