/* sinks - opening and closing of the writes of a render: frames, root key, sound, up-to-date files.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "render.h"

/* The nearest source upward along first inputs; *offset turns an output frame into a source frame. */
static const struct net_node *source_above(const struct net_node *nn, int frame, int *source_frame)
{
	struct needs nd;
	*source_frame = frame;
	while (nn->nconn && nn->conn[0]) {
		nd.n = 0;
		net_needs(nn, &nn->ctx, *source_frame, nn->conn[0]->fmt.data, &nd);
		for (int i = 0; i < nd.n; i++)
			if (nd.v[i].conn == 0) { *source_frame = nd.v[i].frame; break; }
		nn = nn->conn[0];
	}
	return nn->type->traits & TR_SOURCE ? nn : NULL;
}

static const char *path_param(const struct net_node *nn, const char *name)
{
	const struct param *p = param_find(nn->type->params, name);
	const char *s = NULL;
	if (p && (p->type == PT_PATH || p->type == PT_STRING))
		memcpy(&s, (const char *)nn->ctx.v + p->off, sizeof s);
	return s && *s ? s : NULL;
}

/* audio="ID|none" on the sink; by default the sound of the source upward. */
static void find_audio(struct net *n, struct sink_run *sk)
{
	const char *want = path_param(sk->node, "audio");
	const struct net_node *src;
	int frame = sk->frames.n ? sk->frames.v[0] : 1, at;
	if (want && strcmp(want, "none") == 0) return;
	src = source_above(sk->node, frame, &at);
	if (want && strcmp(want, "auto") != 0) {
		src = net_find(n, want);
		at = frame;
		if (!src) log_warn("write '%s': audio=\"%s\": no such node", sk->node->id, want);
		else src = source_above(src, frame, &at);
	}
	if (!src) return;
	sk->job.audio_file = path_param(src, "file");
	sk->job.audio_fps = src->fmt.fps;
	/* counted from the clip's own first frame, whatever was trimmed off before */
	const char *first = path_param(src, "first");
	sk->job.audio_first = at - (first ? (int)strtol(first, NULL, 10) : 1);
}

/* class= of a write: auto draft final. Where a scene knows approvals or classes,
 * whatever is not final is a draft. */
static const char *class_of(const struct net *n, const struct net_node *nn)
{
	const struct param *p = param_find(nn->type->params, "class");
	int v = 0;
	if (p) memcpy(&v, (const char *)nn->ctx.v + p->off, sizeof v);
	if (v) return v == 2 ? "final" : "draft";
	for (int i = 0; i < n->scene->nelem; i++)
		for (int k = 0; k < n->scene->elem[i].nattr; k++) {
			const struct elem *el = &n->scene->elem[i];
			if (el->type && (el->type->flags & NF_SINK) && strcmp(el->attr[k].name, "class") == 0) return "draft";
		}
	const char *file = path_param(nn, "file");
	return n->scene->napprove || (file && strstr(file, "{class}")) ? "draft" : "";
}

/* each: the key of every frame, one after the other. */
static int root_key(const struct net_node *nn, const struct frame_list *frames, struct keymemo *km,
                    char hex[65], struct key *each, struct err *e)
{
	struct sha s;
	sha_init(&s);
	for (int i = 0; i < frames->n; i++) {
		if (net_key(km, nn, frames->v[i], &each[i], e) < 0) return -1;
		keymemo_drop_before(km, frames->v[i] - 64);
		sha_u64(&s, (uint64_t)(int64_t)frames->v[i]);
		sha_key(&s, &each[i]);
	}
	struct key root = sha_end(&s);
	key_hex(&root, hex);
	return 0;
}

/* Leaves out the frames whose files are there already; false: none is left. */
static void drop_fresh(struct sink_run *sk, const struct key *each)
{
	int n = 0;
	for (int i = 0; i < sk->frames.n; i++) {
		char hex[65];
		key_hex(&each[i], hex);
		if (sk->node->type->frame_fresh && sk->node->type->frame_fresh(&sk->job, sk->frames.v[i], hex)) continue;
		sk->frames.v[n++] = sk->frames.v[i];
	}
	sk->fresh = n == 0;
	if (n) sk->frames.n = sk->job.nframes = n;
}

bool sink_journals(const struct sink_run *sk)
{
	return (sk->kind & (SINK_PACKS | SINK_ORDERED)) == (SINK_PACKS | SINK_ORDERED);
}

static int part_of_clip(struct sink_run *sk, const struct render_opts *o, struct err *e)
{
	if (sk->job.whole || o->outpath || o->dry || !sink_journals(sk)) return 0;
	if (!o->cache)
		return err_set(e, E_USAGE, "some frames of a clip go to the journal in the cache, and --no-cache has none; "
		               "-o FILE writes just these frames");
	sk->job.part = true;
	return 0;
}

