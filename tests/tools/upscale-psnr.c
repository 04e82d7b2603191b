/* upscale-psnr - how near upscalers come to photographs: PSNR and SSIM under bicubic reduction, as papers count.
 *
 * upscale-psnr FACTOR PPM...: reduces each picture by bicubic (imresize), rounds to 8 bits, enlarges, rounds to 8 bits, and
 * compares the luma of BT.601 (16 to 235) less a border of FACTOR pixels. SSIM: Gaussian of sigma 1.5 over 11x11.
 * A line for each picture and one for their mean: PSNR/SSIM of bicubic, lanczos3 with ringing 0 and 0.8, learned the same.
 * upscale-psnr --compare BORDER TRUTH.ppm B.ppm...: PSNR, SSIM and MS-SSIM (Wang 2003: five scales, halved by means of 2x2).
 * upscale-psnr --write FACTOR A.ppm FOLDER: the picture as cut, its reduction and what these ways make of that, as PPM files.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../nodecall.h"
#include "train_picture.h"

static double grey(const struct tp *t, size_t i)
{
	return 16 + 65.481 * t->p[0][i] + 128.553 * t->p[1][i] + 24.966 * t->p[2][i];
}

static double *greys(const struct tp *t, int border, int *w, int *h)
{
	*w = t->w - 2 * border;
	*h = t->h - 2 * border;
	double *v = malloc((size_t)*w * (size_t)*h * sizeof *v);
	for (int y = 0; y < *h; y++)
		for (int x = 0; x < *w; x++)
			v[(size_t)y * (size_t)*w + (size_t)x] = grey(t, (size_t)(y + border) * (size_t)t->w + (size_t)(x + border));
	return v;
}

static double psnr(const double *a, const double *b, int n)
{
	double sum = 0;
	for (int i = 0; i < n; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
	return 10 * mx_log10(255.0 * 255.0 * n / sum);
}

/* Gaussian means of a product, where the window fits. */
static double *blurred(const double *a, const double *b, int w, int h)
{
	double k[11], all = 0, *mid = calloc((size_t)w * (size_t)h, sizeof *mid), *o = calloc((size_t)w * (size_t)h, sizeof *o);
	for (int i = 0; i < 11; i++) all += k[i] = mx_exp(-(i - 5) * (i - 5) / 4.5);
	for (int y = 0; y < h; y++)
		for (int x = 5; x < w - 5; x++)
			for (int i = 0; i < 11; i++) {
				size_t at = (size_t)y * (size_t)w + (size_t)(x + i - 5);
				mid[(size_t)y * (size_t)w + (size_t)x] += k[i] / all * a[at] * (b ? b[at] : 1);
			}
	for (int y = 5; y < h - 5; y++)
		for (int x = 5; x < w - 5; x++)
			for (int i = 0; i < 11; i++)
				o[(size_t)y * (size_t)w + (size_t)x] += k[i] / all * mid[(size_t)(y + i - 5) * (size_t)w + (size_t)x];
	free(mid);
	return o;
}

/* Mean SSIM; without its luminance term in *structure. */
static double ssim(const double *a, const double *b, int w, int h, double *structure)
{
	const double c1 = 6.5025, c2 = 58.5225;
	double *ma = blurred(a, NULL, w, h), *mb = blurred(b, NULL, w, h), *aa = blurred(a, a, w, h), *bb = blurred(b, b, w, h);
	double *ab = blurred(a, b, w, h), sum = 0, rest = 0, n = (double)(w - 10) * (h - 10);
	for (int y = 5; y < h - 5; y++)
		for (int x = 5; x < w - 5; x++) {
			size_t i = (size_t)y * (size_t)w + (size_t)x;
			double p = ma[i] * mb[i], q = ma[i] * ma[i] + mb[i] * mb[i], cs = (2 * (ab[i] - p) + c2) / (aa[i] + bb[i] - q + c2);
			sum += (2 * p + c1) / (q + c1) * cs;
			rest += cs;
		}
	free(ma); free(mb); free(aa); free(bb); free(ab);
	*structure = rest / n;
	return sum / n;
}

/* Means of 2x2, in place. */
static void halve(double *v, int w, int h)
{
	for (int y = 0; y < h / 2; y++)
		for (int x = 0; x < w / 2; x++) {
			const double *p = v + (size_t)(2 * y) * (size_t)w + 2 * x;
			v[(size_t)y * (size_t)(w / 2) + (size_t)x] = (p[0] + p[1] + p[w] + p[w + 1]) / 4;
		}
}

/* The pictures are used up. */
static double ms_ssim(double *a, double *b, int w, int h)
{
	static const double weight[5] = { 0.0448, 0.2856, 0.3001, 0.2363, 0.1333 };
	double all = 0;
	for (int i = 0; i < 5 && w > 10 && h > 10; i++, w /= 2, h /= 2) {
		double cs, whole = ssim(a, b, w, h, &cs), v = i == 4 ? whole : cs;
		all += weight[i] * mx_log(v > 1e-9 ? v : 1e-9);
		halve(a, w, h);
		halve(b, w, h);
	}
	return mx_exp(all);
}

/* PSNR, SSIM, MS-SSIM. */
static void judge(const struct tp *a, const struct tp *b, int border, double out[3])
{
	int w, h;
	double cs, *x = greys(a, border, &w, &h), *y = greys(b, border, &w, &h);
	out[0] = psnr(x, y, w * h);
	out[1] = ssim(x, y, w, h, &cs);
	out[2] = ms_ssim(x, y, w, h);
	free(x);
	free(y);
}

