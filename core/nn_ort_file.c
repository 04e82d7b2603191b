/* nn_ort_file - an .onnx file looked over before another library is given it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mem.h"
#include "nn_ort.h"
#include "nn_proto.h"
#include "textfile.h"

/* DEPTH: of graphs within graphs; ITEMS: fields of messages, more than which no network has. */
enum { DEPTH = 16, ITEMS = 4 << 20 };
enum level { MODEL, GRAPH, NODE, ATTR, TENSOR, SPARSE, FUNCTION, NONE };

struct look { const char *name; struct err *e; long items; };

/* What field id of a message of one kind holds (onnx.proto3). */
static enum level inside(enum level l, unsigned id)
{
	switch (l) {
	case MODEL: return id == 7 ? GRAPH : id == 25 ? FUNCTION : NONE;
	case GRAPH: return id == 1 ? NODE : id == 5 ? TENSOR : id == 15 ? SPARSE : NONE;
	case FUNCTION: return id == 7 ? NODE : NONE;
	case NODE: return id == 5 ? ATTR : NONE;
	case ATTR:
		return id == 5 || id == 10 ? TENSOR : id == 6 || id == 11 ? GRAPH
			: id == 22 || id == 23 ? SPARSE : NONE;
	case SPARSE: return id == 1 || id == 2 ? TENSOR : NONE;
	default: return NONE;
	}
}

static int tensor_bad(const struct look *k, struct pb t, const char *what)
{
	struct pb_field f;
	struct pb name = { NULL, NULL };
	while (pb_next(&t, &f) == 1)
		if (f.id == 8 && f.wire == 2) name = f.sub;
	size_t n = pb_size(name) > 60 ? 60 : pb_size(name);
	return err_set(k->e, E_INPUT, "%s: tensor '%.*s' %s", k->name, (int)n, n ? (const char *)name.p
	               : "", what);
}

static bool has_nan(struct pb raw)
{
	for (uint64_t v; pb_size(raw) >= 4 && pb_fixed(&raw, 4, &v);)
		if ((v & 0x7fffffffu) > 0x7f800000u) return true;
	return false;
}

/* Numbers that lie elsewhere, that are none, or that are more or fewer than the size says. */
static int tensor(const struct look *k, struct pb t)
{
	struct pb b = t, raw = { NULL, NULL };
	struct pb_field f;
	uint64_t n = 1, type = 0;
	while (pb_next(&b, &f) == 1) {
		if (f.id == 13 || (f.id == 14 && f.wire == 0 && f.v))
			return tensor_bad(k, t, "is kept in another file (external data)");
		if (f.id == 2 && f.wire == 0) type = f.v;
		if (f.id == 9 && f.wire == 2) raw = f.sub;
		if (f.id == 4 && f.wire == 2 && has_nan(f.sub)) return tensor_bad(k, t,
		                                                                  "holds what is no number");
		struct pb one = f.sub;
		uint64_t v = f.v;
		while (f.id == 1 && (f.wire == 0 || (f.wire == 2 && pb_varint(&one, &v)))) {
			if (v > NN_FILE_MAX || (n *= v) > 2 * (uint64_t)NN_FILE_MAX)
				return tensor_bad(k, t, "has an impossible size");
			if (f.wire == 0) break;
		}
	}
	if (type == 1 && raw.p && pb_size(raw) != n * 4)
		return tensor_bad(k, t, "holds another number of bytes than its size wants");
	return type == 1 && has_nan(raw) ? tensor_bad(k, t, "holds what is no number") : 0;
}

static int look(struct look *k, struct pb b, enum level l, int depth)
{
	struct pb_field f;
	int rc;
	if (depth > DEPTH * 3) return err_set(k->e, E_INPUT, "%s: graphs within graphs beyond %d",
	                                      k->name, DEPTH);
	if (l == TENSOR && tensor(k, b) < 0) return -1;
	while ((rc = pb_next(&b, &f)) == 1) {
		enum level in = inside(l, f.id);
		if (++k->items > ITEMS) return err_set(k->e, E_INPUT, "%s: more parts than any network has",
		                                       k->name);
		if (in == NONE) continue;
		if (f.wire != 2) return err_set(k->e, E_INPUT, "%s: damaged, or no .onnx file", k->name);
		if (look(k, f.sub, in, depth + 1) < 0) return -1;
	}
	return rc < 0 ? err_set(k->e, E_INPUT, "%s: damaged, or no .onnx file", k->name) : 0;
}

int nn_ort_check(const char *name, const void *file, size_t len, struct err *e)
{
	struct look k = { name, e, 0 };
	struct pb b = { file, (const unsigned char *)file + len }, all = b;
	struct pb_field f;
	bool graph = false;
	while (pb_next(&b, &f) == 1) graph |= f.id == 7 && f.wire == 2;
	if (!graph) return err_set(e, E_INPUT, "%s: damaged, or no .onnx file", name);
	return look(&k, all, MODEL, 0);
}

void *nn_ort_read(const char *path, size_t *len, struct key *sha, struct err *e)
{
	struct stat st;
	struct sha s;
	unsigned char *p = NULL;
	size_t n = strlen(path);
	FILE *f = NULL;
	bool ok = false;
	if (n < 5 || strcmp(path + n - 5, ".onnx") != 0) {
		err_set(e, E_INPUT, "%s: backend=\"onnxruntime\" reads .onnx files", path);
		return NULL;
	}
	if (!(f = plain_open(path, e))) return NULL;
	if (fstat(fileno(f), &st) < 0 || st.st_size > (off_t)NN_FILE_MAX)
		err_set(e, E_INPUT, "%s: larger than 512 MiB", path);
	else if (!(p = malloc((size_t)st.st_size + 1))) err_set(e, E_MEMORY, "%s: no memory for it", path);
	else {
		*len = fread(p, 1, (size_t)st.st_size, f);
		sha_init(&s);
		sha_add(&s, p, *len);
		*sha = sha_end(&s);
		ok = nn_ort_check(path, p, *len, e) == 0;
	}
	fclose(f);
	if (ok) return p;
	free(p);
	return NULL;
}
