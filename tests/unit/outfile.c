/* Files that appear whole: several processes that write one name do not take each other's temporaries away.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "outfile.h"
#include "test.h"

enum { WRITERS = 6, TIMES = 400, BYTES = 4096 };

static char path[300];

static int put(int value, struct err *e)
{
	char bytes[BYTES];
	struct outfile f = OUTFILE_INIT;
	memset(bytes, value, sizeof bytes);
	if (outfile_open(&f, path, e) < 0) return -1;
	if (outfile_write(&f, bytes, sizeof bytes, 0, e) == 0) return outfile_publish(&f, e);
	outfile_abort(&f);
	return -1;
}

/* One value all through? */
static bool whole(void)
{
	char bytes[BYTES + 1];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
	if (fd >= 0) close(fd);
	for (ssize_t i = 1; i < n; i++) if (bytes[i] != bytes[0]) return false;
	return n == BYTES;
}

static int files(void)
{
	DIR *d = opendir(test_tmp());
	int n = 0;
	for (struct dirent *de; d && (de = readdir(d)); ) n += strcmp(de->d_name, ".") && strcmp(de->d_name, "..");
	if (d) closedir(d);
	return n;
}

static void crowd(void)
{
	int status, bad = 0;
	fflush(stdout);
	for (int i = 0; i < WRITERS; i++) {
		struct err e = ERR_INIT;
		pid_t p = fork();
		if (p) continue;
		for (int k = 0; k < TIMES; k++)
			if (put('a' + i, &e) < 0 || !whole()) {
				printf("# %s\n", e.msg);
				fflush(stdout);
				_exit(1);
			}
		_exit(0);
	}
	while (wait(&status) > 0) bad += !WIFEXITED(status) || WEXITSTATUS(status);
	test_ok(!bad, "%d processes put one file %d times each: %d of them failed", WRITERS, TIMES, bad);
	test_ok(whole() && files() == 1, "the file is one writer's, and alone: %d", files());
}

static void stale(void)
{
	char left[360];
	struct err e = ERR_INIT;
	snprintf(left, sizeof left, "%s/.file.tmp.1.1", test_tmp());
	int fd = open(left, O_WRONLY | O_CREAT, 0600);
	if (fd >= 0) close(fd);
	int rc = fd < 0 ? -1 : put('x', &e), n = files();
	test_ok(rc == 0 && n == 1, "what a dead writer left is taken away: %d file %s", n, e.msg);
	struct outfile f = OUTFILE_INIT;
	test_ok(outfile_open(&f, path, &e) == 0 && outfile_write(&f, "y", 1, 0, &e) == 0, "opened %s", e.msg);
	outfile_abort(&f);
	test_ok(whole() && files() == 1, "given up: nothing changes, nothing is left");
	unlink(path);
}

int main(void)
{
	snprintf(path, sizeof path, "%s/file", test_tmp());
	crowd();
	stale();
	rmdir(test_tmp());
	TEST_END();
}
