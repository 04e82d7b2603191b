/* nn_ort - see nn_ort.h: a network of a file as a session, and one run of it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_ort_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { SIDE_MAX = 8192 };

/* --- a session --- */

void nn_ort_free(struct nn_ort **po)
{
	struct nn_ort *o = *po;
	if (!o) return;
	if (o->session) nn_ort_calls.session_free(o->session);
	free(o->in);
	free(o->out);
	free(o->path);
	free(o);
	*po = NULL;
}

/* One thread, the caller's; nothing kept for later runs. */
static struct ort_status *options(struct ort_options **p)
{
	struct ort_status *s = nn_ort_calls.options_new(p);
	if (!s) s = nn_ort_calls.optimise(*p, ORT_OPTIMISE_ALL);
	if (!s) s = nn_ort_calls.threads_within(*p, 1);
	if (!s) s = nn_ort_calls.threads_between(*p, 1);
	if (!s) s = nn_ort_calls.no_arena(*p);
	if (!s) s = nn_ort_calls.no_pattern(*p);
	if (!s) s = nn_ort_calls.config(*p, "session.use_env_allocators", "1");
	if (!s) s = nn_ort_calls.config(*p, "session.load_model_format", "ONNX");
	return s;
}

static char *name_of(struct ort_status *(*get)(const struct ort_session *, size_t,
                                               struct ort_allocator *, char **),
                     const struct ort_session *s)
{
	char *name = NULL, *own;
	if (!nn_ort_ok(get(s, 0, nn_ort_allocator(), &name)) || !name) return NULL;
	own = xstrdup(name);
	nn_ort_allocator()->free(nn_ort_allocator(), name);
	return own;
}

/* A picture's tensor: batch, channels, rows, columns; unknown ones are -1. */
static int picture(const struct nn_ort *o, struct ort_type *t, const char *name, bool *half,
                   int64_t dim[4], struct err *e)
{
	const struct ort_shape *s = NULL;
	int type = 0, rc = -1;
	size_t rank = 0;
	if (!nn_ort_ok(nn_ort_calls.tensor_of(t, &s)) || !s || !nn_ort_ok(nn_ort_calls.element(s,
		&type)) || !nn_ort_ok(nn_ort_calls.rank(s, &rank)))
		err_set(e, E_INPUT, "%s: '%s' is no tensor", o->path, name);
	else if (type != ORT_FLOAT && type != ORT_HALF)
		err_set(e, E_INPUT, "%s: '%s' holds numbers of kind %d; pictures are plain or half floats",
		        o->path, name, type);
	else if (rank != 4 || !nn_ort_ok(nn_ort_calls.dims(s, dim, 4)) || (dim[0] > 1))
		err_set(e, E_INPUT, "%s: '%s' has %zu dimensions or more than one picture; wanted are 1, "
		        "channels, rows, columns",
		        o->path, name, rank);
	else rc = 0;
	*half = type == ORT_HALF;
	nn_ort_calls.type_free(t);
	return rc;
}

static int faces(struct nn_ort *o, struct err *e)
{
	struct nn_ort_facts *f = &o->f;
	size_t in = 0, out = 0;
	int64_t a[4], b[4];
	struct ort_type *ti = NULL, *to = NULL;
	if (!nn_ort_ok(nn_ort_calls.inputs(o->session, &in)) ||
	    !nn_ort_ok(nn_ort_calls.outputs(o->session, &out)) || in != 1 || out != 1)
		return err_set(e, E_INPUT, "%s: %zu inputs and %zu results; a network here has one of each",
		               o->path, in, out);
	o->in = name_of(nn_ort_calls.input_name, o->session);
	o->out = name_of(nn_ort_calls.output_name, o->session);
	if (!o->in || !o->out || !nn_ort_ok(nn_ort_calls.input_type(o->session, 0, &ti)) ||
	    !nn_ort_ok(nn_ort_calls.output_type(o->session, 0, &to))) {
		if (ti) nn_ort_calls.type_free(ti);
		return err_set(e, E_INPUT, "%s: an input or result without a type", o->path);
	}
	int rc = picture(o, ti, o->in, &o->half_in, a, e);
	if (rc == 0) rc = picture(o, to, o->out, &o->half_out, b, e);
	else nn_ort_calls.type_free(to);
	if (rc < 0) return -1;
	f->cin = (int)(a[1] == 1 ? 1 : 3);
	if (a[1] > 0 && a[1] != 1 && a[1] != 3)
		return err_set(e, E_INPUT, "%s: takes %lld channels; pictures have 3, or 1 for luma", o->path,
		               (long long)a[1]);
	if ((a[2] > 0) != (a[3] > 0) || a[2] > SIDE_MAX || a[3] > SIDE_MAX)
		return err_set(e, E_INPUT, "%s: takes pictures of %lld x %lld only", o->path, (long long)a[3],
		               (long long)a[2]);
	f->h = a[2] > 0 ? (int)a[2] : 0;
	f->w = a[3] > 0 ? (int)a[3] : 0;
	return 0;
}

