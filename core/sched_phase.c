/* sched_phase - what a job does: it runs (tiles, a frame, a sink's half) or loads, is kept on disk,
 * and is handed on. Each phase is a number of tasks for any workers; the worker that ends a phase's
 * last task opens the next one. Nothing here is called under the scheduler's lock.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "sched_int.h"

static bool packs(const struct sched *s, const struct job *j)
{
	return j->sink >= 0 && j->part == PART_STAGE && (s->sink[j->sink].kind & SINK_PACKS);
}

static int open_load(struct sched *s, struct job *j, struct err *e)
{
	j->phase = PH_LOAD;
	j->ntasks = 1;
	if (j->sink >= 0) return 0;
	if (cache_load_open(s->o->cache, &j->key, j->im, &j->load_io, e) < 0) {
		j->damaged = true;               /* the one task says so */
		return 0;
	}
	j->ntasks = cache_load_parts(j->load_io);
	return 0;
}

int phase_start(struct sched *s, struct job *j, struct err *e)
{
	const struct net_node *out = j->s->out;
	j->phase = PH_RUN;
	j->ntasks = 1;
	/* another process may have kept it since it was planned */
	if (!j->load && j->s->keep && j->has_key && j->sink < 0 && s->o->cache)
		j->load = cache_has(s->o->cache, &j->key);
	if (j->part != PART_STAGE) return 0;
	if (packs(s, j) &&
	    !(j->packed = pool_alloc(s->pool, s->sink[j->sink].packed, out->id, e))) return -1;
	if (j->sink < 0 && !(j->im = image_new(s->pool, &out->fmt, out->id, e))) return -1;
	if (j->load) return open_load(s, j, e);
	if (j->s->kind == ST_TILES) {
		j->ntx = (rect_w(out->fmt.data) + j->s->tile_w - 1) / j->s->tile_w;
		j->ntasks = j->ntx * ((rect_h(out->fmt.data) + j->s->tile_h - 1) / j->s->tile_h);
	}
	if (stage_job_open(&j->run, s->p, j->s, j->frame, e) < 0) return -1;
	j->run.nin = j->ndep;
	j->run.in = xalloc((size_t)j->ndep + 1, sizeof *j->run.in);
	j->run.nin = 0;
	for (int i = 0; i < j->ndep; i++) {
		if (!j->dep_node[i]) continue;
		struct job *d = j->dep[i];
		j->run.in[j->run.nin++] = (struct stage_input){ j->dep_node[i], d->frame, &d->im->view };
	}
	return 0;
}

/* Events come one at a time, outside the scheduler's lock. */
static void send_event(struct sched *s, const struct net_node *nn, int frame, struct pixhash h)
{
	pthread_mutex_lock(&s->event_lock);
	struct render_event ev = { nn, frame, h, ++s->events, s->total };
	if (s->o->event) s->o->event(s->o->user, &ev);
	pthread_mutex_unlock(&s->event_lock);
}

/* The parts of a sink that come after its packing. */
static int run_packed(struct sched *s, struct worker *w, struct job *j, struct err *e)
{
	struct sink_run *sk = &s->sink[j->sink];
	struct job *before = j->dep[0];
	bool code = j->part == PART_CODE;
	char root[65];
	struct sink_call c = { .c = &sk->node->ctx, .frame = j->frame, .worker = w->id, .run = sk->run,
		.hash = &j->hash, .cancel = &s->cancel, .packed = before->packed,
		.coded = code ? &j->coded : before->part == PART_CODE ? &before->coded : NULL };
	if (!(sk->kind & SINK_ORDERED)) {
		key_hex(&j->key, root);
		c.root = root;
	}
	if ((code ? net_code(sk->node, &c, e) : net_put(sk->node, &c, NULL, NULL, e)) < 0)
		return err_in(e, "write '%s'", sk->node->id);
	if (!code && before->coded) {            /* not under the lock */
		sk->node->type->uncode(before->coded);
		before->coded = NULL;
	}
	return 0;
}

