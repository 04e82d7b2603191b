/* sched_work - the queue and its workers: pick the oldest task, do it, and
 * go on; never wait for another task.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "sched_int.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "rng.h"

int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool before(const struct job *a, const struct job *b)
{
	return a->order != b->order ? a->order < b->order : a->id < b->id;
}

/* Into the queue, oldest first. Under the lock. */
static void make_ready(struct sched *s, struct job *j, enum job_state state)
{
	j->state = state;
	s->ready = grow(s->ready, (size_t)s->nready, &s->cready, sizeof *s->ready);
	int i = s->nready++;
	for (; i > 0 && before(j, s->ready[i - 1]); i--) s->ready[i] = s->ready[i - 1];
	s->ready[i] = j;
	pthread_cond_broadcast(&s->work);
}

void job_ready(struct sched *s, struct job *j)
{
	make_ready(s, j, J_READY);
}

static void unready(struct sched *s, const struct job *j)
{
	for (int i = 0; i < s->nready; i++)
		if (s->ready[i] == j) {
			memmove(&s->ready[i], &s->ready[i + 1], (size_t)(s->nready - i - 1) * sizeof *s->ready);
			s->nready--;
			return;
		}
}

static bool has_tiles(const struct job *j) { return j->sink < 0 && j->s->kind == ST_TILES; }

static void count_picture(struct sched *s, struct job *j)
{
	if (j->begun || !has_tiles(j)) return;
	j->begun = true;
	s->live += j->s->bytes;
}

static void discount_picture(struct sched *s, struct job *j)
{
	if (j->begun) s->live -= j->s->bytes;
	j->begun = false;
}

void job_free_image(struct sched *s, struct job *j)
{
	discount_picture(s, j);
	if (j->im) image_unref(&j->im);
	if (j->packed) pool_release(s->pool, j->packed);
	j->packed = NULL;
	if (j->coded) j->s->out->type->uncode(j->coded);
	j->coded = NULL;
	s->reserved -= j->reserved;
	j->reserved = 0;
	pthread_cond_signal(&s->idle);
}

/* A consumer is through with a result. */
static void release_dep(struct sched *s, struct job *d)
{
	if (--d->refs > 0 || d->state != J_DONE) return;
	if (d->s->temporal && d->im && !d->failed && needed_later(s, d)) {
		if (d->cached) return;
		d->cached = true;
		s->held = grow(s->held, (size_t)s->nheld, &s->cheld, sizeof *s->held);
		s->held[s->nheld++] = d;
		pthread_cond_signal(&s->idle);
		return;
	}
	job_free_image(s, d);
	job_drop(s, d);
}

static void report(struct sched *s, const struct err *e)
{
	bool fatal = e->code != E_INPUT;
	if (s->first.code == E_OK) s->first = *e;
	if (fatal && !s->broken) {
		s->first = *e;
		s->broken = true;
		atomic_store(&s->cancel, 1);
	}
	if (e->code == E_CANCEL || e->code == E_OK || !e->msg[0]) return;   /* stopped because of another's error */
	diag_add(&s->st->problems, DIAG_ERROR, e->code, "", 0, "", "", "%s", e->msg);
}

/* What it read and who stood between is gone: what was reserved for them goes to the same stage's
 * next frame, or back. Under the lock. */
static void settle(struct sched *s, struct job *j)
{
	size_t own = j->sink < 0 ? j->s->bytes : j->reserved;
	if (j->reserved > own) {
		if (j->heir) j->heir->reserved += j->reserved - own;
		else s->reserved -= j->reserved - own;
		j->reserved = own;
	}
	j->heir = NULL;
}

/* The job is over: wake what waited for it, let go of what it read. Called under the lock. */
static void job_done(struct sched *s, struct job *j)
{
	j->state = J_DONE;
	stage_job_close(&j->run);
	s->inflight--;
	for (int i = 0; i < j->nuser; i++) {
		struct job *u = j->user[i];
		bool image = false;
		for (int k = 0; k < u->ndep; k++)
			if (u->dep[k] == j && u->dep_node[k]) image = true;
		if (j->failed && image) u->poisoned = true;
		if (--u->pending == 0 && u->state == J_WAIT) job_ready(s, u);
	}
	j->nuser = 0;
	if (j->part == PART_CODE) {              /* what it made is no larger than what it was made of */
		j->reserved = j->dep[0]->reserved;
		j->dep[0]->reserved = 0;
	}
	for (int i = 0; i < j->ndep; i++)
		if (j->dep_node[i]) release_dep(s, j->dep[i]);
	j->ndep = 0;
	settle(s, j);
	if (j->final || j->target) {
		s->finals--;
		s->done++;
		s->st->failed += j->failed;
		s->st->frames += !j->failed;
	}
	if (j->sink >= 0 && s->last_sink[j->sink] == j) s->last_sink[j->sink] = NULL;
	pthread_cond_broadcast(&s->idle);
	if (j->refs == 0) {
		if (j->s->temporal && j->im && !j->failed) { j->refs = 1; release_dep(s, j); }
		else { job_free_image(s, j); job_drop(s, j); }
	}
}

static void stall(struct worker *w)
{
	if (!log_on(LOG_STALL)) return;
	struct philox r = philox4x32((uint32_t)w->seed++, (uint32_t)w->id, 0, 0, 7, 7);
	struct timespec t = { 0, (long)(r.c[0] % 3000) * 1000 };
	if (r.c[1] % 4 == 0) nanosleep(&t, NULL);
}

