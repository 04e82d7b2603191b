/* px_colour - transfer curves and colour transforms over rows of planar R,G,B; vectorised by the compiler.
 *
 * Curves take and return doubles (within 2^-45 or so); the rows of the common ones are done in
 * floats by px_rows.h. Every curve is strictly increasing over all numbers: odd (mirrored) below 0
 * unless its own definition or a straight continuation goes on, and it continues above 1. decode:
 * encoded to linear; encode: the inverse.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_COLOUR_H
#define IN_PX_COLOUR_H

#include "colour.h"
#include "px_math.h"
#include "px_rows.h"

enum curve_id {
	CURVE_LINEAR, CURVE_GAMMA22, CURVE_GAMMA24, CURVE_GAMMA26, CURVE_CAMERA, CURVE_SRGB, CURVE_PQ,
	    CURVE_HLG,
	CURVE_ACESCCT, CURVE_ACESCC, CURVE_LOGC3, CURVE_LOGC4, CURVE_SLOG3, CURVE_VLOG, CURVE_LOG3G10,
	CURVE_APPLELOG, CURVE_DAVINCI, CURVE_BMD5, CURVE_FLOG, CURVE_FLOG2, CURVE_DLOG, CURVE_CLOG2, CURVE_CLOG3,
	CURVE_NLOG, CURVE_LLOG, CURVE_SLOG2,
	CURVE_COUNT
};

/* A constant 2^k would do; this keeps log2 away from 0 where the branch is not taken. */
IN_INLINE double curve_pos(double x) { return x > 0x1p-1000 ? x : 0x1p-1000; }

/* BT.709-6 1.2: the camera curve. */
IN_INLINE double camera_decode(double v)
{
	double a = px_dabs(v), p = px_dpow((a + 0.099) / 1.099, 1 / 0.45);
	return px_dsign(a < 0.081 ? a / 4.5 : p, v);
}
IN_INLINE double camera_encode(double x)
{
	double a = px_dabs(x), p = 1.099 * px_dpow(a, 0.45) - 0.099;
	return px_dsign(a < 0.018 ? a * 4.5 : p, x);
}
/* IEC 61966-2-1. */
IN_INLINE double srgb_decode(double v)
{
	double a = px_dabs(v), p = px_dpow((a + 0.055) / 1.055, 2.4);
	return px_dsign(a <= 0.04045 ? a / 12.92 : p, v);
}
IN_INLINE double srgb_encode(double x)
{
	double a = px_dabs(x), p = 1.055 * px_dpow(a, 1 / 2.4) - 0.055;
	return px_dsign(a <= 0.0031308 ? a * 12.92 : p, x);
}
/* SMPTE ST 2084; linear 1.0 is 100 cd/m2. The curve has a pole near 2.16: held below it. */
IN_INLINE double pq_decode(double v)
{
	double p = px_dpow(px_dabs(v), 32 / 2523.0);
	double num = p - 3424 / 4096.0, den = 2413 / 128.0 - 2392 / 128.0 * p;
	den = den > 1e-3 ? den : 1e-3;
	num = num > 0 ? num : 0;
	return px_dsign(100 * px_dpow(num / den, 16384 / 2610.0), v);
}
IN_INLINE double pq_encode(double x)
{
	double p = px_dpow(px_dabs(x) * 0.01, 2610 / 16384.0);
	double q = (3424 / 4096.0 + 2413 / 128.0 * p) / (1 + 2392 / 128.0 * p);
	return px_dsign(px_dpow(q, 2523 / 32.0), x);
}
/* BT.2100 HLG, scene light: signal 1 is linear 1, signal 0.5 is 1/12. */
IN_INLINE double hlg_decode(double v)
{
	double a = px_dabs(v), e = (px_dexp((a - 0.55991073) / 0.17883277) + 0.28466892) / 12;
	return px_dsign(a <= 0.5 ? a * a / 3 : e, v);
}
IN_INLINE double hlg_encode(double x)
{
	double a = px_dabs(x), l = 0.17883277 * px_dlog(curve_pos(12 * a - 0.28466892)) + 0.55991073;
	double s = px_dpow(3 * a, 0.5);
	return px_dsign(a <= 1 / 12.0 ? s : l, x);
}
/* Academy S-2016-001. */
IN_INLINE double acescct_decode(double v)
{
	double l = (v - 0.0729055341958355) / 10.5402377416545, p = px_dexp2(v * 17.52 - 9.72);
	return v <= 0.155251141552511 ? l : p;
}
IN_INLINE double acescct_encode(double x)
{
	double l = 10.5402377416545 * x + 0.0729055341958355, p = (px_dlog2(curve_pos(x)) + 9.72) / 17.52;
	return x <= 0.0078125 ? l : p;
}
/* Academy S-2014-003, continued straight below 0 with the slope it has there. */
#define ACESCC_ZERO  (-6.28 / 17.52)
#define ACESCC_SLOPE (0x1p15 * 1.4426950408889634 / 17.52)
IN_INLINE double acescc_decode(double v)
{
	double p = px_dexp2(v * 17.52 - 9.72), q = (p - 0x1p-16) * 2;
	p = v < -5.28 / 17.52 ? q : p;
	return v < ACESCC_ZERO ? (v - ACESCC_ZERO) / ACESCC_SLOPE : p;
}
IN_INLINE double acescc_encode(double x)
{
	double a = x < 0x1p-15 ? 0x1p-16 + x * 0.5 : x;
	double p = (px_dlog2(curve_pos(a)) + 9.72) / 17.52;
	return x < 0 ? x * ACESCC_SLOPE + ACESCC_ZERO : p;
}
/* ARRI LogC3, EI 800: "ALEXA Log C Curve" (2017), its formulas evaluated without rounding to six
 * digits. */
