/* pixel_program - run a block program over every pixel; Lua pixel functions are traced into one.
 *
 * Pointwise: rows in strips, read and written where they lie; no branches on pixels.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "pixprog.h"
#include "pixprog_strip.h"
#include "px_fetch.h"

/* Rows between what is read and what is asked for. */
enum { AHEAD = 3 };

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

/* An input or output, from the tile's first column on: rows y0 to y1-1 lie whole at row + (y - y0) * stride, and now is
 * the row at work, or NULL where it does not; to fetch: rows below y1 - AHEAD are read soon, from memory. */
struct line { float *row, *now; ptrdiff_t stride; int chan, y0, y1; bool fetch; };

/* Slots of the steps: scratch strips, and one strip each for inputs and outputs where
 * a row is too short for a strip. */
static size_t scratch(const struct node_ctx *n, struct rect r)
{
	const struct pp_run *run = n->state;
	const struct pp_code *c = run ? run->code : NULL;
	(void)r;
	if (!c) return 0;
	size_t rows = (size_t)(c->nin + c->nout), strips = (size_t)c->nreg + 1 + rows;
	return strips * PS_STRIP * sizeof(float) + (PP_ROWS + rows) * sizeof(float *) + rows * sizeof(struct line);
}

static double flops(const struct node_ctx *n)
{
	const struct pp_run *run = n->state;
	return run && run->code ? 4.0 * run->code->nbody + 4 : 1;
}

static void fill(int n, float *d, float v)
{
	for (int i = 0; i < n; i++) d[i] = v;
}

/* Where a tile's pixels come from and go to; x, y, n: the strip at work. */
struct place {
	const struct call *c;
	const struct pp_run *run;
	float **slot, *edge;                 /* edge: a strip for each input and output */
	struct line *line;                   /* inputs, then outputs */
	int copied, rows, fetched;           /* inputs whose row is not whole; rows that lie somewhere; inputs to fetch */
	int x, y, n;
};

static int input_channel(const struct place *p, const struct pp_input *in)
{
	static const char *const names[4] = { "R", "G", "B", "A" };
	bool named = p->run->rgba && in->conn < p->c->nin;
	return named ? format_channel(p->c->n->in[in->conn], names[in->chan & 3]) : in->chan;
}

/* A strip of an input's row into d; outside its window 0, alpha 1 where there is none. */
static void load(const struct place *p, const struct pp_input *in, int chan, float *d)
{
	const struct view *v = in->conn < p->c->nin ? &p->c->in[in->conn] : NULL;
	int x = p->x, y = p->y, n = p->n;
	if (chan < 0 && in->chan == 3) { fill(n, d, 1.0f); return; }
	int x0 = v && v->r.x0 > x ? v->r.x0 : x, x1 = v && v->r.x1 < x + n ? v->r.x1 : x + n;
	if (!v || chan < 0 || chan >= v->nch || y < v->r.y0 || y >= v->r.y1 ||
	    x0 >= x1) { fill(n, d, 0.0f); return; }
	fill(x0 - x, d, 0.0f);
	memcpy(d + (x0 - x), view_at(v, chan, x0, y), (size_t)(x1 - x0) * sizeof(float));
	fill(x + n - x1, d + (x1 - x), 0.0f);
}

/* Does an output lie where an input's row does that is read after it? */
static bool spoilt(const struct place *p, const struct pp_input *in, const float *row)
{
	int nin = p->run->code->nin;
	for (int k = 0; in->late >> k; k++)
		if ((in->late >> k & 1) && p->line[nin + k].now == row) return true;
	return false;
}

static void line_at(struct line *l, int y)
{
	l->now = y >= l->y0 && y < l->y1 ? l->row + (y - l->y0) * l->stride : NULL;
}

