/* nn_fast - see nn_fast.h. The only file that knows oneDNN.
 *
 * Maps lie pixel by pixel, all channels of one side by side (nhwc). A scratchpad of the library's
 * own would be shared by threads that run one primitive (oneDNN 2.6 crashes so with AMX), so every
 * call makes its primitives itself, which its cache makes cheap, and hands in the scratchpad.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_fast.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "mem.h"
#include "nn_fast_ops.h"

/* Of maps at once; what a strip is cut to. */
#define STRIP_BYTES ((size_t)192 << 20)

struct nn_fast { struct nn_model *m; float **w, **bias, **slopes; };

#if __has_include(<oneapi/dnnl/dnnl.h>)
#include <oneapi/dnnl/dnnl.h>

#define CALLS(X) \
	X(dnnl_version) X(dnnl_get_effective_cpu_isa) X(dnnl_engine_create) X(dnnl_stream_create) X(dnnl_stream_wait) \
	X(dnnl_stream_destroy) X(dnnl_memory_desc_init_by_tag) X(dnnl_memory_desc_equal) X(dnnl_memory_desc_get_size) \
	X(dnnl_dilated_convolution_forward_desc_init) X(dnnl_dilated_deconvolution_forward_desc_init) \
	X(dnnl_primitive_attr_create) X(dnnl_primitive_attr_set_scratchpad_mode) X(dnnl_primitive_attr_destroy) \
	X(dnnl_primitive_desc_create) X(dnnl_primitive_desc_destroy) X(dnnl_primitive_desc_query_md) \
	X(dnnl_primitive_create) X(dnnl_primitive_execute) X(dnnl_primitive_destroy) X(dnnl_memory_create) \
	X(dnnl_memory_destroy) X(dnnl_reorder_primitive_desc_create)
#define MEMBER(f) __typeof__(&f) f;

/* Filled once, under the once below, then frozen. */
static struct { CALLS(MEMBER) void (*threads)(int); } d;
static dnnl_engine_t engine;
static bool half, ready;
static char about[160];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void open_library(void)
{
	void *lib = dlopen("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		snprintf(about, sizeof about, "backend=\"fast\" wants oneDNN (libdnnl2): %.100s", dlerror());
		return;
	}
	bool all = true;
#define TAKE(f) if (!(*(void **)(void *)&d.f = dlsym(lib, #f))) all = false;
	CALLS(TAKE)
	*(void **)(void *)&d.threads = dlsym(lib, "omp_set_num_threads");
	if (!all || d.dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) {
		snprintf(about, sizeof about, "backend=\"fast\": this libdnnl.so.2 is not oneDNN 2.6 or later for the CPU");
		return;
	}
	const dnnl_version_t *v = d.dnnl_version();
	half = d.dnnl_get_effective_cpu_isa() == dnnl_cpu_isa_avx512_core_amx;
	snprintf(about, sizeof about, "oneDNN %d.%d.%d %s", v->major, v->minor, v->patch, half ? "bf16" : "f32");
	ready = true;
}

const char *nn_fast_about(struct err *e)
{
	pthread_once(&once, open_library);
	if (ready) return about;
	err_set(e, E_INPUT, "%s", about);
	return NULL;
}

/* --- one convolution --- */

struct conv { dnnl_primitive_desc_t pd; dnnl_primitive_t prim; dnnl_memory_t mem[5]; void *own[2]; };

static void conv_close(struct conv *c)
{
	for (int i = 0; i < 5; i++)
		if (c->mem[i]) d.dnnl_memory_destroy(c->mem[i]);
	if (c->prim) d.dnnl_primitive_destroy(c->prim);
	if (c->pd) d.dnnl_primitive_desc_destroy(c->pd);
	free(c->own[0]);
	free(c->own[1]);
}

