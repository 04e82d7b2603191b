/* pixprog - block programs: building, checking, canonical text, reference meaning.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "pixprog.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "mem.h"

static const struct { const char *name; int arity, numbers; } ops[PP_NOPS] = {
	[PP_IN] = { "in", 0, 2 }, [PP_UNI] = { "uni", 0, 1 }, [PP_CONST] = { "const", 0, 0 },
	[PP_X] = { "x", 0, 0 }, [PP_Y] = { "y", 0, 0 }, [PP_FRAME] = { "frame", 0, 0 },
	[PP_ADD] = { "add", 2, 0 }, [PP_SUB] = { "sub", 2, 0 }, [PP_MUL] = { "mul", 2, 0 },
	[PP_DIV] = { "div", 2, 0 }, [PP_MIN] = { "min", 2, 0 }, [PP_MAX] = { "max", 2, 0 },
	[PP_POW] = { "pow", 2, 0 }, [PP_NEG] = { "neg", 1, 0 }, [PP_ABS] = { "abs", 1, 0 },
	[PP_FLOOR] = { "floor", 1, 0 }, [PP_SQRT] = { "sqrt", 1, 0 }, [PP_EXP2] = { "exp2", 1, 0 },
	[PP_LOG2] = { "log2", 1, 0 }, [PP_LT] = { "lt", 4, 0 }, [PP_LE] = { "le", 4, 0 },
	[PP_EQ] = { "eq", 4, 0 },
};

const char *pp_name(enum pp_op op) { return (unsigned)op < PP_NOPS ? ops[op].name : "?"; }
int pp_arity(enum pp_op op) { return (unsigned)op < PP_NOPS ? ops[op].arity : 0; }

struct pixprog *pixprog_new(void) { return xalloc(1, sizeof(struct pixprog)); }

void pixprog_free(struct pixprog **p)
{
	if (!*p) return;
	free((*p)->ins);
	free(*p);
	*p = NULL;
}

static bool ins_eq(const struct pp_ins *a, const struct pp_ins *b)
{
	return a->op == b->op && memcmp(a->arg, b->arg, sizeof a->arg) == 0 &&
	       memcmp(&a->imm, &b->imm, sizeof a->imm) == 0;
}

int pixprog_add(struct pixprog *p, enum pp_op op, const uint16_t arg[4], double imm)
{
	struct pp_ins ins = { .op = (uint8_t)op, .imm = op == PP_CONST ? imm : 0 };
	int n = ops[op].arity + ops[op].numbers;
	for (int i = 0; i < n; i++) ins.arg[i] = arg[i];
	for (int i = p->n - 1; i >= 0; i--)
		if (ins_eq(&p->ins[i], &ins)) return i;
	if (p->n >= PP_MAX_OPS) return -1;
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 64;
		p->ins = xrealloc(p->ins, (size_t)p->cap, sizeof *p->ins);
	}
	if (op == PP_UNI && ins.arg[0] >= p->nuni) p->nuni = ins.arg[0] + 1;
	p->ins[p->n] = ins;
	return p->n++;
}

int pixprog_check(const struct pixprog *p, int nconn, struct err *e)
{
	if (p->n < 1 || p->n > PP_MAX_OPS)
		return err_set(e, E_SCRIPT, "a block program has 1 to %d operations", PP_MAX_OPS);
	for (int i = 0; i < p->n; i++) {
		const struct pp_ins *in = &p->ins[i];
		if (in->op >= PP_NOPS) return err_set(e, E_SCRIPT, "operation %d: unknown", i);
		for (int k = 0; k < ops[in->op].arity; k++)
			if (in->arg[k] >= i)
				return err_set(e, E_SCRIPT, "operation %d: value %d does not exist yet", i,
				    in->arg[k]);
		if (in->op == PP_IN && (in->arg[0] >= nconn || in->arg[1] > 3))
			return err_set(e, E_SCRIPT, "operation %d: no input %d channel %d", i, in->arg[0],
			    in->arg[1]);
		if (in->op == PP_UNI && in->arg[0] >= PP_MAX_UNI)
			return err_set(e, E_SCRIPT, "operation %d: at most %d uniforms", i, PP_MAX_UNI);
	}
	if (p->nout < 3 || p->nout > 4)
		return err_set(e, E_SCRIPT, "a block program has 3 or 4 outputs");
	for (int k = 0; k < p->nout; k++)
		if (p->out[k] >= p->n) return err_set(e, E_SCRIPT, "output %d: no value %d", k, p->out[k]);
	return 0;
}

bool pixprog_reads(const struct pixprog *p, enum pp_op op)
{
	for (int i = 0; i < p->n; i++)
		if (p->ins[i].op == op) return true;
	return false;
}

char *pixprog_print(const struct pixprog *p)
{
	char *text = NULL, num[40];
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f) return xstrdup("");
	fputs("pixprog 1\n", f);
	for (int i = 0; i < p->n; i++) {
		const struct pp_ins *in = &p->ins[i];
		fputs(ops[in->op].name, f);
		for (int k = 0; k < ops[in->op].arity + ops[in->op].numbers; k++)
			fprintf(f, " %d", in->arg[k]);
		if (in->op == PP_CONST) {
			if (isfinite(in->imm)) mx_print(in->imm, num);
			else
				snprintf(num, sizeof num, "%s", isnan(in->imm) ? "nan" : in->imm > 0 ? "inf"
				    : "-inf");
			fprintf(f, " %s", num);
		}
		fputc('\n', f);
	}
	fputs("out", f);
	for (int k = 0; k < p->nout; k++) fprintf(f, " %d", p->out[k]);
	fputc('\n', f);
	fclose(f);
	return text;
}

/* Splits a line into at most max words in place; their number. */
static int words(char *line, char **w, int max)
{
	int n = 0;
	for (char *s = line; *s; ) {
		s += strspn(s, " \t\r");
		if (!*s) break;
		if (n == max) return max + 1;
		w[n++] = s;
		s += strcspn(s, " \t\r");
		if (*s) *s++ = 0;
	}
	return n;
}