/* A sink's job: packing, or writing a picture. */
static int run_sink(struct sched *s, struct worker *w, struct job *j, const struct view *in,
                    const struct needs *nd, struct err *e)
{
	struct sink_run *sk = &s->sink[j->sink];
	const struct node_type *t = sk->node->type;
	bool pack = sk->kind & SINK_PACKS;
	struct pixhash h = { 0, 0 };
	char root[65];
	struct sink_call c = { .c = &j->run.ctx[0], .frame = j->frame, .run = sk->run, .hash = &h,
		.cancel = &s->cancel, .packed = j->packed };
	if (!(sk->kind & SINK_ORDERED)) {
		key_hex(&j->key, root);
		c.root = root;
	}
	if (pack &&
	    !(c.scratch = stage_mem_get(&w->scratch,
	                                t->scratch ? t->scratch(c.c, rect_of(0, 0, 1, 1)) : 64, e)))
		return err_in(e, "write '%s'", sk->node->id);
	if ((pack ? net_pack(sk->node, &c, nd, in, e) : net_put(sk->node, &c, nd, in, e)) < 0)
		return err_in(e, "write '%s'", sk->node->id);
	j->hash = h;
	return 0;
}

/* A whole frame: decoders, frame nodes, sinks. */
static int run_frame(struct sched *s, struct worker *w, struct job *j, struct err *e)
{
	const struct net_node *nn = j->s->out;
	if (j->part != PART_STAGE) return run_packed(s, w, j, e);
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
	if (j->sink >= 0) { rc = run_sink(s, w, j, in, nd, e); goto out; }
	size_t need = net_scratch(nn, &j->run.ctx[0], r);
	void *scratch = stage_mem_get(&w->scratch, need, e);
	if (!scratch) { err_in(e, "node '%s'", nn->id); goto out; }
	rc = net_run(nn, &j->run.ctx[0], &j->run.common[0], j->frame, nd, in, &j->im->view, scratch, &s->cancel, e);
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
	int tw = j->s->tile_w, th = j->s->tile_h, x = d.x0 + tile % j->ntx * tw, y = d.y0 + tile / j->ntx * th;
	struct rect r = rect_and(rect_of(x, y, x + tw, y + th), d);
	return stage_tile(&j->run, r, &j->im->view, &w->scratch, &s->cancel, e);
}

static int run_load(struct sched *s, struct job *j, int i, struct err *e)
{
	if (j->sink >= 0) return journal_load(s->o->cache, &j->key, j->packed, s->sink[j->sink].packed, e);
	if (!j->load_io)
		return err_set(e, E_INPUT, "node '%s' frame %d: the intermediate cannot be read",
		               j->s->out->id, j->frame);
	return cache_load_part(j->load_io, i, e);
}

int phase_task(struct sched *s, struct worker *w, struct job *j, int i, struct err *e)
{
	switch (j->phase) {
	case PH_LOAD: return run_load(s, j, i, e);
	case PH_STORE: return cache_store_part(j->store_io, i, e);
	case PH_PATH: return passfile_part(j->path_io, i, e);
	default: return j->s->kind == ST_TILES ? run_tile(s, w, j, i, e) : run_frame(s, w, j, e);
	}
}

const char *phase_name(const struct job *j)
{
	switch (j->phase) {
	case PH_LOAD: return "load";
	case PH_STORE: case PH_PATH: return "keep";
	default: break;
	}
	switch (j->part) {
	case PART_CODE: return "encode";
	case PART_PUT: return j->dep[0]->part == PART_CODE ? "write" : "encode";
	default: return j->sink >= 0 ? "pack" : j->s->out->type->name;
	}
}

void phase_abort(struct job *j, const struct err *damaged)
{
	cache_load_abort(&j->load_io, damaged);
	cache_store_abort(&j->store_io);
	passfile_abort(&j->path_io);
}

/* A text parameter of a node, or NULL. */
static const char *text_of(const struct net_node *nn, const char *name)
{
	const struct param *p = param_find(nn->type->params, name);
	const char *v = NULL;
	if (p && p->type == PT_STRING) memcpy(&v, (const char *)nn->ctx.v + p->off, sizeof v);
	return v && *v ? v : NULL;
}

/* Of a kept frame: names and values. */
enum { META_ROOM = 20 };

