/* Grading nodes against another system's numbers: tests/unit/gradevec.txt, frozen from OpenColorIO 2.1.2, or
 * the file in $GRADE_VECTORS (tests/tools/parity-grade.sh makes one from the OpenColorIO that is installed).
 * A block is "transform TOLERANCE NODE NAME", a line of attributes, and lines of six numbers: in and out.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

struct block { char node[32], name[160]; double tolerance; char *set[32]; char attrs[4096]; int n; double v[256][6]; };

static double absd(double v) { return v < 0 ? -v : v; }

static void check(const struct block *b)
{
	struct err e = ERR_INIT;
	struct nc n;
	struct format f = nc_format(b->n, 1, "R G B", "acescg");
	struct image *im = nc_image(&f);
	double worst = 0;
	int at = 0;
	for (int i = 0; i < b->n; i++)
		for (int k = 0; k < 3; k++) *view_at(&im->view, k, i, 0) = (float)b->v[i][k];
	if (!nc_make(&n, nc_type(nodes_baseline, b->node), &im, 1, (const char *const *)b->set, &e)) {
		test_ok(0, "%s %s: %s", b->node, b->name, e.msg);
		image_unref(&im);
		return;
	}
	struct image *out = nc_run(&n, 1, 0, 0);
	for (int i = 0; i < b->n; i++)
		for (int k = 0; k < 3; k++) {
			double want = b->v[i][3 + k], scale = absd(want) > 1 ? absd(want) : 1;
			double d = absd(*view_at(&out->view, k, i, 0) - want) / scale;
			if (!(d <= worst)) { worst = d; at = i * 3 + k; }
		}
	if (!(worst <= b->tolerance))
		printf("# %s: line %d channel %d: in %.7g, is %.8g, not %.8g\n", b->name, at / 3 + 1, at % 3,
		       b->v[at / 3][at % 3], *view_at(&out->view, at % 3, at / 3, 0), b->v[at / 3][3 + at % 3]);
	test_ok(worst <= b->tolerance, "%s %s: within %.0e (%.2e of %d)", b->node, b->name, b->tolerance, worst,
	        b->n * 3);
	nc_free(&n);
	image_unref(&im);
	image_unref(&out);
}

int main(void)
{
	const char *path = getenv("GRADE_VECTORS");
	FILE *f = fopen(path ? path : "tests/unit/gradevec.txt", "r");
	static struct block b;
	static char line[4096];
	int blocks = 0, state = 0;
	if (!f) { test_ok(0, "no file %s", path ? path : "tests/unit/gradevec.txt"); TEST_END(); }
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		double *v = b.v[b.n < 255 ? b.n : 255];
		if (!*line || *line == '#') continue;
		if (strncmp(line, "transform ", 10) == 0) {
			if (blocks++) check(&b);
			b.n = 0;
			state = sscanf(line, "transform %lf %31s %159[^\n]", &b.tolerance, b.node, b.name) == 3;
		} else if (state == 1) {
			int k = 0;
			snprintf(b.attrs, sizeof b.attrs, "%s", line);
			for (char *s = strtok(b.attrs, ";"); s && k < 31; s = strtok(NULL, ";")) b.set[k++] = s;
			b.set[k] = NULL;
			state = 2;
		} else if (sscanf(line, "%lf %lf %lf %lf %lf %lf", v, v + 1, v + 2, v + 3, v + 4, v + 5) == 6) b.n++;
		else test_ok(0, "%s: odd line: %s", path ? path : "gradevec.txt", line);
	}
	if (blocks) check(&b);
	test_ok(blocks >= 5, "%d transforms compared", blocks);
	fclose(f);
	TEST_END();
}