/* The rows of y: inputs that are not whole there are copied strip by strip (copied). */
static void begin_row(struct place *p)
{
	const struct pp_code *code = p->run->code;
	p->copied = p->rows = p->fetched = 0;
	for (int k = 0; k < code->nout; k++) {
		struct line *l = &p->line[code->nin + k];
		line_at(l, p->y);
		p->rows += l->now != NULL;
	}
	for (int i = 0; i < code->nin; i++) {
		struct line *l = &p->line[i];
		line_at(l, p->y);
		if (l->now && spoilt(p, &code->in[i], l->now)) l->now = NULL;
		p->rows += l->now != NULL;
		p->copied += l->now == NULL;
		p->fetched += l->fetch && l->now && p->y + AHEAD < l->y1;
	}
}

/* Inputs and outputs of a strip that is short, or of rows that are not whole,
 * go through strips of their own. */
static void copy_in(const struct place *p)
{
	const struct pp_code *code = p->run->code;
	for (int i = 0; i < code->nin; i++) {
		if (p->line[i].now && p->n == PS_STRIP) continue;
		load(p, &code->in[i], p->line[i].chan, p->edge + (size_t)i * PS_STRIP);
	}
}

static void copy_out(const struct place *p, int at)
{
	const struct pp_code *code = p->run->code;
	for (int k = code->nin; k < code->nin + code->nout; k++)
		if (p->line[k].now)
			memcpy(p->line[k].now + at, p->edge + (size_t)k * PS_STRIP, (size_t)p->n * sizeof(float));
}

/* Numbers that all pixels of the tile share. */
static void begin_tile(const struct place *p)
{
	const struct pp_code *code = p->run->code;
	for (int i = 0; i < code->nleaf; i++) {
		const struct pp_leaf *l = &code->leaf[i];
		float v = l->op == PP_UNI ? p->run->uni[l->uni] : l->op == PP_CONST ? l->imm :
		    (float)p->c->frame;
		fill(PS_STRIP, p->slot[l->st], v);
	}
	ps_run(code->pre, p->slot);
}

static void run_strip(const struct place *p, int at)
{
	const struct pp_code *code = p->run->code;
	int rows = code->nin + code->nout;
	float **slot = p->slot + PP_ROWS;
	bool whole = p->n == PS_STRIP;
	if (whole && p->rows == rows) for (int i = 0; i < rows; i++) slot[i] = p->line[i].now + at;
	else for (int i = 0; i < rows; i++)
		slot[i] = p->line[i].now && whole ? p->line[i].now + at : p->edge + (size_t)i * PS_STRIP;
	if (p->copied || !whole) copy_in(p);
	/* a strip's worth at a time: more at once would wait for one another */
	for (int i = 0; p->fetched && i < code->nin; i++) {
		const struct line *l = &p->line[i];
		if (l->fetch && l->now && p->y + AHEAD < l->y1) px_fetch_row(l->now + AHEAD * l->stride + at, p->n, 0);
	}
	if (code->x) {
		double full = p->c->n->scale > 0 ? 1.0 / p->c->n->scale : 1.0;
		float *x = p->slot[code->x];
		for (int i = 0; i < PS_STRIP; i++) x[i] = (float)((p->x + i + 0.5) * full);
	}
	ps_run(code->body, p->slot);
	if (!whole) copy_out(p, at);
}

/* Is that row of input 0's channel the output's? */
static bool lies_there(const struct place *p, int ch, const float *d)
{
	const struct view *in = p->c->nin ? &p->c->in[0] : NULL;
	int x = p->c->out->r.x0;
	return in && ch < in->nch && p->y >= in->r.y0 && p->y < in->r.y1 && x == in->r.x0 && view_at(in, ch, x, p->y) == d;
}

/* Channels that the program does not make come from input 0. */
static void pass_on(const struct place *p, uint64_t made)
{
	static const struct pp_run plain = { .rgba = false };
	const struct view *out = p->c->out;
	for (int ch = 0; ch < out->nch; ch++) {
		if (made >> ch & 1) continue;
		struct pp_input in = { .chan = (uint16_t)ch };
		struct place row = { .c = p->c, .run = &plain, .x = out->r.x0, .y = p->y, .n = rect_w(out->r) };
		float *d = view_at(out, ch, row.x, row.y);
		if (!lies_there(p, ch, d)) load(&row, &in, ch, d);
	}
}