/* Which network made it: of the pass's node that carries its model, hash, backend and parameters. */
static void model_meta(const struct net *n, const struct net_node *result, const char **meta)
{
	static const char *const names[] = { "model", "sha", "backend", "note" };
	static const char *const attrs[] = { "interneg.model", "interneg.model_sha256", "interneg.backend",
		"interneg.model_parameters" };
	int k = 0;
	for (int i = 0; i < n->nnode && !k; i++) {
		const struct net_node *nn = n->node[i];
		if (!nn->pass || nn->pass != result->pass || !text_of(nn, "backend")) continue;
		for (int a = 0; a < (int)IN_COUNT(names); a++) {
			const char *v = text_of(nn, names[a]), *file = v ? strrchr(v, '/') : NULL;
			if (!v) continue;
			meta[k++] = attrs[a];
			meta[k++] = a == 0 && file ? file + 1 : v;
		}
	}
	for (int i = 0; i < n->nnode; i++) {             /* what made it outside the promise: a library, a program */
		const struct net_node *nn = n->node[i];
		const char *why = nn->pass && nn->pass == result->pass && nn->type->outside
			? nn->type->outside(&nn->ctx) : NULL;
		if (!why) continue;
		meta[k++] = "interneg.outside";
		meta[k++] = why;
		break;
	}
	meta[k] = NULL;
}

/* On disk before anything reads it. 1: has parts. */
static int open_store(struct sched *s, struct job *j, struct err *e)
{
	const struct net_node *nn = j->s->out;
	char frame[16];
	if (j->sink >= 0 || j->load || !j->s->keep || !s->o->cache || !j->has_key) return 0;
	snprintf(frame, sizeof frame, "%d", j->frame);
	const char *meta[META_ROOM] = { "interneg.node", nn->id, "interneg.frame", frame,
		"interneg.space", colour_name(nn->fmt.space) };
	model_meta(s->n, nn, meta + 6);
	if (cache_store_open(s->o->cache, &j->key, j->im, cache_form_of(nn->pass && nn->pass->half),
	                     meta, &j->store_io, e) < 0)
		return -1;
	j->phase = PH_STORE;
	j->ntasks = cache_store_parts(j->store_io);
	return 1;
}

static int open_path(struct sched *s, struct job *j, struct err *e)
{
	const struct net_node *nn = j->s->out;
	if (j->sink >= 0 || !j->s->keep || !j->has_key || !nn->pass) return 0;
	if (s->o->cache)
		cache_link(s->o->cache, &j->key, s->n->scene->name && *s->n->scene->name ? s->n->scene->name : "graph",
		           nn->pass->id, j->frame);
	if (!nn->pass->path || s->o->dry) return 0;
	const char *meta[META_ROOM] = { "interneg.space", colour_name(nn->fmt.space) };
	model_meta(s->n, nn, meta + 2);
	if (passfile_open(&j->path_io, nn->pass->path, j->frame, &j->key, j->im, nn->pass->half, s->o->overwrite,
	                  meta, e) < 0)
		return -1;
	if (!j->path_io) return 0;
	j->phase = PH_PATH;
	j->ntasks = passfile_parts(j->path_io);
	return 1;
}

/* Handed to whoever asked for it. */
static int deliver(struct sched *s, struct job *j, struct err *e)
{
	const struct net_node *nn = j->s->out;
	if (j->sink >= 0) {
		const struct sink_run *sk = &s->sink[j->sink];
		if (packs(s, j) && !j->load && s->journal && sink_journals(sk) &&
		    journal_store(s->o->cache, &j->key, j->packed, sk->packed, SINK_PACKED_HEAD, e) < 0)
			return -1;
		if (j->load) memcpy(&j->hash, j->packed, sizeof j->hash);
		if (j->final) send_event(s, nn, j->frame, j->hash);
	} else if (j->target) {
		int rc = 0;
		if (s->o->result) {              /* callers hear of one frame at a time */
			pthread_mutex_lock(&s->event_lock);
			rc = s->o->result(s->o->user, nn, j->frame, j->im, e);
			pthread_mutex_unlock(&s->event_lock);
		}
		if (rc < 0) return -1;
		if (s->o->event) send_event(s, nn, j->frame, image_hash(j->im));
	}
	return 0;
}

int phase_next(struct sched *s, struct job *j, struct err *e)
{
	int rc = 0;
	switch (j->phase) {
	case PH_LOAD:
		if (j->load_io && cache_load_finish(&j->load_io, e) < 0) {
			j->damaged = true;
			return 0;
		}
		/* fall through */
	case PH_RUN:
		if ((rc = open_store(s, j, e)) != 0) return rc;
		/* fall through */
	case PH_STORE:
		if (j->store_io && cache_store_finish(&j->store_io, e) < 0) return -1;
		if ((rc = open_path(s, j, e)) != 0) return rc;
		/* fall through */
	default:
		if (j->path_io && passfile_finish(&j->path_io, e) < 0) return -1;
		return deliver(s, j, e);
	}
}
