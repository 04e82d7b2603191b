/* pixprog_compile - a block program becomes steps of the strip machine, with the arithmetic as it stands.
 *
 * A value that is read once becomes part of its reader's chain and never leaves the
 * vector registers; others are stored. Products, gains, mixes and clamps are one step,
 * still rounded after each operation.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "pixprog.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* What is known of a value. Threads: worker (lives while compiling). */
struct val {
	bool live, uniform, part;            /* part: computed inside its reader's chain */
	int uses, last;                      /* reads; the stored value that reads it last */
	/* operand that the chain continues, that is a product read in place; -1: none */
	int head, product;
	int slot;
};
struct lower {
	const struct pixprog *p;
	struct val *v;
	struct pp_code *c;
	struct pp_step *step; int n, first;  /* being written; first: of the running chain */
	bool used[PP_MAX_REGS + 1];
};

static const struct pp_ins *ins(const struct lower *l, int i) { return &l->p->ins[i]; }

static bool is_block(int op) { return op == PP_POW || op == PP_EXP2 || op == PP_LOG2; }

static void flow(struct lower *l)
{
	const struct pixprog *p = l->p;
	for (int k = 0; k < p->nout; k++) { l->v[p->out[k]].live = true; l->v[p->out[k]].uses += 2; }
	for (int i = p->n - 1; i >= 0; i--)
		for (int k = 0; l->v[i].live && k < pp_arity((enum pp_op)ins(l, i)->op); k++) {
			struct val *a = &l->v[ins(l, i)->arg[k]];
			a->live = true;
			a->uses++;
		}
	for (int i = 0; i < p->n; i++) {
		int op = ins(l, i)->op, n = pp_arity((enum pp_op)op);
		l->v[i].uniform = n || op == PP_UNI || op == PP_CONST || op == PP_FRAME;
		for (int k = 0; k < n; k++) l->v[i].uniform &= l->v[ins(l, i)->arg[k]].uniform;
		l->v[i].head = l->v[i].product = -1;
	}
}

/* May value i be computed inside the chain of its one reader? */
static bool joins(const struct lower *l, int i)
{
	const struct val *v = &l->v[i];
	int op = ins(l, i)->op;
	return v->uses == 1 && !v->uniform && pp_arity((enum pp_op)op) && !is_block(op);
}

/* A product of two values that lie in memory. */
static bool is_product(const struct lower *l, int i)
{
	return ins(l, i)->op == PP_MUL && joins(l, i) && l->v[i].head < 0;
}

/* Operands come before their readers, so that by index each value finds its operands decided. */
static void chains(struct lower *l)
{
	for (int i = 0; i < l->p->n; i++) {
		struct val *v = &l->v[i];
		int op = ins(l, i)->op, n = pp_arity((enum pp_op)op);
		const uint16_t *arg = ins(l, i)->arg;
		if (!v->live || v->uniform || !n || is_block(op)) continue;
		for (int k = 0; k < n; k++)
			if ((n < 4 || k != 1) && joins(l, arg[k]) && (v->head < 0 || is_product(l, arg[v->head]))) v->head = k;
		if (v->head < 0) continue;
		l->v[arg[v->head]].part = true;
		int other = 1 - v->head;
		if ((op == PP_ADD || op == PP_SUB) && is_product(l, arg[other])) {
			v->product = other;
			l->v[arg[other]].part = true;
		}
	}
	/* what is computed in a chain is read where the chain ends */
	for (int i = l->p->n - 1; i >= 0; i--) {
		struct val *v = &l->v[i];
		if (!v->live) continue;
		if (!v->part) v->last = v->last > i ? v->last : i;
		int at = v->part ? v->last : i;
		for (int k = 0; k < pp_arity((enum pp_op)ins(l, i)->op); k++) {
			struct val *a = &l->v[ins(l, i)->arg[k]];
			if (a->last < at) a->last = at;
		}
	}
}

static int take(struct lower *l)
{
	for (int i = 1; i <= PP_MAX_REGS; i++)
		if (!l->used[i]) {
			l->used[i] = true;
			if (i > l->c->nreg) l->c->nreg = i;
			return i;
		}
	return -1;
}

/* --- steps --- */

static struct pp_step *last_step(struct lower *l, int back)
{
	return l->n - back >= l->first ? &l->step[l->n - back] : NULL;
}

static bool ends_with(struct lower *l, int back, enum ps_op op)
{
	const struct pp_step *s = last_step(l, back);
	return s && s->op == op;
}

static void push(struct lower *l, struct pp_step s) { l->step[l->n++] = s; }

