/* px_rows - powers, exponentials and logarithms over rows of floats, equal bits on every instruction set.
 *
 * Work goes in short loops over blocks that stay in L1, because one long loop body keeps too few
 * pixels in flight. All in floats, 8 or 16 lanes wide: what needs more bits is split in a part of
 * 12 bits, whose products are exact, and a rest. Results below 2^-125 may come out as 0; what is
 * put in below 2^-126 and above 0 counts as some 2^-127.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_ROWS_H
#define IN_PX_ROWS_H

#include "px_math.h"

enum { PX_BLOCK = 64 };

/* The upper 12 bits of x. */
IN_INLINE float px_upper(float x) { return px_flt(px_bitsf(x) & 0xfffff000u); }

/* y to the power of: y in 16 bits and its rest, y log2(e) in 12 bits, the rest and rounded. */
struct px_power { float y, k_hi, k_lo, u_hi, u_lo, u; };
enum { PX_POWER_MAX = 3 };

IN_INLINE struct px_power px_power_of(double y)
{
	double u = y * 0x1.71547652b82fep+0;
	float k_hi = px_flt(px_bitsf((float)y) & 0xffffff00u), u_hi = px_upper((float)u);
	return (struct px_power){ (float)y, k_hi, (float)(y - k_hi), u_hi, (float)(u - u_hi), (float)u };
}

/* Finishes 2^z: z = s + rest, s = ((hi + mid) + lo) nearly, hi and mid exact. */
IN_INLINE void px_split_power(float hi, float mid, float lo, float *f, float *half)
{
	float t = ((hi + mid) + lo) + 0x1.8p23f, whole = t - 0x1.8p23f;
	int32_t e = (int32_t)(px_bitsf(t) - 0x4b400000u) + 126;
	e = e < 0 ? 0 : e;
	e = e > 255 ? 255 : e;
	*f = ((hi - whole) + mid) + lo;
	*half = px_flt((uint32_t)e << 23);
}
/* 2^f times twice half, which is inf where it has to be and 0 below 2^-125. */
IN_INLINE float px_join_power(float f, float half)
{
	float p = (1.0f + px_exp2_tail(f)) * half;
	return p + p;
}

/* What becomes of b that is no plain number above 0: POW_ODD mirrors, POW_KEEP leaves b as it is. */
enum px_pow_below { POW_ODD, POW_KEEP };

/* r = b^y for |y| <= PX_POWER_MAX, y > 0, within 2 ulp; r may be b. */
IN_INLINE void px_pow_block(float *r, const float *b, const struct px_power *c,
                            enum px_pow_below below, int n)
{
	float k[PX_BLOCK], u[PX_BLOCK], t[PX_BLOCK], half[PX_BLOCK];
	const float inf = __builtin_inff(), k_hi = c->k_hi, k_lo = c->k_lo, u_hi = c->u_hi,
		u_lo = c->u_lo, cu = c->u;
	for (int i = 0; i < n; i++) {
		px_take_apart(px_abs(b[i]), &k[i], &u[i]);
		t[i] = px_ln_tail(u[i]);
	}
	for (int i = 0; i < n; i++) {
		float hi = px_upper(u[i]);
		float lo = cu * ((u[i] - hi) + t[i]) + (k_lo * k[i] + u_lo * hi);
		px_split_power(k_hi * k[i], u_hi * hi, lo, &t[i], &half[i]);
	}
	for (int i = 0; i < n; i++) {
		float x = b[i], a = below == POW_ODD ? px_abs(x) : x, p = px_join_power(t[i], half[i]);
		p = a > 0.0f ? p : below == POW_ODD ? 0.0f : a;
		p = a < inf ? p : a;
		r[i] = below == POW_ODD ? px_flt(px_bitsf(p) | (px_bitsf(x) & 0x80000000u)) : p;
	}
}
IN_INLINE void px_pow_row(float *p, const struct px_power *c, enum px_pow_below below, int n)
{
	for (; n >= PX_BLOCK; n -= PX_BLOCK, p += PX_BLOCK) px_pow_block(p, p, c, below, PX_BLOCK);
	if (n) px_pow_block(p, p, c, below, n);
}

/* p = p^y, y >= 0: nothing to do at 1, in doubles where floats would not be within 2 ulp. */
static inline void px_power_row(float *p, float y, enum px_pow_below below, int n)
{
	if (y == 1.0f) return;
	if (y > 0 && y <= PX_POWER_MAX) {
		const struct px_power c = px_power_of((double)y);
		px_pow_row(p, &c, below, n);
	} else if (below == POW_ODD) {
		for (int i = 0; i < n; i++) p[i] = px_spow(p[i], y);
	} else {
		for (int i = 0; i < n; i++) { float v = px_pow(p[i], y); p[i] = p[i] > 0.0f ? v : p[i]; }
	}
}

/* 2^(a v + b) + off from cut on, slope v + lift below it. a and b as upper
 * parts and rests; from top on: inf. */
struct px_exp_curve { float a_hi, a_lo, a, b_hi, b_lo, off, top, cut, slope, lift; };

IN_INLINE void px_exp_block(float *p, const struct px_exp_curve *curve, int n)
{
	float f[PX_BLOCK], half[PX_BLOCK];
	const struct px_exp_curve c = *curve;
	for (int i = 0; i < n; i++) {
		float v = px_min(p[i], c.top), hi = px_upper(v);
		px_split_power(c.a_hi * hi, c.b_hi, c.a * (v - hi) + (c.a_lo * hi + c.b_lo), &f[i], &half[i]);
	}
	for (int i = 0; i < n; i++) {
		float e = px_join_power(f[i], half[i]) + c.off, l = p[i] * c.slope + c.lift;
		p[i] = p[i] >= c.cut ? e : l;
	}
}
IN_INLINE void px_exp_row(float *p, const struct px_exp_curve *c, int n)
{
	for (; n >= PX_BLOCK; n -= PX_BLOCK, p += PX_BLOCK) px_exp_block(p, c, PX_BLOCK);
	if (n) px_exp_block(p, c, n);
}

/* e log2(f x + g) + h from cut on, slope x + lift below it. e and h as upper parts
 * and rests; u: e log2(e's base). */
struct px_log_curve { float f, g, e_hi, e_lo, u, h_hi, h_lo, cut, slope, lift; };

IN_INLINE void px_log_block(float *p, const struct px_log_curve *curve, int n)
{
	float k[PX_BLOCK], u[PX_BLOCK], t[PX_BLOCK];
	const struct px_log_curve c = *curve;
	for (int i = 0; i < n; i++) {
		px_take_apart(c.f * p[i] + c.g, &k[i], &u[i]);
		t[i] = px_ln_tail(u[i]);
	}
	for (int i = 0; i < n; i++) {
		float x = p[i], r = (c.e_hi * k[i] + c.h_hi) + (c.u * (u[i] + t[i]) + (c.e_lo * k[i] + c.h_lo));
		r = x < __builtin_inff() ? r : x;
		p[i] = x >= c.cut ? r : c.slope * x + c.lift;
	}
}
IN_INLINE void px_log_row(float *p, const struct px_log_curve *c, int n)
{
	for (; n >= PX_BLOCK; n -= PX_BLOCK, p += PX_BLOCK) px_log_block(p, c, PX_BLOCK);
	if (n) px_log_block(p, c, n);
}

#endif