#define LOGC3_CUT 0.0105909904954696
#define LOGC3_E 5.367654795272976
#define LOGC3_F 0.09280935699613732
IN_INLINE double logc3_decode(double v)
{
	double p = px_dexp2((v - 0.385536998692443) / 0.247189638318671 * 3.3219280948873623);
	p = (p - 0.0522722750251688) / 5.55555555555556;
	return v > LOGC3_E * LOGC3_CUT + LOGC3_F ? p : (v - LOGC3_F) / LOGC3_E;
}
IN_INLINE double logc3_encode(double x)
{
	double p = px_dlog10(curve_pos(5.55555555555556 * x + 0.0522722750251688));
	return x > LOGC3_CUT ? 0.247189638318671 * p + 0.385536998692443 : LOGC3_E * x + LOGC3_F;
}
/* ARRI LogC4: a = (2^18 - 16) / 117.45, b = 928 / 1023, c = 95 / 1023; s and t as the paper derives
 * them. */
#define LOGC4_A (262128 / 117.45)
#define LOGC4_B (928 / 1023.0)
#define LOGC4_C (95 / 1023.0)
#define LOGC4_S 0.1135972086105891
#define LOGC4_T (-0.01805699611991131)
IN_INLINE double logc4_decode(double v)
{
	double p = (px_dexp2(14 * (v - LOGC4_C) / LOGC4_B + 6) - 64) / LOGC4_A;
	return v >= 0 ? p : v * LOGC4_S + LOGC4_T;
}
IN_INLINE double logc4_encode(double x)
{
	double p = (px_dlog2(curve_pos(LOGC4_A * x + 64)) - 6) / 14 * LOGC4_B + LOGC4_C;
	return x >= LOGC4_T ? p : (x - LOGC4_T) / LOGC4_S;
}
/* Sony S-Log3. */
IN_INLINE double slog3_decode(double v)
{
	double p = px_dexp2((v * 1023 - 420) / 261.5 * 3.3219280948873623) * 0.19 - 0.01;
	return v >= 171.2102946929 / 1023 ? p : (v * 1023 - 95) * 0.01125 / (171.2102946929 - 95);
}
IN_INLINE double slog3_encode(double x)
{
	double p = (420 + 261.5 * px_dlog10(curve_pos((x + 0.01) / 0.19))) / 1023;
	return x >= 0.01125 ? p : (x * (171.2102946929 - 95) / 0.01125 + 95) / 1023;
}
/* Panasonic V-Log. */
IN_INLINE double vlog_decode(double v)
{
	double p = px_dexp2((v - 0.598206) / 0.241514 * 3.3219280948873623) - 0.00873;
	return v >= 0.181 ? p : (v - 0.125) / 5.6;
}
IN_INLINE double vlog_encode(double x)
{
	double p = 0.241514 * px_dlog10(curve_pos(x + 0.00873)) + 0.598206;
	return x >= 0.01 ? p : 5.6 * x + 0.125;
}
/* RED Log3G10 v3. */
IN_INLINE double log3g10_decode(double v)
{
	double p = (px_dexp2(v / 0.224282 * 3.3219280948873623) - 1) / 155.975327 - 0.01;
	return v >= 0 ? p : v / 15.1927 - 0.01;
}
IN_INLINE double log3g10_encode(double x)
{
	double a = x + 0.01, p = 0.224282 * px_dlog10(curve_pos(a * 155.975327 + 1));
	return a >= 0 ? p : a * 15.1927;
}
/* Apple Log; below its foot R0 the parabola is mirrored, so that nothing is lost. */
#define APPLE_R0 (-0.05641088)
#define APPLE_C 47.28711236
#define APPLE_PT (APPLE_C * (0.01 - APPLE_R0) * (0.01 - APPLE_R0))
IN_INLINE double applelog_decode(double v)
{
	double p = px_dexp2((v - 0.69336945) / 0.08550479) - 0.00964052;
	double s = px_dsign(px_dpow(px_dabs(v) / APPLE_C, 0.5), v) + APPLE_R0;
	return v >= APPLE_PT ? p : s;
}
IN_INLINE double applelog_encode(double x)
{
	double d = x - APPLE_R0, p = 0.08550479 * px_dlog2(curve_pos(x + 0.00964052)) + 0.69336945;
	return x >= 0.01 ? p : APPLE_C * d * px_dabs(d);
}

