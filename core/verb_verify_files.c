/* verb_verify_files - for `interneg verify`: by how much a frame differs from the locked one, and
 * whether the files on disk are the locked ones.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mathx.h"
#include "media.h"
#include "verb_verify.h"

/* --- pictures --- */

struct taken { struct pool *pool; struct image *im; };

static int take(void *user, const struct net_node *n, int frame, const struct image *im, struct err *e)
{
	struct taken *t = user;
	(void)n;
	(void)frame;
	if (t->im) return 0;
	if (!(t->im = image_new(t->pool, &im->fmt, "verify", e))) return -1;
	for (int c = 0; c < im->fmt.nch; c++)
		for (int y = im->view.r.y0; y < im->view.r.y1; y++)
			memcpy(view_at(&t->im->view, c, im->view.r.x0, y), view_at(&im->view, c, im->view.r.x0, y),
			       (size_t)rect_w(im->view.r) * sizeof(float));
	return 0;
}

static int clamped(const struct format *f, int frame)
{
	return frame < f->first ? f->first : frame > f->last ? f->last : frame;
}

/* One frame of one node, computed; s->net is asked for nothing else afterwards. */
static int picture_of(struct session *s, struct net_node *nn, int frame, struct taken *out, struct err *e)
{
	struct render_opts o = session_opts(s);
	struct render_stats st = { 0 };
	char list[16];
	snprintf(list, sizeof list, "%d", clamped(&nn->fmt, frame));
	o.frames = list;
	o.result = take;
	o.user = out;
	o.cache = NULL;
	o.dry = true;
	net_ask(s->net, &nn, 1);
	int rc = render_run(s->net, &o, &st, e);
	diags_free(&st.problems);
	return rc < 0 || !out->im ? -1 : 0;
}

/* Frame `index` (from 1) of any file that `read` reads, in the file's own encoding. */
static int picture_in(const struct cli *c, const char *file, int index, struct taken *out, struct err *e)
{
	struct session s = { .c = c, .file = file };
	struct net_opts no = { .proxy = 1 };
	struct load_opts lo = { NULL, NULL, 0 };
	char *real = realpath(file, NULL), *esc = xalloc(strlen(real ? real : file) * 6 + 1, 1), *q = esc;
	for (const char *p = real ? real : file; *p; p++) {
		const char *rep = *p == '&' ? "&amp;" : *p == '<' ? "&lt;" : *p == '"' ? "&quot;"
			: *p == '{' ? "{{" : *p == '}' ? "}}" : NULL;
		if (rep) q += sprintf(q, "%s", rep);
		else *q++ = *p;
	}
	char *text = xasprintf("<graph version=\"1\"><read id=\"f\" file=\"%s\"/></graph>", esc);
	int rc = -1;
	s.scene = scene_load(file, text, strlen(text), &lo, &s.d);
	if (s.scene && diags_status(&s.d) == E_OK) s.net = net_build(s.scene, &no, &s.d);
	if (s.net) rc = picture_of(&s, net_find(s.net, "f"), index, out, e);
	free(text);
	free(esc);
	free(real);
	session_close(&s);
	return rc;
}

/* --- by how much --- */

/* Over the channels of both within both windows; one line. False: not comparable. */
static bool tell_difference(const char *what, const struct image *a, const struct image *b)
{
	struct rect r = rect_and(a->view.r, b->view.r);
	double max = 0, sum = 0;
	uint64_t n = 0;
	char size[40], num[40], db[40];
	if (rect_w(a->view.r) != rect_w(b->view.r) || rect_h(a->view.r) != rect_h(b->view.r)) {
		printf("  %s: %dx%d was locked, now %dx%d\n", what, rect_w(a->view.r), rect_h(a->view.r),
		       rect_w(b->view.r), rect_h(b->view.r));
		return true;
	}
	for (int c = 0; c < a->fmt.nch; c++) {
		int k = format_channel(&b->fmt, a->fmt.ch[c]);
		for (int y = r.y0; k >= 0 && y < r.y1; y++) {
			const float *p = view_at(&a->view, c, r.x0, y), *q = view_at(&b->view, k, r.x0, y);
			for (int x = 0; x < rect_w(r); x++, n++) {
				double d = (double)p[x] - (double)q[x];
				d = d < 0 ? -d : d;
				if (!(d <= 1e30)) d = memcmp(&p[x], &q[x], sizeof p[x]) == 0 ? 0 : 1e30;
				max = d > max ? d : max;
				sum += d * d;
			}
		}
	}
	if (!n) return false;
	mx_print(mx_round(max * 1e6) / 1e6, num);
	mx_print(mx_round(-100 * mx_log10(sum / (double)n)) / 10, db);
	snprintf(size, sizeof size, "%s", max > 0 ? "" : " (equal)");
	printf("  %s: max %s, PSNR %s dB%s\n", what, num, max > 0 ? db : "inf", size);
	return true;
}

