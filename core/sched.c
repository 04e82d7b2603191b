/* sched - one render: budget, workers, admission of output frames in order, sinks, summary.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "sched_int.h"
#include "sysinfo.h"

/* Program, libraries, tables, thread stacks: what no picture pays for. */
#define SCHED_FIXED_BYTES ((size_t)48 << 20)

size_t render_fixed(const struct net *n, int threads)
{
	return SCHED_FIXED_BYTES + net_reserve(n) +
		(size_t)(threads > 0 ? threads : sys_threads()) * ((size_t)6 << 20);
}

/* Where nothing is left for pictures the first frame that wants some says how much it all takes. */
static void set_budget(struct sched *s)
{
	size_t all = s->o->memory ? s->o->memory : sys_memory();
	s->fixed = render_fixed(s->n, s->nworker);
	s->budget = all > s->fixed ? all - s->fixed : 0;
	pool_limit(s->pool, s->budget ? s->budget : 1);
}

static void start_workers(struct sched *s)
{
	pthread_attr_t at;
	pthread_attr_init(&at);
	pthread_attr_setstacksize(&at, (size_t)8 << 20);
	for (int i = 0; i < s->nworker; i++) {
		struct worker *w = &s->worker[i];
		w->s = s;
		w->id = i;
		w->started = pthread_create(&w->thread, &at, worker_main, w) == 0;
	}
	pthread_attr_destroy(&at);
}

static void stop_workers(struct sched *s)
{
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_broadcast(&s->work);
	pthread_mutex_unlock(&s->lock);
	for (int i = 0; i < s->nworker; i++)
		if (s->worker[i].started) pthread_join(s->worker[i].thread, NULL);
}

static void cancel_all(struct sched *s)
{
	s->broken = true;
	atomic_store(&s->cancel, 1);
	pthread_cond_broadcast(&s->work);
}

/* Waits for everything in flight; plans damaged intermediates anew. Under the lock. */
static int drain(struct sched *s, struct err *e)
{
	int rc = 0;
	while (s->inflight > 0) {
		while (s->nagain > 0) {
			struct job *j = s->again[--s->nagain];
			if (rc == 0 && !s->broken && admit_again(s, j, e) < 0) {
				rc = -1;
				cancel_all(s);
			}
			if (rc < 0 || s->broken) {
				if (j->state != J_AGAIN) continue;
				j->load = false;
				j->poisoned = true;
				job_ready(s, j);
			}
		}
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 100 * 1000000;
		if (until.tv_nsec >= 1000000000) { until.tv_nsec -= 1000000000; until.tv_sec++; }
		pthread_cond_timedwait(&s->idle, &s->lock, &until);
		if (s->o->cancel && atomic_load(s->o->cancel) && !s->broken) {
			err_set(&s->first, E_CANCEL, "cancelled");
			cancel_all(s);
		}
		int done = s->done;
		pthread_mutex_unlock(&s->lock);
		if (s->o->tick) s->o->tick(s->o->user, done, s->total);
		pthread_mutex_lock(&s->lock);
	}
	return rc;
}

/* All frames that anything asks for, ascending. */
static int frame_union(struct sched *s, const struct frame_list *lists, int nlists, int **out)
{
	size_t cap = 0;
	int *v = NULL, n = 0;
	int *at = xalloc((size_t)(s->nsink + nlists) + 1, sizeof *at);
	for (;;) {
		int best = INT_MAX;
		for (int i = 0; i < s->nsink + nlists; i++) {
			const struct frame_list *l = i < s->nsink ? &s->sink[i].frames : &lists[i - s->nsink];
			if (i < s->nsink && s->sink[i].fresh) continue;
			while (n && at[i] < l->n && l->v[at[i]] <= v[n - 1]) at[i]++;
			if (at[i] < l->n && l->v[at[i]] < best) best = l->v[at[i]];
		}
		if (best == INT_MAX) break;
		v = grow(v, (size_t)n, &cap, sizeof *v);
		v[n++] = best;
	}
	free(at);
	*out = v;
	return n;
}

static int target_frames(struct sched *s, struct frame_list *lists, struct err *e)
{
	for (int i = 0; i < s->n->ntarget; i++) {
		const struct format *f = &s->n->target[i]->fmt;
		if (frames_parse(s->o->frames, f->first, f->last, &lists[i], e) < 0)
			return err_in(e, "'%s'", s->n->target[i]->id);
		s->total += lists[i].n;
	}
	for (int i = 0; i < s->nsink; i++) {
		if (s->sink[i].fresh) s->st->fresh_sinks++;
		else s->total += s->sink[i].frames.n;
	}
	return 0;
}

/* One frame's pictures, and the largest of them once more for each further worker: see has_room. Not where pictures
 * are held for the frames after. */
static size_t begun_at_most(const struct sched *s)
{
	size_t frame = 0, largest = 0;
	for (int i = 0; i < s->p->nstage; i++) {
		const struct stage *st = &s->p->stage[i];
		if (st->temporal) return SIZE_MAX;
		if (st->kind != ST_TILES) continue;
		frame += st->reserve;
		if (st->bytes > largest) largest = st->bytes;
	}
	return frame + (size_t)(s->nworker - 1) * largest;
}