static struct line input_line(const struct place *p, const struct pp_input *in, struct rect r)
{
	const struct view *v = in->conn < p->c->nin ? &p->c->in[in->conn] : NULL;
	struct line l = { .chan = input_channel(p, in) };
	if (!v || l.chan < 0 || l.chan >= v->nch || rect_empty(v->r) || r.x0 < v->r.x0 || r.x1 > v->r.x1) return l;
	l.y0 = v->r.y0;
	l.y1 = v->r.y1;
	l.row = view_at(v, l.chan, r.x0, l.y0);
	l.stride = v->stride;
	l.fetch = v->stride >= 2 * (ptrdiff_t)rect_w(r);
	return l;
}

/* made: bits of the output's channels that the program makes. */
static struct line output_line(const struct place *p, int k, struct rect r, uint64_t *made)
{
	static const char *const names[4] = { "R", "G", "B", "A" };
	const struct view *v = p->c->out;
	struct line l = { .chan = p->run->rgba ? format_channel(p->c->n->out, names[k]) : k < 3 ? k : -1 };
	if (l.chan < 0) return l;
	l.y0 = r.y0;
	l.y1 = r.y1;
	l.row = view_at(v, l.chan, r.x0, r.y0);
	l.stride = v->stride;
	*made |= (uint64_t)1 << l.chan;
	return l;
}

static void place_open(struct place *p, struct rect r, float *mem, uint64_t *made)
{
	const struct pp_code *code = p->run->code;
	int rows = code->nin + code->nout;
	p->edge = mem + (size_t)(code->nreg + 1) * PS_STRIP;
	p->line = (struct line *)(void *)(p->edge + (size_t)rows * PS_STRIP);
	p->slot = (float **)(void *)(p->line + rows);
	for (int i = 0; i < code->nin; i++) p->line[i] = input_line(p, &code->in[i], r);
	for (int k = 0; k < code->nout; k++) p->line[code->nin + k] = output_line(p, k, r, made);
	/* slot 0 is no operand, but a step's unused ones point to it */
	for (int i = 0; i < PP_ROWS; i++)
		p->slot[i] = mem + (size_t)(i <= code->nreg ? i : 0) * PS_STRIP;
	begin_tile(p);
}

static int tile(const struct call *c, struct rect r)
{
	const struct pp_run *run = c->n->state;
	double full = c->n->scale > 0 ? 1.0 / c->n->scale : 1.0;
	struct place p = { .c = c, .run = run };
	uint64_t made = 0;
	if (run->code) place_open(&p, r, c->scratch, &made);
	for (p.y = r.y0; p.y < r.y1; p.y++) {
		if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed)) return -1;
		if (run->code) begin_row(&p);
		if (run->code && run->code->y)
			fill(PS_STRIP, p.slot[run->code->y], (float)((p.y + 0.5) * full));
		for (p.x = r.x0; run->code && p.x < r.x1; p.x += PS_STRIP) {
			p.n = r.x1 - p.x < PS_STRIP ? r.x1 - p.x : PS_STRIP;
			run_strip(&p, p.x - r.x0);
		}
		pass_on(&p, made);
	}
	return 0;
}

const struct node_type ISA(node_pixel_program) = {
	.name = "pixel_program", .doc = "Run a block program over every pixel; Lua pixel functions become one.",
	.category = "colour", .version = 1, .size = sizeof(struct pixel_program), .params = params,
	.inputs = "image", .flags = NF_RGB | NF_HIDDEN, .want = WANT_ANY,
	.open = open_run, .close = close_run, .identity = identity, .scratch = scratch, .flops = flops,
	    .in_place = node_in_place, .tile = tile,
};