/* The job has nothing more to do. Called without the lock. */
static void complete(struct sched *s, struct worker *w, struct job *j)
{
	log_debug(LOG_SCHED, "worker %d: stage %d '%s' frame %d %s", w->id, j->s->index, j->s->out->id, j->frame,
	          j->failed ? "failed" : j->load ? "loaded" : "done");
	pthread_mutex_lock(&s->lock);
	s->running[j->s->index]--;
	if (j->load) s->st->loaded++;
	else {
		s->st->computed += j->sink < 0;
		s->st->stored += j->sink < 0 && j->s->keep && s->o->cache && !j->failed;
	}
	job_done(s, j);
	pthread_cond_broadcast(&s->work);
	pthread_mutex_unlock(&s->lock);
}

/* A planned hit that proves damaged is planned again, by the admitting thread. Called without the lock. */
static void plan_again(struct sched *s, struct job *j)
{
	pthread_mutex_lock(&s->lock);
	s->running[j->s->index]--;
	discount_picture(s, j);
	image_unref(&j->im);
	pool_release(s->pool, j->packed);
	j->packed = NULL;
	j->damaged = j->skip = false;
	err_clear(&j->load_err);
	j->state = J_AGAIN;
	s->again = grow(s->again, (size_t)s->nagain, &s->cagain, sizeof *s->again);
	s->again[s->nagain++] = j;
	pthread_cond_broadcast(&s->idle);
	pthread_mutex_unlock(&s->lock);
}

static bool lane_free(const struct sched *s, const struct job *j)
{
	int lanes = j->s->kind == ST_FRAME && !j->load ? j->s->out->type->lanes : 0;
	return lanes == 0 || s->running[j->s->index] < lanes;
}

/* May its picture be begun, or does it wait until an earlier frame lets go of one? Else two frames that end at once
 * take more than others do, and the longer a clip the likelier. Nothing waits while nobody works; small ones never. */
static bool has_room(const struct sched *s, const struct job *j)
{
	return s->busy == 0 || !has_tiles(j) || 8 * j->s->bytes < s->most || s->live + j->s->bytes <= s->most;
}

/* The oldest task that may run; *task -1: the job is to be started. */
static struct job *pick(struct sched *s, int *task)
{
	for (int i = 0; i < s->nready; i++) {
		struct job *j = s->ready[i];
		if (j->state == J_READY && lane_free(s, j) && has_room(s, j)) {
			j->state = J_START;
			unready(s, j);
			count_picture(s, j);
			s->running[j->s->index]++;
			*task = -1;
			return j;
		}
		if (j->state == J_TASKS) {
			*task = j->next_task++;
			if (j->next_task == j->ntasks) unready(s, j);
			return j;
		}
	}
	return NULL;
}

/* Hands out the tasks of the phase that was just opened. Called without the lock. */
static void offer(struct sched *s, struct job *j)
{
	pthread_mutex_lock(&s->lock);
	j->tasks_left = j->ntasks;
	j->next_task = 0;
	make_ready(s, j, J_TASKS);
	pthread_mutex_unlock(&s->lock);
}

/* After a phase's last task, still in the same worker. */
static void advance(struct sched *s, struct worker *w, struct job *j)
{
	struct err e = ERR_INIT;
	struct trace_mark t = trace_begin(w);
	int rc = 0;
	if (j->failed || j->damaged) phase_abort(j, j->damaged ? &j->load_err : NULL);
	else if ((rc = phase_next(s, j, &e)) > 0) { offer(s, j); return; }
	if (j->damaged) { plan_again(s, j); return; }
	if (rc < 0) {
		phase_abort(j, NULL);
		pthread_mutex_lock(&s->lock);
		j->failed = true;
		report(s, &e);
		pthread_mutex_unlock(&s->lock);
	}
	trace_add(w, "finish", j->frame, t);
	complete(s, w, j);
}

static void begin_job(struct sched *s, struct worker *w, struct job *j)
{
	struct err e = ERR_INIT;
	struct trace_mark t = trace_begin(w);
	int frame = j->frame;
	if (!j->failed && phase_start(s, j, &e) == 0) {
		offer(s, j);
		trace_add(w, "begin", frame, t);
		return;
	}
	if (!j->failed) {
		pthread_mutex_lock(&s->lock);
		j->failed = true;
		report(s, &e);
		pthread_mutex_unlock(&s->lock);
	}
	complete(s, w, j);
}

static void do_task(struct sched *s, struct worker *w, struct job *j, int task, bool skip)
{
	struct err e = ERR_INIT;
	struct trace_mark t = trace_begin(w);
	stall(w);
	int rc = skip ? 0 : phase_task(s, w, j, task, &e);
	trace_add(w, phase_name(j), j->frame, t);
	pthread_mutex_lock(&s->lock);
	if (rc < 0 && j->phase == PH_LOAD) {
		if (!j->damaged || !j->load_err.msg[0]) j->load_err = e;
		j->damaged = j->skip = true;
	} else if (rc < 0 && !j->failed) {
		j->failed = j->skip = true;
		report(s, &e);
	}
	bool last = --j->tasks_left == 0;
	pthread_mutex_unlock(&s->lock);
	if (last) advance(s, w, j);
}

void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct sched *s = w->s;
	for (bool works = false;; works = true) {
		int task;
		struct job *j;
		pthread_mutex_lock(&s->lock);
		s->busy -= works;
		while (!(j = pick(s, &task)) && !s->stop) pthread_cond_wait(&s->work, &s->lock);
		s->busy += j != NULL;
		if (j && task < 0 && (j->poisoned || s->broken)) j->failed = true;
		bool skip = j && j->skip;
		pthread_mutex_unlock(&s->lock);
		if (!j) return NULL;
		if (task < 0) begin_job(s, w, j);
		else do_task(s, w, j, task, skip);
	}
}
