/* sched_work - what workers do: start a job, run its tiles, finish it; never wait for another task.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "sched_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "passfile.h"
#include "rng.h"

int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool before(const struct job *a, const struct job *b)
{
	return a->order != b->order ? a->order < b->order : a->s->index < b->s->index;
}

void job_ready(struct sched *s, struct job *j)
{
	j->state = J_READY;
	s->ready = grow(s->ready, (size_t)s->nready, &s->cready, sizeof *s->ready);
	int i = s->nready++;
	for (; i > 0 && before(j, s->ready[i - 1]); i--) s->ready[i] = s->ready[i - 1];
	s->ready[i] = j;
	pthread_cond_broadcast(&s->work);
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

void job_free_image(struct sched *s, struct job *j)
{
	if (j->im) image_unref(&j->im);
	s->reserved -= j->reserved;
	j->reserved = 0;
	pthread_cond_signal(&s->idle);
}

/* A consumer is through with a result. */
static void release_dep(struct sched *s, struct job *d)
{
	if (--d->refs > 0 || d->state != J_DONE) return;
	if (d->s->temporal && d->im && !d->failed) {
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
	if (e->code == E_CANCEL || !e->msg[0]) return;   /* stopped because of another's error */
	diag_add(&s->st->problems, DIAG_ERROR, e->code, "", 0, "", "", "%s", e->msg);
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
	for (int i = 0; i < j->ndep; i++)
		if (j->dep_node[i]) release_dep(s, j->dep[i]);
	j->ndep = 0;
	if (j->sink >= 0 || j->target) {
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

static int start_job(struct sched *s, struct job *j, struct err *e)
{
	const struct net_node *out = j->s->out;
	if (j->load || j->sink >= 0) { j->ntiles = 1; }
	else if (j->s->kind == ST_FRAME) j->ntiles = 1;
	else {
		int t = s->p->tile;
		j->ntx = (rect_w(out->fmt.data) + t - 1) / t;
		j->ntiles = j->ntx * ((rect_h(out->fmt.data) + t - 1) / t);
	}
	if (j->sink < 0 && !(j->im = image_new(s->pool, &out->fmt, out->id, e))) return -1;
	if (j->load) return 0;
	if (stage_job_open(&j->run, s->p, j->s, j->frame, e) < 0) return -1;
	j->run.nin = j->ndep;
	j->run.in = xalloc((size_t)j->ndep + 1, sizeof *j->run.in);
	j->run.nin = 0;
	for (int i = 0; i < j->ndep; i++) {
		if (!j->dep_node[i]) continue;
		struct job *d = j->dep[i];
		j->run.in[j->run.nin++] = (struct stage_input){ j->dep_node[i], d->frame, &d->im->view };
	}
	for (int i = 0; j->s->kind == ST_TILES && i < j->ntiles; i++) {
		struct rect d = out->fmt.data;
		int x = d.x0 + i % j->ntx * s->p->tile, y = d.y0 + i / j->ntx * s->p->tile;
		struct rect r = rect_and(rect_of(x, y, x + s->p->tile, y + s->p->tile), d);
		size_t need = stage_job_scratch(&j->run, r);
		if (need > j->scratch) j->scratch = need;
	}
	return 0;
}

static void *worker_scratch(struct worker *w, size_t n)
{
	if (n > w->size) {
		free(w->scratch);
		w->size = (n + 4095) & ~(size_t)4095;
		w->scratch = aligned_alloc(64, w->size);
		if (!w->scratch) w->size = 0;
	}
	return w->scratch;
}

/* Events come one at a time, outside the scheduler's lock. */
static void send_event(struct sched *s, const struct net_node *nn, int frame, struct pixhash h)
{
	pthread_mutex_lock(&s->event_lock);
	struct render_event ev = { nn, frame, h, ++s->events, s->total };
	if (s->o->event) s->o->event(s->o->user, &ev);
	pthread_mutex_unlock(&s->event_lock);
}

static int run_sink(struct sched *s, struct job *j, const struct view *in, const struct needs *nd, struct err *e)
{
	struct sink_run *sk = &s->sink[j->sink];
	struct pixhash h = { 0, 0 };
	if (net_run(sk->node, &j->run.ctx[0], &j->run.common[0], j->frame, nd, in, NULL, NULL, sk->run, &h,
	            &s->cancel, e) < 0)
		return err_in(e, "write '%s'", sk->node->id);
	send_event(s, sk->node, j->frame, h);
	return 0;
}

/* A whole frame: decoders, frame nodes, sinks. */
static int run_frame(struct sched *s, struct worker *w, struct job *j, struct err *e)
{
	const struct net_node *nn = j->s->out;
	struct needs *nd = xalloc(1, sizeof *nd);
	struct view *in = xalloc(NODE_MAX_NEEDS, sizeof *in);
	struct rect r = nn->fmt.data;
	int rc = -1;
	if (j->run.same[0]) { need_add(nd, 0, j->frame, r); }
	else net_needs(nn, &j->run.ctx[0], j->frame, r, nd);
	for (int i = 0; i < nd->n; i++) {
		const struct net_node *src = nn->conn[nd->v[i].conn];
		in[i].r = rect_of(0, 0, 0, 0);
		for (int k = 0; src && !rect_empty(nd->v[i].rect) && k < j->run.nin; k++)
			if (j->run.in[k].src == src && j->run.in[k].frame == nd->v[i].frame)
				in[i] = view_sub(j->run.in[k].view, nd->v[i].rect);
	}
	if (j->sink >= 0) { rc = run_sink(s, j, in, nd, e); goto out; }
	size_t need = net_scratch(nn, &j->run.ctx[0], r);
	void *scratch = worker_scratch(w, need);
	if (!scratch) { err_set(e, E_MEMORY, "node '%s': no %zu bytes of scratch", nn->id, need); goto out; }
	rc = net_run(nn, &j->run.ctx[0], &j->run.common[0], j->frame, nd, in, &j->im->view, scratch, NULL, NULL,
	             &s->cancel, e);
	if (rc < 0) err_in(e, "node '%s' frame %d", nn->id, j->frame);
	else view_canon_nan(&j->im->view, r);
out:
	free(nd);
	free(in);
	return rc;
}

static int run_tile(struct sched *s, struct worker *w, struct job *j, int tile, struct err *e)
{
	struct rect d = j->s->out->fmt.data;
	int x = d.x0 + tile % j->ntx * s->p->tile, y = d.y0 + tile / j->ntx * s->p->tile;
	struct rect r = rect_and(rect_of(x, y, x + s->p->tile, y + s->p->tile), d);
	void *scratch = worker_scratch(w, j->scratch);
	if (!scratch) return err_set(e, E_MEMORY, "no %zu bytes of scratch for a tile", j->scratch);
	return stage_tile(&j->run, r, &j->im->view, scratch, &s->cancel, e);
}

/* The frame is whole: keep it on disk before anything reads it, deliver it where it was asked for. */
static int finish_job(struct sched *s, struct job *j, struct err *e)
{
	const struct net_node *nn = j->s->out;
	if (j->s->keep && s->o->cache && j->has_key && !j->load) {
		char frame[16];
		snprintf(frame, sizeof frame, "%d", j->frame);
		const char *meta[] = { "interneg.node", nn->id, "interneg.frame", frame,
			"interneg.space", colour_name(nn->fmt.space), NULL };
		if (cache_store(s->o->cache, &j->key, j->im, nn->pass && nn->pass->half, meta, e) < 0) return -1;
	}
	if (j->s->keep && s->o->cache && j->has_key && nn->pass)
		cache_link(s->o->cache, &j->key, s->n->scene->name && *s->n->scene->name ? s->n->scene->name : "graph",
		           nn->pass->id, j->frame);
	if (j->s->keep && j->has_key && nn->pass && nn->pass->path && !s->o->dry &&
	    passfile_write(nn->pass->path, j->frame, &j->key, j->im, nn->pass->half, s->o->overwrite, e) < 0)
		return -1;
	if (j->target) {
		if (s->o->result && s->o->result(s->o->user, nn, j->frame, j->im, e) < 0) return -1;
		send_event(s, nn, j->frame, image_hash(j->im));
	}
	return 0;
}

/* After the last tile, still in the same worker: finish and hand over. Called without the lock. */
static void complete(struct sched *s, struct worker *w, struct job *j)
{
	struct err e = ERR_INIT;
	int64_t t = now_us();
	bool bad = !j->failed && j->sink < 0 && finish_job(s, j, &e) < 0;
	if (j->s->keep || j->target) trace_add(w, "keep", j->frame, t);
	log_debug(LOG_SCHED, "worker %d: stage %d '%s' frame %d %s", w->id, j->s->index, j->s->out->id, j->frame,
	          j->failed || bad ? "failed" : j->load ? "loaded" : "done");
	pthread_mutex_lock(&s->lock);
	if (bad) {
		j->failed = true;
		report(s, &e);
	}
	if (j->load) s->st->loaded++;
	else {
		s->st->computed += j->sink < 0;
		s->st->stored += j->s->keep && s->o->cache && !j->failed;
	}
	job_done(s, j);
	pthread_mutex_unlock(&s->lock);
}

static bool lane_free(const struct sched *s, const struct job *j)
{
	int lanes = j->sink >= 0 ? 1 : j->load ? 0 : j->s->kind == ST_FRAME ? j->s->out->type->lanes : 0;
	return lanes == 0 || s->running[j->s->index] < lanes;
}

/* The oldest task that may run; *tile -1: the job is to be started. */
static struct job *pick(struct sched *s, int *tile)
{
	for (int i = 0; i < s->nready; i++) {
		struct job *j = s->ready[i];
		if (j->state == J_READY && lane_free(s, j)) {
			j->state = J_START;
			s->running[j->s->index]++;
			*tile = -1;
			return j;
		}
		if (j->state == J_TILES && j->next_tile < j->ntiles) {
			*tile = j->next_tile++;
			if (j->next_tile == j->ntiles) unready(s, j);
			return j;
		}
	}
	return NULL;
}

/* Ends a task; the one that ends a job's last task completes it. Called under the lock, returns without it. */
static void end_task(struct sched *s, struct worker *w, struct job *j, int rc, const struct err *e)
{
	if (rc < 0 && !j->failed) {
		j->failed = true;
		report(s, e);
	}
	bool last = --j->tiles_left == 0;
	if (last) {
		s->running[j->s->index]--;
		pthread_cond_broadcast(&s->work);
	}
	pthread_mutex_unlock(&s->lock);
	if (last) complete(s, w, j);
}

static void begin_job(struct sched *s, struct worker *w, struct job *j)
{
	struct err e = ERR_INIT;
	bool dead = j->poisoned || s->broken;
	pthread_mutex_unlock(&s->lock);
	int rc = dead ? 0 : start_job(s, j, &e);
	pthread_mutex_lock(&s->lock);
	if (dead || rc < 0) {
		unready(s, j);
		j->failed = true;
		if (rc < 0) report(s, &e);
		j->tiles_left = 1;
		end_task(s, w, j, 0, &e);
		return;
	}
	j->state = J_TILES;
	j->tiles_left = j->ntiles;
	j->next_tile = 0;
	if (j->ntiles > 1) {
		pthread_cond_broadcast(&s->work);
		pthread_mutex_unlock(&s->lock);
		return;
	}
	j->next_tile = 1;
	unready(s, j);
	pthread_mutex_unlock(&s->lock);
	int64_t t = now_us();
	if (j->load) {
		rc = cache_load(s->o->cache, &j->key, j->im, &e);
		if (rc < 0) {
			/* a planned hit that proves damaged is planned again, by the admitting thread */
			pthread_mutex_lock(&s->lock);
			s->running[j->s->index]--;
			image_unref(&j->im);
			j->state = J_AGAIN;
			s->again = grow(s->again, (size_t)s->nagain, &s->cagain, sizeof *s->again);
			s->again[s->nagain++] = j;
			pthread_cond_broadcast(&s->idle);
			pthread_mutex_unlock(&s->lock);
			return;
		}
	} else rc = j->s->kind == ST_TILES ? run_tile(s, w, j, 0, &e) : run_frame(s, w, j, &e);
	trace_add(w, j->load ? "load" : j->s->out->type->name, j->frame, t);
	pthread_mutex_lock(&s->lock);
	end_task(s, w, j, rc, &e);
}

void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct sched *s = w->s;
	for (;;) {
		int tile;
		struct job *j;
		pthread_mutex_lock(&s->lock);
		while (!(j = pick(s, &tile)) && !s->stop) pthread_cond_wait(&s->work, &s->lock);
		if (!j) {
			pthread_mutex_unlock(&s->lock);
			return NULL;
		}
		if (tile < 0) {
			begin_job(s, w, j);
			continue;
		}
		bool skip = j->failed;
		pthread_mutex_unlock(&s->lock);
		stall(w);
		struct err e = ERR_INIT;
		int64_t t = now_us();
		int rc = skip ? 0 : run_tile(s, w, j, tile, &e);
		trace_add(w, j->s->out->type->name, j->frame, t);
		pthread_mutex_lock(&s->lock);
		end_task(s, w, j, rc, &e);
	}
}
