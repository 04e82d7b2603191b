/* mathx - exponentials, logarithms and trigonometry from + - * / and sqrt alone: equal bits
 * everywhere.
 *
 * Double-double arithmetic (Dekker 1971, Knuth's two-sum) carries what a double cannot; series
 * are Taylor's, short enough after reduction to end below 2^-60.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "mathx.h"

#include <assert.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LN2_HI 0x1.62e42fee00000p-1            /* 33 bits: k * LN2_HI is exact */
#define LN2_LO 0x1.a39ef35793c76p-33
#define NAN_D __builtin_nan("")
#define INF_D __builtin_inf()

struct dd { double hi, lo; };                   /* hi + lo, |lo| <= ulp(hi) / 2 */
static const struct dd dd_ln2 = { 0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56 };
static const struct dd dd_log2e = { 0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56 };
static const struct dd dd_log10e = { 0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57 };
static const struct dd dd_pio2 = { 0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54 };
static const double pi_lo = 0x1.1a62633145c07p-53;

static uint64_t bits_of(double x) { uint64_t b; __builtin_memcpy(&b, &x, 8); return b; }
static double of_bits(uint64_t b) { double x; __builtin_memcpy(&x, &b, 8); return x; }
static double mag(double x) { return of_bits(bits_of(x) & (UINT64_MAX >> 1)); }
static bool negative(double x) { return bits_of(x) >> 63; }
static double with_sign(double m, double s)
{ return of_bits((bits_of(m) & (UINT64_MAX >> 1)) | (bits_of(s) & ~(UINT64_MAX >> 1))); }

static struct dd two_sum(double a, double b)
{
	double s = a + b, t = s - a;
	struct dd r = { s, (a - (s - t)) + (b - t) };
	return r;
}
static struct dd fast_sum(double a, double b)   /* |a| >= |b| */
{
	double s = a + b;
	struct dd r = { s, b - (s - a) };
	return r;
}
static struct dd two_mul(double a, double b)
{
	double ah = of_bits(bits_of(a) & 0xfffffffff8000000u), al = a - ah;
	double bh = of_bits(bits_of(b) & 0xfffffffff8000000u), bl = b - bh, p = a * b;
	struct dd r = { p, ((ah * bh - p) + ah * bl + al * bh) + al * bl };
	return r;
}
static struct dd dd_add(struct dd a, struct dd b)
{
	struct dd s = two_sum(a.hi, b.hi);
	return fast_sum(s.hi, s.lo + a.lo + b.lo);
}
static struct dd dd_mul(struct dd a, struct dd b)
{
	struct dd p = two_mul(a.hi, b.hi);
	return fast_sum(p.hi, p.lo + a.hi * b.lo + a.lo * b.hi);
}
static struct dd dd_div(struct dd a, struct dd b)
{
	double q = a.hi / b.hi;
	struct dd p = two_mul(q, b.hi);
	return fast_sum(q, ((a.hi - p.hi) - p.lo + a.lo - q * b.lo) / b.hi);
}
static struct dd dd_of(double hi) { struct dd r = { hi, 0 }; return r; }

/* x * 2^n; subnormal results are rounded once more. */
static double scale2(double x, int n)
{
	if (n > 1023) { x *= 0x1p1023; n -= 1023; if (n > 1023) n = 1023; }
	else if (n < -1022) {
		x *= 0x1p-969; n += 969;
		if (n < -1022) { x *= 0x1p-969; n += 969; if (n < -1022) n = -1022; }
	}
	return x * of_bits((uint64_t)(n + 1023) << 52);
}

