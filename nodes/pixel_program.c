/* pixel_program - run a block program over every pixel; Lua pixel functions are traced into one.
 *
 * Pointwise: rows in chunks of PP_CHUNK floats, one vector loop an operation, no branches on
 * pixels.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "pixprog.h"
#include "px_math.h"

struct pixel_program { const char *program, *uniforms; };

static const struct param params[] = {
	P_STRING(pixel_program, program, "", PF_STATIC, "block program; empty passes the picture on"),
	P_STRING(pixel_program, uniforms, "", 0,
	    "numbers of the program's uniforms, with spaces between"),
	P_END
};

static int parse_uniforms(const char *text, struct pp_run *run, int want, struct err *e)
{
	char word[64];
	int n = 0;
	for (const char *s = text; *(s += strspn(s, " ")); n++) {
		size_t len = strcspn(s, " ");
		double v;
		if (n == PP_MAX_UNI || len >= sizeof word)
			return err_set(e, E_SCENE, "uniforms: too many or too long");
		memcpy(word, s, len);
		word[len] = 0;
		if (mx_parse(word, &v) < 0) return err_set(e, E_SCENE, "uniforms: '%s' is no number", word);
		run->uni[n] = (float)v;
		s += len;
	}
	if (n != want)
		return err_set(e, E_SCENE, "uniforms: the program has %d, %d are given", want, n);
	return 0;
}

static void close_run(struct node_ctx *n)
{
	struct pp_run *run = n->state;
	if (!run) return;
	pp_code_free(&run->own_code);
	pixprog_free(&run->own_prog);
	free(run);
	n->state = NULL;
}

static int open_run(struct node_ctx *n, struct err *e)
{
	const struct pixel_program *v = n->v;
	struct pp_run *run = xalloc(1, sizeof *run);
	n->state = run;
	if (!v->program[0]) return 0;
	if (!(run->own_prog = pixprog_parse(v->program, e))) goto fail;
	if (pixprog_check(run->own_prog, n->nconn, e) < 0) goto fail;
	if (!(run->own_code = pp_compile(run->own_prog, e))) goto fail;
	if (parse_uniforms(v->uniforms, run, run->own_prog->nuni, e) < 0) goto fail;
	run->code = run->own_code;
	return 0;
fail:
	close_run(n);
	return -1;
}

static bool identity(const struct node_ctx *n)
{
	const struct pixel_program *v = n->v;
	return !v->program[0];
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct pp_run *run = n->state;
	(void)r;
	return run && run->code ? (size_t)run->code->nreg * PP_CHUNK * sizeof(float) : 0;
}

static double flops(const struct node_ctx *n)
{
	const struct pp_run *run = n->state;
	return run && run->code ? 4.0 * run->code->nbody + 4 : 1;
}

/* x^y as C99 has it: below 0 the integer powers exist. */
IN_INLINE float signed_pow(float x, float y)
{
	float r = px_pow(px_abs(x), y);
	float odd = px_floor(0.5f * y) * 2.0f != y ? -r : r;
	float below = px_floor(y) == y ? odd : __builtin_nanf("");
	return x < 0.0f ? below : r;
}

IN_INLINE void binary(enum pp_op op, int n, float *IN_RESTRICT d, const float *a, const float *b)
{
	switch (op) {
	case PP_ADD: for (int i = 0; i < n; i++) d[i] = a[i] + b[i]; break;
	case PP_SUB: for (int i = 0; i < n; i++) d[i] = a[i] - b[i]; break;
	case PP_MUL: for (int i = 0; i < n; i++) d[i] = a[i] * b[i]; break;
	case PP_DIV: for (int i = 0; i < n; i++) d[i] = a[i] / b[i]; break;
	case PP_MIN: for (int i = 0; i < n; i++) d[i] = px_min(a[i], b[i]); break;
	case PP_MAX: for (int i = 0; i < n; i++) d[i] = px_max(a[i], b[i]); break;
	default: for (int i = 0; i < n; i++) d[i] = signed_pow(a[i], b[i]); break;
	}
}

IN_INLINE void unary(enum pp_op op, int n, float *IN_RESTRICT d, const float *a)
{
	switch (op) {
	case PP_NEG: for (int i = 0; i < n; i++) d[i] = -a[i]; break;
	case PP_ABS: for (int i = 0; i < n; i++) d[i] = px_abs(a[i]); break;
	case PP_FLOOR: for (int i = 0; i < n; i++) d[i] = px_floor(a[i]); break;
	case PP_SQRT: for (int i = 0; i < n; i++) d[i] = sqrtf(a[i]); break;
	case PP_EXP2: for (int i = 0; i < n; i++) d[i] = px_exp2(a[i]); break;
	default: for (int i = 0; i < n; i++) d[i] = px_log2(a[i]); break;
	}
}

IN_INLINE void choose(enum pp_op op, int n, float *IN_RESTRICT d, const float *a, const float *b,
                   const float *c, const float *e)
{
	switch (op) {
	case PP_LT: for (int i = 0; i < n; i++) d[i] = a[i] < b[i] ? c[i] : e[i]; break;
	case PP_LE: for (int i = 0; i < n; i++) d[i] = a[i] <= b[i] ? c[i] : e[i]; break;
	default: for (int i = 0; i < n; i++) d[i] = a[i] == b[i] ? c[i] : e[i]; break;
	}
}

static void fill(int n, float *d, float v)
{
	for (int i = 0; i < n; i++) d[i] = v;
}