struct nn_ort *nn_ort_session(const char *path, struct meter *m, struct err *e)
{
	struct nn_ort *o;
	struct ort_options *op = NULL;
	size_t len = 0;
	struct key sha;
	void *file = nn_ort_about(e) ? nn_ort_read(path, &len, &sha, e) : NULL;
	if (!file) return NULL;
	o = xalloc(1, sizeof *o);
	o->path = xstrdup(path);
	o->f.sha = sha;
	struct ort_status *s = options(&op);
	if (!s) {
		nn_ort_count(m);
		s = nn_ort_calls.session_new(nn_ort_env(), file, len, op, &o->session);
		nn_ort_count(NULL);
	}
	free(file);
	if (op) nn_ort_calls.options_free(op);
	if (nn_ort_failed(s, m, path, "reading it", e) < 0 || faces(o, e) < 0) nn_ort_free(&o);
	return o;
}

/* --- one run --- */

/* The result's numbers, as wide as its shape says; *v is to be freed. */
int nn_ort_picture(const struct nn_ort *o, void *data, int w, int h, struct meter *m,
                   struct ort_value **v, int64_t dim[4],
               struct err *e)
{
	const int64_t shape[4] = { 1, o->f.cin, h, w };
	size_t n = (size_t)o->f.cin * (size_t)w * (size_t)h * (o->half_in ? 2 : 4), rank = 0;
	struct ort_value *in = NULL;
	struct ort_shape *s = NULL;
	char doing[80];
	int type = 0;
	snprintf(doing, sizeof doing, "running it on %d x %d pixels", w, h);
	*v = NULL;
	struct ort_status *st = nn_ort_calls.value_over(nn_ort_memory(), data, n, shape, 4, o->half_in ?
	                                                ORT_HALF : ORT_FLOAT, &in);
	if (!st) st = nn_ort_calls.run_new(&m->stop);
	if (!st) {
		nn_ort_count(m);
		st = nn_ort_calls.run(o->session, m->stop, (const char *const[]){ o->in },
		                      (const struct ort_value *const[]){ in }, 1,
		             (const char *const[]){ o->out }, 1, v);
		nn_ort_count(NULL);
		nn_ort_flush(m);
	}
	if (m->stop) nn_ort_calls.run_free(m->stop);
	m->stop = NULL;
	if (in) nn_ort_calls.value_free(in);
	if (nn_ort_failed(st, m, o->path, doing, e) < 0) return -1;
	bool good = nn_ort_ok(nn_ort_calls.value_shape(*v, &s)) && nn_ort_ok(nn_ort_calls.rank(s,
		&rank)) && rank == 4 && nn_ort_ok(nn_ort_calls.dims(s, dim, 4)) &&
	            nn_ort_ok(nn_ort_calls.element(s, &type)) && type == (o->half_out ? ORT_HALF
	                                                                  : ORT_FLOAT) && dim[0] == 1;
	if (s) nn_ort_calls.shape_free(s);
	if (good) return 0;
	nn_ort_calls.value_free(*v);
	return err_set(e, E_INPUT, "%s: its result is no picture", o->path);
}

/* Input pixels behind what is lost at a side. */
int nn_ort_border(const struct nn_ort_facts *f)
{
	int lost = f->lead > f->trail ? f->lead : f->trail;
	return (lost * f->den + f->num - 1) / f->num;
}

struct nn_model *nn_ort_model(const char *path, const struct nn_ort_facts *f)
{
	struct nn_model *m = xalloc(1, sizeof *m);
	*m = (struct nn_model){ .nblob = 2, .input = 0, .output = 1, .scale_num = f->num,
		.scale_den = f->den, .align = f->align,
		.pad = nn_ort_border(f), .whole = true, .file = xstrdup(path), .sha = f->sha };
	m->blob = xalloc(2, sizeof *m->blob);
	m->blob[0] = (struct nn_blob){ .c = f->cin, .num = 1, .den = 1 };
	m->blob[1] = (struct nn_blob){ .c = f->cout, .num = f->num, .den = f->den, .lead = f->lead,
		.trail = f->trail };
	return m;
}

struct nn_ort *nn_ort_open(const char *path, const struct nn_ort_facts *f, struct err *e)
{
	struct meter m = { .most = (size_t)f->weights * 2 + ORT_LEARN_BYTES };
	struct nn_ort *o = nn_ort_session(path, &m, e);
	if (!o) return NULL;
	if (memcmp(&o->f.sha, &f->sha, sizeof f->sha) == 0 && o->f.cin == f->cin) {
		o->f = *f;
		return o;
	}
	err_set(e, E_INPUT, "%s changed while it was being read", path);
	nn_ort_free(&o);
	return NULL;
}
