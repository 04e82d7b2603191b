/* nn_model - a convolutional network as a list of layers, read from ncnn's
 * .param and .bin or from an .onnx file.
 *
 * Blobs are pictures of c channels whose pixels lie on the input's grid times num/den. Every size
 * is checked before anything of it is allocated; weights stay in the file until nn_weights asks for
 * one layer's. Threads: frozen once loaded.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NN_MODEL_H
#define IN_NN_MODEL_H

#include "base.h"
#include "err.h"
#include "hash.h"
#include "rect.h"

enum { NN_MAX_LAYERS = 2048, NN_MAX_BLOBS = 4096, NN_MAX_IN = 8, NN_MAX_CHANNELS = 1024, NN_MAX_KERNEL = 15,
       NN_MAX_SCALE = 16, NN_MAX_PAD = 512, NN_BLOCK = 16 };
#define NN_FILE_MAX ((size_t)512 << 20)

enum nn_op { NN_INPUT, NN_CONV, NN_DECONV, NN_ACT, NN_SHUFFLE, NN_INTERP, NN_BINARY, NN_CONCAT,
	NN_PAD, NN_POOL, NN_MEAN,
             NN_SLICE, NN_AFFINE, NN_UNSHUFFLE };
/* y = x; max(x, 0) + slope min(x, 0), one slope or one a channel; clamp to lo..hi; 1 / (1 + exp(-x)). */
enum nn_act { NN_LINEAR, NN_SLOPE, NN_SLOPES, NN_CLIP, NN_SIGMOID };
enum nn_interp { NN_NEAREST, NN_BILINEAR, NN_BICUBIC };
enum nn_binary { NN_ADD, NN_SUB, NN_MUL, NN_MAX, NN_MIN, NN_DIV };
enum nn_pad { NN_PAD_VALUE, NN_PAD_HOLD, NN_PAD_REFLECT };
/* AVG: of the pixels that exist; AVG_ALL: of all places of the kernel. */
enum nn_pool { NN_POOL_MAX, NN_POOL_AVG, NN_POOL_AVG_ALL };

/* Weights in the file: fp32 or fp16 numbers from byte `at`. */
struct nn_data { uint64_t at; size_t n; bool half; };

struct nn_layer {
	char name[64], type[32];             /* as the file says */
	enum nn_op op;
	int nin, in[NN_MAX_IN], out;         /* blobs */
	/* what backend exact reads: in, or what the CONCAT before it joins, which then is gone */
	int nread, read[NN_MAX_IN]; bool gone;
	int cout, k, dilation, stride;       /* CONV, DECONV, POOL; SHUFFLE, UNSHUFFLE: stride is the factor */
	/* before and behind, extra: a DECONV's more behind; PAD: negative ones cut */
	int pad, pad_end, extra;
	/* CONV: output o reads o stride + off ...; DECONV: input i goes to i stride + off ... */
	int group, off;
	bool inner;                          /* CONV: of one pixel only */
	/* DECONV: weights by input first; POOL: a last window that is not whole */
	bool flip, ceil;
	/* SLICE: channels first ... first + cout; cout -n: the first-th of n equal parts */
	int first;
	struct nn_data w, bias, slopes;
	enum nn_act act; double lo, hi;      /* SLOPE: lo */
	int how;                             /* nn_interp, nn_binary, nn_pad, nn_pool */
	int num, den;                        /* INTERP: factor */
	/* BINARY, PAD; SHUFFLE: channels by blocks (DCR) */
	double scalar, coef[NN_MAX_IN]; bool with_scalar, blocks;
};

/* A blob's pixels: input coordinate X lies at X num / den; where the input is [0, w) it covers
 * [lead, w num / den - trail) in both directions. vec: one pixel at (0, 0), whatever the input.
 * shift: how far its pixels' centres lie behind where the grid has them, in its pixels. */
struct nn_blob { int c, num, den, lead, trail, uses; bool vec; double shift; };

/* Units before first make whole maps; n strips of so many rows of the result (1: no strips). peak:
 * bytes of maps that are alive at once, packed weights with them. */
struct nn_strips { int first, n, rows; double peak; };
/* The last that was found, for an input of that window. */
struct nn_cut { struct rect window; struct nn_strips strips; };

struct nn_model {
	struct nn_layer *layer; int nlayer;
	struct nn_blob *blob; int nblob;
	int input, output;                   /* blobs */
	int scale_num, scale_den;            /* of the output */
	int pad;                             /* input pixels at each side that unpadded layers eat */
	int align;                           /* the input's window stands at multiples of it */
	bool whole;                          /* a mean of the whole picture is in the result */
	int radius;                          /* receptive: input pixels at each side of one that it depends on */
	double mac;                          /* multiplications an input pixel */
	uint64_t params;
	char *file, *bin;
	int shares;                          /* nn_store.c's */
	struct nn_cut *cut;                  /* nn_strip.c's, behind its lock; NULL: not kept */
	struct key sha;                      /* see nn_sha */
};

/* NULL with E_INPUT naming file, line and cause (an unknown layer by its name); E_MEMORY.
 * The .bin stands beside the .param. */
struct nn_model *nn_load(const char *path, struct err *e);
/* The same from memory, for tests; name stands in messages. bin may be shorter than it should. */
struct nn_model *nn_parse(const char *name, const char *text, size_t len, const void *bin,
                          size_t nbin, struct err *e);
void nn_free(struct nn_model **m);
/* The same, E_INPUT when it is not the one that hex names any more: a scene reads it more than once. */
struct nn_model *nn_load_as(const char *path, const char *hex, struct err *e);
int nn_is(const struct nn_model *m, const char *hex, struct err *e);

/* The same, read once however many use it; given back with nn_unshare, which takes NULL. */
const struct nn_model *nn_share(const char *path, struct err *e);
void nn_unshare(const struct nn_model **m);

/* Channels, grids, windows, receptive field and costs of all blobs; what no
 * picture could have is an error. */
int nn_shape(struct nn_model *m, const char *name, struct err *e);

/* Numbers of d out of the .bin; malloced, NULL with E_INPUT when the file
 * shrank or holds a NaN or infinity. */
float *nn_weights(const struct nn_model *m, const struct nn_data *d, struct err *e);
/* What pins a model: the SHA-256 of the hex digests of its .param and .bin, one behind the other
 * (sha256sum x.param x.bin | cut -c1-64 | tr -d '\n' | sha256sum). E_INPUT. */
int nn_sha(const char *path, struct key *out, struct err *e);
char *nn_bin_path(const char *path);                 /* malloced; NULL when path is no .param */
/* The input's window for a picture: with the border that layers eat, at multiples of align. */
struct rect nn_input(int pad, int align, struct rect picture);
/* A blob's window where the input's is r; floats of x a pixel (1 or NN_BLOCK) and
 * planes of a blob of c channels. */
struct rect nn_window(const struct nn_blob *b, struct rect r);
IN_INLINE int nn_step(int c) { return c < NN_BLOCK ? 1 : NN_BLOCK; }
IN_INLINE int nn_planes(int c) { return c < NN_BLOCK ? c : (c + NN_BLOCK - 1) / NN_BLOCK; }

#endif