/* Blackmagic Design: "DaVinci Resolve 17 Wide Gamut Intermediate" (2021). */
IN_INLINE double davinci_decode(double v)
{ return v > 0.02740668 ? px_dexp2(v / 0.07329248 - 7) - 0.0075 : v / 10.44426855; }
IN_INLINE double davinci_encode(double x)
{ return x > 0.00262409 ? (px_dlog2(curve_pos(x + 0.0075)) + 7) * 0.07329248 : x * 10.44426855; }
/* Blackmagic Design: "Blackmagic Generation 5 Color Science" (2021). */
IN_INLINE double bmd5_decode(double v)
{
	double p = px_dexp((v - 0.5300133392291939) / 0.08692876065491224) - 0.005494072432257808;
	double l = (v - 0.09246575342465753) / 8.283605932402494;
	return v >= 8.283605932402494 * 0.005 + 0.09246575342465753 ? p : l;
}
IN_INLINE double bmd5_encode(double x)
{
	double p = 0.08692876065491224 * px_dlog(curve_pos(x + 0.005494072432257808)) + 0.5300133392291939;
	return x >= 0.005 ? p : 8.283605932402494 * x + 0.09246575342465753;
}
/* A decimal logarithm over a straight foot, c log10(a x + b) + d, e x + f below cut: Fujifilm F-Log
 * ("F-Log Data Sheet" 1.0) and F-Log2 (2022), DJI D-Log ("White Paper on D-Log", 2017). */
struct curve_log10 { double a, b, c, d, e, f, cut, dcut; };
static const struct curve_log10 curve_flog = { 0.555556, 0.009468, 0.344676, 0.790453, 8.735631,
	0.092864, 0.00089, 0.100537775223865 };
static const struct curve_log10 curve_flog2 = { 5.555556, 0.064829, 0.245281, 0.384316, 8.799461,
	0.092864, 0.000889, 0.100686685370811 };
static const struct curve_log10 curve_dlog = { 0.9892, 0.0108, 0.256663, 0.584555, 6.025, 0.0929,
	0.0078, 0.139895 };
IN_INLINE double log10_decode(const struct curve_log10 *k, double v)
{
	double p = (px_dexp2((v - k->d) / k->c * 3.3219280948873623) - k->b) / k->a;
	return v >= k->dcut ? p : (v - k->f) / k->e;
}
IN_INLINE double log10_encode(const struct curve_log10 *k, double x)
{
	double p = k->c * px_dlog10(curve_pos(k->a * x + k->b)) + k->d;
	return x >= k->cut ? p : k->e * x + k->f;
}
/* Leica L-Log ("L-Log Reference Manual" 1.2, 2022): its parts overlap by 0.0009 at the cut, where
 * decoding takes the foot. Sony S-Log2 ("S-Log2 technical paper", 2012): full-range codes, light
 * against the 90 % of its S-Log, over 155 / 219. */
static const struct curve_log10 curve_llog = { 1.3, 0.0115, 0.27, 0.6, 8, 0.09, 0.006000000001,
	0.138000000001 };
#define SLOG2_A (155 / 219.0 / 0.9)
static const struct curve_log10 curve_slog2 = { SLOG2_A, 0.037584, 0.432699 * 876 / 1023,
	(0.646596 * 876 + 64) / 1023, 5 * SLOG2_A * 876 / 1023, (0.030001222851889303 * 876 + 64) / 1023, 0,
	(0.030001222851889303 * 876 + 64) / 1023 };
/* Nikon N-Log ("N-Log Specification Document" 1.0.0, 2018); mirrored about the foot of its cube
 * root. Its parts are 0.0001 apart at the cut, in the middle of which decoding changes over. */
IN_INLINE double nlog_decode(double v)
{
	double c = v * (1023 / 650.0), p = px_dexp((v * 1023 - 619) / 150);
	return v < 0.44157 ? c * c * c - 0.0075 : p;
}
IN_INLINE double nlog_encode(double x)
{
	double d = x + 0.0075, c = px_dsign(px_dpow(px_dabs(d), 1 / 3.0), d) * (650 / 1023.0);
	return x < 0.328 ? c : (150 * px_dlog(curve_pos(x)) + 619) / 1023;
}
/* Canon Log 2 and 3 ("Canon Log Gamma Curves", 2018), whose 1.0 is 90 % reflectance;
 * mirrored about their foot. */
