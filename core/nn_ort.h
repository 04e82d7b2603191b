/* nn_ort - an .onnx network of any operators by the user's ONNX Runtime, opened when first asked for.
 *
 * Outside the promise of equal bits. The library is $INTERNEG_ONNXRUNTIME, else the loader's
 * libonnxruntime.so.1; its CPU kernels run on the calling thread alone, write nothing, and have
 * their memory counted. What a network takes and gives is found by running it on small pictures,
 * for its file need not say. Threads: frozen after making.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NN_ORT_H
#define IN_NN_ORT_H

#include <stdatomic.h>

#include "image.h"
#include "nn_model.h"

/* w, h: the only size that it takes, or 0. lead, trail: pixels of its result that its
 * unpadded layers eat. fixed + pixel * pixels (and square * their square) bytes are
 * held while it runs; weights always. */
struct nn_ort_facts {
	int w, h, cin, cout, num, den, lead, trail, align;
	double weights, fixed, pixel, square;
	struct key sha;
};
struct nn_ort;

/* "ONNX Runtime 1.31.1"; NULL with E_INPUT when there is none. */
const char *nn_ort_about(struct err *e);
/* Runs it on small pictures. E_INPUT names file and cause. */
int nn_ort_learn(const char *path, struct nn_ort_facts *out, struct err *e);
/* As two blobs without layers, for who asks for windows and channels. */
struct nn_model *nn_ort_model(const char *path, const struct nn_ort_facts *f);
/* E_INPUT when the file's sha256 is not f's any more. */
struct nn_ort *nn_ort_open(const char *path, const struct nn_ort_facts *f, struct err *e);
void nn_ort_free(struct nn_ort **o);
/* Can it run a picture of that window so? overlap 0: in one piece. E_SCENE. */
int nn_ort_fits(const struct nn_ort_facts *f, const char *path, struct rect in, int overlap, struct err *e);
/* Bytes that one run over such a picture holds, beside weights. */
size_t nn_ort_bytes(const struct nn_ort_facts *f, struct rect in, int overlap);
/* Planes of the network's input, window in->r, to planes of its result. */
int nn_ort_run(const struct nn_ort *o, int overlap, const struct view *in, const struct view *out,
               const atomic_int *cancel, struct err *e);

/* --- nn_ort_file.c --- */
/* A whole .onnx file, malloced; NULL with E_INPUT when it is none, or reaches beyond itself
 * (external data), or holds what is no number. */
void *nn_ort_read(const char *path, size_t *len, struct key *sha, struct err *e);
/* The same of bytes in memory: E_INPUT when they are not fit. */
int nn_ort_check(const char *name, const void *file, size_t len, struct err *e);

#endif
