/* plan_int - shared by the files of the planner only.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PLAN_INT_H
#define IN_PLAN_INT_H

#include "plan.h"

/* What every stage reserves, and who for whom. */
void plan_reserve(struct plan *p);
/* Chooses the size of a stage's tiles and fills in what a frame of it costs. */
void plan_tiles(struct plan *p, struct stage *s);

#endif
