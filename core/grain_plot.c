/* grain_plot - strength against luma and spectrum of one profile, or of two over each other, as a picture.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "imgfile.h"
#include "mathx.h"
#include "mem.h"
#include "verb_grain.h"

enum { WIDTH = 1120, HEIGHT = 520, PLOT_W = 470, PLOT_H = 380, TOP = 70, POINTS = 120 };

static const struct ink paper = { 22, 22, 24, 255 }, grid = { 70, 70, 74, 255 },
	text = { 205, 205, 205, 255 };
static const struct ink inks[2][3] = {
	{ { 235, 90, 80, 255 }, { 90, 210, 100, 255 }, { 90, 140, 250, 255 } },
	{ { 255, 190, 170, 255 }, { 190, 250, 190, 255 }, { 180, 210, 255, 255 } },
};

/* A curve of a box whose values run from lo at the foot to hi. */
struct chart { struct canvas c; struct rect box; double lo, hi; };

static void curve(const struct chart *h, const double *v, int n, struct ink k, int width)
{
	int pt[POINTS][2];
	for (int i = 0; i < n; i++) {
		double t = (v[i] - h->lo) / (h->hi - h->lo);
		t = t < 0 ? 0 : t > 1 ? 1 : t;
		pt[i][0] = (h->box.x0 + (rect_w(h->box) - 1) * i / (n - 1)) * DRAW_ONE;
		pt[i][1] = (int)((h->box.y1 - 1 - t * (rect_h(h->box) - 1)) * DRAW_ONE);
	}
	draw_path(&h->c, (const int (*)[2])pt, n, false, width, k);
}

static void axes(const struct chart *h, const char *title, double from, double to, const char *unit)
{
	char label[2][6][24];
	struct draw_tick row[6], col[6];
	for (int i = 0; i < 6; i++) {
		snprintf(label[0][i], sizeof label[0][i], "%.4g", h->lo + (h->hi - h->lo) * i / 5);
		snprintf(label[1][i], sizeof label[1][i], "%.3g", from + (to - from) * i / 5);
		row[i] = (struct draw_tick){ h->box.y1 - 1 - (rect_h(h->box) - 1) * i / 5, label[0][i], !i };
		col[i] = (struct draw_tick){ h->box.x0 + (rect_w(h->box) - 1) * i / 5, label[1][i], !i };
	}
	draw_rows(&h->c, h->box, row, 6, grid, text);
	draw_columns(&h->c, h->box, col, 6, grid, text);
	draw_text(&h->c, h->box.x0, h->box.y0 - 14, 1, text, title);
	draw_text_at(&h->c, h->box.x1, h->box.y1 + 16, 1, DRAW_RIGHT, text, unit);
}

static void strengths(struct chart h, const struct grain_profile *const p[2])
{
	double lo = p[0]->luma[0], hi = p[0]->luma[p[0]->nstrength - 1], v[POINTS];
	for (int q = 0; q < 2 && p[q]; q++) {
		lo = p[q]->luma[0] < lo ? p[q]->luma[0] : lo;
		hi = p[q]->luma[p[q]->nstrength - 1] > hi ? p[q]->luma[p[q]->nstrength - 1] : hi;
		for (int i = 0; i < p[q]->nstrength; i++)
			for (int c = 0; c < 3; c++) h.hi = 1e3 * p[q]->sigma[i][c] > h.hi ? 1e3 * p[q]->sigma[i][c] : h.hi;
	}
	if (!(hi > lo)) hi = lo + 1;
	h.hi = h.hi > 0 ? mx_ceil(h.hi * 1.05 / 5) * 5 : 5;
	axes(&h, "strength: sigma, thousandths of full scale", lo, hi, "luma");
	for (int q = 0; q < 2 && p[q]; q++)
		for (int c = 0; c < 3; c++) {
			for (int i = 0; i < POINTS; i++)
				v[i] = 1e3 * grain_profile_sigma(p[q], c, lo + (hi - lo) * i / (POINTS - 1));
			curve(&h, v, POINTS, inks[q][c], q ? DRAW_ONE : 2 * DRAW_ONE);
		}
}

static void spectra(struct chart h, const struct grain_profile *const p[2])
{
	double v[POINTS];
	h.lo = -40;
	h.hi = 20;
	axes(&h, "spectrum: dB over white of the same strength", 0, 0.7, "cycles per pixel");
	for (int q = 0; q < 2 && p[q]; q++)
		for (int c = 0; c < 3; c++) {
			double zoom = p[0]->lines && p[q]->lines ? (double)p[0]->lines / p[q]->lines : 1;
			for (int i = 0; i < POINTS; i++) {
				double f = 0.7 * i / (POINTS - 1) * zoom / 1.41421356237;
				double power = zoom * zoom * grain_profile_power(p[q], c, f, f);
				v[i] = power > 1e-9 ? 10 * mx_log10(power) : -90;
			}
			curve(&h, v, POINTS, inks[q][c], q ? DRAW_ONE : 2 * DRAW_ONE);
		}
}

int grain_plot(const char *png, const struct grain_profile *a, const char *name_a,
               const struct grain_profile *b, const char *name_b, struct err *e)
{
	uint8_t *rgb = xalloc((size_t)WIDTH * HEIGHT, 3);
	const struct grain_profile *const p[2] = { a, b };
	char line[160];
	struct chart h = { .c = canvas_rgb8(rgb, WIDTH, HEIGHT),
		.box = rect_of(60, TOP, 60 + PLOT_W, TOP + PLOT_H) };
	draw_fill(&h.c, h.c.r, paper);
	draw_text_fit(&h.c, 20, 14, 2, WIDTH / 2 - 40, inks[0][1], name_a);
	if (b) draw_text_fit(&h.c, WIDTH / 2 + 20, 14, 2, WIDTH / 2 - 40, inks[1][1], name_b);
	strengths(h, p);
	h.box = rect_of(WIDTH - PLOT_W - 20, TOP, WIDTH - 20, TOP + PLOT_H);
	spectra(h, p);
	for (int q = 0; q < 2 && p[q]; q++) {
		snprintf(line, sizeof line, "%scorrelation RG %.3f RB %.3f GB %.3f   with the frame before "
		         "%.2f %.2f %.2f", q ? "B: " : b ? "A: " : "", p[q]->corr[0], p[q]->corr[1],
		         p[q]->corr[2], p[q]->rho[0], p[q]->rho[1], p[q]->rho[2]);
		draw_text(&h.c, 60, HEIGHT - 34 + 14 * q, 1, text, line);
	}
	int rc = png_write_rgb8(png, WIDTH, HEIGHT, rgb, e);
	free(rgb);
	return rc;
}