static int parse_index(const char *s, uint16_t *out)
{
	unsigned v = 0;
	if (!*s) return -1;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || v > 6000) return -1;
		v = v * 10 + (unsigned)(*s - '0');
	}
	*out = (uint16_t)v;
	return 0;
}

static int parse_imm(const char *s, double *out)
{
	if (strcmp(s, "inf") == 0) *out = INFINITY;
	else if (strcmp(s, "-inf") == 0) *out = -INFINITY;
	else if (strcmp(s, "nan") == 0) *out = NAN;
	else return mx_parse(s, out);
	return 0;
}

/* One line; 1 when it was the last ("out"). */
static int parse_line(struct pixprog *p, char *line, int no, struct err *e)
{
	char *w[8];
	int n = words(line, w, 6);
	if (n == 0) return 0;
	uint16_t arg[4] = { 0 };
	double imm = 0;
	if (n > 5) return err_set(e, E_SCRIPT, "block program line %d: too many words", no);
	bool out = strcmp(w[0], "out") == 0;
	int op = 0;
	while (!out && op < PP_NOPS && strcmp(ops[op].name, w[0]) != 0) op++;
	if (op == PP_NOPS)
		return err_set(e, E_SCRIPT, "block program line %d: no operation '%.40s'", no, w[0]);
	int want = out ? n - 1 : ops[op].arity + ops[op].numbers;
	bool constant = !out && op == PP_CONST;
	if (n - 1 != want + constant)
		return err_set(e, E_SCRIPT, "block program line %d: '%s' takes %d numbers", no, w[0],
		    want + constant);
	for (int k = 0; k < want; k++)
		if (parse_index(w[k + 1], &arg[k]) < 0)
			return err_set(e, E_SCRIPT, "block program line %d: '%.40s' is no index", no, w[k + 1]);
	if (constant && parse_imm(w[1], &imm) < 0)
		return err_set(e, E_SCRIPT, "block program line %d: '%.40s' is no number", no, w[1]);
	if (out) {
		p->nout = want;
		memcpy(p->out, arg, sizeof p->out);
		return 1;
	}
	int at = p->n;
	int got = pixprog_add(p, (enum pp_op)op, arg, imm);
	if (got < 0) return err_set(e, E_SCRIPT, "block program: more than %d operations", PP_MAX_OPS);
	if (got != at)
		return err_set(e, E_SCRIPT, "block program line %d: the same operation twice", no);
	return 0;
}

