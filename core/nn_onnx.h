/* nn_onnx - what the two halves of the .onnx reader share: the graph as the file has it.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NN_ONNX_H
#define IN_NN_ONNX_H

#include "nn_int.h"
#include "nn_proto.h"

enum {
	ONNX_MAX_TENSORS = 8192, ONNX_MAX_NODES = 8192, ONNX_MAX_ATTRS = 16, ONNX_MAX_RANK = 6,
	ONNX_MAX_OUT = 16, ONNX_SLOTS = 65536
};
enum onnx_type { ONNX_FLOAT = 1, ONNX_INT32 = 6, ONNX_INT64 = 7, ONNX_HALF = 10 };

/* data: raw little-endian numbers, packed floats or packed varints. */
struct onnx_tensor {
	struct pb name, data; int type, rank; int64_t dim[ONNX_MAX_RANK]; uint64_t n; bool raw;
};
struct onnx_attr { struct pb name, s, t, list; uint64_t i; float f; int kind; struct pb whole; };
struct onnx_node {
	struct pb name, type, in[NN_MAX_IN], out[ONNX_MAX_OUT]; int nin, nout;
	struct onnx_attr attr[ONNX_MAX_ATTRS]; int nattr;
};
/* A named value: a blob, or a tensor. rows: of a Slice down that one across has to follow. */
struct onnx_value { struct pb name; int blob, tensor; int before, behind; bool rows; };

struct onnx {
	const char *name; const unsigned char *file;
	struct nn_model *m;
	struct onnx_tensor *tensor; int ntensor;
	struct onnx_value *value; int nvalue, *slot;   /* slot: values by name: 1 + which, 0 none */
	struct err *e;
};

/* --- nn_onnx.c --- */
int onnx_bad(struct onnx *g, const struct onnx_node *n, const char *what);
const struct onnx_attr *onnx_attr(const struct onnx_node *n, const char *name);
int64_t onnx_int(const struct onnx_node *n, const char *name, int64_t def);
/* Whole numbers of an attribute; how many, 0 without it, -1 when there are more than max. */
int onnx_ints(const struct onnx_node *n, const char *name, int64_t *v, int max);
/* Its text, or def. */
struct pb onnx_text(const struct onnx_node *n, const char *name, const char *def);
/* Input i: NULL when absent or made by a node. */
const struct onnx_tensor *onnx_const(const struct onnx *g, const struct onnx_node *n, int i);
/* The numbers of input i; how many, 0 when absent, -1 when it is no constant of at most max numbers. */
int onnx_numbers(struct onnx *g, const struct onnx_node *n, int i, double *v, int max);
int onnx_tensor_read(struct onnx *g, struct pb b, struct onnx_tensor *t);
int onnx_value_add(struct onnx *g, struct pb name, int blob, int tensor);
const struct onnx_value *onnx_find(const struct onnx *g, struct pb name);
/* --- nn_onnx_ops.c --- */
/* The layers of one node. E_INPUT; an operator that is not known is named. */
int onnx_op(struct onnx *g, const struct onnx_node *n);

#endif
