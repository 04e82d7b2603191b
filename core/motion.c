/* motion - see motion.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "motion.h"

#include "node.h"
#include "px_motion_flow.h"

size_t motion_scratch(int w, int h, int quality)
{
	struct mo m;
	return (px_motion_open(&m, w, h, quality, NULL) + 16) * sizeof(float);
}

int motion_estimate(const struct motion_job *j)
{
	const char *isa = node_isa_name();
	const struct motion_ops *o = strcmp(isa, "avx512") == 0 ? &motion_ops_avx512
	                             : strcmp(isa, "avx2") == 0 ? &motion_ops_avx2 : &motion_ops_baseline;
	return o->estimate(j);
}