IN_INLINE double clog2_decode(double v)
{
	double d = v - 0.092864125, p = px_dexp2(px_dabs(d) / 0.24136077 * 3.3219280948873623) - 1;
	return px_dsign(p / 87.099375 * 0.9, d);
}
IN_INLINE double clog2_encode(double x)
{
	double p = 0.24136077 * px_dlog10(px_dabs(x) / 0.9 * 87.099375 + 1);
	return px_dsign(p, x) + 0.092864125;
}
IN_INLINE double clog3_decode(double v)
{
	double up = (px_dexp2((v - 0.12240537) / 0.36726845 * 3.3219280948873623) - 1) / 14.98325;
	double low = (1 - px_dexp2((0.12783901 - v) / 0.36726845 * 3.3219280948873623)) / 14.98325;
	double mid = (v - 0.12512219) / 1.9754798;
	double x = v < 0.097465473 ? low : mid;
	return 0.9 * (v > 0.15277891 ? up : x);
}
IN_INLINE double clog3_encode(double x)
{
	double l = x / 0.9, p = 0.36726845 * px_dlog10(px_dabs(l) * 14.98325 + 1);
	double mid = 1.9754798 * l + 0.12512219, v = l < -0.014 ? 0.12783901 - p : mid;
	return l > 0.014 ? p + 0.12240537 : v;
}

#define CURVE_DOUBLE(X) \
	X(CURVE_NLOG, nlog_decode(v), nlog_encode(v)) \
	X(CURVE_LLOG, log10_decode(&curve_llog, v), log10_encode(&curve_llog, v)) \
	X(CURVE_SLOG2, log10_decode(&curve_slog2, v), log10_encode(&curve_slog2, v)) \
	X(CURVE_CLOG2, clog2_decode(v), clog2_encode(v)) \
	X(CURVE_CLOG3, clog3_decode(v), clog3_encode(v)) \
	X(CURVE_ACESCC, acescc_decode(v), acescc_encode(v)) \
	X(CURVE_APPLELOG, applelog_decode(v), applelog_encode(v))
#define CURVE_ROWS(X) \
	CURVE_DOUBLE(X) \
	X(CURVE_PQ, pq_decode(v), pq_encode(v)) \
	X(CURVE_HLG, hlg_decode(v), hlg_encode(v)) \
	X(CURVE_GAMMA22, px_dspow(v, 2.2), px_dspow(v, 1 / 2.2)) \
	X(CURVE_GAMMA24, px_dspow(v, 2.4), px_dspow(v, 1 / 2.4)) \
	X(CURVE_GAMMA26, px_dspow(v, 2.6), px_dspow(v, 1 / 2.6)) \
	X(CURVE_CAMERA, camera_decode(v), camera_encode(v)) \
	X(CURVE_SRGB, srgb_decode(v), srgb_encode(v)) \
	X(CURVE_ACESCCT, acescct_decode(v), acescct_encode(v)) \
	X(CURVE_LOGC3, logc3_decode(v), logc3_encode(v)) \
	X(CURVE_LOGC4, logc4_decode(v), logc4_encode(v)) \
	X(CURVE_SLOG3, slog3_decode(v), slog3_encode(v)) \
	X(CURVE_VLOG, vlog_decode(v), vlog_encode(v)) \
	X(CURVE_LOG3G10, log3g10_decode(v), log3g10_encode(v)) \
	X(CURVE_DAVINCI, davinci_decode(v), davinci_encode(v)) \
	X(CURVE_BMD5, bmd5_decode(v), bmd5_encode(v)) \
	X(CURVE_FLOG, log10_decode(&curve_flog, v), log10_encode(&curve_flog, v)) \
	X(CURVE_FLOG2, log10_decode(&curve_flog2, v), log10_encode(&curve_flog2, v)) \
	X(CURVE_DLOG, log10_decode(&curve_dlog, v), log10_encode(&curve_dlog, v))

