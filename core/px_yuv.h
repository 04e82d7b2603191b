/* px_yuv - rows of file codes to R,G,B and back; compiled once per instruction set by its users.
 *
 * Chroma is interpolated with the Catmull-Rom cubic at its sited position and mirrored at the
 * edges; going down, the same cubic is stretched. Sums run in a fixed order per sample, so every
 * copy gives the same bits. Nothing is clipped on reading. Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_YUV_H
#define IN_PX_YUV_H

#include <string.h>

#include "rng.h"
#include "yuv.h"

/* Index mirrored about the edges of 0..n-1 (-1 is 0, n is n-1). */
IN_INLINE int yuv_mirror(int i, int n)
{
	for (;;) {
		if (i < 0) i = -1 - i;
		else if (i >= n) i = 2 * n - 1 - i;
		else return i;
	}
}

enum { YUV_PAD = 8 };
/* Floats of scratch that yuv_row_rgb takes for a picture w wide. */
IN_INLINE size_t yuv_row_scratch(int w) { return 3 * ((size_t)w + 2 * YUV_PAD + 64); }

/* One row of one plane as floats (codes). */
IN_INLINE void yuv_codes(const struct planes *p, int i, int y, float *IN_RESTRICT out)
{
	int w = plane_width(&p->d, i);
	if (p->d.flt) {
		memcpy(out, p->f[i] + y * p->stride[i], (size_t)w * sizeof *out);
		return;
	}
	const uint16_t *IN_RESTRICT s = p->p[i] + y * p->stride[i];
	for (int x = 0; x < w; x++) out[x] = (float)s[x];
}

/* Chroma of luma row y, vertically interpolated, w/2 or so codes in out. */
IN_INLINE void yuv_chroma_row(const struct planes *p, const struct yuv_coef *k, int i, int y,
                              float *IN_RESTRICT out)
{
	int cw = plane_width(&p->d, i), ch = plane_height(&p->d, i);
	if (!p->d.lh || p->d.flt) { yuv_codes(p, i, y >> p->d.lh, out); return; }
	int field = p->d.interlaced ? 1 + (y & 1) : 0;
	int row = field ? y >> 1 : y, rows = field ? (ch + 2 - field) / 2 : ch;
	const struct yuv_tap *t = &k->vtap[field][row & ((1 << p->d.lh) - 1)];
	const uint16_t *s[4];
	for (int j = 0; j < 4; j++) {
		int r = yuv_mirror((row >> p->d.lh) + t->base + j, rows > 0 ? rows : 1);
		if (field) r = 2 * r + field - 1;
		if (r >= ch) r = ch - 1;
		s[j] = p->p[i] + r * p->stride[i];
	}
	const uint16_t *IN_RESTRICT a = s[0], *IN_RESTRICT b = s[1], *IN_RESTRICT c = s[2],
	    *IN_RESTRICT d = s[3];
	float w0 = t->w[0], w1 = t->w[1], w2 = t->w[2], w3 = t->w[3];
	for (int x = 0; x < cw; x++)
		out[x] = (float)a[x] * w0 + (float)b[x] * w1 + (float)c[x] * w2 + (float)d[x] * w3;
}

/* Widens the row at c (cw samples, YUV_PAD writable floats on either side) to w samples. */
IN_INLINE void yuv_widen(const struct yuv_coef *k, float *c, int cw, int w, float *IN_RESTRICT out)
{
	if (!k->lw) { memcpy(out, c, (size_t)w * sizeof *out); return; }
	for (int j = 1; j <= YUV_PAD; j++) {
		c[-j] = c[yuv_mirror(-j, cw)];
		c[cw - 1 + j] = c[yuv_mirror(cw - 1 + j, cw)];
	}
	int s = 1 << k->lw;
	for (int p = 0; p < s; p++) {
		const struct yuv_tap *t = &k->htap[p];
		const float *IN_RESTRICT q = c + t->base;
		float w0 = t->w[0], w1 = t->w[1], w2 = t->w[2], w3 = t->w[3];
		int n = (w - p + s - 1) >> k->lw;
		if (s == 2)
			for (int i = 0; i < n; i++) out[2 * i + p] = q[i] * w0 + q[i + 1] * w1 + q[i + 2] * w2
			    + q[i + 3] * w3;
		else
			for (int i = 0; i < n; i++) out[s * i + p] = q[i] * w0 + q[i + 1] * w1 + q[i + 2] * w2
			    + q[i + 3] * w3;
	}
}

IN_INLINE void yuv_scale_row(float *IN_RESTRICT v, int w, float off, float scale)
{
	for (int x = 0; x < w; x++) v[x] = (v[x] - off) / scale;
}

