/* scope_chroma - scopes of colour: the vectorscope and the CIE diagrams.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "colour.h"
#include "mathx.h"
#include "scope_int.h"

/* --- vectorscope --- */

/* From a colour difference to points (DRAW_ONE): the box holds 0.57 to each side, all of an 8-bit
 * limited code. */
struct dial { int cx, cy; double unit; };

static void at(const struct dial *d, double cb, double cr, int out[2])
{
	out[0] = d->cx + (int)mx_round(cb * d->unit);
	out[1] = d->cy - (int)mx_round(cr * d->unit);
}

/* A target's box holds the colour and what lies within 2.5 degrees and 2.5 % of full strength. */
static void target(const struct plot *p, const struct dial *d, const double rgb[3], double amount,
                   const char *name)
{
	double v[3] = { rgb[0] * amount, rgb[1] * amount, rgb[2] * amount }, cb, cr;
	int m[2], half = (int)(0.0175 * d->unit / DRAW_ONE);
	signal_cbcr(p->s, v, &cb, &cr);
	at(d, cb, cr, m);
	int x = m[0] / DRAW_ONE, y = m[1] / DRAW_ONE;
	if (half < 3) half = 3;
	if (amount == 1) half = half * 2 / 3;
	struct ink k = { 170, 170, 176, amount == 1 ? 110 : 200 };
	draw_frame(p->c, rect_of(x - half, y - half, x + half + 1, y + half + 1), 1, k);
	/* beside the box, away from the middle: towards it lie the traces */
	if (name) draw_text(p->c, cb < 0 ? x - half - 8 : x + half + 4, y - 3, 1, scope_text, name);
}

static void dial_lines(const struct plot *p, const struct dial *d)
{
	static const double rgb[6][3] = { { 1, 0, 0 }, { 1, 1, 0 }, { 0, 1, 0 }, { 0, 1, 1 },
	                                 { 0, 0, 1 }, { 1, 0, 1 } };
	static const char *const name[6] = { "R", "Y", "G", "C", "B", "M" };
	int full = (int)(0.5 * d->unit), a[2], b[2];
	draw_ring(p->c, d->cx, d->cy, full, DRAW_ONE, scope_line);
	draw_line(p->c, d->cx - full, d->cy, d->cx + full, d->cy, DRAW_ONE, scope_line);
	draw_line(p->c, d->cx, d->cy - full, d->cx, d->cy + full, DRAW_ONE, scope_line);
	for (int deg = 0; deg < 360; deg += 10) {
		double c = mx_cos(deg * MX_PI / 180), s = mx_sin(deg * MX_PI / 180),
			in = deg % 30 ? 0.485 : 0.47;
		at(d, in * c, in * s, a);
		at(d, 0.5 * c, 0.5 * s, b);
		draw_line(p->c, a[0], a[1], b[0], b[1], DRAW_ONE, scope_line);
	}
	for (int i = 0; i < 6; i++) {
		target(p, d, rgb[i], 0.75, name[i]);
		target(p, d, rgb[i], 1, NULL);
	}
	double turn = p->s->o.skin * MX_PI / 180;
	at(d, 0.5 * mx_cos(turn), 0.5 * mx_sin(turn), a);
	draw_line(p->c, d->cx, d->cy, a[0], a[1], DRAW_ONE + DRAW_ONE / 4,
	          (struct ink){ 226, 172, 74, 190 });
}

/* Each place in the colour it stands for. */
static struct ink hue_ink(const struct plot *p, double cb, double cr)
{
	double kr = p->s->kr, kb = p->s->kb, y = 0.55, v[3];
	double far = mx_hypot(cb, cr), up = far > 0.02 ? 0.3 / (far < 0.3 ? far : 0.3) : 1;
	cb *= up > 2.5 ? 2.5 : up;
	cr *= up > 2.5 ? 2.5 : up;
	v[0] = y + 2 * (1 - kr) * cr;
	v[2] = y + 2 * (1 - kb) * cb;
	v[1] = (y - kr * v[0] - kb * v[2]) / (1 - kr - kb);
	uint8_t q[3];
	for (int k = 0; k < 3; k++) q[k] = (uint8_t)(v[k] > 0 ? v[k] < 1 ? v[k] * 255 + 0.5 : 255 : 0);
	return (struct ink){ q[0], q[1], q[2], 255 };
}

