/* test - the smallest harness: every check prints "ok NAME" or "not ok NAME: why"; tests/run.sh counts them.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_TEST_H
#define IN_TEST_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int test_failed;

__attribute__((unused, format(printf, 2, 3)))
static void test_ok(int good, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	printf("%s ", good ? "ok" : "not ok");
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	if (!good) test_failed = 1;
}
__attribute__((unused, format(printf, 1, 2)))
static void test_skip(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	printf("skip ");
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}
/* A line of the parity table (tests/tools/parity.sh): the largest error of what against its oracle. */
__attribute__((unused))
static void test_parity(const char *what, const char *oracle, double error, double limit)
{
	if (getenv("PARITY")) printf("parity|%s|%s|%.1e|%.0e\n", what, oracle, error, limit);
	if (!(error <= limit)) test_ok(0, "%s as %s: off by %.3g, limit %.0e", what, oracle, error, limit);
}
/* ../shared/data beside the project, or NULL: tests that want it skip. */
__attribute__((unused))
static const char *test_data(void)
{
	static const char *dirs[] = { "../shared/data", "/work/shared/data" };
	for (int i = 0; i < 2; i++)
		if (access(dirs[i], R_OK) == 0) return dirs[i];
	return NULL;
}
/* A fresh folder for this test's files, under $B or /tmp. */
__attribute__((unused))
static const char *test_tmp(void)
{
	static char dir[256];
	if (!dir[0]) {
		snprintf(dir, sizeof dir, "/tmp/interneg-test-XXXXXX");
		if (!mkdtemp(dir)) { perror("mkdtemp"); exit(1); }
	}
	return dir;
}
#define TEST_END() return test_failed

#endif