static int conv_describe(struct conv *c, const struct nn_layer *l, const struct nn_map *in,
                         const struct nn_map *out)
{
	dnnl_data_type_t t = half ? dnnl_bf16 : dnnl_f32;
	const dnnl_dims_t s = { 1, in->c, rect_h(in->r), rect_w(in->r) },
		o = { 1, out->c, rect_h(out->r), rect_w(out->r) };
	const dnnl_dims_t w = { out->c, in->c, l->k, l->k }, b = { out->c }, step = { l->stride, l->stride };
	const dnnl_dims_t gap = { l->dilation - 1, l->dilation - 1 }, pad = { l->pad, l->pad };
	dnnl_memory_desc_t sd, od, wd, bd;
	dnnl_primitive_attr_t attr = NULL;
	union { dnnl_convolution_desc_t conv; dnnl_deconvolution_desc_t deconv; } u;
	d.dnnl_memory_desc_init_by_tag(&sd, 4, s, t, dnnl_nhwc);
	d.dnnl_memory_desc_init_by_tag(&od, 4, o, dnnl_f32, dnnl_nhwc);
	d.dnnl_memory_desc_init_by_tag(&wd, 4, w, t, dnnl_format_tag_any);
	d.dnnl_memory_desc_init_by_tag(&bd, 1, b, dnnl_f32, dnnl_a);
	dnnl_status_t rc = l->op == NN_CONV
		? d.dnnl_dilated_convolution_forward_desc_init(&u.conv, dnnl_forward_inference,
			dnnl_convolution_direct, &sd, &wd, &bd, &od, step, gap, pad, pad)
		: d.dnnl_dilated_deconvolution_forward_desc_init(&u.deconv, dnnl_forward_inference,
			dnnl_deconvolution_direct, &sd, &wd, &bd, &od, step, gap, pad, pad);
	if (rc != dnnl_success || d.dnnl_primitive_attr_create(&attr) != dnnl_success) return -1;
	d.dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
	rc = d.dnnl_primitive_desc_create(&c->pd, &u, attr, engine, NULL);
	d.dnnl_primitive_attr_destroy(attr);
	return rc == dnnl_success && d.dnnl_primitive_create(&c->prim, c->pd) == dnnl_success ? 0 : -1;
}

/* Weights in the order that the primitive wants, by the library's own reorder. */
static int conv_weights(struct conv *c, dnnl_stream_t stream, const struct nn_layer *l, int cin, float *w)
{
	const dnnl_dims_t dims = { l->cout, cin, l->k, l->k };
	const dnnl_memory_desc_t *want = d.dnnl_primitive_desc_query_md(c->pd, dnnl_query_weights_md, 0);
	dnnl_memory_desc_t have;
	dnnl_memory_t from = NULL;
	dnnl_primitive_desc_t pd = NULL;
	dnnl_primitive_t prim = NULL;
	int rc = -1;
	d.dnnl_memory_desc_init_by_tag(&have, 4, dims, dnnl_f32, dnnl_oihw);
	c->own[0] = aligned_alloc(64, (d.dnnl_memory_desc_get_size(want) + 63) / 64 * 64);
	if (!c->own[0] || d.dnnl_memory_create(&c->mem[1], want, engine, c->own[0]) != dnnl_success ||
	    d.dnnl_memory_create(&from, &have, engine, w) != dnnl_success ||
	    d.dnnl_reorder_primitive_desc_create(&pd, &have, engine, want, engine, NULL) != dnnl_success ||
	    d.dnnl_primitive_create(&prim, pd) != dnnl_success) goto out;
	const dnnl_exec_arg_t arg[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, c->mem[1] } };
	rc = d.dnnl_primitive_execute(prim, stream, 2, arg) == dnnl_success ? 0 : -1;
out:
	if (prim) d.dnnl_primitive_destroy(prim);
	if (pd) d.dnnl_primitive_desc_destroy(pd);
	if (from) d.dnnl_memory_destroy(from);
	return rc;
}

static int conv_run(struct conv *c, dnnl_stream_t stream, void *src, float *bias, float *dst)
{
	const dnnl_memory_desc_t *md[5] = { d.dnnl_primitive_desc_query_md(c->pd, dnnl_query_src_md, 0), NULL,
		d.dnnl_primitive_desc_query_md(c->pd, dnnl_query_weights_md, 1),
		d.dnnl_primitive_desc_query_md(c->pd, dnnl_query_dst_md, 0),
		d.dnnl_primitive_desc_query_md(c->pd, dnnl_query_scratchpad_md, 0) };
	size_t spare = d.dnnl_memory_desc_get_size(md[4]);
	void *const data[5] = { src, NULL, bias, dst, c->own[1] = aligned_alloc(64, (spare + 127) / 64 * 64) };
	for (int i = 0; i < 5; i++)
		if (i != 1 &&
		    (!data[i] || d.dnnl_memory_create(&c->mem[i], md[i], engine, data[i]) != dnnl_success))
			return -1;
	const dnnl_exec_arg_t arg[] = { { DNNL_ARG_SRC, c->mem[0] }, { DNNL_ARG_WEIGHTS, c->mem[1] },
		{ DNNL_ARG_BIAS, c->mem[2] }, { DNNL_ARG_DST, c->mem[3] }, { DNNL_ARG_SCRATCHPAD, c->mem[4] } };
	return d.dnnl_primitive_execute(c->prim, stream, 5, arg) == dnnl_success &&
	       d.dnnl_stream_wait(stream) == dnnl_success ? 0 : -1;
}

