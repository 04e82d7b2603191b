/* nn_onnx - an .onnx file: its tensors, nodes and values (onnx.proto3; field numbers stand at each case).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_onnx.h"

#include <stdlib.h>

#include "mem.h"

int onnx_bad(struct onnx *g, const struct onnx_node *n, const char *what)
{
	struct pb name = pb_size(n->name) ? n->name : n->out[0];
	return err_set(g->e, E_INPUT, "%s: node '%.*s' (%.*s): %s", g->name,
	               (int)(pb_size(name) > 60 ? 60 : pb_size(name)), (const char *)name.p,
	               (int)(pb_size(n->type) > 40 ? 40 : pb_size(n->type)),
	               (const char *)n->type.p, what);
}

static int damaged(struct onnx *g)
{ return err_set(g->e, E_INPUT, "%s: damaged, or no .onnx file", g->name); }

/* --- attributes --- */

const struct onnx_attr *onnx_attr(const struct onnx_node *n, const char *name)
{
	for (int i = 0; i < n->nattr; i++)
		if (pb_is(n->attr[i].name, name)) return &n->attr[i];
	return NULL;
}

int64_t onnx_int(const struct onnx_node *n, const char *name, int64_t def)
{
	const struct onnx_attr *a = onnx_attr(n, name);
	return a ? (int64_t)a->i : def;
}

/* Repeated field id of b, packed or one by one. */
static int repeated(struct pb b, unsigned id, int64_t *v, int max)
{
	struct pb_field f;
	int n = 0;
	while (pb_next(&b, &f) == 1) {
		if (f.id != id) continue;
		struct pb one = f.sub;
		uint64_t u = f.v;
		while (f.wire == 0 || (one.p < one.end && pb_varint(&one, &u))) {
			if (n == max) return -1;
			v[n++] = (int64_t)u;
			if (f.wire == 0) break;
		}
	}
	return n;
}

int onnx_ints(const struct onnx_node *n, const char *name, int64_t *v, int max)
{
	const struct onnx_attr *a = onnx_attr(n, name);
	return a ? repeated(a->whole, 8, v, max) : 0;
}

struct pb onnx_text(const struct onnx_node *n, const char *name, const char *def)
{
	const struct onnx_attr *a = onnx_attr(n, name);
	const unsigned char *d = (const unsigned char *)def;
	return a ? a->s : (struct pb){ d, d + strlen(def) };
}

static int attr_read(struct onnx *g, struct pb b, struct onnx_attr *a)
{
	struct pb_field f;
	int rc;
	*a = (struct onnx_attr){ .whole = b };
	while ((rc = pb_next(&b, &f)) == 1) {
		switch (f.id) {
		case 1: a->name = f.sub; break;
		case 2: a->f = pb_float(f.v); break;
		case 3: a->i = f.v; break;
		case 4: a->s = f.sub; break;
		case 5: a->t = f.sub; break;
		case 7: a->list = f.sub; break;
		default: break;
		}
		if ((f.id == 1 || f.id == 4 || f.id == 5) && f.wire != 2) return damaged(g);
	}
	return rc < 0 ? damaged(g) : 0;
}

/* --- tensors --- */

static int tensor_data(struct onnx *g, const struct pb_field *f, struct onnx_tensor *t)
{
	if (f->id == 13 || (f->id == 14 && f->wire == 0 && f->v))
		return err_set(g->e, E_INPUT, "%s: tensor '%.*s' is kept in another file (external data); "
		               "write the model as one file", g->name,
		               (int)(pb_size(t->name) > 60 ? 60 : pb_size(t->name)),
		               (const char *)t->name.p);
	bool data = f->id == 4 || f->id == 5 || f->id == 7 || f->id == 9;
	if (!data) return 0;
	if (f->wire != 2 || t->data.p)
		return err_set(g->e, E_INPUT, "%s: a tensor whose numbers do not lie together", g->name);
	t->data = f->sub;
	t->raw = f->id == 9 || (f->id == 4 && t->type == ONNX_FLOAT);
	return 0;
}

