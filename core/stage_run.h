/* stage_run - evaluates one tile of one stage: regions backwards, pixels forwards, in worker scratch.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_STAGE_RUN_H
#define IN_STAGE_RUN_H

#include "plan.h"

/* A stage at a frame, ready to be computed. Built before its tiles, frozen while they run. */
struct stage_input { const struct net_node *src; int frame; const struct view *view; };
struct stage_job {
	struct plan *p;
	const struct stage *s;
	int frame;
	struct node_ctx *ctx; struct node_common *common; bool *same;   /* per member; same: identity at this frame */
	struct stage_input *in; int nin;
	int opened;
};

int stage_job_open(struct stage_job *j, struct plan *p, const struct stage *s, int frame, struct err *e);
void stage_job_close(struct stage_job *j);
/* Bytes of scratch that stage_tile takes for rect r. */
size_t stage_job_scratch(const struct stage_job *j, struct rect r);
/* Writes rect r of the stage's output into out (a view that holds r). NaNs come out canonical. */
int stage_tile(const struct stage_job *j, struct rect r, const struct view *out, void *scratch,
               const atomic_int *cancel, struct err *e);

#endif