/* The codes that a pixel of the plot stands for, from and to. */
static void span_of(double v0, double v1, const struct signal *s, int *from, int *to)
{
	double a = s->middle + s->cspan * v0 + 0.5, b = s->middle + s->cspan * v1 + 0.5;
	*from = a > 0 ? (int)a : 0;
	*to = b > 0 ? (int)b : 0;
	if (*to > s->codes) *to = s->codes;
	if (*to <= *from) *to = *from + 1;
	if (*from >= s->codes) *to = *from;
}

/* Counts of the codes behind every pixel of the plot. */
static void gather(const struct plot *p, const struct dial *d, const uint32_t *count, uint32_t *sum)
{
	const struct signal *s = p->s;
	double step = DRAW_ONE / d->unit;
	int w = rect_w(p->box);
	for (int y = 0; y < rect_h(p->box); y++)
		for (int x = 0; x < w; x++) {
			double cb = ((p->box.x0 + x) * DRAW_ONE - d->cx) / d->unit;
			double cr = (d->cy - (p->box.y0 + y + 1) * DRAW_ONE) / d->unit;
			int b0, b1, r0, r1;
			span_of(cb, cb + step, s, &b0, &b1);
			span_of(cr, cr + step, s, &r0, &r1);
			for (int r = r0; r < r1; r++)
				for (int b = b0; b < b1; b++)
					sum[(size_t)y * (size_t)w + (size_t)x] += count[(size_t)r * (size_t)s->codes +
						(size_t)b];
		}
}

/* A beam is wider than a pixel: 4 in the middle, 2 beside, 1 at the corners. */
static uint64_t beam(const uint32_t *sum, int w, int h, int x, int y)
{
	uint64_t out = 0;
	for (int j = -1; j <= 1; j++)
		for (int i = -1; i <= 1; i++)
			if (x + i >= 0 && x + i < w && y + j >= 0 && y + j < h)
				out += (uint64_t)sum[(size_t)(y + j) * (size_t)w +
				                     (size_t)(x + i)] << (2 - (i != 0) - (j != 0));
	return out;
}

static int dial_trace(const struct plot *p, const struct dial *d, const uint32_t *count)
{
	uint64_t n = (uint64_t)p->s->w * (uint64_t)p->s->h;
	int w = rect_w(p->box), h = rect_h(p->box);
	uint32_t *sum = calloc((size_t)w * (size_t)h, sizeof *sum);
	if (!sum) return err_set(p->e, E_MEMORY, "no memory for a vectorscope");
	gather(p, d, count, sum);
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			uint64_t v = beam(sum, w, h, x, y);
			double cb = ((p->box.x0 + x) * DRAW_ONE - d->cx) / d->unit;
			double cr = (d->cy - (p->box.y0 + y + 1) * DRAW_ONE) / d->unit;
			if (v) scope_add(p->c, p->box.x0 + x, p->box.y0 + y, hue_ink(p, cb, cr),
			                 scope_glow(v, n / 25));
		}
	free(sum);
	return 0;
}

int scope_vector(struct plot *p)
{
	const struct signal *s = p->s;
	int side = rect_w(p->box) < rect_h(p->box) ? rect_w(p->box) : rect_h(p->box);
	struct rect box = rect_of(0, 0, side, side);
	int x = p->box.x0 + (rect_w(p->box) - side) / 2, y = p->box.y0 + (rect_h(p->box) - side) / 2;
	box = rect_of(x, y, x + side, y + side);
	struct dial d = { (box.x0 + box.x1) * DRAW_ONE / 2, (box.y0 + box.y1) * DRAW_ONE / 2,
	                  side * (double)DRAW_ONE / 1.14 * s->o.zoom };
	struct canvas in = canvas_clip(p->c, box);
	struct plot q = { &in, p->cell, box, s, p->e };
	uint32_t *count = calloc((size_t)s->codes * (size_t)s->codes, sizeof *count);
	if (!count) return err_set(p->e, E_MEMORY, "no memory for a vectorscope");
	dial_lines(&q, &d);
	scope_count_chroma(s, count);
	int rc = dial_trace(&q, &d, count);
	free(count);
	if (rc < 0) return -1;
	struct skin_stats k;
	if (signal_skin(s, &k, p->e) < 0) return -1;
	if (k.n)
		scope_foot(p,
		           "line %.0f°   skin-like %.1f%%: median %.1f°, quartiles %.1f° apart, within 5° "
		           "%.0f%%, 10° %.0f%%",
		           s->o.skin, 100 * k.share, k.hue, k.iqr, 100 * k.within5, 100 * k.within10);
	else scope_foot(p, "line %.0f°   nothing that looks like skin", s->o.skin);
	if (s->o.zoom > 1) {
		char text[16];
		snprintf(text, sizeof text, "x%g", s->o.zoom);
		draw_text(p->c, box.x0, box.y0, 1, scope_mark, text);
	}
	return 0;
}