static struct tp enlarged(const struct tp *low, int factor, bool learned, const char *const *set)
{
	struct format f = nc_format(low->w, low->h, "R G B", "rec709");
	struct image *im = nc_image(&f);
	struct err e = ERR_INIT;
	struct nc n;
	struct tp o = tp_new(low->w * factor, low->h * factor, 3);
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < low->h; y++)
			memcpy(view_at(&im->view, c, 0, y), low->p[c] + (size_t)y * (size_t)low->w, (size_t)low->w * sizeof(float));
	if (!nc_make(&n, nc_type(nodes_baseline, learned ? "learned" : "upscale"), &im, 1, set, &e)) {
		fprintf(stderr, "upscale-psnr: %s\n", e.msg);
		exit(1);
	}
	struct image *out = nc_run(&n, 1, 0, 0);
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < o.h; y++)
			for (int x = 0; x < o.w; x++) o.p[c][(size_t)y * (size_t)o.w + (size_t)x] = tp_byte(*view_at(&out->view, c, x, y));
	nc_free(&n);
	image_unref(&out);
	image_unref(&im);
	return o;
}

enum { WAYS = 5 };

/* What is asked of each way; its name where it is written as a file. */
static const char *const ways[WAYS] = { "bicubic", NULL, "lanczos3", NULL, "learned" };

static struct tp way(const struct tp *low, int k, int i)
{
	char factor[32], scale[32];
	snprintf(factor, sizeof factor, "factor=%d", k);
	snprintf(scale, sizeof scale, "scale=%d", k);
	const char *set[WAYS][4] = { { "method=catmull-rom", scale, "ringing=0" }, { "method=lanczos3", scale, "ringing=0" },
		{ "method=lanczos3", scale, "ringing=0.8" }, { factor, "ringing=0" }, { factor, "ringing=0.8" } };
	return enlarged(low, k, i > 2, set[i]);
}

/* A picture cut to whole factors, and its reduction. */
static struct tp cut(const char *file, int k, struct tp *low)
{
	struct tp in, whole;
	if (!tp_read(file, &in)) { fprintf(stderr, "upscale-psnr: %s is no 8-bit PPM\n", file); exit(1); }
	whole = tp_new(in.w / k * k, in.h / k * k, 3);
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < whole.h; y++)
			memcpy(whole.p[c] + (size_t)y * (size_t)whole.w, in.p[c] + (size_t)y * (size_t)in.w, (size_t)whole.w * sizeof(float));
	*low = tp_shrink(&whole, k, true);
	tp_free(&in);
	return whole;
}

static void one(const char *file, int k, double sum[WAYS][2])
{
	struct tp low, whole = cut(file, k, &low);
	const char *name = strrchr(file, '/');
	printf("%-28s", name ? name + 1 : file);
	for (int i = 0; i < WAYS; i++) {
		double v[3];
		struct tp o = way(&low, k, i);
		judge(&whole, &o, k, v);
		printf("  %.2f/%.4f", v[0], v[1]);
		sum[i][0] += v[0];
		sum[i][1] += v[1];
		tp_free(&o);
	}
	printf("\n");
	tp_free(&low);
	tp_free(&whole);
}

static void write_ppm(struct tp *t, const char *folder, const char *name)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s.ppm", folder, name);
	FILE *f = fopen(path, "wb");
	if (!f) { perror(path); exit(1); }
	fprintf(f, "P6\n%d %d\n255\n", t->w, t->h);
	for (int i = 0; i < t->w * t->h; i++)
		for (int c = 0; c < 3; c++) fputc((int)(t->p[c][i] * 255.0f + 0.5f), f);
	fclose(f);
	tp_free(t);
}

static int write_all(const char *file, int k, const char *folder)
{
	struct tp low, whole = cut(file, k, &low);
	for (int i = 0; i < WAYS; i++) {
		if (!ways[i]) continue;
		struct tp o = way(&low, k, i);
		write_ppm(&o, folder, ways[i]);
	}
	write_ppm(&low, folder, "low");
	write_ppm(&whole, folder, "truth");
	return 0;
}

static int compare(int border, int n, char *const *file)
{
	struct tp a, b;
	double v[3];
	if (!tp_read(file[0], &a)) return 1;
	for (int i = 1; i < n; i++) {
		if (!tp_read(file[i], &b) || a.w != b.w || a.h != b.h) { fprintf(stderr, "upscale-psnr: %s\n", file[i]); return 1; }
		judge(&a, &b, border, v);
		printf("%.2f %.4f %.4f\n", v[0], v[1], v[2]);
		tp_free(&b);
	}
	tp_free(&a);
	return 0;
}

int main(int argc, char **argv)
{
	double sum[WAYS][2] = { 0 };
	struct err e = ERR_INIT;
	if (argc < 3) { fprintf(stderr, "upscale-psnr: wants a factor and PPM files\n"); return 2; }
	if (node_isa_set(ISA_AUTO, &e) < 0) return 1;
	if (strcmp(argv[1], "--compare") == 0 && argc > 4) return compare(atoi(argv[2]), argc - 3, argv + 3);
	if (strcmp(argv[1], "--write") == 0 && argc == 5) return write_all(argv[3], atoi(argv[2]), argv[4]);
	printf("%-28s  %-12s  %-12s  %-12s  %-12s  %s\n", "", "bicubic", "lanczos3", "ringing 0.8", "learned", "ringing 0.8");
	for (int i = 2; i < argc; i++) one(argv[i], atoi(argv[1]), sum);
	printf("%-28s", "mean");
	for (int i = 0; i < WAYS; i++) printf("  %.2f/%.4f", sum[i][0] / (argc - 2), sum[i][1] / (argc - 2));
	printf("\n");
	return 0;
}
