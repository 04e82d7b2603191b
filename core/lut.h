/* lut - look-up tables from .cube files: 1D, 3D, and a 1D shaper before a 3D table.
 * Adobe "Cube LUT Specification 1.0" (2013) and Resolve's LUT_1D/3D_INPUT_RANGE. Threads: frozen
 * once loaded.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_LUT_H
#define IN_LUT_H

#include "base.h"
#include "err.h"

enum { LUT_1D_MAX = 65536, LUT_3D_MAX = 256 };
#define LUT_FILE_MAX ((size_t)512 << 20)

struct lut {
	int n1, n3;                     /* entries of the 1D table, side of the 3D one; 0: absent */
	float *t1[3];                   /* n1 floats a channel */
	float *t3;                      /* 4 floats (R,G,B,0) a node, red fastest */
	float min1[3], scale1[3];       /* (x - min) * scale: position in nodes */
	float min3[3], scale3[3];
};

/* NULL with E_INPUT and file:line for anything that is no sound table (E_MEMORY when there is
 * none). */
struct lut *lut_load(const char *path, struct err *e);
/* The same from text; name stands in messages. */
struct lut *lut_parse(const char *name, const char *text, size_t len, struct err *e);
void lut_free(struct lut **l);

#endif
