/* peer_gegl - jobs A and B as far as GEGL can do them, N frames of 1080p float: slope, power, saturation, blur 0.6,
 * luma-dependent noise plate; B: halation by a blur of 15, added, and a vignette. There is no 3D LUT.
 *
 * peer_gegl A|B N. Every frame has a graph of its own, as nothing may come out of a cache. Declares what it uses of GEGL
 * itself, so that the library alone suffices, without headers.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

typedef struct GeglNode GeglNode;
typedef struct GeglBuffer GeglBuffer;
typedef struct Babl Babl;
typedef struct { int x, y, width, height; } GeglRectangle;
void gegl_init(int *argc, char ***argv);
void gegl_exit(void);
GeglNode *gegl_node_new(void);
GeglNode *gegl_node_new_child(GeglNode *parent, const char *first, ...);
int gegl_node_connect_to(GeglNode *source, const char *out, GeglNode *sink, const char *in);
void gegl_node_blit(GeglNode *n, double scale, const GeglRectangle *roi, const Babl *format, void *out, int stride, int flags);
GeglBuffer *gegl_buffer_new(const GeglRectangle *r, const Babl *format);
void gegl_buffer_set(GeglBuffer *b, const GeglRectangle *r, int level, const Babl *format, const void *src, int stride);
const Babl *babl_format(const char *name);
void g_object_unref(void *o);

enum { W = 1920, H = 1080 };
static const GeglRectangle all = { 0, 0, W, H };

/* A node behind another one; op and its properties end in a null pointer. */
#define BEHIND(src, ...) behind(src, gegl_node_new_child(g, "operation", __VA_ARGS__, (void *)0))
static GeglNode *behind(GeglNode *src, GeglNode *n)
{
	gegl_node_connect_to(src, "output", n, "input");
	return n;
}

static GeglNode *with(GeglNode *n, GeglNode *aux)
{
	gegl_node_connect_to(aux, "output", n, "aux");
	return n;
}

static GeglNode *look(GeglNode *g, GeglBuffer *pic, GeglBuffer *noise, int glow)
{
	GeglNode *src = gegl_node_new_child(g, "operation", "gegl:buffer-source", "buffer", pic, (void *)0);
	GeglNode *plate = gegl_node_new_child(g, "operation", "gegl:buffer-source", "buffer", noise, (void *)0);
	GeglNode *n = BEHIND(src, "gegl:multiply", "value", 1.05);
	n = BEHIND(n, "gegl:gamma", "value", 1.02);
	n = BEHIND(n, "gegl:saturation", "scale", 0.9);
	n = BEHIND(n, "gegl:gaussian-blur", "std-dev-x", 0.6, "std-dev-y", 0.6);
	if (glow) {
		GeglNode *halo = BEHIND(n, "gegl:gaussian-blur", "std-dev-x", 15.0, "std-dev-y", 15.0);
		halo = BEHIND(halo, "gegl:multiply", "value", 0.03);
		n = with(BEHIND(n, "gegl:add", "value", 0.0), halo);
		n = BEHIND(n, "gegl:vignette", "radius", 1.5, "softness", 0.9);
	}
	GeglNode *weight = BEHIND(BEHIND(n, "gegl:gray"), "gegl:multiply", "value", 0.5);
	weight = with(BEHIND(plate, "gegl:multiply", "value", 1.0), weight);
	return with(BEHIND(n, "gegl:add", "value", 0.0), weight);
}

int main(int argc, char **argv)
{
	size_t n = (size_t)W * H * 4;
	float *pic = malloc(n * sizeof *pic), *grain = malloc(n * sizeof *grain), *out = malloc(n * sizeof *out);
	unsigned r = 1;
	if (argc != 3 || !pic || !grain || !out) return 1;
	int glow = argv[1][0] == 'B', frames = atoi(argv[2]);
	gegl_init(&argc, &argv);
	const Babl *f = babl_format("RGBA float");
	for (size_t i = 0; i < n; i++) {
		r = r * 1664525u + 1013904223u;
		pic[i] = i % 4 == 3 ? 1 : (float)(i / 4 % W) / W;
		grain[i] = i % 4 == 3 ? 1 : ((float)(r >> 8) / 8388608 - 1) * 0.03f;
	}
	GeglBuffer *a = gegl_buffer_new(&all, f), *b = gegl_buffer_new(&all, f);
	gegl_buffer_set(a, &all, 0, f, pic, 0);
	gegl_buffer_set(b, &all, 0, f, grain, 0);
	for (int i = 0; i < frames; i++) {
		GeglNode *g = gegl_node_new();
		gegl_node_blit(look(g, a, b, glow), 1.0, &all, f, out, 0, 0);
		g_object_unref(g);
	}
	g_object_unref(a);
	g_object_unref(b);
	gegl_exit();
	return out[n / 2] == out[n / 2] ? 0 : 1;
}
