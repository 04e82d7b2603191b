/* draw - see draw.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "draw.h"

#include <stdlib.h>

#include "draw_font.h"

struct canvas canvas_rgb8(uint8_t *rgb, int w, int h)
{
	struct canvas c = { .r = rect_of(0, 0, w, h), .rgb = rgb, .stride = (ptrdiff_t)w * 3 };
	return c;
}

struct canvas canvas_float(const struct view *v, const int plane[3], float white)
{
	struct canvas c = { .r = v->r, .stride = v->stride, .white = white };
	for (int k = 0; k < 3; k++) c.plane[k] = v->plane[plane[k]];
	return c;
}

struct canvas canvas_clip(const struct canvas *c, struct rect r)
{
	struct canvas out = *c;
	out.r = rect_and(c->r, r);
	ptrdiff_t skip = (ptrdiff_t)(out.r.y0 - c->r.y0) * c->stride;
	int x = out.r.x0 - c->r.x0;
	if (rect_empty(out.r)) return out;
	if (c->rgb) out.rgb = c->rgb + skip + (ptrdiff_t)x * 3;
	else
		for (int k = 0; k < 3; k++) out.plane[k] = c->plane[k] + skip + x;
	return out;
}

/* --- pixels --- */

/* alpha: 0..255*256. */
static void blend8(uint8_t *p, struct ink k, int alpha)
{
	const uint8_t v[3] = { k.r, k.g, k.b };
	for (int i = 0; i < 3; i++) p[i] = (uint8_t)((p[i] * (65280 - alpha) + v[i] * alpha +
	                                              32640) / 65280);
}

static void blend_float(const struct canvas *c, ptrdiff_t at, struct ink k, int alpha)
{
	const uint8_t v[3] = { k.r, k.g, k.b };
	float a = (float)alpha / 65280.0f;
	for (int i = 0; i < 3; i++) {
		float *p = c->plane[i] + at, ink = c->white * ((float)v[i] / 255.0f);
		*p = alpha == 65280 ? ink : *p + (ink - *p) * a;
	}
}

void draw_dot(const struct canvas *c, int x, int y, int cover, struct ink k)
{
	if (x < c->r.x0 || x >= c->r.x1 || y < c->r.y0 || y >= c->r.y1 || cover <= 0) return;
	int alpha = k.a * (cover > 256 ? 256 : cover);
	ptrdiff_t row = (ptrdiff_t)(y - c->r.y0) * c->stride;
	if (c->rgb) blend8(c->rgb + row + (ptrdiff_t)(x - c->r.x0) * 3, k, alpha);
	else blend_float(c, row + x - c->r.x0, k, alpha);
}

void draw_fill(const struct canvas *c, struct rect r, struct ink k)
{
	r = rect_and(r, c->r);
	for (int y = r.y0; y < r.y1; y++)
		for (int x = r.x0; x < r.x1; x++) draw_dot(c, x, y, 256, k);
}

void draw_frame(const struct canvas *c, struct rect r, int width, struct ink k)
{
	if (rect_empty(r)) return;
	if (2 * width >= rect_w(r) || 2 * width >= rect_h(r)) { draw_fill(c, r, k); return; }
	draw_fill(c, rect_of(r.x0, r.y0, r.x1, r.y0 + width), k);
	draw_fill(c, rect_of(r.x0, r.y1 - width, r.x1, r.y1), k);
	draw_fill(c, rect_of(r.x0, r.y0 + width, r.x0 + width, r.y1 - width), k);
	draw_fill(c, rect_of(r.x1 - width, r.y0 + width, r.x1, r.y1 - width), k);
}

/* --- lines --- */

uint32_t draw_isqrt(uint64_t v)
{
	uint64_t root = 0, bit = (uint64_t)1 << 62;
	while (bit > v) bit >>= 2;
	for (; bit; bit >>= 2) {
		if (v >= root + bit) { v -= root + bit; root = (root >> 1) + bit; }
		else root >>= 1;
	}
	return (uint32_t)root;
}

static int overlap(int a0, int a1, int b0, int b1)
{
	int lo = a0 > b0 ? a0 : b0, hi = a1 < b1 ? a1 : b1;
	return hi > lo ? hi - lo : 0;
}

/* a / b rounded down, b > 0 */
static int64_t floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;
	return q * b > a ? q - 1 : q;
}

/* What runs along the line (major axis) is handed over as m, across it as s; steep swaps them
 * back. */
struct stroke { const struct canvas *c; bool steep; struct ink k; };

static void stroke_step(const struct stroke *st, int m, int s_mid, int half, int along)
{
	int lo = s_mid - half, hi = s_mid + half;
	int first = (int)floor_div(lo, DRAW_ONE), last = (int)floor_div(hi, DRAW_ONE);
	for (int s = first; s <= last; s++) {
		int cover = overlap(lo, hi, s * DRAW_ONE, (s + 1) * DRAW_ONE) * along / DRAW_ONE;
		draw_dot(st->c, st->steep ? s : m, st->steep ? m : s, cover, st->k);
	}
}