static inline double curve_decode(int curve, double v)
{
	switch (curve) {
#define X(id, d, e) case id: return d;
	CURVE_ROWS(X)
#undef X
	default: return v;
	}
}
static inline double curve_encode(int curve, double v)
{
	switch (curve) {
#define X(id, d, e) case id: return e;
	CURVE_ROWS(X)
#undef X
	default: return v;
	}
}
/* Rows of the curves that are a logarithm over a straight foot, from the same constants as above. */
static const struct px_exp_curve curve_exp[CURVE_COUNT] = {
	[CURVE_ACESCCT] = { 0x1.184p+4f, 4.375e-3f, 17.52f, -0x1.370ap+3f, -2.9296875e-5f, 0,
		7.974885845f, 0.1552511416f, 0.09487452034f, -6.916877587e-3f },
	[CURVE_LOGC3] = { 0x1.aep+3f, 1.283751141e-3f, 13.43878375f, -0x1.e9ecp+2f,
		-5.024494906e-5f, -9.409009505e-3f, 10.24312037f, 0.1496581379f, 0.1863011013f, -0.01729048542f },
	[CURVE_LOGC4] = { 0x1.edcp+3f, 3.502155172e-3f, 15.43318966f, -0x1.a3a8p+2f,
		-6.9787993e-5f, -0.02867606665f, 8.848280993f, 0, 0.1135972086f, -0.01805699612f },
	[CURVE_SLOG3] = { 0x1.9fcp+3f, 3.347647494e-3f, 12.99553515f, -0x1.eedp+2f,
		1.063116844e-4f, -0.01f, 10.59835839f, 0.1673609919f, 0.1510130626f, -0.01402369594f },
	[CURVE_VLOG] = { 0x1.b82p+3f, 6.922200157e-4f, 13.75459847f, -0x1.074cp+3f,
		-5.598860419e-5f, -8.73e-3f, 10.04959059f, 0.181f, 0.1785714286f, -0.02232142857f },
	[CURVE_LOG3G10] = { 0x1.d9ep+3f, 2.795906269e-3f, 14.81138966f, -0x1.d24p+2f,
		-1.777379849e-5f, -0.01641127042f, 9.268892198f, 0, 0.06582108513f, -0.01f },
	[CURVE_DAVINCI] = { 0x1.b48p+3f, 0.003339564987f, 13.64396456f, -0x1.cp+2f,
		0, -0.0075f, 10.04106976f, 0.02740668f, 0.09574629331f, 0 },
	[CURVE_BMD5] = { 0x1.098p+4f, 0.002541377213f, 16.59629138f, -0x1.197ap+3f,
		-0.0001132335325f, -0.005494072432f, 8.363088636f, 0.1338837831f, 0.1207203732f, -0.01116250027f },
	[CURVE_FLOG] = { 0x1.346p+3f, 0.001109514478f, 9.637828264f, -0x1.b14ap+2f,
		-0.0001129111799f, -0.01704238637f, 14.19098274f, 0.1005377752f, 0.1144736997f, -0.01063048565f },
	[CURVE_FLOG2] = { 0x1.b16p+3f, 0.0003880321697f, 13.54335678f, -0x1.eb72p+2f,
		-2.700103184e-05f, -0.01166921907f, 10.1657855f, 0.1006866854f, 0.1136433243f, -0.01055337367f },
	[CURVE_DLOG] = { 0x1.9e2p+3f, 0.001355639666f, 12.94276189f, -0x1.e334p+2f,
		-4.149312924e-05f, -0.01091791347f, 10.62756864f, 0.139895f, 0.1659751037f, -0.01541908714f },
};
static const struct px_log_curve curve_log[CURVE_COUNT] = {
	[CURVE_ACESCCT] = { 1, 0, 0x1.d38p-5f, 9.754477026e-6f, 0.08234560736f, 0x1.1c1p-1f,
		-1.504976455e-5f, 7.8125e-3f, 10.54023774f, 0.0729055342f },
	[CURVE_LOGC3] = { 5.555555556f, 0.05227227503f, 0x1.30cp-4f, 9.640282501e-6f,
		0.1073530959f, 0x1.8ac8p-2f, 8.434239318e-6f, 0.0105909905f, 5.367654795f, 0.092809357f },
	[CURVE_LOGC4] = { 2231.826309f, 64, 0x1.096p-4f, 6.601274754e-6f, 0.09348003058f,
		-0x1.2fp-2f, -9.955182586e-6f, -0.01805699612f, 8.80303321f, 0.1589563365f },
	[CURVE_SLOG3] = { 5.263157895f, 0.05263157895f, 0x1.3b2p-4f, 1.469079236e-5f,
		0.1110146696f, 0x1.a468p-2f, 4.206235108e-6f, 0.01125f, 6.621943712f, 0.09286412512f },
	[CURVE_VLOG] = { 1, 8.73e-3f, 0x1.29cp-4f, 1.008727904e-5f, 0.1048881975f, 0x1.3248p-1f,
		4.3359375e-7f, 0.01f, 5.6f, 0.125f },
	[CURVE_LOG3G10] = { 155.975327f, 2.55975327f, 0x1.148p-4f, 1.072667501e-5f,
		0.09740443499f, 0, 0, -0.01f, 15.1927f, 0.151927f },
	[CURVE_DAVINCI] = { 1, 0.0075f, 0x1.2c2p-4f, 1.977492187e-05f,
		0.1057386974f, 0x1.06ap-1f, 0.000107906875f, 0.00262409f, 10.44426855f, 0 },
	[CURVE_BMD5] = { 1, 0.005494072432f, 0x1.ed8p-5f, 1.272613877e-05f,
		0.08692876065f, 0x1.0f4p-1f, 0.0002281829792f, 0.005f, 8.283605932f, 0.09246575342f },
	[CURVE_FLOG] = { 0.555556f, 0.009468f, 0x1.a8ep-4f, 2.85667386e-05f,
		0.1496908848f, 0x1.94ap-1f, 0.000169796875f, 0.00089f, 8.735631f, 0.092864f },
	[CURVE_FLOG2] = { 5.555556f, 0.064829f, 0x1.2e6p-4f, 1.491688208e-05f,
		0.1065241848f, 0x1.898p-2f, 3.865625e-05f, 0.000889f, 8.799461f, 0.092864f },
	[CURVE_DLOG] = { 0.9892f, 0.0108f, 0x1.3c6p-4f, 2.327154273e-05f,
		0.1114673246f, 0x1.2b4p-1f, 8.234375e-05f, 0.0078f, 6.025f, 0.0929f },
};