/* (v - a) * b + a in one step, where the two last steps began it. */
static bool merge_scale(struct lower *l, const struct pp_step *s)
{
	struct pp_step *mul = last_step(l, 1), *sub = last_step(l, 2);
	if (s->op == PS_ADD && sub && sub->op == PS_SUB && sub->a == s->a &&
	    (mul->op == PS_MUL || mul->op == PS_MUL_U)) {
		*sub = (struct pp_step){ .op = mul->op == PS_MUL ? PS_SCALE : PS_SCALE_U, .a = s->a,
		    .b = mul->a };
		l->n--;
		return true;
	}
	if (s->op == PS_ADD && sub && sub->op == PS_LDSUB && sub->b == s->a && mul->op == PS_MUL_U) {
		*sub = (struct pp_step){ .op = PS_LDSCALE, .a = sub->a, .b = s->a, .c = mul->a };
		l->n--;
		return true;
	}
	if (s->op == PS_ADD_U && sub && sub->op == PS_SUB_U && sub->a == s->a && mul->op == PS_MUL_U) {
		struct pp_step *mix = last_step(l, 3);
		if (mix && mix->op == PS_LDSCALE) {
			*mix = (struct pp_step){ .op = PS_MIX, .a = mix->a, .b = mix->b, .c = mix->c, .d = s->a,
			    .e = mul->a };
			l->n--;
		} else *sub = (struct pp_step){ .op = PS_SCALEU, .a = s->a, .b = mul->a };
		l->n--;
		return true;
	}
	return false;
}

/* Joins a step of one operand to what is there; false when it stands by itself. */
static bool merge(struct lower *l, const struct pp_step *s)
{
	struct pp_step *at = last_step(l, 1);
	int u = s->op & 1 ? 0 : 1;           /* PS_ADD and its like are odd, their uniform forms even */
	if (!at) return false;
	if (merge_scale(l, s)) return true;
	int base = (int)s->op - u;
	if (ends_with(l, 1, PS_LOAD) && (base == PS_ADD || base == PS_SUB || base == PS_MUL)) {
		int op = base == PS_ADD ? PS_LDADD : base == PS_SUB ? PS_LDSUB : PS_LDMUL;
		*at = (struct pp_step){ .op = (uint16_t)(op + u), .a = at->a, .b = s->a };
	} else if (s->op == PS_ADD_U && ends_with(l, 1, PS_LDMUL_U)) {
		at->op = PS_LDMULADD;
		at->c = s->a;
	} else if (s->op == PS_ADD_U && ends_with(l, 1, PS_MUL_U)) {
		at->op = PS_MULADD;
		at->b = s->a;
	} else if (s->op == PS_MAX_U && ends_with(l, 1, PS_LDMULADD)) {
		at->op = PS_GAIN;
		at->d = s->a;
	} else if (s->op == PS_MIN_U && ends_with(l, 1, PS_MAX_U)) {
		at->op = PS_CLAMP;
		at->b = s->a;
	} else return false;
	return true;
}

static void with(struct lower *l, enum ps_op op, int value)
{
	const struct val *v = &l->v[value];
	struct pp_step s = { .op = (uint16_t)(op + v->uniform), .a = (uint16_t)v->slot };
	if (!merge(l, &s)) push(l, s);
}

/* Operand k of a two-operand operation is the current value, the other one lies in memory. */
static void binary(struct lower *l, int op, int k, int other)
{
	static const struct { uint8_t op; uint16_t first, second; } form[] = {
		{ PP_ADD, PS_ADD, PS_ADD }, { PP_SUB, PS_SUB, PS_RSUB }, { PP_MUL, PS_MUL, PS_MUL },
		{ PP_DIV, PS_DIV, PS_RDIV }, { PP_MIN, PS_MIN, PS_RMIN }, { PP_MAX, PS_MAX, PS_RMAX } };
	for (size_t i = 0; i < IN_COUNT(form); i++)
		if (form[i].op == op) with(l, k ? form[i].second : form[i].first, other);
}

