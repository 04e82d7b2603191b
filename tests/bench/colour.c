/* colour - one core's milliseconds per 1080p float frame of the colour arithmetic, beside
 * OpenColorIO's CPU processor.
 *
 * CPU time, medians of pairs. Our planes go from one picture to another by way of the node's own
 * tile function; OpenColorIO has packed RGBA, the layout it is fastest with. "In cache" is the
 * same work on one strip over and over, as inside a fused stage.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nodecall.h"

#include <time.h>

#include "bench_ocio.h"

enum { W = 1920, H = 1080, PAIRS = 9 };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static struct image *picture(const char *space)
{
	struct format f = nc_format(W, H, "R G B", space);
	struct image *im = nc_image(&f);
	uint32_t s = 1;
	for (int k = 0; k < 3; k++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++) {
				s = s * 1664525u + 1013904223u;
				*view_at(&im->view, k, x, y) = (float)(s >> 8) * 0x1p-24f * 1.1f - 0.02f;
			}
	return im;
}

enum { STRIP = 8 };

/* Strip after strip, or the first one every time. */
static double ours(struct nc *n, struct image *out, bool cached)
{
	struct err e = ERR_INIT;
	struct rect d = n->out.data;
	double t = now();
	for (int y = 0; y < H; y += STRIP) {
		int y0 = cached ? 0 : y;
		struct rect r = rect_of(d.x0, y0, d.x1, y0 + STRIP);
		struct need need = { 0, 1, r };
		struct view in = view_sub(&n->im[0]->view, r), ov = view_sub(&out->view, r);
		struct call c = { .n = &n->ctx, .frame = 1, .nin = 1, .need = &need, .in = &in, .out = &ov, .err = &e };
		if (n->ctx.type->tile(&c, r)) exit(1);
	}
	return now() - t;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}
static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof *v, by_value);
	return v[n / 2];
}

struct job { const char *label, *type, *space, *set[8]; enum bench_ocio ocio; };

static void pairs(const struct job *j, const struct node_type *const *table, const float *rgba, float *out4)
{
	struct err e = ERR_INIT;
	struct image *im = picture(j->space);
	struct nc n;
	if (!nc_make(&n, nc_type(table, j->type), &im, 1, j->set, &e)) { printf("bench: %s\n", e.msg); exit(1); }
	struct image *out = nc_image(&n.out);
	double a[PAIRS], b[PAIRS], c[PAIRS];
	bool peer = j->ocio != BENCH_NONE && bench_ocio_open(j->ocio);
	ours(&n, out, false);
	for (int i = 0; i < PAIRS; i++) {
		a[i] = ours(&n, out, false);
		c[i] = ours(&n, out, true);
		double t = now();
		if (peer) bench_ocio_run(rgba, out4, W, H);
		b[i] = now() - t;
	}
	double x = median(a, PAIRS), y = median(b, PAIRS);
	printf("%-44s %-8s %6.2f ms, in cache %6.2f", j->label,
	       table == nodes_baseline ? "baseline" : table == nodes_avx2 ? "AVX2" : "AVX-512", x, median(c, PAIRS));
	if (peer) printf("   OpenColorIO %6.2f ms  ratio %.2f", y, y / x);
	printf("\n");
	nc_free(&n);
	image_unref(&im);
	image_unref(&out);
}

static const struct job jobs[] = {
	{ "CDL with saturation, ACEScct round trip", "grade", "acescg", { "slope=1.1 1 0.95", "offset=0.01 0 -0.01",
	  "power=0.98 1.02 1.05", "saturation=0.9" }, BENCH_CDL_LOG },
	{ "CDL with saturation", "grade", "acescg", { "space=linear", "slope=1.1 1 0.95", "offset=0.01 0 -0.01",
	  "power=0.98 1.02 1.05", "saturation=0.9" }, BENCH_CDL },
	{ "slope, offset and saturation", "grade", "acescg", { "space=linear", "slope=1.1 1 0.95", "offset=0.01 0 -0.01",
	  "saturation=0.9" }, BENCH_NONE },
	{ "ACEScg to ACEScct", "convert", "acescg", { "to=acescct" }, BENCH_TO_LOG },
	{ "ACEScct to ACEScg", "convert", "acescct", { "to=acescg" }, BENCH_FROM_LOG },
	{ "Rec.709 (2.4) to linear Rec.709", "convert", "rec709", { "to=linear-rec709" }, BENCH_GAMMA },
	{ "Rec.709 (2.4) to ACEScg", "convert", "rec709", { "to=acescg" }, BENCH_NONE },
	{ "ACEScg to Rec.709 (2.4)", "convert", "acescg", { "to=rec709" }, BENCH_NONE },
	{ "sRGB to ACEScg", "convert", "srgb", { "to=acescg" }, BENCH_NONE },
	{ "Rec.709 camera curve to ACEScg", "convert", "rec709-camera", { "to=acescg" }, BENCH_NONE },
	{ "LogC4 to ACEScg", "convert", "logc4", { "to=acescg" }, BENCH_NONE },
	{ "PQ to ACEScg", "convert", "pq", { "to=acescg" }, BENCH_NONE },
	{ "HLG to ACEScg", "convert", "hlg", { "to=acescg" }, BENCH_NONE },
	{ "ACEScg to PQ", "convert", "acescg", { "to=pq" }, BENCH_NONE },
	{ "matrix: ACEScg to linear Rec.709", "convert", "acescg", { "to=linear-rec709" }, BENCH_MATRIX },
	{ "balance (exposure and white)", "balance", "acescg", { "exposure=0.2", "temperature=5" }, BENCH_NONE },
};

int main(void)
{
	float *rgba = malloc(sizeof(float) * W * H * 4), *out4 = malloc(sizeof(float) * W * H * 4);
	const struct node_type *const *tables[] = { nodes_baseline, nodes_avx2, nodes_avx512 };
	int have = 1 + (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) + 0;
	if (have == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) have = 3;
	for (int i = 0; i < W * H * 4; i++) rgba[i] = (float)(((uint32_t)i * 2654435761u) >> 8) * 0x1p-24f * 1.1f - 0.02f;
	memset(out4, 0, sizeof(float) * W * H * 4);
	for (int t = have - 1; t >= 0; t--)
		for (size_t i = 0; i < IN_COUNT(jobs); i++) pairs(&jobs[i], tables[t], rgba, out4);
	free(rgba);
	free(out4);
	return 0;
}
