/* approve - approvals that stand in the scene: whether they hold, and what
 * a write of class final still lacks.
 *
 * An approval's hash is over the keys of all frames of the pass's result, the picture's over the
 * facts of picture.h. A key determines the pixels, so an approval is void as soon as they can
 * have changed, without rendering anything. When only the decoder of a source is another than
 * the lock's, the keys are taken as the lock's decoder gives them, and the approval holds if the
 * source still decodes to the locked frames.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_APPROVE_H
#define IN_APPROVE_H

#include "lockfile.h"

#define APPROVE_PICTURE "picture"

/* Threads: worker. */
struct approvals {
	struct session *s;
	struct lock_facts lock; bool has_lock;
	struct lock_facts now;               /* decoded lines, worked out when first needed */
	/* -1 not known, 0 as locked, 1 other, the same frames, 2 other frames */
	int decoders;
};

void approvals_open(struct approvals *a, struct session *s);
void approvals_close(struct approvals *a);
/* The pass of a shot ("": of the scene itself), or NULL. */
const struct net_pass *approvals_pass(const struct net *n, const char *shot, const char *pass);
/* What an approval of it would say now. E_USAGE when there is no such pass. */
int approvals_hash(struct approvals *a, const char *shot, const char *pass,
                   char hex[APPROVE_DIGITS + 1], struct err *e);
/* Whether v holds; why says more, also when it does. -1: it cannot be told. */
int approvals_valid(struct approvals *a, const struct approve *v, char *why, size_t n, struct err *e);
/* Findings on every asked write of class final: approvals that are missing or void. The count, or -1. */
int approvals_demand(struct approvals *a, enum diag_level level, struct diags *d, struct err *e);

#endif