/* Is the file of this frame the locked one? A clip says so by its root key,
 * a file of its own by its pixels. */
static bool file_is_locked(const struct sink_run *sk, const struct lock_facts *lock, int frame,
                           const char *file)
{
	const char *id = sk->node->id, *locked = lock_get(lock, "write", id);
	struct err ignore = ERR_INIT;
	char root[65];
	if (!locked || media_root(file, root) < 0) return false;
	if (sk->kind & SINK_ORDERED) return strncmp(root, locked, 64) == 0;
	struct sink_job one = sk->job;
	struct pixhash h;
	one.frames = &frame;
	one.nframes = 1;
	if (!sk->node->type->held || sk->node->type->held(&one, &h, &ignore) != 0) return false;
	char *name = xasprintf("%s:%06d", id, frame), hex[33];
	const char *was = lock_get(lock, "frame", name);
	pixhash_hex(h, hex);
	bool same = was && strcmp(was, hex) == 0;
	free(name);
	return same;
}

/* The write's file is still the locked one: the frame is written once more,
 * elsewhere, and both are read back. */
static bool by_output(struct session *s, const struct lock_facts *lock, struct net_node *nn, int frame)
{
	struct err e = ERR_INIT;
	struct render_opts o = session_opts(s);
	struct render_stats st = { 0 };
	struct keymemo *km = keymemo_new(s->net);
	struct sink_run sk = { .node = nn };
	struct taken a = { s->pool, NULL }, b = { s->pool, NULL };
	const char *tmp = getenv("TMPDIR");
	char *old = NULL, *dir = xasprintf("%s/interneg.XXXXXX", tmp && *tmp ? tmp : "/tmp"), *now = NULL, list[16];
	bool told = false, made = false;
	o.frames = NULL;
	o.dry = true;
	o.outpath = NULL;
	if (!nn->type->file || sink_prepare(s->net, &o, km, 1, &sk, &e) < 0) goto out;
	old = nn->type->file(&sk.job, frame);
	if (!file_is_locked(&sk, lock, frame, old) || !(made = mkdtemp(dir) != NULL)) goto out;
	const char *base = strrchr(old, '/');
	now = xasprintf("%s/%s", dir, base ? base + 1 : old);
	snprintf(list, sizeof list, "%d", frame);
	o = session_opts(s);
	o.frames = list;
	o.outpath = now;
	o.cache = NULL;
	o.overwrite = true;
	s->net->write[0] = nn;
	s->net->nwrite = 1;
	int rc = render_run(s->net, &o, &st, &e);
	diags_free(&st.problems);
	bool one = seq_is_pattern(old) || nn->conn[0]->fmt.first == nn->conn[0]->fmt.last;
	struct media *m = NULL;
	struct media_opts mo = MEDIA_OPTS_INIT;
	if (rc == 0 && !one && media_open(old, &mo, &m, &e) == 0) one = media_about(m)->kind != MEDIA_CLIP;
	media_close(&m);
	if (rc == 0 && picture_in(s->c, old, one ? 1 : frame - nn->conn[0]->fmt.first + 1, &a, &e) == 0 &&
	    picture_in(s->c, now, 1, &b, &e) == 0) {
		char *what = xasprintf("by how much, from the locked %s", base ? base + 1 : old);
		told = tell_difference(what, a.im, b.im);
		free(what);
	}
out:
	image_unref(&a.im);
	image_unref(&b.im);
	if (now) unlink(now);
	if (made) rmdir(dir);
	free(sk.frames.v);
	free(old);
	free(now);
	free(dir);
	keymemo_free(&km);
	return told;
}

/* The key that a pass's link in the cache points at. */
static int linked_key(const struct session *s, const struct net_pass *p, int frame, struct key *k)
{
	const char *graph = s->scene->name && *s->scene->name ? s->scene->name : "graph";
	char *link = xasprintf("%s/passes/%s/%s.%04d.exr", cache_dir(s->cache), graph, p->id, frame),
		to[256], hex[65];
	ssize_t n = readlink(link, to, sizeof to - 1);
	free(link);
	if (n < 67) return -1;
	to[n] = 0;
	/* .../ab/cdef....exr */
	if (n < 69 || strcmp(to + n - 4, ".exr") != 0) return -1;
	snprintf(hex, sizeof hex, "%.2s%.62s", to + n - 4 - 65, to + n - 4 - 62);
	return key_parse(hex, k);
}

