/* scope_draw - see scope.h: the signal, its codes, what every scope draws around its plot.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "scope_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "px_colour.h"

static const char *const names[SCOPE_KINDS] = {
	"waveform", "overlay", "parade", "vectorscope", "histogram", "xy", "uv", "false", "clipping",
		"picture"
};

const struct ink scope_rgb[4] = {
	{ 255, 70, 60, 255 }, { 60, 230, 90, 255 }, { 80, 130, 255, 255 }, { 205, 235, 215, 255 }
};

const char *scope_name(enum scope_kind k)
{
	return names[k];
}

int scope_find(const char *name)
{
	for (int i = 0; i < SCOPE_KINDS; i++)
		if (strcmp(names[i], name) == 0) return i;
	return -1;
}

int scope_display_space(const struct format *f)
{
	return colour_is_display(f->encoded) ? f->encoded : colour_find("rec709");
}

struct scope_opts scope_defaults(int space)
{
	return (struct scope_opts){ .space = space, .bits = 10, .skin = 123, .zoom = 1, .zebra = 1000 };
}

/* --- the signal --- */

static enum yuv_matrix matrix_of(const struct scope_opts *o)
{
	const char *s = colour_name(o->space);
	if (o->matrix > YM_RGB && o->matrix != YM_YCGCO) return o->matrix;
	if (strncmp(s, "rec601", 6) == 0) return YM_BT601;
	if (!strcmp(s, "rec2020") || !strcmp(s, "pq") || !strcmp(s, "hlg")) return YM_BT2020;
	return YM_BT709;
}

/* ITU-T H.273: luma weights of red and blue; codes of black, white and neutral. */
static void scale_codes(struct signal *s)
{
	double unit = (double)(1 << (s->o.bits - 8));
	s->o.matrix = matrix_of(&s->o);
	s->kr = s->o.matrix == YM_BT601 ? 0.299 : s->o.matrix == YM_BT2020 ? 0.2627 :
	        s->o.matrix == YM_FCC ? 0.30 : s->o.matrix == YM_SMPTE240M ? 0.212 : 0.2126;
	s->kb = s->o.matrix == YM_BT601 ? 0.114 : s->o.matrix == YM_BT2020 ? 0.0593 :
	        s->o.matrix == YM_FCC ? 0.11 : s->o.matrix == YM_SMPTE240M ? 0.087 : 0.0722;
	if (s->o.range == YR_AUTO) s->o.range = YR_LIMITED;
	bool full = s->o.range == YR_FULL;
	s->codes = 1 << s->o.bits;
	s->zero = full ? 0 : 16 * unit;
	s->span = full ? s->codes - 1 : 219 * unit;
	s->middle = 128 * unit;
	s->cspan = full ? s->codes - 1 : 224 * unit;
}

static void copy_row(const struct view *v, int ch, struct rect d, int y, float *out)
{
	struct rect in = rect_and(rect_of(d.x0, y, d.x1, y + 1), v->r);
	memset(out, 0, (size_t)rect_w(d) * sizeof *out);
	if (rect_empty(in)) return;
	memcpy(out + (in.x0 - d.x0), view_at(v, ch, in.x0, y), (size_t)rect_w(in) * sizeof *out);
}

int signal_open(const struct format *f, const struct view *v, const struct scope_opts *o,
                struct signal *s,
                struct err *e)
{
	static const char *const rgb[3] = { "R", "G", "B" };
	struct colour_xform x;
	int ch[3];
	*s = (struct signal){ .w = rect_w(f->display), .h = rect_h(f->display), .o = *o };
	for (int k = 0; k < 3; k++)
		if ((ch[k] = format_channel(f, rgb[k])) < 0)
			return err_set(e, E_SCENE, "a scope needs the channels R, G and B");
	size_t n = (size_t)s->w * (size_t)s->h;
	float *mem = malloc(3 * n * sizeof *mem + 1);
	if (!mem) return err_set(e, E_MEMORY, "no memory to look at a picture of %dx%d", s->w, s->h);
	for (int k = 0; k < 3; k++) s->p[k] = mem + (size_t)k * n;
	bool same = f->space == o->space || f->space == colour_find("raw") || f->space < 0;
	if (!same) colour_xform_init(&x, f->space, o->space);
	for (int y = 0; y < s->h; y++) {
		float *row[3];
		for (int k = 0; k < 3; k++) {
			row[k] = s->p[k] + (size_t)y * (size_t)s->w;
			copy_row(v, ch[k], f->display, f->display.y0 + y, row[k]);
		}
		if (!same) colour_row(&x, row[0], row[1], row[2], s->w);
	}
	scale_codes(s);
	return 0;
}

