/* motion - times flow between two planes of raw floats and writes dx, dy: "FROM TO W H QUALITY OUT" -> CPU ms, with confidence ms.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "motion.h"
#include "node.h"

enum { RUNS = 5 };

static float *load(const char *path, size_t n)
{
	float *p = malloc(n * sizeof *p);
	FILE *f = fopen(path, "rb");
	if (!p || !f || fread(p, sizeof *p, n, f) != n) { fprintf(stderr, "motion: cannot read %s\n", path); exit(1); }
	fclose(f);
	return p;
}

static double cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	if (argc != 7) return 2;
	int w = atoi(argv[3]), h = atoi(argv[4]), quality = atoi(argv[5]);
	size_t n = (size_t)w * (size_t)h, bytes = motion_scratch(w, h, quality);
	float *from = load(argv[1], n), *to = load(argv[2], n), *out = malloc(3 * n * sizeof *out);
	void *scratch = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	double best[2] = { 1e9, 1e9 };
	if (!out || !scratch || node_isa_set(ISA_AUTO, &e) < 0) return 1;
	for (int i = 0; i < 2 * RUNS; i++) {
		struct motion_job j = { .from = from, .to = to, .pitch = w, .w = w, .h = h, .quality = quality, .dx = out, .dy = out + n,
			.confidence = i & 1 ? out + 2 * n : NULL, .out_pitch = w, .scratch = scratch };
		double t = cpu_ms();
		motion_estimate(&j);
		t = cpu_ms() - t;
		if (t < best[i & 1]) best[i & 1] = t;
	}
	printf("%.2f %.2f\n", best[0], best[1]);
	FILE *f = fopen(argv[6], "wb");
	if (!f || fwrite(out, sizeof *out, 2 * n, f) != 2 * n || fclose(f)) return 1;
	free(from);
	free(to);
	free(out);
	free(scratch);
	return 0;
}
