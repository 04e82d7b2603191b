/* sched_admit - turns asked frames into jobs: the unfinished closure of one output frame, cache
 * hits pruned.
 * Everything here runs on the admitting thread, under the scheduler's lock.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "sched_int.h"

#include <stdlib.h>
#include <string.h>

static size_t bucket_of(const struct sched *s, int stage, int frame)
{
	uint64_t h = ((uint64_t)(uint32_t)stage << 32 | (uint32_t)frame) * 0x9E3779B97F4A7C15u;
	return (size_t)(h >> 30) % s->nbucket;
}

struct job *job_find(struct sched *s, int stage, int frame)
{
	struct job *j = s->bucket[bucket_of(s, stage, frame)];
	while (j && (j->id != stage || j->frame != frame)) j = j->next;
	return j;
}

void job_drop(struct sched *s, struct job *j)
{
	struct job **p = &s->bucket[bucket_of(s, j->id, j->frame)];
	while (*p != j) p = &(*p)->next;
	*p = j->next;
	free(j->dep);
	free(j->dep_node);
	free(j->user);
	free(j);
}

static struct job *job_new(struct sched *s, const struct stage *st, int id, int frame, int order)
{
	struct job *j = xalloc(1, sizeof *j);
	size_t b = bucket_of(s, id, frame);
	j->s = st;
	j->id = id;
	j->frame = frame;
	j->order = order;
	j->sink = -1;
	j->next = s->bucket[b];
	s->bucket[b] = j;
	return j;
}

static void unhold(struct sched *s, struct job *j)
{
	if (!j->cached) return;
	for (int i = 0; i < s->nheld; i++)
		if (s->held[i] == j) {
			memmove(&s->held[i], &s->held[i + 1], (size_t)(s->nheld - i - 1) * sizeof *s->held);
			s->nheld--;
			break;
		}
	j->cached = false;
}

static void evict(struct sched *s, struct job *j)
{
	unhold(s, j);
	job_free_image(s, j);
	job_drop(s, j);
}

bool evict_one(struct sched *s)
{
	if (!s->nheld) return false;
	evict(s, s->held[0]);
	return true;
}

/* What is held for frames that went without it. */
static void evict_passed(struct sched *s)
{
	for (int i = s->nheld - 1; i >= 0; i--)
		if (!needed_later(s, s->held[i])) evict(s, s->held[i]);
}

static void link_dep(struct job *j, struct job *d, const struct net_node *node)
{
	j->dep = xrealloc(j->dep, (size_t)j->ndep + 1, sizeof *j->dep);
	j->dep_node = xrealloc(j->dep_node, (size_t)j->ndep + 1, sizeof *j->dep_node);
	j->dep[j->ndep] = d;
	j->dep_node[j->ndep++] = node;
	if (node) d->refs++;
	if (d->state == J_DONE) return;
	d->user = grow(d->user, (size_t)d->nuser, &d->cuser, sizeof *d->user);
	d->user[d->nuser++] = j;
	j->pending++;
}

struct closure { struct sched *s; int order; struct job **fresh; int n, finals; size_t cap; size_t bytes; };

static struct job *close_over(struct closure *c, int stage, int frame, struct err *e);

static int add_deps(struct closure *c, struct job *j, struct err *e)
{
	struct stage_needs nd = { 0 };
	int rc = -1;
	if (stage_inputs(c->s->p, j->s, j->frame, &nd, e) < 0) goto out;
	for (int i = 0; i < nd.n; i++) {
		struct job *d = close_over(c, c->s->p->stage_of[nd.v[i].src->index], nd.v[i].frame, e);
		if (!d) goto out;
		if (d->failed) j->poisoned = true;
		link_dep(j, d, nd.v[i].src);
	}
	rc = 0;
out:
	free(nd.v);
	return rc;
}

static void add_fresh(struct closure *c, struct job *j)
{
	c->fresh = grow(c->fresh, (size_t)c->n, &c->cap, sizeof *c->fresh);
	c->fresh[c->n++] = j;
	c->bytes += j->reserved;
}

