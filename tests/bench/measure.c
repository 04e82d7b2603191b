/* measure - runs a command and prints its wall time and CPU time in microseconds and its peak memory in KiB.
 *
 * measure OUT COMMAND ARG...: the three numbers go to the file OUT; the command's own output is left alone. CPU time
 * is that of the command and of the children it waited for. Exits as the command did, 126 if it could not run.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static double us(struct timeval t) { return (double)t.tv_sec * 1e6 + (double)t.tv_usec; }

int main(int argc, char **argv)
{
	struct rusage u;
	int status;
	if (argc < 3) return 126;
	double start = now_us();
	pid_t pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		_exit(126);
	}
	if (pid < 0 || wait4(pid, &status, 0, &u) != pid) return 126;
	double wall = now_us() - start;
	FILE *f = fopen(argv[1], "w");
	if (!f) return 126;
	fprintf(f, "%.0f %.0f %ld\n", wall, us(u.ru_utime) + us(u.ru_stime), u.ru_maxrss);
	if (fclose(f) != 0) return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
