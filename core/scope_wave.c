/* scope_wave - scopes of level: waveform, RGB overlay, parade, histogram.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "scope_int.h"

/* One channel's counts as light inside box. */
static int trace(const struct plot *p, struct rect box, int channel, struct ink k)
{
	const struct signal *s = p->s;
	int w = rect_w(box), h = rect_h(box);
	uint32_t *at = calloc((size_t)w * (size_t)s->codes, sizeof *at);
	if (!at) return err_set(p->e, E_MEMORY, "no memory for a waveform");
	scope_count_columns(s, channel, w, at);
	uint64_t line = (uint64_t)s->h * (uint64_t)((s->w + w - 1) / w);
	for (int x = 0; x < w; x++)
		for (int y = 0; y < h; y++) {
			/* codes that fall into this row; at least the one it lies in */
			int from = (int)((int64_t)(h - 1 - y) * s->codes / h),
				to = (int)((int64_t)(h - y) * s->codes / h);
			uint64_t n = 0;
			for (int code = from; code < to ||
			     code == from; code++) n += at[(size_t)x * (size_t)s->codes + (size_t)code];
			scope_add(p->c, box.x0 + x, box.y0 + y, k, scope_glow(n, line));
		}
	free(at);
	return 0;
}

static void extremes(const struct plot *p, int channel, int *lo, int *hi, double *mean)
{
	uint64_t *at = xalloc((size_t)p->s->codes, sizeof *at), n = 0, sum = 0;
	scope_count_codes(p->s, channel, at);
	*lo = p->s->codes - 1;
	*hi = 0;
	for (int i = 0; i < p->s->codes; i++) {
		if (!at[i]) continue;
		if (i < *lo) *lo = i;
		*hi = i;
		n += at[i];
		sum += at[i] * (uint64_t)i;
	}
	*mean = n ? (double)sum / (double)n : 0;
	free(at);
}

static void foot_level(const struct plot *p, int channel, const char *name)
{
	double mean, below, above;
	int lo, hi;
	extremes(p, channel, &lo, &hi, &mean);
	scope_beyond(p->s, channel, &below, &above);
	scope_foot(p, "%s %d..%d mean %.1f   under black %.2f%%   over white %.2f%%", name, lo, hi,
	           mean, 100 * below,
	           100 * above);
}

static void foot_rgb(const struct plot *p)
{
	double mean[3], below[3], above[3];
	int lo[3], hi[3];
	for (int k = 0; k < 3; k++) {
		extremes(p, k, &lo[k], &hi[k], &mean[k]);
		scope_beyond(p->s, k, &below[k], &above[k]);
	}
	scope_foot(p,
	           "R %d..%d G %d..%d B %d..%d   mean %.0f %.0f %.0f   under %.2f %.2f %.2f%%   over "
	           "%.2f %.2f %.2f%%",
	           lo[0], hi[0], lo[1], hi[1], lo[2], hi[2], mean[0], mean[1], mean[2], 100 * below[0],
	           	100 * below[1],
	           100 * below[2], 100 * above[0], 100 * above[1], 100 * above[2]);
}

int scope_wave(struct plot *p, enum scope_kind kind)
{
	struct ink full[3] = { { 255, 30, 30, 255 }, { 30, 255, 30, 255 }, { 30, 60, 255, 255 } };
	int w = rect_w(p->box), rc = 0;
	scope_levels(p);
	if (kind == SCOPE_WAVEFORM) rc = trace(p, p->box, 3, scope_rgb[3]);
	for (int k = 0; k < 3 && kind == SCOPE_OVERLAY && rc == 0; k++) rc = trace(p, p->box, k,
		full[k]);
	for (int k = 0; k < 3 && kind == SCOPE_PARADE && rc == 0; k++) {
		struct rect box = p->box;
		box.x0 = p->box.x0 + k * w / 3 + (k ? 2 : 0);
		box.x1 = p->box.x0 + (k + 1) * w / 3 - (k < 2 ? 2 : 0);
		rc = trace(p, box, k, scope_rgb[k]);
	}
	if (rc < 0) return -1;
	if (kind == SCOPE_WAVEFORM) foot_level(p, 3, "Y'");
	else foot_rgb(p);
	return 0;
}

/* --- histogram --- */

/* Height is the square root of the share, so that shadows and small highlights are seen beside
 * large fields;
 * the codes at both ends are left out of the scale. */
static void bars(const struct plot *p, struct rect box, const uint64_t *at, struct ink k)
{
	int w = rect_w(box), h = rect_h(box) - 1, codes = p->s->codes;
	uint64_t *column = xalloc((size_t)w, sizeof *column), top = 1;
	for (int x = 0; x < w; x++) {
		int from = (int)((int64_t)x * codes / w), to = (int)((int64_t)(x + 1) * codes / w);
		for (int code = from; code < to || code == from; code++) column[x] += at[code];
		if (from > 0 && to < codes && column[x] > top) top = column[x];
	}
	for (int x = 0; x < w; x++) {
		uint64_t part = column[x] > top ? top : column[x];
		int high = (int)draw_isqrt(part * (uint64_t)h * (uint64_t)h / top);
		if (part && high < 1) high = 1;
		for (int y = 0; y < high; y++) scope_add(p->c, box.x0 + x, box.y1 - 1 - y, k, 150);
		if (column[x] > top) draw_fill(p->c,
		                               rect_of(box.x0 + x, box.y0, box.x0 + x + 1, box.y0 + 3),
		                               	scope_mark);
	}
	free(column);
}

static void histogram_lines(const struct plot *p)
{
	char label[11][8];
	struct draw_tick t[11];
	int w = rect_w(p->box), n = 0;
	for (int i = 0; i <= 10; i++) {
		double code = p->s->zero + p->s->span * i / 10;
		snprintf(label[n], sizeof label[n], "%d%s", i * 10, i == 10 ? "%" : "");
		int at = p->box.x0 + (int)((code + 0.5) * w / p->s->codes);
		t[n] = (struct draw_tick){ at, i % 2 && w < 400 ? NULL : label[n], i == 0 || i == 10 };
		n++;
	}
	draw_columns(p->c, p->box, t, n, scope_line, scope_text);
}

int scope_histogram(struct plot *p)
{
	static const char *const name[4] = { "R", "G", "B", "Y'" };
	uint64_t *at = xalloc((size_t)p->s->codes, sizeof *at);
	p->box.y1 -= 12;
	int h = rect_h(p->box);
	histogram_lines(p);
	for (int k = 0; k < 4; k++) {
		struct rect band = rect_of(p->box.x0, p->box.y0 + k * h / 4 + 2, p->box.x1,
		                           p->box.y0 + (k + 1) * h / 4);
		for (int i = 0; i < p->s->codes; i++) at[i] = 0;
		scope_count_codes(p->s, k, at);
		bars(p, band, at, scope_rgb[k]);
		draw_fill(p->c, rect_of(band.x0, band.y1 - 1, band.x1, band.y1), scope_line);
		draw_text_at(p->c, band.x1 - 4, band.y0 + 3, 1, DRAW_RIGHT, scope_text, name[k]);
	}
	free(at);
	foot_rgb(p);
	return 0;
}