static struct job *close_over(struct closure *c, int stage, int frame, struct err *e)
{
	struct sched *s = c->s;
	const struct stage *st = &s->p->stage[stage];
	struct job *j = job_find(s, stage, frame);
	if (j) {
		unhold(s, j);
		return j;
	}
	j = job_new(s, st, stage, frame, c->order);
	j->reserved = st->reserve;
	add_fresh(c, j);
	if (st->keep) {
		if (net_key(s->km, st->out, frame, &j->key, e) < 0) return NULL;
		j->has_key = true;
		j->load = s->o->cache && cache_has(s->o->cache, &j->key);
	}
	if (j->load) {                       /* nothing before it is computed */
		c->bytes -= j->reserved - st->bytes;
		j->reserved = st->bytes;
		return j;
	}
	return add_deps(c, j, e) < 0 ? NULL : j;
}

/* Does it read a picture of its own group's? */
static bool within_group(const struct job *j)
{
	for (int i = 0; i < j->ndep; i++)
		if (j->dep_node[i] && j->dep[i]->s->leader == j->s->leader && j->dep[i]->frame == j->frame) return true;
	return false;
}

/* j, a leader, and its group come after the same stage's frame before, and take over what that
 * reserved. */
static void follow(struct closure *c, struct job *j, struct job *before)
{
	size_t surplus = j->reserved - j->s->bytes;
	before->heir = j;
	j->reserved -= surplus;
	c->bytes -= surplus;
	for (int i = 0; i < c->n; i++) {
		struct job *k = c->fresh[i];
		if (k->sink < 0 && k->s->leader == j->s->index && k->frame == j->frame && !within_group(k))
			link_dep(k, before, NULL);
	}
}

static void take_turns(struct closure *c)
{
	struct job *last = NULL;
	for (int i = 0; i < c->n; i++) {
		struct job *j = c->fresh[i];
		if (j->sink >= 0 || j->load || !stage_takes_turns(j->s)) continue;
		last = NULL;
		for (int k = 0; k < i; k++)
			if (c->fresh[k]->id == j->id && !c->fresh[k]->load) last = c->fresh[k];
		if (last) follow(c, j, last);
	}
}

/* Enough output frames are under way: an encoder or a disk that is slow holds back what comes
 * before it. */
static bool deep_enough(const struct closure *c)
{
	return c->s->finals > 0 && c->s->finals + c->finals > c->finals * (2 * c->s->nworker + 4);
}

/* Waits for something to finish. Under the lock, which it lets go of meanwhile. */
static int wait_idle(struct sched *s, struct err *e)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 100 * 1000000;
	if (until.tv_nsec >= 1000000000) { until.tv_nsec -= 1000000000; until.tv_sec++; }
	pthread_cond_timedwait(&s->idle, &s->lock, &until);
	if (s->o->cancel && atomic_load(s->o->cancel)) return err_set(e, E_CANCEL, "cancelled");
	int done = s->done;
	pthread_mutex_unlock(&s->lock);
	if (s->o->tick) s->o->tick(s->o->user, done, s->total);
	pthread_mutex_lock(&s->lock);
	return 0;
}

/* Waits until the closure fits; the oldest frame always gets in once nothing else is in flight. */
static int reserve(struct closure *c, struct err *e)
{
	struct sched *s = c->s;
	for (int i = 0; i < c->n; i++) c->finals += c->fresh[i]->final || c->fresh[i]->target;
	while ((s->reserved + c->bytes > s->budget || deep_enough(c)) && !s->broken) {
		bool full = s->reserved + c->bytes > s->budget;
		if (full && evict_one(s)) continue;
		if (full && s->inflight == 0 && s->nagain == 0)
			return err_set(e, E_MEMORY, "one frame needs --memory %zuM: %zu MiB of pictures, %zu "
			               "MiB of program and codecs",
			               ((c->bytes + s->reserved + s->fixed) >> 20) + 1,
			               (c->bytes + s->reserved) >> 20, s->fixed >> 20);
		while (s->nagain > 0)
			if (admit_again(s, s->again[--s->nagain], e) < 0) return -1;
		if (wait_idle(s, e) < 0) return -1;
	}
	s->finals += c->finals;
	return 0;
}

static void submit(struct closure *c)
{
	struct sched *s = c->s;
	s->reserved += c->bytes;
	for (int i = 0; i < c->n; i++) {
		struct job *j = c->fresh[i];
		j->state = J_WAIT;
		s->inflight++;
	}
	for (int i = 0; i < c->n; i++)
		if (c->fresh[i]->state == J_WAIT && c->fresh[i]->pending == 0) job_ready(s, c->fresh[i]);
}