struct pixprog *pixprog_parse(const char *text, struct err *e)
{
	struct pixprog *p = pixprog_new();
	char *copy = xstrdup(text), *s = copy;
	int no = 0, rc = 0;
	while (s && rc == 0) {
		char *line = strsep(&s, "\n;");
		if (++no == 1) {
			if (strcmp(line, "pixprog 1") != 0)
				rc = err_set(e, E_SCRIPT, "not a block program: it begins with 'pixprog 1'");
		} else rc = parse_line(p, line, no, e);
	}
	if (rc == 0) rc = err_set(e, E_SCRIPT, "block program without 'out'");
	if (rc > 0) rc = pixprog_check(p, NODE_MAX_CONN, e);
	free(copy);
	if (rc < 0) pixprog_free(&p);
	return p;
}

static double eval_leaf(const struct pp_ins *in, const struct pp_pixel *px)
{
	switch (in->op) {
	case PP_IN: return px->in[in->arg[0]][in->arg[1]];
	case PP_UNI: return px->uni[in->arg[0]];
	case PP_CONST: return in->imm;
	case PP_X: return px->x;
	case PP_Y: return px->y;
	default: return px->frame;
	}
}

/* C99's pow, except that a NaN in either operand gives NaN. */
static double eval_pow(double x, double y)
{
	if (isnan(x) || isnan(y)) return NAN;
	double r = mx_pow(fabs(x), y);
	if (!(x < 0)) return r;
	if (mx_floor(y) != y) return NAN;
	return mx_floor(0.5 * y) * 2.0 != y ? -r : r;
}

static double eval_op(enum pp_op op, const double a[4])
{
	switch (op) {
	case PP_ADD: return a[0] + a[1];
	case PP_SUB: return a[0] - a[1];
	case PP_MUL: return a[0] * a[1];
	case PP_DIV: return a[0] / a[1];
	case PP_MIN: return a[0] < a[1] ? a[0] : a[1];
	case PP_MAX: return a[0] > a[1] ? a[0] : a[1];
	case PP_POW: return eval_pow(a[0], a[1]);
	case PP_NEG: return -a[0];
	case PP_ABS: return fabs(a[0]);
	case PP_FLOOR: return mx_floor(a[0]);
	case PP_SQRT: return sqrt(a[0]);
	case PP_EXP2: return mx_exp2(a[0]);
	case PP_LOG2: return mx_log2(a[0]);
	case PP_LT: return a[0] < a[1] ? a[2] : a[3];
	case PP_LE: return a[0] <= a[1] ? a[2] : a[3];
	default: return a[0] == a[1] ? a[2] : a[3];
	}
}

void pixprog_eval(const struct pixprog *p, const struct pp_pixel *px, double out[4])
{
	double v[PP_MAX_OPS], a[4] = { 0 };
	for (int i = 0; i < p->n; i++) {
		const struct pp_ins *in = &p->ins[i];
		for (int k = 0; k < ops[in->op].arity; k++) a[k] = v[in->arg[k]];
		v[i] = ops[in->op].arity ? eval_op((enum pp_op)in->op, a) : eval_leaf(in, px);
	}
	for (int k = 0; k < p->nout; k++) out[k] = v[p->out[k]];
}