void signal_free(struct signal *s)
{
	free(s->p[0]);
	*s = (struct signal){ 0 };
}

static int held(double code, int codes)
{
	return code > 0 ? code < codes - 1 ? (int)(code + 0.5) : codes - 1 : 0;
}

int signal_code(const struct signal *s, double v)
{
	return held(s->zero + s->span * v, s->codes);
}

int signal_chroma(const struct signal *s, double v)
{
	return held(s->middle + s->cspan * v, s->codes);
}

double signal_value(const struct signal *s, double code)
{
	return (code - s->zero) / s->span;
}

double signal_luma(const struct signal *s, const double rgb[3])
{
	return s->kr * rgb[0] + (1 - s->kr - s->kb) * rgb[1] + s->kb * rgb[2];
}

void signal_cbcr(const struct signal *s, const double rgb[3], double *cb, double *cr)
{
	double y = signal_luma(s, rgb);
	*cb = (rgb[2] - y) / (2 * (1 - s->kb));
	*cr = (rgb[0] - y) / (2 * (1 - s->kr));
}

/* --- what plots share --- */

int scope_glow(uint64_t count, uint64_t n)
{
	uint64_t half = n / 48 + 1;
	return count ? (int)draw_isqrt(65025 * count / (count + half)) : 0;
}

static int capped(int v)
{
	return v > 255 ? 255 : v;
}

void scope_add(const struct canvas *c, int x, int y, struct ink k, int glow)
{
	if (x < c->r.x0 || x >= c->r.x1 || y < c->r.y0 || y >= c->r.y1 || glow <= 0) return;
	uint8_t *p = c->rgb + (ptrdiff_t)(y - c->r.y0) * c->stride + (ptrdiff_t)(x - c->r.x0) * 3;
	p[0] = (uint8_t)capped(p[0] + k.r * glow / 255);
	p[1] = (uint8_t)capped(p[1] + k.g * glow / 255);
	p[2] = (uint8_t)capped(p[2] + k.b * glow / 255);
}

int scope_row(const struct plot *p, double code)
{
	int h = rect_h(p->box);
	return p->box.y1 - 1 - (int)((code + 0.5) * h / p->s->codes);
}

void scope_foot(const struct plot *p, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	draw_text_fit(p->c, p->cell.x0 + 6, p->cell.y1 - 13, 1, rect_w(p->cell) - 12, scope_text, text);
}

enum { MAX_TICKS = 40 };
struct levels { struct draw_tick t[MAX_TICKS]; char label[MAX_TICKS][16]; int n; };

static void level(struct levels *l, const struct plot *p, double value, const char *label,
                  bool strong)
{
	double code = p->s->zero + p->s->span * value;
	if (l->n == MAX_TICKS || code < 0 || code > p->s->codes - 1) return;
	snprintf(l->label[l->n], sizeof l->label[0], "%s", label);
	l->t[l->n] = (struct draw_tick){ scope_row(p, code), l->label[l->n], strong };
	l->n++;
}

static void levels_percent(struct levels *l, const struct plot *p)
{
	for (int i = 0; i <= 100; i += 10) {
		char text[16];
		snprintf(text, sizeof text, "%d%s", i, i == 100 ? "%" : "");
		level(l, p, i / 100.0, text, i == 0 || i == 100);
	}
}

static void levels_code(struct levels *l, const struct plot *p)
{
	int step = p->s->codes / 8;
	for (int code = 0; code <= p->s->codes; code += step) {
		char text[16];
		snprintf(text, sizeof text, "%d", code < p->s->codes ? code : code - 1);
		level(l, p, signal_value(p->s, code < p->s->codes ? code : code - 1), text, false);
	}
}

/* Linear 1.0 is 100 nits in pq (SCIENCE section 2.4); for other displays it is their white of 100.
 * */
static void levels_nits(struct levels *l, const struct plot *p)
{
	static const double nits[] = { 0, 0.1, 1, 5, 10, 20, 50, 100, 203, 400, 1000, 2000, 4000,
	                              10000 };
	for (size_t i = 0; i < IN_COUNT(nits); i++) {
		char text[40];
		mx_print(nits[i], text);
		level(l, p, colour_encode(p->s->o.space, nits[i] / 100), text, i == 0 || nits[i] == 203);
	}
}

static void levels_stops(struct levels *l, const struct plot *p)
{
	for (int i = -8; i <= 10; i++) {
		char text[16];
		if (i) snprintf(text, sizeof text, "%+d", i);
		else snprintf(text, sizeof text, "18%%");
		level(l, p, colour_encode(p->s->o.space, 0.18 * mx_exp2(i)), text, i == 0);
	}
}