/* e^(hi+lo), |hi| <= 0.3466. */
static double exp_core(double hi, double lo)
{
	static const double c[] = {             /* 1/n!, n = 14 down to 2 */
		0x1.93974a8c07c9dp-37, 0x1.6124613a86d09p-33, 0x1.1eed8eff8d898p-29, 0x1.ae64567f544e4p-26,
		0x1.27e4fb7789f5cp-22, 0x1.71de3a556c734p-19, 0x1.a01a01a01a01ap-16, 0x1.a01a01a01a01ap-13,
		0x1.6c16c16c16c17p-10, 0x1.1111111111111p-7, 0x1.5555555555555p-5, 0x1.5555555555555p-3, 0.5 };
	double q = c[0];
	for (size_t i = 1; i < IN_COUNT(c); i++) q = q * hi + c[i];
	struct dd one = fast_sum(1.0, hi);
	return one.hi + (one.lo + (lo + (lo * hi + hi * hi * q)));
}

/* 2^(hi+lo), any hi. */
static double exp2_dd(double hi, double lo)
{
	if (hi != hi) return hi;
	if (hi >= 1025) return INF_D;
	if (hi <= -1080) return 0;
	double k = mx_round(hi);
	struct dd f = two_sum(hi - k, lo), r = dd_mul(f, dd_ln2);
	return scale2(exp_core(r.hi, r.lo), (int)k);
}

double mx_exp2(double x) { return exp2_dd(x, 0); }

double mx_exp(double x)
{
	if (x != x) return x;
	if (x > 710) return INF_D;
	if (x < -746) return 0;
	double k = mx_round(x * 0x1.71547652b82fep+0);
	struct dd r = two_sum(x - k * LN2_HI, -k * LN2_LO);
	return scale2(exp_core(r.hi, r.lo), (int)k);
}

