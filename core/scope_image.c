/* scope_image - scopes that are pictures: false colour, clipping and zebra, the picture itself.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "colour.h"
#include "mathx.h"
#include "scope_int.h"

/* Bands of level, each up to a limit; grey between those that mean something. */
struct band { double upto; struct ink k; const char *label; bool grey; };

/* Percent of a display signal: black and white clipped, near them, mid-grey (18 % of white in
 * pure 2.4 is 49 %) and skin one stop above it (65 %). */
static const struct band percent_bands[] = {
	{ 0, { 120, 20, 150, 255 }, "<0", false }, { 3, { 30, 60, 220, 255 }, "0-3", false },
	{ 46, { 0, 0, 0, 255 }, NULL, true }, { 52, { 40, 170, 60, 255 }, "46-52", false },
	{ 62, { 0, 0, 0, 255 }, NULL, true }, { 69, { 240, 140, 160, 255 }, "62-69", false },
	{ 95, { 0, 0, 0, 255 }, NULL, true }, { 99, { 240, 220, 40, 255 }, "95-99", false },
	{ 1e9, { 230, 30, 30, 255 }, ">99", false }
};
static const struct band nits_bands[] = {
	{ 0.005, { 120, 20, 150, 255 }, "<.005", false }, { 0.1, { 30, 60, 220, 255 }, "<0.1", false },
	{ 18, { 0, 0, 0, 255 }, NULL, true }, { 26, { 40, 170, 60, 255 }, "18-26", false },
	{ 180, { 0, 0, 0, 255 }, NULL, true }, { 230, { 240, 240, 240, 255 }, "203", false },
	{ 600, { 90, 200, 220, 255 }, "<600", false }, { 1000, { 240, 220, 40, 255 }, "<1000", false },
	{ 4000, { 240, 140, 30, 255 }, "<4000", false }, { 1e9, { 230, 30, 30, 255 }, ">4000", false }
};
/* Stops from mid-grey. */
static const struct band stop_bands[] = {
	{ -7, { 120, 20, 150, 255 }, "<-7", false }, { -5, { 30, 60, 220, 255 }, "-7..-5", false },
	{ -0.25, { 0, 0, 0, 255 }, NULL, true }, { 0.25, { 40, 170, 60, 255 }, "18%", false },
	{ 0.75, { 0, 0, 0, 255 }, NULL, true }, { 1.25, { 240, 140, 160, 255 }, "+1", false },
	{ 2.47, { 0, 0, 0, 255 }, NULL, true }, { 4, { 240, 220, 40, 255 }, "white..+4", false },
	{ 1e9, { 230, 30, 30, 255 }, ">+4", false }
};

struct measure { const struct band *b; int n; double (*of)(const struct signal *s,
                                                           double y); const char *unit; };

static double as_percent(const struct signal *s, double y) { (void)s; return 100 * y; }
static double as_nits(const struct signal *s,
                      double y) { return 100 * colour_decode(s->o.space, y); }
static double as_stops(const struct signal *s, double y)
{
	double v = colour_decode(s->o.space, y);
	return v > 1e-9 ? mx_log2(v / 0.18) : -30;
}

static struct measure measure_of(const struct signal *s)
{
	int sp = s->o.space;
	bool pq = strcmp(colour_name(sp), "pq") == 0, log = !colour_is_display(sp);
	if (s->o.scale == SCALE_NITS || (s->o.scale == SCALE_AUTO && pq))
		return (struct measure){ nits_bands, (int)IN_COUNT(nits_bands), as_nits, "nits" };
	if (s->o.scale == SCALE_STOPS || (s->o.scale == SCALE_AUTO && log))
		return (struct measure){ stop_bands, (int)IN_COUNT(stop_bands), as_stops,
		                        "stops from 18 %" };
	return (struct measure){ percent_bands, (int)IN_COUNT(percent_bands), as_percent,
	                        "percent of white" };
}

static uint8_t code8(double v)
{
	return (uint8_t)(v > 0 ? v < 1 ? v * 255 + 0.5 : 255 : 0);
}

/* --- from the picture to the plot --- */

struct rect signal_fit(const struct signal *s, struct rect box)
{
	int bw = rect_w(box), bh = rect_h(box), w = s->w, h = s->h;
	if (w * 2 <= bw && h * 2 <= bh) {
		int f = bw / w < bh / h ? bw / w : bh / h;
		w *= f;
		h *= f;
	} else if (w > bw || h > bh) {
		int64_t by_w = (int64_t)bw * h, by_h = (int64_t)bh * w;
		if (by_w <= by_h) { h = (int)(by_w / w); w = bw; }
		else { w = (int)(by_h / h); h = bh; }
	}
	if (w < 1) w = 1;
	if (h < 1) h = 1;
	int x = box.x0 + (bw - w) / 2, y = box.y0 + (bh - h) / 2;
	return rect_of(x, y, x + w, y + h);
}

