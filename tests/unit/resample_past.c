/* resample_past - the resampling kernels on tiles of every shape: through the caches and past them the same bits as sums one
 * pixel at a time, NaNs canonical past the caches, and nothing written outside.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "px_resample.h"
#include "rng.h"
#include "test.h"

enum { W = 67, H = 41, GUARD = 8 };

static uint32_t draw(uint32_t *at, uint32_t n)
{
	return philox4x32((*at)++, 0, 9, 0, 5, 6).c[0] % n;
}

static uint32_t bits(float f)
{
	uint32_t u;
	memcpy(&u, &f, sizeof u);
	return f != f ? 0x7fc00000u : u;
}

/* Output pixel (x, y) by the definition: rows first, then the column. */
static float plain(const struct resample *rs, const struct view *in, int x, int y)
{
	const struct resample_axis *a = &rs->y;
	int i = y - a->o0, j = x - rs->x.o0;
	float col[64], acc = 0;
	for (int k = 0; k < a->taps; k++) {
		int row = a->left[i] + k < in->r.y1 ? a->left[i] + k : in->r.y1 - 1;
		col[k] = px_resample_pixel(&rs->x, rs->ringing, j, view_at(in, 0, in->r.x0, row), in->r.x0);
		float v = col[k] * a->w[i * a->taps + k];
		acc = k ? acc + v : v;
	}
	if (!(rs->ringing > 0) || a->nn[i] <= 0) return acc;
	const float *p = col + (a->n0[i] - a->left[i]);
	float lo = p[0], hi = p[0];
	for (int k = 1; k < a->nn[i]; k++) {
		lo = p[k] < lo ? p[k] : lo;
		hi = p[k] > hi ? p[k] : hi;
	}
	return px_ring(acc, lo, hi, rs->ringing);
}

static bool agrees(const struct resample *rs, const struct view *in, const struct view *v, struct rect r, bool exact)
{
	bool good = true;
	for (int y = r.y0 - 1; y <= r.y1; y++)
		for (int x = r.x0 - 1; x <= r.x1; x++) {
			bool inside = x >= r.x0 && x < r.x1 && y >= r.y0 && y < r.y1;
			float got = *(v->plane[0] + (ptrdiff_t)(y - r.y0 + 1) * v->stride + GUARD + x - r.x0);
			uint32_t u;
			memcpy(&u, &got, sizeof u);
			good = good && (inside ? (exact ? u : bits(got)) == bits(plain(rs, in, x, y)) : got == 77);
		}
	return good;
}

/* One tile in a block with a border of 77s, aligned or not. */
static bool tile(const struct resample *rs, const struct view *in, struct rect r, bool past, int shift)
{
	int w = rect_w(r) + 2 * GUARD + 16, h = rect_h(r) + 2;
	size_t need = resample_scratch(rs, r);
	float *block = aligned_alloc(64, ((size_t)(w + 16) * (size_t)h * sizeof(float) + 127) & ~(size_t)63);
	void *scratch = aligned_alloc(64, (need + 63) & ~(size_t)63);
	struct view v = { .r = r, .stride = (w + 15) & ~15, .nch = 1 }, frame = v;
	for (int i = 0; i < (w + 16) * h; i++) block[i] = 77;
	frame.plane[0] = block + shift;
	v.plane[0] = block + shift + v.stride + GUARD;
	struct rect n = resample_need(rs, r);
	struct view from = *in;
	from.r = n;
	from.plane[0] = view_at(in, 0, n.x0, n.y0);
	int rc = past ? px_resample_past(rs, &from, &v, r, scratch, NULL) : px_resample(rs, &from, &v, r, scratch, NULL);
	bool good = rc == 0 && agrees(rs, in, &frame, r, past);
	free(block);
	free(scratch);
	return good;
}

int main(void)
{
	static const double scales[] = { 2, 2, 4, 3, 1.5, 0.5, 2.3 };
	static const enum resample_method methods[] = { RS_LANCZOS3, RS_CATMULL_ROM, RS_MITCHELL, RS_BILINEAR };
	uint32_t at = 0;
	float *src = malloc(sizeof *src * W * H);
	for (int i = 0; i < W * H; i++) src[i] = (float)draw(&at, 1 << 20) * 0x1p-20f - 0.25f;
	src[W * 20 + 30] = -__builtin_nanf("5");
	src[W * 11 + 50] = __builtin_inff();
	struct rect a = rect_of(0, 0, W, H);
	struct view in = { .r = a, .stride = W, .nch = 1, .plane = { src } };
	for (size_t s = 0; s < IN_COUNT(scales); s++)
		for (size_t m = 0; m < IN_COUNT(methods); m++)
			for (int ring = 0; ring < 2; ring++) {
				struct rect b = rect_of(0, 0, (int)(W * scales[s]), (int)(H * scales[s]));
				struct resample_geom g = { a, b, a, a };
				struct resample *rs = resample_new(&g, b, methods[m], ring ? 0.8 : 0);
				int bad = 0;
				for (int k = 0; k < 24; k++) {
					int w = 1 + (int)draw(&at, k % 4 ? 40 : (uint32_t)rect_w(b));
					int h = 1 + (int)draw(&at, k % 3 ? 12 : (uint32_t)rect_h(b));
					w = w < rect_w(b) ? w : rect_w(b);
					h = h < rect_h(b) ? h : rect_h(b);
					int x = (int)draw(&at, (uint32_t)(rect_w(b) - w + 1)), y = (int)draw(&at, (uint32_t)(rect_h(b) - h + 1));
					struct rect r = rect_of(x, y, x + w, y + h);
					bad += !tile(rs, &in, r, k & 1, k % 5 ? GUARD : 1);
				}
				test_ok(bad == 0, "x%g method %d ringing %d: %d of 24 tiles differ", scales[s], (int)methods[m], ring, bad);
				resample_free(&rs);
			}
	free(src);
	TEST_END();
}
