/* sysinfo - what the machine, the cgroup or the batch system grants this process.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SYSINFO_H
#define IN_SYSINFO_H

#include "base.h"

int sys_threads(void);                  /* CPUs of the affinity mask, cut by the cgroup's CPU quota */
size_t sys_memory(void);                /* 3/4 of the least of free memory and cgroup limits, in bytes */
int sys_limit_threads(int n);           /* narrows the affinity mask of the process to n CPUs */

#endif
