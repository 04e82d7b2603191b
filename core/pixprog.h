/* pixprog - block programs: one traced per-pixel function as straight-line code without branches.
 *
 * A program is a list of operations; value i is the result of operation i, and operands are
 * earlier values.
 * It is checked, printed canonically (its bytes are its identity), and compiled to steps over
 * strips of pixels that nodes/pixel_program.c runs. Threads: frozen after building.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PIXPROG_H
#define IN_PIXPROG_H

#include "base.h"
#include "err.h"
#include "node.h"

enum { PP_MAX_OPS = 2048, PP_MAX_UNI = 128, PP_MAX_REGS = 192,
	PP_ROWS = PP_MAX_REGS + 1 };

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

/* Compiled (pixprog_compile.c): steps over slots, each a strip of floats, for the machine of
 * pixprog_strip.h. The machine has one current value v; a step changes it and may store it into
 * slot st. Slots: 1 to nreg are scratch, from PP_ROWS on come the rows of the inputs and then of
 * the outputs; 0 is none. Operands a, b, c are slots; of uniform ones (U) all floats are equal. */
#define PS_BINARY(X) X(LOAD) X(ADD) X(SUB) X(RSUB) X(MUL) X(DIV) X(RDIV) X(MIN) X(RMIN) X(MAX) X(RMAX)
/* Two operands, the second of which may be uniform: a + b, a - b, a * b; v + a*b,
 * v - a*b, a*b - v; (v - a) * b + a */
#define PS_PAIR(X) X(LDADD) X(LDSUB) X(LDMUL) X(ADDMUL) X(SUBMUL) X(RSUBMUL) X(SCALE)
enum ps_op {
	PS_END,
#define PS_TWO(name) PS_##name, PS_##name##_U,
	PS_BINARY(PS_TWO) PS_PAIR(PS_TWO)
#undef PS_TWO
	PS_MULADD, PS_CLAMP, PS_SCALEU,      /* uniform: v*a + b; min(max(v, a), b); (v - a) * b + a */
	PS_LDMULADD, PS_LDSCALE,             /* a*b + c; (a - b) * c + b; c uniform, and b in the first */
	PS_GAIN, PS_MIX, PS_WEIGH, PS_DOT,   /* max(a*b + c, d); x = (a - b) * c + b, (x - d) * e + d;
	                                      * a*b + c*d; a*b + c*d + e*f; uniform b c d, c d e, b d, b d f */
	PS_KEEP,                             /* v as it is */
	PS_NEG, PS_ABS, PS_FLOOR, PS_SQRT,
	PS_LT, PS_LE, PS_EQ,                 /* v op a ? b : c */
	PS_LTV, PS_LEV, PS_EQV,              /* a op b ? v : c */
	PS_LTW, PS_LEW, PS_EQW,              /* a op b ? c : v */
	PS_POW, PS_EXP2, PS_LOG2, PS_NOPS    /* of slots a, b; v is void after them, st holds the result */
};
struct pp_step { uint16_t op, a, b, c, d, e, f, st; };
/* late: bits of the outputs that are stored before this is read for the last time. */
struct pp_input { uint16_t conn, chan, late; };
struct pp_code {
	int nreg, nin, nout, nuni;
	int npre, nbody;                     /* steps, PS_END not counted */
	struct pp_step *pre, *body;          /* once a tile: what all pixels share; once a strip */
	struct pp_leaf { uint16_t op, st; int uni; float imm; } *leaf; int nleaf;   /* filled before pre */
	/* slots of x, filled for every strip, and y, for every row; 0: not read */
	int x, y;
	struct pp_input *in;                 /* of slot PP_ROWS + i */
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