/* sRGB and the camera curve: a power of (v + a) / (1 + a) above a straight foot. */
IN_INLINE void foot_decode_row(float *IN_RESTRICT p, float a, float gain, double y, float cut,
                               float slope, int n)
{
	const struct px_power c = px_power_of(y);
	float b[PX_BLOCK];
	for (int m; n > 0; n -= m, p += m) {
		m = n < PX_BLOCK ? n : PX_BLOCK;
		for (int i = 0; i < m; i++) b[i] = px_abs(p[i]) + a;
		px_pow_row(b, &c, POW_KEEP, m);
		for (int i = 0; i < m; i++) {
			float v = px_abs(p[i]), r = v > cut ? b[i] * gain : v * slope;
			p[i] = px_flt(px_bitsf(r) | (px_bitsf(p[i]) & 0x80000000u));
		}
	}
}
IN_INLINE void foot_encode_row(float *IN_RESTRICT p, float a, double y, float cut, float slope, int n)
{
	const struct px_power c = px_power_of(y);
	float b[PX_BLOCK];
	for (int m; n > 0; n -= m, p += m) {
		m = n < PX_BLOCK ? n : PX_BLOCK;
		for (int i = 0; i < m; i++) b[i] = px_abs(p[i]);
		px_pow_row(b, &c, POW_KEEP, m);
		for (int i = 0; i < m; i++) {
			float x = px_abs(p[i]), r = x > cut ? (1.0f + a) * b[i] - a : x * slope;
			p[i] = px_flt(px_bitsf(r) | (px_bitsf(p[i]) & 0x80000000u));
		}
	}
}
static inline void gamma_row(float *p, double y, int n)
{
	const struct px_power c = px_power_of(y);
	px_pow_row(p, &c, POW_ODD, n);
}

/* HLG: the logarithm's constants as for the curves above, the square below. */
static const struct px_exp_curve curve_hlg_exp = { 0x1.022p+3f, 0.0008794096079f, 8.06728566f,
	-0x1.0342p+3f, -0.0001156628858f, 0.02372241f, 17.11875941f, 0, 0, 0 };
static const struct px_log_curve curve_hlg_log = { 12, -0.28466892f, 0x1.fbap-4f, 2.55455516e-05f,
	0.17883277f, 0x1.1eap-1f, 9.6276875e-05f, 0, 0, 0 };

static inline void hlg_decode_row(float *IN_RESTRICT p, int n)
{
	float b[PX_BLOCK];
	for (int m; n > 0; n -= m, p += m) {
		m = n < PX_BLOCK ? n : PX_BLOCK;
		for (int i = 0; i < m; i++) b[i] = px_abs(p[i]);
		px_exp_block(b, &curve_hlg_exp, m);
		for (int i = 0; i < m; i++) {
			float v = px_abs(p[i]), r = v <= 0.5f ? v * v * (1 / 3.0f) : b[i];
			r = px_flt(px_bitsf(r) | (px_bitsf(p[i]) & 0x80000000u));
			p[i] = p[i] == p[i] ? r : p[i];
		}
	}
}
static inline void hlg_encode_row(float *IN_RESTRICT p, int n)
{
	float b[PX_BLOCK];
	for (int m; n > 0; n -= m, p += m) {
		m = n < PX_BLOCK ? n : PX_BLOCK;
		for (int i = 0; i < m; i++) b[i] = px_max(px_abs(p[i]), 1 / 12.0f);
		px_log_block(b, &curve_hlg_log, m);
		for (int i = 0; i < m; i++) {
			float x = px_abs(p[i]), r = x <= 1 / 12.0f ? __builtin_sqrtf(3.0f * x) : b[i];
			r = px_flt(px_bitsf(r) | (px_bitsf(p[i]) & 0x80000000u));
			p[i] = p[i] == p[i] ? r : p[i];
		}
	}
}