void draw_line(const struct canvas *c, int x0, int y0, int x1, int y1, int width, struct ink k)
{
	struct stroke st = { c, abs(y1 - y0) > abs(x1 - x0), k };
	int m0 = st.steep ? y0 : x0, s0 = st.steep ? x0 : y0, m1 = st.steep ? y1 : x1,
		s1 = st.steep ? x1 : y1;
	if (m0 > m1) { int t = m0; m0 = m1; m1 = t; t = s0; s0 = s1; s1 = t; }
	int64_t dm = m1 - m0, ds = s1 - s0;
	if (dm == 0) {
		draw_ring(c, x0, y0, width / 4, width / 2, k);
		return;
	}
	/* across a slanted line its width is longer along the other axis */
	int half = (int)((int64_t)draw_isqrt((uint64_t)(dm * dm + ds * ds)) * width / (2 * dm));
	int lo = st.steep ? c->r.y0 : c->r.x0, hi = st.steep ? c->r.y1 : c->r.x1;
	int first = (int)floor_div(m0, DRAW_ONE), last = (int)floor_div(m1 - 1, DRAW_ONE);
	if (first < lo) first = lo;
	if (last >= hi) last = hi - 1;
	for (int m = first; m <= last; m++) {
		int a = m * DRAW_ONE > m0 ? m * DRAW_ONE : m0,
			b = (m + 1) * DRAW_ONE < m1 ? (m + 1) * DRAW_ONE : m1;
		int64_t mid = ((int64_t)a + b) / 2 - m0;
		stroke_step(&st, m, s0 + (int)floor_div(mid * ds, dm), half, b - a);
	}
}

void draw_path(const struct canvas *c, const int (*pt)[2], int n, bool closed, int width,
               struct ink k)
{
	for (int i = 1; i < n; i++) draw_line(c, pt[i - 1][0], pt[i - 1][1], pt[i][0], pt[i][1], width,
	                                      k);
	if (closed && n > 2) draw_line(c, pt[n - 1][0], pt[n - 1][1], pt[0][0], pt[0][1], width, k);
}

void draw_ring(const struct canvas *c, int cx, int cy, int radius, int width, struct ink k)
{
	int reach = radius + width / 2 + DRAW_ONE;
	struct rect r = rect_of((int)floor_div(cx - reach, DRAW_ONE),
	                        (int)floor_div(cy - reach, DRAW_ONE),
	                        (int)floor_div(cx + reach, DRAW_ONE) + 1, (int)floor_div(cy + reach,
	                        	DRAW_ONE) + 1);
	r = rect_and(r, c->r);
	for (int y = r.y0; y < r.y1; y++)
		for (int x = r.x0; x < r.x1; x++) {
			int64_t dx = (int64_t)x * DRAW_ONE + DRAW_ONE / 2 - cx,
				dy = (int64_t)y * DRAW_ONE + DRAW_ONE / 2 - cy;
			int d = (int)draw_isqrt((uint64_t)(dx * dx + dy * dy));
			draw_dot(c, x, y, overlap(d - DRAW_ONE / 2, d + DRAW_ONE / 2, radius - width / 2,
			                          radius + width / 2), k);
		}
}

/* --- text --- */

/* The next character of UTF-8 text; bytes that are none count one by one. */
static uint32_t utf8_next(const char **p)
{
	const unsigned char *s = (const unsigned char *)*p;
	int more = s[0] < 0x80 ? 0 : s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : s[0] >= 0xc0 ? 1 : 0;
	uint32_t v = more == 0 ? s[0] : s[0] & (0x3fu >> more);
	for (int i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80) { *p += 1; return 0xfffd; }
		v = v << 6 | (s[i] & 0x3f);
	}
	*p += more + 1;
	return more == 0 && v >= 0x80 ? 0xfffd : v;
}

/* Nine rows of five dots, a digit of base 32 each. */
static const char *glyph_find(uint32_t ch)
{
	if (ch >= ' ' && ch <= '~') return font_ascii[ch - ' '];
	for (size_t i = 0; i + 1 < IN_COUNT(font_more); i++)
		if (font_more[i].ch == ch) return font_more[i].rows;
	return font_more[IN_COUNT(font_more) - 1].rows;
}

static bool glyph_dot(const char *rows, int x, int y)
{
	if (x < 0 || x > 4 || y < 0 || y > 8) return false;
	int d = rows[y] <= '9' ? rows[y] - '0' : rows[y] - 'a' + 10;
	return d >> (4 - x) & 1;
}

/* A dot of the glyph at twice or three times its size: corners between two dots of a slanted
 * stroke are filled. */
