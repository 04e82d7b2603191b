/* engine - the scheduler against the oracle on nodes that read other frames; memory, faults, cancellation, frame lists.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <time.h>

#include "graph.h"
#include "render.h"
#include "rng.h"
#include "test.h"
#include "xml.h"

/* --- node types of the test: a noise source, a temporal mean, a retime, a frame node, a counter sink --- */
static const struct param none[] = { P_END };

static int length = 12;                 /* of the source, in frames */
static int noise_format(const struct node_ctx *n, struct format *f, struct err *e)
{
	(void)n; (void)e;
	f->data = f->display = rect_of(0, 0, 150, 70);
	f->fps = (struct rational){ 24, 1 };
	f->first = 1;
	f->last = length;
	f->space = f->encoded = colour_find("rec709");
	format_channels(f, "R G B");
	return 0;
}
/* How far the source is ahead of a sink that is slow. */
static atomic_int newest, ahead, slow_us;
static int noise_tile(const struct call *c, struct rect r)
{
	if (c->frame > atomic_load(&newest)) atomic_store(&newest, c->frame);
	for (int k = 0; k < 3; k++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++) {
				struct philox p = philox4x32((uint32_t)x, (uint32_t)y, (uint32_t)c->frame, (uint32_t)k, 1, 2);
				*view_at(c->out, k, x, y) = (float)(p.c[0] >> 8) * 0x1p-24f;
			}
	return 0;
}
static void mean_needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	(void)n;
	for (int k = -2; k <= 1; k++) need_add(out, 0, frame + k, rect_grow(r, 1, 1));
}
static int mean_tile(const struct call *c, struct rect r)
{
	for (int k = 0; k < 3; k++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++) {
				float s = 0;
				for (int i = 0; i < 4; i++) s += *view_at(&c->in[i], k, x, y) * (float)(i + 1);
				*view_at(c->out, k, x, y) = s * 0.1f;
			}
	return 0;
}
static void back_needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	need_add(out, 0, n->in[0]->first + n->in[0]->last - frame, r);
}
static int copy_tile(const struct call *c, struct rect r)
{
	for (int k = 0; k < 3; k++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++) *view_at(c->out, k, x, y) = *view_at(&c->in[0], k, x, y);
	return 0;
}
static int flip_frame(const struct call *c)
{
	struct rect r = c->out->r;
	for (int k = 0; k < 3; k++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++)
				*view_at(c->out, k, x, y) = *view_at(&c->in[0], k, r.x1 - 1 - (x - r.x0), y);
	return 0;
}
static int sink_begin(const struct sink_job *j, void **run, struct err *e)
{
	(void)e;
	int *last = calloc(1, sizeof *last);
	*last = j->frames[0] - 1;
	*run = last;
	return 0;
}
static int sink_frame(const struct call *c)
{
	int *last = c->run;
	if (c->frame <= *last) return err_set(c->err, E_INTERNAL, "frame %d came after %d", c->frame, *last);
	*last = c->frame;
	struct timespec nap = { 0, atomic_load(&slow_us) * 1000L };
	if (nap.tv_nsec) nanosleep(&nap, NULL);
	if (atomic_load(&newest) - c->frame > atomic_load(&ahead)) atomic_store(&ahead, atomic_load(&newest) - c->frame);
	uint64_t lo = 0;
	for (int y = c->in[0].r.y0; y < c->in[0].r.y1; y++) {
		struct pixhash h = pixhash_bytes(view_at(&c->in[0], 0, c->in[0].r.x0, y), (size_t)rect_w(c->in[0].r) * 4);
		lo = lo * 31 + h.lo;
	}
	*c->hash = (struct pixhash){ lo, 0 };
	return 0;
}
static int sink_end(void *run, bool commit, struct err *e)
{
	(void)commit; (void)e;
	free(run);
	return 0;
}

static const struct node_type types[] = {
	{ .name = "tnoise", .doc = "Noise.", .version = 1, .params = none, .inputs = "", .traits = TR_SOURCE, .flags = NF_TIME,
	  .format = noise_format, .tile = noise_tile },
	{ .name = "tmean", .doc = "Mean over time.", .version = 1, .params = none, .inputs = "image", .needs = mean_needs, .tile = mean_tile },
	{ .name = "tback", .doc = "Backwards.", .version = 1, .params = none, .inputs = "image", .traits = TR_RETIME,
	  .needs = back_needs, .tile = copy_tile },
	{ .name = "tflip", .doc = "Whole frames.", .version = 1, .params = none, .inputs = "image", .lanes = 1, .frame = flip_frame },
	{ .name = "tsink", .doc = "Counts.", .version = 1, .params = none, .inputs = "image", .flags = NF_SINK, .traits = TR_OUTPUT,
	  .begin = sink_begin, .frame = sink_frame, .end = sink_end },
};