static int convolve(const struct nn_fast *f, int i, const struct nn_map *in,
                    const struct nn_map *out, struct err *e)
{
	const struct nn_layer *l = &f->m->layer[i];
	struct conv c = { 0 };
	dnnl_stream_t stream = NULL;
	void *src = half ? nn_map_bf16(in) : in->v;
	int rc = -1;
	if (d.threads) d.threads(1);
	if (src && d.dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) == dnnl_success &&
	    conv_describe(&c, l, in, out) == 0 && conv_weights(&c, stream, l, in->c, f->w[i]) == 0)
		rc = conv_run(&c, stream, src, f->bias[i], out->v);
	conv_close(&c);
	if (stream) d.dnnl_stream_destroy(stream);
	if (half) free(src);
	return rc < 0 ? err_set(e, E_INPUT, "oneDNN cannot run layer '%s' (%s) of %s", l->name, l->type,
	                        f->m->file) : 0;
}
#else
const char *nn_fast_about(struct err *e)
{
	err_set(e, E_INPUT, "backend=\"fast\": the program was built without libdnnl-dev");
	return NULL;
}

static int convolve(const struct nn_fast *f, int i, const struct nn_map *in,
                    const struct nn_map *out, struct err *e)
{
	(void)f; (void)i; (void)in; (void)out;
	return nn_fast_about(e) ? 0 : -1;
}
#endif

/* --- the network --- */

void nn_fast_free(struct nn_fast **pf)
{
	struct nn_fast *f = *pf;
	if (!f) return;
	for (int i = 0; f->w && i < f->m->nlayer; i++) {
		free(f->w[i]);
		free(f->bias[i]);
		free(f->slopes[i]);
	}
	free(f->w);
	free(f->bias);
	free(f->slopes);
	nn_free(&f->m);
	free(f);
	*pf = NULL;
}

/* Numbers of one layer, b's mixed in; NULL in *out where it has none. */
static int numbers(const struct nn_model *m, const struct nn_data *x, const struct nn_model *b,
                   double share, float **out, struct err *e)
{
	float *v = NULL;
	if (!x->n) return 0;
	if (!(*out = nn_weights(m, x, e)) || !b || share <= 0) return *out ? 0 : -1;
	if (!(v = nn_weights(b, x, e))) return -1;
	for (size_t i = 0; i < x->n; i++)
		(*out)[i] = (float)((double)(*out)[i] + ((double)v[i] - (double)(*out)[i]) * share);
	free(v);
	return 0;
}

struct nn_fast *nn_fast_new(struct nn_model *m, const struct nn_model *b, double share, struct err *e)
{
	struct nn_fast *f = xalloc(1, sizeof *f);
	size_t n = (size_t)m->nlayer + 1;
	*f = (struct nn_fast){ m, xalloc(n, sizeof *f->w), xalloc(n, sizeof *f->bias),
		xalloc(n, sizeof *f->slopes) };
	int rc = nn_fast_about(e) ? 0 : -1;
	for (int i = 0; i < m->nlayer && rc == 0; i++) {
		const struct nn_layer *l = &m->layer[i];
		if (numbers(m, &l->w, b, share, &f->w[i], e) < 0 || numbers(m, &l->bias, b, share, &f->bias[i], e) < 0 ||
		    numbers(m, &l->slopes, b, share, &f->slopes[i], e) < 0) rc = -1;
		if (l->w.n && !f->bias[i]) f->bias[i] = xalloc((size_t)l->cout, sizeof **f->bias);
	}
	if (rc < 0) nn_fast_free(&f);
	return f;
}

/* Kinds beyond these came later, to backend exact alone. */
static bool known(const struct nn_model *m, const struct nn_layer *l)
{
	switch (l->op) {
	case NN_INPUT: case NN_INTERP: case NN_CONCAT: break;
	case NN_CONV: case NN_DECONV:
		if (l->group > 1 || l->extra || l->inner || l->flip || (l->op == NN_CONV && l->stride != 1)) return false;
		break;
	case NN_SHUFFLE: if (l->blocks) return false; break;
	case NN_BINARY: if (l->how == NN_DIV) return false; break;
	case NN_ACT: break;
	default: return false;
	}
	for (int k = 0; k < l->nin; k++)
		if (m->blob[l->in[k]].vec) return false;
	return !m->blob[l->out].vec;
}

int nn_fast_holds(const struct nn_model *m, const char *model, struct err *e)
{
	for (int i = 0; i < m->nlayer; i++)
		if (!known(m, &m->layer[i]) || m->align > 1)
			return err_set(e, E_SCENE, "%s: backend=\"fast\" does not hold layer %s (%s); "
			               "backend=\"exact\" does", model, m->layer[i].name, m->layer[i].type);
	return 0;
}