/* PQ. Decoding: e = v^(1/m2) - 1 keeps the bits that e + 1 would lose, and the logarithm
 * of (e + 1 - c1) / (c2 - c3 (e + 1)) is a difference of two, with what their rounding
 * left. c2 - c3 = 1 - c1 = 0.1640625. */
#define PQ_ONE 0.1640625f
#define PQ_C3 18.6875f
IN_INLINE float pq_expm1(float z)
{
	z = px_clamp(z, -0.25f, 0.25f);
	float p = 1 / 5040.0f;
	p = p * z + 1 / 720.0f;
	p = p * z + 1 / 120.0f;
	p = p * z + 1 / 24.0f;
	p = p * z + 1 / 6.0f;
	p = p * z + 0.5f;
	return z + z * z * p;
}
IN_INLINE void pq_decode_block(float *p, int n)
{
	const struct px_power c = px_power_of(16384 / 2610.0);
	const float in = (float)(32 / 2523.0), in_ln2 = (float)(32 / 2523.0 * 0.69314718055994531);
	float nu[PX_BLOCK], de[PX_BLOCK], rest[PX_BLOCK], k[PX_BLOCK], l[PX_BLOCK], t[PX_BLOCK], half[PX_BLOCK];
	for (int i = 0; i < n; i++) {
		float kk, u;
		px_take_apart(px_abs(p[i]), &kk, &u);
		float e = pq_expm1(in_ln2 * kk + in * (u + px_ln_tail(u))), a = PQ_ONE + e, hi = px_upper(e);
		float b = -PQ_C3 * hi, s = PQ_ONE + b, w = s - PQ_ONE, more = -PQ_C3 * (e - hi), d = s + more;
		float d_lo = ((PQ_ONE - (s - w)) + (b - w)) + (more - (d - s)), a_lo = e - (a - PQ_ONE);
		nu[i] = px_max(a, 1e-12f);
		de[i] = px_max(d, 1e-3f);
		float r = (a_lo * de[i] - d_lo * nu[i]) / (nu[i] * de[i]);
		rest[i] = px_clamp(r, -1e-5f, 1e-5f);
	}
	for (int i = 0; i < n; i++) {
		float k1, u1, k2, u2;
		px_take_apart(nu[i], &k1, &u1);
		px_take_apart(de[i], &k2, &u2);
		float h1 = px_upper(u1), h2 = px_upper(u2);
		k[i] = k1 - k2;
		l[i] = h1 - h2;
		rest[i] += ((u1 - h1) + px_ln_tail(u1)) - ((u2 - h2) + px_ln_tail(u2));
	}
	for (int i = 0; i < n; i++)
		px_split_power(c.k_hi * k[i], c.u_hi * l[i],
		               c.u * rest[i] + (c.k_lo * k[i] + c.u_lo * l[i]), &t[i], &half[i]);
	for (int i = 0; i < n; i++) {
		float r = 100.0f * px_join_power(t[i], half[i]);
		r = px_flt(px_bitsf(r) | (px_bitsf(p[i]) & 0x80000000u));
		p[i] = p[i] == p[i] ? r : p[i];
	}
}
static inline void pq_decode_row(float *p, int n)
{
	for (; n >= PX_BLOCK; n -= PX_BLOCK, p += PX_BLOCK) pq_decode_block(p, PX_BLOCK);
	if (n) pq_decode_block(p, n);
}
/* Encoding: (c1 + c2 p) / (1 + c3 p) = 1 - w, w = 0.1640625 (1 - p) / (1 + c3 p). */
IN_INLINE void pq_encode_block(float *p, int n)
{
	const float m = (float)(2610 / 16384.0 * 1.4426950408889634), whole = (float)(2610 / 16384.0);
	const float shift = (float)(-2610 / 16384.0 * 6.6438561897747247),
		out = (float)(2523 / 32.0 * 1.4426950408889634);
	float t[PX_BLOCK], half[PX_BLOCK];
	for (int i = 0; i < n; i++) {
		float k, u;
		px_take_apart(px_abs(p[i]), &k, &u);
		px_split_power(whole * k, shift, m * (u + px_ln_tail(u)), &t[i], &half[i]);
	}
	for (int i = 0; i < n; i++) {
		float q = px_min(px_join_power(t[i], half[i]), 1e6f), u = -PQ_ONE * (1.0f - q) / (1.0f + PQ_C3 * q);
		px_split_power(out * (u + px_ln_tail(u)), 0, 0, &t[i], &half[i]);
	}
	for (int i = 0; i < n; i++) {
		float r = px_join_power(t[i], half[i]);
		r = px_flt(px_bitsf(r) | (px_bitsf(p[i]) & 0x80000000u));
		p[i] = p[i] == p[i] ? r : p[i];
	}
}
static inline void pq_encode_row(float *p, int n)
{
	for (; n >= PX_BLOCK; n -= PX_BLOCK, p += PX_BLOCK) pq_encode_block(p, PX_BLOCK);
	if (n) pq_encode_block(p, n);
}

