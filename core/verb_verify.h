/* verb_verify - what the files of `interneg verify` share; private to verb_verify*.c.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_VERB_VERIFY_H
#define IN_VERB_VERIFY_H

#include "lockfile.h"

/* Compares everything and prints what differs; E_VERIFY. */
int verify_session(struct session *s, const struct lock_facts *lock, struct err *e);
/* Prints by how much a frame of a write differs from the locked one: from the write's file when
 * it is still the locked one, and from the kept passes in the cache. Says so when the earlier
 * pixels cannot be had. The net is spent. */
void verify_measure(struct session *s, const struct lock_facts *lock, const char *write, int frame);
/* Whether the finished files of a write are the locked ones: root key, and where the format is
 * lossless the pixels themselves. How many are not; says which. -1 on errors. */
int verify_files(struct session *s, const struct lock_facts *lock, struct net_node *nn,
                 const char *frames, struct err *e);

#endif
