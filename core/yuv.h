/* yuv - picture planes as they stand in files, and the numbers that turn them into R,G,B and
 * back.
 *
 * Codes are kept as they are (16-bit integers, or float); px_yuv.h converts rows. Matrices and
 * ranges: ITU-T H.273, tables 3 and 4. Threads: frozen (coefficients), worker (planes).
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_YUV_H
#define IN_YUV_H

#include "base.h"
#include "err.h"

enum yuv_matrix { YM_AUTO, YM_RGB, YM_BT709, YM_BT601, YM_BT2020, YM_FCC, YM_SMPTE240M, YM_YCGCO };
enum yuv_range { YR_AUTO, YR_LIMITED, YR_FULL };
/* Where a chroma sample sits among its luma samples. */
enum yuv_siting { YS_AUTO, YS_LEFT, YS_CENTER, YS_TOPLEFT, YS_TOP, YS_BOTTOMLEFT, YS_BOTTOM };

/* The same words in scenes, in probe's output and here; -1 when unknown. */
#define YUV_MATRIX_CHOICES "auto|rgb|bt709|bt601|bt2020|fcc|smpte240m|ycgco"
#define YUV_RANGE_CHOICES  "auto|limited|full"
#define YUV_SITING_CHOICES "auto|left|center|topleft|top|bottomleft|bottom"
const char *yuv_matrix_name(enum yuv_matrix m);
const char *yuv_range_name(enum yuv_range r);
const char *yuv_siting_name(enum yuv_siting s);

/* What the planes mean. Plane order: Y,Cb,Cr,A or R,G,B,A; gray is plane 0 alone; alpha is
 * always plane 3. */
struct plane_desc {
	int w, h;                        /* of plane 0; chroma planes are (w + (1<<lw) - 1) >> lw wide */
	int depth;                       /* 1..16 significant bits; 32: float */
	int lw, lh;                      /* chroma subsampling, log2 */
	bool rgb, gray, alpha, flt;
	bool interlaced;                 /* chroma rows belong to alternate fields */
};

/* Planes with memory of their own; rows of plane i are stride[i] elements apart. */
struct planes {
	struct plane_desc d;
	uint16_t *p[4];                  /* NULL for absent planes and for float */
	float *f[4];
	ptrdiff_t stride[4];
	size_t bytes;
	void *mem;
};

int  plane_width(const struct plane_desc *d, int i);
int  plane_height(const struct plane_desc *d, int i);
bool plane_there(const struct plane_desc *d, int i);
/* Allocates the planes of d (E_MEMORY on failure, sizes checked first). planes_free accepts
 * empty ones. */
int  planes_new(struct planes *p, const struct plane_desc *d, struct err *e);
void planes_free(struct planes *p);
/* The same in memory of the caller's, 64-byte aligned, of planes_bytes(d). */
size_t planes_bytes(const struct plane_desc *d);
void planes_at(struct planes *p, const struct plane_desc *d, void *mem);
/* Hash of the codes row by row, independent of the stride; 8-bit codes count as one byte. */
struct pixhash;
void planes_hash(const struct planes *p, struct pixhash *out);

/* Four taps of chroma interpolation at one phase: sample base + k for k = 0..3. */
struct yuv_tap { int base; float w[4]; };

struct yuv_coef {
	bool rgb, gray, alpha;
	int depth, lw, lh;
	float yoff, yscale;              /* Y' = (code - yoff) / yscale */
	float coff, cscale;              /* C  = (code - coff) / cscale */
	float ascale;                    /* A  = code / ascale (alpha is full range) */
	float inv[3][2];                 /* R,G,B = Y' + inv[c][0] Cb + inv[c][1] Cr */
	float fwd[3][3];                 /* Y',Cb,Cr of R,G,B */
	/* codes a file may hold: reserved sync codes excluded when limited */
	float lo, hi;
	/* by x & (1 << lw) - 1; positions in chroma samples from x >> lw */
	struct yuv_tap htap[4];
	struct yuv_tap vtap[3][4];       /* [0] progressive, [1] top field, [2] bottom field */
	/* the filters down: weights of the samples at hfirst + k, vfirst + k */
	float hdown[16], vdown[16];
	int hfirst, hn, vfirst, vn;
};
/* The coefficients for planes of d. matrix, range, siting must not be AUTO unless d is rgb or
 * gray.
 * */
void yuv_coef_init(struct yuv_coef *k, const struct plane_desc *d, enum yuv_matrix m,
                   enum yuv_range r,
                   enum yuv_siting s);

/* Luma weights of a matrix: Kr, Kb (H.273 table 4). */
void yuv_weights(enum yuv_matrix m, double *kr, double *kb);

#endif