static void product(struct lower *l, int op, int k, int value)
{
	const uint16_t *arg = ins(l, value)->arg;
	int a = arg[0], b = arg[1];
	if (l->v[a].uniform) { a = arg[1]; b = arg[0]; }
	struct pp_step *at = last_step(l, 1);
	bool weighs = op == PP_ADD && l->v[b].uniform && at;
	if (weighs && at->op == PS_LDMUL_U) {
		at->op = PS_WEIGH;
		at->c = (uint16_t)l->v[a].slot;
		at->d = (uint16_t)l->v[b].slot;
		return;
	}
	if (weighs && at->op == PS_WEIGH) {
		at->op = PS_DOT;
		at->e = (uint16_t)l->v[a].slot;
		at->f = (uint16_t)l->v[b].slot;
		return;
	}
	int o = op == PP_ADD ? PS_ADDMUL : k ? PS_RSUBMUL : PS_SUBMUL;
	push(l, (struct pp_step){ .op = (uint16_t)(o + l->v[b].uniform), .a = (uint16_t)l->v[a].slot,
	    .b = (uint16_t)l->v[b].slot });
}

/* Operand k of a selection is the current value. b of a comparison is never it. */
static void selection(struct lower *l, int op, int k, const uint16_t *arg)
{
	int which = op == PP_LT ? 0 : op == PP_LE ? 1 : 2;
	int base = k == 0 ? PS_LT : k == 2 ? PS_LTV : PS_LTW;
	struct pp_step s = { .op = (uint16_t)(base + which) };
	uint16_t *to[3] = { &s.a, &s.b, &s.c };
	for (int i = 0, j = 0; i < 4; i++)
		if (i != k) *to[j++] = (uint16_t)l->v[arg[i]].slot;
	push(l, s);
}

/* The operation of value i, its head being the current value; without one operand 0
 * is loaded, or 1 where 0 is uniform. */
static void operation(struct lower *l, int i)
{
	const struct val *v = &l->v[i];
	const uint16_t *arg = ins(l, i)->arg;
	int op = ins(l, i)->op, n = pp_arity((enum pp_op)op), k = v->head;
	if (k < 0) {
		k = n == 2 && l->v[arg[0]].uniform && !l->v[arg[1]].uniform;
		with(l, PS_LOAD, arg[k]);
	}
	if (n == 4) selection(l, op, k, arg);
	else if (n == 1)
		push(l, (struct pp_step){ .op = op == PP_NEG ? PS_NEG : op == PP_ABS ? PS_ABS :
		    op == PP_FLOOR ? PS_FLOOR : PS_SQRT });
	else if (v->product >= 0) product(l, op, k, arg[1 - k]);
	else binary(l, op, k, arg[1 - k]);
}

static void block(struct lower *l, int i)
{
	const uint16_t *arg = ins(l, i)->arg;
	int op = ins(l, i)->op;
	push(l, (struct pp_step){ .op = op == PP_POW ? PS_POW : op == PP_EXP2 ? PS_EXP2 : PS_LOG2,
	    .a = (uint16_t)l->v[arg[0]].slot, .b = op == PP_POW ? (uint16_t)l->v[arg[1]].slot : 0 });
}

/* The steps that leave value i in the machine, from the deepest head on. chain: the
 * values on the way; their number. */
static int compute(struct lower *l, int i, int *chain)
{
	int n = 0;
	l->first = l->n;
	for (int at = i; at >= 0; at = l->v[at].head < 0 ? -1 : ins(l, at)->arg[l->v[at].head])
		chain[n++] = at;
	if (is_block(ins(l, i)->op)) block(l, i);
	else
		for (int k = n; k > 0; k--) operation(l, chain[k - 1]);
	return n;
}

static void release(struct lower *l, int i, int reader)
{
	int op = ins(l, i)->op;
	for (int k = 0; k < pp_arity((enum pp_op)op); k++) {
		int a = ins(l, i)->arg[k], leaf = ins(l, a)->op;
		const struct val *v = &l->v[a];
		if (k == l->v[i].product) release(l, a, reader);
		if (v->uniform || v->part || leaf == PP_IN || leaf == PP_X || leaf == PP_Y) continue;
		if (v->last == reader) l->used[v->slot] = false;
	}
}

/* --- the whole --- */

static int input_slot(struct pp_code *c, const uint16_t arg[4])
{
	c->in[c->nin] = (struct pp_input){ .conn = arg[0], .chan = arg[1] };
	return PP_ROWS + c->nin++;
}

/* Values that are there before any step: inputs, numbers, coordinates. */
static int leaves(struct lower *l)
{
	struct pp_code *c = l->c;
	for (int i = 0; i < l->p->n; i++) {
		const struct pp_ins *in = ins(l, i);
		struct val *v = &l->v[i];
		if (!v->live || pp_arity((enum pp_op)in->op)) continue;
		if (in->op == PP_IN) { v->slot = input_slot(c, in->arg); continue; }
		if ((v->slot = take(l)) < 0) return -1;
		if (in->op == PP_X) c->x = v->slot;
		else if (in->op == PP_Y) c->y = v->slot;
		else c->leaf[c->nleaf++] = (struct pp_leaf){ in->op, (uint16_t)v->slot, in->arg[0],
		    (float)in->imm };
	}
	return 0;
}

