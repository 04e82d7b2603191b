/* nn_ort - see nn_ort.h. The only file that calls ONNX Runtime.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_ort.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "nn_int.h"
#include "nn_ort_api.h"

/* LEARN: bytes that a small picture may take; SLACK: beyond what was learnt; TILE: a window's side where overlap is given;
 * KEPT: freed blocks of at least KEPT_BYTES that a run keeps for its next ones, as fresh pages cost more than most layers. */
#define LEARN_BYTES ((size_t)3 << 30)
#define SLACK ((size_t)256 << 20)
enum { TILE = 512, HEAD = 64, SIDE_MAX = 8192, KEPT = 8, KEPT_BYTES = 1 << 16 };

/* What one session or run on this thread has allocated. stop: asked for when cancelled; NULL: cannot be. keep: while no
 * more than that is held, freed blocks are kept. */
struct meter { size_t now, peak, most, keep; bool over; const atomic_int *cancel; struct ort_run *stop; void *kept[KEPT]; };

struct nn_ort { struct nn_ort_facts f; char *path, *in, *out; bool half_in, half_out; struct ort_session *session; };

/* Filled once, under the once below, then frozen. */
#define MEMBER(place, result, name, args) result (*name) args;
static struct { ORT_CALLS(MEMBER) } ort;
static struct ort_env *env;
static struct ort_memory *memory;
static struct ort_allocator *refusing;               /* the library's own */
static bool ready;
static char about[700];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct meter *meter;

/* --- memory: counted, so that it can be told and bounded --- */

/* The library does not look whether it was given NULL. Its own allocator, asked for more than there is, throws what its
 * calls catch and give back as a status; that passes through here, where nothing is held. */
static void *refuse(void) { return refusing->alloc(refusing, SIZE_MAX / 2); }

static size_t size_of(const void *p)
{
	size_t n;
	memcpy(&n, (const char *)p - HEAD, sizeof n);
	return n;
}

static void release(struct meter *m, void *p)
{
	size_t n = size_of(p);
	if (m) m->now -= n < m->now ? n : m->now;
	free((char *)p - HEAD);
}

/* What the last run on this thread kept. */
static void flush(struct meter *m)
{
	for (int i = 0; i < KEPT; i++)
		if (m->kept[i]) release(m, m->kept[i]), m->kept[i] = NULL;
}

/* A kept block that fits and wastes no more than a fourth. */
static void *again(struct meter *m, size_t n)
{
	int best = -1;
	for (int i = 0; i < KEPT; i++)
		if (m->kept[i] && size_of(m->kept[i]) >= n && size_of(m->kept[i]) - n <= n / 4 &&
		    (best < 0 || size_of(m->kept[i]) < size_of(m->kept[best]))) best = i;
	if (best < 0) return NULL;
	void *p = m->kept[best];
	m->kept[best] = NULL;
	return p;
}

static void *counted_alloc(struct ort_allocator *a, size_t n)
{
	struct meter *m = meter;
	void *old = m ? again(m, n) : NULL;
	(void)a;
	if (m && m->cancel && m->stop && atomic_load_explicit(m->cancel, memory_order_relaxed)) {
		struct ort_status *s = ort.run_stop(m->stop);
		if (s) ort.status_free(s);
	}
	if (old) return old;
	if (m && (n > m->most || m->now > m->most - n)) flush(m);
	if (m && (m->over = m->over || n > m->most || m->now > m->most - n)) return refuse();
	char *p = n < SIZE_MAX / 2 ? aligned_alloc(HEAD, (n + 2 * HEAD - 1) / HEAD * HEAD) : NULL;
	if (!p) return refuse();
	memcpy(p, &n, sizeof n);
	if (m) {
		m->now += n;
		if (m->now > m->peak) m->peak = m->now;
	}
	return p + HEAD;
}