/* The key of the locked frame of a kept pass, when the cache still knows all of its locked frames. */
static bool locked_pass(const struct session *s, const struct lock_facts *lock,
                        const struct net_pass *p, int frame, struct key *out)
{
	const char *locked = lock_get(lock, "pass", p->id);
	struct sha sha;
	char hex[65];
	int first, last;
	lock_span(s->net, &first, &last);
	sha_init(&sha);
	for (int f = first; f <= last && locked; f++) {
		struct key k;
		int at = clamped(&p->result->fmt, f);
		if (linked_key(s, p, at, &k) < 0) return false;
		if (at == clamped(&p->result->fmt, frame)) *out = k;
		sha_key(&sha, &k);
	}
	struct key root = sha_end(&sha);
	key_hex(&root, hex);
	return locked && strncmp(hex, locked, 64) == 0;
}

/* The first kept pass whose locked frame is in the cache and differs from what it gives now. */
static bool by_passes(struct session *s, const struct lock_facts *lock, int frame)
{
	for (int i = 0; s->cache && i < s->net->npass; i++) {
		const struct net_pass *p = s->net->pass[i];
		struct taken now = { s->pool, NULL };
		struct image *was = NULL;
		struct err e = ERR_INIT;
		struct key k;
		bool told = false;
		if (!p->result || !p->kept || !locked_pass(s, lock, p, frame, &k)) continue;
		if (picture_of(s, p->result, frame, &now, &e) == 0 &&
		    (was = image_new(s->pool, &now.im->fmt, "locked", &e)) &&
		    cache_load(s->cache, &k, was, &e) == 0) {
			struct pixhash a = image_hash(was), b = image_hash(now.im);
			char *what = xasprintf("in pass %s, from the cache", p->id);
			if (a.lo != b.lo || a.hi != b.hi) told = tell_difference(what, was, now.im);
			free(what);
		}
		image_unref(&was);
		image_unref(&now.im);
		if (told) return true;
	}
	return false;
}

void verify_measure(struct session *s, const struct lock_facts *lock, const char *write, int frame)
{
	bool told = false;
	for (int i = 0; i < s->net->nwrite && !told; i++)
		if (strcmp(s->net->write[i]->id, write) == 0) { told = by_output(s, lock, s->net->write[i], frame); break; }
	told |= by_passes(s, lock, frame);
	if (!told)
		printf("  by how much: not known, the locked pixels are neither in the write's file nor in "
		       "the cache\n");
}

/* --- files on disk --- */

static int judge(const char *id, const char *file, const char *what)
{
	printf("write %s: %s: %s\n", id, file, what);
	return 1;
}

/* A clip's root key first; then the pixels, where the file gives back what went in. */
static int judge_files(const struct sink_run *sk, const struct lock_facts *lock, struct err *e)
{
	const char *id = sk->node->id, *locked = lock_get(lock, "write", id);
	int bad = 0;
	for (int i = 0; i < sk->frames.n && !bad; i++) {
		char *file = sk->node->type->file(&sk->job, sk->frames.v[i]), root[65];
		if (access(file, R_OK) < 0) bad = judge(id, file, "missing");
		else if (media_root(file, root) < 0) bad = judge(id, file, "was not written by interneg");
		else if (!locked || ((sk->kind & SINK_ORDERED) && strncmp(root, locked, 64) != 0))
			bad = judge(id, file, "of another root key than the locked one");
		free(file);
	}
	if (bad || !sk->node->type->held) return bad;
	struct pixhash *h = xalloc((size_t)sk->frames.n + 1, sizeof *h);
	struct err why = ERR_INIT;
	int rc = sk->node->type->held(&sk->job, h, &why);
	if (rc < 0 && why.code == E_INPUT) bad = judge(id, "damaged", why.msg);
	else if (rc < 0) { *e = why; bad = -1; }
	for (int i = 0; i < sk->frames.n && rc == 0 && !bad; i++) {
		char *name = xasprintf("%s:%06d", id, sk->frames.v[i]), hex[33];
		const char *was = lock_get(lock, "frame", name);
		pixhash_hex(h[i], hex);
		if (!was || strcmp(was, hex) != 0) {
			char *file = sk->node->type->file(&sk->job, sk->frames.v[i]);
			bad = judge(id, file, "holds other pixels than the locked ones");
			printf("  locked frame %s %s\n  now    frame %s %s\n", name, was ? was : "(absent)", name, hex);
			free(file);
		}
		free(name);
	}
	if (!bad) printf("write %s: %d frames on disk are the locked ones%s\n", id, sk->frames.n,
	                 rc == 1 ? " by root key; a lossy clip, all of it decodes" : ", pixel for pixel");
	free(h);
	return bad;
}

int verify_files(struct session *s, const struct lock_facts *lock, struct net_node *nn,
                 const char *frames, struct err *e)
{
	struct keymemo *km = keymemo_new(s->net);
	struct render_opts o = session_opts(s);
	struct sink_run sk = { .node = nn };
	o.frames = frames;
	o.dry = true;
	int rc = sink_prepare(s->net, &o, km, 1, &sk, e);
	if (rc == 0 && nn->type->file) rc = judge_files(&sk, lock, e);
	free(sk.frames.v);
	keymemo_free(&km);
	return rc;
}