/* Row y to r, g, b (and a, when the planes have alpha and a is not NULL), w floats each. */
IN_INLINE void yuv_row_rgb(const struct planes *p, const struct yuv_coef *k, int y, float *tmp,
                           float *IN_RESTRICT r, float *IN_RESTRICT g, float *IN_RESTRICT b,
                           float *IN_RESTRICT a)
{
	int w = p->d.w;
	yuv_codes(p, 0, y, r);
	yuv_scale_row(r, w, k->yoff, k->yscale);
	if (a && p->d.alpha) {
		yuv_codes(p, 3, y, a);
		yuv_scale_row(a, w, 0, k->ascale);
	}
	if (p->d.gray) {
		memcpy(g, r, (size_t)w * sizeof *g);
		memcpy(b, r, (size_t)w * sizeof *b);
		return;
	}
	if (p->d.rgb) {
		yuv_codes(p, 1, y, g);
		yuv_codes(p, 2, y, b);
		yuv_scale_row(g, w, k->yoff, k->yscale);
		yuv_scale_row(b, w, k->yoff, k->yscale);
		return;
	}
	float *c = tmp + YUV_PAD;
	float *IN_RESTRICT u = tmp + w + 2 * YUV_PAD + 64, *IN_RESTRICT v = u + w + 32;
	int cw = plane_width(&p->d, 1);
	yuv_chroma_row(p, k, 1, y, c);
	yuv_widen(k, c, cw, w, u);
	yuv_chroma_row(p, k, 2, y, c);
	yuv_widen(k, c, cw, w, v);
	yuv_scale_row(u, w, k->coff, k->cscale);
	yuv_scale_row(v, w, k->coff, k->cscale);
	float r0 = k->inv[0][0], r1 = k->inv[0][1], g0 = k->inv[1][0], g1 = k->inv[1][1];
	float b0 = k->inv[2][0], b1 = k->inv[2][1];
	for (int x = 0; x < w; x++) {
		float l = r[x], cu = u[x], cv = v[x];
		r[x] = l + (cu * r0 + cv * r1);
		g[x] = l + (cu * g0 + cv * g1);
		b[x] = l + (cu * b0 + cv * b1);
	}
}

/* ---- back ---- */

struct yuv_dither { bool on; uint32_t frame, seed, salt; };

/* Vectors of Philox blocks side by side: a block is one long chain of multiplications. */
enum { YUV_CHAINS = 3, YUV_BLOCKS = YUV_CHAINS * PHILOX_LANES };

/* The words of YUV_BLOCKS blocks in order; their counters are c0 + block, c1, c2, c3. */
IN_INLINE void yuv_words(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1,
                         uint32_t *IN_RESTRICT out)
{
	const vwide m0 = vwide_of(PHILOX_M0), m1 = vwide_of(PHILOX_M1);
	uint64_t lane[YUV_BLOCKS];
	vwide x[YUV_CHAINS], y[YUV_CHAINS], z[YUV_CHAINS], w[YUV_CHAINS];
	for (uint32_t i = 0; i < YUV_BLOCKS; i++) lane[i] = c0 + i;
	memcpy(x, lane, sizeof x);
	for (int c = 0; c < YUV_CHAINS; c++) y[c] = vwide_of(c1), z[c] = vwide_of(c2), w[c] = vwide_of(c3);
	for (int i = 0; i < PHILOX_ROUNDS; i++, k0 += PHILOX_W0, k1 += PHILOX_W1)
		for (int c = 0; c < YUV_CHAINS; c++) {
			vwide a = vwide_mul32(x[c], m0), b = vwide_mul32(z[c], m1);
			x[c] = (b >> 32) ^ y[c] ^ vwide_of(k0);
			z[c] = (a >> 32) ^ w[c] ^ vwide_of(k1);
			y[c] = b;
			w[c] = a;
		}
	for (int c = 0; c < YUV_CHAINS; c++, out += 4 * PHILOX_LANES) {
		vwide p = vwide_join(x[c], y[c]), q = vwide_join(z[c], w[c]);
		vwide_store(out, vwide_lower(p, q));
		vwide_store(out + 2 * PHILOX_LANES, vwide_upper(p, q));
	}
}

/* TPDF noise of +-1 code for n samples of row y, plane i: sums of two uniform 16-bit numbers. */
static IN_NOINLINE IN_UNUSED void yuv_noise(const struct yuv_dither *d, int i, int y, int n,
                                            float *IN_RESTRICT out)
{
	enum { STEP = 4 * YUV_BLOCKS };
	for (int x = 0; x < n; x += STEP) {
		uint32_t c[STEP];
		float rest[STEP], *to = n - x < STEP ? rest : out + x;
		yuv_words((uint32_t)x / 4, (uint32_t)y, d->frame, (uint32_t)i, d->seed, d->salt, c);
		for (int j = 0; j < STEP; j++)
			to[j] = (float)(int)((c[j] & 0xffff) + (c[j] >> 16)) * (1.0f / 65536) - (65535.0f / 65536);
		if (to == rest) memcpy(out + x, rest, (size_t)(n - x) * sizeof *out);
	}
}

/* How many of n codes have to be clipped; NaN has. */
IN_INLINE int yuv_clipped(const float *IN_RESTRICT v, float lo, float hi, int n)
{
	int clipped = 0;
	for (int x = 0; x < n; x++) clipped += !(v[x] > lo) | !(v[x] < hi);
	return clipped;
}

/* Values (codes as float) to integers of row y in plane i; returns how many had to be clipped.
 * noise: room for n floats. NaN becomes the lowest code. */
