/* nn_ort_int - shared by the files that call ONNX Runtime only.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NN_ORT_INT_H
#define IN_NN_ORT_INT_H

#include "nn_ort.h"
#include "nn_ort_api.h"

/* KEPT: freed blocks of at least KEPT_BYTES that a run keeps for its next ones, as fresh pages cost
 * more than most layers. */
enum { ORT_KEPT = 8, ORT_KEPT_BYTES = 1 << 16 };
/* Bytes that a small picture may take while a network is learnt. */
#define ORT_LEARN_BYTES ((size_t)3 << 30)

/* What one session or run on this thread has allocated. stop: asked for when cancelled; NULL: cannot
 * be. keep: while no more than that is held, freed blocks are kept. Threads: worker. */
struct meter {
	size_t now, peak, most, keep; bool over;
	const atomic_int *cancel; struct ort_run *stop; void *kept[ORT_KEPT];
};

struct nn_ort {
	struct nn_ort_facts f; char *path, *in, *out; bool half_in, half_out; struct ort_session *session;
};

#define ORT_MEMBER(place, result, name, args) result (*name) args;
struct ort_table { ORT_CALLS(ORT_MEMBER) };
#undef ORT_MEMBER

/* --- nn_ort_lib.c --- */
/* The library's functions; filled by nn_ort_about, then frozen. */
extern struct ort_table nn_ort_calls;
struct ort_env *nn_ort_env(void);
struct ort_memory *nn_ort_memory(void);
struct ort_allocator *nn_ort_allocator(void);
/* What this thread allocates from now on is counted here; NULL: nowhere. */
void nn_ort_count(struct meter *m);
/* Frees what runs on this thread kept. */
void nn_ort_flush(struct meter *m);
/* Frees the status; was there none? */
bool nn_ort_ok(struct ort_status *s);
/* What the library says of a failure, in one line: -1, or 0 where there is none. */
int nn_ort_failed(struct ort_status *s, const struct meter *m, const char *path, const char *doing,
                  struct err *e);

/* --- nn_ort.c --- */
struct nn_ort *nn_ort_session(const char *path, struct meter *m, struct err *e);
/* One picture of w x h pixels, planes of the type that it takes. The result's numbers are as wide as
 * its shape says; *v is to be freed. */
int nn_ort_picture(const struct nn_ort *o, void *data, int w, int h, struct meter *m,
                   struct ort_value **v, int64_t dim[4], struct err *e);
/* Input pixels behind what is lost at a side. */
int nn_ort_border(const struct nn_ort_facts *f);

#endif