static int layer(const struct nn_fast *f, int i, struct nn_map *map, struct rect w, struct err *e)
{
	const struct nn_layer *l = &f->m->layer[i];
	struct nn_map *o = &map[l->out];
	const struct nn_map *in[NN_MAX_IN];
	for (int k = 0; k < l->nin; k++) in[k] = &map[l->in[k]];
	o->c = f->m->blob[l->out].c;
	o->r = nn_window(&f->m->blob[l->out], w);
	if (!(o->v = aligned_alloc(64, (nn_map_bytes(o) + 63) / 64 * 64)))
		return err_set(e, E_MEMORY, "no memory for a map of %d channels", o->c);
	if (l->op != NN_CONV && l->op != NN_DECONV) {
		nn_map_op(l, in, o);
		if (l->op == NN_ACT) nn_map_act(l, f->slopes[i], o);
	} else {
		if (convolve(f, i, in[0], o, e) < 0) return -1;
		nn_map_act(l, f->slopes[i], o);
	}
	for (int k = 0; k < l->nin; k++)                 /* gone when nobody reads them any more */
		if (--map[l->in[k]].left == 0) {
			free(map[l->in[k]].v);
			map[l->in[k]].v = NULL;
		}
	return 0;
}

/* The network over window w of its input, to the rows of out that lie in keep. */
static int window(const struct nn_fast *f, struct rect w, const struct view *in, struct rect keep,
                  const struct view *out, const atomic_int *cancel, struct err *e)
{
	const struct nn_model *m = f->m;
	struct nn_map *map = xalloc((size_t)m->nblob + 1, sizeof *map), *o = &map[m->output];
	int rc = 0;
	for (int i = 0; i < m->nlayer; i++)
		for (int k = 0; k < m->layer[i].nin; k++) map[m->layer[i].in[k]].left++;
	o->left++;
	map[m->input].c = m->blob[m->input].c;
	map[m->input].r = w;
	if (!(map[m->input].v = aligned_alloc(64, (nn_map_bytes(&map[m->input]) + 63) / 64 * 64)))
		rc = err_set(e, E_MEMORY, "no memory for a network's input");
	else nn_map_take(&map[m->input], in);
	for (int i = 0; i < m->nlayer && rc == 0; i++) {
		if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) rc = err_set(e, E_CANCEL, "cancelled");
		else if (m->layer[i].op != NN_INPUT) rc = layer(f, i, map, w, e);
	}
	if (rc == 0) nn_map_give(o, rect_and(keep, o->r), out);
	for (int i = 0; i < m->nblob; i++) free(map[i].v);
	free(map);
	return rc;
}

/* Bytes a source pixel of the maps that live at once, generously. */
static double pixel_bytes(const struct nn_model *m)
{
	double most = 0;
	for (int i = 0; i < m->nlayer; i++) {
		double sum = 0;
		for (int j = -1; j < m->layer[i].nin; j++) {
			const struct nn_blob *b = &m->blob[j < 0 ? m->layer[i].out : m->layer[i].in[j]];
			sum += 4.0 * b->c * b->num * b->num / b->den / b->den;
		}
		if (sum > most) most = sum;
	}
	return most * 2;
}

/* Rows of a strip, borders not counted. */
static int strip_rows(const struct nn_model *m, int width)
{
	double rows = (double)STRIP_BYTES / (pixel_bytes(m) * (width + 1)) - 2.0 * m->radius;
	int n = (int)mx_floor(rows / 16) * 16;
	return rows < 32 ? 32 : n > IN_MAX_SIDE ? IN_MAX_SIDE : n;
}

size_t nn_fast_bytes(const struct nn_model *m, int width)
{
	return (size_t)(pixel_bytes(m) * (width + 1) * (strip_rows(m, width) + 2.0 * m->radius + 32)) +
		((size_t)m->params * 12);
}

int nn_fast_run(const struct nn_fast *f, const struct view *in, const struct view *out,
                const atomic_int *cancel, struct err *e)
{
	const struct nn_model *m = f->m;
	int rows = strip_rows(m, rect_w(in->r)), border = (m->radius + 15) / 16 * 16;
	for (int y = in->r.y0; y < in->r.y1; y += rows) {
		bool first = y == in->r.y0, last = y + rows >= in->r.y1;
		struct rect w = rect_and(rect_of(in->r.x0, y - border, in->r.x1, y + rows + border), in->r);
		struct rect core = nn_window(&m->blob[m->output], rect_of(in->r.x0, y, in->r.x1, y + rows));
		struct rect keep = rect_of(out->r.x0, first ? out->r.y0 : core.y0 - m->blob[m->output].lead, out->r.x1,
		                           last ? out->r.y1 : core.y1 + m->blob[m->output].trail);
		if (window(f, w, in, rect_and(keep, out->r), out, cancel, e) < 0) return -1;
	}
	return 0;
}