IN_INLINE int yuv_store(const struct yuv_coef *k, const struct yuv_dither *d, int i, int y, int n,
                        const float *IN_RESTRICT v, float *IN_RESTRICT noise,
                        uint16_t *IN_RESTRICT out)
{
	float lo = k->lo, hi = k->hi;
	const float *IN_RESTRICT t = v;
	if (d->on) {
		yuv_noise(d, i, y, n, noise);
		for (int x = 0; x < n; x++) noise[x] = v[x] + noise[x];
		t = noise;
	}
	for (int x = 0; x < n; x++) {
		float c = t[x];
		c = c > lo ? c : lo;
		c = c < hi ? c : hi;
		out[x] = (uint16_t)(int)(c + .5f);
	}
	return yuv_clipped(v, lo - .5f, hi + .5f, n);
}

/* Y' codes and unscaled Cb, Cr of one row. */
IN_INLINE void yuv_from_rgb(const struct yuv_coef *k, int w, const float *IN_RESTRICT r,
                            const float *IN_RESTRICT g, const float *IN_RESTRICT b,
                            float *IN_RESTRICT yy, float *IN_RESTRICT u, float *IN_RESTRICT v)
{
	float y0 = k->fwd[0][0], y1 = k->fwd[0][1], y2 = k->fwd[0][2];
	float u0 = k->fwd[1][0], u1 = k->fwd[1][1], u2 = k->fwd[1][2];
	float v0 = k->fwd[2][0], v1 = k->fwd[2][1], v2 = k->fwd[2][2];
	float s = k->yscale, o = k->yoff, cs = k->cscale, co = k->coff;
	for (int x = 0; x < w; x++) {
		yy[x] = (r[x] * y0 + g[x] * y1 + b[x] * y2) * s + o;
		u[x] = (r[x] * u0 + g[x] * u1 + b[x] * u2) * cs + co;
		v[x] = (r[x] * v0 + g[x] * v1 + b[x] * v2) * cs + co;
	}
}

/* Halving: even and odd samples come apart once, and the sum of an output stays in a register. n taps, a
 * constant; c begins at the first tap of the first output. */
IN_INLINE void yuv_halve(const float *IN_RESTRICT c, const float *IN_RESTRICT taps, int n, int cw,
                         float *IN_RESTRICT out)
{
	enum { STEP = 256, MORE = 8 };
	float e[STEP + MORE], o[STEP + MORE], w[16];
	for (int t = 0; t < n; t++) w[t] = taps[t];
	for (int x = 0; x < cw; x += STEP, c += 2 * STEP, out += STEP) {
		int m = cw - x < STEP ? cw - x : STEP;
		for (int i = 0; i < m + n / 2; i++) {
			e[i] = c[2 * i];
			o[i] = c[2 * i + 1];
		}
		for (int i = 0; i < m; i++) {
			float sum = 0;
			for (int t = 0; t < n; t++) sum += (t % 2 ? o[i + t / 2] : e[i + t / 2]) * w[t];
			out[i] = sum;
		}
	}
}

/* Halves (or quarters) a padded row: c has w samples and 16 writable floats on either side. */
IN_INLINE void yuv_narrow(const struct yuv_coef *k, float *c, int w, int cw, float *IN_RESTRICT out)
{
	if (!k->lw) { memcpy(out, c, (size_t)w * sizeof *out); return; }
	for (int j = 1; j <= 16; j++) {
		c[-j] = c[yuv_mirror(-j, w)];
		c[w - 1 + j] = c[yuv_mirror(w - 1 + j, w)];
	}
	int s = 1 << k->lw;
	const float *first = c + k->hfirst;
	if (s == 2 && k->hn == 7) { yuv_halve(first, k->hdown, 7, cw, out); return; }
	if (s == 2 && k->hn == 8) { yuv_halve(first, k->hdown, 8, cw, out); return; }
	for (int i = 0; i < cw; i++) out[i] = 0;
	for (int t = 0; t < k->hn; t++) {
		float wt = k->hdown[t];
		const float *IN_RESTRICT q = c + k->hfirst + t;
		if (s == 2) for (int i = 0; i < cw; i++) out[i] += q[2 * i] * wt;
		else        for (int i = 0; i < cw; i++) out[i] += q[s * i] * wt;
	}
}

/* Chroma row cy of the reduced plane from full-height rows at base (stride floats apart, h of
 * them). */
IN_INLINE void yuv_shorten(const struct yuv_coef *k, const float *base, ptrdiff_t stride, int h,
                           int cw, int cy,
                           float *IN_RESTRICT out)
{
	if (!k->lh) { memcpy(out, base + cy * stride, (size_t)cw * sizeof *out); return; }
	for (int i = 0; i < cw; i++) out[i] = 0;
	for (int t = 0; t < k->vn; t++) {
		float wt = k->vdown[t];
		const float *IN_RESTRICT q = base + yuv_mirror((cy << k->lh) + k->vfirst + t, h) * stride;
		for (int i = 0; i < cw; i++) out[i] += q[i] * wt;
	}
}

#endif