static void counted_free(struct ort_allocator *a, void *p)
{
	struct meter *m = meter;
	(void)a;
	for (int i = 0; p && m && m->now <= m->keep && size_of(p) >= KEPT_BYTES && i < KEPT; i++)
		if (!m->kept[i]) {
			m->kept[i] = p;
			return;
		}
	if (p) release(m, p);
}

static const struct ort_memory *counted_info(const struct ort_allocator *a)
{
	(void)a;
	return memory;
}

static struct ort_allocator counted = { ORT_VERSION, counted_alloc, counted_free, counted_info };

/* --- the library --- */

static bool ok(struct ort_status *s)
{
	if (s) ort.status_free(s);
	return !s;
}

static void *find(char *why, size_t n)
{
	const char *own = getenv("INTERNEG_ONNXRUNTIME");
	const char *names[] = { own && *own ? own : "libonnxruntime.so.1", own && *own ? NULL : "libonnxruntime.so", NULL };
	for (int i = 0; names[i]; i++) {
		void *lib = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
		if (lib) return lib;
		const char *text = dlerror();
		if (!i) snprintf(why, n, "%s", text ? text : "");
	}
	return NULL;
}

static void open_library(void)
{
	char why[300] = "";
	void *lib = find(why, sizeof why);
	const struct ort_base *(*base)(void) = NULL;
	if (!lib) {
		snprintf(about, sizeof about, "backend=\"onnxruntime\" wants ONNX Runtime (libonnxruntime.so.1, or the file that "
		         "INTERNEG_ONNXRUNTIME names): %s", why);
		return;
	}
	*(void **)(void *)&base = dlsym(lib, "OrtGetApiBase");
	const struct ort_base *b = base ? base() : NULL;
	const char *table = b ? b->table(ORT_VERSION) : NULL;
	if (!table) {
		snprintf(about, sizeof about, "backend=\"onnxruntime\": this library is not ONNX Runtime 1.%d or later%s%.40s", ORT_VERSION,
		         b ? ", but " : "", b ? b->version() : "");
		return;
	}
#define TAKE(place, result, name, args) memcpy(&ort.name, table + (place) * sizeof(void *), sizeof(void *));
	ORT_CALLS(TAKE)
	if (!ok(ort.env_new(ORT_QUIET, "interneg", &env)) || !ok(ort.telemetry_off(env)) || !ok(ort.memory_cpu(0, 0, &memory)) ||
	    !ok(ort.own_allocator(&refusing)) || !ok(ort.take_allocator(env, &counted))) {
		snprintf(about, sizeof about, "backend=\"onnxruntime\": ONNX Runtime %.40s does not start", b->version());
		return;
	}
	snprintf(about, sizeof about, "ONNX Runtime %.40s", b->version());
	ready = true;
}

const char *nn_ort_about(struct err *e)
{
	pthread_once(&once, open_library);
	if (ready) return about;
	err_set(e, E_INPUT, "%s", about);
	return NULL;
}

/* What the library says of a failure, in one line. */
static int failed(struct ort_status *s, const struct meter *m, const char *path, const char *doing, struct err *e)
{
	char text[600];
	if (!s) return 0;
	snprintf(text, sizeof text, "%s", ort.text(s));
	ort.status_free(s);
	for (char *p = text; *p; p++)
		if (*p == '\n' || *p == '\r') *p = ' ';
	if (m && m->cancel && atomic_load_explicit(m->cancel, memory_order_relaxed)) return err_set(e, E_CANCEL, "cancelled");
	if (m && m->over)
		return err_set(e, E_MEMORY, "%s: ONNX Runtime wants more than %zu MiB %s", path, m->most >> 20, doing);
	return err_set(e, E_INPUT, "%s: ONNX Runtime, %s: %s", path, doing, text);
}

/* --- a session --- */

void nn_ort_free(struct nn_ort **po)
{
	struct nn_ort *o = *po;
	if (!o) return;
	if (o->session) ort.session_free(o->session);
	free(o->in);
	free(o->out);
	free(o->path);
	free(o);
	*po = NULL;
}