int onnx_tensor_read(struct onnx *g, struct pb b, struct onnx_tensor *t)
{
	struct pb whole = b;
	struct pb_field f;
	int rc;
	*t = (struct onnx_tensor){ .n = 1 };
	while ((rc = pb_next(&b, &f)) == 1) {
		if (f.id == 2 && f.wire == 0) t->type = f.v < 100 ? (int)f.v : 100;
		if (f.id == 8 && f.wire == 2) t->name = f.sub;
	}
	if (rc < 0) return damaged(g);
	for (b = whole; pb_next(&b, &f) == 1;)
		if (tensor_data(g, &f, t) < 0) return -1;
	if ((t->rank = repeated(whole, 1, t->dim, ONNX_MAX_RANK)) < 0)
		return err_set(g->e, E_INPUT, "%s: a tensor of more than %d dimensions", g->name, ONNX_MAX_RANK);
	for (int i = 0; i < t->rank; i++) {
		if (t->dim[i] < 0 || t->dim[i] > (1 << 28) || (t->n *= (uint64_t)t->dim[i]) > NN_FILE_MAX)
			return err_set(g->e, E_INPUT, "%s: tensor '%.*s' has an impossible size", g->name,
			               (int)(pb_size(t->name) > 60 ? 60 : pb_size(t->name)), (const char *)t->name.p);
	}
	size_t size = t->type == ONNX_HALF ? 2 : t->type == ONNX_INT64 ? 8 : 4;
	if (t->raw && (t->type == ONNX_FLOAT || t->type == ONNX_HALF || t->type == ONNX_INT64 ||
	               t->type == ONNX_INT32) && pb_size(t->data) != t->n * size)
		return err_set(g->e, E_INPUT, "%s: tensor '%.*s' holds %zu bytes, its size wants %zu",
		               g->name, (int)(pb_size(t->name) > 60 ? 60 : pb_size(t->name)),
		               (const char *)t->name.p, pb_size(t->data), (size_t)t->n * size);
	return 0;
}

static double raw_number(const struct onnx_tensor *t, uint64_t i)
{
	struct pb b = { t->data.p + i * (t->type == ONNX_INT64 ? 8 : 4), t->data.end };
	uint64_t v = 0;
	pb_fixed(&b, t->type == ONNX_INT64 ? 8 : 4, &v);
	return t->type == ONNX_FLOAT ? (double)pb_float(v) : t->type == ONNX_INT64 ? (double)(int64_t)v
		: (double)(int32_t)v;
}

int onnx_numbers(struct onnx *g, const struct onnx_node *n, int i, double *v, int max)
{
	const struct onnx_tensor *t = onnx_const(g, n, i);
	if (i >= n->nin || !pb_size(n->in[i])) return 0;
	if (!t || t->n > (uint64_t)max) return -1;
	if (t->raw && t->type == ONNX_HALF) {
		for (uint64_t k = 0; k < t->n; k++)
			v[k] = (double)nn_half((uint16_t)(t->data.p[2 * k] | t->data.p[2 * k + 1] << 8));
		return (int)t->n;
	}
	if (t->type != ONNX_FLOAT && t->type != ONNX_INT32 && t->type != ONNX_INT64) return -1;
	struct pb b = t->data;
	for (uint64_t k = 0; k < t->n; k++) {
		uint64_t u;
		if (t->raw) { v[k] = raw_number(t, k); continue; }
		if (!pb_varint(&b, &u)) return -1;
		v[k] = (double)(int64_t)u;
	}
	return (int)t->n;
}

/* --- values --- */

static int *slot_of(const struct onnx *g, struct pb name)
{
	uint32_t h = 2166136261u;
	for (const unsigned char *p = name.p; p < name.end; p++) h = (h ^ *p) * 16777619u;
	for (;; h++) {
		int *s = &g->slot[h % ONNX_SLOTS];
		if (!*s || pb_same(g->value[*s - 1].name, name)) return s;
	}
}

