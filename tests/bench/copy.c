/* copy - what memory gives here: GB/s that memcpy moves from one picture-sized buffer to another, on one thread and on
 * two at once. Jobs at the speed of memory get no quicker than this by more threads.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BYTES = 24 << 20, TIMES = 40 };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *copies(void *gb)
{
	char *a = malloc(BYTES), *b = malloc(BYTES);
	if (!a || !b) exit(1);
	memset(a, 1, BYTES);
	memset(b, 2, BYTES);
	double t = now();
	for (int i = 0; i < TIMES; i++) {
		memcpy(i & 1 ? a : b, i & 1 ? b : a, BYTES);
		__asm__ volatile("" : : "r"(a), "r"(b) : "memory");
	}
	*(double *)gb = 1e-9 * BYTES * TIMES / (now() - t);
	free(a);
	free(b);
	return NULL;
}

int main(void)
{
	double one, two[2];
	pthread_t t;
	copies(&one);
	if (pthread_create(&t, NULL, copies, &two[0]) != 0) return 1;
	copies(&two[1]);
	pthread_join(t, NULL);
	printf("%.1f %.1f\n", one, two[0] + two[1]);
	return 0;
}
