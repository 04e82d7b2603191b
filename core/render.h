/* render - runs a net: admission by memory, tile tasks on a pthread pool, frames in flight, sinks in order.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_RENDER_H
#define IN_RENDER_H

#include "plan.h"

struct render_event { const struct net_node *node; int frame; struct pixhash hash; int done, total; };

struct render_opts {
	int threads;                         /* 0: what the process may use */
	size_t memory;                       /* bytes; 0: what cgroup and system grant */
	int tile; bool no_fuse;
	const char *frames;                  /* -F, or NULL */
	struct cache *cache;                 /* NULL: nothing is read or kept */
	bool dry;                            /* writes give their hashes and touch no file */
	bool overwrite; const char *outpath, *rev;
	bool no_journal;                     /* clips keep no frames beside them */
	const atomic_int *cancel;
	const char *trace;                   /* Chrome trace file, or NULL */
	long fail_alloc;                     /* tests: the n-th picture allocation fails; 0: none */
	/* Called by worker or caller thread, one at a time. */
	void (*event)(void *user, const struct render_event *ev);     /* a frame of a sink or target is finished */
	void (*tick)(void *user, int done, int total);                /* about ten times a second, caller's thread */
	int (*result)(void *user, const struct net_node *n, int frame, const struct image *im, struct err *e);
	void *user;
};

struct render_stats {
	int frames, failed, fresh_sinks;     /* fresh: sinks that were up to date */
	size_t peak_bytes;
	long computed, loaded, stored;       /* node results */
	struct diags problems;               /* one finding a failed frame; caller frees */
};

/* 0 when everything was written. -1: e has the status (E_FRAMES when some frames failed). */
int render_run(struct net *n, const struct render_opts *o, struct render_stats *st, struct err *e);
/* The same by the single-threaded recursive evaluator (oracle.c). */
int oracle_run(struct net *n, const struct render_opts *o, struct render_stats *st, struct err *e);

/* A run of frames in one state, for `plan`. */
struct plan_row { const struct net_node *node; int first, last, step;
	enum { ROW_COMPUTE, ROW_LOAD, ROW_WRITE, ROW_FRESH } what; };
struct plan_report {
	struct plan_row *row; int nrow; size_t crow;
	uint64_t peak, fixed, least, cache_bytes, journal_bytes; long frames;
};
/* What no picture pays for: program, libraries, thread stacks, codecs and models.
 * threads 0: what may be used. */
size_t render_fixed(const struct net *n, int threads);
/* What a render would do, without doing it. least: bytes of --memory that its largest frame needs. */
int render_plan(struct net *n, struct plan *p, const struct render_opts *o, struct plan_report *out,
                struct err *e);
void plan_report_free(struct plan_report *r);

/* Sinks share this between engine and oracle. frames: those still to be done; a sink without
 * order leaves out the frames whose files are up to date. kind: sink_kind flags. packed: bytes
 * of a frame as it enters the encoder. */
struct sink_run {
	struct net_node *node; struct frame_list frames; void *run; bool fresh, open; char root[65];
	unsigned kind; size_t packed; struct sink_job job; struct keymemo *km;
};
/* Frames, root key, sound and whether the finished file is there already;
 * frames.v is the caller's to free. */
int sink_prepare(struct net *n, const struct render_opts *o, struct keymemo *km, int threads,
                 struct sink_run *sk, struct err *e);
int sinks_open(struct net *n, const struct render_opts *o, struct keymemo *km, int threads,
               struct sink_run **out, int *nout, struct err *e);
/* Clips: what enters their encoder can be kept and brought again. */
bool sink_journals(const struct sink_run *s);
/* One frame start to end in the caller's thread: packed where the sink packs, then written unless
 * only hashes are wanted. in belongs to nd. */
int sink_run_frame(const struct sink_run *s, const struct node_ctx *c, const struct needs *nd,
                   const struct view *in, int frame, struct pixhash *hash, struct err *e);
int sinks_close(struct sink_run *s, int n, bool commit, struct err *e);

#endif