IN_INLINE float keep_nan(float x, float y) { return x == x ? y : x; }
static inline void curve_decode_row(int curve, float *IN_RESTRICT p, int n)
{
	switch (curve) {
	case CURVE_LINEAR: break;
	case CURVE_GAMMA22: gamma_row(p, 2.2, n); break;
	case CURVE_GAMMA24: gamma_row(p, 2.4, n); break;
	case CURVE_GAMMA26: gamma_row(p, 2.6, n); break;
	case CURVE_SRGB: foot_decode_row(p, 0.055f, 0.879415461402f, 2.4, 0.04045f, 1 / 12.92f, n); break;
	case CURVE_CAMERA: foot_decode_row(p, 0.099f, 0.810763178913f, 1 / 0.45, 0.081f, 1 / 4.5f, n); break;
#define X(id, d, e) case id: \
	for (int i = 0; i < n; i++) { double v = p[i]; p[i] = keep_nan(p[i], (float)(d)); } break;
	CURVE_DOUBLE(X)
#undef X
	case CURVE_PQ: pq_decode_row(p, n); break;
	case CURVE_HLG: hlg_decode_row(p, n); break;
	default: px_exp_row(p, &curve_exp[curve], n); break;
	}
}
static inline void curve_encode_row(int curve, float *IN_RESTRICT p, int n)
{
	switch (curve) {
	case CURVE_LINEAR: break;
	case CURVE_GAMMA22: gamma_row(p, 1 / 2.2, n); break;
	case CURVE_GAMMA24: gamma_row(p, 1 / 2.4, n); break;
	case CURVE_GAMMA26: gamma_row(p, 1 / 2.6, n); break;
	case CURVE_SRGB: foot_encode_row(p, 0.055f, 1 / 2.4, 0.0031308f, 12.92f, n); break;
	case CURVE_CAMERA: foot_encode_row(p, 0.099f, 0.45, 0.018f, 4.5f, n); break;
#define X(id, d, e) case id: \
	for (int i = 0; i < n; i++) { double v = p[i]; p[i] = keep_nan(p[i], (float)(e)); } break;
	CURVE_DOUBLE(X)
#undef X
	case CURVE_PQ: pq_encode_row(p, n); break;
	case CURVE_HLG: hlg_encode_row(p, n); break;
	default: px_log_row(p, &curve_log[curve], n); break;
	}
}

/* r,g,b = m (r,g,b), row-major m. */
IN_INLINE void matrix_row(const float m[9], float *IN_RESTRICT r, float *IN_RESTRICT g,
                          float *IN_RESTRICT b, int n)
{
	const float a0 = m[0], a1 = m[1], a2 = m[2], b0 = m[3], b1 = m[4], b2 = m[5];
	const float c0 = m[6], c1 = m[7], c2 = m[8];
	for (int i = 0; i < n; i++) {
		float x = r[i], y = g[i], z = b[i];
		r[i] = a0 * x + a1 * y + a2 * z;
		g[i] = b0 * x + b1 * y + b2 * z;
		b[i] = c0 * x + c1 * y + c2 * z;
	}
}

enum { COLOUR_CHUNK = 256 };

/* Transforms n pixels in place, in chunks that stay in L1. Infinities may become NaN in the matrix; the core
 * canonicalises NaN. */
static inline void colour_row(const struct colour_xform *x, float *r, float *g, float *b, int n)
{
	if (x->identity) return;
	for (int m; n > 0; n -= m, r += m, g += m, b += m) {
		float *const p[3] = { r, g, b };
		m = n < COLOUR_CHUNK ? n : COLOUR_CHUNK;
		for (int k = 0; k < 3; k++) curve_decode_row(x->decode, p[k], m);
		if (x->has_matrix) matrix_row(x->m, r, g, b, m);
		for (int k = 0; k < 3; k++) curve_encode_row(x->encode, p[k], m);
	}
}

#endif
