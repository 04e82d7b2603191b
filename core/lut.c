/* lut - a LUT file as steps: which reader takes it, its tables, and the store that a net shares.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lut.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lut_int.h"
#include "mem.h"
#include "textfile.h"

struct lut_op *lut_add(struct lut *l, enum lut_kind kind, const char *name, struct err *e)
{
	if (l->nop == LUT_OPS_MAX) {
		err_set(e, E_INPUT, "%s: more than %d steps", name, LUT_OPS_MAX);
		return NULL;
	}
	l->op = xrealloc(l->op, (size_t)l->nop + 1, sizeof *l->op);
	memset(&l->op[l->nop], 0, sizeof *l->op);
	l->op[l->nop].kind = kind;
	return &l->op[l->nop++];
}

struct lut_1d *lut_add_1d(struct lut *l, int n, const char *name, struct err *e)
{
	struct lut_op *o = lut_add(l, LUT_1D, name, e);
	if (!o) return NULL;
	o->u.t1.n = n;
	for (int c = 0; c < 3; c++)
		if (!(o->u.t1.t[c] = calloc((size_t)n, sizeof(float)))) {
			err_set(e, E_MEMORY, "%s: no memory for %d table entries", name, n);
			return NULL;
		}
	return &o->u.t1;
}

struct lut_3d *lut_add_3d(struct lut *l, int n, const char *name, struct err *e)
{
	struct lut_op *o = lut_add(l, LUT_3D, name, e);
	size_t nodes = (size_t)n * (size_t)n * (size_t)n;
	if (!o) return NULL;
	o->u.t3.n = n;
	if (!(o->u.t3.t = calloc(nodes, 4 * sizeof(float)))) {
		err_set(e, E_MEMORY, "%s: no memory for %zu table entries", name, nodes);
		return NULL;
	}
	return &o->u.t3;
}

bool lut_domain(double lo, double hi, int n, float *min, float *scale)
{
	*min = (float)lo;
	*scale = (float)((n - 1) / (hi - lo));
	return hi > lo && *scale > 0 && *scale < 1e30f;
}

typedef int reader(struct lut *l, const char *name, const char *text, size_t len, struct err *e);

/* By the ending; without a known one by how the text begins. */
static reader *find_reader(const char *name, const char *text, size_t len)
{
	static const struct { const char *ending, *begins; reader *read; } format[] = {
		{ ".cube", "LUT_", lut_read_cube }, { ".3dl", "3DMESH", lut_read_3dl },
			{ ".spi1d", "Version", lut_read_spi1d },
		{ ".spi3d", "SPILUT", lut_read_spi3d }, { ".clf", "<", lut_read_clf }, { ".ctf", "<", lut_read_clf },
	};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot && i < IN_COUNT(format); i++)
		if (!strcasecmp(dot, format[i].ending)) return format[i].read;
	for (size_t i = 0; i < IN_COUNT(format); i++) {
		size_t n = strlen(format[i].begins);
		if (len >= n && !memcmp(text, format[i].begins, n)) return format[i].read;
	}
	return lut_read_cube;
}

struct lut *lut_parse(const char *name, const char *text, size_t len, struct err *e)
{
	struct lut *l = xalloc(1, sizeof *l);
	struct sha s;
	l->refs = 1;
	if (find_reader(name, text, len)(l, name, text, len, e) < 0) lut_free(&l);
	else {
		sha_init(&s);
		sha_add(&s, text, len);
		l->hash = sha_end(&s);
	}
	return l;
}

struct lut *lut_load(const char *path, struct err *e)
{
	struct lut *l = NULL;
	char *text = NULL;
	FILE *f = plain_open(path, e);
	if (!f) return NULL;
	long n = fseek(f, 0, SEEK_END) < 0 ? -1 : ftell(f);
	rewind(f);
	if (n < 0 || (size_t)n > LUT_FILE_MAX) {
		err_set(e, E_INPUT, "%s: larger than %zu MiB", path, LUT_FILE_MAX >> 20);
		goto out;
	}
	text = malloc((size_t)n + 1);
	if (!text) { err_set(e, E_MEMORY, "%s: no memory for %ld bytes", path, n); goto out; }
	size_t got = fread(text, 1, (size_t)n, f);
	if (got < (size_t)n) {
		err_set(e, E_INPUT, "read %s: %s", path, ferror(f) ? strerror(errno) : "short file");
		goto out;
	}
	l = lut_parse(path, text, got, e);
out:
	free(text);
	fclose(f);
	return l;
}

void lut_free(struct lut **lp)
{
	struct lut *l = *lp;
	*lp = NULL;
	if (!l || atomic_fetch_sub(&l->refs, 1) > 1) return;
	for (int i = 0; i < l->nop; i++) {
		struct lut_op *o = &l->op[i];
		for (int c = 0; c < 3 && o->kind == LUT_1D; c++) free(o->u.t1.t[c]);
		if (o->kind == LUT_3D) free(o->u.t3.t);
	}
	free(l->op);
	free(l);
}

/* --- the store --- */

struct lut_store { pthread_mutex_t lock; struct lut **v; int n; size_t cap; };

struct lut_store *lut_store_new(void)
{
	struct lut_store *s = xalloc(1, sizeof *s);
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void lut_store_free(struct lut_store **sp)
{
	struct lut_store *s = *sp;
	*sp = NULL;
	if (!s) return;
	for (int i = 0; i < s->n; i++) lut_free(&s->v[i]);
	free(s->v);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int lut_store_count(const struct lut_store *s) { return s->n; }

static struct lut *find(const struct lut_store *s, const struct key *hash)
{
	for (int i = 0; i < s->n; i++)
		if (key_eq(&s->v[i]->hash, hash)) return s->v[i];
	return NULL;
}

/* Parsing happens outside the lock; of two that read the same content at once the first one's table stays. */
struct lut *lut_store_get(struct lut_store *s, const char *path, struct err *e)
{
	struct key hash;
	if (!s) return lut_load(path, e);
	struct lut *l = NULL, *mine = NULL;
	if (hash_file(path, &hash, e) == 0) {
		pthread_mutex_lock(&s->lock);
		if ((l = find(s, &hash))) atomic_fetch_add(&l->refs, 1);
		pthread_mutex_unlock(&s->lock);
		if (l) return l;
	} else err_clear(e);                    /* lut_load says it better */
	if (!(mine = lut_load(path, e))) return NULL;
	pthread_mutex_lock(&s->lock);
	if (!(l = find(s, &mine->hash))) {
		s->v = grow(s->v, (size_t)s->n, &s->cap, sizeof *s->v);
		s->v[s->n++] = l = mine;
		atomic_fetch_add(&mine->refs, 1);
		mine = NULL;
	} else atomic_fetch_add(&l->refs, 1);
	pthread_mutex_unlock(&s->lock);
	lut_free(&mine);
	return l;
}
