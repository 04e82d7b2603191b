/* px_math - elementary functions that compilers vectorise and that give equal bits on every instruction set.
 *
 * Branch-free, in doubles inside (only + - * / and bit moves), so float results are within one ulp,
 * nearly
 * always correctly rounded. Names: px_d... double in and out, px_... float. No libm, no FMA, no
 * rcp.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_MATH_H
#define IN_PX_MATH_H

#include "base.h"

IN_INLINE uint64_t px_bits(double x) { uint64_t b; __builtin_memcpy(&b, &x, 8); return b; }
IN_INLINE double px_dbl(uint64_t b) { double x; __builtin_memcpy(&x, &b, 8); return x; }
IN_INLINE uint32_t px_bitsf(float x) { uint32_t b; __builtin_memcpy(&b, &x, 4); return b; }
IN_INLINE float px_flt(uint32_t b) { float x; __builtin_memcpy(&x, &b, 4); return x; }

IN_INLINE float px_min(float a, float b) { return a < b ? a : b; }
IN_INLINE float px_max(float a, float b) { return a > b ? a : b; }
IN_INLINE float px_clamp(float x, float lo, float hi) { return px_min(px_max(x, lo), hi); }
IN_INLINE float px_abs(float x) { return px_flt(px_bitsf(x) & 0x7fffffffu); }
IN_INLINE double px_dabs(double x) { return px_dbl(px_bits(x) & 0x7fffffffffffffffu); }
/* |m| with the sign of s. */
IN_INLINE double px_dsign(double m, double s)
{ return px_dbl((px_bits(m) & 0x7fffffffffffffffu) | (px_bits(s) & 0x8000000000000000u)); }

/* Largest integer not above x. */
IN_INLINE float px_floor(float x)
{
	float m = px_flt(0x4b000000u | (px_bitsf(x) & 0x80000000u));     /* 2^23 with x's sign */
	float t = (x + m) - m, d = t > x ? 1.0f : 0.0f;
	t -= d;
	return px_abs(x) < 8388608.0f ? t : x;
}

/* 2^x for |x| <= 1000, relative error below 2^-50; clamped beyond. NaN gives 2^-1000. */
IN_INLINE double px_dexp2(double x)
{
	const double magic = 0x1.8p52;
	x = x > -1000.0 ? x : -1000.0;
	x = x < 1000.0 ? x : 1000.0;
	double t = x + magic, f = x - (t - magic);
	double p = 0x1.e6063d59bf84ep-28;
	p = p * f + 0x1.b675bd9d9ca75p-24;
	p = p * f + 0x1.62bfd477f1020p-20;
	p = p * f + 0x1.ffcb5405094b5p-17;
	p = p * f + 0x1.430913096f8cdp-13;
	p = p * f + 0x1.5d87fe9d7acc1p-10;
	p = p * f + 0x1.3b2ab6fba1de2p-7;
	p = p * f + 0x1.c6b08d703ce44p-5;
	p = p * f + 0x1.ebfbdff82c598p-3;
	p = p * f + 0x1.62e42fefa3a19p-1;
	p = p * f + 1.0;
	return px_dbl(px_bits(p) + (px_bits(t) << 52));
}

/* log2 of a normal x > 0, relative error below 2^-50. 0, negative and NaN give -1e30, +inf 1e30. */
IN_INLINE double px_dlog2(double x)
{
	const uint64_t one = 0x3ff0000000000000u, root = 0x3fe6a09e667f3bcdu;   /* 1, sqrt(1/2) */
	uint64_t u = px_bits(x) + (one - root);
	double k = px_dbl((u >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
	double m = px_dbl((u & 0xfffffffffffffu) + root);
	double s = (m - 1.0) / (m + 1.0), z = s * s;
	double p = 0x1.f17de6c1c2390p-3;
	p = p * z + 0x1.0bb80b68e1052p-2;
	p = p * z + 0x1.484fa99107ab1p-2;
	p = p * z + 0x1.a617568115731p-2;
	p = p * z + 0x1.2776c516a08a4p-1;
	p = p * z + 0x1.ec709dc39ca3fp-1;
	p = p * z + 0x1.71547652b82ffp+1;
	p = k + s * p;
	p = x > 0.0 ? p : -1e30;
	return x < 0x1p1023 ? p : (x > 0.0 ? 1e30 : -1e30);
}

/* x^y for x >= 0 (below 0 counts as 0). */
IN_INLINE double px_dpow(double x, double y) { return px_dexp2(y * px_dlog2(x)); }
/* The same with the sign mirrored: -(|x|^y) below 0. */
IN_INLINE double px_dspow(double x, double y) { return px_dsign(px_dpow(px_dabs(x), y), x); }
IN_INLINE double px_dexp(double x) { return px_dexp2(x * 0x1.71547652b82fep+0); }
IN_INLINE double px_dlog(double x) { return px_dlog2(x) * 0x1.62e42fefa39efp-1; }
IN_INLINE double px_dlog10(double x) { return px_dlog2(x) * 0x1.34413509f79ffp-2; }

/* The double may overflow or underflow a float: inf, 0 and denormals come out as they should. */
IN_INLINE float px_exp2(float x) { float r = (float)px_dexp2(x); return x == x ? r : x; }
IN_INLINE float px_exp(float x) { float r = (float)px_dexp(x); return x == x ? r : x; }
/* -inf at 0, NaN below. */
IN_INLINE float px_log2(float x)
{
	float r = (float)px_dlog2(x);
	r = x < __builtin_inff() ? r : x;
	r = x == 0.0f ? -__builtin_inff() : r;
	return x >= 0.0f ? r : __builtin_nanf("");
}
/* x^y for x >= 0, NaN below; x^0 is 1; NaN in either gives NaN. */
IN_INLINE float px_pow(float x, float y)
{
	float r = (float)px_dexp2((double)y * px_dlog2(x));
	r = x >= 0.0f ? r : __builtin_nanf("");
	return y == y ? r : y;
}
/* sign(x) |x|^y. */
IN_INLINE float px_spow(float x, float y)
{
	float r = px_pow(px_abs(x), y);
	return px_flt((px_bitsf(r) & 0x7fffffffu) | (px_bitsf(x) & 0x80000000u));
}

/* a*b + c with one rounding. Hardware FMA where this object may use it, otherwise the same bits by a
 * double product (exact) and a double sum rounded to odd (Boldo and Melquiond 2008). */
IN_INLINE float fma32(float a, float b, float c)
{
#ifdef __FMA__
	return __builtin_fmaf(a, b, c);
#else
	double p = (double)a * b, d = c, s = p + d;
	double t = s - p, e = (p - (s - t)) + (d - t);          /* two-sum: p + d = s + e exactly */
	double some = px_dabs(e) > 0.0 ? 1.0 : 0.0;             /* bit 52 tells; NaN: 0 */
	uint64_t u = px_bits(s), odd = (px_bits(some) >> 52) & ~u & 1;
	uint64_t away = 1 - ((px_bits(e) ^ u) >> 63 << 1);      /* one step up or down in magnitude */
	return (float)px_dbl(u + (away & (0 - odd)));
#endif
}

#endif
