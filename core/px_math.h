/* px_math - elementary functions that compilers vectorise and that give equal bits on every instruction set.
 *
 * Branch-free, only + - * / and bit moves: no libm, no FMA, no rcp. px_exp2, px_log2, px_pow
 * take and give floats within 2 ulp; px_d... take and give doubles, for coefficients. Rows and
 * transfer curves: px_rows.h, px_colour.h.
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

/* 2^x for |x| <= 1000, relative error below 2^-50. */
IN_INLINE double px_dexp2_within(double x)
{
	const double magic = 0x1.8p52;
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

/* The same, clamped beyond. NaN gives 2^-1000. */
IN_INLINE double px_dexp2(double x)
{
	x = x > -1000.0 ? x : -1000.0;
	x = x < 1000.0 ? x : 1000.0;
	return px_dexp2_within(x);
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

IN_INLINE float px_exp(float x) { float r = (float)px_dexp(x); return x == x ? r : x; }

/* --- in floats --- */

/* 2^f - 1 for |f| <= 1/2, as f times a polynomial (relative error of 2^f 2^-28.5). */
IN_INLINE float px_exp2_tail(float f)
{
	float g = f * f;
	float a = 0x1.62e431p-1f + 0x1.ebfbe2p-3f * f, b = 0x1.c6ae72p-5f + 0x1.3b270ep-7f * f;
	float c = 0x1.5f7276p-10f + 0x1.470b42p-13f * f;
	return f * (a + g * (b + g * c));
}
/* ln(1 + u) - u for sqrt(1/2) <= 1 + u <= sqrt(2) (relative error of ln 2^-30). */
IN_INLINE float px_ln_tail(float u)
{
	float a = u * u, b = a * a, c = b * b;
	float p = u * 0x1.555546p-2f - 0.5f, q = u * 0x1.99a53ep-3f - 0x1.000012p-2f;
	float r = u * 0x1.232d9ap-3f - 0x1.555ab2p-3f, s = u * 0x1.e7767ap-4f - 0x1.fc345ap-4f;
	float t = u * 0x1.13759ep-4f - 0x1.de4056p-4f;
	return a * ((p + a * q) + b * (r + a * s) + c * t);
}
/* Takes x apart: x = 2^k (1 + u), sqrt(1/2) <= 1 + u < sqrt(2), u exact. Normal x > 0; anything
 * else gives some finite k and u, 0 k = -127, inf k = 128. */
IN_INLINE void px_take_apart(float x, float *k, float *u)
{
	uint32_t b = px_bitsf(x);
	int32_t w = (int32_t)(b - 0x3f3504f3u);
	*k = (float)(w >> 23);
	*u = px_flt(b - ((uint32_t)w & 0xff800000u)) - 1.0f;
}

/* 2^x, within 2 ulp; denormals, 0 and inf come out as they should. */
IN_INLINE float px_exp2(float x)
{
	float c = x < 129.0f ? x : 129.0f;
	c = -151.0f > c ? -151.0f : c;
	c = x == x ? c : x;
	float t = c + 0x1.8p23f, f = c - (t - 0x1.8p23f);
	int32_t e = (int32_t)(px_bitsf(t) - 0x4b400000u), h = e >> 1;
	float p = 1.0f + px_exp2_tail(f), s = px_flt((uint32_t)(h + 127) << 23);
	return p * s * px_flt((uint32_t)(e - h + 127) << 23);
}
/* Within 2 ulp; -inf at 0, NaN below. */
IN_INLINE float px_log2(float x)
{
	float less = x < 0x1p-126f ? 24.0f : 0.0f, up = x < 0x1p-126f ? x * 0x1p24f : x, k, u;
	px_take_apart(up, &k, &u);
	k -= less;
	float small = 0x1.c551d9p-2f * u + 0x1.715476p+0f * px_ln_tail(u);      /* log2(e) - 1, log2(e) */
	float h = k + u, l = u - (h - k), r = h + (l + small);
	r = x < __builtin_inff() ? r : x;
	r = x == 0.0f ? -__builtin_inff() : r;
	return x >= 0.0f ? r : __builtin_nanf("");
}
/* log2 of a float above 0 in a double, relative error 2^-37; 0 gives -1023, inf 1024. */
IN_INLINE double px_quick_log2(double x)
{
	const uint64_t one = 0x3ff0000000000000u, root = 0x3fe6a09e667f3bcdu;
	uint64_t w = px_bits(x) + (one - root);
	double k = px_dbl((w >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
	double m = px_dbl((w & 0xfffffffffffffu) + root);
	double s = (m - 1.0) / (m + 1.0), z = s * s, y = z * z;
	double a = 0x1.71547652bede5p+1 + 0x1.ec709d12e1451p-1 * z;
	double b = 0x1.27777fda72ea2p-1 + 0x1.a58d8fbb91deep-2 * z;
	return k + s * (a + y * (b + y * 0x1.5ce7cde5ae1bcp-2));
}
/* 2^x for |x| <= 1000 in a double, relative error 2^-28.5. */
IN_INLINE double px_quick_exp2(double x)
{
	double t = x + 0x1.8p52, f = x - (t - 0x1.8p52), g = f * f;
	double a = 1.0 + 0x1.62e43117329aap-1 * f, b = 0x1.ebfbe2c534a45p-3 + 0x1.c6ae72e11bb6cp-5 * f;
	double c = 0x1.3b270e6ee2b06p-7 + 0x1.5f72764d93f12p-10 * f;
	double p = a + g * (b + g * (c + g * 0x1.470b42202e74fp-13));
	return px_dbl(px_bits(p) + (px_bits(t) << 52));
}
/* x^y for x >= 0, NaN below; x^0 is 1; NaN in either gives NaN. Within 1 ulp. */
IN_INLINE float px_pow(float x, float y)
{
	const float inf = __builtin_inff(), nan = __builtin_nanf("");
	double z = (double)y * px_quick_log2(x);
	z = z > -1000.0 ? z : -1000.0;
	z = z < 1000.0 ? z : 1000.0;
	float r = (float)px_quick_exp2(z), at0 = y > 0.0f ? 0.0f : inf, at_inf = y > 0.0f ? inf : 0.0f;
	at0 = y == 0.0f ? 1.0f : at0;
	at_inf = y == 0.0f ? 1.0f : at_inf;
	r = x > 0.0f ? r : at0;
	r = x < inf ? r : at_inf;
	r = x >= 0.0f ? r : nan;
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
