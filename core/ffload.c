/* ffload - see ffload.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#define FF_NO_NAMES
#include "ffload.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

/* Filled once, under the once below, then frozen. */
struct ff_table ff;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char why[400];                    /* empty: open */
static _Atomic(void (*)(void)) on_open;

struct entry { const char *name; size_t off; };

static const struct entry util[] = {
#define FF_ENTRY(f) { #f, offsetof(struct ff_table, f) },
	FF_AVUTIL(FF_ENTRY)
};
static const struct entry codec[] = { FF_AVCODEC(FF_ENTRY) };
static const struct entry format[] = { FF_AVFORMAT(FF_ENTRY) };

static bool load(const char *soname, const struct entry *v, size_t n)
{
	void *lib = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
	if (!lib) {
		snprintf(why, sizeof why, "FFmpeg cannot be opened: %s", dlerror());
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		void *f = dlsym(lib, v[i].name);
		if (!f) {
			snprintf(why, sizeof why, "FFmpeg cannot be opened: %s has no %s", soname, v[i].name);
			return false;
		}
		memcpy((char *)&ff + v[i].off, &f, sizeof f);
	}
	return true;
}

/* The outermost first: it brings the others, so that one search of the disk finds them all. */
static void open_all(void)
{
	if (!load("libavformat.so." TEXT(LIBAVFORMAT_VERSION_MAJOR), format, IN_COUNT(format)) ||
	    !load("libavcodec.so." TEXT(LIBAVCODEC_VERSION_MAJOR), codec, IN_COUNT(codec)) ||
	    !load("libavutil.so." TEXT(LIBAVUTIL_VERSION_MAJOR), util, IN_COUNT(util)))
		return;
	void (*f)(void) = atomic_load(&on_open);
	if (f)
		f();
}

void ff_on_open(void (*f)(void))
{
	atomic_store(&on_open, f);
}

int ff_open(struct err *e)
{
	pthread_once(&once, open_all);
	return why[0] ? err_set(e, E_INPUT, "%s", why) : 0;
}
