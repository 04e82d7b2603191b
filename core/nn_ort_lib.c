/* nn_ort_lib - the user's ONNX Runtime: opened once, its memory counted, its complaints in one
 * line.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_ort_int.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 64 };

/* Filled once, under the once below, then frozen. */
struct ort_table nn_ort_calls;
static struct ort_env *env;
static struct ort_memory *memory;
static struct ort_allocator *refusing, counted;      /* refusing: the library's own */
static bool ready;
static char about[700];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct meter *meter;

struct ort_env *nn_ort_env(void) { return env; }
struct ort_memory *nn_ort_memory(void) { return memory; }
struct ort_allocator *nn_ort_allocator(void) { return &counted; }
void nn_ort_count(struct meter *m) { meter = m; }

/* --- memory: counted, so that it can be told and bounded --- */

/* The library does not look whether it was given NULL. Its own allocator, asked for more than
 * there is, throws what its
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
void nn_ort_flush(struct meter *m)
{
	for (int i = 0; i < ORT_KEPT; i++)
		if (m->kept[i]) release(m, m->kept[i]), m->kept[i] = NULL;
}

/* A kept block that fits and wastes no more than a fourth. */
static void *again(struct meter *m, size_t n)
{
	int best = -1;
	for (int i = 0; i < ORT_KEPT; i++)
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
		struct ort_status *s = nn_ort_calls.run_stop(m->stop);
		if (s) nn_ort_calls.status_free(s);
	}
	if (old) return old;
	if (m && (n > m->most || m->now > m->most - n)) nn_ort_flush(m);
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
	for (int i = 0; p && m && m->now <= m->keep && size_of(p) >= ORT_KEPT_BYTES && i < ORT_KEPT; i++)
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

bool nn_ort_ok(struct ort_status *s)
{
	if (s) nn_ort_calls.status_free(s);
	return !s;
}

static void *find(char *why, size_t n)
{
	const char *own = getenv("INTERNEG_ONNXRUNTIME");
	const char *names[] = { own && *own ? own : "libonnxruntime.so.1", own && *own ? NULL
		: "libonnxruntime.so", NULL };
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
		snprintf(about, sizeof about, "backend=\"onnxruntime\" wants ONNX Runtime (libonnxruntime.so.1, "
		         "or the file that "
		         "INTERNEG_ONNXRUNTIME names): %s", why);
		return;
	}
	*(void **)(void *)&base = dlsym(lib, "OrtGetApiBase");
	const struct ort_base *b = base ? base() : NULL;
	const char *table = b ? b->table(ORT_VERSION) : NULL;
	if (!table) {
		snprintf(about, sizeof about, "backend=\"onnxruntime\": this library is not ONNX Runtime 1.%d "
		         "or later%s%.40s", ORT_VERSION,
		         b ? ", but " : "", b ? b->version() : "");
		return;
	}
#define TAKE(place, result, name, args) memcpy(&nn_ort_calls.name, table + (place) * sizeof(void *), sizeof(void *));
	ORT_CALLS(TAKE)
	if (!nn_ort_ok(nn_ort_calls.env_new(ORT_QUIET, "interneg", &env)) ||
	    !nn_ort_ok(nn_ort_calls.telemetry_off(env)) || !nn_ort_ok(nn_ort_calls.memory_cpu(0, 0,
		&memory)) ||
	    !nn_ort_ok(nn_ort_calls.own_allocator(&refusing)) ||
		!nn_ort_ok(nn_ort_calls.take_allocator(env, &counted))) {
		snprintf(about, sizeof about, "backend=\"onnxruntime\": ONNX Runtime %.40s does not start",
		         b->version());
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
int nn_ort_failed(struct ort_status *s, const struct meter *m, const char *path, const char *doing,
                  struct err *e)
{
	char text[600];
	if (!s) return 0;
	snprintf(text, sizeof text, "%s", nn_ort_calls.text(s));
	nn_ort_calls.status_free(s);
	for (char *p = text; *p; p++)
		if (*p == '\n' || *p == '\r') *p = ' ';
	if (m && m->cancel && atomic_load_explicit(m->cancel, memory_order_relaxed)) return err_set(e,
		E_CANCEL, "cancelled");
	if (m && m->over)
		return err_set(e, E_MEMORY, "%s: ONNX Runtime wants more than %zu MiB %s", path, m->most >> 20,
		               doing);
	return err_set(e, E_INPUT, "%s: ONNX Runtime, %s: %s", path, doing, text);
}