/* A closure that cannot be run is taken apart again. */
static void abandon(struct closure *c)
{
	for (int i = c->n - 1; i >= 0; i--) {
		struct job *j = c->fresh[i];
		for (int k = 0; k < j->ndep; k++) {
			struct job *d = j->dep[k];
			if (j->dep_node[k]) d->refs--;
			for (int u = 0; u < d->nuser; u++)
				if (d->user[u] == j) d->user[u--] = d->user[--d->nuser];
		}
	}
	for (int i = 0; i < c->n; i++) job_drop(c->s, c->fresh[i]);
}

static bool asks(const struct frame_list *l, int frame)
{
	int lo = 0, hi = l->n;
	while (lo < hi) {
		int mid = (lo + hi) / 2;
		if (l->v[mid] < frame) lo = mid + 1; else hi = mid;
	}
	return lo < l->n && l->v[lo] == frame;
}

/* A clip's frames come one after the other. */
static void keep_order(struct sched *s, int i, struct job *j)
{
	if (!(s->sink[i].kind & SINK_ORDERED)) return;
	if (s->last_sink[i]) link_dep(j, s->last_sink[i], NULL);
	s->last_sink[i] = j;
}

/* A further part of a sink's frame, which takes what the one before made. */
static struct job *add_part(struct closure *c, int i, enum job_part part, struct job *before)
{
	struct sched *s = c->s;
	struct job *j = job_new(s, before->s, s->p->nstage + 2 * i + (part == PART_PUT), before->frame, c->order);
	j->part = part;
	j->sink = i;
	j->key = before->key;
	j->has_key = before->has_key;
	add_fresh(c, j);
	link_dep(j, before, before->s->out);
	return j;
}

/* The encoder's parts of a frame: after its packing and, for clips, written after the frame before. */
static void add_put(struct closure *c, int i, struct job *pack)
{
	struct job *before = c->s->sink[i].kind & SINK_CODES ? add_part(c, i, PART_CODE, pack) : pack;
	struct job *put = add_part(c, i, PART_PUT, before);
	put->final = true;
	keep_order(c->s, i, put);
}

static int add_sink(struct closure *c, int i, int frame, struct err *e)
{
	struct sched *s = c->s;
	struct sink_run *sk = &s->sink[i];
	int stage = s->p->stage_of[sk->node->index];
	if (sk->fresh || !asks(&sk->frames, frame)) return 0;
	struct job *j = job_new(s, &s->p->stage[stage], stage, frame, c->order);
	j->sink = i;
	j->reserved = sk->packed;
	add_fresh(c, j);
	if (net_key(s->km, sk->node, frame, &j->key, e) < 0) return -1;
	j->has_key = true;
	j->load = s->journal && sink_journals(sk) && journal_has(s->o->cache, &j->key);
	if (!j->load && add_deps(c, j, e) < 0) return -1;
	if ((sk->kind & SINK_PACKS) && !sk->job.part && !sk->job.dry) add_put(c, i, j);
	else {
		j->final = true;
		if (!(sk->kind & SINK_PACKS)) keep_order(s, i, j);
	}
	return 0;
}

int admit_frame(struct sched *s, int order, int frame, const struct frame_list *lists,
                struct net_node **targets, int ntargets, struct err *e)
{
	struct closure c = { .s = s, .order = order };
	int rc = -1;
	for (int i = 0; i < ntargets; i++) {
		if (!asks(&lists[i], frame)) continue;
		int stage = s->p->stage_of[targets[i]->index];
		struct job *j = close_over(&c, stage, frame, e);
		if (!j) goto out;
		j->target = true;
	}
	for (int i = 0; i < s->nsink; i++)
		if (add_sink(&c, i, frame, e) < 0) goto out;
	take_turns(&c);
	s->admitted = order;
	evict_passed(s);
	if (reserve(&c, e) < 0) goto out;
	submit(&c);
	rc = 0;
out:
	if (rc < 0) {
		for (int i = 0; i < s->nsink; i++) s->last_sink[i] = NULL;
		abandon(&c);
	}
	free(c.fresh);
	return rc;
}

int admit_again(struct sched *s, struct job *j, struct err *e)
{
	struct closure c = { .s = s, .order = j->order };
	j->load = false;
	if (add_deps(&c, j, e) < 0) {
		abandon(&c);
		free(c.fresh);
		return -1;
	}
	/* what it needs is more than was reserved; the frames at hand make room as they finish */
	submit(&c);
	j->state = J_WAIT;
	if (j->pending == 0) job_ready(s, j);
	free(c.fresh);
	return 0;
}
