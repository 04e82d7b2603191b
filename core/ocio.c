/* ocio - see ocio.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "ocio.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lut.h"
#include "mem.h"
#include "ocio_shim.h"

#define SHIM_FILE "interneg-ocio.so"

struct ocio { struct ocio_shim_result r; struct lut *lut; char *outside; struct key files; };

/* Filled once, under the once below, then frozen. */
static const struct ocio_shim *shim;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char why[600];

static bool try_open(const char *path)
{
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		snprintf(why, sizeof why, "OpenColorIO cannot be opened: %s", dlerror());
		return false;
	}
	const struct ocio_shim *s = dlsym(lib, OCIO_SHIM_SYMBOL);
	if (s && s->abi == OCIO_SHIM_ABI) {
		shim = s;
		why[0] = 0;
		return true;
	}
	snprintf(why, sizeof why, "OpenColorIO cannot be opened: %.400s is of another version of interneg", path);
	return false;
}

/* Beside the program, where it was built, where it is installed. */
static void open_shim(void)
{
	static const char *const beside[] = { "", "../", "../lib/interneg/", "build/" };
	char exe[PATH_MAX], path[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	exe[n > 0 ? n : 0] = 0;
	char *slash = strrchr(exe, '/');
	if (slash) *slash = 0;
	snprintf(why, sizeof why, "OpenColorIO cannot be opened: there is no " SHIM_FILE " beside %.400s (the program was "
	         "built without libopencolorio-dev)", exe);
	for (size_t i = 0; i < IN_COUNT(beside); i++) {
		snprintf(path, sizeof path, "%s/%s" SHIM_FILE, exe, beside[i]);
		if (access(path, R_OK) == 0 && try_open(path)) return;
	}
}

static int need_shim(struct err *e)
{
	pthread_once(&once, open_shim);
	return shim ? 0 : err_set(e, E_INPUT, "%s", why);
}

const char *ocio_version(struct err *e) { return need_shim(e) < 0 ? NULL : shim->version(); }

int ocio_config(const char *file, const char **path, const char **name, struct err *e)
{
	const char *env = getenv("OCIO");
	struct stat st;
	*path = file && *file ? file : env;
	*name = file && *file ? file : "$OCIO";
	if (!*path || !**path)
		return err_set(e, E_SCENE, "no OpenColorIO config: write config=, <graph ocio=\"...\">, or set $OCIO");
	if (stat(*path, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, E_INPUT, "OpenColorIO config %s: no such file", *path);
	return 0;
}

char *ocio_interchange(const char *config, struct err *e)
{
	char msg[900] = "";
	if (need_shim(e) < 0) return NULL;
	char *name = shim->interchange(config, msg, sizeof msg);
	if (!name) {
		err_set(e, E_INPUT, "OpenColorIO config %s: %s", config, msg);
		return NULL;
	}
	if (*name) return name;
	free(name);
	err_set(e, E_SCENE, "OpenColorIO config %s names no space as ACES2065-1 (role "
	        "aces_interchange); say interchange= and interchange_is=", config);
	return NULL;
}

/* Names are what a scene says; everything else is about files. */
static enum err_code code_of(const char *msg)
{
	static const char *const scene[] = { "is no colour space of the config", "is not in the config",
		"The specified look" };
	for (size_t i = 0; i < IN_COUNT(scene); i++)
		if (strstr(msg, scene[i])) return E_SCENE;
	return E_INPUT;
}

static int hash_files(struct ocio *o, struct err *e)
{
	struct sha s;
	struct key k;
	sha_init(&s);
	for (int i = 0; i < o->r.nfile; i++) {
		if (hash_file(o->r.file[i], &k, e) < 0) return -1;
		sha_key(&s, &k);
	}
	o->files = sha_end(&s);
	return 0;
}

/* Its message names the step, "uses the 'FixedFunction' op". */
static char *reason(const char *text)
{
	const char *op = text ? strstr(text, "uses the '") : NULL;
	if (!op) return xasprintf("OpenColorIO %s evaluates it (%s)", shim->version(), text ? text : "as asked");
	op += strlen("uses the '");
	return xasprintf("OpenColorIO %s evaluates it (%.*s is no step of CLF)", shim->version(),
	                 (int)strcspn(op, "'"), op);
}

struct ocio *ocio_open(const struct ocio_ask *ask, struct err *e)
{
	char msg[900] = "";
	if (need_shim(e) < 0) return NULL;
	struct ocio *o = xalloc(1, sizeof *o);
	struct ocio_shim_ask a = { ask->config, ask->from, ask->to, ask->look, ask->display, ask->view, ask->inverse,
		                       ask->whole };
	if (shim->open(&a, &o->r, msg, sizeof msg) < 0) {
		err_set(e, code_of(msg), "OpenColorIO config %s: %s", ask->config, msg);
		ocio_free(&o);
		return NULL;
	}
	if (hash_files(o, e) < 0) { ocio_free(&o); return NULL; }
	if (o->r.clf) {
		struct err le = ERR_INIT;
		o->lut = lut_parse("transform.clf", o->r.clf, strlen(o->r.clf), &le);
		if (o->lut) return o;
		/* steps that are legal there and not here: OpenColorIO evaluates */
		a.whole = 1;
		shim->close(&o->r);
		if (shim->open(&a, &o->r, msg, sizeof msg) < 0) {
			err_set(e, E_INPUT, "OpenColorIO config %s: %s", ask->config, msg);
			ocio_free(&o);
			return NULL;
		}
		o->outside = xasprintf("OpenColorIO %s evaluates it (%s)", shim->version(), le.msg);
	} else o->outside = reason(o->r.why);
	return o;
}

void ocio_free(struct ocio **op)
{
	struct ocio *o = *op;
	*op = NULL;
	if (!o) return;
	if (shim) shim->close(&o->r);
	lut_free(&o->lut);
	free(o->outside);
	free(o);
}

void ocio_row(const struct ocio *o, float *r, float *g, float *b, int n)
{
	if (o->lut) lut_apply(o->lut, true, r, g, b, n);
	else shim->apply(o->r.cpu, r, g, b, n);
}

const struct lut *ocio_lut(const struct ocio *o) { return o->lut; }
const char *ocio_outside(const struct ocio *o) { return o->outside; }
int ocio_nfile(const struct ocio *o) { return o->r.nfile; }
const char *ocio_file(const struct ocio *o, int i) { return o->r.file[i]; }

void ocio_hash(const struct ocio *o, struct sha *s)
{
	if (o->lut) {
		sha_str(s, "steps");
		sha_str(s, o->r.clf);
		return;
	}
	sha_str(s, shim->version());
	sha_str(s, o->r.id);
	sha_key(s, &o->files);
}
