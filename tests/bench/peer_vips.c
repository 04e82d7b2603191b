/* peer_vips - job A as far as libvips can do it, N frames: CDL, saturation, blur 0.6, luma-dependent noise plate; no LUT.
 *
 * peer_vips N THREADS. Declares what it uses of libvips itself, so that the library alone suffices, without headers.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

typedef struct _VipsImage VipsImage;
int vips_init(const char *argv0);
void vips_concurrency_set(int n);
VipsImage *vips_image_new_from_memory(const void *data, size_t size, int w, int h, int bands, int format);
int vips_linear(VipsImage *in, VipsImage **out, const double *a, const double *b, int n, ...);
int vips_math2_const(VipsImage *in, VipsImage **out, int op, const double *c, int n, ...);
int vips_recomb(VipsImage *in, VipsImage **out, VipsImage *m, ...);
int vips_gaussblur(VipsImage *in, VipsImage **out, double sigma, ...);
int vips_multiply(VipsImage *a, VipsImage *b, VipsImage **out, ...);
int vips_add(VipsImage *a, VipsImage *b, VipsImage **out, ...);
void *vips_image_write_to_memory(VipsImage *in, size_t *size);
void g_object_unref(void *o);
void g_free(void *p);

enum { W = 1920, H = 1080, FLOAT_FORMAT = 6, DOUBLE_FORMAT = 8, POW = 0, PRECISION_FLOAT = 1 };

static int frame(VipsImage *src, VipsImage *plate, VipsImage *sat, VipsImage *luma)
{
	static const double a[3] = { 1.05, 1, 0.95 }, b[3] = { 0.01, 0, 0.02 }, p[3] = { 1.02, 0.98, 1.05 };
	static const double fall = -0.5, top = 1;
	VipsImage *v[8] = { 0 };
	size_t size;
	void *out = NULL;
	if (vips_linear(src, &v[0], a, b, 3, NULL) || vips_math2_const(v[0], &v[1], POW, p, 3, NULL) ||
	    vips_recomb(v[1], &v[2], sat, NULL) ||
	    vips_gaussblur(v[2], &v[3], 0.6, "precision", PRECISION_FLOAT, NULL) ||
	    vips_recomb(v[3], &v[4], luma, NULL) || vips_linear(v[4], &v[5], &fall, &top, 1, NULL) ||
	    vips_multiply(plate, v[5], &v[6], NULL) || vips_add(v[3], v[6], &v[7], NULL) ||
	    !(out = vips_image_write_to_memory(v[7], &size)))
		return 1;
	g_free(out);
	for (int i = 0; i < 8; i++) g_object_unref(v[i]);
	return 0;
}

int main(int argc, char **argv)
{
	static double sat[9] = { .92126, .07152, .00722, .02126, .97152, .00722, .02126, .07152, .90722 };
	static double luma[9] = { .2126, .7152, .0722, .2126, .7152, .0722, .2126, .7152, .0722 };
	size_t n = (size_t)W * H * 3, bytes = n * sizeof(float);
	float *pic = malloc(bytes), *noise = malloc(bytes);
	unsigned r = 1;
	if (argc != 3 || !pic || !noise || vips_init(argv[0])) return 1;
	vips_concurrency_set(atoi(argv[2]));
	for (size_t i = 0; i < n; i++) {
		r = r * 1664525u + 1013904223u;
		pic[i] = (float)(i / 3 % W) / W;
		noise[i] = ((float)(r >> 8) / 8388608 - 1) * 0.03f;
	}
	VipsImage *src = vips_image_new_from_memory(pic, bytes, W, H, 3, FLOAT_FORMAT);
	VipsImage *plate = vips_image_new_from_memory(noise, bytes, W, H, 3, FLOAT_FORMAT);
	VipsImage *m = vips_image_new_from_memory(sat, sizeof sat, 3, 3, 1, DOUBLE_FORMAT);
	VipsImage *l = vips_image_new_from_memory(luma, sizeof luma, 3, 3, 1, DOUBLE_FORMAT);
	for (int i = 0; i < atoi(argv[1]); i++)
		if (frame(src, plate, m, l)) return 1;
	return 0;
}
