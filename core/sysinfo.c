/* sysinfo - see sysinfo.h; reads /proc and cgroup v1 and v2 files.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "sysinfo.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_text(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	if (!f) return false;
	size_t n = fread(buf, 1, size - 1, f);
	fclose(f);
	buf[n] = 0;
	return n > 0;
}

/* This process's cgroup v2 folder, "" when unknown. */
static void cgroup_dir(char *out, size_t size)
{
	char buf[4096], *p;
	snprintf(out, size, "/sys/fs/cgroup");
	if (!read_text("/proc/self/cgroup", buf, sizeof buf)) return;
	if (!(p = strstr(buf, "0::/"))) return;
	p += 3;
	p[strcspn(p, "\n")] = 0;
	if (strcmp(p, "/") != 0 && strlen(p) + 20 < size) strcat(out, p);
}

int sys_threads(void)
{
	cpu_set_t set;
	int n = 1;
	char dir[4096], path[4200], buf[128];
	long quota, period;
	if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
	cgroup_dir(dir, sizeof dir);
	snprintf(path, sizeof path, "%.4000s/cpu.max", dir);
	if (read_text(path, buf, sizeof buf) && sscanf(buf, "%ld %ld", &quota, &period) == 2 && period > 0) {
		long q = (quota + period - 1) / period;
		if (q >= 1 && q < n) n = (int)q;
	}
	return n < 1 ? 1 : n;
}

static void lower(size_t *limit, const char *path)
{
	char buf[128];
	unsigned long long v;
	if (read_text(path, buf, sizeof buf) && sscanf(buf, "%llu", &v) == 1 && v < *limit) *limit = (size_t)v;
}

size_t sys_memory(void)
{
	char buf[4096], dir[4096], path[4200], *p;
	size_t limit = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
	unsigned long long kb;
	if (read_text("/proc/meminfo", buf, sizeof buf) && (p = strstr(buf, "MemAvailable:")) &&
	    sscanf(p, "MemAvailable: %llu", &kb) == 1 && kb * 1024 < limit)
		limit = (size_t)kb * 1024;
	cgroup_dir(dir, sizeof dir);
	snprintf(path, sizeof path, "%.4000s/memory.max", dir);
	lower(&limit, path);
	lower(&limit, "/sys/fs/cgroup/memory/memory.limit_in_bytes");
	return limit / 4 * 3;
}

int sys_limit_threads(int n)
{
	cpu_set_t set, cut;
	if (sched_getaffinity(0, sizeof set, &set) < 0) return -1;
	if (CPU_COUNT(&set) <= n) return 0;
	CPU_ZERO(&cut);
	/* from where the system has put this process, so that several of them do not share the first CPU */
	int at = sched_getcpu();
	for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&cut) < n; i++) {
		int cpu = ((at < 0 ? 0 : at) + i) % CPU_SETSIZE;
		if (CPU_ISSET(cpu, &set)) CPU_SET(cpu, &cut);
	}
	return sched_setaffinity(0, sizeof cut, &cut);
}
