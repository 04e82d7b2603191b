/* stage_run - evaluates one tile of one stage: regions backwards, pixels forwards, in worker scratch.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_STAGE_RUN_H
#define IN_STAGE_RUN_H

#include "plan.h"

/* A stage at a frame, ready to be computed. Built before its tiles, frozen while they run.
 * last[i]: the last member that reads member i's planes; a member that is the identity at this frame
 * has none of its own and reads through to buf[i]. into[i]: the member that may read and write in place what
 * member i writes, or -1. */
struct stage_input { const struct net_node *src; int frame; const struct view *view; };
struct stage_job {
	struct plan *p;
	const struct stage *s;
	int frame;
	struct node_ctx *ctx; struct node_common *common; bool *same;
	int *buf, *last, *into;
	struct stage_input *in; int nin;
	int opened;
};

int stage_job_open(struct stage_job *j, struct plan *p, const struct stage *s, int frame, struct err *e);
void stage_job_close(struct stage_job *j);

/* A worker's scratch: grows to the largest tile it has met, is never given back while a render runs; on huge pages.
 * Threads: worker. */
struct stage_mem { char *p; size_t size; };
/* At least bytes, 64-byte aligned; earlier contents are lost. NULL with E_MEMORY. */
void *stage_mem_get(struct stage_mem *m, size_t bytes, struct err *e);
void stage_mem_free(struct stage_mem *m);

/* What one tile costs: scratch bytes, bytes read from other stages' pictures, those of them that are parts of rows
 * of pictures which have left the caches, operations, how many bytes of the planes are alive at once, and the bands
 * that it is computed in, with the bytes of one's result. */
struct stage_cost { size_t scratch, live, read, broken, band; int bands; double flops, traffic; };
void stage_job_cost(const struct stage_job *j, struct rect r, struct stage_cost *out);

/* Writes rect r of the stage's output into out (a view that holds r). NaNs come out canonical. */
int stage_tile(const struct stage_job *j, struct rect r, const struct view *out, struct stage_mem *mem,
               const atomic_int *cancel, struct err *e);

#endif