int sink_prepare(struct net *n, const struct render_opts *o, struct keymemo *km, int threads,
                 struct sink_run *sk, struct err *e)
{
	const struct format *f = &sk->node->conn[0]->fmt;
	const struct node_type *t = sk->node->type;
	struct frame_list whole = { 0 };
	struct key *each = NULL;
	int rc = -1;
	sk->km = km;
	if (frames_parse(o->frames, f->first, f->last, &sk->frames, e) < 0)
		return err_in(e, "write '%s'", sk->node->id);
	bool all = f->last != INT_MAX && frames_parse(NULL, f->first, f->last, &whole, e) == 0;
	sk->job = (struct sink_job){ .n = &sk->node->ctx, .frames = sk->frames.v, .nframes = sk->frames.n,
		.overwrite = o->overwrite, .dry = o->dry, .threads = threads, .rev = o->rev ? o->rev : "",
			.root_key = sk->root,
		.outpath = o->outpath, .class = class_of(n, sk->node), .whole = all && whole.n == sk->frames.n };
	find_audio(n, sk);
	sk->kind = t->sink ? t->sink(&sk->job) : SINK_ORDERED;
	sk->packed = t->packed ? t->packed(&sk->job) : 0;
	if (part_of_clip(sk, o, e) < 0) { err_in(e, "write '%s'", sk->node->id); goto out; }
	/* a part belongs to the clip of all frames: that is the file that may be there already */
	const struct frame_list *rooted = sk->job.part && all ? &whole : &sk->frames;
	each = xalloc((size_t)rooted->n + 1, sizeof *each);
	if (root_key(sk->node, rooted, km, sk->root, each, e) < 0) goto out;
	if (o->dry) sk->fresh = false;
	else if (sk->kind & SINK_ORDERED) sk->fresh = t->fresh && t->fresh(&sk->job);
	else drop_fresh(sk, each);
	rc = 0;
out:
	free(each);
	free(whole.v);
	return rc;
}

int sink_run_frame(const struct sink_run *s, const struct node_ctx *c, const struct needs *nd,
                   const struct view *in, int frame, struct pixhash *hash, struct err *e)
{
	const struct node_type *t = s->node->type;
	struct sink_call call = { .c = c, .frame = frame, .run = s->run, .hash = hash };
	struct key k;
	char root[65];
	if (!(s->kind & SINK_ORDERED)) {
		if (net_key(s->km, s->node, frame, &k, e) < 0) return -1;
		key_hex(&k, root);
		call.root = root;
	}
	if (!(s->kind & SINK_PACKS)) return net_put(s->node, &call, nd, in, e);
	size_t scratch = t->scratch ? t->scratch(c, s->node->conn[0]->fmt.display) : 64;
	call.packed = aligned_alloc(64, (s->packed + 63) & ~(size_t)63);
	call.scratch = aligned_alloc(64, (scratch + 63) & ~(size_t)63);
	int rc = call.packed && call.scratch ? net_pack(s->node, &call, nd, in, e)
	                                     : err_set(e, E_MEMORY, "no memory to pack a frame");
	void *coded = NULL;
	bool put = rc == 0 && !s->job.dry && !s->job.part, codes = put && (s->kind & SINK_CODES);
	if (codes) {
		call.coded = &coded;
		rc = net_code(s->node, &call, e);
	}
	if (put && rc == 0) rc = net_put(s->node, &call, NULL, NULL, e);
	if (coded) t->uncode(coded);
	free(call.packed);
	free(call.scratch);
	return rc;
}

static int sink_open(struct net *n, const struct render_opts *o, struct keymemo *km, int threads,
                     struct sink_run *sk, struct err *e)
{
	if (sink_prepare(n, o, km, threads, sk, e) < 0) return -1;
	if (sk->fresh) return 0;
	if (sk->node->type->begin(&sk->job, &sk->run, e) < 0) return err_in(e, "write '%s'", sk->node->id);
	sk->open = true;
	return 0;
}

int sinks_open(struct net *n, const struct render_opts *o, struct keymemo *km, int threads,
               struct sink_run **out, int *nout, struct err *e)
{
	struct sink_run *s = xalloc((size_t)n->nwrite + 1, sizeof *s);
	*out = s;
	*nout = n->nwrite;
	for (int i = 0; i < n->nwrite; i++) s[i].node = n->write[i];
	for (int i = 0; i < n->nwrite; i++)
		if (sink_open(n, o, km, threads, &s[i], e) < 0) {
			struct err ignore = ERR_INIT;
			sinks_close(s, n->nwrite, false, &ignore);
			*out = NULL;
			*nout = 0;
			return -1;
		}
	return 0;
}

int sinks_close(struct sink_run *s, int n, bool commit, struct err *e)
{
	int rc = 0;
	for (int i = 0; i < n; i++) {
		struct err one = ERR_INIT;
		if (s[i].open && s[i].node->type->end(s[i].run, commit, &one) < 0 && rc == 0) {
			*e = one;
			rc = err_in(e, "write '%s'", s[i].node->id);
		}
		free(s[i].frames.v);
	}
	free(s);
	return rc;
}