const struct onnx_value *onnx_find(const struct onnx *g, struct pb name)
{
	int i = *slot_of(g, name);
	return i ? &g->value[i - 1] : NULL;
}

const struct onnx_tensor *onnx_const(const struct onnx *g, const struct onnx_node *n, int i)
{
	const struct onnx_value *v = i < n->nin && pb_size(n->in[i]) ? onnx_find(g, n->in[i]) : NULL;
	return v && v->tensor >= 0 ? &g->tensor[v->tensor] : NULL;
}

int onnx_value_add(struct onnx *g, struct pb name, int blob, int tensor)
{
	if (g->nvalue >= ONNX_MAX_TENSORS + ONNX_MAX_NODES)
		return err_set(g->e, E_INPUT, "%s: too many values", g->name);
	if (onnx_find(g, name))
		return err_set(g->e, E_INPUT, "%s: '%.*s' is made twice", g->name,
		               (int)(pb_size(name) > 60 ? 60 : pb_size(name)), (const char *)name.p);
	*slot_of(g, name) = g->nvalue + 1;
	g->value[g->nvalue++] = (struct onnx_value){ .name = name, .blob = blob, .tensor = tensor };
	return 0;
}

static int initializer(struct onnx *g, struct pb b)
{
	if (g->ntensor >= ONNX_MAX_TENSORS)
		return err_set(g->e, E_INPUT, "%s: more than %d tensors", g->name, ONNX_MAX_TENSORS);
	struct onnx_tensor *t = &g->tensor[g->ntensor];
	if (onnx_tensor_read(g, b, t) < 0) return -1;
	return onnx_value_add(g, t->name, -1, g->ntensor++);
}

/* --- the graph --- */

static int node_read(struct onnx *g, struct pb b, struct onnx_node *n)
{
	struct pb_field f;
	int rc;
	memset(n, 0, sizeof *n);
	while ((rc = pb_next(&b, &f)) == 1) {
		if (f.id >= 1 && f.id <= 7 && f.wire != 2) return damaged(g);
		if (f.id == 3) n->name = f.sub;
		if (f.id == 4) n->type = f.sub;
		if (f.id == 1) {
			if (n->nin == NN_MAX_IN) return onnx_bad(g, n, "more inputs than any node here has");
			n->in[n->nin++] = f.sub;
		}
		if (f.id == 2) {
			if (n->nout == ONNX_MAX_OUT) return onnx_bad(g, n, "more results than any node here has");
			n->out[n->nout++] = f.sub;
		}
		if (f.id == 5) {
			if (n->nattr == ONNX_MAX_ATTRS) return onnx_bad(g, n, "more attributes than any node here has");
			if (attr_read(g, f.sub, &n->attr[n->nattr++]) < 0) return -1;
		}
	}
	return rc < 0 ? damaged(g) : 0;
}

/* The sub-message id of b, empty without one. */
static struct pb inside(struct pb b, unsigned id)
{
	struct pb_field f;
	while (pb_next(&b, &f) == 1)
		if (f.id == id && f.wire == 2) return f.sub;
	return (struct pb){ NULL, NULL };
}

/* A picture's channels out of ValueInfoProto; 0 when it does not say. */
static int channels_of(struct pb info)
{
	struct pb dims = inside(inside(inside(info, 2), 1), 2);
	struct pb_field f;
	for (int i = 0; pb_next(&dims, &f) == 1;) {
		if (f.id != 1 || f.wire != 2 || i++ != 1) continue;
		struct pb d = f.sub;
		struct pb_field v;
		while (pb_next(&d, &v) == 1)
			if (v.id == 1 && v.wire == 0 && v.v > 0 && v.v <= NN_MAX_CHANNELS) return (int)v.v;
	}
	return 0;
}