/* --- chromaticity --- */

/* CIE 1931, 2 degrees: x,y of spectral light from 380 to 700 nm. */
static const double locus[][2] = {
	{ .17411, .00496 }, { .17380, .00492 }, { .17334, .00480 }, { .17258, .00480 }, { .17141,
		.00510 },
	{ .16888, .00690 }, { .16441, .01086 }, { .15664, .01771 }, { .14396, .02970 }, { .13550,
		.03988 },
	{ .12412, .05780 }, { .10960, .08684 }, { .09129, .13270 }, { .06871, .20072 }, { .04539,
		.29498 },
	{ .02346, .41270 }, { .00817, .53842 }, { .00386, .65482 }, { .01387, .75019 }, { .03885,
		.81202 },
	{ .07430, .83380 }, { .11416, .82621 }, { .15472, .80586 }, { .19288, .78163 }, { .22962,
		.75433 },
	{ .26578, .72432 }, { .30160, .69231 }, { .37310, .62445 }, { .44406, .55472 }, { .51249,
		.48659 },
	{ .57515, .42423 }, { .62704, .37249 }, { .66576, .33401 }, { .69151, .30834 }, { .70792,
		.29203 },
	{ .71903, .28094 }, { .72599, .27401 }, { .72997, .27003 }, { .73199, .26801 }, { .73342,
		.26658 },
	{ .73439, .26561 }, { .73469, .26531 }
};
static const struct { int nm, at; } marks[] = {
	{ 460, 8 }, { 480, 12 }, { 500, 16 }, { 520, 20 }, { 540, 24 }, { 560, 27 }, { 580, 29 }, { 600,
		31 }, { 620, 33 }
};

static void to_uv(bool uv, const double xy[2], double out[2])
{
	double d = -2 * xy[0] + 12 * xy[1] + 3;
	out[0] = uv ? 4 * xy[0] / d : xy[0];
	out[1] = uv ? 9 * xy[1] / d : xy[1];
}

static void cie_point(const struct plot *p, double extent, bool uv, const double xy[2], int out[2])
{
	double v[2], side = rect_h(p->box) * (double)DRAW_ONE;
	to_uv(uv, xy, v);
	out[0] = p->box.x0 * DRAW_ONE + (int)(v[0] / extent * side);
	out[1] = p->box.y1 * DRAW_ONE - (int)(v[1] / extent * side);
}

static void gamut(const struct plot *p, double extent, bool uv, const char *name, struct ink k,
                  const char *label, int row)
{
	double xy[8];
	int pt[3][2], m[2];
	int id = colour_find(name);
	if (id < 0) return;
	colour_primaries(id, xy);
	for (int i = 0; i < 3; i++) cie_point(p, extent, uv, xy + 2 * i, pt[i]);
	draw_path(p->c, (const int (*)[2])pt, 3, true, DRAW_ONE, k);
	cie_point(p, extent, uv, xy + 6, m);
	draw_ring(p->c, m[0], m[1], 3 * DRAW_ONE, DRAW_ONE, k);
	draw_text_at(p->c, p->box.x1 - 4, p->box.y0 + 4 + 12 * row, 1, DRAW_RIGHT, k, label);
}

