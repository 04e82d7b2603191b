/* lut - look-up tables and the steps around them, from .cube, .3dl, .spi1d, .spi3d, .clf and .ctf files.
 *
 * A file becomes a list of steps over R,G,B: tables in 1D and 3D, matrices, ranges, logarithms,
 * exponents and CDLs. px_lut.h applies them to rows. Numbers are normalised: what a file calls 1023
 * of 10 bits is 1.0. Threads: frozen once loaded; the reference count is atomic.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_LUT_H
#define IN_LUT_H

#include "base.h"
#include "err.h"
#include "hash.h"

enum { LUT_1D_MAX = 65536, LUT_3D_MAX = 256, LUT_OPS_MAX = 64 };
#define LUT_FILE_MAX ((size_t)512 << 20)

enum lut_kind { LUT_1D, LUT_3D, LUT_MATRIX, LUT_RANGE, LUT_LOG, LUT_EXPONENT, LUT_CDL };

/* Position in nodes: (x - min) * scale. half: 65536 entries, one a half float, and no min, no scale.
 * hue (CLF's dw3): the middle channel keeps its place between the two others. */
struct lut_1d { int n; bool half, hue; float *t[3], min[3], scale[3]; };
/* t: 4 floats (R,G,B,0) a node, red fastest. linear: trilinear, otherwise tetrahedral. */
struct lut_3d { int n; bool linear; float *t, min[3], scale[3]; };
struct lut_matrix { float m[9], off[3]; };
/* x * scale + off, held to lo..hi (infinite: not held). */
struct lut_range { float scale, off, lo, hi; };
/* A channel: log_slope log2(max(lin_slope x + lin_off, FLT_MIN)) + log_off above the
 * break, a straight line up to it; without a line seg_slope is 0. log_break: where the
 * line ends in the encoded numbers. */
struct lut_log {
	bool inverse;
	struct lut_log_curve {
		double lin_slope, lin_off, log_slope, log_off, lin_break, log_break, seg_slope, seg_off;
	} c[3];
};
enum lut_below { LUT_BELOW_ZERO, LUT_BELOW_MIRROR, LUT_BELOW_PASS };
/* A channel: (x scale + off)^power, or x^power scale - off where inverse; with
 * a foot, x slope up to the break. */
struct lut_exponent { enum lut_below below; bool foot, inverse;
                      struct lut_exp_curve { double power, scale, off, brk, slope; bool identity; } c[3]; };
struct lut_cdl { bool inverse, clamp; float slope[3], offset[3], power[3], sat; };

struct lut_op {
	enum lut_kind kind;
	union { struct lut_1d t1; struct lut_3d t3; struct lut_matrix matrix; struct lut_range range;
		struct lut_log log;
	        struct lut_exponent exponent; struct lut_cdl cdl; } u;
};
struct lut { int nop; struct lut_op *op; _Atomic int refs; struct key hash; };

/* NULL with E_INPUT and file:line for anything that is no sound table (E_MEMORY when there is
 * none). The ending of the name tells the format. */
struct lut *lut_load(const char *path, struct err *e);
/* The same from text; name stands in messages. */
struct lut *lut_parse(const char *name, const char *text, size_t len, struct err *e);
/* Drops a reference, frees with the last; accepts NULL, clears. */
void lut_free(struct lut **l);

/* Tables that several nodes and frames of one net use: each content is read once and kept
 * until the store goes. Threads: any. */
struct lut_store;
struct lut_store *lut_store_new(void);
void lut_store_free(struct lut_store **s);
/* A reference to the table in path, which the caller frees; s NULL: as lut_load. */
struct lut *lut_store_get(struct lut_store *s, const char *path, struct err *e);
int lut_store_count(const struct lut_store *s);

/* Rows in place, as px_lut.h does them, for callers outside tiles. */
void lut_apply(const struct lut *l, bool clamp, float *r, float *g, float *b, int n);
/* How many of n pixels some table of l has outside its domain (NaN is); the row is applied, clamped. */
size_t lut_outside(const struct lut *l, float *r, float *g, float *b, int n);

#endif