/* One thread, the caller's; nothing kept for later runs. */
static struct ort_status *options(struct ort_options **p)
{
	struct ort_status *s = ort.options_new(p);
	if (!s) s = ort.optimise(*p, ORT_OPTIMISE_ALL);
	if (!s) s = ort.threads_within(*p, 1);
	if (!s) s = ort.threads_between(*p, 1);
	if (!s) s = ort.no_arena(*p);
	if (!s) s = ort.no_pattern(*p);
	if (!s) s = ort.config(*p, "session.use_env_allocators", "1");
	if (!s) s = ort.config(*p, "session.load_model_format", "ONNX");
	return s;
}

static char *name_of(struct ort_status *(*get)(const struct ort_session *, size_t, struct ort_allocator *, char **),
                     const struct ort_session *s)
{
	char *name = NULL, *own;
	if (!ok(get(s, 0, &counted, &name)) || !name) return NULL;
	own = xstrdup(name);
	counted_free(&counted, name);
	return own;
}

/* A picture's tensor: batch, channels, rows, columns; unknown ones are -1. */
static int picture(const struct nn_ort *o, struct ort_type *t, const char *name, bool *half, int64_t dim[4], struct err *e)
{
	const struct ort_shape *s = NULL;
	int type = 0, rc = -1;
	size_t rank = 0;
	if (!ok(ort.tensor_of(t, &s)) || !s || !ok(ort.element(s, &type)) || !ok(ort.rank(s, &rank)))
		err_set(e, E_INPUT, "%s: '%s' is no tensor", o->path, name);
	else if (type != ORT_FLOAT && type != ORT_HALF)
		err_set(e, E_INPUT, "%s: '%s' holds numbers of kind %d; pictures are plain or half floats", o->path, name, type);
	else if (rank != 4 || !ok(ort.dims(s, dim, 4)) || (dim[0] > 1))
		err_set(e, E_INPUT, "%s: '%s' has %zu dimensions or more than one picture; wanted are 1, channels, rows, columns",
		        o->path, name, rank);
	else rc = 0;
	*half = type == ORT_HALF;
	ort.type_free(t);
	return rc;
}

static int faces(struct nn_ort *o, struct err *e)
{
	struct nn_ort_facts *f = &o->f;
	size_t in = 0, out = 0;
	int64_t a[4], b[4];
	struct ort_type *ti = NULL, *to = NULL;
	if (!ok(ort.inputs(o->session, &in)) || !ok(ort.outputs(o->session, &out)) || in != 1 || out != 1)
		return err_set(e, E_INPUT, "%s: %zu inputs and %zu results; a network here has one of each", o->path, in, out);
	o->in = name_of(ort.input_name, o->session);
	o->out = name_of(ort.output_name, o->session);
	if (!o->in || !o->out || !ok(ort.input_type(o->session, 0, &ti)) || !ok(ort.output_type(o->session, 0, &to))) {
		if (ti) ort.type_free(ti);
		return err_set(e, E_INPUT, "%s: an input or result without a type", o->path);
	}
	int rc = picture(o, ti, o->in, &o->half_in, a, e);
	if (rc == 0) rc = picture(o, to, o->out, &o->half_out, b, e);
	else ort.type_free(to);
	if (rc < 0) return -1;
	f->cin = (int)(a[1] == 1 ? 1 : 3);
	if (a[1] > 0 && a[1] != 1 && a[1] != 3)
		return err_set(e, E_INPUT, "%s: takes %lld channels; pictures have 3, or 1 for luma", o->path, (long long)a[1]);
	if ((a[2] > 0) != (a[3] > 0) || a[2] > SIDE_MAX || a[3] > SIDE_MAX)
		return err_set(e, E_INPUT, "%s: takes pictures of %lld x %lld only", o->path, (long long)a[3], (long long)a[2]);
	f->h = a[2] > 0 ? (int)a[2] : 0;
	f->w = a[3] > 0 ? (int)a[3] : 0;
	return 0;
}

