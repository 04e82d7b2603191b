/* pixprog - block programs: one traced per-pixel function as straight-line code without branches.
 *
 * A program is a list of operations; value i is the result of operation i, and operands are
 * earlier values.
 * It is checked, printed canonically (its bytes are its identity), and compiled to steps over
 * registers of
 * PP_CHUNK floats that nodes/pixel_program.c runs. Threads: frozen after building.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PIXPROG_H
#define IN_PIXPROG_H

#include "base.h"
#include "err.h"
#include "node.h"

enum { PP_CHUNK = 256, PP_MAX_OPS = 2048, PP_MAX_UNI = 128, PP_MAX_REGS = 192 };

/* in CONN CHANNEL, uni INDEX and const carry numbers, the others values. x, y: pixel centres at
 * full resolution.
 * min(a,b) = a < b ? a : b; max(a,b) = a > b ? a : b; lt, le, eq: a op b ? c : d. */
enum pp_op {
	PP_IN, PP_UNI, PP_CONST, PP_X, PP_Y, PP_FRAME,
	PP_ADD, PP_SUB, PP_MUL, PP_DIV, PP_MIN, PP_MAX, PP_POW,
	PP_NEG, PP_ABS, PP_FLOOR, PP_SQRT, PP_EXP2, PP_LOG2,
	PP_LT, PP_LE, PP_EQ, PP_NOPS
};
struct pp_ins { uint8_t op; uint16_t arg[4]; double imm; };

struct pixprog {
	int n, cap; struct pp_ins *ins;
	int nuni;
	int nout; uint16_t out[4];           /* values of R, G, B and perhaps A */
};

const char *pp_name(enum pp_op op);
int pp_arity(enum pp_op op);             /* operand values; 0 for leaves */

struct pixprog *pixprog_new(void);
void pixprog_free(struct pixprog **p);
/* The value of an operation; equal operations are one. -1 when the program is full. */
int pixprog_add(struct pixprog *p, enum pp_op op, const uint16_t arg[4], double imm);
/* Operands before use, operations known, at least one output. nconn: inputs that exist. */
int pixprog_check(const struct pixprog *p, int nconn, struct err *e);
/* malloced, one operation a line */
char *pixprog_print(const struct pixprog *p);
struct pixprog *pixprog_parse(const char *text, struct err *e);
bool pixprog_reads(const struct pixprog *p, enum pp_op op);

/* The plain meaning in doubles, one pixel: the oracle of the vector form. in[conn][channel]. */
struct pp_pixel { const double (*in)[4]; const double *uni; double x, y, frame; };
void pixprog_eval(const struct pixprog *p, const struct pp_pixel *px, double out[4]);

/* Compiled: pre runs once a tile (constants, uniforms and what follows from them), body once a
 * chunk. */
struct pp_step { uint8_t op; uint8_t dst, arg[4]; uint16_t conn, chan; float imm; };
struct pp_code {
	int nreg, npre, nbody, nuni;
	struct pp_step *pre, *body;
	int nout; uint8_t out[4];
};
struct pp_code *pp_compile(const struct pixprog *p, struct err *e);
void pp_code_free(struct pp_code **c);

/* What the tile function finds in node_ctx.state. */
struct pp_run {
	const struct pp_code *code;
	struct pixprog *own_prog; struct pp_code *own_code;   /* freed with it when set */
	float uni[PP_MAX_UNI];
	/* planes by channel name, alpha included; else planes 0, 1, 2 */
	bool rgba;
};

#endif