static int run_frames(struct sched *s, const struct frame_list *lists, struct err *e)
{
	int *v, n = frame_union(s, lists, s->n->ntarget, &v), rc = last_uses(s, lists, v, n, e);
	s->admitted = -1;
	s->most = begun_at_most(s);
	start_workers(s);
	pthread_mutex_lock(&s->lock);
	for (int i = 0; i < n && rc == 0 && !s->broken; i++) {
		rc = admit_frame(s, i, v[i], lists, s->n->target, s->n->ntarget, e);
		keymemo_drop_before(s->km, v[i] - 64);
		if (s->o->cancel && atomic_load(s->o->cancel)) rc = err_set(e, E_CANCEL, "cancelled");
	}
	if (rc < 0) cancel_all(s);
	if (drain(s, e) < 0) rc = -1;
	while (evict_one(s)) { }
	pthread_mutex_unlock(&s->lock);
	stop_workers(s);
	free(v);
	if (rc == 0 && s->first.code != E_OK) {
		*e = s->first;
		/* Where nothing came out, the cause tells more than "some frames failed". */
		if (!s->broken)
			err_set(e, s->st->frames ? E_FRAMES : s->first.code, "%d frame%s failed; the first: %.800s", s->st->failed,
			        s->st->failed == 1 ? "" : "s", s->first.msg);
		rc = -1;
	}
	return rc;
}

static void sched_free(struct sched *s)
{
	for (int i = 0; i < s->nworker; i++) {
		stage_mem_free(&s->worker[i].scratch);
		free(s->worker[i].ev);
	}
	free(s->worker);
	free(s->bucket);
	free(s->ready);
	free(s->again);
	free(s->held);
	last_free(s);
	free(s->running);
	free(s->last_sink);
	plan_free(&s->p);
	keymemo_free(&s->km);
	if (log_on(LOG_MEM)) pool_leaks(s->pool);
	pool_free(&s->pool);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->event_lock);
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->idle);
}

/* --debug=plan: the stages as they will run. */
static void log_stages(const struct plan *p)
{
	for (int i = 0; i < p->nstage && log_on(LOG_PLAN); i++) {
		const struct stage *s = &p->stage[i];
		log_debug(LOG_PLAN, "stage %d '%s': %d node%s, %.1f MiB, %.1f Mflop%s%s", i, s->out->id, s->n,
		          s->n == 1 ? "" : "s", (double)s->bytes / 1048576.0, s->flops / 1e6, s->keep ? ", kept" : "",
		          s->temporal ? ", held" : "");
	}
}

static void sched_init(struct sched *s, struct net *n, const struct render_opts *o, struct render_stats *st)
{
	struct plan_opts po = { o->tile, o->no_fuse, o->threads };
	*s = (struct sched){ .n = n, .o = o, .st = st, .nbucket = 4096, .t0 = now_us() };
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->event_lock, NULL);
	pthread_cond_init(&s->work, NULL);
	pthread_cond_init(&s->idle, NULL);
	s->p = plan_new(n, &po);
	log_stages(s->p);
	s->km = keymemo_new(n);
	s->pool = pool_new();
	if (o->fail_alloc) pool_fail_after(s->pool, o->fail_alloc);
	s->bucket = xalloc(s->nbucket, sizeof *s->bucket);
	s->running = xalloc((size_t)s->p->nstage + 1, sizeof *s->running);
	s->last_sink = xalloc((size_t)n->nwrite + 1, sizeof *s->last_sink);
	s->journal = o->cache && !o->no_journal && !o->dry;
	s->nworker = o->threads > 0 ? o->threads : sys_threads();
	s->worker = xalloc((size_t)s->nworker, sizeof *s->worker);
}

/* Frames of a clip that the journal holds, of all that it has; drops them where the clip is whole. */
static int journaled(struct sched *s, const struct net_node *nn, bool drop, int *all)
{
	const struct format *f = &nn->conn[0]->fmt;
	struct err ignore = ERR_INIT;
	struct key k;
	int n = 0;
	*all = f->last - f->first + 1;
	for (int frame = f->first; frame <= f->last; frame++) {
		if (net_key(s->km, nn, frame, &k, &ignore) < 0 || !journal_has(s->o->cache, &k)) continue;
		n++;
		if (drop) journal_drop(s->o->cache, &k);
		keymemo_drop_before(s->km, frame - 64);
	}
	return n;
}

/* What is left to do for clips of which only some frames were asked; finished
 * ones need no journal any more. */
static void settle_journals(struct sched *s, const struct sink_run *sink, int nsink, bool done)
{
	for (int i = 0; i < nsink && s->journal; i++) {
		int all, have;
		if (!sink_journals(&sink[i]) || (!sink[i].job.part && !(sink[i].job.whole && done))) continue;
		have = journaled(s, sink[i].node, !sink[i].job.part, &all);
		if (sink[i].job.part)
			log_note("write '%s': %d of %d frames are in the journal; a render of all frames makes the clip of them",
			         sink[i].node->id, have, all);
	}
}

int render_run(struct net *n, const struct render_opts *o, struct render_stats *st, struct err *e)
{
	struct sched s;
	struct frame_list *lists = xalloc((size_t)n->ntarget + 1, sizeof *lists);
	int rc = -1;
	sched_init(&s, n, o, st);
	set_budget(&s);
	if (sinks_open(n, o, s.km, s.nworker, &s.sink, &s.nsink, e) < 0) goto out;
	if (target_frames(&s, lists, e) == 0) rc = run_frames(&s, lists, e);
	struct err close_err = ERR_INIT;
	struct sink_run *done = xalloc((size_t)s.nsink + 1, sizeof *done);
	memcpy(done, s.sink, (size_t)s.nsink * sizeof *done);
	int ndone = s.nsink;
	if (sinks_close(s.sink, s.nsink, rc == 0, &close_err) < 0 && rc == 0) {
		*e = close_err;
		rc = -1;
	}
	settle_journals(&s, done, ndone, rc == 0);
	free(done);
	st->peak_bytes = pool_peak(s.pool);
	if (o->trace && trace_write(&s, o->trace, e) < 0) rc = -1;
out:
	for (int i = 0; i < n->ntarget; i++) free(lists[i].v);
	free(lists);
	sched_free(&s);
	return rc;
}