static struct nn_ort *session(const char *path, struct meter *m, struct err *e)
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
		meter = m;
		s = ort.session_new(env, file, len, op, &o->session);
		meter = NULL;
	}
	free(file);
	if (op) ort.options_free(op);
	if (failed(s, m, path, "reading it", e) < 0 || faces(o, e) < 0) nn_ort_free(&o);
	return o;
}

/* --- one run --- */

/* The result's numbers, as wide as its shape says; *v is to be freed. */
static int run(const struct nn_ort *o, void *data, int w, int h, struct meter *m, struct ort_value **v, int64_t dim[4],
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
	struct ort_status *st = ort.value_over(memory, data, n, shape, 4, o->half_in ? ORT_HALF : ORT_FLOAT, &in);
	if (!st) st = ort.run_new(&m->stop);
	if (!st) {
		meter = m;
		st = ort.run(o->session, m->stop, (const char *const[]){ o->in }, (const struct ort_value *const[]){ in }, 1,
		             (const char *const[]){ o->out }, 1, v);
		meter = NULL;
		flush(m);
	}
	if (m->stop) ort.run_free(m->stop);
	m->stop = NULL;
	if (in) ort.value_free(in);
	if (failed(st, m, o->path, doing, e) < 0) return -1;
	bool good = ok(ort.value_shape(*v, &s)) && ok(ort.rank(s, &rank)) && rank == 4 && ok(ort.dims(s, dim, 4)) &&
	            ok(ort.element(s, &type)) && type == (o->half_out ? ORT_HALF : ORT_FLOAT) && dim[0] == 1;
	if (s) ort.shape_free(s);
	if (good) return 0;
	ort.value_free(*v);
	return err_set(e, E_INPUT, "%s: its result is no picture", o->path);
}

/* --- what it takes and gives --- */

/* On a grey picture; bytes: what it took. */
static int try_size(const struct nn_ort *o, int w, int h, int64_t dim[4], double *bytes, struct err *e)
{
	struct meter m = { .most = LEARN_BYTES };
	struct ort_value *v = NULL;
	size_t n = (size_t)w * (size_t)h * (size_t)o->f.cin;
	float *p = malloc(n * sizeof *p + 64);
	if (!p) return err_set(e, E_MEMORY, "%s: no memory for a picture", o->path);
	for (size_t i = 0; i < n; i++) {
		if (o->half_in) memcpy((char *)p + 2 * i, &(uint16_t){ 0x3800 }, 2);
		else p[i] = 0.5f;
	}
	int rc = run(o, p, w, h, &m, &v, dim, e);
	if (v && rc == 0) ort.value_free(v);
	free(p);
	*bytes = (double)m.peak + (double)n * 4;
	return rc;
}

static int gives(const struct nn_ort_facts *f, int side) { return side * f->num / f->den - f->lead - f->trail; }

static bool fits(const struct nn_ort_facts *f, int side, const int64_t dim[4])
{
	return side * f->num % f->den == 0 && dim[1] == f->cout && dim[2] == gives(f, side) && dim[3] == gives(f, side);
}

static int channels(struct nn_ort *o, const int64_t dim[4], struct err *e)
{
	o->f.cout = (int)dim[1];
	if ((dim[1] == 1 || dim[1] == 3) && (o->f.cin == dim[1] || dim[1] == 1)) return 0;
	return err_set(e, E_INPUT, "%s: takes %d channels and gives %lld; pictures have 3, or 1 for luma and mattes", o->path,
	               o->f.cin, (long long)dim[1]);
}