/* x = 2^k (1+f), 1+f in [sqrt(1/2), sqrt(2)), for finite x > 0. */
static int split(double x, double *f)
{
	int k = 0;
	if (x < 0x1p-1022) { x *= 0x1p54; k = -54; }
	uint64_t u = bits_of(x) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
	k += (int)(u >> 52) - 1023;
	*f = of_bits((u & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
	return k;
}

/* ln(1+f) to about 2^-70 relative, as 2 atanh(f / (2+f)); the first terms in double-double. */
static struct dd log1_dd(double f)
{
	static const double tail[] = { 1 / 33.0, 1 / 31.0, 1 / 29.0, 1 / 27.0, 1 / 25.0, 1 / 23.0, 1 / 21.0,
		1 / 19.0, 1 / 17.0, 1 / 15.0, 1 / 13.0, 1 / 11.0, 1 / 9.0, 1 / 7.0 };
	static const struct dd head[] = {       /* 1/5, 1/3 */
		{ 0x1.999999999999ap-3, -0x1.999999999999ap-57 }, { 0x1.5555555555555p-2, 0x1.5555555555555p-56 } };
	if (f == 0) return dd_of(0);
	struct dd s = dd_div(dd_of(f), two_sum(2.0, f)), z = dd_mul(s, s);
	double q = 0;
	for (size_t i = 0; i < IN_COUNT(tail); i++) q = q * z.hi + tail[i];
	struct dd p = dd_of(q);
	for (size_t i = 0; i < IN_COUNT(head); i++) p = dd_add(dd_mul(p, z), head[i]);
	p = dd_add(dd_mul(p, z), dd_of(1));
	p = dd_mul(p, s);
	p.hi *= 2; p.lo *= 2;
	return p;
}
static struct dd log2_dd(double x)
{
	double f;
	int k = split(x, &f);
	return dd_add(dd_of(k), dd_mul(log1_dd(f), dd_log2e));
}

/* Domain of the logarithms: true when *r is the answer. */
static bool log_special(double x, double *r)
{
	if (x != x) return *r = x, true;
	if (x == 0) return *r = -INF_D, true;
	if (x < 0) return *r = NAN_D, true;
	if (x == INF_D) return *r = x, true;
	return false;
}
double mx_log2(double x)
{
	double r;
	if (log_special(x, &r)) return r;
	return log2_dd(x).hi;
}
double mx_log(double x)
{
	double r, f;
	if (log_special(x, &r)) return r;
	int k = split(x, &f);
	struct dd kl = dd_mul(dd_of(k), dd_ln2);
	return dd_add(kl, log1_dd(f)).hi;
}
double mx_log10(double x)
{
	double r, f;
	if (log_special(x, &r)) return r;
	int k = split(x, &f);
	struct dd l = dd_add(dd_mul(dd_of(k), dd_ln2), log1_dd(f));
	return dd_mul(l, dd_log10e).hi;
}

/* 0: y is no integer; 1: odd; 2: even. */
static int parity(double y)
{
	double a = mag(y);
	if (a >= 0x1p53) return 2;
	if (a < 1 || a != mx_floor(a)) return a == 0 ? 2 : 0;
	return (uint64_t)a & 1 ? 1 : 2;
}

double mx_pow(double x, double y)
{
	if (y == 0 || x == 1) return 1;
	if (x != x || y != y) return x + y;
	double ax = mag(x);
	int par = parity(y);
	if (mag(y) == INF_D)
		return ax == 1 ? 1 : ((ax > 1) == (y > 0) ? INF_D : 0);
	double sign = x < 0 || negative(x) ? (par == 1 ? -1.0 : 1.0) : 1.0;
	if (ax == 0) return y > 0 ? with_sign(0, sign) : with_sign(INF_D, sign);
	if (ax == INF_D) return y > 0 ? with_sign(INF_D, sign) : with_sign(0, sign);
	if (x < 0 && par == 0) return NAN_D;
	if (ax == 1) return sign;
	struct dd l = log2_dd(ax);
	if (mag(y) > 0x1p70) return (l.hi > 0) == (y > 0) ? sign * INF_D : sign * 0.0;
	if (mag(y) < 0x1p-70) return sign;
	struct dd p = two_mul(l.hi, y);
	p = fast_sum(p.hi, p.lo + l.lo * y);
	return sign * exp2_dd(p.hi, p.lo);
}

/* --- circular functions --- */

/* 2/pi, 1280 bits, most significant first (Machin's formula in 700 digits). */
static const uint64_t two_over_pi[] = {
	0xa2f9836e4e441529u, 0xfc2757d1f534ddc0u, 0xdb6295993c439041u, 0xfe5163abdebbc561u,
	0xb7246e3a424dd2e0u, 0x06492eea09d1921cu, 0xfe1deb1cb129a73eu, 0xe88235f52ebb4484u,
	0xe99c7026b45f7e41u, 0x3991d639835339f4u, 0x9c845f8bbdf9283bu, 0x1ff897ffde05980fu,
	0xef2f118b5a0a6d1fu, 0x6d367ecf27cb09b7u, 0x4f463f669e5fea2du, 0x7527bac7ebe5f17bu,
	0x3d0739f78a5292eau, 0x6bfb5fb11f8d5d08u, 0x56033046fc7b6babu, 0xf0cfbc209af4361du };

static uint64_t bits64_at(int bit)              /* 64 bits of 2/pi from bit, 0 = the weight 1/2 */
{
	if (bit <= -64) return 0;
	if (bit < 0) return two_over_pi[0] >> -bit;
	int w = bit / 64, s = bit % 64;
	uint64_t hi = w < 20 ? two_over_pi[w] : 0, lo = w + 1 < 20 ? two_over_pi[w + 1] : 0;
	return s ? hi << s | lo >> (64 - s) : hi;
}
static uint64_t mul_hi(uint64_t a, uint64_t b, uint64_t *lo)
{
	uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
	uint64_t m = al * bh + (al * bl >> 32), n = ah * bl + (uint32_t)m;
	*lo = a * b;
	return ah * bh + (m >> 32) + (n >> 32);
}

/* x = q pi/2 + r, |r| <= pi/4, q mod 4 (Payne and Hanek 1983): x's 53-bit integer times the 192 bits of 2/pi
 * that matter; what stands above weight 2 is a multiple of 4 and drops out of the arithmetic mod
 * 2^192. */
static int rem_pio2(double x, struct dd *r)
{
	double a = mag(x);
	if (a <= 0x1.921fb54442d18p-1) { *r = dd_of(x); return 0; }
	int e = (int)(bits_of(a) >> 52) - 1075;
	uint64_t m = (bits_of(a) & 0xfffffffffffffu) | 0x10000000000000u;
	int at = e - 2;                         /* the first bit whose product with m 2^e weighs below 4 */
	uint64_t w0 = bits64_at(at), w1 = bits64_at(at + 64), w2 = bits64_at(at + 128), l1, l2;
	uint64_t h2 = mul_hi(m, w2, &l2), h1 = mul_hi(m, w1, &l1), p0 = m * w0, p1, p2 = l2;
	p1 = l1 + h2;
	p0 += h1 + (p1 < l1);
	int q = (int)(p0 >> 62);                /* p0.p1.p2 is a 192-bit fraction of 4 */
	uint64_t f0 = p0 << 2 | p1 >> 62, f1 = p1 << 2 | p2 >> 62, f2 = p2 << 2;
	bool neg = f0 >> 63;
	if (neg) {
		q++;
		f2 = ~f2 + 1; f1 = ~f1 + (f2 == 0); f0 = ~f0 + (f2 == 0 && f1 == 0);
	}
	int z = 0;                              /* normalise, so that hi and lo carry 117 bits or more */
	while (z < 128 && !(f0 >> 63)) {
		f0 = f0 << 1 | f1 >> 63; f1 = f1 << 1 | f2 >> 63; f2 <<= 1; z++;
	}
	struct dd f = two_sum((double)(f0 >> 11), (double)((f0 << 53 | f1 >> 11) >> 11) * 0x1p-53);
	f = dd_mul(f, dd_pio2);
	double s = of_bits((uint64_t)(1023 - 53 - z) << 52) * (neg != negative(x) ? -1.0 : 1.0);
	r->hi = f.hi * s; r->lo = f.lo * s;
	return (negative(x) ? 4 - (q & 3) : q) & 3;
}

static double horner(const double *c, int n, double z)
{
	double p = c[0];
	for (int i = 1; i < n; i++) p = p * z + c[i];
	return p;
}
/* sin = r - r z/6 (1 - z p), z = r^2, p = 6 (1/5! - z/7! + ...). */
static double sin_core(struct dd r)
{
	static const double c[] = {
		0x1.154ab3925b815p-63, -0x1.c6ee8e9c1e203p-55, 0x1.2fe15942481f8p-46, -0x1.42df6ed66ca17p-38,
		0x1.08db48ebe51c7p-30, -0x1.42cb40df7f3abp-23, 0x1.1566abc011567p-16, -0x1.3813813813814p-10,
		0x1.999999999999ap-5 };
	double z = r.hi * r.hi, p = horner(c, IN_COUNT(c), z), v = r.hi * z;
	return r.hi - ((z * (0.5 * r.lo - v * (p / 6)) - r.lo) + v / 6);
}
/* cos = 1 - z/2 (1 - z p), p = 2 (1/4! - z/6! + ...). */
static double cos_core(struct dd r)
{
	static const double c[] = {
		0x1.e542ba4020225p-61, -0x1.6827863b97d97p-52, 0x1.ae7f3e733b81fp-44, -0x1.93974a8c07c9dp-36,
		0x1.1eed8eff8d898p-28, -0x1.27e4fb7789f5cp-21, 0x1.a01a01a01a01ap-15, -0x1.6c16c16c16c17p-9,
		0x1.5555555555555p-4 };
	double z = r.hi * r.hi, p = horner(c, IN_COUNT(c), z), hz = 0.5 * z, w = 1 - hz;
	return w + (((1 - w) - hz) + (hz * z * p - r.hi * r.lo));
}

double mx_sin(double x)
{
	if (x - x != 0) return NAN_D;
	if (mag(x) < 0x1p-27) return x;
	struct dd r;
	int q = rem_pio2(x, &r);
	double v = q & 1 ? cos_core(r) : sin_core(r);
	return q & 2 ? -v : v;
}
double mx_cos(double x)
{
	if (x - x != 0) return NAN_D;
	struct dd r;
	int q = (rem_pio2(x, &r) + 1) & 3;
	double v = q & 1 ? cos_core(r) : sin_core(r);
	return q & 2 ? -v : v;
}
double mx_tan(double x)
{
	if (x - x != 0) return NAN_D;
	if (mag(x) < 0x1p-27) return x;
	struct dd r;
	int q = rem_pio2(x, &r);
	double s = sin_core(r), c = cos_core(r);
	return q & 1 ? -c / s : s / c;
}

double mx_atan(double x)
{
	static const struct dd at[9] = {        /* atan(i/8) */
		{ 0, 0 }, { 0x1.fd5ba9aac2f6ep-4, -0x1.cd37686760c17p-59 },
		{ 0x1.f5b75f92c80ddp-3, 0x1.8ab6e3cf7afbdp-57 }, { 0x1.6f61941e4def1p-2, -0x1.c63aae6f6e918p-56 },
		{ 0x1.dac670561bb4fp-2, 0x1.a2b7f222f65e2p-56 }, { 0x1.1e00babdefeb4p-1, -0x1.928df287a668fp-58 },
		{ 0x1.4978fa3269ee1p-1, 0x1.2419a87f2a458p-56 }, { 0x1.700a7c5784634p-1, -0x1.8c34d25aadef6p-56 },
		{ 0x1.921fb54442d18p-1, 0x1.1a62633145c07p-55 } };
	double a = mag(x);
	if (x != x || a < 0x1p-27) return x;
	if (a > 0x1p60) return with_sign(dd_pio2.hi, x);
	/* then atan a = pi/2 - atan(c) - atan((1/a - c)/(1 + c/a)) */
	bool inv = a > 1;
	double b = inv ? 1 / a : a;
	int i = b < 0.1875 ? 0 : (int)(b * 8 + 0.5);
	double c = i / 8.0, t = inv ? (1 - c * a) / (a + c) : (a - c) / (1 + a * c), z = t * t, p = 0;
	for (int n = 27; n >= 3; n -= 2) p = 1.0 / n - z * p;
	double tail = t * z * p;                /* atan t = t - tail */
	double r;
	if (inv) {
		struct dd s = fast_sum(dd_pio2.hi, -at[i].hi);
		r = s.hi - (t - (tail + s.lo + (dd_pio2.lo - at[i].lo)));
	} else
		r = at[i].hi + (t + (at[i].lo - tail));
	return with_sign(r, x);
}

double mx_atan2(double y, double x)
{
	if (x != x || y != y) return x + y;
	double ay = mag(y), ax = mag(x), r;
	if (ay == 0) r = negative(x) ? MX_PI : 0;
	else if (ax == 0) r = dd_pio2.hi;
	else if (ay == INF_D) r = ax == INF_D ? (negative(x) ? 0.75 * MX_PI : 0.25 * MX_PI) : dd_pio2.hi;
	else if (ax == INF_D) r = negative(x) ? MX_PI : 0;
	else {
		r = mx_atan(ay / ax);
		if (negative(x)) r = MX_PI - (r - pi_lo);
	}
	return with_sign(r, y);
}
double mx_asin(double x)
{
	if (!(mag(x) <= 1)) return NAN_D;
	if (mag(x) < 0x1p-27) return x;
	return mx_atan2(x, __builtin_sqrt((1 - x) * (1 + x)));
}
double mx_acos(double x)
{
	if (!(mag(x) <= 1)) return NAN_D;
	return 2 * mx_atan2(__builtin_sqrt(1 - x), __builtin_sqrt(1 + x));
}

/* --- hyperbolic, error function, roots --- */

static double sinh_small(double x)              /* |x| <= 1 */
{
	double z = x * x, p = 0;
	for (int n = 20; n >= 4; n -= 2) p = (1 + p * z) / ((double)n * (n + 1));
	return x + x * z * ((1 + z * p) / 6);
}
double mx_sinh(double x)
{
	double a = mag(x), r;
	if (x != x) return x;
	if (a <= 1) return sinh_small(x);
	if (a < 700) { double e = mx_exp(a); r = 0.5 * (e - 1 / e); }
	else { double e = mx_exp(0.5 * a); r = 0.5 * e * e; }
	return with_sign(r, x);
}
double mx_cosh(double x)
{
	double a = mag(x);
	if (a < 700) { double e = mx_exp(a); return 0.5 * (e + 1 / e); }
	double e = mx_exp(0.5 * a);
	return 0.5 * e * e;
}
double mx_tanh(double x)
{
	double a = mag(x);
	if (x != x) return x;
	if (a <= 0.5) {
		double s = sinh_small(x);
		return s / __builtin_sqrt(1 + s * s);
	}
	return with_sign(a > 22 ? 1 : 1 - 2 / (mx_exp(2 * a) + 1), x);
}
static double log1p_pos(double x)
{
	double u = 1 + x, c = x - (u - 1);
	return u == 1 ? x : mx_log(u) + c / u;
}
double mx_asinh(double x)
{
	double a = mag(x), z = a * a;
	if (x - x != 0 || a < 0x1p-27) return x;
	if (a > 0x1p28) return with_sign(mx_log(a) + dd_ln2.hi, x);
	return with_sign(log1p_pos(a + z / (1 + __builtin_sqrt(1 + z))), x);
}

/* erf: Taylor below 1, the continued fraction of erfc above (Abramowitz and Stegun 7.1.5, 7.1.14).
 * */
double mx_erf(double x)
{
	double a = mag(x), p = 0;
	if (x != x) return x;
	if (a > 6) return with_sign(1, x);
	if (a < 1) {
		double z = x * x;
		for (int n = 22; n >= 1; n--) p = 1.0 / (2 * n + 1) - z * p / (n + 1);
		return with_sign(a * 0x1.20dd750429b6dp+0 - a * 0x1.20dd750429b6dp+0 * z * p, x);
	}
	struct dd z = two_mul(a, a);
	double f = a;
	for (int n = a < 2 ? 250 : 60; n >= 1; n--) f = a + 0.5 * n / f;
	return with_sign(1 - mx_exp(-z.hi) * (1 - z.lo) * 0x1.20dd750429b6dp-1 / f, x);
}
double mx_cbrt(double x)
{
	double a = mag(x), f;
	if (x - x != 0 || x == 0) return x;
	int k = split(a, &f), q = (k + 3000) / 3 - 1000;
	double m = scale2(1 + f, k - 3 * q);     /* a = m 2^(3q), m in [0.7, 5.7) */
	double y = mx_exp2(mx_log2(m) / 3);
	struct dd y3 = dd_mul(two_mul(y, y), dd_of(y));
	y -= ((y3.hi - m) + y3.lo) / (3 * y * y);
	return with_sign(scale2(y, q), x);
}
double mx_hypot(double x, double y)
{
	double a = mag(x), b = mag(y);
	if (a == INF_D || b == INF_D) return INF_D;
	if (a != a || b != b) return NAN_D;
	if (a < b) { double t = a; a = b; b = t; }
	if (b == 0) return a;
	if (a * 0x1p-60 > b) return a;
	double up = a > 0x1p500 ? 0x1p-600 : a < 0x1p-400 ? 0x1p700 : 1;
	a *= up; b *= up;
	struct dd s = dd_add(two_mul(a, a), two_mul(b, b));
	double r = __builtin_sqrt(s.hi);
	struct dd rr = two_mul(r, r);
	return (r + (((s.hi - rr.hi) - rr.lo) + s.lo) / (2 * r)) / up;
}

/* --- rounding --- */

double mx_floor(double x)
{
	if (!(mag(x) < 0x1p52)) return x;
	double t = (double)(int64_t)x;
	return with_sign(t > x ? t - 1 : t, x);
}
double mx_ceil(double x) { return -mx_floor(-x); }
double mx_round(double x)
{
	double a = mag(x);
	if (!(a < 0x1p52)) return x;
	double t = (double)(int64_t)a;
	return with_sign(a - t >= 0.5 ? t + 1 : t, x);
}

/* a = m 2^(e-1075), m of exactly 53 bits, for finite a > 0. */
static uint64_t mantissa(double a, int *e)
{
	uint64_t m = bits_of(a) & 0xfffffffffffffu;
	*e = (int)(bits_of(a) >> 52);
	if (*e) return m | 0x10000000000000u;
	for (*e = 1; !(m >> 52); --*e) m <<= 1;
	return m;
}
double mx_fmod(double x, double y)
{
	double a = mag(x), b = mag(y);
	if (x != x || y != y || a == INF_D || b == 0) return NAN_D;
	if (a < b) return x;
	int ea, eb;
	uint64_t ma = mantissa(a, &ea), mb = mantissa(b, &eb);
	for (; ea > eb; ea--) {                 /* long division in binary: exact */
		if (ma >= mb) ma -= mb;
		ma <<= 1;
	}
	if (ma >= mb) ma -= mb;
	if (ma == 0) return with_sign(0, x);
	double r = (double)ma;                  /* 53 bits: exact; times 2^(eb-1075), which is exact too */
	return with_sign(scale2(r, eb - 1075), x);
}

/* --- text --- */

static locale_t c_locale;
static pthread_once_t c_once = PTHREAD_ONCE_INIT;
static void make_c_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	assert(c_locale);
}

int mx_parse(const char *s, double *out)
{
	pthread_once(&c_once, make_c_locale);
	const char *d = s + (*s == '+' || *s == '-');
	if (!((*d >= '0' && *d <= '9') || *d == '.')) return -1;   /* no space, inf, nan */
	char *end;
	double v = strtod_l(s, &end, c_locale);
	if (*end || end == s || v - v != 0) return -1;
	*out = v;
	return 0;
}

/* A whole number of at most 15 digits, as the general way below prints it too. */
static bool print_whole(double v, char out[40])
{
	if (!(v > -1e15 && v < 1e15) || v != (double)(int64_t)v || (v == 0 && 1 / v < 0)) return false;
	char digit[20];
	int n = 0;
	uint64_t u = (uint64_t)(v < 0 ? -(int64_t)v : (int64_t)v);
	do digit[n++] = (char)('0' + u % 10); while (u /= 10);
	if (v < 0) *out++ = '-';
	while (n > 0) *out++ = digit[--n];
	*out = 0;
	return true;
}

void mx_print(double v, char out[40])
{
	if (print_whole(v, out)) return;
	pthread_once(&c_once, make_c_locale);
	locale_t old = uselocale(c_locale);
	if (v != v) snprintf(out, 40, "nan");
	else for (int digits = 1; digits <= 17; digits++) {
		snprintf(out, 40, "%.*g", digits, v);
		if (strtod_l(out, NULL, c_locale) != v) continue;
		const char *e = strchr(out, 'e');
		int power = e ? (int)strtol(e + 1, NULL, 10) : 0;
		if (e && power >= 0 && power < 16) snprintf(out, 40, "%.0f", v);       /* 100, not 1e+02 */
		break;
	}
	uselocale(old);
}
