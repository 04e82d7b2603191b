/* sched_int - jobs, workers and their one mutex; shared by the files of the scheduler only.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SCHED_INT_H
#define IN_SCHED_INT_H

#include <pthread.h>

#include "journal.h"
#include "passfile.h"
#include "render.h"
#include "stage_run.h"

/* Scheduler's data: everything below is read and written under sched.lock,
 * except what a running task owns. */
enum job_state { J_NEW, J_WAIT, J_READY, J_START, J_TASKS, J_AGAIN, J_DONE };
/* READY: may be started. START: one worker prepares it. TASKS: a phase's tasks are handed out.
 * AGAIN: a damaged intermediate, to be planned anew. */
enum job_phase { PH_RUN, PH_LOAD, PH_STORE, PH_PATH };

/* A sink's frame is one job (a picture written to a file of its own) or two: packing, by any worker
 * in any order, and PUT, which hands packed frames to the encoder in order. Where frames are encoded
 * each for itself CODE stands between the two, by any worker in any order, and PUT only writes. */
enum job_part { PART_STAGE, PART_CODE, PART_PUT };
struct job {
	const struct stage *s;
	int id;                              /* stage index; of sinks' further parts, behind the stages */
	enum job_part part; bool final;      /* final: its end is a frame that was asked for */
	void *packed, *coded;
	int frame, order;                    /* order: index of the output frame that first asked for it */
	enum job_state state;
	bool load, failed, poisoned, target, cached;   /* cached: held for later temporal windows */
	struct key key; bool has_key;
	int pending;                         /* unfinished inputs */
	struct job **dep; struct net_node const **dep_node; int ndep;
	struct job **user; int nuser; size_t cuser;
	int refs;                            /* consumers that will still read the picture */
	struct image *im;
	size_t reserved;
	bool begun;                          /* its picture counts among those of sched.live */
	struct job *heir;                    /* gets what is reserved beyond the picture, once that is there */
	struct stage_job run;
	enum job_phase phase; int ntx, ntasks, next_task, tasks_left;
	/* tasks still handed out do nothing; why an intermediate could not be read */
	bool skip, damaged; struct err load_err;
	struct cache_load *load_io; struct cache_store *store_io; struct passfile *path_io;
	int sink;                            /* index of the sink, -1 otherwise */
	struct pixhash hash;                 /* of a sink's frame */
	struct job *next;                    /* all jobs of a hash bucket */
};

/* The last output frame, by its place among those asked for, that needs a frame. Ascending frames. */
struct last_use { int frame, order; };
struct last_uses { struct last_use *v; int n; size_t cap; };

struct worker { struct sched *s; int id; pthread_t thread; bool started;
	struct stage_mem scratch; uint64_t seed;
	struct trace_event *ev; int nev; size_t cev; };
/* cpu_us: how long the worker really ran. */
struct trace_event { const char *name; int frame; int64_t start_us, dur_us, cpu_us; };
struct trace_mark { int64_t us, cpu_us; };

struct sched {
	struct net *n; struct plan *p; const struct render_opts *o; struct render_stats *st;
	struct keymemo *km;
	pthread_mutex_t lock, event_lock;
	int events;                          /* under event_lock */
	pthread_cond_t work, idle;           /* for workers; for the admitting thread */
	struct job **bucket; size_t nbucket;
	struct job **ready; int nready; size_t cready;      /* sorted by order, then stage */
	struct job **again; int nagain; size_t cagain;
	struct job **held; int nheld; size_t cheld;         /* cached results, oldest first */
	struct last_uses *last;              /* per stage, of those whose pictures are held; NULL where none are */
	int admitted;                        /* the output frame that was admitted last */
	int *running;                        /* per stage: calls in its lane */
	int inflight, finals;                /* jobs submitted and not done; those of them that end a frame */
	size_t reserved, budget, fixed;      /* of --memory: for pictures in flight, for pictures, for all else */
	/* pictures of tiles that are there; how many bytes of them are begun while others work; workers that do */
	size_t live, most; int busy;
	bool stop;                           /* workers leave */
	bool broken;                         /* a failure that ends the whole render */
	atomic_int cancel;
	struct err first;
	struct worker *worker; int nworker;
	struct sink_run *sink; int nsink;
	struct job **last_sink;              /* per sink: the put of the frame before, for order */
	bool journal;                        /* clips' packed frames are kept until the clip is whole */
	int total, done;
	struct pool *pool;
	int64_t t0;
};

int64_t now_us(void);
/* sched_work.c */
void *worker_main(void *arg);
void job_ready(struct sched *s, struct job *j);
void job_free_image(struct sched *s, struct job *j);
/* sched_phase.c: tasks of the phase that is open; next: 1 another phase, 0 over (or damaged), -1 failed */
int phase_start(struct sched *s, struct job *j, struct err *e);
int phase_task(struct sched *s, struct worker *w, struct job *j, int i, struct err *e);
int phase_next(struct sched *s, struct job *j, struct err *e);
void phase_abort(struct job *j, const struct err *damaged);
const char *phase_name(const struct job *j);
/* sched_admit.c */
struct job *job_find(struct sched *s, int stage, int frame);
void job_drop(struct sched *s, struct job *j);
int admit_frame(struct sched *s, int order, int frame, const struct frame_list *lists,
                struct net_node **targets, int ntargets, struct err *e);
int admit_again(struct sched *s, struct job *j, struct err *e);
bool evict_one(struct sched *s);
/* sched_last.c */
/* Fills s->last for those n output frames; lists are the targets'. Before anything is admitted. */
int last_uses(struct sched *s, const struct frame_list *lists, const int *frames, int n, struct err *e);
/* Will a frame that is still to be admitted need the picture of j, a held stage's? */
bool needed_later(const struct sched *s, const struct job *j);
void last_free(struct sched *s);
/* sched_trace.c */
/* Where an event begins; both cost nothing where no trace is asked for. */
struct trace_mark trace_begin(const struct worker *w);
void trace_add(struct worker *w, const char *name, int frame, struct trace_mark begin);
int trace_write(const struct sched *s, const char *path, struct err *e);

#endif