/* The block of the picture behind one pixel of the plot. */
static struct rect block(const struct signal *s, struct rect to, int x, int y)
{
	int64_t w = s->w, h = s->h, pw = rect_w(to), ph = rect_h(to), i = x - to.x0,
		j = y - to.y0;
	struct rect r = rect_of((int)(i * w / pw), (int)(j * h / ph), (int)((i + 1) * w / pw),
	                        (int)((j + 1) * h / ph));
	if (r.x1 <= r.x0) r.x1 = r.x0 + 1;
	if (r.y1 <= r.y0) r.y1 = r.y0 + 1;
	return r;
}

struct found { double mean[3]; bool under, over, bright; };

static void look_at(const struct signal *s, struct rect r, struct found *out)
{
	double lo = -0.5 / s->span, hi = 1 - 0.5 / s->span;
	*out = (struct found){ { 0 }, false, false, false };
	for (int y = r.y0; y < r.y1; y++)
		for (int x = r.x0; x < r.x1; x++) {
			size_t i = (size_t)y * (size_t)s->w + (size_t)x;
			double v[3];
			for (int k = 0; k < 3; k++) {
				v[k] = (double)s->p[k][i];
				out->mean[k] += v[k];
				out->under |= v[k] < lo;
				out->over |= v[k] > hi;
			}
			out->bright |= 100 * signal_luma(s, v) >= s->o.zebra;
		}
	for (int k = 0; k < 3; k++) out->mean[k] /= (double)rect_area(r);
}

static struct ink plain(const struct found *f)
{
	return (struct ink){ code8(f->mean[0]), code8(f->mean[1]), code8(f->mean[2]), 255 };
}

void signal_paint(const struct canvas *c, struct rect to, const struct signal *s)
{
	for (int y = to.y0; y < to.y1; y++)
		for (int x = to.x0; x < to.x1; x++) {
			struct found f;
			look_at(s, block(s, to, x, y), &f);
			draw_dot(c, x, y, 256, plain(&f));
		}
}

static struct ink falsely(const struct plot *p, const struct measure *m, const struct found *f)
{
	double y = signal_luma(p->s, f->mean), v = m->of(p->s, y);
	int i = 0;
	while (i + 1 < m->n && !(v < m->b[i].upto)) i++;
	uint8_t g = code8(y);
	return m->b[i].grey ? (struct ink){ g, g, g, 255 } : m->b[i].k;
}

/* Red where a channel is at white or above, blue where one lies under black, stripes from the
 * zebra's level. */
static struct ink clipping(const struct plot *p, const struct found *f, int x, int y)
{
	uint8_t g = (uint8_t)(code8(signal_luma(p->s, f->mean)) * 3 / 5);
	if (f->over) return (struct ink){ 240, 40, 40, 255 };
	if (f->under) return (struct ink){ 50, 90, 250, 255 };
	if (f->bright && (x + y) % 8 < 3) return (struct ink){ 250, 230, 90, 255 };
	return (struct ink){ g, g, g, 255 };
}

static void legend(const struct plot *p, const struct measure *m)
{
	int x = p->cell.x0 + 6, y = p->cell.y1 - 14;
	for (int i = 0; i < m->n; i++) {
		if (m->b[i].grey) continue;
		draw_fill(p->c, rect_of(x, y, x + 9, y + 9), m->b[i].k);
		x += 12 + draw_text(p->c, x + 12, y + 1, 1, scope_text, m->b[i].label) + 4;
	}
	draw_text_fit(p->c, x + 4, y + 1, 1, p->cell.x1 - x - 6, scope_dim, m->unit);
}

static void foot_clipping(const struct plot *p)
{
	double under[4], over[4];
	for (int k = 0; k < 4; k++) scope_beyond(p->s, k, &under[k], &over[k]);
	scope_foot(p, "under black R %.3f G %.3f B %.3f%%   over white R %.3f G %.3f B %.3f%%",
	           100 * under[0],
	           100 * under[1], 100 * under[2], 100 * over[0], 100 * over[1], 100 * over[2]);
}

int scope_image(struct plot *p, enum scope_kind kind)
{
	struct measure m = measure_of(p->s);
	struct rect to = signal_fit(p->s, p->box);
	for (int y = to.y0; y < to.y1; y++)
		for (int x = to.x0; x < to.x1; x++) {
			struct found f;
			look_at(p->s, block(p->s, to, x, y), &f);
			struct ink k = kind == SCOPE_FALSE ? falsely(p, &m,
			                                             &f) : kind == SCOPE_CLIPPING ? clipping(p,
			                                             	&f, x, y)
			                                                                             : plain(&f);
			draw_dot(p->c, x, y, 256, k);
		}
	if (kind == SCOPE_FALSE) legend(p, &m);
	else if (kind == SCOPE_CLIPPING) foot_clipping(p);
	else scope_foot(p, "%dx%d", p->s->w, p->s->h);
	return 0;
}