static void cie_lines(const struct plot *p, const struct canvas *outer, double extent, bool uv)
{
	enum { N = (int)IN_COUNT(locus) };
	int pt[N][2];
	for (int i = 1; i * 0.1 < extent; i++) {
		char text[8];
		int x = p->box.x0 + (int)(i * 0.1 / extent * rect_h(p->box)),
			y = p->box.y1 - (x - p->box.x0);
		struct ink faint = { 150, 150, 160, 46 };
		snprintf(text, sizeof text, ".%d", i % 10);
		draw_fill(p->c, rect_of(x, p->box.y0, x + 1, p->box.y1), faint);
		draw_fill(p->c, rect_of(p->box.x0, y, p->box.x1, y + 1), faint);
		draw_text(p->c, x + 2, p->box.y1 - 9, 1, scope_dim, text);
		draw_text_at(outer, p->box.x0 - 4, y - 3, 1, DRAW_RIGHT, scope_dim, text);
	}
	for (int i = 0; i < N; i++) cie_point(p, extent, uv, locus[i], pt[i]);
	draw_path(p->c, (const int (*)[2])pt, N, true, DRAW_ONE + DRAW_ONE / 2,
	          (struct ink){ 170, 170, 178, 220 });
	for (size_t i = 0; i < IN_COUNT(marks); i++) {
		char text[8];
		const int *m = pt[marks[i].at];
		snprintf(text, sizeof text, "%d", marks[i].nm);
		draw_ring(p->c, m[0], m[1], DRAW_ONE, 2 * DRAW_ONE, scope_text);
		if (marks[i].nm < 520) draw_text_at(p->c, m[0] / DRAW_ONE - 5, m[1] / DRAW_ONE - 3, 1,
		                                    DRAW_RIGHT, scope_dim, text);
		else draw_text(p->c, m[0] / DRAW_ONE + 5, m[1] / DRAW_ONE - 9, 1, scope_dim, text);
	}
}

/* The colour of a place, as bright as sRGB shows it. */
static struct ink cie_ink(bool uv, double u, double v)
{
	static const double m[9] = { 3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040,
	                            1.0570 };
	double d = 6 * u - 16 * v + 12, x = uv ? 9 * u / d : u, y = uv ? 4 * v / d : v, c[3], top = 0;
	if (y < 1e-3) y = 1e-3;
	double xyz[3] = { x / y, 1, (1 - x - y) / y };
	for (int k = 0; k < 3; k++) {
		c[k] = m[3 * k] * xyz[0] + m[3 * k + 1] * xyz[1] + m[3 * k + 2] * xyz[2];
		if (c[k] > top) top = c[k];
	}
	uint8_t q[3];
	for (int k = 0; k < 3; k++) {
		double s = top > 0 && c[k] > 0 ? colour_encode(colour_find("srgb"), c[k] / top) : 0;
		q[k] = (uint8_t)(60 + s * 195);
	}
	return (struct ink){ q[0], q[1], q[2], 255 };
}

/* How many pixels have a place in the diagram. */
static uint64_t cie_trace(const struct plot *p, double extent, bool uv, const uint32_t *count)
{
	int side = rect_w(p->box);
	uint64_t n = (uint64_t)p->s->w * (uint64_t)p->s->h, seen = 0;
	for (int y = 0; y < side; y++)
		for (int x = 0; x < side; x++) {
			uint64_t v = beam(count, side, side, x, y);
			seen += count[(size_t)y * (size_t)side + (size_t)x];
			if (v)
				scope_add(p->c, p->box.x0 + x, p->box.y1 - 1 - y,
				          cie_ink(uv, extent * x / side, extent * y / side),
				          scope_glow(v, n / 50));
		}
	return seen;
}

int scope_cie(struct plot *p, bool uv)
{
	double extent = uv ? 0.64 : 0.86;
	int side = rect_h(p->box) < rect_w(p->box) ? rect_h(p->box) : rect_w(p->box);
	int x0 = p->box.x0 + (rect_w(p->box) - side) / 2;
	struct rect box = rect_of(x0, p->box.y1 - side, x0 + side, p->box.y1);
	struct canvas in = canvas_clip(p->c, box);
	struct plot q = { &in, p->cell, box, p->s, p->e };
	uint32_t *count = calloc((size_t)side * (size_t)side, sizeof *count);
	if (!count) return err_set(p->e, E_MEMORY, "no memory for a chromaticity diagram");
	cie_lines(&q, p->c, extent, uv);
	scope_count_cie(p->s, uv, extent, side, count);
	uint64_t n = (uint64_t)p->s->w * (uint64_t)p->s->h, seen = cie_trace(&q, extent, uv, count);
	free(count);
	gamut(&q, extent, uv, "rec2020", (struct ink){ 120, 200, 130, 210 }, "Rec.2020", 0);
	gamut(&q, extent, uv, "p3-d65", (struct ink){ 120, 160, 250, 210 }, "P3-D65", 1);
	gamut(&q, extent, uv, "rec709", (struct ink){ 240, 240, 240, 210 }, "Rec.709", 2);
	scope_foot(p, "CIE %s   light over 0.1 %% of white: %.1f%% of the pixels",
	           uv ? "1976 u'v'" : "1931 xy",
	           n ? 100.0 * (double)seen / (double)n : 0.0);
	return 0;
}