/* From what two sizes give, or one (first is then NULL): a ratio, and what is lost beside it. */
static int factor(struct nn_ort *o, int w, int h, const int64_t dim[4], const int64_t *first, struct err *e)
{
	struct nn_ort_facts *f = &o->f;
	int64_t x = dim[3] - (first ? first[3] : 0), y = dim[2] - (first ? first[2] : 0);
	for (f->den = 1; f->den <= NN_MAX_SCALE; f->den++)
		for (f->num = 1; f->num <= NN_MAX_SCALE; f->num++) {
			if (y * f->den != (int64_t)h * f->num || x * f->den != (int64_t)w * f->num) continue;
			int64_t lost = first ? x - first[3] : 0;
			f->lead = (int)(lost / 2);
			f->trail = (int)(lost - lost / 2);
			if (lost >= 0 && lost <= 2 * NN_MAX_PAD && (!first || y - first[2] == lost)) return 0;
		}
	return err_set(e, E_INPUT, "%s: makes %lld x %lld pixels of %d x %d%s; a factor up to 16 is "
	               "wanted", o->path, (long long)dim[3], (long long)dim[2], first ? 2 * w : w,
	               first ? 2 * h : h, first ? ", no one factor for all sizes" : "");
}

/* Memory out of two pictures, the second of four times the pixels: fixed + pixel n, or pixel n + square n n. */
static void memory_of(struct nn_ort_facts *f, double pixels, double one, double four)
{
	if (four > 4 * one) {
		f->square = (four - 4 * one) / (12 * pixels * pixels);
		f->pixel = one / pixels - f->square * pixels;
		if (f->pixel < 0) f->pixel = 0;
	} else {
		f->pixel = four > one ? (four - one) / (3 * pixels) : 0;
		f->fixed = one - f->pixel * pixels;
	}
}

/* The smallest picture of 32 times a power of two that it runs, and what sizes beside it it takes. */
static int sizes(struct nn_ort *o, struct err *e)
{
	struct nn_ort_facts *f = &o->f;
	struct err ignored = ERR_INIT;
	int64_t small[4], dim[4];
	double one, four, any;
	int base = 32, rc;
	while ((rc = try_size(o, base, base, small, &one, e)) < 0 && base < 256 && e->code == E_INPUT) {
		err_clear(e);
		base *= 2;
	}
	if (rc < 0 || try_size(o, 2 * base, 2 * base, dim, &four, e) < 0 || channels(o, dim, e) < 0 ||
	    factor(o, base, base, dim, small, e) < 0) return -1;
	memory_of(f, (double)base * base, one, four);
	for (f->align = 1; f->align < base; f->align *= 2) {
		err_clear(&ignored);
		if (try_size(o, base + f->align, base + f->align, dim, &any, &ignored) == 0 && fits(f, base + f->align, dim)) break;
	}
	while (f->align % f->den) f->align *= 2;
	return f->align > 256 ? err_set(e, E_INPUT, "%s: takes sizes that share no multiple up to 256", o->path) : 0;
}

static int learn(struct nn_ort *o, struct err *e)
{
	struct nn_ort_facts *f = &o->f;
	int64_t dim[4];
	double bytes;
	if (!f->w) return sizes(o, e);
	f->align = 1;
	if (try_size(o, f->w, f->h, dim, &bytes, e) < 0 || channels(o, dim, e) < 0 ||
	    factor(o, f->w, f->h, dim, NULL, e) < 0)
		return -1;
	f->align = f->den;
	f->pixel = bytes / ((double)f->w * f->h);
	return 0;
}

int nn_ort_learn(const char *path, struct nn_ort_facts *out, struct err *e)
{
	struct meter m = { .most = LEARN_BYTES };
	struct nn_ort *o = session(path, &m, e);
	if (!o) return -1;
	int rc = learn(o, e);
	*out = o->f;
	out->weights = (double)m.now;
	nn_ort_free(&o);
	return rc;
}

/* Input pixels behind what is lost at a side. */
static int border(const struct nn_ort_facts *f)
{
	int lost = f->lead > f->trail ? f->lead : f->trail;
	return (lost * f->den + f->num - 1) / f->num;
}