static enum scope_scale scale_of(const struct signal *s)
{
	int sp = s->o.space;
	if (s->o.scale != SCALE_AUTO) return s->o.scale;
	if (strcmp(colour_name(sp), "pq") == 0) return SCALE_NITS;
	return colour_is_display(sp) || colour_is_linear(sp) ? SCALE_PERCENT : SCALE_STOPS;
}

/* Labels that would touch the one before are left out. */
static void thin_labels(struct levels *l)
{
	int last = -100;
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < l->n; i++) {
			if (pass == 0 && !l->t[i].strong) continue;
			if (pass == 1 && l->t[i].strong) { last = l->t[i].at; continue; }
			bool near = pass == 1 && abs(l->t[i].at - last) < 9;
			for (int j = 0; j < l->n && pass == 1; j++)
				near = near || (l->t[j].strong && abs(l->t[i].at - l->t[j].at) < 9);
			if (near) l->t[i].label = NULL;
			else last = l->t[i].at;
		}
}

/* The codes of the lines, at the right. */
static void code_labels(const struct plot *p, const struct levels *l)
{
	for (int i = 0; i < l->n; i++) {
		if (!l->t[i].label) continue;
		draw_text(p->c, p->box.x1 + 4, l->t[i].at - DRAW_ASCENT / 2, 1, scope_dim, l->t[i].label);
	}
}

void scope_levels(const struct plot *p)
{
	struct levels l = { .n = 0 }, codes = { .n = 0 };
	enum scope_scale sc = scale_of(p->s);
	if (sc == SCALE_NITS) levels_nits(&l, p);
	else if (sc == SCALE_STOPS) levels_stops(&l, p);
	else if (sc == SCALE_CODE) levels_code(&l, p);
	else levels_percent(&l, p);
	thin_labels(&l);
	/* what no legal picture holds lies in shade */
	int black = scope_row(p, p->s->zero), white = scope_row(p, p->s->zero + p->s->span);
	struct ink shade = { 120, 60, 60, 50 };
	draw_fill(p->c, rect_of(p->box.x0, p->box.y0, p->box.x1, white), shade);
	draw_fill(p->c, rect_of(p->box.x0, black + 1, p->box.x1, p->box.y1), shade);
	draw_rows(p->c, p->box, l.t, l.n, scope_line, scope_text);
	level(&codes, p, 0, "", true);
	snprintf(codes.label[0], sizeof codes.label[0], "%d", (int)p->s->zero);
	level(&codes, p, 1, "", true);
	snprintf(codes.label[1], sizeof codes.label[1], "%d", (int)(p->s->zero + p->s->span));
	if (sc != SCALE_CODE)
		for (int i = 1; i < 8; i++) {
			char text[16];
			snprintf(text, sizeof text, "%d", i * p->s->codes / 8);
			level(&codes, p, signal_value(p->s, i * p->s->codes / 8), text, false);
		}
	thin_labels(&codes);
	code_labels(p, &codes);
}

int scope_draw(const struct canvas *c, struct rect cell, const struct signal *s,
               enum scope_kind kind,
               const char *title, struct err *e)
{
	struct plot p = { c, cell, cell, s, e };
	char what[96];
	bool scaled = kind == SCOPE_WAVEFORM || kind == SCOPE_OVERLAY || kind == SCOPE_PARADE;
	snprintf(what, sizeof what, "%s  %s %s %s %d bit", names[kind], colour_name(s->o.space),
	         yuv_matrix_name(s->o.matrix), yuv_range_name(s->o.range), s->o.bits);
	draw_fill(c, cell, scope_back);
	draw_text_fit(c, cell.x0 + 6, cell.y0 + 5, 1, rect_w(cell) - 12, scope_text, what);
	int used = draw_text_width(1, what) + 24, w = rect_w(cell) - 12 - used;
	int have = title ? draw_text_width(1, title) : 0;
	if (title && w > 24)
		draw_text_fit(c, have < w ? cell.x1 - 6 - have : cell.x0 + 6 + used, cell.y0 + 5, 1, w,
		              scope_dim, title);
	p.box = rect_of(cell.x0 + (scaled ? 40 : 8), cell.y0 + 18, cell.x1 - (scaled ? 36 : 8),
	                cell.y1 - 18);
	if (rect_w(p.box) < 16 || rect_h(p.box) < 16) return 0;
	switch (kind) {
	case SCOPE_VECTOR: return scope_vector(&p);
	case SCOPE_HISTOGRAM: return scope_histogram(&p);
	case SCOPE_XY: return scope_cie(&p, false);
	case SCOPE_UV: return scope_cie(&p, true);
	case SCOPE_WAVEFORM: case SCOPE_OVERLAY: case SCOPE_PARADE: return scope_wave(&p, kind);
	default: return scope_image(&p, kind);
	}
}