static bool glyph_big(const char *rows, int x, int y, int size)
{
	int cx = x / size, cy = y / size, sx = x % size, sy = y % size;
	bool e = glyph_dot(rows, cx, cy);
	if (size == 1) return e;
	int mid = size == 3 ? 1 : -1;
	if (sx == mid || sy == mid) return e;
	int dx = sx == 0 ? -1 : 1, dy = sy == 0 ? -1 : 1;
	bool side = glyph_dot(rows, cx + dx, cy), level = glyph_dot(rows, cx, cy + dy);
	bool away = glyph_dot(rows, cx - dx, cy), under = glyph_dot(rows, cx, cy - dy);
	return side == level && side != under && level != away ? side : e;
}

/* Four times: the rule for twice, used twice. */
static bool glyph_on(const char *rows, int x, int y, int size)
{
	if (size < 4) return glyph_big(rows, x, y, size);
	int cx = x / 2, cy = y / 2, dx = x % 2 ? 1 : -1, dy = y % 2 ? 1 : -1;
	bool e = glyph_big(rows, cx, cy, 2);
	bool side = cx + dx >= 0 && glyph_big(rows, cx + dx, cy, 2),
		level = cy + dy >= 0 && glyph_big(rows, cx, cy + dy, 2);
	bool away = cx - dx >= 0 && glyph_big(rows, cx - dx, cy, 2),
		under = cy - dy >= 0 && glyph_big(rows, cx, cy - dy, 2);
	return side == level && side != under && level != away ? side : e;
}

static int fit_size(int size)
{
	return size < 1 ? 1 : size > DRAW_MAX_SIZE ? DRAW_MAX_SIZE : size;
}

int draw_text(const struct canvas *c, int x, int y, int size, struct ink k, const char *text)
{
	int from = x;
	size = fit_size(size);
	for (const char *p = text; *p; x += DRAW_CELL_W * size) {
		const char *rows = glyph_find(utf8_next(&p));
		for (int gy = 0; gy < 9 * size; gy++)
			for (int gx = 0; gx < 5 * size; gx++)
				if (glyph_on(rows, gx, gy, size)) draw_dot(c, x + gx, y + gy, 256, k);
	}
	return x - from;
}

int draw_text_width(int size, const char *text)
{
	int n = 0;
	for (const char *p = text; *p; n++) utf8_next(&p);
	return n ? (n * DRAW_CELL_W - 1) * fit_size(size) : 0;
}

void draw_text_fit(const struct canvas *c, int x, int y, int size, int width, struct ink k,
                   const char *text)
{
	int cell = DRAW_CELL_W * fit_size(size), fits = width / cell, n = 0;
	const char *p = text;
	if (draw_text_width(size, text) <= width) { draw_text(c, x, y, size, k, text); return; }
	if (fits < 3) return;
	struct canvas part = canvas_clip(c,
	                                 rect_of(x, y, x + (fits - 2) * cell,
	                                         y + DRAW_CELL_H * fit_size(size)));
	while (*p && n < fits) { utf8_next(&p); n++; }
	draw_text(&part, x, y, size, k, text);
	draw_text(c, x + (fits - 2) * cell, y, size, k, "..");
}

void draw_text_at(const struct canvas *c, int x, int y, int size, enum draw_align al, struct ink k,
                  const char *text)
{
	int w = draw_text_width(size, text);
	draw_text(c, al == DRAW_RIGHT ? x - w : al == DRAW_CENTRE ? x - w / 2 : x, y, size, k, text);
}

struct rect draw_label(const struct canvas *c, int x, int y, int size, struct ink k,
                       struct ink plate, const char *text)
{
	int m = 2 * fit_size(size);
	struct rect r = rect_of(x, y, x + draw_text_width(size, text) + 2 * m,
	                        y + (DRAW_ASCENT + 2) * fit_size(size) + 2 * m);
	draw_fill(c, r, plate);
	draw_text(c, x + m, y + m, size, k, text);
	return r;
}

/* --- graticules --- */

void draw_rows(const struct canvas *c, struct rect box, const struct draw_tick *t, int n,
               struct ink line, struct ink text)
{
	for (int i = 0; i < n; i++) {
		struct ink k = line;
		if (!t[i].strong) k.a = (uint8_t)(k.a / 2);
		draw_fill(c, rect_of(box.x0, t[i].at, box.x1, t[i].at + 1), k);
		if (t[i].label) draw_text_at(c, box.x0 - 4, t[i].at - DRAW_ASCENT / 2, 1, DRAW_RIGHT, text,
		                             t[i].label);
	}
}

void draw_columns(const struct canvas *c, struct rect box, const struct draw_tick *t, int n,
                  struct ink line, struct ink text)
{
	for (int i = 0; i < n; i++) {
		struct ink k = line;
		if (!t[i].strong) k.a = (uint8_t)(k.a / 2);
		draw_fill(c, rect_of(t[i].at, box.y0, t[i].at + 1, box.y1), k);
		if (t[i].label) draw_text_at(c, t[i].at, box.y1 + 4, 1, DRAW_CENTRE, text, t[i].label);
	}
}