struct nn_model *nn_ort_model(const char *path, const struct nn_ort_facts *f)
{
	struct nn_model *m = xalloc(1, sizeof *m);
	*m = (struct nn_model){ .nblob = 2, .input = 0, .output = 1, .scale_num = f->num, .scale_den = f->den, .align = f->align,
		.pad = border(f), .whole = true, .file = xstrdup(path), .sha = f->sha };
	m->blob = xalloc(2, sizeof *m->blob);
	m->blob[0] = (struct nn_blob){ .c = f->cin, .num = 1, .den = 1 };
	m->blob[1] = (struct nn_blob){ .c = f->cout, .num = f->num, .den = f->den, .lead = f->lead,
		.trail = f->trail };
	return m;
}

struct nn_ort *nn_ort_open(const char *path, const struct nn_ort_facts *f, struct err *e)
{
	struct meter m = { .most = (size_t)f->weights * 2 + LEARN_BYTES };
	struct nn_ort *o = session(path, &m, e);
	if (!o) return NULL;
	if (memcmp(&o->f.sha, &f->sha, sizeof f->sha) == 0 && o->f.cin == f->cin) {
		o->f = *f;
		return o;
	}
	err_set(e, E_INPUT, "%s changed while it was being read", path);
	nn_ort_free(&o);
	return NULL;
}

/* --- windows --- */

/* A window's size, and by how much the next one's picture goes on. */
struct grid { int w, h, across, down; };

static int up(int v, int to) { return (v + to - 1) / to * to; }
static int smaller(int a, int b) { return a < b ? a : b; }

static struct grid grid_of(const struct nn_ort_facts *f, struct rect in, int overlap)
{
	int lost = 2 * up(overlap + border(f), f->align), side = up(lost * 2 > TILE ? lost * 2 : TILE, f->align);
	struct grid g = { f->w, f->h, f->w - lost, f->h - lost };
	if (!f->w) {
		bool cut = overlap > 0;
		g = (struct grid){ cut ? smaller(side, rect_w(in)) : rect_w(in), cut ? smaller(side, rect_h(in)) : rect_h(in),
			side - lost, side - lost };
	}
	if (g.w >= rect_w(in)) g.across = rect_w(in);
	if (g.h >= rect_h(in)) g.down = rect_h(in);
	return g;
}

int nn_ort_fits(const struct nn_ort_facts *f, const char *path, struct rect in, int overlap, struct err *e)
{
	struct grid g = grid_of(f, in, overlap);
	if (!f->w || (rect_w(in) <= f->w && rect_h(in) <= f->h)) return 0;
	if (overlap <= 0)
		return err_set(e, E_SCENE, "%s takes pictures of %d x %d pixels only: say overlap=, the pixels by which such windows "
		               "overlap", path, f->w, f->h);
	return g.across > 0 && g.down > 0 ? 0 :
		err_set(e, E_SCENE, "overlap=\"%d\" leaves nothing of the %d x %d pixels that %s takes", overlap, f->w, f->h, path);
}

size_t nn_ort_bytes(const struct nn_ort_facts *f, struct rect in, int overlap)
{
	struct grid g = grid_of(f, in, overlap);
	double n = (double)g.w * g.h;
	return (size_t)((f->fixed + f->pixel * n + f->square * n * n) * 1.1) + ((size_t)1 << 20);
}

/* The picture under w, held beyond its edges. */
static void *gather(const struct nn_ort *o, const struct view *in, struct rect w)
{
	float *p = malloc((size_t)o->f.cin * rect_area(w) * sizeof *p + 64), *at = p;
	uint16_t *half = (uint16_t *)(void *)p;
	for (int c = 0; p && c < o->f.cin; c++)
		for (int y = w.y0; y < w.y1; y++) {
			int row = y < in->r.y0 ? in->r.y0 : y >= in->r.y1 ? in->r.y1 - 1 : y;
			const float *s = view_at(in, c, in->r.x0, row);
			for (int x = w.x0; x < w.x1; x++) {
				float v = s[(x < in->r.x0 ? in->r.x0 : x >= in->r.x1 ? in->r.x1 - 1 : x) - in->r.x0];
				if (o->half_in) *half++ = nn_to_half(v);
				else *at++ = v;
			}
		}
	return p;
}