static int load(struct script_host *h, struct registry *reg, const char *path, const char *from, int line, struct diags *d)
{
	struct err e = ERR_INIT;
	(void)h; (void)path; (void)from; (void)line; (void)d;
	for (size_t i = 0; i < IN_COUNT(types); i++) if (registry_add(reg, &types[i], &e) < 0) return -1;
	return 0;
}
static int eval(struct script_host *h, const char *x, const struct eval_env *env, const struct param *p, struct arena *a,
                struct value *out, struct err *e)
{
	(void)h; (void)x; (void)env; (void)p; (void)a; (void)out;
	return err_set(e, E_SCRIPT, "none here");
}
static struct script_host host = { NULL, load, eval };

static const char text[] =
	"<graph version=\"1\" name=\"e\" fps=\"24\"><script file=\"t\"/>"
	"<tnoise id=\"n\"/><tmean id=\"m\" in=\"n\"/><tback id=\"b\" in=\"m\"/><tflip id=\"f\" in=\"b\"/>"
	"<tmean id=\"m2\" in=\"f\"/><blur id=\"bl\" in=\"m2\" sigma=\"1.5\"/><merge id=\"x\" in=\"bl\" over=\"n\" operation=\"screen\"/>"
	"<tsink id=\"w1\" in=\"x\"/><tsink id=\"w2\" in=\"m\"/></graph>";

struct seen { struct pixhash h[2][64]; int n; size_t peak; long computed; };
static void on_event(void *user, const struct render_event *ev)
{
	struct seen *s = user;
	s->h[ev->node->id[1] == '2'][ev->frame] = ev->hash;
	s->n++;
}

static const char *scene_text = text;
static struct net *make_net(struct scene **sc)
{
	static struct net_opts o = { .proxy = 1 };
	struct diags d = { 0 };
	struct load_opts lo = { &host, NULL, 0 };
	*sc = scene_load("engine.xml", scene_text, strlen(scene_text), &lo, &d);
	struct net *n = *sc ? net_build(*sc, &o, &d) : NULL;
	if (!n) diags_print(&d, false);
	diags_free(&d);
	return n;
}

static int run(struct render_opts o, bool oracle, struct seen *s, struct err *e)
{
	struct scene *sc;
	struct net *n = make_net(&sc);
	struct render_stats st = { 0 };
	memset(s, 0, sizeof *s);
	o.event = on_event;
	o.user = s;
	int rc = oracle ? oracle_run(n, &o, &st, e) : render_run(n, &o, &st, e);
	s->peak = st.peak_bytes;
	s->computed = st.computed;
	diags_free(&st.problems);
	net_free(&n);
	scene_free(&sc);
	return rc;
}

static void against_oracle(void)
{
	struct seen want, got;
	struct err e = ERR_INIT;
	test_ok(run((struct render_opts){ 0 }, true, &want, &e) == 0 && want.n == 24, "oracle runs: %s", e.msg);
	for (int threads = 1; threads <= 7; threads += 3)
		for (int tile = 16; tile <= 256; tile *= 4)
			for (int fuse = 0; fuse < 2; fuse++) {
				struct render_opts o = { .threads = threads, .tile = tile, .no_fuse = fuse == 0 };
				err_clear(&e);
				int rc = run(o, false, &got, &e);
				test_ok(rc == 0 && got.n == want.n && memcmp(want.h, got.h, sizeof want.h) == 0, "threads %d tile %d %s equals the oracle%s%s",
				        threads, tile, fuse ? "fused" : "unfused", e.msg[0] ? ": " : "", e.msg);
			}
	struct render_opts some = { .threads = 2, .frames = "3,7-9" };
	test_ok(run(some, false, &got, &e) == 0 && got.n == 8 && memcmp(&want.h[0][8], &got.h[0][8], sizeof(struct pixhash)) == 0,
	        "some frames only");
}

static void memory(void)
{
	struct seen got;
	struct err e = ERR_INIT;
	struct render_opts o = { .threads = 2, .memory = (size_t)64 << 20 };
	test_ok(run(o, false, &got, &e) == 0, "64 MiB are enough: %s", e.msg);
	o.memory = (size_t)50 << 20;
	test_ok(run(o, false, &got, &e) < 0 && e.code == E_MEMORY, "too little memory is status 7: %s", e.msg);
}

/* Two workers: while one sits in the sink the other must not decode the whole clip. */
static void bounded(void)
{
	struct seen got;
	struct err e = ERR_INIT;
	struct render_opts o = { .threads = 2 };
	scene_text = "<graph version=\"1\" name=\"e\" fps=\"24\"><script file=\"t\"/><tnoise id=\"n\"/>"
	             "<blur id=\"b\" in=\"n\" sigma=\"1\"/><tsink id=\"w1\" in=\"b\"/></graph>";
	atomic_store(&newest, 0);
	atomic_store(&ahead, 0);
	atomic_store(&slow_us, 40000);
	int rc = run(o, false, &got, &e);
	test_ok(rc == 0 && atomic_load(&ahead) <= 8, "a slow sink holds the source back: %d frames ahead%s",
	        atomic_load(&ahead), e.msg);
	atomic_store(&slow_us, 0);
	scene_text = text;
}