/* Stores what value i's last step left, where it is read again. Its operands' places are free by
 * then, but not for a block operation, which writes while it reads. */
static int keep(struct lower *l, int i, const int *chain, int n)
{
	struct val *v = &l->v[i];
	bool block = is_block(ins(l, i)->op), read = block || v->uniform || v->last > i;
	if (read && block && (v->slot = take(l)) < 0) return -1;
	for (int k = 0; k < n && !v->uniform; k++) release(l, chain[k], i);
	if (read && !block && (v->slot = take(l)) < 0) return -1;
	if (read) l->step[l->n - 1].st = (uint16_t)v->slot;
	if (block && !v->uniform && v->last == i) l->used[v->slot] = false;
	return 0;
}

/* Output rows that show value i, which the machine holds unless it was a block operation. */
static void outputs(struct lower *l, int i, bool held)
{
	for (int k = 0; k < l->p->nout; k++) {
		if (l->p->out[k] != i) continue;
		if (!held) { l->first = l->n; with(l, PS_LOAD, i); }
		else if (l->step[l->n - 1].st) push(l, (struct pp_step){ .op = PS_KEEP });
		l->step[l->n - 1].st = (uint16_t)(PP_ROWS + l->c->nin + k);
		held = true;
	}
}

static int write_steps(struct lower *l, int *chain)
{
	struct pp_code *c = l->c;
	const struct pixprog *p = l->p;
	for (int pass = 0; pass < 2; pass++) {
		l->step = pass ? c->body : c->pre;
		l->n = 0;
		for (int i = 0; i < p->n; i++) {
			const struct val *v = &l->v[i];
			int op = ins(l, i)->op;
			if (!v->live || v->part || !pp_arity((enum pp_op)op) || v->uniform == pass) continue;
			int n = compute(l, i, chain);
			if (keep(l, i, chain, n) < 0) return -1;
			if (pass) outputs(l, i, !is_block(op));
		}
		for (int i = 0; pass && i < p->n; i++)
			if (l->v[i].uniform || !pp_arity((enum pp_op)ins(l, i)->op)) outputs(l, i, false);
		*(pass ? &c->nbody : &c->npre) = l->n;
		l->step[l->n] = (struct pp_step){ .op = PS_END };
	}
	return 0;
}

static bool step_reads(const struct pp_step *s, int slot)
{
	return s->a == slot || s->b == slot || s->c == slot || s->d == slot || s->e == slot || s->f == slot;
}

/* Outputs that would spoil an input whose planes they share. */
static void mark_late(struct pp_code *c)
{
	for (int i = 0; i < c->nin; i++) {
		unsigned stored = 0;
		for (int t = 0; t < c->nbody; t++) {
			const struct pp_step *s = &c->body[t];
			if (step_reads(s, PP_ROWS + i)) c->in[i].late = (uint16_t)stored;
			if (s->st >= PP_ROWS + c->nin) stored |= 1u << (s->st - PP_ROWS - c->nin);
		}
	}
}

struct pp_code *pp_compile(const struct pixprog *p, struct err *e)
{
	size_t n = (size_t)p->n;
	struct pp_code *c = xalloc(1, sizeof *c);
	int *chain = xalloc(n, sizeof *chain);
	struct lower l = { .p = p, .v = xalloc(n, sizeof *l.v), .c = c };
	/* a value is at most two steps, an output two more */
	c->pre = xalloc(2 * n + 10, sizeof *c->pre);
	c->body = xalloc(2 * n + 10, sizeof *c->body);
	c->leaf = xalloc(n, sizeof *c->leaf);
	c->in = xalloc(n, sizeof *c->in);
	c->nuni = p->nuni;
	c->nout = p->nout;
	flow(&l);
	chains(&l);
	if (leaves(&l) < 0 || write_steps(&l, chain) < 0) {
		err_set(e, E_SCRIPT, "more than %d values live at once; simplify the pixel function",
		    PP_MAX_REGS);
		pp_code_free(&c);
	} else mark_late(c);
	free(l.v);
	free(chain);
	return c;
}

void pp_code_free(struct pp_code **c)
{
	if (!*c) return;
	free((*c)->pre);
	free((*c)->body);
	free((*c)->leaf);
	free((*c)->in);
	free(*c);
	*c = NULL;
}
