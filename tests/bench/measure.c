/* measure - runs a command and tells what it cost: wall time, CPU time, peak memory, and how much it wanted to run.
 *
 * measure OUT CORES COMMAND ARG...: four numbers go to the file OUT: wall and CPU time in microseconds (CPU time is that
 * of the command and of the children it waited for), peak memory in KiB, and the core-microseconds in which its threads
 * were running or waiting for a core, at most CORES at a time (0 with CORES 0, which looks at nothing). On a quiet
 * machine the last equals the CPU time; on a loaded one, wall x CPU / wanted is the wall time that a quiet one would
 * show. The command's own output is left alone. Exits as the command did, 126 if it could not run.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_NS = 4000000 };

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static double us(struct timeval t) { return (double)t.tv_sec * 1e6 + (double)t.tv_usec; }

/* Threads of the process that run or wait for a core now. */
static int runnable(DIR *tasks)
{
	int n = 0;
	struct dirent *d;
	rewinddir(tasks);
	while ((d = readdir(tasks))) {
		char name[300], text[256];
		if (d->d_name[0] == '.') continue;
		snprintf(name, sizeof name, "%s/stat", d->d_name);
		int fd = openat(dirfd(tasks), name, O_RDONLY);
		if (fd < 0) continue;
		ssize_t k = read(fd, text, sizeof text - 1);
		close(fd);
		if (k <= 0) continue;
		text[k] = 0;
		const char *state = strrchr(text, ')');
		n += state && state[1] == ' ' && state[2] == 'R';
	}
	return n;
}

/* Waits for the end of the command and looks at it meanwhile. */
static double watch(pid_t pid, int cores, const sigset_t *child)
{
	char path[64];
	double wanted = 0, last = now_us();
	siginfo_t info = { 0 };
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *tasks = opendir(path);
	while (tasks && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid == 0) {
		struct timespec look = { 0, LOOK_NS };
		if (sigtimedwait(child, NULL, &look) < 0 && errno != EAGAIN && errno != EINTR) break;
		int n = runnable(tasks);
		double t = now_us();
		wanted += (t - last) * (n < cores ? n : cores);
		last = t;
	}
	if (tasks) closedir(tasks);
	return wanted;
}

int main(int argc, char **argv)
{
	struct rusage u;
	sigset_t child, before;
	int status;
	if (argc < 4) return 126;
	int cores = atoi(argv[2]);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	double start = now_us();
	pid_t pid = fork();
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		execvp(argv[3], argv + 3);
		_exit(126);
	}
	double wanted = pid > 0 && cores > 0 ? watch(pid, cores, &child) : 0;
	if (pid < 0 || wait4(pid, &status, 0, &u) != pid) return 126;
	double wall = now_us() - start;
	FILE *f = fopen(argv[1], "w");
	if (!f) return 126;
	fprintf(f, "%.0f %.0f %ld %.0f\n", wall, us(u.ru_utime) + us(u.ru_stime), u.ru_maxrss, wanted);
	if (fclose(f) != 0) return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