/* A chunk of an input's row into d; outside its window 0, alpha 1 where there is none. */
static void load(const struct call *c, const struct pp_run *run, const struct pp_step *s, int x,
    int y, int n, float *d)
{
	const struct view *v = s->conn < c->nin ? &c->in[s->conn] : NULL;
	int chan = s->chan;
	if (run->rgba && v) {
		static const char *const names[4] = { "R", "G", "B", "A" };
		chan = format_channel(c->n->in[s->conn], names[s->chan & 3]);
	}
	if (chan < 0 && s->chan == 3) { fill(n, d, 1.0f); return; }
	int x0 = v && v->r.x0 > x ? v->r.x0 : x, x1 = v && v->r.x1 < x + n ? v->r.x1 : x + n;
	if (!v || chan < 0 || chan >= v->nch || y < v->r.y0 || y >= v->r.y1 ||
	    x0 >= x1) { fill(n, d, 0.0f); return; }
	fill(x0 - x, d, 0.0f);
	memcpy(d + (x0 - x), view_at(v, chan, x0, y), (size_t)(x1 - x0) * sizeof(float));
	fill(x + n - x1, d + (x1 - x), 0.0f);
}

struct place { const struct call *c; const struct pp_run *run; int x, y, n; };

static void leaf(const struct place *p, const struct pp_step *s, float *d)
{
	double full = p->c->n->scale > 0 ? 1.0 / p->c->n->scale : 1.0;
	switch (s->op) {
	case PP_IN: load(p->c, p->run, s, p->x, p->y, p->n, d); break;
	case PP_UNI: fill(p->n, d, p->run->uni[s->conn]); break;
	case PP_CONST: fill(p->n, d, s->imm); break;
	case PP_FRAME: fill(p->n, d, (float)p->c->frame); break;
	case PP_Y: fill(p->n, d, (float)((p->y + 0.5) * full)); break;
	default: for (int i = 0; i < p->n; i++) d[i] = (float)((p->x + i + 0.5) * full); break;
	}
}

/* A register: PP_CHUNK floats, 64-byte aligned as the scratch is. */
IN_INLINE float *reg_at(float *reg, int i)
{
	return __builtin_assume_aligned(reg + (size_t)i * PP_CHUNK, 64);
}

IN_INLINE void arithmetic(const struct pp_step *s, int n, float *reg)
{
	float *d = reg_at(reg, s->dst);
	const float *a = reg_at(reg, s->arg[0]), *b = reg_at(reg, s->arg[1]);
	if (s->op < PP_NEG) binary((enum pp_op)s->op, n, d, a, b);
	else if (s->op < PP_LT) unary((enum pp_op)s->op, n, d, a);
	else choose((enum pp_op)s->op, n, d, a, b, reg_at(reg, s->arg[2]), reg_at(reg, s->arg[3]));
}

static void steps(const struct place *p, const struct pp_step *s, int count, float *reg)
{
	for (const struct pp_step *end = s + count; s < end; s++) {
		if (s->op < PP_ADD) leaf(p, s, reg_at(reg, s->dst));
		else if (p->n == PP_CHUNK) arithmetic(s, PP_CHUNK, reg);
		else arithmetic(s, p->n, reg);
	}
}

/* Channels that the program does not make come from input 0. */
static void pass_on(const struct place *p, const bool made[IN_MAX_CH])
{
	const struct view *out = p->c->out;
	for (int ch = 0; ch < out->nch; ch++) {
		if (made[ch]) continue;
		struct pp_step s = { .op = PP_IN, .conn = 0, .chan = (uint16_t)ch };
		struct pp_run plain = { .rgba = false };
		load(p->c, &plain, &s, p->x, p->y, p->n, view_at(out, ch, p->x, p->y));
	}
}

static void store(const struct place *p, const struct pp_code *code, const int chan[4],
    const float *reg)
{
	for (int k = 0; k < code->nout; k++)
		if (chan[k] >= 0)
			memcpy(view_at(p->c->out, chan[k], p->x, p->y), reg + (size_t)code->out[k] * PP_CHUNK,
			       (size_t)p->n * sizeof(float));
}

static int tile(const struct call *c, struct rect r)
{
	const struct pp_run *run = c->n->state;
	const struct pp_code *code = run->code;
	float *reg = c->scratch;
	int chan[4] = { 0, 1, 2, -1 };
	bool made[IN_MAX_CH] = { false };
	static const char *const names[4] = { "R", "G", "B", "A" };
	for (int k = 0; run->rgba && k < 4; k++) chan[k] = format_channel(c->n->out, names[k]);
	for (int k = 0; code && k < code->nout; k++)
		if (chan[k] >= 0) made[chan[k]] = true;
	struct place p = { c, run, r.x0, r.y0, PP_CHUNK };
	if (code) steps(&p, code->pre, code->npre, reg);
	for (p.y = r.y0; p.y < r.y1; p.y++) {
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		for (p.x = r.x0; p.x < r.x1; p.x += PP_CHUNK) {
			p.n = r.x1 - p.x < PP_CHUNK ? r.x1 - p.x : PP_CHUNK;
			if (code) {
				steps(&p, code->body, code->nbody, reg);
				store(&p, code, chan, reg);
			}
			pass_on(&p, made);
		}
	}
	return 0;
}

const struct node_type ISA(node_pixel_program) = {
	.name = "pixel_program", .doc = "Run a block program over every pixel; Lua pixel functions become one.",
	.category = "colour", .version = 1, .size = sizeof(struct pixel_program), .params = params,
	.inputs = "image", .flags = NF_RGB | NF_HIDDEN, .want = WANT_ANY,
	.open = open_run, .close = close_run, .identity = identity, .scratch = scratch, .flops = flops,
	    .tile = tile,
};