/* What it made over w, as far as keep goes. */
static void scatter(const struct nn_ort *o, const void *from, struct rect w, struct rect keep, const struct view *out)
{
	keep = rect_and(keep, out->r);
	for (int c = 0; c < o->f.cout && !rect_empty(keep); c++)
		for (int y = keep.y0; y < keep.y1; y++) {
			float *to = view_at(out, c, keep.x0, y);
			size_t i = ((size_t)c * (size_t)rect_h(w) + (size_t)(y - w.y0)) * (size_t)rect_w(w) + (size_t)(keep.x0 - w.x0);
			if (!o->half_out) memcpy(to, (const float *)from + i, (size_t)rect_w(keep) * sizeof *to);
			else for (int x = 0; x < rect_w(keep); x++) to[x] = nn_half(((const uint16_t *)from)[i + (size_t)x]);
		}
}

static int window(const struct nn_ort *o, struct rect w, struct rect keep, const struct view *in, const struct view *out,
                  struct meter *m, struct err *e)
{
	const struct nn_blob b = { .c = o->f.cout, .num = o->f.num, .den = o->f.den, .lead = o->f.lead, .trail = o->f.trail };
	const struct nn_blob all = { .c = o->f.cout, .num = o->f.num, .den = o->f.den };
	struct rect large = nn_window(&b, w);
	struct ort_value *v = NULL;
	void *p = gather(o, in, w), *data = NULL;
	int64_t dim[4];
	int rc = p ? run(o, p, rect_w(w), rect_h(w), m, &v, dim, e) : err_set(e, E_MEMORY, "no memory for a network's input");
	if (rc == 0 && (dim[1] != b.c || dim[2] != rect_h(large) || dim[3] != rect_w(large) || !ok(ort.value_data(v, &data))))
		rc = err_set(e, E_INPUT, "%s: makes %lld x %lld pixels of %d x %d, where %d x %d are due", o->path, (long long)dim[3],
		             (long long)dim[2], rect_w(w), rect_h(w), rect_w(large), rect_h(large));
	if (rc == 0) scatter(o, data, large, rect_and(nn_window(&all, keep), large), out);
	if (v) ort.value_free(v);
	free(p);
	return rc;
}

/* Where a window of n pixels stands whose own part begins at v. */
static int place(int v, int n, int overlap, int from, int to)
{
	int at = v - overlap;
	if (at + n > to) at = to - n;
	return at < from ? from : at;
}

int nn_ort_run(const struct nn_ort *o, int overlap, const struct view *in, const struct view *out,
               const atomic_int *cancel, struct err *e)
{
	const struct rect r = in->r;
	struct grid g = grid_of(&o->f, r, overlap);
	struct meter m = { .most = 2 * nn_ort_bytes(&o->f, r, overlap) + SLACK,
		.keep = nn_ort_bytes(&o->f, r, overlap), .cancel = cancel };
	int lost = up(overlap + border(&o->f), o->f.align);
	for (int y = r.y0; y < r.y1; y += g.down)
		for (int x = r.x0; x < r.x1; x += g.across) {
			int x0 = place(x, g.w, lost, r.x0, r.x1), y0 = place(y, g.h, lost, r.y0, r.y1);
			struct rect keep = rect_and(rect_of(x, y, x + g.across, y + g.down), r);
			m.now = 0;
			if (window(o, rect_of(x0, y0, x0 + g.w, y0 + g.h), keep, in, out, &m, e) < 0) return -1;
		}
	return 0;
}