/* Pictures are held for later windows until the last that needs them, and no longer. */
static void held(void)
{
	struct seen few, all, turned;
	struct err e = ERR_INIT;
	struct render_opts o = { .threads = 1 }, some = { .threads = 1, .frames = "3-22" };
	length = 60;
	scene_text = "<graph version=\"1\" name=\"e\" fps=\"24\"><script file=\"t\"/><tnoise id=\"n\"/>"
	             "<tmean id=\"m\" in=\"n\"/><tmean id=\"m2\" in=\"m\"/><tsink id=\"w1\" in=\"m2\"/></graph>";
	int rc = run(some, false, &few, &e) < 0 || run(o, false, &all, &e) < 0;
	const size_t picture = 3 * 160 * 70 * sizeof(float);     /* rows of whole vectors */
	test_ok(!rc && all.peak < 24 * picture, "windows over time: 60 frames peak at %zu pictures, 20 at %zu%s",
	        all.peak / picture, few.peak / picture, e.msg);
	test_ok(few.computed == 20 + 23 + 24 && all.computed == 180, "each picture once: %ld and %ld%s", few.computed,
	        all.computed, e.msg);
	scene_text = "<graph version=\"1\" name=\"e\" fps=\"24\"><script file=\"t\"/><tnoise id=\"n\"/><tback id=\"b\" in=\"n\"/>"
	             "<merge id=\"x\" in=\"b\" over=\"n\" operation=\"screen\"/><tsink id=\"w1\" in=\"x\"/></graph>";
	rc = run(o, false, &turned, &e);
	test_ok(rc == 0 && turned.computed == 60 + turned.n && turned.peak > 28 * picture,
	        "both ways over time: the first half is held for the second, %ld computed, %zu pictures%s", turned.computed,
	        turned.peak / picture, e.msg);
	scene_text = text;
	length = 12;
}

static void faults(void)
{
	struct seen got;
	long n = 1;
	int bad = 0;
	for (; n < 400; n++) {
		struct err e = ERR_INIT;
		struct render_opts o = { .threads = 2, .fail_alloc = n };
		if (run(o, false, &got, &e) == 0) break;
		if (e.code != E_MEMORY) { bad++; printf("# allocation %ld: status %d %s\n", n, e.code, e.msg); }
	}
	test_ok(!bad && n > 20 && n < 400, "each of %ld picture allocations may fail: status 7, nothing leaks", n - 1);
}

static void cancelled(void)
{
	struct seen got;
	struct err e = ERR_INIT;
	atomic_int stop = 1;
	struct render_opts o = { .threads = 2, .cancel = &stop };
	test_ok(run(o, false, &got, &e) < 0 && e.code == E_CANCEL, "cancel ends the render: %s", e.msg);
}

static void lists(void)
{
	struct { const char *text; int n, first, last; } good[] = {
		{ "1-10", 10, 1, 10 }, { "1-10,20-30x2,-5", 17, 1, 96 }, { "7", 1, 7, 7 }, { "95-", 6, 95, 100 }, { NULL, 100, 1, 100 },
		{ "5,5,3-5", 3, 3, 5 }, { "-1", 1, 100, 100 } };
	const char *bad[] = { "0", "101", "a", "1-", "5-3", "1,,2", "1-10x0", "--3", "3x", "99999999999" };
	for (size_t i = 0; i < IN_COUNT(good); i++) {
		struct frame_list l = { 0 };
		struct err e = ERR_INIT;
		int rc = frames_parse(good[i].text, 1, 100, &l, &e);
		test_ok(rc == 0 && l.n == good[i].n && l.v[0] == good[i].first && l.v[l.n - 1] == good[i].last, "frames %s: %d %s",
		        good[i].text ? good[i].text : "(all)", l.n, e.msg);
		free(l.v);
	}
	for (size_t i = 0; i < IN_COUNT(bad); i++) {
		struct frame_list l = { 0 };
		struct err e = ERR_INIT;
		int last = strcmp(bad[i], "1-") == 0 ? INT_MAX : 100;
		test_ok(frames_parse(bad[i], 1, last, &l, &e) < 0 && e.code == E_USAGE, "frames %s refused: %.80s", bad[i], e.msg);
		free(l.v);
	}
}

int main(void)
{
	struct err e = ERR_INIT;
	node_isa_set(ISA_AUTO, &e);
	against_oracle();
	memory();
	bounded();
	held();
	faults();
	cancelled();
	lists();
	TEST_END();
}