static int input(struct onnx *g, struct pb info)
{
	struct pb name = inside(info, 1);
	struct nn_model *m = g->m;
	if (onnx_find(g, name)) return 0;                        /* old files list initializers as inputs */
	if (m->nlayer) return err_set(g->e, E_INPUT, "%s: more than one input", g->name);
	m->layer[0] = (struct nn_layer){ .op = NN_INPUT, .num = 1, .den = 1, .k = 1, .stride = 1,
		.dilation = 1, .group = 1,
		.type = "Input", .name = "input" };
	m->blob[0] = (struct nn_blob){ .c = channels_of(info), .num = 1, .den = 1 };
	m->nlayer = m->nblob = 1;
	return onnx_value_add(g, name, 0, -1);
}

/* Layers that the result does not need go. */
static void prune(struct nn_model *m, int output)
{
	bool *wanted = xalloc((size_t)m->nblob + 1, sizeof *wanted);
	int n = 0;
	wanted[output] = wanted[0] = true;
	for (int i = m->nlayer; i-- > 0;)
		for (int j = 0; wanted[m->layer[i].out] && j < m->layer[i].nin; j++) wanted[m->layer[i].in[j]] = true;
	for (int i = 0; i < m->nlayer; i++)
		if (wanted[m->layer[i].out]) m->layer[n++] = m->layer[i];
	m->nlayer = n;
	free(wanted);
}

static int output(struct onnx *g, struct pb graph)
{
	struct pb_field f;
	const struct onnx_value *v = NULL;
	int n = 0;
	while (pb_next(&graph, &f) == 1)
		if (f.id == 12 && f.wire == 2 && n++ == 0) v = onnx_find(g, inside(f.sub, 1));
	if (n != 1) return err_set(g->e, E_INPUT, "%s: %d results; a network here has one", g->name, n);
	if (!v || v->blob < 0 || v->rows)
		return err_set(g->e, E_INPUT, "%s: its result is made by no node", g->name);
	prune(g->m, v->blob);
	return nn_ends(g->m, g->name, g->e);
}

/* Fields id of the graph, each to what reads it. */
static int each(struct onnx *g, struct pb b, unsigned id, int (*to)(struct onnx *, struct pb))
{
	struct pb_field f;
	int rc;
	while ((rc = pb_next(&b, &f)) == 1) {
		if (f.id != id) continue;
		if (f.wire != 2) return damaged(g);
		if (to(g, f.sub) < 0) return -1;
	}
	return rc < 0 ? damaged(g) : 0;
}

static int node(struct onnx *g, struct pb b)
{
	struct onnx_node n;
	if (node_read(g, b, &n) < 0) return -1;
	if (g->m->nlayer >= NN_MAX_LAYERS - ONNX_MAX_OUT)
		return err_set(g->e, E_INPUT, "%s: too many layers", g->name);
	return onnx_op(g, &n);
}

int nn_read_onnx(struct nn_model *m, const char *name, const void *file, size_t len, struct err *e)
{
	struct onnx g = { .name = name, .file = file, .m = m, .e = e };
	struct pb graph = inside((struct pb){ g.file, g.file + len }, 7);
	int rc = -1;
	if (!graph.p) return damaged(&g);
	m->layer = xalloc(NN_MAX_LAYERS + 1, sizeof *m->layer);
	m->blob = xalloc(NN_MAX_BLOBS, sizeof *m->blob);
	g.tensor = xalloc(ONNX_MAX_TENSORS + 1, sizeof *g.tensor);
	g.slot = xalloc(ONNX_SLOTS, sizeof *g.slot);
	g.value = xalloc(ONNX_MAX_TENSORS + ONNX_MAX_NODES + 1, sizeof *g.value);
	if (each(&g, graph, 5, initializer) < 0 || each(&g, graph, 11, input) < 0) goto out;
	if (!m->nlayer) { err_set(e, E_INPUT, "%s: no input", name); goto out; }
	if (each(&g, graph, 1, node) < 0) goto out;
	rc = output(&g, graph);
out:
	free(g.tensor);
	free(g.value);
	free(g.slot);
	return rc;
}
